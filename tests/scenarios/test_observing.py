"""Where a case stands is observed by one cheap call, from what the system that holds it says now."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bridge.core.cases import CaseRef, CaseState, CaseStatus
from bridge.core.operations import Link
from bridge.core.targets import Target
from bridge.steps.drivers.registry import CASES, DRIVERS, cases_of
from tests.scenarios.stage import RESOURCE, Case, Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("bridge"))
    yield made
    made.stop()


def link_of(case: Case) -> Link:
    of = CaseRef(system=Target.ALTINN2.value, owner=case.who, key=case.message_id)
    return Link(dialog_id=case.dialog_id, service_resource=RESOURCE, party="", case=of)


def observed(stage: Stage, link: Link) -> CaseState | None:
    return cases_of(link.required_case).observe(stage.bridge, link)


def asked(stage: Stage) -> list[str]:
    """What was asked of Altinn 2, without its logins."""
    return [f"{each.method} {each.path.rpartition('/api')[2]}" for each in stage.world.calls.all("altinn2")]


def test_a_case_in_its_place_takes_one_call(stage: Stage) -> None:
    """No form and no attachment is fetched."""
    case = stage.case()
    observed(stage, link_of(case))
    before = len(asked(stage))

    found = observed(stage, link_of(case))

    assert found is not None
    assert (found.status, found.archived_as) == (CaseStatus.FORM_FILLING, None)
    assert asked(stage)[before:] == [f"GET /{case.who}/messages/{case.message_id}"]


def test_nothing_new_is_observed_where_nothing_changed(stage: Stage) -> None:
    """Two looks are equal until something is written."""
    case = stage.case(service={"signing_steps": 1})

    first, second = observed(stage, link_of(case)), observed(stage, link_of(case))
    assert stage.press(case, "send-to-signing").status_code == 204
    third = observed(stage, link_of(case))

    assert first == second
    assert third is not None
    assert third.status is CaseStatus.SIGNING
    assert first is not None
    assert third.version != first.version
    assert third.last_changed > first.last_changed


def test_the_archived_copy_is_observed_in_the_cases_place(stage: Stage) -> None:
    """Found among what was archived where nobody has told the link, and by its id where somebody has."""
    case = stage.case()
    assert stage.press(case).status_code == 204
    copy = stage.world.altinn2.archived_as(case.message_id)

    found = observed(stage, link_of(case))
    before = len(asked(stage))
    known = observed(stage, replace(link_of(case), archived_id=copy))

    assert copy is not None
    assert found == known
    assert found is not None
    assert (found.status, found.archived_as) == (CaseStatus.ARCHIVED, copy)
    assert asked(stage)[before:] == [f"GET /{case.who}/messages/{copy}"]


def test_a_case_that_is_nowhere_is_none(stage: Stage) -> None:
    """Neither it nor a copy: whether it was deleted is for others to find out."""
    case = replace(stage.case(), message_id="a99999999")

    assert observed(stage, link_of(case)) is None


def test_an_app_that_calculates_holds_no_case() -> None:
    """Its cases are those of Altinn 2; only who holds a case can observe it."""
    assert not hasattr(DRIVERS[Target.ALTINN3], "observe")
    assert cases_of(CaseRef(system="altinn2", owner="my", key="a1")) is CASES["altinn2"]
    with pytest.raises(LookupError, match="no driver here holds cases of 'altinn3'"):
        cases_of(CaseRef(system=Target.ALTINN3.value, owner="50001", key="1"))
