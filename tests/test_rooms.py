"""A slow system behind takes a part of the threads, and no more."""

import threading

import pytest

from bridge.core.problems import Refusal
from bridge.rooms import LIGHT, MOVES, STEP, Bodies, Room, Rooms


class Ticks:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nobody_waits_where_nobody_comes_out() -> None:
    """A system that hangs is told at once to who comes after its room is full."""
    ticks = Ticks()
    room = Room(2, clock=ticks)
    room.enter()
    room.enter()
    ticks.now += MOVES

    with pytest.raises(Refusal) as caught, room.place():
        pass

    assert (caught.value.code, caught.value.status) == ("upstream_busy", 503)
    assert caught.value.retry_after is not None


def test_a_crowd_goes_through_a_quick_system() -> None:
    """A few at a time, and none is sent away."""
    room, inside, most = Room(2), 0, 0
    lock, faults = threading.Lock(), []
    pause = threading.Event()

    def visit() -> None:
        nonlocal inside, most
        try:
            with room.place():
                with lock:
                    inside += 1
                    most = max(most, inside)
                pause.wait(0.001)
                with lock:
                    inside -= 1
        except Refusal as error:
            faults.append(error)

    threads = [threading.Thread(target=visit) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert most == 2


def test_a_place_is_free_again_after_a_failure() -> None:
    """Whatever goes wrong inside."""
    room = Room(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), room.place():
            raise ZeroDivisionError


def test_rooms_leave_threads_for_what_asks_nobody() -> None:
    """All that hangs at once is less than all threads."""
    rooms = Rooms(threads=64, apps=3, accepting=2, bodies=1_000_000)

    taken = 0
    for room in (rooms.links, rooms.looking, rooms.uploads):
        room._clock = lambda: 0.0
        room._moved = -MOVES
        with pytest.raises(Refusal):
            while True:
                room._moved = -MOVES
                room.enter()
                room._moved = -MOVES
                taken += 1

    assert taken == 48


def test_long_bodies_share_so_many_bytes() -> None:
    """Who comes beside too many is told to come again, and has room once one is gone; short ones always have."""
    ticks = Ticks()
    bodies = Bodies(3 * STEP, clock=ticks)
    with bodies.load() as first, bodies.load() as second, bodies.load() as third:
        first.grow(2 * STEP)
        second.grow(STEP)
        ticks.now += MOVES
        with pytest.raises(Refusal) as caught:
            third.grow(LIGHT + 1)
        third.grow(LIGHT)
        first.drop()
        third.grow(2 * STEP)

    assert (caught.value.code, caught.value.status) == ("too_busy", 503)
    assert caught.value.retry_after is not None
    assert (first.held, second.held, third.held) == (0, 0, 0)


def test_a_body_of_unknown_length_is_weighed_as_it_comes() -> None:
    """By steps, each of which counts once."""
    with Bodies(10 * STEP).load() as load:
        held = []
        for size in (LIGHT, LIGHT + 1, STEP, STEP + 1, 2 * STEP):
            load.grow(size)
            held.append(load.held)

    assert held == [0, STEP, STEP, 2 * STEP, 2 * STEP]


def test_a_body_larger_than_all_together_comes_alone() -> None:
    """It is no fault of a setting that nobody may send what another setting allows."""
    ticks = Ticks()
    bodies = Bodies(STEP, clock=ticks)
    with bodies.load() as large, bodies.load() as small:
        large.grow(5 * STEP)
        ticks.now += MOVES
        with pytest.raises(Refusal):
            small.grow(LIGHT + 1)

    assert large.held == 0
