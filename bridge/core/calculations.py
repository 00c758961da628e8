"""
What a caller of a stateless app means, and how the app wants to hear it.

The published page says that POST creates and PUT calculates. That was so for five weeks in 2021; since 4.7.0 GET
creates and POST calculates (facts/altinn3-and-tokens.md 0.1, 1.6). Callers and apps of both kinds exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from bridge.core.mapping import FormFormat, Right, Validation, pins_of


class Meaning(Enum):
    """What a call asks for."""

    CREATE = "create"
    CALCULATE = "calculate"


class HttpDialect(Enum):
    """How an app hears it, as (creates, calculates)."""

    GET_POST = ("GET", "POST")
    POST_PUT = ("POST", "PUT")

    def method(self, meaning: Meaning) -> str:
        """Name the method for *meaning*."""
        return self.value[0] if meaning is Meaning.CREATE else self.value[1]

    @property
    def other(self) -> "HttpDialect":
        """The other generation's."""
        return HttpDialect.POST_PUT if self is HttpDialect.GET_POST else HttpDialect.GET_POST

    @property
    def name_in_words(self) -> str:
        """As route files and ``/health/deep`` say it."""
        return "get_post" if self is HttpDialect.GET_POST else "post_put"


def meaning(method: str, *, has_body: bool) -> Meaning:
    """What is meant: PUT calculates, GET creates, and POST creates only where it brings no form."""
    if method == "GET" or (method == "POST" and not has_body):
        return Meaning.CREATE
    return Meaning.CALCULATE


def first_try(meant: Meaning) -> HttpDialect:
    """
    Which generation to assume of an app that is not known.

    GET and PUT are each known to one generation only, and answered 405 by the other without any effect. POST is known
    to both: an old app would take a form to calculate for the wish of an empty one, and lose it.
    """
    return HttpDialect.GET_POST if meant is Meaning.CREATE else HttpDialect.POST_PUT


def dialect_of(nuget_version: object) -> HttpDialect | None:
    """The verbs by ``altinnNugetVersion`` of an app's metadata; None where it is missing (before 7.0) or unreadable."""
    major, dot, rest = str(nuget_version or "").partition(".")
    if not major.isdecimal() or not dot:
        return None
    minor = rest.partition(".")[0].partition("-")[0]
    if not minor.isdecimal():
        return None
    return HttpDialect.GET_POST if (int(major), int(minor)) >= (4, 7) else HttpDialect.POST_PUT


class TokenUse(Enum):
    """Whose authority a call to the app carries."""

    CALLER = "caller"
    """The caller's own bearer or cookie, passed on."""
    BRIDGE = "bridge"
    """The bridge's Altinn token; callers show the proxy key."""
    DIALOG = "dialog"
    """The bridge's Altinn token, for the party of the dialog token that the caller shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTypeRoute:
    """How the forms of one data type are treated."""

    data_type: str
    schema: str | None
    validate: Validation
    one_at_a_time: bool
    repeatable: bool
    speaks: FormFormat
    sha256: str | None = None
    """The digest that the schema must have."""
    root: str | None = None
    """The element that forms begin with, as ``local`` or ``{uri}local``, where the schema has several."""
    json_schema: str | None = None
    """What forms in JSON are held against, first; after ``#``, where forms begin."""
    json_sha256: str | None = None

    @property
    def pins(self) -> tuple[tuple[str, str | None], ...]:
        """Each schema with the digest that it must have, if one is said."""
        return pins_of((self.schema, self.sha256), (self.json_schema, self.json_sha256))


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogBinding:
    """What a dialog token must be for and grant."""

    service_resource: str
    requires: Right
    minimum_level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRoute:
    """One app that the proxy leads to."""

    org: str
    app: str
    token: TokenUse
    scopes: tuple[str, ...]
    dialog: DialogBinding | None
    anonymous: bool
    verbs: HttpDialect | None
    """None: found out."""
    timeout: float | None
    """Seconds for one call in all; None is the setting's."""
    defaults: DataTypeRoute
    data_types: Mapping[str, DataTypeRoute]
    source: str
    """The file it was read from."""

    @property
    def name(self) -> str:
        """As ``org/app``."""
        return f"{self.org}/{self.app}"

    def data_type(self, name: str) -> DataTypeRoute:
        """What holds for a data type, named in the file or not."""
        return self.data_types.get(name) or replace(self.defaults, data_type=name)


def party_header(urn: str) -> str | None:
    """A dialog's party as the app's ``party`` header has it; None where apps have no form for it."""
    kind, _, number = urn.rpartition(":")
    kinds = {
        "urn:altinn:organization:identifier-no": "org",
        "urn:altinn:person:identifier-no": "person",
    }
    return f"{kinds[kind]}:{number}" if kind in kinds and number else None
