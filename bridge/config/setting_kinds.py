"""What the text of a setting may be, and what to write where it is something else."""

import ipaddress
import json
import re
from enum import Enum
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from bridge.config.setting import Kind, Limits
from bridge.core.secret import Secret

E = TypeVar("E", bound=Enum)


def plain(number: float) -> str:
    """*number* as a setting takes it: without an exponent."""
    return f"{number:.15g}"


def number(low: float, high: float) -> Kind[float]:
    """A number with a decimal point or without, and no exponent."""

    def parse(text: str) -> float:
        if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text) or not low <= float(text) <= high:
            raise ValueError(f"write a number from {plain(low)} to {plain(high)}")
        return float(text)

    return Kind(parse=parse, type="number", limits=Limits(low=low, high=high))


def number_or_zero(low: float, high: float) -> Kind[float]:
    """The same, or 0, which has a meaning of its own."""
    beside = number(low, high)
    return Kind(
        parse=lambda text: 0.0 if text == "0" else beside.parse(text),
        type="number",
        limits=beside.limits,
        choices=("0",),
    )


def whole(low: int, high: int) -> Kind[int]:
    """A whole number in ASCII digits."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"write a whole number from {low} to {high}")
        return int(text)

    return Kind(parse=parse, type="integer", limits=Limits(low=low, high=high))


def one_of(choices: type[E]) -> Kind[E]:
    """One of the values of *choices*, in whatever case."""
    values = tuple(str(member.value) for member in choices)

    def parse(text: str) -> E:
        try:
            return choices(text.lower())
        except ValueError:
            raise ValueError("write " + " or ".join(map(repr, values))) from None

    return Kind(parse=parse, choices=values)


def _url(text: str) -> str:
    parts = _split_url(text)
    if parts.query or parts.fragment:
        raise ValueError("write the URL without a query or fragment")
    return text.rstrip("/")


def _app_url(text: str) -> str:
    if re.findall(r"\{[^}]*\}?|\}", text.replace("{org}", "").replace("{app}", "")) or "{app}" not in text:
        raise ValueError("write a URL with {org} and {app} where they belong, and no other braces")
    return _url(text.replace("{org}", "org-").replace("{app}", "-app")) and text.rstrip("/")


def _split_url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("write a URL such as https://example.org/path") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or re.search(r"\s", text):
        raise ValueError("write a URL such as https://example.org/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("write the URL without a user name or password")
    return parts


def _origins(text: str) -> tuple[str, ...]:
    origins = [part.strip() for part in text.split(",") if part.strip()]
    for origin in origins:
        if "*" in origin:
            raise ValueError("name each origin: a '*' would let any page press the buttons")
        parts = _split_url(origin)
        if parts.path or parts.query or parts.fragment:
            raise ValueError("write each origin as a browser sends it, such as https://af.altinn.no, without a path")
    return tuple(dict.fromkeys(origins))


def _database(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme in {"postgresql", "postgres", "postgresql+psycopg"} and rest.strip("/"):
        return _readable(f"postgresql+psycopg://{rest}")
    if scheme == "sqlite" and len(rest) > 1 and rest.startswith("/") and not rest.startswith("/:"):
        return text
    raise ValueError("write sqlite:///file or postgresql://user:password@host/database")


def _readable(url: str) -> str:
    """*url* as it is, if SQLAlchemy can take it apart."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(url)
    except (ValueError, ArgumentError):
        raise ValueError(
            "write postgresql://user:password@host:port/database; in a password @ is %40, : is %3A and / is %2F"
        ) from None
    return url


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise ValueError(f"there is no folder {text!r}")
    return path


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"there is no file {text!r}")
    return path


def _user_name(text: str) -> str:
    if not text.isprintable() or ":" in text or len(text) > 100:
        raise ValueError("write the user's name as Altinn 2 knows it, without a colon")
    return text


def _listen(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError("write host:port, such as 127.0.0.1:8080")
    return text


def _networks(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError:
            raise ValueError("write IP addresses or networks such as 10.0.0.7 or 10.0.0.0/24, by commas") from None
    return names


def _client_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", text):
        raise ValueError("write the client's id as Maskinporten gave it")
    return text


def _private_key(text: str) -> Secret:
    """*text* whose shape alone was checked; nothing of it is quoted."""
    try:
        key = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("write the private key as a JWK, which is one JSON object") from None
    if not isinstance(key, dict) or key.get("kty") != "RSA":
        raise ValueError("Maskinporten takes RSA keys only: the JWK must have kty RSA")
    if not isinstance(key.get("kid"), str) or not key["kid"]:
        raise ValueError("the JWK has no kid: write the id under which Maskinporten knows the key")
    if not all(isinstance(key.get(part), str) for part in ("n", "e", "d")):
        raise ValueError("the JWK is not a private key: n, e and d must be there")
    return Secret(text)


def _header_secret(text: str) -> Secret:
    if not text.isprintable() or not text.isascii():
        raise ValueError("write printable ASCII characters: it is sent in a header")
    return Secret(text)


def _password(text: str) -> Secret:
    if not text.isprintable():
        raise ValueError("write printable characters")
    return Secret(text)


def _long_secret(text: str) -> Secret:
    if len(text) < 32 or " " in text:
        raise ValueError("write 32 characters or more, without blanks: whoever has it calculates in the agency's name")
    return _header_secret(text)


def _reportees(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if found == ("all",) or (found and all(re.fullmatch(r"\d{9}|r\d{1,18}", each, re.ASCII) for each in found)):
        return found
    # Nothing is repeated: it may be a person's number.
    raise ValueError("write all, or organisation numbers and Altinn 2's ids of reportees (r and a number), by commas")


def _scopes(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if not all(re.fullmatch(r"[a-z0-9:._/-]{3,100}", each, re.ASCII) for each in found):
        raise ValueError("write scopes as Maskinporten has them, such as digdir:dialogporten.correspondence")
    return found


_LEVELS = ("debug", "info", "warning", "error")


def _log_level(text: str) -> str:
    if text.lower() not in _LEVELS:
        raise ValueError("write debug, info, warning or error")
    return text.lower()


URL = Kind(parse=_url)
APP_URL = Kind(parse=_app_url)
ORIGINS = Kind(parse=_origins, type="list")
ADDRESSES = (URL, APP_URL, ORIGINS)
"""Where tokens and forms go, or come from."""
DATABASE = Kind(parse=_database)
FOLDER = Kind(parse=_folder)
FILE = Kind(parse=_file)
NEW_FILE = Kind(parse=Path)
LISTEN = Kind(parse=_listen)
NETWORKS = Kind(parse=_networks, type="list")
USER_NAME = Kind(parse=_user_name)
CLIENT_ID = Kind(parse=_client_id)
PRIVATE_KEY = Kind(parse=_private_key)
HEADER_SECRET = Kind(parse=_header_secret)
LONG_SECRET = Kind(parse=_long_secret)
PASSWORD = Kind(parse=_password)
REPORTEES = Kind(parse=_reportees, type="list")
SCOPES = Kind(parse=_scopes, type="list")
LOG_LEVEL = Kind(parse=_log_level, choices=_LEVELS)
