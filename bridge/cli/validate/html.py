"""The page that ``altinn-bridge validate --html`` writes: for a case worker, in one file, without scripts."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from bridge.cli.validate.excerpts import Excerpts, printed
from bridge.cli.validate.report import place
from bridge.cli.validate.words import WORDS
from bridge.cli.validate.work import Checked, Verdict
from bridge.core.errors import Finding, Severity
from bridge.core.texts.findings import sentence
from bridge.forms.xml.input import Limits, Unreadable, to_text
from bridge.web.frame import around

LARGEST_EXCERPTED = 10_000_000


class Page:
    """Gathers what there is to tell beside the page, since the sum stands first, and writes the page at the end."""

    def __init__(self, path: Path, *, language: str, values: bool) -> None:
        self._path, self._language, self._values = path, language, values
        self._words = WORDS[language]
        self._body = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in end

    def add(self, checked: Checked) -> None:
        """Tell of one file, unless there is nothing to say."""
        if checked.reason is not None:
            said = printed(checked.reason.said(self._language))
            self._body.write(f"<h2>{printed(checked.path)}</h2>\n<p>{said}</p>\n")
        if not checked.findings:
            return
        excerpts = self._excerpts(checked)
        heads = "".join(f"<th scope=col>{head}</th>" for head in self._words["heads"].split("|"))
        self._body.write(f"<h2>{printed(checked.path)}</h2>\n<table><thead><tr>{heads}</tr></thead><tbody>\n")
        for finding in checked.findings:
            self._body.write(self._row(finding, excerpts))
        self._body.write("</tbody></table>\n")

    def _row(self, finding: Finding, excerpts: Excerpts | None) -> str:
        line, path, _ = self._words["heads"].split("|")
        said = printed(sentence(finding, self._language))
        if finding.severity is Severity.WARNING:
            said = f"<b>{self._words['warning']}:</b> {said}"
        if finding.value is not None:
            said += f" <code>{printed(finding.value)}</code>"
        shown = "" if excerpts is None else excerpts.around(finding)
        return (
            f'<tr><td data-head="{line}">{place(finding)}</td><td class=path data-head="{path}">'
            f"{printed(finding.path)}</td><td>{said}{shown}</td></tr>\n"
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
        sums = "".join(f"<li><b>{count[verdict]}</b> {words[verdict.value]}</li>" for verdict in Verdict)
        note = "" if self._values else f"<p>{words['hidden']}</p>"
        fine = f"<p>{words['fine']}</p>" if count.total() == count[Verdict.VALID] else ""
        before, after = around(title=words["title"], language=self._language)
        self._body.seek(0)
        with self._path.open("w", encoding="utf-8") as page, self._body:
            page.write(f'{before}<h1>{words["title"]}</h1>\n<ul class="sum">{sums}</ul>\n{note}{fine}\n')
            shutil.copyfileobj(self._body, page)
            page.write(after)
