"""The demo's stage: the sandbox in this process, the bridge in its own under gunicorn, and a folder that goes again."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import requests

from bridge.sandbox.control import settings
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World

READY_WITHIN = 20.0
LOOPBACK = "127.0.0.1"


class DemoFailed(Exception):
    """The demo cannot go on; the text is a sentence for people."""


class Stage:
    """Where the demo plays: *environment* is the bridge's settings, *log* the file with its log."""

    def __init__(self, world: World, sandbox_url: str, environment: Mapping[str, str], *, folder: Path) -> None:
        self.world, self.sandbox_url, self.environment, self.folder = world, sandbox_url, environment, folder
        self.bridge_url = f"http://{environment['BRIDGE_LISTEN']}"
        self.log = folder / "bridge.log"
        self.log_wanted = False
        """Whether the log outlives the demo."""
        self._process: subprocess.Popen[bytes] | None = None

    def start_bridge(self) -> None:
        """
        Run ``altinn-bridge serve`` and wait until it is ready.

        Raises:
            DemoFailed: It is not; the sentence has its last words.
        """
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                # -P: a folder named bridge where the demo was started is not what is meant.
                [sys.executable, "-P", "-m", "bridge.cli", "serve"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal is ours to hear; the bridge hears it from us.
                start_new_session=True,
            )
        # Made while the bridge starts: otherwise the first token exchange would wait for it.
        self.world.key("platform")
        self._await_ready(self._process)

    def bridge_ended(self, *, within: float = 0) -> bool:
        """Whether the bridge ended by itself, waiting so many seconds for it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process is not None and self._process.wait(within) is not None
        return False

    def stop_bridge(self) -> None:
        """End the bridge and its children."""
        if self._process is None:
            return
        # Its store is thrown away, so it has nothing to finish; asked kindly, the engine would take three seconds.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def clear(self) -> None:
        """Remove the folder; the log stays where it is wanted."""
        if not (self.log_wanted and self.log.exists()):
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        for each in self.folder.iterdir():
            if each != self.log:
                each.unlink(missing_ok=True)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + READY_WITHIN
        with requests.Session() as session:
            session.trust_env = False
            while time.monotonic() < until:
                if process.poll() is not None:
                    raise DemoFailed(f"The bridge ended before it was ready: {self._last_words()}")
                with contextlib.suppress(requests.RequestException):
                    if session.get(f"{self.bridge_url}/health/readiness", timeout=2).status_code == 200:
                        return
                time.sleep(0.02)
        raise DemoFailed(f"The bridge was not ready within {READY_WITHIN:g} s: {self._last_words()}")

    def _last_words(self) -> str:
        lines = [line for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()]
        # A fault that is found before there is a log is said in plain lines, and why else it ends is logged.
        plain = [line for line in lines if not line.startswith("{")]
        reasons = [reason for line in lines if (reason := _reason(line)) is not None]
        return "; ".join((plain or reasons)[-3:] or lines[-1:]) or "it said nothing"


def _reason(line: str) -> str | None:
    """Why the bridge ended, from a line of its log; None from the lines that do not tell it."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict) or said.get("level") != "critical":
        return None
    about = [str(said[name]) for name in ("where", "system", "fault", "why", "error", "at") if said.get(name)]
    return ": ".join(about) or str(said.get("message"))


@contextlib.contextmanager
def set_up(*, schemas: Path | None, port: int) -> Iterator[Stage]:
    """
    Start the sandbox, and give the stage; the bridge is for ``start_bridge``. Everything is gone afterwards.

    *port* is the bridge's, 0 any free one.

    Raises:
        DemoFailed: The port is taken.
    """
    world = World(lambda: datetime.now(UTC))
    listen = f"{LOOPBACK}:{_free_port(port)}"
    with contextlib.ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(world))
        folder = Path(tempfile.mkdtemp(prefix="bridge-demo-"))
        environment = {
            # What the user has set for a bridge of their own must not reach this one.
            **{name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")},
            **settings(world, sandbox.base_url),
            "BRIDGE_DATABASE_URL": f"sqlite:///{folder / 'bridge.sqlite'}",
            "BRIDGE_LISTEN": listen,
            # As long as Arbeidsflate waits: a slow machine shows the same answers as a fast one.
            "BRIDGE_ANSWER_WITHIN": "10",
            **({} if schemas is None else {"BRIDGE_SCHEMAS": str(schemas.resolve())}),
        }
        stage = Stage(world, sandbox.base_url, environment, folder=folder)
        stack.callback(stage.clear)
        stack.callback(stage.stop_bridge)
        try:
            yield stage
        except Exception:
            stage.log_wanted = True
            raise


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        # As gunicorn will do it: a connection that lingers from an earlier run does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError as error:
            raise DemoFailed(
                f"Port {wanted} cannot be used: {error.strerror}. Without --port, any free one is taken."
            ) from None
        port: int = probe.getsockname()[1]
        return port
