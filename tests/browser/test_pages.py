"""Every page that the bridge writes for people: read on a telephone, without scripts, by whoever sees badly or not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from bridge.bundled import examples_folder, schemas_folder
from bridge.cli.calculate.parity_page import parity_page
from bridge.cli.validate.command import validate
from bridge.web.proxy.report_page import page_of
from tests.browser.looking import NARROW, faults
from tests.processes.harness import Site

# A real browser looks at every page, wide and narrow.
pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST, SECOND = "ttd/en-app-med-et-ganske-langt-navn", "ttd/en-annen-app-med-et-like-langt-navn"
LONG = "/melding/gruppe/enGanskeDypGruppe/etFeltMedEtLangtNavnSomIngenKunneLese/belopIAlt"


@pytest.fixture(autouse=True)
def quiet(page: Page) -> Iterator[list[str]]:
    """Nothing is loaded from elsewhere, and nothing that is missing."""
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(f"{answer.status} {answer.url}"))
    complaints: list[str] = []
    # What is refused is told there as well.
    page.on("console", lambda said: None if "status of 401" in said.text else complaints.append(said.text))
    yield asked
    assert complaints == []


@pytest.mark.parametrize(
    ("instead", "of", "told"),
    [
        ("", "", None),
        ("<p style='width:500px'>bred</p>", "<p>ord</p>", "the page scrolls sideways by"),
        ("<p style='color:#999'>ord</p>", "<p>ord</p>", "contrast 2.85"),
        ("<p style='font-size:9px'>ord</p>", "<p>ord</p>", "letters of 9px"),
        ("<h3>ord</h3>", "<p>ord</p>", "h3 after h1"),
        ("<a href='#der'>ord</a>", "<p>ord</p>", "a link to nowhere"),
        ("<a href='#her'></a>", "<p>ord</p>", "a link without a name"),
        ("<p id=her>ord</p>", "<p>ord</p>", "id her twice"),
        ("<table><tr><td>ord</table>", "<p>ord</p>", "a table without heads"),
        ("<pre>" + "x" * 300 + "</pre>", "<p>ord</p>", "scrolls, and not by keyboard"),
        ("</main><p>ord</p>", "<p>ord</p></main>", "outside of all landmarks"),
        ("<div>", "<main>", "not one main"),
        ("", " lang=nb", "no language"),
        ("", "<link rel=icon href='data:,'>", "no icon"),
    ],
)
def test_the_look_at_a_page_finds_what_is_wrong(
    page: Page, tmp_path: Path, instead: str, of: str, told: str | None
) -> None:
    """Else a page without faults says nothing."""
    viewport = "<meta name=viewport content='width=device-width'>"
    head = f"<!doctype html><html lang=nb><meta charset=utf-8>{viewport}<link rel=icon href='data:,'><title>x</title>"
    html = f"{head}<main><h1 id=her>Side</h1><p>ord</p></main>"
    (tmp_path / "a.html").write_text(html.replace(of, instead) if of else html, "utf-8")

    found = faults(page, (tmp_path / "a.html").as_uri())

    assert (told in str(found.get(390))) if told else found == {}


def test_the_description_is_read_on_a_telephone(page: Page, bridge: Site, quiet: list[str]) -> None:
    """Contents that lead somewhere, landmarks, headings in order, contrast; one request, and no icon is missing."""
    assert faults(page, f"{bridge.url}/docs") == {}
    page.get_by_role("navigation").get_by_role("link", name="serveringsbevilling").click()

    expect(page.get_by_role("heading", name="serveringsbevilling", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("heading", name="submit – Submit")).to_be_visible()
    assert set(quiet) == {f"200 {bridge.url}/docs"}


def test_the_page_behind_a_button_is_read_on_a_telephone(page: Page, bridge: Site) -> None:
    """Where a browser lands that opened an action as a link."""
    assert faults(page, f"{bridge.url}/embeds/0196f000-0000-7000-8000-000000000001/summary") == {}


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_page_of_a_check_is_read_on_a_telephone(page: Page, tmp_path: Path, language: str) -> None:
    """With what is missing, in XML and JSON, and a file that is not there."""
    broken = tmp_path / "form.xml"
    text = (examples_folder() / "serveringsbevilling-with-faults.xml").read_text("utf-8")
    broken.write_text(text.replace("<navn>Oppdiktet Kafé AS</navn>", ""), "utf-8")
    (tmp_path / "form.json").write_text(json.dumps({"virksomhet": {"navn": "x" * 300}}, indent=1), "utf-8")
    given = ["--schema", schemas_folder() / "serveringsbevilling.xsd", "--html", tmp_path / "a.html"]
    given += ["--language", language, broken, tmp_path / "form.json", tmp_path / "none.xml"]

    CliRunner().invoke(validate, [str(each) for each in given], catch_exceptions=False)

    assert faults(page, (tmp_path / "a.html").as_uri()) == {}
    assert page.locator("mark").count() > 3


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
@pytest.mark.parametrize("two", [True, False], ids=["two apps", "one app"])
def test_the_page_of_a_calculation_is_read_on_a_telephone(
    page: Page, tmp_path: Path, language: str, *, two: bool
) -> None:
    """With long paths, long values, tags in them, and a form that could not be compared."""
    kinds = ("added", "changed", "dropped", "moved")
    changes = [{"path": LONG, "change": kind, "old": "<b>" + "x" * 90, "new": None} for kind in kinds]
    document: dict[str, Any] = {"app": f"{FIRST} / {SECOND}" if two else FIRST, "changes": changes, "stoppedAt": []}
    document |= {"status": 200, "findings": [{"path": LONG, "line": 3, "message": "Belopet mangler."}]}
    forms = (b"<a><b>" + b"x" * 200 + b"</b></a>", b"<a><b>y</b></a>")

    for number, told in enumerate((document, document | {"changes": None, "status": 400})):
        written = tmp_path / f"{number}.html"
        written.write_text(page_of(told, language, forms=forms, two=two), "utf-8")
        assert faults(page, written.as_uri()) == {}


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_page_of_many_calculations_is_read_on_a_telephone(page: Page, tmp_path: Path, language: str) -> None:
    """With every outcome, and long names; on a telephone each cell says what it is."""
    outcomes = {"same": 8, "different": 4, "refused": 2, "refused alike": 600, "not answered": 1, "not comparable": 1}
    told = {"apps": [FIRST, SECOND], "dataType": "skjema", "total": 616, "forms": outcomes}
    told |= {"differences": [{"path": LONG, "change": "changed", "forms": 4}]}
    names = [f"{'lang' * 20}-{number}.xml" for number in range(3)]
    others = [(name, "refused alike", f"{FIRST} 400; {SECOND} 400") for name in names]
    written = tmp_path / "a.html"

    written.write_text(parity_page(told, {(LONG, "changed"): names}, others, language=language), "utf-8")

    assert faults(page, written.as_uri()) == {}
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    said = page.locator("tbody td").first.evaluate("node => getComputedStyle(node, '::before').content")
    assert ("Felt" if language != "en" else "Field") in said
