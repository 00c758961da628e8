"""Where the recordings of the real programs are, and the scripts beside them that hold a sandbox against them."""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

SHARED = Path(__file__).parents[2] / ".." / "shared"
CASES = SHARED / "cases"
AT_HAND = CASES.is_dir()

needs_shared = pytest.mark.skipif(
    not AT_HAND and not os.environ.get("CI"), reason="the folder shared beside the checkout is missing"
)


def script(name: str) -> ModuleType:
    """Import one of the scripts, which import each other by name; nothing is written beside them."""
    if str(CASES.resolve()) not in sys.path:
        sys.path.append(str(CASES.resolve()))
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = writes
