"""A page that behaves as Arbeidsflate does when somebody presses a button; on an origin of its own (facts 5.3)."""

import ipaddress
import json
import threading
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any
from uuid import UUID

from markdown_it import MarkdownIt
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.http_system import TooLarge, as_json, plain, read_body, route_map
from bridge.sandbox.dialogporten import search as search
from bridge.sandbox.dialogporten.binding import Query
from bridge.sandbox.dialogporten.end_user_api import opened, searched, visible
from bridge.sandbox.dialogporten.labels import PLACES
from bridge.sandbox.dialogporten.model import Intent, Problem
from bridge.sandbox.dialogporten.views import Reader
from bridge.sandbox.world import World

PREFIX = "/arbeidsflate"
_COOKIE = "arbeidsflate"
_LIMIT = 100_000
_LEVEL = 4
_TYPES = {"arbeidsflate.html": "text/html; charset=utf-8", "arbeidsflate.js": "text/javascript; charset=utf-8"}
_POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src *; base-uri 'none'"


class Arbeidsflate:
    """
    The page and its backend, as a WSGI app for this machine only.

    The backend reads dialogs on the user's behalf, as the real one does; the stream and the buttons are called by the
    browser itself, across origins. *base_url* is the sandbox's own address. Whoever comes is logged in as a user who
    may do everything for one party, the first that has a dialog unless another is chosen.
    """

    def __init__(self, world: World, base_url: str) -> None:
        self._world, self._host = world, base_url
        self._lock = threading.Lock()
        self._sessions: dict[str, Reader] = {}
        routes: tuple[tuple[str, str, Callable[..., Response]], ...] = (
            ("GET", "/", lambda _: _file("arbeidsflate.html")),
            ("GET", "/arbeidsflate.js", lambda _: _file("arbeidsflate.js")),
            ("GET", "/api/session", self._session),
            ("POST", "/api/session", self._choose),
            ("GET", "/api/dialogs", self._list),
            ("GET", "/api/dialogs/<uuid:dialog_id>", self._get),
            ("POST", "/api/dialogs/<uuid:dialog_id>/labels", self._label),
            ("POST", "/api/markdown", _markdown),
        )
        self._handlers = tuple(handler for _, _, handler in routes)
        self._map = route_map(PREFIX, tuple((method, rule) for method, rule, _ in routes))

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer, as WSGI has it."""
        request = Request(environ)
        answer = self._answer(request) if _is_here(request) else plain(403)
        answer.headers["Cache-Control"] = "no-store"
        return answer(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == PREFIX:
            return plain(302, headers={"Location": f"{PREFIX}/"})
        if request.method == "POST" and request.mimetype != "application/json":
            # Any other type could be sent by a strange page without a preflight.
            return plain(415)
        try:
            index, arguments = self._map.bind("sandbox").match(request.path, request.method)
            answer: Response = self._handlers[index](request, **arguments)
        except HTTPException as error:
            return plain(error.code or 404)
        except Problem as found:
            return as_json(found.status, {"status": found.status})
        except (TooLarge, ValueError, KeyError, TypeError):
            return plain(400)
        return answer

    def _session(self, request: Request) -> Response:
        key, reader = self._reader(request)
        state = self._world.dialogporten
        parties = sorted({each.party for each in state.dialogs()} | ({reader.actor} if reader.parties else set()))
        current = next((each for each in parties if each in reader.parties), None)
        about = {
            "party": current,
            "parties": [{"party": each, "name": f"{state.name_of(each)} {each[-4:]}"} for each in parties],
            "stream": f"{self._host}/dialogporten/graphql/stream",
        }
        return _with_cookie(as_json(200, about), key)

    def _choose(self, request: Request) -> Response:
        key, _ = self._reader(request)
        party = str(json.loads(read_body(request, _LIMIT))["party"]).lower()
        with self._lock:
            self._sessions[key] = _user(party)
        return _with_cookie(plain(204), key)

    def _list(self, request: Request) -> Response:
        key, reader = self._reader(request)
        found = search.asked(Query({"party": sorted(reader.parties), "excludeApiOnly": ["true"]}), search.END_USER)
        items = searched(self._world, found, reader)[1] if reader.parties else []
        return _with_cookie(as_json(200, {"items": items}), key)

    def _get(self, request: Request, dialog_id: UUID) -> Response:
        key, reader = self._reader(request)
        dialog = self._world.dialogporten.find(str(dialog_id))
        if dialog is not None and dialog.party not in reader.parties:
            # A link from a test: whoever follows it acts for the dialog's party.
            reader = _user(dialog.party)
            with self._lock:
                self._sessions[key] = reader
        return _with_cookie(as_json(200, opened(self._world, str(dialog_id), reader, host=self._host)), key)

    def _label(self, request: Request, dialog_id: UUID) -> Response:
        _, reader = self._reader(request)
        wanted = [label for label in json.loads(read_body(request, _LIMIT))["add"] if label in PLACES]
        visible(self._world, str(dialog_id), reader)
        self._world.dialogporten.change_labels(str(dialog_id), wanted, [], actor=reader.actor, intent=Intent())
        return plain(204)

    def _reader(self, request: Request) -> tuple[str, Reader]:
        with self._lock:
            key = request.cookies.get(_COOKIE, "")
            if key not in self._sessions:
                key = str(self._world.chance.uuid4())
                first = next((each.party for each in self._world.dialogporten.dialogs()), None)
                self._sessions[key] = _user(first)
            reader = self._sessions[key]
            if not reader.parties:
                first = next((each.party for each in self._world.dialogporten.dialogs()), None)
                reader = self._sessions[key] = _user(first)
            return key, reader


def _markdown(request: Request) -> Response:
    """Show Markdown as CommonMark has it; what is HTML in it is shown as text, as one who cleans it would."""
    text = str(json.loads(read_body(request, 2 * _LIMIT))["markdown"])
    return as_json(200, {"html": MarkdownIt("commonmark", {"html": False}).render(text)})


def _user(party: str | None) -> Reader:
    """Somebody who may do everything for *party*; nobody without one."""
    if party is None:
        return Reader(actor="", parties=frozenset(), grants=frozenset(), level=_LEVEL)
    return Reader(actor=party, parties=frozenset({party}), grants=frozenset({"*"}), level=_LEVEL)


def _file(name: str) -> Response:
    content = files("bridge.sandbox").joinpath(name).read_bytes()
    headers = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return plain(200, content, content_type=_TYPES[name], headers=headers)


def _with_cookie(answer: Response, key: str) -> Response:
    answer.set_cookie(_COOKIE, key, path=PREFIX, httponly=True, samesite="Strict")
    return answer


def _is_here(request: Request) -> bool:
    """From this machine, and asked for by its address: a strange name that leads here is somebody's trick."""
    host = request.host.rpartition(":")[0] or request.host
    try:
        return host in ("127.0.0.1", "localhost") and ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
