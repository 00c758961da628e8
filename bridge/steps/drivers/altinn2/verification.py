"""After a PUT: what Altinn 2 shows of the forms, held against what it was sent (promise P7)."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bridge.core.cases import CaseStatus
from bridge.core.changes import OperationChange
from bridge.core.elements import Element, Form
from bridge.core.errors import BridgeError, Finding, Unreachable, UpstreamError
from bridge.forms.altinn2_equivalence import washed_differences
from bridge.forms.diff import Change, Difference
from bridge.forms.xml.input import Unreadable
from bridge.parts import Bridge
from bridge.steps.delivery import Delivery

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

_MOST_TRIES = 3
"""So often forms that cannot be read are asked for; the PUT took, and the dialog must not wait for ever to be told."""
_JUST_SENT = timedelta(minutes=1)
"""So long a draft that we sent is taken for ours; later somebody may have gone on with it."""
_MOST_PATHS = 50
_GONE = Difference(path="/", change=Change.LOST)


NOT_COMPARABLE = "not_comparable"
"""The rule of a finding that says that nobody knows what became of a form: no loss, and not fine either."""


class Incomparable(BridgeError):
    """A form that is shown cannot be held against what was sent, so nobody can say whose it is."""

    def __init__(self, element: Element, form: Form) -> None:
        super().__init__("incomparable")
        self.element, self.finding = element, unknown(form)


def unknown(form: Form) -> Finding:
    """The finding that what became of *form* is not known."""
    return Finding(path="/", rule=NOT_COMPARABLE, facts={"form": f"{form.data_format_id}/{form.data_format_version}"})


def missing_values(delivery: Delivery, after: Element) -> tuple[Finding, ...]:
    """
    The values that are gone from the forms read back, by path; all that differs is put on the operation's row.

    Forms that cannot be read back or compared are findings as well (``NOT_COMPARABLE``).

    Raises:
        Unreachable: They cannot be read now; what was sent is kept for the next try.
    """
    bridge, operation = delivery.bridge, delivery.operation
    mapping = bridge.mappings.get(operation.service_resource)
    # A mapping that is gone says nothing against it.
    unasked = mapping is not None and (mapping.altinn2 is None or not mapping.altinn2.compare_forms)
    if not operation.sent_forms or unasked:
        return ()
    try:
        shown = bridge.altinn2.read_contents(after, attached=False).forms
    except UpstreamError as error:
        if isinstance(error, Unreachable) and operation.tries < _MOST_TRIES:
            raise
        log.error("the forms could not be read back, and what became of them is unknown", why=str(error))
        return tuple(map(unknown, operation.sent_forms))
    found: list[Difference] = []
    unclear: list[Finding] = []
    for form, twin in paired(operation.sent_forms, shown):
        try:
            found += _compared(bridge, form, twin)
        except Unreadable as error:
            log.error("a form cannot be compared, and what became of it is unknown", why=error.finding.rule)
            unclear.append(unknown(form))
    lost = (*(each.finding() for each in found if each.change is Change.LOST), *unclear)
    if found:
        by_change = {change.value: [each.path for each in found if each.change is change] for change in Change}
        paths_by_change = {name: paths[:_MOST_PATHS] for name, paths in by_change.items() if paths}
        # What is cut is counted, so that nobody takes the paths for all.
        log.warning("the forms did not come back as they were sent", differences=len(found), **paths_by_change)
        delivery.recorded(OperationChange(differences={"count": len(found), **paths_by_change}))
    return lost if _is_ours(delivery, after) else ()


def _is_ours(delivery: Delivery, after: Element) -> bool:
    if after.state is not CaseStatus.FORM_FILLING:
        return True
    answered = delivery.operation.answered_at
    return answered is not None and delivery.bridge.clock() - answered <= _JUST_SENT


def paired(sent: Sequence[Form], shown: Sequence[Form]) -> list[tuple[Form, Form | None]]:
    """Each form with the one that was made of it: by its id, which a PUT of all may change, or else in order."""
    left = list(shown)
    pairs: list[tuple[Form, Form | None]] = []
    ids = {form.form_id for form in sent if form.form_id is not None}
    kept = bool(ids) and ids <= {each.form_id for each in left}
    for form in sent:
        by_id = kept and form.form_id is not None
        like = (each for each in left if _key(each) == _key(form) and (not kept or by_id or each.form_id not in ids))
        twin = next((each for each in like if not by_id or each.form_id == form.form_id), None)
        if twin is not None:
            left.remove(twin)
        pairs.append((form, twin))
    return pairs


def _key(form: Form) -> tuple[object, ...]:
    return form.kind, form.data_format_id, form.data_format_version


def _compared(bridge: Bridge, form: Form, twin: Form | None) -> tuple[Difference, ...]:
    """What became of a form. Raises Unreadable where that cannot be said."""
    if twin is None:
        return (_GONE,)
    if not form.data or form.data == twin.data:  # Altinn 2 filled it in, or shows it as it was sent.
        return ()
    return washed_differences(form.data, twin.data, limits=bridge.schemas.limits)
