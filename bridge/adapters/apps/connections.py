"""
Connections to apps: a query leaves as it came, and head and form in one write.

``http.client`` writes them apart. Each write lets go of Python's lock, and with many threads getting it back is what
takes the time.
"""

from collections.abc import Mapping
from typing import Any

import urllib3
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from bridge.adapters.http.connections import Adapter, PlainConnection, TlsConnection

_LARGEST = 256 * 1024
# Each org has a host of its own in production; a pool that was put out would close under a call.
_HOSTS = 256


class Exactly(CaseInsensitiveDict[str]):
    """The headers of a call whose *target* goes out byte for byte: urllib3 encodes anew what it finds odd in one."""

    target = ""

    def copy(self) -> "Exactly":
        """Copy the target, too: pools do so before each call."""
        made = Exactly(self.items())
        made.target = self.target
        return made


class _OneWrite(PlainConnection):
    """Holds the head back until the form is there, and sends a target as it is where that is asked for."""

    _held: list[bytes] | None = None

    def request(self, method: str, url: str, body: Any = None, *args: Any, **options: Any) -> None:
        """Send a request as the base class does, in one write where the body is short and at hand."""
        headers = args[0] if args else options.get("headers")
        url = headers.target if isinstance(headers, Exactly) else url
        if not isinstance(body, bytes) or len(body) > _LARGEST:
            super().request(method, url, body, *args, **options)
            return
        self._held = []
        try:
            super().request(method, url, body, *args, **options)
            whole = b"".join(self._held)
        finally:
            self._held = None
        self.send(whole)

    def send(self, data: Any) -> None:
        """Send *data*, or keep it for the one write."""
        if self._held is not None and isinstance(data, bytes):
            self._held.append(data)
        else:
            super().send(data)


class _OneWriteTls(_OneWrite, TlsConnection):
    """The same over TLS."""


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _OneWrite


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _OneWriteTls


class _AppAdapter(Adapter):
    def init_poolmanager(self, *args: object, **options: object) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def app_mounts(*, pool: int) -> Mapping[str, BaseAdapter]:
    """Make what a session to apps is mounted with, for up to *pool* threads."""
    adapter = _AppAdapter(pool_connections=_HOSTS, pool_maxsize=pool, max_retries=0, pool_block=False)
    return {"https://": adapter, "http://": adapter}
