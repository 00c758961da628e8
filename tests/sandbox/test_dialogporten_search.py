"""Dialogporten's three searches: what they find, what they refuse, and how their pages follow each other."""

from typing import Any

import pytest
import requests

from bridge.sandbox.core.world import SERVICE_OWNER_SCOPES
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    PARTY,
    RESOURCE,
    as_owner,
    created,
    dialogs_url,
    make_world,
    moved,
    session_into,
    texts,
)

DP = f"{BASE_URL}/dialogporten"
OTHER_PARTY = "urn:altinn:organization:identifier-no:310000027"


def as_reader(world: World, **about: Any) -> requests.Session:
    answer = session_into(world).post(f"{BASE_URL}/_sandbox/enduser-token", json={"party": PARTY, **about})
    return session_into(world, headers={"Authorization": f"Bearer {answer.json()['token']}"})


def found(session: requests.Session, **params: Any) -> list[str]:
    answer = session.get(dialogs_url(), params=params)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


def some(world: World, count: int, **members: Any) -> list[str]:
    """Dialogs a second apart, the oldest first."""
    ids = []
    for _ in range(count):
        ids.append(created(as_owner(world), **members))
        moved(world, seconds=1)
    return ids


def pages(session: requests.Session, address: str, **params: Any) -> list[list[str]]:
    """All pages, by passing order and token back unchanged."""
    collected, more = [], True
    while more:
        body = session.get(address, params=params).json()
        collected.append([each["id"] for each in body["items"]])
        params |= {"continuationToken": body["continuationToken"], "orderBy": body["orderBy"]}
        more = body["hasNextPage"]
    return collected


def test_an_owner_finds_only_its_own() -> None:
    """No filter is needed; others' dialogs are not there; the scope is."""
    world = make_world()
    ids = some(world, 2)
    created(as_owner(world, organisation=world.new_organisation()))

    without = as_owner(world, scopes=SERVICE_OWNER_SCOPES - {"digdir:dialogporten.serviceprovider.search"})

    assert found(as_owner(world)) == ids[::-1]
    assert without.get(dialogs_url()).status_code == 403


def test_items_are_summaries_with_revisions() -> None:
    """The revision and the latest activity are there, buttons and activities are not."""
    world = make_world()
    some(world, 1, activities=[{"type": "DialogCreated", "performedBy": {"actorType": "ServiceOwner"}}])

    item = as_owner(world).get(dialogs_url()).json()["items"][0]

    assert item["revision"]
    assert item["latestActivity"]["type"] == "DialogCreated"
    assert not {"guiActions", "activities", "transmissions", "idempotentKey"} & set(item)


def test_tokens_name_the_last_item() -> None:
    """The real form, on the last page as well; an empty page hands back what it got."""
    world = make_world()
    ids = some(world, 1)
    session = as_owner(world)

    body = session.get(dialogs_url()).json()
    after = session.get(dialogs_url(), params={"continuationToken": body["continuationToken"]}).json()

    assert body["continuationToken"] == f"contentupdatedat_2026-03-10T11:00:00.8600000Z,id_{ids[0]}"
    assert (body["orderBy"], body["hasNextPage"]) == ("contentupdatedat_desc,id_desc", False)
    assert (after["items"], after["continuationToken"]) == ([], body["continuationToken"])


@pytest.mark.parametrize("order", ["createdAt", "updatedat_ASC", "dueAt_desc,createdAt_asc", "id_asc"])
def test_pages_have_neither_gap_nor_double(order: str) -> None:
    """In any order, also where values are equal or absent."""
    world = make_world()
    ids = [*some(world, 2), *some(world, 3, dueAt="2027-01-01T00:00:00Z"), *some(world, 2)]

    collected = pages(as_owner(world), dialogs_url(), orderBy=order, limit=2)

    assert [len(each) for each in collected] == [2, 2, 2, 1]
    assert sorted(each for page in collected for each in page) == sorted(ids)


def test_a_kept_token_finds_what_came_after() -> None:
    """Going up, the last token of an old search is where a new one begins."""
    world = make_world()
    some(world, 2)
    session = as_owner(world)
    kept = session.get(dialogs_url(), params={"orderBy": "updatedAt_asc"}).json()
    later = some(world, 1)

    again = found(session, orderBy=kept["orderBy"], continuationToken=kept["continuationToken"])

    assert again == later


FILTERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("status", {"status": "Draft"}, {"status": "draft"}),
    ("a status's number", {"status": "Draft"}, {"status": "3"}),
    ("party", {"party": OTHER_PARTY}, {"party": OTHER_PARTY}),
    ("resource", {"serviceResource": "urn:altinn:resource:annen"}, {"serviceResource": "urn:altinn:resource:annen"}),
    ("reference", {"externalReference": "sak 7"}, {"externalReference": "sak 7"}),
    ("extended status", {"extendedStatus": "venter"}, {"extendedStatus": ["x", "venter"]}),
    ("process", {"process": "urn:sak:7"}, {"process": "urn:sak:7"}),
    ("due", {"dueAt": "2027-01-01T00:00:00Z"},
     {"dueAfter": "2027-01-01T01:00:00+01:00", "dueBefore": "2027-01-02T00:00:00Z"}),
    ("place", {"systemLabel": "Archive"}, {"systemLabel": "archive"}),
    ("visible later", {"visibleFrom": "2026-05-01T00:00:00Z"}, {"visibleAfter": "2026-04-01T00:00:00Z"}),
    ("labels", {"serviceOwnerContext": {"serviceOwnerLabels": [{"value": "urn:A2:message:7"}, {"value": "blå"}]}},
     {"serviceOwnerLabels": ["urn:a2:*", "blå"]}),
]  # fmt: skip


@pytest.mark.parametrize(("members", "params"), [row[1:] for row in FILTERS], ids=[row[0] for row in FILTERS])
def test_each_filter_finds_what_it_names(members: dict[str, Any], params: dict[str, Any]) -> None:
    """The one dialog that has it, and not the other."""
    world = make_world()
    some(world, 1)
    wanted = some(world, 1, **members)

    assert found(as_owner(world), **params) == wanted


def test_deleted_dialogs_are_found_when_asked_for() -> None:
    """Excluded unless said otherwise."""
    world = make_world()
    lives, gone = some(world, 2)
    as_owner(world).delete(dialogs_url(gone))
    session = as_owner(world)

    results = [found(session), found(session, deleted="include"), found(session, deleted="Only")]

    assert results == [[lives], [gone, lives], [gone]]


SOME_ID = "019cd767-5adc-7098-b6f6-75cc81e74ef5"
PARTIES = [f"urn:altinn:person:legacy-selfidentified:bruker-{number}" for number in range(101)]
BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("no such order", {"orderBy": "duedate_asc"}, "orderBy", "is not valid for a [OrderSet`2] property!"),
    ("an order twice", {"orderBy": "createdAt,createdAt_asc"}, "orderBy", "OrderSet"),
    ("a token of another order", {"orderBy": "dueAt", "continuationToken": f"createdat_,id_{SOME_ID}"},
     "continuationToken", "does not match OrderBy. Missing token keys: [dueAt]."),
    ("no token", {"continuationToken": "side-2"}, "continuationToken", "ContinuationTokenSet"),
    ("a limit above", {"limit": "1001"}, "limit", "must be between 1 and 1000. You entered 1001."),
    ("a limit below", {"limit": "0"}, "limit", "must be between 1 and 1000. You entered 0."),
    ("21 parties", {"party": PARTIES[:21]}, "party.count", "less than or equal to '20'"),
    ("no party", {"party": "310000019"}, "party[0]", "'Party' must be on format"),
    ("an unknown status", {"status": "New"}, "status", "is not valid"),
    ("no time", {"createdAfter": "soon"}, "createdAfter", "is not valid for a [DateTimeOffset] property!"),
    ("a period backwards", {"dueAfter": "2027-01-02T00:00:00Z", "dueBefore": "2027-01-01T00:00:00Z"},
     "dueAfter", "'DueAfter' must be less than or equal to 'DueBefore'."),
    ("a text without a user", {"search": "sak"}, "search", "must be specified"),
    ("a short text", {"search": "sa"}, "search", "at least 3"),
    ("a user without more", {"endUserId": PARTY}, "endUserId", "valid end user identifier"),
    ("a process", {"process": "sak 7"}, "process", "well-formatted URI"),
]  # fmt: skip


@pytest.mark.parametrize(("params", "key", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_search_is_explained_by_key(params: dict[str, Any], key: str, words: str) -> None:
    """400 under the parameter's name."""
    answer = as_owner(make_world()).get(dialogs_url(), params=params)

    assert answer.status_code == 400
    assert words in answer.json()["errors"][key][0]


def test_a_search_as_a_user_shows_what_they_may_see() -> None:
    """A person for themselves, and whoever was logged in for their parties; a text finds it then."""
    world = make_world()
    actor = "urn:altinn:person:identifier-no:" + world.new_person()
    session = as_owner(world)
    wanted = some(world, 1, content={"title": {"value": texts("Søknad om skjenkebevilling")}})
    params = {"endUserId": actor, "serviceResource": RESOURCE, "search": "SKJENKE"}

    before = found(session, **params)
    as_reader(world, actor=actor)

    assert (before, found(session, **params)) == ([], wanted)


def test_an_end_user_needs_party_or_resource() -> None:
    """400 without; rights to nothing asked for are an empty page."""
    world = make_world()
    some(world, 1)
    reader, address = as_reader(world), f"{DP}/api/v1/enduser/dialogs"

    nothing = reader.get(address)
    strange = reader.get(address, params={"party": OTHER_PARTY})

    assert nothing.json()["errors"] == {"": ["Either ServiceResource or Party must be specified."]}
    assert (strange.status_code, strange.json()["items"]) == (200, [])


def test_an_end_user_sees_what_is_out() -> None:
    """Not what comes later, is over or was deleted; no revision, and no look is noted."""
    world = make_world()
    ids = some(world, 1)
    some(world, 1, visibleFrom="2026-05-01T00:00:00Z")
    some(world, 1, expiresAt="2026-03-10T11:00:03Z")
    deleted = some(world, 1)
    as_owner(world).delete(dialogs_url(deleted[0]))
    moved(world, seconds=10)

    body = as_reader(world).get(f"{DP}/api/v1/enduser/dialogs", params={"party": PARTY}).json()

    assert [each["id"] for each in body["items"]] == ids
    assert "revision" not in body["items"][0]
    assert as_owner(world).get(dialogs_url(ids[0])).json()["isContentSeen"] is False


def test_an_end_user_may_name_a_hundred_parties() -> None:
    """The limit in force, not the one of the documentation."""
    reader, address = as_reader(make_world()), f"{DP}/api/v1/enduser/dialogs"

    statuses = [reader.get(address, params={"party": PARTIES[:count]}).status_code for count in (100, 101)]

    assert statuses == [200, 400]


def test_a_broad_search_may_take_too_long() -> None:
    """A switch: 422 under Search unless it is narrowed."""
    world = make_world(search_too_broad=True)
    reader, address = as_reader(world), f"{DP}/api/v1/enduser/dialogs"
    params = {"party": PARTY, "search": "skjema"}

    broad = reader.get(address, params=params)
    narrow = reader.get(address, params={**params, "contentUpdatedAfter": "2026-03-01T00:00:00Z"})

    assert (broad.status_code, list(broad.json()["errors"])) == (422, ["Search"])
    assert narrow.status_code == 200


def test_texts_come_in_the_language_asked_for() -> None:
    """Accept-Language prunes each text to one."""
    world = make_world()
    both = [*texts("Tittel"), {"languageCode": "en", "value": "Title"}]
    some(world, 1, content={"title": {"value": both}})

    item = as_reader(world).get(
        f"{DP}/api/v1/enduser/dialogs", params={"party": PARTY}, headers={"Accept-Language": "nn, nb;q=0.8, en;q=0.2"}
    )

    assert [each["languageCode"] for each in item.json()["items"][0]["content"]["title"]["value"]] == ["nb"]


QUERY = """
query mine($input: SearchDialogInput!) {
  searchDialogs(input: $input) {
    items { id status title: content { title { value { value } } } endUserContext { systemLabels } }
    hasNextPage continuationToken orderBy { createdAt contentUpdatedAt } errors { __typename message }
  }
}
"""


def asked(session: requests.Session, query: str, **variables: Any) -> requests.Response:
    return session.post(f"{DP}/graphql", json={"query": query, "variables": variables})


def test_graphql_finds_the_same() -> None:
    """Enums in capitals, orders as objects, pages by the same tokens."""
    world = make_world()
    ids = some(world, 3, status="InProgress")
    wanted = {"party": [PARTY], "status": ["IN_PROGRESS"], "orderBy": [{"createdAt": "ASC"}], "limit": 2}

    first = asked(as_reader(world), QUERY, input=wanted).json()["data"]["searchDialogs"]
    token = first["continuationToken"]
    second = asked(as_reader(world), QUERY, input={**wanted, "continuationToken": token}).json()["data"]

    items = [*first["items"], *second["searchDialogs"]["items"]]
    assert [each["id"] for each in items] == ids
    assert items[0] == {
        "id": ids[0],
        "status": "IN_PROGRESS",
        "title": {"title": {"value": [{"value": "Tittel"}]}},
        "endUserContext": {"systemLabels": ["DEFAULT"]},
    }
    assert first["orderBy"] == [{"createdAt": "ASC", "contentUpdatedAt": None}]
    assert (first["hasNextPage"], second["searchDialogs"]["hasNextPage"]) == (True, False)


def test_graphql_tells_errors_in_the_payload() -> None:
    """Status 200, no items, a type for each kind of error."""
    reader = as_reader(make_world())

    wrong: list[dict[str, Any]] = [
        {},
        {"party": [PARTY], "continuationToken": "x"},
        {"party": [PARTY], "orderBy": [{"createdAt": "ASC", "dueAt": "ASC"}]},
    ]

    answers = [asked(reader, QUERY, input=each).json()["data"]["searchDialogs"] for each in wrong]

    names = [each["errors"][0]["__typename"] for each in answers]
    assert names == [
        "SearchDialogValidationError",
        "SearchDialogContinuationTokenParsingError",
        "SearchDialogOrderByParsingError",
    ]


def test_graphql_reads_a_dialog_with_its_token() -> None:
    """By a literal id and fragments; it counts as seen; what cannot be seen is an error of its own type."""
    world = make_world()
    [dialog_id] = some(world, 1)
    fragment = "fragment F on Dialog { id dialogToken guiActions { url httpMethod prompt { value } } }"
    query = f"""{{
      it: dialogById(dialogId: "{dialog_id}") {{ dialog {{ ...F attachments {{ id }} }} errors {{ message }} }}
      no: dialogById(dialogId: "{SOME_ID}") {{ dialog {{ id }} errors {{ ... on DialogByIdNotFound {{ message }} }} }}
      parties {{ party isCurrentEndUser subParties {{ party }} }}
      limits {{ endUserSearch {{ maxPartyFilterValues }} }} }} {fragment}"""

    data = asked(as_reader(world), query).json()["data"]

    assert data["it"]["dialog"]["dialogToken"].count(".") == 2
    assert data["it"]["dialog"]["guiActions"][0]["httpMethod"] == "POST"
    assert data["it"]["dialog"]["guiActions"][0]["prompt"] is None
    assert data["it"]["errors"] == []
    assert "was not found" in data["no"]["errors"][0]["message"]
    assert PARTY in [each["party"] for each in data["parties"]]
    assert data["limits"] == {"endUserSearch": {"maxPartyFilterValues": 100}}
    assert as_owner(world).get(dialogs_url(dialog_id)).json()["isContentSeen"] is True


WRONG = [
    ("an unknown root", "{ dialogs }"),
    ("an unknown field", "{ limits { endUserSearch { most } } }"),
    ("no selection", "{ limits }"),
    ("a selection of a scalar", "{ parties { party { id } } }"),
    ("a mutation", "mutation { setSystemLabel { success } }"),
    ("an open brace", "{ limits {"),
    ("a circle", "{ limits { ...A } } fragment A on Limits { ...A }"),
    ("an unknown filter", '{ searchDialogs(input: {partyy: "x"}) { hasNextPage } }'),
]


@pytest.mark.parametrize("query", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
def test_graphql_refuses_what_it_does_not_have(query: str) -> None:
    """400 with errors and no data."""
    answer = asked(as_reader(make_world()), query)

    assert (answer.status_code, "data" in answer.json()) == (400, False)


def test_maintenance_answers_with_a_date() -> None:
    """503 as plain text, Retry-After as an HTTP date; the keys stay readable."""
    world = make_world(dialogporten_maintenance_seconds=90)

    answer = as_owner(world).get(dialogs_url())
    keys = session_into(world).get(f"{DP}/api/v1/.well-known/jwks.json")

    assert (answer.status_code, answer.text) == (503, "Service Unavailable")
    assert answer.headers["Retry-After"] == "Tue, 10 Mar 2026 11:01:30 GMT"
    assert keys.status_code == 200
