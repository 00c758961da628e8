"""From what a JSON Schema's validator says to findings, as those of an XSD are told."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from jsonschema_rs import ValidationError, ValidationErrorKind

from bridge.core.errors import Finding
from bridge.core.ids import pointer
from bridge.forms.json.input import Json, placed
from bridge.forms.json.schema_files import MOST_VALUES, Steps
from bridge.forms.xml.anchors import without_anchors

_DIGITS = re.compile(r"(?:\[0-9\]|\\d)\{(\d+)\}")
_TYPE_OF_FORMAT = {"date": "date", "date-time": "dateTime", "time": "time", "year": "gYear", "uri": "anyURI"}


def in_form_order(
    found: Iterator[tuple[Steps, Finding]], text: str, most: int, *, whole: Callable[[], bool]
) -> tuple[Finding, ...]:
    """Drop what is told twice, and put the rest into the form's order; not *whole*, the last says so."""
    once: dict[tuple[object, ...], tuple[Steps, Finding]] = {}
    for steps, finding in found:
        once.setdefault((finding.path, finding.rule, *sorted(finding.facts.items())), (steps, finding))
        if len(once) > most:
            break
    kept = list(once.values())[:most]
    findings = sorted(placed(kept, text), key=lambda finding: (finding.line, finding.column))
    return (*findings, *([] if whole() and len(once) <= most else [Finding(path="/", rule="more_findings")]))


# What the library found -> our rules. Facts come from the schema alone.
_LIMITS: Mapping[type, tuple[str, str]] = {
    ValidationErrorKind.MinLength: ("min_length", "minLength"),
    ValidationErrorKind.MaxLength: ("max_length", "maxLength"),
    ValidationErrorKind.Minimum: ("min_inclusive", "minInclusive"),
    ValidationErrorKind.Maximum: ("max_inclusive", "maxInclusive"),
    ValidationErrorKind.ExclusiveMinimum: ("min_exclusive", "minExclusive"),
    ValidationErrorKind.ExclusiveMaximum: ("max_exclusive", "maxExclusive"),
    ValidationErrorKind.MinItems: ("too_few", "min"),
    ValidationErrorKind.MaxItems: ("too_many", "max"),
}
"""Rules with one limit, and the fact that it is in their sentences."""


def findings_of(error: ValidationError) -> Iterator[tuple[Steps, Finding]]:
    """What is wrong, each with the steps to its place."""
    steps = tuple(error.instance_path)
    kinds = ValidationErrorKind
    if (row := _LIMITS.get(type(error.kind))) is not None:
        rule, fact = row
        limit: object = error.kind.limit  # type: ignore[attr-defined]
        yield _finding(steps, rule, **{fact: str(limit)})
        return
    match error.kind:
        case kinds.Required(property=name):
            yield _finding((*steps, name), "missing_element")
        case kinds.AdditionalProperties(unexpected=names) | kinds.UnevaluatedProperties(unexpected=names):
            for name in names:
                yield _finding((*steps, name), "unexpected_element")
        case kinds.AnyOf(context=context) | kinds.OneOfNotValid(context=context):
            yield from _of_branches(context, steps)
        case kinds.OneOfMultipleValid():
            yield _finding(steps, "several_alternatives")
        case kinds.Type(types=types):
            wanted = [name for name in types if name != "null"]
            yield _finding(steps, "type", type="decimal" if wanted == ["number"] else ", ".join(wanted))
        case kinds.Pattern(pattern=pattern):
            bare = without_anchors(pattern)
            digits = _DIGITS.fullmatch(bare) if bare != pattern else None
            yield _finding(steps, "digits", digits=digits[1]) if digits else _finding(steps, "pattern", pattern=bare)
        case kinds.Enum(options=options):
            more = ", …" if len(options) > MOST_VALUES else ""
            yield _finding(steps, "enumeration", enumeration=", ".join(map(_shown, options[:MOST_VALUES])) + more)
        case kinds.Constant(expected_value=value):
            yield _finding(steps, "fixed", fixed=_shown(value))
        case kinds.Format(format=name) if name in _TYPE_OF_FORMAT:
            yield _finding(steps, "type", type=_TYPE_OF_FORMAT[name])
        case kinds.Format(format=name):
            yield _finding(steps, "format", format=name)
        case kinds.MultipleOf(multiple_of=step):
            decimals = _decimals(step)
            if decimals:
                yield _finding(steps, "fraction_digits", fractionDigits=str(decimals))
            else:
                yield _finding(steps, "multiple_of", multiple=str(step))
        case kinds.UniqueItems():
            yield _finding(steps, "not_unique")
        case kinds.FalseSchema():
            yield _finding(steps, "unexpected_element")
        case kinds.BacktrackLimitExceeded() | kinds.RegexEngineFailure():
            yield _finding(steps, "not_checkable")
        case _:
            yield _finding(steps, "not_allowed")


def _of_branches(context: Sequence[Sequence[ValidationError]], steps: Steps) -> Iterator[tuple[Steps, Finding]]:
    """Of a nullable or typed choice, the one branch that speaks of this kind of value tells what is wrong."""
    fitting = [branch for branch in context if not any(_is_of_other_type(inner, steps) for inner in branch)]
    if len(fitting) == 1:
        for inner in fitting[0]:
            yield from findings_of(inner)
    elif lacking := _lacking(context, steps):
        yield _finding(steps, "incomplete", expected=lacking)
    else:
        yield _finding(steps, "not_allowed")


def _finding(steps: Steps, rule: str, **facts: str) -> tuple[Steps, Finding]:
    return steps, Finding(path=pointer(steps), rule=rule, facts=facts)


def _is_of_other_type(error: ValidationError, steps: Steps) -> bool:
    return isinstance(error.kind, ValidationErrorKind.Type) and tuple(error.instance_path) == steps


def _lacking(context: Sequence[Sequence[ValidationError]], steps: Steps) -> str:
    """Name what each branch of a choice asks for, where that is all that stands against it; else nothing."""
    branches: list[list[str]] = []
    for branch in context:
        names = [error.kind.property for error in branch if isinstance(error.kind, ValidationErrorKind.Required)]
        if len(names) < len(branch) or any(tuple(error.instance_path) != steps for error in branch):
            return ""
        branches.append(names)
    more = ", …" if len(branches) > MOST_VALUES else ""
    return ", ".join(dict.fromkeys(" + ".join(names) for names in branches[:MOST_VALUES])) + more


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _decimals(step: float | Decimal) -> int:
    """How many decimals a step like 0.01 allows, or 0 for another step."""
    _, digits, exponent = Decimal(str(step)).as_tuple()
    return -exponent if digits == (1,) and isinstance(exponent, int) and exponent < 0 else 0
