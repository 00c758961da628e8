"""What senders are told when they do not get what they wanted: a problem, and the one exception that carries it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from bridge.core.errors import BridgeError, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    What a sender is told instead of what was wanted.

    *code* names it in ``core/texts/problems.py`` (title and detail in nb, nn and en) and is the last part of the
    problem document's type; *facts* fill the text and must not be personal; *findings* list a form's faults.
    """

    code: str
    status: int
    facts: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class Refusal(BridgeError):
    """The request or the operation ends with a problem, of which its sender is told; as a ``Problem`` describes it."""

    def __init__(
        self,
        code: str,
        status: int,
        *,
        facts: Mapping[str, str] | None = None,
        findings: Sequence[Finding] = (),
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(code)
        self.problem = Problem(code=code, status=status, facts=dict(facts or {}), findings=tuple(findings))
        self.retry_after = retry_after

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Make the refusal that tells *problem*."""
        return cls(problem.code, problem.status, facts=problem.facts, findings=problem.findings)

    @property
    def code(self) -> str:
        """The problem's."""
        return self.problem.code

    @property
    def status(self) -> int:
        """The problem's."""
        return self.problem.status

    @property
    def facts(self) -> Mapping[str, str]:
        """The problem's."""
        return self.problem.facts

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The problem's."""
        return self.problem.findings


def form_invalid(findings: Sequence[Finding]) -> Refusal:
    """The refusal of a form for its *findings*, which its sender can mend."""
    return Refusal("form_invalid", 422, findings=findings)
