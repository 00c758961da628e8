"""Stateless apps: create, calculate, both formats, and the texts of what is refused."""

import json
from typing import Any

import pytest
import requests
from lxml import etree

from bridge.sandbox.apps.model import Member, empty, to_xml
from bridge.sandbox.apps.state import App, DataType
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import make_world, owner_token, session_into

APP = f"{BASE_URL}/apps/ttd/sandkasse-regnestykke"
DATA = f"{APP}/v1/data/anonymous?dataType=regnestykke"
JSON = {"Content-Type": "application/json"}
XML = {"Content-Type": "application/xml"}
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
LINES = {"linje": [{"tekst": "Søm", "antall": 2, "pris": "10.50"}, {"antall": 1, "pris": 4}]}


def posted(body: Any, headers: dict[str, str], world: World | None = None) -> requests.Response:
    return session_into(world or make_world()).post(DATA, data=body, headers=headers)


def test_get_creates_an_empty_form() -> None:
    """The model at the top, nulls included, attributes preset, calculated once; never cached."""
    answer = session_into(make_world()).get(DATA)

    model = answer.json()
    assert list(model)[:4] == ["dataFormatProvider", "dataFormatId", "dataFormatVersion", "linje"]
    assert (model["dataFormatId"], model["linje"], model["sats"], model["sum"]) == ("9001", None, 25, 0)
    assert answer.headers["Cache-Control"] == "no-store,no-cache"


def test_post_calculates() -> None:
    """Decimals digit for digit, letters unescaped, unknown members dropped, names in any case."""
    answer = posted(json.dumps({**LINES, "SATS": 20, "ukjent": 1}), JSON)

    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert '"belop":21.00' in answer.text
    assert '"sum":25.00,"avgift":5.00' in answer.text
    assert "Søm" in answer.text
    assert "ukjent" not in answer.text


def test_calculating_twice_changes_nothing() -> None:
    """A frontend saves the answer again."""
    first = posted(json.dumps(LINES), JSON)

    second = posted(first.content, JSON)

    assert second.content == first.content


def test_xml_in_gives_json_out() -> None:
    """Unless XML is asked for; a misplaced element vanishes with all behind it, and empty numbers are nil."""
    xml = (
        "<Regnestykke><linje><tekst>A</tekst><pris>3</pris><antall>9</antall><belop>4</belop></linje><sum>7</sum>"
        "<sats>5</sats>"
        "</Regnestykke>"
    )

    as_json = posted(xml, XML)
    as_xml = posted(xml, {**XML, "Accept": "application/xml"})

    line = as_json.json()["linje"][0]
    assert (line["pris"], line["antall"], line["belop"], as_json.json()["sats"]) == (3, None, None, 25)
    root = etree.fromstring(as_xml.content)
    assert as_xml.headers["Content-Type"].startswith("application/xml")
    assert not as_xml.text.startswith("<?xml")
    assert (root.tag, root.findtext("linje/pris")) == ("Regnestykke", "3")
    assert [dict(each.attrib) for each in root.iter("antall", "belop")] == [{NIL: "true"}, {NIL: "true"}]


@pytest.mark.parametrize(
    ("form", "sats"),
    [
        ("<ukjent>1</ukjent><sats>3</sats>", 25),
        ("<sats>3</sats><ukjent>1</ukjent>", 3),
        ("<linje><ukjent/><pris>1</pris></linje><sats>3</sats>", 3),
        ("<sats>3</sats><sats>4</sats><merknad>x</merknad>", 3),
    ],
)
def test_at_an_unknown_element_reading_ends(form: str, sats: int) -> None:
    """For its group, and at a second one of what there is only one of, too (facts 1.11)."""
    answer = posted(f"<Regnestykke>{form}</Regnestykke>", XML)

    assert (answer.json()["sats"], [each["pris"] for each in answer.json()["linje"]]) == (
        sats,
        [None] * form.count("<linje"),
    )


def test_a_class_may_leave_its_nulls_out() -> None:
    """By ``ShouldSerialize``, as many generated classes have; of a text that is null there is nothing anyhow."""
    members = (Member(name="navn"), Member(name="en", kind="number"), Member(name="to", kind="number", left_out=True))

    written = to_xml(empty(members), "Tall", members)

    assert [str(each.tag) for each in etree.fromstring(written)] == ["en"]


_CONVERTED = "The JSON value could not be converted to System.Nullable`1[System.Decimal]. Path: $.sats"
REFUSED: list[tuple[str, Any, dict[str, str], str]] = [
    ("another type", "x", {"Content-Type": "text/xml"}, "Unknown content type text/xml. Cannot read the data."),
    ("no type", b"x", {}, 'Unknown content type "null". Cannot read the data.'),
    ("a wrong value", '{"sats": "x"}', JSON, _CONVERTED),
    ("no JSON", "{", JSON, "Expected depth to be zero at the end of the JSON payload."),
    ("another root", "<Annet/>", XML, "There is an error in XML document (1, 2). <Annet xmlns=''> was not expected."),
    ("broken XML", "<Regnestykke>", XML, "There is an error in XML document"),
]


@pytest.mark.parametrize(("body", "headers", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_unreadable_bodies_are_400_in_plain_text(body: Any, headers: dict[str, str], text: str) -> None:
    """The app's own words; in quotes for who accepts only JSON."""
    plain = posted(body, headers)
    quoted = posted(body, {**headers, "Accept": "application/json"})

    assert (plain.status_code, quoted.status_code) == (400, 400)
    assert plain.text.startswith(text)
    assert quoted.json() == plain.text


def test_an_unknown_data_type_is_named() -> None:
    """400; a data type without a form is an empty 500; without a name two blanks stay."""
    session = session_into(make_world())

    answers = [session.get(f"{APP}/v1/data/anonymous{query}") for query in ("?dataType=x", "", "?dataType=pdf")]

    rest = "provided. Please provide a valid dataType as query parameter."
    assert [(each.status_code, each.text) for each in answers] == [
        (400, f"Invalid dataType x {rest}"),
        (400, f"Invalid dataType  {rest}"),
        (500, ""),
    ]


def test_an_empty_xml_body_is_an_empty_500() -> None:
    """As the real one throws inside its own error handling."""
    answer = posted(b" ", XML)

    assert (answer.status_code, answer.content) == (500, b"")


def test_put_is_not_allowed() -> None:
    """GET creates and POST calculates; by switch POST creates and PUT calculates."""
    today, before = make_world(), make_world(app_verbs="post_put")

    refused = session_into(today).put(DATA, json=LINES)
    taken = session_into(before).put(DATA, json=LINES)

    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, POST")
    assert (taken.status_code, taken.json()["sum"]) == (200, 25.0)
    assert session_into(before).get(DATA).status_code == 405


def test_apps_take_altinn_tokens_only() -> None:
    """A raw Maskinporten token is 401; the exchanged one opens."""
    world = make_world()
    address = f"{APP}/v1/data?dataType=regnestykke"
    raw = session_into(world, headers={"Authorization": f"Bearer {owner_token(world)}"})
    token = issue(world, BASE_URL, "platform", {"urn:altinn:orgNumber": world.owner.number}, lifetime=1800)
    exchanged = session_into(world, headers={"Authorization": f"Bearer {token}"})

    answers = [session_into(world).get(address), raw.get(address), exchanged.get(address)]

    assert [each.status_code for each in answers] == [401, 401, 200]
    assert exchanged.get(address, headers={"party": "partyid:51001"}).status_code == 200
    assert exchanged.post(address, json={}, headers={"party": "51001"}).text == "Invalid party header"


def test_the_metadata_describes_the_app() -> None:
    """Version, data types and what it shows first."""
    document = session_into(make_world()).get(f"{APP}/api/v1/applicationmetadata").json()

    assert (document["id"], document["onEntry"]) == (
        "ttd/sandkasse-regnestykke",
        {"instanceSelection": None, "show": "stateless"},
    )
    assert document["dataTypes"][0]["appLogic"]["classRef"] == "Sandbox.Models.Regnestykke"


def test_another_calculation_can_be_plugged_in() -> None:
    """An app is a model and a function."""
    world = make_world()
    members = (Member(name="navn"), Member(name="lengde", kind="number"))

    def measured(model: dict[str, Any], language: str | None) -> dict[str, Any]:
        return {**model, "lengde": len(model["navn"] or ""), "navn": f"{model['navn']} ({language})"}

    form = DataType(id="navn", root="Navn", class_name="Navn", members=members, calculate=measured)
    world.apps.register(App(org="ttd", name="navn", title="Navn", data_types=(form,)))
    address = f"{BASE_URL}/apps/ttd/navn/v1/data/anonymous?datatype=navn&language=nn"

    answer = session_into(world).post(address, json={"navn": "Å"})

    assert answer.json() == {"navn": "Å (nn)", "lengde": 1}
