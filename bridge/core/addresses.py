"""Addresses are compared by meaning: Dialogporten keeps them as .NET writes them (facts/dialogporten.md 14.1)."""

import re
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_SEPARATORS = frozenset("%/?#[]@:;&=+$,\\")
"""What separates parts, and so means something else escaped."""


def canonical(address: str) -> str:
    """
    One spelling of *address*: host in small letters, no usual port, no dots, no blanks around, no idle escapes.

    What is no absolute address over HTTP stays as it is, but for the blanks.
    """
    text = address.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return text
    if parts.scheme not in _PORTS or not parts.hostname:
        return text
    user, at, _ = parts.netloc.rpartition("@")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    after = text.partition("//")[2][len(parts.netloc) :]
    path, mark, rest = re.match(r"([^?#]*)([?#]?)(.*)", after, re.DOTALL).groups()  # type: ignore[union-attr]
    return f"{parts.scheme}://{user}{at}{host}{shown}{_unescaped(_without_dots(path))}{mark}{_unescaped(rest)}"


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.replace("\\", "/").split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        try:
            letters = bytes.fromhex(found[0].replace("%", "")).decode()
        except UnicodeDecodeError:
            return found[0].upper()
        return "".join(
            f"%{ord(each):02X}" if each in _SEPARATORS or not (each == " " or each.isprintable()) else each
            for each in letters
        )

    return _ESCAPED.sub(plain, text)
