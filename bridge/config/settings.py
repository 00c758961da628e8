"""Environment variables become one value, and every fault in them is told at once."""

import difflib
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from bridge.bundled import mappings_folder, schemas_folder
from bridge.core.errors import ConfigurationError, Fault

PREFIX = "BRIDGE_"


class Secret:
    """Text that shows itself only to who asks by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Environment(Enum):
    """Which systems stand behind the bridge."""

    SANDBOX = "sandbox"
    TT02 = "tt02"
    PRODUCTION = "production"


class WorkerMode(Enum):
    """Whether operations run in the web process or in processes of their own."""

    EMBEDDED = "embedded"
    SEPARATE = "separate"


class Altinn2Login(Enum):
    """How the bridge logs in to Altinn 2."""

    ORGANISATION = "organisation"
    """By Maskinporten's token alone."""
    ENTERPRISE_USER = "enterprise_user"
    """By Maskinporten's token, exchanged together with an enterprise user's name and password."""
    PASSWORD = "password"  # noqa: S105 - the name of a way, not a password
    """By name and password, for a cookie."""
    CERTIFICATE = "certificate"
    """By an enterprise user's name and password together with the organisation's certificate, for a cookie."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """What the environment says. Times are in seconds, sizes in bytes, URLs end without a slash."""

    environment: Environment
    altinn2_url: str
    altinn2_api_key: Secret
    altinn3_apps_url: str
    """With ``{org}`` and ``{app}`` in it."""
    platform_url: str
    dialogporten_url: str
    dialogporten_issuer: str
    dialogporten_scopes: tuple[str, ...]
    maskinporten_url: str
    maskinporten_client_id: str
    maskinporten_key: Secret
    """A private JWK as JSON, with its ``kid``."""
    database_url: str
    """As SQLAlchemy takes it; may hold a password."""
    database_pool: int
    store_mark: Path | None
    mappings: Path
    schemas: Path
    routes: Path | None
    proxy_key: Secret | None
    allowed_origins: tuple[str, ...]
    answer_within: float
    print_link: float
    max_waiting: int
    threads: int
    web_processes: int
    listen: str
    health_listen: str | None
    header_timeout: float
    body_timeout: float
    body_rate: float
    trusted_proxies: tuple[str, ...]
    public_url: str | None
    work_concurrency: int
    worker: WorkerMode
    worker_silent: float
    altinn2_settle: float
    altinn2_late: float
    upstream_timeout: float
    altinn2_put_timeout: float
    altinn2_login: Altinn2Login
    altinn2_user: str | None
    altinn2_password: Secret | None
    altinn2_certificate: Path | None
    """PEM, key and certificate in one file."""
    altinn2_metadata: Path | None
    altinn2_max_put: int
    altinn2_max_attachment: int
    altinn2_stream_from: int
    give_up_after: float
    retry_first: float
    pause_look: float
    max_body: int
    max_bodies: int
    max_form: int
    max_form_markup: int
    max_form_depth: int
    max_findings: int
    max_form_seconds: float
    keep_finished: int
    """Days, as the four below."""
    keep_operations: int
    keep_attachments: int
    keep_snapshots: int
    keep_links: int
    log_level: str
    clock_skew: float
    drafts_every: float
    """0 is never."""
    drafts_for: tuple[str, ...]

    @property
    def on_postgresql(self) -> bool:
        """Whether the database is a server that many processes may share."""
        return self.database_url.startswith("postgresql")

    def __repr__(self) -> str:
        shown = {field.name: getattr(self, field.name) for field in fields(self)}
        shown["database_url"] = _without_password(self.database_url)
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """
        Read the variables ``BRIDGE_*`` of *environ*; an empty one counts as not given.

        Raises:
            ConfigurationError: Every fault, under the name of its variable.
        """
        reading = _Reading(environ)
        values = reading.values()
        if reading.faults:
            raise ConfigurationError(reading.faults)
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One row of the table below: a setting, how it is read, and what the documentation says of it."""

    name: str
    parse: Callable[[str], Any]
    default: str | None = None
    """As it would be written in the environment; None where there is none or where it depends on others."""
    by_environment: Mapping[Environment, str] | None = None
    secret: bool = False
    unit: str = ""
    meaning: str
    depends: str = ""
    """The default in words, where it depends on other settings."""

    @property
    def field(self) -> str:
        """The field of Settings that it fills."""
        return self.name.removeprefix(PREFIX).lower()


def alone(name: str, environ: Mapping[str, str]) -> Any:
    """Read one setting that has a default, whatever is wrong with the others; the default where it is faulty, too."""
    variable = next(each for each in VARIABLES if each.name == name)
    given = environ.get(name, "").strip()
    try:
        return variable.parse(given or variable.default or "")
    except ValueError:
        return variable.parse(variable.default or "")


def settings_table() -> str:
    """Write all settings as a Markdown table, for ``docs/settings.md``."""
    rows = ["| variable | default | unit | secret | meaning |", "| --- | --- | --- | --- | --- |"]
    rows += [
        f"| `{variable.name}` | {_default_in_words(variable)} | {variable.unit or '–'}"
        f" | {'yes' if variable.secret else 'no'} | {variable.meaning} |"
        for variable in VARIABLES
    ]
    return "\n".join(rows)


def _default_in_words(variable: Variable) -> str:
    if variable.depends:
        return variable.depends
    if variable.by_environment:
        known = [f"{environment.value}: `{value}`" for environment, value in variable.by_environment.items()]
        given = [] if Environment.SANDBOX in variable.by_environment else ["sandbox: must be given"]
        return "<br>".join(known + given)
    return "must be given" if variable.default is None else f"`{variable.default}`"


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text) or not low <= float(text) <= high:
            raise ValueError(f"write a number from {low:g} to {high:g}")
        return float(text)

    return parse


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"write a whole number from {low} to {high}")
        return int(text)

    return parse


def _one_of(kind: type[Enum]) -> Callable[[str], Enum]:
    def parse(text: str) -> Enum:
        try:
            return kind(text.lower())
        except ValueError:
            raise ValueError("write " + " or ".join(repr(member.value) for member in kind)) from None

    return parse


def _url(text: str) -> str:
    parts = _split_url(text)
    if parts.query or parts.fragment:
        raise ValueError("write the URL without a query or fragment")
    return text.rstrip("/")


def _app_url(text: str) -> str:
    if re.findall(r"\{[^}]*\}?|\}", text.replace("{org}", "").replace("{app}", "")) or "{app}" not in text:
        raise ValueError("write a URL with {org} and {app} where they belong, and no other braces")
    return _url(text.replace("{org}", "org-").replace("{app}", "-app")) and text.rstrip("/")


def _split_url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("write a URL such as https://example.org/path") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or re.search(r"\s", text):
        raise ValueError("write a URL such as https://example.org/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("write the URL without a user name or password")
    return parts


def _origins(text: str) -> tuple[str, ...]:
    origins = [part.strip() for part in text.split(",") if part.strip()]
    for origin in origins:
        if "*" in origin:
            raise ValueError("name each origin: a '*' would let any page press the buttons")
        parts = _split_url(origin)
        if parts.path or parts.query or parts.fragment:
            raise ValueError("write each origin as a browser sends it, such as https://af.altinn.no, without a path")
    return tuple(dict.fromkeys(origins))


def _database(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme in {"postgresql", "postgres", "postgresql+psycopg"} and rest.strip("/"):
        return _readable(f"postgresql+psycopg://{rest}")
    if scheme == "sqlite" and len(rest) > 1 and rest.startswith("/") and not rest.startswith("/:"):
        return text
    raise ValueError("write sqlite:///file or postgresql://user:password@host/database")


def _readable(url: str) -> str:
    """Give *url* as it is, if SQLAlchemy can take it apart."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(url)
    except (ValueError, ArgumentError):
        raise ValueError(
            "write postgresql://user:password@host:port/database; in a password @ is %40, : is %3A and / is %2F"
        ) from None
    return url


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise ValueError(f"there is no folder {text!r}")
    return path


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"there is no file {text!r}")
    return path


def _user_name(text: str) -> str:
    if not text.isprintable() or ":" in text or len(text) > 100:
        raise ValueError("write the user's name as Altinn 2 knows it, without a colon")
    return text


def _listen(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError("write host:port, such as 127.0.0.1:8080")
    return text


def _networks(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError:
            raise ValueError("write IP addresses or networks such as 10.0.0.7 or 10.0.0.0/24, by commas") from None
    return names


def _client_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", text):
        raise ValueError("write the client's id as Maskinporten gave it")
    return text


def _private_key(text: str) -> Secret:
    """Check the shape only, and quote nothing of it: facts/altinn3-and-tokens.md 4.2."""
    try:
        key = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("write the private key as a JWK, which is one JSON object") from None
    if not isinstance(key, dict) or key.get("kty") != "RSA":
        raise ValueError("Maskinporten takes RSA keys only: the JWK must have kty RSA")
    if not isinstance(key.get("kid"), str) or not key["kid"]:
        raise ValueError("the JWK has no kid: write the id under which Maskinporten knows the key")
    if not all(isinstance(key.get(part), str) for part in ("n", "e", "d")):
        raise ValueError("the JWK is not a private key: n, e and d must be there")
    return Secret(text)


def _secret(text: str) -> Secret:
    if not text.isprintable() or not text.isascii():
        raise ValueError("write printable ASCII characters: it is sent in a header")
    return Secret(text)


def _password(text: str) -> Secret:
    if not text.isprintable():
        raise ValueError("write printable characters")
    return Secret(text)


def _long_secret(text: str) -> Secret:
    if len(text) < 32 or " " in text:
        raise ValueError("write 32 characters or more, without blanks: whoever has it calculates in the agency's name")
    return _secret(text)


def _scope(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if found == ("all",) or (found and all(re.fullmatch(r"\d{9}|r\d{1,18}", each, re.ASCII) for each in found)):
        return found
    # Nothing is repeated: it may be a person's number.
    raise ValueError("write all, or organisation numbers and Altinn 2's ids of reportees (r and a number), by commas")


def _mark_of(database_url: str | None) -> Path | None:
    file = (database_url or "").partition("///")[2].partition("?")[0]
    if not file or file == ":memory:" or (database_url or "").startswith("postgresql"):
        return None
    return Path(f"{file}.mark")


def _scopes(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if not all(re.fullmatch(r"[a-z0-9:._/-]{3,100}", each, re.ASCII) for each in found):
        raise ValueError("write scopes as Maskinporten has them, such as digdir:dialogporten.correspondence")
    return found


def _schedule(text: str) -> float:
    return 0.0 if text == "0" else _number(60, 604_800)(text)


def _log_level(text: str) -> str:
    if text.lower() not in {"debug", "info", "warning", "error"}:
        raise ValueError("write debug, info, warning or error")
    return text.lower()


def _hosts(tt02: str, production: str) -> dict[Environment, str]:
    return {Environment.TT02: tt02, Environment.PRODUCTION: production}


VARIABLES: tuple[Variable, ...] = (
    Variable(
        name="BRIDGE_ENVIRONMENT",
        parse=_one_of(Environment),
        meaning="`sandbox`, `tt02` or `production`: chooses the URLs, the issuer and the origins below.",
    ),
    Variable(
        name="BRIDGE_ALTINN2_URL",
        parse=_url,
        by_environment=_hosts("https://tt02.altinn.no/api", "https://www.altinn.no/api"),
        meaning="The Altinn 2 REST API.",
    ),
    Variable(
        name="BRIDGE_ALTINN2_API_KEY",
        parse=_secret,
        secret=True,
        meaning="The API key of the agency's end-user system in Altinn 2.",
    ),
    Variable(
        name="BRIDGE_ALTINN3_APPS_URL",
        parse=_app_url,
        by_environment=_hosts(
            "https://{org}.apps.tt02.altinn.no/{org}/{app}", "https://{org}.apps.altinn.no/{org}/{app}"
        ),
        meaning="Where an Altinn 3 app answers; `{org}` and `{app}` are filled in.",
    ),
    Variable(
        name="BRIDGE_PLATFORM_URL",
        parse=_url,
        by_environment=_hosts("https://platform.tt02.altinn.no", "https://platform.altinn.no"),
        meaning="The Altinn 3 platform, which exchanges Maskinporten tokens.",
    ),
    Variable(
        name="BRIDGE_DIALOGPORTEN_URL",
        parse=_url,
        by_environment=_hosts(
            "https://platform.tt02.altinn.no/dialogporten", "https://platform.altinn.no/dialogporten"
        ),
        meaning="Dialogporten, without `/api/v1`.",
    ),
    Variable(
        name="BRIDGE_DIALOGPORTEN_ISSUER",
        parse=_url,
        depends="`{BRIDGE_DIALOGPORTEN_URL}/api/v1`",
        meaning="The `iss` that dialog tokens must have; their keys are fetched below it.",
    ),
    Variable(
        name="BRIDGE_DIALOGPORTEN_SCOPES",
        parse=_scopes,
        default="",
        meaning="Further scopes of the agency's client that Dialogporten is shown, separated by blanks or commas: "
        "`digdir:dialogporten.correspondence`, `digdir:dialogporten.serviceprovider.legacyhtml`. It judges a whole "
        "dialog at every change by what the client may.",
    ),
    Variable(
        name="BRIDGE_MASKINPORTEN_URL",
        parse=_url,
        by_environment=_hosts("https://test.maskinporten.no", "https://maskinporten.no"),
        meaning="Maskinporten, without `/token`.",
    ),
    Variable(
        name="BRIDGE_MASKINPORTEN_CLIENT_ID",
        parse=_client_id,
        meaning="The id of the agency's client in Maskinporten.",
    ),
    Variable(
        name="BRIDGE_MASKINPORTEN_KEY",
        parse=_private_key,
        secret=True,
        meaning="The client's private RSA key as a JWK (one JSON object), with the `kid` that Maskinporten knows.",
    ),
    Variable(
        name="BRIDGE_DATABASE_URL",
        parse=_database,
        default="sqlite:///bridge.sqlite",
        secret=True,
        meaning="`sqlite:///file` for one process, `postgresql://user:password@host/database` for many.",
    ),
    Variable(
        name="BRIDGE_DATABASE_POOL",
        parse=_whole(2, 1000),
        depends="`10` on PostgreSQL, `16` on SQLite",
        unit="connections",
        meaning="The most connections that one process has to the database; who gets none within 3 seconds is told "
        "503. All web processes and workers together must stay below PostgreSQL's `max_connections`.",
    ),
    Variable(
        name="BRIDGE_STORE_MARK",
        parse=Path,
        depends="beside the database on SQLite, with `.mark` at the end of its name; none on PostgreSQL",
        meaning="The file in which each process that runs operations notes how far the store has come, so that a "
        "restored one is noticed at its start. On PostgreSQL name one on a disk that outlives the process and is not "
        "part of the database's backup.",
    ),
    Variable(
        name="BRIDGE_MAPPINGS",
        parse=_folder,
        depends="the mappings that ship",
        meaning="The folder of the mapping files.",
    ),
    Variable(
        name="BRIDGE_SCHEMAS",
        parse=_folder,
        depends="the schemas that ship",
        meaning="The folder of the form schemas; nothing outside it is read.",
    ),
    Variable(
        name="BRIDGE_ROUTES",
        parse=_folder,
        depends="none",
        meaning="The folder of the route files: the apps that the calculation proxy leads to; without it, none.",
    ),
    Variable(
        name="BRIDGE_PROXY_KEY",
        parse=_long_secret,
        depends="none",
        secret=True,
        meaning="What callers of routes with `token: bridge` send as `Authorization: Bearer`, 32 characters or more.",
    ),
    Variable(
        name="BRIDGE_ALLOWED_ORIGINS",
        parse=_origins,
        by_environment=_hosts("https://af.tt02.altinn.no", "https://af.altinn.no") | {Environment.SANDBOX: ""},
        meaning="Origins whose pages may press the buttons, separated by commas; `*` is refused.",
    ),
    Variable(
        name="BRIDGE_ANSWER_WITHIN",
        parse=_number(0, 10),
        default="2",
        unit="seconds, 0–10",
        meaning="How long a request waits for its 204 before it gets a 202; Arbeidsflate gives up after 10.",
    ),
    Variable(
        name="BRIDGE_PRINT_LINK",
        parse=_number(10, 600),
        default="120",
        unit="seconds, 10–600",
        meaning="How long a link to a print, which opens once and without a token, is good.",
    ),
    Variable(
        name="BRIDGE_MAX_WAITING",
        parse=_whole(0, 10_000),
        default="32",
        unit="requests",
        meaning="How many requests may wait for a 204 at once, in each web process; above it 202 is answered at once.",
    ),
    Variable(
        name="BRIDGE_THREADS",
        parse=_whole(2, 10_000),
        default="64",
        unit="threads",
        meaning="Requests that one web process serves at once; more than `BRIDGE_MAX_WAITING`.",
    ),
    Variable(
        name="BRIDGE_WEB_PROCESSES",
        parse=_whole(1, 256),
        depends="`1` on SQLite (more is refused), `2` on PostgreSQL",
        unit="processes",
        meaning="Web processes of one `altinn-bridge serve`.",
    ),
    Variable(
        name="BRIDGE_LISTEN",
        parse=_listen,
        default="127.0.0.1:8080",
        unit="host:port",
        meaning="Where the bridge listens.",
    ),
    Variable(
        name="BRIDGE_HEALTH_LISTEN",
        parse=_listen,
        depends="none",
        unit="host:port",
        meaning="A second address, for `/health` and `/metrics` alone: keep those off the public one by a reverse "
        "proxy, and let probes come here. For `altinn-bridge work` the only one, with `/health/liveness` and "
        "`/metrics`.",
    ),
    Variable(
        name="BRIDGE_HEADER_TIMEOUT",
        parse=_number(0.1, 3600),
        default="10",
        unit="seconds",
        meaning="How long a request's head may take to come, in all.",
    ),
    Variable(
        name="BRIDGE_BODY_TIMEOUT",
        parse=_number(0.1, 3600),
        default="10",
        unit="seconds",
        meaning="How long a client may be silent while it sends a body, or while it is sent an answer.",
    ),
    Variable(
        name="BRIDGE_BODY_RATE",
        parse=_number(1, 1_000_000_000),
        default="4096",
        unit="bytes a second",
        meaning="How fast a body comes at least, on the whole, beyond `BRIDGE_BODY_TIMEOUT`; slower ones get 408.",
    ),
    Variable(
        name="BRIDGE_TRUSTED_PROXIES",
        parse=_networks,
        default="",
        meaning="Addresses and networks, separated by commas, of reverse proxies whose `X-Forwarded-Proto` and "
        "`SCRIPT_NAME` are believed; without it nobody's are.",
    ),
    Variable(
        name="BRIDGE_PUBLIC_URL",
        parse=_url,
        depends="none",
        meaning="The https address under which others reach the bridge. Buttons that it puts into dialogs lead there; "
        "without it none is put there.",
    ),
    Variable(
        name="BRIDGE_WORK_CONCURRENCY",
        parse=_whole(1, 1000),
        default="8",
        unit="operations",
        meaning="Operations that one worker runs at once.",
    ),
    Variable(
        name="BRIDGE_WORKER",
        parse=_one_of(WorkerMode),
        depends="`embedded` on SQLite (`separate` is refused), `separate` on PostgreSQL",
        meaning="`embedded` runs operations in the web process, `separate` leaves them to `altinn-bridge work`.",
    ),
    Variable(
        name="BRIDGE_WORKER_SILENT",
        parse=_number(1, 3600),
        default="15",
        unit="seconds",
        meaning="How long a worker may be silent before others take over its work (PostgreSQL).",
    ),
    Variable(
        name="BRIDGE_ALTINN2_SETTLE",
        parse=_number(0, 3600),
        default="5",
        unit="seconds",
        meaning="How long a write to Altinn 2 that was not answered is given before the dialog is told that its "
        "outcome is not known, and before one that signs and archives, deletes or confirms may be repeated.",
    ),
    Variable(
        name="BRIDGE_ALTINN2_LATE",
        parse=_number(0, 86400),
        default="1200",
        unit="seconds",
        meaning="How long after the connection was cut a write to Altinn 2 may still take effect: the fifteen minutes "
        "that Altinn 2 works on a large form, and five that a load balancer between holds a request. Until then a "
        "draft is not written again, nothing else is sent for the same element, and nobody is told that nothing was "
        "sent.",
    ),
    Variable(
        name="BRIDGE_UPSTREAM_TIMEOUT",
        parse=_number(0.1, 3600),
        default="30",
        unit="seconds",
        meaning="The longest that one call to another system may take in all.",
    ),
    Variable(
        name="BRIDGE_ALTINN2_PUT_TIMEOUT",
        parse=_number(0.1, 3600),
        default="120",
        unit="seconds",
        meaning="The same for a PUT to Altinn 2, which signs and archives before it answers.",
    ),
    Variable(
        name="BRIDGE_ALTINN2_LOGIN",
        parse=_one_of(Altinn2Login),
        default="organisation",
        meaning="How the bridge logs in to Altinn 2: `organisation` (Maskinporten alone), `enterprise_user`"
        " (Maskinporten with a user's name and password), `password` or `certificate` (a cookie).",
    ),
    Variable(
        name="BRIDGE_ALTINN2_USER",
        parse=_user_name,
        depends="none",
        meaning="The user's name, for all of these but `organisation`.",
    ),
    Variable(
        name="BRIDGE_ALTINN2_PASSWORD",
        parse=_password,
        depends="none",
        secret=True,
        meaning=(
            "The user's password, in letters of any language. After two refused logins no process tries it again; "
            "another password is tried, and `altinn-bridge logins unlock` lets the same one through."
        ),
    ),
    Variable(
        name="BRIDGE_ALTINN2_CERTIFICATE",
        parse=_file,
        depends="none",
        meaning="A PEM file with the organisation's certificate and key, for `certificate`.",
    ),
    Variable(
        name="BRIDGE_ALTINN2_METADATA",
        parse=_folder,
        depends="none",
        meaning=(
            "The folder in which Altinn 2's metadata is kept, and with `altinn-bridge check --online` its schemas; it "
            "is read where Altinn 2 gives none any more."
        ),
    ),
    Variable(
        name="BRIDGE_ALTINN2_MAX_PUT",
        parse=_whole(1000, 2_000_000_000),
        default="50000000",
        unit="bytes",
        meaning="The largest PUT that Altinn 2 takes; what an element holds beyond it is left in its place.",
    ),
    Variable(
        name="BRIDGE_ALTINN2_MAX_ATTACHMENT",
        parse=_whole(1000, 2_000_000_000),
        default="500000000",
        unit="bytes",
        meaning="The largest attachment, whatever the service's rules say.",
    ),
    Variable(
        name="BRIDGE_ALTINN2_STREAM_FROM",
        parse=_whole(0, 2_000_000_000),
        default="10000000",
        unit="bytes",
        meaning="From this size an attachment that came as base64 is streamed to Altinn 2.",
    ),
    Variable(
        name="BRIDGE_GIVE_UP_AFTER",
        parse=_number(1, 31_536_000),
        default="86400",
        unit="seconds",
        meaning="How long an operation is tried before it becomes a dead letter.",
    ),
    Variable(
        name="BRIDGE_RETRY_FIRST",
        parse=_number(0.01, 3600),
        default="1",
        unit="seconds",
        meaning="The pause before the first repetition; the next ones grow. Less than `BRIDGE_GIVE_UP_AFTER`.",
    ),
    Variable(
        name="BRIDGE_PAUSE_LOOK",
        parse=_number(0.1, 3600),
        default="60",
        unit="seconds",
        meaning="How long an operation that is held back, because Altinn 2 asked for a pause, sleeps at most before it "
        "looks whether `altinn-bridge pauses lift` ended it.",
    ),
    Variable(
        name="BRIDGE_MAX_BODY",
        parse=_whole(1, 2_000_000_000),
        default="20000000",
        unit="bytes",
        meaning="The largest request body that is read.",
    ),
    Variable(
        name="BRIDGE_MAX_BODIES",
        parse=_whole(1_000_000, 100_000_000_000),
        default="50000000",
        unit="bytes",
        meaning="How much one web process has in memory at once of bodies above 256 KB that are read whole; the next "
        "one waits two seconds at most, and is told 503 `too_busy`. What is made of a body takes about seven times it.",
    ),
    Variable(
        name="BRIDGE_MAX_FORM",
        parse=_whole(1, 100_000_000),
        default="10000000",
        unit="bytes",
        meaning="The largest form that is checked and sent; at most `BRIDGE_MAX_BODY`.",
    ),
    Variable(
        name="BRIDGE_MAX_FORM_MARKUP",
        parse=_whole(1, 10_000_000),
        default="1000000",
        meaning="How much markup a form may have: every `<` and every `=` counts.",
    ),
    Variable(
        name="BRIDGE_MAX_FORM_DEPTH",
        parse=_whole(1, 256),
        default="256",
        unit="elements",
        meaning="How many elements of a form may stand inside each other.",
    ),
    Variable(
        name="BRIDGE_MAX_FINDINGS",
        parse=_whole(1, 1000),
        default="100",
        unit="findings",
        meaning="How many faults of a form are told.",
    ),
    Variable(
        name="BRIDGE_MAX_FORM_SECONDS",
        parse=_number(0.1, 60),
        default="5",
        unit="seconds",
        meaning="How much processor time goes into finding the faults of one form that is refused. The refusal stands "
        "without it; the last finding says that there may be more.",
    ),
    Variable(
        name="BRIDGE_KEEP_FINISHED",
        parse=_whole(1, 36_500),
        default="30",
        unit="days",
        meaning="How long the engine keeps finished operations.",
    ),
    Variable(
        name="BRIDGE_KEEP_OPERATIONS",
        parse=_whole(1, 36_500),
        default="90",
        unit="days",
        meaning="How long the row of a finished operation stays: until then `GET /operations/{id}` answers, and a"
        " repeat is known by what was done.",
    ),
    Variable(
        name="BRIDGE_KEEP_ATTACHMENTS",
        parse=_whole(1, 36_500),
        default="90",
        unit="days",
        meaning="How long it stays known what an upload was called and became: until then the same file is not"
        " attached twice.",
    ),
    Variable(
        name="BRIDGE_KEEP_SNAPSHOTS",
        parse=_whole(1, 36_500),
        default="400",
        unit="days",
        meaning="How long the digests of what was written into a dialog stay; after that nobody can tell any more what"
        " others changed there before.",
    ),
    Variable(
        name="BRIDGE_KEEP_LINKS",
        parse=_whole(1, 36_500),
        default="730",
        unit="days",
        meaning="How long it stays known which element a dialog stands for, where nothing else is kept of it; a later"
        " press finds it again by the dialog itself. So long at most it is known who signed what waits for others.",
    ),
    Variable(
        name="BRIDGE_LOG_LEVEL",
        parse=_log_level,
        default="info",
        meaning="`debug`, `info`, `warning` or `error`.",
    ),
    Variable(
        name="BRIDGE_CLOCK_SKEW",
        parse=_number(0, 300),
        default="10",
        unit="seconds",
        meaning="How far the clocks of Dialogporten and the bridge may differ when a token is checked, and those of "
        "Altinn 2 and the bridge when it is asked whether an element was changed after a press.",
    ),
    Variable(
        name="BRIDGE_DRAFTS_EVERY",
        parse=_schedule,
        default="0",
        unit="seconds, 60–604800",
        meaning="How often workers make and follow dialogs for Altinn 2 elements under completion; `0` is never."
        " Needs `BRIDGE_PUBLIC_URL`.",
    ),
    Variable(
        name="BRIDGE_DRAFTS_FOR",
        parse=_scope,
        default="all",
        meaning="For whom: `all` that Altinn 2 lists as reportees, or organisation numbers and Altinn 2's ids of"
        " reportees (`r…`, for persons), separated by commas.",
    ),
)


class _Reading:
    """One pass over an environment; collects faults on the way."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._given = {name: text for name, text in environ.items() if name.startswith(PREFIX) and text.strip()}
        self.faults: list[Fault] = []

    def values(self) -> dict[str, Any]:
        """Give the fields of Settings; of use only when there are no faults."""
        self._refuse_unknown()
        parsed: dict[str, Any] = {}
        for variable in VARIABLES:
            text = self._text(variable)
            if text is None:
                text = self._default(variable, parsed.get("environment"))
            if text is not None:
                parsed[variable.field] = self._parsed(variable, text)
        self._fill_dependents(parsed)
        self._hold_against_each_other(parsed)
        for variable in VARIABLES:
            parsed.setdefault(variable.field, None)
        return parsed

    def _fault(self, where: str, message: str) -> None:
        self.faults.append(Fault(where=where, message=message))

    def _refuse_unknown(self) -> None:
        secrets = {variable.name for variable in VARIABLES if variable.secret}
        known = {variable.name for variable in VARIABLES} | {f"{name}_FILE" for name in secrets}
        for name in sorted(self._given.keys() - known):
            if name.endswith("_FILE") and name.removesuffix("_FILE") in known:
                self._fault(name, "only secrets are read from files: give the value itself, without _FILE")
                continue
            close = difflib.get_close_matches(name, sorted(known), n=1)
            self._fault(name, "there is no such setting" + (f": did you mean {close[0]}?" if close else ""))

    def _text(self, variable: Variable) -> str | None:
        """Give the variable's text, from itself or from the file that ``NAME_FILE`` names."""
        text = self._given.get(variable.name)
        file = self._given.get(f"{variable.name}_FILE") if variable.secret else None
        if file is None:
            return text
        if text is not None:
            self._fault(f"{variable.name}_FILE", f"give {variable.name} or {variable.name}_FILE, not both")
            return text
        try:
            content = Path(file).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError, ValueError):
            self._fault(f"{variable.name}_FILE", "the file cannot be read as text: check its path and rights")
            return None
        if not content:
            self._fault(f"{variable.name}_FILE", "the file is empty")
        return content or None

    def _default(self, variable: Variable, environment: Environment | None) -> str | None:
        if f"{variable.name}_FILE" in self._given and variable.secret:
            return None  # Told already.
        if variable.depends:
            return None
        if variable.by_environment is not None:
            if environment is not None and environment not in variable.by_environment:
                self._fault(variable.name, f"must be given when BRIDGE_ENVIRONMENT is {environment.value}")
            return variable.by_environment.get(environment) if environment is not None else None
        if variable.default is None:
            self._fault(variable.name, f"must be given: {variable.meaning}")
        return variable.default

    def _parsed(self, variable: Variable, text: str) -> Any:
        try:
            return variable.parse(text.strip())
        except ValueError as error:
            self._fault(variable.name, str(error))
        except OSError as error:
            self._fault(variable.name, f"it cannot be looked at: {error.strerror}")
        return None

    def _fill_dependents(self, parsed: dict[str, Any]) -> None:
        """Put in the defaults that follow from other settings."""
        on_postgresql = str(parsed.get("database_url")).startswith("postgresql")
        defaults: dict[str, Any] = {
            "mappings": mappings_folder(),
            "schemas": schemas_folder(),
            "database_pool": 10 if on_postgresql else 16,
            "store_mark": _mark_of(parsed.get("database_url")),
            "web_processes": 2 if on_postgresql else 1,
            "worker": WorkerMode.SEPARATE if on_postgresql else WorkerMode.EMBEDDED,
        }
        if parsed.get("dialogporten_url"):
            defaults["dialogporten_issuer"] = f"{parsed['dialogporten_url']}/api/v1"
        for name, value in defaults.items():
            parsed.setdefault(name, value)

    def _hold_against_each_other(self, parsed: dict[str, Any]) -> None:
        if parsed.get("database_url") and not parsed["database_url"].startswith("postgresql"):
            if (parsed.get("web_processes") or 1) > 1:
                self._fault("BRIDGE_WEB_PROCESSES", "SQLite serves one process: write 1, or use PostgreSQL")
            if parsed.get("worker") is WorkerMode.SEPARATE:
                self._fault("BRIDGE_WORKER", "SQLite serves one process: write embedded, or use PostgreSQL")
        self._must_exceed(parsed, "threads", "max_waiting", "others would not be answered while they wait")
        self._must_exceed(parsed, "give_up_after", "retry_first", "nothing would be tried twice")
        form, body = parsed.get("max_form"), parsed.get("max_body")
        if form is not None and body is not None and form > body:
            self._fault("BRIDGE_MAX_FORM", f"write at most BRIDGE_MAX_BODY, which is {body}")
        self._check_login(parsed)
        if parsed.get("health_listen") and parsed["health_listen"] == parsed.get("listen"):
            self._fault("BRIDGE_HEALTH_LISTEN", "write another address than that of BRIDGE_LISTEN")
        if parsed.get("drafts_every") and parsed.get("public_url") is None:
            self._fault("BRIDGE_PUBLIC_URL", "must be given with BRIDGE_DRAFTS_EVERY: the buttons lead there")
        if parsed.get("environment") is not None:
            self._refuse_plain_http(parsed)

    def _check_login(self, parsed: dict[str, Any]) -> None:
        login = parsed.get("altinn2_login")
        if login is None or login is Altinn2Login.ORGANISATION:
            return
        needed = ["altinn2_user", "altinn2_password"]
        if login is Altinn2Login.CERTIFICATE:
            needed.append("altinn2_certificate")
        for field in needed:
            if parsed.get(field) is None:
                self._fault(PREFIX + field.upper(), f"must be given with BRIDGE_ALTINN2_LOGIN={login.value}")

    def _must_exceed(self, parsed: dict[str, Any], larger: str, smaller: str, reason: str) -> None:
        high, low = parsed.get(larger), parsed.get(smaller)
        if high is not None and low is not None and high <= low:
            name = PREFIX + larger.upper()
            self._fault(name, f"write more than {PREFIX + smaller.upper()}, which is {low:g}: {reason}")

    def _refuse_plain_http(self, parsed: Mapping[str, Any]) -> None:
        sandbox = parsed["environment"] is Environment.SANDBOX
        for variable in VARIABLES:
            value = parsed.get(variable.field)
            urls = value if variable.parse is _origins else (value,) if variable.parse in {_url, _app_url} else ()
            for url in cast("tuple[str | None, ...]", urls or ()):
                if url is None or not url.startswith("http://"):
                    continue
                if not sandbox:
                    self._fault(variable.name, "write https://: plain http would show tokens and forms on the way")
                elif not _is_loopback(url):
                    self._fault(variable.name, "the sandbox takes http:// for this machine only: write https://")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_password(url: str) -> str:
    return re.sub(
        r"(://[^:@/]*):.*@|(password=)[^&]*", lambda found: f"{found[1]}:…@" if found[1] else "password=…", url
    )
