"""What is secret in a call, and to which host alone it goes."""

from typing import Protocol
from urllib.parse import urlsplit


class Secret(Protocol):
    """A value that shows itself when asked, and in no other way."""

    def reveal(self) -> str:
        """The value."""


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of *url*, with the port that its scheme implies."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        # No address: the same as itself and nothing else.
        return url, "", None
