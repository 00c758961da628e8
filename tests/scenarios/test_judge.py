"""The judge of what is said to Dialogporten: it has to be able to find fault."""

import io
import json
import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest

from tests.judge import CONTRACTS, PREFIX, UNSAID, WSGI, Judge, documents
from tests.scenarios.stage import JUDGE

pytestmark = pytest.mark.skipif(
    not CONTRACTS.is_dir() and not os.environ.get("CI"), reason="the folder shared beside the checkout is missing"
)
DIALOG = "0194a1b2-0000-7000-8000-000000000000"
PATH = f"{PREFIX}/api/v1/serviceowner/dialogs/{DIALOG}"


def saying(status: str, body: Any, media_type: str = "application/json") -> WSGI:
    """An app that says the same to everybody."""

    def app(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(status, [("Content-Type", media_type)] if body is not None else [])
        return [] if body is None else [json.dumps(body).encode()]

    return app


def faults(
    app: WSGI, method: str = "GET", path: str = PATH, sent: Any = None, media_type: str = "", *, unsaid: Any = UNSAID
) -> list[str]:
    """What the judge says of one exchange with *app*."""
    judge = Judge(documents(), unsaid=unsaid)
    body = b"" if sent is None else json.dumps(sent).encode()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "sandbox",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": media_type,
        "HTTP_AUTHORIZATION": "Bearer x",
    }
    answer = b"".join(judge.around(app)(environ, lambda *_: None))
    assert answer == b"".join(app({}, lambda *_: None))
    return judge.take()


PATCHED = saying("204 No Content", None)
STATUS = [{"op": "replace", "path": "/status", "value": "Completed"}]
PATCH = "application/json-patch+json"
PROBLEM = "application/problem+json"
ACTIVITY = {"type": "FormSubmitted", "performedBy": {"actorType": "ServiceOwner"}}


def test_what_is_as_published_passes() -> None:
    """A judge that finds fault with everything says as little as one that finds none."""
    assert faults(PATCHED, "PATCH", sent=STATUS, media_type=PATCH) == []
    assert faults(saying("201 Created", DIALOG), "POST", f"{PATH}/activities", ACTIVITY, "application/json") == []


@pytest.mark.parametrize(
    ("found", "word"),
    [
        pytest.param(lambda: faults(saying("200 OK", {"id": 7})), "id", id="type of an answer's member"),
        pytest.param(lambda: faults(saying("200 OK", {"status": "Sent"})), "status", id="answer's enum"),
        pytest.param(lambda: faults(saying("200 OK", {"progres": 7})), "progres", id="answer's unknown member"),
        pytest.param(lambda: faults(saying("200 OK", {}, "text/html")), "mimetype", id="answer's media type"),
        pytest.param(
            lambda: faults(saying("404 Not Found", {}, PROBLEM), "PATCH", sent=STATUS, media_type=PATCH),
            "mimetype",
            id="refusal's media type",
        ),
        pytest.param(lambda: faults(saying("418 I'm a teapot", {})), "418", id="status"),
        pytest.param(lambda: faults(PATCHED, "PATCH", f"{PATH}/nothing", STATUS, PATCH), "nothing", id="path"),
        pytest.param(
            lambda: faults(PATCHED, "PATCH", sent={"op": "add"}, media_type=PATCH), "array", id="a patch's type"
        ),
        pytest.param(
            lambda: faults(
                saying("201 Created", DIALOG),
                "POST",
                f"{PATH}/activities",
                {**ACTIVITY, "type": "Sent"},
                "application/json",
            ),
            "type",
            id="request's enum",
        ),
    ],
)
def test_what_is_not_as_published_is_named(found: Callable[[], list[str]], word: str) -> None:
    """Each with its place."""
    assert any(word in fault for fault in found())


NOT_SAID = [
    partial(faults, saying("200 OK", {"guiActions": [{"authorizationContext": {"tokenRef": "x"}}]})),
    partial(faults, saying("412 Precondition Failed", {}, PROBLEM), "PATCH", sent=STATUS, media_type=PATCH),
]


@pytest.mark.parametrize(
    ("line", "found"), list(zip(UNSAID, NOT_SAID, strict=True)), ids=["authorization context", "refusal"]
)
def test_each_line_of_what_is_not_said_is_needed(line: tuple[re.Pattern[str], str], found: partial[list[str]]) -> None:
    """Without it an exchange of its kind is a fault."""
    assert len(found(unsaid=[])) == 1
    assert found(unsaid=[line]) == []


def test_the_scenarios_are_listened_to() -> None:
    """Where the documents are there, they are used."""
    assert JUDGE.listens
