"""Call an operator where a system refuses the bridge itself: nobody who pressed a button can do anything about it."""

import sqlalchemy as sa
import structlog

from bridge.core.errors import CredentialsRefused
from bridge.core.mapping import Altinn2Service
from bridge.parts import Bridge

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def alarm(bridge: Bridge, error: BaseException | None) -> None:
    """Log, count and show in ``/health/deep`` that *error*, or what caused it, is a refusal of our own credentials."""
    while error is not None and not isinstance(error, CredentialsRefused):
        error = error.__cause__
    if error is None:
        return
    log.error("the bridge's own credentials were refused", system=error.system, reason=error.reason, why=error.detail)
    bridge.metrics.credentials.labels(error.system).inc()
    _raise(bridge, error.system, error.detail)


def alarm_out_of_reach(bridge: Bridge, service: Altinn2Service) -> None:
    """
    Tell likewise that the bridge's own login is below the level of *service*.

    Under a name of its own: that Altinn 2 takes the login for other services ends nothing of it.
    """
    name = f"Altinn 2, service {service.service_code}/{service.service_edition}"
    why = "the service's level is above that of the bridge's own login"
    log.error("a service is out of the bridge's reach", system=name, why=why)
    bridge.metrics.credentials.labels(name).inc()
    _raise(bridge, name, why)


def _raise(bridge: Bridge, system: str, why: str) -> None:
    try:
        bridge.alarms.raised(system, why)
    except sa.exc.SQLAlchemyError as failed:
        # Logged and counted it is; the database has alarms of its own.
        log.warning("an alarm was not written down", error=type(failed).__name__)
