"""``altinn-bridge act`` on a sandbox over HTTP, with a small receiver: what is told, and what it ends with."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from bridge.cli import _bridge
from bridge.cli.end_users import TOKEN_VARIABLE
from bridge.sandbox.core.ledger import How
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World
from tests.sandbox.support import PARTY, dialog, gui_action, information, owner_token, texts

PERSON = "01810000186"


class Stage:
    """A sandbox, and a receiver whose answer the path decides."""

    def __init__(self) -> None:
        self.world = World(lambda: datetime.now(UTC), 7)
        self.sandbox = Sandbox(self.world).start()
        self.receiver = make_server("127.0.0.1", 0, self._receive, threaded=True)
        self.thread = threading.Thread(target=self.receiver.serve_forever, daemon=True)
        self.thread.start()
        self.tokens: list[str] = []

    def close(self) -> None:
        self.receiver.shutdown()
        self.thread.join()
        self.receiver.server_close()
        self.sandbox.stop()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.receiver.server_port}"

    def owner(self, method: str, path: str, body: Any) -> requests.Response:
        url = f"{self.sandbox.base_url}/dialogporten/api/v1/serviceowner/dialogs{path}"
        token = owner_token(self.world, base=self.sandbox.base_url)
        return requests.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)

    def created(self, **members: Any) -> str:
        names = ("submit", "later", "wrong", "nothing")
        actions = [
            gui_action(
                url=f"{self.address}/{name}", priority="Tertiary", action=name, title=texts(name.title()), **members
            )
            for name in names
        ]
        link = gui_action(url="https://bro.example.no/les", httpMethod="GET", action="read", title=texts("Les"))
        return str(self.owner("POST", "", dialog(guiActions=[*actions, link])).json())

    def user_token(self, **about: Any) -> str:
        asked = {"party": PARTY, **about}
        answer = requests.post(f"{self.sandbox.base_url}/_sandbox/enduser-token", json=asked, timeout=10)
        return str(answer.json()["token"])

    def run(self, *arguments: str, token: str | None = None, given: str | None = None) -> Result:
        environ = {
            TOKEN_VARIABLE: self.user_token() if token is None else token,
            "BRIDGE_DIALOGPORTEN_URL": f"{self.sandbox.base_url}/dialogporten",
        }
        return CliRunner().invoke(_bridge, ["act", *arguments], env=environ, input=given)

    def _receive(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.tokens.append(request.headers["Authorization"])
        name = request.path.removeprefix("/")
        if name in ("submit", "later"):
            [held] = self.world.dialogporten.dialogs()[-1:]
            patch = [
                {"op": "replace", "path": "/status", "value": "Completed"},
                {"op": "replace", "path": "/guiActions", "value": []},
                {"op": "add", "path": "/activities/-", "value": information(f"Sendt av {PERSON}.")},
            ]
            assert self.owner("PATCH", f"/{held.id}", patch).status_code == 204
        if name == "wrong":
            found = [{"path": "/melding/dato", "message": f"Dato mangler for {PERSON}."}]
            said = {"title": "Skjemaet har feil", "detail": f"Rett det for {PERSON}.", "status": 422, "findings": found}
            problem = json.dumps(said)
            return Response(problem, 422, content_type="application/problem+json")(environ, start_response)
        return Response(status={"submit": 204}.get(name, 202))(environ, start_response)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


@pytest.mark.parametrize(("action", "status"), [("submit", 204), ("later", 202)])
def test_a_press_tells_what_changed(stage: Stage, action: str, status: int) -> None:
    """Answer, news, status, buttons and history; without identity numbers."""
    dialog_id = stage.created()

    result = stage.run(dialog_id, action)

    assert result.exit_code == 0, result.output
    assert f"answer       {status}" in result.stdout
    assert "the event came" in result.stdout
    assert "status       RequiresAttention → Completed" in result.stdout
    assert "button       - Submit" in result.stdout
    assert "activity     + Information Sendt av ***********." in result.stdout


def test_a_refusal_ends_with_one(stage: Stage) -> None:
    """In the receiver's words, with the outcome for machines as well."""
    dialog_id = stage.created()

    result = stage.run(dialog_id, "wrong")
    machine = json.loads(stage.run(dialog_id, "wrong", "--json").stdout)

    assert result.exit_code == 1
    assert "it says      Skjemaet har feil: Rett det for ***********." in result.stdout
    assert "             /melding/dato: Dato mangler for ***********." in result.stdout
    assert (machine["status"], machine["exit_code"], machine["changed"]) == (422, 1, False)


def test_no_news_ends_with_three(stage: Stage) -> None:
    """Nothing is said to be aborted."""
    result = stage.run(stage.created(), "nothing", "--wait", "0.2")

    assert result.exit_code == 3
    assert "that does not mean that it was given up" in result.stdout


@pytest.mark.parametrize(("action", "ends_with"), [("submit", 0), ("later", 3)])
def test_a_dialog_that_cannot_be_read_afterwards_is_not_unchanged(stage: Stage, action: str, ends_with: int) -> None:
    """Nobody knows whether it changed: that is said, and the press counts by what its receiver said."""
    dialog_id = stage.created()
    path = f"/enduser/dialogs/{dialog_id}"
    stage.world.faults.plan(How(status=500), system="dialogporten", method="GET", path=path, skip=1, times=None)

    result = stage.run(dialog_id, action, "--wait", "0.2")

    assert result.exit_code == ends_with, result.output
    assert "dialog       could not be read after the press: Dialogporten: 500" in result.stdout
    assert "unchanged" not in result.stdout


def test_buttons_are_listed_without_an_action(stage: Stage) -> None:
    """So that one can be chosen; a title and an address choose as well."""
    dialog_id = stage.created()

    listed = stage.run(dialog_id)
    by_title = stage.run(stage.created(), "submit", "--json")
    by_url = stage.run(stage.created(), "--url", f"{stage.address}/submit", "--json")

    machine = json.loads(stage.run(dialog_id, "--json").stdout)["buttons"]
    assert (listed.exit_code, listed.stderr) == (0, "")
    assert "submit  submit  POST  Submit" in listed.stdout
    assert [each["name"] for each in machine] == ["submit", "later", "wrong", "nothing", "les"]
    assert machine[0] == {
        "name": "submit",
        "action": "submit",
        "method": "POST",
        "title": "Submit",
        "prompt": None,
        "url": f"{stage.address}/submit",
        "authorized": True,
    }
    assert (by_title.exit_code, by_url.exit_code) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sign"], "None fits"),
        (["Les"], "this button is a link"),
        (["--url", "https://steal.example.no/submit"], "None fits"),
    ],
)
def test_tokens_go_only_where_the_dialog_says(stage: Stage, arguments: list[str], words: str) -> None:
    """Anything else is called wrongly, and nothing was sent."""
    dialog_id, before = stage.created(), len(stage.tokens)

    result = stage.run(dialog_id, *arguments)

    assert (result.exit_code, len(stage.tokens)) == (2, before)
    assert words in result.output


def test_a_question_needs_an_answer(stage: Stage) -> None:
    """Without a terminal only --yes is one."""
    dialog_id = stage.created(prompt=texts("Er du sikker?"))

    unanswered = stage.run(dialog_id, "submit")
    answered = stage.run(dialog_id, "submit", "--yes")

    assert (unanswered.exit_code, answered.exit_code) == (2, 0)
    assert "Er du sikker?" in unanswered.output


def test_a_masked_button_is_not_pressed(stage: Stage) -> None:
    """Whoever may only read is told so."""
    result = stage.run(stage.created(), "submit", token=stage.user_token(actions=["read"]))

    assert result.exit_code == 2


def test_the_token_may_come_by_standard_input(stage: Stage) -> None:
    """Or by a file; never as an argument."""
    result = stage.run(stage.created(), "submit", "--token-file", "-", token="", given=stage.user_token() + "\n")

    assert result.exit_code == 0, result.output
    assert "--token " not in CliRunner().invoke(_bridge, ["act", "--help"]).output


def test_a_dialog_out_of_reach_ends_with_one(stage: Stage) -> None:
    """Not there for this user."""
    result = stage.run("019cd767-5adc-7098-b6f6-75cc81e74ef5", "submit")

    assert result.exit_code == 1
    assert "Dialogporten: 404 not_found" in result.stderr
