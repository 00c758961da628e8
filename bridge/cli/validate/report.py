"""What ``altinn-bridge validate`` tells people, machines and editors; each file as soon as it is judged."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from bridge.cli.validate.words import WORDS
from bridge.cli.validate.work import Checked, Verdict
from bridge.core.errors import Finding, Severity
from bridge.core.texts.findings import RULES, sentence
from bridge.core.texts.problems import LANGUAGES
from bridge.forms.xml.positions import is_of_a_gap

Write = Callable[[str], object]


class Report(Protocol):
    """Takes one file after the other, and keeps none of them."""

    def add(self, checked: Checked) -> None:
        """Tell of one file."""

    def end(self, count: Counter[Verdict]) -> None:
        """Tell the sum."""


def printable(text: str) -> str:
    """Escape what could steer a terminal."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def place(finding: Finding) -> str:
    """Line and column, as far as they are known."""
    return f"{finding.line or '–'}:{finding.column or '–'}" if finding.column else f"{finding.line or '–'}"


def in_words(count: Counter[Verdict], language: str) -> str:
    """Sum up in a sentence."""
    words, total = WORDS[language], count.total()
    one, many = words["files"].split("|")
    sums = ", ".join(f"{count[verdict]} {words[verdict.value]}" for verdict in Verdict)
    return f"{total} {one if total == 1 else many}: {sums}."


class Table:
    """For people: a line for each finding, in columns."""

    def __init__(self, write: Write, *, language: str) -> None:
        self._write, self._language = write, language

    def add(self, checked: Checked) -> None:
        if checked.reason is not None:
            self._write(f"{printable(checked.path)}: {printable(checked.reason.said(self._language))}")
        if not checked.findings:
            return
        self._write(printable(checked.path))
        rows = [self._row(finding) for finding in checked.findings]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
            self._write("  " + "  ".join([*cells, row[3]]))

    def _row(self, finding: Finding) -> tuple[str, str, str, str]:
        said = sentence(finding, self._language)
        if finding.value is not None:
            said += f" [{printable(finding.value)}]"
        rule = finding.rule if finding.severity is Severity.ERROR else f"{finding.rule} ({finding.severity.value})"
        return place(finding), rule, printable(finding.path), printable(said)

    def end(self, count: Counter[Verdict]) -> None:
        self._write(in_words(count, self._language))


class Json:
    """For machines: one object, written as it grows."""

    def __init__(self, write: Write) -> None:
        self._write, self._begun = write, False

    def add(self, checked: Checked) -> None:
        entry: dict[str, object] = {"path": checked.path, "verdict": checked.verdict.value}
        if checked.reason is not None:
            messages = {language: checked.reason.said(language) for language in LANGUAGES}
            entry |= {"reason": messages["en"], "messages": messages}
        entry["findings"] = [_as_json(finding) for finding in checked.findings]
        self._write(("," if self._begun else '{"files": [') + "\n  " + json.dumps(entry, ensure_ascii=False))
        self._begun = True

    def end(self, count: Counter[Verdict]) -> None:
        sums = {verdict.value: count[verdict] for verdict in Verdict}
        self._write(("" if self._begun else '{"files": [') + f'\n], "checked": {count.total()}, ')
        self._write(json.dumps(sums)[1:])


def _as_json(finding: Finding) -> dict[str, object]:
    document: dict[str, object] = {
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "facts": dict(finding.facts),
        "messages": {language: sentence(finding, language) for language in LANGUAGES},
    }
    return document if finding.value is None else document | {"value": finding.value}


class Sarif:
    """For editors and CI: SARIF 2.1.0."""

    def __init__(self, write: Write, *, language: str, version: str) -> None:
        self._write, self._language, self._version, self._begun = write, language, version, False
        self._unusable: list[dict[str, object]] = []

    def _begin(self) -> None:
        driver = {
            "name": "altinn-bridge validate",
            "version": self._version,
            "rules": [{"id": rule} for rule in sorted(RULES)],
        }
        self._write(
            '{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [{"tool": '
            + json.dumps({"driver": driver})
            + ', "columnKind": "unicodeCodePoints", "results": ['
        )

    def add(self, checked: Checked) -> None:
        if checked.reason is not None:
            message = {"text": f"{checked.path}: {checked.reason.said(self._language)}"}
            self._unusable.append({"level": "error", "message": message, "locations": [_location(checked.path)]})
        for finding in checked.findings:
            if not self._begun:
                self._begin()
            self._write(("," if self._begun else "") + "\n  " + json.dumps(self._result(checked.path, finding)))
            self._begun = True

    def _result(self, path: str, finding: Finding) -> dict[str, object]:
        location = _location(path)
        if finding.line:
            location["physicalLocation"]["region"] = _region(finding)
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path}]
        said = sentence(finding, self._language)
        return {
            "ruleId": finding.rule,
            "level": finding.severity.value,
            "message": {"text": said if finding.value is None else f"{said} [{finding.value}]"},
            "locations": [location],
        }

    def end(self, count: Counter[Verdict]) -> None:
        if not self._begun:
            self._begin()
        run = {"executionSuccessful": not count[Verdict.UNUSABLE], "toolExecutionNotifications": self._unusable}
        self._write(f'\n], "invocations": {json.dumps([run])}}}]}}')


def _region(finding: Finding) -> dict[str, int]:
    if finding.column:
        return {"startLine": finding.line, "startColumn": finding.column}
    # An editor marks all of a line without columns; where something is missing nothing on that line is wrong.
    point = {"startColumn": 1, "endLine": finding.line, "endColumn": 1} if is_of_a_gap(finding) else {}
    return {"startLine": finding.line, **point}


def _location(path: str) -> dict[str, Any]:
    given = Path(path)
    uri = given.as_uri() if given.is_absolute() else Path("/", path).as_uri().removeprefix("file:///")
    return {"physicalLocation": {"artifactLocation": {"uri": uri}}}
