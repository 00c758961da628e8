"""The calculation proxy: who gets through, what is passed on, and what the app says."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from bridge.core.calculations import DataTypeRoute
from bridge.core.errors import ConfigurationError
from bridge.core.mapping import FormFormat, Validation
from bridge.forms.registry import SchemaRegistry
from bridge.sandbox.apps.examples import example_app
from bridge.sandbox.apps.schemas import xsd
from bridge.steps.forms.form_passage import Converters
from tests.web.described import fits
from tests.web.proxying import BASE, HOURS, JSON, KEY, LINES, OLD_SUM, SUM, XML, Proxying

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


def test_tokens_are_the_callers_own(stage: Proxying) -> None:
    """None is 401 with an empty body; a bearer opens, and so does the browser's cookie."""
    query = "dataType=regnestykke"
    cookie = {"Cookie": f"AltinnStudioRuntime={stage.token()}"}

    none = stage.send("GET", query=query, anonymous=False)
    bearer = stage.send("GET", anonymous=False, headers={"Authorization": f"Bearer {stage.token()}"})
    browser = stage.send("GET", anonymous=False, headers=cookie)

    assert (none.status_code, none.data, none.headers.get("WWW-Authenticate")) == (401, b"", None)
    assert (bearer.status_code, browser.status_code) == (200, 200)


@pytest.mark.parametrize("style", ["GET and POST", "POST and PUT"])
@pytest.mark.parametrize("app", [SUM, OLD_SUM])
def test_both_kinds_of_client_meet_both_kinds_of_app(stage: Proxying, app: str, style: str) -> None:
    """What a client means is said to each app in its own verbs, and the form is the same."""
    creates, calculates = style.split(" and ")
    headers = {"Authorization": f"Bearer {stage.token()}"}

    created = stage.send(creates, app, anonymous=False, headers=headers)
    calculated = stage.send(calculates, app, anonymous=False, headers=headers, json=LINES)

    assert (created.status_code, created.get_json()["linje"], created.get_json()["sats"]) == (200, None, 25)
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
    assert stage.bridge.apps.status()[0]["verbs"] == "post_put"


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

    assert [(each.status_code, each.headers["WWW-Authenticate"]) for each in closed] == [
        (401, "Bearer"),
        (401, 'Bearer error="invalid_token"'),
    ]
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
    """Warned only: the app calculates as it always did, and a header says how many faults the form has."""
    stage = alone({SUM: OPEN + "data_types: {regnestykke: {schema: regnestykke.xsd, validate: warn}}\n"})

    sound = stage.send("POST", data=b"<Regnestykke><sats>7</sats></Regnestykke>", headers=XML)
    faulty = stage.send("POST", data=b"<Regnestykke><sum>7</sum><sats>5</sats></Regnestykke>", headers=XML)
    as_json = stage.send("POST", json={"sats": 5, "ukjent": 1})

    assert [each.status_code for each in (sound, faulty, as_json)] == [200, 200, 200]
    assert sound.headers["Bridge-Findings"] == "0"
    assert int(faulty.headers["Bridge-Findings"]) > 0
    assert as_json.headers["Bridge-Findings"] == "1"


ROW = "7a6a1f0e-6b3c-4f62-9d0a-2f1d3c4b5a69"


def test_json_forms_are_held_to_a_json_schema(alone: Any, tmp_path: Path) -> None:
    """Before the XSD, or without one; XML is not for it, and what strict stops the app never hears of."""
    rate = {"type": "number", "maximum": 100}
    (tmp_path / "sum.json").write_text(json.dumps({"type": "object", "properties": {"sats": rate}}), "utf-8")
    extra = {"regnestykke.json": tmp_path / "sum.json"}
    app = f"{OPEN}data_types: {{regnestykke: {{KEYS, json_schema: regnestykke.json, validate: HELD}}}}\n"
    both = alone({SUM: app.replace("KEYS", "schema: regnestykke.xsd").replace("HELD", "warn")}, extra=extra)
    strict = alone({SUM: app.replace("KEYS, ", "").replace("HELD", "strict")}, extra=extra)

    counted = both.send("POST", json={"sats": 500})
    told = both.send("POST", query="dataType=regnestykke&bridge-report=true", json={"sats": 500}).get_json()
    by_xsd = both.send("POST", json={"sats": 5, "ukjent": 1})
    stopped = strict.send("POST", json={"sats": 500})
    sound = strict.send("POST", json={"sats": 5})
    as_xml = strict.send("POST", data=b"<Regnestykke><sats>500</sats></Regnestykke>", headers=XML)
    with_rows = [
        strict.send("POST", data=f'{{"linje": [{{"altinnRowId": "{ROW}", "antall": 1}}], {rest}}}', headers=JSON)
        for rest in ('"sats": 5.50', '"sats": 500', '"sats": 5, "sats": 6', '"sats": NaN')
    ]

    assert (counted.status_code, counted.headers["Bridge-Findings"]) == (200, "1")
    assert [(each["path"], each["rule"]) for each in told["findings"]] == [("/sats", "max_inclusive")]
    assert {each["path"] for each in told["changes"]} >= {"/sum", "/avgift"}
    assert by_xsd.headers["Bridge-Findings"] == "1"
    assert (stopped.status_code, stopped.get_json()["findings"][0]["path"]) == (422, "/sats")
    assert (sound.status_code, sound.headers["Bridge-Findings"]) == (200, "0")
    assert (as_xml.status_code, as_xml.headers.get("Bridge-Findings")) == (200, None)
    assert [each.status_code for each in with_rows] == [200, 422, 422, 422]
    assert strict.calls().count("POST data/anonymous") == 3


def test_a_route_says_which_of_two_roots_its_forms_have(alone: Any, tmp_path: Path) -> None:
    """Forms in JSON do not name theirs, which was 500 even where nothing is refused; a route without is none."""
    data_type = next(each for each in example_app().data_types if each.id == "regnestykke")
    second = '<xs:element name="Kladd" type="xs:string" xmlns:xs="http://www.w3.org/2001/XMLSchema"/></xs:schema>'
    (tmp_path / "two.xsd").write_text(xsd(data_type).replace("</xs:schema>", second), "utf-8")
    about = "data_types: {regnestykke: {schema: two.xsd, ROOTvalidate: strict}}\n"
    stage = alone({SUM: OPEN + about.replace("ROOT", "root: Regnestykke, ")}, extra={"two.xsd": tmp_path / "two.xsd"})

    sound = stage.send("POST", json={"sats": 5})
    faulty = stage.send("POST", json={"sats": "fem"})
    other = stage.send("POST", data=b"<Kladd>x</Kladd>", headers=XML)

    assert (sound.status_code, sound.headers["Bridge-Findings"]) == (200, "0")
    assert [(each["path"], each["line"], each["column"]) for each in faulty.get_json()["findings"]] == [("/sats", 1, 2)]
    assert [each["rule"] for each in other.get_json()["findings"]] == ["wrong_root"]
    with pytest.raises(ConfigurationError, match="several root elements"):
        alone({SUM: OPEN + about.replace("ROOT", "")}, extra={"two.xsd": tmp_path / "two.xsd"})


def test_engines_that_disagree_are_told(alone: Any, tmp_path: Path) -> None:
    """In the problem document, as in the report."""
    schema = tmp_path / "a.xsd"
    schema.write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="Regnestykke"><x:complexType><x:sequence>'
        '<x:element name="side"><x:simpleType><x:union memberTypes="x:int x:ENTITY"/></x:simpleType></x:element>'
        "</x:sequence></x:complexType></x:element></x:schema>"
    )
    route = OPEN + "data_types: {regnestykke: {schema: a.xsd, validate: strict}}\n"
    stage = alone({SUM: route}, extra={"a.xsd": schema})
    form = b"<Regnestykke><side>hemmelig</side></Regnestykke>"

    refused = stage.send("POST", data=form, headers={**XML, "Accept-Language": "en"})
    reported = stage.send("POST", query="dataType=regnestykke&bridge-report=true", data=form, headers=XML)

    first = refused.get_json()["findings"][0]
    assert (refused.status_code, first["path"], first["rule"]) == (422, "/Regnestykke/side", "engines_disagree")
    assert reported.get_json()["findings"][0]["rule"] == "engines_disagree"
    assert "hemmelig" not in refused.text + reported.get_json()["findings"][0]["message"]


@pytest.mark.parametrize(("speaks", "findings", "text"), [("both", "1", "S\ufffdm"), ("json", "0", "Søm")])
def test_a_form_that_the_app_would_misread_is_told(alone: Any, speaks: str, findings: str, text: str) -> None:
    """Apps read XML as UTF-8 whatever it declares; where the bridge converts, it goes by the declaration."""
    stage = alone(
        {SUM: f"{OPEN}data_types: {{regnestykke: {{schema: regnestykke.xsd, validate: warn, speaks: {speaks}}}}}\n"}
    )
    form = "<Regnestykke><linje><tekst>Søm</tekst></linje></Regnestykke>"
    body = f'<?xml version="1.0" encoding="ISO-8859-1"?>{form}'.encode("latin-1")

    misread = stage.send("POST", data=body, headers=XML)
    sound = stage.send("POST", data=form.encode(), headers=XML)

    assert (misread.status_code, misread.headers["Bridge-Findings"]) == (200, findings)
    assert misread.get_json()["linje"][0]["tekst"] == text
    assert sound.headers["Bridge-Findings"] == "0"


XML_TYPES = ["text/xml", "Application/XML", "application/vnd.skjema+xml", "TEXT/XML; Charset=UTF-8", "text/xml;a=1"]
JSON_TYPES = ["text/json", "Application/JSON", "application/vnd.skjema+json", "Text/Json; charset=utf-8"]
HIDDEN = ["text/plain; a=application/xml", "text/plain;b=application/json"]
"""Types that are none of a form's, which an app takes for one by a part of them (facts 1.4)."""
LATIN = "<Regnestykke><linje><tekst>Søm</tekst></linje><sats>5</sats></Regnestykke>".encode("latin-1")


@pytest.mark.parametrize("media_type", [*XML_TYPES, *JSON_TYPES, *HIDDEN])
def test_media_types_are_compared_as_they_are_meant(alone: Any, media_type: str) -> None:
    """In any letters and with any parameters: what one spelling stops another does not let through."""
    stage = alone({SUM: OPEN + "data_types: {regnestykke: {schema: regnestykke.xsd, validate: strict}}\n"})
    as_json = "json" in media_type.lower()
    faulty, sound = (
        (b'{"sats": "fem"}', b'{"sats": 5}')
        if as_json
        else (b"<Regnestykke><sats>fem</sats></Regnestykke>", b"<Regnestykke><sats>5</sats></Regnestykke>")
    )

    stopped = stage.send("POST", data=faulty, headers={"Content-Type": media_type})
    calculated = stage.send("POST", data=sound, headers={"Content-Type": media_type})

    assert (stopped.status_code, stopped.get_json()["findings"][0]["path"].rpartition("/")[2]) == (422, "sats")
    assert (calculated.status_code, calculated.headers["Bridge-Findings"]) == (200, "0")
    assert stage.calls().count("POST data/anonymous") == 1


@pytest.mark.parametrize("validate", ["off", "strict"])
@pytest.mark.parametrize("media_type", [*XML_TYPES, "text/xml; charset=iso-8859-1"])
def test_every_spelling_of_xml_is_converted(alone: Any, media_type: str, validate: str) -> None:
    """For an app that reads JSON alone."""
    about = f"schema: regnestykke.xsd, validate: {validate}, speaks: json"
    stage = alone({SUM: f"{OPEN}data_types: {{regnestykke: {{{about}}}}}\n"})
    stage.world.apps.register(replace(stage._app(SUM), speaks="json"))
    body = LATIN if "8859" in media_type else LATIN.decode("latin-1").encode()

    answer = stage.send("POST", data=body, headers={"Content-Type": media_type, "Accept": "Text/XML"})

    assert (answer.status_code, answer.content_type) == (200, "application/xml; charset=utf-8")
    assert "Søm" in answer.text


def test_what_was_not_looked_at_goes_on_under_its_own_type(alone: Any) -> None:
    """The app says itself that it does not know text/xml: nobody looked whether the body is a form."""
    stage = alone({SUM: OPEN})

    answer = stage.send("POST", data=b"<Regnestykke/>", headers={"Content-Type": "text/xml"})

    assert (answer.status_code, answer.text) == (400, "Unknown content type text/xml. Cannot read the data.")


@pytest.mark.parametrize("validate", ["strict", "warn"])
@pytest.mark.parametrize(
    "head", ["", '<?xml version="1.0" encoding="utf-8"?>', "<?xml version='1.0' encoding='ISO-8859-1'?>"]
)
def test_a_charset_in_the_type_counts_more_than_the_declaration(alone: Any, head: str, validate: str) -> None:
    """As it does with an action (RFC 7303); apps read UTF-8, so that is what goes on of a form that was checked."""
    stage = alone({SUM: f"{OPEN}data_types: {{regnestykke: {{schema: regnestykke.xsd, validate: {validate}}}}}\n"})
    latin = {"Content-Type": "application/xml; charset=ISO-8859-1"}

    answer = stage.send("POST", data=head.encode() + LATIN, headers=latin)

    assert (answer.status_code, answer.headers["Bridge-Findings"]) == (200, "0")
    assert answer.get_json()["linje"][0]["tekst"] == "Søm"


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/xml; charset=iso-8859-1", LATIN.decode("latin-1").encode()),
        ("application/xml; charset=klingon", b"<Regnestykke/>"),
        ("application/json; charset=iso-8859-1", b'{"sats": 5}'),
    ],
    ids=["not the body's", "unknown", "JSON"],
)
def test_a_charset_that_cannot_be_is_refused(alone: Any, media_type: str, body: bytes) -> None:
    """With 415 where forms are held strictly, as with an action; where they are only counted it is one finding more."""
    about = OPEN + "data_types: {regnestykke: {schema: regnestykke.xsd, validate: HELD}}\n"
    strict, counted = alone({SUM: about.replace("HELD", "strict")}), alone({SUM: about.replace("HELD", "warn")})

    refused = strict.send("POST", data=body, headers={"Content-Type": media_type})
    passed = counted.send("POST", data=body, headers={"Content-Type": media_type})

    assert (refused.status_code, refused.get_json()["type"].rpartition(":")[2]) == (415, "body_coding")
    assert (passed.status_code, passed.headers["Bridge-Findings"]) == (200, "1")


def test_strict_validation_stops_a_faulty_form(alone: Any) -> None:
    """422 with each finding; the app hears nothing of it."""
    stage = alone({SUM: OPEN + "data_types: {regnestykke: {schema: regnestykke.xsd, validate: strict}}\n"})

    form = b"<Regnestykke><ukjent/></Regnestykke>"
    answers = [
        stage.send("POST", data=form, headers=XML),
        # Who asks for a report is held to the same.
        stage.send("POST", data=form, headers={**XML, "Prefer": "bridge-report"}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert {answer.get_json()["findings"][0]["path"] for answer in answers} == {"/Regnestykke/ukjent"}
    assert stage.calls() == []


@pytest.mark.parametrize("speaks", ["both", "json", "xml"])
def test_an_apps_own_form_passes_strict_validation(alone: Any, speaks: str) -> None:
    """What came from the app with nil for empty numbers may be sent to it again, and be converted."""
    data_type = f"schema: regnestykke.xsd, validate: strict, speaks: {speaks}"
    stage = alone({SUM: f"{OPEN}data_types: {{regnestykke: {{{data_type}}}}}\n"})
    stage.world.apps.register(replace(stage._app(SUM), speaks=speaks))
    nil = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'
    form = f"<Regnestykke>\n<linje><tekst>A</tekst><antall {nil}/></linje>\n<sats {nil}/>MORE</Regnestykke>"

    answers = [
        stage.send("POST", data=form.replace("MORE", more).encode(), headers={**XML, "Accept": accept})
        for more, accept in (("", "application/xml"), ("", "application/json"), ("<sats>5</sats><feil/>", "*/*"))
    ]

    assert [each.status_code for each in answers] == [200, 200, 422]
    assert answers[1].get_json()["linje"][0].get("antall") is None
    (finding,) = answers[2].get_json()["findings"]
    assert (finding["path"], finding["line"], finding["column"]) == (
        "/Regnestykke/feil",
        3,
        len(f"<sats {nil}/><sats>5</sats>") + 1,
    )


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("dataType=regnestykke&bridge-report=true", {}),
        ("dataType=regnestykke", {"Prefer": "wait=5, Bridge-Report; x=1"}),
    ],
    ids=["query", "header"],
)
def test_a_report_explains_the_calculation(alone: Any, query: str, headers: dict[str, str]) -> None:
    """A document of its own: findings, and what the app changed, added and dropped, by path."""
    stage = alone({SUM: OPEN + "data_types: {regnestykke: {schema: regnestykke.xsd, validate: warn}}\n"})
    form = {**LINES, "sats": None, "sum": 1, "ukjent": "x"}

    answer = stage.send("POST", query=query, json=form, headers=headers)
    page = stage.send("POST", query=query, json=form, headers={**headers, "Accept": "text/html"})

    document = answer.get_json()
    fits("Report", document)
    changes = {each["path"]: (each["change"], each["old"], each["new"]) for each in document["changes"]}
    assert changes["/sum"] == ("changed", "1", "25.0")
    assert changes["/sats"] == ("added", None, "25")
    assert changes["/ukjent"] == ("dropped", "x", None)
    assert [each["rule"] for each in document["findings"]] == ["unexpected_element"]
    assert page.content_type.startswith("text/html")
    assert "/ukjent" in page.text
    assert {"endret", "lagt til", "borte"} <= set(re.findall(r">([^<>]+)</td>", page.text))
    assert not re.search(r">(added|changed|dropped)<", page.text)


@pytest.mark.parametrize(
    ("method", "body", "headers", "why"),
    [
        pytest.param("POST", b"<Regnestykke", XML, "no_form", id="a form that is none"),
        pytest.param("GET", None, {}, "no_form", id="nothing was sent"),
    ],
)
def test_a_report_says_that_nothing_was_compared(
    alone: Any, method: str, body: bytes | None, headers: dict[str, str], why: str
) -> None:
    """No changes is something else than not known, for machines and for people."""
    stage = alone()
    query = "dataType=regnestykke&bridge-report=true"

    document = stage.send(method, query=query, data=body, headers=headers).get_json()
    html = {**headers, "Accept": headers.get("Accept", "*/*") + ", text/html"}
    page = stage.send(method, query=query, data=body, headers=html)

    fits("Report", document)
    assert (document["changes"], document["notCompared"]) == (None, why)
    assert b"could not be compared" in page.data or b"kunne ikke sammenlignes" in page.data


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


def test_few_headers_pass_beside_the_bridges_own_token(alone: Any) -> None:
    """An app believes the bridge: what is not known to be harmless stays behind, whatever its name."""
    seen: list[Any] = []
    stage = alone({SUM: "token: bridge\n"})
    inner = stage.bridge.apps._session.adapters["http://"]

    class Headers(_Watching):
        def send(self, request: Any, **about: Any) -> Any:
            seen.append({name.lower(): value for name, value in request.headers.items()})
            return self._inner.send(request, **about)

    stage.bridge.apps._session.adapters["http://"] = Headers(inner, [])
    known = {"Accept-Language": "nn", "party": "partyid:51001", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    others = ("Cookie", "X-XSRF-TOKEN", "X-HTTP-Method-Override", "Ocp-Apim-Subscription-Key", "X-Original-URL")

    answer = stage.send(
        "POST",
        data=json.dumps(LINES),
        anonymous=False,
        headers={**JSON, **known, **dict.fromkeys(others, "x"), "Authorization": f"Bearer {KEY}"},
    )

    assert answer.status_code == 200
    assert seen[-1].items() >= {name.lower(): value for name, value in known.items()}.items()
    assert not {name.lower() for name in others} & set(seen[-1])
    assert KEY not in str(seen[-1])


COOKIES = {
    "whole host": (
        "a=1; Path=/; HttpOnly; SameSite=Lax",
        "a=1; HttpOnly; SameSite=Lax; Path=/ttd/sandkasse-regnestykke",
    ),
    "whole domain": ("a=1; domain=altinn.example; PATH = /; Secure", "a=1; Secure; Path=/ttd/sandkasse-regnestykke"),
    "nothing said": ("a=1", "a=1; Path=/ttd/sandkasse-regnestykke"),
    "host prefix": ("__Host-a=1; Path=/; Secure", None),
}


@pytest.mark.parametrize("name", COOKIES)
def test_an_apps_cookies_are_its_own(alone: Any, name: str) -> None:
    """All apps share the bridge's host: no browser shows one app what another set, nor anybody what the bridge got."""
    given, kept = COOKIES[name]
    stage = alone({SUM: OPEN, OLD_SUM: "token: bridge\n"})
    fault = {
        "system": "apps",
        "match": {},
        "times": 2,
        "how": {"status": 200, "body": "{}", "headers": {"Set-Cookie": given}},
    }
    stage.outside.post(f"{BASE}/_sandbox/faults", json=fault, timeout=5)

    callers = stage.send("POST", json=LINES)
    own = stage.send("POST", OLD_SUM, json=LINES, anonymous=False, headers={"Authorization": f"Bearer {KEY}"})

    assert (callers.status_code, own.status_code) == (200, 200)
    assert callers.headers.getlist("Set-Cookie") == ([] if kept is None else [kept])
    assert own.headers.getlist("Set-Cookie") == []


@pytest.mark.parametrize("speaks", ["xml", "json"])
def test_forms_are_turned_for_clients_of_the_other_kind(alone: Any, speaks: str) -> None:
    """A client that speaks XML gets XML from an app that speaks JSON, and the other way, with the same values."""
    stage = alone({SUM: f"{OPEN}data_types: {{regnestykke: {{schema: regnestykke.xsd, speaks: {speaks}}}}}\n"})
    stage.world.apps.register(replace(stage._app(SUM), speaks=speaks))
    form = b"<Regnestykke><linje><antall>3</antall><pris>1.10</pris></linje></Regnestykke>"

    as_xml = stage.send("POST", data=form, headers={**XML, "Accept": "application/xml"})
    as_json = stage.send("POST", json={"linje": [{"antall": 3, "pris": 1.10}]})

    root = etree.fromstring(as_xml.data)
    assert as_xml.content_type == "application/xml; charset=utf-8"
    assert (root.findtext("linje/belop"), root.findtext("sum")) == ("3.30", "3.30")
    assert as_json.content_type == "application/json; charset=utf-8"
    assert as_json.get_json()["linje"][0]["belop"] == as_json.get_json()["sum"] == 3.3


def app_answers(stage: Proxying, body: str, content_type: str) -> None:
    """Have the app answer calculations with *body*."""
    how = {"status": 200, "body": body, "headers": {"Content-Type": content_type}}
    fault = {"system": "apps", "match": {"method": "POST", "path": SUM}, "times": 1, "how": how}
    assert stage.outside.post(f"{BASE}/_sandbox/faults", json=fault, timeout=5).status_code < 300


NAMES = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>
 <x:element name="navn" type="x:string" minOccurs="0"/><x:element name="kode" type="x:QName" minOccurs="0"/>
 </x:sequence></x:complexType></x:element></x:schema>"""


@pytest.mark.parametrize(
    ("kode", "content_type", "kept"),
    [("k:a", "application/xml; charset=utf-8", "k:a"), ("l:a", "application/json", None)],
)
def test_prefixes_that_an_app_passes_over_stand_for_the_same_in_its_answer(
    alone: Any, tmp_path: Path, kode: str, content_type: str, kept: str | None
) -> None:
    """It keeps the value, and not what was said of it; one that was never said leaves the answer as the app's."""
    (tmp_path / "names.xsd").write_text(NAMES)
    stage = alone(
        {SUM: OPEN + "data_types: {regnestykke: {schema: names.xsd, speaks: json, validate: strict}}\n"},
        extra={"names.xsd": tmp_path / "names.xsd"},
    )
    app_answers(stage, f'{{"navn": "x", "kode": "{kode}"}}', "application/json")

    answer = stage.send(
        "POST", data=b"<m><kode xmlns:k='urn:k'>k:a</kode></m>", headers={**XML, "Accept": "application/xml"}
    )

    assert (answer.status_code, answer.content_type) == (200, content_type)
    if kept is not None:
        node = etree.fromstring(answer.data).find("kode")
        assert node is not None
        assert (node.text, node.nsmap["k"]) == (kept, "urn:k")


@pytest.mark.parametrize("accept", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}])
def test_an_app_of_both_kinds_answers_as_it_likes(alone: Any, accept: dict[str, str]) -> None:
    """Its XML comes back byte for byte, whatever its schema is here for."""
    stage = alone({SUM: f"{OPEN}data_types: {{regnestykke: {{schema: regnestykke.xsd, validate: warn}}}}\n"})
    said = "<Regnestykke >\n<sum>3.0</sum></Regnestykke>"
    app_answers(stage, said, "application/xml")

    answer = stage.send("POST", data=b"<Regnestykke><sats>5</sats></Regnestykke>", headers={**XML, **accept})

    assert (answer.content_type, answer.text, answer.headers["Bridge-Findings"]) == ("application/xml", said, "0")


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


def test_a_nil_form_is_told_by_its_own_names(tmp_path: Path) -> None:
    """Where only its root is in the schema's namespace, it gets no prefix that nobody wrote."""
    (tmp_path / "a.xsd").write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:p"><x:element name="m">'
        '<x:complexType><x:sequence><x:element name="a" type="x:int" minOccurs="0"/>'
        '<x:element name="b" type="x:int"/></x:sequence></x:complexType>'
        "</x:element></x:schema>"
    )
    schemas = SchemaRegistry(tmp_path)
    schemas.load(["a.xsd"])
    route = DataTypeRoute(
        data_type="x",
        schema="a.xsd",
        validate=Validation.STRICT,
        one_at_a_time=False,
        repeatable=False,
        speaks=FormFormat.BOTH,
    )
    form = b'<m xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><a xsi:nil="true"/><b>x</b></m>'

    findings = Converters(schemas).findings(route, "application/xml", form)

    assert findings is not None
    assert [(each.path, each.rule, each.line, each.column) for each in findings] == [("/m/b", "type", 1, 77)]
