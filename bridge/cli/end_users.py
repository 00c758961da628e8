"""What ``altinn-bridge search`` and ``act`` share: whose token, which Dialogporten, and which language."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click

TOKEN_VARIABLE = "DIALOGPORTEN_TOKEN"  # noqa: S105 - the name of a variable
_LONGEST_TOKEN, _STANDARD_INPUT = 64 * 1024, "-"
_URLS = {
    "tt02": "https://platform.tt02.altinn.no/dialogporten",
    "production": "https://platform.altinn.no/dialogporten",
}

token_option = click.option(
    "--token-file",
    metavar="FILE",
    help=f"The end user's token; - is standard input. Without it {TOKEN_VARIABLE} is used. Never an argument itself.",
)
url_option = click.option(
    "--dialogporten", metavar="URL", help="What stands before /api/v1; BRIDGE_DIALOGPORTEN_URL is used without it."
)


def end_user_token(token_file: str | None) -> str:
    """
    The end user's token, from a file, standard input or the environment.

    Raises:
        click.UsageError: There is none, or it cannot be one.
    """
    if token_file == _STANDARD_INPUT:
        text = sys.stdin.read(_LONGEST_TOKEN)
    elif token_file is not None:
        try:
            text = Path(token_file).read_text("utf-8")[:_LONGEST_TOKEN]
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"--token-file cannot be read: {type(error).__name__}") from None
    else:
        text = os.environ.get(TOKEN_VARIABLE, "")
    token = text.strip().removeprefix("Bearer ").strip()
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise click.UsageError(f"give an end user's token by --token-file, on standard input or in {TOKEN_VARIABLE}")
    return token


def dialogporten_url(given: str | None) -> str:
    """
    Which Dialogporten is meant.

    Raises:
        click.UsageError: Neither option nor environment says it, or it is no address that a token may go to.
    """
    environ = os.environ
    url = (
        given
        or environ.get("BRIDGE_DIALOGPORTEN_URL")
        or _URLS.get(environ.get("BRIDGE_ENVIRONMENT", "").strip().lower(), "")
    ).rstrip("/")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise click.UsageError(
            "say which Dialogporten by --dialogporten, BRIDGE_DIALOGPORTEN_URL or BRIDGE_ENVIRONMENT"
        )
    return url


def in_language(texts: Mapping[str, str], language: str) -> str:
    """Choose a text: in *language*, else in bokmål, else any; empty where there is none."""
    return texts.get(language) or texts.get("nb") or next(iter(texts.values()), "")


def printable(text: object) -> str:
    """Take away what could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))
