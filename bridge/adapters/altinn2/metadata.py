"""What Altinn 2 publishes of its services, kept on disk: it lists active editions only, and may be gone (facts 4)."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import requests

from bridge.adapters.altinn2.errors import raise_for
from bridge.adapters.altinn2.wire import HAL, SYSTEM, embedded, field, json_body, text, unreadable
from bridge.adapters.http.call import Answer, call
from bridge.core.altinn_dates import parse_altinn_date
from bridge.core.attachment_rules import MEGABYTE, extensions_in
from bridge.core.clock import Clock
from bridge.core.errors import Fault, Rejected, UpstreamError
from bridge.core.mapping import ActionMapping, AfterUpdate, AttachmentRule, FormKind, FormSource, ServiceMapping, Verb
from bridge.core.problems import Problem
from bridge.core.targets import Target

_CODE = re.compile(r"[A-Za-z0-9_-]{1,20}")
_PAYMENT = ("payment", "betaling")
_SIGNING = ("signing", "signering")
_SENDING_IN = ("sendin", "innsending")
_MAIN, _SUB = FormKind.MAIN, FormKind.SUB


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMetadata:
    """
    What counts of one edition: its forms' keys, its attachment rules, and the steps of its process in order.

    *levels* are the steps' security levels, None where one tells none. It is in force from *valid_from* to *valid_to*.
    """

    forms: tuple[tuple[FormKind, str, str], ...]
    attachment_rules: tuple[AttachmentRule, ...]
    steps: tuple[str, ...]
    levels: tuple[int | None, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    rest_enabled: bool | None = None

    @property
    def has_payment(self) -> bool:
        """Whether it has a step that nobody can do over REST; names are English or Norwegian."""
        return any(step.casefold() in _PAYMENT for step in self.steps)

    @property
    def signing_steps(self) -> int:
        """How many signing steps it has. Who has to sign is not in metadata."""
        return sum(step.casefold() in _SIGNING for step in self.steps)

    @property
    def highest_level(self) -> int | None:
        """The highest level of its steps; None where nobody says."""
        return max((level for level in self.levels if level is not None), default=None)

    def level_for(self, action: ActionMapping | None) -> int:
        """The security level of the steps that *action*, or a look, goes through; 0 where nobody says."""
        signs = action is not None and all(action.after.value)
        known = [
            level
            for name, level in zip(self.steps, self.levels, strict=False)
            if level is not None and (signs or name.casefold() not in (*_SIGNING, *_PAYMENT, *_SENDING_IN))
        ]
        return max(known, default=0)


@dataclass(frozen=True, slots=True)
class ActionFault:
    """What an action cannot do with a service as it is: what the sender is told, and what the mapping's author is."""

    problem: Problem
    message: str


def action_faults(action: ActionMapping, found: ServiceMetadata, *, level: int, now: datetime) -> Iterator[ActionFault]:
    """Hold a PUT against the service's metadata; *level* is that of who presses, or at least has to have."""
    if action.verb is not Verb.PUT:
        return
    before = found.valid_from is not None and now < found.valid_from
    if before or (found.valid_to is not None and now >= found.valid_to):
        when = f"from {found.valid_from or '-'} to {found.valid_to or '-'}"
        yield ActionFault(
            Problem(code="service_not_in_force", status=409), f"the service edition is in force {when} only"
        )
    if all(action.after.value) and found.has_payment:
        message = f"{action.name} completes, but the service has a payment step, which cannot be done over REST"
        yield ActionFault(Problem(code="payment_needed", status=409), message)
    to_signing = action.after is AfterUpdate.SEND_TO_SIGNING or action.form is FormSource.NONE
    if to_signing and found.steps and not found.signing_steps:
        # Altinn 2 would take the form, and leave it where it is.
        message = f"{action.name} is about signing, but the service has no signing step"
        if action.form is not FormSource.NONE:
            message += ": write sign: true, which sends it in"
        yield ActionFault(Problem(code="no_signing_step", status=409), message)
    if level < (needed := found.level_for(action)):
        yield level_fault(action, needed)


def level_fault(action: ActionMapping, needed: int) -> ActionFault:
    """The fault of an *action* that goes through a step of level *needed*, which is more than who presses has."""
    message = f"{action.name} goes through a step of security level {needed}: write minimum_level: {needed}"
    return ActionFault(Problem(code="service_level_too_low", status=403, facts={"level": str(needed)}), message)


class MetadataFiles:
    """The folder in which metadata and schemas are kept; *folder* None keeps and gives nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def find(self, code: str, edition: int) -> ServiceMetadata | None:
        """
        What is kept of an edition.

        Raises:
            Rejected: The file cannot be read as metadata (``unreadable``).
        """
        path = self._path(code, edition)
        if path is None or not path.is_file():
            return None
        try:
            return read_metadata(json.loads(path.read_bytes()))
        except ValueError:
            raise unreadable(path.name) from None

    def keep(self, code: str, edition: int, body: bytes) -> None:
        """Keep what was fetched, whole or not at all."""
        path = self._path(code, edition)
        if path is not None:
            _replace(path, body)

    def keep_schema(self, code: str, edition: int, *, name: str, schema: bytes) -> None:
        """Keep a form's schema beside the metadata."""
        path = self._path(code, edition)
        if path is not None:
            _replace(path.with_name(f"{path.stem}-{quote(name, safe='')}.xsd"), schema)

    def _path(self, code: str, edition: int) -> Path | None:
        if self._folder is None or not _CODE.fullmatch(code):
            return None
        return self._folder / f"formtask-{code}-{edition}.json"


class MetadataClient:
    """Altinn 2's open metadata: no key, no token."""

    def __init__(self, session: requests.Session, base_url: str, *, clock: Clock, timeout: float = 30.0) -> None:
        self._session, self._base, self._clock, self._timeout = session, base_url.rstrip("/"), clock, timeout

    def service(self, code: str, edition: int) -> bytes:
        """Fetch an edition's metadata as it is. Raises Missing for one that is not active, and any UpstreamError."""
        answer = self._get(f"metadata/formtask/{quote(code, safe='')}/{edition}", HAL)
        read_metadata(json_body(answer))
        return answer.body

    def schema(self, code: str, edition: int, form: tuple[FormKind, str, str]) -> bytes:
        """Fetch a form's XSD, by an address of our own making: plain JSON has no links."""
        _, format_id, version = form
        path = f"metadata/formtask/{quote(code, safe='')}/{edition}/forms/{quote(format_id, safe='')}"
        return self._get(f"{path}/{quote(version, safe='')}/xsd", "application/xml").body

    def _get(self, path: str, accept: str) -> Answer:
        answer = call(
            self._session,
            "GET",
            f"{self._base}/{path}",
            system=SYSTEM,
            writes=False,
            headers={"Accept": accept},
            params={"language": "1044"},
            deadline_seconds=self._timeout,
        )
        raise_for(answer, writes=False, now=self._clock())
        return answer


def read_metadata(body: object) -> ServiceMetadata:
    """
    An edition's metadata, however its members are spelled and wrapped.

    Raises:
        Rejected: It is no such document (``unreadable``).
    """
    if not isinstance(body, Mapping):
        raise unreadable("the metadata is not an object")
    steps = sorted(_list(body, "ProcessSteps"), key=_number_of)
    return ServiceMetadata(
        forms=tuple(map(_form, _list(body, "FormsMetaData"))),
        attachment_rules=tuple(map(_rule, _list(body, "AttachmentRules"))),
        steps=tuple(text(each, "Name") for each in steps),
        levels=tuple(_whole(each, "SecurityLevel") for each in steps),
        valid_from=_moment(body, "ValidFrom"),
        valid_to=_moment(body, "ValidTo"),
        rest_enabled=_flag(body, "RestEnabled"),
    )


def online_faults(
    mappings: Iterable[ServiceMapping],
    client: MetadataClient,
    files: MetadataFiles,
    *,
    now: datetime,
    notes: list[str],
    other: Callable[[str, bytes], str | None] = lambda _ours, _theirs: None,
) -> Iterator[Fault]:
    """
    Hold mappings against Altinn 2's metadata, fetched and kept, or where it cannot be fetched, as it was kept.

    What is good to know, and may yet be as it should, goes into *notes*. *other* says why a schema of ours, by its
    name, cannot be that of theirs.
    """
    for mapping in mappings:
        if mapping.altinn2 is None:
            continue
        code, edition = mapping.altinn2.service_code, mapping.altinn2.service_edition
        try:
            body = client.service(code, edition)
        except UpstreamError as error:
            found = files.find(code, edition)
            if found is None:
                message = f"Altinn 2 has no metadata of service {code}/{edition} to give: {_why(error)}"
                yield Fault(where=mapping.source, message=message)
                continue
        else:
            found = read_metadata(json.loads(body))
            files.keep(code, edition, body)
            yield from _keep_schemas(mapping, client, files, found=found, other=other)
        if found.rest_enabled is False:
            # So it was of every service that was seen, those that REST was used for included (facts/altinn2.md 4).
            notes.append(f"Altinn 2 says of {code}/{edition} that REST is not enabled, as it does of most services")
        yield from faults_against(mapping, found, now=now)


def faults_against(mapping: ServiceMapping, found: ServiceMetadata, *, now: datetime) -> Iterator[Fault]:
    """Where *mapping* says something else than the service's metadata."""
    where = mapping.source
    known = set(found.forms)
    for spec in mapping.forms:
        key = (spec.kind, spec.data_format_id, spec.data_format_version)
        if known and key not in known:
            name = f"{spec.kind.value} {spec.data_format_id}/{spec.data_format_version}"
            others = ", ".join(f"{kind.value} {one}/{two}" for kind, one, two in found.forms)
            yield Fault(where=where, message=f"the service has no {name}: it has {others}")
    theirs = {rule.type.casefold(): rule for rule in found.attachment_rules}
    for rule in mapping.attachment_rules:
        their = theirs.get(rule.type.casefold())
        if their is None and theirs:
            names = ", ".join(each.type for each in found.attachment_rules)
            yield Fault(where=where, message=f"the service has no attachment type {rule.type}: it has {names}")
        elif their is not None:
            yield from _rule_faults(where, rule, their)
    said = 1 if mapping.altinn2 is None else mapping.altinn2.signing_steps
    signing = [action.name for action in mapping.actions.values() if action.signs]
    if signing and found.signing_steps > said:
        message = (
            f"{', '.join(signing)}: the service has {found.signing_steps} signing steps; if each is to be given by "
            f"another person's press, write signing_steps: {found.signing_steps}, else leave signing to Altinn"
        )
        yield Fault(where=where, message=message)
    seen: set[str] = set()
    for action in mapping.actions.values():
        if action.target is Target.ALTINN2:
            for fault in action_faults(action, found, level=action.minimum_level, now=now):
                if fault.message not in seen:
                    seen.add(fault.message)
                    yield Fault(where=where, message=fault.message)


def _rule_faults(where: str, ours: AttachmentRule, theirs: AttachmentRule) -> Iterator[Fault]:
    for name, one, two in (
        ("max_size_mb", ours.max_bytes > theirs.max_bytes, theirs.max_bytes // MEGABYTE),
        ("max_count", theirs.max_count is not None and (ours.max_count or 10**9) > theirs.max_count, theirs.max_count),
        ("min_count", ours.min_count < theirs.min_count, theirs.min_count),
        (
            "file_types",
            bool(theirs.extensions) and not set(ours.extensions or ("*",)) <= set(theirs.extensions),
            ", ".join(theirs.extensions),
        ),
    ):
        if one:
            message = f"attachments of type {ours.type} are looser than Altinn 2 takes them: write {name}: {two}"
            yield Fault(where=where, message=message)


def _keep_schemas(
    mapping: ServiceMapping,
    client: MetadataClient,
    files: MetadataFiles,
    *,
    found: ServiceMetadata,
    other: Callable[[str, bytes], str | None],
) -> Iterator[Fault]:
    service = mapping.altinn2
    if service is None:
        return
    for form in found.forms:
        try:
            schema = client.schema(service.service_code, service.service_edition, form)
        except UpstreamError as error:
            yield Fault(where=mapping.source, message=f"the schema of {form[1]}/{form[2]} was not given: {_why(error)}")
        else:
            files.keep_schema(service.service_code, service.service_edition, name=f"{form[1]}-{form[2]}", schema=schema)
            spec = mapping.form_spec(*form)
            why = None if spec is None or spec.schema is None else other(spec.schema, schema)
            if why is not None:
                yield Fault(where=mapping.source, message=f"{form[0].value} {form[1]}/{form[2]} {why}")


def _why(error: UpstreamError) -> str:
    if isinstance(error, Rejected) and error.reason in ("gone", "not_found"):
        return {"gone": "Altinn 2 is closed", "not_found": "it lists active editions only"}[error.reason]
    return error.detail


def _form(entry: Mapping[str, object]) -> tuple[FormKind, str, str]:
    try:
        kind = FormKind(text(entry, "FormType"))
    except ValueError as error:
        raise unreadable("FormType") from error
    return kind, text(entry, "DataFormatId"), text(entry, "DataFormatVersion")


def _rule(entry: Mapping[str, object]) -> AttachmentRule:
    most = _whole(entry, "MaxAttachmentCount")
    return AttachmentRule(
        type=text(entry, "AttachmentTypeName"),
        extensions=extensions_in(text(entry, "AllowedFileTypes", default="")),
        min_count=_whole(entry, "MinAttachmentCount") or 0,
        max_count=most or None,
        max_bytes=(_whole(entry, "MaxFileSize") or 30) * MEGABYTE,
    )


def _moment(entry: Mapping[str, object], name: str) -> datetime | None:
    value = text(entry, name, default="")
    try:
        return parse_altinn_date(value) if value else None
    except ValueError:
        raise unreadable(name) from None


def _flag(entry: Mapping[str, object], name: str) -> bool | None:
    value = field(entry, name)
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.casefold())
    return value if isinstance(value, bool) else None


def _whole(entry: Mapping[str, object], name: str) -> int | None:
    value = text(entry, name, default="")
    return int(value) if value.isdecimal() else None


def _number_of(entry: Mapping[str, object]) -> int:
    return _whole(entry, "SequenceNumber") or 0


def _list(body: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    value = field(body, name)
    if value is None:
        return embedded(body, name)
    return embedded(value, name)


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
