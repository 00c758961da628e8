"""What is sound in a configuration, and yet may not be what was meant."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bridge.config.mapping_limits import sized, stranding
from bridge.config.mapping_states import STATE_NAMES
from bridge.config.settings import Settings, whole_alone
from bridge.core.cases import CaseStatus
from bridge.core.elements import aim, can_act
from bridge.core.errors import ConfigurationError
from bridge.core.mapping import ActionMapping, FormFormat, FormKind, FormSource, ServiceMapping

_OPEN = (CaseStatus.FORM_FILLING, CaseStatus.SIGNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What the settings let through, in bytes; *read* is whether that is known from all of them."""

    max_attachment: int
    max_put: int
    max_body: int
    read: bool

    @classmethod
    def of(cls, settings: Settings | None, environ: Mapping[str, str]) -> Self:
        """Take them from *settings*; without, from their own variables and defaults."""
        if settings is None:
            return cls(
                max_attachment=whole_alone("BRIDGE_ALTINN2_MAX_ATTACHMENT", environ),
                max_put=whole_alone("BRIDGE_ALTINN2_MAX_PUT", environ),
                max_body=whole_alone("BRIDGE_MAX_BODY", environ),
                read=False,
            )
        return cls(
            max_attachment=settings.altinn2_max_attachment,
            max_put=settings.altinn2_max_put,
            max_body=settings.max_body,
            read=True,
        )


def notes_of_sizes(services: Mapping[str, ServiceMapping], sizes: Sizes) -> Iterator[str]:
    """Which attachments would be too large, and by what that was told."""
    for each in services.values():
        yield from stranding(each, max_put=sizes.max_put, max_body=sizes.max_body)
    if not sizes.read and any(map(sized, services.values())):
        yield (
            "the sizes of attachments were held against BRIDGE_ALTINN2_MAX_ATTACHMENT, BRIDGE_ALTINN2_MAX_PUT and "
            f"BRIDGE_MAX_BODY, {sizes.max_attachment}, {sizes.max_put} and {sizes.max_body} bytes: where the bridge "
            "runs they may be others"
        )


def unseen_parts(
    environ: Mapping[str, str], *, settings_read: bool, mappings_given: bool, schemas_given: bool, online: bool
) -> Iterator[str]:
    """Which parts of a configuration nobody looked at, and why."""
    if mappings_given or schemas_given:
        given = "--mappings" if mappings_given else "--schemas"
        yield f"settings, and the keys, certificates and store that they name: {given} takes their place"
    elif not settings_read:
        yield "keys, certificates and the store: the settings have faults"
    routes = environ.get("BRIDGE_ROUTES", "").strip()
    if mappings_given:
        yield "routes: with --mappings only mappings and schemas are looked at"
    elif schemas_given or not settings_read:
        if not routes:
            yield "routes: BRIDGE_ROUTES names no folder of them"
        elif not Path(routes).is_dir():
            yield f"routes: there is no folder {routes}, which BRIDGE_ROUTES names"
    if not online:
        yield "what Altinn 2 and the apps say of themselves: --online asks them"
    elif not settings_read and not _readable(environ):
        yield "what Altinn 2 and the apps say of themselves: the settings have faults"


def _readable(environ: Mapping[str, str]) -> bool:
    try:
        Settings.from_environ(environ)
    except ConfigurationError:
        return False
    return True


def notes_of(services: Mapping[str, ServiceMapping]) -> Iterator[str]:
    """What the mappings themselves leave open."""
    for name, each in services.items():
        yield from _buttonless(name, each)
        yield from _shared_schemas(name, each)
    yield from _silent_submissions(services)


def json_notes(
    services: Mapping[str, ServiceMapping], root_fault: Callable[[str, str | None], str | None]
) -> Iterator[str]:
    """Which forms people's systems cannot send as JSON, since nothing says what they begin with."""
    for each in services.values():
        speaks = None if each.altinn3 is None else each.altinn3.speaks
        if speaks is FormFormat.JSON or all(action.form is not FormSource.BODY for action in each.actions.values()):
            continue  # Where an app speaks JSON, that is a fault.
        for at, form in enumerate(each.forms):
            if form.kind is not FormKind.MAIN or form.schema is None or form.root is not None:
                continue
            if (fault := root_fault(form.schema, None)) is not None:
                yield f"{each.source}: forms[{at}]: forms are taken as XML only, and refused as JSON (415): {fault}"


def notes_beside(services: Mapping[str, ServiceMapping]) -> Iterator[str]:
    """What the settings of this environment leave open."""
    if os.environ.get("BRIDGE_PUBLIC_URL", "").strip():
        return
    shown = [name for name, each in services.items() if any(action.button for action in each.actions.values())]
    if shown:
        yield (
            f"no button of {', '.join(shown)} is put on a dialog, nor back after a failure: "
            "set BRIDGE_PUBLIC_URL, where the buttons lead"
        )
    embedding = [name for name, each in services.items() if each.embeds is not None]
    if embedding:
        yield f"no embed of {', '.join(embedding)} is shown: set BRIDGE_PUBLIC_URL, where they are fetched"


def _buttonless(name: str, mapping: ServiceMapping) -> Iterator[str]:
    """In which states a dialog has no button of the bridge's, although something can be done there."""
    if mapping.altinn2 is None:
        return
    for state in _OPEN:
        rule = mapping.states.get(state)
        named = [each for each in mapping.actions.values() if can_act(each, state)]
        if rule is not None and rule.actions is not None:
            named = [mapping.actions[each] for each in rule.actions if each in mapping.actions]
        if named and not any(map(_shows, named)):
            yield (
                f"{name}: in {STATE_NAMES[state]} no button is put on a dialog: {_all(named)} has no 'button'; write "
                "one, unless who makes the dialogs puts it there"
            )


def _shows(action: ActionMapping) -> bool:
    """Whether it is a button of people's; a form in the body is for systems."""
    return action.button is not None and action.form is not FormSource.BODY


def _all(actions: list[ActionMapping]) -> str:
    names = [each.name for each in actions]
    return names[0] if len(names) == 1 else f"each of {', '.join(names)}"


def _shared_schemas(name: str, mapping: ServiceMapping) -> Iterator[str]:
    """Where a subform is held against the main form's schema: one of the two is likely meant for the other."""
    mains = {form.schema for form in mapping.forms if form.kind is FormKind.MAIN and form.schema is not None}
    for form in mapping.forms:
        if form.kind is FormKind.SUB and form.schema in mains:
            key = f"{form.data_format_id}/{form.data_format_version}"
            yield f"{name}: the MainForm and the SubForm {key} have one schema, {form.schema}: is it that of both?"


def _silent_submissions(services: Mapping[str, ServiceMapping]) -> Iterator[str]:
    """Where a form is submitted without an event, and nobody said that it should be."""
    archived = CaseStatus.ARCHIVED
    for name, each in services.items():
        rule = each.states.get(archived)
        unsaid = [
            action.name
            for action in each.actions.values()
            if aim(action) is archived and action.then.silent is None and (rule is None or rule.silent is None)
        ]
        if unsaid:
            yield (
                f"{', '.join(unsaid)} of {name} submit a form silently, so that Altinn sends no event of it: "
                "write 'silent: false' where somebody subscribes to activity.form-submitted, or 'silent: true'"
            )
