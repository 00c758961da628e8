"""From the model of a mapping file to the values of ``core/mapping``."""

from pathlib import Path

from bridge.config.mapping_dialog_keys import button_of, dialog_of, embeds_of, refused_of, state_of, then_of
from bridge.config.mapping_keys import (
    ActionKeys,
    Altinn3Keys,
    AttachmentRuleKeys,
    AttachmentsKeys,
    MappingFile,
    NarrowedKeys,
)
from bridge.config.mapping_states import STATUSES
from bridge.core.attachment_rules import MEGABYTE, extensions_in
from bridge.core.cases import CaseStatus
from bridge.core.elements import can_act
from bridge.core.errors import Severity
from bridge.core.mapping import (
    DEFAULT_SCOPES,
    ActionMapping,
    AfterUpdate,
    Altinn2Service,
    Altinn3App,
    AttachmentPolicy,
    AttachmentRule,
    Changes,
    FormFormat,
    FormKind,
    FormRule,
    FormSource,
    FormSpec,
    LostFields,
    NamespaceReading,
    Narrowed,
    Receiver,
    Requirement,
    Right,
    ServiceMapping,
    Signed,
    SubformRight,
    Supply,
    Validation,
    Verb,
)
from bridge.core.targets import Target


def after_of(action: ActionKeys) -> AfterUpdate | None:
    """What the two flags mean together; None when one is left out."""
    if action.target != "altinn2" or action.delete or action.confirm or action.archive:
        return AfterUpdate.KEEP_AS_DRAFT
    if action.complete is None or action.sign is None:
        return None
    return AfterUpdate((action.complete, action.sign))


def mapping_of(file: MappingFile, source: Path | str) -> ServiceMapping:
    return ServiceMapping(
        service_resource=file.service_resource,
        altinn2=None
        if file.altinn2 is None
        else Altinn2Service(
            service_code=file.altinn2.service_code,
            service_edition=file.altinn2.service_edition,
            bare_completion=file.altinn2.bare_completion,
            others_sign=file.altinn2.others_sign,
            signing_steps=file.altinn2.signing_steps,
            unique_signers=file.altinn2.unique_signers,
            compare_forms=file.altinn2.compare_forms,
        ),
        altinn3=None if file.altinn3 is None else _app(file.altinn3),
        forms=tuple(
            FormSpec(
                kind=FormKind(form.type),
                data_format_id=form.data_format_id,
                data_format_version=form.data_format_version,
                schema=form.schema_,
                sha256=form.sha256,
                namespace=NamespaceReading(form.namespace),
                receiver=Receiver(file.receiver or ("other" if file.altinn2 is None else "dotnet")),
                root=form.root,
                json_schema=form.json_schema,
                json_sha256=form.json_sha256,
                rules=tuple(
                    FormRule(at=rule.at, test=rule.test, severity=Severity(rule.severity), text=rule.text.model_dump())
                    for rule in form.rules
                ),
            )
            for form in file.forms
        ),
        actions={name: action_of(name, action) for name, action in file.actions.items()},
        states={STATUSES[state]: state_of(rule) for state, rule in file.states.items()},
        embeds=embeds_of(file.embeds),
        source=str(source),
        attachment_rules=tuple(map(_attachment_rule, file.attachment_rules)),
        dialog=dialog_of(file.dialog),
        said=file.model_dump_json(by_alias=True, exclude_unset=True),
        refused=refused_of(file.refused),
    )


def _attachment_rule(rule: AttachmentRuleKeys) -> AttachmentRule:
    return AttachmentRule(
        type=rule.type,
        extensions=extensions_in(rule.file_types),
        min_count=rule.min_count,
        max_count=rule.max_count,
        max_bytes=rule.max_size_mb * MEGABYTE,
    )


def _app(app: Altinn3Keys) -> Altinn3App:
    org, _, name = app.app.partition("/")
    scopes = DEFAULT_SCOPES if app.scopes is None else tuple(app.scopes)
    return Altinn3App(org=org, app=name, data_type=app.data_type, scopes=scopes, speaks=FormFormat(app.speaks))


def requirement(text: str) -> Requirement:
    """The requirement that ``action``, or ``action,attribute``, spells."""
    action, _, attribute = text.partition(",")
    return Requirement(action=action, attribute=attribute or None)


def _right(requires: str | NarrowedKeys) -> Right:
    if isinstance(requires, str):
        return requirement(requires)
    return Narrowed(
        token_ref=requires.token_ref, asks=None if requires.action is None else requirement(requires.action)
    )


def _attachment_policy(given: AttachmentsKeys) -> AttachmentPolicy:
    return AttachmentPolicy(
        types=tuple(given.types),
        supplies=tuple(map(Supply, given.from_)),
        changes=Changes(given.changes or "uploaded"),
    )


def acts(name: str, action: ActionKeys | None, state: CaseStatus) -> bool:
    """Whether the action can do something in *state*; what is told to be faulty is told that alone."""
    return action is None or after_of(action) is None or can_act(action_of(name, action), state)


def action_of(name: str, action: ActionKeys) -> ActionMapping:
    after = after_of(action)
    if after is None:  # Refused above, with words.
        raise ValueError(name)
    return ActionMapping(
        name=name,
        requires=_right(action.requires),
        minimum_level=action.minimum_level,
        target=Target(action.target),
        form=FormSource(action.form),
        set_values=tuple(action.set_.items()),
        calculate=action.calculate,
        validate=Validation(action.validate_ or ("off" if action.form == "none" else "strict")),
        after=after,
        then=then_of(action.then),
        button=button_of(action.button),
        verb=next((verb for verb in Verb if getattr(action, verb.value, False)), Verb.PUT),
        keeps_dialog=action.keep_dialog,
        grace_days=action.grace_period_days,
        attachment_policy=None if action.attachments is None else _attachment_policy(action.attachments),
        signed=Signed(action.signature or "all"),
        altinn_validation=action.altinn_validate,
        subforms=tuple(map(SubformRight, action.subforms or ())),
        results=tuple(action.results.items()),
        lost_fields=LostFields(action.lost_fields or "refuse"),
    )
