"""Reason phrases in Norwegian, for those that no source prints: their letters are outside ASCII, inside Latin-1."""

from collections.abc import Mapping

NORWEGIAN: Mapping[str, str] = {
    "There must be exactly one form of Type MainForm": "Det må være nøyaktig ett skjema av typen MainForm",
    "ServiceCode and ServiceEdition do not match the element": "ServiceCode og ServiceEdition hører ikke til elementet",
    "The element has already been archived": "Elementet er allerede sendt inn, og kan ikke endres på nytt",
    "The element has already been deleted": "Elementet er slettet, så det kan ikke endres",
    "The element is not in form filling": "Elementet er ikke under utfylling, så det må åpnes igjen først",
    "The service has a payment step, which cannot be done over REST": "Tjenesten må betales, og det går ikke over REST",
    "The service needs the signature of others: use sign=false": "Andre må også signere: bruk sign=false",
    "The user has already signed the element": "Brukeren har allerede signert, og må ikke gjøre det på nytt",
    "The attachment is larger than the service allows": "Vedlegget er større enn tjenesten tåler",
    "The attachment type is not among the service's attachment types": "Vedleggstypen hører ikke til tjenesten",
    "The file type of the attachment is not among those allowed": "Filtypen er ikke blant dem som tjenesten må ha",
    "The file name must have an extension": "Filnavnet må ha en endelse",
    "Maximum request length exceeded": "Forespørselen er for stor",
    "The service was not found": "Tjenesten finnes ikke, så ingenting er gjort",
}
