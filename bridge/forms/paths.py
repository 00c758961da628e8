"""The places of a form by name, as people read them: ``/melding/virksomhet[2]/navn``."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, cast

from lxml import etree

from bridge.core.ids import shown_name

_XML = "http://www.w3.org/XML/1998/namespace"
_STEP = re.compile(r"(?P<name>[^\[]+)(?:\[(?P<index>\d+)\])?")


def path_of(node: etree._Element) -> str:
    """Name the place of *node* by the names of the form, with numbers where several have the same name."""
    way = [node, *node.iterancestors()][::-1]
    return "/" + "/".join([name_of(way[0]), *map(step_of, way[1:])])


def step_of(node: etree._Element) -> str:
    """Name *node* inside its parent."""
    index = 1 + sum(1 for _ in node.itersiblings(str(node.tag), preceding=True))
    alone = index == 1 and next(node.itersiblings(str(node.tag)), None) is None
    return name_of(node) + ("" if alone else f"[{index}]")


class Places:
    """
    The places of a tree that stays as it is, named as ``path_of`` does.

    The children of each parent are numbered once, as very many of them may be asked for.
    """

    def __init__(self) -> None:
        self._numbers: dict[etree._Element, Mapping[etree._Element, int]] = {}

    def path_of(self, node: etree._Element) -> str:
        """Name the place of *node*."""
        way = [node, *node.iterancestors()][::-1]
        return "/" + "/".join([name_of(way[0]), *map(self._step, way, way[1:])])

    def _step(self, parent: etree._Element, node: etree._Element) -> str:
        if parent not in self._numbers:
            self._numbers[parent] = dict(_numbered(parent))
        return _step(node, self._numbers[parent][node])


def all_paths(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Name the places of all elements, at one walk."""
    waiting = [(root, "/" + name_of(root))]
    while waiting:
        node, path = waiting.pop()
        yield node, path
        waiting += [(child, f"{path}/{_step(child, number)}") for child, number in _numbered(node)]


def _numbered(parent: etree._Element) -> Iterator[tuple[etree._Element, int]]:
    """The children of *parent* with their numbers among those of their name, 0 for the only one."""
    children = [child for child in parent if isinstance(child.tag, str)]
    total = Counter(child.tag for child in children)
    seen: Counter[str] = Counter()
    for child in children:
        seen[child.tag] += 1
        yield child, seen[child.tag] if total[child.tag] > 1 else 0


def _step(node: etree._Element, number: int) -> str:
    return name_of(node) + (f"[{number}]" if number else "")


def name_of(node: etree._Element) -> str:
    """Name *node* as its form does, without identity numbers."""
    local = etree.QName(node).localname
    return shown_name(f"{node.prefix}:{local}" if node.prefix else local)


def name_for(node: etree._Element, tag: str) -> str:
    """Name a child of *node* called *tag* (``{namespace}local``) as its form would: with a prefix where it has one."""
    uri, _, local = tag.removeprefix("{").rpartition("}")
    prefixes = {known: prefix for prefix, known in node.nsmap.items()} | {node.nsmap.get(None): None}
    prefix = prefixes.get(uri) if uri else None
    return shown_name(f"{prefix}:{local}" if prefix else local)


def attribute_step(node: etree._Element, name: str) -> str:
    """Name the attribute *name* (``{namespace}local``) of *node* for a path, with a prefix where the form has one."""
    uri, _, local = name.removeprefix("{").rpartition("}")
    known = {uri: prefix for prefix, uri in node.nsmap.items() if prefix} | {_XML: "xml"}
    return "@" + shown_name(f"{known[uri]}:{local}" if uri in known else local)


def locate(root: etree._Element, path: str | None) -> etree._Element | None:
    """The element that libxml2 names by *path*, in which ``*`` stands for any name in a default namespace."""
    if not path:
        return None
    node: etree._Element | None = root
    for step in path.split("/")[2:]:
        parsed = _STEP.fullmatch(step)
        if parsed is None or node is None or step.startswith("@"):
            return node
        test = "*" if parsed["name"] == "*" else "*[name()=$name]"
        found = cast("list[Any]", node.xpath(f"{test}[{int(parsed['index'] or 1)}]", name=parsed["name"]))
        node = found[0] if found else None
    return node
