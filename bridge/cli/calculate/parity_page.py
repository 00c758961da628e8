"""The page about many forms through two apps: where the results differ, in which forms, and what was not compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.web.frame import rendered
from bridge.web.proxy.report_page import OF_TWO

_WORDS: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "through": "{total} skjemaer av datatypen {data_type} gjennom {first} (den første) og {second} (den andre).",
        "alike": "Appene gir det samme for alle skjemaene.",
        "differ": "Hvor resultatene er ulike",
        "no_values": "Rader er slått sammen ([*]). Verdier vises ikke.",
        "field": "Felt",
        "forms": "Skjemaer",
        "such_as": "For eksempel",
        "others": "Skjemaer som ikke ble sammenlignet",
        "form": "Skjema",
        "outcome": "Hva som skjedde",
        "more": "Og {count} til.",
        "same": "like",
        "different": "ulike",
        "refused": "avvist av én app, eller ulikt av begge",
        "refused alike": "avvist likt av begge",
        "not answered": "ikke besvart",
        "not comparable": "lot seg ikke sammenligne",
    },
    "nn": {
        "through": "{total} skjema av datatypen {data_type} gjennom {first} (den første) og {second} (den andre).",
        "alike": "Appane gir det same for alle skjemaa.",
        "differ": "Kvar resultata er ulike",
        "no_values": "Rader er slegne saman ([*]). Verdiar er ikkje viste.",
        "field": "Felt",
        "forms": "Skjema",
        "such_as": "Til dømes",
        "others": "Skjema som ikkje vart samanlikna",
        "form": "Skjema",
        "outcome": "Kva som hende",
        "more": "Og {count} til.",
        "same": "like",
        "different": "ulike",
        "refused": "avviste av éin app, eller ulikt av begge",
        "refused alike": "avviste likt av begge",
        "not answered": "ikkje svara på",
        "not comparable": "lét seg ikkje samanlikne",
    },
    "en": {
        "through": "{total} forms of data type {data_type} through {first} (the first) and {second} (the second).",
        "alike": "The apps give the same for all forms.",
        "differ": "Where the results differ",
        "no_values": "Rows are taken together ([*]). Values are not shown.",
        "field": "Field",
        "forms": "Forms",
        "such_as": "Such as",
        "others": "Forms that were not compared",
        "form": "Form",
        "outcome": "What happened",
        "more": "And {count} more.",
        "same": "the same",
        "different": "different",
        "refused": "refused by one app, or otherwise by both",
        "refused alike": "refused alike by both",
        "not answered": "not answered",
        "not comparable": "could not be compared",
    },
}
_COMPARED = {"same", "different"}


def parity_page(
    summary: Mapping[str, Any],
    examples: Mapping[tuple[str, str], Sequence[str]],
    others: Sequence[tuple[str, str, str]],
    *,
    language: str,
) -> str:
    """The page of what ``Parity`` counted; it holds names of files and paths, and no values."""
    words = {**OF_TWO[language], **_WORDS[language]}
    counts: Mapping[str, int] = summary["forms"]
    differences = [
        {**each, "examples": examples.get((each["path"], each["change"]), ())} for each in summary["differences"]
    ]
    return rendered(
        "parity.html",
        title=f"{words['title']}: {' / '.join(summary['apps'])}",
        language=language,
        words=words,
        apps=summary["apps"],
        data_type=summary["dataType"],
        total=summary["total"],
        outcomes=[(words[outcome], count) for outcome, count in counts.items()],
        alike=set(counts) == {"same"},
        differences=differences,
        others=[(name, words[outcome], why) for name, outcome, why in others],
        more=sum(count for outcome, count in counts.items() if outcome not in _COMPARED) - len(others),
    )
