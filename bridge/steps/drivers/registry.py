"""Which driver carries out what is pressed, by the target that the mapping gives the action."""

from bridge.core.cases import CaseRef
from bridge.core.targets import Target
from bridge.steps.dialog.embeds import Views
from bridge.steps.drivers.altinn2.driver import Altinn2
from bridge.steps.drivers.altinn2.views import ElementViews
from bridge.steps.drivers.calculation.driver import Calculation
from bridge.steps.drivers.protocol import Cases, Driver

_ALTINN2 = Altinn2()

CASES: Cases = _ALTINN2
"""Whose cases dialogs stand for that nobody has pressed on yet, and batches make dialogs of."""
SYSTEMS: dict[str, Cases] = {Target.ALTINN2.value: _ALTINN2}
"""What holds the cases of each system that a ``CaseRef`` names. An app that calculates holds none: it is no system."""
VIEWS: Views = ElementViews()
"""What dialogs show of those cases."""


def cases_of(case: CaseRef) -> Cases:
    """What holds *case*. Raises LookupError where nothing here knows its system."""
    try:
        return SYSTEMS[case.system]
    except KeyError:
        raise LookupError(f"no driver here holds cases of {case.system!r}") from None


DRIVERS: dict[Target, Driver] = {
    Target.ALTINN2: _ALTINN2,
    Target.ALTINN3: Calculation(cases_of),
}
"""One for each target: who adds a target adds a class and its entry here."""
