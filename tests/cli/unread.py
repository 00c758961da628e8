"""A command whose standard output nobody reads."""

import os
import subprocess
import sys
from collections.abc import Mapping


def unread(*arguments: object, environ: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run ``altinn-bridge`` as before a ``head`` that has left, and give its exit code and standard error."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bridge.cli", *map(str, arguments)],
            env={**os.environ, **(environ or {})},
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    return done.returncode, done.stderr.decode()
