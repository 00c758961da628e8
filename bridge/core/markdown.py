"""Text of forms and people as Markdown that shows it as it is, and is nothing else."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

LIMIT = 100_000
"""Bytes of an embed: end-user systems take no more than 100 KB (facts/dialogporten.md 5.1)."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_BREAKS = re.compile(r"\r\n?|[\n\u0085\u2028\u2029]")
_BLOCKS = frozenset(
    {"address", "blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "table", "tr", "ul", "ol"}
)
_UNSHOWN = frozenset({"script", "style", "head", "title", "template"})


def plain(text: str) -> str:
    """Make one line of *text*: blanks in a row are one, and what is not seen, or turns the direction, is left out."""
    return " ".join(_seen(text).split())


def escaped(text: str) -> str:
    """
    One line, escaped so that Markdown shows it as ``plain`` has it.

    Every sign that Markdown, its dialects or HTML know is escaped: ``<``, ``>`` and ``&`` as entities, since some who
    show it look for tags before they read Markdown, all others by a backslash, which also keeps bare addresses from
    becoming links.
    """
    return _PUNCTUATION.sub(lambda sign: _ENTITIES.get(sign[0], "\\" + sign[0]), plain(text))


def lines(text: str, *, indent: str = "") -> str:
    """Several lines, escaped, each on its own; empty ones go."""
    shown = [each for line in _BREAKS.split(text) if (each := escaped(line))]
    return f"\\\n{indent}".join(shown)


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a longer text, escaped; its empty lines part them."""
    for block in re.split(r"\n[ \t]*\n", _BREAKS.sub("\n", text)):
        if shown := lines(block):
            yield shown


def within(parts: Iterable[str], *, limit: int, more: str) -> str:
    """Put *parts* below each other up to *limit* bytes; where one is left out, *more* says so."""
    room = limit - len(more.encode()) - 2
    shown: list[str] = []
    for part in parts:
        room -= len(part.encode()) + 1
        if room < 0:
            shown.append(f"\n{more}")
            break
        shown.append(part)
    return "\n".join(shown) + "\n"


def text_of_html(text: str) -> str:
    """Take the words out of HTML, as paragraphs; of what is no HTML nothing changes."""
    if re.search(r"<[A-Za-z!/][^>]*>", text) is None:
        return text
    reader = _Words()
    reader.feed(text)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.words)).strip()


def _seen(text: str) -> str:
    kept = (each if unicodedata.category(each) not in ("Cc", "Zl", "Zp") else " " for each in text)
    return "".join(each for each in kept if unicodedata.category(each) not in ("Cf", "Cs", "Co", "Cn"))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._hidden += tag in _UNSHOWN
        self._edge(tag)

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _UNSHOWN and self._hidden > 0
        self._edge(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(re.sub(r"\s+", " ", data))

    def _edge(self, tag: str) -> None:
        if tag == "br":
            self.words.append("\n")
        elif tag in _BLOCKS:
            self.words.append("\n\n")
