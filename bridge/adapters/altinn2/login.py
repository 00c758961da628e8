"""Logging in with a password, for a cookie that is renewed as it goes (facts/altinn2.md 1.6, ways b and c)."""

import json
import threading
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from bridge.adapters.altinn2.connection import Secret
from bridge.adapters.altinn2.errors import failure
from bridge.adapters.altinn2.wire import HAL, SYSTEM
from bridge.adapters.transport import Answer, call
from bridge.core.clock import Clock
from bridge.core.errors import Rejected

FAILURES = 2
"""Failed logins after which no more are tried: Altinn 2 locks the user out after ten, once it was three."""

# ``.ASPXAUTH`` until release 25.4, then ``.AspxAuth`` with the environment's name.
_COOKIE = ".aspxauth"
_OVER = (302, 401, 403)


class CookieLogin(AuthBase):
    """
    Puts the login's cookie on requests to *base_url*'s host, and logs in when there is none.

    *enterprise* logs in an enterprise user, for which the session carries the organisation's certificate. Whatever
    answer brings a new cookie, it is the one that counts. An answer that says that the login is over drops it.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        *,
        user: str,
        password: Secret,
        enterprise: bool,
        clock: Clock,
        timeout: float = 30.0,
    ) -> None:
        self._session, self._base, self._host = session, base_url.rstrip("/"), urlsplit(base_url).netloc
        self._user, self._password, self._enterprise = user, password, enterprise
        self._clock, self._timeout = clock, timeout
        self._lock = threading.Lock()
        self._cookie: str | None = None
        self._failures = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """
        Authorise *request*.

        Raises:
            Rejected: ``login_refused``, and after two of them ``login_closed`` without asking: an operator has to
                look at name and password, and start the bridge again. ``foreign_host``: it goes elsewhere.
            UpstreamError: Altinn 2 did not answer.
        """
        if urlsplit(request.url or "").netloc != self._host:
            raise Rejected("bridge", "a cookie was wanted for another host than its own", reason="foreign_host")
        with self._lock:
            cookie = self._cookie = self._cookie or self._log_in()

        def renew(response: requests.Response, *_: Any, **__: Any) -> None:
            fresh = _cookie_in(response.headers)
            page = response.headers.get("Content-Type", "").startswith("text/html")
            with self._lock:
                if fresh is not None:
                    self._cookie = fresh
                elif (response.status_code in _OVER or page) and self._cookie == cookie:
                    self._cookie = None

        request.headers["Cookie"] = cookie
        request.register_hook("response", renew)  # type: ignore[no-untyped-call]
        return request

    def _log_in(self) -> str:
        if self._failures >= FAILURES:
            raise Rejected(SYSTEM, "two logins failed, and no more are tried", reason="login_closed")
        answer = call(
            self._session,
            "POST",
            f"{self._base}/authentication/authenticatewithpassword",
            system=SYSTEM,
            writes=False,
            headers={"Content-Type": HAL, "Accept": HAL},
            params={"ForceEIAuthentication": ""} if self._enterprise else {},
            data=json.dumps({"UserName": self._user, "UserPassword": self._password.reveal()}).encode(),
            deadline_seconds=self._timeout,
        )
        cookie = _cookie_in(answer.headers)
        if answer.status < 300 and cookie is not None:
            self._failures = 0
            return cookie
        raise self._refused(answer)

    def _refused(self, answer: Answer) -> Exception:
        if answer.status >= 500 or answer.status in (404, 408, 410, 429):
            return failure(answer, writes=False, now=self._clock())
        self._failures += 1
        return Rejected(SYSTEM, "the login was refused", status=answer.status, reason="login_refused")


def _cookie_in(headers: Mapping[str, str]) -> str | None:
    """Give the login's cookie as it is sent back, whatever its name's end and case."""
    try:
        # Dates hold commas, and requests joins several cookies with them: only the names that matter are looked for.
        cookies = SimpleCookie(headers.get("Set-Cookie", ""))
    except CookieError:
        return None
    for name, cookie in cookies.items():
        if name.lower().startswith(_COOKIE) and cookie.value:
            return f"{name}={cookie.coded_value}"
    return None
