"""Which driver carries out what is pressed, by the target that the mapping gives the action."""

from bridge.core.targets import Target
from bridge.steps.dialog.embeds import Views
from bridge.steps.drivers.altinn2.driver import Altinn2
from bridge.steps.drivers.altinn2.views import ElementViews
from bridge.steps.drivers.calculation.driver import Calculation
from bridge.steps.drivers.protocol import Cases, Driver

_ALTINN2 = Altinn2()

CASES: Cases = _ALTINN2
"""Whose cases dialogs stand for: until a link names its system, each of them is an element of Altinn 2."""
VIEWS: Views = ElementViews()
"""What dialogs show of those cases."""

DRIVERS: dict[Target, Driver] = {
    Target.ALTINN2: _ALTINN2,
    Target.ALTINN3: Calculation(CASES),
}
"""One for each target: who adds a target adds a class and its entry here."""
