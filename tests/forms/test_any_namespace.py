"""What the check takes, every other reader of forms takes, also where libxml2 finds a namespace no URI."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.mapping import FormKind, FormSpec
from bridge.forms.altinn2_equivalence import washed_differences
from bridge.forms.conversion.converter import Converter
from bridge.forms.diff import differences
from bridge.forms.fields import read_values, set_values
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits, Unreadable, parse
from bridge.forms.xml.namespaces import in_plain_namespaces
from bridge.forms.xml.schema_files import Engine

NAMESPACES = ["http://skjema.example/a", "http://skjema.example/å", "urn:prøve", "melding", "a b", "::", "%zz"]
SCHEMA = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="{0}" xmlns="{0}"
 elementFormDefault="qualified"><x:element name="m"><x:complexType><x:sequence>
<x:element name="a" type="x:string" minOccurs="0"/><x:any namespace="##other" processContents="skip" minOccurs="0"/>
</x:sequence></x:complexType></x:element></x:schema>"""
PATH = "//*[local-name()='a']"


def form(namespace: str, value: str = "1", inner: str = "urn:indre-ø") -> str:
    return f'<m xmlns="{namespace}"><a>{value}</a><b xmlns="{inner}"><c/></b></m>'


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_every_reader_takes_what_the_check_takes(tmp_path: Path, namespace: str) -> None:
    """Values are read and put in, losses are seen, and JSON comes back as the form that it was."""
    (tmp_path / "a.xsd").write_text(SCHEMA.format(namespace), "utf-8")
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])
    converter = Converter.from_schema(tmp_path / "a.xsd")
    sent, other = form(namespace), form(namespace, "2")

    assert registry.check("a.xsd", sent) == ()
    assert read_values(sent, [("a", PATH)]) == {"a": "1"}
    assert set_values(sent, [(PATH, "2")], {}) == other
    assert [each.path for each in differences(sent, other)] == ["/m/a"]
    assert [each.path for each in washed_differences(sent, other, limits=Limits())] == ["/m/a"]
    assert differences(sent, converter.to_xml(converter.to_json(sent)), converter=converter) == ()


@given(
    st.sampled_from(NAMESPACES), st.sampled_from(NAMESPACES), st.sampled_from(["<x>", "</m>", "&a;", "<!DOCTYPE m>"])
)
def test_nothing_else_is_forgiven(namespace: str, inner: str, broken: str) -> None:
    """A namespace beside it makes broken XML no better."""
    with pytest.raises(Unreadable):
        read_values(form(namespace, inner=inner) + broken, [("a", PATH)])


BROKEN = [("</m>x", 1), ("</n>", 1), ("</m>\n<m/>", 2)]


@pytest.mark.parametrize("limit", [Limits(), Limits(max_bytes=30)], ids=["whole", "streamed"])
@pytest.mark.parametrize(("end", "line"), BROKEN, ids=["text behind the root", "wrong end tag", "a second root"])
def test_the_place_of_a_syntax_error_is_that_in_the_form_that_came(
    tmp_path: Path, end: str, line: int, limit: Limits
) -> None:
    """A namespace with an å moves nothing."""
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="a.xsd")
    places = []
    for namespace in ("urn:a", "urn:å"):
        (tmp_path / "a.xsd").write_text(SCHEMA.format(namespace), "utf-8")
        registry = SchemaRegistry(tmp_path, limit)
        registry.load(["a.xsd"])
        sent = f'<m xmlns="{namespace}"><a>1</a>{end}'
        (tmp_path / "a.xml").write_text(sent, "utf-8")
        (found,) = registry.check_file(spec, tmp_path / "a.xml")
        places.append((found.rule, found.line, found.column))

    assert places[0] == places[1]
    assert places[1][:2] == ("not_well_formed", line)
    assert 1 <= places[1][2] <= len(sent.splitlines()[line - 1]) + 1


def test_nothing_may_follow_a_large_form_either(tmp_path: Path) -> None:
    """The way of large forms forgives no more."""
    (tmp_path / "a.xsd").write_text(
        SCHEMA.format("urn:a").replace('"a" type', '"a" maxOccurs="unbounded" type'), "utf-8"
    )
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])
    large = '<m xmlns="urn:a">' + "<a>1</a>" * 20_000 + '<b xmlns="urn:ø"><c xmlns="melding"/></b></m>'

    assert registry.check("a.xsd", large) == ()
    assert [each.rule for each in registry.check("a.xsd", large + "<m/>")] == ["not_well_formed"]


ODD = ["http://skjema.example/æ", "a b", "urn:t{x", "melding", "http://[::1"]
AFTER = [
    "x",
    "<m/>",
    "<!DOCTYPE m>",
    "<script>2</script>",
    "&#0;",
    "&a;",
    "\x01",
    "<![CDATA[x]]>",
    "<?xml version='1.0'?>",
]


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("namespace", ODD)
def test_nothing_may_follow_a_form_whatever_its_namespaces(tmp_path: Path, namespace: str, after: str) -> None:
    """Whether the namespace is the schema's or an unused one, in forms, in schemas and in what streams."""
    (tmp_path / "odd.xsd").write_text(SCHEMA.format(namespace), "utf-8")
    (tmp_path / "plain.xsd").write_text(SCHEMA.format("urn:a"), "utf-8")
    (tmp_path / "bad.xsd").write_text(SCHEMA.format(namespace) + after, "utf-8")
    registry = SchemaRegistry(tmp_path)
    registry.load(["odd.xsd", "plain.xsd"])
    forms = {
        "odd.xsd": f'<m xmlns="{namespace}"><a>1</a></m>',
        "plain.xsd": f'<m xmlns="urn:a" xmlns:q="{namespace}"><a>1</a></m>',
    }

    for schema, good in forms.items():
        assert registry.check(schema, good + "\n<!-- k --><?p k?>\n") == ()
        assert [each.rule for each in registry.check(schema, good + after)] == ["not_well_formed"]
        assert streamed(registry, tmp_path, schema, good) == []
        assert streamed(registry, tmp_path, schema, good + after) == ["not_well_formed"]
    assert registry.faults("bad.xsd")


def streamed(registry: SchemaRegistry, folder: Path, schema: str, form: str) -> list[str]:
    """Judge a form as one that is too large to be held."""
    path = folder / "a.xml"
    path.write_text(form, "utf-8")
    small = SchemaRegistry(folder, Limits(max_bytes=1))
    small.load([schema])
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema=schema)
    return [each.rule for each in small.check_file(spec, path)]


def test_faults_are_told_as_in_any_other_namespace(tmp_path: Path) -> None:
    """By the fast engine, with comments in values, and with the names that the schema has."""
    (tmp_path / "a.xsd").write_text(SCHEMA.format("urn:æ").replace('type="x:string"', 'type="x:int"'), "utf-8")
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])
    head = '<s:m xmlns:s="urn:&#230;">'

    assert registry.engine("a.xsd") is Engine.LIBXML2
    assert registry.roots("a.xsd") == ("{urn:æ}m",)
    assert registry.check("a.xsd", f"{head}<s:a>1<!-- k -->2</s:a></s:m>") == ()
    assert [each.path for each in registry.check("a.xsd", f"{head}<s:a>1x</s:a></s:m>")] == ["/s:m/s:a"]
    (other,) = registry.check("a.xsd", '<m xmlns="urn:%C3%A6"/>')
    assert (other.rule, other.facts) == ("wrong_namespace", {"namespace": "urn:æ"})
    assert in_plain_namespaces(b'<a b=" xmlns=\'&#230;\'"><![CDATA[<a xmlns="\xc3\xa6">]]></a>') == (
        b'<a b=" xmlns=\'&#230;\'"><![CDATA[<a xmlns="\xc3\xa6">]]></a>'
    )


@pytest.mark.parametrize("broken", ["<b></m>", "</m>\n<x/>", "</m>\n  text", "<b>&x;</b></m>", '<b c="" c=""/></m>'])
def test_broken_xml_is_told_where_it_breaks(broken: str) -> None:
    """And not at the namespace, of which nothing is wrong."""
    places = []
    for namespace in ("urn:a", "urn:æ", "a"):
        with pytest.raises(Unreadable) as refused:
            parse(f'<m\nxmlns="{namespace}">\n{broken}'.encode())
        places.append((refused.value.finding.line, refused.value.finding.column))

    assert len(set(places)) == 1


@pytest.mark.parametrize("namespace", ["urn:a", "urn:æ"])
def test_a_broken_schema_is_told_by_what_is_wrong(tmp_path: Path, namespace: str) -> None:
    """A schema is nobody's form: libxml2's own words may be read."""
    (tmp_path / "a.xsd").write_text(SCHEMA.format(namespace).replace("</x:sequence>", ""), "utf-8")

    (fault,) = SchemaRegistry(tmp_path).faults("a.xsd")

    assert "mismatch: sequence" in fault.message
