"""
What strangers, slow systems and crowds do to everybody else: each attack beside an undisturbed service in one run.

While an attack lasts, health is asked twenty times a second on a new connection, and somebody else presses buttons.
Recovery counts from the attack's end until health and a press are as quick as before. What the numbers mean stands in
``docs/performance.md``.
"""

import argparse
import json
import resource
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from benchmarks.load import Latency, at_rate
from benchmarks.outside import Button, Outside
from benchmarks.processes import Process, free_address, load, machine, sandbox, service, sqlite_databases
from benchmarks.report import draw
from bridge.bundled import schemas_folder
from bridge.sandbox.apps.examples import example_app
from bridge.sandbox.apps.schemas import xsd

HEALTH, MEMORY, RECOVERY = 1.0, 400.0, 2.0
"""The goals: seconds, MB, seconds."""

_APP = "ttd/sandkasse-regnestykke"
_CALCULATION = f"/{_APP}/v1/data/anonymous?dataType=regnestykke"
_DIALOG = "0196f000-0000-7000-8000-000000000002"
_PRESS_HEAD = f"POST /actions/{_DIALOG}/submit HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n".encode()
_ROUTE = f"""app: {_APP}
token: caller
anonymous: true
verbs: get_post
data_types: {{regnestykke: {{schema: regnestykke.xsd, validate: strict}}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How long and how much."""

    seconds: float
    crowd: int
    rates: tuple[int, ...]
    rate_seconds: float
    recovers_within: float
    within: float
    """What has not begun by then is left out, and named."""


FULL = Size(seconds=6, crowd=600, rates=(10, 20, 40, 80, 160), rate_seconds=5, recovers_within=60, within=1200)
QUICK = Size(seconds=0.7, crowd=60, rates=(10, 40), rate_seconds=1.5, recovers_within=20, within=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the others met while an attack lasted, and after it. Milliseconds, MB, seconds."""

    attack: str
    health_worst: float
    health_refused: int
    press_worst: float
    presses: dict[str, int]
    peak_memory: float
    recovery: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Presses that fell due at *rate* a second: what was answered, and how many were finished a second."""

    rate: int
    answers: dict[str, int]
    answered: Latency
    finished_per_second: float
    health_worst: float


class Place:
    """The service, the systems around it, and buttons for those who are not the attacker."""

    def __init__(self, outside: Outside, process: Process, size: Size) -> None:
        self.outside, self.process, self.size = outside, process, size
        self.url = process.url
        self.address = ("127.0.0.1", int(urlsplit(process.url).port or 0))
        self.usual = 1.0
        """Seconds in which a press is answered where nobody does anything."""
        self._buttons: list[Button] = []
        self._known: list[Button] = []
        self._lock = threading.Lock()

    def button(self) -> Button:
        """Give a button that nobody has pressed."""
        with self._lock:
            if not self._buttons:
                self._buttons = self.outside.buttons(40, bridge_url=self.url)
            return self._buttons.pop()

    def stock(self, count: int, *, known: int = 0) -> None:
        """Put so many buttons in place beforehand, and so many whose dialogs the bridge knows already."""
        with self._lock:
            self._buttons += self.outside.buttons(max(0, count - len(self._buttons)), bridge_url=self.url)
            new = self.outside.buttons(max(0, known - len(self._known)), bridge_url=self.url)
        for each in new:
            self.press(each, "/forms", method="GET")
        self._known += new

    def known(self) -> Button:
        """Give a button that nobody has pressed, of a dialog that the bridge knows."""
        return self._known.pop() if self._known else self.button()

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask the sandbox for something."""
        return self.outside._control(method, path, body)  # noqa: SLF001 - the benchmark's own

    def press(self, button: Button, path: str = "", *, method: str = "POST", **options: Any) -> int:
        """Press, and give the status; 0 where no answer came."""
        headers = {"Authorization": f"Bearer {button.token}", **options.pop("headers", {})}
        url = f"{self.url}/actions/{button.dialog_id}/submit{path}"
        try:
            return requests.request(method, url, headers=headers, timeout=60, **options).status_code
        except requests.RequestException:
            return 0

    def health(self) -> tuple[float, bool]:
        """Ask for health on a new connection: seconds, and whether it answered well."""
        began = time.perf_counter()
        try:
            with socket.create_connection(self.address, timeout=30) as client:
                client.sendall(b"GET /health/liveness HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                well = client.recv(1000).startswith(b"HTTP/1.1 200 ")
        except OSError:
            well = False
        return time.perf_counter() - began, well

    def peak_memory(self) -> float:
        """Give the most MB that the service's processes took since they were last asked to forget."""
        return sum(_status(pid, "VmHWM") for pid in _tree(self.process.pid)) / 1024

    def forget_memory(self) -> None:
        """Count the most from now on."""
        for pid in _tree(self.process.pid):
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")


def _tree(pid: int) -> list[int]:
    children = [int(each) for path in Path(f"/proc/{pid}/task").glob("*/children") for each in path.read_text().split()]
    return [pid, *(below for child in children for below in _tree(child))]


def _status(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


# Attacks: each lasts as long as its context


Attack = Callable[[Place, ExitStack], None]


def nothing(place: Place, stack: ExitStack) -> None:
    """Nobody does anything."""


def holding(number: int, data: bytes) -> Attack:
    """Hold so many connections on which *data* was sent, and nothing more."""

    def attack(place: Place, stack: ExitStack) -> None:
        for _ in range(number):
            held = stack.enter_context(socket.create_connection(place.address, timeout=30))
            held.setblocking(False)
            with suppress(OSError):
                held.send(data)

    return attack


def crowd(number: int, visit: Callable[[Place, int], object]) -> Attack:
    """Let so many do *visit* at once, each in a thread."""

    def attack(place: Place, stack: ExitStack) -> None:
        pool = stack.enter_context(ThreadPoolExecutor(number))
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        for index in range(number):
            pool.submit(visit, place, index)

    return attack


def first_presses_while_dialogporten_hangs(place: Place, stack: ExitStack) -> None:
    """Presses of dialogs that are not known yet."""
    buttons = [place.button() for _ in range(80)]
    _hang(place, stack, "dialogporten", "/serviceowner/dialogs/", [str(each.dialog_id) for each in buttons])
    crowd(80, lambda _, index: place.press(buttons[index]))(place, stack)


def prints_while_altinn_hangs(place: Place, stack: ExitStack) -> None:
    """Prints with one token."""
    button = place.button()
    place.press(button, "/forms", method="GET")
    _hang(place, stack, "altinn2", "/print", [button.message_id])
    crowd(80, lambda _, __: place.press(button, "/print", method="GET"))(place, stack)


def _hang(place: Place, stack: ExitStack, system: str, path: str, names: Sequence[str]) -> None:
    """Let the calls about *names* hang, and no others."""
    seconds = place.size.seconds + 1
    for name in names:
        match = {"method": "GET", "path": name if system == "dialogporten" else f"{name}{path}"}
        how = {"delay_seconds": seconds, "status": 503}
        place.control("POST", "/faults", {"system": system, "match": match, "times": None, "how": how})
    stack.callback(place.control, "DELETE", "/faults")


def stalling_senders(place: Place, stack: ExitStack) -> None:
    """Forms for an app that stop half-way."""
    head = (
        f"POST {_CALCULATION} HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: 1000000\r\n\r\n"
    )
    holding(40, head.encode() + b" " * 400_000)(place, stack)


def faulty_form(place: Place, stack: ExitStack) -> None:
    """A form of 256 KB with thousands of faults, from anybody, four times at once."""
    form = b"<Regnestykke " + b" ".join(b'a%05d=""' % number for number in range(25_000)) + b"/>"
    _calculate(place, stack, form)


def many_attributes(place: Place, stack: ExitStack) -> None:
    """A form of 9.8 MB of attributes, twice at once."""
    form = b"<Regnestykke " + b" ".join(b'a%d=""' % number for number in range(900_000)) + b"/>"
    _calculate(place, stack, form, times=2)


def _calculate(place: Place, stack: ExitStack, form: bytes, *, times: int = 4) -> None:
    def send(_: Place, __: int) -> None:
        with suppress(requests.RequestException):
            requests.post(f"{place.url}{_CALCULATION}", form, headers={"Content-Type": "application/xml"}, timeout=60)

    crowd(times, send)(place, stack)


def long_head_of_an_attachment(place: Place, stack: ExitStack) -> None:
    """JSON whose name is 62 KB of backslashes."""
    body, button = b'{"' + b'\\"' * 31_000 + b'"', place.button()
    headers = {"Content-Type": "application/hal+json"}
    crowd(4, lambda _, __: place.press(button, "/attachments", data=body, headers=headers))(place, stack)


def large_message(place: Place, stack: ExitStack) -> None:
    """20 MB of hal+json in millions of members."""
    body, button = b'{"x":[' + b",".join([b'{"":0}'] * 2_800_000) + b"]}", place.button()
    crowd(1, lambda _, __: place.press(button, data=body, headers={"Content-Type": "application/hal+json"}))(
        place, stack
    )


def one_caller(place: Place, stack: ExitStack) -> None:
    """Hundreds of buttons pressed by one, at once."""
    buttons = [_of_another(place, place.button()) for _ in range(place.size.crowd)]
    crowd(min(100, len(buttons)), lambda _, at: [place.press(each) for each in buttons[at::100]])(place, stack)


def repeats(place: Place, stack: ExitStack) -> None:
    """A done press, again and again."""
    button = _of_another(place, place.button())
    place.press(button)
    crowd(20, lambda _, __: [place.press(button) for _ in range(place.size.crowd // 20)])(place, stack)


def _of_another(place: Place, button: Button) -> Button:
    about = {"dialog_id": str(button.dialog_id), "actor": ANOTHER}
    token = place.control("POST", "/dialog-token", about)["token"]
    return Button(dialog_id=button.dialog_id, message_id=button.message_id, token=token)


ANOTHER = "urn:altinn:person:identifier-no:14886498226"
"""Invented: the month is raised by 80."""

ATTACKS: Mapping[str, Attack] = {
    "undisturbed": nothing,
    "200 connections with one byte": holding(200, b"G"),
    "200 short bodies that stop": holding(200, _PRESS_HEAD + b"Content-Length: 1000\r\n\r\nabc"),
    "200 long bodies that stop": holding(200, _PRESS_HEAD + b"Content-Length: 1000000\r\n\r\n" + b"a" * 100_000),
    "40 answers not fetched, connections held": holding(
        40, b"GET /health/liveness HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    ),
    "1,200 connections": holding(1200, b"G"),
    "80 first presses, Dialogporten hangs": first_presses_while_dialogporten_hangs,
    "80 prints, Altinn 2 hangs": prints_while_altinn_hangs,
    "40 senders to an app who stall": stalling_senders,
    "4 faulty forms of 256 KB": faulty_form,
    "2 forms of 9.8 MB of attributes": many_attributes,
    "4 JSON heads of 62 KB": long_head_of_an_attachment,
    "20 MB of hal+json": large_message,
    "hundreds of presses of one caller": one_caller,
    "hundreds of repeats of a done press": repeats,
}


# What the others see


@dataclass(slots=True)
class _Watch:
    """Asks for health, and presses, until it is told to stop."""

    place: Place
    health: list[tuple[float, bool]] = field(default_factory=list)
    presses: list[tuple[float, int]] = field(default_factory=list)

    @contextmanager
    def at_work(self, *, presses: bool = True) -> Iterator[None]:
        stop = threading.Event()

        def ask() -> None:
            while not stop.wait(0.05):
                self.health.append(self.place.health())

        def press() -> None:
            while not stop.wait(0.25):
                button = self.place.known()
                began = time.perf_counter()
                status = self.place.press(button)
                self.presses.append((time.perf_counter() - began, status))

        threads = [threading.Thread(target=each) for each in ((ask, press) if presses else (ask,))]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def measured(place: Place, name: str, attack: Attack) -> Seen:
    """Let *attack* happen, and see what the others see."""
    place.stock(place.size.crowd if attack is one_caller else 90, known=int(8 * place.size.seconds) + 4)
    place.forget_memory()
    watch = _Watch(place)
    with watch.at_work():
        with ExitStack() as stack:
            attack(place, stack)
            time.sleep(place.size.seconds)
        ended = time.perf_counter()
    if attack is nothing:
        place.usual = max(1.0, 1.5 * max((seconds for seconds, _ in watch.presses), default=0.0))
    recovery = recovered(place, ended)
    return Seen(
        attack=name,
        health_worst=1000 * max(seconds for seconds, _ in watch.health),
        health_refused=sum(not well for _, well in watch.health),
        press_worst=1000 * max((seconds for seconds, _ in watch.presses), default=0.0),
        presses=_counted(status for _, status in watch.presses),
        peak_memory=place.peak_memory(),
        recovery=recovery,
    )


def recovered(place: Place, ended: float) -> float:
    """Wait until health answers in a quarter of a second and a press as ever, and say how long that took."""
    while time.perf_counter() - ended < place.size.recovers_within:
        began = time.perf_counter()
        seconds, well = place.health()
        status = place.press(place.known())
        if well and seconds < HEALTH / 4 and status in (202, 204) and time.perf_counter() - began < place.usual:
            return began - ended
    return place.size.recovers_within


def loaded(place: Place, rate: int) -> Load:
    """Let presses fall due at *rate*, each of another dialog and of one of twenty callers."""
    count = int(rate * place.size.rate_seconds)
    place.stock(count)
    buttons = [place.button() for _ in range(count)]
    known = [each.press for each in buttons]
    watch = _Watch(place)
    with watch.at_work(presses=False):
        began = time.perf_counter()
        timed = at_rate(place.url, known, rate=rate, clients=128)
        took = time.perf_counter() - began
        done = len([each for each in place.outside.effects(buttons) if each.patched])
    drained(place)
    return Load(
        rate=rate,
        answers=_counted(each.status for each in timed),
        answered=Latency.of([each.seconds for each in timed]),
        finished_per_second=done / took,
        health_worst=1000 * max(seconds for seconds, _ in watch.health),
    )


def drained(place: Place) -> None:
    """Wait until nothing is left of what was accepted."""
    ends = time.perf_counter() + 120
    while time.perf_counter() < ends:
        with suppress(requests.RequestException):
            if requests.get(f"{place.url}/health/deep", timeout=30).json().get("unfinishedOperations") == 0:
                return
        time.sleep(0.2)


def _counted(statuses: Any) -> dict[str, int]:
    return {str(status): count for status, count in sorted(Counter(statuses).items())}


# The run


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 0 where the goals are met, 1 where not. A quick run only fails where others get no answer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.abuse", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the results for machines")
    parser.add_argument("--quick", action="store_true", help="a moment of each: only to see that nobody is shut out")
    parser.add_argument("--only", action="append", metavar="WORDS", help="attacks with these words; may be repeated")
    arguments = parser.parse_args(argv)
    size = QUICK if arguments.quick else FULL
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    chosen = {
        name: attack
        for name, attack in ATTACKS.items()
        if not arguments.only or attack is nothing or any(each in name for each in arguments.only)
    }
    about, seen, loads, left_out = machine(), [], [], []
    began = time.perf_counter()
    with running(size) as place:
        for name, attack in chosen.items():
            if time.perf_counter() - began > size.within:
                left_out.append(name)
                continue
            _say(name)
            seen.append(measured(place, name, attack))
            drained(place)
        if not arguments.only or "load" in arguments.only:
            for rate in size.rates:
                if time.perf_counter() - began > size.within:
                    left_out.append(f"{rate} presses a second")
                    continue
                _say(f"{rate} presses a second")
                loads.append(loaded(place, rate))
    results = {
        "machine": {**about, "load_after": load()},
        "quick": arguments.quick,
        "goals": {"health_milliseconds": 1000 * HEALTH, "memory_mb": MEMORY, "recovery_seconds": RECOVERY},
        "attacks": [asdict(each) for each in seen],
        "load": [asdict(each) for each in loads],
        "left_out": left_out,
    }
    if arguments.json:
        print(json.dumps(results, ensure_ascii=False, indent=2))
    else:
        shown(seen, loads)
        if left_out:
            print(f"Left out, for lack of time: {', '.join(left_out)}.")
    shut_out = [each.attack for each in seen if each.health_refused or not set(each.presses) <= {"202", "204"}]
    return int(bool(shut_out) if arguments.quick else bool(shut_out) or not all(map(_good, seen)))


def _good(seen: Seen) -> bool:
    return seen.health_worst <= 1000 * HEALTH and seen.peak_memory <= MEMORY and seen.recovery <= RECOVERY


@contextmanager
def running(size: Size) -> Iterator[Place]:
    """Run a sandbox and the embedded service before it, with one route that is open to anybody."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bridge-abuse-")))
        shutil.copytree(schemas_folder(), folder / "schemas")
        data_type = next(each for each in example_app().data_types if each.members)
        (folder / "schemas" / "regnestykke.xsd").write_text(xsd(data_type), "utf-8")
        (folder / "routes").mkdir()
        (folder / "routes" / "open.yaml").write_text(_ROUTE, "utf-8")
        outside = Outside(stack.enter_context(sandbox()).url)
        databases = stack.enter_context(sqlite_databases())
        environ = {
            **outside.settings,
            "BRIDGE_DATABASE_URL": databases.make(),
            "BRIDGE_LISTEN": free_address(),
            "BRIDGE_SCHEMAS": str(folder / "schemas"),
            "BRIDGE_ROUTES": str(folder / "routes"),
        }
        process, *_ = stack.enter_context(service(environ, workers=0))
        place = Place(outside, process, size)
        for _ in range(8):
            place.press(place.button())
        yield place


def shown(seen: Sequence[Seen], loads: Sequence[Load]) -> None:
    """Print what was measured."""
    heads = ["while", "health, worst ms", "a press, worst ms", "presses answered", "peak MB", "recovery s"]
    draw(
        heads,
        [
            [
                each.attack,
                f"{each.health_worst:.0f}" + (f" ({each.health_refused} refused)" if each.health_refused else ""),
                f"{each.press_worst:.0f}",
                _words(each.presses),
                f"{each.peak_memory:.0f}",
                f"{each.recovery:.1f}",
            ]
            for each in seen
        ],
    )
    print(f"\nGoals: health {1000 * HEALTH:.0f} ms, memory {MEMORY:.0f} MB, recovery {RECOVERY:.0f} s.\n")
    if loads:
        heads = ["presses a second", "answered", "p50 / p99 ms", "finished a second", "health, worst ms"]
        draw(
            heads,
            [
                [
                    str(each.rate),
                    _words(each.answers),
                    f"{each.answered.p50:.0f} / {each.answered.p99:.0f}",
                    f"{each.finished_per_second:.1f}",
                    f"{each.health_worst:.0f}",
                ]
                for each in loads
            ],
        )


def _words(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} × {status}" for status, count in counted.items())


def _say(what: str) -> None:
    print(f"measuring: {what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
