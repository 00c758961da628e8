"""The bridge's own items in a dialog, member by member: what counts of each, and how one is written beside others'."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bridge.core.addresses import canonical
from bridge.core.dialogs import Json
from bridge.core.texts.problems import LANGUAGES

Meaning = Callable[[object], object]
"""What a member means, whichever way it is spelt; None where it says nothing."""


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One kind of item: the *members* that the bridge writes, and its lists of further items, which have ids.

    Whatever other members there are, of whatever kind, are others' and stay.
    """

    members: Mapping[str, Meaning]
    lists: Mapping[str, "Kind"] = field(default_factory=dict)


def texts_in(value: object) -> Mapping[str, str]:
    """A text by language."""
    listed = value if isinstance(value, list) else []
    return {word_in(each, "languageCode"): word_in(each, "value") for each in listed if isinstance(each, Mapping)}


def word_in(item: Json, name: str) -> str:
    """A member that is a text; empty where it is none."""
    value = item.get(name)
    return value if isinstance(value, str) else ""


def objects_in(body: Json, name: str) -> list[Json]:
    """The objects of a list."""
    value = body.get(name)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _plain(value: object) -> object:
    return value if isinstance(value, str) else ""


def _word(value: object) -> object:
    return value if isinstance(value, str) and value else None


def _address(value: object) -> object:
    return canonical(value) if isinstance(value, str) and value else None


def _texts(value: object) -> object:
    return texts_in(value) or None


def _method(value: object) -> object:
    return value.upper() if isinstance(value, str) and value else "GET"


def _true(value: object) -> object:
    return True if value is True else None


BUTTON = Kind(
    {
        "action": _word,
        "authorizationAttribute": _word,
        "url": _address,
        "httpMethod": _method,
        "isDeleteDialogAction": _true,
        "title": _texts,
        "prompt": _texts,
    }
)
"""Without its priority, which may be another than was wanted for want of room."""

API_ACTION = Kind(
    {"action": _word, "authorizationAttribute": _word, "name": _word},
    {"endpoints": Kind({"url": _address, "httpMethod": _method})},
)
LINK = Kind(
    {"displayName": _texts},
    {"urls": Kind({"url": _address, "mediaType": _word, "consumerType": _word})},
)


def meant(kind: Kind, item: Json) -> list[object]:
    """What a whole item means, of what the bridge writes."""
    return [
        *(meaning(item.get(name)) for name, meaning in kind.members.items()),
        *([meant(inner, each) for each in objects_in(item, name)] for name, inner in kind.lists.items()),
    ]


def member(path: str, wanted: object, theirs: object) -> dict[str, object]:
    """The operation that writes one member, and leaves what others added to it."""
    value = rest_of(theirs) if wanted is None else united(wanted, theirs)
    if value is None:
        # A yes cannot be taken away, only be a no.
        return {"op": "replace", "path": path, "value": False} if theirs is True else {"op": "remove", "path": path}
    return {"op": "add" if theirs is None else "replace", "path": path, "value": value}


def places_in(body: Json, name: str) -> Mapping[object, tuple[int, Json]]:
    """The items of a list by their ids, each with its index."""
    value = body.get(name)
    listed = value if isinstance(value, list) else []
    return {each.get("id"): (at, each) for at, each in enumerate(listed) if isinstance(each, Mapping)}


def united(wanted: object, theirs: object) -> object:
    """*wanted* with all that stands beside it in *theirs*: further members and languages, at every level."""
    if isinstance(wanted, Mapping) and isinstance(theirs, Mapping):
        return {**theirs, **{name: united(value, theirs.get(name)) for name, value in wanted.items()}}
    if isinstance(wanted, list) and isinstance(theirs, list):
        beside = {word_in(each, "languageCode"): each for each in theirs if isinstance(each, Mapping)}
        mine = {word_in(each, "languageCode") for each in wanted if isinstance(each, Mapping)}
        return [
            *(
                united(each, beside.get(word_in(each, "languageCode"))) if isinstance(each, Mapping) else each
                for each in wanted
            ),
            *(each for language, each in beside.items() if language not in mine),
        ]
    return wanted


def without_others(wanted: object, theirs: object) -> object:
    """*theirs* without the languages that the bridge does not write: those of *wanted*, or else its own three."""
    if isinstance(theirs, Mapping) and "value" in theirs:
        told = wanted.get("value") if isinstance(wanted, Mapping) else None
        own = without_others(told, theirs["value"])
        return {**theirs, "value": own} if own else None
    if isinstance(theirs, list):
        mine = [word_in(each, "languageCode") for each in wanted] if isinstance(wanted, list) else LANGUAGES
        return [each for each in theirs if isinstance(each, Mapping) and word_in(each, "languageCode") in mine] or None
    return theirs


def rest_of(theirs: object) -> object:
    """What stays of a text where the bridge takes its own languages away; None is nothing."""
    if isinstance(theirs, Mapping) and "value" in theirs:
        rest = rest_of(theirs["value"])
        return {**theirs, "value": rest} if rest else None
    if isinstance(theirs, list):
        return [
            each for each in theirs if isinstance(each, Mapping) and word_in(each, "languageCode") not in LANGUAGES
        ] or None
    return None
