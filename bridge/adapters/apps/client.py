"""Altinn 3 apps: stateless data, and what the proxy in front of them has to know (facts/altinn3-and-tokens.md 1, 6)."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from bridge.adapters.apps.breaker import Breaker
from bridge.adapters.apps.calls import AppAnswer, AppCall, SenderBody, system_of
from bridge.adapters.apps.dialects import LearnedDialect
from bridge.adapters.apps.errors import no_http, timed_out
from bridge.adapters.apps.metadata import fetch_metadata
from bridge.adapters.apps.wire import CONNECT_SECONDS, AppWire
from bridge.adapters.maskinporten.exchange import PlatformTokens
from bridge.core.calculations import AppRoute, HttpDialect, Meaning, dialect_of, first_try
from bridge.core.clock import Clock
from bridge.core.errors import CredentialsRefused, OutcomeUnknown, Unreachable, UpstreamError

_INGRESS = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppState:
    """What is known of one app."""

    breaker: Breaker
    dialect: LearnedDialect


class AppClient:
    """
    Calls apps on the host that the settings name, and on no other; redirects are passed on, not followed.

    Without *tokens* only calls that bring their own authority can be made. *verbs_seen* is told (app, verbs) each time
    that something was found out, *answered* (method, status, seconds until the answer was there) of each call.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        url: str,
        tokens: PlatformTokens | None,
        clock: Clock,
        timeout: float,
        verbs_seen: Callable[[str, str], None] = lambda app, verbs: None,  # noqa: ARG005 - nobody listens
        answered: Callable[[str, int, float], None] = lambda method, status, seconds: None,  # noqa: ARG005 - the same
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session, self._url, self._tokens = session, url, tokens
        self._clock, self._timeout, self._monotonic = clock, timeout, monotonic
        self._verbs_seen = verbs_seen
        self._wire = AppWire(session, answered=answered, monotonic=monotonic)
        self._lock = threading.Lock()
        self._states: dict[str, AppState] = {}

    def __repr__(self) -> str:
        return f"AppClient({self._url})"

    def send(self, route: AppRoute, call: AppCall) -> AppAnswer:
        """
        Send *call* as the app of *route* understands it.

        Raises:
            Unreachable: Nothing was sent: the app rests, or no connection came about.
            OutcomeUnknown: No whole answer came; see ``timed_out``.
            CredentialsRefused: The bridge got no token of its own.
        """
        state = self._state(route)
        state.breaker.admit()
        ends = self._monotonic() + (route.timeout or self._timeout)
        dialect, certain = self._dialect(route, state, call, ends=ends)
        answer = self._sent(route, state, call, method=dialect.method(call.meaning), ends=ends)
        if certain and answer.status != 405:
            return answer
        if answer.status == 405 and call.replayable and route.verbs is None:
            answer.close()
            state.dialect.learn(dialect.other, "405")
            return self._sent(route, state, call, method=dialect.other.method(call.meaning), ends=ends)
        if answer.status == 200:
            state.dialect.learn(dialect, "answer")
        return answer

    def status(self) -> list[dict[str, str | None]]:
        """What is known of each app that was called, for the operator."""
        now = self._clock()
        with self._lock:
            states = sorted(self._states.items())
        return [
            {
                "app": name,
                "verbs": None if state.dialect.last is None else state.dialect.last.name_in_words,
                "learnedFrom": state.dialect.learned_from or None,
                "until": None if state.dialect.until is None else state.dialect.until.isoformat(),
                "circuit": "open" if state.breaker.is_open(now) else "closed",
            }
            for name, state in states
        ]

    def _state(self, route: AppRoute) -> AppState:
        state = self._states.get(route.name)
        if state is None:
            fresh = AppState(
                breaker=Breaker(route.name, system=system_of(route), clock=self._clock),
                dialect=LearnedDialect(route.name, clock=self._clock, learned=self._verbs_seen),
            )
            with self._lock:
                state = self._states.setdefault(route.name, fresh)
        return state

    def _dialect(self, route: AppRoute, state: AppState, call: AppCall, *, ends: float) -> tuple[HttpDialect, bool]:
        """How to speak to the app, and whether that is certain."""
        if route.verbs is not None:
            state.dialect.pin(route.verbs)
            return route.verbs, True
        now = self._clock()
        known = state.dialect.believed(now) or state.dialect.learned_by_version(lambda: self._by_version(route), now)
        if known is None and not call.replayable:
            self._probe(route, state, call, ends=ends)
            known = state.dialect.last
        return (first_try(call.meaning), False) if known is None else (known, True)

    def _by_version(self, route: AppRoute) -> HttpDialect | None:
        """What the version in the app's metadata tells, which is read without any token."""
        try:
            document = fetch_metadata(
                self._session, self._base(route), system=system_of(route), timeout=CONNECT_SECONDS
            )
        except UpstreamError:
            return None
        return dialect_of(document.get("altinnNugetVersion"))

    def _probe(self, route: AppRoute, state: AppState, call: AppCall, *, ends: float) -> None:
        """Ask for an empty form with GET, which has no effect anywhere, since the form itself can be sent once only."""
        skip = {"content-type", "content-length", "content-encoding"}
        probe = AppCall(
            meaning=Meaning.CREATE,
            anonymous=call.anonymous,
            query=call.query,
            headers=[(name, value) for name, value in call.headers if name.lower() not in skip],
            body=b"",
            length=0,
            uses_bridge_token=call.uses_bridge_token,
            repeatable=True,
        )
        answer = self._sent(route, state, probe, method="GET", ends=ends)
        answer.close()
        if answer.status in (200, 405):
            state.dialect.learn(HttpDialect.GET_POST if answer.status == 200 else HttpDialect.POST_PUT, "probe")

    def _sent(self, route: AppRoute, state: AppState, call: AppCall, *, method: str, ends: float) -> AppAnswer:
        """Send, and once more where that cannot do harm."""
        repeatable = call.repeatable or call.meaning is Meaning.CREATE
        # Each of them is a reason for one more try, and for one only.
        reasons = {"connection": call.replayable, "refused token": call.uses_bridge_token and call.replayable}
        url = f"{self._base(route)}/v1/data{'/anonymous' if call.anonymous else ''}"
        while True:
            token = self._token(route) if call.uses_bridge_token else None
            sender = None if isinstance(call.body, bytes) else SenderBody(call.body, self._monotonic)
            try:
                answer = self._wire.exchange(
                    call, sender, system=system_of(route), method=method, url=url, token=token, ends=ends
                )
            except (Unreachable, OutcomeUnknown) as error:
                if no_http(error):
                    # The app is there, and would answer so again.
                    state.breaker.reached()
                    raise
                # An app that hangs up on a sender who stalls is as well as it was.
                if sender is None or not sender.held_up:
                    state.breaker.failed()
                harmless = isinstance(error, Unreachable) or (repeatable and not timed_out(error))
                if not (harmless and reasons.pop("connection", False)):
                    raise
                continue
            if answer.status in _INGRESS:
                state.breaker.failed()
                if repeatable and reasons.pop("connection", False):
                    answer.close()
                    continue
                return answer
            state.breaker.reached()
            if answer.status == 401 and token is not None and self._tokens is not None:
                self._tokens.drop(token)
                if reasons.pop("refused token", False):
                    answer.close()
                    continue
            return answer

    def _token(self, route: AppRoute) -> str:
        if self._tokens is None:
            raise CredentialsRefused(system_of(route), "the bridge has no token here", reason="no_token")
        return self._tokens.token(route.scopes)

    def _base(self, route: AppRoute) -> str:
        return self._url.replace("{org}", route.org).replace("{app}", route.app)
