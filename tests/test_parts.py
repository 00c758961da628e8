"""Requests that wait for their operation to end."""

import threading
from collections.abc import Sequence
from uuid import UUID, uuid4

from bridge.parts import CompletionWaiter


def test_waiting_ends_when_told() -> None:
    """A worker in the same process wakes the request at once."""
    finished = CompletionWaiter(lambda _: set(), pause=60, places=1)
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

    finished = CompletionWaiter(look, pause=0.001, places=1)

    assert finished.wait(operation_id, seconds=30, begin=lambda: None)
    assert asked[0] == [operation_id]


def test_no_more_wait_than_there_are_places() -> None:
    """Above the cap a request is not held, and its work is begun all the same."""
    finished = CompletionWaiter(lambda _: set(), pause=60, places=1)
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

    finished = CompletionWaiter(look, pause=0.001, places=1)

    assert finished.wait(operation_id, seconds=30, begin=lambda: None)


def test_a_caller_waits_in_a_quarter_of_the_places() -> None:
    """The others' requests find room beside those of one who presses hundreds of buttons."""
    finished = CompletionWaiter(lambda _: set(), pause=60, places=8)
    mine = [uuid4() for _ in range(2)]
    inside = [threading.Event() for _ in mine]
    waiting = [
        threading.Thread(
            target=lambda each=each, event=event: finished.wait(each, seconds=30, begin=event.set, caller="one")
        )
        for each, event in zip(mine, inside, strict=True)
    ]
    for thread in waiting:
        thread.start()
    for event in inside:
        event.wait(30)

    third = finished.wait(uuid4(), seconds=30, begin=lambda: None, caller="one")
    other = uuid4()
    others = finished.wait(other, seconds=30, begin=lambda: finished.tell(other), caller="two")

    for each in mine:
        finished.tell(each)
    for thread in waiting:
        thread.join(30)
    assert (third, others) == (False, True)


def test_nobody_waits_in_vain_for_long() -> None:
    """After one wait that did not end only a few wait, to see when it is better; then all do again."""
    finished = CompletionWaiter(lambda _: set(), pause=60, places=8)
    assert not finished.wait(uuid4(), seconds=0.01, begin=lambda: None)
    inside = [threading.Event() for _ in range(2)]
    scouts = [uuid4() for _ in inside]
    waiting = [
        threading.Thread(target=lambda each=each, event=event: finished.wait(each, seconds=30, begin=event.set))
        for each, event in zip(scouts, inside, strict=True)
    ]
    for thread in waiting:
        thread.start()
    for event in inside:
        event.wait(30)

    while_in_vain = finished.wait(uuid4(), seconds=30, begin=lambda: None)
    for each in scouts:
        finished.tell(each)
    for thread in waiting:
        thread.join(30)
    three = [uuid4() for _ in range(3)]
    entered = [finished._enter("") for _ in three]

    assert not while_in_vain
    assert entered == [True] * 3


def test_a_crowd_of_one_waits_in_vain_for_itself() -> None:
    """Who has several under way waits behind himself: others are waited for as before."""
    finished = CompletionWaiter(lambda _: set(), pause=60, places=16)
    together = threading.Barrier(3)
    in_vain = {"seconds": 0.2, "begin": together.wait, "caller": "one"}
    crowd = [threading.Thread(target=finished.wait, args=(uuid4(),), kwargs=in_vain) for _ in range(3)]
    watched = threading.Thread(
        target=finished.wait, args=(stays := uuid4(),), kwargs={"seconds": 30, "begin": lambda: None, "caller": "one"}
    )
    watched.start()
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(30)

    mine = [finished._enter("one") for _ in range(2)]
    others = [finished._enter("two") for _ in range(3)]

    finished.tell(stays)
    watched.join(30)
    assert (mine, others) == ([True, False], [True] * 3)
