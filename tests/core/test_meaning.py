"""What an action means, and which changes of a mapping change it."""

from dataclasses import replace

import pytest

from bridge.core.cases import CaseStatus
from bridge.core.errors import Severity
from bridge.core.mapping import (
    ActionMapping,
    AfterUpdate,
    Altinn2Service,
    Altinn3App,
    AttachmentPolicy,
    AttachmentRule,
    Button,
    Changes,
    DialogSpec,
    FormKind,
    FormRule,
    FormSource,
    FormSpec,
    Priority,
    Requirement,
    ServiceMapping,
    Signed,
    StateRule,
    Supply,
    Then,
    Validation,
    Verb,
)
from bridge.core.meaning import meaning_of
from bridge.core.targets import Target

TEXT = {"nb": "Send", "nn": "Send", "en": "Send"}
RULE = FormRule(at="/melding", test="navn", severity=Severity.ERROR, text=TEXT)
FORM = FormSpec(kind=FormKind.MAIN, data_format_id="5801", data_format_version="42001", schema=None, rules=(RULE,))
SAVE = ActionMapping(
    name="save",
    requires=Requirement(action="write"),
    minimum_level=3,
    target=Target.ALTINN2,
    form=FormSource.BODY,
    set_values=(),
    calculate=False,
    validate=Validation.STRICT,
    after=AfterUpdate.KEEP_AS_DRAFT,
    then=Then(),
)
MAPPING = ServiceMapping(
    service_resource="urn:altinn:resource:serveringsbevilling",
    altinn2=Altinn2Service(service_code="5701", service_edition=1),
    altinn3=Altinn3App(org="ttd", app="servering", data_type="model"),
    forms=(FORM,),
    actions={"save": SAVE},
    states={},
    source="servering.yaml",
)
RULES = (AttachmentRule(type="Plan", extensions=(), min_count=1, max_count=None, max_bytes=1),)
SEND = replace(SAVE, after=AfterUpdate.SIGN_AND_ARCHIVE)


@pytest.mark.parametrize(
    "action",
    [
        replace(SAVE, after=AfterUpdate.SEND_TO_SIGNING),
        SEND,
        replace(SAVE, form=FormSource.MESSAGE),
        replace(SAVE, target=Target.ALTINN3),
        replace(SAVE, form=FormSource.NONE, verb=Verb.DELETE),
        replace(SAVE, set_values=(("/melding/navn", "{party.orgno}"),)),
        replace(SAVE, calculate=True),
        replace(SAVE, validate=Validation.OFF),
        replace(SAVE, signed=Signed.REQUIRED),
        replace(SAVE, altinn_validation=True),
    ],
)
def test_what_is_done_otherwise_means_something_else(action: ActionMapping) -> None:
    """Flags, target, verb, form, values that are put in, checks."""
    assert meaning_of(MAPPING, action) != meaning_of(MAPPING, SAVE)


@pytest.mark.parametrize(
    ("action", "mapping"),
    [
        (SAVE, replace(MAPPING, altinn2=Altinn2Service(service_code="5701", service_edition=2))),
        (SAVE, replace(MAPPING, forms=(replace(FORM, data_format_version="42002"),))),
        (SAVE, replace(MAPPING, forms=(replace(FORM, rules=()),))),
        (SEND, replace(MAPPING, attachment_rules=RULES)),
        (replace(SAVE, calculate=True), replace(MAPPING, altinn3=Altinn3App(org="ttd", app="ny", data_type="model"))),
    ],
    ids=["another edition", "another form", "another rule", "attachments wanted", "another app"],
)
def test_what_the_action_stands_on_belongs_to_it(action: ActionMapping, mapping: ServiceMapping) -> None:
    """The service, its forms and their rules, its attachments, the app that calculates."""
    assert meaning_of(mapping, action) != meaning_of(MAPPING, action)


@pytest.mark.parametrize(
    ("mapping", "action"),
    [
        (MAPPING, replace(SAVE, then=Then(status="InProgress"))),
        (MAPPING, replace(SAVE, button=Button(title=TEXT, priority=Priority.PRIMARY))),
        (MAPPING, replace(SAVE, requires=Requirement(action="sign"), minimum_level=4)),
        (replace(MAPPING, states={CaseStatus.SIGNING: StateRule(status="Sent", actions=None)}), SAVE),
        (replace(MAPPING, dialog=DialogSpec(search_tags=("servering",)), source="another.yaml", said="{}"), SAVE),
        (replace(MAPPING, forms=(replace(FORM, rules=(replace(RULE, text={}),)),)), SAVE),
        (replace(MAPPING, altinn3=None), SAVE),
        (replace(MAPPING, attachment_rules=RULES), SAVE),
    ],
    ids=["then", "button", "who", "states", "dialog", "a rule's text", "an app not asked", "attachments not taken"],
)
def test_what_is_only_told_changes_nothing(mapping: ServiceMapping, action: ActionMapping) -> None:
    """A press that waits is not refused for a better text, or for a system that it does not use."""
    assert meaning_of(mapping, action) == meaning_of(MAPPING, SAVE)


def test_what_is_left_out_and_what_is_said_as_default_mean_the_same() -> None:
    """A release that adds a member to mappings refuses nothing that waits."""
    said = replace(MAPPING, altinn2=Altinn2Service(service_code="5701", service_edition=1, bare_completion=False))

    assert meaning_of(said, replace(SAVE, subforms=())) == meaning_of(MAPPING, SAVE)


@pytest.mark.parametrize(
    ("mapping", "action", "digest"),
    [
        (MAPPING, SAVE, "34393e85135b23772db2e84c63eea9d7ee05e1489c80ec57b0ca06f13b0855ac"),
        (
            replace(MAPPING, attachment_rules=RULES),
            replace(
                SEND,
                set_values=(("/melding/navn", "{party.orgno}"),),
                calculate=True,
                altinn_validation=True,
                attachment_policy=AttachmentPolicy(types=("Plan",), supplies=(Supply.BODY,), changes=Changes.ANY),
                signed=Signed.REQUIRED,
            ),
            "6f9d4db2e447a623c6667b1ad00da49de1cccddd1663418fa44da9d001a42f44",
        ),
    ],
    ids=["little", "much"],
)
def test_what_waits_means_the_same_to_the_next_release(
    mapping: ServiceMapping, action: ActionMapping, digest: str
) -> None:
    """Digests lie beside presses that wait: a member that gets another name within the bridge refuses none of them."""
    assert meaning_of(mapping, action).digest == digest
