"""Modules and functions stay short enough to be read at once, and imports run one way."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import grimp
import pytest

PACKAGE = Path(__file__).parents[2] / "bridge"
LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
ALL_BUT_ONE_IN_A_HUNDRED = 40
TYPICAL_BODY = 6

TABLES = {"core/texts/findings.py", "core/texts/problems.py"}
"""Flat tables, which read best whole."""

LONG_MODULES: set[str] = set()
"""Still too long. Take out what was divided; put nothing in."""

LONG_FUNCTIONS = {"storage/migrations/versions/0001_first.py upgrade"}
"""A migration that databases have run never changes; this one is flat, table after table. Put nothing in."""


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}


def test_no_module_is_longer_than_the_eye_holds(sources: dict[str, str]) -> None:
    """Beside the tables that read best whole; the list of what is still too long only shrinks."""
    long = {name for name, text in sources.items() if len(text.splitlines()) > LONGEST_MODULE}

    assert long - TABLES - LONG_MODULES == set()
    assert (TABLES | LONG_MODULES) - long == set(), "short enough by now: take it out of the list"


def test_no_function_is_longer_than_a_page(sources: dict[str, str]) -> None:
    """From its ``def`` to its last line, with docstring and comments."""
    long = {
        f"{name} {function.name}"
        for name, text in sources.items()
        for function in functions(text)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    }

    assert long - LONG_FUNCTIONS == set()
    assert LONG_FUNCTIONS - long == set(), "short enough by now: take it out of the list"


def test_most_functions_are_short(sources: dict[str, str]) -> None:
    """
    Of every hundred one may be longer than a look takes in; half of the bodies have six lines or fewer.

    Lengths are counted as above, from the ``def``; bodies from the line behind it, with docstring and comments.
    """
    lengths = [
        (function.end_lineno or 0) - function.lineno + 1 for text in sources.values() for function in functions(text)
    ]
    long = [length for length in lengths if length > ALL_BUT_ONE_IN_A_HUNDRED]

    assert len(lengths) > 1000
    assert len(long) <= len(lengths) // 100, long
    assert median(lengths) - 1 <= TYPICAL_BODY


def test_imports_run_in_no_circle() -> None:
    """
    Neither between the parts of a package nor between modules; an ``__init__`` that re-exports is left out.

    An import within a function or for the type checker alone counts as any other.
    """
    graph = grimp.build_graph("bridge", cache_dir=None)
    packages = [module for module in graph.modules if graph.find_children(module)]

    assert {package for package in packages if has_circle(graph, package)} == set()


def functions(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def has_circle(graph: grimp.ImportGraph, package: str) -> bool:
    """Whether parts of *package*, each with all that is in it, import each other in a circle."""
    part_of = {
        module: part for part in graph.find_children(package) for module in (part, *graph.find_descendants(part))
    }
    arrows: dict[str, set[str]] = {}
    for module, part in part_of.items():
        imported = {part_of.get(each, part) for each in graph.find_modules_directly_imported_by(module)}
        arrows.setdefault(part, set()).update(imported - {part})
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError:
        return True
    return False
