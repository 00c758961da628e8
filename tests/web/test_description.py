"""``/openapi.json`` and ``/docs`` hold what the bridge answers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from bridge.core.texts.problems import TEXTS
from bridge.storage.trouble import Trouble
from bridge.web import openapi
from bridge.web.app import create_app
from bridge.web.description import document
from tests.scenarios.stage import FAULTY, Stage
from tests.web.described import fits

_RULE = re.compile(r"<(?:\w+:)?(\w+)>")
# What the routes call their parts, and the description.
_NAMES = {"dialog_id": "dialogId", "name": "action", "attachment_id": "attachmentId", "operation_id": "operationId"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("bridge"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def described(stage: Stage) -> Any:
    return stage.client.get("/openapi.json").get_json()


def test_every_route_is_described_and_no_other(stage: Stage, described: Any) -> None:
    """Paths and methods, as Flask has them."""
    routes = {
        (_RULE.sub(lambda part: f"{{{_NAMES.get(part[1], part[1])}}}", rule.rule), method.lower())
        for rule in create_app(stage.bridge).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {(path, method) for path, methods in described["paths"].items() for method in methods} == routes


def test_what_is_named_is_there(described: Any) -> None:
    """References lead somewhere, parts of paths are parameters, and the schemas are schemas."""
    references = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(described)))

    assert references <= set(described["components"]["schemas"])
    for path, methods in described["paths"].items():
        for each in methods.values():
            inside = {one["name"] for one in each.get("parameters", []) if one["in"] == "path"}
            assert inside == set(re.findall(r"{(\w+)}", path))
            assert all("description" in answer for answer in each["responses"].values())
    for name in described["components"]["schemas"]:
        jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", "components": described["components"]})


def test_real_answers_fit(stage: Stage, described: Any) -> None:
    """Problems with and without findings, an operation that went well and one that did not, forms."""
    case, faulty = stage.case(), stage.case(FAULTY)
    token, others = stage.token(case), stage.token(faulty)
    bearer = {"Authorization": f"Bearer {token}"}
    forms = stage.client.get(f"/actions/{case.dialog_id}/submit/forms", headers=bearer).get_json()
    pressed, refused = stage.press(case, token=token), stage.press(faulty, token=others)
    unknown = stage.client.get("/operations/0196f000-0000-7000-8000-000000000009", headers=bearer)

    assert (pressed.status_code, refused.status_code, unknown.status_code) == (204, 422, 404)
    fits("Forms", forms)
    for problem in (refused, unknown):
        fits("Problem", problem.get_json())
        assert str(problem.status_code) in described["paths"]["/actions/{dialogId}/{action}"]["post"]["responses"]
    for one, held in ((case, token), (faulty, others)):
        (operation,) = stage.operations(one)
        shown = stage.client.get(f"/operations/{operation.id}", headers={"Authorization": f"Bearer {held}"})
        assert shown.status_code == 200
        fits("Operation", shown.get_json())


def test_every_operation_says_who_may_and_what_it_is_called(described: Any) -> None:
    """A name of its own, a tag that is explained, what opens it, and headers for who waits or has to log in."""
    operations = [each for methods in described["paths"].values() for each in methods.values()]
    schemes = set(described["components"]["securitySchemes"])
    names = [each["operationId"] for each in operations]

    assert len(set(names)) == len(names)
    assert {tag for each in operations for tag in each["tags"]} == {each["name"] for each in described["tags"]}
    for each in operations:
        assert {name for one in each["security"] for name in one} <= schemes
        assert ("401" in each["responses"]) == bool(each["security"]) or each["operationId"].endswith("AnonymousData")
        for status, answer in each["responses"].items():
            assert "X-Trace-Id" in answer["headers"]
            assert "Retry-After" in answer["headers"] or status not in ("202", "429") or not each["security"]
        for one in each.get("parameters", ()):
            assert one["name"] != "Accept-Language" or "enum" not in one["schema"]
            assert one.get("required") is True or one["name"] != "dataType"


def test_links_lead_to_operations_and_fill_their_addresses(described: Any) -> None:
    """From what was accepted to how far it is, and from a file to what can be done with it."""
    operations = {each["operationId"]: each for methods in described["paths"].values() for each in methods.values()}
    links = [
        (name, status, link)
        for name, each in operations.items()
        for status, answer in each["responses"].items()
        for link in answer.get("links", {}).values()
    ]

    assert {(name, status) for name, status, _ in links} == {
        *(("postAction", "202"), ("putAction", "202"), ("deleteAction", "202")),
        *(("attach", "201"), ("makePrintLink", "201")),
    }
    for _, _, link in links:
        inside = {one["name"] for one in operations[link["operationId"]]["parameters"] if one["in"] == "path"}
        assert set(link.get("parameters", inside)) == inside


@pytest.mark.parametrize(
    ("path", "schema"),
    [("liveness", "Liveness"), ("startup", "Readiness"), ("readiness", "Readiness"), ("deep", "Deep")],
)
def test_health_is_as_described(stage: Stage, described: Any, path: str, schema: str) -> None:
    """Each probe has a schema of its own."""
    answer = stage.client.get(f"/health/{path}")

    fits(schema, answer.get_json())
    assert str(answer.status_code) in described["paths"][f"/health/{path}"]["get"]["responses"]


def test_every_code_of_a_problem_is_named(described: Any) -> None:
    """A client can have a table of them."""
    types = described["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert {each.rpartition(":")[2] for each in types} == set(TEXTS)


def test_every_trouble_of_the_store_is_named(described: Any) -> None:
    """Whoever watches the health can have a table of them, too."""
    for name in ("Readiness", "Deep"):
        assert described["components"]["schemas"][name]["properties"]["why"]["enum"] == [each.value for each in Trouble]


def test_the_source_refers_to_all_that_it_shares(described: Any) -> None:
    """Nothing stands there for nobody, and what is served stands in full: only schemas are referred to."""
    source = yaml.safe_load((Path(openapi.__file__).with_name("openapi.yaml")).read_text("utf-8"))
    groups = {group: source["components"][group] for group in source["components"] if group != "securitySchemes"}
    shared = {f"#/components/{group}/{name}" for group, parts in groups.items() for name in parts}

    assert references(source) == shared
    assert {each.rpartition("/")[0] for each in references(described)} == {"#/components/schemas"}
    assert "'x-code'" not in str(described)


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if "$ref" in part else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_examples_are_as_their_schemas_say(described: Any) -> None:
    """Of bodies, of parts of addresses and of the schemas themselves; each that goes in or out has one."""
    for name, schema in described["components"]["schemas"].items():
        assert schema["examples"], name
        for example in schema["examples"]:
            fits(name, example)
    for methods in described["paths"].values():
        for each in methods.values():
            for one in each.get("parameters", ()):
                assert one["in"] != "path" or "example" in one
                if "example" in one:
                    jsonschema_rs.validate(one["schema"], one["example"])
            contents = [each["requestBody"], *each["responses"].values()] if "requestBody" in each else []
            for entry in (entry for one in contents for entry in one.get("content", {}).values()):
                if "example" in entry:
                    schema = {**entry["schema"], "components": described["components"]}
                    jsonschema_rs.validate(schema, entry["example"])


def test_a_problem_is_shown_as_it_comes_with_its_status(described: Any) -> None:
    """The example of 410 is no 422."""
    shown = [
        (status, media["example"])
        for methods in described["paths"].values()
        for each in methods.values()
        for status, answer in each["responses"].items()
        for kind, media in answer.get("content", {}).items()
        if kind == "application/problem+json" and status != "default"
    ]

    assert shown
    assert all(status == str(problem["status"]) for status, problem in shown)
    assert "{" not in str([problem["detail"] for _, problem in shown])


def test_the_page_shows_all_and_runs_nothing(stage: Stage, described: Any) -> None:
    """Every call with all of its methods, every code; no script, and nothing from elsewhere, not even an icon."""
    answer = stage.client.get("/docs")

    assert answer.status_code == 200
    for path, methods in described["paths"].items():
        for method in methods:
            assert re.search(rf'class="route">.*<b>{method.upper()}</b>.* {re.escape(path)}</code>', answer.text)
    assert all(f'id="problem-{code}"' in answer.text for code in TEXTS)
    assert all(f'id="body-{name}"' in answer.text for name in described["components"]["schemas"])
    assert "<script" not in answer.text
    assert '<link rel="icon" href="data:' in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.text.count("<main>") == 1


def test_the_public_address_is_the_server() -> None:
    """Where the bridge is reached from outside, if that is known."""
    assert document("https://bro.example.no")["servers"] == [{"url": "https://bro.example.no"}]
    assert document(None)["servers"] == [{"url": "/"}]
