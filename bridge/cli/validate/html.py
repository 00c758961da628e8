"""The page that ``altinn-bridge validate --html`` writes: for a case worker, in one file, without scripts."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.cli.validate.excerpts import Excerpts, Line, shown
from bridge.cli.validate.report import place
from bridge.cli.validate.words import WORDS
from bridge.cli.validate.work import Checked, Verdict
from bridge.core.errors import Severity
from bridge.core.texts.findings import sentence
from bridge.forms.xml.input import Limits, Unreadable, to_text
from bridge.web.frame import growing, part

LARGEST_EXCERPTED = 10_000_000
_PIECE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One finding, as ``checked_file.html`` shows it."""

    place: str
    path: str
    warns: bool
    said: str
    value: str | None
    lines: Sequence[Line]


class Page:
    """Gathers what there is to tell beside the page, since the sum stands first, and writes the page at the end."""

    def __init__(self, path: Path, *, language: str, values: bool) -> None:
        self._path, self._language, self._values = path, language, values
        self._words = WORDS[language]
        self._body = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in end

    def add(self, checked: Checked) -> None:
        """Tell of one file, unless there is nothing to say."""
        pieces = part(
            "checked_file.html",
            path=shown(checked.path),
            reason="" if checked.reason is None else shown(checked.reason.said(self._language)),
            has_findings=bool(checked.findings),
            rows=self._rows(checked),
            heads=self._words["heads"].split("|"),
            warning=self._words["warning"],
        )
        self._body.writelines(pieces)

    def _rows(self, checked: Checked) -> Iterator[_Row]:
        """What the page says of each finding, one after the other."""
        excerpts = self._excerpts(checked) if checked.findings else None
        for finding in checked.findings:
            yield _Row(
                place=place(finding),
                path=shown(finding.path),
                warns=finding.severity is Severity.WARNING,
                said=shown(sentence(finding, self._language)),
                value=None if finding.value is None else shown(finding.value),
                lines=() if excerpts is None else excerpts.around(finding),
            )

    def _excerpts(self, checked: Checked) -> Excerpts | None:
        """The form's excerpts, for which it is read again; None for one that is too large or cannot be read."""
        if checked.size > LARGEST_EXCERPTED:
            return None
        try:
            text = to_text(Path(checked.path).read_bytes(), Limits(max_bytes=LARGEST_EXCERPTED))
        except (OSError, Unreadable):
            return None
        return Excerpts(text, checked.findings, language=self._language, values=self._values)

    def end(self, count: Counter[Verdict]) -> None:
        """Complete the page in its file: the sums first, then what was collected."""
        words = self._words
        notes = [] if self._values else [words["hidden"]]
        if count.total() == count[Verdict.VALID]:
            notes.append(words["fine"])
        with self._path.open("w", encoding="utf-8") as page, self._body:
            page.writelines(
                growing(
                    "checks.html",
                    title=words["title"],
                    language=self._language,
                    sums=[(count[verdict], words[verdict.value]) for verdict in Verdict],
                    notes=notes,
                    files=self._collected(),
                )
            )

    def _collected(self) -> Iterator[str]:
        """What ``checked_file.html`` made, which is escaped already."""
        self._body.seek(0)
        while piece := self._body.read(_PIECE):
            yield piece
