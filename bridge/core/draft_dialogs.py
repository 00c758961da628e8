"""What the dialog of an element under completion says: when it is made, and when the element changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.core.dialog_patch import Operation, patch_for
from bridge.core.dialogs import SERVICE_OWNER, Activity, Dialog, DialogChange, action_of, same_status
from bridge.core.drafts import LABEL, TEXTS, Draft, Ending, idempotent_key
from bridge.core.elements import Element, ElementState, aim
from bridge.core.ids import derived_id
from bridge.core.mapping import ActionMapping, FormSource, ServiceMapping, StateRule, Verb
from bridge.core.states import TABLE

_PLACES: Mapping[str, int] = {"Primary": 1, "Secondary": 1, "Tertiary": 5}
"""Buttons that a dialog has room for (facts/dialogporten.md 2.5)."""

_LONGEST_TITLE, _LONGEST_URL = 255, 1023
_UNTITLED = {"nb": "Skjema i Altinn", "nn": "Skjema i Altinn", "en": "Form in Altinn"}
_SUMMARIES: Mapping[ElementState, Mapping[str, str]] = {
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
}
_STATUSES: Mapping[ElementState, str] = {ElementState.FORM_FILLING: "Draft", ElementState.SIGNING: "InProgress"}

_OPEN_IN_ALTINN = {"nb": "Åpne i Altinn", "nn": "Opne i Altinn", "en": "Open in Altinn"}
_TITLES: Mapping[ElementState, Mapping[str, str]] = {
    ElementState.FORM_FILLING: {"nb": "Lagre", "nn": "Lagre", "en": "Save"},
    ElementState.SIGNING: {"nb": "Send til signering", "nn": "Send til signering", "en": "Send to signing"},
    ElementState.ARCHIVED: {"nb": "Send inn", "nn": "Send inn", "en": "Submit"},
    ElementState.DELETED: {"nb": "Slett skjemaet", "nn": "Slett skjemaet", "en": "Delete the form"},
}
"""Buttons, by where they want the element."""
_SIGN = {"nb": "Signer og send inn", "nn": "Signer og send inn", "en": "Sign and submit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a dialog of ours says while its element is in one state. *actions* are in the order of their weight."""

    status: str | None
    actions: tuple[str, ...]


def wanted(mapping: ServiceMapping, state: ElementState | None, ending: Ending | None) -> Wanted:
    """Say what the mapping, and else the table, want; *state* None is before there was a dialog, or after its end."""
    if ending is Ending.GONE:
        return Wanted(status="NotApplicable", actions=())
    if state is None:
        return Wanted(status=None, actions=())
    rule = mapping.states.get(state.value, StateRule(status=None, actions=None))
    fitting = tuple(name for name, each in mapping.actions.items() if _fits(each, state))
    actions = fitting if rule.actions is None else rule.actions
    return Wanted(
        status=rule.status or _STATUSES.get(state) or TABLE[state].status, actions=() if ending else tuple(actions)
    )


def new_dialog(
    *, mapping: ServiceMapping, element: Element, draft: Draft, party: str, public_url: str, now: datetime
) -> Mapping[str, object]:
    """Write the body that makes the element's dialog: the same again, as long as the element stands as it does."""
    want = wanted(mapping, element.state, None)
    page = element.page if element.page is not None and _is_address(element.page) else None
    places = _PLACES if page is None else {**_PLACES, "Tertiary": _PLACES["Tertiary"] - 1}
    buttons = list(_buttons(mapping, draft, want.actions, places, public_url))
    if page is not None:
        buttons.append(
            {
                "id": str(derived_id(draft.born_at, "drafts", draft.message_id, "gui", "page")),
                "action": "read",
                "url": page,
                "httpMethod": "GET",
                "priority": "Tertiary",
                "title": _localized(_OPEN_IN_ALTINN),
            }
        )
    title = _plain(element.subject)
    content = {"title": _content({"nb": title} if title else _UNTITLED)}
    if element.state in _SUMMARIES:
        content["summary"] = _content(_SUMMARIES[element.state])
    # A moment that has passed is refused, and would say nothing that the person can still heed.
    due = {"dueAt": _moment(element.due)} if element.due is not None and element.due > now else {}
    return {
        "id": str(draft.dialog_id),
        "idempotentKey": idempotent_key(draft.message_id),
        "serviceResource": mapping.service_resource,
        "party": party,
        "status": want.status or "Draft",
        **due,
        "content": content,
        "guiActions": buttons,
        "apiActions": list(_api_actions(mapping, draft, want.actions, public_url)),
        "serviceOwnerContext": {"serviceOwnerLabels": [{"value": f"{LABEL}{draft.message_id}"}]},
    }


def changes(
    *,
    mapping: ServiceMapping,
    dialog: Dialog,
    draft: Draft,
    state: ElementState | None,
    ending: Ending | None,
    public_url: str,
    now: datetime,
) -> tuple[Operation, ...]:
    """
    Say what to send so that *dialog* follows its element; nothing where nothing of ours changes.

    Three-way: what the bridge wants now against what it wanted for the state that it last saw, and only that
    difference is laid on what stands there. A button or status that others changed meanwhile is theirs, and a button of
    ours that they took away stays away, unless the element's move brings it anew.
    """
    if state is ElementState.UNKNOWN:
        return ()
    base, want = wanted(mapping, draft.state, draft.ending), wanted(mapping, state, ending)
    going = frozenset(base.actions if draft.state is not None else mapping.actions).difference(want.actions)
    if ending is not None:
        going = frozenset(mapping.actions)
    status_moves = want.status is not None and (base.status is None or not same_status(base.status, want.status))
    change = DialogChange(
        status=want.status if status_moves else None,
        remove_actions=going,
        activities=() if ending is None else (_farewell(draft, ending, now),),
        silent=False,
    )
    coming = [name for name in want.actions if name not in base.actions]
    return (*patch_for(dialog, change), *_additions(mapping, dialog, draft, going, coming, public_url))


def _additions(
    mapping: ServiceMapping,
    dialog: Dialog,
    draft: Draft,
    going: frozenset[str],
    coming: Sequence[str],
    public_url: str,
) -> Iterator[Operation]:
    places = dict(_PLACES)
    there: set[str] = set()
    for each in dialog.gui_actions:
        name = action_of(each.url, dialog.id)
        if name in going:
            continue
        there.add(name or "")
        priority = str(each.raw.get("priority"))
        places[priority] = places.get(priority, 0) - 1
    for button in _buttons(mapping, draft, [name for name in coming if name not in there], places, public_url):
        yield {"op": "add", "path": "/guiActions/-", "value": button}
    known = {action_of(endpoint.url, dialog.id) for each in dialog.api_actions for endpoint in each.endpoints}
    for action in _api_actions(mapping, draft, [name for name in coming if name not in known], public_url):
        yield {"op": "add", "path": "/apiActions/-", "value": action}


def _buttons(
    mapping: ServiceMapping, draft: Draft, names: Sequence[str], places: Mapping[str, int], public_url: str
) -> Iterator[dict[str, object]]:
    """Write the buttons; those beyond the room that is left have none, and can be pressed by API only."""
    free = [priority for priority, count in places.items() for _ in range(max(0, count))]
    # A button sends no form of its own.
    pressable = [name for name in names if mapping.actions[name].form is not FormSource.BODY]
    for name, priority in zip(pressable, free, strict=False):
        action = mapping.actions[name]
        yield {
            "id": str(derived_id(draft.born_at, "drafts", draft.message_id, "gui", name)),
            **_required(action),
            "url": _url(public_url, draft, name),
            "httpMethod": "POST",
            "priority": priority,
            "title": _localized(_title(action)),
        }


def _api_actions(
    mapping: ServiceMapping, draft: Draft, names: Sequence[str], public_url: str
) -> Iterator[dict[str, object]]:
    for name in names:
        endpoint_id = derived_id(draft.born_at, "drafts", draft.message_id, "endpoint", name)
        endpoint = {"id": str(endpoint_id), "url": _url(public_url, draft, name), "httpMethod": "POST"}
        yield {
            "id": str(derived_id(draft.born_at, "drafts", draft.message_id, "api", name)),
            **_required(mapping.actions[name]),
            "name": name,
            "endpoints": [endpoint],
        }


def _fits(action: ActionMapping, state: ElementState) -> bool:
    """Say whether *action* can do something with an element in *state*."""
    if action.verb is Verb.DELETE:
        return state in (ElementState.FORM_FILLING, ElementState.SIGNING)
    if action.verb is not Verb.PUT:
        return False
    # Forms may only be put while the element is being filled in, and only what is signed goes without.
    wants = ElementState.SIGNING if action.form is FormSource.NONE else ElementState.FORM_FILLING
    return state is wants


def _title(action: ActionMapping) -> Mapping[str, str]:
    signs = action.verb is Verb.PUT and action.form is FormSource.NONE
    return _SIGN if signs else _TITLES[aim(action)]


def _required(action: ActionMapping) -> dict[str, object]:
    attribute = action.requires.attribute
    return {"action": action.requires.action, **({} if attribute is None else {"authorizationAttribute": attribute})}


def _url(public_url: str, draft: Draft, name: str) -> str:
    return f"{public_url}/actions/{draft.dialog_id}/{name}"


def _farewell(draft: Draft, ending: Ending, now: datetime) -> Activity:
    return Activity(
        id=derived_id(draft.born_at, "drafts", draft.message_id, ending.value),
        type="Information",
        created_at=now,
        performed_by=SERVICE_OWNER,
        description=TEXTS[ending],
    )


def _is_address(text: str) -> bool:
    return text.startswith("https://") and text.isascii() and " " not in text and len(text) <= _LONGEST_URL


def _plain(text: str) -> str:
    """Make one line of what a system that we do not trust calls the element."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:_LONGEST_TITLE].strip()


def _content(texts: Mapping[str, str]) -> dict[str, object]:
    return {"value": _localized(texts), "mediaType": "text/plain"}


def _localized(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"languageCode": language, "value": text} for language, text in texts.items()]


def _moment(moment: datetime) -> str:
    return moment.isoformat()
