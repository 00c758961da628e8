"""The bridge as real processes on real sockets, with the sandbox on loopback in this one."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
import sqlalchemy as sa

from bridge.adapters.maskinporten.client import MaskinportenClient
from bridge.adapters.maskinporten.keys import signing_key
from bridge.bundled import examples_folder
from bridge.core.ids import uuid7
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World

RESOURCE = "urn:altinn:resource:serveringsbevilling"
ORGANISATION = "urn:altinn:organization:identifier-no:"
VALID = (examples_folder() / "serveringsbevilling.xml").read_text("utf-8")
FAULTY = (examples_folder() / "serveringsbevilling-with-faults.xml").read_text("utf-8")
STARTING = 60.0


def until(true: Callable[[], Any], *, seconds: float = 30, what: str = "it") -> Any:
    """Wait for something that another process does, and give what it came to; fails when it does not happen."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        pause.wait(0.02)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident(pid: int, name: str) -> int:
    """Bytes of a process and all below it: ``VmRSS``, or ``VmHWM`` for the most that there ever were."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024
    children = [each for path in Path(f"/proc/{pid}/task").glob("*/children") for each in path.read_text().split()]
    return own + sum(resident(int(child), name) for child in children)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An element under completion, the dialog that stands for it, and the token that may press its button."""

    dialog_id: UUID
    message_id: str
    who: str
    token: str


@dataclass
class Process:
    """One ``bridge`` command at work; its log is kept for the test to read."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    log: Path
    popen: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> "Process":
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-c", "from bridge.cli import main; main()", *self.arguments],
                env={**_clean(os.environ), **self.environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def kill(self) -> None:
        """SIGKILL to the process and all that it started, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def stop(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGTERM)
        return self.popen.wait(60)


class Site:
    """A sandbox, a database, and the processes of a bridge around them."""

    def __init__(self, folder: Path, *, database_url: str | None = None, **environ: str) -> None:
        self.folder = folder
        self.trap: Callable[[], None] = lambda: None
        self.world = World(lambda: datetime.now(UTC), 7, sleep=self._sleep)
        self.sandbox = Sandbox(self.world).start()
        self.base = self.sandbox.base_url
        self.port = free_port()
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))
        settings: dict[str, str] = self.control("GET", "/settings")
        self.database_url = database_url or f"sqlite:///{folder}/bridge.sqlite"
        self.environ = {
            **settings,
            "BRIDGE_DATABASE_URL": self.database_url,
            "BRIDGE_LISTEN": f"127.0.0.1:{self.port}",
            "BRIDGE_ANSWER_WITHIN": "10",
            "BRIDGE_ALTINN2_SETTLE": "0.2",
            "BRIDGE_ALTINN2_LATE": "0.2",
            "BRIDGE_RETRY_FIRST": "0.1",
            **environ,
        }
        self.control("POST", "/dialogporten/resources", {"service_resource": RESOURCE})
        self._owner = MaskinportenClient(
            self.http,
            authority_url=settings["BRIDGE_MASKINPORTEN_URL"],
            client_id=settings["BRIDGE_MASKINPORTEN_CLIENT_ID"],
            key=signing_key(settings["BRIDGE_MASKINPORTEN_KEY"]),
            clock=lambda: datetime.now(UTC),
        )
        self._engine = sa.create_engine(self.database_url.replace("postgresql://", "postgresql+psycopg://"))
        self.processes: list[Process] = []

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        self._engine.dispose()
        self.sandbox.stop()
        self.http.close()

    def _sleep(self, seconds: float) -> None:
        """A planned delay, which is of a second or more, springs the trap instead of passing."""
        if seconds >= 1:
            self.trap()

    def run(self, *arguments: str) -> Process:
        log = self.folder / f"{'-'.join(arguments)}-{len(self.processes)}.log"
        process = Process(arguments, self.environ, log).start()
        self.processes.append(process)
        return process

    def serve(self) -> Process:
        """Start ``altinn-bridge serve``, and wait until it is ready."""
        process = self.run("serve")

        def ready() -> bool:
            assert process.popen.poll() is None, process.log.read_text()
            with contextlib.suppress(requests.ConnectionError):
                return self.http.get(f"{self.url}/health/readiness", timeout=5).status_code == 200
            return False

        until(ready, seconds=STARTING, what="readiness")
        return process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def logs(self) -> str:
        return "".join(process.log.read_text() for process in self.processes)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.base}/_sandbox{path}", json=body, timeout=10)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def case(
        self,
        xml: str = VALID,
        *,
        service: Mapping[str, Any] | None = None,
        data_format: tuple[str, str] = ("5801", "42001"),
        **token: Any,
    ) -> Case:
        who = self.world.new_organisation().number
        element = self.control(
            "POST",
            "/altinn2/elements",
            {
                "who": who,
                "service": {"code": "5701", "edition": 1, **(service or {})},
                "forms": [{"data_format_id": data_format[0], "data_format_version": data_format[1], "xml": xml}],
                "attachments": [{"file_name": "plan.pdf", "attachment_type": "Plan", "data": "JVBERi0xLjc="}],
            },
        )
        dialog_id = uuid7(datetime.now(UTC), os.urandom(10))
        names = ("submit", "send-to-signing", "sign")
        priorities = ("Primary", "Secondary", "Tertiary")
        dialog = {
            "id": str(dialog_id),
            "serviceResource": RESOURCE,
            "party": f"{ORGANISATION}{who}",
            "status": "RequiresAttention",
            "content": {"title": {"value": [{"languageCode": "nb", "value": "Søknad"}], "mediaType": "text/plain"}},
            "guiActions": [
                {
                    "action": "sign" if name == "sign" else "write",
                    "url": f"{self.url}/actions/{dialog_id}/{name}",
                    "httpMethod": "POST",
                    "priority": priority,
                    "title": [{"languageCode": "nb", "value": name}],
                }
                for name, priority in zip(names, priorities, strict=True)
            ],
            "serviceOwnerContext": {
                "serviceOwnerLabels": [{"value": f"urn:altinn:integration:a2:message:{element['id']}"}]
            },
        }
        created = self.as_owner("POST", "", dialog)
        assert created.status_code == 201, created.text
        minted = self.control("POST", "/dialog-token", {"dialog_id": str(dialog_id), **token})
        return Case(dialog_id=dialog_id, message_id=element["message_id"], who=who, token=minted["token"])

    def as_owner(self, method: str, path: str, body: Any = None) -> requests.Response:
        token = self._owner.token(["digdir:dialogporten.serviceprovider"])
        url = f"{self.base}/dialogporten/api/v1/serviceowner/dialogs{path}"
        return self.http.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)

    def press(
        self, case: Case, action: str = "submit", *, data: bytes | None = None, **headers: str
    ) -> requests.Response:
        return self.http.post(
            f"{self.url}/actions/{case.dialog_id}/{action}",
            data=data,
            headers={"Authorization": f"Bearer {case.token}", **headers},
            timeout=30,
        )

    def activities(self, case: Case) -> list[str]:
        return [each["type"] for each in self.as_owner("GET", f"/{case.dialog_id}").json()["activities"]]

    def effects(self, case: Case, kind: str) -> list[Mapping[str, Any]]:
        mine = {case.message_id, str(case.dialog_id)}
        names = ("message_id", "original_id", "dialog_id")
        return [
            each.facts
            for each in self.world.ledger.effects(kind)
            if mine & {str(each.facts.get(name)) for name in names}
        ]

    def rows(self, case: Case) -> list[Any]:
        """The operations of a case as they stand in the database."""
        query = sa.text("SELECT * FROM operations WHERE dialog_id = :dialog ORDER BY sequence")
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(query, {"dialog": str(case.dialog_id)}))
        except (sa.exc.OperationalError, sqlite3.OperationalError):
            return []

    def finished(self, case: Case) -> list[Any]:
        """The case's operations, once all are finished; none until then."""
        rows = self.rows(case)
        return rows if rows and all(row.finished_at is not None for row in rows) else []


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("BRIDGE_")}


@contextlib.contextmanager
def site(folder: Path, **options: Any) -> Iterator[Site]:
    made = Site(folder, **options)
    try:
        yield made
    finally:
        made.close()
