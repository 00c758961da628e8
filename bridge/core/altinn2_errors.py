"""
Altinn 2's errors: from status and reason phrase to what to do next and what the sender is told (facts/altinn2.md 5).

Where the facts give no wording, the phrases are guesses by Altinn 2's own words (its engine's business errors), and
an answer that no row knows is refused. Of its phrase, which may quote a form or a person, the operator is told the
words that Altinn 2's errors are made of, and no others.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from bridge.core.problems import Problem


class Next(Enum):
    """What an answer means for the call: errors of ``core.errors``, by name."""

    UNREACHABLE = "nothing was done"
    UNKNOWN = "it may have been done"
    REJECTED = "it will not be done"
    CREDENTIALS = "the bridge itself was refused"
    MISSING = "it is not there"


@dataclass(frozen=True, slots=True)  # By position, so that the table reads in columns.
class Row:
    """One kind of answer: statuses *first* to *last* whose phrase holds *phrase*, case aside."""

    first: int
    last: int
    phrase: str
    reading: Next
    writing: Next
    reason: str


_LATER, _UNKNOWN, _NO, _MISSING = Next.UNREACHABLE, Next.UNKNOWN, Next.REJECTED, Next.MISSING
_US = Next.CREDENTIALS

CATALOGUE: Sequence[Row] = (
    Row(300, 399, "", _LATER, _LATER, "login_page"),
    Row(400, 401, "form validation failed", _NO, _NO, "form_invalid"),  # 401 until release 20.5.
    Row(400, 400, "header 'apikey'", _US, _US, "not_configured"),
    Row(400, 400, "user profile could not be found", _NO, _NO, "no_profile"),
    Row(400, 400, "for top query", _NO, _NO, "bad_query"),
    Row(400, 400, "could not find property", _NO, _NO, "bad_query"),
    Row(400, 400, "syntax error at position", _NO, _NO, "bad_query"),
    # The form set (release 18.4), by the words of the facts: their exact text is not known.
    Row(400, 400, "mainform", _NO, _NO, "form_set"),
    Row(400, 400, "subform", _NO, _NO, "form_set"),
    # Payment, others' signatures, the element's own state: the engine's errors 14, 60035, 60036 and 60037.
    Row(400, 409, "payment", _NO, _NO, "payment"),
    Row(400, 409, "signature of others", _NO, _NO, "others_sign"),
    Row(400, 409, "already signed", _NO, _NO, "already_signed"),
    Row(400, 409, "already been archived", _NO, _NO, "already_archived"),
    Row(413, 413, "", _NO, _NO, "attachment_refused"),
    Row(400, 409, "attachment", _NO, _NO, "attachment_refused"),
    Row(400, 409, "file", _NO, _NO, "attachment_refused"),
    Row(401, 401, "certificate", _US, _US, "not_authenticated"),
    Row(401, 401, "level", _NO, _NO, "level_too_low"),
    Row(401, 401, "nivå", _NO, _NO, "level_too_low"),
    Row(401, 401, "", _US, _US, "not_authenticated"),
    Row(403, 403, "api key", _US, _US, "not_configured"),
    Row(403, 403, "authenticated", _US, _US, "not_authenticated"),  # Since release 21.7.
    Row(403, 403, "", _NO, _NO, "forbidden"),
    Row(404, 404, "", _MISSING, _MISSING, "not_found"),
    Row(408, 408, "", _LATER, _UNKNOWN, "timeout"),
    # For one element it may also be how an a-id answers once it is archived (facts/altinn2.md 10).
    Row(410, 410, "", _MISSING, _NO, "gone"),
    Row(429, 429, "", _LATER, _LATER, "too_many_requests"),
    Row(503, 503, "", _LATER, _LATER, "unavailable"),
    Row(500, 599, "", _LATER, _UNKNOWN, "server_error"),
    Row(0, 999, "", _NO, _NO, "rejected"),
)
"""The first row that fits counts."""

TOLD: Mapping[str, Problem] = {
    "form_invalid": Problem(code="form_refused", status=422),
    "form_set": Problem(code="form_set_refused", status=422),
    "no_profile": Problem(code="profile_missing", status=409),
    "payment": Problem(code="payment_needed", status=409),
    "others_sign": Problem(code="others_must_sign", status=409),
    # To Altinn 2 the bridge is one user, whoever presses.
    "already_signed": Problem(code="sign_in_altinn", status=409),
    "already_archived": Problem(code="element_wrong_state", status=409),
    "attachment_refused": Problem(code="attachment_refused", status=422),
    "level_too_low": Problem(code="altinn_level_too_low", status=403),
    "forbidden": Problem(code="not_allowed_in_altinn", status=403),
    "gone": Problem(code="upstream_gone", status=410),
    "not_found": Problem(code="element_gone", status=410),
}
"""What the sender is told, by reason; of any other, ``upstream_refused``."""

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


def row_for(status: int, phrase: str) -> Row:
    """Find what *status* with *phrase* (the reason phrase, and what an error body explains) means."""
    words = phrase.casefold()
    return next(row for row in CATALOGUE if row.first <= status <= row.last and row.phrase in words)


def problem_for(reason: str) -> Problem:
    """Say what the sender is told."""
    return TOLD.get(reason, Problem(code="upstream_refused", status=502))
