"""Attachments of an element: listed, read to disk, sent as base64 or as they come, deleted (facts/altinn2.md 3)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bridge.adapters.altinn2.connection import Connection
from bridge.adapters.altinn2.messages import attachments_body
from bridge.adapters.altinn2.orders import ElementKey
from bridge.adapters.altinn2.streams import Body, Spool
from bridge.adapters.altinn2.wire import LANGUAGE, NUMBER, embedded, json_body, new_id, own_id, text
from bridge.core.elements import Attachment, Content

ATTACHMENT_BYTES = 1024 * 1024 * 1024
"""The largest attachment that is read; Altinn 2 took 500 MB at most."""


def list_attachments(connection: Connection, key: ElementKey) -> tuple[Attachment, ...]:
    """All attachments without their bytes."""
    answer = connection.get(connection.url(key.who, key.message_id, "attachments"))
    return tuple(map(_attachment, embedded(json_body(answer), "attachments")))


def read_attachments(connection: Connection, key: ElementKey) -> Iterator[Attachment]:
    """All attachments with their bytes, the large ones on disk."""
    for listed in list_attachments(connection, key):
        yield replace(listed, content=read_content(connection, key, listed))


def read_content(connection: Connection, key: ElementKey, listed: Attachment) -> Content:
    """Fetch one attachment's bytes."""
    url = connection.url(key.who, key.message_id, "attachments", str(listed.attachment_id))
    # An attachment may be a web page, and may be empty: neither says anything about the call.
    page = listed.file_name.casefold().endswith((".htm", ".html", ".xhtml"))
    spool = Spool()
    connection.get(
        url,
        {},
        accept="*/*",
        max_bytes=ATTACHMENT_BYTES,
        empty=listed.size == 0,
        html=page,
        sink=spool.write,
    )
    return spool.content()


def post_attachment(connection: Connection, key: ElementKey, attachment: Attachment) -> int | None:
    """Add an attachment as base64, made while it is sent; give its id where the answer tells."""
    body = attachments_body(b"", (attachment,), b"")
    url = connection.url(key.who, key.message_id, "attachments")
    return new_id(connection.written("POST", url, data=body))


def stream_attachment(connection: Connection, key: ElementKey, attachment: Attachment, *, body: Body) -> int | None:
    """
    Add an attachment as it comes; give its id where the answer tells.

    Name and type go into the query, encoded as UTF-8, so nothing of them can become a part of the address.
    """
    url = connection.url(key.who, key.message_id, "attachments", "streamedattachment")
    query = {"fileName": attachment.file_name, "attachmentType": attachment.attachment_type, **LANGUAGE}
    return new_id(connection.written("POST", url, query, data=body, content_type="application/octet-stream"))


def delete_attachment(connection: Connection, key: ElementKey, attachment_id: int) -> None:
    """Take an attachment away; to replace one is to delete it and add another."""
    connection.written("DELETE", connection.url(key.who, key.message_id, "attachments", str(attachment_id)))


def _attachment(entry: Mapping[str, object]) -> Attachment:
    size = text(entry, "FileSize", default="-1")
    return Attachment(
        attachment_type=text(entry, "AttachmentType"),
        # Elements from before release 18.11 have the name alone.
        file_name=text(entry, "FileName", default="") or text(entry, "Name"),
        size=int(size) if NUMBER.fullmatch(size) else None,
        attachment_id=own_id(entry, "AttachmentId", "AttachmentLink"),
    )
