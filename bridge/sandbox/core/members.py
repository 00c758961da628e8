"""What the members of a JSON object are, within which limits; whatever differs is named with its place."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

NAME, TEXT, DOCUMENT = 1000, 100_000, 200_000_000
"""The most characters of a name, of a text that people read, and of a form or a schema."""
BODY = "the body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that is wrong with a request, and where: ``forms[0].xml``, or the body as a whole."""

    place: str
    words: str

    def __str__(self) -> str:
        return f"{self.place} {self.words}"


class BadRequest(ValueError):
    """What was asked for makes no sense; *wrong* says why, all of it at once."""

    def __init__(self, *wrong: Wrong) -> None:
        super().__init__("; ".join(map(str, wrong)))
        self.wrong = wrong


def bad(place: str, words: str) -> BadRequest:
    """A refusal for one reason."""
    return BadRequest(Wrong(place=place, words=words))


class Kind(Protocol):
    """What a value may be."""

    @property
    def words(self) -> str:
        """The kind in words: what the value must be."""

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """*value* as the sandbox has it; what differs is appended to *wrong*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text, of one character or more unless it may be *empty*, that *fits*."""

    words: str = "a text"
    longest: int = NAME
    empty: bool = False
    fits: Callable[[str], object] | None = None

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """*value* itself."""
        if not isinstance(value, str):
            wrong.append(must_be(self.words, place))
        elif not value and not self.empty:
            wrong.append(must_be(f"{self.words}, and not empty", place))
        elif len(value) > self.longest:
            wrong.append(Wrong(place=place, words=f"has {len(value)} characters, at most {self.longest} are taken"))
        elif "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            wrong.append(Wrong(place=place, words="has a character that no text can have"))
        elif self.fits is not None and not self.fits(value):
            wrong.append(must_be(self.words, place))
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number."""

    low: int
    high: int
    of: str = ""

    @property
    def words(self) -> str:
        """The kind in words."""
        return f"a whole number{self.of} from {self.low} to {self.high}"

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """*value* itself."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            wrong.append(must_be(self.words, place))
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number with or without decimals."""

    low: float
    high: float
    of: str = ""

    @property
    def words(self) -> str:
        """The kind in words."""
        return f"a number{self.of} from {self.low:g} to {self.high:g}"

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """*value* itself."""
        right = isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        if not right or not math.isfinite(value):
            wrong.append(must_be(self.words, place))
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """True or false."""

    words: str = "true or false"

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """*value* itself."""
        if not isinstance(value, bool):
            wrong.append(must_be(self.words, place))
        return value


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some texts."""

    allowed: Sequence[str]

    @property
    def words(self) -> str:
        """The kind in words."""
        return f"one of {', '.join(self.allowed)}"

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """*value* itself."""
        if not isinstance(value, str) or value not in self.allowed:
            wrong.append(must_be(self.words, place))
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Anything:
    """Any JSON: what is made of it may be wrong on purpose."""

    words: str = "JSON"

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """*value* itself."""
        del place, wrong
        return value


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items are all of one kind."""

    item: Kind
    words: str = "a list of texts"
    empty: bool = True
    most: int = 10_000

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """The items as their kind reads them."""
        if not isinstance(value, list):
            wrong.append(must_be(self.words, place))
            return value
        if len(value) > self.most or not (value or self.empty):
            bound = f"at most {self.most}" if value else "at least one"
            wrong.append(must_be(f"{self.words}, {bound} of them", place))
        return [self.item.read(each, f"{place}[{number}]", wrong) for number, each in enumerate(value)]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object whose members have any name, and all the same kind."""

    member: Kind
    words: str = "an object"
    most: int = 1000
    name: Text = Text(words="a name")

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """The members as their kind reads them."""
        if not isinstance(value, dict):
            wrong.append(must_be(self.words, place))
            return value
        if len(value) > self.most:
            wrong.append(Wrong(place=place, words=f"has {len(value)} members, at most {self.most} are taken"))
        for name in value:
            self.name.read(name, inside(place, name), wrong)
        return {name: self.member.read(each, inside(place, name), wrong) for name, each in value.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """One of two kinds; what is wrong is told of the one that *value* is nearer to."""

    first: Kind
    second: Kind

    @property
    def words(self) -> str:
        """Both kinds in words."""
        return f"{self.first.words}, or {self.second.words}"

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """*value* as the kind reads it that takes it."""
        found: list[list[Wrong]] = []
        for kind in (self.first, self.second):
            own: list[Wrong] = []
            read = kind.read(value, place, own)
            if not own:
                return read
            found.append(own)
        deeper = next((own for own in found if any(each.place != place for each in own)), None)
        wrong.extend(deeper or [must_be(self.words, place)])
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """
    An object whose members are known; a null stands for a member that is left out, except where it is among *nulls*.

    *also* are other words for a member: who has written a mapping needs no second set of words.
    """

    members: Mapping[str, Kind]
    required: Sequence[str] = ()
    nulls: Sequence[str] = ()
    also: Mapping[str, str] = field(default_factory=dict)
    words: str = "an object"
    empty: bool = True

    def read(self, value: Any, place: str, wrong: list[Wrong]) -> Any:
        """The members that are there, by the names that the documentation has."""
        if not isinstance(value, dict):
            wrong.append(must_be(self.words, place))
            return {}
        if not value and not self.empty:
            wrong.append(must_be(f"{self.words}, and not empty: {self._known()}", place))
        found: dict[str, Any] = {}
        unknown = [inside(place, said) for said in value if self.also.get(said, said) not in self.members]
        # What there is need be said once.
        wrong.extend(
            Wrong(place=at, words="is unknown" if n else f"is unknown: {self._known()}") for n, at in enumerate(unknown)
        )
        for said, each in value.items():
            name, at = self.also.get(said, said), inside(place, said)
            kind = self.members.get(name)
            if kind is None:
                continue
            if said != name and name in value:
                wrong.append(Wrong(place=f"{inside(place, name)} and {at}", words="are the same: say one"))
            elif each is not None or name in self.nulls:
                found[name] = None if each is None else kind.read(each, at, wrong)
        missing = [each for each in self.required if each not in found and not self._said(each, value)]
        wrong.extend(
            Wrong(place=inside(place, each), words=f"is missing: {self.members[each].words}") for each in missing
        )
        return found

    def _known(self) -> str:
        return f"there is {', '.join(self.members)}" if self.members else "there are no members here"

    def _said(self, name: str, value: Mapping[str, Any]) -> bool:
        return any(self.also.get(said, said) == name and each is not None for said, each in value.items())


def read(kind: Kind, value: Any) -> Any:
    """
    *value* as *kind* has it.

    Raises:
        BadRequest: It is something else, or a member of it is.
    """
    wrong: list[Wrong] = []
    found = kind.read(value, BODY, wrong)
    if wrong:
        raise BadRequest(*wrong)
    return found


def parsed(body: bytes) -> Any:
    """
    The value that *body* is in JSON.

    Raises:
        BadRequest: It is no JSON in UTF-8, or says a member twice.
    """
    if not body.strip():
        raise bad(BODY, "is empty: JSON is wanted")
    try:
        return json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise bad(BODY, f"is no UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise bad(BODY, f"is no JSON at line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise bad(BODY, "has objects or lists within each other deeper than anybody needs") from error
    except BadRequest:
        raise
    except ValueError as error:
        raise bad(BODY, "has a number with more digits than anybody needs") from error


def must_be(words: str, place: str) -> Wrong:
    """What is wrong with a value that is of another kind."""
    return Wrong(place=place, words=f"must be {words}")


def inside(place: str, name: str) -> str:
    """The place of a member; the body itself is left out of it."""
    shown = name if name.isprintable() and name else json.dumps(name)
    return shown if place == BODY else f"{place}.{shown}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise bad(next(each for each in names if names.count(each) > 1), "is said twice in one object")
    return found


def _no_number(text: str) -> NoReturn:
    raise bad(BODY, f"has {text}, which is no number in JSON")
