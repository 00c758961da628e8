"""What people wrote is shown as they wrote it, and is nothing else in any Markdown."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bridge.core.markdown import escaped, lines, paragraphs, plain, text_of_html, within

# HTML on: what gets through would be a tag.
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
TRICKY = st.text(
    alphabet=st.one_of(
        st.sampled_from("<>&\"'`*_{}[]()#+-.!|~=:/\\@^$%\n\r\t 0123456789abhtpsw"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)


def rendered(text: str) -> str:
    return str(MARKDOWN.render(text))


@given(TRICKY)
def test_a_line_is_shown_as_it_is(text: str) -> None:
    """One paragraph with the text, or nothing; no tag of its own, whatever stands in it."""
    shown = rendered(escaped(text))

    said = re.fullmatch(r"<p>(.*)</p>\n", shown, re.DOTALL)
    assert (said is None) == (plain(text) == "")
    if said is not None:
        assert "<" not in said[1]
        assert html.unescape(said[1]) == plain(text)


@given(TRICKY, TRICKY)
def test_a_field_stays_in_its_place(label: str, value: str) -> None:
    """A value of several lines behind a label in a list: one item, and no markup but ours."""
    shown = rendered(f"- **{escaped(label) or 'x'}:** {lines(value, indent='  ')}\n")

    assert set(re.findall(r"</?([a-z0-9]+)", shown)) <= {"ul", "li", "strong", "br"}
    assert shown.count("<li>") == 1


@given(TRICKY)
def test_a_text_of_paragraphs_stays_text(text: str) -> None:
    """Nothing but paragraphs and breaks."""
    shown = rendered("\n\n".join(paragraphs(text)))

    assert set(re.findall(r"</?([a-z0-9]+)", shown)) <= {"p", "br"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<script>alert(1)</script>", r"&lt;script&gt;alert\(1\)&lt;\/script&gt;"),
        ("www.example.no", r"www\.example\.no"),
        ("https://example.no", r"https\:\/\/example\.no"),
        ("1. juli", r"1\. juli"),
        ("a\u202eb\u200bc\u0000d", "abc d"),
        ("![x](y)", r"\!\[x\]\(y\)"),
    ],
)
def test_signs_are_escaped(text: str, said: str) -> None:
    """Tags as entities, all else by a backslash; what is not seen is left out."""
    assert escaped(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Jeg bekrefter at 3 < 4.", "Jeg bekrefter at 3 < 4."),
        ("<p>Jeg  bekrefter.</p><p>Alt<br>er riktig &amp; sant.</p>", "Jeg bekrefter.\n\nAlt\ner riktig & sant."),
        ("<div>Ja<script>alert(1)</script></div>", "Ja"),
    ],
)
def test_html_becomes_its_words(text: str, said: str) -> None:
    """Some services give their signing text as HTML."""
    assert text_of_html(text) == said


@given(st.lists(st.text(alphabet="aæ", max_size=30)), st.integers(60, 300))
def test_an_embed_has_its_limit(parts: list[str], limit: int) -> None:
    """Whole lines up to the limit in bytes; what is left out is told."""
    text = within(parts, limit=limit, more="*mer*")

    assert len(text.encode()) <= limit
    assert text == "\n".join(parts) + "\n" or text.endswith("*mer*\n")
