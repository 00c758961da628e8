"""Sizes that a mapping promises and the settings do not let through."""

import json
from collections.abc import Callable, Iterator

from bridge.config.yaml_source import Place
from bridge.core.attachment_rules import MEGABYTE
from bridge.core.mapping import ActionMapping, AttachmentRule, FormSource, ServiceMapping, Supply, Verb
from bridge.core.targets import Target

Beyond = Callable[[ServiceMapping], Iterator[tuple[Place, str]]]


def beyond(*, max_attachment: int, max_body: int) -> Beyond:
    """What finds rules for attachments of a size that nobody could ever send, by the settings of these names."""

    def find(mapping: ServiceMapping) -> Iterator[tuple[Place, str]]:
        most, in_body = max_attachment // MEGABYTE, _carried(max_body)
        for index, rule in _said(mapping):
            place = ("attachment_rules", index, "max_size_mb")
            if rule.max_bytes > max_attachment:
                message = f"BRIDGE_ALTINN2_MAX_ATTACHMENT lets {most} MB through: write at most {most}, or raise it"
                yield place, message
            elif rule.max_bytes > in_body * MEGABYTE and _comes_in_bodies_alone(mapping, rule):
                message = (
                    f"they come in a body alone, where BRIDGE_MAX_BODY lets {in_body} MB of attachments through: write "
                    f"at most {in_body}, raise it, or let them be uploaded, 'from: [upload]'"
                )
                yield place, message

    return find


def stranding(mapping: ServiceMapping, *, max_put: int, max_body: int) -> Iterator[str]:
    """
    Which attachments could be uploaded and then never be sent on, or never come in, as all that is too large.

    Smaller ones can, so that it is no fault: who completes such an element is told 409 ``too_large_to_carry``, and
    who sends such a body 413.
    """
    for index, rule in _said(mapping):
        where = f"{mapping.service_resource}: attachment_rules[{index}]:"
        most = _each(max_put, rule)
        if rule.max_bytes > most * MEGABYTE and (names := _stranded(mapping, rule)):
            yield (
                f"{where} {', '.join(names)} could not complete an element with {_many(rule)} above {most} MB, which is"
                f" all that BRIDGE_ALTINN2_MAX_PUT carries: {_less(most)}, or 'bare_completion: true' where the"
                " service allows it"
            )
        most = _each(max_body, rule)
        if rule.max_bytes > most * MEGABYTE and (names := _taking(mapping, rule, Supply.BODY)):
            yield (
                f"{where} {', '.join(names)} could not be called with {_many(rule)} above {most} MB in the body, where"
                f" they are a third larger and BRIDGE_MAX_BODY takes no more: {_less(most)}, raise it, or let them be"
                " uploaded, 'from: [upload]'"
            )


def sized(mapping: ServiceMapping) -> bool:
    """Whether the mapping names sizes, which are held against the settings."""
    return any(True for _ in _said(mapping))


def _each(carried: int, rule: AttachmentRule) -> int:
    """The megabytes that each of as many as must be there may have, in base64 within *carried*."""
    return _carried(carried // max(1, rule.min_count))


def _carried(size: int) -> int:
    """The megabytes that base64 of *size* bytes stands for."""
    return size // 4 * 3 // MEGABYTE


def _comes_in_bodies_alone(mapping: ServiceMapping, rule: AttachmentRule) -> bool:
    return bool(_taking(mapping, rule, Supply.BODY)) and not _taking(mapping, rule, Supply.UPLOAD)


def _less(most: int) -> str:
    return f"write at most {most}" if most else "lower 'min_count'"


def _many(rule: AttachmentRule) -> str:
    return "one" if rule.min_count <= 1 else f"{rule.min_count} (its 'min_count')"


def _said(mapping: ServiceMapping) -> Iterator[tuple[int, AttachmentRule]]:
    """The rules that name a size; where nobody says one it is as large as it may be."""
    said = [each.get("max_size_mb") for each in json.loads(mapping.said).get("attachment_rules", ())]
    return ((at, rule) for at, rule in enumerate(mapping.attachment_rules) if said[at] is not None)


def _stranded(mapping: ServiceMapping, rule: AttachmentRule) -> list[str]:
    """Name the actions that complete what another of the mapping's lets grow too large to be carried."""
    if mapping.altinn2 is None or mapping.altinn2.bare_completion or not _taking(mapping, rule, Supply.UPLOAD):
        return []
    return [name for name, action in mapping.actions.items() if _completes(action)]


def _taking(mapping: ServiceMapping, rule: AttachmentRule, supply: Supply) -> list[str]:
    """Name the actions that take attachments of the rule's type in this way."""
    return [
        name
        for name, action in mapping.actions.items()
        if action.attachment_policy is not None
        and supply in action.attachment_policy.supplies
        and rule.type.casefold() in {each.casefold() for each in action.attachment_policy.types}
    ]


def _completes(action: ActionMapping) -> bool:
    completes, _ = action.after.value
    return bool(
        action.target is Target.ALTINN2 and action.verb is Verb.PUT and completes and action.form is not FormSource.NONE
    )
