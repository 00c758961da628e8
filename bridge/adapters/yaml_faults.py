"""What YAML's parser finds wrong, as words that say what to write."""

import re
from collections.abc import Sequence

import yaml

_KEY_WITHOUT_BLANK = re.compile(r"\s*(?:- )?([A-Za-z_][\w-]*):(?=\S)")
_CONTROL = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KEY_WITH_VALUE = re.compile(r"\s*(?:- +)*[^\s:#{\[][^:]*:\s+\S")


def yaml_fault(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Give line, column (from 1) and what to write, of an error that *text* has."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 1, 1, str(error.problem or error.context)
    around = _Around(text.splitlines(), mark, error.context_mark)
    said = _in_words(str(error.problem or ""), str(error.context or ""), around)
    if said is None:
        return mark.line + 1, mark.column + 1, str(error.problem or error.context)
    at, message = said
    return at.line + 1, at.column + 1, message


def unreadable_fault(error: UnicodeDecodeError | yaml.reader.ReaderError, data: bytes) -> tuple[int, int, str]:
    """Give the place of the first byte or character that cannot stand in a YAML file, and what to write."""
    if isinstance(error, UnicodeDecodeError):
        before = data[: error.start].decode("utf-8", "replace")
        message = "these bytes are not UTF-8: save the file as UTF-8"
    else:
        text = data.decode("utf-8-sig", "replace")
        found = _CONTROL.search(text)
        before = text[: found.start() if found else 0]
        message = "a control character stands here, which YAML does not allow: take it out"
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1, message


class _Around:
    """The lines about an error: *mark* is where it showed, *opening* where what it is about began."""

    def __init__(self, lines: Sequence[str], mark: yaml.Mark, opening: yaml.Mark | None) -> None:
        self._lines, self.mark, self.opening = lines, mark, opening or mark

    def line(self, mark: yaml.Mark) -> str:
        return self._lines[mark.line] if mark.line < len(self._lines) else ""

    @property
    def here(self) -> str:
        """The character at the mark."""
        return self.line(self.mark)[self.mark.column : self.mark.column + 1]

    @property
    def before(self) -> str:
        """What stands on the line before the mark."""
        return self.line(self.mark)[: self.mark.column]

    @property
    def value(self) -> str:
        """What stands after the first key of the line, up to the mark."""
        return re.sub(r"^\s*(?:- +)*[\w-]+:\s+", "", self.before)

    @property
    def above(self) -> str:
        """The nearest line above that has anything."""
        return next((each for each in reversed(self._lines[: self.mark.line]) if each.strip()), "")


def _in_words(problem: str, context: str, around: _Around) -> tuple[yaml.Mark, str] | None:
    match problem:
        case _ if "tab character" in problem or ("start any token" in problem and around.here == "\t"):
            return around.mark, "a tab stands here: indent with blanks, two for each step"
        case _ if "start any token" in problem:
            return around.mark, _quoted(around)
        case _ if "alphabetic or numeric character" in problem:
            return around.opening, _quoted(around, around.opening)
        case _ if "mapping values are not allowed" in problem:
            return around.mark, _colon(around)
        case _ if "expected key" in problem:
            return around.mark, _key(around)
        case _ if "expected ':'" in problem:
            return around.opening, _missing_colon(around)
        case _ if "',' or '" in problem:
            return _flow(problem[-2], around)
        case _ if "expected node content" in problem and "flow" in context:
            return around.opening, "a brace or bracket is opened and not closed before this: write its } or ]"
        case _ if "unexpected end of stream" in problem and "quoted" in context:
            return around.opening, "this quote is not closed: end the text with the same quote"
        case _ if "unknown escape" in problem:
            return around.mark, "in double quotes a backslash has a meaning of its own: use single quotes, '…'"
        case _ if "'-' indicator" in problem:
            first = around.opening.line + 1
            return around.mark, f"a list begins on line {first}: here must stand a dash, or less indentation"
        case _ if "comment or line break" in problem:
            return around.mark, "after | or > the text begins on the next line, indented"
        case _:
            return None


def _quoted(around: _Around, mark: yaml.Mark | None = None) -> str:
    at = mark or around.mark
    rest = around.line(at)[at.column :].strip()
    shown = f"'{rest}'" if '"' in rest else f'"{rest}"'
    if not rest or ("'" in rest and '"' in rest):
        shown = '"…"'
    return f"a text that begins with {rest[:1]} is written in quotes: {shown}"


def _colon(around: _Around) -> str:
    above = around.above
    if re.match(r"\s*-\S", above):
        return f"after a dash comes a blank: write {re.sub(r'-', '- ', above.strip(), count=1)!r} above"
    if _KEY_WITH_VALUE.match(around.before + ":"):
        return "a second key on one line: put a text with a colon in quotes, or begin the key on a line of its own"
    column = len(above) - len(above.lstrip()) + 1
    return f"this line is indented below one that has its value already: begin it in column {column}, as that one"


def _key(around: _Around) -> str:
    if not around.before.strip():
        above = len(around.above) - len(around.above.lstrip()) + 1
        here = around.mark.column + 1
        return f"the line above begins in column {above}, this one in {here}: keys of one group begin in the same"
    value = around.value
    if around.here in "}]" and value[:1] in ("{", "["):
        return f"one {around.here} too many: nothing is open any more"
    if value[:1] in ("{", "["):
        return f"a text that begins with {value[:1]} is written in quotes, all of it"
    return "the text goes on after its closing quote: put all of it into one pair of quotes"


def _missing_colon(around: _Around) -> str:
    line = around.line(around.opening)
    if found := _KEY_WITHOUT_BLANK.match(line):
        return f"after a colon comes a blank: write {found[1]}: {line[found.end() :].strip()}"
    return "a key is written with a colon and a blank after it: key: value"


def _flow(closing: str, around: _Around) -> tuple[yaml.Mark, str]:
    opening = {"}": "{", "]": "["}.get(closing, "{")
    on_its_own = around.mark.line > around.opening.line and re.fullmatch(r"\s*(- +)?[\w-]+", around.before)
    if around.here == ":" and on_its_own:
        return around.opening, f"this {opening} is not closed: write {closing} before line {around.mark.line + 1}"
    if around.here == ":":
        return around.mark, (
            f"between {opening} and {closing} a comma stands before the next key, "
            "and a text with a colon is written in quotes"
        )
    if not around.here:
        return around.opening, f"this {opening} is not closed: write {closing} at its end"
    return around.mark, f"between {opening} and {closing} a comma stands before the next one"
