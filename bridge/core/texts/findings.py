"""What a finding says to a case worker, in nb, nn and en: made from the rule and the schema's facts alone."""

import re
from collections.abc import Mapping

from bridge.core.errors import Finding
from bridge.core.texts.receiver import WHYS

_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "nb": ("null", "ett", "to", "tre", "fire", "fem", "seks", "sju", "åtte", "ni", "ti", "elleve", "tolv"),
    "nn": ("null", "eitt", "to", "tre", "fire", "fem", "seks", "sju", "åtte", "ni", "ti", "elleve", "tolv"),
    "en": (
        *("zero", "one", "two", "three", "four", "five", "six"),
        *("seven", "eight", "nine", "ten", "eleven", "twelve"),
    ),
}

_KINDS: Mapping[str, str] = {
    "date": "date",
    "dateTime": "moment",
    "time": "time",
    "gYear": "year",
    "gYearMonth": "month_of_year",
    "gMonthDay": "day_of_month",
    "dateTimeStamp": "zoned_moment",
    "duration": "duration",
    "yearMonthDuration": "months",
    "dayTimeDuration": "hours",
    "boolean": "boolean",
    "anyURI": "address",
    "base64Binary": "base64",
    **dict.fromkeys(("decimal", "double", "float"), "number"),
    **dict.fromkeys(("integer", "long", "int", "short", "byte"), "whole"),
    **dict.fromkeys(("nonNegativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"), "natural"),
    "positiveInteger": "positive",
    **dict.fromkeys(("ID", "IDREF", "ENTITY", "NCName"), "name"),
    "NMTOKEN": "word",
    "string": "text",
    "array": "list",
    "object": "group",
}

_KIND_WORDS: Mapping[str, Mapping[str, str]] = {
    "date": {"nb": "en dato (åååå-mm-dd)", "nn": "ein dato (åååå-mm-dd)", "en": "a date (yyyy-mm-dd)"},
    "moment": {
        "nb": "dato og klokkeslett (åååå-mm-ddTtt:mm:ss)",
        "nn": "dato og klokkeslett (åååå-mm-ddTtt:mm:ss)",
        "en": "a date and time (yyyy-mm-ddThh:mm:ss)",
    },
    "time": {"nb": "et klokkeslett (tt:mm:ss)", "nn": "eit klokkeslett (tt:mm:ss)", "en": "a time (hh:mm:ss)"},
    "year": {"nb": "et årstall (åååå)", "nn": "eit årstal (åååå)", "en": "a year (yyyy)"},
    "month_of_year": {
        "nb": "år og måned (åååå-mm)",
        "nn": "år og månad (åååå-mm)",
        "en": "a year and month (yyyy-mm)",
    },
    "day_of_month": {
        "nb": "måned og dag (--mm-dd)",
        "nn": "månad og dag (--mm-dd)",
        "en": "a month and day (--mm-dd)",
    },
    "zoned_moment": {
        "nb": "dato og klokkeslett med tidssone (åååå-mm-ddTtt:mm:ssZ)",
        "nn": "dato og klokkeslett med tidssone (åååå-mm-ddTtt:mm:ssZ)",
        "en": "a date and time with a time zone (yyyy-mm-ddThh:mm:ssZ)",
    },
    "duration": {
        "nb": "en varighet, for eksempel P1Y2M3D",
        "nn": "ei varigheit, til dømes P1Y2M3D",
        "en": "a duration, for instance P1Y2M3D",
    },
    "months": {
        "nb": "en varighet i år og måneder, for eksempel P1Y2M",
        "nn": "ei varigheit i år og månader, til dømes P1Y2M",
        "en": "a duration in years and months, for instance P1Y2M",
    },
    "hours": {
        "nb": "en varighet i dager og timer, for eksempel P1DT2H",
        "nn": "ei varigheit i dagar og timar, til dømes P1DT2H",
        "en": "a duration in days and hours, for instance P1DT2H",
    },
    "boolean": {"nb": "true eller false", "nn": "true eller false", "en": "true or false"},
    "address": {"nb": "en nettadresse", "nn": "ei nettadresse", "en": "a web address"},
    "text": {"nb": "tekst", "nn": "tekst", "en": "text"},
    "list": {"nb": "en liste", "nn": "ei liste", "en": "a list"},
    "group": {"nb": "en gruppe med felt", "nn": "ei gruppe med felt", "en": "a group of fields"},
    "name": {
        "nb": "et navn uten mellomrom som ikke begynner med et siffer",
        "nn": "eit namn utan mellomrom som ikkje byrjar med eit siffer",
        "en": "a name without blanks that does not begin with a digit",
    },
    "word": {"nb": "et ord uten mellomrom", "nn": "eit ord utan mellomrom", "en": "a word without blanks"},
    "base64": {"nb": "base64", "nn": "base64", "en": "base64"},
    "number": {
        "nb": "et tall (med punktum som desimaltegn)",
        "nn": "eit tal (med punktum som desimalteikn)",
        "en": "a number (with a full stop as decimal mark)",
    },
    "whole": {"nb": "et heltall", "nn": "eit heiltal", "en": "a whole number"},
    "natural": {
        "nb": "et heltall fra null og opp",
        "nn": "eit heiltal frå null og opp",
        "en": "a whole number from zero",
    },
    "positive": {"nb": "et heltall fra én og opp", "nn": "eit heiltal frå éin og opp", "en": "a whole number from one"},
}

_SENTENCES: Mapping[str, Mapping[str, str]] = {
    # The document as a whole
    "empty_document": {
        "nb": "Skjemaet er tomt.",
        "nn": "Skjemaet er tomt.",
        "en": "The form is empty.",
    },
    "too_large": {
        "nb": "Skjemaet er større enn de {max_bytes} bytene som er tillatt.",
        "nn": "Skjemaet er større enn dei {max_bytes} bytane som er tillatne.",
        "en": "The form is larger than the {max_bytes} bytes that are allowed.",
    },
    "too_complex": {
        "nb": "Skjemaet har for mange eller for dypt nøstede felt, eller et altfor langt felt.",
        "nn": "Skjemaet har for mange eller for djupt nøsta felt, eller eit altfor langt felt.",
        "en": "The form has too many fields, too deep nesting, or a field that is far too long.",
    },
    "encoding": {
        "nb": "Skjemaet er ikke skrevet i det tegnsettet som det sier. Send det som UTF-8.",
        "nn": "Skjemaet er ikkje skrive i det teiknsettet som det seier. Send det som UTF-8.",
        "en": "The form is not in the character encoding that it says. Send it as UTF-8.",
    },
    "not_utf8": {
        "nb": "Skjemaet er ikke skrevet i UTF-8, og appen leser det som det. Send det som UTF-8.",
        "nn": "Skjemaet er ikkje skrive i UTF-8, og appen les det som det. Send det som UTF-8.",
        "en": "The form is not in UTF-8, as which the app reads it. Send it as UTF-8.",
    },
    "doctype_refused": {
        "nb": "Skjemaet har en DOCTYPE, og det er ikke tillatt.",
        "nn": "Skjemaet har ein DOCTYPE, og det er ikkje tillate.",
        "en": "The form has a DOCTYPE, which is not allowed.",
    },
    "not_well_formed": {
        "nb": "Skjemaet er ikke gyldig XML.",
        "nn": "Skjemaet er ikkje gyldig XML.",
        "en": "The form is not well-formed XML.",
    },
    "xml_version": {
        "nb": "Skjemaet sier at det er en annen versjon av XML enn 1.0. Send det som XML 1.0.",
        "nn": "Skjemaet seier at det er ein annan versjon av XML enn 1.0. Send det som XML 1.0.",
        "en": "The form says that it is another version of XML than 1.0. Send it as XML 1.0.",
    },
    "receiver_may_refuse": {
        "nb": "Mottakeren kan avvise {field}: {why}.",
        "nn": "Mottakaren kan avvise {field}: {why}.",
        "en": "The receiver may refuse {field}: {why}.",
    },
    "receiver_not_checked": {
        "nb": "Det er ikke sett etter hva mottakeren (.NET) kan avvise i skjemaet.",
        "nn": "Det er ikkje sett etter kva mottakaren (.NET) kan avvise i skjemaet.",
        "en": "The form was not searched for what the receiver (.NET) may refuse.",
    },
    "ids_not_checked": {
        "nb": "Skjemaet har mer enn {most} id-er (xs:ID): det er ikke sett etter om noen av dem etter disse står to "
        "ganger, eller om alle henvisninger leder til en av dem.",
        "nn": "Skjemaet har meir enn {most} id-ar (xs:ID): det er ikkje sett etter om nokon av dei etter desse står to "
        "gonger, eller om alle tilvisingar leier til ein av dei.",
        "en": "The form has more than {most} identifiers (xs:ID): it was not looked whether any after those stands "
        "twice, nor whether all references lead to one.",
    },
    "not_checkable": {
        "nb": "Skjemaet inneholder noe som ikke lar seg kontrollere.",
        "nn": "Skjemaet inneheld noko som ikkje lèt seg kontrollere.",
        "en": "The form holds something that cannot be checked.",
    },
    "engines_disagree": {
        "nb": "Kontrollen er uenig med seg selv: {refuses} avviser {field}, {accepts} godtar skjemaet. Det er avvist.",
        "nn": "Kontrollen er usamd med seg sjølv: {refuses} avviser {field}, {accepts} godtek skjemaet. Det er avvist.",
        "en": "The check disagrees with itself: {refuses} refuses {field}, {accepts} accepts the form. It is refused.",
    },
    "too_many_findings": {
        "nb": "Skjemaet har minst {count} feil, for mange til å liste opp.",
        "nn": "Skjemaet har minst {count} feil, for mange til å liste opp.",
        "en": "The form has at least {count} faults, too many to list.",
    },
    "more_findings": {
        "nb": "Skjemaet kan ha flere feil enn dem som er listet opp.",
        "nn": "Skjemaet kan ha fleire feil enn dei som er lista opp.",
        "en": "The form may have more faults than those listed.",
    },
    "wrong_root": {
        "nb": "Skjemaet begynner med {field}, men skal begynne med {expected}.",
        "nn": "Skjemaet byrjar med {field}, men skal byrje med {expected}.",
        "en": "The form begins with {field}, but must begin with {expected}.",
    },
    "wrong_namespace": {
        "nb": "{field} skal stå i navnerommet {namespace}.",
        "nn": "{field} skal stå i namnerommet {namespace}.",
        "en": "{field} must be in the namespace {namespace}.",
    },
    "unwanted_namespace": {
        "nb": "{field} skal ikke stå i noe navnerom.",
        "nn": "{field} skal ikkje stå i noko namnerom.",
        "en": "{field} must not be in a namespace.",
    },
    # What is there, and in which order
    "missing_element": {
        "nb": "{field} mangler.",
        "nn": "{field} manglar.",
        "en": "{field} is missing.",
    },
    "incomplete": {
        "nb": "{field} mangler ett av disse feltene: {expected}.",
        "nn": "{field} manglar eitt av desse felta: {expected}.",
        "en": "{field} lacks one of these fields: {expected}.",
    },
    "missing_any": {
        "nb": "{field} mangler et felt til, et som skjemaet ikke gir navn.",
        "nn": "{field} manglar eit felt til, eit som skjemaet ikkje gir namn.",
        "en": "{field} lacks one more field, one that the form does not name.",
    },
    "unexpected_element": {
        "nb": "{field} hører ikke hjemme her.",
        "nn": "{field} høyrer ikkje heime her.",
        "en": "{field} does not belong here.",
    },
    "misplaced_element": {
        "nb": "{field} står på feil plass.",
        "nn": "{field} står på feil plass.",
        "en": "{field} is in the wrong place.",
    },
    "too_many": {
        "nb": "{field} kan stå høyst {max} ganger.",
        "nn": "{field} kan stå høgst {max} gonger.",
        "en": "{field} may occur at most {max} times.",
    },
    "too_many_of_choice": {
        "nb": "{field} er én mer enn det kan være av disse: {choices}.",
        "nn": "{field} er éin meir enn det kan vere av desse: {choices}.",
        "en": "{field} is one more than there may be of these: {choices}.",
    },
    "several_alternatives": {
        "nb": "{field} passer med flere alternativer, og bare ett av dem kan være fylt ut.",
        "nn": "{field} passar med fleire alternativ, og berre eitt av dei kan vere fylt ut.",
        "en": "{field} fits several alternatives, of which only one may be filled in.",
    },
    "missing_attribute": {
        "nb": "Attributtet {field} mangler.",
        "nn": "Attributtet {field} manglar.",
        "en": "The attribute {field} is missing.",
    },
    "unexpected_attribute": {
        "nb": "Attributtet {field} hører ikke hjemme her.",
        "nn": "Attributtet {field} høyrer ikkje heime her.",
        "en": "The attribute {field} does not belong here.",
    },
    "must_be_empty": {
        "nb": "{field} skal være tomt.",
        "nn": "{field} skal vere tomt.",
        "en": "{field} must be empty.",
    },
    "children_not_allowed": {
        "nb": "{field} skal ha en verdi, ikke andre felt.",
        "nn": "{field} skal ha ein verdi, ikkje andre felt.",
        "en": "{field} must hold a value, not other fields.",
    },
    "text_not_allowed": {
        "nb": "{field} skal bare ha andre felt i seg, ikke tekst.",
        "nn": "{field} skal berre ha andre felt i seg, ikkje tekst.",
        "en": "{field} must hold other fields only, no text.",
    },
    "nil_not_allowed": {
        "nb": "{field} kan ikke være merket som tomt (xsi:nil).",
        "nn": "{field} kan ikkje vere merkt som tomt (xsi:nil).",
        "en": "{field} may not be marked as empty (xsi:nil).",
    },
    "nil_with_content": {
        "nb": "{field} er merket som tomt (xsi:nil), men har innhold.",
        "nn": "{field} er merkt som tomt (xsi:nil), men har innhald.",
        "en": "{field} is marked as empty (xsi:nil), but holds something.",
    },
    "not_unique": {
        "nb": "{field} gjentar en verdi som bare kan stå én gang.",
        "nn": "{field} gjentek ein verdi som berre kan stå éin gong.",
        "en": "{field} repeats a value that may stand only once.",
    },
    "key_incomplete": {
        "nb": "{field} mangler en verdi som det skal kjennes på.",
        "nn": "{field} manglar ein verdi som det skal kjennast på.",
        "en": "{field} lacks a value by which it is known.",
    },
    "no_such_key": {
        "nb": "{field} viser til noe som ikke finnes i skjemaet.",
        "nn": "{field} viser til noko som ikkje finst i skjemaet.",
        "en": "{field} refers to something that is not in the form.",
    },
    # Values
    "empty": {
        "nb": "{field} må fylles ut.",
        "nn": "{field} må fyllast ut.",
        "en": "{field} must be filled in.",
    },
    "digits": {
        "nb": "{field} må ha {digits} siffer.",
        "nn": "{field} må ha {digits} siffer.",
        "en": "{field} must have {digits} digits.",
    },
    "pattern": {
        "nb": "{field} må være skrevet etter mønsteret {pattern}.",
        "nn": "{field} må vere skrive etter mønsteret {pattern}.",
        "en": "{field} must be written to the pattern {pattern}.",
    },
    "enumeration": {
        "nb": "{field} må være en av disse: {enumeration}.",
        "nn": "{field} må vere ein av desse: {enumeration}.",
        "en": "{field} must be one of these: {enumeration}.",
    },
    "length": {
        "nb": "{field} må ha nøyaktig {length} tegn.",
        "nn": "{field} må ha nøyaktig {length} teikn.",
        "en": "{field} must have exactly {length} characters.",
    },
    "min_length": {
        "nb": "{field} må ha minst {minLength} tegn.",
        "nn": "{field} må ha minst {minLength} teikn.",
        "en": "{field} must have at least {minLength} characters.",
    },
    "max_length": {
        "nb": "{field} kan ha høyst {maxLength} tegn.",
        "nn": "{field} kan ha høgst {maxLength} teikn.",
        "en": "{field} may have at most {maxLength} characters.",
    },
    "min_inclusive": {
        "nb": "{field} må være minst {minInclusive}.",
        "nn": "{field} må vere minst {minInclusive}.",
        "en": "{field} must be at least {minInclusive}.",
    },
    "max_inclusive": {
        "nb": "{field} må være høyst {maxInclusive}.",
        "nn": "{field} må vere høgst {maxInclusive}.",
        "en": "{field} must be at most {maxInclusive}.",
    },
    "min_exclusive": {
        "nb": "{field} må være mer enn {minExclusive}.",
        "nn": "{field} må vere meir enn {minExclusive}.",
        "en": "{field} must be more than {minExclusive}.",
    },
    "max_exclusive": {
        "nb": "{field} må være mindre enn {maxExclusive}.",
        "nn": "{field} må vere mindre enn {maxExclusive}.",
        "en": "{field} must be less than {maxExclusive}.",
    },
    "total_digits": {
        "nb": "{field} kan ha høyst {totalDigits} sifre i alt.",
        "nn": "{field} kan ha høgst {totalDigits} siffer i alt.",
        "en": "{field} may have at most {totalDigits} digits in all.",
    },
    "fraction_digits": {
        "nb": "{field} kan ha høyst {fractionDigits} desimaler.",
        "nn": "{field} kan ha høgst {fractionDigits} desimalar.",
        "en": "{field} may have at most {fractionDigits} decimals.",
    },
    "type": {
        "nb": "{field} må være {type}.",
        "nn": "{field} må vere {type}.",
        "en": "{field} must be {type}.",
    },
    "zone_missing": {
        "nb": "{field} må slutte med en tidssone: Z, eller for eksempel +01:00.",
        "nn": "{field} må slutte med ei tidssone: Z, eller til dømes +01:00.",
        "en": "{field} must end with a time zone: Z, or for instance +01:00.",
    },
    "zone_not_allowed": {
        "nb": "{field} kan ikke ha noen tidssone. Ta bort det som står etter tiden: Z, eller for eksempel +01:00.",
        "nn": "{field} kan ikkje ha noka tidssone. Ta bort det som står etter tida: Z, eller til dømes +01:00.",
        "en": "{field} may have no time zone. Take away what stands after the time: Z, or for instance +01:00.",
    },
    "fixed": {
        "nb": "{field} må være {fixed}.",
        "nn": "{field} må vere {fixed}.",
        "en": "{field} must be {fixed}.",
    },
    "assertion": {
        "nb": "{field} oppfyller ikke en betingelse i skjemaets regler.",
        "nn": "{field} oppfyller ikkje eit vilkår i reglane for skjemaet.",
        "en": "{field} does not meet a condition in the rules of the form.",
    },
    "business_rule": {
        "nb": "{nb}",
        "nn": "{nn}",
        "en": "{en}",
    },
    # JSON, converting, and what came back
    "byte_order_mark": {
        "nb": "Skjemaet begynner med et byte order mark. Send det som UTF-8 uten.",
        "nn": "Skjemaet byrjar med eit byte order mark. Send det som UTF-8 utan.",
        "en": "The form begins with a byte order mark. Send it as UTF-8 without one.",
    },
    "not_json": {
        "nb": "Skjemaet er ikke gyldig JSON.",
        "nn": "Skjemaet er ikkje gyldig JSON.",
        "en": "The form is not valid JSON.",
    },
    "duplicate_member": {
        "nb": "{field} står mer enn én gang samme sted.",
        "nn": "{field} står meir enn éin gong same stad.",
        "en": "{field} stands more than once in the same place.",
    },
    # Messages around forms
    "unknown_member": {
        "nb": "Her er {field} ikke kjent.",
        "nn": "Her er {field} ikkje kjent.",
        "en": "Here {field} is not known.",
    },
    "in_two_places": {
        "nb": "{field} står utenfor _embedded, som også er der. Bruk ett av stedene.",
        "nn": "{field} står utanfor _embedded, som også er der. Bruk éin av stadene.",
        "en": "{field} stands outside _embedded, which is there as well. Use one of the places.",
    },
    "named_twice": {
        "nb": "{field} sier det samme som en annen i meldingen.",
        "nn": "{field} seier det same som ein annan i meldinga.",
        "en": "{field} says the same as another one in the message.",
    },
    "must_be_last": {
        "nb": "{field} må stå sist.",
        "nn": "{field} må stå sist.",
        "en": "{field} must come last.",
    },
    "of_another": {
        "nb": "{field} er en annen enn saken har.",
        "nn": "{field} er ein annan enn saka har.",
        "en": "{field} is not that of the case.",
    },
    "signature_in_mapping": {
        "nb": "{field} tas ikke imot: tjenesteeieren har bestemt hva en signatur omfatter.",
        "nn": "{field} blir ikkje teken imot: tenesteeigaren har bestemt kva ein signatur omfattar.",
        "en": "{field} is not taken: the service owner has decided what a signature covers.",
    },
    "not_a_number": {
        "nb": "Skjemaet har NaN eller Infinity der det skal være et tall.",
        "nn": "Skjemaet har NaN eller Infinity der det skal vere eit tal.",
        "en": "The form has NaN or Infinity where a number must be.",
    },
    "number_range": {
        "nb": "Skjemaet har et tall som er for stort eller for lite til å leses.",
        "nn": "Skjemaet har eit tal som er for stort eller for lite til å lesast.",
        "en": "The form has a number that is too large or too small to be read.",
    },
    "lone_surrogate": {
        "nb": "Skjemaet har et tegn som ikke er helt (en halv \\u-kode).",
        "nn": "Skjemaet har eit teikn som ikkje er heilt (ein halv \\u-kode).",
        "en": "The form has a character that is not whole (half of a \\u code).",
    },
    "not_in_xml": {
        "nb": "{field} har et tegn som ikke kan stå i XML.",
        "nn": "{field} har eit teikn som ikkje kan stå i XML.",
        "en": "{field} holds a character that XML cannot hold.",
    },
    "mixed_content": {
        "nb": "{field} blander tekst og felt, og det kan ikke skrives som JSON.",
        "nn": "{field} blandar tekst og felt, og det kan ikkje skrivast som JSON.",
        "en": "{field} mixes text and fields, which JSON cannot hold.",
    },
    "type_override": {
        "nb": "{field} har en type (xsi:type) som ikke kan omformes.",
        "nn": "{field} har ein type (xsi:type) som ikkje kan omformast.",
        "en": "{field} has a type (xsi:type) that cannot be converted.",
    },
    "wrong_type": {
        "nb": "{field} har en type (xsi:type) som ikke kan stå der.",
        "nn": "{field} har ein type (xsi:type) som ikkje kan stå der.",
        "en": "{field} has a type (xsi:type) that may not stand there.",
    },
    "missing_type": {
        "nb": "{field} må si hvilken type det er (xsi:type).",
        "nn": "{field} må seie kva type det er (xsi:type).",
        "en": "{field} must say of which type it is (xsi:type).",
    },
    "namespace_unclear": {
        "nb": "Navnerommet til verdien i {field} kan ikke skrives i JSON.",
        "nn": "Namnerommet til verdien i {field} kan ikkje skrivast i JSON.",
        "en": "The namespace of the value of {field} cannot be written in JSON.",
    },
    "null_not_allowed": {
        "nb": "{field} kan ikke være null.",
        "nn": "{field} kan ikkje vere null.",
        "en": "{field} may not be null.",
    },
    "wrong_order": {
        "nb": "{field} stemmer ikke med feltene som er der.",
        "nn": "{field} stemmer ikkje med felta som er der.",
        "en": "{field} does not agree with the fields that are there.",
    },
    "too_few": {
        "nb": "{field} må stå minst {min} ganger.",
        "nn": "{field} må stå minst {min} gonger.",
        "en": "{field} must occur at least {min} times.",
    },
    "multiple_of": {
        "nb": "{field} må være et multiplum av {multiple}.",
        "nn": "{field} må vere eit multiplum av {multiple}.",
        "en": "{field} must be a multiple of {multiple}.",
    },
    "format": {
        "nb": "{field} må være skrevet som {format}.",
        "nn": "{field} må vere skrive som {format}.",
        "en": "{field} must be written as {format}.",
    },
    "refused_by_app": {
        "nb": "Appen kan ikke lese skjemaet her.",
        "nn": "Appen kan ikkje lese skjemaet her.",
        "en": "The app cannot read the form here.",
    },
    "refused_by_altinn": {
        "nb": "Altinn godtar ikke {field} slik det er fylt ut.",
        "nn": "Altinn godtek ikkje {field} slik det er fylt ut.",
        "en": "Altinn does not accept {field} as it is filled in.",
    },
    "lost": {
        "nb": "{field} ble sendt, men kom ikke tilbake.",
        "nn": "{field} vart sendt, men kom ikkje tilbake.",
        "en": "{field} was sent and did not come back.",
    },
    "lost_from_here": {
        "nb": "Appen kjenner ikke {field} på denne plassen, og leste derfor ikke det som står etter.",
        "nn": "Appen kjenner ikkje {field} på denne plassen, og las difor ikkje det som står etter.",
        "en": "The app does not know {field} in this place, and so did not read what stands after it.",
    },
    "not_comparable": {
        "nb": "Hva som ble av skjemaet {form}, kunne ikke kontrolleres.",
        "nn": "Kva som vart av skjemaet {form}, lét seg ikkje kontrollere.",
        "en": "What became of the form {form} could not be verified.",
    },
    "added": {
        "nb": "{field} kom tilbake uten å være sendt.",
        "nn": "{field} kom tilbake utan å vere sendt.",
        "en": "{field} came back and was not sent.",
    },
    "changed": {
        "nb": "{field} kom tilbake med en annen verdi.",
        "nn": "{field} kom tilbake med ein annan verdi.",
        "en": "{field} came back with another value.",
    },
    "moved": {
        "nb": "{field} kom tilbake på en annen plass.",
        "nn": "{field} kom tilbake på ein annan plass.",
        "en": "{field} came back in another place.",
    },
    "not_allowed": {
        "nb": "{field} stemmer ikke med skjemaets regler.",
        "nn": "{field} stemmer ikkje med reglane for skjemaet.",
        "en": "{field} does not agree with the rules of the form.",
    },
}

_SENTENCES_WITH: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("type", "items"): {
        "nb": "Hver verdi i {field} må være {items}.",
        "nn": "Kvar verdi i {field} må vere {items}.",
        "en": "Each value in {field} must be {items}.",
    },
    ("length", "items"): {
        "nb": "{field} må ha nøyaktig {length} verdier.",
        "nn": "{field} må ha nøyaktig {length} verdiar.",
        "en": "{field} must have exactly {length} values.",
    },
    ("min_length", "items"): {
        "nb": "{field} må ha minst {minLength} verdier.",
        "nn": "{field} må ha minst {minLength} verdiar.",
        "en": "{field} must have at least {minLength} values.",
    },
    ("max_length", "items"): {
        "nb": "{field} kan ha høyst {maxLength} verdier.",
        "nn": "{field} kan ha høgst {maxLength} verdiar.",
        "en": "{field} may have at most {maxLength} values.",
    },
    ("type", "values"): {
        "nb": "{field} må være {values} eller {others}.",
        "nn": "{field} må vere {values} eller {others}.",
        "en": "{field} must be {values} or {others}.",
    },
    ("type", "choices"): {
        "nb": "{field} må være en av disse: {choices}.",
        "nn": "{field} må vere ein av desse: {choices}.",
        "en": "{field} must be one of these: {choices}.",
    },
    ("type", "types"): {
        "nb": "{field} må være {types}.",
        "nn": "{field} må vere {types}.",
        "en": "{field} must be {types}.",
    },
    ("too_many_of_choice", "beside"): {
        "nb": "{field} kan ikke stå sammen med {beside}: bare én av disse kan være med: {choices}.",
        "nn": "{field} kan ikkje stå saman med {beside}: berre éin av desse kan vere med: {choices}.",
        "en": "{field} may not stand beside {beside}: only one of these may be there: {choices}.",
    },
    ("too_many_of_choice", "max"): {
        "nb": "{field} er én for mye: det kan være høyst {max} av disse i alt: {choices}.",
        "nn": "{field} er éin for mykje: det kan vere høgst {max} av desse i alt: {choices}.",
        "en": "{field} is one too many: at most {max} of these may be there in all: {choices}.",
    },
    ("nil_not_allowed", "optional"): {
        "nb": "{field} kan ikke være merket som tomt (xsi:nil): utelat det når det ikke har noen verdi.",
        "nn": "{field} kan ikkje vere merkt som tomt (xsi:nil): utelat det når det ikkje har nokon verdi.",
        "en": "{field} may not be marked as empty (xsi:nil): leave it out where it has no value.",
    },
    ("nil_not_allowed", "required"): {
        "nb": "{field} kan ikke være merket som tomt (xsi:nil): det må fylles ut.",
        "nn": "{field} kan ikkje vere merkt som tomt (xsi:nil): det må fyllast ut.",
        "en": "{field} may not be marked as empty (xsi:nil): it must be filled in.",
    },
    ("missing_attribute", "namespace"): {
        "nb": "Attributtet {field} i navnerommet {namespace} mangler.",
        "nn": "Attributtet {field} i namnerommet {namespace} manglar.",
        "en": "The attribute {field} of the namespace {namespace} is missing.",
    },
    ("misplaced_element", "before"): {
        "nb": "{field} står på feil plass: det skal stå før {before}.",
        "nn": "{field} står på feil plass: det skal stå før {before}.",
        "en": "{field} is in the wrong place: it must come before {before}.",
    },
    ("misplaced_element", "expected"): {
        "nb": "{field} står på feil plass: her skal {expected} stå.",
        "nn": "{field} står på feil plass: her skal {expected} stå.",
        "en": "{field} is in the wrong place: {expected} must come here.",
    },
    ("misplaced_element", "allowed"): {
        "nb": "{field} står på feil plass: her kan bare dette stå: {allowed}.",
        "nn": "{field} står på feil plass: her kan berre dette stå: {allowed}.",
        "en": "{field} is in the wrong place: only these may come here: {allowed}.",
    },
}
"""What is said of a rule where a fact is known that not all of its findings have."""
RULES = frozenset(_SENTENCES)
"""All rules that have a sentence."""
_WHOLE = "/"
_THE_FORM: Mapping[str, str] = {"nb": "skjemaet", "nn": "skjemaet", "en": "the form"}
_COUNTED = {"digits", "length", "max", "min"}
_SINGULAR: Mapping[str, tuple[tuple[str, str], ...]] = {
    "nb": (
        ("ett verdier", "én verdi"),
        (" 1 verdier", " én verdi"),
        ("ett ganger", "én gang"),
        (" 1 desimaler", " én desimal"),
        (" 1 sifre", " ett siffer"),
    ),
    "nn": (
        ("eitt verdiar", "éin verdi"),
        (" 1 verdiar", " éin verdi"),
        ("eitt gonger", "éin gong"),
        (" 1 desimalar", " éin desimal"),
        (" 1 siffer", " eitt siffer"),
    ),
    "en": (
        ("one times", "once"),
        ("one digits", "one digit"),
        ("one characters", "one character"),
        ("one values", "one value"),
        (" 1 values", " one value"),
        (" 1 characters", " one character"),
        (" 1 digits", " one digit"),
        (" 1 decimals", " one decimal"),
    ),
}
"""What counts read like when they are one."""
# Old registry forms number their names: Journalnummer-datadef-33316 is called Journalnummer.
_NUMBERED = re.compile(r"-(grp|datadef)-\d+\Z")


def sentence(finding: Finding, language: str) -> str:
    """The *finding* in *language* (nb, nn or en); the plainest sentence for a rule or fact that is not known."""
    if finding.rule == "business_rule" and language in finding.facts:
        return finding.facts[language]
    name = field_name(finding.path)
    words = {"field": _THE_FORM[language] if name == _WHOLE else name}
    for name, fact in finding.facts.items():
        words[name] = _in_words(name, fact, language)
    more = (_SENTENCES_WITH.get((finding.rule, name)) for name in finding.facts)
    texts = next(filter(None, more), None) or _SENTENCES.get(finding.rule, _SENTENCES["not_allowed"])
    try:
        text = texts[language].format_map(words)
    except KeyError:
        text = _SENTENCES["not_allowed"][language].format_map(words)
    if "1" in finding.facts.values():
        for plural, singular in _SINGULAR[language]:
            text = text.replace(plural, singular)
    return text[:1].upper() + text[1:]


def field_name(path: str) -> str:
    """Name the field at *path* as its form does: without place, prefix and the numbers of old registry forms."""
    # A number is an item's place in a list (JSON); the list has the name.
    last = next((step for step in reversed(path.split("/")) if not step.isdecimal()), "").removeprefix("@")
    name = last.partition("[")[0].rpartition(":")[2]
    return _NUMBERED.sub("", name) or _WHOLE


def _in_words(name: str, fact: str, language: str) -> str:
    if name in {"type", "items", "types", "others"}:
        kinds = [_KINDS.get(each) or each for each in fact.split(", ")]
        words = [_KIND_WORDS[kind][language] if kind in _KIND_WORDS else kind for kind in dict.fromkeys(kinds)]
        return (" or " if language == "en" else " eller ").join(words)
    if name == "why" and fact in WHYS:
        return WHYS[fact][language]
    if name in _COUNTED and fact.isdecimal() and int(fact) < len(_NUMBERS[language]):
        return _NUMBERS[language][int(fact)]
    return fact
