"""Hold forms against their schema: for XML the verdict is libxml2's, the findings are ours."""

import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import structlog
from lxml import etree

from bridge.core.errors import ConfigurationError, Fault, Finding, errors_of, place_of
from bridge.core.mapping import FormRule, FormSpec, NamespaceReading, ServiceMapping, is_json_schema
from bridge.forms.conversion.converter import Converter
from bridge.forms.json.registry import JsonSchemaRegistry
from bridge.forms.mapping_faults import PlacedFault, mapping_faults
from bridge.forms.rules import broken_rules
from bridge.forms.xml.error_log import entries
from bridge.forms.xml.input import (
    Effort,
    Limits,
    ParsedXml,
    Unreadable,
    parse,
    parsed,
    refuse_more_than_allowed,
    to_utf8,
)
from bridge.forms.xml.large import count_faults, is_large, parse_if_valid
from bridge.forms.xml.lenient import put_into_namespace
from bridge.forms.xml.lexical import badly_written, lax_types, may_be_lax
from bridge.forms.xml.libxml2_findings import explain, refused_values
from bridge.forms.xml.mending import MOST_STEPS
from bridge.forms.xml.namespaces import in_plain_namespaces, real_names
from bridge.forms.xml.positions import with_places
from bridge.forms.xml.receiver import ReceiverCheck, Watch, encoding_finding, not_looked_at
from bridge.forms.xml.roots import other_root
from bridge.forms.xml.schema_facts import SchemaModel
from bridge.forms.xml.schema_files import Engine, SchemaFiles, roots_in
from bridge.forms.xml.schema_tree import SchemaTree
from bridge.forms.xml.schemas import read_schema_files
from bridge.forms.xml.spelling import accepts_as_meant, collapse_blanks, may_be_padded
from bridge.forms.xml.streaming import check_stream
from bridge.forms.xml.xmlschema_engine import build_xmlschema
from bridge.forms.xml.xmlschema_findings import explain_by_xmlschema

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.forms")

SLOW_ENGINE_BYTES = 1_000_000
"""The largest form that xmlschema judges; it takes a second for it."""
SECOND_OPINION_BYTES = 256_000
"""The largest refused form that xmlschema is asked about as well."""
SECOND_OPINION_FAULTS = 50
"""With more faults the form is wrong: where libxml2 itself errs about a schema, it finds few."""


class SchemaRegistry:
    """
    The schemas of one folder, read and compiled once at start.

    A compiled schema serves one thread, since its error log is not safe to share (facts/libraries.md 2); other threads
    compile their own from the same text when they first need it. JSON Schemas, whose names end with ``.json`` before
    any ``#``, are kept by ``json``.
    """

    def __init__(self, folder: Path, limits: Limits | None = None, *, both_engines: bool = False) -> None:
        """
        Take *folder* and *limits*.

        *both_engines* asks xmlschema about forms that libxml2 accepts as well, which is some 30 times slower.
        """
        self.folder, self.limits = folder, limits or Limits()
        self._both_engines = both_engines
        self._schemas: dict[str, _Schema] = {}
        self._converters: dict[tuple[str, str | None], Converter] = {}
        self._shapes_lock = threading.Lock()
        self.json = JsonSchemaRegistry(folder, self.limits)

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
        if is_json_schema(name):
            return self.json.faults(name)
        if name not in self._schemas:
            try:
                self._schemas[name] = _Schema(read_schema_files(self.folder, name), both_engines=self._both_engines)
            except ConfigurationError as error:
                return error.faults
        return ()

    def prepare(self) -> None:
        """Build, in the background, what explanations need, so that the first who is refused does not wait for it."""
        schemas = list(self._schemas.values())

        def build() -> None:
            for schema in schemas:
                schema.model  # noqa: B018 - kept once asked for

        threading.Thread(target=build, name="form-models", daemon=True).start()

    def mapping_faults(self, mapping: ServiceMapping) -> tuple[PlacedFault, ...]:
        """Where *mapping* and its loaded schemas cannot both be right."""
        return tuple(mapping_faults(mapping, self._tree))

    def _tree(self, name: str, root: str | None) -> SchemaTree | None:
        schema = self._schemas.get(name)
        return None if schema is None else schema.tree(root)

    def notes(self, name: str) -> tuple[str, ...]:
        """What was loosened in the loaded schema *name*."""
        return self.json.notes(name) if is_json_schema(name) else self._schemas[name].files.notes

    def digest(self, name: str) -> str | None:
        """The digest of the schema *name*, or None where it is not loaded."""
        if is_json_schema(name):
            return self.json.digest(name)
        return self._schemas[name].files.sha256 if name in self._schemas else None

    def engine(self, name: str) -> Engine:
        """Which engine judges the forms of the loaded schema *name*."""
        return Engine.JSON_SCHEMA if is_json_schema(name) else self._schemas[name].files.engine

    def roots(self, name: str) -> tuple[str, ...]:
        """Name the elements, as ``{namespace}local``, that forms of the loaded schema *name* may begin with."""
        return self._schemas[name].roots

    def root_fault(self, name: str, root: str | None) -> str | None:
        """Why forms of the loaded schema *name* cannot begin with *root*; None is the only root that there is."""
        schema = self._schemas.get(name)
        if schema is None:
            return None
        fault = schema.model.root_fault(root)
        return None if fault is None else real_names(fault)

    def begins_otherwise(self, name: str, theirs: bytes) -> str | None:
        """What is wrong with *theirs*, Altinn 2's schema: it is none, or forms begin otherwise by our *name*."""
        try:
            others = roots_in(theirs)
        except (etree.XMLSyntaxError, ValueError) as error:
            return f"has no XML Schema in Altinn 2 that {name} could be compared with: {error}"
        ours = set() if self.faults(name) else set(self.roots(name))
        if not ours or not others or ours & others:
            return None
        named = [" or ".join(sorted(each)) for each in (others, ours)]
        begins = f"begins with {named[0]} in Altinn 2, and with {named[1]} by {name}"
        return f"{begins}: is that the schema of another form?"

    def converter(self, name: str, root: str | None) -> Converter:
        """
        The converter of the schema *name* for forms that begin with *root*, as its file was when it was loaded.

        Raises:
            ConfigurationError: It cannot be used, or makes no converter.
        """
        with self._shapes_lock:
            if (name, root) not in self._converters:
                self.load([name])
                made = Converter(self._schemas[name].files, self.folder / name, root=root, limits=self.limits)
                self._converters[name, root] = made
            return self._converters[name, root]

    def compiled(self, name: str) -> etree.XMLSchema:
        """This thread's compiled copy of the loaded schema *name*, for libxml2."""
        return self._schemas[name].compiled()

    def check(self, name: str, xml: bytes | str) -> tuple[Finding, ...]:
        """Hold *xml* against the loaded schema *name*; nothing found means valid."""
        return self._check(xml, self._schemas[name], None, values=False)

    def check_form(self, spec: FormSpec, xml: bytes | str, *, values: bool = False) -> tuple[Finding, ...]:
        """
        Hold *xml* against the schema of *spec*, if it has one, and its rules; no error among what is found means valid.

        *values* puts what stands in the form into the findings: only for an operator who asked for it.
        """
        schema = None if spec.schema is None else self._schemas[spec.schema]
        return self._check(xml, schema, spec, values=values)

    def check_file(self, spec: FormSpec, path: Path, *, values: bool = False) -> tuple[Finding, ...]:
        """
        Do the same for a file; one beyond ``limits.max_bytes`` streams, and is held to its schema only.

        Raises:
            OSError: The file cannot be read.
        """
        if path.stat().st_size <= self.limits.max_bytes:
            return self.check_form(spec, path.read_bytes(), values=values)
        schema = None if spec.schema is None else self._schemas[spec.schema]
        lenient = spec.namespace is NamespaceReading.LENIENT
        if schema is None or schema.files.engine is not Engine.LIBXML2 or lenient or spec.rules:
            return (Finding(path="/", rule="too_large", facts={"max_bytes": str(self.limits.max_bytes)}),)
        with path.open("rb") as file:
            encoding = encoding_finding(file.read(200), spec.receiver)
        return encoding + check_stream(
            schema.compiled(),
            schema.model,
            path,
            limits=self.limits,
            watch=schema.watch(),
            receiver=spec.receiver,
            root=spec.root,
        )

    def in_namespace(self, spec: FormSpec, xml: bytes | str) -> ParsedXml:
        """
        *xml* as UTF-8, and where *spec* is lenient, in its schema's namespace.

        Raises:
            Unreadable: It is no XML that we take.
        """
        form = parsed(xml, self.limits)
        if spec.schema is None or spec.namespace is not NamespaceReading.LENIENT:
            return form
        root = put_into_namespace(form.root, self._schemas[spec.schema].files, written=True)
        return ParsedXml(etree.tostring(root, encoding="utf-8"), root)

    def _check(
        self, xml: bytes | str, schema: "_Schema | None", spec: FormSpec | None, *, values: bool
    ) -> tuple[Finding, ...]:
        rules = () if spec is None else spec.rules
        try:
            data = to_utf8(xml, self.limits)
            found = () if schema is None else schema.check(data, self.limits, spec)
            if schema is None and rules:
                found = broken_rules(rules, parse(data, max_depth=self.limits.max_depth))
        except Unreadable as unreadable:
            return (unreadable.finding,)
        if spec is not None and schema is not None:
            found += encoding_finding(xml, spec.receiver)
        return with_places(found, data, values=values) if found else ()


class _Schema:
    """One schema with a compiled copy for each thread."""

    def __init__(self, files: SchemaFiles, *, both_engines: bool = False) -> None:
        self.files, self._both_engines = files, both_engines
        self.judged = files.in_plain_namespaces() if files.engine is Engine.LIBXML2 else files
        self._lax_types, self._receiver = lax_types(files), ReceiverCheck(files)
        self._local = threading.local()
        self._model_lock = threading.Lock()
        self._model: SchemaModel | None = None
        self._judging = threading.Lock()
        if files.engine is Engine.LIBXML2:
            self._local.compiled = self.judged.compile()

    @property
    def model(self) -> SchemaModel:
        """xmlschema's reading of it, made once: what keeps threads from decoding at the same time is its own."""
        with self._model_lock:
            if self._model is None:
                self._model = SchemaModel(self.judged)
            return self._model

    def tree(self, root: str | None) -> SchemaTree | None:
        """What stands in what, where xmlschema can read it; not kept, since it is large and looked at once."""
        schema = build_xmlschema(self.files).schema
        try:
            return None if schema is None else SchemaTree(schema, root)
        except Exception as error:  # noqa: BLE001 - what xmlschema stumbles over must not keep a service from starting
            log.warning("mappings are not held against a schema", schema=self.files.name, at=place_of(error))
            return None

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The elements that a form may begin with; those of the files that are included as well."""
        return tuple(map(real_names, self.model.root_names() or self.judged.elements()))

    def compiled(self) -> etree.XMLSchema:
        """This thread's copy."""
        compiled: etree.XMLSchema | None = getattr(self._local, "compiled", None)
        if compiled is None:
            compiled = self._local.compiled = self.judged.compile()
        return compiled

    def watch(self) -> Watch:
        """Make the watch over a form that streams."""
        return Watch(self._receiver, self._lax_types)

    def check(self, data: bytes, limits: Limits, spec: FormSpec | None = None) -> tuple[Finding, ...]:
        if self.files.engine is not Engine.LIBXML2:
            return self._check_slowly(data, limits, spec)
        plain = in_plain_namespaces(data)
        try:
            return self._check_fast(data, plain, limits, spec=spec)
        except Unreadable:
            if plain is not data:
                parse(data, max_depth=limits.max_depth)  # It stops at a place of what came.
            raise

    def _check_fast(self, came: bytes, data: bytes, limits: Limits, *, spec: FormSpec | None) -> tuple[Finding, ...]:
        lenient = spec is not None and spec.namespace is NamespaceReading.LENIENT
        rules, wanted = ((), None) if spec is None else (spec.rules, spec.root)
        schema, judged, stripped = self.compiled(), data, None
        if is_large(data) and not lenient:
            accepted = parse_if_valid(schema, data)
            if accepted is None and (stripped := self._without_blanks(data, limits)) is not None:
                # Its lines are others; the tree has those of the form that came.
                judged = etree.tostring(stripped, encoding="utf-8")
                accepted = None if parse_if_valid(schema, judged) is None else stripped
            if accepted is not None and not self._asks_again(data):
                refuse_more_than_allowed(accepted, limits.max_depth)
                beside = self._beside(accepted, data, spec, limits=limits)
                return other_root(accepted, wanted) or beside + self._broken(rules, accepted, came, judged=judged)
            markup = data.count(b"<") + data.count(b"=")
            faults = 0 if accepted is not None else count_faults(schema, judged, MOST_STEPS // markup)
            if faults * markup > MOST_STEPS:
                parse(data, max_depth=limits.max_depth)  # Broken XML is told as that.
                return (Finding(path="/", rule="too_many_findings", facts={"count": str(faults)}),)
        effort = Effort(limits.max_seconds)
        root = parse(data, max_depth=limits.max_depth) if stripped is None else stripped
        if lenient:
            root = put_into_namespace(root, self.judged)
        if other := other_root(root, wanted):
            return other
        try:
            accepts = schema.validate(root)
            broken = self._broken(rules, root, came, judged=judged, lenient=lenient)
            if accepts and not self._asks_again(data):
                return self._beside(root, data, spec, limits=limits) + broken
            model = self.model
            accepts = accepts or accepts_as_meant(schema, root, data, model=model, effort=effort)
            # Before the explanation, which changes the tree.
            beside = self._beside(root, data, spec, limits=limits)
            if accepts and not errors_of(beside) and self._asks_again(data):
                beside = self._refused_by_xmlschema(root, limits, effort) + beside
            if accepts:
                return beside + broken
            taken = len(data) <= SECOND_OPINION_BYTES and self._xmlschema_accepts(schema, root, effort)
            found = explain(schema, root, model, limits=limits, effort=effort)
            disagreement = self._disagreement(found, refuses="libxml2") if taken else ()
            return disagreement + found + _elsewhere(beside, found) + broken
        except etree.XMLSchemaValidateError:
            # libxml2 gives up on some patterns that loop; what it cannot judge is not let through.
            return (Finding(path="/", rule="not_checkable"),)

    def _check_slowly(self, data: bytes, limits: Limits, spec: FormSpec | None) -> tuple[Finding, ...]:
        if len(data) > SLOW_ENGINE_BYTES:
            raise Unreadable("too_large", max_bytes=str(SLOW_ENGINE_BYTES))
        root = parse(data, max_depth=limits.max_depth)
        if spec is not None and spec.namespace is NamespaceReading.LENIENT:
            root = put_into_namespace(root, self.files)
        if other := other_root(root, None if spec is None else spec.root):
            return other
        with self._alone():
            found = explain_by_xmlschema(root, self.model, limits, effort=Effort(limits.max_seconds))
        broken = broken_rules(() if spec is None else spec.rules, root)
        whole = not found or found[-1].rule not in {"more_findings", "not_checkable"}
        beside = self._beside(root, data, spec, limits=limits) if whole else ()
        return found + _elsewhere(beside, found) + broken

    def _without_blanks(self, data: bytes, limits: Limits) -> etree._Element | None:
        """The form *data* without the blanks that libxml2 stumbles over; None where there are none."""
        if not may_be_padded(data):
            return None
        try:
            root = parse(data, max_depth=limits.max_depth)
        except Unreadable:
            return None
        return root if collapse_blanks(root, data, self.model) else None

    def _beside(
        self, root: etree._Element, data: bytes, spec: FormSpec | None, *, limits: Limits
    ) -> tuple[Finding, ...]:
        """The values that the engine takes: those that their types do not, and those that the receiver may not."""
        engine = self.files.engine
        looks = engine is not Engine.LIBXML2 or may_be_lax(self._lax_types, data)
        asks = spec is not None and self._receiver.may_find(data)
        if not looks and not asks:
            return ()
        model = self.model
        if not model.knows_types:
            return (not_looked_at(),) if asks else ()
        badly = tuple(itertools.islice(badly_written(root, model, engine), limits.max_findings)) if looks else ()
        if spec is None or not asks:
            return badly
        doubtful = itertools.islice(self._receiver.findings(root, model, spec.receiver), limits.max_findings)
        return badly + _elsewhere(doubtful, badly)

    def _broken(
        self, rules: tuple[FormRule, ...], root: etree._Element, came: bytes, *, judged: bytes, lenient: bool = False
    ) -> tuple[Finding, ...]:
        """Try *rules* on *root*, or on the form as it came where it was *judged* in other namespaces."""
        if rules and judged is not came:
            root = parse(came)
            if lenient:
                root = put_into_namespace(root, self.files)
        return broken_rules(rules, root) if rules else ()

    def _asks_again(self, data: bytes) -> bool:
        return self._both_engines and len(data) <= SLOW_ENGINE_BYTES

    def _xmlschema_accepts(self, schema: etree.XMLSchema, root: etree._Element, effort: Effort) -> bool:
        """
        Whether xmlschema accepts what *schema* refuses; one value that both refuse saves the whole pass.

        Not asked where the faults are many, nor where others would have to wait for it: the refusal stands anyway.
        """
        if len(entries(schema.error_log)) > SECOND_OPINION_FAULTS:
            return False
        if any(map(self.model.refuses_text, refused_values(schema, root))):
            return False
        if next(badly_written(root, self.model, Engine.XMLSCHEMA), None) is not None:
            return False
        with self._alone(waits=False) as free:
            return free and self.model.accepts(root, effort) is True

    @contextmanager
    def _alone(self, *, waits: bool = True) -> Iterator[bool]:
        """Keep others from xmlschema where it cannot judge by this schema in two threads; False if it is not free."""
        if not self.model.judges_one_at_a_time:
            yield True
            return
        free = self._judging.acquire(blocking=waits)
        try:
            yield free
        finally:
            if free:
                self._judging.release()

    def _refused_by_xmlschema(self, root: etree._Element, limits: Limits, effort: Effort) -> tuple[Finding, ...]:
        """What xmlschema has against a form that libxml2 accepts, after the disagreement itself."""
        with self._alone():
            found = explain_by_xmlschema(root, self.model, limits, effort=effort)
        if not found or found[0].rule == "not_checkable":  # Where it gives up, it has no verdict to differ by.
            return ()
        return self._disagreement(found, refuses="xmlschema") + found

    def _disagreement(self, found: tuple[Finding, ...], *, refuses: str) -> tuple[Finding, ...]:
        """Log that the engines differ, and tell it at the first place that *refuses* refuses."""
        rules = sorted({finding.rule for finding in found})
        log.warning(
            "the two engines disagree about a form",
            code="engines_disagree",
            schema=self.files.name,
            refuses=refuses,
            refused_by=rules,
        )
        accepts = "xmlschema" if refuses == "libxml2" else "libxml2"
        facts = {"refuses": refuses, "accepts": accepts, "rules": ", ".join(rules)}
        return (replace(found[0], rule="engines_disagree", facts=facts),)


def _elsewhere(findings: Iterable[Finding], known: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those of *findings* that are about other places than the *known* ones."""
    places = {finding.path for finding in known}
    return tuple(finding for finding in findings if finding.path not in places)
