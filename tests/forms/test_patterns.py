"""Patterns as .NET takes them, in XSD's words: each is what libxml2 matches then, and no more is refused."""

import itertools
import re
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.forms.xml.automata import automaton
from bridge.forms.xml.dotnet_patterns import dotnet_pattern
from bridge.forms.xml.patterns import xsd_pattern
from bridge.forms.xml.schema_files import Engine
from bridge.forms.xml.schemas import read_schema_files
from bridge.forms.xml.xmlschema_engine import build_xmlschema
from tests.effort import growth

CASES = {
    # pattern: (in XSD's words, fits, does not fit)
    "^a$": ("a", ("a",), ("^a$",)),
    "^(a|b)$": ("(a|b)", ("a", "b"), ("ab",)),
    "^a|b$": ("a|b", ("a", "b"), ("^a",)),
    "(^$)|(^[0-9]{4}$)": ("()|([0-9]{4})", ("", "1234"), ("123",)),
    "^([0-9]{4}$)": ("([0-9]{4})", ("1234",), ("1234$",)),
    "((^a$)|(^b$))?": ("((a)|(b))?", ("a", ""), ("ab",)),
    r"(^a$)\s*": ("(a)", ("a",), ("^a$", "b")),
    r"\s*(^a$)": ("(a)", ("a",), ("^a$", "b")),
    r"([0-9]{4}$)\s?": ("([0-9]{4})", ("1234",), ("1234$",)),
    "x*^a": ("a", ("a",), ("^a", "xa")),
    r"(^|x)a($|y)\s*": (r"(a|a(y)\s*|(x)a|(x)a(y)\s*)", ("a", "xay", "ay ", "xa"), ("^a", "a ", "xa ")),
    r"(a$|b) ?": ("((a)|(b) ?)", ("a", "b "), ("a$", "a ")),
    "(^a$)?(b$)?": ("((a)|(b))?", ("", "a", "b"), ("ab", "^a$")),
    "(a)?(^b)?": ("((b)|(a)?)", ("", "a", "b"), ("ab",)),
    "(a$|b)*": ("((b)*(a)|(b)*)", ("", "a", "bb", "bba"), ("ab", "aa")),
    "a$(b*$)": ("a", ("a",), ("a$", "ab")),
    "(^[0-9]$)+x?": ("([0-9]){1}", ("1",), ("^1$", "11")),
    r"a\z *": ("a", ("a",), ("b",)),
    "((a$)?b*)??c*": ("(((a))|(b*)?c*)", ("a", "bc", ""), ("a$", "ab", "ac")),
    r"\A[a-c]+\z": ("[a-c]+", ("abc",), ("d",)),
    "a^b": ("a^b", ("a^b",), ("ab",)),
    r"a\$": (r"a[$]", ("a$",), ("a",)),
    r"\$[0-9]+\,\d{2}": (r"[$][0-9]+,\d{2}", ("$12,50",), ("12,50",)),
    "[0-9a-zA-Z-_]+": (r"[0-9a-zA-Z\-_]+", ("12-3_4",), ("a.b",)),
    "[a-z-æøå]*": (r"[a-z\-æøå]*", ("på-nå",), ("A",)),
    "[-a]+[a-]": (None, ("--a", "a-"), ("b-",)),
    "[+--]": (r"[+-\-]", ("+", ",", "-"), (".",)),
    "[a-z-[aeiou]]+": (None, ("bcd",), ("bad",)),
    "[a-z-[aeiou-[e]]]+": ("([a-z-[aeiou]]|[e])+", ("bed",), ("bad",)),
    "[^a-z-[A-Z-[B]]]": ("([^a-z-[A-Z]]|[B])", ("B", "1"), ("A", "a")),
    "[[(]a": (r"[\[(]a", ("[a", "(a"), ("a",)),
    "([[(]a)": (r"([\[(]a)", ("[a", "(a"), ("a",)),
    "([^])]-[b[])": (r"([^\])]-[b\[])", ("a-b", "(-["), (")-b",)),
    "(?=[[)])([a-z)-[)[]])": ("([a-z)-[)\\[]])", ("b",), (")", "[")),
    "[0-9]*?": ("[0-9]*", ("", "12"), ("x",)),
    "a{2,3}?b??": ("a{2,3}b?", ("aa", "aaab"), ("a",)),
    r"[\u00C0-\u017F\x41]+": ("[À-ſA]+", ("ÅA",), ("a",)),
    r"\x2e\x28": (r"\.\(", (".(",), ("a(",)),
    r"[\x5d\x2d]": (r"[\]\-]", ("]", "-"), ("a",)),
    r"\d{4}\/\d{2}": (r"\d{4}/\d{2}", ("2026/11",), ("2026-11",)),
    "(?:ab)+": ("(ab)+", ("abab",), ("aba",)),
    "(?<aar>[0-9]{4})": ("([0-9]{4})", ("2026",), ("26",)),
    "(?'aar'[0-9]{4})": ("([0-9]{4})", ("2026",), ("26",)),
    "(?!0000)[0-9]{4}": ("[0-9]{4}", ("1234",), ("abc",)),
    r"(?=.*\d)(?=.*[)\]])[a-z0-9)]{2,}": ("[a-z0-9)]{2,}", ("a1)",), ("A",)),
    r"\bab\b": ("ab", ("ab",), ("a",)),
    "a(?#ord)b": ("ab", ("ab",), ("a",)),
    "a{x}]": (r"a\{x\}\]", ("a{x}]",), ("ax",)),
    "[a-z-[b-y-[^xy]]]": ("([a-z-[b-y]]|[a-z-[xy]])", ("a", "c", "z"), ("x", "y", "A")),
    r"\p{L}+\P{Nd}": (r"\p{L}+[^\p{Nd}]", ("æb",), ("a1",)),
    r"\w+\d[\w]?": (r"[\w]+\d[\w]?", ("a1", "ab12"), ("ab",)),
}


@pytest.mark.parametrize(("pattern", "words", "fits", "not_fits"), [(key, *case) for key, case in CASES.items()])
def test_patterns_mean_what_they_mean_there(
    pattern: str, words: str | None, fits: tuple[str, ...], not_fits: tuple[str, ...]
) -> None:
    """None stands for a pattern that is XSD's already."""
    read = xsd_pattern(pattern)

    assert read.text == (pattern if words is None else words)
    assert bool(read.notes) == (read.text != pattern and not read.text.startswith((r"[\w]", r"\p{L}", "[+-")))
    if fits:
        found = automaton(read.text)
        assert found is not None
        assert [text for text in (*fits, *not_fits) if found.match(text)] == list(fits)


@pytest.mark.parametrize(
    ("pattern", "never"),
    [
        ("a^b", True),
        ("a$b", True),
        ("x+^a", True),
        ("(a$b|x^c)+", True),
        ("(a$b)?c", False),
        ("a|b$c", False),
        ("(a$|b)c", False),
        ("a$b{0}", None),
        ("^a$", None),
        (r"a\$b[$^]", None),
    ],
)
def test_anchors_that_never_hold_are_known(pattern: str, never: bool | None) -> None:
    """None where there are none; to XSD they are characters."""
    read = xsd_pattern(pattern)

    assert read.strays is (never is not None)
    assert read.never is bool(never)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a$)+", "(a){1}"),
        ("(^a$)*", "(a)?"),
        ("(a$){1,3}", "(a){1}"),
        ("(^a$)?", "(a)?"),
        (r"(^a$|^b$)\s*", "(a|b)"),
        ("(a$){2}", None),
    ],
)
def test_what_is_anchored_comes_once(pattern: str, text: str | None) -> None:
    """What would have to come more often is not held against values, with a note that says why."""
    read = xsd_pattern(pattern)

    assert read.text == text
    assert read.notes


ANCHORED = [
    *("(^a$)?(b$)?", "((^a$)?(b$)?)", "(a$)?(b$)?(c$)?", "(^a)?(^b)?(^c)?", "(a)?(^b)?(c$)?", "((a$)?b?)?c?"),
    *("(^|a)b($|c)a?", "(a$|b)c?", "(a|^b)*", "(a$|b)+", "(^a|b|c$)*", "(a$|^a)*", "((^a|b)*c$)?", "(b|(a$)?)*"),
    *("(^a$)|b|c$", "a?(b?(c?$)?)?", "(^(a|b$))?c?", "((a|b$)?(c|^b)?)?", "($|a)(^|b)?", "a?^b?$c?"),
]


@pytest.mark.parametrize("pattern", ANCHORED)
def test_anchors_in_what_may_be_missing_tie_it_all_the_same(pattern: str) -> None:
    """Python's own reading of them is .NET's, and decides of every short text."""
    found = automaton(xsd_pattern(pattern).text or "")
    assert found is not None
    own = re.compile(pattern.replace("$", r"\Z"))

    texts = ["".join(letters) for length in range(5) for letters in itertools.product("abc", repeat=length)]
    assert [text for text in texts if found.match(text)] == [text for text in texts if own.fullmatch(text)]


SHAPES = {
    # pattern: (fits, does not fit); libxml2 itself says otherwise of each.
    r"\w+\d": (("a1", "ab12"), ("ab",)),
    "[^0-9]+[^a]": (("bcd", "a/"), ("1a", "ba")),
    r"[^\d]*[^a]": (("b1", "bb"), ("11", "a")),
    r"\d{1,2}:\d{2}|\d": (("1", "1:22", "12:22"), ("12", "1:2")),
    "[a-z]{2,5}1|[a-z]": (("a", "ab1", "abcde1"), ("ab", "abc")),
    "(b(c)*)|d?": (("bcc", "d", ""), ("cc", "c")),
    "(b(c)*)*": (("bccbc", "b", ""), ("cc", "cb")),
    "(b(b)+)*|(1)+[a-b]": (("bb", "1b", ""), ("1ab", "b")),
    r"(1.)*|[^a]*\s": (("1x1-", "-- ", ""), ("- 1-", "1")),
}


@pytest.mark.parametrize(("pattern", "fits", "not_fits"), [(key, *case) for key, case in SHAPES.items()])
def test_what_libxml2_mixes_up_is_written_in_another_way(
    pattern: str, fits: tuple[str, ...], not_fits: tuple[str, ...]
) -> None:
    """Without a word: it means the same."""
    read = xsd_pattern(pattern)

    assert read.text is not None
    found, own = automaton(read.text), automaton(pattern)
    assert found is not None
    assert own is not None
    assert [text for text in (*fits, *not_fits) if found.match(text)] == list(fits)
    assert [text for text in (*fits, *not_fits) if own.match(text)] != list(fits)
    assert read.notes == ()


@pytest.mark.parametrize("pattern", [*CASES, *SHAPES])
def test_what_is_written_both_engines_read(tmp_path: Path, pattern: str) -> None:
    """Without xmlschema's model there would be no facts for sentences, and nothing to convert by."""
    (tmp_path / "a.xsd").write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:simpleType><x:restriction'
        f' base="x:string"><x:pattern value={quoteattr(pattern)}/></x:restriction></x:simpleType></x:element>'
        "</x:schema>",
        "utf-8",
    )

    files = read_schema_files(tmp_path, "a.xsd")

    assert files.engine is Engine.LIBXML2
    assert files.patterns() == {xsd_pattern(pattern).text}
    assert build_xmlschema(files).refused is None


@pytest.mark.parametrize(
    "pattern",
    ["(?i)abc", "(?i:a)b", r"(a)\1", r"\k<n>", "(?>a)", "(a", r"\x00", "[a-z", "a)", "(" * 60 + "a" + ")" * 60],
)
def test_of_what_has_no_words_nothing_is_said(pattern: str) -> None:
    """With the reason."""
    read = xsd_pattern(pattern)

    assert read.text is None
    assert read.notes


@given(st.text(alphabet=r"ab09^$()[]{}-,|?*+.\\wdWSpPuxAzbkL:=!<>'\u00c5😀", max_size=30))
def test_no_pattern_breaks_the_reading(pattern: str) -> None:
    """And what is read is read once: the words of XSD mean themselves."""
    read = xsd_pattern(pattern)

    assert read.text is not None or read.notes
    if read.text is not None:
        dotnet_pattern(read.text)


@pytest.mark.parametrize(
    "piece",
    [
        *("(", "(a", "[a", "a{1}", "(?=", "()", "|^", "$|", "\\w", "(?:a)*?", "[^a-[b]]", "x" * 10),
        *("(a$)?", "(^a)?", "(a$|b)*"),
    ],
)
def test_reading_grows_with_the_pattern(piece: str) -> None:
    """However it is made; the shorter has some three thousand characters."""
    assert growth(lambda size: xsd_pattern(piece * size), 3_000 // len(piece)) < 80
