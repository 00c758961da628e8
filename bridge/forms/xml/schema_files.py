"""Schemas from one folder and nothing from anywhere else, and what was loosened so that an engine takes them."""

import hashlib
import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from lxml import etree

from bridge.core.errors import ConfigurationError, Fault
from bridge.forms.xml.input import has_doctype, line_of, parse_any_namespace
from bridge.forms.xml.namespaces import plain_uri, real_names, schema_in_plain_namespaces
from bridge.forms.xml.patterns import xsd_pattern
from bridge.forms.xml.schema_lints import has_any_type, lints
from bridge.forms.xml.xsd11 import is_xsd_1_1

XSD = "{http://www.w3.org/2001/XMLSchema}"
_BASE = "bridge:///"
_MAX_BYTES = 20_000_000
_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
_XML_ATTRIBUTES_FILE = "bridge-xml-attributes.xsd"
_XML_ATTRIBUTES = f"""<xs:schema xmlns:xs="{XSD[1:-1]}" targetNamespace="{_XML_NAMESPACE}">
<xs:attribute name="lang"><xs:simpleType><xs:union memberTypes="xs:language"><xs:simpleType>
<xs:restriction base="xs:string"><xs:enumeration value=""/></xs:restriction></xs:simpleType></xs:union></xs:simpleType>
</xs:attribute>
<xs:attribute name="space"><xs:simpleType><xs:restriction base="xs:NCName"><xs:enumeration value="default"/>
<xs:enumeration value="preserve"/></xs:restriction></xs:simpleType></xs:attribute>
<xs:attribute name="base" type="xs:anyURI"/><xs:attribute name="id" type="xs:ID"/>
<xs:attributeGroup name="specialAttrs"><xs:attribute ref="xml:base"/><xs:attribute ref="xml:lang"/>
<xs:attribute ref="xml:space"/><xs:attribute ref="xml:id"/></xs:attributeGroup></xs:schema>"""
"""What XML itself means by the attributes of its own namespace."""


class Engine(Enum):
    """Which library judges the forms of a schema."""

    LIBXML2 = "libxml2"
    XMLSCHEMA = "xmlschema"
    """Some 30 times slower; for what libxml2 cannot take."""
    XMLSCHEMA11 = "xmlschema, XSD 1.1"
    JSON_SCHEMA = "jsonschema-rs"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFiles:
    """
    A schema and all that it includes or imports, repaired; *notes* say in words what was loosened.

    *sha256* is that of the file as it lies there. Where it takes in others, it is that of the list of all of them, as
    ``sha256sum`` prints it, sorted by path.
    """

    name: str
    texts: Mapping[str, bytes]
    notes: tuple[str, ...]
    sha256: str
    engine: Engine
    namespace: str | None
    """The target namespace."""
    qualified: bool
    """Whether the elements inside the root are in the target namespace as well."""
    unconvertible: tuple[Fault, ...] = ()
    """Why forms are judged by it and cannot be converted: namespaces with a closing brace."""

    def in_plain_namespaces(self) -> "SchemaFiles":
        """The schema with URIs in place of namespaces that are none to libxml2; itself where it has none of those."""
        texts = {name: schema_in_plain_namespaces(text) for name, text in self.texts.items()}
        if texts == self.texts:
            return self
        namespace = None if self.namespace is None else plain_uri(self.namespace)
        return replace(self, texts=texts, namespace=namespace, sha256=f"{self.sha256} in plain namespaces")

    def patterns(self) -> frozenset[str]:
        """The patterns of all types, as the engines get them."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        roots = (etree.fromstring(text, parser) for text in self.in_plain_namespaces().texts.values())
        return frozenset(str(each.get("value", "")) for root in roots for each in root.iter(XSD + "pattern"))

    def takes_anything(self) -> bool:
        """Whether an element of it may hold any other: one of xs:anyType, which is also what has no type."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        roots = (etree.fromstring(text, parser) for text in self.in_plain_namespaces().texts.values())
        return any(map(has_any_type, roots))

    def elements(self) -> tuple[str, ...]:
        """Name the elements that a form may begin with, as ``{namespace}local``, where no model tells it."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        roots = [etree.fromstring(text, parser) for text in self.texts.values()]
        own = [root for root in roots if root.get("targetNamespace") in {self.namespace, None}]
        names = [each.get("name", "") for root in own for each in root.iterchildren(XSD + "element")]
        return tuple(f"{{{self.namespace}}}{name}" if self.namespace else name for name in names)

    def compile(self) -> etree.XMLSchema:
        """Compile anew: a compiled schema's error log belongs to one thread. Raises etree.XMLSchemaParseError."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        parser.resolvers.add(_Resolver(self.texts))
        return etree.XMLSchema(etree.fromstring(self.texts[self.name], parser, base_url=_BASE + self.name))


class _Resolver(etree.Resolver):
    """Answer every request of libxml2 from *texts*; what is not there is refused, so no file or network is reached."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        super().__init__()
        self._texts = texts

    def resolve(self, system_url: str | None, public_id: str | None, context: Any = None) -> Any:  # noqa: ARG002 - as lxml calls it
        asked = (system_url or "").removeprefix(_BASE)
        text = self._texts.get(asked) or self._texts.get(unquote(asked))
        if text is None:
            raise LookupError("a schema asked for what its folder does not hold")
        return self.resolve_string(text, context, base_url=system_url)


def roots_in(schema: bytes) -> set[str]:
    """
    What forms may begin with by the text of a schema, as ``{namespace}local``.

    Raises:
        etree.XMLSyntaxError: It is no XML.
        ValueError: It is no schema.
    """
    root = parse_any_namespace(schema, encoding=None)
    if root.tag != XSD + "schema":
        raise ValueError(f"the root element is {etree.QName(root).localname!r}, not 'schema'")
    space = root.get("targetNamespace")
    names = (each.get("name") for each in root.iterchildren(f"{XSD}element"))
    return {f"{{{space}}}{name}" if space else name for name in names if name}


def read_schema_file(folder: Path, part: str, *, wanted_by: str, max_bytes: int) -> bytes:
    """
    The bytes of *part* in *folder*, through links that stay inside, as those of a mounted ConfigMap do.

    Raises:
        ConfigurationError: It is not there, larger than *max_bytes*, or a link that leads out; *wanted_by* is the
            place that named it.
    """
    path = folder / part
    try:
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            message = f"{path.name!r} leads out of the schema folder: put the file itself there"
            raise ConfigurationError([Fault(where=wanted_by, message=message)])
        data = path.read_bytes() if path.stat().st_size <= max_bytes else None
    except (OSError, ValueError):
        message = f"there is no readable schema file {path.name!r} here"
        raise ConfigurationError([Fault(where=wanted_by, message=message)]) from None
    if data is None:
        raise ConfigurationError([Fault(where=f"{path}:1:1", message=f"the schema is larger than {max_bytes} bytes")])
    return data


class SchemaReading:
    """The files of one schema on their way in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots: dict[str, etree._Element] = {}
        self.digests: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.unconvertible: list[Fault] = []
        self.unresolved: list[Fault] = []
        """Imports that lead nowhere: faults only when the schema cannot do without them."""
        self.notes: list[str] = []
        self.imports: list[tuple[str, etree._Element, str]] = []
        """Who imports, by what, from which file."""

    def read_all(self, name: str) -> None:
        waiting = [(name, str(self.folder / name))]
        seen = {name}
        while waiting:
            part, wanted_by = waiting.pop()
            path = self.folder / part
            root = self._root(part, wanted_by)
            if root is None:
                continue
            self.notes += [*lints(root, path), *_repair_patterns(root, path), *_drop_inner_types(root, path)]
            self.roots[part] = root
            self._know_xml_attributes(part, root)
            for element, location in list(_references(root)):
                where = f"{path}:{line_of(element)}:1"
                target = self._target(part, location)
                if target == _XML_ATTRIBUTES_FILE:
                    continue
                if element.tag == XSD + "import" and (target is None or not (self.folder / target).is_file()):
                    self._leave_out(element, location, where)
                elif target is None:
                    self.faults.append(Fault(where=where, message=_OUTSIDE.format(location=location)))
                else:
                    if element.tag == XSD + "import":
                        self.imports.append((part, element, target))
                    # Both engines read it as a URI, and ask for what it means.
                    element.set("schemaLocation", quote(posixpath.relpath(target, posixpath.dirname(part) or ".")))
                    if target not in seen:
                        seen.add(target)
                        waiting.append((target, where))

    def _know_xml_attributes(self, part: str, root: etree._Element) -> None:
        """Let ``xml:lang`` and the like come from here where the folder has no file for them: libxml2 knows none."""
        for element in root.iterchildren(XSD + "import"):
            target = self._target(part, element.get("schemaLocation") or "")
            there = target is not None and (self.folder / target).is_file()
            if element.get("namespace") == _XML_NAMESPACE and not there:
                self.roots.setdefault(_XML_ATTRIBUTES_FILE, etree.fromstring(_XML_ATTRIBUTES))
                element.set("schemaLocation", posixpath.relpath(_XML_ATTRIBUTES_FILE, posixpath.dirname(part) or "."))

    def join_imports(self) -> None:
        """
        Have each namespace imported from one file, which includes all that others are to come from.

        libxml2 takes the first file for a namespace and no other.
        """
        by_namespace: dict[str | None, dict[str, None]] = {}
        for part, element, target in self.imports:
            own = self.roots[target].get("targetNamespace") if target in self.roots else element.get("namespace")
            if own != element.get("namespace"):
                said = f"an import of {element.get('namespace')!r} leads to a schema of {own!r}"
                where = f"{self.folder / part}:{line_of(element)}"
                self.notes.append(f"{where}: {said}: .NET does not read such a schema")
            by_namespace.setdefault(own, {})[target] = None
        for number, (namespace, targets) in enumerate(by_namespace.items(), start=1):
            if len(targets) < 2 or namespace is None:
                continue
            joined = f"bridge-joined-imports-{number}.xsd"
            self.roots[joined] = _joined(namespace, targets)
            seen: set[str] = set()
            for part, element, target in self.imports:
                if target not in targets:
                    continue
                if part in seen and (parent := element.getparent()) is not None:
                    parent.remove(element)
                seen.add(part)
                element.set("schemaLocation", posixpath.relpath(joined, posixpath.dirname(part) or "."))

    def _target(self, part: str, location: str) -> str | None:
        """The file that *location* means, as it is written or else as the URI that it is."""
        bare = location.strip(" \t\r\n")
        meant = [_inside(part, bare), _inside(part, unquote(bare))]
        return next((target for target in meant if target and (self.folder / target).is_file()), meant[0])

    def _leave_out(self, element: etree._Element, location: str, where: str) -> None:
        """Import nothing from *location*: real schemas name files that nobody has and nothing uses."""
        del element.attrib["schemaLocation"]
        self.unresolved.append(Fault(where=where, message=_OUTSIDE.format(location=location)))
        place = where.rpartition(":")[0]
        self.notes.append(f"{place}: imported nothing from {location!r}, which is not in the folder and is not used")

    def engine(self) -> Engine:
        """Which engine has to be tried first."""
        return Engine.XMLSCHEMA11 if any(map(is_xsd_1_1, self.roots.values())) else Engine.LIBXML2

    def digest(self, name: str) -> str:
        if len(self.digests) == 1:
            return self.digests[name]
        lines = "".join(f"{digest}  {part}\n" for part, digest in sorted(self.digests.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def _root(self, part: str, wanted_by: str) -> etree._Element | None:
        """The root of the schema in the file *part*; None where it cannot be used, which is added to the faults."""
        path = self.folder / part
        where = f"{path}:1:1"
        try:
            data = read_schema_file(self.folder, part, wanted_by=wanted_by, max_bytes=_MAX_BYTES)
        except ConfigurationError as error:
            self.faults += error.faults
            return None
        self.digests[part] = hashlib.sha256(data).hexdigest()
        try:
            root = parse_any_namespace(data, encoding=None)
        except etree.XMLSyntaxError as error:
            line, column = error.position
            self.faults.append(Fault(where=f"{path}:{line}:{column}", message=f"not well-formed XML: {error.msg}"))
            return None
        if root.getroottree().docinfo.xml_version != "1.0":
            message = "a schema may not be XML 1.1, which .NET does not read: write version 1.0 in its first line"
            self.faults.append(Fault(where=where, message=message))
            return None
        if has_doctype(root):
            self.faults.append(Fault(where=where, message="a schema may not have a DOCTYPE: remove it"))
            return None
        if root.tag != XSD + "schema":
            local = etree.QName(root).localname
            message = f"not an XML Schema: the root element is {local!r}, not 'schema'"
            self.faults.append(Fault(where=where, message=message))
            return None
        self.unconvertible += _braced_namespaces(root, path) if b"}" in data or b"&#" in data else ()
        return root


def _braced_namespaces(root: etree._Element, path: Path) -> Iterator[Fault]:
    """Faults of namespaces with a closing brace: written as ``{namespace}name``, a name would begin in their middle."""
    seen: set[str] = set()
    for element in root.iter(etree.Element):
        named = [element.get("targetNamespace"), element.get("namespace")]
        for uri in map(real_names, filter(None, [*named, *element.nsmap.values()])):
            if "}" in uri and uri not in seen:
                seen.add(uri)
                message = (
                    f"the namespace {uri!r} has a closing brace, and names in it cannot be told apart from it: to"
                    " convert forms, write %7D in its place, here and in them"
                )
                yield Fault(where=f"{path}:{line_of(element)}:1", message=message)


def _joined(namespace: str, targets: Iterable[str]) -> etree._Element:
    root = etree.Element(XSD + "schema", {"targetNamespace": namespace}, nsmap={"xs": XSD[1:-1]})
    for target in targets:
        etree.SubElement(root, XSD + "include", {"schemaLocation": quote(target)})
    return root


_OUTSIDE = (
    "the schema refers to {location!r}, and only files in the schema folder are read:"
    " put the file there and write its relative path"
)


def _references(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    for kind in ("include", "import", "redefine", "override"):
        for element in root.iterchildren(XSD + kind):
            location = element.get("schemaLocation")
            if location is not None:
                yield element, location


def _inside(part: str, location: str) -> str | None:
    """Resolve *location* against the file *part*; None when it leaves the folder or is an address."""
    if ":" in location or "\\" in location or location.startswith("/"):
        return None
    steps: list[str] = []
    for step in (PurePosixPath(part).parent / location).parts:
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif step != ".":
            steps.append(step)
    return "/".join(steps)


def compile_faults(files: SchemaFiles, folder: Path) -> list[Fault]:
    try:
        files.in_plain_namespaces().compile()
    except etree.XMLSchemaParseError as error:
        entries = [entry for entry in error.error_log if entry.message]
        return [
            Fault(
                where=f"{_path_of(entry.filename, files.name, folder)}:{entry.line or 1}:1",
                message=real_names(entry.message),
            )
            for entry in entries
        ] or [Fault(where=f"{folder / files.name}:1:1", message="libxml2 cannot compile the schema")]
    return []


def _path_of(filename: str | None, name: str, folder: Path) -> Path:
    known = (filename or "").removeprefix(_BASE)
    return folder / (known if known and not known.startswith("<") else name)


def _repair_patterns(root: etree._Element, path: Path) -> Iterator[str]:
    """
    Make .NET's patterns XSD's.

    What XSD cannot say at all is dropped together with the patterns beside it: a value has to fit one of them, so that
    fewer of them would refuse what the schema allows.
    """
    dropped: list[etree._Element] = []
    for pattern in root.iter(XSD + "pattern"):
        value = pattern.get("value", "")
        where, read = f"{path}:{line_of(pattern)}", xsd_pattern(value)
        if read.text is None:
            dropped.append(pattern)
            yield f"{where}: the pattern {value!r}: {'; '.join(read.notes)}: values are not held against it"
            continue
        pattern.set("value", read.text)
        if read.notes:
            yield f"{where}: read the pattern {value!r} as {read.text!r}: {'; '.join(read.notes)}"
        if read.strays:
            fits = "no value fits it" if read.never else "fewer values fit it"
            yield f"{where}: the pattern {value!r} has an anchor that never holds in .NET: {fits} there"
    for parent in {pattern.getparent() for pattern in dropped}:
        if parent is not None:
            for pattern in list(parent.iterchildren(XSD + "pattern")):
                parent.remove(pattern)


def _drop_inner_types(root: etree._Element, path: Path) -> Iterator[str]:
    """Where an element or attribute has both a type and one of its own inside, the named one counts."""
    for kind in ("element", "attribute"):
        for owner in root.iter(XSD + kind):
            if owner.get("type") is None:
                continue
            for inner in list(owner.iterchildren(XSD + "simpleType", XSD + "complexType")):
                owner.remove(inner)
                yield (
                    f"{path}:{line_of(owner)}: {owner.get('name')!r} has the type {owner.get('type')!r} and one of"
                    " its own inside: the one inside is not used"
                )
