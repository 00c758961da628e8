"""The heads of requests, as the app gets them."""

import pytest

from bridge.heads import announced_length, with_one_cookie
from tests.effort import growth


def test_the_lines_of_a_cookie_become_one() -> None:
    """By a semicolon, as browsers write it; a comma would be a part of a value."""
    headers = [("COOKIE", "a=1"), ("ACCEPT", "x"), ("COOKIE", "b=2; c=3")]

    assert with_one_cookie(headers) == [("ACCEPT", "x"), ("COOKIE", "a=1; b=2; c=3")]
    assert with_one_cookie(headers[:2]) == headers[:2]


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        (b"Content-Length: 5", 5),
        (b"content-length:5", 5),
        (b"CONTENT-LENGTH: \t 5 \t", 5),
        (b"Host: x\r\nContent-Length: 5\r\nAccept: x", 5),
        (b"Host: x", 0),
        (b"Content-Length:", 0),
        (b"Content-Length: x", 0),
        (b"Content-Length: 5 6", 0),
        (b"Content-Length: 5, 5", 0),
        (b"Content-Length: -5", 0),
        (b"Content-Length: " + b"1" * 16, 0),
        (b"Content-Length: 5\r\nContent-Length: 5", 0),
        (b"Content-Length: 5\r\nContent-Length: x", 0),
        (b"Content-Length: x\r\nHost: x\r\nContent-Length: 5", 0),
    ],
)
def test_one_length_is_believed(lines: bytes, length: int) -> None:
    """A number that the parser takes as well; of anything else it takes nothing."""
    assert announced_length(b"POST / HTTP/1.1\r\n" + lines + b"\r\n\r\n") == length


def test_blanks_in_a_length_hold_nobody_up() -> None:
    """It is read by the one loop that all clients of a process share, and a head may be long."""

    def work(size: int) -> None:
        head = b"POST / HTTP/1.1\r\nContent-Length: 5" + b" " * size + b"6\r\n\r\n"
        for _ in range(20):
            announced_length(head)

    assert growth(work, 250) < 80
