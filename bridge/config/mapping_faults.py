"""What only shows when the keys of a mapping file are seen together."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from lxml import etree
from pydantic import ValidationError

from bridge.config.mapping_dialog_keys import (
    OPEN_STATES,
    DialogKeys,
    EmbedKeys,
    Model,
    RefusedKeys,
    StateKeys,
    button_faults,
    crowded,
    date_faults,
    dialog_faults,
    embed_faults,
    following_date_faults,
    link_faults,
    refused_faults,
    state_date_faults,
    template_faults,
    wording_faults,
)
from bridge.config.mapping_keys import ACTIONS, ActionKeys, AttachmentRuleKeys, FormKeys
from bridge.config.mapping_values import action_of, acts, after_of
from bridge.config.yaml_source import Document, Place
from bridge.core.elements import ElementState, aim
from bridge.core.mapping import AfterUpdate, is_json_schema, schema_file
from bridge.core.templates import NAMES

_UNTRUE = {
    AfterUpdate.KEEP_AS_DRAFT: ("SentToSigning", "SignatureProvided", "FormSubmitted", "SentToSendIn"),
    AfterUpdate.BACK_TO_FORM_FILLING: ("SentToSigning", "SignatureProvided", "FormSubmitted", "SentToSendIn"),
    AfterUpdate.SEND_TO_SIGNING: ("SignatureProvided", "FormSubmitted", "FormSaved"),
    AfterUpdate.SIGN_AND_ARCHIVE: ("SentToSigning", "FormSaved", "SentToFormFill"),
}
"""What did not happen when the element was left so."""

_Key = TypeVar("_Key")
_Kind = TypeVar("_Kind", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a file that are sound by themselves, so that one fault does not hide the others."""

    systems: frozenset[str]
    forms: Mapping[int, FormKeys]
    actions: Mapping[str, ActionKeys]
    states: Mapping[str, StateKeys]
    dialog: DialogKeys | None
    refused: RefusedKeys | None
    embeds: EmbedKeys | None
    action_names: tuple[str, ...]
    attachment_types: tuple[str, ...]
    attachment_rules: Mapping[int, AttachmentRuleKeys]
    others_sign: bool
    lone_signer: bool
    speaks_json: bool
    forms_complete: bool
    any_schema: bool

    @classmethod
    def salvaged(cls, data: Mapping[str, Any]) -> "Parts":
        forms, actions, states = data.get("forms"), data.get("actions"), data.get("states")
        listed = list(enumerate(forms)) if isinstance(forms, list) else []
        named = dict(actions) if isinstance(actions, dict) else {}
        sound = dict(_sound(FormKeys, listed))
        return cls(
            systems=frozenset(name for name in ("altinn2", "altinn3") if data.get(name) is not None),
            forms=sound,
            actions=dict(_sound_actions(named)),
            states=dict(_sound(StateKeys, states.items() if isinstance(states, dict) else ())),
            dialog=dict(_sound(DialogKeys, [("dialog", data.get("dialog", {}))])).get("dialog"),
            refused=dict(_sound(RefusedKeys, [("refused", data.get("refused", {}))])).get("refused"),
            embeds=dict(_sound(EmbedKeys, [("embeds", data["embeds"])] if data.get("embeds") else [])).get("embeds"),
            action_names=tuple(named),
            attachment_types=_types_in(data.get("attachment_rules")),
            attachment_rules=dict(_sound(AttachmentRuleKeys, enumerate(_listed(data.get("attachment_rules"))))),
            others_sign=isinstance(data.get("altinn2"), dict) and data["altinn2"].get("others_sign") is True,
            lone_signer=isinstance(data.get("altinn2"), dict)
            and data["altinn2"].get("unique_signers") is True
            and data["altinn2"].get("signing_steps", 1) == 1,
            speaks_json=isinstance(data.get("altinn3"), dict) and data["altinn3"].get("speaks") == "json",
            forms_complete=0 < len(sound) == len(listed),
            any_schema=not listed or any(isinstance(form, dict) and form.get("schema") for _, form in listed),
        )


def _types_in(rules: object) -> tuple[str, ...]:
    return tuple(str(each.get("type")) for each in _listed(rules) if isinstance(each, dict))


def _listed(given: object) -> list[object]:
    return given if isinstance(given, list) else []


def _sound(kind: type[_Kind], items: Iterable[tuple[_Key, object]]) -> Iterator[tuple[_Key, _Kind]]:
    for key, item in items:
        try:
            yield key, kind.model_validate(item)
        except ValidationError:
            continue  # Told where the whole file was validated.


def _sound_actions(named: Mapping[str, Any]) -> Iterator[tuple[str, ActionKeys]]:
    """Those of a known target; one that has another's keys, too, which is told, so that the rest of it is looked at."""
    for name, action in named.items():
        kind = ACTIONS.get(str(action.get("target"))) if isinstance(action, dict) else None
        if kind is not None:
            yield from list(_sound(kind, [(name, action)])) or _sound(ActionKeys, [(name, action)])


def hold_together(document: Document, parts: Parts, schemas: Path) -> None:
    if not parts.systems:
        document.fault((), "say which system holds the case: the key 'altinn2' is missing here")
    _check_forms(document, parts, schemas)
    _check_attachment_rules(document, parts.attachment_rules)
    for name, action in parts.actions.items():
        for key, message in _action_faults(parts, action):
            document.fault(("actions", name, *key), message)
    for state, rule in parts.states.items():
        for index, name in enumerate(rule.actions or ()):
            if name not in parts.action_names:
                close = difflib.get_close_matches(name, parts.action_names, n=1)
                hint = f": did you mean {close[0]!r}?" if close else ""
                document.fault(("states", state, "actions", index), f"there is no action {name!r}{hint}")
            elif not acts(name, parts.actions.get(name), ElementState(state)):
                message = f"{name} can do nothing in {state}, so that every press would be refused: leave it out"
                document.fault(("states", state, "actions", index), message)
    _check_rights(document, parts)
    _check_says(document, parts)


def _check_attachment_rules(document: Document, rules: Mapping[int, AttachmentRuleKeys]) -> None:
    seen: set[str] = set()
    for index, rule in rules.items():
        if rule.max_count is not None and rule.min_count > rule.max_count:
            message = f"no number of attachments is {rule.min_count} at least and {rule.max_count} at most"
            document.fault(("attachment_rules", index, "min_count"), message)
        if rule.type.casefold() in seen:
            message = f"there is a rule for {rule.type} above already, and it alone is held: keep one of the two"
            document.fault(("attachment_rules", index, "type"), message)
        seen.add(rule.type.casefold())


def _check_rights(document: Document, parts: Parts) -> None:
    for name, action in parts.actions.items():
        if isinstance(action.requires, str):
            continue
        place, narrowed = ("actions", name, "requires"), action.requires
        if (narrowed.token_ref is None) == (narrowed.element is None):
            document.fault(place, "write one of 'token_ref' and 'element'")
        elif narrowed.element is not None and action.button is None:
            document.fault((*place, "element"), "own is the id of the action's 'button': write one, or a 'token_ref'")
        if action.button is not None and narrowed.action is None:
            document.fault(place, "the key 'action' is missing here: what the 'button' asks for until it is narrowed")
        if action.button is None and narrowed.action is not None:
            document.fault((*place, "action"), "only a 'button' asks for it: leave it out")


def _check_says(document: Document, parts: Parts) -> None:
    for name, action in parts.actions.items():
        for place, message in wording_faults(action.then, action.results):
            document.fault(("actions", name, "then", *place), message)
        for place, message in link_faults(action.then, action.results):
            document.fault(("actions", name, "then", *place), message)
        for place, message in button_faults(action.button) if action.button else ():
            document.fault(("actions", name, "button", *place), message)
        state = None if after_of(action) is None else aim(action_of(name, action)).value
        rule = None if state is None else parts.states.get(state)
        other = dict(zip(OPEN_STATES, OPEN_STATES[::-1], strict=True)).get(state or "", "")
        for place, message in date_faults(action.then, rule, parts.states.get(other)):
            document.fault(("actions", name, "then", *place), message)
    for place, message in following_date_faults(parts.states):
        document.fault(place, message)
    for state, rule in parts.states.items():
        for place, message in (*wording_faults(rule), *state_date_faults(rule)):
            document.fault(("states", state, *place), message)
    for place, message in dialog_faults(parts.dialog) if parts.dialog else ():
        document.fault(("dialog", *place), message)
    for place, message in refused_faults(parts.refused) if parts.refused else ():
        document.fault(("refused", *place), message)
    for place, message in embed_faults(parts.embeds, parts.states, elements="altinn2" in parts.systems):
        document.fault(place, message)
    for index, shown in enumerate(() if parts.embeds is None else parts.embeds.fields or ()):
        for message in _xpath_faults(shown.at):
            document.fault(("embeds", "fields", index, "at"), message)
    buttons = {name: action.button for name, action in parts.actions.items()}
    named = {state: rule.actions for state, rule in parts.states.items()}
    acting = {
        state: [name for name, action in parts.actions.items() if acts(name, action, ElementState(state))]
        for state in OPEN_STATES
    }
    for place, message in crowded(buttons, named, acting):
        document.fault(place, message)


def _check_forms(document: Document, parts: Parts, schemas: Path) -> None:
    mains = [index for index, form in parts.forms.items() if form.type == "MainForm"]
    if parts.lone_signer:
        message = "one signing step has one signer: say 'signing_steps', or leave it out"
        document.fault(("altinn2", "unique_signers"), message)
    if parts.speaks_json and any(parts.forms[index].schema_ is None for index in mains):
        document.fault(("altinn3", "speaks"), "forms become JSON by the MainForm's XSD: name its 'schema'")
    if not mains and parts.forms_complete:
        document.fault(("forms",), "exactly one form is the MainForm: none is")
    for index in mains[1:]:
        document.fault(("forms", index, "type"), "exactly one form is the MainForm: make this one a SubForm")
    seen: set[tuple[str, str, str]] = set()
    for index, form in parts.forms.items():
        key = (form.type, form.data_format_id, form.data_format_version)
        if key in seen:
            document.fault(("forms", index), "this form stands above already: keep one of the two")
        seen.add(key)
        if form.schema_ is not None:
            for message in schema_file_faults(schemas, form.schema_):
                document.fault(("forms", index, "schema"), message)
        if form.json_schema is not None:
            if form.schema_ is None:
                message = "JSON is turned into XML by the XSD: name it as 'schema'"
                document.fault(("forms", index, "json_schema"), message)
            for message in json_schema_file_faults(schemas, form.json_schema):
                document.fault(("forms", index, "json_schema"), message)
        elif form.json_sha256 is not None:
            message = "without a 'json_schema' there is nothing for 'json_sha256' to say: leave it out"
            document.fault(("forms", index, "json_sha256"), message)
        for place, told in _rule_faults(form):
            document.fault(("forms", index, *place), told)


def _rule_faults(form: FormKeys) -> Iterator[tuple[Place, str]]:
    if form.schema_ is None:
        given_keys = {"sha256": form.sha256, "root": form.root, "namespace": form.namespace != "strict" or None}
        for name, given in given_keys.items():
            if given is not None:
                yield (name,), f"without a 'schema' there is nothing for '{name}' to say: leave it out"
    for index, rule in enumerate(form.rules):
        place: Place = ("rules", index)
        for message in _xpath_faults(rule.at):
            yield (*place, "at"), message
        try:
            # A condition that only fails once it meets a value (a wrong count of arguments, say) fails here already.
            etree.XPath(f"boolean({rule.test})")(etree.Element("none"))
        except etree.XPathError as error:
            said = str(error).rstrip(".").lower()
            yield (*place, "test"), f"{rule.test!r} is no XPath 1.0 condition that can be used here: {said}"
            continue
        for name in _unknown_functions(rule.test):
            yield (*place, "test"), f"XPath 1.0 has no function {name}()"


# The functions and node tests of XPath 1.0, and the words before a bracket that are neither.
_XPATH_NAMES = frozenset(
    (
        *("last", "position", "count", "id", "local-name", "namespace-uri", "name", "string", "concat", "starts-with"),
        *("contains", "substring-before", "substring-after", "substring", "string-length", "normalize-space"),
        *("translate", "boolean", "not", "true", "false", "lang", "number", "sum", "floor", "ceiling", "round"),
        *("node", "text", "comment", "processing-instruction", "and", "or", "div", "mod"),
    )
)


def _unknown_functions(test: str) -> Iterator[str]:
    """The functions in *test* that XPath lacks: one behind an ``and`` may not be reached, and fail, for a long time."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "''", test)
    called = (name.rpartition("::")[2] for name in re.findall(r"([A-Za-z_][\w.:-]*)\s*\(", bare))
    yield from (name for name in called if name not in _XPATH_NAMES)


def schema_file_faults(schemas: Path, name: str) -> Iterator[str]:
    """What is wrong with *name* as the path of an XSD."""
    if is_json_schema(name):
        yield "an XSD must stand here: a form's JSON Schema is its 'json_schema'"
    else:
        yield from _path_faults(schemas, name)


def json_schema_file_faults(schemas: Path, named: str) -> Iterator[str]:
    """What is wrong with *named* as the path of a JSON Schema, with or without ``#`` and where forms begin."""
    if not is_json_schema(named):
        yield "a JSON Schema's name ends with .json, and after '#' it may say where forms begin"
    else:
        yield from _path_faults(schemas, schema_file(named))


def _path_faults(schemas: Path, name: str) -> Iterator[str]:
    if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name or ":" in name:
        yield "write a path inside the schema folder, without '..'"
    elif not (schemas / name).is_file():
        yield f"there is no file {name!r} in {schemas}{_near(schemas, name)}"


def _near(schemas: Path, name: str) -> str:
    close = difflib.get_close_matches(name, [path.name for path in schemas.glob("*" + PurePosixPath(name).suffix)], n=1)
    return f": did you mean {close[0]!r}?" if close else ""


def _action_faults(parts: Parts, action: ActionKeys) -> Iterator[tuple[tuple[str, ...], str]]:
    match action.target:
        case "altinn2":
            yield from _altinn2_faults(parts, action)
        case "altinn3":
            yield from _altinn3_faults(parts, action)
    if action.calculate and "altinn3" not in parts.systems:
        yield ("calculate",), "nothing calculates: the mapping has no 'altinn3'"
    yield from _calculation_faults(action)
    yield from _form_faults(parts, action)
    for path, template in action.set_.items():
        for message in (*_xpath_faults(path), *template_faults(template, NAMES)):
            yield ("set", path), message


def _altinn2_faults(parts: Parts, action: ActionKeys) -> Iterator[tuple[tuple[str, ...], str]]:
    if "altinn2" not in parts.systems:
        yield ("target",), "the mapping has no 'altinn2' to say which service holds the elements"
    if action.keep_dialog and not action.delete:
        yield ("keep_dialog",), "only 'delete: true' deletes a dialog: leave it out"
    if action.grace_period_days is not None and not action.delete:
        yield ("grace_period_days",), "only 'delete: true' has a period of grace: leave it out"
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
    if parts.others_sign and after is AfterUpdate.SIGN_AND_ARCHIVE and action.form != "none":
        yield ("sign",), "others have to sign first, says 'others_sign': write 'sign: false'"
    yield from _attachment_faults(parts, action)
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


def _whole_faults(action: ActionKeys, whole: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name in whole[1:]:
        yield (name,), f"the action does '{whole[0]}' already: make another action of this"
    for name in ("complete", "sign", "signature", "attachments", "subforms"):
        if getattr(action, name) is not None:
            yield (name,), f"'{whole[0]}' sends no content: leave it out"
    if action.altinn_validate:
        yield ("altinn_validate",), f"'{whole[0]}' completes nothing: leave it out"
    if action.form != "none":
        yield ("form",), f"'{whole[0]}' sends no content: write none"


def _asking_faults(action: ActionKeys) -> Iterator[tuple[tuple[str, ...], str]]:
    if action.altinn_validate and (action.form == "none" or not action.complete):
        yield ("altinn_validate",), "it stands before a completion: write 'complete: true' and a form, or leave it out"
    if action.subforms is not None and action.form != "body":
        yield ("subforms",), "subforms are named in a body: write 'form: body', or leave it out"


def _attachment_faults(parts: Parts, action: ActionKeys) -> Iterator[tuple[tuple[str, ...], str]]:
    given = action.attachments
    if given is None:
        return
    if "body" in given.from_ and action.form != "body":
        yield ("attachments", "from"), "attachments come in a body only with 'form: body'"
    if given.changes is not None and "upload" not in given.from_:
        yield ("attachments", "changes"), "it is about uploads: write 'from: [upload]', or leave it out"
    if action.form == "none":
        yield ("attachments",), "with 'form: none' nothing is added: leave it out"
    known = {each.casefold() for each in parts.attachment_types}
    for name in given.types:
        if known and name.casefold() not in known:
            yield ("attachments", "types"), f"there is no type {name!r} in 'attachment_rules'"


def _altinn3_faults(parts: Parts, action: ActionKeys) -> Iterator[tuple[tuple[str, ...], str]]:
    if "altinn3" not in parts.systems:
        yield ("target",), "the mapping has no 'altinn3' to say which app is meant"
    if action.form == "message" and "altinn2" not in parts.systems:
        yield ("form",), "the mapping has no 'altinn2' that holds a form: write body"
    if action.then.activity is not None:
        yield ("then", "activity"), f"{action.then.activity} would be untrue: an app that calculates stores nothing"


def _calculation_faults(action: ActionKeys) -> Iterator[tuple[tuple[str, ...], str]]:
    if not action.calculate and action.target != "altinn3":
        for name, given in (("results", bool(action.results)), ("lost_fields", action.lost_fields is not None)):
            if given:
                yield (name,), "nothing is calculated: write 'calculate: true', or leave it out"
    for name, path in action.results.items():
        for message in _xpath_faults(path):
            yield ("results", name), message


def _form_faults(parts: Parts, action: ActionKeys) -> Iterator[tuple[tuple[str, ...], str]]:
    if action.form == "none":
        if action.set_:
            yield ("set",), "with 'form: none' there is nothing to put values into: leave it out"
        if action.calculate:
            yield ("calculate",), "with 'form: none' there is nothing to calculate: leave it out"
        if action.validate_ in ("strict", "warn"):
            yield ("validate",), "with 'form: none' there is nothing to check: leave it out"
    elif action.validate_ != "off" and not parts.any_schema:
        yield (
            ("validate",) if action.validate_ else (),
            "no form has a 'schema' to check against: give one, or write 'validate: off'",
        )


def _xpath_faults(path: str) -> Iterator[str]:
    try:
        found = etree.XPath(path)(etree.Element("none"))
    except etree.XPathError:
        yield f"{path!r} is no XPath 1.0 that can be used here, such as /melding/navn (without prefixes)"
        return
    if not path.startswith("/") or not isinstance(found, list):
        yield f"write the path of an element or attribute from the root, such as /melding/navn, instead of {path!r}"
    for name in _unknown_functions(path):
        yield f"XPath 1.0 has no function {name}()"
