"""JSON Schemas with which editors complete and check the files that operators write."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

_REF = "#/definitions/{model}"


def editor_schema(model: type[BaseModel], *, title: str) -> dict[str, object]:
    """
    Make the JSON Schema of *model*, in draft 7, which every editor knows.

    It takes what the reader takes key by key. What only shows when keys are seen together is left to
    ``altinn-bridge check``.
    """
    made = model.model_json_schema(by_alias=True, ref_template=_REF)
    named = {name: _plain(part) for name, part in made.pop("$defs", {}).items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        **_plain(made),
        "definitions": named,
    }


def _plain(part: object) -> Any:
    """Take away what says nothing to who writes, and write the rest as draft 7 reads it."""
    if isinstance(part, list):
        return [_plain(each) for each in part]
    if not isinstance(part, Mapping):
        return part
    plain = {
        name: {key: _plain(each) for key, each in value.items()} if name in _BY_NAME else _plain(value)
        for name, value in part.items()
        if name not in ("title", "default") or (name == "default" and isinstance(value, str | int))
    }
    if "patternProperties" in plain:
        plain["additionalProperties"] = False
    # Beside a $ref draft 7 reads nothing.
    if "$ref" in plain and len(plain) > 1:
        plain["allOf"] = [{"$ref": plain.pop("$ref")}]
    return plain


_BY_NAME = ("properties", "patternProperties")
"""Whose members are names of keys, not words of JSON Schema: there is a key ``title``."""
