"""Reading XML as XmlSerializer does in an app: members in their order and never back, faults in its words."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bridge.sandbox.apps.model import ROW_ID, XSI, Member, Model, NotReadable, decoded, empty, has_row_id
from bridge.sandbox.apps.values import NotOfType, from_xml_text
from bridge.sandbox.apps.xml_nodes import Node, NotWellFormed
from bridge.sandbox.apps.xml_reader import Reader

_TEXTUAL = ("Text", "CDATA", "SignificantWhitespace")
_BESIDE = ("Comment", "ProcessingInstruction")
_NO_VALUE = "'Element' is an invalid XmlNodeType."
_GUID = "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."


def from_xml(body: bytes, root: str, members: Sequence[Member], *, namespace: str = "") -> Model:
    """
    The model that XML stands for.

    An unknown or misplaced element is dropped in silence with all that follows it (facts 1.11).

    The root is looked for in *namespace*, and then in none.

    Raises:
        NotReadable: Not well-formed, another root element, or a value of the wrong type.
    """
    try:
        reader = Reader(decoded(body))
        reader.read()
        node = reader.move_to_content()
        if node.name != root or node.namespace not in (namespace, ""):
            raise _error(node.at, f"<{node.name} xmlns='{node.namespace}'> was not expected.")
        _hold_type(node, root)
        return _object(reader, members, node.namespace, row=False)
    except NotWellFormed as error:
        raise _error(error.at, str(error)) from error


def _object(reader: Reader, members: Sequence[Member], space: str, *, row: bool) -> Model:
    """The model of the element that *reader* stands on; the reader moves behind it."""
    node = reader.node
    model = {**(_row_id(node) if row else {}), **empty(members, lists=True)}
    for member in members:
        given = next((each for each in node.attributes if (each.name, each.namespace) == (member.name, "")), None)
        if member.attribute and given is not None:
            model[member.name] = _value(member, given.value, given.at)
    if node.is_empty:
        reader.skip()
        return model
    content = next((each for each in members if each.content), None)
    ordered = [each for each in members if not each.attribute and not each.content]
    position = 0
    reader.read()
    while reader.node.kind != "EndElement":
        if reader.node.kind == "Element":
            position = _member(reader, model, ordered, position=position, space=space)
        elif content is not None and reader.node.kind in _TEXTUAL:
            text = _string(reader)
            model[content.name] = _value(content, text, reader.node.at)
        else:
            reader.skip()
    reader.read()
    return model


def _member(reader: Reader, model: Model, ordered: Sequence[Member], *, position: int, space: str) -> int:
    """
    Put the element that *reader* stands on into its member; the place at which the next one is looked for.

    Behind an element that it does not find, .NET finds nothing any more; nor behind a second one of what there is one.
    """
    name = (reader.node.name, reader.node.namespace)
    found = next((i for i in range(position, len(ordered)) if (ordered[i].name, space) == name), None)
    if found is None:
        reader.skip()
        return len(ordered)
    member = ordered[found]
    value = _one(reader, member, space)
    if member.many:
        model[member.name].append(value)
        return found
    model[member.name] = value
    return found + 1


def _one(reader: Reader, member: Member, space: str) -> Any:
    nil = (reader.node.attribute("nil", XSI) or "").strip() in ("true", "1")
    if nil and member.nil_if_null and not member.never_null:
        reader.skip()
        return None
    if member.kind == "group":
        _hold_type(reader.node, member.name)
        return _object(reader, member.members, space, row=has_row_id(member))
    if reader.node.is_empty:
        reader.read()
        return _value(member, "", reader.node.at)
    reader.read()
    text = _string(reader)
    if reader.node.kind == "Element":
        line, place = reader.node.at
        of_text = "ReadElementContentAs() methods cannot be called on an element that has child elements."
        message = f"{of_text} Line {line}, position {place}." if member.kind == "text" else _NO_VALUE
        raise _error(reader.node.at, message)
    reader.read()
    return _value(member, text, reader.node.at)


def _string(reader: Reader) -> str:
    """The text up to the next tag; comments and instructions are no text."""
    pieces = []
    while reader.node.kind in _TEXTUAL or reader.node.kind in _BESIDE:
        pieces.append("" if reader.node.kind in _BESIDE else reader.node.value)
        reader.read()
    return "".join(pieces)


def _hold_type(node: Node, name: str) -> None:
    """Hold ``xsi:type`` against the name of the element's class; none is derived from it."""
    prefix, _, local = (node.attribute("type", XSI) or "").strip().rpartition(":")
    known = name.replace("-", "")
    if not local or local in (name, known, f"{known[:1].upper()}{known[1:]}"):
        return
    space = node.attribute(prefix, "http://www.w3.org/2000/xmlns/") or ""
    message = f"The specified type was not recognized: name='{local}', namespace='{space}', at"
    raise _error(node.at, f"{message} <{node.name} xmlns='{node.namespace}'>.")


def _value(member: Member, text: str, at: tuple[int, int]) -> Any:
    try:
        return from_xml_text(member.kind, text)
    except NotOfType as error:
        raise _error(at, str(error)) from error


def _row_id(node: Node) -> Model:
    given = next((each for each in node.attributes if (each.name, each.namespace) == (ROW_ID, "")), None)
    if given is None:
        return {}
    try:
        number = UUID(given.value.strip())
    except ValueError as error:
        raise _error(given.at, _GUID) from error
    return {ROW_ID: str(number)} if number.int else {}


def _error(at: tuple[int, int], message: str) -> NotReadable:
    return NotReadable(f"There is an error in XML document ({at[0]}, {at[1]}). {message}")
