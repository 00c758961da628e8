"""What senders are told."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import bridge
from bridge.core.texts.history import REFUSAL_TEXTS
from bridge.core.texts.problems import LANGUAGES, TEXTS
from bridge.core.texts.states import TEXTS as HISTORY_TEXTS


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_each_text_says_the_same_in_all_languages(code: str) -> None:
    """A problem is told in nb, nn and en, with the same facts in each."""
    texts = TEXTS[code]

    fields = {
        language: {name for _, name, _, _ in string.Formatter().parse(texts[language].detail) if name}
        for language in LANGUAGES
    }

    assert set(texts) == set(LANGUAGES)
    assert len({frozenset(each) for each in fields.values()}) == 1
    assert all(text.title and text.detail for text in texts.values())


@pytest.mark.parametrize("texts", [*HISTORY_TEXTS.values(), *REFUSAL_TEXTS.values()])
def test_history_fits_into_dialogporten(texts: dict[str, str]) -> None:
    """At most 255 characters in each language."""
    assert set(texts) == set(LANGUAGES)
    assert all(len(each) <= 255 for each in texts.values())


def test_what_is_said_in_nb_is_said_in_nn_and_en() -> None:
    """In whichever module it lies, with the same members in each; the sandbox speaks for others."""
    package = Path(bridge.__file__).parent
    places = [path for path in package.rglob("*.py") if "sandbox" not in path.relative_to(package).parts]
    found = [(path, each) for path in places for each in texts_of(ast.parse(path.read_text("utf-8")))]

    assert len({path for path, _ in found}) > 8
    assert [path.name for path, each in found if set(each) != set(LANGUAGES)] == []
    assert [path.name for path, each in found if len({members_of(value) for value in each.values()}) != 1] == []


def texts_of(tree: ast.Module) -> Iterator[dict[str, ast.expr]]:
    """Each table by language; one with a value that is made elsewhere is somebody else's text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
            table = {
                str(key.value): value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            if "nb" in table and isinstance(table["nb"], ast.Constant | ast.Dict | ast.Call):
                yield table


def members_of(value: ast.expr) -> frozenset[str]:
    match value:
        case ast.Dict(keys=keys):
            return frozenset(str(key.value) for key in keys if isinstance(key, ast.Constant))
        case ast.Call(keywords=keywords):
            return frozenset(str(each.arg) for each in keywords)
        case _:
            return frozenset()
