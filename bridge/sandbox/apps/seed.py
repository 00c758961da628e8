"""Puts apps in place as JSON describes them: data types by their schemas, calculated by rules or by a URL."""

from collections.abc import Mapping
from typing import Any

from bridge.sandbox.apps.from_schema import FormModel, NoModel, model_of
from bridge.sandbox.apps.rules import NoRule, by_asking, by_rules, rule
from bridge.sandbox.apps.state import App, Calculate, DataType
from bridge.sandbox.apps.world import AppsWorld

_APP = {"org", "name", "title", "version", "minimum_level", "scopes", "denied", "shows", "speaks", "data_types"}
_DATA_TYPE = {
    *("id", "schema", "root", "class_name", "rules", "url", "prefill", "allow_overwrite", "query_parameters"),
    *("allow_anonymous", "content_types"),
}


class BadApp(ValueError):
    """A description makes no sense; the message says why."""


def seed_app(world: AppsWorld, given: Mapping[str, Any]) -> App:
    """
    Register an app, or put another in its place.

    ``{name, org?, title?, version?, minimum_level?, scopes?, denied?: [party], shows?, speaks?: json, xml or both,
    data_types: [{id, schema?: XSD, root?, class_name?, rules?: [{path, calculation}] or url?, prefill?,
    allow_overwrite?, query_parameters?, allow_anonymous?, content_types?}]}``. Without a schema there is no form.

    Raises:
        BadApp: A member is missing, unknown or wrong.
    """
    _known(given, _APP, "an app")
    types = given.get("data_types")
    if not isinstance(types, list) or not types:
        raise BadApp("data_types is a list of at least one")
    name = _text(given, "name")
    default = App(org="", name="", title="", data_types=())
    app = App(
        org=_optional(given, "org") or world.owner.code,
        name=name,
        title=_optional(given, "title") or name,
        data_types=tuple(_data_type(each) for each in types),
        version=_optional(given, "version") or default.version,
        minimum_level=_number(given, "minimum_level"),
        scopes=frozenset(_texts(given, "scopes")),
        denied=frozenset(_texts(given, "denied")),
        shows=_optional(given, "shows") or default.shows,
        speaks=_one_of(given, "speaks", ("both", "json", "xml")),
    )
    world.apps.register(app)
    return app


def _data_type(given: Any) -> DataType:
    if not isinstance(given, dict):
        raise BadApp("a data type is an object")
    _known(given, _DATA_TYPE, "a data type")
    name, schema = _text(given, "id"), _optional(given, "schema")
    if schema is None:
        if given.get("rules") or given.get("url"):
            raise BadApp(f"{name} is calculated by its schema's members: it needs a schema")
        return DataType(id=name, content_types=tuple(_texts(given, "content_types")) or ("application/pdf",))
    try:
        form = model_of(schema, _optional(given, "root"))
    except NoModel as error:
        raise BadApp(f"{name}: {error}") from error
    class_name = _optional(given, "class_name") or f"Altinn.App.Models.{form.root}"
    default = DataType(id="")
    return DataType(
        id=name,
        root=form.root,
        class_name=class_name,
        namespace=form.namespace,
        members=form.members,
        calculate=_calculation(given, form, class_name) or default.calculate,
        prefill=_named(given, "prefill"),
        allow_overwrite=_flag(given, "allow_overwrite", default=False),
        query_parameters=_named(given, "query_parameters"),
        allow_anonymous=_flag(given, "allow_anonymous", default=True),
        content_types=tuple(_texts(given, "content_types")) or default.content_types,
        schema=schema,
    )


def _calculation(given: Mapping[str, Any], form: FormModel, class_name: str) -> Calculate | None:
    rules, url = given.get("rules"), _optional(given, "url")
    if rules and url:
        raise BadApp("a data type has rules or a url, not both")
    if url is not None:
        if not url.startswith(("http://", "https://")):
            raise BadApp("url begins with http:// or https://")
        return by_asking(form, class_name, url)
    if rules is None:
        return None
    if not isinstance(rules, list) or not all(isinstance(each, dict) for each in rules):
        raise BadApp("rules is a list of objects")
    try:
        return by_rules(form, [rule(form, _text(each, "path"), _text(each, "calculation")) for each in rules])
    except NoRule as error:
        raise BadApp(str(error)) from error


def _known(given: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise BadApp(f"{what} has no {', '.join(unknown)}")


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise BadApp(f"{name} must be a text")
    return value


def _optional(given: Mapping[str, Any], name: str) -> str | None:
    return None if given.get(name) is None else _text(given, name)


def _number(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadApp(f"{name} must be a whole number")
    return value


def _flag(given: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise BadApp(f"{name} is true or false")
    return value


def _texts(given: Mapping[str, Any], name: str) -> list[str]:
    value = given.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadApp(f"{name} is a list of texts")
    return value


def _named(given: Mapping[str, Any], name: str) -> dict[str, str]:
    value = given.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise BadApp(f"{name} is an object of texts")
    return value


def _one_of(given: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = given.get(name, allowed[0])
    if value not in allowed:
        raise BadApp(f"{name} is one of {', '.join(allowed)}")
    return str(value)
