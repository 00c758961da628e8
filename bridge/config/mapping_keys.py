"""The keys of a mapping file as a model: what may stand where, and what each key means."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    create_model,
)
from pydantic_core import PydanticCustomError

from bridge.config.editor_schemas import editor_schema
from bridge.config.mapping_dialog_keys import (
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
)
from bridge.config.mapping_states import STATUSES
from bridge.config.yaml_source import NOT_SUGGESTED, Models, Place

SCHEMA_FILE = "mapping.schema.json"

if TYPE_CHECKING:
    State = str
else:
    # Of the one table that has the names: a checker would have them written out here once more.
    State = Literal[*STATUSES]

RESULT = r"^[a-z][a-z0-9_]{0,63}$"
SHA256 = r"^[0-9a-f]{64}$"
CONTEXT_REF = r"^[!-~]{1,50}$"
REQUIREMENT = r"^[A-Za-z0-9:._-]{1,255}(,(urn:altinn:[a-z][a-z0-9_-]*:)?[a-z][a-z0-9_-]*)?$"


class Altinn2Keys(Model):
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


class AttachmentRuleKeys(Model):
    """What one type of attachment may be, as in Altinn 2's metadata."""

    type: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,100}$", description="AttachmentTypeName.")]
    file_types: Annotated[str, Field(max_length=500, description="AllowedFileTypes, such as *.pdf, zip.")] = "*.*"
    min_count: Annotated[int, Field(ge=0, le=1000, description="MinAttachmentCount, held when completing.")] = 0
    max_count: Annotated[int | None, Field(ge=1, le=1000, description="MaxAttachmentCount.")] = None
    max_size_mb: Annotated[int, Field(ge=1, le=2000, description="MaxFileSize, in megabytes of 1,000,000 bytes.")] = 30


class AttachmentsKeys(Model):
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


class Altinn3Keys(Model):
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


class TextKeys(Model):
    """What is told, in each language."""

    nb: Annotated[str, Field(min_length=1, max_length=500, description="In bokmål.")]
    nn: Annotated[str, Field(min_length=1, max_length=500, description="In nynorsk.")]
    en: Annotated[str, Field(min_length=1, max_length=500, description="In English.")]


class RuleKeys(Model):
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
    text: Annotated[TextKeys, Field(description="What is told where the condition does not hold.")]


class FormKeys(Model):
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
        Field(pattern=SHA256, description="The digest that the schema must have; altinn-bridge check prints it."),
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
    rules: Annotated[list[RuleKeys], Field(max_length=200, description="Business rules, held beside the schema's.")] = (
        Field(default_factory=list)
    )


class NarrowedKeys(Model):
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
    """Which of the two ways a right is written in; pydantic puts it into the places of errors."""
    return "in_e" if isinstance(value, BaseModel | dict) else "in_a"


def without_kind(place: Place) -> Place:
    """Take out of an error's place what ``right_kind`` put in."""
    return tuple(
        step for at, step in enumerate(place) if not (at and place[at - 1] == "requires" and step in ("in_a", "in_e"))
    )


_TARGET = "The system that owns the case today."


class ActionKeys(Model):
    """The keys that an action may have; the model of each target makes nothing of those that the target has not."""

    requires: Annotated[
        Annotated[str, Field(pattern=REQUIREMENT), Tag("in_a")] | Annotated[NarrowedKeys, Tag("in_e")],
        Discriminator(right_kind),
        Field(
            description="What the dialog token must grant: action, or action,attribute, in its a; or what its e must "
            "hold, where an authorization context narrows the button."
        ),
    ]
    minimum_level: Annotated[int, Field(ge=0, le=4, description="The lowest authentication level, 0 to 4.")]
    target: Annotated[str, Field(description=_TARGET)]
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
    attachments: Annotated[
        AttachmentsKeys | None, Field(description="Which attachments it takes; none if left out.")
    ] = None
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


class Altinn2ActionKeys(ActionKeys):
    """What one action's URL means: the element is changed."""

    target: Annotated[Literal["altinn2"], Field(description=_TARGET)]


IN_WORDS = "in_words"
"""The kind of an error that says itself what to write."""


def _only(nothing: Literal[False] | None, words: str) -> BeforeValidator:
    """Takes *nothing* alone, which is as good as leaving the key out, and says *words* of all else."""

    def check(value: object, info: ValidationInfo) -> object:
        if value is nothing:
            return value
        told = words.format(key=info.field_name, target=info.data.get("target"))
        raise PydanticCustomError(IN_WORDS, "{words}", {"words": told})

    return BeforeValidator(check)


_LACKED = "'target: {target}' has no '{key}': leave it out"
_OTHERS = Field(description="Another target's: leave it out.", json_schema_extra=NOT_SUGGESTED)
Lacked = Annotated[None, _OTHERS, _only(None, _LACKED)]
"""In the model of a target, a key that is another's; what says nothing is taken, as it was before targets had keys."""


def _needs_form(value: object) -> object:
    if value == "none":
        raise PydanticCustomError(IN_WORDS, "an app needs a form to work on: write message or body")
    return value


_UNCALCULATED = "an app that only calculates has no '{key}': leave it out"
_CALCULATES = "the app calculates whatever stands here: leave it out"
_Lacked = Annotated[None, _OTHERS, _only(None, _UNCALCULATED)]
_LackedFlag = Annotated[Literal[False], _OTHERS, _only(False, _UNCALCULATED)]


class Altinn3ActionKeys(ActionKeys):
    """What one action's URL means: the app calculates, and nothing is stored."""

    target: Annotated[Literal["altinn3"], Field(description=_TARGET)]
    form: Annotated[
        Literal["message", "body"],
        BeforeValidator(_needs_form),
        Field(description="message: what Altinn 2 holds; body: what the caller sent."),
    ]
    calculate: Annotated[
        Literal[False],
        _only(False, _CALCULATES),
        Field(description="The app calculates whatever stands here: leave it out.", json_schema_extra=NOT_SUGGESTED),
    ] = False
    complete: _Lacked = None
    sign: _Lacked = None
    delete: _LackedFlag = False
    keep_dialog: _LackedFlag = False
    grace_period_days: _Lacked = None
    confirm: _LackedFlag = False
    archive: _LackedFlag = False
    attachments: _Lacked = None
    signature: _Lacked = None
    altinn_validate: _LackedFlag = False
    subforms: _Lacked = None


Action = Altinn2ActionKeys | Altinn3ActionKeys
AnyActionKeys = Annotated[Action, Field(discriminator="target")]
ActionModels = Mapping[str, type[ActionKeys]]
"""The model of an action's keys, by its target."""


class MappingFile(Model):
    """A mapping file of the bridge: what each action of one service resource means."""

    service_resource: Annotated[
        str,
        Field(pattern=r"^urn:altinn:resource:[a-z0-9_-]+$", description="The dialog token's s."),
    ]
    altinn2: Altinn2Keys | None = None
    altinn3: Altinn3Keys | None = None
    receiver: Annotated[
        Literal["dotnet", "other"] | None,
        Field(
            description="Who judges forms after the bridge: what .NET may refuse of valid ones is an error for dotnet "
            "(the default with altinn2), and a warning for other."
        ),
    ] = None
    forms: Annotated[list[FormKeys], Field(min_length=1, description="The service's forms.")]
    attachment_rules: Annotated[
        list[AttachmentRuleKeys], Field(description="By type, as in Altinn 2's metadata; none: any attachment.")
    ] = Field(default_factory=list)
    actions: Annotated[
        dict[ActionName, AnyActionKeys],
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


@cache
def file_model(*actions: type[ActionKeys]) -> type[MappingFile]:
    """The model of mapping files whose actions have one of these models each, told apart by their ``target``."""
    if actions == get_args(Action):
        return MappingFile
    kinds: Any = Annotated[Union[actions], Field(discriminator="target")]  # noqa: UP007 - of as many as there are
    about = MappingFile.model_fields["actions"]
    return create_model("MappingFile", __base__=MappingFile, actions=(dict[ActionName, kinds], about))


MODELS: Models = (
    ((), MappingFile),
    (("altinn2",), Altinn2Keys),
    (("altinn3",), Altinn3Keys),
    (("forms", "*"), FormKeys),
    (("attachment_rules", "*"), AttachmentRuleKeys),
    (("actions", "*", "attachments"), AttachmentsKeys),
    (("forms", "*", "rules", "*"), RuleKeys),
    (("forms", "*", "rules", "*", "text"), TextKeys),
    (("actions", "*"), ActionKeys),
    (("actions", "*", "then"), ThenKeys),
    (("actions", "*", "then", "links", "*"), LinkKeys),
    (("actions", "*", "then", "links", "*", "title"), ShortText),
    (("actions", "*", "button"), ButtonKeys),
    (("actions", "*", "requires"), NarrowedKeys),
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
"""Which model stands at which place."""


def mapping_json_schema() -> dict[str, object]:
    """Make the JSON Schema with which editors complete and check mapping files."""
    return editor_schema(MappingFile, title="Mapping file of the Altinn dialog bridge")
