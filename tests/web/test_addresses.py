"""Addresses as they come: no redirect, a problem document wherever none is meant, and methods that are true."""

import re
from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule

from bridge.web.app import create_app
from tests.web.proxying import SUM, Proxying

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SOME = "0196f000-0000-7000-8000-000000000002"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxying]:
    made = Proxying(tmp_path_factory.mktemp("addresses"), {SUM: "token: caller\nanonymous: true\n"})
    yield made
    made.close()


@pytest.fixture(scope="module")
def paths(stage: Proxying) -> list[str]:
    """One of each route."""

    def filled(rule: Rule) -> str:
        text = rule.rule.replace("<org>/<app>", SUM)
        return re.sub(r"<[^>]+>", lambda part: "7" if part[0].startswith("<int:") else SOME, text)

    return sorted({filled(rule) for rule in create_app(stage.bridge).url_map.iter_rules()})


def odd(path: str) -> Iterator[str]:
    yield f"/{path}"
    yield f"{path}/"
    yield f"{path}//"
    yield f"{path}/."
    yield f"{path}/.."
    yield path.upper()
    for at in range(1, len(path)):
        if path[at] == "/":
            yield f"{path[:at]}/{path[at:]}"


def test_no_address_leads_to_another(stage: Proxying, paths: list[str]) -> None:
    """A redirect of a write would lose it, or send it and its token in the clear: it is answered, or 404."""
    for path in (one for each in paths for one in odd(each)):
        for method in METHODS:
            # The host is the client's to say.
            answer = stage.client.open(path, method=method, headers={"Host": "elsewhere.example"})
            assert not 300 <= answer.status_code < 400, (method, path)
            assert "Location" not in answer.headers
            assert answer.status_code < 400 or answer.content_type != "text/html", (method, path)


def allowed(value: str | None) -> set[str]:
    return {each.strip() for each in (value or "").split(",")} - {""}


def test_what_allow_says_is_so(stage: Proxying, paths: list[str]) -> None:
    """Every method that it names is answered with something else than 405, no other is, and OPTIONS says the same."""
    for path in paths:
        answers = {method: stage.client.open(path, method=method) for method in METHODS}
        options = stage.client.options(path)

        said = allowed(options.headers.get("Allow"))
        assert (options.status_code, "OPTIONS" in said) == (204, True), path
        assert {method for method, answer in answers.items() if answer.status_code != 405} == said - {"OPTIONS"}, path
        for answer in answers.values():
            assert answer.status_code != 405 or allowed(answer.headers["Allow"]) == said, path


def test_what_is_not_there_allows_nothing(stage: Proxying) -> None:
    """404 as for any method; a browser's question before a call is answered all the same, so that it can read why."""
    plain = stage.client.options("/nowhere")
    preflight = stage.client.options("/nowhere", headers={"Access-Control-Request-Method": "POST"})

    assert (plain.status_code, plain.content_type) == (404, "application/problem+json")
    assert (preflight.status_code, preflight.headers.get("Allow")) == (204, None)
