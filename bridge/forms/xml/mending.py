"""Mend the children of elements where a form is wrong, so that what hides behind a fault shows."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from bridge.forms.paths import name_of
from bridge.forms.xml.content_model import readable
from bridge.forms.xml.large import count_faults

MOST_STEPS = 10_000_000
"""So many faults times markup may be asked for: libxml2 walks the siblings of each."""


@dataclass(frozen=True, slots=True)
class TakeOut:
    """Take *node* away."""

    node: etree._Element


@dataclass(frozen=True, slots=True)
class PutIn:
    """Put an empty *tag* into *parent*, at the end or *before* one of its children."""

    parent: etree._Element
    before: etree._Element | None
    tag: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Put *node*, and what in it is in its namespace, into that of *tag*."""

    node: etree._Element
    tag: str


Mend = TakeOut | PutIn | Rename


@dataclass(slots=True)
class Mended:
    """What was put into a form and taken out of it."""

    put_in: set[etree._Element] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    """The local names of what was put in or taken out."""
    taken: dict[tuple[etree._Element, str], list[int]] = field(default_factory=dict)
    """Which of an element's children of a name are gone."""

    def apply(self, mends: Sequence[Mend]) -> None:
        """Do what *mends* say."""
        for mend in mends:
            match mend:
                case TakeOut(node):
                    self._take_out(node)
                case Rename(node, tag):
                    _rename(node, tag)
                case PutIn(parent, before, tag):
                    new = etree.Element(tag)
                    self.moved.add(readable(tag))
                    self.put_in.add(new)
                    if before is None:
                        parent.append(new)
                    else:
                        before.addprevious(new)

    def _take_out(self, node: etree._Element) -> None:
        self.moved.update(etree.QName(each).localname for each in node.iter(etree.Element))
        parent = node.getparent()
        if parent is not None:
            bisect.insort(self.taken.setdefault((parent, str(node.tag)), []), self._number(node, parent))
            parent.remove(node)

    def step(self, node: etree._Element) -> str:
        """Name *node* inside its parent as the form came, with its number where it has one."""
        parent = node.getparent()
        if parent is None:
            return name_of(node)
        number, gone = self._number(node, parent), self.taken.get((parent, str(node.tag)))
        following = (each for each in node.itersiblings(str(node.tag)) if each not in self.put_in)
        alone = number == 1 and not gone and next(following, None) is None
        return name_of(node) + ("" if alone else f"[{number}]")

    def _number(self, node: etree._Element, parent: etree._Element) -> int:
        before = node.itersiblings(str(node.tag), preceding=True)
        number = 1 + sum(each not in self.put_in for each in before)
        for gone in self.taken.get((parent, str(node.tag)), ()):
            number += gone <= number
        return number


def _rename(node: etree._Element, tag: str) -> None:
    wrong, right = etree.QName(node).namespace, etree.QName(tag).namespace
    for each in [node for node in node.iter(etree.Element) if etree.QName(node).namespace == wrong]:
        local = etree.QName(each).localname
        each.tag = f"{{{right}}}{local}" if right else local


def too_many_show(schema: etree.XMLSchema, root: etree._Element) -> bool:
    """Whether the mended *root* has more faults than can be asked for, as what hid behind one may be all the rest."""
    data = etree.tostring(root, encoding="utf-8")
    markup = data.count(b"<") + data.count(b"=")
    return count_faults(schema, data, MOST_STEPS // markup) * markup > MOST_STEPS
