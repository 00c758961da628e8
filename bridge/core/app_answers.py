"""
What a stateless app's answer to a form means: what to do next, and what the sender is told.

By facts/altinn3-and-tokens.md 1.3 and 6: a calculation stores nothing, so all that is passing may be repeated, and an
empty 500 is a client's mistake rather than an outage. Texts of apps may quote the form, and are only looked into.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from bridge.core.errors import Finding
from bridge.core.ids import pointer
from bridge.core.problems import Problem


class Next(Enum):
    """What an answer asks for."""

    FORM = "read the form"
    LATER = "ask again later"
    LOOK = "find out whether the party or the form is at fault"
    REFUSED = "tell the sender"
    CREDENTIALS = "call the operator, and ask again later"


@dataclass(frozen=True, slots=True)  # By position, so that the table reads in columns.
class Row:
    """Answers with statuses *first* to *last* whose text holds *phrase*, case aside; None stands for no text at all."""

    first: int
    last: int
    phrase: str | None
    next: Next
    code: str = ""


_NO = Next.REFUSED

CATALOGUE: Sequence[Row] = (
    Row(200, 200, None, _NO, "app_answer_unreadable"),
    Row(200, 200, "", Next.FORM),
    Row(400, 400, "invalid datatype", _NO, "app_misconfigured"),
    Row(400, 400, "unknown content type", _NO, "app_misconfigured"),
    Row(400, 400, "invalid party", _NO, "app_party_unknown"),
    Row(400, 400, "there is an error in xml document", _NO, "app_form_unreadable"),
    # Every fault that System.Text.Json finds ends so, those of syntax too, and Newtonsoft's (before 8.0) as the second.
    Row(400, 400, "| bytepositioninline:", _NO, "app_form_unreadable"),
    Row(400, 400, ". path '", _NO, "app_form_unreadable"),
    Row(400, 400, "json value could not be converted", _NO, "app_form_unreadable"),
    Row(400, 400, "unexpected exception when attempting to deserialize", _NO, "app_form_unreadable"),
    # The form is ``null``; what else an app refuses without a word, no bridge sends.
    Row(400, 400, None, _NO, "app_form_unreadable"),
    Row(400, 400, "", _NO, "app_misconfigured"),
    # The token was renewed once already.
    Row(401, 401, "", Next.CREDENTIALS, "app_refuses_bridge"),
    Row(403, 403, "requiredauthenticationlevel", _NO, "app_level_too_low"),
    Row(403, 403, "scope", Next.CREDENTIALS, "app_refuses_bridge"),
    Row(403, 403, "", _NO, "app_denies_party"),
    # An app knows no 404 for forms: it is not deployed there.
    Row(404, 404, "", _NO, "app_gone"),
    Row(410, 410, "", _NO, "app_gone"),
    Row(408, 408, "", Next.LATER),
    Row(413, 413, "", _NO, "app_too_large"),
    Row(429, 429, "", Next.LATER),
    Row(500, 500, None, Next.LOOK),
    Row(500, 599, "", Next.LATER),
    Row(0, 999, "", _NO, "app_misconfigured"),
)
"""The first row that fits counts."""

PROBLEMS: Mapping[str, Problem] = {
    code: Problem(code=code, status=status)
    for code, status in {
        "app_answer_unreadable": 502,
        "app_cannot_calculate": 422,
        "app_denies_party": 403,
        "app_form_unreadable": 422,
        "app_gone": 410,
        "app_level_too_low": 403,
        "app_misconfigured": 502,
        "app_party_unknown": 409,
        "app_refuses_bridge": 502,
        "app_too_large": 413,
        "calculation_invalid": 502,
        "calculation_lost_fields": 502,
        "party_unfit": 403,
    }.items()
}
"""How a refusal is told, by its code."""

_PLACE = re.compile(r"XML document \((\d{1,9}), (\d{1,9})\)", re.IGNORECASE)
_JSON_PLACE = re.compile(r"\bPath: \$([^|]{0,1000}?) \||\bPath '([^'\r\n]{0,1000})'")
_JSON_STEP = re.compile(r"\['([^']*)'\]|\[(\d{1,9})\]|([^.\[\]]+)")
_LEVEL = re.compile(r"RequiredAuthenticationLevel\"?\s*:\s*\"?(\d)", re.IGNORECASE)


def row_for(status: int, text: str) -> Row:
    """The row of the catalogue that tells what *status* with *text* means."""
    words = text.strip().casefold()
    return next(
        row
        for row in CATALOGUE
        if row.first <= status <= row.last and (not words if row.phrase is None else row.phrase in words)
    )


def problem_of(row: Row, text: str) -> Problem:
    """What the sender is told of a refusal; of *text* only the level, or the place in the form, is taken."""
    problem = PROBLEMS[row.code]
    if row.code == "app_level_too_low":
        found = _LEVEL.search(text)
        return replace(problem, facts={"level": found[1] if found else "?"})
    if row.code == "app_form_unreadable" and (found := _PLACE.search(text)):
        place = Finding(path="/", rule="refused_by_app", line=int(found[1]), column=int(found[2]))
        return replace(problem, findings=(place,))
    if row.code == "app_form_unreadable" and (found := _JSON_PLACE.search(text)):
        # By its members: where they stand in the text, it counts in bytes, and of JSON that may be the bridge's own.
        steps = [
            int(number) if number else quoted or plain
            for quoted, number, plain in _JSON_STEP.findall(found[1] or found[2] or "")
        ]
        return replace(problem, findings=(Finding(path=pointer(steps), rule="refused_by_app"),))
    return problem
