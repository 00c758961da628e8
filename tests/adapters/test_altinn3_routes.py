"""Route files: what they mean, and every fault at its place."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.adapters.route_files import SCHEMA_FILE, load_routes, read_routes, route_json_schema
from bridge.cli.check import check
from bridge.core.calculations import Held, Speaks, TokenUse, Verbs
from bridge.core.errors import ConfigurationError

SHIPPED = Path(__file__).parents[2] / "routes"
DOCUMENT = Path(__file__).parents[2] / "docs" / "calculation.md"
WHOLE = """\
app: ttd/skjema
token: dialog
scopes: [altinn:serviceowner/instances.read]
dialog: {service_resource: urn:altinn:resource:skjema, requires: "write,task_1", minimum_level: 3}
verbs: post_put
timeout: 20
validate: advisory
one_at_a_time: true
data_types:
  a: {schema: a.xsd, validate: strict, repeatable: true, speaks: xml}
  b: {one_at_a_time: false}
"""


def write(folder: Path, *files: str) -> Path:
    (folder / "routes").mkdir()
    (folder / "a.xsd").write_text("<x/>", "utf-8")
    (folder / "a.json").write_text("{}", "utf-8")
    for number, text in enumerate(files):
        (folder / "routes" / f"{number}.yaml").write_text(text, "utf-8")
    return folder / "routes"


def test_a_route_says_what_its_file_says(tmp_path: Path) -> None:
    """What a data type does not say is as the app says it; without a schema nothing is checked or converted."""
    routes = load_routes(write(tmp_path, WHOLE), tmp_path)

    route = routes["ttd", "skjema"]
    a, b, c = (route.data_type(name) for name in "abc")
    assert (route.token, route.verbs, route.timeout, route.anonymous) == (
        TokenUse.DIALOG,
        Verbs.POST_PUT,
        20.0,
        False,
    )
    assert route.dialog is not None
    assert str(route.dialog.requires) == "write,task_1"
    assert (a.held, a.repeatable, a.speaks, a.one_at_a_time) == (Held.STRICT, True, Speaks.XML, True)
    assert (b.held, b.one_at_a_time, c.held, c.one_at_a_time) == (Held.OFF, False, Held.OFF, True)


def test_no_folder_means_no_routes(tmp_path: Path) -> None:
    """The proxy then leads nowhere."""
    assert load_routes(None, tmp_path) == {}


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
    (
        "JSON alone",
        "app: ttd/a\ntoken: caller\ndata_types: {x: {json_schema: a.json}}\n",
        "3:31",
        "name it as 'schema'",
    ),
    (
        "an XSD for JSON",
        "app: ttd/a\ntoken: caller\ndata_types: {x: {schema: a.xsd, json_schema: a.xsd}}\n",
        "3:46",
        "ends with .json",
    ),
    (
        "JSON for an XSD",
        "app: ttd/a\ntoken: caller\ndata_types: {x: {schema: a.json}}\n",
        "3:26",
        "an XSD must stand here",
    ),
    (
        "a digest of nothing",
        f'app: ttd/a\ntoken: caller\ndata_types: {{x: {{schema: a.xsd, json_sha256: "{"0" * 64}"}}}}\n',
        "3:46",
        "leave it out",
    ),
    ("no schema", "app: ttd/a\ntoken: caller\ndata_types: {x: {validate: strict}}\n", "3:28", "name its 'schema'"),
    ("nothing to hold", "app: ttd/a\ntoken: caller\nvalidate: strict\n", "3:11", "name a data type's 'schema'"),
    ("no mapping", "[]\n", "1:1", "begins with keys"),
    ("an anchor", "app: &a ttd/a\ntoken: caller\n", "1:6", "anchors and aliases"),
]


@pytest.mark.parametrize(("text", "place", "message"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_faults_name_their_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    """File, line and column, and what to write instead."""
    routes, faults = read_routes(write(tmp_path, text), tmp_path)

    assert routes == {}
    assert len(faults) == 1
    assert faults[0].where.endswith(f"0.yaml:{place}")
    assert message in faults[0].message


def test_all_faults_of_all_files_are_told(tmp_path: Path) -> None:
    """Also that one app has two routes."""
    sound = "app: ttd/a\ntoken: caller\n"

    with pytest.raises(ConfigurationError) as caught:
        load_routes(write(tmp_path, sound, "app: ttd/a\ntoken: bridge\n", "app: x\ntoken: y\n"), tmp_path)

    assert [fault.where.rpartition("/")[2] for fault in caught.value.faults] == [
        "1.yaml:1:6",
        "2.yaml:1:6",
        "2.yaml:2:8",
    ]


def test_what_ships_is_sound_and_current(tmp_path: Path) -> None:
    """The shipped route loads, and editors check with the model that the bridge reads with."""
    routes = load_routes(SHIPPED, tmp_path)

    assert list(routes) == [("ttd", "sandkasse-regnestykke")]
    assert json.loads((SHIPPED / SCHEMA_FILE).read_text("utf-8")) == route_json_schema()


def test_the_document_explains_every_key() -> None:
    """Every key of a route file stands in docs/calculation.md."""
    text = DOCUMENT.read_text("utf-8")
    parts = [route_json_schema(), *route_json_schema()["$defs"].values()]

    assert {key for part in parts for key in part["properties"] if f"`{key}`" not in text} == set()


def test_bridge_check_tells_faults_of_routes(tmp_path: Path) -> None:
    """Beside those of mappings and schemas, all at once."""
    folder = write(tmp_path, "app: ttd/a\ntoken: nobody\n")

    result = CliRunner().invoke(check, ["--schemas", str(tmp_path)], env={"BRIDGE_ROUTES": str(folder)})

    assert result.exit_code == 1
    assert "0.yaml:2:8: write one of caller, bridge, dialog" in result.stderr


def test_bridge_check_tells_the_quirks_of_schemas_of_routes(tmp_path: Path) -> None:
    """As for mappings: what was loosened, the digest of what is not pinned, and that of what was exchanged."""
    route = 'app: ttd/a\ntoken: caller\ndata_types:\n  x: {schema: x.xsd, json_schema: "x.json#D"}\n'
    folder = write(tmp_path, route)
    (tmp_path / "x.xsd").write_text(
        '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"><x:element name="m" type="x:int"/></x:schema>', "utf-8"
    )
    (tmp_path / "x.json").write_text(
        '{"$defs": {"D": {"type": "object", "properties": {"m": {"type": "integer"}}}}}', "utf-8"
    )
    for name in ("mappings", "schemas"):
        shutil.copytree(SHIPPED.parent / name, tmp_path, dirs_exist_ok=True)
    environ = {
        "BRIDGE_ROUTES": str(folder),
        "BRIDGE_SCHEMAS": str(tmp_path),
        "BRIDGE_MAPPINGS": str(tmp_path),
    }

    told = json.loads(CliRunner().invoke(check, ["--json"], env=environ).stdout)
    (folder / "0.yaml").write_text(route.replace('x.json#D"', f'x.json#D", json_sha256: "{"0" * 64}"'), "utf-8")
    exchanged = CliRunner().invoke(check, [], env=environ)

    schemas = {each["name"]: each for each in told["schemas"]}
    assert schemas["x.json#D"]["notes"] == [f"{tmp_path}/x.json: forms begin at #/$defs/D (its name was given)"]
    assert schemas["x.json#D"]["pinned"] is schemas["x.xsd"]["pinned"] is False
    assert f"x.json#D is another than was pinned: its digest is {schemas['x.json#D']['sha256']}" in (exchanged.stderr)
