"""What ships with the bridge: example mappings, their schemas, and forms to try them on."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    """The folder *name*: beside this module (a wheel), else at the top of the checkout (an editable install)."""
    installed = _HERE / name
    return installed if installed.is_dir() else _HERE.parent.parent / name


def mappings_folder() -> Path:
    """The folder of the mapping files that ship."""
    return _folder("mappings")


def schemas_folder() -> Path:
    """The folder of the form schemas that ship."""
    return _folder("schemas")


def examples_folder() -> Path:
    """The folder of the forms that show the shipped mapping: one valid, one with faults."""
    return _HERE / "examples"
