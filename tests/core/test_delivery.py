"""Whether what must be there is there."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.delivery import Manifest, Verification, manifest_of, verify
from bridge.core.elements import Element, Listed

A, B = Listed(id=1, name="a.pdf", size=3), Listed(id=2, name="b.pdf", size=5)
ELEMENT = Element(
    case=CaseRef(system="altinn2", owner="my", key="a1"),
    state=CaseStatus.FORM_FILLING,
    status_text="Utfylling",
    service_code="1",
    service_edition=1,
    last_changed=datetime(2026, 1, 1, tzinfo=UTC),
    original_id=None,
    forms=(),
    attachments=(),
    listed_forms=(Listed(id=9, name="Skjema"),),
    listed_attachments=(A, B),
)
MANIFEST = manifest_of(1, (A, B))


@pytest.mark.parametrize(
    ("manifest", "attachments", "proof"),
    [
        pytest.param(MANIFEST, (A, B), Verification.WHOLE, id="the same"),
        pytest.param(MANIFEST, (replace(B, id=7), replace(A, id=8)), Verification.WHOLE, id="other ids, other order"),
        pytest.param(MANIFEST, (A, B, A), Verification.WHOLE, id="more"),
        pytest.param(MANIFEST, (A,), Verification.LOST, id="one gone"),
        pytest.param(MANIFEST, (A, A), Verification.LOST, id="another in its place"),
        pytest.param(MANIFEST, (A, replace(B, size=4)), Verification.LOST, id="cut short"),
        pytest.param(MANIFEST, (A, replace(B, name="c.pdf")), Verification.LOST, id="another name"),
        pytest.param(MANIFEST, (A, replace(B, size=None)), Verification.WHOLE, id="size not told"),
        pytest.param(manifest_of(1, (A, A)), (A, A), Verification.WHOLE, id="twins"),
        pytest.param(manifest_of(1, (A, A)), (A, B), Verification.LOST, id="a twin gone"),
        pytest.param(manifest_of(2, ()), (A,), Verification.LOST, id="a form gone"),
        pytest.param(MANIFEST, None, Verification.NOT_SHOWN, id="not listed"),
    ],
)
def test_what_is_gone_is_found(manifest: Manifest, attachments: tuple[Listed, ...] | None, proof: Verification) -> None:
    """Counts, names and sizes decide; ids change with every PUT."""
    assert verify(manifest, replace(ELEMENT, listed_attachments=attachments)) is proof
