"""What ``altinn-bridge validate`` says around its findings: headings, sums, and why a file was not judged."""

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field

WORDS: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "title": "Kontroll av skjemaer",
        "valid": "i orden",
        "findings": "med feil",
        "unusable": "som ikke lot seg kontrollere",
        "heads": "Linje|Felt|Hva er galt",
        "warning": "Advarsel",
        "hidden": "Verdiene i skjemaene er skjult.",
        "fine": "Ingen feil er funnet.",
        "files": "fil|filer",
        "here": "Her mangler",
    },
    "nn": {
        "title": "Kontroll av skjema",
        "valid": "i orden",
        "findings": "med feil",
        "unusable": "som ikkje lét seg kontrollere",
        "heads": "Linje|Felt|Kva er gale",
        "warning": "Åtvaring",
        "hidden": "Verdiane i skjemaa er skjulte.",
        "fine": "Ingen feil er funne.",
        "files": "fil|filer",
        "here": "Her manglar",
    },
    "en": {
        "title": "Check of forms",
        "valid": "valid",
        "findings": "with findings",
        "unusable": "that could not be judged",
        "heads": "Line|Field|What is wrong",
        "warning": "Warning",
        "hidden": "The values in the forms are hidden.",
        "fine": "No faults were found.",
        "files": "file|files",
        "here": "Missing here",
    },
}

_REASONS: Mapping[str, Mapping[str, str]] = {
    "not_there": {
        "nb": "Filen finnes ikke.",
        "nn": "Fila finst ikkje.",
        "en": "No such file.",
    },
    "closed": {
        "nb": "Filen kan ikke åpnes: tilgang mangler.",
        "nn": "Fila kan ikkje opnast: tilgang manglar.",
        "en": "The file cannot be opened: permission is missing.",
    },
    "leads_nowhere": {
        "nb": "Lenken viser til seg selv.",
        "nn": "Lenkja viser til seg sjølv.",
        "en": "The link leads back to itself.",
    },
    "unreadable": {
        "nb": "Filen kan ikke leses ({error}).",
        "nn": "Fila kan ikkje lesast ({error}).",
        "en": "The file cannot be read ({error}).",
    },
    "ended": {
        "nb": "Kontrollen ble avbrutt ({error}).",
        "nn": "Kontrollen vart avbroten ({error}).",
        "en": "The check broke off ({error}).",
    },
    "only_json": {
        "nb": "Bare *.json kan holdes mot et JSON Schema.",
        "nn": "Berre *.json kan haldast mot eit JSON Schema.",
        "en": "Only *.json can be held to a JSON Schema.",
    },
    "no_form": {
        "nb": "Verken dataformatet eller rotelementet er det som ett av skjemaene i mappingen har ({keys}).",
        "nn": "Verken dataformatet eller rotelementet er det som eitt av skjemaa i mappinga har ({keys}).",
        "en": "Neither its data format nor its root is that of one form of the mapping ({keys}).",
    },
    "schema": {
        "nb": "XSD-en kan ikke gjøre JSON om til XML ({error}).",
        "nn": "XSD-en kan ikkje gjere JSON om til XML ({error}).",
        "en": "The XSD cannot turn JSON into XML ({error}).",
    },
}
_ERRNO = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR), "not_there"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "closed"),
    errno.ELOOP: "leads_nowhere",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a file could not be judged: a code of the table above, and what its sentence needs."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_system(cls, error: OSError) -> "Reason":
        """Sort what the system says."""
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        return cls(code=_ERRNO.get(error.errno or 0, "unreadable"), facts={"error": name})

    def said(self, language: str) -> str:
        """The reason in nb, nn or en."""
        return _REASONS[self.code][language].format_map(self.facts)
