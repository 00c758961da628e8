"""What the check takes, every other reader of forms takes, also where libxml2 finds a namespace no URI."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.forms.convert import Shape
from bridge.forms.fields import read_values, set_values
from bridge.forms.losses import differences
from bridge.forms.reading import Limits, Unreadable
from bridge.forms.washing import washed_differences
from bridge.forms.xsd import SchemaRegistry

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
    shape = Shape.from_schema(tmp_path / "a.xsd")
    sent, other = form(namespace), form(namespace, "2")

    assert registry.check("a.xsd", sent) == ()
    assert read_values(sent, [("a", PATH)]) == {"a": "1"}
    assert set_values(sent, [(PATH, "2")], {}) == other
    assert [each.path for each in differences(sent, other)] == ["/m/a"]
    assert [each.path for each in washed_differences(sent, other, limits=Limits())] == ["/m/a"]
    assert differences(sent, shape.to_xml(shape.to_json(sent)), shape=shape) == ()


@given(
    st.sampled_from(NAMESPACES), st.sampled_from(NAMESPACES), st.sampled_from(["<x>", "</m>", "&a;", "<!DOCTYPE m>"])
)
def test_nothing_else_is_forgiven(namespace: str, inner: str, broken: str) -> None:
    """A namespace beside it makes broken XML no better."""
    with pytest.raises(Unreadable):
        read_values(form(namespace, inner=inner) + broken, [("a", PATH)])


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
