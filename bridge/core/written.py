"""What the bridge last wrote into a dialog, as digests by place: no text lies here."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.core.dialog_items import Kind, objects_in, texts_in, word_in
from bridge.core.dialogs import Json

GONE = ""
"""The digest of what is not there."""

STATE, MADE = "state", "made"
"""Places of the last state that was told, and of a dialog that the bridge made itself."""


@dataclass(frozen=True, slots=True)
class Written:
    """
    What the bridge last wrote, as digests by place; ``GONE`` is what it took away. No text lies here.

    Beside a place stands the digest of the state in which it was said, and of the last state that was told.
    """

    digests: Mapping[str, str] = field(default_factory=dict)

    def last_state_is(self, state: str) -> bool:
        """Whether *state* is the last one of which the bridge wrote."""
        return self.digests.get(STATE) == digest(state)

    def ours(self) -> "Written":
        """Note that the bridge made the dialog itself."""
        return Written({**self.digests, MADE: digest(MADE)})


NOTHING_WRITTEN = Written()


def digest(value: object) -> str:
    """The digest of a value as it is compared: by what it means, not by how it is spelt."""
    if value is None:
        return GONE
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def field_digest(pointer: str, value: object) -> str:
    """The digest of one field's value, whichever way it is spelt."""
    if value is not None and pointer.startswith("/content/") and isinstance(value, Mapping):
        return digest([texts_in(value.get("value")), word_in(value, "mediaType") or "text/plain"])
    if pointer in ("/dueAt", "/expiresAt") and isinstance(value, str):
        return digest(datetime.fromisoformat(value).astimezone(UTC).isoformat())
    return digest(value)


def part_digests(kind: Kind, place: str, item: Json) -> Iterator[tuple[str, str]]:
    """List the digests of all that an item says, by place."""
    for name, meaning in kind.members.items():
        if (said := meaning(item.get(name))) is not None:
            yield f"{place}/{name}", digest(said)
    for name, inner in kind.lists.items():
        for each in objects_in(item, name):
            yield from part_digests(inner, f"{place}/{name}/{each['id']}", each)
