"""Requests that wait for their operation to end."""

import threading
from collections.abc import Sequence
from uuid import UUID, uuid4

from bridge.parts import Finished


def test_waiting_ends_when_told() -> None:
    """A worker in the same process wakes the request at once."""
    finished = Finished(lambda _: set(), pause=60, places=1)
    operation_id = uuid4()

    ended = finished.wait(operation_id, seconds=30, begin=lambda: finished.tell(operation_id))

    assert ended


def test_waiting_ends_when_another_process_finished() -> None:
    """What others end is found by looking, in one query for all who wait."""
    operation_id = uuid4()
    asked: list[Sequence[UUID]] = []

    def look(waiting: Sequence[UUID]) -> set[UUID]:
        asked.append(waiting)
        return {operation_id}

    finished = Finished(look, pause=0.001, places=1)

    assert finished.wait(operation_id, seconds=30, begin=lambda: None)
    assert asked[0] == [operation_id]


def test_no_more_wait_than_there_are_places() -> None:
    """Above the cap a request is not held, and its work is begun all the same."""
    finished = Finished(lambda _: set(), pause=60, places=1)
    inside, begun = threading.Event(), threading.Event()
    first = uuid4()
    holder = threading.Thread(target=lambda: finished.wait(first, seconds=30, begin=inside.set))
    holder.start()
    inside.wait(30)

    waited = finished.wait(uuid4(), seconds=30, begin=begun.set)

    finished.tell(first)
    holder.join(30)
    assert not waited
    assert begun.is_set()


def test_failing_look_leaves_others_waiting() -> None:
    """The store being away for a moment does not end the watch."""
    operation_id = uuid4()
    answers = iter([OSError(), {operation_id}])

    def look(_: Sequence[UUID]) -> set[UUID]:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    finished = Finished(look, pause=0.001, places=1)

    assert finished.wait(operation_id, seconds=30, begin=lambda: None)
