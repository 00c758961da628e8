"""``altinn-bridge act``: presses a button of a dialog as an end-user system does."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click

from bridge.cli.end_users import dialogporten_url, end_user_token, in_language, printable, token_option, url_option
from bridge.cli.shapes import TEXT, shape_option
from bridge.core.ids import mask_identity_numbers

if TYPE_CHECKING:  # They bring requests, which nobody waits for who asks for help.
    from bridge.adapters.dialogporten.end_user import Button, SeenDialog
    from bridge.adapters.dialogporten.press import Pressed

DONE, REFUSED, NO_NEWS, UNKNOWN = 0, 1, 3, 4
"""What ``act`` ends with; 2 is click's own, for a wrong call."""


@click.command()
@click.argument("dialog", type=click.UUID)
@click.argument("action", required=False)
@click.option("--url", metavar="URL", help="Press the button with this address instead; the dialog must have it.")
@click.option("--yes", is_flag=True, help="Answer the button's question with yes.")
@click.option("--language", type=click.Choice(["nb", "nn", "en"]), default="nb", show_default=True)
@click.option("--wait", type=click.FloatRange(0, 600), default=10, show_default=True, metavar="SECONDS")
@shape_option(*TEXT)
@url_option
@token_option
def act(
    *,
    dialog: UUID,
    action: str | None,
    url: str | None,
    yes: bool,
    language: str,
    wait: float,
    shape: str,
    dialogporten: str | None,
    token_file: str | None,
) -> None:
    """
    Press ACTION of DIALOG: read it, subscribe to it, press, wait for news, read it again.

    ACTION is the last part of the button's address (submit), its action (write) or its title. Without ACTION and --url
    nothing is pressed, and the buttons are listed.

    \b
    Ends with
      0  the dialog changed, or the receiver says that it is done; or the buttons were listed
      1  the press was refused, at once or later, or the dialog could not be read before it
      2  called wrongly: no such button, or more than one
      3  accepted, and nothing was heard in time; it may still be done
      4  no answer came, and nothing was heard; it may have been done
    """
    from bridge.adapters.dialogporten.end_user import Bearer, EndUserClient
    from bridge.adapters.dialogporten.press import press
    from bridge.adapters.http.session import new_session
    from bridge.core.errors import UpstreamError

    auth = Bearer(end_user_token(token_file))
    with new_session(pool=2) as session:
        client = EndUserClient(session, dialogporten_url(dialogporten), auth=auth, clock=lambda: datetime.now(UTC))
        try:
            seen = client.read(dialog)
            if action is None and url is None:
                _list(seen, language, shape)
                sys.exit(DONE)
            button = _chosen(seen, action, url, language=language)
            _confirmed(button, language, yes=yes)
            outcome = press(client, seen, button, language=language, patience=wait)
        except UpstreamError as error:
            click.echo(str(error), err=True)
            sys.exit(REFUSED)
    _print(outcome, language, shape)
    sys.exit(exit_code(outcome))


def _print(outcome: "Pressed", language: str, shape: str) -> None:
    if shape == "json":
        import json

        click.echo(json.dumps(_report(outcome, language), ensure_ascii=False, indent=2))
    else:
        for line in _told(outcome, language):
            click.echo(mask_identity_numbers(printable(line)))


def exit_code(outcome: "Pressed") -> int:
    """What the command ends with."""
    if outcome.refused:
        return REFUSED
    if outcome.operation is not None:
        # Others change dialogs, too; what became of this press its receiver knows.
        ended = DONE if outcome.operation.done else REFUSED
        return NO_NEWS if outcome.operation.outcome is None else ended
    if outcome.changed or (outcome.unread is not None and outcome.status not in (None, 202)):
        return DONE
    return UNKNOWN if outcome.status is None else NO_NEWS


def _chosen(seen: "SeenDialog", action: str | None, url: str | None, *, language: str) -> "Button":
    """The one button that is meant: by its address, else by name, by action or by title."""
    if url is not None:
        # The token goes nowhere that the dialog does not name.
        fitting: Sequence[Button] = [each for each in seen.buttons if each.url == url]
    else:
        wanted = (action or "").lower()
        ways: Iterable[Sequence[Button]] = (
            [each for each in seen.buttons if each.name == action and each.presses],
            [each for each in seen.buttons if each.action == action and each.presses],
            [each for each in seen.buttons if in_language(each.title, language).lower() == wanted],
        )
        fitting = next((each for each in ways if each), [])
    # The same endpoint may stand there as GUI and as API action.
    distinct = list({(each.method, each.url): each for each in reversed(fitting)}.values())
    if len(distinct) != 1:
        what = "More than one fits" if distinct else "None fits"
        raise click.UsageError("\n  ".join([f"{what}. The dialog has:", *_listed(seen, language)]))
    button = distinct[0]
    if not button.presses:
        raise click.UsageError("this button is a link (GET): it is opened, not pressed")
    if not button.authorized:
        raise click.UsageError("this user may not press this button")
    return button


def _list(seen: "SeenDialog", language: str, shape: str) -> None:
    """Print the buttons, and press none."""
    if shape == "json":
        import json

        click.echo(
            json.dumps({"buttons": [_button(each, language) for each in seen.buttons]}, ensure_ascii=False, indent=2)
        )
        return
    for line in _listed(seen, language):
        click.echo(line)


def _button(button: "Button", language: str) -> dict[str, object]:
    return {
        "name": button.name,
        "action": button.action,
        "method": button.method,
        "title": mask_identity_numbers(in_language(button.title, language)) or None,
        "prompt": mask_identity_numbers(in_language(button.prompt, language)) or None,
        "url": mask_identity_numbers(button.url),
        "authorized": button.authorized,
    }


def _listed(seen: "SeenDialog", language: str) -> list[str]:
    lines = [
        f"{each.name if each.authorized else '(not allowed)'}  {each.action}  {each.method}"
        f"  {in_language(each.title, language)}"
        for each in seen.buttons
    ]
    return [mask_identity_numbers(printable(each)) for each in lines] or ["no buttons"]


def _confirmed(button: "Button", language: str, *, yes: bool) -> None:
    question = in_language(button.prompt, language)
    if not question or yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"the button asks «{printable(question)}»; answer it with --yes")
    click.confirm(printable(question), abort=True)


def _told(outcome: "Pressed", language: str) -> Iterable[str]:
    from bridge.adapters.dialogporten.press import News

    status = "no answer" if outcome.status is None else str(outcome.status)
    meaning = {204: "done", 202: "under way"}.get(outcome.status or 0, "refused" if outcome.refused else "accepted")
    yield f"answer       {status}" + ("" if outcome.status is None else f", {meaning}")
    if outcome.problem is not None:
        yield from _said(outcome.problem)
    if outcome.refused:
        return
    if outcome.operation is not None and outcome.operation.outcome is not None:
        yield f"outcome      {outcome.operation.outcome}"
        if outcome.operation.problem is not None:
            yield from _said(outcome.operation.problem)
    if outcome.news is News.NONE:
        yield f"news         none in {outcome.seconds:.1f} s; that does not mean that it was given up"
    else:
        yield f"news         {outcome.news.value}, {outcome.seconds:.1f} s after the press"
    yield from (f"{name:12} {text}" for name, text in _changes(outcome, language))


def _said(problem: Mapping[str, object]) -> Iterable[str]:
    """Tell a problem in its own words, and the faults of a form one by one."""
    yield f"it says      {problem.get('title', '')}: {problem.get('detail', '')}"
    findings = problem.get("findings")
    for each in findings if isinstance(findings, list) else ():
        if isinstance(each, dict):
            yield f"             {each.get('path', '')}: {each.get('message', '')}"


def _changes(outcome: "Pressed", language: str) -> Iterable[tuple[str, str]]:
    """Compare the dialog before and after."""
    before, after = outcome.before, outcome.after
    if outcome.unread is not None:
        yield "dialog", f"could not be read after the press: {outcome.unread}"
        return
    if after is None:
        yield "dialog", "gone"
        return
    if (before.status, before.extended_status) != (after.status, after.extended_status):
        yield "status", f"{before.status} → {after.status}"
    for sign, ours, others in (("-", before, after), ("+", after, before)):
        known = {(each.method, each.url) for each in others.buttons}
        for each in ours.buttons:
            if (each.method, each.url) not in known:
                yield "button", f"{sign} {in_language(each.title, language) or each.action}"
    old = {each.id for each in before.events}
    for event in after.events:
        if event.id not in old:
            yield "activity", f"+ {event.type} {in_language(event.text, language)}".rstrip()
    if before.revision == after.revision:
        yield "dialog", "unchanged"


def _report(outcome: "Pressed", language: str) -> dict[str, object]:
    return {
        "status": outcome.status,
        "problem": outcome.problem if outcome.operation is None else outcome.operation.problem or outcome.problem,
        "outcome": None if outcome.operation is None else outcome.operation.outcome,
        "news": outcome.news.name.lower(),
        "seconds": round(outcome.seconds, 3),
        # Where it could not be read nobody knows.
        "changed": outcome.changed if outcome.unread is None else None,
        "changes": [{"what": name, "text": mask_identity_numbers(text)} for name, text in _changes(outcome, language)],
        "exit_code": exit_code(outcome),
    }
