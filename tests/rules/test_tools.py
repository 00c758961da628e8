"""The files for other people's tools agree with what lands a change here."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHECKS = {"ruff check .", "ruff format --check .", "mypy", "lint-imports"}


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def test_the_forge_tries_every_python_that_is_promised() -> None:
    """Those of the package's classifiers, beginning with the oldest that it installs on."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    promised = re.findall(r"Python :: (3\.\d+)", config["metadata"]["classifiers"])

    tried = read(".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]

    assert tried == promised
    assert config["options"]["python_requires"] == f">={promised[0]}"


def test_the_forge_checks_what_lands_a_change() -> None:
    """Lint, format, types and layers by the same commands; actions are pinned by their major version."""
    steps = read(".github/workflows/ci.yml")["jobs"]["test"]["steps"]
    ran = {line.removeprefix(".venv/bin/") for step in steps for line in step.get("run", "").splitlines()}
    lands = (ROOT / ".ci" / "run").read_text("utf-8")

    assert ran >= CHECKS
    assert {each for each in CHECKS if f"$bin/{each}\n" not in lands} == set()
    assert [step["uses"] for step in steps if not re.search(r"@v\d+$", step.get("uses", "@v1"))] == []


def test_no_module_is_left_out_of_who_may_know_altinn_2() -> None:
    """A new one at the top, or in a folder that is listed by its modules, is not free of the contract unseen."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    held = config["importlinter:contract:cases"]["source_modules"].split()
    free = ["bridge.adapters.altinn2", "bridge.steps.drivers.altinn2"]
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "bridge").rglob("*.py")
        if path.name != "__init__.py"
    }

    assert {each for each in modules if not any(f"{each}.".startswith(f"{name}.") for name in (*held, *free))} == set()


def test_hooks_fetch_nothing() -> None:
    """Each hook is local, and runs a tool of the environment through `.ci/tool`."""
    repositories = read(".pre-commit-config.yaml")["repos"]
    hooks = [hook for each in repositories for hook in each["hooks"]]

    assert {each["repo"] for each in repositories} == {"local"}
    assert {(hook["language"], hook["entry"].split()[0]) for hook in hooks} == {("system", ".ci/tool")}


def test_hooks_use_what_the_tests_install() -> None:
    """Without a .venv beside it, `.ci/tool` takes the tool of the active environment."""
    hooks = [hook for each in read(".pre-commit-config.yaml")["repos"] for hook in each["hooks"]]
    tools = {hook["entry"].split()[1] for hook in hooks}

    assert tools >= {each.split()[0] for each in CHECKS}
    assert {each for each in tools if shutil.which(each, path=str(Path(sys.executable).parent)) is None} == set()


def test_whitespace_is_mended(tmp_path: Path) -> None:
    """Blanks at line ends go, one line end stands at the end, and what is right is left as it is."""
    wrong, right = tmp_path / "wrong.md", tmp_path / "right.md"
    wrong.write_bytes(b"one \t\r\ntwo  \n\n\n")
    right.write_bytes(b"one\r\ntwo\n")

    command = [sys.executable, ROOT / ".ci" / "whitespace.py", wrong, right]
    first, second = (subprocess.run(command, capture_output=True, check=False, text=True) for _ in range(2))

    assert (first.returncode, first.stdout) == (1, f"{wrong}: mended\n")
    assert (second.returncode, second.stdout) == (0, "")
    assert wrong.read_bytes() == right.read_bytes() == b"one\r\ntwo\n"
