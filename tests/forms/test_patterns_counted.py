"""What is counted in patterns and may be nothing, or stands in what comes again: read as Python reads it."""

import itertools
import random
import re

import pytest

from bridge.forms.xml.automata import automaton
from bridge.forms.xml.patterns import xsd_pattern

_TEXTS = ["".join(letters) for length in range(5) for letters in itertools.product("abc", repeat=length)]
_OFTEN = ("", "", "?", "*", "+", "{2}", "{0,2}", "{1,2}", "{2,}", "{3}")


# A group that is counted and has no bound libxml2 may still mix up with what stands behind it.
_OFTEN_OF_GROUPS = ("", "?", "*", "+", "{2}", "{0,2}", "{1,2}", "{3}")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a(b?){2}", "a"),
        (r"\d{4}(\s?){2}", "1234"),
        ("([0-9]?){3}", "1"),
        ("(a?){2,}b", "b"),
        ("(a?|a{2})*", "a"),
        ("(a|a{2})*", "a"),
        ("(((a?){0,2}){2}){1,2}", "a"),
    ],
)
def test_what_may_be_nothing_comes_as_often_as_it_likes(pattern: str, text: str) -> None:
    read = xsd_pattern(pattern)

    assert read.notes == ()
    assert read.text is not None
    found = automaton(read.text)
    assert found is not None
    assert found.match(text)


def test_counted_groups_are_read_as_python_reads_them() -> None:
    chance = random.Random(7)
    patterns = [_pattern(chance) for _ in range(1_000)]

    assert [pattern for pattern in patterns if _differs(pattern, chance.sample(_TEXTS, 8))] == []


def _pattern(chance: random.Random) -> str:
    """A pattern with one group that may come again, between what is counted, too."""
    branches = ["".join(_piece(chance) for _ in range(chance.choice((1, 1, 2)))) for _ in range(chance.choice((1, 2)))]
    return f"{_piece(chance)}({'|'.join(branches)}){chance.choice(_OFTEN_OF_GROUPS)}{_piece(chance)}"


def _piece(chance: random.Random) -> str:
    return chance.choice(("a", "b", "[ab]", "c")) + chance.choice(_OFTEN)


def _differs(pattern: str, texts: list[str]) -> bool:
    read = xsd_pattern(pattern).text
    found = None if read is None else automaton(read)
    return found is None or any(bool(found.match(text)) != bool(re.fullmatch(pattern, text)) for text in texts)
