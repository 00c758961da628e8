"""Take one attachment away from an element: never beside an operation, and only what may be taken."""

from dataclasses import replace
from uuid import UUID

from bridge.adapters.altinn2.orders import ElementKey
from bridge.core.attachment_rules import check_type
from bridge.core.attachments import AttachmentId
from bridge.core.mapping import ActionMapping, ServiceMapping
from bridge.core.operations import Link, Upload
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.drivers.altinn2.attachments import (
    ElementAttachments,
    look_for_uploads,
    settle,
    take_away,
    unsettled,
)
from bridge.steps.drivers.altinn2.reach import within_reach
from bridge.steps.drivers.altinn2.uploads import begin, element_of, explained, named
from bridge.storage.uploads import Uploads


def detach(bridge: Bridge, *, mapping: ServiceMapping, action: ActionMapping, link: Link, target: AttachmentId) -> None:
    """
    Take *target* away from the element of *link*; an upload that is gone already is a success.

    Raises:
        Refusal: A rule forbids it, something else is under way, or Altinn 2 refused; it is there still, except with
            ``attachment_removal_uncertain``, after which the same may be asked again.
        UpstreamError: Altinn 2 could not be asked; nothing was done.
    """
    meant = _record(bridge, link, target) if isinstance(target, UUID) else named(bridge, link, target)
    check_type(action, meant.attachment_type)
    if isinstance(meant, Upload) and meant.removed:
        return
    # A record of its own keeps operations and uploads away, and says after a crash what was to go.
    upload = Upload(
        id=bridge.new_id(),
        dialog_id=link.dialog_id,
        case=link.required_case,
        file_name=meant.file_name,
        attachment_type=meant.attachment_type,
        length=None,
    )
    with bridge.uploading.passing(upload.id):
        _begun(bridge, mapping, action, upload=upload, target=target)


def _begun(
    bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, *, upload: Upload, target: AttachmentId
) -> None:
    begin(bridge, upload)
    done = False
    try:
        with explained(bridge, upload.dialog_id), within_reach(bridge, mapping.service_resource, upload.case.owner):
            _detach(bridge, mapping, action, upload=upload, target=target)
        done = True
    finally:
        with bridge.store.transaction() as tx:
            uploads = Uploads(tx)
            if done:
                uploads.drop(upload.id)
            else:
                uploads.ended(upload.id, now=bridge.clock())


def _record(bridge: Bridge, link: Link, upload_id: UUID) -> Upload:
    with bridge.store.reading() as tx:
        known = Uploads(tx).find(link.dialog_id, upload_id)
    if known is None or (known.attachment_id is None and not known.replaces):
        raise Refusal("unknown_attachment", 404)
    return known


def _detach(
    bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, *, upload: Upload, target: AttachmentId
) -> None:
    element = element_of(bridge, mapping, upload)
    look_for_uploads(bridge, element.case)
    settle(bridge, unsettled(bridge, upload.dialog_id), element.case)
    there = bridge.altinn2.list_attachments(ElementKey.of(element.case))
    listing = ElementAttachments(bridge, element.case, upload.dialog_id, there=there)
    listed = listing.at(target)
    if listed is not None and not listing.may_change(action, listed):
        raise Refusal("attachment_not_uploaded", 409)
    with bridge.store.transaction() as tx:
        record = Uploads(tx).find(upload.dialog_id, target) if isinstance(target, UUID) else None
        known = record if listed is None else listed
        ids = () if known is None or known.attachment_id is None else (known.attachment_id,)
        upload = replace(upload, replaces=ids)
        Uploads(tx).replacing(upload)
    if listed is not None and not all(take_away(bridge, element.case, each) for each in ids):
        raise Refusal("attachment_removal_uncertain", 504)
    now = bridge.clock()
    with bridge.store.transaction() as tx:
        uploads = Uploads(tx)
        uploads.settled(upload, ids, now=now)
        for each in uploads.unsettled(upload.dialog_id, bridge.uploading.living(silent_since=now)):
            # One that got lost while it took this one's place is not waited for any more.
            if each.id == target or set(ids) & set(each.replaces):
                uploads.settled(each, each.replaces, now=now)
