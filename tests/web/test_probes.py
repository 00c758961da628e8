"""What a process tells that serves nothing else."""

import os
import socket
import threading
from collections.abc import Iterator

import pytest
import requests
from structlog.testing import capture_logs

from bridge.web.probes import probed
from tests.web.proxying import SUM, Proxying


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxying]:
    made = Proxying(tmp_path_factory.mktemp("probes"), {SUM: "token: caller\n"})
    yield made
    made.close()


@pytest.fixture(params=["127.0.0.1", "[::1]"])
def free(request: pytest.FixtureRequest) -> str:
    host: str = request.param
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host.strip("[]"), 0), family=family) as taken:
            return f"{host}:{taken.getsockname()[1]}"
    except OSError:
        if os.environ.get("CI"):
            raise
        pytest.skip("this machine has no such address")


def test_a_worker_is_alive_and_counts(stage: Proxying, free: str) -> None:
    """Its own measurements, and nothing that it does not do; afterwards the address is free."""
    stage.bridge.metrics.finished.labels("a", free, "done", "").inc()
    with probed(stage.bridge, free):
        alive = requests.get(f"http://{free}/health/liveness", timeout=10)
        told = requests.get(f"http://{free}/metrics", timeout=10)
        other = requests.get(f"http://{free}/openapi.json", timeout=10)

    assert (alive.status_code, alive.json(), other.status_code) == (200, {"status": "up"}, 404)
    assert f'bridge_operations_finished_total{{action="{free}",outcome="done",problem="",service="a"}} 1.0' in told.text
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{free}/health/liveness", timeout=10)


def test_a_taken_address_stops_no_work(stage: Proxying) -> None:
    """Several may share their settings on one machine; which answers no probes says so."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        capture_logs() as lines,
        probed(stage.bridge, f"127.0.0.1:{taken.getsockname()[1]}"),
    ):
        pass

    assert [each["event"] for each in lines] == ["it answers no probes: their address cannot be had"]


def test_nobody_is_answered_unasked(stage: Proxying) -> None:
    """Without the setting no address is opened."""
    with probed(stage.bridge, None):
        assert "bridge-probes" not in [each.name for each in threading.enumerate()]
