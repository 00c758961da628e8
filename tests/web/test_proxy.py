"""The calculation proxy: who gets through, what is passed on, and what the app says."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.web.proxying import HOURS, JSON, KEY, LINES, OLD_SUM, SUM, XML, Proxying

OPEN = "token: caller\nanonymous: true\n"
ROUTES = {SUM: OPEN, OLD_SUM: "token: caller\n", HOURS: OPEN}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxying]:
    made = Proxying(tmp_path_factory.mktemp("proxy"), ROUTES)
    yield made
    made.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Any]:
    """Make stages of one's own."""
    made: list[Proxying] = []

    def make(routes: dict[str, str] = ROUTES, **about: Any) -> Proxying:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Proxying(folder, routes, **about))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_unlisted_apps_do_not_exist(stage: Proxying) -> None:
    """What no route file names is 404 with a problem document, and reaches nobody."""
    before = len(stage.calls())

    answers = [
        stage.send("GET", "ttd/another"),
        stage.send("GET", "TTD/sandkasse-regnestykke"),
        stage.send("GET", OLD_SUM),
    ]

    assert [(each.status_code, each.content_type) for each in answers] == [(404, "application/problem+json")] * 3
    assert len(stage.calls()) == before


def test_other_methods_are_refused(stage: Proxying) -> None:
    """405, with what is allowed; HEAD too, which apps do not know."""
    answers = [stage.send(method) for method in ("PATCH", "DELETE", "HEAD")]

    assert [each.status_code for each in answers] == [405, 405, 405]


SAME: list[tuple[str, str, str, dict[str, Any]]] = [
    ("an empty form", "GET", "dataType=regnestykke", {}),
    ("an empty form in XML", "GET", "dataType=regnestykke", {"headers": {"Accept": "application/xml"}}),
    ("a calculation", "POST", "dataType=regnestykke", {"json": LINES}),
    ("names in any case", "POST", "DATATYPE=regnestykke&Language=en", {"json": LINES}),
    ("unknown query parameters", "POST", "dataType=regnestykke&x=%C3%A5&x=2&y", {"json": LINES}),
    ("XML in gives JSON out", "POST", "dataType=regnestykke", {"data": b"<Regnestykke/>", "headers": XML}),
    (
        "XML in and out",
        "POST",
        "dataType=regnestykke",
        {"data": b"<Regnestykke><sats>7</sats></Regnestykke>", "headers": {**XML, "Accept": "text/xml"}},
    ),
    (
        "a charset does not matter",
        "POST",
        "dataType=regnestykke",
        {"data": b"{}", "headers": {"Content-Type": "application/json; charset=x"}},
    ),
    (
        "a relative of JSON",
        "POST",
        "dataType=regnestykke",
        {"data": b"{}", "headers": {"Content-Type": "application/json-patch+json"}},
    ),
    (
        "unknown members vanish",
        "POST",
        "dataType=regnestykke",
        {"data": b'{"x":{"y":[1]},"SATS":"12"}', "headers": JSON},
    ),
    (
        "misplaced elements vanish",
        "POST",
        "dataType=regnestykke",
        {"data": b"<Regnestykke><sum>7</sum><sats>5</sats></Regnestykke>", "headers": XML},
    ),
    ("no data type", "GET", "", {}),
    ("no data type, for JSON", "GET", "", {"headers": {"Accept": "application/json"}}),
    ("an unknown data type", "POST", "dataType=Regnestykke", {"data": b"{}", "headers": JSON}),
    ("a data type without a form", "GET", "dataType=pdf", {}),
    ("no content type", "POST", "dataType=regnestykke", {"data": b"{}"}),
    ("text/xml", "POST", "dataType=regnestykke", {"data": b"<a/>", "headers": {"Content-Type": "text/xml"}}),
    ("another case", "POST", "dataType=regnestykke", {"data": b"{}", "headers": {"Content-Type": "Application/Json"}}),
    ("a wrong value", "POST", "dataType=regnestykke", {"data": b'{"sats":"x"}', "headers": JSON}),
    (
        "a wrong value, in quotes",
        "POST",
        "dataType=regnestykke",
        {"data": b'{"sats":"x"}', "headers": {**JSON, "Accept": "application/json"}},
    ),
    ("JSON null", "POST", "dataType=regnestykke", {"data": b"null", "headers": JSON}),
    ("a trailing comma", "POST", "dataType=regnestykke", {"data": b'{"sats":1,}', "headers": JSON}),
    ("another root", "POST", "dataType=regnestykke", {"data": b"<a/>", "headers": XML}),
    ("broken XML", "POST", "dataType=regnestykke", {"data": b"<Regnestykke>", "headers": XML}),
    ("blank XML", "POST", "dataType=regnestykke", {"data": b" ", "headers": XML}),
]


@pytest.mark.parametrize(("method", "query", "about"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_answers_are_the_apps_own(stage: Proxying, method: str, query: str, about: dict[str, Any]) -> None:
    """Status, type, cache headers and every byte are those that the app gives without the bridge."""
    through = stage.send(method, query=query, **about)
    straight = stage.straight(method, query=query, **about)

    names = ("Content-Type", "Cache-Control", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy")
    assert (through.status_code, through.data) == (straight.status_code, straight.content)
    # The bridge's own no-store stands where an app's server cleared its headers.
    expected = [straight.headers.get(name) for name in names]
    expected[1] = expected[1] or "no-store"
    assert [through.headers.get(name) for name in names] == expected


def test_row_ids_pass(stage: Proxying) -> None:
    """Asked for, every row has one; sent, they come back; not asked for, none is added."""
    form = {"Ansatt-grp-7101": [{"ansattnummer": "1", "Dag-grp-7102": [{"dato": None}]}]}
    query = "dataType=timeliste"

    given = stage.send("POST", HOURS, f"{query}&includeRowId=true", json=form).get_json()
    again = stage.send("POST", HOURS, query, json=given).get_json()
    without = stage.send("POST", HOURS, f"{query}&includeRowId=ja", json=form).get_json()

    row = given["Ansatt-grp-7101"][0]
    assert len(row["altinnRowId"]) == len(row["Dag-grp-7102"][0]["altinnRowId"]) == 36
    assert again == given
    assert "altinnRowId" not in without["Ansatt-grp-7101"][0]


def test_nulls_values_and_fixed_attributes_pass(stage: Proxying) -> None:
    """Nulls are there in JSON; a value with attributes has its members; a nillable null is nil in XML."""
    form = {"Ansatt-grp-7101": [{"Dag-grp-7102": [{"Timer-datadef-7103": {"value": 7.50}}]}]}

    as_json = stage.send("POST", HOURS, "dataType=timeliste", json=form)
    as_xml = stage.send("POST", HOURS, "dataType=timeliste", json=form, headers={"Accept": "application/xml"})

    day = as_json.get_json()["Ansatt-grp-7101"][0]["Dag-grp-7102"][0]
    assert day == {"dato": None, "Timer-datadef-7103": {"orid": 7103, "value": 7.5}, "overtid": None}
    root = etree.fromstring(as_xml.data)
    assert root.tag == "{urn:sandkasse:timeliste}Timeliste"
    assert root.get("skjemanummer") == "7100"
    assert b'<dato xsi:nil="true"/>' in as_xml.data
    assert not as_xml.data.startswith(b"<?xml")


def test_tokens_are_the_callers_own(stage: Proxying) -> None:
    """None is 401 with an empty body; a bearer opens, and so does the browser's cookie."""
    query = "dataType=regnestykke"
    cookie = {"Cookie": f"AltinnStudioRuntime={stage.token()}"}

    none = stage.send("GET", query=query, anonymous=False)
    bearer = stage.send("GET", anonymous=False, headers={"Authorization": f"Bearer {stage.token()}"})
    browser = stage.send("GET", anonymous=False, headers=cookie)

    assert (none.status_code, none.data, none.headers.get("WWW-Authenticate")) == (401, b"", None)
    assert (bearer.status_code, browser.status_code) == (200, 200)


def test_cookies_need_their_counterpart(stage: Proxying) -> None:
    """A POST by cookie takes both anti-forgery cookies' header, which the bridge passes."""
    page = stage.outside.get(f"http://127.0.0.1:9/apps/{SUM}", timeout=5)
    given = dict(part.split(";")[0].split("=", 1) for part in page.raw.headers.getlist("Set-Cookie"))
    cookie = f"AltinnStudioRuntime={stage.token()}; AS-XSRF-TOKEN={given['AS-XSRF-TOKEN']}"
    headers = {**JSON, "Cookie": cookie}

    bare = stage.send("POST", anonymous=False, data=b"{}", headers=headers)
    whole = stage.send("POST", anonymous=False, data=b"{}", headers={**headers, "X-XSRF-TOKEN": given["XSRF-TOKEN"]})

    assert (bare.status_code, bare.data, whole.status_code) == (400, b"", 200)


PARTIES: list[tuple[str, str, str | None, str, int]] = [
    ("own organisation since 8.6", "8.12.7", None, "GET", 200),
    ("must be said before", "8.5.0", None, "GET", 400),
    ("forbidden before 7.6", "7.3.0", None, "GET", 403),
    ("a party id", "8.12.7", "partyid:51001", "POST", 200),
    ("a prefix in any case since 7.6", "7.6.0", "PartyId:51001", "POST", 200),
    ("the prefix counts before", "7.3.0", "PartyId:51001", "POST", 400),
    ("an organisation nobody knows", "8.12.7", "org:123456789", "POST", 500),
    ("two in one", "8.12.7", "partyid:1,partyid:2", "POST", 400),
    ("no prefix", "8.12.7", "51001", "GET", 400),
    ("an unknown party id", "8.12.7", "partyid:404", "POST", 400),
    ("an empty header is none", "8.12.7", "", "GET", 200),
]


@pytest.mark.parametrize(
    ("version", "party", "method", "status"), [row[1:] for row in PARTIES], ids=[row[0] for row in PARTIES]
)
def test_parties_follow_the_apps_version(
    stage: Proxying, version: str, party: str | None, method: str, status: int
) -> None:
    """The bridge adds no rule of its own for callers with a token of their own."""
    example = stage._app(SUM)
    stage.world.apps.register(
        type(example)(org="ttd", name="sandkasse-regnestykke", title="", data_types=example.data_types, version=version)
    )
    stage.world.apps.unknown_parties.add("partyid:404")
    headers = {"Authorization": f"Bearer {stage.token()}", **({} if party is None else {"party": party})}
    body: dict[str, Any] = {"json": {}} if method == "POST" else {}

    through = stage.send(method, anonymous=False, headers=headers, **body)
    straight = stage.straight(method, anonymous=False, headers=headers, **body)
    stage.world.apps.register(example)

    assert (through.status_code, through.data) == (status, straight.content)


def test_refusals_of_the_policy_pass(alone: Any) -> None:
    """An empty 403, and one that names the level that is needed, reach the client as they are."""
    stage = alone()
    example = stage._app(SUM)
    stage.world.apps.register(
        type(example)(
            org="ttd",
            name="sandkasse-regnestykke",
            title="",
            data_types=example.data_types,
            denied=frozenset({"partyid:7"}),
            minimum_level=4,
        )
    )
    headers = {"Authorization": f"Bearer {stage.token()}"}

    denied = stage.send("GET", anonymous=False, headers={**headers, "party": "partyid:7"})
    level = stage.send("POST", anonymous=False, headers=headers, data=b"broken")

    assert (denied.status_code, denied.data) == (403, b"")
    assert (level.status_code, level.get_json()) == (403, {"RequiredAuthenticationLevel": "4"})


def test_prefill_reaches_the_form(stage: Proxying) -> None:
    """Values of the query win over the registers' and fill what is empty; what is no object of strings is 500."""
    headers = {"Authorization": f"Bearer {stage.token()}"}
    wish = "%7B%22INNSENDER.organisasjonsnummer%22%3A%22310000019%22%2C%22ukjent.sti%22%3A%22x%22%7D"

    form = stage.send("GET", HOURS, f"dataType=timeliste&prefill={wish}", anonymous=False, headers=headers)
    broken = stage.send("GET", HOURS, "dataType=timeliste&prefill=%7B", anonymous=False, headers=headers)

    assert form.get_json()["Innsender"] == {"navn": "Sandkasse AS", "organisasjonsnummer": "310000019"}
    assert (broken.status_code, broken.data) == (500, b"")


@pytest.mark.parametrize("style", ["GET and POST", "POST and PUT"])
@pytest.mark.parametrize("app", [SUM, OLD_SUM])
def test_both_kinds_of_client_meet_both_kinds_of_app(stage: Proxying, app: str, style: str) -> None:
    """What a client means is said to each app in its own verbs, and the form is the same."""
    creates, calculates = style.split(" and ")
    headers = {"Authorization": f"Bearer {stage.token()}"}

    created = stage.send(creates, app, anonymous=False, headers=headers)
    calculated = stage.send(calculates, app, anonymous=False, headers=headers, json=LINES)

    assert (created.status_code, created.get_json()["linje"], created.get_json()["sats"]) == (200, [], 25)
    assert (calculated.status_code, calculated.get_json()["sum"]) == (200, 25)


def test_clients_of_both_kinds_get_the_same_whole_forms(stage: Proxying) -> None:
    """Each app's documents are byte for byte its own for both clients, and the same from both generations."""
    headers = {"Authorization": f"Bearer {stage.token()}"}
    # The older app rounds the tax down, so the tax is whole here.
    form = {"linje": [{"tekst": "Søm", "antall": 2, "pris": 4}, {"tekst": None, "antall": 1, "pris": 8}]}
    forms = []

    for app, own in ((SUM, ("GET", "POST")), (OLD_SUM, ("POST", "PUT"))):
        straight = [
            stage.straight(own[0], app, anonymous=False, headers=headers).content,
            stage.straight(own[1], app, anonymous=False, headers=headers, json=form).content,
        ]
        for creates, calculates in (("GET", "POST"), ("POST", "PUT")):
            through = [
                stage.send(creates, app, anonymous=False, headers=headers).data,
                stage.send(calculates, app, anonymous=False, headers=headers, json=form).data,
            ]
            assert through == straight
        forms.append([json.loads(each) for each in straight])

    assert forms[0] == forms[1]
    assert forms[0][0] != forms[0][1]
    assert forms[0][1]["sum"] == 16


def test_verbs_are_learned_once_and_forgotten(alone: Any) -> None:
    """From the version where the app tells it, else from a 405; then believed for an hour, and shown."""
    stage = alone()
    headers = {"Authorization": f"Bearer {stage.token()}"}

    for _ in range(2):
        stage.send("POST", anonymous=False, headers=headers, json=LINES)
        stage.send("GET", OLD_SUM, anonymous=False, headers=headers)
    told = stage.client.get("/health/deep").get_json()["apps"]
    first = stage.calls()
    stage.clock.forward(3601)
    stage.send("GET", anonymous=False, headers={"Authorization": f"Bearer {stage.token()}"})

    assert first == [
        "GET applicationmetadata",
        "POST data",
        "GET applicationmetadata",
        "GET data",
        "POST data",
        "POST data",
        "POST data",
    ]
    assert [(each["app"], each["verbs"], each["learnedFrom"]) for each in told] == [
        (SUM, "get_post", "altinnNugetVersion"),
        (OLD_SUM, "post_put", "405"),
    ]
    assert len(stage.calls()) == len(first) + 2
    assert (
        b'bridge_app_verbs{app="ttd/sandkasse-regnestykke-2021",verbs="post_put"} 1.0'
        in stage.client.get("/metrics").data
    )


def test_a_redeployed_app_is_learned_again(alone: Any) -> None:
    """A 405 from an app that was thought to be known costs one more call, and no error."""
    stage = alone()
    stage.send("POST", json=LINES)
    stage.world.change_switches(app_verbs="post_put")

    answer = stage.send("GET")

    assert answer.status_code == 200
    assert stage.bridge.apps.told()[0]["verbs"] == "post_put"


def test_an_old_app_never_takes_a_form_for_a_wish(alone: Any) -> None:
    """POST means another thing to it, so an app that tells no version is first asked with PUT."""
    stage = alone({OLD_SUM: "token: caller\n"})

    answer = stage.send(
        "POST", OLD_SUM, anonymous=False, json=LINES, headers={"Authorization": f"Bearer {stage.token()}"}
    )

    assert answer.get_json()["sum"] == 25
    assert "POST data" not in stage.calls()


def test_the_bridges_own_token_needs_the_key(alone: Any) -> None:
    """Service-to-service callers show the proxy key; the app sees the bridge's token, and never the key."""
    stage = alone({SUM: "token: bridge\n"})

    closed = [stage.send("GET", anonymous=False, headers=each) for each in ({}, {"Authorization": "Bearer x"})]
    opened = stage.send("POST", anonymous=False, json=LINES, headers={"Authorization": f"Bearer {KEY}"})

    assert [(each.status_code, each.headers["WWW-Authenticate"]) for each in closed] == [(401, "Bearer")] * 2
    assert opened.get_json()["sum"] == 25


def test_a_dialog_token_calculates_for_its_party(alone: Any) -> None:
    """The party is the token's, whatever the caller says; another service's token opens nothing."""
    stage = alone({SUM: "token: dialog\n" + BINDING, HOURS: "token: dialog\n" + BINDING.replace("sandkasse", "annen")})
    example = stage._app(SUM)
    owner = stage.world.new_organisation().number
    stage.world.apps.register(
        type(example)(
            org="ttd",
            name="sandkasse-regnestykke",
            title="",
            data_types=example.data_types,
            denied=frozenset({f"org:{owner}"}),
        )
    )
    stage.bridge.keys.start()
    headers = {"Authorization": f"Bearer {dialog_token(stage, owner)}", "party": "partyid:51001"}
    other = {"Authorization": f"Bearer {dialog_token(stage, stage.world.new_organisation().number)}"}

    answers = [
        stage.send("GET", anonymous=False, headers=headers),
        stage.send("GET", anonymous=False, headers=other),
        stage.send("GET", HOURS, "dataType=timeliste", anonymous=False, headers=other),
        stage.send("GET", anonymous=False),
    ]

    # The first is denied by the app's policy, by the token's own party.
    assert [each.status_code for each in answers] == [403, 200, 403, 401]
    assert answers[0].data == b""


BINDING = "dialog: {service_resource: urn:altinn:resource:sandkasse, requires: write, minimum_level: 3}\n"


def dialog_token(stage: Proxying, organisation: str) -> str:
    control = f"{stage.settings.platform_url.removesuffix('/platform')}/_sandbox"
    session = stage.outside
    session.post(
        f"{control}/dialogporten/resources", json={"service_resource": "urn:altinn:resource:sandkasse"}, timeout=5
    )
    created = session.post(
        f"{stage.settings.dialogporten_url}/api/v1/serviceowner/dialogs",
        json={
            "serviceResource": "urn:altinn:resource:sandkasse",
            "party": f"urn:altinn:organization:identifier-no:{organisation}",
            "status": "RequiresAttention",
            "content": {"title": {"value": [{"languageCode": "nb", "value": "Skjema"}], "mediaType": "text/plain"}},
            "guiActions": [
                {
                    "action": "write",
                    "url": "https://bridge.example.no/actions/x",
                    "httpMethod": "POST",
                    "priority": "Primary",
                    "title": [{"languageCode": "nb", "value": "Send"}],
                }
            ],
        },
        auth=stage.bridge.dialogporten._auth,
        timeout=5,
    )
    assert created.status_code == 201, created.text
    answer = session.post(f"{control}/dialog-token", json={"dialog_id": created.json()}, timeout=5)
    return str(answer.json()["token"])


def test_findings_are_counted_and_block_nothing(alone: Any) -> None:
    """Advisory: the app calculates as it always did, and a header says how many faults the form has."""
    stage = alone({SUM: OPEN + "data_types: {regnestykke: {schema: regnestykke.xsd, validate: advisory}}\n"})

    sound = stage.send("POST", data=b"<Regnestykke><sats>7</sats></Regnestykke>", headers=XML)
    faulty = stage.send("POST", data=b"<Regnestykke><sum>7</sum><sats>5</sats></Regnestykke>", headers=XML)
    as_json = stage.send("POST", json={"sats": 5, "ukjent": 1})

    assert [each.status_code for each in (sound, faulty, as_json)] == [200, 200, 200]
    assert sound.headers["Bridge-Findings"] == "0"
    assert int(faulty.headers["Bridge-Findings"]) > 0
    assert as_json.headers["Bridge-Findings"] == "1"


def test_strict_validation_stops_a_faulty_form(alone: Any) -> None:
    """422 with each finding; the app hears nothing of it."""
    stage = alone({SUM: OPEN + "data_types: {regnestykke: {schema: regnestykke.xsd, validate: strict}}\n"})

    answer = stage.send("POST", data=b"<Regnestykke><ukjent/></Regnestykke>", headers=XML)

    assert answer.status_code == 422
    assert answer.get_json()["findings"][0]["path"] == "/Regnestykke/ukjent"
    assert stage.calls() == []


def json_schema(folder: Path) -> dict[str, Path]:
    """Make a JSON Schema with a bound that the XSD does not know."""
    rows = {"type": "object", "properties": {"tekst": {"type": "string"}, "antall": {"maximum": 10}}}
    whole = {
        "type": "object",
        "properties": {"linje": {"type": "array", "items": {**rows, "additionalProperties": True}}, "sats": {}},
    }
    path = folder / "regnestykke.json"
    path.write_text(json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}), "utf-8")
    return {"regnestykke.json": path}


def by_json_schema(held: str) -> dict[str, str]:
    names = 'schema: regnestykke.xsd, json_schema: "regnestykke.json#"'
    return {SUM: OPEN + f"data_types: {{regnestykke: {{{names}, validate: {held}}}}}\n"}


MANY = {"linje": [{"altinnRowId": "a", "tekst": "Søm", "antall": 11, "pris": 1.50}]}


def test_json_is_held_against_its_json_schema(alone: Any, tmp_path: Path) -> None:
    """Its faults are counted and reported; XML and what it accepts are judged by the XSD."""
    stage = alone(by_json_schema("advisory"), extra=json_schema(tmp_path))

    counted = stage.send("POST", json=MANY)
    reported = stage.send("POST", query="dataType=regnestykke&bridge-report=true", json=MANY)
    few = stage.send("POST", json={"linje": [{**MANY["linje"][0], "antall": 10}]})
    by_xsd = stage.send("POST", json={**LINES, "ukjent": 1})
    as_xml = stage.send(
        "POST", data=b"<Regnestykke><linje><antall>11</antall><pris>1</pris></linje></Regnestykke>", headers=XML
    )

    assert [each.headers["Bridge-Findings"] for each in (counted, few, by_xsd, as_xml)] == ["1", "0", "1", "0"]
    findings = reported.get_json()["findings"]
    assert [(each["path"], each["rule"]) for each in findings] == [("/linje/0/antall", "max_inclusive")]
    assert "11" not in findings[0]["message"]


def test_a_strict_json_schema_stops_a_faulty_form(alone: Any, tmp_path: Path) -> None:
    """422 with each finding; the app hears nothing of it."""
    stage = alone(by_json_schema("strict"), extra=json_schema(tmp_path))

    answers = [
        stage.send("POST", json=MANY),
        stage.send("POST", data=b'{"linje": [{"altinnRowId": "a", "antall": 11, "antall": 1}]}', headers=JSON),
        stage.send("POST", data=b'{"linje": [{"altinnRowId": "a", "antall": NaN}]}', headers=JSON),
    ]

    assert [each.status_code for each in answers] == [422, 422, 422]
    assert answers[0].get_json()["findings"][0]["path"] == "/linje/0/antall"
    assert stage.calls() == []


def test_engines_that_disagree_are_told(alone: Any, tmp_path: Path) -> None:
    """In the problem document, as in the report."""
    schema = tmp_path / "a.xsd"
    schema.write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="Regnestykke"><x:complexType><x:sequence>'
        '<x:element name="side" type="x:anyURI"/></x:sequence></x:complexType></x:element></x:schema>'
    )
    route = OPEN + "data_types: {regnestykke: {schema: a.xsd, validate: strict}}\n"
    stage = alone({SUM: route}, extra={"a.xsd": schema})
    form = b"<Regnestykke><side>http://[::hemmelig</side></Regnestykke>"

    refused = stage.send("POST", data=form, headers={**XML, "Accept-Language": "en"})
    reported = stage.send("POST", query="dataType=regnestykke&bridge-report=true", data=form, headers=XML)

    first = refused.get_json()["findings"][0]
    assert (refused.status_code, first["path"], first["rule"]) == (422, "/Regnestykke/side", "engines_disagree")
    assert reported.get_json()["findings"][0]["rule"] == "engines_disagree"
    assert "hemmelig" not in refused.text + reported.get_json()["findings"][0]["message"]


@pytest.mark.parametrize(
    ("query", "headers"),
    [("dataType=regnestykke&bridge-report=true", {}), ("dataType=regnestykke", {"Prefer": "bridge-report"})],
    ids=["query", "header"],
)
def test_a_report_explains_the_calculation(alone: Any, query: str, headers: dict[str, str]) -> None:
    """A document of its own: findings, and what the app changed, added and dropped, by path."""
    stage = alone({SUM: OPEN + "data_types: {regnestykke: {schema: regnestykke.xsd, validate: advisory}}\n"})
    form = {**LINES, "sats": None, "sum": 1, "ukjent": "x"}

    answer = stage.send("POST", query=query, json=form, headers=headers)
    page = stage.send("POST", query=query, json=form, headers={**headers, "Accept": "text/html"})

    document = answer.get_json()
    changes = {each["path"]: (each["change"], each["old"], each["new"]) for each in document["changes"]}
    assert changes["/sum"] == ("changed", "1", "25.0")
    assert changes["/sats"] == ("added", None, "25")
    assert changes["/ukjent"] == ("dropped", "x", None)
    assert [each["rule"] for each in document["findings"]] == ["unexpected_element"]
    assert page.content_type.startswith("text/html")
    assert b"/ukjent" in page.data


def test_reports_never_reach_the_app(alone: Any) -> None:
    """The query's other parts go on as they came."""
    seen: list[str] = []
    stage = alone()
    stage.bridge.apps._session.adapters["http://"] = _Watching(stage.bridge.apps._session.adapters["http://"], seen)

    stage.send("GET", query="a=%C3%A5&bridge-report=true&dataType=regnestykke&a=1&&b")

    assert seen[-1].endswith("?a=%C3%A5&dataType=regnestykke&a=1&&b")


class _Watching:
    def __init__(self, inner: Any, seen: list[str]) -> None:
        self._inner, self._seen = inner, seen

    def send(self, request: Any, **about: Any) -> Any:
        self._seen.append(request.url)
        return self._inner.send(request, **about)


def test_headers_pass_except_the_connections(alone: Any) -> None:
    """The caller's own go on, hop-by-hop ones and claims about the way do not."""
    seen: list[Any] = []
    stage = alone()
    inner = stage.bridge.apps._session.adapters["http://"]

    class Headers(_Watching):
        def send(self, request: Any, **about: Any) -> Any:
            seen.append({name.lower(): value for name, value in request.headers.items()})
            return self._inner.send(request, **about)

    stage.bridge.apps._session.adapters["http://"] = Headers(inner, [])

    stage.send(
        "POST",
        data=json.dumps(LINES),
        headers={
            **JSON,
            "Accept": "application/json, text/plain, */*",
            "Accept-Language": "nn",
            "party": "partyid:51001",
            "Cookie": "a=b",
            "X-XSRF-TOKEN": "t",
            "Connection": "close, X-Private",
            "X-Private": "1",
            "TE": "trailers",
            "X-Forwarded-For": "192.0.2.1",
        },
    )

    passed = seen[-1]
    assert passed["accept"] == "application/json, text/plain, */*"
    assert (passed["accept-language"], passed["party"], passed["cookie"]) == ("nn", "partyid:51001", "a=b")
    assert passed["x-xsrf-token"] == "t"
    assert not {"connection", "x-private", "te", "x-forwarded-for", "host", "x-trace-id"} & set(passed)


@pytest.mark.parametrize("speaks", ["xml", "json"])
def test_forms_are_turned_for_clients_of_the_other_kind(alone: Any, speaks: str) -> None:
    """A client that speaks XML gets XML from an app that speaks JSON, and the other way, with the same values."""
    stage = alone({SUM: f"{OPEN}data_types: {{regnestykke: {{schema: regnestykke.xsd, speaks: {speaks}}}}}\n"})
    form = b"<Regnestykke><linje><antall>3</antall><pris>1.10</pris></linje></Regnestykke>"

    as_xml = stage.send("POST", data=form, headers={**XML, "Accept": "application/xml"})
    as_json = stage.send("POST", json={"linje": [{"antall": 3, "pris": 1.10}]})

    root = etree.fromstring(as_xml.data)
    assert as_xml.content_type == "application/xml; charset=utf-8"
    assert (root.findtext("linje/belop"), root.findtext("sum")) == ("3.30", "3.30")
    assert as_json.content_type == "application/json; charset=utf-8"
    assert as_json.get_json()["linje"][0]["belop"] == as_json.get_json()["sum"] == 3.3


def test_a_body_beyond_the_limit_is_refused(alone: Any) -> None:
    """413 before anything is sent; where the length was not said, when the limit is reached on the way."""
    stage = alone(environ={"BRIDGE_MAX_BODY": "400000", "BRIDGE_MAX_FORM": "400000"})
    stage.send("POST", json=LINES)
    before = len(stage.calls())

    said = stage.send("POST", data=b" " * 400_001, headers=JSON)
    after = len(stage.calls())
    unsaid = stage.send(
        "POST",
        input_stream=io.BytesIO(b" " * 400_001),
        headers={**JSON, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert (said.status_code, said.get_json()["type"]) == (413, "urn:altinn-dialog-bridge:problem:body_too_large")
    assert (unsaid.status_code, after) == (413, before)


def test_large_forms_stream_both_ways(alone: Any) -> None:
    """A form beyond what is kept in memory arrives and comes back whole."""
    stage = alone()
    form = {"linje": [{"tekst": f"{number}" * 20, "antall": 1, "pris": 2} for number in range(8_000)]}

    answer = stage.send("POST", json=form)

    assert len(answer.data) > 500_000
    assert answer.get_json()["sum"] == 16_000
