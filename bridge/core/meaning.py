"""What an action means: all that decides what is done, so that it can be held against what was accepted."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum

from bridge.core.mapping import ActionMapping, FormSource, ServiceMapping, Verb
from bridge.core.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """
    What a press is accepted to do. *digest* covers the rest of it: the service or app, values that are put in, checks.

    Two mappings that differ only in what is told, in who may press, or in how their file is written mean the same.
    """

    target: Target
    verb: Verb
    complete: bool
    sign: bool
    form: FormSource
    digest: str


_OTHERWISE = frozenset(
    (
        # What is told, and what is read for it.
        *("name", "then", "button", "results", "text"),
        # Who may press, and with which token an app is asked.
        *("requires", "minimum_level", "scopes"),
        # Whether it is looked at afterwards.
        "compare_forms",
    )
)
"""Members that decide nothing of what is done."""

_NAMED_BEFORE = {"altinn_validation": "asks_altinn", "attachment_policy": "attaching", "set_values": "sets"}
"""Members under the name that digests have them by: a better one refuses nothing that waits."""


def meaning_of(mapping: ServiceMapping, action: ActionMapping) -> Meaning:
    """What *action* of *mapping* means."""
    parts: dict[str, object] = {"action": action}
    if action.needs_element:
        parts["altinn2"] = mapping.altinn2
    if action.calculates:
        parts["altinn3"] = mapping.altinn3
    if action.form is not FormSource.NONE:
        parts["forms"] = mapping.forms
    if action.attachment_policy is not None or action.after.value[0]:
        parts["attachment_rules"] = mapping.attachment_rules
    said = json.dumps({name: _said(part) for name, part in parts.items()}, sort_keys=True)
    complete, sign = action.after.value
    return Meaning(
        target=action.target,
        verb=action.verb,
        complete=complete,
        sign=sign,
        form=action.form,
        digest=hashlib.sha256(said.encode()).hexdigest(),
    )


def _said(value: object) -> object:
    """
    *value* as JSON takes it.

    Members that stand at their default are left out, so that a release that adds one changes no digest.
    """
    if is_dataclass(value):
        return {
            _NAMED_BEFORE.get(each.name, each.name): _said(getattr(value, each.name))
            for each in fields(value)
            if each.name not in _OTHERWISE and (each.default is MISSING or getattr(value, each.name) != each.default)
        }
    match value:
        case Enum():
            return value.name
        case Mapping():
            return {str(name): _said(each) for name, each in value.items()}
        case tuple():
            return [_said(each) for each in value]
        case _:
            return value
