"""What the control API says of requests that it cannot read: a problem document that says where and why."""

from typing import Any

import pytest
import requests

from bridge.sandbox.in_process import BASE_URL
from tests.sandbox.support import make_world, session_into

CONTROL = f"{BASE_URL}/_sandbox"
JSON = {"Content-Type": "application/json"}


def posted(body: bytes, path: str = "/altinn2/services", **headers: str) -> requests.Response:
    return session_into(make_world()).post(f"{CONTROL}{path}", data=body, headers={**JSON, **headers})


BROKEN: list[tuple[bytes, str]] = [
    (b"", "the body is empty: JSON is wanted"),
    (b'{"service_code": "1",\n "name": }', "the body is no JSON at line 2, column 10: Expecting value"),
    (b"{'a': 1}", "line 1, column 2: Expecting property name enclosed in double quotes"),
    (b'{"a": 1} x', "line 1, column 10: Extra data"),
    (b'{"a": "\xe6"}', "the body is no UTF-8 at byte 7"),
    (b'{"service_edition": NaN}', "the body has NaN, which is no number in JSON"),
    (b'{"service_edition": -Infinity}', "the body has -Infinity, which is no number in JSON"),
    (b'{"service_edition": ' + b"9" * 5000 + b"}", "a number with more digits than anybody needs"),
    (b"[" * 100_000, "deeper than anybody needs"),
    (b'{"service_code": "1", "service_code": "2"}', "service_code is said twice in one object"),
    (b"[]", "the body must be an object"),
    (b"{}", "service_code is missing: a text"),
    (b'{"code": 1}', "code must be a text"),
    (b'{"service_code": null}', "service_code is missing"),
    (b'{"service_code": "1", "forms": 5}', "forms must be a list of form types"),
    (b'{"service_code": "1", "name": "\\ud800"}', "name has a character that no text can have"),
    (b'{"service_code": "1", "a b": 1, "\\n": 2}', "a b is unknown: there is service_code, "),
]


@pytest.mark.parametrize(("body", "reason"), BROKEN, ids=[str(row[0][:24]) for row in BROKEN])
def test_a_body_that_cannot_be_read_is_told_with_its_place(body: bytes, reason: str) -> None:
    """400, in a problem document."""
    answer = posted(body)

    document = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json; charset=utf-8")
    assert (document["type"], document["title"], document["status"]) == ("about:blank", "Bad Request", 400)
    assert reason in document["detail"]
    assert document["errors"][0].keys() == {"member", "detail"}


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Place by place, and in one sentence."""
    document = posted(b'{"kind": "Form", "forms": [{"data_format_id": 1}]}').json()

    assert document["errors"] == [
        {"member": "kind", "detail": "must be one of FormTask, Correspondence"},
        {"member": "forms[0].data_format_id", "detail": "must be a text"},
        {"member": "forms[0].data_format_version", "detail": "is missing: a text"},
        {"member": "service_code", "detail": "is missing: a text"},
    ]
    assert document["detail"] == "; ".join(f"{each['member']} {each['detail']}" for each in document["errors"])


def test_who_has_nothing_to_say_needs_no_body() -> None:
    """Without one, with an empty object, and not with what would be passed over."""
    session, held = session_into(make_world()), f"{CONTROL}/faults/held"

    answers = [
        session.post(held),
        session.post(held, json={}),
        session.post(held, json={"id": 1}),
        session.post(held, data="id=1"),
        session.post(f"{CONTROL}/clients"),
    ]

    assert [each.status_code for each in answers] == [200, 200, 400, 415, 415]


def test_another_type_of_body_is_told_which_is_taken() -> None:
    """415, in a problem document as well."""
    answer = posted(b"{}", **{"Content-Type": "text/plain"})

    assert (answer.status_code, "application/json" in answer.json()["detail"]) == (415, True)


FORM = {"data_format_id": "1", "data_format_version": "1"}
SENSELESS: list[tuple[str, dict[str, Any], str]] = [
    ("/altinn2/elements", {"service": {"code": "1"}, "forms": [{**FORM, "xml": "<a>"}]}, "forms[0].xml"),
    ("/altinn2/elements", {"service": {"code": "1", "forms": [{**FORM, "schema": "<a"}]}}, "service.forms[0].schema"),
    ("/altinn2/services", {"code": "1", "forms": [FORM, {**FORM, "schema": "<a"}]}, "forms[1].schema"),
    (
        "/altinn2/services",
        {"code": "1", "attachment_rules": [{"type": "a", "schema": "<a"}]},
        "attachment_rules[0].schema",
    ),
    ("/altinn2/services", {"code": "1", "forms": [{**FORM, "prefill": "<a"}]}, "forms[0].prefill"),
    (
        "/altinn2/services",
        {"code": "1", "forms": [{**FORM, "rules": [{"path": "/a", "test": "p:x()", "message": "m"}]}]},
        "forms[0].rules[0].test",
    ),
    ("/altinn2/elements", {"service": {"code": "1"}, "state": "unread"}, "state"),
    ("/altinn2/elements", {"service": {"code": "1"}, "letter": {}, "state": "signing"}, "state"),
    ("/altinn2/elements", {"service": {"code": "1", "kind": "FormTask"}, "letter": {}}, "letter"),
    ("/apps", {"name": "a", "data_types": [{"id": "x"}, {"id": "x"}]}, "data_types[1].id"),
    ("/apps", {"name": "a", "data_types": [{"id": "x", "prefill": {}}]}, "data_types[0].prefill"),
    ("/apps", {"name": "a/b", "data_types": [{"id": "x"}]}, "name"),
    ("/faults", {"how": {}}, "how"),
    ("/faults", {"how": {"status": 500, "headers": {"a b": "x"}}}, "how.headers.a b"),
    ("/faults", {"how": {"status": 500, "headers": {"X": "€"}}}, "how.headers.X"),
    ("/faults", {"how": {"status": 500, "headers": {"X": "a\r\nb"}}}, "how.headers.X"),
    ("/dialogporten/resources", {"service_resource": "x"}, "service_resource"),
    ("/cases", {"service_resource": "urn:altinn:resource:x", "forms": [{**FORM, "xml": "<a/>"}]}, "forms"),
]


@pytest.mark.parametrize(("path", "body", "member"), SENSELESS)
def test_what_makes_no_sense_is_refused_at_its_place(path: str, body: dict[str, Any], member: str) -> None:
    """Though each member is of its kind: what could never be used, or could never have been."""
    answer = session_into(make_world()).post(f"{CONTROL}{path}", json=body)

    assert answer.status_code == 400, answer.text
    assert [each["member"] for each in answer.json()["errors"]] == [member]


QUERIES: list[tuple[str, str, str]] = [
    ("GET", "/calls?after=abc", "?after must be a whole number from 0"),
    ("GET", "/calls?after=-1", "?after must be a whole number from 0"),
    ("GET", "/calls?system=altin2", "?system must be one of altinn2, dialogporten"),
    ("GET", "/calls?sys=altinn2", "?sys is unknown: there is ?system, ?after"),
    ("GET", "/ledger?kind=a&kind=b", "?kind is said twice"),
    ("GET", "/ledger?kind=", "?kind must be a text, and not empty"),
    ("GET", "/events?all=1", "?all is unknown: there is none here"),
    ("DELETE", "/faults?id=1", "?id is unknown: there is none here"),
    ("GET", "/settings?id=1", "?id is unknown: there is ?client"),
    ("POST", "/dialogporten/dialogs?owner=123456789", "?owner must be a service owner's code"),
]


@pytest.mark.parametrize(("method", "path", "reason"), QUERIES)
def test_queries_are_held_as_bodies_are(method: str, path: str, reason: str) -> None:
    """An unknown one, one of another kind, and one that is said twice: 400 by its name."""
    body: dict[str, Any] = {} if method != "POST" else {"json": {}}

    answer = session_into(make_world()).request(method, f"{CONTROL}{path}", **body)

    assert (answer.status_code, reason in answer.json()["detail"]) == (400, True), answer.text


NOBODY = "0195a000-0000-7000-8000-000000000001"
ABSENT: list[tuple[str, str, Any]] = [
    ("GET", "/nothing", None),
    ("GET", "/settings?client=nobody", None),
    ("GET", "/altinn2/elements/a1", None),
    ("POST", "/dialog-token", {"dialog_id": NOBODY}),
    ("POST", f"/dialogporten/dialogs/{NOBODY}/system-label", {"label": "Bin"}),
    ("PUT", f"/dialogporten/dialogs/{NOBODY}/authorization-contexts", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), ABSENT)
def test_what_is_not_there_is_named(method: str, path: str, body: Any) -> None:
    """404 with the id, or with the path."""
    answer = session_into(make_world()).request(method, f"{CONTROL}{path}", json=body)

    named = body["dialog_id"] if body and "dialog_id" in body else path.partition("?")[0].split("/")[-1]
    named = NOBODY if NOBODY in path else "nobody" if "nobody" in path else named
    assert (answer.status_code, named in answer.json()["detail"]) == (404, True), answer.text


@pytest.mark.parametrize("status", [299, 460, 599])
def test_a_fault_may_have_a_status_that_has_no_phrase(status: int) -> None:
    """It is answered, rather than falling over."""
    session = session_into(make_world())
    session.post(f"{CONTROL}/faults", json={"how": {"status": status}})

    assert session.get(f"{BASE_URL}/altinn2/api/my/messages").status_code == status


def test_whole_switches_take_no_decimals() -> None:
    """Half a character or half a signature is none."""
    answer = session_into(make_world()).patch(f"{CONTROL}/switches", json={"file_name_limit": 2.5})

    assert (answer.status_code, "file_name_limit takes a whole number" in answer.json()["detail"]) == (400, True)
