"""``altinn-bridge sandbox case`` and ``form``: an element, its dialog, a token, and the line that presses."""

import base64
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bridge.bundled import examples_folder, mappings_folder
from bridge.cli.sandbox.calls import call, json_value, printed, sandbox_option
from bridge.cli.shapes import TEXT, shape_option

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_STATES = ("formfilling", "signing", "archived")


@click.command()
@click.option("--mapping", type=_FILE, metavar="FILE", help="Resource, service, forms and actions are its own.")
@click.option("--resource", metavar="URN", help="The service resource, where no mapping says it.")
@click.option("--service", metavar="CODE/EDITION", help="The Altinn 2 service; without any there is no element.")
@click.option(
    "--data-format", "formats", multiple=True, metavar="ID/VERSION", help="Of each form, where no mapping says it."
)
@click.option("--form", "forms", multiple=True, type=_FILE, metavar="FILE", help="XML; one for each form, in order.")
@click.option("--attachment", "attachments", multiple=True, metavar="TYPE=FILE", help="May be repeated.")
@click.option("--state", type=click.Choice(_STATES), default="formfilling", show_default=True)
@click.option("--signing-steps", type=click.IntRange(0, 9), metavar="N", help="How many signatures the service takes.")
@click.option("--unique-signers", is_flag=True, help="Each of another user.")
@click.option("--action", "actions", multiple=True, metavar="NAME", help="A button; the mapping's by default.")
@click.option("--context", "contexts", multiple=True, metavar="ACTION=JSON", help="Narrows a button: its context.")
@click.option("--who", metavar="NUMBER", help="The party: an organisation or a person. An invented one by default.")
@click.option("--owner", metavar="CODE", help="The service owner; ours by default.")
@click.option("--actor", metavar="URN", help="Who presses. An invented person by default.")
@click.option("--level", type=click.IntRange(0, 4), default=3, show_default=True, help="How they are logged in.")
@click.option("--entity", "entities", multiple=True, metavar="REF", help="What claim e of the token holds.")
@click.option("--title", metavar="TEXT", help="The dialog's.")
@click.option("--bridge", metavar="URL", help="Where the buttons lead; BRIDGE_LISTEN by default, else port 8080.")
@click.option("--schemas", type=click.Path(path_type=Path), metavar="FOLDER", help="BRIDGE_SCHEMAS by default.")
@shape_option(*TEXT)
@sandbox_option
def case(
    *,
    mapping: Path | None,
    resource: str | None,
    service: str | None,
    formats: tuple[str, ...],
    forms: tuple[Path, ...],
    attachments: tuple[str, ...],
    state: str,
    signing_steps: int | None,
    unique_signers: bool,
    actions: tuple[str, ...],
    contexts: tuple[str, ...],
    entities: tuple[str, ...],
    bridge: str | None,
    schemas: Path | None,
    shape: str,
    address: str | None,
    **given: object,
) -> None:
    """
    Put a case into a sandbox: an Altinn 2 element, its dialog, and somebody who may press its buttons.

    Prints the ids, the buttons' addresses, a dialog token, an end user's token, and the line that presses the first
    button; --json has one for each. Without any option it is a case of the mapping that ships, with a valid form.
    """
    if mapping is None and resource is None:
        mapping = next(mappings_folder().glob("*.yaml"))
        forms = forms or (_example(faults=False),)
    known = {} if mapping is None else _known(mapping)
    about = _service(known, service, schemas or _schemas(mapping))
    if about is not None:
        about |= {} if signing_steps is None else {"signing_steps": signing_steps}
        about |= {"unique_signers": True} if unique_signers else {}
    body = {
        "service_resource": resource or known.get("service_resource"),
        "service": about,
        "forms": _forms(known, forms, formats),
        "attachments": [_attachment(each) for each in attachments],
        "state": state,
        "actions": list(actions) or _buttons(known) or ["submit"],
        "contexts": dict(map(_context, contexts)),
        "bridge": bridge or _bridge(),
        **({"entities": list(entities)} if entities else {}),
        **{name: value for name, value in given.items() if value is not None},
    }
    if body["service_resource"] is None:
        raise click.UsageError(f"{mapping} does not say which service it is: --resource URN")
    made = call(address, "POST", "/cases", body=body)
    if shape == "json":
        printed(made)
        return
    for line in _told(made):
        click.echo(line)


@click.command()
@click.option("--faulty", is_flag=True, help="One with faults.")
def form(*, faulty: bool) -> None:
    """Print a form of the service that ships, as XML: to send, to change, to check."""
    click.echo(_example(faults=faulty).read_bytes(), nl=False)


def _example(*, faults: bool) -> Path:
    return examples_folder() / ("serveringsbevilling-with-faults.xml" if faults else "serveringsbevilling.xml")


def _told(made: Mapping[str, Any]) -> Sequence[str]:
    head = [("element", made["message_id"] or "none"), ("dialog", made["dialog_id"]), ("party", made["party"])]
    tokens = [("token", made["token"]), ("end user", made["enduser_token"])]
    width = max(map(len, ("end user", *made["actions"])))
    rows = (*head, *made["actions"].items(), *tokens)
    # One line is enough to see how the others go.
    return [*(f"{name:{width}}  {value}" for name, value in rows), *list(made["curl"].values())[:1]]


def _objects(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, Mapping) for each in value.values())


def _are_actions(value: object) -> bool:
    """Whether each action is an object, and its button and the button's title are where it has them."""
    if not isinstance(value, Mapping) or not _objects(value):
        return False
    buttons = [each["button"] for each in value.values() if each.get("button") is not None]
    return all(isinstance(each, Mapping) and isinstance(each.get("title", {}), Mapping) for each in buttons)


_SHAPES: tuple[tuple[str, Callable[[object], bool], str], ...] = (
    ("altinn2", lambda value: isinstance(value, Mapping), "altinn2 must have keys of its own"),
    (
        "forms",
        lambda value: isinstance(value, list) and all(isinstance(each, Mapping) for each in value),
        "forms must be a list, each with keys of its own",
    ),
    ("actions", _are_actions, "actions must have keys of their own, and so must their buttons and titles"),
)
"""What is gone into here; the values themselves are for the sandbox to judge."""


def _known(mapping: Path) -> Mapping[str, Any]:
    """The keys of a mapping file as they stand; whether they are sound is a question to ``altinn-bridge check``."""
    import yaml

    try:
        found = yaml.safe_load(mapping.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise click.BadParameter(f"{mapping} cannot be read: {error}", param_hint="--mapping") from None
    if not isinstance(found, dict):
        raise click.BadParameter(f"{mapping} is no mapping", param_hint="--mapping")
    wrong = next((words for at, fits, words in _SHAPES if at in found and not fits(found[at])), None)
    if wrong is not None:
        raise click.BadParameter(f"{mapping}: {wrong}; altinn-bridge check says more of it.", param_hint="--mapping")
    return found


def _service(known: Mapping[str, Any], given: str | None, schemas: Path | None) -> dict[str, object] | None:
    if given is not None:
        code, edition = _numbers(given, "CODE/EDITION", "--service")
        return {"service_code": code, "service_edition": int(edition)}
    altinn2 = known.get("altinn2")
    if not isinstance(altinn2, Mapping):
        return None
    about: dict[str, object] = {
        "service_code": _as_text(altinn2.get("service_code")),
        "service_edition": altinn2.get("service_edition", 1),
        "signing_steps": altinn2.get("signing_steps", _signs(known)),
        "unique_signers": altinn2.get("unique_signers", False),
        "others_sign": altinn2.get("others_sign", False),
        "attachment_rules": known.get("attachment_rules", []),
        "forms": [_form_type(each, schemas) for each in known.get("forms", ())],
    }
    return about


def _signs(known: Mapping[str, Any]) -> int:
    """How many signing steps the service has where the mapping does not: one, if an action leaves forms to it."""
    actions = (each for each in (known.get("actions") or {}).values() if isinstance(each, Mapping))
    return int(any(each.get("complete") is True and each.get("sign") is False for each in actions))


def _form_type(form: Mapping[str, Any], schemas: Path | None) -> dict[str, Any]:
    names = ("type", "data_format_id", "data_format_version")
    about: dict[str, Any] = {name: _as_text(form[name]) for name in names if name in form}
    file = None if schemas is None or not form.get("schema") else schemas / str(form["schema"])
    # A schema in several files is more than the sandbox's Altinn 2 reads.
    if (
        file is not None
        and file.is_file()
        and b":include" not in (text := file.read_bytes())
        and b":import" not in text
    ):
        about["schema"] = text.decode("utf-8-sig")
    return about


def _as_text(value: object) -> object:
    """A number as the text that it is in Altinn 2; anything else is for the sandbox to judge."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _forms(known: Mapping[str, Any], files: Sequence[Path], formats: Sequence[str]) -> list[dict[str, object]]:
    kinds = [_form_type(each, None) for each in known.get("forms", ())]
    for place, each in enumerate(formats):
        number, version = _numbers(each, "ID/VERSION", "--data-format")
        kind = {"type": "MainForm" if not place else "SubForm", "data_format_id": number}
        kinds[place : place + 1] = [{**kind, "data_format_version": version}]
    if len(files) > len(kinds):
        raise click.UsageError("say of what kind the forms are: --mapping FILE, or --data-format ID/VERSION for each")
    return [{**kind, "xml": _text(file)} for kind, file in zip(kinds, files, strict=False)]


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{file} cannot be read: {error}", param_hint="--form") from None


def _attachment(text: str) -> dict[str, str]:
    kind, _, name = text.partition("=")
    file = Path(name)
    if not name or not file.is_file():
        raise click.BadParameter("write TYPE=FILE, and the file must be there", param_hint="--attachment")
    data = base64.b64encode(file.read_bytes()).decode()
    return {"file_name": file.name, "attachment_type": kind, "data": data}


def _buttons(known: Mapping[str, Any]) -> dict[str, object]:
    """The mapping's actions as buttons, with the rights, titles and priorities that it says."""
    buttons: dict[str, object] = {}
    for name, action in (known.get("actions") or {}).items():
        button = action.get("button") or {}
        titles = button.get("title") or {"nb": str(name)}
        # There can be one primary button and five others; whoever reads the dialog presses by curl.
        buttons[str(name)] = {
            "action": _right(action.get("requires", "write")),
            "title": [{"languageCode": str(code), "value": str(text)} for code, text in titles.items()],
        }
    return buttons


def _right(requires: object) -> str:
    return str(requires.get("action", "write") if isinstance(requires, Mapping) else requires).partition(",")[0]


def _numbers(text: str, shape: str, option: str) -> tuple[str, str]:
    """The two numbers of ``5701/1``; Altinn 2 has no others."""
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", text, re.ASCII)
    if found is None:
        raise click.BadParameter(f"write {shape}, such as 5701/1", param_hint=option)
    return found[1], found[2]


def _context(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    context = json_value(value, "--context") if value else None
    if not isinstance(context, dict):
        raise click.BadParameter('write ACTION=JSON, such as submit={"tokenRef": "en"}', param_hint="--context")
    return name, context


def _bridge() -> str:
    return f"http://{os.environ.get('BRIDGE_LISTEN', '127.0.0.1:8080')}"


def _schemas(mapping: Path | None) -> Path | None:
    named = os.environ.get("BRIDGE_SCHEMAS")
    if named:
        return Path(named)
    return None if mapping is None else mapping.resolve().parent.parent / "schemas"
