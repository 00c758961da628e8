"""What a schema says about one place in a form, for sentences: read from xmlschema's model, built when first asked."""

import copy
import itertools
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml import etree

from bridge.forms.xml.components import (
    XsdElement,
    XsdError,
    XsdFacet,
    XsdGroup,
    XsdIdentity,
    XsdSimpleType,
    XsdType,
    group_of,
    simple_in,
)
from bridge.forms.xml.content_model import Group, content_of, may_be_left_out, takes
from bridge.forms.xml.input import NIL, Effort, has_elements, text_of
from bridge.forms.xml.new_letters import new_letters
from bridge.forms.xml.prefixes import Prefixes
from bridge.forms.xml.schema_files import XSD, Engine, SchemaFiles
from bridge.forms.xml.schema_roots import no_root, several_roots, usual_roots
from bridge.forms.xml.xmlschema_engine import build_xmlschema, errors_of

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
DATES = frozenset(
    ("date", "time", "dateTime", "duration", "gYear", "gYearMonth", "gMonth", "gMonthDay", "gDay", "dateTimeStamp")
)
"""The built-in types of points and spans of time."""
_DIGITS = re.compile(r"(?:\[0-9\]|\\d)\{(\d+)\}")
_STEPS = re.compile(r"[^\s./|@*\[\]]+")
_MOST_VALUES = 12
_NOTHING = frozenset({("length", "0"), ("maxLength", "0"), ("pattern", "")})
"""The facets that leave a text no letter."""
TYPES = frozenset({"type", "items", "types", "values", "others", "choices"})
"""The facts that say what a value must be: of one type, of a list's items, of a union (some values or other types)."""


class GaveUp(Exception):
    """xmlschema cannot judge a form: for a year of twenty digits, say, or an ``xsi:type`` that there is not."""


class SchemaModel:
    """Answers questions about declarations; knows nothing (and says so) where xmlschema cannot read the schema."""

    def __init__(self, files: SchemaFiles) -> None:
        # The verdict is libxml2's; without a model the sentences are only plainer.
        built = build_xmlschema(files)
        self._schema = built.schema
        self.refused = built.refused
        self.judges_one_at_a_time = files.engine is Engine.XMLSCHEMA11 or _decodes_with_the_schema(files)
        self.kept: dict[int, Any] = {}
        """What walks over values know of types, by their identity."""
        self._decoding = threading.Lock()  # xmlschema keeps what it is decoding with the schema.
        self._contents: dict[int, tuple[XsdGroup, Group]] = {}  # With the group, so that its id is not used again.

    @property
    def knows_types(self) -> bool:
        """Whether xmlschema could read the schema, so that values can be looked at."""
        return self._schema is not None

    def refuses_text(self, node: etree._Element) -> bool:
        """Whether the declared type of *node* is known to refuse its text, whatever stands around it."""
        declaration = self.declaration(node)
        simple = None if declaration is None else declaration.type.simple_type
        text = "" if has_elements(node) else text_of(node)
        if simple is None or not text or NIL in node.attrib:
            return False
        with self._decoding:
            try:
                return not simple.text_is_valid(text)
            except (ArithmeticError, ValueError):  # A year of twenty digits, say.
                return False

    def collapses(self, simple: XsdSimpleType, bare: str) -> bool:
        """Whether blanks around *bare*, of the type *simple*, mean nothing, and libxml2 stumbles over them."""
        if simple.is_union():
            if hasattr(simple, "member_types"):
                # Blanks are what the member that takes the value says they are: of another they may be a part.
                return any(self.collapses(each, bare) and self.takes(each, bare) for each in simple.member_types)
            return simple.base_type is not None and self.collapses(simple.base_type, bare)
        return any((level.name or "").removeprefix(XSD) in DATES for level in _levels(simple))

    def takes_collapsed(self, node: etree._Element, attribute: str | None) -> bool:
        """Whether the value is one of a type for which blanks around it mean nothing, and is valid without them."""
        simple, text = self._value(node, attribute)
        bare = text.strip(" \t\r\n")
        if simple is None or bare == text or not self.collapses(simple, bare):
            return False
        with self._decoding:
            try:
                return bool(simple.text_is_valid(bare))
            except (ArithmeticError, ValueError):
                return False

    def broken_without_blanks(self, node: etree._Element, attribute: str | None) -> Sequence[str]:
        """The facets that the value breaks once the blanks around it are gone, if its built-in type takes it then."""
        simple, text = self._value(node, attribute)
        bare = text.strip(" \t\r\n")
        if simple is None or bare == text or simple.is_union() or not self.collapses(simple, bare):
            return ()
        with self._decoding:
            try:
                level = next((each for each in reversed(list(_levels(simple))) if not each.text_is_valid(bare)), None)
                return () if level is None else [name for name, facet in _named(level) if _breaks(level, facet, bare)]
            except (ArithmeticError, ValueError):
                return ()

    def takes_new_letters(self, node: etree._Element, attribute: str | None) -> bool:
        """Whether the value has letters that came after libxml2's tables, and is valid with them."""
        simple, text = self._value(node, attribute)
        return simple is not None and bool(new_letters(text)) and self.takes(simple, text)

    def _value(self, node: etree._Element, attribute: str | None) -> tuple[XsdSimpleType | None, str]:
        """The simple type of the content of *node* or of its *attribute*, or None, and the text there."""
        declaration = self.declaration(node)
        kind = getattr(declaration, "type", None)
        owner = declaration if attribute is None else getattr(kind, "attributes", {}).get(attribute)
        simple = getattr(getattr(owner, "type", None), "simple_type", None)
        return simple, (text_of(node) if attribute is None else node.get(attribute)) or ""

    def takes(self, simple: XsdSimpleType, text: str) -> bool:
        """Whether *text* is a value of the type *simple*; of what xmlschema cannot read, yes."""
        with self._decoding:
            try:
                return bool(simple.text_is_valid(text))
            except (ArithmeticError, ValueError):  # A year of twenty digits, say.
                return True

    def accepts(self, root: etree._Element, effort: Effort) -> bool | None:
        """Xmlschema's verdict; None where it has none, or *effort* was spent before."""
        if self._schema is None:
            return None
        try:
            errors, whole = self.errors(root, effort, most=1)
        except GaveUp:
            return None
        return False if errors else True if whole else None

    def errors(self, root: etree._Element, effort: Effort, *, most: int) -> tuple[list[XsdError], bool]:
        """
        Xmlschema's first errors, at most *most*, and whether these are all.

        Nothing that the form names is fetched.

        Raises:
            GaveUp: It met what it cannot judge.
        """
        from xmlschema import XMLSchemaException

        if self._schema is None:
            return [], True
        # It reads no value across them.
        etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
        try:
            return errors_of(self._schema, root, effort, most=most)
        except (RecursionError, ArithmeticError, LookupError, ValueError, TypeError, XMLSchemaException) as error:
            raise GaveUp from error

    def declaration(self, node: etree._Element) -> XsdElement | None:
        """The declaration of *node*, by its way down from the root, or None."""
        if self._schema is None:
            return None
        way = [node, *node.iterancestors()][::-1]
        found = self._schema.maps.elements.get(way[0].tag)  # Those of the schema itself are by local name.
        for parent, child in itertools.pairwise(way):
            found = self._below(self.as_said(found, parent), child)
        return self.as_said(found, node)

    def _below(self, declaration: XsdElement | None, node: etree._Element) -> XsdElement | None:
        """The declaration of *node* within *declaration*: its own, or what is known of it where a wildcard takes it."""
        tag = str(node.tag)
        group = group_of(declaration)
        if group is None:
            return None
        parts = list(group.iter_elements())
        own = next((each for each in parts if each.name == tag), None)
        if own is not None:
            return own
        members = (member for each in parts if each.name is not None for member in each.iter_substitutes())
        if any(member.name == tag for member in members):
            return self.anywhere(node)
        wild = any(each.name is None and each.process_contents != "skip" and each.is_matching(tag) for each in parts)
        known = self.anywhere(node) if wild else None
        return self.untyped(node) if wild and known is None else known

    def anywhere(self, node: etree._Element) -> XsdElement | None:
        """What the schema declares by the name of *node* for any place; None where it declares nothing."""
        return None if self._schema is None else self._schema.maps.elements.get(str(node.tag))

    def untyped(self, node: etree._Element) -> XsdElement | None:
        """A declaration of *node* as anything, where it names its type itself; else None."""
        if self._schema is None or _XSI_TYPE not in node.attrib:
            return None
        return self._schema.builders.create_element(str(node.tag), self._schema)

    def as_said(self, declaration: XsdElement | None, node: etree._Element) -> XsdElement | None:
        """*declaration* with the type that *node* names by ``xsi:type``; None where it may not have that type."""
        name = node.get(_XSI_TYPE)
        if declaration is None or name is None or self._schema is None:
            return declaration
        from xmlschema import XMLSchemaException

        prefixes = {prefix or "": uri for prefix, uri in node.nsmap.items()}
        try:
            own = self._schema.maps.get_instance_type(name.strip(), declaration.type, prefixes)
        except (KeyError, ValueError, TypeError, XMLSchemaException):
            return None
        typed = copy.copy(declaration)
        typed.type = own
        return typed

    def unknown_types(self, root: etree._Element) -> list[etree._Element]:
        """
        The elements that name a type by ``xsi:type`` that the schema does not have.

        Raises:
            Unreadable: Looking their prefixes up takes too much work.
        """
        if self._schema is None:
            return []
        prefixes, types = Prefixes(), self._schema.maps.types
        typed = [node for node in root.iter(etree.Element) if _XSI_TYPE in node.attrib]
        return [node for node in typed if (prefixes.named(node, node.get(_XSI_TYPE) or "") or "") not in types]

    def children(self, declaration: XsdElement | None) -> Mapping[str, XsdElement]:
        """Map names to the declarations of the elements that may stand in this one, in the schema's order."""
        group = group_of(declaration)
        return {} if group is None else {child.name: child for child in group.iter_elements() if child.name is not None}

    def content(self, declaration: XsdElement | None) -> Group | None:
        """What may stand in this one, and in which order; None where nothing is known of it."""
        group = group_of(declaration)
        if group is None:
            return None
        if id(group) not in self._contents:
            self._contents[id(group)] = group, content_of(group)
        return self._contents[id(group)][1]

    def is_beside(self, declaration: XsdElement | None, tag: str) -> bool:
        """Whether *tag* may stand in this one beside what its content names (XSD 1.1's open content)."""
        group = group_of(declaration)
        opened = getattr(group, "open_content", None)
        if opened is None or opened.mode == "none" or opened.any_element is None:
            return False
        content = self.content(declaration)
        return content is not None and not takes(content, tag) and bool(opened.any_element.is_matching(tag))

    def root_names(self) -> tuple[str, ...]:
        """Name the elements that a document may begin with, as ``{namespace}local``."""
        return () if self._schema is None else tuple(str(each.name) for each in self._schema.elements.values())

    def root_fault(self, root: str | None) -> str | None:
        """What is wrong with *root* as what forms begin with; None asks whether there is only one."""
        if self._schema is None:
            return f"xmlschema, by whose model forms are converted, cannot read the schema: {self.refused}"
        names = [str(each.name) for each in usual_roots(self._schema, root)]
        if not names:
            return no_root(self._schema, root)
        return several_roots(names) if len(names) > 1 else None

    def names_of_keys(self, name: str) -> frozenset[str]:
        """Name the elements and attributes that the key or reference *name* is made of, and those it leads to."""
        if self._schema is None or not name:
            return frozenset()
        found = [each for each in self._schema.maps.identities.values() if each.local_name == name]
        keys: list[XsdIdentity] = [
            key for each in found for key in (each, getattr(each, "refer", None)) if key is not None
        ]
        paths = [part.path for key in keys for part in (key.selector, *key.fields)]
        return frozenset(step.rpartition(":")[2] for path in paths for step in _STEPS.findall(path))

    def facts(self, declaration: XsdElement | None, attribute: str | None = None) -> dict[str, str]:
        """Collect facets, type and fixed value of an element's content, or of its *attribute*."""
        if attribute == NIL:
            return {"type": "boolean"}
        if declaration is None:
            return {}
        owner = declaration if attribute is None else getattr(declaration.type, "attributes", {}).get(attribute)
        simple = getattr(owner, "type", None)
        if simple is not None:
            simple = simple_in(simple)
        facts: dict[str, str] = {}
        for level in _levels(simple):
            for name, value in _facets(level):
                facts.setdefault(name, value)
        facts |= self.types_of(simple)
        fixed = getattr(owner, "fixed", None)
        if fixed is not None:
            facts["fixed"] = str(fixed)
        return facts

    def attribute_meant(self, node: etree._Element, name: str) -> str | None:
        """The attribute that *node* may have and has not, and that is called *name* in another namespace."""
        declared = getattr(getattr(self.declaration(node), "type", None), "attributes", {})
        if name in declared or None in declared:
            return None
        local = name.rpartition("}")[2]
        meant = (str(each) for each in declared if str(each).rpartition("}")[2] == local)
        return next((each for each in meant if each not in node.attrib), None)

    def nil_advice(self, node: etree._Element) -> dict[str, str]:
        """The fact that says what to do about *node*, which may not be nil: leave it out, or fill it in."""
        parent, declaration = node.getparent(), self.declaration(node)
        content = None if parent is None else self.content(self.declaration(parent))
        if content is not None and may_be_left_out(content, str(node.tag)):
            return {"optional": "true"}
        simple = getattr(getattr(declaration, "type", None), "simple_type", None)
        return {} if simple is None or self.takes(simple, "") else {"required": "true"}

    def types_of(self, simple: XsdSimpleType | None) -> dict[str, str]:
        """What a value of the type *simple* must be, by facts of ``TYPES``."""
        if several := _several(simple):
            return several
        name = "" if simple is None else _built_in(simple)
        return {"type": name} if name else {}

    def pattern_of(self, simple: XsdSimpleType) -> tuple[str, dict[str, str]]:
        """The rule and the facts of a value of the type *simple* that fits none of its patterns."""
        facts = dict(reversed([facet for level in _levels(simple) for facet in _facets(level)]))
        for rule in ("digits", "pattern"):
            if rule in facts:
                return rule, {rule: facts[rule]}
        return "type", self.types_of(simple)

    def uniques(self) -> list[XsdIdentity]:
        """What the schema wants to be unique (``xs:unique``), as xmlschema has it."""
        known = [] if self._schema is None else self._schema.maps.identities.values()
        return [each for each in known if each.elem.tag == f"{XSD}unique" and not each.name.startswith(XSD)]

    def fixed_spelling(self, node: etree._Element) -> str | None:
        """
        The schema's spelling of the fixed value that *node* has in another one (``1`` for ``true``); else None.

        XSD compares fixed values as values, and libxml2 compares an element's as text.
        """
        declaration = self.declaration(node)
        fixed = getattr(declaration, "fixed", None)
        if declaration is None or fixed is None or has_elements(node):
            return None
        text = text_of(node)
        with self._decoding:
            try:
                return str(fixed) if is_same_value(declaration.type, text, fixed) else None
            except (ArithmeticError, ValueError):
                return None


def _named(level: XsdSimpleType) -> Iterator[tuple[str, XsdFacet]]:
    return ((str(name or "").removeprefix(XSD), facet) for name, facet in level.facets.items())


def _breaks(level: XsdSimpleType, facet: XsdFacet, text: str) -> bool:
    """Whether *text*, a value of what *level* restricts, is none to its *facet*."""
    from xmlschema import XMLSchemaValidationError

    try:
        facet(text if hasattr(facet, "regexps") else level.text_decode(text))
    except XMLSchemaValidationError:
        return True
    return False


def is_same_value(kind: XsdType, text: str, fixed: str) -> bool:
    """
    Whether both texts are one value of the type *kind*.

    Raises:
        ArithmeticError, ValueError: One is no such value, or one that xmlschema cannot count.
    """
    own, wanted = kind.text_decode(text), kind.text_decode(fixed)
    # A date with a zone and one without are the same to xmlschema, and cannot be compared in XSD.
    zones = [getattr(each, "tzinfo", None) is None for each in (own, wanted)]
    return type(own) is type(wanted) and own == wanted and zones[0] is zones[1]


def _decodes_with_the_schema(files: SchemaFiles) -> bool:
    """
    Whether judging a form may use what xmlschema keeps with the schema, so that two threads would meet there.

    It reads fixed values so, and what it keeps matters for unions. The XPath of XSD 1.1 nobody vouches for.
    """
    texts = files.texts.values()
    return any(b"fixed" in text for text in texts) and any(b"union" in text for text in texts)


def _levels(simple: XsdSimpleType | None) -> Iterator[XsdSimpleType]:
    """Walk from a simple type to the built-in one that it restricts; lists and unions end the walk."""
    while simple is not None and hasattr(simple, "facets"):
        yield simple
        # Where a value restricts mixed content, xmlschema puts a complex type between it and its simple type.
        simple = None if simple.base_type is None else simple_in(simple.base_type)


def _several(simple: XsdSimpleType | None) -> dict[str, str]:
    """Name the built-in types of a list's items, or those of a union and the values that it lists."""
    variety = getattr(simple, "primitive_type", simple)
    if variety is None or not (variety.is_list() or variety.is_union()):
        return {}
    leaves = list(_leaves(variety))
    if not variety.is_union():  # A union of lists calls itself a list as well.
        items = dict.fromkeys(map(_built_in, leaves))
        return {"items": ", ".join(items)} if all(items) else {}
    listed = {id(leaf): values for leaf in leaves if (values := _listed(leaf)) is not None}
    names = dict.fromkeys(_built_in(leaf) for leaf in leaves if id(leaf) not in listed)
    values, others = ", ".join(filter(None, listed.values())), ", ".join(names)
    if not all(names):
        return {}
    if values:
        return {"values": values, "others": others} if others else {"choices": values}
    return {"types": others} if others else {}


def _leaves(variety: XsdSimpleType) -> Iterator[XsdSimpleType]:
    """The types that are neither lists nor unions of which this one is made."""
    for each in variety.member_types if variety.is_union() else (variety.item_type,):
        inner = getattr(each, "primitive_type", each)
        if inner.is_list() or inner.is_union():
            yield from _leaves(inner)
        else:
            yield each


def _listed(simple: XsdSimpleType) -> str | None:
    """The values that *simple* lists, of which one may be nothing at all; None where it lists none."""
    facets = [facet for level in _levels(simple) for facet in _facets(level)]
    if not _NOTHING.isdisjoint(facets):
        return ""
    return next((value for name, value in facets if name == "enumeration"), None)


def _built_in(simple: XsdSimpleType) -> str:
    names = (level.name or "" for level in _levels(simple))
    return next((name.removeprefix(XSD) for name in names if name.startswith(XSD)), "")


def _facets(level: XsdSimpleType) -> Iterator[tuple[str, str]]:
    if (level.name or "").startswith(XSD):
        return  # What a built-in type restricts (white space, the range of an int) says less than its name.
    for name, facet in level.facets.items():
        local = (name or "").removeprefix(XSD)
        if local == "pattern":
            patterns = list(facet.regexps)
            yield "pattern", " | ".join(patterns)
            digits = _DIGITS.fullmatch(patterns[0]) if len(patterns) == 1 else None
            if digits:
                yield "digits", digits[1]
        elif local == "enumeration":
            values = [
                " ".join(map(str, value)) if isinstance(value, list) else str(value) for value in facet.enumeration
            ]
            more = ", …" if len(values) > _MOST_VALUES else ""
            yield "enumeration", ", ".join(values[:_MOST_VALUES]) + more
        elif local and hasattr(facet, "value"):
            yield local, str(facet.value)
