"""What a browser on Arbeidsflate's origin may do (facts/dialogporten.md 5.4)."""

from collections.abc import Collection, Mapping

from flask import Flask, Response, request
from flask.globals import request_ctx

HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Accept, Accept-Language, Content-Type, Prefer, Traceparent, Request-Id, Request-Context, "
        "Party, X-XSRF-TOKEN"
    ),
    "Access-Control-Expose-Headers": (
        "X-Trace-Id, Retry-After, Location, Operation-Id, Bridge-Findings, Preference-Applied, Allow"
    ),
    "Access-Control-Max-Age": "600",
}


def headers_for(origins: Collection[str], origin: str | None) -> Mapping[str, str]:
    """What lets a page of *origin* read an answer; nothing where it is none of *origins*."""
    return {"Access-Control-Allow-Origin": origin, **HEADERS} if origin is not None and origin in origins else {}


def register(app: Flask, origins: Collection[str]) -> None:
    """Answer preflights, which carry no token, and put the headers on every answer, errors too."""

    @app.before_request
    def preflight() -> Response | None:
        if request.method != "OPTIONS":
            return None
        allowed = request_ctx.url_adapter.allowed_methods() if request_ctx.url_adapter is not None else ()
        if allowed:
            return Response(status=204, headers={"Allow": ", ".join(sorted(allowed))})
        return Response(status=204) if "Access-Control-Request-Method" in request.headers else None

    @app.after_request
    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        response.headers.update(headers_for(origins, request.headers.get("Origin")))
        return response
