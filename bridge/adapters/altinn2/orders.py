"""What Altinn 2 is asked to do, as values, and how it addresses an element."""

from dataclasses import dataclass

from bridge.core.cases import ArchivedCopy, CaseRef
from bridge.core.elements import Attachment, Form
from bridge.core.mapping import AfterUpdate
from bridge.core.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementKey:
    """On whose behalf (``my``, nine digits or ``r`` + number), and which element."""

    who: str
    message_id: str

    @classmethod
    def of(cls, case: CaseRef) -> "ElementKey":
        """The element that *case* is. Raises LookupError where it lies in another system."""
        if case.system != Target.ALTINN2.value:
            raise LookupError(f"a case of {case.system} is no element of Altinn 2")
        return cls(who=case.owner, message_id=case.key)

    @property
    def case(self) -> CaseRef:
        """The case that the element is."""
        return CaseRef(system=Target.ALTINN2.value, owner=self.who, key=self.message_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureSpec:
    """What a signature covers, by the ids of the element's own links; what is not named is not signed."""

    form_ids: tuple[int, ...]
    attachment_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutMessage:
    """Replace the content of an element, then do what *after* says. What is not listed is deleted by Altinn 2."""

    key: ElementKey
    service_code: str
    service_edition: int
    forms: tuple[Form, ...]
    attachments: tuple[Attachment, ...]
    after: AfterUpdate
    bare: bool = False
    """Send no forms although the element is not in signing: only where the mapping says that the service allows it."""
    signature: SignatureSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutReceipt:
    """What a PUT answered. *location_id* is the new id, None where Altinn 2 keeps no copy (facts/altinn2.md 2.7)."""

    location_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What Altinn 2's own validation found, by path; messages may hold values and stay out."""

    sound: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def archive_reference(message_id: str) -> str | None:
    """What users see as archive reference: ``AR`` and the number of the b-id (facts/altinn2.md 2.2)."""
    return f"AR{message_id[1:]}" if message_id.startswith("b") else None


def archived_copy(message_id: str) -> ArchivedCopy:
    """The archived copy of that id."""
    return ArchivedCopy(key=message_id, reference=archive_reference(message_id))
