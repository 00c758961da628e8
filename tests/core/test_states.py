"""What the dialog says after an action."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.cases import ENDED, CaseStatus
from bridge.core.decision import Send, decide
from bridge.core.dialog_presentation import content_value
from bridge.core.dialogs import REFUSAL, SERVICE_OWNER, DialogChange, Ends, Only, party_representative
from bridge.core.elements import can_act
from bridge.core.mapping import (
    ActionMapping,
    AfterUpdate,
    Altinn2Service,
    Altinn3App,
    Button,
    Dates,
    FormSource,
    Priority,
    Requirement,
    ServiceMapping,
    StateRule,
    Then,
    Validation,
    Verb,
    Wording,
)
from bridge.core.operations import Outcome
from bridge.core.states import NOWHERE, Subject, change_for, change_for_state
from bridge.core.targets import Target
from bridge.core.texts.history import BADGE_TEXTS, NOT_AGAIN, REFUSAL_TEXTS, TRY_AGAIN
from bridge.core.texts.problems import TEXTS as PROBLEMS
from bridge.core.texts.states import SUMMARIES, TEXTS
from tests.core.test_decision import ELEMENT, FRESH, NOW, SETTLE

DIALOG_ID = UUID("0194fe82-9280-77a5-a7cd-5ff0e6a6fa07")
ACTOR = "urn:altinn:organization:identifier-no:310000019"
ACCEPTED_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
SUBMIT = ActionMapping(
    name="submit",
    requires=Requirement(action="write"),
    minimum_level=3,
    target=Target.ALTINN2,
    form=FormSource.MESSAGE,
    set_values=(),
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
NONE = frozenset[str]()
ARCHIVED, SIGNING = CaseStatus.ARCHIVED, CaseStatus.SIGNING


def _change(
    outcome: Outcome,
    state: CaseStatus,
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
        pytest.param(Outcome.DONE, None, SIGNING, "InProgress", ALL, "SentToSigning", id="done, in signing"),
        pytest.param(Outcome.DONE, None, CaseStatus.FORM_FILLING, None, NONE, "FormSaved", id="done, still a draft"),
        pytest.param(Outcome.DONE, None, CaseStatus.UNKNOWN, None, NONE, "Information", id="done, unclear"),
        pytest.param(Outcome.DONE, None, CaseStatus.DELETED, "NotApplicable", ALL, "Information", id="done, deleted"),
        pytest.param(Outcome.REPEATED, None, ARCHIVED, "Completed", ALL, "Information", id="repeated, archived"),
        pytest.param(Outcome.REPEATED, None, SIGNING, "InProgress", ALL, "Information", id="repeated, signing"),
        pytest.param(
            Outcome.REFUSED,
            "form_invalid",
            CaseStatus.FORM_FILLING,
            "RequiresAttention",
            NONE,
            "Information",
            id="form with faults",
        ),
        pytest.param(Outcome.REFUSED, "upstream_refused", SIGNING, None, ALL, "Information", id="refused otherwise"),
        pytest.param(
            Outcome.REFUSED, "element_wrong_state", ARCHIVED, "Completed", ALL, "Information", id="refused, too late"
        ),
        pytest.param(Outcome.REFUSED, "element_gone", CaseStatus.UNKNOWN, None, ALL, "Information", id="refused, gone"),
        pytest.param(
            Outcome.GIVEN_UP, "content_lost", ARCHIVED, None, ALL, "Information", id="archived, and something is lost"
        ),
        pytest.param(Outcome.GIVEN_UP, None, CaseStatus.UNKNOWN, None, NONE, "Information", id="nobody knows"),
        pytest.param(Outcome.GIVEN_UP, None, CaseStatus.FORM_FILLING, None, NONE, "Information", id="given up"),
    ],
)
def test_the_table_says_what_shows(
    outcome: Outcome, code: str | None, state: CaseStatus, status: str | None, removed: frozenset[str], activity: str
) -> None:
    """Each row of the default table, for the button that was pressed."""
    change = _change(outcome, state, code=code)

    assert (change.status, change.remove_actions) == (status, removed)
    assert [made.type for made in change.activities] == [activity]
    assert change.silent


def test_the_person_is_named_for_success_only() -> None:
    """What the user did is theirs; what the bridge has to tell is told by the service owner."""
    assert _change(Outcome.DONE, CaseStatus.ARCHIVED).activities[0].performed_by == party_representative(ACTOR)
    for outcome in (Outcome.REPEATED, Outcome.REFUSED, Outcome.GIVEN_UP):
        assert _change(outcome, CaseStatus.ARCHIVED).activities[0].performed_by == SERVICE_OWNER


def test_states_of_the_mapping_come_first() -> None:
    """A mapping says per state which status shows and which buttons stay."""
    rule = StateRule(status="RequiresAttention", actions=("save",))

    change = _change(Outcome.DONE, CaseStatus.SIGNING, mapping=replace(MAPPING, states={CaseStatus.SIGNING: rule}))

    assert change.status == "RequiresAttention"
    assert change.remove_actions == {"submit", "send"}


def test_what_a_rule_omits_is_the_tables() -> None:
    """A rule that says only the status leaves the buttons to the default table."""
    rule = StateRule(status="RequiresAttention", actions=None)

    change = _change(Outcome.DONE, CaseStatus.SIGNING, mapping=replace(MAPPING, states={CaseStatus.SIGNING: rule}))

    assert change.status == "RequiresAttention"
    assert change.remove_actions == ALL


def test_the_action_has_the_last_word() -> None:
    """Then comes before states and table."""
    action = replace(SEND, then=Then(status="Awaiting", activity="SentToSendIn"))
    mapping = replace(MAPPING, states={CaseStatus.SIGNING: StateRule(status="RequiresAttention", actions=None)})

    change = _change(Outcome.DONE, CaseStatus.SIGNING, action=action, mapping=mapping)

    assert (change.status, change.activities[0].type) == ("Awaiting", "SentToSendIn")


def test_then_waits_for_the_wanted_state() -> None:
    """An action that wanted the element archived says nothing of it while more signatures are missing."""
    action = replace(SUBMIT, then=Then(status="Completed", activity="FormSubmitted"))

    change = _change(Outcome.DONE, CaseStatus.SIGNING, action=action)

    assert (change.status, change.activities[0].type) == ("InProgress", "SentToSigning")


def test_a_wanted_information_has_a_text() -> None:
    """Dialogporten refuses an Information activity without description."""
    change = _change(Outcome.DONE, CaseStatus.ARCHIVED, action=replace(SUBMIT, then=Then(activity="Information")))

    assert change.activities[0].description == TEXTS["done"]


def test_ids_belong_to_operation_and_outcome() -> None:
    """A repeated step finds its own activity; a new press, or another outcome, makes a new one."""
    first = _change(Outcome.DONE, CaseStatus.ARCHIVED).activities[0].id

    assert _change(Outcome.DONE, CaseStatus.ARCHIVED).activities[0].id == first
    assert _change(Outcome.DONE, CaseStatus.ARCHIVED, operation_id="operation-2").activities[0].id != first
    assert _change(Outcome.GIVEN_UP, CaseStatus.ARCHIVED).activities[0].id != first
    assert first.version == 7


def test_an_uncertain_end_never_invites_a_new_try() -> None:
    """A PUT may have arrived: sending again could be a second submission."""
    change = _change(Outcome.GIVEN_UP, CaseStatus.UNKNOWN, code="outcome_uncertain")

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
    state=st.sampled_from(CaseStatus),
    action=st.sampled_from([SUBMIT, SEND, SAVE]),
)
def test_every_outcome_changes_the_dialog(
    outcome: Outcome, code: str | None, state: CaseStatus, action: ActionMapping
) -> None:
    """Arbeidsflate waits for a change and nothing else, so there is always one, of our own buttons only."""
    change = _change(outcome, state, code=code, action=action)

    assert len(change.activities) == 1
    assert change.remove_actions <= set(MAPPING.actions)
    assert ACTOR not in "".join(change.activities[0].description.values())
    if state is CaseStatus.UNKNOWN:
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
    mapping = replace(MAPPING, actions={"submit": action}, states={ARCHIVED: rule})

    says = _change(outcome, state=ARCHIVED, action=action, mapping=mapping)

    assert {pointer: field.value for pointer, field in says.fields.items() if pointer.endswith("At")} == dates


# Buttons: those of what can act, in every state and after every outcome

BUTTON = Button(title={"nb": "Trykk", "nn": "Trykk", "en": "Press"}, priority=Priority.TERTIARY, api=True)
SIGN = replace(SUBMIT, name="sign", form=FormSource.NONE)
DISCARD = replace(SIGN, name="discard", verb=Verb.DELETE)
CONFIRM = replace(SIGN, name="confirm", verb=Verb.CONFIRM)
PUT_AWAY = replace(SIGN, name="put-away", verb=Verb.ARCHIVE)
SHOW = replace(SUBMIT, name="show", target=Target.ALTINN3, form=FormSource.BODY)
SHOW_HELD = replace(SHOW, name="show-held", form=FormSource.MESSAGE)
EVERY = [
    replace(each, button=BUTTON) for each in (SUBMIT, SEND, SAVE, SIGN, DISCARD, CONFIRM, PUT_AWAY, SHOW, SHOW_HELD)
]
WHOLE = replace(
    MAPPING,
    altinn3=Altinn3App(org="ttd", app="sum", data_type="sum"),
    actions={action.name: action for action in EVERY},
)
FORMS = {"submit", "send", "save"}
SHOWS = {"show", "show-held"}
CAN_ACT = {
    CaseStatus.FORM_FILLING: {*FORMS, *SHOWS, "discard"},
    CaseStatus.SIGNING: {*SHOWS, "sign", "discard"},
    CaseStatus.ARCHIVED: set(),
    CaseStatus.DELETED: set(),
    CaseStatus.UNREAD: {"confirm", "put-away", "discard", "show"},
    CaseStatus.OPENED: {"confirm", "put-away", "discard", "show"},
    CaseStatus.READ: {"confirm", "put-away", "discard", "show"},
    CaseStatus.CONFIRMED: {"put-away", "discard", "show"},
}


def whole_change(outcome: Outcome, state: CaseStatus, action: ActionMapping, code: str | None) -> DialogChange:
    return change_for(
        subject=Subject(mapping=WHOLE, dialog_id=DIALOG_ID, public_url="https://bridge.example.no", values={}),
        action=action,
        outcome=outcome,
        code=code,
        state=state,
        operation_id="operation-1",
        accepted_at=ACCEPTED_AT,
        actor=ACTOR,
    )


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("state", CaseStatus)
@pytest.mark.parametrize("action", EVERY, ids=[each.name for each in EVERY])
def test_buttons_are_of_what_can_act_there(outcome: Outcome, state: CaseStatus, action: ActionMapping) -> None:
    """After any outcome there are those of the state and no others; where nobody knows it, none comes and none goes."""
    change = whole_change(outcome, state, action, None)

    there = {offer.name for offer in change.offers}
    assert there == CAN_ACT.get(state, set())
    assert change.remove_actions == (set(WHOLE.actions) - there if state in CAN_ACT else set())


@pytest.mark.parametrize("state", CaseStatus)
def test_news_bring_the_same_buttons_as_a_press(state: CaseStatus) -> None:
    """Whoever moved the element, what can be done with it is the same."""
    subject = Subject(mapping=WHOLE, dialog_id=DIALOG_ID, public_url="https://bridge.example.no", values={})

    news, pressed = change_for_state(subject, state, activity=None), whole_change(Outcome.DONE, state, EVERY[0], None)

    assert (news.offers, news.remove_actions) == (pressed.offers, pressed.remove_actions)


def test_a_form_that_is_gone_leaves_what_needs_none() -> None:
    """What an app calculates of the caller's own form goes on; what needs the element would be told the same again."""
    change = whole_change(Outcome.REFUSED, CaseStatus.UNKNOWN, EVERY[0], "element_gone")

    assert set(WHOLE.actions) - change.remove_actions == {"show"}


def test_deleting_deletes_the_dialog_unless_it_is_kept() -> None:
    """Told by the activity that Dialogporten has for it; a dialog that stays says in words that the form is gone."""
    discard = WHOLE.actions["discard"]

    gone = whole_change(Outcome.DONE, CaseStatus.DELETED, discard, None)
    again = whole_change(Outcome.REPEATED, CaseStatus.DELETED, discard, None)
    kept = whole_change(Outcome.DONE, CaseStatus.DELETED, replace(discard, keeps_dialog=True), None)
    late = whole_change(Outcome.REFUSED, CaseStatus.DELETED, WHOLE.actions["submit"], "element_gone")

    assert [each.deletes for each in (gone, again, kept, late)] == [True, True, False, False]
    assert (gone.activities[0].type, kept.activities[0].type) == ("DialogDeleted", "Information")
    assert kept.activities[0].description == TEXTS["deleted"]
    assert gone.fields["/content/extendedStatus"].value == content_value(
        {"nb": "Slettet", "nn": "Sletta", "en": "Deleted"}
    )


# Refusals


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_a_new_try_is_asked_for_where_it_can_help(code: str) -> None:
    """Nobody is sent round in circles, and whoever can put something right is told so."""
    outcome = Outcome.GIVEN_UP if code in TEXTS else Outcome.REFUSED
    told = _change(outcome, CaseStatus.FORM_FILLING, code=code).activities[0].description

    asked = [bool(re.search(words, told[of].lower())) for of, words in (("nb", "prøv"), ("nn", "prøv"), ("en", "try"))]
    assert asked == [code in TRY_AGAIN] * 3


def test_a_refusal_shows_where_people_look() -> None:
    """A badge and words below the summary, in place of nobody's; a form that can be corrected says so."""
    change = _change(Outcome.REFUSED, CaseStatus.FORM_FILLING, code="form_invalid")

    assert change.fields["/content/extendedStatus"].value == content_value(
        {"nb": "Må rettes", "nn": "Må rettast", "en": "Needs correction"}
    )
    assert change.fields["/content/additionalInfo"].value == content_value(REFUSAL_TEXTS["form_invalid"])
    assert {each.only for each in change.fields.values()} == {Only.UNSAID}
    assert (change.state, change.ends) == (REFUSAL, Ends.NONE)


@pytest.mark.parametrize("state", sorted(ENDED, key=str))
def test_a_press_that_came_too_late_marks_nothing(state: CaseStatus) -> None:
    """A case at its end says that it is, also when it had not been told so; the history alone tells of the press."""
    late = _change(Outcome.REFUSED, state, code="element_wrong_state")
    unseen = change_for(
        subject=Subject(mapping=MAPPING, dialog_id=DIALOG_ID, public_url=None, values={}),
        action=SUBMIT,
        outcome=Outcome.GIVEN_UP,
        code="given_up",
        state=CaseStatus.UNKNOWN,
        operation_id="operation-1",
        accepted_at=ACCEPTED_AT,
        actor=ACTOR,
        ended=ENDED,
    )

    assert "/content/additionalInfo" not in late.fields
    assert late.state == state.value
    assert (unseen.fields, unseen.status) == ({}, None)


@pytest.mark.parametrize("told", sorted(ENDED, key=str))
@pytest.mark.parametrize("state", sorted(ENDED, key=str))
def test_a_refusal_leaves_the_words_of_the_end(state: CaseStatus, told: CaseStatus) -> None:
    """Those of the action that led there are not the state's own; an end that was not told yet is."""
    late = change_for(
        subject=Subject(mapping=MAPPING, dialog_id=DIALOG_ID, public_url=None, values={}),
        action=SUBMIT,
        outcome=Outcome.REFUSED,
        code="element_wrong_state",
        state=state,
        operation_id="operation-1",
        accepted_at=ACCEPTED_AT,
        actor=ACTOR,
        ended=frozenset({told}),
    )

    assert (late.fields == {}, late.status is None, late.ends is Ends.REFUSAL) == (state is told,) * 3


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.GIVEN_UP, None),
        (Outcome.GIVEN_UP, "given_up"),
        (Outcome.GIVEN_UP, "outcome_uncertain"),
        *((Outcome.REFUSED, code) for code in sorted(TRY_AGAIN)),
    ],
)
def test_a_case_at_its_end_asks_nobody_for_another_try(outcome: Outcome, code: str | None) -> None:
    """It has no button for one; what is uncertain keeps its own words."""
    change = change_for(
        subject=Subject(mapping=MAPPING, dialog_id=DIALOG_ID, public_url=None, values={}),
        action=SUBMIT,
        outcome=outcome,
        code=code,
        state=CaseStatus.UNKNOWN,
        operation_id="operation-1",
        accepted_at=ACCEPTED_AT,
        actor=ACTOR,
        ended=ENDED,
    )

    (told,) = change.activities
    assert told.description == TEXTS["outcome_uncertain" if code == "outcome_uncertain" else "over"]
    assert "prøv igjen" not in told.description["nb"].casefold()
    assert "try again" not in told.description["en"].casefold()


def test_a_mapping_says_refusals_in_its_own_words() -> None:
    """With the reason in each language where it asks for it, and never where nothing may be sent again."""
    own = Wording(
        extended_status={"nb": "Stopp", "nn": "Stopp", "en": "Stop"},
        additional_info={"nb": "{reason} Ring oss.", "nn": "{reason} Ring oss.", "en": "{reason} Call us."},
    )
    mapping = replace(MAPPING, refused=own)

    said = _change(Outcome.REFUSED, CaseStatus.FORM_FILLING, code="payment_needed", mapping=mapping).fields
    uncertain = _change(Outcome.GIVEN_UP, CaseStatus.UNKNOWN, code="outcome_uncertain", mapping=mapping).fields

    reason = REFUSAL_TEXTS["payment_needed"]
    told = {
        each: f"{reason[each]} {'Call' if each == 'en' else 'Ring'} {'us' if each == 'en' else 'oss'}."
        for each in reason
    }
    assert said["/content/additionalInfo"].value == content_value(told)
    assert said["/content/extendedStatus"].value == content_value(dict(own.extended_status or {}))
    assert uncertain["/content/additionalInfo"].value == content_value(TEXTS["outcome_uncertain"])


@pytest.mark.parametrize("texts", BADGE_TEXTS, ids=[each["en"] for each in BADGE_TEXTS])
def test_badges_fit(texts: dict[str, str]) -> None:
    """At most 25 characters, in every language."""
    assert set(texts) == {"nb", "nn", "en"}
    assert all(0 < len(text) <= 25 for text in texts.values())


def test_what_must_not_be_sent_again_is_never_asked_for() -> None:
    """No outcome is on both lists."""
    assert not NOT_AGAIN & TRY_AGAIN


@pytest.mark.parametrize("state", CaseStatus)
def test_a_summary_of_ours_never_grows_untrue(state: CaseStatus) -> None:
    """In each state that is known there is one to take its place, only over what the bridge wrote itself."""
    field = _change(Outcome.DONE, state).fields.get("/content/summary")

    assert (field is not None) is (state in SUMMARIES)
    assert field is None or field.only is Only.OWN
    assert {CaseStatus.FORM_FILLING, CaseStatus.SIGNING, *ENDED} <= set(SUMMARIES)


@pytest.mark.parametrize("state", CaseStatus)
def test_words_end_with_their_state(state: CaseStatus) -> None:
    """What says nothing of where the element stands ends a refusal alone."""
    assert _change(Outcome.DONE, state).ends is (Ends.REFUSAL if state in NOWHERE else Ends.STATES)


def test_what_can_act_is_what_would_be_sent() -> None:
    """The table of buttons and the decision about elements say the same of every action and state."""
    for action in EVERY:
        for state in CAN_ACT:
            if action.target is Target.ALTINN2:
                decision = decide(
                    action, FRESH, replace(ELEMENT, state=state), now=NOW, settle=SETTLE, one_signature=True
                )
                assert isinstance(decision, Send) is can_act(action, state), (action.name, state)
