"""An accepted write action, with where it stands and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from bridge.core.cases import CaseRef
from bridge.core.delivery import Manifest, Phase
from bridge.core.elements import Form
from bridge.core.meaning import Meaning
from bridge.core.problems import Problem


def _there(case: CaseRef | None) -> CaseRef:
    if case is None:
        raise LookupError("the action is about a case, and its dialog stands for none")
    return case


class Stage(Enum):
    """What is left to do. The row says it, not the engine, so any run can take it up."""

    DELIVER = "deliver"
    """Bring it to the system that owns the case."""
    SYNC = "sync"
    """Tell the dialog."""
    FINISHED = "finished"


HELD = "store_restored"
"""Why an operation is held that was accepted before the store was restored: it may have been carried out since."""
NOT_TOLD = "dialog_not_told"
"""Why an operation is a dead letter that was carried out, and whose dialog could not be told."""
FROZEN = "dialog_frozen"
"""The same where only Altinn can let it be told."""
TOLD_IN_PART = "told_in_part"
"""The same where its dialog says what was done, and not how far the case has come."""


class Outcome(Enum):
    """How an operation ended."""

    DONE = "done"
    REPEATED = "repeated"
    """It was done already, by an earlier operation or by other means."""
    REFUSED = "refused"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """
    Which case a dialog stands for. *archived_id* is the b-id, once there is one.

    *case* is None where nobody has needed it yet: an app calculates what the caller sends.
    """

    dialog_id: UUID
    service_resource: str
    party: str
    case: CaseRef | None
    archived_id: str | None = None
    archive_reference: str | None = None

    @property
    def required_case(self) -> CaseRef:
        """The case, where the action is about one."""
        return _there(self.case)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Intent:
    """What a press asks for. Two presses with equal *key* and *signer* mean the same thing."""

    dialog_id: UUID
    action: str
    service_resource: str
    case: CaseRef | None
    actor: str
    body: bytes | None
    body_digest: str
    meaning: Meaning
    mapping_digest: str
    """Of the whole mapping that was in force, which is kept under it."""
    signer: str = ""
    """Who signs, as a digest, where it signs: another person's press is another one."""
    language: str = "nb"
    """What the caller reads; an app is asked to calculate in it."""
    level: int | None = None
    """The caller's authentication level."""

    @property
    def key(self) -> str:
        """Dialog, action and target: the same press, whatever its body and language."""
        return f"{self.action}:" + ("" if self.case is None else f"{self.case.owner}/{self.case.key}")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Operation:
    """A row of our own table; *actor*, *body*, *results* and the forms are erased when it is finished."""

    id: UUID
    dialog_id: UUID
    sequence: int
    """Its place among the operations of its dialog, from 1."""
    service_resource: str
    action: str
    case: CaseRef | None
    actor: str | None
    body: bytes | None
    body_digest: str
    stage: Stage
    outcome: Outcome | None
    problem: Problem | None
    attempt: int
    """How many times the engine was asked to run it, from 1."""
    tries: int
    """Failed tries of the present stage."""
    waiting: bool
    """Parked until an earlier operation of the dialog is finished."""
    holder: str | None
    sending_at: datetime | None
    """When the last PUT set out; its answer is unknown while the stage is still DELIVER."""
    answered_at: datetime | None
    """When Altinn 2 answered that PUT with a yes."""
    built_on: datetime | None
    """The element's last change when this operation first read it."""
    state_after: str | None
    archived_id: str | None
    accepted_at: datetime
    finished_at: datetime | None
    last_error: str | None
    manifest: Manifest | None = None
    """What the element must hold once it took what was sent."""
    sent_forms: tuple[Form, ...] = ()
    """The forms as they shall be, to be held against what is shown afterwards; erased when it is finished."""
    held_forms: tuple[Form, ...] = ()
    """Those of them that were there before, as they were; erased with the others."""
    language: str = "nb"
    results: Mapping[str, str] = field(default_factory=dict)
    """What was read from the calculated form, by the names of the mapping's ``results``."""
    level: int | None = None
    """The level of who pressed; None for what was accepted before it was kept."""
    may_arrive_until: datetime | None = None
    """Until when a write that nobody answered may still take effect; None where none is out."""
    uncertain_at: datetime | None = None
    """
    When the dialog was told that it is not known yet what became of that write.

    Before one of its own has set out: that it waits for what else may arrive at the element.
    """
    differences: Mapping[str, object] = field(default_factory=dict)
    """How the forms came back otherwise than they were sent: ``count``, and paths by what became of them; no values."""
    meaning: Meaning | None = None
    """What it was accepted to do; None where it was accepted before that was kept."""
    mapping_digest: str | None = None
    """Of the mapping that was in force then."""
    tried_since: datetime | None = None
    """From when the time counts after which it is given up, where that is not when it was accepted."""
    left_out: tuple[str, ...] = ()
    """What Dialogporten did not take, and the dialog therefore does not say: places, no values."""
    dead_at: datetime | None = None
    """When it was set aside as a dead letter, or held; it keeps what it holds until an operator has decided."""
    dead_stage: Stage | None = None
    """The step that it goes on with when it is tried again."""
    dead_why: str | None = None
    dismissed_at: datetime | None = None
    dismissed_why: str | None = field(default=None, repr=False)
    """In an operator's words."""
    signer: str = ""
    """Who signs, as a digest; kept while the element waits for the signatures of others, and erased then."""
    left_on: datetime | None = None
    """The element's last change once this operation had its effect."""
    awaits_upload_since: datetime | None = None
    """Since when it waits for an attachment that is on its way; None where it does not."""

    @property
    def required_case(self) -> CaseRef:
        """The case, where the action is about one."""
        return _there(self.case)

    @property
    def phase(self) -> Phase:
        """Where its delivery is."""
        return Phase.WHOLE if self.manifest is None else self.manifest.phase

    def __repr__(self) -> str:
        return f"Operation({self.id}, {self.action}, {self.stage.value}, {self.outcome})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Upload:
    """One attachment on its way to an element, or there: *attachment_id* says under which id."""

    id: UUID
    dialog_id: UUID
    case: CaseRef
    file_name: str
    attachment_type: str
    length: int | None
    sha256: str | None = None
    attachment_id: int | None = None
    replaces: tuple[int, ...] = ()
    """Ids of those whose place it takes, while it is not settled that they are gone."""
    replaced_by: UUID | None = None
    removed: bool = False
    found: bool = False
    """It was there before, and nothing says that it came through us."""

    def __repr__(self) -> str:
        return f"Upload({self.id}, {self.attachment_id})"
