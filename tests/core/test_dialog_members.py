"""What others add to the bridge's own items stays, at every level of them, whatever the bridge writes there."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.dialog_merge import Merged, merge
from bridge.core.dialog_presentation import content_value, link_offers, localized, offer
from bridge.core.dialogs import DialogChange, Field, dialog_from_json
from bridge.core.mapping import Button, Priority, Requirement, ResultLink, Verb
from bridge.core.written import Written
from tests.core.test_dialog_merge import DIALOG_ID, NOTHING, _body
from tests.core.test_states import SUBMIT

TITLES = st.sampled_from(["Send inn", "Lever", "Signer"])
CHANGES = st.builds(
    lambda host, title, priority, prompt, attribute, deletes, rate, summary: replace(
        NOTHING,
        offers=(
            offer(
                DIALOG_ID,
                replace(
                    SUBMIT,
                    requires=Requirement(action="write", attribute=attribute),
                    verb=Verb.DELETE if deletes else Verb.PUT,
                    button=Button(
                        title=words(title),
                        priority=priority,
                        prompt=None if prompt is None else words(prompt),
                        api=True,
                    ),
                ),
                public_url=f"https://{host}",
            ),
        ),
        links=link_offers(
            DIALOG_ID,
            "submit",
            (
                ResultLink(
                    name="rate",
                    title=words("Sats {result.rate}"),
                    url="https://www.example.no/{result.rate}",
                    media_type="text/html",
                ),
            ),
            values={"result.rate": rate},
        ),
        fields={"/content/summary": Field(value=content_value(words(summary)), asked=True)},
    ),
    host=st.sampled_from(["old.example.no", "new.example.no"]),
    title=TITLES,
    priority=st.sampled_from(Priority),
    prompt=st.none() | TITLES,
    attribute=st.sampled_from([None, "urn:altinn:task:1"]),
    deletes=st.booleans(),
    rate=st.sampled_from(["25", "7"]),
    summary=TITLES,
)
UNKNOWN = st.dictionaries(
    st.sampled_from(
        ["version", "documentationUrl", "deprecated", "sunsetAt", "expiresAt", "authorizationContext", "x"]
    ),
    st.none() | st.booleans() | st.text(max_size=5) | st.fixed_dictionaries({"tokenRef": st.text(max_size=3)}),
    max_size=3,
)


THEIRS = {"id": "01950000-0000-7000-8000-000000000001", "url": "https://deres.example.no/", "httpMethod": "GET"}


def words(text: str) -> dict[str, str]:
    return {"nb": text, "nn": text, "en": text}


def merged(body: dict[str, Any], change: DialogChange, base: Written) -> Merged:
    return merge(dialog_from_json(body), change, base)


def applied(body: dict[str, Any], operations: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """Do what RFC 6902 says, and nothing that Dialogporten would refuse."""
    body = copy.deepcopy(body)
    for operation in operations:
        *parents, last = str(operation["path"]).split("/")[1:]
        place: Any = body
        for step in parents:
            place = place[int(step)] if isinstance(place, list) else place[step]
        match operation["op"], place:
            case "add", list():
                assert last == "-"
                place.append(operation["value"])
            case "remove", list():
                del place[int(last)]
            case "remove", dict():
                del place[last]
            case "replace", dict():
                assert last in place
                place[last] = operation["value"]
            case "add", dict():
                place[last] = operation["value"]
            case other:
                raise AssertionError(other)
    return body


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Every object of ours, however deep, by its path; languages and inner items by what names them."""
    if isinstance(value, dict):
        yield path, value
        for name, each in value.items():
            yield from objects(each, (*path, name))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            named = each.get("languageCode") or each.get("id") if isinstance(each, dict) else None
            yield from objects(each, (*path, named or at))


def ours(body: dict[str, Any]) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    parts = {name: body[name] for name in ("guiActions", "apiActions", "attachments")}
    found = [*objects(parts), *objects({"summary": body["content"]["summary"]}, ("content",))]
    return [(path, each) for path, each in found if path and path != ("content",)]


@given(first=CHANGES, second=CHANGES, added=st.data())
def test_unknown_members_survive_at_every_level(
    first: DialogChange, second: DialogChange, added: st.DataObject
) -> None:
    """Attachments and their addresses, buttons, API actions and their endpoints, texts and each of their languages."""
    empty = _body(content={}, attachments=[])
    put = merged(empty, first, Written())
    body = applied(empty, put.operations)
    unknown = {}
    for path, each in ours(body):
        unknown[path] = {name: value for name, value in added.draw(UNKNOWN).items() if name not in each}
        each.update(copy.deepcopy(unknown[path]))

    after = applied(body, merged(body, second, put.written).operations)

    there = dict(ours(after))
    # A question that is asked no more takes its words along.
    gone = {path for path in unknown if path not in there}
    assert all("prompt" in path for path in gone)
    for path, members in unknown.items():
        if path not in gone:
            assert {name: there[path].get(name) for name in members} == members, path


@given(first=CHANGES, second=CHANGES)
def test_what_is_patched_says_what_was_wanted(first: DialogChange, second: DialogChange) -> None:
    """By members it comes to the same as a replacement would, but for the priority, which has rules of its own."""
    empty = _body(content={}, attachments=[])
    put = merged(empty, first, Written())
    body = applied(empty, put.operations)
    changed = merged(body, second, put.written)

    after = applied(body, changed.operations)

    fresh = applied(empty, merged(empty, second, Written()).operations)
    assert without(after) == without(fresh)
    assert merged(after, second, changed.written).operations == ()


def without(body: dict[str, Any]) -> dict[str, Any]:
    body = copy.deepcopy(body)
    for each in body["guiActions"]:
        del each["priority"]
        each.setdefault("isDeleteDialogAction", False)
    return body


def one(**about: Any) -> DialogChange:
    button = Button(title=words("Send inn"), priority=Priority.PRIMARY, api=True)
    found = offer(DIALOG_ID, replace(SUBMIT, button=replace(button, **about)), public_url="https://old.example.no")
    assert found is not None
    return replace(NOTHING, offers=(found,))


def moved(change: DialogChange) -> DialogChange:
    """The same, by a bridge that has another address."""
    (one,) = change.offers
    api, button = copy.deepcopy(one.api_action), dict(one.button or {})
    assert api is not None
    button["url"] = str(button["url"]).replace("old.", "new.")
    api["endpoints"][0]["url"] = button["url"]  # type: ignore[index]
    return replace(change, offers=(replace(one, button=button, api_action=api),))


@pytest.mark.parametrize(
    ("theirs", "paths"),
    [
        pytest.param(dict, {"/guiActions/0/url", "/apiActions/0/endpoints/0/url"}, id="nothing"),
        pytest.param(
            lambda body: body["guiActions"][0].update(title=[{"languageCode": "nb", "value": "Deres"}]),
            {"/guiActions/0/url", "/apiActions/0/endpoints/0/url"},
            id="another title",
        ),
        pytest.param(
            lambda body: body["guiActions"][0].update(url="https://deres.example.no/"),
            {"/apiActions/0/endpoints/0/url"},
            id="another address",
        ),
        pytest.param(
            lambda body: body["apiActions"][0]["endpoints"].insert(0, THEIRS),
            {"/guiActions/0/url", "/apiActions/0/endpoints/1/url"},
            id="an endpoint of their own",
        ),
        pytest.param(
            lambda body: body["apiActions"][0]["endpoints"].clear(), {"/guiActions/0/url"}, id="our endpoint away"
        ),
    ],
)
def test_members_are_merged_one_by_one(theirs: Callable[[dict[str, Any]], object], paths: set[str]) -> None:
    """What others changed stays, and is no reason to leave the rest of a button as it was."""
    empty = _body()
    put = merged(empty, one(), Written())
    body = applied(empty, put.operations)
    theirs(body)

    operations = merged(body, moved(one()), put.written).operations

    assert {str(each["path"]) for each in operations} == paths


def test_an_authorization_context_is_carried_through() -> None:
    """Dialogporten shows such an action without its name, and the grant in claim e (facts/dialogporten.md 13)."""
    empty = _body()
    put = merged(empty, one(), Written())
    body = applied(empty, put.operations)
    body["guiActions"][0] |= {"action": "", "authorizationContext": {"tokenRef": "x", "action": "write"}}

    after = applied(body, merged(body, moved(one()), put.written).operations)

    assert after["guiActions"][0]["authorizationContext"] == {"tokenRef": "x", "action": "write"}
    assert after["guiActions"][0]["action"] == ""


def test_a_question_that_others_ask_stays() -> None:
    """A member that the bridge never wrote is not the bridge's to write later."""
    empty = _body()
    put = merged(empty, one(), Written())
    body = applied(empty, put.operations)
    body["guiActions"][0]["prompt"] = [{"languageCode": "nb", "value": "Deres?"}]

    assert merged(body, one(prompt=words("Vår?")), put.written).operations == ()


SAMI = {"languageCode": "se", "value": "Sáddes"}


def test_a_language_of_others_stays_beside_ours() -> None:
    """Titles and questions of buttons, and texts of the dialog, go on to say what the bridge says."""
    empty = _body(content={})
    first = replace(
        one(prompt=words("Nå?")), fields={"/content/summary": Field(value=content_value(words("Sum 7")), asked=False)}
    )
    put = merged(empty, first, Written())
    body = applied(empty, put.operations)
    texts = (body["guiActions"][0]["title"], body["guiActions"][0]["prompt"], body["content"]["summary"]["value"])
    for each in texts:
        each.append(SAMI)

    second = replace(
        one(title=words("Lever"), prompt=words("Sikker?")),
        fields={"/content/summary": Field(value=content_value(words("Sum 12.5")), asked=False)},
    )
    changed = merged(body, second, put.written)
    after = applied(body, changed.operations)

    button = after["guiActions"][0]
    assert button["title"] == [*localized(words("Lever")), SAMI]
    assert button["prompt"] == [*localized(words("Sikker?")), SAMI]
    assert after["content"]["summary"]["value"] == [*localized(words("Sum 12.5")), SAMI]
    assert merged(after, second, changed.written).operations == ()


def test_what_the_bridge_says_no_more_leaves_the_languages_of_others() -> None:
    """Its own three go; a text that has no other goes whole."""
    empty = _body(content={})
    summary = {"/content/summary": Field(value=content_value(words("Sum 7")), asked=True)}
    put = merged(empty, replace(one(prompt=words("Nå?")), fields=summary), Written())
    body = applied(empty, put.operations)
    body["guiActions"][0]["prompt"].append(SAMI)
    body["content"]["summary"]["value"].append(SAMI)
    nothing = replace(one(), fields={"/content/summary": Field(value=None, asked=False)})

    after = applied(body, merged(body, nothing, put.written).operations)

    assert after["guiActions"][0]["prompt"] == after["content"]["summary"]["value"] == [SAMI]


def test_a_default_goes_beside_nothing_of_others() -> None:
    """A text that others wrote in another language alone is theirs; a default fills gaps only."""
    body = _body(content={"summary": {"value": [SAMI], "mediaType": "text/plain"}})
    default = replace(NOTHING, fields={"/content/summary": Field(value=content_value(words("Sum 7")), asked=False)})

    assert merged(body, default, Written()).operations == ()
