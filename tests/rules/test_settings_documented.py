"""What is written about settings is what the code does."""

import json
import re
from pathlib import Path

from click.testing import CliRunner

from bridge.cli.schema import schema
from bridge.config.setting_declarations import SETTINGS

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(schema, ["settings", *arguments])
    assert result.exit_code == 0
    return result.stdout


def test_the_document_lists_every_setting():
    """The table in the document is the one that the command prints."""
    written = re.search(r"<!-- table -->\n(.*\n)<!-- /table -->", DOCUMENT.read_text("utf-8"), re.DOTALL)

    assert written is not None
    assert written[1] == printed()


def test_every_setting_has_a_row_of_its_own():
    """In the table by the name of its variable; none is declared twice, and each can be read by a machine."""
    rows = json.loads(printed("--json"))

    names = [each.name for each in SETTINGS]
    assert re.findall(r"^\| `(\w+)` ", printed(), re.MULTILINE) == names
    assert [row["name"] for row in rows] == names
    assert len(set(names)) == len(names)


def test_machines_are_told_what_is_taken():
    """Limits, choices and defaults are values, and a secret is known as one."""
    rows = {row["name"]: row for row in json.loads(printed("--json"))}

    threads, worker = rows["BRIDGE_THREADS"], rows["BRIDGE_WORKER"]
    assert (threads["type"], threads["minimum"], threads["maximum"], threads["default"]) == ("integer", 2, 10000, "64")
    assert (worker["choices"], worker["default"]) == (["embedded", "separate"], None)
    assert [name for name, row in rows.items() if row["required"]] == [
        "BRIDGE_ENVIRONMENT",
        "BRIDGE_ALTINN2_API_KEY",
        "BRIDGE_MASKINPORTEN_CLIENT_ID",
        "BRIDGE_MASKINPORTEN_KEY",
    ]
    assert rows["BRIDGE_ALTINN2_URL"]["defaultByEnvironment"].keys() == {"tt02", "production"}
    assert rows["BRIDGE_DATABASE_URL"]["secret"]
