"""gunicorn around the app: one process with the worker inside on the embedded store, several on PostgreSQL."""

import contextlib
import fcntl
import gc
import logging
import os
import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from bridge.config.setting_choices import WorkerMode
from bridge.config.settings import Settings
from bridge.connections import Worker
from bridge.core.errors import ConfigurationError, Fault, UpstreamError
from bridge.pacing import Patience
from bridge.parts import Bridge
from bridge.starting import AWAY, WRONG, say_parts, say_start, told_in_the_log
from bridge.storage.database import close_database, make_private
from bridge.turned_away import LIMITS, TurnedAway
from bridge.web import cors
from bridge.web.app import create_app
from bridge.wiring import prepare_database, wire
from bridge.worker import WorkerProcess, new_scheduler, refresh_keys_regularly

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.web")


class Service:
    """One web process: the app, the keys' clock and, where settings say so, the worker."""

    def __init__(self, settings: Settings) -> None:
        bridge = wire(settings)
        self._running = WorkerProcess(bridge) if settings.worker is WorkerMode.EMBEDDED else None
        self.bridge: Bridge = bridge if self._running is None else self._running.bridge
        self.app: Flask = create_app(self.bridge)
        self._scheduler = new_scheduler()

    def start(self) -> None:
        """Fetch the keys and begin. Without keys the service is up, refuses tokens, and goes on trying."""
        try:
            self.bridge.keys.start()
        except UpstreamError as error:
            log.error("the issuer's keys could not be fetched; every token is refused until they can", why=error.detail)
        refresh_keys_regularly(self.bridge, self._scheduler)
        self._scheduler.start()
        if self._running is not None:
            self._running.start()

    def stop(self) -> None:
        """Finish what runs, and leave."""
        self._scheduler.shutdown(wait=False)
        if self._running is not None:
            self._running.stop()
        close_database(self.bridge.store.engine)


def run(settings: Settings) -> None:
    """
    Serve until told to stop.

    Raises:
        ConfigurationError: It cannot start with these settings.
        Unreachable: The database is away.
    """
    lock = lock_embedded_store(settings)
    addresses = _addresses(settings)
    refuse_taken(addresses)
    say_start("altinn-bridge serve", settings, listens=list(addresses.values()))
    prepare_database(settings)
    process = os.getpid()
    try:
        _Server(settings).run()
    except SystemExit as ended:
        if os.getpid() != process:
            raise  # A web process, by whose number gunicorn sees that no other would fare better.
        raise SystemExit(_ENDS.get(ended.code, ended.code)) from None
    finally:
        del lock


_ENDS: Mapping[object, int] = {Arbiter.APP_LOAD_ERROR: WRONG, Arbiter.WORKER_BOOT_ERROR: AWAY}
"""What gunicorn ends with where the app did not load, and what we do; why stands in the log."""


def _addresses(settings: Settings) -> dict[str, str]:
    """Where it listens, by the setting that says so."""
    given = {"BRIDGE_LISTEN": settings.listen, "BRIDGE_HEALTH_LISTEN": settings.health_listen}
    return {name: address for name, address in given.items() if address}


def refuse_taken(addresses: Mapping[str, str]) -> None:
    """
    Bind to all *addresses* for a moment, so that what gunicorn would try for seconds is told at once.

    Raises:
        ConfigurationError: Some cannot be had: another program has them, or they are not this machine's.
    """
    faults: list[Fault] = []
    with contextlib.ExitStack() as taken:
        for name, address in addresses.items():
            host, _, port = address.rpartition(":")
            host = host.strip("[]")
            try:
                family = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][0]
                listener = taken.enter_context(socket.socket(family, socket.SOCK_STREAM))
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((host, int(port)))
            except OSError as error:
                why = error.strerror or type(error).__name__
                faults.append(Fault(where=name, message=f"nobody can listen at {address}: {why}"))
    if faults:
        raise ConfigurationError(faults)


def lock_embedded_store(settings: Settings) -> IO[bytes] | None:
    """
    Keep a second service off an embedded store; the lock goes with the process.

    Raises:
        ConfigurationError: Another process has it.
    """
    path = sa.make_url(settings.database_url).database
    if not settings.database_url.startswith("sqlite") or path is None:
        return None
    lock = Path(f"{path}.lock")
    make_private(lock, setting="BRIDGE_DATABASE_URL")
    file = lock.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        message = f"another process serves from {path}; stop it, or use PostgreSQL for several"
        raise ConfigurationError([Fault(where="BRIDGE_DATABASE_URL", message=message)]) from error
    return file


class _Once:
    """Gives a yes to the one of several forked processes that asks first."""

    def __init__(self) -> None:
        # A byte that can be read once, in whichever process; behind it is the end.
        self._token, into = os.pipe()
        os.write(into, b"1")
        os.close(into)

    def __call__(self) -> bool:
        return bool(os.read(self._token, 1))


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._service: Service | None = None
        self._tells = _Once()
        """Whether this web process tells why it cannot start: what stops one stops all."""
        self._first = False
        """Whether this is the process that says what all of them know."""
        super().__init__()

    @property
    def patience(self) -> Patience:
        """How long clients are waited for."""
        return Patience(
            head=self._settings.header_timeout, silence=self._settings.body_timeout, rate=self._settings.body_rate
        )

    @property
    def turned_away(self) -> TurnedAway:
        """What writes the answers to requests that do not reach the app."""
        return TurnedAway(browsers=partial(cors.headers_for, self._settings.allowed_origins), count=self._count)

    def _count(self, code: str) -> None:
        if self._service is not None:
            self._service.bridge.metrics.refusals.labels(code).inc()
            if code == "internal":
                self._service.bridge.metrics.unexpected.labels("request").inc()

    public_addresses = 1
    """How many of the addresses are for everybody; any after them are for health alone."""

    def load_config(self) -> None:
        hooks = {"post_fork": self._forked, "post_worker_init": self._loaded, "worker_exit": self._exit}
        for name, value in {**_options(self._settings), **hooks}.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        # Runs in the worker process, after the fork: no thread or connection of ours exists before it.
        with told_in_the_log(wrong=Arbiter.APP_LOAD_ERROR, away=Arbiter.WORKER_BOOT_ERROR, tells=self._tells):
            self._service = Service(self._settings)
            if self._first:
                say_parts(self._service.bridge)
            self._service.start()
        _spare_what_stays()
        return self._service.app

    def _forked(self, _arbiter: object, worker: Any) -> None:
        self._first = worker.age == 1

    def _loaded(self, _worker: object) -> None:
        if self._first:
            # Before this nobody would be answered, and it may turn out that it cannot start.
            log.info("the service listens", addresses=list(_addresses(self._settings).values()))

    def _exit(self, _arbiter: object, _process: object) -> None:
        if self._service is not None:
            self._service.stop()


def _spare_what_stays() -> None:
    """Keep the collector from walking, in the midst of requests, the hundred thousand objects that stay."""
    gc.collect()
    gc.freeze()
    # A request makes some thousand objects, few of them in circles: the default of 700 collects several times in each.
    gc.set_threshold(10_000, 10, 10)


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "bind": list(_addresses(settings).values()),
        "worker_class": Worker,
        "workers": settings.web_processes,
        "threads": settings.threads,
        "keepalive": 30,
        "timeout": 120,
        "graceful_timeout": 30,
        "max_requests": 0,
        "preload_app": False,
        **LIMITS,
        # gunicorn believes any neighbour on this machine what path it was asked for; here only whom the operator names.
        "forwarded_allow_ips": ",".join(settings.trusted_proxies),
        "proxy_protocol": "off",
        # The control socket would lie in the home directory, and nobody asked for it.
        "control_socket_disable": True,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "logger_class": _ServerLog,
    }


_EXITED = "Worker (pid:%s) exited with code %s."
"""What gunicorn says of a web process that ended, with its number and code."""


class _ServerLog(Logger):  # type: ignore[misc]
    """
    Leaves gunicorn's own messages to the root logger, in our log's form.

    Where a web process wrote why it cannot start, gunicorn ends, and its own words for that would add nothing.
    """

    _halts = False

    def setup(self, cfg: Any) -> None:
        self.error_log.setLevel(cfg.loglevel.upper())
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.access_log.disabled = True

    def log(self, lvl: int | str, msg: object, *args: object, **kwargs: object) -> None:
        number = lvl if isinstance(lvl, int) else self.LOG_LEVELS.get(lvl.lower(), logging.INFO)
        self._say(number, msg, args, kwargs)

    def critical(self, msg: object, *args: object, **kwargs: object) -> None:
        self._say(logging.CRITICAL, msg, args, kwargs)

    def error(self, msg: object, *args: object, **kwargs: object) -> None:
        self._halts = self._halts or (msg == _EXITED and args[-1] in _ENDS)
        if not self._halts:
            self._say(logging.ERROR, msg, args, kwargs)

    def warning(self, msg: object, *args: object, **kwargs: object) -> None:
        self._say(logging.WARNING, msg, args, kwargs)

    def info(self, msg: object, *args: object, **kwargs: object) -> None:
        self._say(logging.INFO, msg, args, kwargs)

    def debug(self, msg: object, *args: object, **kwargs: object) -> None:
        self._say(logging.DEBUG, msg, args, kwargs)

    def exception(self, msg: object, *args: object, **kwargs: object) -> None:
        self._say(logging.ERROR, msg, args, {"exc_info": True, **kwargs})

    def _say(self, level: int, msg: object, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        # The place of a line is where gunicorn says it, and not here: only words of that place are written.
        self.error_log.log(level, msg, *args, **{"stacklevel": 3, **kwargs})
