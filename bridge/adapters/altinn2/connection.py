"""The one way to Altinn 2's end-user API: key, token, language, deadlines, and the answers sorted."""

from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.auth import AuthBase

from bridge.adapters.altinn2.errors import failure, pause_in, raise_for
from bridge.adapters.altinn2.wire import HAL, LANGUAGE, MESSAGE_ID, SYSTEM, WHO
from bridge.adapters.http.call import Answer, StreamedAnswer, call
from bridge.adapters.http.credentials import Secret
from bridge.adapters.http.session import RenewableAuth
from bridge.core.clock import Clock
from bridge.core.errors import CredentialsRefused, Paused, Unreachable
from bridge.core.upstream_pause import UpstreamPause

ANSWER_BYTES = 16 * 1024 * 1024
"""The largest answer that is held in memory."""


class Connection:
    """*base_url* ends in ``/api``; every URL is built from it, and none is taken from an answer."""

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        *,
        api_key: Secret,
        auth: AuthBase | None,
        clock: Clock,
        timeout: float,
        put_timeout: float,
        pause: UpstreamPause | None = None,
    ) -> None:
        self._session, self._base = session, base_url.rstrip("/")
        self._api_key, self.auth, self.clock = api_key, auth, clock
        self._timeout, self.put_timeout = timeout, put_timeout
        self._pause = pause

    def url(self, who: str, message_id: str | None = None, *below: str) -> str:
        """Build the address of an element, of what lies below it, or of all elements of *who*."""
        if not WHO.fullmatch(who) or (message_id is not None and not MESSAGE_ID.fullmatch(message_id)):
            raise ValueError("not the key of an element")
        return "/".join([self._base, who, "messages", *([] if message_id is None else [message_id]), *below])

    def top(self, *parts: str) -> str:
        """Build an address that is not below ``messages``."""
        return "/".join([self._base, *parts])

    def get(
        self,
        url: str,
        params: Mapping[str, str] = LANGUAGE,
        *,
        accept: str = HAL,
        max_bytes: int = ANSWER_BYTES,
        empty: bool = False,
        html: bool = False,
        sink: Callable[[bytes], object] | None = None,
    ) -> Answer:
        """The good answer to a read; raises what any other stands for. *empty* and *html* make such answers good."""
        answer = self.ask(url, params, accept, max_bytes=max_bytes, empty=empty, sink=sink)
        raise_for(answer, writes=False, now=self.clock(), html=html)
        return answer

    def ask(
        self,
        url: str,
        params: Mapping[str, str],
        accept: str,
        *,
        max_bytes: int = ANSWER_BYTES,
        empty: bool = False,
        sink: Callable[[bytes], object] | None = None,
    ) -> Answer:
        """The answer to a read, whatever it is."""
        # Known from release 20.11: a renewed session answers 200 with nothing (facts/altinn2.md 1.6). Asked once more,
        # as with a token or a login that has run out.
        for first in (True, False):
            self._unless_paused()
            answer = call(
                self._session,
                "GET",
                url,
                system=SYSTEM,
                writes=False,
                headers=self._headers({"Accept": accept}),
                params=params,
                auth=self.auth,
                deadline_seconds=self._timeout if sink is None else self.put_timeout,
                max_bytes=max_bytes,
                sink=sink,
            )
            self._noted(answer)
            if first and self._renewed(answer):
                continue
            if answer.body or empty or answer.status >= 300:
                return answer
        raise Unreachable(SYSTEM, "the answer is empty", status=answer.status)

    def streamed(self, url: str, params: Mapping[str, str], accept: str, *, max_bytes: int) -> StreamedAnswer:
        """The answer to a read as soon as its head is there; raises what a head that is no good stands for."""
        for first in (True, False):  # As in ``ask``.
            self._unless_paused()
            streamed = StreamedAnswer(
                self._session,
                url,
                system=SYSTEM,
                headers=self._headers({"Accept": accept}),
                params=params,
                auth=self.auth,
                deadline_seconds=self.put_timeout,
                max_bytes=max_bytes,
            )
            try:
                self._noted(streamed.answer)
                if first and self._renewed(streamed.answer):
                    streamed.close()
                    continue
                raise_for(streamed.answer, writes=False, now=self.clock())
            except BaseException:
                streamed.close()
                raise
            if streamed.answer.body:
                return streamed
            streamed.close()
        raise Unreachable(SYSTEM, "the answer is empty", status=streamed.answer.status)

    def write(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] = LANGUAGE,
        *,
        data: object = None,
        content_type: str = HAL,
    ) -> Answer:
        """The answer to a write, whatever it is; raises Unreachable or OutcomeUnknown where none came."""
        headers = {"Accept": HAL} if data is None else {"Accept": HAL, "Content-Type": content_type}

        def once() -> Answer:
            self._unless_paused()
            answer = call(
                self._session,
                method,
                url,
                system=SYSTEM,
                writes=True,
                headers=self._headers(headers),
                params=params,
                data=data,
                auth=self.auth,
                deadline_seconds=self.put_timeout,
            )
            self._noted(answer)
            return answer

        answer = once()
        # Refused at the door, so nothing was done; what streams is read already, and comes again as a whole.
        again = (data is None or isinstance(data, bytes)) and self._renewed(answer)
        return once() if again else answer

    def written(self, method: str, url: str, params: Mapping[str, str] = LANGUAGE, **body: Any) -> Answer:
        """The answer to a write; raises what the answer stands for. Any 2xx is a yes (facts/altinn2.md 2.7)."""
        answer = self.write(method, url, params, **body)
        raise_for(answer, writes=True, now=self.clock())
        return answer

    def _unless_paused(self) -> None:
        """Raise Paused while Altinn 2 has asked to be left alone: by whichever call, in whichever process."""
        left = None if self._pause is None else self._pause.remaining()
        if left is not None:
            raise Paused(SYSTEM, "it asked for a pause, and nothing is sent until that is over", retry_after=left)

    def _noted(self, answer: Answer) -> None:
        if self._pause is None:
            return
        pause = pause_in(answer, self.clock())
        if pause is not None:
            self._pause.begin(*pause)
            detail = failure(answer, writes=False, now=self.clock()).detail
            raise Paused(SYSTEM, detail, status=answer.status, retry_after=pause[0])
        if answer.status < 500:
            self._pause.answered()

    def _renewed(self, answer: Answer) -> bool:
        """Whether the token or login was refused, and another one is at hand for the same call."""
        if not isinstance(self.auth, RenewableAuth) or answer.status not in (401, 403):
            return False
        error = failure(answer, writes=False, now=self.clock())
        return isinstance(error, CredentialsRefused) and error.reason == "not_authenticated"

    def _headers(self, more: Mapping[str, str]) -> Mapping[str, str]:
        return {"ApiKey": self._api_key.reveal(), **more}
