"""``altinn-bridge serve``: the service under its production server."""

import click


@click.command()
def serve() -> None:
    """
    Run the service, set up by BRIDGE_* variables (docs/settings.md).

    On the embedded store it also does the work; on PostgreSQL run `altinn-bridge work` beside it, unless
    BRIDGE_WORKER=embedded.
    """
    import os

    from bridge.config.settings import Settings
    from bridge.logs import configure
    from bridge.serving import run
    from bridge.starting import told_in_the_log

    configure("info")
    with told_in_the_log():
        settings = Settings.from_environ(os.environ)
        configure(settings.log_level)
        run(settings)
