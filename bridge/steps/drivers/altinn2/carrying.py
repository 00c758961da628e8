"""One attachment on its way to an element: streamed as it comes or laid down first, sent once, and looked for."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bridge.adapters.altinn2.orders import ElementKey
from bridge.adapters.altinn2.streams import Body, Interrupted, Spool, Watched, pieces_of
from bridge.core.attachment_rules import check_empty, check_size, rule_for
from bridge.core.attachments import Attached, Offer
from bridge.core.elements import Attachment, Content, Element
from bridge.core.errors import OutcomeUnknown, UpstreamError
from bridge.core.mapping import ServiceMapping
from bridge.core.operations import Upload
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.steps.arrivals import latest_arrival
from bridge.steps.drivers.altinn2.requests import rules_for
from bridge.storage.uploads import Uploads

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

SEEN_EVERY = timedelta(seconds=10)
"""How often an upload that moves is noted down."""


class Way:
    """One upload on its way: streamed as it comes, or from where it was laid down."""

    def __init__(self, bridge: Bridge, upload: Upload, offer: Offer, *, content: Content | None) -> None:
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
            return altinn2.post_attachment(ElementKey.of(element.case), attachment)
        pieces = self._watched.pieces() if self._watched is not None else pieces_of(content) if content else iter(())
        body = Body(_noted(self.bridge, self.upload, pieces), self.offer.length or 0)
        return altinn2.stream_attachment(ElementKey.of(element.case), attachment, body)


def sent(bridge: Bridge, element: Element, before: set[int | None], *, way: Way) -> Attached:
    """Send, and look that it is there; what was not answered is looked for before anything is said."""
    upload, offer = way.upload, way.offer
    new_id: int | None = None
    answered = False
    # Before it leaves, so that a crash leaves a trace.
    _may_arrive(bridge, upload, latest_arrival(bridge))
    try:
        new_id = way.send(element)
        answered = True
    except OutcomeUnknown as error:
        log.warning("an attachment was not answered", detail=error.detail)
        # What did not leave us whole is shorter than it says, and is not taken.
        wait = bridge.late if error.under_way and way.sha256 is not None else bridge.settle
    except (UpstreamError, Interrupted):
        _may_arrive(bridge, upload, None)
        raise
    except BaseException:
        # How far it came nobody can say, but it goes no further: it may arrive for as long as anything that was cut.
        _may_arrive(bridge, upload, bridge.clock() + bridge.late)
        raise
    else:
        wait = bridge.settle
    done = replace(upload, length=offer.length, sha256=way.sha256)
    until: datetime | None = bridge.clock() + wait
    try:
        new = [
            each
            for each in bridge.altinn2.list_attachments(ElementKey.of(element.case))
            if each.attachment_id not in before
        ]
        found = next((each for each in new if each.attachment_id == new_id), None) or _new(
            bridge, element, new, offer=offer, sha256=way.sha256, trusted=answered
        )
        if found is not None and found.size in (None, offer.length):
            until = None
            return Attached(replace(done, attachment_id=found.attachment_id), repeated=False)
    except UpstreamError as error:
        raise Refusal("attachment_uncertain", 504) from error
    finally:
        _may_arrive(bridge, done, until)
    # Said yes and does not show it, or is still at work: sending again looks first.
    raise Refusal("attachment_uncertain", 504)


def _may_arrive(bridge: Bridge, upload: Upload, until: datetime | None) -> None:
    with bridge.store.transaction() as tx:
        Uploads(tx).may_arrive(upload, until)


def _new(
    bridge: Bridge,
    element: Element,
    new: list[Attachment],
    *,
    offer: Offer,
    sha256: str | None,
    trusted: bool,
) -> Attachment | None:
    """Ours among what came since: by name and size, and by its bytes too where Altinn 2 confirmed no upload."""
    for each in new:
        like = each.file_name == offer.file_name and (each.size is None or each.size == offer.length)
        if like and (trusted or bridge.altinn2.read_content(ElementKey.of(element.case), each).sha256 == sha256):
            return each
    return None


def spooled(bridge: Bridge, mapping: ServiceMapping, offer: Offer, *, upload: Upload) -> Content:
    """Lay down what comes, up to what may be sent at most."""
    rule = rule_for(rules_for(bridge, mapping), offer.attachment_type)
    spool = Spool()
    pieces = _until_end(offer.read) if offer.length is None else Watched(offer.read, offer.length).pieces()
    for piece in _noted(bridge, upload, pieces):
        spool.write(piece)
        check_size(rule, size=spool.size, largest=bridge.settings.altinn2_max_attachment)
    check_empty(spool.size)
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
