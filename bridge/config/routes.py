"""Route files: which Altinn 3 apps the calculation proxy leads to. YAML in, and every fault at once with its place."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, cast

from pydantic import Discriminator, Field, Tag, ValidationError

from bridge.config.editor_schemas import editor_schema
from bridge.config.mapping_dialog_keys import Model
from bridge.config.mapping_faults import json_schema_file_faults, schema_file_faults
from bridge.config.mapping_keys import CONTEXT_REF, REQUIREMENT, SHA256, right_kind, without_kind
from bridge.config.mapping_values import requirement
from bridge.config.mappings import pin_fault
from bridge.config.yaml_source import Document, Models, did_you_mean, line_and_column, read_yaml, wrong_value
from bridge.core.calculations import AppRoute, DataTypeRoute, DialogBinding, HttpDialect, TokenUse
from bridge.core.errors import ConfigurationError, Fault
from bridge.core.mapping import DEFAULT_SCOPES, FormFormat, Narrowed, Validation

SCHEMA_FILE = "route.schema.json"

Routes = Mapping[tuple[str, str], AppRoute]


class Schemas(Protocol):
    """What compiles the schemas that routes name (``forms.registry.SchemaRegistry``)."""

    @property
    def folder(self) -> Path:
        """Where they lie."""

    def faults(self, name: str) -> Sequence[Fault]:
        """Compile one, and say what is wrong with it."""

    def digest(self, name: str) -> str | None:
        """The digest of one that was compiled."""

    def root_fault(self, name: str, root: str | None) -> str | None:
        """What is wrong with the *root* of one that was compiled."""


_Validate = Literal["strict", "warn", "off"]
_Format = Literal["both", "xml", "json"]
_VALIDATE = "strict: faults in the form stop it; warn: they are counted in a header; off: the form is not looked at."
_TURNS = "Whether a caller's calculations wait for each other, so that a slow answer does not overwrite a newer one."
_REPEAT = "Whether a calculation whose answer was lost may be sent once more."
_SPOKEN = "What the app reads and writes; with xml or json the bridge converts for clients of the other."


class _DataType(Model):
    """What differs for one data type of the app."""

    schema_: Annotated[str | None, Field(alias="schema", min_length=1, description="The XSD in the schema folder.")] = (
        None
    )
    sha256: Annotated[str | None, Field(pattern=SHA256, description="The digest that the XSD must have.")] = None
    root: Annotated[
        str | None,
        Field(min_length=1, description="The element that forms begin with, where the XSD has several."),
    ] = None
    json_schema: Annotated[
        str | None,
        Field(min_length=1, description="The JSON Schema for forms in JSON; after '#', where forms begin."),
    ] = None
    json_sha256: Annotated[
        str | None, Field(pattern=SHA256, description="The digest that the JSON Schema must have.")
    ] = None
    validate_: Annotated[_Validate | None, Field(alias="validate", description=_VALIDATE)] = None
    one_at_a_time: Annotated[bool | None, Field(description=_TURNS)] = None
    repeatable: Annotated[bool | None, Field(description=_REPEAT)] = None
    speaks: Annotated[_Format | None, Field(description=_SPOKEN)] = None


class _Narrowed(Model):
    """What the dialog token's e must hold."""

    token_ref: Annotated[str, Field(pattern=CONTEXT_REF, description="The authorization context's tokenRef.")]


class _Dialog(Model):
    """The dialogs whose tokens open the app."""

    service_resource: Annotated[
        str, Field(pattern=r"^urn:altinn:resource:[a-z0-9_-]+$", description="The dialog token's s.")
    ]
    requires: Annotated[
        Annotated[str, Field(pattern=REQUIREMENT), Tag("in_a")] | Annotated[_Narrowed, Tag("in_e")],
        Discriminator(right_kind),
        Field(
            description="What the dialog token must grant: action, or action,attribute, in its a; or what its e must "
            "hold, where an authorization context narrows it."
        ),
    ]
    minimum_level: Annotated[int, Field(ge=0, le=4, description="The lowest authentication level, 0 to 4.")]


class RouteFile(Model):
    """A route file of the bridge: one Altinn 3 app that the calculation proxy leads to."""

    app: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$", description="org/app")]
    token: Annotated[
        Literal["caller", "bridge", "dialog"],
        Field(description="Whose authority the app sees: the caller's own, or the bridge's Altinn token."),
    ]
    scopes: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z0-9:/._-]+$")]] | None,
        Field(min_length=1, description="The scopes of the bridge's token."),
    ] = None
    dialog: _Dialog | None = None
    anonymous: Annotated[bool, Field(description="Whether /v1/data/anonymous is open as well.")] = False
    verbs: Annotated[
        Literal["get_post", "post_put"] | None,
        Field(description="What creates and calculates; found out when left out."),
    ] = None
    timeout: Annotated[int | None, Field(ge=1, le=600, description="Seconds for one call in all.")] = None
    validate_: Annotated[_Validate, Field(alias="validate", description=_VALIDATE)] = "off"
    one_at_a_time: Annotated[bool, Field(description=_TURNS)] = False
    repeatable: Annotated[bool, Field(description=_REPEAT)] = False
    speaks: Annotated[_Format, Field(description=_SPOKEN)] = "both"
    data_types: Annotated[
        dict[str, _DataType], Field(description="By the data type's id; the others have what stands above.")
    ] = Field(default_factory=dict)


_MODELS: Models = (
    ((), RouteFile),
    (("dialog",), _Dialog),
    (("dialog", "requires"), _Narrowed),
    (("data_types", "*"), _DataType),
)


def route_json_schema() -> dict[str, object]:
    """Make the JSON Schema with which editors complete and check route files."""
    return editor_schema(RouteFile, title="Route file of the Altinn dialog bridge")


def load_routes(folder: Path | None, schemas: Schemas) -> Routes:
    """
    The routes in ``*.yaml`` and ``*.yml`` of *folder*, by org and app; no folder means no routes.

    Raises:
        ConfigurationError: Every fault of every file, and of the *schemas* that they name.
    """
    routes, faults = read_routes(folder, schemas)
    if faults:
        raise ConfigurationError(faults)
    return routes


def unguarded(routes: Iterable[AppRoute]) -> Iterator[Fault]:
    """Each route of *routes* that calls with the bridge's own authority, where no ``BRIDGE_PROXY_KEY`` guards it."""
    for each in routes:
        if each.token is TokenUse.BRIDGE:
            message = f"must be given: a route with token: bridge would calculate for anybody ({each.source})"
            yield Fault(where="BRIDGE_PROXY_KEY", message=message)


def read_routes(folder: Path | None, schemas: Schemas) -> tuple[Routes, list[Fault]]:
    """Do the same, and give what is sound beside what is not."""
    routes: dict[tuple[str, str], AppRoute] = {}
    faults: list[Fault] = []
    files = [] if folder is None else sorted(each for each in folder.glob("*") if each.suffix in {".yaml", ".yml"})
    compiled: set[str] = set()
    for path in files:
        document = Document(path=path)
        route = _read(document, schemas.folder)
        if route is not None and (other := routes.get((route.org, route.app))) is not None:
            document.fault(("app",), f"{route.name} has its route in {other.source} already: keep one of the two")
        elif route is not None:
            routes[route.org, route.app] = route
            names = dict.fromkeys(name for each in route.data_types.values() for name, _ in each.pins)
            faults += [fault for name in names if name not in compiled for fault in schemas.faults(name)]
            compiled.update(names)
            _hold_to_pins(document, route, schemas)
            _hold_to_roots(document, route, schemas)
        faults += sorted(document.faults, key=line_and_column)
    return routes, faults


def _hold_to_pins(document: Document, route: AppRoute, schemas: Schemas) -> None:
    for data_type, each in route.data_types.items():
        for name, pinned in each.pins:
            message = pin_fault(name, pinned, schemas.digest)
            if message is not None:
                key = "sha256" if name == each.schema else "json_sha256"
                document.fault(("data_types", data_type, key), message)


def _hold_to_roots(document: Document, route: AppRoute, schemas: Schemas) -> None:
    for data_type, each in route.data_types.items():
        turns = each.validate is not Validation.OFF or each.speaks is not FormFormat.BOTH
        if each.schema is None or (each.root is None and not turns):
            continue
        message = schemas.root_fault(each.schema, each.root)
        if message is not None:
            document.fault(("data_types", data_type, "schema" if each.root is None else "root"), message)


def _read(document: Document, schemas: Path) -> AppRoute | None:
    data = read_yaml(document, begins="a route file begins with keys: app: org/app")
    if data is None:
        return None
    try:
        file = RouteFile.model_validate(data)
    except ValidationError as error:
        for found in error.errors():
            _say(document, found)
        return None
    _hold_together(document, file, schemas)
    return None if document.faults else _route(file, document.path)


def _say(document: Document, error: Any) -> None:
    place = without_kind(tuple(error["loc"]))
    match error["type"]:
        case "extra_forbidden":
            document.fault(place, f"there is no key {place[-1]!r} here{did_you_mean(_MODELS, place)}", key=True)
        case "missing":
            document.fault(place[:-1], f"the key {place[-1]!r} is missing here")
        case kind:
            document.fault(place, wrong_value(kind, error.get("input"), error.get("ctx", {})))


def _hold_together(document: Document, file: RouteFile, schemas: Path) -> None:
    use = TokenUse(file.token)
    if use is TokenUse.DIALOG and file.dialog is None:
        document.fault(("token",), "say which dialogs open the app: the key 'dialog' is missing")
    if use is not TokenUse.DIALOG and file.dialog is not None:
        document.fault(
            ("dialog",), "only token: dialog looks at dialog tokens: change the one or drop the other", key=True
        )
    if use is TokenUse.CALLER and file.scopes is not None:
        document.fault(("scopes",), "a caller's own token has its own scopes: drop this", key=True)
    if file.anonymous and use is not TokenUse.CALLER:
        document.fault(("anonymous",), "an open door beside a locked one: only token: caller goes with it", key=True)
    for name, each in file.data_types.items():
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name):
            document.fault(("data_types", name), "a data type's id has letters, digits, '_', '.' and '-'", key=True)
        for key, named, digest in (
            ("schema", each.schema_, each.sha256),
            ("json_schema", each.json_schema, each.json_sha256),
        ):
            find = schema_file_faults if key == "schema" else json_schema_file_faults
            for message in () if named is None else find(schemas, named):
                document.fault(("data_types", name, key), message)
            if named is None and digest is not None:
                message = f"without a '{key}' there is nothing for this to say: leave it out"
                document.fault(("data_types", name, "sha256" if key == "schema" else "json_sha256"), message)
        if each.schema_ is not None:
            continue
        if each.root is not None:
            message = "without a 'schema' there is nothing for this to say: leave it out"
            document.fault(("data_types", name, "root"), message)
        if each.json_schema is None and (each.validate_ or "off") != "off":
            document.fault(("data_types", name, "validate"), "nothing to hold the form against: name its 'schema'")
        if (each.speaks or file.speaks) != "both":
            document.fault(
                ("data_types", name), "conversion goes by the schema: name the data type's 'schema'", key=True
            )
    if file.validate_ != "off" and not any(each.schema_ or each.json_schema for each in file.data_types.values()):
        document.fault(("validate",), "nothing to hold forms against: name a data type's 'schema'")


def _route(file: RouteFile, path: Path) -> AppRoute:
    org, _, app = file.app.partition("/")
    use = TokenUse(file.token)
    verbs = {"get_post": HttpDialect.GET_POST, "post_put": HttpDialect.POST_PUT, None: None}[file.verbs]
    return AppRoute(
        org=org,
        app=app,
        token=use,
        scopes=(tuple(file.scopes) if file.scopes else DEFAULT_SCOPES) if use is not TokenUse.CALLER else (),
        dialog=None if file.dialog is None else _binding(file.dialog),
        anonymous=file.anonymous,
        verbs=verbs,
        timeout=None if file.timeout is None else float(file.timeout),
        defaults=_data_type(file, "", _DataType()),
        data_types={name: _data_type(file, name, each) for name, each in file.data_types.items()},
        source=str(path),
    )


def _binding(dialog: _Dialog) -> DialogBinding:
    right = dialog.requires
    return DialogBinding(
        service_resource=dialog.service_resource,
        requires=requirement(right) if isinstance(right, str) else Narrowed(token_ref=right.token_ref),
        minimum_level=dialog.minimum_level,
    )


def _data_type(file: RouteFile, name: str, own: _DataType) -> DataTypeRoute:
    held = own.validate_ or file.validate_
    return DataTypeRoute(
        data_type=name,
        schema=own.schema_,
        # Without a schema there is nothing to hold a form against.
        validate=Validation.OFF if own.schema_ is None and own.json_schema is None else Validation(held),
        one_at_a_time=file.one_at_a_time if own.one_at_a_time is None else own.one_at_a_time,
        repeatable=file.repeatable if own.repeatable is None else own.repeatable,
        speaks=FormFormat.BOTH if own.schema_ is None else FormFormat(cast("str", own.speaks or file.speaks)),
        sha256=own.sha256,
        root=own.root,
        json_schema=own.json_schema,
        json_sha256=own.json_sha256,
    )
