"""Mend the children of elements where a form is wrong, so that what hides behind a fault shows."""

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
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
    _numbers: dict[etree._Element, dict[etree._Element, int]] = field(default_factory=dict)
    """The numbers of an element's children until the next mending, as very many of them may be asked for."""

    def apply(self, mends: Sequence[Mend]) -> None:
        """Do what *mends* say."""
        self._numbers.clear()
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
        if parent not in self._numbers:
            self._numbers[parent] = dict(self._numbered(parent))
        number = self._numbers[parent][node]
        return name_of(node) + (f"[{number}]" if number else "")

    def _numbered(self, parent: etree._Element) -> Iterator[tuple[etree._Element, int]]:
        """The children of *parent* with their numbers as the form came, 0 for the only one of its name."""
        children = list(parent.iterchildren(etree.Element))
        left = Counter(str(child.tag) for child in children if child not in self.put_in)
        before: Counter[str] = Counter()
        gone_before: Counter[str] = Counter()
        for child in children:
            tag = str(child.tag)
            gone = self.taken.get((parent, tag), ())
            number = 1 + before[tag] + gone_before[tag]
            while gone_before[tag] < len(gone) and gone[gone_before[tag]] <= number:
                gone_before[tag] += 1
                number += 1
            yield child, number if gone or left[tag] > 1 else 0
            before[tag] += child not in self.put_in

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
