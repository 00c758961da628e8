"""The Flask app over what wiring made."""

import re
import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, Response, g, request
from werkzeug.routing import Rule
from werkzeug.wsgi import ClosingIterator

from bridge.parts import Bridge
from bridge.web import cors, problems
from bridge.web.actions import actions
from bridge.web.attachments import attachments
from bridge.web.description import description
from bridge.web.elements import elements
from bridge.web.embeds import embeds
from bridge.web.health import health
from bridge.web.proxy.routes import proxy
from bridge.web.request_io import refuse_what_is_unknown, trace_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.web")


_UNUSUAL = re.compile(r"[^\x21-\x7e]")


class _OneRequest:
    """
    Binds what log lines carry to one request, from its head to the last piece of its answer.

    A thread of the server serves one request after the other, and says things of its own between them.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        structlog.contextvars.clear_contextvars()
        # Our own server lets nothing else through (RFC 3986, 2); another may, and not all of it could be read.
        environ["QUERY_STRING"] = _UNUSUAL.sub(lambda odd: f"%{ord(odd[0]):02X}", environ.get("QUERY_STRING", ""))
        try:
            answer = self._app(environ, start_response)
        except BaseException:
            structlog.contextvars.clear_contextvars()
            raise
        return ClosingIterator(answer, structlog.contextvars.clear_contextvars)


class _Rule(Rule):
    """A route that takes the methods that it names: not every GET has a HEAD."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Apps take no HEAD, and a look that gives nothing must not use a print's link up.
        if self.methods is not None and self.endpoint in ("proxy.pass_on", "embeds.open_print"):
            self.methods.discard("HEAD")


def create_app(bridge: Bridge) -> Flask:
    """Make the app; nothing is connected or read from the environment here."""
    app = Flask("bridge", static_folder=None)
    app.url_rule_class = _Rule
    app.extensions["bridge"] = bridge
    # Our own loop counts what is read; this one would cut a chunked body without a word.
    app.config["MAX_CONTENT_LENGTH"] = None
    # No address is another's: a redirect would send a form, and a token, to where a client said that it came from.
    app.url_map.strict_slashes = app.url_map.merge_slashes = app.url_map.redirect_defaults = False

    _watch(app)
    app.wsgi_app = _OneRequest(app.wsgi_app)  # type: ignore[method-assign]
    # Functions after a request run in reverse order: the line that is logged above is written last.
    cors.register(app, bridge.settings.allowed_origins)
    problems.register(app, bridge)
    for blueprint in (actions, attachments, description, elements, embeds, health, proxy):
        app.register_blueprint(blueprint)
    return app


def _watch(app: Flask) -> None:
    """Let *app* name and time each request, refuse what it does not know, and log what was answered."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        g.trace_id = trace_id(request) or secrets.token_hex(16)
        structlog.contextvars.bind_contextvars(trace_id=g.trace_id)

    @app.before_request
    def strict() -> None:
        refuse_what_is_unknown(request)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Trace-Id"] = g.trace_id
        # An app's own words on caching are passed on.
        response.headers.setdefault("Cache-Control", "no-store")
        if response.status_code in (202, 204):
            response.headers.pop("Content-Type", None)
        # A form is calculated again with every pause in typing; those that went well are counted, not logged.
        if request.blueprint != "health" and not (request.blueprint == "proxy" and response.status_code < 400):
            # The route's template, not its path: a path may hold what does not belong in a log.
            log.info(
                "answered",
                method=request.method,
                route=None if request.url_rule is None else request.url_rule.rule,
                dialog=str((request.view_args or {}).get("dialog_id", "")) or None,
                status=response.status_code,
                milliseconds=round((time.perf_counter() - g.began) * 1000, 1),
            )
        return response
