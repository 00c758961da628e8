"""
What .NET refuses though XML Schema takes it: the readers of Altinn 2 and of many agencies.

Measured, value by value, on System.Xml.Schema: see docs/schemas.md, "What the receiver may refuse". Nothing here makes
a form wrong; it says where it may come back.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bridge.forms.xml.automata import automaton
from bridge.forms.xml.components import XsdSimpleType
from bridge.forms.xml.dotnet_patterns import dotnet_pattern, utf16_units
from bridge.forms.xml.new_letters import Matcher
from bridge.forms.xml.schema_files import XSD
from bridge.forms.xml.values import BLANKS, builtin_of, item_of, members_of

Takes = Callable[[XsdSimpleType, str], bool]

_UNSIGNED = frozenset({"unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"})
_DECIMALS = frozenset(
    ("decimal", "integer", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger")
)
_YEARS = frozenset({"date", "dateTime", "gYear", "gYearMonth"})
_TOKENS = frozenset({"token", "anyURI"})
_WATCHED = _UNSIGNED | _DECIMALS | _YEARS | _TOKENS | {"time", "duration", "float", "double"}
_MOST = 2**96 - 1
_NUMBER = re.compile(r"[+-]?([0-9]*)(?:\.([0-9]*))?")
_YEAR = re.compile(r"(?!0000)[0-9]{4}(?![0-9])")
_DURATION = re.compile(
    r"-?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d*)(?:\.\d*)?S)?)?", re.ASCII
)
_MOST_SECONDS = (2**63 - 1) // 10**7
_MOST_INT = 2**31 - 1
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile(r"//([^/?#\\]*)")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]<>\"|^`{}\\]+)(?::(?P<port>[0-9]{0,9}))?")
_WITHOUT_HOST = frozenset({"file"})


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is asked of a type for each of its values, as far as .NET reads it in a way of its own."""

    simple: XsdSimpleType
    builtin: str
    members: tuple["_Kind", ...]
    item: "_Kind | None"
    lengths: tuple[tuple[str, int], ...]
    patterns: tuple[tuple[str, ...], ...]
    """Of each level those of which a value fits one."""
    enumerated: bool

    @property
    def watchful(self) -> bool:
        """Whether a value of plain letters may be doubtful."""
        if self.members or self.item is not None:
            inner = (*self.members, *(() if self.item is None else (self.item,)))
            return (
                bool(self.patterns)
                or (self.enumerated and self.item is not None)
                or any(each.watchful for each in inner)
            )
        differ = any(dotnet_pattern(each) not in (None, each) for level in self.patterns for each in level)
        return differ or self.builtin in _WATCHED


class Judge:
    """Knows for the types of one schema what .NET refuses; a type is looked at once."""

    def __init__(self) -> None:
        self._kinds: dict[int, tuple[_Kind, bool]] = {}

    def why(self, simple: XsdSimpleType, text: str, takes: Takes) -> str | None:
        """
        The code of why .NET may refuse *text*, which the type *simple* takes; None where it takes it, too.

        *takes* says whether a member of a union does.
        """
        known = self._kinds.get(id(simple))
        if known is None:
            kind = _kind_of(simple)
            known = self._kinds[id(simple)] = kind, kind.watchful
        return None if not known[1] and text.isascii() else _why(known[0], text, takes)


def _why(kind: _Kind, text: str, takes: Takes) -> str | None:
    if kind.members or kind.item is not None:
        return _why_of_several(kind, text, takes)
    value = _as_read(kind.simple, text)
    reason = _why_of_kind(kind.builtin, value, blank=bool(text) and not text.strip(BLANKS))
    if reason is not None:
        return reason
    if kind.enumerated and "NaN" in value and kind.builtin in {"float", "double"}:
        return "nan"
    if _too_long(kind, value):
        return "length"
    return None if all(_fits(each, value) for each in kind.patterns) else "pattern"


def _why_of_several(kind: _Kind, text: str, takes: Takes) -> str | None:
    if text != " ".join(text.split()):
        if kind.enumerated and kind.item is not None:
            return "blanks"
        if not all(_fits(each, text, looks=True) for each in kind.patterns):
            return "blanks"
    if kind.item is not None:
        return next((reason for each in text.split() if (reason := _why(kind.item, each, takes)) is not None), None)
    # A member that does not take it has nothing to refuse either.
    members = [member for member in kind.members if takes(member.simple, text)] or kind.members
    reasons = [_why(member, text, takes) for member in members]
    return None if None in reasons else next(iter(reasons), None)


def _kind_of(simple: XsdSimpleType) -> _Kind:
    lengths: list[tuple[str, int]] = []
    patterns: list[tuple[str, ...]] = []
    enumerated = False
    level: XsdSimpleType | None = simple
    while level is not None and hasattr(level, "facets") and not str(level.name or "").startswith(XSD):
        for name, facet in level.facets.items():
            local = str(name or "").removeprefix(XSD)
            enumerated = enumerated or local == "enumeration"
            if local in {"length", "maxLength"}:
                lengths.append((local, int(facet.value)))
            elif local == "pattern":
                patterns.append(tuple(facet.regexps))
        level = level.base_type
    item = item_of(simple)
    return _Kind(
        simple=simple,
        builtin=builtin_of(simple),
        members=tuple(map(_kind_of, members_of(simple))),
        item=None if item is None else _kind_of(item),
        lengths=tuple(lengths),
        patterns=tuple(patterns),
        enumerated=enumerated,
    )


def _as_read(simple: XsdSimpleType, text: str) -> str:
    match simple.white_space:
        case "collapse":
            return " ".join(part for part in re.split(f"[{BLANKS}]+", text) if part)
        case "replace":
            return re.sub(f"[{BLANKS}]", " ", text)
        case _:
            return text


def _why_of_kind(kind: str, value: str, *, blank: bool) -> str | None:
    if kind in _TOKENS and blank:
        return "blank"
    if kind == "anyURI" and not _is_address(value):
        return "address"
    if kind in _UNSIGNED and value[:1] in ("+", "-"):
        return "sign"
    if kind in _DECIMALS and not _is_decimal(value):
        return "number"
    if kind in {"time", "dateTime"} and re.search(r"(?:\A|T)24:", value):
        return "time_24"
    if kind in _YEARS and not _YEAR.match(value):
        return "year"
    return "duration" if kind == "duration" and not _is_short(value) else None


def _is_decimal(value: str) -> bool:
    """Whether .NET's 96 bits hold it, with at most 28 places behind the point."""
    found = _NUMBER.fullmatch(value)
    if found is None:
        return True  # No number at all, as is told elsewhere.
    whole, places = found[1].lstrip("0"), (found[2] or "").rstrip("0")
    if len(whole) + len(places) > 29 or len(places) > 28:
        return False
    return int(whole + places or "0") <= _MOST


def _is_short(value: str) -> bool:
    found = _DURATION.fullmatch(value)
    if found is None:
        return True
    if any(part is not None and len(part) > 10 for part in found.groups()):
        return False
    parts = [int(part or 0) for part in found.groups()]
    years, months, days, hours, minutes, seconds = parts
    whole = (((years * 365 + months * 30 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
    return max(parts) <= _MOST_INT and whole <= _MOST_SECONDS


def _is_address(value: str) -> bool:
    """Whether .NET makes a Uri of it, relative or absolute."""
    scheme = _SCHEME.match(value)
    if "##" in value or (scheme is not None and len(scheme[0]) == 2 and value[2:3] not in ("/", "\\")):
        return False  # One letter is a drive.
    authority = None if scheme is None else _AUTHORITY.match(value, scheme.end())
    if scheme is None or authority is None:
        return scheme is None or scheme[0].lower() not in {"http:", "https:", "ftp:"}
    host = authority[1].rpartition("@")[2]
    if not host:
        return scheme[0][:-1].lower() in _WITHOUT_HOST
    found = _HOST.fullmatch(host)
    return found is not None and int(found["port"] or 0) <= 65535


def _too_long(kind: _Kind, value: str) -> bool:
    """Whether the value is too long, or not as long as it has to be, where letters beyond 16 bits count twice."""
    if not kind.lengths or value.isascii() or not any(letter > "\uffff" for letter in value):
        return False
    units = len(utf16_units(value))
    return any(units > most if name == "maxLength" else units != most for name, most in kind.lengths)


def _fits(patterns: tuple[str, ...], value: str, *, looks: bool = False) -> bool:
    """Whether .NET's reading of one of *patterns* takes *value*; where it reads as XSD, unless it *looks*."""
    units = utf16_units(value)
    for pattern in patterns:
        read = dotnet_pattern(pattern)
        if read is None or (read == pattern and units == value and not looks):
            return True
        made = automaton(read)
        if made is None or Matcher(made).match(units):
            return True
    return False
