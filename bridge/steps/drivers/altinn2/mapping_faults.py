"""What is wrong with a mapping's actions in Altinn 2, as far as the file shows it."""

from collections.abc import Iterator, Sequence

from bridge.config.mapping_keys import ActionKeys
from bridge.config.mapping_parts import Parts
from bridge.config.mapping_values import after_of
from bridge.config.yaml_source import Place
from bridge.core.mapping import AfterUpdate
from bridge.core.targets import Target

_UNTRUE = {
    AfterUpdate.KEEP_AS_DRAFT: ("SentToSigning", "SignatureProvided", "FormSubmitted", "SentToSendIn"),
    AfterUpdate.BACK_TO_FORM_FILLING: ("SentToSigning", "SignatureProvided", "FormSubmitted", "SentToSendIn"),
    AfterUpdate.SEND_TO_SIGNING: ("SignatureProvided", "FormSubmitted", "FormSaved"),
    AfterUpdate.SIGN_AND_ARCHIVE: ("SentToSigning", "FormSaved", "SentToFormFill"),
}
"""What did not happen when the element was left so."""


def mapping_faults(said: Parts) -> Iterator[tuple[Place, str]]:
    """The keys that lead to each fault, and what to write instead."""
    if said.lone_signer:
        yield ("altinn2", "unique_signers"), "one signing step has one signer: say 'signing_steps', or leave it out"
    for name, action in said.actions_of(Target.ALTINN2):
        for place, message in _action_faults(said, action):
            yield ("actions", name, *place), message


def _action_faults(said: Parts, action: ActionKeys) -> Iterator[tuple[Place, str]]:
    if "altinn2" not in said.systems:
        yield ("target",), "the mapping has no 'altinn2' to say which service holds the elements"
    if action.keep_dialog and not action.delete:
        yield ("keep_dialog",), "only 'delete: true' deletes a dialog: leave it out"
    if action.grace_period_days is not None and not action.delete:
        yield ("grace_period_days",), "only 'delete: true' has a period of grace: leave it out"
    if not action.calculate:
        for name, given in (("results", bool(action.results)), ("lost_fields", action.lost_fields is not None)):
            if given:
                yield (name,), "nothing is calculated: write 'calculate: true', or leave it out"
    whole = [name for name in ("delete", "confirm", "archive") if getattr(action, name)]
    if whole:
        yield from _whole_faults(action, whole)
        return
    for name, flag in (("complete", action.complete), ("sign", action.sign)):
        if flag is None:
            yield (), f"say '{name}: true' or '{name}: false': left out, Altinn 2 would take it for true"
    after = after_of(action)
    if after is None:
        return
    if said.others_sign and after is AfterUpdate.SIGN_AND_ARCHIVE and action.form != "none":
        yield ("sign",), "others have to sign first, says 'others_sign': write 'sign: false'"
    yield from _attachment_faults(said, action)
    yield from _asking_faults(action)
    if action.signature is not None and (action.form != "none" or not action.sign):
        yield ("signature",), "it goes with 'form: none' and 'sign: true': only what is in signing has ids to sign by"
    if action.form == "none" and after is not AfterUpdate.SIGN_AND_ARCHIVE:
        yield (
            ("form",),
            "a PUT without forms deletes them unless it signs: say 'complete: true' and 'sign: true', or 'message'",
        )
    if action.then.activity in _UNTRUE[after]:
        left = {"KEEP_AS_DRAFT": "a draft", "SEND_TO_SIGNING": "in signing", "SIGN_AND_ARCHIVE": "signed and archived"}
        yield ("then", "activity"), f"{action.then.activity} would be untrue: the element is left {left[after.name]}"


def _whole_faults(action: ActionKeys, whole: Sequence[str]) -> Iterator[tuple[Place, str]]:
    for name in whole[1:]:
        yield (name,), f"the action does '{whole[0]}' already: make another action of this"
    for name in ("complete", "sign", "signature", "attachments", "subforms"):
        if getattr(action, name) is not None:
            yield (name,), f"'{whole[0]}' sends no content: leave it out"
    if action.altinn_validate:
        yield ("altinn_validate",), f"'{whole[0]}' completes nothing: leave it out"
    if action.form != "none":
        yield ("form",), f"'{whole[0]}' sends no content: write none"


def _asking_faults(action: ActionKeys) -> Iterator[tuple[Place, str]]:
    if action.altinn_validate and (action.form == "none" or not action.complete):
        yield ("altinn_validate",), "it stands before a completion: write 'complete: true' and a form, or leave it out"
    if action.subforms is not None and action.form != "body":
        yield ("subforms",), "subforms are named in a body: write 'form: body', or leave it out"


def _attachment_faults(said: Parts, action: ActionKeys) -> Iterator[tuple[Place, str]]:
    given = action.attachments
    if given is None:
        return
    if "body" in given.from_ and action.form != "body":
        yield ("attachments", "from"), "attachments come in a body only with 'form: body'"
    if given.changes is not None and "upload" not in given.from_:
        yield ("attachments", "changes"), "it is about uploads: write 'from: [upload]', or leave it out"
    if action.form == "none":
        yield ("attachments",), "with 'form: none' nothing is added: leave it out"
    known = {each.casefold() for each in said.attachment_types}
    for name in given.types:
        if known and name.casefold() not in known:
            yield ("attachments", "types"), f"there is no type {name!r} in 'attachment_rules'"
