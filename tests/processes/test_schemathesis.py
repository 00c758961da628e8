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
{more}

[checks.positive_data_acceptance]
expected-statuses = {accepted}

# A token that is withdrawn is told by 401; the one that is given here is for this dialog alone.
[checks.object_level_authorization]
enabled = false
"""
# An app's refusal may be empty, without a type, and for that OpenAPI has no word.
HOOKS = """\
import schemathesis


@schemathesis.hook
def after_call(context, case, response):
    if "/v1/data" in case.path and not response.content and "content-type" not in response.headers:
        response.headers["content-type"] = ["text/plain"]
"""
REPORT = ("--include-tag", "calculation", "--phases", "examples,coverage,fuzzing")
# How all is asked, and how the report is asked for by who calculates: seconds, options and a line for the parameters.
ASKED: dict[str, tuple[int, tuple[str, ...], str]] = {
    "everything": (SECONDS, (), ""),
    "reports by the header": (SECONDS // 3, (*REPORT, "--header", "Prefer: bridge-report"), ""),
    "reports by the parameter": (SECONDS // 3, REPORT, '"query.bridge-report" = "true"'),
}


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


@pytest.mark.parametrize(("seconds", "options", "more"), ASKED.values(), ids=ASKED)
def test_the_bridge_answers_as_it_says(
    made: Site, tmp_path: Path, seconds: int, options: tuple[str, ...], more: str
) -> None:
    """
    Every operation with what its description allows and forbids, for a minute; and nothing that was not foreseen.

    By their refusals alone it reaches what wants an identifier that another answer gives, as operations, attachments
    that lie there, embeds, texts to sign and prints; and the calculation, whose app asks for a token of its own.
    """
    case = made.case()
    org, _, app = APP.partition("/")
    config, hooks = tmp_path / "schemathesis.toml", tmp_path / "hooks_of_the_test.py"
    about = {"dialog": case.dialog_id, "org": org, "app": app, "accepted": ACCEPTED, "more": more}
    config.write_text(CONFIG.format(**about), "utf-8")
    hooks.write_text(HOOKS, "utf-8")
    assert SCHEMATHESIS is not None

    told = subprocess.run(
        [
            *(SCHEMATHESIS, "--config-file", str(config), "run", f"{made.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {case.token}"),
            *("--max-time", str(seconds), "--max-examples", "10", "--seed", "1", "--generation-deterministic"),
            *("--continue-on-failure", "--no-color", *options),
        ],
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": hooks.stem, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=seconds * 3,
        check=False,
    )

    assert told.returncode == 0, told.stdout + told.stderr
    selected = r"6/\d+\n +Tested: 6\n" if options else r"(\d+)/\1\n +Tested: \1\n"
    assert re.search(f"Selected: {selected}", told.stdout), told.stdout
    assert "failed unexpectedly" not in made.logs()
