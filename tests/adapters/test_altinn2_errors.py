"""Altinn 2's phrases, and what becomes of them."""

import pytest

from bridge.adapters.altinn2.errors import CATALOGUE, Next, row_for
from bridge.core.altinn2_problems import PROBLEMS, problem_for
from bridge.core.texts.problems import LANGUAGES, text


@pytest.mark.parametrize(
    ("status", "phrase", "writing", "reason"),
    [
        (400, "Required header 'ApiKey' is missing.", Next.CREDENTIALS, "not_configured"),
        (400, "Form validation failed, see the attached validation details", Next.REJECTED, "form_invalid"),
        (401, "Form validation failed, see the attached validation details", Next.REJECTED, "form_invalid"),
        (400, "The limit of '10000' for Top query has been exceeded.", Next.REJECTED, "bad_query"),
        (400, "Could not find property named 'ValidTil' on type 'X'", Next.REJECTED, "bad_query"),
        (400, "Syntax error at position 20 in 'a neq b'", Next.REJECTED, "bad_query"),
        (400, "User profile could not be found for someone.", Next.REJECTED, "no_profile"),
        (401, "Enterprise certificate authentication failed, verify it", Next.CREDENTIALS, "not_authenticated"),
        (401, "", Next.CREDENTIALS, "not_authenticated"),
        (403, "The API key is not authorized for this operation", Next.CREDENTIALS, "not_configured"),
        (404, "", Next.MISSING, "not_found"),
        (410, "", Next.REJECTED, "gone"),
        (413, "Maximum request length exceeded", Next.REJECTED, "attachment_refused"),
        (429, "", Next.UNREACHABLE, "too_many_requests"),
        (500, "", Next.UNKNOWN, "server_error"),
        (503, "", Next.UNREACHABLE, "unavailable"),
        (418, "Tekanne på vidvanke", Next.REJECTED, "rejected"),
    ],
)
def test_each_phrase_has_its_row(status: int, phrase: str, writing: Next, reason: str) -> None:
    """The catalogue's phrases, and one that nobody knows."""
    row = row_for(status, phrase)

    assert (row.writing, row.reason) == (writing, reason)


def test_what_is_told_has_words() -> None:
    """Every code that a row leads to can be told in each language, and in the dialog's history."""
    problems = [problem_for(row.reason) for row in CATALOGUE]

    assert all(text(problem.code, each, {}).title for problem in problems for each in LANGUAGES)
    assert set(PROBLEMS) <= {row.reason for row in CATALOGUE}
