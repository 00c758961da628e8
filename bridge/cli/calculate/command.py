"""``altinn-bridge calculate``: what an app makes of a form, and whether two apps make the same of many."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.shapes import shape_option
from bridge.cli.unread import echo_while_read

if TYPE_CHECKING:  # It brings requests and lxml, which nobody waits for who asks for help.
    from bridge.cli.calculate.apps import Target


@click.command()
@click.argument("form", type=click.Path(exists=True, path_type=Path), metavar="FILE")
@click.option("--app", required=True, metavar="ORG/APP", help="The app, or its whole address.")
@click.option("--data-type", required=True, metavar="T", help="The data type's id in the app's metadata.")
@click.option("--against", metavar="OTHER", help="A second app (ORG/APP or an address) whose results are compared.")
@click.option("--schema", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The form's XSD.")
@click.option("--party", metavar="P", help="As apps take it: partyid:51001, org:310000019.")
@click.option("--language", metavar="L", help="nb, nn or en, told to the app.")
@click.option("--anonymous", is_flag=True, help="Use the routes without a token.")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An Altinn token.")
@click.option(
    "--against-token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The token for OTHER; needed where it is on another host.",
)
@shape_option("table", "json", "html")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write a page to read, in the app's language; in English without --language.",
)
@click.option("--results", type=click.Path(dir_okay=False, path_type=Path), help="Where a folder's run can be resumed.")
@click.option("--at-once", type=click.IntRange(1, 64), default=4, show_default=True, help="Forms of a folder at once.")
@click.pass_context
def calculate(
    context: click.Context,
    *,
    form: Path,
    app: str,
    data_type: str,
    against: str | None,
    schema: Path | None,
    party: str | None,
    language: str | None,
    anonymous: bool,
    token_file: Path | None,
    against_token_file: Path | None,
    shape: str,
    page: Path | None,
    results: Path | None,
    at_once: int,
) -> None:
    """
    Let a stateless app calculate FILE (XML or JSON) and explain what it changed, added and dropped.

    With --against the results of two apps are compared instead. FILE may then be a folder: every form in it goes
    through both, and where they differ is told by path and number of forms. Values are shown for one form only.

    The token is the bridge's own, by the settings, unless --anonymous or --token-file says otherwise. Ends with 0 when
    the form was calculated and, with --against, nothing differs; with 1 otherwise, and with 2 when called wrongly.
    """
    from bridge.cli.calculate.apps import Caller, targets
    from bridge.cli.quiet import quiet

    context.with_resource(quiet())
    if page is not None and not page.absolute().parent.is_dir():
        raise click.UsageError(f"there is no folder {page.parent} for the page")
    caller = Caller(data_type=data_type, party=party, language=language, anonymous=anonymous)
    apps = targets(app, against, caller, token_file=token_file, against_token_file=against_token_file)
    if form.is_dir():
        if len(apps) == 1:
            raise click.UsageError("A folder is compared: name the second app with --against.")
        _folder(
            context,
            form,
            apps,
            schema=schema,
            shape=shape,
            results=results,
            at_once=at_once,
            language=language,
            page=page,
        )
    else:
        _one(context, form, apps, schema=schema, shape=shape, language=language, page=page)


def _one(
    context: click.Context,
    form: Path,
    apps: "list[Target]",
    *,
    schema: Path | None,
    shape: str,
    language: str | None,
    page: Path | None,
) -> None:
    from bridge.cli.calculate.apps import Refused, compared, converter_of, why_not
    from bridge.core.errors import Finding
    from bridge.core.texts.findings import sentence
    from bridge.forms.conversion.converter import Unconvertible
    from bridge.forms.cut_short import stopped_at
    from bridge.forms.xml.input import Unreadable
    from bridge.web.proxy.report import as_json
    from bridge.web.proxy.report_page import page_of

    sent = form.read_bytes()
    before = after = sent
    try:
        answers = [app.calculate(sent) for app in apps]
        before, after = (sent, answers[0]) if len(apps) == 1 else (answers[0], answers[1])
        converter = converter_of(schema)
        found = compared(before, after, converter)
        # Of two apps, nobody knows which read less.
        stopped = stopped_at(sent, after, found, converter=converter) if len(apps) == 1 else ()
    except Refused as error:
        click.echo("\n  ".join((str(error), *_in_its_words(error.said))), err=True)
        context.exit(1)
    except (Unreadable, Unconvertible, ValueError) as error:
        names = [str(form), f"the answer of {apps[0].name}"] if len(apps) == 1 else [app.name for app in apps]
        click.echo(f"The forms cannot be compared: {why_not((before, after), names, error)}", err=True)
        context.exit(1)
    changes = [as_json(each) for each in found]
    name = " / ".join(app.name for app in apps)
    document = {"app": name, "findings": None, "changes": changes, "stoppedAt": stopped}
    two = len(apps) > 1
    if page is not None or shape == "html":
        written = page_of(document, _own(language), forms=(before, after), two=two)
        _write(page, written)
    match shape:
        case "json":
            echo_while_read(json.dumps(document, ensure_ascii=False, indent=2))
        case "html":
            echo_while_read(written)
        case _:
            echo_while_read(_told(changes, [app.name for app in apps]))
            for path in stopped:
                echo_while_read(f"{path}: {sentence(Finding(path=path, rule='lost_from_here'), _own(language))}")
    context.exit(1 if changes and two else 0)


def _told(changes: Sequence[Mapping[str, Any]], apps: Sequence[str]) -> str:
    """The differences as a table: before and after one app, or between two."""
    two = len(apps) > 1
    said = _OF_TWO if two else {}
    rows = [
        (each["path"], said.get(each["change"], each["change"]), _cell(each["old"]), _cell(each["new"]))
        for each in changes
    ]
    head = ("path", "difference", *apps) if two else ("path", "change", "before", "after")
    return _table(head, rows) if rows else "Nothing differs."


_MOST_LINES, _LONGEST_LINE = 50, 500


def _in_its_words(said: "Sequence[tuple[str, str]]") -> Iterator[str]:
    """Lines with what an app said of the form, by field; none of them can lead a terminal astray."""
    for field, message in said[:_MOST_LINES]:
        line = " ".join((f"{field}: {message}" if field else message).split())
        yield "".join(each if each.isprintable() else "\ufffd" for each in line[:_LONGEST_LINE])
    if len(said) > _MOST_LINES:
        yield f"and {len(said) - _MOST_LINES} more"


_OF_TWO = {"added": "only in second", "dropped": "only in first", "changed": "differs"}
"""Nobody changed anything where two apps are held against each other."""


def _own(language: str | None) -> str:
    return language if language in ("nb", "nn") else "en"


def _write(page: Path | None, text: str) -> None:
    if page is None:
        return
    try:
        page.write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"the page cannot be written: {error.strerror}") from error


def _folder(
    context: click.Context,
    folder: Path,
    apps: "list[Target]",
    *,
    schema: Path | None,
    shape: str,
    results: Path | None,
    at_once: int,
    language: str | None,
    page: Path | None,
) -> None:
    from bridge.cli.calculate.parity import Parity
    from bridge.cli.calculate.parity_page import parity_page

    with Parity(results, apps, schema=schema) as parity:
        parity.run(folder, at_once=at_once)
        summary = parity.summary()
        if page is not None or shape == "html":
            written = parity_page(summary, parity.examples(), parity.others(), language=_own(language))
            _write(page, written)
    match shape:
        case "json":
            echo_while_read(json.dumps(summary, ensure_ascii=False, indent=2))
        case "html":
            echo_while_read(written)
        case _:
            counts = ", ".join(f"{count} {outcome}" for outcome, count in summary["forms"].items())
            echo_while_read(
                f"{summary['total']} forms through {summary['apps'][0]} and {summary['apps'][1]}: {counts or 'none'}"
            )
            rows = [(each["path"], each["change"], str(each["forms"])) for each in summary["differences"]]
            if rows:
                echo_while_read(_table(("path", "change", "forms"), rows))
    sound = set(summary["forms"]) <= {"same", "refused alike"}
    context.exit(0 if sound else 1)


def _cell(value: object) -> str:
    text = "–" if value is None else str(value)
    if text != text.strip() or not text.isprintable():
        text = json.dumps(text, ensure_ascii=False)  # Two values that only blanks tell apart would look the same.
    return text if len(text) <= 40 else f"{text[:39]}…"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[index]) for row in (head, *rows)) for index in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    return "\n".join(line.rstrip() for line in lines)
