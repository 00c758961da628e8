"""``altinn-bridge work``: one more worker."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # It brings the schemas' folder, which nobody waits for who asks for help.
    from bridge.config.settings import Settings


@click.command()
def work() -> None:
    """Run operations that `altinn-bridge serve` accepted; needs PostgreSQL. Start as many as wished, anywhere."""
    import os
    import signal
    import threading

    from bridge.config.settings import Settings
    from bridge.logs import configure
    from bridge.starting import say_parts, say_start, told_in_the_log
    from bridge.web.probes import probed
    from bridge.wiring import prepare_database, wire
    from bridge.worker import WorkerProcess

    configure("info")
    stop = threading.Event()
    with told_in_the_log():
        settings = Settings.from_environ(os.environ)
        configure(settings.log_level)
        _refuse_embedded(settings)
        say_start("altinn-bridge work", settings)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: stop.set())
        prepare_database(settings)
        bridge = wire(settings)
        running = WorkerProcess(bridge)
        say_parts(bridge)
        running.start()
    with probed(running.bridge, settings.health_listen):
        stop.wait()
        running.stop()


def _refuse_embedded(settings: "Settings") -> None:
    from bridge.core.errors import ConfigurationError, Fault

    if settings.database_url.startswith("sqlite"):
        message = "the embedded store has one worker, inside `altinn-bridge serve`; use PostgreSQL for more"
        raise ConfigurationError([Fault(where="BRIDGE_DATABASE_URL", message=message)])
