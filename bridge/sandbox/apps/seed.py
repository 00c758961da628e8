"""Puts apps in place as JSON describes them: data types by their schemas, calculated by rules or by a URL."""

import re
from collections.abc import Mapping
from typing import Any

from bridge.sandbox.apps.from_schema import FormModel, NoModel, model_of
from bridge.sandbox.apps.rules import NoRule, by_asking, by_rules, rule
from bridge.sandbox.apps.state import App, Calculate, DataType
from bridge.sandbox.apps.world import AppsWorld
from bridge.sandbox.core.members import DOCUMENT, TEXT, Flag, ListOf, ObjectOf, OneOf, Record, Text, Whole, bad

_NAME = Text()
_SEGMENT = Text(
    words="a name of letters, digits, - and _", fits=lambda text: re.fullmatch(r"[\w-]+", text, re.ASCII), longest=100
)
_VALUES = ObjectOf(Text(longest=TEXT, empty=True), "an object of texts")
_DATA_TYPE = Record(
    members={
        "id": _NAME,
        "schema": Text(longest=DOCUMENT),
        "root": _NAME,
        "class_name": _NAME,
        "rules": ListOf(
            Record(members={"path": _NAME, "calculation": Text(longest=TEXT)}, required=("path", "calculation")),
            "a list of rules",
        ),
        "url": Text(
            words="an address that begins with http:// or https://",
            fits=lambda text: re.fullmatch(r"https?://[^\s/?#]+\S*", text),
        ),
        "prefill": _VALUES,
        "allow_overwrite": Flag(),
        "query_parameters": _VALUES,
        "allow_anonymous": Flag(),
        "content_types": ListOf(_NAME),
    },
    required=("id",),
    words="a data type, which is an object",
)
APP = Record(
    members={
        "name": _SEGMENT,
        "org": _SEGMENT,
        "title": _NAME,
        "version": Text(
            words="the version of the app library, such as 7.6.0",
            fits=lambda text: re.fullmatch(r"[0-9]+(\.[0-9]+){1,3}(-[0-9A-Za-z.-]+)?", text),
        ),
        "minimum_level": Whole(low=0, high=4),
        "scopes": ListOf(_NAME),
        "denied": ListOf(_NAME),
        "shows": _NAME,
        "speaks": OneOf(("both", "json", "xml")),
        "data_types": ListOf(_DATA_TYPE, "a list of data types", empty=False),
    },
    required=("name", "data_types"),
)


def seed_app(world: AppsWorld, given: Mapping[str, Any]) -> App:
    """
    The app that *given* describes, registered or put in another's place; see ``APP``.

    Without a schema there is no form.

    Raises:
        BadRequest: A schema is no model, or something in it cannot be calculated.
    """
    name, ids = given["name"], [each["id"] for each in given["data_types"]]
    if repeated := [place for place, each in enumerate(ids) if each in ids[:place]]:
        raise bad(f"data_types[{repeated[0]}].id", "is that of another data type")
    default = App(org="", name="", title="", data_types=())
    app = App(
        org=given.get("org", world.owner.code),
        name=name,
        title=given.get("title", name),
        data_types=tuple(_data_type(each, f"data_types[{place}]") for place, each in enumerate(given["data_types"])),
        version=given.get("version", default.version),
        minimum_level=given.get("minimum_level", 0),
        scopes=frozenset(given.get("scopes", ())),
        denied=frozenset(given.get("denied", ())),
        shows=given.get("shows", default.shows),
        speaks=given.get("speaks", default.speaks),
    )
    world.apps.register(app)
    return app


def _data_type(given: Mapping[str, Any], place: str) -> DataType:
    name, schema = given["id"], given.get("schema")
    if schema is None:
        _check_formless(given, place)
        return DataType(id=name, content_types=tuple(given.get("content_types", ())) or ("application/pdf",))
    try:
        form = model_of(schema, given.get("root"))
    except NoModel as error:
        raise bad(f"{place}.schema", f"cannot be used: {error}") from error
    class_name = given.get("class_name", f"Altinn.App.Models.{form.root}")
    default = DataType(id="")
    return DataType(
        id=name,
        root=form.root,
        class_name=class_name,
        namespace=form.namespace,
        members=form.members,
        calculate=_calculation(given, form, class_name, place=place) or default.calculate,
        prefill=given.get("prefill", {}),
        allow_overwrite=given.get("allow_overwrite", False),
        query_parameters=given.get("query_parameters", {}),
        allow_anonymous=given.get("allow_anonymous", True),
        content_types=tuple(given.get("content_types", ())) or default.content_types,
        schema=schema,
    )


def _check_formless(given: Mapping[str, Any], place: str) -> None:
    senseless = sorted(set(given) - {"id", "content_types"})
    if senseless:
        raise bad(f"{place}.{senseless[0]}", "is about a form: the data type needs a schema")


def _calculation(given: Mapping[str, Any], form: FormModel, class_name: str, *, place: str) -> Calculate | None:
    rules, url = given.get("rules"), given.get("url")
    if rules and url:
        raise bad(place, "has rules or a url, not both")
    if url is not None:
        return by_asking(form, class_name, url)
    if rules is None:
        return None
    try:
        return by_rules(form, [rule(form, each["path"], each["calculation"]) for each in rules])
    except NoRule as error:
        raise bad(f"{place}.rules", f"cannot be used: {error}") from error
