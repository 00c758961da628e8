"""The description of every route (OpenAPI 3.1): what ``openapi.yaml`` says, and what only a running bridge knows."""

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from bridge.config.yaml_faults import LOADER
from bridge.core.texts.problems import TEXTS
from bridge.web.problems import TYPE

Json = dict[str, Any]

_SOURCE = Path(__file__).with_name("openapi.yaml")
_WRITTEN_OUT = ("parameters", "headers", "requestBodies", "responses")
"""The shared parts that stand in full wherever they are used, so that no reader need look them up."""


@lru_cache(maxsize=2)
def document(public_url: str | None) -> Json:
    """The description of a bridge that others reach at *public_url*; a test holds it against routes and answers."""
    source = _source()
    shared = source["components"]
    kept = {name: part for name, part in shared.items() if name not in _WRITTEN_OUT}
    described: Json = _written_out({**source, "components": kept}, shared)
    described["info"]["version"] = version("altinn-dialog-bridge")
    described["servers"] = [{"url": public_url or "/"}]
    schemas = described["components"]["schemas"]
    for status, entry in _bodies(described):
        _show(entry, status, schemas)
    schemas["Problem"]["properties"]["type"] = {"enum": [f"{TYPE}{code}" for code in sorted(TEXTS)]}
    schemas["Problem"]["examples"] = [_problem("form_invalid", 422, schemas)]
    return described


def shown_dialog() -> str:
    """The id of a dialog that stands in the examples."""
    return str(_source()["components"]["parameters"]["dialogId"]["example"])


@cache
def _source() -> Json:
    source: Json = yaml.load(_SOURCE.read_bytes(), Loader=LOADER)  # noqa: S506 - a safe one, and our own file
    return source


def _written_out(part: Any, shared: Json) -> Any:
    """A copy of *part* with what is shared in the place of each reference to it; schemas stay references."""
    if isinstance(part, list):
        return [_written_out(each, shared) for each in part]
    if not isinstance(part, dict):
        return part
    _, _, place = part.get("$ref", "").partition("#/components/")
    group, _, name = place.partition("/")
    if group in _WRITTEN_OUT:
        return _written_out(shared[group][name], shared)
    return {key: _written_out(each, shared) for key, each in part.items()}


def _bodies(described: Json) -> Iterator[tuple[str, Json]]:
    """Each body of each call, with the status of the answer that it comes in; what is sent has none."""
    for methods in described["paths"].values():
        for operation in methods.values():
            sent = {"": operation["requestBody"]} if "requestBody" in operation else {}
            for status, each in {**sent, **operation["responses"]}.items():
                for entry in each.get("content", {}).values():
                    yield status, entry


def _show(entry: Json, status: str, schemas: Json) -> None:
    """Put an example into *entry*: the problem that is named there, or that of the schema which it may have."""
    code = entry.pop("x-code", None)
    if code is not None:
        entry["example"] = _problem(code, int(status), schemas)
        return
    schema = entry["schema"]
    named = [
        each.get("$ref", "").rpartition("/")[2] for each in (schema, *schema.get("anyOf", schema.get("oneOf", ())))
    ]
    shown = [example for name in named for example in schemas.get(name, {}).get("examples", ())]
    if shown:
        entry["example"] = shown[0]


def _problem(code: str, status: int, schemas: Json) -> Json:
    """A problem document with *code* as it comes with *status*, in English."""
    words = TEXTS[code]["en"]
    findings = {"findings": schemas["Finding"]["examples"]} if code == "form_invalid" else {}
    return {
        "type": f"{TYPE}{code}",
        "title": words.title,
        "status": status,
        "detail": words.detail.replace("{rule}", "plan.pdf, at most 30 MB").replace("{limit}", "10000000"),
        **findings,
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
