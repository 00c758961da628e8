"""``python -m bridge.sandbox --port N [--switch name=value]…``."""

import sys

from bridge.sandbox.server import main

if __name__ == "__main__":
    sys.exit(main())
