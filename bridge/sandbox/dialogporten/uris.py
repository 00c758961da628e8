"""Addresses as .NET keeps them: what is well formed, what is absolute https, and how it is written once stored."""

import re
from dataclasses import dataclass

_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_AUTHORITY = re.compile(r"[/\\]{2}(?:([^/\\?#@]*)@)?(\[[0-9A-Fa-f:.]+\]|[^/\\?#:@\[\]]*)(?::(\d*))?(?=[/\\?#]|$)")
_PORTS = {"http": "80", "https": "443", "ftp": "21", "ws": "80", "wss": "443"}
# What must be escaped in an address; letters beyond ASCII need not be.
_UNESCAPED = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[^\s\"<>\\^`{|}%]+")
# Escaped bytes that mean the same unescaped, so that they are stored so; the others separate parts and stay.
_PLAIN = frozenset(range(0x21, 0x7F)) - frozenset(b"%/?#[]@:;&=+$,\\")


@dataclass(frozen=True, slots=True)
class Address:
    """An absolute address with a host, in the parts that .NET writes it from."""

    scheme: str
    user: str | None
    host: str
    port: str | None
    rest: str

    def __str__(self) -> str:
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port in (None, "", _PORTS.get(self.scheme)) else f":{self.port}"
        return f"{self.scheme}://{user}{self.host}{port}{self.rest}"


def split(text: str) -> Address | None:
    """Take an absolute address with a host apart; None where it is none."""
    found = _ABSOLUTE.fullmatch(text.strip())
    if found is None:
        return None
    authority = _AUTHORITY.match(found[2])
    if authority is None or not authority[2] or not _HOST.fullmatch(authority[2]):
        return None
    if authority[3] and int(authority[3]) > 65_535:
        return None
    rest = _path(found[2][authority.end() :])
    return Address(found[1].lower(), authority[1], authority[2].lower(), authority[3], rest)


def is_readable(text: str) -> bool:
    """Whether .NET makes an address of it at all: a scheme that has hosts needs one."""
    found = _ABSOLUTE.fullmatch(text.strip())
    return found is None or found[1].lower() not in _PORTS or split(text) is not None


def is_well_formed(text: str) -> bool:
    """Whether all of it is escaped that has to be, absolute or relative."""
    return _UNESCAPED.search(text) is None and is_readable(text)


def stored(text: str) -> str:
    """An address as it is after storing: host in small letters, no usual port, no dots in the path."""
    text = text.strip()
    parts = split(text)
    if parts is not None:
        return str(parts)
    found = _ABSOLUTE.fullmatch(text)
    return text if found is None else f"{found[1].lower()}:{found[2]}"


def _path(rest: str) -> str:
    path, sign, more = re.match(r"([^?#]*)([?#]?)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    kept: list[str] = []
    parts = path.replace("\\", "/").split("/")[1:] or [""]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
        if last and part in (".", ".."):
            kept.append("")
    return _unescaped(f"/{'/'.join(kept)}{sign}{more}")


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        raw = bytes.fromhex(found.group().replace("%", ""))
        try:
            letters = raw.decode()
        except UnicodeDecodeError:
            return found.group()
        return "".join(
            each if ord(each) > 0xA0 or ord(each) in _PLAIN or each == " " else f"%{ord(each):02X}" for each in letters
        )

    return re.sub(r"(?:%[0-9A-Fa-f]{2})+", plain, text)
