"""``Any`` switches the type checker off: few values are handed on with it, and each of them from a library."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "bridge"
SANDBOX = "sandbox/"
"""What tests stand on is left aside, as in the coverage."""
BOUND = 250


def test_few_values_may_be_anything() -> None:
    """Counted are its names in annotations, casts and aliases, quoted or not, and its imports."""
    counts = Counter(
        {
            name: sum(1 for _ in uses(path.read_text("utf-8")))
            for path in sorted(PACKAGE.rglob("*.py"))
            if not (name := path.relative_to(PACKAGE).as_posix()).startswith(SANDBOX)
        }
    )

    worst = ", ".join(f"{name} {count}" for name, count in counts.most_common(10))
    assert counts.total() < BOUND, f"object, a Protocol or a TypeVar may do where it is said most: {worst}"


def test_each_spelling_of_any_counts() -> None:
    """As an import, in an annotation, quoted in one, in a cast, in an alias and as an attribute of its module."""
    text = """
import typing
from typing import Any, cast
Alias = dict[str, Any]
def first(one: "list[Any]", *, two: typing.Any) -> "Any":
    three: "Any" = cast("Any", one)
    return "Any"
"""

    assert sum(1 for _ in uses(text)) == 7


def uses(text: str) -> Iterator[ast.AST]:
    """The nodes of *text* that name ``Any``."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id="Any") | ast.Attribute(attr="Any") | ast.alias(name="Any"):
                yield node
            case ast.arg(annotation=quoted) | ast.AnnAssign(annotation=quoted) if quoted is not None:
                yield from in_quotes(quoted)
            case ast.FunctionDef(returns=quoted) | ast.AsyncFunctionDef(returns=quoted) if quoted is not None:
                yield from in_quotes(quoted)
            case ast.Call(func=ast.Name(id="cast"), args=[quoted, *_]):
                yield from in_quotes(quoted)


def in_quotes(annotation: ast.expr) -> Iterator[ast.AST]:
    """The names of ``Any`` in what is quoted in *annotation*; the others are met by themselves."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "Any" in node.value:
            inner = ast.parse(node.value.strip(), mode="eval")
            yield from (each for each in ast.walk(inner) if isinstance(each, ast.Name) and each.id == "Any")
