"""A case is known by its system and key; what was kept of one by its Altinn 2 element is made as it was."""

import hashlib
from dataclasses import replace

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.signing import signer_of
from tests.storage.test_store import INTENT

CASE = CaseRef(system="altinn2", owner="310000005", key="a1001")
ACTOR = "urn:altinn:person:identifier-no:01850000000"


def test_a_case_is_the_same_by_any_owner() -> None:
    """Two dialogs come to one element by two owners; a key says nothing in another system."""
    assert CASE.is_same(replace(CASE, owner="my"))
    assert not CASE.is_same(replace(CASE, key="a1002"))
    assert not CASE.is_same(replace(CASE, system="echo"))


def test_what_earlier_releases_kept_is_found_again() -> None:
    """A press under way by its intent, and who signed by a digest: neither changes with the name of the columns."""
    assert replace(INTENT, action="submit", case=CASE).key == "submit:310000005/a1001"
    assert replace(INTENT, action="submit", case=None).key == "submit:"
    assert signer_of(CASE, ACTOR) == hashlib.sha256(f"altinn2 a1001 {ACTOR}".encode()).hexdigest()


def test_states_are_named_in_no_systems_words() -> None:
    """Rows have them, and are read by later releases."""
    assert {each.name: each.value for each in CaseStatus} == {each.name: each.name.lower() for each in CaseStatus}
