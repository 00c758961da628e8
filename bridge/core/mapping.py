"""What a mapping file means, as values. Reading the files is ``adapters/mapping_files``."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Target(Enum):
    """The system that owns the case today."""

    ALTINN2 = "altinn2"
    ALTINN3 = "altinn3"


class FormSource(Enum):
    """Where the form comes from that is sent on."""

    MESSAGE = "message"
    """What Altinn 2 holds already."""
    BODY = "body"
    """What the caller sent."""
    NONE = "none"
    """No form is sent: only the flags (an element in signing)."""


class Validation(Enum):
    """What a fault in the form does."""

    STRICT = "strict"
    WARN = "warn"
    OFF = "off"


class AfterUpdate(Enum):
    """
    What Altinn 2 does with the element after a PUT, as (complete, sign).

    Altinn 2 signs and archives when a flag is left out (facts/altinn2.md 0.4), so both are always sent.
    """

    KEEP_AS_DRAFT = (False, False)
    SEND_TO_SIGNING = (True, False)
    SIGN_AND_ARCHIVE = (True, True)


class FormKind(Enum):
    """Altinn 2's ``Type`` of a form."""

    MAIN = "MainForm"
    SUB = "SubForm"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSpec:
    """One form of the service: its key in Altinn 2 and the schema that it is held against, if any."""

    kind: FormKind
    data_format_id: str
    data_format_version: str
    schema: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Altinn2Service:
    """The Altinn 2 service that holds the elements."""

    service_code: str
    service_edition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Altinn3App:
    """The Altinn 3 app that calculates."""

    org: str
    app: str
    data_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """An entry of the dialog token's ``a`` that the caller must hold."""

    action: str
    attribute: str | None = None

    def __str__(self) -> str:
        return self.action if self.attribute is None else f"{self.action},{self.attribute}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """What the dialog shall say after success, on top of the state table; None leaves it to the table."""

    status: str | None = None
    activity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionMapping:
    """What one action's URL means."""

    name: str
    requires: Requirement
    minimum_level: int
    target: Target
    form: FormSource
    sets: tuple[tuple[str, str], ...]
    """(XPath, template) pairs, put into the main form before it is checked."""
    calculate: bool
    validate: Validation
    after: AfterUpdate
    then: Then


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRule:
    """What a dialog says while its element is in one Altinn 2 state; None leaves it to the default table."""

    status: str | None
    actions: tuple[str, ...] | None
    """Names of the mapping's actions whose buttons stay; None leaves it to the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMapping:
    """One mapping file: what each action of one service resource means."""

    service_resource: str
    altinn2: Altinn2Service | None
    altinn3: Altinn3App | None
    forms: tuple[FormSpec, ...]
    actions: Mapping[str, ActionMapping]
    states: Mapping[str, StateRule]
    """By Altinn 2's bokmål status text."""
    source: str
    """The file it was read from, for messages."""

    def form_spec(self, kind: FormKind, data_format_id: str, data_format_version: str) -> FormSpec | None:
        """Find the form of this key, or None when the service has no such form."""
        for spec in self.forms:
            if (spec.kind, spec.data_format_id, spec.data_format_version) == (
                kind,
                data_format_id,
                data_format_version,
            ):
                return spec
        return None
