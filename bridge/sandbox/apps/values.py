"""Values of an app's classes: what .NET reads as which type, from JSON, XML and prefill, and how it writes them."""

import json
import math
import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

_TYPES = {
    "text": "System.String",
    "number": "System.Decimal",
    "integer": "System.Int32",
    "double": "System.Double",
    "boolean": "System.Boolean",
    "datetime": "System.DateTime",
}
ZERO: dict[str, Any] = {
    "number": 0,
    "integer": 0,
    "double": 0.0,
    "boolean": False,
    "datetime": "0001-01-01T00:00:00",
}
"""What a value type is before anybody sets it."""
_MOST = Decimal(2**96 - 1)
_OUT_OF_RANGE = "Value was either too large or too small for a Decimal."
_PLACES = 28
_INTEGERS = range(-(2**31), 2**31)
_QUOTED = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_XML_DECIMAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*", re.ASCII)
_XML_INTEGER = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_NAMED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_XML_NAMED = {"NaN": math.nan, "INF": math.inf, "-INF": -math.inf}
_XML_READ = {**_NAMED, **_XML_NAMED}
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_DAY, _TIME, _ZONE = r"(\d{4}-\d\d-\d\d)", r"T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,16}))?)?", r"(Z|[+-]\d\d:\d\d)?"
_MOMENT = re.compile(rf"{_DAY}(?:{_TIME}{_ZONE})?", re.ASCII)
_XML_MOMENT = re.compile(rf"{_DAY}(?:T(\d\d:\d\d):(\d\d)(?:\.(\d{{1,16}}))?)?{_ZONE}", re.ASCII)
_XML_MONTH = re.compile(r"(\d{4})(-\d\d)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_ESCAPED = frozenset({"Cc", "Cn", "Co", "Zl", "Zp", "Zs"})
_SCIENTIFIC = range(-4, 15)


class NotOfType(ValueError):
    """A value that the type does not take; the message is .NET's, for who shows it."""


def net_type(kind: str, *, nullable: bool) -> str:
    """How .NET calls the type of a member."""
    name = _TYPES[kind]
    return f"System.Nullable`1[{name}]" if nullable and kind != "text" else name


def from_json_number(kind: str, text: str) -> Any:
    """What a number without quotes is to a member. Raises NotOfType."""
    match kind:
        case "number":
            return _decimal(text)
        case "integer":
            return _integer(text)
        case "double":
            return float(text)
    raise NotOfType


def from_json_text(kind: str, text: str) -> Any:
    """What stood in quotes, to a member: numbers may (facts 1.4), truth values may not. Raises NotOfType."""
    match kind:
        case "text":
            return text
        case "datetime":
            return _moment(text, _MOMENT)
        case "double" if text in _NAMED:
            return _NAMED[text]
        case "number" | "integer" | "double" if _QUOTED.fullmatch(text):
            return from_json_number(kind, text)
    raise NotOfType


def from_xml_text(kind: str, text: str) -> Any:
    """What the text of an element or attribute is to a member. Raises NotOfType."""
    match kind:
        case "number":
            return _decimal(_matching(_XML_DECIMAL, text))
        case "integer":
            return _integer(_matching(_XML_INTEGER, text))
        case "double":
            stripped = text.strip()
            return _XML_READ[stripped] if stripped in _XML_READ else float(_matching(_QUOTED, stripped))
        case "boolean":
            if text.strip() not in _TRUTH:
                raise NotOfType(f"The string '{text}' is not a valid Boolean value.")
            return _TRUTH[text.strip()]
        case "datetime":
            stripped = text.strip()
            month = _XML_MONTH.fullmatch(stripped)
            if month is not None:
                stripped = f"{month[1]}{month[2] or '-01'}-01{month[3] or ''}"
            return _moment(stripped, _XML_MOMENT)
    return text


def from_prefill(kind: str, text: str) -> Any:
    """What a query or a register has, to a member. Raises NotOfType."""
    if kind == "boolean":
        return from_xml_text(kind, text.lower())
    return from_xml_text(kind, text.replace(",", "") if kind in ("number", "double") else text)


def as_json_text(value: Any) -> str:
    """
    One value as JSON, decimals digit for digit; of letters it escapes what .NET's most lenient encoder does.

    Raises:
        ValueError: A number that JSON does not have.
    """
    match value:
        case Decimal():
            return format(value, "f")
        case float():
            if not math.isfinite(value):
                raise ValueError("no number of JSON")
            return _double(value)
        case str():
            return f'"{"".join(map(_letter, value))}"'
    return json.dumps(value)


def _letter(each: str) -> str:
    if each in _SHORT:
        return _SHORT[each]
    if each == " " or (each <= "\uffff" and unicodedata.category(each) not in _ESCAPED):
        return each
    units = each.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))


def as_xml_text(value: Any) -> str:
    """One value as XML."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case float():
            named = next((name for name, each in _XML_NAMED.items() if each == value), "NaN")
            return _double(value) if math.isfinite(value) else named
    return str(value)


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise NotOfType(f"The input string '{text}' was not in a correct format.")
    return text.strip()


def _decimal(text: str) -> Any:
    """A decimal: 96 bits and at most 28 places; what is behind them is rounded."""
    value = Decimal(text)
    if not value:
        return value.copy_abs() if "." in text and len(text) < _PLACES else 0
    if value.adjusted() > _PLACES:
        raise NotOfType(_OUT_OF_RANGE)
    if value.adjusted() < -_PLACES - 1:
        return 0
    with localcontext(prec=2 * _PLACES + 4):
        exponent = value.as_tuple().exponent
        places = min(_PLACES, max(0, -exponent)) if isinstance(exponent, int) else 0
        rounded = value.quantize(Decimal(1).scaleb(-places))
        while abs(rounded.scaleb(places)) > _MOST and places:
            places -= 1
            rounded = value.quantize(Decimal(1).scaleb(-places))
        if abs(rounded) > _MOST:
            raise NotOfType(_OUT_OF_RANGE)
        return rounded if isinstance(exponent, int) and exponent < 0 else int(rounded)


def _integer(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise NotOfType(f"The input string '{text}' was not in a correct format.") from None
    if value not in _INTEGERS:
        raise NotOfType("Value was either too large or too small for an Int32.")
    return value


def _moment(text: str, pattern: re.Pattern[str]) -> str:
    """A moment; one with an offset is told in the server's zone, which is UTC."""
    found = pattern.fullmatch(text)
    if found is None:
        raise NotOfType(f"The string '{text}' is not a valid AllXsd value.")
    try:
        day, minute, second, fraction, zone = found.groups()
        written = f"{day}T{minute or '00:00'}:{second or '00'}"
        read = datetime.fromisoformat(written + ("+00:00" if zone in (None, "Z") else zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotOfType(f"The string '{text}' is not a valid AllXsd value.") from None
    rest = (fraction or "")[:7].rstrip("0")
    local = {None: "", "Z": "Z"}.get(zone, "+00:00")
    return f"{read:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + (f".{rest}" if rest else "") + local


def _double(value: float) -> str:
    number = Decimal(repr(value))
    if not number:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if number.adjusted() in _SCIENTIFIC:
        return format(number.normalize(), "f")
    digits = "".join(map(str, number.normalize().as_tuple().digits))
    power = number.adjusted()
    mantissa = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
    return f"{'-' if value < 0 else ''}{mantissa}E{'-' if power < 0 else '+'}{abs(power):02}"
