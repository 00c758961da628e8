"""What an end-user system asks of Dialogporten: read, subscribe, press a button (facts/dialogporten.md 4.3, 5)."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import requests
import urllib3
from requests.auth import AuthBase

from bridge.adapters.dialogporten.errors import SYSTEM, failure
from bridge.adapters.dialogporten.owner import OTHER_DIALOG
from bridge.adapters.dialogporten.sse import events
from bridge.adapters.http.call import Answer, call
from bridge.adapters.http.errors import calling
from bridge.core.clock import Clock
from bridge.core.errors import Rejected, Unreachable, UpstreamError

RECEIVER = "The receiver of the action"
_DIALOG_BYTES, _ANSWER_BYTES = 64 * 1024 * 1024, 1024 * 1024
UNAUTHORIZED = "urn:dialogporten:unauthorized"


class Bearer(AuthBase):
    """An end user's own token, which nobody here can renew."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "Bearer(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A GUI action, or one endpoint of an API action, as the end user sees it; texts by language."""

    action: str
    method: str
    url: str = field(repr=False)
    title: Mapping[str, str]
    prompt: Mapping[str, str]
    authorized: bool

    @property
    def presses(self) -> bool:
        """Whether it is a write action: GET is a link, and gets no token."""
        return self.method != "GET"

    @property
    def name(self) -> str:
        """The last part of its address, by which the bridge knows the action."""
        return urlsplit(self.url).path.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the dialog's history: its type, and what it says by language."""

    id: str
    type: str
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SeenDialog:
    """A dialog as the end user reads it; *token* is new with each read."""

    id: UUID
    revision: str
    status: str
    extended_status: str | None
    buttons: tuple[Button, ...]
    events: tuple[Event, ...]
    token: str

    def __repr__(self) -> str:
        return f"SeenDialog({self.id}, {self.status})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A press that was taken on, as the receiver tells of it; *outcome* is None until it has ended."""

    outcome: str | None
    problem: Mapping[str, object] | None

    @property
    def done(self) -> bool:
        """Whether it ended well."""
        return self.outcome in ("done", "repeated")


class EndUserClient:
    """Dialogporten's end-user side; *base_url* is what stands before ``/api/v1``, *timeout* is seconds for one call."""

    def __init__(
        self, session: requests.Session, base_url: str, *, auth: AuthBase, clock: Clock, timeout: float = 30.0
    ) -> None:
        self._session, self._auth, self._clock, self._timeout = session, auth, clock, timeout
        self._base = base_url.rstrip("/")

    def read(self, dialog_id: UUID) -> SeenDialog:
        """
        The dialog, which marks it as seen.

        Raises:
            Missing: It is not there for this user, or deleted.
            Rejected: Not allowed, or the answer cannot be a dialog.
            Unreachable: Try later; also where the answer is another dialog.
        """
        answer = call(
            self._session,
            "GET",
            f"{self._base}/api/v1/enduser/dialogs/{dialog_id}",
            system=SYSTEM,
            writes=False,
            headers={"Accept": "application/json"},
            auth=self._auth,
            deadline_seconds=self._timeout,
            max_bytes=_DIALOG_BYTES,
        )
        if answer.status != 200:
            raise failure(answer, writes=False, clock=self._clock)
        try:
            dialog = _dialog(json.loads(answer.body), answer.headers.get("Etag", ""))
        except (ValueError, KeyError, TypeError) as error:
            detail = f"the dialog cannot be read ({type(error).__name__})"
            raise Rejected(SYSTEM, detail, status=200, reason="unreadable") from None
        if dialog.id != dialog_id:
            # Its token and its buttons would be pressed for somebody else's case.
            raise Unreachable(SYSTEM, OTHER_DIALOG, status=200)
        return dialog

    def subscribe(self, dialog: SeenDialog) -> "Subscription":
        """
        Ask to be told when the dialog changes; one connection, held until the subscription is left.

        Raises:
            Rejected: The token was refused.
            Unreachable: No stream could be had.
        """
        # The id must stand in the query itself: the authorisation reads it there, and a variable is refused.
        query = f'subscription sub {{ dialogEvents(dialogId: "{dialog.id}") {{ id type }} }}'
        with calling(SYSTEM, writes=False):
            answer = self._session.post(
                f"{self._base}/graphql/stream",
                json={"query": query, "variables": {}, "operationName": "sub"},
                headers={"Authorization": f"Bearer {dialog.token}", "Accept": "text/event-stream"},
                stream=True,
                allow_redirects=False,
                # No limit to the silence between two events; its reader is a daemon.
                timeout=(5.0, None),
            )
        if answer.status_code != 200:
            answer.close()
            raise Rejected(SYSTEM, f"{answer.status_code} for the subscription", status=answer.status_code)
        return Subscription(answer, dialog.id)

    def press(self, button: Button, token: str, *, language: str) -> Answer:
        """
        Do what ``fetch`` does in Arbeidsflate: the dialog token, no body.

        Raises:
            Unreachable: It never left.
            OutcomeUnknown: No whole answer came; it may have been done.
        """
        return call(
            self._session,
            button.method,
            button.url,
            system=RECEIVER,
            writes=True,
            headers={"Accept": "application/json", "Accept-Language": language},
            auth=Bearer(token),
            deadline_seconds=self._timeout,
            max_bytes=_ANSWER_BYTES,
        )

    def operation(self, button: Button, location: str, token: str, *, language: str) -> Operation | None:
        """
        Ask the receiver what became of a press that it took on; None where it does not tell.

        The token goes to nobody but the receiver of the button.
        """
        url = urljoin(button.url, location)
        if urlsplit(url)[:2] != urlsplit(button.url)[:2]:
            return None
        try:
            answer = call(
                self._session,
                "GET",
                url,
                system=RECEIVER,
                writes=False,
                headers={"Accept": "application/json", "Accept-Language": language},
                auth=Bearer(token),
                deadline_seconds=self._timeout,
                max_bytes=_ANSWER_BYTES,
            )
            document = problem_document(answer) if answer.status == 200 else None
        except UpstreamError:
            return None
        if document is None or document.get("status") not in ("finished", "underWay"):
            return None
        outcome, problem = document.get("outcome"), document.get("problem")
        return Operation(
            outcome=str(outcome) if outcome is not None else None,
            problem=problem if isinstance(problem, Mapping) else None,
        )


class Subscription:
    """An open stream of a dialog's events, read by a thread; leave it by ``with``."""

    def __init__(self, answer: requests.Response, dialog_id: UUID) -> None:
        self._answer, self._dialog_id = answer, str(dialog_id)
        self._heard, self._ended = threading.Event(), threading.Event()
        self.kind: str | None = None
        """The last event's type, such as ``DIALOG_UPDATED``."""
        self._thread = threading.Thread(target=self._listen, name="dialog-events", daemon=True)

    @property
    def ended(self) -> bool:
        """Whether the stream is over, so that nothing more will be heard."""
        return self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for an event of this dialog, and say whether one has come since the last that was waited for."""
        heard = self._heard.wait(seconds)
        self._heard.clear()
        return heard

    def __enter__(self) -> "Subscription":
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave: the connection ends, and with it the thread."""
        sock = getattr(getattr(self._answer.raw, "connection", None), "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            self._thread.join(5)

    def _listen(self) -> None:
        try:
            for event in events(self._pieces()):
                if event.kind == "complete":
                    return
                found = _event_type(event.data, self._dialog_id)
                if found is not None:
                    self.kind = found
                    self._heard.set()
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError):
            # The stream broke off, or was left while it was read: polling goes on without it.
            return
        finally:
            self._ended.set()
            self._answer.close()

    def _pieces(self) -> Iterator[bytes]:
        # It gives what there is; read() and iter_content() may wait for more.
        while piece := self._answer.raw.read1(65_536, decode_content=True):
            yield piece


def _dialog(body: Mapping[str, Any], revision: str) -> SeenDialog:
    return SeenDialog(
        id=UUID(body["id"]),
        revision=str(body.get("revision") or revision),
        status=str(body["status"]),
        extended_status=body.get("extendedStatus"),
        buttons=(
            *(_button(each) for each in body.get("guiActions") or ()),
            *(
                _button({**each, "url": endpoint["url"], "httpMethod": endpoint["httpMethod"], "title": []})
                for each in body.get("apiActions") or ()
                for endpoint in each["endpoints"]
            ),
        ),
        events=tuple(
            Event(id=each["id"], type=each["type"], text=_texts(each.get("description")))
            for each in body.get("activities") or ()
        ),
        token=str(body["dialogToken"]),
    )


def _button(given: Mapping[str, object]) -> Button:
    return Button(
        action=str(given["action"]),
        method=str(given["httpMethod"]).upper(),
        url=str(given["url"]),
        title=_texts(given.get("title")),
        prompt=_texts(given.get("prompt")),
        authorized=given.get("isAuthorized") is not False and given["url"] != UNAUTHORIZED,
    )


def _texts(given: Any) -> dict[str, str]:
    return {str(each["languageCode"]): str(each["value"]) for each in given or ()}


def _event_type(data: str, dialog_id: str) -> str | None:
    try:
        found = json.loads(data)["data"]["dialogEvents"]
        return str(found["type"]) if str(found["id"]).lower() == dialog_id else None
    except (ValueError, KeyError, TypeError):
        return None


def problem_document(answer: Answer) -> Mapping[str, object] | None:
    """The JSON object that *answer* holds; None where it holds none."""
    if "json" not in answer.headers.get("Content-Type", ""):
        return None
    try:
        document = json.loads(answer.body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
