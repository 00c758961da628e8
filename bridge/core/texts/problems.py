"""
What senders are told, in nb, nn and en.

Keys are the codes of ``Refusal`` and of an operation's outcome; each has a title (the same for every occurrence) and a
detail with ``{fact}`` fields. Facts are never personal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LANGUAGES = ("nb", "nn", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A problem's title and detail in one language."""

    title: str
    detail: str


def _text(title: str, detail: str) -> Text:
    return Text(title=title, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What a person reads who came to one of the bridge's addresses with a browser."""

    title: str
    about: str
    next: str
    link: str


LANDING: Mapping[str, Landing] = {
    "nb": Landing(
        title="Denne adressen er ikke en nettside",
        about="Den brukes av Arbeidsflate og andre systemer når noen trykker på en knapp i en dialog. "
        "Ingenting ble sendt inn eller endret av at du kom hit.",
        next="Åpne dialogen i Arbeidsflate, og bruk knappene og lenkene der.",
        link="Gå til Arbeidsflate",
    ),
    "nn": Landing(
        title="Denne adressa er ikkje ei nettside",
        about="Ho blir brukt av Arbeidsflate og andre system når nokon trykkjer på ein knapp i ein dialog. "
        "Ingenting vart sendt inn eller endra av at du kom hit.",
        next="Opne dialogen i Arbeidsflate, og bruk knappane og lenkjene der.",
        link="Gå til Arbeidsflate",
    ),
    "en": Landing(
        title="This address is not a web page",
        about="Arbeidsflate and other systems use it when somebody presses a button in a dialog. "
        "Nothing was submitted or changed by your coming here.",
        next="Open the dialog in Arbeidsflate, and use the buttons and links there.",
        link="Go to Arbeidsflate",
    ),
}

TEXTS: Mapping[str, Mapping[str, Text]] = {
    "token_missing": {
        "nb": _text("Dialogtoken mangler", "Send dialogtokenet i Authorization: Bearer."),
        "nn": _text("Dialogtoken manglar", "Send dialogtokenet i Authorization: Bearer."),
        "en": _text("Dialog token missing", "Send the dialog token in Authorization: Bearer."),
    },
    "token_invalid": {
        "nb": _text("Dialogtokenet er ikke gyldig", "Last dialogen på nytt, og prøv igjen med det nye tokenet."),
        "nn": _text("Dialogtokenet er ikkje gyldig", "Last dialogen på nytt, og prøv igjen med det nye tokenet."),
        "en": _text("The dialog token is not valid", "Load the dialog again, and retry with the new token."),
    },
    "token_expired": {
        "nb": _text("Dialogtokenet er utløpt", "Last dialogen på nytt, og prøv igjen med det nye tokenet."),
        "nn": _text("Dialogtokenet er gått ut", "Last dialogen på nytt, og prøv igjen med det nye tokenet."),
        "en": _text("The dialog token has expired", "Load the dialog again, and retry with the new token."),
    },
    "keys_unavailable": {
        "nb": _text("Tokenet kan ikke kontrolleres nå", "Nøklene er ikke tilgjengelige. Prøv igjen om litt."),
        "nn": _text("Tokenet kan ikkje kontrollerast no", "Nøklane er ikkje tilgjengelege. Prøv igjen om litt."),
        "en": _text("The token cannot be checked now", "The keys are not available. Try again shortly."),
    },
    "other_dialog": {
        "nb": _text("Tokenet gjelder en annen dialog", "Bruk tokenet som hører til denne dialogen."),
        "nn": _text("Tokenet gjeld ein annan dialog", "Bruk tokenet som høyrer til denne dialogen."),
        "en": _text("The token is for another dialog", "Use the token that belongs to this dialog."),
    },
    "other_service": {
        "nb": _text("Tokenet gjelder en annen tjeneste", "Bruk tokenet som hører til denne dialogen."),
        "nn": _text("Tokenet gjeld ei anna teneste", "Bruk tokenet som høyrer til denne dialogen."),
        "en": _text("The token is for another service", "Use the token that belongs to this dialog."),
    },
    "other_party": {
        "nb": _text("Tokenet gjelder en annen part", "Bruk tokenet som hører til denne dialogen."),
        "nn": _text("Tokenet gjeld ein annan part", "Bruk tokenet som høyrer til denne dialogen."),
        "en": _text("The token is for another party", "Use the token that belongs to this dialog."),
    },
    "action_not_granted": {
        "nb": _text("Du har ikke rett til dette", "Handlingen krever rettigheten {requires}."),
        "nn": _text("Du har ikkje rett til dette", "Handlinga krev retten {requires}."),
        "en": _text("You may not do this", "The action requires the right {requires}."),
    },
    "action_narrowed": {
        "nb": _text(
            "Knappen er avgrenset",
            "Dialogen avgrenser hvem som kan dette, og det er ikke koblet til. Ingenting er sendt.",
        ),
        "nn": _text(
            "Knappen er avgrensa",
            "Dialogen avgrensar kven som kan dette, og det er ikkje kopla til. Ingenting er sendt.",
        ),
        "en": _text(
            "The button is narrowed",
            "The dialog narrows who may do this, and that is not connected. Nothing was sent.",
        ),
    },
    "level_too_low": {
        "nb": _text("Innloggingsnivået er for lavt", "Logg inn på nivå {level} eller høyere, og prøv igjen."),
        "nn": _text("Innloggingsnivået er for lågt", "Logg inn på nivå {level} eller høgare, og prøv igjen."),
        "en": _text("The authentication level is too low", "Log in at level {level} or higher, and try again."),
    },
    "unknown_service": {
        "nb": _text("Tjenesten er ikke koblet til", "Tjenesteeieren har ikke koblet tjenesten til denne adressen."),
        "nn": _text("Tenesta er ikkje kopla til", "Tenesteeigaren har ikkje kopla tenesta til denne adressa."),
        "en": _text("The service is not connected", "The service owner has not connected it to this address."),
    },
    "unknown_action": {
        "nb": _text("Handlingen finnes ikke", "Tjenesten har ingen handling med dette navnet."),
        "nn": _text("Handlinga finst ikkje", "Tenesta har inga handling med dette namnet."),
        "en": _text("No such action", "The service has no action of this name."),
    },
    "unknown_operation": {
        "nb": _text("Oppdraget finnes ikke", "Det finnes ikke noe oppdrag med denne id-en for denne dialogen."),
        "nn": _text("Oppdraget finst ikkje", "Det finst ikkje noko oppdrag med denne id-en for denne dialogen."),
        "en": _text("No such operation", "There is no operation of this id for this dialog."),
    },
    "not_found": {
        "nb": _text("Adressen finnes ikke", "Kontroller adressen."),
        "nn": _text("Adressa finst ikkje", "Kontroller adressa."),
        "en": _text("No such address", "Check the address."),
    },
    "method_not_allowed": {
        "nb": _text("Metoden er ikke tillatt", "Adressen tar ikke imot denne metoden."),
        "nn": _text("Metoden er ikkje tillaten", "Adressa tek ikkje imot denne metoden."),
        "en": _text("Method not allowed", "The address does not take this method."),
    },
    "bad_request": {
        "nb": _text("Forespørselen kan ikke leses", "Kontroller forespørselen."),
        "nn": _text("Førespurnaden kan ikkje lesast", "Kontroller førespurnaden."),
        "en": _text("The request cannot be read", "Check the request."),
    },
    "dialog_gone": {
        "nb": _text("Dialogen finnes ikke lenger", "Den er slettet, og ingenting er sendt. Kontakt avsenderen."),
        "nn": _text("Dialogen finst ikkje lenger", "Han er sletta, og ingenting er sendt. Kontakt avsendaren."),
        "en": _text("The dialog is no longer there", "It was deleted, and nothing was sent. Contact the sender."),
    },
    "not_linked": {
        "nb": _text("Dialogen er ikke koblet til en sak", "Dialogen peker ikke på noe element i Altinn."),
        "nn": _text("Dialogen er ikkje kopla til ei sak", "Dialogen peikar ikkje på noko element i Altinn."),
        "en": _text("The dialog is not linked to a case", "The dialog points at no element in Altinn."),
    },
    "body_not_expected": {
        "nb": _text("Handlingen tar ikke imot innhold", "Send forespørselen uten innhold."),
        "nn": _text("Handlinga tek ikkje imot innhald", "Send førespurnaden utan innhald."),
        "en": _text("The action takes no body", "Send the request without a body."),
    },
    "body_missing": {
        "nb": _text("Skjemaet mangler", "Send skjemaet som innhold, av typen application/xml."),
        "nn": _text("Skjemaet manglar", "Send skjemaet som innhald, av typen application/xml."),
        "en": _text("The form is missing", "Send the form as the body, of type application/xml."),
    },
    "body_type": {
        "nb": _text("Innholdstypen støttes ikke", "Send skjemaet som XML, JSON eller hal+json."),
        "nn": _text("Innhaldstypen er ikkje støtta", "Send skjemaet som XML, JSON eller hal+json."),
        "en": _text("The content type is not supported", "Send the form as XML, JSON or hal+json."),
    },
    "json_root_unsaid": {
        "nb": _text(
            "Skjemaet kan ikke leses som JSON",
            "Oppsettet sier ikke hvilket rotelement skjemaet har. Send det som XML, eller kontakt tjenesteeieren.",
        ),
        "nn": _text(
            "Skjemaet kan ikkje lesast som JSON",
            "Oppsettet seier ikkje kva rotelement skjemaet har. Send det som XML, eller kontakt tenesteeigaren.",
        ),
        "en": _text(
            "The form cannot be read as JSON",
            "The setup does not say which root element it has. Send it as XML, or contact the service owner.",
        ),
    },
    "json_not_taken": {
        "nb": _text("Tjenesten tar ikke imot JSON", "Send skjemaet som XML, eller kontakt tjenesteeieren."),
        "nn": _text("Tenesta tek ikkje imot JSON", "Send skjemaet som XML, eller kontakt tenesteeigaren."),
        "en": _text("The service takes no JSON", "Send the form as XML, or contact the service owner."),
    },
    "attachment_media_type": {
        "nb": _text("Innholdstypen støttes ikke", "Send vedlegget som application/octet-stream eller hal+json."),
        "nn": _text("Innhaldstypen er ikkje støtta", "Send vedlegget som application/octet-stream eller hal+json."),
        "en": _text("The content type is not supported", "Send it as application/octet-stream or hal+json."),
    },
    "body_coding": {
        "nb": _text("Kodingen støttes ikke", "Send innholdet som UTF-8, uten komprimering (Content-Encoding)."),
        "nn": _text("Kodinga er ikkje støtta", "Send innhaldet som UTF-8, utan komprimering (Content-Encoding)."),
        "en": _text("The coding is not supported", "Send the body as UTF-8, without compression (Content-Encoding)."),
    },
    "body_incomplete": {
        "nb": _text("Innholdet kom ikke helt fram", "Ingenting er sendt. Send det hele på nytt."),
        "nn": _text("Innhaldet kom ikkje heilt fram", "Ingenting er sendt. Send alt på nytt."),
        "en": _text("The body did not arrive whole", "Nothing was sent. Send all of it again."),
    },
    "parameter_refused": {
        "nb": _text(
            "En parameter tas ikke imot",
            "Parameteren {parameter} er ukjent, tom eller står to ganger. Ingenting er sendt.",
        ),
        "nn": _text(
            "Ein parameter blir ikkje teken imot",
            "Parameteren {parameter} er ukjend, tom eller står to gonger. Ingenting er sendt.",
        ),
        "en": _text(
            "A parameter is not taken", "The parameter {parameter} is unknown, empty or doubled. Nothing was sent."
        ),
    },
    "body_too_large": {
        "nb": _text("Innholdet er for stort", "Grensen er {limit} byte."),
        "nn": _text("Innhaldet er for stort", "Grensa er {limit} byte."),
        "en": _text("The body is too large", "The limit is {limit} bytes."),
    },
    "other_form_under_way": {
        "nb": _text("Et annet skjema er under behandling", "Vent til det er ferdig, og send på nytt."),
        "nn": _text("Eit anna skjema er under handsaming", "Vent til det er ferdig, og send på nytt."),
        "en": _text("Another form is being processed", "Wait until it is done, and send again."),
    },
    "form_invalid": {
        "nb": _text("Skjemaet har feil og er ikke sendt", "Rett feilene, og prøv igjen. Ingenting er sendt."),
        "nn": _text("Skjemaet har feil og er ikkje sendt", "Rett feila, og prøv igjen. Ingenting er sendt."),
        "en": _text("The form has faults and was not sent", "Correct them, and try again. Nothing was sent."),
    },
    "form_unknown": {
        "nb": _text("Skjemaet hører ikke til tjenesten", "Tjenesten kjenner ikke skjema {form}."),
        "nn": _text("Skjemaet høyrer ikkje til tenesta", "Tenesta kjenner ikkje skjema {form}."),
        "en": _text("The form does not belong to the service", "The service does not know form {form}."),
    },
    "form_value_missing": {
        "nb": _text(
            "Skjemaet mangler et felt",
            "Handlingen fyller ut {path}, som ikke finnes i skjemaet. Ingenting er sendt. Kontakt avsenderen.",
        ),
        "nn": _text(
            "Skjemaet manglar eit felt",
            "Handlinga fyller ut {path}, som ikkje finst i skjemaet. Ingenting er sendt. Kontakt avsendaren.",
        ),
        "en": _text(
            "The form lacks a field",
            "The action fills in {path}, which is not in the form. Nothing was sent. Contact the sender.",
        ),
    },
    "form_value_refused": {
        "nb": _text(
            "Skjemaet ble fylt ut feil",
            "Handlingen fyller ut skjemaet selv, og {path} ble noe annet enn det som kan stå der. "
            "Ingenting er sendt. Kontakt avsenderen.",
        ),
        "nn": _text(
            "Skjemaet vart fylt ut feil",
            "Handlinga fyller ut skjemaet sjølv, og {path} vart noko anna enn det som kan stå der. "
            "Ingenting er sendt. Kontakt avsendaren.",
        ),
        "en": _text(
            "The form was filled in wrongly",
            "The action fills in the form itself, and {path} became what may not stand there. "
            "Nothing was sent. Contact the sender.",
        ),
    },
    "form_refused": {
        "nb": _text("Altinn godtok ikke skjemaet", "Rett feilene i skjemaet, og prøv igjen. Ingenting er sendt."),
        "nn": _text("Altinn godtok ikkje skjemaet", "Rett feila i skjemaet, og prøv igjen. Ingenting er sendt."),
        "en": _text("Altinn did not accept the form", "Correct the form, and try again. Nothing was sent."),
    },
    "element_gone": {
        "nb": _text("Saken finnes ikke lenger", "Elementet er slettet eller ikke tilgjengelig i Altinn."),
        "nn": _text("Saka finst ikkje lenger", "Elementet er sletta eller ikkje tilgjengeleg i Altinn."),
        "en": _text("The case is no longer there", "The element is deleted or not available in Altinn."),
    },
    "element_changed": {
        "nb": _text("Saken er endret i mellomtiden", "Last dialogen på nytt, og prøv igjen. Ingenting er sendt."),
        "nn": _text("Saka er endra i mellomtida", "Last dialogen på nytt, og prøv igjen. Ingenting er sendt."),
        "en": _text("The case has changed meanwhile", "Load the dialog again, and try again. Nothing was sent."),
    },
    "attachment_unsettled": {
        "nb": _text("Vedlegget kan fortsatt komme fram", "Vent litt, og send det igjen. Ingenting er sendt nå."),
        "nn": _text("Vedlegget kan framleis kome fram", "Vent litt, og send det igjen. Ingenting er sendt no."),
        "en": _text("The attachment may still arrive", "Wait a little, and send it again. Nothing was sent now."),
    },
    "upload_under_way": {
        "nb": _text("Et vedlegg er fortsatt på vei", "Vent til det er lastet opp, og prøv igjen. Ingenting er sendt."),
        "nn": _text("Eit vedlegg er framleis på veg", "Vent til det er lasta opp, og prøv igjen. Ingenting er sendt."),
        "en": _text("An attachment is still on its way", "Wait until it is there, and try again. Nothing was sent."),
    },
    "mapping_changed": {
        "nb": _text(
            "Handlingen er borte, eller betyr noe annet nå", "Last dialogen på nytt, og prøv igjen. Ingenting er sendt."
        ),
        "nn": _text(
            "Handlinga er borte, eller tyder noko anna no", "Last dialogen på nytt, og prøv igjen. Ingenting er sendt."
        ),
        "en": _text(
            "The action is gone, or means something else now", "Load the dialog again, and try again. Nothing was sent."
        ),
    },
    "element_wrong_state": {
        "nb": _text("Saken kan ikke behandles slik nå", "Saken står ikke der denne handlingen gjelder."),
        "nn": _text("Saka kan ikkje handsamast slik no", "Saka står ikkje der denne handlinga gjeld."),
        "en": _text("The case cannot be handled like this now", "The case is not where this action applies."),
    },
    "deletion_too_early": {
        "nb": _text("Kan ikke slettes ennå", "Det kan slettes fra {date}. Ingenting er slettet."),
        "nn": _text("Kan ikkje slettast enno", "Det kan slettast frå {date}. Ingenting er sletta."),
        "en": _text("Cannot be deleted yet", "It can be deleted from {date}. Nothing was deleted."),
    },
    "message_invalid": {
        "nb": _text("Meldingen kan ikke leses", "Feil ved {where}. Ingenting er sendt."),
        "nn": _text("Meldinga kan ikkje lesast", "Feil ved {where}. Ingenting er sendt."),
        "en": _text("The message cannot be read", "Wrong at {where}. Nothing was sent."),
    },
    "attachment_name": {
        "nb": _text("Filnavnet kan ikke brukes", "Regel: {rule}. Ingenting er sendt."),
        "nn": _text("Filnamnet kan ikkje brukast", "Regel: {rule}. Ingenting er sendt."),
        "en": _text("The file name cannot be used", "Rule: {rule}. Nothing was sent."),
    },
    "attachment_type": {
        "nb": _text("Vedleggstypen tas ikke imot", "Regel: {rule}. Ingenting er sendt."),
        "nn": _text("Vedleggstypen blir ikkje teken imot", "Regel: {rule}. Ingenting er sendt."),
        "en": _text("The type of attachment is not taken", "Rule: {rule}. Nothing was sent."),
    },
    "attachment_size": {
        "nb": _text("Vedlegget er for stort", "Regel: {rule}. Ingenting er sendt."),
        "nn": _text("Vedlegget er for stort", "Regel: {rule}. Ingenting er sendt."),
        "en": _text("The attachment is too large", "Rule: {rule}. Nothing was sent."),
    },
    "attachment_empty": {
        "nb": _text("Vedlegget er tomt", "Filen har ikke noe innhold, og ingenting er sendt. Velg den på nytt."),
        "nn": _text("Vedlegget er tomt", "Fila har ikkje noko innhald, og ingenting er sendt. Vel ho på nytt."),
        "en": _text("The attachment is empty", "The file has no bytes, and nothing was sent. Choose it again."),
    },
    "attachment_extension": {
        "nb": _text("Filtypen tas ikke imot", "Regel: {rule}. Ingenting er sendt."),
        "nn": _text("Filtypen blir ikkje teken imot", "Regel: {rule}. Ingenting er sendt."),
        "en": _text("The kind of file is not taken", "Rule: {rule}. Nothing was sent."),
    },
    "attachment_count": {
        "nb": _text("Det er for mange vedlegg", "Regel: {rule}. Ingenting er sendt."),
        "nn": _text("Det er for mange vedlegg", "Regel: {rule}. Ingenting er sendt."),
        "en": _text("There are too many attachments", "Rule: {rule}. Nothing was sent."),
    },
    "attachment_missing": {
        "nb": _text("Vedlegg mangler", "Skjemaet må ha vedlegg av typen {types}. Ingenting er sendt."),
        "nn": _text("Vedlegg manglar", "Skjemaet må ha vedlegg av typen {types}. Ingenting er sendt."),
        "en": _text("Attachments are missing", "The form needs attachments of type {types}. Nothing was sent."),
    },
    "attachments_not_taken": {
        "nb": _text("Handlingen tar ikke imot vedlegg", "Send den uten vedlegg. Ingenting er sendt."),
        "nn": _text("Handlinga tek ikkje imot vedlegg", "Send ho utan vedlegg. Ingenting er sendt."),
        "en": _text("The action takes no attachments", "Send it without attachments. Nothing was sent."),
    },
    "attachment_refused": {
        "nb": _text("Altinn godtok ikke vedlegget", "Kontroller filens type og størrelse. Den er ikke lagt ved."),
        "nn": _text("Altinn godtok ikkje vedlegget", "Kontroller typen og storleiken til fila. Ho er ikkje lagd ved."),
        "en": _text("Altinn did not accept the attachment", "Check the file's type and size. It was not attached."),
    },
    "attachment_uncertain": {
        "nb": _text("Det er uvisst om vedlegget kom fram", "Send det på nytt: det blir ikke lagt ved to ganger."),
        "nn": _text("Det er uvisst om vedlegget kom fram", "Send det på nytt: det blir ikkje lagt ved to gonger."),
        "en": _text("It is uncertain whether the attachment arrived", "Send it again: it is not attached twice."),
    },
    "attachment_interrupted": {
        "nb": _text("Vedlegget kom ikke helt fram", "Ingenting er lagt ved. Send det på nytt."),
        "nn": _text("Vedlegget kom ikkje heilt fram", "Ingenting er lagt ved. Send det på nytt."),
        "en": _text("The attachment did not arrive whole", "Nothing was attached. Send it again."),
    },
    "unknown_embed": {
        "nb": _text("Innholdet finnes ikke", "Tjenesten viser ikke noe innhold med dette navnet."),
        "nn": _text("Innhaldet finst ikkje", "Tenesta viser ikkje noko innhald med dette namnet."),
        "en": _text("No such content", "The service shows no content of this name."),
    },
    "print_link_used": {
        "nb": _text("Lenken er brukt eller utløpt", "Last dialogen på nytt i Arbeidsflate, og bruk lenken der."),
        "nn": _text("Lenkja er brukt eller gått ut", "Last dialogen på nytt i Arbeidsflate, og bruk lenkja der."),
        "en": _text("The link was used or has expired", "Load the dialog again in Arbeidsflate, and use its link."),
    },
    "unknown_attachment": {
        "nb": _text("Vedlegget finnes ikke", "Det finnes ikke noe vedlegg med denne id-en for denne dialogen."),
        "nn": _text("Vedlegget finst ikkje", "Det finst ikkje noko vedlegg med denne id-en for denne dialogen."),
        "en": _text("No such attachment", "There is no attachment of this id for this dialog."),
    },
    "attachment_exists": {
        "nb": _text("Et annet vedlegg har dette navnet", "Gi filen et annet navn, eller erstatt det vedlegget."),
        "nn": _text("Eit anna vedlegg har dette namnet", "Gje fila eit anna namn, eller erstatt det vedlegget."),
        "en": _text("Another attachment has this name", "Give the file another name, or replace that attachment."),
    },
    "attachment_not_uploaded": {
        "nb": _text(
            "Vedlegget kan ikke endres her", "Det kom ikke inn her. Gi filen et annet navn, eller bruk Altinn."
        ),
        "nn": _text(
            "Vedlegget kan ikkje endrast her", "Det kom ikkje inn her. Gje fila eit anna namn, eller bruk Altinn."
        ),
        "en": _text(
            "The attachment cannot be changed here", "It did not come in here. Use another file name, or go to Altinn."
        ),
    },
    "attachment_removal_uncertain": {
        "nb": _text(
            "Det er uvisst om vedlegget er fjernet", "Fjern det på nytt: det skader ikke å gjøre det to ganger."
        ),
        "nn": _text(
            "Det er uvisst om vedlegget er fjerna", "Fjern det på nytt: det skader ikkje å gjere det to gonger."
        ),
        "en": _text(
            "It is uncertain whether the attachment is removed", "Remove it again: doing so twice does no harm."
        ),
    },
    "attachment_lost": {
        "nb": _text(
            "Et vedlegg ble ikke erstattet", "Det gamle er borte, og det nye kom ikke fram. Legg det ved på nytt."
        ),
        "nn": _text(
            "Eit vedlegg vart ikkje erstatta", "Det gamle er borte, og det nye kom ikkje fram. Legg det ved på nytt."
        ),
        "en": _text(
            "An attachment was not replaced", "The old one is gone, and the new one did not arrive. Attach it again."
        ),
    },
    "operation_under_way": {
        "nb": _text("Saken er under behandling", "Vent til det som pågår er ferdig, og prøv igjen."),
        "nn": _text("Saka er under handsaming", "Vent til det som går føre seg er ferdig, og prøv igjen."),
        "en": _text("The case is being processed", "Wait until what is under way is done, and try again."),
    },
    "subforms_not_allowed": {
        "nb": _text("Handlingen tar ikke imot dette", "Tjenesten mangler regelen {rule}. Ingenting er sendt."),
        "nn": _text("Handlinga tek ikkje imot dette", "Tenesta manglar regelen {rule}. Ingenting er sendt."),
        "en": _text("The action does not take this", "The service lacks the rule {rule}. Nothing was sent."),
    },
    "nothing_to_sign": {
        "nb": _text("Det er ingenting å signere", "Skjemaet venter ikke på en signatur."),
        "nn": _text("Det er ingenting å signere", "Skjemaet ventar ikkje på ein signatur."),
        "en": _text("There is nothing to sign", "The form does not wait for a signature."),
    },
    "nothing_to_print": {
        "nb": _text("Det er ingenting å skrive ut", "Altinn har ingen utskrift av saken."),
        "nn": _text("Det er ingenting å skrive ut", "Altinn har inga utskrift av saka."),
        "en": _text("There is nothing to print", "Altinn has no print of the case."),
    },
    "case_not_shown": {
        "nb": _text("Saken kan ikke vises herfra", "Saker i {system} vises ikke herfra. Åpne saken der."),
        "nn": _text("Saka kan ikkje visast herifrå", "Saker i {system} blir ikkje viste herifrå. Opne saka der."),
        "en": _text("The case cannot be shown from here", "Cases in {system} are not. Open the case there."),
    },
    "case_without_uploads": {
        "nb": _text("Saken får ikke vedlegg herfra", "Legg det ved i {system}. Ingenting er sendt."),
        "nn": _text("Saka får ikkje vedlegg herifrå", "Legg det ved i {system}. Ingenting er sendt."),
        "en": _text("The case gets no attachments from here", "Attach it in {system}. Nothing was sent."),
    },
    "too_large_to_carry": {
        "nb": _text("Vedleggene er for store til å sendes herfra", "Fullfør i Altinn: {page}. Ingenting er sendt."),
        "nn": _text("Vedlegga er for store til å sendast herifrå", "Fullfør i Altinn: {page}. Ingenting er sendt."),
        "en": _text("The attachments are too large to be sent from here", "Complete it in Altinn: {page}."),
    },
    "content_lost": {
        "nb": _text("Noe mangler i det som ble sendt", "Ikke send på nytt. Tjenesteeieren må kontrollere saken."),
        "nn": _text("Noko manglar i det som vart sendt", "Ikkje send på nytt. Tenesteeigaren må kontrollere saka."),
        "en": _text("Something is missing from what was sent", "Do not send again. The service owner has to check."),
    },
    "content_unverified": {
        "nb": _text("Det som ble sendt, kunne ikke kontrolleres", "Ikke send på nytt. Tjenesteeieren må se på saken."),
        "nn": _text(
            "Det som vart sendt, lét seg ikkje kontrollere", "Ikkje send på nytt. Tenesteeigaren må sjå på saka."
        ),
        "en": _text("What was sent could not be verified", "Do not send again. The service owner has to look."),
    },
    "other_service_edition": {
        "nb": _text("Skjemaet hører til en annen utgave", "Tjenesten er ikke koblet til utgaven som saken har."),
        "nn": _text("Skjemaet høyrer til ei anna utgåve", "Tenesta er ikkje kopla til utgåva som saka har."),
        "en": _text("The form is of another edition", "The service is not connected to the edition of the case."),
    },
    "form_set_refused": {
        "nb": _text("Skjemaene hører ikke sammen", "Altinn godtok ikke hoved- og underskjema. Ingenting er sendt."),
        "nn": _text("Skjemaa høyrer ikkje saman", "Altinn godtok ikkje hovud- og underskjema. Ingenting er sendt."),
        "en": _text("The forms do not belong together", "Altinn did not accept main and subforms. Nothing was sent."),
    },
    "profile_missing": {
        "nb": _text("Du har ingen profil i Altinn", "Logg inn i Altinn én gang, og prøv igjen. Ingenting er sendt."),
        "nn": _text("Du har ingen profil i Altinn", "Logg inn i Altinn éin gong, og prøv igjen. Ingenting er sendt."),
        "en": _text("You have no profile in Altinn", "Log in to Altinn once, and try again. Nothing was sent."),
    },
    "payment_needed": {
        "nb": _text("Skjemaet må betales", "Fullfør og betal i Altinn. Ingenting er sendt."),
        "nn": _text("Skjemaet må betalast", "Fullfør og betal i Altinn. Ingenting er sendt."),
        "en": _text("The form has to be paid for", "Complete it and pay in Altinn. Nothing was sent."),
    },
    "service_not_in_force": {
        "nb": _text("Tjenesten er ikke i bruk nå", "Altinn har den for et annet tidsrom. Ingenting er sendt."),
        "nn": _text("Tenesta er ikkje i bruk no", "Altinn har henne for eit anna tidsrom. Ingenting er sendt."),
        "en": _text("The service is not in use now", "Altinn has it for another period only. Nothing was sent."),
    },
    "no_signing_step": {
        "nb": _text("Skjemaet skal ikke signeres", "Tjenesten har ingen signering. Ingenting er sendt."),
        "nn": _text("Skjemaet skal ikkje signerast", "Tenesta har inga signering. Ingenting er sendt."),
        "en": _text("The form is not to be signed", "The service has no signing step. Nothing was sent."),
    },
    "service_level_too_low": {
        "nb": _text("Tjenesten krever et høyere nivå", "Logg inn med sikkerhetsnivå {level}. Ingenting er sendt."),
        "nn": _text("Tenesta krev eit høgare nivå", "Logg inn med tryggleiksnivå {level}. Ingenting er sendt."),
        "en": _text("The service requires a higher level", "Log in at level {level}. Nothing was sent."),
    },
    "service_out_of_reach": {
        "nb": _text("Tjenesten kan ikke brukes herfra", "Åpne skjemaet i Altinn, og fullfør der. Ingenting er sendt."),
        "nn": _text("Tenesta kan ikkje brukast herifrå", "Opne skjemaet i Altinn, og fullfør der. Ingenting er sendt."),
        "en": _text("The service is out of reach here", "Open the form in Altinn, and complete it. Nothing was sent."),
    },
    "left_in_form_filling": {
        "nb": _text("Skjemaet ble lagret, ikke sendt inn", "Altinn lot det ligge. Fullfør det i Altinn."),
        "nn": _text("Skjemaet vart lagra, ikkje sendt inn", "Altinn lét det liggje. Fullfør det i Altinn."),
        "en": _text("The form was saved, not sent in", "Altinn left it in form filling. Complete it in Altinn."),
    },
    "others_must_sign": {
        "nb": _text("Andre må signere", "Send skjemaet til signering i stedet. Ingenting er sendt."),
        "nn": _text("Andre må signere", "Send skjemaet til signering i staden. Ingenting er sendt."),
        "en": _text("Others have to sign", "Send the form to signing instead. Nothing was sent."),
    },
    "sign_in_altinn": {
        "nb": _text("Signaturen må gis i Altinn", "Åpne skjemaet i Altinn, og signer der. Ingenting er signert."),
        "nn": _text("Signaturen må givast i Altinn", "Opne skjemaet i Altinn, og signer der. Ingenting er signert."),
        "en": _text("The signature is given in Altinn", "Open the form in Altinn, and sign there. Nothing was signed."),
    },
    "signature_not_needed": {
        "nb": _text("Signaturen trengs ikke lenger", "Skjemaet er alt sendt inn, og dette trykket ga ingen signatur."),
        "nn": _text(
            "Signaturen trengst ikkje lenger", "Skjemaet er alt sendt inn, og dette trykket gav ingen signatur."
        ),
        "en": _text("The signature is not needed", "The form was sent in already, and this press gave no signature."),
    },
    "altinn_level_too_low": {
        "nb": _text("Altinn krever et høyere nivå", "Tjenesten krever et høyere innloggingsnivå. Ingenting er sendt."),
        "nn": _text("Altinn krev eit høgare nivå", "Tenesta krev eit høgare innloggingsnivå. Ingenting er sendt."),
        "en": _text("Altinn requires a higher level", "The service requires a higher level. Nothing was sent."),
    },
    "not_allowed_in_altinn": {
        "nb": _text("Altinn tillater ikke dette", "Rollen eller tjenesten gir ikke tilgang. Ingenting er sendt."),
        "nn": _text("Altinn tillèt ikkje dette", "Rolla eller tenesta gir ikkje tilgang. Ingenting er sendt."),
        "en": _text("Altinn does not allow this", "The role or the service gives no access. Nothing was sent."),
    },
    "upstream_refused": {
        "nb": _text("Altinn avviste handlingen", "Ingenting er sendt. Ta kontakt med tjenesteeieren."),
        "nn": _text("Altinn avviste handlinga", "Ingenting er sendt. Ta kontakt med tenesteeigaren."),
        "en": _text("Altinn refused the action", "Nothing was sent. Contact the service owner."),
    },
    "upstream_gone": {
        "nb": _text("Altinn 2 er avviklet", "Saken kan ikke lenger sendes inn her. Ta kontakt med tjenesteeieren."),
        "nn": _text("Altinn 2 er avvikla", "Saka kan ikkje lenger sendast inn her. Ta kontakt med tenesteeigaren."),
        "en": _text("Altinn 2 has been closed", "The case can no longer be sent here. Contact the service owner."),
    },
    "outcome_uncertain": {
        "nb": _text("Det er uvisst om saken ble sendt", "Ikke send på nytt. Tjenesteeieren må kontrollere saken."),
        "nn": _text("Det er uvisst om saka vart send", "Ikkje send på nytt. Tenesteeigaren må kontrollere saka."),
        "en": _text(
            "It is uncertain whether the case was sent", "Do not send again. The service owner has to check the case."
        ),
    },
    "given_up": {
        "nb": _text("Handlingen lot seg ikke gjennomføre", "Systemet bak svarer ikke. Prøv igjen senere."),
        "nn": _text("Handlinga lét seg ikkje gjennomføre", "Systemet bak svarer ikkje. Prøv igjen seinare."),
        "en": _text("The action could not be carried out", "The system behind does not answer. Try again later."),
    },
    "cancelled": {
        "nb": _text("Handlingen ble avbrutt", "Den som driver tjenesten, avbrøt den. Kontakt avsenderen."),
        "nn": _text("Handlinga vart avbroten", "Den som driv tenesta, avbraut ho. Kontakt avsendaren."),
        "en": _text("The action was cancelled", "Whoever runs the service cancelled it. Contact the sender."),
    },
    "pressed_too_often": {
        "nb": _text("Det er trykket for mange ganger", "Det har alt fått sitt svar. Vent litt før du prøver igjen."),
        "nn": _text("Det er trykt for mange gonger", "Det har alt fått svaret sitt. Vent litt før du prøver igjen."),
        "en": _text("It was pressed too many times", "It has had its answer. Wait a little before you try again."),
    },
    "upstream_busy": {
        "nb": _text("Et system bak svarer for sent", "Ingenting er sendt. Prøv igjen om litt."),
        "nn": _text("Eit system bak svarer for seint", "Ingenting er sendt. Prøv igjen om litt."),
        "en": _text("A system behind is too slow now", "Nothing was sent. Try again shortly."),
    },
    "upstream_unavailable": {
        "nb": _text("Et system bak svarer ikke", "Ingenting er sendt. Prøv igjen om litt."),
        "nn": _text("Eit system bak svarer ikkje", "Ingenting er sendt. Prøv igjen om litt."),
        "en": _text("A system behind does not answer", "Nothing was sent. Try again shortly."),
    },
    "app_resting": {
        "nb": _text("Appen svarer ikke for tiden", "Den får hvile litt. Ingenting er sendt. Prøv igjen om litt."),
        "nn": _text("Appen svarer ikkje for tida", "Han får kvile litt. Ingenting er sendt. Prøv igjen om litt."),
        "en": _text("The app does not answer at present", "It is given a rest. Nothing was sent. Try again shortly."),
    },
    "app_unavailable": {
        "nb": _text("Appen svarte ikke", "Svaret kom ikke fram. Ingenting er lagret. Prøv igjen om litt."),
        "nn": _text("Appen svara ikkje", "Svaret kom ikkje fram. Ingenting er lagra. Prøv igjen om litt."),
        "en": _text("The app did not answer", "No answer arrived. Nothing was stored. Try again shortly."),
    },
    "app_answer_invalid": {
        "nb": _text(
            "Svaret fra appen kan ikke sendes videre",
            "Det følger ikke reglene for HTTP, eller har over 100 felt i hodet. Si fra til den som har appen.",
        ),
        "nn": _text(
            "Svaret frå appen kan ikkje sendast vidare",
            "Det følgjer ikkje reglane for HTTP, eller har over 100 felt i hovudet. Sei frå til den som har appen.",
        ),
        "en": _text(
            "The app's answer cannot be passed on",
            "It breaks the rules of HTTP, or has more than 100 fields in its head. Tell the app's owner.",
        ),
    },
    "app_answer_too_large": {
        "nb": _text(
            "Svaret fra appen er for stort", "Broen leser høyst {limit} byte for en rapport eller en omforming."
        ),
        "nn": _text("Svaret frå appen er for stort", "Brua les høgst {limit} byte for ein rapport eller ei omforming."),
        "en": _text("The app's answer is too large", "The bridge reads at most {limit} bytes to report or convert."),
    },
    "app_timeout": {
        "nb": _text("Appen brukte for lang tid", "Beregningen ble ikke ferdig i tide. Ingenting er lagret."),
        "nn": _text("Appen brukte for lang tid", "Utrekninga vart ikkje ferdig i tide. Ingenting er lagra."),
        "en": _text("The app took too long", "The calculation was not done in time. Nothing was stored."),
    },
    "proxy_key_missing": {
        "nb": _text("Nøkkelen mangler", "Send nøkkelen for beregninger i Authorization: Bearer."),
        "nn": _text("Nøkkelen manglar", "Send nøkkelen for utrekningar i Authorization: Bearer."),
        "en": _text("The key is missing", "Send the key for calculations in Authorization: Bearer."),
    },
    "proxy_key_wrong": {
        "nb": _text("Nøkkelen er feil", "Det er ikke nøkkelen som broen har for beregninger (BRIDGE_PROXY_KEY)."),
        "nn": _text("Nøkkelen er feil", "Det er ikkje nøkkelen som broa har for utrekningar (BRIDGE_PROXY_KEY)."),
        "en": _text("The key is wrong", "It is not the one that the bridge has for calculations (BRIDGE_PROXY_KEY)."),
    },
    "app_answer_unreadable": {
        "nb": _text(
            "Svaret fra appen kan ikke brukes", "Det er ikke et skjema. Ingenting er sendt. Si fra til avsenderen."
        ),
        "nn": _text(
            "Svaret frå appen kan ikkje brukast", "Det er ikkje eit skjema. Ingenting er sendt. Sei frå til avsendaren."
        ),
        "en": _text(
            "The app's answer cannot be used", "It is no form. Nothing was sent. Tell the sender of the dialog."
        ),
    },
    "app_cannot_calculate": {
        "nb": _text(
            "Appen kan ikke beregne skjemaet", "Se over verdiene i skjemaet, og prøv igjen. Ingenting er sendt."
        ),
        "nn": _text(
            "Appen kan ikkje rekne ut skjemaet", "Sjå over verdiane i skjemaet, og prøv igjen. Ingenting er sendt."
        ),
        "en": _text(
            "The app cannot calculate the form", "Look over the values in it, and try again. Nothing was sent."
        ),
    },
    "app_denies_party": {
        "nb": _text(
            "Appen tillater det ikke", "Appens regler slipper ikke broen til for denne parten. Kontakt avsenderen."
        ),
        "nn": _text(
            "Appen tillèt det ikkje", "Reglane til appen slepp ikkje brua til for denne parten. Kontakt avsendaren."
        ),
        "en": _text(
            "The app does not allow it", "Its policy does not admit the bridge for this party. Contact the sender."
        ),
    },
    "app_form_unreadable": {
        "nb": _text("Appen kan ikke lese skjemaet", "Rett skjemaet, og prøv igjen. Ingenting er sendt."),
        "nn": _text("Appen kan ikkje lese skjemaet", "Rett skjemaet, og prøv igjen. Ingenting er sendt."),
        "en": _text("The app cannot read the form", "Correct the form, and try again. Nothing was sent."),
    },
    "app_gone": {
        "nb": _text(
            "Appen finnes ikke", "Appen som beregner, er ikke i drift. Ingenting er sendt. Kontakt avsenderen."
        ),
        "nn": _text(
            "Appen finst ikkje", "Appen som reknar ut, er ikkje i drift. Ingenting er sendt. Kontakt avsendaren."
        ),
        "en": _text(
            "The app is not there", "The app that calculates is not deployed. Nothing was sent. Contact the sender."
        ),
    },
    "app_level_too_low": {
        "nb": _text(
            "Appen krever et høyere nivå", "Den krever sikkerhetsnivå {level}, som broen ikke har. Kontakt avsenderen."
        ),
        "nn": _text(
            "Appen krev eit høgare nivå", "Han krev tryggleiksnivå {level}, som brua ikkje har. Kontakt avsendaren."
        ),
        "en": _text(
            "The app requires a higher level", "It requires level {level}, which the bridge lacks. Contact the sender."
        ),
    },
    "app_misconfigured": {
        "nb": _text(
            "Appen er satt opp annerledes", "Appen og broen passer ikke sammen. Ingenting er sendt. Kontakt avsenderen."
        ),
        "nn": _text(
            "Appen er sett opp annleis", "Appen og brua passar ikkje saman. Ingenting er sendt. Kontakt avsendaren."
        ),
        "en": _text(
            "The app is set up differently", "App and bridge do not fit. Nothing was sent. Contact the sender."
        ),
    },
    "app_party_unknown": {
        "nb": _text(
            "Appen kjenner ikke parten", "Parten ble ikke funnet i registeret. Ingenting er sendt. Kontakt avsenderen."
        ),
        "nn": _text(
            "Appen kjenner ikkje parten",
            "Parten vart ikkje funnen i registeret. Ingenting er sendt. Kontakt avsendaren.",
        ),
        "en": _text(
            "The app does not know the party", "It was not found in the register. Nothing was sent. Contact the sender."
        ),
    },
    "app_refuses_bridge": {
        "nb": _text(
            "Appen slipper ikke broen inn",
            "Broens tilgang mangler eller er trukket. Ingenting er sendt. Kontakt avsenderen.",
        ),
        "nn": _text(
            "Appen slepp ikkje brua inn",
            "Tilgangen til brua manglar eller er trekt. Ingenting er sendt. Kontakt avsendaren.",
        ),
        "en": _text(
            "The app does not let the bridge in",
            "Its access is missing or withdrawn. Nothing was sent. Contact the sender.",
        ),
    },
    "app_too_large": {
        "nb": _text("Skjemaet er for stort for appen", "Appen tar ikke imot så store skjemaer. Ingenting er sendt."),
        "nn": _text("Skjemaet er for stort for appen", "Appen tek ikkje imot så store skjema. Ingenting er sendt."),
        "en": _text("The form is too large for the app", "The app does not take forms of this size. Nothing was sent."),
    },
    "calculation_invalid": {
        "nb": _text(
            "Det beregnede skjemaet har feil",
            "Appen ga tilbake noe som ikke kan stå i skjemaet. Ingenting er sendt. Kontakt avsenderen.",
        ),
        "nn": _text(
            "Det utrekna skjemaet har feil",
            "Appen gav tilbake noko som ikkje kan stå i skjemaet. Ingenting er sendt. Kontakt avsendaren.",
        ),
        "en": _text(
            "The calculated form has faults",
            "The app returned what may not stand in the form. Nothing was sent. Contact the sender.",
        ),
    },
    "calculation_lost_fields": {
        "nb": _text(
            "Beregningen mistet felter", "Appen ga ikke tilbake alt den fikk. Ingenting er sendt. Kontakt avsenderen."
        ),
        "nn": _text(
            "Utrekninga mista felt", "Appen gav ikkje tilbake alt han fekk. Ingenting er sendt. Kontakt avsendaren."
        ),
        "en": _text(
            "The calculation lost fields",
            "The app did not return all it was given. Nothing was sent. Contact the sender.",
        ),
    },
    "party_unfit": {
        "nb": _text("Parten kan ikke beregnes for", "Apper kjenner bare personer og organisasjoner."),
        "nn": _text("Parten kan ikkje reknast ut for", "Appar kjenner berre personar og organisasjonar."),
        "en": _text("The party cannot be calculated for", "Apps know persons and organisations only."),
    },
    "body_too_slow": {
        "nb": _text("Det som ble sendt, kom ikke fram i tide", "Ingenting er gjort. Send det på nytt."),
        "nn": _text("Det som vart sendt, kom ikkje fram i tide", "Ingenting er gjort. Send det på nytt."),
        "en": _text("What was sent did not come in time", "Nothing was done. Send it again."),
    },
    "head_too_slow": {
        "nb": _text("Forespørselen kom ikke fram i tide", "Send den på nytt."),
        "nn": _text("Førespurnaden kom ikkje fram i tide", "Send han på nytt."),
        "en": _text("The request did not come in time", "Send it again."),
    },
    "head_invalid": {
        "nb": _text(
            "Forespørselens hode kan ikke leses", "Feilen er i {part}. Kontroller forespørselen. Ingenting er gjort."
        ),
        "nn": _text(
            "Hovudet i førespurnaden kan ikkje lesast",
            "Feilen er i {part}. Kontroller førespurnaden. Ingenting er gjort.",
        ),
        "en": _text(
            "The request's head cannot be read", "The fault is in {part}. Check the request. Nothing was done."
        ),
    },
    "url_too_long": {
        "nb": _text("Adressen er for lang", "Grensen er {limit} byte, medregnet parameterne. Ingenting er gjort."),
        "nn": _text("Adressa er for lang", "Grensa er {limit} byte, medrekna parametrane. Ingenting er gjort."),
        "en": _text("The address is too long", "The limit is {limit} bytes with its parameters. Nothing was done."),
    },
    "expectation_failed": {
        "nb": _text("Forventningen kan ikke innfris", "Send forespørselen uten Expect, eller med 100-continue."),
        "nn": _text("Forventninga kan ikkje innfriast", "Send førespurnaden utan Expect, eller med 100-continue."),
        "en": _text("The expectation cannot be met", "Send the request without Expect, or with 100-continue."),
    },
    "transfer_coding": {
        "nb": _text("Overføringskodingen støttes ikke", "Send innholdet med Content-Length, eller som chunked alene."),
        "nn": _text(
            "Overføringskodinga er ikkje støtta", "Send innhaldet med Content-Length, eller som chunked åleine."
        ),
        "en": _text("The transfer coding is not supported", "Send the body with Content-Length, or as chunked alone."),
    },
    "head_too_large": {
        "nb": _text("Forespørselens hode er for stort", "Send færre eller kortere hodefelter."),
        "nn": _text("Hovudet i førespurnaden er for stort", "Send færre eller kortare hovudfelt."),
        "en": _text("The request's head is too large", "Send fewer or shorter header fields."),
    },
    "too_busy": {
        "nb": _text("Det er for mange forespørsler nå", "Ingenting er gjort. Prøv igjen om litt."),
        "nn": _text("Det er for mange førespurnader no", "Ingenting er gjort. Prøv igjen om litt."),
        "en": _text("There are too many requests now", "Nothing was done. Try again shortly."),
    },
    "storage_unavailable": {
        "nb": _text("Tjenesten kan ikke lagre noe nå", "Prøv igjen om litt. Da ser vi også om det var lagret likevel."),
        "nn": _text("Tenesta kan ikkje lagre noko no", "Prøv igjen om litt. Da ser vi òg om det var lagra likevel."),
        "en": _text("The service cannot store anything now", "Try again shortly; what was stored after all is found."),
    },
    "internal": {
        "nb": _text("Noe gikk galt hos oss", "Oppgi sporings-id-en om du tar kontakt."),
        "nn": _text("Noko gjekk gale hos oss", "Oppgje sporings-id-en om du tek kontakt."),
        "en": _text("Something went wrong on our side", "Give the trace id if you contact us."),
    },
}


def text(code: str, language: str, facts: Mapping[str, str]) -> Text:
    """Fill in the text of *code*. Raises KeyError for a code or fact that is not there: a test keeps them in step."""
    chosen = TEXTS[code][language]
    return Text(title=chosen.title, detail=chosen.detail.format(**facts))
