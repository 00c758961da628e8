"""
What was sent against what came back: every value that was lost, added, changed or moved, by its path.

Blind to what means nothing: prefixes, white space between elements, comments, the order of attributes and of JSON
members, spellings of one number, and (unless told otherwise) nil or null against missing. An empty element is not a
missing one: Altinn 2 tells them apart (facts/altinn2.md 2.10).
"""

import itertools
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import Any

from lxml import etree

from bridge.core.errors import Finding
from bridge.core.ids import shown_name
from bridge.forms.conversion.converter import Converter
from bridge.forms.conversion.model import TYPE, TYPE_MEMBER, Content, ElementDecl, Kind, content_at
from bridge.forms.json.input import Json, Number, read_exact
from bridge.forms.rows import equal_rows, longest_run
from bridge.forms.xml.content_model import readable
from bridge.forms.xml.input import NIL, Limits, ParsedXml, is_nil, is_xml, root_of
from bridge.forms.xml.prefixes import Prefixes

_MOST_PAIRS = 250_000
"""Above so many pairs of unlike rows, rows are compared by their place alone."""
_BLANK = " \t\r\n"
_BLANKS = re.compile(f"[{_BLANK}]+")
_MOMENT = re.compile(r"-?\d{4,}-\d\d-\d\d(?:T[\d:.]+)?(?:Z|[+-]\d\d:\d\d)?|\d\d:\d\d:[\d.]+(?:Z|[+-]\d\d:\d\d)?")
_LONGEST_PATH = 1_000
_END = (None, None)
"""What stands behind the last pair of equal rows."""


class Change(Enum):
    """What became of a value."""

    LOST = "lost"
    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value that is not as it was sent: *path* is where it stood, or where it stands if it was added."""

    path: str
    change: Change
    old: str | None = field(default=None, repr=False)
    new: str | None = field(default=None, repr=False)

    def finding(self) -> Finding:
        """Tell it without the values."""
        return Finding(path=self.path, rule=self.change.value)


@dataclass(frozen=True, slots=True)
class _Node:
    """
    A place in either kind of form.

    *value* is None for a group, *same* what makes two values equal, *keeps_order* if the order of children of
    different names means something, *listed* if it is an item of a JSON list.
    """

    name: str
    label: str
    value: str | None
    same: object
    children: tuple["_Node", ...] = ()
    keeps_order: bool = False
    digest: int = 0
    listed: bool = False

    def leaves(self) -> Iterator[tuple[object, ...]]:
        if self.value is not None:
            yield (self.name, self.same)
        for child in self.children:
            for leaf in child.leaves():
                yield (self.name, *leaf)


def differences(
    sent: bytes | str | ParsedXml,
    came_back: bytes | str | ParsedXml,
    *,
    converter: Converter | None = None,
    nil_is_missing: bool = True,
    limits: Limits | None = None,
) -> tuple[Difference, ...]:
    """
    Hold *came_back* against *sent*; each is XML or JSON. Paths are those of *sent*'s kind.

    With *converter*, numbers and truth values are compared as such also in XML and in quoted JSON; without it, XML is
    compared as text. Where one is XML and the other JSON, *converter* must be given, which makes the XML JSON first.

    Raises:
        Unreadable: One of them is neither.
        Unconvertible: One is XML, the other JSON, and the XML does not have the shape.
        ValueError: One is XML, the other JSON, and there is no converter.
    """
    limits = limits or Limits()
    reader = _Reader(converter=converter, nil_is_missing=nil_is_missing)
    if is_xml(sent) and is_xml(came_back):
        old, new = (reader.xml(root_of(form, limits)) for form in (sent, came_back))
    else:
        forms = [_as_json(form, converter) for form in (sent, came_back)]
        old, new = (reader.json(read_exact(form, limits)) for form in forms)
    if old.name != new.name:
        return (*_all(old, "/" + old.label, Change.LOST), *_all(new, "/" + new.label, Change.ADDED))
    return tuple(_compare(old, new, "/" + old.label if old.label else ""))


def without_idle_blanks(found: Sequence[Difference]) -> tuple[Difference, ...]:
    """Leave out of what was *found* without a schema where only blanks around a date or time differ, for people."""
    return tuple(each for each in found if not _is_one_moment(each.old, each.new))


def _is_one_moment(old: str | None, new: str | None) -> bool:
    if old is None or new is None or old.strip(_BLANK) != new.strip(_BLANK):
        return False
    return _MOMENT.fullmatch(new.strip(_BLANK)) is not None


def _as_json(form: bytes | str | ParsedXml, converter: Converter | None) -> bytes | str:
    if not isinstance(form, ParsedXml) and not is_xml(form):
        return form
    if converter is None:
        raise ValueError("XML against JSON needs the shape of the form")
    return (
        converter.json_of(form.root, of_app=True)
        if isinstance(form, ParsedXml)
        else converter.to_json(form, of_app=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads both kinds of form into the same kind of tree."""

    converter: Converter | None
    nil_is_missing: bool
    prefixes: Prefixes = field(default_factory=Prefixes)

    def xml(self, root: etree._Element) -> _Node:
        place = self.converter.model.roots.get(str(root.tag)) if self.converter else None
        return self._element(root, place) or _group(str(root.tag), _local(str(root.tag)), [], keeps_order=True)

    def json(self, value: Json) -> _Node:
        place = self.converter.only_root if self.converter else None
        return self._value("", value, place.content if place else None) or _group("", "", [], keeps_order=False)

    def _element(self, node: etree._Element, place: ElementDecl | None) -> _Node | None:
        tag = str(node.tag)
        label = _local(tag)
        content = place.content if place else None
        if content is not None and content.types:
            content = content_at(node, content, self.prefixes)
        nil = is_nil(node)
        children = []
        for key, text in node.attrib.items():
            name = str(key)
            if name == TYPE:
                # Its prefix means nothing.
                children.append(
                    _leaf("@" + name, "@type", self.prefixes.named(node, str(text)) or str(text), kind=None)
                )
            elif name != NIL:
                known = content.attributes.get(name) if content else None
                children.append(_leaf("@" + name, "@" + _local(name), str(text), kind=known.kind if known else None))
        inner = [child for child in node if _is_element(child)]
        text = "".join([node.text or "", *(child.tail or "" for child in node)])
        if inner or (content is not None and content.kind is None):
            for child in inner:
                known_place = content.children.get(str(child.tag)) if content else None
                made = self._element(child, known_place)
                if made is not None:
                    children.append(made)
            if text.strip(_BLANK):
                children.append(_leaf("text()", "text()", text, kind=None))
            if nil and not children:
                return None if self.nil_is_missing else _leaf(tag, label, "", kind=None, nil=True)
            return _group(tag, label, children, keeps_order=content is None or not _is_all(content))
        if nil:
            if not children:
                return None if self.nil_is_missing else _leaf(tag, label, "", kind=None, nil=True)
            own = [] if self.nil_is_missing else [_leaf("text()", "", "", kind=None, nil=True)]
            return _group(tag, label, [*own, *children], keeps_order=True)
        if content is None and "\n" in text and not text.strip(_BLANK):
            text = ""  # Indentation of an empty group, most likely; with a converter it is known.
        kind = content.kind if content else None
        if not children:
            return _leaf(tag, label, text, kind=kind)
        return _group(tag, label, [_leaf("text()", "", text, kind=kind), *children], keeps_order=True)

    def _value(self, name: str, value: Json, content: Content | None, *, kind: Kind | None = None) -> _Node | None:
        label = _escaped(name)
        if value is None:
            return None if self.nil_is_missing else _leaf(name, label, "", kind=None, nil=True)
        if type(value) is not dict:
            if type(value) is list:
                return _group(name, label, list(self._items("", value, content, kind=kind)), keeps_order=True)
            return _json_leaf(name, label, value, kind=content.kind if content else kind)
        children: list[_Node] = []
        typed = content.type_members.get(str(value.get(TYPE_MEMBER))) if content else None
        content = typed.content if typed else content
        for member, given in value.items():
            place = content.members.get(member) if content else None
            attribute = content.attribute_members.get(member) if content else None
            inner = place.content if place else None
            inner_kind = attribute.kind if attribute else content.kind if content and member == "value" else None
            if type(given) is list:
                # An empty list is no items, as is a missing one.
                children += self._items(member, given, inner, kind=inner_kind)
            else:
                made = self._value(member, given, inner, kind=inner_kind)
                if made is not None:
                    children.append(made)
        return _group(name, label, children, keeps_order=False)

    def _items(
        self, name: str, items: Sequence[Json], content: Content | None, *, kind: Kind | None
    ) -> Iterator[_Node]:
        for item in items:
            made = self._value(name, item, content, kind=kind)
            # A null item holds its place, so that the ones after it keep theirs.
            yield replace(made or _leaf(name, _escaped(name), "", kind=None, nil=True), listed=True)


def _is_all(content: Content) -> bool:
    """Whether the schema lets elements stand in any order, which then means nothing (``xs:all``)."""
    order = content.order
    return order is not None and not order.choice and not order.repeats and not content.any_element


def _is_element(node: Any) -> bool:
    return isinstance(node.tag, str)


@lru_cache(maxsize=10_000)
def _escaped(name: str) -> str:
    return shown_name(name).replace("~", "~0").replace("/", "~1")


_local = lru_cache(maxsize=10_000)(readable)


def _leaf(name: str, label: str, text: str, *, kind: Kind | None, nil: bool = False) -> _Node:
    same: object = ("nil",) if nil else text
    if kind in {Kind.NUMBER, Kind.REAL}:
        same = _number(text)
    elif kind is Kind.BOOLEAN:
        same = {"1": "true", "0": "false"}.get(text.strip(_BLANK), text.strip(_BLANK))
    elif kind is Kind.COLLAPSED and not nil:
        same = " ".join(each for each in _BLANKS.split(text) if each)
    return _Node(name, label, text, same, (), False, hash((name, same)))


def _json_leaf(name: str, label: str, value: Json, *, kind: Kind | None) -> _Node:
    if type(value) is bool:
        return _leaf(name, label, "true" if value else "false", kind=Kind.BOOLEAN)
    if kind is None and type(value) is Number:
        kind = Kind.NUMBER
    return _leaf(name, label, str(value), kind=kind)


def _number(text: str) -> str:
    """Spell a number in one way. A string, since the hashes of -1 and -2 are the same."""
    text = text.strip(_BLANK)
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        return text
    if not isinstance(exponent, int):
        return text  # Infinity, or no number.
    written = "".join(map(str, digits)).lstrip("0")
    bare = written.rstrip("0")
    return f"{'-' * sign}{bare}e{exponent + len(written) - len(bare)}" if bare else "0"


def _group(name: str, label: str, children: list[_Node], *, keeps_order: bool) -> _Node:
    if keeps_order:
        ordered = tuple(child.digest for child in children if not child.name.startswith("@"))
        loose = frozenset(child.digest for child in children if child.name.startswith("@"))
        digest = hash((name, ordered, loose))
    else:
        by_name: dict[str, list[int]] = {}
        for child in children:
            by_name.setdefault(child.name, []).append(child.digest)
        digest = hash((name, frozenset((key, tuple(value)) for key, value in by_name.items())))
    return _Node(name, label, None, None, tuple(children), keeps_order, digest)


def _compare(old: _Node, new: _Node, path: str) -> Iterator[Difference]:
    if old.digest == new.digest:
        return
    if old.value is not None and new.value is not None:
        if old.same != new.same:
            yield _change(path, old, new)
        return
    if old.value is not None or new.value is not None:
        yield from _half(old, new, path)
        return
    yield from _children(old, new, path)


def _change(path: str, old: _Node, new: _Node) -> Difference:
    if new.same == ("nil",):
        return Difference(path=path or "/", change=Change.LOST, old=old.value)
    if old.same == ("nil",):
        return Difference(path=path or "/", change=Change.ADDED, new=new.value)
    return Difference(path=path or "/", change=Change.CHANGED, old=old.value, new=new.value)


def _half(old: _Node, new: _Node, path: str) -> Iterator[Difference]:
    """A value on one side and a group on the other: XML has one where an element got its first attribute."""
    held, group = (old, new) if old.value is not None else (new, old)
    if not (held.value or "").strip(_BLANK):
        # An empty element, of which only a schema knows that it is a group.
        yield from _children(*((_emptied(group), group) if held is old else (group, _emptied(group))), path)
        return
    own = next((child for child in group.children if child.name in {"text()", "value"}), None)
    if own is not None and own.same == held.same:
        rest = [child for child in group.children if child is not own]
        for child in rest:
            yield from _all(child, below(path, child.label), Change.ADDED if held is old else Change.LOST)
        return
    yield from _all(old, path or "/", Change.LOST)
    yield from _all(new, path or "/", Change.ADDED)


def _emptied(group: _Node) -> _Node:
    return replace(group, children=())


def _children(old: _Node, new: _Node, path: str) -> Iterator[Difference]:
    names = dict.fromkeys(child.name for child in (*old.children, *new.children))
    before, after = _by_name(old), _by_name(new)
    matched: dict[int, int] = {}
    for name in names:
        olds, news = before.get(name, []), after.get(name, [])
        pairs = _pair([node for _, node in olds], [node for _, node in news])
        lone_old = set(range(len(olds))) - {first for first, _ in pairs}
        lone_new = set(range(len(news))) - {second for _, second in pairs}
        # What is gone in one place and there, unchanged, in another has moved.
        where: dict[int, deque[int]] = {}
        for second in sorted(lone_new):
            where.setdefault(news[second][1].digest, deque()).append(second)
        for first in sorted(lone_old):
            twins = where.get(olds[first][1].digest)
            if twins:
                lone_new.discard(twins.popleft())
                lone_old.discard(first)
                yield Difference(path=_step(path, olds, first), change=Change.MOVED, old=_text(olds[first][1]))
        for first, second in pairs:
            matched[olds[first][0]] = news[second][0]
            yield from _compare(olds[first][1], news[second][1], _step(path, olds, first))
        for first in sorted(lone_old):
            yield from _all(olds[first][1], _step(path, olds, first), Change.LOST)
        for second in sorted(lone_new):
            yield from _all(news[second][1], _step(path, news, second), Change.ADDED)
    if old.keeps_order and new.keeps_order and (moved := _out_of_order(matched, old)):
        own = {index: number for nodes in before.values() for number, (index, _) in enumerate(nodes)}
        for index in moved:
            node = old.children[index]
            step = _step(path, before[node.name], own[index])
            yield Difference(path=step, change=Change.MOVED, old=_text(node))


def _by_name(node: _Node) -> Mapping[str, list[tuple[int, _Node]]]:
    result: dict[str, list[tuple[int, _Node]]] = {}
    for index, child in enumerate(node.children):
        result.setdefault(child.name, []).append((index, child))
    return result


def _pair(olds: Sequence[_Node], news: Sequence[_Node]) -> list[tuple[int, int]]:
    """Which row became which, in order: equal ones first, then between them those that have most in common."""
    if len(olds) == 1 == len(news):
        return [(0, 0)]
    pairs: list[tuple[int, int]] = []
    first = second = 0
    for old, new in (*equal_rows([each.digest for each in olds], [each.digest for each in news]), _END):
        between = olds[first:old], news[second:new]
        pairs += [(first + one, second + other) for one, other in _likest(*between)]
        if old is not None and new is not None:
            pairs.append((old, new))
            first, second = old + 1, new + 1
    return pairs


def _likest(olds: Sequence[_Node], news: Sequence[_Node]) -> list[tuple[int, int]]:
    """Align two runs of unlike rows so that as many values as possible stay where they were."""
    if not olds or not news:
        return []
    if len(olds) * len(news) > _MOST_PAIRS:
        return [(index, index) for index in range(min(len(olds), len(news)))]
    # best[i][j]: (values kept, rows paired) when the rows from i and j on are aligned.
    best = [[(0, 0)] * (len(news) + 1) for _ in range(len(olds) + 1)]
    numbers: dict[tuple[object, int], int] = {}
    kept_by = [_numbered(node, numbers) for node in news]
    alike = [[len(values & kept) for kept in kept_by] for values in (_numbered(node, numbers) for node in olds)]
    for i in range(len(olds) - 1, -1, -1):
        for j in range(len(news) - 1, -1, -1):
            kept, paired = best[i + 1][j + 1]
            best[i][j] = max((kept + alike[i][j], paired + 1), best[i + 1][j], best[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(olds) and j < len(news):
        kept, paired = best[i + 1][j + 1]
        if best[i][j] == (kept + alike[i][j], paired + 1):
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _numbered(node: _Node, numbers: dict[tuple[object, int], int]) -> set[int]:
    """A number for each value in *node*, the same for the same value: sets of those are compared fast."""
    times: Counter[object] = Counter()
    found = set()
    for leaf in node.leaves():
        times[leaf] += 1
        found.add(numbers.setdefault((leaf, times[leaf]), len(numbers)))
    return found


def _out_of_order(matched: Mapping[int, int], old: _Node) -> list[int]:
    """Name the children outside the longest run that kept its order; attributes have none."""
    places = [index for index in sorted(matched) if not old.children[index].name.startswith("@")]
    if all(matched[one] < matched[two] for one, two in itertools.pairwise(places)):
        return []
    kept = {places[first] for first, _ in longest_run(places, sorted(places, key=lambda index: matched[index]))}
    return [index for index in places if index not in kept]


def _step(path: str, nodes: Sequence[tuple[int, _Node]], index: int) -> str:
    """Name one of the children of one name: XML counts from 1 where there are several, JSON from 0 in every list."""
    node = nodes[index][1]
    if node.listed:
        return below(path, f"{node.label}/{index}" if node.label else str(index))
    return below(path, f"{node.label}[{index + 1}]" if len(nodes) > 1 else node.label)


def below(path: str, step: str) -> str:
    """Name what stands at *step* in *path*; of what is very deep only what it is in, or the paths would be the form."""
    return f"{path}/{step}" if step and len(path) <= _LONGEST_PATH else path


def _all(node: _Node, path: str, change: Change) -> Iterator[Difference]:
    """Tell of every value in *node*; of a group without any, itself."""
    # Not by itself: each value would come up through all that it is in.
    waiting = [iter(((node, path),))]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
        elif found[0].value is None and found[0].children:
            waiting.append(_inside(*found))
        else:
            text = _text(found[0])
            old, new = (text, None) if change is Change.LOST else (None, text)
            yield Difference(path=found[1] or "/", change=change, old=old, new=new)


def _inside(node: _Node, path: str) -> Iterator[tuple[_Node, str]]:
    for nodes in _by_name(node).values():
        for index, (_, child) in enumerate(nodes):
            yield child, _step(path, nodes, index)


def _text(node: _Node) -> str:
    return node.value or ""
