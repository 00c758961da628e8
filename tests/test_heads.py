"""The heads of requests, as the app gets them."""

from bridge.heads import with_one_cookie


def test_the_lines_of_a_cookie_become_one() -> None:
    """By a semicolon, as browsers write it; a comma would be a part of a value."""
    headers = [("COOKIE", "a=1"), ("ACCEPT", "x"), ("COOKIE", "b=2; c=3")]

    assert with_one_cookie(headers) == [("ACCEPT", "x"), ("COOKIE", "a=1; b=2; c=3")]
    assert with_one_cookie(headers[:2]) == headers[:2]
