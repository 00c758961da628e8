"""Clients, tokens, apps and cases of the control API: from the command line as from Python."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
import requests

from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    GRANT,
    MAIN,
    MAIN_TYPE,
    SCHEMA,
    dialog,
    dialogs_url,
    grant,
    make_world,
    moved,
    session_into,
)

CONTROL = f"{BASE_URL}/_sandbox"
RESOURCE = "urn:altinn:resource:sak"
SERVICE = {"code": "4711", "edition": 1}
SUM = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:sum" xmlns="urn:sum"
    elementFormDefault="qualified">
  <xs:element name="Sum" type="Sum_M"/>
  <xs:complexType name="Sum_M"><xs:sequence>
    <xs:element name="navn" type="xs:string"/>
    <xs:element name="post" type="Post" minOccurs="0" maxOccurs="9"/>
    <xs:element name="avgift" type="Belop" minOccurs="0" nillable="true"/>
    <xs:element name="valg" minOccurs="0"><xs:complexType><xs:choice>
      <xs:element name="ja" type="xs:boolean"/><xs:element ref="kode"/></xs:choice></xs:complexType></xs:element>
  </xs:sequence><xs:attribute name="versjon" type="xs:string" fixed="1"/></xs:complexType>
  <xs:complexType name="Post"><xs:sequence>
    <xs:element name="antall" type="xs:int"/><xs:element name="pris" type="Belop"/>
    <xs:element name="belop" type="Belop" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:simpleType name="Belop"><xs:restriction base="xs:decimal"/></xs:simpleType>
  <xs:element name="kode"><xs:complexType><xs:simpleContent><xs:extension base="xs:integer">
    <xs:attribute name="orid" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
</xs:schema>"""
RULES = [
    {"path": "/Sum/post/belop", "calculation": "antall * pris"},
    {"path": "avgift", "calculation": "sum(post/belop) * 0.25"},
]


def asked(world: World, path: str, body: dict[str, Any], status: int = 201) -> Any:
    """Ask the control API for something."""
    answer = session_into(world).post(f"{CONTROL}{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_a_client_of_another_owner_gets_what_it_asks_for() -> None:
    """By its own key and settings; any scope where it was given any, and none beyond otherwise."""
    world = make_world()
    made = asked(world, "/clients", {"owner": "skd", "number": "310778737", "scopes": ["skatt:les"]})
    key = jwt.PyJWK(made["key"], "RS256")
    session = session_into(world)

    def answer(scope: str) -> requests.Response:
        now = int(world.clock().timestamp())
        assertion = {"aud": f"{BASE_URL}/maskinporten/", "iss": made["id"], "scope": scope, "iat": now, "exp": now + 60}
        text = jwt.encode(assertion, key.key, "RS256", headers={"kid": made["key"]["kid"]})
        body = {"grant_type": GRANT, "assertion": text}
        return session.post(f"{BASE_URL}/maskinporten/token", data=body)

    taken, refused = answer("skatt:les"), answer("helse:les")
    asked(world, "/clients", {"id": made["id"], "scopes": ["*"]})

    assert (taken.status_code, refused.status_code, answer("helse:les").status_code) == (200, 403, 200)
    assert claims(taken.json()["access_token"])["consumer"]["ID"] == "0192:310778737"
    assert made["settings"]["BRIDGE_MASKINPORTEN_CLIENT_ID"] == made["id"]
    assert session.get(f"{CONTROL}/settings", params={"client": made["id"]}).json() == made["settings"]
    assert session.get(f"{CONTROL}/settings", params={"client": "nobody"}).status_code == 404
    assert [each["id"] for each in session.get(f"{CONTROL}/clients").json()] == [world.client.id, made["id"]]


def test_a_service_owner_stays_who_it_is() -> None:
    """One that was named once has the same number the next time, and owns its dialogs alone."""
    world = make_world()
    scopes = {"scopes": ["digdir:dialogporten.serviceprovider"]}
    first, again = (claims(asked(world, "/owner-token", {"owner": "nav", **scopes})["token"]) for _ in range(2))
    number = first["consumer"]["ID"].removeprefix("0192:")
    asked(world, "/dialogporten/resources", {"service_resource": RESOURCE, "owner": number}, 204)

    made = session_into(world).post(
        f"{CONTROL}/dialogporten/dialogs", params={"owner": "nav"}, json=dialog(serviceResource=RESOURCE)
    )
    ours, theirs = (asked(world, "/owner-token", {**who, **scopes})["token"] for who in ({}, {"owner": number}))

    assert again["consumer"] == first["consumer"]
    assert made.status_code == 201
    address = dialogs_url(str(made.json()))
    read = [session_into(world).get(address, headers={"Authorization": f"Bearer {each}"}) for each in (ours, theirs)]
    assert [each.status_code for each in read] == [404, 200]


def test_an_exchanged_token_is_taken_by_apps() -> None:
    """With its service owner's code where the scope is one of service owners; claims can be changed."""
    world = make_world()
    asks = {"scopes": ["altinn:serviceowner"], "exchanged": True, "claims": {"jti": None, "urn:altinn:authlevel": 4}}

    token = asked(world, "/owner-token", asks)["token"]

    answer = session_into(world).get(
        f"{BASE_URL}/apps/ttd/sandkasse-regnestykke/v1/data?dataType=regnestykke",
        headers={"Authorization": f"Bearer {token}"},
    )
    found = claims(token)
    assert (answer.status_code, found["urn:altinn:org"], found["urn:altinn:authlevel"]) == (200, "ttd", 4)
    assert "jti" not in found


BAD_ACCESS: list[tuple[str, dict[str, Any], str]] = [
    ("/clients", {"owner": "x", "number": "123456789"}, "number"),
    ("/clients", {"scopes": "x"}, "scopes must be a list of texts"),
    ("/owner-token", {"scopes": ["x"], "lifetime": "long"}, "lifetime must be a whole number of seconds"),
    ("/owner-token", {"scopes": ["x"], "claims": []}, "claims must be an object"),
]


@pytest.mark.parametrize(("path", "body", "reason"), BAD_ACCESS)
def test_access_that_makes_no_sense_is_refused(path: str, body: dict[str, Any], reason: str) -> None:
    """With a reason."""
    assert reason in asked(make_world(), path, body, 400)["detail"]


REAL = {
    "test": "https://test.maskinporten.no/",
    "production": "https://maskinporten.no/",
    "ver1": "https://ver1.maskinporten.no/",
    "ver2": "https://ver2.maskinporten.no/",
}


@pytest.mark.parametrize("switch", ["own", *REAL])
def test_assertions_for_a_real_maskinporten_are_taken_by_switch(switch: str) -> None:
    """Libraries have the audiences of the real ones built in; its own is always taken."""
    world = make_world(maskinporten_audience=switch)
    audiences = {"own": f"{BASE_URL}/maskinporten/", **REAL}

    answers = {
        name: session_into(world)
        .post(f"{BASE_URL}/maskinporten/token", data={"grant_type": GRANT, "assertion": grant(world, aud=each)})
        .status_code
        for name, each in audiences.items()
    }

    assert answers == {name: 200 if name in ("own", switch) else 400 for name in audiences}


def test_maintenance_counts_down() -> None:
    """From when it is thrown, by itself, as its Retry-After says."""
    world = make_world()
    session = session_into(world)
    session.patch(
        f"{CONTROL}/switches", json={"altinn2_maintenance_seconds": 90, "dialogporten_maintenance_seconds": 30}
    )

    def seen() -> tuple[int, str | None, int, float]:
        altinn2 = session.get(f"{BASE_URL}/altinn2/api/my/messages")
        dialogporten = session.get(dialogs_url())
        left = {each["name"]: each["value"] for each in session.get(f"{CONTROL}/switches").json()}
        retry = altinn2.headers.get("Retry-After")
        return altinn2.status_code, retry, dialogporten.status_code, left["altinn2_maintenance_seconds"]

    at_once = seen()
    moved(world, seconds=60)
    later = seen()
    moved(world, seconds=31)

    assert at_once == (503, "90", 503, 90)
    assert later == (503, "30", 401, 30)
    assert seen() == (400, None, 401, 0)


def test_an_app_is_registered_with_its_schema_and_rules() -> None:
    """Its model is the schema's; rules calculate row by row, one after the other; it tells of itself as any app."""
    world = make_world()
    session = session_into(world)
    about = {"id": "sum", "schema": SUM, "rules": RULES, "prefill": {"navn": "Ola"}}
    made = asked(world, "/apps", {"name": "sum", "title": "En sum", "data_types": [about, {"id": "kvittering"}]})
    address = f"{made['url']}/v1/data/anonymous?dataType=sum"
    form = {"post": [{"antall": 2, "pris": 1.5}, {"antall": 1, "pris": "0.1"}], "valg": {"kode": {"value": 3}}}

    answer = session.post(address, json=form)
    as_xml = session.post(address, json=form, headers={"Accept": "application/xml"})

    assert (made["url"], made["data_types"]) == (f"{BASE_URL}/apps/ttd/sum", ["sum", "kvittering"])
    rows = [{"antall": 2, "pris": 1.5, "belop": 3}, {"antall": 1, "pris": 0.1, "belop": 0.1}]
    assert answer.json() == {
        "versjon": "1",
        "navn": None,
        "post": rows,
        "avgift": 0.775,
        "valg": {"ja": None, "kode": {"orid": None, "value": 3}},
    }
    assert "<post><antall>2</antall><pris>1.5</pris><belop>3</belop></post>" in as_xml.text
    assert session.get(f"{made['url']}/api/xsdschema/sum").text == SUM
    assert session.get(f"{made['url']}/api/v1/applicationmetadata").json()["title"] == {"nb": "En sum"}
    assert session.get(f"{made['url']}/v1/data/anonymous?dataType=kvittering").status_code == 500


class _Calculator(BaseHTTPRequestHandler):
    """Somebody else's calculation: doubles the levy, and fails on a name of X."""

    def do_POST(self) -> None:
        form = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({**form, "avgift": 2 * form["avgift"], "navn": self.path}).encode()
        self.send_response(500 if form["navn"] == "X" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def calculator() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Calculator)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/regn"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_app_may_ask_a_url(calculator: str) -> None:
    """It gets the form as JSON with the language, and its answer is the calculated one; its error is the app's."""
    world = make_world()
    made = asked(world, "/apps", {"name": "sum", "data_types": [{"id": "sum", "schema": SUM, "url": calculator}]})
    address = f"{made['url']}/v1/data/anonymous?dataType=sum&language=nn"

    taken = session_into(world).post(address, json={"avgift": 4, "navn": "A"})
    broken = session_into(world).post(address, json={"avgift": 4, "navn": "X"})

    assert (taken.json()["avgift"], taken.json()["navn"]) == (8, "/regn?language=nn")
    assert (broken.status_code, broken.content) == (500, b"")


BAD_APPS: list[tuple[dict[str, Any], str]] = [
    ({"name": "x", "data_types": []}, "at least one"),
    ({"name": "x", "tittel": "y", "data_types": [{"id": "a"}]}, "tittel"),
    ({"name": "x", "data_types": [{"id": "a", "schema": "<x/>"}]}, "no XSD"),
    ({"name": "x", "data_types": [{"id": "a", "schema": "<x"}]}, "no XML"),
    ({"name": "x", "data_types": [{"id": "a", "schema": SUM, "root": "Annet"}]}, "Annet"),
    ({"name": "x", "data_types": [{"id": "a", "url": "http://127.0.0.1"}]}, "needs a schema"),
    ({"name": "x", "data_types": [{"id": "a", "schema": SUM, "url": "file:///etc"}]}, "http"),
    ({"name": "x", "data_types": [{"id": "a", "schema": SUM, "rules": RULES, "url": "http://x"}]}, "not both"),
    ({"name": "x", "data_types": [{"id": "a", "schema": SUM, "rules": [{"path": "b", "calculation": "1"}]}]}, "b"),
    (
        {"name": "x", "data_types": [{"id": "a", "schema": SUM, "rules": [{"path": "navn", "calculation": "("}]}]},
        "XPath",
    ),
]


@pytest.mark.parametrize(("body", "reason"), BAD_APPS)
def test_apps_that_cannot_be_are_refused(body: dict[str, Any], reason: str) -> None:
    """With a reason, and nothing is registered."""
    world = make_world()

    message = asked(world, "/apps", body, 400)["detail"]

    assert reason in message
    assert world.apps.find("ttd", "x") is None


def test_a_schema_without_an_end_is_refused() -> None:
    """An element in itself has no model."""
    schema = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType><xs:sequence>'
        '<xs:element ref="a" minOccurs="0"/></xs:sequence></xs:complexType></xs:element></xs:schema>'
    )

    answer = asked(make_world(), "/apps", {"name": "x", "data_types": [{"id": "a", "schema": schema}]}, 400)

    assert "no end" in answer["detail"]


def test_a_case_is_one_call() -> None:
    """An element, its dialog, somebody who may press, the tokens, and the line that does it."""
    world = make_world()
    form = {**MAIN_TYPE, "schema": SCHEMA}
    given = {
        "service_resource": RESOURCE,
        "service": SERVICE,
        "forms": [MAIN],
        "level": 4,
        "bridge": "http://127.0.0.1:9",
        "actions": {"submit": {"action": "sign"}, "save": {}},
    }

    made = asked(world, "/cases", {**given, "service": {**SERVICE, "forms": [form]}})

    dialog_id, element = made["dialog_id"], world.altinn2.find(made["message_id"])
    assert element is not None
    assert made["who"] in element.who
    assert made["actions"]["submit"] == f"http://127.0.0.1:9/actions/{dialog_id}/submit"
    assert made["curl"]["submit"].startswith("curl -i -X POST -H 'Authorization: Bearer ey")
    assert made["curl"]["submit"].endswith(made["actions"]["submit"])
    found = claims(made["token"])
    assert (found["i"], found["p"], found["l"], found["a"]) == (dialog_id, made["party"], 4, "read;sign;write")
    reader = {"Authorization": f"Bearer {made['enduser_token']}"}
    seen = session_into(world).get(f"{BASE_URL}/dialogporten/api/v1/enduser/dialogs/{dialog_id}", headers=reader).json()
    assert [each["url"] for each in seen["guiActions"]] == list(made["actions"].values())


def test_a_case_may_have_contexts_and_its_token_entities() -> None:
    """What a context narrows leaves claim a; entities are claim e."""
    world = make_world()
    given = {"service_resource": RESOURCE, "contexts": {"submit": {"tokenRef": "en"}}, "entities": ["en"]}

    made = asked(world, "/cases", given)

    assert (claims(made["token"])["e"], made["message_id"]) == (["en"], None)
    assert "write" not in claims(made["token"])["a"]


BAD_CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "service_resource"),
    ({"service_resource": RESOURCE, "whom": "x"}, "whom"),
    ({"service_resource": RESOURCE, "who": "12345678901"}, "who"),
    ({"service_resource": RESOURCE, "contexts": {"b": {}}}, "contexts"),
    (
        {"service_resource": RESOURCE, "actions": {"a": {"action": "a"}}, "contexts": {"a": 5}},
        "contexts.a must be an object",
    ),
    ({"service_resource": RESOURCE, "actions": 5}, "actions must be a list of names"),
    ({"service_resource": RESOURCE, "actions": [1]}, "actions[0] must be a text"),
    ({"service_resource": RESOURCE, "dialog": []}, "dialog must be an object"),
    ({"service_resource": RESOURCE, "minimum_level": "3"}, "minimum_level"),
    ({"service_resource": RESOURCE, "dialog": {"status": "Ukjent"}}, "Dialogporten did not take the dialog"),
]


@pytest.mark.parametrize(("body", "reason"), BAD_CASES)
def test_cases_that_cannot_be_are_refused(body: dict[str, Any], reason: str) -> None:
    """With a reason."""
    assert reason in asked(make_world(), "/cases", body, 400)["detail"]


def test_a_case_takes_further_members_of_its_dialog() -> None:
    """Those take the place of its own."""
    world = make_world()
    due = (world.clock() + timedelta(days=3)).isoformat()

    made = asked(world, "/cases", {"service_resource": RESOURCE, "dialog": {"status": "Draft", "dueAt": due}})

    found = world.dialogporten.find(made["dialog_id"])
    assert found is not None
    assert found.body["status"] == "Draft"
