"""
Logs: one JSON object a line on standard output, whoever writes it, and nothing personal in it.

Our own lines are sentences of ours with values beside them. What a library says may quote whatever passed through it
(gunicorn a request, the engine a statement with its parameters), so of a library's line its level, its place and the
words that stand in its source are kept, and what was put into them is not.
"""

import linecache
import logging
import re
import sys
import threading
import warnings
from pathlib import Path
from types import TracebackType
from typing import IO

import orjson
import structlog

from bridge.core.errors import place_of
from bridge.core.ids import mask_identity_numbers

_SMALL = 10_000_000
"""Above every process id and exit code, and below what numbers of people and organisations are."""
_SIGNAL = re.compile(r"SIG[A-Z]{2,8}")

QUIET = ("apscheduler", "alembic", "dbos", "sqlalchemy", "urllib3")
"""Libraries whose lines are kept from WARNING up, whatever the level."""


def configure(level: str, *, stream: IO[str] | None = None) -> None:
    """
    Send everything that this process says to *stream* (standard output), from *level* up.

    Warnings of Python and errors that nobody caught, in any thread, become lines, too.
    """
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
    handler = logging.StreamHandler(sys.stdout if stream is None else stream)
    handler.setFormatter(_formatter(shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for noisy in QUIET:
        logger = logging.getLogger(noisy)
        logger.setLevel(max(number, logging.WARNING))
        # dbos, imported later, gives its logger a handler of its own where it finds none.
        logger.handlers[:] = [handler]
        logger.propagate = False
    warnings.showwarning = _warned
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _formatter(shared: list[structlog.typing.Processor]) -> logging.Formatter:
    """What makes lines of our own events and of those of the libraries, which *shared* have not seen yet."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _words_of_the_source],
        pass_foreign_args=True,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _only_type_and_place_of_exceptions,
            structlog.processors.EventRenamer("message"),
            _line,
        ],
    )


def _warned(
    message: Warning | str,  # noqa: ARG001 - may quote anything
    category: type[Warning],
    filename: str,
    lineno: int,
    file: IO[str] | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    place = f"{Path(filename).name}:{lineno}"
    structlog.get_logger("bridge.logs").warning("Python warns", category=category.__name__, at=place)


def _uncaught(kind: type[BaseException], error: BaseException | None, _trace: TracebackType | None) -> None:
    at = "" if error is None else place_of(error)
    structlog.get_logger("bridge.logs").critical("nobody caught an error", error=kind.__name__, at=at)


def _words_of_the_source(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Keep of a library's line what stands in its source: a template, or a text up to its first value."""
    record: logging.LogRecord = event["_record"]
    said = record.msg if isinstance(record.msg, str) else ""
    source = "".join(linecache.getlines(record.pathname))
    event["event"] = said if said and _as_written(said) in source else f"{_written_part(said, source)}…"
    if numbers := _harmless(event.pop("positional_args", ())):
        event["with"] = numbers
    event["at"] = f"{record.module}:{record.funcName}:{record.lineno}"
    return event


def _harmless(arguments: object) -> list[int | str]:
    """Of what was put into a library's line, the numbers and signals that are nobody's: processes, exit codes."""
    given = arguments if isinstance(arguments, tuple) else ()
    small = (each for each in given if isinstance(each, int) and abs(each) < _SMALL)
    return [*small, *(each for each in given if isinstance(each, str) and _SIGNAL.fullmatch(each))]


def _as_written(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _written_part(said: str, source: str) -> str:
    """The beginning of *said* that an f-string in *source* has before its first value."""
    return next((said[:end] for end in range(len(said), 0, -1) if f"{_as_written(said[:end])}{{" in source), "")


def _only_type_and_place_of_exceptions(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    # A traceback shows the values of the moment.
    event.pop("stack_info", None)
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"], event["raised_at"] = type(error).__name__, place_of(error)
    return event


def _line(_: object, __: str, event: structlog.typing.EventDict) -> str:
    # The last net: what looks like a national identity number leaves no process, whichever library wrote it.
    return mask_identity_numbers(orjson.dumps(event, default=lambda value: type(value).__name__).decode())
