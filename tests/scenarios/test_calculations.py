"""Actions that let an Altinn 3 app calculate: into the dialog alone, or on the way to Altinn 2."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from bridge.core.operations import Operation
from bridge.sandbox.apps.examples import example_app
from tests.scenarios.calculating import (
    HOURS,
    IN_JSON,
    OLD,
    SUM,
    VALUES,
    WITH_MORE,
    alone,
    app_calls,
    calculating,
    changed_app,
    held,
    sent,
)
from tests.scenarios.stage import RESOURCE, Case, Stage, until

# Each case is calculated by an app and told to a dialog: most of a minute in all.
pytestmark = pytest.mark.slow

DATA_TYPE = example_app().data_types[0]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = calculating(tmp_path_factory.mktemp("calculating"))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def apps_as_they_ship(stage: Stage) -> Iterator[None]:
    yield
    stage.world.apps.register(example_app())
    stage.world.apps.unknown_parties.clear()


def code(answer: TestResponse) -> str:
    return str(answer.get_json()["type"].rpartition(":")[2])


def kept_results(stage: Stage, case: Case, press: Any) -> Operation:
    """What stands on the row while the dialog cannot be told yet; *press* runs beside."""
    stage.fault("dialogporten", "PATCH", str(case.dialog_id), status=503, times=2)
    found: list[Operation] = []

    def seen() -> bool:
        found.extend(each for each in stage.operations(case) if each.results)
        return bool(found)

    thread = threading.Thread(target=press)
    thread.start()
    until(seen)
    thread.join()
    return found[0]


# Into the dialog


@pytest.mark.parametrize("resource", ["urn:altinn:resource:serveringsbevilling", OLD, IN_JSON])
def test_a_form_is_calculated_without_any_element(stage: Stage, resource: str) -> None:
    """A dialog that stands for nothing in Altinn 2 will do, with both generations of apps; Altinn 2 is not asked."""
    mine = alone(stage, resource)
    before = len(stage.world.calls.all("altinn2"))

    answer = sent(stage, mine)

    assert answer.status_code == 204
    told = stage.dialog(mine)
    assert (told["status"], [each["type"] for each in told["activities"]]) == ("RequiresAttention", ["Information"])
    assert "Skjemaet er beregnet" in str(told["activities"])
    assert len(stage.buttons(mine)) == 4
    assert len(stage.world.calls.all("altinn2")) == before


def test_results_stay_until_the_dialog_is_told(stage: Stage) -> None:
    """They survive whoever dies between calculating and telling, and are erased once it is told."""
    mine = alone(stage)
    token = stage.token(mine)

    kept = kept_results(stage, mine, lambda: sent(stage, mine, Authorization=f"Bearer {token}"))

    assert kept.results == {"sum": "209.00", "tax": "52.25", "note": "Beregnet"}
    until(lambda: stage.operations(mine)[0].finished_at is not None)
    assert (stage.operations(mine)[0].results, stage.operations(mine)[0].body) == ({}, None)


def test_a_press_joins_the_calculation_that_is_under_way(stage: Stage) -> None:
    """One operation, whatever language the second press reads; who pressed may ask how far it is."""
    mine = alone(stage)
    auth = {"Authorization": f"Bearer {stage.token(mine)}"}
    answers: list[TestResponse] = []

    kept_results(
        stage,
        mine,
        lambda: answers.extend(
            ThreadPoolExecutor(2).map(
                lambda language: sent(stage, mine, **auth, **{"Accept-Language": language}), ["en", "nb"]
            )
        ),
    )

    assert [each.status_code for each in answers] == [204, 204]
    (operation,) = stage.operations(mine)
    told = stage.client.get(f"/operations/{operation.id}", headers=auth).get_json()
    assert (told["status"], told["outcome"]) == ("finished", "done")


def test_what_the_element_holds_is_calculated_and_stays(stage: Stage) -> None:
    """The element's form goes to the app, and nothing goes back to Altinn 2."""
    mine = held(stage)
    before = stage.element(mine)

    kept = kept_results(stage, mine, lambda: stage.press(mine, "show-held"))

    assert float(kept.results["sum"]) == 209
    assert stage.element(mine) == before
    assert stage.effects(mine, "altinn2.put") == []


def test_an_app_that_knows_only_json_is_spoken_to_in_json(stage: Stage) -> None:
    """The element's XML becomes JSON by the schema, and the answer XML again, digit for digit, for Altinn 2."""
    mine = held(stage, SUM, IN_JSON)

    answer = stage.press(mine, "submit")

    assert answer.status_code == 204
    assert stage.activities(mine) == ["FormSubmitted"]
    (form,) = stage.element(mine)["forms"]
    root = etree.fromstring(form["xml"])
    assert (root.findtext("linje/pris"), root.findtext("linje/belop"), root.findtext("avgift")) == (
        "104.50",
        "209.00",
        "52.25",
    )
    assert root.get("dataFormatId") == "9001"


def test_what_cannot_be_said_in_json_is_not_sent(stage: Stage) -> None:
    """A field that the schema does not know would be lost on the way: it is a finding, and no app is asked."""
    mine = alone(stage, IN_JSON)
    before = len(app_calls(stage))

    answer = sent(stage, mine, "show", WITH_MORE)

    assert (answer.status_code, code(answer)) == (422, "form_invalid")
    assert [each["path"] for each in answer.get_json()["findings"]] == ["/Regnestykke/ukjent"]
    assert len(app_calls(stage)) == before


def test_an_app_that_knows_only_json_refuses_xml(stage: Stage) -> None:
    """Where the mapping does not say so the app's refusal is told as what it is: a mapping to be mended."""
    changed_app(stage, speaks="json")

    answer = sent(stage, alone(stage))

    assert (answer.status_code, code(answer)) == (502, "app_misconfigured")


def test_a_result_leads_to_a_page(stage: Stage) -> None:
    """The next press puts the new address in place; what must not stand in an address makes no link, and is told."""
    mine = alone(stage)
    links = []

    with capture_logs() as logs:
        for rate in ("<sats>7</sats>", "<sats>12.5</sats>", "<sats>12.5</sats>"):
            assert sent(stage, mine, "show-rate", SUM.replace("</linje>", f"</linje>{rate}")).status_code == 204
            links.append(stage.dialog(mine)["attachments"])

    assert [[each["urls"][0]["url"] for each in listed] for listed in links] == [
        ["https://www.example.no/satser/7"],
        *[["https://www.example.no/satser/12.5"]] * 2,
    ]
    assert len({listed[0]["id"] for listed in links}) == 1
    assert {"languageCode": "nb", "value": "Sats 12.5"} in links[1][0]["displayName"]
    left_out = [each["links"] for each in logs if each["event"] == "links could not be made of what was calculated"]
    assert left_out == [["text"]] * 3


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("expiresAt", "2091-01-01T00:00:00Z"),
        ("name", "x"),
        ("displayName/-", {"languageCode": "se", "value": "S"}),
        ("urls/-", {"url": "https://agency.example.no/x", "consumerType": "Api"}),
    ],
)
def test_what_others_added_to_a_link_stays(stage: Stage, place: str, value: object) -> None:
    """What the agency put beside it outlives the next result, and no old number stays for it."""
    mine = alone(stage)
    sent(stage, mine, "show-rate", SUM.replace("</linje>", "</linje><sats>7</sats>"))
    change = [{"op": "add", "path": f"/attachments/0/{place}", "value": value}]
    assert stage.as_owner("PATCH", f"/{mine.dialog_id}", change).status_code == 204
    (before,) = stage.dialog(mine)["attachments"]

    answer = sent(stage, mine, "show-rate", SUM.replace("</linje>", "</linje><sats>12.5</sats>"))

    (link,) = stage.dialog(mine)["attachments"]
    assert answer.status_code == 204
    assert (
        json.loads(
            json.dumps(before)
            .replace("Sats 7", "Sats 12.5")
            .replace("Rate 7", "Rate 12.5")
            .replace("satser/7", "satser/12.5")
        )
        == link
    )


def test_every_press_calculates_anew(stage: Stage) -> None:
    """A calculation is never taken for done already: the second form is another one."""
    mine = alone(stage)

    answers = [sent(stage, mine), sent(stage, mine)]

    assert [each.status_code for each in answers] == [204, 204]
    assert stage.activities(mine) == ["Information", "Information"]


def test_an_element_is_found_when_it_is_first_needed(stage: Stage) -> None:
    """A dialog whose first action needed none is linked by the first that does."""
    mine = held(stage)

    answers = [sent(stage, mine), stage.press(mine, "submit")]

    assert [each.status_code for each in answers] == [204, 204]
    assert stage.element(mine)["state"] == "archived"


def test_an_action_on_an_element_needs_one(stage: Stage) -> None:
    """A dialog that stands for none is told so."""
    mine = alone(stage)
    sent(stage, mine)

    answer = stage.press(mine, "submit")

    assert (answer.status_code, code(answer)) == (404, "not_linked")


@pytest.mark.parametrize(
    ("accepted", "note"), [("en", "Calculated"), ("nn", "Beregnet"), ("fr, en;q=0.5", "Calculated")]
)
def test_the_app_calculates_in_the_callers_language(stage: Stage, accepted: str, note: str) -> None:
    """The language of the press is remembered, and the app is asked in it."""
    mine = alone(stage)
    token = stage.token(mine)

    kept = kept_results(
        stage, mine, lambda: sent(stage, mine, Authorization=f"Bearer {token}", **{"Accept-Language": accepted})
    )

    assert kept.results["note"] == note


def test_the_app_sees_the_dialogs_party(stage: Stage) -> None:
    """Always said, for organisations and persons, so that no version guesses another."""
    organisation, person = alone(stage), stage.world.new_person()
    of_person = alone(stage, party=f"urn:altinn:person:identifier-no:{person}")
    changed_app(stage, denied=frozenset({f"org:{organisation.who}", f"person:{person}"}))

    answers = [sent(stage, each) for each in (organisation, of_person, alone(stage))]

    assert [each.status_code for each in answers] == [403, 403, 204]
    assert code(answers[0]) == "app_denies_party"


def test_a_party_that_apps_cannot_name_is_refused(stage: Stage) -> None:
    """Apps know persons and organisations; of others nothing is sent."""
    mine = alone(stage, party="urn:altinn:person:idporten-email:kari@example.no")
    before = len(app_calls(stage))

    answer = sent(stage, mine)

    assert (answer.status_code, code(answer)) == (403, "party_unfit")
    assert len(app_calls(stage)) == before


def test_a_form_without_its_namespace_is_put_into_it(stage: Stage) -> None:
    """Where the mapping is lenient, as the app itself would read it; nothing counts as lost for that."""
    mine = alone(stage, HOURS)
    xml = (
        '<Timeliste skjemanummer="7100"><Ansatt-grp-7101><ansattnummer>7</ansattnummer><Dag-grp-7102>'
        '<dato>2026-03-02</dato><Timer-datadef-7103 orid="7103">7.5</Timer-datadef-7103></Dag-grp-7102>'
        "</Ansatt-grp-7101></Timeliste>"
    )

    kept = kept_results(stage, mine, _press(stage, mine, xml))

    assert float(kept.results["hours"]) == 7.5


def _press(stage: Stage, case: Case, xml: str) -> Any:
    token = stage.token(case)
    return lambda: sent(stage, case, "show", xml, Authorization=f"Bearer {token}")


# On the way to Altinn 2


@pytest.mark.parametrize("resource", ["urn:altinn:resource:serveringsbevilling", OLD])
def test_what_the_app_calculated_is_what_is_sent(stage: Stage, resource: str) -> None:
    """One PUT, of the calculated form."""
    mine = held(stage, resource=resource)

    answer = stage.press(mine, "submit")

    assert answer.status_code == 204
    element = stage.element(mine)
    assert (element["state"], len(stage.effects(mine, "altinn2.put"))) == ("archived", 1)
    assert "<sum>209" in element["forms"][0]["xml"]
    assert "<merknad>Beregnet</merknad>" in element["forms"][0]["xml"]


def test_a_callers_form_is_calculated_before_it_is_saved(stage: Stage) -> None:
    """The element holds the sums, and still waits."""
    mine = held(stage)

    answer = sent(stage, mine, "save", SUM.replace(">2<", ">3<"))

    assert answer.status_code == 204
    assert stage.element(mine)["state"] == "formfilling"
    assert "<sum>313.5" in stage.element(mine)["forms"][0]["xml"]


def test_altinn_judges_the_calculated_form(stage: Stage) -> None:
    """A draft with the sums is what Altinn 2 is asked about, and what is completed."""
    mine = held(stage)

    answer = sent(stage, mine, "ask", SUM.replace(">2<", ">3<"))

    assert answer.status_code == 204
    assert (stage.element(mine)["state"], len(stage.effects(mine, "altinn2.put"))) == ("archived", 2)
    assert "<sum>313.5" in stage.element(mine)["forms"][0]["xml"]


def test_what_the_app_makes_is_held_against_the_schema(stage: Stage) -> None:
    """An app may calculate what the schema does not allow: nothing is sent, and who pressed cannot mend it."""

    def wrong(model: Any, language: str | None) -> Any:
        return {**DATA_TYPE.calculate(model, language), "dataFormatProvider": "SANDBOX", "sum": "mange"}

    changed_app(stage, data_types=(replace(DATA_TYPE, calculate=wrong),))
    mine = held(stage)

    with capture_logs() as lines:
        answer = stage.press(mine, "submit")

    assert (answer.status_code, code(answer)) == (502, "calculation_invalid")
    assert [each["path"] for each in answer.get_json()["findings"]] == ["/Regnestykke/sum"]
    (told,) = (each for each in lines if each["event"] == "the form does not take what an app calculated")
    assert (told["log_level"], told["app"], told["faults"]) == (
        "warning",
        "ttd/sandkasse-regnestykke",
        ["/Regnestykke/sum type"],
    )
    assert "mange" not in str(lines)
    assert "prøv igjen" not in str(stage.dialog(mine))
    assert stage.effects(mine, "altinn2.put") == []


@pytest.mark.parametrize("resource", [RESOURCE, IN_JSON])
def test_what_may_stay_empty_is_not_asked_for(stage: Stage, resource: str) -> None:
    """An app says nil of every number that is not there, where its schema knows no nil (facts 1.11)."""
    mine = held(stage, SUM.replace("</linje>", "</linje><linje><tekst>Garn</tekst></linje>"), resource)

    answer = stage.press(mine, "submit")

    assert answer.status_code == 204
    form = stage.element(mine)["forms"][0]["xml"]
    assert stage.element(mine)["state"] == "archived"
    assert ("nil" in form, "<tekst>Garn</tekst></linje>" in form) == (False, True)


def test_an_apps_answer_is_taken_by_another_action(stage: Stage) -> None:
    """Who let the app calculate and sends on what it said, is not asked for what may stay empty either."""
    mine = held(stage)
    nil = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'

    answer = sent(stage, mine, "keep", SUM.replace("</linje>", f"<belop {nil}/></linje><sats {nil}/>"))

    assert answer.status_code == 204
    assert stage.element(mine)["forms"][0]["xml"] == SUM


# Lost fields


@pytest.mark.parametrize("action", ["show", "save"])
def test_a_field_lost_by_the_app_stops_the_action(stage: Stage, action: str) -> None:
    """By its path, and nothing is sent."""
    mine = held(stage)

    answer = sent(stage, mine, action, WITH_MORE)

    assert (answer.status_code, code(answer)) == (502, "calculation_lost_fields")
    assert [(each["path"], each["rule"]) for each in answer.get_json()["findings"]] == [("/Regnestykke/ukjent", "lost")]
    assert stage.effects(mine, "altinn2.put") == []


def test_of_many_lost_fields_the_cause_is_named(stage: Stage) -> None:
    """At an element that it does not know an app stops reading; that one comes first, in the caller's language."""
    mine = held(stage)
    form = WITH_MORE.replace("</ukjent>", "</ukjent><sats>15</sats><merknad>borte</merknad>")

    with capture_logs() as logs:
        answer = sent(stage, mine, "save", form, **{"Accept-Language": "nn"})

    assert (answer.status_code, code(answer)) == (502, "calculation_lost_fields")
    first, *rest = answer.get_json()["findings"]
    assert (first["path"], first["rule"], rest) == ("/Regnestykke/ukjent", "lost_from_here", [])
    assert first["message"] == ("Appen kjenner ikkje ukjent på denne plassen, og las difor ikkje det som står etter.")
    assert [each["stopped_at"] for each in logs if "stopped_at" in each] == [("/Regnestykke/ukjent",)]


def test_a_lost_field_is_only_told_where_the_mapping_says_so(stage: Stage) -> None:
    """``lost_fields: warn`` logs the path and goes on."""
    mine = alone(stage)

    with capture_logs() as logs:
        answer = sent(stage, mine, "show-anyway", WITH_MORE)

    assert answer.status_code == 204
    assert [each["lost"] for each in logs if "lost" in each] == [["/Regnestykke/ukjent"]]


# What apps say


@pytest.mark.parametrize(
    ("app", "status", "told"),
    [
        pytest.param({"minimum_level": 4}, 403, "app_level_too_low", id="level"),
        pytest.param({"data_types": ()}, 502, "app_misconfigured", id="no such data type"),
        pytest.param(
            {"data_types": (replace(example_app().data_types[0], members=()),)}, 409, "app_party_unknown", id="no class"
        ),
        pytest.param(
            {"data_types": (replace(example_app().data_types[0], root="Annet"),)}, 422, "app_form_unreadable", id="root"
        ),
    ],
)
def test_an_app_that_refuses_is_understood(stage: Stage, app: dict[str, Any], status: int, told: str) -> None:
    """Its own words become a problem in ours, and the dialog hears of it."""
    changed_app(stage, **app)
    mine = alone(stage)

    answer = sent(stage, mine)

    assert (answer.status_code, code(answer)) == (status, told)
    assert stage.activities(mine) == ["Information"]


def test_the_level_that_an_app_demands_is_told(stage: Stage) -> None:
    """In the caller's language."""
    changed_app(stage, minimum_level=4)

    answer = sent(stage, alone(stage), **{"Accept-Language": "en"})

    assert "level 4" in answer.get_json()["detail"]


def test_an_empty_500_is_told_by_whom_it_is_about(stage: Stage) -> None:
    """An unknown party and a form that cannot be calculated fail alike; neither is tried again as an outage."""

    def fails(model: Any, language: str | None) -> Any:
        from bridge.sandbox.apps.model import NotReadable

        if model["linje"]:
            raise NotReadable("")
        return model

    unknown, broken = alone(stage), alone(stage)
    stage.world.apps.unknown_parties.add(f"org:{unknown.who}")
    changed_app(stage, data_types=(replace(DATA_TYPE, calculate=fails),))

    answers = [sent(stage, unknown), sent(stage, broken)]

    assert [(each.status_code, code(each)) for each in answers] == [
        (409, "app_party_unknown"),
        (422, "app_cannot_calculate"),
    ]
    assert [each.tries for each in (*stage.operations(unknown), *stage.operations(broken))] == [0, 0]


@pytest.mark.parametrize(
    ("how", "status", "told"),
    [
        pytest.param({"status": 400, "body": '"Invalid party header"'}, 409, "app_party_unknown", id="party"),
        pytest.param({"status": 400, "body": "Unknown content type"}, 502, "app_misconfigured", id="content type"),
        pytest.param({"status": 400}, 422, "app_form_unreadable", id="null"),
        pytest.param(
            {"status": 400, "body": "'x' is invalid. Path: $.sum | LineNumber: 0 | BytePositionInLine: 2."},
            *(422, "app_form_unreadable"),
            id="no JSON",
        ),
        pytest.param({"status": 404}, 410, "app_gone", id="404"),
        pytest.param({"status": 410}, 410, "app_gone", id="410"),
        pytest.param({"status": 413, "body": "<html>"}, 413, "app_too_large", id="413"),
        pytest.param({"status": 302}, 502, "app_misconfigured", id="redirect"),
        pytest.param({"status": 200}, 502, "app_answer_unreadable", id="empty answer"),
        pytest.param({"status": 200, "body": "<html><p>"}, 502, "app_answer_unreadable", id="a page"),
        pytest.param({"status": 200, "body": "<annet/>"}, 502, "calculation_lost_fields", id="another form"),
    ],
)
def test_what_an_ingress_says_is_understood(stage: Stage, how: dict[str, Any], status: int, told: str) -> None:
    """Each ends the action at once, with nothing sent."""
    mine = held(stage)
    warm(stage)
    stage.fault("apps", "POST", "sandkasse-regnestykke/v1/data", **how)

    answer = stage.press(mine, "submit")

    assert (answer.status_code, code(answer)) == (status, told)
    assert stage.effects(mine, "altinn2.put") == []


def test_an_app_that_answers_json_is_understood(stage: Stage) -> None:
    """Though XML was asked for: its answer is converted by the schema, and nothing is lost."""
    warm(stage)
    answer_in_json = (
        '{"dataFormatProvider":"SANDBOX","dataFormatId":"9001","dataFormatVersion":"1","linje":[{"tekst":'
        '"Strikket genser","antall":2,"pris":104.50,"belop":209.00}],"sats":25,"sum":209.00,"avgift":52.25,'
        '"merknad":null}'
    )
    mine = held(stage)
    stage.fault(
        "apps",
        "POST",
        "sandkasse-regnestykke/v1/data",
        status=200,
        body=answer_in_json,
        headers={"Content-Type": "application/json; charset=utf-8"},
    )

    answer = stage.press(mine, "submit")

    assert answer.status_code == 204
    assert "<sum>209.00</sum>" in stage.element(mine)["forms"][0]["xml"]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"cut": "before"}, id="cut before"),
        pytest.param({"cut": "after"}, id="cut after"),
        pytest.param({"status": 503, "body": "<html>"}, id="deploying"),
        pytest.param({"status": 429, "headers": {"Retry-After": "0"}}, id="too many"),
        pytest.param({"status": 500, "body": "<html>Gateway</html>"}, id="a page with 500"),
    ],
)
@pytest.mark.parametrize("action", ["show-held", "submit"])
def test_a_calculation_is_repeated_until_it_answers(stage: Stage, how: dict[str, Any], action: str) -> None:
    """It stores nothing, so that nothing is done twice; Altinn 2 sees one PUT."""
    warm(stage)
    mine = held(stage)
    stage.fault("apps", "POST", "sandkasse-regnestykke/v1/data", times=2, **how)

    answer = stage.press(mine, action)

    assert answer.status_code == 204
    assert len(stage.effects(mine, "altinn2.put")) == (action == "submit")
    assert len(stage.operations(mine)) == 1


@pytest.mark.parametrize(
    "said", [{"status": 401}, {"status": 403, "body": '{"title":"Forbidden","detail":"Insufficient scope"}'}]
)
def test_an_app_that_refuses_the_bridge_refuses_nobody_else(stage: Stage, said: dict[str, Any]) -> None:
    """A token is renewed once; that the bridge has no access there is an alarm, and the press waits for it."""
    warm(stage)
    mine = alone(stage)
    stage.fault("apps", "POST", "sandkasse-regnestykke/v1/data", times=2, **said)

    with capture_logs() as logs:
        answer = sent(stage, mine)

    assert answer.status_code == 204
    assert {each["system"] for each in logs if each["event"].startswith("the bridge's own")} == {
        "app ttd/sandkasse-regnestykke"
    }


@pytest.mark.parametrize("how", [{"cut": "after"}, {"status": 500, "after_effect": True}, {"cut": "before"}])
def test_a_put_of_a_calculated_form_happens_once(stage: Stage, how: dict[str, Any]) -> None:
    """After a PUT without an answer the element is read first; a form is calculated again only for another PUT."""
    mine = held(stage)
    stage.fault("altinn2", "PUT", mine.message_id, **how)

    answer = stage.press(mine, "submit")

    assert answer.status_code == 204
    assert len(stage.effects(mine, "altinn2.put")) == 1
    assert "<sum>209" in stage.element(mine)["forms"][0]["xml"]


def test_a_message_with_more_than_its_form_is_refused(stage: Stage) -> None:
    """An app calculates one form: attachments and subforms are not passed over."""
    mine = alone(stage)
    main = {"Type": "MainForm", "DataFormatId": "9001", "DataFormatVersion": "1", "FormData": "<a/>"}
    message = {"forms": [main], "attachments": [{"AttachmentType": "Plan", "FileName": "a.pdf", "Data": "QQ=="}]}

    answer = stage.press(mine, "show", data=json.dumps(message), headers={"Content-Type": "application/hal+json"})

    assert (answer.status_code, code(answer)) == (422, "attachments_not_taken")


def test_json_is_calculated_as_well(stage: Stage) -> None:
    """A caller's JSON is converted by the schema before the app gets it."""
    mine = alone(stage)
    body = '{"linje": [{"tekst": "Strikket genser", "antall": 2, "pris": 104.5}]}'

    answer = stage.press(mine, "show", data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 204


def test_no_value_of_a_calculation_reaches_the_log(stage: Stage) -> None:
    """Neither of the form nor of its results, nor of what an app says of it, nor the party's number."""
    mine, other = held(stage), held(stage)
    with capture_logs() as logs:
        sent(stage, mine, "show")
        sent(stage, mine, "show", WITH_MORE)
        sent(stage, mine, "show-anyway", WITH_MORE)
        warm(stage)
        quoting = "There is an error in XML document (1, 2). The string 'hemmelig' is not a valid value."
        stage.fault("apps", "POST", "sandkasse-regnestykke/v1/data", status=400, body=quoting)
        refused = sent(stage, mine, "show")
        stage.press(other, "submit")
        changed_app(stage, data_types=(replace(DATA_TYPE, root="Annet"),))
        sent(stage, mine, "show")

    told = "".join(map(str, logs)) + refused.get_data(as_text=True)
    assert code(refused) == "app_form_unreadable"
    assert (refused.get_json()["findings"][0]["line"], refused.get_json()["findings"][0]["column"]) == (1, 2)
    assert len(logs) > 5
    assert [value for value in (*VALUES, mine.who, other.who) if value in told] == []


def warm(stage: Stage) -> None:
    """Let the bridge find out the app's verbs, so that a planned fault meets the calculation."""
    assert sent(stage, alone(stage), "show").status_code == 204
