"""Reads what clients of Altinn 2 send: message bodies in JSON and XML, and the flags beside them."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from werkzeug.wrappers import Request

from bridge.sandbox.altinn2.blobs import Base64Sink, Blob, NotBase64
from bridge.sandbox.altinn2.model import FORM_TASK, MAIN, SUB, Attachment, Form, FormPut, SignatureSpec, Update
from bridge.sandbox.core.http_system import Cut, TooLarge, media_type

_PIECE = 262_144
_WORD_END = re.compile(rb'["\\]')
_SPACE = b" \t\r\n"
JSON_TYPES = ("application/hal+json", "application/json")
XML_TYPES = ("application/hal+xml", "application/xml")


class NotReadable(ValueError):
    """The body is not a message; the message says what is wrong with it, without its values."""


class WrongType(ValueError):
    """The body's type is none that Altinn 2 reads."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Body:
    """A body as it was sent, with what stood behind ``Data`` put aside and *blobs* by the text left in its place."""

    value: Any
    blobs: Mapping[str, Base64Sink]

    def data(self, value: Any) -> Blob:
        """
        The bytes that a ``Data`` member stands for.

        Raises:
            NotReadable: It is not base64.
        """
        if not isinstance(value, str):
            raise NotReadable("Data of an attachment must be base64")
        sink = self.blobs.get(value)
        try:
            if sink is None:
                sink = Base64Sink()
                sink.feed(value.encode())
            return sink.blob()
        except (NotBase64, UnicodeEncodeError) as error:
            raise NotReadable("Data of an attachment must be base64") from error


def read_body(request: Request, limit: int) -> Body:
    """
    The body, taken as it comes; base64 goes into files, so that its size costs no memory.

    Raises:
        WrongType: Neither JSON nor XML; nothing was read.
        TooLarge: There are more than *limit* bytes; the rest is read and dropped, so that the answer arrives.
        NotReadable: It is not what its type says.
    """
    kind = media_type(request)
    if kind not in (*JSON_TYPES, *XML_TYPES):
        raise WrongType
    reader: _JsonReader | _XmlReader = _JsonReader() if kind in JSON_TYPES else _XmlReader()
    size = 0
    while piece := next_piece(request, size):
        size += len(piece)
        if size <= limit:
            reader.feed(piece)
    if size > limit:
        raise TooLarge(f"{size} bytes")
    return reader.body()


def next_piece(request: Request, so_far: int) -> bytes:
    """
    The next piece of the text; empty at the end.

    Raises:
        Cut: The client left before the end of what it had announced.
    """
    try:
        piece = request.stream.read(_PIECE)
    except OSError as error:
        raise Cut("the body broke off") from error
    announced = request.environ.get("CONTENT_LENGTH")
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "")
    if not piece and announced and not chunked and so_far < int(announced):
        raise Cut("the body broke off")
    return piece


@dataclass(slots=True)
class _JsonReader:
    """Copies JSON, and puts a text of its own in the place of every string that a key ``Data`` has."""

    copy: bytearray = field(default_factory=bytearray)
    blobs: dict[str, Base64Sink] = field(default_factory=dict)
    mode: str = "outside"
    word: bytearray = field(default_factory=bytearray)
    # Nobody can send this text, as it is made for one body.
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    sink: Base64Sink = field(default_factory=Base64Sink)

    def feed(self, piece: bytes) -> None:
        place = 0
        while place < len(piece):
            place = getattr(self, f"_{self.mode}")(piece, place)

    def body(self) -> Body:
        if self.mode == "data":
            raise NotReadable("The body is not JSON")
        try:
            return Body(value=json.loads(self.copy), blobs=self.blobs)
        except (ValueError, RecursionError) as error:
            raise NotReadable("The body is not JSON") from error

    def _outside(self, piece: bytes, place: int) -> int:
        end = piece.find(b'"', place) + 1
        self.copy += piece[place : end or len(piece)]
        if end:
            self.mode = "string"
            self.word.clear()
        return end or len(piece)

    def _string(self, piece: bytes, place: int) -> int:
        found = _WORD_END.search(piece, place)
        end = len(piece) if found is None else found.end()
        self.copy += piece[place:end]
        if len(self.word) < 8:
            self.word += piece[place : min(end, place + 8)]
        if found is not None:
            self.mode = "escape" if found.group() == b"\\" else ("key" if self.word == b'Data"' else "outside")
        return end

    def _escape(self, piece: bytes, place: int) -> int:
        self.copy += piece[place : place + 1]
        self.mode = "string"
        return place + 1

    def _key(self, piece: bytes, place: int) -> int:
        if piece[place] in _SPACE:
            return place + 1
        if piece[place : place + 1] != b":":
            self.mode = "outside"
            return place
        self.copy += b":"
        self.mode = "value"
        return place + 1

    def _value(self, piece: bytes, place: int) -> int:
        if piece[place] in _SPACE:
            return place + 1
        if piece[place : place + 1] != b'"':
            self.mode = "outside"
            return place
        self.sink = Base64Sink()
        name = f"{self.mark}{len(self.blobs)}"
        self.blobs[name] = self.sink
        self.copy += f'"{name}"'.encode()
        self.mode = "data"
        return place + 1

    def _data(self, piece: bytes, place: int) -> int:
        end = piece.find(b'"', place)
        self.sink.feed(piece[place : len(piece) if end < 0 else end])
        if end < 0:
            return len(piece)
        self.mode = "outside"
        return end + 1


@dataclass(slots=True)
class _XmlReader:
    """Reads ``<resource rel="message">`` into what JSON would have said (facts/altinn2.md 1.3)."""

    copy: bytearray = field(default_factory=bytearray)

    def feed(self, piece: bytes) -> None:
        self.copy += piece

    def body(self) -> Body:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
        try:
            root = etree.fromstring(bytes(self.copy), parser)
        except etree.XMLSyntaxError as error:
            raise NotReadable("The body is not XML") from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise NotReadable("The body must not have a document type")
        return Body(value=_from_xml(root), blobs={})


def _from_xml(node: etree._Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    embedded: dict[str, Any] = {}
    # Comments and processing instructions are left out.
    for each in node.iterchildren("*"):
        if "SignatureSpec" in (each.tag, each.get("rel")):
            embedded["SignatureSpec"] = {name: _numbers(each, name) for name in ("FormIds", "AttachmentIds")}
        elif each.tag != "resource":
            found[each.tag] = each.text or ""
        else:
            embedded[each.get("rel", "")] = [_from_xml(one) for one in each if one.tag == "resource"]
    return {**found, "_embedded": embedded} if embedded else found


def _numbers(node: etree._Element, name: str) -> list[int]:
    try:
        return [int(each.text or "") for each in node.findall(f"{name}/*")]
    except ValueError as error:
        raise NotReadable(f"{name} must hold integers") from error


def read_update(body: Body, query: Mapping[str, str]) -> Update:
    """
    What a POST or PUT asks for a message. Both flags are true where they are left out (facts/altinn2.md 0.4).

    Raises:
        NotReadable: The body is no message, or a flag is no boolean.
    """
    message = _object(body.value, "The body")
    if message.get("Type") != FORM_TASK:
        raise NotReadable("Type must be FormTask")
    embedded = message.get("_embedded")
    content = {} if embedded is None else _object(embedded, "_embedded")
    forms = content.get("forms")
    attachments = _list(content.get("attachments", []), "attachments")
    return Update(
        service_code=_text(message, "ServiceCode"),
        service_edition=_text(message, "ServiceEdition"),
        forms=None if forms is None else tuple(map(_form, _list(forms, "forms"))),
        attachments=tuple(_attachment(body, each) for each in attachments),
        signed=_signature_spec(content.get("SignatureSpec")),
        complete=flag(query, "complete"),
        sign=flag(query, "sign"),
    )


def read_form(body: Body) -> FormPut:
    """
    What a POST or PUT asks for one form; without FormData it asks for a prefilled one.

    Raises:
        NotReadable: It is no form.
    """
    form = _object(body.value, "The body")
    data = form.get("FormData")
    if data is not None and not isinstance(data, str):
        raise NotReadable("FormData must hold the form")
    return FormPut(
        kind=_form_kind(form),
        data_format_id=_text(form, "DataFormatId"),
        data_format_version=_text(form, "DataFormatVersion"),
        data=data if data and data.strip() else None,
    )


def read_attachment(body: Body) -> Attachment:
    """
    The attachment that a POST has in base64.

    Raises:
        NotReadable: It is none.
    """
    return _attachment(body, body.value)


def flag(query: Mapping[str, str], name: str, *, default: str = "true") -> bool:
    """
    A boolean, which is true unless said otherwise.

    Raises:
        NotReadable: Neither true nor false.
    """
    text = query.get(name, default).lower()
    if text not in ("true", "false"):
        raise NotReadable(f"{name} must be true or false")
    return text == "true"


def _form(value: Any) -> Form:
    form = _object(value, "A form")
    kind = _form_kind(form)
    data = form.get("FormData")
    if not isinstance(data, str) or not data.strip():
        raise NotReadable("FormData must hold the form")
    return Form(
        kind=kind,
        data_format_id=_text(form, "DataFormatId"),
        data_format_version=_text(form, "DataFormatVersion"),
        data=data,
    )


def _form_kind(form: Mapping[str, Any]) -> str:
    kind = form.get("Type")
    if kind not in (MAIN, SUB):
        raise NotReadable("Type of a form must be MainForm or SubForm")
    return str(kind)


def _attachment(body: Body, value: Any) -> Attachment:
    attachment = _object(value, "An attachment")
    content = body.data(attachment.get("Data"))
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
    """A text, also where it is written as a number: Altinn 2 takes both."""
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise NotReadable(f"{name} is missing")
    return str(found)


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise NotReadable(f"{name} must be an object")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise NotReadable(f"{name} must be a list")
    return value
