"""What an element holds of attachments: listed, known as ours, taken away; and replacements that broke off, ended."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from bridge.adapters.altinn2.orders import ElementKey
from bridge.core.attachments import AttachmentId, ListedAttachment
from bridge.core.cases import CaseRef
from bridge.core.elements import Attachment, Element
from bridge.core.errors import Missing, OutcomeUnknown, Unreachable
from bridge.core.mapping import ActionMapping, Changes
from bridge.core.operations import Link, Upload
from bridge.parts import Bridge
from bridge.steps.arrivals import living_uploads
from bridge.steps.delivery import Delivery
from bridge.steps.drivers.altinn2.requests import LOOK_BACK
from bridge.storage.uploads import Uploads

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


class ElementAttachments:
    """The attachments of one element as they are listed, held against what came through us by one dialog."""

    def __init__(self, bridge: Bridge, case: CaseRef, dialog_id: UUID, *, there: Sequence[Attachment]) -> None:
        self.bridge, self.case, self.dialog_id, self.there = bridge, case, dialog_id, tuple(there)
        with bridge.store.reading() as tx:
            self._ours = Uploads(tx).of(dialog_id, case)

    def shown(self) -> tuple[ListedAttachment, ...]:
        """The attachments, each with its upload: by its id, or by name, type and size where a PUT gave it a new one."""
        return tuple(ListedAttachment(each, self._by_id(each) or self._likely(each)) for each in self.there)

    def named(self, attachment_type: str, file_name: str) -> tuple[Attachment, ...]:
        """The attachments of this type and name."""
        return tuple(each for each in self.there if name_of(each) == (attachment_type.casefold(), file_name))

    def ours(self, listed: Attachment) -> Upload | None:
        """The upload that *listed* came by, as ``known``; None for what was there before."""
        known = self.known(listed)
        return None if known is None or known.found else known

    def known(self, listed: Attachment) -> Upload | None:
        """
        The record of *listed*; where only name and size speak for one, its bytes are compared.

        Raises:
            Rejected, Unreachable: They cannot be read.
        """
        if (known := self._by_id(listed)) is not None:
            return known
        alike = [each for each in self._ours if each.sha256 is not None and _alike(each, listed)]
        if not alike:
            return None
        digest = self.bridge.altinn2.read_content(ElementKey.of(self.case), listed).sha256
        found = next((each for each in alike if each.sha256 == digest), None)
        if found is not None and listed.attachment_id is not None:
            with self.bridge.store.transaction() as tx:
                Uploads(tx).moved(found.id, listed.attachment_id)
        return found

    def of(self, upload: Upload) -> Attachment | None:
        """The attachment that *upload* is now; its bytes are compared where its id is not there any more."""
        by_id = next((each for each in self.there if self._is(upload, each)), None)
        if by_id is not None:
            return by_id
        alike = (each for each in self.there if _alike(upload, each) and self._by_id(each) is None)
        return next((each for each in alike if (found := self.known(each)) is not None and found.id == upload.id), None)

    def at(self, target: AttachmentId) -> Attachment | None:
        """The attachment that *target* is now; None where it is gone."""
        if isinstance(target, int):
            return next((each for each in self.there if each.attachment_id == target), None)
        with self.bridge.store.reading() as tx:
            upload = Uploads(tx).find(self.dialog_id, target)
        return None if upload is None or upload.removed else self.of(upload)

    def may_change(self, action: ActionMapping, listed: Attachment) -> bool:
        """Whether *action* may replace or remove *listed*: what came through us, unless the mapping says more."""
        policy = action.attachment_policy
        if policy is not None and policy.changes is Changes.ANY:
            return True
        return self.ours(listed) is not None

    def _by_id(self, listed: Attachment) -> Upload | None:
        return next((each for each in self._ours if self._is(each, listed)), None)

    def _likely(self, listed: Attachment) -> Upload | None:
        taken = {each.attachment_id for each in self.there}
        alike = [each for each in self._ours if each.attachment_id not in taken and _alike(each, listed)]
        return alike[0] if len(alike) == 1 and alike[0].attachment_id is not None else None

    @staticmethod
    def _is(upload: Upload, listed: Attachment) -> bool:
        same = upload.attachment_id is not None and upload.attachment_id == listed.attachment_id
        return same and upload.file_name == listed.file_name


def copy_of(bridge: Bridge, link: Link) -> Element | None:
    """
    The archived copy of an element that left its place, by whomever it was archived.

    Raises:
        Missing: The copy is gone, too.
        Rejected, Unreachable: It cannot be asked for.
    """
    if link.archived_id is not None:
        copy = bridge.altinn2.read(
            replace(ElementKey.of(link.required_case), message_id=link.archived_id), content=False
        )
        if copy.is_of(link.required_case):
            return copy
    return bridge.altinn2.find_archived(ElementKey.of(link.required_case), since=bridge.clock() - LOOK_BACK)


def brought_by(delivery: Delivery, after: Element) -> tuple[Upload, ...]:
    """What the operation's message brought, as *after* lists it: it came through us, as an upload does."""
    operation = delivery.operation
    if operation.sending_at is None or after.listed_attachments is None:
        return ()
    uploads: list[Upload] = []
    for each in delivery.sent().attachments:
        # The element's own list has no types: two of one name are told apart by their bytes, once it matters.
        ids = [one.id for one in after.listed_attachments if one.name == each.file_name]
        uploads.append(
            Upload(
                id=delivery.bridge.new_id(),
                dialog_id=operation.dialog_id,
                case=operation.required_case,
                file_name=each.file_name,
                attachment_type=each.attachment_type,
                length=each.size,
                sha256=None if each.content is None else each.content.sha256,
                attachment_id=ids[0] if len(ids) == 1 else None,
            )
        )
    return tuple(uploads)


def take_away(bridge: Bridge, case: CaseRef, attachment_id: int) -> bool:
    """
    Delete an attachment, and say whether it is known to be gone: what was not answered is looked for.

    Raises:
        Rejected: Altinn 2 does not take it away.
        Unreachable: Nothing was done.
    """
    try:
        bridge.altinn2.delete_attachment(ElementKey.of(case), attachment_id)
    except OutcomeUnknown as error:
        log.warning("taking an attachment away was not answered", detail=error.detail)
        try:
            return not _is_there(bridge, case, attachment_id)
        except Unreachable:
            return False
    except Missing:
        # Gone already, or the element is: the list tells.
        return not _is_there(bridge, case, attachment_id)
    return True


def unsettled(bridge: Bridge, dialog_id: UUID) -> tuple[Upload, ...]:
    """The dialog's uploads that broke off while they took another's place, or took one away, and cannot arrive."""
    now = bridge.clock()
    with bridge.store.reading() as tx:
        found = Uploads(tx).unsettled(dialog_id, living_uploads(bridge))
        coming = {upload.id for each in found for upload, _ in Uploads(tx).out(each.case, now=now)}
    return tuple(each for each in found if each.id not in coming)


def look_for_uploads(bridge: Bridge, case: CaseRef) -> tuple[tuple[Upload, datetime], ...]:
    """
    Look for uploads to an element that were not answered; returns those that may still arrive, and until when.

    Raises:
        UpstreamError: Altinn 2 could not be asked.
    """
    with bridge.store.reading() as tx:
        out = Uploads(tx).out(case, now=bridge.clock())
    if not out:
        return ()
    try:
        there = bridge.altinn2.list_attachments(ElementKey.of(case))
    except Missing:
        return ()  # Nothing arrives where there is no element.
    left: list[tuple[Upload, datetime]] = []
    for upload, until in out:
        new = None if upload.sha256 is None else _new_one(bridge, upload, there)
        if new is None or new.attachment_id is None:
            left.append((upload, until))
            continue
        with bridge.store.transaction() as tx:
            arrived = replace(upload, attachment_id=new.attachment_id)
            Uploads(tx).arrived(arrived)
            Uploads(tx).may_arrive(arrived, None)
    return tuple(left)


def settle(bridge: Bridge, uploads: Sequence[Upload], case: CaseRef) -> bool:
    """
    End what broke off on an element in form filling: where the new one stands the old one goes, else the old one stays.

    False says that of one replacement neither the new nor the old attachment is there.

    Raises:
        Rejected, Unreachable: Altinn 2 cannot be asked; the next one who comes asks again.
    """
    key = ElementKey.of(case)
    return all([_settled(bridge, each, bridge.altinn2.list_attachments(key)) for each in uploads])  # noqa: C419 - all of them


def _settled(bridge: Bridge, upload: Upload, there: Sequence[Attachment]) -> bool:
    still_there = [each for each in upload.replaces if any(each == one.attachment_id for one in there)]
    gone = [each for each in upload.replaces if each not in still_there]
    if upload.sha256 is None:
        # It was to be taken away; who asked was not told that it is, and asks again.
        _note(bridge, upload, gone)
        return True
    new = _new_one(bridge, upload, there)
    if new is None:
        if still_there or any(name_of(each) == name_of(upload) for each in there):
            _note(bridge, upload, gone)
            return True
        log.error("an attachment is gone, and the one in its place did not arrive", dialog=str(upload.dialog_id))
        return False
    for each in still_there:
        if not take_away(bridge, upload.case, each):
            raise Unreachable("Altinn 2", "it is not known whether an attachment was taken away")
    _note(bridge, upload, upload.replaces, attachment_id=new.attachment_id)
    return True


def _new_one(bridge: Bridge, upload: Upload, there: Sequence[Attachment]) -> Attachment | None:
    with bridge.store.reading() as tx:
        others = Uploads(tx).of(upload.dialog_id, upload.case)
    known = {*upload.replaces, *(each.attachment_id for each in others if each.id != upload.id)}
    for each in there:
        if each.attachment_id in known:
            continue
        if each.attachment_id is not None and each.attachment_id == upload.attachment_id:
            return each
        if (
            _alike(upload, each)
            and bridge.altinn2.read_content(ElementKey.of(upload.case), each).sha256 == upload.sha256
        ):
            return each
    return None


def _note(bridge: Bridge, upload: Upload, gone: Sequence[int], *, attachment_id: int | None = None) -> None:
    with bridge.store.transaction() as tx:
        uploads = Uploads(tx)
        if attachment_id is not None and upload.attachment_id is None:
            upload = replace(upload, attachment_id=attachment_id)
            uploads.arrived(upload)
        uploads.settled(upload, gone, now=bridge.clock())


def _is_there(bridge: Bridge, case: CaseRef, attachment_id: int) -> bool:
    return any(each.attachment_id == attachment_id for each in bridge.altinn2.list_attachments(ElementKey.of(case)))


def name_of(each: Attachment | Upload) -> tuple[str, str]:
    """Type and name, by which one attachment takes the place of another; a type has no case."""
    return each.attachment_type.casefold(), each.file_name


def _alike(upload: Upload, listed: Attachment) -> bool:
    return name_of(upload) == name_of(listed) and listed.size in (None, upload.length)
