"""Load on an HTTP server, and what it took: open loop at a rate, or flat out."""

import http.client
import itertools
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request with an empty body."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What came of the request at *index*: its status, and seconds from when it was due until it was answered."""

    index: int
    status: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long many took, in milliseconds."""

    count: int
    p50: float
    p99: float
    mean: float
    worst: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Latency":
        """Sum *seconds* up; the percentiles are nearest-rank, so each was measured."""
        ordered = sorted(each * 1000 for each in seconds)
        return cls(
            count=len(ordered),
            p50=ordered[math.ceil(0.5 * len(ordered)) - 1],
            p99=ordered[math.ceil(0.99 * len(ordered)) - 1],
            mean=sum(ordered) / len(ordered),
            worst=ordered[-1],
        )


def at_rate(url: str, requests: Sequence[Request], *, rate: float, clients: int = 32) -> list[Timed]:
    """
    Send *rate* requests a second whatever comes back, each client on a connection of its own.

    Time counts from when a request was due: one that had to wait for a client waited all the same.
    """
    begin = time.perf_counter() + 0.1
    return _send(url, requests, due=lambda index: begin + index / rate, clients=clients)


def flat_out(url: str, requests: Sequence[Request], *, clients: int) -> tuple[list[Timed], float]:
    """Let each of so many *clients* send its next request as soon as its last is answered; gives requests a second."""
    begin = time.perf_counter()
    timed = _send(url, requests, due=lambda _: time.perf_counter(), clients=clients)
    return timed, len(requests) / (time.perf_counter() - begin)


def _send(url: str, requests: Sequence[Request], *, due: Callable[[int], float], clients: int) -> list[Timed]:
    numbers, lock = itertools.count(), threading.Lock()
    timed: list[Timed] = []
    faults: list[BaseException] = []

    def client() -> None:
        # http.client costs a third of requests: the load shares the cores with what it measures.
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        try:
            while not faults:
                with lock:
                    index = next(numbers)
                if index >= len(requests):
                    return
                moment = due(index)
                time.sleep(max(0.0, moment - time.perf_counter()))
                request = requests[index]
                connection.request(request.method, request.path, headers=dict(request.headers))
                answer = connection.getresponse()
                answer.read()
                timed.append(Timed(index=index, status=answer.status, seconds=time.perf_counter() - moment))
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that asked
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(min(clients, len(requests)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return sorted(timed, key=lambda each: each.index)
