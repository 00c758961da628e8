"""Search: the filters, their limits, the order and the continuation tokens of all three searches (facts 2.9, 4)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.sandbox.core.identities import PERSON, is_party
from bridge.sandbox.core.switches import Switches
from bridge.sandbox.dialogporten import uris
from bridge.sandbox.dialogporten.binding import Query, guid, moment, truth, whole
from bridge.sandbox.dialogporten.kinds import Faulty, moment_of
from bridge.sandbox.dialogporten.languages import is_language, language, not_a_language
from bridge.sandbox.dialogporten.model import Dialog
from bridge.sandbox.dialogporten.rules import SHORT, no_party, out_of_range, too_long, too_short, units
from bridge.sandbox.dialogporten.schema import SYSTEM_LABELS

STATUSES = ("InProgress", "Draft", "RequiresAttention", "Completed", "NotApplicable", "Awaiting")
_LABELS = dict(enumerate(SYSTEM_LABELS, start=1))
# Members by their numbers; of the statuses New and Sent are written only.
_ENUMS: Mapping[str, Mapping[int, str]] = {
    "status": dict(zip((2, 3, 5, 6, 7, 8), STATUSES, strict=True)),
    "systemLabel": _LABELS,
    "label": _LABELS,
    "deleted": dict(enumerate(("Exclude", "Include", "Only"))),
}
_PROPERTIES = {
    "limit": "Int32",
    "orderBy": "OrderSet`2",
    "continuationToken": "ContinuationTokenSet`2",
    "deleted": "DeletedFilter",
}
_LISTS = ("org", "serviceResource", "party", "extendedStatus", "serviceOwnerLabels")
_FLAGS = ("isContentSeen", "excludeApiOnly")
_PERIODS = ("created", "updated", "contentUpdated", "due", "visible")
_LONGEST_URI, _MOST, _USUAL = 1023, 1000, 100
_KEYS: Mapping[str, Callable[[Dialog], str | None]] = {
    "id": lambda dialog: dialog.id,
    "createdat": lambda dialog: dialog.created_at,
    "updatedat": lambda dialog: dialog.updated_at,
    "contentupdatedat": lambda dialog: dialog.content_updated_at,
    "dueat": lambda dialog: dialog.body["dueAt"],
}
_NAMES = {each.lower(): each for each in ("id", "createdAt", "updatedAt", "contentUpdatedAt", "dueAt")}
_SHORTEST = 3
TOO_BROAD = {"Search": ["The search is too broad. Narrow it, for instance with contentUpdatedAfter."]}
_TEXTS = ("title", "summary", "additionalInfo", "senderName", "extendedStatus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One search: the filters that it knows, and how many values each may have."""

    filters: frozenset[str]
    limits: Mapping[str, int]


def _kind(limits: Mapping[str, int], *names: str) -> Kind:
    periods = [f"{each}{end}" for each in _PERIODS[:4] for end in ("After", "Before")]
    common = ("externalReference", "process", "status", "systemLabel", "search", "searchLanguageCode", *_FLAGS)
    paging = ("orderBy", "continuationToken", "limit")
    return Kind(filters=frozenset([*limits, *periods, *common, *paging, *names]), limits=limits)


OWNER = _kind(
    {"serviceResource": 20, "party": 20, "extendedStatus": 20},
    *("endUserId", "deleted", "visibleAfter", "visibleBefore", "serviceOwnerLabels"),
)
END_USER = _kind({"org": 20, "serviceResource": 20, "party": 100, "extendedStatus": 20})
CONTEXTS = Kind(
    filters=frozenset({"party", "contentUpdatedAfter", "label", "continuationToken", "limit"}), limits={"party": 20}
)


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order, in small letters."""

    key: str
    descending: bool

    def __str__(self) -> str:
        return f"{self.key}_{'desc' if self.descending else 'asc'}"


NO_END_USER = (
    "EndUserId must be a valid end user identifier. It must match the format "
    "'urn:altinn:person:identifier-no:{norwegian f-nr/d-nr}'."
)
USUAL_ORDER = (Order("contentupdatedat", descending=True), Order("id", descending=True))


@dataclass(slots=True)
class Asked:
    """A search that was read: *values* by filter. It must not be run while there are *errors*."""

    values: dict[str, Any] = field(default_factory=dict)
    order: tuple[Order, ...] = USUAL_ORDER
    after: Mapping[str, str | None] | None = None
    limit: int = _USUAL
    errors: dict[str, list[str]] = field(default_factory=dict)

    def many(self, name: str) -> Sequence[Any]:
        """The values of a filter that takes several."""
        found: Sequence[Any] = self.values.get(name, ())
        return found

    def wrong(self, key: str, message: str) -> None:
        """Note what is wrong."""
        self.errors.setdefault(key, []).append(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of dialogs, and what takes the caller to the next one."""

    dialogs: tuple[Dialog, ...]
    has_next: bool
    token: str | None
    order: str

    def as_json(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The page with its *items*, as JSON; a token that is none is left out."""
        token = {} if self.token is None else {"continuationToken": self.token}
        return {"items": list(items), "hasNextPage": self.has_next, **token, "orderBy": self.order}


def asked(given: Query, kind: Kind) -> Asked:
    """What a query asks for; names that the search does not know are passed over, as Dialogporten does."""
    found = Asked()
    for name in kind.filters:
        if given.many(name):
            _read(found, name, given)
    if found.errors:
        # What cannot be bound is told alone.
        return found
    _check(found, kind)
    return found


def too_broad(found: Asked, switches: Switches) -> bool:
    """Whether the switch makes this search too broad."""
    narrow = "contentUpdatedAfter" in found.values
    return switches.search_too_broad and bool(found.many("search")) and not narrow


def run(dialogs: Iterable[Dialog], found: Asked, *, keep: Callable[[Dialog], bool]) -> Page:
    """
    The page that was asked for, of the dialogs that the caller may see (*keep*) and that match.

    Raises:
        Faulty: The real one answers 500 to this.
    """
    _fall_over(found)
    matching = [each for each in dialogs if keep(each) and _matches(each, found)]
    for order in reversed(found.order):
        # Without a value comes last when it goes up and first when it goes down, as in the database.
        value = _KEYS[order.key]
        matching.sort(key=lambda each, v=value: (v(each) is None, v(each) or ""), reverse=order.descending)  # type: ignore[misc]
    if found.after is not None:
        matching = [each for each in matching if _is_after(each, found)]
    shown = matching[: found.limit]
    sent = (found.values.get("continuationToken") or [None])[0]
    token = sent if not shown else ",".join(f"{each.key}_{_KEYS[each.key](shown[-1]) or ''}" for each in found.order)
    order_text = ",".join(map(str, found.order))
    return Page(dialogs=tuple(shown), has_next=len(matching) > len(shown), token=token, order=order_text)


def _fall_over(found: Asked) -> None:
    """Repeat the faults of the real one's own making (facts 14.1, 15): SQL that is not well-formed."""
    labels, places = found.many("serviceOwnerLabels"), found.many("systemLabel")
    narrow = any(found.many(name) for name in ("serviceResource", "party", "process"))
    if (labels or places) and "Include" in found.many("deleted") and not narrow:
        raise Faulty
    if labels and places and found.many("endUserId"):
        raise Faulty
    if any("*" in label[:-1] for label in labels):
        raise Faulty
    if found.after is not None and any(
        not order.descending and order.key == "dueat" and found.after.get("dueat") is None for order in found.order
    ):
        raise Faulty


def _read(found: Asked, name: str, given: Query) -> None:
    values = given.many(name)
    text = ",".join(values)
    try:
        if name in _ENUMS:
            found.values[name] = [_chosen(each, _ENUMS[name]) for each in values]
        elif name in _FLAGS:
            found.values[name] = truth(text)
        elif name.endswith(("After", "Before")):
            found.values[name] = moment(text)
        elif name == "limit":
            found.limit = whole(text)
        elif name == "orderBy":
            found.order = _order(text)
        elif name == "continuationToken":
            found.values[name] = [text]
            found.after = _token(text)
        else:
            found.values[name] = list(values) if name in _LISTS else [text]
    except (ValueError, KeyError):
        shown = next((each for each in values if _misfits(each, name)), text) if name in _ENUMS else text
        found.wrong(name, f"Value [{shown[:100]}] is not valid for a [{_property(name)}] property!")


def _misfits(text: str, name: str) -> bool:
    try:
        _chosen(text, _ENUMS[name])
    except (ValueError, KeyError):
        return True
    return False


def _property(name: str) -> str:
    if name in _FLAGS:
        return "Boolean"
    if name.endswith(("After", "Before")):
        return "DateTimeOffset"
    return _PROPERTIES.get(name, "List`1")


def _chosen(text: str, names: Mapping[int, str]) -> str | int:
    """One member of an enumeration, or a number that it may not have."""
    text = text.strip()
    if re.fullmatch(r"[+-]?\d+", text):
        return names.get(int(text), int(text))
    return {name.lower(): name for name in names.values()}[text.lower()]


def _order(text: str) -> tuple[Order, ...]:
    """The order that ``createdAt_asc,updatedAt`` asks for; the id is always last."""
    orders: dict[str, Order] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        key, _, direction = part.lower().partition("_")
        if key not in _KEYS or key in orders or direction not in ("", "asc", "desc"):
            raise ValueError("not an order")
        orders[key] = Order(key, direction != "asc")
    if not orders:
        raise ValueError("an empty order")
    last = orders.pop("id", USUAL_ORDER[1])
    return (*(orders.values() or USUAL_ORDER[:1]), last)


def _token(text: str) -> dict[str, str | None]:
    """The place at which ``key_value,key_value`` goes on; a time may be empty, as dueAt can be."""
    values: dict[str, str | None] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        key, underscore, value = part.partition("_")
        key = key.lower()
        if key not in _KEYS or key in values or not underscore:
            raise ValueError("not a token")
        if key == "id":
            values[key] = guid(value)
        else:
            values[key] = moment(value) if value else None
    if not values:
        raise ValueError("an empty token")
    return values


def _check(found: Asked, kind: Kind) -> None:
    if not 1 <= found.limit <= _MOST:
        found.wrong("limit", f"'Limit' must be between 1 and {_MOST}. You entered {found.limit}.")
    if found.after is not None:
        lacking = [_NAMES[each.key] for each in found.order if each.key not in found.after]
        if lacking:
            message = f"ContinuationToken does not match OrderBy. Missing token keys: [{','.join(lacking)}]."
            found.wrong("continuationToken", message)
    as_user = found.many("endUserId")
    for name, most in kind.limits.items():
        most = END_USER.limits[name] if as_user else most
        if len(found.many(name)) > most:
            found.wrong(f"{name}.count", f"'{_words(name)} Count' must be less than or equal to '{most}'.")
    for index, party in enumerate(found.many("party")):
        if not is_party(party):
            found.wrong(f"party[{index}]", no_party("Party"))
    for name in ("status", "systemLabel", "label"):
        for index, member in enumerate(found.many(name)):
            if not isinstance(member, str):
                found.wrong(f"{name}[{index}]", out_of_range(f"{name[0].upper()}{name[1:]}", member))
    for index, label in enumerate(found.many("serviceOwnerLabels")):
        if units(label) < _SHORTEST:
            found.wrong(f"serviceOwnerLabels[{index}]", too_short("ServiceOwnerLabels", _SHORTEST, units(label)))
        if units(label) > SHORT:
            found.wrong(f"serviceOwnerLabels[{index}]", too_long("ServiceOwnerLabels", SHORT, units(label)))
    if kind is END_USER and not found.many("serviceResource") and not found.many("party"):
        found.wrong("", "Either ServiceResource or Party must be specified.")
    if kind is CONTEXTS and not found.many("party"):
        found.wrong("party", "'Party' must not be empty.")
    _check_texts(found)
    if as_user:
        _check_user(found, as_user[0])
    elif kind is OWNER and found.many("search"):
        found.wrong("search", "'EndUserId' must be specified if 'Search' is provided.")
    for name in _PERIODS:
        after, before = found.values.get(f"{name}After"), found.values.get(f"{name}Before")
        if after is not None and before is not None and after > before:
            title = f"{name[0].upper()}{name[1:]}"
            found.wrong(f"{name}After", f"'{title}After' must be less than or equal to '{title}Before'.")


def _check_user(found: Asked, user: str) -> None:
    if not (is_party(user) and user.startswith(PERSON)):
        found.wrong("endUserId", NO_END_USER)
    if not found.many("serviceResource") and not found.many("party"):
        found.wrong("endUserId", "Either 'ServiceResource' or 'Party' must be specified if 'EndUserId' is provided.")


def _check_texts(found: Asked) -> None:
    for text in found.many("search"):
        if units(text) < _SHORTEST:
            found.wrong("search", too_short("Search", _SHORTEST, units(text)))
    for code in found.many("searchLanguageCode"):
        if not is_language(code):
            found.wrong("searchLanguageCode", not_a_language("SearchLanguageCode", code[:20]))
    for process in found.many("process"):
        if not uris.is_well_formed(process):
            found.wrong("process", "'Process' is not a well-formatted URI.")
        if units(process) > _LONGEST_URI:
            found.wrong("process", too_long("Process", _LONGEST_URI, units(process)))


def _words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return spaced[:1].upper() + spaced[1:]


def _is_after(dialog: Dialog, found: Asked) -> bool:
    for order in found.order:
        here, there = _KEYS[order.key](dialog), (found.after or {}).get(order.key)
        if here == there:
            continue
        above = (here is None, here or "") > (there is None, there or "")
        return above != order.descending
    return False


def _matches(dialog: Dialog, found: Asked) -> bool:
    body = dialog.body
    exact = {"org": dialog.org, "serviceResource": dialog.service_resource, "party": dialog.party}
    if any(found.many(name) and value not in found.many(name) for name, value in exact.items()):
        return False
    for name in ("extendedStatus", "externalReference", "process", "status"):
        if found.many(name) and body[name] not in found.many(name):
            return False
    if not _in_periods(dialog, found) or not _labelled(dialog, found):
        return False
    deleted = (found.values.get("deleted") or ["Exclude"])[0]
    if deleted != "Include" and (dialog.deleted_at is not None) != (deleted == "Only"):
        return False
    if found.values.get("isContentSeen", dialog.content_seen) is not dialog.content_seen:
        return False
    if found.values.get("excludeApiOnly") and body["isApiOnly"]:
        return False
    return all(_says(dialog, each, found.many("searchLanguageCode")) for each in found.many("search"))


def _in_periods(dialog: Dialog, found: Asked) -> bool:
    times = {
        "created": dialog.created_at,
        "updated": dialog.updated_at,
        "contentUpdated": dialog.content_updated_at,
        "due": dialog.body["dueAt"],
        "visible": dialog.visible_from,
    }
    for name, time in times.items():
        after, before = found.values.get(f"{name}After"), found.values.get(f"{name}Before")
        # Canonical times compare as text.
        if (after is not None and (time is None or time < after)) or (
            before is not None and (time is None or time > before)
        ):
            return False
    return True


def _labelled(dialog: Dialog, found: Asked) -> bool:
    # All of the one, any of the other.
    any_of = found.many("label")
    if not dialog.labels.issuperset(found.many("systemLabel")) or (any_of and dialog.labels.isdisjoint(any_of)):
        return False
    return all(
        any(label.startswith(each[:-1]) if each.endswith("*") else label == each for label in dialog.owner_labels)
        for each in map(str.lower, found.many("serviceOwnerLabels"))
    )


def _says(dialog: Dialog, text: str, languages: Sequence[str]) -> bool:
    content = dialog.body["content"] or {}
    said = [
        each["value"]
        for name in _TEXTS
        for each in (content.get(name) or {"value": []})["value"]
        if not languages or each["languageCode"] == language(languages[0])
    ]
    said += [tag["value"] for tag in dialog.body["searchTags"]]
    return any(text.lower() in each.lower() for each in said)


def shown_to_end_users(dialog: Dialog, now: datetime) -> bool:
    """Whether a dialog is out there at all: visible already, not expired, not deleted."""
    expires = dialog.body["expiresAt"]
    return (
        dialog.deleted_at is None
        and (dialog.visible_from is None or moment_of(dialog.visible_from) <= now)
        and (expires is None or moment_of(expires) > now)
    )
