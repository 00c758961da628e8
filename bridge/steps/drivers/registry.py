"""Which driver carries out what is pressed, by the target that the mapping gives the action."""

from bridge.core.mapping import Target
from bridge.steps.drivers.altinn2.driver import Altinn2
from bridge.steps.drivers.calculation import Calculation
from bridge.steps.drivers.protocol import Driver

ALTINN2 = Altinn2()

DRIVERS: dict[Target, Driver] = {
    Target.ALTINN2: ALTINN2,
    Target.ALTINN3: Calculation(ALTINN2),
}
"""One for each target: who adds a target adds a class and its entry here."""
