"""Whose signature is whose."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from bridge.core.mapping import Altinn2Service
from bridge.core.signing import MaySign, Signature, may_sign, signer_of
from tests.core.test_decision import ELEMENT, IN_SIGNING, LATER, READ

ONE = Altinn2Service(service_code="5701", service_edition=1)
TWO = replace(ONE, signing_steps=2)
DIALOG = UUID("0196f000-0000-7000-8000-000000000002")
MINE = Signature(signer="mine", given=True, built_on=READ, left_on=LATER)
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
    assert may_sign("mine", earlier, service=service, element=element, steps=steps) is expected


def test_a_signer_is_known_on_one_dialog_alone() -> None:
    """The digest says nothing elsewhere, and holds nothing of the person."""
    actor = "urn:altinn:person:identifier-no:01850000000"

    assert signer_of(DIALOG, actor) == signer_of(DIALOG, actor)
    assert signer_of(DIALOG, actor) != signer_of(UUID(int=1), actor)
    assert "01850000000" not in signer_of(DIALOG, actor)
