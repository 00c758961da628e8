"""Mapping files become values, or a list of everything wrong with them."""

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.config.mapping_limits import beyond, stranding
from bridge.config.mappings import load_mappings, read_mappings, recalled
from bridge.core.cases import CaseStatus
from bridge.core.errors import ConfigurationError, Fault
from bridge.core.mapping import (
    ActionMapping,
    AfterUpdate,
    Embed,
    Embeds,
    FormKind,
    FormSource,
    LostFields,
    Narrowed,
    Receiver,
    Requirement,
    ServiceMapping,
    ShownField,
    StateRule,
    Then,
    Validation,
)
from bridge.core.targets import Target
from bridge.steps.drivers.registry import DRIVERS

HEAD = """\
service_resource: urn:altinn:resource:proeve
altinn2: {service_code: "4711", service_edition: 1}
forms:
  - {type: MainForm, data_format_id: "1", data_format_version: "010", schema: form.xsd}
"""
PLAIN = "requires: write, minimum_level: 3, target: altinn2, form: message, complete: true, sign: true"


def folders(tmp_path: Path, *texts: str) -> tuple[Path, Path]:
    """Write mapping files and the schema that they name."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "form.xsd").write_text("<schema/>")
    for number, text in enumerate(texts):
        (tmp_path / "mappings" / f"{number}.yaml").write_bytes(text.encode())
    return tmp_path / "mappings", tmp_path / "schemas"


def told(tmp_path: Path, text: str) -> list[str]:
    """Load one faulty mapping, and give each fault as ``line:column: message``."""
    mappings, schemas = folders(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load_mappings(mappings, schemas, targets=DRIVERS)
    prefix = f"{mappings / '0.yaml'}:"
    return [str(fault).removeprefix(prefix) for fault in caught.value.faults]


def action(words: str) -> str:
    """Write a mapping whose only action is *words*."""
    return HEAD + f"actions:\n  press: {{{words}}}\n"


def test_a_file_becomes_values(tmp_path: Path):
    """Everything that the file says is in the value."""
    text = HEAD + (
        "actions:\n"
        "  submit:\n"
        "    requires: write,urn:altinn:task:fill\n"
        "    minimum_level: 4\n"
        "    target: altinn2\n"
        "    form: body\n"
        '    set: {/melding/@dato: "{now:date}", /melding/part: "{{{party}}}"}\n'
        "    validate: warn\n"
        "    complete: true\n"
        "    sign: false\n"
        "    then: {status: InProgress, activity: SentToSigning}\n"
        "states:\n"
        "  Sendt og arkivert: {status: Completed, actions: []}\n"
    )
    mappings, schemas = folders(tmp_path, text)

    service = load_mappings(mappings, schemas, targets=DRIVERS)["urn:altinn:resource:proeve"]

    assert service.actions["submit"] == ActionMapping(
        name="submit",
        requires=Requirement(action="write", attribute="urn:altinn:task:fill"),
        minimum_level=4,
        target=Target.ALTINN2,
        form=FormSource.BODY,
        set_values=(("/melding/@dato", "{now:date}"), ("/melding/part", "{{{party}}}")),
        calculate=False,
        validate=Validation.WARN,
        after=AfterUpdate.SEND_TO_SIGNING,
        then=Then(status="InProgress", activity="SentToSigning"),
    )
    assert service.states == {CaseStatus.ARCHIVED: StateRule(status="Completed", actions=())}
    assert service.form_spec(FormKind.MAIN, "1", "010") is service.forms[0]
    assert service.source == str(mappings / "0.yaml")


@pytest.mark.parametrize(
    ("words", "expected"),
    [("validate: off", Validation.OFF), ("then: {}", Validation.STRICT)],
    ids=["unquoted-off", "left-out"],
)
def test_a_form_is_checked_unless_off(tmp_path: Path, words: str, expected: Validation):
    """The word off needs no quotes, and what is left out is strict."""
    mappings, schemas = folders(tmp_path, action(f"{PLAIN}, {words}"))

    service = load_mappings(mappings, schemas, targets=DRIVERS)["urn:altinn:resource:proeve"]

    assert service.actions["press"].validate is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [("", Receiver.DOTNET), ("receiver: dotnet", Receiver.DOTNET), ("receiver: other", Receiver.OTHER)],
)
def test_altinn_2_judges_forms_by_dotnet(tmp_path: Path, said: str, expected: Receiver):
    """Unless the mapping says who else gets them."""
    services = load_mappings(*folders(tmp_path, f"{said}\n{action(PLAIN)}"), targets=DRIVERS)

    assert [form.receiver for service in services.values() for form in service.forms] == [expected]


def test_a_signature_alone_sends_no_form(tmp_path: Path):
    """What is in signing is signed without a form and without a check."""
    mappings, schemas = folders(tmp_path, action(PLAIN.replace("message", "none")))

    mapping = load_mappings(mappings, schemas, targets=DRIVERS)["urn:altinn:resource:proeve"].actions["press"]

    assert (mapping.form, mapping.validate) == (FormSource.NONE, Validation.OFF)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD.replace('"4711"', "4711"), '2:25: this must be text: write it in quotes, "4711"'),
        (HEAD.replace('"010"', "010"), '4:64: this must be text: write it in quotes, "010"'),
        (HEAD.replace("edition: 1", "edition: 01"), "2:50: write a whole number, without quotes or leading zeros"),
        (HEAD.replace("edition: 1", "edition: 1_0"), "2:50: write a whole number, without quotes or leading zeros"),
        (HEAD.replace('"1"', "true"), '4:38: this must be text: write it in quotes, "true"'),
        (HEAD.replace('"1"', ""), "4:38: this must be text: it is empty"),
        (HEAD + "altinn2: {}\n", "5:1: the key 'altinn2' stands on line 2 already: keep one of the two"),
        (HEAD + "state: {}\n", "5:1: there is no key 'state' here: did you mean 'states'?"),
        (HEAD + "7: {}\n", "5:1: a key is text: write '7'"),
        (HEAD.replace("forms", "form"), "1:1: the key 'forms' is missing here"),
        (HEAD.replace("MainForm", "SubForm"), "4:3: exactly one form is the MainForm: none is"),
        (HEAD + HEAD.splitlines()[3], "5:12: exactly one form is the MainForm: make this one a SubForm"),
        (HEAD.replace("form.xsd", "from.xsd"), "did you mean 'form.xsd'?"),
        (HEAD.replace("form.xsd", "../form.xsd"), "4:79: write a path inside the schema folder, without '..'"),
        (HEAD + "actions: {Press: {}}\n", "5:11: an action's name is 1 to 64 of a-z, 0-9 and '-'"),
        (HEAD + "states: {Completion: {}}\n", "5:10: Altinn 2 has no status 'Completion'"),
        (HEAD + "states: {Completion: {}}\n", "did you mean 'Utfylling'?"),
        (HEAD + "states: {Sletta: {}}\n", "did you mean 'Slettet'?"),
        (HEAD + "states: {archived: {}}\n", "did you mean 'Sendt og arkivert'?"),
        (HEAD + "states: {Signering: {actions: [send]}}\n", "5:32: there is no action 'send'"),
        (HEAD + "states: {Signering: {status: Done}}\n", "5:30: write one of New, InProgress"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str, expected: str):
    """Line, column, and what to write instead."""
    found = told(tmp_path, text)

    assert [fault for fault in found if expected in fault]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (PLAIN.replace("complete: true", "complete: yes"), "write true or false instead of 'yes'"),
        (PLAIN.replace(", sign: true", ""), "say 'sign: true' or 'sign: false'"),
        (PLAIN.replace("complete: true, ", ""), "say 'complete: true' or 'complete: false'"),
        (PLAIN.replace("message", "none") + ", set: {/a: b}", "nothing to put values into"),
        (PLAIN.replace("message", "none") + ", validate: strict", "nothing to check"),
        (PLAIN.replace("message", "none").replace("sign: true", "sign: false"), "a PUT without forms deletes them"),
        (PLAIN + ", then: {activity: Information}", "Information is not for mappings: it needs a text"),
        (PLAIN + ", then: {activity: SentToSigning}", "would be untrue: the element is left signed and archived"),
        (PLAIN + ", then: {activity: Signed}", "write one of DialogCreated"),
        (PLAIN + ", calculate: true", "nothing calculates"),
        (PLAIN.replace("altinn2", "altinn3"), "the mapping has no 'altinn3'"),
        (PLAIN.replace("altinn2", "altinn3"), "an app that only calculates has no 'sign'"),
        (PLAIN + ", results: {sum: /a}", "nothing is calculated: write 'calculate: true', or leave it out"),
        (PLAIN + ", lost_fields: warn", "nothing is calculated: write 'calculate: true', or leave it out"),
        (PLAIN + ", lost_fields: maybe", "write one of refuse, warn"),
        (PLAIN.replace("level: 3", "level: 5"), "write at most 4"),
        (PLAIN.replace("level: 3", 'level: "3"'), "write a whole number, without quotes"),
        (PLAIN.replace("requires: write", "require: write"), "did you mean 'requires'?"),
        (PLAIN.replace("requires: write", 'requires: "write;read"'), "'write;read' does not have the form"),
        (PLAIN + ", set: {/a: '{name}'}", "{name} is not known: write {party}"),
        (PLAIN + ", set: {/a: '{party'}", "a brace has no partner"),
        (PLAIN + ", set: {'/a[': b}", "no XPath 1.0"),
        (PLAIN + ", set: {'/p:a': b}", "without prefixes"),
        (PLAIN + ", set: {'count(/a)': b}", "write the path of an element or attribute"),
        (PLAIN + ", set: {'a': b}", "write the path of an element or attribute"),
        (PLAIN + ", keep_dialog: true", "only 'delete: true' deletes a dialog: leave it out"),
        (PLAIN + ", grace_period_days: 30", "only 'delete: true' has a period of grace: leave it out"),
    ],
)
def test_an_action_without_sense_is_refused(tmp_path: Path, words: str, expected: str):
    """Each combination that cannot be meant is told with its reason."""
    found = told(tmp_path, action(words))

    assert [fault for fault in found if expected in fault]


@pytest.mark.parametrize(
    ("states", "fault"),
    [
        ("Utfylling: {actions: [press, sign]}", "sign can do nothing in Utfylling"),
        ("Signering: {actions: [sign, press]}", "press can do nothing in Signering"),
        ("Sendt og arkivert: {actions: [discard]}", "discard can do nothing in Sendt og arkivert"),
        ("Slettet: {actions: [discard]}", "discard can do nothing in Slettet"),
        # Told as a misspelt state, and as that alone.
        ("Completion: {actions: [discard]}", None),
        ("Utfylling: {actions: [press, discard]}", None),
        ("Signering: {actions: [sign, discard]}", None),
    ],
)
def test_a_button_that_would_always_be_refused_is_a_fault(tmp_path: Path, states: str, fault: str | None):
    """A state names what can be done there; whatever else it names is found before anybody presses it."""
    whole = "requires: write, minimum_level: 3, target: altinn2, form: none"
    text = (
        f"{action(PLAIN)}  sign: {{{whole}, complete: true, sign: true}}\n  discard: {{{whole}, delete: true}}\n"
        f"states: {{{states}}}\n"
    )
    mappings, schemas = folders(tmp_path, text)

    _, faults = read_mappings(mappings, schemas, targets=DRIVERS)

    found = [fault.message for fault in faults if "can do nothing" in fault.message]
    assert [each.partition(",")[0] for each in found] == ([] if fault is None else [fault])


def test_a_refusals_words_know_its_reason(tmp_path: Path):
    """And nothing that only a result would fill in."""
    info = "{nb: '{reason} {result.sum}', nn: b, en: c}"

    (fault,) = told(tmp_path, action(PLAIN) + f"refused: {{additional_info: {info}}}\n")

    assert "{result.sum} is not known" in fault
    assert "{reason}" in fault


def test_unique_signers_need_several_steps(tmp_path: Path):
    """With one signature there is nobody else who may not give it."""
    text = action(PLAIN).replace("service_edition: 1", "service_edition: 1, unique_signers: true")

    assert told(tmp_path, text) == ["2:69: one signing step has one signer: say 'signing_steps', or leave it out"]


APP = "altinn3: {app: ttd/proeve, data_type: model}\n"
ONLY = "requires: write, minimum_level: 3, target: altinn3, form: body"


def linked(url: str, *, name: str = "page", results: str = ", results: {sum: /a}") -> str:
    """An action whose result leads to a page."""
    link = f"title: {{nb: S, nn: S, en: S}}, url: '{url}'"
    return f"{ONLY}{results}, then: {{links: {{'{name}': {{{link}}}}}}}"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (ONLY + ", calculate: true", "the app calculates whatever stands here"),
        (ONLY + ", complete: true", "an app that only calculates has no 'complete'"),
        (ONLY + ", signature: all", "an app that only calculates has no 'signature'"),
        (ONLY + ", keep_dialog: true", "an app that only calculates has no 'keep_dialog'"),
        (ONLY + ", grace_period_days: 0", "an app that only calculates has no 'grace_period_days'"),
        (
            ONLY + ", sing: true",
            "there is no key 'sing' here; known are requires, minimum_level, target, form, set, val",
        ),
        (ONLY.replace("body", "bdy"), "write one of message, body instead of 'bdy': did you mean body?"),
        (ONLY + ", delete: true", "an app that only calculates has no 'delete'"),
        (ONLY + ", altinn_validate: true", "an app that only calculates has no 'altinn_validate'"),
        (ONLY.replace("body", "none"), "an app needs a form to work on"),
        (ONLY + ", then: {activity: FormSubmitted}", "FormSubmitted would be untrue"),
        (ONLY + ", results: {Sum: /a}", "a result's name is 1 to 64 of a-z"),
        (ONLY + ", results: {sum: a}", "write the path of an element or attribute"),
        (ONLY + ", results: {sum: '/a['}", "no XPath 1.0"),
        (ONLY + ", results: {sum: '/a[upper-case(b)]'}", "XPath 1.0 has no function upper-case()"),
        (ONLY + ", set: {'/a[b and lower-case(c) = 1]': x}", "XPath 1.0 has no function lower-case()"),
        (ONLY + ", set: {'/a[re:test(b, 1)]': x}", "XPath 1.0 has no function re:test()"),
        (linked("https://a.example/{result.sum}", results=""), "{result.sum} is not known"),
        (linked("http://a.example/{result.sum}"), "Dialogporten takes https only: begin with https://"),
        (linked("https://{result.sum}.example/"), "the host is a name that stands there as it is"),
        (linked("https://a.example{result.sum}/"), "the host is a name that stands there as it is"),
        (linked("https://{result.sum}@a.example/"), "the host is a name that stands there as it is"),
        (linked("https:///{result.sum}"), "the host is a name that stands there as it is"),
        (linked("https://a.example/x y"), "an address has no blanks: write %20"),
        (linked("https://a.example/{party}"), "{party} is not known"),
        (linked("https://a.example/{"), "a brace has no partner"),
        (linked("https://a.example/" + "x" * 1010), "write at most 1023 characters: these are 1028"),
        (linked("https://a.example/", name="A b"), "a link's name is 1 to 64 of a-z, 0-9 and '-': 'A b' is not"),
        (
            ONLY + ", then: {title: {nb: '{result.sum}', nn: '{result.sum}', en: '{result.sum}'}}",
            "{result.sum} is not known",
        ),
        (PLAIN.replace("message", "none") + ", calculate: true", "there is nothing to calculate"),
    ],
)
def test_a_calculation_without_sense_is_refused(tmp_path: Path, words: str, expected: str):
    """Each is told with file, line and column."""
    found = told(tmp_path, APP + action(words))

    assert [fault for fault in found if expected in fault]


def test_keys_of_another_target_may_say_nothing(tmp_path: Path):
    """As they were taken before each target had keys of its own; the mapping says the same as it did."""
    words = f"{ONLY}, calculate: false, complete: null, sign: null, delete: false, signature: null"

    (mapping,) = load_mappings(*folders(tmp_path, APP + action(words)), targets=DRIVERS).values()

    assert (
        '"form":"body","calculate":false,"complete":null,"sign":null,"delete":false,"signature":null}' in mapping.said
    )
    assert recalled(mapping.said, DRIVERS) == replace(mapping, source="a mapping that was accepted")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("target: altinn", "6:54: write one of altinn2, altinn3 instead of 'altinn': did you mean altinn3?"),
        ("target: 3", "6:54: write one of altinn2, altinn3 instead of 3"),
        ("target: ", "6:54: write one of altinn2, altinn3 instead of None"),
        ("", "6:10: the key 'target' is missing here"),
    ],
)
def test_an_unknown_target_hides_no_other_fault(tmp_path: Path, target: str, expected: str):
    """What is wrong with the action's other keys is told beside it, each once."""
    words = PLAIN.replace("target: altinn2, ", f"{target}, " if target else "").replace("sign: true", "sing: true")

    assert told(tmp_path, action(words)) == [
        expected,
        f"6:{10 + words.index('sing') + 1}: there is no key 'sing' here: did you mean 'sign'?",
    ]


def test_a_held_form_needs_a_system_that_holds_it(tmp_path: Path):
    """An app has none, so without Altinn 2 it is the caller that sends one."""
    text = APP + action(ONLY.replace("body", "message")).replace(HEAD.splitlines(keepends=True)[1], "")

    found = told(tmp_path, text)

    assert [fault for fault in found if "the mapping has no 'altinn2' that holds a form: write body" in fault]


def test_json_needs_the_main_forms_schema(tmp_path: Path):
    """Without one there is nothing that converts."""
    text = APP.replace("model}", "model, speaks: json}") + action(f"{ONLY}, validate: off")

    assert told(tmp_path, text.replace(", schema: form.xsd", "")) == [
        "1:54: forms become JSON by the MainForm's XSD: name its 'schema'"
    ]


def test_results_may_be_named_in_the_actions_own_texts(tmp_path: Path):
    """In every language, and read with their paths."""
    text = "then: {title: {nb: '{result.sum}', nn: '{result.sum}', en: '{result.sum}'}}"

    mappings, schemas = folders(tmp_path, APP + action(f"{ONLY}, results: {{sum: /a/b}}, lost_fields: warn, {text}"))

    found = load_mappings(mappings, schemas, targets=DRIVERS)["urn:altinn:resource:proeve"].actions["press"]

    assert (found.results, found.lost_fields) == ((("sum", "/a/b"),), LostFields.WARN)


def test_something_to_check_against_is_needed(tmp_path: Path):
    """A check that could find nothing is refused."""
    found = told(tmp_path, action(PLAIN).replace(", schema: form.xsd", ""))

    assert found == ["6:10: no form has a 'schema' to check against: give one, or write 'validate: off'"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: *x\n", "1:4: anchors and aliases are not used here"),
        ("a: !!str 1\n", "1:4: tags are not used here"),
        ("a: 1\n---\nb: 2\n", "2:1: one file holds one mapping"),
        ("a: [\n", "2:1: "),
        ("- a\n", "1:1: a mapping file begins with keys"),
        ("", "1:1: a mapping file begins with keys"),
        ("a: " + "[" * 50 + "]" * 50, "nested too deeply"),
        ('a: "\x07"', "1:5: a control character stands here"),
        ("a: " + "x" * 1_000_001, "1:1: a mapping file has at most 1000000 bytes"),
        ("? [a]\n: 1\n", "1:3: a key is text"),
    ],
    ids=["alias", "tag", "two-documents", "broken", "list", "empty", "deep", "control", "huge", "list-as-key"],
)
def test_yaml_that_hides_things_is_refused(tmp_path: Path, text: str, expected: str):
    """Each value stands where it is used, in one document of bounded size."""
    found = told(tmp_path, text)

    assert [fault for fault in found if expected in fault]


NARROWED = "minimum_level: 3, target: altinn2, form: message, complete: true, sign: true"
BUTTON = "button: {title: {nb: Send, nn: Send, en: Send}, priority: Primary}"


@pytest.mark.parametrize(
    ("requires", "more", "expected"),
    [
        ("{}", "", "6:21: write one of 'token_ref' and 'element'"),
        ("{token_ref: a, element: own}", BUTTON, "write one of 'token_ref' and 'element'"),
        ("{token_ref: }", "", "write one of 'token_ref' and 'element'"),
        ("{element: own}", "", "6:31: own is the id of the action's 'button'"),
        ("{element: other, action: write}", BUTTON, "6:31: write one of own instead of 'other'"),
        ("{element: own}", BUTTON, "the key 'action' is missing here"),
        ("{token_ref: a, action: write}", "", "6:44: only a 'button' asks for it"),
        ("{token_ref: 'a b'}", "", "6:33: 'a b' does not have the form"),
        ("{tokenRef: a}", "", "6:22: there is no key 'tokenRef' here: did you mean 'token_ref'?"),
        ("{action: 'a;b'}", "", "does not have the form"),
        ("[write]", "", "6:21: this must be text"),
    ],
)
def test_a_narrowed_right_names_its_context(tmp_path: Path, requires: str, more: str, expected: str):
    """By its tokenRef, or as the bridge's own button; which is then told what to ask for."""
    found = told(tmp_path, action(", ".join(filter(None, (f"requires: {requires}", NARROWED, more)))))

    assert [fault for fault in found if expected in fault], found


def test_a_narrowed_right_becomes_a_value(tmp_path: Path):
    """With what the button asks for meanwhile."""
    requires = "requires: {element: own, action: 'write,task_1'}"
    mappings, schemas = folders(tmp_path, action(f"{requires}, {NARROWED}, {BUTTON}"))

    mapping = load_mappings(mappings, schemas, targets=DRIVERS)["urn:altinn:resource:proeve"].actions["press"]

    assert mapping.requires == Narrowed(token_ref=None, asks=Requirement(action="write", attribute="task_1"))


def test_one_fault_does_not_hide_another(tmp_path: Path):
    """A fault of form in one action leaves the sense of the others to be checked, in the order of lines."""
    text = HEAD.replace("form.xsd", "none.xsd") + (
        f"actions:\n  a: {{{PLAIN.replace('write', '7')}}}\n  b: {{{PLAIN}, set: {{/a: '{{x}}'}}}}\nstates:\n"
        "  Signering: {actions: [c]}\n"
    )

    found = told(tmp_path, text)

    assert [fault.partition(":")[0] for fault in found] == ["4", "6", "7", "9"]


def test_all_files_are_told_together(tmp_path: Path):
    """Faults of several files, and two files for one service, are one list."""
    mappings, schemas = folders(tmp_path, action(PLAIN), action(PLAIN), "x: 1", HEAD)

    sound, faults = read_mappings(mappings, schemas, targets=DRIVERS)

    assert list(sound) == ["urn:altinn:resource:proeve"]
    assert {Path(fault.where.split(":")[0]).name for fault in faults} == {"1.yaml", "2.yaml", "3.yaml"}
    assert faults[0].message.startswith("urn:altinn:resource:proeve is mapped in")


def test_a_folder_without_mappings_is_a_fault(tmp_path: Path):
    """A JSON Schema for editors is no mapping."""
    mappings, schemas = folders(tmp_path)
    (mappings / "mapping.schema.json").write_text("{}")

    _, faults = read_mappings(mappings, schemas, targets=DRIVERS)

    assert [fault.where for fault in faults] == [str(mappings)]


def test_a_schema_is_compiled_once(tmp_path: Path):
    """The faults of a schema that two services share are told once."""
    mappings, schemas = folders(
        tmp_path, action(PLAIN), action(PLAIN).replace("proeve", "annen").replace("4711", "4712")
    )
    fault = Fault(where="form.xsd:1:1", message="does not compile")

    _, faults = read_mappings(mappings, schemas, schema_faults=lambda _: [fault], targets=DRIVERS)

    assert faults == [fault]


def test_a_folder_may_be_empty_where_routes_are_all(tmp_path: Path):
    """A bridge that only stands before apps has no mapping; any other would answer 404 to every press."""
    with pytest.raises(ConfigurationError, match="no mapping file"):
        load_mappings(tmp_path, tmp_path, targets=DRIVERS)

    assert load_mappings(tmp_path, tmp_path, may_be_empty=True, targets=DRIVERS) == {}


def test_embeds_are_read(tmp_path: Path):
    """Who may see them, what the summary shows, and which of them a state shows."""
    text = action(PLAIN) + (
        "embeds:\n"
        "  minimum_level: 3\n"
        "  fields:\n"
        "    - {at: /melding/navn, label: {nb: Navn, nn: Namn, en: Name}}\n"
        "    - {at: /melding/@nr}\n"
        "states:\n"
        "  Signering: {main_content: none}\n"
    )

    (mapping,) = load_mappings(*folders(tmp_path, text), targets=DRIVERS).values()

    label = {"nb": "Navn", "nn": "Namn", "en": "Name"}
    fields = (ShownField(at="/melding/navn", label=label), ShownField(at="/melding/@nr", label=None))
    assert mapping.embeds == Embeds(minimum_level=3, fields=fields)
    assert mapping.states[CaseStatus.SIGNING].main_content is Embed.NONE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("embeds: {}\n", "the key 'minimum_level' is missing here"),
        ("embeds: {minimum_level: 3, summary: true}\n", "there is no key 'summary' here"),
        ("embeds: {minimum_level: 3, fields: [{at: 'melding['}]}\n", "no XPath 1.0"),
        ("states: {Signering: {main_content: summary}}\n", "the mapping has no 'embeds'"),
        (
            "embeds: {minimum_level: 3}\nstates: {Utfylling: {main_content: receipt}}\n",
            "there is no receipt in this state, only in 'Sendt og arkivert'",
        ),
        (
            "embeds: {minimum_level: 3}\nstates: {Utfylling: {main_content: signing-text}}\n",
            "there is no signing-text in this state, only in 'Signering'",
        ),
    ],
)
def test_embeds_that_show_nothing_are_faults(tmp_path: Path, text: str, said: str):
    """Told when the file is read, with their place."""
    (fault,) = told(tmp_path, action(PLAIN) + text)

    assert said in fault


def test_embeds_need_an_element(tmp_path: Path):
    """An app that only calculates has none to show."""
    text = action("requires: write, minimum_level: 3, target: altinn3, form: body")
    text = text.replace('altinn2: {service_code: "4711", service_edition: 1}', "altinn3: {app: ttd/x, data_type: x}")

    (fault,) = told(tmp_path, text + "embeds: {minimum_level: 3}\n")

    assert "embeds show elements of Altinn 2" in fault


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ("{due_in_days: 31, expires_in_days: 30}", "write at most 30"),
        ("{due_in_days: 91}", "write at most 90"),
        ("{expires_in_days: 2}", "write at least 3"),
        (
            "{extended_status: {nb: 'nder behandling hos oss \U0001f600', nn: Ny, en: New}}",
            "Dialogporten counts 26 characters here and takes 25",
        ),
        ("{title: {nb: '" + "\U0001f600" * 128 + "', nn: Ny, en: New}}", "counts 256 characters here and takes 255"),
        ("{code: '" + "\U0001f600" * 128 + "'}", "counts 256 characters here and takes 255"),
    ],
    ids=["due after it expires", "the state expires", "the state is due", "status", "title", "code"],
)
def test_what_dialogporten_would_refuse_is_a_fault(tmp_path: Path, then: str, expected: str) -> None:
    """Dates against each other, also across an action and the state that it leads to; lengths in its own count."""
    states = "states:\n  Sendt og arkivert: {expires_in_days: 90, due_in_days: 3}\n"

    faults = told(tmp_path, action(f"{PLAIN}, then: {then}") + states)

    assert len(faults) == 1
    assert expected in faults[0]


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("states:\n  Utfylling: {due_in_days: 40}\n  Signering: {expires_in_days: 5}\n", "due in 40 days"),
        ("states:\n  Signering: {due_in_days: 40}\n  Utfylling: {expires_in_days: 5}\n", "due in 40 days"),
        ("dialog: {title: {nb: ' ', nn: Ny, en: New}}\n", "takes no blank text"),
        ("dialog: {summary: {nb: Ny, nn: Ny, en: '  '}}\n", "takes no blank text"),
        ("dialog: {search_tags: [ab]}\n", "write at least 3 characters: these are 2"),
    ],
    ids=["signing after filling in", "back to filling in", "blank title", "blank summary", "short tag"],
)
def test_what_would_be_left_out_is_a_fault(tmp_path: Path, says: str, expected: str) -> None:
    """Dates across states that follow each other, blank texts, and short words by their true rule."""
    faults = told(tmp_path, action(PLAIN) + says)

    assert len(faults) == 1
    assert expected in faults[0]


def test_dates_that_go_together_are_no_fault(tmp_path: Path) -> None:
    """Due on the day on which it expires is the latest."""
    mappings, schemas = folders(tmp_path, action(f"{PLAIN}, then: {{due_in_days: 30, expires_in_days: 30}}"))

    assert load_mappings(mappings, schemas, targets=DRIVERS)


def test_two_mappings_of_one_service_are_told(tmp_path: Path):
    """An element would be two dialogs': the second file is told where it names the service."""
    mappings, schemas = folders(tmp_path, action(PLAIN), action(PLAIN).replace("proeve", "annen"))

    sound, faults = read_mappings(mappings, schemas, targets=DRIVERS)

    assert list(sound) == ["urn:altinn:resource:proeve"]
    assert [each.where for each in faults] == [f"{mappings / '1.yaml'}:2:25"]
    assert "4711/1 is mapped in" in faults[0].message


def test_a_type_of_attachment_has_one_rule(tmp_path: Path):
    """Altinn 2 knows types in any letters; of two rules the second would never be looked at."""
    rules = "attachment_rules: [{type: Plan}, {type: PLAN, max_size_mb: 2}]\nforms:"

    (fault,) = told(tmp_path, action(PLAIN).replace("forms:", rules))

    assert fault == "3:41: there is a rule for PLAN above already, and it alone is held: keep one of the two"


@pytest.mark.parametrize(("least", "most", "faulty"), [(3, 1, True), (1, 1, False), (2, 3, False)])
def test_a_count_must_be_possible(tmp_path: Path, least: int, most: int, faulty: bool):
    """At least three and at most one is no number of attachments."""
    rules = f"attachment_rules: [{{type: Plan, min_count: {least}, max_count: {most}}}]\nforms:"
    mappings, schemas = folders(tmp_path, action(PLAIN).replace("forms:", rules))

    _, faults = read_mappings(mappings, schemas, targets=DRIVERS)

    assert [str(each) for each in faults] == [
        f"{mappings / '0.yaml'}:3:44: no number of attachments is {least} at least and {most} at most"
    ] * faulty


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('"4711"', "“4711”", 'write "4711", or 4711 without'),
        ('"4711"', '"„4711“"', 'write "4711"'),
        ("service_edition: 1", "service_edition: ’1’", 'write "1"'),
        ("form.xsd", "«form.xsd»", 'write "form.xsd"'),
        ("requires: write", "requires: “write", 'write "write"'),
        ('"010"', '"\u00a0010"', 'write "010"'),
    ],
)
def test_typographic_quotes_are_no_part_of_a_code(tmp_path: Path, right: str, wrong: str, said: str):
    """One fault, which says what to write, wherever a code, an id, a word or a file's name stands."""
    (fault,) = told(tmp_path, action(PLAIN).replace(right, wrong))

    assert f"would be taken as a part of this: {said}" in fault


def test_texts_may_have_typographic_quotes(tmp_path: Path):
    """Those that people read, and what is put into forms."""
    title = "title: {nb: «Bevilling», nn: «Løyve», en: “Licence”}"
    words = f"{PLAIN}, set: {{/melding/navn: «Bydel»}}, then: {{{title}}}"
    mappings, schemas = folders(tmp_path, action(words))

    (mapping,) = load_mappings(mappings, schemas, targets=DRIVERS).values()

    assert mapping.actions["press"].set_values == (("/melding/navn", "«Bydel»"),)


@pytest.mark.parametrize(
    ("size", "faulty", "noted"),
    [(37, False, False), (200, False, True), (600, True, True)],
)
def test_sizes_above_a_limit_are_told(tmp_path: Path, size: int, faulty: bool, noted: bool):
    """What the settings do not let through is a fault; what could be uploaded and never be sent on stands in a note."""
    text = action(PLAIN).replace("forms:", f"attachment_rules: [{{type: Plan, max_size_mb: {size}}}]\nforms:")
    text += (
        "  save: {requires: write, minimum_level: 3, target: altinn2, form: message, complete: false, sign: false,\n"
        "         attachments: {types: [Plan], from: [upload]}}\n"
    )
    mappings, schemas = folders(tmp_path, text)

    _, faults = read_mappings(
        mappings, schemas, mapping_faults=beyond(max_attachment=500_000_000, max_body=20_000_000), targets=DRIVERS
    )
    (mapping,) = read_mappings(mappings, schemas, targets=DRIVERS)[0].values()
    notes = list(stranding(mapping, max_put=50_000_000, max_body=20_000_000))

    assert ["lets 500 MB through: write at most 500" in each.message for each in faults] == [True] * faulty
    assert ["press could not complete an element with one above 37 MB" in each for each in notes] == [True] * noted
    assert list(stranding(with_bare_completion(mapping), max_put=50_000_000, max_body=20_000_000)) == []


@pytest.mark.parametrize(
    ("supplies", "size", "limit", "faulty"),
    [
        ("body", 30, 20_000_000, True),
        ("body", 15, 20_000_000, False),
        ("body", 30, 40_000_000, False),
        ("body, upload", 30, 20_000_000, False),
    ],
)
def test_a_size_that_no_body_could_bring_is_a_fault(tmp_path: Path, supplies: str, size: int, limit: int, faulty: bool):
    """Where they come by no other way: the mapping promises what nobody could ever send."""
    words = f"{PLAIN.replace('message', 'body')}, attachments: {{types: [Plan], from: [{supplies}]}}"
    rules = f"attachment_rules: [{{type: Plan, max_size_mb: {size}}}]\nforms:"
    mappings, schemas = folders(tmp_path, action(words).replace("forms:", rules))

    _, faults = read_mappings(
        mappings, schemas, mapping_faults=beyond(max_attachment=500_000_000, max_body=limit), targets=DRIVERS
    )

    assert ["lets 15 MB of attachments through: write at most 15" in each.message for each in faults] == [True] * faulty


def with_bare_completion(mapping: ServiceMapping) -> ServiceMapping:
    assert mapping.altinn2 is not None
    return replace(mapping, altinn2=replace(mapping.altinn2, bare_completion=True))


@pytest.mark.parametrize(
    ("rule", "form", "limit", "said"),
    [
        ("max_size_mb: 30", "body", 20_000_000, "press could not be called with one above 15 MB in the body"),
        ("max_size_mb: 15", "body", 20_000_000, None),
        ("max_size_mb: 30", "body", 40_000_000, None),
        ("min_count: 3, max_size_mb: 6", "body", 20_000_000, "3 (its 'min_count') above 4 MB in the body"),
        ("min_count: 3, max_size_mb: 20", "upload", 20_000_000, "an element with 3 (its 'min_count') above 12 MB"),
    ],
)
def test_attachments_that_could_not_come_in_or_go_on_are_told(
    tmp_path: Path, rule: str, form: str, limit: int, said: str | None
):
    """In base64 a body is a third larger; as many as must be there count together."""
    words = f"{PLAIN.replace('message', 'body')}, attachments: {{types: [Plan], from: [{form}]}}"
    rules = f"attachment_rules: [{{type: Plan, {rule}}}]\nforms:"
    mappings, schemas = folders(tmp_path, action(words).replace("forms:", rules))

    (mapping,) = load_mappings(mappings, schemas, targets=DRIVERS).values()
    notes = list(stranding(mapping, max_put=50_000_000, max_body=limit))

    assert [said in each for each in notes] == ([] if said is None else [True])
