"""Answers held against what ``/openapi.json`` says of them."""

from typing import Any

import jsonschema_rs

from bridge.web.openapi import document


def fits(name: str, value: Any) -> None:
    """Fail where *value* is not as the schema of that name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document(None)["components"]}
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)
