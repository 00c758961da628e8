"""How .NET binds what stands beside a body: names in any letters, UUIDs, numbers, truth values and dates as texts."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Request

from bridge.sandbox.dialogporten.kinds import moment_text

_GUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}(?:\1[0-9a-fA-F]{4}){2}\1[0-9a-fA-F]{12}")
_OFFSET = r"(?:\s*(Z|[+-]\d\d?(?::?\d\d)?))?"
_CLOCK = r"(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?"
# Year first, or month first as the invariant culture has it.
_DATES = (
    re.compile(rf"(?P<y>\d{{4}})[-/](?P<m>\d\d?)[-/](?P<d>\d\d?)(?:(?:T|\s+){_CLOCK})?{_OFFSET}"),
    re.compile(rf"(?P<m>\d\d?)[-/](?P<d>\d\d?)[-/](?P<y>\d{{4}})(?:(?:T|\s+){_CLOCK})?{_OFFSET}"),
)


class Query:
    """The parameters of a request by name, whatever letters a name is written in."""

    def __init__(self, given: Mapping[str, Sequence[str]]) -> None:
        self._given: dict[str, list[str]] = {}
        for name, values in given.items():
            self._given.setdefault(name.lower(), []).extend(values)

    @classmethod
    def of(cls, request: Request) -> "Query":
        """The query of a request, with all its repetitions."""
        return cls({name: request.args.getlist(name) for name in request.args})

    def many(self, name: str) -> Sequence[str]:
        """Every value."""
        return self._given.get(name.lower(), ())

    def one(self, name: str) -> str | None:
        """The value; of a parameter that comes twice the values joined by a comma."""
        values = self.many(name)
        return ",".join(values) if values else None


def guid(text: str) -> str:
    """
    A UUID from its text: with hyphens or without, in braces or not.

    Raises:
        ValueError: It is none.
    """
    bare = text.strip()
    if (bare[:1], bare[-1:]) in (("{", "}"), ("(", ")")):
        bare = bare[1:-1]
        if "-" not in bare:
            raise ValueError(text)
    if not _GUID.fullmatch(bare):
        raise ValueError(text)
    return str(UUID(bare))


def truth(text: str) -> bool:
    """
    True or false, in whatever letters.

    Raises:
        ValueError: It is neither.
    """
    word = text.strip().lower()
    if word not in ("true", "false"):
        raise ValueError(text)
    return word == "true"


def whole(text: str) -> int:
    """
    A number of 32 bits from its text.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(r"\s*[+-]?\d{1,10}\s*", text) or not -(2**31) <= int(text) < 2**31:
        raise ValueError(text)
    return int(text)


def moment(text: str) -> str:
    """
    A date from its text, as .NET's invariant culture does, UTC where it has no offset.

    Raises:
        ValueError: It is none.
    """
    text = text.strip()
    for form in _DATES:
        found = form.fullmatch(text)
        if found is not None:
            return _moment(found)
    if re.match(r"[A-Z][a-z]{2}, \d", text):
        return moment_text(parsedate_to_datetime(text).replace(tzinfo=UTC))
    raise ValueError(text)


def _moment(found: re.Match[str]) -> str:
    hour, minute, second, part, offset = found.groups()[3:]
    zone: timezone = UTC
    if offset not in (None, "Z"):
        hours, minutes = int(offset[1:3].rstrip(":")), int(offset[-2:]) if len(offset) > 3 else 0
        away = timedelta(hours=hours, minutes=minutes)
        zone = timezone(-away if offset[0] == "-" else away)
    try:
        year, month, day = (int(found[name]) for name in "ymd")
        at, past, exactly = (int(each or 0) for each in (hour, minute, second))
        read = datetime(year, month, day, at, past, exactly, int(f"{(part or '0')[:6]:0<6}"), tzinfo=zone)
        return moment_text(read)
    except OverflowError as error:
        raise ValueError(str(error)) from error


class Bound:
    """Collects what was bound and what could not be, in the words of one of Dialogporten's two frameworks."""

    def __init__(self, *, patching: bool, errors: Mapping[str, list[str]] | None = None) -> None:
        self._patching = patching
        self.errors: dict[str, list[str]] = dict(errors or {})

    def route(self, name: str, text: str) -> str:
        """Bind a UUID of the path."""
        return str(self._read(name, text, guid, message=f"Value [{text}] is not valid for a [Guid] property!"))

    def if_match(self, request: Request) -> str | None:
        """Bind the revision that a write is for; an empty one is none."""
        text = request.headers.get("If-Match")
        if not text:
            return None
        message = f"Unable to bind header value [{text}] to a [Nullable`1] property!"
        return self._read("If-Match", text, guid, message=message) or None

    def silent(self, query: Query) -> bool:
        """Bind the hidden parameter of writes."""
        text = query.one("isSilentUpdate")
        if text is None or (self._patching and not text):
            return False
        message = f"Value [{text}] is not valid for a [Boolean] property!"
        return bool(self._read("isSilentUpdate", text, truth, message=message))

    def _read(self, name: str, text: str, reader: Callable[[str], Any], *, message: str) -> Any:
        try:
            return reader(text)
        except ValueError:
            if self._patching:
                message = f"The value '{text}' is not valid."
            self.errors.setdefault(name, []).append(message)
            return ""
