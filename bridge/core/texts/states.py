"""What a dialog says of where its case stands, in nb, nn and en: statuses, summaries, history and built-in buttons."""

from collections.abc import Mapping

from bridge.core.cases import CaseStatus
from bridge.core.mapping import Texts

FILLING: Texts = {"nb": "Under utfylling", "nn": "Under utfylling", "en": "Being filled in"}
SIGNING: Texts = {"nb": "Til signering", "nn": "Til signering", "en": "To be signed"}
SUBMITTED: Texts = {"nb": "Sendt inn", "nn": "Sendt inn", "en": "Submitted"}
DELETED: Texts = {"nb": "Slettet", "nn": "Sletta", "en": "Deleted"}

SUMMARIES: Mapping[CaseStatus, Texts] = {
    CaseStatus.FORM_FILLING: {
        "nb": "Skjemaet er ikke sendt inn ennå.",
        "nn": "Skjemaet er ikkje sendt inn enno.",
        "en": "The form has not been submitted yet.",
    },
    CaseStatus.SIGNING: {
        "nb": "Skjemaet venter på signering.",
        "nn": "Skjemaet ventar på signering.",
        "en": "The form waits for a signature.",
    },
    CaseStatus.ARCHIVED: {
        "nb": "Skjemaet er sendt inn.",
        "nn": "Skjemaet er sendt inn.",
        "en": "The form has been submitted.",
    },
    CaseStatus.DELETED: {
        "nb": "Skjemaet er slettet.",
        "nn": "Skjemaet er sletta.",
        "en": "The form has been deleted.",
    },
}
"""What the summary of a dialog of ours says where the mapping has none."""

TEXTS: Mapping[str, Mapping[str, str]] = {
    "done": {
        "nb": "Handlingen er utført.",
        "nn": "Handlinga er utført.",
        "en": "The action has been carried out.",
    },
    "deleted": {
        "nb": "Skjemaet er slettet.",
        "nn": "Skjemaet er sletta.",
        "en": "The form has been deleted.",
    },
    "calculated": {
        "nb": "Skjemaet er beregnet. Ingenting er sendt inn.",
        "nn": "Skjemaet er rekna ut. Ingenting er sendt inn.",
        "en": "The form has been calculated. Nothing has been sent in.",
    },
    "repeated": {
        "nb": "Dette var gjort fra før. Ingenting ble sendt på nytt, og du trenger ikke å gjøre noe mer.",
        "nn": "Dette var gjort frå før. Ingenting vart sendt på nytt, og du treng ikkje gjere noko meir.",
        "en": "This had been done already. Nothing was sent again, and you need not do anything more.",
    },
    "unclear": {
        "nb": "Vi kan ikke se hvor langt saken er kommet i Altinn. Åpne skjemaet i Altinn, eller kontakt avsenderen.",
        "nn": "Vi kan ikkje sjå kor langt saka er komen i Altinn. Opne skjemaet i Altinn, eller kontakt avsendaren.",
        "en": "We cannot see how far the case has come in Altinn. Open the form in Altinn, or contact the sender.",
    },
    "content_lost": {
        "nb": "Handlingen er utført, men noe mangler i det som Altinn viser. Avsenderen må kontrollere saken.",
        "nn": "Handlinga er utført, men noko manglar i det som Altinn viser. Avsendaren må kontrollere saka.",
        "en": "The action was carried out, but Altinn does not show all of it. The sender has to check the case.",
    },
    "content_unverified": {
        "nb": "Handlingen er utført, men det kunne ikke kontrolleres at alt kom fram. Avsenderen må kontrollere saken.",
        "nn": "Handlinga er utført, men det lét seg ikkje kontrollere at alt kom fram. Avsendaren må kontrollere saka.",
        "en": "The action was carried out, but not verified: some may be missing. The sender has to check the case.",
    },
    "given_up": {
        "nb": "Handlingen kunne ikke fullføres. Prøv igjen senere, eller kontakt avsenderen.",
        "nn": "Handlinga kunne ikkje fullførast. Prøv igjen seinare, eller kontakt avsendaren.",
        "en": "The action could not be completed. Try again later, or contact the sender.",
    },
    "over": {
        "nb": "Handlingen ble ikke utført. Saken er avsluttet fra før, og du trenger ikke å gjøre noe mer.",
        "nn": "Handlinga vart ikkje utført. Saka er avslutta frå før, og du treng ikkje gjere noko meir.",
        "en": "The action was not carried out. The case was at its end before, and you need not do anything more.",
    },
    "outcome_open": {
        "nb": "Vi vet ennå ikke om dette nådde Altinn. Ikke send på nytt; vi følger med og sier fra her.",
        "nn": "Vi veit enno ikkje om dette nådde Altinn. Ikkje send på nytt; vi følgjer med og seier frå her.",
        "en": "We do not know yet whether this reached Altinn. Do not send again; we keep looking, and tell you here.",
    },
    "waits_for_attachment": {
        "nb": "Et vedlegg kan fortsatt være på vei til Altinn. Skjemaet venter på det; du trenger ikke å gjøre noe.",
        "nn": "Eit vedlegg kan framleis vere på veg til Altinn. Skjemaet ventar på det; du treng ikkje å gjere noko.",
        "en": "An attachment may still be on its way to Altinn. The form waits for it; you need not do anything.",
    },
    "waits_for_operation": {
        "nb": "En tidligere handling kan fortsatt nå Altinn. Denne venter på den; du trenger ikke å gjøre noe.",
        "nn": "Ei tidlegare handling kan framleis nå Altinn. Denne ventar på henne; du treng ikkje å gjere noko.",
        "en": "An earlier action may still reach Altinn. This one waits for it; you need not do anything.",
    },
    "outcome_uncertain": {
        "nb": "Det er uvisst om saken ble sendt. Ikke send på nytt; avsenderen må kontrollere saken.",
        "nn": "Det er uvisst om saka vart send. Ikkje send på nytt; avsendaren må kontrollere saka.",
        "en": "It is uncertain whether the case was sent. Do not send again; the sender has to check the case.",
    },
}
"""What the dialog's history says, by language: at most 255 characters, and nothing of the form or the person."""

TITLES: Mapping[CaseStatus, Texts] = {
    CaseStatus.FORM_FILLING: {"nb": "Lagre", "nn": "Lagre", "en": "Save"},
    CaseStatus.SIGNING: {"nb": "Send til signering", "nn": "Send til signering", "en": "Send to signing"},
    CaseStatus.ARCHIVED: {"nb": "Send inn", "nn": "Send inn", "en": "Submit"},
    CaseStatus.DELETED: {"nb": "Slett skjemaet", "nn": "Slett skjemaet", "en": "Delete the form"},
    CaseStatus.CONFIRMED: {"nb": "Bekreft", "nn": "Stadfest", "en": "Confirm"},
    CaseStatus.CALCULATED: {"nb": "Beregn", "nn": "Rekn ut", "en": "Calculate"},
}
"""Built-in buttons, by where they want the element."""
SIGN: Texts = {"nb": "Signer og send inn", "nn": "Signer og send inn", "en": "Sign and submit"}
PUT_AWAY: Texts = {"nb": "Arkiver", "nn": "Arkiver", "en": "Archive"}
