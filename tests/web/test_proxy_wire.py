"""The calculation proxy byte for byte: targets, headers, and answers that only a socket can give."""

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape
from structlog.testing import capture_logs

from bridge.sandbox.core.ledger import How
from tests.web.described import answers_as_described, fits
from tests.web.proxying import HOURS, JSON, KEY, LINES, SUM, XML, Proxying
from tests.web.raw_app import OK, RawApp

ROUTE = "token: caller\nanonymous: true\nverbs: get_post\n"


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxying]:
    made = Proxying(tmp_path_factory.mktemp("wire"), {SUM: ROUTE})
    yield made
    made.close()


SCHEMAS = {"no schema": "", "a schema": "data_types: {timeliste: {schema: timeliste.xsd}}\n"}


@pytest.fixture(scope="module")
def sandboxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Proxying]]:
    """Bridges before the sandbox's own apps, by what the routes know of forms."""
    made = {
        name: Proxying(tmp_path_factory.mktemp("sandboxed"), {SUM: ROUTE, HOURS: ROUTE + lines})
        for name, lines in SCHEMAS.items()
    }
    yield made
    for each in made.values():
        each.close()


@pytest.fixture
def app(bridge: Proxying) -> Iterator[RawApp]:
    with RawApp() as raw:
        raw.before(bridge)
        bridge.bridge.apps._states.clear()
        bridge.bridge.apps._wire._pools.clear()
        yield raw


QUERIES = [
    "navn=100%&d=%C3%A6",
    "d=%c3%a6&E=%7e",
    "a=%zz&b=%",
    "a=b=c&&=&x",
    "prefill=%7B%22a.b%22%3A%22%25%22%7D",
    "a=1;b=2",
    "a=[1]|{2}^`<>\"'",
    "a=b?c/d:e@f",
    "dataType=regnestykke&a=+%2B%20",
    "a=../../%2e%2e/",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_goes_on_byte_for_byte(bridge: Proxying, app: RawApp, query: str) -> None:
    """Whatever stands in it: an app reads it, and nobody on the way."""
    answer = bridge.client.open(f"/{SUM}/v1/data/anonymous", method="GET", environ_overrides={"QUERY_STRING": query})

    assert answer.status_code == 200
    assert app.target == f"/{SUM}/v1/data/anonymous?{query}".encode()


def test_a_long_prefill_goes_on(bridge: Proxying, app: RawApp) -> None:
    """A form's prefill is a map in the query."""
    query = "dataType=x&prefill=" + "%7B%22" * 5000

    assert bridge.send("GET", query=query).status_code == 200
    assert app.target.endswith(query.encode())


def test_what_no_query_may_hold_is_encoded(bridge: Proxying, app: RawApp) -> None:
    """Only a server that is laxer than ours lets it in; nothing of it breaks a line of the request."""
    bridge.client.open(
        f"/{SUM}/v1/data/anonymous", method="GET", environ_overrides={"QUERY_STRING": "a=\xe6 b\r\nX: 1"}
    )

    assert app.target.endswith(b"?a=%E6%20b%0D%0AX:%201")


@pytest.mark.parametrize(
    "before", [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n"]
)
@pytest.mark.parametrize("times", [1, 3])
def test_informational_answers_are_not_the_answer(bridge: Proxying, app: RawApp, before: bytes, times: int) -> None:
    """What follows them is (RFC 9110, 15.2)."""
    app.answer = before * times + OK

    answer = bridge.send("POST", json=LINES)

    assert (answer.status_code, answer.text, answer.headers.get("Link")) == (200, "{}", None)


CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "a control character in a header": b"HTTP/1.1 200 OK\r\nX-A: a\x1cb\r\nContent-Length: 2\r\n\r\n{}",
    "a name that is none": b"HTTP/1.1 200 OK\r\nX A: b\r\nContent-Length: 2\r\n\r\n{}",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + OK,
    "nothing but information": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100 + OK,
    "a line that is no header": b"HTTP/1.1 200 OK\r\nX\r\nContent-Length: 2\r\n\r\n{}",
    "101 lines of headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100 + b"Content-Length: 2\r\n\r\n{}",
    "a chunk without its length": CHUNKS + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKS + b"2\r\n{}{}\r\n0\r\n\r\n",
    "an empty line for a chunk": CHUNKS + b"\r\n{}\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    **{
        f"a length of {each!r}": f"HTTP/1.1 200 OK\r\nContent-Length: {each}\r\n\r\n{{}}".encode()
        for each in ("x", "-1", "+2", "2 2", "2_0", "")
    },
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_none_is_the_apps_fault(bridge: Proxying, app: RawApp, answer: bytes) -> None:
    """502 with a problem document, which neither blames the caller nor says that nothing came."""
    app.answer = answer

    told = bridge.send("POST", json=LINES)

    assert (told.status_code, told.content_type) == (502, "application/problem+json")
    assert told.get_json()["type"].endswith(":app_answer_invalid")


@pytest.mark.parametrize("broken", ["no HTTP", "101 lines of headers", "a chunk without its length", "a length of 'x'"])
def test_an_app_that_cannot_be_read_is_not_away(bridge: Proxying, app: RawApp, broken: str) -> None:
    """It is asked once, also for an empty form, and is given no rest."""
    app.answer = BROKEN[broken]

    told = [bridge.send("GET").get_json()["type"].rpartition(":")[2] for _ in range(6)]

    assert told == ["app_answer_invalid"] * 6
    assert len(app.asked) == 6


def test_a_phrase_that_cannot_be_sent_is_left_out(bridge: Proxying, app: RawApp) -> None:
    """The status says it."""
    app.answer = b"HTTP/1.1 422 a\x01b\r\nContent-Length: 2\r\n\r\n{}"

    answer = bridge.send("POST", json=LINES)

    assert (answer.status_code, answer.text) == (422, "{}")
    assert "\x01" not in answer.status


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}",
        CHUNKS + b"5\r\nhal",
        CHUNKS + b"2\r\n{}\r\n",
        CHUNKS + b"2",
        b"",
    ],
    ids=["too short", "in a chunk", "behind a chunk", "in a chunk's length", "nothing"],
)
def test_an_answer_that_breaks_off_is_told(bridge: Proxying, app: RawApp, answer: bytes) -> None:
    """502: no whole answer came."""
    app.answer = answer

    told = bridge.send("POST", json=LINES)

    assert (told.status_code, told.get_json()["type"].rpartition(":")[2]) == (502, "app_unavailable")


def test_headers_that_connection_names_end_here(bridge: Proxying, app: RawApp) -> None:
    """In both directions (RFC 9110, 7.6.1)."""
    app.answer = (
        b"HTTP/1.1 200 OK\r\nConnection: X-Secret, close\r\nConnection: x-more\r\nX-Secret: 1\r\nX-More: 2\r\n"
        b"X-Kept: 3\r\nProxy-Authenticate: Basic\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\n{}"
    )

    answer = bridge.send("GET", headers={"Connection": "X-Own, keep-alive", "X-Own": "1", "X-Other": "2"})

    assert answer.headers.get("X-Kept") == "3"
    assert not {"X-Secret", "X-More", "Proxy-Authenticate", "Keep-Alive", "Connection"} & set(answer.headers.keys())
    assert (app.headers("X-Own"), app.headers("X-Other")) == ([], ["2"])


@pytest.mark.parametrize("size", [2, 600_000])
def test_a_length_beside_chunks_is_not_believed(bridge: Proxying, app: RawApp, size: int) -> None:
    """Chunks say how long it is; the next answer on the connection must not begin within this one."""
    body = b"x" * size
    app.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (
        size,
        body,
    )

    answer = bridge.send("GET")

    assert answer.data == body
    assert answer.headers.get("Content-Length") in (None, str(size))


def test_an_empty_form_of_a_kind_is_no_wish_for_one(bridge: Proxying, app: RawApp) -> None:
    """POST with a Content-Type and no bytes goes on as POST; without one it asks for an empty form."""
    bridge.send("POST", headers=JSON)
    sent = app.asked[-1]
    bridge.send("POST")
    wished = app.asked[-1]

    assert sent.startswith(b"POST ")
    assert app.asked[0].lower().count(b"content-type: application/json") == 1
    assert wished.startswith(b"GET ")


def test_only_one_length_goes_on(bridge: Proxying, app: RawApp) -> None:
    """An empty form has the length nothing."""
    bridge.send("POST", headers=JSON)

    assert app.headers("Content-Length") == ["0"]
    assert app.headers("Transfer-Encoding") == []


WAGE = b"<Timeliste><skjemanummer>1</skjemanummer><ukjent>1</ukjent></Timeliste>"


@pytest.mark.parametrize(
    "accept", [{}, {"Accept": "application/json"}, {"Accept": "text/html"}, {"Accept-Encoding": "gzip"}]
)
@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_report_compares_in_the_language_of_the_form(
    sandboxed: Mapping[str, Proxying], schema: str, accept: dict[str, str]
) -> None:
    """What an app drops in silence is told, whatever the client accepts beside."""
    stage = sandboxed[schema]

    answer = stage.send("POST", HOURS, "dataType=timeliste&bridge-report=true", data=WAGE, headers={**XML, **accept})

    assert answer.status_code == 200
    if "html" in answer.content_type:
        assert re.search(r"/Timeliste/ukjent</td><td[^>]*>borte</td>", answer.text)
    else:
        told = answer.get_json()
        assert told["notCompared"] is None
        assert {"path": "/Timeliste/ukjent", "change": "dropped", "old": "1", "new": None} in told["changes"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json, text/html", "application/json"),
        ("text/html;q=0.1, application/json", "application/json"),
        ("application/xml", "application/json"),
    ],
)
def test_a_report_is_a_page_where_one_is_wanted_most(sandboxed: Mapping[str, Proxying], accept: str, kind: str) -> None:
    """A program that would take a page as well gets JSON."""
    stage = sandboxed["no schema"]

    answer = stage.send("GET", query="dataType=regnestykke&bridge-report=true", headers={"Accept": accept})

    assert answer.mimetype == kind


def test_a_report_on_json_is_no_xml(sandboxed: Mapping[str, Proxying]) -> None:
    """The other way round: a client that accepts XML sent JSON."""
    stage = sandboxed["no schema"]

    answer = stage.send(
        "POST", query="dataType=regnestykke&bridge-report=true", json=LINES, headers={"Accept": "application/xml"}
    )

    assert answer.get_json()["notCompared"] is None


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("POST", b"[]", 400), ("POST", b"", 400), ("GET", None, 200)],
    ids=["no form", "none", "empty"],
)
def test_a_report_has_the_apps_status(
    sandboxed: Mapping[str, Proxying], method: str, body: bytes | None, status: int
) -> None:
    """Who sends what the app refuses is not told that all is well; and of what it reports it tells the name."""
    stage = sandboxed["no schema"]

    answer = stage.send(
        method, query="dataType=regnestykke&bridge-report=true", data=body, headers=JSON if body is not None else {}
    )

    assert answer.status_code == answer.get_json()["status"] == status
    assert answer.get_json()["dataType"] == "regnestykke"


SAID: dict[str, tuple[str, bytes, list[tuple[str, str]]]] = {
    "errors by field": (
        "application/problem+json",
        b'{"title":"One or more","errors":{"linje[0].pris":["<b>-104.50</b> is too little","x"],"":["y"]}}',
        [("linje[0].pris", "<b>-104.50</b> is too little"), ("linje[0].pris", "x"), ("", "y")],
    ),
    "errors in a list": (
        "application/problem+json",
        b'{"title":"One or more","errors":["Too little",{"a":1},"Too old"]}',
        [("", "Too little"), ("", "Too old")],
    ),
    "a list of other things": ("application/json", b'{"title":"Refused","errors":[1]}', [("", "Refused")]),
    "fields alone": ("application/json", b'{"$.sum":["Not a number"]}', [("$.sum", "Not a number")]),
    "a detail": ("application/problem+json", b'{"title":"Refused","detail":"Too old"}', [("", "Too old")]),
    "a title": ("application/problem+json", b'{"title":"Refused","errors":{}}', [("", "Refused")]),
    "a title and an empty detail": (
        "application/problem+json",
        b'{"type":"about:blank","title":"Refused","detail":""}',
        [("", "Refused")],
    ),
    "a text in JSON": ("application/json", b'\xef\xbb\xbf"Invalid party"', [("", "Invalid party")]),
    "a text": ("text/plain", "There is an error: æ".encode(), [("", "There is an error: æ")]),
    "a text in XML": (
        "application/xml",
        b"\xef\xbb\xbf<string>There is an error: &lt;Annet xmlns=''&gt; was not expected.</string>",
        [("", "There is an error: <Annet xmlns=''> was not expected.")],
    ),
    "a text of a data contract": (
        "application/xml; charset=utf-8",
        b'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">a &lt;b&gt;<!-- c --> &amp; d</string>',
        [("", "a <b> & d")],
    ),
    "no text in XML": ("application/xml", b"<string />", []),
    "texts in XML": (
        "application/xml",
        (
            b'<ArrayOfstring xmlns="http://schemas.microsoft.com/2003/10/Serialization/Arrays"'
            b' xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><string>Too old</string><string i:nil="true"/>'
            b"<string>Not &lt;a&gt;</string></ArrayOfstring>"
        ),
        [("", "Too old"), ("", "Not <a>")],
    ),
    "fields in XML": (
        "application/xml",
        b"<Error><_x0024_.sum>Not a &lt;number&gt;</_x0024_.sum><MVC-Empty>Refused</MVC-Empty></Error>",
        [("$.sum", "Not a <number>"), ("", "Refused")],
    ),
    "half a pair in XML": ("application/xml", b"<Error><_xD83D_>Too old</_xD83D_></Error>", [("_xD83D_", "Too old")]),
    "a problem in XML": (
        "application/problem+xml; charset=utf-8",
        (
            b'<problem xmlns="urn:ietf:rfc:7807"><detail>&lt;Annet&gt; is too old</detail><status>400</status>'
            b"<title>Refused</title><traceId>00-1</traceId></problem>"
        ),
        [("", "<Annet> is too old")],
    ),
    "a problem with fields in XML": (
        "application/problem+xml",
        (
            b'<?xml version="1.0" encoding="utf-8"?>\n<problem xmlns="urn:ietf:rfc:7807"><title>One or more</title>'
            b"<MVC-Errors><linje_x005B_0_x005D_.antall>Too &lt;little&gt;</linje_x005B_0_x005D_.antall>"
            b"<MVC-Empty>Incomplete</MVC-Empty></MVC-Errors></problem>"
        ),
        [("linje[0].antall", "Too <little>"), ("", "Incomplete")],
    ),
    "other XML": ("application/xml", b"<melding>a</melding>", [("", "<melding>a</melding>")]),
    "XML that is none": ("application/xml", b"<string>a", [("", "<string>a")]),
    "a document type": (
        "application/xml",
        b'<!DOCTYPE a [<!ENTITY b "c">]><string>&b;</string>',
        [("", '<!DOCTYPE a [<!ENTITY b "c">]><string>&b;</string>')],
    ),
    "texts in a list": ("application/json", b'["Too old",1]', [("", "Too old")]),
    "nothing": ("text/plain", b"", []),
    "what is no words": ("application/json", b'[1,{"errors":{"a":[1]}}]', []),
    "a page": ("text/html", b"<html>Bad Request</html>", []),
}


@pytest.mark.parametrize(("kind", "body", "said"), SAID.values(), ids=SAID)
def test_a_report_tells_what_the_app_says(
    bridge: Proxying, app: RawApp, kind: str, body: bytes, said: list[tuple[str, str]]
) -> None:
    """Its own fields and texts, to who sent the form alone, and on the page without its markup."""
    about = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    app.answer = f"HTTP/1.1 400 x\r\n{about}".encode() + body

    with capture_logs() as lines:
        report, page = [
            bridge.send("POST", query="bridge-report=true", json=LINES, headers={"Accept": accept})
            for accept in ("application/json", "text/html")
        ]

    assert report.status_code == page.status_code == 400
    assert [(each["field"], each["message"]) for each in report.get_json()["appSays"]] == said
    assert all(str(escape(message)) in page.text for _, message in said)
    assert not any(message in str(lines) for _, message in said if len(message) > 1)


PROBLEM_OF_AN_APP = b'{"type":"https://tools.ietf.org/html/rfc9110","title":"No","status":400,"errors":{"a":["b"]}}'
CLOSE = "Connection: close\r\n"
REFUSALS = [
    ("text/plain; charset=utf-8", b"Invalid DataType"),
    ("application/json; charset=utf-8", b'"Invalid DataType"'),
    ("application/json", b'{"linje":["Too little"]}'),
    ("application/json", b'["Too little"]'),
    ("application/xml; charset=utf-8", b"<string>Invalid DataType</string>"),
    ("application/problem+json; charset=utf-8", PROBLEM_OF_AN_APP),
    ("application/problem+xml", b'<problem xmlns="urn:ietf:rfc:7807"><title>No</title></problem>'),
    ("text/html", b"<html>Bad Gateway</html>"),
    ("", b""),
]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 410, 413, 415, 422, 429, 500, 502, 503, 504])
def test_each_refusal_and_the_report_on_it_are_as_described(bridge: Proxying, app: RawApp, status: int) -> None:
    """In ``/openapi.json``, by whichever of the six operations; of a report all members are."""
    asked = [("", {}), ("&bridge-report=true", {}), ("", {"Prefer": "bridge-report"})]
    for kind, body in REFUSALS:
        about = f"Content-Type: {kind}\r\n" if kind else ""
        for (query, headers), method, anonymous in itertools.product(asked, ("GET", "POST", "PUT"), (True, False)):
            app.answer = OK.replace(b"\r\n\r\n", f"\r\n{CLOSE}\r\n".encode())
            assert bridge.send("GET").status_code == 200  # One that answers nothing but 502 rests.
            app.answer = f"HTTP/1.1 {status} x\r\n{about}Content-Length: {len(body)}\r\n{CLOSE}\r\n".encode() + body
            form = {} if method == "GET" else {"json": LINES}
            answer = bridge.send(method, query=f"dataType=x{query}", headers=headers, anonymous=anonymous, **form)

            assert answer.status_code == status
            answers_as_described(method, f"/{{org}}/{{app}}/v1/data{'/anonymous' if anonymous else ''}", answer)
            if "Preference-Applied" in answer.headers:
                fits("Report", answer.get_json())
            assert ("Preference-Applied" in answer.headers) == bool(query or headers)


def test_a_report_opens_no_door(bridge: Proxying) -> None:
    """Without a token the app's 401 is the report's."""
    with RawApp(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") as raw:
        raw.before(bridge)
        answer = bridge.send("GET", anonymous=False, headers={"Prefer": "bridge-report"})

    assert (answer.status_code, answer.get_json()["status"]) == (401, 401)


# Who did wrong


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Proxying]:
    made = Proxying(tmp_path, {SUM: "token: bridge\nverbs: get_post\n"})
    yield made
    made.close()


BEARER = {"Authorization": f"Bearer {KEY}"}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["type"].rpartition(":")[2]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, "", (502, "app_refuses_bridge")),
        (403, '{"title":"Forbidden","detail":"authorization.scopes.insufficient"}', (502, "app_refuses_bridge")),
        (403, '{"RequiredAuthenticationLevel":"4"}', (403, "app_level_too_low")),
    ],
)
def test_refusals_of_the_bridges_own_token_are_not_the_callers(
    own: Proxying, status: int, body: str, told: tuple[int, str]
) -> None:
    """The key that the caller showed was right; an operator is called where the bridge's own was not."""
    own.world.faults.plan(
        How(status=status, body=body), system="apps", method=None, path="/v1/data", times=None, skip=0
    )

    answer = own.send("POST", anonymous=False, json=LINES, headers=BEARER)

    assert code(answer) == told
    assert "WWW-Authenticate" not in answer.headers
    deep = own.client.get("/health/deep").get_json()
    assert (f"app {SUM}" in str(deep.get("refusingUs"))) == (told[0] == 502)


def test_a_party_that_an_app_denies_is_passed_on(own: Proxying) -> None:
    """Whom the caller asks for is the caller's choice."""
    own.world.faults.plan(How(status=403), system="apps", method=None, path="/v1/data", times=None, skip=0)

    answer = own.send("POST", anonymous=False, json=LINES, headers=BEARER)

    assert (answer.status_code, answer.data) == (403, b"")


def test_who_gives_out_tokens_is_not_the_app(own: Proxying) -> None:
    """While Maskinporten is away nobody is told that the app is, and the app is given no rest."""
    own.world.faults.plan(How(status=503), system="maskinporten", method=None, path="", times=None, skip=0)

    answers = [own.send("POST", anonymous=False, json=LINES, headers=BEARER) for _ in range(7)]

    assert {code(each) for each in answers} == {(503, "upstream_unavailable")}
    assert all("Retry-After" in each.headers for each in answers)
    assert [each["circuit"] for each in own.bridge.apps.status()] in ([], ["closed"])
