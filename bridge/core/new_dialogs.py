"""The dialog for an element that none stands for yet, as Dialogporten takes it."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from bridge.core.dialog_merge import Written, merge
from bridge.core.dialogs import DialogChange, Field, Json, dialog_from_json, moment_to_json
from bridge.core.elements import Element, ElementState
from bridge.core.mapping import ServiceMapping
from bridge.core.offers import TITLE_LIMIT, content_value, cut
from bridge.core.states import Subject, news_of

STATUS = {ElementState.FORM_FILLING: "Draft", ElementState.SIGNING: "InProgress"}
"""What a new dialog says where neither mapping nor table does."""


def says_of(subject: Subject, element: Element, *, now: datetime) -> DialogChange:
    """
    Say what a dialog shall say of *element* as it stands, without a press.

    A due date that lies behind is left out: Dialogporten refuses it (facts/dialogporten.md 2.5).
    """
    says = news_of(subject, element.state, activity=None)
    if element.due is None or element.due <= now or element.state is ElementState.ARCHIVED:
        return says
    return replace(says, fields={**says.fields, "/dueAt": Field(value=moment_to_json(element.due), asked=True)})


def new_dialog(
    mapping: ServiceMapping, says: DialogChange, element: Element, *, dialog_id: UUID, party: str, key: str, label: str
) -> Json:
    """
    Say what the dialog says from the beginning.

    *key* is its idempotent key, and *label* names the element. Without a title in the mapping the element's subject
    is one.
    """
    fields = {pointer: each.value for pointer, each in says.fields.items() if each.value is not None}
    content = {
        pointer.removeprefix("/content/"): value for pointer, value in fields.items() if pointer.startswith("/content/")
    }
    title = cut(element.subject or mapping.service_resource.rpartition(":")[2], TITLE_LIMIT)
    return {
        "id": str(dialog_id),
        "idempotentKey": key,
        "serviceResource": mapping.service_resource,
        "party": party,
        "externalReference": f"a2:message:{element.key.message_id}",
        "status": says.status or STATUS.get(element.state, "InProgress"),
        "content": {"title": content_value({"nb": title}), **content},
        "guiActions": [each.button for each in says.offers],
        "apiActions": [each.api_action for each in says.offers if each.api_action is not None],
        "searchTags": [{"value": each} for each in says.search_tags],
        "serviceOwnerContext": {"serviceOwnerLabels": [{"value": each} for each in (label, *mapping.dialog.labels)]},
        **{pointer[1:]: fields[pointer] for pointer in ("/extendedStatus", "/dueAt") if pointer in fields},
    }


def first_written(body: Json, says: DialogChange) -> Written:
    """Give what the bridge wrote by making the dialog *body*."""
    return merge(dialog_from_json(body, revision="new"), says).written
