"""What is told of a value says what to write instead, also where its type is a rare one."""

from pathlib import Path

import pytest

from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry

HEAD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema">{}</x:schema>'
TYPED = '<x:element name="m" type="x:{}"/>'
ZONED = (
    '<x:element name="m"><x:simpleType><x:restriction base="x:dateTime"><x:explicitTimezone value="{}"/>'
    "</x:restriction></x:simpleType></x:element>"
)
VALUE_OF_MIXED = """<x:complexType name="t" mixed="true"><x:sequence><x:element name="b" minOccurs="0"/></x:sequence>
</x:complexType><x:element name="m"><x:complexType><x:simpleContent><x:restriction base="t"><x:simpleType>{}
</x:simpleType></x:restriction></x:simpleContent></x:complexType></x:element>"""

CASES = {
    "no zone in a stamp": (
        TYPED.format("dateTimeStamp"),
        "2026-01-01T10:00:00",
        "zone_missing",
        "M must end with a time zone: Z, or for instance +01:00.",
    ),
    "no stamp": (
        TYPED.format("dateTimeStamp"),
        "i dag",
        "type",
        "M must be a date and time with a time zone (yyyy-mm-ddThh:mm:ssZ).",
    ),
    "no zone": (
        ZONED.format("required"),
        "2026-01-01T10:00:00",
        "zone_missing",
        "M must end with a time zone: Z, or for instance +01:00.",
    ),
    "a zone": (
        ZONED.format("prohibited"),
        "2026-01-01T10:00:00Z",
        "zone_not_allowed",
        "M may have no time zone. Take away what stands after the time: Z, or for instance +01:00.",
    ),
    "no duration": (TYPED.format("duration"), "3 dager", "type", "M must be a duration, for instance P1Y2M3D."),
    "days for months": (
        TYPED.format("yearMonthDuration"),
        "P1D",
        "type",
        "M must be a duration in years and months, for instance P1Y2M.",
    ),
    "months for days": (
        TYPED.format("dayTimeDuration"),
        "P1M",
        "type",
        "M must be a duration in days and hours, for instance P1DT2H.",
    ),
    "no month": (TYPED.format("gYearMonth"), "2026", "type", "M must be a year and month (yyyy-mm)."),
    "no day": (TYPED.format("gMonthDay"), "12-24", "type", "M must be a month and day (--mm-dd)."),
    "a long value of mixed content": (
        VALUE_OF_MIXED.format('<x:restriction base="x:string"><x:maxLength value="3"/></x:restriction>'),
        "abcd",
        "max_length",
        "M may have at most 3 characters.",
    ),
    "no number of mixed content": (
        VALUE_OF_MIXED.format('<x:restriction base="x:int"/>'),
        "abcd",
        "type",
        "M must be a whole number.",
    ),
    "no item of mixed content": (
        VALUE_OF_MIXED.format('<x:list itemType="x:int"/>'),
        "abcd",
        "type",
        "Each value in m must be a whole number.",
    ),
}


@pytest.mark.parametrize(("schema", "value", "rule", "words"), CASES.values(), ids=CASES)
def test_a_rare_type_is_told_in_words(tmp_path: Path, schema: str, value: str, rule: str, words: str) -> None:
    """In three languages, and never by the name that XSD has for it."""
    (tmp_path / "a.xsd").write_text(HEAD.format(schema))
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])

    (finding,) = registry.check("a.xsd", f"<m>{value}</m>")

    told = [sentence(finding, language) for language in ("en", "nb", "nn")]
    assert (finding.rule, told[0]) == (rule, words)
    assert len(set(told)) == 3
    assert not any("Duration" in each or "dateTime" in each or "gMonth" in each for each in told)
