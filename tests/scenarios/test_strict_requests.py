"""What stands around a body, and how it comes, is what was meant, or the request is refused by name."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.web.app import create_app
from bridge.web.request_io import WRITES
from tests.scenarios.altinn2_mapping import write_mapping
from tests.scenarios.stage import VALID, Case, Stage
from tests.web.proxying import LINES, SUM, Proxying

XML = {"content_type": "application/xml"}
OCTETS = {"content_type": "application/octet-stream"}
HAL = {"content_type": "application/hal+json"}
NAMED = "send/attachments?fileName=ny.pdf&attachmentType=Plan"
FILE = {"FileName": "ny.pdf", "AttachmentType": "Plan", "Data": base64.b64encode(b"%PDF-1.7").decode()}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = write_mapping(tmp_path_factory.mktemp("mappings"))
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def case(stage: Stage) -> Case:
    """One for all that is refused, which changes nothing."""
    return stage.case()


@pytest.fixture(scope="module")
def proxying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxying]:
    made = Proxying(tmp_path_factory.mktemp("proxy"), {SUM: "token: caller\nanonymous: true\n"})
    yield made
    made.close()


def told(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["type"].rpartition(":")[2]


def untouched(stage: Stage, case: Case) -> bool:
    element = stage.element(case)
    return element["state"] == "formfilling" and len(element["attachments"]) == 1 and stage.operations(case) == []


@pytest.mark.parametrize("query", ["complete=false", "sign=false", "x=1", "x", "fileName=a.pdf", "%73ign=false"])
def test_an_action_takes_no_parameters(stage: Stage, case: Case, query: str) -> None:
    """Altinn 2's own ``complete`` and ``sign`` least of all: the mapping says both."""
    answer = stage.press(case, f"submit?{query}", headers={"Accept-Language": "en"})

    assert told(answer) == (400, "parameter_refused")
    assert query.partition("=")[0].replace("%73", "s") in answer.get_json()["detail"]
    assert untouched(stage, case)


def test_every_writing_route_refuses_what_it_does_not_know(stage: Stage) -> None:
    """Also one that is added tomorrow; the proxy's query is its apps' own."""
    values = {"uuid": "0196f000-0000-7000-8000-000000000009", "int": "1", "": "submit"}
    app = create_app(stage.bridge)
    asked = 0
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & WRITES):
            if rule.endpoint.startswith("proxy."):
                continue
            url = re.sub(r"<(?:(\w+):)?\w+>", lambda part: values[part[1] or ""], rule.rule)
            assert told(app.test_client().open(f"{url}?unheardOf=1", method=method)) == (400, "parameter_refused")
            asked += 1
    assert asked >= 4


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        pytest.param("send/attachments?filename=ny.pdf&attachmentType=Plan", 400, "parameter_refused", id="case"),
        pytest.param("send/attachments?fileNames=ny.pdf&attachmentType=Plan", 400, "parameter_refused", id="plural"),
        pytest.param(f"{NAMED}&fileName=ny.pdf", 400, "parameter_refused", id="the same twice"),
        pytest.param(f"{NAMED}&attachmentType=Kart", 400, "parameter_refused", id="two types"),
        pytest.param(f"{NAMED}&language=1033&language=1044", 400, "parameter_refused", id="two languages"),
        pytest.param(f"{NAMED}&language=", 400, "parameter_refused", id="no language"),
        pytest.param(f"{NAMED}&language=nb", 400, "parameter_refused", id="another language"),
        pytest.param("send/attachments?fileName=&attachmentType=Plan", 422, "attachment_name", id="no name"),
        pytest.param("send/attachments?fileName=ny.pdf&attachmentType=", 422, "attachment_type", id="no type"),
        pytest.param("send/attachments?fileName=ny.pdf", 422, "attachment_type", id="without a type"),
    ],
)
def test_what_is_said_of_an_attachment_is_said_once(
    stage: Stage, case: Case, path: str, status: int, code: str
) -> None:
    """By parameters that are known, and nothing is attached."""
    assert told(stage.press(case, path, data=b"%PDF", **OCTETS)) == (status, code)
    assert untouched(stage, case)


def test_the_language_is_that_of_the_answer(stage: Stage, case: Case) -> None:
    """Altinn 2's parameter goes before the header, which a browser sets by itself."""
    answer = stage.press(case, f"{NAMED}x&language=1033", data=b"%PDF", headers={"Accept-Language": "nn"}, **OCTETS)

    assert answer.headers["Content-Language"] == "en"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param({"fileName": "ny.pdf", **FILE}, "/fileName", id="case"),
        pytest.param({"FileName": "ny.pdf", "AttachmentType": "Plan", "data": "QQ=="}, "/Data, /data", id="small data"),
        pytest.param({"Checksum": "abc", **FILE}, "/Checksum", id="unknown"),
        pytest.param({**FILE, "FileName": None, "Data": FILE["Data"]}, "/FileName", id="null"),
        pytest.param({**FILE, "FileName": 7}, "/FileName", id="a number"),
        pytest.param({**FILE, "AttachmentType": ["Plan"]}, "/AttachmentType", id="a list"),
        pytest.param({**FILE, "Data": ""}, "/Data", id="no data"),
        pytest.param({**FILE, "Data": None}, "/Data", id="null data"),
        pytest.param({**FILE, "Data": "no base64!"}, "/Data", id="no base64"),
        pytest.param({**FILE, "Encrypted": False}, "/Data", id="something behind"),
        pytest.param({"attachment": FILE}, "/", id="inside another"),
        pytest.param([FILE], "/", id="in a list"),
        pytest.param(
            '{"FileName":"a.pdf","FileName":"b.pdf","AttachmentType":"Plan","Data":"QQ=="}', "/Fil", id="twice"
        ),
        pytest.param(
            '{"FileName":"a.pdf","AttachmentType":"Plan","Data":"QQ==","Data":"Qg=="}', "/Data", id="data twice"
        ),
        pytest.param('{"FileName":NaN,"AttachmentType":"Plan","Data":"QQ=="}', "/", id="NaN"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(FILE).encode(), "/", id="a byte order mark"),
        pytest.param(json.dumps(FILE) + "{}", "/Data", id="rest"),
        pytest.param(b'{"FileName":"\xe5.pdf","AttachmentType":"Plan","Data":"QQ=="}', "/", id="Latin-1"),
    ],
)
def test_an_attachment_in_json_says_nothing_else(stage: Stage, case: Case, body: Any, where: str) -> None:
    """What is unknown, doubled or of another type is refused by its name."""
    data = body if isinstance(body, bytes | str) else json.dumps(body)

    answer = stage.press(case, "send/attachments", data=data, headers={"Accept-Language": "en"}, **HAL)

    assert told(answer) == (400, "message_invalid")
    assert f"Wrong at {where}" in answer.get_json()["detail"]
    assert untouched(stage, case)


def test_a_name_in_both_places_is_refused(stage: Stage, case: Case) -> None:
    """Even the same: the one that counts cannot be known."""
    assert told(stage.press(case, NAMED, data=json.dumps(FILE), **HAL)) == (400, "parameter_refused")
    assert untouched(stage, case)


ENTRANCES = {
    "action": ("send", VALID.encode(), XML),
    "attachment": (NAMED, b"%PDF-1.7", OCTETS),
    "attachment in base64": ("send/attachments", json.dumps(FILE).encode(), HAL),
}


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize("missing", [1, 500])
def test_a_body_that_is_cut_short_is_none(stage: Stage, case: Case, entrance: str, missing: int) -> None:
    """Whatever of it came is a whole form, or a whole file, by itself: it is not what was sent."""
    path, data, kind = ENTRANCES[entrance]

    answer = stage.press(case, path, data=data, environ_overrides={"CONTENT_LENGTH": str(len(data) + missing)}, **kind)

    status, code = told(answer)
    assert status == 400
    assert code in ("body_incomplete", "attachment_interrupted")
    assert untouched(stage, case)


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("Content-Encoding", "gzip", 415, "body_coding"),
        ("Content-Encoding", "identity, br", 415, "body_coding"),
        ("Content-Range", "bytes 0-9/20", 400, "body_incomplete"),
    ],
)
def test_a_packed_body_or_a_part_is_refused(
    stage: Stage, case: Case, entrance: str, header: str, value: str, status: int, code: str
) -> None:
    """What is packed would be laid down as it is, and a part would count as the whole."""
    path, data, kind = ENTRANCES[entrance]

    assert told(stage.press(case, path, data=data, headers={header: value}, **kind)) == (status, code)
    assert untouched(stage, case)


@pytest.mark.parametrize(
    ("path", "data", "kind"),
    [
        pytest.param("send", VALID.encode(), "application/xml; charset=iso-8859-1", id="XML"),
        pytest.param("send", b"{}", "application/hal+json; charset=latin1", id="a message"),
        pytest.param("send/attachments", json.dumps(FILE).encode(), "application/json; charset=utf-16", id="a file"),
    ],
)
def test_letters_are_read_as_they_were_written(stage: Stage, case: Case, path: str, data: bytes, kind: str) -> None:
    """A charset that is not the one that would be read is refused: other letters would be signed."""
    assert told(stage.press(case, path, data=data, content_type=kind)) == (415, "body_coding")
    assert untouched(stage, case)


@pytest.mark.parametrize("kind", ["Application/XML", "application/vnd.skjema+xml", "text/xml;a=1"])
def test_every_spelling_of_xml_is_taken(stage: Stage, kind: str) -> None:
    """As through the proxy (RFC 9110, 7303)."""
    mine = stage.case()

    answer = stage.press(mine, "send", data=VALID.encode(), content_type=kind)

    assert answer.status_code == 204, answer.get_json()


def test_a_type_that_only_mentions_xml_is_none(stage: Stage, case: Case) -> None:
    """An action takes what a form is sent as, and not what an app would take."""
    answer = stage.press(case, "send", data=VALID.encode(), content_type="text/plain; a=application/xml")

    assert told(answer) == (415, "body_type")


@pytest.mark.parametrize(("declared", "charset"), [("UTF-8", "UTF-8"), ("ISO-8859-1", "iso-8859-1")])
def test_a_charset_may_be_said(stage: Stage, declared: str, charset: str) -> None:
    """As most clients do, where it is what the form says itself."""
    mine = stage.case()
    form = f'<?xml version="1.0" encoding="{declared}"?><melding><navn>Blåbær</navn></melding>'.encode(declared)

    answer = stage.press(mine, "send", data=form, content_type=f"application/xml; charset={charset}")

    assert answer.status_code == 204
    assert "Blåbær" in stage.element(mine)["forms"][0]["xml"]


@pytest.mark.parametrize(
    ("kind", "head", "coding"),
    [
        ("text/xml", "", "utf-8"),
        ("text/xml; charset=utf-8", "<?xml version='1.0' encoding='iso-8859-1'?>", "utf-8"),
        ("application/xml; charset=ISO-8859-1", "", "iso-8859-1"),
        ('text/xml; charset="windows-1252"', '<?xml version="1.0"?>', "cp1252"),
        ("application/xml; charset=utf-16le", "", "utf-16le"),
        ("application/xml; charset=utf-16", '<?xml version="1.0" encoding="utf-16"?>', "utf-16"),
    ],
)
def test_xml_may_say_its_charset_in_the_type_alone(stage: Stage, kind: str, head: str, coding: str) -> None:
    """Which counts more than what the form declares, and text/xml is application/xml (RFC 7303)."""
    mine = stage.case()
    form = f"{head}<melding><navn>Blåbær</navn></melding>".encode(coding)

    answer = stage.press(mine, "send", data=form, content_type=kind)

    assert answer.status_code == 204, answer.get_json()
    assert "Blåbær" in stage.element(mine)["forms"][0]["xml"]


# The calculation proxy


@pytest.mark.parametrize(
    ("method", "query", "about", "status", "code"),
    [
        pytest.param("POST", "dataType=regnestykke&dataType=timeliste", {}, 400, "parameter_refused", id="two types"),
        pytest.param("POST", "dataType=regnestykke&datatype=x", {}, 400, "parameter_refused", id="in two cases"),
        pytest.param("POST", "dataType=regnestykke&bridge-report=1", {}, 400, "parameter_refused", id="report"),
        pytest.param(
            "POST",
            "dataType=regnestykke",
            {"headers": {"Content-Encoding": "gzip"}},
            415,
            "body_coding",
            id="packed",
        ),
        pytest.param("GET", "dataType=regnestykke", {}, 400, "body_not_expected", id="a form for an empty one"),
        pytest.param(
            "POST",
            "dataType=regnestykke",
            {"environ_overrides": {"CONTENT_LENGTH": "5000"}},
            400,
            "body_incomplete",
            id="cut",
        ),
        pytest.param(
            "POST",
            "dataType=regnestykke",
            {"environ_overrides": {"CONTENT_LENGTH": "500000"}},
            400,
            "body_incomplete",
            id="a long one, cut",
        ),
    ],
)
def test_no_app_is_asked_what_was_not_meant(
    proxying: Proxying, method: str, query: str, about: dict[str, Any], status: int, code: str
) -> None:
    """What cannot be read as it was meant is refused here."""
    before = len(proxying.calls())

    answer = proxying.send(method, query=query, data=json.dumps(LINES), content_type="application/json", **about)

    assert told(answer) == (status, code)
    assert len(proxying.calls()) == before
