"""What a person must be able to see of the element behind a button: its forms, its print, the text that is signed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import structlog

from bridge.adapters.altinn2.streams import Spool
from bridge.core.altinn2_errors import problem_for
from bridge.core.elements import Content, ElementKey, Form
from bridge.core.errors import Missing, Refusal, Rejected
from bridge.core.operations import Link
from bridge.parts import Bridge

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

LANGUAGES = {"nb": "1044", "nn": "2068", "en": "1033"}


@dataclass(frozen=True, slots=True)
class Print:
    """A print of an element, and what kind of document it is."""

    content: Content
    media_type: str


def forms_of(bridge: Bridge, link: Link) -> tuple[Form, ...]:
    """List the element's forms without their data. Raises Refusal and UpstreamError."""
    with _explained("element_gone", 410):
        return bridge.altinn2.list_forms(link.key)


def print_of(bridge: Bridge, link: Link, *, language: str) -> Print:
    """
    Fetch the element's print, or once it is archived its copy's; a large one lies on disk.

    It is fetched to its end first, so that nobody takes half of it for the whole.

    Raises:
        Refusal: There is none.
        UpstreamError: Altinn 2 could not be asked.
    """
    spool = Spool()
    with _explained("nothing_to_print", 404):
        media_type = bridge.altinn2.print(_where(link), spool.write, language=LANGUAGES[language])
    return Print(spool.content(), media_type.partition(";")[0].strip().lower())


def signing_text_of(bridge: Bridge, link: Link, *, language: str) -> str:
    """Give the text that who signs must have seen. Raises Refusal and UpstreamError."""
    with _explained("nothing_to_sign", 404):
        return bridge.altinn2.signing_text(link.key, language=LANGUAGES[language])


def _where(link: Link) -> ElementKey:
    return link.key if link.archived_id is None else replace(link.key, message_id=link.archived_id)


@contextmanager
def _explained(missing: str, status: int) -> Iterator[None]:
    try:
        yield
    except Missing as error:
        raise Refusal(missing, status) from error
    except Rejected as error:
        log.warning("refused by Altinn 2", reason=error.reason, detail=error.detail)
        problem = problem_for(error.reason)
        raise Refusal(problem.code, problem.status) from error
