"""What every endpoint of Dialogporten shares: who calls, what is bound and read, and how a refusal looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, NoReturn

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Request, Response

from bridge.sandbox.core.http_system import (
    Matched,
    System,
    TooLarge,
    as_json,
    bearer,
    drain,
    media_type,
    plain,
    read_body,
    refuse,
)
from bridge.sandbox.core.identities import PERSON, is_party
from bridge.sandbox.core.tokens import consumer, genuine_claims, scopes
from bridge.sandbox.dialogporten.binding import Bound, Query
from bridge.sandbox.dialogporten.kinds import Faulty, Record
from bridge.sandbox.dialogporten.model import Dialog, Intent, Problem, Writer
from bridge.sandbox.dialogporten.rules import Rules
from bridge.sandbox.dialogporten.schema import BadBody, read_body_as
from bridge.sandbox.dialogporten.search import NO_END_USER
from bridge.sandbox.dialogporten.views import Reader
from bridge.sandbox.dialogporten.world import DialogportenWorld

OWNER_SCOPE = "digdir:dialogporten.serviceprovider"
END_USER_SCOPES = frozenset({"digdir:dialogporten", "digdir:dialogporten.noconsent"})
LIMIT = 20_000_000
_7231 = "https://datatracker.ietf.org/doc/html/rfc7231#section-6."
# Status: type and title of the problem document.
_PROBLEMS: Mapping[int, tuple[str, str]] = {
    400: (f"{_7231}5.1", "One or more validation errors occurred."),
    403: (f"{_7231}5.3", "Forbidden."),
    404: (f"{_7231}5.4", "Resource not found."),
    406: (f"{_7231}5.6", "Requested content type is not acceptable."),
    409: (f"{_7231}5.8", "Conflict."),
    410: (f"{_7231}5.9", "Resource no longer available."),
    412: ("https://datatracker.ietf.org/doc/html/rfc7232#section-4.2", "Precondition failed."),
    413: (f"{_7231}5.11", f"Payload too large. The maximum allowed size is {LIMIT} bytes."),
    422: ("https://datatracker.ietf.org/doc/html/rfc4918#section-11.2", "Unprocessable request."),
    500: (f"{_7231}6.1", "An error occurred while processing the request."),
    502: (f"{_7231}6.3", "Bad gateway."),
}
SYSTEM_USER = "urn:altinn:systemuser:uuid:"
_BOUND_BY_MVC = "https://tools.ietf.org/html/rfc9110#section-15.5.1"
_ISSUERS = ("maskinporten", "platform", "idporten")
# A challenge for each issuer whose tokens are taken.
_CHALLENGES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was bound of a request: who writes, the ids of its path, and what it asks for besides its body."""

    writer: Writer
    ids: Mapping[str, str]
    intent: Intent

    @property
    def dialog_id(self) -> str:
        """The dialog that the path names."""
        return self.ids["dialogId"]


class DialogSystem(System[DialogportenWorld]):
    """Dialogporten's frame."""

    name = "dialogporten"
    prefix = "/dialogporten"

    def guard(self, request: Request, match: Matched | None) -> None:
        """Refuse everything during maintenance, and bodies that are too large before anything else reads them."""
        down = self.world.down_for("dialogporten_maintenance_seconds")
        if down and not (match and "/.well-known/" in match.template):
            drain(request)
            until = format_datetime(self.world.clock() + timedelta(seconds=down), usegmt=True)
            headers = {"Retry-After": until}
            refuse(plain(503, "Service Unavailable", content_type="text/plain", headers=headers))
        if (request.content_length or 0) > LIMIT:
            drain(request)
            refuse(self.problem(request, 413))
        if request.method == "HEAD" and match is not None:
            refuse(self.not_routed(MethodNotAllowed(["GET"])))

    def routing_path(self, path: str) -> str:
        """Match paths whatever letters they are in."""
        return path.lower()

    def not_routed(self, error: HTTPException) -> Response:
        """Answer what no endpoint has, with an empty body as the framework does."""
        allowed = sorted(set(error.valid_methods or ()) - {"HEAD"}) if isinstance(error, MethodNotAllowed) else []
        return plain(error.code or 404, headers={"Allow": ", ".join(allowed)} if allowed else {})

    def _effect(self, request: Request, match: Matched | None, error: HTTPException) -> Response:
        try:
            return super()._effect(request, match, error)
        except Problem as found:
            drain(request)
            return self.problem(request, found.status, found.errors, headers=found.headers)
        except Faulty:
            drain(request)
            return self.problem(request, 500)

    def claims(self, request: Request) -> Mapping[str, Any]:
        """The claims of a genuine token of whatever issuer; 401 without one."""
        claims = genuine_claims(request, self.world, self.host, issuers=_ISSUERS, skew=2)
        if claims is None:
            drain(request)
            challenge = "Bearer" if bearer(request) is None else 'Bearer error="invalid_token"'
            answer = plain(401)
            for _ in range(_CHALLENGES):
                answer.headers.add("WWW-Authenticate", challenge)
            refuse(answer)
        return claims

    def claims_with(self, request: Request, scope: str) -> Mapping[str, Any]:
        """The claims of a token with this scope alone; 401 and 403 where it has it not."""
        claims = self.claims(request)
        if scope not in scopes(claims):
            self.forbid(request)
        return claims

    def writer(self, request: Request, *more: str) -> Writer:
        """Who writes; 401 and 403 where nobody may, or a scope of *more* is lacking."""
        claims = self.claims(request)
        held, number = scopes(claims), consumer(claims)
        if number is None or not {OWNER_SCOPE, *more} <= held:
            self.forbid(request)
        known = self.world.organisation(number)
        return Writer(organisation=number, org="unknown" if known is None else known.code, scopes=held)

    def reader(self, request: Request) -> Reader:
        """Which end user reads; 401 and 403 where nobody may."""
        claims = self.claims(request)
        if not END_USER_SCOPES & scopes(claims) or "sandbox_actor" not in claims:
            self.forbid(request)
        if self.world.switches.dialogporten_behind == "away":
            drain(request)
            refuse(self.problem(request, 502))
        return reader_of(claims)

    def forbid(self, request: Request) -> NoReturn:
        """Answer 403 without a body, once the request was read."""
        drain(request)
        refuse(plain(403))

    def bound(
        self,
        request: Request,
        ids: Mapping[str, str],
        *more: str,
        patching: bool = False,
        errors: Mapping[str, list[str]] | None = None,
    ) -> Asked:
        """
        Who writes, with the path's *ids*, If-Match and isSilentUpdate; 400 with all that cannot be bound.

        *more* are scopes that are needed besides, *errors* what could not be bound before.
        """
        writer = self.writer(request, *more)
        found = Bound(patching=patching, errors=errors)
        bound = {name: found.route(name, text) for name, text in ids.items()}
        if_match, silent = found.if_match(request), found.silent(Query.of(request))
        if found.errors:
            drain(request)
            refuse(self.unbound(request, found.errors) if patching else self.problem(request, 400, found.errors))
        fails, behind = self.world.switches.name_lookup_fails, self.world.switches.dialogporten_behind
        return Asked(
            writer=writer,
            ids=bound,
            intent=Intent(if_match=if_match, silent=silent, lookup_fails=fails, alone=behind == "away"),
        )

    def on_behalf(self, request: Request) -> Reader | None:
        """The end user on whose behalf a service owner asks; 400 where it is nobody who could."""
        user = Query.of(request).one("endUserId")
        if user is None:
            return None
        reader = self.world.reader(user)
        if not user.startswith((PERSON, SYSTEM_USER)) or (reader is None and not is_party(user)):
            raise Problem(400, {"EndUserId": [NO_END_USER]})
        return reader

    def owned(self, asked: Asked) -> Dialog:
        """The dialog that was asked for, if it is the caller's."""
        return self.world.dialogporten.owned(asked.dialog_id, asked.writer)

    def read(self, request: Request, kind: Record) -> dict[str, Any]:
        """A body in its canonical form; 400 where it has another, 415 where it is no JSON."""
        media = media_type(request)
        if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
            drain(request)
            refuse(plain(415))
        try:
            found = read_body_as(kind, self.body(request))
        except BadBody as error:
            refuse(self.problem(request, 400, {error.key: [str(error)]}))
        if found is None:
            raise Faulty
        return found

    def body(self, request: Request) -> bytes:
        """The bytes of a body; 413 where there are too many."""
        try:
            return read_body(request, LIMIT)
        except TooLarge:
            refuse(self.problem(request, 413))

    def saving(self, request: Request) -> None:
        """Take the time that lies between the look and the save of a write, where others may come in between."""
        pause = self.world.switches.dialogporten_save_ms
        # Within one process calls come one after the other.
        if pause and "werkzeug.socket" in request.environ:
            self.world.sleep(pause / 1000)

    def intending(self, request: Request, asked: Asked, held: Dialog | None = None) -> Intent:
        """Take a write's time; what it intends that began with the dialog as it is now, or as it was *held*."""
        intent = replace(asked.intent, read=held or self.owned(asked))
        self.saving(request)
        return intent

    def rules(self, writer: Writer, *, creating: bool) -> Rules:
        """Begin to check a body of this writer's."""
        return Rules(
            now=self.world.clock(),
            loopback_http=self.world.switches.allow_http_loopback,
            creating=creating,
            scopes=writer.scopes,
        )

    def check(self, rules: Rules) -> None:
        """Refuse with what the rules found."""
        if rules.errors:
            raise Problem(400, rules.errors)

    def unbound(self, request: Request, errors: Mapping[str, Sequence[str]]) -> Response:
        """Answer as the other framework does, that only PATCH is in."""
        return self.problem(request, 400, errors, kind=_BOUND_BY_MVC)

    def problem(
        self,
        request: Request,
        status: int,
        errors: Mapping[str, Sequence[str]] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        kind: str | None = None,
    ) -> Response:
        """Answer with a problem document; without *errors* it has none, and of another *kind* it names no path."""
        usual, title = _PROBLEMS[status]
        document = {
            "type": kind or usual,
            "title": title,
            "status": status,
            **({"detail": "Something went wrong during the request."} if status == 500 else {}),
            **({"instance": request.path.removeprefix(self.prefix)} if kind is None else {}),
            "traceId": f"00-{self.world.chance.uuid4().hex}-{self.world.chance.uuid4().hex[:16]}-00",
            **({} if errors is None else {"errors": errors}),
        }
        more = {500: {"Cache-Control": "no-cache,no-store"}, 413: {"Connection": "close"}}.get(status, {})
        media = "application/json" if status in (413, 500, 502) else "application/problem+json"
        content_type = f"{media}; charset=utf-8"
        return as_json(status, document, content_type=content_type, headers={**more, **(headers or {})})


def reader_of(claims: Mapping[str, Any]) -> Reader:
    """The end user whom the sandbox's own tokens name."""
    return Reader(
        actor=claims["sandbox_actor"],
        parties=frozenset(claims["sandbox_parties"]),
        grants=frozenset(claims["sandbox_grants"]),
        level=claims["sandbox_level"],
        system_user=claims.get("sandbox_system_user"),
        owner=claims.get("sandbox_owner"),
    )
