"""Forms made to harm are refused, each with a rule that has a sentence, before they cost much."""

import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.bundled import examples_folder, schemas_folder
from bridge.core.errors import Finding
from bridge.core.texts.findings import RULES
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits

SCHEMA = "serveringsbevilling.xsd"
VALID = (examples_folder() / "serveringsbevilling.xml").read_bytes()
REGISTRY = SchemaRegistry(schemas_folder(), Limits(max_bytes=2_000_000, max_markup=100_000))
REGISTRY.load([SCHEMA])
LAUGHS = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))


def rules(xml: bytes) -> list[str]:
    return [finding.rule for finding in REGISTRY.check(SCHEMA, xml)]


# fmt: off
ATTACKS = [
    (b'<!DOCTYPE m [<!ENTITY a0 "x">' + LAUGHS.encode() + b"]><m>&a9;</m>", "doctype_refused"),
    (b'<!DOCTYPE m [<!ENTITY a "' + b"x" * 50_000 + b'">]><m>' + b"&a;" * 5000 + b"</m>", "doctype_refused"),
    (b'<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/hostname">]><m>&a;</m>', "doctype_refused"),
    (b'<!DOCTYPE m SYSTEM "http://example.org/a.dtd"><m/>', "doctype_refused"),
    (b'<!DOCTYPE m [<!ENTITY % a SYSTEM "file:///etc/hostname">%a;]><m/>', "doctype_refused"),
    ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE m><m/>'.encode("utf-16"), "doctype_refused"),
    (b"<m>&a;</m>", "not_well_formed"),
    (b"<a>" * 400 + b"</a>" * 400, "too_complex"),
    (b"<a>" * 90_000, "too_complex"),
    (b"<m>" + b"<a/>" * 100_000 + b"</m>", "too_complex"),
    (b"<m " + b" ".join(b'a%d=""' % number for number in range(110_000)) + b"/>", "too_complex"),
    (b'<m a="' + b"x" * 1_900_000 + b'"/>', "wrong_root"),
    (b"<m>" + b"x" * 2_000_000 + b"</m>", "too_large"),
    (b"<" + b"m" * 60_000 + b"/>", "too_complex"),
    (b"", "empty_document"),
    (b"\xef\xbb\xbf  \n", "empty_document"),
    (VALID[:1000], "not_well_formed"),
    (VALID + b"<m/>", "not_well_formed"),
    (b"\x00" * 100, "not_well_formed"),
    (b'<?xml version="1.0" encoding="UTF-8"?><m>\xe6</m>', "encoding"),
    ('<?xml version="1.0" encoding="ISO-8859-1"?><m>æ</m>'.encode(), "encoding"),
    ('<?xml version="1.0" encoding="utf-8"?><m/>'.encode("utf-16"), "encoding"),
    ("<m/>".encode("utf-16-le"), "not_well_formed"),
    (b"\xff\xfe\x00\x00<\x00\x00\x00", "encoding"),
    (b'<?xml version="1.0" encoding="utf-7"?><m/>', "encoding"),
]
# fmt: on


@pytest.mark.parametrize(("xml", "rule"), ATTACKS)
def test_each_attack_is_refused(xml: bytes, rule: str) -> None:
    """One finding, whose rule has a sentence in three languages."""
    assert rules(xml) == [rule]
    assert rule in RULES


def test_depth_is_a_setting() -> None:
    """A form may be as deep as it says and no deeper."""
    registry = SchemaRegistry(schemas_folder(), Limits(max_depth=4))
    registry.load([SCHEMA])

    assert registry.check(SCHEMA, VALID) == ()
    assert [f.rule for f in registry_of_depth(3).check(SCHEMA, VALID)] == ["too_complex"]


def registry_of_depth(depth: int) -> SchemaRegistry:
    registry = SchemaRegistry(schemas_folder(), Limits(max_depth=depth))
    registry.load([SCHEMA])
    return registry


def test_where_a_schema_is_said_to_be_means_nothing() -> None:
    """Nothing is fetched because a form names it."""
    hint = b' xsi:noNamespaceSchemaLocation="http://example.org/a.xsd" dataFormatId='

    assert rules(VALID.replace(b" dataFormatId=", hint)) == []


def judged(xml: bytes) -> tuple[Finding, ...]:
    findings = REGISTRY.check(SCHEMA, xml)
    assert all(finding.rule in RULES for finding in findings)
    return findings


PIECES = st.lists(
    st.one_of(
        st.sampled_from([VALID[start : start + 40] for start in range(0, len(VALID), 40)]),
        st.sampled_from([b"<melding", b"/>", b"</melding>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?", b"?>"]),
        st.sampled_from([b"&#0;", b"&#x10FFFF;", b"&lt;", b"\xef\xbb\xbf", b"xmlns:a='b'", b'xsi:type="a"', b"\x00"]),
        st.binary(max_size=8),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(PIECES)
def test_no_bytes_break_the_check(pieces: list[bytes]) -> None:
    """Whatever comes, the answer is findings, never an error."""
    judged(b"".join(pieces))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(VALID) - 1), st.binary(min_size=1, max_size=6))
def test_no_changed_byte_breaks_the_check(place: int, put: bytes) -> None:
    """The same for a valid form with a few bytes changed."""
    judged(VALID[:place] + put + VALID[place + len(put) :])


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(deadline=None, max_examples=5_000)
@given(PIECES)
def test_no_bytes_break_the_check_at_length(pieces: list[bytes]) -> None:
    """The fuzz run: the same, for minutes."""
    judged(b"".join(pieces))


PROBE = """
import resource, sys
from bridge.forms.registry import SchemaRegistry
from bridge.bundled import schemas_folder
registry = SchemaRegistry(schemas_folder())
registry.load(["serveringsbevilling.xsd"])
xml = eval(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF)
findings = registry.check("serveringsbevilling.xsd", xml)
after = resource.getrusage(resource.RUSAGE_SELF)
print(findings[0].rule, after.ru_maxrss - before.ru_maxrss, after.ru_utime - before.ru_utime)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "attack",
    [
        'b"<m " + b" ".join(b\'a%d=""\' % n for n in range(480_000)) + b"/>"',
        'b"<m>" + b"<a/>" * 900_000 + b"</m>"',
        'b"<m>" + b"<a>x</a>" * 450_000 + b"</m>"',
        'b"<melding>" + b"<a b=\'c\'/>" * 300_000 + b"</melding>"',
    ],
)
def test_the_largest_that_is_taken_costs_little(attack: str) -> None:
    """At the limits that ship, the worst converters stay under 700 MB and a minute of work."""
    done = subprocess.run([sys.executable, "-c", PROBE, attack], capture_output=True, text=True, check=True)

    _, grown, seconds = done.stdout.split()
    assert int(grown) < 700_000
    assert float(seconds) < 60


def test_many_threads_get_their_own_findings() -> None:
    """Different faults at once: no thread sees another's, whatever copy of the schema it uses."""
    forms = {
        "digits": VALID.replace(b">0001<", b">1<"),
        "enumeration": VALID.replace(b">servering<", b">bar<"),
        "type": VALID.replace(b">2026-03-01<", b">i dag<"),
        "missing_element": VALID.replace("<sted>Prøvestad</sted>".encode(), b""),
    }
    wrong: list[tuple[str, list[str]]] = []

    def work(rule: str, xml: bytes) -> None:
        for _ in range(40):
            found = rules(xml)
            if found != [rule] or rules(VALID):
                wrong.append((rule, found))

    threads = [threading.Thread(target=work, args=item) for item in [*forms.items()] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
