"""``/health/liveness`` and ``/metrics`` of a process that serves nothing else: ``altinn-bridge work``."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from flask import Flask

from bridge.parts import Bridge
from bridge.web.health import liveness, metrics

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.web")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind, and ask no name server for the host's name, as the base class does."""
        TCPServer.server_bind(self)
        host, port = self.socket.getsockname()[:2]
        self.server_name, self.server_port = host, port
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log that a probe broke off; the base class prints a traceback with its address."""
        del request, client_address
        error = sys.exc_info()[1]
        log.info("a probe was not answered", error=type(error).__name__)


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Log nothing: a probe comes every few seconds."""


@contextmanager
def probed(bridge: Bridge, address: str | None) -> Iterator[None]:
    """
    Answer probes at *address*, if there is one, meanwhile.

    Where another process has it, as where several share their settings on one machine, work goes on without.
    """
    if address is None:
        yield
        return
    host, _, port = address.rpartition(":")
    kind = _Server6 if ":" in host else _Server
    app = Flask("bridge.work", static_folder=None)
    app.extensions["bridge"] = bridge
    app.add_url_rule("/health/liveness", view_func=liveness)
    app.add_url_rule("/metrics", view_func=metrics)
    try:
        server = make_server(host.strip("[]"), int(port), app, server_class=kind, handler_class=_Handler)
    except OSError as error:
        log.warning("it answers no probes: their address cannot be had", address=address, error=type(error).__name__)
        yield
        return
    thread = threading.Thread(target=server.serve_forever, name="bridge-probes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
