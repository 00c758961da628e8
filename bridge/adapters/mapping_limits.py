"""Sizes that a mapping promises and the settings do not let through."""

import json
from collections.abc import Callable, Iterator

from bridge.adapters.altinn2.streams import base64_length
from bridge.adapters.yaml_places import Place
from bridge.core.attachment_rules import MEGABYTE
from bridge.core.mapping import ActionMapping, AttachmentRule, FormSource, ServiceMapping, Supply, Target, Verb

Beyond = Callable[[ServiceMapping], Iterator[tuple[Place, str]]]


def beyond(*, max_attachment: int) -> Beyond:
    """Give what finds rules for attachments that are above the setting of this name, in bytes."""

    def find(mapping: ServiceMapping) -> Iterator[tuple[Place, str]]:
        most = max_attachment // MEGABYTE
        for index, rule in _said(mapping):
            if rule.max_bytes > max_attachment:
                message = f"BRIDGE_ALTINN2_MAX_ATTACHMENT lets {most} MB through: write at most {most}, or raise it"
                yield ("attachment_rules", index, "max_size_mb"), message

    return find


def stranding(mapping: ServiceMapping, *, max_put: int) -> Iterator[str]:
    """
    Say which attachments could be uploaded and then never be sent on, as they are too large to be carried.

    Smaller ones are, so that it is no fault: who completes such an element is told 409 ``too_large_to_carry``.
    """
    most = max_put // 4 * 3 // MEGABYTE
    for index, rule in _said(mapping):
        if base64_length(rule.max_bytes) > max_put and (names := _stranded(mapping, rule)):
            yield (
                f"{mapping.service_resource}: attachment_rules[{index}]: {', '.join(names)} could not complete an"
                f" element with one above {most} MB, which is all that BRIDGE_ALTINN2_MAX_PUT carries: write at most"
                f" {most}, or 'bare_completion: true' where the service allows it"
            )


def _said(mapping: ServiceMapping) -> Iterator[tuple[int, AttachmentRule]]:
    """Give the rules that name a size; where nobody says one it is as large as it may be."""
    said = [each.get("max_size_mb") for each in json.loads(mapping.said).get("attachment_rules", ())]
    return ((at, rule) for at, rule in enumerate(mapping.attachment_rules) if said[at] is not None)


def _stranded(mapping: ServiceMapping, rule: AttachmentRule) -> list[str]:
    """Name the actions that complete what another of the mapping's lets grow too large to be carried."""
    if mapping.altinn2 is None or mapping.altinn2.bare_completion or not _uploadable(mapping, rule):
        return []
    return [name for name, action in mapping.actions.items() if _completes(action)]


def _uploadable(mapping: ServiceMapping, rule: AttachmentRule) -> bool:
    return any(
        action.attaching is not None
        and Supply.UPLOAD in action.attaching.supplies
        and rule.type.casefold() in {each.casefold() for each in action.attaching.types}
        for action in mapping.actions.values()
    )


def _completes(action: ActionMapping) -> bool:
    completes, _ = action.after.value
    return bool(
        action.target is Target.ALTINN2 and action.verb is Verb.PUT and completes and action.form is not FormSource.NONE
    )
