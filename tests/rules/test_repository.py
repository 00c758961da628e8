"""What the repository as a whole keeps to."""

import configparser
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bridge.cli

ROOT = Path(__file__).parents[2]


def required() -> set[str]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].split() + config["options.extras_require"]["test"].split("\n")
    return {re.split(r"[<>=\[; ]", line.strip())[0].lower() for line in lines if line.strip()}


def test_every_package_is_shipped() -> None:
    """What an install from the repository finds beside itself, one from a wheel has to bring along."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "bridge").rglob("__init__.py")}

    # The folders that are bundled lie at the top of the repository.
    outside = {"bridge.bundled.mappings", "bridge.bundled.schemas"}
    assert set(config["options"]["packages"].split()) == there | outside


def test_every_dependency_has_its_reason() -> None:
    """A library that nobody can give a line for is one too many."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    names = {re.split(r"[<>=\[]", line)[0] for line in config["options"]["install_requires"].split()}
    reasons = (ROOT / "docs" / "why.md").read_text("utf-8")

    assert {name for name in names if not re.search(rf"\b{re.escape(name)}\b", reasons)} == set()


def test_constraints_pin_what_is_required() -> None:
    """An install with the constraints is the one that was tested."""
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }

    assert {name.replace("_", "-") for name in required()} <= pinned


def test_every_page_that_is_linked_exists() -> None:
    """The papers at the top and the pages under docs lead nowhere that is not there."""
    broken = []
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")

    assert broken == []


def test_commands_go_by_the_documented_name() -> None:
    """
    `altinn-bridge serve` and never its short name, which on many machines is another program.

    In documents, docstrings, texts and tests, wherever a command stands in backticks or quotes.
    """
    commands = "|".join(module.name for module in pkgutil.iter_modules(bridge.cli.__path__))
    short = re.compile(rf"[`\"']bridge (?:(?:{commands})\b|-)")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    found = [
        f"{name}: {line.strip()}"
        for name in tracked.split("\0")
        if name.endswith((".md", ".py", ".html", ".js", ".yaml", ".json", ".conf", ".cfg", ".toml"))
        for line in (ROOT / name).read_text("utf-8").splitlines()
        if short.search(line)
    ]

    assert found == []


@pytest.mark.parametrize("module", ["bridge.cli", "bridge.core.decision", "bridge.config.settings"])
def test_imports_stay_light(module: str) -> None:
    """`altinn-bridge --help` imports neither engine, web server nor XML library."""
    heavy = ("dbos", "flask", "gunicorn", "sqlalchemy", "lxml", "xmlschema", "requests")
    program = f"import sys, {module}; print(*[name for name in {heavy!r} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert loaded == []


READERS = {
    "cli/validate/work.py": "one tag of a file of any size",
    "forms/xml/automata.py": "schemas of our own",
    "forms/xml/namespaces.py": "schemas",
    "forms/xml/positions.py": "where what was read stands",
    "forms/xml/input.py": "everybody's",
    "forms/xml/schema_files.py": "schemas",
    "forms/xml/streaming.py": "forms that are never a tree",
    "forms/xml/stream_values.py": "values of forms that stream, once those are read",
    "forms/xml/large.py": "large forms that are judged while they are read",
}


def test_forms_are_read_in_one_place() -> None:
    """What one reader forgives, all do: a parser of one's own is a door at which a form is another one."""
    parsing = re.compile(r"\betree\.(?:fromstring|parse|iterparse|XML|XMLParser|XMLPullParser)\(|\bParserCreate\(")
    sources = {path.relative_to(ROOT / "bridge").as_posix(): path for path in (ROOT / "bridge").rglob("*.py")}

    found = {name for name, path in sources.items() if parsing.search(path.read_text("utf-8"))}

    assert {name for name in found if not name.startswith("sandbox/")} == set(READERS)
