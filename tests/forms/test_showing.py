"""A form as people read it."""

from pathlib import Path

import pytest

from bridge.forms.conversion.converter import Converter
from bridge.forms.showing import Shown, shown_form, shown_places, spoken
from bridge.forms.xml.input import Limits

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="melding"><xs:complexType><xs:sequence>
  <xs:element name="navn" type="xs:string">
    <xs:annotation>
      <xs:documentation xml:lang="nb">Navnet på stedet</xs:documentation>
      <xs:documentation xml:lang="en">Name of the place</xs:documentation>
    </xs:annotation>
  </xs:element>
  <xs:element name="harUteservering" type="xs:boolean">
    <xs:annotation><xs:documentation>Ute?</xs:documentation></xs:annotation>
  </xs:element>
  <xs:element name="adresse" maxOccurs="unbounded"><xs:complexType><xs:sequence>
    <xs:element name="postNr-datadef-63" type="xs:string" minOccurs="0"/>
    <xs:element name="lang" type="xs:string" minOccurs="0">
      <xs:annotation><xs:documentation>LONG</xs:documentation></xs:annotation>
    </xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>""".replace("LONG", "ord " * 40)
FORM = """<melding xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><!-- x -->
<navn> Kafé Påfunn </navn><harUteservering>1</harUteservering>
<adresse><postNr-datadef-63>0002</postNr-datadef-63><lang>x</lang></adresse><adresse><lang xsi:nil="true"/></adresse>
</melding>"""


@pytest.fixture
def converter(tmp_path: Path) -> Converter:
    (tmp_path / "s.xsd").write_text(SCHEMA, "utf-8")
    return Converter.from_schema(tmp_path / "s.xsd")


def test_a_form_is_shown_with_the_schemas_words(converter: Converter) -> None:
    """In order, with documentation by language, names made words where there is none, and nothing that is empty."""
    found = list(shown_form(FORM, converter.root, limits=Limits()))

    assert found == [
        Shown(
            depth=0,
            labels={"nb": "Navnet på stedet", "en": "Name of the place"},
            name="Navn",
            value=" Kafé Påfunn ",
        ),
        Shown(depth=0, labels={"": "Ute?"}, name="Har uteservering", value="1", boolean=True),
        Shown(depth=0, labels={}, name="Adresse", value=None),
        Shown(depth=1, labels={}, name="Post nr", value="0002"),
        Shown(depth=1, labels={}, name="Lang", value="x"),
    ]


@pytest.mark.parametrize("yes", ["true", "1", " true\n"])
def test_what_is_nil_is_not_shown(converter: Converter, yes: str) -> None:
    """However that is spelled, as everywhere else."""
    form = FORM.replace("<navn>", f'<navn xsi:nil="{yes}">')

    assert "Navn" not in [each.name for each in shown_form(form, converter.root, limits=Limits())]


def test_a_value_is_shown_with_all_its_pieces() -> None:
    """Also behind a comment and a marked section."""
    form = "<m><a>12<!-- k -->34</a><b><!-- k -->5<![CDATA[6]]></b><c><!-- k --></c></m>"

    assert [(each.name, each.value) for each in shown_form(form, None, limits=Limits())] == [("A", "1234"), ("B", "56")]


def test_a_form_is_shown_without_a_schema() -> None:
    """By its names alone."""
    found = [(each.name, each.value) for each in shown_form(FORM, None, limits=Limits())]

    assert found[:2] == [("Navn", " Kafé Påfunn "), ("Har uteservering", "1")]


def test_only_what_is_wanted_is_shown(converter: Converter) -> None:
    """Each place that is found, under the mapping's label or else the schema's; attributes, too."""
    wanted = [("/melding/adresse/postNr-datadef-63", {"nb": "Sted"}), ("/melding/navn", None), ("/melding/@x", None)]

    found = list(shown_places(FORM.replace("<melding ", '<melding x="y" '), converter.root, wanted, limits=Limits()))

    assert [(each.labels, each.name, each.value) for each in found] == [
        ({"nb": "Sted"}, "Post nr", "0002"),
        ({"nb": "Navnet på stedet", "en": "Name of the place"}, "Navn", " Kafé Påfunn "),
        ({}, "X", "y"),
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sitteplasserInne", "Sitteplasser inne"),
        ("OrgNr", "Org nr"),
        ("OppgavegiverNavn-datadef-68", "Oppgavegiver navn"),
        ("Kontaktperson-grp-1234", "Kontaktperson"),
        ("til_dato", "Til dato"),
        ("åpningstidHverdagØnsket", "Åpningstid hverdag ønsket"),
    ],
)
def test_names_become_words(name: str, said: str) -> None:
    """As near as names come."""
    assert spoken(name) == said
