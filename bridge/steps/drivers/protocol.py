"""What a press needs of any kind of target, and what one target may need of another."""

from datetime import datetime
from typing import Protocol

from bridge.core.elements import Form
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
    """Reads what the case of a delivery holds."""

    def held_forms(self, delivery: Delivery) -> tuple[Form, ...]:
        """
        The forms that the case holds now, wherever it stands.

        Raises:
            Refusal: It is gone, is another service's, or its system refuses to show it.
            UpstreamError: Its system could not be asked.
        """
