"""Types that elements name by ``xsi:type``: where one cannot be, nothing inside is what the schema would expect."""

import html
import re
from collections.abc import Collection, Iterable, Iterator
from functools import partial

from lxml import etree

from bridge.core.errors import Finding
from bridge.forms.xml.namespaces import rewritten

TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
WRONG, MISSING = "wrong_type", "missing_type"
_OF_NOTHING = frozenset({"empty", "missing_element", "incomplete", "missing_any", "too_few"})
_NAMED = re.compile(rb":type\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_BLANKS = b" \t\r\n"
_PADDED = re.compile(rb":type\s*+=\s*+(?:[\"']\s|\"[^\"<]*\s\"|'[^'<]*\s')")
_XSI = re.compile(rb"xmlns:([^\s=]+)\s*=\s*[\"']http://www\.w3\.org/2001/XMLSchema-instance[\"']")


def named_in(data: bytes) -> bytes:
    """The types that elements of the form *data* name, each once and in quotes, as a schema names them."""
    names = {double or single for double, single in _NAMED.findall(data)} if b":type" in data else ()
    texts = (html.unescape(name.decode("utf-8", "replace")).strip() for name in names)
    return b" ".join(f'"{text}"'.encode() for text in texts)


def pieces_with_bare_types(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """
    *pieces* of a form without blanks around the types that its elements name, over which libxml2 stumbles.

    No tag is cut. The blanks stand behind the attribute then, so that no line changes.
    """
    prefixes: set[bytes] = set()
    for piece in pieces:
        prefixes.update(_XSI.findall(piece))
        if b":type" not in piece or _PADDED.search(piece) is None:
            yield piece
        else:
            yield b"".join(rewritten(piece, b":type", partial(_bare, prefixes)))


def _bare(prefixes: Collection[bytes], found: re.Match[bytes]) -> bytes:
    prefix, _, local = found[1].rstrip(b"= \t\r\n").partition(b":")
    text = found[2][1:-1]
    bare = text.strip(_BLANKS)
    if local != b"type" or prefix not in prefixes or bare == text:
        return found[0]
    quote, front = found[2][:1], len(text) - len(text.lstrip(_BLANKS))
    return found[1] + quote + bare + quote + text[:front] + text[front + len(bare) :]


def rule_for(node: etree._Element) -> str:
    """What is wrong with *node*, whose type may not stand there: the one that it names, or that it names none."""
    return WRONG if TYPE in node.attrib else MISSING


def without_consequences(findings: Iterable[Finding]) -> list[Finding]:
    """
    Leave out what else is told of elements whose type may not stand there, and of what is in them.

    Of an element that may not be nil that it is empty is no second fault, nor what it lacks.
    """
    left = list(findings)
    nil = {each.path for each in left if each.rule == "nil_not_allowed"}
    if nil:
        left = [each for each in left if each.rule not in _OF_NOTHING or nil.isdisjoint(_up(each.path))]
    wrong = {each.path for each in left if each.rule in {WRONG, MISSING}}
    if not wrong:
        return left
    return [each for each in left if wrong.isdisjoint(_up(each.path)) or each.rule in {WRONG, MISSING}]


def _up(path: str) -> Iterable[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
