"""The second engine, xmlschema: models for explanations, and a judge for the schemas that libxml2 cannot take."""

import re
import tempfile
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lxml import etree

from bridge.forms.xml.automata import automaton
from bridge.forms.xml.components import XsdError, XsdSchema
from bridge.forms.xml.input import Effort
from bridge.forms.xml.new_letters import Matcher
from bridge.forms.xml.schema_files import XSD, Engine, SchemaFiles

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from xmlschema import XMLResource, XMLSchemaBase, XMLSchemaValidationError, XsdElement
    from xmlschema.validators import ValidationContext, XsdPatternFacets

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
DEEPEST_MODEL = 100
"""So many groups may stand inside each other in one content model."""
_kept: dict[str, "Built"] = {}
_building = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """xmlschema's reading of a schema, or why there is none."""

    schema: XsdSchema | None
    refused: str | None = None


def build_xmlschema(files: SchemaFiles) -> Built:
    """
    Let xmlschema read *files*: once for each schema in a process, since it takes a tenth of a second or more.

    It reads the repaired texts and nothing else. Its patterns are libxml2's: Python's would let a form that is made
    for it keep a process busy for hours (facts/libraries.md 2).
    """
    key = f"{files.engine is Engine.XMLSCHEMA11}{files.sha256}{files.name}"
    with _building:
        if key not in _kept:
            _kept[key] = _build(files)
        return _kept[key]


def _build(files: SchemaFiles) -> Built:
    from xmlschema import limits  # 0.2 s, and needed only once a form was refused
    from xmlschema.exceptions import XMLSchemaWarning

    from bridge.forms.xml.xmlschema_repairs import Schema10, Schema11, refusal_of

    # Real content models are never so deep, yet legal; its own limit of 15 is met when a form is judged.
    limits.MAX_MODEL_DEPTH = DEEPEST_MODEL
    kind = Schema11 if files.engine is Engine.XMLSCHEMA11 else Schema10
    with tempfile.TemporaryDirectory(prefix="bridge-schema-") as folder:
        for name, text in files.texts.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        try:
            with warnings.catch_warnings():
                # What it leaves unchecked libxml2 checks.
                warnings.simplefilter("ignore", XMLSchemaWarning)
                schema = kind((Path(folder) / files.name).as_uri(), allow="sandbox", defuse="always")
        except Exception as error:  # noqa: BLE001 - of legal schemas that it cannot read, it trips over some
            return Built(schema=None, refused=refusal_of(error).replace(folder, ""))
    _give_types_of_heads(schema)
    for facet in _pattern_facets(schema):
        facet.patterns = [_bounded(text, known) for text, known in zip(facet.regexps, facet.patterns, strict=True)]
    return Built(schema=cast("XsdSchema", schema))


def _give_types_of_heads(schema: "XMLSchemaBase") -> None:
    """Have elements without a type of their own that of the head of their substitution group, with all that it says."""
    elements = schema.maps.elements
    for element in list(elements.values()):
        head: XsdElement | None = element
        seen: set[str] = set()
        while head is not None and head.name not in seen and (name := _head_of(head)) is not None:
            seen.add(head.name)
            head = elements.get(head.schema.resolve_qname(name))
        if head is not None and head is not element:
            element._set_type(head.type)  # noqa: SLF001 - it sets the type alone, and keeps what anything may have


def _head_of(element: "XsdElement") -> str | None:
    """Name the head of the group of an element without a type of its own."""
    if "type" in element.elem.attrib or any(_is_type(each) for each in element.elem):
        return None
    heads = element.elem.get("substitutionGroup", "").split()
    return heads[0] if heads else None


def _is_type(element: "Element") -> bool:
    return element.tag in (f"{XSD}simpleType", f"{XSD}complexType")


def errors_of(schema: XsdSchema, root: etree._Element, effort: Effort, *, most: int) -> tuple[list[XsdError], bool]:
    """
    Hold *root* against *schema*: the first errors, and whether there are no more.

    The library's own ``iter_errors`` collects all before it gives the first, and an error of one child or attribute
    looks at all its siblings: with 200,000 of them it takes hours. This is the same walk with a context that stops it.
    Each call has a context of its own, so that threads need not wait for each other.

    Raises:
        XMLSchemaException, ValueError, LookupError, ArithmeticError, TypeError: It met what it cannot judge.
    """
    from xmlschema import XMLResource, XMLSchemaStopValidation

    resource = XMLResource(root, allow="none")
    context, found = _stopping_context(resource, effort, most)
    # The library names the standard library's elements, and takes lxml's as well.
    judge, form, tag = cast("XMLSchemaBase", schema), cast("Element", root), str(root.tag)
    element = judge.maps.elements.get(tag)
    if element is None and _XSI_TYPE in root.attrib:
        element = judge.builders.create_element(tag, judge)
    try:
        if element is None:
            context.missing_element_error("lax", judge, form)
        else:
            element.raw_decode(form, "lax", context)
            for name, known in context.id_map.items():
                if known == 0:
                    context.validation_error("lax", judge, f"IDREF {name!r} not found in XML document", root)
    except XMLSchemaStopValidation:
        return found, False
    return found, True


def _stopping_context(resource: "XMLResource", effort: Effort, most: int) -> tuple["ValidationContext", list[XsdError]]:
    """A context that ends the walk at an error too many or when *effort* is spent, and the list that it fills."""
    from xmlschema import XMLSchemaStopValidation
    from xmlschema.namespaces import NamespaceMapper
    from xmlschema.validators import ValidationContext

    found: list[XsdError] = []

    def unless_spent(_element: object, _declaration: object) -> bool:
        if effort.spent:
            raise XMLSchemaStopValidation
        return False

    class Stopping(ValidationContext):
        __slots__ = ()

        def raise_or_collect(self, validation: str, error: "XMLSchemaValidationError") -> "XMLSchemaValidationError":
            error = super().raise_or_collect(validation, error)
            if validation == "lax":
                # Not only the context's own list: the library drops that of the copies that it makes on the way.
                found.append(error)
                if len(found) >= most or effort.spent:
                    raise XMLSchemaStopValidation
            return error

    context = Stopping(
        source=resource,
        converter=NamespaceMapper(source=resource),
        check_identities=True,
        validation_hook=unless_spent,
    )
    context.validation_only = True
    return context, found


def _pattern_facets(schema: "XMLSchemaBase") -> Iterator["XsdPatternFacets"]:
    from xmlschema.validators import XsdPatternFacets

    for component in schema.maps.iter_components():
        for facet in (getattr(component, "facets", None) or {}).values():
            if isinstance(facet, XsdPatternFacets):
                yield facet


def _bounded(text: str, known: "re.Pattern[str]") -> "re.Pattern[str]":
    """Let libxml2 match where it takes the pattern."""
    made = automaton(text)
    return known if made is None else cast("re.Pattern[str]", Matcher(made))  # All that is asked of one, it has.
