"""A mapping may do without the comparison of forms."""

from collections.abc import Iterator

import pytest

from tests.scenarios.altinn2_mapping import TEXT
from tests.scenarios.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("mappings")
    (folder / "all.yaml").write_text(TEXT.replace("bare_completion: BARE", "compare_forms: false"), "utf-8")
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder))
    yield made
    made.stop()


def test_without_comparing_nothing_is_read_and_nothing_is_seen(stage: Stage) -> None:
    """``compare_forms: false`` saves two calls, and what is lost then is not told."""
    case = stage.case()
    stage.world.change_switches(put_forms="last_value_dropped")

    answer = stage.press(case)

    reads = [each for each in stage.world.calls.all() if each.template.endswith("formdata")]
    assert answer.status_code == 204
    assert len(reads) == 1
