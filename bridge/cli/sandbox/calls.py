"""How commands reach a sandbox that runs: where it is, and its control API."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import click

_USUAL = "http://127.0.0.1:8190"
_PATIENCE = 30
_JSON = {"Content-Type": "application/json"}

sandbox_option = click.option(
    "--sandbox",
    "address",
    metavar="URL",
    help=f"Where it answers; without it, what BRIDGE_DIALOGPORTEN_URL names, else {_USUAL}.",
)


def call(address: str | None, method: str, path: str, *, body: Mapping[str, object] | None = None) -> Any:
    """
    What a sandbox's control API answers.

    Ends the command with 1 where nobody answers or the sandbox refuses; the reason is on standard error.
    """
    import requests

    base = address or _from_environment()
    # What YAML reads as dates and the like is a text to JSON.
    data = None if body is None else json.dumps(body, default=str).encode()
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.request(
                method, f"{base.rstrip('/')}/_sandbox{path}", data=data, headers=_JSON, timeout=_PATIENCE
            )
        except requests.RequestException:
            _end(f"No sandbox answers on {base}. Start one with: altinn-bridge sandbox --port 8190")
    try:
        found = answer.json()
    except ValueError:
        found = None
    # Whatever else listens there may say 200 to everything.
    if not answer.ok or (found is None and answer.status_code != 204):
        said = found.get("detail") if isinstance(found, dict) else None
        _end(str(said or f"{base} answers {answer.status_code}: it is no sandbox, or there is no such thing in it."))
    return found


def printed(value: Any) -> None:
    """Print as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def json_value(text: str, option: str) -> Any:
    """The JSON value of an option; a text that is no JSON stands for itself."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        if text[:1] in ("{", "["):
            raise click.BadParameter("write JSON", param_hint=option) from None
        return text


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _from_environment() -> str:
    parts = urlsplit(os.environ.get("BRIDGE_DIALOGPORTEN_URL", ""))
    return f"{parts.scheme}://{parts.netloc}" if parts.hostname in ("127.0.0.1", "localhost") else _USUAL


def _end(reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(1)
