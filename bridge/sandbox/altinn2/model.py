"""What Altinn 2 holds and is asked for, as values (facts/altinn2.md 2 to 4)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from bridge.sandbox.altinn2.blobs import Content, sha256_of
from bridge.sandbox.core.ledger import Ledger
from bridge.sandbox.core.switches import Switches

MAIN, SUB = "MainForm", "SubForm"
FORM_TASK, CORRESPONDENCE = "FormTask", "Correspondence"


class State(Enum):
    """Where an element stands; the last four are correspondences only."""

    FORM_FILLING = "formfilling"
    SIGNING = "signing"
    PAYMENT = "payment"
    ARCHIVED = "archived"
    DELETED = "deleted"
    UNREAD = "unread"
    OPENED = "opened"
    READ = "read"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """
    What prefill (*text*) or a calculation (*calculation*, XPath on the form) puts at *path* (``/melding/felt``).

    Neither: the field is expected to be absent.
    """

    path: str
    text: str | None = None
    calculation: str | None = None
    overridable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule on the field at *path*: *test* is XPath on the form; a *soft* one only warns."""

    path: str
    test: str
    message: str
    soft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FormType:
    """
    One form of a service's form set. *schema* is XSD text, None where Altinn 2 shall not validate.

    *prefill* is the XML of a form that is added without data. *max_one* is off unless said, although services had it
    on: the published samples put two subforms of a kind into one element.
    """

    kind: str
    data_format_id: str
    data_format_version: str
    name: str = "Skjema"
    schema: str | None = None
    prefill: str | None = None
    only_xsd: bool = False
    expected: tuple[Expected, ...] = ()
    rules: tuple[Rule, ...] = ()
    max_one: bool = False
    user_may_add: bool = True
    provider: str = "Seres"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRule:
    """One type of attachment; *max_size* in megabytes, *file_types* as free text, *max_count* None without bound."""

    name: str
    file_types: str = "*.*"
    min_count: int = 0
    max_count: int | None = None
    max_size: int = 30
    schema: str | None = None
    id: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    A service edition. *signing_steps* 0 is form filling and send-in; *keeps_copy* puts a copy into the archive.

    *names* and *owners* by language. *valid_to* None is for ever; an expired one has no metadata. *security_level* is
    what a session needs; *unique_signers* takes one signature from each user.
    """

    code: str
    edition: int
    forms: tuple[FormType, ...]
    name: str = "Sandkassetjeneste"
    owner: str = "Testdepartementet"
    signing_steps: int = 0
    payment: bool = False
    user_controlled_signing: bool = False
    keeps_copy: bool = True
    kind: str = FORM_TASK
    owner_code: str = "TTD"
    names: tuple[tuple[str, str], ...] = ()
    owners: tuple[tuple[str, str], ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    attachment_rules: tuple[AttachmentRule, ...] = ()
    attachments_in_signing: bool = False
    enterprise_users: bool = True
    security_level: int = 0
    unique_signers: bool = False
    encrypted: bool = False
    signing_text: str = "Jeg bekrefter at opplysningene er riktige."

    def form_type(self, kind: str, data_format_id: str, data_format_version: str) -> FormType | None:
        """The form of the set with this key, None where it has none."""
        key = (kind, data_format_id, data_format_version)
        return next((f for f in self.forms if (f.kind, f.data_format_id, f.data_format_version) == key), None)

    def main(self) -> FormType | None:
        """The main form of the set."""
        return next((each for each in self.forms if each.kind == MAIN), None)

    def attachment_rule(self, name: str) -> AttachmentRule | None:
        """The rule for a type of attachment, whatever its case."""
        return next((each for each in self.attachment_rules if each.name.lower() == name.lower()), None)

    def named(self, language: str) -> str:
        """The name in a language, or the one there is."""
        return dict(self.names).get(language, self.name)

    def owned(self, language: str) -> str:
        """The owner's name in a language, or the one there is."""
        return dict(self.owners).get(language, self.owner)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Form:
    """A form as it is held; *id* 0 has none yet."""

    kind: str
    data_format_id: str
    data_format_version: str
    data: str
    name: str = "Skjema"
    id: int = 0
    validated: bool = False

    @property
    def sha256(self) -> str:
        """The digest of the text as it came."""
        return hashlib.sha256(self.data.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Attachment:
    """An attachment as it is held; *id* 0 has none yet."""

    file_name: str
    attachment_type: str
    content: Content
    id: int = 0

    @property
    def sha256(self) -> str:
        """The digest of the bytes."""
        return sha256_of(self.content)

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.content)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Letter:
    """What a correspondence has besides; *body* is HTML, *archive_reference* the b-id of an earlier element."""

    body: str = ""
    summary: str = ""
    sender: str = ""
    due: datetime | None = None
    needs_confirmation: bool = False
    archive_reference: str | None = None
    reply_options: tuple[Mapping[str, object], ...] = ()
    custom_data: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Element:
    """One element. *who* holds every way in which its owner is addressed; *signatures* counts finished steps."""

    id: str
    who: frozenset[str]
    service: Service
    state: State
    forms: tuple[Form, ...]
    attachments: tuple[Attachment, ...]
    subject: str
    created: datetime
    changed: datetime
    changed_by: str = "SANDKASSE BRUKER"
    signatures: int = 0
    signers: frozenset[str] = frozenset()
    original_id: str | None = None
    visible: bool = True
    letter: Letter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureSpec:
    """Which forms and attachments are signed, by their ids."""

    form_ids: frozenset[int]
    attachment_ids: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Update:
    """The body and the flags of a POST or PUT. *forms* None is a body without forms: nothing is overwritten."""

    service_code: str
    service_edition: str
    forms: tuple[Form, ...] | None
    attachments: tuple[Attachment, ...]
    signed: SignatureSpec | None
    complete: bool
    sign: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FormPut:
    """The body of a POST or PUT of one form; *data* None asks for a prefilled one."""

    kind: str
    data_format_id: str
    data_format_version: str
    data: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who does something (*names*: every way to say it; *user* signs), when, and how the sandbox stands."""

    names: frozenset[str]
    user: str
    now: datetime
    switches: Switches
    ledger: Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One entry of a validation answer."""

    field: str
    message: str
    xpath: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What is wrong with a set of forms; warnings stop nothing. *forms* hold what Altinn 2 added to them."""

    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    forms: tuple[Form, ...] = field(default=(), repr=False)


class NoSuchElement(LookupError):
    """There is none, or it belongs to somebody else. *archived_id* where it moved there."""

    def __init__(self, archived_id: str | None = None) -> None:
        super().__init__("no such element")
        self.archived_id = archived_id


class NoSuchPart(LookupError):
    """The element has no such form or attachment."""


class NoSuchService(LookupError):
    """No service edition has this code, or none that is in force."""


class NotAllowed(Exception):
    """The element's state or the service's process forbids it; the message is Altinn 2's explanation."""


class LevelTooLow(Exception):
    """The session's authentication level is below what the service needs."""


class BadUpdate(Exception):
    """The update itself is wrong; the message is Altinn 2's explanation."""


class BadAttachment(BadUpdate):
    """An attachment breaks a rule; the message is Altinn 2's explanation."""


class Invalid(Exception):
    """Forms break their schema or the service's rules; nothing was stored."""

    def __init__(self, errors: Sequence[Finding], warnings: Sequence[Finding] = ()) -> None:
        super().__init__("Form validation failed, see the attached validation details")
        self.errors, self.warnings = tuple(errors), tuple(warnings)


TEXTS: Mapping[State, Mapping[str, str]] = {
    State.FORM_FILLING: {"1044": "Utfylling", "2068": "Utfylling", "1033": "Completion"},
    State.SIGNING: {"1044": "Signering", "2068": "Signering", "1033": "Signing"},
    # Found in no source: whoever reads it meets a text that is in no table of the facts.
    State.PAYMENT: {"1044": "Betaling", "2068": "Betaling", "1033": "Payment"},
    State.ARCHIVED: {"1044": "Sendt og arkivert", "2068": "Sendt og arkivert", "1033": "Sent and archived"},
    State.DELETED: {"1044": "Slettet", "2068": "Sletta", "1033": "Deleted"},
    State.UNREAD: {"1044": "Ulest", "2068": "Ulest", "1033": "Unread"},
    State.OPENED: {"1044": "Åpnet", "2068": "Åpnet", "1033": "Opened"},
    State.READ: {"1044": "Lest", "2068": "Lest", "1033": "Read"},
    State.CONFIRMED: {"1044": "Bekreftet", "2068": "Stadfesta", "1033": "Confirmed"},
}
_ARCHIVED_LETTER: Mapping[str, str] = {"1044": "Arkivert", "2068": "Arkivert", "1033": "Archived"}


def status_text(element: Element, language: str) -> str:
    """Where an element stands, as people read it."""
    if element.letter is not None and element.state is State.ARCHIVED:
        return _ARCHIVED_LETTER[language]
    return TEXTS[element.state][language]
