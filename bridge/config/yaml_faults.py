"""What YAML's parser finds wrong, as words that say what to write."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ODD_BLANKS = "\xa0\u2002\u2003\u2007\u2009\u200b\u202f\u2060\u3000\ufeff"
"""What looks like a blank, or like nothing, and is a letter to YAML."""

_KEY_WITHOUT_BLANK = re.compile(r"\s*(?:- )?([A-Za-z_][\w-]*):(?=\S)")
_DASH_WITHOUT_BLANK = re.compile(r"\s*-(?=[^\s-])")
_CONTROL = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KEY = re.compile(r"[ \t]*(?:- +)*[^\s#].*?:(?:[ \t]|$)")
_KEY_WITH_SIGN = re.compile(r"\s*(?:- +)?([\w-]+)\s*=\s*(\S.*)")
_KEY_WITH_ODD_BLANK = re.compile(rf"\s*(?:- +)?([A-Za-z_][\w-]*):[{ODD_BLANKS}]+")
_ODD_INDENTATION = re.compile(rf"[ \t]*(?=[{ODD_BLANKS}]+\S)")
_GOES_ON = re.compile(r"[:,{\[]\s*$|(?:^|\s)-\s+$")
_KEY_WITH_VALUE = re.compile(r"\s*(?:- +)*[^\s:#{\[][^:]*:\s+(?!#)\S")


def yaml_fault(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Line, column (from 1) and what to write, of an error that *text* has."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 1, 1, str(error.problem or error.context)
    around = _Around(text.splitlines(), mark, error.context_mark)
    said = (
        _oddly_indented(around)
        or _unclosed(text, mark)
        or _in_words(str(error.problem or ""), str(error.context or ""), around)
    )
    if said is None:
        return mark.line + 1, mark.column + 1, str(error.problem or error.context)
    at, message = said
    return at.line + 1, at.column + 1, message


def unreadable_fault(error: UnicodeDecodeError | yaml.reader.ReaderError, data: bytes) -> tuple[int, int, str]:
    """The place of the first byte or character that cannot stand in a YAML file, and what to write."""
    if isinstance(error, UnicodeDecodeError):
        before = data[: error.start].decode("utf-8", "replace")
        message = "these bytes are not UTF-8: save the file as UTF-8"
    else:
        text = data.decode("utf-8-sig", "replace")
        found = _CONTROL.search(text)
        before = text[: found.start() if found else 0]
        message = "a control character stands here, which YAML does not allow: take it out"
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1, message


def with_blank_after_dash(line: str) -> str:
    """What to write in place of *line*, which begins with a dash and no blank behind it."""
    return f"after a dash comes a blank: write '- {line.strip().removeprefix('-')}'"


def starts_oddly(text: str, mark: Any, lines: Sequence[str]) -> bool:
    """Whether *text* begins its line, with blanks that are no indentation to YAML."""
    line = lines[mark.line] if mark.line < len(lines) else ""
    return text[:1] != "" and text[0] in ODD_BLANKS and not line[: mark.column].strip()


class _Around:
    """The lines about an error: *mark* is where it showed, *opening* where what it is about began."""

    def __init__(self, lines: Sequence[str], mark: yaml.Mark, opening: yaml.Mark | None) -> None:
        self.lines, self.mark, self.opening = lines, mark, opening or mark

    def line(self, mark: yaml.Mark) -> str:
        return self.lines[mark.line] if mark.line < len(self.lines) else ""

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
        return next((each for each in reversed(self.lines[: self.mark.line]) if each.strip()), "")


def _in_words(problem: str, context: str, around: _Around) -> tuple[yaml.Mark, str] | None:
    match problem:
        case _ if "tab character" in problem or ("start any token" in problem and around.here == "\t"):
            return around.mark, "a tab stands here: indent with blanks, two for each step"
        case _ if "start any token" in problem:
            return around.mark, _quoted(around)
        case _ if "alphabetic or numeric character" in problem:
            return around.opening, _quoted(around, around.opening)
        case _ if "mapping values are not allowed" in problem:
            return _colon(around)
        case _ if "<document start>" in problem:
            return _colon_missing_above(around)
        case _ if "expected key" in problem:
            return _key(around)
        case _ if "expected ':'" in problem:
            return around.opening, _missing_colon(around.line(around.opening))
        case _ if "',' or '" in problem:
            return _flow(problem[-2], around)
        case _ if "expected node content" in problem and "flow" in context:
            return around.opening, "a brace or bracket is opened and not closed before this: write its } or ]"
        case _ if "unexpected end of stream" in problem and "quoted" in context:
            return around.opening, "this quote is not closed: end the text with the same quote"
        case _ if "unknown escape" in problem:
            return around.mark, "in double quotes a backslash has a meaning of its own: use single quotes, '…'"
        case _ if "'-' indicator" in problem and _DASH_WITHOUT_BLANK.match(around.line(around.mark)):
            return around.mark, with_blank_after_dash(around.line(around.mark))
        case _ if "'-' indicator" in problem:
            first = around.opening.line + 1
            return around.mark, f"a list begins on line {first}: here must stand a dash, or less indentation"
        case _ if "comment or line break" in problem:
            return around.mark, "after | or > the text begins on the next line, indented"
        case _:
            return None


def _quoted(around: _Around, mark: yaml.Mark | None = None) -> str:
    at = mark or around.mark
    rest = _text(around.line(at)[at.column :], in_flow=_is_in_flow(around.lines, at))
    return f"a text that begins with {rest[:1]} is written in quotes: {_in_quotes(rest)}"


def _in_quotes(text: str) -> str:
    if not text or ("'" in text and '"' in text):
        return '"…"'
    return f"'{text}'" if '"' in text else f'"{text}"'


def _text(rest: str, *, in_flow: bool) -> str:
    """The text that *rest* of a line begins with; between braces it ends where what encloses it goes on or closes."""
    rest = re.split(r"\s#", rest, maxsplit=1)[0].strip()
    if not in_flow:
        return rest
    depth = 0
    for at, letter in enumerate(rest):
        if not depth and letter in ",}]":
            return rest[:at].strip()
        depth += (letter in "([{") - (letter in ")]}" and depth > 0)
    return rest


def _is_in_flow(lines: Sequence[str], mark: yaml.Mark) -> bool:
    """Whether a brace or bracket is open at *mark*."""
    depth = 0
    for token in _tokens("\n".join(lines)):
        if (token.start_mark.line, token.start_mark.column) >= (mark.line, mark.column):
            break
        if isinstance(token, yaml.FlowMappingStartToken | yaml.FlowSequenceStartToken):
            depth += 1
        elif isinstance(token, yaml.FlowMappingEndToken | yaml.FlowSequenceEndToken):
            depth -= 1
    return depth > 0


def _oddly_indented(around: _Around) -> tuple[yaml.Mark, str] | None:
    for number, line in enumerate(around.lines[: around.mark.line + 1]):
        if found := _ODD_INDENTATION.match(line):
            message = "a blank that is no ordinary one stands here: indent with ordinary blanks, two for each step"
            return _mark(number, found.end()), message
    return None


def _unclosed(text: str, mark: yaml.Mark) -> tuple[yaml.Mark, str] | None:
    """The place and words of the quote before *mark* that took in what follows, up to the next text's quote."""
    quoted = None
    for token in _tokens(text):
        if (token.start_mark.line, token.start_mark.column) >= (mark.line, mark.column):
            break
        if isinstance(token, yaml.ScalarToken) and token.style in ("'", '"'):
            quoted = token
    if quoted is None or quoted.end_mark.line != mark.line or not _GOES_ON.search(quoted.value):
        return None
    return quoted.start_mark, "this quote is not closed: end the text with the same quote"


def _tokens(text: str) -> Iterator[Any]:
    try:
        yield from yaml.scan(text, Loader=LOADER)
    except yaml.YAMLError:
        return  # What is wrong is known; only what stands before it is looked at.


def _colon(around: _Around) -> tuple[yaml.Mark, str]:
    above = around.above
    if dashed := _DASH_WITHOUT_BLANK.match(around.before):
        return _mark(around.mark.line, dashed.end() - 1), with_blank_after_dash(around.line(around.mark))
    if _DASH_WITHOUT_BLANK.match(above):
        return around.mark, f"{with_blank_after_dash(above)} above"
    if _KEY_WITH_VALUE.match(around.before + ":"):
        message = "a second key on one line: put a text with a colon in quotes, or begin the key on a line of its own"
        return around.mark, message
    if told := _colon_missing_above(around):
        return told
    column = len(above) - len(re.sub(r"^\s*(?:- +)*", "", above)) + 1
    message = f"this line is indented below one that has its value already: begin it in column {column}, as that one"
    return around.mark, message


def _colon_missing_above(around: _Around) -> tuple[yaml.Mark, str] | None:
    """The place and words of the key above that lacks its colon, or the blank after it, so that YAML read on."""
    lines = [
        (number, line)
        for number, line in enumerate(around.lines[: around.mark.line])
        if line.strip() and not line.lstrip().startswith("#")
    ]
    first = None
    while lines and _no_key(lines[-1][1]):
        first = lines.pop()
    if first is None:
        return None
    number, line = first
    if lines and _KEY_WITH_VALUE.match(lines[-1][1]) and _column(line) > _column(lines[-1][1]):
        return None  # It goes on with that key's value.
    return _mark(number, _column(line) - 1), _missing_colon(line)


def _no_key(line: str) -> bool:
    if _KEY.match(line):
        return False
    return not line.lstrip().startswith("- ") or any(
        each.match(line) for each in (_KEY_WITHOUT_BLANK, _KEY_WITH_SIGN, _KEY_WITH_ODD_BLANK)
    )


def _column(line: str) -> int:
    return len(line) - len(line.lstrip()) + 1


def _mark(line: int, column: int) -> yaml.Mark:
    return yaml.Mark("", 0, line, column, None, 0)


def _key(around: _Around) -> tuple[yaml.Mark, str]:
    if not around.before.strip():
        above, here = _column(around.above), around.mark.column + 1
        dashed = around.above.lstrip().startswith("-")
        if (above == here or (above < here and not dashed)) and (told := _colon_missing_above(around)):
            return told
        message = f"the line above begins in column {above}, this one in {here}: keys of one group begin in the same"
        return around.mark, message
    value = around.value
    if around.here in "}]" and value[:1] in ("{", "["):
        return around.mark, f"one {around.here} too many: nothing is open any more"
    if value[:1] in ("{", "["):
        return around.mark, f"a text that begins with {value[:1]} is written in quotes, all of it"
    return around.mark, "the text goes on after its closing quote: put all of it into one pair of quotes"


def _missing_colon(line: str) -> str:
    if found := _KEY_WITH_ODD_BLANK.match(line):
        return f"after a colon comes an ordinary blank, not such a one: write {found[1]}: {line[found.end() :].strip()}"
    if found := _KEY_WITHOUT_BLANK.match(line):
        return f"after a colon comes a blank: write {found[1]}: {line[found.end() :].strip()}"
    written = "key: value"
    if found := _KEY_WITH_SIGN.match(line):
        written = f"{found[1]}: {found[2].strip()}"
    elif found := re.fullmatch(r"\s*(?:- +)?([\w-]+)\s*", line):
        written = f"{found[1]}: …"
    return f"a key is written with a colon and a blank after it: {written}"


def _bracket_in_text(around: _Around) -> tuple[yaml.Mark, str] | None:
    """The place and words of a text without quotes that a bracket or brace of its own ended, as in a path."""
    line, mark = around.line(around.mark), around.mark
    if re.search(r"[\]}]$", around.before) and around.here.strip():
        return mark, "a text with brackets or braces is written in quotes, all of it"
    if around.here not in ("[", "{"):
        return None
    start = None
    for token in _tokens("\n".join(around.lines)):
        if (token.start_mark.line, token.start_mark.column) >= (mark.line, mark.column):
            break
        start = token.start_mark if isinstance(token, yaml.ScalarToken) and token.plain else None
    if start is None or start.line != mark.line:
        return None
    text = re.split(r":(?:\s|$)", _text(line[start.column :], in_flow=True), maxsplit=1)[0].strip()
    return start, f"a text with {around.here} is written in quotes: {_in_quotes(text)}"


def _flow(closing: str, around: _Around) -> tuple[yaml.Mark, str]:
    opening = {"}": "{", "]": "["}.get(closing, "{")
    line = around.line(around.mark)
    if around.mark.line > around.opening.line and re.fullmatch(r"\s*(- +)?[\w-]*", around.before) and around.here:
        if _column(line) <= _column(around.line(around.opening)):
            return around.opening, f"this {opening} is not closed: write {closing} before line {around.mark.line + 1}"
        begins = _mark(around.mark.line, _column(line) - 1)
        return begins, f"between {opening} and {closing} a comma stands before the next one"
    if around.here in "}]" and around.here:
        return around.mark, f"the {opening} before this is not closed: write {closing} before this {around.here}"
    if told := _bracket_in_text(around):
        return told
    if around.here == ":":
        return around.mark, (
            f"between {opening} and {closing} a comma stands before the next key, "
            "and a text with a colon is written in quotes"
        )
    if not around.here:
        return around.opening, f"this {opening} is not closed: write {closing} at its end"
    return around.mark, f"between {opening} and {closing} a comma stands before the next one"
