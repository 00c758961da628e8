"""What the apps of the sandbox do by version, and the schemas that they publish."""

import json

from lxml import etree

from bridge.sandbox.apps.examples import example_apps
from bridge.sandbox.apps.schemas import xsd
from bridge.sandbox.in_process import BASE_URL
from tests.sandbox.support import make_world, session_into

APPS = f"{BASE_URL}/apps/ttd"


def test_the_schema_comes_as_text_or_encoded_twice() -> None:
    """A string through content negotiation; an unknown id is an empty 500."""
    session = session_into(make_world())
    address = f"{APPS}/sandkasse-timeliste/api/jsonschema"

    plain = session.get(f"{address}/timeliste")
    twice = session.get(f"{address}/timeliste", headers={"Accept": "application/json"})
    unknown = session.get(f"{address}/ukjent")

    assert plain.headers["Content-Type"].startswith("text/plain")
    assert json.loads(twice.json()) == plain.json()
    assert (unknown.status_code, unknown.content) == (500, b"")


def test_the_xsd_has_its_route_in_new_apps_only() -> None:
    """404 before 8.12.6 and for unknown types."""
    session = session_into(make_world())

    found = session.get(f"{APPS}/sandkasse-timeliste/api/xsdschema/timeliste")
    old = session.get(f"{APPS}/sandkasse-regnestykke-2021/api/xsdschema/regnestykke")
    unknown = session.get(f"{APPS}/sandkasse-timeliste/api/xsdschema/ukjent")

    assert [each.status_code for each in (found, old, unknown)] == [200, 404, 404]
    assert found.headers["Content-Type"] == "application/xml; charset=utf-8"


def test_forms_of_the_apps_fit_their_own_schemas() -> None:
    """What an app answers in XML is valid against the XSD beside it."""
    session = session_into(make_world())
    address = f"{APPS}/sandkasse-timeliste/v1/data/anonymous?dataType=timeliste&includeRowId=true"
    form = {"Ansatt-grp-7101": [{"Dag-grp-7102": [{"Timer-datadef-7103": {"value": 7.5}, "overtid": True}]}]}

    answer = session.post(address, json=form, headers={"Accept": "application/xml"})

    data_type = next(each for app in example_apps() for each in app.data_types if each.id == "timeliste")
    schema = etree.XMLSchema(etree.fromstring(xsd(data_type)))
    assert schema.validate(etree.fromstring(answer.content)), schema.error_log


def test_a_namespace_may_be_left_out() -> None:
    """The app tries its own, and then none; another one is refused."""
    session = session_into(make_world())
    address = f"{APPS}/sandkasse-timeliste/v1/data/anonymous?dataType=timeliste"
    headers = {"Content-Type": "application/xml"}

    bare = session.post(address, data=b"<Timeliste><Innsender><navn>A</navn></Innsender></Timeliste>", headers=headers)
    own = session.post(
        address,
        data=b"<Timeliste xmlns='urn:sandkasse:timeliste'><Innsender><navn>A</navn></Innsender></Timeliste>",
        headers=headers,
    )
    other = session.post(address, data=b"<Timeliste xmlns='urn:x'/>", headers=headers)

    assert bare.json()["Innsender"]["navn"] == own.json()["Innsender"]["navn"] == "A"
    assert (other.status_code, "<Timeliste xmlns='urn:x'> was not expected." in other.text) == (400, True)


def test_the_path_counts_letter_by_letter_for_the_metadata() -> None:
    """409 with the app's right name, unless the caller does not care; no version before 7.0."""
    session = session_into(make_world())
    address = f"{APPS}/Sandkasse-Regnestykke/api/v1/applicationmetadata"

    wrong, careless = session.get(address), session.get(f"{address}?checkOrgApp=false")
    old = session.get(f"{APPS}/sandkasse-regnestykke-2021/api/v1/applicationmetadata").json()

    assert (wrong.status_code, careless.status_code) == (409, 200)
    assert wrong.text == (
        "This is ttd/sandkasse-regnestykke, and not the app you are looking for: ttd/Sandkasse-Regnestykke!"
    )
    assert "altinnNugetVersion" not in old
