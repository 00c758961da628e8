"""One log for all: JSON, masked, whoever writes."""

import io
import json
import logging
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog

from bridge import logs

SECRET = "Kanarinavn-Olsen"
NUMBER = "018101 00000"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is said while a test lasts; whoever listened before listens again afterwards."""
    named = {name: logging.getLogger(name) for name in logs.QUIET}
    before = {name: (each.handlers[:], each.level, each.propagate) for name, each in named.items()}
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning)
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("DEBUG", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, (its, how, up) in before.items():
        named[name].handlers[:], named[name].propagate = its, up
        named[name].setLevel(how)
    sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = hooks


def said(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_librarys_values_are_left_out(lines: io.StringIO) -> None:
    """A template is kept without what was put into it, an f-string up to its first value."""
    logging.getLogger("gunicorn.error").warning("Invalid request from ip=%s: %s", "127.0.0.1", SECRET)
    logging.getLogger("dbos").error(f"Queue thread failed: {SECRET}")  # noqa: G004 - as the engine writes
    logging.getLogger("apscheduler.scheduler").warning(SECRET.upper())

    assert SECRET.casefold() not in lines.getvalue().casefold()
    assert [line["message"] for line in said(lines)] == [
        "Invalid request from ip=%s: %s",
        "Queue thread failed: …",
        "…",
    ]
    assert all(str(line["at"]).startswith("test_logs:test_a_librarys_values_are_left_out:") for line in said(lines))


def test_processes_exit_codes_and_signals_stay_beside_the_words(lines: io.StringIO) -> None:
    """They are nobody's, and without them nobody knows how a process ended. Longer numbers may be somebody's."""
    library = logging.getLogger("gunicorn.error")

    library.error("Worker (pid:%s) exited with code %s", 4711, 3)
    library.error("Worker (pid:%s) was sent %s!", 4711, "SIGKILL")
    library.error("somebody: %s, %s", 1810100000, SECRET)

    assert [line.get("with") for line in said(lines)] == [[4711, 3], [4711, "SIGKILL"], None]
    assert said(lines)[0]["message"] == "Worker (pid:%s) exited with code %s"
    assert "1810100000" not in lines.getvalue()


def test_errors_show_type_and_place(lines: io.StringIO) -> None:
    """Neither an error's text nor its traceback is written, by whatever way it comes."""

    def fail() -> None:
        raise ValueError(SECRET)

    try:
        fail()
    except ValueError:
        logging.getLogger("sqlalchemy.pool").exception("Exception during reset or similar")
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    warnings.showwarning(UserWarning(SECRET), UserWarning, "somewhere/file.py", 7)

    handled, uncaught, warned = said(lines)
    assert SECRET not in lines.getvalue()
    assert (handled["error"], uncaught["error"], warned["category"]) == ("ValueError", "ValueError", "UserWarning")
    assert "fail:" in str(handled["raised_at"])
    assert "fail:" in str(uncaught["at"])
    assert warned["at"] == "file.py:7"


def test_numbers_are_masked_in_our_own_lines(lines: io.StringIO) -> None:
    """The last net holds for values that we write ourselves."""
    structlog.get_logger("bridge.test").info("a sentence", where=f"for {NUMBER}", what={"one": [NUMBER]})

    (line,) = said(lines)
    assert line["where"] == "for ***********"
    assert NUMBER not in lines.getvalue()


def test_the_engine_writes_into_our_log() -> None:
    """The engine, imported after the log was made, keeps its handler, and quotes no SQL and no parameters."""
    script = """
        import logging, sys
        from bridge import logs
        logs.configure("DEBUG")
        import dbos
        logging.getLogger("dbos").error(f"Exception in queue: [SQL: INSERT] [parameters: ('{sys.argv[1]}',)]")
        raise RuntimeError(sys.argv[1])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), SECRET], capture_output=True, text=True, timeout=60, check=False
    )

    assert SECRET not in done.stdout + done.stderr
    assert [json.loads(line)["level"] for line in done.stdout.splitlines()] == ["error", "critical"]
    assert done.stderr == ""
