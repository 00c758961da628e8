"""Who may call Altinn 2, on whose behalf, and how it answers (facts/altinn2.md 1, 5)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from bridge.sandbox.altinn2.hal_xml import hal_xml
from bridge.sandbox.altinn2.model import Act
from bridge.sandbox.altinn2.people import Party, Session, User
from bridge.sandbox.altinn2.reasons import NORWEGIAN
from bridge.sandbox.altinn2.views import plain_json
from bridge.sandbox.altinn2.world import Altinn2World
from bridge.sandbox.core.http_system import Cut, Matched, System, as_json, bearer, drain, plain, refuse
from bridge.sandbox.core.tokens import consumer, genuine_claims, scopes

HAL = "application/hal+json; charset=utf-8"
HTML = "text/html; charset=utf-8"
LANGUAGES = ("1044", "1033", "2068")
_OPEN = ("/metadata", "/authentication/")
HEADERS = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Vary": "Accept-Encoding",
    "P3P": 'CP="CAO PSA OUR LEG NAV"',
    "Strict-Transport-Security": "max-age=31536000",
}
_READ, _WRITE, _ALL, _META = (
    "altinn:instances.read",
    "altinn:instances.write",
    "altinn:enduser",
    "altinn:instances.meta",
)
_LOGIN = "<!DOCTYPE html><html lang=nb><title>Altinn - Logg inn</title><h1>Logg inn</h1></html>"
_MAINTENANCE = "<!DOCTYPE html><html lang=nb><title>Altinn</title><h1>Planlagt vedlikehold</h1></html>"
_LANDING = "<!DOCTYPE html><html lang=nb><title>Altinn</title><h1>Altinn II er lagt ned</h1></html>"
_NO_USER = "Authorization failed: There is no authenticated user set on this request."
_NO_PROFILE = (
    "User profile could not be found for ***********. User profile is created at first login to the Altinn.no portal"
)
_CALLER = "sandbox.altinn2.caller"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Caller:
    """
    Who calls: *user* signs, *party* is ``my`` where it is known, *login* the session of a password.

    *organisation* is whose token it is, where an organisation calls for itself.
    """

    user: str
    level: int
    party: Party | None = None
    enterprise: bool = False
    login: User | None = None
    organisation: str | None = None

    def may_stand_for(self, party: Party | None) -> bool:
        """Whether this caller may do something on behalf of *party*; a token says so itself."""
        if self.login is None:
            return True
        return party is not None and party.number in {self.login.party, *self.login.represents}


class Frame(System[Altinn2World]):
    """What holds for every call to Altinn 2, before and after it."""

    def not_routed(self, error: HTTPException) -> Response:
        """Answer 404 and 405 as everything else: by the reason phrase."""
        return plain(error.code or 404, headers=self.headers())

    def headers(self) -> dict[str, str]:
        """The headers of every answer."""
        if not self.world.switches.load_balancer_cookie:
            return dict(HEADERS)
        secure = "; Secure" if self.host.startswith("https:") else ""
        return {**HEADERS, "Set-Cookie": f"BIGipServer~sandbox~pool=rd1o0; path=/; Httponly{secure}"}

    def guard(self, request: Request, match: Matched | None) -> None:
        """Check what comes before any operation: is Altinn 2 there, the key, the login."""
        switches = self.world.switches
        match switches.shutdown:
            case "connection_refused":
                drain(request)
                raise Cut("Altinn 2 is closed")
            case "410":
                self.refuse(request, plain(410, reason="Gone"))
            case "html_landing":
                self.refuse(request, plain(200, _LANDING, content_type=HTML))
        if self.world.down_for("altinn2_maintenance_seconds"):
            self.refuse(request, self._down())
        template = "" if match is None else match.template.removeprefix(self.prefix)
        if template.startswith(_OPEN):
            return
        key = request.headers.get("ApiKey")
        if key is None:
            self.refuse(request, self.failure(400, "Required header 'ApiKey' is missing."))
        if key != self.world.altinn2_api_key:
            self.refuse(request, self.failure(403, "The API key is not authorized for this operation"))
        request.environ[_CALLER] = caller = self._caller(request, template)
        who = None if match is None else match.arguments.get("who")
        if who not in (None, "my") and not caller.may_stand_for(self.world.altinn2.people.party(str(who))):
            self.refuse(request, self.failure(403, "The user is not authorized to represent the reportee"))
        missing = switches.user_profile == "missing" or (caller.login is not None and not caller.login.profile)
        if missing and (who == "my" or template.startswith("/reportees")):
            self.refuse(request, self.failure(400, _NO_PROFILE))

    def _down(self) -> Response:
        match self.world.switches.altinn2_maintenance_answer:
            case "phrase":
                return plain(503, reason="Altinn er utilgjengelig på grunn av vedlikehold")
            case "page":
                return plain(503, _MAINTENANCE, content_type=HTML)
            case _:
                seconds = math.ceil(self.world.down_for("altinn2_maintenance_seconds"))
                return plain(503, headers={"Retry-After": str(seconds)})

    def caller(self, request: Request) -> Caller:
        """Who calls."""
        caller: Caller = request.environ[_CALLER]
        return caller

    def act(self, request: Request, who: str) -> Act:
        """Who does what is asked for on behalf of *who*, and when."""
        caller, people = self.caller(request), self.world.altinn2.people
        party = caller.party if who == "my" else people.party(who)
        names = frozenset({who}) | (frozenset() if party is None else party.names)
        if party is not None and caller.party is not None and party.number == caller.party.number:
            names |= {"my"}
        return Act(
            names=names,
            user=caller.user,
            now=self.world.clock(),
            switches=self.world.switches,
            ledger=self.world.ledger,
        )

    def check_right(self, request: Request, who: str, action: str) -> None:
        """Refuse who may not do *action* on behalf of *who*."""
        party = self.caller(request).party if who == "my" else self.world.altinn2.people.party(who)
        if party is not None and action not in party.rights:
            self.refuse(request, self.failure(403, "The user is not authorized for this operation"))

    def failure(self, status: int, reason: str | None = None) -> Response:
        """Explain a refusal in the reason phrase, and by switch in a body, too."""
        switches = self.world.switches
        if reason is not None and switches.reason_language == "nb":
            reason = NORWEGIAN.get(reason, reason)
        if reason is not None and switches.error_text == "reason_plus_errormodel":
            model = {"ErrorCode": status, "ErrorMessage": reason}
            return as_json(status, model, reason=reason, headers=self.headers())
        return plain(status, reason=reason, headers=self.headers())

    def refuse(self, request: Request, response: Response) -> NoReturn:
        """Answer with *response* once the body is read, so that it arrives."""
        drain(request)
        refuse(response)

    def shown(
        self, request: Request, resource: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Response:
        """Show a resource in the form that the client wants; HTML is hal+json since release 20.9."""
        headers = {**self.headers(), **(headers or {})}
        known = ["application/hal+json", "application/json", "application/hal+xml", "application/xml", "text/html"]
        match request.accept_mimetypes.best_match(known):
            case "application/json":
                return as_json(200, plain_json(resource), headers=headers)
            case "application/hal+xml" | "application/xml" as kind:
                rel = next(iter(resource.get("_embedded", {})), "message" if "MessageId" in resource else "resource")
                body = hal_xml(resource, rel)
                return plain(200, body, content_type=f"{kind}; charset=utf-8", headers=headers)
            case _:
                return as_json(200, resource, content_type=HAL, headers=headers)

    def language(self, request: Request, default: str) -> str:
        """Which language texts are in."""
        language = request.args.get("language", "")
        return language if language in LANGUAGES else default

    def _caller(self, request: Request, template: str) -> Caller:
        switches = self.world.switches
        cookie = self._login_cookie(request)
        has_token = bearer(request) is not None
        if cookie is not None and has_token and switches.cookie_and_token == "refused":  # noqa: S105 - a choice
            self.refuse(request, self.failure(403, "Authorization failed: Both a cookie and a token are set."))
        if cookie is not None and not (has_token and switches.cookie_and_token == "token"):  # noqa: S105 - a choice
            return self._by_cookie(request, cookie)
        claims = genuine_claims(
            request, self.world, self.host, issuers=("platform", "idporten", "maskinporten"), skew=10
        )
        if claims is None:
            self.refuse(request, self._not_logged_in())
        needed = {_ALL, _READ if request.method == "GET" else _WRITE}
        if template in ("/{who}/messages", "/{who}/messages/trashbin") and request.method == "GET":
            needed.add(_META)
        if "/messages" in template and switches.altinn2_scope_check and not needed & scopes(claims):
            self.refuse(request, self.failure(403, "The token is not authorized for this operation"))
        return self._by_token(claims)

    def _by_token(self, claims: Mapping[str, Any]) -> Caller:
        people = self.world.altinn2.people
        enterprise = claims.get("urn:altinn:enterpriseuser")
        number = claims.get("pid") or (claims.get("urn:altinn:orgNumber") if enterprise else None)
        level = claims.get("urn:altinn:authlevel", {"idporten-loa-high": 4}.get(str(claims.get("acr")), 3))
        return Caller(
            user=str(enterprise or number or consumer(claims) or claims.get("sub", "")),
            level=level if isinstance(level, int) else 3,
            party=people.know(str(number)) if number else None,
            enterprise=bool(enterprise),
            organisation=None if enterprise else consumer(claims),
        )

    def _by_cookie(self, request: Request, cookie: str) -> Caller:
        people, now, switches = self.world.altinn2.people, self.world.clock(), self.world.switches
        session = people.session(cookie, now=now)
        if session is None:
            self.refuse(request, self._not_logged_in())
        if now - session.begun > (session.ends - session.begun) / 2:
            # Sliding: the second half of a session's life brings a new cookie, the old one lives on to its end.
            renewed = self.cookie(self.new_session(session.user))
            if switches.cookie_renewal == "empty_200_bug":
                self.refuse(request, plain(200, headers={**HEADERS, "Set-Cookie": renewed}))
            request.environ["sandbox.altinn2.renewed"] = renewed
        user = session.user
        return Caller(
            user=user.name,
            level=user.level,
            party=people.party(user.party),
            enterprise=user.enterprise,
            login=user,
        )

    def _effect(self, request: Request, match: Matched | None, error: HTTPException) -> Response:
        response = super()._effect(request, match, error)
        renewed = request.environ.get("sandbox.altinn2.renewed")
        if renewed is not None:
            response.headers.add("Set-Cookie", renewed)
        return response

    def new_session(self, user: User) -> Session:
        """Log a user in."""
        cookie = f"{self.world.chance.uuid4().hex}{self.world.chance.uuid4().hex}".upper()
        lifetime = timedelta(minutes=self.world.switches.cookie_minutes)
        return self.world.altinn2.people.begin(cookie, user, now=self.world.clock(), lifetime=lifetime)

    def cookie(self, session: Session) -> str:
        """The cookie that a login is."""
        # A cookie jar returns a secure cookie over TLS only, and loopback has none.
        secure = "; secure" if self.host.startswith("https:") else ""
        return f".{self.world.switches.cookie_name}={session.cookie}; path=/{secure}; HttpOnly"

    def _login_cookie(self, request: Request) -> str | None:
        # Only the cookie of this environment is one; an empty one is a cookie, too, that no session has.
        return request.cookies.get(f".{self.world.switches.cookie_name}")

    def _not_logged_in(self) -> Response:
        match self.world.switches.auth_failure:
            case "302_html":
                location = f"{self.host}/Pages/ExternalAuthentication/Redirect.aspx"
                return plain(302, _LOGIN, content_type=HTML, headers={"Location": location})
            case "200_html":
                return plain(200, _LOGIN, content_type=HTML)
            case _:
                return self.failure(403, _NO_USER)
