"""What the sandbox remembers about what was done to it: the ledger of effects, the call log, and the faults to play."""

import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.sandbox.core.members import DOCUMENT, Either, Flag, Number, ObjectOf, OneOf, Record, Text, Whole

CALLS_KEPT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something that a system remembers; *facts* hold ids, states and digests, never content."""

    sequence: int
    time: datetime
    kind: str
    facts: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON, flat."""
        return {"sequence": self.sequence, "time": self.time.isoformat(), "kind": self.kind, **self.facts}


class Ledger:
    """All effects in the order in which they were committed, over all systems."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._effects: list[Effect] = []
        self._count = 0

    def write(self, kind: str, **facts: Any) -> None:
        """Append an effect. Called by a system while it holds the lock under which it committed."""
        with self._lock:
            self._count += 1
            self._effects.append(Effect(sequence=self._count, time=self._clock(), kind=kind, facts=facts))

    def effects(self, kind: str | None = None) -> tuple[Effect, ...]:
        """All effects, or those whose kind is *kind* or begins with ``kind.``."""
        with self._lock:
            effects = tuple(self._effects)
        if kind is None:
            return effects
        return tuple(each for each in effects if each.kind == kind or each.kind.startswith(f"{kind}."))

    def clear(self) -> None:
        """Forget the effects; the sequence goes on."""
        with self._lock:
            self._effects.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP call; *status* is None where the connection was cut. No bodies, no tokens, no free query values."""

    sequence: int
    time: datetime
    caller: str
    system: str
    method: str
    template: str
    path: str
    query: Mapping[str, str]
    status: int | None
    milliseconds: float

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON, flat."""
        return {
            "sequence": self.sequence,
            "time": self.time.isoformat(),
            "caller": self.caller,
            "system": self.system,
            "method": self.method,
            "template": self.template,
            "path": self.path,
            "query": dict(self.query),
            "status": self.status,
            "milliseconds": round(self.milliseconds, 3),
        }


class CallLog:
    """The latest calls, at most ``CALLS_KEPT``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self._count = 0

    def add(self, **facts: Any) -> None:
        """Append a call, numbered."""
        with self._lock:
            self._count += 1
            self._calls.append(Call(sequence=self._count, **facts))

    def all(self, system: str | None = None) -> tuple[Call, ...]:
        """The calls, oldest first, of one system or of all."""
        with self._lock:
            calls = tuple(self._calls)
        return calls if system is None else tuple(each for each in calls if each.system == system)

    def clear(self) -> None:
        """Forget the calls; the sequence goes on."""
        with self._lock:
            self._calls.clear()


class NotAFault(ValueError):
    """A description of a fault that cannot be played; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """
    What goes wrong with a call.

    Delays are seconds. A *cut* ``within`` comes after half of the answer's body; after a ``late`` one the
    effect comes once the delay is over, and after a ``held`` one when it is told to; with a *status*, these two are
    answered at once instead of cut. A *status* replaces the effect, or with *after_effect* only the answer. *internal*
    names a fault inside a system instead: ``lose_event`` (SSE), ``name_lookup_fails``, ``concurrent_change``.
    """

    status: int | None = None
    reason: str | None = None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_before: float = 0
    delay_after: float = 0
    cut: str | None = None
    after_effect: bool = False
    internal: str | None = None


@dataclass(slots=True, kw_only=True)
class Fault:
    """Which calls go wrong: the *skip* first that match go well, then *times* go wrong (None: all)."""

    id: int
    system: str | None
    method: str | None
    path: re.Pattern[str]
    skip: int
    times: int | None
    how: How
    played: int = 0

    def as_json(self) -> dict[str, Any]:
        """What is left of it, as JSON."""
        return {
            "id": self.id,
            "system": self.system,
            "match": {"method": self.method, "path": self.path.pattern},
            "skip": self.skip,
            "times": self.times,
            "played": self.played,
        }


class Faults:
    """The faults that wait to be played; the oldest that matches a call is taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._held: list[Callable[[], None]] = []
        self._count = 0

    def plan(
        self,
        how: How,
        *,
        system: str | None = None,
        method: str | None = None,
        path: str = "",
        times: int | None = 1,
        skip: int = 0,
    ) -> int:
        """
        Have the next *times* calls that match go wrong; *path* is a pattern found anywhere in the call's path.

        Returns the fault's id.

        Raises:
            NotAFault: The pattern is not one, or a number is negative.
        """
        try:
            pattern = re.compile(path)
        except re.error as error:
            raise NotAFault(f"match.path is not a regular expression: {error}") from error
        if skip < 0 or (times is not None and times < 1):
            raise NotAFault("times is at least 1 (or null for always), skip at least 0")
        with self._lock:
            self._count += 1
            self._faults.append(
                Fault(id=self._count, system=system, method=method, path=pattern, skip=skip, times=times, how=how)
            )
            return self._count

    def take(self, *, system: str, method: str, path: str, internal: str | None = None) -> How | None:
        """Count what goes wrong with this call, and return it; None where nothing does."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if fault.how.internal != internal or fault.system not in (None, system):
                    continue
                if fault.method not in (None, method) or not fault.path.search(path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    return None
                fault.played += 1
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                return fault.how
        return None

    def hold(self, effect: Callable[[], None]) -> None:
        """Keep what a call does until it is told to come."""
        with self._lock:
            self._held.append(effect)

    def let_come(self) -> int:
        """Have everything that is held come, in its order, and say how much it was."""
        with self._lock:
            held, self._held = self._held, []
        for effect in held:
            effect()
        return len(held)

    def waiting(self) -> tuple[dict[str, Any], ...]:
        """List the faults that can still be played."""
        with self._lock:
            return tuple(each.as_json() for each in self._faults)

    def clear(self) -> None:
        """Plan nothing any more."""
        with self._lock:
            self._faults.clear()


SYSTEMS = ("altinn2", "dialogporten", "maskinporten", "platform", "apps")


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _fits_a_header(text: str) -> bool:
    """Whether it can go over the wire: Latin-1, in one line."""
    return text.isprintable() and all(each <= "\xff" for each in text)


_MOST = 1_000_000
_DELAY = Number(low=0, high=86_400, of=" of seconds")
_HOW = Record(
    members={
        "status": Whole(low=200, high=599),
        "reason": Text(empty=True),
        "body": Text(longest=DOCUMENT, empty=True),
        "headers": ObjectOf(
            Text(words="a text that fits into a header", empty=True, fits=_fits_a_header),
            "an object of texts",
            name=Text(words="the name of a header", fits=re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch),
        ),
        "delay_seconds": _DELAY,
        "delay_after": Either(first=Flag(), second=_DELAY),
        "cut": OneOf(("before", "after", "within", "late", "held")),
        "after_effect": Flag(),
        "internal": OneOf(("lose_event", "name_lookup_fails", "concurrent_change")),
    },
    empty=False,
)
FAULT = Record(
    members={
        "system": OneOf(SYSTEMS),
        "match": Record(
            members={
                "method": Text(words="a method in capitals", fits=lambda text: re.fullmatch("[A-Z]+", text)),
                "path": Text(words="a regular expression", fits=_is_pattern, empty=True),
            }
        ),
        "times": Whole(low=1, high=_MOST),
        "skip": Whole(low=0, high=_MOST),
        "how": _HOW,
    },
    required=("how",),
    nulls=("times",),
)
"""What ``POST /faults`` takes; a null for *times* is for ever."""


def how_of(given: Mapping[str, Any]) -> How:
    """
    What goes wrong, as the ``how`` of ``FAULT`` says it.

    ``delay_after`` is true (the delay comes after the effect) or its own number of seconds.
    """
    delay, after = float(given.get("delay_seconds", 0)), given.get("delay_after", False)
    return How(
        status=given.get("status"),
        reason=given.get("reason"),
        body=given.get("body", ""),
        headers=given.get("headers", {}),
        delay_before=0 if after is True else delay,
        delay_after=delay if after is True else float(after),
        cut=given.get("cut"),
        after_effect=given.get("after_effect", False),
        internal=given.get("internal"),
    )
