"""What each event of a delivery writes, held against the table of phases."""

import ast
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge
from bridge.core import changes
from bridge.core.cases import CaseRef
from bridge.core.changes import OperationChange
from bridge.core.decision import may_arrive
from bridge.core.delivery import TABLE, Event, Manifest, Phase, Write, step
from bridge.core.elements import Form
from bridge.core.mapping import FormKind
from bridge.core.operations import Operation, Outcome, Stage
from bridge.core.problems import Problem

PACKAGE = Path(bridge.__file__).parent
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
FORM = Form(kind=FormKind.MAIN, data_format_id="1", data_format_version="2", data="<a/>", form_id=1)
NO = Problem(code="upstream_refused", status=502)
MANIFEST = Manifest(forms=1, files=())
OPERATION = Operation(
    id=UUID(int=1),
    dialog_id=UUID(int=2),
    sequence=1,
    service_resource="urn:altinn:resource:a",
    action="submit",
    case=CaseRef(system="altinn2", owner="my", key="a1"),
    actor="a",
    body=None,
    body_digest="d",
    stage=Stage.DELIVER,
    outcome=None,
    problem=None,
    attempt=1,
    tries=0,
    waiting=False,
    holder="h",
    sending_at=None,
    answered_at=None,
    built_on=None,
    state_after=None,
    archived_id=None,
    accepted_at=NOW,
    finished_at=None,
    last_error=None,
)
SENT = frozenset(event for event in Event if event.name.startswith("SENT_"))
ANSWERS = frozenset({Event.ANSWERED, Event.NEVER_LEFT, Event.UNKNOWN, Event.REFUSED})

Happen = Callable[[Operation, Operation], OperationChange]


def set_out(event: Event) -> Happen:
    return lambda operation, _: changes.set_out(
        operation,
        event,
        now=NOW,
        until=LATER,
        built_on=NOW,
        manifest=MANIFEST,
        forms=() if event is Event.SENT_SIGNATURE else (FORM,),
        before=(FORM,),
    )


HAPPENINGS: dict[Event, Happen] = {
    **{event: set_out(event) for event in SENT - {Event.SENT_BACK}},
    Event.SENT_BACK: lambda operation, _: changes.set_out_again(operation, now=NOW, until=LATER),
    Event.ANSWERED: lambda operation, _: changes.answered(operation, at=NOW, archived_id="b1"),
    Event.NEVER_LEFT: changes.never_left,
    Event.UNKNOWN: lambda operation, _: changes.unanswered(operation, until=LATER),
    Event.REFUSED: lambda operation, before: changes.refused(operation, before, now=NOW, problem=NO),
    Event.FORM_REFUSED: lambda operation, _: changes.form_refused(operation, problem=NO),
    **{
        event: lambda operation, _, event=event: changes.seen(operation, event, last_changed=LATER)
        for event in (Event.SEEN_WHOLE, Event.DRAFT_SEEN, Event.FORMS_SEEN, Event.TAKEN_ON)
    },
    Event.ENDED: lambda operation, _: changes.ended(
        operation, outcome=Outcome.REFUSED, state_after=None, archived_id=None, problem=NO
    ),
}


def at(phase: Phase) -> Operation:
    return replace(OPERATION, manifest=MANIFEST.in_phase(phase))


@pytest.mark.parametrize("event", Event, ids=lambda event: event.name)
@pytest.mark.parametrize("phase", Phase, ids=lambda phase: phase.name)
def test_an_event_does_what_the_table_says(phase: Phase, event: Event) -> None:
    """It leads to the table's phase and writes the table's members; what is not in the table cannot be written."""
    operation = at(phase)
    if (phase, event) not in TABLE:
        with pytest.raises(LookupError, match=f"{phase.name}.*{event.name}"):
            HAPPENINGS[event](operation, operation)
        return

    change = HAPPENINGS[event](operation, operation)

    said = TABLE[phase, event]
    optional = {Write.NO: {"problem"}, Write.END: {"problem", "archived_id"}}.get(said.write, set())
    assert change.to(operation).phase is said.phase
    assert optional | set(change.values()) == optional | set(said.write.value)


def test_no_phase_is_set_beside_the_table() -> None:
    """Only what looked a step up puts a manifest into a phase, and only the store makes one of what it kept."""
    calls = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and (name := getattr(node.func, "attr", getattr(node.func, "id", ""))) in ("in_phase", "Manifest", "Phase")
    }

    assert {path for path, name in calls if name == "in_phase"} == {"core/changes.py"}
    assert {path for path, name in calls if name != "in_phase"} == {"core/delivery.py", "storage/operation_columns.py"}


def test_every_phase_is_reached_and_left() -> None:
    """A phase that nothing leads to, or that nothing but the end leads out of, is none."""
    reached = {Phase.WHOLE}
    while more := {said.phase for (phase, _), said in TABLE.items() if phase in reached} - reached:
        reached |= more

    assert reached == set(Phase)
    assert all((phase, Event.ENDED) in TABLE for phase in Phase)


def test_whatever_sets_out_can_be_answered() -> None:
    """No answer to a write finds the table without a row: after it nobody may be at a loss."""
    out = {said.phase for (_, event), said in TABLE.items() if event in SENT}

    missing = {(phase, event) for phase in out for event in ANSWERS if (phase, event) not in TABLE}

    assert missing == {(Phase.ROLLING_BACK, Event.ANSWERED)}, "a form that is put back is looked at, answered or not"


def test_nothing_is_written_before_a_signature_but_what_was_verified() -> None:
    """What signs sets out as the first write, or after the attachments were seen to survive the completion."""
    signing = {phase for phase, event in TABLE if event is Event.SENT_SIGNATURE}

    assert signing == {Phase.WHOLE, Phase.ATTACHMENTS_VERIFIED}
    assert {phase for phase, event in TABLE if TABLE[phase, event].phase is Phase.ATTACHMENTS_VERIFIED} == {
        Phase.COMPLETING_WITHOUT_SIGNATURE,
        Phase.ATTACHMENTS_VERIFIED,
    }


def test_a_phase_that_is_left_for_a_new_beginning_has_nothing_out() -> None:
    """What was seen is settled: no mark of the write that led there outlives it."""
    for (phase, event), said in TABLE.items():
        if said.write in (Write.ANEW, Write.ANEW_WITHOUT_FORMS):
            out = replace(at(phase), sending_at=NOW, answered_at=NOW, may_arrive_until=LATER, sent_forms=(FORM,))

            settled = HAPPENINGS[event](out, out).to(out)

            assert (settled.sending_at, settled.answered_at, settled.may_arrive_until) == (None, None, None)
            assert settled.built_on == LATER


@given(st.lists(st.sampled_from(sorted(Event, key=lambda each: each.name)), max_size=30))
def test_however_events_follow_each_other_the_row_is_sound(events: list[Event]) -> None:
    """After any run through the table an answer belongs to a write, and what may arrive has set out."""
    operation = before = OPERATION
    out = False
    for event in events:
        if (operation.phase, event) not in TABLE or (event in ANSWERS and not out):
            continue
        earlier = operation
        operation = HAPPENINGS[event](operation, before).to(operation)
        if event in SENT:
            before = earlier
        out = event in SENT  # Its answer comes next, or never.

        assert operation.phase is step(earlier.phase, event).phase
        assert operation.answered_at is None or operation.sending_at is not None
        assert not may_arrive(operation, NOW) or operation.sending_at is not None
        if operation.stage is not Stage.DELIVER:
            assert operation.outcome is not None
            return


def test_a_change_names_members_of_the_row_alone() -> None:
    """A change can be put on an operation because it says the same of the same members."""
    of_operation = {each.name for each in fields(Operation)}

    assert {each.name for each in fields(OperationChange)} <= of_operation


def test_a_change_that_names_nothing_writes_nothing() -> None:
    """What is not named stays, and None is something else than that."""
    assert OperationChange().values() == {}
    assert OperationChange(problem=None).values() == {"problem": None}
    assert OperationChange().to(OPERATION) == OPERATION


def test_a_signature_keeps_the_forms_that_it_signs() -> None:
    """A write without forms leaves those that were sent before it, with what they were made of."""
    operation = replace(at(Phase.WHOLE), sent_forms=(FORM,), held_forms=(FORM,))

    signed = HAPPENINGS[Event.SENT_SIGNATURE](operation, operation).to(operation)

    assert (signed.sent_forms, signed.held_forms) == ((FORM,), (FORM,))


def test_a_no_counts_later_while_an_earlier_write_may_arrive() -> None:
    """The earlier one may make the no untrue, and is not sent a third time."""
    open_, over = replace(OPERATION, may_arrive_until=LATER), replace(OPERATION, may_arrive_until=NOW)

    noted = changes.refused(OPERATION, open_, now=NOW, problem=NO)
    plain = changes.refused(OPERATION, over, now=NOW, problem=NO)

    assert noted.values() == {"may_arrive_until": LATER, "problem": NO}
    assert plain.values() == {"may_arrive_until": NOW}
