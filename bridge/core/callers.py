"""Who calls, as a dialog token says it (facts/dialogporten.md 3.2)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bridge.core.mapping import Requirement


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Caller:
    """
    The claims of a genuine, unexpired dialog token of the right environment.

    *actor* is the urn that may stand as ``actorId`` of an activity: the person, or for a system user the organisation.
    """

    dialog_id: UUID
    party: str
    service_resource: str
    level: int
    grants: frozenset[Requirement]
    entities: frozenset[str]
    """Claim ``e``: token references and ids of elements whose authorization context takes the caller in."""
    actor: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Caller(dialog_id={self.dialog_id}, level={self.level})"
