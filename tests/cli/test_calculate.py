"""``altinn-bridge calculate``: one form explained, and many forms through two apps."""

import json
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from bridge.adapters.apps.client import AppClient
from bridge.cli.calculate.apps import Caller, Target, _route, compared, why_not
from bridge.cli.calculate.command import _cell, calculate
from bridge.cli.calculate.parity import Parity, Progress
from bridge.forms.xml.input import Unreadable
from bridge.sandbox.apps.schemas import xsd
from bridge.sandbox.apps.state import App
from bridge.sandbox.control import settings
from bridge.sandbox.core.ledger import How
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World
from bridge.web.proxy.report_page import line_by_line
from bridge.wiring import utc_now
from tests.cli.unread import unread
from tests.web.raw_app import RawApp

NEW, OLD, COPY = "ttd/sandkasse-regnestykke", "ttd/sandkasse-regnestykke-2021", "ttd/sandkasse-kopi"
FORM = "<Regnestykke><linje><antall>3</antall><pris>1.10</pris></linje><sum>9</sum><ukjent>x</ukjent></Regnestykke>"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    world = World(utc_now, 7)
    example = world.apps.find("ttd", "sandkasse-regnestykke")
    assert example is not None
    world.apps.register(App(org="ttd", name="sandkasse-kopi", title="Kopi", data_types=example.data_types))
    with Sandbox(world) as running:
        yield running


def run(sandbox: Sandbox, *arguments: object, anonymous: bool = True) -> Result:
    environ = {**settings(sandbox.world, sandbox.base_url), "BRIDGE_DATABASE_URL": "sqlite:////tmp/unused.sqlite"}
    given = [*map(str, arguments), "--data-type", "regnestykke", *(["--anonymous"] if anonymous else [])]
    return CliRunner().invoke(calculate, given, env=environ)


def platform_token(sandbox: Sandbox) -> str:
    return issue(sandbox.world, sandbox.base_url, "platform", {"urn:altinn:orgNumber": "310000019"}, lifetime=600)


def forms(folder: Path, count: int = 12) -> Path:
    """A folder of forms of which every third has a tax with decimals."""
    inbox = folder / "forms"
    inbox.mkdir()
    for number in range(count):
        price = "1.10" if number % 3 == 0 else "4"
        line = f"<linje><antall>1</antall><pris>{price}</pris></linje>"
        (inbox / f"{number:03}.xml").write_text(f"<Regnestykke>{line}</Regnestykke>", "utf-8")
    return inbox


def test_one_form_is_explained_as_a_table(sandbox: Sandbox, tmp_path: Path) -> None:
    """What the app changed, added and dropped, each by its path with the old and the new value."""
    file = tmp_path / "form.xml"
    file.write_text(FORM, "utf-8")

    result = run(sandbox, file, "--app", NEW)

    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert result.exit_code == 0, result.output
    assert lines["/Regnestykke/sum"] == ["changed", "9", "3.30"]
    assert lines["/Regnestykke/ukjent"] == ["dropped", "x", "–"]
    assert lines["/Regnestykke/linje/belop"] == ["added", "–", "3.30"]


@pytest.mark.parametrize(
    ("forms", "said"),
    [
        ((b"<a/>", b"<a>"), "ny: / (line 1) not_well_formed"),
        ((b"<a", b"<a/>"), "gammel: / (line 1) not_well_formed"),
        ((b"<a", b"<b"), "gammel, ny: / (line 1) not_well_formed"),
        ((b"<a/>", b"{}"), "XML against JSON needs the shape of the form"),
    ],
    ids=["second", "first", "both", "neither"],
)
def test_which_of_two_forms_cannot_be_compared_is_told(forms: tuple[bytes, bytes], said: str) -> None:
    """By its name, and the line."""
    with pytest.raises((Unreadable, ValueError)) as caught:
        compared(*forms, None)

    assert why_not(forms, ["gammel", "ny"], caught.value) == said


@pytest.mark.parametrize(("value", "shown"), [("a b", "a b"), (" a", '" a"'), ("a\nb", '"a\\nb"'), (None, "–")])
def test_blanks_that_make_the_difference_are_seen_in_the_table(value: str | None, shown: str) -> None:
    """And a line end does not break it."""
    assert _cell(value) == shown


def test_where_an_app_stopped_reading_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    """Behind an element that it does not know, whichever way the answer is shown."""
    file = tmp_path / "form.xml"
    file.write_text("<Regnestykke><ukjent/><linje><tekst>x</tekst></linje><sats>5</sats></Regnestykke>", "utf-8")

    table, as_json, as_html = (
        run(sandbox, file, "--app", NEW, "--format", shown_as).stdout for shown_as in ("table", "json", "html")
    )

    told = "The app does not know ukjent in this place, and so did not read what stands after it."
    assert f"/Regnestykke/ukjent: {told}" in table
    assert json.loads(as_json)["stoppedAt"] == ["/Regnestykke/ukjent"]
    assert f"<p><code>/Regnestykke/ukjent</code> {told}</p>" in as_html


def test_where_it_stopped_is_told_in_the_apps_language(sandbox: Sandbox, tmp_path: Path) -> None:
    """On the terminal as on the page."""
    file = tmp_path / "form.xml"
    file.write_text("<Regnestykke><ukjent/><linje><tekst>x</tekst></linje><sats>5</sats></Regnestykke>", "utf-8")

    table = run(sandbox, file, "--app", NEW, "--language", "nb").stdout

    assert "/Regnestykke/ukjent: Appen kjenner ikke ukjent" in table


@pytest.mark.parametrize("shape", ["table", "json", "html"])
def test_the_exit_code_tells_of_the_form_whoever_reads(sandbox: Sandbox, tmp_path: Path, shape: str) -> None:
    """And the page is whole."""
    (tmp_path / "form.xml").write_text(FORM, "utf-8")
    about = ["calculate", tmp_path / "form.xml", "--app", NEW, "--data-type", "regnestykke", "--anonymous"]
    environ = {**settings(sandbox.world, sandbox.base_url), "BRIDGE_DATABASE_URL": "sqlite:////tmp/unused.sqlite"}

    told = unread(*about, "--format", shape, "--html", tmp_path / "a.html", environ=environ)

    assert told == (0, "")
    assert (tmp_path / "a.html").read_text("utf-8").rstrip().endswith("</html>")


def test_machines_and_people_get_their_own_form(sandbox: Sandbox, tmp_path: Path) -> None:
    """The same differences as JSON, and as a page in which values are escaped."""
    file = tmp_path / "form.json"
    file.write_text('{"merknad": "<b>", "linje": []}', "utf-8")

    as_json = run(sandbox, file, "--app", NEW, "--format", "json")
    as_html = run(sandbox, file, "--app", NEW, "--format", "html")

    changes = {each["path"]: each for each in json.loads(as_json.stdout)["changes"]}
    assert changes["/merknad"] == {"path": "/merknad", "change": "changed", "old": "<b>", "new": "Beregnet"}
    assert '<td data-head="Before">&lt;b&gt;</td><td data-head="After">Beregnet</td>' in as_html.stdout
    assert "<ins>+   &#34;merknad&#34;: &#34;Beregnet&#34;</ins>" in as_html.stdout


@pytest.mark.parametrize(
    ("language", "own"),
    [
        ("nb", ("Sammenligning", "Hvor resultatene er ulike", "Forskjell", "ulik verdi", "Linje for linje")),
        ("nn", ("Samanlikning", "Kvar resultata er ulike", "Skilnad", "ulik verdi", "Linje for linje")),
        ("en", ("Comparison", "Where the results differ", "Difference", "another value", "Line by line")),
    ],
)
def test_two_apps_are_held_against_each_other_on_a_page(
    sandbox: Sandbox, tmp_path: Path, language: str, own: tuple[str, ...]
) -> None:
    """In one language: the sum, each difference beneath its app's name, and the lines around it."""
    (tmp_path / "form.xml").write_text(FORM, "utf-8")
    (tmp_path / "token").write_text(platform_token(sandbox), "utf-8")
    given = (tmp_path / "form.xml", "--app", NEW, "--against", OLD, "--token-file", tmp_path / "token")

    result = run(sandbox, *given, "--language", language, "--html", tmp_path / "a.html", anonymous=False)

    page = (tmp_path / "a.html").read_text("utf-8")
    assert (result.exit_code, result.stdout.split()[:4]) == (1, ["path", "difference", NEW, OLD])
    assert f'<html lang="{language}">' in page
    assert f"<h1>{own[0]}: {NEW} / {OLD}</h1>" in page
    assert all(each in page for each in own)
    assert re.search(rf'<td data-head="{NEW}">\d[\d.]*</td><td data-head="{OLD}">\d[\d.]*</td>', page)
    assert re.search(r"<del>− +&lt;avgift&gt;", page)
    assert re.search(r"<ins>\+ +&lt;avgift&gt;", page)
    assert not re.search(r">(added|changed|dropped|moved|Before|Før)<", page)


def test_the_page_of_a_folder_names_the_forms(sandbox: Sandbox, tmp_path: Path) -> None:
    """Where they differ with some of them, and those that were not compared with what each app said."""
    (tmp_path / "token").write_text(platform_token(sandbox), "utf-8")
    inbox = forms(tmp_path)
    (inbox / "galt.xml").write_text("<Annet>hemmelig</Annet>", "utf-8")
    given = (inbox, "--app", NEW, "--against", OLD, "--token-file", tmp_path / "token", "--language", "nb")

    run(sandbox, *given, "--html", tmp_path / "a.html", anonymous=False)

    page = (tmp_path / "a.html").read_text("utf-8")
    assert "<li><b>8</b> like</li>\n<li><b>4</b> ulike</li>" in page
    named = re.search(r'<td data-head="Skjemaer">4</td><td data-head="For eksempel">(.*?)</td>', page)
    assert named is not None
    # Whichever came first.
    assert len(set(named[1].split(", ")) & {"000.xml", "003.xml", "006.xml", "009.xml"}) == 3
    assert f"avvist likt av begge: {NEW} 400; {OLD} 400" in page
    assert "hemmelig" not in page
    assert not re.search(r"same|different|refused|changed", page.partition("<main>")[2])


def test_a_page_without_a_folder_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """Before anything is asked of an app."""
    (tmp_path / "form.xml").write_text(FORM, "utf-8")

    result = run(sandbox, tmp_path / "form.xml", "--app", NEW, "--html", tmp_path / "none" / "a.html")

    assert (result.exit_code, "there is no folder" in result.output) == (2, True)


def test_lines_of_two_kinds_or_too_many_are_left_out() -> None:
    """What is no form of the same kind has no lines in common."""
    large = b'{"a": [' + b"1, " * 3_000 + b"1]}"

    assert line_by_line(b"<a/>", b'{"a": 1}') == []
    assert line_by_line(large, b'{"a": [2]}') == []
    assert line_by_line(b'{"a": 1.10, "b": {}}', b'{"a": 1.1, "b": {}}') == [
        (" ", "{"),
        ("-", '  "a": 1.10,'),
        ("+", '  "a": 1.1,'),
        (" ", '  "b": {}'),
        (" ", "}"),
    ]


def test_the_schema_tells_numbers_from_text(sandbox: Sandbox, tmp_path: Path) -> None:
    """With the XSD 2.0 and 2 are one number."""
    example = sandbox.world.apps.find("ttd", "sandkasse-regnestykke")
    assert example is not None
    (tmp_path / "form.xsd").write_text(xsd(example.data_types[0]), "utf-8")
    file = tmp_path / "form.xml"
    file.write_text("<Regnestykke><sats>25.0</sats><sum>0.00</sum></Regnestykke>", "utf-8")

    plain = run(sandbox, file, "--app", NEW)
    typed = run(sandbox, file, "--app", NEW, "--schema", tmp_path / "form.xsd")

    assert "/Regnestykke/sum" in plain.stdout
    assert "/Regnestykke/sum" not in typed.stdout


def test_a_refusal_is_told_without_the_form(sandbox: Sandbox, tmp_path: Path) -> None:
    """The app's status and words, and exit code 1."""
    file = tmp_path / "form.xml"
    file.write_text("<Annet>hemmelig</Annet>", "utf-8")

    result = run(sandbox, file, "--app", NEW)

    first, *words = result.stderr.splitlines()
    assert (result.exit_code, first) == (1, f"{NEW}: answered 400")
    assert words == ["  There is an error in XML document (1, 2). <Annet xmlns=''> was not expected."]
    assert "hemmelig" not in result.output


JSON_400 = b"HTTP/1.1 400 x\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n"
UNREADABLE = "its answer breaks the rules of HTTP, or has more than 100 lines of headers"
ANSWERS = {
    "errors by field": (
        JSON_400 + b'{"title":"One or more","errors":{"sum":["Too little"],"":["Too\\n\\u001b[31mold"]}}',
        ["answered 400", "  sum: Too little", "  Too \ufffd[31mold"],
    ),
    "errors in a list": (
        JSON_400 + b'{"title":"One or more","errors":["Too little"]}',
        ["answered 400", "  Too little"],
    ),
    "too many errors": (
        JSON_400 + json.dumps({"errors": ["x"] * 53}).encode(),
        ["answered 400", *["  x"] * 50, "  and 3 more"],
    ),
    "nothing": (JSON_400, ["answered 400"]),
    "another status": (JSON_400.replace(b"400", b"403") + b'{"errors":["of another"]}', ["answered 403"]),
    "300 lines of headers": (
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 300 + b"Content-Length: 2\r\n\r\n{}",
        [f"{UNREADABLE} (no whole answer came (ProtocolError, HTTPException))"],
    ),
}


@pytest.mark.parametrize(("answer", "told"), ANSWERS.values(), ids=ANSWERS)
def test_an_app_that_gives_no_form_is_told_as_in_a_report(tmp_path: Path, answer: bytes, told: list[str]) -> None:
    """As well as in a report of the proxy, and without signs that a terminal obeys."""
    file = tmp_path / "form.json"
    file.write_text("{}", "utf-8")
    with RawApp(answer) as app:
        address = app.url.format(org="ttd", app="app")
        given = [str(file), "--app", address, "--data-type", "skjema", "--anonymous"]
        result = CliRunner().invoke(calculate, given, env={"BRIDGE_ALTINN3_APPS_URL": ""})

    assert (result.exit_code, result.stderr.splitlines()) == (1, [f"ttd/app: {told[0]}", *told[1:]])


def test_the_bridges_own_token_opens_the_closed_route(sandbox: Sandbox, tmp_path: Path) -> None:
    """By the settings, exchanged at the platform; the old generation has no other route."""
    file = tmp_path / "form.xml"
    file.write_text(FORM, "utf-8")

    result = run(sandbox, file, "--app", OLD, anonymous=False)

    assert result.exit_code == 0, result.output
    assert "/Regnestykke/avgift" in result.stdout


def test_a_token_never_goes_to_another_host(sandbox: Sandbox, tmp_path: Path) -> None:
    """An app elsewhere gets a token that was given for it, or the command is refused."""
    file = tmp_path / "form.xml"
    file.write_text(FORM, "utf-8")
    elsewhere = f"https://apps.example.no/{NEW}"

    result = run(sandbox, file, "--app", NEW, "--against", elsewhere, anonymous=False)

    assert result.exit_code == 2
    assert "--against-token-file" in result.output


def test_a_folder_is_held_against_another_app(sandbox: Sandbox, tmp_path: Path) -> None:
    """Where the results differ is told by path and by number of forms."""
    token = tmp_path / "token"
    token.write_text(platform_token(sandbox))
    inbox = forms(tmp_path)

    result = run(
        sandbox, inbox, "--app", NEW, "--against", OLD, "--token-file", token, "--format", "json", anonymous=False
    )

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["forms"] == {"same": 8, "different": 4}
    assert told["differences"] == [{"path": "/avgift", "change": "changed", "forms": 4}]


def test_apps_that_agree_end_with_zero(sandbox: Sandbox, tmp_path: Path) -> None:
    """Equal results, and equal refusals, are parity."""
    inbox = forms(tmp_path, 3)
    (inbox / "wrong.xml").write_text("<Annet/>", "utf-8")

    result = run(sandbox, inbox, "--app", NEW, "--against", f"{sandbox.base_url}/apps/{COPY}")

    assert result.exit_code == 0, result.output
    assert "3 same, 1 refused alike" in result.stdout


def test_a_stopped_run_goes_on_where_it_was(sandbox: Sandbox, tmp_path: Path) -> None:
    """What was answered is not asked again; what was not, is."""
    inbox, results = forms(tmp_path, 6), tmp_path / "parity.sqlite"
    arguments = (inbox, "--app", NEW, "--against", COPY, "--results", results, "--at-once", 1)
    sandbox.world.faults.plan(How(cut="before"), system="apps", method="POST", path="regnestykke/v1", times=2, skip=2)

    first = run(sandbox, *arguments)
    before = len(sandbox.world.calls.all("apps"))
    second = run(sandbox, *arguments)
    asked = sum(each.method == "POST" for each in sandbox.world.calls.all("apps")[before:])

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert "1 not answered" in first.stdout
    assert "6 same" in second.stdout
    assert asked == 2


def test_results_belong_to_one_run(sandbox: Sandbox, tmp_path: Path) -> None:
    """Other apps need another file."""
    inbox, results = forms(tmp_path, 1), tmp_path / "parity.sqlite"
    run(sandbox, inbox, "--app", NEW, "--against", COPY, "--results", results)

    result = run(sandbox, inbox, "--app", COPY, "--against", NEW, "--results", results)

    assert (result.exit_code, "of another run" in result.output) == (2, True)


class Echo(Target):
    """An app that changes nothing, without the network."""

    def calculate(self, form: bytes, *, as_json: bool = False) -> bytes:
        assert as_json
        return bytes(bytearray(form))


def test_parity_holds_few_forms_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However many forms a folder has, memory holds those under way; and how far it is, is said in a line."""
    inbox, size, count = tmp_path / "forms", 100_000, 200
    inbox.mkdir()
    for number in range(count):
        (inbox / f"{number:03}.json").write_text(json.dumps({"tekst": "x" * size}), "utf-8")
    apps = [echo(name) for name in ("ttd/en", "ttd/to")]

    with Parity(None, apps, schema=None) as parity:
        tracemalloc.start()
        try:
            parity.run(inbox, at_once=2)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        told = parity.summary()

    assert told["forms"] == {"same": count}
    assert peak < size * count / 8
    assert f"{count} of {count} forms" in capsys.readouterr().err


def echo(name: str) -> Echo:
    org, _, app = name.partition("/")
    return Echo(
        name=name,
        url="http://127.0.0.1:9/{org}/{app}",
        route=_route(org, app),
        client=AppClient(requests.Session(), url="", tokens=None, clock=utc_now, timeout=1),
        caller=Caller(data_type="regnestykke", party=None, language=None, anonymous=True),
        token=None,
    )


class Watch:
    """A clock that is set, and goes on by *step* each time that it is read."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self._step = 0.0, step

    def __call__(self) -> float:
        self.now += self._step
        return self.now


def test_progress_is_told_every_two_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """A plain line with rate and time left, of which what was done before is no part; and one at the end."""
    watch = Watch()
    progress = Progress(100, 20, clock=watch)

    for moment, count in ((1.9, 10), (2.0, 10), (3.9, 10), (4.0, 20), (5.0, 30)):
        watch.now = moment
        progress.step(count)
    progress.end()

    assert capsys.readouterr().err.splitlines() == [
        "40 of 100 forms, 10/s, 6 s left",
        "70 of 100 forms, 12/s, 2 s left",
        "100 of 100 forms, 16/s",
    ]


def test_a_run_tells_how_far_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where forms take more than two seconds each of them has its line, without any name or value."""
    with Parity(None, [echo("ttd/en"), echo("ttd/to")], schema=None) as parity:
        parity.run(forms(tmp_path, 4), at_once=1, clock=Watch(step=3))

    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith("4 of 4 forms, ")
    assert len(told) >= 3
    assert all(" of 4 forms, " in line for line in told)
