"""The systems around the bridge, as a benchmark uses them: put in place, called directly, read back."""

import base64
import json
import os
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import requests

from benchmarks.load import Request
from bridge.adapters.http.session import new_session
from bridge.adapters.maskinporten.client import MaskinportenClient
from bridge.adapters.maskinporten.exchange import PlatformTokens
from bridge.adapters.maskinporten.keys import signing_key
from bridge.bundled import examples_folder
from bridge.core.ids import uuid7
from bridge.wiring import ALTINN2_SCOPES, DIALOGPORTEN_SCOPES, utc_now

SERVICE = "urn:altinn:resource:serveringsbevilling"
ORGANISATION = "310000019"
"""Invented, with a valid check digit; all elements and dialogs of a run are its."""
ACTION = "submit"
ATTACHMENT_BYTES = 5000

_HAL = "application/hal+json"
_LANGUAGE = {"language": "1044"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Button:
    """A button that can be pressed once: a dialog, the element behind it, and a dialog token for it."""

    dialog_id: UUID
    message_id: str
    token: str

    @property
    def press(self) -> Request:
        """The request that presses it."""
        return Request(
            method="POST",
            path=f"/actions/{self.dialog_id}/{ACTION}",
            headers={"Authorization": f"Bearer {self.token}"},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What was asked of other systems for one button: how many calls, and the seconds inside the sandbox."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a system remembers of one button."""

    archived: int
    patched: int


Interval = tuple[float, float]
"""When something began and when it ended, in seconds of one clock."""


class Outside:
    """The sandbox at *url*."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = new_session(pool=8)
        self.settings: Mapping[str, str] = self._control("GET", "/settings")
        self._maskinporten = MaskinportenClient(
            new_session(pool=2),
            authority_url=self.settings["BRIDGE_MASKINPORTEN_URL"],
            client_id=self.settings["BRIDGE_MASKINPORTEN_CLIENT_ID"],
            key=signing_key(self.settings["BRIDGE_MASKINPORTEN_KEY"]),
            clock=utc_now,
        )
        self._platform = PlatformTokens(
            new_session(pool=2),
            platform_url=self.settings["BRIDGE_PLATFORM_URL"],
            maskinporten=self._maskinporten,
            clock=utc_now,
        )
        self._form = (examples_folder() / "serveringsbevilling.xml").read_text("utf-8")
        self._control("POST", "/dialogporten/resources", {"service_resource": SERVICE})

    def buttons(self, count: int, *, bridge_url: str = "http://127.0.0.1:8080") -> list[Button]:
        """Put so many elements and dialogs in place; the buttons lead to *bridge_url*."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda _: self._button(bridge_url), range(count)))

    def forget_calls(self) -> None:
        """Empty the call log."""
        self._control("DELETE", "/calls")

    def upstream(self, buttons: Sequence[Button]) -> list[Upstream]:
        """What was asked of other systems for each of *buttons*, by the call log; fetching tokens is not in it."""
        return [
            Upstream(calls=len(calls), seconds=sum(each["milliseconds"] / 1000 for each in calls))
            for calls in self._calls(buttons)
        ]

    def intervals(self, buttons: Sequence[Button]) -> list[list[Interval]]:
        """From when to when each call took that was made for each of *buttons*."""
        return [[_interval(each) for each in calls] for calls in self._calls(buttons)]

    def delay(self, milliseconds: float) -> None:
        """Let every call take so long before its effect."""
        self._control("PATCH", "/switches", {"latency_ms": milliseconds})

    def _calls(self, buttons: Sequence[Button]) -> list[list[dict[str, Any]]]:
        archived = {each["message_id"]: each["original_id"] for each in self._ledger("altinn2.archived")}
        place = {name: index for index, each in enumerate(buttons) for name in (str(each.dialog_id), each.message_id)}
        calls: list[list[dict[str, Any]]] = [[] for _ in buttons]
        for call in self._control("GET", "/calls"):
            names = call["path"].split("/")
            index = next((place[n] for name in names if (n := archived.get(name, name)) in place), None)
            if index is not None:
                calls[index].append(call)
        return calls

    def kinds_of_calls(self) -> Counter[str]:
        """Count the calls in the log that concern elements and dialogs, by method and path template."""
        about = [call for call in self._control("GET", "/calls") if re.search("/(messages|dialogs)/", call["template"])]
        return Counter(f"{call['method']} {call['template']}" for call in about)

    def effects(self, buttons: Sequence[Button]) -> list[Effects]:
        """Count what Altinn 2 and Dialogporten remember of each of *buttons*."""
        archived = Counter(each["original_id"] for each in self._ledger("altinn2.archived"))
        patched = Counter(each["dialog_id"] for each in self._ledger("dialogporten.patch"))
        return [Effects(archived=archived[each.message_id], patched=patched[str(each.dialog_id)]) for each in buttons]

    def bare_calls(self, session: requests.Session, button: Button) -> float:
        """
        Make the calls that the first press of *button* makes, one after the other, with nothing between them.

        Gives the seconds between sending each and having its answer, added up.
        """
        waited = 0.0

        def ask(method: str, url: str, **options: Any) -> requests.Response:
            nonlocal waited
            response = session.request(method, url, timeout=30, allow_redirects=False, **options)
            response.raise_for_status()
            waited += response.elapsed.total_seconds()
            return response

        messages = f"{self.settings['BRIDGE_ALTINN2_URL']}/{ORGANISATION}/messages"
        message, dialog = f"{messages}/{button.message_id}", f"{self._dialogs}/{button.dialog_id}"
        keys = {"ApiKey": self.settings["BRIDGE_ALTINN2_API_KEY"], "Authorization": self._altinn2_token}
        hal = {**keys, "Accept": _HAL}
        owner = {"Accept": "application/json", "Authorization": self._owner_token}

        ask("GET", dialog, headers=owner)
        element = ask("GET", message, params={**_LANGUAGE, "markAsRead": "false"}, headers=hal).json()
        form = ask("GET", f"{message}/forms", params=_LANGUAGE, headers=hal).json()["_embedded"]["forms"][0]
        data = ask("GET", f"{message}/forms/{form['FormId']}/formdata", headers={**keys, "Accept": "application/xml"})
        attachments = ask("GET", f"{message}/attachments", params=_LANGUAGE, headers=hal).json()
        attachment = attachments["_embedded"]["attachments"][0]
        content = ask("GET", f"{message}/attachments/{_last(attachment)}", headers={**keys, "Accept": "*/*"}).content
        # The looks before the PUT: what changed since the first one would be overwritten, and what cannot be told to
        # its dialog is not sent.
        ask("GET", message, params={**_LANGUAGE, "markAsRead": "false"}, headers=hal)
        ask("GET", dialog, headers=owner)
        put = ask(
            "PUT",
            message,
            params={**_LANGUAGE, "complete": "true", "sign": "true"},
            headers={**hal, "Content-Type": _HAL},
            data=json.dumps(_put(element, form, data.text, attachment, content)),
        )
        archived = put.headers["Location"].rpartition("/")[2]
        copy = f"{messages}/{archived}"
        ask("GET", copy, params={**_LANGUAGE, "markAsRead": "false"}, headers=hal)
        kept = ask("GET", f"{copy}/forms", params=_LANGUAGE, headers=hal).json()["_embedded"]["forms"][0]
        ask("GET", f"{copy}/forms/{kept['FormId']}/formdata", headers={**keys, "Accept": "application/xml"})
        shown = ask("GET", dialog, headers=owner)
        ask(
            "PATCH",
            dialog,
            params={"isSilentUpdate": "true"},
            headers={**owner, "Content-Type": "application/json", "If-Match": shown.headers["Etag"]},
            data=json.dumps(_patch()),
        )
        return waited

    @property
    def _owner_token(self) -> str:
        # They last two minutes, less than a run; both are kept until shortly before they end.
        return f"Bearer {self._maskinporten.token(DIALOGPORTEN_SCOPES)}"

    @property
    def _altinn2_token(self) -> str:
        return f"Bearer {self._platform.token(ALTINN2_SCOPES)}"

    @property
    def _dialogs(self) -> str:
        return f"{self.settings['BRIDGE_DIALOGPORTEN_URL']}/api/v1/serviceowner/dialogs"

    def _button(self, bridge_url: str) -> Button:
        element = self._control(
            "POST",
            "/altinn2/elements",
            {
                "who": ORGANISATION,
                "service": {"code": "5701", "edition": 1},
                "forms": [{"data_format_id": "5801", "data_format_version": "42001", "xml": self._form}],
                "attachments": [
                    {
                        "file_name": "plan.pdf",
                        "attachment_type": "Plan",
                        "data": base64.b64encode(os.urandom(ATTACHMENT_BYTES)).decode(),
                    }
                ],
            },
        )
        dialog_id = uuid7(datetime.now(UTC), os.urandom(10))
        created = self._http.post(
            self._dialogs,
            json=_dialog(dialog_id, element["id"], bridge_url),
            headers={"Authorization": self._owner_token},
            timeout=30,
        )
        created.raise_for_status()
        token = self._control("POST", "/dialog-token", {"dialog_id": str(dialog_id)})["token"]
        return Button(dialog_id=dialog_id, message_id=element["id"], token=token)

    def _ledger(self, kind: str) -> Any:
        return self._control("GET", f"/ledger?kind={kind}")

    def _control(self, method: str, path: str, body: object = None) -> Any:
        response = self._http.request(method, f"{self.url}/_sandbox{path}", json=body, timeout=60)
        response.raise_for_status()
        return response.json() if response.content else None


def bare_loop(outside: Outside, buttons: Sequence[Button], *, threads: int) -> list[float]:
    """Press *buttons* without a bridge: the same calls from a loop, in so many threads, each with its own session."""
    here = threading.local()

    def press(button: Button) -> float:
        if not hasattr(here, "session"):
            here.session = new_session(pool=1)
        return outside.bare_calls(here.session, button)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(press, buttons))


def _dialog(dialog_id: UUID, message_id: str, bridge_url: str) -> dict[str, Any]:
    def text(value: str) -> list[dict[str, str]]:
        return [{"languageCode": "nb", "value": value}]

    return {
        "id": str(dialog_id),
        "serviceResource": SERVICE,
        "party": f"urn:altinn:organization:identifier-no:{ORGANISATION}",
        "status": "RequiresAttention",
        "content": {"title": {"value": text("Søknad om serveringsbevilling"), "mediaType": "text/plain"}},
        "guiActions": [
            {
                "action": "write",
                "url": f"{bridge_url}/actions/{dialog_id}/{ACTION}",
                "httpMethod": "POST",
                "priority": "Primary",
                "title": text("Send inn"),
            }
        ],
        "serviceOwnerContext": {
            "serviceOwnerLabels": [{"value": f"urn:altinn:integration:a2:message:{message_id}"}],
        },
    }


def _put(
    element: Mapping[str, Any], form: Mapping[str, Any], xml: str, attachment: Mapping[str, Any], content: bytes
) -> dict[str, Any]:
    return {
        "Type": "FormTask",
        "ServiceCode": element["ServiceCode"],
        "ServiceEdition": element["ServiceEdition"],
        "_embedded": {
            "forms": [
                {
                    "Type": form["Type"],
                    "DataFormatId": form["DataFormatId"],
                    "DataFormatVersion": form["DataFormatVersion"],
                    "FormData": xml,
                }
            ],
            "attachments": [
                {
                    "FileName": attachment["FileName"],
                    "AttachmentType": attachment["AttachmentType"],
                    "Data": base64.b64encode(content).decode(),
                }
            ],
        },
    }


def _patch() -> list[dict[str, Any]]:
    activity = {
        "id": str(uuid7(datetime.now(UTC), os.urandom(10))),
        "type": "FormSubmitted",
        "performedBy": {"actorType": "ServiceOwner"},
    }
    return [
        {"op": "replace", "path": "/status", "value": "Completed"},
        {"op": "remove", "path": "/guiActions/0"},
        {"op": "add", "path": "/activities/-", "value": activity},
    ]


def _interval(call: Mapping[str, Any]) -> Interval:
    ended = datetime.fromisoformat(call["time"]).timestamp()
    return ended - call["milliseconds"] / 1000, ended


def _last(entry: Mapping[str, Any]) -> str:
    return str(entry["_links"]["self"]["href"]).rstrip("/").rpartition("/")[2]
