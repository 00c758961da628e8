"""Reads what clients of Altinn 2 send: message bodies in JSON, and the flags beside them."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.altinn2_state import MAIN, SUB, Attachment, Form, SignatureSpec, Update


class NotReadable(ValueError):
    """The body is not a message; the message says what is wrong with it, without its values."""


def read_update(body: bytes, query: Mapping[str, str]) -> Update:
    """
    Read a PUT. Both flags are true where they are left out (facts/altinn2.md 0.4).

    Raises:
        NotReadable: The body is no message, or a flag is no boolean.
    """
    message = _object(_json(body), "The body")
    if message.get("Type") != "FormTask":
        raise NotReadable("Type must be FormTask")
    embedded = message.get("_embedded")
    content = {} if embedded is None else _object(embedded, "_embedded")
    forms = content.get("forms")
    return Update(
        service_code=_text(message, "ServiceCode"),
        service_edition=_text(message, "ServiceEdition"),
        forms=None if forms is None else tuple(map(_form, _list(forms, "forms"))),
        attachments=tuple(map(_attachment, _list(content.get("attachments", []), "attachments"))),
        signed=_signature_spec(content.get("SignatureSpec")),
        complete=flag(query, "complete"),
        sign=flag(query, "sign"),
    )


def flag(query: Mapping[str, str], name: str) -> bool:
    """
    Read a boolean that is true unless said otherwise.

    Raises:
        NotReadable: Neither true nor false.
    """
    text = query.get(name, "true").lower()
    if text not in ("true", "false"):
        raise NotReadable(f"{name} must be true or false")
    return text == "true"


def _form(value: Any) -> Form:
    form = _object(value, "A form")
    kind = form.get("Type")
    if kind not in (MAIN, SUB):
        raise NotReadable("Type of a form must be MainForm or SubForm")
    data = form.get("FormData")
    if not isinstance(data, str) or not data.strip():
        raise NotReadable("FormData must hold the form")
    return Form(
        kind=kind,
        data_format_id=_text(form, "DataFormatId"),
        data_format_version=_text(form, "DataFormatVersion"),
        data=data,
    )


def _attachment(value: Any) -> Attachment:
    attachment = _object(value, "An attachment")
    data = attachment.get("Data")
    if not isinstance(data, str):
        raise NotReadable("Data of an attachment must be base64")
    try:
        content = base64.b64decode(data, validate=True)
    except ValueError as error:
        raise NotReadable("Data of an attachment must be base64") from error
    return Attachment(
        file_name=_text(attachment, "FileName"),
        attachment_type=_text(attachment, "AttachmentType"),
        content=content,
    )


def _signature_spec(value: Any) -> SignatureSpec | None:
    if value is None:
        return None
    spec = _object(value, "SignatureSpec")
    return SignatureSpec(form_ids=_ids(spec, "FormIds"), attachment_ids=_ids(spec, "AttachmentIds"))


def _ids(spec: Mapping[str, Any], name: str) -> frozenset[int]:
    values = _list(spec.get(name, []), name)
    if not all(isinstance(each, int) and not isinstance(each, bool) for each in values):
        raise NotReadable(f"{name} must hold integers")
    return frozenset(values)


def _text(value: Mapping[str, Any], name: str) -> str:
    """Read a text that may be written as a number, as Altinn 2 takes both."""
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise NotReadable(f"{name} is missing")
    return str(found)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotReadable("The body is not JSON") from error


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise NotReadable(f"{name} must be an object")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise NotReadable(f"{name} must be a list")
    return value
