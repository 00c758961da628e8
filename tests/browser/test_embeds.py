"""A person reads in a real browser what the bridge shows in a dialog, and takes the print with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from bridge.bundled import mappings_folder
from tests.processes.harness import VALID, Case, Site, site
from tests.scenarios.test_embeds import EMBEDS, RECEIPT

pytestmark = pytest.mark.browser
SECONDS = 15_000
SIGNED = {"signing_steps": 1, "signing_text": "Jeg bekrefter <b>alt</b>."}
"""The service of all tests here: what a service is like is learnt once."""
EVIL = "&lt;img src=x onerror=alert(1)&gt; [x](javascript:alert(1))"


@pytest.fixture(scope="module")
def showing(tmp_path_factory: pytest.TempPathFactory, context: BrowserContext) -> Iterator[Site]:
    """A bridge whose dialogs have embeds, at the address where it listens."""
    del context
    folder: Path = tmp_path_factory.mktemp("mappings")
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    (folder / "serveringsbevilling.yaml").write_text(text + EMBEDS + RECEIPT, "utf-8")
    with site(tmp_path_factory.mktemp("bridge"), BRIDGE_MAPPINGS=str(folder)) as running:
        running.environ["BRIDGE_PUBLIC_URL"] = running.url
        running.serve()
        yield running


@pytest.fixture
def bridge(showing: Site) -> Site:
    return showing


def opened(page: Page, made: Site, case: Case) -> Any:
    page.goto(f"{made.world.arbeidsflate_url}/arbeidsflate/#{case.dialog_id}")
    page.locator(f'main[data-listening="{case.dialog_id}"]').wait_for(state="attached")
    return page.locator("#embed")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator("button[aria-busy=true]")).to_have_count(0, timeout=SECONDS)


def test_the_receipt_shows_and_opens_the_print(page: Page, bridge: Site) -> None:
    """After the press the middle shows the receipt; its link opens the print once."""
    case = bridge.case(service=SIGNED)
    embed = opened(page, bridge, case)
    hidden = embed.is_hidden()

    press(page, "submit")
    expect(embed).to_contain_text("Referanse: AR", timeout=SECONDS)
    link = embed.get_by_role("link", name="Last ned som PDF")
    with page.expect_download() as coming:
        link.click()
    again = bridge.http.get(str(link.get_attribute("href")), timeout=10)

    assert hidden
    assert coming.value.suggested_filename.startswith("AR")
    assert Path(coming.value.path()).read_bytes().startswith(b"%PDF")
    assert again.status_code == 410
    page.get_by_role("group").get_by_text("Søknad").click()
    expect(page.locator("#transmissions div")).to_contain_text("Referanse: AR", timeout=SECONDS)


def test_the_signing_text_is_seen_before_signing(page: Page, bridge: Site) -> None:
    """In the dialog, beside the button that signs."""
    case = bridge.case(service=SIGNED)
    embed = opened(page, bridge, case)

    page.get_by_text("Flere handlinger").click()
    press(page, "send-to-signing")

    expect(embed).to_have_text("Jeg bekrefter alt.", timeout=SECONDS)
    expect(page.get_by_role("button", name="sign", exact=True)).to_be_visible()


def test_what_a_form_says_is_shown_and_does_nothing(page: Page, bridge: Site) -> None:
    """Tags and links that somebody typed into a form are words on the page."""
    case = bridge.case(VALID.replace("Egne midler og et lån på 100 000 kroner.", EVIL), service=SIGNED)
    dialog = bridge.as_owner("GET", f"/{case.dialog_id}").json()
    url = f"{bridge.url}/embeds/{case.dialog_id}/summary"
    media_type = "application/vnd.dialogporten.frontchannelembed-url;type=text/markdown"
    value = {"value": [{"languageCode": "nb", "value": url}], "mediaType": media_type}
    patch = [{"op": "add", "path": "/content/mainContentReference", "value": value}]
    answer = bridge.http.patch(
        f"{bridge.base}/dialogporten/api/v1/serviceowner/dialogs/{case.dialog_id}",
        json=patch,
        headers={
            "Authorization": f"Bearer {bridge._owner.token(['digdir:dialogporten.serviceprovider'])}",
            "Content-Type": "application/json-patch+json",
            "If-Match": dialog["revision"],
        },
        timeout=10,
    )
    assert answer.status_code == 204, answer.text

    embed = opened(page, bridge, case)

    expect(embed).to_contain_text("<img src=x onerror=alert(1)> [x](javascript:alert(1))", timeout=SECONDS)
    assert embed.locator("img, a, script").count() == 0
    assert embed.get_by_role("heading", name="Virksomhet").count() == 1


def test_whoever_opens_a_button_as_a_link_is_led_back(page: Page, bridge: Site) -> None:
    """A navigation to an action shows a page in the browser's language, with a link to Arbeidsflate."""
    case = bridge.case(service=SIGNED)

    answer = page.goto(f"{bridge.url}/actions/{case.dialog_id}/submit")

    assert answer is not None
    assert answer.status == 405
    expect(page.get_by_role("heading")).to_have_text("Denne adressen er ikke en nettside")
    expect(page.get_by_role("link", name="Gå til Arbeidsflate")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('small')).color") == "rgb(74, 87, 104)"
