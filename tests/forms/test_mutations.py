"""Each facet of each form is broken once, and what is told names the field and the rule."""

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
import xmlschema
from lxml import etree

from bridge.bundled import schemas_folder
from bridge.core.texts.findings import field_name, sentence
from bridge.forms.registry import SchemaRegistry
from tests.forms.instances import Maker, breaking, every_facet

REAL = Path(__file__).parents[3] / "shared" / "forms"
RULES = {
    "pattern": {"pattern", "digits"},
    "enumeration": {"enumeration"},
    "length": {"length"},
    "minLength": {"min_length", "empty"},
    "maxLength": {"max_length"},
    "minInclusive": {"min_inclusive"},
    "maxInclusive": {"max_inclusive"},
    "minExclusive": {"min_exclusive"},
    "maxExclusive": {"max_exclusive"},
    "totalDigits": {"total_digits"},
    "fractionDigits": {"fraction_digits"},
    "fixed": {"fixed"},
}
"""What may be told when a facet is broken."""


def broken_forms(registry: SchemaRegistry, name: str) -> list[tuple[str, str, bytes]]:
    """For each facet the place, the facet, and a whole form in which it alone is broken."""
    forms = []
    schema: Any = xmlschema.XMLSchema10(registry._schemas[name].files.texts[name].decode())
    for way, attribute, simple, facet in every_facet(schema):
        root = Maker(Random(1), whole=True).make(way[0], way)
        assert registry.check(name, etree.tostring(root)) == (), "the form that is to be broken is sound"
        node, path = root, f"/{etree.QName(root).localname}"
        for declared in way[1:]:
            node = next(child for child in node if child.tag == declared.name)
            path += "/" + etree.QName(node).localname
        value = "annet enn det faste" if facet == "fixed" else breaking(simple, facet)
        if facet == "fixed" and not simple.is_valid(value):
            value = next(each for each in ("false", "2", "1999-01-01") if simple.is_valid(each))
        assert value is not None, (path, facet, "no value breaks it: count it as what it is")
        if attribute is None:
            node.text = value
        else:
            node.set(attribute, value)
            path += f"/@{attribute}"
        forms.append((path, facet, etree.tostring(root)))
    return forms


def assert_each_is_told(registry: SchemaRegistry, name: str, count: int) -> None:
    forms = broken_forms(registry, name)
    assert len(forms) == count
    for path, facet, xml in forms:
        findings = registry.check(name, xml)
        told = {finding.rule for finding in findings}
        places = {"/".join(step.split(":")[-1] for step in finding.path.split("/")) for finding in findings}

        assert places == {path}, (path, facet, findings)
        assert told & RULES[facet], (path, facet, told)
        for finding in findings:
            for language in ("nb", "nn", "en"):
                said = sentence(finding, language)
                assert field_name(finding.path).lower() in said.lower()
                assert said != sentence(type(finding)(path=finding.path, rule="not_allowed"), language)


def test_every_facet_of_the_shipped_form_is_told() -> None:
    """Refused at its place, by a rule and a sentence of its own in three languages."""
    registry = SchemaRegistry(schemas_folder())
    registry.load(["serveringsbevilling.xsd"])

    assert_each_is_told(registry, "serveringsbevilling.xsd", count=43)


@pytest.mark.contract
@pytest.mark.skipif(not REAL.is_dir() and "CI" not in os.environ, reason="the folder of real forms is not here")
@pytest.mark.parametrize(
    ("form", "count"),
    [
        ("afp-arbeidsgiverskjema", 152),
        ("bli-tjenesteeier", 5),
        ("hvem-er-hvem", 4),
        ("mva-betalingsinformasjon", 17),
        ("reference-array", 0),
        ("xsall-nillable", 0),
    ],
)
def test_every_facet_of_real_forms_is_told(form: str, count: int) -> None:
    """The same for the forms beside the project; two of them have no facets."""
    registry = SchemaRegistry(REAL / form)
    registry.load(["schema.xsd"])

    assert_each_is_told(registry, "schema.xsd", count=count)
