"""Which global elements forms of a schema may begin with, by xmlschema's model."""

from collections.abc import Iterable, Iterator

from bridge.forms.xml.components import XsdElement, XsdSchema
from bridge.forms.xml.namespaces import real_names


def usual_roots(schema: XsdSchema, root: str | None) -> Iterator[XsdElement]:
    """The global elements that nothing refers to (all, if each is referred to), or the one that was asked for."""
    if root is not None:
        yield from (found for found in schema.elements.values() if root in {real_names(found.name), found.local_name})
        return
    referred = {
        ref.name
        for inner in schema.iter_components()
        if (ref := getattr(inner, "ref", None)) is not None and inner.name in schema.maps.elements
    }
    usual = [found for found in schema.elements.values() if not found.abstract and found.name not in referred]
    yield from usual or (found for found in schema.elements.values() if not found.abstract)


def no_root(schema: XsdSchema, root: str | None) -> str:
    """The message that xmlschema's *schema* has no such *root*, or has no root at all."""
    names = ", ".join(element.local_name for element in schema.elements.values()) or "none"
    return f"the schema has no root element {root!r}; it has {names}" if root else "the schema has no root element"


def several_roots(names: Iterable[str]) -> str:
    """The message that one of these *names* has to be picked."""
    listed = ", ".join(name.rpartition("}")[2] for name in names)
    return f"the schema has several root elements ({listed}): say which one forms begin with, by 'root'"
