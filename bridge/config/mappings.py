"""Mapping files: YAML in, values of ``core/mapping`` out, and every fault at once with its file, line and column."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bridge.config.mapping_faults import hold_together
from bridge.config.mapping_keys import IN_WORDS, MODELS, ActionKeys, ActionModels, file_model, without_kind
from bridge.config.mapping_parts import Parts, Targets, models_of
from bridge.config.mapping_states import STATUSES, name_meant
from bridge.config.mapping_values import mapping_of
from bridge.config.yaml_source import Document, Models, Place, did_you_mean, line_and_column, read_yaml, wrong_value
from bridge.core.errors import ConfigurationError, Fault
from bridge.core.mapping import FormFormat, FormKind, ServiceMapping, schema_file

_UNFIT_ACTIVITIES = {
    "Information": "it needs a text, which a mapping cannot give",
    "TransmissionOpened": "it needs a transmission, which an action does not have",
    "CorrespondenceOpened": "it belongs to correspondences",
    "CorrespondenceConfirmed": "it belongs to correspondences",
}


MappingFaults = Callable[[ServiceMapping], Iterable[tuple[Place, str]]]
"""Says what in a sound mapping does not go with what lies around it: the keys that lead there, and what is wrong."""


def load_mappings(
    folder: Path,
    schemas: Path,
    *,
    targets: Targets,
    schema_faults: Callable[[str], Sequence[Fault]] | None = None,
    schema_digest: Callable[[str], str | None] | None = None,
    schema_root: Callable[[str, str | None], str | None] | None = None,
    mapping_faults: MappingFaults | None = None,
    may_be_empty: bool = False,
) -> Mapping[str, ServiceMapping]:
    """
    The mappings in ``*.yaml`` and ``*.yml`` of *folder*, by service resource; form schemas must lie in *schemas*.

    *targets* are those that an action may name, each with who knows its keys and what is wrong with them (``DRIVERS``
    of ``steps/drivers/registry.py``). *schema_faults* compiles a schema and says what is wrong with it
    (``SchemaRegistry.faults``); without it a schema need only be there. *schema_digest* tells a compiled schema's
    digest (``SchemaRegistry.digest``), which is held against what the mapping pins. *schema_root* says what is wrong
    with a compiled schema's root (``SchemaRegistry.root_fault``). *mapping_faults* tells what in a mapping does not go
    with schemas and settings. A folder without a mapping is a fault, unless it *may_be_empty*.

    Raises:
        ConfigurationError: Every fault of every file.
    """
    mappings, faults = read_mappings(
        folder,
        schemas,
        targets=targets,
        schema_faults=schema_faults,
        schema_digest=schema_digest,
        schema_root=schema_root,
        mapping_faults=mapping_faults,
        may_be_empty=may_be_empty,
    )
    if faults:
        raise ConfigurationError(faults)
    return mappings


def read_mappings(
    folder: Path,
    schemas: Path,
    *,
    targets: Targets,
    schema_faults: Callable[[str], Sequence[Fault]] | None = None,
    schema_digest: Callable[[str], str | None] | None = None,
    schema_root: Callable[[str, str | None], str | None] | None = None,
    mapping_faults: MappingFaults | None = None,
    may_be_empty: bool = False,
) -> tuple[Mapping[str, ServiceMapping], Sequence[Fault]]:
    """Do the same, and give what is sound beside what is not. *folder* may be a single mapping file."""
    faults: list[Fault] = []
    mappings: dict[str, ServiceMapping] = {}
    compiled: set[str] = set()
    if folder.is_file():
        files = [folder]
    else:
        files = sorted(path for path in folder.glob("*") if path.suffix in {".yaml", ".yml"})
    if not files and not may_be_empty:
        faults.append(Fault(where=str(folder), message="there is no mapping file (*.yaml) in this folder"))
    for path in files:
        read, mapping = _read(path, schemas, targets)
        faults += read.faults
        if mapping is None:
            continue
        twin = _twin_fault(read, mapping, mappings.values())
        if twin is not None:
            faults.append(twin)
            continue
        mappings[mapping.service_resource] = mapping
        for name in dict.fromkeys(name for spec in mapping.forms for name, _ in spec.pins if name not in compiled):
            compiled.add(name)
            if schema_faults is not None and (schemas / schema_file(name)).is_file():
                faults += schema_faults(name)
        faults += _pin_faults(read, mapping, schema_digest)
        faults += _root_faults(read, mapping, schema_root)
        faults += (
            Fault(where=read.where(place), message=message)
            for place, message in (mapping_faults(mapping) if mapping_faults else ())
        )
    return mappings, faults


def _twin_fault(read: Document, mapping: ServiceMapping, others: Iterable[ServiceMapping]) -> Fault | None:
    """The fault of mapping what another file maps: its resource, or its service, whose elements were two dialogs'."""
    for other in others:
        if mapping.service_resource == other.service_resource:
            message = f"{mapping.service_resource} is mapped in {other.source} already: keep one of the two"
            return Fault(where=read.where(("service_resource",)), message=message)
        ours, theirs = mapping.altinn2, other.altinn2
        if ours is None or theirs is None:
            continue
        if (ours.service_code, ours.service_edition) == (theirs.service_code, theirs.service_edition):
            message = (
                f"Altinn 2's {ours.service_code}/{ours.service_edition} is mapped in {other.source} already, so that "
                "nobody could say whose dialog an element gets: keep one of the two"
            )
            return Fault(where=read.where(("altinn2", "service_code")), message=message)
    return None


def recalled(said: str, targets: Targets) -> ServiceMapping | None:
    """Make the mapping again of what it said (``ServiceMapping.said``); None where this release cannot read it."""
    try:
        model = file_model(*models_of(targets).values())
        return mapping_of(model.model_validate_json(said), "a mapping that was accepted")
    except (ValidationError, ValueError):
        return None


def _pin_faults(
    read: Document, mapping: ServiceMapping, schema_digest: Callable[[str], str | None] | None
) -> Iterator[Fault]:
    """Hold what each schema is against what the mapping says it is."""
    for index, spec in enumerate(mapping.forms):
        for name, pinned in spec.pins:
            message = None if schema_digest is None else pin_fault(name, pinned, schema_digest)
            if message is not None:
                key = "sha256" if name == spec.schema else "json_sha256"
                yield Fault(where=read.where(("forms", index, key)), message=message)


def _root_faults(
    read: Document, mapping: ServiceMapping, schema_root: Callable[[str, str | None], str | None] | None
) -> Iterator[Fault]:
    """Hold what forms begin with against what their schemas have; several are no fault while all forms are XML."""
    for index, spec in enumerate(mapping.forms):
        json = spec.kind is FormKind.MAIN and mapping.altinn3 is not None and mapping.altinn3.speaks is FormFormat.JSON
        if spec.schema is None or schema_root is None or (spec.root is None and not json):
            continue
        message = schema_root(spec.schema, spec.root)
        if message is not None:
            key = "schema" if spec.root is None else "root"
            yield Fault(where=read.where(("forms", index, key)), message=message)


def pin_fault(name: str, pinned: str | None, schema_digest: Callable[[str], str | None]) -> str | None:
    """What is wrong where the schema *name* is another than was pinned; None also where it cannot be used at all."""
    digest = None if pinned is None else schema_digest(name)
    if digest is None or digest == pinned:
        return None
    return f"{name} is another than was pinned: its digest is {digest}; look at what changed in it"


# From text to the file's model

_UNTOLD = ("union_tag_invalid", "union_tag_not_found")
"""Pydantic's errors that say nothing of what stands beside the target."""


def _read(path: Path, schemas: Path, targets: Targets) -> tuple[Document, ServiceMapping | None]:
    document = Document(path=path)
    data = read_yaml(document, begins="a mapping file begins with keys: service_resource: …")
    mapping = None
    if data is not None:
        kinds = models_of(targets)
        file = None
        try:
            file = file_model(*kinds.values()).model_validate(data)
        except ValidationError as error:
            for found in _with_rest(error.errors()):
                _say(document, found, kinds)
        hold_together(document, Parts.salvaged(data, kinds), schemas=schemas, targets=targets)
        mapping = None if file is None or document.faults else mapping_of(file, path)
    document.faults.sort(key=line_and_column)
    return document, mapping


def _with_rest(errors: Iterable[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Of an action whose target is missing or unknown, also what is wrong with its other keys."""
    for error in errors:
        yield error
        if error["type"] in _UNTOLD:
            try:
                ActionKeys.model_validate(error["input"])
            except ValidationError as rest:
                for each in rest.errors():
                    if each["loc"] != ("target",):
                        yield {**each, "loc": (*error["loc"], *each["loc"])}


def _say(document: Document, error: ErrorDetails, kinds: ActionModels) -> None:
    """Add one of pydantic's errors as a fault in our words."""
    place, models = _place_and_models(tuple(error["loc"]), kinds)
    kind: str = error["type"]
    value, context = error.get("input"), error.get("ctx", {})
    if place and place[-1] == "[key]":
        document.fault(place[:-1], _bad_key(place, str(value)), key=True)
    elif kind == "extra_forbidden":
        document.fault(place, f"there is no key {place[-1]!r} here{did_you_mean(models, place)}", key=True)
    elif kind == IN_WORDS:
        document.fault(place, error["msg"])
    elif kind == "union_tag_not_found":
        document.fault(place, "the key 'target' is missing here")
    elif kind == "union_tag_invalid":
        choices = {"expected": context["expected_tags"]}
        document.fault((*place, "target"), wrong_value("literal_error", value["target"], choices))
    elif kind == "missing":
        document.fault(place[:-1], f"the key {place[-1]!r} is missing here")
    elif place[-1:] == ("activity",) and value in _UNFIT_ACTIVITIES:
        document.fault(place, f"{value} is not for mappings: {_UNFIT_ACTIVITIES[value]}")
    else:
        document.fault(place, wrong_value(kind, value, context))


def _place_and_models(loc: Place, kinds: ActionModels) -> tuple[Place, Models]:
    """*loc* without the steps that are pydantic's own, and the models with the keys of the action's target before."""
    match loc:
        case ("actions", name, str() as target, _, *_) if target in kinds:
            return without_kind(("actions", name, *loc[3:])), ((("actions", "*"), kinds[target]), *MODELS)
        case _:
            return without_kind(loc), MODELS


def _bad_key(place: Place, key: str) -> str:
    if "results" in place:
        return f"a result's name is 1 to 64 of a-z, 0-9 and '_' and begins with a letter: {key!r} is not"
    if "links" in place:
        return f"a link's name is 1 to 64 of a-z, 0-9 and '-': {key!r} is not"
    if place[0] == "states":
        names = list(STATUSES)
        close = difflib.get_close_matches(key, names, n=1)
        meant = name_meant(key) or (close[0] if close else None)
        hint = f": did you mean {meant!r}?" if meant else ""
        return f"Altinn 2 has no status {key!r} among {', '.join(names)}{hint}"
    return f"an action's name is 1 to 64 of a-z, 0-9 and '-', since it ends a URL: {key!r} is not"
