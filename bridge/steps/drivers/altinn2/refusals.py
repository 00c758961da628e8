"""Altinn 2's no: a line for the operator, and what whoever asked is told."""

from collections.abc import Iterable
from dataclasses import replace

import structlog

from bridge.core.altinn2_problems import problem_for
from bridge.core.errors import Finding, Rejected
from bridge.core.problems import Problem, Refusal

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def note(error: Rejected) -> None:
    """Log *error* for the operator, once where a step or a request ends with it."""
    log.warning("refused by Altinn 2", reason=error.reason, detail=error.detail)


def refusal_of(error: Rejected) -> Refusal:
    """What a request ends with that only asked, or brought an attachment; *error* is logged."""
    note(error)
    return Refusal.of(problem_for(error.reason))


def problem_of(error: Rejected) -> Problem:
    """What who pressed is told, with the places at fault in the form."""
    return replace(problem_for(error.reason), findings=findings_at(error.keys))


def findings_at(paths: Iterable[str]) -> tuple[Finding, ...]:
    """The places of a form that Altinn 2 names; what it says of them may hold values."""
    return tuple(Finding(path=path, rule="refused_by_altinn") for path in paths)
