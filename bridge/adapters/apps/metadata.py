"""What an app tells of itself, against what mappings and routes say of it (facts/altinn3-and-tokens.md 1.8, 3)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from bridge.adapters.http.call import Answer, call
from bridge.core.calculations import AppRoute, HttpDialect, dialect_of
from bridge.core.errors import Rejected, UpstreamError
from bridge.core.mapping import FormFormat, FormKind, ServiceMapping

_MOST = 4 * 1024 * 1024
_ANOTHER = re.compile(r"This is ([A-Za-z0-9-]+/[A-Za-z0-9-]+), and not")
_STATEFUL = ("new-instance", "select-instance")
_FORMS = {FormFormat.XML: "application/xml", FormFormat.JSON: "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppDataType:
    """What counts of one data type: whether it has a form, for whom it is open, and what instances take."""

    id: str
    has_form: bool
    anonymous: bool
    content_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppMetadata:
    """What counts of ``applicationmetadata``. *version* is None before 7.0; *shows* is what opens first."""

    version: str | None
    shows: str | None
    data_types: tuple[AppDataType, ...]

    @property
    def verbs(self) -> HttpDialect | None:
        """How the app hears what is meant, as far as the version tells."""
        return dialect_of(self.version)


class AppMetadataClient:
    """An app's open documents: no token. *url* is the template of an app's address."""

    def __init__(self, session: requests.Session, url: str, *, timeout: float = 10.0) -> None:
        self._session, self._url, self._timeout = session, url, timeout

    def address(self, app: str, path: str = "") -> str:
        """Where *path* of an app (``org/name``) is."""
        org, _, name = app.partition("/")
        return self._url.replace("{org}", org).replace("{app}", name) + path

    def metadata(self, app: str) -> AppMetadata:
        """Fetch and read ``applicationmetadata``. Raises UpstreamError."""
        return read_app_metadata(fetch_metadata(self._session, self.address(app), system=f"app {app}"))

    def layout_sets(self, app: str) -> Mapping[str, str]:
        """Which data type each layout set shows; empty where the app does not tell (v9). Raises UpstreamError."""
        document = self._text(app, "/api/layoutsets", "text/plain")
        sets = None if document is None else _parsed(document, app).get("sets")
        entries = [each for each in sets if isinstance(each, Mapping)] if isinstance(sets, list) else []
        return {str(each["id"]): str(each["dataType"]) for each in entries if {"id", "dataType"} <= each.keys()}

    def xsd(self, app: str, data_type: str) -> bytes | None:
        """Fetch an XSD; None where the app gives none (before 8.12.6). Raises UpstreamError."""
        return self._text(app, f"/api/xsdschema/{quote(data_type, safe='')}", "application/xml")

    def json_schema(self, app: str, data_type: str) -> bytes | None:
        """Fetch a JSON Schema; None where there is none, which is a 500. Raises UpstreamError."""
        body = self._text(app, f"/api/jsonschema/{quote(data_type, safe='')}", "text/plain")
        return None if body is None else _once(body)

    def _text(self, app: str, path: str, accept: str) -> bytes | None:
        answer = _got(self._session, self.address(app, path), system=f"app {app}", accept=accept, timeout=self._timeout)
        if answer.status in (404, 500):
            return None
        if answer.status != 200:
            raise _refused(app, answer)
        return answer.body


def fetch_metadata(
    session: requests.Session, address: str, *, system: str, timeout: float = 5.0
) -> Mapping[str, object]:
    """
    Fetch the metadata of the app at *address*.

    Raises:
        Rejected: What answers is no app (``no_app``), another one (``another_app``), or cannot be read.
        UpstreamError: Nothing answers.
    """
    url = f"{address}/api/v1/applicationmetadata"
    answer = _got(session, url, system=system, accept="application/json", timeout=timeout)
    if answer.status == 409 and (found := _ANOTHER.search(answer.body[:500].decode("utf-8", "replace"))):
        raise Rejected(system, found[1], status=409, reason="another_app")
    if answer.status != 200:
        raise _refused(system.removeprefix("app "), answer)
    return _parsed(answer.body, system.removeprefix("app "))


def _got(session: requests.Session, url: str, *, system: str, accept: str, timeout: float) -> Answer:
    return call(
        session,
        "GET",
        url,
        system=system,
        writes=False,
        headers={"Accept": accept},
        connect_timeout=5.0,
        deadline_seconds=timeout,
        max_bytes=_MOST,
    )


def _refused(app: str, answer: Answer) -> Rejected:
    reason = "no_app" if answer.status in (404, 410) else "away" if answer.status in (429, 502, 503, 504) else "refused"
    return Rejected(f"app {app}", f"status {answer.status}", status=answer.status, reason=reason)


def _once(body: bytes) -> bytes:
    """Take off the quotes that an app's library puts around a file where it writes strings as JSON (facts 3)."""
    try:
        text = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return text.encode() if isinstance(text, str) else body


def _parsed(body: bytes, app: str) -> Mapping[str, object]:
    try:
        document = json.loads(_once(body).decode("utf-8-sig"))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping):
        raise Rejected(f"app {app}", "the answer is no JSON object", status=200, reason="unreadable")
    return document


def read_app_metadata(document: Mapping[str, object]) -> AppMetadata:
    """What counts of *document*; what is missing or of another kind is not there."""
    version, entry, types = document.get("altinnNugetVersion"), document.get("onEntry"), document.get("dataTypes")
    shows = entry.get("show") if isinstance(entry, Mapping) else None
    return AppMetadata(
        version=version if isinstance(version, str) else None,
        shows=shows if isinstance(shows, str) else None,
        data_types=tuple(
            _data_type(each)
            for each in (types if isinstance(types, list) else [])
            if isinstance(each, Mapping) and isinstance(each.get("id"), str)
        ),
    )


def _data_type(entry: Mapping[str, Any]) -> AppDataType:
    logic, kinds = entry.get("appLogic"), entry.get("allowedContentTypes")
    logic = logic if isinstance(logic, Mapping) else {}
    return AppDataType(
        id=entry["id"],
        has_form=bool(logic.get("classRef")),
        anonymous=logic.get("allowAnonymousOnStateless") is True,
        content_types=tuple(each for each in kinds if isinstance(each, str)) if isinstance(kinds, list) else (),
    )


# Who uses which app, and for what


@dataclass(frozen=True, slots=True, kw_only=True)
class AppUse:
    """One place that names an app: a mapping or a route, with the data types it names and their pinned schemas."""

    where: str
    app: str
    data_types: tuple["TypeUse", ...]
    anonymous: bool = False
    verbs: HttpDialect | None = None
    """What a route says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeUse:
    """One data type: what the app is sent (XML, JSON, or both), and the schemas it is held against."""

    id: str
    speaks: FormFormat
    schema: str | None = None
    root: str | None = None
    json_schema: str | None = None


def uses(mappings: Iterable[ServiceMapping], routes: Sequence[AppRoute]) -> Iterator[AppUse]:
    """Every use of an app in mappings and routes."""
    for mapping in mappings:
        if mapping.altinn3 is None:
            continue
        main = next((spec for spec in mapping.forms if spec.kind is FormKind.MAIN), None)
        used = TypeUse(
            id=mapping.altinn3.data_type,
            speaks=mapping.altinn3.speaks,
            schema=main.schema if main else None,
            root=main.root if main else None,
            json_schema=main.json_schema if main else None,
        )
        yield AppUse(where=mapping.source, app=f"{mapping.altinn3.org}/{mapping.altinn3.app}", data_types=(used,))
    for route in routes:
        yield AppUse(
            where=route.source,
            app=route.name,
            data_types=tuple(
                TypeUse(
                    id=each.data_type,
                    speaks=each.speaks,
                    schema=each.schema,
                    root=each.root,
                    json_schema=each.json_schema,
                )
                for each in route.data_types.values()
            ),
            anonymous=route.anonymous,
            verbs=route.verbs,
        )


@dataclass(slots=True, kw_only=True)
class Said:
    """What is to be told of one use: *faults* have to be mended, *notes* to be known."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def hold_against(use: AppUse, found: AppMetadata, layout_sets: Mapping[str, str]) -> Said:
    """Where *use* says something else than the app's metadata, and what to write instead."""
    said = Said()
    _verbs(use, found, said)
    forms = [each.id for each in found.data_types if each.has_form]
    for each in use.data_types:
        _type(use, each, found, forms=forms, said=said)
    if use.anonymous:
        named = {each.id for each in use.data_types}
        closed = [each.id for each in found.data_types if each.has_form and not each.anonymous and each.id not in named]
        if closed:
            said.notes.append(
                f"{use.app}: the route opens {', '.join(closed)} to everybody as well, though the app does not say "
                "allowAnonymousOnStateless of it: apps do not look"
            )
    _entry(use, found, layout_sets=layout_sets, said=said)
    return said


def _verbs(use: AppUse, found: AppMetadata, said: Said) -> None:
    if found.verbs is None:
        said.notes.append(f"{use.app}: tells no version, so its verbs are found out by the first call")
        return
    creates, calculates = found.verbs.value
    said.notes.append(f"{use.app}: library {found.version}, {creates} creates and {calculates} calculates")
    if use.verbs is not None and use.verbs is not found.verbs:
        said.faults.append(
            f"verbs: {use.verbs.name_in_words}, but {use.app} is built with library {found.version}: "
            f"write {found.verbs.name_in_words}, or leave it out"
        )


def _type(use: AppUse, used: TypeUse, found: AppMetadata, *, forms: Sequence[str], said: Said) -> None:
    data_type = next((each for each in found.data_types if each.id == used.id), None)
    known = ", ".join(forms) or "none"
    if data_type is None:
        said.faults.append(f"{use.app} has no data type {used.id!r}: those with a form are {known}")
        return
    if not data_type.has_form:
        said.faults.append(
            f"{use.app}: the data type {used.id} has no form (appLogic.classRef), so every call is an empty 500: "
            f"those with a form are {known}"
        )
        return
    kinds = data_type.content_types
    sent = [_FORMS[each] for each in (FormFormat.XML, FormFormat.JSON) if used.speaks in (each, FormFormat.BOTH)]
    if kinds and not set(kinds) & set(_FORMS.values()):
        said.faults.append(f"{use.app}: the data type {used.id} takes {', '.join(kinds)}, which are no forms")
    elif kinds and not set(kinds) & set(sent):
        said.notes.append(
            f"{use.app}: instances of {used.id} take {', '.join(kinds)} and are sent {', '.join(sent)}; stateless "
            "calls do not look at that"
        )
    if use.anonymous and not data_type.anonymous:
        said.faults.append(
            f"{use.app}: the route is anonymous, but the data type {used.id} does not say allowAnonymousOnStateless: "
            "say it in the app, or take 'anonymous' out of the route"
        )


def _entry(use: AppUse, found: AppMetadata, *, layout_sets: Mapping[str, str], said: Said) -> None:
    if found.shows is None or found.shows in _STATEFUL:
        said.notes.append(
            f"{use.app}: is not stateless (onEntry.show: {found.shows or 'nothing'}); its forms are calculated all the "
            "same"
        )
        return
    shown = layout_sets.get(found.shows)
    others = [each.id for each in use.data_types if each.id != shown]
    if shown is not None and others:
        said.notes.append(f"{use.app}: its start page ({found.shows}) shows {shown}, not {', '.join(others)}")


def why_silent(app: str, address: str, error: UpstreamError) -> str:
    """In words why an app's metadata could not be had, and what to do next."""
    reason = error.reason if isinstance(error, Rejected) else ""
    match reason:
        case "no_app":
            return f"no app {app} at {address}: is its name right, and is it deployed in this environment?"
        case "away":
            return f"{app} is away at {address} ({error.detail}), as apps are while they are deployed: try again"
        case "another_app":
            return f"the app calls itself {error.detail}: write it so"
        case "unreadable" | "refused" | "answer_too_large":
            return f"{address} does not answer as an app does ({error.detail}): is BRIDGE_ALTINN3_APPS_URL right?"
        case _:
            return (
                f"{app} was not reached at {address} ({error.detail}): is BRIDGE_ALTINN3_APPS_URL right, and may this "
                "machine call it?"
            )
