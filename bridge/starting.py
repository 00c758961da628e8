"""What a process says of itself when it starts, and why it does not."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

import sqlalchemy as sa
import structlog

from bridge.config.mapping_limits import stranding
from bridge.config.settings import Settings
from bridge.core.errors import ConfigurationError, UpstreamError, place_of
from bridge.parts import Bridge
from bridge.storage.opening import unopened

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.start")

AWAY, WRONG = 1, 2
"""What a process ends with that could not start: something is away, or set up wrongly."""


@contextmanager
def told_in_the_log(
    *, away: int = AWAY, wrong: int = WRONG, tells: Callable[[], bool] = lambda: True
) -> Iterator[None]:
    """
    End the process with a line in the log for each reason why it cannot start; nothing is written beside the log.

    *tells* is asked whether this process tells them, where several start alike.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody reads it but in the log
        ends, sentence, reasons = _reasons(error)
        for reason in reasons if tells() else ():
            log.critical(sentence, **reason)
        raise SystemExit(wrong if ends == WRONG else away) from None


def _reasons(error: Exception) -> tuple[int, str, list[dict[str, str]]]:
    """What a process ends with that met *error* at its start, in what a sentence says so, and the values beside it."""
    match error:
        case ConfigurationError():
            faults = [{"where": fault.where, "fault": fault.message} for fault in error.faults]
            return WRONG, "it cannot start: the configuration has a fault", faults
        case UpstreamError():
            return AWAY, "it cannot start: what it needs is away", [{"system": error.system, "why": error.detail}]
        case sa.exc.SQLAlchemyError():
            reason = unopened(error)
            ends = WRONG if isinstance(reason, ConfigurationError) else AWAY
            return ends, "it cannot start: its database fails", [{"why": str(reason)}]
        case _:
            # Its text may hold anything, and gunicorn would print it.
            return (
                AWAY,
                "it cannot start: an unforeseen error",
                [{"error": type(error).__name__, "at": place_of(error)}],
            )


def say_start(what: str, settings: Settings, *, listens: Sequence[str] = ()) -> None:
    """Log which process starts, where it listens, and what it talks to. No address has a password in it."""
    log.info(
        "it starts",
        process=what,
        version=version("altinn-dialog-bridge"),
        environment=settings.environment.value,
        database=_database(settings.database_url),
        worker=settings.worker.value,
        **({"listens": list(listens), "public_url": settings.public_url} if listens else {}),
    )
    log.info(
        "it talks to",
        altinn2=settings.altinn2_url,
        altinn2_login=settings.altinn2_login.value,
        altinn3_apps=settings.altinn3_apps_url,
        platform=settings.platform_url,
        dialogporten=settings.dialogporten_url,
        issuer=settings.dialogporten_issuer,
        maskinporten=settings.maskinporten_url,
    )


def say_parts(bridge: Bridge) -> None:
    """Log which services and apps it knows, by their files."""
    for mapping in bridge.mappings.values():
        altinn2, altinn3 = mapping.altinn2, mapping.altinn3
        log.info(
            "it serves",
            service=mapping.service_resource,
            altinn2=None if altinn2 is None else f"{altinn2.service_code}/{altinn2.service_edition}",
            altinn3=None if altinn3 is None else f"{altinn3.org}/{altinn3.app}",
            actions=list(mapping.actions),
            file=mapping.source,
        )
    for route in bridge.routes.values():
        log.info(
            "it leads to an app",
            app=route.name,
            token=route.token.value,
            data_types=list(route.data_types),
            file=route.source,
        )
    settings = bridge.settings
    for mapping in bridge.mappings.values():
        for note in stranding(mapping, max_put=settings.altinn2_max_put, max_body=settings.max_body):
            log.warning("a mapping promises attachments that are too large", note=note)


def _database(url: str) -> str:
    parts = sa.make_url(url)
    if parts.get_backend_name() == "sqlite":
        return f"sqlite {parts.database}"
    return f"postgresql {parts.host or 'local'}{f':{parts.port}' if parts.port else ''}/{parts.database or ''}"
