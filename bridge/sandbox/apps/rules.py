"""Calculations of apps that were registered over HTTP: rules in XPath, or somebody else's program behind a URL."""

import math
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from lxml import etree

from bridge.sandbox.apps.from_schema import FormModel, members_named
from bridge.sandbox.apps.json_reader import from_json, to_json
from bridge.sandbox.apps.model import Member, Model, empty, to_xml
from bridge.sandbox.apps.values import from_xml_text

_PATIENCE = 30.0
Calculate = Callable[[Model, str | None], Model]


class NoRule(ValueError):
    """A rule that cannot be one; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    What stands at *path*, element by element below the root: *calculation* in XPath, from where the member stands.

    In a list it is calculated for each row. What is no number leaves the member null.
    """

    path: tuple[str, ...]
    calculation: etree.XPath


def rule(form: FormModel, path: str, calculation: str) -> Rule:
    """
    A rule, with its path and its calculation as the form has them.

    Raises:
        NoRule: The form has no such member, or XPath no such expression.
    """
    steps = tuple(path.strip("/").split("/"))
    steps = steps[1:] if len(steps) > 1 and steps[0] == form.root else steps
    members: Sequence[Member] = form.members
    found: Member | None = None
    for step in steps:
        found = members_named(members, step)
        if found is None:
            raise NoRule(f"the form has no member {path}")
        members = found.members
    if found is None or found.kind == "group" or found.many:
        raise NoRule(f"{path} takes no value")
    try:
        return Rule(path=steps, calculation=etree.XPath(calculation))
    except etree.XPathSyntaxError as error:
        raise NoRule(f"{calculation} is no XPath: {error}") from error


def by_rules(form: FormModel, rules: Sequence[Rule]) -> Calculate:
    """Calculate by *rules*, one after the other; each sees what those before it gave."""

    def calculate(model: Model, language: str | None) -> Model:
        del language
        for each in rules:
            # Without a namespace, so that expressions need no prefixes.
            root = etree.fromstring(to_xml(model, form.root, form.members))
            _apply(model, form.members, root, path=each.path, calculation=each.calculation)
        return model

    return calculate


def _apply(
    model: Model, members: Sequence[Member], node: etree._Element, *, path: Sequence[str], calculation: etree.XPath
) -> None:
    member = members_named(members, path[0])
    if member is None:
        return
    if len(path) == 1:
        model[member.name] = _value(member, calculation(node))
        return
    nodes = node.findall(member.name)
    if member.many:
        rows = [each for each in model[member.name] or [] if each is not None]
    else:
        if model[member.name] is None:
            model[member.name] = empty(member.members)
            nodes = [etree.SubElement(node, member.name)]
        rows = [model[member.name]]
    for row, inner in zip(rows, nodes, strict=True):
        _apply(row, member.members, inner, path=path[1:], calculation=calculation)


def _value(member: Member, found: Any) -> Any:
    if isinstance(found, list):
        found = None if not found else found[0].text if etree.iselement(found[0]) else str(found[0])
    if found is None or (isinstance(found, float) and math.isnan(found)):
        return None
    if isinstance(found, bool):
        found = "true" if found else "false"
    elif isinstance(found, float):
        # What binary numbers add behind the twelfth place is nobody's sum.
        found = f"{Decimal(str(round(found, 12))).normalize():f}"
    return None if found == "" and member.kind != "text" else from_xml_text(member.kind, str(found))


def by_asking(form: FormModel, class_name: str, url: str) -> Calculate:
    """Have *url* calculate: it gets the form as JSON by POST, and its answer is the calculated one."""

    def calculate(model: Model, language: str | None) -> Model:
        address = url if language is None else f"{url}{'&' if '?' in url else '?'}{urlencode({'language': language})}"
        request = urllib.request.Request(  # noqa: S310 - only http and https are registered
            address, to_json(model).encode(), {"Content-Type": "application/json", "Accept": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_PATIENCE) as answer:
            calculated = from_json(answer.read(), form.members, class_name)
        if calculated is None:
            raise ValueError("the answer is no form")
        return calculated

    return calculate
