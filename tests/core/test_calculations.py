"""What a call means, and which verbs an app understands."""

import pytest

from bridge.core.calculations import HttpDialect, Meaning, dialect_of, first_try, meaning, party_header


@pytest.mark.parametrize(
    ("method", "has_body", "expected"),
    [
        ("GET", False, Meaning.CREATE),
        ("POST", False, Meaning.CREATE),
        ("POST", True, Meaning.CALCULATE),
        ("PUT", True, Meaning.CALCULATE),
        ("PUT", False, Meaning.CALCULATE),
    ],
)
def test_verb_and_body_tell_the_meaning(method: str, has_body: bool, expected: Meaning) -> None:
    """POST means both, and a form tells which."""
    assert meaning(method, has_body=has_body) is expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("8.12.7.0", HttpDialect.GET_POST),
        ("9.0.0-preview.4", HttpDialect.GET_POST),
        ("4.7.0", HttpDialect.GET_POST),
        ("4.6.1", HttpDialect.POST_PUT),
        ("4.5", HttpDialect.POST_PUT),
        ("", None),
        ("eight", None),
        (None, None),
        (8, None),
    ],
)
def test_the_version_tells_the_verbs(version: object, expected: HttpDialect | None) -> None:
    """What is no version says nothing, and the app is asked another way."""
    assert dialect_of(version) is expected


def test_the_first_try_has_no_effect_when_it_is_wrong() -> None:
    """Only verbs that the other generation answers with 405 are tried."""
    tried = {first_try(each).method(each) for each in Meaning}

    assert tried == {"GET", "PUT"}


def test_parties_are_written_as_apps_know_them() -> None:
    """Organisations and persons; others have no form there."""
    assert party_header("urn:altinn:organization:identifier-no:310000019") == "org:310000019"
    assert party_header("urn:altinn:person:identifier-no:1") == "person:1"
    assert party_header("urn:altinn:person:idporten-email:a@b.no") is None
