"""Client certificates: whether a file can be used for one, before anybody is shown it."""

import ssl
from pathlib import Path


def certificate_fault(path: Path) -> str | None:
    """Why the PEM file *path* is no certificate with its key; None where it is one. Nothing of it is told."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(path, password=lambda: b"")
    except ssl.SSLError:
        return "it must hold a certificate and the key that goes with it, in PEM and without a password"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None
