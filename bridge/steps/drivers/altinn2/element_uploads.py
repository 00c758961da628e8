"""What a caller may do to single attachments of an element."""

from bridge.core.attachments import Attached, AttachmentId, Offer
from bridge.core.elements import Attachment
from bridge.core.mapping import ActionMapping, ServiceMapping
from bridge.core.operations import Link, Upload
from bridge.parts import Bridge
from bridge.steps.drivers.altinn2.detach import detach
from bridge.steps.drivers.altinn2.uploads import attach, named


class ElementUploads:
    """The attachments of an element, one at a time."""

    def find(self, bridge: Bridge, link: Link, target: AttachmentId) -> Upload | Attachment:
        """What *target* means of the element in form filling. Raises as ``named``."""
        return named(bridge, link, target)

    def attach(
        self,
        bridge: Bridge,
        *,
        mapping: ServiceMapping,
        action: ActionMapping,
        link: Link,
        offer: Offer,
        target: AttachmentId | None,
    ) -> Attached:
        """Add *offer* to the element, or put it in the place of *target*. Raises as ``attach``."""
        return attach(bridge, mapping=mapping, action=action, link=link, offer=offer, target=target)

    def detach(
        self, bridge: Bridge, *, mapping: ServiceMapping, action: ActionMapping, link: Link, target: AttachmentId
    ) -> None:
        """Take *target* away from the element. Raises as ``detach``."""
        detach(bridge, mapping=mapping, action=action, link=link, target=target)
