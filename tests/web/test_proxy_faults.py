"""The calculation proxy when apps or the way to them fail (facts/altinn3-and-tokens.md 4.8, 6)."""

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout

from bridge.adapters.http.session import new_session
from bridge.sandbox.apps.state import App, DataType
from bridge.sandbox.core.ledger import How
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.in_process import SandboxAdapter
from bridge.sandbox.server import Sandbox
from tests.web.proxying import BASE, HOURS, LINES, OLD_SUM, SUM, Proxying

OPEN = "token: caller\nanonymous: true\nverbs: get_post\n"
ROUTES = {SUM: OPEN, HOURS: OPEN + "repeatable: true\n"}
HOURS_QUERY = "dataType=timeliste"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Proxying]:
    made = Proxying(tmp_path, ROUTES)
    yield made
    made.close()


def fault(stage: Proxying, *, times: int | None = 1, **how: Any) -> None:
    stage.world.faults.plan(How(**how), system="apps", method=None, path="/v1/data", times=times, skip=0)


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("an empty 500", {"status": 500}),
    (
        "a 403 with what it needs",
        {"status": 403, "body": '{"RequiredAuthenticationLevel":"3"}', "headers": {"Content-Type": "application/json"}},
    ),
    (
        "HTML of the ingress",
        {"status": 502, "body": "<html>Bad Gateway</html>", "headers": {"Content-Type": "text/html"}},
    ),
    ("a 503", {"status": 503, "headers": {"Retry-After": "Fri, 13 Nov 2026 12:00:00 GMT"}}),
    ("a 504", {"status": 504}),
    ("a 429", {"status": 429, "headers": {"Retry-After": "7"}}),
    ("a redirect", {"status": 302, "headers": {"Location": "https://elsewhere.example/login"}}),
]


@pytest.mark.parametrize("how", [row[1] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_faults_with_an_answer_pass_as_they_are(stage: Proxying, how: dict[str, Any]) -> None:
    """The client sees what the app, or who stands before it, said; a POST is not tried again."""
    fault(stage, **how)

    answer = stage.send("POST", json=LINES)

    headers = how.get("headers", {})
    assert (answer.status_code, answer.text) == (how["status"], how.get("body", ""))
    assert {name: answer.headers.get(name) for name in headers} == headers
    assert stage.calls() == ["POST data/anonymous"]


def test_a_lost_calculation_is_not_repeated(stage: Proxying) -> None:
    """The form may have arrived: 502 with a problem document, and one call."""
    fault(stage, cut="after")

    answer = stage.send("POST", json=LINES)

    assert (answer.status_code, answer.content_type) == (502, "application/problem+json")
    assert answer.get_json()["type"].endswith("app_unavailable")
    assert stage.calls() == ["POST data/anonymous"]


@pytest.mark.parametrize(
    "how", [{"cut": "after"}, {"cut": "before"}, {"status": 502}, {"status": 503}, {"status": 504}]
)
def test_a_repeatable_calculation_is_tried_once_more(stage: Proxying, how: dict[str, Any]) -> None:
    """Where the route says so a lost answer, or none from the ingress, costs the client nothing."""
    fault(stage, **how)

    answer = stage.send("POST", HOURS, HOURS_QUERY, json={})

    assert answer.status_code == 200
    assert stage.calls() == ["POST data/anonymous"] * 2


def test_it_is_tried_once_more_and_no_oftener(stage: Proxying) -> None:
    """Two failures are an answer."""
    fault(stage, times=2, cut="after")

    answer = stage.send("POST", HOURS, HOURS_QUERY, json={})

    assert (answer.status_code, len(stage.calls())) == (502, 2)


def test_an_empty_form_is_asked_for_again(stage: Proxying) -> None:
    """Creating has no effect anywhere, so a lost answer is asked for once more."""
    fault(stage, cut="after")

    assert stage.send("GET").status_code == 200


class Failing(BaseAdapter):
    """Fails as often as it is told to, then calls the sandbox."""

    def __init__(self, inner: BaseAdapter, *errors: Exception) -> None:
        super().__init__()
        self._inner, self.errors, self.sent = inner, list(errors), 0

    def send(self, request: Any, *args: Any, **about: Any) -> Any:
        self.sent += 1
        if self.errors:
            raise self.errors.pop(0)
        return self._inner.send(request, *args, **about)

    def close(self) -> None:
        """Nothing is open."""


def failing(stage: Proxying, *errors: Exception) -> Failing:
    adapter = Failing(SandboxAdapter(stage.world, BASE), *errors)
    stage.bridge.apps._session.mount("http://", adapter)
    return adapter


def test_a_calculation_that_was_never_sent_is_sent_again(stage: Proxying) -> None:
    """The connection was refused, so nothing left us; that needs no leave of the route."""
    adapter = failing(stage, NoConnection(ConnectionRefusedError()))

    answer = stage.send("POST", json=LINES)

    assert (answer.status_code, adapter.sent) == (200, 2)


def test_a_late_answer_is_504(stage: Proxying) -> None:
    """A wait that ended is not repeated, not even where the route calls the calculation repeatable."""
    adapter = failing(stage, ReadTimeout("late"))

    answer = stage.send("POST", HOURS, HOURS_QUERY, json={})

    assert (answer.status_code, adapter.sent) == (504, 1)
    assert answer.get_json()["type"].endswith("app_timeout")


def test_an_app_that_is_away_rests(stage: Proxying) -> None:
    """After five calls without an app behind them the next get a 503 at once; after ten seconds one tries."""
    adapter = failing(stage, *(NoConnection(ConnectionRefusedError()) for _ in range(6)))
    for _ in range(3):
        stage.send("POST", json=LINES)

    resting = stage.send("POST", json=LINES)
    other = stage.send("POST", HOURS, HOURS_QUERY, json={})
    circuit = stage.bridge.apps.status()[0]["circuit"]
    stage.clock.forward(10.1)
    back = stage.send("POST", json=LINES)

    assert (resting.status_code, resting.headers["Retry-After"]) == (503, "10")
    assert resting.get_json()["type"].endswith("app_resting")
    assert (other.status_code, circuit, back.status_code, adapter.sent) == (200, "open", 200, 8)
    assert stage.bridge.apps.status()[0]["circuit"] == "closed"


class HangsUp(BaseAdapter):
    """An app that takes a part of a form and ends the connection."""

    def send(self, request: Any, *_args: Any, **_about: Any) -> Any:
        taken = 0
        while taken < 400_000:
            taken += len(request.body.read(16_384))
        raise requests.ConnectionError(ConnectionResetError())

    def close(self) -> None:
        """Nothing is open."""


class Coming(io.RawIOBase):
    """A long form that comes at a pace: so many seconds for each piece after the first."""

    def __init__(self, ticks: "Ticks", seconds: float) -> None:
        super().__init__()
        self._ticks, self._seconds, self._at = ticks, seconds, 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = 1_000_000 if whence == io.SEEK_END else offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._ticks.now += self._seconds
        buffer[:] = b" " * len(buffer)
        return len(buffer)


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.mark.parametrize(("seconds", "circuit"), [(5.0, "closed"), (0.0, "open")], ids=["sender", "app"])
def test_senders_who_stall_rest_nobody(tmp_path: Path, seconds: float, circuit: str) -> None:
    """An app that hangs up on a sender who stalls is well; one that hangs up on a form that comes is not."""
    stage = Proxying(tmp_path, {SUM: "token: caller\nanonymous: true\nverbs: get_post\n"})
    stage.bridge.apps._session.mount("http://", HangsUp())
    stage.bridge.apps._monotonic = ticks = Ticks()
    for _ in range(6):
        assert (
            stage.send("POST", input_stream=Coming(ticks, seconds), content_type="application/json").status_code >= 502
        )

    told = stage.bridge.apps.status()[0]["circuit"]
    stage.close()

    assert told == circuit


def test_mistakes_of_clients_rest_nobody(stage: Proxying) -> None:
    """An empty 500 is often the client's fault (facts 0.7)."""
    for _ in range(12):
        assert stage.send("GET", query="dataType=pdf").status_code == 500

    assert stage.bridge.apps.status()[0]["circuit"] == "closed"


def test_a_refused_token_is_renewed_once(tmp_path: Path) -> None:
    """The bridge's own token is dropped on 401 and the call made again with a new one."""
    stage = Proxying(tmp_path, {SUM: "token: bridge\nverbs: get_post\n"})
    key = {"Authorization": f"Bearer {stage.settings.proxy_key and stage.settings.proxy_key.reveal()}"}
    stage.send("POST", anonymous=False, json=LINES, headers=key)
    fault(stage, status=401)

    answer = stage.send("POST", anonymous=False, json=LINES, headers=key)
    stage.close()

    assert (answer.status_code, len(stage.calls())) == (200, 3)


def test_calculations_of_one_caller_come_one_at_a_time(tmp_path: Path) -> None:
    """A slow answer is never overtaken by a newer one of the same caller; others do not wait."""
    stage = Proxying(tmp_path, {SUM: OPEN + "one_at_a_time: true\n", "ttd/maaler": OPEN + "one_at_a_time: true\n"})
    meter = Meter()
    example = next(each for each in stage._app(SUM).data_types if each.id == "regnestykke")
    form = DataType(
        id="regnestykke", root=example.root, class_name="M", members=example.members, calculate=meter.calculate
    )
    stage.world.apps.register(App(org="ttd", name="maaler", title="M", data_types=(form,)))
    mine = {"Authorization": f"Bearer {stage.token()}"}

    def calculate() -> None:
        stage.send("POST", "ttd/maaler", anonymous=False, json=LINES, headers=mine)

    threads = [threading.Thread(target=calculate) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    stage.close()

    assert (meter.most, meter.count) == (1, 6)


class Meter:
    """Counts how many calculate at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = self.count = 0

    def calculate(self, model: Any, language: str | None) -> Any:
        del language
        with self._lock:
            self.now += 1
            self.count += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(0.005)
        with self._lock:
            self.now -= 1
        return model


@pytest.mark.parametrize("chunked", [False, True], ids=["known length", "chunked"])
def test_large_bodies_go_over_real_sockets(tmp_path: Path, chunked: bool) -> None:
    """A form beyond what is kept in memory is streamed to an app whose verbs are not known yet."""
    stage = Proxying(tmp_path, {OLD_SUM: "token: caller\n"})
    with Sandbox(stage.world) as sandbox:
        stage.bridge.apps._url = f"{sandbox.base_url}/apps/{{org}}/{{app}}"
        stage.bridge.apps._session.mount("http://", new_session(pool=2).get_adapter("http://"))
        token = issue(stage.world, sandbox.base_url, "platform", {"urn:altinn:orgNumber": "310000019"}, lifetime=60)
        rows = ({"tekst": f"{number}" * 30, "antall": 1, "pris": 2} for number in range(6_000))
        body = json.dumps({"linje": list(rows)}).encode()
        about: dict[str, Any] = {"data": body}
        if chunked:
            about = {"input_stream": io.BytesIO(body), "environ_overrides": {"wsgi.input_terminated": True}}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        headers |= {"Transfer-Encoding": "chunked"} if chunked else {}

        answer = stage.send("POST", OLD_SUM, anonymous=False, headers=headers, **about)
        calls = stage.calls()
    stage.close()

    assert answer.get_json()["sum"] == 12_000
    assert calls == ["GET applicationmetadata", "GET data", "PUT data"]
