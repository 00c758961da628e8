"""Schemas of a data type, written from its model: what Altinn Studio would have put beside the class."""

import json
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from bridge.sandbox.apps.model import Member
from bridge.sandbox.apps.state import DataType

_TYPES = {
    "text": "xs:string",
    "number": "xs:decimal",
    "integer": "xs:int",
    "double": "xs:double",
    "boolean": "xs:boolean",
    "datetime": "xs:dateTime",
}
_JSON = {
    "text": "string",
    "number": "number",
    "integer": "integer",
    "double": "number",
    "boolean": "boolean",
    "datetime": "string",
}


def xsd(data_type: DataType) -> str:
    """The XSD of a model: names in the order of the model, and every element may be left out."""
    space = quoteattr(data_type.namespace)
    target = f' targetNamespace={space} xmlns={space} elementFormDefault="qualified"' if data_type.namespace else ""
    head = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"{target}>'
    body = "".join(_type(data_type.members, "  ", row=False))
    return f'{head}\n<xs:element name="{data_type.root}">\n{body}</xs:element>\n</xs:schema>\n'


def json_schema(data_type: DataType) -> str:
    """The JSON Schema of a model, in the manner of SERES: it holds nothing against the root of a document."""
    name = data_type.class_name.rpartition(".")[2]
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "info": {"meldingsnavn": data_type.root, "modellnavn": name},
        "properties": {data_type.root: {"$ref": f"#/$defs/{name}"}},
        "$defs": {name: _object(data_type.members)},
    }
    return json.dumps(document, ensure_ascii=False)


def _type(members: tuple[Member, ...], indent: str, *, row: bool) -> Iterator[str]:
    attributes = "".join(_attribute(each, indent) for each in members if each.attribute)
    if row:
        attributes += f'{indent}  <xs:attribute name="altinnRowId" type="xs:string"/>\n'
    yield f"{indent}<xs:complexType>\n"
    content = next((each for each in members if each.content), None)
    if content is not None:
        yield f'{indent}<xs:simpleContent><xs:extension base="{_TYPES[content.kind]}">\n{attributes}'
        yield f"{indent}</xs:extension></xs:simpleContent>\n"
    else:
        yield f"{indent}<xs:sequence>\n"
        for each in members:
            if not each.attribute:
                yield from _element(each, f"{indent}  ")
        yield f"{indent}</xs:sequence>\n{attributes}"
    yield f"{indent}</xs:complexType>\n"


def _element(member: Member, indent: str) -> Iterator[str]:
    many = ' maxOccurs="unbounded"' if member.many else ""
    nil = ' nillable="true"' if member.nillable else ""
    start = f'{indent}<xs:element name="{member.name}" minOccurs="0"{many}{nil}'
    if member.kind != "group":
        yield f'{start} type="{_TYPES[member.kind]}"/>\n'
        return
    yield f"{start}>\n"
    yield from _type(member.members, f"{indent}  ", row=member.many)
    yield f"{indent}</xs:element>\n"


def _attribute(member: Member, indent: str) -> str:
    fixed = f" fixed={quoteattr(member.fixed)}" if member.fixed is not None else ""
    return f'{indent}  <xs:attribute name="{member.name}" type="{_TYPES[member.kind]}"{fixed}/>\n'


def _object(members: tuple[Member, ...]) -> dict[str, Any]:
    return {"type": "object", "properties": {each.name: _value(each) for each in members}}


def _value(member: Member) -> dict[str, Any]:
    value = _object(member.members) if member.kind == "group" else {"type": _JSON[member.kind]}
    return {"type": "array", "items": value} if member.many else value
