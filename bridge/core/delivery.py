"""The phases of a delivery as one table, what must be there after a write, and whether it is."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from bridge.core.elements import Attachment, Element, Listed


class Phase(Enum):
    """Where an operation is that takes more than one PUT."""

    WHOLE = "whole"
    """One PUT does it all."""
    COMPLETING_WITHOUT_SIGNATURE = "trying"
    """The PUT that completes, and signs nothing, is out: the attachments are still to be proved."""
    ATTACHMENTS_VERIFIED = "proved"
    """It left the attachments where they were: the signature may follow."""
    SAVING = "saving"
    """The PUT that keeps what is wanted as a draft is out, so that Altinn 2 can be asked about it."""
    SAVED = "saved"
    """It is there: Altinn 2 may be asked, and what it holds then may be completed."""
    UPDATING_FORMS = "parts"
    """Forms are written one by one: each is still to be seen there."""
    WRITTEN = "written"
    """All of them are there: what follows carries no forms."""
    ROLLING_BACK = "putting back"
    """One of them was refused: those that were written become again what they were."""


class Event(Enum):
    """What happens in a delivery. Those that begin with SENT are told before their call is made."""

    SENT_WHOLE = "sent whole"
    """One write is to do it all."""
    SENT_SIGNATURE = "sent signature"
    """The write that signs what stands in signing, or completes and signs what was verified; it carries no form."""
    SENT_COMPLETION = "sent completion"
    """The PUT that completes around the attachments, and signs nothing."""
    SENT_DRAFT = "sent draft"
    """The PUT that keeps what is wanted as a draft, for Altinn 2 to be asked about."""
    SENT_FORMS = "sent forms"
    """The first of some forms that are written one by one."""
    SENT_BACK = "sent back"
    """A form that was written is to become again what it was."""
    ANSWERED = "answered"
    """The call was answered with a yes."""
    NEVER_LEFT = "never left"
    """It did not leave us: what stood before it stands."""
    UNKNOWN = "unknown"
    """No answer came."""
    REFUSED = "refused"
    """It was answered with a no."""
    FORM_REFUSED = "form refused"
    """The same, after other forms than this one were written."""
    SEEN_WHOLE = "seen whole"
    """What was completed is seen to hold all that it held."""
    DRAFT_SEEN = "draft seen"
    FORMS_SEEN = "forms seen"
    """Each form that was to be written is there."""
    TAKEN_ON = "taken on"
    """Somebody else took the element out of form filling: it is judged as if nothing had been sent."""
    ENDED = "ended"
    """Well or badly; the dialog is told."""


class Write(Enum):
    """Which members of the operation's row a transition writes. Those that a phase needs go with it, or none does."""

    SET_OUT = (
        "sending_at",
        "may_arrive_until",
        "uncertain_at",
        "built_on",
        "answered_at",
        "manifest",
        "sent_forms",
        "held_forms",
    )
    ANSWER = ("answered_at", "archived_id", "may_arrive_until")
    MARKS = ("sending_at", "may_arrive_until")
    """Since when a write is out, and until when it may take effect; what is to be there afterwards is known."""
    ARRIVAL = ("may_arrive_until",)
    """Until when what is out may take effect; since when it is out stays."""
    NO = ("may_arrive_until", "problem")
    """The no counts, where an earlier write may still arrive, once that one cannot."""
    NO_TO_ONE = ("manifest", "problem")
    ANEW = ("sending_at", "answered_at", "may_arrive_until", "built_on", "manifest")
    """Nothing is out any more, and what follows is built on what was seen."""
    ANEW_WITHOUT_FORMS = (*ANEW, "sent_forms", "held_forms", "problem")
    """The forms were compared; a no to a repeat of what did arrive is no longer true."""
    END = ("stage", "outcome", "state_after", "archived_id", "may_arrive_until", "tries")


@dataclass(frozen=True, slots=True)
class Step:
    """The phase that follows, and what is written with it."""

    phase: Phase
    write: Write


_ANSWERS = {
    Event.ANSWERED: Write.ANSWER,
    Event.NEVER_LEFT: Write.MARKS,
    Event.UNKNOWN: Write.ARRIVAL,
    Event.REFUSED: Write.NO,
}
"""To a write that is out; it stays in its phase."""
_SENT_ANEW = {
    Event.SENT_WHOLE: Phase.WHOLE,
    Event.SENT_COMPLETION: Phase.COMPLETING_WITHOUT_SIGNATURE,
    Event.SENT_DRAFT: Phase.SAVING,
    Event.SENT_FORMS: Phase.UPDATING_FORMS,
}
"""What is built of what the element holds may be any of these, as also after one of them that did not arrive."""

TABLE: Mapping[tuple[Phase, Event], Step] = {
    **{
        (phase, event): Step(following, Write.SET_OUT)
        for phase in _SENT_ANEW.values()
        for event, following in _SENT_ANEW.items()
    },
    **{
        (phase, event): Step(phase, write)
        for phase in (*_SENT_ANEW.values(), Phase.ATTACHMENTS_VERIFIED)
        for event, write in _ANSWERS.items()
    },
    **{(phase, Event.ENDED): Step(phase, Write.END) for phase in Phase},
    (Phase.WHOLE, Event.SENT_SIGNATURE): Step(Phase.WHOLE, Write.SET_OUT),
    # The signature apart from the completion.
    (Phase.COMPLETING_WITHOUT_SIGNATURE, Event.SEEN_WHOLE): Step(Phase.ATTACHMENTS_VERIFIED, Write.ANEW_WITHOUT_FORMS),
    (Phase.ATTACHMENTS_VERIFIED, Event.SENT_SIGNATURE): Step(Phase.ATTACHMENTS_VERIFIED, Write.SET_OUT),
    # A draft first, and Altinn 2 asked about it.
    (Phase.SAVING, Event.DRAFT_SEEN): Step(Phase.SAVED, Write.ANEW),
    (Phase.SAVING, Event.TAKEN_ON): Step(Phase.WHOLE, Write.ANEW),
    (Phase.SAVED, Event.SENT_WHOLE): Step(Phase.WHOLE, Write.SET_OUT),
    (Phase.SAVED, Event.SENT_COMPLETION): Step(Phase.COMPLETING_WITHOUT_SIGNATURE, Write.SET_OUT),
    (Phase.SAVED, Event.SENT_FORMS): Step(Phase.UPDATING_FORMS, Write.SET_OUT),
    # Form by form.
    (Phase.UPDATING_FORMS, Event.FORMS_SEEN): Step(Phase.WRITTEN, Write.ANEW),
    (Phase.UPDATING_FORMS, Event.TAKEN_ON): Step(Phase.WHOLE, Write.ANEW),
    (Phase.WRITTEN, Event.SENT_WHOLE): Step(Phase.WHOLE, Write.SET_OUT),
    (Phase.WRITTEN, Event.SENT_COMPLETION): Step(Phase.COMPLETING_WITHOUT_SIGNATURE, Write.SET_OUT),
    (Phase.UPDATING_FORMS, Event.FORM_REFUSED): Step(Phase.ROLLING_BACK, Write.NO_TO_ONE),
    (Phase.ROLLING_BACK, Event.SENT_BACK): Step(Phase.ROLLING_BACK, Write.MARKS),
    (Phase.ROLLING_BACK, Event.UNKNOWN): Step(Phase.ROLLING_BACK, Write.ARRIVAL),
    (Phase.ROLLING_BACK, Event.NEVER_LEFT): Step(Phase.ROLLING_BACK, Write.ARRIVAL),
    (Phase.ROLLING_BACK, Event.REFUSED): Step(Phase.ROLLING_BACK, Write.ARRIVAL),
}
"""Every step that a delivery can take; what does not stand here does not happen."""

BEGUN = frozenset((Phase.ATTACHMENTS_VERIFIED, Phase.SAVED, Phase.WRITTEN, Phase.ROLLING_BACK))
"""Phases in which something was written, whether or not a call is out now."""
LOOKED_AT = frozenset((Phase.COMPLETING_WITHOUT_SIGNATURE, Phase.SAVING, Phase.UPDATING_FORMS))
"""Phases in which a yes is not the end: what was written is looked at, and something follows."""
ENDS_ONCE = frozenset((Phase.WHOLE, Phase.COMPLETING_WITHOUT_SIGNATURE, Phase.ATTACHMENTS_VERIFIED))
"""Phases whose write, where it archives, can take effect once only."""


def step(phase: Phase, event: Event) -> Step:
    """Look up what follows in *phase* on *event*. Raises LookupError where that does not happen."""
    try:
        return TABLE[phase, event]
    except KeyError:
        raise LookupError(f"in the phase {phase.name} there is no {event.name}") from None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Manifest:
    """What an operation carries or leaves in place: how many forms, and each attachment's name and size."""

    forms: int
    files: tuple[tuple[str, int | None], ...]
    phase: Phase = Phase.WHOLE

    def __repr__(self) -> str:
        return f"Manifest({self.forms} forms, {len(self.files)} files, {self.phase.value})"

    def in_phase(self, phase: Phase) -> "Manifest":
        """The manifest in another phase."""
        return replace(self, phase=phase)


class Verification(Enum):
    """What a read says about a manifest."""

    WHOLE = "whole"
    LOST = "lost"
    NOT_SHOWN = "not shown"
    """The read does not list forms and attachments."""


def manifest_of(forms: int, attachments: Iterable[Attachment | Listed]) -> Manifest:
    """The manifest of so many forms and these attachments."""
    return Manifest(forms=forms, files=tuple((_name(each), _size(each)) for each in attachments))


def verify(manifest: Manifest, element: Element) -> Verification:
    """
    Hold what *element* lists against *manifest*.

    More than was asked for is not a loss; fewer forms, or an attachment that is not found again, is. A size that one
    side does not know (``filesize`` -1) is taken for the same.
    """
    if element.listed_forms is None or element.listed_attachments is None:
        return Verification.NOT_SHOWN
    if len(element.listed_forms) < manifest.forms:
        return Verification.LOST
    there = Counter((each.name, each.size) for each in element.listed_attachments)
    left: list[tuple[str, int | None]] = []
    for file in manifest.files:
        if there[file]:
            there[file] -= 1
        else:
            left.append(file)
    for name, size in left:
        like = next((each for each, count in there.items() if count and _alike(each, (name, size))), None)
        if like is None:
            return Verification.LOST
        there[like] -= 1
    return Verification.WHOLE


def _alike(one: tuple[str, int | None], other: tuple[str, int | None]) -> bool:
    return one[0] == other[0] and (one[1] is None or other[1] is None)


def _name(each: Attachment | Listed) -> str:
    return each.name if isinstance(each, Listed) else each.file_name


def _size(each: Attachment | Listed) -> int | None:
    if isinstance(each, Listed):
        return each.size
    return each.size if each.content is None else each.content.size
