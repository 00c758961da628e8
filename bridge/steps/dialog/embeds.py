"""What a dialog shows in its middle, as Markdown: the form, the text that is signed, the receipt."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from bridge.core.cases import CaseStatus
from bridge.core.elements import Element, Form
from bridge.core.embeds import WORDS, Words, told_moment
from bridge.core.errors import ConfigurationError
from bridge.core.mapping import Embed, Embeds, FormKind, ServiceMapping
from bridge.core.markdown import LIMIT, escaped, lines, paragraphs, within
from bridge.core.operations import Link
from bridge.core.problems import Refusal
from bridge.forms.conversion.model import ElementDecl
from bridge.forms.showing import Shown, shown_form, shown_places
from bridge.forms.xml.input import Unreadable
from bridge.parts import Bridge
from bridge.steps.forms.request_body import converter_of
from bridge.storage.print_links import PrintLink, PrintLinks

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)

_RULE = "\n* * *\n"


class EmbedViews(Protocol):
    """What an embed shows of the case of a dialog. Each method raises Refusal and UpstreamError."""

    def element(self, bridge: Bridge, link: Link) -> Element:
        """The case without its content, wherever it stands."""

    def forms(self, bridge: Bridge, link: Link, element: Element) -> tuple[Form, ...]:
        """The forms that it holds."""

    def reference(self, element: Element) -> str | None:
        """What people know an archived copy by; None where there is nothing."""

    def signing_text(self, bridge: Bridge, link: Link, *, language: str) -> str:
        """The text that who signs must have seen; Refusal ``nothing_to_sign`` where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedRequest:
    """Of which case an embed is asked for, and how it is told."""

    mapping: ServiceMapping
    link: Link
    views: EmbedViews
    language: str
    zone: ZoneInfo


def markdown_of(bridge: Bridge, wanted: EmbedRequest, embed: Embed) -> str | None:
    """
    The Markdown of an embed; None where there is nothing to show now.

    Raises:
        Refusal: There is no such embed, or no element.
        UpstreamError: Altinn 2 could not be asked.
    """
    if wanted.mapping.embeds is None or embed is Embed.NONE:
        raise Refusal("unknown_embed", 404)
    parts = _parts(bridge, wanted, wanted.mapping.embeds, embed=embed)
    text = within(parts, limit=LIMIT, more=f"*{escaped(WORDS[wanted.language].more)}*")
    return text if text.strip() else None


def _parts(bridge: Bridge, wanted: EmbedRequest, embeds: Embeds, *, embed: Embed) -> Iterable[str]:
    if embed is Embed.SIGNING_TEXT:
        return _signing_text(bridge, wanted)
    element = wanted.views.element(bridge, wanted.link)
    if embed is Embed.SUMMARY:
        return _Summary(bridge, wanted, embeds).of(element)
    return _receipt(bridge, wanted, element) if element.state is CaseStatus.ARCHIVED else ()


def print_link(bridge: Bridge, dialog_id: UUID, *, language: str) -> tuple[str, datetime]:
    """Make an address that opens the print of a dialog's element once, without a token, and say until when."""
    secret, now = bridge.new_secret(), bridge.clock()
    link = PrintLink(
        digest=_digest(secret),
        dialog_id=dialog_id,
        language=language,
        expires_at=now + timedelta(seconds=bridge.settings.print_link),
    )
    with bridge.store.transaction() as tx:
        PrintLinks(tx).add(link, now=now)
    return f"{(bridge.settings.public_url or '').rstrip('/')}/prints/{quote(secret, safe='')}", link.expires_at


def use_print_link(bridge: Bridge, secret: str) -> tuple[PrintLink, Link]:
    """Use a link up. Raises Refusal 410 for one that was used, is too old, or never was."""
    with bridge.store.transaction() as tx:
        used = PrintLinks(tx).take(_digest(secret), now=bridge.clock())
        link = None if used is None else tx.link(used.dialog_id)
    if used is None or link is None:
        raise Refusal("print_link_used", 410)
    return used, link


def give_back(bridge: Bridge, link: PrintLink) -> None:
    """Let a link be used again for what is left of its time: it gave nothing."""
    now = bridge.clock()
    if link.expires_at > now:
        with bridge.store.transaction() as tx:
            PrintLinks(tx).add(link, now=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _signing_text(bridge: Bridge, wanted: EmbedRequest) -> Iterator[str]:
    try:
        text = wanted.views.signing_text(bridge, wanted.link, language=wanted.language)
    except Refusal as refusal:
        if refusal.code != "nothing_to_sign":
            raise
        return
    for each in paragraphs(text):
        yield f"{each}\n"


def _receipt(bridge: Bridge, wanted: EmbedRequest, element: Element) -> Iterator[str]:
    words = WORDS[wanted.language]
    sent = told_moment(element.last_changed, language=wanted.language, zone=wanted.zone)
    yield f"- **{words.sent}:** {escaped(sent)}"
    reference = wanted.views.reference(element)
    if reference is not None:
        yield f"- **{words.reference}:** {escaped(reference)}"
    yield from _attachments(element, words)
    if bridge.settings.public_url is not None:
        address, _ = print_link(bridge, wanted.link.dialog_id, language=wanted.language)
        yield f"\n[{escaped(words.print)}](<{address}>)"


def _attachments(element: Element, words: Words) -> Iterator[str]:
    names = [each.name for each in element.listed_attachments or ()]
    if names:
        yield f"\n## {words.attachments}\n"
        yield from (f"- {escaped(name)}" for name in names)


class _Summary:
    """Writes the forms of an element, the main form first."""

    def __init__(self, bridge: Bridge, wanted: EmbedRequest, embeds: Embeds) -> None:
        self._bridge, self._wanted, self._embeds = bridge, wanted, embeds
        self._language, self._zone, self._words = wanted.language, wanted.zone, WORDS[wanted.language]

    def of(self, element: Element) -> Iterator[str]:
        """The lines, read and made one by one."""
        forms = self._wanted.views.forms(self._bridge, self._wanted.link, element)
        shown = [each for each in forms if each.kind is FormKind.MAIN or not self._embeds.fields]
        for form in sorted(shown, key=lambda each: each.kind is not FormKind.MAIN):
            if form.kind is not FormKind.MAIN:
                yield _RULE
            yield from self._form(form)
        yield from _attachments(element, self._words)

    def _form(self, form: Form) -> Iterator[str]:
        limits = self._bridge.schemas.limits
        place, wanted = self._place(form), [(each.at, each.label) for each in self._embeds.fields]
        shown = shown_places(form.data, place, wanted, limits=limits) if wanted else None
        below_heading = False
        try:
            for each in shown_form(form.data, place, limits=limits) if shown is None else shown:
                if each.depth == 0 and each.value is not None and below_heading:
                    # It belongs to the form, and not to the part before it.
                    yield _RULE
                below_heading = each.depth > 0 or each.value is None
                yield self._line(each)
        except Unreadable:
            log.warning("a form cannot be shown: it is no XML that we take")

    def _place(self, form: Form) -> ElementDecl | None:
        spec = self._wanted.mapping.form_spec(form.kind, form.data_format_id, form.data_format_version)
        if spec is None or spec.schema is None:
            return None
        try:
            return converter_of(self._bridge, spec).root
        except ConfigurationError:
            return None  # Its names do without the schema.

    def _line(self, shown: Shown) -> str:
        label = escaped(self._label(shown.labels) or shown.name)
        if shown.value is None and shown.depth == 0:
            return f"\n## {label}\n"
        indent = "  " * max(0, shown.depth - 1)
        if shown.value is None:
            return f"{indent}- **{label}**"
        return f"{indent}- **{label}:** {lines(self._value(shown, shown.value), indent=indent + '  ')}"

    def _label(self, labels: Mapping[str, str]) -> str | None:
        # Norwegian schemas mostly do not say that they are.
        for language in dict.fromkeys(
            (self._language, *({"nn": ("nb",), "nb": ("nn",)}.get(self._language, ())), "no", "")
        ):
            if language in labels:
                return labels[language]
        return None

    def _value(self, shown: Shown, value: str) -> str:
        text = value.strip()
        if shown.boolean:
            return self._words.yes if text in ("true", "1") else self._words.no
        if _MOMENT.fullmatch(text):
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                return text
            return told_moment(moment, language=self._language, zone=self._zone)
        return text
