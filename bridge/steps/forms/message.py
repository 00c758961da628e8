"""
The message that a caller sends, as Altinn 2 takes it (facts/altinn2.md 2.7), and nothing beside it.

What is sent here may be signed and archived, so a member that is not known, stands twice, or stands in two places is
refused by its name: passed over, it would leave the old form to be signed in place of the one that was meant.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    FailFast,
    Field,
    Tag,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from bridge.core.errors import Finding
from bridge.core.ids import pointer
from bridge.core.mapping import ServiceMapping
from bridge.core.operations import Link
from bridge.core.problems import Refusal
from bridge.forms.json.input import read_small
from bridge.forms.xml.input import Limits, Unreadable

MOST_MEMBERS = 20_000
"""Members of all objects of a message: some thousand forms and attachments."""

_DEPTH = 8
_TOLD = 20


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("empty", "must be filled in")
    return value


def _number_as_text(value: object) -> object:
    # Altinn 2 takes these as numbers, too; true and false are none.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _base64(value: object) -> bytes:
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "must be text")
    text = _not_blank(value)
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise PydanticCustomError("base64", "must be base64") from None


def _refuse_signature(_value: object) -> NoReturn:
    raise PydanticCustomError("signature_in_mapping", "the mapping says what a signature covers")


_Text = Annotated[str, AfterValidator(_not_blank)]
_Number = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_not_blank)]
_Id = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    # A validation error would else quote what was sent.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    def has(self, name: str) -> bool:
        """Whether the member of this field was sent at all; null is refused everywhere."""
        return name in self.model_fields_set


class FormEntry(_Strict):
    """A form to put in the place of one that is there, or beside them."""

    kind: Literal["MainForm", "SubForm"] = Field(alias="Type")
    data_format_id: _Number = Field(alias="DataFormatId")
    data_format_version: _Number = Field(alias="DataFormatVersion")
    data: _Text = Field(default="", alias="FormData")
    form_id: _Id = Field(default=-1, alias="FormId")
    remove: bool = Field(default=False, alias="Remove")


class Removal(_Strict):
    """A subform to take away, by its id alone."""

    form_id: _Id = Field(alias="FormId")
    remove: bool = Field(alias="Remove")


class AttachmentHead(_Strict):
    """What is said of an attachment before its bytes."""

    file_name: _Text = Field(default="", alias="FileName")
    attachment_type: _Text = Field(default="", alias="AttachmentType")
    data: str = Field(alias="Data")
    """Nothing yet: where it begins, the head ends."""


class AttachmentEntry(_Strict):
    """An attachment in base64."""

    file_name: _Text = Field(alias="FileName")
    attachment_type: _Text = Field(alias="AttachmentType")
    data: Annotated[bytes, BeforeValidator(_base64)] = Field(alias="Data")


def _entry_kind(entry: object) -> str:
    if isinstance(entry, Mapping) and entry.get("Remove", False) is not False:
        return "removal"
    return "form"


_Entry = Annotated[
    Annotated[FormEntry, Tag("form")] | Annotated[Removal, Tag("removal")],
    Discriminator(_entry_kind),
]


class Content(_Strict):
    """What a message brings."""

    forms: Annotated[list[_Entry], Field(min_length=1), FailFast()] = Field(default_factory=list)
    attachments: Annotated[list[AttachmentEntry], Field(min_length=1), FailFast()] = Field(default_factory=list)
    signature: Annotated[object, AfterValidator(_refuse_signature)] = Field(default=None, alias="SignatureSpec")


class Message(Content):
    """A message: what it is about, and what it brings, in ``_embedded`` or beside the head."""

    kind: Literal["FormTask"] = Field(default="FormTask", alias="Type")
    service_code: _Text = Field(default="", alias="ServiceCode")
    service_edition: _Number = Field(default="", alias="ServiceEdition")
    message_id: _Text = Field(default="", alias="MessageId")
    embedded: Content = Field(default=Content(), alias="_embedded")

    @property
    def content(self) -> Content:
        """What it brings, wherever that stands."""
        return self.embedded if self.has("embedded") else self

    def pointer(self, *steps: str | int) -> str:
        """Where in the message *steps* of its content stand."""
        return pointer(("_embedded", *steps) if self.has("embedded") else steps)


def read_message(body: bytes) -> Message:
    """
    The message in *body*, which agrees with itself.

    Raises:
        Refusal: ``message_invalid``, with every member that is wrong.
    """
    message = parsed(Message, body, Limits(max_bytes=len(body), max_depth=_DEPTH))
    if findings := list(_contradictions(message)):
        raise invalid(findings)
    return message


def hold_against(message: Message, mapping: ServiceMapping, link: Link) -> None:
    """
    Refuse a message about something else than the dialog, or without the form that the action is to send.

    Raises:
        Refusal: ``message_invalid``, with every member that is wrong.
    """
    service = mapping.altinn2
    meant = {
        "service_code": None if service is None else service.service_code,
        "service_edition": None if service is None else str(service.service_edition),
        "message_id": None if link.case is None else link.case.key,
    }
    findings = [
        Finding(path=pointer((Message.model_fields[name].alias or name,)), rule="of_another")
        for name, value in meant.items()
        if message.has(name) and getattr(message, name) != value
    ]
    if not message.content.forms:
        findings.append(Finding(path=message.pointer("forms"), rule="missing_element"))
    if findings:
        raise invalid(findings)


_Model = TypeVar("_Model", bound=BaseModel)


def parsed(model: type[_Model], body: bytes, limits: Limits) -> _Model:
    """
    The *model* that the JSON in *body* fills.

    Raises:
        Refusal: ``message_invalid``, with every member that is wrong.
    """
    try:
        value = read_small(body, limits, most=MOST_MEMBERS)
    except Unreadable as error:
        raise invalid([error.finding]) from None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid([_finding(each) for each in error.errors()[:_TOLD]]) from None


def invalid(findings: Sequence[Finding]) -> Refusal:
    """Make the refusal of a message, which names the first members that are wrong and lists all."""
    where = ", ".join(dict.fromkeys(each.path for each in findings[:3]))
    return Refusal("message_invalid", 400, facts={"where": where}, findings=findings[:_TOLD])


def _contradictions(message: Message) -> Iterator[Finding]:
    """Name what is well-formed and cannot be meant."""
    if message.has("embedded"):
        for name in ("forms", "attachments"):
            if message.has(name):
                yield Finding(path=pointer((name,)), rule="in_two_places")
    content = message.content
    ids: set[int] = set()
    mains = 0
    for place, form in enumerate(content.forms):
        if form.has("form_id"):
            if form.form_id in ids:
                yield Finding(path=message.pointer("forms", place, "FormId"), rule="named_twice")
            ids.add(form.form_id)
        if isinstance(form, Removal):
            continue
        mains += form.kind == "MainForm"
        if mains > 1 and form.kind == "MainForm":
            yield Finding(path=message.pointer("forms", place, "Type"), rule="named_twice")
        # Altinn 2 fills in a new subform alone.
        if not form.has("data") and (form.kind == "MainForm" or form.has("form_id")):
            yield Finding(path=message.pointer("forms", place, "FormData"), rule="missing_element")
    names: set[tuple[str, str]] = set()
    for place, each in enumerate(content.attachments):
        key = (each.attachment_type.casefold(), each.file_name)
        if key in names:
            yield Finding(path=message.pointer("attachments", place, "FileName"), rule="named_twice")
        names.add(key)


_RULES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "extra_forbidden": ("unknown_member", {}),
    "missing": ("missing_element", {}),
    "string_type": ("type", {"type": "string"}),
    "bool_type": ("type", {"type": "boolean"}),
    "int_type": ("type", {"type": "nonNegativeInteger"}),
    "greater_than_equal": ("type", {"type": "nonNegativeInteger"}),
    "list_type": ("type", {"type": "array"}),
    "model_type": ("type", {"type": "object"}),
    "too_short": ("empty", {}),
    "base64": ("type", {"type": "base64Binary"}),
}


def _finding(error: Any) -> Finding:
    """The finding for one of pydantic's errors; a value is never in it."""
    steps = error["loc"]
    # What stands for an entry's kind follows its place in the list.
    path = pointer(
        [
            step
            for at, step in enumerate(steps)
            if not (at and isinstance(steps[at - 1], int) and step in ("form", "removal"))
        ]
    )
    kind = error["type"]
    if kind == "literal_error":
        return Finding(path=path, rule="enumeration", facts={"enumeration": error["ctx"]["expected"].replace("'", "")})
    if error["input"] is None and kind.endswith("_type"):
        return Finding(path=path, rule="null_not_allowed")
    rule, facts = _RULES.get(kind, (kind, {}))
    return Finding(path=path, rule=rule, facts=facts)
