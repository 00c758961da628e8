"""The page about a calculation, or about two apps' calculations of one form: sums, values, and both line by line."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Any

from lxml import etree

from bridge.core.errors import Finding
from bridge.core.texts.findings import sentence
from bridge.forms.json.input import Json, Number, read_exact
from bridge.forms.xml.input import Limits, Unreadable, is_xml, parse, to_utf8
from bridge.web.frame import rendered

_MOST_LINES = 1_000
"""Above so many, two forms are not held against each other line by line: that takes their product, and seconds."""
_LONGEST = 300

_WORDS: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "title": "Beregningen",
        "answered": "Appen svarte {status}.",
        "faults": "Feil i skjemaet som ble sendt",
        "line": "Linje",
        "field": "Felt",
        "wrong": "Hva er galt",
        "said": "Hva appen sier er galt",
        "heading": "Hva appen endret",
        "none": "Appen endret ingenting.",
        "change": "Endring",
        "before": "Før",
        "after": "Etter",
        "added": "lagt til",
        "changed": "endret",
        "dropped": "borte",
        "moved": "flyttet",
        "not_compared": "Skjemaene kunne ikke sammenlignes: hva appen endret, er ikke kjent.",
        "lines": "Linje for linje",
        "signs": "− er {before}, + er {after}.",
    },
    "nn": {
        "title": "Utrekninga",
        "answered": "Appen svarte {status}.",
        "faults": "Feil i skjemaet som vart sendt",
        "line": "Linje",
        "field": "Felt",
        "wrong": "Kva er gale",
        "said": "Kva appen seier er gale",
        "heading": "Kva appen endra",
        "none": "Appen endra ingenting.",
        "change": "Endring",
        "before": "Før",
        "after": "Etter",
        "added": "lagt til",
        "changed": "endra",
        "dropped": "borte",
        "moved": "flytta",
        "not_compared": "Skjemaa lét seg ikkje samanlikne: kva appen endra, er ikkje kjent.",
        "lines": "Linje for linje",
        "signs": "− er {before}, + er {after}.",
    },
    "en": {
        "title": "The calculation",
        "answered": "The app answered {status}.",
        "faults": "Faults of the form that was sent",
        "line": "Line",
        "field": "Field",
        "wrong": "What is wrong",
        "said": "What the app says is wrong",
        "heading": "What the app changed",
        "none": "The app changed nothing.",
        "change": "Change",
        "before": "Before",
        "after": "After",
        "added": "added",
        "changed": "changed",
        "dropped": "dropped",
        "moved": "moved",
        "not_compared": "The forms could not be compared: what the app changed is not known.",
        "lines": "Line by line",
        "signs": "− is {before}, + is {after}.",
    },
}
OF_TWO: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "title": "Sammenligning",
        "heading": "Hvor resultatene er ulike",
        "none": "Resultatene er like.",
        "change": "Forskjell",
        "added": "bare hos den andre",
        "changed": "ulik verdi",
        "dropped": "bare hos den første",
        "moved": "på ulik plass",
    },
    "nn": {
        "title": "Samanlikning",
        "heading": "Kvar resultata er ulike",
        "none": "Resultata er like.",
        "change": "Skilnad",
        "added": "berre hos den andre",
        "changed": "ulik verdi",
        "dropped": "berre hos den første",
        "moved": "på ulik plass",
    },
    "en": {
        "title": "Comparison",
        "heading": "Where the results differ",
        "none": "The results are the same.",
        "change": "Difference",
        "added": "only in the second",
        "changed": "another value",
        "dropped": "only in the first",
        "moved": "in another place",
    },
}
"""Nobody changed anything where two apps are held against each other."""


def page_of(document: Mapping[str, Any], language: str, *, forms: tuple[bytes, bytes] | None, two: bool) -> str:
    """
    The page of a report, for people; every value in it is escaped.

    *forms* are those that the changes lie between. With *two* they are the results of two apps, which the report names.
    """
    words = {**_WORDS[language], **(OF_TWO[language] if two else {})}
    before, after = document["app"].split(" / ") if two else (words["before"], words["after"])
    changes: Sequence[Mapping[str, object]] | None = document["changes"]
    causes = [Finding(path=each, rule="lost_from_here") for each in document["stoppedAt"]]
    return rendered(
        "calculation.html",
        title=f"{words['title']}: {document['app']}",
        language=language,
        words=words,
        status=document.get("status"),
        findings=document["findings"],
        said=document.get("appSays", ()),
        changes=changes,
        counts=Counter(each["change"] for each in changes or ()),
        before=before,
        after=after,
        stopped=[(each.path, sentence(each, language)) for each in causes],
        lines=line_by_line(*forms) if forms and changes else [],
    )


def line_by_line(before: bytes, after: bytes) -> list[tuple[str, str]]:
    """Each line around a difference with its sign; nothing for forms of two kinds, and for large ones."""
    try:
        if is_xml(before) != is_xml(after):
            return []
        old, new = _indented(before), _indented(after)
    except (Unreadable, etree.LxmlError, RecursionError):
        return []
    if max(len(old), len(new)) > _MOST_LINES:
        return []
    found = list(unified_diff(old, new, n=2, lineterm=""))[2:]
    shown = [("…", "") if line.startswith("@@") else (line[0], _cut(line[1:])) for line in found]
    return shown[1:]


def _indented(form: bytes) -> list[str]:
    if not is_xml(form):
        return list(_json_lines(read_exact(form, Limits()), "", ""))
    root = parse(to_utf8(form, Limits()))
    etree.indent(root)
    return etree.tostring(root, encoding="unicode").splitlines()


def _json_lines(value: Json, head: str, indent: str, *, tail: str = "") -> Iterator[str]:
    items: list[tuple[str, Json]] = []
    if isinstance(value, dict):
        items = [(f"{_json_text(name)}: ", each) for name, each in value.items()]
    elif isinstance(value, list):
        items = [("", each) for each in value]
    if not items:
        yield f"{indent}{head}{_json_text(value)}{tail}"
        return
    begin, end = "{}" if isinstance(value, dict) else "[]"
    yield f"{indent}{head}{begin}"
    for number, (name, each) in enumerate(items):
        yield from _json_lines(each, name, indent + "  ", tail="," if number < len(items) - 1 else "")
    yield f"{indent}{end}{tail}"


def _json_text(value: Json) -> str:
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"
