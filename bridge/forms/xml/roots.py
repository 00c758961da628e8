"""Which element a form begins with, and in which namespace its elements stand."""

from collections.abc import Iterable, Iterator, Sequence

from lxml import etree

from bridge.core.errors import Finding
from bridge.forms.paths import path_of
from bridge.forms.xml.content_model import Group, names_in, readable, takes
from bridge.forms.xml.input import line_of
from bridge.forms.xml.namespaces import real_names
from bridge.forms.xml.schema_facts import SchemaModel

_XML = "http://www.w3.org/XML/1998/namespace"


def other_root(root: etree._Element, wanted: str | None) -> tuple[Finding, ...]:
    """The finding where *root* is not the element that forms begin with by the mapping or route."""
    local = etree.QName(root).localname
    if wanted is None or wanted in {real_names(str(root.tag)), local}:
        return ()
    if readable(wanted) == local:
        rule, facts = namespace_finding(wanted)
    else:
        rule, facts = "wrong_root", {"expected": readable(wanted)}
    return (Finding(path=path_of(root), rule=rule, line=line_of(root), facts=facts),)


def wrong_root(tag: str, model: SchemaModel) -> tuple[str, dict[str, str]]:
    """What is wrong with a form that begins with *tag*: the rule, and its facts."""
    names = model.root_names()
    right = named_otherwise(tag, names)
    if right is not None:
        return namespace_finding(right)
    roots = [etree.QName(name).localname for name in names]
    return "wrong_root", {"expected": ", ".join(roots)} if 0 < len(roots) <= 5 else {}


def named_otherwise(tag: str, names: Iterable[str]) -> str | None:
    """The one of *names* that has the local name of *tag*, in whatever namespace."""
    local = etree.QName(tag).localname
    return next((name for name in names if etree.QName(name).localname == local), None)


def namespace_finding(right: str) -> tuple[str, dict[str, str]]:
    """The rule, with its facts, for an element that belongs into the namespace of *right*."""
    namespace = real_names(etree.QName(right).namespace or "")
    return ("wrong_namespace", {"namespace": namespace}) if namespace else ("unwanted_namespace", {})


def missing_attribute(node: etree._Element, name: str, model: SchemaModel) -> dict[str, str] | None:
    """The facts of *node* not having its attribute *name*; None where it has it in another namespace."""
    local = readable(name)
    same = [str(each) for each in node.attrib if readable(str(each)) == local]
    if any(model.attribute_meant(node, each) == name for each in same):
        return None
    uri = etree.QName(name).namespace
    return {"namespace": real_names(uri)} if uri and uri != _XML else {}


def unexpected_attribute(node: etree._Element, name: str, model: SchemaModel) -> tuple[str, dict[str, str]]:
    """What is wrong with the attribute *name*, which *node* may not have: the rule, and its facts."""
    meant = model.attribute_meant(node, name)
    return ("unexpected_attribute", {}) if meant is None else namespace_finding(meant)


def in_wrong_namespace(content: Group, tags: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The children whose names are known in another namespace only: which one, and its name there."""
    by_local: dict[str, str] = {}
    for name in names_in(content):
        by_local.setdefault(etree.QName(name).localname, name)
    for at, tag in enumerate(tags):
        right = by_local.get(etree.QName(tag).localname)
        if right is not None and not takes(content, tag):
            yield at, right
