"""Every command that prints a result takes ``--format`` and ``--json``, and they mean the same everywhere."""

import json
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from bridge.cli import _Commands
from bridge.cli.rows import Csv, Table, writing
from bridge.cli.shapes import ROWS, shape_option


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in _Commands.MODULES:
        command = _Commands().get_command(click.Context(click.Command("bridge")), name)
        assert command is not None
        inner = command.commands.items() if isinstance(command, click.Group) else ()
        yield from ((f"{name} {each}", one) for each, one in inner)
        if not inner:
            yield name, command


PRINTS_NO_RESULT = {"serve", "work", "sandbox form", "convert", "schema mapping", "schema route"}
"""They run until they are stopped, or print a document whose form is not theirs to choose."""


@pytest.mark.parametrize(("name", "command"), [each for each in commands() if each[0] not in PRINTS_NO_RESULT])
def test_each_takes_both(name: str, command: click.Command):
    """JSON is among what each prints, and --json asks for it."""
    options = {option: each for each in command.params for option in each.opts}

    assert {"--json", "--format"} <= options.keys(), name
    chosen = options["--format"].type
    assert isinstance(chosen, click.Choice)
    assert "json" in chosen.choices


def test_the_others_are_commands_that_take_neither():
    """A command that is gone, or that prints a result by now, is taken off the list."""
    options = {name: {option for each in command.params for option in each.opts} for name, command in commands()}

    assert options.keys() >= PRINTS_NO_RESULT
    assert [name for name in PRINTS_NO_RESULT if {"--json", "--format"} & options[name]] == []


@click.command()
@shape_option("table", "json", "sarif", flags=("json", "sarif"))
def print_shape(shape: str) -> None:
    click.echo(shape)


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ((), "table"),
        (("--json",), "json"),
        (("--sarif",), "sarif"),
        (("--format", "json"), "json"),
        (("--format", "json", "--json"), "json"),
        (("--format", "table"), "table"),
    ],
)
def test_one_says_what_the_other_says(arguments: tuple[str, ...], printed: str):
    """Either way, or both."""
    assert CliRunner().invoke(print_shape, arguments).output == f"{printed}\n"


@pytest.mark.parametrize(
    "arguments", [("--json", "--format", "table"), ("--json", "--sarif"), ("--format", "sarif", "--json")]
)
def test_two_that_differ_are_refused(arguments: tuple[str, ...]):
    """With 2, and words."""
    result = CliRunner().invoke(print_shape, arguments)

    assert result.exit_code == 2
    assert "not both" in result.output


@pytest.mark.parametrize("items", [[], [{"a": "æ"}], [{"a": 1}, {"a": 2}]], ids=["none", "one", "two"])
def test_rows_are_one_document_or_lines(items: list[dict[str, object]], capsys: pytest.CaptureFixture[str]):
    """However many come, and in however many pieces."""
    told: dict[str, str] = {}
    for shape in ROWS:
        with writing(shape, table=Table({"a": None}, _cell), csv=Csv(("a",), _cell)) as write:
            for each in items:
                write([each])
        told[shape] = capsys.readouterr().out

    assert json.loads(told["json"]) == items
    assert [json.loads(line) for line in told["jsonl"].splitlines()] == items


def test_what_breaks_off_is_a_document_all_the_same(capsys: pytest.CaptureFixture[str]):
    """What was printed before stays readable."""
    with pytest.raises(RuntimeError), writing("json", table=Table({}, _cell), csv=Csv((), _cell)) as write:
        write([{"a": 1}])
        raise RuntimeError

    assert json.loads(capsys.readouterr().out) == [{"a": 1}]


def _cell(item: dict[str, object], name: str) -> str:
    return str(item[name])
