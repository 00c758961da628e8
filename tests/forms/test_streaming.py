"""A form of any size is judged in the memory of a small one."""

import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from bridge.core.mapping import FormKind, FormSpec
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits

SCHEMA = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>
<x:element name="a" maxOccurs="unbounded"><x:complexType><x:sequence><x:element name="b" type="x:int"/>
<x:element name="c" type="x:int" maxOccurs="2"/></x:sequence></x:complexType></x:element>
</x:sequence></x:complexType></x:element></x:schema>"""
SPEC = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="small.xsd")
ROW = "<a>\n<b>1</b>\n<c>1</c></a>\n"
ROWS = ROW * 3000


def judged(folder: Path, data: bytes, schema: str = SCHEMA) -> list[tuple[str, str, int]]:
    (folder / "small.xsd").write_text(schema)
    (folder / "form.xml").write_bytes(data)
    registry = SchemaRegistry(folder, Limits(max_bytes=1000, max_findings=5))
    registry.load(["small.xsd"])
    findings = registry.check_file(SPEC, folder / "form.xml")
    return [(finding.path, finding.rule, finding.line) for finding in findings]


def test_a_valid_stream_has_no_findings(tmp_path: Path) -> None:
    """Whatever its encoding, as long as it is the one that it says."""
    text = f"<m>{ROWS}<!--æ--></m>"

    assert judged(tmp_path, text.encode()) == []
    assert judged(tmp_path, text.encode("utf-8-sig")) == []
    assert judged(tmp_path, text.encode("utf-16")) == []
    assert judged(tmp_path, f'<?xml version="1.0" encoding="ISO-8859-1"?>{text}'.encode("latin-1")) == []


def test_a_valid_stream_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Only where something is wrong is it read again.

    lxml's parser is wrapped, nothing of ours: ``sys.setprofile`` sees no call of Cython's methods.
    """
    fed: list[bytes] = []

    class Counting(etree.XMLPullParser):
        def feed(self, data: bytes) -> None:
            fed.append(data)
            super().feed(data)

    monkeypatch.setattr(etree, "XMLPullParser", Counting)
    form = f"<m>{ROWS}</m>".encode()

    assert judged(tmp_path, form) == []
    assert b"".join(fed).rstrip() == form  # The end is told by a blank.


def test_faults_of_a_stream_have_their_places(tmp_path: Path) -> None:
    """Path and line, also far behind, and of several kinds."""
    faults = "<a><b>x</b></a>\n<a q='1'><b>1</b><c>1</c><c>1</c><c>1</c></a>\n<a>\n<d/></a>"

    assert judged(tmp_path, f"<m>{ROWS}{faults}</m>".encode()) == [
        ("/m/a[3001]/b", "type", 9001),
        ("/m/a[3001]/c", "missing_element", 9001),
        ("/m/a[3002]/@q", "unexpected_attribute", 9002),
        ("/m/a[3002]/c[3]", "too_many", 9002),
        ("/m/a[3003]/d", "unexpected_element", 9004),
    ]


def test_what_is_missing_last_in_a_stream_is_told_where_its_parent_ends(tmp_path: Path) -> None:
    """As in a form that does not stream."""
    assert judged(tmp_path, f"<m>{ROWS}<a\n>\n<b>1</b>\n</a>\n</m>".encode()) == [
        ("/m/a[3001]/c", "missing_element", 9004)
    ]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (f"<m>{ROWS}".encode(), "not_well_formed"),
        (f"<m>{ROWS}</x>".encode(), "not_well_formed"),
        (f"<m>{ROWS}</m><m/>".encode(), "not_well_formed"),
        (f"<!DOCTYPE m [<!ENTITY a '1'>]><m>{ROWS}</m>".encode(), "doctype_refused"),
        (f"<!--{'x' * 40_000}--><!DOCTYPE m><m>{ROWS}</m>".encode(), "doctype_refused"),
        (f"<m>{ROWS}<!--æ--></m>".encode("latin-1"), "encoding"),
        (f'<?xml version="1.0" encoding="ISO-8859-1"?><m>{ROWS}<!--æ--></m>'.encode(), "encoding"),
        (f'<?xml version="1.0" encoding="UTF-8"?><m>{ROWS}</m>'.encode("utf-16"), "encoding"),
        (f'<?xml version="1.0" encoding="EBCDIC"?><m>{ROWS}</m>'.encode(), "encoding"),
        (b" " * 2000, "empty_document"),
    ],
    ids=[
        *("truncated", "wrong-end", "two-roots", "doctype", "late-doctype", "latin-1-as-utf-8", "utf-8-as-latin-1"),
        *("utf-16-as-utf-8", "unknown-encoding", "blank"),
    ],
)  # fmt: skip
def test_broken_streams_are_refused(tmp_path: Path, data: bytes, rule: str) -> None:
    """As small forms are; a stream that ends too early above all, which lxml can take for whole."""
    assert [found[1] for found in judged(tmp_path, data)] == [rule]


def test_findings_of_a_stream_have_a_limit(tmp_path: Path) -> None:
    """It says when it stopped."""
    found = judged(tmp_path, f"<m>{ROWS.replace('1', 'x')}</m>".encode())

    assert [rule for _, rule, _ in found] == ["type"] * 5 + ["more_findings"]


DATES = """<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>
<x:element name="d" type="x:date" maxOccurs="unbounded"/><x:element name="i" type="x:int" minOccurs="0"/>
</x:sequence></x:complexType></x:element></x:schema>"""
PADDED, PLAIN = "<d> 2024-01-01 </d>", "<d>2024-01-01</d>" * 2_000


@pytest.mark.parametrize(
    ("count", "end", "rules"),
    [
        (900, "</m>", []),
        (900, "<i>feil</i></m>", ["type"]),
        (900, "", ["not_well_formed"]),
        pytest.param(10_001, f"{PLAIN}<i>feil</i></m>", ["not_checkable"], marks=pytest.mark.slow),
        pytest.param(10_001, PLAIN, ["not_checkable"], marks=pytest.mark.slow),
        pytest.param(10_001, f"<d>x</d>{PLAIN}", ["type", "more_findings"], marks=pytest.mark.slow),
    ],
    ids=["taken", "then a fault", "then cut", "many, then a fault", "many, then cut", "many, a fault, then cut"],
)
def test_what_was_not_read_to_its_end_is_not_fine(tmp_path: Path, count: int, end: str, rules: list[str]) -> None:
    """However many of libxml2's faults are none: blanks around dates are taken."""
    assert [rule for _, rule, _ in judged(tmp_path, f"<m>{PADDED * count}{end}".encode(), DATES)] == rules


PROBE = """
import resource, sys
from pathlib import Path
from bridge.core.mapping import FormKind, FormSpec
from bridge.forms.registry import SchemaRegistry
folder = Path(sys.argv[1])
registry = SchemaRegistry(folder)
registry.load(["small.xsd"])
spec = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="small.xsd")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
findings = registry.check_file(spec, folder / "large.xml")
print(len(findings), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("last", "count"), [("", 0), ("<a><b>x</b><c>1</c></a>", 1)], ids=["valid", "invalid"])
def test_memory_does_not_grow_with_the_form(tmp_path: Path, last: str, count: int) -> None:
    """Sixty megabytes need less than forty more than nothing, whose most is xmlschema's model."""
    (tmp_path / "small.xsd").write_text(SCHEMA)
    with (tmp_path / "large.xml").open("w") as file:
        file.write("<m>")
        for _ in range(2400):
            file.write(ROW * 1000)
        file.write(f"{last}</m>")
    assert (tmp_path / "large.xml").stat().st_size > 60_000_000

    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path)], capture_output=True, text=True, check=True, timeout=250
    )

    found, grown = map(int, done.stdout.split())
    assert found == count
    assert grown < 40_000
