"""Who acts in the demo: the service owner who puts a case in place, and Arbeidsflate, where somebody presses."""

import base64
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any
from uuid import UUID

import requests

from bridge.adapters.dialogporten.sse import events
from bridge.adapters.http.session import new_session
from bridge.adapters.maskinporten.client import MaskinportenClient
from bridge.adapters.maskinporten.keys import signing_key
from bridge.cli.demo.stage import DemoFailed, Stage
from bridge.cli.demo.timeline import ARBEIDSFLATE, BRIDGE, DIALOGPORTEN, Line, Timeline
from bridge.config.mapping_states import ARCHIVED, DELETED, FORM_FILLING, SIGNING
from bridge.core.ids import uuid7

RESOURCE = "urn:altinn:resource:serveringsbevilling"
SERVICE = {"code": "5701", "edition": 1, "name": "Serveringsbevilling", "owner": "Prøvestad kommune"}
FORM = {"type": "MainForm", "data_format_id": "5801", "data_format_version": "42001", "name": "Søknad"}
PDF = b"%PDF-1.4\n% Plan of premises that do not exist.\n" + bytes(range(256)) * 20 + b"\n%%EOF\n"
GUIDE = "https://veiledning.example/servering"
STATUS: Mapping[str, str] = {
    "formfilling": FORM_FILLING,
    "signing": SIGNING,
    "archived": ARCHIVED,
    "deleted": DELETED,
}
"""The states of the sandbox's control API, in Altinn 2's words."""
Texts = list[dict[str, str]]


def texts(nb: str, nn: str, en: str) -> Texts:
    """A text in three languages, as Dialogporten has it."""
    return [{"languageCode": code, "value": value} for code, value in (("nb", nb), ("nn", nn), ("en", en))]


def in_language(given: Texts, language: str) -> str:
    """Choose a text; the first where there is none in *language*."""
    return next((each["value"] for each in given if each["languageCode"] == language), given[0]["value"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An Altinn 2 element and the dialog that stands for it."""

    element_id: str
    dialog_id: str


class ServiceOwner:
    """Puts cases in place, by the sandbox's own API and by Dialogporten's service-owner API."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._session = new_session(pool=1, user_agent="demo-service-owner/1.0")
        self.organisation = stage.world.new_organisation().number
        self.party = f"urn:altinn:organization:identifier-no:{self.organisation}"

    def begin(self) -> None:
        """Own the service resource, and get a token from Maskinporten."""
        self._control("POST", "/dialogporten/resources", {"service_resource": RESOURCE})
        environment = self._stage.environment
        client = MaskinportenClient(
            self._session,
            authority_url=environment["BRIDGE_MASKINPORTEN_URL"],
            client_id=environment["BRIDGE_MASKINPORTEN_CLIENT_ID"],
            key=signing_key(environment["BRIDGE_MASKINPORTEN_KEY"]),
            clock=self._stage.world.clock,
        )
        self._session.headers["Authorization"] = f"Bearer {client.token(['digdir:dialogporten.serviceprovider'])}"

    def put_in_place(self, form: str) -> Case:
        """
        Make an element under completion and its dialog.

        Raises:
            DemoFailed: One of them was refused, as when *form* is not well-formed XML.
        """
        attachment = {"file_name": "plan.pdf", "attachment_type": "Plan", "data": base64.b64encode(PDF).decode()}
        element = self._control(
            "POST",
            "/altinn2/elements",
            {
                "who": self.organisation,
                "service": SERVICE,
                "forms": [{**FORM, "xml": form}],
                "attachments": [attachment],
                "subject": "Søknad om serveringsbevilling",
            },
        )
        dialog_id = uuid7(self._stage.world.clock(), os.urandom(10))
        url = f"{self._stage.environment['BRIDGE_DIALOGPORTEN_URL']}/api/v1/serviceowner/dialogs"
        answer = self._session.post(url, json=self._dialog(dialog_id, element["id"]), timeout=10)
        if answer.status_code != 201:
            raise DemoFailed(f"Dialogporten did not take the dialog: {answer.status_code} {answer.text}")
        return Case(element_id=element["id"], dialog_id=str(dialog_id))

    def element(self, case: Case) -> Mapping[str, object]:
        """Look at the element as the sandbox holds it, archived or not."""
        return self._control("GET", f"/altinn2/elements/{case.element_id}")

    def end_user_token(self) -> str:
        """Log somebody in who may read and write for the party."""
        body = {"party": self.party, "actions": ["read", "write"]}
        return str(self._control("POST", "/enduser-token", body)["token"])

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _dialog(self, dialog_id: UUID, element_id: str) -> dict[str, object]:
        plain = "text/plain"
        title = texts("Søknad om serveringsbevilling", "Søknad om serveringsløyve", "Application to serve food")
        summary = texts(
            "Søknaden er fylt ut og kan sendes inn.",
            "Søknaden er fylt ut og kan sendast inn.",
            "The application is filled in and can be sent.",
        )
        submit = {
            "action": "write",
            "url": f"{self._stage.bridge_url}/actions/{dialog_id}/submit",
            "httpMethod": "POST",
            "priority": "Primary",
            "title": texts("Send inn", "Send inn", "Submit"),
            "prompt": texts("Vil du sende inn søknaden?", "Vil du sende inn søknaden?", "Send the application?"),
        }
        guide = {
            "action": "read",
            "url": GUIDE,
            "httpMethod": "GET",
            "priority": "Secondary",
            "title": texts("Les veiledningen", "Les rettleiinga", "Read the guide"),
        }
        return {
            "id": str(dialog_id),
            "serviceResource": RESOURCE,
            "party": self.party,
            "status": "RequiresAttention",
            "content": {
                "title": {"value": title, "mediaType": plain},
                "summary": {"value": summary, "mediaType": plain},
            },
            "guiActions": [submit, guide],
            "serviceOwnerContext": {
                "serviceOwnerLabels": [{"value": f"urn:altinn:integration:a2:message:{element_id}"}]
            },
        }

    def _control(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        url = f"{self._stage.sandbox_url}/_sandbox{path}"
        answer = self._session.request(method, url, json=body, timeout=10)
        if not answer.ok:
            raise DemoFailed(f"The sandbox refused {method} {path}: {answer.text}")
        found: dict[str, object] = answer.json() if answer.content else {}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A GUI action as the end user sees it."""

    title: str
    method: str
    url: str
    prompt: str | None

    @property
    def presses(self) -> bool:
        """Whether it is a write action: the others are links."""
        return self.method != "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """A dialog as the end user reads it; *token* is new with each read."""

    id: str
    status: str
    buttons: tuple[Button, ...]
    activities: tuple[str, ...]
    """Their types."""
    told: tuple[str, ...]
    """What those of type Information say."""
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the bridge answered; *problem* is its problem document. *cors* says whether a browser would show it."""

    sent_at: datetime
    began: float
    status: int
    milliseconds: float
    cors: bool
    problem: Mapping[str, Any] | None


class Arbeidsflate:
    """Does over HTTP what Arbeidsflate does in a browser (facts/dialogporten.md 5.3)."""

    def __init__(self, stage: Stage, token: str, *, language: str) -> None:
        self._dialogporten = stage.environment["BRIDGE_DIALOGPORTEN_URL"]
        self._origin = stage.environment["BRIDGE_ALLOWED_ORIGINS"].partition(",")[0]
        self._token, self._language = token, language
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = "demo-arbeidsflate/1.0"

    def read(self, dialog_id: str) -> Dialog:
        """
        The dialog as its user sees it.

        Raises:
            DemoFailed: Dialogporten did not show it.
        """
        url = f"{self._dialogporten}/api/v1/enduser/dialogs/{dialog_id}"
        answer = self._session.get(url, headers=_bearer(self._token), timeout=10)
        if answer.status_code != 200:
            raise DemoFailed(f"Dialogporten did not show the dialog: {answer.status_code} {answer.text}")
        return self._dialog(answer.json())

    def subscribe(self, dialog: Dialog, timeline: Timeline) -> "Subscription":
        """Ask to be told when the dialog changes: GraphQL over server-sent events (facts/dialogporten.md 4.3)."""
        # The id must stand in the query itself: a variable is refused.
        query = f'subscription sub {{ dialogEvents(dialogId: "{dialog.id}") {{ id type }} }}'
        answer = self._session.post(
            f"{self._dialogporten}/graphql/stream",
            json={"query": query, "variables": {}, "operationName": "sub"},
            headers={**_bearer(dialog.token), "Accept": "text/event-stream"},
            stream=True,
            timeout=30,
        )
        if answer.status_code != 200:
            raise DemoFailed(f"Dialogporten refused the subscription: {answer.status_code} {answer.text}")
        return Subscription(answer, dialog.id, timeline)

    def ask_first(self, button: Button, timeline: Timeline) -> bool:
        """Send the browser's preflight, and say whether a browser would go on (facts/dialogporten.md 5.4)."""
        began, at = time.perf_counter(), timeline.now()
        answer = self._session.options(
            button.url,
            headers={
                "Origin": self._origin,
                "Access-Control-Request-Method": button.method,
                "Access-Control-Request-Headers": "authorization",
            },
            timeout=10,
        )
        took = (time.perf_counter() - began) * 1000
        line = Line(
            at=at, who=ARBEIDSFLATE, whom=BRIDGE, what="OPTIONS preflight", status=answer.status_code, milliseconds=took
        )
        timeline.add(line)
        methods = _listed(answer, "Access-Control-Allow-Methods")
        headers = _listed(answer, "Access-Control-Allow-Headers")
        return (
            answer.status_code in (200, 204)
            and self._shown(answer)
            and button.method.lower() in methods
            and "authorization" in headers
        )

    def press(self, button: Button, token: str, timeline: Timeline) -> Answer:
        """Do what ``fetch`` does: the bearer token, no body, no content type."""
        at, began = timeline.now(), time.perf_counter()
        timeline.add(Line(at=at, who=ARBEIDSFLATE, whom=BRIDGE, what=f"{button.method} …/submit, dialog token"))
        timeline.pressed_at = at
        answer = self._session.request(
            button.method,
            button.url,
            headers={
                **_bearer(token),
                "Accept": "application/json",
                "Accept-Language": self._language,
                "Origin": self._origin,
            },
            timeout=30,
        )
        took = (time.perf_counter() - began) * 1000
        timeline.add(
            Line(
                at=timeline.now(),
                who=BRIDGE,
                whom=ARBEIDSFLATE,
                what="answer",
                status=answer.status_code,
                milliseconds=took,
            )
        )
        return Answer(
            sent_at=at,
            began=began,
            status=answer.status_code,
            milliseconds=took,
            cors=self._shown(answer),
            problem=_problem(answer),
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _shown(self, answer: requests.Response) -> bool:
        return answer.headers.get("Access-Control-Allow-Origin") == self._origin

    def _dialog(self, body: Mapping[str, Any]) -> Dialog:
        activities = body.get("activities", [])
        return Dialog(
            id=body["id"],
            status=body["status"],
            buttons=tuple(
                Button(
                    title=in_language(each["title"], self._language),
                    method=each["httpMethod"],
                    url=each["url"],
                    prompt=in_language(each["prompt"], self._language) if each.get("prompt") else None,
                )
                for each in body.get("guiActions", [])
            ),
            activities=tuple(each["type"] for each in activities),
            told=tuple(
                in_language(each["description"], self._language) for each in activities if each.get("description")
            ),
            token=body["dialogToken"],
        )


class Subscription:
    """An open stream of a dialog's events, read by a thread until the first ``DIALOG_UPDATED``."""

    def __init__(self, answer: requests.Response, dialog_id: str, timeline: Timeline) -> None:
        self._answer, self._dialog_id, self._timeline = answer, dialog_id, timeline
        self._heard = threading.Event()
        self._heard_at = 0.0
        self._thread = threading.Thread(target=self._listen, name="demo-events", daemon=True)

    @property
    def heard(self) -> bool:
        """Whether the event came."""
        return self._heard.is_set()

    def since(self, began: float) -> float | None:
        """How many milliseconds after *began* (of ``perf_counter``) the event came; None if it did not."""
        return (self._heard_at - began) * 1000 if self.heard else None

    def __enter__(self) -> "Subscription":
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave. A thread that still listens ends with the sandbox."""
        if self.heard:
            self._thread.join()

    def _listen(self) -> None:
        try:
            for event in events(self._answer.iter_content(None)):
                if event.kind == "next" and self._is_ours(json.loads(event.data)):
                    self._heard_at = time.perf_counter()
                    at = self._timeline.now()
                    self._timeline.add(Line(at=at, who=DIALOGPORTEN, whom=ARBEIDSFLATE, what="event DIALOG_UPDATED"))
                    self._heard.set()
                    return
        except requests.RequestException:
            return  # The sandbox ended first.
        finally:
            self._answer.close()

    def _is_ours(self, message: Mapping[str, Any]) -> bool:
        return bool(message["data"]["dialogEvents"] == {"id": self._dialog_id, "type": "DIALOG_UPDATED"})


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _listed(answer: requests.Response, name: str) -> set[str]:
    return {each.strip().lower() for each in answer.headers.get(name, "").split(",")}


def _problem(answer: requests.Response) -> Mapping[str, object] | None:
    if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return None
    document: dict[str, object] = answer.json()
    return document
