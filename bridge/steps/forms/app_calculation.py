"""
Have a stateless app calculate a form for an action, and take nothing from it that was lost on the way.

A calculation stores nothing, so it is repeated after any failure that is passing, and after a crash.
"""

from urllib.parse import urlencode

import structlog

from bridge.adapters.apps.calls import AppCall
from bridge.adapters.apps.errors import no_http
from bridge.adapters.http.call import retry_after
from bridge.core.app_answers import PROBLEMS, Next, problem_of, row_for
from bridge.core.calculations import AppRoute, DataTypeRoute, Meaning, TokenUse, party_header
from bridge.core.changes import OperationChange
from bridge.core.elements import Form
from bridge.core.errors import (
    ConfigurationError,
    CredentialsRefused,
    Finding,
    OutcomeUnknown,
    Unreachable,
    told_briefly,
)
from bridge.core.mapping import ActionMapping, Altinn3App, FormFormat, FormSpec, LostFields, Validation
from bridge.core.problems import Problem, Refusal, form_invalid
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.conversion.media import JSON, XML, kind_of, turned
from bridge.forms.conversion.nils import without_forbidden_nils
from bridge.forms.cut_short import stopped_at
from bridge.forms.diff import Change, differences
from bridge.forms.fields import read_values
from bridge.forms.xml.input import ParsedXml, Unreadable, parsed
from bridge.parts import Bridge
from bridge.steps.delivery import Delivery
from bridge.steps.forms.request_body import converter_of

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")

_TYPES = {FormFormat.XML: XML, FormFormat.JSON: JSON}
_MOST_PATHS = 50


def calculated(delivery: Delivery, form: Form) -> str:
    """
    *form* as the app calculated it; the action's ``results`` of it are kept on the operation.

    Raises:
        Refusal: The app refuses, or its answer has lost fields; nothing was stored anywhere.
        Unreachable: No answer came; nothing was stored, so that it may be repeated.
    """
    bridge, mapping, action = delivery.bridge, delivery.mapping, delivery.action
    spec = mapping.form_spec(form.kind, form.data_format_id, form.data_format_version)
    if spec is None or mapping.altinn3 is None:
        name = f"{form.data_format_id}/{form.data_format_version}"
        raise Refusal("form_unknown", 422, facts={"form": name})
    route = _route(bridge, mapping.altinn3, mapping.source)
    try:
        # Apps take a form without their namespace at a second try only, which leaks (facts 1.4), and answer with it.
        sent = bridge.schemas.in_namespace(spec, form.data)
    except Unreadable as error:
        raise form_invalid((error.finding,)) from error
    spoken = _spoken(bridge, mapping.altinn3, route, spec=spec, form=sent)
    content_type, body = _answer(delivery, mapping.altinn3, route, form=spoken)
    try:
        answer = _as_xml(bridge, spec, content_type, body=body, sent=spoken)
        _refuse_losses(bridge, route, action, spec=spec, sent=sent, answer=answer)
        results = read_values(answer, action.results, limits=bridge.schemas.limits)
    except (Unreadable, Unconvertible) as error:
        found = error.findings if isinstance(error, Unconvertible) else (error.finding,)
        log.error("an app's answer is no form of its schema", app=route.name, faults=told_briefly(found))
        raise Refusal.of(PROBLEMS["app_answer_unreadable"]) from error
    if action.results:
        if missing := {name: path for name, path in action.results if name not in results}:
            log.warning("results are not in the calculated form", app=route.name, paths=missing)
        # Before anything is sent: whoever takes over after a crash has them for the dialog.
        delivery.recorded(OperationChange(results=dict(results)))
    return answer.data.decode()


def _route(bridge: Bridge, app: Altinn3App, source: str) -> AppRoute:
    """How the app is called; what the proxy's route knows of its verbs and time holds here, too."""
    known = bridge.routes.get((app.org, app.app))
    return AppRoute(
        org=app.org,
        app=app.app,
        token=TokenUse.BRIDGE,
        scopes=app.scopes,
        dialog=None,
        anonymous=False,
        verbs=None if known is None else known.verbs,
        timeout=None if known is None else known.timeout,
        defaults=DataTypeRoute(
            data_type=app.data_type,
            schema=None,
            validate=Validation.OFF,
            one_at_a_time=False,
            repeatable=True,
            speaks=app.speaks,
        ),
        data_types={},
        source=source,
    )


def _spoken(bridge: Bridge, app: Altinn3App, route: AppRoute, *, spec: FormSpec, form: ParsedXml) -> bytes:
    """The form in the format that the app reads. Raises Refusal where its schema does not know it."""
    if app.speaks is not FormFormat.JSON:
        return form.data
    converter = _converter(bridge, spec)
    if converter is None:
        log.error("the main form's schema cannot convert", app=route.name, schema=spec.schema)
        raise Refusal.of(PROBLEMS["app_misconfigured"])
    try:
        return converter.json_of(form.root, of_app=True).encode()
    except Unconvertible as error:
        raise form_invalid(error.findings) from error
    except Unreadable as error:
        raise form_invalid((error.finding,)) from error


def _answer(delivery: Delivery, app: Altinn3App, route: AppRoute, *, form: bytes) -> tuple[str, bytes]:
    """Ask the app, and give the form that it answers with its type. Raises Refusal and Unreachable."""
    bridge, link = delivery.bridge, delivery.link()
    # Said by all versions of apps in lower case, alone, and always: what they take for the party without it differs.
    party = None if link is None else party_header(link.party)
    if party is None:
        raise Refusal.of(PROBLEMS["party_unfit"])
    query = urlencode({"dataType": app.data_type, "language": delivery.operation.language})
    status, content_type, again, body = _called(bridge, route, Meaning.CALCULATE, query=query, party=party, body=form)
    text = _beginning(body)
    row = row_for(status, text)
    match row.next:
        case Next.FORM:
            return content_type, body
        case Next.LATER:
            raise again
        case Next.LOOK:
            raise Refusal.of(_at_fault(bridge, route, query, party=party))
        case Next.CREDENTIALS:
            raise _refuses_us(route, status)
        case Next.REFUSED:
            problem = problem_of(row, text)
            # Without the text, which may quote the form.
            log.warning("refused by an app", app=route.name, status=status, code=problem.code)
            raise Refusal.of(problem)


def _at_fault(bridge: Bridge, route: AppRoute, query: str, *, party: str) -> Problem:
    """
    Tell who an empty 500 is about, by asking for an empty form, which has no effect anywhere.

    A party that the register does not know, and a data type without a form, fail in the same way; the calculation of
    this form does not.
    """
    status, _, again, body = _called(bridge, route, Meaning.CREATE, query=query, party=party, body=b"")
    row = row_for(status, _beginning(body))
    match row.next:
        case Next.LATER:
            raise again
        case Next.CREDENTIALS:
            raise _refuses_us(route, status)
        case Next.REFUSED:
            problem = problem_of(row, _beginning(body))
        case Next.LOOK:
            problem = PROBLEMS["app_party_unknown"]
        case Next.FORM:
            problem = PROBLEMS["app_cannot_calculate"]
    log.warning("an app failed without a word", app=route.name, code=problem.code)
    return problem


def _refuses_us(route: AppRoute, status: int) -> CredentialsRefused:
    return CredentialsRefused(f"app {route.name}", f"status {status}", status=status, reason="app_refuses_bridge")


def _beginning(body: bytes) -> str:
    return body[:4096].decode("utf-8", "replace")


def _called(
    bridge: Bridge, route: AppRoute, meaning: Meaning, *, query: str, party: str, body: bytes
) -> tuple[int, str, Unreachable, bytes]:
    """Status, type and body, and the error that stands for coming back later."""
    spoken = _TYPES[route.defaults.speaks]
    headers = [("Accept", spoken), ("Accept-Encoding", "identity"), ("party", party)]
    if meaning is Meaning.CALCULATE:
        headers.append(("Content-Type", f"{spoken}; charset=utf-8"))
    call = AppCall(
        meaning=meaning,
        anonymous=False,
        query=query,
        headers=headers,
        body=body,
        length=len(body),
        uses_bridge_token=True,
        repeatable=True,
    )
    try:
        answer = bridge.apps.send(route, call)
        try:
            whole = answer.whole(bridge.schemas.limits.max_bytes)
        finally:
            answer.close()
    except OutcomeUnknown as error:
        if no_http(error):
            log.warning("an app gave an answer that cannot be read", app=route.name, why=error.detail)
            raise Refusal.of(PROBLEMS["app_answer_unreadable"]) from error
        raise Unreachable(error.system, error.detail, status=error.status) from error
    if whole is None:
        raise Refusal.of(PROBLEMS["app_answer_unreadable"])
    wait = retry_after({"Retry-After": answer.header("Retry-After")}, bridge.clock())
    again = Unreachable(f"app {route.name}", f"status {answer.status}", status=answer.status, retry_after=wait)
    return answer.status, answer.header("Content-Type"), again, whole


def _as_xml(bridge: Bridge, spec: FormSpec, content_type: str, *, body: bytes, sent: bytes) -> ParsedXml:
    """The answer to *sent* as XML, without what the app tells of empty fields; turned by the schema if it is JSON."""
    converter = _converter(bridge, spec)
    if kind_of(content_type) is not FormFormat.JSON:
        return without_forbidden_nils(converter, body, bridge.schemas.limits)
    if converter is None:
        raise Unreadable("not_well_formed")
    return parsed(turned(converter, body, into=FormFormat.XML, answers=sent), bridge.schemas.limits)


def _converter(bridge: Bridge, spec: FormSpec) -> Converter | None:
    """The converter of the form's schema, where that can be one."""
    if spec.schema is None:
        return None
    try:
        return converter_of(bridge, spec)
    except ConfigurationError:
        return None


def _refuse_losses(
    bridge: Bridge, route: AppRoute, action: ActionMapping, *, spec: FormSpec, sent: ParsedXml, answer: ParsedXml
) -> None:
    """Hold the answer against what was sent: an app drops what it does not know in silence. Raises Refusal."""
    converter, limits = _converter(bridge, spec), bridge.schemas.limits
    found = differences(sent, answer, converter=converter, limits=limits)
    lost = tuple(each.finding() for each in found if each.change is Change.LOST)
    if not lost:
        return
    # An app reads JSON by name, in any order.
    by_order = route.defaults.speaks is not FormFormat.JSON
    causes = stopped_at(sent, answer, found, converter=converter, limits=limits) if by_order else ()
    paths = [each.path for each in lost][:_MOST_PATHS]
    log.warning(
        "an app's answer lacks what it was sent",
        app=route.name,
        lost=paths,
        stopped_at=causes[:_MOST_PATHS],
        form=spec.data_format_id,
    )
    # What each is due to comes first: the others may be hundreds.
    first = tuple(Finding(path=each, rule="lost_from_here") for each in causes)
    lost = (*first, *(each for each in lost if each.path not in causes))
    if action.lost_fields is LostFields.REFUSE:
        raise Refusal("calculation_lost_fields", 502, findings=lost)
