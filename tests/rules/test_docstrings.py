"""Docstrings tell what comes out, or what is done to which object, from their first word on."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "bridge"

EMPTY_WORDS = {"Read", "Write", "Find", "Say", "Give"}
"""Nearly everything reads or finds something: these words tell neither what comes out nor what is changed."""


def test_no_docstring_begins_with_an_empty_word() -> None:
    """Neither of ours nor of the sandbox's."""
    empty = {
        f"{path.relative_to(PACKAGE)} {name}: {docstring.splitlines()[0]}"
        for path in PACKAGE.rglob("*.py")
        for name, docstring in docstrings(ast.parse(path.read_text("utf-8")))
        if docstring.split(maxsplit=1)[0].rstrip(",.:;") in EMPTY_WORDS
    }

    assert empty == set()


def docstrings(tree: ast.Module) -> list[tuple[str, str]]:
    """Every docstring of a module, its classes and functions, with the name of what has it."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    having = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return [(getattr(node, "name", "module"), text) for node in having if (text := ast.get_docstring(node))]
