"""Whoever comes to the bridge with a browser's address field reads where to go, instead of JSON."""

from collections.abc import Iterator, Mapping

import pytest
from werkzeug.datastructures import Headers

from bridge.core.texts.problems import LANDING
from tests.scenarios.stage import ORIGIN, Stage

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
NAVIGATES = {**BROWSER, "Sec-Fetch-Mode": "navigate"}
DIALOG = "0196f000-0000-7000-8000-000000000009"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("bridge"))
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/actions/{DIALOG}/submit", 405),
        (f"/actions/{DIALOG}/submit/print", 401),
        (f"/actions/{DIALOG}/submit/attachments", 401),
        (f"/operations/{DIALOG}", 401),
        ("/actions/x/submit", 404),
        (f"/embeds/{DIALOG}", 404),
    ],
)
@pytest.mark.parametrize("how", [BROWSER, NAVIGATES], ids=["by Accept", "by Sec-Fetch-Mode"])
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_a_navigation_gets_a_page(stage: Stage, path: str, status: int, how: Mapping[str, str], language: str) -> None:
    """In the person's language, with the status that a program would get, and a link to Arbeidsflate."""
    answer = stage.client.get(path, headers={**how, "Accept-Language": language})

    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert f'<html lang="{language}">' in answer.text
    assert LANDING[language].title in answer.text
    assert f'href="{ORIGIN}"' in answer.text
    assert answer.headers["Content-Language"] == language
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert (answer.headers["Referrer-Policy"], answer.headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "Allow" in answer.headers or status != 405
    assert "WWW-Authenticate" in answer.headers or status != 401


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Accept": "application/json"}, id="asks for JSON"),
        pytest.param({"Accept": "*/*"}, id="asks for anything"),
        pytest.param({}, id="asks for nothing"),
        pytest.param({**BROWSER, "Sec-Fetch-Mode": "cors"}, id="a script in a browser"),
        pytest.param({**NAVIGATES, "Authorization": "Bearer x"}, id="brings a token"),
    ],
)
def test_a_program_gets_a_problem_document(stage: Stage, headers: Mapping[str, str]) -> None:
    """As ever."""
    answer = stage.client.get(f"/actions/{DIALOG}/submit/print", headers=Headers(headers))

    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


def test_other_addresses_are_for_programs(stage: Stage) -> None:
    """The calculation proxy answers as its apps do, whoever asks."""
    answer = stage.client.get("/ttd/nothing/v1/data", headers=NAVIGATES)

    assert answer.mimetype != "text/html"
