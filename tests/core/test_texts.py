"""What senders are told."""

import string

import pytest

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
