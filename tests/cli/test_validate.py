"""``altinn-bridge validate`` says what is wrong with forms, to people, machines and editors."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from click.testing import CliRunner, Result
from lxml import html

from bridge.bundled import examples_folder, mappings_folder, schemas_folder
from bridge.cli.validate.command import validate
from bridge.cli.validate.excerpts import hidden
from bridge.forms.conversion.converter import Converter
from tests.cli.unread import unread

SCHEMA = schemas_folder() / "serveringsbevilling.xsd"
MAPPING = mappings_folder() / "serveringsbevilling.yaml"
GOOD = examples_folder() / "serveringsbevilling.xml"
BAD = examples_folder() / "serveringsbevilling-with-faults.xml"
POSTAL = "/melding/virksomhet/forretningsadresse/postnummer"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(validate, [str(each) for each in arguments], catch_exceptions=False)


def many(folder: Path, good: int, bad: int) -> Path:
    folder.mkdir()
    for number in range(good):
        (folder / f"good-{number:03}.xml").write_bytes(GOOD.read_bytes())
    for number in range(bad):
        (folder / f"bad-{number:03}.xml").write_bytes(BAD.read_bytes())
    return folder


def test_valid_forms_end_with_zero() -> None:
    """By schema and by mapping."""
    by_schema = run("--schema", SCHEMA, GOOD)
    by_mapping = run("--mapping", MAPPING, "--schemas", schemas_folder(), GOOD)

    assert (by_schema.exit_code, by_mapping.exit_code) == (0, 0)
    assert by_schema.stdout == by_mapping.stdout == "1 fil: 1 i orden, 0 med feil, 0 som ikke lot seg kontrollere.\n"


def test_findings_end_with_one() -> None:
    """A line for each, with place, rule, path and a sentence, and none of the values."""
    result = run("--schema", SCHEMA, BAD)

    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0] == str(BAD)
    assert re.fullmatch(rf"  8:7 +digits +{POSTAL} +Postnummer må ha fire siffer\.", lines[1])
    assert "vin og sterkt" not in result.stdout


def test_what_the_receiver_may_refuse_is_told_as_it_is_asked(tmp_path: Path) -> None:
    """By a mapping for Altinn 2 as an error, by a schema as a warning, or as the command says."""
    form = tmp_path / "a.xml"
    form.write_text(re.sub("<stenger>[^<]*<", "<stenger>24:00:00<", GOOD.read_text("utf-8"), count=1), "utf-8")
    by_mapping = ("--mapping", MAPPING, "--schemas", schemas_folder())

    results = [
        run(*by_mapping, form),
        run("--schema", SCHEMA, form),
        run(*by_mapping, "--receiver", "other", form),
        run("--schema", SCHEMA, "--receiver", "dotnet", form),
    ]

    assert [result.exit_code for result in results] == [1, 0, 0, 1]
    assert ["receiver_may_refuse (warning)" in result.stdout for result in results] == [False, True, True, False]
    assert all("Mottakeren kan avvise stenger: klokkeslettet 24:00" in result.stdout for result in results)


def test_languages_are_chosen() -> None:
    """For the sentences."""
    assert "Postnummer must have four digits." in run("--schema", SCHEMA, "--language", "en", BAD).stdout
    assert "Navn manglar." in run("--schema", SCHEMA, "--language", "nn", BAD).stdout


def test_values_are_shown_where_asked() -> None:
    """And only there."""
    value = re.search(r"<bevillingstype>(.*?)<", BAD.read_text("utf-8"))
    assert value is not None

    without, with_them = run("--schema", SCHEMA, BAD), run("--schema", SCHEMA, "--show-values", BAD)

    assert f"[{value[1]}]" not in without.stdout
    assert f"[{value[1]}]" in with_them.stdout


def test_machines_get_all_languages() -> None:
    """One JSON object, with the sums."""
    result = run("--schema", SCHEMA, "--json", GOOD, BAD)

    told = json.loads(result.stdout)
    assert [file["verdict"] for file in told["files"]] == ["valid", "findings"]
    assert told["files"][1]["findings"][0] == {
        "path": POSTAL,
        "line": 8,
        "column": 7,
        "rule": "digits",
        "severity": "error",
        "facts": {"digits": "4"},
        "messages": {
            "nb": "Postnummer må ha fire siffer.",
            "nn": "Postnummer må ha fire siffer.",
            "en": "Postnummer must have four digits.",
        },
    }
    assert (told["checked"], told["valid"], told["findings"], told["unusable"]) == (2, 1, 1, 0)


def test_editors_get_sarif(tmp_path: Path) -> None:
    """With rule, place and level; what could not be judged is a notification."""
    result = run("--schema", SCHEMA, "--sarif", BAD, tmp_path / "none.xml")

    told = json.loads(result.stdout)["runs"][0]
    assert result.exit_code == 2
    assert {each["ruleId"] for each in told["results"]} <= {rule["id"] for rule in told["tool"]["driver"]["rules"]}
    assert told["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 8, "startColumn": 7}
    assert told["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == BAD.as_uri()
    assert told["invocations"][0]["executionSuccessful"] is False
    assert len(told["invocations"][0]["toolExecutionNotifications"]) == 1


@pytest.mark.parametrize("format_", ["--json", "--sarif"])
def test_machines_get_a_whole_answer_without_findings(format_: str) -> None:
    """Nothing found is told in the same form."""
    told = json.loads(run("--schema", SCHEMA, format_, GOOD).stdout)

    assert told.get("valid", 1) == 1
    assert told.get("runs", [{"results": []}])[0]["results"] == []


def test_the_page_hides_values_and_marks_the_line(tmp_path: Path) -> None:
    """Sums, sentences and the lines around each; no script, nothing from elsewhere."""
    page = tmp_path / "report.html"

    result = run("--schema", SCHEMA, "--html", page, GOOD, BAD)

    text = page.read_text("utf-8")
    assert result.exit_code == 1
    assert "<b>1</b> i orden" in text
    assert "Postnummer må ha fire siffer." in text
    assert re.search(r"<mark> +8 +&lt;postnummer&gt;•+&lt;/postnummer&gt;</mark>", text)
    assert "Oppdiktet" not in text
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")


_LIST = (
    '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="skjema"><x:complexType><x:sequence>'
    '<x:element name="person" maxOccurs="9"><x:complexType><x:sequence><x:element name="navn"/><x:choice>'
    '<x:element name="epost"/><x:element name="telefon"/></x:choice></x:sequence></x:complexType></x:element>'
    "</x:sequence></x:complexType></x:element></x:schema>"
)


@pytest.mark.parametrize(
    ("person", "before", "said", "after"),
    [
        ("<person>\n<epost>a</epost>\n</person>", "&lt;person&gt;", "navn", "&lt;epost&gt;•&lt;/epost&gt;"),
        ("<person>\n<navn>a</navn>\n</person>", "&lt;navn&gt;•&lt;/navn&gt;", "epost, telefon", "&lt;/person&gt;"),
        ("<person><epost/></person>", "&lt;person&gt;&lt;epost/&gt;&lt;/person&gt;", "person/navn", "&lt;/skjema&gt;"),
        ("<person/>", "&lt;person/&gt;", "person/navn", "&lt;/skjema&gt;"),
    ],
    ids=["before what follows it", "at the end", "in one line", "in an empty element"],
)
def test_what_is_missing_marks_no_innocent_line(
    tmp_path: Path, person: str, before: str, said: str, after: str
) -> None:
    """A line of its own stands where it should be, and none of the form's is marked."""
    (tmp_path / "a.xsd").write_text(_LIST)
    (tmp_path / "a.xml").write_text(f"<skjema>\n{person}\n</skjema>\n")

    run("--schema", tmp_path / "a.xsd", "--html", tmp_path / "a.html", "--language", "nb", tmp_path / "a.xml")
    sarif = json.loads(run("--schema", tmp_path / "a.xsd", "--sarif", tmp_path / "a.xml").stdout)

    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert (place["startLine"], place["startColumn"]) == (place["endLine"], place["endColumn"])
    text = (tmp_path / "a.html").read_text("utf-8")
    around = re.search(r"\d  (.*)\n<mark> +\+  Her mangler: (.*)</mark>\n +\d+  (.*?)(?:\n|</pre>)", text)
    assert around is not None
    assert around.groups() == (before, said, after)
    assert not re.search(r"<mark> +\d", text)


@pytest.mark.parametrize(
    ("person", "line"),
    [
        ("<person>\n<epost>a</epost>\n</person>", 3),
        ("<person\n>\n<navn>\na</navn>\n\n</person>", 7),
        ("<person>\n</person>", 3),
        ("<person/>", 2),
    ],
    ids=["before what follows it", "last", "in what holds nothing", "in an empty element"],
)
def test_what_is_missing_last_is_told_where_its_parent_ends(tmp_path: Path, person: str, line: int) -> None:
    """Table, JSON, page and SARIF say the same line."""
    (tmp_path / "a.xsd").write_text(_LIST)
    (tmp_path / "a.xml").write_text(f"<skjema>\n{person}\n</skjema>\n")
    given = ("--schema", tmp_path / "a.xsd", tmp_path / "a.xml")

    table = run(*given, "--html", tmp_path / "a.html").stdout.splitlines()[1]
    told = json.loads(run(*given, "--json").stdout)["files"][0]["findings"][0]
    sarif = json.loads(run(*given, "--sarif").stdout)["runs"][0]["results"][0]

    assert table.split()[0] == str(line)
    assert (told["line"], told["column"]) == (line, 0)
    assert f">{line}</td>" in (tmp_path / "a.html").read_text("utf-8")
    assert sarif["locations"][0]["physicalLocation"]["region"]["startLine"] == line


def test_a_form_in_json_is_shown_by_its_names(tmp_path: Path) -> None:
    """Values are dots, names are not; what is missing stands below what lacks it. In broken JSON all is dots."""
    (tmp_path / "a.json").write_text('{\n"n": {\n"hemmelig": "ja, \\"svært\\"", "01815000042": 7}}')
    (tmp_path / "b.json").write_text('{"n" "hemmelig": 1}')
    (tmp_path / "s.json").write_text('{"properties": {"n": {"required": ["navn"]}}}')

    run("--schema", tmp_path / "s.json", "--html", tmp_path / "a.html", tmp_path / "a.json", tmp_path / "b.json")

    text = (tmp_path / "a.html").read_text("utf-8")
    assert "     2  &#34;n&#34;: {\n<mark>     +  Her mangler: navn</mark>" in text
    assert "&#34;hemmelig&#34;: •••• ••••••••••, •••••••••••••: •}}" in text
    assert text.count("hemmelig") == 1


@pytest.mark.parametrize(
    ("language", "own", "others"),
    [
        ("nb", ("Filen finnes ikke.", "Bare *.json", "som ikke lot seg kontrollere"), ("judged", "cannot", "ikkje")),
        ("nn", ("Fila finst ikkje.", "Berre *.json", "som ikkje lét seg kontrollere"), ("judged", "cannot", "Filen")),
        ("en", ("No such file.", "Only *.json", "that could not be judged"), ("Filen", "Fila", "kontroll")),
    ],
)
def test_a_report_is_in_one_language(
    tmp_path: Path, language: str, own: tuple[str, ...], others: tuple[str, ...]
) -> None:
    """Page, table and SARIF, with the sum and the reasons; JSON has all."""
    (tmp_path / "s.json").write_text('{"type": "object", "required": ["n"]}')
    given = ("--schema", tmp_path / "s.json", "--language", language, tmp_path / "none.json", GOOD)

    table, sarif = run(*given, "--html", tmp_path / "a.html"), run(*given, "--sarif")
    told = json.loads(run(*given, "--json").stdout)["files"][0]["messages"]

    page = (tmp_path / "a.html").read_text("utf-8")
    for text in (table.stdout, page):
        assert all(each in text for each in own)
        assert not any(each in text for each in others)
    assert own[0] in sarif.stdout
    assert own[0] == told[language]


def test_a_page_shows_markup_as_it_is_written(tmp_path: Path) -> None:
    """Of a file's name, of a value and of the form around it; Jinja's own as well, and no more elements for it."""
    (tmp_path / "a.xsd").write_text(_LIST)
    hostile = "<img src=x onerror='a' id=\"b\">{{ 7 * 7 }}{% raw %}&amp;"
    form = tmp_path / f"{hostile}.xml"
    form.write_text(f"<skjema>\n<person><navn/><epost/><x>{escape(hostile)}</x></person>\n</skjema>")

    run("--schema", tmp_path / "a.xsd", "--show-values", "--html", tmp_path / "a.html", form, tmp_path / hostile)

    page = html.fromstring((tmp_path / "a.html").read_text("utf-8"))
    assert [each.text_content() for each in page.iter("h2")] == [str(form), str(tmp_path / hostile)]
    assert [each.text_content() for each in page.iter("mark")] == [
        f"     2  <person><navn/><epost/><x>{escape(hostile)}</x></person>"
    ]
    assert {each.tag for each in page.iter()} & {"img", "script", "person"} == set()


def test_the_page_shows_values_where_asked(tmp_path: Path) -> None:
    """The form's own text, escaped."""
    form = tmp_path / "a.xml"
    form.write_text(BAD.read_text("utf-8").replace("<poststed>", "<poststed>&lt;b&gt;fet&lt;/b&gt; "))

    run("--schema", SCHEMA, "--show-values", "--html", tmp_path / "report.html", form)

    text = (tmp_path / "report.html").read_text("utf-8")
    assert "&amp;lt;b&amp;gt;fet" in text
    assert "<b>fet" not in text


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("<a b='c &gt;'>tekst\n her</a>", "<a b='• ••••'>•••••\n •••</a>"),
        ('<a xmlns:x="urn:x" x:b="y>"/>', '<a xmlns:x="urn:x" x:b="••"/>'),
        ("<!-- navn --><a><![CDATA[x<y]]></a>", "•••• •••• •••<a>•••••••••••••••</a>"),
        ('<a b="ikke slutt', "•• ••••••• •••••"),
        ("<a>1 < 2</a>", "<a>• • •</a>"),
    ],
)
def test_hiding_leaves_markup_and_nothing_else(xml: str, expected: str) -> None:
    """Each character of a value is a dot, so that places stay the same."""
    assert hidden(xml) == expected


def test_folders_are_judged_in_processes(tmp_path: Path) -> None:
    """All forms below, in their order, whichever process had them."""
    folder = many(tmp_path / "forms", good=60, bad=20)

    result = run("--schema", SCHEMA, "--json", "--processes", 2, folder)

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [file["path"] for file in told["files"]] == sorted(str(path) for path in folder.iterdir())
    assert (told["valid"], told["findings"]) == (60, 20)


def test_a_mapping_chooses_the_form(tmp_path: Path) -> None:
    """By data format, or by the root element; what is neither cannot be judged."""
    schema = SCHEMA.read_text("utf-8")
    (tmp_path / "serveringsbevilling.xsd").write_text(schema)
    (tmp_path / "vedlegg.xsd").write_text(schema.replace('name="melding"', 'name="vedlegg"').replace("5801", "5802"))
    text = MAPPING.read_text("utf-8")
    second = '  - {type: SubForm, data_format_id: "5802", data_format_version: "42001", schema: vedlegg.xsd}\nactions:'
    (tmp_path / "a.yaml").write_text(text.replace("\nactions:", f"\n{second}"))
    form = GOOD.read_text("utf-8")
    (tmp_path / "1.xml").write_text(form)
    (tmp_path / "2.xml").write_text(form.replace("5801", "5802").replace("melding", "vedlegg"))
    (tmp_path / "3.xml").write_text(form.replace("5801", "5803"))
    (tmp_path / "4.xml").write_text(form.replace("5801", "5803").replace("melding", "annet"))

    result = run("--mapping", tmp_path / "a.yaml", "--schemas", tmp_path, "--json", *sorted(tmp_path.glob("*.xml")))

    files = json.loads(result.stdout)["files"]
    assert [file["verdict"] for file in files] == ["valid", "valid", "findings", "unusable"]
    assert files[2]["findings"][0]["rule"] == "fixed"
    assert "5801/42001, 5802/42001" in files[3]["reason"]
    assert result.exit_code == 2


def test_rules_of_a_mapping_are_tried(tmp_path: Path) -> None:
    """Errors count, warnings are told and change nothing."""
    rule = (
        "{{at: /melding/oekonomi/egenkapital, test: '. > 1000000', severity: {},"
        " text: {{nb: For liten egenkapital., nn: For liten eigenkapital., en: Too little equity.}}}}"
    )
    text = MAPPING.read_text("utf-8")
    exits = {}
    for severity in ("warning", "error"):
        rules = f"xsd, rules: [{rule.format(severity)}]}}"
        (tmp_path / "a.yaml").write_text(text.replace("xsd}", rules, 1))
        result = run("--mapping", tmp_path / "a.yaml", "--schemas", schemas_folder(), GOOD)
        exits[severity] = result.exit_code
        assert "For liten egenkapital." in result.stdout

    assert exits == {"warning": 0, "error": 1}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--schema", "{tmp}/none.xsd", GOOD], "there is no schema"),
        (["--mapping", "{tmp}/none.yaml", GOOD], "there is no mapping"),
        (["--schema", SCHEMA, "{tmp}/none.xml"], "Filen finnes ikke."),
        (["--schema", SCHEMA, "{tmp}"], "there is no *.xml or *.json"),
        (["--schema", SCHEMA, "--html", "{tmp}/none/report.html", GOOD], "there is no folder"),
        ([GOOD], "say either --schema or --mapping"),
        (["--schema", SCHEMA, "--mapping", MAPPING, GOOD], "say either --schema or --mapping"),
        (["--schema", SCHEMA, "--json", "--sarif", GOOD], "not both"),
    ],
)
def test_what_cannot_be_used_ends_with_two(tmp_path: Path, arguments: list[object], told: str) -> None:
    """With the reason, and never a traceback."""
    result = run(*(str(each).replace("{tmp}", str(tmp_path)) for each in arguments))

    assert result.exit_code == 2
    assert told in result.output
    assert "Traceback" not in result.output


def test_a_file_that_cannot_be_used_does_not_stop_the_others(tmp_path: Path) -> None:
    """They are judged all the same."""
    result = run("--schema", SCHEMA, tmp_path / "none.xml", BAD, GOOD)

    assert result.exit_code == 2
    assert "3 filer: 1 i orden, 1 med feil, 1 som ikke lot seg kontrollere." in result.stdout


def test_a_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters of a file's name are written out."""
    form = tmp_path / "a\x1b[2J.xml"
    form.write_bytes(BAD.read_bytes())

    result = run("--schema", SCHEMA, form)

    assert "\x1b" not in result.stdout
    assert "\\x1b[2J" in result.stdout


def test_json_is_held_to_a_json_schema(tmp_path: Path) -> None:
    """The same findings in the same table; XML beside it cannot be judged."""
    (tmp_path / "a.schema.json").write_text('{"type": "object", "properties": {"n": {"type": "integer"}}}')
    (tmp_path / "good.json").write_text('{"n": 1}')
    (tmp_path / "bad.json").write_text('{"n": "x"}')

    result = run("--schema", tmp_path / "a.schema.json", tmp_path / "good.json", tmp_path / "bad.json")
    mixed = run("--schema", tmp_path / "a.schema.json", GOOD)

    assert result.exit_code == 1
    assert "2 filer: 1 i orden, 1 med feil" in result.stdout
    assert mixed.exit_code == 2


@pytest.mark.parametrize(
    "by", [("--schema", SCHEMA), ("--mapping", MAPPING, "--schemas", schemas_folder())], ids=["xsd", "mapping"]
)
def test_json_is_judged_as_the_xml_that_it_means(tmp_path: Path, by: tuple[object, ...]) -> None:
    """A JSON form beside an XSD is turned into XML by it, and has the same findings, in its own places."""
    converter = Converter.from_schema(SCHEMA)
    for name, form in (("good", GOOD), ("bad", BAD)):
        (tmp_path / f"{name}.json").write_text(converter.to_json(form.read_bytes()), "utf-8")
    (tmp_path / "strange.json").write_text('{"n": 1}')

    good, bad, strange = (run(*by, tmp_path / f"{name}.json") for name in ("good", "bad", "strange"))

    assert good.exit_code == 0
    assert (bad.exit_code, strange.exit_code) == (1, 1)
    assert POSTAL.removeprefix("/melding") in bad.stdout
    assert "Postnummer må ha fire siffer." in bad.stdout


def test_a_folder_that_cannot_be_opened_is_told() -> None:
    """What lies in it was not judged, so that not all is valid."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "forms").mkdir()
        shutil.copy(GOOD, folder / "forms" / "a.xml")
        shutil.copy(SCHEMA, folder)
        judged = "--schema", folder / SCHEMA.name, folder / "forms"
        run(*judged)  # All modules are loaded, wherever they lie.
        (folder / "forms" / "closed").mkdir(mode=0)
        root = os.geteuid() == 0
        try:
            if root:  # For whom nothing is closed.
                os.seteuid(65534)
            result = run(*judged)
        finally:
            if root:
                os.seteuid(0)

    assert result.exit_code == 2
    assert "closed: Permission denied" in result.stderr
    assert "1 fil: 1 i orden" in result.stdout


def test_links_that_lead_nowhere_cannot_be_judged(tmp_path: Path) -> None:
    """Beside one that leads back to its own folder, which is not followed."""
    shutil.copy(GOOD, tmp_path / "a.xml")
    (tmp_path / "b.xml").symlink_to("nowhere.xml")
    (tmp_path / "c.xml").symlink_to("c.xml")
    (tmp_path / "loop").symlink_to(tmp_path)

    result = run("--schema", SCHEMA, tmp_path)

    assert result.exit_code == 2
    assert "3 filer: 1 i orden, 0 med feil, 2 som ikke lot seg kontrollere." in result.stdout


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.xml", bytes(range(256)) * 50), ("a.xml", b"<m>" + b"x" * 9_000_000), ("\u00e6\u00f8 \U0001f642.xml", b"<m/>")],
    ids=["binary", "one huge line", "a name of all alphabets"],
)
def test_odd_files_have_findings_and_nothing_else(tmp_path: Path, name: str, data: bytes) -> None:
    """In the table, for machines, for editors and on the page."""
    (tmp_path / name).write_bytes(data)

    for option in ((), ("--json",), ("--sarif",), ("--html", tmp_path / "page.html")):
        assert run("--schema", SCHEMA, *option, tmp_path / name).exit_code == 1


@pytest.mark.parametrize("shape", ["table", "json", "sarif"])
@pytest.mark.parametrize(("form", "code"), [(GOOD, 0), (BAD, 1)], ids=["valid", "faulty"])
def test_a_page_is_written_whoever_reads_what_is_printed(tmp_path: Path, form: Path, code: int, shape: str) -> None:
    """As before ``| head``, which leaves: the page is whole, and the exit code tells of the forms."""
    page = tmp_path / "page.html"
    about = ["--schema", str(SCHEMA), "--format", shape, "--html", str(page), str(form)]

    assert unread("validate", *about) == (code, "")
    assert page.read_text("utf-8").rstrip().endswith("</html>")


def test_what_only_prints_ends_when_nobody_reads() -> None:
    """Without a word of a page that nobody asked for."""
    assert unread("validate", "--schema", str(SCHEMA), str(BAD)) == (1, "")


@pytest.mark.parametrize("data", [b"", b"\x00\xff" * 500, b"<a", b"<a/>"], ids=["empty", "binary", "cut", "no schema"])
@pytest.mark.parametrize("name", ["a.xsd", "a.json"])
def test_a_schema_that_cannot_be_used_ends_with_two(tmp_path: Path, name: str, data: bytes) -> None:
    """With its name and the reason."""
    (tmp_path / name).write_bytes(data)

    command = [sys.executable, "-m", "bridge.cli", "validate", "--schema", str(tmp_path / name), str(GOOD)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert f"{name}:1:" in done.stderr
    assert "Traceback" not in done.stderr


def test_engines_that_disagree_are_told_in_every_report(tmp_path: Path) -> None:
    """Whichever refuses: as a line, for machines, for editors and on the page."""
    (tmp_path / "a.xsd").write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType><x:sequence>'
        '<x:element name="a"><x:simpleType><x:union memberTypes="x:int x:ENTITY"/></x:simpleType></x:element>'
        '<x:element name="id" type="x:duration" maxOccurs="2"/></x:sequence>'
        "</x:complexType></x:element></x:schema>"
    )
    entity, half = tmp_path / "entity.xml", tmp_path / "half.xml"
    entity.write_text("<m><a>b</a><id>P1Y</id></m>")
    half.write_text("<m><a>1</a><id>P1Y</id><id>PT.5S</id></m>")
    page = tmp_path / "page.html"
    given = ("--schema", tmp_path / "a.xsd", "--both-engines", entity, half)

    people, machines, editors = run(*given, "--html", page), run(*given, "--json"), run(*given, "--sarif")

    assert people.exit_code == 1
    assert people.stdout.count("engines_disagree") == 2
    rules = [each["rule"] for file in json.loads(machines.stdout)["files"] for each in file["findings"]]
    assert rules.count("engines_disagree") == 2
    results = json.loads(editors.stdout)["runs"][0]["results"]
    assert [each["ruleId"] for each in results].count("engines_disagree") == 2
    assert page.read_text("utf-8").count("Kontrollen er uenig med seg selv") == 2
    assert run("--schema", tmp_path / "a.xsd", half).exit_code == 0
