"""Synthetic people and organisations, and the check digits that tell real-looking numbers from typing errors."""

import re
from collections.abc import Callable, Sequence

_ORGANISATION = (3, 2, 7, 6, 5, 4, 3, 2)
_PERSON_FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_PERSON_SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)

ORGANISATION = "urn:altinn:organization:identifier-no:"
PERSON = "urn:altinn:person:identifier-no:"
SELF_IDENTIFIED = "urn:altinn:person:legacy-selfidentified:"
EMAIL = "urn:altinn:person:idporten-email:"


def _check_digit(digits: str, weights: Sequence[int]) -> str | None:
    """The mod 11 check digit, None where the number has none (the rest is 10)."""
    rest = -sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return None if rest == 10 else str(rest)


def is_organisation_number(text: str) -> bool:
    """Nine digits with a valid check digit."""
    return bool(re.fullmatch(r"\d{9}", text, re.ASCII)) and _check_digit(text[:8], _ORGANISATION) == text[8]


def is_person_number(text: str) -> bool:
    """Eleven digits with two valid check digits; synthetic ones (month + 80) as well."""
    if not re.fullmatch(r"\d{11}", text, re.ASCII):
        return False
    return _check_digit(text[:9], _PERSON_FIRST) == text[9] and _check_digit(text[:10], _PERSON_SECOND) == text[10]


def is_party(urn: str) -> bool:
    """One of the four forms that Dialogporten takes as party and actorId, in small letters (facts 2.5, 14.2)."""
    if urn.startswith(ORGANISATION):
        return is_organisation_number(urn[len(ORGANISATION) :])
    if urn.startswith(PERSON):
        return is_person_number(urn[len(PERSON) :])
    if urn.startswith(SELF_IDENTIFIED):
        return len(urn) > len(SELF_IDENTIFIED)
    if urn.startswith(EMAIL):
        return bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", urn[len(EMAIL) :]))
    return False


def organisation_number(below: Callable[[int], int]) -> str:
    """Invent an organisation number; *below(n)* is chance, from 0 to n - 1."""
    while True:
        digits = f"31{below(10**6):06}"
        check = _check_digit(digits, _ORGANISATION)
        if check is not None:
            return digits + check


def person_number(below: Callable[[int], int]) -> str:
    """Invent a national identity number that no person can have: its month is 81 to 92."""
    while True:
        digits = f"{1 + below(28):02}{81 + below(12):02}{below(100):02}{below(1000):03}"
        first = _check_digit(digits, _PERSON_FIRST)
        second = None if first is None else _check_digit(digits + first, _PERSON_SECOND)
        if first is not None and second is not None:
            return digits + first + second
