"""What making dialogs asks of both systems' clients: POST and DELETE, lists of open tasks, and whose they are."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from bridge.adapters.altinn2 import ListTruncated
from bridge.adapters.altinn2.reportees import Reportee, address_of, party_of, who_of
from bridge.adapters.altinn2.tasks import open_tasks
from bridge.adapters.dialogporten.owner import CreateResult
from bridge.core.errors import Conflict, Missing, OutcomeUnknown, Rejected, Unreachable
from bridge.core.ids import uuid7
from bridge.core.mapping import Altinn2Service
from bridge.sandbox.core import identities
from bridge.sandbox.core.ledger import How
from tests.adapters.test_altinn2 import Bench as Altinn2Bench
from tests.adapters.test_dialogporten import DIALOG_ID, START, Bench, _content

KEY = "a2-message-a5900001"
SERVICE = Altinn2Service(service_code="4711", service_edition=1)
PERSON = "01810000186"


def body(bench: Bench, **members: Any) -> dict[str, Any]:
    return {
        "id": str(DIALOG_ID),
        "idempotentKey": KEY,
        "serviceResource": "urn:altinn:resource:bli-tjenesteeier",
        "party": f"{identities.ORGANISATION}{bench.world.new_organisation().number}",
        "status": "Draft",
        "content": {"title": _content("Bli tjenesteeier")},
        **members,
    }


def refuse(message_id: str | None, error: Rejected) -> None:
    raise AssertionError(f"{message_id} was passed over") from error


def problem(status: int, key: str, text: str, **members: Any) -> str:
    return json.dumps({"title": "Conflict.", "status": status, "errors": {key: [text]}, **members})


# POST


def test_a_repeat_finds_what_stands() -> None:
    """The first POST makes the dialog; the same again says that it stands, under the same id."""
    bench = Bench()
    asked = body(bench)

    first, second = bench.client.create(asked, silent=False), bench.client.create(asked, silent=False)

    assert (first, second) == (
        CreateResult(dialog_id=DIALOG_ID, made=True),
        CreateResult(dialog_id=DIALOG_ID, made=False),
    )


def test_anothers_dialog_with_the_key_is_named() -> None:
    """The id of the dialog that has the key stands in the refusal's text."""
    bench = Bench()
    bench.client.create(body(bench), silent=False)

    stands = bench.client.create(body(bench, id=str(uuid7(START, b"another dialog"))), silent=False)

    assert stands == CreateResult(dialog_id=DIALOG_ID, made=False)


def test_a_key_taken_at_the_same_moment_names_its_dialog() -> None:
    """The words are those for a deleted dialog, but who asks again is told which one has the key."""
    bench = Bench()
    bench.client.create(body(bench), silent=False)
    words = problem(422, "Dialog", f"Key ('Org', 'IdempotentKey')=(ttd, {KEY}) already exists.")
    bench.answers(422, words, times=1)

    stands = bench.client.create(body(bench, id=str(uuid7(START, b"another dialog"))), silent=False)

    assert stands == CreateResult(dialog_id=DIALOG_ID, made=False)


def test_a_key_of_a_deleted_dialog_names_nobody() -> None:
    """Dialogporten does not say which dialog holds the key."""
    bench = Bench()
    bench.client.create(body(bench), silent=False)
    bench.client.delete(DIALOG_ID, revision=bench.shown["revision"], silent=False)

    stands = bench.client.create(body(bench, id=str(uuid7(START, b"another dialog"))), silent=False)

    assert stands == CreateResult(dialog_id=None, made=False)


OTHER = uuid4()


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        pytest.param(
            409, problem(409, "IdempotentKey", f"'{KEY}' already exists with DialogId '{OTHER}'"), OTHER, id="text"
        ),
        pytest.param(
            409, problem(409, "IdempotentKey", f"'{uuid4()}' already exists.", dialogId=str(OTHER)), OTHER, id="member"
        ),
        pytest.param(409, problem(409, "IdempotentKey", "already exists"), None, id="told nowhere"),
        pytest.param(422, problem(422, "Dialog", f"Key ('Id')=({DIALOG_ID}) already exists."), DIALOG_ID, id="own id"),
        pytest.param(
            422, problem(422, "Dialog", f"Key ('Org', 'IdempotentKey')=(ttd, {KEY}) already exists."), None, id="key"
        ),
    ],
)
def test_what_stands_already_is_read_from_every_refusal(status: int, answer: str, expected: UUID | None) -> None:
    """In a member of its own, in the text, or nowhere."""
    bench = Bench()
    bench.answers(status, answer)

    assert bench.client.create(body(bench), silent=False) == CreateResult(dialog_id=expected, made=False)


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        pytest.param(400, problem(400, "Party", "no"), Rejected, id="invalid"),
        pytest.param(403, problem(403, "Forbidden", "no"), Rejected, id="forbidden"),
        pytest.param(409, problem(409, "", "race"), Conflict, id="race"),
        pytest.param(422, problem(422, "DueAt", "Must be in the future"), Rejected, id="unprocessable"),
        pytest.param(503, "", Unreachable, id="maintenance"),
        pytest.param(500, "[" * 100_000, OutcomeUnknown, id="broken, and deep"),
    ],
)
def test_other_refusals_of_a_post_stay_errors(status: int, answer: str, error: type[Exception]) -> None:
    """Only a dialog that stands is taken for one."""
    bench = Bench()
    bench.answers(status, answer)

    with pytest.raises(error):
        bench.client.create(body(bench), silent=False)


# DELETE


def test_a_second_delete_is_a_success() -> None:
    """It is deleted, whoever did it."""
    bench = Bench()
    bench.create()
    revision = bench.shown["revision"]

    bench.client.delete(DIALOG_ID, revision=revision, silent=False)
    bench.client.delete(DIALOG_ID, revision=revision, silent=False)

    assert bench.client.get(DIALOG_ID).deleted_at is not None


def test_a_delete_of_another_revision_is_a_conflict() -> None:
    """What others wrote meanwhile is looked at first."""
    bench = Bench()
    bench.create()

    with pytest.raises(Conflict):
        bench.client.delete(DIALOG_ID, revision=str(uuid4()), silent=False)


def test_a_delete_of_nothing_is_missing() -> None:
    """A dialog that never was is not called deleted."""
    with pytest.raises(Missing):
        Bench().client.delete(DIALOG_ID, revision=str(uuid4()), silent=False)


# Lists


def messages(*entries: dict[str, Any]) -> str:
    return json.dumps({"_embedded": {"messages": list(entries)}})


def entry(message_id: str = "a5900001", **members: Any) -> dict[str, Any]:
    return {
        "MessageId": message_id,
        "Status": "Utfylling",
        "LastChangedDateTime": "2026-03-02T10:00:00.123",
        "ServiceCode": "4711",
        "ServiceEdition": 1,
        "Type": "FormTask",
        **members,
    }


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"Type": "Correspondence"}, id="a letter"),
        pytest.param({"Status": "Sendt og arkivert"}, id="sent"),
        pytest.param({"Status": "Til betaling"}, id="an unknown state"),
        pytest.param({"ServiceCode": "4712"}, id="another service"),
        pytest.param({"ServiceEdition": 2}, id="another edition"),
        pytest.param({"MessageId": "b5900001"}, id="an archived copy"),
    ],
)
def test_what_was_not_asked_for_is_left_out(members: dict[str, Any]) -> None:
    """A server that passes over the filter makes no dialogs of letters."""
    bench = Altinn2Bench()
    bench.answers(200, messages({**entry(), **members}, entry("a5900002", Status="Signing", CreatedDate="?")))

    found = list(open_tasks(bench.client, "310000005", [SERVICE], passed_over=refuse))

    assert [each.case.key for each in found] == ["a5900002"]


def test_a_server_that_does_not_page_is_not_asked_for_ever() -> None:
    """The same page again is an incomplete list, and is said to be one."""
    bench = Altinn2Bench()
    bench.answers(200, messages(*(entry(f"a{number}") for number in range(50))), times=None)

    with pytest.raises(ListTruncated):
        list(open_tasks(bench.client, "310000005", [SERVICE], passed_over=refuse))


def test_a_list_that_is_always_cut_is_not_taken_for_whole() -> None:
    """Narrower and narrower, and then an error."""
    bench = Altinn2Bench()
    how = How(status=200, body=messages(), headers={"X-Warning-LimitReached": "1", "Content-Type": "application/json"})
    bench.world.faults.plan(how, times=None)

    with pytest.raises(ListTruncated):
        list(open_tasks(bench.client, "310000005", [SERVICE], passed_over=refuse))


def test_what_was_thrown_away_lies_in_the_trash() -> None:
    """An element that is gone from its place is told from one that never was."""
    bench = Altinn2Bench()
    key = bench.element()
    since = bench.now - timedelta(minutes=1)
    before = bench.client.in_trash(key, since=since)
    bench.client.delete(key)

    assert (before, bench.client.in_trash(key, since=since)) == (False, True)


# Whose


@pytest.mark.parametrize(
    ("number", "party", "address"),
    [
        pytest.param("310000036", None, "r7", id="a wrong check digit"),
        pytest.param(PERSON, f"urn:altinn:person:identifier-no:{PERSON}", "r7", id="a person"),
        pytest.param("018100*****", None, "r7", id="masked"),
        pytest.param("", None, "r7", id="none"),
        pytest.param("../31000000", None, "r7", id="no number"),
    ],
)
def test_a_reportee_is_a_party_or_none(number: str, party: str | None, address: str) -> None:
    """Nobody's party is guessed, and a person's number is in no address."""
    reportee = Reportee(reportee_id="r7", number=number)

    assert (party_of(reportee), address_of(reportee)) == (party, address)


@pytest.mark.parametrize("kind", ["person", "organisation"])
def test_party_and_reportee_lead_to_each_other(kind: str) -> None:
    """The way back from a reportee's party is the reportee."""
    world = Altinn2Bench().world
    number = world.new_person() if kind == "person" else world.new_organisation().number
    reportee = Reportee(reportee_id="r7", number=number)
    party = party_of(reportee)

    assert party is not None
    assert who_of(party, [reportee]) == "r7"
