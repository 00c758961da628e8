"""Letters that libxml2's Unicode tables do not know are what they are, in patterns of both engines."""

from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.automata import automaton
from bridge.forms.xml.new_letters import Matcher, has_new_letters, in_old_letters, new_letters, with_letters
from bridge.forms.xml.patterns import xsd_pattern

NEWER = ' xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
CASES = {
    # pattern: (fits, does not fit); the capital ß came in 2008, the rupee in 2010, the long hyphen in 2011.
    r"\P{L}+": (("1-₹", "😀"), ("ẞ", "1ẞ", "a")),
    r"[^\p{L}]+": (("1₹",), ("ẞ1",)),
    r"[\P{L}]+": (("1₹",), ("ẞ1", "a")),
    r"[^\P{L}]+": (("ẞa",), ("₹", "1")),
    r"[a\P{L}]+": (("a1₹",), ("b", "ẞ")),
    r"[^1\P{N}]": (("2",), ("1", "₹", "ẞ")),
    r"[\P{L}-[1]]": (("2", "₹"), ("1", "a", "ẞ")),
    r"\p{Sc}+": (("₹", "€₹"), ("ẞ", "1")),
    r"\p{L}+": (("STRAẞE", "中文"), ("₹",)),
    r"[\p{L} ẞ-]{1,4}": (("ẞ a-",), ("₹",)),
    r"\w+": (("ẞ₹",), ("⸺",)),
    r"\W+": (("⸺-",), ("ẞ", "₹")),
    r"[\w-[\p{Lu}]]+": (("a",), ("ẞ", "A")),
    r"(\p{L}|\p{N})+x": (("ẞ1x",), ("₹x",)),
    r"\p{IsLatinExtendedAdditional}": (("ẞ",), ("a",)),
    "[ẞ]|a": (("ẞ", "a"), ("S",)),
}


@pytest.mark.parametrize("about", ["", NEWER], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize(("pattern", "fits", "not_fits"), [(key, *case) for key, case in CASES.items()])
def test_new_letters_are_of_their_kind(
    tmp_path: Path, about: str, pattern: str, fits: tuple[str, ...], not_fits: tuple[str, ...]
) -> None:
    """What has them is taken and refused as any other, and the engines agree."""
    (tmp_path / "a.xsd").write_text(
        f'<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"{about}><x:element name="m"><x:simpleType><x:restriction'
        f' base="x:string"><x:pattern value={quoteattr(pattern)}/></x:restriction></x:simpleType></x:element>'
        "</x:schema>",
        "utf-8",
    )
    registry = SchemaRegistry(tmp_path, both_engines=True)
    registry.load(["a.xsd"])

    assert {
        text: [found.rule for found in registry.check("a.xsd", f"<m>{text}</m>")] for text in (*fits, *not_fits)
    } == {
        **{text: [] for text in fits},
        **{text: ["pattern"] for text in not_fits},
    }


def test_references_are_letters_as_well(tmp_path: Path) -> None:
    """Whether there are new ones is seen in the bytes, where they may be spelled out."""
    assert has_new_letters("<m>ẞ</m>".encode())
    assert has_new_letters(b"<m>&#x1E9E;</m>")
    assert not has_new_letters("<m>æøå – «»</m>".encode())


def test_a_class_is_left_alone_where_it_is_right() -> None:
    """And what cannot be written is not."""
    assert with_letters(r"[a-z]+\.\p{L}", frozenset("€")) == r"[a-z]+\.[\p{L}]"
    assert with_letters(r"[\p{L}ẞ]", frozenset("ẞ")) == r"[\p{L}ẞ]"


@given(st.text(alphabet="aẞ₹1😀中⸺ -", max_size=6))
def test_old_letters_fit_where_new_ones_do(text: str) -> None:
    """As long as no pattern names them."""
    for pattern in (r"\p{L}+", r"\p{Sc}*", r"[^\p{L}]+", r"\w*", r"\P{Lu}+"):
        read = xsd_pattern(pattern).text
        made = None if read is None else automaton(read)
        assert made is not None

        assert bool(Matcher(made).match(text)) is bool(made.match(in_old_letters(text)))
    assert new_letters(in_old_letters(text)) == frozenset()


def test_a_pattern_is_compiled_once() -> None:
    """A form may have thousands of values of one pattern, each of which is matched anew."""
    assert automaton(r"[0-9]{2}[\p{Z}\t\n\r]") is automaton(r"[0-9]{2}[\p{Z}\t\n\r]")
