"""How an app's answers look: ASP.NET's choice of a formatter by ``Accept``, and the headers of every answer."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.http_system import as_json, plain

PROBLEM = "application/problem+json; charset=utf-8"
HEADERS = {
    "Cache-Control": "no-store,no-cache",
    "X-Frame-Options": "deny",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "0",
    "Referrer-Policy": "no-referrer",
}
OBJECTS = ("application/json", "text/json", "application/xml", "text/xml")
_STRINGS = ("text/plain", *OBJECTS)


def chosen(request: Request, formats: Sequence[str]) -> str:
    """
    Choose one of *formats* by the request's Accept; the first where it has none, ``*/*``, or none that fits.

    The quality decides, then the order in the header. A range with parameters of its own fits nothing.
    """
    ranges: list[tuple[float, str]] = []
    for each in ",".join(request.headers.getlist("Accept")).split(","):
        name, *parameters = (part.strip().lower() for part in each.split(";"))
        if name == "*/*":
            return formats[0]
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() != "q":
                name = ""
                break
            try:
                quality = float(value)
            except ValueError:
                name = ""
            break
        ranges.append((quality, name))
    for _, name in sorted(ranges, key=lambda pair: -pair[0]):
        kind, _, wild = name.partition("/")
        found = next((each for each in formats if each == name or (wild == "*" and each.startswith(f"{kind}/"))), None)
        if found is not None:
            return found
    return formats[0]


def text(request: Request, status: int, value: str, *, headers: Mapping[str, str] = HEADERS) -> Response:
    """Answer with a string as ASP.NET does: plain, or as JSON or XML where one of them is asked for."""
    kind = chosen(request, _STRINGS)
    body = value
    if kind.endswith("json"):
        body = json.dumps(value, ensure_ascii=False)
    elif kind.endswith("xml"):
        body = f"<string>{escape(value)}</string>"
    return plain(status, body, content_type=f"{kind}; charset=utf-8", headers=headers)


def problem(status: int, title: str, section: str, **members: Any) -> Response:
    """Answer with the problem document of a controller that does not say more."""
    document = {
        "type": f"https://tools.ietf.org/html/rfc9110#section-{section}",
        "title": title,
        "status": status,
        **members,
    }
    return as_json(status, document, content_type=PROBLEM, headers=HEADERS)


def not_found() -> Response:
    """Answer as a controller does whose action finds nothing."""
    return problem(404, "Not Found", "15.5.5", traceId=f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00")
