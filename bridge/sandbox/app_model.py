"""Form models as Altinn 3's serialisers see them: the known is kept, in order; the rest vanishes (facts 1.4, 1.5)."""

import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, cast
from uuid import UUID

from lxml import etree

Model = dict[str, Any]
ROW_ID = "altinnRowId"
_NO_ROW = str(UUID(int=0))
_STRING_OR_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSD = "http://www.w3.org/2001/XMLSchema"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotReadable(ValueError):
    """The body is no instance of the model; the message is as the app words it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    One member of a model's class: *kind* is ``text``, ``number``, ``boolean`` or ``group`` (with *members*).

    *fixed* presets an attribute, as generated classes do; *content* is the text of an element that has attributes, and
    a *nillable* null is written as ``xsi:nil``. So is that of every number and truth value, whether its schema allows
    it or not (facts 1.11), unless its class has a ``ShouldSerialize`` for it: *left_out*.
    """

    name: str
    kind: str = "text"
    many: bool = False
    attribute: bool = False
    fixed: str | None = None
    content: bool = False
    nillable: bool = False
    left_out: bool = False
    members: tuple["Member", ...] = ()

    @property
    def nil_if_null(self) -> bool:
        """Whether .NET writes its null as ``xsi:nil``: a text or group that is null is nothing at all."""
        return self.nillable or (self.kind in ("number", "boolean") and not self.left_out)


def empty(members: Sequence[Member]) -> Model:
    """Make a new object: lists are empty, the rest is null or preset."""
    return {each.name: [] if each.many else _scalar(each, each.fixed, "$") for each in members}


def from_json(body: bytes, members: Sequence[Member], class_name: str, *, lenient: bool = False) -> Model | None:
    """
    Read JSON: names in any case, unknown members dropped, quoted numbers taken. None for JSON null.

    *lenient* forgives commas before a closing bracket, as Newtonsoft does (before 8.0).

    Raises:
        NotReadable: It is not JSON, or a value has the wrong type.
    """
    try:
        text = _text(body)
        if lenient:
            text = _STRING_OR_COMMA.sub(lambda found: found[1] or "", text)
        value = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise NotReadable(_json_message(class_name, "$")) from error
    if value is None:
        return None
    return _object(value, members, "$", class_name)


def from_xml(body: bytes, root: str, members: Sequence[Member], namespace: str = "") -> Model:
    """
    Read XML: an unknown or misplaced element is dropped in silence with all that follows it (facts 1.11).

    The root is looked for in *namespace*, and then in none.

    Raises:
        NotReadable: Not well-formed, another root element, or a value of the wrong type.
    """
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
    try:
        element = etree.fromstring(_text(body).encode(), parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise NotReadable(f"There is an error in XML document ({line}, {column}). Data is invalid.") from error
    name, space = etree.QName(element).localname, etree.QName(element).namespace or ""
    if name != root or space not in (namespace, ""):
        raise NotReadable(f"There is an error in XML document (1, 2). <{name} xmlns='{space}'> was not expected.")
    return _from_element(element, members, space)


def to_json(value: Any) -> str:
    """Write JSON with nulls, letters unescaped, and decimals digit for digit."""
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{to_json(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ",".join(map(to_json, value)) + "]"
        case Decimal():
            return format(value, "f")
        case _:
            return json.dumps(value, ensure_ascii=False)


def to_xml(model: Model, root: str, members: Sequence[Member], namespace: str = "") -> bytes:
    """Write XML without a declaration; null members are left out or nil, as .NET has it."""
    names: dict[str | None, str] = {"xsi": _XSI, "xsd": _XSD, **({None: namespace} if namespace else {})}
    element = etree.Element(_tag(namespace, root), nsmap=cast("dict[str, str]", names))
    _fill(element, model, members, namespace)
    return etree.tostring(element, encoding="utf-8", xml_declaration=False)


def with_row_ids(model: Model, members: Sequence[Member], new_id: Callable[[], UUID]) -> Model:
    """Give every list row that has none an ``altinnRowId``; the others keep theirs."""
    for member in members:
        if member.kind != "group" or model.get(member.name) is None:
            continue
        rows: list[Any] = model[member.name] if member.many else [model[member.name]]
        for index, row in enumerate(rows):
            if row is None:
                continue
            if member.many and ROW_ID not in row:
                row = rows[index] = {ROW_ID: str(new_id()), **row}
            with_row_ids(row, member.members, new_id)
    return model


def fill_empty(
    model: Model, members: Sequence[Member], values: Mapping[str, str], *, overwrite: bool = False
) -> list[str]:
    """
    Put *values* (by path with dots, in any case, hyphens left out) into members that are null; gives unknown paths.

    Raises:
        NotReadable: A value does not fit its member.
    """
    return [path for path, value in values.items() if not _put(model, members, path.split("."), value, overwrite)]


def _put(model: Model, members: Sequence[Member], path: Sequence[str], value: str, overwrite: bool) -> bool:
    wanted = path[0].lower()
    member = next((each for each in members if each.name.replace("-", "").lower() == wanted), None)
    if member is None or member.many or (member.kind == "group") != (len(path) > 1):
        return False
    if member.kind == "group":
        inner = model.get(member.name)
        inner = empty(member.members) if inner is None else inner
        known = _put(inner, member.members, path[1:], value, overwrite)
        if known:
            model[member.name] = inner
        return known
    if model.get(member.name) is None or overwrite:
        model[member.name] = _scalar(member, value, "$")
    return True


def _text(body: bytes) -> str:
    """Decode as UTF-8 unless a byte order mark says otherwise; what the type or the declaration say does not count."""
    encoding = "utf-16" if body.startswith(_UTF16_MARKS) else "utf-8-sig"
    return body.decode(encoding, errors="replace")


def _tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _object(value: Any, members: Sequence[Member], path: str, class_name: str) -> Model:
    if not isinstance(value, dict):
        raise NotReadable(_json_message(class_name, path))
    given = {key.lower(): each for key, each in value.items()}
    model = {**_row_id(given.get(ROW_ID.lower()), path), **empty(members)}
    for member in members:
        if member.name.lower() not in given:
            continue
        found, place = given[member.name.lower()], f"{path}.{member.name}"
        if not member.many:
            model[member.name] = _value(found, member, place)
        elif found is None:
            model[member.name] = None
        elif isinstance(found, list):
            model[member.name] = [_value(each, member, f"{place}[{i}]") for i, each in enumerate(found)]
        else:
            raise NotReadable(_json_message(member.name, place))
    return model


def _value(value: Any, member: Member, path: str) -> Any:
    if value is None:
        return None
    if member.kind == "group":
        return _object(value, member.members, path, member.name)
    fits = {"text": (str,), "boolean": (bool,), "number": (int, Decimal, str)}[member.kind]
    if not isinstance(value, fits) or (member.kind == "number" and isinstance(value, bool)):
        raise NotReadable(_json_message(member.kind, path))
    return _scalar(member, value, path)


def _scalar(member: Member, value: Any, path: str) -> Any:
    if value is None or not isinstance(value, str):
        return value
    match member.kind:
        case "number":
            try:
                number = Decimal(value.strip())
            except InvalidOperation as error:
                raise NotReadable(_json_message("System.Decimal", path)) from error
            return int(number) if number == number.to_integral_value() and "." not in value else number
        case "boolean":
            return value.strip() in ("true", "1")
        case _:
            return value


def _row_id(value: Any, path: str) -> Model:
    if value is None or value == _NO_ROW:
        return {}
    try:
        return {ROW_ID: str(UUID(value))}
    except (ValueError, AttributeError, TypeError) as error:
        raise NotReadable(_json_message("System.Guid", f"{path}.{ROW_ID}")) from error


def _from_element(element: etree._Element, members: Sequence[Member], space: str) -> Model:
    model = {**_row_id(element.get(ROW_ID), "$"), **empty(members)}
    for member in members:
        if member.attribute and element.get(member.name) is not None:
            model[member.name] = _read(member, element, element.get(member.name) or "")
        elif member.content:
            model[member.name] = _read(member, element, element.text or "")
    # The serialiser looks for members in order and never back: of what stands behind an element that it does not find
    # it finds nothing any more, and behind a second one of what there is only one of.
    ordered = [member for member in members if not member.attribute and not member.content]
    position = 0
    for child in _children(element):
        found = next((i for i in range(position, len(ordered)) if _tag(space, ordered[i].name) == child.tag), None)
        if found is None:
            break
        member = ordered[found]
        position = found if member.many else found + 1
        value = None if child.get(f"{{{_XSI}}}nil") in ("true", "1") else _from_child(child, member, space)
        if member.many:
            model[member.name].append(value)
        else:
            model[member.name] = value
    return model


def _from_child(child: etree._Element, member: Member, space: str) -> Any:
    if member.kind == "group":
        return _from_element(child, member.members, space)
    return _read(member, child, child.text or "")


def _read(member: Member, place: etree._Element, text: str) -> Any:
    fits = member.kind != "boolean" or text.strip() in ("true", "false", "1", "0")
    try:
        if fits:
            return _scalar(member, text, member.name)
    except NotReadable:
        fits = False
    message = f"The input string '{text}' was not in a correct format."
    raise NotReadable(f"There is an error in XML document ({place.sourceline}, 1). {message}")


def _children(element: etree._Element) -> Iterator[etree._Element]:
    return (child for child in element if isinstance(child.tag, str))


def _fill(element: etree._Element, model: Mapping[str, Any], members: Sequence[Member], space: str) -> None:
    if ROW_ID in model:
        element.set(ROW_ID, model[ROW_ID])
    for member in members:
        value = model.get(member.name)
        if member.attribute or member.content:
            if value is not None and member.attribute:
                element.set(member.name, _written(value))
            elif value is not None:
                element.text = _written(value)
            continue
        for each in value or [] if member.many else [value]:
            if each is None and not member.nil_if_null:
                continue
            child = etree.SubElement(element, _tag(space, member.name))
            if each is None:
                child.set(f"{{{_XSI}}}nil", "true")
            elif member.kind == "group":
                _fill(child, each, member.members, space)
            else:
                child.text = _written(each)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _json_message(target: str, path: str) -> str:
    return f"The JSON value could not be converted to {target}. Path: {path} | LineNumber: 0 | BytePositionInLine: 0."
