"""What becomes of writes that meet at a dialog: one gets through, the others are told to come again."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from bridge.sandbox import Sandbox, World
from bridge.sandbox.core.switches import Switches
from bridge.sandbox.dialogporten.model import Dialog, Intent, Problem, Writer
from bridge.sandbox.dialogporten.views import as_update
from tests.sandbox.support import as_owner, created, dialog, information, make_world, owner_token

Write = Callable[[World, Dialog, Writer, Intent], Any]


def _put(world: World, held: Dialog, writer: Writer, intent: Intent) -> None:
    dto = {**as_update(held), "progress": (held.body["progress"] or 0) + 1}
    world.dialogporten.update(held.id, dto, writer, intent=intent, kind="put")


def _told(world: World, held: Dialog, writer: Writer, intent: Intent) -> None:
    actor = {"actorType": "ServiceOwner", "actorId": None, "actorName": None}
    activity = {"id": None, "createdAt": None, "extendedType": None, "type": "DialogOpened", "transmissionId": None}
    world.dialogporten.add_activity(
        held.id, {**activity, "performedBy": actor, "description": []}, writer, intent=intent
    )


def _labelled(world: World, held: Dialog, writer: Writer, intent: Intent) -> None:
    world.dialogporten.add_label(held.id, f"merke-{world.chance.below(10**9)}", writer, intent=intent)


def _moved(world: World, held: Dialog, writer: Writer, intent: Intent) -> None:
    del writer
    place = ("Bin", "Archive")["Bin" in world.dialogporten.find(held.id).labels]  # type: ignore[union-attr]
    world.dialogporten.change_labels(held.id, [place], [], actor=held.party, intent=intent)


WRITES: dict[str, Write] = {
    "put": _put,
    "activity": _told,
    "owner's label": _labelled,
    "user's label": _moved,
    "delete": lambda world, held, writer, intent: world.dialogporten.delete(held.id, writer, intent),
}
MEETINGS = [(name, name) for name in WRITES] + [("user's label", "put"), ("put", "user's label"), ("put", "activity")]


def meeting(world: World, first: str, second: str, intent: Intent) -> Problem | None:
    """Two writes that both began with the dialog as it was; what the second is told."""
    held = world.dialogporten.find(created(as_owner(world)))
    assert held is not None
    writer = Writer(organisation=world.owner.number, org=world.owner.code)
    WRITES[first](world, held, writer, replace(intent, read=held))
    try:
        WRITES[second](world, held, writer, replace(intent, read=held))
    except Problem as found:
        return found
    return None


@pytest.mark.parametrize(("first", "second"), MEETINGS)
def test_of_two_that_meet_one_is_told_to_come_again(first: str, second: str) -> None:
    """409 under the empty key, whatever kind of write it is."""
    problem = meeting(make_world(), first, second, Intent())

    assert problem is not None
    assert (problem.status, problem.errors) == (
        409,
        {"": ["The request conflicted with a concurrent operation. Please try again."]},
    )


@pytest.mark.parametrize(("first", "second"), [("owner's label", "put"), ("put", "owner's label")])
def test_an_owners_labels_are_apart(first: str, second: str) -> None:
    """They have a revision that no other write touches."""
    assert meeting(make_world(), first, second, Intent()) is None


def test_a_silent_write_does_not_mind_where_the_user_put_it() -> None:
    """It leaves the users' labels alone."""
    assert meeting(make_world(), "user's label", "put", Intent(silent=True)) is None


def test_side_by_side_one_gets_through() -> None:
    """Over sockets, eight activities at once: 201, and seven times 409."""
    world = World(lambda: datetime.now(UTC), 7, Switches(dialogporten_save_ms=400))
    statuses: list[int] = []
    with Sandbox(world) as sandbox:
        base = f"{sandbox.base_url}/dialogporten/api/v1/serviceowner/dialogs"
        headers = {"Authorization": f"Bearer {owner_token(world, base=sandbox.base_url)}"}
        dialog_id = requests.post(base, json=dialog(), headers=headers, timeout=10).json()
        together = threading.Barrier(8)

        def tell() -> None:
            together.wait(10)
            answer = requests.post(f"{base}/{dialog_id}/activities", json=information(), headers=headers, timeout=10)
            statuses.append(answer.status_code)

        threads = [threading.Thread(target=tell) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    assert Counter(statuses) == {201: 1, 409: 7}


def test_a_key_taken_meanwhile_is_the_databases_word() -> None:
    """422, as for a dialog that was deleted; who looks later is told by 409 which dialog has it."""
    world = make_world()
    as_owner(world)
    writer = Writer(organisation=world.owner.number, org=world.owner.code)
    created(as_owner(world), idempotentKey="melding-1")
    held = world.dialogporten.dialogs()[0]
    dto = {
        **as_update(held), "id": None, "idempotentKey": "melding-1", "serviceResource": held.service_resource,
        "party": held.party, "visibleFrom": None, "createdAt": None, "updatedAt": None, "systemLabel": None,
        "serviceOwnerContext": None, "guiActions": [], "attachments": [],
    }  # fmt: skip

    told = []
    for free in (True, False):
        with pytest.raises(Problem) as found:
            world.dialogporten.create(dto, writer, Intent(), key_was_free=free)
        told.append((found.value.status, list(found.value.errors or {})))

    assert told == [(422, ["Dialog"]), (409, ["IdempotentKey"])]
