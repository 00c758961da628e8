"""What an app says of a form that it refuses, by field: for who sent the form alone, since it may quote it."""

import re
from collections.abc import Iterator, Mapping

import orjson
from lxml import etree

from bridge.forms.xml.input import Unreadable, has_elements, parse, text_of

REFUSES = frozenset({400, 422})
"""Statuses by which an app refuses a form; what it says with others may be about somebody else's right."""

_FIELDS = "MVC-Errors"
_WHOLE_FORM = "MVC-Empty"
"""ASP.NET's names in XML for a member that JSON calls ``errors``, and for the field without a name."""
_ENCODED = re.compile(r"_x(?!D[89A-F])([0-9A-F]{4})_", re.IGNORECASE)
"""A letter that XML forbids in names. Half a surrogate pair is none, and goes into no JSON: it stays as it is."""


def said_by_app(status: int, content_type: str, body: bytes) -> list[dict[str, str]]:
    """The app's own fields and texts; an empty field is the whole form. A page of who stands before it is none."""
    if status not in REFUSES or "html" in content_type.lower():
        return []
    text = body.decode("utf-8-sig", "replace").strip()
    try:
        answer = _of_xml(text) if text.startswith("<") else orjson.loads(text)
    except (ValueError, Unreadable):
        answer = text
    return [{"field": field, "message": message} for field, message in _said(answer) if message]


def _of_xml(text: str) -> object:
    """What .NET writes as XML, as it would stand in JSON; other XML as it is. Raises Unreadable."""
    root = parse(text.encode())
    match etree.QName(root).localname:
        case "string" if not has_elements(root):
            return text_of(root)
        case "ArrayOfString" | "ArrayOfstring":
            return [text_of(each) for each in root.iterchildren(etree.Element)]
        case "problem":
            members: dict[str, object] = dict(_members(root))
            fields = next((each for each in root.iterchildren(etree.Element) if _name(each) == _FIELDS), None)
            return members if fields is None else {**members, "errors": _members(fields)}
        case "Error":
            return _members(root)
        case _:
            return text


def _members(node: etree._Element) -> dict[str, str]:
    """Names, as they were before XML forbade some of their letters, and texts."""
    return {_name(each): text_of(each) for each in node.iterchildren(etree.Element)}


def _name(node: etree._Element) -> str:
    name = etree.QName(node).localname
    return "" if name == _WHOLE_FORM else _ENCODED.sub(lambda found: chr(int(found[1], 16)), name)


def _said(answer: object) -> Iterator[tuple[str, str]]:
    match answer:
        case str():
            yield "", answer
        case list():
            yield from (("", each) for each in answer if isinstance(each, str))
        case {"errors": dict() as errors} if errors:
            yield from _by_field(errors)
        case {"errors": list() as errors} if any(isinstance(each, str) for each in errors):
            yield from (("", each) for each in errors if isinstance(each, str))
        # Of a problem document the detail says more.
        case {"detail": str() as words} if words:
            yield "", words
        case {"title": str() as words} if words:
            yield "", words
        case dict():
            # ASP.NET's ModelState, as it is.
            yield from _by_field(answer)


def _by_field(errors: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for field, texts in errors.items():
        for each in texts if isinstance(texts, list) else [texts]:
            if isinstance(each, str):
                yield field, each
