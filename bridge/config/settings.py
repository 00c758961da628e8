"""Environment variables become one value, and every fault in them is told at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.config.environ import read
from bridge.config.setting_declarations import SETTINGS, DeclaredSettings
from bridge.config.setting_rules import broken_rules
from bridge.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings(DeclaredSettings):
    """What the environment says, without a fault."""

    def __repr__(self) -> str:
        shown = {each.field: getattr(self, each.field) for each in SETTINGS}
        shown["database_url"] = _without_password(self.database_url)
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """
        The settings by the variables ``BRIDGE_*`` of *environ*; an empty one counts as not given.

        Raises:
            ConfigurationError: Every fault, under the name of its variable.
        """
        reading = read(environ, SETTINGS)
        # Those that have a fault hold None until the others are held against each other, too.
        values: dict[str, Any] = {each.field: reading.values.get(each.field) for each in SETTINGS}
        made = cls(**values)
        if faults := [*reading.faults, *broken_rules(made, reading.values)]:
            raise ConfigurationError(faults)
        return made


def whole_alone(name: str, environ: Mapping[str, str]) -> int:
    """One setting that is a whole number, whatever is wrong with the others; its default where it is faulty, too."""
    (setting,) = (each for each in SETTINGS if each.name == name)
    default = setting.default if isinstance(setting.default, str) else ""
    try:
        value = setting.kind.parse(environ.get(name, "").strip() or default)
    except ValueError:
        value = setting.kind.parse(default)
    if not isinstance(value, int):
        raise TypeError(f"{name} is no whole number")
    return value


def _without_password(url: str) -> str:
    return re.sub(
        r"(://[^:@/]*):.*@|(password=)[^&]*", lambda found: f"{found[1]}:…@" if found[1] else "password=…", url
    )
