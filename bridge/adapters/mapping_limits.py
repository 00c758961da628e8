"""Sizes that a mapping promises and the settings do not let through."""

import json
from collections.abc import Callable, Iterator

from bridge.adapters.altinn2.streams import base64_length
from bridge.adapters.yaml_places import Place
from bridge.core.attachment_rules import MEGABYTE
from bridge.core.mapping import ActionMapping, AttachmentRule, FormSource, ServiceMapping, Supply, Target, Verb

Beyond = Callable[[ServiceMapping], Iterator[tuple[Place, str]]]


def beyond(*, max_attachment: int, max_put: int) -> Beyond:
    """Give what finds rules for attachments that are above the settings of these names, in bytes."""

    def find(mapping: ServiceMapping) -> Iterator[tuple[Place, str]]:
        said = [each.get("max_size_mb") for each in json.loads(mapping.said).get("attachment_rules", ())]
        for index, rule in enumerate(mapping.attachment_rules):
            if said[index] is None:
                continue  # What nobody said is as large as it may be.
            place: Place = ("attachment_rules", index, "max_size_mb")
            if rule.max_bytes > max_attachment:
                most = max_attachment // MEGABYTE
                yield place, f"BRIDGE_ALTINN2_MAX_ATTACHMENT lets {most} MB through: write at most {most}, or raise it"
            elif base64_length(rule.max_bytes) > max_put and (names := _stranded(mapping, rule)):
                most = max_put // 4 * 3 // MEGABYTE
                message = (
                    f"{', '.join(names)} could not complete an element with one above {most} MB, which is all that "
                    f"BRIDGE_ALTINN2_MAX_PUT carries: write at most {most}, or 'bare_completion: true' where the "
                    "service allows it"
                )
                yield place, message

    return find


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
