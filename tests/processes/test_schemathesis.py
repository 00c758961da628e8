"""A running bridge asked by Schemathesis for all that ``/openapi.json`` promises, and for what it does not."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.harness import RESOURCE, Site, site

SCHEMATHESIS = os.environ.get("SCHEMATHESIS") or shutil.which("schemathesis")
SECONDS = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        SCHEMATHESIS is None and "CI" not in os.environ, reason="there is no Schemathesis; .ci/run installs it"
    ),
]

MAPPING = f"""\
service_resource: {RESOURCE}
altinn2: {{service_code: "5701", service_edition: 1}}
attachment_rules:
  - {{type: Plan, file_types: "*.*", min_count: 0, max_count: 999, max_size_mb: 9}}
forms:
  - {{type: MainForm, data_format_id: "5801", data_format_version: "42001", schema: serveringsbevilling.xsd}}
actions:
  save:
    requires: write
    minimum_level: 3
    target: altinn2
    form: body
    complete: false
    sign: false
    attachments: {{types: [Plan], from: [upload]}}
"""
APP = "ttd/sandkasse-regnestykke"

# What no schema can say: the mapping's forms and attachment types, and the element's state.
ACCEPTED = '["2xx", "3xx", "400", "401", "403", "404", "409", "410", "415", "422", "429", "5xx"]'
CONFIG = """\
[parameters]
"path.dialogId" = "{dialog}"
"path.action" = "save"
"path.org" = "{org}"
"path.app" = "{app}"
"query.dataType" = "regnestykke"
"query.attachmentType" = "Plan"

[checks.positive_data_acceptance]
expected-statuses = {accepted}

# A token that is withdrawn is told by 401; the one that is given here is for this dialog alone.
[checks.object_level_authorization]
enabled = false

# An app's refusals are passed on as they are, and many have neither a type nor a body.
[[operations]]
include-tag = "calculation"
checks.content_type_conformance.enabled = false
checks.response_schema_conformance.enabled = false
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Site]:
    for name, text in (
        ("mappings/a.yaml", MAPPING),
        ("routes/a.yaml", f"app: {APP}\ntoken: caller\nanonymous: true\n"),
    ):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(text, "utf-8")
    with site(tmp_path, BRIDGE_MAPPINGS=str(tmp_path / "mappings"), BRIDGE_ROUTES=str(tmp_path / "routes")) as made:
        made.serve()
        yield made


def test_the_bridge_answers_as_it_says(made: Site, tmp_path: Path) -> None:
    """
    Every operation with what its description allows and forbids, for a minute; and nothing that was not foreseen.

    By their refusals alone it reaches what wants an identifier that another answer gives, as operations, attachments
    that lie there, embeds, texts to sign and prints; and the calculation, whose app asks for a token of its own.
    """
    case = made.case()
    org, _, app = APP.partition("/")
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.format(dialog=case.dialog_id, org=org, app=app, accepted=ACCEPTED), "utf-8")
    assert SCHEMATHESIS is not None

    told = subprocess.run(
        [
            *(SCHEMATHESIS, "--config-file", str(config), "run", f"{made.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {case.token}"),
            *("--max-time", str(SECONDS), "--max-examples", "10", "--seed", "1", "--generation-deterministic"),
            *("--continue-on-failure", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS * 3,
        check=False,
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"Selected: (\d+)/\1\n +Tested: \1\n", told.stdout), told.stdout
    assert "failed unexpectedly" not in made.logs()
