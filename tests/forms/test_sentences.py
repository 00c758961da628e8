"""Every rule can be said in three languages."""

import re

import pytest

from bridge.core.errors import Finding
from bridge.core.texts.findings import RULES, field_name, sentence


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_sentence(rule: str, language: str):
    """With its facts it is whole, without them it is plain; never a brace."""
    names = ("expected", "max", "digits", "pattern", "enumeration", "length", "minLength", "maxLength", "type", "fixed")
    more = ("minInclusive", "maxInclusive", "minExclusive", "maxExclusive", "totalDigits", "fractionDigits")
    facts = dict.fromkeys((*names, *more, "max_bytes", "count"), "7")

    said = sentence(Finding(path="/melding/virksomhet[2]/navn", rule=rule, facts=facts), language)
    plain = sentence(Finding(path="/melding/virksomhet[2]/navn", rule=rule), language)

    assert said.endswith(".")
    assert plain.endswith(".")
    assert not re.search(r"[{}]", said + plain)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/melding/virksomhet[2]/postnummer", "postnummer"),
        ("/Skjema/Journalnummer-datadef-33316", "Journalnummer"),
        ("/p:m/p:e[3]/@g", "g"),
        ("/", "/"),
    ],
)
def test_fields_are_named_as_in_the_form(path: str, name: str):
    """Without place, prefix and numbering."""
    assert field_name(path) == name


@pytest.mark.parametrize(
    ("rule", "facts", "language", "expected"),
    [
        ("digits", {"digits": "4"}, "nb", "Postnummer må ha fire siffer."),
        ("digits", {"digits": "4"}, "nn", "Postnummer må ha fire siffer."),
        ("digits", {"digits": "4"}, "en", "Postnummer must have four digits."),
        ("digits", {"digits": "1"}, "en", "Postnummer must have one digit."),
        ("too_many", {"max": "1"}, "nb", "Postnummer kan stå høyst én gang."),
        ("too_many", {"max": "1"}, "en", "Postnummer may occur at most once."),
        ("type", {"type": "gMonth"}, "en", "Postnummer must be gMonth."),
        ("unheard_of", {}, "nn", "Postnummer stemmer ikkje med reglane for skjemaet."),
        ("digits", {}, "nb", "Postnummer stemmer ikke med skjemaets regler."),
        ("refused_by_altinn", {}, "nb", "Altinn godtar ikke postnummer slik det er fylt ut."),
    ],
)
def test_sentences_read_like_sentences(rule: str, facts: dict[str, str], language: str, expected: str):
    """Numbers are words, one is singular, and what is not known is said plainly."""
    assert sentence(Finding(path="/melding/postnummer", rule=rule, facts=facts), language) == expected


@pytest.mark.parametrize(
    ("rule", "facts", "nb", "nn", "en"),
    [
        (
            "null_not_allowed",
            {},
            "Skjemaet kan ikke være null.",
            "Skjemaet kan ikkje vere null.",
            "The form may not be null.",
        ),
        (
            "type",
            {"type": "object"},
            "Skjemaet må være en gruppe med felt.",
            "Skjemaet må vere ei gruppe med felt.",
            "The form must be a group of fields.",
        ),
        (
            "not_utf8",
            {},
            "Skjemaet er ikke skrevet i UTF-8, og appen leser det som det. Send det som UTF-8.",
            "Skjemaet er ikkje skrive i UTF-8, og appen les det som det. Send det som UTF-8.",
            "The form is not in UTF-8, as which the app reads it. Send it as UTF-8.",
        ),
    ],
)
def test_the_whole_form_is_called_so(rule: str, facts: dict[str, str], nb: str, nn: str, en: str) -> None:
    """Its path is a slash, which says nothing to a person."""
    finding = Finding(path="/", rule=rule, facts=facts)

    assert tuple(sentence(finding, language) for language in ("nb", "nn", "en")) == (nb, nn, en)
