"""What Dialogporten keeps: dialogs, resources, writers, looks, and the refusals it words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.sandbox.dialogporten.labels import UNOPENED, Assignment

Body = dict[str, Any]


class Problem(Exception):
    """A refusal as Dialogporten words it: *errors* by key, None where the body has none."""

    def __init__(
        self,
        status: int,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(str(status))
        self.status, self.errors, self.headers = status, errors, headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A service resource: whose it is, what kind, and the authentication level that readers need."""

    owner: str
    kind: str = "genericaccessresource"
    minimum_level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes: the organisation, its short code, its scopes."""

    organisation: str
    org: str
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An end user's look at a dialog."""

    id: str
    at: str
    actor: str
    name: str
    via_owner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Dialog:
    """One dialog. *body* has all members of an update, canonical; it is never changed, only replaced."""

    id: str
    owner: str
    org: str
    service_resource: str
    party: str
    idempotent_key: str | None
    visible_from: str | None
    created_at: str
    updated_at: str
    content_updated_at: str
    revision: str
    body: Body
    labels: frozenset[str]
    end_user_revision: str
    owner_labels: tuple[str, ...]
    owner_revision: str
    deleted_at: str | None = None
    frozen: bool = False
    born_seen: bool = False
    """Made long ago, or migrated: its first content counts as seen."""
    seen: tuple[Seen, ...] = ()
    label_log: tuple[Assignment, ...] = ()
    contexts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Authorization contexts by the id of the element that they narrow; experimental, so no API sets them here."""

    @property
    def content_seen(self) -> bool:
        """Whether somebody looked at it since its content changed; marking it as unopened takes that back."""
        looked = self.born_seen or any(each.at >= self.content_updated_at for each in self.seen)
        return UNOPENED not in self.labels and looked


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a write asks for besides its body."""

    if_match: str | None = None
    """The revision that it is for, of whatever has one: the dialog, or one of its contexts."""
    read: Dialog | None = None
    """The dialog as it stood when the write began; None where it begins with the change."""
    silent: bool = False
    lookup_fails: bool = False
    alone: bool = False
    """No system behind Dialogporten answers, the register of names among them."""


def missing(entity: str, key: str) -> Problem:
    """Word a 404."""
    return Problem(404, {entity: [f"Entity '{entity}' with the following key(s) was not found: ({key})."]})


def removed(dialog_id: str) -> Problem:
    """Word a 410."""
    return Problem(
        410, {"DialogEntity": [f"Entity 'DialogEntity' with the following key(s) is removed: ({dialog_id})."]}
    )


def check_race(dialog: Dialog, intent: Intent, *, labels: bool = False, owner: bool = False) -> None:
    """
    Refuse a write that began with a dialog which is another one by now: it, its users' *labels*, or its *owner's*.

    Raises:
        Problem: 409 or 412.
    """
    read = intent.read
    if read is None:
        return
    if owner:
        raced = read.owner_revision != dialog.owner_revision
    else:
        raced = read.revision != dialog.revision or (labels and read.end_user_revision != dialog.end_user_revision)
    if raced:
        raise lost_race(intent.if_match)


def lost_race(if_match: str | None) -> Problem:
    """Without If-Match a lost race is 409 under the empty key (facts/dialogporten.md 1.4)."""
    if if_match is not None:
        return Problem(412)
    return Problem(409, {"": ["The request conflicted with a concurrent operation. Please try again."]})
