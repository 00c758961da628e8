"""What apps publish of themselves against what mappings and routes say, by the sandbox's apps."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.adapters.apps.metadata import AppMetadataClient, AppUse, TypeUse, read_app_metadata, uses
from bridge.adapters.http.session import new_session
from bridge.config.mappings import read_mappings
from bridge.config.routes import read_routes
from bridge.core.calculations import HttpDialect
from bridge.core.mapping import FormFormat
from bridge.forms.registry import SchemaRegistry
from bridge.sandbox.apps.model import Member
from bridge.sandbox.apps.schemas import json_schema, xsd
from bridge.sandbox.apps.state import App
from bridge.sandbox.core.ledger import How
from bridge.sandbox.in_process import BASE_URL, SandboxAdapter
from bridge.sandbox.world import World
from bridge.steps.drivers.calculation.online import check_apps
from bridge.steps.drivers.protocol import OnlineReport
from bridge.steps.drivers.registry import DRIVERS
from tests.sandbox.support import make_world

NAME = "ttd/sandkasse-regnestykke"
TYPE = TypeUse(id="regnestykke", speaks=FormFormat.XML, schema="regnestykke.xsd")
USE = AppUse(where="a.yaml", app=NAME, data_types=(TYPE,))
ROUTE = f"app: {NAME}\ntoken: caller\nverbs: post_put\ndata_types: {{regnestykke: {{schema: regnestykke.xsd}}}}\n"
MAPPING = """\
service_resource: urn:altinn:resource:sandkasse
altinn2: {service_code: "4711", service_edition: 1}
altinn3: {app: ttd/sandkasse-regnestykke, data_type: regnestykke}
forms:
  - {type: MainForm, data_format_id: "9001", data_format_version: "1", schema: regnestykke.xsd}
actions:
  submit: {requires: write, minimum_level: 3, target: altinn3, form: body}
"""


class Desk:
    """The sandbox's app, the schema that is pinned, and what the check says."""

    def __init__(self, folder: Path) -> None:
        self.world: World = make_world()
        self.folder = folder
        app = self.world.apps.find(*NAME.split("/"))
        assert app is not None
        self.app = app
        self.form = app.data_types[0]
        (folder / "regnestykke.xsd").write_text(xsd(self.form), "utf-8")
        (folder / "regnestykke.schema.json").write_text(json_schema(self.form), "utf-8")
        session = new_session(pool=1)
        session.mount("http://", SandboxAdapter(self.world))
        self.client = AppMetadataClient(session, f"{BASE_URL}/apps/{{org}}/{{app}}")

    def put(self, **about: object) -> None:
        """Deploy the app in another shape."""
        self.world.apps.register(replace(self.app, **about))  # type: ignore[arg-type]

    def said(self, *named: AppUse) -> OnlineReport:
        return check_apps(named or (USE,), self.client, SchemaRegistry(self.folder))

    def fault(self, use: AppUse = USE) -> str:
        """The only fault."""
        (found,) = self.said(use).faults
        assert found.where == use.where
        return found.message


@pytest.fixture
def bench(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_sound_app_tells_its_verbs_only(bench: Desk) -> None:
    """One note, no fault, and one question for each document."""
    said = bench.said(USE, replace(USE, where="b.yaml"))

    assert said.faults == []
    assert said.told == [f"{NAME}: library 8.12.7.0, GET creates and POST calculates"]
    assert [each.path.rpartition("/")[2] for each in bench.world.calls.all("apps")].count("applicationmetadata") == 1


def test_uses_come_from_mappings_and_routes(bench: Desk) -> None:
    """Each names its file, the data type and the schema; a route's verbs are held against the version."""
    for name, text in (("mappings", MAPPING), ("routes", ROUTE)):
        (bench.folder / name).mkdir()
        (bench.folder / name / "one.yaml").write_text(text, "utf-8")
    services, faults = read_mappings(bench.folder / "mappings", bench.folder, targets=DRIVERS)
    routes, others = read_routes(bench.folder / "routes", SchemaRegistry(bench.folder))
    assert [*faults, *others] == []

    named = tuple(uses(services.values(), list(routes.values())))
    said = bench.said(*named)

    assert [(Path(each.where).parent.name, each.app, each.data_types[0].schema) for each in named] == [
        ("mappings", NAME, "regnestykke.xsd"),
        ("routes", NAME, "regnestykke.xsd"),
    ]
    assert [each.message for each in said.faults] == [
        f"verbs: post_put, but {NAME} is built with library 8.12.7.0: write get_post, or leave it out"
    ]


def test_a_missing_data_type_is_told_with_those_there_are(bench: Desk) -> None:
    """One that is not there, and one that has no form, each with what could be meant."""
    missing = replace(USE, data_types=(replace(TYPE, id="Regnestykke"),))
    formless = replace(USE, data_types=(replace(TYPE, id="pdf"),))

    assert bench.fault(missing) == f"{NAME} has no data type 'Regnestykke': those with a form are regnestykke"
    assert "pdf has no form (appLogic.classRef), so every call is an empty 500" in bench.fault(formless)


def test_content_types_that_are_no_forms_are_faults(bench: Desk) -> None:
    """What instances take is a note where it is a form of the other kind."""
    bench.put(data_types=(replace(bench.form, content_types=("image/png",)),))
    picture = bench.fault()
    bench.put(data_types=(replace(bench.form, content_types=("application/json",)),))
    other = bench.said()

    assert picture == f"{NAME}: the data type regnestykke takes image/png, which are no forms"
    assert other.faults == []
    assert any("stateless calls do not look at that" in note for note in other.told)


def test_open_routes_need_open_data_types(bench: Desk) -> None:
    """The named one is a fault, what the route opens beside it a note."""
    closed = replace(bench.form, allow_anonymous=False)
    bench.put(data_types=(closed, replace(closed, id="annet")))

    said = bench.said(replace(USE, anonymous=True))

    assert "does not say allowAnonymousOnStateless" in said.faults[0].message
    assert len(said.faults) == 1
    assert any("the route opens annet to everybody as well" in note for note in said.told)
    assert bench.said(USE).faults == []


@pytest.mark.parametrize(
    ("shows", "version", "note"),
    [
        (
            "new-instance",
            "8.12.7",
            "is not stateless (onEntry.show: new-instance); its forms are calculated all the same",
        ),
        ("stateless", "8.12.7", "its start page (stateless) shows first, not regnestykke"),
        ("stateless", "9.0.0-preview.1", None),
    ],
    ids=["stateful", "another data type", "v9 does not tell"],
)
def test_what_opens_first_is_told(bench: Desk, shows: str, version: str, note: str | None) -> None:
    """It keeps nobody from calculating, so it is no fault."""
    bench.put(shows=shows, version=version, data_types=(replace(bench.form, id="first"), bench.form))

    said = bench.said()

    assert said.faults == []
    assert said.told[1:] == ([] if note is None else [f"{NAME}: {note}"])


@pytest.mark.parametrize(
    ("version", "verbs", "said"),
    [
        ("8.12.7", HttpDialect.GET_POST, "library 8.12.7, GET creates and POST calculates"),
        ("4.6.1", None, "tells no version, so its verbs are found out by the first call"),
    ],
)
def test_versions_tell_the_verbs(bench: Desk, version: str, verbs: HttpDialect | None, said: str) -> None:
    """Apps before 7.0 tell none."""
    bench.put(version=version)

    assert bench.client.metadata(NAME).verbs is verbs
    assert f"{NAME}: {said}" in bench.said().told


def test_what_the_app_would_drop_is_a_fault(bench: Desk) -> None:
    """The pinned schema has a field that the app's has not; what differs otherwise is a note."""
    ours = replace(bench.form, members=(*bench.form.members, Member(name="ny"), Member(name="tall")))
    theirs = replace(bench.form, members=(*bench.form.members, Member(name="tall", kind="number"), Member(name="mer")))
    (bench.folder / "regnestykke.xsd").write_text(xsd(ours), "utf-8")
    bench.put(data_types=(theirs,))

    said = bench.said()

    (fault,) = said.faults
    assert fault.message.startswith(f"{NAME} drops in silence what regnestykke.xsd has and its own schema has not: /R")
    assert "/Regnestykke/ny;" in fault.message
    assert said.told[1] == (
        f"{NAME}: its schema of regnestykke differs from regnestykke.xsd: /Regnestykke/tall is string here and decimal "
        "there, /Regnestykke/mer is in the app's only"
    )


def test_json_schemas_are_compared_too(bench: Desk) -> None:
    """By pointer, words for people aside."""
    use = replace(USE, data_types=(replace(TYPE, schema=None, json_schema="regnestykke.schema.json"),))
    same = bench.said(use)
    bench.put(data_types=(replace(bench.form, members=(*bench.form.members, Member(name="mer"))),))
    other = bench.said(use)

    assert len(same.told) == 1
    assert other.faults == []
    assert "/$defs/Regnestykke/properties/mer/type is in the app's only" in other.told[1]


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (None, None),
        ("<html/>", "was not held against regnestykke.schema.json: it is no JSON"),
        ("[" * 100_000, "was not held against regnestykke.schema.json: it is no JSON"),
    ],
    ids=["encoded twice", "another page", "nested without end"],
)
def test_json_schemas_come_in_quotes_or_not_at_all(bench: Desk, body: str | None, note: str | None) -> None:
    """Encoded twice it is the same schema; what is none is told, and ends nothing."""
    use = replace(USE, data_types=(replace(TYPE, schema=None, json_schema="regnestykke.schema.json"),))
    how = How(status=200, body=json.dumps(json_schema(bench.form)) if body is None else body)
    bench.world.faults.plan(how, system="apps", method=None, path="jsonschema", times=1, skip=0)

    said = bench.said(use)

    assert said.faults == []
    assert [each.endswith(note or "") for each in said.told[1:]] == ([] if note is None else [True])


@pytest.mark.parametrize(
    "body", ["<html/>", "no XML", "", '<schema xmlns="http://www.w3.org/2001/XMLSchema"/>'], ids=repr
)
def test_an_xsd_that_is_none_is_told(bench: Desk, body: str) -> None:
    """Nothing was compared, which is said with the address, and ends nothing."""
    how = How(status=200, body=body)
    bench.world.faults.plan(how, system="apps", method=None, path="xsdschema", times=1, skip=0)

    said = bench.said()

    assert said.faults == []
    assert "/api/xsdschema/regnestykke was not held against regnestykke.xsd: " in said.told[1]


def test_older_apps_give_no_xsd(bench: Desk) -> None:
    """That is said, since nothing was compared."""
    bench.put(version="8.12.5")

    assert (
        bench.said().told[1].endswith("so regnestykke.xsd was not held against it: libraries before 8.12.6 give none")
    )


SILENT: list[tuple[str, How, str]] = [
    ("nothing answers", How(cut="before"), "was not reached at http"),
    ("the ingress", How(status=503, body="<html/>"), "(status 503), as apps are while they are deployed: try again"),
    (
        "another service",
        How(status=200, body="<html/>"),
        "does not answer as an app does (the answer is no JSON object)",
    ),
    ("no app there", How(status=404), "is its name right, and is it deployed in this environment?"),
]


@pytest.mark.parametrize(("how", "message"), [row[1:] for row in SILENT], ids=[row[0] for row in SILENT])
def test_silent_apps_are_a_fault_in_words(bench: Desk, how: How, message: str) -> None:
    """Every place that names the app has it, with what to do next; the others are checked all the same."""
    bench.world.faults.plan(how, system="apps", method=None, path="regnestykke/api", times=1, skip=0)
    other = AppUse(where="b.yaml", app="ttd/sandkasse-timeliste", data_types=())

    said = bench.said(USE, other)

    (fault,) = said.faults
    assert fault.where == "a.yaml"
    assert message in fault.message
    assert any(note.startswith("ttd/sandkasse-timeliste: library") for note in said.told)


def test_an_app_of_another_spelling_is_named(bench: Desk) -> None:
    """Routes do not mind upper case, metadata does."""
    bench.world.apps.register(App(org="ttd", name="Regner", title="", data_types=(bench.form,)))

    assert bench.fault(replace(USE, app="ttd/regner")) == "the app calls itself ttd/Regner: write it so"


@pytest.mark.parametrize(
    "document",
    [{}, {"onEntry": None, "dataTypes": None}, {"dataTypes": ["x", {"id": 1}, {"id": "a", "appLogic": "x"}]}],
)
def test_odd_metadata_is_read_as_far_as_it_goes(document: dict[str, object]) -> None:
    """What is missing or of another kind is not there."""
    found = read_app_metadata(document)

    assert (found.version, found.shows, found.verbs) == (None, None, None)
    assert [each.has_form for each in found.data_types] in ([], [False])
