"""Searches are held to the API's limits before they leave; every fault names its filter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.dialog_queries import (
    PERSON,
    Side,
    end_user,
    is_identity_number,
    is_organisation_number,
    order,
    party,
    read_query,
)
from bridge.core.errors import ConfigurationError

ORGANISATION = "urn:altinn:organization:identifier-no:310000019"
# Month 81: nobody can have it.
SYNTHETIC = "01810000186"
RESOURCES = [f"tjeneste-{number}" for number in range(21)]
MANY = [f"urn:altinn:person:legacy-selfidentified:bruker-{number}" for number in range(101)]


def faults(side: Side = Side.OWNER, given: dict[str, Any] | None = None, **about: Any) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        read_query(side, given or {}, **about)
    return {each.where: each.message for each in caught.value.faults}


BAD: list[tuple[str, Side, dict[str, list[str]], str, str]] = [
    ("a party", Side.OWNER, {"party": ["310000018"]}, "party", "check digits"),
    ("a person", Side.OWNER, {"party": [f"{PERSON}{SYNTHETIC[:-1]}0"]}, "party", "check digits"),
    ("the second of two", Side.OWNER, {"party": [ORGANISATION, "x"]}, "party (value 2)", "write urn:"),
    ("21 parties of an owner", Side.OWNER, {"party": MANY[:21]}, "party", "at most 20 values; there are 21"),
    ("101 parties of a user", Side.END_USER, {"party": MANY}, "party", "at most 100 values; there are 101"),
    ("21 resources", Side.END_USER, {"serviceResource": RESOURCES}, "serviceResource", "at most 20"),
    ("a resource", Side.OWNER, {"serviceResource": ["urn:altinn:app:x"]}, "serviceResource", "urn:altinn:resource:"),
    ("an org code", Side.END_USER, {"org": ["t t d"], "party": MANY[:1]}, "org", "short code"),
    ("an org for owners", Side.OWNER, {"org": ["ttd"]}, "org", "does not take it"),
    ("labels for users", Side.GRAPHQL, {"serviceOwnerLabels": ["x"]}, "serviceOwnerLabels", "take"),
    ("a status", Side.OWNER, {"status": ["New"]}, "status", "write one of InProgress"),
    ("neither party nor resource", Side.END_USER, {}, "party", "give 'party' or 'serviceResource' as end user"),
    ("a user alone", Side.OWNER, {"endUserId": [f"{PERSON}{SYNTHETIC}"]}, "party", "with 'endUserId'"),
    ("an organisation as user", Side.OWNER, {"endUserId": [ORGANISATION]}, "endUserId", "systemuser"),
    ("a text without user", Side.OWNER, {"search": ["skjema"]}, "search", "'endUserId'"),
    ("a short text", Side.END_USER, {"search": ["ab"], "party": MANY[:1]}, "search", "at least 3"),
    ("Norwegian at large", Side.END_USER, {"searchLanguageCode": ["no"], "search": ["sak"], "party": MANY[:1]},
     "searchLanguageCode", "nb or nn"),
    ("a time without zone", Side.OWNER, {"createdAfter": ["2026-01-01T12:00"]}, "createdAfter", "zone"),
    ("a period backwards", Side.OWNER, {"dueAfter": ["2026-02-01"], "dueBefore": ["2026-01-01"]},
     "dueAfter", "later than 'dueBefore'"),
    ("a process", Side.OWNER, {"process": ["sak 7"]}, "process", "URI"),
    ("two references", Side.OWNER, {"externalReference": ["a" * 256]}, "externalReference", "255"),
    ("a flag", Side.OWNER, {"isContentSeen": ["ja"]}, "isContentSeen", "true or false"),
    ("labels among deleted ones too", Side.OWNER, {"serviceOwnerLabels": ["a"], "deleted": ["include"]},
     "deleted", "search twice, with exclude and with only"),
    ("both kinds of labels as a user", Side.OWNER, {"systemLabel": ["Bin"], "serviceOwnerLabels": ["a"],
     "endUserId": [f"{PERSON}{SYNTHETIC}"], "party": MANY[:1]}, "systemLabel", "leave one out"),
    ("a star within", Side.OWNER, {"serviceOwnerLabels": ["a*b"]}, "serviceOwnerLabels", "beginning and *"),
]  # fmt: skip


@pytest.mark.parametrize(("side", "values", "where", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_fault_names_its_filter(side: Side, values: dict[str, Any], where: str, words: str) -> None:
    """And says what to write instead, without repeating what was written."""
    found = faults(side, values)

    assert words in found[where]
    assert SYNTHETIC not in str(found)


@pytest.mark.parametrize("text", ["duedate_asc", "createdAt,createdAt_desc", "", "createdAt_up", "createdAt_"])
def test_an_order_is_read_before_it_is_sent(text: str) -> None:
    """The documentation's own example is among the wrong ones."""
    with pytest.raises(ValueError, match=r"write|name"):
        order(text)


def test_an_order_by_due_dates_needs_due_dates() -> None:
    """Dialogporten fails in the middle of the pages, at the first dialog without one."""
    found = faults(order_by="dueAt_asc,id")

    assert set(found) == {"orderBy"}
    assert "'dueAfter'" in found["orderBy"]
    assert read_query(Side.OWNER, {"dueAfter": ["2026-01-01"]}, order_by="dueAt_asc").order == (("dueAt", "asc"),)
    assert read_query(Side.OWNER, {"deleted": ["include"], "systemLabel": ["Bin"], "process": ["urn:x:1"]})


def test_all_faults_are_told_at_once() -> None:
    """Five things, five faults."""
    found = faults(given={"party": ["x"], "status": ["y"]}, page=1001, order_by="seenAt", token="side 2")

    assert set(found) == {"party", "status", "page", "orderBy", "token"}


def test_a_token_belongs_to_its_order() -> None:
    """Its keys are those of the order, and its id is one."""
    token = "createdat_2026-01-31T12:00:00.1234560Z,id_0194fe82-9280-77a5-a7cd-5ff0e6a6fa07"

    found = faults(order_by="dueAt_desc", token=token)

    assert found == {"token": "it is of a search in another order; it lacks dueAt"}
    assert read_query(Side.OWNER, {}, token=token).token == token


def test_values_are_written_as_the_api_has_them() -> None:
    """Urns completed, times in UTC, repeated values once."""
    query = read_query(
        Side.OWNER,
        {
            "party": ["310000019", ORGANISATION.upper()],
            "serviceResource": ["sandkasse"],
            "status": ["in_progress"],
            "createdAfter": ["2026-01-31T12:00:00+01:00"],
            "createdBefore": ["2026-02-01"],
        },
    )

    assert query.as_parameters() == [
        ("party", ORGANISATION),
        ("serviceResource", "urn:altinn:resource:sandkasse"),
        ("status", "InProgress"),
        ("createdAfter", "2026-01-31T11:00:00.000000Z"),
        ("createdBefore", "2026-02-01T00:00:00.000000Z"),
    ]
    assert query.order_text() == "createdAt_desc"


def test_graphql_has_types_of_its_own() -> None:
    """Lists, enums in capitals, booleans, and an order of objects without the id."""
    query = read_query(
        Side.GRAPHQL,
        {"party": [ORGANISATION], "status": ["RequiresAttention"], "isContentSeen": ["true"], "search": ["skjema"]},
        order_by="updatedAt_asc,id_desc",
    )

    assert query.as_input() == {
        "party": [ORGANISATION],
        "status": ["REQUIRES_ATTENTION"],
        "isContentSeen": True,
        "search": "skjema",
        "orderBy": [{"updatedAt": "ASC"}],
    }


def test_users_are_people_or_system_users() -> None:
    """As the API has it."""
    system_user = "urn:altinn:systemuser:uuid:0194fe82-9280-77a5-a7cd-5ff0e6a6fa07"

    assert end_user(system_user.upper().replace("URN", "urn")) == system_user
    assert (
        party("urn:altinn:person:idporten-email:Kari@Example.no") == "urn:altinn:person:idporten-email:kari@example.no"
    )


@given(st.integers(0, 10**8 - 1), st.integers(0, 9), st.integers(0, 7))
def test_a_wrong_digit_is_found(number: int, digit: int, place: int) -> None:
    """Of two numbers that differ in one digit only one can be an organisation's."""
    text = f"{number:08}"
    other = text[:place] + str(digit) + text[place + 1 :]
    right = {each: [n for n in range(10) if is_organisation_number(f"{each}{n}")] for each in (text, other)}

    assert text == other or not right[text] or right[text] != right[other]
    assert all(len(each) <= 1 for each in right.values())


def test_synthetic_numbers_are_numbers() -> None:
    """Nothing but the check digits is asked."""
    valid = [n for n in range(100) if is_identity_number(f"{SYNTHETIC[:9]}{n:02}")]

    assert len(valid) <= 1
    assert not is_identity_number("1" * 10)
