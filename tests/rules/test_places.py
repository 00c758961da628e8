"""Where the papers send a reader, there is something."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| … (.+?) \| (.+?) \|$", (ROOT / "docs" / "where.md").read_text("utf-8"), re.MULTILINE)
PAGES = ["CONTRIBUTING.md", "SECURITY.md", "README.md", "docs/start-to-finish.md", "docs/where.md", "docs/why.md"]
PATH = re.compile(r"`((?:[\w.-]+/)+(?:[\w.-]+\.(?:py|md|yaml|yml|cfg|html|conf|json))?)`")
"""A file or, with a slash at its end, a folder: of the repository, or of the package."""


@pytest.mark.parametrize(("question", "place"), ROWS, ids=[question for question, _ in ROWS])
def test_the_place_is_there(question: str, place: str) -> None:
    """Each path exists, and what is named after a module is defined in it."""
    path: Path | None = None
    for named in re.findall(r"`([^`]+)`", place):
        if "/" in named or named.endswith(".md"):
            path = ROOT / named
            assert path.exists(), named
        else:
            assert path is not None, question
            assert named in set(defined(ast.parse(path.read_text("utf-8")).body)), named
    assert path is not None, question


def test_there_are_twenty_questions() -> None:
    """Each is asked once."""
    assert len({question for question, _ in ROWS}) == len(ROWS) == 20


@pytest.mark.parametrize("page", PAGES)
def test_paths_in_papers_exist(page: str) -> None:
    """What looks like a file or folder of ours is one."""
    named = PATH.findall((ROOT / page).read_text("utf-8"))

    assert [each for each in named if not (ROOT / each).exists() and not (ROOT / "bridge" / each).exists()] == []


def defined(body: list[ast.stmt], of: str = "") -> Iterator[str]:
    """The names that a module or class defines, those of a class behind its own."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name):
                yield of + name
            case ast.ClassDef(name=name):
                yield of + name
                yield from defined(node.body, f"{of}{name}.")
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield of + name
