"""The variables of an environment, each by itself: its value, or what is wrong with it."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from bridge.config.setting import PREFIX, Computed, Default, Follows, PerEnvironment, Required, Setting
from bridge.config.setting_choices import Environment
from bridge.core.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an environment says of settings."""

    values: Mapping[str, object]
    """By field; one that has a fault, or follows from one that has, is left out."""
    faults: Sequence[Fault]


def read(environ: Mapping[str, str], settings: Sequence[Setting]) -> Reading:
    """*settings* as *environ* has them; an empty variable counts as not given."""
    reader = _Reader(environ, settings)
    reader.refuse_unknown()
    for each in settings:
        reader.read(each)
    for each in settings:
        reader.follow(each)
    return Reading(values=reader.values, faults=reader.faults)


class _Reader:
    """One pass over an environment; collects values and faults on the way."""

    def __init__(self, environ: Mapping[str, str], settings: Sequence[Setting]) -> None:
        self._given = {name: text for name, text in environ.items() if name.startswith(PREFIX) and text.strip()}
        self._settings = settings
        self.values: dict[str, object] = {}
        self.faults: list[Fault] = []

    def refuse_unknown(self) -> None:
        """Fault each variable that is no setting."""
        files = {_file_of(each): each for each in self._settings}
        known = {each.name for each in self._settings} | {name for name, each in files.items() if each.secret}
        for name in sorted(self._given.keys() - known):
            if name in files:
                self._fault(name, "only secrets are read from files: give the value itself, without _FILE")
                continue
            close = difflib.get_close_matches(name, sorted(known), n=1)
            self._fault(name, "there is no such setting" + (f": did you mean {close[0]}?" if close else ""))

    def read(self, setting: Setting) -> None:
        """Take the value of *setting*, or its default where that is text."""
        text = self._given.get(setting.name)
        if setting.secret and _file_of(setting) in self._given:
            text = self._from_file(setting, text)
        else:
            text = self._default(setting) if text is None else text
        if text is not None:
            self._parse(setting, text.strip())

    def follow(self, setting: Setting) -> None:
        """Take the default of *setting* that is more than text, where it is not given."""
        if setting.name in self._given or (setting.secret and _file_of(setting) in self._given):
            return
        match setting.default:
            case Computed() as default:
                self.values[setting.field] = default.value()
            case Follows() as default if isinstance(source := self.values.get(default.field), str):
                self.values[setting.field] = default.value(source)

    def _fault(self, where: str, message: str) -> None:
        self.faults.append(Fault(where=where, message=message))

    def _from_file(self, setting: Setting, text: str | None) -> str | None:
        """What stands in the file that ``NAME_FILE`` names; *text* stands in ``NAME``."""
        name = _file_of(setting)
        if text is not None:
            self._fault(name, f"give {setting.name} or {name}, not both")
            return text
        try:
            content = Path(self._given[name]).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError, ValueError):
            self._fault(name, "the file cannot be read as text: check its path and rights")
            return None
        if not content:
            self._fault(name, "the file is empty")
        return content or None

    def _default(self, setting: Setting) -> str | None:
        default: Default[object] = setting.default
        match default:
            case str():
                return default
            case Required.REQUIRED:
                self._fault(setting.name, f"must be given: {setting.meaning}")
                return None
            case PerEnvironment():
                return self._of_environment(setting, default)
            case Follows() | Computed():
                return None
            case _:
                assert_never(default)

    def _of_environment(self, setting: Setting, default: PerEnvironment) -> str | None:
        environment = self.values.get("environment")
        if not isinstance(environment, Environment):
            return None
        text = default.of(environment)
        if text is None:
            self._fault(setting.name, f"must be given when BRIDGE_ENVIRONMENT is {environment.value}")
        return text

    def _parse(self, setting: Setting, text: str) -> None:
        try:
            self.values[setting.field] = setting.kind.parse(text)
        except ValueError as error:
            self._fault(setting.name, str(error))
        except OSError as error:
            self._fault(setting.name, f"it cannot be looked at: {error.strerror}")


def _file_of(setting: Setting) -> str:
    return f"{setting.name}_FILE"
