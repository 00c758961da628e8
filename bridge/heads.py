"""Heads of requests: what is held against RFC 9112 and 9113 beside the parser, and what is kept of one too long."""

import re

from gunicorn.http import errors

READ_ON = 512 * 1024
"""A head that is too long is read so far, and let go: no page could read the refusal without its ``Origin``."""

_LAST_LINE = 1024
_HOST = re.compile(r"(?:\[[0-9A-Za-z:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?")
"""``uri-host [ ":" port ]`` (RFC 3986 3.2.2); an empty one is allowed."""
_LENGTHS = re.compile(rb"\r\ncontent-length:([^\r\n]*)(?=\r\n)", re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,15}")
_LANGUAGE = re.compile(rb"\r\naccept-language:[^\r\n]*", re.IGNORECASE)


def with_one_cookie(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put the lines of ``Cookie`` into one, as RFC 9113 8.2.3 has it: WSGI would join them by a comma."""
    cookies = [value for name, value in headers if name == "COOKIE"]
    if len(cookies) < 2:
        return headers
    return [*(each for each in headers if each[0] != "COOKIE"), ("COOKIE", "; ".join(cookies))]


def check_head(version: tuple[int, int], headers: list[tuple[str, str]]) -> None:
    """
    See to it that a request says for which host it is, and that its body is not packed (RFC 9112 3.2 and 6.1).

    Two hosts, and codings that are not known, the parser refuses; what is packed it would pass on as it came.

    Raises:
        InvalidHeader: The host is missing, or is none.
        UnsupportedTransferCoding: The body is packed.
    """
    hosts = [value for name, value in headers if name == "HOST"]
    if (version >= (1, 1) and not hosts) or not all(map(_HOST.fullmatch, hosts)):
        raise errors.InvalidHeader("HOST")
    for name, value in headers:
        if name == "TRANSFER-ENCODING" and value.strip(" \t").lower() != "chunked":
            raise errors.UnsupportedTransferCoding(value)


def announced_length(head: bytes) -> int:
    """The length of the body that *head* announces; 0 where the parser takes none of it, as of two lengths."""
    # Blanks are taken off behind the pattern: one that leaves them out tries each run of them from each of its places.
    lengths = [each.strip(b" \t") for each in _LENGTHS.findall(head)]
    return int(lengths[0]) if len(lengths) == 1 and _LENGTH.fullmatch(lengths[0]) else 0


def gist(head: bytes) -> bytes:
    """Keep of a head that goes on what its answer goes by: the method, the language, and the line that is not over."""
    over = max(head.rfind(b"\r\n"), len(head) - _LAST_LINE)
    language = _LANGUAGE.search(head, 0, over)
    # The colon begins a line that is none: the rest may be of the middle of one, or begin with an end.
    return head[:5] + (language[0][:_LAST_LINE] if language else b"") + b"\r\n:" + head[over:]
