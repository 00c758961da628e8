"""The shape that an XSD gives forms, read once from xmlschema's model: all that converting needs, as plain tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from lxml import etree

from bridge.core.errors import ConfigurationError, Fault
from bridge.forms.xml.components import (
    XsdAnyElement,
    XsdAttribute,
    XsdComplexType,
    XsdElement,
    XsdGroup,
    XsdSimpleType,
    XsdType,
    attributes_of,
    group_in,
    is_complex,
    is_group,
    simple_in,
)
from bridge.forms.xml.prefixes import Prefixes
from bridge.forms.xml.schema_files import SchemaFiles
from bridge.forms.xml.schema_roots import no_root, usual_roots
from bridge.forms.xml.xmlschema_engine import build_xmlschema

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
ANY = "@any"
"""The member that holds elements which the schema lets stand here without naming them, each as XML."""
HINTS = {XSI + each: f"@xsi:{each}" for each in ("schemaLocation", "noNamespaceSchemaLocation")}
"""Attributes that may stand anywhere, and their members."""
TYPE = XSI + "type"
TYPE_MEMBER = "@xsi:type"
"""The member that names the type of a group that has another one than its schema gives it."""
_XSD = "{http://www.w3.org/2001/XMLSchema}"


class Kind(Enum):
    """What a simple value is in JSON."""

    TEXT = "string"
    NUMBER = "decimal"
    """Without an exponent, unlike ``REAL``."""
    REAL = "double"
    BOOLEAN = "boolean"
    QNAME = "QName"
    """A text whose prefix stands for a namespace."""
    MAYBE_QNAME = "QName or another"
    """One that may be such a text, or another."""
    COLLAPSED = "collapsed"
    """A text that blanks around it and in a row do not change, such as a date."""

    @property
    def type_name(self) -> str:
        """The kind's name for people, to whom every text is of one kind."""
        return Kind.TEXT.value if self in (Kind.COLLAPSED, *PREFIXED) else self.value


PREFIXED = (Kind.QNAME, Kind.MAYBE_QNAME)


_KINDS = {
    "decimal": Kind.NUMBER,
    **dict.fromkeys(("float", "double"), Kind.REAL),
    "boolean": Kind.BOOLEAN,
    **dict.fromkeys(("QName", "NOTATION"), Kind.QNAME),
}


@dataclass(frozen=True, slots=True)
class Particle:
    """An element's place in its parent's content, by member name; *most* is None without a bound."""

    name: str
    most: int | None


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """A group of places: in turn, or (a choice) the first that is there; again and again if *repeats*."""

    choice: bool
    repeats: bool
    parts: Sequence["Particle | ModelGroup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute: its name in XML (as ``{uri}local`` and as written) and in JSON."""

    tag: str
    written: str
    member: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an element of one type may hold. Types may hold themselves, so the tables are filled after the making."""

    kind: Kind | None
    """For a simple value; None for a group."""
    wrapped: bool
    """If the simple value stands in a ``value`` member, beside its attributes."""
    mixed: bool
    any_attribute: bool
    any_element: bool
    order: ModelGroup | None
    """Where the schema leaves room for more than one order; None where the order of *children* is the only one."""
    attributes: dict[str, Attribute] = field(default_factory=dict)
    attribute_members: dict[str, Attribute] = field(default_factory=dict)
    children: dict[str, "ElementDecl"] = field(default_factory=dict)
    """By ``{uri}local``, in the schema's order."""
    members: dict[str, "ElementDecl"] = field(default_factory=dict)
    types: dict[str, "Typed"] = field(default_factory=dict)
    """The named types, this one's among them, that an element of this type may have instead (``xsi:type``)."""
    type_members: dict[str, "Typed"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A type that an element may name: the attribute as it is written, and its name in JSON."""

    written: str
    member: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementDecl:
    """An element where it may stand."""

    tag: str
    written: str
    member: str
    index: int
    many: bool
    nillable: bool
    content: Content
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What the schema calls it, by ``xml:lang``; empty for a text without language."""
    leaf: Kind | None = field(init=False)
    """The kind of a simple value without attributes; its tags are made once, as most of a form is these."""
    opening: str = field(init=False)
    closing: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaf", None if self.content.wrapped else self.content.kind)
        object.__setattr__(self, "opening", f"<{self.written}>")
        object.__setattr__(self, "closing", f"</{self.written}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormModel:
    """The roots of one schema by ``{uri}local``, and the namespaces that a document declares."""

    roots: Mapping[str, ElementDecl]
    declarations: str
    default_namespace: str
    prefixes: Mapping[str, str]
    """By namespace; without the default one."""


def read_model(files: SchemaFiles, path: Path, root: str | None = None) -> FormModel:
    """
    The model of the schema *files*, whose main one is *path*; *root* (local or ``{uri}local``) picks one of several.

    Raises:
        ConfigurationError: It cannot be converted by, or has no such root.
    """
    if files.unconvertible:
        raise ConfigurationError(files.unconvertible)
    built = build_xmlschema(files)
    schema = built.schema
    if schema is None:
        message = f"xmlschema, by whose model forms are converted, cannot read the schema: {built.refused}"
        raise ConfigurationError([Fault(where=f"{path}:1:1", message=message)])
    wanted = list(usual_roots(schema, root))
    if not wanted:
        raise ConfigurationError([Fault(where=f"{path}:1:1", message=no_root(schema, root))])
    builder = _Builder(wanted)
    places = builder.places(wanted)
    return FormModel(
        roots=places,
        declarations=builder.declarations,
        default_namespace=builder.default,
        prefixes=builder.prefixes,
    )


class _Builder:
    """Turns xmlschema's components into tables, each type once."""

    def __init__(self, roots: Sequence[XsdElement]) -> None:
        self._contents: dict[int, Content] = {}
        self._kept: list[XsdType] = []  # So that no id is used again while the tables are built.
        self._to_fill: list[tuple[XsdType, XsdGroup | None, Mapping[str, str], Content]] = []
        self._derived = _derived_types(roots[0].maps.types.values())
        elements, attributes = _namespaces(roots, self._derived)
        qualified = elements - {""}
        # A default namespace would swallow elements that have none.
        self.default = _uri(roots[0].name) if "" not in elements else ""
        prefixed = sorted((qualified - {self.default}) | (attributes - {"", _XML[1:-1]}))
        self.prefixes = {uri: f"n{number}" for number, uri in enumerate(prefixed, start=1)}
        self.declarations = (f' xmlns="{_quoted(self.default)}"' if self.default else "") + "".join(
            f' xmlns:{prefix}="{_quoted(uri)}"' for uri, prefix in self.prefixes.items()
        )

    def places(self, roots: Sequence[XsdElement]) -> Mapping[str, ElementDecl]:
        """Make the places of *roots*, and all that can be reached from there: types of types, however many."""
        made = {element.name: self._place(element, index=0, many=False) for element in roots}
        while self._to_fill:
            kind, group, names, content = self._to_fill.pop()
            if group is not None:
                self._fill_elements(group, names, content)
            self._fill(kind, content)
        return made

    def _place(self, element: XsdElement, *, index: int, many: bool, member: str = "") -> ElementDecl:
        uri, local = _uri(element.name), element.local_name
        return ElementDecl(
            tag=element.name,
            written=local if uri == self.default else f"{self.prefixes[uri]}:{local}" if uri else local,
            member=member or local,
            index=index,
            many=many,
            nillable=bool(element.nillable),
            content=self._content(element.type),
            labels=_labels(element),
        )

    def _content(self, kind: XsdType) -> Content:
        if id(kind) in self._contents:
            return self._contents[id(kind)]
        self._kept.append(kind)
        simple = simple_in(kind)
        group = None if simple is not None else group_in(kind)
        particles = [] if group is None else list(_particles(group))
        names = _member_names(particle for particle in particles if particle.name is not None)
        any_element = any(particle.name is None for particle in particles)
        content = self._contents[id(kind)] = Content(
            kind=None if simple is None else _kind(simple),
            wrapped=simple is not None and bool(attributes_of(kind)),
            mixed=simple is None and is_complex(kind) and bool(kind.mixed),
            any_attribute=None in attributes_of(kind),
            any_element=any_element,
            order=_order(group, names) if group is not None and (any_element or _leaves_room(group)) else None,
        )
        self._to_fill.append((kind, group, names, content))
        return content

    def _fill_elements(self, group: XsdGroup, names: Mapping[str, str], content: Content) -> None:
        for particle in _particles(group):
            if particle.name is None:
                continue
            for element in (particle, *particle.iter_substitutes()):
                if element.name not in content.children and not (element is not particle and element.abstract):
                    place = self._place(
                        element,
                        index=len(content.children),
                        many=_most(group, particle.name) != 1,
                        member=names.get(element.name, element.local_name if element is particle else element.name),
                    )
                    content.children[place.tag] = content.members[place.member] = place

    def _fill(self, kind: XsdType, content: Content) -> None:
        taken = {*content.members, *(("value",) if content.kind is not None else ())}
        for name, attribute in attributes_of(kind).items():
            if name is not None and attribute.use != "prohibited":
                made = self._attribute(attribute, taken)
                content.attributes[made.tag] = content.attribute_members[made.member] = made
                taken.add(made.member)
        for other in (kind, *self._derived.get(id(kind), ())):
            typed = self._typed(other)
            if typed is not None and other.name is not None:
                content.types[other.name] = content.type_members[typed.member] = typed

    def _typed(self, kind: XsdType) -> Typed | None:
        """How an element names *kind*, if it can."""
        if not is_complex(kind) or not kind.name or kind.name.startswith(_XSD):
            return None
        uri, local = _uri(kind.name), kind.local_name or ""
        if kind.abstract or (self.default and not uri):
            # The document's default namespace would be the name's.
            return None
        prefix = self.prefixes.get(uri, "t")
        declared = f' xmlns:t="{_quoted(uri)}"' if prefix == "t" else ""
        if uri == self.default:
            written, member = f' xsi:type="{local}"', local
        else:
            written, member = f'{declared} xsi:type="{prefix}:{local}"', kind.name
        return Typed(written=written, member=member, content=self._content(kind))

    def _attribute(self, attribute: XsdAttribute, taken: set[str]) -> Attribute:
        uri, local = _uri(attribute.name), attribute.local_name
        prefix = "xml" if uri == _XML[1:-1] else self.prefixes.get(uri)
        member = local if local not in taken else f"@{attribute.name}"
        written = f"{prefix}:{local}" if prefix else local
        return Attribute(tag=attribute.name, written=written, member=member, kind=_kind(attribute.type))


def _labels(element: XsdElement) -> Mapping[str, str]:
    """What an element's documentation calls it, by language; one with elements inside, as of SERES, is no name."""
    annotation = getattr(element, "annotation", None)
    referred = getattr(element, "ref", None)
    if annotation is None and referred is not None:
        annotation = referred.annotation
    documents = () if annotation is None else annotation.documentation
    texts = [
        (each.get(f"{_XML}lang", "").partition("-")[0].lower(), " ".join((each.text or "").split()))
        for each in documents
        if not len(each)
    ]
    return {language: text for language, text in reversed(texts) if text}


def _uri(name: str) -> str:
    return name[1:].rpartition("}")[0] if name.startswith("{") else ""


def _quoted(uri: str) -> str:
    return uri.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _kind(simple: XsdSimpleType | None) -> Kind:
    if simple is None:
        return Kind.TEXT
    # What restricts a union or a list has that as its primitive type; the simple type of all has none.
    primitive = getattr(simple, "primitive_type", None) or simple
    if simple.is_list():
        item = _kind(getattr(primitive, "item_type", None))
        return item if item in PREFIXED else Kind.COLLAPSED
    if simple.is_union():
        return _kind_of_all({_kind(member) for member in primitive.member_types})
    collapses = getattr(simple, "white_space", None) == "collapse"
    return _KINDS.get(primitive.local_name or "", Kind.COLLAPSED if collapses else Kind.TEXT)


def _kind_of_all(kinds: set[Kind]) -> Kind:
    if kinds.intersection(PREFIXED):
        return Kind.QNAME if kinds == {Kind.QNAME} else Kind.MAYBE_QNAME
    if kinds == {Kind.NUMBER, Kind.REAL}:
        return Kind.REAL
    return kinds.pop() if len(kinds) == 1 else Kind.TEXT


def _derived_types(types: Iterable[XsdType]) -> Mapping[int, Sequence[XsdComplexType]]:
    """The named types with elements or attributes that are derived from another, by the id of that one."""
    found: dict[int, list[XsdComplexType]] = {}
    for kind in filter(is_complex, types):
        base = kind.base_type
        while base is not None and base.name != _XSD + "anyType":
            found.setdefault(id(base), []).append(kind)
            base = base.base_type
    return found


def _particles(group: XsdGroup) -> Iterator[XsdElement | XsdAnyElement]:
    """Walk over the elements and wildcards of *group* and the groups in it, in order."""
    for part in group:
        if is_group(part):
            yield from _particles(part)
        elif part.max_occurs != 0:
            yield part


def _member_names(elements: Iterable[XsdElement]) -> Mapping[str, str]:
    """The JSON name of each element: the local one, and the full one where two namespaces share it."""
    names: dict[str, str] = {}
    for element in elements:
        if element.name not in names:
            taken = element.local_name in names.values()
            names[element.name] = element.name if taken else element.local_name
    return names


def _most(group: XsdGroup, name: str) -> int | None:
    """How often *name* may stand in *group*; None without a bound."""
    counts: list[int | None] = []
    for part in group:
        if is_group(part):
            counts.append(_most(part, name))
        elif part.name == name:
            counts.append(part.max_occurs)
    if None in counts:
        return None
    known = [count for count in counts if count is not None]
    within = max(known, default=0) if group.model == "choice" else sum(known)
    return 0 if within == 0 else None if group.max_occurs is None else within * group.max_occurs


def _leaves_room(group: XsdGroup) -> bool:
    """Whether the same elements may stand in more than one order in *group*."""
    particles = list(_particles(group))
    if len(particles) > 1 and (group.max_occurs != 1 or group.model == "all"):
        return True
    if len({particle.name for particle in particles}) < len(particles) or any(
        next(iter(particle.iter_substitutes()), None) is not None and particle.max_occurs != 1
        for particle in particles
        if particle.name
    ):
        return True
    return any(_leaves_room(part) for part in group if is_group(part))


def _order(group: XsdGroup, names: Mapping[str, str]) -> ModelGroup:
    parts: list[Particle | ModelGroup] = []
    for part in group:
        if is_group(part):
            parts.append(_order(part, names))
        elif not part.name:
            parts.append(Particle(ANY, part.max_occurs))
        else:
            parts.append(Particle(names[part.name], part.max_occurs))
            parts += [Particle(names.get(other.name, other.name), part.max_occurs) for other in part.iter_substitutes()]
    return ModelGroup(choice=group.model == "choice", repeats=group.max_occurs != 1, parts=parts)


def arrange(order: ModelGroup, counts: Mapping[str, int]) -> list[str]:
    """Put members that occur *counts* times into the plainest order that *order* allows; what is over comes last."""
    left = dict(counts)
    result: list[str] = []
    _take(order, left, result)
    for name, count in left.items():
        result += [name] * count
    return result


def _take(part: Particle | ModelGroup, left: dict[str, int], result: list[str]) -> bool:
    """Move what *part* may hold from *left* to *result*; say whether anything moved."""
    if isinstance(part, Particle):
        count = left.get(part.name, 0)
        count = count if part.most is None else min(count, part.most)
        if count:
            left[part.name] -= count
            result += [part.name] * count
        return count > 0
    moved_ever = False
    while True:
        moved = False
        for inner in part.parts:
            moved = _take(inner, left, result) or moved
            if moved and part.choice:
                break
        moved_ever = moved_ever or moved
        if not moved or not part.repeats:
            return moved_ever


def _namespaces(roots: Sequence[XsdElement], derived: Mapping[int, Sequence[XsdType]]) -> tuple[set[str], set[str]]:
    """Collect the namespaces of all elements and of all attributes that can be reached."""
    elements: set[str] = set()
    attributes: set[str] = set()
    seen: set[int] = set()
    kept: list[XsdType] = []
    waiting = list(roots)
    kinds: list[XsdType] = []
    while waiting or kinds:
        if not kinds:
            element = waiting.pop()
            elements.add(_uri(element.name))
            kinds.append(element.type)
        kind = kinds.pop()
        if id(kind) in seen:
            continue
        seen.add(id(kind))
        kept.append(kind)
        kinds += derived.get(id(kind), ())
        attributes |= {_uri(name) for name in attributes_of(kind) if name is not None}
        group = group_in(kind)
        for particle in () if group is None else _particles(group):
            if particle.name is not None:
                waiting += [particle, *particle.iter_substitutes()]
    return elements, attributes


def content_at(node: etree._Element, content: Content, prefixes: Prefixes) -> Content:
    """
    What *node* may hold by the type that it names, if it may name that one, or else by its schema's *content*.

    Raises:
        Unreadable: Looking up what its prefixes stand for has been too much work.
    """
    name = node.get(TYPE)
    typed = None if name is None else content.types.get(prefixes.named(node, name) or "")
    return content if typed is None else typed.content
