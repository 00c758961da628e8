"""
The parts of a schema as xmlschema has them, by their names there: what we ask of each, and no more.

Its own annotations leave open which of its classes have what; and importing them costs time that is only well spent
once a schema is read.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Protocol, SupportsInt

from lxml import etree

if TYPE_CHECKING:
    from typing_extensions import TypeIs


class XsdFacet(Protocol):
    """What a type says about its values. Some have a *value*, patterns *regexps*, enumerations an *enumeration*."""

    value: SupportsInt | str
    regexps: list[str]
    enumeration: list[object]

    def __call__(self, value: object) -> None: ...


class _AnyType(Protocol):
    """What simple and complex types have in common."""

    name: str | None
    local_name: str | None
    simple_type: "XsdSimpleType | None"

    def __hash__(self) -> int: ...

    def is_simple(self) -> bool: ...

    def is_complex(self) -> bool: ...

    def has_simple_content(self) -> bool: ...

    def is_element_only(self) -> bool: ...

    def is_list(self) -> bool: ...

    def is_union(self) -> bool: ...

    def text_decode(self, text: str) -> object: ...


class XsdSimpleType(_AnyType, Protocol):
    """A type of values. Unions have *member_types* and lists an *item_type*, if they are not restrictions of one."""

    base_type: "XsdSimpleType | None"
    facets: Mapping[str | None, XsdFacet]
    white_space: str | None
    enumeration: list[object] | None
    primitive_type: "XsdSimpleType | None"
    member_types: "list[XsdSimpleType]"
    item_type: "XsdSimpleType"

    def text_is_valid(self, text: str) -> bool: ...


class XsdComplexType(_AnyType, Protocol):
    """A type with attributes, and with elements or a simple value."""

    base_type: "XsdType | None"
    content: "XsdGroup | XsdSimpleType"
    attributes: "Mapping[str | None, XsdAttribute]"
    open_content: "XsdOpenContent | None"
    mixed: bool
    abstract: bool


XsdType = XsdSimpleType | XsdComplexType


class XsdAttribute(Protocol):
    """An attribute's declaration; under None, among others, the wildcard."""

    name: str
    local_name: str
    type: XsdSimpleType
    fixed: str | None
    use: str


class _Annotation(Protocol):
    documentation: list[etree._Element]


class XsdElement(Protocol):
    """An element's declaration, or a reference to one, where it may stand."""

    name: str
    local_name: str
    type: XsdType
    fixed: str | None
    nillable: bool
    abstract: bool
    min_occurs: int
    max_occurs: int | None
    annotation: _Annotation | None
    ref: "XsdElement | None"
    elem: etree._Element
    schema: "XsdSchema"
    maps: "_Maps"
    identities: "list[XsdIdentity]"

    def iter_substitutes(self) -> Iterator["XsdElement"]: ...


class XsdAnyElement(Protocol):
    """A wildcard, which has no name."""

    name: None
    namespace: Iterable[str]
    process_contents: str
    min_occurs: int
    max_occurs: int | None

    def is_matching(self, name: str) -> bool: ...


class XsdOpenContent(Protocol):
    """What may stand among the elements of a type in XSD 1.1 beside what its content names."""

    mode: str
    any_element: XsdAnyElement | None


class XsdGroup(Protocol):
    """Elements, wildcards and groups in their order."""

    content: "list[XsdElement | XsdAnyElement | XsdGroup]"
    model: str
    min_occurs: int
    max_occurs: int | None
    open_content: XsdOpenContent | None

    def __iter__(self) -> Iterator["XsdElement | XsdAnyElement | XsdGroup"]: ...

    def iter_elements(self) -> Iterator[XsdElement | XsdAnyElement]: ...


class _Selector(Protocol):
    path: str


class XsdIdentity(Protocol):
    """A key, a reference to one (which *refer* names), or what has to be unique, in *parent*."""

    name: str
    local_name: str
    elem: etree._Element
    parent: XsdElement
    schema: "XsdSchema"
    selector: _Selector
    fields: list[_Selector]


class XsdComponent(Protocol):
    """Any part of a schema."""

    name: str | None


class _Maps(Protocol):
    """All that a schema and what it includes and imports declare for any place, by ``{uri}local``."""

    namespaces: Mapping[str, object]
    types: Mapping[str, XsdType]
    elements: Mapping[str, XsdElement]
    identities: Mapping[str, XsdIdentity]

    def get_instance_type(self, name: str, base_type: XsdType, namespaces: MutableMapping[str, str]) -> XsdType: ...

    def iter_components(self) -> Iterator[XsdComponent]: ...


class _Builders(Protocol):
    def create_element(self, name: str, schema: "XsdSchema") -> XsdElement: ...


class XsdSchema(Protocol):
    """A schema that was read: *elements* are its own, *maps* has those of what it includes and imports as well."""

    maps: _Maps
    elements: Mapping[str, XsdElement]
    builders: _Builders
    namespaces: Mapping[str, str]

    def resolve_qname(self, name: str) -> str: ...

    def iter_components(self) -> Iterator[XsdComponent]: ...


class XsdError(Protocol):
    """What xmlschema finds in a form; *particle* is there if the error is one of an element's children."""

    reason: str | None

    @property
    def elem(self) -> object: ...

    @property
    def validator(self) -> object: ...


def is_group(part: object) -> "TypeIs[XsdGroup]":
    """Whether *part* of a content model, or what is in a type, is a group."""
    return hasattr(part, "iter_elements")


def is_complex(kind: XsdType) -> "TypeIs[XsdComplexType]":
    """Whether *kind* is a complex type."""
    return kind.is_complex()


def simple_in(kind: XsdType) -> XsdSimpleType | None:
    """The type of the value that an element of the type *kind* holds; None where it holds elements."""
    if not is_complex(kind):
        return kind
    content = kind.content if kind.has_simple_content() else None
    return None if is_group(content) else content


def group_in(kind: XsdType | None) -> XsdGroup | None:
    """What *kind* says of the elements in it; None where it is a simple type or has a simple value."""
    return kind.content if kind is not None and is_complex(kind) and is_group(kind.content) else None


def group_of(declaration: XsdElement | None) -> XsdGroup | None:
    """What *declaration* says of the elements in one, if it is one at all."""
    return None if declaration is None else group_in(declaration.type)


def attributes_of(kind: XsdType | None) -> "Mapping[str | None, XsdAttribute]":
    """The attributes that *kind* declares; simple types have none."""
    return getattr(kind, "attributes", {})
