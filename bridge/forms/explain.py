"""
From libxml2's verdict to findings: which rule, where, with facts from the schema and nothing from the form.

libxml2 stops looking inside a parent at its first misplaced child. So that one refusal tells all, the tree is mended
there (the child taken out, or the missing one put in) and validated again. Its messages quote values, so of them only
the names of declared elements and attributes are read.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from lxml import etree

from bridge.core.errors import Finding
from bridge.core.ids import mask_identity_numbers
from bridge.forms.model import Declaration, SchemaModel
from bridge.forms.reading import Effort, Limits, line_of

MENDABLE_ELEMENTS = 5_000
"""Above this many elements a form is validated once: mending it again and again would take too long."""
ERRORS_PER_FINDING = 10
"""So many errors are looked at for each finding that may be told: several may be about one fault."""
_MOST_ROUNDS = 20

_CONTENT = re.compile(
    r": (?P<what>This element is not expected|Missing child element\(s\))\."
    r"(?: Expected is (?:one of )?\( (?P<names>.*) \)\.)?\Z",
    re.DOTALL,
)
_IS_MISSING = "' is required but missing."
_NUMBER = re.compile(r"\[(\d+)\]\Z")
_STEP = re.compile(r"(?P<name>[^\[]+)(?:\[(?P<index>\d+)\])?")

# libxml2's code -> our rule, and the facts that its sentence needs, by their name in the model.
_RULES = {
    "SCHEMAV_CVC_PATTERN_VALID": ("pattern", ("pattern",)),
    "SCHEMAV_CVC_ENUMERATION_VALID": ("enumeration", ("enumeration",)),
    "SCHEMAV_CVC_LENGTH_VALID": ("length", ("length",)),
    "SCHEMAV_CVC_MINLENGTH_VALID": ("min_length", ("minLength",)),
    "SCHEMAV_CVC_MAXLENGTH_VALID": ("max_length", ("maxLength",)),
    "SCHEMAV_CVC_MININCLUSIVE_VALID": ("min_inclusive", ("minInclusive",)),
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": ("max_inclusive", ("maxInclusive",)),
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": ("min_exclusive", ("minExclusive",)),
    "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": ("max_exclusive", ("maxExclusive",)),
    "SCHEMAV_CVC_TOTALDIGITS_VALID": ("total_digits", ("totalDigits",)),
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": ("fraction_digits", ("fractionDigits",)),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": ("type", ("type",)),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_2": ("type", ("type",)),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": ("type", ("type",)),
    "SCHEMAV_CVC_AU": ("fixed", ("fixed",)),
    "SCHEMAV_CVC_ELT_5_2_2_2_1": ("fixed", ("fixed",)),
    "SCHEMAV_CVC_ELT_5_2_2_2_2": ("fixed", ("fixed",)),
    "SCHEMAV_CVC_ELT_5_2_2_1": ("fixed", ("fixed",)),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": ("must_be_empty", ()),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": ("children_not_allowed", ()),
    "SCHEMAV_CVC_TYPE_3_1_2": ("children_not_allowed", ()),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": ("text_not_allowed", ()),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": ("unexpected_attribute", ()),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": ("unexpected_attribute", ()),
    "SCHEMAV_CVC_TYPE_3_1_1": ("unexpected_attribute", ()),
    "SCHEMAV_CVC_ELT_3_1": ("nil_not_allowed", ()),
    "SCHEMAV_CVC_ELT_3_2_1": ("nil_with_content", ()),
    "SCHEMAV_CVC_IDC": ("not_unique", ()),
}
_FIXED = "SCHEMAV_CVC_ELT_5_2_2_2_2"
_MOST_SPELLINGS = 500
_MOST_OPINIONS = 50
_OF_VALUES = {"pattern", "digits", "enumeration", "length", "min_length", "type"}


@dataclass(slots=True)
class _Search:
    """What is known while one refused form is looked through."""

    model: SchemaModel
    limits: Limits
    found: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    paths: dict[etree._Element, str] = field(default_factory=dict)
    put_in: set[etree._Element] = field(default_factory=set)
    taken_out: set[tuple[etree._Element, str]] = field(default_factory=set)
    excused: int = 0
    """Errors of libxml2 that are none: fixed values in another spelling."""
    cut: bool = False
    """Not all errors were looked at."""

    def add(self, rule: str, path: str, line: int, facts: dict[str, str]) -> None:
        key = (path, rule, facts.get("name", ""))
        self.found.setdefault(key, Finding(path=path, rule=rule, facts=facts, line=line))


@dataclass(frozen=True, slots=True)
class _TakeOut:
    node: etree._Element


@dataclass(frozen=True, slots=True)
class _PutIn:
    parent: etree._Element
    before: etree._Element | None
    tag: str


_Mend = _TakeOut | _PutIn


def refused_values(schema: etree.XMLSchema, root: etree._Element) -> Iterator[etree._Element]:
    """Give the elements whose own text *schema* refuses, of the first errors that it finds in *root*."""
    if not schema.validate(root):
        for error in itertools.islice(cast("Iterable[Any]", schema.error_log), _MOST_OPINIONS):
            rule, _ = _RULES.get(error.type_name, ("", ()))
            node = locate(root, error.path) if rule in _OF_VALUES and _attribute_of(error.message) is None else None
            if node is not None:
                yield node


def spell_fixed_values(schema: etree.XMLSchema, root: etree._Element, model: SchemaModel) -> bool:
    """
    Write fixed values as the schema does, where *schema* has just refused them as text; True if it accepts *root* then.

    Stops as soon as something else is wrong, which is for ``explain`` to tell.
    """
    for _ in range(_MOST_ROUNDS):
        errors = list(itertools.islice(cast("Iterable[Any]", schema.error_log), _MOST_SPELLINGS))
        nodes = [locate(root, error.path) for error in errors if error.type_name == _FIXED]
        if len(nodes) < len(errors):
            return False
        for node in nodes:
            spelling = None if node is None else model.fixed_spelling(node)
            if node is None or spelling is None:
                return False
            del node[:]  # Comments, between which the value may stand.
            node.text = spelling
        if schema.validate(root):
            return True
    return False


def explain(
    schema: etree.XMLSchema, root: etree._Element, model: SchemaModel, limits: Limits, effort: Effort
) -> tuple[Finding, ...]:
    """
    Tell what *schema*, which has just refused *root*, found; at most ``limits.max_findings``, in the form's order.

    The last one says that there may be more, where *effort* was spent before all was looked at. *root* is changed on
    the way and is of no use afterwards.
    """
    search = _Search(model=model, limits=limits)
    elements = 0
    for elements, _ in enumerate(root.iter(), start=1):
        if elements > MENDABLE_ELEMENTS:
            break
    rounds = _MOST_ROUNDS if elements <= MENDABLE_ELEMENTS else 0
    if rounds:
        search.paths = dict(_all_paths(root))
    mends = _look(search, schema, root, effort)
    while mends and rounds and len(search.found) < limits.max_findings and not effort.spent:
        rounds -= 1
        _apply(search, mends)
        mends = [] if schema.validate(root) else _look(search, schema, root, effort)
    findings = sorted(search.found.values(), key=lambda finding: finding.line)
    # What still wants mending hides what comes after it.
    if len(findings) > limits.max_findings or mends or search.cut:
        findings = [*findings[: limits.max_findings], Finding(path="/", rule="more_findings")]
    return tuple(findings) or (Finding(path=_path(search, root), rule="not_allowed", line=line_of(root)),)


def _look(search: _Search, schema: etree.XMLSchema, root: etree._Element, effort: Effort) -> list[_Mend]:
    """Add what the last validation found, and say how the tree can be mended."""
    mends: list[_Mend] = []
    for number, error in enumerate(cast("Iterable[Any]", schema.error_log)):
        if number >= ERRORS_PER_FINDING * search.limits.max_findings or (number and effort.spent):
            search.cut = True
            break
        node = locate(root, error.path)
        if node is None:
            search.add("not_allowed", "/", error.line, {})
        elif search.put_in.isdisjoint([node, *node.iterancestors()]):
            if node not in search.paths and "*" not in error.path:
                search.paths[node] = mask_identity_numbers(error.path)[:1000]  # Counted already, in a large form.
            mends += _tell(search, node, error, error.line)
    return mends


def _tell(search: _Search, node: etree._Element, error: Any, line: int) -> list[_Mend]:
    content = _CONTENT.search(error.message) if error.type_name == "SCHEMAV_ELEMENT_CONTENT" else None
    if content is None:
        _value_finding(search, node, error, line)
        return []
    names = (content["names"] or "").split(", ") if content["names"] else []
    return (_incomplete if content["what"].startswith("Missing") else _unexpected)(search, node, names)


class StreamFindings:
    """What is found in a form that streams by: nothing can be mended there, and siblings are gone."""

    def __init__(self, model: SchemaModel, limits: Limits) -> None:
        self._search = _Search(model=model, limits=limits)

    def tell(self, error: Any, node: etree._Element, *, path: str, line: int) -> None:
        """Add what libxml2's *error* says about *node*, which stands at *path*."""
        self._search.paths = {node: path}
        known = set(self._search.found)
        _tell(self._search, node, error, line)
        for key in self._search.found.keys() - known:
            self._search.found[key] = replace(self._search.found[key], line=line)

    def found(self) -> tuple[Finding, ...]:
        """Give all, in the form's order."""
        return tuple(self._search.found.values())

    @property
    def excused(self) -> int:
        """Count the errors of libxml2 that are none."""
        return self._search.excused


def _value_finding(search: _Search, node: etree._Element, error: Any, line: int) -> None:
    """Add the finding of one error about a value or an attribute."""
    if error.type_name == _FIXED and search.model.fixed_spelling(node) is not None:
        search.excused += 1
        return
    path = _path(search, node)
    required = _required_attribute(error.message)
    if required is not None:
        search.add("missing_attribute", f"{path}/@{_readable(required)}", line, {})
        return
    if error.type_name == "SCHEMAV_CVC_ELT_1" and node.getparent() is not None:
        # Where any element may stand that the schema declares, it declares none of this name.
        search.add("unexpected_element", path, line, {})
        return
    if error.type_name == "SCHEMAV_CVC_ELT_1":
        roots = search.model.roots()
        search.add("wrong_root", path, line, {"expected": ", ".join(roots)} if 0 < len(roots) <= 5 else {})
        return
    rule, needed = _RULES.get(error.type_name, ("not_allowed", ()))
    attribute = _attribute_of(error.message)
    if error.type_name == "SCHEMAV_CVC_WILDCARD":  # Only what some schema declares may stand there.
        rule = "unexpected_attribute" if attribute else "unexpected_element"
    declaration = search.model.declaration(node)
    known = search.model.facts(declaration, attribute) if needed or rule in _OF_VALUES else {}
    facts = {name: known[name] for name in needed if name in known}
    if rule == "pattern" and "digits" in known:
        rule, facts = "digits", {"digits": known["digits"]}
    if attribute is not None:
        path = f"{path}/@{_readable(attribute)}"
    elif rule in _OF_VALUES and len(node):
        return  # That it holds other fields is told already.
    elif rule in _OF_VALUES and not (node.text or "").strip():
        rule, facts = "empty", {}
    search.add(rule, path, line, facts)


def _incomplete(search: _Search, parent: etree._Element, names: list[str]) -> list[_Mend]:
    """A parent ended before a required child came."""
    return _missing(search, parent, None, _required(search, parent, names) or names)


def _unexpected(search: _Search, node: etree._Element, names: list[str]) -> list[_Mend]:
    """A child stands where it may not: unknown, one too many, out of order, or after one that is missing."""
    parent = node.getparent()
    path, line, tag = _path(search, node), line_of(node), str(node.tag)
    if parent is None:
        search.add("not_allowed", path, line, {})
        return []
    declared = search.model.declaration(parent)
    child = search.model.children(declared).get(tag)
    if child is None and not search.model.takes_any(declared):
        search.add("unexpected_element", path, line, {})
        return [_TakeOut(node)]
    before = max(sum(1 for _ in node.itersiblings(tag, preceding=True)), _number(path) - 1)
    if child is not None and child.max_occurs is not None and before >= child.max_occurs and not _in_repeat(declared):
        search.add("too_many", path, line, {"max": str(child.max_occurs)})
        return [_TakeOut(node)]
    required = _required(search, parent, names)
    later = any(next(node.itersiblings(name), None) is not None for name in required)
    if child is None or not required or later:
        search.add("misplaced_element" if child is not None else "unexpected_element", path, line, _expected(names))
        search.taken_out.add((parent, tag))
        return [_TakeOut(node)]
    return _missing(search, parent, node, required)


def _missing(search: _Search, parent: etree._Element, before: etree._Element | None, names: list[str]) -> list[_Mend]:
    """One of *names* must stand in *parent*, and does not; what was taken out as misplaced is not missing."""
    path, line = _path(search, parent), line_of(parent if before is None else before)
    moved = [name for name in names if (parent, name) in search.taken_out]
    if not moved and len(names) == 1:
        search.add("missing_element", f"{path}/{_readable(names[0])}", line, {})
    elif not moved:
        search.add("incomplete", path, line, _expected(names))
    wanted = (moved or names)[:1]
    return [_PutIn(parent, before, name) for name in wanted if not name.startswith(("#", "*"))]


def _in_repeat(declaration: Declaration) -> bool:
    """Say whether the parent's own group repeats, so that a child may come again without being too many."""
    group = declaration.type.content
    return bool(group.max_occurs != 1) or any(
        getattr(part, "max_occurs", 1) != 1 and hasattr(part, "iter_elements") for part in group
    )


def _required(search: _Search, parent: etree._Element, names: list[str]) -> list[str]:
    """Those of the expected *names* that the schema asks for: one, or several to choose from."""
    children = search.model.children(search.model.declaration(parent))
    if len(names) == 1 and not names[0].startswith(("#", "*")):
        return names
    return [name for name in names if name in children and children[name].min_occurs > 0]


def _expected(names: list[str]) -> dict[str, str]:
    return {"expected": ", ".join(_readable(name) for name in names)} if names else {}


def _apply(search: _Search, mends: list[_Mend]) -> None:
    for mend in mends:
        match mend:
            case _TakeOut(node):
                parent = node.getparent()
                if parent is not None:
                    parent.remove(node)
            case _PutIn(parent, before, tag):
                new = etree.Element(tag)
                search.put_in.add(new)
                if before is None:
                    parent.append(new)
                else:
                    before.addprevious(new)


def locate(root: etree._Element, path: str | None) -> etree._Element | None:
    """Find the element that libxml2 names by *path*, in which ``*`` stands for any name in a default namespace."""
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


def _number(path: str) -> int:
    """Read which of its name the last step of *path* is: of what streams by, no siblings are left to count."""
    found = _NUMBER.search(path)
    return int(found[1]) if found else 1


def _path(search: _Search, node: etree._Element) -> str:
    known = search.paths.get(node)
    if known is not None:
        return known
    parent = node.getparent()
    return "/" + _name(node) if parent is None else f"{_path(search, parent)}/{_step(node)}"


def path_of(node: etree._Element) -> str:
    """Name the place of *node* by the names of the form, with numbers where several have the same name."""
    way = [node, *node.iterancestors()][::-1]
    return "/" + "/".join([_name(way[0]), *map(_step, way[1:])])


def _step(node: etree._Element) -> str:
    index = 1 + sum(1 for _ in node.itersiblings(str(node.tag), preceding=True))
    alone = index == 1 and next(node.itersiblings(str(node.tag)), None) is None
    return _name(node) + ("" if alone else f"[{index}]")


def _all_paths(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    waiting = [(root, "/" + _name(root))]
    while waiting:
        node, path = waiting.pop()
        yield node, path
        children = [child for child in node if isinstance(child.tag, str)]
        total = Counter(child.tag for child in children)
        seen: Counter[str] = Counter()
        for child in children:
            seen[child.tag] += 1
            index = f"[{seen[child.tag]}]" if total[child.tag] > 1 else ""
            waiting.append((child, f"{path}/{_name(child)}{index}"))


def _name(node: etree._Element) -> str:
    local = etree.QName(node).localname
    return mask_identity_numbers(f"{node.prefix}:{local}" if node.prefix else local)[:100]


def _attribute_of(message: str) -> str | None:
    """
    Read from libxml2's *message* which attribute it is about, if it is about one.

    By searching only: a message quotes the value, 60 KB of it, and a pattern with two open ends would look through it
    once for each of its characters.
    """
    head, found, rest = message.partition("', attribute '")
    name, ended, _ = rest.partition("': ")
    return name if found and ended and "': " not in head else None


def _required_attribute(message: str) -> str | None:
    """Read from libxml2's *message* which attribute is missing, if it says so."""
    if not message.endswith(_IS_MISSING):
        return None
    return message.removesuffix(_IS_MISSING).rpartition(": The attribute '")[2] or None


def _readable(name: str) -> str:
    """Drop the namespace of ``{uri}local``."""
    return mask_identity_numbers(name.rpartition("}")[2])[:100]
