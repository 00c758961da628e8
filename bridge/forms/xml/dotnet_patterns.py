"""Patterns in XSD's words, written so that libxml2 reads them as .NET does: halves of letters, anchors and blanks."""

import functools

_SPACE = r"\p{Z}\t\n\r"
# libxml2 reads whole characters, and .NET halves of those beyond 16 bits: each half is this one here.
_HALF = "\uf8ff"
_NEVER = "\ue000"
"""Fits nothing that anybody writes."""


def utf16_units(text: str) -> str:
    """Write *text* so that a character beyond 16 bits is two, which are in no class of letters."""
    return text if text.isascii() else "".join(_HALF * 2 if letter > "\uffff" else letter for letter in text)


@functools.lru_cache(maxsize=1024)
def dotnet_pattern(pattern: str, *, spaces: bool = True) -> str | None:
    """
    Write a pattern in XSD's words, as ``xsd_pattern`` gives it, so that libxml2 reads it as .NET does.

    None where that cannot be said. Without *spaces*, white space stays XML's. Words stay as well: of all that XSD takes
    for one, .NET was seen to refuse only what is beyond 16 bits.
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
