"""Letters for which libxml2's Unicode tables are too old, such as the capital ß of 2008, in patterns."""

import functools
import re
import unicodedata
from collections.abc import Iterator

from bridge.forms.xml.automata import Automaton, automaton

_FIRST_NEW = "\u0220"
"""What comes before it, all of Latin that Norwegian needs, libxml2 knows."""
_LEAD = re.compile(rb"[\xc8-\xf4][\x80-\xbf]+")
_ESCAPE = re.compile(r"\\(?:[pP]\{([^}]*)\}|.)", re.DOTALL)
_BY_TABLES = re.compile(r"\\(?:[wWdD]|[pP]\{(?!Is))")
_NO_WORD = frozenset("PZC")
_OLD = {
    "Lu": "\u0468",
    "Ll": "\u0469",
    "Lt": "\u1f9e",
    "Lm": "\u1d37",
    "Lo": "\u0e02",
    "Mn": "\u0ac1",
    "Mc": "\u0cc7",
    "Me": "\u20de",
    "Nd": "\u0966",
    "Nl": "\u2175",
    "No": "\u248f",
    "Pd": "\u301c",
    "Ps": "\u2997",
    "Pe": "\u2998",
    "Pi": "\u2039",
    "Pf": "\u203a",
    "Po": "\u1802",
    "Sc": "\u20a7",
    "Sk": "\u02f5",
    "Sm": "\u293d",
    "So": "\u2861",
    "Cf": "\u2061",
    "Co": "\uf8ff",
}
"""Letters of each kind that no pattern names by themselves."""


def depends_on_tables(pattern: str) -> bool:
    """Whether what *pattern* takes depends on what kinds of letters there are."""
    return _BY_TABLES.search(pattern) is not None


def has_new_letters(data: bytes) -> bool:
    """Whether the form *data* (UTF-8) may have letters that libxml2's tables do not know."""
    if data.isascii():
        return b"&#" in data
    found = set(_LEAD.findall(data))
    return b"&#" in data or any(new_letters(run.decode(errors="replace")) for run in found)


def new_letters(text: str) -> frozenset[str]:
    """Those of *text* that libxml2's tables do not know for what they are."""
    return frozenset() if text.isascii() else frozenset(filter(_is_new, set(text)))


@functools.lru_cache(maxsize=4096)
def _is_new(letter: str) -> bool:
    kind = unicodedata.category(letter)
    if letter < _FIRST_NEW or kind not in _OLD:
        return False
    known = [automaton(rf"\p{{{name}}}") for name in (kind, kind[0])]
    return not all(each is None or each.match(letter) for each in known)


def in_old_letters(text: str) -> str:
    """The *text* with old letters for those of their kind that libxml2's tables are too old for."""
    new = new_letters(text)
    return "".join(_OLD[unicodedata.category(each)] if each in new else each for each in text) if new else text


class Matcher:
    """A pattern that knows new letters as well; looks like ``re.Pattern`` to xmlschema."""

    def __init__(self, known: Automaton) -> None:
        self.pattern, self._known = known.pattern, known

    def match(self, text: str) -> object | None:
        """Something where *text* fits as a whole."""
        new = new_letters(text)
        if not new or not depends_on_tables(self.pattern):
            return self._known.match(text)
        known = _automaton_for(self.pattern, new)
        return self._known.match(in_old_letters(text)) if known is None else known.match(text)


@functools.lru_cache(maxsize=256)
def _automaton_for(pattern: str, letters: frozenset[str]) -> Automaton | None:
    written = with_letters(pattern, letters)
    return None if written is None else automaton(written)


def with_letters(pattern: str, letters: frozenset[str]) -> str | None:
    """The *pattern*, in XSD's words, with *letters* of kinds unknown to libxml2 spelled into it; None if impossible."""
    parts = [
        _with_letters(part, letters) if len(part) > 1 and depends_on_tables(part) else part for part in _parts(pattern)
    ]
    return None if None in parts else "".join(part for part in parts if part is not None)


def _parts(pattern: str) -> Iterator[str]:
    """Split into classes, escapes and single characters."""
    at = 0
    while at < len(pattern):
        end = _class_end(pattern, at) if pattern[at] == "[" else _end(pattern, at)
        yield pattern[at:end]
        at = end


def _end(pattern: str, at: int) -> int:
    found = _ESCAPE.match(pattern, at)
    return at + 1 if found is None else found.end()


def _class_end(pattern: str, at: int) -> int:
    depth = 0
    while at < len(pattern):
        depth += {"[": 1, "]": -1}.get(pattern[at], 0)
        at = _end(pattern, at)
        if depth == 0:
            break
    return at


def _with_letters(part: str, letters: frozenset[str]) -> str | None:
    """One class or escape, spelled so that libxml2 has those of *letters* in it that belong there, and no others."""
    # Of a class that has \\P in it, libxml2 takes that for \\p.
    part = f"[^\\p{part[2:]}]" if part.startswith("\\P") else part
    members = part[1:-1] if part.startswith("[") else part
    known = automaton(part)
    if known is None:
        return None
    holds = {letter: _holds(members, letter) for letter in sorted(letters)}
    added = "".join(letter for letter, is_in in holds.items() if is_in and not known.match(letter))
    removed = "".join(letter for letter, is_in in holds.items() if not is_in and known.match(letter))
    negated = members.startswith("^")
    own, taken = _own_and_taken(members)
    if removed and taken.startswith("^"):
        return None
    if negated and removed and not taken:
        own, removed = own + removed, ""
    if added and not negated:
        own, added = own + added, ""
    rest = taken + removed
    written = f"[{own}-[{rest}]]" if rest else f"[{own}]"
    return f"({written}|[{added}])" if added else written


def _own_and_taken(members: str) -> tuple[str, str]:
    """Split what stands in a class into its own members and those that are taken away from it."""
    at = 0
    while at < len(members):
        if members.startswith("-[", at):
            return members[:at], members[at + 2 : -1]
        at = _end(members, at)
    return members, ""


def _holds(members: str, letter: str) -> bool:
    """Whether *letter* is in the class of these *members* by the tables of today."""
    own, taken = _own_and_taken(members)
    if taken and _holds(taken, letter):
        return False
    negated = own.startswith("^")
    own = own[negated:]
    at = 0
    while at < len(own):
        end = _end(own, at)
        low = own[at:end]
        at = end
        if own.startswith("-", at) and at + 1 < len(own):
            end = _end(own, at + 1)
            if low[-1] <= letter <= own[at + 1 : end][-1]:
                return not negated
            at = end
        elif _is_of(low, letter):
            return not negated
    return negated


def _is_of(escape: str, letter: str) -> bool:
    if len(escape) == 1:
        return escape == letter
    kind, name = unicodedata.category(letter), escape[1]
    if name in "wW":
        return (kind[0] not in _NO_WORD) is (name == "w")
    if name in "dD":
        return (kind == "Nd") is (name == "d")
    if name in "pP" and not escape[3:].startswith("Is"):
        return kind.startswith(escape[3:-1]) is (name == "p")
    known = automaton(escape)
    return known is not None and known.match(letter) is not None
