"""Language codes as Dialogporten takes them: two letters of ISO 639, culture forms reduced, ``no`` refused."""

import re

NORMALISED = "Culture specific codes like 'en_GB' and 'en-US' are normalized to 'en' (ISO 639)."
LANGUAGES = frozenset(
    re.findall(
        "[a-z]{2}",
        "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee"
        " el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is"
        " it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms"
        " mt my na nb nd ne ng nl nn nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl"
        " sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo"
        " za zh zu",
    )
)


def language(code: str) -> str:
    """Reduce culture forms: ``en-US`` and ``en_GB`` are ``en``."""
    return re.split("[-_]", code.strip())[0].lower()


def is_language(code: str) -> bool:
    """Whether a code, once reduced, is a language that texts can have."""
    return language(code) in LANGUAGES


def not_a_language(name: str, code: str) -> str:
    """What is said of a code that is none, with a hint for Norwegian."""
    hint = "Use 'nb' or 'nn' for Norwegian. " if language(code) == "no" else ""
    return f"'{name}' '{code}' is not a valid language code. {hint}{NORMALISED}"
