"""A fixed value may be spelled in any way that its type allows, and both engines say so."""

from pathlib import Path
from typing import Any

import pytest
import xmlschema
from lxml import etree

from bridge.core.mapping import FormKind, FormSpec
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits
from bridge.forms.xml.schema_defaults import strip_defaults
from tests.effort import growth

SCHEMA = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>
<x:element name="a" type="x:TYPE" fixed="FIXED" maxOccurs="unbounded"/>
<x:element name="b" type="x:int" minOccurs="0"/></x:sequence></x:complexType></x:element></x:schema>"""
SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd")


def loaded(folder: Path, kind: str, fixed: str, **limits: int) -> SchemaRegistry:
    (folder / "a.xsd").write_text(SCHEMA.replace("TYPE", kind).replace("FIXED", fixed), "utf-8")
    registry = SchemaRegistry(folder, Limits(**limits))
    registry.load(["a.xsd"])
    return registry


@pytest.mark.parametrize(
    ("kind", "fixed", "value"),
    [
        *(("boolean", "true", value) for value in ("true", "1", " 1 ", "0", "false", "TRUE", "")),
        *(("decimal", "1.5", value) for value in ("1.5", "1.50", "+1.5", "01.5", "1.51", "1,5")),
        *(("int", "7", value) for value in ("7", "007", "+7", "8", "7.0")),
        *(("double", "10", value) for value in ("10", "1E1", "10.0", "11")),
        *(("date", "2020-01-01", value) for value in ("2020-01-01", "2020-01-02", "2020-1-1")),
        *(("string", "a b", value) for value in ("a b", "a  b", " a b", "A b")),
        *(("token", "a b", value) for value in ("a b", "a  b", " a b ", "A b")),
        *(("hexBinary", "0F", value) for value in ("0F", "0f", "0E")),
    ],
)
def test_engines_agree_on_each_spelling(tmp_path: Path, kind: str, fixed: str, value: str) -> None:
    """What xmlschema takes for the same value is taken, and nothing else."""
    registry = loaded(tmp_path, kind, fixed)
    second: Any = xmlschema.XMLSchema10(str(tmp_path / "a.xsd"))
    form = f"<m><a>{value}</a><a>{fixed}</a></m>"

    assert (not registry.check("a.xsd", form)) == second.is_valid(form)


@pytest.mark.parametrize(
    ("fixed", "value", "valid"),
    [
        ("2020-01-01", "2020-01-01Z", False),
        ("2020-01-01Z", "2020-01-01", False),
        ("2020-01-01Z", "2020-01-01+00:00", True),
        ("2020-01-01", " 2020-01-01 ", True),
    ],
)
def test_a_date_with_a_zone_is_none_without(tmp_path: Path, fixed: str, value: str, valid: bool) -> None:
    """XSD cannot compare them; both engines take them for equal."""
    registry = loaded(tmp_path, "date", fixed)

    assert (not registry.check("a.xsd", f"<m><a>{value}</a><a>{fixed}</a></m>")) is valid


def test_what_is_spelled_otherwise_hides_no_fault(tmp_path: Path) -> None:
    """And is told as none beside one."""
    registry = loaded(tmp_path, "boolean", "true")

    found = registry.check("a.xsd", "<m><a>1</a><a>0</a><b>x</b></m>")

    assert [(each.path, each.rule) for each in found] == [("/m/a[2]", "fixed"), ("/m/b", "type")]


@pytest.mark.parametrize(("values", "paths"), [(("1", "true"), []), (("1", "0"), ["/m/a[2]"])])
def test_a_form_that_streams_is_judged_the_same(tmp_path: Path, values: tuple[str, str], paths: list[str]) -> None:
    """Its values are compared as they go by."""
    registry = loaded(tmp_path, "boolean", "true", max_bytes=10)
    file = tmp_path / "form.xml"
    file.write_text(f"<m><a>{values[0]}</a><a>{values[1]}</a></m>", "utf-8")

    assert [each.path for each in registry.check_file(SPEC, file)] == paths


DERIVED = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema">
<x:simpleType name="few"><x:restriction base="x:decimal"><x:maxInclusive value="5"/></x:restriction></x:simpleType>
<x:complexType name="B"><x:sequence/></x:complexType>
<x:complexType name="D"><x:complexContent><x:extension base="B"><x:sequence>
<x:element name="q" type="x:boolean" fixed="true"/></x:sequence></x:extension></x:complexContent></x:complexType>
<x:element name="m"><x:complexType><x:choice>
<x:element name="any" type="x:anyType" fixed="1"/><x:element name="simple" type="x:anySimpleType" fixed="1"/>
<x:element name="number" type="x:decimal" fixed="1.0"/><x:element name="group" type="B"/>
</x:choice></x:complexType></x:element></x:schema>"""


@pytest.mark.parametrize(
    ("inside", "valid"),
    [
        ('<any s:type="x:int">01</any>', True),
        ('<any s:type="x:int">2</any>', False),
        ('<any s:type="x:string">01</any>', False),
        ('<simple s:type="x:boolean">true</simple>', True),
        ('<simple s:type="x:boolean">false</simple>', False),
        ("<simple>01</simple>", False),
        ('<number s:type="few">1.00</number>', True),
        ('<number s:type="few">2</number>', False),
        ('<number s:type="x:int">1</number>', False),
        ("<number>1<!-- -->.00</number>", True),
        ("<number>1.0<?a b?>1</number>", False),
        ('<group s:type="D"><q>1</q></group>', True),
        ('<group s:type="D"><q>0</q></group>', False),
    ],
)
def test_a_fixed_value_is_of_the_type_that_the_form_names(tmp_path: Path, inside: str, valid: bool) -> None:
    """Under ``xsi:type``, and below it, values are compared by that type."""
    (tmp_path / "a.xsd").write_text(DERIVED, "utf-8")
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])
    second: Any = xmlschema.XMLSchema10(DERIVED)
    names = 'xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:s="http://www.w3.org/2001/XMLSchema-instance"'
    form = f"<m {names}>{inside}</m>"

    assert (not registry.check("a.xsd", form), second.is_valid(form)) == (valid, valid)


PADDED = {
    "a date": ("x:date", "2026-01-01"),
    "a type of its own": ("D", "2026-01-01"),
    "a type with attributes": ("C", "2026-01-01"),
    "a union": ("U", "2026"),
    "a year": ("x:gYear", "2026"),
    "a number": ("x:int", "7"),
    "a list": ("x:NMTOKENS", "a b"),
}
OWN = (
    '<x:simpleType name="D"><x:restriction base="x:date"/></x:simpleType><x:simpleType name="U"><x:union'
    ' memberTypes="x:gYear"><x:simpleType><x:restriction base="D"/></x:simpleType></x:union></x:simpleType>'
    '<x:complexType name="C"><x:simpleContent><x:extension base="D"/></x:simpleContent></x:complexType>'
)


@pytest.mark.parametrize("judge", ["libxml2", "xmlschema", "a stream"])
@pytest.mark.parametrize(("kind", "value"), PADDED.values(), ids=PADDED)
@pytest.mark.parametrize("which", ["fixed", "default"])
def test_blanks_around_the_schemas_own_value_mean_nothing(
    tmp_path: Path, which: str, kind: str, value: str, judge: str
) -> None:
    """To types that collapse them: the value is taken, and so is an element that leaves it to the schema."""
    marked = (
        ' xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"' if judge == "xmlschema" else ""
    )
    attribute = "" if kind == "C" else f'<x:attribute name="b" type="{kind}" {which}=" {value}&#10;"/>'
    (tmp_path / "a.xsd").write_text(
        f'<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"{marked}><x:element name="m"><x:complexType><x:sequence>'
        f'<x:element name="a" type="{kind}" {which}=" {value} " maxOccurs="9"/></x:sequence>{attribute}'
        f"</x:complexType></x:element>{OWN}</x:schema>"
    )
    registry = SchemaRegistry(tmp_path, Limits(max_bytes=1) if judge == "a stream" else None)
    registry.load(["a.xsd"])
    said = f' b="{value}"' if attribute else ""
    (tmp_path / "a.xml").write_text(f"<m{said}><a>{value}</a><a/><a><!-- k --></a></m>")
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd")

    assert registry.check_file(spec, tmp_path / "a.xml") == ()


def test_blanks_around_a_fixed_text_are_part_of_it(tmp_path: Path) -> None:
    """A string keeps them."""
    (tmp_path / "a.xsd").write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m" type="x:string" fixed=" a "/>'
        "</x:schema>"
    )
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])

    assert registry.check("a.xsd", "<m> a </m>") == ()
    assert [each.rule for each in registry.check("a.xsd", "<m>a</m>")] == ["fixed"]


def test_types_of_types_are_looked_at_once() -> None:
    """However often each is named: one that is a part of itself by mistake is told once all is read."""

    def strip(count: int) -> None:
        unions = "".join(
            f'<x:simpleType name="T{number}"><x:union memberTypes="T{number + 1} T{number + 1}"/></x:simpleType>'
            for number in range(count)
        )
        root = etree.fromstring(
            '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m" type="T0" default=" 1 "/>'
            f'{unions}<x:simpleType name="T{count}"><x:restriction base="x:int"/></x:simpleType></x:schema>'
        )
        strip_defaults([root])
        assert root[0].get("default") == "1"

    assert growth(strip, 1) < 80
