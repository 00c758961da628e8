"""Dialogporten's GraphQL: documents, variables and values are treated as GraphQL has it, by graphql-core."""

from itertools import islice
from typing import Any

import pytest
import requests
from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_introspection_query,
    get_named_type,
    print_type,
)
from graphql.utilities import build_client_schema

from bridge.sandbox.dialogporten.graphql_types import OBJECTS, schema
from bridge.sandbox.world import World
from tests.sandbox.support import (
    PARTY,
    RESOURCE,
    as_owner,
    created,
    dialogs_url,
    gui_action,
    information,
    make_world,
    moved,
    session_into,
)
from tests.sandbox.test_dialogporten_search import DP, as_reader

LABEL = "urn:altinn:integration:storage:50012345/0194a1b2-0000-7000-8000-00000000000a"
INSTANCE = "urn:altinn:instance-id:50012345/0194a1b2-0000-7000-8000-00000000000a"


def seeded(world: World, **about: Any) -> str:
    moved(world, seconds=1)
    return created(as_owner(world), **{"status": "InProgress", **about})


def ask(session: requests.Session, query: str, **variables: Any) -> Any:
    return session.post(f"{DP}/graphql", json={"query": query, "variables": variables}).json()


def everything(named: GraphQLNamedType, depth: int = 0) -> str:
    """A selection of all fields of a type, down to the scalars."""
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    fields = [
        f"{name} {everything(inner, depth + 1)}"
        for name, field in named.fields.items()
        if (inner := get_named_type(field.type)) or True
    ]
    return "{ __typename " + " ".join(fields) + " }"


def root(name: str) -> str:
    return everything(get_named_type(schema().query_type.fields[name].type))  # type: ignore[union-attr]


def test_every_field_can_be_asked_for() -> None:
    """A dialog with all that one can have: none of the fields that are never null is missing anywhere."""
    world = make_world()
    dialog_id = seeded(
        world,
        activities=[information()],
        guiActions=[gui_action()],
        serviceOwnerContext={"serviceOwnerLabels": [{"value": LABEL}]},
    )
    query = (
        "query all($id: UUID!, $ref: String!, $party: [String!]) {"
        f" dialogById(dialogId: $id) {root('dialogById')}"
        f" searchDialogs(input: {{party: $party}}) {root('searchDialogs')}"
        f" dialogLookup(instanceRef: $ref) {root('dialogLookup')}"
        f" parties {root('parties')} limits {root('limits')} serviceResources {root('serviceResources')} }}"
    )

    answer = ask(as_reader(world), query, id=dialog_id, ref=INSTANCE, party=PARTY)

    assert "errors" not in answer
    found = answer["data"]
    assert found["dialogById"]["dialog"]["id"] == found["searchDialogs"]["items"][0]["id"] == dialog_id
    assert found["dialogLookup"]["lookup"]["dialogId"] == dialog_id
    assert found["serviceResources"]["items"][0]["serviceResource"]["id"].endswith(RESOURCE.rpartition(":")[2])


def test_one_value_stands_for_a_list() -> None:
    """In a literal and in a variable, and an order as one object whose other members are null."""
    world = make_world()
    ids = [seeded(world) for _ in range(3)]
    literal = f'{{ searchDialogs(input: {{party: "{PARTY}", status: IN_PROGRESS}}) {{ items {{ id }} }} }}'
    variable = "query q($in: SearchDialogInput!) { searchDialogs(input: $in) { items { id } orderBy { createdAt } } }"
    order = {"createdAt": "ASC", "updatedAt": None, "dueAt": None, "contentUpdatedAt": None}

    first = ask(as_reader(world), literal)["data"]["searchDialogs"]
    second = ask(as_reader(world), variable, **{"in": {"party": PARTY, "orderBy": order}})["data"]["searchDialogs"]

    assert sorted(each["id"] for each in first["items"]) == sorted(ids)
    assert [each["id"] for each in second["items"]] == ids
    assert second["orderBy"][0] == {"createdAt": "ASC"}


def test_two_orders_in_one_object_are_told_in_the_payload() -> None:
    """Which comes first, an object does not say."""
    query = f"""{{ searchDialogs(input: {{party: "{PARTY}", orderBy: {{createdAt: ASC, dueAt: DESC}}}})
        {{ items {{ id }} errors {{ __typename }} }} }}"""

    found = ask(as_reader(make_world()), query)["data"]["searchDialogs"]

    assert found == {"items": None, "errors": [{"__typename": "SearchDialogOrderByParsingError"}]}


def test_one_key_that_is_selected_twice_is_merged() -> None:
    """As Arbeidsflate's fragments do; a key for two different things is refused."""
    world = make_world()
    dialog_id = seeded(world)
    twice = f"""{{ dialogById(dialogId: "{dialog_id}") {{ dialog {{ content {{ title {{ mediaType }} }} }}
        dialog {{ content {{ title {{ value {{ value }} }} }} }} }} }}"""
    other = f"""{{ dialogById(dialogId: "{dialog_id}") {{ dialog {{ a: org a: party }} }} }}"""

    title = ask(as_reader(world), twice)["data"]["dialogById"]["dialog"]["content"]["title"]
    refused = ask(as_reader(world), other)

    assert title == {"mediaType": "text/plain", "value": [{"value": "Tittel"}]}
    assert "data" not in refused


WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("an undeclared variable", "{ dialogById(dialogId: $id) { dialog { id } } }", {}),
    ("a missing variable", "query q($id: UUID!) { dialogById(dialogId: $id) { dialog { id } } }", {}),
    ("a variable of another type", "query q($id: UUID!) { dialogById(dialogId: $id) { dialog { id } } }", {"id": 7}),
    ("no UUID", "query q($id: UUID!) { dialogById(dialogId: $id) { dialog { id } } }", {"id": "x"}),
    ("a literal that is no UUID", '{ dialogById(dialogId: "x") { dialog { id } } }', {}),
    ("a variable that nobody uses", "query q($id: UUID) { limits { endUserSearch { maxOrgFilterValues } } }", {}),
    ("an unknown enum value", "{ searchDialogs(input: {status: [SENT_IN]}) { hasNextPage } }", {}),
    ("an enum as text", '{ searchDialogs(input: {status: ["DRAFT"]}) { hasNextPage } }', {}),
    ("an unknown order", "{ searchDialogs(input: {orderBy: {seenAt: ASC}}) { hasNextPage } }", {}),
    ("a fragment that nobody uses", "{ parties { party } } fragment A on Limits { endUserSearch { __typename } }", {}),
    ("a fragment that cannot be", "{ parties { ... on Limits { __typename } } }", {}),
    ("no arguments", "mutation { setSystemLabel { success } }", {}),
    ("two operations without a name", "query a { parties { party } } query b { parties { party } }", {}),
    ("a subscription", 'subscription { dialogEvents(dialogId: "0194a1b2-0000-7000-8000-000000000000") { id } }', {}),
    ("very deep", "{ a " * 5_000 + "}" * 5_000, {}),
    ("very long", "{ parties { " + "party " * 30_000 + "} }", {}),
]


@pytest.mark.parametrize(("query", "variables"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_no_request_is_refused(query: str, variables: dict[str, Any]) -> None:
    """400 with errors and without data: nothing was executed."""
    answer = as_reader(make_world()).post(f"{DP}/graphql", json={"query": query, "variables": variables})

    assert (answer.status_code, list(answer.json())) == (400, ["errors"])


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"x"', "{}", '{"query": 7}', '{"query": "{ a }", "variables": []}'], ids=repr
)
def test_a_body_that_is_no_request_is_refused(body: str) -> None:
    """Whatever its JSON is."""
    headers = {"Content-Type": "application/json"}

    answer = as_reader(make_world()).post(f"{DP}/graphql", data=body, headers=headers)

    assert (answer.status_code, list(answer.json())) == (400, ["errors"])


def test_the_types_describe_themselves() -> None:
    """A client that asks for the types gets the ones that are served."""
    answer = ask(as_reader(make_world()), get_introspection_query())

    described = build_client_schema(answer["data"])

    for name in OBJECTS:
        assert print_type(described.type_map[name]) == print_type(schema().type_map[name])


LABELS = """mutation label($in: SetSystemLabelInput!) {
  setSystemLabel(input: $in) { success errors { __typename message } } }"""


def labels(world: World, dialog_id: str) -> Any:
    return as_owner(world).get(dialogs_url(dialog_id)).json()["endUserContext"]["systemLabels"]


def label(world: World, dialog_id: str, *add: str) -> tuple[bool, list[str]]:
    wanted = {"dialogId": dialog_id, "addLabels": add, "removeLabels": []}
    payload = ask(as_reader(world), LABELS, **{"in": wanted})["data"]["setSystemLabel"]
    return payload["success"], [each["__typename"] for each in payload["errors"]]


def test_a_dialog_is_moved_to_the_bin() -> None:
    """What Arbeidsflate does; what cannot be is told in the payload, by kind."""
    world = make_world()
    mine, other = seeded(world), seeded(world, party="urn:altinn:organization:identifier-no:310000027")
    gone = seeded(world)
    as_owner(world).delete(dialogs_url(gone))
    nowhere = "0194a1b2-0000-7000-8000-00000000000f"

    assert label(world, mine, "BIN") == (True, [])
    assert labels(world, mine) == ["Bin"]
    assert label(world, mine, "SENT") == (False, ["SetSystemLabelValidationError"])
    assert label(world, other, "BIN") == (False, ["SetSystemLabelForbidden"])
    assert label(world, gone, "BIN") == (False, ["SetSystemLabelEntityDeleted"])
    assert label(world, nowhere, "BIN") == (False, ["SetSystemLabelEntityNotFound"])


BULK = """mutation many($in: BulkSetSystemLabelInput!) {
  bulkSetSystemLabels(input: $in) { success errors { __typename } } }"""


def test_many_dialogs_are_moved_or_none() -> None:
    """One that is not there, and the others stay where they are."""
    world = make_world()
    ids = [seeded(world) for _ in range(2)]
    nowhere = "0194a1b2-0000-7000-8000-00000000000f"

    def move(*moved: str) -> Any:
        wanted = {"dialogs": [{"dialogId": each} for each in moved], "addLabels": ["ARCHIVE"], "removeLabels": []}
        return ask(as_reader(world), BULK, **{"in": wanted})["data"]["bulkSetSystemLabels"]

    refused, before = move(*ids, nowhere), [labels(world, each) for each in ids]
    done, after = move(*ids), [labels(world, each) for each in ids]

    assert refused == {"success": False, "errors": [{"__typename": "BulkSetSystemLabelNotFound"}]}
    assert (done["success"], before, after) == (True, [["Default"]] * 2, [["Archive"]] * 2)


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        pytest.param("no reference", "DialogLookupValidationError", id="no reference"),
        pytest.param(INSTANCE, "DialogLookupNotFound", id="nobody's"),
    ],
)
def test_what_is_not_found_by_reference_is_told_by_kind(reference: str, kind: str) -> None:
    """In the payload, as everywhere."""
    query = "query q($ref: String!) { dialogLookup(instanceRef: $ref) { lookup { party } errors { __typename } } }"

    found = ask(as_reader(make_world()), query, ref=reference)["data"]["dialogLookup"]

    assert found == {"lookup": None, "errors": [{"__typename": kind}]}


STREAM = f"{DP}/graphql/stream"


def subscribing(world: World, query: str) -> requests.Response:
    dialog_id = query.partition('"')[2].partition('"')[0]
    token = as_reader(world).get(f"{DP}/api/v1/enduser/dialogs/{dialog_id}").json()["dialogToken"]
    session = session_into(world, headers={"Authorization": f"Bearer {token}"})
    return session.post(STREAM, json={"query": query}, stream=True)


def test_an_event_has_what_was_selected() -> None:
    """By the names that the document gives."""
    world = make_world()
    dialog_id = seeded(world)

    answer = subscribing(world, f'subscription s {{ dialogEvents(dialogId: "{dialog_id}") {{ kind: type }} }}')
    as_owner(world).delete(dialogs_url(dialog_id))
    lines = [line for line in islice(answer.iter_lines(), 4) if line.startswith(b"data")]

    assert lines == [b'data: {"data":{"dialogEvents":{"kind":"DIALOG_DELETED"}}}']
    answer.close()


@pytest.mark.parametrize("selection", ["", "{ id size }", "{ id { type } }"])
def test_a_subscription_is_validated(selection: str) -> None:
    """As any other document."""
    world = make_world()

    answer = subscribing(world, f'subscription {{ dialogEvents(dialogId: "{seeded(world)}") {selection} }}')

    assert (answer.status_code, list(answer.json())) == (400, ["errors"])
