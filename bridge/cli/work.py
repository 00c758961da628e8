"""``bridge work``: one more worker."""

import click


@click.command()
def work() -> None:
    """Run operations that `bridge serve` accepted; needs PostgreSQL. Start as many as wished, anywhere."""
    import os
    import signal
    import threading

    from bridge.core.errors import ConfigurationError, Fault
    from bridge.logs import configure
    from bridge.settings import Settings
    from bridge.wiring import prepare_database, wire
    from bridge.worker import Running

    settings = Settings.from_environ(os.environ)
    if settings.database_url.startswith("sqlite"):
        raise ConfigurationError(
            [
                Fault(
                    where="BRIDGE_DATABASE_URL",
                    message="the embedded store has one worker, inside `bridge serve`; use PostgreSQL for more",
                )
            ]
        )
    configure(settings.log_level)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    prepare_database(settings)
    running = Running(wire(settings))
    running.start()
    stop.wait()
    running.stop()
