"""
The systems we talk to, as WSGI apps with one shared ``World``; only the command line and tests import it.

What other people's tests import from here stays: ``World`` holds all state, ``Sandbox`` runs one on loopback,
``Organisation`` is a service owner, and ``issue`` makes a token of one of the sandbox's issuers.
"""

from bridge.sandbox.core.tokens import issue
from bridge.sandbox.core.world import Organisation
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World

__all__ = ["Organisation", "Sandbox", "World", "issue"]
