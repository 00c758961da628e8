"""The part of OData 3 that Altinn 2's lists take, with the words of its faults (facts/altinn2.md 2.3)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

_T = TypeVar("_T")
_Test = Callable[[Mapping[str, Any]], Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<moment>datetime'(?P<iso>[^']*)')|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?[LlMmDdFf]?)"
    r"|(?P<word>[A-Za-z_][\w/]*)|(?P<sign>[(),]))",
    re.IGNORECASE,
)
_COMPARED = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
_EDM = {str: "Edm.String", int: "Edm.Int32", float: "Edm.Double", datetime: "Edm.DateTime", bool: "Edm.Boolean"}
_FUNCTIONS: Mapping[str, tuple[int, type]] = {
    "substringof": (2, bool),
    "startswith": (2, bool),
    "endswith": (2, bool),
    "tolower": (1, str),
    "toupper": (1, str),
    "trim": (1, str),
    "length": (1, int),
}


class BadQuery(ValueError):
    """An option is not OData; the message is OData's."""


@dataclass(frozen=True, slots=True)
class _Value:
    """Something that a row gives, and its type; None fits all."""

    get: _Test
    kind: type | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a list is asked for. *filters* is None where everything is wanted."""

    filters: _Test | None
    order: tuple[tuple[str, bool], ...]
    skip: int
    top: int

    def page(self, items: Sequence[_T], row: Callable[[_T], Mapping[str, Any]]) -> list[_T]:
        """The page of *items*, in the order asked for; *row* gives what the options see of one."""
        found = [each for each in items if self.filters is None or self.filters(row(each))]
        for name, descending in reversed(self.order):
            found.sort(key=lambda each: _sortable(row(each).get(name)), reverse=descending)
        return found[self.skip : self.skip + self.top]


def read_query(
    options: Mapping[str, str], *, properties: Mapping[str, type], type_name: str, page: int, most: int | None = None
) -> Query:
    """
    What a query asks by ``$filter``, ``$orderby``, ``$top`` and ``$skip``.

    A *page* bounds what is given at once, *most* what may be asked for.

    Raises:
        BadQuery: One of them is wrong.
    """
    top = _count(options, "$top", page)
    if most is not None and top > most:
        raise BadQuery(
            f"The limit of '{most}' for Top query has been exceeded. The value from the incoming request is '{top}'"
        )
    given = options.get("$filter")
    test = None
    if given is not None and given.strip():
        value = _Parser(given, properties, type_name).whole()
        test = value.get
    return Query(
        filters=test,
        order=tuple(_order(options.get("$orderby", ""), properties, type_name)),
        skip=_count(options, "$skip", 0),
        top=min(top, page),
    )


def _count(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name, str(default))
    if not (text.isascii() and text.isdecimal()):
        raise BadQuery(
            f"Invalid value '{text[:64]}' for {name} query option found. "
            f"The {name} query option requires a non-negative integer value."
        )
    return int(text)


def _order(text: str, properties: Mapping[str, type], type_name: str) -> list[tuple[str, bool]]:
    found = []
    for each in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = each.partition(" ")
        if name not in properties:
            _unknown(name, type_name)
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise BadQuery(f"Syntax error at position {len(name) + 1 + len(direction)} in '{each}'")
        found.append((name, direction.strip().lower() == "desc"))
    return found


class _Parser:
    """Reads one filter, the weakest word first: or, and, not, comparison."""

    def __init__(self, text: str, properties: Mapping[str, type], type_name: str) -> None:
        self._text, self._properties, self._type_name = text, properties, type_name
        self._place = 0
        self._token: re.Match[str] | None = None
        self._next()

    def whole(self) -> _Value:
        found = self._either()
        if self._token is not None:
            self._fault()
        if found.kind is not bool and found.kind is not None:
            raise BadQuery("The $filter expression must evaluate to a single boolean value.")
        return found

    def _either(self) -> _Value:
        found = self._both()
        while self._word("or"):
            found = _joined(found, self._both(), both=False)
        return found

    def _both(self) -> _Value:
        found = self._one()
        while self._word("and"):
            found = _joined(found, self._one(), both=True)
        return found

    def _one(self) -> _Value:
        if self._word("not"):
            inner = self._one()
            return _Value(lambda row: not inner.get(row), bool)
        left = self._operand()
        for name in _COMPARED:
            if self._word(name):
                return _comparison(left, name, self._operand())
        return left

    def _operand(self) -> _Value:
        token = self._token
        if token is None:
            self._fault()
        self._next()
        if token["moment"] is not None:
            return _constant(_moment(token["iso"], self._text))
        if token["text"] is not None:
            return _constant(token["text"][1:-1].replace("''", "'"))
        if token["number"] is not None:
            digits = token["number"].rstrip("LlMmDdFf")
            return _constant(float(digits) if "." in digits else int(digits))
        if token["word"] is not None:
            return self._named(token["word"])
        if token["sign"] != "(":
            raise BadQuery(f"Syntax error at position {token.end()} in '{self._text}'")
        inner = self._either()
        self._sign(")")
        return inner

    def _named(self, word: str) -> _Value:
        if word in ("true", "false"):
            return _constant(word == "true")
        if word == "null":
            return _Value(lambda _: None, None)
        if self._token is not None and self._token["sign"] == "(":
            return self._function(word)
        kind = self._properties.get(word)
        if kind is None:
            _unknown(word, self._type_name)
        return _Value(lambda row: row.get(word), kind)

    def _function(self, name: str) -> _Value:
        if name not in _FUNCTIONS:
            raise BadQuery(f"An unknown function with name '{name}' was found.")
        count, kind = _FUNCTIONS[name]
        self._sign("(")
        given = [self._either()]
        while self._token is not None and self._token["sign"] == ",":
            self._next()
            given.append(self._either())
        self._sign(")")
        if len(given) != count or any(each.kind not in (str, None) for each in given):
            raise BadQuery(
                f"No function signature for the function with name '{name}' matches the specified arguments."
            )
        return _Value(lambda row: _called(name, [str(each.get(row) or "") for each in given]), kind)

    def _word(self, word: str) -> bool:
        if self._token is None or self._token["word"] != word:
            return False
        self._next()
        return True

    def _sign(self, sign: str) -> None:
        if self._token is None or self._token["sign"] != sign:
            self._fault()
        self._next()

    def _next(self) -> None:
        rest = self._text[self._place :]
        if not rest.strip():
            self._token = None
            return
        self._token = _TOKEN.match(self._text, self._place)
        if self._token is None:
            place = len(self._text) - len(rest.lstrip())
            raise BadQuery(f"Syntax error: character '{self._text[place]}' is not valid at position {place}")
        self._place = self._token.end()

    def _fault(self) -> NoReturn:
        # OData names the place where its reader stands, which is behind the word that it could not use.
        raise BadQuery(f"Syntax error at position {self._place} in '{self._text}'")


def _constant(value: Any) -> _Value:
    return _Value(lambda _: value, type(value))


def _joined(left: _Value, right: _Value, *, both: bool) -> _Value:
    name = "And" if both else "Or"
    for each in (left, right):
        if each.kind is not bool and each.kind is not None:
            _mismatch(left, right, name)
    if both:
        return _Value(lambda row: bool(left.get(row)) and bool(right.get(row)), bool)
    return _Value(lambda row: bool(left.get(row)) or bool(right.get(row)), bool)


def _comparison(left: _Value, name: str, right: _Value) -> _Value:
    numbers = {int, float}
    kinds = {left.kind, right.kind} - {None}
    if len(kinds) > 1 and not kinds <= numbers:
        _mismatch(left, right, _COMPARED[name])
    return _Value(lambda row: _compare(left.get(row), name, right.get(row)), bool)


def _compare(left: Any, name: str, right: Any) -> bool:
    if name in ("eq", "ne"):
        return bool(left == right) == (name == "eq")
    if left is None or right is None:
        return False
    if left == right:
        return name in ("ge", "le")
    return bool(left > right) == (name in ("gt", "ge"))


def _called(name: str, given: Sequence[str]) -> Any:
    match name:
        case "substringof":
            # The part comes first in OData 3.
            return given[0] in given[1]
        case "startswith":
            return given[0].startswith(given[1])
        case "endswith":
            return given[0].endswith(given[1])
        case "tolower":
            return given[0].lower()
        case "toupper":
            return given[0].upper()
        case "trim":
            return given[0].strip()
        case _:
            return len(given[0])


def _moment(text: str, whole: str) -> datetime:
    main, _, fraction = text.partition(".")
    try:
        found = datetime.fromisoformat(f"{main}.{fraction[:6]:0<6}" if fraction.isdecimal() else main)
    except ValueError:
        raise BadQuery(f"Unrecognized 'Edm.DateTime' literal 'datetime'{text}'' at '0' in '{whole}'.") from None
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)


def _mismatch(left: _Value, right: _Value, name: str) -> NoReturn:
    kinds = [_EDM.get(each.kind, "Edm.String") if each.kind else "<null>" for each in (left, right)]
    raise BadQuery(
        "A binary operator with incompatible types was detected. "
        f"Found operand types '{kinds[0]}' and '{kinds[1]}' for operator kind '{name}'."
    )


def _unknown(name: str, type_name: str) -> NoReturn:
    raise BadQuery(f"Could not find property named '{name}' on type '{type_name}'")


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, value if value is not None else 0
