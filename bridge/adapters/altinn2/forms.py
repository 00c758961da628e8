"""Forms of an element: listed, read, and subforms added, changed and taken away (facts/altinn2.md 2.9)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bridge.adapters.altinn2.connection import Connection
from bridge.adapters.altinn2.orders import ElementKey
from bridge.adapters.altinn2.wire import LANGUAGE, embedded, json_body, new_id, own_id, text, unreadable, xml_text
from bridge.core.elements import Form
from bridge.core.mapping import FormKind


def list_forms(connection: Connection, key: ElementKey) -> Iterator[Form]:
    """All forms without their data."""
    answer = connection.get(connection.url(key.who, key.message_id, "forms"))
    return map(_form, embedded(json_body(answer), "forms"))


def read_forms(connection: Connection, key: ElementKey) -> Iterator[Form]:
    """All forms with their data."""
    for form in list_forms(connection, key):
        url = connection.url(key.who, key.message_id, "forms", str(form.form_id), "formdata")
        data = connection.get(url, {}, accept="application/xml")
        yield replace(form, data=xml_text(data))


def add_subform(connection: Connection, key: ElementKey, form: Form) -> int | None:
    """Add a subform, and give its id where the answer tells; without data Altinn 2 prefills it."""
    body: dict[str, object] = {
        "Type": FormKind.SUB.value,
        "DataFormatId": form.data_format_id,
        "DataFormatVersion": form.data_format_version,
    }
    if form.data:
        body["FormData"] = form.data
    url = connection.url(key.who, key.message_id, "forms")
    return new_id(connection.written("POST", url, data=json.dumps(body).encode()))


def update_form(connection: Connection, key: ElementKey, form: Form) -> None:
    """Replace one form's data, and nothing else of the element; held against its XSD only."""
    body = {
        "Type": form.kind.value,
        "DataFormatId": form.data_format_id,
        "DataFormatVersion": form.data_format_version,
        "FormData": form.data,
    }
    url = connection.url(key.who, key.message_id, "forms", str(_id_of(form)))
    connection.written("PUT", url, data=json.dumps(body).encode())


def delete_subform(connection: Connection, key: ElementKey, form: Form) -> None:
    """Take a subform away. Raises ValueError for the main form, which an element cannot be without."""
    if form.kind is FormKind.MAIN:
        raise ValueError("the main form cannot be deleted")
    connection.written("DELETE", connection.url(key.who, key.message_id, "forms", str(_id_of(form))), LANGUAGE)


def _id_of(form: Form) -> int:
    if form.form_id is None:
        raise ValueError("the form has no id yet")
    return form.form_id


def _form(entry: Mapping[str, object]) -> Form:
    try:
        kind = FormKind(text(entry, "Type"))
    except ValueError as error:
        raise unreadable("Type of a form") from error
    return Form(
        kind=kind,
        data_format_id=text(entry, "DataFormatId"),
        data_format_version=text(entry, "DataFormatVersion"),
        data="",
        form_id=own_id(entry, "FormId"),
    )
