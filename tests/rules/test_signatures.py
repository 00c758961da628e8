"""From four parameters on, the fourth and those after it are given by name."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "bridge"
MOST_BY_PLACE = 3

FOREIGN = {
    "connections.py __init__",
    "connections.py handle_error",
    "logs.py _warned",
    "sandbox/in_process.py send",
    "serving.py _say",
}
"""Somebody else calls them by place: libraries whose methods they stand for."""

EXPORTED = {"sandbox/core/tokens.py issue"}
"""Tests outside this repository call it by place: tests/sandbox/test_exported.py."""


def test_no_call_needs_a_count_of_its_arguments() -> None:
    """In whatever order they stand, the fourth argument of a call has its name before it."""
    by_place = {
        f"{path.relative_to(PACKAGE).as_posix()} {function.name}"
        for path in PACKAGE.rglob("*.py")
        for function, taken in signatures(ast.parse(path.read_text("utf-8")))
        if taken > MOST_BY_PLACE
    }

    assert by_place - FOREIGN - EXPORTED == set()
    assert (FOREIGN | EXPORTED) - by_place == set(), "is no longer so: take it out of the list"


def signatures(tree: ast.Module) -> list[tuple[ast.FunctionDef, int]]:
    """Every function, with how many arguments it takes by place; the object that a method belongs to is none."""
    methods = {
        id(function)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for function in node.body
        if isinstance(function, ast.FunctionDef) and "staticmethod" not in map(ast.unparse, function.decorator_list)
    }
    return [
        (node, len(node.args.posonlyargs + node.args.args) - (id(node) in methods))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]
