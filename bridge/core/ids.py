"""Ids that another system recognises when the same thing is sent twice, and names of places that tell nobody's."""

import hashlib
import re
from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

_HEX = "[0-9a-fA-F]"
_IDENTITY_NUMBER = re.compile(
    # A UUID, or the sixteen, 32, 40 or 64 digits of a span, a trace or a digest: their digits mean nobody.
    rf"(?P<id>(?<![0-9A-Za-z])(?:{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}|{_HEX}{{16}}(?:{_HEX}{{16}}|{_HEX}{{24}}|{_HEX}{{48}})?)"
    r"(?![0-9A-Za-z]))"
    # Eleven digits, written in one or with what people put after the date of birth, also in a URL.
    r"|(?<!\d)\d{6}(?:[\s\-\u2010-\u2015+./_]|%20|\\u00a0){0,2}\d{5}(?!\d)",
)


def uuid7(moment: datetime, entropy: bytes) -> UUID:
    """
    Make a UUID of version 7 from *moment* (with a zone, to the millisecond) and at least ten bytes of *entropy*.

    Dialogporten takes no other version, and none whose time lies more than 15 s ahead
    (facts/dialogporten.md 2.3), so derived ids carry the time at which their operation was accepted.
    """
    milliseconds = int(moment.timestamp() * 1000)
    value = (milliseconds << 80) | int.from_bytes(entropy[:10], "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=value)


def derived_id(moment: datetime, *parts: str) -> UUID:
    """Make the UUIDv7 that belongs to *parts*: the same arguments give the same id, on any machine."""
    return uuid7(moment, hashlib.sha256("\x1f".join(parts).encode()).digest())


def sibling_id(dialog_id: UUID, *parts: str) -> UUID:
    """Make the id of something that belongs to a dialog, at the dialog's own time: the same wherever it is made."""
    entropy = hashlib.sha256("\x1f".join((str(dialog_id), *parts)).encode()).digest()
    return uuid7(datetime.fromtimestamp((dialog_id.int >> 80) / 1000, UTC), entropy)


def mask_identity_numbers(text: str) -> str:
    """Replace each eleven-digit number in *text*, keeping nothing of it; ids in hexadecimal digits stay."""
    return _IDENTITY_NUMBER.sub(lambda found: found["id"] or "***********", text)


def shown_name(name: str) -> str:
    """The *name* of something in a form as it may be told: without identity numbers, and not too long."""
    return mask_identity_numbers(name)[:100]


def pointer(steps: Collection[str | int]) -> str:
    """The *steps* as a JSON pointer (RFC 6901) without identity numbers; the whole document is ``/``."""
    names = (shown_name(str(step)).replace("~", "~0").replace("/", "~1") for step in steps)
    return "/" + "/".join(names)
