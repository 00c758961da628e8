"""Answers to requests that never reach the app, as problem documents, with what browsers need to read them."""

import re
import secrets
from collections.abc import Callable, Mapping

import orjson
import structlog
from gunicorn.http import errors as http
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from bridge.core.errors import place_of
from bridge.core.problems import Problem
from bridge.core.texts.problems import LANGUAGES, text

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.web")

LONGEST_HEAD = 64 * 1024
"""A head up to here is taken, with its request line: a dialog token alone may have 16 KB."""
LONGEST_URL = 32 * 1024
"""The query may hold a form's prefill, as a map in JSON."""
LIMITS: Mapping[str, int] = {
    "limit_request_line": 0,
    "limit_request_fields": 100,
    "limit_request_field_size": LONGEST_HEAD,
}
"""What gunicorn is told: heads are measured before it sees them, and its own longest line is a quarter of ours."""

_LANGUAGE = re.compile(rb"\r\naccept-language:([^\r\n]{0,200})", re.IGNORECASE)
_ORIGIN = re.compile(rb"\r\norigin:[ \t]*([\x21-\x7e]+)[ \t]*\r\n", re.IGNORECASE)

_REASONS: Mapping[int, str] = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
_FRAMING = ("CONTENT-LENGTH", "TRANSFER-ENCODING", "CONTENT-TYPE", "HOST")
"""Fields whose names are told: what else stands in a head may be anything."""


def problem_of(error: BaseException) -> Problem:
    """What is told of what the server found in a request, without a word of the request."""
    match error:
        case http.InvalidResponseHeader() | http.InvalidResponseHeaderName() | http.ConfigurationProblem():
            return Problem(code="internal", status=500)
        case http.LimitRequestLine():
            return Problem(code="url_too_long", status=414)
        case http.LimitRequestHeaders():
            return Problem(code="head_too_large", status=431)
        case http.ExpectationFailed():
            return Problem(code="expectation_failed", status=417)
        case http.UnsupportedTransferCoding():
            return Problem(code="transfer_coding", status=501)
        case http.InvalidHeader() if error.hdr in _FRAMING:
            return Problem(code="head_invalid", status=400, facts={"part": str(error.hdr).title()})
        case http.ParseException():
            return Problem(code="head_invalid", status=400, facts={"part": _PARTS.get(type(error), "field-line")})
        case _:
            return Problem(code="internal", status=500)


_PARTS: Mapping[type[http.ParseException], str] = {
    http.InvalidRequestLine: "request-line",
    http.InvalidRequestMethod: "method",
    http.InvalidHTTPVersion: "HTTP-version",
    http.InvalidHeaderName: "field-name",
    http.InvalidSchemeHeaders: "X-Forwarded-Proto",
}
"""Parts of a request by their names in RFC 9112."""


class TurnedAway:
    """
    Writes the answers of one process, and counts them.

    *browsers* gives the headers by which a page of an origin may read an answer; *count* is told each code.
    """

    def __init__(self, *, browsers: Callable[[str], Mapping[str, str]], count: Callable[[str], None]) -> None:
        self._browsers, self._count = browsers, count

    def because_of(self, error: BaseException, head: bytes) -> bytes:
        """Answer a request in which the server found *error*, or which it failed at."""
        problem = problem_of(error)
        if problem.status == 500:
            log.error("a request failed unexpectedly", error=type(error).__name__, at=place_of(error))
        return self.answer(problem.code, problem.status, head, part=problem.facts.get("part", ""))

    def answer(self, code: str, status: int, head: bytes, *, part: str = "") -> bytes:
        """A whole answer, in the language and for the origin that *head* asks for as far as it came."""
        self._count(code)
        found = _LANGUAGE.search(head)
        trace_id, language = secrets.token_hex(16), language_of(found[1].decode("latin-1") if found else "")
        if status != 503:
            # In a crowd the line would cost as much as the answer; the crowd is counted.
            log.info("turned away", code=code, status=status, trace_id=trace_id, part=part or None)
        words = text(code, language, {"part": part, "limit": str(LONGEST_URL)})
        body = orjson.dumps(
            {
                "type": f"urn:altinn-dialog-bridge:problem:{code}",
                "title": words.title,
                "status": status,
                "detail": words.detail,
                "traceId": trace_id,
            }
        )
        asks = _ORIGIN.search(head)
        origin = asks[1].decode("ascii") if asks else ""
        headers = {
            "Content-Type": "application/problem+json",
            "Content-Language": language,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Trace-Id": trace_id,
            "Vary": "Origin",
            **self._browsers(origin),
            **({"Retry-After": "1"} if status == 503 else {}),
            "Connection": "close",
        }
        lines = [f"HTTP/1.1 {status} {_REASONS[status]}", *(f"{name}: {value}" for name, value in headers.items())]
        # RFC 9110, 9.3.2: the answer to HEAD has no content.
        return "\r\n".join([*lines, "", ""]).encode() + (b"" if head.startswith(b"HEAD ") else body)


def names_origin(head: bytes) -> bool:
    """Whether the page is named that may read an answer."""
    return _ORIGIN.search(head) is not None


def language_of(accepted: str) -> str:
    """Choose nb, nn or en by an ``Accept-Language``; nb where it names none of them."""
    best = parse_accept_header(accepted, LanguageAccept).best_match([*LANGUAGES, "no"])
    return "nb" if best is None or best == "no" else best
