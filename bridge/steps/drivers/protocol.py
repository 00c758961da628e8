"""What a press needs of any kind of target, and what one target may need of another."""

from datetime import datetime
from typing import Protocol

from bridge.core.dialogs import Dialog
from bridge.core.elements import ElementKey, Form
from bridge.parts import Bridge
from bridge.steps.delivery import Delivery


class Driver(Protocol):
    """Carries out what was pressed, in one kind of target."""

    def deliver(self, delivery: Delivery) -> datetime | None:
        """
        Take the case where the action wants it. None when that has ended, well or badly; else when to look again.

        How it ended is recorded with ``delivery.ended``. What sets out is recorded before, so that whoever takes over
        after a crash reads before sending.

        Raises:
            UpstreamError: The system could not be asked, or its answer is unknown; it is tried again.
        """


class Cases(Protocol):
    """The system in which dialogs have their cases, whichever target works on them."""

    def first_use(self, bridge: Bridge, dialog: Dialog) -> ElementKey | None:
        """The case that *dialog* stands for; None where it stands for none. Raises Refusal where that is not known."""

    def held_forms(self, delivery: Delivery) -> tuple[Form, ...]:
        """
        The forms that the case holds now, wherever it stands.

        Raises:
            Refusal: It is gone, is another service's, or its system refuses to show it.
            UpstreamError: Its system could not be asked.
        """
