"""The apps of the sandbox: stateless data types, each with its model and its calculation."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bridge.sandbox.apps.model import Member, Model

Calculate = Callable[[Model, str | None], Model]
"""Takes a model that it may change and the caller's language; gives the calculated model."""

GET_AND_POST = ("GET", "POST")
POST_AND_PUT = ("POST", "PUT")
PARTY = "{party}"
"""Stands in a prefill for the party's own number in Altinn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataType:
    """
    A data type; without *members* it has no form (as a PDF has none), and cannot be calculated.

    With a *class_name* all the same, the class that its metadata names is missing in the app.

    *prefill* stands for the prefill file: what the registers know of the party, by model path, and *query_parameters*
    for its list of query parameters, by name. *refuse_prefill* is the app's own check of the ``prefill`` query; it
    gives a sentence where it refuses, or a code and a sentence.
    """

    id: str
    root: str = ""
    class_name: str = ""
    namespace: str = ""
    members: tuple[Member, ...] = ()
    calculate: Calculate = lambda model, language: model  # noqa: ARG005 - the identity
    prefill: Mapping[str, str] = field(default_factory=dict)
    allow_overwrite: bool = False
    query_parameters: Mapping[str, str] = field(default_factory=dict)
    refuse_prefill: Callable[[Mapping[str, str]], str | tuple[str, str] | None] = lambda values: None  # noqa: ARG005 - takes all
    allow_anonymous: bool = True
    """What its metadata says; the routes do not look at it (facts 0.6)."""
    content_types: tuple[str, ...] = ("application/xml",)
    schema: str = ""
    """Its XSD where it was given one; else one is written from its members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """
    One app of one service owner.

    *denied* are party headers for which the policy says no, *minimum_level* is what it demands of the others, and
    *scopes* are the app's own (``apiScopes``), of which a token must have one.
    """

    org: str
    name: str
    title: str
    data_types: tuple[DataType, ...]
    version: str = "8.12.7.0"
    denied: frozenset[str] = frozenset()
    minimum_level: int = 0
    scopes: frozenset[str] = frozenset()
    shows: str = "stateless"
    """What opens first: a layout set, or ``new-instance`` where the app is not stateless."""
    speaks: str = "both"
    """``json`` or ``xml``: an app behind something that knows one of them only."""

    def data_type(self, data_type_id: str) -> DataType | None:
        """The data type with exactly this id, None without one."""
        return next((each for each in self.data_types if each.id == data_type_id), None)

    def since(self, *version: int) -> bool:
        """Whether the app's library is *version* or newer."""
        numbers = tuple(int(part) for part in self.version.split("-")[0].split(".") if part.isdigit())
        return numbers[: len(version)] >= version

    @property
    def verbs(self) -> tuple[str, str]:
        """What creates and what calculates: since 4.7.0 GET and POST (facts 1.6)."""
        return GET_AND_POST if self.since(4, 7) else POST_AND_PUT


class AppsState:
    """
    The apps by org and name, and which parties the register does not know.

    *register_refuses*: it answers 401 when an app asks it. *body_limit* is what apps read at most.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._apps: dict[tuple[str, str], App] = {}
        self.unknown_parties: set[str] = set()
        self.register_refuses = False
        self.body_limit = 2_097_152_000

    def register(self, app: App) -> None:
        """Add or replace an app."""
        with self._lock:
            self._apps[app.org, app.name] = app

    def find(self, org: str, name: str) -> App | None:
        """An app, whatever the case of its path: routes are not particular."""
        found = self._apps.get((org, name))
        if found is not None:
            return found
        wanted = (org.lower(), name.lower())
        return next((app for key, app in tuple(self._apps.items()) if (key[0].lower(), key[1].lower()) == wanted), None)
