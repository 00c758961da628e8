"""Mapping files: YAML in, values of ``core/mapping`` out, and every fault at once with its file, line and column."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeVar, get_args

from lxml import etree
from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag, ValidationError

from bridge.adapters.mapping_says import (
    OPEN_STATES,
    ActionName,
    ButtonKeys,
    DialogKeys,
    EmbedKeys,
    LinkKeys,
    LongText,
    Model,
    ReceiptKeys,
    RefusedKeys,
    ShortText,
    ShownKeys,
    StateKeys,
    StatusText,
    ThenKeys,
    button_faults,
    button_of,
    crowded,
    date_faults,
    dialog_faults,
    dialog_of,
    embed_faults,
    embeds_of,
    following_date_faults,
    link_faults,
    refused_faults,
    refused_of,
    state_date_faults,
    state_of,
    then_of,
    wording_faults,
)
from bridge.adapters.yaml_places import Document, Models, Place, did_you_mean, line_and_column, read_yaml, wrong_value
from bridge.core.attachment_rules import MEGABYTE, extensions_in
from bridge.core.elements import ElementState, aim, can_act
from bridge.core.errors import ConfigurationError, Fault, Severity
from bridge.core.mapping import (
    DEFAULT_SCOPES,
    ActionMapping,
    AfterUpdate,
    Altinn2Service,
    Altinn3App,
    Attaching,
    AttachmentRule,
    Changes,
    FormKind,
    FormRule,
    FormSource,
    FormSpec,
    LostFields,
    NamespaceReading,
    Narrowed,
    Requirement,
    Right,
    ServiceMapping,
    Signed,
    Speaks,
    SubformRight,
    Supply,
    Target,
    Validation,
    Verb,
)
from bridge.core.templates import NAMES, names_in

SCHEMA_FILE = "mapping.schema.json"

_UNFIT_ACTIVITIES = {
    "Information": "it needs a text, which a mapping cannot give",
    "TransmissionOpened": "it needs a transmission, which an action does not have",
    "CorrespondenceOpened": "it belongs to correspondences",
    "CorrespondenceConfirmed": "it belongs to correspondences",
}
State = Literal["Utfylling", "Signering", "Sendt og arkivert", "Slettet"]
_OTHER_STATE_NAMES = {
    "Completion": "Utfylling",
    "Signing": "Signering",
    "Sent and archived": "Sendt og arkivert",
    "Arkivert": "Sendt og arkivert",
}
_UNTRUE = {
    AfterUpdate.KEEP_AS_DRAFT: ("SentToSigning", "SignatureProvided", "FormSubmitted", "SentToSendIn"),
    AfterUpdate.BACK_TO_FORM_FILLING: ("SentToSigning", "SignatureProvided", "FormSubmitted", "SentToSendIn"),
    AfterUpdate.SEND_TO_SIGNING: ("SignatureProvided", "FormSubmitted", "FormSaved"),
    AfterUpdate.SIGN_AND_ARCHIVE: ("SentToSigning", "FormSaved", "SentToFormFill"),
}
"""What did not happen when the element was left so."""

RESULT = r"^[a-z][a-z0-9_]{0,63}$"
SHA256 = r"^[0-9a-f]{64}$"
CONTEXT_REF = r"^[!-~]{1,50}$"
REQUIREMENT = r"^[A-Za-z0-9:._-]{1,255}(,(urn:altinn:[a-z][a-z0-9_-]*:)?[a-z][a-z0-9_-]*)?$"


class _Altinn2(Model):
    """The Altinn 2 service that holds the elements."""

    service_code: Annotated[str, Field(min_length=1, max_length=20, description='In quotes, such as "5701".')]
    service_edition: Annotated[int, Field(ge=1, description="The number of the edition, such as 1.")]
    bare_completion: Annotated[
        bool,
        Field(description="Whether a PUT without forms completes an element and leaves its attachments."),
    ] = False
    others_sign: Annotated[
        bool, Field(description="Whether others have to sign (user-controlled signing), so that no action may archive.")
    ] = False
    signing_steps: Annotated[
        int,
        Field(ge=1, le=20, description="How many signatures an element takes, each by another person's press."),
    ] = 1
    unique_signers: Annotated[
        bool,
        Field(description="Whether Altinn 2 takes one signature of each user: after the bridge's, sign in Altinn."),
    ] = False
    compare_forms: Annotated[
        bool, Field(description="Whether forms are read back after a PUT and held against what was sent.")
    ] = True


class _AttachmentRule(Model):
    """What one type of attachment may be, as in Altinn 2's metadata."""

    type: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,100}$", description="AttachmentTypeName.")]
    file_types: Annotated[str, Field(max_length=500, description="AllowedFileTypes, such as *.pdf, zip.")] = "*.*"
    min_count: Annotated[int, Field(ge=0, le=1000, description="MinAttachmentCount, held when completing.")] = 0
    max_count: Annotated[int | None, Field(ge=1, le=1000, description="MaxAttachmentCount.")] = None
    max_size_mb: Annotated[int, Field(ge=1, le=2000, description="MaxFileSize, in megabytes of 1,000,000 bytes.")] = 30


class _Attachments(Model):
    """Which attachments an action takes, and from where."""

    types: Annotated[list[str], Field(min_length=1, description="Types among attachment_rules.")]
    from_: Annotated[
        list[Literal["upload", "body"]],
        Field(alias="from", min_length=1, description="upload: below the action; body: in a hal+json body."),
    ]
    changes: Annotated[
        Literal["uploaded", "any"] | None,
        Field(description="Which ones /attachments may replace and remove: those that came by it, or any."),
    ] = None


class _Altinn3(Model):
    """The Altinn 3 app that calculates."""

    app: Annotated[str, Field(pattern=r"^[a-z0-9]+/[a-z0-9-]+$", description="org/app")]
    data_type: Annotated[str, Field(min_length=1, description="The id of the data type in the app's metadata.")]
    scopes: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z0-9:/._-]+$")]] | None,
        Field(min_length=1, description="The scopes of the bridge's token for the app."),
    ] = None
    speaks: Annotated[
        Literal["xml", "json"],
        Field(description="What the app reads and writes; for json the main form's XSD converts."),
    ] = "xml"


class _Text(Model):
    """What is told, in each language."""

    nb: Annotated[str, Field(min_length=1, max_length=500, description="In bokmål.")]
    nn: Annotated[str, Field(min_length=1, max_length=500, description="In nynorsk.")]
    en: Annotated[str, Field(min_length=1, max_length=500, description="In English.")]


class _Rule(Model):
    """A business rule beside the schema."""

    at: Annotated[
        str,
        Field(max_length=500, description="XPath 1.0 of the elements or attributes that the rule is about."),
    ]
    test: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1000,
            description="XPath 1.0 condition that must hold at each, seen from it (of an attribute: from its element).",
        ),
    ]
    severity: Annotated[
        Literal["error", "warning"], Field(description="error: a fault in the form; warning: only told.")
    ]
    text: Annotated[_Text, Field(description="What is told where the condition does not hold.")]


class _Form(Model):
    """One form of the service."""

    type: Annotated[Literal["MainForm", "SubForm"], Field(description="As in Altinn 2; exactly one is the MainForm.")]
    data_format_id: Annotated[str, Field(min_length=1, description='In quotes, such as "5801".')]
    data_format_version: Annotated[str, Field(min_length=1, description='In quotes, such as "42001".')]
    schema_: Annotated[
        str | None,
        Field(alias="schema", min_length=1, description="The XSD in the schema folder that the form is held against."),
    ] = None
    sha256: Annotated[
        str | None,
        Field(pattern=SHA256, description="The digest that the schema must have; bridge check prints it."),
    ] = None
    root: Annotated[
        str | None,
        Field(min_length=1, description="The element that forms begin with, where the XSD has several."),
    ] = None
    json_schema: Annotated[
        str | None,
        Field(
            min_length=1,
            description="The JSON Schema that forms in JSON are held against as well; after #, where forms begin.",
        ),
    ] = None
    json_sha256: Annotated[
        str | None, Field(pattern=SHA256, description="The digest that the JSON Schema must have.")
    ] = None
    namespace: Annotated[
        Literal["strict", "lenient"],
        Field(description="lenient: a form without a namespace is read as if it were in the schema's."),
    ] = "strict"
    rules: Annotated[list[_Rule], Field(max_length=200, description="Business rules, held beside the schema's.")] = (
        Field(default_factory=list)
    )


class _Narrowed(Model):
    """What the dialog token's e must hold, where an authorization context narrows the dialog's button."""

    token_ref: Annotated[str | None, Field(pattern=CONTEXT_REF, description="The context's tokenRef.")] = None
    element: Annotated[
        Literal["own"] | None,
        Field(description="own: the id of the button or API action that the bridge puts into the dialog."),
    ] = None
    action: Annotated[
        str | None,
        Field(pattern=REQUIREMENT, description="With a button: the action, or action,attribute, that it asks for."),
    ] = None


def right_kind(value: object) -> str:
    """Say which of the two ways a right is written in; pydantic puts it into the places of errors."""
    return "in_e" if isinstance(value, BaseModel | dict) else "in_a"


def without_kind(place: Place) -> Place:
    """Take out of an error's place what ``right_kind`` put in."""
    return tuple(
        step for at, step in enumerate(place) if not (at and place[at - 1] == "requires" and step in ("in_a", "in_e"))
    )


class _Action(Model):
    """What one action's URL means."""

    requires: Annotated[
        Annotated[str, Field(pattern=REQUIREMENT), Tag("in_a")] | Annotated[_Narrowed, Tag("in_e")],
        Discriminator(right_kind),
        Field(
            description="What the dialog token must grant: action, or action,attribute, in its a; or what its e must "
            "hold, where an authorization context narrows the button."
        ),
    ]
    minimum_level: Annotated[int, Field(ge=0, le=4, description="The lowest authentication level, 0 to 4.")]
    target: Annotated[Literal["altinn2", "altinn3"], Field(description="The system that owns the case today.")]
    form: Annotated[
        Literal["message", "body", "none"],
        Field(description="message: what Altinn 2 holds; body: what the caller sent; none: only the flags."),
    ]
    set_: Annotated[
        dict[str, str],
        Field(alias="set", description="XPath to template: values put into the main form before it is checked."),
    ] = Field(default_factory=dict)
    calculate: Annotated[bool, Field(description="Whether the app calculates the form before it is sent.")] = False
    validate_: Annotated[
        Literal["strict", "warn", "off"] | None,
        Field(alias="validate", description="What a fault in the form does; strict when a form is sent."),
    ] = None
    complete: Annotated[
        bool | None, Field(description="Whether Altinn 2 ends the form filling. Always said for altinn2.")
    ] = None
    sign: Annotated[bool | None, Field(description="Whether Altinn 2 signs. Always said for altinn2.")] = None
    delete: Annotated[
        bool, Field(description="Move the element to the trash bin, instead of a PUT, and delete the dialog.")
    ] = False
    keep_dialog: Annotated[bool, Field(description="With delete: whether the dialog stays, and says so.")] = False
    grace_period_days: Annotated[
        int | None,
        Field(ge=1, le=3650, description="With delete: days after its last change in which it may not be deleted."),
    ] = None
    confirm: Annotated[bool, Field(description="Confirm a correspondence, instead of a PUT.")] = False
    archive: Annotated[bool, Field(description="Archive a correspondence, instead of a PUT.")] = False
    attachments: Annotated[_Attachments | None, Field(description="Which attachments it takes; none if left out.")] = (
        None
    )
    signature: Annotated[
        Literal["all", "required", "default"] | None,
        Field(description="What is signed: all; required: what must be; default: that and what is ticked beforehand."),
    ] = None
    altinn_validate: Annotated[
        bool, Field(description="Whether Altinn 2's own validation must be content before the element is completed.")
    ] = False
    subforms: Annotated[
        list[Literal["prefill", "remove"]] | None,
        Field(min_length=1, description="prefill: the caller may add subforms without data; remove: take them away."),
    ] = None
    results: Annotated[
        dict[Annotated[str, StringConstraints(pattern=RESULT)], str],
        Field(max_length=20, description="Name to XPath: values of the calculated form, for the dialog's texts."),
    ] = Field(default_factory=dict)
    lost_fields: Annotated[
        Literal["refuse", "warn"] | None,
        Field(description="What it does when the app's answer lacks what it was sent; refuse if left out."),
    ] = None
    then: ThenKeys = ThenKeys()
    button: Annotated[ButtonKeys | None, Field(description="How dialogs offer it; none if left out.")] = None


class MappingFile(Model):
    """A mapping file of the bridge: what each action of one service resource means."""

    service_resource: Annotated[
        str,
        Field(pattern=r"^urn:altinn:resource:[a-z0-9_-]+$", description="The dialog token's s."),
    ]
    altinn2: _Altinn2 | None = None
    altinn3: _Altinn3 | None = None
    forms: Annotated[list[_Form], Field(min_length=1, description="The service's forms.")]
    attachment_rules: Annotated[
        list[_AttachmentRule], Field(description="By type, as in Altinn 2's metadata; none: any attachment.")
    ] = Field(default_factory=list)
    actions: Annotated[
        dict[ActionName, _Action],
        Field(min_length=1, description="By the name that ends the action's URL."),
    ]
    states: Annotated[
        dict[State, StateKeys], Field(description="By Altinn 2 status; a default table covers what is left out.")
    ] = Field(default_factory=dict)
    dialog: Annotated[DialogKeys, Field(description="What its dialogs say whatever the state.")] = DialogKeys()
    refused: Annotated[
        RefusedKeys, Field(description="What its dialogs say after a refusal; built-in words if left out.")
    ] = RefusedKeys()
    embeds: Annotated[
        EmbedKeys | None, Field(description="Content of the bridge's that dialogs show; none if left out.")
    ] = None


def mapping_json_schema() -> dict[str, Any]:
    """Make the JSON Schema with which editors complete and check mapping files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **MappingFile.model_json_schema(by_alias=True),
        "title": "Mapping file of the Altinn dialog bridge",
    }


def load_mappings(
    folder: Path,
    schemas: Path,
    *,
    schema_faults: Callable[[str], Sequence[Fault]] | None = None,
    schema_digest: Callable[[str], str | None] | None = None,
    schema_root: Callable[[str, str | None], str | None] | None = None,
    may_be_empty: bool = False,
) -> Mapping[str, ServiceMapping]:
    """
    Read every ``*.yaml`` and ``*.yml`` of *folder*, by service resource; form schemas must lie in *schemas*.

    *schema_faults* compiles a schema and says what is wrong with it (``SchemaRegistry.faults``); without it a schema
    need only be there. *schema_digest* tells a compiled schema's digest (``SchemaRegistry.digest``), which is held
    against what the mapping pins. *schema_root* says what is wrong with a compiled schema's root
    (``SchemaRegistry.root_fault``). A folder without a mapping is a fault, unless it *may_be_empty*.

    Raises:
        ConfigurationError: Every fault of every file.
    """
    mappings, faults = read_mappings(
        folder,
        schemas,
        schema_faults=schema_faults,
        schema_digest=schema_digest,
        schema_root=schema_root,
        may_be_empty=may_be_empty,
    )
    if faults:
        raise ConfigurationError(faults)
    return mappings


def read_mappings(
    folder: Path,
    schemas: Path,
    *,
    schema_faults: Callable[[str], Sequence[Fault]] | None = None,
    schema_digest: Callable[[str], str | None] | None = None,
    schema_root: Callable[[str, str | None], str | None] | None = None,
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
        read, mapping = _read(path, schemas)
        faults += read.faults
        if mapping is None:
            continue
        if (other := mappings.get(mapping.service_resource)) is not None:
            message = f"{mapping.service_resource} is mapped in {other.source} already: keep one of the two"
            faults.append(Fault(where=read.where(("service_resource",)), message=message))
            continue
        mappings[mapping.service_resource] = mapping
        for name in dict.fromkeys(name for spec in mapping.forms for name, _ in spec.pins if name not in compiled):
            compiled.add(name)
            if schema_faults is not None and (schemas / name.partition("#")[0]).is_file():
                faults += schema_faults(name)
        faults += _pin_faults(read, mapping, schema_digest)
        faults += _root_faults(read, mapping, schema_root)
    return mappings, faults


def recalled(said: str) -> ServiceMapping | None:
    """Make the mapping again of what it said (``ServiceMapping.said``); None where this release cannot read it."""
    try:
        return _to_values(MappingFile.model_validate_json(said), "a mapping that was accepted")
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
        json = spec.kind is FormKind.MAIN and mapping.altinn3 is not None and mapping.altinn3.speaks is Speaks.JSON
        if spec.schema is None or schema_root is None or (spec.root is None and not json):
            continue
        message = schema_root(spec.schema, spec.root)
        if message is not None:
            key = "schema" if spec.root is None else "root"
            yield Fault(where=read.where(("forms", index, key)), message=message)


def pin_fault(name: str, pinned: str | None, schema_digest: Callable[[str], str | None]) -> str | None:
    """Say that the schema *name* is another than was pinned; None where it is not, or cannot be used at all."""
    digest = None if pinned is None else schema_digest(name)
    if digest is None or digest == pinned:
        return None
    return f"{name} is another than was pinned: its digest is {digest}; look at what changed in it"


# From text to the file's model


def _read(path: Path, schemas: Path) -> tuple[Document, ServiceMapping | None]:
    document = Document(path=path)
    data = read_yaml(document, begins="a mapping file begins with keys: service_resource: …")
    mapping = None
    if data is not None:
        try:
            file = MappingFile.model_validate(data)
        except ValidationError as error:
            for found in error.errors():
                _say(document, found)
            _hold_together(document, _Parts.salvaged(data), schemas)
        else:
            _hold_together(document, _Parts.salvaged(data), schemas)
            mapping = None if document.faults else _to_values(file, path)
    document.faults.sort(key=line_and_column)
    return document, mapping


# From pydantic's errors to words


_MODELS: Models = (
    ((), MappingFile),
    (("altinn2",), _Altinn2),
    (("altinn3",), _Altinn3),
    (("forms", "*"), _Form),
    (("attachment_rules", "*"), _AttachmentRule),
    (("actions", "*", "attachments"), _Attachments),
    (("forms", "*", "rules", "*"), _Rule),
    (("forms", "*", "rules", "*", "text"), _Text),
    (("actions", "*"), _Action),
    (("actions", "*", "then"), ThenKeys),
    (("actions", "*", "then", "links", "*"), LinkKeys),
    (("actions", "*", "then", "links", "*", "title"), ShortText),
    (("actions", "*", "button"), ButtonKeys),
    (("actions", "*", "requires"), _Narrowed),
    (("states", "*"), StateKeys),
    (("dialog",), DialogKeys),
    (("embeds",), EmbedKeys),
    (("embeds", "fields", "*"), ShownKeys),
    (("embeds", "fields", "*", "label"), ShortText),
    (("dialog", "receipt"), ReceiptKeys),
    (("refused",), RefusedKeys),
    (("refused", "extended_status"), StatusText),
    (("refused", "additional_info"), LongText),
    *(
        ((*place, name), kind)
        for place in (("actions", "*", "then"), ("states", "*"), ("dialog",))
        for name, kind in (
            ("extended_status", StatusText),
            ("title", ShortText),
            ("summary", ShortText),
            ("additional_info", LongText),
        )
    ),
    *((("actions", "*", "button", name), ShortText) for name in ("title", "prompt")),
    (("dialog", "receipt", "title"), ShortText),
)


def _say(document: Document, error: Any) -> None:
    """Add one of pydantic's errors as a fault in our words."""
    place: Place = without_kind(tuple(error["loc"]))
    kind: str = error["type"]
    value, context = error.get("input"), error.get("ctx", {})
    if place and place[-1] == "[key]":
        document.fault(place[:-1], _bad_key(place, str(value)), key=True)
    elif kind == "extra_forbidden":
        document.fault(place, f"there is no key {place[-1]!r} here{did_you_mean(_MODELS, place)}", key=True)
    elif kind == "missing":
        document.fault(place[:-1], f"the key {place[-1]!r} is missing here")
    elif place[-1:] == ("activity",) and value in _UNFIT_ACTIVITIES:
        document.fault(place, f"{value} is not for mappings: {_UNFIT_ACTIVITIES[value]}")
    else:
        document.fault(place, wrong_value(kind, value, context))


def _bad_key(place: Place, key: str) -> str:
    if "results" in place:
        return f"a result's name is 1 to 64 of a-z, 0-9 and '_' and begins with a letter: {key!r} is not"
    if "links" in place:
        return f"a link's name is 1 to 64 of a-z, 0-9 and '-': {key!r} is not"
    if place[0] == "states":
        names = list(get_args(State))
        close = difflib.get_close_matches(key, names, n=1)
        meant = _OTHER_STATE_NAMES.get(key) or (close[0] if close else None)
        hint = f": did you mean {meant!r}?" if meant else ""
        return f"Altinn 2 has no status {key!r} among {', '.join(names)}{hint}"
    return f"an action's name is 1 to 64 of a-z, 0-9 and '-', since it ends a URL: {key!r} is not"


# What only shows when keys are seen together


_Key = TypeVar("_Key")
_Kind = TypeVar("_Kind", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The parts of a file that are sound by themselves, so that one fault does not hide the others."""

    systems: frozenset[str]
    forms: Mapping[int, _Form]
    actions: Mapping[str, _Action]
    states: Mapping[str, StateKeys]
    dialog: DialogKeys | None
    refused: RefusedKeys | None
    embeds: EmbedKeys | None
    action_names: tuple[str, ...]
    attachment_types: tuple[str, ...]
    others_sign: bool
    lone_signer: bool
    speaks_json: bool
    forms_complete: bool
    any_schema: bool

    @classmethod
    def salvaged(cls, data: Mapping[str, Any]) -> "_Parts":
        forms, actions, states = data.get("forms"), data.get("actions"), data.get("states")
        listed = list(enumerate(forms)) if isinstance(forms, list) else []
        named = dict(actions) if isinstance(actions, dict) else {}
        sound = dict(_sound(_Form, listed))
        return cls(
            systems=frozenset(name for name in ("altinn2", "altinn3") if data.get(name) is not None),
            forms=sound,
            actions=dict(_sound(_Action, named.items())),
            states=dict(_sound(StateKeys, states.items() if isinstance(states, dict) else ())),
            dialog=dict(_sound(DialogKeys, [("dialog", data.get("dialog", {}))])).get("dialog"),
            refused=dict(_sound(RefusedKeys, [("refused", data.get("refused", {}))])).get("refused"),
            embeds=dict(_sound(EmbedKeys, [("embeds", data["embeds"])] if data.get("embeds") else [])).get("embeds"),
            action_names=tuple(named),
            attachment_types=_types_in(data.get("attachment_rules")),
            others_sign=isinstance(data.get("altinn2"), dict) and data["altinn2"].get("others_sign") is True,
            lone_signer=isinstance(data.get("altinn2"), dict)
            and data["altinn2"].get("unique_signers") is True
            and data["altinn2"].get("signing_steps", 1) == 1,
            speaks_json=isinstance(data.get("altinn3"), dict) and data["altinn3"].get("speaks") == "json",
            forms_complete=0 < len(sound) == len(listed),
            any_schema=not listed or any(isinstance(form, dict) and form.get("schema") for _, form in listed),
        )


def _types_in(rules: Any) -> tuple[str, ...]:
    listed = rules if isinstance(rules, list) else []
    return tuple(str(each.get("type")) for each in listed if isinstance(each, dict))


def _sound(kind: type[_Kind], items: Iterable[tuple[_Key, Any]]) -> Iterator[tuple[_Key, _Kind]]:
    for key, item in items:
        try:
            yield key, kind.model_validate(item)
        except ValidationError:
            continue  # Told where the whole file was validated.


def _hold_together(document: Document, parts: _Parts, schemas: Path) -> None:
    if not parts.systems:
        document.fault((), "say which system holds the case: the key 'altinn2' is missing here")
    _check_forms(document, parts, schemas)
    for name, action in parts.actions.items():
        for key, message in _action_faults(parts, action):
            document.fault(("actions", name, *key), message)
    for state, rule in parts.states.items():
        for index, name in enumerate(rule.actions or ()):
            if name not in parts.action_names:
                close = difflib.get_close_matches(name, parts.action_names, n=1)
                hint = f": did you mean {close[0]!r}?" if close else ""
                document.fault(("states", state, "actions", index), f"there is no action {name!r}{hint}")
            elif not _acts(name, parts.actions.get(name), ElementState(state)):
                message = f"{name} can do nothing in {state}, so that every press would be refused: leave it out"
                document.fault(("states", state, "actions", index), message)
    _check_rights(document, parts)
    _check_says(document, parts)


def _check_rights(document: Document, parts: _Parts) -> None:
    for name, action in parts.actions.items():
        if isinstance(action.requires, str):
            continue
        place, narrowed = ("actions", name, "requires"), action.requires
        if (narrowed.token_ref is None) == (narrowed.element is None):
            document.fault(place, "write one of 'token_ref' and 'element'")
        elif narrowed.element is not None and action.button is None:
            document.fault((*place, "element"), "own is the id of the action's 'button': write one, or a 'token_ref'")
        if action.button is not None and narrowed.action is None:
            document.fault(place, "the key 'action' is missing here: what the 'button' asks for until it is narrowed")
        if action.button is None and narrowed.action is not None:
            document.fault((*place, "action"), "only a 'button' asks for it: leave it out")


def _check_says(document: Document, parts: _Parts) -> None:
    for name, action in parts.actions.items():
        for place, message in wording_faults(action.then, action.results):
            document.fault(("actions", name, "then", *place), message)
        for place, message in link_faults(action.then, action.results):
            document.fault(("actions", name, "then", *place), message)
        for place, message in button_faults(action.button) if action.button else ():
            document.fault(("actions", name, "button", *place), message)
        state = None if _after(action) is None else aim(_action(name, action)).value
        rule = None if state is None else parts.states.get(state)
        other = dict(zip(OPEN_STATES, OPEN_STATES[::-1], strict=True)).get(state or "", "")
        for place, message in date_faults(action.then, rule, parts.states.get(other)):
            document.fault(("actions", name, "then", *place), message)
    for place, message in following_date_faults(parts.states):
        document.fault(place, message)
    for state, rule in parts.states.items():
        for place, message in (*wording_faults(rule), *state_date_faults(rule)):
            document.fault(("states", state, *place), message)
    for place, message in dialog_faults(parts.dialog) if parts.dialog else ():
        document.fault(("dialog", *place), message)
    for place, message in refused_faults(parts.refused) if parts.refused else ():
        document.fault(("refused", *place), message)
    for place, message in embed_faults(parts.embeds, parts.states, elements="altinn2" in parts.systems):
        document.fault(place, message)
    for index, shown in enumerate(() if parts.embeds is None else parts.embeds.fields or ()):
        for message in _xpath_faults(shown.at):
            document.fault(("embeds", "fields", index, "at"), message)
    buttons = {name: action.button for name, action in parts.actions.items()}
    named = {state: rule.actions for state, rule in parts.states.items()}
    acting = {
        state: [name for name, action in parts.actions.items() if _acts(name, action, ElementState(state))]
        for state in OPEN_STATES
    }
    for place, message in crowded(buttons, named, acting):
        document.fault(place, message)


def _check_forms(document: Document, parts: _Parts, schemas: Path) -> None:
    mains = [index for index, form in parts.forms.items() if form.type == "MainForm"]
    if parts.lone_signer:
        message = "one signing step has one signer: say 'signing_steps', or leave it out"
        document.fault(("altinn2", "unique_signers"), message)
    if parts.speaks_json and any(parts.forms[index].schema_ is None for index in mains):
        document.fault(("altinn3", "speaks"), "forms become JSON by the MainForm's XSD: name its 'schema'")
    if not mains and parts.forms_complete:
        document.fault(("forms",), "exactly one form is the MainForm: none is")
    for index in mains[1:]:
        document.fault(("forms", index, "type"), "exactly one form is the MainForm: make this one a SubForm")
    seen: set[tuple[str, str, str]] = set()
    for index, form in parts.forms.items():
        key = (form.type, form.data_format_id, form.data_format_version)
        if key in seen:
            document.fault(("forms", index), "this form stands above already: keep one of the two")
        seen.add(key)
        if form.schema_ is not None:
            for message in schema_file_faults(schemas, form.schema_):
                document.fault(("forms", index, "schema"), message)
        if form.json_schema is not None:
            if form.schema_ is None:
                message = "JSON is turned into XML by the XSD: name it as 'schema'"
                document.fault(("forms", index, "json_schema"), message)
            for message in json_schema_file_faults(schemas, form.json_schema):
                document.fault(("forms", index, "json_schema"), message)
        elif form.json_sha256 is not None:
            message = "without a 'json_schema' there is nothing for 'json_sha256' to say: leave it out"
            document.fault(("forms", index, "json_sha256"), message)
        for place, told in _rule_faults(form):
            document.fault(("forms", index, *place), told)


def _rule_faults(form: _Form) -> Iterator[tuple[Place, str]]:
    if form.schema_ is None:
        given_keys = {"sha256": form.sha256, "root": form.root, "namespace": form.namespace != "strict" or None}
        for name, given in given_keys.items():
            if given is not None:
                yield (name,), f"without a 'schema' there is nothing for '{name}' to say: leave it out"
    for index, rule in enumerate(form.rules):
        place: Place = ("rules", index)
        for message in _xpath_faults(rule.at):
            yield (*place, "at"), message
        try:
            # A condition that only fails once it meets a value (a wrong count of arguments, say) fails here already.
            etree.XPath(f"boolean({rule.test})")(etree.Element("none"))
        except etree.XPathError as error:
            said = str(error).rstrip(".").lower()
            yield (*place, "test"), f"{rule.test!r} is no XPath 1.0 condition that can be used here: {said}"
            continue
        for name in _unknown_functions(rule.test):
            yield (*place, "test"), f"XPath 1.0 has no function {name}()"


# The functions and node tests of XPath 1.0, and the words before a bracket that are neither.
_XPATH_NAMES = frozenset(
    (
        *("last", "position", "count", "id", "local-name", "namespace-uri", "name", "string", "concat", "starts-with"),
        *("contains", "substring-before", "substring-after", "substring", "string-length", "normalize-space"),
        *("translate", "boolean", "not", "true", "false", "lang", "number", "sum", "floor", "ceiling", "round"),
        *("node", "text", "comment", "processing-instruction", "and", "or", "div", "mod"),
    )
)


def _unknown_functions(test: str) -> Iterator[str]:
    """Find what would only fail once it is reached: behind an ``and`` it may not be for a long time."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "''", test)
    called = (name.rpartition("::")[2] for name in re.findall(r"([A-Za-z_][\w.:-]*)\s*\(", bare))
    yield from (name for name in called if name not in _XPATH_NAMES)


def schema_file_faults(schemas: Path, name: str) -> Iterator[str]:
    """Say what is wrong with *name* as the path of an XSD."""
    if name.partition("#")[0].lower().endswith(".json"):
        yield "an XSD must stand here: a form's JSON Schema is its 'json_schema'"
    else:
        yield from _path_faults(schemas, name)


def json_schema_file_faults(schemas: Path, named: str) -> Iterator[str]:
    """Say what is wrong with *named* as the path of a JSON Schema, with or without ``#`` and where forms begin."""
    name = named.partition("#")[0]
    if not name.lower().endswith(".json"):
        yield "a JSON Schema's name ends with .json, and after '#' it may say where forms begin"
    else:
        yield from _path_faults(schemas, name)


def _path_faults(schemas: Path, name: str) -> Iterator[str]:
    if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name or ":" in name:
        yield "write a path inside the schema folder, without '..'"
    elif not (schemas / name).is_file():
        yield f"there is no file {name!r} in {schemas}{_near(schemas, name)}"


def _near(schemas: Path, name: str) -> str:
    close = difflib.get_close_matches(name, [path.name for path in schemas.glob("*" + PurePosixPath(name).suffix)], n=1)
    return f": did you mean {close[0]!r}?" if close else ""


def _action_faults(parts: _Parts, action: _Action) -> Iterator[tuple[tuple[str, ...], str]]:
    match action.target:
        case "altinn2":
            yield from _altinn2_faults(parts, action)
        case "altinn3":
            yield from _altinn3_faults(parts, action)
    if action.calculate and "altinn3" not in parts.systems:
        yield ("calculate",), "nothing calculates: the mapping has no 'altinn3'"
    yield from _calculation_faults(action)
    if action.keep_dialog and not action.delete:
        yield ("keep_dialog",), "only 'delete: true' deletes a dialog: leave it out"
    if action.grace_period_days is not None and not action.delete:
        yield ("grace_period_days",), "only 'delete: true' has a period of grace: leave it out"
    yield from _form_faults(parts, action)
    for path, template in action.set_.items():
        for message in (*_xpath_faults(path), *_template_faults(template)):
            yield ("set", path), message


def _altinn2_faults(parts: _Parts, action: _Action) -> Iterator[tuple[tuple[str, ...], str]]:
    if "altinn2" not in parts.systems:
        yield ("target",), "the mapping has no 'altinn2' to say which service holds the elements"
    whole = [name for name in ("delete", "confirm", "archive") if getattr(action, name)]
    if whole:
        yield from _whole_faults(action, whole)
        return
    for name, flag in (("complete", action.complete), ("sign", action.sign)):
        if flag is None:
            yield (), f"say '{name}: true' or '{name}: false': left out, Altinn 2 would take it for true"
    after = _after(action)
    if after is None:
        return
    if parts.others_sign and after is AfterUpdate.SIGN_AND_ARCHIVE and action.form != "none":
        yield ("sign",), "others have to sign first, says 'others_sign': write 'sign: false'"
    yield from _attachment_faults(parts, action)
    yield from _asking_faults(action)
    if action.signature is not None and (action.form != "none" or not action.sign):
        yield ("signature",), "it goes with 'form: none' and 'sign: true': only what is in signing has ids to sign by"
    if action.form == "none" and after is not AfterUpdate.SIGN_AND_ARCHIVE:
        yield (
            ("form",),
            "a PUT without forms deletes them unless it signs: say 'complete: true' and 'sign: true', or 'message'",
        )
    if action.then.activity in _UNTRUE[after]:
        left = {"KEEP_AS_DRAFT": "a draft", "SEND_TO_SIGNING": "in signing", "SIGN_AND_ARCHIVE": "signed and archived"}
        yield ("then", "activity"), f"{action.then.activity} would be untrue: the element is left {left[after.name]}"


def _whole_faults(action: _Action, whole: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name in whole[1:]:
        yield (name,), f"the action does '{whole[0]}' already: make another action of this"
    for name in ("complete", "sign", "signature", "attachments", "subforms"):
        if getattr(action, name) is not None:
            yield (name,), f"'{whole[0]}' sends no content: leave it out"
    if action.altinn_validate:
        yield ("altinn_validate",), f"'{whole[0]}' completes nothing: leave it out"
    if action.form != "none":
        yield ("form",), f"'{whole[0]}' sends no content: write none"


def _asking_faults(action: _Action) -> Iterator[tuple[tuple[str, ...], str]]:
    if action.altinn_validate and (action.form == "none" or not action.complete):
        yield ("altinn_validate",), "it stands before a completion: write 'complete: true' and a form, or leave it out"
    if action.subforms is not None and action.form != "body":
        yield ("subforms",), "subforms are named in a body: write 'form: body', or leave it out"


def _attachment_faults(parts: _Parts, action: _Action) -> Iterator[tuple[tuple[str, ...], str]]:
    given = action.attachments
    if given is None:
        return
    if "body" in given.from_ and action.form != "body":
        yield ("attachments", "from"), "attachments come in a body only with 'form: body'"
    if given.changes is not None and "upload" not in given.from_:
        yield ("attachments", "changes"), "it is about uploads: write 'from: [upload]', or leave it out"
    if action.form == "none":
        yield ("attachments",), "with 'form: none' nothing is added: leave it out"
    known = {each.casefold() for each in parts.attachment_types}
    for name in given.types:
        if known and name.casefold() not in known:
            yield ("attachments", "types"), f"there is no type {name!r} in 'attachment_rules'"


def _altinn3_faults(parts: _Parts, action: _Action) -> Iterator[tuple[tuple[str, ...], str]]:
    if "altinn3" not in parts.systems:
        yield ("target",), "the mapping has no 'altinn3' to say which app is meant"
    for name in ("complete", "sign", "signature", "attachments", "subforms"):
        if getattr(action, name) is not None:
            yield (name,), f"an app that only calculates has no '{name}': leave it out"
    for name in ("delete", "confirm", "archive", "altinn_validate"):
        if getattr(action, name):
            yield (name,), f"an app that only calculates has no '{name}': leave it out"
    if action.calculate:
        yield ("calculate",), "the app calculates whatever stands here: leave it out"
    if action.form == "none":
        yield ("form",), "an app needs a form to work on: write message or body"
    if action.form == "message" and "altinn2" not in parts.systems:
        yield ("form",), "the mapping has no 'altinn2' that holds a form: write body"
    if action.then.activity is not None:
        yield ("then", "activity"), f"{action.then.activity} would be untrue: an app that calculates stores nothing"


def _calculation_faults(action: _Action) -> Iterator[tuple[tuple[str, ...], str]]:
    if not action.calculate and action.target != "altinn3":
        for name, given in (("results", bool(action.results)), ("lost_fields", action.lost_fields is not None)):
            if given:
                yield (name,), "nothing is calculated: write 'calculate: true', or leave it out"
    for name, path in action.results.items():
        for message in _xpath_faults(path):
            yield ("results", name), message


def _form_faults(parts: _Parts, action: _Action) -> Iterator[tuple[tuple[str, ...], str]]:
    if action.form == "none":
        if action.set_:
            yield ("set",), "with 'form: none' there is nothing to put values into: leave it out"
        if action.calculate:
            yield ("calculate",), "with 'form: none' there is nothing to calculate: leave it out"
        if action.validate_ in ("strict", "warn"):
            yield ("validate",), "with 'form: none' there is nothing to check: leave it out"
    elif action.validate_ != "off" and not parts.any_schema:
        yield (
            ("validate",) if action.validate_ else (),
            "no form has a 'schema' to check against: give one, or write 'validate: off'",
        )


def _xpath_faults(path: str) -> Iterator[str]:
    try:
        found = etree.XPath(path)(etree.Element("none"))
    except etree.XPathError:
        yield f"{path!r} is no XPath 1.0 that can be used here, such as /melding/navn (without prefixes)"
        return
    if not path.startswith("/") or not isinstance(found, list):
        yield f"write the path of an element or attribute from the root, such as /melding/navn, instead of {path!r}"
    for name in _unknown_functions(path):
        yield f"XPath 1.0 has no function {name}()"


def _template_faults(template: str) -> Iterator[str]:
    try:
        names = names_in(template)
    except ValueError:
        yield f"a brace has no partner in {template!r}: a brace meant as itself is doubled, {{{{ or }}}}"
        return
    for name in names:
        if name not in NAMES:
            known = ", ".join(f"{{{known}}}" for known in NAMES)
            yield f"{{{name}}} is not known: write {known}"


# From the file's model to the values


def _after(action: _Action) -> AfterUpdate | None:
    """Say what the two flags mean together; None when one is left out."""
    if action.target == "altinn3" or action.delete or action.confirm or action.archive:
        return AfterUpdate.KEEP_AS_DRAFT
    if action.complete is None or action.sign is None:
        return None
    return AfterUpdate((action.complete, action.sign))


def _to_values(file: MappingFile, source: Path | str) -> ServiceMapping:
    return ServiceMapping(
        service_resource=file.service_resource,
        altinn2=None
        if file.altinn2 is None
        else Altinn2Service(
            service_code=file.altinn2.service_code,
            service_edition=file.altinn2.service_edition,
            bare_completion=file.altinn2.bare_completion,
            others_sign=file.altinn2.others_sign,
            signing_steps=file.altinn2.signing_steps,
            unique_signers=file.altinn2.unique_signers,
            compare_forms=file.altinn2.compare_forms,
        ),
        altinn3=None if file.altinn3 is None else _app(file.altinn3),
        forms=tuple(
            FormSpec(
                kind=FormKind(form.type),
                data_format_id=form.data_format_id,
                data_format_version=form.data_format_version,
                schema=form.schema_,
                sha256=form.sha256,
                namespace=NamespaceReading(form.namespace),
                root=form.root,
                json_schema=form.json_schema,
                json_sha256=form.json_sha256,
                rules=tuple(
                    FormRule(at=rule.at, test=rule.test, severity=Severity(rule.severity), text=rule.text.model_dump())
                    for rule in form.rules
                ),
            )
            for form in file.forms
        ),
        actions={name: _action(name, action) for name, action in file.actions.items()},
        states={state: state_of(rule) for state, rule in file.states.items()},
        embeds=embeds_of(file.embeds),
        source=str(source),
        attachment_rules=tuple(map(_attachment_rule, file.attachment_rules)),
        dialog=dialog_of(file.dialog),
        said=file.model_dump_json(by_alias=True, exclude_unset=True),
        refused=refused_of(file.refused),
    )


def _attachment_rule(rule: _AttachmentRule) -> AttachmentRule:
    return AttachmentRule(
        type=rule.type,
        extensions=extensions_in(rule.file_types),
        min_count=rule.min_count,
        max_count=rule.max_count,
        max_bytes=rule.max_size_mb * MEGABYTE,
    )


def _app(app: _Altinn3) -> Altinn3App:
    org, _, name = app.app.partition("/")
    scopes = DEFAULT_SCOPES if app.scopes is None else tuple(app.scopes)
    return Altinn3App(org=org, app=name, data_type=app.data_type, scopes=scopes, speaks=Speaks(app.speaks))


def requirement(text: str) -> Requirement:
    """Read ``action``, or ``action,attribute``."""
    action, _, attribute = text.partition(",")
    return Requirement(action=action, attribute=attribute or None)


def _right(requires: str | _Narrowed) -> Right:
    if isinstance(requires, str):
        return requirement(requires)
    return Narrowed(
        token_ref=requires.token_ref, asks=None if requires.action is None else requirement(requires.action)
    )


def _attaching(given: _Attachments) -> Attaching:
    return Attaching(
        types=tuple(given.types),
        supplies=tuple(map(Supply, given.from_)),
        changes=Changes(given.changes or "uploaded"),
    )


def _acts(name: str, action: _Action | None, state: ElementState) -> bool:
    """Say whether the action can do something in *state*; what is told to be faulty is told that alone."""
    return action is None or _after(action) is None or can_act(_action(name, action), state)


def _action(name: str, action: _Action) -> ActionMapping:
    after = _after(action)
    if after is None:  # Refused above, with words.
        raise ValueError(name)
    return ActionMapping(
        name=name,
        requires=_right(action.requires),
        minimum_level=action.minimum_level,
        target=Target(action.target),
        form=FormSource(action.form),
        sets=tuple(action.set_.items()),
        calculate=action.calculate,
        validate=Validation(action.validate_ or ("off" if action.form == "none" else "strict")),
        after=after,
        then=then_of(action.then),
        button=button_of(action.button),
        verb=next((verb for verb in Verb if getattr(action, verb.value, False)), Verb.PUT),
        keeps_dialog=action.keep_dialog,
        grace_days=action.grace_period_days,
        attaching=None if action.attachments is None else _attaching(action.attachments),
        signed=Signed(action.signature or "all"),
        asks_altinn=action.altinn_validate,
        subforms=tuple(map(SubformRight, action.subforms or ())),
        results=tuple(action.results.items()),
        lost_fields=LostFields(action.lost_fields or "refuse"),
    )
