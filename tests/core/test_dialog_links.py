"""Attachments that lead to pages about a result: what may stand in an address, and who is heard."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.dialog_merge import Merged, merge
from bridge.core.dialog_presentation import fit_for_url, link_offers
from bridge.core.dialogs import DialogChange, LinkOffer, dialog_from_json
from bridge.core.mapping import ResultLink
from bridge.core.written import NOTHING_WRITTEN, Written
from tests.core.test_dialog_members import applied
from tests.core.test_dialog_merge import ACTIVITY, DIALOG_ID, NOTHING, _body

LINK = ResultLink(
    name="sats",
    title=dict.fromkeys(("nb", "nn", "en"), "Sats {result.rate}"),
    url="https://www.example.no/satser/{result.rate}?side=1",
    media_type="text/html",
)

THEIR_URL = {"id": "01950000-0000-7000-8000-000000000002", "url": "https://deres.example.no/", "consumerType": "Api"}

# Its last group has eleven digits in a row.
UUID_WITH_DIGITS = "0194fe82-9280-77a5-a7cd-a12345678901"


def made(rate: str | None, link: ResultLink = LINK) -> LinkOffer:
    values: Mapping[str, str] = {} if rate is None else {"result.rate": rate}
    (offer,) = link_offers(DIALOG_ID, "show", (link,), values=values)
    return offer


def change(*links: LinkOffer) -> DialogChange:
    return replace(NOTHING, links=links)


def merged(wanted: LinkOffer, base: Written = NOTHING_WRITTEN, *there: Any, **members: Any) -> Merged:
    return merge(dialog_from_json(_body(attachments=list(there), **members)), change(wanted), base)


def read_back(offer: LinkOffer) -> dict[str, Any]:
    """As Dialogporten shows an attachment: with more than was sent."""
    assert offer.item is not None
    return {**offer.item, "name": None, "expiresAt": None}


def test_a_link_has_one_id_for_ever() -> None:
    """The same dialog, action and name give the same UUIDv7, whatever was calculated."""
    assert made("25").id == made("7").id == made(None).id
    assert made("25").id.version == 7
    assert made("25").id != link_offers(DIALOG_ID, "other", (LINK,), values={})[0].id


def test_a_link_is_written_as_dialogporten_takes_it() -> None:
    """The title in its languages, one address for people, the values in their places."""
    item = made("25").item

    assert item is not None
    (url,) = item["urls"]  # type: ignore[misc]
    assert url["url"] == "https://www.example.no/satser/25?side=1"
    assert (url["mediaType"], url["consumerType"]) == ("text/html", "Gui")
    assert item["displayName"][0] == {"languageCode": "nb", "value": "Sats 25"}  # type: ignore[index]


UNFIT = [
    "",
    " ",
    "Ola Nordmann",
    "o@example.no",
    "a/b",
    "1,2",
    "01839000029",
    "ref-01839000029",
    "ref01839000029",
    "018390.00029",
    "æ",
    "x" * 65,
]


@pytest.mark.parametrize("value", [*UNFIT, None])
def test_what_must_not_stand_in_an_address_makes_no_link(value: str | None) -> None:
    """A name, an address, several values at once, or a national identity number: none stands then."""
    assert made(value).item is None


@pytest.mark.parametrize(
    "value", ["25", "209.00", "SAK-2026_7~b", "1234567890", "123456789012", "2026-03-10", UUID_WITH_DIGITS]
)
def test_codes_and_numbers_make_a_link(value: str) -> None:
    """They need no encoding, so they stand as they are."""
    item = made(value).item

    assert item is not None
    assert f"/satser/{value}?" in str(item["urls"])


def test_an_address_is_never_cut() -> None:
    """One that grows beyond Dialogporten's 1,023 characters is left out."""
    long = replace(LINK, url=f"https://www.example.no/{'x' * 960}{{result.rate}}")

    assert made("1" * 10, long).item is not None
    assert made("a" * 64, long).item is None


@given(st.text(max_size=80))
def test_no_value_leaves_its_place_in_the_address(value: str) -> None:
    """Whatever a form holds, the host, the path before it and the query behind it stay."""
    item = made(value).item

    if item is None:
        return
    assert fit_for_url(value)
    url = item["urls"][0]["url"]  # type: ignore[index]
    assert url == f"https://www.example.no/satser/{value}?side=1"
    assert not set(value) & set("/?#%@: ")


def test_the_first_link_is_added_and_a_repeat_adds_nothing() -> None:
    """What stands there already is recognised by its id and its words."""
    first = merged(made("25"))
    again = merged(made("25"), first.written, read_back(made("25")))
    # As after a crash before that was written down.
    unwritten = merged(made("25"), NOTHING_WRITTEN, read_back(made("25")))

    assert first.operations == ({"op": "add", "path": "/attachments/-", "value": made("25").item},)
    assert again.operations == unwritten.operations == ()
    assert unwritten.written == first.written


def test_a_new_result_changes_the_link_in_place() -> None:
    """What others attached stays, wherever it stands, and so does what they added to the link itself."""
    theirs = {"id": "01950000-0000-7000-8000-000000000001", "displayName": [], "urls": []}
    ours, wanted = {**read_back(made("25")), "expiresAt": "2031-01-01T00:00:00Z"}, made("7").item
    assert wanted is not None

    found = merged(made("7"), merged(made("25")).written, theirs, ours)

    address = wanted["urls"][0]["url"]  # type: ignore[index]
    assert found.operations == (
        {"op": "replace", "path": "/attachments/1/displayName", "value": wanted["displayName"]},
        {"op": "replace", "path": "/attachments/1/urls/0/url", "value": address},
    )


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(lambda link: link.update(name="x"), id="name"),
        pytest.param(lambda link: link.update(authorizationContext={"tokenRef": "r"}), id="authorization context"),
        pytest.param(lambda link: link["displayName"].append({"languageCode": "se", "value": "S"}), id="language"),
        pytest.param(lambda link: link["urls"].insert(0, dict(THEIR_URL)), id="address"),
        pytest.param(lambda link: link["urls"][0].update(x="y"), id="member of our address"),
    ],
)
def test_a_new_result_shows_whatever_others_added(theirs: Callable[[dict[str, Any]], object]) -> None:
    """Title and address say the new result, no old number stays, and what others put beside them is still there."""
    put = merged(made("25"))
    link = copy.deepcopy(read_back(made("25")))
    theirs(link)
    expected = copy.deepcopy(read_back(made("7")))
    theirs(expected)

    found = merged(made("7"), put.written, link)
    after = applied(_body(attachments=[link]), found.operations)

    assert after["attachments"] == [expected]
    assert merged(made("7"), found.written, *after["attachments"]).operations == ()


def test_what_others_changed_or_took_away_stays_so() -> None:
    """Their title is the last word on it, and its address goes on; what they removed is not put back."""
    base = merged(made("25")).written
    renamed = {**read_back(made("25")), "displayName": [{"languageCode": "nb", "value": "Deres"}]}

    assert [each["path"] for each in merged(made("7"), base, renamed).operations] == ["/attachments/0/urls/0/url"]
    assert merged(made("7"), base).operations == ()


@pytest.mark.parametrize("again", [made("7"), made(None)])
def test_an_address_that_others_gave_stays(again: LinkOffer) -> None:
    """It is their page then, and neither led elsewhere nor taken away."""
    put = merged(made("25"))
    link = copy.deepcopy(read_back(made("25")))
    link["urls"][0]["url"] = "https://deres.example.no/"

    after = applied(_body(attachments=[link]), merged(again, put.written, link).operations)

    assert after["attachments"][0]["urls"] == link["urls"]


def test_a_link_that_cannot_be_made_takes_the_old_one_away() -> None:
    """It would lead to another result; once there is one again, it is added again."""
    base = merged(made("25")).written

    gone = merged(made(None), base, {**read_back(made("25")), "name": "x", "displayName": []})
    back = merged(made("7"), gone.written)

    assert gone.operations == ({"op": "remove", "path": "/attachments/0"},)
    assert back.operations == ({"op": "add", "path": "/attachments/-", "value": made("7").item},)
    assert merged(made(None)).operations == ()


def test_a_link_goes_however_its_address_is_spelt() -> None:
    """What is kept of an address is its meaning, with escapes in small letters as in large ones."""
    link = replace(LINK, url="https://www.Example.no/satser%2f{result.rate}")
    first = merged(made("25", link))
    (added,) = first.operations

    gone = merged(made(None, link), first.written, {**added["value"], "name": None})

    assert [each["op"] for each in gone.operations] == ["remove"]


def test_several_go_from_the_end() -> None:
    """A removal moves what follows it."""
    other = replace(LINK, name="annen")
    offers = [made("25"), made("25", other)]
    base = merge(dialog_from_json(_body(attachments=[])), change(*offers)).written
    dialog = dialog_from_json(_body(attachments=[read_back(each) for each in offers]))

    found = merge(dialog, change(made(None), made(None, other)), base)

    assert [each["path"] for each in found.operations] == ["/attachments/1", "/attachments/0"]


def test_a_told_dialog_and_a_correspondence_get_no_link() -> None:
    """The one was told already, the other is Correspondence's."""
    told = replace(change(made("25")), activities=(ACTIVITY,))
    dialog = dialog_from_json(_body(activities=[{"id": str(ACTIVITY.id)}]))

    assert merge(dialog, told).operations == ()
    assert merged(made("25"), serviceResourceType="CorrespondenceService").operations == ()
