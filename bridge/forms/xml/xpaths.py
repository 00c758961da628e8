"""
What an XPath can find in forms of a schema, without any form: a path that can find nothing never does anything.

It is walked over the schema's own tree, and where it cannot be followed (a wildcard, a variable) it may find anything.
"""

import difflib
from collections.abc import Iterable

from elementpath import ElementPathError, XPath1Parser, XPathToken

from bridge.forms.xml.schema_tree import ANYTHING, DOCUMENT, Found, SchemaTree, Sort, Spot

_MOST_NAMES = 8


class Walk:
    """One expression on its way over a schema; *faults* are the steps that can find nothing."""

    def __init__(self, tree: SchemaTree) -> None:
        self._tree = tree
        self.faults: list[str] = []

    def find(self, expression: str, *, seen_from: Found | None = None) -> Found:
        """What *expression* can find, seen from the root or from *seen_from*."""
        try:
            token = XPath1Parser().parse(expression)
        except ElementPathError:
            return ANYTHING  # What lxml takes and this does not is not judged.
        found = self._value(token, Found(frozenset((DOCUMENT,))) if seen_from is None else seen_from)
        return ANYTHING if found is None else found

    def _value(self, token: XPathToken, at: Found) -> Found | None:
        """Walk over *token* from *at*: what it finds, or None where it is no set of nodes."""
        match token.symbol, len(token):
            case ("(name)" | "*" | "text" | "node", 0):
                return self._tested(token, self._children(token, at), at)
            case ("comment" | "processing-instruction" | "id" | "$" | ":" | "namespace", _):
                return ANYTHING
            case (".", 0):
                return at
            case ("..", 0):
                return self._tree.above(at)
            case ("@" | "attribute", 1):
                return self._tested(token[0], self._tree.attributes(at), at, mark="@")
            case ("/" | "//", 0):
                return Found(frozenset((DOCUMENT,)))
            case ("/", 1):
                return self._value(token[0], Found(frozenset((DOCUMENT,))))
            case ("//", 1):
                return self._value(token[0], self._tree.within(Found(frozenset((DOCUMENT,)))))
            case ("/" | "//", 2):
                left = self._nodes(token[0], at)
                return self._value(token[1], left if token.symbol == "/" else self._tree.within(left))
            case ("[", 2):
                found = self._nodes(token[0], at)
                position = _position_asked_for(token[1])
                if position is None or not _counts_children(token[0]):
                    return self._filtered(token[1], found)
                return self._in_place(position, found, at)
            case ("(", 1):
                return self._value(token[0], at)
            case ("|", 2):
                return self._nodes(token[0], at) | self._nodes(token[1], at)
            case _ if token.label == "axis" and len(token) == 1:
                return self._tested(token[0], self._along(token.symbol, token[0], at), at)
            case _:
                for each in token:
                    self._value(each, at)
                return None

    def _nodes(self, token: XPathToken, at: Found) -> Found:
        found = self._value(token, at)
        return ANYTHING if found is None else found

    def _children(self, test: XPathToken, at: Found) -> Found:
        elements, texts = self._tree.below(at), self._tree.texts(at)
        match test.symbol:
            case "text":
                return texts
            case "node":
                return elements | texts
            case _:
                return elements

    def _along(self, axis: str, test: XPathToken, at: Found) -> Found:
        tree = self._tree
        match axis:
            case "child":
                return self._children(test, at)
            case "self":
                return at
            case "parent":
                return tree.above(at)
            case "descendant":
                return self._children(test, tree.within(at))
            case "descendant-or-self":
                return tree.within(at) | self._children(test, tree.within(at))
            case "ancestor":
                return tree.around(tree.above(at))
            case "ancestor-or-self":
                return tree.around(at)
            case "following-sibling" | "preceding-sibling":
                return self._children(test, tree.above(at))
            case "following" | "preceding":
                return tree.within(Found(frozenset((DOCUMENT,)), more=at.more))
            case _:
                return ANYTHING

    def _tested(self, test: XPathToken, among: Found, at: Found, *, mark: str = "") -> Found:
        """Choose those of *among* that fit the node test, and say so where there are none."""
        match test.symbol:
            case "(name)":
                fitting = {each for each in among.spots if (each.uri, each.name) == ("", _said(test))}
                return self._or_fault(Found(frozenset(fitting), among.more), _said(test), among, at=at, mark=mark)
            case "*":
                kept = {each for each in among.spots if each.sort in (Sort.ELEMENT, Sort.ATTRIBUTE)}
                return self._or_fault(Found(frozenset(kept), among.more), "*", among, at=at, mark=mark)
            case "text":
                texts = frozenset(each for each in among.spots if each.sort is Sort.TEXT)
                return self._or_fault(Found(texts, among.more), "text()", among, at=at)
            case "node":
                return among
            case _:
                return ANYTHING

    def _filtered(self, condition: XPathToken, found: Found) -> Found:
        """Take those away that a condition on their names excludes; of other conditions only the paths are walked."""
        if condition.symbol == "and" and len(condition) == 2:
            return self._filtered(condition[1], self._filtered(condition[0], found))
        wanted = _name_asked_for(condition)
        if wanted is None:
            self._value(condition, found)
            return found
        about, text = wanted
        kept = {each for each in found.spots if (each.uri if about == "uri" else each.name) == text}
        return self._or_fault(Found(frozenset(kept), found.more), text, found, at=found, about=about)

    def _in_place(self, position: int, found: Found, at: Found) -> Found:
        """*found*, or a fault where fewer of them may stand in what holds them than the *position* asked for."""
        most = self._tree.most(found, at)
        if found.more or at.more or not found.spots or most is None or 1 <= position <= most:
            return found
        names = " or ".join(sorted({each.name for each in found.spots}))
        times = "once" if most == 1 else f"{most} times"
        said = f"{names} may stand {times}{_where(at)}" if position > 0 else "positions are counted from 1"
        self.faults.append(f"no form of this schema has anything at [{position}]: {said}")
        return ANYTHING

    def _or_fault(
        self, result: Found, name: str, among: Found, *, at: Found, mark: str = "", about: str = "step"
    ) -> Found:
        """*result*, or where there can be none, anything, after saying so: what follows is not told as well."""
        if result.spots or result.more or not at.spots or at.more:
            return result
        self.faults.append(self._fault(name, among, at, mark=mark, about=about))
        return ANYTHING

    def _fault(self, name: str, among: Found, at: Found, *, mark: str, about: str) -> str:
        if about == "uri":
            known = sorted({each.uri or "none" for each in among.spots})
            return f"no element here is in the namespace {name!r}; known is {', '.join(known)}"
        where = _where(at) if about == "step" else ""
        asked = f"{mark}{name}" if about == "step" else f"anything named {name!r}"
        said = f"no form of this schema has {asked}{where}"
        twins = [each for each in among.spots if each.name == name and each.uri]
        if twins and about == "step":
            written = f"{mark}*[local-name()='{name}']"
            return f"{said}: its {name} is in the namespace {twins[0].uri}; write {written}"
        others = self._tree.below(at) if mark else self._tree.attributes(at)
        if any(each.name == name for each in others.spots):
            return f"{said}: it is an {'element' if mark else 'attribute'}; write {'' if mark else '@'}{name}"
        return said + _likely(name, among.spots, mark=mark)


def _said(token: XPathToken) -> str:
    """The name, text or number that *token* is, as it is written."""
    return str(token.value)


def _position_asked_for(condition: XPathToken) -> int | None:
    """The number in ``[2]`` and ``[position() = 2]``, either way round."""
    if condition.symbol == "(integer)":
        return int(_said(condition))
    if condition.symbol == "=" and len(condition) == 2:
        for function, number in ((condition[0], condition[1]), (condition[1], condition[0])):
            if function.symbol == "position" and number.symbol == "(integer)":
                return int(_said(number))
    return None


def _counts_children(step: XPathToken) -> bool:
    """Whether positions at *step* are counted among the children of one element, filtered by no position before."""
    while step.symbol == "[":
        if _name_asked_for(step[1]) is None:
            return False
        step = step[0]
    return step.symbol in ("(name)", "*", "child") and (len(step) == 0 or step.symbol == "child")


def _name_asked_for(condition: XPathToken) -> tuple[str, str] | None:
    """What ``local-name() = 'x'``, ``name() = 'x'`` or ``namespace-uri() = 'u'``, either way round, asks for."""
    if condition.symbol != "=" or len(condition) != 2:
        return None
    for function, literal in ((condition[0], condition[1]), (condition[1], condition[0])):
        plain = not len(function) or (len(function) == 1 and function[0].symbol == ".")
        if literal.symbol == "(string)" and plain:
            if function.symbol in ("local-name", "name"):
                return "name", _said(literal).rpartition(":")[2] if function.symbol == "name" else _said(literal)
            if function.symbol == "namespace-uri":
                return "uri", _said(literal)
    return None


def _where(at: Found) -> str:
    names = sorted({each.name for each in at.spots if each.sort is not Sort.DOCUMENT})
    if not names:
        return " at its root"
    return f" in {names[0]}" if len(names) == 1 else ""


def _likely(name: str, spots: Iterable[Spot], *, mark: str) -> str:
    known = sorted({each.name for each in spots if each.sort is not Sort.TEXT})
    if close := difflib.get_close_matches(name, known, n=1):
        return f": did you mean {mark}{close[0]}?"
    if not known:
        return ""
    return f"; known are {', '.join(known[:_MOST_NAMES])}{', …' if len(known) > _MOST_NAMES else ''}"
