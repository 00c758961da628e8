"""What a press needs of any kind of target, and what one target may need of another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import requests

from bridge.config.mapping_parts import MappingRules
from bridge.config.settings import Settings
from bridge.core.attachments import Attached, AttachmentId, ListedAttachment, Offer
from bridge.core.calculations import AppRoute
from bridge.core.cases import ArchivedCopy, CaseRef, CaseState
from bridge.core.clock import Clock
from bridge.core.dialogs import Dialog
from bridge.core.elements import Attachment, Element, Form
from bridge.core.errors import Fault
from bridge.core.mapping import ActionMapping, ServiceMapping
from bridge.core.operations import Link, Upload
from bridge.core.prints import Print
from bridge.core.problems import Problem
from bridge.forms.registry import SchemaRegistry
from bridge.parts import Bridge
from bridge.steps.delivery import Delivery
from bridge.steps.dialog.embeds import EmbedViews


@dataclass(frozen=True, slots=True, kw_only=True)
class Online:
    """With what a driver asks its system about mappings; *routes* lead to apps as well."""

    settings: Settings
    session: requests.Session
    schemas: SchemaRegistry
    routes: Sequence[AppRoute]
    clock: Clock


@dataclass(slots=True, kw_only=True)
class OnlineReport:
    """What came of asking."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is good to know, and may yet be as it should."""
    told: list[str] = field(default_factory=list)
    """What the system says of itself."""


class Driver(MappingRules, Protocol):
    """Carries out what was pressed, in one kind of target, and knows what a mapping may say of that."""

    def check_online(self, mappings: Sequence[ServiceMapping], online: Online) -> OnlineReport:
        """What the target's system says otherwise than *mappings*; where it does not answer, that is a fault."""

    def deliver(self, delivery: Delivery) -> datetime | None:
        """
        Take the case where the action wants it. None when that has ended, well or badly; else when to look again.

        How it ended is recorded with ``delivery.ended``. What sets out is recorded before, so that whoever takes over
        after a crash reads before sending.

        Raises:
            UpstreamError: The system could not be asked, or its answer is unknown; it is tried again.
        """

    def level_missing(
        self, bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, *, level: int
    ) -> Problem | None:
        """
        The problem where who presses has a *level* below the one that the target asks for.

        By what is known already: at the door no system is waited for.
        """


class Cases(Protocol):
    """The system in which dialogs have their cases, whichever target works on them."""

    def first_use(self, bridge: Bridge, dialog: Dialog) -> CaseRef | None:
        """The case that *dialog* stands for; None where it stands for none. Raises Refusal where that is not known."""

    def observe(self, bridge: Bridge, link: Link) -> CaseState | None:
        """
        Where the case of *link* stands, by one call as long as it is in its place, and without its content.

        None where neither it nor an archived copy is to be found. Raises UpstreamError.
        """

    def read(self, bridge: Bridge, case: CaseRef) -> Element:
        """*case* where it stands, without its content. Raises Missing where it does not, and UpstreamError."""

    def archived_copy(self, key: str) -> ArchivedCopy:
        """The copy that has this *key*, with the reference that people know it by; the system is not asked."""

    def find_archived(self, bridge: Bridge, case: CaseRef, *, since: datetime) -> Element | None:
        """Its copy of after *since*; None where the system of *case* lists none. Raises UpstreamError."""

    def in_trash(self, bridge: Bridge, case: CaseRef, *, since: datetime) -> bool:
        """Whether *case* lies in its system's trash bin since *since*. Raises UpstreamError."""

    def held_forms(self, delivery: Delivery) -> tuple[Form, ...]:
        """
        The forms that the case holds now, wherever it stands.

        Raises:
            Refusal: It is gone, is another service's, or its system refuses to show it.
            UpstreamError: Its system could not be asked.
        """


class Views(EmbedViews, Protocol):
    """
    What can be shown of the cases of a system, wherever they stand, to whoever may read their dialogs.

    Each method raises Refusal, by name where a case has nothing of that, and UpstreamError.
    """

    def level_missing(self, bridge: Bridge, mapping: ServiceMapping, *, level: int) -> Problem | None:
        """The problem where who looks has a *level* below the one that the system asks for, as far as it is known."""

    def listed_forms(self, bridge: Bridge, link: Link) -> tuple[Form, ...]:
        """The forms of the case, without their data."""

    def listed_attachments(self, bridge: Bridge, link: Link) -> tuple[ListedAttachment, ...]:
        """The attachments of the case, without their bytes."""

    def print(self, bridge: Bridge, link: Link, *, language: str, chunks: bool) -> Print:
        """
        The print of the case: its head is here, the rest comes while it is read.

        Without *chunks*, as in HTTP/1.0, who asks cannot tell its end from a cut, and needs its length first.
        """


class Uploads(Protocol):
    """
    What may be done to single attachments of the cases of a system, besides what a press brings.

    Each method raises Refusal, and UpstreamError where nothing was done.
    """

    def find(self, bridge: Bridge, link: Link, target: AttachmentId) -> Upload | Attachment:
        """What *target* means, before anything is done to it."""

    def attach(
        self,
        bridge: Bridge,
        *,
        mapping: ServiceMapping,
        action: ActionMapping,
        link: Link,
        offer: Offer,
        target: AttachmentId | None,
    ) -> Attached:
        """Add *offer* to the case, or put it in the place of *target*; what is there already is not sent again."""

    def detach(
        self, bridge: Bridge, *, mapping: ServiceMapping, action: ActionMapping, link: Link, target: AttachmentId
    ) -> None:
        """Take *target* away from the case; an upload that is gone already is a success."""
