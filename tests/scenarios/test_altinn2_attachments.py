"""Attachments on their way through the bridge: each arrives once, whole, or is refused with its rule."""

import base64
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from bridge.bundled import mappings_folder
from bridge.core.cases import CaseRef
from bridge.core.operations import Upload
from bridge.steps.arrivals import upload_silence
from bridge.storage.attachments import Living
from bridge.storage.tables import attachments
from bridge.storage.uploads import Uploads
from tests.scenarios.stage import VALID, Case, Stage, until

RULES = """
attachment_rules:
  - {type: Plan, file_types: "*.pdf, zip", max_count: 3, max_size_mb: 1}
  - {type: Kart, min_count: 1}
"""
ATTACHMENTS = "    attachments: {types: [Plan, Kart], from: [upload, body]}\n"
PDF = b"%PDF-1.7 " + bytes(range(256)) * 40


def mappings(folder: Path) -> Path:
    """The shipped mapping, whose submit takes attachments, beside one that takes a message."""
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    submit = text.index("    then: {status: Completed")
    text = text[:submit] + ATTACHMENTS.replace("[upload, body]", "[upload]") + text[submit:]
    text = text.replace("actions:\n", RULES.replace("min_count: 1", "min_count: 0") + "actions:\n", 1)
    text = text.replace(
        "  send-to-signing:",
        "  send:\n    requires: write\n    minimum_level: 3\n    target: altinn2\n    form: body\n"
        f"{ATTACHMENTS}    complete: false\n    sign: false\n  send-to-signing:",
        1,
    )
    (folder / "serveringsbevilling.yaml").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = mappings(tmp_path_factory.mktemp("mappings"))
    made = Stage(
        tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder), BRIDGE_ALTINN2_MAX_ATTACHMENT="2000000"
    )
    yield made
    made.stop()


def attach(
    stage: Stage, case: Case, name: str = "tegning.pdf", kind: str = "Plan", data: bytes = PDF, **request: Any
) -> TestResponse:
    headers = {"Content-Type": "application/octet-stream", **request.pop("headers", {})}
    written = request.pop("raw", quote(name, safe=""))
    path = f"submit/attachments?fileName={written}&attachmentType={quote(kind, safe='')}"
    return stage.press(case, path, data=data, headers=headers, **request)


def held(stage: Stage, case: Case) -> list[tuple[str, str]]:
    return [(each["file_name"], each["sha256"]) for each in stage.element(case)["attachments"]][1:]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_an_attachment_arrives_as_it_was_sent(stage: Stage) -> None:
    """201 with a Location that tells length and digest; Altinn 2 holds the same bytes under the same name."""
    case = stage.case()

    answer = attach(stage, case)

    assert answer.status_code == 201
    told = stage.client.get(
        answer.headers["Location"], headers={"Authorization": f"Bearer {stage.token(case)}"}
    ).get_json()
    assert (told["length"], told["sha256"]) == (len(PDF), digest(PDF))
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


@pytest.mark.parametrize("name", ["blåbær og rødløk.pdf", "a+b & 50 % = 'ja'; #1.pdf", "日本.pdf", f"{'a' * 251}.pdf"])
def test_names_arrive_as_they_are(stage: Stage, name: str) -> None:
    """Letters, plus and quotes come through the query unharmed."""
    case = stage.case()

    answer = attach(stage, case, name)

    assert answer.status_code == 201
    assert [each for each, _ in held(stage, case)] == [name]


@pytest.mark.parametrize(
    ("about", "status", "code", "rule"),
    [
        pytest.param({"name": ""}, 422, "attachment_name", "empty", id="no name"),
        pytest.param({"name": "a" * 4092 + ".pdf"}, 422, "attachment_name", "longest", id="4,096 characters"),
        pytest.param({"name": "smil 😀.pdf"}, 422, "attachment_name", "beyond_bmp", id="emoji"),
        pytest.param({"name": 'et "sitat".pdf'}, 422, "attachment_name", "characters", id="double quotes"),
        pytest.param({"name": "..\\..\\a.pdf"}, 422, "attachment_name", "characters", id="backslash"),
        pytest.param({"raw": "bl%E5b%E6r.pdf"}, 422, "attachment_name", "characters", id="Latin-1"),
        pytest.param({"raw": "a%ED%A0%80.pdf"}, 422, "attachment_name", "characters", id="half a character"),
        pytest.param({"raw": "a%0D%0AX-Y:%20z.pdf"}, 422, "attachment_name", "characters", id="line breaks"),
        pytest.param({"raw": "a%00.pdf"}, 422, "attachment_name", "characters", id="null"),
        pytest.param({"raw": "tegning%E2%80%AEfdp.exe"}, 422, "attachment_name", "characters", id="turned round"),
        pytest.param({"raw": "a.pdf&fileName=b.pdf"}, 400, "parameter_refused", "fileName", id="two names"),
        pytest.param({"raw": "..%2F..%2Fa.pdf"}, 422, "attachment_name", "characters", id="a path"),
        pytest.param({"name": "  .pdf "}, 422, "attachment_name", "edges", id="blanks around"),
        pytest.param({"name": "tegning"}, 422, "attachment_name", "extension_missing", id="no extension"),
        pytest.param({"name": "tegning.pd"}, 422, "attachment_extension", "AllowedFileTypes", id="wrong extension"),
        pytest.param({"kind": "Regnskap"}, 422, "attachment_type", "types", id="unknown type"),
        pytest.param({"data": b""}, 422, "attachment_empty", "no bytes", id="empty"),
        pytest.param({"data": bytes(1_000_001)}, 413, "attachment_size", "MaxFileSize: 1 MB", id="too large"),
        pytest.param(
            {"data": bytes(2_000_001), "kind": "Kart"},
            413,
            "attachment_size",
            "MaxFileSize: 2 MB",
            id="too large for us",
        ),
    ],
)
def test_what_breaks_a_rule_is_not_sent(stage: Stage, about: dict[str, Any], status: int, code: str, rule: str) -> None:
    """Refused with the rule named, before Altinn 2 hears of it."""
    case = stage.case()

    answer = attach(stage, case, headers={"Accept-Language": "en"}, **about)

    assert answer.status_code == status
    problem = answer.get_json()
    assert problem["type"].endswith(code)
    assert rule in problem["detail"]
    assert held(stage, case) == []
    assert [each for each in stage.world.calls.all("altinn2") if case.message_id in each.path] == []


@pytest.mark.parametrize(
    ("written", "name"),
    [
        pytest.param("a+b.pdf", "a b.pdf", id="plus"),
        pytest.param("a%2Bb.pdf", "a+b.pdf", id="plus, encoded"),
        pytest.param("100%.pdf", "100%.pdf", id="per cent as it is"),
        pytest.param("bl%c3%a5b%C3%A6r.pdf", "blåbær.pdf", id="either case of hex"),
        pytest.param("a%CC%8A.pdf", "a\u030a.pdf", id="letter and ring apart"),
    ],
)
def test_names_are_read_as_a_query_is(stage: Stage, written: str, name: str) -> None:
    """URL-encoded UTF-8, where a plus is a blank; the name is the sender's own, and is not made into another."""
    case = stage.case()

    answer = attach(stage, case, raw=written)

    assert answer.status_code == 201
    assert [each for each, _ in held(stage, case)] == [name]


def test_the_fourth_of_three_is_refused(stage: Stage) -> None:
    """MaxAttachmentCount counts what is there already."""
    case = stage.case()

    answers = [attach(stage, case, f"{number}.pdf").status_code for number in range(3)]

    assert answers == [201, 201, 422]
    assert len(held(stage, case)) == 2


def test_another_edition_takes_nothing(stage: Stage) -> None:
    """An element of an edition that the mapping does not name is left alone."""
    case = stage.case(service={"edition": 2})

    answer = attach(stage, case)

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (409, "other_service_edition")
    assert held(stage, case) == []


def test_the_same_again_is_not_sent_again(stage: Stage) -> None:
    """A repeat is answered with the first one's Location; other bytes of the same name take its place."""
    case = stage.case()

    first, again, other = attach(stage, case), attach(stage, case), attach(stage, case, data=PDF + b"2")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 201)
    assert first.headers["Location"] == again.headers["Location"] != other.headers["Location"]
    assert held(stage, case) == [("tegning.pdf", digest(PDF + b"2"))]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        pytest.param({"cut": "after"}, 201, id="cut after the effect"),
        pytest.param({"status": 500, "after_effect": True}, 201, id="500 though it was taken"),
        pytest.param({"cut": "before"}, 504, id="cut before the effect"),
        pytest.param({"status": 500}, 504, id="500 and nothing done"),
        pytest.param({"cut": "late", "delay_seconds": 0.1}, 504, id="cut, and taken later"),
        pytest.param({"status": 503}, 503, id="maintenance"),
    ],
)
def test_a_lost_answer_doubles_nothing(stage: Stage, how: dict[str, Any], status: int) -> None:
    """What was not answered is looked for; sent again once it has settled, it is there once."""
    case = stage.case()
    stage.fault("altinn2", "POST", "streamedattachment", **how)

    first = attach(stage, case)
    second = attach(stage, case)
    until(lambda: attach(stage, case).status_code == 201)

    assert first.status_code == status
    # On a slow machine the time is over by then, or what came later is seen: test_late_writes stops it.
    assert second.status_code in ((201, 409) if status == 504 else (201,))
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


def test_an_upload_that_nobody_ended_holds_nothing_up(stage: Stage) -> None:
    """The store was away when it ended: in the same process its row counts no more, and what it sent is looked for."""
    case = stage.case()
    attach(stage, case)
    left_open = sa.update(attachments).values(ended_at=None, attachment_id=None, may_arrive_until=None)
    with stage.bridge.store.engine.begin() as connection:
        connection.execute(left_open.where(attachments.c.dialog_id == str(case.dialog_id)))

    again = attach(stage, case)
    pressed = stage.press(case)

    assert (again.status_code, pressed.status_code) == (201, 204)
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


def an_upload_elsewhere(stage: Stage, case: Case) -> Upload:
    """An upload that moves in another process."""
    key = CaseRef(system="altinn2", owner=case.who, key=case.message_id)
    upload = Upload(
        id=stage.bridge.new_id(),
        dialog_id=case.dialog_id,
        case=key,
        file_name="stor.pdf",
        attachment_type="Plan",
        length=None,
    )
    now = stage.bridge.clock()
    with stage.bridge.store.transaction() as tx:
        tx.begin_upload(upload, Living(process="another", uploads=frozenset(), silent_since=now), now=now)
    return upload


def test_a_press_behind_an_attachment_says_so(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """In the log once, and in the operation for as long as it waits."""
    case = stage.case()
    stage.press(case, "submit/forms", method="GET")
    upload = an_upload_elsewhere(stage, case)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(stage.press, case)
        until(lambda: any(each.awaits_upload_since for each in stage.operations(case)))
        [operation] = stage.operations(case)
        token = {"Authorization": f"Bearer {stage.token(case)}"}
        told = stage.client.get(f"/operations/{operation.id}", headers=token).get_json()
        with stage.bridge.store.transaction() as tx:
            Uploads(tx).ended(upload.id, now=stage.bridge.clock())

    assert pressed.result().status_code == 204
    assert (told["status"], told["waitsFor"]) == ("underWay", "attachment")
    assert stage.operations(case)[0].awaits_upload_since is None
    assert capsys.readouterr().out.count("waits for an attachment that is on its way") == 1


def test_a_press_does_not_wait_for_an_attachment_without_end(stage: Stage) -> None:
    """An upload that still moves after the longest time that one may stand still ends the press; nothing was sent."""
    case = stage.case()
    stage.press(case, "submit/forms", method="GET")
    upload = an_upload_elsewhere(stage, case)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(stage.press, case)
        until(lambda: any(each.awaits_upload_since for each in stage.operations(case)))
        [operation] = stage.operations(case)
        with stage.bridge.store.transaction() as tx:
            tx.upload_seen(upload.id, now=stage.bridge.clock())
            since = stage.bridge.clock() - upload_silence(stage.bridge) - timedelta(seconds=1)
            tx.update(operation.id, now=stage.bridge.clock(), awaits_upload_since=since)

    answer = pressed.result()
    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (409, "upload_under_way")
    assert stage.element(case)["state"] == "formfilling"
    assert stage.activities(case) == ["Information"]


def test_half_an_attachment_is_none(stage: Stage) -> None:
    """A sender that stops in the middle leaves nothing behind, and may send again."""
    case = stage.case()

    answer = attach(stage, case, data=PDF[:100], environ_overrides={"CONTENT_LENGTH": str(len(PDF))})
    again = attach(stage, case)

    assert (answer.status_code, again.status_code) == (400, 201)
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


@pytest.mark.parametrize("media_type", ["application/json", "application/hal+json"])
def test_base64_arrives_decoded(stage: Stage, media_type: str) -> None:
    """Small ones may come as Altinn 2 takes them."""
    case = stage.case()
    body = {"FileName": "kart.txt", "AttachmentType": "Kart", "Data": base64.b64encode(PDF).decode()}

    answer = stage.press(case, "submit/attachments", data=json.dumps(body), headers={"Content-Type": media_type})

    assert answer.status_code == 201
    assert held(stage, case) == [("kart.txt", digest(PDF))]


def test_an_action_takes_no_attachments_unasked(stage: Stage) -> None:
    """Only actions whose mapping says so."""
    case = stage.case()

    answer = stage.press(case, "sign/attachments?fileName=a.pdf&attachmentType=Plan", data=b"a")

    assert answer.status_code in (415, 422, 403)
    assert held(stage, case) == []


def test_what_was_attached_is_submitted(stage: Stage) -> None:
    """The action afterwards carries it along, byte for byte."""
    case = stage.case()
    attach(stage, case)

    answer = stage.press(case)

    assert answer.status_code == 204
    element = stage.element(case)
    assert element["state"] == "archived"
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


def test_a_message_brings_forms_and_attachments(stage: Stage) -> None:
    """hal+json replaces the form that it names, adds its attachment, and keeps what was there."""
    case = stage.case()
    form = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001"}
    xml = stage.element(case)["forms"][0]["xml"]
    message = {
        "_embedded": {
            "forms": [{**form, "FormData": xml.replace("</", "</")}],
            "attachments": [{"FileName": "ny.pdf", "AttachmentType": "Plan", "Data": base64.b64encode(PDF).decode()}],
        }
    }

    answer = stage.press(case, "send", data=json.dumps(message), headers={"Content-Type": "application/hal+json"})

    assert answer.status_code == 204
    assert held(stage, case) == [("ny.pdf", digest(PDF))]
    assert len(stage.element(case)["attachments"]) == 2


def test_nothing_is_attached_beside_an_operation(stage: Stage) -> None:
    """A PUT would overwrite what comes meanwhile: the upload is told to wait."""
    case = stage.case()
    stage.fault("altinn2", "PUT", case.message_id, delay_seconds=0.6)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(stage.press, case)
        until(lambda: stage.control("GET", "/faults") == [])
        beside = attach(stage, case)

    assert pressed.result().status_code == 204
    assert (beside.status_code, beside.get_json()["type"].rpartition(":")[2]) == (409, "operation_under_way")
    assert beside.headers["Retry-After"]
    assert held(stage, case) == []


def test_an_operation_waits_for_an_attachment(stage: Stage) -> None:
    """What is on its way when a button is pressed is carried along."""
    case = stage.case()
    stage.fault("altinn2", "POST", "streamedattachment", delay_seconds=0.6)

    with ThreadPoolExecutor(1) as pool:
        uploaded = pool.submit(attach, stage, case)
        until(lambda: stage.control("GET", "/faults") == [])
        pressed = stage.press(case)

    assert (uploaded.result().status_code, pressed.status_code) == (201, 204)
    assert stage.element(case)["state"] == "archived"
    assert held(stage, case) == [("tegning.pdf", digest(PDF))]


def in_message(stage: Stage, case: Case, *files: tuple[str, bytes]) -> int:
    """Send a draft with *files* as *send* takes it: what may be changed is what came through us, and no more."""
    form = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": VALID}
    sent = [
        {"FileName": name, "AttachmentType": "Plan", "Data": base64.b64encode(data).decode()} for name, data in files
    ]
    body = json.dumps({"_embedded": {"forms": [form], "attachments": sent}})
    return stage.press(case, "send", data=body, headers={"Content-Type": "application/hal+json"}).status_code


def records(stage: Stage, case: Case) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.press(case, "submit/attachments", method="GET").get_json()["attachments"]
    return found[1:]


@pytest.mark.parametrize("ids", ["new", "kept"])
@pytest.mark.parametrize("by", ["POST", "PUT", "DELETE"])
def test_what_came_in_a_message_may_be_changed(stage: Stage, by: str, ids: str) -> None:
    """It came through us: its record is listed and tells of it, and a correction or a removal is taken."""
    stage.world.change_switches(form_ids_after_put=ids)
    case = stage.case()
    assert in_message(stage, case, ("b.pdf", PDF)) == 204
    (listed,) = records(stage, case)
    told = stage.press(case, f"submit/attachments/{listed['id']}", method="GET").get_json()
    path, octets = f"submit/attachments/{listed['id']}", {"Content-Type": "application/octet-stream"}

    match by:
        case "POST":
            answer = attach(stage, case, "b.pdf", data=b"corrected")
        case "PUT":
            answer = stage.press(case, path, method="PUT", data=b"corrected", headers=octets)
        case _:
            answer = stage.press(case, path, method="DELETE")
    stage.world.change_switches(form_ids_after_put="new")

    assert listed["uploaded"] is True
    assert (told["attachmentId"], told["length"], told["sha256"]) == (listed["attachmentId"], len(PDF), digest(PDF))
    assert answer.status_code == {"POST": 201, "PUT": 200, "DELETE": 204}[by]
    assert held(stage, case) == ([] if by == "DELETE" else [("b.pdf", digest(b"corrected"))])


@pytest.mark.parametrize("ids", ["new", "kept"])
def test_the_record_tells_what_a_message_put_in_its_place(stage: Stage, ids: str) -> None:
    """The upload's id leads to the file that is there now, by which it can be replaced."""
    stage.world.change_switches(form_ids_after_put=ids)
    case = stage.case()
    mine = attach(stage, case, "b.pdf").get_json()["id"]

    for data in (b"by a message", b"by another"):
        assert in_message(stage, case, ("b.pdf", data), ("c.pdf", PDF)) == 204
        listed = {each["fileName"]: each for each in records(stage, case)}["b.pdf"]
        told = stage.press(case, f"submit/attachments/{mine}", method="GET").get_json()
        assert (listed["id"], listed["uploaded"]) == (mine, True)
        assert {name: told[name] for name in ("attachmentId", "length", "sha256")} == {
            "attachmentId": listed["attachmentId"],
            "length": len(data),
            "sha256": digest(data),
        }
    path, octets = f"submit/attachments/{mine}", {"Content-Type": "application/octet-stream"}
    answer = stage.press(case, path, method="PUT", data=b"corrected", headers=octets)
    stage.world.change_switches(form_ids_after_put="new")

    assert answer.status_code == 200
    assert held(stage, case) == [("c.pdf", digest(PDF)), ("b.pdf", digest(b"corrected"))]


def test_what_was_there_is_not_ours_for_a_message_of_another_name(stage: Stage) -> None:
    """A message that brings one file makes no other the sender's own."""
    case = stage.case()
    assert in_message(stage, case, ("b.pdf", PDF)) == 204

    answer = attach(stage, case, "plan.pdf")

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (409, "attachment_not_uploaded")


def test_a_persons_form_is_found_among_the_reportees(stage: Stage) -> None:
    """A person's number stands in no address: the element is asked for by its r-id, which the link keeps."""
    person = stage.world.new_person()
    stage.control("POST", "/altinn2/reportees", {"number": person})
    party = stage.world.altinn2.people.party(person)
    assert party is not None
    form = {"data_format_id": "5801", "data_format_version": "42001", "xml": VALID}
    element = {"who": [party.reportee, person], "service": {"code": "5701", "edition": 1}, "forms": [form]}
    seeded = stage.control("POST", "/altinn2/elements", element)
    case = stage.dialog_for(seeded["message_id"], person, party=f"urn:altinn:person:identifier-no:{person}")

    first = attach(stage, case)
    second = stage.press(case)

    assert (first.status_code, second.status_code) == (201, 204)
    paths = [each.path for each in stage.world.calls.all("altinn2") if seeded["message_id"] in each.path]
    assert paths
    assert all(f"/{party.reportee}/" in path for path in paths)
    # The other tests' organisations are listed, too: from the fifty-first on there are more pages than one.
    asked = [each for each in stage.world.calls.all("altinn2") if each.path.endswith("/reportees")]
    lists = [each for each in asked if "$skip" not in each.query]
    assert len(lists) == 1
