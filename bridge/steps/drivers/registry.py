"""Which driver carries out what is pressed, by the target of the action; and who knows a case, by its system."""

from bridge.core.cases import CaseRef
from bridge.core.dialogs import Dialog
from bridge.core.problems import Refusal
from bridge.core.targets import Target
from bridge.parts import Bridge
from bridge.steps.drivers.altinn2.driver import Altinn2
from bridge.steps.drivers.altinn2.element_uploads import ElementUploads
from bridge.steps.drivers.altinn2.views import ElementViews
from bridge.steps.drivers.calculation.driver import Calculation
from bridge.steps.drivers.protocol import Cases, Driver, Uploads, Views

_ALTINN2 = Altinn2()

CASES: dict[str, Cases] = {Target.ALTINN2.value: _ALTINN2}
"""What holds the cases of each system that a ``CaseRef`` names. An app that calculates holds none: it is no system."""
VIEWS: dict[str, Views] = {Target.ALTINN2.value: ElementViews()}
"""What shows them, for each system whose cases can be looked at."""
UPLOADS: dict[str, Uploads] = {Target.ALTINN2.value: ElementUploads()}
"""What attaches files to them one at a time, for each system whose cases take any."""


def cases_of(case: CaseRef) -> Cases:
    """What holds *case*. Raises LookupError where nothing here knows its system."""
    try:
        return CASES[case.system]
    except KeyError:
        raise LookupError(f"no driver here holds cases of {case.system!r}") from None


def views_of(case: CaseRef) -> Views:
    """What shows *case*. Raises Refusal 404 where nothing here does."""
    if case.system not in VIEWS:
        raise Refusal("case_not_shown", 404, facts={"system": case.system})
    return VIEWS[case.system]


def uploads_of(case: CaseRef) -> Uploads:
    """What attaches files to *case*. Raises Refusal 409 where nothing here does."""
    if case.system not in UPLOADS:
        raise Refusal("case_without_uploads", 409, facts={"system": case.system})
    return UPLOADS[case.system]


def first_use(bridge: Bridge, dialog: Dialog) -> CaseRef | None:
    """The case that *dialog* stands for, in the first system that knows one; None where none does. Raises Refusal."""
    found = (each.first_use(bridge, dialog) for each in CASES.values())
    return next((case for case in found if case is not None), None)


DRIVERS: dict[Target, Driver] = {
    Target.ALTINN2: _ALTINN2,
    Target.ALTINN3: Calculation(cases_of),
}
"""One for each target: who adds a target adds a class and its entry here."""
