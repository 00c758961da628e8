"""``altinn-bridge search``: which dialogs are there?"""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.end_users import dialogporten_url, end_user_token, in_language, printable, token_option, url_option
from bridge.cli.rows import Csv, Table, writing
from bridge.cli.shapes import ROWS, shape_option
from bridge.core.dialog_queries import FILTERS, LONGEST_PAGE, STEADY_ORDER, USUAL_PAGE, DialogQuery, Side, read_query
from bridge.core.errors import ConfigurationError, Fault

if TYPE_CHECKING:  # They bring requests, which nobody waits for who asks for help.
    from bridge.adapters.dialogporten.search import DialogSearch, Page

SIDES = {"owner": Side.OWNER, "enduser": Side.END_USER, "graphql": Side.GRAPHQL}
SEARCH_SCOPES = ("digdir:dialogporten.serviceprovider", "digdir:dialogporten.serviceprovider.search")
# The parts of a query whose option has another name.
_OPTIONS = {"page": "--limit", "token": "--continuation-token"}
# Headings in a table: the widths, and the members of the answer.
_TABLE = {"dialog": 36, "status": 17, "changed": 20, "party": 53, "title": None}
_MEMBERS = {"dialog": "id", "status": "status", "changed": "updatedAt", "party": "party", "title": "title"}
_CSV = (
    "id",
    "org",
    "serviceResource",
    "party",
    "status",
    "extendedStatus",
    "externalReference",
    "createdAt",
    "updatedAt",
    "contentUpdatedAt",
    "dueAt",
    "systemLabels",
    "isContentSeen",
    "title",
)


def _option(name: str) -> str:
    """The option of a filter or of another part of the query: ``--created-after``."""
    return _OPTIONS.get(name) or "--" + re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _in_options(fault: Fault) -> Fault:
    """*fault* with options in place of the names that the query has for them."""
    where = re.sub(r"^\w+", lambda found: _option(found.group()), fault.where)
    return replace(fault, where=where, message=re.sub(r"'(\w+)'", lambda found: _option(found[1]), fault.message))


def _query(
    side: Side, given: Mapping[str, Sequence[str]], *, order: str | None, page: int, token: str | None
) -> DialogQuery:
    """
    The query that the options ask for.

    Raises:
        ConfigurationError: Every fault, under its option.
    """
    try:
        return read_query(side, given, order_by=order, page=page, token=token)
    except ConfigurationError as error:
        raise ConfigurationError([_in_options(fault) for fault in error.faults]) from None


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    for each in reversed(FILTERS):
        most = f" At most {max(each.most.values())}." if each.most else ""
        more = " May be repeated." if each.many else ""
        of = "" if len(each.sides) == len(Side) else f" ({' and '.join(sorted(s.value for s in each.sides))} only)"
        command = click.option(
            _option(each.name),
            f"filter_{each.name.lower()}",
            multiple=True,
            metavar="VALUE",
            help=f"{each.meaning}{more}{most}{of}",
        )(command)
    return command


@click.command()
@click.option(
    "--as",
    "side",
    type=click.Choice(sorted(SIDES)),
    default="owner",
    show_default=True,
    help="As service owner with the settings' Maskinporten client, or as end user (REST or GraphQL) with a token.",
)
@_filters
@click.option("--order-by", metavar="KEY[_asc|_desc],…", help=f"{STEADY_ORDER} by default, so that no page shifts.")
@click.option("--limit", "page", type=int, default=USUAL_PAGE, show_default=True, help=f"A page: 1 to {LONGEST_PAGE}.")
@click.option("--limit-total", type=click.IntRange(min=1), metavar="N", help="Stop after so many dialogs.")
@click.option("--continuation-token", metavar="TOKEN", help="Go on where an earlier search ended.")
@shape_option(*ROWS)
@url_option
@token_option
def search(
    *,
    side: str,
    order_by: str | None,
    page: int,
    limit_total: int | None,
    continuation_token: str | None,
    shape: str,
    dialogporten: str | None,
    token_file: str | None,
    **filters: tuple[str, ...],
) -> None:
    """
    Search for dialogs and print them as they come, a page at a time.

    Ends with 0 (found, or nothing to find), 1 (refused, or out of reach) or 2 (called wrongly; every fault at once).
    """
    from bridge.adapters.dialogporten.search import SearchRefused
    from bridge.core.errors import UpstreamError

    query = _query(
        SIDES[side],
        {each.name: filters[f"filter_{each.name.lower()}"] for each in FILTERS},
        order=order_by,
        page=page,
        token=continuation_token,
    )
    searching = _as_owner(dialogporten) if query.side is Side.OWNER else _as_end_user(dialogporten, token_file)
    count, last = 0, None
    try:
        with writing(shape, table=Table(_TABLE, _cell), csv=Csv(_CSV, _value)) as write:
            for last in searching.pages(query, total=limit_total):
                write(last.items)
                count += len(last.items)
    except SearchRefused as error:
        click.echo(f"{error.detail}:", err=True)
        for key, text in error.findings:
            click.echo(printable(f"  {key + ': ' if key else ''}{text}"), err=True)
        sys.exit(1)
    except UpstreamError as error:
        click.echo(f"{error}; {count} dialogs were printed. {_going_on(last)}".rstrip(), err=True)
        sys.exit(1)
    found = "1 dialog" if count == 1 else f"{count} dialogs"
    click.echo(f"{found}. {_going_on(last) if last is not None and last.has_next else ''}".rstrip(), err=True)


def _going_on(last: "Page | None") -> str:
    return "" if last is None or last.token is None else f"Go on with --continuation-token {last.token}"


def _as_owner(url: str | None) -> "DialogSearch":
    from bridge.adapters.dialogporten.search import DialogSearch
    from bridge.adapters.http.session import new_session
    from bridge.adapters.maskinporten.auth import MaskinportenAuth
    from bridge.adapters.maskinporten.client import MaskinportenClient
    from bridge.adapters.maskinporten.keys import signing_key
    from bridge.config.settings import Settings

    settings = Settings.from_environ(os.environ)
    base = url or settings.dialogporten_url
    session = new_session(pool=1)
    client = MaskinportenClient(
        session,
        authority_url=settings.maskinporten_url,
        client_id=settings.maskinporten_client_id,
        key=signing_key(settings.maskinporten_key.reveal()),
        clock=lambda: datetime.now(UTC),
    )
    auth = MaskinportenAuth(client, scopes=SEARCH_SCOPES, base_url=base)
    return DialogSearch(session, base, auth=auth, clock=lambda: datetime.now(UTC), timeout=settings.upstream_timeout)


def _as_end_user(url: str | None, token_file: str | None) -> "DialogSearch":
    from bridge.adapters.dialogporten.end_user import Bearer
    from bridge.adapters.dialogporten.search import DialogSearch
    from bridge.adapters.http.session import new_session

    auth = Bearer(end_user_token(token_file))
    return DialogSearch(new_session(pool=1), dialogporten_url(url), auth=auth, clock=lambda: datetime.now(UTC))


def _cell(item: Mapping[str, object], heading: str) -> str:
    name = _MEMBERS[heading]
    text = _value(item, name)
    return text[:19].replace("T", " ") if name == "updatedAt" else text


def _value(item: Mapping[str, Any], name: str) -> str:
    if name == "title":
        value = ((item.get("content") or {}).get("title") or {}).get("value") or ()
        return in_language({each["languageCode"]: each["value"] for each in value}, "nb")
    if name == "systemLabels":
        return " ".join((item.get("endUserContext") or {}).get("systemLabels") or ())
    value = item.get(name)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
