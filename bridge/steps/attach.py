"""Bring one attachment to an element, while it comes: never beside an operation, and never twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from bridge.adapters.altinn2.streams import Body, Interrupted, Spool, Watched, pieces_of
from bridge.core.altinn2_errors import problem_for
from bridge.core.attachment_rules import check_attachment, check_size, rule_for
from bridge.core.elements import Attachment, Content, Element, ElementState, Listed
from bridge.core.errors import Missing, OutcomeUnknown, Refusal, Rejected, UpstreamError
from bridge.core.mapping import ActionMapping, ServiceMapping, Supply
from bridge.core.operations import Link, Upload
from bridge.parts import Bridge
from bridge.steps.orders import rules_for, upload_silence
from bridge.storage.store import UnderWay

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

SEEN_EVERY = timedelta(seconds=10)
"""How often an upload that moves is noted down."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Offer:
    """What a caller sends: *read* gives up to so many bytes of it; *length* None where nobody said it before."""

    file_name: str
    attachment_type: str
    length: int | None
    read: Callable[[int], bytes]
    base64: bool = False
    """It came as base64, and goes on as base64 when it is small."""


@dataclass(frozen=True, slots=True)
class Attached:
    """The upload that stands for the offer; *repeated* when the attachment was there already."""

    upload: Upload
    repeated: bool


def attach(bridge: Bridge, *, mapping: ServiceMapping, action: ActionMapping, link: Link, offer: Offer) -> Attached:
    """
    Add *offer* to the element of *link*. What is there already, byte for byte, is not sent again.

    Raises:
        Refusal: A rule forbids it, something else is under way, it came in part, or Altinn 2 refused; nothing was
            attached, except with ``attachment_uncertain``, after which the same may be sent again.
        UpstreamError: Altinn 2 could not be asked; nothing was sent.
    """
    _check_early(bridge, mapping, action, offer)
    upload = Upload(
        id=bridge.new_id(),
        dialog_id=link.dialog_id,
        element=link.key,
        file_name=offer.file_name,
        attachment_type=offer.attachment_type,
        length=offer.length,
    )
    _begin(bridge, upload)
    attached: Attached | None = None
    try:
        attached = _attach(bridge, mapping, offer, upload)
    except Interrupted as error:
        log.warning("an attachment did not come whole", detail=str(error))
        raise Refusal("attachment_interrupted", 400) from error
    except Missing as error:
        raise Refusal("element_gone", 410) from error
    except Rejected as error:
        log.warning("refused by Altinn 2", reason=error.reason, detail=error.detail)
        problem = problem_for(error.reason)
        raise Refusal(problem.code, problem.status) from error
    finally:
        ended = upload if attached is None else attached.upload
        with bridge.store.transaction() as tx:
            tx.end_upload(
                upload.id,
                now=bridge.clock(),
                length=ended.length,
                sha256=ended.sha256,
                attachment_id=ended.attachment_id if ended.id == upload.id else None,
            )
    return attached


def upload_for(bridge: Bridge, link: Link, upload_id: UUID) -> Upload:
    """Find an attachment that came through us. Raises Refusal 404."""
    with bridge.store.reading() as tx:
        upload = tx.upload(upload_id)
    if upload is None or upload.dialog_id != link.dialog_id or upload.attachment_id is None:
        raise Refusal("unknown_attachment", 404)
    return upload


def _check_early(bridge: Bridge, mapping: ServiceMapping, action: ActionMapping, offer: Offer) -> None:
    """Refuse by what is known before the first byte."""
    attaching = action.attaching
    if attaching is None or Supply.UPLOAD not in attaching.supplies:
        raise Refusal("attachments_not_taken", 422)
    if offer.attachment_type.casefold() not in {each.casefold() for each in attaching.types}:
        raise Refusal("attachment_type", 422, facts={"rule": f"types: {', '.join(attaching.types)}"})
    _check(bridge, mapping, offer, present=0)


def _check(bridge: Bridge, mapping: ServiceMapping, offer: Offer, *, present: int) -> None:
    check_attachment(
        rules_for(bridge, mapping),
        attachment_type=offer.attachment_type,
        file_name=offer.file_name,
        size=offer.length or 0,
        present=present,
        largest=bridge.settings.altinn2_max_attachment,
    )


def _begin(bridge: Bridge, upload: Upload) -> None:
    now = bridge.clock()
    try:
        with bridge.store.transaction() as tx:
            tx.lock_dialog(upload.dialog_id)
            tx.begin_upload(upload, now=now, silent_since=now - upload_silence(bridge))
    except UnderWay as error:
        raise Refusal("operation_under_way", 409, retry_after=timedelta(seconds=1)) from error


def _attach(bridge: Bridge, mapping: ServiceMapping, offer: Offer, upload: Upload) -> Attached:
    element = _element(bridge, mapping, upload)
    content: Content | None = None
    like = [each for each in element.listed_attachments or () if _alike(each, offer)]
    if offer.length is None or like or offer.base64:
        # Only what lies here whole can be measured, compared, and sent a second time.
        content = _spooled(bridge, mapping, offer, upload)
        offer = replace(offer, length=content.size)
    there = bridge.altinn2.list_attachments(element.key)
    if content is not None and (found := _same(bridge, element, there, offer, content)) is not None:
        return _already(bridge, upload, offer, content, found)
    present = sum(each.attachment_type.casefold() == offer.attachment_type.casefold() for each in there)
    _check(bridge, mapping, offer, present=present)
    before = {each.attachment_id for each in there}
    return _sent(bridge, element, before, offer, _Way(bridge, upload, offer, content))


def _element(bridge: Bridge, mapping: ServiceMapping, upload: Upload) -> Element:
    """Read the element. Raises Refusal where nothing may be added to it."""
    element = bridge.altinn2.read(upload.element, content=False)
    service = mapping.altinn2
    if service is None or (element.service_code, element.service_edition) != (
        service.service_code,
        service.service_edition,
    ):
        raise Refusal("other_service_edition", 409)
    if element.state is not ElementState.FORM_FILLING:
        raise Refusal("element_wrong_state", 409)
    return element


class _Way:
    """One upload on its way: streamed as it comes, or from where it was laid down."""

    def __init__(self, bridge: Bridge, upload: Upload, offer: Offer, content: Content | None) -> None:
        self.bridge, self.upload, self.offer, self.content = bridge, upload, offer, content
        self._watched = None if content is not None else Watched(offer.read, offer.length or 0)

    @property
    def sha256(self) -> str | None:
        """The digest, once all has passed."""
        if self.content is not None:
            return self.content.sha256
        return None if self._watched is None else self._watched.sha256

    def send(self, element: Element) -> int | None:
        """Send it, and give the id where Altinn 2 tells."""
        content, altinn2 = self.content, self.bridge.altinn2
        attachment = Attachment(
            attachment_type=self.offer.attachment_type,
            file_name=self.offer.file_name,
            size=self.offer.length,
            content=content,
        )
        if self.offer.base64 and content is not None and content.size < self.bridge.settings.altinn2_stream_from:
            return altinn2.post_attachment(element.key, attachment)
        pieces = self._watched.pieces() if self._watched is not None else pieces_of(content) if content else iter(())
        body = Body(_noted(self.bridge, self.upload, pieces), self.offer.length or 0)
        return altinn2.stream_attachment(element.key, attachment, body)


def _sent(bridge: Bridge, element: Element, before: set[int | None], offer: Offer, way: _Way) -> Attached:
    """Send, and look that it is there; what was not answered is looked for before anything is said."""
    upload = way.upload
    told: int | None = None
    answered = False
    try:
        told = way.send(element)
        answered = True
    except OutcomeUnknown as error:
        log.warning("an attachment was not answered", detail=error.detail)
    done = replace(upload, length=offer.length, sha256=way.sha256)
    try:
        new = [each for each in bridge.altinn2.list_attachments(element.key) if each.attachment_id not in before]
        found = next((each for each in new if each.attachment_id == told), None) or _new(
            bridge, element, new, offer, way.sha256, trusted=answered
        )
    except UpstreamError as error:
        raise Refusal("attachment_uncertain", 504) from error
    if found is None or (found.size is not None and found.size != offer.length):
        # Said yes and does not show it, or is still at work: sending again looks first.
        raise Refusal("attachment_uncertain", 504)
    return Attached(replace(done, attachment_id=found.attachment_id), repeated=False)


def _new(
    bridge: Bridge,
    element: Element,
    new: list[Attachment],
    offer: Offer,
    sha256: str | None,
    *,
    trusted: bool,
) -> Attachment | None:
    """Find ours among what came since: by name and size, and where nobody said yes by its bytes, too."""
    for each in new:
        like = each.file_name == offer.file_name and (each.size is None or each.size == offer.length)
        if like and (trusted or bridge.altinn2.read_content(element.key, each).sha256 == sha256):
            return each
    return None


def _same(
    bridge: Bridge, element: Element, there: tuple[Attachment, ...], offer: Offer, content: Content
) -> Attachment | None:
    """Find the attachment that is this one already, by its bytes: those that we know, or those that Altinn 2 gives."""
    for each in there:
        if (
            each.file_name != offer.file_name
            or each.attachment_type.casefold() != offer.attachment_type.casefold()
            or (each.size is not None and each.size != content.size)
        ):
            continue
        if bridge.altinn2.read_content(element.key, each).sha256 == content.sha256:
            return each
    return None


def _already(bridge: Bridge, upload: Upload, offer: Offer, content: Content, found: Attachment) -> Attached:
    number = found.attachment_id or 0
    with bridge.store.reading() as tx:
        earlier = tx.uploaded_as(upload.element.message_id, number)
    mine = replace(upload, length=offer.length, sha256=content.sha256, attachment_id=number)
    return Attached(earlier or mine, repeated=True)


def _spooled(bridge: Bridge, mapping: ServiceMapping, offer: Offer, upload: Upload) -> Content:
    """Lay down what comes, up to what may be sent at most."""
    rule = rule_for(rules_for(bridge, mapping), offer.attachment_type)
    spool = Spool()
    pieces = _until_end(offer.read) if offer.length is None else Watched(offer.read, offer.length).pieces()
    for piece in _noted(bridge, upload, pieces):
        spool.write(piece)
        check_size(rule, size=spool.size, largest=bridge.settings.altinn2_max_attachment)
    return spool.content()


def _until_end(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while True:
        try:
            piece = read(64 * 1024)
        except Refusal:
            raise
        except Exception as error:  # noqa: BLE001 - servers differ in how they say that the sender is gone
            raise Interrupted(f"the sender is gone ({type(error).__name__})") from None
        if not piece:
            return
        yield piece


def _noted(bridge: Bridge, upload: Upload, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Hand *pieces* on, and note now and then that the upload moves."""
    seen: datetime = bridge.clock()
    for piece in pieces:
        yield piece
        if (now := bridge.clock()) - seen >= SEEN_EVERY:
            seen = now
            with bridge.store.transaction() as tx:
                tx.upload_seen(upload.id, now=now)


def _alike(listed: Listed, offer: Offer) -> bool:
    return listed.name == offer.file_name and (
        listed.size is None or offer.length is None or listed.size == offer.length
    )
