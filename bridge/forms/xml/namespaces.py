"""
Namespaces that are no URI to libxml2 (with an ø, a blank, a brace, or relative), written so that it judges their forms.

After such a namespace libxml2 goes on, and says nothing any more of what stands behind the root. So schema and form get
a URI in its place before they are judged, the same in both. Everybody else reads the namespaces as they are.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

from lxml import etree

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_MARK = "urn:x-bridge-namespace:"
_MARKED = re.compile(re.escape(_MARK) + r"[A-Za-z0-9_.~%-]*")
# An absolute URI as nearly all are, which libxml2 takes for one.
_PLAIN = re.compile(r"(?:(?:https?://|urn:)[A-Za-z0-9._~/:#-]+)?")
_DECLARATION = re.compile(rb"\sxmlns[^=\s>]*+\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")
_PLAIN_BYTES = re.compile(_PLAIN.pattern.encode())
_BEGIN = re.compile(rb"<(?:!--|!\[CDATA\[|\?|[^!?/<][^<]*+)")
_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_TAG = re.compile(rb"(<[^\s<>\"'/]++)((?:\s++[^\s=<>\"'/]++\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'))*+)")
_ATTRIBUTE = re.compile(rb"(xmlns(?::[^\s=]+)?\s*=\s*|[^\s=\"'<>]+\s*=\s*)(\"[^\"]*\"|'[^']*')")
_REFERENCE = re.compile(r"&(?:#(?P<decimal>\d{1,7})|#x(?P<hex>[0-9a-fA-F]{1,6})|(?P<name>amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_LONGEST_TAG = 1 << 16


def plain_uri(uri: str) -> str:
    """*uri* where libxml2 takes it for one, else a URI in its place."""
    return uri if _PLAIN.fullmatch(uri) else _MARK + quote(uri, safe="", errors="surrogatepass")


def real_names(text: str) -> str:
    """Put the namespaces that ``plain_uri`` replaced back into a name or a message."""
    return _MARKED.sub(lambda found: unquote(found[0].removeprefix(_MARK)), text)


def in_plain_namespaces(data: bytes) -> bytes:
    """The XML *data* (UTF-8) with such URIs in its declarations; *data* itself where it needs none."""
    if all(_PLAIN_BYTES.fullmatch(found[1] or found[2] or b"") for found in _DECLARATION.finditer(data)):
        return data
    return b"".join(rewritten(data, b"xmlns", _attribute))


def pieces_in_plain_namespaces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Do the same for XML that comes in *pieces*; a tag that is cut waits for its end."""
    held = b""
    for piece in pieces:
        held += piece
        cut = held.rfind(b"<")
        cut = len(held) if cut < held.rfind(b">") or len(held) - cut > _LONGEST_TAG else cut
        if cut:
            yield in_plain_namespaces(held[:cut])
            held = held[cut:]
    if held:
        yield in_plain_namespaces(held)


def schema_in_plain_namespaces(text: bytes) -> bytes:
    """Do the same for a schema (UTF-8), which also names namespaces in attributes of its own."""
    plain = in_plain_namespaces(text)
    root = etree.fromstring(plain, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    changed = plain is not text
    for element in root.iter(etree.Element):
        if not str(element.tag).startswith(_XSD):
            continue
        for name in ("targetNamespace", "namespace", "notNamespace"):
            # A wildcard lists several; other attributes hold one, which may have blanks in it.
            said = element.get(name)
            if said is None:
                continue
            each = said.split() if str(element.tag) in (f"{_XSD}any", f"{_XSD}anyAttribute") else [said]
            written = " ".join(one if one.startswith("##") else plain_uri(one) for one in each)
            if written != said and " ".join(each) == said:
                element.set(name, written)
                changed = True
    return etree.tostring(root, encoding="utf-8") if changed else text


def rewritten(data: bytes, holding: bytes, change: Callable[[re.Match[bytes]], bytes]) -> Iterator[bytes]:
    """
    Walk over *data* tag by tag, and *change* the attributes of those that have *holding* in them.

    A match has the name with its sign, and the value with its quotes. What looks like a tag in comments and text is
    none.
    """
    at = 0
    while (found := _BEGIN.search(data, at)) is not None:
        yield data[at : found.start()]
        end = _ENDS.get(found[0])
        if end is not None:
            at = data.find(end, found.end())
            if at < 0:  # Broken, as will be told.
                at = found.start()
                break
            yield data[found.start() : at]
            continue
        tag = _TAG.match(found[0]) if holding in found[0] else None
        yield found[0] if tag is None else tag[1] + _ATTRIBUTE.sub(change, tag[2]) + found[0][tag.end() :]
        at = found.end()
    yield data[at:]


def _attribute(found: re.Match[bytes]) -> bytes:
    if not found[1].startswith(b"xmlns"):
        return found[0]
    try:
        said = re.sub("[\t\n\r]", " ", found[2][1:-1].decode())
    except UnicodeDecodeError:  # Told where it is parsed.
        return found[0]
    uri = _REFERENCE.sub(_character, said)
    plain = plain_uri(uri)
    return found[0] if plain == uri else found[1] + quoteattr(plain).encode()


def _character(found: re.Match[str]) -> str:
    if found["name"]:
        return _NAMED[found["name"]]
    number = int(found["decimal"]) if found["decimal"] else int(found["hex"], 16)
    return chr(number) if number < 0x110000 else found[0]
