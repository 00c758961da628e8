"""Nothing personal leaves the process by a side door."""

import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.sandbox.apps.examples import example_app
from tests.processes.harness import FAULTY, RESOURCE, VALID, Site, site, until
from tests.scenarios.calculating import PRESET, configuration

LANGUAGES = ("nb", "nn", "en")
PERSON = "urn:altinn:person:identifier-no:"
CANARY = "kanarifugl"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("privacy"), BRIDGE_LOG_LEVEL="DEBUG") as one:
        one.serve()
        yield one


def values_of(xml: str) -> set[str]:
    """The texts of a form that could be told from ordinary words: what a case worker would recognise."""
    texts = {each.strip() for each in re.findall(r">([^<>]+)<", xml)}
    return {text for text in texts if len(text) >= 6}


def test_full_run_leaves_no_trace_of_persons(made: Site) -> None:
    """Logs, problem documents and metrics of good and bad runs hold no number, name, form value or token."""
    person = made.world.new_person()
    actor = f"urn:altinn:person:identifier-no:{person}"
    good, faulty, other = made.case(actor=actor), made.case(FAULTY, actor=actor), made.case(actor=actor)
    refused, broken = made.case(actor=actor), made.case(actor=actor)
    body = '{"message": "' + person + '"}'
    for case, how in (
        (refused, {"status": 400, "reason": f"Feil for {person}", "body": body}),
        (broken, {"status": 500, "reason": f"Feil for {person}", "body": body}),
    ):
        fault = {"system": "altinn2", "match": {"method": "PUT", "path": case.message_id}, "how": how}
        made.control("POST", "/faults", fault)

    answers = [made.press(case, **{"Accept-Language": each}) for case in (good, faulty) for each in LANGUAGES]
    answers.append(made.press(refused))
    answers.append(made.press(broken))
    stolen = made.http.post(
        f"{made.url}/actions/{good.dialog_id}/submit", headers={"Authorization": f"Bearer {other.token}"}, timeout=30
    )
    forged = made.http.post(
        f"{made.url}/actions/{good.dialog_id}/submit",
        headers={"Authorization": f"Bearer {good.token[:-4]}AAAA"},
        data=VALID.encode(),
        timeout=30,
    )
    for case in (good, faulty, refused, broken):
        until(lambda case=case: made.finished(case), what="the end")
    metrics = made.http.get(f"{made.url}/metrics", timeout=10).text
    told = made.logs() + metrics + "".join(each.text for each in (*answers, stolen, forged))

    assert {204, 422, 403, 401} <= {each.status_code for each in (*answers, stolen, forged)}
    assert len(made.logs()) > 1000
    tokens = {part for case in (good, other) for part in case.token.split(".")[1:]}
    schema_words = {"servering", "servering og skjenking", "enkeltanledning"}
    secrets = {
        person,
        good.who,
        faulty.who,
        *tokens,
        *(values_of(VALID) | values_of(FAULTY)) - schema_words,
        made.environ["BRIDGE_ALTINN2_API_KEY"],
    }
    leaked = {secret for secret in secrets if secret in told}
    assert not leaked


def test_the_server_quotes_no_request(made: Site) -> None:
    """What the server says of requests that are none quotes neither tokens, names of files nor bodies."""
    case, number = made.case(), made.world.new_person()
    target = f"/actions/{case.dialog_id}/submit"
    secret = f"Kanarifil {number[:6]} {number[6:]}.pdf"
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {case.token}\r\n"
    broken = (
        f"POST {target}/attachments?fileName={secret} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nBearer {case.token}\r\n\r\n",
        f"{head}Content-Length: 4\r\n\r\n<a/><melding><navn>{secret}</navn></melding>\r\n\r\n",
        f"{head}Transfer-Encoding: chunked\r\n\r\n{secret}\r\n",
    )

    for each in broken:
        with socket.create_connection(("127.0.0.1", made.port), timeout=10) as connection:
            connection.sendall(each.encode())
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                continue

    assert until(lambda: made.logs().count('"message":"turned away"') >= 3, what="the server's lines")
    assert {part for part in (*secret.split(), number, case.token) if part in made.logs()} == set()
    assert all(json.loads(line) for line in made.logs().splitlines())


@pytest.mark.slow
def test_the_engine_quotes_nothing_in_an_outage(tmp_path: Path) -> None:
    """While the engine's own tables are away, what it says of that is one of our lines, without statement or value."""
    with site(tmp_path, BRIDGE_LOG_LEVEL="DEBUG") as made:
        made.serve()
        person = made.world.new_person()
        case = made.case(VALID.replace("</melding>", f"<!-- {CANARY} --></melding>"), actor=f"{PERSON}{person}")
        store = sqlite3.connect(tmp_path / "bridge.sqlite", timeout=30, isolation_level=None)
        store.execute("ALTER TABLE workflow_status RENAME TO away")

        answer = made.press(case)
        until(lambda: '"logger":"dbos"' in made.logs(), what="a line of the engine's")
        store.execute("ALTER TABLE away RENAME TO workflow_status")
        store.close()
        again = made.press(case)
        until(lambda: made.finished(case), seconds=90, what="the end")
        made.processes[0].stop()
        logs = made.logs()

    assert answer.status_code >= 500
    assert again.status_code in (202, 204)
    assert all(json.loads(line) for line in logs.splitlines())
    secrets = {CANARY, person, *case.token.split(".")[1:], "INSERT INTO", "SELECT ", "parameters"}
    assert {secret for secret in secrets if secret in logs + answer.text} == set()


def test_nothing_of_what_ended_stays_on_disk(tmp_path: Path) -> None:
    """After a stop the store holds no form, actor or token of actions that ended, well or badly, nor do its logs."""
    with site(tmp_path, BRIDGE_LOG_LEVEL="DEBUG") as made:
        made.serve()
        person = made.world.new_person()
        said = VALID.replace("</melding>", f"<!-- {CANARY} --></melding>")
        cases = [made.case(said, actor=f"{PERSON}{person}") for _ in range(3)]
        quoting = f"Feil for {CANARY} {person[:6]} {person[6:]}"
        for case, status in zip(cases[1:], (400, 418), strict=True):
            how = {"status": status, "reason": quoting, "body": quoting}
            made.control("POST", "/faults", {"system": "altinn2", "match": {"path": case.message_id}, "how": how})
        answers = [made.press(case) for case in cases]
        for case in cases:
            until(lambda case=case: made.finished(case) or not made.rows(case), what="the end")
        made.processes[0].stop()
        logs = made.logs()

        disk = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("bridge.sqlite"))

    assert answers[0].status_code == 204
    assert b"CREATE TABLE operations" in disk
    secrets = {CANARY, person, person[6:], *(part for case in cases for part in case.token.split(".")[1:])}
    assert {secret for secret in secrets if secret.encode() in disk or secret in logs} == set()


ROUTES = {
    "warn": ("ttd/sandkasse-regnestykke", "token: caller\nanonymous: true\n", "warn", "both"),
    "strict": ("ttd/streng", "token: caller\nanonymous: true\n", "strict", "json"),
    "own": (
        "ttd/egen",
        f"token: dialog\ndialog: {{service_resource: {RESOURCE}, requires: write, minimum_level: 3}}\n",
        "off",
        "both",
    ),
}


@pytest.fixture(scope="module")
def calculating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A bridge at DEBUG whose proxy and actions lead to the sandbox's apps, by each kind of route."""
    folder = tmp_path_factory.mktemp("privacy-calculating")
    (folder / "routes").mkdir()
    for name, (app, lines, validate, speaks) in ROUTES.items():
        schema = f"{{schema: regnestykke.xsd, validate: {validate}, speaks: {speaks}}}"
        text = f"app: {app}\n{lines}data_types: {{regnestykke: {schema}}}\n"
        (folder / "routes" / f"{name}.yaml").write_text(text, "utf-8")
    environ = {**configuration(folder), "BRIDGE_ROUTES": str(folder / "routes"), "BRIDGE_LOG_LEVEL": "DEBUG"}
    with site(folder, **environ) as one:
        for app in ("streng", "egen"):
            one.world.apps.register(replace(example_app(), name=app))
        one.serve()
        yield one


def proxied(made: Site, app: str, person: str, **about: Any) -> requests.Response:
    """Call the proxy with something secret wherever a call has room for it."""
    headers = {
        "party": f"person:{person}",
        "Cookie": f"AltinnStudioRuntime={CANARY}-informasjonskapsel; andre={CANARY}-informasjonskapsel",
        "X-XSRF-TOKEN": f"{CANARY}-motstykke",
        "Authorization": f"Bearer {CANARY}-baerer",
        **about.pop("headers", {}),
    }
    query = f"dataType=regnestykke&prefill={CANARY}-sp&{CANARY}-sp=1&language={CANARY}-sp"
    path = f"/{app}/v1/data/anonymous?{query}"
    return made.http.request(about.pop("method", "POST"), f"{made.url}{path}", headers=headers, timeout=30, **about)


def fault(made: Site, path: str, **how: Any) -> None:
    made.control("POST", "/faults", {"system": "apps", "match": {"path": path}, "how": how})


def test_the_proxy_leaves_no_trace_of_persons(calculating: Site) -> None:
    """Of bodies, queries, parties, cookies and tokens nothing is in logs, metrics, or what the bridge itself says."""
    made, (open_app, strict) = calculating, (ROUTES["warn"][0], ROUTES["strict"][0])
    person = made.world.new_person()
    line = f"<linje><tekst>{CANARY}-tekst {person}</tekst></linje>"
    sound = f"<Regnestykke>{line}<merknad>{CANARY}-merknad</merknad></Regnestykke>".encode()
    faulty = sound.replace(b"<merknad>", f"<sats>{CANARY}-sats</sats><merknad>".encode())
    xml, as_json = {"Content-Type": "application/xml"}, {"Content-Type": "application/json"}
    text = f'{{"linje":[{{"tekst":"{CANARY}-tekst"}}],"sats":"{CANARY}-sats","ukjent":1}}'.encode()
    quoting = f"{person} {CANARY}-svar"

    # What these answer is the app's own.
    passed = [
        proxied(made, open_app, person, data=sound, headers=xml),
        proxied(made, open_app, person, data=faulty, headers=xml),
        proxied(made, open_app, person, data=text, headers=as_json),
        proxied(made, open_app, person, method="GET"),
        proxied(made, open_app, person, data=sound, headers={**xml, "Prefer": "bridge-report"}),
    ]
    fault(made, open_app, status=500, reason=quoting, body=quoting)
    passed.append(proxied(made, open_app, person, data=sound, headers=xml))
    fault(made, open_app, cut="after")
    own = [
        proxied(made, open_app, person, data=sound, headers=xml),
        proxied(made, strict, person, data=faulty, headers=xml),
        proxied(made, strict, person, data=text, headers=as_json),
        proxied(made, strict, person, data=sound[:-5], headers=xml),
        proxied(made, "ttd/ukjent", person, data=sound, headers=xml),
        made.http.post(
            f"{made.url}/ttd/egen/v1/data?dataType={CANARY}-sp",
            data=sound,
            headers={**xml, "Authorization": f"Bearer {CANARY}-baerer", "party": f"person:{person}"},
            timeout=30,
        ),
    ]
    metrics = made.http.get(f"{made.url}/metrics", timeout=10).text
    deep = made.http.get(f"{made.url}/health/deep", timeout=10).text

    assert {each.status_code for each in passed} == {200, 400, 500}
    assert {each.status_code for each in own} == {401, 404, 422, 502}
    assert "bridge_calculations_total" in metrics
    told = made.logs() + metrics + deep
    assert len(told) > 1000
    assert {word for word in (CANARY, person) if word in told} == set()
    # A finding names the member that is wrong, and never its value.
    said = "".join(each.text for each in own)
    assert {word for word in (CANARY, person) if word in said} == set()


def test_calculating_actions_leave_no_trace_of_persons(calculating: Site) -> None:
    """Neither forms, results, findings, lost fields nor what an app says of them is told anywhere but in the dialog."""
    made = calculating
    person = made.world.new_person()
    actor = f"urn:altinn:person:identifier-no:{person}"
    line = f"<linje><tekst>{CANARY}-tekst {person}</tekst><antall>2</antall><pris>104.50</pris></linje>"
    sound = f"<Regnestykke {PRESET}>{line}</Regnestykke>"
    lossy = sound.replace("</linje>", f"</linje><ukjent>{CANARY}-ukjent</ukjent>")
    quoting = f"The JSON value could not be converted to {CANARY}-svar {person}. Path: $.x"
    answers: list[requests.Response] = []

    def pressed(action: str, xml: str | None, held: str = sound, **how: Any) -> None:
        case = made.case(held, data_format=("9001", "1"), actor=actor)
        if how:
            fault(made, "/v1/data", **how)
        about = {"Content-Type": "application/xml", "Accept-Language": "nn"} if xml else {}
        answers.append(made.press(case, action, data=None if xml is None else xml.encode(), **about))
        until(lambda: made.finished(case) or not made.rows(case), what="the end")
        secrets.update((case.who, *case.token.split(".")[1:]))

    secrets = {CANARY, person, "104.50", "209.00", "52.25"}
    for action in ("show", "show-rate", "show-anyway"):
        pressed(action, sound)
    pressed("show-anyway", lossy)
    pressed("show", lossy)
    pressed("show", "<Regnestykke><linje>")
    pressed("submit", None)
    pressed("submit", None, lossy)
    for status in (400, 403, 500):
        pressed("show", sound, status=status, reason=quoting, body=quoting)
    pressed("show", sound, status=200, reason="OK", body=quoting, headers={"Content-Type": "application/xml"})
    pressed("show", sound, cut="after")

    metrics = made.http.get(f"{made.url}/metrics", timeout=10).text
    told = made.logs() + metrics + "".join(each.text for each in answers)
    assert {each.status_code for each in answers} >= {204, 422, 502}
    assert "an app's answer lacks what it was sent" in told
    assert {secret for secret in secrets if secret in told} == set()
