"""Call an operator where a system refuses the bridge itself: nobody who pressed a button can do anything about it."""

import sqlalchemy as sa
import structlog

from bridge.core.errors import CredentialsRefused
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
    try:
        bridge.alarms.raised(error.system, error.detail)
    except sa.exc.SQLAlchemyError as failed:
        # Logged and counted it is; the database has alarms of its own.
        log.warning("an alarm was not written down", error=type(failed).__name__)
