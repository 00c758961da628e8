"""Logging in with a password, for a cookie that is renewed as it goes (facts/altinn2.md 1.6, ways b and c)."""

import json
import re
import threading
from collections.abc import Mapping

import requests

from bridge.adapters.altinn2.errors import failure, raise_for
from bridge.adapters.altinn2.wire import HAL, SYSTEM
from bridge.adapters.http.call import Answer, call
from bridge.adapters.http.credentials import Secret, origin
from bridge.adapters.http.session import RenewableAuth
from bridge.core.clock import Clock
from bridge.core.errors import CredentialsRefused, OutcomeUnknown, Rejected, Unreachable, UpstreamError
from bridge.core.login_lockout import LoginLockout, OwnLockout, guarded_login

# ``.ASPXAUTH`` until release 25.4, then ``.AspxAuth`` with the environment's name. requests joins several cookies with
# commas, and dates hold commas, too: only what begins like this is looked for. An empty one is none.
_COOKIE = re.compile(r'(?:^|,)\s*(\.aspxauth[\w.-]*="?[!#-+\--:<-\[\]-~]+"?)', re.IGNORECASE)
_OVER = (302, 401, 403)


class CookieLogin(RenewableAuth):
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
        lockout: LoginLockout | None = None,
    ) -> None:
        self._session, self._base, self._origin = session, base_url.rstrip("/"), origin(base_url)
        self._user, self._password, self._enterprise = user, password, enterprise
        self._clock, self._timeout = clock, timeout
        self._lock = threading.Lock()
        self._cookie: str | None = None
        self._lockout = lockout or OwnLockout()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """
        Authorise *request*.

        Raises:
            CredentialsRefused: ``login_refused``, and after two of them ``login_locked`` without asking: an operator
                has to look at name and password. ``not_configured``: there is no login at this address.
            Rejected: ``foreign_host``: it goes elsewhere. ``gone``: Altinn 2 is closed.
            Unreachable: Altinn 2 did not answer, or another process is logging in.
        """
        if origin(request.url or "") != self._origin:
            raise Rejected("bridge", "a cookie was wanted for another host than its own", reason="foreign_host")
        with self._lock:
            cookie = self._cookie = self._cookie or guarded_login(
                self._lockout, self._log_in, system=SYSTEM, refused="login_refused"
            )

        def renew(response: requests.Response, *_: object, **__: object) -> None:
            fresh = _cookie_in(response.headers)
            page = response.headers.get("Content-Type", "").startswith("text/html")
            with self._lock:
                if fresh is not None:
                    self._cookie = fresh
                elif (response.status_code in _OVER or page) and self._cookie == cookie:
                    self._cookie = None
            if fresh is not None and request.method != "GET" and _says_nothing(response):
                # Known from release 20.11: the renewal took the place of what was asked for (facts/altinn2.md 1.6).
                response.close()
                raise OutcomeUnknown(SYSTEM, "the login was renewed, perhaps instead of the update", status=200)

        request.headers["Cookie"] = cookie
        request.register_hook("response", renew)  # type: ignore[no-untyped-call]
        return request

    def _log_in(self) -> str:
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
            return cookie
        raise self._refused(answer)

    def _refused(self, answer: Answer) -> UpstreamError:
        if answer.status >= 500 or answer.status in (408, 429):
            return failure(answer, writes=False, now=self._clock())
        if answer.status == 404:
            # Never Missing: that would speak of an element.
            return CredentialsRefused(SYSTEM, "no login at this address", status=404, reason="not_configured")
        if _closed(answer, self._clock):
            return Rejected(SYSTEM, "the login is gone: Altinn 2 is closed", status=answer.status, reason="gone")
        return CredentialsRefused(SYSTEM, "the login was refused", status=answer.status, reason="login_refused")


def _closed(answer: Answer, clock: Clock) -> bool:
    try:
        raise_for(answer, writes=False, now=clock())
    except Rejected as error:
        return error.reason == "gone"
    except Unreachable:
        return False
    return False


def _says_nothing(response: requests.Response) -> bool:
    length = response.headers.get("Content-Length")
    unsaid = length is None and "Transfer-Encoding" not in response.headers
    return response.status_code == 200 and (length == "0" or unsaid)


def _cookie_in(headers: Mapping[str, str]) -> str | None:
    """The login's cookie as it is sent back, whatever its name's end and case; the last one, if several."""
    found = _COOKIE.findall(headers.get("Set-Cookie", ""))
    return found[-1] if found else None
