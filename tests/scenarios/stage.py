"""A whole bridge in this process: its real app, store, engine and clients, with the sandbox behind, without sockets."""

import base64
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
from requests.adapters import BaseAdapter
from werkzeug.test import TestResponse

from bridge.bundled import examples_folder
from bridge.config.settings import Settings
from bridge.core.ids import uuid7
from bridge.core.operations import Operation
from bridge.sandbox.control import settings as sandbox_settings
from bridge.sandbox.in_process import SandboxAdapter
from bridge.sandbox.world import World
from bridge.web.app import create_app
from bridge.wiring import Overrides, prepare_database, wire
from bridge.worker import WorkerProcess
from tests.judge import Judge, documents

BASE = "http://127.0.0.1:9"
RESOURCE = "urn:altinn:resource:serveringsbevilling"
ORGANISATION = "urn:altinn:organization:identifier-no:"
VALID = (examples_folder() / "serveringsbevilling.xml").read_text("utf-8")
FAULTY = (examples_folder() / "serveringsbevilling-with-faults.xml").read_text("utf-8")
ORIGIN = "https://af.sandbox.example"


def until(true: Callable[[], bool], *, seconds: float = 20) -> None:
    """Wait for something that another thread or process does; fails when it does not happen."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An element under completion and the dialog that stands for it."""

    dialog_id: UUID
    message_id: str
    who: str

    @property
    def party(self) -> str:
        return f"{ORGANISATION}{self.who}"


JUDGE = Judge(documents())
"""Listens to every exchange with the sandbox's Dialogporten; see conftest.py."""


class Stage:
    """Everything wired; *environ* overrides settings."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.world = World(lambda: datetime.now(UTC), 7)
        self._signing_steps = 0
        self.outside = requests.Session()
        self.outside.trust_env = False
        self.outside.mount("http://", SandboxAdapter(self.world, BASE))
        self.environ = {
            **sandbox_settings(self.world, BASE),
            "BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite",
            "BRIDGE_ALLOWED_ORIGINS": ORIGIN,
            "BRIDGE_ANSWER_WITHIN": "10",
            "BRIDGE_ALTINN2_SETTLE": "0.2",
            "BRIDGE_ALTINN2_LATE": "0.2",
            "BRIDGE_RETRY_FIRST": "0.1",
            **environ,
        }
        self.settings = Settings.from_environ(self.environ)
        prepare_database(self.settings)
        adapter = SandboxAdapter(self.world, BASE)
        judged: Any = JUDGE.around(adapter._app)
        adapter._app = judged
        mounts: Mapping[str, BaseAdapter] = {"http://": adapter}
        self._running = WorkerProcess(wire(self.settings, Overrides(mounts=mounts)))
        self.bridge = self._running.bridge
        self.bridge.keys.start()
        self.client = create_app(self.bridge).test_client()
        self._running.start()
        self.control("POST", "/dialogporten/resources", {"service_resource": RESOURCE})

    def stop(self) -> None:
        self._running.stop()
        self.bridge.queue.close()
        self.bridge.store.engine.dispose()

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.outside.request(method, f"{BASE}/_sandbox{path}", json=body, timeout=5)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def fault(self, system: str, method: str, path: str, **how: Any) -> None:
        """Let the next matching call go wrong; *how* as in the sandbox's control API, ``times`` and ``skip`` beside."""
        plan = {name: how.pop(name) for name in ("times", "skip") if name in how}
        fault = {"system": system, "match": {"method": method, "path": path}, "how": how, **plan}
        self.control("POST", "/faults", fault)

    def case(self, xml: str = VALID, *, service: Mapping[str, Any] | None = None, **element: Any) -> Case:
        who = self.world.new_organisation().number
        steps = (service or {}).get("signing_steps", 0)
        if steps != self._signing_steps:
            # A service does not change its process; here one service stands for several.
            self._signing_steps, self.bridge.services._known = steps, {}
        seeded = self.control(
            "POST",
            "/altinn2/elements",
            {
                "who": who,
                "service": {"code": "5701", "edition": 1, **(service or {})},
                "forms": [{"data_format_id": "5801", "data_format_version": "42001", "xml": xml}],
                "attachments": [
                    {
                        "file_name": "plan.pdf",
                        "attachment_type": "Plan",
                        "data": base64.b64encode(b"%PDF-1.7 plan").decode(),
                    }
                ],
                **element,
            },
        )
        return self.dialog_for(seeded["message_id"], who)

    def dialog_for(self, message_id: str, who: str, *, scopes: Sequence[str] = (), **about: Any) -> Case:
        """The dialog of an element; with *scopes*, made by one who has more than the agency."""
        dialog_id = uuid7(self.bridge.clock(), self.world.chance.uuid4().bytes)
        buttons = [
            {
                "action": "sign" if name == "sign" else "write",
                "url": f"https://bridge.example.no/actions/{dialog_id}/{name}",
                "httpMethod": "POST",
                "priority": priority,
                "title": [{"languageCode": "nb", "value": name}],
            }
            for name, priority in (("submit", "Primary"), ("send-to-signing", "Secondary"), ("sign", "Tertiary"))
        ]
        other = {
            "action": "read",
            "url": "https://other.example.no/help",
            "httpMethod": "GET",
            "priority": "Tertiary",
            "title": [{"languageCode": "nb", "value": "Hjelp"}],
        }
        body = {
            "id": str(dialog_id),
            "serviceResource": RESOURCE,
            "party": f"{ORGANISATION}{who}",
            "status": "RequiresAttention",
            "content": {"title": {"value": [{"languageCode": "nb", "value": "Søknad"}], "mediaType": "text/plain"}},
            "guiActions": [*buttons, other],
            "serviceOwnerContext": {
                "serviceOwnerLabels": [{"value": f"urn:altinn:integration:a2:message:{message_id}"}]
            },
            **about,
        }
        if scopes:
            self.control("POST", "/dialogporten/dialogs?" + "&".join(f"scope={each}" for each in scopes), body)
        else:
            answer = self.as_owner("POST", "", body)
            assert answer.status_code == 201, answer.text
        return Case(dialog_id=dialog_id, message_id=message_id, who=who)

    def as_owner(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Call Dialogporten as the service owner, with the bridge's own token."""
        auth = self.bridge.dialogporten._auth
        url = f"{BASE}/dialogporten/api/v1/serviceowner/dialogs{path}"
        return self.outside.request(method, url, json=body, auth=auth, headers=headers, timeout=5)

    def token(self, case: Case, **about: Any) -> str:
        return str(self.control("POST", "/dialog-token", {"dialog_id": str(case.dialog_id), **about})["token"])

    def press(
        self, case: Case, action: str = "submit", *, method: str = "POST", token: str | None = None, **request: Any
    ) -> TestResponse:
        token = self.token(case) if token is None else token
        headers = {"Authorization": f"Bearer {token}", **request.pop("headers", {})}
        return self.client.open(f"/actions/{case.dialog_id}/{action}", method=method, headers=headers, **request)

    def element(self, case: Case) -> Any:
        return self.control("GET", f"/altinn2/elements/{case.message_id}")

    def dialog(self, case: Case) -> Any:
        return self.as_owner("GET", f"/{case.dialog_id}").json()

    def activities(self, case: Case) -> list[str]:
        return [each["type"] for each in self.dialog(case)["activities"]]

    def buttons(self, case: Case) -> list[str]:
        return [each["title"][0]["value"] for each in self.dialog(case).get("guiActions", [])]

    def effects(self, case: Case, kind: str) -> list[Mapping[str, Any]]:
        """The effects of *kind* on the case's element or dialog."""
        mine = {case.message_id, str(case.dialog_id)}
        names = ("message_id", "original_id", "dialog_id")
        return [
            each.facts
            for each in self.world.ledger.effects(kind)
            if mine & {str(each.facts.get(name)) for name in names}
        ]

    def writes(self, case: Case) -> list[str]:
        """The calls that changed the case's dialog, or tried."""
        calls = self.world.calls.all("dialogporten")
        mine = [each.method for each in calls if str(case.dialog_id) in each.path]
        return [each for each in mine if each not in ("GET", "OPTIONS")]

    def as_citizen(self, method: str, case: Case, path: str = "", body: Any = None, **query: str) -> requests.Response:
        """Call Altinn 2 on the case's element beside the bridge, as its portal would."""
        answer = self.outside.request(
            method,
            f"{BASE}/altinn2/api/{case.who}/messages/{case.message_id}{path}",
            params=query,
            json=body,
            headers={"ApiKey": self.world.altinn2_api_key, "Content-Type": "application/hal+json"},
            auth=self.bridge.altinn2._auth,
            timeout=5,
        )
        assert answer.status_code < 300, answer.reason
        return answer

    def operations(self, case: Case) -> list[Operation]:
        from bridge.storage.operation_columns import operation_of
        from bridge.storage.tables import operations

        with self.bridge.store.engine.connect() as connection:
            rows = connection.execute(
                operations.select().where(operations.c.dialog_id == str(case.dialog_id)).order_by(operations.c.sequence)
            ).mappings()
            return [operation_of(row) for row in rows]
