"""Why the receiver may refuse a value that is valid, in nb, nn and en: the end of a sentence."""

from collections.abc import Mapping

WHYS: Mapping[str, Mapping[str, str]] = {
    "time_24": {
        "nb": "klokkeslettet 24:00 leses ikke, skriv 00:00 neste dag",
        "nn": "klokkeslettet 24:00 blir ikkje lese, skriv 00:00 neste dag",
        "en": "24:00 is not read as a time, write 00:00 of the next day",
    },
    "length": {
        "nb": "tegn som emojier teller som to, og da stemmer ikke lengden",
        "nn": "teikn som emojiar tel som to, og då stemmer ikkje lengda",
        "en": "characters such as emoji count as two, and then the length does not fit",
    },
    "pattern": {
        "nb": "mønsteret leses strengere der",
        "nn": "mønsteret blir lese strengare der",
        "en": "the pattern is read more strictly there",
    },
    "number": {
        "nb": "tallet har flere sifre enn det som kan leses der",
        "nn": "talet har fleire siffer enn det som kan lesast der",
        "en": "the number has more digits than can be read there",
    },
    "year": {
        "nb": "årstallet må ha fire sifre og være 0001 eller senere",
        "nn": "årstalet må ha fire siffer og vere 0001 eller seinare",
        "en": "the year must have four digits and be 0001 or later",
    },
    "duration": {
        "nb": "tidsrommet er lengre enn det som kan leses der",
        "nn": "tidsrommet er lengre enn det som kan lesast der",
        "en": "the duration is longer than can be read there",
    },
    "sign": {
        "nb": "tallet kan ikke ha fortegn",
        "nn": "talet kan ikkje ha forteikn",
        "en": "the number may not have a sign",
    },
    "blank": {
        "nb": "her står bare blanke tegn",
        "nn": "her står berre blanke teikn",
        "en": "there are only blanks",
    },
    "blanks": {
        "nb": "det står blanke tegn rundt verdien, eller flere på rad",
        "nn": "det står blanke teikn rundt verdien, eller fleire på rad",
        "en": "there are blanks around the value, or several in a row",
    },
    "address": {
        "nb": "adressen kan ikke leses",
        "nn": "adressa kan ikkje lesast",
        "en": "the address cannot be read",
    },
    "nan": {
        "nb": "NaN er aldri lik en verdi på en liste",
        "nn": "NaN er aldri lik ein verdi på ei liste",
        "en": "NaN never equals a value of a list",
    },
    "zone": {
        "nb": "den samme datoen eller tiden står både med og uten tidssone, og de to kan leses som like",
        "nn": "den same datoen eller tida står både med og utan tidssone, og dei to kan lesast som like",
        "en": "the same date or time is there with and without a time zone, and the two may be read as equal",
    },
    "unknown": {
        "nb": "skjemaets regler kjenner det ikke",
        "nn": "reglane for skjemaet kjenner det ikkje",
        "en": "the rules of the form do not know it",
    },
    "encoding": {
        "nb": "tegnsettet som skjemaet sier at det har, finnes ikke overalt, send det som UTF-8",
        "nn": "teiknsettet som skjemaet seier at det har, finst ikkje overalt, send det som UTF-8",
        "en": "the encoding that the form names is not known everywhere, send it as UTF-8",
    },
}
