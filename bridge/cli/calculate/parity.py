"""Many forms through two apps: where the results differ, by path and number of forms. Resumable, in flat memory."""

import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from bridge.cli.calculate.apps import Refused, Target, compared, converter_of, why_not
from bridge.forms.conversion.converter import Unconvertible
from bridge.forms.xml.input import Unreadable
from bridge.web.proxy.report import WORDS

_INDEX = re.compile(r"\[\d+\]|/\d+(?=/|$)")
_SAY_EVERY = 2.0
_NO_ANSWER = "not answered"
_TOO_MANY = 20
EXAMPLES = 3
"""So many forms are named for each difference."""
NAMED = 500
"""So many forms that were not compared are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """One form's outcome; paths without row numbers, and no values."""

    name: str
    outcome: str
    places: frozenset[tuple[str, str]]
    why: str = ""
    """Which app said what, where one gave no form."""


class Parity:
    """
    A run over a folder, kept in the SQLite file *results* so that it can go on where it was stopped.

    Without *results* it is kept in memory for the time of the run.
    """

    def __init__(self, results: Path | None, apps: Sequence[Target], *, schema: Path | None) -> None:
        self._apps, self._converter, self._unanswered = apps, converter_of(schema), 0
        self._db = sqlite3.connect(results or ":memory:")
        self._db.executescript(
            "CREATE TABLE IF NOT EXISTS about (what TEXT PRIMARY KEY, value TEXT);"
            "CREATE TABLE IF NOT EXISTS forms (name TEXT PRIMARY KEY, outcome TEXT) WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS places (path TEXT, change TEXT, forms INTEGER, PRIMARY KEY (path, change));"
            "CREATE TABLE IF NOT EXISTS examples (path TEXT, change TEXT, name TEXT, PRIMARY KEY (path, change, name));"
            "CREATE TABLE IF NOT EXISTS reasons (name TEXT PRIMARY KEY, why TEXT) WITHOUT ROWID;"
        )
        self._hold_to_the_same_run()

    def __enter__(self) -> "Parity":
        """Run inside."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep what was done, and close."""
        self._db.commit()
        self._db.close()

    def _hold_to_the_same_run(self) -> None:
        caller = self._apps[0].caller
        now = "\n".join([*(f"{app.name} {app.url}" for app in self._apps), caller.data_type])
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO about VALUES ('run', ?)", (now,))
        (before,) = self._db.execute("SELECT value FROM about WHERE what = 'run'").fetchone()
        if before != now:
            raise click.UsageError("The results are of another run (other apps or data type): name another file.")

    def run(self, folder: Path, *, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Send every form of *folder* that is not done yet through both apps; *clock* times what is told of it."""
        total = sum(1 for _ in _forms(folder))
        (done,) = self._db.execute("SELECT count(*) FROM forms WHERE outcome <> ?", (_NO_ANSWER,)).fetchone()
        progress = Progress(total, done, clock=clock)
        todo = (path for path in _forms(folder) if not self._is_done(path.name))
        with ThreadPoolExecutor(at_once) as pool:
            running: set[Future[_Compared]] = set()
            for path in todo:
                running.add(pool.submit(self._compare, path))
                if len(running) >= 2 * at_once:
                    running = self._kept(running, progress)
                if self._unanswered >= _TOO_MANY:
                    click.echo("The apps do not answer; what is done is kept where --results says.", err=True)
                    break
            while running:
                running = self._kept(running, progress)
        progress.end()

    def summary(self) -> dict[str, Any]:
        """Sum up what is known of all forms, also of those from before."""
        outcomes = dict(self._db.execute("SELECT outcome, count(*) FROM forms GROUP BY outcome ORDER BY 2 DESC"))
        places = self._db.execute("SELECT path, change, forms FROM places ORDER BY forms DESC, path, change")
        return {
            "apps": [app.name for app in self._apps],
            "dataType": self._apps[0].caller.data_type,
            "total": sum(outcomes.values()),
            "forms": outcomes,
            "differences": [{"path": path, "change": change, "forms": forms} for path, change, forms in places],
        }

    def examples(self) -> dict[tuple[str, str], list[str]]:
        """Name some forms for each difference."""
        found: dict[tuple[str, str], list[str]] = {}
        for path, change, name in self._db.execute("SELECT path, change, name FROM examples ORDER BY name"):
            found.setdefault((path, change), []).append(name)
        return found

    def others(self) -> list[tuple[str, str, str]]:
        """Name the forms that were not compared, at most so many, each with its outcome and why."""
        rows = self._db.execute(
            "SELECT name, outcome, coalesce(why, '') FROM forms LEFT JOIN reasons USING (name) "
            "WHERE outcome NOT IN ('same', 'different') ORDER BY outcome, name LIMIT ?",
            (NAMED,),
        )
        return list(rows)

    def _is_done(self, name: str) -> bool:
        row = self._db.execute("SELECT outcome FROM forms WHERE name = ?", (name,)).fetchone()
        return row is not None and row[0] != _NO_ANSWER

    def _kept(self, running: set[Future[_Compared]], progress: "Progress") -> set[Future[_Compared]]:
        done, rest = wait(running, return_when=FIRST_COMPLETED)
        with self._db:
            for each in done:
                compared = each.result()
                self._unanswered = self._unanswered + 1 if compared.outcome == _NO_ANSWER else 0
                self._db.execute("INSERT OR REPLACE INTO forms VALUES (?, ?)", (compared.name, compared.outcome))
                self._db.executemany(
                    "INSERT INTO places VALUES (?, ?, 1) ON CONFLICT (path, change) DO UPDATE SET forms = forms + 1",
                    sorted(compared.places),
                )
                self._db.executemany(
                    "INSERT OR IGNORE INTO examples SELECT ?1, ?2, ?3 "
                    "WHERE (SELECT count(*) FROM examples WHERE path = ?1 AND change = ?2) < ?4",
                    [(*place, compared.name, EXAMPLES) for place in sorted(compared.places)],
                )
                self._db.execute("INSERT OR REPLACE INTO reasons VALUES (?, ?)", (compared.name, compared.why))
        progress.step(len(done))
        return rest

    def _compare(self, path: Path) -> _Compared:
        form = path.read_bytes()
        answers: list[bytes] = []
        refused: list[str] = []
        statuses: list[str] = []
        for app in self._apps:
            try:
                answers.append(app.calculate(form, as_json=True))
            except Refused as error:
                refused.append("no answer" if error.status is None else str(error.status))
                statuses.append(f"{app.name} {'–' if error.status is None else error.status}")
        if refused:
            alike = len(refused) == len(self._apps) and len(set(refused)) == 1 and refused[0] != "no answer"
            outcome = "refused alike" if alike else "refused" if "no answer" not in refused else _NO_ANSWER
            why = "; ".join(statuses)
            return _Compared(name=path.name, outcome=outcome, places=frozenset(), why=why)
        try:
            found = compared(answers[0], answers[1], self._converter)
        except (Unreadable, Unconvertible, ValueError) as error:
            why = why_not((answers[0], answers[1]), [app.name for app in self._apps], error)
            return _Compared(name=path.name, outcome="not comparable", places=frozenset(), why=why)
        places = frozenset((_INDEX.sub("[*]", each.path), WORDS[each.change]) for each in found)
        return _Compared(name=path.name, outcome="different" if places else "same", places=places)


def _forms(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file() and entry.name.lower().endswith((".xml", ".json")):
                yield Path(entry.path)


class Progress:
    """Says how far it is, on the terminal in one line, else a plain line now and then."""

    def __init__(self, total: int, done: int, *, clock: Callable[[], float]) -> None:
        self._total, self._done, self._new, self._clock = total, done, 0, clock
        self._began = self._said = clock()
        self._terminal = sys.stderr.isatty()

    def step(self, count: int) -> None:
        """Count forms that are done."""
        self._new += count
        now = self._clock()
        if now - self._said >= (0.2 if self._terminal else _SAY_EVERY):
            self._said = now
            self._say(now)

    def end(self) -> None:
        """Print the count a last time, and end its line."""
        self._say(self._clock())
        if self._terminal:
            click.echo(err=True)

    def _say(self, now: float) -> None:
        done = self._done + self._new
        rate = self._new / max(now - self._began, 0.001)
        left = f", {(self._total - done) / rate:.0f} s left" if rate and self._total > done else ""
        text = f"{done} of {self._total} forms, {rate:.0f}/s{left}"
        click.echo(f"\r{text:<60}" if self._terminal else text, err=True, nl=not self._terminal)
