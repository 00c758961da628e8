"""The sound parts of a mapping file: what is wrong between them is told beside what is wrong with one key."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from bridge.config.mapping_dialog_keys import DialogKeys, EmbedKeys, Model, RefusedKeys, StateKeys
from bridge.config.mapping_keys import ActionKeys, ActionModels, AttachmentRuleKeys, FormKeys
from bridge.config.yaml_source import Place
from bridge.core.targets import Target

_Key = TypeVar("_Key")
_Kind = TypeVar("_Kind", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a file that are sound by themselves, so that one fault does not hide the others."""

    systems: frozenset[str]
    forms: Mapping[int, FormKeys]
    actions: Mapping[str, ActionKeys]
    states: Mapping[str, StateKeys]
    dialog: DialogKeys | None
    refused: RefusedKeys | None
    embeds: EmbedKeys | None
    action_names: tuple[str, ...]
    attachment_types: tuple[str, ...]
    attachment_rules: Mapping[int, AttachmentRuleKeys]
    others_sign: bool
    lone_signer: bool
    speaks_json: bool
    forms_complete: bool
    any_schema: bool

    @classmethod
    def salvaged(cls, data: Mapping[str, Any], kinds: ActionModels) -> "Parts":
        """Those of the file that says *data*, whose actions have the keys of *kinds*, by their target."""
        forms, actions, states = data.get("forms"), data.get("actions"), data.get("states")
        listed = list(enumerate(forms)) if isinstance(forms, list) else []
        named = dict(actions) if isinstance(actions, dict) else {}
        sound = dict(_sound(FormKeys, listed))
        return cls(
            systems=frozenset(name for name in ("altinn2", "altinn3") if data.get(name) is not None),
            forms=sound,
            actions=dict(_sound_actions(named, kinds)),
            states=dict(_sound(StateKeys, states.items() if isinstance(states, dict) else ())),
            dialog=dict(_sound(DialogKeys, [("dialog", data.get("dialog", {}))])).get("dialog"),
            refused=dict(_sound(RefusedKeys, [("refused", data.get("refused", {}))])).get("refused"),
            embeds=dict(_sound(EmbedKeys, [("embeds", data["embeds"])] if data.get("embeds") else [])).get("embeds"),
            action_names=tuple(named),
            attachment_types=_types_in(data.get("attachment_rules")),
            attachment_rules=dict(_sound(AttachmentRuleKeys, enumerate(_listed(data.get("attachment_rules"))))),
            others_sign=isinstance(data.get("altinn2"), dict) and data["altinn2"].get("others_sign") is True,
            lone_signer=isinstance(data.get("altinn2"), dict)
            and data["altinn2"].get("unique_signers") is True
            and data["altinn2"].get("signing_steps", 1) == 1,
            speaks_json=isinstance(data.get("altinn3"), dict) and data["altinn3"].get("speaks") == "json",
            forms_complete=0 < len(sound) == len(listed),
            any_schema=not listed or any(isinstance(form, dict) and form.get("schema") for _, form in listed),
        )

    def actions_of(self, target: Target) -> Iterator[tuple[str, ActionKeys]]:
        """Those that are carried out in *target*, by name."""
        return ((name, action) for name, action in self.actions.items() if action.target == target.value)


def _types_in(rules: object) -> tuple[str, ...]:
    return tuple(str(each.get("type")) for each in _listed(rules) if isinstance(each, dict))


def _listed(given: object) -> list[object]:
    return given if isinstance(given, list) else []


def _sound(kind: type[_Kind], items: Iterable[tuple[_Key, object]]) -> Iterator[tuple[_Key, _Kind]]:
    for key, item in items:
        try:
            yield key, kind.model_validate(item)
        except ValidationError:
            continue  # Told where the whole file was validated.


def _sound_actions(named: Mapping[str, Any], kinds: ActionModels) -> Iterator[tuple[str, ActionKeys]]:
    """Those of a known target; one that has another's keys, too, which is told, so that the rest of it is looked at."""
    for name, action in named.items():
        kind = kinds.get(str(action.get("target"))) if isinstance(action, dict) else None
        if kind is not None:
            yield from list(_sound(kind, [(name, action)])) or _sound(ActionKeys, [(name, action)])


class MappingRules(Protocol):
    """What the driver of a target knows of the mapping files that name it."""

    @property
    def keys(self) -> type[ActionKeys]:
        """The keys that an action of this target may have."""

    def check_mapping(self, said: Parts) -> Iterable[tuple[Place, str]]:
        """
        What is wrong with a file, as far as this target knows: the keys that lead there, and what to write.

        *said* are the parts of the file that are sound by themselves; its actions may be another target's.
        """


Targets = Mapping[Target, MappingRules]
"""What a mapping file may name as ``target``, and who checks it."""


def models_of(targets: Targets) -> ActionModels:
    """The model of an action's keys, by the target that the file names."""
    return {target.value: rules.keys for target, rules in targets.items()}
