"""Searches for dialogs, held to the limits of the API before they leave us (facts/dialogporten.md 2.9, 4.1, 4.2)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from urllib.parse import urlsplit

from bridge.core.errors import ConfigurationError, Fault

LONGEST_PAGE, USUAL_PAGE = 1000, 100
_LONGEST_URI, _LONGEST_URN, _SHORTEST_SEARCH = 1023, 255, 3

ORGANISATION = "urn:altinn:organization:identifier-no:"
PERSON = "urn:altinn:person:identifier-no:"
SELF_IDENTIFIED = "urn:altinn:person:legacy-selfidentified:"
EMAIL = "urn:altinn:person:idporten-email:"
SYSTEM_USER = "urn:altinn:systemuser:uuid:"
RESOURCE = "urn:altinn:resource:"

STATUSES = ("InProgress", "Draft", "RequiresAttention", "Completed", "NotApplicable", "Awaiting")
SYSTEM_LABELS = ("Default", "Bin", "Archive", "MarkedAsUnopened", "Sent")
DELETED = ("Exclude", "Include", "Only")
ORDER_KEYS = ("createdAt", "updatedAt", "contentUpdatedAt", "dueAt", "id")
STEADY_ORDER = "createdAt_desc"
"""The order used unless another is asked for: a creation never moves, so no page has what another had."""


class Side(Enum):
    """Which of the three searches is asked."""

    OWNER = "service owner"
    END_USER = "end user"
    GRAPHQL = "GraphQL"


@dataclass(frozen=True, slots=True)  # By position, so that the table reads in columns.
class Filter:
    """One filter: its name at the API, how a value is read, how many it may have (by side), who may use it."""

    name: str
    read: Callable[[str], str]
    meaning: str
    many: bool = False
    most: Mapping[Side, int] = field(default_factory=dict)
    sides: frozenset[Side] = frozenset(Side)


def is_organisation_number(text: str) -> bool:
    """Nine digits whose last one checks the others (modulus 11)."""
    weights = (3, 2, 7, 6, 5, 4, 3, 2)
    return bool(re.fullmatch(r"\d{9}", text, re.ASCII)) and _checks(text, weights)


def is_identity_number(text: str) -> bool:
    """Eleven digits whose last two check the others (modulus 11), synthetic ones as well."""
    if not re.fullmatch(r"\d{11}", text, re.ASCII):
        return False
    return _checks(text[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2)) and _checks(text, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2))


def _checks(text: str, weights: Sequence[int]) -> bool:
    rest = -sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False)) % 11
    return str(rest) == text[len(weights) :]


def party(text: str) -> str:
    """
    The urn of a party, from any of the four or a bare organisation number.

    Raises:
        ValueError: It is none; the message says what is, and repeats nothing.
    """
    if is_organisation_number(text):
        return ORGANISATION + text
    lowered = text.lower()
    if len(text) <= _LONGEST_URN:
        for prefix, fits in (
            (ORGANISATION, is_organisation_number),
            (PERSON, is_identity_number),
            (SELF_IDENTIFIED, lambda rest: bool(rest.strip())),
            (EMAIL, lambda rest: bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", rest))),
        ):
            if lowered.startswith(prefix) and fits(text[len(prefix) :]):
                return lowered
    raise ValueError(
        f"write {ORGANISATION}<9 digits>, {PERSON}<11 digits>, {SELF_IDENTIFIED}<name> or {EMAIL}<e-mail>,"
        " with valid check digits"
    )


def end_user(text: str) -> str:
    """
    The urn of an end user, a person or a system user.

    Raises:
        ValueError: It is neither.
    """
    lowered = text.lower()
    if lowered.startswith(PERSON) and is_identity_number(lowered[len(PERSON) :]):
        return lowered
    if lowered.startswith(SYSTEM_USER) and _is_uuid(lowered[len(SYSTEM_USER) :]):
        return lowered
    raise ValueError(f"write {PERSON}<11 digits> or {SYSTEM_USER}<uuid>")


def resource(text: str) -> str:
    """
    The urn of a service resource, with or without its prefix.

    Raises:
        ValueError: It is none.
    """
    name = text.removeprefix(RESOURCE)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) or len(RESOURCE + name) > _LONGEST_URI:
        raise ValueError(f"write {RESOURCE}<name>, or the name alone")
    return RESOURCE + name.lower()


def order(text: str) -> tuple[tuple[str, str], ...]:
    """
    ``createdAt_asc,updatedAt`` as pairs of key and direction; down is the usual direction.

    Raises:
        ValueError: An unknown or repeated key or direction.
    """
    names = {key.lower(): key for key in ORDER_KEYS}
    pairs: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        key, underscore, direction = part.lower().partition("_")
        if key not in names or direction not in (("asc", "desc") if underscore else ("",)):
            raise ValueError(f"write keys out of {', '.join(ORDER_KEYS)}, each with _asc or _desc or nothing")
        if names[key] in pairs:
            raise ValueError(f"name {names[key]} once")
        pairs[names[key]] = direction or "desc"
    if not pairs:
        raise ValueError(f"write keys out of {', '.join(ORDER_KEYS)}")
    return tuple(pairs.items())


def _is_uuid(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))


def _text(text: str) -> str:
    if not text.strip() or len(text) > _LONGEST_URN:
        raise ValueError(f"write 1 to {_LONGEST_URN} characters")
    return text


def _org(text: str) -> str:
    if not re.fullmatch(r"[a-zæøå0-9][a-zæøå0-9_-]{1,63}", text.lower()):
        raise ValueError("write the short code of a service owner, such as ttd")
    return text.lower()


def _uri(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("write a URI") from None
    if not parts.scheme or re.search(r"\s", text) or len(text) > _LONGEST_URI:
        raise ValueError(f"write a URI of at most {_LONGEST_URI} characters")
    return text


def _moment(text: str) -> str:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("write a date (2026-01-31) or a time with its zone (2026-01-31T12:00:00+01:00)") from None
    if found.tzinfo is None:
        if len(text.strip()) > len("2026-01-31"):
            raise ValueError("write the time's zone as well, such as Z or +01:00")
        found = found.replace(tzinfo=UTC)
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _one_of(*names: str) -> Callable[[str], str]:
    known = {name.lower(): name for name in names}

    def read(text: str) -> str:
        if text.replace("_", "").lower() not in known:
            raise ValueError(f"write one of {', '.join(names)}")
        return known[text.replace("_", "").lower()]

    return read


def _flag(text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise ValueError("write true or false")
    return text.lower()


def _search(text: str) -> str:
    if len(text.strip()) < _SHORTEST_SEARCH:
        raise ValueError(f"write at least {_SHORTEST_SEARCH} characters")
    return text


def _language(text: str) -> str:
    code = re.split("[-_]", text)[0].lower()
    if not re.fullmatch("[a-z]{2}", code) or code == "no":
        raise ValueError("write a language of two letters; Norwegian is nb or nn")
    return code


def _label(text: str) -> str:
    if not text.strip().rstrip("*") or len(text) > _LONGEST_URN or "*" in text.strip()[:-1]:
        raise ValueError("write a label, or its beginning and *")
    return text.strip().lower()


_ALL, _OWNER, _USERS = frozenset(Side), frozenset({Side.OWNER}), frozenset({Side.END_USER, Side.GRAPHQL})
_TWENTY = dict.fromkeys(Side, 20)
_PARTIES = {Side.OWNER: 20, Side.END_USER: 100, Side.GRAPHQL: 100}
_PERIODS = ("created", "updated", "contentUpdated", "due", "visible")
FILTERS: Sequence[Filter] = (
    Filter("party", party, "Whose dialogs.", True, _PARTIES),
    Filter("serviceResource", resource, "Of which service.", True, _TWENTY),
    Filter("org", _org, "Of which service owner, by its code.", True, _TWENTY, _USERS),
    Filter("status", _one_of(*STATUSES), "In which status.", True),
    Filter("systemLabel", _one_of(*SYSTEM_LABELS), "Where the user put it; of several, all of them.", True),
    Filter("extendedStatus", _text, "With which extended status.", True, _TWENTY),
    Filter("externalReference", _text, "With exactly this reference."),
    Filter("process", _uri, "Of exactly this process."),
    Filter("serviceOwnerLabels", _label, "With all these labels; * at the end for any.", True, {}, _OWNER),
    Filter("endUserId", end_user, "Only what this person or system user may see.", sides=_OWNER),
    Filter("deleted", _one_of(*DELETED), "Deleted ones: exclude, include, only.", sides=_OWNER),
    *(
        Filter(f"{name}{end}", _moment, f"{words} {when}, inclusive.", sides=_OWNER if name == "visible" else _ALL)
        for name, words in zip(_PERIODS, ("Created", "Updated", "With content updated", "Due", "Visible"), strict=True)
        for end, when in (("After", "after"), ("Before", "before"))
    ),
    Filter("isContentSeen", _flag, "Whether the content was seen."),
    Filter("excludeApiOnly", _flag, "Leave out dialogs for machines."),
    Filter("search", _search, "Free text, of at least three characters."),
    Filter("searchLanguageCode", _language, "Free text in this language only."),
)  # fmt: skip
_BY_NAME: Mapping[str, Filter] = {each.name: each for each in FILTERS}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DialogQuery:
    """A search that the API will take; *token* continues an earlier one, *page* is the size of a page."""

    side: Side
    filters: Mapping[str, tuple[str, ...]]
    order: tuple[tuple[str, str], ...]
    page: int = USUAL_PAGE
    token: str | None = None

    def __repr__(self) -> str:
        return f"DialogQuery({self.side.value}, {', '.join(self.filters)})"

    def order_text(self) -> str:
        """The order as the REST APIs take it."""
        return ",".join(f"{key}_{direction}" for key, direction in self.order)

    def as_parameters(self) -> list[tuple[str, str]]:
        """The filters as a query: lists are repeated."""
        return [(name, value) for name, values in self.filters.items() for value in values]

    def as_input(self) -> dict[str, object]:
        """The filters as GraphQL's input: lists as lists, enums in capitals; the id is never named."""
        found: dict[str, object] = {}
        for name, values in self.filters.items():
            typed = [_constant(name, value) for value in values]
            found[name] = typed if _BY_NAME[name].many else typed[0]
        found["orderBy"] = [{key: direction.upper()} for key, direction in self.order if key != "id"]
        return found


def read_query(
    side: Side,
    given: Mapping[str, Sequence[str]],
    *,
    order_by: str | None = None,
    page: int = USUAL_PAGE,
    token: str | None = None,
) -> DialogQuery:
    """
    The query for *given*, filters by their names at the API.

    Raises:
        ConfigurationError: Every fault, under the filter or argument that it stands in; messages quote the names of
            others (``'endUserId'``), and repeat no value.
    """
    faults: list[Fault] = []
    filters: dict[str, tuple[str, ...]] = {}
    for name, values in given.items():
        if values:
            filters[name] = _values(side, name, values, faults=faults)
    if not 1 <= page <= LONGEST_PAGE:
        faults.append(Fault(where="page", message=f"write a number from 1 to {LONGEST_PAGE}"))
    pairs: tuple[tuple[str, str], ...] = ()
    try:
        pairs = order(order_by or STEADY_ORDER)
    except ValueError as error:
        faults.append(Fault(where="orderBy", message=str(error)))
    if side is Side.GRAPHQL and [key for key, _ in pairs] == ["id"]:
        faults.append(Fault(where="orderBy", message="GraphQL does not order by id; write another key"))
    faults += _together(side, filters)
    faults += _broken_upstream(side, filters, pairs)
    faults += _token_faults(token, pairs)
    if faults:
        raise ConfigurationError(faults)
    return DialogQuery(side=side, filters=filters, order=pairs, page=page, token=token)


def _values(side: Side, name: str, values: Sequence[str], *, faults: list[Fault]) -> tuple[str, ...]:
    known = _BY_NAME.get(name)
    if known is None or side not in known.sides:
        faults.append(Fault(where=name, message=f"the search as {side.value} does not take it"))
        return ()
    most = known.most.get(side) if known.many else 1
    if name == "party" and side is Side.OWNER:
        most = None  # Its limit depends on endUserId.
    read: list[str] = []
    for number, value in enumerate(values, start=1):
        try:
            read.append(known.read(value))
        except ValueError as error:
            place = name if len(values) == 1 else f"{name} (value {number})"
            faults.append(Fault(where=place, message=str(error)))
    distinct = tuple(dict.fromkeys(read))
    if most is not None and len(distinct) > most:
        faults.append(Fault(where=name, message=f"at most {most} values; there are {len(distinct)}"))
    return distinct


def _together(side: Side, filters: Mapping[str, Sequence[str]]) -> Iterable[Fault]:
    """What no filter can be judged by alone."""
    if side is Side.OWNER:
        most = 100 if "endUserId" in filters else 20
        if len(filters.get("party", ())) > most:
            yield Fault(where="party", message=f"at most {most} values; there are {len(filters['party'])}")
        if "search" in filters and "endUserId" not in filters:
            yield Fault(where="search", message="give 'endUserId' as well: a service owner searches as a user")
    needs = side is not Side.OWNER or "endUserId" in filters
    if needs and not {"party", "serviceResource"} & set(filters):
        why = "with 'endUserId'" if side is Side.OWNER else f"as {side.value}"
        yield Fault(where="party", message=f"give 'party' or 'serviceResource' {why}")
    if "searchLanguageCode" in filters and "search" not in filters:
        yield Fault(where="searchLanguageCode", message="give 'search' as well")
    for name in _PERIODS:
        after, before = filters.get(f"{name}After"), filters.get(f"{name}Before")
        if after and before and after[0] > before[0]:
            yield Fault(where=f"{name}After", message=f"must not be later than '{name}Before'")


def _broken_upstream(
    side: Side, filters: Mapping[str, Sequence[str]], pairs: Sequence[tuple[str, str]]
) -> Iterable[Fault]:
    """What Dialogporten answers with 500, at once or in the middle of the pages (facts/dialogporten.md 14.1)."""
    labels = {"serviceOwnerLabels", "systemLabel"} & set(filters)
    everything = [each.casefold() for each in filters.get("deleted", ())] == ["include"]
    if labels and everything and not {"serviceResource", "party", "process"} & set(filters):
        message = (
            "Dialogporten cannot look for labels among deleted ones too: give 'serviceResource', 'party' or 'process',"
            " or search twice, with exclude and with only"
        )
        yield Fault(where="deleted", message=message)
    if side is Side.OWNER and len(labels) == 2 and "endUserId" in filters:
        message = "Dialogporten cannot look for it together with 'serviceOwnerLabels' and 'endUserId': leave one out"
        yield Fault(where="systemLabel", message=message)
    if ("dueAt", "asc") in pairs and not {"dueAfter", "dueBefore"} & set(filters):
        message = (
            "Dialogporten fails at the first dialog without a due date: write dueAt_desc, or give 'dueAfter' or"
            " 'dueBefore'"
        )
        yield Fault(where="orderBy", message=message)


def _token_faults(token: str | None, pairs: Sequence[tuple[str, str]]) -> Iterable[Fault]:
    if token is None:
        return
    parts = [each.partition("_") for each in token.split(",")]
    keys = {key.lower() for key, _, _ in parts}
    identity = next((value for key, _, value in parts if key.lower() == "id"), "")
    if not all(underscore for _, underscore, _ in parts) or not _is_uuid(identity.lower()):
        yield Fault(where="token", message="pass it on as it came: key_value,…,id_<uuid>")
        return
    lacking = [key for key, _ in pairs if key.lower() not in keys]
    if lacking:
        message = f"it is of a search in another order; it lacks {', '.join(lacking)}"
        yield Fault(where="token", message=message)


def _constant(name: str, value: str) -> object:
    if name in ("status", "systemLabel"):
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value).upper()
    return value == "true" if name in ("isContentSeen", "excludeApiOnly") else value
