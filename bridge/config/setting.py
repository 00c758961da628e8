"""What a setting is declared by: its kind, its default, its unit, and what it means."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Generic, TypeVar

from bridge.config.setting_choices import Environment

PREFIX = "BRIDGE_"

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The lowest and the highest number that is taken."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T_co]):
    """How the text of a setting becomes its value."""

    parse: Callable[[str], T_co]
    """Raises ValueError, whose words say what to write."""
    type: str = "string"
    """``string``, ``integer``, ``number`` or ``list``, whose parts are separated by commas."""
    limits: Limits | None = None
    choices: tuple[str, ...] = ()
    """What else is taken beside a number within the limits, or all that is."""


class Required(Enum):
    """There is no default."""

    REQUIRED = "must be given"


REQUIRED = Required.REQUIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class PerEnvironment:
    """A default that the environment chooses, as it would be written; None where it must be given."""

    tt02: str
    production: str
    sandbox: str | None = None

    def of(self, environment: Environment) -> str | None:
        """What is the default in *environment*."""
        return {
            Environment.SANDBOX: self.sandbox,
            Environment.TT02: self.tt02,
            Environment.PRODUCTION: self.production,
        }[environment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows(Generic[T_co]):
    """A default that follows from the value of another setting, which is text."""

    field: str
    words: str
    value: Callable[[str], T_co]


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed(Generic[T_co]):
    """A default that is more than text can say."""

    words: str
    value: Callable[[], T_co]


NONE: Computed[None] = Computed(words="none", value=lambda: None)

Default = str | Required | PerEnvironment | Follows[T] | Computed[T]
"""A text is read as if it stood in the environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it is declared."""

    field: str
    kind: Kind[object]
    default: Default[object]
    unit: str
    secret: bool
    meaning: str

    @property
    def name(self) -> str:
        """The variable that it is read from."""
        return f"{PREFIX}{self.field.upper()}"


def setting(kind: Kind[T], *, default: Default[T], meaning: str, unit: str = "", secret: bool = False) -> T:
    """The declaration of a dataclass's field; its type is that of *kind*, and None where that is the default."""
    declared: T = field(metadata={"kind": kind, "default": default, "unit": unit, "secret": secret, "meaning": meaning})
    return declared


def settings_of(declaring: type) -> tuple[Setting, ...]:
    """The settings that the fields of the dataclass *declaring* declare, in their order."""
    return tuple(Setting(field=each.name, **each.metadata) for each in fields(declaring))
