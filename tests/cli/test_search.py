"""``altinn-bridge search`` on a sandbox over HTTP: shapes of output, faults, exit codes."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from bridge.cli import _bridge
from bridge.cli.end_users import TOKEN_VARIABLE
from bridge.cli.search import search
from bridge.core.dialog_queries import FILTERS
from bridge.core.errors import ConfigurationError
from bridge.sandbox.control import settings
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World
from tests.sandbox.support import PARTY, dialog, owner_token, texts


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World(lambda: datetime.now(UTC), 7)) as running:
        token = owner_token(running.world, base=running.base_url)
        for number, title in enumerate(("Første", "=SUM(1;2)", "Tredje")):
            body = dialog(
                content={"title": {"value": texts(title)}},
                createdAt=f"2026-01-0{number + 1}T00:00:00Z",
                **({"party": PERSON} if number == 2 else {}),
            )
            made = requests.post(
                f"{running.base_url}/dialogporten/api/v1/serviceowner/dialogs",
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=10,
            )
            assert made.status_code == 201, made.text
        yield running


PERSON = "urn:altinn:person:identifier-no:01810000186"


def run(sandbox: Sandbox, *arguments: str, **environ: str) -> Result:
    given = {**settings(sandbox.world, sandbox.base_url), **environ}
    return CliRunner().invoke(_bridge, ["search", *arguments], env=given)


def user_token(sandbox: Sandbox) -> str:
    asked = {"party": PARTY, "parties": [PERSON]}
    answer = requests.post(f"{sandbox.base_url}/_sandbox/enduser-token", json=asked, timeout=10)
    return str(answer.json()["token"])


def test_lines_are_the_items_as_they_came(sandbox: Sandbox) -> None:
    """JSON lines on standard output, the count beside them."""
    result = run(sandbox, "--format", "jsonl", "--order-by", "createdAt_asc", "--limit", "2")

    items = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0, result.output
    assert [each["content"]["title"]["value"][0]["value"] for each in items] == ["Første", "=SUM(1;2)", "Tredje"]
    assert "revision" in items[0]
    assert result.stderr == "3 dialogs.\n"


def test_csv_is_safe_for_spreadsheets(sandbox: Sandbox) -> None:
    """One heading over all pages; what could be a formula is a text."""
    result = run(sandbox, "--format", "csv", "--order-by", "createdAt_asc", "--limit", "1")

    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["title"] for row in rows] == ["Første", "'=SUM(1;2)", "Tredje"]
    assert rows[2]["party"] == PERSON


def test_a_table_names_no_person(sandbox: Sandbox) -> None:
    """Tables are pasted into tickets."""
    result = run(sandbox, "--limit-total", "1")

    assert result.stdout.count("\n") == 1
    assert "Tredje" in result.stdout
    assert "***********" in result.stdout
    assert result.stderr.startswith("1 dialog. Go on with --continuation-token createdat_")


@pytest.mark.parametrize("side", ["enduser", "graphql"])
def test_end_users_search_with_their_token(sandbox: Sandbox, side: str) -> None:
    """From the environment, for their parties."""
    environ: dict[str, Any] = {TOKEN_VARIABLE: user_token(sandbox)}

    result = run(sandbox, "--as", side, "--party", PARTY, "--party", PERSON, "--format", "jsonl", **environ)

    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 3), result.output


def test_a_search_goes_on_from_a_token(sandbox: Sandbox) -> None:
    """The line on standard error is the way."""
    first = run(sandbox, "--limit-total", "2", "--format", "jsonl")
    token = first.stderr.split()[-1]

    rest = run(sandbox, "--continuation-token", token, "--format", "jsonl")

    assert len(rest.stdout.splitlines()) == 1


def test_faults_are_told_before_anything_is_sent(sandbox: Sandbox) -> None:
    """All of them, each with its option."""
    calls = len(sandbox.world.calls.all())

    result = run(sandbox, "--party", "31", "--status", "x", "--order-by", "y")

    assert isinstance(result.exception, ConfigurationError)
    assert [each.where for each in result.exception.faults] == ["--party", "--status", "--order-by"]
    assert len(sandbox.world.calls.all()) == calls


OWN_NAMES = [
    (("--party", PARTY, "--party", "x"), "--party (value 2)", "write urn:"),
    (("--search", "skjema"), "--search", "give --end-user-id as well"),
    (("--as", "enduser"), "--party", "give --party or --service-resource as end user"),
    (("--search-language-code", "nb"), "--search-language-code", "give --search as well"),
    (("--due-after", "2026-02-01", "--due-before", "2026-01-01"), "--due-after", "must not be later than --due-before"),
    (("--service-owner-labels", "a", "--deleted", "include"), "--deleted",
     "give --service-resource, --party or --process,"),
    (("--order-by", "dueAt_asc"), "--order-by", "or give --due-after or --due-before"),
    (("--limit", "1001"), "--limit", "write a number from 1 to 1000"),
    (("--continuation-token", "side 2"), "--continuation-token", "pass it on"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "where", "words"), OWN_NAMES, ids=[" ".join(row[0])[:40] for row in OWN_NAMES])
def test_a_fault_names_options(sandbox: Sandbox, given: tuple[str, ...], where: str, words: str) -> None:
    """The query's own names for its parts mean nothing to who typed options, those of other parts neither."""
    result = run(sandbox, *given)

    assert isinstance(result.exception, ConfigurationError)
    found = {each.where: each.message for each in result.exception.faults}
    assert words in found[where]
    assert "'" not in found[where]


def test_options_are_named_after_filters() -> None:
    """Kebab case, each once."""
    options = [each for parameter in search.params for each in parameter.opts]

    assert "--content-updated-after" in options
    assert len(set(options)) == len(options)
    assert len([each for each in search.params if (each.name or "").startswith("filter_")]) == len(FILTERS)


def test_a_refusal_ends_with_one(sandbox: Sandbox) -> None:
    """With Dialogporten's own words."""
    sandbox.world.change_switches(search_too_broad=True)
    try:
        result = run(
            sandbox, "--as", "enduser", "--party", PARTY, "--search", "skjema", **{TOKEN_VARIABLE: user_token(sandbox)}
        )
    finally:
        sandbox.world.change_switches(search_too_broad=False)

    assert result.exit_code == 1
    assert "Search: The search is too broad." in result.stderr


@pytest.mark.parametrize("url", ["http://platform.altinn.no", "http://127.0.0.1.example.no", "ftp://x"])
def test_tokens_go_nowhere_unprotected(sandbox: Sandbox, url: str) -> None:
    """https, or this machine."""
    result = run(sandbox, "--as", "enduser", "--party", PARTY, "--dialogporten", url, **{TOKEN_VARIABLE: "a.b.c"})

    assert result.exit_code == 2


def test_a_token_is_asked_for(sandbox: Sandbox) -> None:
    """Without one the ways to give it are named."""
    result = run(sandbox, "--as", "enduser", "--party", PARTY, **{TOKEN_VARIABLE: ""})

    assert result.exit_code == 2
    assert "--token-file" in result.output
