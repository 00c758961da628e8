"""What must be there after a write, and whether it is."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from bridge.core.elements import Attachment, Element, Listed


class Phase(Enum):
    """Where an operation is that takes more than one PUT."""

    WHOLE = "whole"
    """One PUT does it all."""
    COMPLETING_WITHOUT_SIGNATURE = "trying"
    """The PUT that completes, and signs nothing, is out: the attachments are still to be proved."""
    ATTACHMENTS_VERIFIED = "proved"
    """It left the attachments where they were: the signature may follow."""
    SAVING = "saving"
    """The PUT that keeps what is wanted as a draft is out, so that Altinn 2 can be asked about it."""
    SAVED = "saved"
    """It is there: Altinn 2 may be asked, and what it holds then may be completed."""
    UPDATING_FORMS = "parts"
    """Forms are written one by one: each is still to be seen there."""
    WRITTEN = "written"
    """All of them are there: what follows carries no forms."""
    ROLLING_BACK = "putting back"
    """One of them was refused: those that were written become again what they were."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Manifest:
    """What an operation carries or leaves in place: how many forms, and each attachment's name and size."""

    forms: int
    files: tuple[tuple[str, int | None], ...]
    phase: Phase = Phase.WHOLE

    def __repr__(self) -> str:
        return f"Manifest({self.forms} forms, {len(self.files)} files, {self.phase.value})"

    def in_phase(self, phase: Phase) -> "Manifest":
        """Give the same in another phase."""
        return replace(self, phase=phase)


class Verification(Enum):
    """What a read says about a manifest."""

    WHOLE = "whole"
    LOST = "lost"
    NOT_SHOWN = "not shown"
    """The read does not list forms and attachments."""


def manifest_of(forms: int, attachments: Iterable[Attachment | Listed]) -> Manifest:
    """Say what is to be there."""
    return Manifest(forms=forms, files=tuple((_name(each), _size(each)) for each in attachments))


def verify(manifest: Manifest, element: Element) -> Verification:
    """
    Hold what *element* lists against *manifest*.

    More than was asked for is not a loss; fewer forms, or an attachment that is not found again, is. A size that one
    side does not know (``filesize`` -1) is taken for the same.
    """
    if element.listed_forms is None or element.listed_attachments is None:
        return Verification.NOT_SHOWN
    if len(element.listed_forms) < manifest.forms:
        return Verification.LOST
    there = Counter((each.name, each.size) for each in element.listed_attachments)
    left: list[tuple[str, int | None]] = []
    for file in manifest.files:
        if there[file]:
            there[file] -= 1
        else:
            left.append(file)
    for name, size in left:
        like = next((each for each, count in there.items() if count and _alike(each, (name, size))), None)
        if like is None:
            return Verification.LOST
        there[like] -= 1
    return Verification.WHOLE


def _alike(one: tuple[str, int | None], other: tuple[str, int | None]) -> bool:
    return one[0] == other[0] and (one[1] is None or other[1] is None)


def _name(each: Attachment | Listed) -> str:
    return each.name if isinstance(each, Listed) else each.file_name


def _size(each: Attachment | Listed) -> int | None:
    if isinstance(each, Listed):
        return each.size
    return each.size if each.content is None else each.content.size
