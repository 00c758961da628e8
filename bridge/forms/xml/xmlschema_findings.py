"""From xmlschema's errors to findings, for the schemas whose forms libxml2 cannot judge."""

import re
from collections.abc import Iterator
from functools import partial

from lxml import etree

from bridge.core.errors import Finding
from bridge.forms.paths import Places, attribute_step, name_for, path_of
from bridge.forms.xml.components import XsdError
from bridge.forms.xml.content_model import fits
from bridge.forms.xml.identities import Doubtful, confirmed, is_repeated_id, rule_of_reason
from bridge.forms.xml.input import Effort, Limits, has_elements, last_line_of, line_of, text_of
from bridge.forms.xml.libxml2_findings import ERRORS_PER_FINDING
from bridge.forms.xml.named_types import WRONG, rule_for, without_consequences
from bridge.forms.xml.roots import (
    in_wrong_namespace,
    missing_attribute,
    namespace_finding,
    unexpected_attribute,
    wrong_root,
)
from bridge.forms.xml.schema_facts import TYPES, GaveUp, SchemaModel
from bridge.forms.xml.slips import Missing, slips, told

# xmlschema's class of what was broken -> our rule, and the facts that its sentence needs.
_RULES = {
    "XsdPatternFacets": ("pattern", ("pattern",)),
    "XsdEnumerationFacets": ("enumeration", ("enumeration",)),
    "XsdLengthFacet": ("length", ("length", "items")),
    "XsdMinLengthFacet": ("min_length", ("minLength", "items")),
    "XsdMaxLengthFacet": ("max_length", ("maxLength", "items")),
    "XsdMinInclusiveFacet": ("min_inclusive", ("minInclusive",)),
    "XsdMaxInclusiveFacet": ("max_inclusive", ("maxInclusive",)),
    "XsdMinExclusiveFacet": ("min_exclusive", ("minExclusive",)),
    "XsdMaxExclusiveFacet": ("max_exclusive", ("maxExclusive",)),
    "XsdTotalDigitsFacet": ("total_digits", ("totalDigits",)),
    "XsdFractionDigitsFacet": ("fraction_digits", ("fractionDigits",)),
    "XsdAssert": ("assertion", ()),
    "XsdAssertionFacet": ("assertion", ()),
}
_ZONES = {"required": "zone_missing", "prohibited": "zone_not_allowed"}
"""Our rule, by what XSD 1.1's explicitTimezone says."""
_ATTRIBUTE = re.compile(r"\A(?:attribute )?'?(?P<name>[^\s'=]+)'?(?:=| attribute| )")
_IS_NO_SUBSTITUTE = re.compile(r"\A\w+\(.*\) (?:cannot substitute|is abstract)")
_MISSING_ATTRIBUTE = re.compile(r"missing required attribute '(?P<name>[^']+)'")


def explain_by_xmlschema(
    root: etree._Element, model: SchemaModel, limits: Limits, *, effort: Effort
) -> tuple[Finding, ...]:
    """
    What xmlschema finds, at most ``limits.max_findings``; of its texts only declared names are read.

    Where *effort* was spent before it had looked at all, the last finding says so; nothing found by then is no yes.
    """
    found: dict[tuple[str, str, str], Finding] = {}
    try:
        errors, whole = model.errors(root, effort, most=ERRORS_PER_FINDING * limits.max_findings)
        looked: set[etree._Element] = set()
        doubtful: list[Doubtful] = []
        # References are looked at beside it, and told where they stand.
        errors = [error for error in errors if not str(error.reason or "").startswith("IDREF ")]
        for number, error in enumerate(errors):
            identity = rule_of_reason(str(error.reason or ""))
            if identity is not None and isinstance(error.elem, etree._Element):  # noqa: SLF001 - as below
                finding = Finding(path=path_of(error.elem), rule=identity[0], line=line_of(error.elem))
                doubtful.append(Doubtful(finding, model.names_of_keys(identity[1])))
                continue
            for finding in _findings(error, root, model, looked=looked):
                found.setdefault((finding.path, finding.rule, finding.facts.get("expected", "")), finding)
                if len(found) > limits.max_findings or effort.spent:
                    break
            if len(found) > limits.max_findings or (effort.spent and number + 1 < len(errors)):
                whole = False
                break
        found |= {(each.path, each.rule, ""): each for each in confirmed(doubtful, found.values())}
    except GaveUp:
        unknown = model.unknown_types(root)[: limits.max_findings]
        unknown_types = (Finding(path=path_of(node), rule=WRONG, line=line_of(node)) for node in unknown)
        return tuple(unknown_types) or (Finding(path="/", rule="not_checkable"),)
    findings = sorted(without_consequences(found.values()), key=lambda finding: finding.line)[: limits.max_findings]
    if not whole:
        findings.append(Finding(path="/", rule="more_findings" if findings else "not_checkable"))
    return tuple(findings)


def _findings(
    error: XsdError, root: etree._Element, model: SchemaModel, *, looked: set[etree._Element]
) -> Iterator[Finding]:
    node = error.elem if isinstance(error.elem, etree._Element) else root  # noqa: SLF001 - lxml names its class so
    if _IS_NO_SUBSTITUTE.search(str(error.reason or "")):
        if _kind(error.validator) == "XsdElement":  # Of its parent the same is said.
            yield Finding(path=path_of(node), rule=rule_for(node), line=line_of(node))
        return
    if not hasattr(error, "particle"):
        yield from _finding(error, node, model)
    elif node not in looked:
        looked.add(node)
        yield from _of_children(node, model)


def _finding(error: XsdError, node: etree._Element, model: SchemaModel) -> Iterator[Finding]:
    path, line, kind = path_of(node), line_of(node), _kind(error.validator)
    reason = str(error.reason or "")
    if "is not an element of the schema" in reason and node.getparent() is None:
        rule, facts = wrong_root(str(node.tag), model)
        yield Finding(path=path, rule=rule, line=line, facts=facts)
        return
    missing = _MISSING_ATTRIBUTE.search(reason)
    if missing is not None:
        name = missing["name"]
        lacks = missing_attribute(node, name, model)
        if lacks is not None:
            yield Finding(path=f"{path}/{attribute_step(node, name)}", rule="missing_attribute", line=line, facts=lacks)
        return
    declaration = model.declaration(node)
    attribute = _attribute_of(error, node)
    known = model.facts(declaration, attribute)
    if kind in _RULES:
        rule, needed = _RULES[kind]
    elif kind == "XsdExplicitTimezoneFacet":
        rule, needed = _ZONES[str(getattr(error.validator, "value", "required"))], ()
    else:
        rule, needed = _other_rule(kind, reason, known)
    if kind in _RULES and needed and needed[0] not in known:
        rule, needed = "type", tuple(TYPES)  # That of a built-in type, or of a member of a union.
    elif rule == "pattern" and "digits" in known:
        rule, needed = "digits", ("digits",)
    bare = attribute is None and not has_elements(node) and not text_of(node).strip()
    if bare and rule in {"pattern", "digits", "enumeration", "length", "min_length", "type"}:
        rule, needed = "empty", ()
    if rule == "type" and is_repeated_id(known, text_of(node) if attribute is None else node.get(attribute)):
        rule, needed = "not_unique", ()
    facts = {name: known[name] for name in needed if name in known}
    if rule == "nil_not_allowed":
        facts = model.nil_advice(node)
    if rule == "unexpected_attribute" and attribute is not None:
        rule, facts = unexpected_attribute(node, attribute, model)
    # What is wrong with xsi:nil is so because of what the element holds.
    if attribute is not None and rule != "nil_with_content":
        path = f"{path}/{attribute_step(node, attribute)}"
    yield Finding(path=path, rule=rule, line=line, facts=facts)


def _kind(validator: object) -> str:
    """Name xmlschema's own class of *validator*, of which ours may be a mended kind."""
    names = (each.__name__ for each in type(validator).__mro__ if each.__module__.startswith("xmlschema."))
    return next(names, "")


def _other_rule(kind: str, reason: str, known: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    if "fixed" in reason or kind == "XsdAttribute":
        return ("fixed", ("fixed",)) if "fixed" in known else ("not_allowed", ())
    if "nillable" in reason:
        return "nil_not_allowed", ()
    if "xsi:nil" in reason:
        return "nil_with_content", ()
    if kind in {"XsdAttributeGroup", "XsdAnyAttribute"}:
        return "unexpected_attribute", ()
    if "character data" in reason:
        return "text_not_allowed", ()
    if "can't have child elements" in reason:
        return "children_not_allowed", ()
    if kind.startswith(("XsdAtomic", "XsdList", "XsdUnion", "Xsd11Atomic", "Xsd11Union")) and TYPES & known.keys():
        return "type", tuple(TYPES)
    return "not_allowed", ()


def _of_children(node: etree._Element, model: SchemaModel) -> Iterator[Finding]:
    """All that is wrong with the children of *node*."""
    places = Places()
    path, declared = places.path_of(node), model.declaration(node)
    children = [each for each in node.iterchildren(etree.Element) if not model.is_beside(declared, str(each.tag))]
    tags = [str(child.tag) for child in children]
    content = model.content(declared)
    if content is not None and fits(content, tags):
        return  # xmlschema is at a loss with groups that repeat and may be empty, or whose members are counted.
    count = 0
    for at, right in in_wrong_namespace(content, tags) if content is not None else ():
        tags[at], (rule, facts) = right, namespace_finding(right)
        yield Finding(path=places.path_of(children[at]), rule=rule, facts=facts, line=line_of(children[at]))
        count += 1
    for slip in slips(content, tags) if content is not None else ():
        if isinstance(slip, Missing) and not slip.told:
            continue
        rule, place, facts = told(
            slip, tags=tags, parent=path, child=lambda at: places.path_of(children[at]), named=partial(name_for, node)
        )
        at_end = slip.at >= len(children)
        line = last_line_of(node) if at_end else line_of(children[slip.at])
        before = places.path_of(children[slip.at]) if isinstance(slip, Missing) and not at_end else None
        yield Finding(path=place, rule=rule, facts=facts, line=line, at_end=at_end, before=before)
        count += 1
    if not count:
        yield Finding(path=path, rule="not_allowed", line=line_of(node))


def _attribute_of(error: XsdError, node: etree._Element) -> str | None:
    """Name the attribute that an error is about, where it is one that *node* has."""
    said = _ATTRIBUTE.match(str(error.reason or ""))
    if said is None:
        return None
    prefix, _, local = said["name"].rpartition("}" if said["name"].startswith("{") else ":")
    uri = prefix[1:] if prefix.startswith("{") else node.nsmap.get(prefix or None) if prefix else None
    exact = f"{{{uri}}}{local}" if uri else local
    if exact in node.attrib:
        return exact
    return next((str(name) for name in node.attrib if str(name).rpartition("}")[2] == local), None)
