"""xmlschema's classes, mended where they stumble over legal schemas, and words for why one cannot be used."""

from collections.abc import Iterator
from typing import Any

from xmlschema import XMLSchema10, XMLSchema11
from xmlschema.exceptions import XMLSchemaException
from xmlschema.validators import XsdBuilders, complex_types, facets

_XSD = "{http://www.w3.org/2001/XMLSchema}"


# Their names are xmlschema's, since findings are told by the names of classes.
class XsdAssertionFacet(facets.XsdAssertionFacet):
    """An assertion that also judges lists whose own type has no name: xmlschema asks for that name."""

    def _parse(self) -> None:
        kind = getattr(self.base_type, "primitive_type", None)
        if kind is None or kind.prefixed_name is not None:
            super()._parse()
            return
        self.validate = self.__call__
        self.path = self.elem.get("test", "true()")
        self.xpath_default_namespace = self.schema.xpath_default_namespace
        self.parser = self.maps.assertion_parser_class(
            namespaces=self.schema.namespaces,
            strict=False,
            variable_types={"value": "xs:anyAtomicType*"},
            default_namespace=self.xpath_default_namespace,
        )
        self.token = self.parser.parse(self.path)

    def __call__(self, value: object) -> None:
        # Of an item that is none, which is told by itself, no assertion can say more.
        if not (isinstance(value, list) and None in value):
            super().__call__(value)


def _count_unread(base: Any) -> None:
    """Have the elements of the complex type *base* counted, which xmlschema reads later than it asks for them."""
    if not base.is_simple() and hasattr(base.content, "iter_elements"):
        for element in base.content.iter_elements():
            if not hasattr(element, "min_occurs"):
                element.min_occurs, element.max_occurs = int(element.elem.get("minOccurs", "1")), 1


class XsdComplexType(complex_types.XsdComplexType):
    """A type that may restrict mixed content to a simple value."""

    def _parse_simple_content_restriction(self, elem: Any, base_type: Any) -> None:
        _count_unread(base_type)
        super()._parse_simple_content_restriction(elem, base_type)


class Xsd11ComplexType(complex_types.Xsd11ComplexType):
    """The same in XSD 1.1."""

    def _parse_simple_content_restriction(self, elem: Any, base_type: Any) -> None:
        _count_unread(base_type)
        super()._parse_simple_content_restriction(elem, base_type)


class Schema10(XMLSchema10):
    """XSD 1.0."""

    builders = XsdBuilders("1.0", complex_type_class=XsdComplexType)


class Schema11(XMLSchema11):
    """XSD 1.1."""

    builders = XsdBuilders("1.1", XsdAssertionFacet, complex_type_class=Xsd11ComplexType)


def refusal_of(error: Exception) -> str:
    """Words for why xmlschema cannot use a schema: its own, or else the part of the schema over which it stumbled."""
    said = getattr(error, "message", None)
    if not said and isinstance(error, XMLSchemaException):
        said = str(error)
    if said:
        return str(said).strip().splitlines()[0]
    parts = list(_parts_at_work(error))
    if not parts:
        return "there is a part of it that it cannot use"
    words = f"it cannot use the xs:{str(parts[-1].tag).removeprefix(_XSD)}"
    named = next((part.get("name") for part in reversed(parts) if part.get("name")), None)
    own = parts[-1].get("name") == named
    return words if named is None else f"{words} {named!r}" if own else f"{words} in {named!r}"


def _parts_at_work(error: Exception) -> Iterator[Any]:
    """Walk over the parts of the schema that were being read when *error* came, the innermost last."""
    step = error.__traceback__
    while step is not None:
        element = getattr(step.tb_frame.f_locals.get("self"), "elem", None)
        if str(getattr(element, "tag", "")).startswith(_XSD):
            yield element
        step = step.tb_next
