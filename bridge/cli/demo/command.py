"""``altinn-bridge demo``: the main job on the sandbox, in one command."""

import contextlib
import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.shapes import TEXT, shape_option

if TYPE_CHECKING:  # They bring the sandbox and HTTP, which nobody waits for who asks for help.
    from bridge.cli.demo.people import Arbeidsflate, Case, ServiceOwner
    from bridge.cli.demo.show import Screen
    from bridge.cli.demo.stage import Stage
    from bridge.cli.demo.story import Play, Story

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--keep", is_flag=True, help="Leave all running until Ctrl-C, with a curl line to try.")
@shape_option(*TEXT)
@click.option(
    "--language",
    type=click.Choice(["nb", "nn", "en"]),
    default="nb",
    show_default=True,
    help="What the person who presses reads.",
)
@click.option("--form", type=_FILE, metavar="FILE", help="The form to send, instead of the example.")
@click.option("--schemas", type=_FOLDER, metavar="DIR", help="The form schemas, instead of those that ship.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The bridge's port; any free one.")
@click.pass_context
def demo(
    context: click.Context,
    /,
    *,
    keep: bool,
    shape: str,
    language: str,
    form: Path | None,
    schemas: Path | None,
    port: int,
) -> None:
    """
    Press a button as Arbeidsflate does, and see what happens.

    Runs the service beside a sandbox of Altinn 2, Dialogporten and Maskinporten, on this machine only. Ends with 0 if
    all came out as it should, 1 if not.
    """
    began, as_json = time.perf_counter(), shape == "json"
    from requests import RequestException

    from bridge.cli.demo.show import Screen
    from bridge.cli.demo.stage import DemoFailed, set_up
    from bridge.core.errors import UpstreamError

    _prepare_process()
    stage: Stage | None = None
    try:
        with set_up(schemas=schemas, port=port) as stage:
            run = _Run(stage, Screen(quiet=as_json), began=began, as_json=as_json, keep=keep)
            passed = run.play(language=language, form=form)
    except (DemoFailed, UpstreamError) as error:
        passed = _broke_off(str(error), stage, as_json=as_json)
    except RequestException:
        passed = _broke_off("The bridge stopped answering.", stage, as_json=as_json)
    except OSError as error:
        passed = _broke_off(f"The demo broke off: {error.strerror}.", stage, as_json=as_json)
    context.exit(0 if passed else 1)


def _prepare_process() -> None:
    # A shell lets what it starts in the background ignore Ctrl-C; here it is how the demo ends.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Whoever ends us ends the bridge with us.
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is signal.SIG_DFL:
            signal.signal(each, signal.default_int_handler)
    # A terminal without a ✓ gets a question mark.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]


class _Run:
    """One demo on its stage. *began* is its beginning, by ``perf_counter``."""

    def __init__(self, stage: "Stage", screen: "Screen", *, began: float, as_json: bool, keep: bool) -> None:
        self._stage, self._screen, self._began, self._as_json, self._keep = stage, screen, began, as_json, keep

    def play(self, *, language: str, form: Path | None) -> bool:
        """Play all acts, show what came out, and say whether all of it is as it should be."""
        from bridge.bundled import examples_folder
        from bridge.cli.demo.people import Arbeidsflate, ServiceOwner
        from bridge.cli.demo.story import Play

        good = _xml(form or examples_folder() / "serveringsbevilling.xml")
        bad = _xml(examples_folder() / "serveringsbevilling-with-faults.xml")
        with self._screen.waiting("Starting the bridge and the sandbox"):
            self._stage.start_bridge()
        started = time.perf_counter()
        self._screen.stage(self._stage)
        with contextlib.ExitStack() as stack:
            owner = stack.enter_context(contextlib.closing(ServiceOwner(self._stage)))
            owner.begin()
            user = Arbeidsflate(self._stage, owner.end_user_token(), language=language)
            stack.enter_context(contextlib.closing(user))
            story = self._acts(Play(self._stage, owner, user), owner, good=good, bad=bad)
            facts = self._judge(story, started)
            if self._keep:
                facts["curl"] = _curl(user, owner.put_in_place(good))
            if self._as_json:
                click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
            stayed = not self._keep or self._stay(facts["curl"])
        return stayed and bool(facts["ok"])

    def _acts(self, play: "Play", owner: "ServiceOwner", *, good: str, bad: str) -> "Story":
        from bridge.cli.demo.story import Story

        case = owner.put_in_place(good)
        self._screen.case(case)
        self._screen.heading("Somebody presses “Send inn” in Arbeidsflate (seconds since the press)")
        press = play.press(case, self._screen.line)
        self._screen.changes(press)
        self._screen.heading("Refused: a form with faults")
        faulty = play.press(owner.put_in_place(bad))
        self._screen.faulty(faulty)
        self._screen.heading("Refused: a token for another dialog")
        trespass = play.trespass(faulty.button, token_of=case)
        self._screen.trespass(trespass)
        return Story(press=press, faulty=faulty, trespass=trespass)

    def _judge(self, story: "Story", started: float) -> dict[str, Any]:
        from bridge.cli.demo.show import document
        from bridge.cli.demo.story import checks

        results = checks(story)
        took = time.perf_counter() - self._began
        self._screen.checks(results, took)
        facts = document(story, results, stage=self._stage, start=started - self._began, total=took)
        if not facts["ok"]:
            self._stage.log_wanted = True
            facts["log"] = str(self._stage.log)
            self._screen.say("The bridge's log: ", facts["log"])
        return facts

    def _stay(self, curl: str) -> bool:
        """Wait for Ctrl-C; false if the bridge ended first."""
        self._screen.kept(self._stage, curl)
        with contextlib.suppress(KeyboardInterrupt):
            while not self._stage.bridge_ended(within=1):
                continue
            self._stage.log_wanted = True
            click.echo(f"The bridge ended by itself; its log: {self._stage.log}", err=True)
            return False
        return True


def _xml(path: Path) -> str:
    from bridge.cli.demo.stage import DemoFailed
    from bridge.core.texts.findings import sentence
    from bridge.forms.xml.input import Limits, Unreadable, parse, to_utf8

    try:
        data = to_utf8(path.read_bytes(), Limits())
        parse(data)
    except Unreadable as error:
        where = f":{error.finding.line}:{error.finding.column}" if error.finding.line else ""
        raise DemoFailed(f"{path}{where}: {sentence(error.finding, 'en')}") from None
    return data.decode()


def _curl(user: "Arbeidsflate", case: "Case") -> str:
    """The command that presses a fresh dialog's button with a fresh token."""
    from bridge.cli.demo.story import write_action

    dialog = user.read(case.dialog_id)
    button = write_action(dialog)
    return f"curl -i -X {button.method} -H 'Authorization: Bearer {dialog.token}' {button.url}"


def _broke_off(sentence: str, stage: "Stage | None", *, as_json: bool) -> bool:
    """Why there is no more to show; false, since nothing passed."""
    from bridge.cli.demo.story import TO_THE_END

    log = str(stage.log) if stage is not None and stage.log.exists() else None
    if as_json:
        facts = {"ok": False, "error": sentence, "checks": {TO_THE_END: False}, "log": log}
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        click.echo(sentence, err=True)
        if log is not None:
            click.echo(f"The bridge's log: {log}", err=True)
    return False
