"""Hostile or broken JSON stops here: what passes is one value in UTF-8, without doubled names, of bounded size."""

import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn

import orjson

from bridge.core.errors import Finding
from bridge.core.ids import pointer
from bridge.forms.xml.input import Limits, Unreadable

_LONE = re.compile(r"\\u[dD][89a-fA-F]")
_TOKEN = re.compile(r'[{}\[\],]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}\[\],:"]+', re.DOTALL)
# Digits and full stops become 0, the letter of an exponent e.
_NUMBERS = bytes(
    ord("0") if chr(code) in "0123456789." else ord("e") if chr(code) in "eE" else ord(" ") for code in range(256)
)
_LONG = b"0" * 17
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
MOST_OF_AN_OBJECT = 10_000
"""An object may have so many members: whoever finds fault with one of them looks at all."""
Json = object
"""What ``json`` gives: whoever uses a value looks at its type first."""


class _Unsure(Enum):
    UNSURE = "unsure"


UNSURE = _Unsure.UNSURE
"""What quick reading gives for what only thorough reading can judge."""


class Number(str):
    """A JSON number as it was written: ``1.10`` stays ``1.10``, and twenty-three digits stay twenty-three."""

    __slots__ = ()


def read_values(data: bytes | str, limits: Limits) -> Json:
    """
    The JSON value with numbers as ``int`` and ``Decimal``, so that none loses a digit.

    Raises:
        Unreadable: No JSON that we take; its finding says why, and where.
    """
    return _read(text_of(data, limits), limits, int, fraction=_decimal)


def read_exact(data: bytes | str, limits: Limits) -> Json:
    """The JSON value with numbers as they were written (``Number``). Raises Unreadable."""
    return _read(text_of(data, limits), limits, Number, fraction=_number)


def read_small(data: bytes | str, limits: Limits, *, most: int) -> Json:
    """
    The JSON value of at most *most* members in all its objects, with numbers as ``int`` and ``Decimal``.

    Memory is bound while it is read, since the smallest object takes two bytes here and hundreds once it is read.

    Raises:
        Unreadable: No JSON that we take, or more of it.
    """
    left = most

    def counted(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal left
        # An empty object counts as well.
        left -= len(pairs) + 1
        if left < 0:
            raise Unreadable("too_complex")
        return _members(pairs)

    return _read(text_of(data, limits), limits, int, fraction=_decimal, members=counted)


def read_quickly(data: bytes | str, limits: Limits) -> Json:
    """
    The JSON value at the speed of orjson, or ``UNSURE`` where ``read_values`` must look.

    It is what ``read_values`` would return, but for fractions: they are floats, and of at most fifteen
    digits, so that comparing them comes out the same.
    """
    try:
        data = data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError:
        return UNSURE
    if len(data) > limits.max_bytes or (b"\\" in data and b"\\u" in data):
        return UNSURE
    if len(data) > limits.max_markup < data.count(b",") + data.count(b"{") + data.count(b"["):
        return UNSURE
    numbers = data.translate(_NUMBERS)
    if _LONG in numbers or b"0e" in numbers:
        return UNSURE
    try:
        value = orjson.loads(data)
        colons = orjson.dumps(value).count(b":")
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # The latter: it reads deeper than it writes.
        return UNSURE
    # Of members with one name all but the last are gone, and their colons with them.
    if data.count(b":") != colons:
        return UNSURE
    containers = data.count(b"{") + data.count(b"[")
    return UNSURE if containers > limits.max_depth and _too_deep(value, limits.max_depth, containers) else value


def text_of(data: bytes | str, limits: Limits) -> str:
    """
    Decode *data* as UTF-8 (Altinn 3 reads JSON as nothing else) and bound its size.

    Raises:
        Unreadable: Empty, too large, or in another encoding; a byte order mark is not JSON (RFC 8259, 8.1).
    """
    if len(data) > limits.max_bytes:
        raise Unreadable("too_large", max_bytes=str(limits.max_bytes))
    if isinstance(data, str):
        text = data
    else:
        if data.startswith(_MARKS[1:]) or b"\x00" in data[:4]:
            raise Unreadable("encoding")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise Unreadable("encoding") from error
    if text.startswith("\ufeff"):
        raise Unreadable("byte_order_mark")
    if not text.strip():
        raise Unreadable("empty_document")
    if len(text) > limits.max_markup < text.count(",") + text.count("{") + text.count("["):
        raise Unreadable("too_complex")
    return text


def placed(findings: Collection[tuple[tuple[str | int, ...], Finding]], text: str) -> tuple[Finding, ...]:
    """Each finding with the line and column of its steps in *text*, or of what would have held a missing member."""
    wanted = {steps[:end] for steps, _ in findings for end in range(len(steps) + 1)}
    offsets = _offsets(text, wanted)
    result = []
    for steps, finding in findings:
        near = next((steps[:end] for end in range(len(steps), 0, -1) if steps[:end] in offsets), ())
        line, column = _line_column(text, offsets.get(near, 0))
        result.append(replace(finding, line=line, column=column))
    return tuple(result)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(pairs) > MOST_OF_AN_OBJECT:
        raise Unreadable("too_complex")
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unreadable("duplicate_member")
    return members


def _read(
    text: str,
    limits: Limits,
    whole: Callable[[str], object],
    *,
    fraction: Callable[[str], object],
    members: Callable[[list[tuple[str, object]]], dict[str, object]] = _members,
) -> Json:
    try:
        value = json.loads(
            text, parse_int=whole, parse_float=fraction, parse_constant=_constant, object_pairs_hook=members
        )
    except json.JSONDecodeError as error:
        raise Unreadable("not_json", line=error.lineno, column=error.colno) from None  # Its text holds the form.
    except RecursionError:
        raise Unreadable("too_complex") from None
    except Unreadable as unreadable:
        if unreadable.finding.rule == "duplicate_member":
            unreadable.finding = _first_double(text)
        raise
    except ValueError:
        raise Unreadable("number_range") from None  # More digits than Python reads.
    containers = text.count("{") + text.count("[")
    if containers > limits.max_depth and _too_deep(value, limits.max_depth, containers):
        raise Unreadable("too_complex")
    if _LONE.search(text):
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            raise Unreadable("lone_surrogate") from None
    return value


def _decimal(text: str) -> Decimal:
    return Decimal(_number(text))


def _number(text: str) -> Number:
    # What receivers would read as infinity is refused, and what they would read as zero: it is lost on the way.
    if len(text) > 300 or "e" in text or "E" in text:
        near = float(text)
        if math.isinf(near) or (near == 0 and text.lower().partition("e")[0].strip("-0.")):
            raise Unreadable("number_range")
    return Number(text)


def _constant(_name: str) -> NoReturn:
    raise Unreadable("not_a_number")


def _too_deep(value: Json, most: int, containers: int) -> bool:
    """Whether *value*, with at most so many *containers*, has more than *most* of them inside each other."""
    level: list[Any] = [value]
    for depth in range(most):
        containers -= len(level)
        if depth + containers < most:
            return False
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _first_double(text: str) -> Finding:
    for steps, offset, double in _names(text):
        if double:
            line, column = _line_column(text, offset)
            return Finding(path=pointer(steps()), rule="duplicate_member", line=line, column=column)
    return Finding(path="/", rule="duplicate_member")


def _offsets(text: str, wanted: Collection[tuple[str | int, ...]]) -> Mapping[tuple[str | int, ...], int]:
    """The offset at which each of *wanted* begins, as far as it is there."""
    last = {steps[-1] for steps in wanted if steps}
    found: dict[tuple[str | int, ...], int] = {}
    for steps, offset, _ in _names(text, last):
        place = steps()
        if place in wanted:
            found.setdefault(place, offset)
    return found


def _names(
    text: str, only: Collection[str | int] | None = None
) -> Iterator[tuple[Callable[[], tuple[str | int, ...]], int, bool]]:
    """Walk over every member name and list item of well-formed *text*: its steps, its offset, if it is a double."""
    frames: list[tuple[set[str] | None, list[str | int]]] = []
    name_next = False
    for match in _TOKEN.finditer(text):
        part = match[0]
        if part in {"}", "]"}:
            if not frames:
                return
            frames.pop()
            name_next = False
        elif part == ",":
            if not frames:
                return
            seen, step = frames[-1]
            name_next = seen is not None
            if isinstance(step[0], int):
                step[0] += 1
        elif name_next:
            seen, step = frames[-1]
            name_next = False
            step[0] = json.loads(part) if "\\" in part else part[1:-1]
            double = seen is not None and step[0] in seen
            if seen is not None:
                seen.add(str(step[0]))
            if only is None or step[0] in only:
                yield (lambda: tuple(step[0] for _, step in frames)), match.start(), double
        else:
            if frames and frames[-1][0] is None and (only is None or frames[-1][1][0] in only):
                yield (lambda: tuple(step[0] for _, step in frames)), match.start(), False
            if part == "{":
                frames.append((set(), [""]))
                name_next = True
            elif part == "[":
                frames.append((None, [0]))


def _line_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
