"""What .NET was measured to say of forms and schemas, beside what the bridge says: the same, or a reason why not."""

import json
from functools import cache
from typing import Any

import pytest

from bridge.core.errors import ConfigurationError
from bridge.core.mapping import FormKind, FormSpec, Receiver
from bridge.forms.registry import SchemaRegistry
from tests.contract.recordings import AT_HAND, CASES, needs_shared

FOLDER = CASES / "inputs" / "dotnet"
pytestmark = [pytest.mark.contract, needs_shared]

# Kind: the rule or fault that the bridge has, and why it is not .NET's word that counts.
STRICTER = {
    "anyuri-colon-first-segment": ("type", "RFC 3986: no colon in the first segment of a relative reference"),
    "xml-lang-undeclared": ("unexpected_attribute", "the type does not declare it"),
    "include-missing-unused": (
        "there is no readable schema file 'nope.part' here",
        "an include is a part of the schema itself",
    ),
    "date-zone-vs-bound": ("min_inclusive", "a date with a zone and one without cannot be compared"),
    "datetime-enum-zone": ("enumeration", "the same"),
    "fixed-date-zone": ("fixed", "the same"),
    "zone-beyond-14": ("type", "zones end at 14 hours"),
    "gmonth-old-form": ("type", "the form of the first edition, which was a mistake"),
    "float-infinity-word": ("type", "it is written INF"),
    "base64-noncanonical": ("type", "the bits that are left over are nought"),
    "pattern-trailing-newline": ("digits", "a pattern is held against all of the value"),
    "pattern-W-emoji": ("pattern", "a symbol is none of \\W in XSD"),
    "minlength-nonbmp": ("min_length", "an emoji is one character"),
    "nan-in-range": ("max_inclusive", "NaN is not within any bounds"),
}
# The bridge takes the form by what the schema means, and tells that .NET does not read the schema.
NOTED = {
    "schema-element-same-name-two-types": "two types",
    "schema-facet-twice": "more than once",
    "schema-fractiondigits-on-integer": "fractionDigits",
    "schema-maxlength-beyond-int32": "2147483647",
    "schema-restriction-other-element": "which its base does not have",
    "schema-notation-bare": "NOTATION",
    "schema-notation-without-public": "public identifier",
    "schema-targetnamespace-empty": "targetNamespace",
    "schema-targetnamespace-one-letter-scheme": "one letter",
    "schema-import-wrong-namespace": "leads to a schema of",
    "schema-nested-quantifier": "a quantifier after a quantifier",
    "schema-type-and-inner-type": "the one inside is not used",
}
# What the second engine refuses and the first takes.
ENGINES_DIFFER = ("schema-notation-bare", "slow-duration-half")
# What .NET refuses by a rule of its own, and why.
DOUBTFUL = {
    "time-24": "time_24",
    "datetime-24": "time_24",
    "unsigned-plus": "sign",
    "integer-30-digits": "number",
    "year-10000": "year",
    "year-negative": "year",
    "duration-huge": "duration",
    "anyuri-only-blanks": "blank",
    "anyuri-one-letter-scheme": "address",
    "anyuri-empty-host": "address",
    "maxlength-nonbmp": "length",
    "length-nonbmp": "length",
    "pattern-dot-nonbmp": "pattern",
    "pattern-inner-caret": "pattern",
    "pattern-w-emoji": "pattern",
    "list-pattern-blanks": "blanks",
    "union-pattern-blanks": "blanks",
    "encoding-label-UTF8": "encoding",
    "encoding-windows-1252": "encoding",
    "nan-enumeration": "nan",
}


@cache
def measured() -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in json.loads((FOLDER / "VERDICTS.json").read_text())} if AT_HAND else {}


def judged(kind: str, *, both_engines: bool = False) -> tuple[str, set[str], set[str], str]:
    """Give the bridge's verdict on a form that .NET gets, its rules, its doubts, and what is said of the schema."""
    registry = SchemaRegistry(FOLDER, both_engines=both_engines)
    schema = f"{kind}.xsd"
    try:
        registry.load([schema])
    except ConfigurationError as error:
        return "schema", {each.message for each in error.faults}, set(), ""
    spec = FormSpec(
        kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema=schema, receiver=Receiver.DOTNET
    )
    found = registry.check_form(spec, (FOLDER / f"{kind}.xml").read_bytes())
    doubts = {each.facts["why"] for each in found if each.rule == "receiver_may_refuse"}
    rules = {each.rule for each in found} - {"receiver_may_refuse", "engines_disagree"}
    return ("invalid" if found else "valid"), rules, doubts, "\n".join(registry.notes(schema))


@pytest.mark.parametrize("kind", sorted(measured()))
def test_the_verdict_is_that_of_dotnet_or_of_the_standard(kind: str) -> None:
    """Each of the kinds in which the two differed."""
    verdict, rules, doubts, notes = judged(kind)

    if kind in STRICTER:
        rule, _ = STRICTER[kind]
        assert measured()[kind]["dotnet"] == "valid"
        assert (verdict, rules) == ("schema" if kind == "include-missing-unused" else "invalid", {rule})
    elif kind in NOTED:
        assert measured()[kind]["dotnet"] == "schema"
        assert NOTED[kind] in notes
    elif kind in DOUBTFUL:
        assert (measured()[kind]["dotnet"], verdict, rules, doubts) == ("invalid", "invalid", set(), {DOUBTFUL[kind]})
    else:
        assert verdict == measured()[kind]["dotnet"]
        assert doubts == set()


@pytest.mark.parametrize("kind", sorted(measured()))
def test_a_second_engine_does_not_change_the_verdict(kind: str) -> None:
    """But for a notation by itself, and half a second without its nought, which XSD 1.0 leaves open."""
    same = judged(kind, both_engines=True)[:3] == judged(kind)[:3]

    assert same == (kind not in ENGINES_DIFFER)


def test_every_difference_is_still_one() -> None:
    """A line that nobody needs is taken out."""
    assert set(STRICTER) | set(NOTED) | set(DOUBTFUL) | set(ENGINES_DIFFER) <= set(measured())
