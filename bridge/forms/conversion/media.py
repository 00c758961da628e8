"""Forms turned from XML to JSON and back for who knows only one of them, as apps read and write them."""

from bridge.core.mapping import FormFormat
from bridge.forms.conversion.converter import Converter

XML, JSON = "application/xml", "application/json"
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'


def kind_of(content_type: str) -> FormFormat | None:
    """Say how an app reads a body of this type: by a part of the header, and JSON first (facts 1.4)."""
    if JSON in content_type:
        return FormFormat.JSON
    return FormFormat.XML if XML in content_type else None


def turned(shape: Converter, form: bytes, *, into: FormFormat) -> bytes:
    """
    Write a form of the other kind; XML without a declaration, as apps write it (facts 1.5).

    What is null or nil to an app and may not be by the schema is no fault of the form: it is not there.

    Raises:
        Unconvertible, Unreadable: The form is none of the schema's.
    """
    if into is FormFormat.JSON:
        return shape.to_json(form, of_app=True).encode()
    return shape.to_xml(form, of_app=True).removeprefix(_DECLARATION)
