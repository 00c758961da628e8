"""What a schema says about one place in a form, for sentences: read from xmlschema's model, built when first asked."""

import copy
import itertools
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml import etree

from bridge.forms.engines import build_xmlschema
from bridge.forms.schema_files import XSD, SchemaFiles, without_anchors

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_DIGITS = re.compile(r"(?:\[0-9\]|\\d)\{(\d+)\}")
_MOST_VALUES = 12
# xmlschema's classes come without types; they are looked at here and nowhere else.
Declaration = Any


class GaveUp(Exception):
    """xmlschema cannot judge a form: for a year of twenty digits, say, or an ``xsi:type`` that there is not."""


class SchemaModel:
    """Answers questions about declarations; knows nothing (and says so) where xmlschema cannot read the schema."""

    def __init__(self, files: SchemaFiles) -> None:
        # The verdict is libxml2's; without a model the sentences are only plainer.
        self._schema: Any = build_xmlschema(files).schema
        self._decoding = threading.Lock()  # xmlschema keeps what it is decoding with the schema.

    def accepts(self, root: etree._Element) -> bool | None:
        """Give xmlschema's verdict; None where it has none."""
        if self._schema is None:
            return None
        try:
            return next(self.errors(root), None) is None
        except GaveUp:
            return None

    def refuses_alone(self, node: etree._Element) -> bool:
        """
        Say whether xmlschema refuses *node* for its own text, attributes or children's names, and so the whole form.

        That is known without the rest of the form; where it says no, the whole form must be asked about.
        """
        declaration = self.declaration(node)
        if declaration is None:
            return False
        from xmlschema import XMLResource, XMLSchemaException
        from xmlschema.namespaces import NamespaceMapper
        from xmlschema.validators.validation import ValidationContext

        alone: Any = copy.copy(node) if not len(node) else _with_empty_children(node)
        try:
            # As iter_errors does; that of a declaration would ask what the element may fetch.
            resource = XMLResource(alone, allow="none")
            context = ValidationContext(source=resource, converter=NamespaceMapper(source=resource))
            declaration.raw_decode(alone, "lax", context)
            return any(error.elem is alone for error in context.errors)
        except (RecursionError, ArithmeticError, LookupError, ValueError, TypeError, XMLSchemaException):
            return False

    def errors(self, root: etree._Element) -> Iterator[Any]:
        """
        Give xmlschema's errors, one by one; nothing that the form names is fetched.

        Raises:
            GaveUp: It met what it cannot judge.
        """
        from xmlschema import XMLResource, XMLSchemaException

        if self._schema is None:
            return
        try:
            yield from self._schema.iter_errors(XMLResource(root, allow="none"))
        except (RecursionError, ArithmeticError, LookupError, ValueError, TypeError, XMLSchemaException) as error:
            raise GaveUp from error

    def declaration(self, node: etree._Element) -> Declaration | None:
        """Find the declaration of *node* by its way down from the root, or None."""
        if self._schema is None:
            return None
        way = [node, *node.iterancestors()][::-1]
        found = self._schema.maps.elements.get(way[0].tag)  # Those of the schema itself are by local name.
        for parent, child in itertools.pairwise(way):
            found = self.children(self._as_said(found, parent)).get(str(child.tag))
        return self._as_said(found, node)

    def _as_said(self, declaration: Declaration | None, node: etree._Element) -> Declaration | None:
        """Give *declaration* with the type that *node* names by ``xsi:type``; None where it may not have that type."""
        name = node.get(_XSI_TYPE)
        if declaration is None or name is None:
            return declaration
        from xmlschema import XMLSchemaException

        prefixes = {prefix or "": uri for prefix, uri in node.nsmap.items()}
        try:
            own = self._schema.maps.get_instance_type(name.strip(), declaration.type, prefixes)
        except (KeyError, ValueError, TypeError, XMLSchemaException):
            return None
        typed = copy.copy(declaration)
        typed.type = own
        return typed

    def children(self, declaration: Declaration | None) -> Mapping[str, Declaration]:
        """Map names to the declarations of the elements that may stand in this one, in the schema's order."""
        content: Any = getattr(getattr(declaration, "type", None), "content", None)
        if not hasattr(content, "iter_elements"):
            return {}
        return {child.name: child for child in content.iter_elements() if getattr(child, "name", None)}

    def takes_any(self, declaration: Declaration | None) -> bool:
        """Say whether elements that are not listed may stand here as well (``xs:any``), or nothing is known."""
        content: Any = getattr(getattr(declaration, "type", None), "content", None)
        if declaration is None or content is None:
            return True
        return hasattr(content, "iter_elements") and any(
            not getattr(child, "name", None) for child in content.iter_elements()
        )

    def roots(self) -> Sequence[str]:
        """Name the elements that a document may begin with."""
        return [etree.QName(name).localname for name in self.root_names()]

    def root_names(self) -> tuple[str, ...]:
        """Give the same names as ``{namespace}local``."""
        return () if self._schema is None else tuple(str(each.name) for each in self._schema.elements.values())

    def facts(self, declaration: Declaration | None, attribute: str | None = None) -> dict[str, str]:
        """Collect facets, type and fixed value of an element's content, or of its *attribute*."""
        if declaration is None:
            return {}
        owner = declaration if attribute is None else getattr(declaration.type, "attributes", {}).get(attribute)
        simple = getattr(owner, "type", None)
        if attribute is None and simple is not None and not simple.is_simple():
            simple = simple.content if hasattr(simple.content, "is_simple") and simple.content.is_simple() else None
        facts: dict[str, str] = {}
        for level in _levels(simple):
            for name, value in _facets(level):
                facts.setdefault(name, value)
            if (level.name or "").startswith(XSD):
                facts.setdefault("type", level.name.removeprefix(XSD))
        fixed = getattr(owner, "fixed", None)
        if fixed is not None:
            facts["fixed"] = str(fixed)
        return facts

    def fixed_spelling(self, node: etree._Element) -> str | None:
        """
        Give the schema's spelling of the fixed value that *node* has in another one (``1`` for ``true``); else None.

        XSD compares fixed values as values, and libxml2 compares an element's as text.
        """
        declaration = self.declaration(node)
        fixed = getattr(declaration, "fixed", None)
        if declaration is None or fixed is None or next(node.iterchildren(etree.Element), None) is not None:
            return None
        text = (node.text or "") + "".join(each.tail or "" for each in node)
        with self._decoding:
            try:
                own, wanted = (declaration.type.text_decode(text) for text in (text, fixed))
            except (ArithmeticError, ValueError):
                return None
        return str(fixed) if type(own) is type(wanted) and own == wanted else None


def _with_empty_children(node: etree._Element) -> etree._Element:
    make: Any = etree.Element  # lxml's stubs know fewer kinds of mappings than it takes.
    alone = make(node.tag, node.attrib, node.nsmap)
    for child in node.iterchildren(etree.Element):
        # By attributes a child may have another type (xsi:type), which may not stand here.
        alone.append(alone.makeelement(child.tag, child.attrib, child.nsmap))
    return alone  # type: ignore[no-any-return]


def _levels(simple: Declaration | None) -> Iterator[Declaration]:
    """Walk from a simple type to the built-in one that it restricts; lists and unions end the walk."""
    while simple is not None and hasattr(simple, "facets"):
        yield simple
        simple = simple.base_type


def _facets(level: Declaration) -> Iterator[tuple[str, str]]:
    if (level.name or "").startswith(XSD):
        return  # What a built-in type restricts (white space, the range of an int) says less than its name.
    for name, facet in level.facets.items():
        local = (name or "").removeprefix(XSD)
        if local == "pattern":
            patterns = [without_anchors(text) for text in facet.regexps]
            yield "pattern", " | ".join(patterns)
            digits = _DIGITS.fullmatch(patterns[0]) if len(patterns) == 1 else None
            if digits:
                yield "digits", digits[1]
        elif local == "enumeration":
            values = [str(value) for value in facet.enumeration]
            more = ", …" if len(values) > _MOST_VALUES else ""
            yield "enumeration", ", ".join(values[:_MOST_VALUES]) + more
        elif local and hasattr(facet, "value"):
            yield local, str(facet.value)
