"""
The words that Altinn 2's errors are made of.

A phrase may quote a form or a person: of it the operator is told these words, and no others.
"""

import re

_WORDS = """
    a access action allowed allows already among an and any api apikey app archived are at attached attachment
    attachments authenticated authentication authorization authorized be been before but by can cannot
    certificate change changed code complete completed could data dataformatid dataformatversion deleted details
    do document does done edition element enterprise error errors exactly exceeded exist expired extension
    failed file filename filling filter for form forms found from has have header id in incoming invalid is it
    key language larger length level limit locked mainform match maximum memory message messages method missing
    more must name needs no not number of on one only operation or order organization others parameter
    parentelement party payment pdf permission please position profile property query read received reference
    register rejected reportee request required right rights role schema security see sent server service
    servicecode serviceedition set shipment sign signature signatures signed signing size state status step
    steps subform subforms submitted supplied supported syntax system than that the there this those time
    timeout to too top type unable unexpected unknown unsupported update updated use user valid validated
    validation value values verify version was which with wrong xml
    alle allerede andre arkivert av bare betales betaling blant bruk bruker brukeren de dem den dermed det ditt
    du eller en endelse endres endret er et feil felt fil filen filnavn filnavnet filtypen finner finnes
    forespørsel forespørselen forsøk fra fullført gjennomført gjort gyldig går har hører igjen ikke ingen
    ingenting inn kan kodeliste kommet kunne lest låst maks maksimalt manglar mangler med melding meldingen men
    mer må ned nivå noe nytt nøyaktig og også om over prøv på rett rettighet rolle samme sendt senere signaturer
    signere signering signeringssteg signert sikkerhetsnivå skal skjema skjemadata skjemaet slettet slik som
    steg større størrelse så tid til tilgang tillatt tilstand tjeneste tjenesten tjenesteutgave tåler ugyldig
    ukjent under utfylling utløpt validering valideringen vedlegg vedlegget vedleggstypen versjon være åpnes
"""
_KNOWN = frozenset(_WORDS.split())


def known_words(phrase: str) -> str:
    """The words of *phrase* that belong to errors and to no person or form; an ellipsis stands for all others."""
    words = [word if word.strip(".,:;!?'\"()").casefold() in _KNOWN else "…" for word in phrase.split()]
    return re.sub(r"…(?: …)+", "…", " ".join(words))
