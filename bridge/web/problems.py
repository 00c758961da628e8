"""Errors become RFC 9457 problem documents here, and nowhere else."""

import math
from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa
import structlog
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from bridge.adapters.dialogporten.tokens import www_authenticate
from bridge.core.errors import NoRoom, Paused, UpstreamError, place_of
from bridge.core.problems import Problem, Refusal
from bridge.core.texts.findings import sentence
from bridge.core.texts.problems import text
from bridge.parts import Bridge
from bridge.steps.alarm import alarm
from bridge.storage.trouble import trouble_of
from bridge.turned_away import language_of
from bridge.web.pages import is_navigation, page

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.web")

TYPE = "urn:altinn-dialog-bridge:problem:"
"""What stands before a problem's code in its ``type``."""

STORAGE_RETRY = 5.0
"""Seconds after which a sender may find the store again."""

LCIDS: Mapping[str, str] = {"1044": "nb", "2068": "nn", "1033": "en"}
"""Languages as Altinn 2 numbers them."""

HTTP_CODES: Mapping[int, str] = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


def language() -> str:
    """
    Choose nb, nn or en by the request's Accept-Language; nb where it names none of them.

    Where Altinn 2's own ``language`` is taken, it is what the caller wants to read.
    """
    if request.blueprint == "attachments" and (chosen := LCIDS.get(request.args.get("language", ""))):
        return chosen
    return language_of(request.headers.get("Accept-Language", ""))


def problem_body(problem: Problem, chosen: str) -> dict[str, Any]:
    """The members of a problem document that tells *problem*, in the *chosen* language."""
    words = text(problem.code, chosen, problem.facts)
    body: dict[str, Any] = {
        "type": f"{TYPE}{problem.code}",
        "title": words.title,
        "status": problem.status,
        "detail": words.detail,
    }
    if problem.code == "deletion_too_early":
        # By these names Arbeidsflate knows it, and tells the date.
        body["deletionAllowedAt"] = problem.facts["deletionAllowedAt"]
        body["gracePeriodDays"] = int(problem.facts["gracePeriodDays"])
    if problem.findings:
        body["findings"] = [
            {
                "path": finding.path,
                "line": finding.line,
                "column": finding.column,
                "rule": finding.rule,
                "message": sentence(finding, chosen),
            }
            for finding in problem.findings
        ]
    return body


def problem_response(problem: Problem, *, retry_after: float | None = None) -> Response:
    """Answer with a problem document, or with a page where a person would have to read it; and count it."""
    _bridge().metrics.refusals.labels(problem.code).inc()
    chosen = language()
    if is_navigation(request):
        response = page(
            text(problem.code, chosen, problem.facts),
            status=problem.status,
            language=chosen,
            origins=_bridge().settings.allowed_origins,
        )
        return _with_headers(response, problem, retry_after=retry_after)
    body = problem_body(problem, chosen) | {"instance": _instance(), "traceId": g.trace_id}
    response = Response(orjson.dumps(body), status=problem.status, content_type="application/problem+json")
    response.headers["Content-Language"] = chosen
    return _with_headers(response, problem, retry_after=retry_after)


def _with_headers(response: Response, problem: Problem, *, retry_after: float | None) -> Response:
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = www_authenticate(problem.code)
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, round(retry_after)))
    return response


def _instance() -> str:
    # The address of a print is a secret, also once it is used.
    return "/prints" if request.path.startswith("/prints/") else request.path


def _bridge() -> Bridge:
    bridge: Bridge = current_app.extensions["bridge"]
    return bridge


def register(app: Flask, bridge: Bridge) -> None:
    """Let *app* answer every error with a problem document."""

    def refused(error: Refusal) -> Response:
        alarm(bridge, error.__cause__)
        log.info("refused", code=error.code, status=error.status, reason=error.facts.get("reason"))
        problem = Problem(code=error.code, status=error.status, facts=error.facts, findings=error.findings)
        seconds = None if error.retry_after is None else error.retry_after.total_seconds()
        return problem_response(problem, retry_after=seconds)

    def upstream(error: UpstreamError) -> Response:
        if isinstance(error, NoRoom):
            log.error("there is no room for what passes through", why=error.detail)
            return problem_response(Problem(code="storage_unavailable", status=503), retry_after=STORAGE_RETRY)
        alarm(bridge, error)
        log.warning("a system behind did not answer", system=error.system, detail=error.detail)
        wait = error.retry_after if isinstance(error, Paused) else None
        seconds = 1 if wait is None else max(1, math.ceil(wait.total_seconds()))
        return problem_response(Problem(code="upstream_unavailable", status=503), retry_after=seconds)

    def storage(error: sa.exc.SQLAlchemyError) -> Response:
        trouble = trouble_of(error)
        if trouble is None:
            return unforeseen(error)
        bridge.watch.met(trouble)
        log.error("the store did not answer", why=trouble.value, error=type(error).__name__)
        return problem_response(Problem(code="storage_unavailable", status=503), retry_after=STORAGE_RETRY)

    def http(error: HTTPException) -> Response:
        status = error.code or 500
        response = problem_response(Problem(code=HTTP_CODES.get(status, "bad_request"), status=status))
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    def unforeseen(error: Exception) -> Response:
        # The text of an unforeseen error may hold anything; its type and place may not.
        log.error("a request failed unexpectedly", error=type(error).__name__, at=place_of(error))
        bridge.metrics.unexpected.labels("request").inc()
        return problem_response(Problem(code="internal", status=500))

    app.register_error_handler(Refusal, refused)
    app.register_error_handler(UpstreamError, upstream)
    app.register_error_handler(sa.exc.SQLAlchemyError, storage)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, unforeseen)
