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
    _say_once(made, made.get("$defs", {}))
    named = {name: _plain(part) for name, part in made.pop("$defs", {}).items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        **_plain(made),
        "definitions": named,
    }


def _say_once(part: object, named: Mapping[str, Any]) -> None:
    """Take out of the models of unions what ``_by_discriminator`` says of the discriminator, so that it marks once."""
    if isinstance(part, Mapping) and "discriminator" in part:
        key = part["discriminator"]["propertyName"]
        for ref in part["discriminator"]["mapping"].values():
            model = named[ref.rpartition("/")[2]]
            model["properties"][key].pop("const")
            model["required"].remove(key)
    for each in part.values() if isinstance(part, Mapping) else part if isinstance(part, list) else ():
        _say_once(each, named)


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
    if "discriminator" in plain:
        return _by_discriminator(plain)
    if "patternProperties" in plain:
        plain["additionalProperties"] = False
    # Beside a $ref draft 7 reads nothing.
    if "$ref" in plain and len(plain) > 1:
        plain["allOf"] = [{"$ref": plain.pop("$ref")}]
    return plain


def _by_discriminator(union: Mapping[str, Any]) -> dict[str, object]:
    """
    The union as one question after the other, so that an editor marks a key, not that none of several models fits.

    Where the discriminator is missing or unknown, it is the first model by which the other keys are looked at.
    """
    name, models = union["discriminator"]["propertyName"], union["discriminator"]["mapping"]
    (_, first), *others = models.items()
    chosen: dict[str, object] = {"$ref": first}
    for value, ref in others:
        asked = {"properties": {name: {"const": value}}, "required": [name]}
        chosen = {"if": asked, "then": {"$ref": ref}, "else": chosen}
    return {"type": "object", "properties": {name: {"enum": list(models)}}, "required": [name], **chosen}


_BY_NAME = ("properties", "patternProperties")
"""Whose members are names of keys, not words of JSON Schema: there is a key ``title``."""
