"""A wanted change as the smallest RFC 6902 patch of the dialog that was read (facts/dialogporten.md 2.6)."""

from collections.abc import Iterator
from typing import TypeVar

from bridge.core.dialogs import Dialog, DialogChange, action_of, activity_to_json, same_status

Operation = dict[str, object]
_Item = TypeVar("_Item")


def patch_for(dialog: Dialog, change: DialogChange) -> tuple[Operation, ...]:
    """
    Say what to send so that *dialog* says what *change* wants; nothing where it says so already.

    Paths are indexes into what was read, so the patch is good for that revision only and goes with ``If-Match``.
    Buttons that do not lead to the bridge's own actions on this dialog stay.
    """
    return (
        *_status(dialog, change),
        *_gui_actions(dialog, change),
        *_api_actions(dialog, change),
        *_activities(dialog, change),
    )


def _status(dialog: Dialog, change: DialogChange) -> Iterator[Operation]:
    if change.status is not None and not same_status(change.status, dialog.status):
        yield {"op": "replace", "path": "/status", "value": change.status}


def _gui_actions(dialog: Dialog, change: DialogChange) -> Iterator[Operation]:
    # From the highest index down: a removal moves what follows it.
    for index, action in _from_the_end(dialog.gui_actions):
        if action_of(action.url, dialog.id) in change.remove_actions:
            yield _remove(f"/guiActions/{index}")


def _api_actions(dialog: Dialog, change: DialogChange) -> Iterator[Operation]:
    for index, action in _from_the_end(dialog.api_actions):
        going = [
            place
            for place, endpoint in _from_the_end(action.endpoints)
            if action_of(endpoint.url, dialog.id) in change.remove_actions
        ]
        if going and len(going) == len(action.endpoints):  # An API action without endpoints is refused.
            yield _remove(f"/apiActions/{index}")
        else:
            yield from (_remove(f"/apiActions/{index}/endpoints/{place}") for place in going)


def _activities(dialog: Dialog, change: DialogChange) -> Iterator[Operation]:
    for activity in change.activities:
        if activity.id not in dialog.activity_ids:
            yield {"op": "add", "path": "/activities/-", "value": activity_to_json(activity)}


def _remove(path: str) -> Operation:
    return {"op": "remove", "path": path}


def _from_the_end(items: tuple[_Item, ...]) -> Iterator[tuple[int, _Item]]:
    return reversed(list(enumerate(items)))
