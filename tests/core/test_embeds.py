"""Which embed a dialog shows in which state."""

from dataclasses import replace
from uuid import UUID

import pytest

from bridge.core.cases import CaseStatus
from bridge.core.dialog_merge import merge
from bridge.core.dialogs import Json, dialog_from_json
from bridge.core.embeds import MEDIA_TYPE, PLACE, embed_url, main_content, reference
from bridge.core.mapping import Embed, Embeds, StateRule
from bridge.core.new_dialogs import new_dialog, own_dialog_change
from bridge.core.states import Subject, change_for_state
from bridge.core.written import NOTHING_WRITTEN, Written
from tests.core.test_drafts import DRAFT, ELEMENT, NOW
from tests.core.test_states import DIALOG_ID, MAPPING

PUBLIC = "https://bridge.example.no/"
WITH = replace(MAPPING, embeds=Embeds(minimum_level=3))
OWN: Json = {"value": [{"languageCode": "nb", "value": "https://etaten.example.no"}], "mediaType": MEDIA_TYPE}


def content(embed: Embed) -> Json:
    return reference(embed_url(PUBLIC, DIALOG_ID, embed))


def subject(*, states: dict[CaseStatus, StateRule] | None = None) -> Subject:
    return Subject(mapping=replace(WITH, states=states or {}), dialog_id=DIALOG_ID, public_url=PUBLIC, values={})


def moved(shows: Json | None, state: CaseStatus, base: Written, about: Subject) -> tuple[list[Json], Written]:
    """What is sent about the middle of a dialog that *shows* something when its element moves."""
    body: Json = {
        "id": str(DIALOG_ID),
        "revision": "1",
        "serviceResource": MAPPING.service_resource,
        "party": "urn:x",
        "status": "Draft",
        "content": {} if shows is None else {"mainContentReference": shows},
    }
    merged = merge(dialog_from_json(body), change_for_state(about, state, activity=None), base)
    return [each for each in merged.operations if each["path"] == PLACE], merged.written


@pytest.mark.parametrize(
    ("state", "embed"),
    [
        (CaseStatus.FORM_FILLING, Embed.SUMMARY),
        (CaseStatus.SIGNING, Embed.SIGNING_TEXT),
        (CaseStatus.ARCHIVED, Embed.RECEIPT),
        (CaseStatus.DELETED, None),
        (CaseStatus.UNKNOWN, None),
    ],
)
def test_each_state_shows_what_fits_it(state: CaseStatus, embed: Embed | None) -> None:
    """At the bridge's own address, in every language."""
    sent, _ = moved(None, state, NOTHING_WRITTEN, subject())

    assert [each.get("value") for each in sent] == ([] if embed is None else [content(embed)])


def test_the_embed_goes_on_with_the_state_and_goes() -> None:
    """Replaced, and taken away where there is nothing more to show; a state that nobody knows changes nothing."""
    about = subject()
    _, first = moved(None, CaseStatus.FORM_FILLING, NOTHING_WRITTEN, about)
    (replaced,), second = moved(content(Embed.SUMMARY), CaseStatus.SIGNING, first, about)
    unknown, third = moved(content(Embed.SIGNING_TEXT), CaseStatus.UNKNOWN, second, about)
    (removed,), _ = moved(content(Embed.SIGNING_TEXT), CaseStatus.DELETED, third, about)

    assert (replaced["op"], replaced["value"]) == ("replace", content(Embed.SIGNING_TEXT))
    assert unknown == []
    assert removed["op"] == "remove"


@pytest.mark.parametrize("state", list(CaseStatus))
def test_what_others_show_stays(state: CaseStatus) -> None:
    """Unless the mapping itself says what the state shows."""
    sent, _ = moved(OWN, state, NOTHING_WRITTEN, subject())
    rule = StateRule(status=None, actions=None, main_content=Embed.SUMMARY)
    asked, _ = moved(OWN, state, NOTHING_WRITTEN, subject(states={state: rule}))

    assert sent == []
    assert [each["value"] for each in asked] == [content(Embed.SUMMARY)]


def test_a_state_may_show_nothing() -> None:
    """With ``none`` ours goes."""
    rule = StateRule(status=None, actions=None, main_content=Embed.NONE)
    _, base = moved(None, CaseStatus.FORM_FILLING, NOTHING_WRITTEN, subject())

    sent, _ = moved(content(Embed.SUMMARY), CaseStatus.SIGNING, base, subject(states={CaseStatus.SIGNING: rule}))

    assert [each["op"] for each in sent] == ["remove"]


def test_nothing_is_shown_without_embeds_or_an_address() -> None:
    """Where the mapping has none, or nobody said where the bridge is reached."""
    filling = CaseStatus.FORM_FILLING

    assert main_content(MAPPING, DIALOG_ID, filling, public_url=PUBLIC) == {}
    assert main_content(WITH, DIALOG_ID, filling, public_url=None) == {}


def test_a_new_dialog_shows_the_form() -> None:
    """From its beginning."""
    about = Subject(mapping=WITH, dialog_id=DRAFT.dialog_id, public_url=PUBLIC, values={})

    body, _ = new_dialog(
        about, own_dialog_change(about, ELEMENT, activity=None, now=NOW), ELEMENT, party="urn:x", key="abc", label="x"
    )

    url = embed_url(PUBLIC, UUID(str(body["id"])), Embed.SUMMARY)
    assert isinstance(body["content"], dict)
    assert body["content"]["mainContentReference"] == reference(url)
