"""From the press of a button to what Altinn 2 and the dialog say afterwards."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from bridge.core.operations import Outcome
from tests.scenarios.stage import FAULTY, ORIGIN, VALID, Stage, until


def test_press_completes_the_form(stage: Stage) -> None:
    """One press: archived with form and attachment, the dialog completed, its buttons gone, others' kept."""
    case = stage.case()

    answer = stage.press(case)

    assert answer.status_code == 204
    assert answer.data == b""
    element = stage.element(case)
    assert element["state"] == "archived"
    assert (len(element["forms"]), len(element["attachments"])) == (1, 1)
    dialog = stage.dialog(case)
    assert dialog["status"] == "Completed"
    assert stage.activities(case) == ["FormSubmitted"]
    assert stage.buttons(case) == ["Hjelp"]


def test_flags_are_always_on_the_wire(stage: Stage) -> None:
    """Altinn 2 takes a missing flag for true, so both are sent."""
    case = stage.case(service={"signing_steps": 1})

    stage.press(case, "send-to-signing")

    put = [each for each in stage.world.calls.all("altinn2") if each.method == "PUT" and case.message_id in each.path]
    assert [(each.query["complete"], each.query["sign"]) for each in put] == [("true", "false")]


def test_signing_follows_completion(stage: Stage) -> None:
    """Sent to signing by one press, signed and archived by the next, each told to the dialog."""
    case = stage.case(service={"signing_steps": 1})

    first = stage.press(case, "send-to-signing")
    between = (stage.element(case)["state"], stage.dialog(case)["status"], stage.buttons(case))
    second = stage.press(case, "sign")

    assert (first.status_code, second.status_code) == (204, 204)
    assert between == ("signing", "InProgress", ["sign", "Hjelp"])
    assert stage.element(case)["state"] == "archived"
    assert stage.activities(case) == ["SentToSigning", "FormSubmitted"]


def test_faulty_form_is_refused_before_sending(stage: Stage) -> None:
    """Each fault with line, path and reason; nothing sent; the dialog says so and keeps its buttons."""
    case = stage.case(FAULTY)

    answer = stage.press(case, headers={"Accept-Language": "en"})

    problem = answer.get_json()
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert problem["title"] == "The form has faults and was not sent"
    assert all(each["path"].startswith("/melding/") and each["line"] > 0 for each in problem["findings"])
    assert len(problem["findings"]) >= 3
    assert stage.effects(case, "altinn2") == []
    assert stage.activities(case) == ["Information"]
    assert "submit" in stage.buttons(case)


def test_repeated_press_changes_the_dialog_again(stage: Stage) -> None:
    """A stale tab waits for an event that only a real change brings; nothing is sent twice."""
    case = stage.case()
    stale = stage.token(case)
    stage.press(case, token=stale)
    before = stage.dialog(case)["revision"]

    answer = stage.press(case, token=stale)

    assert answer.status_code == 204
    assert stage.dialog(case)["revision"] != before
    assert stage.activities(case) == ["FormSubmitted", "Information"]
    assert len(stage.effects(case, "altinn2.archived")) == 1
    assert [each.outcome for each in stage.operations(case)] == [Outcome.DONE, Outcome.REPEATED]


def test_finished_operation_forgets_the_person(stage: Stage) -> None:
    """Who pressed, and what they sent, is erased when the operation is closed."""
    case = stage.case()

    stage.press(case)

    (operation,) = stage.operations(case)
    assert operation.actor is None
    assert operation.body is None


@pytest.mark.parametrize(
    ("how", "sent"),
    [
        pytest.param({"cut": "after"}, 1, id="cut after the effect"),
        pytest.param({"cut": "before"}, 1, id="cut before the effect"),
        pytest.param({"status": 500, "after_effect": True}, 1, id="500 though it archived"),
        pytest.param({"status": 500}, 1, id="500 and nothing done"),
        pytest.param({"status": 503, "headers": {"Retry-After": "0"}}, 1, id="maintenance"),
    ],
)
def test_put_with_an_unclear_end_is_sent_once(stage: Stage, how: dict[str, object], sent: int) -> None:
    """However the PUT's answer is lost, the element is archived once and the dialog told once."""
    case = stage.case()
    stage.fault("altinn2", "PUT", case.message_id, **how)

    answer = stage.press(case)

    assert answer.status_code == 204
    assert len(stage.effects(case, "altinn2.archived")) == sent
    assert stage.activities(case) == ["FormSubmitted"]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"cut": "after"}, id="cut after the effect"),
        pytest.param({"cut": "before"}, id="cut before the effect"),
        pytest.param({"status": 500}, id="500"),
        pytest.param({"status": 412}, id="somebody wrote first"),
        pytest.param({"internal": "concurrent_change"}, id="a race within Dialogporten"),
    ],
)
def test_dialog_is_told_once_whatever_happens(stage: Stage, how: dict[str, object]) -> None:
    """A lost answer or a lost race leaves one activity, not two."""
    case = stage.case()
    method = "WRITE" if "internal" in how else "PATCH"
    stage.fault("dialogporten", method, str(case.dialog_id), **how)

    answer = stage.press(case)

    assert answer.status_code == 204
    assert stage.activities(case) == ["FormSubmitted"]


def test_edit_after_the_press_is_not_sent(stage: Stage) -> None:
    """What somebody changes between two tries is not submitted by the earlier press."""
    case = stage.case()
    token = stage.token(case)
    stage.fault("altinn2", "PUT", case.message_id, status=503, headers={"Retry-After": "1"})
    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(stage.press, case, token=token)
        until(lambda: stage.control("GET", "/faults") == [])
        edited = {"Type": "MainForm", "DataFormatId": "5801", "DataFormatVersion": "42001", "FormData": VALID}
        body = {"Type": "FormTask", "ServiceCode": "5701", "ServiceEdition": 1, "_embedded": {"forms": [edited]}}
        stage.as_citizen("PUT", case, body=body, complete="false", sign="false")

        answer = pressed.result()

    assert answer.status_code == 409
    assert answer.get_json()["type"].endswith(":element_changed")
    assert stage.element(case)["state"] == "formfilling"
    assert stage.activities(case) == ["Information"]


def test_element_in_the_bin_is_told(stage: Stage) -> None:
    """A deleted draft ends in a refusal, and the dialog says that nothing was sent."""
    case = stage.case()
    stage.as_citizen("DELETE", case)

    answer = stage.press(case)

    assert answer.status_code == 410
    assert stage.effects(case, "altinn2.put") == []
    assert stage.activities(case) == ["Information"]


def test_dialog_without_an_element_is_refused(stage: Stage) -> None:
    """A dialog that points nowhere is told so, and nothing is accepted."""
    case = stage.case()
    stray = stage.dialog_for("a1", case.who, serviceOwnerContext={"serviceOwnerLabels": []})

    answer = stage.press(stray)

    assert answer.status_code == 404
    assert answer.get_json()["type"].endswith(":not_linked")


def test_preflight_needs_no_token(stage: Stage) -> None:
    """A browser asks first, without a token, and gets its answer for the configured origin only."""
    case = stage.case()
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }

    known = stage.client.options(f"/actions/{case.dialog_id}/submit", headers=headers)
    unknown = stage.client.options(
        f"/actions/{case.dialog_id}/submit", headers={**headers, "Origin": "https://evil.example"}
    )
    null = stage.client.options(f"/actions/{case.dialog_id}/submit", headers={**headers, "Origin": "null"})

    assert known.status_code == 204
    assert known.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in known.headers["Access-Control-Allow-Methods"]
    assert "DELETE" in known.headers["Access-Control-Allow-Methods"]
    assert "authorization" in known.headers["Access-Control-Allow-Headers"].lower()
    for refused in (unknown, null):
        assert "Access-Control-Allow-Origin" not in refused.headers


def test_errors_carry_cors_headers_too(stage: Stage) -> None:
    """Without them Arbeidsflate sees an opaque failure and shows nothing."""
    case = stage.case()

    answer = stage.press(case, token="not.a.token", headers={"Origin": ORIGIN})

    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-Trace-Id" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("about", "status", "code"),
    [
        pytest.param({"actions": ["read"]}, 403, "action_not_granted", id="no write"),
        pytest.param({"level": 0}, 403, "level_too_low", id="low level"),
        pytest.param({"claims": {"p": "urn:altinn:organization:identifier-no:310000019"}}, 403, "other_party", id="p"),
        pytest.param({"claims": {"s": "urn:altinn:resource:other"}}, 404, "unknown_service", id="s"),
        pytest.param({"claims": {"i": "0196f000-0000-7000-8000-000000000009"}}, 403, "other_dialog", id="i"),
        pytest.param({"claims": {"iss": "https://elsewhere.example/api/v1"}}, 401, "token_invalid", id="iss"),
        pytest.param({"claims": {"exp": 1}}, 401, "token_expired", id="exp"),
        pytest.param({"header": {"typ": "dialogcontexttoken+jwt"}}, 401, "token_invalid", id="typ"),
        pytest.param({"claims": {"e": ["x"]}}, 204, None, id="claim e is tolerated"),
    ],
)
def test_token_must_fit_the_press(stage: Stage, about: dict[str, object], status: int, code: str | None) -> None:
    """What is not genuine is 401, what does not fit is refused, and neither reaches Altinn."""
    case = stage.case()

    answer = stage.press(case, token=stage.token(case, **about))

    assert answer.status_code == status
    if code is not None:
        assert answer.get_json()["type"].endswith(f":{code}")
        assert stage.operations(case) == []


def test_refusals_speak_three_languages(stage: Stage) -> None:
    """The same refusal in nb, nn and en, and nb where the caller names none of them."""
    case = stage.case()

    titles = {
        wanted: stage.press(case, token="x", headers={"Accept-Language": wanted}).get_json()["title"]
        for wanted in ("nb", "nn", "en", "no", "de")
    }

    assert titles["nb"] == titles["no"] == titles["de"] == "Dialogtokenet er ikke gyldig"
    assert titles["nn"] == "Dialogtokenet er ikkje gyldig"
    assert titles["en"] == "The dialog token is not valid"


def test_body_where_none_belongs_is_refused(stage: Stage) -> None:
    """An action on the form that Altinn 2 holds does not silently drop what the caller sent."""
    case = stage.case()

    answer = stage.press(case, data=VALID.encode(), content_type="application/xml")

    assert answer.status_code == 400
    assert answer.get_json()["type"].endswith(":body_not_expected")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/hal+json", "application/json"])
def test_a_body_that_would_be_passed_over_is_refused(stage: Stage, kind: str) -> None:
    """Whoever sends one means something by it, and this action is about the form that Altinn 2 holds."""
    case = stage.case()

    answer = stage.press(case, data=b"{}", content_type=kind)

    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (400, "body_not_expected")
    assert stage.effects(case, "altinn2.put") == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_action_takes_its_three_methods(stage: Stage, method: str) -> None:
    """GUI actions are POST or DELETE, API actions any of the three."""
    case = stage.case()

    assert stage.press(case, method=method).status_code == 204


def test_operation_is_shown_to_its_own_dialog_only(stage: Stage) -> None:
    """The same token rules as for the press; another dialog's token finds nothing."""
    case, other = stage.case(), stage.case()
    stage.press(case)
    (operation,) = stage.operations(case)

    def shown(token: str) -> tuple[int, str]:
        answer = stage.client.get(f"/operations/{operation.id}", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.get_json().get("outcome", "")

    assert shown(stage.token(case)) == (200, "done")
    assert shown(stage.token(other)) == (404, "")
    assert shown("not.a.token") == (401, "")


def test_unknown_addresses_are_problem_documents(stage: Stage) -> None:
    """Also what no route answers explains itself."""
    missing = stage.client.get("/nowhere")
    wrong = stage.client.patch("/operations/0196f000-0000-7000-8000-000000000009")

    assert (missing.status_code, missing.mimetype) == (404, "application/problem+json")
    assert (wrong.status_code, wrong.mimetype) == (405, "application/problem+json")
    assert "GET" in wrong.headers["Allow"]


def test_a_press_is_not_repeated_without_end(stage: Stage) -> None:
    """Each repeat of what was done is a row and a change of the dialog; after ten in a minute it is told to wait."""
    case = stage.case()
    token = stage.token(case)
    assert stage.press(case, token=token).status_code == 204

    repeats = [stage.press(case, token=token) for _ in range(13)]

    assert [each.status_code for each in repeats] == [204] * 10 + [429] * 3
    assert repeats[-1].get_json()["type"].endswith("pressed_too_often")
    assert 1 <= int(repeats[-1].headers["Retry-After"]) <= 60
    assert len(stage.operations(case)) == 11
    assert len(stage.effects(case, "altinn2.archived")) == 1


def test_a_press_reads_its_dialogs_link_once(stage: Stage) -> None:
    """When it comes in; carried out it needs the link only where the element left its place, or a text names it."""
    case, read = stage.case(), list[str]()
    engine = stage.bridge.store.engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "links.party" in statement and statement.startswith("SELECT"):
            read.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        stage.press(case)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)

    assert len(read) == 1
