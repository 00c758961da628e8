"""Hold XML forms against their XSD: the verdict is libxml2's, the findings are ours."""

import io
import threading
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from lxml import etree

from bridge.core.errors import ConfigurationError, Fault, Finding
from bridge.forms.explain import explain
from bridge.forms.model import SchemaModel
from bridge.forms.reading import Limits, Unreadable, parse, to_utf8
from bridge.forms.schema_files import SchemaFiles, read_schema_files

# A form with more markup is first judged while it is read: libxml2 looks up the place of every error of a whole tree
# by walking its siblings, which with 100,000 faults takes minutes.
_WHOLE_TREE_MARKUP = 10_000
_MOST_STEPS = 10_000_000


class SchemaRegistry:
    """
    The schemas of one folder, read and compiled once at start.

    A compiled schema serves one thread, since its error log is not safe to share (facts/libraries.md 2); other threads
    compile their own from the same text when they first need it.
    """

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder, self.limits = folder, limits or Limits()
        self._schemas: dict[str, _Schema] = {}

    def load(self, names: Iterable[str]) -> None:
        """
        Compile the schemas *names* (paths inside the folder) that are not compiled yet.

        Raises:
            ConfigurationError: Schemas that cannot be used; every fault at once.
        """
        faults = [fault for name in dict.fromkeys(names) for fault in self.faults(name)]
        if faults:
            raise ConfigurationError(faults)

    def faults(self, name: str) -> tuple[Fault, ...]:
        """Compile the schema *name*, and say what is wrong with it."""
        if name not in self._schemas:
            try:
                schema = _Schema(read_schema_files(self.folder, name), self.folder)
            except ConfigurationError as error:
                return error.faults
            self._schemas[name] = schema
        return ()

    def notes(self, name: str) -> tuple[str, ...]:
        """Say what was loosened in the loaded schema *name*."""
        return self._schemas[name].files.notes

    def check(self, name: str, xml: bytes | str) -> tuple[Finding, ...]:
        """Hold *xml* against the loaded schema *name*; nothing found means valid."""
        try:
            return self._schemas[name].check(to_utf8(xml, self.limits), self.limits)
        except Unreadable as unreadable:
            return (unreadable.finding,)


class _Schema:
    """One schema with a compiled copy for each thread."""

    def __init__(self, files: SchemaFiles, folder: Path) -> None:
        self.files, self._folder = files, folder
        self._local = threading.local()
        self._model_lock = threading.Lock()
        self._local.compiled = files.compile()

    @cached_property
    def _model(self) -> SchemaModel:
        return SchemaModel(self._folder / self.files.name)

    def _compiled(self) -> etree.XMLSchema:
        compiled: etree.XMLSchema | None = getattr(self._local, "compiled", None)
        if compiled is None:
            compiled = self._local.compiled = self.files.compile()
        return compiled

    def check(self, data: bytes, limits: Limits) -> tuple[Finding, ...]:
        schema = self._compiled()
        markup = data.count(b"<")
        if markup > _WHOLE_TREE_MARKUP:
            faults = _count_faults(schema, data)
            if faults == 0:
                return ()
            if faults * markup > _MOST_STEPS:
                parse(data)  # Broken XML is told as that.
                return (Finding(path="/", rule="too_many_findings", facts={"count": str(faults)}),)
        root = parse(data)
        try:
            if schema.validate(root):
                return ()
            with self._model_lock:
                model = self._model
            return explain(schema, root, model, limits)
        except etree.XMLSchemaValidateError:
            # libxml2 gives up on some patterns that loop; what it cannot judge is not let through.
            return (Finding(path="/", rule="not_checkable"),)


def _count_faults(schema: etree.XMLSchema, data: bytes) -> int:
    """
    Count the faults without keeping the tree; a form that is not well-formed has at least one.

    Entities are left to their default here: with ``resolve_entities=False`` beside a schema, lxml 6.1 takes a document
    that ends too early for whole. There are none without the DOCTYPE that was refused before.
    """
    events = etree.iterparse(
        io.BytesIO(data),
        schema=schema,
        encoding="utf-8",
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
    )
    try:
        for _, element in events:
            element.clear()
    except etree.XMLSyntaxError:
        return max(1, len(events.error_log))
    return 0
