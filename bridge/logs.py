"""Logs: one JSON object a line on standard output, and nothing personal in it."""

import logging
import sys
from typing import Any

import orjson
import structlog

from bridge.core.ids import mask_identity_numbers


def configure(level: str) -> None:
    """Send our own log and that of the libraries to standard output, from *level* up."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", key="@timestamp"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _only_the_type_of_exceptions,
                structlog.processors.EventRenamer("message"),
                _line,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # urllib3's lines hold whole URLs; its level is set where sessions are made.
    for noisy in ("apscheduler", "alembic", "dbos"):
        logging.getLogger(noisy).setLevel(max(number, logging.WARNING))
        logging.getLogger(noisy).handlers.clear()
        logging.getLogger(noisy).propagate = True


def _only_the_type_of_exceptions(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    # A traceback shows the values of the moment; where it happened is said by whoever logs.
    error = event.pop("exc_info", None)
    if isinstance(error, tuple) and error[0] is not None:
        event["error"] = error[0].__name__
    return event


def _line(_: Any, __: str, event: structlog.typing.EventDict) -> str:
    # The last net: what looks like a national identity number leaves no process, whichever library wrote it.
    return mask_identity_numbers(orjson.dumps(event, default=repr).decode())
