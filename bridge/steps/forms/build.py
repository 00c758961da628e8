"""The forms of an action as they shall be: made of what is held and what was sent, and held against their schemas."""

import re
from dataclasses import dataclass, replace

import structlog

from bridge.core.altinn_dates import OSLO
from bridge.core.elements import Form
from bridge.core.errors import ConfigurationError, Finding, errors_of, told_briefly
from bridge.core.mapping import FormKind, FormSource, ServiceMapping, Validation
from bridge.core.problems import Problem, Refusal, form_invalid
from bridge.core.templates import template_values
from bridge.forms.conversion.nils import without_forbidden_nils
from bridge.forms.fields import PlaceMissing, places_found, set_values
from bridge.forms.xml.input import Unreadable, parse, to_text, to_utf8
from bridge.parts import Bridge
from bridge.steps.delivery import Delivery
from bridge.steps.forms.app_calculation import calculated
from bridge.steps.forms.request_body import converter_of, is_message, merged_forms

_PREFIX = re.compile(r"(?<=[/@])[^/@:\[]+:")
_NUMBER = re.compile(r"\[\d+\]")

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge.steps")


def wanted_forms(delivery: Delivery, held: tuple[Form, ...]) -> tuple[Form, ...]:
    """
    Make the forms that are wanted of those that are held: what was sent, the mapping's values, the app's calculation.

    Raises:
        Refusal: One of them cannot be made.
        Unreachable: The app did not answer.
    """
    bridge, mapping, sent = delivery.bridge, delivery.mapping, delivery.sent()
    for form in sent.forms:
        if form.data and not _read_later(delivery, form):
            _refuse_unreadable(bridge, form.data)
    forms = merged_forms(held, sent.forms, sent.removed)
    forms = tuple(_prepared(delivery, form) for form in forms)
    if not delivery.action.calculates:
        return tuple(_without_nils(bridge, mapping, form) for form in forms)
    return tuple(
        replace(form, data=calculated(delivery, form)) if form.kind is FormKind.MAIN else form for form in forms
    )


def _prepared(delivery: Delivery, form: Form) -> Form:
    bridge, operation, action = delivery.bridge, delivery.operation, delivery.action
    if form.kind is not FormKind.MAIN:
        return form
    if action.form is FormSource.BODY and operation.body is not None and not is_message(operation.body):
        if not _read_later(delivery, form):
            _refuse_unreadable(bridge, operation.body)
        try:
            form = replace(form, data=to_text(operation.body, bridge.schemas.limits))
        except Unreadable as error:
            raise form_invalid((error.finding,)) from error
    if action.set_values:
        link = delivery.link()
        values = template_values(
            party="" if link is None else link.party,
            dialog_id=operation.dialog_id,
            action=operation.action,
            now=bridge.clock().astimezone(OSLO),
        )
        try:
            form = replace(form, data=set_values(form.data, action.set_values, values, limits=bridge.schemas.limits))
        except PlaceMissing as error:
            # The person cannot mend it: the mapping's path, or what the form was made from.
            log.warning("a value of the mapping has no place in the form", action=action.name, path=error.path)
            problem = Problem(code="form_value_missing", status=422, facts={"path": str(error.args[0])})
            raise Refusal.of(problem) from error
        except Unreadable as error:
            raise form_invalid((error.finding,)) from error
    return form


def _without_nils(bridge: Bridge, mapping: ServiceMapping, form: Form) -> Form:
    """Take out what an app says of empty fields: its answer may come back as the form of another action."""
    spec = mapping.form_spec(form.kind, form.data_format_id, form.data_format_version)
    if mapping.altinn3 is None or form.kind is not FormKind.MAIN or spec is None or "nil" not in form.data:
        return form
    try:
        without = without_forbidden_nils(converter_of(bridge, spec), form.data, bridge.schemas.limits)
    except (Unreadable, ConfigurationError):
        # What it is, the check says, if it is asked.
        return form
    return replace(form, data=without.data.decode())


def _read_later(delivery: Delivery, form: Form) -> bool:
    """Whether *form*, which was sent, is parsed again on its way, and refused in the same words if it is no XML."""
    mapping, action = delivery.mapping, delivery.action
    if form.kind is FormKind.MAIN and (action.set_values or action.calculates):
        return True
    spec = mapping.form_spec(form.kind, form.data_format_id, form.data_format_version)
    return action.validate is Validation.STRICT and spec is not None and bool(spec.schema or spec.rules)


def _refuse_unreadable(bridge: Bridge, data: bytes | str) -> None:
    """Refuse what is no XML, however little the mapping looks at it: nobody can tell what is meant. Raises Refusal."""
    limits = bridge.schemas.limits
    try:
        parse(to_utf8(data, limits), max_depth=limits.max_depth)
    except Unreadable as error:
        raise form_invalid((error.finding,)) from error


def check_forms(delivery: Delivery, forms: tuple[Form, ...], *, held: tuple[Form, ...]) -> None:
    """
    Hold *forms*, made of what is *held*, against what the mapping knows of them.

    Raises:
        Refusal: Where it is strict, and for others' forms. What is wrong with what was sent is for its sender to
            mend, what the mapping's values or an app put there for an operator.
    """
    bridge, mapping, action = delivery.bridge, delivery.mapping, delivery.action
    findings: list[Finding] = []
    in_changed: list[Finding] = []
    for form in forms:
        spec = mapping.form_spec(form.kind, form.data_format_id, form.data_format_version)
        if spec is None:
            name = f"{form.data_format_id}/{form.data_format_version}"
            if form.form_id is not None:
                log.warning("the element holds a form that the mapping does not know", form=name, file=mapping.source)
            raise Refusal("form_unknown", 422, facts={"form": name})
        # A subform without data is filled in by Altinn 2.
        if action.validate is not Validation.OFF and form.data:
            found = bridge.schemas.check_form(spec, form.data)
            # What the mapping's values or an app changed, nobody has seen: its lines are nobody's.
            changed = form.kind is FormKind.MAIN and (action.set_values or action.calculates)
            found = tuple(replace(each, line=0, column=0) for each in found) if changed else found
            in_changed += found if changed else ()
            findings += found
    errors = errors_of(findings)
    if errors and action.validate is Validation.STRICT:
        made_here = _made_here(delivery, forms, held, errors=errors_of(in_changed))
        theirs = tuple(each for each in errors if not any(each is other for other in made_here.findings))
        if theirs or not made_here.findings:
            raise form_invalid(theirs)
        raise made_here.refusal()
    if findings:
        warnings = len(findings) - len(errors)
        log.warning("the form has faults and is sent all the same", faults=len(errors), warnings=warnings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _MadeHere:
    """What is wrong with a form, and was not so in what was sent."""

    by_values: tuple[Finding, ...]
    by_app: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.by_values + self.by_app

    def refusal(self) -> Refusal:
        """What the sender is told, who can mend none of it."""
        if self.by_values:
            return Refusal("form_value_refused", 422, facts={"path": self.by_values[0].path}, findings=self.findings)
        return Refusal("calculation_invalid", 502, findings=self.findings)


def _made_here(
    delivery: Delivery, forms: tuple[Form, ...], held: tuple[Form, ...], *, errors: tuple[Finding, ...]
) -> _MadeHere:
    """
    Those of *errors* in the main form that the mapping's values or the app brought, told to the operator.

    A rule of the mapping judges what the sender wrote also where an app counts with it, and has words for the sender.
    """
    bridge, mapping, action = delivery.bridge, delivery.mapping, delivery.action
    if not errors:
        return _MadeHere(by_values=(), by_app=())
    main = next(form for form in forms if form.kind is FormKind.MAIN)
    was = {(_of_any_row(each.path), each.rule) for each in _findings_before(delivery, held)}
    paths = [path for path, _ in action.set_values]
    places = {_plain(each) for each in places_found(main.data, paths, limits=bridge.schemas.limits)}
    put = [each for each in errors if _plain(each.path) in places]
    new = [
        each
        for each in errors
        if _plain(each.path) not in places
        and each.rule != "business_rule"
        and (_of_any_row(each.path), each.rule) not in was
    ]
    by_values, by_app = (put, new) if action.calculates else (put + new, [])
    if by_values:
        log.warning(
            "the form does not take what the mapping puts into it",
            action=action.name,
            file=mapping.source,
            faults=told_briefly(by_values),
        )
    if by_app:
        app = None if mapping.altinn3 is None else f"{mapping.altinn3.org}/{mapping.altinn3.app}"
        log.warning("the form does not take what an app calculated", app=app, faults=told_briefly(by_app))
    return _MadeHere(by_values=tuple(by_values), by_app=tuple(by_app))


def _findings_before(delivery: Delivery, held: tuple[Form, ...]) -> tuple[Finding, ...]:
    """What is wrong with the main form as it is held or was sent."""
    bridge, mapping, operation, sent = delivery.bridge, delivery.mapping, delivery.operation, delivery.sent()
    form = next(each for each in merged_forms(held, sent.forms, sent.removed) if each.kind is FormKind.MAIN)
    data: str | bytes = form.data
    if delivery.action.form is FormSource.BODY and operation.body is not None and not is_message(operation.body):
        data = operation.body
    spec = mapping.form_spec(form.kind, form.data_format_id, form.data_format_version)
    return () if spec is None else bridge.schemas.check_form(spec, data)


def _plain(path: str) -> str:
    """*path* without prefixes, which the form's own way may change."""
    return _PREFIX.sub("", path)


def _of_any_row(path: str) -> str:
    """*path* without prefixes and numbers: an app that adds a row, or takes one away, moves the others."""
    return _NUMBER.sub("", _plain(path))
