"""What is wrong with a mapping's app, and with the actions that it alone carries out, as far as the file shows it."""

from collections.abc import Iterator

from bridge.config.mapping_keys import ActionKeys
from bridge.config.mapping_parts import Parts
from bridge.config.yaml_source import Place
from bridge.core.targets import Target


def mapping_faults(said: Parts) -> Iterator[tuple[Place, str]]:
    """The keys that lead to each fault, and what to write instead."""
    if said.speaks_json and any(form.type == "MainForm" and form.schema_ is None for form in said.forms.values()):
        yield ("altinn3", "speaks"), "forms become JSON by the MainForm's XSD: name its 'schema'"
    for name, action in said.actions_of(Target.ALTINN3):
        for place, message in _action_faults(said, action):
            yield ("actions", name, *place), message


def _action_faults(said: Parts, action: ActionKeys) -> Iterator[tuple[Place, str]]:
    if "altinn3" not in said.systems:
        yield ("target",), "the mapping has no 'altinn3' to say which app is meant"
    if action.form == "message" and "altinn2" not in said.systems:
        yield ("form",), "the mapping has no 'altinn2' that holds a form: write body"
    if action.then.activity is not None:
        yield ("then", "activity"), f"{action.then.activity} would be untrue: an app that calculates stores nothing"
