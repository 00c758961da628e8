"""Real forms through the proxy: the sandbox is an app of each schema that calculates nothing."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from bridge.forms.conversion.converter import Converter
from bridge.forms.conversion.model import Content, ElementDecl, Kind
from bridge.forms.diff import differences
from bridge.sandbox.apps.model import Member
from bridge.sandbox.apps.state import App, DataType
from tests.web.proxying import SUM, XML, Proxying

SHARED = Path(__file__).parents[2] / ".." / "shared" / "forms"
pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(
        not SHARED.is_dir() and not os.environ.get("CI"), reason="the folder shared beside the checkout is missing"
    ),
]
# xs:all gives no order, and the classes of .NET always have one.
FORMS = [
    "afp-arbeidsgiverskjema",
    "bli-tjenesteeier",
    "hvem-er-hvem",
    "mva-betalingsinformasjon",
    "reference-array",
]
KINDS = {
    **dict.fromkeys((Kind.TEXT, Kind.COLLAPSED, Kind.QNAME, Kind.MAYBE_QNAME), "text"),
    **dict.fromkeys((Kind.NUMBER, Kind.REAL), "number"),
    Kind.BOOLEAN: "boolean",
}


def members_of(content: Content, depth: int = 0) -> tuple[Member, ...]:
    """The members of the class that Altinn would make of a type."""
    attributes = tuple(
        Member(name=each.member, kind=KINDS[each.kind], attribute=True) for each in content.attributes.values()
    )
    if content.kind is not None:
        return (*attributes, Member(name="value", kind=KINDS[content.kind], content=True))
    assert depth < 40
    return (*attributes, *(member_of(place, depth + 1) for place in content.members.values()))


def member_of(place: ElementDecl, depth: int) -> Member:
    content = place.content
    many, nillable = place.many, place.nillable
    if content.kind is not None and not content.wrapped:
        return Member(name=place.member, kind=KINDS[content.kind], many=many, nillable=nillable)
    return Member(name=place.member, kind="group", many=many, nillable=nillable, members=members_of(content, depth))


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Proxying]:
    name: str = request.param
    shutil.copy(SHARED / name / "schema.xsd", tmp_path / "schema.xsd")
    route = "token: caller\nanonymous: true\ndata_types: {form: {schema: form.xsd, validate: warn, speaks: xml}}\n"
    made = Proxying(tmp_path, {SUM: OPEN, f"ttd/{name}": route}, extra={"form.xsd": SHARED / name / "schema.xsd"})
    root = Converter.from_schema(tmp_path / "schema.xsd").root
    tag = etree.QName(root.tag)
    form = DataType(
        id="form",
        root=tag.localname,
        namespace=tag.namespace or "",
        class_name="Form",
        members=members_of(root.content),
    )
    made.world.apps.register(App(org="ttd", name=name, title=name, data_types=(form,)))
    yield made
    made.close()


OPEN = "token: caller\nanonymous: true\n"


@pytest.mark.parametrize(("stage", "name"), [(each, each) for each in FORMS], indirect=["stage"], ids=FORMS)
def test_a_real_form_survives_the_way(stage: Proxying, name: str, tmp_path: Path) -> None:
    """No fault is found in a valid form, and nothing is lost of it, in XML and as JSON."""
    form = (SHARED / name / "valid.xml").read_bytes()
    converter = Converter.from_schema(tmp_path / "schema.xsd")

    as_xml = stage.send("POST", f"ttd/{name}", "dataType=form", data=form, headers={**XML, "Accept": "application/xml"})
    as_json = stage.send("POST", f"ttd/{name}", "dataType=form", data=form, headers=XML)
    again = stage.send(
        "POST",
        f"ttd/{name}",
        "dataType=form",
        data=converter.to_json(form).encode(),
        headers={"Content-Type": "application/json", "Accept": "application/xml"},
    )

    assert (as_xml.status_code, as_xml.headers["Bridge-Findings"]) == (200, "0"), as_xml.text
    assert differences(form, as_xml.data, converter=converter) == ()
    assert differences(form, again.data, converter=converter) == ()
    assert as_json.content_type.startswith("application/json")
    assert (
        differences(converter.to_json(form), json.dumps(as_json.get_json(), ensure_ascii=False), converter=converter)
        == ()
    )


@pytest.mark.parametrize("stage", ["afp-arbeidsgiverskjema"], indirect=True)
def test_a_form_that_altinn_takes_is_not_blocked(stage: Proxying) -> None:
    """What Altinn's own load test posts breaks the schema, and is calculated all the same."""
    form = (SHARED / "afp-arbeidsgiverskjema" / "invalid-missing-orid.xml").read_bytes()

    answer = stage.send("POST", "ttd/afp-arbeidsgiverskjema", "dataType=form", data=form, headers=XML)

    assert answer.status_code == 200
    assert int(answer.headers["Bridge-Findings"]) > 0
