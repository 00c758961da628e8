"""
The calculation proxy beside what it stands for, in one run: straight to the app, and through a bare proxy.

The app is a socket that answers after a time with a form of the size of the one it got. The bare proxy is thirty lines
of Flask and requests under the same gunicorn settings as ``altinn-bridge serve``. What the numbers mean stands in
``docs/performance.md``.
"""

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import requests

from benchmarks.processes import cpu_seconds, free_address, machine, sandbox, service
from bridge.sandbox.apps.examples import example_app
from bridge.sandbox.apps.schemas import xsd

SIZES = {"2 KB": 2_000, "50 KB": 50_000}
APPS = {"off": "ttd/uten-kontroll", "on": "ttd/med-kontroll"}
THREADS = 64
_ROUTE = "app: {app}\ntoken: caller\nanonymous: true\nverbs: get_post\n"
_CHECKED = "data_types: {regnestykke: {schema: regnestykke.xsd, validate: warn}}\n"
_PATH = "/v1/data/anonymous?dataType=regnestykke"


# The app


async def _answer_forms(port: int) -> None:
    """Answer every request after the milliseconds that its header ``delay`` says, with as many bytes as it brought."""
    answers: dict[int, bytes] = {}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = _number(head, b"\r\ncontent-length:")
                if length:
                    await reader.readexactly(length)
                delay = _number(head, b"\r\ndelay:")
                if delay:
                    await asyncio.sleep(delay / 1000)
                if length not in answers:
                    body = b'{"tekst":"' + b"x" * max(0, length - 12) + b'"}'
                    answers[length] = (
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
                        b"Cache-Control: no-store,no-cache\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
                    )
                writer.write(answers[length])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


def _number(head: bytes, name: bytes) -> int:
    start = head.find(name)
    return 0 if start < 0 else int(head[start + len(name) : head.index(b"\r\n", start + 2)])


# The bare proxy


def bare_app(upstream: str) -> Any:
    """Make the proxy that somebody writes in an afternoon."""
    from flask import Flask, Response, request
    from requests.adapters import HTTPAdapter

    app = Flask("bare")
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=THREADS))
    hop_by_hop = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}

    @app.route("/<path:path>", methods=["GET", "POST", "PUT"])
    def pass_on(path: str) -> Response:
        answer = session.request(
            request.method,
            f"{upstream}/{path}",
            params=request.args.to_dict(flat=False),
            data=request.get_data(),
            headers={name: value for name, value in request.headers if name.lower() not in hop_by_hop},
            timeout=30,
            allow_redirects=False,
        )
        headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in hop_by_hop]
        return Response(answer.content, status=answer.status_code, headers=headers)

    return app


def _serve_bare(upstream: str, listen: str) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            options = {
                "bind": listen,
                "worker_class": "gthread",
                "workers": 1,
                "threads": THREADS,
                "keepalive": 30,
                "control_socket_disable": True,
                "loglevel": "error",
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return bare_app(upstream)

    Server().run()


# The load


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Requests a second, milliseconds until one was answered, and a proxy's own microseconds of processor for each."""

    rate: float
    p50: float
    p95: float
    count: int
    cpu: float = 0.0


async def _load(address: str, request: bytes, *, clients: int, seconds: float, rate: float) -> Measured:
    """
    Let each of so many clients send its next request when its last is answered, or, with a *rate*, when its time comes.

    What is paced is timed from the moment at which it was due, so that who falls behind does not look fast.
    """
    host, _, port = address.partition(":")
    times: list[float] = []
    start = time.perf_counter() + 0.2
    ends = start + seconds
    pause = clients / rate if rate else 0.0

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        due = start + number * pause / clients
        while max(due, time.perf_counter()) < ends:
            if due > time.perf_counter():
                await asyncio.sleep(due - time.perf_counter())
            began = due if pause else time.perf_counter()
            due += pause
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode("latin-1").partition("\r\n")[0])
            await reader.readexactly(_number(head.lower(), b"\r\ncontent-length:"))
            times.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    ordered = sorted(each * 1000 for each in times)
    return Measured(
        rate=round(len(times) / (time.perf_counter() - start), 1),
        p50=round(ordered[len(ordered) // 2], 2),
        p95=round(ordered[math.ceil(0.95 * len(ordered)) - 1], 2),
        count=len(times),
    )


def form(size: int) -> bytes:
    """Write a valid form of about *size* bytes."""
    line = b"<linje><tekst>%b</tekst><antall>2</antall><pris>10.50</pris></linje>" % (b"vare " * 10)
    return b"<Regnestykke>" + line * (size // len(line)) + b"</Regnestykke>"


def _request(address: str, app: str, size: int, delay: int) -> bytes:
    body = form(size)
    head = (
        f"POST /{app}{_PATH} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/xml\r\n"
        f"Accept: application/json\r\nDelay: {delay}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


# The run


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to the app: its name, where it listens, the app's path there, and whose processor time it takes."""

    name: str
    address: str
    app: str
    process: int | None


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.proxy", *arguments])
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _until_answered(address: str) -> None:
    for _ in range(200):
        try:
            requests.get(f"http://{address}/x", timeout=1)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nobody answers on {address}")


@contextmanager
def ways(environ: Mapping[str, str]) -> Iterator[list[Way]]:
    """Run everything, and give the ways."""
    app, bare, bridge = free_address(), free_address(), free_address()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bridge-benchmark-")))
        _write_configuration(folder)
        stack.enter_context(_process("--role", "app", "--listen", app))
        _until_answered(app)
        simple = stack.enter_context(_process("--role", "bare", "--listen", bare, "--upstream", f"http://{app}"))
        _until_answered(bare)
        around = stack.enter_context(sandbox())
        settings = requests.get(f"{around.url}/_sandbox/settings", timeout=10).json()
        started = stack.enter_context(
            service(
                {
                    **settings,
                    "BRIDGE_ALTINN3_APPS_URL": f"http://{app}/{{org}}/{{app}}",
                    "BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite",
                    "BRIDGE_ROUTES": str(folder / "routes"),
                    "BRIDGE_SCHEMAS": str(folder / "schemas"),
                    "BRIDGE_MAPPINGS": str(folder / "mappings"),
                    "BRIDGE_LISTEN": bridge,
                    "BRIDGE_THREADS": str(THREADS),
                    **environ,
                },
                # The embedded store has its worker inside.
                workers=int(environ.get("BRIDGE_DATABASE_URL", "").startswith("postgresql")),
            )
        )
        own = started[0].pid
        yield [
            Way(name="straight", address=app, app=APPS["off"], process=None),
            Way(name="bare proxy", address=bare, app=APPS["off"], process=simple.pid),
            Way(name="bridge", address=bridge, app=APPS["off"], process=own),
            Way(name="bridge, validating", address=bridge, app=APPS["on"], process=own),
        ]


def _write_configuration(folder: Path) -> None:
    for name in ("routes", "schemas", "mappings"):
        (folder / name).mkdir()
    schema = xsd(next(each for each in example_app().data_types if each.members))
    (folder / "schemas" / "regnestykke.xsd").write_text(schema, "utf-8")
    (folder / "routes" / "off.yaml").write_text(_ROUTE.format(app=APPS["off"]), "utf-8")
    (folder / "routes" / "on.yaml").write_text(_ROUTE.format(app=APPS["on"]) + _CHECKED, "utf-8")
    (folder / "mappings" / "one.yaml").write_text(
        "service_resource: urn:altinn:resource:maaling\n"
        'altinn2: {service_code: "4711", service_edition: 1}\n'
        "forms: [{type: MainForm, data_format_id: '9001', data_format_version: '1', schema: regnestykke.xsd}]\n"
        "actions: {send: {requires: write, minimum_level: 3, target: altinn2, form: none, complete: true, sign: true}}"
        "\n",
        "utf-8",
    )


def measure(each: Way, *, size: int, delay: int, clients: int, seconds: float, rate: float = 0.0) -> Measured:
    """Put load on one way, from a process of its own; as much as it takes, or *rate* requests a second."""
    request = _request(each.address, each.app, size, delay)
    with tempfile.NamedTemporaryFile() as file:
        file.write(request)
        file.flush()
        arguments = ["--role", "load", "--listen", each.address, "--clients", str(clients)]
        arguments += ["--seconds", str(seconds), "--rate", str(rate)]
        before = cpu_seconds(each.process) if each.process else 0.0
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.proxy", *arguments, "--request", file.name],
            capture_output=True,
            check=True,
        )
    found = Measured(**json.loads(done.stdout))
    if each.process is None:
        return found
    return replace(found, cpu=round((cpu_seconds(each.process) - before) / found.count * 1e6))


def _table(
    all_ways: Sequence[Way],
    *,
    delays: Sequence[int],
    clients: Sequence[int],
    sizes: Sequence[str],
    seconds: float,
    rounds: int,
    rate: float,
) -> list[dict[str, Any]]:
    rows = []
    for size in sizes:
        for count in clients:
            for delay in delays:
                taken: dict[str, list[Measured]] = {each.name: [] for each in all_ways}
                for _ in range(rounds):
                    # In turns, so that a machine that slows down slows all of them.
                    for each in all_ways:
                        found = measure(each, size=SIZES[size], delay=delay, clients=count, seconds=seconds, rate=rate)
                        taken[each.name].append(found)
                row: dict[str, Any] = {"size": size, "clients": count, "delay_ms": delay, "paced_rate": rate}
                for name, found_all in taken.items():
                    row[name] = {
                        key: round(statistics.median(asdict(each)[key] for each in found_all), 2)
                        for key in ("rate", "p50", "p95", "cpu")
                    }
                rows.append(row)
                _say(row)
    return rows


def _say(row: Mapping[str, Any]) -> None:
    straight, bare = row["straight"], row["bare proxy"]
    said = [
        f"{row['size']:>5} {row['clients']:>3} clients {row['delay_ms']:>3} ms | straight {straight['rate']:>8.0f}/s"
    ]
    for name in ("bare proxy", "bridge", "bridge, validating"):
        each = row[name]
        said.append(
            f"{name} {each['rate']:.0f}/s = {each['rate'] / bare['rate']:.2f}, {each['cpu']:.0f} µs,"
            f" added p50 {each['p50'] - straight['p50']:.1f} p95 {each['p95'] - straight['p95']:.1f} ms"
        )
    print(" | ".join(said), file=sys.stderr, flush=True)


def memory(way: Way, *, calls: int, size: str) -> dict[str, Any]:
    """Send so many calls one way, and look at the memory of the bridge meanwhile."""
    looks: list[dict[str, float]] = []
    done = 0
    while done < calls:
        done += measure(way, size=SIZES[size], delay=0, clients=16, seconds=5).count
        looks.append({"calls": done, "mb": round(_memory(way.process or 0), 1)})
        print(f"{way.name}, {size}: {done} calls, {looks[-1]['mb']} MB", file=sys.stderr, flush=True)
    return {"way": way.name, "size": size, "looks": looks}


def _memory(pid: int) -> float:
    """Resident megabytes of a process and all below it (Linux)."""
    total = 0.0
    for each in Path("/proc").iterdir():
        if not each.name.isdigit():
            continue
        try:
            status = (each / "status").read_text()
        except OSError:
            continue
        facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if int(each.name) == pid or int(facts["PPid"]) == pid:
            total += int(facts.get("VmRSS", "0 kB").split()[0]) / 1024
    return total


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxy", description=__doc__)
    parser.add_argument("--role", choices=["app", "bare", "load"], help=argparse.SUPPRESS)
    parser.add_argument("--listen", help=argparse.SUPPRESS)
    parser.add_argument("--upstream", help=argparse.SUPPRESS)
    parser.add_argument("--request", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is told")
    parser.add_argument("--clients", type=int, action="append", help="1 and 64 by default")
    parser.add_argument("--delay", type=int, action="append", help="milliseconds; 0, 5 and 50 by default")
    parser.add_argument("--size", choices=list(SIZES), action="append")
    parser.add_argument("--rate", type=float, default=0.0, metavar="N", help="N calls a second; else all that go")
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="instead: the memory over N calls, each way")
    arguments = parser.parse_args()
    match arguments.role:
        case "app":
            asyncio.run(_answer_forms(int(arguments.listen.rpartition(":")[2])))
        case "bare":
            _serve_bare(arguments.upstream, arguments.listen)
        case "load":
            request = arguments.request.read_bytes()
            found = asyncio.run(
                _load(
                    arguments.listen,
                    request,
                    clients=arguments.clients[0],
                    seconds=arguments.seconds,
                    rate=arguments.rate,
                )
            )
            print(json.dumps(asdict(found)))
        case _:
            environ = {name: value for name, value in os.environ.items() if name.startswith("BRIDGE_")}
            with ways(environ) as all_ways:
                sizes = arguments.size or list(SIZES)
                result: dict[str, Any] = {"machine": machine()}
                if arguments.memory:
                    bridge = all_ways[2:]
                    result["memory"] = [
                        memory(each, calls=arguments.memory, size=size) for size in sizes for each in bridge
                    ]
                else:
                    result["rows"] = _table(
                        all_ways,
                        delays=arguments.delay or [0, 5, 50],
                        clients=arguments.clients or [1, 64],
                        sizes=sizes,
                        seconds=arguments.seconds,
                        rounds=arguments.rounds,
                        rate=arguments.rate,
                    )
            print(json.dumps(result, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
