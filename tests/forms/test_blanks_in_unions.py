"""Blanks around a value of a union: they mean nothing only to the member that takes the value."""

from pathlib import Path

import pytest

from bridge.forms.registry import SchemaRegistry

SCHEMA = (
    '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:simpleType><x:union'
    ' memberTypes="x:date A"/></x:simpleType></x:element><x:simpleType name="A"><x:restriction base="x:string">'
    '<x:enumeration value="A"/></x:restriction></x:simpleType></x:schema>'
)


@pytest.mark.parametrize(
    ("value", "valid"),
    [("A", True), (" A ", False), ("2026-01-02", True), (" 2026-01-02 ", True), (" 2026-13-02 ", False)],
)
def test_blanks_are_taken_off_for_the_member_that_takes_the_value(tmp_path: Path, value: str, *, valid: bool) -> None:
    (tmp_path / "a.xsd").write_text(SCHEMA)
    registry = SchemaRegistry(tmp_path)
    registry.load(["a.xsd"])

    findings = registry.check("a.xsd", f"<m>{value}</m>")

    assert (not findings) is valid
