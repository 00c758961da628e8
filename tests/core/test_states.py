"""What the dialog says after an action."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.dialogs import SERVICE_OWNER, DialogChange, party_representative
from bridge.core.elements import ElementState
from bridge.core.mapping import (
    ActionMapping,
    AfterUpdate,
    Altinn2Service,
    Dates,
    FormSource,
    Requirement,
    ServiceMapping,
    StateRule,
    Target,
    Then,
    Validation,
)
from bridge.core.operations import Outcome
from bridge.core.states import REFUSAL_TEXTS, TEXTS, Subject, change_for
from bridge.core.texts import TEXTS as PROBLEMS

DIALOG_ID = UUID("0194fe82-9280-77a5-a7cd-5ff0e6a6fa07")
ACTOR = "urn:altinn:organization:identifier-no:310000019"
ACCEPTED_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
SUBMIT = ActionMapping(
    name="submit",
    requires=Requirement(action="write"),
    minimum_level=3,
    target=Target.ALTINN2,
    form=FormSource.MESSAGE,
    sets=(),
    calculate=False,
    validate=Validation.STRICT,
    after=AfterUpdate.SIGN_AND_ARCHIVE,
    then=Then(),
)
SEND = replace(SUBMIT, name="send", after=AfterUpdate.SEND_TO_SIGNING)
SAVE = replace(SUBMIT, name="save", after=AfterUpdate.KEEP_AS_DRAFT)
MAPPING = ServiceMapping(
    service_resource="urn:altinn:resource:bli-tjenesteeier",
    altinn2=Altinn2Service(service_code="4711", service_edition=1),
    altinn3=None,
    forms=(),
    actions={action.name: action for action in (SUBMIT, SEND, SAVE)},
    states={},
    source="bli-tjenesteeier.yaml",
)
ALL = frozenset({"submit", "send", "save"})
PRESSED = frozenset({"submit"})
NONE = frozenset[str]()
ARCHIVED, SIGNING = ElementState.ARCHIVED, ElementState.SIGNING


def _change(
    outcome: Outcome,
    state: ElementState,
    *,
    code: str | None = None,
    action: ActionMapping = SUBMIT,
    mapping: ServiceMapping = MAPPING,
    operation_id: str = "operation-1",
) -> DialogChange:
    return change_for(
        subject=Subject(mapping=mapping, dialog_id=DIALOG_ID, public_url=None, values={}),
        action=action,
        outcome=outcome,
        code=code,
        state=state,
        operation_id=operation_id,
        accepted_at=ACCEPTED_AT,
        actor=ACTOR,
    )


@pytest.mark.parametrize(
    ("outcome", "code", "state", "status", "removed", "activity"),
    [
        pytest.param(Outcome.DONE, None, ARCHIVED, "Completed", ALL, "FormSubmitted", id="done, archived"),
        pytest.param(Outcome.DONE, None, SIGNING, "InProgress", PRESSED, "SentToSigning", id="done, in signing"),
        pytest.param(Outcome.DONE, None, ElementState.FORM_FILLING, None, NONE, "FormSaved", id="done, still a draft"),
        pytest.param(Outcome.DONE, None, ElementState.UNKNOWN, None, NONE, "Information", id="done, unclear"),
        pytest.param(Outcome.DONE, None, ElementState.DELETED, None, NONE, "Information", id="done, deleted"),
        pytest.param(Outcome.REPEATED, None, ARCHIVED, "Completed", ALL, "Information", id="repeated, archived"),
        pytest.param(Outcome.REPEATED, None, SIGNING, "InProgress", PRESSED, "Information", id="repeated, signing"),
        pytest.param(
            Outcome.REFUSED,
            "form_invalid",
            ElementState.FORM_FILLING,
            "RequiresAttention",
            NONE,
            "Information",
            id="form with faults",
        ),
        pytest.param(Outcome.REFUSED, "upstream_refused", SIGNING, None, NONE, "Information", id="refused otherwise"),
        pytest.param(Outcome.GIVEN_UP, None, ElementState.FORM_FILLING, None, NONE, "Information", id="given up"),
    ],
)
def test_the_table_says_what_shows(
    outcome: Outcome, code: str | None, state: ElementState, status: str | None, removed: frozenset[str], activity: str
) -> None:
    """Each row of the default table, for the button that was pressed."""
    change = _change(outcome, state, code=code)

    assert (change.status, change.remove_actions) == (status, removed)
    assert [made.type for made in change.activities] == [activity]
    assert change.silent


def test_the_person_is_named_for_success_only() -> None:
    """What the user did is theirs; what the bridge has to tell is told by the service owner."""
    assert _change(Outcome.DONE, ElementState.ARCHIVED).activities[0].performed_by == party_representative(ACTOR)
    for outcome in (Outcome.REPEATED, Outcome.REFUSED, Outcome.GIVEN_UP):
        assert _change(outcome, ElementState.ARCHIVED).activities[0].performed_by == SERVICE_OWNER


def test_states_of_the_mapping_come_first() -> None:
    """A mapping says per state which status shows and which buttons stay."""
    rule = StateRule(status="RequiresAttention", actions=("save",))

    change = _change(Outcome.DONE, ElementState.SIGNING, mapping=replace(MAPPING, states={"Signering": rule}))

    assert change.status == "RequiresAttention"
    assert change.remove_actions == {"submit", "send"}


def test_what_a_rule_omits_is_the_tables() -> None:
    """A rule that says only the status leaves the buttons to the default table."""
    rule = StateRule(status="RequiresAttention", actions=None)

    change = _change(Outcome.DONE, ElementState.SIGNING, mapping=replace(MAPPING, states={"Signering": rule}))

    assert change.status == "RequiresAttention"
    assert change.remove_actions == PRESSED


def test_the_action_has_the_last_word() -> None:
    """Then comes before states and table."""
    action = replace(SEND, then=Then(status="Awaiting", activity="SentToSendIn"))
    mapping = replace(MAPPING, states={"Signering": StateRule(status="RequiresAttention", actions=None)})

    change = _change(Outcome.DONE, ElementState.SIGNING, action=action, mapping=mapping)

    assert (change.status, change.activities[0].type) == ("Awaiting", "SentToSendIn")


def test_then_waits_for_the_wanted_state() -> None:
    """An action that wanted the element archived says nothing of it while more signatures are missing."""
    action = replace(SUBMIT, then=Then(status="Completed", activity="FormSubmitted"))

    change = _change(Outcome.DONE, ElementState.SIGNING, action=action)

    assert (change.status, change.activities[0].type) == ("InProgress", "SentToSigning")


def test_a_wanted_information_has_a_text() -> None:
    """Dialogporten refuses an Information activity without description."""
    change = _change(Outcome.DONE, ElementState.ARCHIVED, action=replace(SUBMIT, then=Then(activity="Information")))

    assert change.activities[0].description == TEXTS["done"]


def test_ids_belong_to_operation_and_outcome() -> None:
    """A repeated step finds its own activity; a new press, or another outcome, makes a new one."""
    first = _change(Outcome.DONE, ElementState.ARCHIVED).activities[0].id

    assert _change(Outcome.DONE, ElementState.ARCHIVED).activities[0].id == first
    assert _change(Outcome.DONE, ElementState.ARCHIVED, operation_id="operation-2").activities[0].id != first
    assert _change(Outcome.GIVEN_UP, ElementState.ARCHIVED).activities[0].id != first
    assert first.version == 7


def test_an_uncertain_end_never_invites_a_new_try() -> None:
    """A PUT may have arrived: sending again could be a second submission."""
    change = _change(Outcome.GIVEN_UP, ElementState.UNKNOWN, code="outcome_uncertain")

    assert change.activities[0].description == TEXTS["outcome_uncertain"]


def test_refusals_are_told_by_the_codes_of_problems() -> None:
    """A text whose code no problem has is never shown."""
    assert set(REFUSAL_TEXTS) - {"refused"} <= set(PROBLEMS)


@pytest.mark.parametrize("name", [*TEXTS, *REFUSAL_TEXTS])
def test_texts_fit_in_every_language(name: str) -> None:
    """Dialogporten takes 255 characters, and a text never has room for a value."""
    texts = {**TEXTS, **REFUSAL_TEXTS}[name]

    assert set(texts) == {"nb", "nn", "en"}
    assert all(0 < len(text) <= 255 and not re.search(r"[{}%\d]", text) for text in texts.values())


@given(
    outcome=st.sampled_from(Outcome),
    code=st.none() | st.sampled_from(sorted(PROBLEMS)) | st.text(),
    state=st.sampled_from(ElementState),
    action=st.sampled_from([SUBMIT, SEND, SAVE]),
)
def test_every_outcome_changes_the_dialog(
    outcome: Outcome, code: str | None, state: ElementState, action: ActionMapping
) -> None:
    """Arbeidsflate waits for a change and nothing else, so there is always one, of our own buttons only."""
    change = _change(outcome, state, code=code, action=action)

    assert len(change.activities) == 1
    assert change.remove_actions <= set(MAPPING.actions)
    assert ACTOR not in "".join(change.activities[0].description.values())
    if state is ElementState.UNKNOWN:
        assert change.status != "Completed"


@pytest.mark.parametrize(
    ("outcome", "dates"),
    [
        (Outcome.DONE, {"/dueAt": "2026-02-07T12:00:00Z", "/expiresAt": "2026-03-02T12:00:00Z"}),
        (Outcome.REFUSED, {}),
    ],
)
def test_dates_count_from_the_press(outcome: Outcome, dates: dict[str, str]) -> None:
    """The action's own days come before the state's; what was refused moves no date."""
    action = replace(SUBMIT, then=Then(dates=Dates(due=7)))
    rule = StateRule(status=None, actions=None, dates=Dates(due=1, expires=30))
    mapping = replace(MAPPING, actions={"submit": action}, states={ARCHIVED.value: rule})

    says = _change(outcome, state=ARCHIVED, action=action, mapping=mapping)

    assert {pointer: field.value for pointer, field in says.fields.items() if pointer.endswith("At")} == dates
