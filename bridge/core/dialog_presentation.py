"""What a mapping says of a dialog, as Dialogporten takes it: texts within their limits, buttons with our own ids."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from bridge.core.dialogs import Actor, Field, Json, LinkOffer, Offer, actor_to_json, moment_to_json
from bridge.core.embeds import embed_url, reference
from bridge.core.ids import sibling_id
from bridge.core.lengths import units
from bridge.core.mapping import (
    ActionMapping,
    Dates,
    Embed,
    FormSource,
    Narrowed,
    ResultLink,
    ServiceMapping,
    Texts,
    Verb,
    Wording,
)
from bridge.core.templates import fill

LIMITS: Mapping[str, int] = {"title": 255, "summary": 255, "additionalInfo": 1023, "extendedStatus": 25}
"""The longest text of each content, in UTF-16 code units (facts/dialogporten.md 2.5)."""
TITLE_LIMIT = 255
URL_LIMIT = 1023

# What an address may take from a form: a number, a code, a reference. Words and addresses of people are none of these.
_FIT_FOR_URL = re.compile(r"[0-9A-Za-z._~-]{1,64}")
_IDENTITY = re.compile(r"(?<!\d)\d{6}[.-]?\d{5}(?!\d)")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

LANGUAGES = ("nb", "nn", "en")


def filled(texts: Texts | None, values: Mapping[str, str], *, limit: int) -> Mapping[str, str] | None:
    """
    Fill in a text in all its languages; None where a value is not known, or where it grows beyond *limit* code units.

    It is never cut: half an amount is another amount.
    """
    if texts is None:
        return None
    try:
        done = {language: fill(text, values) for language, text in texts.items()}
    except KeyError:
        return None
    return done if all(units(text) <= limit for text in done.values()) else None


def localized(texts: Mapping[str, str]) -> list[dict[str, str]]:
    """The texts as Dialogporten takes them."""
    return [{"languageCode": language, "value": value} for language, value in texts.items()]


def content_value(texts: Mapping[str, str]) -> dict[str, object]:
    """One content in plain text, as Dialogporten takes it."""
    return {"value": localized(texts), "mediaType": "text/plain"}


def wanted_fields(asked: Iterable[Wording], default: Wording, values: Mapping[str, str]) -> Mapping[str, Field]:
    """The fields that wordings say, by JSON pointer: the first of *asked* that says it, or else the default."""
    found: dict[str, Field] = {}
    for wording, by_mapping in (*((each, True) for each in asked), (default, False)):
        for pointer, value in _said(wording, values):
            found.setdefault(pointer, Field(value=value, asked=by_mapping))
    return found


def dates_of(asked: Sequence[Dates], at: datetime) -> Mapping[str, Field]:
    """The dates that the first of *asked* says, counted from *at*, by JSON pointer."""
    found: dict[str, Field] = {}
    for dates in asked:
        for pointer, days in (("/dueAt", dates.due), ("/expiresAt", dates.expires)):
            if days is not None:
                found.setdefault(pointer, Field(value=moment_to_json(at + timedelta(days=days)), asked=True))
    return found


def _said(wording: Wording, values: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    if wording.code is not None:
        yield "/extendedStatus", wording.code
    contents = {
        "extendedStatus": wording.extended_status,
        "title": wording.title,
        "summary": wording.summary,
        "additionalInfo": wording.additional_info,
    }
    for name, texts in contents.items():
        done = filled(texts, values, limit=LIMITS[name])
        # What an empty value leaves without a word cannot be said: Dialogporten takes no empty text.
        if done and all(text.strip() for text in done.values()):
            yield f"/content/{name}", content_value(done)


def own_ids(dialog_id: UUID, name: str) -> tuple[UUID, UUID]:
    """The ids of the button and the API action by which a dialog offers the action *name*."""
    return sibling_id(dialog_id, "button", name), sibling_id(dialog_id, "api", name)


def offer(dialog_id: UUID, action: ActionMapping, *, public_url: str) -> Offer | None:
    """How a dialog offers *action*; None where the mapping gives it no button."""
    button = action.button
    if button is None:
        return None
    button_id, api_id = own_ids(dialog_id, action.name)
    url = f"{public_url.rstrip('/')}/actions/{dialog_id}/{action.name}"
    method = "DELETE" if action.verb is Verb.DELETE else "POST"
    asked = action.requires.asks if isinstance(action.requires, Narrowed) else action.requires
    if asked is None:
        return None
    needed: dict[str, object] = {"action": asked.action}
    if asked.attribute is not None:
        needed["authorizationAttribute"] = asked.attribute
    shown: dict[str, object] | None = None
    if action.form is not FormSource.BODY:  # A button sends no form of its own.
        shown = {
            "id": str(button_id),
            **needed,
            "url": url,
            "httpMethod": method,
            "priority": button.priority.value,
            "title": localized(button.title),
            # Arbeidsflate offers it once the dialog lies in the bin (facts/dialogporten.md 5.3).
            **({"isDeleteDialogAction": True} if action.deletes_dialog else {}),
            **({} if button.prompt is None else {"prompt": localized(button.prompt)}),
        }
    api: Json | None = None
    if button.api or action.form is FormSource.BODY:
        endpoint = {
            "id": str(sibling_id(dialog_id, "endpoint", action.name)),
            "url": url,
            "httpMethod": method,
        }
        api = {
            "id": str(api_id),
            **needed,
            "name": action.name,
            "endpoints": [endpoint],
        }
    return Offer(name=action.name, button=shown, api_action=api)


def link_offers(
    dialog_id: UUID, action: str, links: Iterable[ResultLink], *, values: Mapping[str, str]
) -> tuple[LinkOffer, ...]:
    """
    Make the attachments that lead to pages about a result, each with the same id whenever it is made.

    One whose values are not known, or must not stand in an address, cannot be made: addresses lie in logs, histories
    and the referrers of pages, where nothing personal may be.
    """
    return tuple(_link_offer(dialog_id, action, link, values=values) for link in links)


def _link_offer(dialog_id: UUID, action: str, link: ResultLink, *, values: Mapping[str, str]) -> LinkOffer:
    own = sibling_id(dialog_id, "link", action, link.name)
    fit = {name: quote(value, safe="") for name, value in values.items() if fit_for_url(value)}
    title = filled(link.title, values, limit=TITLE_LIMIT)
    url = filled({"": link.url}, fit, limit=URL_LIMIT)
    if title is None or url is None or not all(text.strip() for text in title.values()):
        return LinkOffer(name=link.name, id=own, item=None)
    address = {
        "id": str(sibling_id(dialog_id, "link-url", action, link.name)),
        "url": url[""],
        "mediaType": link.media_type,
        "consumerType": "Gui",
    }
    return LinkOffer(name=link.name, id=own, item={"id": str(own), "displayName": localized(title), "urls": [address]})


def fit_for_url(value: str) -> bool:
    """Whether a value may stand in an address: one short code, and no national identity number."""
    # A UUID has runs of digits by chance.
    if _UUID.fullmatch(value):
        return True
    return _FIT_FOR_URL.fullmatch(value) is not None and _IDENTITY.search(value) is None


def receipt_of(
    mapping: ServiceMapping,
    dialog_id: UUID,
    values: Mapping[str, str],
    *,
    sender: Actor,
    created_at: datetime,
    public_url: str | None,
) -> tuple[Json, ...]:
    """
    Make the transmission that a submitted form is; none where the mapping has no receipt, or knows too little.

    It shows the receipt's embed where there are embeds, which come from *public_url*.
    """
    receipt = mapping.dialog.receipt
    title = None if receipt is None else filled(receipt.title, values, limit=TITLE_LIMIT)
    if receipt is None or title is None or "archived_id" not in values:
        return ()
    archived = values["archived_id"]
    transmission: dict[str, object] = {
        "id": str(sibling_id(dialog_id, "receipt", archived)),
        "createdAt": moment_to_json(created_at),
        "type": "Submission",
        "sender": actor_to_json(sender),
        "content": {"title": content_value(title), **_shown(mapping, dialog_id, public_url)},
    }
    if "archive_reference" in values:
        transmission["externalReference"] = values["archive_reference"]
    if receipt.url is not None:
        try:
            url = fill(receipt.url, values)
        except KeyError:
            return (transmission,)
        transmission["attachments"] = [
            {
                "id": str(sibling_id(dialog_id, "receipt-page", archived)),
                "displayName": localized(title),
                "urls": [{"url": url, "mediaType": "text/html", "consumerType": "Gui"}],
            }
        ]
    return (transmission,)


def _shown(mapping: ServiceMapping, dialog_id: UUID, public_url: str | None) -> Mapping[str, object]:
    if mapping.embeds is None or public_url is None:
        return {}
    return {"contentReference": reference(embed_url(public_url, dialog_id, Embed.RECEIPT))}
