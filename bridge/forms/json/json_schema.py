"""Hold JSON forms against their JSON Schema, at the place in it where the app frontend begins."""

import hashlib
import json
import re
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import jsonschema_rs
from jsonschema_rs import ValidationError, ValidationErrorKind

from bridge.core.errors import ConfigurationError, Fault, Finding
from bridge.core.ids import pointer
from bridge.core.mapping import schema_file
from bridge.core.texts.findings import sentence
from bridge.forms.json.input import Json, placed, read_quickly, read_values, text_of
from bridge.forms.xml.input import Limits, Unreadable
from bridge.forms.xml.patterns import without_anchors
from bridge.forms.xml.schema_files import read_schema_file

_BASE = "bridge:///"
_SCHEMA_LIMITS = Limits(max_bytes=20_000_000)
_MOST_VALUES = 12
EXPLAINED = 10_000
"""So many values of a form are looked through for all that is wrong; of what comes after them, the first fault is."""
_DRAFT_7 = "http://json-schema.org/draft-07/schema#"
_DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
_NEWEST = "http://json-schema.org/schema"
_VALIDATORS = {_DRAFT_7: jsonschema_rs.Draft7Validator, _DRAFT_2020: jsonschema_rs.Draft202012Validator}

_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_ONES = (
    *("items", "additionalItems", "additionalProperties", "not", "if", "then", "else", "contains"),
    *("propertyNames", "unevaluatedItems", "unevaluatedProperties"),
)
_CONSTRAIN = (
    *("properties", "patternProperties", "required", "allOf", "anyOf", "oneOf", "$ref", "$dynamicRef", "enum"),
    *("const", "not", "if", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "dependencies"),
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DIGITS = re.compile(r"(?:\[0-9\]|\\d)\{(\d+)\}")

# XSD dates may carry an offset and XSD times need none (facts/altinn3-and-tokens.md 1.5: as the app produced them);
# RFC 3339, which JSON Schema asks for, wants it the other way round. Either spelling is taken. RFC 3339 has offsets of
# up to 23:59; a date has none there, so that its offset is one of XSD's, which end at 14:00.
_OFFSET = r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
_XSD_OFFSET = r"(?:[Zz]|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_DATE = r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_FORMATS: Mapping[str, re.Pattern[str]] = {
    "date": re.compile(_DATE + _XSD_OFFSET),
    "time": re.compile(_TIME + _OFFSET),
    "date-time": re.compile(_DATE + "[Tt]" + _TIME + _OFFSET),
    # The app frontend knows these two beside the usual ones.
    "year": re.compile(r"[0-9]{4}"),
    "year-month": re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])"),
}
_TYPE_OF_FORMAT = {"date": "date", "date-time": "dateTime", "time": "time", "year": "gYear", "uri": "anyURI"}
Steps = tuple[str | int, ...]


class JsonSchemaRegistry:
    """
    The JSON Schemas of one folder, read and compiled once at start; compiled schemas are shared by all threads.

    A name is a path inside the folder. After ``#`` it may say where forms begin: a class name (``skjema.json#Skjema``,
    looked for in ``$defs`` and ``definitions`` where the schema itself names no root), a JSON pointer
    (``skjema.json#/$defs/Skjema``) or nothing (``skjema.json#``: the whole document).
    """

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder, self.limits = folder, limits or Limits()
        self._schemas: dict[str, _Compiled] = {}

    def load(self, names: Iterable[str]) -> None:
        """
        Compile the schemas *names* that are not compiled yet.

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
                self._schemas[name] = _compile(self.folder, name)
            except ConfigurationError as error:
                return error.faults
        return ()

    def notes(self, name: str) -> tuple[str, ...]:
        """Say where the loaded schema *name* begins, and what was repaired or loosened in it."""
        return self._schemas[name].notes

    def digest(self, name: str) -> str | None:
        """Give the SHA-256 of the loaded schema's files, as ``SchemaRegistry.digest`` does; None if not loaded."""
        return self._schemas[name].sha256 if name in self._schemas else None

    def check(self, name: str, form: bytes | str) -> tuple[Finding, ...]:
        """
        Hold *form* against the loaded schema *name*; nothing found means valid.

        Members that are null or an empty string count as missing, as in the app frontend.
        """
        schema = self._schemas[name]
        value = read_quickly(form, self.limits)
        if type(value) is dict:
            if _has_blanks(form):
                value = _stripped(value)
            if schema.fast.is_valid(value):
                return ()
        return self._explain(schema, form)

    def _explain(self, schema: "_Compiled", form: bytes | str) -> tuple[Finding, ...]:
        try:
            text = text_of(form, self.limits)
            value = read_values(text, self.limits)
        except Unreadable as unreadable:
            return (unreadable.finding,)
        if type(value) is not dict:
            return (Finding(path="/", rule="type", facts={"type": "object"}, line=1, column=1),)
        value = _stripped(value)
        if schema.fast.is_valid(value):
            return ()  # The quick reading was not sure.
        cut = _Cut(EXPLAINED)
        part = cut.beginning_of(value, ())
        found: Iterator[tuple[Steps, Finding]] = iter(())
        if not cut.hopeless:
            errors = schema.full.iter_errors(part)
            # That a list has fewer items than it came with is our doing.
            found = (each for error in errors for each in _findings(error) if each[0] not in cut.shortened)
        told = _told(found, text, self.limits.max_findings, whole=cut.whole)
        if cut.whole or (told and told[0].rule != "more_findings"):
            return told
        try:
            schema.full.validate(value)
        except ValidationError as error:
            return _told(_findings(error), text, self.limits.max_findings, whole=False)
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    """The quick verdict with the library's own formats, and the full story with ours, which cost a call for each."""

    fast: jsonschema_rs.Validator
    full: jsonschema_rs.Validator
    notes: tuple[str, ...]
    sha256: str


class _Cut:
    """
    The beginning of a form: so many values, and no more items of its lists.

    The library finds all faults before it gives the first, and keeps two kilobytes for each.
    """

    def __init__(self, most: int) -> None:
        self._left, self._most = most, most
        self.shortened: set[Steps] = set()

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return not self.shortened and not self.hopeless

    @property
    def hopeless(self) -> bool:
        """Whether there is too much of it without its lists, too."""
        return self._left < -self._most

    def beginning_of(self, value: Json, steps: Steps) -> Json:
        if type(value) is dict:
            self._left -= len(value)
            return {
                name: self.beginning_of(child, (*steps, name)) if type(child) in (dict, list) else child
                for name, child in value.items()
            }
        if type(value) is not list:
            return value
        items = []
        for number, item in enumerate(value):
            if self._left <= 0:
                self.shortened.add(steps)
                break
            self._left -= 1
            items.append(self.beginning_of(item, (*steps, number)))
        return items


def _told(found: Iterator[tuple[Steps, Finding]], text: str, most: int, *, whole: bool) -> tuple[Finding, ...]:
    """Drop what is told twice, and put the rest into the form's order; not *whole*, the last says that more may be."""
    once: dict[tuple[Any, ...], tuple[Steps, Finding]] = {}
    for steps, finding in found:
        once.setdefault((finding.path, finding.rule, *sorted(finding.facts.items())), (steps, finding))
        if len(once) > most:
            whole = False
            break
    kept = list(once.values())[:most]
    findings = sorted(placed(kept, text), key=lambda finding: (finding.line, finding.column))
    return (*findings, *([] if whole else [Finding(path="/", rule="more_findings")]))


def _has_blanks(form: bytes | str) -> bool:
    return ("null" in form or '""' in form) if isinstance(form, str) else (b"null" in form or b'""' in form)


def _stripped(value: Json) -> Json:
    if type(value) is dict:
        return {
            name: _stripped(child) if type(child) is dict or type(child) is list else child
            for name, child in value.items()
            if child is not None and child != ""
        }
    return [_stripped(child) for child in value] if type(value) is list else value


# What the library found -> our rules. Facts come from the schema alone.


def _findings(error: ValidationError) -> Iterator[tuple[Steps, Finding]]:
    steps = tuple(error.instance_path)
    kinds = ValidationErrorKind
    match error.kind:
        case kinds.Required(property=name):
            yield _finding((*steps, name), "missing_element")
        case kinds.AdditionalProperties(unexpected=names) | kinds.UnevaluatedProperties(unexpected=names):
            for name in names:
                yield _finding((*steps, name), "unexpected_element")
        case kinds.AnyOf(context=context) | kinds.OneOfNotValid(context=context):
            # A nullable or typed choice: the one branch that speaks of this kind of value tells what is wrong.
            fitting = [branch for branch in context if not any(_is_of_other_type(inner, steps) for inner in branch)]
            if len(fitting) == 1:
                for inner in fitting[0]:
                    yield from _findings(inner)
            elif lacking := _lacking(context, steps):
                yield _finding(steps, "incomplete", expected=lacking)
            else:
                yield _finding(steps, "not_allowed")
        case kinds.OneOfMultipleValid():
            yield _finding(steps, "several_alternatives")
        case kinds.Type(types=types):
            wanted = [name for name in types if name != "null"]
            yield _finding(steps, "type", type="decimal" if wanted == ["number"] else ", ".join(wanted))
        case kinds.Pattern(pattern=pattern):
            bare = without_anchors(pattern)
            digits = _DIGITS.fullmatch(bare) if bare != pattern else None
            yield _finding(steps, "digits", digits=digits[1]) if digits else _finding(steps, "pattern", pattern=bare)
        case kinds.Enum(options=options):
            more = ", …" if len(options) > _MOST_VALUES else ""
            yield _finding(steps, "enumeration", enumeration=", ".join(map(_shown, options[:_MOST_VALUES])) + more)
        case kinds.Constant(expected_value=value):
            yield _finding(steps, "fixed", fixed=_shown(value))
        case kinds.Format(format=name) if name in _TYPE_OF_FORMAT:
            yield _finding(steps, "type", type=_TYPE_OF_FORMAT[name])
        case kinds.Format(format=name):
            yield _finding(steps, "format", format=name)
        case kinds.MinLength(limit=limit):
            yield _finding(steps, "min_length", minLength=str(limit))
        case kinds.MaxLength(limit=limit):
            yield _finding(steps, "max_length", maxLength=str(limit))
        case kinds.Minimum(limit=limit):
            yield _finding(steps, "min_inclusive", minInclusive=str(limit))
        case kinds.Maximum(limit=limit):
            yield _finding(steps, "max_inclusive", maxInclusive=str(limit))
        case kinds.ExclusiveMinimum(limit=limit):
            yield _finding(steps, "min_exclusive", minExclusive=str(limit))
        case kinds.ExclusiveMaximum(limit=limit):
            yield _finding(steps, "max_exclusive", maxExclusive=str(limit))
        case kinds.MultipleOf(multiple_of=step):
            decimals = _decimals(step)
            if decimals:
                yield _finding(steps, "fraction_digits", fractionDigits=str(decimals))
            else:
                yield _finding(steps, "multiple_of", multiple=str(step))
        case kinds.MinItems(limit=limit):
            yield _finding(steps, "too_few", min=str(limit))
        case kinds.MaxItems(limit=limit):
            yield _finding(steps, "too_many", max=str(limit))
        case kinds.UniqueItems():
            yield _finding(steps, "not_unique")
        case kinds.FalseSchema():
            yield _finding(steps, "unexpected_element")
        case kinds.BacktrackLimitExceeded() | kinds.RegexEngineFailure():
            yield _finding(steps, "not_checkable")
        case _:
            yield _finding(steps, "not_allowed")


def _finding(steps: Steps, rule: str, **facts: str) -> tuple[Steps, Finding]:
    return steps, Finding(path=pointer(steps), rule=rule, facts=facts)


def _is_of_other_type(error: ValidationError, steps: Steps) -> bool:
    return isinstance(error.kind, ValidationErrorKind.Type) and tuple(error.instance_path) == steps


def _lacking(context: Sequence[Sequence[ValidationError]], steps: Steps) -> str:
    """Name what each branch of a choice asks for, where that is all that stands against it; else nothing."""
    branches: list[list[str]] = []
    for branch in context:
        names = [error.kind.property for error in branch if isinstance(error.kind, ValidationErrorKind.Required)]
        if len(names) < len(branch) or any(tuple(error.instance_path) != steps for error in branch):
            return ""
        branches.append(names)
    more = ", …" if len(branches) > _MOST_VALUES else ""
    return ", ".join(dict.fromkeys(" + ".join(names) for names in branches[:_MOST_VALUES])) + more


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _decimals(step: float | Decimal) -> int:
    """Say how many decimals a step like 0.01 allows, or 0 for another step."""
    _, digits, exponent = Decimal(str(step)).as_tuple()
    return -exponent if digits == (1,) and isinstance(exponent, int) and exponent < 0 else 0


# Reading schemas


class _Document:
    """One schema file on its way: its text, its value, and what was done to it."""

    def __init__(self, path: Path, part: str, data: bytes, text: str, value: Json) -> None:
        self.path, self.part, self.text, self.value = path, part, text, value
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.notes: list[str] = []
        self.faults: list[Fault] = []

    @property
    def uri(self) -> str:
        return _BASE + quote(self.part)

    def fault(self, steps: Steps, message: str) -> None:
        place = placed([(steps, Finding(path="/", rule=""))], self.text)[0]
        self.faults.append(Fault(where=f"{self.path}:{place.line}:{place.column}", message=message))


def _compile(folder: Path, name: str) -> _Compiled:
    part = schema_file(name)
    hash_sign, fragment = name[len(part) :][:1], name[len(part) + 1 :]
    documents = _read_all(folder, part)
    main = documents[part]
    draft = _draft(main)
    counts: Counter[str] = Counter()
    for document in documents.values():
        for steps, schema in _schemas(document.value, ()):
            _repair(document, steps, schema, counts)
    entry = _entry(main, fragment if hash_sign else None)
    target = _at(main.value, entry)
    if not main.faults and not _constrains(main.value, target):
        main.fault(
            entry, _ANYTHING.format(where="#" + pointer(entry) if entry else "#", names=_definitions(main.value))
        )
    faults = [fault for document in documents.values() for fault in document.faults]
    if faults:
        raise ConfigurationError(faults)
    main.notes += [_REPAIRS[kind].format(count=count) for kind, count in sorted(counts.items())]
    notes = tuple(f"{document.path}: {note}" for document in documents.values() for note in document.notes)
    fast, full = _validators(documents, main, entry, draft)
    return _Compiled(fast=fast, full=full, notes=notes, sha256=_digest(documents))


_ANYTHING = (
    "the schema accepts anything at {where}: say where forms begin, after the file's name: #/… (a JSON pointer)"
    " or #Name ({names})"
)
_WRAPPER = (
    "the schema names no root, and forms do not hold their root element: write #{inside} after the file's name if forms"
    " begin inside {member!r}, or a bare # if they hold {member!r} themselves"
)
_REPAIRS = {
    "constants": "read {count} constants as their type says: written otherwise, no value could ever fit",
    "groups": "where properties but no type is given ({count} times), only objects are taken",
}


def _read_all(folder: Path, part: str) -> dict[str, _Document]:
    """Read the file *part* and every file that it refers to."""
    documents: dict[str, _Document] = {}
    faults: list[Fault] = []
    waiting = [(part, str(folder / part))]
    while waiting:
        part, wanted_by = waiting.pop()
        try:
            document = _read(folder, part, wanted_by)
        except ConfigurationError as error:
            faults += error.faults
            continue
        documents[part] = document
        own = document.value.pop("$id", None)
        for steps, schema in _schemas(document.value, ()):
            reference = schema.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                target = _resolve(document, own, reference, schema)
                if target is None:
                    document.fault((*steps, "$ref"), _OUTSIDE.format(reference=reference))
                elif target not in documents and target not in {name for name, _ in waiting}:
                    waiting.append((target, f"{document.path}:1:1"))
        faults += document.faults
    if faults:
        raise ConfigurationError(faults)
    return documents


_OUTSIDE = (
    "the schema refers to {reference!r}, and only files in the schema folder are read:"
    " put the file there and write its relative path"
)


def _resolve(document: _Document, own: Json, reference: str, schema: dict[str, Json]) -> str | None:
    """Find the file that *reference* means; one to the schema's own address is made local."""
    address, _, fragment = reference.partition("#")
    if isinstance(own, str) and address == own.partition("#")[0]:
        schema["$ref"] = "#" + fragment
        return document.part
    if ":" in address or "\\" in address or address.startswith("/"):
        return None
    steps: list[str] = []
    for step in (PurePosixPath(document.part).parent / address).parts:
        if step == ".." and not steps:
            return None
        if step == "..":
            steps.pop()
        elif step != ".":
            steps.append(step)
    return "/".join(steps)


def _read(folder: Path, part: str, wanted_by: str) -> _Document:
    path = folder / part
    data = read_schema_file(folder, part, wanted_by=wanted_by, max_bytes=_SCHEMA_LIMITS.max_bytes)
    twice = False
    try:
        text = text_of(data.removeprefix(b"\xef\xbb\xbf"), _SCHEMA_LIMITS)
        value = read_values(text, _SCHEMA_LIMITS)
        if isinstance(value, str):
            # Altinn 3's schema address answers like this when asked for application/json alone.
            twice, text = True, value
            value = read_values(text, _SCHEMA_LIMITS)
    except Unreadable as unreadable:
        found = unreadable.finding
        message = "the schema cannot be read: " + sentence(found, "en").replace("form", "file")
        raise ConfigurationError(
            [Fault(where=f"{path}:{found.line or 1}:{found.column or 1}", message=message)]
        ) from None
    if type(value) is not dict:
        raise ConfigurationError([Fault(where=f"{path}:1:1", message="a JSON Schema is an object")])
    document = _Document(path, part, data, text, value)
    if twice:
        document.notes.append("read the schema out of a JSON string that held it")
    return document


def _digest(documents: Mapping[str, _Document]) -> str:
    """Digest one file, or the list of several as ``sha256sum`` prints it."""
    if len(documents) == 1:
        return next(iter(documents.values())).sha256
    lines = (f"{document.sha256}  {part}\n" for part, document in sorted(documents.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _draft(main: _Document) -> str:
    given = main.value.get("$schema", _NEWEST)
    bare = str(given).removesuffix("#")
    if bare == _NEWEST:
        if "$schema" in main.value:
            main.notes.append(f"{given} names no draft: read as draft 2020-12")
        return _DRAFT_2020
    for draft in _VALIDATORS:
        if bare == draft.removesuffix("#"):
            return draft
    main.fault(("$schema",), f"the schema is of {given!r}; drafts 07 and 2020-12 are known")
    return _DRAFT_2020


def _schemas(schema: Json, steps: Steps) -> Iterator[tuple[Steps, dict[str, Json]]]:
    """Walk over *schema* and all schemas in it, but not over values that only look like schemas."""
    waiting: list[tuple[Steps, Json]] = [(steps, schema)]
    while waiting:
        place, found = waiting.pop()
        if type(found) is not dict:
            continue
        yield place, found
        for key in _MAPS:
            inner = found.get(key)
            if type(inner) is dict:
                waiting += [((*place, key, name), child) for name, child in inner.items()]
        for key in _LISTS:
            inner = found.get(key)
            if type(inner) is list:
                waiting += [((*place, key, number), child) for number, child in enumerate(inner)]
        waiting += [((*place, key), found[key]) for key in _ONES if type(found.get(key)) is dict]


def _repair(document: _Document, steps: Steps, schema: dict[str, Json], counts: Counter[str]) -> None:
    """Make constants fit their type (four old OR schemas say integer and "8854"), and groups take objects only."""
    kind = schema.get("type")
    for key in ("const", "enum"):
        if key not in schema or not isinstance(kind, str):
            continue
        values = schema[key] if key == "enum" else [schema[key]]
        fitted = [_fitted(kind, value) for value in values] if type(values) is list else []
        if fitted and all(value is None for value in fitted):
            document.fault((*steps, key), f"no value can be of type {kind} and also what {key!r} says")
        elif any(fit is not None and type(fit) is not type(value) for value, fit in zip(values, fitted, strict=True)):
            counts["constants"] += 1
            fits = [value if fit is None else fit for value, fit in zip(values, fitted, strict=True)]
            schema[key] = fits if key == "enum" else fits[0]
    if schema.get("properties") and type(schema["properties"]) is dict and kind is None and "$ref" not in schema:
        # Without this a text would pass where a group of fields must stand.
        schema["type"] = "object"
        if steps and "allOf" not in steps[-2:]:
            counts["groups"] += 1


def _fitted(kind: str, value: Json) -> Json:
    """Give *value* as the type *kind* wants it, or None when it cannot be."""
    number = type(value) in {int, Decimal}
    if kind in {"integer", "number"}:
        if type(value) is str and _NUMBER.fullmatch(value):
            value, number = (Decimal(value) if "." in value else int(value)), True
        return value if number and (kind == "number" or value == int(value)) else None
    if kind == "boolean":
        return (
            {"true": True, "false": False}.get(value) if type(value) is str else value if type(value) is bool else None
        )
    if kind == "string":
        return str(value) if number else value if type(value) is str else None
    return value if value is not None else None


def _entry(main: _Document, fragment: str | None) -> Steps:
    """Choose where forms begin, as the app frontend does (facts/altinn3-and-tokens.md 3.1), and say so."""
    schema = main.value
    if fragment == "":
        return ()
    if fragment is not None and fragment.startswith("/"):
        return _steps_to(main, "#" + fragment, ())
    info = schema.get("info") if type(schema.get("info")) is dict else {}
    properties = schema.get("properties") if type(schema.get("properties")) is dict else {}
    root = info.get("rootNode")
    if isinstance(root, str):
        main.notes.append(f"forms begin at {root} (info.rootNode)")
        return _steps_to(main, root, ("info", "rootNode"))
    member = info.get("meldingsnavn")
    wrapped = properties.get(member) if isinstance(member, str) else None
    if type(wrapped) is dict and isinstance(wrapped.get("$ref"), str):
        main.notes.append(f"forms begin at {wrapped['$ref']} (info.meldingsnavn is {member!r})")
        return _steps_to(main, wrapped["$ref"], ("properties", str(member)))
    if fragment is not None:
        for key in ("$defs", "definitions"):
            if type(schema.get(key)) is dict and fragment in schema[key]:
                main.notes.append(f"forms begin at #/{key}/{fragment} (its name was given)")
                return (key, fragment)
        main.fault((), f"the schema defines no {fragment!r}; it has {_definitions(schema)}")
        return ()
    names = list(properties)
    only = properties[names[0]] if len(names) == 1 else None
    if (
        type(only) is dict
        and str(only.get("$ref", "")).startswith("#/")
        and not any(key in schema for key in _CONSTRAIN if key != "properties")
    ):
        main.fault((), _WRAPPER.format(inside=only["$ref"].removeprefix("#"), member=names[0]))
    return ()


def _steps_to(main: _Document, reference: str, named_at: Steps) -> Steps:
    """Turn the local *reference* into steps; a fault when nothing stands there."""
    if reference in {"", "#"}:
        return ()
    steps: list[str | int] = []
    here = main.value
    for raw in reference.removeprefix("#").split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if type(here) is dict and step in here:
            here = here[step]
            steps.append(step)
        elif type(here) is list and step.isdecimal() and int(step) < len(here):
            here = here[int(step)]
            steps.append(int(step))
        else:
            here = None
    if not reference.startswith("#/") or here is None:
        main.fault(named_at, f"forms cannot begin at {reference}: the schema has nothing there")
        return ()
    return tuple(steps)


def _at(schema: Json, steps: Steps) -> Json:
    for step in steps:
        schema = schema[step]
    return schema


def _constrains(document: Json, schema: Json) -> bool:
    """Say whether *schema* asks anything of an object, following local references."""
    for _ in range(20):
        if schema is False:
            return True
        if type(schema) is not dict:
            return False
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        try:
            schema = _at(
                document, tuple(step.replace("~1", "/").replace("~0", "~") for step in reference[2:].split("/"))
            )
        except (KeyError, TypeError):
            return True  # Compiling tells that nothing stands there.
    return any(schema.get(key) for key in _CONSTRAIN) or schema.get("additionalProperties") not in (None, True, {})


def _definitions(schema: Mapping[str, Json]) -> str:
    names = [name for key in ("$defs", "definitions") if type(schema.get(key)) is dict for name in schema[key]]
    return ", ".join(names[:_MOST_VALUES]) + (", …" if len(names) > _MOST_VALUES else "") or "no definitions"


def _validators(
    documents: Mapping[str, _Document], main: _Document, entry: Steps, draft: str
) -> tuple[jsonschema_rs.Validator, jsonschema_rs.Validator]:
    """
    Compile twice, with the library's formats and with ours; nothing is fetched from anywhere.

    Raises:
        ConfigurationError: The schema says something that JSON Schema does not know, or refers to nothing.
    """
    made = _VALIDATORS[draft]
    number = jsonschema_rs.Draft7 if draft == _DRAFT_7 else jsonschema_rs.Draft202012
    for document in documents.values():
        document.value["$schema"] = draft
        try:
            jsonschema_rs.meta.validate(document.value)
        except ValidationError as error:
            document.fault(tuple(error.instance_path), f"not a JSON Schema at {pointer(error.instance_path)}")
            raise ConfigurationError(document.faults) from None
    try:
        registry = jsonschema_rs.Registry(
            [(document.uri, document.value) for document in documents.values()], draft=number
        )
        fragment = quote("".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in entry), safe="/$~")
        wrapper = {"$ref": f"{main.uri}#{fragment}"}
        ours = {name: _takes(pattern) for name, pattern in _FORMATS.items()}
        # The library does not know the two formats that only the frontend knows, and takes "198/-04-12" for a date.
        used = {"date", "date-time", "year", "year-month"} & _formats(documents)
        mine = {name: ours[name] for name in used}
        return (
            made(wrapper, registry=registry, offline=True, validate_formats=True, formats=mine),
            made(wrapper, registry=registry, offline=True, validate_formats=True, formats=ours),
        )
    except (ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        message = str(getattr(error, "message", "")) or type(error).__name__
        raise ConfigurationError([Fault(where=f"{main.path}:1:1", message=message.replace(_BASE, ""))]) from None


def _takes(pattern: re.Pattern[str]) -> Any:
    return lambda text: (found := pattern.fullmatch(text)) is not None and _is_a_day(found.groupdict())


def _is_a_day(parts: Mapping[str, str]) -> bool:
    """Say whether the month has such a day, where the format has one."""
    return "day" not in parts or int(parts["day"]) <= monthrange(int(parts["year"]), int(parts["month"]))[1]


def _formats(documents: Mapping[str, _Document]) -> set[str]:
    """Name the formats that are used anywhere."""
    said = (schema.get("format") for document in documents.values() for _, schema in _schemas(document.value, ()))
    return {name for name in said if isinstance(name, str)}
