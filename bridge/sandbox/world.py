"""The whole state of the sandbox: what the systems hold, their keys, and what was done to them."""

import time
from collections.abc import Callable
from datetime import datetime

from bridge.sandbox.altinn2.state import Altinn2State
from bridge.sandbox.altinn2.world import Altinn2World
from bridge.sandbox.apps.examples import example_apps
from bridge.sandbox.apps.state import AppsState
from bridge.sandbox.apps.world import AppsWorld
from bridge.sandbox.core.switches import Switches
from bridge.sandbox.dialogporten.state import DialogportenState
from bridge.sandbox.dialogporten.world import DialogportenWorld


class World(Altinn2World, AppsWorld, DialogportenWorld):
    """
    All that the sandbox's systems know. Give it a clock (UTC, with its zone) and a seed, and it repeats itself.

    RSA keys are the exception: they are made once for a process, since that takes a tenth of a second each.
    *sleep* is how a planned delay passes; tests that must not wait give their own.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        seed: int = 0,
        switches: Switches = Switches(),  # noqa: B008 - frozen
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(clock, seed, switches, sleep=sleep)
        self.altinn2_api_key = str(self.chance.uuid4())
        self.altinn2 = Altinn2State(first_number=10_000_000 + self.chance.below(1_000_000))
        self.dialogporten = DialogportenState(clock, self.chance, self.ledger, faults=self.faults)
        self.apps = AppsState()
        for app in example_apps():
            self.apps.register(app)
        self.own_client_id = str(self.chance.uuid4())

    def close(self) -> None:
        """End every open stream."""
        self.dialogporten.close()
