"""What a listed element calls for, and the ids under which its dialog is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.drafts import TEXTS, Draft, Ending, Look, dialog_id_for, idempotent_key, look, references
from bridge.core.elements import Element

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ELEMENT = Element(
    case=CaseRef(system="altinn2", owner="310000005", key="a1001"),
    state=CaseStatus.FORM_FILLING,
    status_text="Utfylling",
    service_code="5701",
    service_edition=1,
    last_changed=NOW,
    original_id=None,
    forms=(),
    attachments=(),
)
DRAFT = Draft(
    message_id="a1001",
    dialog_id=UUID("0196f000-0000-7000-8000-000000000002"),
    born_at=NOW,
    made=True,
    last_changed=NOW,
    state=CaseStatus.FORM_FILLING,
    ending=None,
)
LATER = replace(ELEMENT, last_changed=NOW + timedelta(seconds=1))
SIGNING = replace(ELEMENT, state=CaseStatus.SIGNING)


def ended(ending: Ending) -> Draft:
    return replace(DRAFT, ending=ending)


@pytest.mark.parametrize(
    ("element", "draft", "linked", "expected"),
    [
        pytest.param(ELEMENT, None, False, Look.SEARCH, id="unknown"),
        pytest.param(ELEMENT, None, True, Look.STANDS, id="linked by a press"),
        pytest.param(ELEMENT, replace(DRAFT, made=False), True, Look.MAKE, id="begun, and nobody knows how it ended"),
        pytest.param(ELEMENT, DRAFT, True, Look.NOTHING, id="as it was"),
        pytest.param(LATER, DRAFT, True, Look.FOLLOW, id="changed"),
        pytest.param(SIGNING, DRAFT, True, Look.FOLLOW, id="moved at the same moment"),
        pytest.param(ELEMENT, replace(DRAFT, last_changed=None), True, Look.FOLLOW, id="made of nobody knows what"),
        pytest.param(ELEMENT, ended(Ending.FOREIGN), False, Look.NOTHING, id="somebody else's"),
        pytest.param(LATER, ended(Ending.FOREIGN), False, Look.SEARCH, id="somebody else's, changed"),
        pytest.param(LATER, ended(Ending.FOREIGN), True, Look.STANDS, id="somebody else's, changed and linked"),
        pytest.param(LATER, ended(Ending.GONE), True, Look.FOLLOW, id="gone, and there again"),
        pytest.param(LATER, ended(Ending.DIALOG_GONE), True, Look.NOTHING, id="its dialog was deleted"),
        pytest.param(LATER, ended(Ending.FROZEN), True, Look.NOTHING, id="its dialog is frozen"),
        pytest.param(LATER, ended(Ending.DELETED), True, Look.FOLLOW, id="thrown away, and there again"),
        pytest.param(LATER, ended(Ending.SENT), True, Look.NOTHING, id="sent"),
    ],
)
def test_an_element_calls_for_what_is_not_known_of_it(
    element: Element, draft: Draft | None, linked: bool, expected: Look
) -> None:
    """Nothing is asked of anybody for an element that stands where it stood."""
    assert look(element, draft, linked=linked) is expected


def test_a_dialogs_id_belongs_to_its_element() -> None:
    """The same on any machine, another for any other element, and of the version that Dialogporten takes."""
    first = dialog_id_for("a1001", NOW)

    assert first == dialog_id_for("a1001", NOW)
    assert first != dialog_id_for("a1002", NOW)
    assert first.version == 7


def test_keys_fit_dialogportens_limits() -> None:
    """An idempotent key has at most 36 characters, also with the longest number that an id can have."""
    assert len(idempotent_key("a" + "9" * 18)) <= 36


def test_every_way_to_name_an_element_is_searched() -> None:
    """With and without letter, as label and as external reference."""
    assert references("a1001") == (
        ("serviceOwnerLabels", "urn:altinn:integration:a2:message:a1001"),
        ("serviceOwnerLabels", "urn:altinn:integration:a2:message:1001"),
        ("externalReference", "a2:message:a1001"),
        ("externalReference", "a2:message:1001"),
    )


def test_texts_are_short_and_in_three_languages() -> None:
    """Dialogporten takes 255 characters."""
    for texts in TEXTS.values():
        assert set(texts) == {"nb", "nn", "en"}
        assert all(0 < len(text) <= 255 for text in texts.values())
