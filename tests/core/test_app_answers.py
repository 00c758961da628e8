"""What apps answer to a form, and what becomes of it (facts/altinn3-and-tokens.md 1.3, 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.app_answers import CATALOGUE, PROBLEMS, Next, problem_of, row_for
from bridge.core.texts.problems import LANGUAGES, text

END = "Path: $.linje[0].antall | LineNumber: 0 | BytePositionInLine: 25."
OLD_END = "Path 'linje[0].antall', line 1, position 25."
XML_FAULT = "There is an error in XML document (4, 17). The string 'hemmelig' is not a valid value."


@pytest.mark.parametrize(
    ("status", "said", "following", "code"),
    [
        (200, "<melding/>", Next.FORM, ""),
        (200, " ", Next.REFUSED, "app_answer_unreadable"),
        (400, "Invalid dataType x provided. Please provide a valid one", Next.REFUSED, "app_misconfigured"),
        (400, '"Invalid dataType  provided."', Next.REFUSED, "app_misconfigured"),
        (400, 'Unknown content type "null". Cannot read the data.', Next.REFUSED, "app_misconfigured"),
        (400, "Invalid party header", Next.REFUSED, "app_party_unknown"),
        (400, "Invalid party. Only one allowed", Next.REFUSED, "app_party_unknown"),
        (400, XML_FAULT, Next.REFUSED, "app_form_unreadable"),
        (400, "The JSON value could not be converted to X. Path: $.a", Next.REFUSED, "app_form_unreadable"),
        (400, "Unexpected exception when attempting to deserialize JSON into 'X'", Next.REFUSED, "app_form_unreadable"),
        (
            400,
            f"'b' is an invalid start of a property name. {END}",
            Next.REFUSED,
            "app_form_unreadable",
        ),
        (400, f"The JSON object contains a trailing comma at the end. {END}", Next.REFUSED, "app_form_unreadable"),
        (400, f"Could not convert string to decimal: x. {OLD_END}", Next.REFUSED, "app_form_unreadable"),
        (400, "", Next.REFUSED, "app_form_unreadable"),
        (400, "Something else", Next.REFUSED, "app_misconfigured"),
        (401, "", Next.CREDENTIALS, "app_refuses_bridge"),
        (403, "", Next.REFUSED, "app_denies_party"),
        (403, '{"RequiredAuthenticationLevel":"4"}', Next.REFUSED, "app_level_too_low"),
        (403, '{"title":"Forbidden","detail":"Insufficient scope"}', Next.CREDENTIALS, "app_refuses_bridge"),
        (404, "", Next.REFUSED, "app_gone"),
        (405, "", Next.REFUSED, "app_misconfigured"),
        (410, "", Next.REFUSED, "app_gone"),
        (413, "<html>", Next.REFUSED, "app_too_large"),
        (408, "", Next.LATER, ""),
        (429, "", Next.LATER, ""),
        (500, "", Next.LOOK, ""),
        (500, "<html>Internal Server Error</html>", Next.LATER, ""),
        (502, "<html>", Next.LATER, ""),
        (503, "", Next.LATER, ""),
        (504, "", Next.LATER, ""),
        (302, "", Next.REFUSED, "app_misconfigured"),
    ],
)
def test_each_answer_has_its_row(status: int, said: str, following: Next, code: str) -> None:
    """The texts of the facts, quoted or not, and what stands before apps."""
    row = row_for(status, said)

    assert (row.next, row.code) == (following, code)


@given(st.integers(100, 599), st.text(max_size=50))
def test_every_answer_means_something(status: int, said: str) -> None:
    """No status and no text is without a row."""
    assert row_for(status, said) in CATALOGUE


def test_what_is_told_of_an_app_has_words() -> None:
    """Every refusal has a problem, and every problem a text in each language."""
    assert {row.code for row in CATALOGUE if row.next is Next.REFUSED} <= set(PROBLEMS)
    for code in PROBLEMS:
        facts = {"level": "4"} if code == "app_level_too_low" else {}
        assert all(text(code, language, facts).detail for language in LANGUAGES)


def test_of_a_text_only_the_place_is_taken() -> None:
    """It may quote the form."""
    problem = problem_of(row_for(400, XML_FAULT), XML_FAULT)

    assert [(each.line, each.column) for each in problem.findings] == [(4, 17)]
    assert "hemmelig" not in repr(problem)


@pytest.mark.parametrize(
    ("said", "path"),
    [
        (f"The JSON value could not be converted to X. {END}", "/linje/0/antall"),
        (f'"The JSON value could not be converted to X. {END}"', "/linje/0/antall"),
        (f"Could not convert string to decimal: hemmelig. {OLD_END}", "/linje/0/antall"),
        ("The JSON value … Path: $['a.b'][3] | LineNumber: 0 | BytePositionInLine: 1.", "/a.b/3"),
        ("… Path: $.f01825712345 | LineNumber: 0 | BytePositionInLine: 1.", "/f***********"),
        ("… Path: $ | LineNumber: 0 | BytePositionInLine: 7.", "/"),
    ],
)
def test_a_fault_in_json_has_its_members(said: str, path: str) -> None:
    """And neither the value nor a number of anybody."""
    problem = problem_of(row_for(400, said), said)

    assert [(each.path, each.line) for each in problem.findings] == [(path, 0)]
    assert "hemmelig" not in repr(problem)


@pytest.mark.parametrize(
    ("said", "level"), [('{"RequiredAuthenticationLevel":"3"}', "3"), ("RequiredAuthenticationLevel", "?")]
)
def test_the_level_is_taken_from_the_obligation(said: str, level: str) -> None:
    """And where it cannot be read, that is said."""
    assert problem_of(row_for(403, said), said).facts == {"level": level}
