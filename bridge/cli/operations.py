"""``altinn-bridge operations``: what was accepted, where it stands, and what an operator decides about it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click

from bridge.cli.rows import Csv, Table, writing
from bridge.cli.shapes import ROWS, TEXT, shape_option
from bridge.cli.stored import opened_store

if TYPE_CHECKING:  # They bring the database and the engine, which nobody waits for who asks for help.
    from bridge.core.operations import Operation
    from bridge.engine import Queue
    from bridge.storage.dead_letters import DeadLetters, Entry
    from bridge.storage.store import Store

STATES = ("dead", "held", "under-way", "left-out", "finished")
_TABLE = {"operation": 36, "state": 10, "why": 20, "action": 16, "accepted": 17, "tries": 5, "service": None}
_CSV = ("operation", "state", "why", "service", "action", "dialog", "accepted", "tries", "outcome")


@click.group()
def operations() -> None:
    """
    See accepted actions, and decide about those that were set aside. Nobody's number and no form is shown.

    A dead letter was given up, or its dialog could not be told; it keeps what was accepted until it is tried again or
    cancelled. A held one was accepted before the store was restored, and may have been carried out since.

    Ends with 0, with 1 when something is set aside (list, show) or could not be done (the others), or with 2 when
    called or configured wrongly.
    """


@operations.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="May be repeated; dead and held.")
@click.option("--service", metavar="RESOURCE", help="One service resource: urn:altinn:resource:…")
@click.option("--why", metavar="CODE", help="Why it was set aside: given_up, dialog_not_told, …")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@shape_option(*ROWS)
@click.pass_context
def list_operations(
    context: click.Context, *, states: tuple[str, ...], service: str | None, why: str | None, limit: int, shape: str
) -> None:
    """
    List operations, the oldest first: without --state those that were set aside.

    Ends with 0 when none of those listed is set aside, else with 1.
    """
    from bridge.storage.dead_letters import DeadLetters, Kind

    kinds = [Kind(each) for each in states or ("dead", "held")]
    with _store() as (store, _), store.reading() as tx:
        found = DeadLetters(tx).entries(kinds, service=service, why=why, limit=limit + 1)
    shown = [_row(each) for each in found[:limit]]
    if shape == "json":
        click.echo(json.dumps({"operations": shown, "more": len(found) > limit}, ensure_ascii=False, indent=2))
    else:
        with writing(shape, table=Table(_TABLE, _cell), csv=Csv(_CSV, _value)) as write:
            write(shown)
        if not shown:
            click.echo("nothing was found", err=shape != "table")
        if len(found) > limit:
            click.echo(f"there are more than {limit}", err=True)
    context.exit(1 if any(each["state"] in ("dead", "held") for each in shown) else 0)


@operations.command()
@click.argument("operation", type=click.UUID)
@shape_option(*TEXT)
@click.pass_context
def show(context: click.Context, operation: UUID, shape: str) -> None:
    """Show where OPERATION stands, why, and what can be done. Ends with 1 when it is set aside, or not there."""
    from bridge.storage.dead_letters import DeadLetters

    with _store() as (store, _), store.reading() as tx:
        entry = DeadLetters(tx).entry(operation)
    if entry is None:
        click.echo("there is no such operation", err=True)
        context.exit(1)
    members = _whole(entry)
    if shape == "json":
        click.echo(json.dumps(members, ensure_ascii=False, indent=2))
    else:
        width = max(map(len, members))
        for name, value in members.items():
            click.echo(f"{name:<{width}}  {_plain(value)}")
    context.exit(1 if members["state"] in ("dead", "held") else 0)


@operations.command()
@click.argument("chosen", type=click.UUID, nargs=-1, metavar="[OPERATION]...")
@click.option("--why", metavar="CODE", help="All dead letters that were set aside for this reason.")
@shape_option(*TEXT)
@click.pass_context
def retry(context: click.Context, *, chosen: tuple[UUID, ...], why: str | None, shape: str) -> None:
    """
    Let dead letters go on from the step that failed; what waits for its next try goes at once.

    What was sent before is looked for first, and nothing is sent where the element was changed by others meanwhile.
    """
    if bool(chosen) is (why is not None):
        raise click.UsageError("name operations, or a reason with --why")

    def again(letters: "DeadLetters", each: UUID, now: datetime) -> "Operation":
        entry = letters.entry(each)
        if entry is not None and entry.operation.finished_at is None:
            return letters.try_now(each, now=now)
        return letters.reopen(each, now=now, held=False)

    _decide(context, chosen or _all("dead", why), again, said="asked for", shape=shape)


@operations.command()
@click.argument("chosen", type=click.UUID, nargs=-1, metavar="[OPERATION]...")
@click.option("--all", "everything", is_flag=True, help="All that are held.")
@shape_option(*TEXT)
@click.pass_context
def release(context: click.Context, *, chosen: tuple[UUID, ...], everything: bool, shape: str) -> None:
    """
    Let held operations be carried out: those that were accepted before the store was restored.

    Look first whether they have been: the element's history in Altinn, and the dialog's.
    """
    if bool(chosen) is everything:
        raise click.UsageError("name operations, or give --all")

    def go(letters: "DeadLetters", each: UUID, now: datetime) -> "Operation":
        return letters.reopen(each, now=now, held=True)

    _decide(context, chosen or _all("held", None), go, said="released", shape=shape)


@operations.command()
@click.argument("operation", type=click.UUID)
@click.option("--reason", required=True, help="Why, in your words; it is kept. No names and no numbers of people.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shape_option(*TEXT)
@click.pass_context
def cancel(context: click.Context, *, operation: UUID, reason: str, yes: bool, shape: str) -> None:
    """
    Dismiss OPERATION and erase what it holds, for good.

    A dialog that has not heard of it is told that the action could not be completed. What was sent, and whose outcome
    is still being looked for, is not cancelled.
    """
    if not reason.strip():
        raise click.UsageError("a reason is needed")
    if not yes:
        click.confirm(f"Erase what {operation} holds, for good?", abort=True, err=True)

    def dismiss(letters: "DeadLetters", each: UUID, now: datetime) -> "Operation | None":
        return letters.cancel(each, now=now, why=reason)

    _decide(context, [operation], dismiss, said="cancelled", shape=shape)


def _decide(
    context: click.Context,
    chosen: Sequence[UUID],
    what: "Callable[[DeadLetters, UUID, datetime], Operation | None]",
    *,
    said: str,
    shape: str,
) -> None:
    """Do *what* with each, by itself, and ask for its run in the same transaction."""
    from bridge.steps.lease import run_of
    from bridge.storage.dead_letters import CannotBeDone, DeadLetters
    from bridge.wiring import utc_now

    results: list[dict[str, str]] = []
    with _store() as (store, queue):
        for each in chosen:
            try:
                with store.transaction() as tx:
                    found = what(DeadLetters(tx), each, utc_now())
                    if found is not None:
                        queue.enqueue(tx.connection, run_of(found))
            except CannotBeDone as error:
                results.append({"operation": str(each), "done": "no", "why": str(error)})
            else:
                results.append({"operation": str(each), "done": said})
    failed = [each for each in results if each["done"] == "no"]
    if shape == "json":
        click.echo(json.dumps(results, ensure_ascii=False, indent=2))
    else:
        for result in results:
            click.echo(f"{result['operation']}: {result.get('why', result['done'])}", err="why" in result)
        if not results:
            click.echo("nothing was found")
    context.exit(1 if failed else 0)


def _all(state: str, why: str | None) -> list[UUID]:
    from bridge.storage.dead_letters import DeadLetters, Kind

    with _store() as (store, _), store.reading() as tx:
        found = DeadLetters(tx).entries([Kind(state)], why=why, limit=10_000)
    return [each.operation.id for each in found]


@contextmanager
def _store() -> "Iterator[tuple[Store, Queue]]":
    from bridge.engine import Queue

    with opened_store(pool=2) as store, closing(Queue(store.engine)) as queue:
        yield store, queue


def _row(entry: "Entry") -> dict[str, object]:
    operation = entry.operation
    problem = None if operation.problem is None else operation.problem.code
    return {
        "operation": str(operation.id),
        "state": entry.kind.value,
        "why": operation.dead_why or problem,
        "service": operation.service_resource,
        "action": operation.action,
        "dialog": str(operation.dialog_id),
        "accepted": operation.accepted_at.isoformat(),
        "tries": operation.tries,
        "outcome": None if operation.outcome is None else operation.outcome.value,
    }


def _whole(entry: "Entry") -> dict[str, object]:
    from bridge.core.ids import mask_identity_numbers

    operation = entry.operation
    stage = operation.dead_stage or operation.stage
    return {
        **_row(entry),
        "element": None if operation.case is None else operation.case.key,
        "acceptedTo": _meaning(operation),
        "step": stage.value,
        "attempt": operation.attempt,
        "updated": entry.updated_at.isoformat(),
        "sendingAt": _moment(operation.sending_at),
        "answeredAt": _moment(operation.answered_at),
        "finished": _moment(operation.finished_at),
        "setAside": _moment(operation.dead_at),
        "lastError": None if operation.last_error is None else mask_identity_numbers(operation.last_error),
        "problem": None if operation.problem is None else operation.problem.code,
        "findings": 0 if operation.problem is None else len(operation.problem.findings),
        "leftOut": list(operation.left_out),
        "waitsBehind": entry.waits_behind,
        "keepsForm": entry.keeps_form,
        "formBytes": entry.form_bytes,
        "keepsWhoPressed": entry.keeps_actor,
        "cancelled": _moment(operation.dismissed_at),
        "cancelledWhy": operation.dismissed_why,
    }


def _meaning(operation: "Operation") -> str | None:
    """What the press was accepted to do, in the words of a mapping."""
    from bridge.core.mapping import Verb

    meaning = operation.meaning
    if meaning is None:
        return None
    flags = f", complete: {str(meaning.complete).lower()}, sign: {str(meaning.sign).lower()}"
    verb = meaning.verb.value if meaning.verb is not Verb.PUT else f"form: {meaning.form.value}"
    return f"target: {meaning.target.value}, {verb}{flags if meaning.verb is Verb.PUT else ''}"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _cell(row: Mapping[str, object], name: str) -> str:
    if name == "accepted":
        return str(row[name])[:16].replace("T", " ")
    return "" if row[name] is None else str(row[name])


def _value(row: Mapping[str, object], name: str) -> str:
    return "" if row[name] is None else str(row[name])


def _plain(value: object) -> str:
    from bridge.cli.end_users import printable
    from bridge.core.ids import mask_identity_numbers

    match value:
        case None | []:
            return "–"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case _:
            return printable(mask_identity_numbers(str(value)))
