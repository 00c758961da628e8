"""What Maskinporten's token endpoint and Altinn's exchange have in common."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import requests
from requests.auth import AuthBase

from bridge.adapters.http.call import Answer, call, retry_after
from bridge.adapters.maskinporten.cache import Token
from bridge.core.errors import CredentialsRefused, Unreachable

TOKEN_LIVES_UNSAID = timedelta(seconds=60)
"""How long a token serves that does not say how long it lives."""

_TRIES = 2
# What may stand behind "Bearer" (RFC 6750, 2.1).
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def is_bearer_token(text: str) -> bool:
    """Whether *text* may stand behind ``Bearer``, and so can split no header."""
    return bool(_BEARER.fullmatch(text))


def ask(
    session: requests.Session,
    method: str,
    url: str,
    *,
    system: str,
    data: Mapping[str, str] | None = None,
    auth: AuthBase | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The answer of a token endpoint, read within ten seconds."""
    return call(
        session,
        method,
        url,
        system=system,
        # A token that was made and never arrived harms nobody.
        writes=False,
        headers={"Accept": "application/json", **(headers or {})},
        data=data,
        auth=auth,
        connect_timeout=5,
        deadline_seconds=10,
        max_bytes=256 * 1024,
    )


def fetched_twice(fetch: Callable[[], Token]) -> Token:
    """What *fetch* brings, tried once more where nobody answered."""
    for _ in range(_TRIES - 1):
        try:
            return fetch()
        except Unreachable as error:
            if error.retry_after or isinstance(error, CredentialsRefused):
                raise  # They said when, or that they do not want us: the engine waits, not this thread.
    return fetch()


def busy_error(system: str, answer: Answer, now: datetime) -> Unreachable | None:
    """The error of an endpoint that is overloaded or broken; None where it gave a verdict."""
    if answer.status != 429 and answer.status < 500:
        return None
    return Unreachable(
        system, f"status {answer.status}", status=answer.status, retry_after=retry_after(answer.headers, now)
    )
