"""Forms with very much markup: judged while they are read, and their faults counted before they are asked for."""

from typing import Any, cast

from lxml import etree

from bridge.forms.xml.input import parser

# Of a form with more markup (elements and attributes) no fault is asked for before they are counted: libxml2 looks up
# the place of every error of a whole tree by walking its siblings, which with 100,000 faults takes minutes.
_WHOLE_TREE_MARKUP = 15_000
_PIECE = 1 << 15


def is_large(data: bytes) -> bool:
    """Whether there may be much markup; the smallest element has four bytes, so that few need to be counted."""
    if len(data) <= 4 * _WHOLE_TREE_MARKUP:
        return False
    return len(data) > 100 * _WHOLE_TREE_MARKUP or data.count(b"<") + data.count(b"=") > _WHOLE_TREE_MARKUP


def parse_if_valid(schema: etree.XMLSchema, data: bytes) -> etree._Element | None:
    """Parse and judge at once; None when something is wrong, whatever it is."""
    try:
        return etree.fromstring(data, parser(schema=schema))
    except etree.XMLSyntaxError:
        return None


def count_faults(schema: etree.XMLSchema, data: bytes, most: int) -> int:
    """
    Count the faults without keeping the tree, no further than a little beyond *most*; broken XML has at least one.

    Entities are left to their default here: with ``resolve_entities=False`` beside a schema, lxml 6.1 takes a document
    that ends too early for whole. There are none without the DOCTYPE that was refused before.
    """
    reader = etree.XMLPullParser(
        ("end",), schema=schema, encoding="utf-8", no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    try:
        for start in range(0, len(data), _PIECE):
            reader.feed(data[start : start + _PIECE])
            for _, element in cast("Any", reader).read_events():
                element.clear()
            if len(reader.feed_error_log) > most:
                break
        else:
            reader.close()
    except etree.XMLSyntaxError:
        return max(1, len(reader.feed_error_log))
    return len(reader.feed_error_log)
