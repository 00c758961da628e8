"""Hostile or broken XML stops here: what passes is one well-formed document without a DOCTYPE, of bounded size."""

import codecs
import re
from dataclasses import dataclass
from typing import Any, cast

from lxml import etree

from bridge.core.errors import BridgeError, Finding

_DOCTYPE = re.compile(rb"\A(?:\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_DECLARED = re.compile(r"\A<\?xml[^>]{0,100}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_UTF8 = {"utf-8", "utf8", "us-ascii", "ascii"}
_ONE_BYTE = {"iso-8859-1": "iso-8859-1", "latin1": "iso-8859-1", "windows-1252": "cp1252", "iso-8859-15": "iso-8859-15"}
_INVALID_ENCODING, _RESOURCE_LIMIT = 81, 114  # XML_ERR_… of libxml2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    How much of a form is read and told.

    *max_markup* counts ``<``: it bounds memory, since the smallest element takes four bytes and its tree node hundreds.
    """

    max_bytes: int = 10_000_000
    max_markup: int = 1_000_000
    max_findings: int = 100


class Unreadable(BridgeError):
    """The text is no XML that we take; *finding* says why."""

    def __init__(self, rule: str, *, line: int = 0, column: int = 0, **facts: str) -> None:
        super().__init__(rule)
        self.finding = Finding(path="/", rule=rule, facts=facts, line=line, column=column)


def to_utf8(xml: bytes | str, limits: Limits) -> bytes:
    """
    Give *xml* as UTF-8 bytes without a byte order mark. A declaration in text (``str``) says nothing and is ignored.

    Raises:
        Unreadable: Empty, too large, or in another encoding than it says.
    """
    if len(xml) > limits.max_bytes:
        raise Unreadable("too_large", max_bytes=str(limits.max_bytes))
    if isinstance(xml, str):
        try:
            data = xml.encode().removeprefix(codecs.BOM_UTF8)
        except UnicodeEncodeError as error:
            raise Unreadable("encoding") from error
    else:
        data = _decoded(xml)
    if not data.strip():
        raise Unreadable("empty_document")
    if len(data) > limits.max_bytes:
        raise Unreadable("too_large", max_bytes=str(limits.max_bytes))
    if data.count(b"<") > limits.max_markup:
        raise Unreadable("too_complex")
    if _DOCTYPE.match(data):
        raise Unreadable("doctype_refused")
    return data


def parse(data: bytes) -> etree._Element:
    """
    Parse what ``to_utf8`` gave, with a parser of its own: a shared one makes threads wait for each other.

    Raises:
        Unreadable: Not well-formed, or deeper or wider than libxml2's own limits.
    """
    try:
        root = etree.fromstring(data, parser())
    except etree.XMLSyntaxError as error:
        raise unreadable(error) from error
    if has_doctype(root):
        raise Unreadable("doctype_refused")
    return root


def parser() -> etree.XMLParser:
    """Make a parser for UTF-8, whatever is declared, that resolves and loads nothing and keeps libxml2's limits."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=False,
    )


def unreadable(error: etree.XMLSyntaxError) -> Unreadable:
    """Say by code what libxml2 stopped at: its own text may quote the form."""
    line, column = error.position
    rules = {_RESOURCE_LIMIT: "too_complex", _INVALID_ENCODING: "encoding"}
    return Unreadable(rules.get(cast("Any", error).code, "not_well_formed"), line=line, column=column)


def has_doctype(root: etree._Element) -> bool:
    """Say whether the document of *root* has a DOCTYPE, of whatever kind."""
    document = cast("Any", root.getroottree().docinfo)  # The stubs lack its attributes.
    return bool(document.doctype) or document.internalDTD is not None


def line_of(node: etree._Element) -> int:
    """Say on which line *node* begins, or 0."""
    return cast("Any", node).sourceline or 0


def _decoded(xml: bytes) -> bytes:
    """Hold the byte order mark, the declaration and the bytes against each other; refuse when one of them lies."""
    try:
        if xml.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            raise Unreadable("encoding")
        if xml.startswith(codecs.BOM_UTF8):
            return _agreeing(xml[3:], _declared(xml[3:]) in {None, *_UTF8})
        if xml.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = xml.decode("utf-16")
            found = _DECLARED.match(text)
            return _agreeing(text.encode(), found is None or found[1].lower().startswith("utf-16"))
        declared = _declared(xml)
        if declared is None or declared in _UTF8:
            return _agreeing(xml, not (declared in {"us-ascii", "ascii"} and not xml.isascii()))
        if declared not in _ONE_BYTE:
            raise Unreadable("encoding")
        # Norwegian text in Latin-1 is next to never valid UTF-8 by chance, but often the other way round by mistake.
        return _agreeing(xml.decode(_ONE_BYTE[declared]).encode(), xml.isascii() or not _is_utf8(xml))
    except UnicodeDecodeError as error:
        raise Unreadable("encoding") from error


def _agreeing(data: bytes, agrees: bool) -> bytes:
    if not agrees:
        raise Unreadable("encoding")
    return data


def _declared(xml: bytes) -> str | None:
    found = _DECLARED.match(xml[:200].decode("latin-1"))
    return found[1].lower() if found else None


def _is_utf8(xml: bytes) -> bool:
    try:
        xml.decode()
    except UnicodeDecodeError:
        return False
    return True
