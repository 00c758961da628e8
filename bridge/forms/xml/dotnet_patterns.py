"""Patterns in XSD's words, written so that libxml2 reads them as .NET does: halves of letters, anchors and blanks."""

import functools

_SPACE = r"\p{Z}\t\n\r"
# libxml2 reads whole characters, and .NET halves of those beyond 16 bits: each half is this one here.
_HALF = "\uf8ff"
_NEVER = "\ue000"
"""Fits nothing that anybody writes."""


def utf16_units(text: str) -> str:
    """The *text* with two characters, in no class of letters, for each one beyond 16 bits."""
    return text if text.isascii() else "".join(_HALF * 2 if letter > "\uffff" else letter for letter in text)


@functools.lru_cache(maxsize=1024)
def dotnet_pattern(pattern: str, *, spaces: bool = True) -> str | None:
    """
    The pattern, in XSD's words as from ``xsd_pattern``, respelled so that libxml2 reads it as .NET does.

    None where it cannot be respelled. Without *spaces*, white space stays XML's. Words stay as well: of all that XSD
    takes for one, .NET was seen to refuse only what is beyond 16 bits.
    """
    if any(letter > "\uffff" for letter in pattern):
        return None
    written: list[str] = []
    at, depth = 0, 0
    while at < len(pattern):
        piece = pattern[at : at + 2] if pattern[at] == "\\" else pattern[at]
        at += len(piece)
        if piece == "[":
            depth += 1
        elif piece == "]":
            depth -= 1
        if depth:
            if piece == r"\S" and spaces:
                return None
            written.append(_SPACE if piece == r"\s" and spaces else piece)
        else:
            written.append(piece if piece in (r"\s", r"\S") and not spaces else _ALONE.get(piece, piece))
    return "".join(written)


_ALONE = {
    "^": _NEVER,
    "$": _NEVER,
    r"\s": f"[{_SPACE}]",
    r"\S": f"[^{_SPACE}]",
}
