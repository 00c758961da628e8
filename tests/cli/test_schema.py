"""``altinn-bridge schema`` prints what editors and operators need, or puts it beside the files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.schema import schema


@pytest.mark.parametrize("kind", ["mapping", "route"])
def test_it_prints_what_it_puts_beside_the_files(tmp_path: Path, kind: str):
    """The file is named as the hint for editors says."""
    printed = CliRunner().invoke(schema, [kind])
    put = CliRunner().invoke(schema, [kind, "--into", str(tmp_path)])

    file = tmp_path / f"{kind}.schema.json"
    assert (printed.exit_code, put.exit_code) == (0, 0)
    assert json.loads(printed.stdout) == json.loads(file.read_text("utf-8"))
    assert f"$schema={file.name}" in put.stdout


def test_what_cannot_be_written_is_a_wrong_call(tmp_path: Path):
    """It says which file, and why."""
    (tmp_path / "mapping.schema.json").mkdir()

    result = CliRunner().invoke(schema, ["mapping", "--into", str(tmp_path)])

    assert result.exit_code == 2
    assert "mapping.schema.json cannot be written" in result.stderr
