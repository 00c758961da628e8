"""The subscriptions to a dialog's changes: GraphQL over server-sent events (facts/dialogporten.md 4.3)."""

import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Tell = Callable[[str], Mapping[str, Any]]


class Stream:
    """
    One open subscription, as the body of its answer.

    Made before the answer begins, so that nothing published afterwards is missed. It begins with a comment, so that
    the client sees that it is open.
    """

    def __init__(self, streams: "Streams", dialog_id: str, tell: Tell, *, keep_alive: float) -> None:
        self._streams, self._tell, self._keep_alive = streams, tell, keep_alive
        self.dialog_id = dialog_id
        self._events: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._begun = self._ended = False

    def put(self, kind: str | None) -> None:
        """Hand on an event; None ends the stream."""
        self._events.put(kind)

    def __iter__(self) -> Iterator[bytes]:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """Wait for the next event, or for the time of a keep-alive comment."""
        if self._ended:
            raise StopIteration
        if not self._begun:
            self._begun = True
            return b":\n\n"
        try:
            kind = self._events.get(timeout=self._keep_alive)
        except queue.Empty:
            return b":\n\n"
        if kind is None:
            self._ended = True
            return b"event: complete\n\n"
        return f"event: next\ndata: {json.dumps(self._tell(kind), separators=(',', ':'))}\n\n".encode()

    def close(self) -> None:
        """Leave: called by the server when the client is gone."""
        self._streams.remove(self)


class Streams:
    """All open subscriptions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, set[Stream]] = {}

    def open(self, dialog_id: str, tell: Tell, keep_alive: float) -> Stream:
        """Subscribe to a dialog; *tell* writes an event of a kind, and *keep_alive* is in seconds."""
        stream = Stream(self, dialog_id, tell, keep_alive=keep_alive)
        with self._lock:
            self._open.setdefault(dialog_id, set()).add(stream)
        return stream

    def publish(self, dialog_id: str, kind: str) -> None:
        """Tell all who subscribe to the dialog."""
        with self._lock:
            listeners = tuple(self._open.get(dialog_id, ()))
        for each in listeners:
            each.put(kind)

    def remove(self, stream: Stream) -> None:
        """Forget a subscription."""
        with self._lock:
            listeners = self._open.get(stream.dialog_id, set())
            listeners.discard(stream)
            if not listeners:
                self._open.pop(stream.dialog_id, None)

    def listeners(self, dialog_id: str) -> int:
        """How many subscribe to the dialog."""
        with self._lock:
            return len(self._open.get(dialog_id, ()))

    def close(self) -> None:
        """End every subscription."""
        with self._lock:
            streams = tuple(stream for listeners in self._open.values() for stream in listeners)
        for each in streams:
            each.put(None)
