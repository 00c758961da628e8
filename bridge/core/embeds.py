"""What a dialog shows in its middle: which embed in which state, and the words of each (facts/dialogporten.md 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from bridge.core.cases import CaseStatus
from bridge.core.dialogs import Field
from bridge.core.mapping import Embed, ServiceMapping

MEDIA_TYPE = "application/vnd.dialogporten.frontchannelembed-url;type=text/markdown"
PLACE = "/content/mainContentReference"

SHOWN: Mapping[CaseStatus, Embed] = {
    CaseStatus.FORM_FILLING: Embed.SUMMARY,
    CaseStatus.SIGNING: Embed.SIGNING_TEXT,
    CaseStatus.ARCHIVED: Embed.RECEIPT,
    CaseStatus.DELETED: Embed.NONE,
}
"""What a dialog shows where its mapping has ``embeds`` and says nothing else; in other states it stays as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The headings of embeds in one language; *moment* is a format of ``strftime``."""

    sent: str
    reference: str
    attachments: str
    more: str
    print: str
    yes: str
    no: str
    moment: str


WORDS: Mapping[str, Words] = {
    "nb": Words(
        sent="Sendt inn",
        reference="Referanse",
        attachments="Vedlegg",
        more="Ikke alt får plass her. Se hele skjemaet i Altinn.",
        print="Last ned som PDF",
        yes="Ja",
        no="Nei",
        moment="%d.%m.%Y kl. %H.%M",
    ),
    "nn": Words(
        sent="Sendt inn",
        reference="Referanse",
        attachments="Vedlegg",
        more="Ikkje alt får plass her. Sjå heile skjemaet i Altinn.",
        print="Last ned som PDF",
        yes="Ja",
        no="Nei",
        moment="%d.%m.%Y kl. %H.%M",
    ),
    "en": Words(
        sent="Submitted",
        reference="Reference",
        attachments="Attachments",
        more="There is no room for all of it here. See the whole form in Altinn.",
        print="Download as PDF",
        yes="Yes",
        no="No",
        moment="%d.%m.%Y at %H:%M",
    ),
}


def embed_url(public_url: str, dialog_id: UUID, embed: Embed) -> str:
    """Where an embed is fetched."""
    return f"{public_url.rstrip('/')}/embeds/{dialog_id}/{embed.value}"


def reference(url: str) -> dict[str, object]:
    """The content that leads to an embed, whose language is asked for when it is fetched."""
    return {"value": [{"languageCode": language, "value": url} for language in WORDS], "mediaType": MEDIA_TYPE}


def main_content(
    mapping: ServiceMapping, dialog_id: UUID, state: CaseStatus, *, public_url: str | None
) -> Mapping[str, Field]:
    """What a dialog shows in its middle while its element is in *state*, by JSON pointer; what others put stays."""
    rule = mapping.states.get(state)
    said = None if rule is None else rule.main_content
    embed = SHOWN.get(state) if said is None else said
    if mapping.embeds is None or public_url is None or embed is None:
        return {}
    if embed is Embed.NONE:
        return {PLACE: Field(value=None, asked=False)}
    return {PLACE: Field(value=reference(embed_url(public_url, dialog_id, embed)), asked=said is not None)}


def told_moment(moment: datetime, *, language: str, zone: ZoneInfo) -> str:
    """The moment as people read it."""
    return moment.astimezone(zone).strftime(WORDS[language].moment)
