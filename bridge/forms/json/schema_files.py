"""JSON Schemas of one folder: read with all that they refer to, repaired where old ones need it, and compiled."""

import hashlib
import re
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import jsonschema_rs
from jsonschema_rs import ValidationError

from bridge.core.errors import ConfigurationError, Fault, Finding
from bridge.core.ids import pointer
from bridge.core.mapping import schema_file
from bridge.core.texts.findings import sentence
from bridge.forms.json.input import placed, read_values, text_of
from bridge.forms.xml.input import Limits, Unreadable
from bridge.forms.xml.schema_files import read_schema_file

_BASE = "bridge:///"
_SCHEMA_LIMITS = Limits(max_bytes=20_000_000)
MOST_VALUES = 12
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
# XSD dates may carry an offset and XSD times need none (facts/altinn3-and-tokens.md 1.5: as the app produced them);
# RFC 3339, which JSON Schema asks for, wants it the other way round. Either spelling is taken. RFC 3339 has offsets of
# up to 23:59; a date has none there, so that its offset is one of XSD's, which end at 14:00.
_OFFSET = r"(?P<offset>[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
_XSD_OFFSET = r"(?:[Zz]|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_DATE = r"(?P<year>[0-9]{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)(?:\.[0-9]+)?"
_FORMATS: Mapping[str, re.Pattern[str]] = {
    "date": re.compile(_DATE + _XSD_OFFSET),
    "time": re.compile(_TIME + _OFFSET),
    "date-time": re.compile(_DATE + "[Tt]" + _TIME + _OFFSET),
    # The app frontend knows these two beside the usual ones.
    "year": re.compile(r"[0-9]{4}"),
    "year-month": re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])"),
}
Steps = tuple[str | int, ...]
_Json = Any
"""A part of a JSON Schema: the meta-schema judges what stands under which keyword, and mypy cannot know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A fast validator with the library's formats, for verdicts, and a full one with our slower ones, for findings."""

    fast: jsonschema_rs.Validator
    full: jsonschema_rs.Validator
    notes: tuple[str, ...]
    sha256: str
    by_place: bool
    """Whether what an item of a list must be may depend on its place there."""


class _Document:
    """One schema file on its way: its text, its value, and what was done to it."""

    def __init__(self, path: Path, part: str, data: bytes, *, text: str, value: _Json) -> None:
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


def compiled(folder: Path, name: str) -> Compiled:
    part = schema_file(name)
    hash_sign, fragment = name[len(part) :][:1], name[len(part) + 1 :]
    documents = _read_all(folder, part)
    main = documents[part]
    draft = _draft(main)
    counts: Counter[str] = Counter()
    for document in documents.values():
        for steps, schema in _schemas(document.value, ()):
            _repair(document, steps, schema, counts=counts)
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
    fast, full = _validators(documents, main, entry, draft=draft)
    return Compiled(fast=fast, full=full, notes=notes, sha256=_digest(documents), by_place=_is_by_place(documents))


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
    """The file *part* and every file that it refers to, by name; references to its own address are made local."""
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
                target = _resolve(document, own, reference, schema=schema)
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


def _resolve(document: _Document, own: _Json, reference: str, *, schema: dict[str, _Json]) -> str | None:
    """The file that *reference* means, None if outside; one to the schema's own address is made local in *schema*."""
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
    document = _Document(path, part, data, text=text, value=value)
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


def _schemas(schema: _Json, steps: Steps) -> Iterator[tuple[Steps, dict[str, _Json]]]:
    """Walk over *schema* and all schemas in it, but not over values that only look like schemas."""
    waiting: list[tuple[Steps, _Json]] = [(steps, schema)]
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


def _repair(document: _Document, steps: Steps, schema: dict[str, _Json], *, counts: Counter[str]) -> None:
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


def _fitted(kind: str, value: _Json) -> _Json:
    """*value* as the type *kind* wants it, or None when it cannot be."""
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


def _at(schema: _Json, steps: Steps) -> _Json:
    for step in steps:
        schema = schema[step]
    return schema


def _constrains(document: _Json, schema: _Json) -> bool:
    """Whether *schema* asks anything of an object, following local references."""
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


def _definitions(schema: Mapping[str, _Json]) -> str:
    names = [name for key in ("$defs", "definitions") if type(schema.get(key)) is dict for name in schema[key]]
    return ", ".join(names[:MOST_VALUES]) + (", …" if len(names) > MOST_VALUES else "") or "no definitions"


def _validators(
    documents: Mapping[str, _Document], main: _Document, entry: Steps, *, draft: str
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
    def takes(text: str) -> bool:
        found = pattern.fullmatch(text)
        return found is not None and _is_a_day(found.groupdict()) and _is_a_second(found.groupdict())

    return takes


def _is_a_day(parts: Mapping[str, str]) -> bool:
    """Whether the month has such a day, where the format has one."""
    return "day" not in parts or int(parts["day"]) <= monthrange(int(parts["year"]), int(parts["month"]))[1]


def _is_a_second(parts: Mapping[str, str | None]) -> bool:
    """Whether the minute may have such a second: one more than 60 only the last of a day in UTC (RFC 3339, 5.7)."""
    if parts.get("second") != "60":
        return True
    offset = parts["offset"]
    if offset is None:
        return False
    ahead = 0 if offset in "Zz" else int(offset[1:3]) * 60 + int(offset[4:])
    minute = int(parts["hour"] or 0) * 60 + int(parts["minute"] or 0)
    return (minute - (ahead if offset[0] == "+" else -ahead)) % 1440 == 1439


def _is_by_place(documents: Mapping[str, _Document]) -> bool:
    every = (schema for document in documents.values() for _, schema in _schemas(document.value, ()))
    return any("prefixItems" in schema or type(schema.get("items")) is list for schema in every)


def _formats(documents: Mapping[str, _Document]) -> set[str]:
    """Name the formats that are used anywhere."""
    said = (schema.get("format") for document in documents.values() for _, schema in _schemas(document.value, ()))
    return {name for name in said if isinstance(name, str)}
