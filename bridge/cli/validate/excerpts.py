"""The lines of a form around its faults, as a page shows them: with values hidden, and with what is missing put in."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.cli.validate.words import WORDS
from bridge.core.errors import Finding
from bridge.core.ids import mask_identity_numbers
from bridge.core.texts.findings import field_name
from bridge.forms.xml.positions import extents, is_of_a_gap, parent_of

_AROUND_LINES, _AROUND_COLUMNS = 2, 120
# A tag, with ">" allowed in quotes; or anything that is no tag. What does not end is hidden like a value.
_PARTS = re.compile(
    r"(?P<hidden><!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>)|(?P<tag><[^\s<>\"'!?](?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>)"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"(?P<name>[^\s=\"'<>]+)(?P<is>\s*=\s*)(?P<value>\"[^\"]*\"|'[^']*')")
_JSON_PARTS = re.compile(
    r'(?P<member>"(?:[^"\\\n]|\\.)*+"(?=\s*:))|(?P<sign>[{}\[\],:\s]+)|(?P<hidden>"(?:[^"\\\n]|\\.)*+"|[^{}\[\],:\s"]+|")'
)
_VISIBLE = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class _Gap:
    """What is missing has its place after line *after* (from 0)."""

    after: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as it is shown, behind its number or, for what is missing, a plus."""

    text: str
    marked: bool


class Excerpts:
    """Shows what is around the faults of one form, *text*; *values* says whether what somebody wrote is shown."""

    def __init__(self, text: str, findings: Sequence[Finding], *, language: str, values: bool) -> None:
        text = text.replace("\r\n", "\n")
        self._language = language
        self._is_xml = text.lstrip()[:1] == "<"
        missing = [finding for finding in findings if is_of_a_gap(finding)]
        parents = [parent_of(finding) for finding in missing]
        found = extents(parents, text.encode("utf-8", "replace")) if parents and self._is_xml else ()
        self._extents = dict(zip(parents, found, strict=False))
        self._lines = (text if values else hidden(text)).split("\n")

    def around(self, finding: Finding) -> list[Line]:
        """The lines, with the fault marked; none where its line is not known."""
        if not 0 < finding.line <= len(self._lines):
            return []
        gap = self._gap(finding) if is_of_a_gap(finding) else None
        at = finding.line - 1 if gap is None else gap.after
        lines = []
        for number in range(max(0, at - _AROUND_LINES), min(len(self._lines), at + _AROUND_LINES + 1)):
            marked = gap is None and number == at
            text = shown(_window(self._lines[number], finding.column if marked else 0))
            lines.append(Line(text=f"{number + 1:>6}  {text}", marked=marked))
            if gap is not None and number == at:
                lines.append(Line(text=f"     +  {_indent(self._lines, at)}{shown(gap.said)}", marked=True))
        return lines

    def _gap(self, finding: Finding) -> _Gap:
        begin, end = self._extents.get(parent_of(finding), (0, 0))
        # It is told at the line of what stands behind it: of what takes its place, or of its parent's end tag.
        behind_its_line = not self._is_xml or finding.line == begin or (finding.at_end and not end)
        after = finding.line - (1 if behind_its_line else 2)
        words = WORDS[self._language]
        # Whose path is that of the element which lacks something, may name it.
        of_parent = parent_of(finding) == finding.path
        names = finding.facts.get("expected", "…") if of_parent else field_name(finding.path)
        if 0 < begin == end:  # The place is within that line.
            names = f"{parent_of(finding).rpartition('/')[2]}/{names}"
        return _Gap(max(0, after), f"{words['here']}: {names}")


def _indent(lines: Sequence[str], after: int) -> str:
    """Stand where the line does that is the longer indented of both neighbours."""
    around = [line for line in lines[after : after + 2] if line.strip()]
    return max((line[: len(line) - len(line.lstrip())] for line in around), key=len, default="")[:40]


def hidden(text: str) -> str:
    """
    Put a dot for every character of a value: of text, attributes (namespaces excepted), comments and the like.

    Names, of elements and of JSON's members, stay; so do lines and columns.
    """
    if _is_json(text):
        return _JSON_PARTS.sub(_hidden_json, text)
    return _PARTS.sub(_hidden_part, text)


def _is_json(text: str) -> bool:
    """Whether it is JSON as a whole: in what is not, a value may stand where a name should."""
    try:
        return text.lstrip()[:1] in ("{", "[") and json.loads(text) is not None
    except (ValueError, RecursionError):
        return False


def _hidden_json(part: re.Match[str]) -> str:
    member = part["member"]
    kept = part["sign"] is not None or (member is not None and mask_identity_numbers(member) == member)
    return part[0] if kept else _VISIBLE.sub("•", part[0])


def _hidden_part(part: re.Match[str]) -> str:
    if part["tag"] is not None:
        return _ATTRIBUTE.sub(_hidden_attribute, part["tag"])
    return _VISIBLE.sub("•", part[0])


def _hidden_attribute(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"]
    if name == "xmlns" or name.startswith("xmlns:"):
        return found[0]
    return f"{name}{found['is']}{value[0]}{_VISIBLE.sub('•', value[1:-1])}{value[-1]}"


def _window(line: str, column: int) -> str:
    """Cut a long line to what is around *column*."""
    if len(line) <= 2 * _AROUND_COLUMNS:
        return line
    begin = max(0, column - 1 - _AROUND_COLUMNS // 3)
    end = begin + 2 * _AROUND_COLUMNS
    return ("… " if begin else "") + line[begin:end] + (" …" if end < len(line) else "")


def shown(text: str) -> str:
    """*text* with a sign in place of each character that a page would not show."""
    return "".join(character if character.isprintable() or character in "\t" else "�" for character in text)
