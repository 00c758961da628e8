"""Puts services, elements, reportees and users into Altinn 2 as JSON describes them, and shows elements whole."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bridge.sandbox.altinn2.model import (
    CORRESPONDENCE,
    FORM_TASK,
    MAIN,
    Attachment,
    AttachmentRule,
    BadUpdate,
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
from bridge.sandbox.core.members import bad

_FORM_NAME = "Skjema"
_STATES = {
    FORM_TASK: (State.FORM_FILLING, State.SIGNING, State.PAYMENT, State.ARCHIVED, State.DELETED),
    CORRESPONDENCE: (State.UNREAD, State.OPENED, State.READ, State.CONFIRMED, State.ARCHIVED, State.DELETED),
}


def seed_service(world: Altinn2World, given: Mapping[str, Any]) -> Service:
    """
    The service edition that *given* describes, registered; see ``seed_members.SERVICE``.

    Raises:
        BadRequest: A schema cannot be used.
    """
    service = _service(given, ())
    _learn(world, service, given)
    world.altinn2.register(service)
    return service


def seed(world: Altinn2World, given: Mapping[str, Any]) -> Element:
    """
    The element that *given* describes, put in place; see ``seed_members.ELEMENT``.

    Without ``service.forms`` the forms' own keys are the form set. With *letter* it is a correspondence, unread unless
    *state* says otherwise.

    Raises:
        BadRequest: A schema or a form cannot be used, or no such element is ever in this state.
    """
    who = given.get("who", "my")
    forms = [_form(each, f"forms[{place}].xml") for place, each in enumerate(given.get("forms", ()))]
    types = dict.fromkeys(
        FormType(kind=each.kind, data_format_id=each.data_format_id, data_format_version=each.data_format_version)
        for each in forms
    )
    about, letter = given["service"], given.get("letter")
    if letter is not None:
        about = {"kind": CORRESPONDENCE, **about}
    service = _service(about, tuple(types))
    standing = "formfilling" if service.kind == FORM_TASK else "unread"
    state = State(given.get("state", standing))
    if letter is not None and service.kind != CORRESPONDENCE:
        raise bad("letter", f"is what a {CORRESPONDENCE} has, and the service's kind is {service.kind}")
    if state not in _STATES[service.kind]:
        known = ", ".join(each.value for each in _STATES[service.kind])
        raise bad("state", f"is none of a {service.kind}'s: {known}")
    _learn(world, service, about, within="service.")
    return world.altinn2.add(
        who=[who] if isinstance(who, str) else who,
        service=service,
        forms=forms,
        attachments=[_attachment(each) for each in given.get("attachments", ())],
        state=state,
        subject=given.get("subject", ""),
        letter=None if letter is None else _letter(letter),
        now=world.clock(),
    )


def seed_reportee(world: Altinn2World, given: Mapping[str, Any]) -> Party:
    """
    The reportee that *given* describes, with what users may do for it: ``seed_members.REPORTEE``.

    Raises:
        BadRequest: The number is none.
    """
    party = world.altinn2.people.know(given["number"], given.get("name", ""), rights=given.get("rights"))
    if party is None:
        raise bad("number", "must be that of a person or an organisation")
    return party


def seed_code_list(world: Altinn2World, given: Mapping[str, Any]) -> tuple[str, int]:
    """The key of the code list that *given* describes, put in place: ``seed_members.CODE_LIST``."""
    key = given["name"], given.get("version", 1)
    with world.altinn2.library.lock:
        world.altinn2.library.code_lists[key] = given["codes"]
    return key


def seed_lookup(world: Altinn2World, given: Mapping[str, Any]) -> tuple[str, int]:
    """The key of the look-up service whose answer *given* is, put in place: ``seed_members.LOOKUP``."""
    key = given["service_code"], given.get("service_edition", 1)
    with world.altinn2.library.lock:
        world.altinn2.library.lookups[key] = given["answer"]
    return key


def seed_user(world: Altinn2World, given: Mapping[str, Any]) -> User:
    """The user that *given* describes, registered with a password: ``seed_members.USER``."""
    user = User(
        name=given["name"],
        password=given["password"],
        party=given["party"],
        represents=frozenset(given.get("represents", ())),
        enterprise=given.get("enterprise", False),
        profile=given.get("profile", True),
        created=world.clock(),
    )
    world.altinn2.people.register(user)
    return user


def shown_party(party: Party) -> dict[str, Any]:
    """A reportee as JSON."""
    return {"number": party.number, "reportee_id": party.reportee, "name": party.name, "rights": sorted(party.rights)}


def shown_service(code: str, edition: int) -> dict[str, Any]:
    """A service edition's key as JSON."""
    return {"service_code": code, "service_edition": edition}


def shown_element(world: Altinn2World, element: Element) -> dict[str, Any]:
    """An element as JSON, whole, forms included."""
    return {
        "message_id": element.id,
        # Its former name, for clients that were written before.
        "id": element.id,
        "who": sorted(element.who),
        "state": element.state.value,
        "original_id": element.original_id,
        "archived_id": element.id if element.state is State.ARCHIVED else world.altinn2.archived_as(element.id),
        "visible": element.visible,
        "signatures": element.signatures,
        "service": shown_service(element.service.code, element.service.edition),
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


def _learn(world: Altinn2World, service: Service, about: Mapping[str, Any], *, within: str = "") -> None:
    said: list[tuple[str, Sequence[FormType | AttachmentRule]]] = [("attachment_rules", service.attachment_rules)]
    if about.get("forms"):
        said.insert(0, ("forms", service.forms))
    for name, kinds in said:
        for place, each in enumerate(kinds):
            try:
                if each.schema is not None:
                    world.altinn2.learn(each.schema)
            except NoSchema as error:
                raise bad(f"{within}{name}[{place}].schema", f"cannot be used: {error}") from error


def _service(about: Mapping[str, Any], types: Sequence[FormType]) -> Service:
    default = Service(code="", edition=0, forms=())
    return Service(
        code=about["service_code"],
        edition=about.get("service_edition", 1),
        forms=tuple(map(_form_type, about.get("forms", ()))) or tuple(types),
        signing_steps=about.get("signing_steps", 0),
        name=about.get("name", default.name),
        owner=about.get("owner", default.owner),
        payment=about.get("payment", False),
        user_controlled_signing=about.get("others_sign", False),
        keeps_copy=about.get("keeps_copy", True),
        kind=about.get("kind", FORM_TASK),
        owner_code=about.get("owner_code", default.owner_code),
        names=_by_language(about, "names"),
        owners=_by_language(about, "owners"),
        valid_from=_moment(about, "valid_from"),
        valid_to=_moment(about, "valid_to"),
        attachment_rules=tuple(_rule(each, number) for number, each in enumerate(about.get("attachment_rules", ()), 1)),
        attachments_in_signing=about.get("attachments_in_signing", False),
        enterprise_users=about.get("enterprise_users", True),
        security_level=about.get("security_level", 0),
        unique_signers=about.get("unique_signers", False),
        encrypted=about.get("encrypted", False),
        signing_text=about.get("signing_text", default.signing_text),
    )


def _form_type(given: Mapping[str, Any]) -> FormType:
    return FormType(
        kind=given.get("type", MAIN),
        data_format_id=given["data_format_id"],
        data_format_version=given["data_format_version"],
        name=given.get("name", _FORM_NAME),
        schema=given.get("schema"),
        prefill=given.get("prefill"),
        only_xsd=given.get("only_xsd", False),
        max_one=given.get("max_one", False),
        user_may_add=given.get("user_may_add", True),
        provider=given.get("provider", "Seres"),
        expected=tuple(
            Expected(
                path=each["path"],
                text=each.get("text"),
                calculation=each.get("calculation"),
                overridable=each.get("overridable", False),
            )
            for each in given.get("expected", ())
        ),
        rules=tuple(
            Rule(path=each["path"], test=each["test"], message=each["message"], soft=each.get("soft", False))
            for each in given.get("rules", ())
        ),
    )


def _rule(given: Mapping[str, Any], number: int) -> AttachmentRule:
    return AttachmentRule(
        name=given["type"],
        id=given.get("id", number),
        file_types=given.get("file_types", "*.*"),
        min_count=given.get("min_count", 0),
        max_count=given.get("max_count"),
        max_size=given.get("max_size_mb", 30),
        schema=given.get("schema"),
    )


def _form(given: Mapping[str, Any], place: str) -> Form:
    try:
        parsed_form(given["xml"])
    except BadUpdate as error:
        raise bad(place, f"cannot be used: {error}") from error
    return Form(
        kind=given.get("type", MAIN),
        data_format_id=given["data_format_id"],
        data_format_version=given["data_format_version"],
        data=given["xml"],
        name=given.get("name", _FORM_NAME),
    )


def _attachment(given: Mapping[str, Any]) -> Attachment:
    return Attachment(
        file_name=given["file_name"],
        attachment_type=given["attachment_type"],
        content=base64.b64decode(given["data"], validate=True),
    )


def _letter(given: Mapping[str, Any]) -> Letter:
    return Letter(
        body=given.get("body", ""),
        summary=given.get("summary", ""),
        sender=given.get("sender", ""),
        due=_moment(given, "due"),
        needs_confirmation=given.get("needs_confirmation", False),
        archive_reference=given.get("archive_reference"),
        reply_options=tuple(given.get("reply_options", ())),
        custom_data=given.get("custom_data"),
    )


def _by_language(given: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(given.get(name, {}).items()))


def _moment(given: Mapping[str, Any], name: str) -> datetime | None:
    return None if name not in given else datetime.fromisoformat(given[name])
