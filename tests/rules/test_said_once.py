"""What a sender or an operator is told in the same words is made in one place."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "bridge"


def test_a_form_is_refused_in_one_place() -> None:
    """The code and the status of what a sender can mend in a form stand together once."""
    assert spoken("form_invalid", by={"Refusal", "Problem"}) == ["core/problems.py"]


def test_the_no_of_altinn_2_is_logged_in_one_place() -> None:
    """Whoever searches the log for it finds all of them, with the same fields."""
    levels = {"debug", "info", "warning", "error", "critical"}

    assert spoken("refused by Altinn 2", by=levels) == ["steps/drivers/altinn2/refusals.py"]


def spoken(words: str, *, by: set[str]) -> list[str]:
    """The modules of the calls of a function or class in *by* that are given *words*, one for each call."""
    return [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in by
        for given in (*node.args, *(each.value for each in node.keywords))
        if isinstance(given, ast.Constant) and given.value == words
    ]
