"""Hostile or broken XML stops here: what passes is one well-formed document without a DOCTYPE, of bounded size."""

import codecs
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from xml.parsers import expat

from lxml import etree

from bridge.core.errors import BridgeError, Finding
from bridge.forms.xml.error_log import LogEntry, entries

DOCTYPE = re.compile(rb"\A(?:\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_DECLARED = re.compile(r"\A<\?xml[^>]{0,100}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ENCODING = re.compile(r"(\A<\?xml[^>]{0,100}?)\sencoding\s*=\s*(?:\"[^\">]{0,40}\"|'[^'>]{0,40}')")
_UNESCAPED = re.compile(rb"\sxmlns[^=\s]*=(?:\"[^\"&<]*[&<]|'[^'&<]*[&<])")
_VERSION = re.compile(rb"\A<\?xml\s+version\s*=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
UTF8_NAMES = {"utf-8", "utf8", "us-ascii", "ascii"}
"""What a declaration may call UTF-8, and what is part of it."""
ONE_BYTE = {"iso-8859-1": "iso-8859-1", "latin1": "iso-8859-1", "windows-1252": "cp1252", "iso-8859-15": "iso-8859-15"}
"""The other encodings that a declaration may name."""
_INVALID_ENCODING, _NAME_TOO_LONG, _RESOURCE_LIMIT = 81, 110, 114  # XML_ERR_… of libxml2
_NAMESPACES = {"WAR_NS_URI", "WAR_NS_URI_RELATIVE"}
"""No URI, and no absolute one, of which the latter is only a warning."""
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
DEEPEST = 256
"""libxml2's own limit."""
MOST_ATTRIBUTES = 256
"""An element may have so many: both engines look at all of them again for each that is wrong."""
# The shortest attribute takes five bytes with its blank.
_LONG_TAG = re.compile(rb"<[^<!?][^<]{%d,}" % (5 * MOST_ATTRIBUTES - 1))
_ATTRIBUTES = re.compile(rb"[^\"'>]*+(?:\"[^\"]*+\"|'[^']*+')")
_INSIDE = re.compile(rb"<!--|<!\[CDATA\[|<\?")
_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    How much of a form is read and told.

    *max_markup* counts ``<`` and ``=``: it bounds memory, since the smallest element takes four bytes and its tree node
    hundreds. *max_depth* is how many elements may stand inside each other, at most 256. *max_seconds* of processor time
    go into explaining what is wrong.
    """

    max_bytes: int = 10_000_000
    max_markup: int = 1_000_000
    max_depth: int = DEEPEST
    max_findings: int = 100
    max_seconds: float = 5.0


class Effort:
    """
    The processor time that the search for faults of one form may take: of this thread, so that others do not count.

    Only libxml2's verdict is outside it, whose work grows with the form alone. Whoever searches asks between steps that
    are small themselves, and tells where it stopped.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock, self._until = clock, clock() + seconds

    @property
    def spent(self) -> bool:
        """Whether no more may be searched."""
        return self._clock() >= self._until


class Unreadable(BridgeError):
    """The text is no XML that we take; *finding* says why."""

    def __init__(self, rule: str, *, line: int = 0, column: int = 0, **facts: str) -> None:
        super().__init__(rule)
        self.finding = Finding(path="/", rule=rule, facts=facts, line=line, column=column)


def to_utf8(xml: bytes | str, limits: Limits) -> bytes:
    """
    *xml* as UTF-8 bytes without a byte order mark. A declaration in text (``str``) says nothing and is ignored.

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
    if not data or data.isspace():
        raise Unreadable("empty_document")
    if len(data) > limits.max_bytes:
        raise Unreadable("too_large", max_bytes=str(limits.max_bytes))
    # Every attribute has its sign: eight million of them in one element fit into fifty megabytes.
    if len(data) > limits.max_markup and data.count(b"<") + data.count(b"=") > limits.max_markup:
        raise Unreadable("too_complex")
    if len(data) > 5 * MOST_ATTRIBUTES and _has_too_many_attributes(data):
        raise Unreadable("too_complex")
    refuse_other_versions(data)
    # What is small is searched faster than matched.
    if (len(data) > 4096 or b"<!DOCTYPE" in data) and DOCTYPE.match(data):
        raise Unreadable("doctype_refused")
    return data


def refuse_other_versions(data: bytes) -> None:
    """
    Refuse what says that it is XML 1.1 or any other: its letters and line ends are others, and .NET reads none of it.

    Raises:
        Unreadable: It says so.
    """
    found = _VERSION.match(data)
    if found is not None and (found[1] or found[2]) != b"1.0":
        raise Unreadable("xml_version")


def to_text(xml: bytes | str, limits: Limits) -> str:
    """*xml* as text, without looking for more than its encoding. Raises Unreadable, as ``to_utf8`` does."""
    try:
        return to_utf8(xml, limits).decode()
    except UnicodeDecodeError as error:
        raise Unreadable("encoding") from error


def parse(data: bytes, *, max_depth: int = DEEPEST) -> etree._Element:
    """
    Parse what ``to_utf8`` gave, with the thread's own parser: a shared one makes threads wait for each other.

    Namespaces are taken that are no URI to libxml2 (facts/altinn3-and-tokens.md 3.2): whoever reads a form reads it by
    this, so that what the check takes everything after it can read.

    Raises:
        Unreadable: Not well-formed, deeper than *max_depth*, or beyond libxml2's own limits.
    """
    try:
        root = parse_any_namespace(data, strict=_own_parser())
    except etree.XMLSyntaxError as error:
        raise unreadable(error) from error
    refuse_more_than_allowed(root, max_depth)
    return root


@dataclass(frozen=True, slots=True, repr=False)
class ParsedXml:
    """XML in UTF-8 and its tree, handed on so that nobody parses it again; whoever changes the tree writes it anew."""

    data: bytes
    root: etree._Element


def parsed(xml: bytes | str, limits: Limits) -> ParsedXml:
    """*xml*, parsed. Raises Unreadable, as ``to_utf8`` and ``parse`` do."""
    data = to_utf8(xml, limits)
    return ParsedXml(data, parse(data, max_depth=limits.max_depth))


def is_xml(form: bytes | str | ParsedXml) -> bool:
    """Whether *form* is rather XML than JSON."""
    if isinstance(form, ParsedXml):
        return True
    if isinstance(form, str):
        return form.lstrip("\ufeff \t\r\n").startswith("<")
    # Forms in UTF-16 begin with a mark; no JSON does.
    return form.startswith((b"\xff\xfe", b"\xfe\xff")) or form.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def root_of(xml: bytes | str | ParsedXml, limits: Limits) -> etree._Element:
    """The root of *xml*, which is parsed if it was not. Raises Unreadable."""
    return xml.root if isinstance(xml, ParsedXml) else parse(to_utf8(xml, limits))


_local = threading.local()


def _own_parser() -> etree.XMLParser:
    kept: etree.XMLParser | None = getattr(_local, "parser", None)
    if kept is None:
        kept = _local.parser = parser()
    return kept


def refuse_more_than_allowed(root: etree._Element, max_depth: int) -> None:
    """
    Hold what was parsed to what its bytes do not show.

    Raises:
        Unreadable: It has a DOCTYPE, or is deeper than *max_depth*.
    """
    if has_doctype(root):
        raise Unreadable("doctype_refused")
    if max_depth < DEEPEST and _is_deeper(root, max_depth):
        raise Unreadable("too_complex")


def parse_any_namespace(
    data: bytes, *, encoding: str | None = "utf-8", strict: etree.XMLParser | None = None
) -> etree._Element:
    """
    Parse, and forgive a namespace for having letters such as ø in it, and nothing else.

    Raises:
        etree.XMLSyntaxError: Anything else.
    """
    strict = strict or parser(encoding=encoding)
    try:
        root = etree.fromstring(data, strict)
    except etree.XMLSyntaxError as error:
        # The parser's own log: the error's may hold what the thread met before.
        _raise_what_is_no_namespace(entries(strict.error_log), error)
        forgiving = parser(encoding=encoding, recover=True)
        root = etree.fromstring(data, forgiving)
        _raise_what_is_no_namespace(entries(forgiving.error_log), error)
        _refuse_what_follows(data, encoding)
        return root
    if _only_namespaces(entries(strict.error_log)):
        _refuse_what_follows(data, encoding)
    return root


def _raise_what_is_no_namespace(log: Sequence[LogEntry], error: etree.XMLSyntaxError) -> None:
    """Raise *error* with the place of the first fault that is not forgiven, if there is one."""
    worse = next((entry for entry in log if entry.type_name not in _NAMESPACES), None)
    if worse is not None:
        raise _syntax_error(worse.message, worse.type, (worse.line, worse.column)) from error
    if not _only_namespaces(log):
        raise error


def _syntax_error(message: str, code: int, place: tuple[int, int]) -> etree.XMLSyntaxError:
    made: etree.XMLSyntaxError = cast("Any", etree.XMLSyntaxError)(message, code, *place)
    return made


def _refuse_what_follows(data: bytes, encoding: str | None) -> None:
    """
    Raise XMLSyntaxError where *data* is no single document.

    After a namespace that it does not like, libxml2 says nothing of what stands behind the root, and leaves it out.
    """
    if (place := place_of_fault([data], encoding)) is not None:
        raise _syntax_error("something follows the root", 0, place) from None


def place_of_fault(pieces: Iterable[bytes], encoding: str | None = "utf-8") -> tuple[int, int] | None:
    """The line and column where *pieces* are no XML any more, to a reader that takes every namespace."""
    reader = expat.ParserCreate(encoding)
    try:
        for piece in pieces:
            reader.Parse(piece, False)
        reader.Parse(b"", True)
    except expat.ExpatError as error:
        return error.lineno, error.offset + 1
    return None


def canonical(node: etree._Element, *, prefixes: Collection[str] = ()) -> bytes:
    """
    The bytes of *node* with the namespaces that it uses and no others, canonical where its namespaces allow that.

    *prefixes* are those that its values use.
    """
    kept = sorted(prefixes)
    try:
        written = etree.tostring(
            node,
            method="c14n",
            exclusive=True,
            with_comments=True,
            with_tail=False,
            inclusive_ns_prefixes=kept or None,
        )
    except etree.C14NError:
        # Canonical XML knows no relative namespaces, and to libxml2 ``urn:prøve`` is one as well.
        written = b""
    # In a namespace libxml2 escapes nothing there.
    if written and _UNESCAPED.search(written) is None:
        return written
    bare = parse_any_namespace(etree.tostring(node, encoding="utf-8", with_tail=False))
    etree.cleanup_namespaces(bare, keep_ns_prefixes=kept)
    return etree.tostring(bare, encoding="utf-8", with_tail=False)


def _only_namespaces(log: Sequence[LogEntry]) -> bool:
    kinds = {entry.type_name for entry in log}
    return bool(kinds) and kinds <= _NAMESPACES


def _has_too_many_attributes(data: bytes) -> bool:
    """Whether a start tag has more attributes than one may have, before anybody builds it."""
    for found in _LONG_TAG.finditer(data):
        count, end = 0, found.start()
        while count <= MOST_ATTRIBUTES and (attribute := _ATTRIBUTES.match(data, end, found.end())):
            count, end = count + 1, attribute.end()
        if count > MOST_ATTRIBUTES:
            return True
    return False


def _is_deeper(root: etree._Element, depth: int) -> bool:
    return root.find("/".join(["*"] * depth)) is not None


def parser(
    *, encoding: str | None = "utf-8", recover: bool = False, schema: etree.XMLSchema | None = None
) -> etree.XMLParser:
    """
    Make a parser for UTF-8, whatever is declared, that resolves and loads nothing and keeps libxml2's limits.

    With a *schema* it refuses what is not valid, without saying all that is wrong.
    """
    return etree.XMLParser(
        schema=schema,
        encoding=encoding,
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=False,
    )


def unreadable(error: etree.XMLSyntaxError) -> Unreadable:
    """What libxml2 stopped at, by its code: its own text may quote the form."""
    line, column = error.position
    rules = {_RESOURCE_LIMIT: "too_complex", _NAME_TOO_LONG: "too_complex", _INVALID_ENCODING: "encoding"}
    return Unreadable(rules.get(cast("Any", error).code, "not_well_formed"), line=line, column=column)


def has_doctype(root: etree._Element) -> bool:
    """Whether the document of *root* has a DOCTYPE, of whatever kind."""
    document = cast("Any", root.getroottree().docinfo)  # The stubs lack its attributes.
    return bool(document.doctype) or document.internalDTD is not None


def line_of(node: etree._Element) -> int:
    """The line on which *node* begins, or 0."""
    return cast("Any", node).sourceline or 0


def last_line_of(node: etree._Element) -> int:
    """The line on which the last thing in *node* begins: *node* itself where it is empty."""
    line, inner = line_of(node), next(node.iterchildren(reversed=True), None)
    while inner is not None:
        line, inner = max(line, line_of(inner)), next(inner.iterchildren(reversed=True), None)
    return line


def text_of(node: etree._Element) -> str:
    """The text of *node*, between comments as well."""
    return (node.text or "") + "".join(each.tail or "" for each in node) if len(node) else node.text or ""


def with_whole_values(data: bytes) -> bytes:
    """
    The XML *data* without comments and processing instructions, and marked sections as text: each value in one piece.

    For those who look through bytes. From where one of them has no end, *data* stays as it is.
    """
    if b"<!" not in data and data.find(b"<?", 1) < 0:
        return data
    parts: list[bytes] = []
    at = 0
    while (found := _INSIDE.search(data, at)) is not None:
        mark = _ENDS[found[0]]
        end = data.find(mark, found.end())
        if end < 0:
            break
        parts.append(data[at : found.start()])
        if found[0] == b"<![CDATA[":
            parts.append(data[found.end() : end].replace(b"<", b"&lt;").replace(b">", b"&gt;"))
        at = end + len(mark)
    return b"".join((*parts, data[at:]))


def is_nil(node: etree._Element) -> bool:
    """Whether *node* says that it has no value."""
    return node.get(NIL, "").strip(" \t\r\n") in {"true", "1"}


def has_elements(node: etree._Element) -> bool:
    """Whether another element stands in *node*: to lxml a comment is a child as well."""
    return len(node) > 0 and next(node.iterchildren(etree.Element), None) is not None


def _decoded(xml: bytes) -> bytes:
    """Hold the byte order mark, the declaration and the bytes against each other; refuse when one of them lies."""
    try:
        if xml.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            raise Unreadable("encoding")
        if xml.startswith(codecs.BOM_UTF8):
            return _agreeing(xml[3:], declared_encoding(xml[3:]) in {None, *UTF8_NAMES})
        if xml.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = xml.decode("utf-16")
            found = _DECLARED.match(text)
            return _agreeing(text.encode(), found is None or found[1].lower().startswith("utf-16"))
        declared = declared_encoding(xml)
        if declared is None or declared in UTF8_NAMES:
            return _agreeing(xml, not (declared in {"us-ascii", "ascii"} and not xml.isascii()))
        if declared not in ONE_BYTE:
            raise Unreadable("encoding")
        # Norwegian text in Latin-1 is next to never valid UTF-8 by chance, but often the other way round by mistake.
        return _agreeing(xml.decode(ONE_BYTE[declared]).encode(), xml.isascii() or not is_utf8(xml))
    except UnicodeDecodeError as error:
        raise Unreadable("encoding") from error


def _agreeing(data: bytes, agrees: bool) -> bytes:
    if not agrees:
        raise Unreadable("encoding")
    return data


def declared_encoding(xml: bytes) -> str | None:
    """The encoding that the XML declaration names, in small letters; None where it names none."""
    found = _DECLARED.match(xml[:200].decode("latin-1"))
    return found[1].lower() if found else None


def in_charset(xml: bytes, charset: str) -> bytes:
    """
    *xml*, which was sent with this ``charset``, so that it says itself how it is written.

    A byte order mark counts more than the charset, and that more than the declaration (RFC 7303, 3).

    Raises:
        Unreadable: The charset is not known, or the bytes are not in it.
    """
    name = charset.lower()
    if xml.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return xml
    if name in UTF8_NAMES:
        codec = "ascii" if "ascii" in name else "utf-8"
    elif name in ONE_BYTE and (xml.isascii() or not is_utf8(xml)):
        codec = ONE_BYTE[name]
    elif name in {"utf-16", "utf-16le", "utf-16be"}:
        codec = "utf-16be" if name == "utf-16" else name
    else:
        raise Unreadable("encoding")
    try:
        text = xml.decode(codec)
    except UnicodeDecodeError as error:
        raise Unreadable("encoding") from error
    return xml if declared_encoding(xml) == name else _ENCODING.sub(r"\1", text, count=1).encode()


def is_utf8(text: bytes) -> bool:
    """Whether these bytes are UTF-8, whatever they say that they are."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
