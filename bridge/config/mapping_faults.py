"""What only shows when the keys of a mapping file are seen together."""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from lxml import etree

from bridge.config.mapping_dialog_keys import (
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
from bridge.config.mapping_keys import ActionKeys, AttachmentRuleKeys, FormKeys
from bridge.config.mapping_parts import Parts, Targets
from bridge.config.mapping_states import OPEN_STATES, STATE_NAMES, STATUSES
from bridge.config.mapping_values import action_of, acts, after_of
from bridge.config.yaml_source import Document, Place
from bridge.core.elements import aim
from bridge.core.mapping import is_json_schema, schema_file
from bridge.core.templates import NAMES


def hold_together(document: Document, parts: Parts, *, schemas: Path, targets: Targets) -> None:
    """Add to *document* what shows between its *parts*: what the drivers of *targets* know, and what any file has."""
    if not parts.systems:
        document.fault((), "say which system holds the case: the key 'altinn2' is missing here")
    _check_forms(document, parts, schemas)
    _check_attachment_rules(document, parts.attachment_rules)
    for rules in targets.values():
        for place, message in rules.check_mapping(parts):
            document.fault(place, message)
    for name, action in parts.actions.items():
        for key, message in _action_faults(parts, action):
            document.fault(("actions", name, *key), message)
    for state, rule in parts.states.items():
        for index, name in enumerate(rule.actions or ()):
            if name not in parts.action_names:
                close = difflib.get_close_matches(name, parts.action_names, n=1)
                hint = f": did you mean {close[0]!r}?" if close else ""
                document.fault(("states", state, "actions", index), f"there is no action {name!r}{hint}")
            elif state in STATUSES and not acts(name, parts.actions.get(name), STATUSES[state]):
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
        state = None if after_of(action) is None else STATE_NAMES.get(aim(action_of(name, action)))
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
        state: [name for name, action in parts.actions.items() if acts(name, action, STATUSES[state])]
        for state in OPEN_STATES
    }
    for place, message in crowded(buttons, named, acting):
        document.fault(place, message)


def _check_forms(document: Document, parts: Parts, schemas: Path) -> None:
    mains = [index for index, form in parts.forms.items() if form.type == "MainForm"]
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


def _action_faults(parts: Parts, action: ActionKeys) -> Iterator[tuple[Place, str]]:
    """What is wrong with an action of any target: what it does with the form before that is sent, and what it reads."""
    if action.calculate and "altinn3" not in parts.systems:
        yield ("calculate",), "nothing calculates: the mapping has no 'altinn3'"
    for name, path in action.results.items():
        for message in _xpath_faults(path):
            yield ("results", name), message
    yield from _form_faults(parts, action)
    for path, template in action.set_.items():
        for message in (*_xpath_faults(path), *template_faults(template, NAMES)):
            yield ("set", path), message


def _form_faults(parts: Parts, action: ActionKeys) -> Iterator[tuple[Place, str]]:
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
