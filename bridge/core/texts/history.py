"""What a dialog says of a press that did not go well: by the code of its problem, in words that help."""

from collections.abc import Mapping

from bridge.core.mapping import Texts

_FORM = {
    "nb": "Skjemaet har feil, og ingenting ble sendt. Rett feilene i skjemaet, og prøv igjen.",
    "nn": "Skjemaet har feil, og ingenting vart sendt. Rett feila i skjemaet, og prøv igjen.",
    "en": "The form has errors, and nothing was sent. Correct them in the form, and try again.",
}
_ATTACHMENT = {
    "nb": "Et vedlegg følger ikke tjenestens regler, og ingenting ble sendt. Rett vedlegget, og prøv igjen.",
    "nn": "Eit vedlegg følgjer ikkje reglane til tenesta, og ingenting vart sendt. Rett vedlegget, og prøv igjen.",
    "en": "An attachment breaks the service's rules, and nothing was sent. Correct it, and try again.",
}
_MESSAGE = {
    "nb": "Innholdet kunne ikke leses, og ingenting ble sendt. Kontroller det i systemet som du sendte fra.",
    "nn": "Innhaldet kunne ikkje lesast, og ingenting vart sendt. Kontroller det i systemet som du sende frå.",
    "en": "The content could not be read, and nothing was sent. Check it in the system that you sent it from.",
}
_ACCESS = {
    "nb": "Altinn gir ikke tilgang til dette, og ingenting ble sendt. Se over rollene dine, eller fullfør i Altinn.",
    "nn": "Altinn gir ikkje tilgang til dette, og ingenting vart sendt. Sjå over rollene dine, eller fullfør i Altinn.",
    "en": "Altinn gives no access to this, and nothing was sent. Check your roles, or complete it in Altinn.",
}

CORRECTABLE = frozenset(
    (
        *("form_invalid", "form_refused", "form_set_refused"),
        *("app_form_unreadable", "app_cannot_calculate"),
        *("attachment_missing", "attachment_name", "attachment_type", "attachment_size", "attachment_extension"),
        *("attachment_empty", "attachment_count", "attachment_refused", "attachments_not_taken"),
    )
)
"""What the party can put right and then press again."""

TRY_AGAIN = (
    CORRECTABLE
    | {"element_changed", "mapping_changed", "upload_under_way", "profile_missing", "given_up"}
    | {"service_level_too_low"}
)
"""Where another try can help; no other text asks for one."""

REFUSAL_TEXTS: Mapping[str, Mapping[str, str]] = {
    "refused": {
        "nb": "Handlingen ble avvist, og ingenting ble sendt. Kontakt avsenderen.",
        "nn": "Handlinga vart avvist, og ingenting vart sendt. Kontakt avsendaren.",
        "en": "The action was refused, and nothing was sent. Contact the sender.",
    },
    **dict.fromkeys(
        (
            *("form_invalid", "form_refused", "form_set_refused"),
            *("app_form_unreadable", "app_cannot_calculate"),
        ),
        _FORM,
    ),
    **dict.fromkeys(
        (
            *("attachment_name", "attachment_type", "attachment_size", "attachment_extension"),
            *("attachment_empty", "attachment_count", "attachment_refused"),
        ),
        _ATTACHMENT,
    ),
    **dict.fromkeys(
        (
            *("message_invalid", "subforms_not_allowed", "body_type", "body_missing"),
            *("json_root_unsaid", "json_not_taken"),
        ),
        _MESSAGE,
    ),
    **dict.fromkeys(("altinn_level_too_low", "not_allowed_in_altinn"), _ACCESS),
    "form_value_missing": {
        "nb": "Skjemaet mangler et felt som fylles ut automatisk, og ingenting ble sendt. Kontakt avsenderen.",
        "nn": "Skjemaet manglar eit felt som blir fylt ut automatisk, og ingenting vart sendt. Kontakt avsendaren.",
        "en": "The form lacks a field that is filled in automatically, and nothing was sent. Contact the sender.",
    },
    "attachment_missing": {
        "nb": "Skjemaet mangler vedlegg, og ingenting ble sendt. Legg ved det som mangler, og prøv igjen.",
        "nn": "Skjemaet manglar vedlegg, og ingenting vart sendt. Legg ved det som manglar, og prøv igjen.",
        "en": "Attachments are missing, and nothing was sent. Attach what is missing, and try again.",
    },
    "attachments_not_taken": {
        "nb": "Handlingen tar ikke imot vedlegg, og ingenting ble sendt. Ta dem bort, og prøv igjen.",
        "nn": "Handlinga tek ikkje imot vedlegg, og ingenting vart sendt. Ta dei bort, og prøv igjen.",
        "en": "The action takes no attachments, and nothing was sent. Take them away, and try again.",
    },
    "too_large_to_carry": {
        "nb": "Vedleggene er for store til å sendes herfra, og ingenting ble sendt. Fullfør skjemaet i Altinn.",
        "nn": "Vedlegga er for store til å sendast herifrå, og ingenting vart sendt. Fullfør skjemaet i Altinn.",
        "en": "The attachments are too large to be sent from here, and nothing was sent. Complete the form in Altinn.",
    },
    "payment_needed": {
        "nb": "Skjemaet må betales i Altinn, og ingenting ble sendt. Fullfør det der.",
        "nn": "Skjemaet må betalast i Altinn, og ingenting vart sendt. Fullfør det der.",
        "en": "The form has to be paid for in Altinn, and nothing was sent. Complete it there.",
    },
    "others_must_sign": {
        "nb": "Skjemaet må signeres av flere, og ingenting ble sendt. Send det til signering i Altinn.",
        "nn": "Skjemaet må signerast av fleire, og ingenting vart sendt. Send det til signering i Altinn.",
        "en": "Others have to sign the form, and nothing was sent. Send it to signing in Altinn.",
    },
    "service_not_in_force": {
        "nb": "Tjenesten er ikke i bruk nå, og ingenting ble sendt. Kontakt avsenderen.",
        "nn": "Tenesta er ikkje i bruk no, og ingenting vart sendt. Kontakt avsendaren.",
        "en": "The service is not in use now, and nothing was sent. Contact the sender.",
    },
    "no_signing_step": {
        "nb": "Skjemaet skal ikke signeres, og ingenting ble sendt. Kontakt avsenderen.",
        "nn": "Skjemaet skal ikkje signerast, og ingenting vart sendt. Kontakt avsendaren.",
        "en": "The form is not to be signed, and nothing was sent. Contact the sender.",
    },
    "service_level_too_low": {
        "nb": "Tjenesten krever et høyere sikkerhetsnivå, og ingenting ble sendt. Logg inn på nytt, og prøv igjen.",
        "nn": "Tenesta krev eit høgare tryggleiksnivå, og ingenting vart sendt. Logg inn på nytt, og prøv igjen.",
        "en": "The service requires a higher level, and nothing was sent. Log in at a higher level, and try again.",
    },
    "service_out_of_reach": {
        "nb": "Tjenesten kan ikke brukes herfra, og ingenting ble sendt. Fullfør skjemaet i Altinn.",
        "nn": "Tenesta kan ikkje brukast herifrå, og ingenting vart sendt. Fullfør skjemaet i Altinn.",
        "en": "The service cannot be used from here, and nothing was sent. Complete the form in Altinn.",
    },
    "left_in_form_filling": {
        "nb": "Skjemaet ble lagret i Altinn, men ikke sendt inn. Fullfør det i Altinn.",
        "nn": "Skjemaet vart lagra i Altinn, men ikkje sendt inn. Fullfør det i Altinn.",
        "en": "The form was saved in Altinn, but not sent in. Complete it in Altinn.",
    },
    "sign_in_altinn": {
        "nb": "Signaturen kan ikke gis herfra, og ingenting ble signert. Åpne skjemaet i Altinn, og signer der.",
        "nn": "Signaturen kan ikkje givast herifrå, og ingenting vart signert. Opne skjemaet i Altinn, og signer der.",
        "en": "The signature cannot be given here, and nothing was signed. Open the form in Altinn, and sign there.",
    },
    "signature_not_needed": {
        "nb": "Et trykk på signering ga ingen signatur: skjemaet var alt sendt inn.",
        "nn": "Eit trykk på signering gav ingen signatur: skjemaet var alt sendt inn.",
        "en": "A press to sign gave no signature: the form had been sent in already.",
    },
    "profile_missing": {
        "nb": "Du har ingen profil i Altinn, og ingenting ble sendt. Logg inn i Altinn en gang, og prøv igjen.",
        "nn": "Du har ingen profil i Altinn, og ingenting vart sendt. Logg inn i Altinn ein gong, og prøv igjen.",
        "en": "You have no profile in Altinn, and nothing was sent. Log in to Altinn once, and try again.",
    },
    "element_changed": {
        "nb": "Skjemaet ble endret i mellomtiden, og ingenting ble sendt. Se over det, og prøv igjen.",
        "nn": "Skjemaet vart endra i mellomtida, og ingenting vart sendt. Sjå over det, og prøv igjen.",
        "en": "The form was changed meanwhile, and nothing was sent. Look it over, and try again.",
    },
    "upload_under_way": {
        "nb": "Et vedlegg var fortsatt på vei, og ingenting ble sendt. Vent til det er lastet opp, og prøv igjen.",
        "nn": "Eit vedlegg var framleis på veg, og ingenting vart sendt. Vent til det er lasta opp, og prøv igjen.",
        "en": "An attachment was still on its way, and nothing was sent. Wait until it is there, and try again.",
    },
    "mapping_changed": {
        "nb": "Handlingen ble endret mens den ventet, og ingenting ble sendt. Se over den, og prøv igjen.",
        "nn": "Handlinga vart endra medan ho venta, og ingenting vart sendt. Sjå over henne, og prøv igjen.",
        "en": "The action was changed while it waited, and nothing was sent. Look it over, and try again.",
    },
    "element_wrong_state": {
        "nb": "Skjemaet står ikke der denne handlingen gjelder, og ingenting ble sendt. Se hva som kan gjøres nå.",
        "nn": "Skjemaet står ikkje der denne handlinga gjeld, og ingenting vart sendt. Sjå kva som kan gjerast no.",
        "en": "The form is not where this action applies, and nothing was sent. See what can be done now.",
    },
    "deletion_too_early": {
        "nb": "Skjemaet kan ikke slettes ennå, og ingenting ble slettet. Vent til fristen er ute.",
        "nn": "Skjemaet kan ikkje slettast enno, og ingenting vart sletta. Vent til fristen er ute.",
        "en": "The form cannot be deleted yet, and nothing was deleted. Wait until its time is up.",
    },
    "element_gone": {
        "nb": "Skjemaet finnes ikke lenger i Altinn, og ingenting ble sendt. Kontakt avsenderen.",
        "nn": "Skjemaet finst ikkje lenger i Altinn, og ingenting vart sendt. Kontakt avsendaren.",
        "en": "The form is no longer in Altinn, and nothing was sent. Contact the sender.",
    },
    "upstream_gone": {
        "nb": "Systemet som skjemaet lå i, er stengt, og ingenting ble sendt. Kontakt avsenderen.",
        "nn": "Systemet som skjemaet låg i, er stengt, og ingenting vart sendt. Kontakt avsendaren.",
        "en": "The system that held the form is closed, and nothing was sent. Contact the sender.",
    },
}
"""
What the history says, by the code of the operation's problem; ``refused`` stands for every other code.

At most 255 characters, and nothing of the form or the person.
"""

NOT_DONE: Texts = {"nb": "Ikke utført", "nn": "Ikkje utført", "en": "Not carried out"}
TO_CORRECT: Texts = {"nb": "Må rettes", "nn": "Må rettast", "en": "Needs correction"}
UNCERTAIN: Texts = {"nb": "Uvisst om sendt", "nn": "Uvisst om sendt", "en": "Unclear if sent"}
TO_CHECK: Texts = {"nb": "Må kontrolleres", "nn": "Må kontrollerast", "en": "Has to be checked"}

_BADGES: Mapping[str, Texts] = {
    **dict.fromkeys(CORRECTABLE, TO_CORRECT),
    "outcome_uncertain": UNCERTAIN,
    "content_lost": TO_CHECK,
    "content_unverified": TO_CHECK,
}
BADGE_TEXTS = (NOT_DONE, TO_CORRECT, UNCERTAIN, TO_CHECK)

NOT_AGAIN = frozenset({"outcome_uncertain", "content_lost", "content_unverified"})
"""Whatever a mapping says of refusals, these say themselves that nothing may be sent again."""


def badge_of(code: str) -> Texts:
    """At most 25 characters that say that a press did not do what it should."""
    return _BADGES.get(code, NOT_DONE)
