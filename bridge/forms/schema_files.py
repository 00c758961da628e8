"""Schemas from one folder and nothing from anywhere else, and what was loosened so that libxml2 takes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lxml import etree

from bridge.core.errors import ConfigurationError, Fault
from bridge.forms.reading import has_doctype, line_of

XSD = "{http://www.w3.org/2001/XMLSchema}"
_BASE = "bridge:///"
_MAX_BYTES = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFiles:
    """A schema and all that it includes or imports, repaired; *notes* say in words what was loosened."""

    name: str
    texts: Mapping[str, bytes]
    notes: tuple[str, ...]

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
        text = self._texts.get((system_url or "").removeprefix(_BASE))
        if text is None:
            raise LookupError("a schema asked for what its folder does not hold")
        return self.resolve_string(text, context, base_url=system_url)


def read_schema_files(folder: Path, name: str) -> SchemaFiles:
    """
    Read the schema *name* (a path inside *folder*) and everything that it refers to.

    Raises:
        ConfigurationError: A file is missing, lies outside the folder, or cannot be used; every fault at once.
    """
    texts: dict[str, bytes] = {}
    faults: list[Fault] = []
    notes: list[str] = []
    waiting = [(name, str(folder / name))]
    seen = {name}
    while waiting:
        part, wanted_by = waiting.pop()
        path = folder / part
        root = _root(path, wanted_by, faults)
        if root is None:
            continue
        notes += _strip_anchors(root, path)
        texts[part] = etree.tostring(root, encoding="utf-8")
        for element, location in _references(root):
            where = f"{path}:{line_of(element)}:1"
            target = _inside(part, location)
            if target is None:
                faults.append(Fault(where=where, message=_OUTSIDE.format(location=location)))
            elif target not in seen:
                seen.add(target)
                waiting.append((target, where))
    files = SchemaFiles(name=name, texts=texts, notes=tuple(notes))
    if not faults:
        faults += _compile_faults(files, folder)
    if faults:
        raise ConfigurationError(faults)
    return files


_OUTSIDE = (
    "the schema refers to {location!r}, and only files in the schema folder are read:"
    " put the file there and write its relative path"
)


def _root(path: Path, wanted_by: str, faults: list[Fault]) -> etree._Element | None:
    """Read one file as the root of a schema, or add to *faults*."""
    where = f"{path}:1:1"
    try:
        data = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else None
    except OSError:
        faults.append(Fault(where=wanted_by, message=f"there is no readable schema file {path.name!r} here"))
        return None
    if data is None:
        faults.append(Fault(where=where, message=f"the schema is larger than {_MAX_BYTES} bytes"))
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        faults.append(Fault(where=f"{path}:{line}:{column}", message=f"not well-formed XML: {error.msg}"))
        return None
    if has_doctype(root):
        faults.append(Fault(where=where, message="a schema may not have a DOCTYPE: remove it"))
        return None
    if root.tag != XSD + "schema":
        local = etree.QName(root).localname
        faults.append(Fault(where=where, message=f"not an XML Schema: the root element is {local!r}, not 'schema'"))
        return None
    return root


def _references(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    for kind in ("include", "import", "redefine"):
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


def _compile_faults(files: SchemaFiles, folder: Path) -> list[Fault]:
    try:
        files.compile()
    except etree.XMLSchemaParseError as error:
        entries = [entry for entry in error.error_log if entry.message]
        return [
            Fault(where=f"{_path_of(entry.filename, files.name, folder)}:{entry.line or 1}:1", message=entry.message)
            for entry in entries
        ] or [Fault(where=f"{folder / files.name}:1:1", message="libxml2 cannot compile the schema")]
    return []


def _path_of(filename: str | None, name: str, folder: Path) -> Path:
    known = (filename or "").removeprefix(_BASE)
    return folder / (known if known and not known.startswith("<") else name)


def _strip_anchors(root: etree._Element, path: Path) -> list[str]:
    """Take ``^`` and ``$`` off the ends of patterns: XSD anchors by itself and would read them as plain characters."""
    notes = []
    for pattern in root.iter(XSD + "pattern"):
        value = pattern.get("value", "")
        bare = without_anchors(value)
        if bare != value:
            pattern.set("value", bare)
            notes.append(f"{path}:{line_of(pattern)}: read the pattern {value!r} as {bare!r}: XSD anchors itself")
    return notes


def without_anchors(pattern: str) -> str:
    """Drop an unescaped ``^`` at the start and ``$`` at the end of each branch of *pattern*."""
    return "|".join(_without_anchors(branch) for branch in _branches(pattern))


def _without_anchors(branch: str) -> str:
    branch = branch.removeprefix("^")
    escapes = len(branch[:-1]) - len(branch[:-1].rstrip("\\"))
    return branch[:-1] if branch.endswith("$") and escapes % 2 == 0 else branch


def _branches(pattern: str) -> list[str]:
    """Split at the bars that stand in no group and no character class."""
    branches, start, depth, in_class, escaped = [], 0, 0, 0, False
    for place, character in enumerate(pattern):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "[":
            in_class += 1
        elif character == "]":
            in_class = max(0, in_class - 1)
        elif not in_class and character in "()":
            depth += 1 if character == "(" else -1
        elif not in_class and depth == 0 and character == "|":
            branches.append(pattern[start:place])
            start = place + 1
    return [*branches, pattern[start:]]
