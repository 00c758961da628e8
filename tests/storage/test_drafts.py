"""What is remembered of elements under completion, on a real database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.drafts import Ending
from bridge.core.elements import Element
from bridge.core.operations import Link
from bridge.storage.database import migrate, open_database
from bridge.storage.drafts import Drafts
from bridge.storage.store import Store

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = open_database(f"sqlite:///{tmp_path}/store.sqlite", pool=5)
    migrate(engine)
    yield Store(engine)
    engine.dispose()


def link(message_id: str = "a1001", dialog_id: UUID | None = None) -> Link:
    return Link(
        dialog_id=dialog_id or uuid4(),
        service_resource="urn:altinn:resource:serveringsbevilling",
        party="urn:altinn:organization:identifier-no:310000005",
        case=CaseRef(system="altinn2", owner="310000005", key=message_id),
    )


def element(message_id: str = "a1001") -> Element:
    return Element(
        case=CaseRef(system="altinn2", owner="310000005", key=message_id),
        state=CaseStatus.SIGNING,
        status_text="Signering",
        service_code="5701",
        service_edition=1,
        last_changed=NOW,
        original_id=None,
        forms=(),
        attachments=(),
    )


def test_second_beginning_gives_the_first_ones_row(store: Store) -> None:
    """Whoever comes later makes the dialog of who came first, under its id; and there is one link."""
    first, second = link(), link()
    with store.transaction() as tx:
        begun = Drafts(tx).begin(first, born_at=NOW, now=NOW)
        again = Drafts(tx).begin(second, born_at=NOW + timedelta(days=1), now=NOW)
        links = (tx.link(first.dialog_id), tx.link(second.dialog_id))

    assert again == begun
    assert begun.dialog_id == first.dialog_id
    assert links == (first, None)


def test_draft_comes_back_as_written(store: Store) -> None:
    """State, moment and ending are those that were written."""
    with store.transaction() as tx:
        begun = Drafts(tx).begin(link(), born_at=NOW, now=NOW)
        Drafts(tx).made(begun, element(), now=NOW)
        made = Drafts(tx).known(["a1001"])["a1001"]
        Drafts(tx).end(made, Ending.SENT, now=NOW)
        ended = Drafts(tx).known(["a1001"])["a1001"]

    assert made == replace(begun, made=True, last_changed=NOW, state=CaseStatus.SIGNING)
    assert ended == replace(made, ending=Ending.SENT, last_changed=None, state=None)


def test_only_open_drafts_that_were_not_met_are_listed(store: Store) -> None:
    """In order, a page at a time, and none of those that a list showed or that have ended."""
    with store.transaction() as tx:
        made = {each: Drafts(tx).begin(link(each), born_at=NOW, now=NOW) for each in ("a4", "a1", "a3", "a2", "a5")}
        Drafts(tx).seen(["a3"], "run")
        Drafts(tx).end(made["a2"], Ending.GONE, now=NOW)

        first = Drafts(tx).unseen("run", after="", limit=2)
        rest = Drafts(tx).unseen("run", after="a4", limit=2)

    assert [draft.message_id for draft, _ in first] == ["a1", "a4"]
    assert [draft.message_id for draft, _ in rest] == ["a5"]


def test_way_given_to_another_dialog_leaves_no_link(store: Store) -> None:
    """The dialog that was to be made does not exist, so nothing points at it."""
    other = uuid4()
    with store.transaction() as tx:
        begun = Drafts(tx).begin(link(), born_at=NOW, now=NOW)
        Drafts(tx).give_way(begun, element(), dialog_id=other, ending=Ending.FOREIGN, now=NOW)

        known, left = Drafts(tx).known(["a1001"])["a1001"], tx.link(begun.dialog_id)

    assert (known.dialog_id, known.ending, left) == (other, Ending.FOREIGN, None)


def test_a_failure_is_forgotten_once_it_is_met_no_more(store: Store) -> None:
    """What was due long ago and did not fail again is not counted for ever."""
    with store.transaction() as tx:
        due = Drafts(tx).failed("a1001", "Rejected", now=NOW)
        Drafts(tx).forget_failures(due)
        kept = Drafts(tx).failing()
        Drafts(tx).forget_failures(due + timedelta(seconds=1))

        assert (kept, Drafts(tx).failing()) == (1, 0)
