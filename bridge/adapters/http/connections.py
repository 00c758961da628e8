"""Connections to other systems below requests: what http.client, urllib3 and requests leave open between them."""

import http.client
from typing import Any

import urllib3
import urllib3.exceptions as u3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

_BLOCK = 1024 * 1024
_INFORMATIONAL = 20
"""So many answers that only inform are skipped before one; no server sends more than one or two."""


class FinalAnswer(http.client.HTTPResponse):
    """The answer after those that only inform (RFC 9110, 15.2): http.client knows 100 alone."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_INFORMATIONAL):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            # Nobody asked to switch protocols, so what follows a 101 would be no answer.
            if not 100 <= status < 200 or status == 101:
                break
            http.client.parse_headers(self.fp)
        if status < 200:
            raise http.client.BadStatusLine("informational")
        return version, status, reason


class PlainConnection(HTTPConnection):
    """Waits for the answer that counts."""

    response_class = FinalAnswer


class TlsConnection(PlainConnection, HTTPSConnection):
    """A handshake that fails has sent nothing of the request; said here, since afterwards nobody can tell."""

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, http.client.HTTPException) as error:
            raise u3.NewConnectionError(self, f"TLS: {type(error).__name__}") from error


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = PlainConnection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = TlsConnection


class Adapter(HTTPAdapter):
    """Keeps pools of these connections."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        # What a body is read by while it is sent; 16 KB, the default, costs a third of the speed of large ones.
        super().init_poolmanager(*args, **{"blocksize": _BLOCK, **options})
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
