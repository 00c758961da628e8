"""
Where an app stopped reading a form.

.NET reads the elements of a group in the order of its class: at one that it does not know, or not there, it looks to
the end of the class and finds nothing that follows (facts/altinn3-and-tokens.md 1.11). All of that is lost without a
word, and of all these paths one says why.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from bridge.forms.conversion.converter import Converter
from bridge.forms.conversion.model import Content, content_at
from bridge.forms.diff import Change, Difference, below
from bridge.forms.xml.content_model import readable
from bridge.forms.xml.input import NIL, Limits, ParsedXml, is_nil, is_xml, root_of
from bridge.forms.xml.prefixes import Prefixes

_INDEX = re.compile(r"\[\d+\]")


def stopped_at(
    sent: bytes | ParsedXml,
    came_back: bytes | ParsedXml,
    found: Sequence[Difference],
    *,
    converter: Converter | None,
    limits: Limits | None = None,
) -> tuple[str, ...]:
    """
    Name the elements of *sent* (XML) behind which nothing of their group *came_back*, by the differences *found*.

    An app reads JSON by name, in any order, so of that there is none. Of one that its schema takes where it stands this
    is believed only if something behind it is lost as well; what an app calculates may change. Of a group of which all
    is lost it is the first element, or the group itself where that did not come back either.

    Raises:
        Unreadable: One of the two is no XML that we take.
    """
    lost = {each.path for each in found if each.change is Change.LOST}
    if not lost or not is_xml(sent) or not is_xml(came_back):
        return ()
    limits = limits or Limits()
    root = root_of(sent, limits)
    place = None if converter is None else converter.model.roots.get(str(root.tag))
    changed = {each.path for each in found if each.change is Change.CHANGED}
    walk = _Walk(lost, changed, _places(root_of(came_back, limits)), Prefixes())
    return tuple(walk.look(root, "/" + _label(root), None if place is None else place.content).causes)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Whether nothing of an element came back, and where in it an app stopped."""

    gone: bool
    causes: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Walk:
    lost: Collection[str]
    changed: Collection[str]
    kept: Collection[str]
    """The places of the answer, without the numbers of rows."""
    prefixes: Prefixes

    def look(self, node: etree._Element, path: str, content: Content | None) -> _Seen:
        """
        Look at *node* and all in it, each once.

        An element that did not come back and one that came back empty are the same to the group that it stands in.
        """
        content = None if content is None else content_at(node, content, self.prefixes)
        children = list(_children(node, path))
        seen = [self.look(child, where, _place(content, child)) for child, where in children]
        parts = [True] if path in self.lost else []
        parts += [below(path, f"@{readable(str(name))}") in self.lost for name in node.attrib if name != NIL]
        gone = bool(parts or seen) and all(parts) and all(each.gone for each in seen)
        first = next((number for number, each in enumerate(seen) if each.gone), len(seen))
        rest = range(first + 1, len(seen))
        if not rest or not all(seen[each].gone or children[each][1] in self.changed for each in rest):
            return _Seen(gone, [cause for each in seen for cause in each.causes])
        unknown = content is not None and not _is_taken([child for child, _ in children[: first + 1]], content)
        # Of what is very deep there are no paths of its own by which it could be told apart.
        nameless = children[first][1] == path
        if not unknown and (nameless or not any(seen[each].gone for each in rest)):
            return _Seen(gone, [cause for each in seen for cause in each.causes])
        cause = path if gone and not unknown and _INDEX.sub("", path) not in self.kept else children[first][1]
        return _Seen(gone, [*(inner for each in seen[:first] for inner in each.causes), cause])


def _place(content: Content | None, child: etree._Element) -> Content | None:
    place = None if content is None else content.children.get(str(child.tag))
    return None if place is None else place.content


def _is_taken(children: Sequence[etree._Element], content: Content) -> bool:
    """Whether the schema takes the last of *children* behind the others; of wildcards an app's class knows none."""
    places = [place for child in children if (place := content.children.get(str(child.tag))) is not None]
    if not places or content.children.get(str(children[-1].tag)) is None:
        return False
    return content.order is not None or all(place.index <= places[-1].index for place in places)


def _places(root: etree._Element) -> Collection[str]:
    """The paths of all elements, without the numbers of rows."""
    waiting, found = [(root, "/" + _label(root))], set()
    while waiting:
        node, path = waiting.pop()
        found.add(path)
        waiting += [(child, below(path, _label(child))) for child in node if isinstance(child.tag, str)]
    return found


def _children(node: etree._Element, path: str) -> Iterator[tuple[etree._Element, str]]:
    """The children with their paths as ``differences`` writes them; nil is nothing to it."""
    found = [child for child in node if isinstance(child.tag, str) and not is_nil(child)]
    several = Counter(child.tag for child in found)
    seen: Counter[object] = Counter()
    for child in found:
        seen[child.tag] += 1
        index = f"[{seen[child.tag]}]" if several[child.tag] > 1 else ""
        yield child, below(path, f"{_label(child)}{index}")


def _label(node: etree._Element) -> str:
    return readable(str(node.tag))
