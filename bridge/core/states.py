"""What a dialog says after an action: the state table, and how a mapping overrides it."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import assert_never
from uuid import UUID

from bridge.core.dialogs import SERVICE_OWNER, Activity, Actor, DialogChange, Field, Offer, party_representative
from bridge.core.elements import ElementState, aim
from bridge.core.ids import derived_id
from bridge.core.mapping import ActionMapping, ServiceMapping, StateRule, Texts, Then, Wording
from bridge.core.offers import dates_of, link_offers, offer, receipt_of, wanted_fields
from bridge.core.operations import Outcome


class Buttons(Enum):
    """Which of the mapping's own buttons stay."""

    ALL = "all"
    OTHERS = "all but the one that was pressed"
    NONE = "none"


@dataclass(frozen=True, slots=True)  # By position, so that the table reads in columns.
class Row:
    """
    One row of the state table. *status* None leaves the dialog's; *activity* None says only that it is unclear.

    *extended* is the status as people read it; it fills a gap, and replaces what a mapping or others say nowhere.
    """

    status: str | None
    buttons: Buttons
    activity: str | None
    extended: Texts | None = None


FILLING: Texts = {"nb": "Under utfylling", "nn": "Under utfylling", "en": "Being filled in"}
SIGNING: Texts = {"nb": "Til signering", "nn": "Til signering", "en": "To be signed"}
SUBMITTED: Texts = {"nb": "Sendt inn", "nn": "Sendt inn", "en": "Submitted"}

TABLE: Mapping[ElementState, Row] = {
    ElementState.FORM_FILLING: Row(None, Buttons.ALL, "FormSaved", FILLING),
    ElementState.SIGNING: Row("InProgress", Buttons.OTHERS, "SentToSigning", SIGNING),
    ElementState.ARCHIVED: Row("Completed", Buttons.NONE, "FormSubmitted", SUBMITTED),
    ElementState.DELETED: Row(None, Buttons.ALL, None),
    ElementState.UNREAD: Row(None, Buttons.ALL, None),
    ElementState.OPENED: Row(None, Buttons.ALL, None),
    ElementState.READ: Row(None, Buttons.ALL, None),
    ElementState.CONFIRMED: Row(None, Buttons.OTHERS, None),
    ElementState.UNKNOWN: Row(None, Buttons.ALL, None),
    ElementState.CALCULATED: Row(None, Buttons.ALL, "Information"),
}
"""What the dialog says once its element stands there."""

REFUSED_STATUS: Mapping[str, str] = dict.fromkeys(
    ("form_invalid", "form_refused", "app_form_unreadable", "app_cannot_calculate"), "RequiresAttention"
)
"""Refusals that the party has to do something about; any other leaves the status."""

TEXTS: Mapping[str, Mapping[str, str]] = {
    "done": {
        "nb": "Handlingen er utført.",
        "nn": "Handlinga er utført.",
        "en": "The action has been carried out.",
    },
    "calculated": {
        "nb": "Skjemaet er beregnet. Ingenting er sendt inn.",
        "nn": "Skjemaet er rekna ut. Ingenting er sendt inn.",
        "en": "The form has been calculated. Nothing has been sent in.",
    },
    "repeated": {
        "nb": "Dette var gjort fra før. Ingenting ble sendt på nytt, og du trenger ikke å gjøre noe mer.",
        "nn": "Dette var gjort frå før. Ingenting vart sendt på nytt, og du treng ikkje gjere noko meir.",
        "en": "This had been done already. Nothing was sent again, and you need not do anything more.",
    },
    "unclear": {
        "nb": "Vi kan ikke se hvor langt saken er kommet i Altinn. Åpne skjemaet i Altinn, eller kontakt avsenderen.",
        "nn": "Vi kan ikkje sjå kor langt saka er komen i Altinn. Opne skjemaet i Altinn, eller kontakt avsendaren.",
        "en": "We cannot see how far the case has come in Altinn. Open the form in Altinn, or contact the sender.",
    },
    "content_lost": {
        "nb": "Handlingen er utført, men noe mangler i det som Altinn viser. Avsenderen må kontrollere saken.",
        "nn": "Handlinga er utført, men noko manglar i det som Altinn viser. Avsendaren må kontrollere saka.",
        "en": "The action was carried out, but Altinn does not show all of it. The sender has to check the case.",
    },
    "given_up": {
        "nb": "Handlingen kunne ikke fullføres. Prøv igjen senere, eller kontakt avsenderen.",
        "nn": "Handlinga kunne ikkje fullførast. Prøv igjen seinare, eller kontakt avsendaren.",
        "en": "The action could not be completed. Try again later, or contact the sender.",
    },
    "outcome_uncertain": {
        "nb": "Det er uvisst om saken ble sendt. Ikke send på nytt; avsenderen må kontrollere saken.",
        "nn": "Det er uvisst om saka vart send. Ikkje send på nytt; avsendaren må kontrollere saka.",
        "en": "It is uncertain whether the case was sent. Do not send again; the sender has to check the case.",
    },
}
"""What the dialog's history says, by language: at most 255 characters, and nothing of the form or the person."""

_FORM_FAULTS = {
    "nb": "Skjemaet har feil, og ingenting ble sendt. Rett feilene i skjemaet, og prøv igjen.",
    "nn": "Skjemaet har feil, og ingenting vart sendt. Rett feila i skjemaet, og prøv igjen.",
    "en": "The form has errors, and nothing was sent. Correct them in the form, and try again.",
}

REFUSAL_TEXTS: Mapping[str, Mapping[str, str]] = {
    "refused": {
        "nb": "Handlingen ble avvist, og ingenting ble sendt. Prøv igjen senere, eller kontakt avsenderen.",
        "nn": "Handlinga vart avvist, og ingenting vart sendt. Prøv igjen seinare, eller kontakt avsendaren.",
        "en": "The action was refused, and nothing was sent. Try again later, or contact the sender.",
    },
    "form_invalid": _FORM_FAULTS,
    "form_refused": _FORM_FAULTS,
    "app_form_unreadable": _FORM_FAULTS,
    "app_cannot_calculate": _FORM_FAULTS,
    "too_large_to_carry": {
        "nb": "Vedleggene er for store til å sendes herfra, og ingenting ble sendt. Fullfør skjemaet i Altinn.",
        "nn": "Vedlegga er for store til å sendast herifrå, og ingenting vart sendt. Fullfør skjemaet i Altinn.",
        "en": "The attachments are too large to be sent from here, and nothing was sent. Complete the form in Altinn.",
    },
    "attachment_missing": {
        "nb": "Skjemaet mangler vedlegg, og ingenting ble sendt. Legg ved det som mangler, og prøv igjen.",
        "nn": "Skjemaet manglar vedlegg, og ingenting vart sendt. Legg ved det som manglar, og prøv igjen.",
        "en": "Attachments are missing, and nothing was sent. Attach what is missing, and try again.",
    },
    "payment_needed": {
        "nb": "Skjemaet må betales i Altinn, og ingenting ble sendt. Fullfør det der.",
        "nn": "Skjemaet må betalast i Altinn, og ingenting vart sendt. Fullfør det der.",
        "en": "The form has to be paid for in Altinn, and nothing was sent. Complete it there.",
    },
    "others_must_sign": {
        "nb": "Skjemaet må signeres av flere, og ingenting ble sendt. Send det til signering i Altinn.",
        "nn": "Skjemaet må signerast av fleire, og ingenting vart sendt. Send det til signering i Altinn.",
        "en": "Others have to sign the form, and nothing was sent. Send it to signing in Altinn.",
    },
    "element_changed": {
        "nb": "Skjemaet ble endret i mellomtiden, og ingenting ble sendt. Se over det, og prøv igjen.",
        "nn": "Skjemaet vart endra i mellomtida, og ingenting vart sendt. Sjå over det, og prøv igjen.",
        "en": "The form was changed meanwhile, and nothing was sent. Look it over, and try again.",
    },
    "mapping_changed": {
        "nb": "Handlingen ble endret mens den ventet, og ingenting ble sendt. Se over den, og prøv igjen.",
        "nn": "Handlinga vart endra medan ho venta, og ingenting vart sendt. Sjå over henne, og prøv igjen.",
        "en": "The action was changed while it waited, and nothing was sent. Look it over, and try again.",
    },
    "element_gone": {
        "nb": "Skjemaet finnes ikke lenger i Altinn, og ingenting ble sendt. Kontakt avsenderen.",
        "nn": "Skjemaet finst ikkje lenger i Altinn, og ingenting vart sendt. Kontakt avsendaren.",
        "en": "The form is no longer in Altinn, and nothing was sent. Contact the sender.",
    },
    "upstream_gone": {
        "nb": "Systemet som skjemaet lå i, er stengt, og ingenting ble sendt. Kontakt avsenderen.",
        "nn": "Systemet som skjemaet låg i, er stengt, og ingenting vart sendt. Kontakt avsendaren.",
        "en": "The system that held the form is closed, and nothing was sent. Contact the sender.",
    },
}
"""The same, by the code of the operation's problem; ``refused`` stands for every other code."""


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
    state: ElementState,
    operation_id: str,
    accepted_at: datetime,
    actor: str,
) -> DialogChange:
    """
    Say what the dialog shall say once *action* ended in *outcome* with its element in *state*.

    The action's own ``then`` comes before the mapping's ``states``, these before its ``dialog``, and the table last.
    ``then`` counts only where the element stands where the action wants it: one signature of two is not yet done.
    There is always one activity, with an id that belongs to the operation and its outcome, so that Arbeidsflate wakes
    up and a repeat is recognised. *code* is the problem's, where there is one; *actor* the urn of who pressed.
    """
    mapping = subject.mapping
    reached = aim(action) is state
    then = action.then if reached else Then()
    status, removed = _shown(outcome=outcome, code=code, mapping=mapping, action=action, state=state, then=then)
    kind, description, performed_by = _told(
        outcome, code, kind=then.activity or TABLE[state].activity or ("Information" if reached else None), actor=actor
    )
    if outcome is Outcome.DONE and state is ElementState.CALCULATED and kind == "Information":
        description = TEXTS["calculated"]
    activity = Activity(
        id=derived_id(accepted_at, operation_id, outcome.value),
        type=kind,
        created_at=accepted_at,
        performed_by=performed_by,
        description=description,
    )
    done = outcome in (Outcome.DONE, Outcome.REPEATED)
    rule = mapping.states.get(state.value, NO_RULE)
    # Silent, since it follows the user's own press and must not fetch the dialog back from their archive.
    silent = next((each for each in (then.silent, rule.silent) if each is not None), True)
    return DialogChange(
        status=status,
        remove_actions=removed,
        activities=(activity,),
        silent=silent,
        fields=_fields(subject, state, then, at=accepted_at) if done else {},
        # What failed may be pressed again, so its button is there; whatever else there is stays as it is.
        offers=_offers(subject, frozenset(mapping.actions) - removed if done else frozenset({action.name})),
        search_tags=mapping.dialog.search_tags if done else (),
        labels=mapping.dialog.labels if done else (),
        transmissions=receipt_of(
            mapping, subject.dialog_id, subject.values, sender=performed_by, created_at=accepted_at
        )
        if outcome is Outcome.DONE and state is ElementState.ARCHIVED
        else (),
        # A repeat knows no result, and leaves what the press before it left.
        links=link_offers(subject.dialog_id, action.name, then.links, subject.values)
        if outcome is Outcome.DONE
        else (),
    )


def news_of(subject: Subject, state: ElementState, *, activity: Activity | None) -> DialogChange:
    """
    Say what the dialog shall say of an element that moved to *state* without a press.

    It is news, so it is not silent unless the mapping says so.
    """
    mapping, row = subject.mapping, TABLE[state]
    rule = mapping.states.get(state.value, NO_RULE)
    everything = frozenset(mapping.actions)
    stays = (everything if row.buttons is not Buttons.NONE else ()) if rule.actions is None else rule.actions
    return DialogChange(
        status=rule.status or row.status,
        remove_actions=everything.difference(stays),
        activities=() if activity is None else (activity,),
        silent=rule.silent or False,
        fields=_fields(subject, state, Then(), at=None if activity is None else activity.created_at),
        offers=_offers(subject, everything.intersection(stays)),
        search_tags=mapping.dialog.search_tags,
        labels=mapping.dialog.labels,
        transmissions=receipt_of(
            mapping, subject.dialog_id, subject.values, sender=SERVICE_OWNER, created_at=activity.created_at
        )
        if activity is not None and state is ElementState.ARCHIVED
        else (),
    )


NO_RULE = StateRule(status=None, actions=None)


def _fields(subject: Subject, state: ElementState, then: Then, *, at: datetime | None) -> Mapping[str, Field]:
    """Say the fields; *at* is when the state was reached, from which dates count, and None where nobody knows."""
    rule = subject.mapping.states.get(state.value, NO_RULE)
    default = Wording(extended_status=TABLE[state].extended)
    fields = dict(wanted_fields((then.wording, rule.wording, subject.mapping.dialog.wording), default, subject.values))
    if state is ElementState.ARCHIVED:
        # What is done is not due any more; a date that others set is theirs.
        fields["/dueAt"] = Field(value=None, asked=False)
    if at is not None:
        fields |= dates_of((then.dates, rule.dates), at)
    return fields


def _offers(subject: Subject, names: AbstractSet[str]) -> tuple[Offer, ...]:
    if subject.public_url is None:
        return ()
    made = (
        offer(subject.dialog_id, action, public_url=subject.public_url)
        for name, action in subject.mapping.actions.items()
        if name in names
    )
    return tuple(each for each in made if each is not None)


def _shown(
    *,
    outcome: Outcome,
    code: str | None,
    mapping: ServiceMapping,
    action: ActionMapping,
    state: ElementState,
    then: Then,
) -> tuple[str | None, frozenset[str]]:
    """Say the status, and the names of the actions whose buttons go."""
    match outcome:
        case Outcome.DONE | Outcome.REPEATED:
            rule = mapping.states.get(state.value, NO_RULE)
            status = then.status or rule.status or TABLE[state].status
            stays = _staying(TABLE[state].buttons, mapping, action) if rule.actions is None else rule.actions
            return status, frozenset(mapping.actions).difference(stays)
        case Outcome.REFUSED:
            return REFUSED_STATUS.get(code or ""), frozenset()
        case Outcome.GIVEN_UP:
            return None, frozenset()
        case _:
            assert_never(outcome)


def _staying(buttons: Buttons, mapping: ServiceMapping, pressed: ActionMapping) -> Iterable[str]:
    match buttons:
        case Buttons.ALL:
            return mapping.actions
        case Buttons.OTHERS:
            return [name for name in mapping.actions if name != pressed.name]
        case Buttons.NONE:
            return ()
        case _:
            assert_never(buttons)


def _told(outcome: Outcome, code: str | None, *, kind: str | None, actor: str) -> tuple[str, Mapping[str, str], Actor]:
    """Say the activity's type, its text (for Information only) and who did it; *kind* None is an unclear state."""
    match outcome:
        case Outcome.DONE if kind is not None:
            return kind, TEXTS["done"] if kind == "Information" else {}, party_representative(actor)
        case Outcome.REPEATED if kind is not None:
            return "Information", TEXTS["repeated"], SERVICE_OWNER
        case Outcome.DONE | Outcome.REPEATED:
            return "Information", TEXTS["unclear"], SERVICE_OWNER
        case Outcome.REFUSED:
            return "Information", REFUSAL_TEXTS.get(code or "", REFUSAL_TEXTS["refused"]), SERVICE_OWNER
        case Outcome.GIVEN_UP:
            return "Information", TEXTS.get(code or "", TEXTS["given_up"]), SERVICE_OWNER
        case _:
            assert_never(outcome)
