"""Remember the element as it stood when the press was accepted: what others changed since is not overwritten."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from bridge.core.elements import Element
from bridge.core.errors import UpstreamError
from bridge.core.operations import Operation
from bridge.parts import Bridge


def first_look(bridge: Bridge, operation: Operation, element: Element) -> Operation:
    """
    Give *operation* with what it is built on, at its first look at *element*.

    A look that comes late, as after an outage or on a store that was restored, sees what became of the element since
    the press; where that was not a press before this one, what it is built on is gone, and the acceptance stands for
    it.
    """
    latest = operation.accepted_at + timedelta(seconds=bridge.settings.clock_skew)
    since = element.last_changed
    if since is not None and since > latest:
        with bridge.store.reading() as tx:
            ours = tx.moved_by_us(operation)
        if not ours:
            return replace(operation, built_on=operation.accepted_at)
    return replace(operation, built_on=since)


def late(bridge: Bridge, operation: Operation) -> bool:
    """Say whether so much time has passed since the press that others may have acted on the case."""
    return bridge.clock() > operation.accepted_at + timedelta(seconds=bridge.settings.clock_skew)


@contextmanager
def kept(bridge: Bridge, operation: Operation) -> Iterator[None]:
    """Keep what the first look showed where what follows it fails before anything is written down."""
    try:
        yield
    except UpstreamError:
        if operation.built_on is not None:
            with bridge.store.transaction() as tx:
                tx.keep_first_look(operation.id, operation.built_on)
        raise
