"""
From libxml2's verdict to findings: which rule, where, with facts from the schema and nothing from the form.

libxml2 stops looking inside a parent at its first misplaced child. So that one refusal tells all, the tree is mended
there (the child taken out, or the missing one put in) and validated again. Its messages quote values, so of them only
the names of declared elements and attributes are read.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from lxml import etree

from bridge.core.errors import Finding
from bridge.core.ids import mask_identity_numbers
from bridge.forms.paths import all_paths, attribute_step, locate, name_for, name_of
from bridge.forms.xml.error_log import LogEntry, entries
from bridge.forms.xml.identities import Doubtful, confirmed, is_repeated_id, referring, rule_of
from bridge.forms.xml.input import Effort, Limits, has_elements, last_line_of, line_of, text_of
from bridge.forms.xml.mending import Mend, Mended, PutIn, Rename, TakeOut, too_many_show
from bridge.forms.xml.named_types import TYPE, rule_for, without_consequences
from bridge.forms.xml.roots import (
    in_wrong_namespace,
    missing_attribute,
    namespace_finding,
    unexpected_attribute,
    wrong_root,
)
from bridge.forms.xml.schema_facts import TYPES, SchemaModel
from bridge.forms.xml.slips import Missing, slips, told

MENDABLE_ELEMENTS = 5_000
"""Above this many elements places are counted when they are asked for, and faults before they are."""
ERRORS_PER_FINDING = 10
"""So many errors are looked at for each finding that may be told: several may be about one fault."""
_MOST_ROUNDS = 20

_MISSING = "Missing child element(s)"
_CONTENT = re.compile(
    r": (?P<what>This element is not expected|Missing child element\(s\))\."
    r"(?: Expected is (?:one of )?\( (?P<names>.*) \)\.)?\Z",
    re.DOTALL,
)
_IS_MISSING = "' is required but missing."

# libxml2's code -> our rule, and the facts that its sentence needs, by their name in the model.
_RULES = {
    "SCHEMAV_CVC_PATTERN_VALID": ("pattern", ("pattern",)),
    "SCHEMAV_CVC_ENUMERATION_VALID": ("enumeration", ("enumeration",)),
    "SCHEMAV_CVC_LENGTH_VALID": ("length", ("length", "items")),
    "SCHEMAV_CVC_MINLENGTH_VALID": ("min_length", ("minLength", "items")),
    "SCHEMAV_CVC_MAXLENGTH_VALID": ("max_length", ("maxLength", "items")),
    "SCHEMAV_CVC_MININCLUSIVE_VALID": ("min_inclusive", ("minInclusive",)),
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": ("max_inclusive", ("maxInclusive",)),
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": ("min_exclusive", ("minExclusive",)),
    "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": ("max_exclusive", ("maxExclusive",)),
    "SCHEMAV_CVC_TOTALDIGITS_VALID": ("total_digits", ("totalDigits",)),
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": ("fraction_digits", ("fractionDigits",)),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": ("type", tuple(TYPES)),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_2": ("type", tuple(TYPES)),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": ("type", tuple(TYPES)),
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
}
_IDENTITY = "SCHEMAV_CVC_IDC"
_TEXT = "SCHEMAV_CVC_COMPLEX_TYPE_2_3"
_FIXED = "SCHEMAV_CVC_ELT_5_2_2_2_2"
_MOST_SPELLINGS = 500
_MOST_OPINIONS = 50
_MOST_STAND_INS = 20
_OF_VALUES = {"pattern", "digits", "enumeration", "length", "min_length", "type"}
_OF_UNIONS = ("pattern", "digits", "enumeration")
_OF_LISTS = ("length", "min_length", "max_length", "pattern", "digits", "enumeration")


@dataclass(slots=True)
class _Search:
    """What is known while one refused form is looked through."""

    model: SchemaModel
    limits: Limits
    effort: Effort | None = None
    """What ends it, beside the number of findings; a form that streams is bounded otherwise."""
    found: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    paths: dict[etree._Element, str] = field(default_factory=dict)
    mended: Mended = field(default_factory=Mended)
    doubtful: dict[str, Doubtful] = field(default_factory=dict)
    excused: int = 0
    """Errors of libxml2 that are none: fixed values in another spelling, blanks around dates."""
    cut: bool = False
    """Not all errors were looked at."""

    def add(
        self,
        rule: str,
        path: str,
        line: int,
        *,
        facts: dict[str, str],
        at_end: bool = False,
        before: str | None = None,
    ) -> None:
        key = (path, rule, facts.get("expected", "") if rule == "incomplete" else "")
        self.found.setdefault(key, Finding(path=path, rule=rule, facts=facts, line=line, at_end=at_end, before=before))


def refused_values(schema: etree.XMLSchema, root: etree._Element) -> Iterator[etree._Element]:
    """The elements whose own text *schema* refuses, of the first errors that it finds in *root*."""
    if not schema.validate(root):
        for error in itertools.islice(entries(schema.error_log), _MOST_OPINIONS):
            rule, _ = _RULES.get(error.type_name, ("", ()))
            node = locate(root, error.path) if rule in _OF_VALUES and _attribute_of(error.message) is None else None
            if node is not None:
                yield node


def spell_fixed_values(schema: etree.XMLSchema, root: etree._Element, model: SchemaModel) -> bool:
    """
    Whether *schema* accepts *root* once fixed values, which it just refused as text, are spelled as in the schema.

    Stops as soon as something else is wrong, which is for ``explain`` to tell.
    """
    for _ in range(_MOST_ROUNDS):
        errors = list(itertools.islice(entries(schema.error_log), _MOST_SPELLINGS))
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
    schema: etree.XMLSchema, root: etree._Element, model: SchemaModel, *, limits: Limits, effort: Effort
) -> tuple[Finding, ...]:
    """
    Tell what *schema*, which has just refused *root*, found; at most ``limits.max_findings``, in the form's order.

    The last one says that there may be more, where *effort* was spent before all was looked at. *root* is changed on
    the way and is of no use afterwards.
    """
    search = _Search(model=model, limits=limits, effort=effort)
    elements = 0
    for elements, _ in enumerate(root.iter(), start=1):
        if elements > MENDABLE_ELEMENTS:
            break
    rounds, large = _MOST_ROUNDS, elements > MENDABLE_ELEMENTS
    if not large:
        search.paths = dict(all_paths(root))
    mends = _look(search, schema, root, effort=effort)
    while mends and rounds and len(search.found) < limits.max_findings and not effort.spent:
        rounds -= 1
        # Of what gets another name the place is not known any more.
        if large and any(isinstance(mend, Rename) for mend in mends):
            break
        search.mended.apply(mends)
        if large and too_many_show(schema, root):
            break
        mends = [] if schema.validate(root) else _look(search, schema, root, effort=effort)
    every = [*search.found.values(), *confirmed(search.doubtful.values(), search.found.values(), search.mended.moved)]
    findings = sorted(without_consequences(every), key=lambda finding: finding.line)
    # What still wants mending hides what comes after it.
    if len(findings) > limits.max_findings or mends or search.cut:
        findings = [*findings[: limits.max_findings], Finding(path="/", rule="more_findings")]
    return tuple(findings) or (Finding(path=_path(search, root), rule="not_allowed", line=line_of(root)),)


def _look(search: _Search, schema: etree.XMLSchema, root: etree._Element, *, effort: Effort) -> list[Mend]:
    """Add what the last validation found, and say how the tree can be mended."""
    mends: list[Mend] = []
    for number, error in enumerate(entries(schema.error_log)):
        if number >= ERRORS_PER_FINDING * search.limits.max_findings or (number and effort.spent):
            search.cut = True
            break
        node = locate(root, error.path)
        if node is None and error.type_name == _IDENTITY:
            node = referring(root, error.message, error.line)
        if node is None:
            search.add("not_allowed", "/", error.line, facts={})
        elif search.mended.put_in.isdisjoint([node, *node.iterancestors()]):
            counted = not search.mended.moved and "*" not in (error.path or "*")
            if node not in search.paths and counted:
                search.paths[node] = mask_identity_numbers(error.path)[:1000]  # Counted already, in a large form.
            mends += _tell(search, node, error, line=error.line)
    return mends


def _tell(search: _Search, node: etree._Element, error: LogEntry, *, line: int) -> list[Mend]:
    content = _CONTENT.search(error.message) if error.type_name == "SCHEMAV_ELEMENT_CONTENT" else None
    if content is None:
        _value_finding(search, node, error, line=line)
        return []
    parent = node if content["what"].startswith("Missing") else node.getparent()
    mends = [] if parent is None else _look_at_children(search, parent)
    if mends or parent is None:
        return mends
    names = (content["names"] or "").split(", ")
    return _by_names(
        search, parent, None if parent is node else node, names=[name for name in names if name and "*" not in name]
    )


def _look_at_children(search: _Search, parent: etree._Element) -> list[Mend]:
    """Tell all that is wrong with the children of *parent* by the schema's own order; nothing where it is not known."""
    content = search.model.content(search.model.declaration(parent))
    if content is None:
        return []
    children = list(parent.iterchildren(etree.Element))
    tags = [str(child.tag) for child in children]
    mends: list[Mend] = []
    for at, right in in_wrong_namespace(content, tags):
        tags[at] = right
        mends.append(Rename(children[at], right))
        rule, facts = namespace_finding(right)
        search.add(rule, _path(search, children[at]), line_of(children[at]), facts=facts)
    for number, slip in enumerate(slips(content, tags)):
        spent = number > 0 and search.effort is not None and search.effort.spent
        if spent or len(search.found) > search.limits.max_findings:
            search.cut = True
            break
        child = children[slip.at] if slip.at < len(children) else None
        if child not in search.mended.put_in and not (isinstance(slip, Missing) and not slip.told):
            rule, path, facts = told(
                slip,
                tags=tags,
                parent=_path(search, parent),
                child=lambda at: _path(search, children[at]),
                named=partial(name_for, parent),
            )
            line = last_line_of(parent) if child is None else line_of(child)
            before = _path(search, child) if child is not None and isinstance(slip, Missing) else None
            search.add(rule, path, line, facts=facts, at_end=child is None, before=before)
        if isinstance(slip, Missing):
            mends += [PutIn(parent, child, slip.need.stand_in)] * min(slip.need.count, _MOST_STAND_INS)
        elif child is not None:
            mends.append(TakeOut(child))
    return mends


def _by_names(search: _Search, parent: etree._Element, node: etree._Element | None, *, names: list[str]) -> list[Mend]:
    """Tell what libxml2 says of the children of *parent*, where nothing else is known: *names* could come at *node*."""
    there = {child.tag for child in parent.iterchildren(etree.Element)}
    if node is None or (len(names) == 1 and names[0] not in there):
        path, at_end = _path(search, parent), node is None
        line = last_line_of(parent) if node is None else line_of(node)
        if len(names) == 1 and names[0] not in there:
            search.add("missing_element", f"{path}/{name_for(parent, names[0])}", line, facts={}, at_end=at_end)
        else:
            # A list that may go on is named like what has to come after it.
            search.add("incomplete", path, line, facts={}, at_end=at_end)
        return [PutIn(parent, node, name) for name in names[:1] if name not in there]
    search.add("unexpected_element", _path(search, node), line_of(node), facts={})
    return [TakeOut(node)]


class _Children(Protocol):
    def __call__(self, *, above: bool) -> Sequence[str] | None: ...


class StreamFindings:
    """What is found in a form that streams by: nothing can be mended there, and siblings are gone."""

    def __init__(self, model: SchemaModel, limits: Limits) -> None:
        self._search = _Search(model=model, limits=limits)

    def tell(
        self, error: LogEntry, node: etree._Element, *, path: str, line: int, now: int, children: "_Children"
    ) -> None:
        """
        Add what libxml2's *error* says about *node*, which stands at *path*; *children* gives names that came.

        *line* is that of its start, *now* that which has been read: what is missing at its end is missing there.
        """
        parent = node.getparent()
        if error.type_name == _TEXT and parent is not None and error.message.startswith(f"Element '{parent.tag}': "):
            # It stands before the tag that brought it.
            node, path = parent, path.rpartition("/")[0]
        self._search.paths = {node: path}
        if error.type_name == "SCHEMAV_ELEMENT_CONTENT":
            missing = _MISSING in error.message.rpartition(": ")[2]
            self._of_children(missing, node, path, line=now if missing else line, children=children)
            return
        known = set(self._search.found)
        _tell(self._search, node, error, line=line)
        for key in self._search.found.keys() - known:
            self._search.found[key] = replace(self._search.found[key], line=line)

    def _of_children(self, missing: bool, node: etree._Element, path: str, *, line: int, children: "_Children") -> None:
        parent, above = (node, path) if missing else (node.getparent(), path.rpartition("/")[0])
        model, tags = self._search.model, children(above=not missing)
        content = None if parent is None or tags is None else model.content(model.declaration(parent))
        # What came before went through.
        first = 0 if tags is None else len(tags) - (not missing)
        meant = () if content is None or missing else in_wrong_namespace(content, [str(node.tag)])
        for _, right in meant:
            rule, facts = namespace_finding(right)
            self._search.add(rule, path, line, facts=facts)
            return
        for slip in slips(content, tags or (), ended=missing) if content is not None else ():
            if parent is not None and slip.at >= first and not (isinstance(slip, Missing) and not slip.told):
                rule, place, facts = told(
                    slip, tags=tags or (), parent=above, child=lambda _: path, named=partial(name_for, parent)
                )
                self._search.add(rule, place, line, facts=facts, at_end=missing)
                return
        self._search.add("incomplete" if missing else "unexpected_element", path, line, facts={}, at_end=missing)

    def found(self) -> tuple[Finding, ...]:
        """All, in the form's order."""
        known = self._search.found.values()
        return tuple(without_consequences([*known, *confirmed(self._search.doubtful.values(), known)]))

    @property
    def excused(self) -> int:
        """Count the errors of libxml2 that are none."""
        return self._search.excused


def _value_finding(search: _Search, node: etree._Element, error: LogEntry, *, line: int) -> None:
    """Add the finding of one error about a value or an attribute."""
    if error.type_name == _FIXED and search.model.fixed_spelling(node) is not None:
        search.excused += 1
        return
    path = _path(search, node)
    if error.type_name == _IDENTITY:
        _identity_finding(search, path, error.message, line=line)
        return
    required = _required_attribute(error.message)
    if required is not None:
        lacks = missing_attribute(node, required, search.model)
        if lacks is not None:
            search.add("missing_attribute", f"{path}/{attribute_step(node, required)}", line, facts=lacks)
        return
    if error.type_name == "SCHEMAV_CVC_ELT_1":
        rule, facts = _undeclared(search, node)
        search.add(rule, path, line, facts=facts)
        return
    rule, needed = _RULES.get(error.type_name, ("not_allowed", ()))
    attribute = _attribute_of(error.message)
    if attribute == TYPE or error.type_name == "SCHEMAV_CVC_TYPE_2":
        search.add(rule_for(node), path, line, facts={})
        return
    if error.type_name == "SCHEMAV_CVC_WILDCARD":  # Only what some schema declares may stand there.
        rule = "unexpected_attribute" if attribute else "unexpected_element"
    excused = rule == "type" and search.model.takes_collapsed(node, attribute)
    if excused or (rule in {"type", "pattern"} and search.model.takes_new_letters(node, attribute)):
        search.excused += 1
        return
    broken = search.model.broken_without_blanks(node, attribute) if rule == "type" else ()
    said = [_RULES[f"SCHEMAV_CVC_{facet.upper()}_VALID"] for facet in broken] or [(rule, needed)]
    for rule, needed in said:
        _typed_finding(search, node, attribute, rule=rule, needed=needed, path=path, line=line)


def _undeclared(search: _Search, node: etree._Element) -> tuple[str, dict[str, str]]:
    """The rule and the facts where the schema declares no element of this name."""
    if node.getparent() is None:
        return wrong_root(str(node.tag), search.model)
    # Where any element may stand that the schema declares; its own type would do.
    typed = TYPE in node.attrib and search.model.refuses_text(node)
    known = search.model.facts(search.model.declaration(node)) if typed else {}
    facts = {name: known[name] for name in TYPES if name in known}
    return "type" if typed else "unexpected_element", facts


def _typed_finding(
    search: _Search,
    node: etree._Element,
    attribute: str | None,
    *,
    rule: str,
    needed: Sequence[str],
    path: str,
    line: int,
) -> None:
    """Add that the content of *node*, at *path*, or its *attribute* breaks *rule*, with the facts that are *needed*."""
    declaration = search.model.declaration(node)
    known = search.model.facts(declaration, attribute) if needed or rule in _OF_VALUES else {}
    facts = {name: known[name] for name in needed if name in known}
    if rule == "nil_not_allowed":
        facts = search.model.nil_advice(node)
    if rule == "pattern" and "digits" in known:
        rule, facts = "digits", {"digits": known["digits"]}
    if attribute is not None:
        path = f"{path}/{attribute_step(node, attribute)}"
        if rule == "unexpected_attribute":
            rule, facts = unexpected_attribute(node, attribute, search.model)
    elif rule in _OF_VALUES and has_elements(node):
        return  # That it holds other fields is told already.
    elif rule in _OF_VALUES and not text_of(node).strip():
        rule, facts = "empty", {}
    if rule == "type" and is_repeated_id(known, text_of(node) if attribute is None else node.get(attribute)):
        rule, facts = "not_unique", {}
    facets = _OF_LISTS if "items" in known else _OF_UNIONS if TYPES & known.keys() - {"type"} else ()
    if rule == "type" and any((path, each, "") in search.found for each in facets):
        return  # libxml2 says of a list with too many values that it is none as well, and the same of a union's value.
    search.add(rule, path, line, facts=facts)


def _identity_finding(search: _Search, path: str, message: str, *, line: int) -> None:
    known = rule_of(message)
    if known is not None:
        rule, reference = known
        finding = Finding(path=path, rule=rule, line=line)
        search.doubtful.setdefault(f"{rule} {path}", Doubtful(finding, search.model.names_of_keys(reference)))


def _path(search: _Search, node: etree._Element) -> str:
    known = search.paths.get(node)
    if known is not None:
        return known
    parent = node.getparent()
    return "/" + name_of(node) if parent is None else f"{_path(search, parent)}/{search.mended.step(node)}"


def _attribute_of(message: str) -> str | None:
    """
    The attribute that libxml2's *message* is about, if it is about one.

    By searching only: a message quotes the value, 60 KB of it, and a pattern with two open ends would look through it
    once for each of its characters.
    """
    head, found, rest = message.partition("', attribute '")
    name, ended, _ = rest.partition("': ")
    return name if found and ended and "': " not in head else None


def _required_attribute(message: str) -> str | None:
    """The attribute that is missing by libxml2's *message*, if it says so."""
    if not message.endswith(_IS_MISSING):
        return None
    return message.removesuffix(_IS_MISSING).rpartition(": The attribute '")[2] or None
