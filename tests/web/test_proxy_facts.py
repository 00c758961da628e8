"""
What a client can see of apps (facts/altinn3-and-tokens.md 1.1-1.7), each fact through the proxy and beside the app.

A row's id begins with the number of its fact. Verbs that the bridge turns, and what is visible to operators only,
stand in ``test_proxy.py``; failures of the way there in ``test_proxy_faults.py``.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bridge.sandbox.apps.model import Member, Model
from bridge.sandbox.apps.state import App, DataType
from tests.sandbox.support import owner_token
from tests.web.proxying import BASE, HOURS, JSON, LINES, OLD_SUM, SUM, XML, Proxying

VERSIONS = ("4.7.0", "7.3.0", "7.6.0", "7.17.2", "8.0.0", "8.5.0", "8.6.0", "8.7.0", "8.12.7", "9.0.0-preview.4")
NO_TYPE = "Invalid dataType  provided. Please provide a valid dataType as query parameter."
BAD_PARTY = "Invalid party header. Please provide a party header on the form partyid:123, org:[orgnr] or person:[ssn]"
SYSTEM_USER = "310000027"
AS_JSON = {**JSON, "Accept": "application/json"}
AS_XML = {"Accept": "application/xml"}


def app(version: str) -> str:
    """The sum, and what is odd, built with a *version* of the app library."""
    return f"ttd/regner-{version.replace('.', '-')}"


NEWEST = app("8.12.7")


def _thrown(model: Model, language: str | None) -> Model:
    raise RuntimeError("the processor's own")


def _told(model: Model, language: str | None) -> Model:
    model["merknad"] = "none" if language is None else language
    return model


def _of_a_kind() -> DataType:
    """A model with a member of each kind, and a check of the prefill query."""
    return DataType(
        id="alt",
        root="Alt",
        class_name="Sandbox.Models.Alt",
        members=(
            Member(name="skjemanummer", kind="number", attribute=True, fixed="7200"),
            Member(name="tekst"),
            Member(name="dato"),
            Member(name="belop", kind="number"),
            Member(name="ja", kind="boolean"),
            Member(name="liste", many=True),
            Member(name="navn-datadef-1"),
            Member(name="merknad"),
        ),
        calculate=_told,
        prefill={"tekst": "fra registeret", "dato": "2026-01-01"},
        refuse_prefill=lambda values: "Only text may be given." if "ja" in values else None,
    )


def _apps(example: App) -> Iterator[App]:
    kinds = _of_a_kind()
    types = (
        *example.data_types,
        kinds,
        replace(kinds, id="overskriver", allow_overwrite=True),
        replace(kinds, id="kaster", calculate=_thrown),
        replace(kinds, id="ukjent-sti", prefill={"finnes.ikke": "x"}),
        DataType(id="borte", class_name="Sandbox.Models.Borte"),
    )
    for version in VERSIONS:
        org, _, name = app(version).partition("/")
        yield App(org=org, name=name, title="", data_types=types, version=version)
    yield App(
        org="ttd", name="lukket", title="", data_types=types, denied=frozenset({"partyid:7", f"org:{SYSTEM_USER}"})
    )
    yield App(org="ttd", name="niva-tre", title="", data_types=types, minimum_level=3)
    yield App(org="ttd", name="egne-scopes", title="", data_types=types, scopes=frozenset({"ttd:regnestykke"}))


OWN = ("ttd/lukket", "ttd/niva-tre", "ttd/egne-scopes")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxying]:
    route = "token: caller\nanonymous: true\n"
    names = (SUM, HOURS, OLD_SUM, *map(app, VERSIONS), *OWN)
    made = Proxying(tmp_path_factory.mktemp("facts"), dict.fromkeys(names, route))
    for each in _apps(made._app(SUM)):
        made.world.apps.register(each)
    made.world.apps.unknown_parties.update({"partyid:404", "org:123456785"})
    yield made
    made.close()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A call, and what comes back: the status, the type, and either the whole body or what *shows* in it."""

    says: str
    method: str = "POST"
    app: str = NEWEST
    query: str = "dataType=regnestykke"
    anonymous: bool = True
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    status: int = 200
    kind: str | None = None
    whole: str | None = None
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()


def get(says: str, **about: Any) -> Row:
    return Row(says=says, method="GET", **about)


def post(says: str, body: Any = None, **about: Any) -> Row:
    if body is None or isinstance(body, dict):
        body, about["headers"] = json.dumps(body or {}).encode(), {**JSON, **about.get("headers", {})}
    return Row(says=says, body=body, **about)


def posted_xml(says: str, body: str | bytes, **about: Any) -> Row:
    encoded = body if isinstance(body, bytes) else body.encode()
    return post(says, encoded, **{**about, "headers": {**XML, **about.get("headers", {})}})


def party(says: str, version: str, value: str | None, *, token: str = "owner", **about: Any) -> Row:
    headers = {} if value is None else {"party": value}
    about = {"whole": "", **about} if about.get("status", 200) != 200 and "shows" not in about else about
    make = get if about.pop("method", "POST") == "GET" else post
    return make(says, app=app(version), anonymous=False, token=token, headers=headers, **about)


PREFILL = "prefill=%7B%22TEKST%22%3A%22gitt%22%2C%22navndatadef1%22%3A%22N%22%2C%22ukjent.sti%22%3A%22x%22%7D"
SIGNED: dict[str, Any] = {"anonymous": False, "token": "owner"}
ALL = "dataType=alt"

ROUTES = [
    get("1.1 GET creates and calculates", shows=('"linje":null', '"sats":25', '"sum":0')),
    post("1.1 POST reads and calculates", LINES, shows=('"belop":21.0', '"sum":25.0', '"avgift":6.25')),
    get("1.1 GET fills in from the registers", query=ALL, **SIGNED, shows=('"tekst":"fra registeret"',)),
    post("1.1 POST fills in what is empty", {"tekst": "min"}, query=ALL, **SIGNED, shows=('"min"', '"2026-01-01"')),
    post("1.1 allowOverwrite", {"tekst": "min"}, query="dataType=overskriver", **SIGNED, hides=('"min"',)),
    get("1.1 GET anonymous fills in nothing", query=f"{ALL}&{PREFILL}", shows=('"tekst":null', '"dato":null')),
    post("1.1 POST anonymous fills in nothing", {}, query=ALL, shows=('"tekst":null',)),
    get("1.1 a path that the prefill file has wrong", query="dataType=ukjent-sti", **SIGNED, status=500, whole=""),
    get("1.1 names of the query in any case", query="DATATYPE=alt&Language=en", shows=('"merknad":"en"',)),
    get("1.1 unknown parts of the query", query=f"{ALL}&x=%C3%A5&x=2&y", shows=('"tekst":null',)),
    get("1.1 a data type by its exact id", query="dataType=Alt", status=400, shows=("Invalid dataType Alt provided.",)),
    get("1.1 language since 8.0", app=app("8.0.0"), query=f"{ALL}&language=xx", shows=('"merknad":"xx"',)),
    get("1.1 no language before", app=app("7.17.2"), query=f"{ALL}&language=xx", shows=('"merknad":"none"',)),
    get(
        "1.1 prefill since 8.6: dots, any case, no hyphens, unknown paths pass by, before the registers",
        app=app("8.6.0"),
        query=f"{ALL}&{PREFILL}",
        **SIGNED,
        shows=('"tekst":"gitt"', '"navn-datadef-1":"N"', '"dato":"2026-01-01"'),
    ),
    get(
        "1.1 no prefill before",
        app=app("8.5.0"),
        query=f"{ALL}&{PREFILL}",
        anonymous=False,
        token="user",
        hides=("gitt",),
    ),
    post("1.1 no prefill for POST", {}, query=f"{ALL}&{PREFILL}", **SIGNED, hides=("gitt",)),
    post(
        "1.1 includeRowId since 8.7", LINES, query="dataType=regnestykke&includerowid=True", shows=('"altinnRowId":"',)
    ),
    post(
        "1.1 no row ids before",
        LINES,
        app=app("8.6.0"),
        query="dataType=regnestykke&includeRowId=true",
        hides=("altinnRowId",),
    ),
    post("1.1 includeRowId that is no boolean", LINES, query="dataType=regnestykke&includeRowId=ja", hides=("RowId",)),
    post(
        "1.1 includeRowId=false takes nothing away",
        {"linje": [{"altinnRowId": "0b0a9c34-1c09-4d0e-8d3a-6a7a3c0a6a11"}]},
        query="dataType=regnestykke&includeRowId=false",
        shows=('"altinnRowId":"0b0a9c34-1c09-4d0e-8d3a-6a7a3c0a6a11"',),
    ),
    party("1.1 party: 403 without one, 7.0-7.5", "7.3.0", None, status=403),
    party("1.1 party: no lookup, 7.0-7.5", "7.3.0", "partyid:404"),
    party(
        "1.1 party: the prefix's case counts, 7.0-7.5", "7.3.0", "PartyId:51001", status=400, shows=("Invalid party",)
    ),
    party("1.1 party: two, 7.0-7.5", "7.3.0", "partyid:1,partyid:2", status=400, shows=("Only one allowed",)),
    party("1.1 party: any case of the prefix since 7.6", "7.6.0", "PartyId:51001"),
    party("1.1 party: the user's claim, 7.6-8.5", "7.6.0", None, token="user"),
    party(
        "1.1 party: an organisation must say it, 7.6-8.5", "8.5.0", None, status=400, shows=("Invalid party header",)
    ),
    party("1.1 party: an organisation's own since 8.6", "8.6.0", None),
    party("1.1 party: an organisation's own in 9", "9.0.0-preview.4", None),
    party("1.1 party: a user's own since 8.6", "8.6.0", None, token="user"),
    party("1.1 party: an empty header is none", "8.6.0", ""),
    party("1.1 party: a person", "8.12.7", "person:01839000029"),
    get(
        "1.1 party: a system user's own since 8.6",
        app="ttd/lukket",
        anonymous=False,
        token="system user",
        status=403,
        whole="",
    ),
]

ORDER = [
    get("1.2 the token before the data type", query="", anonymous=False, status=401, whole=""),
    get("1.2 the data type before the party", query="", **SIGNED, headers={"party": "x"}, status=400, whole=NO_TYPE),
    get("1.2 the class before the party", query="dataType=pdf", **SIGNED, headers={"party": "x"}, status=500, whole=""),
    get(
        "1.2 the party before prefill",
        query=f"{ALL}&prefill=x",
        **SIGNED,
        headers={"party": "x"},
        status=400,
        whole=BAD_PARTY,
    ),
    get(
        "1.2 prefill before the policy",
        app="ttd/lukket",
        query=f"{ALL}&prefill=x",
        **SIGNED,
        headers={"party": "partyid:7"},
        status=500,
        whole="",
    ),
    post(
        "1.2 the policy before the body",
        b"broken",
        app="ttd/lukket",
        **SIGNED,
        headers={"party": "partyid:7"},
        status=403,
        whole="",
    ),
    post(
        "1.2 the data type before the policy",
        b"x",
        app="ttd/lukket",
        query="",
        **SIGNED,
        headers={"party": "partyid:7"},
        status=400,
        whole=NO_TYPE,
    ),
    post(
        "1.2 the body before the processors", b"x", query="dataType=kaster", status=400, shows=("Unknown content type",)
    ),
    *(
        make(
            f"1.2 apiScopes, {make.__name__}",
            app="ttd/egne-scopes",
            **SIGNED,
            status=403,
            kind="application/problem+json",
            shows=('"title":"Forbidden"', '"Insufficient scope"', '"instance":"/ttd/egne-scopes/v1/data"'),
        )
        for make in (get, post)
    ),
    get("1.2 apiScopes, one of them held", app="ttd/egne-scopes", anonymous=False, token="scoped"),
]

REFUSALS = [
    *(
        get(f"1.3 {token or 'no'} token", anonymous=False, token=token, status=401, whole="")
        for token in ("", "expired", "raw Maskinporten")
    ),
    get("1.3 no data type", query="", status=400, kind="text/plain; charset=utf-8", whole=NO_TYPE),
    post("1.3 an unknown data type", query="dataType=x", status=400, whole=NO_TYPE.replace("  ", " x ")),
    get("1.3 a data type without appLogic", query="dataType=pdf", status=500, whole=""),
    post("1.3 a class that is missing", query="dataType=borte", status=500, whole=""),
    party("1.3 a bad party, GET", "8.12.7", "51001", method="GET", status=400, shows=(BAD_PARTY,)),
    party("1.3 a bad party, POST", "8.12.7", "51001", status=400, whole="Invalid party header"),
    party("1.3 two parties", "8.12.7", "partyid:1,partyid:2", status=400, whole="Invalid party header"),
    party("1.3 three parts", "8.12.7", "partyid:1:2", status=400, whole="Invalid party header"),
    party("1.3 an organisation that nobody knows", "8.12.7", "org:123456785", status=500),
    party("1.3 a person that nobody knows", "8.12.7", "person:x", status=500),
    party("1.3 a party id that nobody knows", "8.12.7", "partyid:404", status=400, whole="Invalid party header"),
    *(
        get(f"1.3 prefill: {says}", query=f"{ALL}&prefill={value}", **SIGNED, status=500, whole="")
        for says, value in (
            ("no JSON", "%7B"),
            ("a list", "%5B%5D"),
            ("a number in it", "%7B%22tekst%22%3A1%7D"),
            ("a value of another kind", "%7B%22belop%22%3A%22x%22%7D"),
        )
    ),
    get(
        "1.3 prefill that the app refuses",
        query=f"{ALL}&prefill=%7B%22ja%22%3A%22true%22%7D",
        **SIGNED,
        status=400,
        kind="application/problem+json",
        shows=('"title":"Validation error from IValidateQueryParamPrefill"', '"Only text may be given."', '"issue"'),
    ),
    get("1.3 the policy says no", app="ttd/lukket", **SIGNED, headers={"party": "partyid:7"}, status=403, whole=""),
    post(
        "1.3 a level that is needed",
        app="ttd/niva-tre",
        anonymous=False,
        token="level 2",
        status=403,
        shows=('"RequiredAuthenticationLevel":"3"',),
    ),
    post("1.3 no content type", b"{}", status=400, whole='Unknown content type "null". Cannot read the data.'),
    post(
        "1.3 no content type, v7",
        b"{}",
        app=app("7.6.0"),
        status=400,
        whole="Unknown content type . Cannot read the data.",
    ),
    *(
        post(
            f"1.3 {kind}",
            b"{}",
            headers={"Content-Type": kind},
            status=400,
            kind="text/plain; charset=utf-8",
            whole=f"Unknown content type {kind}. Cannot read the data.",
        )
        for kind in ("text/xml", "text/plain", "multipart/form-data; boundary=x", "Application/Json")
    ),
    post(
        "1.3 a wrong value",
        {"sats": "x"},
        status=400,
        kind="text/plain; charset=utf-8",
        shows=("Path: $.sats | LineNumber",),
    ),
    post(
        "1.3 in quotes for JSON alone",
        {"sats": "x"},
        headers=AS_JSON,
        status=400,
        kind="application/json; charset=utf-8",
        shows=('"The JSON value',),
    ),
    post(
        "1.3 no quotes with */*",
        {"sats": "x"},
        headers={"Accept": "application/json, */*"},
        status=400,
        kind="text/plain; charset=utf-8",
    ),
    post("1.3 JSON null", b"null", headers=JSON, status=400, whole=""),
    posted_xml(
        "1.3 another root",
        "<a/>",
        status=400,
        whole="There is an error in XML document (1, 2). <a xmlns=''> was not expected.",
    ),
    posted_xml("1.3 broken XML", "<Regnestykke>", status=400, shows=("There is an error in XML document (",)),
    posted_xml("1.3 blank XML", " ", status=500, whole=""),
    post("1.3 a processor that throws", query="dataType=kaster", status=500, whole=""),
]

SEM = "<Regnestykke><linje><tekst>Søm</tekst></linje><sats>7</sats></Regnestykke>"
IN_ORDER = "<Regnestykke><sats>5</sats><sum>7</sum><ukjent a='1'/><merknad/></Regnestykke>"
NAMESPACED = "<Timeliste xmlns='urn:sandkasse:timeliste'><Innsender><navn>N</navn></Innsender></Timeliste>"
HOURS_AT: dict[str, Any] = {"app": HOURS, "query": "dataType=timeliste"}

READING = [
    post("1.4 parameters of the type", b"{}", headers={"Content-Type": "application/json; charset=utf-8"}),
    post("1.4 a relative of JSON", b"{}", headers={"Content-Type": "application/json-patch+json"}),
    post("1.4 JSON before XML", b"{}", headers={"Content-Type": "application/xml; was=application/json"}),
    posted_xml(
        "1.4 UTF-8 whatever the charset",
        SEM,
        headers={"Content-Type": "application/xml; charset=iso-8859-1"},
        shows=("Søm",),
    ),
    posted_xml(
        "1.4 UTF-8 whatever the declaration", f'<?xml version="1.0" encoding="ISO-8859-1"?>{SEM}', shows=("Søm",)
    ),
    posted_xml(
        "1.4 a form in ISO-8859-1 loses its letters",
        f'<?xml version="1.0" encoding="ISO-8859-1"?>{SEM}'.encode("latin-1"),
        shows=("S\ufffdm", '"sats":7'),
        hides=("Søm",),
    ),
    post("1.4 JSON in ISO-8859-1 does, too", '{"merknad":"ø"}'.encode("latin-1"), query="dataType=alt", headers=JSON),
    posted_xml("1.4 a byte order mark", SEM.encode("utf-8-sig"), shows=("Søm",)),
    posted_xml("1.4 a byte order mark of UTF-16", SEM.encode("utf-16"), shows=("Søm",)),
    post("1.4 JSON with a byte order mark", '{"sats":7}'.encode("utf-8-sig"), headers=JSON, shows=('"sats":7',)),
    post("1.4 JSON: names in any case", {"SATS": 12}, shows=('"sats":12',)),
    post("1.4 JSON: numbers in quotes", {"sats": "12.50"}, shows=('"sats":12.50',)),
    post("1.4 JSON: unknown members vanish", {"x": {"y": [1]}}, hides=('"x"',)),
    post("1.4 JSON: no comments", b'{/* c */"sats":1}', headers=JSON, status=400, shows=("'/' is invalid",)),
    post("1.4 JSON: no trailing commas", b'{"sats":1,}', headers=JSON, status=400, shows=("a trailing comma",)),
    post("1.4 JSON: trailing commas in v7", b'{"sats":1,}', app=app("7.6.0"), headers=JSON, shows=('"sats":1',)),
    posted_xml("1.4 XML: the class's namespace", NAMESPACED, **HOURS_AT, shows=('"navn":"N"',)),
    posted_xml(
        "1.4 XML: then none",
        NAMESPACED.replace(" xmlns='urn:sandkasse:timeliste'", ""),
        **HOURS_AT,
        shows=('"navn":"N"',),
    ),
    posted_xml(
        "1.4 XML: no other", NAMESPACED.replace("urn:", "urn:x"), **HOURS_AT, status=400, shows=("was not expected",)
    ),
    posted_xml("1.4 XML: the unknown vanishes", IN_ORDER, shows=('"sats":5',), hides=("ukjent",)),
    posted_xml(
        "1.4 XML: the misplaced vanishes", "<Regnestykke><sum>7</sum><sats>5</sats></Regnestykke>", shows=('"sats":25',)
    ),
    posted_xml(
        "1.4 XML: nil",
        "<Timeliste xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><Ansatt-grp-7101><Dag-grp-7102>"
        "<dato xsi:nil='true'/></Dag-grp-7102></Ansatt-grp-7101></Timeliste>",
        **HOURS_AT,
        shows=('"dato":null',),
    ),
    posted_xml("1.4 XML: parts of a form", "<Regnestykke/>", shows=('"sum":0',)),
    post("1.4 JSON where the metadata allows XML only", {"sats": 7}, shows=('"sats":7',)),
]

DAY = {"Ansatt-grp-7101": [{"Dag-grp-7102": [{"Timer-datadef-7103": {"value": 7.50}, "overtid": True}]}]}
JSON_TYPE, XML_TYPE = "application/json; charset=utf-8", "application/xml; charset=utf-8"

ANSWER = [
    post(
        "1.5 no envelope, no root, names as in the schema",
        DAY,
        **HOURS_AT,
        shows=('"Ansatt-grp-7101":[{"ansattnummer":null',),
    ),
    post(
        "1.5 text beside attributes is value",
        DAY,
        **HOURS_AT,
        shows=('"Timer-datadef-7103":{"orid":7103,"value":7.5}',),
    ),
    post("1.5 nulls are there in JSON", DAY, **HOURS_AT, shows=('"dato":null', '"Innsender":null')),
    post(
        "1.5 nulls are left out of XML, or nil",
        DAY,
        **HOURS_AT,
        headers=AS_XML,
        kind=XML_TYPE,
        shows=('<dato xsi:nil="true" />',),
        hides=("Innsender",),
    ),
    post("1.5 booleans", DAY, **HOURS_AT, shows=('"overtid":true',)),
    post("1.5 letters are not escaped", {"tekst": "æøå"}, query=ALL, shows=('"tekst":"æøå"',)),
    post("1.5 dates are text, as sent", {"dato": "2026-02-30"}, query=ALL, shows=('"dato":"2026-02-30"',)),
    post("1.5 integers are decimals", {"belop": 1.5}, query=ALL, shows=('"belop":1.5',)),
    post("1.5 lists", {"liste": ["a", "b"]}, query=ALL, shows=('"liste":["a","b"]',)),
    post("1.5 fixed attributes are preset", {}, query=ALL, shows=('"skjemanummer":7200',)),
    post("1.5 and overwritten unchecked", {"skjemanummer": 1}, query=ALL, shows=('"skjemanummer":1',)),
    post("1.5 no row ids that nobody set", LINES, hides=("altinnRowId",)),
    posted_xml(
        "1.5 XML without declaration, with both namespaces",
        "<Regnestykke/>",
        headers=AS_XML,
        shows=(
            "<Regnestykke ",
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
            'xmlns:xsd="http://www.w3.org/2001/XMLSchema"',
        ),
        hides=("<?xml",),
    ),
    *(
        get(f"1.5 Accept {accept or 'nothing'}", headers={"Accept": accept} if accept else {}, kind=kind)
        for accept, kind in (
            ("", JSON_TYPE),
            ("*/*", JSON_TYPE),
            ("application/xml, */*", JSON_TYPE),
            ("application/json", JSON_TYPE),
            ("application/xml", XML_TYPE),
            ("text/xml", "text/xml; charset=utf-8"),
            ("image/png", JSON_TYPE),
        )
    ),
    posted_xml("1.5 XML in gives JSON out", "<Regnestykke/>", kind=JSON_TYPE),
]

GENERATIONS = [
    get("1.6 anonymous since 4.7", app=app("4.7.0")),
    get("1.6 party and policy since 4.7", app=app("4.7.0"), anonymous=False, token="owner", status=403, whole=""),
    get("1.6 the same routes in 9", app=app("9.0.0-preview.4"), query=f"{ALL}&language=nb&includeRowId=true", **SIGNED),
    *(
        post(f"1.6 the same form from {version}", LINES, app=app(version), shows=('"sum":25.0,"avgift":6.25',))
        for version in VERSIONS
    ),
]

FACTS = [*ROUTES, *ORDER, *REFUSALS, *READING, *ANSWER, *GENERATIONS]


def authorized(stage: Proxying, token: str) -> dict[str, str]:
    """The header for one of the kinds of token that the rows name."""
    number = stage.world.owner.number
    system = [{"type": "urn:altinn:systemuser", "systemuser_org": {"ID": f"0192:{SYSTEM_USER}"}}]
    claims: dict[str, dict[str, Any]] = {
        "owner": {"urn:altinn:orgNumber": number},
        "user": {"urn:altinn:userid": 1, "urn:altinn:partyid": 51001},
        "level 2": {"urn:altinn:orgNumber": number, "urn:altinn:authlevel": 2},
        "scoped": {"urn:altinn:orgNumber": number, "scope": "openid ttd:regnestykke"},
        "system user": {"urn:altinn:orgNumber": number, "authorization_details": system},
        "expired": {"urn:altinn:orgNumber": number},
    }
    if not token:
        return {}
    if token == "raw Maskinporten":
        return {"Authorization": f"Bearer {owner_token(stage.world, base=BASE)}"}
    value = stage.token(**claims[token])
    if token == "expired":
        stage.clock.forward(1900)
    return {"Authorization": f"Bearer {value}"}


@pytest.mark.parametrize("row", FACTS, ids=[row.says for row in FACTS])
def test_the_fact_shows_through_the_proxy(stage: Proxying, row: Row) -> None:
    """Status, type, cache headers and body are what the fact says, and byte for byte the app's own."""
    headers = {**authorized(stage, row.token), **row.headers}
    body: dict[str, Any] = {} if row.body is None else {"data": row.body}
    made_up = "includerowid=true" in row.query.lower()

    through = stage.send(row.method, row.app, row.query, anonymous=row.anonymous, headers=headers, **body)
    straight = stage.straight(row.method, row.app, row.query, anonymous=row.anonymous, headers=headers, **body)

    text = through.data.decode()
    assert through.status_code == row.status == straight.status_code, text
    assert through.headers.get("Content-Type") == straight.headers.get("Content-Type")
    assert through.headers["Cache-Control"] == straight.headers.get("Cache-Control", "no-store")
    assert through.headers.get("WWW-Authenticate") is None
    # Row ids are made up anew for each call.
    assert made_up or through.data == straight.content
    assert row.kind is None or (through.content_type or "").startswith(row.kind)
    assert row.whole is None or text == row.whole
    assert [part for part in row.shows if part not in text] == []
    assert [part for part in row.hides if part in text] == []


def test_1_3_a_register_that_refuses_is_an_empty_500(stage: Proxying) -> None:
    """A 401 of the register is the app's own failure, not the caller's."""
    stage.world.apps.register_refuses = True
    try:
        answer = stage.send(
            "GET", NEWEST, anonymous=False, headers={**authorized(stage, "owner"), "party": "partyid:51001"}
        )
    finally:
        stage.world.apps.register_refuses = False

    assert (answer.status_code, answer.data) == (500, b"")


def test_1_3_a_body_beyond_the_apps_limit_is_400(stage: Proxying) -> None:
    """The server's exception is caught where the body is read."""
    stage.world.apps.body_limit, usual = 1000, stage.world.apps.body_limit
    try:
        answer = stage.send("POST", NEWEST, data=b" " * 1001, headers=JSON)
    finally:
        stage.world.apps.body_limit = usual

    assert answer.status_code == 400
    assert answer.text.startswith("Unexpected exception when attempting to deserialize")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_1_1_other_verbs_are_405(stage: Proxying, method: str) -> None:
    """Refused as apps refuse them; PUT alone is turned into what the app calls it."""
    through, straight = stage.send(method, NEWEST), stage.straight(method, NEWEST)

    assert (through.status_code, straight.status_code) == (405, 405)
    assert {"GET", "POST"} <= set(through.headers["Allow"].replace(" ", "").split(","))


def test_1_5_security_headers_pass(stage: Proxying) -> None:
    """All that apps set; and no leave for other origins, as the library gives none."""
    answer = stage.send("POST", NEWEST, json=LINES, headers={"Origin": "https://elsewhere.example"})

    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
    assert "Access-Control-Allow-Origin" not in answer.headers


SECURITY = {
    "Cache-Control": "no-store,no-cache",
    "X-Frame-Options": "deny",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "0",
    "Referrer-Policy": "no-referrer",
}


def test_1_6_the_first_generation_knows_neither_party_nor_anonymous_calls(stage: Proxying) -> None:
    """Before 4.7.0 there was no route for anonymous callers, and a party meant nothing."""
    headers = {**authorized(stage, "owner"), "party": "no party"}

    signed = stage.send("GET", OLD_SUM, anonymous=False, headers=headers)
    anonymous = stage.send("GET", OLD_SUM)

    assert (signed.status_code, anonymous.status_code) == (200, 404)


FORGERY: list[tuple[str, bool, bool, str, int]] = [
    ("GET needs nothing", True, False, "GET", 200),
    ("a cookie alone", True, False, "POST", 400),
    ("a bearer without that cookie", False, False, "POST", 200),
    ("both cookies and the header", True, True, "POST", 200),
]


@pytest.mark.parametrize(
    ("cookie", "counterpart", "method", "status"), [row[1:] for row in FORGERY], ids=[row[0] for row in FORGERY]
)
def test_1_7_cookies_need_their_counterpart(
    stage: Proxying, cookie: bool, counterpart: bool, method: str, status: int
) -> None:
    """The bridge passes both cookies and the header, and adds nothing that would open."""
    token = stage.token()
    logged_in = {"Authorization": f"Bearer {token}"}
    page = stage.outside.get(f"{BASE}/apps/{NEWEST}", headers=logged_in, timeout=5)
    given = dict(part.split(";")[0].split("=", 1) for part in page.raw.headers.getlist("Set-Cookie"))
    cookies = [f"AltinnStudioRuntime={token}"] if cookie else []
    headers = {} if cookie else {"Authorization": f"Bearer {token}"}
    if counterpart:
        cookies.append(f"AS-XSRF-TOKEN={given['AS-XSRF-TOKEN']}")
        headers["X-XSRF-TOKEN"] = given["XSRF-TOKEN"]
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    body: dict[str, Any] = {"data": b"{}"} if method == "POST" else {}

    answer = stage.send(method, NEWEST, anonymous=False, headers={**JSON, **headers} if body else headers, **body)

    assert answer.status_code == status
    assert status == 200 or answer.data == b""
