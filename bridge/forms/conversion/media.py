"""Of what kind a form is by its Content-Type, and forms turned into the other kind, as apps read and write them."""

from collections.abc import Mapping
from email.message import Message

from bridge.core.mapping import FormFormat
from bridge.forms.conversion.converter import Converter, Unconvertible, declared_in
from bridge.forms.xml.input import Unreadable, is_xml

XML, JSON = "application/xml", "application/json"
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'


def essence(content_type: str) -> str:
    """Type and subtype of a Content-Type in small letters, in which they are compared (RFC 9110, 8.3.1)."""
    return content_type.partition(";")[0].strip().lower()


def charset_of(content_type: str) -> str | None:
    """The ``charset`` of a Content-Type in small letters; None where it says none."""
    header = Message()
    header["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    said = header.get_param("charset")
    if isinstance(said, tuple):
        said = said[2]  # RFC 8187's form, with a charset and a language of the parameter itself.
    return None if said is None else said.lower()


def kind_of(content_type: str) -> FormFormat | None:
    """The kind that a Content-Type stands for, by RFC 7303 and 6839; None for any other."""
    media_type = essence(content_type)
    if media_type in (XML, "text/xml") or media_type.endswith("+xml"):
        return FormFormat.XML
    return FormFormat.JSON if media_type in (JSON, "text/json") or media_type.endswith("+json") else None


def kind_for_apps(content_type: str) -> FormFormat | None:
    """The kind as which an app reads a body of this type: by a part of the header as it is, JSON first (facts 1.4)."""
    if JSON in content_type:
        return FormFormat.JSON
    return FormFormat.XML if XML in content_type else None


def turned(converter: Converter, form: bytes, *, into: FormFormat, answers: bytes | None = None) -> bytes:
    """
    The form turned into the other format; XML without a declaration, as apps write it (facts 1.5).

    Apps pass over what the form that *answers* was given for says of prefixes in values, and keep the values: what it
    says holds for the answer as well.

    What is null or nil to an app and may not be by the schema is no fault of the form: it is not there.

    Raises:
        Unconvertible, Unreadable: The form is none of the schema's.
    """
    if into is FormFormat.JSON:
        return converter.to_json(form, of_app=True).encode()
    declared = None if answers is None else _declared(converter, answers)
    return converter.to_xml(form, of_app=True, declared=declared).removeprefix(_DECLARATION)


def _declared(converter: Converter, form: bytes) -> Mapping[str, str]:
    """What prefixes in the values of *form*, in either format, stand for in its JSON."""
    try:
        text = converter.to_json(form, of_app=True) if is_xml(form) else form
        return declared_in(text, converter.limits)
    except (Unreadable, Unconvertible):
        return {}  # An empty form was asked for, or one that is none of the schema's.
