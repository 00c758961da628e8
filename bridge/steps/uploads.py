"""Uploads as we keep them, whatever system their attachments went to."""

from uuid import UUID

from bridge.core.operations import Link, Upload
from bridge.core.problems import Refusal
from bridge.parts import Bridge
from bridge.storage.uploads import Uploads


def upload_for(bridge: Bridge, link: Link, upload_id: UUID) -> Upload:
    """The upload of this id, or what took its place, as long as it is attached. Raises Refusal 404."""
    with bridge.store.reading() as tx:
        upload = Uploads(tx).find(link.dialog_id, upload_id)
    if upload is None or upload.attachment_id is None or upload.removed:
        raise Refusal("unknown_attachment", 404)
    return upload
