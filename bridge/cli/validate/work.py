"""What ``altinn-bridge validate`` does with each file, in as many processes as wished."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import Path

from lxml import etree

from bridge.cli.quiet import quiet
from bridge.cli.validate.words import Reason
from bridge.core.errors import BridgeError, ConfigurationError, Finding, Severity
from bridge.core.mapping import FORMAT_ATTRIBUTES, FormKind, FormSpec, is_json_schema
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits, Unreadable

BATCH = 16
"""Files that a process is given at once."""
_AHEAD = 4
_WORTH_A_PROCESS = 32


class Verdict(Enum):
    """What came of a file."""

    VALID = "valid"
    FINDINGS = "findings"
    UNUSABLE = "unusable"
    """It could not be judged; the reason says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One file and what was found in it; warnings alone leave it valid."""

    path: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    reason: Reason | None = None
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How the files are judged, as every process needs to know it."""

    folder: Path
    forms: tuple[FormSpec, ...]
    limits: Limits
    values: bool
    both_engines: bool = False


class _NotForIt(BridgeError):
    """A file that no schema here is for."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


class Checker:
    """
    Judges files, one after the other.

    Raises:
        ConfigurationError: A schema cannot be used.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._registry = SchemaRegistry(job.folder, job.limits, both_engines=job.both_engines)
        names = list(dict.fromkeys(name for spec in job.forms for name, _ in spec.pins))
        # Given by --schema; a mapping's JSON Schemas stand beside its XSDs.
        self._json = next((spec.schema for spec in job.forms if spec.schema and is_json_schema(spec.schema)), None)
        self._registry.load(names)
        self.notes = [note for name in names for note in self._registry.notes(name)]
        """What was loosened in the schemas."""

    def check(self, path: Path) -> Checked:
        """Judge one file; whatever goes wrong with it is in the result."""
        try:
            size = path.stat().st_size
            if self._json is not None or path.suffix.lower() == ".json":
                findings = self._check_json(path)
            else:
                findings = self._check_xml(path)
        except _NotForIt as error:
            return Checked(path=str(path), verdict=Verdict.UNUSABLE, reason=error.reason)
        except OSError as error:
            return Checked(path=str(path), verdict=Verdict.UNUSABLE, reason=Reason.of_system(error))
        except (BridgeError, etree.LxmlError, RecursionError, MemoryError) as error:
            ended = Reason(code="ended", facts={"error": type(error).__name__})
            return Checked(path=str(path), verdict=Verdict.UNUSABLE, reason=ended)
        errors = any(finding.severity is Severity.ERROR for finding in findings)
        verdict = Verdict.FINDINGS if errors else Verdict.VALID
        return Checked(path=str(path), verdict=verdict, findings=findings, size=size)

    def _check_json(self, path: Path) -> tuple[Finding, ...]:
        if path.suffix.lower() != ".json":
            raise _NotForIt(Reason(code="only_json"))
        if path.stat().st_size > self._job.limits.max_bytes:
            return (Finding(path="/", rule="too_large", facts={"max_bytes": str(self._job.limits.max_bytes)}),)
        if self._json is not None:
            return self._registry.json.check(self._json, path.read_bytes())
        return self._check_by_mapping(path.read_bytes())

    def _check_by_mapping(self, data: bytes) -> tuple[Finding, ...]:
        """
        Judge a JSON form as the service does: by its JSON Schema, if it has one, and as XML by its XSD.

        What its JSON Schema refused is not told again in the words of the XSD.
        """
        from bridge.forms.conversion.converter import Unconvertible
        from bridge.forms.conversion.json_positions import all_of_json, said_of_json
        from bridge.forms.json.input import read_values

        try:
            spec = self._choose_json(read_values(data, self._job.limits))
            if spec is None or spec.schema is None:
                raise _NotForIt(self._no_form())
            check = partial(self._registry.check_form, spec, values=self._job.values)
            by_json = () if spec.json_schema is None else self._registry.json.check(spec.json_schema, data)
            converter = self._registry.converter(spec.schema, spec.root)
            xml = converter.to_xml(data)
        except Unreadable as error:
            return (error.finding,)
        except Unconvertible as error:
            return by_json or all_of_json(error, converter, data, check=check)
        except ConfigurationError as error:
            told_of_schema = "; ".join(fault.message for fault in error.faults)
            raise _NotForIt(Reason(code="schema", facts={"error": told_of_schema})) from error
        findings = check(xml)
        rest = [finding for finding in findings if not by_json or finding.rule == "business_rule"]
        return (*by_json, *said_of_json(rest, converter, data, limits=self._job.limits))

    def _choose_json(self, form: object) -> FormSpec | None:
        forms = self._job.forms
        if len(forms) == 1 or not isinstance(form, Mapping):
            return next((spec for spec in forms if spec.kind is FormKind.MAIN), forms[0])
        for id_name, version_name in FORMAT_ATTRIBUTES:
            key = (str(form.get(id_name)), str(form.get(version_name)))
            of_key = [spec for spec in forms if (spec.data_format_id, spec.data_format_version) == key]
            if of_key:
                return of_key[0]
        return None

    def _check_xml(self, path: Path) -> tuple[Finding, ...]:
        spec = self._choose(path)
        if spec is None:
            raise _NotForIt(self._no_form())
        return self._registry.check_file(spec, path, values=self._job.values)

    def _no_form(self) -> Reason:
        keys = ", ".join(f"{spec.data_format_id}/{spec.data_format_version}" for spec in self._job.forms)
        return Reason(code="no_form", facts={"keys": keys})

    def _choose(self, path: Path) -> FormSpec | None:
        """Choose by data format, else by root element; what names neither is held to the only form there is."""
        forms = self._job.forms
        if len(forms) == 1:
            return forms[0]
        root = _root(path)
        if root is None:
            return next(spec for spec in forms if spec.kind is FormKind.MAIN)
        for id_name, version_name in FORMAT_ATTRIBUTES:
            key = (root.get(id_name), root.get(version_name))
            of_key = [spec for spec in forms if (spec.data_format_id, spec.data_format_version) == key]
            if of_key:
                return of_key[0]
        tag = str(root.tag)
        of_root = [spec for spec in forms if spec.schema is not None and tag in self._registry.roots(spec.schema)]
        return of_root[0] if len(of_root) == 1 else None


def _root(path: Path) -> etree._Element | None:
    """The form's root as its first tag tells it, read no further; None where there is none."""
    with path.open("rb") as file:
        try:
            # Whatever is wrong further on, the check tells; a namespace with an å is not even wrong.
            events = etree.iterparse(
                file, events=("start",), resolve_entities=False, no_network=True, load_dtd=False, recover=True
            )
            return next((element for _, element in events), None)
        except etree.XMLSyntaxError:
            return None


_checker: Checker | None = None


def _begin(job: Job) -> None:
    global _checker  # noqa: PLW0603 - a pool hands its processes nothing else that lasts
    _checker = Checker(job)


def _check_batch(paths: Sequence[Path]) -> list[Checked]:
    if _checker is None:
        raise RuntimeError("the process was not set up")
    with quiet():  # A process that was not forked has its own log.
        return [_checker.check(path) for path in paths]


def check_all(job: Job, paths: Iterable[Path], *, processes: int, count: int) -> Iterator[Checked]:
    """
    Judge *count* files in their order, in so many *processes*; few are judged here.

    No more than a few batches are under way at once, so that memory does not grow with the number of files.

    Raises:
        ConfigurationError: A schema cannot be used.
        BrokenProcessPool: A process was killed, such as for want of memory.
    """
    if processes == 1 or count < _WORTH_A_PROCESS:
        checker = Checker(job)
        yield from map(checker.check, paths)
        return
    waiting: deque[Future[list[Checked]]] = deque()
    left = iter(paths)
    with ProcessPoolExecutor(processes, _context(), initializer=_begin, initargs=(job,)) as pool:
        while batch := list(islice(left, BATCH)):
            waiting.append(pool.submit(_check_batch, batch))
            if len(waiting) >= _AHEAD * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _context() -> multiprocessing.context.BaseContext:
    """Fork where that is safe, since it starts at once."""
    alone = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if alone else "spawn")


def cores() -> int:
    """How many processes may run at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
