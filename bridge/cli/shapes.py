"""What a command prints its result as: ``--format`` with a choice, and ``--json`` for the one that all have."""

from collections.abc import Callable
from typing import TypeVar

import click

ROWS = ("table", "json", "jsonl", "csv")
"""For what prints many alike, while they come."""
TEXT = ("text", "json")
"""For what prints one report."""

_GIVEN = "bridge.cli.shapes"
_Command = TypeVar("_Command", bound=Callable[..., object])


def shape_option(*shapes: str, flags: tuple[str, ...] = ("json",)) -> Callable[[_Command], _Command]:
    """Let a command be told what to print, as *shape*: the first of *shapes*, if nothing is said; *flags* are short."""

    def decorate(command: _Command) -> _Command:
        for name in reversed(flags):
            command = click.option(
                f"--{name}",
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_noted(name),
                help=f"The same as --format {name}.",
            )(command)
        return click.option(
            "--format",
            "shape",
            type=click.Choice(shapes),
            default=shapes[0],
            show_default=True,
            callback=_chosen,
            help="What the result is printed as.",
        )(command)

    return decorate


def _noted(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def note(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            context.meta.setdefault(_GIVEN, []).append(name)

    return note


def _chosen(context: click.Context, parameter: click.Parameter, value: str) -> str:
    given = [f"--{each}" for each in context.meta.get(_GIVEN, ())]
    chosen = [each.removeprefix("--") for each in given]
    if context.get_parameter_source(parameter.name or "") is not click.core.ParameterSource.DEFAULT:
        given.append(f"--format {value}")
        chosen.append(value)
    if len(set(chosen)) > 1:
        raise click.UsageError(f"say {' or '.join(given)}, not both")
    return chosen[0] if chosen else value
