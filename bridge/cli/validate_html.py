"""The page that ``bridge validate --html`` writes: for a case worker, in one file, without scripts."""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from html import escape
from pathlib import Path

from bridge.cli.validate_report import place
from bridge.cli.validate_work import Checked, Verdict
from bridge.core.errors import Finding, Severity
from bridge.forms.reading import Limits, Unreadable, to_text
from bridge.forms.sentences import sentence

LARGEST_EXCERPTED = 10_000_000
_AROUND_LINES, _AROUND_COLUMNS = 2, 120
# A tag, with ">" allowed in quotes; or anything that is no tag. What does not end is hidden like a value.
_PARTS = re.compile(
    r"(?P<hidden><!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>)|(?P<tag><[^\s<>\"'!?](?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>)"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"(?P<name>[^\s=\"'<>]+)(?P<is>\s*=\s*)(?P<value>\"[^\"]*\"|'[^']*')")
_VISIBLE = re.compile(r"\S")

_WORDS: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "title": "Kontroll av skjemaer",
        "valid": "i orden",
        "findings": "med feil",
        "unusable": "som ikke lot seg kontrollere",
        "heads": "Linje|Felt|Hva er galt",
        "warning": "Advarsel",
        "hidden": "Verdiene i skjemaene er skjult.",
        "fine": "Ingen feil er funnet.",
    },
    "nn": {
        "title": "Kontroll av skjema",
        "valid": "i orden",
        "findings": "med feil",
        "unusable": "som ikkje lét seg kontrollere",
        "heads": "Linje|Felt|Kva er gale",
        "warning": "Åtvaring",
        "hidden": "Verdiane i skjemaa er skjulte.",
        "fine": "Ingen feil er funne.",
    },
    "en": {
        "title": "Check of forms",
        "valid": "in order",
        "findings": "with faults",
        "unusable": "that could not be checked",
        "heads": "Line|Field|What is wrong",
        "warning": "Warning",
        "hidden": "The values in the forms are hidden.",
        "fine": "No faults were found.",
    },
}

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1e2b3c;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.1rem;margin:2.5rem 0 .5rem;overflow-wrap:anywhere}
ul.sum{list-style:none;display:flex;flex-wrap:wrap;gap:1rem;padding:0}
ul.sum li{border:1px solid #ccd3dd;border-radius:.4rem;padding:.5rem 1rem}ul.sum b{font-size:1.4rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;
border-bottom:1px solid #e3e8ef}td.path{font:13px/1.6 ui-monospace,monospace;overflow-wrap:anywhere}
pre{background:#f4f6f9;padding:.6rem;overflow-x:auto;font-size:13px;margin:.3rem 0}
mark{background:#ffe08a;color:inherit;display:inline-block;min-width:100%}
"""


class Page:
    """Gathers what there is to tell beside the page, since the sum stands first, and writes the page at the end."""

    def __init__(self, path: Path, *, language: str, values: bool) -> None:
        self._path, self._language, self._values = path, language, values
        self._words = _WORDS[language]
        self._body = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in end

    def add(self, checked: Checked) -> None:
        """Tell of one file, unless there is nothing to say."""
        if checked.reason:
            self._body.write(f"<h2>{_text(checked.path)}</h2>\n<p>{_text(checked.reason)}</p>\n")
        if not checked.findings:
            return
        lines = self._lines(checked)
        heads = "".join(f"<th scope=col>{head}</th>" for head in self._words["heads"].split("|"))
        self._body.write(f"<h2>{_text(checked.path)}</h2>\n<table><thead><tr>{heads}</tr></thead><tbody>\n")
        for finding in checked.findings:
            self._body.write(self._row(finding, lines))
        self._body.write("</tbody></table>\n")

    def _row(self, finding: Finding, lines: list[str]) -> str:
        said = _text(sentence(finding, self._language))
        if finding.severity is Severity.WARNING:
            said = f"<b>{self._words['warning']}:</b> {said}"
        if finding.value is not None:
            said += f" <code>{_text(finding.value)}</code>"
        return (
            f"<tr><td>{place(finding)}</td><td class=path>{_text(finding.path)}</td>"
            f"<td>{said}{_excerpt(lines, finding)}</td></tr>\n"
        )

    def _lines(self, checked: Checked) -> list[str]:
        """Read the form again for its excerpts; one that cannot be read has none."""
        if checked.size > LARGEST_EXCERPTED:
            return []
        try:
            text = to_text(Path(checked.path).read_bytes(), Limits(max_bytes=LARGEST_EXCERPTED))
        except (OSError, Unreadable):
            return []
        text = text.replace("\r\n", "\n")
        return (text if self._values else hidden(text)).split("\n")

    def end(self, count: Counter[Verdict]) -> None:
        """Write the page."""
        words = self._words
        sums = "".join(f"<li><b>{count[verdict]}</b> {words[verdict.value]}</li>" for verdict in Verdict)
        note = "" if self._values else f"<p>{words['hidden']}</p>"
        fine = f"<p>{words['fine']}</p>" if count.total() == count[Verdict.VALID] else ""
        self._body.seek(0)
        with self._path.open("w", encoding="utf-8") as page, self._body:
            page.write(
                f'<!doctype html>\n<html lang="{self._language}"><head><meta charset="utf-8">'
                f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
                '<meta name="viewport" content="width=device-width,initial-scale=1">'
                f"<title>{words['title']}</title><style>{_STYLE}</style></head><body>\n"
                f'<h1>{words["title"]}</h1>\n<ul class="sum">{sums}</ul>\n{note}{fine}\n'
            )
            shutil.copyfileobj(self._body, page)
            page.write("</body></html>\n")


def hidden(xml: str) -> str:
    """
    Put a dot for every character of a value: of text, attributes (namespaces excepted), comments and the like.

    Lines and columns stay where they are.
    """
    return _PARTS.sub(_hidden_part, xml)


def _hidden_part(part: re.Match[str]) -> str:
    if part["tag"] is not None:
        return _ATTRIBUTE.sub(_hidden_attribute, part["tag"])
    return _VISIBLE.sub("•", part[0])


def _hidden_attribute(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"]
    if name == "xmlns" or name.startswith("xmlns:"):
        return found[0]
    return f"{name}{found['is']}{value[0]}{_VISIBLE.sub('•', value[1:-1])}{value[-1]}"


def _excerpt(lines: list[str], finding: Finding) -> str:
    if not 0 < finding.line <= len(lines):
        return ""
    at = finding.line - 1
    shown = []
    for number in range(max(0, at - _AROUND_LINES), min(len(lines), at + _AROUND_LINES + 1)):
        line = f"{number + 1:>6}  {_text(_window(lines[number], finding.column if number == at else 0))}"
        shown.append(f"<mark>{line}</mark>" if number == at else line)
    joined = "\n".join(shown)
    return f"<pre>{joined}</pre>"


def _window(line: str, column: int) -> str:
    """Cut a long line to what is around *column*."""
    if len(line) <= 2 * _AROUND_COLUMNS:
        return line
    begin = max(0, column - 1 - _AROUND_COLUMNS // 3)
    end = begin + 2 * _AROUND_COLUMNS
    return ("… " if begin else "") + line[begin:end] + (" …" if end < len(line) else "")


def _text(text: str) -> str:
    return escape("".join(character if character.isprintable() or character in "\t" else "�" for character in text))
