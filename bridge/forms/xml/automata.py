"""Patterns and built-in types that libxml2 matches: Python's would let a form keep a process busy for hours."""

import functools
import threading

from lxml import etree

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_ONE_PATTERN = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="v"><x:simpleType>
<x:restriction base="x:string"><x:pattern value=""/></x:restriction></x:simpleType></x:element></x:schema>"""
_ONE_TYPE = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="v" type="x:%s"/></x:schema>"""


class Automaton:
    """A pattern or type that libxml2 matches; looks like ``re.Pattern`` to xmlschema."""

    def __init__(self, pattern: str, schema: etree.XMLSchema) -> None:
        self.pattern, self._schema, self._lock = pattern, schema, threading.Lock()

    def match(self, text: str) -> object | None:
        """Something when *text* fits as a whole; what libxml2 gives up on does not fit."""
        element = etree.Element("v")
        element.text = text
        with self._lock:
            try:
                return self if self._schema.validate(element) else None
            except etree.XMLSchemaValidateError:
                return None


@functools.cache
def type_matcher(name: str) -> Automaton:
    """What says whether libxml2 takes a text for a value of the built-in type *name*."""
    return Automaton(name, etree.XMLSchema(etree.fromstring(_ONE_TYPE % name)))


@functools.lru_cache(maxsize=256)
def automaton(text: str) -> Automaton | None:
    """Let libxml2 make a matcher of the pattern *text*; None where it does not take it."""
    root = etree.fromstring(_ONE_PATTERN)
    next(root.iter(f"{_XSD}pattern")).set("value", text)
    try:
        return Automaton(text, etree.XMLSchema(root))
    except etree.XMLSchemaParseError:
        return None


@functools.cache
def knows_block(name: str) -> bool:
    """Whether there is a Unicode block *name* (``IsGreek``): of another, libxml2 takes the pattern and gives up."""
    within, outside = automaton(rf"\p{{{name}}}"), automaton(rf"\P{{{name}}}")
    return any(each is not None and each.match("a") for each in (within, outside))
