"""Form models as Altinn 3's serialisers see them: the known is kept, in order; the rest vanishes (facts 1.4, 1.5)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

Model = dict[str, Any]
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSD = "http://www.w3.org/2001/XMLSchema"


class NotReadable(ValueError):
    """The body is no instance of the model; the message is as the app words it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    One member of a model's class: *kind* is ``text``, ``number``, ``boolean`` or ``group`` (with *members*).

    *fixed* presets an attribute, as generated classes do.
    """

    name: str
    kind: str = "text"
    many: bool = False
    attribute: bool = False
    fixed: str | None = None
    members: tuple["Member", ...] = ()


def empty(members: Sequence[Member]) -> Model:
    """Make a new object: lists are empty, the rest is null or preset."""
    return {each.name: [] if each.many else _scalar(each, each.fixed, "$") for each in members}


def from_json(body: bytes, members: Sequence[Member], class_name: str) -> Model | None:
    """
    Read JSON: names in any case, unknown members dropped, quoted numbers taken. None for JSON null.

    Raises:
        NotReadable: It is not JSON, or a value has the wrong type.
    """
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise NotReadable(_json_message(class_name, "$")) from error
    if value is None:
        return None
    return _object(value, members, "$", class_name)


def from_xml(body: bytes, root: str, members: Sequence[Member]) -> Model:
    """
    Read XML: unknown and misplaced elements are dropped in silence, as members have a fixed order.

    Raises:
        NotReadable: Not well-formed, or another root element.
    """
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
    try:
        element = etree.fromstring(body.removeprefix(b"\xef\xbb\xbf"), parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise NotReadable(f"There is an error in XML document ({line}, {column}). Data is invalid.") from error
    if element.tag != root:
        name, space = etree.QName(element).localname, etree.QName(element).namespace or ""
        raise NotReadable(f"There is an error in XML document (1, 2). <{name} xmlns='{space}'> was not expected.")
    return _from_element(element, members)


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


def to_xml(model: Model, root: str, members: Sequence[Member]) -> bytes:
    """Write XML without a declaration; null members are left out."""
    element = etree.Element(root, nsmap={"xsi": _XSI, "xsd": _XSD})
    _fill(element, model, members)
    return etree.tostring(element, encoding="utf-8", xml_declaration=False)


def _object(value: Any, members: Sequence[Member], path: str, class_name: str) -> Model:
    if not isinstance(value, dict):
        raise NotReadable(_json_message(class_name, path))
    given = {key.lower(): each for key, each in value.items()}
    model = empty(members)
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


def _from_element(element: etree._Element, members: Sequence[Member]) -> Model:
    model = empty(members)
    for member in members:
        if member.attribute and element.get(member.name) is not None:
            model[member.name] = _scalar(member, element.get(member.name), member.name)
    # The serialiser looks for members in order and never back.
    ordered = [member for member in members if not member.attribute]
    position = 0
    for child in _children(element):
        found = next((i for i in range(position, len(ordered)) if ordered[i].name == child.tag), None)
        if found is None:
            continue
        position, member = found, ordered[found]
        value = None if child.get(f"{{{_XSI}}}nil") in ("true", "1") else _from_child(child, member)
        if member.many:
            model[member.name].append(value)
        else:
            model[member.name] = value
    return model


def _from_child(child: etree._Element, member: Member) -> Any:
    if member.kind == "group":
        return _from_element(child, member.members)
    return _scalar(member, child.text or "", member.name)


def _children(element: etree._Element) -> Iterator[etree._Element]:
    return (child for child in element if isinstance(child.tag, str))


def _fill(element: etree._Element, model: Mapping[str, Any], members: Sequence[Member]) -> None:
    for member in members:
        value = model.get(member.name)
        if member.attribute:
            if value is not None:
                element.set(member.name, _written(value))
            continue
        for each in value or [] if member.many else [value]:
            if each is None:
                continue
            child = etree.SubElement(element, member.name)
            if member.kind == "group":
                _fill(child, each, member.members)
            else:
                child.text = _written(each)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _json_message(target: str, path: str) -> str:
    return f"The JSON value could not be converted to {target}. Path: {path} | LineNumber: 0 | BytePositionInLine: 0."
