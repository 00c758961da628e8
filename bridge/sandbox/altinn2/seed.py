"""Puts services, elements, reportees and users into Altinn 2 as JSON describes them, and shows elements whole."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bridge.sandbox.altinn2.model import (
    CORRESPONDENCE,
    FORM_TASK,
    Attachment,
    AttachmentRule,
    Element,
    Expected,
    Form,
    FormType,
    Letter,
    Rule,
    Service,
    State,
)
from bridge.sandbox.altinn2.people import Party, User
from bridge.sandbox.altinn2.rules import parsed_form
from bridge.sandbox.altinn2.schemas import NoSchema
from bridge.sandbox.altinn2.world import Altinn2World

_SERVICE_WORDS = {"service_code": "code", "service_edition": "edition", "others_sign": "user_controlled_signing"}
_RULE_WORDS = {"type": "name", "max_size_mb": "max_size"}
"""What mappings call the same: who has written one needs no other words here."""


class BadSeed(ValueError):
    """A description makes no sense; the message says why."""


def seed_service(world: Altinn2World, given: Mapping[str, Any]) -> Service:
    """
    Register a service edition.

    ``{service_code, service_edition?, name?, names?: {language: name}, owner?, owners?, owner_code?, kind?: FormTask or
    Correspondence, signing_steps?, payment?, others_sign?, unique_signers?, keeps_copy?, encrypted?, enterprise_users?,
    attachments_in_signing?, security_level?, signing_text?, valid_from?, valid_to?, forms?: [{type?, data_format_id,
    data_format_version, name?, provider?, schema?, prefill?, only_xsd?, max_one?, user_may_add?, expected?: [{path,
    text? or calculation?, overridable?}], rules?: [{path, test, message, soft?}]}], attachment_rules?: [{type, id?,
    file_types?, min_count?, max_count?, max_size_mb?, schema?}]}``; code, edition, user_controlled_signing, name and
    max_size are taken as well.

    Raises:
        BadSeed: A member is missing or wrong.
    """
    service = _service(given, ())
    _learn(world, service)
    world.altinn2.register(service)
    return service


def seed(world: Altinn2World, given: Mapping[str, Any]) -> Element:
    """
    Put an element in place.

    ``{who: "my" or a list, service: as for seed_service, forms: [{type?, data_format_id, data_format_version, xml}],
    attachments?: [{file_name, attachment_type, data}], state?, subject?, letter?: {body?, summary?, sender?, due?,
    needs_confirmation?, archive_reference?, reply_options?, custom_data?}}``. Without ``service.forms`` the forms' own
    keys are the form set. With *letter* it is a correspondence, unread unless *state* says otherwise.

    Raises:
        BadSeed: A member is missing or wrong.
        BadUpdate: A form is not well-formed XML.
    """
    who = given.get("who", "my")
    forms = [_form(_mapping(each, "a form")) for each in given.get("forms", [])]
    types = dict.fromkeys(
        FormType(kind=each.kind, data_format_id=each.data_format_id, data_format_version=each.data_format_version)
        for each in forms
    )
    about = dict(_mapping(given.get("service"), "service"))
    letter = None
    if given.get("letter") is not None:
        about.setdefault("kind", CORRESPONDENCE)
        letter = _letter(_mapping(given["letter"], "letter"))
    service = _service(about, tuple(types))
    _learn(world, service)
    standing = "formfilling" if service.kind == FORM_TASK else "unread"
    return world.altinn2.add(
        who=[who] if isinstance(who, str) else who,
        service=service,
        forms=forms,
        attachments=[_attachment(_mapping(each, "an attachment")) for each in given.get("attachments", [])],
        state=State(given.get("state", standing)),
        subject=_optional_text(given, "subject") or "",
        letter=letter,
        now=world.clock(),
    )


def seed_reportee(world: Altinn2World, given: Mapping[str, Any]) -> Party:
    """
    Register on whose behalf things can be done: ``{number, name?, rights?: [Read, Write, Sign, …]}``.

    Raises:
        BadSeed: The number is none.
    """
    rights = given.get("rights")
    party = world.altinn2.people.know(
        _text(given, "number"), _optional_text(given, "name") or "", rights=None if rights is None else map(str, rights)
    )
    if party is None:
        raise BadSeed("number is that of a person or an organisation")
    return party


def seed_code_list(world: Altinn2World, given: Mapping[str, Any]) -> tuple[str, int]:
    """
    Put a code list in place: ``{name, version?, codes: [{Code, Value1?, Value2?, Value3?}]}``.

    Raises:
        BadSeed: A member is missing or wrong.
    """
    key = _text(given, "name"), _version(given, "version")
    codes = given.get("codes")
    if not isinstance(codes, list) or not all(isinstance(each, dict) and "Code" in each for each in codes):
        raise BadSeed("codes is a list of objects with Code")
    with world.altinn2.library.lock:
        world.altinn2.library.code_lists[key] = codes
    return key


def seed_lookup(world: Altinn2World, given: Mapping[str, Any]) -> tuple[str, int]:
    """
    What a look-up service answers: ``{service_code, service_edition?, answer: XML}``.

    Raises:
        BadSeed: A member is missing or wrong.
    """
    given = _in_words(given, _SERVICE_WORDS)
    key = _text(given, "code"), _version(given, "edition")
    with world.altinn2.library.lock:
        world.altinn2.library.lookups[key] = _text(given, "answer")
    return key


def _version(given: Mapping[str, Any], name: str) -> int:
    number = given.get(name, 1)
    if isinstance(number, bool) or not isinstance(number, int):
        raise BadSeed(f"{name} is a whole number")
    return number


def seed_user(world: Altinn2World, given: Mapping[str, Any]) -> User:
    """
    Register a login: ``{name, password, party, represents?: [number], enterprise?, profile?}``.

    Raises:
        BadSeed: A member is missing or wrong.
    """
    user = User(
        name=_text(given, "name"),
        password=_text(given, "password"),
        party=_text(given, "party"),
        represents=frozenset(map(str, given.get("represents", ()))),
        enterprise=_flag(given, "enterprise", default=False),
        profile=_flag(given, "profile", default=True),
        created=world.clock(),
    )
    world.altinn2.people.register(user)
    return user


def shown_party(party: Party) -> dict[str, Any]:
    """Show a reportee."""
    return {"number": party.number, "reportee_id": party.reportee, "name": party.name, "rights": sorted(party.rights)}


def shown_element(world: Altinn2World, element: Element) -> dict[str, Any]:
    """Show an element whole, forms included."""
    return {
        "id": element.id,
        "who": sorted(element.who),
        "state": element.state.value,
        "original_id": element.original_id,
        "archived_id": element.id if element.state is State.ARCHIVED else world.altinn2.archived_as(element.id),
        "visible": element.visible,
        "signatures": element.signatures,
        "service": {"code": element.service.code, "edition": element.service.edition},
        "changed": element.changed.isoformat(),
        "forms": [
            {
                "id": each.id,
                "type": each.kind,
                "data_format_id": each.data_format_id,
                "data_format_version": each.data_format_version,
                "sha256": each.sha256,
                "xml": each.data,
            }
            for each in element.forms
        ],
        "attachments": [
            {
                "id": each.id,
                "file_name": each.file_name,
                "attachment_type": each.attachment_type,
                "size": each.size,
                "sha256": each.sha256,
            }
            for each in element.attachments
        ],
    }


def _learn(world: Altinn2World, service: Service) -> None:
    forms = [(each.schema, each.name) for each in service.forms]
    for schema, name in (*forms, *((each.schema, each.name) for each in service.attachment_rules)):
        try:
            if schema is not None:
                world.altinn2.learn(schema)
        except NoSchema as error:
            raise BadSeed(f"the schema of {name} cannot be used: {error}") from error


def _service(about: Mapping[str, Any], types: Sequence[FormType]) -> Service:
    about = _in_words(about, _SERVICE_WORDS)
    rules = [_mapping(each, "an attachment rule") for each in about.get("attachment_rules", [])]
    default = Service(code="", edition=0, forms=())
    kind = about.get("kind", FORM_TASK)
    if kind not in (FORM_TASK, CORRESPONDENCE):
        raise BadSeed(f"kind is {FORM_TASK} or {CORRESPONDENCE}")
    return Service(
        code=_text(about, "code"),
        edition=int(about.get("edition", 1)),
        forms=tuple(_form_type(_mapping(each, "a form type")) for each in about.get("forms", [])) or tuple(types),
        signing_steps=int(about.get("signing_steps", 0)),
        name=_optional_text(about, "name") or default.name,
        owner=_optional_text(about, "owner") or default.owner,
        payment=_flag(about, "payment", default=False),
        user_controlled_signing=_flag(about, "user_controlled_signing", default=False),
        keeps_copy=_flag(about, "keeps_copy", default=True),
        kind=kind,
        owner_code=_optional_text(about, "owner_code") or default.owner_code,
        names=_by_language(about, "names"),
        owners=_by_language(about, "owners"),
        valid_from=_moment(about, "valid_from"),
        valid_to=_moment(about, "valid_to"),
        attachment_rules=tuple(_rule(each, number) for number, each in enumerate(rules, 1)),
        attachments_in_signing=_flag(about, "attachments_in_signing", default=False),
        enterprise_users=_flag(about, "enterprise_users", default=True),
        security_level=int(about.get("security_level", 0)),
        unique_signers=_flag(about, "unique_signers", default=False),
        encrypted=_flag(about, "encrypted", default=False),
        signing_text=_optional_text(about, "signing_text") or default.signing_text,
    )


def _form_type(given: Mapping[str, Any]) -> FormType:
    expected = [_mapping(each, "an expected value") for each in given.get("expected", [])]
    rules = [_mapping(each, "a rule") for each in given.get("rules", [])]
    return FormType(
        kind=str(given.get("type", "MainForm")),
        data_format_id=str(given["data_format_id"]),
        data_format_version=str(given["data_format_version"]),
        name=str(given.get("name", "Skjema")),
        schema=_optional_text(given, "schema"),
        prefill=_optional_text(given, "prefill"),
        only_xsd=_flag(given, "only_xsd", default=False),
        max_one=_flag(given, "max_one", default=False),
        user_may_add=_flag(given, "user_may_add", default=True),
        provider=str(given.get("provider", "Seres")),
        expected=tuple(
            Expected(
                path=_text(each, "path"),
                text=each.get("text"),
                calculation=_optional_text(each, "calculation"),
                overridable=_flag(each, "overridable", default=False),
            )
            for each in expected
        ),
        rules=tuple(
            Rule(
                path=_text(each, "path"),
                test=_text(each, "test"),
                message=_text(each, "message"),
                soft=_flag(each, "soft", default=False),
            )
            for each in rules
        ),
    )


def _rule(given: Mapping[str, Any], number: int) -> AttachmentRule:
    given = _in_words(given, _RULE_WORDS)
    most = given.get("max_count")
    return AttachmentRule(
        name=_text(given, "name"),
        id=int(given.get("id", number)),
        file_types=str(given.get("file_types", "*.*")),
        min_count=int(given.get("min_count", 0)),
        max_count=None if most is None else int(most),
        max_size=int(given.get("max_size", 30)),
        schema=_optional_text(given, "schema"),
    )


def _form(given: Mapping[str, Any]) -> Form:
    xml = _text(given, "xml")
    parsed_form(xml)
    return Form(
        kind=str(given.get("type", "MainForm")),
        data_format_id=str(given["data_format_id"]),
        data_format_version=str(given["data_format_version"]),
        data=xml,
        name=str(given.get("name", "Skjema")),
    )


def _attachment(given: Mapping[str, Any]) -> Attachment:
    return Attachment(
        file_name=_text(given, "file_name"),
        attachment_type=_text(given, "attachment_type"),
        content=base64.b64decode(_text(given, "data"), validate=True),
    )


def _letter(given: Mapping[str, Any]) -> Letter:
    return Letter(
        body=str(given.get("body", "")),
        summary=str(given.get("summary", "")),
        sender=str(given.get("sender", "")),
        due=_moment(given, "due"),
        needs_confirmation=_flag(given, "needs_confirmation", default=False),
        archive_reference=_optional_text(given, "archive_reference"),
        reply_options=tuple(dict(_mapping(each, "a reply option")) for each in given.get("reply_options", [])),
        custom_data=_optional_text(given, "custom_data"),
    )


def _by_language(given: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((str(key), str(text)) for key, text in _mapping(given.get(name, {}), name).items()))


def _moment(given: Mapping[str, Any], name: str) -> datetime | None:
    text = _optional_text(given, name)
    found = None if text is None else datetime.fromisoformat(text)
    if found is not None and found.tzinfo is None:
        raise BadSeed(f"{name} must say its zone")
    return found


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadSeed(f"{name} must be an object")
    return value


def _in_words(given: Mapping[str, Any], words: Mapping[str, str]) -> Mapping[str, Any]:
    """*given* in one set of words; a thing that is said in two is refused."""
    for theirs, ours in words.items():
        if theirs in given and ours in given:
            raise BadSeed(f"{theirs} and {ours} are the same: say one")
    return {words.get(name, name): value for name, value in given.items()}


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise BadSeed(f"{name} must be a text")
    return value


def _optional_text(given: Mapping[str, Any], name: str) -> str | None:
    return None if given.get(name) is None else _text(given, name)


def _flag(given: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise BadSeed(f"{name} is true or false")
    return value
