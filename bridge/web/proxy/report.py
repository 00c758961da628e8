"""What an app made of a form, as a document: findings, and every value that it changed, added or dropped."""

from collections.abc import Mapping
from typing import Any

import orjson

from bridge.core.calculations import AppRoute, DataTypeRoute
from bridge.core.errors import ConfigurationError, Finding
from bridge.core.texts.findings import sentence
from bridge.forms.conversion.converter import Unconvertible
from bridge.forms.cut_short import stopped_at
from bridge.forms.diff import Change, Difference, differences, without_idle_blanks
from bridge.forms.xml.input import Unreadable
from bridge.steps.forms.form_passage import Converters
from bridge.web.app_says import said_by_app
from bridge.web.proxy.report_page import page_of

WORDS: Mapping[Change, str] = {
    Change.ADDED: "added",
    Change.CHANGED: "changed",
    Change.LOST: "dropped",
    Change.MOVED: "moved",
}
"""As reports have it; what is lost between Altinn 2 and us, an app drops."""


def report(
    route: AppRoute,
    data_type: DataTypeRoute,
    *,
    converters: Converters,
    sent: tuple[str, bytes],
    answered: tuple[int, str, bytes],
    findings: tuple[Finding, ...] | None,
    language: str,
    html: bool,
) -> tuple[str, bytes]:
    """
    The report as (media type, document); *sent* and *answered* end with a type and a body.

    ``changes`` is null where the two could not be compared, and ``notCompared`` says why: the app gave no form, one of
    them cannot be read, or one is XML, the other JSON and no schema tells how they belong together. ``stoppedAt`` names
    the elements behind which the app read nothing, ``appSays`` what it said where it refused the form.
    """
    status, content_type, answer = answered
    changes: tuple[Difference, ...] | None = None
    stopped: tuple[str, ...] = ()
    reason: str | None = "no_form"
    if status == 200 and sent[1]:
        changes, stopped, reason = _changes(data_type, converters, sent[1], answer=answer)
    document = {
        "app": route.name,
        "dataType": data_type.data_type,
        "status": status,
        "findings": None if findings is None else [_told(each, language) for each in findings],
        "appSays": said_by_app(status, content_type, answer),
        "changes": None if changes is None else [as_json(each) for each in changes],
        "stoppedAt": stopped,
        "notCompared": reason,
    }
    if html:
        page = page_of(document, language, forms=(sent[1], answer), two=False)
        return "text/html; charset=utf-8", page.encode()
    return "application/json", orjson.dumps(document)


def _told(finding: Finding, language: str) -> dict[str, Any]:
    return {
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "rule": finding.rule,
        "message": sentence(finding, language),
    }


def as_json(difference: Difference) -> dict[str, Any]:
    """One difference as reports have it."""
    return {
        "path": difference.path,
        "change": WORDS[difference.change],
        "old": difference.old,
        "new": difference.new,
    }


def _changes(
    data_type: DataTypeRoute, converters: Converters, sent: bytes, *, answer: bytes
) -> tuple[tuple[Difference, ...] | None, tuple[str, ...], str | None]:
    """The changes and where the app stopped reading, or else the rule by which they cannot be told."""
    try:
        converter = None if data_type.schema is None else converters.converter(data_type.schema, data_type.root)
        found = differences(sent, answer, converter=converter, limits=converters.limits)
        found = without_idle_blanks(found) if converter is None else found
        return found, stopped_at(sent, answer, found, converter=converter, limits=converters.limits), None
    except Unreadable as error:
        return None, (), error.finding.rule
    except Unconvertible as error:
        return None, (), error.findings[0].rule
    except (ValueError, ConfigurationError):
        return None, (), "no_schema"
