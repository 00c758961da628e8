"""The members of what is put into Altinn 2 over the control API: their kinds and limits, and what must be there."""

import base64
import binascii
from datetime import datetime

from lxml import etree

from bridge.sandbox.altinn2.model import CORRESPONDENCE, FORM_TASK, MAIN, SUB, State
from bridge.sandbox.altinn2.people import ACTIONS
from bridge.sandbox.core import identities
from bridge.sandbox.core.members import DOCUMENT, TEXT, Either, Flag, ListOf, ObjectOf, OneOf, Record, Text, Whole


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_xpath(text: str) -> bool:
    try:
        # Evaluated as well: only then a prefix or a function that does not exist is missed.
        etree.XPath(text)(etree.Element("a"))
    except etree.XPathError:
        return False
    return True


def _is_xml(text: str) -> bool:
    try:
        etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return False
    return True


def _is_number(text: str) -> bool:
    return identities.is_person_number(text) or (len(text) == 9 and text.isascii() and text.isdecimal())


_NAME, _WORDS = Text(), Text(longest=TEXT, empty=True)
_DOCUMENT = Text(longest=DOCUMENT)
_MOMENT = Text(words="a moment with its zone, such as 2026-03-10T12:00:00+01:00", fits=_is_moment)
_XPATH = Text(words="an expression in XPath", longest=TEXT, fits=_is_xpath)
_NUMBER = Text(words="the number of a person or an organisation", fits=_is_number)
_EDITION = Whole(low=0, high=1_000_000)
_KIND_OF_FORM = OneOf((MAIN, SUB))
_SERVICE_WORDS = {"code": "service_code", "edition": "service_edition", "user_controlled_signing": "others_sign"}
_RULE_WORDS = {"name": "type", "max_size": "max_size_mb"}

_EXPECTED = Record(
    members={"path": _XPATH, "text": _WORDS, "calculation": _XPATH, "overridable": Flag()}, required=("path",)
)
_RULE = Record(
    members={"path": _XPATH, "test": _XPATH, "message": Text(longest=TEXT), "soft": Flag()},
    required=("path", "test", "message"),
)
_FORM_TYPE = Record(
    members={
        "type": _KIND_OF_FORM,
        "data_format_id": _NAME,
        "data_format_version": _NAME,
        "name": _NAME,
        "provider": _NAME,
        "schema": _DOCUMENT,
        "prefill": Text(words="XML", longest=DOCUMENT, fits=_is_xml),
        "only_xsd": Flag(),
        "max_one": Flag(),
        "user_may_add": Flag(),
        "expected": ListOf(_EXPECTED, "a list of expected values"),
        "rules": ListOf(_RULE, "a list of rules"),
    },
    required=("data_format_id", "data_format_version"),
)
_ATTACHMENT_RULE = Record(
    members={
        "type": _NAME,
        "id": Whole(low=1, high=2_147_483_647),
        "file_types": Text(empty=True),
        "min_count": Whole(low=0, high=1000),
        "max_count": Whole(low=0, high=1000),
        "max_size_mb": Whole(low=0, high=2000),
        "schema": _DOCUMENT,
    },
    required=("type",),
    also=_RULE_WORDS,
)
SERVICE = Record(
    members={
        "service_code": _NAME,
        "service_edition": _EDITION,
        "name": _NAME,
        "names": ObjectOf(_NAME, "an object with a name for each language"),
        "owner": _NAME,
        "owners": ObjectOf(_NAME, "an object with a name for each language"),
        "owner_code": _NAME,
        "kind": OneOf((FORM_TASK, CORRESPONDENCE)),
        "signing_steps": Whole(low=0, high=100),
        "payment": Flag(),
        "others_sign": Flag(),
        "unique_signers": Flag(),
        "keeps_copy": Flag(),
        "encrypted": Flag(),
        "enterprise_users": Flag(),
        "attachments_in_signing": Flag(),
        "security_level": Whole(low=0, high=4),
        "signing_text": Text(longest=TEXT),
        "valid_from": _MOMENT,
        "valid_to": _MOMENT,
        "forms": ListOf(_FORM_TYPE, "a list of form types"),
        "attachment_rules": ListOf(_ATTACHMENT_RULE, "a list of attachment rules"),
    },
    required=("service_code",),
    also=_SERVICE_WORDS,
)
_FORM = Record(
    members={
        "type": _KIND_OF_FORM,
        "data_format_id": _NAME,
        "data_format_version": _NAME,
        "name": _NAME,
        "xml": _DOCUMENT,
    },
    required=("data_format_id", "data_format_version", "xml"),
)
FORMS = ListOf(_FORM, "a list of forms")
_ATTACHMENT = Record(
    members={
        "file_name": _NAME,
        "attachment_type": _NAME,
        "data": Text(words="a file in Base64", longest=DOCUMENT, empty=True, fits=_is_base64),
    },
    required=("file_name", "attachment_type", "data"),
)
ATTACHMENTS = ListOf(_ATTACHMENT, "a list of attachments")
_REPLY_OPTION = Record(
    members={
        "Type": OneOf(("Service", "ArchiveReference", "URL")),
        "URL": _WORDS,
        "Text": _WORDS,
        "ServiceCode": _NAME,
        "ServiceEditionCode": _EDITION,
    },
    required=("Type",),
)
_LETTER = Record(
    members={
        "body": _WORDS,
        "summary": _WORDS,
        "sender": _WORDS,
        "due": _MOMENT,
        "needs_confirmation": Flag(),
        "archive_reference": _NAME,
        "reply_options": ListOf(_REPLY_OPTION, "a list of reply options"),
        "custom_data": Text(longest=TEXT),
    }
)
STATE = OneOf(tuple(each.value for each in State))
ELEMENT = Record(
    members={
        "who": Either(first=Text(words='"my" or a number'), second=ListOf(_NAME, empty=False)),
        "service": SERVICE,
        "forms": FORMS,
        "attachments": ATTACHMENTS,
        "state": STATE,
        "subject": _WORDS,
        "letter": _LETTER,
    },
    required=("service",),
)
REPORTEE = Record(
    members={
        "number": _NUMBER,
        "name": _NAME,
        "rights": ListOf(OneOf(ACTIONS), f"a list of rights, each one of {', '.join(ACTIONS)}"),
    },
    required=("number",),
)
USER = Record(
    members={
        "name": _NAME,
        "password": _NAME,
        "party": _NUMBER,
        "represents": ListOf(_NUMBER, "a list of numbers of people and organisations"),
        "enterprise": Flag(),
        "profile": Flag(),
    },
    required=("name", "password", "party"),
)
CODE_LIST = Record(
    members={
        "name": _NAME,
        "version": _EDITION,
        "codes": ListOf(
            Record(members={"Code": _WORDS, "Value1": _WORDS, "Value2": _WORDS, "Value3": _WORDS}, required=("Code",)),
            "a list of codes",
        ),
    },
    required=("name", "codes"),
)
LOOKUP = Record(
    members={"service_code": _NAME, "service_edition": _EDITION, "answer": _DOCUMENT},
    required=("service_code", "answer"),
    also={"code": "service_code", "edition": "service_edition"},
)
