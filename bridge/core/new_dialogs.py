"""What the bridge's own dialogs say: when one is made for an element, and when its element moves."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from bridge.core.dialog_merge import Written, merge
from bridge.core.dialogs import Activity, DialogChange, Field, Json, Offer, dialog_from_json, moment_to_json
from bridge.core.elements import Element, ElementState, aim
from bridge.core.ids import sibling_id
from bridge.core.mapping import ActionMapping, Button, FormSource, Priority, Texts, Verb
from bridge.core.offers import TITLE_LIMIT, content_value, localized, offer
from bridge.core.states import NO_RULE, Subject, news_of

STATUSES: Mapping[ElementState, str] = {ElementState.FORM_FILLING: "Draft", ElementState.SIGNING: "InProgress"}
"""What the state table leaves open, since it is made for dialogs of others, too."""

_LONGEST_URL = 1023
_UNTITLED: Texts = {"nb": "Skjema i Altinn", "nn": "Skjema i Altinn", "en": "Form in Altinn"}
_OPEN_IN_ALTINN: Texts = {"nb": "Åpne i Altinn", "nn": "Opne i Altinn", "en": "Open in Altinn"}
SUMMARIES: Mapping[ElementState, Texts] = {
    ElementState.FORM_FILLING: {
        "nb": "Skjemaet er ikke sendt inn ennå.",
        "nn": "Skjemaet er ikkje sendt inn enno.",
        "en": "The form has not been submitted yet.",
    },
    ElementState.SIGNING: {
        "nb": "Skjemaet venter på signering.",
        "nn": "Skjemaet ventar på signering.",
        "en": "The form waits for a signature.",
    },
    ElementState.ARCHIVED: {
        "nb": "Skjemaet er sendt inn.",
        "nn": "Skjemaet er sendt inn.",
        "en": "The form has been submitted.",
    },
}
"""What the summary says where the mapping has none."""

_TITLES: Mapping[ElementState, Texts] = {
    ElementState.FORM_FILLING: {"nb": "Lagre", "nn": "Lagre", "en": "Save"},
    ElementState.SIGNING: {"nb": "Send til signering", "nn": "Send til signering", "en": "Send to signing"},
    ElementState.ARCHIVED: {"nb": "Send inn", "nn": "Send inn", "en": "Submit"},
    ElementState.DELETED: {"nb": "Slett skjemaet", "nn": "Slett skjemaet", "en": "Delete the form"},
}
"""Buttons, by where they want the element, for actions to which the mapping gives none."""
_SIGN: Texts = {"nb": "Signer og send inn", "nn": "Signer og send inn", "en": "Sign and submit"}


def says_of(subject: Subject, element: Element | None, *, activity: Activity | None, now: datetime) -> DialogChange:
    """
    Say what a dialog of ours shall say of *element* as it stands, without a press; None is an element that is gone.

    An action without a ``button`` in the mapping is offered as well: a dialog that nobody can press is no use. A due
    date that lies behind is left out: Dialogporten refuses it (facts/dialogporten.md 2.5).
    """
    state = ElementState.UNKNOWN if element is None else element.state
    says = news_of(subject, state, activity=activity)
    everything = frozenset(subject.mapping.actions)
    if element is None:
        return replace(says, status="NotApplicable", remove_actions=everything, offers=())
    names = _offered(subject, state)
    fields = dict(says.fields)
    if state in SUMMARIES:
        fields.setdefault("/content/summary", Field(value=content_value(SUMMARIES[state]), asked=False))
    if element.due is not None and element.due > now and state is not ElementState.ARCHIVED:
        fields["/dueAt"] = Field(value=moment_to_json(element.due), asked=True)
    return replace(
        says,
        status=says.status or STATUSES.get(state),
        remove_actions=everything.difference(names),
        offers=(*_page(subject.dialog_id, element), *_offers(subject, names)),
        fields=fields,
    )


def new_dialog(
    subject: Subject, says: DialogChange, element: Element, *, party: str, key: str, label: str
) -> tuple[Json, Written]:
    """
    Give the body that makes the dialog, and what is then written by us: an empty one, with *says* merged into it.

    *key* is its idempotent key, and *label* names the element. Without a title in the mapping the element's subject
    is one.
    """
    body = _empty(subject, element, party=party, key=key, label=label)
    merged = merge(dialog_from_json(body, revision="new"), says)
    for operation in merged.operations:
        *parents, last = str(operation["path"]).split("/")[1:]
        place: Any = body
        for name in parents:
            place = place[name]
        if isinstance(place, list):
            place.append(operation["value"])
        else:
            place[last] = operation["value"]
    return body, merged.written


def _empty(subject: Subject, element: Element, *, party: str, key: str, label: str) -> dict[str, object]:
    title = _plain(element.subject)
    return {
        "id": str(subject.dialog_id),
        "idempotentKey": key,
        "serviceResource": subject.mapping.service_resource,
        "party": party,
        "externalReference": f"a2:message:{element.key.message_id}",
        "status": "NotApplicable",
        "content": {"title": content_value({"nb": title} if title else _UNTITLED)},
        "guiActions": [],
        "apiActions": [],
        "searchTags": [],
        "activities": [],
        "transmissions": [],
        "serviceOwnerContext": {
            "serviceOwnerLabels": [{"value": each} for each in (label, *subject.mapping.dialog.labels)]
        },
    }


def _offered(subject: Subject, state: ElementState) -> Sequence[str]:
    """Name what can be done in *state*: by the mapping, or else what fits it."""
    rule = subject.mapping.states.get(state.value, NO_RULE)
    if rule.actions is not None:
        return rule.actions
    return [name for name, each in subject.mapping.actions.items() if _fits(each, state)]


def _fits(action: ActionMapping, state: ElementState) -> bool:
    if action.verb is Verb.DELETE:
        return state in (ElementState.FORM_FILLING, ElementState.SIGNING)
    if action.verb is not Verb.PUT:
        return False
    # Forms may only be put while the element is being filled in, and only what is signed goes without.
    wants = ElementState.SIGNING if action.form is FormSource.NONE else ElementState.FORM_FILLING
    return state is wants


def _offers(subject: Subject, names: Sequence[str]) -> tuple[Offer, ...]:
    actions = [subject.mapping.actions[name] for name in names]
    made = [
        # The first is the weightiest; a place that is taken gives way to the next lower one.
        offer(
            subject.dialog_id,
            replace(each, button=each.button or Button(title=_title(each), priority=Priority.PRIMARY, api=True)),
            public_url=subject.public_url or "",
        )
        for each in actions
    ]
    return tuple(each for each in made if each is not None)


def _title(action: ActionMapping) -> Texts:
    signs = action.verb is Verb.PUT and action.form is FormSource.NONE
    return _SIGN if signs else _TITLES[aim(action)]


def _page(dialog_id: UUID, element: Element) -> tuple[Offer, ...]:
    page = element.page or ""
    if element.state is ElementState.ARCHIVED or not _is_address(page):
        return ()
    button = {
        "id": str(sibling_id(dialog_id, "button", "page", page)),
        "action": "read",
        "url": page,
        "httpMethod": "GET",
        "priority": Priority.TERTIARY.value,
        "title": localized(_OPEN_IN_ALTINN),
    }
    return (Offer(name="", button=button),)


def _is_address(text: str) -> bool:
    return text.startswith("https://") and text.isascii() and " " not in text and len(text) <= _LONGEST_URL


def _plain(text: str) -> str:
    """Make one line of what a system that we do not trust calls the element."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line[:TITLE_LIMIT].strip()
