"""Route files: what they mean, and every fault at its place."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.check.command import check
from bridge.config.routes import SCHEMA_FILE, load_routes, read_routes, route_json_schema
from bridge.core.calculations import HttpDialect, TokenUse
from bridge.core.errors import ConfigurationError
from bridge.core.mapping import FormFormat, Narrowed, Validation
from bridge.forms.registry import SchemaRegistry

SHIPPED = Path(__file__).parents[2] / "routes"
DOCUMENT = Path(__file__).parents[2] / "docs" / "calculation.md"
XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
DIGEST = "0" * 64
WHOLE = """\
app: ttd/skjema
token: dialog
scopes: [altinn:serviceowner/instances.read]
dialog: {service_resource: urn:altinn:resource:skjema, requires: "write,task_1", minimum_level: 3}
verbs: post_put
timeout: 20
validate: warn
one_at_a_time: true
data_types:
  a: {schema: a.xsd, validate: strict, repeatable: true, speaks: xml}
  b: {one_at_a_time: false}
  d: {json_schema: a.json, validate: strict, speaks: both}
"""


def write(folder: Path, *files: str) -> Path:
    (folder / "routes").mkdir()
    (folder / "a.xsd").write_text(f'<xs:schema {XS}><xs:element name="a" type="xs:int"/></xs:schema>', "utf-8")
    (folder / "a.json").write_text('{"type": "object", "properties": {"a": {"type": "integer"}}}', "utf-8")
    (folder / "broken.json").write_text('{"type": 7}', "utf-8")
    for number, text in enumerate(files):
        (folder / "routes" / f"{number}.yaml").write_text(text, "utf-8")
    return folder / "routes"


def test_a_route_says_what_its_file_says(tmp_path: Path) -> None:
    """What a data type does not say is as the app says it; without a schema nothing is checked or converted."""
    routes = load_routes(write(tmp_path, WHOLE), SchemaRegistry(tmp_path))

    route = routes["ttd", "skjema"]
    a, b, c, d = (route.data_type(name) for name in "abcd")
    assert (route.token, route.verbs, route.timeout, route.anonymous) == (
        TokenUse.DIALOG,
        HttpDialect.POST_PUT,
        20.0,
        False,
    )
    assert route.dialog is not None
    assert str(route.dialog.requires) == "write,task_1"
    assert (a.validate, a.repeatable, a.speaks, a.one_at_a_time) == (Validation.STRICT, True, FormFormat.XML, True)
    assert (d.validate, d.schema, d.json_schema) == (Validation.STRICT, None, "a.json")
    assert (b.validate, b.one_at_a_time, c.validate, c.one_at_a_time) == (Validation.OFF, False, Validation.OFF, True)


def test_a_route_may_ask_for_what_e_holds(tmp_path: Path) -> None:
    """As an action may, by the context's tokenRef."""
    (route,) = load_routes(write(tmp_path, NARROWED), SchemaRegistry(tmp_path)).values()

    assert route.dialog is not None
    assert route.dialog.requires == Narrowed(token_ref="sum")


def test_no_folder_means_no_routes(tmp_path: Path) -> None:
    """The proxy then leads nowhere."""
    assert load_routes(None, SchemaRegistry(tmp_path)) == {}


NARROWED = """\
app: ttd/a
token: dialog
dialog: {requires: {token_ref: sum}, service_resource: urn:altinn:resource:a, minimum_level: 3}
"""

FAULTS: list[tuple[str, str, str, str]] = [
    ("an unknown key", "app: ttd/a\ntoken: caller\nverb: get_post\n", "3:1", "did you mean 'verbs'?"),
    ("a missing key", "app: ttd/a\n", "1:1", "the key 'token' is missing here"),
    ("a wrong word", "app: ttd/a\ntoken: calller\n", "2:8", "did you mean caller?"),
    ("a path for an app", "app: ttd/../a\ntoken: caller\n", "1:6", "does not have the form"),
    ("a key twice", "app: ttd/a\ntoken: caller\ntoken: bridge\n", "3:1", "stands on line 2 already"),
    ("no dialog", "app: ttd/a\ntoken: dialog\n", "2:8", "the key 'dialog' is missing"),
    ("an open door", "app: ttd/a\ntoken: bridge\nanonymous: true\n", "3:1", "only token: caller goes with it"),
    ("scopes of others", "app: ttd/a\ntoken: caller\nscopes: [a:b]\n", "3:1", "drop this"),
    (
        "no such schema",
        "app: ttd/a\ntoken: caller\ndata_types: {x: {schema: b.xsd}}\n",
        "3:26",
        "did you mean 'a.xsd'?",
    ),
    ("outside", "app: ttd/a\ntoken: caller\ndata_types: {x: {schema: ../a.xsd}}\n", "3:26", "without '..'"),
    ("no schema", "app: ttd/a\ntoken: caller\ndata_types: {x: {validate: strict}}\n", "3:28", "name its 'schema'"),
    ("a word of before", "app: ttd/a\ntoken: caller\nvalidate: advisory\n", "3:11", "warn"),
    ("nothing to hold", "app: ttd/a\ntoken: caller\nvalidate: strict\n", "3:11", "name a data type's 'schema'"),
    ("JSON for XSD", "app: ttd/a\ntoken: caller\ndata_types: {x: {schema: a.json}}\n", "3:26", "an XSD must stand"),
    ("XSD for JSON", "app: ttd/a\ntoken: caller\ndata_types: {x: {json_schema: a.xsd}}\n", "3:31", "ends with .json"),
    (
        "JSON alone",
        "app: ttd/a\ntoken: caller\ndata_types: {x: {json_schema: a.json, speaks: xml}}\n",
        "3:14",
        "by the",
    ),
    (
        "a pin for nothing",
        f"app: ttd/a\ntoken: caller\ndata_types: {{x: {{schema: a.xsd, json_sha256: '{DIGEST}'}}}}\n",
        "3:46",
        "without a 'json_schema'",
    ),
    ("another name", NARROWED.replace("token_ref", "token_ref: a, tokenRef"), "3:35", "did you mean 'token_ref'?"),
    ("no mapping", "[]\n", "1:1", "begins with keys"),
    ("an anchor", "app: &a ttd/a\ntoken: caller\n", "1:6", "anchors and aliases"),
]


@pytest.mark.parametrize(("text", "place", "message"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_faults_name_their_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    """File, line and column, and what to write instead."""
    routes, faults = read_routes(write(tmp_path, text), SchemaRegistry(tmp_path))

    assert routes == {}
    assert len(faults) == 1
    assert faults[0].where.endswith(f"0.yaml:{place}")
    assert message in faults[0].message


@pytest.mark.parametrize(
    ("key", "pin", "column"), [("schema: a.xsd", "sha256", 41), ("json_schema: a.json", "json_sha256", 52)]
)
def test_pins_hold(tmp_path: Path, key: str, pin: str, column: int) -> None:
    """A schema that is another than was pinned, with the digest that it has; which then is right."""
    text = "app: ttd/a\ntoken: caller\ndata_types: {x: {KEY, PIN: 'DIGEST'}}\n".replace("KEY", key).replace("PIN", pin)
    folder = write(tmp_path, text.replace("DIGEST", DIGEST))
    registry = SchemaRegistry(tmp_path)

    _, faults = read_routes(folder, registry)
    (folder / "0.yaml").write_text(text.replace("DIGEST", registry.digest(key.partition(": ")[2]) or ""), "utf-8")

    assert [fault.where.rpartition("/")[2] for fault in faults] == [f"0.yaml:3:{column}"]
    assert "is another than was pinned" in faults[0].message
    assert read_routes(folder, registry)[1] == []


def test_schemas_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    """Each once, at its own place."""
    folder = write(tmp_path, "app: ttd/a\ntoken: caller\ndata_types: {x: {json_schema: broken.json}}\n")

    _, faults = read_routes(folder, SchemaRegistry(tmp_path))

    assert [Path(fault.where).name.partition(":")[0] for fault in faults] == ["broken.json"]


def test_all_faults_of_all_files_are_told(tmp_path: Path) -> None:
    """Also that one app has two routes."""
    sound = "app: ttd/a\ntoken: caller\n"
    folder = write(tmp_path, sound, "app: ttd/a\ntoken: bridge\n", "app: x\ntoken: y\n")

    with pytest.raises(ConfigurationError) as caught:
        load_routes(folder, SchemaRegistry(tmp_path))

    assert [fault.where.rpartition("/")[2] for fault in caught.value.faults] == [
        "1.yaml:1:6",
        "2.yaml:1:6",
        "2.yaml:2:8",
    ]


def test_what_ships_is_sound_and_current(tmp_path: Path) -> None:
    """The shipped route loads, and editors check with the model that the bridge reads with."""
    routes = load_routes(SHIPPED, SchemaRegistry(tmp_path))

    assert list(routes) == [("ttd", "sandkasse-regnestykke")]
    assert json.loads((SHIPPED / SCHEMA_FILE).read_text("utf-8")) == route_json_schema()


def test_the_document_explains_every_key() -> None:
    """Every key of a route file stands in docs/calculation.md."""
    text = DOCUMENT.read_text("utf-8")
    parts = [route_json_schema(), *route_json_schema()["definitions"].values()]

    assert {key for part in parts for key in part["properties"] if f"`{key}`" not in text} == set()


def test_bridge_check_tells_faults_of_routes(tmp_path: Path) -> None:
    """Beside those of mappings and schemas, all at once."""
    folder = write(tmp_path, "app: ttd/a\ntoken: nobody\n")

    result = CliRunner().invoke(check, ["--schemas", str(tmp_path)], env={"BRIDGE_ROUTES": str(folder)})

    assert result.exit_code == 1
    assert "0.yaml:2:8: write one of caller, bridge, dialog" in result.stderr
