"""A calculation for a client of an app: the form held against its schema, the app asked, and its answer told apart."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import structlog

from bridge.adapters.apps.calls import AppAnswer, AppCall, Readable, system_of
from bridge.adapters.apps.errors import no_http, timed_out
from bridge.core.app_answers import Next, problem_of, row_for
from bridge.core.calculations import AppRoute, DataTypeRoute, Meaning, TokenUse
from bridge.core.errors import CredentialsRefused, Finding, Unreachable, UpstreamError, errors_of, told_briefly
from bridge.core.mapping import FormFormat, Validation
from bridge.core.problems import Refusal, form_invalid
from bridge.forms.conversion.converter import Unconvertible
from bridge.forms.conversion.media import JSON, XML
from bridge.forms.xml.input import Unreadable
from bridge.parts import Bridge
from bridge.rooms import Load
from bridge.steps.forms.form_passage import Converters, Passage, kind_sent
from bridge.storage.ticket_locks import LockTimeout

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.web")

_MEDIA_TYPES: Mapping[FormFormat | None, str] = {FormFormat.XML: XML, FormFormat.JSON: JSON}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AppRequest:
    """What a request asks of an app."""

    route: AppRoute
    data_type: DataTypeRoute
    meant: Meaning
    anonymous: bool
    party: str | None
    """The dialog's party, in place of what the caller says."""
    reports: bool
    load: Load
    content_type: str
    """Of the form that was sent, empty where it says none."""
    accept: str
    kind: str
    """The data type as it was asked for."""

    @property
    def own(self) -> bool:
        """Whether the bridge's own token goes with it."""
        return self.route.token is not TokenUse.CALLER


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Looked:
    """A form that was looked at: in UTF-8, what is wrong with it, and what the app gets in its place."""

    form: bytes | Readable
    findings: tuple[Finding, ...] | None
    """None where it was not held against a schema."""
    passage: Passage | None


def look(converters: Converters, wanted: AppRequest, body: bytes | Readable) -> Looked:
    """Do with a form what its route says. Raises Refusal 415 and 422."""
    form, misread = _written_out(converters, wanted, body)
    findings = _findings(converters, wanted, form, misread=misread)
    passage = _passage(converters, wanted, body, form=form, checked=findings is not None)
    return Looked(form=form, findings=findings, passage=passage)


def is_looked_at(wanted: AppRequest) -> bool:
    """Whether anything is done with the form but to pass it on."""
    if wanted.meant is Meaning.CREATE:
        return False
    return (
        wanted.data_type.validate is not Validation.OFF
        or wanted.data_type.speaks is not FormFormat.BOTH
        or wanted.reports
    )


def _written_out(converters: Converters, wanted: AppRequest, body: bytes | Readable) -> tuple[bytes | Readable, bool]:
    """
    The form as UTF-8 by its Content-Type, and whether that cannot be.

    Raises:
        Refusal: 415 where it cannot be, and the form is converted or held strictly.
    """
    if not isinstance(body, bytes) or not is_looked_at(wanted):
        return body, False
    try:
        return converters.written_out(wanted.content_type, body), False
    except Refusal:
        if wanted.data_type.validate is Validation.STRICT or wanted.data_type.speaks is not FormFormat.BOTH:
            raise
        return body, True  # Apps pass over the charset, and nothing is stopped here.


def _findings(
    converters: Converters, wanted: AppRequest, body: bytes | Readable, *, misread: bool
) -> tuple[Finding, ...] | None:
    """Hold the form against its schema; None where the route does not. Raises Refusal 422 where it is strict."""
    validate = wanted.data_type.validate
    if not wanted.data_type.pins or not isinstance(body, bytes) or wanted.meant is Meaning.CREATE:
        return None
    if validate is Validation.OFF and not wanted.reports:
        return None
    findings = converters.findings(wanted.data_type, wanted.content_type, body)
    if misread and findings is not None:
        findings = (Finding(path="/", rule="encoding"), *findings)
    if validate is Validation.STRICT and errors_of(findings or ()):
        raise form_invalid(errors_of(findings or ()))
    return findings


def _passage(
    converters: Converters, wanted: AppRequest, body: bytes | Readable, *, form: bytes | Readable, checked: bool
) -> Passage | None:
    if not isinstance(body, bytes) or not isinstance(form, bytes) or not (wanted.data_type.pins or wanted.reports):
        return None
    content_type = wanted.content_type
    # A report takes the form's place, so it is compared in the language in which it was sent.
    sent_as = _MEDIA_TYPES.get(kind_sent(content_type)) if wanted.reports else None
    accept = sent_as or wanted.accept
    try:
        return converters.there(wanted.data_type, content_type, body, written_out=form, accept=accept, checked=checked)
    except Unconvertible as error:
        raise form_invalid(error.findings) from error
    except Unreadable as error:
        raise form_invalid((error.finding,)) from error


def answered(bridge: Bridge, wanted: AppRequest, call: AppCall, *, turn: AbstractContextManager[None]) -> AppAnswer:
    """
    Have the app calculate within *turn*, and tell what it says of the bridge's own token apart.

    Raises:
        Refusal: There is no answer that could be passed on, or none that is the caller's.
        UpstreamError: Who gives out tokens is away: that is not the app's doing.
    """
    try:
        with turn:
            return _with_room(bridge, wanted.route, call)
    except LockTimeout:
        raise Refusal("app_timeout", 503) from None
    except CredentialsRefused as error:
        raise Refusal("app_refuses_bridge", 502) from error
    except UpstreamError as error:
        if error.system != system_of(wanted.route):
            raise
        raise _no_answer(wanted, error) from error


def _no_answer(wanted: AppRequest, error: UpstreamError) -> Refusal:
    """What became of a call to which the app gave no answer that could be passed on."""
    log.warning("an app gave no answer", app=wanted.route.name, why=error.detail)
    match error:
        case Unreachable(retry_after=None):
            return Refusal("app_unavailable", 503)
        case Unreachable(retry_after=wait):
            return Refusal("app_resting", 503, retry_after=wait)
        case _ if timed_out(error):
            return Refusal("app_timeout", 504)
        case _ if no_http(error):
            return Refusal("app_answer_invalid", 502)
        case _:
            return Refusal("app_unavailable", 502)


def _with_room(bridge: Bridge, route: AppRoute, call: AppCall) -> AppAnswer:
    """Send *call* where the app has room for it, which it holds until its answer is passed on. Raises Refusal 503."""
    room = bridge.rooms.app(route.name)
    room.enter()
    try:
        answer = bridge.apps.send(route, call)
    except BaseException:
        room.leave()
        raise
    if answer.rest is None:
        room.leave()
        return answer

    def close() -> None:
        answer.close()
        room.leave()

    return replace(answer, close=close)


def tell_apart(wanted: AppRequest, answer: AppAnswer) -> None:
    """Keep from the caller what an app says of the bridge's own token. Raises Refusal 403 and 502."""
    if not wanted.own or answer.status not in (401, 403):
        return
    said = answer.start.decode("utf-8", "replace")
    row = row_for(answer.status, said)
    if row.next is Next.CREDENTIALS:
        # A token that ran out was renewed once already.
        refused = CredentialsRefused(
            system_of(wanted.route), "it refused the bridge's token", status=answer.status, reason="token_refused"
        )
        raise Refusal("app_refuses_bridge", 502) from refused
    if row.code == "app_level_too_low":
        problem = problem_of(row, said)
        raise Refusal(problem.code, problem.status, facts=problem.facts)


def whole_answer(bridge: Bridge, wanted: AppRequest, answer: AppAnswer) -> bytes:
    """All of an answer. Raises Refusal 502 where it is too large, or breaks off."""
    limit = bridge.settings.max_body
    before = wanted.load.held
    try:
        whole = answer.whole(limit, lambda size: wanted.load.grow(before + size))
    except UpstreamError as error:
        raise _no_answer(wanted, error) from error
    if whole is None:
        raise Refusal("app_answer_too_large", 502, facts={"limit": str(limit)})
    return whole


def answer_back(
    converters: Converters, wanted: AppRequest, answer: AppAnswer, *, whole: bytes, passage: Passage
) -> tuple[str, bytes] | None:
    """The app's form with its media type as the client wants it; None where it is so, or cannot be."""
    try:
        return converters.back(
            wanted.data_type, answer.header("Content-Type"), whole, wanted=passage.back, answers=passage.body
        )
    except (Unconvertible, Unreadable) as error:
        # The client gets the form in the app's language, with its true type, rather than none or less of it.
        found = error.findings if isinstance(error, Unconvertible) else (error.finding,)
        log.warning("an answer could not be converted", app=wanted.route.name, faults=told_briefly(found))
        return None
