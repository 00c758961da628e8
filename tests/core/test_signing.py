"""Whose signature is whose."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from bridge.core.cases import CaseRef
from bridge.core.mapping import Altinn2Service
from bridge.core.signing import MaySign, Signature, Signer, has_signed, may_sign, signer_of
from tests.core.test_decision import ELEMENT, IN_SIGNING, LATER, READ

ONE = Altinn2Service(service_code="5701", service_edition=1)
TWO = replace(ONE, signing_steps=2)
DIALOG = UUID("0196f000-0000-7000-8000-000000000002")
ACTOR = "urn:altinn:person:identifier-no:01850000000"
ME = Signer(digest="mine", actor=ACTOR)
MINE = Signature(signer="mine", dialog_id=DIALOG, given=True, built_on=READ, left_on=LATER)
THEIRS = replace(MINE, signer="theirs")
UNKNOWN = replace(MINE, given=False, left_on=None)
SIGNED = replace(IN_SIGNING, last_changed=LATER)
MOVED = replace(IN_SIGNING, last_changed=LATER + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("earlier", "service", "element", "steps", "expected"),
    [
        pytest.param((), ONE, IN_SIGNING, 1, MaySign.YES, id="the only one"),
        pytest.param((), ONE, IN_SIGNING, None, MaySign.YES, id="without metadata"),
        pytest.param((), ONE, IN_SIGNING, 2, MaySign.ELSEWHERE, id="more steps than the mapping says"),
        pytest.param((), ONE, ELEMENT, 2, MaySign.ELSEWHERE, id="the same while it is filled in"),
        pytest.param((), TWO, IN_SIGNING, 2, MaySign.YES, id="the first of two"),
        pytest.param((THEIRS,), TWO, SIGNED, 2, MaySign.YES, id="the second of two"),
        pytest.param((THEIRS,), TWO, MOVED, 2, MaySign.YES, id="after others went on in Altinn"),
        pytest.param((MINE,), TWO, SIGNED, 2, MaySign.REPEATED, id="the same person again"),
        pytest.param((MINE,), ONE, SIGNED, None, MaySign.REPEATED, id="the same, and nobody knew of two steps"),
        pytest.param((MINE,), TWO, MOVED, 2, MaySign.ELSEWHERE, id="the same after others went on"),
        pytest.param((THEIRS,), ONE, SIGNED, None, MaySign.ELSEWHERE, id="a second one that nobody said"),
        pytest.param((THEIRS, replace(THEIRS, signer="x")), TWO, SIGNED, 2, MaySign.ELSEWHERE, id="one too many"),
        pytest.param((THEIRS,), replace(TWO, unique_signers=True), SIGNED, 2, MaySign.ELSEWHERE, id="unique signers"),
        pytest.param((UNKNOWN,), TWO, SIGNED, 2, MaySign.ELSEWHERE, id="nobody knows whether theirs took"),
        pytest.param((UNKNOWN,), TWO, IN_SIGNING, 2, MaySign.YES, id="it did not: nothing moved"),
        pytest.param((MINE,), TWO, ELEMENT, 2, MaySign.YES, id="filled in anew"),
    ],
)
def test_a_signature_is_given_once_by_each_person(earlier, service, element, steps, expected) -> None:
    """And only as often as the mapping says."""
    assert may_sign(ME, earlier, service=service, element=element, steps=steps) is expected


def test_a_signer_is_known_on_one_element_alone() -> None:
    """By whichever dialog; the digest says nothing elsewhere, and holds nothing of the person."""
    here = signer_of(CaseRef(system="altinn2", owner="310000005", key="a1001"), ACTOR)

    assert here == signer_of(CaseRef(system="altinn2", owner="my", key="a1001"), ACTOR)
    assert here != signer_of(CaseRef(system="altinn2", owner="310000005", key="a1002"), ACTOR)
    assert "01850000000" not in here


def test_what_was_signed_under_an_earlier_release_counts() -> None:
    """It knew a person on one dialog alone; the digest is made anew for the dialog of the signature."""
    before = replace(MINE, signer=hashlib.sha256(f"{DIALOG} {ACTOR}".encode()).hexdigest())
    elsewhere = replace(before, dialog_id=UUID(int=1))

    assert (ME.gave(before), ME.gave(elsewhere), replace(ME, actor=None).gave(before)) == (True, False, False)
    assert may_sign(ME, (before,), service=TWO, element=SIGNED, steps=2) is MaySign.REPEATED


@pytest.mark.parametrize(
    ("earlier", "service", "expected"),
    [
        pytest.param((), ONE, False, id="nobody through us"),
        pytest.param((MINE,), ONE, True, id="theirs"),
        pytest.param((THEIRS,), ONE, False, id="somebody else's"),
        pytest.param((THEIRS, MINE), TWO, True, id="one of two"),
        pytest.param((UNKNOWN,), ONE, True, id="theirs went out, and it is archived"),
        pytest.param((UNKNOWN, THEIRS), TWO, True, id="theirs went out, and there was room for it"),
        pytest.param((UNKNOWN, THEIRS), ONE, False, id="theirs went out, and others' were enough"),
    ],
)
def test_who_has_signed_what_is_archived(earlier, service, expected) -> None:
    """A repeat is of one's own signature."""
    assert has_signed(ME, earlier, service=service) is expected
