"""Business rules of a mapping: XPath conditions that must hold beside the schema."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, cast

from lxml import etree

from bridge.core.errors import Finding
from bridge.core.mapping import FormRule
from bridge.forms.paths import attribute_step, path_of
from bridge.forms.xml.input import line_of

MOST_PLACES = 1_000
"""A rule is tried at so many places of a form; each may look at the whole form again."""


def broken_rules(rules: Sequence[FormRule], root: etree._Element) -> tuple[Finding, ...]:
    """
    Try each rule at every place that its ``at`` finds; where it finds none, the rule says nothing.

    A form that has more places than a rule is tried at has not been checked, and that is an error.
    """
    found: list[Finding] = []
    for rule in rules:
        try:
            found += _broken(rule, root)
        except etree.XPathError:
            # It meets a value that it cannot be evaluated on: what cannot be judged is not let through.
            found.append(Finding(path=path_of(root), rule="not_checkable", line=line_of(root)))
    return tuple(found)


def _broken(rule: FormRule, root: etree._Element) -> Iterator[Finding]:
    places = cast("Any", _compiled(rule.at)(root))
    test = _compiled(f"boolean({rule.test})")
    for place in places[:MOST_PLACES]:
        element, attribute = _owner(place)
        # An attribute or a text is no context node to lxml: the condition is then seen from its element.
        if not test(element):
            path = path_of(element) + ("" if attribute is None else f"/{attribute}")
            facts = {language: rule.text[language] for language in ("nb", "nn", "en")}
            yield Finding(path=path, rule="business_rule", facts=facts, line=line_of(element), severity=rule.severity)
    if len(places) > MOST_PLACES:
        yield Finding(path=path_of(root), rule="not_checkable", line=line_of(root))


def _owner(place: Any) -> tuple[etree._Element, str | None]:
    if isinstance(place, etree._Element):  # noqa: SLF001 - lxml names its class so
        return place, None
    owner = place.getparent()
    return owner, attribute_step(owner, place.attrname) if place.is_attribute else None


@lru_cache(maxsize=2048)
def _compiled(text: str) -> etree.XPath:
    """Compile once; an expression holds a lock of its own while it runs, so threads may share it."""
    return etree.XPath(text, regexp=False)
