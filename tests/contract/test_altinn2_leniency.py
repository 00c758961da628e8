"""What .NET was measured to take (../shared/cases/inputs/dotnet), the sandbox's Altinn 2 takes, but for a few."""

import json
from typing import Any

import pytest

from bridge.sandbox.altinn2.rules import parsed_form
from bridge.sandbox.altinn2.schemas import NoSchema, Schemas
from tests.contract.recordings import AT_HAND, CASES, needs_shared

pytestmark = [needs_shared, pytest.mark.contract]

FOLDER = CASES / "inputs" / "dotnet"
VERDICTS = json.loads((FOLDER / "VERDICTS.json").read_text("utf-8")) if AT_HAND else []
TAKEN = [each["kind"] for each in VERDICTS if each["dotnet"] == "valid"]
DIFFERS = {
    "strict-wildcard-xsitype": "libxml2 asks for a declaration of what xsi:type names",
    "two-imports-one-namespace": "the sandbox's schemas are texts of one piece",
    "pattern-W-emoji": ".NET sees the halves of a letter outside of the first plane",
}


def refused(kind: str) -> Any:
    """What the sandbox has against a form."""
    schema, form = ((FOLDER / f"{kind}.{end}").read_text("utf-8-sig") for end in ("xsd", "xml"))
    try:
        return Schemas().faults(schema, parsed_form(form))
    except NoSchema as error:
        return error


@pytest.mark.parametrize("kind", TAKEN)
def test_what_dotnet_takes_is_taken(kind: str) -> None:
    """One that is listed is refused indeed, else its line is to go."""
    if kind in DIFFERS:
        assert refused(kind), "taken now: its line is no longer needed"
    else:
        assert refused(kind) == ()


def test_every_line_names_a_kind_that_dotnet_takes() -> None:
    """So that none outlives what it is about."""
    assert set(DIFFERS) <= set(TAKEN)
