"""What the claims of a dialog token mean (facts/dialogporten.md 3)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from bridge.adapters.dialogporten.reasons import Reason
from bridge.core.callers import Caller
from bridge.core.mapping import Requirement

UUID_TEXT = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_HIGHEST_LEVEL = 9
_SYSTEM_USER = "urn:altinn:systemuser:"
_YEAR_10000 = 253_402_300_800


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Claims:
    """What the claims mean; None where one is missing or misshapen. The names are those of ``Caller``."""

    dialog_id: UUID | None
    party: str | None
    service_resource: str | None
    level: int | None
    grants: frozenset[Requirement] | None
    entities: frozenset[str]
    actor: str | None
    starts: int | None
    ends: int | None

    def flaws(self) -> Iterator[Reason]:
        """A reason for each claim that is missing or misshapen."""
        named = {
            "i": self.dialog_id,
            "p": self.party,
            "s": self.service_resource,
            "l": self.level,
            "a": self.grants,
            "c or o": self.actor,
            "nbf": self.starts,
            "exp": self.ends,
        }
        return (Reason(code="bad_claim", note=name) for name, value in named.items() if value is None)

    def caller(self) -> Caller | None:
        """Whom they name; None where one that decides is missing."""
        if (
            self.dialog_id is None
            or self.party is None
            or self.service_resource is None
            or self.level is None
            or self.grants is None
            or self.actor is None
            or self.ends is None
        ):
            return None
        return Caller(
            dialog_id=self.dialog_id,
            party=self.party,
            service_resource=self.service_resource,
            level=self.level,
            grants=self.grants,
            entities=self.entities,
            actor=self.actor,
            expires_at=datetime.fromtimestamp(self.ends, UTC),
        )


def claims_in(payload: Mapping[str, object]) -> Claims:
    """The claims of *payload*, believed or not."""
    return Claims(
        dialog_id=_uuid(payload.get("i")),
        party=_urn(payload.get("p")),
        service_resource=_urn(payload.get("s")),
        level=_whole(payload.get("l"), below=_HIGHEST_LEVEL + 1),
        grants=_grants(payload.get("a")),
        entities=_entities(payload.get("e")),
        actor=_actor(payload),
        starts=_whole(payload.get("nbf"), below=_YEAR_10000),
        ends=_whole(payload.get("exp"), below=_YEAR_10000),
    )


def _actor(payload: Mapping[str, object]) -> str | None:
    """A system user is no actor that Dialogporten knows, so the organisation behind it stands for it."""
    authenticated = _urn(payload.get("c"))
    systems = authenticated is not None and authenticated.lower().startswith(_SYSTEM_USER)
    if authenticated and "o" in payload and ("y" in payload or systems):
        return _urn(payload["o"])
    return None if systems else authenticated


def _whole(value: object, *, below: int) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below
    return value if fits and isinstance(value, int) else None


def _uuid(value: object) -> UUID | None:
    # UUID() itself also takes braces, urn:uuid: and no hyphens at all.
    return UUID(value) if isinstance(value, str) and UUID_TEXT.fullmatch(value) else None


def _urn(value: object) -> str | None:
    fits = isinstance(value, str) and value.startswith("urn:") and value.isprintable() and value == value.strip()
    return value if fits and isinstance(value, str) else None


def _grants(value: object) -> frozenset[Requirement] | None:
    """Grants, ``action[,attribute]`` joined by ``;``. One entry of another shape, and the whole claim is unknown."""
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return None
    if not value:
        return frozenset()
    entries = [entry.split(",") for entry in value.split(";")]
    if not all(len(entry) <= 2 and all(entry) for entry in entries):
        return None
    return frozenset(Requirement(action=entry[0], attribute=entry[1] if entry[1:] else None) for entry in entries)


def _entities(value: object) -> frozenset[str]:
    """
    What ``e`` names, which few tokens have. In another shape it opens nothing, and takes nothing from what ``a`` opens.

    It is experimental, and #4365 may yet change it (facts/dialogporten.md 3.9).
    """
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        return frozenset()
    return frozenset(value)
