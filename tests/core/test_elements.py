"""Elements as values: what is printed, and what users see."""

from datetime import UTC, datetime

import pytest

from bridge.adapters.altinn2.orders import archive_reference
from bridge.core.cases import CaseRef, CaseStatus
from bridge.core.elements import Attachment, Element, Form, InMemory
from bridge.core.mapping import FormKind

FORM = Form(
    kind=FormKind.MAIN,
    data_format_id="5703",
    data_format_version="34553",
    data="<melding><navn>Ola Hemmelig</navn></melding>",
    form_id=17,
)
ATTACHMENT = Attachment(
    attachment_type="Kart", file_name="Ola Hemmelig.pdf", size=7, attachment_id=18, content=InMemory(b"Hemmelig")
)
ELEMENT = Element(
    case=CaseRef(system="altinn2", owner="my", key="a5900001"),
    state=CaseStatus.FORM_FILLING,
    status_text="Utfylling",
    service_code="4711",
    service_edition=1,
    last_changed=datetime(2026, 1, 1, tzinfo=UTC),
    original_id=None,
    forms=(FORM,),
    attachments=(ATTACHMENT,),
)


@pytest.mark.parametrize("value", [FORM, ATTACHMENT, ELEMENT], ids=["form", "attachment", "element"])
def test_no_content_shows_when_printed(value: object) -> None:
    """Neither form values, file names nor file content reach a log by way of a repr."""
    assert "Hemmelig" not in repr(value)


@pytest.mark.parametrize(
    ("message_id", "expected"), [("b3513210", "AR3513210"), ("a3513210", None), ("c3513210", None)]
)
def test_only_archived_elements_have_references(message_id: str, expected: str | None) -> None:
    """The archive reference is AR and the number of the b-id."""
    assert archive_reference(message_id) == expected
