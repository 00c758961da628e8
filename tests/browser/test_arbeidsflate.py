"""A person presses a button in a real browser, and the spinner ends when the dialog was changed, and only then."""

import threading
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Response, expect

from bridge.sandbox.core.ledger import How
from tests.processes.harness import FAULTY, VALID, Case, Site, free_port, until

pytestmark = pytest.mark.browser
SPINNING = "button[aria-busy=true]"
SECONDS = 15_000


def opened(page: Page, bridge: Site, dialog_id: object) -> None:
    """Show the dialog, and wait until the page listens to its events."""
    page.goto(f"{bridge.world.arbeidsflate_url}/arbeidsflate/#{dialog_id}")
    page.locator(f'main[data-listening="{dialog_id}"]').wait_for(state="attached")


def button(page: Page, name: str = "submit") -> Any:
    return page.get_by_role("button", name=name, exact=True)


def pressed(page: Page, bridge: Site, name: str = "submit") -> Response:
    """Press, and give the bridge's answer."""
    with page.expect_response(lambda answer: answer.url.startswith(f"{bridge.url}/actions/")) as answered:
        button(page, name).click()
    return answered.value


def held(bridge: Site) -> threading.Event:
    """Altinn 2 waits with its next PUT until the event is set."""
    go_on = threading.Event()
    bridge.trap = lambda: go_on.wait(30) and None
    bridge.world.faults.plan(How(delay_before=1), system="altinn2", method="PUT")
    return go_on


def is_done(page: Page) -> None:
    expect(page.locator(SPINNING)).to_have_count(0, timeout=SECONDS)
    expect(button(page)).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("Oppdatert etter")
    expect(page.get_by_role("alert")).to_be_empty()


def puts(bridge: Site, case: Case) -> int:
    return len(bridge.effects(case, "altinn2.put"))


def test_a_press_that_is_done_ends_the_spinner(page: Page, bridge: Site) -> None:
    """204 after a real preflight from another origin; the button goes, the history grows."""
    case = bridge.case()
    opened(page, bridge, case.dialog_id)
    network = page.context.new_cdp_session(page)
    sent: list[Any] = []
    network.on("Network.requestWillBeSent", lambda e: sent.append(e["request"]))
    network.send("Network.enable")

    answer = pressed(page, bridge)

    is_done(page)
    assert answer.status == 204
    assert urlsplit(page.url).port != urlsplit(answer.url).port
    assert ("OPTIONS", answer.url) in [(each["method"], each["url"]) for each in sent]
    assert float(page.locator("main").get_attribute("data-spinner") or 0) > 0
    assert page.locator("#activities li").count() > 0


def test_a_press_under_way_spins_until_the_event(page: Page, bridge: Site) -> None:
    """202 alone ends nothing."""
    case = bridge.case()
    opened(page, bridge, case.dialog_id)
    go_on = held(bridge)

    answer = pressed(page, bridge)
    spinning = page.locator(SPINNING).count()
    go_on.set()

    is_done(page)
    assert (answer.status, spinning) == (202, 1)


def test_a_refusal_releases_the_button(page: Page, bridge: Site) -> None:
    """A general message, nothing of the problem document, and the button can be pressed again."""
    case = bridge.case(FAULTY)
    opened(page, bridge, case.dialog_id)

    answer = pressed(page, bridge)

    expect(page.get_by_role("alert")).to_have_text("Handlingen kunne ikke utføres. Prøv igjen senere.")
    expect(page.locator(SPINNING)).to_have_count(0)
    expect(button(page)).to_be_enabled()
    assert 400 <= answer.status < 500


def test_a_refusal_is_shown_until_the_next_success(page: Page, bridge: Site) -> None:
    """The message goes, and says nothing: the badge and the words below the summary stay, in the reader's language."""
    case = bridge.case(FAULTY)
    opened(page, bridge, case.dialog_id)
    hidden = (page.locator("#badge").is_hidden(), page.locator("#more").is_hidden())

    pressed(page, bridge)

    expect(page.locator("#badge")).to_have_text("Må rettes")
    expect(page.get_by_role("region", name="Mer informasjon")).to_contain_text("Rett feilene i skjemaet")
    assert hidden == (True, True)
    assert button(page).count() == 1

    corrected(bridge, case)
    pressed(page, bridge)

    expect(page.locator("#badge")).to_have_text("Sendt inn")
    expect(page.locator("#more")).to_be_hidden()


def corrected(bridge: Site, case: Case) -> None:
    """Put the form right, as its owner would in Altinn."""
    elements = bridge.world.altinn2._elements
    element = elements[case.message_id]
    elements[case.message_id] = replace(element, forms=(replace(element.forms[0], data=VALID),))


def test_altinn_down_then_up_ends_the_spinner(page: Page, bridge: Site) -> None:
    """The bridge repeats what was not written; the page waits for the event."""
    case = bridge.case()
    opened(page, bridge, case.dialog_id)
    bridge.world.faults.plan(How(status=503), system="altinn2", method="PUT", times=2)

    pressed(page, bridge)

    is_done(page)
    assert puts(bridge, case) == 1


def test_two_tabs_press_once(context: BrowserContext, page: Page, bridge: Site) -> None:
    """Both spinners end, and Altinn 2 was written to once."""
    case = bridge.case()
    other = context.new_page()
    for tab in (page, other):
        opened(tab, bridge, case.dialog_id)
    go_on = held(bridge)

    button(page).click()
    button(other).click()
    until(lambda: len(bridge.rows(case)) >= 1, what="the first press")
    go_on.set()

    is_done(page)
    is_done(other)
    other.close()
    assert puts(bridge, case) == 1


def created(bridge: Site, *actions: dict[str, Any]) -> str:
    """A dialog with these buttons and nothing behind it."""
    title = [{"languageCode": "nb", "value": "Søknad"}]
    body = {
        "serviceResource": "urn:altinn:resource:serveringsbevilling",
        "party": f"urn:altinn:organization:identifier-no:{bridge.world.new_organisation().number}",
        "status": "RequiresAttention",
        "content": {"title": {"value": title}},
        "guiActions": [{"httpMethod": "POST", "action": "write", "priority": "Tertiary", **each} for each in actions],
    }
    answer = bridge.as_owner("POST", "", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json())


def called(text: str) -> list[dict[str, str]]:
    return [{"languageCode": "nb", "value": text}]


def test_a_receiver_out_of_reach_is_not_told(page: Page, bridge: Site) -> None:
    """As in the real one: the button comes back, and nothing is said."""
    dialog_id = created(bridge, {"title": called("Send"), "url": f"http://127.0.0.1:{free_port()}/send"})
    opened(page, bridge, dialog_id)

    button(page, "Send").click()

    expect(page.locator(SPINNING)).to_have_count(0)
    expect(button(page, "Send")).to_be_enabled()
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_question_is_asked_first(page: Page, bridge: Site) -> None:
    """Whoever says no sends nothing, and has a button that stays busy until an event; the others can be pressed."""
    asked: list[str] = []
    address = f"{bridge.url}/actions/x/send"
    send = {"title": called("Send"), "prompt": called("Er du sikker?"), "url": address}
    dialog_id = created(bridge, send, {"title": called("Lagre"), "url": address})
    opened(page, bridge, dialog_id)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.on("dialog", lambda question: (asked.append(question.message), question.dismiss()))

    button(page, "Send").click()

    expect(page.locator(SPINNING)).to_have_text("Send")
    expect(button(page, "Lagre")).to_be_enabled()
    assert (asked, address in sent) == (["Er du sikker?"], False)

    bridge.as_owner("PATCH", f"/{dialog_id}", [{"op": "replace", "path": "/progress", "value": 50}])

    expect(page.locator(SPINNING)).to_have_count(0)


def test_a_message_is_gone_after_three_seconds(page: Page, bridge: Site) -> None:
    """What stays is what the dialog says."""
    case = bridge.case(FAULTY)
    page.clock.install()
    opened(page, bridge, case.dialog_id)

    pressed(page, bridge)
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.clock.run_for(3_000)

    expect(page.get_by_role("alert")).to_be_empty()


def test_a_stream_that_ends_is_not_opened_again(page: Page, bridge: Site) -> None:
    """Whoever looks hears of nothing more, until the tab was hidden and shown: so an update can be missed."""
    case = bridge.case()
    page.clock.install()
    opened(page, bridge, case.dialog_id)
    subscribed: list[str] = []
    page.on("request", lambda request: subscribed.append(request.url) if "/graphql/stream" in request.url else None)

    bridge.world.dialogporten.streams.close()
    expect(page.locator("main[data-listening]")).to_have_count(0)
    page.clock.run_for(120_000)

    assert subscribed == []

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    page.locator(f'main[data-listening="{case.dialog_id}"]').wait_for(state="attached")


def test_a_dialog_is_shown_in_words(page: Page, bridge: Site) -> None:
    """What happened, by whom; and Markdown as such, without the HTML in it."""
    dialog_id = created(bridge)
    markdown = [{"languageCode": "nb", "value": "Se **veilederen**. <b>Ikke HTML</b>"}]
    content = {"value": markdown, "mediaType": "text/markdown"}
    happened = {"type": "FormSubmitted", "performedBy": {"actorType": "ServiceOwner"}}
    bridge.as_owner("PATCH", f"/{dialog_id}", [{"op": "add", "path": "/content/additionalInfo", "value": content}])
    bridge.as_owner("POST", f"/{dialog_id}/activities", happened)

    opened(page, bridge, dialog_id)
    page.get_by_text("Aktivitetslogg").click()

    expect(page.locator("#info strong")).to_have_text("veilederen")
    expect(page.locator("#info")).to_contain_text("<b>Ikke HTML</b>")
    expect(page.locator("#activities li").first).to_contain_text("Skjema sendt inn · Etaten")


def test_deleting_is_offered_in_the_bin_only(page: Page, bridge: Site) -> None:
    """And a dialog that is deleted leads back to the inbox."""
    address = f"{bridge.url}/actions/x/delete"
    dialog_id = created(bridge, {"title": called("Slett"), "isDeleteDialogAction": True, "url": address})
    opened(page, bridge, dialog_id)
    before = button(page, "Slett").count()

    page.get_by_role("button", name="Legg i papirkurven").click()
    expect(button(page, "Slett")).to_be_visible()
    bridge.as_owner("DELETE", f"/{dialog_id}")

    expect(page.get_by_role("heading", name="Innboks")).to_be_visible()
    assert before == 0
