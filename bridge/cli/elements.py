"""``altinn-bridge elements``: what does a party have in Altinn 2?"""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.end_users import printable
from bridge.cli.rows import Csv, Table, writing
from bridge.cli.shapes import ROWS, TEXT, shape_option

if TYPE_CHECKING:  # They bring requests, which nobody waits for who asks for help.
    from bridge.adapters.altinn2 import Altinn2Client
    from bridge.core.elements import Attachment, Element, Form
    from bridge.core.mapping import Altinn2Service

STATES = {
    "formfilling": "FORM_FILLING",
    "signing": "SIGNING",
    "archived": "ARCHIVED",
    "unread": "UNREAD",
    "opened": "OPENED",
    "read": "READ",
    "confirmed": "CONFIRMED",
}
"""What is said here, and the name of the state."""

_AT_ONCE = 50
_TABLE = {"message_id": 14, "status": 18, "service": 12, "changed": 17, "due": 17, "subject": None}
_CSV = (
    *("message_id", "who", "type", "status", "service_code", "service_edition", "changed", "created", "due"),
    *("original_id", "archive_reference", "subject"),
)


def _read_who(context: click.Context, parameter: click.Parameter, value: str) -> str:  # noqa: ARG001
    """On whose behalf: never a national identity number, which would stand in addresses."""
    if not re.fullmatch(r"my|\d{9}|r\d{1,18}", value, re.ASCII):
        raise click.BadParameter("write 'my', an organisation number, or Altinn 2's id of a reportee: r50019105")
    return value


def _read_services(
    context: click.Context,  # noqa: ARG001
    parameter: click.Parameter,  # noqa: ARG001
    values: tuple[str, ...],
) -> "list[Altinn2Service]":
    from bridge.core.mapping import Altinn2Service

    found = [re.fullmatch(r"(\w{1,20})/(\d{1,9})", value, re.ASCII) for value in values]
    if not all(found):
        raise click.BadParameter("write code and edition: 5701/1")
    return [Altinn2Service(service_code=each[1], service_edition=int(each[2])) for each in found if each]


_who = click.option(
    "--who", callback=_read_who, required=True, metavar="WHO", help="my, an organisation number, or r50019105."
)


@click.group()
def elements() -> None:
    """
    See what a party has in Altinn 2; nothing is changed, and no letter is marked as read.

    Ends with 0, with 1 when Altinn 2 refused or was away, or with 2 when called or configured wrongly.
    """


@elements.command("list")
@_who
@click.option(
    "--service",
    "services",
    callback=_read_services,
    multiple=True,
    metavar="CODE/EDITION",
    help="May be repeated.",
)
@click.option("--state", "states", type=click.Choice(list(STATES)), multiple=True, help="May be repeated.")
@click.option("--since", type=click.DateTime(), help="What changed from then on (UTC); everything, if left out.")
@click.option("--until", type=click.DateTime(), help="What changed until then (UTC).")
@click.option("--limit-total", type=click.IntRange(min=1), metavar="N", help="Stop after so many elements.")
@shape_option(*ROWS)
def list_elements(
    *,
    who: str,
    services: "list[Altinn2Service]",
    states: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    limit_total: int | None,
    shape: str,
) -> None:
    """
    List a party's elements as they come, the newest first, fifty in memory at a time.

    One that changes while the list is read may come twice.
    """
    from bridge.adapters.altinn2.tasks import FIRST_YEAR, filter_of
    from bridge.core.cases import CaseStatus

    count = 0
    with _altinn2() as altinn2, writing(shape, table=Table(_TABLE, _cell), csv=Csv(_CSV, _value)) as write:
        found = altinn2.elements(
            who,
            since=FIRST_YEAR if since is None else since.replace(tzinfo=UTC),
            until=None if until is None else until.replace(tzinfo=UTC),
            filtered=filter_of(services, [CaseStatus[STATES[each]] for each in states]),
        )
        rest = islice(found, limit_total)
        while some := [_json(each) for each in islice(rest, _AT_ONCE)]:
            write(some)
            count += len(some)
    click.echo("1 element." if count == 1 else f"{count} elements.", err=True)


@elements.command("show")
@click.argument("element", metavar="ELEMENT")
@_who
@shape_option(*TEXT)
def show_element(*, element: str, who: str, shape: str) -> None:
    """Show one element (a, b or c and its number) with its forms and attachments, without what stands in them."""
    from bridge.adapters.altinn2.orders import ElementKey

    if not re.fullmatch(r"[abc]\d{1,18}", element, re.ASCII):
        raise click.BadParameter("write the letter and the number, such as a10042450", param_hint="ELEMENT")
    key = ElementKey(who=who, message_id=element)
    with _altinn2() as altinn2:
        found = altinn2.read(key, content=False)
        # It may stand there under another letter.
        key = ElementKey.of(found.case)
        forms, attachments = altinn2.list_forms(key), altinn2.list_attachments(key)
    whole = {
        **_json(found),
        "page": found.page,
        "forms": [_form(each) for each in forms],
        "attachments": [_attachment(each) for each in attachments],
    }
    if shape == "json":
        click.echo(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    for name in _CSV:
        if _value(whole, name):
            click.echo(f"{name:18}{_hidden(_value(whole, name))}")
    for each in whole["forms"]:
        click.echo(f"form              {' '.join(str(value) for value in each.values())}")
    for each in whole["attachments"]:
        size = "size unknown" if each["bytes"] is None else f"{each['bytes']} bytes"
        click.echo(f"attachment        {each['id']} {each['type']} {_hidden(each['name'])} {size}")


@contextmanager
def _altinn2() -> "Iterator[Altinn2Client]":
    """Open Altinn 2 as the bridge does; what it says against a call ends the command in words."""
    from bridge.cli.quiet import quiet
    from bridge.config.settings import Settings
    from bridge.core.errors import Missing, UpstreamError
    from bridge.wiring import prepare_database, wire

    settings = Settings.from_environ(os.environ)
    with quiet():
        prepare_database(settings)
        bridge = wire(settings)
        try:
            yield bridge.altinn2
        except Missing:
            click.echo("there is none: sent elements have another id; look among --state archived", err=True)
            sys.exit(1)
        except UpstreamError as error:
            click.echo(f"{error}", err=True)
            sys.exit(1)
        finally:
            bridge.queue.close()
            bridge.store.engine.dispose()


def _json(element: "Element") -> dict[str, Any]:
    from bridge.adapters.altinn2.orders import archive_reference

    return {
        "message_id": element.case.key,
        "who": element.case.owner,
        "type": element.type,
        "status": element.status_text,
        "service_code": element.service_code,
        "service_edition": element.service_edition,
        "changed": element.last_changed.isoformat(),
        "created": element.created and element.created.isoformat(),
        "due": element.due and element.due.isoformat(),
        "original_id": element.original_id,
        "archive_reference": archive_reference(element.case.key),
        "subject": element.subject,
    }


def _form(form: "Form") -> dict[str, object]:
    return {
        "id": form.form_id,
        "type": form.kind.value,
        "data_format_id": form.data_format_id,
        "data_format_version": form.data_format_version,
    }


def _attachment(attachment: "Attachment") -> dict[str, object]:
    return {
        "id": attachment.attachment_id,
        "type": attachment.attachment_type,
        "name": attachment.file_name,
        "bytes": attachment.size,
    }


def _value(item: Mapping[str, object], name: str) -> str:
    value = item.get(name)
    return "" if value is None else str(value)


def _cell(item: Mapping[str, object], heading: str) -> str:
    if heading == "service":
        return f"{item['service_code']}/{item['service_edition']}"
    text = _value(item, heading)
    return text[:16].replace("T", " ") if heading in ("changed", "due") else text


def _hidden(text: str) -> str:
    from bridge.core.ids import mask_identity_numbers

    return printable(mask_identity_numbers(text))
