"""The demo on the screen: colours where there is a terminal, plain lines where there is none, or one JSON document."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from bridge.cli.demo.people import SERVICE, Answer, Case
from bridge.cli.demo.stage import Stage
from bridge.cli.demo.story import Element, Press, Shown, Story, Trespass, findings_of
from bridge.cli.demo.timeline import Line

GOOD, BAD, FAINT, STRONG, ACCENT = "green", "red", "bright_black", "bold", "cyan"
SAME = "the same"


class Screen:
    """Prints for people; *quiet* prints nothing."""

    def __init__(self, *, quiet: bool) -> None:
        # Never wrapped: a terminal does that itself, and a pipe wants whole lines.
        self.console = Console(quiet=quiet, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def say(self, *parts: str | tuple[str, str]) -> None:
        """Print a line of texts, some with their style."""
        text = Text.assemble(*parts)
        text.rstrip()
        self.console.print(text)

    def case(self, case: Case) -> None:
        """Print which case was put in place."""
        service = f"{SERVICE['code']}/{SERVICE['edition']}"
        self.say(f"  case     element {case.element_id} of service {service}, dialog {case.dialog_id}")

    def heading(self, title: str) -> None:
        """Begin a part."""
        self.say()
        self.say((title, STRONG))

    def stage(self, stage: Stage) -> None:
        """Print what runs, and where."""
        self.say(("Altinn Dialog Bridge", STRONG), ", with a sandbox in place of the systems around it")
        self.say("  bridge   ", (stage.bridge_url, ACCENT), "  its own process under gunicorn, on SQLite")
        self.say("  sandbox  ", (stage.sandbox_url, ACCENT), "  Altinn 2, Dialogporten, Maskinporten")

    def waiting(self, text: str) -> AbstractContextManager[object]:
        """Show on a terminal that something takes its time."""
        return self.console.status(f"{text} …") if self.console.is_terminal else nullcontext()

    def line(self, line: Line, pressed_at: datetime) -> None:
        """Show who called whom."""
        seconds = (line.at - pressed_at).total_seconds()
        method, _, words = line.what.partition(" ")
        writes = method in ("PUT", "PATCH") or line.milliseconds is None
        status = "" if line.status is None else str(line.status)
        took = "" if line.milliseconds is None else _milliseconds(line.milliseconds).rjust(8)
        self.say(
            (f"{seconds:8.3f}  ", FAINT),
            f"{line.who} → {line.whom}".ljust(29),
            (f"{method} {words}".ljust(29), STRONG if writes else ""),
            (status.rjust(4), GOOD if status.startswith("2") else BAD),
            (took, FAINT),
        )

    def changes(self, press: Press) -> None:
        """Show what the press changed, before and after, and how long the button was busy."""
        if press.answer.problem is not None:
            self.heading("It was refused")
            self.refusal(press.answer)
        self.heading("What changed")
        (was, dialog_was), (now, dialog_now) = press.before, press.after
        rows = [
            ("Altinn 2", was.status, now.status),
            ("element", was.id, _with_reference(now)),
            *_digest_rows("form", was.forms, now.forms),
            *_digest_rows("attachment", was.attachments, now.attachments),
            ("dialog", dialog_was.status, dialog_now.status),
            ("buttons", " · ".join(dialog_was.buttons), " · ".join(dialog_now.buttons)),
            ("activities", _counted(dialog_was.activities), _counted(dialog_now.activities)),
        ]
        width = max(len(before) for _, before, _ in rows) + 3
        for name, before, after in rows:
            style = FAINT if after == SAME else STRONG
            self.say((f"  {name:12}", FAINT), before.ljust(width), (after, style if after != before else FAINT))
        busy = "never let go" if press.busy is None else f"busy for {press.busy:.0f} ms"
        self.say(("  the button  ", FAINT), (busy, STRONG), ", from the press until DIALOG_UPDATED")

    def refusal(self, answer: Answer) -> None:
        """Show a problem document in plain words."""
        problem = answer.problem or {}
        self.say(
            f"  {answer.status} ",
            (problem.get("title", "without a problem document"), STRONG),
            (f"  {_milliseconds(answer.milliseconds)}", FAINT),
        )
        if detail := problem.get("detail"):
            self.say(f"      {detail}")
        for each in findings_of(answer):
            self.say((f"      line {each['line']:<3} ", FAINT), each["message"])
            self.say((f"               {each['path']}", FAINT))

    def faulty(self, faulty: Press) -> None:
        """Show what a form with faults led to."""
        self.refusal(faulty.answer)
        reads = sum(line.whom == "Altinn 2" for line in faulty.lines)
        self.say(
            f"      Altinn 2: {reads} reads, {len(faulty.puts)} writes; the element is still {faulty.after[0].id},"
            f" {faulty.after[0].status}."
        )
        for text in faulty.after[1].told:
            self.say(f"      The dialog now says: “{text}”")

    def trespass(self, trespass: Trespass) -> None:
        """Show what a token for another dialog led to."""
        self.refusal(trespass.answer)
        self.say(f"      {len(trespass.lines) or 'no'} calls to other systems")

    def kept(self, stage: Stage, curl: str) -> None:
        """Print what can be done while all is left running."""
        self.heading("All of it runs until Ctrl-C")
        self.say("  bridge   ", (stage.bridge_url, ACCENT), "  /health/deep, /metrics")
        self.say("  sandbox  ", (stage.sandbox_url, ACCENT), "  /_sandbox/ledger, /_sandbox/calls; see docs/sandbox.md")
        self.say(f"  log      {stage.log}")
        self.say("Press a fresh dialog's button yourself; the token is good for ten minutes:")
        self.say()
        self.say(curl)

    def checks(self, results: Mapping[str, bool], seconds: float) -> None:
        """List the checks."""
        self.heading("Checks")
        for name, passed in results.items():
            self.say(("  ✓ ", GOOD) if passed else ("  ✗ ", BAD), name if passed else (name, BAD))
        self.say()
        failed = sum(not passed for passed in results.values())
        if failed:
            self.say((f"{failed} of {len(results)} checks failed", BAD), f", in {seconds:.1f} s.")
        else:
            self.say((f"All {len(results)} checks passed", GOOD), f", in {seconds:.1f} s.")


def document(story: Story, results: Mapping[str, bool], *, stage: Stage, start: float, total: float) -> dict[str, Any]:
    """The same facts for machines; *start* and *total* are seconds."""
    press = story.press
    return {
        "ok": all(results.values()),
        "checks": dict(results),
        "addresses": {"bridge": stage.bridge_url, "sandbox": stage.sandbox_url},
        "milliseconds": {
            "start": round(start * 1000),
            "press": round(press.answer.milliseconds, 1),
            "busy": None if press.busy is None else round(press.busy, 1),
            "total": round(total * 1000),
        },
        "timeline": _timeline(press),
        "answer": _answer(press.answer),
        "changes": {"before": _state(press.before), "after": _state(press.after)},
        "refusals": {
            "faulty_form": {
                **_answer(story.faulty.answer),
                "timeline": _timeline(story.faulty),
                "puts": len(story.faulty.puts),
                "effects": dict(story.faulty.effects),
                "changes": {"before": _state(story.faulty.before), "after": _state(story.faulty.after)},
            },
            "other_dialog": {**_answer(story.trespass.answer), "calls": len(story.trespass.lines)},
        },
    }


def _timeline(press: Press) -> list[dict[str, object]]:
    return [
        {
            "seconds": round((line.at - press.answer.sent_at).total_seconds(), 4),
            "from": line.who,
            "to": line.whom,
            "what": line.what,
            "status": line.status,
            "milliseconds": None if line.milliseconds is None else round(line.milliseconds, 1),
        }
        for line in press.lines
    ]


def _answer(answer: Answer) -> dict[str, object]:
    return {"status": answer.status, "problem": answer.problem}


def _state(state: tuple[Element, Shown]) -> dict[str, object]:
    element, dialog = state
    return {"altinn2": asdict(element), "dialog": asdict(dialog)}


def _with_reference(element: Element) -> str:
    if element.archive_reference is None:
        return element.id
    return f"{element.id}, archive reference {element.archive_reference}"


def _digest_rows(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
    return [
        (name, f"{each}, sha256 {before.get(each, '')[:8]}…", _compared(before.get(each), after.get(each)))
        for each in {**before, **after}
    ]


def _compared(before: str | None, after: str | None) -> str:
    if after is None:
        return "gone"
    return SAME if before == after else f"sha256 {after[:8]}…"


def _milliseconds(number: float) -> str:
    return f"{number:.0f} ms" if number >= 10 else f"{number:.1f} ms"


def _counted(activities: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in activities.items()) or "none"
