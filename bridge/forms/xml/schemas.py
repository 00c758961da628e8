"""Schemas with the engine that judges their forms: libxml2, or xmlschema for those that it cannot take."""

from dataclasses import replace
from pathlib import Path

from lxml import etree

from bridge.core.errors import ConfigurationError, Fault
from bridge.forms.xml.schema_defaults import strip_defaults
from bridge.forms.xml.schema_files import Engine, SchemaFiles, SchemaReading, compile_faults
from bridge.forms.xml.xsd11 import says_xsd_1_1


def read_schema_files(folder: Path, name: str) -> SchemaFiles:
    """
    The schema *name* (a path inside *folder*) with everything that it refers to.

    Raises:
        ConfigurationError: A file is missing, lies outside the folder, or cannot be used; every fault at once.
    """
    reading = SchemaReading(folder)
    reading.read_all(name)
    reading.join_imports()
    faults = reading.faults
    if faults:
        raise ConfigurationError([*faults, *reading.unresolved])
    strip_defaults(reading.roots.values())
    main = reading.roots[name]
    files = SchemaFiles(
        name=name,
        texts={part: etree.tostring(root, encoding="utf-8") for part, root in reading.roots.items()},
        notes=tuple(reading.notes),
        sha256=reading.digest(name),
        engine=reading.engine(),
        namespace=main.get("targetNamespace"),
        qualified=main.get("elementFormDefault") == "qualified",
        unconvertible=tuple(reading.unconvertible),
    )
    return _with_engine(files, folder, reading)


_UNSAID = "it is XSD 1.1, without saying so"


def _with_engine(files: SchemaFiles, folder: Path, reading: SchemaReading) -> SchemaFiles:
    """Choose the engine that takes the schema, and refuse the schema that none takes."""
    from bridge.forms.xml.xmlschema_engine import build_xmlschema

    faults: list[Fault] = []
    if files.engine is Engine.LIBXML2:
        faults = compile_faults(files, folder)
        if not faults:
            return files
        files = replace(files, engine=Engine.XMLSCHEMA)
        why = f"libxml2 cannot take it ({faults[0].message.rstrip('.')})"
    else:
        said = any(map(says_xsd_1_1, reading.roots.values()))
        why = "it is XSD 1.1" if said else _UNSAID
    refused = build_xmlschema(files).refused
    if refused is not None and files.engine is Engine.XMLSCHEMA:
        unmarked = replace(files, engine=Engine.XMLSCHEMA11)
        if build_xmlschema(unmarked).refused is None:
            files, refused, why = unmarked, None, _UNSAID
    if refused is not None:
        faults = faults or [Fault(where=f"{folder / files.name}:1:1", message=f"xmlschema refuses it: {refused}")]
        raise ConfigurationError([*faults, *reading.unresolved])
    note = f"{folder / files.name}: {why}: its forms are judged by xmlschema, which is some 30 times slower"
    return replace(files, notes=(*files.notes, note))
