"""What a person must be able to see of the element behind a button: its forms, its print, the text that is signed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bridge.adapters.altinn2.orders import ElementKey, archive_reference
from bridge.adapters.altinn2.streams import Spool
from bridge.adapters.http.call import StreamedAnswer
from bridge.core.attachments import ListedAttachment
from bridge.core.elements import Content, Element, Form
from bridge.core.errors import Missing, Rejected, Unreachable
from bridge.core.mapping import ServiceMapping
from bridge.core.markdown import text_of_html
from bridge.core.operations import Link
from bridge.core.prints import PDF, Print
from bridge.core.problems import Problem, Refusal
from bridge.parts import Bridge
from bridge.steps.drivers.altinn2.attachments import ElementAttachments, copy_of
from bridge.steps.drivers.altinn2.reach import level_missing, within_reach
from bridge.steps.drivers.altinn2.refusals import refusal_of

_PIECE = 64 * 1024
_END = 1024
"""Within so many bytes of its end a PDF says that it ends."""
LANGUAGES = {"nb": "1044", "nn": "2068", "en": "1033"}


class Laid:
    """A print that came to its end before it is given on."""

    def __init__(self, content: Content) -> None:
        self._source = content.open()

    def __iter__(self) -> "Laid":
        return self

    def __next__(self) -> bytes:
        piece = self._source.read(_PIECE)
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()


def _place_of(bridge: Bridge, link: Link) -> ElementKey:
    """Where the element stands: in its place, or as its archived copy. Raises as ``element_at``."""
    return (
        ElementKey.of(element_at(bridge, link).case)
        if link.archived_id is None
        else replace(ElementKey.of(link.required_case), message_id=link.archived_id)
    )


def element_at(bridge: Bridge, link: Link) -> Element:
    """
    The element, or its archived copy, by whomever it was archived; without content.

    Raises:
        Missing: There is neither.
        Rejected, Unreachable: Altinn 2 cannot be asked.
    """
    if link.archived_id is not None:
        return bridge.altinn2.read(
            replace(ElementKey.of(link.required_case), message_id=link.archived_id), content=False
        )
    try:
        return bridge.altinn2.read(ElementKey.of(link.required_case), content=False)
    except Missing:
        if (copy := copy_of(bridge, link)) is None:
            raise
        return bridge.altinn2.read(ElementKey.of(copy.case), content=False)


class ElementViews:
    """What can be shown of an element, or of its archived copy."""

    def level_missing(self, bridge: Bridge, mapping: ServiceMapping, *, level: int) -> Problem | None:
        """The problem where *level* is below what the service asks for at any step, as far as that is known."""
        return level_missing(bridge, mapping, None, level=level, ask=False)

    def element(self, bridge: Bridge, link: Link) -> Element:
        """The element without its content. Raises Refusal and UpstreamError."""
        with _shown(bridge, link, "element_gone", status=410):
            return element_at(bridge, link)

    def forms(self, bridge: Bridge, link: Link, element: Element) -> tuple[Form, ...]:
        """The forms that *element* holds. Raises Refusal and UpstreamError."""
        with _shown(bridge, link, "element_gone", status=410):
            return bridge.altinn2.read_contents(element, attached=False).forms

    def reference(self, element: Element) -> str | None:
        """The archive reference of an archived *element*."""
        return archive_reference(element.case.key)

    def listed_forms(self, bridge: Bridge, link: Link) -> tuple[Form, ...]:
        """The element's forms without their data. Raises Refusal and UpstreamError."""
        with bridge.rooms.looking.place(), _shown(bridge, link, "element_gone", status=410):
            return bridge.altinn2.list_forms(_place_of(bridge, link))

    def listed_attachments(self, bridge: Bridge, link: Link) -> tuple[ListedAttachment, ...]:
        """The element's attachments without their bytes. Raises Refusal and UpstreamError."""
        with _shown(bridge, link, "element_gone", status=410):
            there = bridge.altinn2.list_attachments(_place_of(bridge, link))
        return ElementAttachments(bridge, link.required_case, link.dialog_id, there=there).shown()

    def signing_text(self, bridge: Bridge, link: Link, *, language: str) -> str:
        """The text that who signs must have seen, without markup. Raises Refusal and UpstreamError."""
        with bridge.rooms.looking.place(), _shown(bridge, link, "nothing_to_sign", status=404):
            key = ElementKey.of(link.required_case)
            return text_of_html(bridge.altinn2.signing_text(key, language=LANGUAGES[language]))

    def print(self, bridge: Bridge, link: Link, *, language: str, chunks: bool) -> Print:
        """
        The element's print, or once it is archived its copy's: its head is here, the rest comes while it is read.

        Where Altinn 2 or the one who asks (without *chunks*, as in HTTP/1.0) could not tell its end from a cut, it is
        fetched to its end first.

        Raises:
            Refusal: There is none.
            UpstreamError: Altinn 2 could not be asked.
        """
        with _shown(bridge, link, "nothing_to_print", status=404):
            coming = bridge.altinn2.print(_place_of(bridge, link), language=LANGUAGES[language])
        media_type = coming.answer.headers.get("Content-Type", PDF).partition(";")[0].strip().lower()
        if not coming.open_ended and (chunks or coming.length is not None):
            return Print(coming, media_type, coming.length)
        content = _laid_down(coming, media_type)
        return Print(Laid(content), media_type, content.size)


def _laid_down(coming: StreamedAnswer, media_type: str) -> Content:
    """The whole of a print. Raises Unreachable where it broke off."""
    spool, last = Spool(), b""
    try:
        for piece in coming:
            spool.write(piece)
            last = (last + piece)[-_END:]
    finally:
        coming.close()
    if coming.open_ended and media_type == PDF and b"%%EOF" not in last:
        raise Unreachable("Altinn 2", "a print ended before its end")
    return spool.content()


@contextmanager
def _shown(bridge: Bridge, link: Link, missing: str, *, status: int) -> Iterator[None]:
    """Turn what Altinn 2 says into what who looks is told; what is not there is *missing*. Raises Refusal."""
    try:
        with within_reach(bridge, link.service_resource, link.required_case.owner):
            yield
    except Missing as error:
        raise Refusal(missing, status) from error
    except Rejected as error:
        raise refusal_of(error) from error
