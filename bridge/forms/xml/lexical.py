"""How values may be written, where an engine looks away: by the type, as XML Schema 1.0 has it."""

import re
from collections.abc import Iterator

from lxml import etree

from bridge.core.errors import Finding
from bridge.forms.paths import attribute_step, path_of
from bridge.forms.xml.automata import type_matcher
from bridge.forms.xml.components import XsdSimpleType
from bridge.forms.xml.input import line_of, with_whole_values
from bridge.forms.xml.named_types import named_in
from bridge.forms.xml.new_letters import depends_on_tables, has_new_letters, new_letters
from bridge.forms.xml.schema_facts import DATES, SchemaModel
from bridge.forms.xml.schema_files import Engine, SchemaFiles
from bridge.forms.xml.values import BLANKS, Stray, Value, builtin_of, item_of, members_of, values_of

# What libxml2 takes and the type does not: other characters in base64, an exponent without digits, lists of nothing.
_FAST = {
    "base64Binary": re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "double": re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?|-?INF|NaN"),
}
_FAST["float"] = _FAST["double"]
_LISTS = frozenset({"NMTOKENS", "IDREFS", "ENTITIES"})
_LAX = re.compile(rb"\b(?:base64Binary|double|float|NMTOKENS|IDREFS?|ENTITIES|ID)\b")
_ZONE = re.compile(r"(?:Z|[+-][0-9]{2}:[0-9]{2})\Z")
_FIXED_DATE = re.compile(rb"\bfixed\s*=\s*[\"'][-0-9]*[0-9]{2}[-:]")
_LETTERS = b"letters"
"""Not a type: patterns that take kinds of letters, of which libxml2 does not know the new ones."""
_FLOATS = frozenset({b"double", b"float"})
_EXPONENT = re.compile(rb"[0-9.][eE][+-]?\s*(?:[<\"'&]|\s)")
# xmlschema reads numbers and dates as Python does, which knows more digits and blanks.
_BY_LIBXML2 = frozenset(
    (
        *("decimal", "integer", "long", "int", "short", "byte", "nonNegativeInteger", "positiveInteger"),
        *("unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte", "nonPositiveInteger", "negativeInteger"),
        *("boolean", "hexBinary", "anyURI", "Name", "NCName", "NMTOKEN", "ID", "IDREF", "language"),
    )
)


def lax_types(files: SchemaFiles) -> frozenset[bytes]:
    """Name the types in the schema that libxml2 is lax with."""
    texts = list(files.texts.values())
    dates = {b"fixed date"} if any(map(_FIXED_DATE.search, texts)) else set()
    letters = {_LETTERS} if any(map(depends_on_tables, files.patterns())) else set()
    return frozenset(found for text in texts for found in _LAX.findall(text)) | dates | letters


def may_be_lax(types: frozenset[bytes], data: bytes) -> bool:
    """Whether the form *data* may have a value that libxml2 took, and one of *types* or of its own does not."""
    types = types | set(_LAX.findall(named_in(data)))
    if types - _FLOATS - {_LETTERS} or (_LETTERS in types and has_new_letters(data)):
        return True
    return not types.isdisjoint(_FLOATS) and _EXPONENT.search(with_whole_values(data)) is not None


def badly_written(root: etree._Element, model: SchemaModel, engine: Engine) -> Iterator[Finding]:
    """
    Findings of values that *engine* takes and their types do not.

    xmlschema passes over text where Python sees white space, and where nothing but a wildcard may stand.
    """
    ids: set[str] = set()
    referring: list[tuple[Value, str]] = []
    for value in values_of(root, model):
        if isinstance(value, Stray) and engine is not Engine.LIBXML2:
            yield Finding(path=path_of(value.node), rule="text_not_allowed", line=line_of(value.node))
        if not isinstance(value, Value):
            continue
        fault = fault_of(value, model, engine)
        if fault is not None:
            yield _finding(value, *fault)
            continue
        name = id_of(value)
        if name is not None and name in ids:
            yield _finding(value, "not_unique", {})
        elif name is not None:
            ids.add(name)
        referring += [(value, name) for name in references_of(value)]
    yield from (_finding(value, "no_such_key", {}) for value, name in referring if name not in ids)


def fault_of(value: Value, model: SchemaModel, engine: Engine) -> tuple[str, dict[str, str]] | None:
    """The rule that *value* breaks by itself though *engine* takes it, and the rule's facts."""
    if not is_written_well(value.simple, value.text, engine, model=model):
        wanted = model.types_of(value.simple)
        return "type" if value.text.strip(BLANKS) or value.attribute else "empty", wanted
    if engine is Engine.LIBXML2 and new_letters(value.text) and not model.takes(value.simple, value.text):
        return model.pattern_of(value.simple)
    dated = value.fixed is not None and builtin_of(value.simple) in DATES
    if dated and _has_zone(value.text) is not _has_zone(value.fixed or ""):
        return "fixed", {"fixed": value.fixed or ""}
    return None


def id_of(value: Value) -> str | None:
    """The name that *value* makes known as an ID."""
    return value.text.strip(BLANKS) if builtin_of(value.simple) == "ID" else None


def references_of(value: Value) -> list[str]:
    """The IDs to which *value* refers."""
    return value.text.split() if builtin_of(value.simple) in {"IDREF", "IDREFS"} else []


def is_written_well(simple: XsdSimpleType, text: str, engine: Engine, *, model: SchemaModel) -> bool:
    """Whether *text* is written as the built-in type beneath *simple* wants; facets are the engine's."""
    members = members_of(simple)
    if members:
        well = [member for member in members if is_written_well(member, text, engine, model=model)]
        # Where one does not want it, it may be the one for which the engine took it.
        return len(well) == len(members) or any(takes(member, text, model) for member in well)
    kind, item = builtin_of(simple), item_of(simple)
    if item is not None:
        items = [each for each in re.split(f"[{BLANKS}]+", text) if each]
        return bool(items or kind not in _LISTS) and all(
            is_written_well(item, each, engine, model=model) for each in items
        )
    bare = text.strip(BLANKS)
    if kind in _FAST and bare != "+INF":
        found = _FAST[kind].fullmatch(re.sub(f"[{BLANKS}]", "", bare) if kind == "base64Binary" else bare)
        return found is not None
    if engine is Engine.LIBXML2:
        return True
    if kind in DATES:
        return bare.isascii()
    if kind == "QName":
        return all(type_matcher("NCName").match(part) for part in bare.split(":", 1))
    return kind not in _BY_LIBXML2 or type_matcher(kind).match(bare) is not None


def takes(simple: XsdSimpleType, text: str, model: SchemaModel) -> bool:
    """Whether *text* is a value of *simple*, a member of a union, with all its facets."""
    members = members_of(simple)
    if members and not any(takes(member, text, model) for member in members):
        return False
    return is_written_well(simple, text, Engine.XMLSCHEMA, model=model) and model.takes(simple, text)


def _has_zone(text: str) -> bool:
    """Whether a date or time has a zone: to both engines it is the same as one without."""
    return _ZONE.search(text.strip(BLANKS)) is not None


def _finding(value: Value, rule: str, facts: dict[str, str]) -> Finding:
    path = path_of(value.node)
    if value.attribute is not None:
        path = f"{path}/{attribute_step(value.node, value.attribute)}"
    return Finding(path=path, rule=rule, facts=facts, line=line_of(value.node))
