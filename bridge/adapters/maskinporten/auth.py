"""Tokens on requests."""

from collections.abc import Iterable
from typing import Protocol

import requests

from bridge.adapters.http.credentials import origin
from bridge.adapters.http.session import RenewableAuth
from bridge.adapters.maskinporten.client import MaskinportenClient
from bridge.adapters.maskinporten.exchange import PlatformTokens
from bridge.core.errors import Rejected


class TokenSource(Protocol):
    """Where a bearer token comes from, and goes back to when it is refused."""

    def token(self, scopes: Iterable[str]) -> str:
        """A token for *scopes*, kept or new."""

    def drop(self, token: str) -> None:
        """Forget *token*."""


class _SourceAuth(RenewableAuth):
    """
    Puts a token on requests to the host of *base_url*, and on no other.

    A token that is answered with 401 is dropped, so that the same call made once more carries a new one.
    """

    def __init__(self, source: TokenSource, *, scopes: Iterable[str], base_url: str) -> None:
        self._source, self._scopes, self._origin = source, tuple(scopes), origin(base_url)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """
        Authorise *request*.

        Raises:
            Rejected: It goes to another host (``foreign_host``); nothing is sent.
        """
        if origin(request.url or "") != self._origin:
            raise Rejected("bridge", "a token was wanted for another host than its own", reason="foreign_host")
        token = self._source.token(self._scopes)

        def forget(response: requests.Response, *_: object, **__: object) -> None:
            if response.status_code == 401:
                self._source.drop(token)

        request.headers["Authorization"] = f"Bearer {token}"
        request.register_hook("response", forget)  # type: ignore[no-untyped-call]
        return request


class MaskinportenAuth(_SourceAuth):
    """Bearer tokens of Maskinporten itself."""

    def __init__(self, client: MaskinportenClient, *, scopes: Iterable[str], base_url: str) -> None:
        super().__init__(client, scopes=scopes, base_url=base_url)


class PlatformAuth(_SourceAuth):
    """Bearer tokens of the Altinn platform."""

    def __init__(self, tokens: PlatformTokens, *, scopes: Iterable[str], base_url: str) -> None:
        super().__init__(tokens, scopes=scopes, base_url=base_url)
