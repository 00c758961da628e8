"""Rows as a command prints them while they come: a table for people, JSON lines or CSV for machines."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from bridge.cli.end_users import printable
from bridge.core.ids import mask_identity_numbers

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_Item = TypeVar("_Item")
Writer = Callable[[Sequence[_Item]], None]
Cell = Callable[[_Item, str], str]


def json_lines(items: Iterable[Mapping[str, Any]]) -> None:
    """Print each as it is, one to a line."""
    for each in items:
        click.echo(json.dumps(each, ensure_ascii=False, separators=(",", ":")))


class _Array:
    """Writes one JSON array, an item to a line, while they come."""

    def __init__(self) -> None:
        self._begun = False

    def __call__(self, items: Iterable[Mapping[str, object]]) -> None:
        for each in items:
            click.echo("[" if not self._begun else ",")
            click.echo(json.dumps(each, ensure_ascii=False), nl=False)
            self._begun = True

    def end(self) -> None:
        """Close it, also where an error broke it off: what was printed stays readable."""
        click.echo("\n]" if self._begun else "[]")


@contextmanager
def writing(shape: str, *, table: "Table", csv: "Csv") -> Iterator[Writer[Mapping[str, object]]]:
    """What writes rows as *shape* (``shapes.ROWS``); *table* and *csv* are for those two."""
    if shape != "json":
        writers: Mapping[str, Writer[Mapping[str, object]]] = {"table": table, "jsonl": json_lines, "csv": csv}
        yield writers[shape]
        return
    array = _Array()
    try:
        yield array
    finally:
        array.end()


class Csv:
    """Writes rows as a spreadsheet reads them, and the heading before the first."""

    def __init__(self, columns: Sequence[str], cell: Cell[Any]) -> None:
        self._columns, self._cell, self._begun = columns, cell, False

    def __call__(self, items: Sequence[object]) -> None:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        if not self._begun:
            writer.writerow(self._columns)
            self._begun = True
        for each in items:
            writer.writerow([_harmless(self._cell(each, name)) for name in self._columns])


class Table:
    """
    Prints a table for people, page by page with the same columns; without a terminal one line each, with tabs.

    *columns* are headings with their widths; None is what is left. National identity numbers are hidden: tables end in
    tickets and screenshots.
    """

    def __init__(self, columns: Mapping[str, int | None], cell: Cell[Any]) -> None:
        self._columns, self._cell, self._begun = columns, cell, False

    def __call__(self, items: Sequence[object]) -> None:
        from rich.console import Console
        from rich.table import Table as Grid
        from rich.text import Text

        console = Console()
        rows = [[self._shown(each, name) for name in self._columns] for each in items]
        if not console.is_terminal:
            for row in rows:
                click.echo("\t".join(row))
            return
        grid = Grid(box=None, show_header=not self._begun, pad_edge=False)
        for heading, width in self._columns.items():
            grid.add_column(heading, width=width, no_wrap=width is not None, overflow="ellipsis")
        for row in rows:
            grid.add_row(*map(Text, row))
        self._begun = True
        console.print(grid)

    def _shown(self, item: object, name: str) -> str:
        return printable(mask_identity_numbers(self._cell(item, name)))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
