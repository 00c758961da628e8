"""What an app's serialisers read, and where they say that something is wrong (facts 1.4, 1.11)."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from bridge.sandbox.apps.json_reader import from_json, to_json
from bridge.sandbox.apps.model import ROW_ID, Member, NotReadable, empty, fill_empty, to_xml
from bridge.sandbox.apps.xml_serializer import from_xml

NIL = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'
ROW = "11111111-1111-1111-1111-111111111111"
VALUE = "The JSON value could not be converted to"
IN_STRING = "The string should be correctly escaped."
MEMBERS = (
    Member(name="kode", kind="number", attribute=True, fixed="7"),
    Member(
        name="linje",
        kind="group",
        many=True,
        members=(Member(name="tekst"), Member(name="belop", kind="number"), Member(name="tall", many=True)),
    ),
    Member(
        name="Svar-grp-1",
        kind="group",
        members=(Member(name="id", attribute=True), Member(name="value", kind="number", content=True)),
    ),
    Member(name="sats", kind="number"),
    Member(name="antall", kind="integer", plain=True),
    Member(name="faktor", kind="double"),
    Member(name="tid", kind="datetime"),
    Member(name="ja", kind="boolean"),
    Member(name="merknad"),
)


def json_of(text: str | bytes) -> Any:
    body = text.encode() if isinstance(text, str) else text
    return from_json(body, MEMBERS, "Proeve.Modeller.Skjema")


def xml_of(inner: str) -> Any:
    return from_xml(f"<Skjema>{inner}</Skjema>".encode(), "Skjema", MEMBERS)


READ_AS_JSON: list[tuple[str, str, Any]] = [
    ('{"SATS": 7}', "sats", 7),
    ('{"sats": 1e3}', "sats", 1000),
    ('{"sats": "+1.50"}', "sats", Decimal("1.50")),
    ('{"sats": 0.00}', "sats", Decimal("0.00")),
    ('{"sats": -0.0}', "sats", Decimal("0.0")),
    ('{"sats": 79228162514264337593543950335.4}', "sats", 79228162514264337593543950335),
    ('{"sats": 0.12345678901234567890123456789}', "sats", Decimal("0.1234567890123456789012345679")),
    ('{"sats": 100e-2}', "sats", Decimal("1.00")),
    ('{"sats": 1, "sats": 2}', "sats", 2),
    ('{"ukjent": {"a": [1, {"b": 2}]}, "sats": 3}', "sats", 3),
    ('{"merknad": "\\u00e6\\ud83d\\ude00\\n\\/"}', "merknad", "æ\U0001f600\n/"),
    ('{"linje": [null]}', "linje", [None]),
    ('{"linje": null}', "linje", None),
    ("{}", "linje", None),
    ('{"Svar-grp-1": {}}', "Svar-grp-1", {"id": None, "value": 0}),
    ('{"tid": "2026-01-02T03:04:05.60+02:00"}', "tid", "2026-01-02T01:04:05.6+00:00"),
    ('{"tid": "2026-01-02T03:04:05Z"}', "tid", "2026-01-02T03:04:05Z"),
    ('{"tid": "2026-01-02"}', "tid", "2026-01-02T00:00:00"),
    ('{"ja": true}', "ja", True),
    ("{}", "antall", 0),
]


@pytest.mark.parametrize(("text", "name", "value"), READ_AS_JSON)
def test_json_is_read_into_members(text: str, name: str, value: Any) -> None:
    """Names in any case, quoted numbers, the last of two, the unknown passed over, decimals digit for digit."""
    assert json_of(text)[name] == value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides(encoding: str) -> None:
    """UTF-8 without one, whatever else is said."""
    assert json_of('{"merknad": "å"}'.encode(encoding))["merknad"] == "å"
    assert from_xml("<Skjema><merknad>å</merknad></Skjema>".encode(encoding), "Skjema", MEMBERS)["merknad"] == "å"


NO_JSON: list[tuple[str, str, str, int]] = [
    ("", "The input does not contain any JSON tokens.", "$", 0),
    ("{", "Expected depth to be zero at the end of the JSON payload.", "$", 1),
    ('{"sats"', "Expected a value, but instead reached end of data.", "$", 7),
    ('{"sats" 1}', "'1' is invalid after a property name. Expected a ':'.", "$", 8),
    ('{"sats":1 2}', "'2' is invalid after a value. Expected either ',', '}', or ']'.", "$", 10),
    ('{"sats":1,', "Expected start of a property name or value, but instead reached end of data.", "$", 9),
    ('{"sats":01}', "Invalid leading zero before '1'.", "$.sats", 9),
    ('{"sats":1x}', "'x' is an invalid end of a number. Expected a delimiter.", "$.sats", 9),
    ('{"sats":1.}', "'}' is invalid within a number, immediately after a decimal point ('.').", "$.sats", 10),
    ('{"sats":1.5x}', "'x' is an invalid end of a number. Expected 'E' or 'e'.", "$.sats", 11),
    ('{"sats":-}', "'}' is invalid within a number, immediately after a sign character ('+' or '-').", "$.sats", 9),
    ('{"sats":+1}', "'+' is an invalid start of a value.", "$.sats", 8),
    ('{"ja":nei}', "'nei}' is an invalid JSON literal. Expected the literal 'null'.", "$.ja", 7),
    ('{"merknad":"a\nb"}', f"'0x0A' is invalid within a JSON string. {IN_STRING}", "$.merknad", 13),
    ('{"merknad":"\\x"}', f"'x' is an invalid escapable character within a JSON string. {IN_STRING}", "$.merknad", 13),
    ('{"merknad":"\\u00g0"}', "'g' is not a hex digit following '\\u' within a JSON string.", "$.merknad", 16),
    ('{"merknad":"', "Expected end of string, but instead reached end of data.", "$.merknad", 12),
    ('{"ukjent":{"a":x}}', "'x' is an invalid start of a value.", "$.ukjent", 15),
    ('{"linje":[{},]}', "The JSON array contains a trailing comma at the end", "$.linje[1]", 13),
    ('{"linje":[{}}', "'}' is invalid without a matching open.", "$.linje[1]", 12),
    ("{}x", "'x' is invalid after a single JSON value. Expected end of data.", "$", 2),
    ("[" * 66, f"{VALUE} Proeve.Modeller.Skjema.", "$", 1),
    (
        '{"a":' + "[" * 64,
        "The maximum configured depth of 64 has been exceeded. Cannot read next JSON array.",
        "$.a",
        68,
    ),
    ('{"linje":{}}', f"{VALUE} System.Collections.Generic.List`1[Proeve.Modeller.Linje].", "$.linje", 10),
    ('{"linje":[5]}', f"{VALUE} Proeve.Modeller.Linje.", "$.linje[0]", 11),
    ('{"linje":[{},{"tall":[1]}]}', f"{VALUE} System.String.", "$.linje[1].tall[0]", 23),
    ('{"sats":" 7 "}', f"{VALUE} System.Nullable`1[System.Decimal].", "$.sats", 13),
    ('{"sats":79228162514264337593543950336}', f"{VALUE} System.Nullable`1[System.Decimal].", "$.sats", 37),
    ('{"kode":null}', f"{VALUE} System.Decimal.", "$.kode", 12),
    ('{"antall":null}', f"{VALUE} System.Int32.", "$.antall", 14),
    ('{"antall":5.0}', f"{VALUE} System.Int32.", "$.antall", 13),
    ('{"ja":"true"}', f"{VALUE} System.Nullable`1[System.Boolean].", "$.ja", 12),
    ('{"tid":"i dag"}', f"{VALUE} System.Nullable`1[System.DateTime].", "$.tid", 14),
    ('{"merknad":"\\ud800"}', f"{VALUE} System.String.", "$.merknad", 19),
    ('{"linje":[{"altinnRowId":"x"}]}', f"{VALUE} System.Guid.", "$.linje[0].altinnRowId", 28),
    ('{"a.b":x}', "'x' is an invalid start of a value.", "$['a.b']", 7),
]


@pytest.mark.parametrize(("text", "message", "path", "byte"), NO_JSON)
def test_faults_in_json_have_their_place(text: str, message: str, path: str, byte: int) -> None:
    """What stood first is told, with the path as it was written and the byte in its line."""
    with pytest.raises(NotReadable) as told:
        json_of(text)

    assert str(told.value).startswith(message)
    assert str(told.value).endswith(f" Path: {path} | LineNumber: 0 | BytePositionInLine: {byte}.")


def test_lines_count_from_nought_and_letters_by_their_bytes() -> None:
    """As the reader sees UTF-8."""
    with pytest.raises(NotReadable, match=r"Path: \$\.sats \| LineNumber: 1 \| BytePositionInLine: 20\.$"):
        json_of('{"merknad":"x",\n"merknad":"æ","sats":x}'.replace('"merknad":"æ",', '"m":"æ",    '))


def test_row_ids_are_of_rows() -> None:
    """They come first, those of nobody are none, and a group that is no row has no such member."""
    model = json_of(f'{{"linje":[{{"tekst":"a","altinnRowId":"{ROW}"}}],"Svar-grp-1":{{"altinnRowId":"x"}}}}')

    assert next(iter(model["linje"][0])) == "altinnRowId"
    assert "altinnRowId" not in model["Svar-grp-1"]
    assert xml_of(f'<linje altinnRowId="{ROW}"/>')["linje"][0]["altinnRowId"] == ROW


def test_numbers_are_written_as_net_writes_them() -> None:
    """Doubles in their shortest form, decimals digit for digit, and no word for what is no number."""
    written = to_json([1.0, 0.1, 1e15, 1e-5, -2.5, Decimal("3.10"), 123456789012345.0])

    assert written == "[1,0.1,1E+15,1E-05,-2.5,3.10,123456789012345]"
    with pytest.raises(ValueError, match="no number"):
        to_json({"faktor": json_of('{"faktor":"NaN"}')["faktor"]})


def test_xml_is_written_as_net_writes_it() -> None:
    """Namespaces of schemas first and its own last, nil for value types, a blank in what is empty, and escapes."""
    group = {"id": 'a"\n', "value": Decimal("1.50")}
    row = {ROW_ID: ROW, "tekst": "", "belop": None, "tall": ["1"]}
    model = {**empty(MEMBERS), "linje": [row, None], "Svar-grp-1": group, "merknad": "<&>\r", "faktor": float("inf")}

    written = to_xml(model, "Skjema", MEMBERS, namespace="urn:å b").decode()

    assert written == (
        '<Skjema xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        f' kode="7" xmlns="urn:å b"><linje altinnRowId="{ROW}"><tekst /><belop xsi:nil="true" /><tall>1</tall></linje>'
        '<Svar-grp-1 id="a&quot;&#xA;">1.50</Svar-grp-1><sats xsi:nil="true" /><antall>0</antall><faktor>INF</faktor>'
        '<tid xsi:nil="true" /><ja xsi:nil="true" /><merknad>&lt;&amp;&gt;\n</merknad></Skjema>'
    )
    assert b"<merknad>&#x1;</merknad>" in to_xml({**model, "merknad": "\x01"}, "Skjema", MEMBERS)


def test_letters_are_escaped_as_by_the_most_lenient_encoder() -> None:
    """Those beyond the first plane, blanks but one, and what nobody has assigned."""
    assert to_json({"a": 'æ </\u00a0\U0001f600\x0b\n"\\'}) == '{"a":"æ </\\u00A0\\uD83D\\uDE00\\u000B\\n\\"\\\\"}'


READ_AS_XML: list[tuple[str, str, Any]] = [
    ("<sats> 7.50\n</sats>", "sats", Decimal("7.50")),
    (f"<sats {NIL}/>", "sats", None),
    (f"<merknad {NIL}/>", "merknad", ""),
    ("<sats>1<!--c-->2<?p q?></sats>", "sats", 12),
    ("<merknad>a<!--c-->b</merknad>", "merknad", "ab"),
    ('<Svar-grp-1 id="a">1<!--c-->2</Svar-grp-1>', "Svar-grp-1", ["a", 12]),
    ("<tid>2026-01-02Z</tid>", "tid", "2026-01-02T00:00:00Z"),
    ("<tid>2026</tid>", "tid", "2026-01-01T00:00:00"),
    ("<faktor>-Infinity</faktor>", "faktor", float("-inf")),
    ("<sats>1</sats><sats>2</sats>", "sats", 1),
    ("<ukjent/><sats>1</sats>", "sats", None),
    ("<merknad>x</merknad><sats>1</sats>", "sats", None),
    ("", "linje", []),
    ("<linje/><linje><belop>2</belop></linje>", "linje", [[None, None, []], [None, 2, []]]),
    ('<Svar-grp-1 id="a">12</Svar-grp-1>', "Svar-grp-1", ["a", 12]),
    ("<Svar-grp-1/>", "Svar-grp-1", [None, 0]),
    ("<faktor>-INF</faktor>", "faktor", float("-inf")),
    ("<tid>2026-01-02T03:04:05+01:00</tid>", "tid", "2026-01-02T02:04:05+00:00"),
    ("<ja> 1 </ja>", "ja", True),
    ("<merknad>  </merknad>", "merknad", ""),
    ('<merknad xml:space="preserve">  </merknad>', "merknad", "  "),
    ("<merknad>a &lt; &#x41;&#1;<![CDATA[<b>]]> c</merknad>", "merknad", "a < A\x01<b> c"),
    ("<!-- c --><?pi x?><merknad>m</merknad>", "merknad", "m"),
]


@pytest.mark.parametrize(("inner", "name", "value"), READ_AS_XML)
def test_xml_is_read_into_members(inner: str, name: str, value: Any) -> None:
    """In their order and never back, with lists that are there, blanks around numbers, and nil for value types."""
    found = xml_of(inner)[name]

    if isinstance(value, list):
        found = [list(each.values()) for each in found] if name == "linje" else list(found.values())
    assert found == value


def test_entities_of_the_document_are_read_and_their_number_has_an_end() -> None:
    """As a text reader does that knows its document type; nothing is fetched."""
    kind = '<!DOCTYPE Skjema [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>'
    bomb = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))

    read = from_xml(f"{kind}<Skjema><merknad>&c;</merknad></Skjema>".encode(), "Skjema", MEMBERS)

    assert read["merknad"] == "bb"
    with pytest.raises(NotReadable, match="has exceeded a limit"):
        from_xml(
            f'<!DOCTYPE Skjema [<!ENTITY a0 "{"x" * 500}">{bomb}]><Skjema><merknad>&a9;</merknad></Skjema>'.encode(),
            "Skjema",
            MEMBERS,
        )


NO_XML: list[tuple[str, int, str]] = [
    ("<Skjema>", 9, "Unexpected end of file has occurred. The following elements are not closed: Skjema."),
    ("<Skjema><a></b></Skjema>", 14, "The 'a' start tag on line 1 position 10 does not match the end tag of 'b'."),
    ("x<Skjema/>", 1, "Data at the root level is invalid."),
    ("<Skjema/>x", 10, "Data at the root level is invalid."),
    ("<Skjema/><Skjema/>", 11, "There are multiple root elements."),
    ("<Skjema a='1' a='2'/>", 15, "'a' is a duplicate attribute name."),
    ("<Skjema a=1/>", 11, "'1' is an unexpected token. The expected token is '\"' or '''."),
    ("<Skjema a/>", 10, "'/' is an unexpected token. The expected token is '='."),
    ("<Skjema a='<'/>", 12, "'<', hexadecimal value 0x3C, is an invalid attribute character."),
    ("<Skjema>&x;</Skjema>", 10, "Reference to undeclared entity 'x'."),
    ("<Skjema>& </Skjema>", 10, "An error occurred while parsing EntityName."),
    ("<Skjema>&#65</Skjema>", 13, "Invalid syntax for a decimal numeric entity reference."),
    ("<Skjema>&lt</Skjema>", 12, "'<' is an unexpected token. The expected token is ';'."),
    ("<Skjema a='&#x;'/>", 15, "Invalid syntax for a hexadecimal numeric entity reference."),
    ("<Skjema>&#99999999;</Skjema>", 11, "Invalid value of a character entity reference."),
    ("<Skjema>&#65", 9, "Unexpected end of file has occurred."),
    ("<Skjema><a b='1'c='2'/></Skjema>", 17, "'c' is an unexpected token. Expecting whitespace."),
    ("<Skjema a='1'7/>", 14, "Name cannot begin with the '7' character, hexadecimal value 0x37."),
    ("<Skjema><a", 11, "Unexpected end of file while parsing Name has occurred."),
    ("<Skjema><a ", 12, "Unexpected end of file has occurred. The following elements are not closed: Skjema."),
    ("<Skjema><a<b/></Skjema>", 11, "The '<' character, hexadecimal value 0x3C, cannot be included in a name."),
    ("<a:b:c xmlns:a='u'/>", 5, "The ':' character, hexadecimal value 0x3A, cannot be included in a name."),
    ("<Skjema xmlns:b=''/>", 17, "Invalid namespace declaration."),
    ("<Skjema xmlns:xmlns='u'/>", 9, 'Prefix "xmlns" is reserved for use by XML.'),
    ("<Skjema xml:space='x'/>", 9, "'x' is an invalid xml:space value."),
    ("<Skjema><!-- a--b --></Skjema>", 15, "An XML comment cannot contain '--', and '-' cannot be the last character."),
    ("<Skjema><!x></Skjema>", 11, "'x' is an unexpected token. The expected token is '<!--' or '<[CDATA['."),
    ("<Skjema></", 11, "Unexpected end of file while parsing Name has occurred."),
    ("<?XML?><Skjema/>", 3, "'XML' is an invalid name for processing instructions."),
    ("<?xml encoding='x'?><Skjema/>", 7, "Syntax for an XML declaration is invalid."),
    ("<?xml version='1.0'x?><Skjema/>", 20, "'x' is an unexpected token. The expected token is '?>'."),
    ("<!DOCTYPE a><!DOCTYPE a><Skjema/>", 13, "Cannot have multiple DTDs."),
    ("<Skjema/><!DOCTYPE a>", 10, "DTD must be defined before the document root element."),
    ("<", 1, "Data at the root level is invalid."),
    ("<Skjema>]]></Skjema>", 9, "']]>' is not allowed in character data."),
    ("<Skjema>\x02</Skjema>", 9, "'\x02', hexadecimal value 0x02, is an invalid character."),
    ("<Skjema><1/></Skjema>", 10, "Name cannot begin with the '1' character, hexadecimal value 0x31."),
    ("<p:Skjema/>", 2, "'p' is an undeclared prefix."),
    ("</Skjema>", 3, "Unexpected end tag."),
    ("<?xml version='1.1'?><Skjema/>", 16, "Version number '1.1' is invalid."),
    (" <?xml version='1.0'?><Skjema/>", 4, "Unexpected XML declaration."),
]


@pytest.mark.parametrize(("text", "position", "message"), NO_XML)
def test_faults_in_xml_have_their_place(text: str, position: int, message: str) -> None:
    """The place stands twice: before and behind what is wrong."""
    with pytest.raises(NotReadable) as told:
        from_xml(text.encode(), "Skjema", MEMBERS)

    assert str(told.value).startswith(f"There is an error in XML document (1, {position}). {message}")
    assert str(told.value).endswith(f" Line 1, position {position}.")


WHOLE = (
    "<?xml version='1.0' encoding='utf-8'?>\n<!DOCTYPE Skjema [<!ENTITY a \"b\">]><!-- c --><?pi d?>"
    "<Skjema kode='1' xmlns:q='urn:q'><linje q:x=\"&lt;&#65;\"><tekst>&a;<![CDATA[x]]></tekst></linje></Skjema>\n"
)


@pytest.mark.parametrize("left", [None, " ", "<", "&", ">", "x"])
def test_every_text_has_an_end(left: str | None) -> None:
    """Cut off anywhere, or with another letter anywhere, it is read or refused."""
    texts = [WHOLE[:at] + ("" if left is None else left + WHOLE[at + 1 :]) for at in range(len(WHOLE))]

    for text in texts:
        with suppress(NotReadable):
            from_xml(text.encode(), "Skjema", MEMBERS)

    assert from_xml(WHOLE.encode(), "Skjema", MEMBERS)["linje"][0]["tekst"] == "bx"


WRONG: list[tuple[str, int, str]] = [
    ("<sats>1E3</sats>", 27, "The input string '1E3' was not in a correct format."),
    ("<sats></sats>", 24, "The input string '' was not in a correct format."),
    ("<antall>5.0</antall>", 31, "The input string '5.0' was not in a correct format."),
    ("<ja>ja</ja>", 22, "The string 'ja' is not a valid Boolean value."),
    ("<merknad>a<b/></merknad>", 20, "ReadElementContentAs() methods cannot be called on an element that has child"),
    ("<sats>1<b/></sats>", 17, "'Element' is an invalid XmlNodeType."),
    (f"<antall {NIL}/>", 89, "The input string '' was not in a correct format."),
    (f'<linje {NIL.partition(" ")[0]} xsi:type="x"/>', 10, "The specified type was not recognized: name='x'"),
    ('<linje altinnRowId="x"/>', 16, "Guid should contain 32 digits"),
]


@pytest.mark.parametrize(("inner", "position", "message"), WRONG)
def test_a_wrong_value_is_told_where_the_reader_stands_then(inner: str, position: int, message: str) -> None:
    """That is behind it."""
    with pytest.raises(NotReadable) as told:
        xml_of(inner)

    assert str(told.value).startswith(f"There is an error in XML document (1, {position}). {message}")


def test_an_empty_document_has_no_place() -> None:
    """Only a comment, for example."""
    with pytest.raises(NotReadable, match=r"^There is an error in XML document \(0, 0\)\. Root element is missing\.$"):
        from_xml(b"<!-- c -->", "Skjema", MEMBERS)


def test_prefill_leads_to_members_and_into_no_list() -> None:
    """By path in any case, without hyphens."""
    model = empty(MEMBERS)

    unknown = fill_empty(model, MEMBERS, {"SVARGRP1.id": "x", "sats": "1,000.5", "ukjent": "y"})

    assert (model["Svar-grp-1"]["id"], model["sats"], unknown) == ("x", Decimal("1000.5"), ["ukjent"])
    for path, value in (("linje.tekst", "x"), ("faktor", "mye")):
        with pytest.raises(NotReadable):
            fill_empty(model, MEMBERS, {path: value})
