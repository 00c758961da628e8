"""Kinds of JSON values as Dialogporten's two deserialisers read them into one canonical form (facts 2.3, 14.2)."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import UUID

from bridge.sandbox.dialogporten import uris

_INT32 = range(-(2**31), 2**31)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?:(:\d\d)(?:\.(\d{1,16}))?)?(Z|[+-]\d\d:\d\d)?)?")
_NO_OFFSET = (
    "The JSON value could not be converted to System.DateTimeOffset. Expected explicit offset postfix. For example "
    "'+00:00', '-05:00', 'Z'. Got '{}'."
)


class NotReadable(ValueError):
    """A value of the wrong shape at *path*; *placed* messages end with the path and the place in the body."""

    def __init__(self, path: str, message: str, *, placed: bool = False) -> None:
        super().__init__(message)
        self.path, self.placed = path, placed


class Unfit(ValueError):
    """A value that does not become what a PATCH would put it into."""


class Faulty(Exception):
    """The real one falls over this request: 500, through no fault of its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands; *types* is how the body's own types begin. A *lenient* reader converts, as PATCH's does."""

    types: str
    path: str = "$"
    lenient: bool = False

    def of(self, name: str) -> "Place":
        """The place of a member."""
        return replace(self, path=f"{self.path}.{name}")

    def at(self, index: int) -> "Place":
        """The place of an item."""
        return replace(self, path=f"{self.path}[{index}]")

    def wrong(self, message: str) -> NoReturn:
        """Refuse the value with a message of its own."""
        if self.lenient:
            raise Unfit
        raise NotReadable(self.path, message)

    def unconverted(self, name: str) -> NoReturn:
        """Refuse the value with the usual message."""
        if self.lenient:
            raise Unfit
        raise NotReadable(self.path, f"The JSON value could not be converted to {name}.", placed=True)


class Kind(ABC):
    """One kind of value; *absent* stands for it where it is left out."""

    absent: Any = None

    @abstractmethod
    def read(self, value: Any, place: Place) -> Any:
        """
        The canonical form of a value that is not null.

        Raises:
            NotReadable: It has another shape.
        """

    def null(self, place: Place) -> Any:
        """Refuse null where the member may not be it."""
        if place.lenient:
            return self.absent
        owner, _, name = place.path.rpartition(".")
        del owner
        message = (
            f"The property or field '{name}' on type '{place.types}' doesn't allow setting null values. Consider "
            "updating its nullability annotation."
        )
        raise NotReadable(place.path, message, placed=True)

    def called(self, place: Place) -> str:
        """Name the .NET type."""
        del place
        return "System.Object"


def token(value: Any) -> str:
    """Name the JSON token that a value begins with."""
    match value:
        case None:
            return "Null"
        case bool():
            return str(value)
        case int() | float():
            return "Number"
        case str():
            return "String"
        case list():
            return "StartArray"
        case _:
            return "StartObject"


class Text(Kind):
    """A string."""

    def read(self, value: Any, place: Place) -> str:
        """The text; the lenient reader writes numbers and truth values out."""
        if not isinstance(value, bool | int | float | str if place.lenient else str):
            place.wrong(f"Cannot get the value of a token type '{token(value)}' as a string.")
        return str(value)


class Link(Text):
    """An address, absolute or relative, kept as .NET writes it."""

    def read(self, value: Any, place: Place) -> str:
        """The address in its stored form."""
        text = super().read(value, place)
        if not uris.is_readable(text):
            place.unconverted("System.Uri")
        return uris.stored(text)


class Whole(Kind):
    """A whole number of 32 bits; as a text as well."""

    def read(self, value: Any, place: Place) -> int:
        """The number."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            place.wrong(f"Cannot get the value of a token type '{token(value)}' as a number.")
        if isinstance(value, float) and place.lenient:
            value = round(value)
        if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            value = int(value)
        if not isinstance(value, int) or value not in _INT32:
            place.wrong("Either the JSON value is not in a supported format, or is out of bounds for an Int32.")
        return value


class Flag(Kind):
    """True or false, and no text for it."""

    absent = False

    def read(self, value: Any, place: Place) -> bool:
        """The truth value."""
        if place.lenient and isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        if not isinstance(value, int if place.lenient else bool):
            place.wrong(f"Cannot get the value of a token type '{token(value)}' as a boolean.")
        return bool(value)

    def null(self, place: Place) -> NoReturn:
        """Refuse null, which is no truth value."""
        place.unconverted("System.Boolean")


class Guid(Kind):
    """A UUID in its usual spelling, in any letters."""

    def read(self, value: Any, place: Place) -> str:
        """The id in small letters."""
        if not isinstance(value, str):
            place.wrong(f"Cannot get the value of a token type '{token(value)}' as a string.")
        if not _GUID.fullmatch(value):
            place.wrong("The JSON value is not in a supported Guid format.")
        return str(UUID(value))

    def null(self, place: Place) -> NoReturn:
        """Refuse null."""
        place.unconverted("System.Guid")


class Moment(Kind):
    """A time with an explicit offset."""

    def read(self, value: Any, place: Place) -> str:
        """The moment in UTC, to microseconds."""
        if not isinstance(value, str):
            place.wrong(f"Cannot get the value of a token type '{token(value)}' as a string.")
        found = _MOMENT.fullmatch(value)
        if found is None:
            place.wrong("The JSON value is not in a supported DateTimeOffset format.")
        if found[5] is None and not place.lenient:
            place.wrong(_NO_OFFSET.format(value))
        day, clock, seconds, part, offset = found.groups()
        iso = f"{day}T{clock or '00:00'}{seconds or ':00'}.{(part or '0')[:6]:0<6}{offset or 'Z'}"
        try:
            return moment_text(datetime.fromisoformat(iso))
        except (ValueError, OverflowError):
            place.wrong("The JSON value is not in a supported DateTimeOffset format.")

    def null(self, place: Place) -> NoReturn:
        """Refuse null."""
        place.unconverted("System.DateTimeOffset")


class Choice(Kind):
    """One of several names, in any letters, or its number from 1; a number that none has is kept for the rules."""

    absent = 0

    def __init__(self, dotnet: str, *names: str) -> None:
        self._called = dotnet
        self._known: dict[object, str] = {name.lower(): name for name in names}
        self._known |= dict(enumerate(names, start=1))

    def read(self, value: Any, place: Place) -> str | int:
        """The name."""
        key = value.strip().lower() if isinstance(value, str) else value
        if isinstance(key, str) and re.fullmatch(r"-?\d+", key):
            key = int(key)
        if isinstance(key, bool) or not isinstance(key, str | int):
            place.unconverted(self.called(place))
        if isinstance(key, int):
            return self._known.get(key, key)
        if key not in self._known:
            place.unconverted(self.called(place))
        return self._known[key]

    def null(self, place: Place) -> NoReturn:
        """Refuse null, which is no name."""
        place.unconverted(self.called(place))

    def called(self, place: Place) -> str:
        """Name the .NET type."""
        del place
        return self._called


@dataclass(frozen=True, slots=True)
class Maybe(Kind):
    """A kind whose member may be null, and is where it is left out unless there is an *other* value for that."""

    kind: Kind
    other: Any = None

    @property
    def absent(self) -> Any:
        """Stand for what is left out."""
        return self.other

    def read(self, value: Any, place: Place) -> Any:
        """The canonical form."""
        try:
            return self.kind.read(value, place)
        except NotReadable as error:
            usual = f"The JSON value could not be converted to {self.kind.called(place)}."
            if not isinstance(self.kind, Choice) or error.path != place.path or str(error) != usual:
                raise
            place.unconverted(f"System.Nullable`1[{self.kind.called(place)}]")

    def null(self, place: Place) -> Any:
        """Take null for left out."""
        del place
        return self.other


class Passed(Kind):
    """A member that is passed over where others of its kind have it."""

    def read(self, value: Any, place: Place) -> None:
        """Nothing, whatever is given."""

    def null(self, place: Place) -> None:
        """Nothing, whatever is given."""


@dataclass(frozen=True, slots=True)
class Many(Kind):
    """A list."""

    item: Kind

    @property
    def absent(self) -> Any:
        """The empty list."""
        return []

    def read(self, value: Any, place: Place) -> list[Any]:
        """Every item; the real one falls over null among objects."""
        if not isinstance(value, list):
            place.unconverted(self.called(place))
        found = []
        for index, each in enumerate(value):
            if each is None and isinstance(self.item, Record):
                raise Faulty
            where = place.at(index)
            found.append(self.item.null(where) if each is None else self.item.read(each, where))
        return found

    def called(self, place: Place) -> str:
        """Name the .NET type."""
        return f"System.Collections.Generic.List`1[{self.item.called(place)}]"


@dataclass(frozen=True, slots=True)
class Record(Kind):
    """An object: every known member is there afterwards, whatever its letters were; unknown ones are not."""

    name: str
    members: Mapping[str, Kind]
    places: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {name.lower(): name for name in self.members})

    def read(self, value: Any, place: Place) -> dict[str, Any]:
        """The object; of a member that comes twice the last one counts."""
        if not isinstance(value, dict):
            place.unconverted(self.called(place))
        found = {name: kind.absent for name, kind in self.members.items()}
        for given, each in value.items():
            name = self.places.get(given.lower())
            if name is None:
                continue
            kind, where = self.members[name], place.of(given)
            if each is not None:
                found[name] = kind.read(each, where)
            else:
                found[name] = kind.null(where if place.lenient else replace(where, types=self.called(place)))
        return found

    def called(self, place: Place) -> str:
        """Name the .NET type."""
        return self.name if "." in self.name else f"{place.types}.{self.name}"


def moment_text(moment: datetime) -> str:
    """A time in Dialogporten's words: UTC, microseconds and a seventh digit that is always 0."""
    utc = moment.astimezone(UTC)
    return f"{utc.year:04}-{utc:%m-%dT%H:%M:%S.%f}0Z"


def moment_of(text: str) -> datetime:
    """The moment of a canonical time."""
    return datetime.fromisoformat(text.removesuffix("0Z")).replace(tzinfo=UTC)
