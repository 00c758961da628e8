"""What an app says of a form that it refuses, by field: for who sent the form alone, since it may quote it."""

import html
import re
from collections.abc import Iterator, Mapping

import orjson

REFUSES = frozenset({400, 422})
"""Statuses by which an app refuses a form; what it says with others may be about somebody else's right."""

_TEXT_IN_XML = re.compile(r"(?:<\?xml[^>]*>\s*)?<string(?: [^<>]*)?>([^<]*)</string>")
"""How .NET writes a text to who asks for XML."""


def said_by_app(status: int, content_type: str, body: bytes) -> list[dict[str, str]]:
    """The app's own fields and texts; an empty field is the whole form. A page of who stands before it is none."""
    if status not in REFUSES or "html" in content_type.lower():
        return []
    text = body.decode("utf-8-sig", "replace").strip()
    if (wrapped := _TEXT_IN_XML.fullmatch(text)) is not None:
        text = html.unescape(wrapped[1])
    try:
        answer = orjson.loads(text)
    except ValueError:
        answer = text
    return [{"field": field, "message": message} for field, message in _said(answer) if message]


def _said(answer: object) -> Iterator[tuple[str, str]]:
    match answer:
        case str():
            yield "", answer
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
