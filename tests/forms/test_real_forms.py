"""Real schemas and forms, kept beside the project: accepted and refused as their notes say."""

import os
from pathlib import Path

import pytest

from bridge.core.errors import Finding
from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry

FORMS = Path(__file__).parents[3] / "shared" / "forms"
GROUPS = "OpplysningerOmArbeidstakeren-grp-8819/Skjemainstans-grp-8854"
VALID = [
    "afp-arbeidsgiverskjema",
    "bli-tjenesteeier",
    "hvem-er-hvem",
    "mva-betalingsinformasjon",
    "reference-array",
    "xsall-nillable",
]

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(not FORMS.is_dir() and "CI" not in os.environ, reason="the folder of real forms is not here"),
]


def findings(form: str, file: str) -> tuple[Finding, ...]:
    registry = SchemaRegistry(FORMS / form)
    registry.load(["schema.xsd"])
    return registry.check("schema.xsd", (FORMS / form / file).read_bytes())


@pytest.mark.parametrize("form", VALID)
def test_valid_forms_are_accepted(form: str):
    """Nothing is found where nothing is wrong."""
    assert findings(form, "valid.xml") == ()


@pytest.mark.parametrize(
    ("form", "file", "expected"),
    [
        (
            "afp-arbeidsgiverskjema",
            "invalid-missing-orid.xml",
            [
                (
                    f"/Skjema/{GROUPS}/IdentifikasjonsnummerKrav-datadef-33317/@orid",
                    "missing_attribute",
                )
            ],
        ),
        ("bli-tjenesteeier", "doc-example.xml", [("/BliTjenesteeier_M", "wrong_root")]),
        (
            "bli-tjenesteeier",
            "partial-right-root.xml",
            [("/melding/Tjenesteeier", "missing_element"), ("/melding/OEnsketBruk", "missing_element")],
        ),
    ],
)
def test_invalid_forms_are_refused_at_their_place(form: str, file: str, expected: list[tuple[str, str]]):
    """By path and rule."""
    found = findings(form, file)

    assert [(finding.path, finding.rule) for finding in found] == expected
    assert all(sentence(finding, "nn") for finding in found)


def test_every_invalid_form_is_known():
    """A form that is added to the folder is added here."""
    files = {(path.parent.name, path.name) for path in FORMS.glob("*/*.xml") if path.name != "valid.xml"}

    assert files == {
        ("afp-arbeidsgiverskjema", "invalid-missing-orid.xml"),
        ("bli-tjenesteeier", "doc-example.xml"),
        ("bli-tjenesteeier", "partial-right-root.xml"),
    }
    assert sorted(path.parent.name for path in FORMS.glob("*/valid.xml")) == VALID
