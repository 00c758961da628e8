"""
Everything that can go wrong, sorted by what to do next.

    BridgeError
    ├── UpstreamError        a system we called did not do what we asked
    │   ├── Unreachable      nothing was written there: repeat it, later
    │   │   ├── Paused       it asked for a pause, and nobody calls it now
    │   │   └── CredentialsRefused  it knows the bridge itself no more: call an operator, and repeat it
    │   ├── OutcomeUnknown   it may have been written there: read back before repeating
    │   └── Rejected         it said no: never repeat it as it is
    │       ├── Conflict     somebody else wrote first: read again, compute again
    │       └── Missing      what we asked for is not there (404), or no longer (410)
    ├── Refusal              what a sender is told, as an RFC 9457 problem document
    └── ConfigurationError   settings, mappings or schemas that cannot be used; every fault at once

No message here holds form values, tokens, names or national identity numbers.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum


class BridgeError(Exception):
    """The root of what the bridge raises itself."""


class UpstreamError(BridgeError):
    """A system we called did not do what we asked."""

    def __init__(self, system: str, detail: str, *, status: int | None = None) -> None:
        super().__init__(f"{system}: {detail}")
        self.system, self.detail, self.status = system, detail, status


class Unreachable(UpstreamError):
    """Nothing was written: repeat the call, at the earliest after *retry_after* if that is given."""

    def __init__(
        self,
        system: str,
        detail: str,
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(system, detail, status=status)
        self.retry_after = retry_after


class Paused(Unreachable):
    """The system asked for a pause, by this call or an earlier one; *retry_after* is what is left of it."""


class CredentialsRefused(Unreachable):
    """
    The system, or who gives out tokens for it, refused the bridge's own key, token, login or API key.

    It says nothing of what was asked, so nobody who asked is refused for it: what was accepted waits until an
    operator has mended it. *reason* is a code, as in ``Rejected``.
    """

    def __init__(self, system: str, detail: str, *, status: int | None = None, reason: str) -> None:
        super().__init__(system, detail, status=status)
        self.reason = reason


class NoRoom(Unreachable):
    """We have no room for what passes through: nothing was sent, and an operator makes room, as *detail* says."""


class OutcomeUnknown(UpstreamError):
    """
    The call left us and no answer came: read the state back before repeating it.

    *under_way* says that it may still take effect later: where nobody answered, or a gateway did that had stopped
    waiting. None leaves it to *status*.
    """

    def __init__(self, system: str, detail: str, *, status: int | None = None, under_way: bool | None = None) -> None:
        super().__init__(system, detail, status=status)
        self.under_way = status in _NOT_AT_ITS_END if under_way is None else under_way


_NOT_AT_ITS_END = (None, 408, 502, 504)
"""Statuses of a gateway, or of a server that stopped waiting: the call may be at work behind them all the same."""


class Rejected(UpstreamError):
    """
    The system said no and will say no again.

    *reason* is a code for tables and texts, such as ``form_invalid`` or ``already_exists``; *detail* is for the
    operator. *keys* are the names under which the system listed its errors (never their values).
    """

    def __init__(
        self,
        system: str,
        detail: str,
        *,
        status: int | None = None,
        reason: str = "rejected",
        keys: Sequence[str] = (),
    ) -> None:
        super().__init__(system, detail, status=status)
        self.reason, self.keys = reason, tuple(keys)


class Conflict(Rejected):
    """Somebody else wrote first (409 under the empty key, 412): read again and compute again."""


class Missing(Rejected):
    """What we asked for is not there, not ours, or no longer there."""


class Severity(Enum):
    """What a finding does where forms are held to their rules: an error blocks, a warning is only told."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One fault in a form, without the value that caused it.

    *rule* is a code of the text table (``pattern``, ``missing_element``, …), *facts* are what its sentence needs
    (facet values and names from the schema, never from the form). *line* and *column* count from 1; 0 is unknown.
    *value* is what stands in the form, and is there only where an operator asked at the command line: it is in no
    repr, and nothing in the service sets, keeps or tells it. *at_end* says that what is missing has its place behind
    all that its parent holds; else *before* is the path of what stands in its place.
    """

    path: str
    rule: str
    facts: Mapping[str, str] = field(default_factory=dict)
    line: int = 0
    column: int = 0
    severity: Severity = Severity.ERROR
    value: str | None = field(default=None, repr=False, compare=False)
    at_end: bool = field(default=False, repr=False, compare=False)
    before: str | None = field(default=None, repr=False, compare=False)


def errors_of(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of *findings* that are more than warnings."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def told_briefly(findings: Iterable[Finding], most: int = 50) -> list[str]:
    """The paths and rules of the first *most* of *findings*, for the log."""
    return [f"{finding.path} {finding.rule}" for finding in itertools.islice(findings, most)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with the configuration: where it stands, and what to write instead."""

    where: str
    """``file:line:column`` for files, the name of the variable for settings."""
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ConfigurationError(BridgeError):
    """Settings, mappings or schemas that cannot be used; carries every fault, not the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def place_of(error: BaseException) -> str:
    """Where *error* was raised, as ``function:line``: what may be told of an error whose text may hold anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
