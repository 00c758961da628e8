"""Every fault of a form is told, with its place and rule and nothing of its values."""

import threading
from pathlib import Path

import pytest

from bridge.bundled import examples_folder, schemas_folder
from bridge.core.errors import ConfigurationError, Finding
from bridge.core.texts.findings import RULES, sentence
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits

SCHEMA = "serveringsbevilling.xsd"
VALID = (examples_folder() / "serveringsbevilling.xml").read_text("utf-8")
REGISTRY = SchemaRegistry(schemas_folder())
REGISTRY.load([SCHEMA])

SMALL = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" %s elementFormDefault="qualified">
<x:element name="m"><x:complexType><x:sequence>
 <x:element name="a" type="x:int"/>
 <x:element name="b" type="x:date" minOccurs="0" maxOccurs="2"/>
 <x:choice><x:element name="c" type="x:string"/><x:element name="d" type="x:string"/></x:choice>
 <x:element name="e"><x:complexType><x:sequence>
  <x:element name="f" maxOccurs="unbounded"><x:simpleType><x:restriction base="x:string">
   <x:pattern value="([A-Z]|ÆØÅ)+"/></x:restriction></x:simpleType></x:element></x:sequence>
  <x:attribute name="g" type="x:int" use="required"/></x:complexType></x:element>
</x:sequence></x:complexType></x:element></x:schema>"""


def small(tmp_path: Path, namespace: str | None = None) -> SchemaRegistry:
    """Load a small schema, in *namespace* if there is one."""
    (tmp_path / "small.xsd").write_text(SMALL % (f'targetNamespace="{namespace}"' if namespace else ""))
    registry = SchemaRegistry(tmp_path)
    registry.load(["small.xsd"])
    return registry


def places(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.path, finding.rule) for finding in findings]


def test_a_valid_form_has_no_findings():
    """Bytes or text, it is accepted."""
    assert REGISTRY.check(SCHEMA, VALID) == ()
    assert REGISTRY.check(SCHEMA, VALID.encode()) == ()


def test_the_shipped_faulty_form_is_explained():
    """Four different faults, by line, path and rule."""
    xml = (examples_folder() / "serveringsbevilling-with-faults.xml").read_bytes()

    findings = REGISTRY.check(SCHEMA, xml)

    assert [(finding.line, finding.path, finding.rule) for finding in findings] == [
        (8, "/melding/virksomhet/forretningsadresse/postnummer", "digits"),
        (31, "/melding/drift/bevillingstype", "enumeration"),
        (32, "/melding/drift/oppstartsdato", "type"),
        (45, "/melding/dagligLeder/navn", "missing_element"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "path", "rule", "in_nb"),
    [
        (">0001<", ">1<", "/melding/virksomhet/forretningsadresse/postnummer", "digits", "må ha fire siffer"),
        (">0001<", "><", "/melding/virksomhet/forretningsadresse/postnummer", "empty", "må fylles ut"),
        (">84.5<", ">84.55<", "/melding/serveringssted/gulvareal", "fraction_digits", "én desimal."),
        (">84.5<", ">0<", "/melding/serveringssted/gulvareal", "min_exclusive", "mer enn 0"),
        (">40<", ">5001<", "/melding/serveringssted/sitteplasserInne", "max_inclusive", "høyst 5000"),
        (">40<", ">førti<", "/melding/serveringssted/sitteplasserInne", "type", "heltall"),
        (">150000.00<", ">-1<", "/melding/oekonomi/egenkapital", "min_inclusive", "minst 0"),
        (">150000.00<", ">1234567890123456<", "/melding/oekonomi/egenkapital", "total_digits", "høyst 14 sifre"),
        (">servering<", ">bar<", "/melding/drift/bevillingstype", "enumeration", "servering og skjenking"),
        (">2026-03-01<", ">1. mars<", "/melding/drift/oppstartsdato", "type", "en dato (åååå-mm-dd)"),
        (">lørdag<", ">Lørdag<", "/melding/drift/aapningstid[2]/ukedag", "enumeration", "lørdag"),
        (">20:00:00<", ">20<", "/melding/drift/aapningstid[1]/stenger", "type", "klokkeslett"),
        ("post@oppdiktet.example", "post", "/melding/kontaktperson/epost", "pattern", "mønsteret"),
        ("post@", "p" * 120 + "@", "/melding/kontaktperson/epost", "max_length", "høyst 120 tegn"),
        ("true</opp", "false</opp", "/melding/erklaering/opplysningeneErRiktige", "fixed", "må være true"),
        ("Bestaatt>true", "Bestaatt>ja", "/melding/dagligLeder/etablererproeveBestaatt", "type", "true eller false"),
        ('"5801"', '"5802"', "/melding/@dataFormatId", "fixed", "må være 5801"),
        (' dataFormatId="5801"', "", "/melding/@dataFormatId", "missing_attribute", "dataFormatId mangler"),
        ("<sted>", '<sted kode="x">', "/melding/erklaering/sted/@kode", "unexpected_attribute", "kode"),
        (" dataFormatId=", ' kode="x" dataFormatId=', "/melding/@kode", "unexpected_attribute", "kode"),
        ("<sted>", "<stad/><sted>", "/melding/erklaering/stad", "unexpected_element", "hører ikke hjemme"),
        ("<sted>Prøvestad</sted>", "", "/melding/erklaering/sted", "missing_element", "Sted mangler"),
        ("<erklaering>", "<erklaering>tekst", "/melding/erklaering", "text_not_allowed", "ikke tekst"),
        (">Prøvestad</sted>", "><b/></sted>", "/melding/erklaering/sted", "children_not_allowed", "ikke andre felt"),
        ("<navn>Kafé", '<navn xsi:nil="true">Kafé', "/melding/serveringssted/navn", "nil_not_allowed", "xsi:nil"),
        ('"true"/>', '"true">x</bydel>', "/melding/serveringssted/bydel", "nil_with_content", "har innhold"),
        ("melding", "skjema", "/skjema", "wrong_root", "begynne med melding"),
    ],
)  # fmt: skip
def test_each_rule_is_told_at_its_place(old: str, new: str, path: str, rule: str, in_nb: str):
    """A single fault gives a single finding with its path, its rule and a sentence that names the field."""
    assert old in VALID

    findings = REGISTRY.check(SCHEMA, VALID.replace(old, new))

    assert places(findings) == [(path, rule)]
    assert in_nb in sentence(findings[0], "nb")
    assert findings[0].line > 0
    assert rule in RULES


def test_no_value_is_ever_told():
    """Whatever stands in the form, no finding quotes it."""
    value = "Hemmeligheten'] er her"
    xml = VALID
    for known in ("313000370", "0001", "84.5", "servering", "2026-03-01", "08:00:00", "150000.00"):
        xml = xml.replace(f">{known}<", f">{value}<")

    findings = REGISTRY.check(SCHEMA, xml)

    told = repr(findings) + "".join(sentence(finding, "en") for finding in findings)
    assert len(findings) >= 7
    assert "Hemmelig" not in told


def test_an_identity_number_in_a_name_is_masked():
    """A sender may put anything into the name of an element."""
    findings = REGISTRY.check(SCHEMA, VALID.replace("<sted>", "<x01810112345/><sted>"))

    assert [finding.path for finding in findings] == ["/melding/erklaering/x***********"]


def test_one_fault_does_not_hide_the_next(tmp_path: Path):
    """libxml2 stops at the first misplaced child; we go on behind it."""
    xml = "<m><z/><b>x</b><b>2020-01-01</b><b>2020-01-01</b><e><f>1</f><g/><f>2</f></e><y/></m>"

    findings = small(tmp_path).check("small.xsd", xml)

    assert set(places(findings)) == {
        ("/m/z", "unexpected_element"),
        ("/m/a", "missing_element"),
        ("/m/b[1]", "type"),
        ("/m/b[3]", "too_many"),
        ("/m", "incomplete"),
        ("/m/e/@g", "missing_attribute"),
        ("/m/e/f[1]", "pattern"),
        ("/m/e/g", "unexpected_element"),
        ("/m/e/f[2]", "pattern"),
        ("/m/y", "unexpected_element"),
    }


def test_a_field_in_the_wrong_place_is_told_once(tmp_path: Path):
    """Moved, not missing."""
    findings = small(tmp_path).check("small.xsd", '<m><c/><a>1</a><e g="1"><f>A</f></e></m>')

    assert places(findings) == [("/m/c", "misplaced_element")]


def test_namespaces_are_read_by_prefix(tmp_path: Path):
    """Paths have the prefixes of the form, or none where it has none."""
    registry = small(tmp_path, "urn:proeve")

    plain = registry.check("small.xsd", '<m xmlns="urn:proeve"><a>x</a><c/><e g="1"><f>A</f><f>1</f></e></m>')
    prefixed = registry.check(
        "small.xsd", '<p:m xmlns:p="urn:proeve"><p:a>x</p:a><p:c/><p:e g="x"><p:f>A</p:f><p:f>1</p:f></p:e></p:m>'
    )

    assert places(plain) == [("/m/a", "type"), ("/m/e/f[2]", "pattern")]
    assert places(prefixed) == [("/p:m/p:a", "type"), ("/p:m/p:e/@g", "type"), ("/p:m/p:e/p:f[2]", "pattern")]


def test_unreadable_forms_are_findings():
    """What is no XML is told in the same way as what breaks the schema."""
    assert places(REGISTRY.check(SCHEMA, "<a>")) == [("/", "not_well_formed")]
    assert places(REGISTRY.check(SCHEMA, b"")) == [("/", "empty_document")]


def test_findings_have_a_limit(tmp_path: Path):
    """A form with faults everywhere does not make an endless answer."""
    (tmp_path / "small.xsd").write_text(SMALL % "")
    registry = SchemaRegistry(tmp_path, Limits(max_findings=5))
    registry.load(["small.xsd"])

    findings = registry.check("small.xsd", "<m><a>1</a><c/><e g='1'>" + "<f>1</f>" * 20 + "</e></m>")

    assert [finding.rule for finding in findings] == ["pattern"] * 5 + ["more_findings"]


def test_large_forms_are_judged_alike(tmp_path: Path):
    """Above the size at which a form is judged while it is read, the verdict and the place are the same."""
    registry = small(tmp_path)
    rows = "<f>A</f>\n" * 20_000
    xml = f'<m><a>1</a><c/><e g="1">\n{rows}</e></m>'

    assert registry.check("small.xsd", xml) == ()
    assert places(registry.check("small.xsd", xml.replace("A</f>\n</e>", "1</f>\n</e>"))) == [
        ("/m/e/f[20000]", "pattern")
    ]
    assert places(registry.check("small.xsd", xml + "<")) == [("/", "not_well_formed")]
    assert places(registry.check("small.xsd", xml.replace(">A<", ">1<"))) == [("/", "too_many_findings")]


def test_threads_share_no_error_log():
    """Good and bad forms checked at once by many threads each get their own verdict."""
    bad = VALID.replace(">0001<", ">1<")
    wrong: list[str] = []

    def work() -> None:
        for _ in range(30):
            if REGISTRY.check(SCHEMA, VALID) or [f.rule for f in REGISTRY.check(SCHEMA, bad)] != ["digits"]:
                wrong.append("verdict")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_schema_that_is_not_there_is_a_fault():
    """It is told when it is loaded, which is at start."""
    registry = SchemaRegistry(schemas_folder())

    with pytest.raises(ConfigurationError):
        registry.load(["serveringsbevilling.xsd", "missing.xsd"])


def test_what_nothing_declares_may_not_stand_where_anything_may(tmp_path: Path):
    """``xs:any`` asks for a declaration, and the element is told as out of place, not as a wrong root."""
    (tmp_path / "a.xsd").write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>'
        "<x:any/></x:sequence></x:complexType></x:element></x:schema>"
    )
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])

    assert places(registry.check("a.xsd", "<m><q/></m>")) == [("/m/q", "unexpected_element")]
