"""What was accepted is what is done, whatever the mapping says by the time it is carried out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.mapping import AfterUpdate
from bridge.core.operations import Operation, Outcome
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.operation.agreed import MappingGone, agreed, telling
from bridge.steps.operation.deliver import deliver
from tests.scenarios.stage import RESOURCE, Stage


@pytest.fixture
def waiting(stage: Stage) -> Operation:
    """A press as it was before anything of it was sent."""
    case = stage.case()
    stage.press(case)
    (operation,) = stage.operations(case)
    return replace(operation, sending_at=None, answered_at=None, manifest=None, outcome=None)


@pytest.fixture
def changed(stage: Stage) -> Bridge:
    """The bridge after its mapping came to mean something else."""
    mapping = stage.bridge.mappings[RESOURCE]
    other = replace(mapping.actions["submit"], after=AfterUpdate.KEEP_AS_DRAFT)
    return replace(stage.bridge, mappings={RESOURCE: replace(mapping, actions={"submit": other})})


def begun(stage: Stage, waiting: Operation) -> Operation:
    return replace(waiting, sending_at=stage.bridge.clock())


def test_what_waits_is_refused_under_another_meaning(changed: Bridge, waiting: Operation) -> None:
    """Nothing of it was sent, so whoever pressed may press again and gets what the mapping says by then."""
    with pytest.raises(Refusal) as refusal:
        agreed(changed, waiting)

    assert (refusal.value.code, refusal.value.status) == ("mapping_changed", 409)


def test_what_has_begun_goes_on_as_it_was_accepted(stage: Stage, changed: Bridge, waiting: Operation) -> None:
    """Also where no mapping has the service any more."""
    gone = replace(stage.bridge, mappings={})

    done = {agreed(each, begun(stage, waiting))[1].after for each in (stage.bridge, changed, gone)}

    assert done == {AfterUpdate.SIGN_AND_ARCHIVE}


def test_what_waits_outlives_a_mapping_that_is_gone(stage: Stage, waiting: Operation) -> None:
    """It may come back, as after a release that was rolled out with a file too few."""
    with pytest.raises(MappingGone):
        agreed(replace(stage.bridge, mappings={}), waiting)


def test_what_has_begun_is_uncertain_where_nothing_was_kept(stage: Stage, changed: Bridge, waiting: Operation) -> None:
    """It was accepted before mappings were kept: what is out cannot be carried on, nor called undone."""
    with pytest.raises(Refusal) as refusal:
        agreed(changed, replace(begun(stage, waiting), mapping_digest=None))

    assert (refusal.value.code, refusal.value.status) == ("outcome_uncertain", 504)


def test_nothing_is_decided_while_a_write_may_arrive(stage: Stage, changed: Bridge, waiting: Operation) -> None:
    """Told as uncertain now, it could be true or untrue a minute later: it is looked at again."""
    now = stage.bridge.clock()
    out = replace(begun(stage, waiting), mapping_digest=None, may_arrive_until=now + timedelta(minutes=5))

    moment = deliver(changed, out)

    assert moment is not None
    assert now < moment


def test_what_was_done_is_told_as_accepted(stage: Stage, changed: Bridge, waiting: Operation) -> None:
    """What was refused is told by the mapping in force, which says what may be pressed; without one nothing may."""
    done, refused = replace(waiting, outcome=Outcome.DONE), replace(waiting, outcome=Outcome.REFUSED)

    ((_, as_done), _), ((_, as_refused), _) = telling(changed, done), telling(changed, refused)

    assert (as_done.after, as_refused.after) == (AfterUpdate.SIGN_AND_ARCHIVE, AfterUpdate.KEEP_AS_DRAFT)
    assert telling(replace(stage.bridge, mappings={}), refused)[1] is False
