"""What a mapping file means, as values. Reading the files is ``config/mappings``."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from bridge.core.cases import CaseStatus
from bridge.core.errors import Severity
from bridge.core.targets import Target

DEFAULT_SCOPES = ("altinn:serviceowner/instances.read",)
"""What opens an app's stateless data to a service owner (facts/altinn3-and-tokens.md 4.4)."""


class FormSource(Enum):
    """Where the form comes from that is sent on."""

    MESSAGE = "message"
    """What Altinn 2 holds already."""
    BODY = "body"
    """What the caller sent."""
    NONE = "none"
    """No form is sent: only the flags (an element in signing)."""


class Validation(Enum):
    """What a fault in the form does."""

    STRICT = "strict"
    WARN = "warn"
    OFF = "off"


class AfterUpdate(Enum):
    """
    What Altinn 2 does with the element after a PUT, as (complete, sign).

    Altinn 2 signs and archives when a flag is left out (facts/altinn2.md 0.4), so both are always sent.
    """

    KEEP_AS_DRAFT = (False, False)
    BACK_TO_FORM_FILLING = (False, True)
    """The same: without completion Altinn 2 ignores the signature (facts/altinn2.md 2.7)."""
    SEND_TO_SIGNING = (True, False)
    SIGN_AND_ARCHIVE = (True, True)


class FormKind(Enum):
    """Altinn 2's ``Type`` of a form."""

    MAIN = "MainForm"
    SUB = "SubForm"


class NamespaceReading(Enum):
    """How a form without a namespace is held against a schema with one."""

    STRICT = "strict"
    LENIENT = "lenient"
    """As if it were in the schema's namespace, as Altinn 3 apps read it (facts/altinn3-and-tokens.md 1.4)."""


class Receiver(Enum):
    """Who judges a form after the bridge, where that is known."""

    DOTNET = "dotnet"
    """System.Xml.Schema, as in Altinn 2 and with many agencies: what it refuses is an error here already."""
    OTHER = "other"
    """What .NET would refuse is a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRule:
    """A business rule beside the schema: *test* (an XPath 1.0 condition) must hold at every place of *at*."""

    at: str
    test: str
    severity: Severity
    text: Mapping[str, str]
    """What is told where it does not hold, in nb, nn and en."""


def pins_of(*pairs: tuple[str | None, str | None]) -> tuple[tuple[str, str | None], ...]:
    """The pairs of schema and digest that have a schema."""
    return tuple((name, digest) for name, digest in pairs if name is not None)


FORMAT_ATTRIBUTES = (("dataFormatId", "dataFormatVersion"), ("skjemanummer", "spesifikasjonsnummer"))
"""How a form's root says its key: SERES and Altinn Studio, and OR forms (facts/altinn3-and-tokens.md 3.1)."""


def schema_file(name: str) -> str:
    """The file of the schema *name*: after a JSON Schema's ``#`` stands where forms begin."""
    found = re.match(r"(.*?\.json)(?:#|$)", name, re.IGNORECASE)
    return name if found is None else found[1]


def is_json_schema(name: str) -> bool:
    """Whether *name* is that of a JSON Schema; after ``#`` it may say where forms begin."""
    return schema_file(name).lower().endswith(".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSpec:
    """One form of the service: its key in Altinn 2, the schema that it is held against, if any, and its rules."""

    kind: FormKind
    data_format_id: str
    data_format_version: str
    schema: str | None
    sha256: str | None = None
    """The digest that the schema must have."""
    namespace: NamespaceReading = NamespaceReading.STRICT
    rules: tuple[FormRule, ...] = ()
    root: str | None = None
    """The element that the form begins with, as ``local`` or ``{uri}local``, where the schema has several."""
    receiver: Receiver = Receiver.OTHER
    json_schema: str | None = None
    """The JSON Schema that the form is held against as well where it comes as JSON; after ``#``, where forms begin."""
    json_sha256: str | None = None

    @property
    def pins(self) -> tuple[tuple[str, str | None], ...]:
        """Each schema with the digest that it must have, if one is said."""
        return pins_of((self.schema, self.sha256), (self.json_schema, self.json_sha256))


class Verb(Enum):
    """What is done with the element, whole."""

    PUT = "put"
    DELETE = "delete"
    CONFIRM = "confirm"
    """A correspondence that asks for it."""
    ARCHIVE = "archive"
    """A correspondence."""


class Signed(Enum):
    """What a signature covers."""

    ALL = "all"
    REQUIRED = "required"
    """What must be signed: links with ``signinglocked``."""
    DEFAULT = "default"
    """What must be signed, and what is ticked beforehand: ``signedbydefault``."""


class Supply(Enum):
    """By which way an attachment comes in."""

    BODY = "body"
    """In the action's own body, as base64."""
    UPLOAD = "upload"
    """By ``/attachments`` below the action, before it."""


class Changes(Enum):
    """Which attachments may be replaced and removed by way of ``/attachments``."""

    UPLOADED = "uploaded"
    """Those that came that way, by the same dialog."""
    ANY = "any"
    """Any of the action's types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Altinn2Service:
    """
    The Altinn 2 service that holds the elements.

    *bare_completion* says that a PUT without forms completes an element in form filling and leaves its attachments,
    which Altinn 2 nowhere promises (facts/altinn2.md 3, the open trap). *others_sign* says that its signing is
    user-controlled, which metadata does not tell.
    """

    service_code: str
    service_edition: int
    bare_completion: bool = False
    others_sign: bool = False
    signing_steps: int = 1
    """How many signatures an element takes through the bridge, each by another person's press."""
    unique_signers: bool = False
    """Whether Altinn 2 takes one signature from each of its users: the bridge is one, so it gives the first alone."""
    compare_forms: bool = True
    """Whether forms are read back after a PUT and held against what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRule:
    """What one type of attachment may be (facts/altinn2.md 3). No *extensions* is any; *max_count* None is no limit."""

    type: str
    extensions: tuple[str, ...]
    min_count: int
    max_count: int | None
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentPolicy:
    """Which attachments an action takes, and from where."""

    types: tuple[str, ...]
    supplies: tuple[Supply, ...]
    changes: Changes = Changes.UPLOADED


class FormFormat(Enum):
    """What an app reads and writes."""

    BOTH = "both"
    XML = "xml"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Altinn3App:
    """The Altinn 3 app that calculates."""

    org: str
    app: str
    data_type: str
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    """Of the bridge's token, where the app calculates for an action."""
    speaks: FormFormat = FormFormat.XML
    """XML or JSON: what it is sent and asked for."""


class LostFields(Enum):
    """What it does when the app's answer has not all that it was sent."""

    REFUSE = "refuse"
    WARN = "warn"


class SubformRight(Enum):
    """What a caller may do to subforms beside changing them and bringing new ones."""

    PREFILL = "prefill"
    """Add one without data, which Altinn 2 fills in."""
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """An entry of the dialog token's ``a`` that the caller must hold."""

    action: str
    attribute: str | None = None

    def __str__(self) -> str:
        return self.action if self.attribute is None else f"{self.action},{self.attribute}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """
    An entry of the dialog token's ``e``, by which an action is granted that an authorization context narrows.

    Its ``a`` says nothing then: it may hold the same right for somebody whom the context leaves out. *token_ref* is the
    context's; None means the id of the button or API action by which the bridge offers the action.
    """

    token_ref: str | None
    asks: Requirement | None = None
    """What the bridge's own button asks for, until its dialog's owner narrows it."""

    def __str__(self) -> str:
        return f"e: {self.token_ref or 'the button'}"


Right = Requirement | Narrowed
"""What a caller must hold."""

Texts = Mapping[str, str]
"""Templates of one text, by language: nb, nn and en."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a dialog says in words; None leaves it to the wording asked next. *code* is the status for systems."""

    code: str | None = None
    extended_status: Texts | None = None
    title: Texts | None = None
    summary: Texts | None = None
    additional_info: Texts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """Days until the dialog is due, and until its users see it no more; None leaves it to those asked next."""

    due: int | None = None
    expires: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLink:
    """An attachment of the dialog that leads to a page about the result; *url* is a template."""

    name: str
    title: Texts
    url: str
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """What the dialog shall say after success, on top of the state table; None leaves it to the table."""

    status: str | None = None
    activity: str | None = None
    wording: Wording = Wording()
    silent: bool | None = None
    dates: Dates = Dates()
    links: tuple[ResultLink, ...] = ()


class Priority(Enum):
    """How much a button stands out. A dialog shows one primary, one secondary and five tertiary ones."""

    PRIMARY = "Primary"
    SECONDARY = "Secondary"
    TERTIARY = "Tertiary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """How a dialog offers an action: as a button with *title*, and with *api* as an API action, too."""

    title: Texts
    priority: Priority
    prompt: Texts | None = None
    api: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The transmission that says that a form was submitted; *url* is a template of the page that shows it."""

    title: Texts
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogSpec:
    """What every dialog of the service says, whatever the state of its element."""

    wording: Wording = Wording()
    search_tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """Service-owner labels, as Dialogporten keeps them: in small letters."""
    receipt: Receipt | None = None


class Embed(Enum):
    """What a dialog shows in its middle, by the name that ends its URL."""

    SUMMARY = "summary"
    """The form as it stands, field by field."""
    SIGNING_TEXT = "signing-text"
    RECEIPT = "receipt"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownField:
    """A place of the main form that the summary shows, and what stands before it; None is what the schema calls it."""

    at: str
    label: Texts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeds:
    """Whether dialogs show content of the bridge's, and to whom. No *fields* are all of the forms."""

    minimum_level: int
    fields: tuple[ShownField, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionMapping:
    """What one action's URL means."""

    name: str
    requires: Right
    minimum_level: int
    target: Target
    form: FormSource
    set_values: tuple[tuple[str, str], ...]
    """(XPath, template) pairs, put into the main form before it is checked."""
    calculate: bool
    validate: Validation
    after: AfterUpdate
    then: Then
    button: Button | None = None
    verb: Verb = Verb.PUT
    attachment_policy: AttachmentPolicy | None = None
    signed: Signed = Signed.ALL
    altinn_validation: bool = False
    """Whether Altinn 2's own validation has to be content before the element is completed."""
    subforms: tuple["SubformRight", ...] = ()
    results: tuple[tuple[str, str], ...] = ()
    """(name, XPath) pairs: what the dialog's texts may take from the calculated form."""
    lost_fields: LostFields = LostFields.REFUSE
    keeps_dialog: bool = False
    """Whether the dialog stays when the action has deleted its element."""
    grace_days: int | None = None
    """For so many days after its last change an element may not be deleted."""

    @property
    def deletes_dialog(self) -> bool:
        """Whether the dialog goes with the element."""
        return self.verb is Verb.DELETE and not self.keeps_dialog

    @property
    def signs(self) -> bool:
        """Whether it gives a signature: a person's, so that two people's presses are two."""
        return self.target is Target.ALTINN2 and self.verb is Verb.PUT and all(self.after.value)

    @property
    def calculates(self) -> bool:
        """Whether the app works on the form."""
        return self.calculate or self.target is Target.ALTINN3

    @property
    def needs_element(self) -> bool:
        """Whether it is about a case at all, and not about a form alone that an app calculates."""
        return self.target is not Target.ALTINN3 or self.form is not FormSource.BODY


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRule:
    """What a dialog says while its element is in one Altinn 2 state; None leaves it to the default table."""

    status: str | None
    actions: tuple[str, ...] | None
    """Names of the mapping's actions whose buttons stay; None leaves it to the table."""
    wording: Wording = Wording()
    silent: bool | None = None
    """Whether a change to this state is silent; None leaves it to who caused it."""
    dates: Dates = Dates()
    main_content: Embed | None = None
    """What it shows in its middle; None leaves it to the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMapping:
    """One mapping file: what each action of one service resource means."""

    service_resource: str
    altinn2: Altinn2Service | None
    altinn3: Altinn3App | None
    forms: tuple[FormSpec, ...]
    actions: Mapping[str, ActionMapping]
    states: Mapping[CaseStatus, StateRule]
    """By the state, as mapping files call it."""
    source: str
    """The file it was read from, for messages."""
    attachment_rules: tuple[AttachmentRule, ...] = ()
    dialog: DialogSpec = field(default_factory=DialogSpec)
    refused: Wording = Wording()
    """What a dialog says after a refusal, in place of the built-in words."""
    embeds: Embeds | None = None
    said: str = field(default="", repr=False, compare=False)
    """All that the file says, as JSON: from it the mapping can be made again when the file is another, or gone."""

    @property
    def digest(self) -> str:
        """The digest of what the file says."""
        return hashlib.sha256(self.said.encode()).hexdigest()

    def form_spec(self, kind: FormKind, data_format_id: str, data_format_version: str) -> FormSpec | None:
        """The form of this key, or None when the service has no such form."""
        for spec in self.forms:
            if (spec.kind, spec.data_format_id, spec.data_format_version) == (
                kind,
                data_format_id,
                data_format_version,
            ):
                return spec
        return None
