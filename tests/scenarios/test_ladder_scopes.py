"""With the scopes that it takes, the bridge tells dialogs all that it could not change without."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.scenarios.stage import RESOURCE, Stage
from tests.scenarios.test_ladder import CORRESPONDENCE, LEGACY, MAPPING, OLD, only, seeded


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("mappings")
    (folder / "m.yaml").write_text(MAPPING, "utf-8")
    made = Stage(
        tmp_path_factory.mktemp("bridge"),
        BRIDGE_MAPPINGS=str(folder),
        BRIDGE_DIALOGPORTEN_SCOPES=f"{LEGACY}, {CORRESPONDENCE}",
    )
    yield made
    made.stop()


@pytest.mark.parametrize(("about", "scopes"), OLD[:3])
def test_further_scopes_let_all_of_it_be_told(stage: Stage, about: dict[str, Any], scopes: list[str]) -> None:
    """The same dialogs, and nothing is left out."""
    mine = seeded(stage, about, scopes)

    answer = stage.press(mine)

    assert answer.status_code == 204
    assert (only(stage, mine).left_out, stage.dialog(mine)["status"]) == ((), "Completed")


def test_a_correspondences_dialog_keeps_its_words(stage: Stage) -> None:
    """Our buttons go and the history grows; status and words are Correspondence's."""
    case, state = stage.case(), stage.world.dialogporten
    before, usual = stage.dialog(case), state.resource(RESOURCE, stage.world.owner.number)
    state.own(RESOURCE, replace(usual, kind="correspondenceservice"))

    answer = stage.press(case)
    after = stage.dialog(case)
    state.own(RESOURCE, usual)

    assert answer.status_code == 204
    same = ("status", "extendedStatus", "content", "searchTags", "transmissions", "serviceOwnerContext")
    assert {name: after.get(name) for name in same} == {name: before.get(name) for name in same}
    assert [each["type"] for each in after["activities"]] == ["FormSubmitted"]
    assert "submit" not in stage.buttons(case)
