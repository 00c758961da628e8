"""Attachments that were uploaded are listed, corrected and taken away: never two of one name, never none in between."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from werkzeug.test import TestResponse

from bridge.core.operations import Outcome
from tests.scenarios.stage import VALID, Case, Stage, until
from tests.scenarios.test_altinn2_attachments import PDF, attach, digest, held, mappings

NEW = PDF + b" corrected"
SEEDED = ("plan.pdf", digest(b"%PDF-1.7 plan"))
AT_LIMIT = {"attachment_rules": [{"name": "Plan", "file_types": "*.pdf, zip", "max_count": 2}, {"name": "Kart"}]}
LOST_ANSWERS = [
    pytest.param({"cut": "after"}, id="cut after the effect"),
    pytest.param({"status": 500, "after_effect": True}, id="500 though done"),
    pytest.param({"cut": "before"}, id="cut before the effect"),
    pytest.param({"status": 500}, id="500 and nothing done"),
    pytest.param({"cut": "late", "delay_seconds": 0.2}, id="cut, and done later"),
    pytest.param({"status": 503}, id="503"),
]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """*submit* takes uploads, and *send* lets any attachment of its types be changed."""
    path = mappings(tmp_path_factory.mktemp("mappings")) / "serveringsbevilling.yaml"
    text = path.read_text("utf-8").replace("from: [upload, body]}", "from: [upload, body], changes: any}")
    path.write_text(text.replace("max_count: 3", "max_count: 2"), "utf-8")
    made = Stage(
        tmp_path_factory.mktemp("bridge"),
        BRIDGE_MAPPINGS=str(path.parent),
        BRIDGE_ALTINN2_SETTLE="0.05",
        BRIDGE_ALTINN2_LATE="1",
    )
    yield made
    made.stop()


@pytest.fixture
def stage(stages: Stage) -> Iterator[Stage]:
    yield stages
    stages.world.faults.clear()
    stages.world.change_switches(attachment_count_check="completion", form_ids_after_put="new", archived_aid="404")


def new(stage: Stage, **service: Any) -> Case:
    """A service that is signed, in all tests: what a service is like is learnt once."""
    return stage.case(service={"signing_steps": 1, **service})


def below(stage: Stage, case: Case, method: str, which: object = "", query: str = "", **request: Any) -> TestResponse:
    path = f"{request.pop('action', 'submit')}/attachments{f'/{which}' if which != '' else ''}{query}"
    return stage.press(case, path, method=method, **request)


def put(stage: Stage, case: Case, which: object, data: bytes = NEW, query: str = "", **request: Any) -> TestResponse:
    headers = {"Content-Type": "application/octet-stream"}
    return below(stage, case, "PUT", which, query, data=data, headers=headers, **request)


def listed(stage: Stage, case: Case) -> list[dict[str, Any]]:
    answer = below(stage, case, "GET", token=stage.token(case, actions=["read"]))
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.get_json()["attachments"]
    return found


def as_altinn_has_it(name: str, data: bytes) -> dict[str, str]:
    return {"FileName": name, "AttachmentType": "Plan", "Data": base64.b64encode(data).decode()}


def code(answer: TestResponse) -> str:
    return str(answer.get_json()["type"].rpartition(":")[2])


def uploaded(stage: Stage, case: Case, **about: Any) -> str:
    """The id of a fresh upload."""
    return str(attach(stage, case, **about).get_json()["id"])


def test_what_the_element_holds_is_listed(stage: Stage) -> None:
    """All of it, for whoever may read the dialog; what came by this way has the id of its record."""
    case = new(stage)
    mine = uploaded(stage, case)

    (seeded, ours) = listed(stage, case)

    assert (seeded["fileName"], seeded["id"], seeded["uploaded"]) == ("plan.pdf", None, False)
    assert {name: ours[name] for name in ("id", "fileName", "attachmentType", "length", "uploaded")} == {
        "id": mine,
        "fileName": "tegning.pdf",
        "attachmentType": "Plan",
        "length": len(PDF),
        "uploaded": True,
    }


def test_a_corrected_file_takes_the_place(stage: Stage) -> None:
    """The same name and type with other bytes: the new one comes, the old one goes then, and its record leads on."""
    case = new(stage)
    first = attach(stage, case)

    again = attach(stage, case, data=NEW)

    assert (first.status_code, again.status_code) == (201, 201)
    assert held(stage, case) == [("tegning.pdf", digest(NEW))]
    written = [each for each in stage.world.ledger.effects() if each.facts.get("message_id") == case.message_id]
    assert [each.kind for each in written] == [
        "altinn2.attachment",
        "altinn2.attachment",
        "altinn2.attachment_delete",
    ]
    told = stage.client.get(first.headers["Location"], headers={"Authorization": f"Bearer {stage.token(case)}"})
    assert told.get_json()["sha256"] == digest(NEW)
    assert [each["id"] for each in listed(stage, case)][1:] == [again.get_json()["id"]]


def test_the_same_name_of_another_type_is_another(stage: Stage) -> None:
    """Type and name together are the name."""
    case = new(stage)

    attach(stage, case)
    attach(stage, case, kind="Kart", data=NEW)

    assert held(stage, case) == [("tegning.pdf", digest(PDF)), ("tegning.pdf", digest(NEW))]


def test_base64_is_a_correction_too(stage: Stage) -> None:
    """Whichever way it comes."""
    case = new(stage)
    attach(stage, case)
    body = {"FileName": "tegning.pdf", "AttachmentType": "plan", "Data": base64.b64encode(NEW).decode()}

    answer = stage.press(
        case, "submit/attachments", data=json.dumps(body), headers={"Content-Type": "application/hal+json"}
    )

    assert answer.status_code == 201
    assert held(stage, case) == [("tegning.pdf", digest(NEW))]


@pytest.mark.parametrize("name", ["", "?fileName=ny.pdf"])
def test_an_attachment_is_replaced_by_its_id(stage: Stage, name: str) -> None:
    """Under the old name unless another is said; the id stays good."""
    case = new(stage)
    mine = uploaded(stage, case)

    answer, again = put(stage, case, mine, query=name), put(stage, case, mine, query=name)

    assert (answer.status_code, again.status_code) == (200, 200)
    assert answer.headers["Content-Location"] == again.headers["Content-Location"]
    assert held(stage, case) == [("ny.pdf" if name else "tegning.pdf", digest(NEW))]
    assert len(stage.effects(case, "altinn2.attachment")) == 2
    assert below(stage, case, "GET", mine).get_json()["sha256"] == digest(NEW)


@pytest.mark.parametrize(
    ("named", "status", "name"),
    [
        ({}, 200, "tegning.pdf"),
        ({"FileName": "ny.pdf"}, 200, "ny.pdf"),
        ({"FileName": ""}, 400, None),
        ({"Filename": "ny.pdf"}, 400, None),
    ],
    ids=["left out", "given", "empty", "of another case"],
)
def test_a_replacement_may_be_base64(stage: Stage, named: dict[str, str], status: int, name: str | None) -> None:
    """With the same strictness: an empty or misspelt name is refused, and not taken for none."""
    case = new(stage)
    mine = uploaded(stage, case)
    body = json.dumps({**named, "Data": base64.b64encode(NEW).decode()})

    answer = below(stage, case, "PUT", mine, data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert held(stage, case) == [("tegning.pdf", digest(PDF)) if name is None else (name, digest(NEW))]


def test_an_attachment_is_removed_once(stage: Stage) -> None:
    """204, again 204, and nothing else goes."""
    case = new(stage)
    mine = uploaded(stage, case)
    uploaded(stage, case, name="kart.txt", kind="Kart")

    answers = [below(stage, case, "DELETE", mine).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert held(stage, case) == [("kart.txt", digest(PDF))]
    assert len(stage.effects(case, "altinn2.attachment_delete")) == 1
    assert (below(stage, case, "GET", mine).status_code, put(stage, case, mine).status_code) == (404, 404)


@pytest.mark.parametrize("ids", ["new", "kept"])
def test_a_save_in_between_changes_nothing(stage: Stage, ids: str) -> None:
    """A PUT gives every attachment a new id in Altinn 2: ours are known by their bytes."""
    case = new(stage)
    stage.world.change_switches(form_ids_after_put=ids)
    first, second = uploaded(stage, case), uploaded(stage, case, name="kart.txt", kind="Kart")
    saved = stage.press(case, "send", data=VALID.encode(), headers={"Content-Type": "application/xml"})

    shown = [each["id"] for each in listed(stage, case)]
    corrected, removed = attach(stage, case, data=NEW), below(stage, case, "DELETE", second)

    assert (saved.status_code, corrected.status_code, removed.status_code) == (204, 201, 204)
    assert shown == [None, first, second]
    assert held(stage, case) == [("tegning.pdf", digest(NEW))]


def test_what_others_brought_stays(stage: Stage) -> None:
    """An attachment from Altinn's own pages is neither corrected nor removed, whatever its name."""
    case = new(stage)
    number = listed(stage, case)[0]["attachmentId"]

    answers = [
        attach(stage, case, name="plan.pdf"),
        put(stage, case, number),
        below(stage, case, "DELETE", number),
    ]

    assert [(each.status_code, code(each)) for each in answers] == [(409, "attachment_not_uploaded")] * 3
    assert [(each["file_name"], each["sha256"]) for each in stage.element(case)["attachments"]] == [SEEDED]


def test_sending_the_same_bytes_makes_nothing_ours(stage: Stage) -> None:
    """Who uploads what is there already is told so, and it still is not theirs to remove."""
    case = new(stage)

    same = attach(stage, case, name="plan.pdf", data=b"%PDF-1.7 plan")
    removed = below(stage, case, "DELETE", same.get_json()["id"])

    assert (same.status_code, removed.status_code) == (201, 409)
    assert not listed(stage, case)[0]["uploaded"]


def test_one_dialogs_uploads_are_not_anothers(stage: Stage) -> None:
    """Two dialogs of one element: each changes its own, and finds nothing by the other's ids."""
    case = new(stage)
    other = stage.dialog_for(case.message_id, case.who)
    mine = uploaded(stage, case)

    by_id = [put(stage, other, mine), below(stage, other, "DELETE", mine), below(stage, other, "GET", mine)]
    by_name = attach(stage, other, data=NEW)
    same = attach(stage, other)

    assert [each.status_code for each in by_id] == [404, 404, 404]
    assert (by_name.status_code, code(by_name)) == (409, "attachment_not_uploaded")
    assert same.status_code == 201
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


def test_the_mapping_may_say_more(stage: Stage) -> None:
    """With ``changes: any`` whatever is of the action's types may be corrected and removed."""
    case = new(stage)
    headers = {"Content-Type": "application/octet-stream"}
    number = listed(stage, case)[0]["attachmentId"]

    query = "?fileName=plan.pdf&attachmentType=Plan"
    corrected = below(stage, case, "POST", "", query, action="send", data=NEW, headers=headers)
    now = listed(stage, case)[0]["attachmentId"]
    replaced = put(stage, case, now, PDF, action="send")
    last = listed(stage, case)[0]["attachmentId"]
    removed = below(stage, case, "DELETE", last, action="send")

    assert (corrected.status_code, replaced.status_code, removed.status_code) == (201, 200, 204)
    assert len({number, now, last}) == 3
    assert stage.element(case)["attachments"] == []


def test_a_name_is_not_taken_from_another(stage: Stage) -> None:
    """One that is replaced under the name of a third would make two of that name."""
    case = new(stage)
    mine = uploaded(stage, case, kind="Kart")
    uploaded(stage, case, name="annet.pdf", kind="Kart", data=b"annet")

    answers = [
        put(stage, case, mine, query="?fileName=annet.pdf"),
        put(stage, case, mine, b"annet", query="?fileName=annet.pdf"),
    ]

    assert [(each.status_code, code(each)) for each in answers] == [(409, "attachment_exists")] * 2
    assert held(stage, case) == [("tegning.pdf", digest(PDF)), ("annet.pdf", digest(b"annet"))]


@pytest.mark.parametrize(
    ("about", "status", "problem"),
    [
        pytest.param({"query": "?fileName=a.exe"}, 422, "attachment_extension", id="extension"),
        pytest.param({"query": "?fileName=a%00.pdf"}, 422, "attachment_name", id="name"),
        pytest.param({"query": "?fileName="}, 422, "attachment_name", id="empty name"),
        pytest.param({"query": "?navn=b.pdf"}, 400, "parameter_refused", id="unknown parameter"),
        pytest.param({"query": "?attachmentType=Regnskap"}, 422, "attachment_type", id="type"),
        pytest.param({"data": bytes(1_000_001)}, 413, "attachment_size", id="size"),
        pytest.param({"data": b""}, 422, "attachment_empty", id="empty"),
    ],
)
def test_a_replacement_obeys_the_rules(stage: Stage, about: dict[str, Any], status: int, problem: str) -> None:
    """As any upload does; the old one stays."""
    case = new(stage)
    mine = uploaded(stage, case)

    answer = put(stage, case, mine, **about)

    assert (answer.status_code, code(answer)) == (status, problem)
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


@pytest.mark.parametrize("who", ["the bridge", "the person"])
@pytest.mark.parametrize("archived_aid", ["404", "410", "redirect"])
def test_what_was_sent_in_is_not_called_deleted(stage: Stage, archived_aid: str, who: str) -> None:
    """Whoever archived it, and whatever its old id answers: it can be looked at, and not be changed any more."""
    case = new(stage)
    mine = uploaded(stage, case)
    number = listed(stage, case)[1]["attachmentId"]
    token: dict[str, Any] = {"token": stage.token(case)}
    if who == "the bridge":
        assert stage.press(case, "submit").status_code == 204
    else:
        form = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": VALID}
        files = [as_altinn_has_it("plan.pdf", b"%PDF-1.7 plan"), as_altinn_has_it("tegning.pdf", PDF)]
        body = {
            "Type": "FormTask",
            "ServiceCode": "5701",
            "ServiceEdition": 1,
            "_embedded": {"forms": [form], "attachments": files},
        }
        stage.as_citizen("PUT", case, "", body, complete="true", sign="true")
    assert stage.element(case)["state"] == "archived"
    stage.world.change_switches(archived_aid=archived_aid)

    changes = [
        attach(stage, case, name="annet.pdf", **token),
        attach(stage, case, **token),
        *(put(stage, case, each, **token) for each in (mine, number)),
        *(below(stage, case, "DELETE", each, **token) for each in (mine, number)),
    ]
    looked = [stage.press(case, f"submit/{what}", method="GET", **token) for what in ("forms", "attachments", "print")]

    assert [(each.status_code, code(each)) for each in changes] == [(409, "element_wrong_state")] * 6
    assert [each.status_code for each in looked] == [200, 200, 200]
    assert [each["Type"] for each in looked[0].get_json()["forms"]] == ["MainForm"]
    assert [each["fileName"] for each in looked[1].get_json()["attachments"]] == ["plan.pdf", "tegning.pdf"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_changing_needs_the_actions_right(stage: Stage, method: str) -> None:
    """Reading is not enough; nor is another dialog's token, or too low a level."""
    case, other = new(stage), new(stage)
    mine = uploaded(stage, case)
    tokens = [
        stage.token(case, actions=["read"]),
        stage.token(other),
        stage.token(case, level=2),
        "x",
    ]

    answers = [below(stage, case, method, mine, token=each).status_code for each in tokens]

    assert answers == [403, 403, 403, 401]
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


@pytest.mark.parametrize("which", ["0196f000-0000-7000-8000-000000000009", "999999"])
def test_what_is_not_there_is_not_found(stage: Stage, which: str) -> None:
    """Neither by our ids nor by Altinn 2's."""
    case = new(stage)

    answers = [put(stage, case, which), below(stage, case, "DELETE", which)]

    assert [(each.status_code, code(each)) for each in answers] == [(404, "unknown_attachment")] * 2


def test_nothing_is_changed_beside_an_operation(stage: Stage) -> None:
    """409 with Retry-After, and the press carries what was there."""
    case = new(stage)
    mine = uploaded(stage, case)
    stage.fault("altinn2", "PUT", case.message_id, delay_seconds=0.6)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(stage.press, case, "send-to-signing")
        until(lambda: stage.control("GET", "/faults") == [])
        beside = [put(stage, case, mine), below(stage, case, "DELETE", mine)]

    assert pressed.result().status_code == 204
    assert [(each.status_code, code(each)) for each in beside] == [(409, "operation_under_way")] * 2
    assert all(each.headers["Retry-After"] for each in beside)
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


def test_nothing_is_changed_beyond_form_filling(stage: Stage) -> None:
    """What is to be signed, or is archived, stays as it is."""
    case = new(stage)
    mine, token = uploaded(stage, case), stage.token(case)
    stage.press(case, "send-to-signing")

    answers = [put(stage, case, mine, token=token), below(stage, case, "DELETE", mine, token=token)]

    assert [(each.status_code, code(each)) for each in answers] == [(409, "element_wrong_state")] * 2
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


@pytest.mark.parametrize("how", LOST_ANSWERS)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_lost_answer_leaves_one(stage: Stage, method: str, how: dict[str, Any]) -> None:
    """Whichever call goes wrong: 2xx only where the new one stands alone, and sent again in a while it does."""
    case = new(stage)
    attach(stage, case)
    stage.fault("altinn2", method, f"{case.message_id}/attachments", **how)

    first = attach(stage, case, data=NEW)
    after = held(stage, case)
    until(lambda: attach(stage, case, data=NEW).status_code == 201)

    assert first.status_code >= 500 or after == [("tegning.pdf", digest(NEW))]
    assert ("tegning.pdf", digest(PDF)) in after or ("tegning.pdf", digest(NEW)) in after
    assert held(stage, case) == [("tegning.pdf", digest(NEW))]


def test_what_landed_late_stands_alone(stage: Stage) -> None:
    """It shows between two looks of the next upload, beside what it replaces: that goes before anybody is told 201."""
    case = new(stage)
    attach(stage, case)
    stage.fault("altinn2", "POST", f"{case.message_id}/attachments", cut="before")
    first = attach(stage, case, data=NEW)
    stage.as_citizen("POST", case, "/attachments", as_altinn_has_it("tegning.pdf", NEW))
    stage.as_citizen("POST", case, "/attachments", as_altinn_has_it("annen.pdf", NEW))

    until(lambda: attach(stage, case, data=NEW).status_code == 201)

    assert first.status_code == 504
    assert held(stage, case) == [("tegning.pdf", digest(NEW)), ("annen.pdf", digest(NEW))]


def test_two_of_one_name_become_one(stage: Stage) -> None:
    """Whoever sends the newer one of two again is told 201 when it stands alone."""
    case = new(stage)
    attach(stage, case)
    stage.as_citizen("POST", case, "/attachments", as_altinn_has_it("tegning.pdf", NEW))

    answer = attach(stage, case, data=NEW)

    assert answer.status_code == 201
    assert held(stage, case) == [("tegning.pdf", digest(NEW))]


@pytest.mark.parametrize("how", LOST_ANSWERS)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_press_after_a_lost_answer_carries_one(stage: Stage, method: str, how: dict[str, Any]) -> None:
    """Where the sender does not come back, the press ends what broke off before it completes."""
    case = new(stage)
    attach(stage, case)
    stage.fault("altinn2", method, f"{case.message_id}/attachments", **how)
    attach(stage, case, data=NEW)

    pressed = stage.press(case)

    assert pressed.status_code == 204
    assert stage.element(case)["state"] == "archived"
    arrived = method == "DELETE" or "after" in str(how) or how.get("cut") == "late"
    assert held(stage, case) == [("tegning.pdf", digest(NEW if arrived else PDF))]


@pytest.mark.parametrize("how", LOST_ANSWERS)
def test_a_removal_that_was_not_answered_is_looked_up(stage: Stage, how: dict[str, Any]) -> None:
    """204 only where it is gone; asked again it goes."""
    case = new(stage)
    mine = uploaded(stage, case)
    stage.fault("altinn2", "DELETE", f"{case.message_id}/attachments", **how)

    first = below(stage, case, "DELETE", mine)
    after = held(stage, case)
    second = below(stage, case, "DELETE", mine)

    assert after == [] or first.status_code != 204
    assert first.status_code in (204, 503, 504)
    assert second.status_code == 204
    assert held(stage, case) == []


# Where Altinn 2 has no room for two


def at_limit(stage: Stage) -> Case:
    """Two of the two that may be there, counted by Altinn 2 when they come."""
    case = new(stage, **AT_LIMIT)
    attach(stage, case)
    stage.world.change_switches(attachment_count_check="upload")
    return case


def test_where_there_is_no_room_the_old_one_goes_first(stage: Stage) -> None:
    """Altinn 2 refuses the third: the old one is laid aside, goes, and the new one comes."""
    case = at_limit(stage)

    answer = attach(stage, case, data=NEW)

    assert answer.status_code == 201
    assert held(stage, case) == [("tegning.pdf", digest(NEW))]
    assert [each["id"] for each in listed(stage, case)][1:] == [answer.get_json()["id"]]


def test_what_is_refused_brings_the_old_one_back(stage: Stage) -> None:
    """The new one is not taken after all: the old one is there again, and is still ours."""
    case = at_limit(stage)
    stage.fault(
        "altinn2", "POST", f"{case.message_id}/attachments", skip=1, status=400, reason="The attachment is refused"
    )

    answer = attach(stage, case, data=NEW)

    assert (answer.status_code, code(answer)) == (422, "attachment_refused")
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]
    assert listed(stage, case)[1]["uploaded"]
    assert attach(stage, case, data=NEW).status_code == 201
    assert held(stage, case) == [("tegning.pdf", digest(NEW))]


def lost(stage: Stage) -> Case:
    """The old one is gone, the new one did not come, and the old one could not be put back."""
    case = at_limit(stage)
    stage.fault("altinn2", "POST", f"{case.message_id}/attachments", skip=1, times=2, status=503)
    answer = attach(stage, case, data=NEW)
    assert (answer.status_code, code(answer)) == (502, "attachment_lost")
    assert held(stage, case) == []
    return case


def test_nothing_is_submitted_while_an_attachment_is_lost(stage: Stage) -> None:
    """A press would archive the form without it: it is refused, until it is attached again."""
    case = lost(stage)

    refused = stage.press(case)
    state = stage.element(case)["state"]
    again = attach(stage, case, data=NEW)
    pressed = stage.press(case)

    assert (refused.status_code, code(refused), state) == (409, "attachment_lost", "formfilling")
    assert (again.status_code, pressed.status_code) == (201, 204)
    assert held(stage, case) == [("tegning.pdf", digest(NEW))]
    assert [each.outcome for each in stage.operations(case)] == [Outcome.REFUSED, Outcome.DONE]


def test_a_lost_attachment_can_be_given_up(stage: Stage) -> None:
    """Who removes it submits without it."""
    case = at_limit(stage)
    mine = listed(stage, case)[1]["id"]
    stage.fault("altinn2", "POST", f"{case.message_id}/attachments", skip=1, times=2, status=503)
    attach(stage, case, data=NEW)

    removed, pressed = below(stage, case, "DELETE", mine), stage.press(case)

    assert (removed.status_code, pressed.status_code) == (204, 204)
    assert held(stage, case) == []


def test_a_listed_attachment_fits_its_description(stage: Stage) -> None:
    """The list and the record are as /openapi.json has them."""
    case = new(stage)
    mine = uploaded(stage, case)
    described = stage.client.get("/openapi.json").get_json()

    for name, value in (
        ("Attachments", {"attachments": listed(stage, case)}),
        ("Attachment", below(stage, case, "GET", mine).get_json()),
    ):
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)
    assert UUID(mine).version == 7
