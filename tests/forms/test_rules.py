"""Business rules of a mapping stand beside the schema."""

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.bundled import examples_folder, mappings_folder, schemas_folder
from bridge.config.mappings import load_mappings
from bridge.core.errors import ConfigurationError, Severity
from bridge.core.mapping import FormRule, FormSpec
from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry
from bridge.forms.rules import MOST_PLACES
from bridge.steps.drivers.registry import DRIVERS

SCHEMA = "serveringsbevilling.xsd"
VALID = (examples_folder() / "serveringsbevilling.xml").read_text("utf-8")
TEXT = {"nb": "Lørdag må være nevnt.", "nn": "Laurdag må vere nemnd.", "en": "Saturday must be named."}
RULE = FormRule(at="/melding/drift", test="aapningstid/ukedag = 'lørdag'", severity=Severity.ERROR, text=TEXT)
SPEC = load_mappings(mappings_folder(), schemas_folder(), targets=DRIVERS)[
    "urn:altinn:resource:serveringsbevilling"
].forms[0]
REGISTRY = SchemaRegistry(schemas_folder())
REGISTRY.load([SCHEMA])


def with_rules(*rules: FormRule) -> FormSpec:
    return replace(SPEC, rules=rules)


def test_a_rule_that_holds_says_nothing() -> None:
    """A valid form stays valid."""
    assert REGISTRY.check_form(with_rules(RULE), VALID) == ()


def test_a_broken_rule_is_told_at_its_place() -> None:
    """With line and column, in the mapping's words, in each language."""
    findings = REGISTRY.check_form(with_rules(RULE), VALID.replace("lørdag", "mandag"))

    assert [(finding.path, finding.rule, finding.severity) for finding in findings] == [
        ("/melding/drift", "business_rule", Severity.ERROR)
    ]
    assert findings[0].line == VALID[: VALID.index("<drift>")].count("\n") + 1
    assert {language: sentence(findings[0], language) for language in TEXT} == TEXT


def test_rules_are_told_beside_the_schemas_findings() -> None:
    """One refusal tells both."""
    xml = VALID.replace("lørdag", "mandag").replace(">0001<", ">1<")

    findings = REGISTRY.check_form(with_rules(replace(RULE, severity=Severity.WARNING)), xml)

    assert {finding.rule for finding in findings} == {"digits", "business_rule"}


def test_each_place_is_tried_by_itself() -> None:
    """What repeats is told with its number, and an attribute is seen from its element."""
    each = replace(RULE, at="/melding/drift/aapningstid/ukedag", test=". != 'lørdag'")
    attribute = replace(RULE, at="/melding/@dataFormatId", test="@dataFormatId = '1'")

    findings = REGISTRY.check_form(with_rules(each, attribute), VALID)

    assert [finding.path for finding in findings] == ["/melding/drift/aapningstid[2]/ukedag", "/melding/@dataFormatId"]


def test_a_rule_without_its_place_says_nothing() -> None:
    """What must be there is for the schema, or for a rule about its parent."""
    assert REGISTRY.check_form(with_rules(replace(RULE, at="/melding/finnesIkke", test="false()")), VALID) == ()


def test_a_form_with_too_many_places_is_not_let_through() -> None:
    """What was not tried has not been checked."""
    spec = replace(with_rules(replace(RULE, at="/m/a", test="true()")), schema=None)

    findings = REGISTRY.check_form(spec, "<m>" + "<a/>" * (MOST_PLACES + 1) + "</m>")

    assert [finding.rule for finding in findings] == ["not_checkable"]


def mapping(folder: Path, rule: str) -> None:
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    (folder / "a.yaml").write_text(text.replace(f"schema: {SCHEMA}}}", f"schema: {SCHEMA}, rules: [{rule}]}}"))


SOUND = 'at: /melding/drift, test: "oppstartsdato", severity: warning, text: {nb: a, nn: b, en: c}'


def test_rules_are_read_from_the_mapping(tmp_path: Path) -> None:
    """As values."""
    mapping(tmp_path, f"{{{SOUND}}}")

    forms = load_mappings(tmp_path, schemas_folder(), targets=DRIVERS)["urn:altinn:resource:serveringsbevilling"].forms

    assert forms[0].rules == (
        FormRule(
            at="/melding/drift",
            test="oppstartsdato",
            severity=Severity.WARNING,
            text={"nb": "a", "nn": "b", "en": "c"},
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"oppstartsdato"', '"oppstartsdato ="', "is no XPath 1.0 condition"),
        ('"oppstartsdato"', '"false() and matches(., 1)"', "XPath 1.0 has no function matches()"),
        ('"oppstartsdato"', '"x:dato"', "is no XPath 1.0 condition"),
        ("/melding/drift", "melding", "from the root"),
        (", nn: b", "", "the key 'nn' is missing here"),
        ("warning", "fatal", "write one of error, warning"),
        ("severity: warning, ", "", "the key 'severity' is missing here"),
    ],
)
def test_a_wrong_rule_is_a_fault_at_load(tmp_path: Path, old: str, new: str, told: str) -> None:
    """With its line and column, before the first form comes."""
    mapping(tmp_path, f"{{{SOUND.replace(old, new)}}}")

    with pytest.raises(ConfigurationError) as refused:
        load_mappings(tmp_path, schemas_folder(), targets=DRIVERS)

    assert told in str(refused.value)
    assert f"{tmp_path / 'a.yaml'}:" in str(refused.value)


def test_a_pinned_schema_may_not_change(tmp_path: Path) -> None:
    """The digest of the mapping is that of the file, or loading ends."""
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    registry = SchemaRegistry(schemas_folder())
    registry.load([SCHEMA])
    digest = registry.digest(SCHEMA) or ""
    (tmp_path / "a.yaml").write_text(text.replace(f"schema: {SCHEMA}}}", f"schema: {SCHEMA}, sha256: '{digest}'}}"))

    load_mappings(
        tmp_path, schemas_folder(), schema_faults=registry.faults, schema_digest=registry.digest, targets=DRIVERS
    )
    (tmp_path / "a.yaml").write_text((tmp_path / "a.yaml").read_text().replace(digest, "0" * 64))
    with pytest.raises(ConfigurationError, match=f"its digest is {digest}"):
        load_mappings(
            tmp_path, schemas_folder(), schema_faults=registry.faults, schema_digest=registry.digest, targets=DRIVERS
        )
