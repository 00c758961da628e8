"""A press as the specification asks of an end-user system (facts/dialogporten.md 5.1)."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from bridge.adapters.dialogporten.end_user import (
    Button,
    EndUserClient,
    Operation,
    SeenDialog,
    Subscription,
    problem_document,
)
from bridge.core.errors import CredentialsRefused, OutcomeUnknown, Rejected, Unreachable, UpstreamError

PATIENCE, BETWEEN_POLLS = 10.0, 1.0
"""Seconds until an end-user system stops waiting, and between two reads (facts/dialogporten.md 5.1)."""


class News(Enum):
    """How an end-user system learned that the dialog changed."""

    EVENT = "the event came"
    POLL = "a reload showed it"
    NONE = "nothing was heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """
    What came of a press. *status* is None where no answer came, *problem* the receiver's problem document.

    *after* is None where the dialog is gone, and where it could not be read at the end, of which *unread* says why.
    *operation* is what the receiver tells of a press that it took on, where it says where that is told.
    """

    status: int | None
    problem: Mapping[str, object] | None
    news: News
    seconds: float
    before: SeenDialog
    after: SeenDialog | None
    unread: str | None = None
    operation: Operation | None = None

    @property
    def refused(self) -> bool:
        """Whether the receiver said no."""
        return self.status is not None and not 200 <= self.status < 300

    @property
    def changed(self) -> bool:
        """Whether the dialog is known to be another than before."""
        return self.unread is None and (self.after is None or self.after.revision != self.before.revision)


def press(
    client: EndUserClient,
    before: SeenDialog,
    button: Button,
    *,
    language: str = "nb",
    patience: float = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Pressed:
    """
    Press as the specification asks of an end-user system: subscribe, press, wait for the event, read again.

    An event after which the dialog is as before is somebody's first look at it, and no answer; nor is a change while
    the receiver says that the press is under way. Without an event the dialog is read at most once a second. After
    *patience* seconds the waiting is over, which does not mean that the action was given up. A refusal is an outcome,
    not an error; so is a dialog that cannot be read any more, where the receiver is asked in its place. Where
    Dialogporten is away for a moment the dialog is read again.

    Raises:
        Unreachable: The press never left.
    """
    with contextlib.ExitStack() as stack:
        listening: Subscription | None = None
        with contextlib.suppress(UpstreamError):  # Without a stream there is still the reload.
            listening = stack.enter_context(client.subscribe(before))
        began = now()
        status, problem, location = _sent(client, button, before, language=language)
        if status is not None and not 200 <= status < 300:
            after, unread, _ = _again(client, before)
            watched = _Watched(news=News.NONE, after=after, unread=unread, operation=None, seconds=now() - began)
        else:
            watched = _watched(
                client,
                before,
                listening=listening,
                status=status,
                operation=lambda: _operation(client, button, before, location=location, language=language),
                began=began,
                patience=patience,
                sleep=sleep,
                now=now,
            )
        return Pressed(
            status=status,
            problem=problem,
            news=watched.news,
            seconds=watched.seconds,
            before=before,
            after=watched.after,
            unread=watched.unread,
            operation=watched.operation,
        )


def _sent(
    client: EndUserClient, button: Button, before: SeenDialog, *, language: str
) -> tuple[int | None, Mapping[str, object] | None, str | None]:
    """Status, problem and address of the operation; no status where nobody knows whether the press arrived."""
    try:
        answer = client.press(button, before.token, language=language)
    except OutcomeUnknown:
        return None, None, None  # It may have arrived: what the dialog says decides.
    return answer.status, problem_document(answer), answer.headers.get("Location") if answer.status == 202 else None


def _operation(
    client: EndUserClient, button: Button, before: SeenDialog, *, location: str | None, language: str
) -> Operation | None:
    return None if location is None else client.operation(button, location, before.token, language=language)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """What became of a press, as ``Pressed`` has it."""

    news: News
    after: SeenDialog | None
    unread: str | None
    operation: Operation | None
    seconds: float


def _watched(
    client: EndUserClient,
    before: SeenDialog,
    *,
    listening: Subscription | None,
    status: int | None,
    operation: Callable[[], Operation | None],
    began: float,
    patience: float,
    sleep: Callable[[float], None],
    now: Callable[[], float],
) -> _Watched:
    """What the dialog says, and the receiver where it names an *operation*, until one of them is sure or time is up."""
    news, reported = News.NONE, None
    # Done means that the dialog says so already; the event is a moment away, if there is a stream.
    pause = BETWEEN_POLLS if status in (None, 202) else 0.3
    looked = False
    while True:
        pause = max(0.0, min(pause, began + patience - now()))
        heard = False
        if listening is not None and not listening.ended:
            heard = listening.wait(pause)
        elif status in (None, 202) or looked:
            sleep(pause)
        after, unread, for_good = _again(client, before)
        looked = True
        changed = unread is None and (after is None or after.revision != before.revision)
        if changed or unread is not None:
            reported = operation()
        under_way = reported is not None and reported.outcome is None
        if changed and not under_way:
            news = News.EVENT if heard else News.POLL
            break
        if for_good and not under_way and (reported is not None or status not in (None, 202)):
            break
        if now() >= began + patience:
            break
        pause = BETWEEN_POLLS
    seconds = now() - began
    return _Watched(news=news, after=after, unread=unread, operation=reported or operation(), seconds=seconds)


def _again(client: EndUserClient, before: SeenDialog) -> tuple[SeenDialog | None, str | None, bool]:
    """The dialog now; None where it is gone, or with why it could not be read, and whether that is for good."""
    try:
        return client.read(before.id), None, False
    except (Rejected, CredentialsRefused) as error:
        gone = error.status in (404, 410)
        return None, None if gone else str(error), not gone
    except Unreachable as error:
        return None, str(error), False
