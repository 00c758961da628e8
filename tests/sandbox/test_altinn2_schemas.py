"""Altinn 2 judges forms as .NET does: it takes what libxml2 alone refuses (facts/dotnet-xsd.md B)."""

from typing import Any

import pytest

from bridge.sandbox.altinn2.model import BadUpdate
from bridge.sandbox.altinn2.rules import parsed_form
from bridge.sandbox.altinn2.schemas import NoSchema, Schemas, compiled, net_pattern
from bridge.sandbox.in_process import BASE_URL
from tests.sandbox.support import HAL, MAIN_TYPE, as_altinn2_user, main_form, make_world, message, seeded, session_into

XS = "http://www.w3.org/2001/XMLSchema"
MAIN = {"type": "MainForm", "data_format_id": "9001", "data_format_version": "1"}


def schema(kind: str, inner: str = "", *, before: str = "") -> str:
    """A schema of one element ``v`` of a restricted type."""
    return (
        f'<xs:schema xmlns:xs="{XS}">{before}<xs:element name="v"><xs:simpleType><xs:restriction base="xs:{kind}">'
        f"{inner}</xs:restriction></xs:simpleType></xs:element></xs:schema>"
    )


def pattern(value: str) -> str:
    return f'<xs:pattern value="{value}"/>'


TAKEN: list[tuple[str, str, str, bool]] = [
    ("blanks around a date", schema("date"), " 2026-11-28\n", True),
    ("blanks around a moment", schema("dateTime"), " 2026-11-28T12:00:00Z ", True),
    ("blanks around a duration", schema("duration"), " P1Y ", True),
    ("blanks around no date", schema("date"), " 2026-13-28 ", False),
    ("blanks in a text with a pattern", schema("string", pattern("[0-9]+")), " 12 ", False),
    ("a far zone", schema("date"), "2026-11-28+15:00", True),
    ("a zone beside a bound", schema("date", '<xs:minInclusive value="2026-01-01"/>'), "2026-01-01Z", True),
    ("a date before its bound", schema("date", '<xs:minInclusive value="2026-01-01"/>'), "2025-01-01Z", False),
    ("the old form of months", schema("gMonth"), "--11--", True),
    ("infinity in a word", schema("double"), "Infinity", True),
    ("base64 with idle bits", schema("base64Binary"), "aGVqZR==", True),
    ("no base64", schema("base64Binary"), "a", False),
    ("anchors", schema("string", pattern("^[0-9]{4}$")), "1234", True),
    ("anchors in groups", schema("string", pattern("(^$)|(^[0-9]{4}$)")), "1234", True),
    ("what anchors hold", schema("string", pattern("(^$)|(^[0-9]{4}$)")), "12345", False),
    ("a hyphen behind a range", schema("string", pattern("[0-9a-z-_]+")), "12-ab_", True),
    ("a lazy quantifier", schema("string", pattern("a+?b??")), "aab", True),
    ("a letter by its number", schema("string", pattern("[\\u00C0-\\u00FF]+")), "ÆØ", True),
    ("a pattern of which nothing is left", schema("string", pattern("(?i)ab")), "AB", True),
    ("a line end behind a pattern", schema("string", pattern("[0-9]+")), "12\n", True),
    ("a letter that is newer", schema("string", pattern("\\\\p{Lu}+")), "\u1e9e", True),
    ("a sign that counts for two", schema("string", '<xs:minLength value="2"/>'), "\U0001f600", True),
    ("a text that is too short", schema("string", '<xs:minLength value="2"/>'), "a", False),
    ("no number in a range", schema("double", '<xs:maxInclusive value="5"/>'), "NaN", True),
    ("a missing include", schema("string", before='<xs:include schemaLocation="borte.xsd"/>'), "x", True),
]


@pytest.mark.parametrize(("text", "value", "taken"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_values_are_taken_as_dotnet_takes_them(text: str, value: str, taken: bool) -> None:
    """And what is wrong by its rules as well stays wrong."""
    found = Schemas().faults(text, parsed_form(f"<v>{value}</v>"))

    assert (found == ()) is taken, found


FORMS = [
    ("<Sum xmlns='{}'><d> 2026-01-01 </d></Sum>", []),
    ("<Sum xmlns='{}' at=' 2026-01-01 '><d>2026-01-01\n</d></Sum>", []),
    ("<x:Sum xmlns:x='{}'><x:d>2026-01-01</x:d><x:d>\t2026-01-01</x:d></x:Sum>", []),
    ("<Sum xmlns='{}'><d>i morgen</d></Sum>", ["/Sum/d"]),
    ("<x:Sum xmlns:x='{}' at='no'><x:d>2026-01-01</x:d><x:d>i morgen</x:d></x:Sum>", ["/Sum/@at", "/Sum/d[2]"]),
]


@pytest.mark.parametrize("namespace", ["http://x.no/a", "http://x.no/æ"])
@pytest.mark.parametrize(("form", "places"), FORMS, ids=["blanks", "attribute", "prefix", "wrong", "wrong-prefix"])
def test_a_namespace_changes_neither_what_is_taken_nor_what_a_place_is_called(
    namespace: str, form: str, places: list[str]
) -> None:
    """Prefixes are whoever wrote the form's own; those that a parser makes up are nobody's."""
    text = (
        f'<xs:schema xmlns:xs="{XS}" targetNamespace="{namespace}" elementFormDefault="qualified">'
        '<xs:element name="Sum"><xs:complexType><xs:sequence><xs:element name="d" type="xs:date" maxOccurs="3"/>'
        '</xs:sequence><xs:attribute name="at" type="xs:date"/></xs:complexType></xs:element></xs:schema>'
    )

    found = Schemas().faults(text, parsed_form(form.format(namespace)))

    assert [each.xpath for each in found] == places
    assert not [each.message for each in found if "urn:sandbox" in each.message]


def test_attributes_of_xml_itself_are_taken_anywhere() -> None:
    """And blanks around xsi:type."""
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    form = f'<v xml:lang="nb" xml:space="preserve" xmlns:xsi="{xsi}" xmlns:xs="{XS}" xsi:type=" xs:string ">a</v>'
    text = f'<xs:schema xmlns:xs="{XS}"><xs:element name="v" type="xs:string"/></xs:schema>'

    assert Schemas().faults(text, parsed_form(form)) == ()


PATTERNS: list[tuple[str, str | None]] = [
    ("^a$", "a"),
    ("a^b$c", "a^b$c"),
    ("\\^a\\$", "\\^a\\$"),
    ("[^$]+", "[^$]+"),
    ("(?:a|^b)", "(a|b)"),
    ("a*?b+?c{2}?", "a*b+c{2}"),
    ("a?", "a?"),
    ("[a-z-[aeiou]]", "[a-z-[aeiou]]"),
    ("[-a]", "[\\-a]"),
    ("[\\w-]", "[\\w\\-]"),
    ("\\p{Lu}\\d", "\\p{Lu}\\d"),
    ("\\/", "/"),
    ("(?=a)b", None),
    ("(a)\\1", None),
    ("\\bord", None),
]


@pytest.mark.parametrize(("given", "written"), PATTERNS)
def test_patterns_are_written_as_libxml2_has_them(given: str, written: str | None) -> None:
    """None where nothing is left that it knows."""
    assert net_pattern(given) == written


BROKEN = [
    "<v xmlns='urn:æ'/>x",
    "<v xmlns='urn:æ'/><v/>",
    "<v xmlns:q='å &amp; b'/>x",
    "<v xmlns='urn:æ'/><!DOCTYPE v>",
    "<?xml version='1.1'?><v/>",
    "<v/>x",
]


@pytest.mark.parametrize("form", BROKEN)
def test_what_is_no_xml_is_refused_behind_every_namespace(form: str) -> None:
    """Also where libxml2 says nothing more."""
    with pytest.raises(BadUpdate):
        parsed_form(form)


def test_namespaces_that_are_no_uris_are_names() -> None:
    """With comments and blanks behind the root as everywhere."""
    assert parsed_form("<v xmlns='urn:æ' xmlns:q='{å}'/>\n<!-- c -->\n").getroot().tag == "{urn:æ}v"


def test_a_schema_that_cannot_be_used_is_told_when_it_is_seeded() -> None:
    """And not by a 500 later."""
    text = f'<xs:schema xmlns:xs="{XS}"><xs:element name="v" type="Borte"/></xs:schema>'
    body: dict[str, Any] = {"code": "4711", "forms": [{**MAIN_TYPE, "schema": text}]}

    answer = session_into(make_world()).post(f"{BASE_URL}/_sandbox/altinn2/services", json=body)

    assert (answer.status_code, "cannot be used" in answer.text) == (400, True)
    with pytest.raises(NoSchema):
        compiled("<x")


def test_a_form_with_a_padded_date_is_archived() -> None:
    """By the API as by the rules beneath it."""
    world = make_world()
    kind = {**MAIN_TYPE, "schema": schema("date")}
    element = seeded(world, service={"forms": [kind]}, forms=[{**MAIN, "xml": "<v>2026-01-01</v>"}])

    answer = as_altinn2_user(world).put(
        f"{BASE_URL}/altinn2/api/my/messages/{element}", json=message(main_form("<v> 2026-11-28 </v>")), headers=HAL
    )

    assert (answer.status_code, world.altinn2.archived_as(element) is not None) == (204, True)
