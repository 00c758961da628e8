"""Every setting, declared once: from here come its value, its faults, its row in ``docs/settings.md``."""

from dataclasses import dataclass
from pathlib import Path

from bridge.bundled import mappings_folder, schemas_folder
from bridge.config.setting import NONE, REQUIRED, Computed, Follows, PerEnvironment, setting, settings_of
from bridge.config.setting_choices import Altinn2Login, Environment, WorkerMode
from bridge.config.setting_kinds import (
    APP_URL,
    CLIENT_ID,
    DATABASE,
    FILE,
    FOLDER,
    HEADER_SECRET,
    LISTEN,
    LOG_LEVEL,
    LONG_SECRET,
    NETWORKS,
    NEW_FILE,
    ORIGINS,
    PASSWORD,
    PRIVATE_KEY,
    REPORTEES,
    SCOPES,
    URL,
    USER_NAME,
    number,
    number_or_zero,
    one_of,
    whole,
)
from bridge.core.secret import Secret


def is_postgresql(database_url: str) -> bool:
    """Whether the database is a server that many processes may share."""
    return database_url.startswith("postgresql")


def _mark_of(database_url: str) -> Path | None:
    file = database_url.partition("///")[2].partition("?")[0]
    if not file or file == ":memory:" or is_postgresql(database_url):
        return None
    return Path(f"{file}.mark")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DeclaredSettings:
    """What the environment says, by the name of its variable. URLs end without a slash."""

    environment: Environment = setting(
        one_of(Environment),
        default=REQUIRED,
        meaning="`sandbox`, `tt02` or `production`: chooses the URLs, the issuer and the origins below.",
    )
    altinn2_url: str = setting(
        URL,
        default=PerEnvironment(tt02="https://tt02.altinn.no/api", production="https://www.altinn.no/api"),
        meaning="The Altinn 2 REST API.",
    )
    altinn2_api_key: Secret = setting(
        HEADER_SECRET,
        default=REQUIRED,
        secret=True,
        meaning="The API key of the agency's end-user system in Altinn 2.",
    )
    altinn3_apps_url: str = setting(
        APP_URL,
        default=PerEnvironment(
            tt02="https://{org}.apps.tt02.altinn.no/{org}/{app}", production="https://{org}.apps.altinn.no/{org}/{app}"
        ),
        meaning="Where an Altinn 3 app answers; `{org}` and `{app}` are filled in.",
    )
    platform_url: str = setting(
        URL,
        default=PerEnvironment(tt02="https://platform.tt02.altinn.no", production="https://platform.altinn.no"),
        meaning="The Altinn 3 platform, which exchanges Maskinporten tokens.",
    )
    dialogporten_url: str = setting(
        URL,
        default=PerEnvironment(
            tt02="https://platform.tt02.altinn.no/dialogporten", production="https://platform.altinn.no/dialogporten"
        ),
        meaning="Dialogporten, without `/api/v1`.",
    )
    dialogporten_issuer: str = setting(
        URL,
        default=Follows(
            field="dialogporten_url", words="`{BRIDGE_DIALOGPORTEN_URL}/api/v1`", value=lambda url: f"{url}/api/v1"
        ),
        meaning="The `iss` that dialog tokens must have; their keys are fetched below it.",
    )
    dialogporten_scopes: tuple[str, ...] = setting(
        SCOPES,
        default="",
        meaning="Further scopes of the agency's client that Dialogporten is shown, separated by blanks or commas: "
        "`digdir:dialogporten.correspondence`, `digdir:dialogporten.serviceprovider.legacyhtml`. It judges a whole "
        "dialog at every change by what the client may.",
    )
    maskinporten_url: str = setting(
        URL,
        default=PerEnvironment(tt02="https://test.maskinporten.no", production="https://maskinporten.no"),
        meaning="Maskinporten, without `/token`.",
    )
    maskinporten_client_id: str = setting(
        CLIENT_ID,
        default=REQUIRED,
        meaning="The id of the agency's client in Maskinporten.",
    )
    maskinporten_key: Secret = setting(
        PRIVATE_KEY,
        default=REQUIRED,
        secret=True,
        meaning="The client's private RSA key as a JWK (one JSON object), with the `kid` that Maskinporten knows.",
    )
    database_url: str = setting(
        DATABASE,
        default="sqlite:///bridge.sqlite",
        secret=True,
        meaning="`sqlite:///file` for one process, `postgresql://user:password@host/database` for many.",
    )
    database_pool: int = setting(
        whole(2, 1000),
        default=Follows(
            field="database_url",
            words="`10` on PostgreSQL, `16` on SQLite",
            value=lambda url: 10 if is_postgresql(url) else 16,
        ),
        unit="connections",
        meaning="The most connections that one process has to the database; who gets none within 3 seconds is told "
        "503. All web processes and workers together must stay below PostgreSQL's `max_connections`.",
    )
    store_mark: Path | None = setting(
        NEW_FILE,
        default=Follows(
            field="database_url",
            words="beside the database on SQLite, with `.mark` at the end of its name; none on PostgreSQL",
            value=_mark_of,
        ),
        meaning="The file in which each process that runs operations notes how far the store has come, so that a "
        "restored one is noticed at its start. On PostgreSQL name one on a disk that outlives the process and is "
        "not part of the database's backup.",
    )
    mappings: Path = setting(
        FOLDER,
        default=Computed(words="the mappings that ship", value=mappings_folder),
        meaning="The folder of the mapping files.",
    )
    schemas: Path = setting(
        FOLDER,
        default=Computed(words="the schemas that ship", value=schemas_folder),
        meaning="The folder of the form schemas; nothing outside it is read.",
    )
    routes: Path | None = setting(
        FOLDER,
        default=NONE,
        meaning="The folder of the route files: the apps that the calculation proxy leads to; without it, none.",
    )
    proxy_key: Secret | None = setting(
        LONG_SECRET,
        default=NONE,
        secret=True,
        meaning="What callers of routes with `token: bridge` send as `Authorization: Bearer`, 32 characters or more.",
    )
    allowed_origins: tuple[str, ...] = setting(
        ORIGINS,
        default=PerEnvironment(tt02="https://af.tt02.altinn.no", production="https://af.altinn.no", sandbox=""),
        meaning="Origins whose pages may press the buttons, separated by commas; `*` is refused.",
    )
    answer_within: float = setting(
        number(0, 10),
        default="2",
        unit="seconds",
        meaning="How long a request waits for its 204 before it gets a 202; Arbeidsflate gives up after 10.",
    )
    print_link: float = setting(
        number(10, 600),
        default="120",
        unit="seconds",
        meaning="How long a link to a print, which opens once and without a token, is good.",
    )
    max_waiting: int = setting(
        whole(0, 10_000),
        default="32",
        unit="requests",
        meaning="How many requests may wait for a 204 at once, in each web process; above it 202 is answered at once.",
    )
    threads: int = setting(
        whole(2, 10_000),
        default="64",
        unit="threads",
        meaning="Requests that one web process serves at once; more than `BRIDGE_MAX_WAITING`.",
    )
    web_processes: int = setting(
        whole(1, 256),
        default=Follows(
            field="database_url",
            words="`1` on SQLite (more is refused), `2` on PostgreSQL",
            value=lambda url: 2 if is_postgresql(url) else 1,
        ),
        unit="processes",
        meaning="Web processes of one `altinn-bridge serve`.",
    )
    listen: str = setting(
        LISTEN,
        default="127.0.0.1:8080",
        unit="host:port",
        meaning="Where the bridge listens.",
    )
    health_listen: str | None = setting(
        LISTEN,
        default=NONE,
        unit="host:port",
        meaning="A second address, for `/health` and `/metrics` alone: keep those off the public one by a reverse "
        "proxy, and let probes come here. For `altinn-bridge work` the only one, with `/health/liveness` and "
        "`/metrics`.",
    )
    header_timeout: float = setting(
        number(0.1, 3600),
        default="10",
        unit="seconds",
        meaning="How long a request's head may take to come, in all.",
    )
    body_timeout: float = setting(
        number(0.1, 3600),
        default="10",
        unit="seconds",
        meaning="How long a client may be silent while it sends a body, or while it is sent an answer.",
    )
    body_rate: float = setting(
        number(1, 1_000_000_000),
        default="4096",
        unit="bytes a second",
        meaning="How fast a body comes at least, on the whole, beyond `BRIDGE_BODY_TIMEOUT`; slower ones get 408.",
    )
    trusted_proxies: tuple[str, ...] = setting(
        NETWORKS,
        default="",
        meaning="Addresses and networks, separated by commas, of reverse proxies whose `X-Forwarded-Proto` and "
        "`SCRIPT_NAME` are believed; without it nobody's are.",
    )
    public_url: str | None = setting(
        URL,
        default=NONE,
        meaning="The https address under which others reach the bridge. Buttons that it puts into dialogs lead "
        "there; without it none is put there.",
    )
    work_concurrency: int = setting(
        whole(1, 1000),
        default="8",
        unit="operations",
        meaning="Operations that one worker runs at once.",
    )
    worker: WorkerMode = setting(
        one_of(WorkerMode),
        default=Follows(
            field="database_url",
            words="`embedded` on SQLite (`separate` is refused), `separate` on PostgreSQL",
            value=lambda url: WorkerMode.SEPARATE if is_postgresql(url) else WorkerMode.EMBEDDED,
        ),
        meaning="`embedded` runs operations in the web process, `separate` leaves them to `altinn-bridge work`.",
    )
    worker_silent: float = setting(
        number(1, 3600),
        default="15",
        unit="seconds",
        meaning="How long a worker may be silent before others take over its work (PostgreSQL).",
    )
    altinn2_settle: float = setting(
        number(0, 3600),
        default="5",
        unit="seconds",
        meaning="How long a write to Altinn 2 that was not answered is given before the dialog is told that its "
        "outcome is not known, and before one that signs and archives, deletes or confirms may be repeated.",
    )
    altinn2_late: float = setting(
        number(0, 86400),
        default="1200",
        unit="seconds",
        meaning="How long after the connection was cut a write to Altinn 2 may still take effect: the fifteen "
        "minutes that Altinn 2 works on a large form, and five that a load balancer between holds a request. Until "
        "then a draft is not written again, nothing else is sent for the same element, and nobody is told that "
        "nothing was sent.",
    )
    upstream_timeout: float = setting(
        number(0.1, 3600),
        default="30",
        unit="seconds",
        meaning="The longest that one call to another system may take in all.",
    )
    altinn2_put_timeout: float = setting(
        number(0.1, 3600),
        default="120",
        unit="seconds",
        meaning="The same for a PUT to Altinn 2, which signs and archives before it answers.",
    )
    altinn2_login: Altinn2Login = setting(
        one_of(Altinn2Login),
        default="organisation",
        meaning="How the bridge logs in to Altinn 2: `organisation` (Maskinporten alone), `enterprise_user` "
        "(Maskinporten with a user's name and password), `password` or `certificate` (a cookie).",
    )
    altinn2_user: str | None = setting(
        USER_NAME,
        default=NONE,
        meaning="The user's name, for all of these but `organisation`.",
    )
    altinn2_password: Secret | None = setting(
        PASSWORD,
        default=NONE,
        secret=True,
        meaning="The user's password, in letters of any language. After two refused logins no process tries it "
        "again; another password is tried, and `altinn-bridge logins unlock` lets the same one through.",
    )
    altinn2_certificate: Path | None = setting(
        FILE,
        default=NONE,
        meaning="A PEM file with the organisation's certificate and key, for `certificate`.",
    )
    altinn2_metadata: Path | None = setting(
        FOLDER,
        default=NONE,
        meaning="The folder in which Altinn 2's metadata is kept, and with `altinn-bridge check --online` its "
        "schemas; it is read where Altinn 2 gives none any more.",
    )
    altinn2_max_put: int = setting(
        whole(1000, 2_000_000_000),
        default="50000000",
        unit="bytes",
        meaning="The largest PUT that Altinn 2 takes; what an element holds beyond it is left in its place.",
    )
    altinn2_max_attachment: int = setting(
        whole(1000, 2_000_000_000),
        default="500000000",
        unit="bytes",
        meaning="The largest attachment, whatever the service's rules say.",
    )
    altinn2_stream_from: int = setting(
        whole(0, 2_000_000_000),
        default="10000000",
        unit="bytes",
        meaning="From this size an attachment that came as base64 is streamed to Altinn 2.",
    )
    give_up_after: float = setting(
        number(1, 31_536_000),
        default="86400",
        unit="seconds",
        meaning="How long an operation is tried before it becomes a dead letter.",
    )
    retry_first: float = setting(
        number(0.01, 3600),
        default="1",
        unit="seconds",
        meaning="The pause before the first repetition; the next ones grow. Less than `BRIDGE_GIVE_UP_AFTER`.",
    )
    pause_look: float = setting(
        number(0.1, 3600),
        default="60",
        unit="seconds",
        meaning="How long an operation that is held back, because Altinn 2 asked for a pause, sleeps at most before "
        "it looks whether `altinn-bridge pauses lift` ended it.",
    )
    max_body: int = setting(
        whole(1, 2_000_000_000),
        default="20000000",
        unit="bytes",
        meaning="The largest request body that is read.",
    )
    max_bodies: int = setting(
        whole(1_000_000, 100_000_000_000),
        default="50000000",
        unit="bytes",
        meaning="How much one web process has in memory at once of bodies above 256 KB that are read whole; the "
        "next one waits two seconds at most, and is told 503 `too_busy`. What is made of a body takes about seven "
        "times it.",
    )
    max_form: int = setting(
        whole(1, 100_000_000),
        default="10000000",
        unit="bytes",
        meaning="The largest form that is checked and sent; at most `BRIDGE_MAX_BODY`.",
    )
    max_form_markup: int = setting(
        whole(1, 10_000_000),
        default="1000000",
        meaning="How much markup a form may have: every `<` and every `=` counts.",
    )
    max_form_depth: int = setting(
        whole(1, 256),
        default="256",
        unit="elements",
        meaning="How many elements of a form may stand inside each other.",
    )
    max_findings: int = setting(
        whole(1, 1000),
        default="100",
        unit="findings",
        meaning="How many faults of a form are told.",
    )
    max_form_seconds: float = setting(
        number(0.1, 60),
        default="5",
        unit="seconds",
        meaning="How much processor time goes into finding the faults of one form that is refused. The refusal "
        "stands without it; the last finding says that there may be more.",
    )
    keep_finished: int = setting(
        whole(1, 36_500),
        default="30",
        unit="days",
        meaning="How long the engine keeps finished operations.",
    )
    keep_operations: int = setting(
        whole(1, 36_500),
        default="90",
        unit="days",
        meaning="How long the row of a finished operation stays: until then `GET /operations/{id}` answers, and a "
        "repeat is known by what was done.",
    )
    keep_attachments: int = setting(
        whole(1, 36_500),
        default="90",
        unit="days",
        meaning="How long it stays known what an upload was called and became: until then the same file is not "
        "attached twice.",
    )
    keep_snapshots: int = setting(
        whole(1, 36_500),
        default="400",
        unit="days",
        meaning="How long the digests of what was written into a dialog stay; after that nobody can tell any more "
        "what others changed there before.",
    )
    keep_links: int = setting(
        whole(1, 36_500),
        default="730",
        unit="days",
        meaning="How long it stays known which element a dialog stands for, where nothing else is kept of it; a "
        "later press finds it again by the dialog itself. So long at most it is known who signed what waits for "
        "others.",
    )
    log_level: str = setting(
        LOG_LEVEL,
        default="info",
        meaning="`debug`, `info`, `warning` or `error`.",
    )
    clock_skew: float = setting(
        number(0, 300),
        default="10",
        unit="seconds",
        meaning="How far the clocks of Dialogporten and the bridge may differ when a token is checked, and those of "
        "Altinn 2 and the bridge when it is asked whether an element was changed after a press.",
    )
    drafts_every: float = setting(
        number_or_zero(60, 604_800),
        default="0",
        unit="seconds",
        meaning="How often workers make and follow dialogs for Altinn 2 elements under completion; `0` is never. "
        "Needs `BRIDGE_PUBLIC_URL`.",
    )
    drafts_for: tuple[str, ...] = setting(
        REPORTEES,
        default="all",
        meaning="For whom: `all` that Altinn 2 lists as reportees, or organisation numbers and Altinn 2's ids of "
        "reportees (`r…`, for persons), separated by commas.",
    )

    @property
    def on_postgresql(self) -> bool:
        """Whether the database is a server that many processes may share."""
        return is_postgresql(self.database_url)


SETTINGS = settings_of(DeclaredSettings)
