"""The control API is strict: near misses of every request are refused, by the name of what is wrong."""

import base64
import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from requests import Response, Session

from bridge.sandbox.control import Control
from bridge.sandbox.core.members import Anything, Either, Kind, ListOf, ObjectOf, Record
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import MAIN, MAIN_TYPE, PARTY, SCHEMA, dialog, make_world, session_into

CONTROL = f"{BASE_URL}/_sandbox"
PERSON = "urn:altinn:person:identifier-no:14886498226"
FILE = base64.b64encode(b"Hei").decode()
MOMENT = "2026-03-10T12:00:00+01:00"
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Sum"><xs:complexType><xs:sequence>
<xs:element name="navn" type="xs:string"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
SERVICE: dict[str, Any] = {
    "service_code": "4711",
    "service_edition": 1,
    "name": "Slott",
    "names": {"1044": "Slott"},
    "owner": "Etaten",
    "owners": {"1044": "Etaten"},
    "owner_code": "ETT",
    "kind": "FormTask",
    **dict.fromkeys(("signing_steps", "security_level"), 1),
    **dict.fromkeys(("payment", "others_sign", "unique_signers", "keeps_copy", "encrypted"), False),
    **dict.fromkeys(("enterprise_users", "attachments_in_signing"), True),
    "signing_text": "Jeg skriver under",
    "valid_from": MOMENT,
    "valid_to": MOMENT,
    "forms": [
        {
            **MAIN_TYPE,
            "name": "Skjema",
            "provider": "Seres",
            "schema": SCHEMA,
            "prefill": "<melding/>",
            **dict.fromkeys(("only_xsd", "max_one", "user_may_add"), False),
            "expected": [{"path": "/melding/a", "text": "1", "calculation": "1 + 1", "overridable": True}],
            "rules": [{"path": "/melding/a", "test": "true()", "message": "Nei", "soft": True}],
        }
    ],
    "attachment_rules": [
        {
            "type": "Plan",
            "file_types": "*.pdf",
            "schema": SCHEMA,
            **dict.fromkeys(("id", "min_count", "max_count", "max_size_mb"), 2),
        }
    ],
}
LETTER = {
    **dict.fromkeys(("body", "summary", "sender", "archive_reference", "custom_data"), "ord"),
    "due": MOMENT,
    "needs_confirmation": True,
    "reply_options": [{"Type": "URL", "URL": "x", "Text": "y", "ServiceCode": "3008", "ServiceEditionCode": 102}],
}
ATTACHMENTS = [{"file_name": "plan.pdf", "attachment_type": "Plan", "data": FILE}]
CONTEXT = {
    **dict.fromkeys(("serviceResource", "additionalResourceAttribute", "action", "tokenRef"), "urn:altinn:resource:a"),
    "parties": [PARTY],
    "includeDialogParty": True,
    "unauthorizedPresentation": "Disabled",
}
READER = {
    "actor": PERSON,
    "level": 3,
    "actions": ["read"],
    "system_user": "urn:altinn:systemuser:uuid:5a3c1a4e-9a0e-4f4e-8d2a-111111111111",
    "owner": "310000019",
}
DIALOG = "/dialogporten/dialogs/{dialog}"
EXAMPLES: dict[str, Any] = {
    "POST /faults": {
        "system": "altinn2",
        "match": {"method": "PUT", "path": "/messages/"},
        "times": 2,
        "skip": 1,
        "how": {
            "status": 503,
            "reason": "Opptatt",
            "body": "vent",
            "headers": {"Retry-After": "1"},
            "delay_seconds": 0.5,
            "delay_after": True,
            "cut": "late",
            "after_effect": False,
            "internal": "lose_event",
        },
    },
    "POST /faults/held": {},
    "PATCH /switches": {"put_status": "200"},
    "POST /clients": {"owner": "skd", "number": "310778737", "scopes": ["skatt:les"], "id": "en-klient"},
    "POST /owner-token": {
        "owner": "skd",
        "number": "310778737",
        "scopes": ["skatt:les"],
        "exchanged": True,
        "lifetime": 60,
        "claims": {"jti": None},
    },
    "POST /apps": {
        "name": "sum",
        "org": "ttd",
        "title": "En sum",
        "version": "7.6.0",
        "minimum_level": 3,
        "scopes": ["altinn:serviceowner"],
        "denied": ["person"],
        "shows": "stateless",
        "speaks": "json",
        "data_types": [
            {
                "id": "sum",
                "schema": XSD,
                "root": "Sum",
                "class_name": "Sum",
                "rules": [{"path": "navn", "calculation": "'a'"}],
                "prefill": {"navn": "Ola"},
                "allow_overwrite": True,
                "query_parameters": {"navn": "navn"},
                "allow_anonymous": False,
                "content_types": ["application/json"],
            },
            {"id": "ute", "schema": XSD, "url": "http://127.0.0.1:9/regn"},
        ],
    },
    "POST /cases": {
        "service_resource": "urn:altinn:resource:sak",
        "owner": "ttd",
        "number": "310778737",
        "service": SERVICE,
        "forms": [{**MAIN, "name": "Skjema"}],
        "attachments": ATTACHMENTS,
        "state": "formfilling",
        "subject": "Emne",
        "who": "310000019",
        "title": "Tittel",
        "dialog": {"status": "Draft"},
        "bridge": "http://127.0.0.1:9",
        "actions": {"submit": {"action": "write"}},
        "contexts": {"submit": CONTEXT},
        "actor": PERSON,
        "level": 4,
        "entities": ["en"],
        "minimum_level": 3,
    },
    "POST /altinn2/elements": {
        "who": ["my", "310000019"],
        "service": {**SERVICE, "kind": "Correspondence"},
        "forms": [{**MAIN, "name": "Skjema"}],
        "attachments": ATTACHMENTS,
        "state": "unread",
        "subject": "Emne",
        "letter": LETTER,
    },
    "POST /altinn2/services": SERVICE,
    "POST /altinn2/reportees": {"number": "310000019", "name": "Navn", "rights": ["Read"]},
    "POST /altinn2/users": {
        "name": "kari",
        "password": "hemmelig",
        "party": "310000019",
        "represents": ["310000019"],
        "enterprise": True,
        "profile": True,
    },
    "POST /altinn2/codelists": {
        "name": "Land",
        "version": 2,
        "codes": [{"Code": "NO", "Value1": "Norge", "Value2": "", "Value3": ""}],
    },
    "POST /altinn2/lookups": {"service_code": "4711", "service_edition": 1, "answer": "<svar/>"},
    "POST /dialogporten/resources": {
        "service_resource": "urn:altinn:resource:sandkasse",
        "owner": "310778737",
        "kind": "correspondenceservice",
        "minimum_level": 3,
    },
    "POST /dialogporten/dialogs": dialog(),
    f"POST {DIALOG}/system-label": {"label": "Bin"},
    f"PUT {DIALOG}/authorization-contexts": {"{action}": CONTEXT},
    "POST /enduser-token": {"party": PARTY, "parties": [PARTY], **READER},
    "POST /dialog-token": {
        "dialog_id": "{dialog}",
        **READER,
        "entities": ["en"],
        "claims": {"l": None},
        "header": {"typ": "JWT"},
        "key": "first",
    },
}
ALSO_TAKEN: dict[str, dict[str, tuple[Any, ...]]] = {
    "POST /faults": {"times": (None,), "how.delay_after": (5, 1.5)},
    "POST /cases": {"actions": ([], ["x"])},
    "POST /altinn2/elements": {"who": ("x",)},
}
"""Members of two kinds, and what else they take of the values below."""
OTHERS: tuple[Any, ...] = (5, 1.5, True, "x", [], ["x"], [5], {"nope": 1})
BODY = "the body"


class Place:
    """A world with a dialog in it, and the control API to it."""

    def __init__(self) -> None:
        self.world: World = make_world()
        self.session: Session = session_into(self.world)
        self.dialog = str(self.session.post(f"{CONTROL}/dialogporten/dialogs", json=dialog()).json())
        found = self.world.dialogporten.find(self.dialog)
        assert found is not None
        self.action = found.body["guiActions"][0]["id"]

    def asked(self, request: str, body: Any) -> Response:
        """The answer to *request* with *body*."""
        method, _, path = request.partition(" ")
        text = json.dumps(body).replace("{dialog}", self.dialog).replace("{action}", self.action)
        headers = {"Content-Type": "application/json"}
        address = f"{CONTROL}{path.replace('{dialog}', self.dialog)}"
        return self.session.request(method, address, data=text.encode(), headers=headers)


@pytest.fixture(scope="module")
def place() -> Place:
    return Place()


def kinds() -> dict[str, Kind]:
    """What the bodies of all routes may be."""
    routes = Control(make_world(), BASE_URL).routes
    return {
        f"{each.method} {each.rule.replace('<uuid:dialog_id>', '{dialog}')}": each.body
        for each in routes
        if each.body is not None
    }


def test_every_body_has_an_example() -> None:
    """So that no route is left out below; and what writes takes a body, but for what forgets."""
    routes = Control(make_world(), BASE_URL).routes

    assert set(EXAMPLES) == set(kinds())
    assert {each.method for each in routes if each.body is None} == {"GET", "DELETE"}


@pytest.mark.parametrize("request_line", EXAMPLES)
def test_examples_say_every_member(request_line: str) -> None:
    """So that no member is left out below."""
    assert unsaid(kinds()[request_line], [EXAMPLES[request_line]], "") == []


@pytest.mark.parametrize("request_line", EXAMPLES)
def test_examples_are_taken(request_line: str) -> None:
    """Each in a world of its own."""
    answer = Place().asked(request_line, EXAMPLES[request_line])

    assert answer.status_code in (200, 201, 204), answer.text


@pytest.mark.parametrize("request_line", EXAMPLES)
def test_near_misses_are_refused_by_name(request_line: str, place: Place) -> None:
    """An unknown member, one that is missing, one of another kind or beyond its limits is 400, with its place."""
    also = ALSO_TAKEN.get(request_line, {})

    let_through = []
    for member, value, body in near_misses(kinds()[request_line], EXAMPLES[request_line]):
        if any(type(each) is type(value) and each == value for each in also.get(member, ())):
            continue
        answer = place.asked(request_line, body)
        wrong = answer.json().get("errors", ()) if answer.status_code == 400 else ()
        named = [each["member"].replace(place.action, "{action}") for each in wrong]
        if not any(each == member or each.startswith((f"{member}[", f"{member}.")) for each in named):
            let_through.append((member, value, answer.status_code, named))

    assert let_through == []


def unsaid(kind: Kind, examples: list[Any], where: str) -> list[str]:
    """Members of *kind* that none of *examples* has."""
    match kind:
        case Record(members=members):
            found = []
            for name, inner in members.items():
                said = [each[name] for each in examples if name in each]
                found += unsaid(inner, said, f"{where}.{name}") if said else [f"{where}.{name}"]
            return found
        case ListOf(item=item):
            return unsaid(item, [one for each in examples for one in each], f"{where}[]")
        case ObjectOf(member=inner):
            return unsaid(inner, [one for each in examples for one in each.values()], f"{where}.*")
        case _:
            return []


def near_misses(kind: Kind, example: Any) -> Iterator[tuple[str, Any, Any]]:
    """Copies of *example* with one change: the place of it, and what stands there now."""
    for other in (5, "x", [], None):
        yield BODY, other, other
    for path, inner, value in places(kind, example, ()):
        if isinstance(value, dict) and isinstance(inner, Record):
            yield written((*path, "nope")), 1, changed(example, (*path, "nope"), 1)
            for name in inner.required:
                yield written((*path, name)), None, changed(example, (*path, name), None)
                yield written((*path, name)), None, changed(example, (*path, name), gone=True)
        if not path or isinstance(inner, Anything):
            continue
        others = [each for each in OTHERS if not alike(each, value)]
        if isinstance(inner, ObjectOf) and isinstance(inner.member, Anything):
            others = [each for each in others if not isinstance(each, dict)]
        if isinstance(value, str):
            others.append("nei\0")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            others += [10**30, -(10**30)]
        for other in others:
            yield written(path), other, changed(example, path, other)


def places(kind: Kind, value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Kind, Any]]:
    """Every place in *value*, with the kind of what may stand there."""
    if isinstance(kind, Either):
        yield path, kind, value
        inner = next(each for each in (kind.first, kind.second) if not refused(each, value))
        yield from (each for each in places(inner, value, path) if each[0] != path)
        return
    yield path, kind, value
    match kind:
        case Record(members=members):
            for name, each in value.items():
                yield from places(members[name], each, (*path, name))
        case ObjectOf(member=inner):
            for name, each in value.items():
                yield from places(inner, each, (*path, name))
        case ListOf(item=item):
            for number, each in enumerate(value):
                yield from places(item, each, (*path, number))


def refused(kind: Kind, value: Any) -> bool:
    wrong: list[Any] = []
    kind.read(value, BODY, wrong)
    return bool(wrong)


def alike(other: Any, value: Any) -> bool:
    """Whether *other* is of the JSON kind of *value*, so that it is for its limits to refuse it."""
    if isinstance(value, float):
        return type(other) in (int, float)
    if isinstance(value, list) and isinstance(other, list):
        return not other or not value or type(other[0]) is type(value[0])
    if isinstance(value, dict) and isinstance(other, dict):
        return not texts_only(value)
    return type(other) is type(value)


def texts_only(value: Mapping[str, Any]) -> bool:
    return all(isinstance(each, str) for each in value.values())


def changed(example: Any, path: tuple[Any, ...], value: Any = None, *, gone: bool = False) -> Any:
    body = inner = copy.deepcopy(example)
    for each in path[:-1]:
        inner = inner[each]
    if gone:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return body


def written(path: tuple[Any, ...]) -> str:
    text = ""
    for each in path:
        text += f"[{each}]" if isinstance(each, int) else f".{each}" if text else each
    return text
