"""``altinn-bridge check`` tells whether the configuration is sound."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from bridge.bundled import mappings_folder, schemas_folder
from bridge.cli.check.command import check, untellable
from bridge.cli.convert import convert
from bridge.cli.validate.command import validate
from bridge.config.mappings import load_mappings
from bridge.sandbox.apps.schemas import xsd
from bridge.sandbox.control import settings
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World
from bridge.steps.drivers.registry import DRIVERS
from bridge.storage.opening import file_faults
from bridge.wiring import utc_now

NO_SETTINGS: dict[str, str | None] = {"BRIDGE_ENVIRONMENT": "nowhere", "BRIDGE_MAPPINGS": "", "BRIDGE_SCHEMAS": ""}


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(check, arguments, env={**NO_SETTINGS, **environ})


def test_sound_mappings_are_listed():
    """Services, actions and schemas, and exit code 0, without any settings."""
    result = run("--mappings", str(mappings_folder()), "--schemas", str(schemas_folder()))

    assert result.exit_code == 0
    assert "urn:altinn:resource:serveringsbevilling: submit, send-to-signing, sign" in result.stdout
    assert "serveringsbevilling.xsd: compiles" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "environ", "unseen"),
    [
        (("--mappings", "mappings"), {}, ["settings, and the keys", "routes: with --mappings", "what Altinn 2"]),
        (("--schemas", "schemas"), {}, ["settings, and the keys", "routes: BRIDGE_ROUTES names no", "what Altinn 2"]),
        ((), {}, ["keys, certificates and the store: the", "routes: BRIDGE_ROUTES names no", "what Altinn 2"]),
        (
            ("--schemas", "schemas"),
            {"BRIDGE_ROUTES": "/nowhere/at/all"},
            ["settings, and the keys", "routes: there is no folder /nowhere/at/all", "what Altinn 2"],
        ),
    ],
)
def test_what_was_not_looked_at_is_told(arguments: tuple[str, ...], environ: dict[str, str], unseen: list[str]):
    """Each part with its reason, and the last line calls sound no more than what was looked at."""
    folders = {"mappings": str(mappings_folder()), "schemas": str(schemas_folder())}
    named = tuple(folders.get(each, each) for each in arguments)

    words, machines = run(*named, **environ), run("--json", *named, **environ)

    told = [line for line in words.stdout.splitlines() if line.startswith("not looked at: ")]
    assert [line.startswith(f"not looked at: {part}") for line, part in zip(told, unseen, strict=True)] == [True] * 3
    assert json.loads(machines.stdout)["not_looked_at"] == [each.removeprefix("not looked at: ") for each in told]
    assert "All sound." not in words.stdout
    assert words.exit_code == (0 if arguments else 1)


def test_with_sound_settings_only_others_are_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Everything that lies here was looked at."""
    monkeypatch.chdir(tmp_path)
    values = settings(World(clock=utc_now), "http://127.0.0.1:9")

    result = run(**{**values, "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/b.sqlite"})

    told = [line for line in result.stdout.splitlines() if line.startswith("not looked at: ")]
    assert told == ["not looked at: what Altinn 2 and the apps say of themselves: --online asks them"]
    assert result.exit_code == 0


def test_one_mapping_can_be_checked_by_itself():
    """Its file in the place of the folder."""
    result = run("--mappings", str(mappings_folder() / "serveringsbevilling.yaml"), "--schemas", str(schemas_folder()))

    assert result.exit_code == 0
    assert "urn:altinn:resource:serveringsbevilling: submit" in result.stdout


def test_faults_of_all_kinds_are_told_at_once(tmp_path: Path):
    """Settings, mappings and schemas in one run, exit code 1, and what is sound beside them."""
    (tmp_path / "a.yaml").write_text("service_resource: 7\n")
    (tmp_path / "b.yaml").write_text((mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8"))
    (tmp_path / "serveringsbevilling.xsd").write_text("<a/>")

    result = run(BRIDGE_MAPPINGS=str(tmp_path), BRIDGE_SCHEMAS=str(tmp_path))

    assert result.exit_code == 1
    assert "BRIDGE_ENVIRONMENT: write 'sandbox'" in result.stderr
    assert f"{tmp_path / 'a.yaml'}:1:19: this must be text" in result.stderr
    assert f"{tmp_path / 'serveringsbevilling.xsd'}:1:1: not an XML Schema" in result.stderr
    assert "urn:altinn:resource:serveringsbevilling" in result.stdout
    assert "compiles" not in result.stdout


def test_the_last_line_counts_notes_beside_faults(tmp_path: Path):
    """Whoever reads no more than that line learns of both."""
    (tmp_path / "a.yaml").write_text("service_resource: 7\n")
    schemas = str(schemas_folder())

    alone = run("--mappings", str(tmp_path), "--schemas", schemas)
    (tmp_path / "b.yaml").write_text((mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8"))
    text = (tmp_path / "b.yaml").read_text("utf-8")
    sub = '  - {type: SubForm, data_format_id: "5802", data_format_version: "1", schema: serveringsbevilling.xsd}\n'
    (tmp_path / "b.yaml").write_text(text.replace("actions:\n", f"{sub}actions:\n", 1), "utf-8")
    beside = run("--mappings", str(tmp_path), "--schemas", schemas)
    notes = beside.stdout.count("\nnote: ")

    assert notes > 0
    assert alone.stderr.splitlines()[-1].endswith((" fault", " faults"))
    assert beside.stderr.splitlines()[-1].endswith(f"; {notes} note{'s' if notes > 1 else ''} to read.")
    assert beside.exit_code == 1


def test_a_namespace_with_a_closing_brace_is_noted(tmp_path: Path):
    """With what to write in its place: forms in it are judged, and not converted."""
    schema = (schemas_folder() / "serveringsbevilling.xsd").read_text("utf-8")
    (tmp_path / "serveringsbevilling.xsd").write_text(schema.replace("<xsd:schema", '<xsd:schema xmlns:p="urn:a}b"', 1))

    result = run("--mappings", str(mappings_folder()), "--schemas", str(tmp_path))

    assert "the namespace 'urn:a}b' has a closing brace" in result.stdout
    assert "write %7D in its place" in result.stdout
    assert result.exit_code == 0


def test_machines_get_the_same_facts(tmp_path: Path):
    """Faults with their place, as JSON."""
    (tmp_path / "a.yaml").write_text("- x")

    result = run("--json", "--mappings", str(tmp_path))

    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["ok"] is False
    assert [fault["where"] for fault in report["faults"]] == [f"{tmp_path / 'a.yaml'}:1:1"]
    assert report["services"] == []


def test_loosened_schemas_are_told(tmp_path: Path):
    """A note per pattern, and the schema is sound."""
    schema = (schemas_folder() / "serveringsbevilling.xsd").read_text("utf-8").replace("[0-9]{4}", "^[0-9]{4}$")
    (tmp_path / "serveringsbevilling.xsd").write_text(schema)

    result = run("--json", "--schemas", str(tmp_path))

    report = json.loads(result.stdout)
    assert report["ok"] is True
    assert "as '[0-9]{4}'" in report["schemas"][0]["notes"][0]


# What xmlschema cannot read, and libxml2 can.
LIBXML2_ALONE = (
    '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m"><x:complexType>'
    + "<x:sequence>" * 220  # Deeper than xmlschema can go.
    + '<x:element name="a" minOccurs="0"/>'
    + "</x:sequence>" * 220
    + "</x:complexType></x:element></x:schema>"
)
PLAIN = """service_resource: urn:altinn:resource:proeve
altinn2: {service_code: "5701", service_edition: 1}
forms:
  - {type: MainForm, data_format_id: "1", data_format_version: "1", schema: a.xsd}
actions:
  press: {requires: write, minimum_level: 3, target: altinn2, form: body, complete: true, sign: true}
"""


def test_what_does_not_work_with_a_schema_is_told(tmp_path: Path):
    """A schema that one engine takes alone: a note where forms are XML, a fault where they have to be converted."""
    (tmp_path / "a.xsd").write_text(LIBXML2_ALONE)
    for name, more in (("xml", ""), ("json", "altinn3: {app: ttd/a, data_type: a, speaks: json}\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(PLAIN.replace("forms:", f"{more}forms:"))

    xml = run("--mappings", str(tmp_path / "xml"), "--schemas", str(tmp_path))
    json = run("--mappings", str(tmp_path / "json"), "--schemas", str(tmp_path))

    assert (xml.exit_code, json.exit_code) == (0, 1)
    assert "note: a.xsd: forms are checked, and neither converted to JSON" in xml.stdout
    assert "by whose model forms are converted, cannot read the schema" in json.stderr


@pytest.mark.parametrize("arguments", [("--offline",), ("--mappings", "no/such/folder"), ("x",)])
def test_wrong_calls_end_with_two(arguments: tuple[str, ...]):
    """An option that is not there, a folder that is not there, an argument too many."""
    assert run(*arguments).exit_code == 2


def test_unpinned_schemas_are_told_with_their_digest(tmp_path: Path):
    """The digest is what sha256sum prints; once it stands in the mapping, nothing more is said."""
    digest = hashlib.sha256((schemas_folder() / "serveringsbevilling.xsd").read_bytes()).hexdigest()
    mapping = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    (tmp_path / "a.yaml").write_text(mapping.replace(".xsd}", f'.xsd, sha256: "{digest}"}}'))

    unpinned = run("--mappings", str(mappings_folder()), "--schemas", str(schemas_folder()))
    pinned = run("--mappings", str(tmp_path), "--schemas", str(schemas_folder()), "--json")

    assert f'sha256: "{digest}"' in unpinned.stdout
    assert pinned.exit_code == 0
    assert [(each["sha256"], each["pinned"]) for each in json.loads(pinned.stdout)["schemas"]] == [(digest, True)]


def test_altinn_is_not_asked_with_faulty_settings():
    """--online needs an address: without one it says so, and tells the rest all the same."""
    result = run("--online")

    assert result.exit_code == 1
    assert "--online: the settings have faults, so nobody was asked" in result.stderr


@pytest.mark.parametrize(("url", "told"), [("", True), ("https://bridge.example.no", False)])
def test_buttons_that_lead_nowhere_are_told(url: str, told: bool):
    """Buttons in a mapping are none on a dialog while nobody knows where they would lead."""
    result = run("--json", BRIDGE_PUBLIC_URL=url, BRIDGE_MAPPINGS=str(mappings_folder()))

    assert any("BRIDGE_PUBLIC_URL" in each for each in json.loads(result.stdout)["notes"]) is told


def test_states_without_a_button_are_told(tmp_path: Path):
    """Something can be done there, and no dialog that the bridge writes offers it: told, and no fault."""
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    sign = "    button: {title: {nb: Signer, nn: Signer, en: Sign}, priority: Primary, api: true}\n"
    (tmp_path / "m.yaml").write_text(text.replace(sign, ""), "utf-8")

    result = run("--mappings", str(tmp_path), "--schemas", str(schemas_folder()))
    before = run("--mappings", str(mappings_folder()), "--schemas", str(schemas_folder()))

    assert sign in text
    assert "in Signering no button is put on a dialog: sign has no 'button'" in result.stdout
    assert "no button is put on a dialog" not in before.stdout
    assert result.exit_code == 0


def test_one_schema_for_main_and_subform_is_told(tmp_path: Path):
    """It may be right, and is more often a slip."""
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    sub = '  - {type: SubForm, data_format_id: "5802", data_format_version: "1", schema: serveringsbevilling.xsd}\n'
    (tmp_path / "m.yaml").write_text(text.replace("actions:\n", f"{sub}actions:\n", 1), "utf-8")

    report = json.loads(run("--json", "--mappings", str(tmp_path), "--schemas", str(schemas_folder())).stdout)

    assert any("SubForm 5802/1 have one schema" in each for each in report["notes"])


@pytest.mark.parametrize(("url", "told"), [("", True), ("https://bridge.example.no", False)])
def test_embeds_that_nobody_can_fetch_are_told(tmp_path: Path, url: str, told: bool):
    """As for buttons."""
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    (tmp_path / "m.yaml").write_text(text + "embeds: {minimum_level: 3}\n", "utf-8")

    result = run("--json", BRIDGE_PUBLIC_URL=url, BRIDGE_MAPPINGS=str(tmp_path))

    assert any("embed" in each for each in json.loads(result.stdout)["notes"]) is told


@pytest.mark.parametrize(
    ("then", "told"),
    [("{status: Completed}", True), ("{silent: true}", False), ("{silent: false}", False)],
)
def test_silent_submissions_are_told(tmp_path: Path, then: str, told: bool):
    """Who subscribes to Altinn's events hears of nothing that is told silently, unless the mapping decided on it."""
    text = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")
    said = "then: {status: Completed, activity: FormSubmitted}"
    assert said in text
    (tmp_path / "a.yaml").write_text(text.replace(said, f"then: {then}"), "utf-8")

    notes = json.loads(run("--json", BRIDGE_MAPPINGS=str(tmp_path)).stdout)["notes"]

    assert any("submit, sign of" in each and "form-submitted" in each for each in notes) is told


def test_apps_are_asked_online(tmp_path: Path):
    """What an app says against a route is a fault of the route's file, and what is good to know stands beside it."""
    world = World(utc_now, 7)
    app = world.apps.find("ttd", "sandkasse-regnestykke")
    assert app is not None
    (tmp_path / "regnestykke.xsd").write_text(xsd(app.data_types[0]), "utf-8")
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "a.yaml").write_text("app: ttd/sandkasse-regnestykke\ntoken: caller\nverbs: post_put\n")
    (tmp_path / "routes" / "b.yaml").write_text("app: ttd/er-ikke-der\ntoken: caller\n")
    (tmp_path / "mappings").mkdir()
    with Sandbox(world) as sandbox:
        environ = {
            **settings(world, sandbox.base_url),
            "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/unused.sqlite",
            "BRIDGE_MAPPINGS": str(tmp_path / "mappings"),
            "BRIDGE_SCHEMAS": str(tmp_path),
            "BRIDGE_ROUTES": str(tmp_path / "routes"),
        }
        words, machines = run("--online", **environ), run("--online", "--json", **environ)

    report = json.loads(machines.stdout)
    assert (words.exit_code, machines.exit_code) == (1, 1)
    assert [Path(each["where"]).name for each in report["faults"]] == ["a.yaml", "b.yaml"]
    assert report["apps"] == ["ttd/sandkasse-regnestykke: library 8.12.7.0, GET creates and POST calculates"]
    assert "write get_post, or leave it out" in words.stderr
    assert "is its name right, and is it deployed in this environment?" in words.stderr
    assert report["apps"][0] in words.stdout


@pytest.mark.parametrize(("route", "sound"), [("app: ttd/a\ntoken: caller\n", True), (None, False)])
def test_a_bridge_without_mappings_needs_a_route(tmp_path: Path, route: str | None, sound: bool):
    """A route is enough to serve; two empty folders are a volume that was not mounted."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "routes").mkdir()
    if route is not None:
        (tmp_path / "routes" / "a.yaml").write_text(route, "utf-8")

    result = run(BRIDGE_MAPPINGS=str(tmp_path / "mappings"), BRIDGE_ROUTES=str(tmp_path / "routes"))

    assert ("there is no mapping file" not in result.stderr) is sound


def test_a_mapping_that_no_dialog_can_be_made_of_is_told() -> None:
    """What would fail at every element of the service is a fault of the check, by mapping, state, type and place."""
    mappings = load_mappings(mappings_folder(), schemas_folder(), targets=DRIVERS)
    (sound,) = [each for each in mappings.values() if each.altinn2 is not None and each.actions][:1]
    name, action = next(iter(sound.actions.items()))
    broken = replace(sound, actions={name: replace(action, button=cast("Any", 7))})

    (fault,) = untellable({broken.service_resource: broken})

    assert list(untellable(mappings)) == []
    assert fault.where.startswith(sound.source)
    assert "AttributeError" in fault.message


def test_sizes_are_held_against_the_defaults_without_settings(tmp_path: Path):
    """What the settings' own limits do not let through, as far as they are known, and that they may be others."""
    (tmp_path / "a.yaml").write_text(PLAIN.replace("forms:", "attachment_rules: [{type: A, max_size_mb: 600}]\nforms:"))
    (tmp_path / "a.xsd").write_text('<schema xmlns="http://www.w3.org/2001/XMLSchema"><element name="m"/></schema>')

    by_default = run("--mappings", str(tmp_path), "--schemas", str(tmp_path))
    raised = run("--mappings", str(tmp_path), "--schemas", str(tmp_path), BRIDGE_ALTINN2_MAX_ATTACHMENT="600000000")

    assert (by_default.exit_code, raised.exit_code) == (1, 0)
    assert "BRIDGE_ALTINN2_MAX_ATTACHMENT lets 500 MB through" in by_default.stderr
    assert "500000000, 50000000 and 20000000 bytes: where the bridge runs they may be others" in by_default.stdout
    assert "600000000, 50000000 and 20000000 bytes" in raised.stdout


def test_a_store_that_could_not_be_opened_is_told(tmp_path: Path):
    """As the start says it, and nothing is made."""
    missing, there = tmp_path / "nope" / "b.sqlite", tmp_path / "b.sqlite"

    assert [str(each) for each in file_faults(f"sqlite:///{missing}")] == [
        f"BRIDGE_DATABASE_URL: there is no folder {missing.parent}: make it, or name another"
    ]
    assert "is a folder: name a file" in str(file_faults(f"sqlite:///{tmp_path}")[0])
    assert [str(each) for each in file_faults(f"sqlite:///{there}", mark=tmp_path / "nope" / "mark")] == [
        f"BRIDGE_STORE_MARK: there is no folder {tmp_path / 'nope'}: make it, or name another"
    ]
    assert file_faults(f"sqlite:///{there}") == file_faults("postgresql+psycopg://nobody@nowhere/b") == []
    assert not any(tmp_path.iterdir())


def test_check_looks_at_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """With the settings of a sandbox that are sound but for the folder."""
    values = settings(World(clock=utc_now), "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)

    result = run(**{**values, "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/nope/b.sqlite"})

    assert "BRIDGE_DATABASE_URL: there is no folder" in result.stderr
    assert result.exit_code == 1


def test_a_route_that_anybody_could_use_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """As the start refuses it: it would call with the bridge's own authority."""
    values = settings(World(clock=utc_now), "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "r.yaml").write_text("app: ttd/x\ntoken: bridge\n")
    values = {**values, "BRIDGE_ROUTES": str(tmp_path / "routes")}

    open_to_all, guarded = run(**values), run(**values, BRIDGE_PROXY_KEY="k" * 32)

    assert "BRIDGE_PROXY_KEY: must be given: a route with token: bridge" in open_to_all.stderr
    assert (open_to_all.exit_code, guarded.exit_code) == (1, 0)


def test_a_schemas_name_may_have_a_number_sign(tmp_path: Path):
    """Only after a JSON Schema's name does it say where forms begin; checking, validating and converting agree."""
    text = "schema: a#1.xsd, json_schema: a#1.json#/$defs/M"
    (tmp_path / "a.yaml").write_text(PLAIN.replace("schema: a.xsd", text))
    (tmp_path / "a#1.xsd").write_text(
        '<schema xmlns="http://www.w3.org/2001/XMLSchema"><include schemaLocation="b%232.xsd"/></schema>'
    )
    (tmp_path / "b#2.xsd").write_text(
        '<schema xmlns="http://www.w3.org/2001/XMLSchema"><element name="m" type="string"/></schema>'
    )
    (tmp_path / "a#1.json").write_text('{"$defs": {"M": {"type": "object", "properties": {"a": {"type": "string"}}}}}')
    (tmp_path / "m.xml").write_text("<m>x</m>")

    checked = run("--mappings", str(tmp_path), "--schemas", str(tmp_path))
    results = [
        CliRunner().invoke(command, [*words, "--schema", str(tmp_path / "a#1.xsd"), str(tmp_path / "m.xml")])
        for command, words in ((validate, []), (convert, ["--to", "json"]))
    ]

    assert checked.exit_code == 0, checked.output
    assert "a#1.xsd: compiles" in checked.stdout
    assert [each.exit_code for each in results] == [0, 0], [each.output for each in results]
