"""
Bring one attachment to an element, while it comes: never beside an operation, and never twice.

One of the same type and name is a correction: it takes the place of what came before it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog

from bridge.adapters.altinn2.orders import ElementKey
from bridge.adapters.altinn2.streams import Interrupted
from bridge.core.attachment_rules import check_attachment, check_type
from bridge.core.attachments import Attached, AttachmentId, Offer
from bridge.core.cases import CaseStatus
from bridge.core.elements import Attachment, Content, Element
from bridge.core.errors import Missing, Rejected, UpstreamError
from bridge.core.mapping import ActionMapping, ServiceMapping
from bridge.core.operations import Link, Upload
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.arrivals import living_uploads
from bridge.steps.drivers.altinn2.attachments import (
    ElementAttachments,
    copy_of,
    look_for_uploads,
    name_of,
    settle,
    take_away,
    unsettled,
)
from bridge.steps.drivers.altinn2.carrying import Way, sent, spooled
from bridge.steps.drivers.altinn2.reach import within_reach
from bridge.steps.drivers.altinn2.refusals import refusal_of
from bridge.steps.drivers.altinn2.requests import refuse_other_service, rules_for
from bridge.steps.uploads import upload_for
from bridge.storage.operations import UnderWay
from bridge.storage.uploads import Uploads

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def attach(
    bridge: Bridge,
    *,
    mapping: ServiceMapping,
    action: ActionMapping,
    link: Link,
    offer: Offer,
    target: AttachmentId | None,
) -> Attached:
    """
    Add *offer* to the element of *link*, or put it in the place of *target* or of what has its type and name.

    What is there already, byte for byte, is not sent again. Where it takes another's place, that one is there until
    the new one is, and goes then.

    Raises:
        Refusal: A rule forbids it, something else is under way, it came in part, or Altinn 2 refused; nothing was
            attached, except with ``attachment_uncertain``, after which the same may be sent again.
        UpstreamError: Altinn 2 could not be asked; nothing was sent.
    """
    check_type(action, offer.attachment_type)
    _check(bridge, mapping, offer, present=0)
    upload = Upload(
        id=bridge.new_id(),
        dialog_id=link.dialog_id,
        case=link.required_case,
        file_name=offer.file_name,
        attachment_type=offer.attachment_type,
        length=offer.length,
    )
    with bridge.uploading.passing(upload.id):
        begin(bridge, upload)
        return _ended(bridge, _Coming(mapping, action, offer, upload, target))


def _ended(bridge: Bridge, coming: "_Coming") -> Attached:
    """Attach, and note how it ended."""
    attached: Attached | None = None
    try:
        with (
            explained(bridge, coming.upload.dialog_id),
            within_reach(bridge, coming.mapping.service_resource, coming.upload.case.owner),
        ):
            attached = _attach(bridge, coming)
    finally:
        with bridge.store.transaction() as tx:
            if attached is not None and attached.upload.id == coming.upload.id:
                Uploads(tx).arrived(attached.upload)
            Uploads(tx).ended(coming.upload.id, now=bridge.clock())
    return attached


def named(bridge: Bridge, link: Link, target: AttachmentId) -> Upload | Attachment:
    """What *target* means, before anything is done to it. Raises Refusal 404 and 409, and as ``explained``."""
    if isinstance(target, UUID):
        return upload_for(bridge, link, target)
    with explained(bridge, link.dialog_id), within_reach(bridge, link.service_resource, link.required_case.owner):
        _check_state(bridge.altinn2.read(ElementKey.of(link.required_case), content=False))
        there = bridge.altinn2.list_attachments(ElementKey.of(link.required_case))
    found = next((each for each in there if each.attachment_id == target), None)
    if found is None:
        raise Refusal("unknown_attachment", 404)
    return found


@contextmanager
def explained(bridge: Bridge, dialog_id: UUID) -> Iterator[None]:
    """Turn what Altinn 2 or a sender did not do into what a sender is told; what was archived is not called deleted."""
    try:
        try:
            yield
        except Missing as error:
            with bridge.store.reading() as tx:
                link = tx.link(dialog_id)
            if link is None or copy_of(bridge, link) is None:
                raise
            raise Refusal("element_wrong_state", 409) from error
    except Interrupted as error:
        log.warning("an attachment did not come whole", detail=str(error))
        raise Refusal("attachment_interrupted", 400) from error
    except Missing as error:
        raise Refusal("element_gone", 410) from error
    except Rejected as error:
        raise refusal_of(error) from error


def _check(bridge: Bridge, mapping: ServiceMapping, offer: Offer, *, present: int) -> None:
    check_attachment(
        rules_for(bridge, mapping),
        attachment_type=offer.attachment_type,
        file_name=offer.file_name,
        size=offer.length,
        present=present,
        largest=bridge.settings.altinn2_max_attachment,
    )


def begin(bridge: Bridge, upload: Upload) -> None:
    """Keep operations and other uploads of the dialog away. Raises Refusal 409."""
    now = bridge.clock()
    try:
        with bridge.store.transaction() as tx:
            tx.lock_dialog(upload.dialog_id)
            tx.begin_upload(upload, living_uploads(bridge), now=now)
    except UnderWay as error:
        raise Refusal("operation_under_way", 409, retry_after=timedelta(seconds=1)) from error


@dataclass(frozen=True, slots=True)
class _Coming:
    """One upload on its way in: what is offered under which rules, and in whose place."""

    mapping: ServiceMapping
    action: ActionMapping
    offer: Offer
    upload: Upload
    target: AttachmentId | None


def _attach(bridge: Bridge, coming: _Coming) -> Attached:
    offer, upload = coming.offer, coming.upload
    element = element_of(bridge, coming.mapping, upload)
    look_for_uploads(bridge, element.case)
    settle(bridge, unsettled(bridge, upload.dialog_id), element.case)
    there = bridge.altinn2.list_attachments(ElementKey.of(element.case))
    listing = ElementAttachments(bridge, element.case, upload.dialog_id, there=there)
    content: Content | None = None
    twins = listing.named(offer.attachment_type, offer.file_name)
    if offer.length is None or twins or coming.target is not None or offer.base64:
        # Only what lies here whole can be measured, compared, and sent a second time.
        content = spooled(bridge, coming.mapping, offer, upload=upload)
        offer = replace(offer, length=content.size)
        # While it came, others may have gone on.
        there = bridge.altinn2.list_attachments(ElementKey.of(element.case))
        listing = ElementAttachments(bridge, element.case, upload.dialog_id, there=there)
        twins = listing.named(offer.attachment_type, offer.file_name)
    if content is not None and (found := _same(bridge, element, twins, content=content)) is not None:
        if coming.target is None or found.attachment_id == _placed(listing, coming.target).attachment_id:
            again = _already(bridge, listing, replace(upload, length=content.size, sha256=content.sha256), found=found)
            # One that landed late stands beside what it was to replace.
            others = [each for each in twins if each is not found and listing.may_change(coming.action, each)]
            return _alone(bridge, element, again, others=others)
        raise Refusal("attachment_exists", 409)
    _wait_for_an_earlier_one(bridge, upload)
    going = _going(listing, coming, twins)
    ids = {each.attachment_id for each in going}
    present = sum(
        each.attachment_type.casefold() == offer.attachment_type.casefold() and each.attachment_id not in ids
        for each in there
    )
    _check(bridge, coming.mapping, offer, present=present)
    before = {each.attachment_id for each in there}
    way = Way(bridge, upload, offer, content=content)
    if not going or content is None:
        return sent(bridge, element, before, way=way)
    return _instead(bridge, element, before, going=going, way=way)


def _wait_for_an_earlier_one(bridge: Bridge, upload: Upload) -> None:
    """Refuse while one of the same name may still come to be seen: sent now, it would be there twice."""
    now = bridge.clock()
    with bridge.store.reading() as tx:
        out = Uploads(tx).out(upload.case, now=now)
    until = max((until for each, until in out if name_of(each) == name_of(upload)), default=None)
    if until is not None:
        raise Refusal("attachment_unsettled", 409, retry_after=until - now)


def _alone(bridge: Bridge, element: Element, attached: Attached, *, others: list[Attachment]) -> Attached:
    """Take *others* away, which have the name of what is there already."""
    ids = [each.attachment_id for each in others if each.attachment_id is not None]
    if not all(take_away(bridge, element.case, each) for each in ids):
        raise Refusal("attachment_uncertain", 504)
    if ids:
        with bridge.store.transaction() as tx:
            Uploads(tx).arrived(attached.upload)
            Uploads(tx).settled(attached.upload, ids, now=bridge.clock())
    return attached


def _placed(listing: ElementAttachments, target: AttachmentId) -> Attachment:
    """The attachment *target* among what is there. Raises Refusal 404."""
    found = listing.at(target)
    if found is None:
        raise Refusal("unknown_attachment", 404)
    return found


def _going(listing: ElementAttachments, coming: _Coming, twins: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    """The attachments whose place is taken. Raises Refusal where that may not be, or another has the name already."""
    going = twins
    if coming.target is not None:
        target = _placed(listing, coming.target)
        if any(each.attachment_id != target.attachment_id for each in twins):
            raise Refusal("attachment_exists", 409)
        going = (target,)
    if not all(listing.may_change(coming.action, each) for each in going):
        raise Refusal("attachment_not_uploaded", 409)
    return going


def _instead(
    bridge: Bridge, element: Element, before: set[int | None], *, going: tuple[Attachment, ...], way: "Way"
) -> Attached:
    """Put an attachment in the place of others: they go once it is there. What breaks off is ended by ``settle``."""
    ids = tuple(each.attachment_id for each in going if each.attachment_id is not None)
    upload = replace(way.upload, replaces=ids, length=way.offer.length, sha256=way.sha256)
    with bridge.store.transaction() as tx:
        Uploads(tx).replacing(upload)
    try:
        attached = sent(bridge, element, before, way=way)
    except Rejected as error:
        if error.reason != "attachment_refused":
            raise
        # There may be no room for both: Altinn 2 does not say when it counts (facts/altinn2.md 2.10).
        attached = _after(bridge, element, before, going=going, way=way)
        return Attached(_settled(bridge, replace(upload, attachment_id=attached.upload.attachment_id)), repeated=False)
    upload = replace(upload, attachment_id=attached.upload.attachment_id)
    with bridge.store.transaction() as tx:
        Uploads(tx).arrived(upload)
    if not all(take_away(bridge, element.case, each) for each in ids):
        raise Refusal("attachment_uncertain", 504)
    return Attached(_settled(bridge, upload), repeated=False)


def _settled(bridge: Bridge, upload: Upload) -> Upload:
    with bridge.store.transaction() as tx:
        Uploads(tx).arrived(upload)
        Uploads(tx).settled(upload, upload.replaces, now=bridge.clock())
    return upload


def _after(
    bridge: Bridge, element: Element, before: set[int | None], *, going: tuple[Attachment, ...], way: "Way"
) -> Attached:
    """Take *going* away first, and bring them back where the new one is not taken either."""
    held = [replace(each, content=bridge.altinn2.read_content(ElementKey.of(element.case), each)) for each in going]
    for each in going:
        if each.attachment_id is not None and not take_away(bridge, element.case, each.attachment_id):
            raise Refusal("attachment_uncertain", 504)
    try:
        return sent(bridge, element, before, way=way)
    except (Refusal, Rejected, UpstreamError):
        _bring_back(bridge, element, held, upload=replace(way.upload, length=way.offer.length, sha256=way.sha256))
        raise


def _bring_back(bridge: Bridge, element: Element, held: list[Attachment], *, upload: Upload) -> None:
    """Put what was taken away back, under its new id. Raises Refusal where that fails."""
    ids: list[int] = []
    for each in held:
        offer = Offer(
            file_name=each.file_name,
            attachment_type=each.attachment_type,
            length=None if each.content is None else each.content.size,
            read=lambda _: b"",
        )
        try:
            before = {one.attachment_id for one in bridge.altinn2.list_attachments(ElementKey.of(element.case))}
            back = sent(
                bridge, element, before, way=Way(bridge, upload, offer, content=each.content)
            ).upload.attachment_id
        except (Refusal, UpstreamError) as error:
            log.error("an attachment was taken away and could not be put back", dialog=str(upload.dialog_id))
            raise Refusal("attachment_lost", 502) from error
        with bridge.store.transaction() as tx:
            earlier = None if each.attachment_id is None else tx.uploaded_as(upload.dialog_id, each.attachment_id)
            if earlier is not None and back is not None:
                Uploads(tx).moved(earlier.id, back)
        ids += [] if back is None else [back]
    with bridge.store.transaction() as tx:
        Uploads(tx).replacing(replace(upload, replaces=tuple(ids)))


def element_of(bridge: Bridge, mapping: ServiceMapping, upload: Upload) -> Element:
    """The element that *upload* goes to. Raises Refusal where nothing may be added to it."""
    element = bridge.altinn2.read(ElementKey.of(upload.case), content=False)
    refuse_other_service(mapping, element)
    _check_state(element)
    return element


def _check_state(element: Element) -> None:
    if element.state is not CaseStatus.FORM_FILLING:
        raise Refusal("element_wrong_state", 409)


def _same(bridge: Bridge, element: Element, twins: tuple[Attachment, ...], *, content: Content) -> Attachment | None:
    """The one of the *twins*, which have its name, that is *content* already, by its bytes."""
    for each in twins:
        if (
            each.size in (None, content.size)
            and bridge.altinn2.read_content(ElementKey.of(element.case), each).sha256 == content.sha256
        ):
            return each
    return None


def _already(bridge: Bridge, listing: ElementAttachments, upload: Upload, *, found: Attachment) -> Attached:
    if (earlier := listing.known(found)) is not None:
        return Attached(earlier, repeated=True)
    with bridge.store.reading() as tx:
        # One that died on its way may have brought it.
        died = any(
            each.id != upload.id and each.attachment_id is None and name_of(each) == name_of(upload)
            for each in Uploads(tx).of(upload.dialog_id, upload.case)
        )
    return Attached(replace(upload, attachment_id=found.attachment_id, found=not died), repeated=True)
