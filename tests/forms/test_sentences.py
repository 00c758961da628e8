"""Every rule can be said in three languages."""

import inspect
import re

import pytest

from bridge.core.errors import Finding
from bridge.core.texts.findings import RULES, field_name, sentence
from bridge.forms import registry, rules
from bridge.forms.xml import content_model, identities, libxml2_findings, roots, streaming, xmlschema_findings
from bridge.forms.xml import input as xml_input

MODULES = (
    content_model,
    libxml2_findings,
    identities,
    xml_input,
    roots,
    rules,
    xmlschema_findings,
    streaming,
    registry,
)


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


def test_every_rule_of_the_code_is_known():
    """No rule falls through to the plainest sentence by a slip of the pen."""
    sources = "".join(inspect.getsource(module) for module in MODULES)
    used = set(re.findall(r'(?:add\(|Unreadable\(|rule=|rule, facts = |return \(?)"(\w+)"(?=[,)\s])', sources))
    used |= {rule for rule, _ in [*libxml2_findings._RULES.values(), *xmlschema_findings._RULES.values()]}

    assert used <= RULES


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
    ],
)
def test_sentences_read_like_sentences(rule: str, facts: dict[str, str], language: str, expected: str):
    """Numbers are words, one is singular, and what is not known is said plainly."""
    assert sentence(Finding(path="/melding/postnummer", rule=rule, facts=facts), language) == expected
