"""Walk over the values of a form with the types that the schema gives them."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from bridge.forms.xml.components import (
    XsdAttribute,
    XsdElement,
    XsdSimpleType,
    XsdType,
    attributes_of,
    group_in,
    simple_in,
)
from bridge.forms.xml.input import is_nil, text_of
from bridge.forms.xml.schema_facts import SchemaModel
from bridge.forms.xml.schema_files import XSD

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
BLANKS = " \t\r\n"
"""XML's white space; Unicode has more."""
_MOST_TYPES = 4096
"""Of so many types it is kept what they are made of, which is asked for each value of a form."""


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in an element or in its *attribute*, and its simple type as xmlschema has it."""

    node: etree._Element
    attribute: str | None
    text: str
    simple: XsdSimpleType
    fixed: str | None = None
    """What the schema says that it must be."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An element that the schema lets stand here and does not know."""

    node: etree._Element


@dataclass(frozen=True, slots=True)
class Stray:
    """An element with text between its elements, which by its type are alone there."""

    node: etree._Element


@dataclass(frozen=True, slots=True)
class _Type:
    """What is asked of a type again and again."""

    owner: XsdType
    """The type itself, so that no other gets its identity."""
    simple: XsdSimpleType | None
    attributes: Mapping[str | None, XsdAttribute]
    children: Mapping[str, XsdElement]
    skips: bool
    """Whether what is not listed here is nobody's to judge."""
    open: bool
    """Whether what is not listed may stand here, and is judged where anything is known of it."""
    element_only: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk over a form is: what is declared of the element, and its type as it is kept; None is neither."""

    declaration: XsdElement | None
    kind: _Type | None
    lax: bool
    """Whether a wildcard let it in that takes what nobody declares."""

    def below(self, child: etree._Element, model: SchemaModel) -> tuple[XsdElement | None, bool] | None:
        """What is declared of *child* and whether it was let in so; None where it is nobody's to judge."""
        if self.kind is None:
            return model.anywhere(child), self.lax
        known = self.kind.children.get(str(child.tag))
        # Not ``or``: a declaration of xmlschema's that has no children counts as false.
        known = model.anywhere(child) if known is None and not self.kind.skips else known
        return (known, known is None) if known is not None or self.kind.open else None

    def attributes(self, node: etree._Element) -> Iterator[Value]:
        """The values of the attributes of *node*."""
        kind = self.kind
        for name, text in node.items() if kind is not None and kind.attributes else ():
            declared = None if kind is None else kind.attributes.get(str(name))
            if declared is not None and getattr(declared, "type", None) is not None:
                yield Value(node, str(name), str(text), declared.type, getattr(declared, "fixed", None))

    def content(self, node: etree._Element, text: str) -> Iterator[Value | Unknown | Stray]:
        """What is to be judged of the content of *node*, whose own text is *text*."""
        if self.kind is None:
            if self.lax:
                yield Unknown(node)
        elif self.kind.simple is not None:
            if not is_nil(node):
                fixed = getattr(self.declaration, "fixed", None)
                # What is empty has the value that the schema gives it.
                stands = text or getattr(self.declaration, "default", None) or fixed or ""
                yield Value(node, None, stands, self.kind.simple, fixed)
        elif self.kind.element_only and text.strip(BLANKS):
            yield Stray(node)


def place_of(node: etree._Element, declaration: XsdElement | None, *, lax: bool, model: SchemaModel) -> Place:
    """The place of *node*, of which this is declared before it says its type itself."""
    types: dict[int, _Type] = model.kept
    if declaration is None and lax:
        declaration = model.untyped(node)
    declaration = model.as_said(declaration, node)
    if declaration is None:
        return Place(None, None, lax)
    kind = types.get(id(declaration.type))
    if kind is None:
        kind = types[id(declaration.type)] = _type_of(declaration, model)
    return Place(declaration, kind, lax)


def values_of(root: etree._Element, model: SchemaModel) -> Iterator[Value | Unknown | Stray]:
    """The values of the form *root* in its order; what the schema knows nothing of is left out."""
    waiting: list[tuple[etree._Element, XsdElement | None, bool]] = [(root, model.anywhere(root), False)]
    while waiting:
        node, declaration, lax = waiting.pop()
        place = place_of(node, declaration, lax=lax, model=model)
        yield from place.content(node, text_of(node))
        yield from place.attributes(node)
        for child in node.iterchildren(etree.Element, reversed=True):
            below = place.below(child, model)
            if below is not None:
                waiting.append((child, *below))


def _type_of(declaration: XsdElement, model: SchemaModel) -> _Type:
    kind = declaration.type
    simple = simple_in(kind)
    content = None if simple is not None else group_in(kind)
    wildcards = [] if content is None else [each for each in content.iter_elements() if each.name is None]
    return _Type(
        owner=kind,
        simple=simple,
        attributes=attributes_of(kind),
        children=model.children(declaration),
        skips=any(each.process_contents == "skip" for each in wildcards),
        open=any(each.process_contents != "skip" for each in wildcards),
        element_only=simple is None and kind.is_element_only(),
    )


@functools.lru_cache(maxsize=_MOST_TYPES)
def builtin_of(simple: XsdType | None) -> str:
    """Name the built-in type that *simple* restricts, by its local name; empty for lists and unions of others."""
    while simple is not None:
        name = str(simple.name or "")
        if name.startswith(XSD):
            return name.removeprefix(XSD)
        simple = simple.base_type if hasattr(simple, "facets") else None
    return ""


@functools.lru_cache(maxsize=_MOST_TYPES)
def members_of(simple: XsdType | None) -> tuple[XsdSimpleType, ...]:
    """The types of which a union is made; none where it is no union."""
    while simple is not None and simple.is_union():
        if hasattr(simple, "member_types"):
            return tuple(simple.member_types)
        simple = simple.base_type
    return ()


@functools.lru_cache(maxsize=_MOST_TYPES)
def item_of(simple: XsdType | None) -> XsdSimpleType | None:
    """The type of a list's items; None where it is no list."""
    while simple is not None and simple.is_list():
        if hasattr(simple, "item_type"):
            return simple.item_type
        simple = simple.base_type
    return None
