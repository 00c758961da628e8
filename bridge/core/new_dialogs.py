"""What the bridge's own dialogs say: when one is made for an element, and when its element moves."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from bridge.core.cases import ENDED, CaseStatus
from bridge.core.dialog_merge import merge
from bridge.core.dialog_presentation import TITLE_LIMIT, content_value, localized
from bridge.core.dialogs import (
    Activity,
    DialogChange,
    Ends,
    Field,
    Json,
    Offer,
    Only,
    dialog_from_json,
    moment_to_json,
)
from bridge.core.elements import Element
from bridge.core.ids import sibling_id
from bridge.core.lengths import cut
from bridge.core.mapping import Priority, Texts
from bridge.core.states import USUAL_STATUS, Subject, change_for_state, offers_of, shown_in
from bridge.core.written import Written

_LONGEST_URL = 1023
_UNTITLED: Texts = {"nb": "Skjema i Altinn", "nn": "Skjema i Altinn", "en": "Form in Altinn"}
_OPEN_IN_ALTINN: Texts = {"nb": "Åpne i Altinn", "nn": "Opne i Altinn", "en": "Open in Altinn"}
_GONE: Texts = {
    "nb": "Skjemaet finnes ikke lenger i Altinn.",
    "nn": "Skjemaet finst ikkje lenger i Altinn.",
    "en": "The form is no longer in Altinn.",
}

_NOT_THERE: Texts = {"nb": "Ikke i Altinn", "nn": "Ikkje i Altinn", "en": "Not in Altinn"}


def own_dialog_change(
    subject: Subject, element: Element | None, *, activity: Activity | None, now: datetime, ours: bool = True
) -> DialogChange:
    """
    What a dialog shall say of *element* as it stands, without a press; None is an element that is gone.

    On a dialog of *ours* an action without a ``button`` in the mapping is offered as well: one that nobody can press is
    no use. A due date that lies behind is left out: Dialogporten refuses it (facts/dialogporten.md 2.5).
    """
    state = CaseStatus.UNKNOWN if element is None else element.state
    says = change_for_state(subject, state, activity=activity)
    if element is None:
        everything = frozenset(subject.mapping.actions)
        says_gone = {"summary": _GONE, "extendedStatus": _NOT_THERE}
        return replace(
            says,
            status="NotApplicable",
            remove_actions=everything,
            offers=(),
            fields={
                f"/content/{name}": Field(value=content_value(texts), asked=False) for name, texts in says_gone.items()
            },
            state="gone",
            ends=Ends.STATES,
        )
    fields = dict(says.fields)
    summary = fields.get("/content/summary")
    if summary is not None and summary.only is Only.OWN:
        fields["/content/summary"] = replace(summary, only=None)
    if element.due is not None and element.due > now and state not in ENDED:
        fields["/dueAt"] = Field(value=moment_to_json(element.due), asked=True)
    offers = offers_of(subject, shown_in(subject.mapping, state) or ())
    return replace(
        says,
        status=says.status or USUAL_STATUS.get(state),
        offers=(*_page(subject.dialog_id, element), *(replace(each, on_ours_alone=False) for each in offers))
        if ours
        else says.offers,
        fields=fields,
    )


def new_dialog(
    subject: Subject, says: DialogChange, element: Element, *, party: str, key: str, label: str
) -> tuple[Json, Written]:
    """
    The body that makes the dialog, and what is then written by us: an empty one, with *says* merged into it.

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
    return body, merged.written.ours()


def _empty(subject: Subject, element: Element, *, party: str, key: str, label: str) -> dict[str, object]:
    title = _plain(element.subject)
    return {
        "id": str(subject.dialog_id),
        "idempotentKey": key,
        "serviceResource": subject.mapping.service_resource,
        "party": party,
        "externalReference": f"a2:message:{element.case.key}",
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


def _page(dialog_id: UUID, element: Element) -> tuple[Offer, ...]:
    page = element.page or ""
    if element.state is CaseStatus.ARCHIVED or not _is_address(page):
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
    return cut(line, TITLE_LIMIT).strip()
