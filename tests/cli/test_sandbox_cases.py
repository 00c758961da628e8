"""``altinn-bridge sandbox case``, ``token``, ``client`` and ``app`` put things into a sandbox that runs."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
import requests
from click.testing import CliRunner, Result
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from bridge.cli.sandbox.command import sandbox
from bridge.config.settings import Settings
from bridge.sandbox.server import Sandbox
from tests.sandbox.support import make_world

ROOT = Path(__file__).parents[2]
MAPPING = ROOT / "mappings" / "serveringsbevilling.yaml"
FORM = ROOT / "bridge" / "bundled" / "examples" / "serveringsbevilling.xml"
OTHER = ROOT / "mappings" / "mapping.schema.json"
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Sum"><xs:complexType><xs:sequence>
<xs:element name="a" type="xs:decimal"/><xs:element name="b" type="xs:decimal" minOccurs="0"/>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(make_world()) as found:
        yield found


def run(running: Sandbox | None, *arguments: str, env: dict[str, str | None] | None = None) -> Result:
    where = [] if running is None else ["--sandbox", running.base_url]
    return CliRunner().invoke(sandbox, [*arguments, *where], env=env)


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token.strip(), options={"verify_signature": False}))


def test_a_case_of_a_mapping_needs_its_file_and_a_form(running: Sandbox) -> None:
    """Resource, service with schema, forms and buttons are the mapping's; the last line presses the first button."""
    result = run(running, "case", "--mapping", str(MAPPING), "--form", str(FORM), "--bridge", "http://127.0.0.1:9")

    assert result.exit_code == 0, result.output
    *rows, line = result.output.splitlines()
    told = dict(row.split(maxsplit=1) for row in rows if not row.startswith("end user"))
    element = running.world.altinn2.find(told["element"])
    assert element is not None
    assert (element.service.code, element.service.forms[0].schema is not None) == ("5701", True)
    assert list(told) == ["element", "dialog", "party", "submit", "send-to-signing", "sign", "token"]
    assert shlex.split(line)[-1] == told["submit"] == f"http://127.0.0.1:9/actions/{told['dialog']}/submit"
    dialog = running.world.dialogporten.find(told["dialog"])
    assert dialog is not None
    assert [each["action"] for each in dialog.body["guiActions"]] == ["write", "write", "sign"]


def test_without_any_option_a_case_is_of_the_shipped_service(running: Sandbox) -> None:
    """With its valid form."""
    made = json.loads(run(running, "case", "--json").output)

    element = running.world.altinn2.find(made["message_id"])
    assert element is not None
    service = element.service
    # An action of the mapping leaves the form to whoever signs.
    assert (service.code, service.signing_steps, len(element.forms)) == ("5701", 1, 1)


def test_a_case_without_a_mapping_is_said_in_options(running: Sandbox, tmp_path: Path) -> None:
    """Service and format of the form; level, entities and contexts; signing steps with unique signers."""
    form, plan = tmp_path / "form.xml", tmp_path / "plan.pdf"
    form.write_text("<melding/>", "utf-8")
    plan.write_bytes(b"%PDF-")
    options = [
        "--resource",
        "urn:altinn:resource:x",
        "--service",
        "4711/2",
        "--data-format",
        "1/2",
        "--form",
        str(form),
    ]
    more = ["--attachment", f"Plan={plan}", "--signing-steps", "2", "--unique-signers", "--state", "signing"]
    narrowed = ["--action", "sign", "--context", 'sign={"tokenRef": "en"}', "--entity", "en", "--level", "4"]

    result = run(running, "case", *options, *more, *narrowed, "--json")

    assert result.exit_code == 0, result.output
    made = json.loads(result.output)
    element = running.world.altinn2.find(made["message_id"])
    assert element is not None
    service = element.service
    assert (service.edition, service.signing_steps, service.unique_signers) == (2, 2, True)
    assert [each.file_name for each in element.attachments] == ["plan.pdf"]
    assert (claims(made["token"])["e"], claims(made["token"])["l"]) == (["en"], 4)


def test_the_environment_says_where_the_sandbox_is(running: Sandbox) -> None:
    """By the settings that it printed; a case needs neither element nor form."""
    env: dict[str, str | None] = {"BRIDGE_DIALOGPORTEN_URL": f"{running.base_url}/dialogporten", "BRIDGE_LISTEN": None}

    result = run(None, "case", "--resource", "urn:altinn:resource:y", env=env)

    assert result.exit_code == 0, result.output
    assert "element   none" in result.output
    assert "http://127.0.0.1:8080/actions/" in result.output


def test_tokens_of_every_kind_are_printed_bare(running: Sandbox) -> None:
    """A dialog's with its claims overridden, an end user's, and a service owner's of any scope."""
    made = json.loads(run(running, "case", "--resource", "urn:altinn:resource:z", "--json").output)
    dialog = ["--dialog", made["dialog_id"], "--level", "2", "--entity", "r", "--claim", "p=null", "--claim", "x=1"]

    found = claims(run(running, "token", *dialog).output)
    reader = claims(run(running, "token", "--party", made["party"], "--action", "read").output)
    owner = claims(run(running, "token", "--scope", "a:b", "--scope", "c", "--owner", "skd", "--exchanged").output)

    assert (found["l"], found["e"], found["x"], "p" in found) == (2, ["r"], 1, False)
    assert reader["sandbox_grants"] == ["read"]
    assert (owner["scope"], owner["urn:altinn:authlevel"]) == ("a:b c", 3)


def test_a_client_has_the_settings_of_a_bridge(running: Sandbox) -> None:
    """As a shell reads them, with a key of its own."""
    result = run(running, "client", "--owner", "nav", "--scope", "nav:les")
    as_json = json.loads(run(running, "client", "--owner", "nav", "--json").output)

    exports = dict(
        shlex.split(line)[1].split("=", 1) for line in result.output.splitlines() if line.startswith("export ")
    )
    own = running.world.client.id
    assert Settings.from_environ(exports).maskinporten_client_id not in (None, own, as_json["id"])
    assert f"({as_json['organisation']['number']})" in result.output


MISSHAPEN: list[tuple[str, int, str]] = [
    ("forms: 5", 2, "forms must be a list"),
    ("forms: [5]", 2, "forms must be a list"),
    ("actions: 5", 2, "actions must have keys of their own"),
    ("actions: {a: {button: {title: 5}}}", 2, "actions must have keys of their own"),
    ("altinn2: 5", 2, "altinn2 must have keys of its own"),
    ("altinn2: {service_code: x, service_edition: x}", 1, "service.service_edition must be a whole number"),
    ("altinn2: {service_code: x, signing_steps: [1]}", 1, "service.signing_steps must be a whole number"),
    ("altinn2: {service_code: x, unique_signers: 1}", 1, "service.unique_signers must be true or false"),
    ("altinn2: {service_code: x}\nattachment_rules: 5", 1, "service.attachment_rules must be a list"),
    ("altinn2: {service_code: x}\nforms: [{data_format_id: 2026-01-01}]", 1, "data_format_version is missing"),
]


@pytest.mark.parametrize(("keys", "code", "reason"), MISSHAPEN)
def test_a_mapping_of_another_shape_is_told(
    running: Sandbox, tmp_path: Path, keys: str, code: int, reason: str
) -> None:
    """By its key: 2 where no case can be read from it, 1 where the sandbox refuses what it says."""
    (tmp_path / "mapping.yaml").write_text(f"service_resource: urn:altinn:resource:x\n{keys}\n", "utf-8")

    result = run(running, "case", "--mapping", str(tmp_path / "mapping.yaml"))

    assert (result.exit_code, reason in result.output) == (code, True), result.output


def test_a_number_that_json_does_not_have_is_a_text(running: Sandbox) -> None:
    """As any other word that stands for itself."""
    result = run(running, "token", "--scope", "a", "--claim", "l=NaN")

    assert claims(result.output)["l"] == "NaN"


def test_an_app_is_a_file_and_its_schemas(running: Sandbox, tmp_path: Path) -> None:
    """Beside it; what is printed is where it answers."""
    (tmp_path / "sum.xsd").write_text(SCHEMA, "utf-8")
    (tmp_path / "app.yaml").write_text(
        "name: sum\ndata_types: [{id: sum, schema: sum.xsd, rules: [{path: b, calculation: a * 2}]}]\n", "utf-8"
    )

    result = run(running, "app", str(tmp_path / "app.yaml"))

    assert result.exit_code == 0, result.output
    answer = requests.post(f"{result.output.strip()}/v1/data/anonymous?dataType=sum", json={"a": 2.5}, timeout=5)
    assert answer.json() == {"a": 2.5, "b": 5}


WRONG: list[tuple[list[str], int, str]] = [
    (["case", "--mapping", str(OTHER)], 2, "does not say which service it is"),
    (["case", "--resource", "urn:altinn:resource:x", "--service", "/x"], 2, "CODE/EDITION"),
    (["case", "--resource", "urn:altinn:resource:x", "--form", str(FORM)], 2, "--data-format"),
    (["case", "--resource", "urn:altinn:resource:x", "--attachment", "Plan"], 2, "TYPE=FILE"),
    (["case", "--resource", "urn:altinn:resource:x", "--context", "submit={"], 2, "JSON"),
    *(
        (["case", "--resource", "urn:altinn:resource:x", "--context", f"submit={each}"], 2, "ACTION=JSON")
        for each in ("notjson", "1", "[]", "null", '"a"')
    ),
    (["case", "--resource", "urn:altinn:resource:x", "--service", "abc"], 2, "CODE/EDITION"),
    (["case", "--resource", "urn:altinn:resource:x", "--service", "4100/"], 2, "CODE/EDITION"),
    (["case", "--resource", "urn:altinn:resource:x", "--form", str(FORM), "--data-format", "abc"], 2, "ID/VERSION"),
    (["case", "--resource", "urn:altinn:resource:x", "--who", "1"], 1, "who must be the number"),
    (["token"], 2, "--dialog"),
    (["token", "--scope", "a", "--claim", "x"], 2, "NAME=JSON"),
    (["token", "--dialog", "01a2232d-dd2a-76a3-88a7-0639eb1167b3"], 1, "no dialog has the id"),
    (["token", "--party", "abc"], 1, "party must be the urn of a party"),
    (
        ["token", "--party", "urn:altinn:organization:identifier-no:310000019", "--actor", "abc"],
        1,
        "actor must be the urn of a party",
    ),
    (["case", "--resource", "urn:altinn:resource:x", "--actor", "abc"], 1, "actor must be the urn of a party"),
    (
        ["case", "--resource", "urn:altinn:resource:x", "--context", 'submit={"nope": 1}'],
        1,
        "contexts.submit.nope is unknown",
    ),
    (["case", "--resource", "urn:altinn:resource:x", "--bridge", "abc"], 1, "bridge must be an address"),
    (["client", "--number", "123456789"], 1, "number must be that of an organisation"),
    (["fault", "--status", "500", "--path", "("], 1, "match.path must be a regular expression"),
    (["fault", "--status", "500", "--method", "put"], 1, "match.method must be a method in capitals"),
    (["switch", "put_status=201"], 1, "put_status takes one of 204, 200"),
    (["switch", "nothing=1"], 1, "no switch named nothing"),
    (["app", str(FORM)], 2, "describes no app"),
    (["fault"], 2, "say what goes wrong"),
    (["fault", "--late", "1", "--held"], 2, "one of --cut"),
    (["fault", "--status", "500", "--header", "x"], 2, "NAME=VALUE"),
    (["switch", "latency_ms"], 2, "NAME=VALUE"),
    (["app", str(MAPPING)], 1, "service_resource is unknown"),
]


@pytest.mark.parametrize(("arguments", "code", "reason"), WRONG, ids=[" ".join(row[0][:2]) for row in WRONG])
def test_what_cannot_be_is_told(running: Sandbox, arguments: list[str], code: int, reason: str) -> None:
    """2 where the command was written wrongly, 1 where the sandbox refuses."""
    result = run(running, *arguments)

    assert (result.exit_code, reason in result.output) == (code, True), result.output


def test_faults_are_planned_listed_and_cleared(running: Sandbox) -> None:
    """A PUT that lands late, with an answer at once or without one, and everything else of the control API."""
    late = run(running, "fault", "--system", "altinn2", "--method", "PUT", "--late", "20", "--times", "0")
    answered = run(running, "fault", "--path", "/messages/", "--held", "--status", "504", "--header", "Retry-After=1")

    planned = json.loads(run(running, "fault", "--list").output)
    came = run(running, "fault", "--let-come")
    run(running, "fault", "--clear")

    assert (late.exit_code, answered.exit_code, came.output.strip()) == (0, 0, "0"), late.output
    assert [(each["system"], each["match"]["method"], each["times"]) for each in planned] == [
        ("altinn2", "PUT", None),
        (None, None, 1),
    ]
    assert json.loads(run(running, "fault", "--list").output) == []


def test_switches_are_thrown_while_it_runs(running: Sandbox) -> None:
    """Those that are not as by default are listed; one that does not exist is refused."""
    thrown = run(running, "switch", "put_status=200", "delete_for_good=true")
    listed = run(running, "switch", "--json")
    refused = run(running, "switch", "nothing=1")
    back = run(running, "switch", "put_status=204", "delete_for_good=false")

    assert thrown.output.splitlines() == ["put_status=200", "delete_for_good=True"]
    assert {each["name"] for each in json.loads(listed.output)} == {"put_status", "delete_for_good"}
    assert (refused.exit_code, "There is no switch named nothing" in refused.output) == (1, True)
    assert back.output == ""


def test_nobody_at_home_is_told(tmp_path: Path) -> None:
    """With the line that starts a sandbox."""
    result = CliRunner().invoke(sandbox, ["token", "--scope", "x", "--sandbox", "http://127.0.0.1:9"])

    assert (result.exit_code, "altinn-bridge sandbox --port" in result.output) == (1, True)


@pytest.mark.parametrize("body", [b"<h1>Hei</h1>", b""])
@pytest.mark.parametrize(
    "arguments", [["case"], ["token", "--scope", "x"], ["client"], ["fault", "--list"], ["switch"]]
)
def test_somebody_else_at_home_is_told(arguments: list[str], body: bytes) -> None:
    """A web server that says 200 to everything is no sandbox."""
    with answering(body) as address:
        result = CliRunner().invoke(sandbox, [*arguments, "--sandbox", address])

    assert (result.exit_code, "it is no sandbox" in result.output) == (1, True), result.output


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """A server on loopback that answers everything with 200 and *body*, and its address."""
    server = make_server("127.0.0.1", 0, Response(body, mimetype="text/html"), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
