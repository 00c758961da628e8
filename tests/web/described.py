"""Answers held against what ``/openapi.json`` says of them."""

from typing import Any

import jsonschema_rs
from werkzeug.test import TestResponse

from bridge.web.openapi import document


def fits(name: str, value: Any) -> None:
    """Fail where *value* is not as the schema of that name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document(None)["components"]}
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)


def answers_as_described(method: str, path: str, answer: TestResponse) -> None:
    """Fail where *answer* is none of those that the operation has: by its status, its type, and what stands in it."""
    described = document(None)
    answers = described["paths"][path][method.lower()]["responses"]
    content = answers.get(str(answer.status_code), answers["default"])["content"]
    if not answer.data and "Content-Type" not in answer.headers:
        return  # OpenAPI has no word for a body that may be missing.
    assert answer.mimetype in content, (answer.status, answer.mimetype)
    if answer.is_json:
        schema = {**content[answer.mimetype]["schema"], "components": described["components"]}
        jsonschema_rs.validator_for(schema, validate_formats=True).validate(answer.get_json())
