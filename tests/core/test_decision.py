"""What is done with an element, by what stands there and what this operation has done."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.decision import Decision, Ended, Refuse, Send, Took, Uncertain, WaitUntil, decide
from bridge.core.delivery import Manifest, Phase
from bridge.core.elements import Element
from bridge.core.mapping import ActionMapping, AfterUpdate, FormSource, Requirement, Then, Validation, Verb
from bridge.core.operations import Operation, Outcome, Stage
from bridge.core.problems import Problem
from bridge.core.targets import Target

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
READ = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = READ + timedelta(minutes=1)
SETTLE = timedelta(seconds=5)
KEY = CaseRef(system="altinn2", owner="310000005", key="a1001")

ACTION = ActionMapping(
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
SIGN = replace(ACTION, name="sign", form=FormSource.NONE)
SEND_TO_SIGNING = replace(ACTION, after=AfterUpdate.SEND_TO_SIGNING)
SAVE = replace(ACTION, after=AfterUpdate.KEEP_AS_DRAFT)

ELEMENT = Element(
    case=KEY,
    state=CaseStatus.FORM_FILLING,
    status_text="Utfylling",
    service_code="5701",
    service_edition=1,
    last_changed=READ,
    original_id=None,
    forms=(),
    attachments=(),
)
IN_SIGNING = replace(ELEMENT, state=CaseStatus.SIGNING)
ARCHIVED = replace(ELEMENT, case=replace(KEY, key="b2002"), state=CaseStatus.ARCHIVED, original_id="a1001")

FRESH = Operation(
    id=UUID("0196f000-0000-7000-8000-000000000001"),
    dialog_id=UUID("0196f000-0000-7000-8000-000000000002"),
    sequence=1,
    service_resource="urn:altinn:resource:serveringsbevilling",
    action="submit",
    case=KEY,
    actor=None,
    body=None,
    body_digest="",
    stage=Stage.DELIVER,
    outcome=None,
    problem=None,
    attempt=1,
    tries=0,
    waiting=False,
    holder=None,
    sending_at=None,
    answered_at=None,
    built_on=READ,
    state_after=None,
    archived_id=None,
    accepted_at=NOW,
    finished_at=None,
    last_error=None,
)
SENT = replace(FRESH, sending_at=NOW - timedelta(minutes=1))
UNTIL = NOW + timedelta(minutes=10)
OUT = replace(SENT, may_arrive_until=UNTIL)
OVER = replace(SENT, may_arrive_until=NOW)
LOOK = NOW + timedelta(seconds=30)
JUST_SENT = replace(FRESH, sending_at=NOW - timedelta(seconds=1))
ANSWERED = replace(SENT, answered_at=NOW)


@pytest.mark.parametrize(
    ("action", "operation", "element", "decision"),
    [
        pytest.param(ACTION, FRESH, ELEMENT, Send(), id="a draft is sent"),
        pytest.param(
            ACTION,
            FRESH,
            replace(ELEMENT, state=CaseStatus.UNKNOWN, payment=True),
            Refuse("payment_needed", 409),
            id="a payment is waited for",
        ),
        pytest.param(SAVE, FRESH, ELEMENT, Send(), id="a draft is saved"),
        pytest.param(SIGN, FRESH, IN_SIGNING, Send(), id="a waiting signature is given"),
        pytest.param(SEND_TO_SIGNING, FRESH, ELEMENT, Send(), id="a draft goes to signing"),
        pytest.param(
            ACTION, FRESH, ARCHIVED, Took(Outcome.REPEATED, CaseStatus.ARCHIVED, "b2002"), id="archived before"
        ),
        pytest.param(ACTION, SENT, ARCHIVED, Took(Outcome.DONE, CaseStatus.ARCHIVED, "b2002"), id="archived by us"),
        pytest.param(
            SEND_TO_SIGNING,
            FRESH,
            IN_SIGNING,
            Took(Outcome.REPEATED, CaseStatus.SIGNING, None),
            id="in signing before",
        ),
        pytest.param(
            SEND_TO_SIGNING,
            SENT,
            replace(IN_SIGNING, last_changed=LATER),
            Took(Outcome.DONE, CaseStatus.SIGNING, None),
            id="in signing by us",
        ),
        pytest.param(
            SIGN,
            SENT,
            replace(IN_SIGNING, last_changed=LATER),
            Took(Outcome.DONE, CaseStatus.SIGNING, None),
            id="one signature of several",
        ),
        pytest.param(
            SAVE,
            SENT,
            replace(ELEMENT, last_changed=LATER),
            Took(Outcome.DONE, CaseStatus.FORM_FILLING, None),
            id="saved by us",
        ),
        pytest.param(
            ACTION, JUST_SENT, ELEMENT, WaitUntil(NOW + timedelta(seconds=4)), id="an unanswered PUT gets time"
        ),
        pytest.param(ACTION, SENT, ELEMENT, Send(), id="an unanswered PUT that did nothing is repeated"),
        pytest.param(ACTION, OUT, ELEMENT, Send(), id="what archives may be repeated while the first may arrive"),
        pytest.param(SAVE, OUT, ELEMENT, WaitUntil(LOOK), id="a draft that may arrive is not written again"),
        pytest.param(SAVE, OVER, ELEMENT, Send(), id="a draft that cannot arrive any more is written again"),
        pytest.param(SEND_TO_SIGNING, OUT, ELEMENT, WaitUntil(LOOK), id="nor is it sent to signing again"),
        pytest.param(
            SAVE,
            replace(OUT, sending_at=NOW - timedelta(hours=1)),
            ELEMENT,
            WaitUntil(NOW + timedelta(minutes=1)),
            id="one look a minute",
        ),
        pytest.param(
            SAVE,
            replace(OUT, may_arrive_until=NOW + timedelta(seconds=3)),
            ELEMENT,
            WaitUntil(NOW + timedelta(seconds=3)),
            id="the last look when the time is over",
        ),
        pytest.param(
            ACTION,
            replace(OUT, problem=Problem(code="form_refused", status=422)),
            ELEMENT,
            WaitUntil(LOOK),
            id="no third one after a no",
        ),
        pytest.param(
            ACTION,
            replace(OUT, manifest=Manifest(forms=1, files=(), phase=Phase.SAVING)),
            ELEMENT,
            WaitUntil(LOOK),
            id="the draft before a question is a draft",
        ),
        pytest.param(
            ACTION,
            FRESH,
            replace(ELEMENT, last_changed=LATER),
            Refuse("element_changed", 409),
            id="what changed after the press is not sent",
        ),
        pytest.param(
            ACTION, FRESH, IN_SIGNING, Refuse("element_wrong_state", 409), id="no form on an element in signing"
        ),
        pytest.param(
            SIGN, FRESH, ELEMENT, Refuse("element_wrong_state", 409), id="no bare PUT on an element in form filling"
        ),
        pytest.param(
            ACTION,
            FRESH,
            replace(ELEMENT, state=CaseStatus.DELETED),
            Refuse("element_gone", 410),
            id="in the trash bin",
        ),
        pytest.param(
            ACTION,
            SENT,
            replace(ELEMENT, state=CaseStatus.UNKNOWN),
            Refuse("element_wrong_state", 409),
            id="an unknown status is never done",
        ),
        pytest.param(ACTION, FRESH, None, Refuse("element_gone", 410), id="gone before anything was sent"),
        pytest.param(ACTION, SENT, None, Uncertain(), id="gone with a PUT out"),
        pytest.param(
            ACTION, ANSWERED, None, Took(Outcome.DONE, CaseStatus.ARCHIVED, None), id="a service without a copy"
        ),
    ],
)
def test_decision_follows_what_stands_there(
    action: ActionMapping, operation: Operation, element: Element | None, decision: Decision
) -> None:
    """Each row of what can stand there has one decision."""
    assert decide(action, operation, element, now=NOW, settle=SETTLE, one_signature=True) == decision


DISCARD = replace(ACTION, name="discard", form=FormSource.NONE, verb=Verb.DELETE)
WAS_SENT, WAS_DELETED = Ended(CaseStatus.ARCHIVED, "b2002"), Ended(CaseStatus.DELETED)


@pytest.mark.parametrize(
    ("action", "operation", "ended", "decision"),
    [
        (DISCARD, FRESH, WAS_SENT, Refuse("element_wrong_state", 409, state=CaseStatus.ARCHIVED)),
        (DISCARD, SENT, WAS_SENT, Refuse("element_wrong_state", 409, state=CaseStatus.ARCHIVED)),
        (DISCARD, FRESH, WAS_DELETED, Took(Outcome.REPEATED, CaseStatus.DELETED, None)),
        (DISCARD, SENT, WAS_DELETED, Took(Outcome.DONE, CaseStatus.DELETED, None)),
        (DISCARD, FRESH, None, Refuse("element_gone", 410)),
        (DISCARD, SENT, None, Uncertain()),
        (DISCARD, ANSWERED, None, Took(Outcome.DONE, CaseStatus.DELETED, None)),
        (ACTION, FRESH, WAS_SENT, Took(Outcome.REPEATED, CaseStatus.ARCHIVED, "b2002")),
        (SIGN, FRESH, WAS_SENT, Took(Outcome.REPEATED, CaseStatus.ARCHIVED, "b2002")),
        (ACTION, SENT, WAS_SENT, Uncertain()),
        (
            replace(ACTION, verb=Verb.ARCHIVE),
            FRESH,
            WAS_SENT,
            Took(Outcome.REPEATED, CaseStatus.ARCHIVED, "b2002"),
        ),
        (replace(ACTION, verb=Verb.CONFIRM), FRESH, None, Refuse("element_gone", 410)),
    ],
)
def test_what_cannot_be_found_was_deleted_only_where_something_says_so(
    action: ActionMapping, operation: Operation, ended: Ended | None, decision: Decision
) -> None:
    """A service may keep no copy: what was sent is then missing just as what was deleted."""
    found = decide(action, operation, None, now=NOW, settle=SETTLE, one_signature=True, ended=ended)

    assert found == decision


@pytest.mark.parametrize(("action", "element"), [(ACTION, ELEMENT), (SIGN, IN_SIGNING)])
def test_nothing_is_signed_again_where_a_second_signature_counts(action: ActionMapping, element: Element) -> None:
    """The late PUT would give the next signature in the name of the same person."""
    decision = decide(action, OUT, element, now=NOW, settle=SETTLE, one_signature=False)

    assert decision == WaitUntil(LOOK)


@pytest.mark.parametrize("verb", [Verb.DELETE, Verb.CONFIRM, Verb.ARCHIVE])
def test_what_can_be_done_once_may_be_repeated(verb: Verb) -> None:
    """Deleted twice is deleted; a letter that was confirmed is confirmed."""
    element = ELEMENT if verb is Verb.DELETE else replace(ELEMENT, state=CaseStatus.READ)

    assert decide(replace(ACTION, verb=verb), OUT, element, now=NOW, settle=SETTLE, one_signature=False) == Send()


def test_a_deletion_waits_for_its_period_of_grace() -> None:
    """Counted from the element's last change; a DELETE that is out already is followed to its end."""
    discard = replace(ACTION, form=FormSource.NONE, verb=Verb.DELETE, grace_days=30)
    due = READ + timedelta(days=30)

    def at(now: datetime, operation: Operation = FRESH) -> Decision:
        return decide(discard, operation, ELEMENT, now=now, settle=SETTLE, one_signature=True)

    facts = {"deletionAllowedAt": "2026-03-31T09:00:00Z", "gracePeriodDays": "30", "date": "2026-03-31"}
    assert at(NOW) == Refuse("deletion_too_early", 422, facts)
    assert at(due - timedelta(microseconds=1)) == Refuse("deletion_too_early", 422, facts)
    assert at(due) == Send()
    assert at(NOW, SENT) == Send()
