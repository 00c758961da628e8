"""The command line: one module per command, imported when it is called."""

import importlib
import sys
from typing import ClassVar

import click


class _Commands(click.Group):
    """Finds a command's module by its name, so that ``--help`` imports none of them."""

    MODULES: ClassVar[dict[str, str]] = {
        "calculate": "Let an app calculate a form and explain it, or hold two apps against each other.",
        "act": "Press a write action as an end-user system does.",
        "check": "Check settings, mappings and schemas: every fault at once.",
        "convert": "Turn a form from XML into JSON or back, by its XSD, dropping nothing.",
        "drafts": "Make dialogs for what waits in Altinn 2, and let them follow it.",
        "demo": "Run the main job on the sandbox and show what happens.",
        "elements": "See what a party has in Altinn 2: its elements, or one with forms and attachments.",
        "logins": "See whether the login to Altinn 2 is locked, and unlock it.",
        "operations": "See accepted actions, and decide about those that were set aside.",
        "pauses": "See the pauses that systems asked for, and lift them.",
        "schema": "Print the JSON Schema of mapping or route files, or the table of settings.",
        "sandbox": "Run the simulators of Altinn, Dialogporten and Maskinporten.",
        "search": "Search for dialogs as service owner or end user.",
        "serve": "Run the service.",
        "token": "Look into dialog tokens.",
        "validate": "Hold forms against a schema or a mapping, and say what is wrong with them.",
        "work": "Run a worker beside the service, on PostgreSQL.",
    }
    PACKAGES = frozenset({"calculate", "check", "demo", "sandbox", "validate"})

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(self.MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.MODULES:
            return None
        module = importlib.import_module(f"bridge.cli.{cmd_name}" + (".command" if cmd_name in self.PACKAGES else ""))
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self.MODULES.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="altinn-dialog-bridge", prog_name="altinn-bridge")
def _bridge() -> None:
    """From Dialogporten's write actions to Altinn 2 and Altinn 3, and back to the dialog."""


def main() -> None:
    """
    Run ``altinn-bridge``.

    Exit codes: 0 done, 1 the command found something wrong, 2 it was called or configured wrongly.
    """
    from bridge.core.errors import ConfigurationError, UpstreamError

    try:
        _bridge()
    except ConfigurationError as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        raise SystemExit(2) from None
    except UpstreamError as error:
        click.echo(str(error), err=True)
        raise SystemExit(1) from None
    except Exception as error:
        # The database's own errors; its package is not imported for a command that needs none.
        opening = sys.modules.get("bridge.storage.opening")
        reason = None if opening is None else opening.told_of(error)
        if reason is None:
            raise
        click.echo(str(reason), err=True)
        raise SystemExit(2 if isinstance(reason, ConfigurationError) else 1) from None
