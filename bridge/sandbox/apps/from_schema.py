"""The model of a data type from its XSD, as the class would be that Altinn Studio makes of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from bridge.sandbox.apps.model import Member

_XS = "{http://www.w3.org/2001/XMLSchema}"
_KINDS = {
    **dict.fromkeys(("int", "short", "byte", "unsignedShort", "unsignedByte"), "integer"),
    **dict.fromkeys(("decimal", "integer", "long", "unsignedInt", "unsignedLong"), "number"),
    **dict.fromkeys(
        ("nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger"),
        "number",
    ),
    **dict.fromkeys(("double", "float"), "double"),
    "boolean": "boolean",
    "dateTime": "datetime",
}
_DEEPEST = 60


class NoModel(ValueError):
    """No model can be made of a schema; the message says why."""


@dataclass(frozen=True, slots=True)
class FormModel:
    """What a data type's class says: its root element, its namespace, and its members in their order."""

    root: str
    namespace: str
    members: tuple[Member, ...]


def model_of(schema: str, root: str | None = None) -> FormModel:
    """
    Make the model of a schema's element, the first one unless *root* names another.

    What is included or imported is not looked for. Rows and texts are read as .NET's classes have them: a choice is
    each of its elements, and wildcards are nothing.

    Raises:
        NoModel: It is no XSD, has no such element, or refers to what it does not have.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        top = etree.fromstring(schema.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise NoModel(f"the schema is no XML: {error.msg}") from error
    if top.tag != f"{_XS}schema":
        raise NoModel("the schema is no XSD")
    return _Schema(top).model(root)


class _Schema:
    """Reads what an XSD has at its top, by kind and name."""

    def __init__(self, top: etree._Element) -> None:
        self._namespace = top.get("targetNamespace", "")
        self._qualified = top.get("elementFormDefault") == "qualified"
        self._named = {
            (str(each.tag).removeprefix(_XS), each.get("name", "")): each for each in top if isinstance(each.tag, str)
        }

    def model(self, root: str | None) -> FormModel:
        names = [name for kind, name in self._named if kind == "element"]
        if not names or (root is not None and root not in names):
            raise NoModel(f"the schema has no element {root or 'at its top'}")
        if self._namespace and not self._qualified:
            raise NoModel('elements of a schema with a namespace are read with elementFormDefault="qualified" only')
        found = self._element(self._named["element", root or names[0]], 0)
        if found.kind != "group":
            raise NoModel("the root element has no members")
        return FormModel(found.name, self._namespace, found.members)

    def _element(self, node: etree._Element, depth: int) -> Member:
        if depth > _DEEPEST:
            raise NoModel("the schema has no end: an element stands in itself")
        occurs = node.get("maxOccurs", "1")
        reference = node.get("ref")
        if reference is not None:
            found = self._element(self._find("element", reference), depth)
        else:
            found = self._typed(Member(name=node.get("name", "")), node, depth)
        return replace(found, many=occurs == "unbounded" or int(occurs) > 1, nillable=node.get("nillable") == "true")

    def _typed(self, member: Member, node: etree._Element, depth: int) -> Member:
        kind, members = self._type(node, depth)
        return replace(member, kind=kind, members=members)

    def _type(self, node: etree._Element, depth: int) -> tuple[str, tuple[Member, ...]]:
        """The kind of the type of an element or attribute, and its members."""
        name = node.get("type")
        inner = next((each for each in node if each.tag in (f"{_XS}complexType", f"{_XS}simpleType")), None)
        if inner is not None:
            return self._defined(inner, depth)
        if name is None:
            return "text", ()
        return self._of_name(node, name, depth)

    def _of_name(self, node: etree._Element, name: str, depth: int) -> tuple[str, tuple[Member, ...]]:
        prefix, _, local = name.rpartition(":")
        if node.nsmap.get(prefix or None) == _XS[1:-1]:
            return _KINDS.get(local, "text"), ()
        for kind in ("complexType", "simpleType"):
            if (kind, local) in self._named:
                return self._defined(self._named[kind, local], depth)
        raise NoModel(f"the schema has no type {name}")

    def _defined(self, node: etree._Element, depth: int) -> tuple[str, tuple[Member, ...]]:
        if node.tag == f"{_XS}simpleType":
            restriction = node.find(f"{_XS}restriction")
            if restriction is None:
                return "text", ()
            base = restriction.get("base")
            inner = restriction.find(f"{_XS}simpleType")
            if base is None:
                return ("text", ()) if inner is None else self._defined(inner, depth)
            return self._of_name(restriction, base, depth)
        members = tuple(self._members(node, depth + 1))
        # A class without members is one all the same.
        return "group", (
            *(each for each in members if each.attribute),
            *(each for each in members if not each.attribute),
        )

    def _members(self, node: etree._Element, depth: int) -> Iterator[Member]:
        for each in node:
            match str(each.tag).removeprefix(_XS):
                case "sequence" | "choice" | "all":
                    yield from self._inner(each, depth)
                case "complexContent" | "simpleContent":
                    yield from self._members(each, depth)
                case "extension" | "restriction":
                    yield from self._derived(each, depth)
                case "group" | "attributeGroup":
                    yield from self._group(each, depth)
                case "attribute":
                    yield from self._attribute(each, depth)
                case "element" if each.get("maxOccurs") != "0":
                    yield self._element(each, depth)

    def _inner(self, node: etree._Element, depth: int) -> Iterator[Member]:
        many = node.get("maxOccurs", "1") not in ("0", "1")
        for each in self._members(node, depth):
            yield replace(each, many=each.many or many) if not each.attribute else each

    def _attribute(self, node: etree._Element, depth: int) -> Iterator[Member]:
        if node.get("use") == "prohibited":
            return
        reference = node.get("ref")
        if reference is not None:
            if not reference.startswith("xml:"):
                yield from self._attribute(self._find("attribute", reference), depth)
            return
        member = Member(name=node.get("name", ""), attribute=True, fixed=node.get("fixed", node.get("default")))
        yield self._typed(member, node, depth)

    def _group(self, node: etree._Element, depth: int) -> Iterator[Member]:
        kind = str(node.tag).removeprefix(_XS)
        if depth > _DEEPEST:
            raise NoModel("the schema has no end: a group stands in itself")
        yield from self._members(self._find(kind, node.get("ref", "")), depth + 1)

    def _derived(self, node: etree._Element, depth: int) -> Iterator[Member]:
        """What a base has and what is added; a restriction of a group says all its elements itself."""
        kind, members = self._of_name(node, node.get("base", "xs:anyType"), depth)
        own = tuple(self._members(node, depth))
        named = {each.name for each in own}
        if kind != "group" and node.getparent().tag == f"{_XS}simpleContent":  # type: ignore[union-attr]
            yield Member(name="value", kind=kind, content=True)
        keeps = node.tag == f"{_XS}extension"
        yield from (each for each in members if each.name not in named and (keeps or each.attribute or each.content))
        yield from own

    def _find(self, kind: str, name: str) -> etree._Element:
        local = name.rpartition(":")[2]
        if (kind, local) not in self._named:
            raise NoModel(f"the schema has no {kind} {name}")
        return self._named[kind, local]


def members_named(members: Sequence[Member], name: str) -> Member | None:
    """The member with this name, None without one."""
    return next((each for each in members if each.name == name), None)
