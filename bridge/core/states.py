"""What a dialog says after an action: the state table, and how a mapping overrides it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from bridge.core.cases import ENDED, CaseStatus
from bridge.core.dialog_presentation import (
    LIMITS,
    content_value,
    dates_of,
    filled,
    link_offers,
    offer,
    receipt_of,
    wanted_fields,
)
from bridge.core.dialogs import (
    REFUSAL,
    SERVICE_OWNER,
    Activity,
    Actor,
    DialogChange,
    Ends,
    Field,
    Offer,
    Only,
    party_representative,
)
from bridge.core.elements import aim, can_act
from bridge.core.embeds import main_content
from bridge.core.ids import derived_id
from bridge.core.mapping import (
    ActionMapping,
    Button,
    FormSource,
    Priority,
    ServiceMapping,
    StateRule,
    Texts,
    Then,
    Verb,
    Wording,
)
from bridge.core.operations import Outcome
from bridge.core.texts.history import CORRECTABLE, NOT_AGAIN, REFUSAL_TEXTS, TRY_AGAIN, badge_of
from bridge.core.texts.states import DELETED, FILLING, PUT_AWAY, SIGN, SIGNING, SUBMITTED, SUMMARIES, TEXTS, TITLES


@dataclass(frozen=True, slots=True)  # By position, so that the table reads in columns.
class Row:
    """
    One row of the state table. *status* None leaves the dialog's; *activity* None says only that it is unclear.

    *extended* is the status as people read it; it fills a gap, and replaces what a mapping or others say nowhere.
    """

    status: str | None
    activity: str | None
    extended: Texts | None = None


TABLE: Mapping[CaseStatus, Row] = {
    CaseStatus.FORM_FILLING: Row(None, "FormSaved", FILLING),
    CaseStatus.SIGNING: Row("InProgress", "SentToSigning", SIGNING),
    CaseStatus.ARCHIVED: Row("Completed", "FormSubmitted", SUBMITTED),
    CaseStatus.DELETED: Row("NotApplicable", "Information", DELETED),
    CaseStatus.UNREAD: Row(None, None),
    CaseStatus.OPENED: Row(None, None),
    CaseStatus.READ: Row(None, None),
    CaseStatus.CONFIRMED: Row(None, None),
    CaseStatus.UNKNOWN: Row(None, None),
    CaseStatus.CALCULATED: Row(None, "Information"),
}
"""What the dialog says once its element stands there."""

USUAL_STATUS: Mapping[CaseStatus, str] = {CaseStatus.FORM_FILLING: "Draft", CaseStatus.SIGNING: "InProgress"}
"""What the table leaves open, since it is made for dialogs of others, too."""

NOWHERE = frozenset({CaseStatus.CALCULATED, CaseStatus.UNKNOWN})
"""What says nothing of where the element stands: what was said of that goes on."""

REFUSED_STATUS: Mapping[str, str] = dict.fromkeys(CORRECTABLE, "RequiresAttention")
"""Refusals that the party has to do something about; any other leaves the status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which dialog is meant, and what its texts may name: *values* by name; *public_url* None offers no buttons."""

    mapping: ServiceMapping
    dialog_id: UUID
    public_url: str | None
    values: Mapping[str, str]


def change_for(
    *,
    subject: Subject,
    action: ActionMapping,
    outcome: Outcome,
    code: str | None,
    state: CaseStatus,
    operation_id: str,
    accepted_at: datetime,
    actor: str,
    ended: Collection[CaseStatus] = (),
) -> DialogChange:
    """
    What the dialog shall say once *action* ended in *outcome* with its element in *state*.

    The action's own ``then`` comes before the mapping's ``states``, these before its ``dialog``, and the table last.
    ``then`` counts only where the element stands where the action wants it: one signature of two is not yet done.
    There is always one activity, with an id that belongs to the operation and its outcome, so that Arbeidsflate wakes
    up and a repeat is recognised. *code* is the problem's, where there is one; *actor* the urn of who pressed. *ended*
    says at which end the dialog told before that its case is.
    """
    reached = aim(action) is state
    kind, description, performed_by = _activity_parts(
        outcome,
        code,
        kind=_activity(action, state) if reached else TABLE[state].activity,
        state=state,
        actor=actor,
        over=bool(ended) or state in ENDED,
    )
    activity = Activity(
        id=derived_id(accepted_at, operation_id, outcome.value),
        type=kind,
        created_at=accepted_at,
        performed_by=performed_by,
        description=description,
    )
    match outcome:
        case Outcome.DONE | Outcome.REPEATED:
            return _success(
                subject,
                action,
                state,
                then=action.then if reached else Then(),
                done=outcome is Outcome.DONE,
                activity=activity,
            )
        case Outcome.REFUSED | Outcome.GIVEN_UP:
            return _failure(subject, code or outcome.value, state, ended=ended, refused=outcome, activity=activity)
        case _:
            assert_never(outcome)


def _success(
    subject: Subject, action: ActionMapping, state: CaseStatus, *, then: Then, done: bool, activity: Activity
) -> DialogChange:
    """What the element came to; not *done* is what had been done before."""
    mapping = subject.mapping
    rule = mapping.states.get(state, NO_RULE)
    # Silent, since it follows the user's own press and must not fetch the dialog back from their archive.
    silent = next((each for each in (then.silent, rule.silent) if each is not None), True)
    removed, offers = _buttons(subject, state)
    return DialogChange(
        status=then.status or rule.status or TABLE[state].status,
        usual_status=USUAL_STATUS.get(state),
        remove_actions=removed,
        activities=(activity,),
        silent=silent,
        fields=_fields(subject, state, then, at=activity.created_at),
        state=state.value,
        ends=Ends.REFUSAL if state in NOWHERE else Ends.STATES,
        offers=offers,
        search_tags=mapping.dialog.search_tags,
        labels=mapping.dialog.labels,
        transmissions=receipt_of(
            mapping,
            subject.dialog_id,
            subject.values,
            sender=activity.performed_by,
            created_at=activity.created_at,
            public_url=subject.public_url,
        )
        if done and state is CaseStatus.ARCHIVED
        else (),
        # A repeat knows no result, and leaves what the press before it left.
        links=link_offers(subject.dialog_id, action.name, then.links, values=subject.values) if done else (),
        deletes=state is CaseStatus.DELETED and action.deletes_dialog,
    )


def _failure(
    subject: Subject,
    code: str,
    state: CaseStatus,
    *,
    ended: Collection[CaseStatus],
    refused: Outcome,
    activity: Activity,
) -> DialogChange:
    """
    The change that tells that a press came to nothing, with the buttons for what can be done now.

    A case at its end is told as such: a press that came too late is a line of its history, and no more.
    """
    mapping = subject.mapping
    removed, offers = _buttons(subject, state)
    if code == "element_gone" and state is CaseStatus.UNKNOWN:
        # Expired, or taken away: whatever needs the element would be told the same.
        removed = frozenset(name for name, each in mapping.actions.items() if each.needs_element)
    if state in ENDED and refused is Outcome.REFUSED:
        rule = mapping.states.get(state, NO_RULE)
        # What is said there already may be the words of the action that led there, which are better ones.
        said = {} if state in ended else _fields(subject, state, Then(), at=None)
        return DialogChange(
            status=None if state in ended else rule.status or TABLE[state].status,
            remove_actions=removed,
            activities=(activity,),
            silent=True,
            # What was refused moves no date.
            fields={pointer: each for pointer, each in said.items() if pointer != "/dueAt"},
            state=state.value,
            ends=Ends.REFUSAL if state in ended else Ends.STATES,
            offers=offers,
        )
    return DialogChange(
        status=None if ended else REFUSED_STATUS.get(code),
        remove_actions=removed,
        activities=(activity,),
        silent=True,
        fields={} if ended else _refusal(subject, code, activity.description),
        state=REFUSAL,
        offers=offers,
    )


def change_for_state(subject: Subject, state: CaseStatus, *, activity: Activity | None) -> DialogChange:
    """
    What the dialog shall say of an element that moved to *state* without a press.

    It is news, so it is not silent unless the mapping says so.
    """
    mapping, row = subject.mapping, TABLE[state]
    rule = mapping.states.get(state, NO_RULE)
    removed, offers = _buttons(subject, state)
    return DialogChange(
        status=rule.status or row.status,
        usual_status=USUAL_STATUS.get(state),
        remove_actions=removed,
        activities=() if activity is None else (activity,),
        silent=rule.silent or False,
        fields=_fields(subject, state, Then(), at=None if activity is None else activity.created_at),
        state=state.value,
        ends=Ends.REFUSAL if state in NOWHERE else Ends.STATES,
        offers=offers,
        search_tags=mapping.dialog.search_tags,
        labels=mapping.dialog.labels,
        transmissions=receipt_of(
            mapping,
            subject.dialog_id,
            subject.values,
            sender=SERVICE_OWNER,
            created_at=activity.created_at,
            public_url=subject.public_url,
        )
        if activity is not None and state is CaseStatus.ARCHIVED
        else (),
    )


NO_RULE = StateRule(status=None, actions=None)


def shown_in(mapping: ServiceMapping, state: CaseStatus) -> Sequence[str] | None:
    """
    Name the actions that a dialog offers in *state*: those that the mapping names, or else those that can act there.

    None where nobody can say where the element stands: whatever buttons there are stay, and none is put there.
    """
    rule = mapping.states.get(state, NO_RULE)
    if rule.actions is not None:
        return rule.actions
    if state in NOWHERE:
        return None
    return () if state in ENDED else [name for name, each in mapping.actions.items() if can_act(each, state)]


def _buttons(subject: Subject, state: CaseStatus) -> tuple[frozenset[str], tuple[Offer, ...]]:
    """The names of actions whose buttons go, and the offers that the dialog is to have."""
    shown = shown_in(subject.mapping, state)
    if shown is None:
        return frozenset(), ()
    there = [name for name in subject.mapping.actions if name in shown]
    return frozenset(subject.mapping.actions).difference(shown), offers_of(subject, there)


def _fields(subject: Subject, state: CaseStatus, then: Then, *, at: datetime | None) -> Mapping[str, Field]:
    """The fields of a state; *at* is when it was reached, from which dates count, and None where nobody knows."""
    rule = subject.mapping.states.get(state, NO_RULE)
    default = Wording(extended_status=TABLE[state].extended)
    fields = dict(wanted_fields((then.wording, rule.wording, subject.mapping.dialog.wording), default, subject.values))
    if state in SUMMARIES:
        # Not in the place of an agency's words, nor where it says none; but what we said is not left to grow untrue.
        said = Field(value=content_value(SUMMARIES[state]), asked=False, only=Only.OWN)
        fields.setdefault("/content/summary", said)
    if state in ENDED:
        # What is done is not due any more; a date that others set is theirs.
        fields["/dueAt"] = Field(value=None, asked=False)
    fields |= main_content(subject.mapping, subject.dialog_id, state, public_url=subject.public_url)
    if at is not None:
        fields |= dates_of((then.dates, rule.dates), at)
    return fields


def _refusal(subject: Subject, code: str, reasons: Texts) -> Mapping[str, Field]:
    """
    The fields that tell a refusal in Arbeidsflate: as a badge, and below the summary (facts/dialogporten.md 13).

    Only where nobody else has said anything, since it is taken away again, and theirs could not be put back.
    """
    own = Wording() if code in NOT_AGAIN else subject.mapping.refused
    wanted = (
        ("extendedStatus", own.extended_status, badge_of(code)),
        ("additionalInfo", own.additional_info, reasons),
    )
    fields = {}
    for name, texts, built_in in wanted:
        said: dict[str, str] = {}
        for language, text in (texts or {}).items():
            reason = {**subject.values, "reason": reasons[language]}
            said |= filled({language: text}, reason, limit=LIMITS[name]) or {}
        whole = said if said and said.keys() == built_in.keys() and all(map(str.strip, said.values())) else built_in
        fields[f"/content/{name}"] = Field(value=content_value(whole), asked=False, only=Only.UNSAID)
    return fields


def offers_of(subject: Subject, names: Iterable[str]) -> tuple[Offer, ...]:
    """
    How a dialog offers these actions, the weightiest first: a place that is taken gives way to the next lower one.

    An action to which the mapping gives no button has a built-in one on the bridge's own dialogs: one that nobody can
    press is no use.
    """
    if subject.public_url is None:
        return ()
    actions = [subject.mapping.actions[name] for name in names]
    made = (
        (
            each.button,
            offer(
                subject.dialog_id,
                replace(each, button=each.button or Button(title=_title(each), priority=Priority.PRIMARY, api=True)),
                public_url=subject.public_url,
            ),
        )
        for each in actions
    )
    return tuple(replace(found, on_ours_alone=button is None) for button, found in made if found is not None)


def _title(action: ActionMapping) -> Texts:
    if action.verb is Verb.ARCHIVE:
        return PUT_AWAY
    signs = action.verb is Verb.PUT and action.form is FormSource.NONE
    return SIGN if signs else TITLES[aim(action)]


def _activity(action: ActionMapping, state: CaseStatus) -> str | None:
    """Name the activity that tells what was done, where the element stands where it was wanted."""
    if action.then.activity is not None:
        return action.then.activity
    if action.deletes_dialog:
        return "DialogDeleted"
    return TABLE[state].activity or "Information"


def _activity_parts(
    outcome: Outcome, code: str | None, *, kind: str | None, state: CaseStatus, actor: str, over: bool
) -> tuple[str, Mapping[str, str], Actor]:
    """
    The activity's type, its text (for Information only) and who did it; *kind* None is an unclear state.

    A case that is *over* asks nobody for another try: there is no button for it.
    """
    match outcome:
        case Outcome.DONE if kind is not None:
            text = TEXTS[_DONE.get(state, "done")] if kind == "Information" else {}
            return kind, text, party_representative(actor)
        case Outcome.REPEATED if kind is not None:
            return "Information", TEXTS["repeated"], SERVICE_OWNER
        case Outcome.DONE | Outcome.REPEATED:
            return "Information", TEXTS["unclear"], SERVICE_OWNER
        case Outcome.REFUSED | Outcome.GIVEN_UP if over and _asks_again(outcome, code):
            return "Information", TEXTS["over"], SERVICE_OWNER
        case Outcome.REFUSED:
            return "Information", REFUSAL_TEXTS.get(code or "", REFUSAL_TEXTS["refused"]), SERVICE_OWNER
        case Outcome.GIVEN_UP:
            return "Information", TEXTS.get(code or "", TEXTS["given_up"]), SERVICE_OWNER
        case _:
            assert_never(outcome)


def _asks_again(outcome: Outcome, code: str | None) -> bool:
    """Whether the text of a failure asks for another try."""
    return code in TRY_AGAIN or (outcome is Outcome.GIVEN_UP and code not in TEXTS)


_DONE = {CaseStatus.CALCULATED: "calculated", CaseStatus.DELETED: "deleted"}
