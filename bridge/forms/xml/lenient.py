"""Forms that lack their schema's namespace, taken as if they had it, where the mapping says so."""

from typing import Any, cast
from xml.sax.saxutils import quoteattr

from lxml import etree

from bridge.forms.xml.input import line_of, parse_any_namespace
from bridge.forms.xml.schema_files import SchemaFiles


def put_into_namespace(root: etree._Element, files: SchemaFiles, *, written: bool = False) -> etree._Element:
    """
    A form without a namespace as if it were in that of the schema *files*, without a prefix that nobody wrote.

    Only one that is to be *written* may get one, where its root alone is in the namespace.
    """
    namespace = files.namespace
    if namespace is None or etree.QName(root).namespace is not None:
        return root
    if written and not files.qualified:
        root.tag = f"{{{namespace}}}{root.tag}"
        return root
    declared = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in root.nsmap.items() if prefix)
    # lxml takes some namespaces from a text only.
    made = parse_any_namespace(f"<{root.tag} xmlns={quoteattr(namespace)}{declared}/>".encode())
    made.attrib.update(root.attrib)
    made.text, cast("Any", made).sourceline = root.text, line_of(root)
    made.extend(list(root))
    for element in made.iterdescendants(etree.Element) if files.qualified else ():
        if etree.QName(element).namespace is None:
            element.tag = f"{{{namespace}}}{element.tag}"
    return made
