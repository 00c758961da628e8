"""What a browser on Arbeidsflate's origin may do (facts/dialogporten.md 5.4)."""

from collections.abc import Collection

from flask import Flask, Response, request

HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Accept, Accept-Language, Content-Type, Prefer, Traceparent, Request-Id, Request-Context, "
        "Party, X-XSRF-TOKEN"
    ),
    "Access-Control-Expose-Headers": "X-Trace-Id, Retry-After, Location, Bridge-Findings, Preference-Applied",
    "Access-Control-Max-Age": "600",
}


def register(app: Flask, origins: Collection[str]) -> None:
    """Answer preflights, which carry no token, and put the headers on every answer, errors too."""

    @app.before_request
    def preflight() -> Response | None:
        if request.method == "OPTIONS":
            return Response(status=204)
        return None

    @app.after_request
    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin is not None and origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers.update(HEADERS)
        return response
