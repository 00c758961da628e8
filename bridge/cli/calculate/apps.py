"""The apps that ``altinn-bridge calculate`` calls, and whose authority it calls them with."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import click

from bridge.adapters.apps.calls import AppCall
from bridge.adapters.apps.client import AppClient
from bridge.adapters.apps.errors import no_http
from bridge.adapters.http.session import new_session
from bridge.adapters.maskinporten.client import MaskinportenClient
from bridge.adapters.maskinporten.exchange import PlatformTokens
from bridge.adapters.maskinporten.keys import signing_key
from bridge.config.settings import Settings
from bridge.core.calculations import AppRoute, DataTypeRoute, Meaning, TokenUse
from bridge.core.errors import BridgeError, Finding, UpstreamError
from bridge.core.mapping import DEFAULT_SCOPES, FormFormat, Validation
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.diff import Difference, differences, without_idle_blanks
from bridge.forms.xml.input import Unreadable, is_xml
from bridge.web.app_says import said_by_app
from bridge.wiring import utc_now

LARGEST_ANSWER = 100_000_000
_POOL, _TIMEOUT = 64, 60.0
_NO_HTTP = "its answer breaks the rules of HTTP, or has more than 100 lines of headers"


class Refused(BridgeError):
    """
    An app gave no form; the text names it and its status, never what was sent.

    *said* has its own words on the form, by field: they may quote it, and are for who sent it alone.
    """

    def __init__(self, app: str, status: int | None, detail: str, *, said: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(f"{app}: {detail}")
        self.app, self.status, self.said = app, status, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Which form is calculated, for whom."""

    data_type: str
    party: str | None
    language: str | None
    anonymous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One app and the way to it."""

    name: str
    url: str
    """With ``{org}`` and ``{app}`` in it."""
    route: AppRoute
    client: AppClient
    caller: Caller
    token: str | None

    def __repr__(self) -> str:
        return f"Target({self.name})"

    def calculate(self, form: bytes, *, as_json: bool = False) -> bytes:
        """
        The calculated form, in the language of *form* or as JSON.

        Raises:
            Refused: The app gave none.
        """
        kind = "application/xml" if form.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" else "application/json"
        query = {"dataType": self.caller.data_type}
        if self.caller.language is not None:
            query["language"] = self.caller.language
        headers = [("Content-Type", kind), ("Accept", "application/json" if as_json else kind)]
        headers += [] if self.caller.party is None else [("party", self.caller.party)]
        headers += [] if self.token is None else [("Authorization", f"Bearer {self.token}")]
        call = AppCall(
            meaning=Meaning.CALCULATE,
            anonymous=self.caller.anonymous,
            query=urlencode(query),
            headers=[*headers, ("Accept-Encoding", "identity"), ("User-Agent", "altinn-dialog-bridge")],
            body=form,
            length=len(form),
            uses_bridge_token=self.token is None and not self.caller.anonymous,
            repeatable=True,
        )
        try:
            answer = self.client.send(self.route, call)
        except UpstreamError as error:
            about = f"{_NO_HTTP} ({error.detail})" if no_http(error) else error.detail
            raise Refused(self.name, None, about) from error
        try:
            whole = answer.whole(LARGEST_ANSWER)
        finally:
            answer.close()
        if answer.status != 200 or whole is None:
            answer_says = said_by_app(answer.status, answer.header("Content-Type"), whole or b"")
            said = [(each["field"], each["message"]) for each in answer_says]
            raise Refused(self.name, answer.status, f"answered {answer.status}", said=said)
        return whole


def targets(
    app: str, against: str | None, caller: Caller, *, token_file: Path | None, against_token_file: Path | None
) -> list[Target]:
    """
    The app, and the second one where there is one.

    A token goes to the host that it was given for, and to no other.

    Raises:
        click.UsageError: An app is not named as apps are, or has no token.
        ConfigurationError: The settings are needed and faulty.
    """
    settings = _Settings()
    first = _target(app, caller, settings, token_file=token_file, same_host_as=None)
    if against is None:
        return [first]
    second_token = against_token_file or (
        token_file if _host(_address(against, settings)) == _host(first.url) else None
    )
    return [first, _target(against, caller, settings, token_file=second_token, same_host_as=first)]


def converter_of(schema: Path | None) -> Converter | None:
    """The converter of the schema by which types are compared; None without a schema."""
    return None if schema is None else Converter.from_schema(schema)


def compared(before: bytes, after: bytes, converter: Converter | None) -> tuple[Difference, ...]:
    """Hold two forms against each other, as ``differences`` does; what only looks changed is left out."""
    found = differences(before, after, converter=converter)
    return without_idle_blanks(found) if converter is None else found


def why_not(forms: tuple[bytes, bytes], names: Sequence[str], error: Exception) -> str:
    """Why *error* keeps *forms* from being compared, and by its name which of the two it is about."""
    findings = getattr(error, "findings", None) or ([error.finding] if hasattr(error, "finding") else [])
    why = ", ".join(f"{_place(each)} {each.rule}" for each in findings[:5]) or str(error)
    about = [name for name, form in zip(names, forms, strict=True) if _is_about(form, error)]
    return f"{', '.join(about)}: {why}" if about else why


def _place(finding: Finding) -> str:
    return f"{finding.path} (line {finding.line})" if finding.line else finding.path


def _is_about(form: bytes, error: Exception) -> bool:
    if isinstance(error, Unconvertible):
        return is_xml(form)  # JSON is not converted.
    try:
        differences(form, form)
    except Unreadable:
        return isinstance(error, Unreadable)
    return False


class _Settings:
    """The settings, read when they are first needed: with an address and a token they need not be sound."""

    def __init__(self) -> None:
        self._read: Settings | None = None
        self._tokens: PlatformTokens | None = None

    @property
    def apps_url(self) -> str:
        return os.environ.get("BRIDGE_ALTINN3_APPS_URL", "").strip() or self.settings.altinn3_apps_url

    @property
    def settings(self) -> Settings:
        if self._read is None:
            self._read = Settings.from_environ(os.environ)
        return self._read

    @property
    def tokens(self) -> PlatformTokens:
        if self._tokens is None:
            maskinporten = MaskinportenClient(
                new_session(pool=2),
                authority_url=self.settings.maskinporten_url,
                client_id=self.settings.maskinporten_client_id,
                key=signing_key(self.settings.maskinporten_key.reveal()),
                clock=utc_now,
            )
            self._tokens = PlatformTokens(
                new_session(pool=2), platform_url=self.settings.platform_url, maskinporten=maskinporten, clock=utc_now
            )
        return self._tokens


def _address(app: str, settings: _Settings) -> str:
    """The address of an app as a template, from itself or from the settings."""
    if "://" not in app:
        return settings.apps_url
    return f"{app.rstrip('/').rsplit('/', 2)[0]}/{{org}}/{{app}}"


def _target(
    app: str, caller: Caller, settings: _Settings, *, token_file: Path | None, same_host_as: Target | None
) -> Target:
    name = "/".join(app.rstrip("/").rsplit("/", 2)[-2:])
    if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", name):
        raise click.UsageError(f"{app!r} is no app: write org/app, or the address that ends so.")
    url = _address(app, settings)
    token = None if token_file is None or caller.anonymous else token_file.read_text("utf-8").strip()
    own = token is None and not caller.anonymous
    if own and _host(url) != _host(settings.apps_url):
        option = "--token-file" if same_host_as is None else "--against-token-file"
        raise click.UsageError(f"{name} is on another host than the settings' apps: give its token with {option}.")
    org, _, short = name.partition("/")
    client = AppClient(
        new_session(pool=_POOL), url=url, tokens=settings.tokens if own else None, clock=utc_now, timeout=_TIMEOUT
    )
    shown = name if same_host_as is None or _host(url) == _host(same_host_as.url) else f"{_host(url)[1]}/{name}"
    return Target(name=shown, url=url, route=_route(org, short), client=client, caller=caller, token=token)


def _host(url: str) -> tuple[str, object]:
    parts = urlsplit(url.replace("{org}", "org").replace("{app}", "app"))
    return parts.scheme, parts.netloc


def _route(org: str, app: str) -> AppRoute:
    anything = DataTypeRoute(
        data_type="", schema=None, validate=Validation.OFF, one_at_a_time=False, repeatable=True, speaks=FormFormat.BOTH
    )
    return AppRoute(
        org=org,
        app=app,
        token=TokenUse.BRIDGE,
        scopes=DEFAULT_SCOPES,
        dialog=None,
        anonymous=True,
        verbs=None,
        timeout=None,
        defaults=anything,
        data_types={},
        source="",
    )
