"""Why the store could not be opened, in words for who set it up."""

import errno
import os
from pathlib import Path

import sqlalchemy as sa

from bridge.core.errors import BridgeError, ConfigurationError, Fault, Unreachable
from bridge.storage.trouble import Trouble, trouble_of

SETTING = "BRIDGE_DATABASE_URL"
_SYSTEM = "the database"

# What libpq says of a connection that it did not get, before there is an SQLSTATE; its own words may name the user.
_AWAY = (
    ("refused", "nobody listens at its address: is it running, and are host and port right?"),
    ("timeout expired", "it did not answer in time: is it running, and does a firewall let this machine through?"),
    ("timed out", "it did not answer in time: is it running, and does a firewall let this machine through?"),
    ("resolve host", "its host's name is not known here"),
    ("translate host name", "its host's name is not known here"),
    ("too many clients", "all its connections are taken: raise max_connections, or lower BRIDGE_DATABASE_POOL"),
    (
        "remaining connection slots",
        "all its connections are taken: raise max_connections, or lower BRIDGE_DATABASE_POOL",
    ),
    ("starting up", "it is starting up"),
    ("shutting down", "it is shutting down"),
)
_WRONG = (
    ("password authentication failed", "it refuses the user's name or password"),
    ("no password supplied", "it wants a password, and the address has none"),
    ("pg_hba.conf", "it lets nobody of this name in from this machine (pg_hba.conf)"),
    ("role", "it knows no user of this name"),
    ("does not exist", "it has no database of this name"),
    ("SSL", "they cannot agree on TLS (sslmode)"),
)
_OTHERS = "its tables are not those of the bridge, or not as the bridge left them: name another, or restore it"
_SQLITE = {
    "SQLITE_NOTADB": "the file is no SQLite database: name another, or move it away",
    "SQLITE_CORRUPT": "the file is damaged: restore it from a backup",
    "SQLITE_CANTOPEN": "the file cannot be opened: look at its folder and rights",
    "SQLITE_READONLY": "the file may only be read: look at its rights and those of its folder",
    "SQLITE_PERM": "the file may not be opened: look at its rights",
    "SQLITE_ERROR": _OTHERS,
}
_TROUBLE = {
    Trouble.AWAY: "it cannot be reached, or broke off",
    Trouble.BUSY: "others hold it, and did not let go in time",
    Trouble.FULL: "its disk is full",
    Trouble.READ_ONLY: "it may only be read",
    Trouble.GONE: "its file was deleted or replaced",
}
_POSTGRESQL = {
    "28P01": "it refuses the user's name or password",
    "28000": "it lets nobody of this name in",
    "3D000": "it has no database of this name",
    "42501": "its user may not make tables there: give it CREATE on the schema",
    "3F000": "it has no schema to make tables in",
    "42P07": _OTHERS,
    "42P01": _OTHERS,
    "42703": _OTHERS,
    "42701": _OTHERS,
}


def file_faults(url: str, *, mark: Path | None = None) -> list[Fault]:
    """
    What keeps the embedded store at *url* from being opened, and its *mark* from being written beside it.

    Nothing is made or changed, and no server is asked.
    """
    faults = _database_faults(url)
    if mark is not None and not mark.parent.is_dir():
        faults.append(Fault(where="BRIDGE_STORE_MARK", message=no_folder(mark)))
    return faults


def _database_faults(url: str) -> list[Fault]:
    parts = sa.make_url(url)
    if parts.get_backend_name() != "sqlite" or parts.database in (None, "", ":memory:"):
        return []
    path = Path(parts.database or "")
    if not path.parent.is_dir():
        return [Fault(where=SETTING, message=no_folder(path))]
    if path.is_dir():
        return [Fault(where=SETTING, message=f"{path} is a folder: name a file")]
    if path.exists() and not path.is_file():
        return [Fault(where=SETTING, message=not_ours(path, errno.EINVAL))]
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return [Fault(where=SETTING, message=not_ours(path, errno.EACCES))]
    return []


def no_folder(path: Path) -> str:
    """The words for a *path* that cannot be made, as there is no folder for it."""
    return f"there is no folder {path.parent}: make it, or name another"


def not_ours(path: Path, number: int) -> str:
    """The words for a *path* that cannot be the bridge's own file, with the reason of the system's error *number*."""
    return f"{path} cannot be kept from others ({os.strerror(number)}); let its owner run the bridge"


def told_of(error: Exception) -> BridgeError | None:
    """What the database did to a command that had opened it; None where it is not the database's."""
    return unopened(error) if isinstance(error, sa.exc.SQLAlchemyError) else None


def unopened(error: sa.exc.SQLAlchemyError) -> BridgeError:
    """What can be done about *error*: the address is wrong, or the database is away and may come back."""
    original = getattr(error, "orig", None)
    sqlite = getattr(original, "sqlite_errorname", None)
    state = getattr(original, "sqlstate", None)
    wrong = _SQLITE.get("_".join((sqlite or "").split("_")[:2])) or _POSTGRESQL.get(state or "")
    if wrong is None and state is None and sqlite is None:
        said = str(original)
        away = next((words for part, words in _AWAY if part in said), None)
        if away is not None:
            return Unreachable(_SYSTEM, away)
        wrong = next((words for part, words in _WRONG if part in said), None)
    if wrong is not None:
        return ConfigurationError([Fault(where=SETTING, message=wrong)])
    trouble = trouble_of(error)
    return Unreachable(_SYSTEM, _TROUBLE[trouble] if trouble else f"it refused a statement ({type(error).__name__})")
