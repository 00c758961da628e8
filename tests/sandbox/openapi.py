"""Holds every call to the sandbox's Dialogporten against the published OpenAPI documents, where they are at hand."""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
from requests import PreparedRequest, Response

from bridge.sandbox.in_process import SandboxAdapter
from bridge.sandbox.world import World

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "contracts" / "dialogporten"
PUBLISHED = ("serviceowner", "enduser")
PREFIX = "/dialogporten"
# Statuses that the documents leave out and the facts have; with where they come from.
BEYOND = {
    "400": "validators (facts 2.5, 2.10)",
    "403": "a missing scope (2.2)",
    "404": "a parent that is not there",
    "406": "the well-known documents (2.10)",
    "410": "deleted dialogs to end users (4.1)",
    "413": "bodies above the limit (2.10)",
    "415": "other content types",
    "422": "domain errors (2.10)",
}
# Answered by the framework or by a planned fault: nothing to hold against a document.
ELSEWHERE = {"405", "429", "500", "502", "504"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path of a document."""

    document: str
    path: str
    method: str
    pattern: re.Pattern[str]


def documents_at_hand() -> bool:
    """Say whether the published documents lie beside the checkout."""
    return FOLDER.is_dir()


@functools.cache
def _document(name: str) -> Any:
    path = next(FOLDER.glob(f"repo-*.openapi.{name}.json"))
    return _as_json_schema(json.loads(path.read_text("utf-8-sig")))


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says null by ``nullable``; integers and ids are held to their formats."""
    if isinstance(node, list):
        return [_as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _as_json_schema(value) for key, value in node.items()}
    if changed.get("format") == "guid":
        changed["format"] = "uuid"
    if changed.pop("nullable", False) is True and "type" in changed:
        changed["type"] = [changed["type"], "null"]
    return changed


@functools.cache
def operations() -> tuple[Operation, ...]:
    """List all operations of the published documents."""
    found = []
    for name in PUBLISHED:
        for path, methods in _document(name)["paths"].items():
            # Two literal paths look like an id to the pattern; ids are told from words.
            pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)) + r"/?\Z", re.IGNORECASE)
            found += [
                Operation(document=name, path=path, method=method.upper(), pattern=pattern)
                for method in methods
                if method != "parameters"
            ]
    return tuple(found)


def operation_for(method: str, path: str) -> Operation | None:
    """Find the operation that a call is for; literal paths before those with ids."""
    fitting = [each for each in operations() if each.method == method and each.pattern.match(path)]
    return min(fitting, key=lambda each: each.path.count("{"), default=None)


@functools.cache
def _validator(document: str, path: str, method: str, place: str) -> Any:
    """Compile the schema of a request (``request``) or an answer (its status); None where it has no body."""
    described = _document(document)["paths"][path][method.lower()]
    part = described.get("requestBody", {}) if place == "request" else described["responses"][place]
    schema = next((each["schema"] for each in part.get("content", {}).values() if "schema" in each), None)
    if schema is None:
        return None
    whole = {"components": _document(document)["components"], "allOf": [schema]}
    return jsonschema_rs.Draft4Validator(whole, validate_formats=True)


def differences(request: PreparedRequest, response: Response) -> list[str]:
    """Say how a call differs from what is published; nothing where the call is not Dialogporten's REST API."""
    parts = urlsplit(request.url or "")
    path = parts.path.removeprefix(PREFIX)
    if not parts.path.startswith(f"{PREFIX}/api/") or "/.well-known/" in path:
        return []
    operation = operation_for(request.method or "", path)
    if operation is None:
        return [] if response.status_code in (404, 405, 413, 503) else [f"{request.method} {path} is not published"]
    place = f"{operation.method} {operation.path}"
    found = [f"{place} → {response.status_code}: {each}" for each in _answer(operation, response)]
    if response.ok:
        found += [f"{place} request: {each}" for each in _request(operation, request, parse_qs(parts.query))]
    return found


def _answer(operation: Operation, response: Response) -> list[str]:
    described = _document(operation.document)["paths"][operation.path][operation.method.lower()]["responses"]
    status = str(response.status_code)
    if status not in described:
        return [] if status in BEYOND or status in ELSEWHERE else ["the status is not published"]
    if not response.content or status == "503":
        # 401 and 403 have no body where the scope is missing (facts 2.2).
        return ["the body is missing"] if status in ("200", "201") else []
    validator = _validator(operation.document, operation.path, operation.method, status)
    return [] if validator is None else _errors(validator, response.json())


def _request(operation: Operation, request: PreparedRequest, query: Mapping[str, Any]) -> list[str]:
    described = _document(operation.document)["paths"][operation.path][operation.method.lower()]
    known = {each["name"] for each in described.get("parameters", []) if each["in"] == "query"}
    hidden = {"isSilentUpdate"} if operation.method != "GET" else set()
    found = [f"the parameter {name} is not published" for name in sorted(set(query) - known - hidden)]
    validator = _validator(operation.document, operation.path, operation.method, "request")
    if validator is not None and request.body:
        body: Any = request.body if isinstance(request.body, str | bytes) else None
        wrong = [] if body is None else _errors(validator, json.loads(body))
        # Unknown members are passed over (facts 2.3): what GET showed may be sent back by PUT.
        found += [each for each in wrong if "Additional properties" not in each]
    return found


def _errors(validator: Any, instance: Any) -> list[str]:
    return [f"{list(each.instance_path)}: {each.message[:200]}" for each in validator.iter_errors(instance)]


class HeldAdapter(SandboxAdapter):
    """The sandbox, of which every call is held against the documents; it remembers which operations succeeded."""

    def __init__(self, world: World, succeeded: set[tuple[str, str]] | None = None) -> None:
        super().__init__(world)
        self.succeeded: set[tuple[str, str]] = set() if succeeded is None else succeeded

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Call, and fail where the call differs from what is published."""
        response = super().send(request, *args, **kwargs)
        found = differences(request, response)
        assert found == [], "\n".join(found)
        operation = operation_for(request.method or "", urlsplit(request.url or "").path.removeprefix(PREFIX))
        if response.ok and operation is not None:
            self.succeeded.add((operation.method, operation.path))
        return response
