"""Heads of requests: what is held against RFC 9112 and 9113 beside the parser, and what is kept of one too long."""

import re

from gunicorn.http import errors

READ_ON = 512 * 1024
"""A head that is too long is read so far, and let go: no page could read the refusal without its ``Origin``."""

_LAST_LINE = 1024
_LANGUAGE = re.compile(rb"\r\naccept-language:[^\r\n]*", re.IGNORECASE)


def with_one_cookie(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put the lines of ``Cookie`` into one, as RFC 9113 8.2.3 has it: WSGI would join them by a comma."""
    cookies = [value for name, value in headers if name == "COOKIE"]
    if len(cookies) < 2:
        return headers
    return [*(each for each in headers if each[0] != "COOKIE"), ("COOKIE", "; ".join(cookies))]


def check_host(version: tuple[int, int], headers: list[tuple[str, str]]) -> None:
    """
    See to it that a request of HTTP/1.1 says for which host it is (RFC 9112 3.2); of two the parser tells.

    Raises:
        InvalidHeader: It does not.
    """
    if version >= (1, 1) and not any(name == "HOST" for name, _ in headers):
        raise errors.InvalidHeader("HOST")


def gist(head: bytes) -> bytes:
    """Keep of a head that goes on what its answer goes by: the method, the language, and the line that is not over."""
    over = max(head.rfind(b"\r\n"), len(head) - _LAST_LINE)
    language = _LANGUAGE.search(head, 0, over)
    # The colon begins a line that is none: the rest may be of the middle of one, or begin with an end.
    return head[:5] + (language[0][:_LAST_LINE] if language else b"") + b"\r\n:" + head[over:]
