"""The keys of a mapping file that say what dialogs say: texts, buttons, receipts, and their limits."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bridge.config.mapping_states import ARCHIVED, OPEN_STATES, SIGNING
from bridge.config.yaml_source import Place
from bridge.core.dialog_merge import PRIORITIES
from bridge.core.lengths import units
from bridge.core.mapping import (
    Button,
    Dates,
    DialogSpec,
    Embed,
    Embeds,
    Priority,
    Receipt,
    ResultLink,
    ShownField,
    StateRule,
    Texts,
    Then,
    Wording,
)
from bridge.core.templates import DIALOG_NAMES, names_in

# What a mapping may say (facts/dialogporten.md 2.5); a status that Dialogporten stores under another name is taken too.
Status = Literal["New", "InProgress", "Draft", "Sent", "RequiresAttention", "Completed", "NotApplicable", "Awaiting"]
Activity = Literal[
    "DialogCreated",
    "DialogClosed",
    "PaymentMade",
    "SignatureProvided",
    "DialogOpened",
    "DialogDeleted",
    "DialogRestored",
    "SentToSigning",
    "SentToFormFill",
    "SentToSendIn",
    "SentToPayment",
    "FormSubmitted",
    "FormSaved",
]
ActionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]

LINK = r"^[a-z0-9-]{1,64}$"


class Model(BaseModel):
    """What all parts of a mapping file have in common: no unknown keys, no values of another kind."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, title=None)


class LongText(Model):
    """A text of at most 1,023 characters in each language; names in braces are filled in."""

    nb: Annotated[str, Field(min_length=1, max_length=1023, description="In bokmål.")]
    nn: Annotated[str, Field(min_length=1, max_length=1023, description="In nynorsk.")]
    en: Annotated[str, Field(min_length=1, max_length=1023, description="In English.")]


class ShortText(Model):
    """A text of at most 255 characters in each language; names in braces are filled in."""

    nb: Annotated[str, Field(min_length=1, max_length=255, description="In bokmål.")]
    nn: Annotated[str, Field(min_length=1, max_length=255, description="In nynorsk.")]
    en: Annotated[str, Field(min_length=1, max_length=255, description="In English.")]


class StatusText(Model):
    """A text of at most 25 characters in each language; names in braces are filled in."""

    nb: Annotated[str, Field(min_length=1, max_length=25, description="In bokmål.")]
    nn: Annotated[str, Field(min_length=1, max_length=25, description="In nynorsk.")]
    en: Annotated[str, Field(min_length=1, max_length=25, description="In English.")]


class WordingKeys(Model):
    """What a dialog says in words; what is left out here is said by the wording that is asked after this one."""

    code: Annotated[
        str | None, Field(min_length=1, max_length=255, description="extendedStatus: the status for systems.")
    ] = None
    extended_status: Annotated[StatusText | None, Field(description="The status as people read it.")] = None
    title: Annotated[ShortText | None, Field(description="The dialog's title.")] = None
    summary: Annotated[ShortText | None, Field(description="The dialog's summary.")] = None
    additional_info: Annotated[LongText | None, Field(description="What stands below the summary.")] = None


class DatedKeys(WordingKeys):
    """Words, and dates counted from when the state was reached."""

    due_in_days: Annotated[int | None, Field(ge=1, le=3650, description="Days until the dialog is due: dueAt.")] = None
    expires_in_days: Annotated[
        int | None, Field(ge=1, le=36500, description="Days until its users see the dialog no more: expiresAt.")
    ] = None


class LinkKeys(Model):
    """An attachment of the dialog that leads to a page about the result."""

    title: Annotated[ShortText, Field(description="What stands on it.")]
    url: Annotated[
        str,
        Field(max_length=1023, description="The page: https, with names in braces after the host; see the danger."),
    ]
    media_type: Annotated[
        str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]{1,100}$", description="What is behind it, such as application/pdf.")
    ] = "text/html"


class ThenKeys(DatedKeys):
    """What the dialog says afterwards, on top of the state table."""

    status: Annotated[Status | None, Field(description="The dialog's status.")] = None
    activity: Annotated[Activity | None, Field(description="The activity that tells what was done.")] = None
    silent: Annotated[
        bool | None, Field(description="Whether the change leaves the dialog in the user's archive; true if left out.")
    ] = None
    links: Annotated[
        dict[Annotated[str, StringConstraints(pattern=LINK)], LinkKeys],
        Field(max_length=10, description="By name: attachments of the dialog that lead to pages about the result."),
    ] = Field(default_factory=dict)


class StateKeys(DatedKeys):
    """What the dialog says while its element is in this Altinn 2 state."""

    status: Annotated[Status | None, Field(description="The dialog's status.")] = None
    actions: Annotated[list[ActionName] | None, Field(description="The actions whose buttons stay.")] = None
    silent: Annotated[
        bool | None,
        Field(description="Whether a change to it leaves the dialog in the user's archive; left out, news does not."),
    ] = None
    main_content: Annotated[
        Literal["summary", "signing-text", "receipt", "none"] | None,
        Field(description="The embed that it shows in its middle; left out, the one that fits the state."),
    ] = None


class ButtonKeys(Model):
    """How a dialog offers the action."""

    title: Annotated[ShortText, Field(description="What stands on the button.")]
    priority: Annotated[
        Literal["Primary", "Secondary", "Tertiary"],
        Field(description="At most one Primary, one Secondary and five Tertiary ones are shown at a time."),
    ]
    prompt: Annotated[ShortText | None, Field(description="What a person is asked before the press counts.")] = None
    api: Annotated[bool, Field(description="Whether there is an API action, too.")] = False


class ReceiptKeys(Model):
    """The transmission that says that a form was submitted."""

    title: Annotated[ShortText, Field(description="Its title.")]
    url: Annotated[
        str | None,
        Field(max_length=1023, description="The page that shows what was sent: https, with names in braces."),
    ] = None


class DialogKeys(WordingKeys):
    """What every dialog of the service says, whatever the state of its element."""

    search_tags: Annotated[
        list[Annotated[str, StringConstraints(min_length=3, max_length=63)]],
        Field(max_length=20, description="Words by which people find it."),
    ] = Field(default_factory=list)
    labels: Annotated[
        list[Annotated[str, StringConstraints(min_length=3, max_length=255)]],
        Field(max_length=19, description="Service-owner labels."),
    ] = Field(default_factory=list)
    receipt: Annotated[ReceiptKeys | None, Field(description="Told when the form was submitted.")] = None


class RefusedKeys(Model):
    """What a dialog says after a refusal, in place of the built-in words."""

    extended_status: Annotated[StatusText | None, Field(description="The badge.")] = None
    additional_info: Annotated[
        LongText | None, Field(description="What stands below the summary; {reason} is the built-in text.")
    ] = None


class ShownKeys(Model):
    """A place of the main form that the summary shows."""

    at: Annotated[str, Field(max_length=500, description="XPath 1.0 of the elements or attributes, from the root.")]
    label: Annotated[
        ShortText | None, Field(description="What stands before the value; left out, what the schema calls it.")
    ] = None


class EmbedKeys(Model):
    """Content of the bridge's that dialogs show: summary, signing text and receipt."""

    minimum_level: Annotated[
        int, Field(ge=0, le=4, description="The lowest authentication level of who may see them, beside 'read'.")
    ]
    fields: Annotated[
        list[ShownKeys] | None,
        Field(
            min_length=1,
            max_length=200,
            description="What the summary shows, in order; left out, all that is filled in.",
        ),
    ] = None


KeyFault = tuple[Place, str]
"""The keys that lead to what is wrong, and the words; who knows the file makes a Fault of it."""

_EMBED_STATES = {"signing-text": (SIGNING,), "receipt": (ARCHIVED,)}


def embed_faults(keys: "EmbedKeys | None", states: Mapping[str, StateKeys], *, elements: bool) -> Iterator[KeyFault]:
    """Faults of embeds that nobody serves, or without anything to show in their state; *elements*: of Altinn 2."""
    if keys is not None and not elements:
        yield ("embeds",), "embeds show elements of Altinn 2: write 'altinn2', or leave it out"
    for state, rule in states.items():
        if rule.main_content is None:
            continue
        place: Place = ("states", state, "main_content")
        fitting = _EMBED_STATES.get(rule.main_content)
        if keys is None:
            yield place, "the mapping has no 'embeds' to say who may see them"
        elif fitting is not None and state not in fitting:
            yield place, f"there is no {rule.main_content} in this state, only in {fitting[0]!r}"


def date_faults(then: ThenKeys, rule: StateKeys | None, before: StateKeys | None = None) -> Iterator[KeyFault]:
    """
    Faults of an action's dates that Dialogporten refuses together.

    *rule* is that of the state it leads to, *before* that of the open state which it may come from: dates that
    neither says go on to stand.
    """
    due = then.due_in_days or (rule and rule.due_in_days) or (before and before.due_in_days)
    expires = then.expires_in_days or (rule and rule.expires_in_days) or (before and before.expires_in_days)
    if not due or not expires or due <= expires:
        return
    if then.due_in_days:
        yield ("due_in_days",), f"a dialog cannot be due after it expires: write at most {expires}"
    elif then.expires_in_days:
        yield ("expires_in_days",), f"a dialog cannot expire before it is due: write at least {due}"


def state_date_faults(rule: StateKeys) -> Iterator[KeyFault]:
    """Faults of a state's dates that Dialogporten refuses together."""
    if rule.due_in_days and rule.expires_in_days and rule.due_in_days > rule.expires_in_days:
        message = f"a dialog cannot be due after it expires: write at most {rule.expires_in_days}, its expires_in_days"
        yield ("due_in_days",), message


def following_date_faults(states: Mapping[str, StateKeys]) -> Iterator[KeyFault]:
    """Faults of dates that Dialogporten refuses where one open state follows another, whose dates stay."""
    for before, after in (OPEN_STATES, OPEN_STATES[::-1]):
        earlier, rule = states.get(before), states.get(after)
        if earlier is None or rule is None:
            continue
        due, expires = earlier.due_in_days or 0, rule.expires_in_days or 0
        if not rule.due_in_days and 0 < expires < due:
            message = f"a dialog that {before} made due in {due} days cannot expire before: "
            yield ("states", after, "expires_in_days"), f"{message}give this state a due_in_days as well"
            return  # The way back would say the same.


def _length_faults(text: str, limit: int) -> Iterator[str]:
    # The model counts letters; what has no emoji was found there.
    if len(text) <= limit < units(text):
        yield (
            f"Dialogporten counts {units(text)} characters here and takes {limit}: "
            "an emoji, or another letter of that kind, counts as two"
        )


_LIMIT_OF: Mapping[type[Model], int] = {LongText: 1023, ShortText: 255, StatusText: 25}


def wording_faults(keys: WordingKeys, results: Iterable[str] = ()) -> Iterator[KeyFault]:
    """Faults of names that nothing fills in, *results* being those that a calculation fills in, and of a long code."""
    yield from ((("code",), each) for each in _length_faults(keys.code or "", 255))
    for name in ("extended_status", "title", "summary", "additional_info"):
        yield from _text_faults((name,), getattr(keys, name), results)


def refused_faults(keys: RefusedKeys) -> Iterator[KeyFault]:
    """Faults of names that nothing fills in where a refusal is told."""
    yield from _text_faults(("extended_status",), keys.extended_status)
    yield from _text_faults(("additional_info",), keys.additional_info, also=("reason",))


def link_faults(keys: ThenKeys, results: Iterable[str]) -> Iterator[KeyFault]:
    """Faults of links whose address no page of an agency's can have, and of names that nothing fills in."""
    names = tuple(results)
    known = (*DIALOG_NAMES, *(f"result.{name}" for name in names))
    for name, link in keys.links.items():
        yield from _text_faults(("links", name, "title"), link.title, names)
        place: Place = ("links", name, "url")
        yield from ((place, message) for message in template_faults(link.url, known))
        host = link.url.removeprefix("https://").partition("/")[0].partition("?")[0].partition("#")[0]
        if not link.url.startswith("https://"):
            yield place, "Dialogporten takes https only: begin with https://"
        elif "{" in host or "@" in host or not _is_host(host):
            yield place, "the host is a name that stands there as it is: no braces, no '@' before the first '/'"
        elif any(character.isspace() for character in link.url):
            yield place, "an address has no blanks: write %20"


def _is_host(text: str) -> bool:
    try:
        parts = urlsplit(f"https://{text}")
    except ValueError:
        return False
    return bool(parts.hostname)


def button_faults(keys: ButtonKeys) -> Iterator[KeyFault]:
    """Faults of a button's texts: too long, blank, or with names, which nothing fills in there."""
    for name in ("title", "prompt"):
        text = getattr(keys, name)
        for language, template in ({} if text is None else text.model_dump()).items():
            yield from (((name, language), each) for each in _length_faults(template, _LIMIT_OF[type(text)]))
            if template and not template.strip():
                yield (name, language), "Dialogporten takes no blank text: write words"
            if "{" in template or "}" in template:
                yield (name, language), "a button's text is shown as it stands: write it without braces"


def dialog_faults(keys: DialogKeys, results: Iterable[str] = ()) -> Iterator[KeyFault]:
    """Faults of what Dialogporten would refuse, and of names that nothing fills in."""
    yield from wording_faults(keys, results)
    for name, listed in (("search_tags", keys.search_tags), ("labels", keys.labels)):
        seen: set[str] = set()
        for index, value in enumerate(listed):
            limit = 63 if name == "search_tags" else 255
            yield from (((name, index), each) for each in _length_faults(value, limit))
            if value.strip().casefold() in seen:
                yield (name, index), f"{value!r} stands above already: keep one of the two"
            seen.add(value.strip().casefold())
    if keys.receipt is None:
        return
    yield from _text_faults(("receipt", "title"), keys.receipt.title)
    if keys.receipt.url is not None:
        yield from ((("receipt", "url"), each) for each in template_faults(keys.receipt.url, DIALOG_NAMES))
        if not keys.receipt.url.startswith("https://"):
            yield ("receipt", "url"), "Dialogporten takes https only: begin with https://"


def crowded(
    buttons: Mapping[str, ButtonKeys | None],
    named: Mapping[str, Sequence[str] | None],
    acting: Mapping[str, Sequence[str]],
) -> Iterator[KeyFault]:
    """
    Faults of states that show more buttons of one priority than a dialog takes.

    Shown are those that the mapping has *named* there, or else what can act there: *acting*.
    """
    for state in OPEN_STATES:
        names = named.get(state)
        shown = [each for name, each in buttons.items() if name in (acting[state] if names is None else names)]
        counts = Counter[str](each.priority for each in shown if each is not None)
        for priority, most in PRIORITIES.items():
            if counts[priority] > most:
                place: Place = ("states", state, "actions") if names is not None else ("actions",)
                yield place, f"{state} shows more than {most} {priority}: name its 'actions', or give others a priority"


def _text_faults(
    place: Place, text: Model | None, results: Iterable[str] = (), *, also: Iterable[str] = ()
) -> Iterator[KeyFault]:
    known = (*DIALOG_NAMES, *also, *(f"result.{name}" for name in results))
    for language, template in ({} if text is None else text.model_dump()).items():
        yield from (((*place, language), message) for message in template_faults(template, known))
        if template and not template.strip():
            yield (*place, language), "Dialogporten takes no blank text: write words, or leave the key out"
        if text is not None:
            yield from (((*place, language), each) for each in _length_faults(template, _LIMIT_OF[type(text)]))


def template_faults(template: str, known: Sequence[str]) -> Iterator[str]:
    """What is wrong with the names in braces of a text, of which these are *known*."""
    try:
        names = names_in(template)
    except ValueError:
        yield f"a brace has no partner in {template!r}: a brace meant as itself is doubled, {{{{ or }}}}"
        return
    for name in names:
        if name not in known:
            yield f"{{{name}}} is not known: write {', '.join(f'{{{each}}}' for each in known)}"


# From the file's models to the values


def wording_of(keys: WordingKeys) -> Wording:
    """What the keys say."""
    return Wording(
        code=keys.code,
        extended_status=_texts(keys.extended_status),
        title=_texts(keys.title),
        summary=_texts(keys.summary),
        additional_info=_texts(keys.additional_info),
    )


def then_of(keys: ThenKeys) -> Then:
    """What the keys say."""
    return Then(
        status=keys.status,
        activity=keys.activity,
        wording=wording_of(keys),
        silent=keys.silent,
        dates=_dates(keys),
        links=tuple(
            ResultLink(name=name, title=link.title.model_dump(), url=link.url, media_type=link.media_type)
            for name, link in keys.links.items()
        ),
    )


def state_of(keys: StateKeys) -> StateRule:
    """What the keys say."""
    return StateRule(
        status=keys.status,
        actions=None if keys.actions is None else tuple(keys.actions),
        wording=wording_of(keys),
        silent=keys.silent,
        dates=_dates(keys),
        main_content=None if keys.main_content is None else Embed(keys.main_content),
    )


def embeds_of(keys: EmbedKeys | None) -> Embeds | None:
    """What the keys say."""
    if keys is None:
        return None
    shown = (ShownField(at=each.at, label=_texts(each.label)) for each in keys.fields or ())
    return Embeds(minimum_level=keys.minimum_level, fields=tuple(shown))


def button_of(keys: ButtonKeys | None) -> Button | None:
    """What the keys say."""
    if keys is None:
        return None
    return Button(
        title=keys.title.model_dump(), priority=Priority(keys.priority), prompt=_texts(keys.prompt), api=keys.api
    )


def dialog_of(keys: DialogKeys) -> DialogSpec:
    """What the keys say."""
    receipt = keys.receipt
    return DialogSpec(
        wording=wording_of(keys),
        search_tags=tuple(keys.search_tags),
        # As Dialogporten keeps them, so that one which stands there is recognised (facts/dialogporten.md 2.4).
        labels=tuple(each.strip().lower() for each in keys.labels),
        receipt=None if receipt is None else Receipt(title=receipt.title.model_dump(), url=receipt.url),
    )


def refused_of(keys: RefusedKeys) -> Wording:
    """What the keys say."""
    return Wording(extended_status=_texts(keys.extended_status), additional_info=_texts(keys.additional_info))


def _dates(keys: DatedKeys) -> Dates:
    return Dates(due=keys.due_in_days, expires=keys.expires_in_days)


def _texts(text: Model | None) -> Texts | None:
    return None if text is None else text.model_dump()
