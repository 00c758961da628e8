"""What an app made of a form, as a document: findings, and every value that it changed, added or dropped."""

import html as markup
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bridge.core.calculations import AppRoute, DataTypeRoute
from bridge.core.errors import ConfigurationError, Finding
from bridge.forms.convert import Unconvertible
from bridge.forms.cut_short import stopped_at
from bridge.forms.losses import Change, Difference, differences
from bridge.forms.reading import Unreadable
from bridge.forms.sentences import sentence
from bridge.web.form_passage import Shapes

WORDS: Mapping[Change, str] = {
    Change.ADDED: "added",
    Change.CHANGED: "changed",
    Change.LOST: "dropped",
    Change.MOVED: "moved",
}
"""As reports have it; what is lost between Altinn 2 and us, an app drops."""

_HEADINGS: Mapping[str, tuple[str, str, str, str, str, str]] = {
    "nb": ("Beregningen", "Hva appen endret", "Sti", "Endring", "Før", "Etter"),
    "nn": ("Utrekninga", "Kva appen endra", "Sti", "Endring", "Før", "Etter"),
    "en": ("The calculation", "What the app changed", "Path", "Change", "Before", "After"),
}
_NOT_COMPARED: Mapping[str, str] = {
    "nb": "Skjemaene kunne ikke sammenlignes: hva appen endret, er ikke kjent.",
    "nn": "Skjemaa lét seg ikkje samanlikne: kva appen endra, er ikkje kjent.",
    "en": "The forms could not be compared: what the app changed is not known.",
}
_STYLE = "body{font:1rem sans-serif;margin:2rem}td,th{text-align:left;padding:.2rem .8rem;border-bottom:1px solid #999}"


def report(
    route: AppRoute,
    data_type: DataTypeRoute,
    *,
    shapes: Shapes,
    sent: tuple[str, bytes],
    answered: tuple[int, str, bytes],
    findings: tuple[Finding, ...] | None,
    language: str,
    html: bool,
) -> tuple[str, bytes]:
    """
    Write the report as (media type, document); *sent* and *answered* end with a type and a body.

    ``changes`` is null where the two could not be compared, and ``notCompared`` says why: the app gave no form, one of
    them cannot be read, or one is XML, the other JSON and no schema tells how they belong together. ``stoppedAt`` names
    the elements behind which the app read nothing.
    """
    status, _, answer = answered
    changes: tuple[Difference, ...] | None = None
    stopped: tuple[str, ...] = ()
    reason: str | None = "no_form"
    if status == 200 and sent[1]:
        changes, stopped, reason = _changes(data_type, shapes, sent[1], answer)
    document = {
        "app": route.name,
        "dataType": data_type.data_type,
        "status": status,
        "findings": None
        if findings is None
        else [
            {
                "path": each.path,
                "line": each.line,
                "column": each.column,
                "rule": each.rule,
                "message": sentence(each, language),
            }
            for each in findings
        ],
        "changes": None if changes is None else [as_json(each) for each in changes],
        "stoppedAt": stopped,
        "notCompared": reason,
    }
    if html:
        return "text/html; charset=utf-8", as_html(document, language).encode()
    return "application/json", orjson.dumps(document)


def as_json(difference: Difference) -> dict[str, Any]:
    """Write one difference."""
    return {
        "path": difference.path,
        "change": WORDS[difference.change],
        "old": difference.old,
        "new": difference.new,
    }


def as_html(document: Mapping[str, Any], language: str) -> str:
    """Write a report for people; every value in it is escaped."""
    title, changed, *columns = _HEADINGS[language]
    parts = [
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{title}: {_shown(document['app'])}</h1>",
    ]
    findings: Sequence[Mapping[str, Any]] = document["findings"] or ()
    if findings:
        parts.append("<ul>")
        parts += [f"<li><code>{_shown(each['path'])}</code> {_shown(each['message'])}</li>" for each in findings]
        parts.append("</ul>")
    if document["changes"] is None:
        parts.append(f"<p><strong>{_NOT_COMPARED[language]}</strong></p>")
    else:
        parts.append(f"<h2>{changed}</h2><table><tr>{''.join(f'<th>{each}</th>' for each in columns)}</tr>")
        parts += [
            f"<tr><td><code>{_shown(each['path'])}</code></td><td>{each['change']}</td>"
            f"<td>{_shown(each['old'])}</td><td>{_shown(each['new'])}</td></tr>"
            for each in document["changes"]
        ]
        parts.append("</table>")
        causes = [Finding(path=each, rule="lost_from_here") for each in document["stoppedAt"]]
        parts += [f"<p><code>{_shown(each.path)}</code> {_shown(sentence(each, language))}</p>" for each in causes]
    return "".join([*parts, "</body></html>"])


def _changes(
    data_type: DataTypeRoute, shapes: Shapes, sent: bytes, answer: bytes
) -> tuple[tuple[Difference, ...] | None, tuple[str, ...], str | None]:
    """Give the changes and where the app stopped reading, or else the rule by which they cannot be told."""
    try:
        shape = None if data_type.schema is None else shapes.shape(data_type.schema, data_type.root)
        found = differences(sent, answer, shape=shape, limits=shapes.limits)
        return found, stopped_at(sent, found, shape=shape, limits=shapes.limits), None
    except Unreadable as error:
        return None, (), error.finding.rule
    except Unconvertible as error:
        return None, (), error.findings[0].rule
    except (ValueError, ConfigurationError):
        return None, (), "no_schema"


def _shown(value: object) -> str:
    return "" if value is None else markup.escape(str(value))
