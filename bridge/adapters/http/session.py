"""HTTP sessions for calling other systems, on the pinned urllib3 (facts/libraries.md 5)."""

import importlib.metadata
import logging
from collections.abc import Iterable, Mapping
from http.cookiejar import DefaultCookiePolicy

import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from bridge.adapters.http.connections import Adapter
from bridge.core.errors import ConfigurationError, Fault

URLLIB3_FROM, URLLIB3_BEFORE = (2, 5), (3,)
"""The range that setup.cfg pins."""

_IMPOSTORS = ("urllib3-future", "niquests")


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """
        Follow nothing, whatever the call says.

        requests reads the whole body of a redirect, without limit, even when it shall not follow it.
        """


class RenewableAuth(AuthBase):
    """Authorisation that forgets what an answer 401 refused: the same call, made once more, carries another."""


def check_urllib3() -> None:
    """
    Make sure that the urllib3 in use is the pinned one.

    Raises:
        ConfigurationError: It is another version, or urllib3-future, which niquests puts in its place.
    """
    if faults := urllib3_faults(vars(urllib3)["__version__"], impostors=list(filter(_installed, _IMPOSTORS))):
        raise ConfigurationError(faults)


def urllib3_faults(version: str, impostors: Iterable[str]) -> list[Fault]:
    """What is wrong with urllib3 *version*, beside the installed distributions that replace it."""
    faults = [
        Fault(
            where="urllib3", message=f"{name} takes its place and slows requests down; uninstall it, reinstall urllib3"
        )
        for name in impostors
    ]
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if not URLLIB3_FROM <= numbers < URLLIB3_BEFORE:
        faults.append(Fault(where="urllib3", message=f"version {version} is in use; install urllib3>=2.5,<3"))
    return faults


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def new_session(
    *,
    pool: int,
    user_agent: str = "altinn-dialog-bridge",
    mounts: Mapping[str, BaseAdapter] | None = None,
) -> requests.Session:
    """
    Make a session for up to *pool* threads: no proxies or netrc from the environment, cookies, redirects or repeats.

    A larger number of threads than *pool* works, and throws connections away. *mounts* go on last.

    Raises:
        ConfigurationError: See ``check_urllib3``.
    """
    check_urllib3()
    # Its debug lines and header warnings hold whole URLs, and Altinn 2's URLs hold identity numbers.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    session = _Session()
    session.trust_env = False
    session.headers["User-Agent"] = user_agent
    # Altinn 2 answers a token beside a cookie with errors (facts/altinn2.md 1.6).
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("https://", "http://"):
        # The engine owns repeats; a blocking pool would wait under no time limit.
        session.mount(scheme, Adapter(pool_connections=8, pool_maxsize=pool, max_retries=0, pool_block=False))
    for prefix, adapter in (mounts or {}).items():
        session.mount(prefix, adapter)
    return session
