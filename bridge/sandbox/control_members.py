"""The members that the control API takes about dialogs, their readers and their tokens: kinds and limits."""

import re
from uuid import UUID

from bridge.sandbox.core import identities
from bridge.sandbox.core.members import Anything, Flag, ListOf, ObjectOf, OneOf, Record, Text, Whole
from bridge.sandbox.dialogporten.labels import PLACES
from bridge.sandbox.dialogporten.tokens import KEYS

_SYSTEM_USER = re.compile("urn:altinn:systemuser:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


LEVEL = Whole(low=0, high=4)
PARTY = Text(
    words=f"the urn of a party, such as {identities.ORGANISATION} and its number",
    fits=lambda text: identities.is_party(text.lower()),
)
RESOURCE_NAME = Text(
    words="a service resource, such as urn:altinn:resource:name",
    fits=re.compile(r"urn:altinn:resource:\S+", re.IGNORECASE).fullmatch,
)
CONTEXT = Record(
    members={
        "serviceResource": RESOURCE_NAME,
        "additionalResourceAttribute": Text(),
        "action": Text(),
        "tokenRef": Text(longest=50),
        "parties": ListOf(PARTY, most=3),
        "includeDialogParty": Flag(),
        "unauthorizedPresentation": OneOf(("Disabled", "Excluded")),
    }
)
"""An authorization context (facts/dialogporten.md 3.9)."""
CONTEXTS = ObjectOf(CONTEXT, "an object of objects")
RESOURCE = Record(
    members={
        "service_resource": RESOURCE_NAME,
        "owner": Text(words="the number of an organisation", fits=identities.is_organisation_number),
        "kind": Text(),
        "minimum_level": LEVEL,
    },
    required=("service_resource",),
)
LABEL = Record(members={"label": OneOf(PLACES)}, required=("label",))
_RIGHTS = ListOf(Text())
READER = Record(
    members={
        "party": PARTY,
        "parties": ListOf(PARTY),
        "actor": PARTY,
        "level": LEVEL,
        "actions": _RIGHTS,
        "system_user": Text(words="the urn of a system user", fits=lambda text: _SYSTEM_USER.fullmatch(text.lower())),
        "owner": Text(),
    }
)
DIALOG_TOKEN = Record(
    members={
        "dialog_id": Text(words="the id of a dialog", fits=_is_uuid),
        **{name: READER.members[name] for name in ("actor", "level", "actions", "system_user", "owner")},
        "entities": ListOf(Text()),
        "claims": ObjectOf(Anything()),
        "header": ObjectOf(Anything()),
        "key": OneOf(tuple(KEYS)),
    },
    required=("dialog_id",),
)
DIALOG = ObjectOf(Anything())
"""Dialogporten itself says what is wrong with a dialog."""
