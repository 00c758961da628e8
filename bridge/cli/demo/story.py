"""What is played, what came out, and whether it is what should have come out."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.cli.demo.people import GUIDE, STATUS, Answer, Arbeidsflate, Button, Case, Dialog, ServiceOwner
from bridge.cli.demo.stage import DemoFailed, Stage
from bridge.cli.demo.timeline import BRIDGE, Line, Timeline, calls_since, last_call, line_of
from bridge.config.mapping_states import ARCHIVED, FORM_FILLING
from bridge.core.targets import Target
from bridge.forms.xml.input import Limits, canonical, parse, to_utf8
from bridge.steps.drivers.registry import CASES

EVENT_WITHIN = timedelta(seconds=10)
LOOK_EVERY = 0.02
SETTLE = timedelta(milliseconds=60)
TO_THE_END = "the demo runs to its end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An Altinn 2 element: *forms* and *attachments* with their digests, of forms in canonical XML."""

    id: str
    status: str
    archive_reference: str | None
    forms: Mapping[str, str]
    attachments: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a dialog shows: *activities* counts by type, *told* is the text of those of type Information."""

    status: str
    buttons: tuple[str, ...]
    activities: Mapping[str, int]
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One press and what it led to. *lines* is who called whom; *busy* is the milliseconds until the event."""

    case: Case
    button: Button
    preflight: bool
    answer: Answer
    busy: float | None
    lines: tuple[Line, ...]
    before: tuple[Element, Shown]
    after: tuple[Element, Shown]
    buttons_after: tuple[Button, ...]
    puts: tuple[Mapping[str, str], ...]
    """The flags of every PUT that Altinn 2 was sent, as they were on the wire."""
    effects: Mapping[str, int]
    """What Altinn 2 and Dialogporten remember of it, by kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trespass:
    """A press with a token for another dialog, and the calls that it led to."""

    answer: Answer
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All that was played."""

    press: Press
    faulty: Press
    trespass: Trespass


class Play:
    """The demo's acts."""

    def __init__(self, stage: Stage, owner: ServiceOwner, user: Arbeidsflate) -> None:
        self._stage, self._owner, self._user = stage, owner, user

    def press(self, case: Case, show: Callable[[Line, datetime], None] = lambda _line, _pressed_at: None) -> Press:
        """
        Do all that Arbeidsflate does, from reading the dialog to hearing that it changed.

        *show* gets each line as soon as it is known, with the moment of the press.
        """
        timeline, lines = Timeline(self._stage.world), list[Line]()

        def tell(fresh: Sequence[Line], pressed_at: datetime) -> None:
            for line in fresh:
                show(line, pressed_at)
            lines.extend(fresh)

        effects, calls = self._effects(), last_call(self._stage.world)
        dialog = self._user.read(case.dialog_id)
        before = (self._element(case), shown(dialog))
        button = write_action(dialog)
        with self._user.subscribe(dialog, timeline) as subscription, ThreadPoolExecutor(1) as browser:
            preflight = self._user.ask_first(button, timeline)
            pressing = browser.submit(self._user.press, button, dialog.token, timeline)
            until = timeline.now() + EVENT_WITHIN
            while not (pressing.done() and subscription.heard) and timeline.now() < until:
                if timeline.pressed_at is not None:
                    tell(timeline.fresh(settle=SETTLE), timeline.pressed_at)
                time.sleep(LOOK_EVERY)
            answer = pressing.result()
        tell(timeline.fresh(), answer.sent_at)
        changed = self._user.read(case.dialog_id)
        return Press(
            case=case,
            button=button,
            preflight=preflight,
            answer=answer,
            busy=subscription.since(answer.began),
            # Shown as they became known; kept as they happened.
            lines=tuple(sorted(lines, key=lambda line: line.at)),
            before=before,
            after=(self._element(case), shown(changed)),
            buttons_after=changed.buttons,
            puts=tuple(
                call.query
                for call in calls_since(self._stage.world, calls)
                if call.system == "altinn2" and call.method == "PUT"
            ),
            effects=self._effects() - effects,
        )

    def trespass(self, button: Button, token_of: Case) -> Trespass:
        """Press a button with the token of another dialog than its own."""
        token = self._user.read(token_of.dialog_id).token
        before = last_call(self._stage.world)
        answer = self._user.press(button, token, Timeline(self._stage.world))
        lines = [
            line_of(call)
            for call in calls_since(self._stage.world, before)
            # The bridge may look after its keys at any time.
            if ".well-known" not in call.path
        ]
        return Trespass(answer=answer, lines=tuple(line for line in lines if line.who == BRIDGE))

    def _effects(self) -> Counter[str]:
        return Counter(effect.kind for effect in self._stage.world.ledger.effects())

    def _element(self, case: Case) -> Element:
        return element(self._owner.element(case))


def write_action(dialog: Dialog) -> Button:
    """
    The button that the demo presses.

    Raises:
        DemoFailed: The dialog has none.
    """
    for button in dialog.buttons:
        if button.presses:
            return button
    raise DemoFailed("The dialog has no button to press.")


def shown(dialog: Dialog) -> Shown:
    """What a dialog shows."""
    return Shown(
        status=dialog.status,
        buttons=tuple(button.title for button in dialog.buttons),
        activities=dict(Counter(dialog.activities)),
        told=dialog.told,
    )


def element(held: Mapping[str, Any]) -> Element:
    """An element, from what the sandbox's control API shows of it."""
    return Element(
        id=held["id"],
        status=STATUS.get(held["state"], held["state"]),
        archive_reference=CASES[Target.ALTINN2.value].archived_copy(held["id"]).reference,
        forms={
            f"{each['type']} {each['data_format_id']}/{each['data_format_version']}": _digest(each["xml"])
            for each in held["forms"]
        },
        attachments={each["file_name"]: each["sha256"] for each in held["attachments"]},
    )


def checks(story: Story) -> dict[str, bool]:
    """Whether it came out as it should, sentence by sentence."""
    return {
        TO_THE_END: True,
        **_press_checks(story.press),
        **_faulty_checks(story.faulty),
        **_trespass_checks(story.trespass),
        "a browser may read the refusals": story.faulty.answer.cors and story.trespass.answer.cors,
    }


def _press_checks(press: Press) -> dict[str, bool]:
    (was, _), (now, dialog) = press.before, press.after
    return {
        "the preflight lets Arbeidsflate press": press.preflight,
        "the press is answered 204": press.answer.status == 204,
        "Arbeidsflate hears that the dialog changed": press.busy is not None,
        "Altinn 2 gets one PUT, with complete=true and sign=true": (
            [(each.get("complete"), each.get("sign")) for each in press.puts] == [("true", "true")]
            and press.effects.get("altinn2.put") == 1
        ),
        "the element is archived, with a new id and an archive reference": (
            (was.status, now.status) == (FORM_FILLING, ARCHIVED)
            and now.id.startswith("b")
            and now.archive_reference is not None
        ),
        "no form and no attachment is lost or changed": (
            bool(was.forms and was.attachments) and (was.forms, was.attachments) == (now.forms, now.attachments)
        ),
        "the dialog is changed once, and is Completed": (
            press.effects.get("dialogporten.patch") == 1 and dialog.status == "Completed"
        ),
        "the pressed button is gone": press.button not in press.buttons_after,
        "the other button is still there": GUIDE in [each.url for each in press.buttons_after],
        "the dialog's history says FormSubmitted": dialog.activities == {"FormSubmitted": 1},
    }


def _faulty_checks(faulty: Press) -> dict[str, bool]:
    findings = findings_of(faulty.answer)
    now, dialog = faulty.after
    return {
        "a form with faults is refused": faulty.answer.status == 422,
        "each fault has a line, a path and a reason": bool(findings)
        and all(each.get("line") and each.get("path") and each.get("message") for each in findings),
        "nothing of that form is sent": not faulty.puts
        and not any(kind.startswith("altinn2.") for kind in faulty.effects),
        "that form's element is untouched": now == faulty.before[0] and now.status == FORM_FILLING,
        "that form's dialog says why, and keeps its button": (
            dialog.activities == {"Information": 1} and len(dialog.told) == 1 and faulty.button in faulty.buttons_after
        ),
    }


def _trespass_checks(trespass: Trespass) -> dict[str, bool]:
    problem = trespass.answer.problem or {}
    return {
        "a token for another dialog is refused": (
            trespass.answer.status == 403 and problem.get("type", "").endswith(":other_dialog")
        ),
        "a token for another dialog reaches no other system": not trespass.lines,
    }


def findings_of(answer: Answer) -> Sequence[Mapping[str, Any]]:
    """The faults that a problem document names."""
    found: Sequence[Mapping[str, object]] = (answer.problem or {}).get("findings", ())
    return found


def _digest(xml: str) -> str:
    return hashlib.sha256(canonical(parse(to_utf8(xml, Limits())))).hexdigest()
