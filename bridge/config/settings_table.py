"""The settings as a table: for people in Markdown, for machines as values for JSON."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from bridge.config.setting import Computed, Default, Follows, PerEnvironment, Required, Setting
from bridge.config.setting_choices import Environment
from bridge.config.setting_declarations import SETTINGS
from bridge.config.setting_kinds import plain

HEAD = ("variable", "default", "unit", "limits", "secret", "meaning")

Row = Mapping[str, str | float | bool | list[str] | Mapping[str, str] | None]


def settings_table() -> str:
    """All settings as a Markdown table."""
    rows: list[Sequence[str]] = [HEAD, ["---"] * len(HEAD), *map(_cells, SETTINGS)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _cells(setting: Setting) -> tuple[str, ...]:
    return (
        f"`{setting.name}`",
        _default_in_words(setting),
        setting.unit or "–",
        _limits_in_words(setting),
        "yes" if setting.secret else "no",
        setting.meaning,
    )


def _default_in_words(setting: Setting) -> str:
    default: Default[object] = setting.default
    match default:
        case str():
            return f"`{default}`"
        case PerEnvironment():
            texts = {each: default.of(each) for each in (Environment.TT02, Environment.PRODUCTION, Environment.SANDBOX)}
            return "<br>".join(
                f"{each.value}: {'must be given' if text is None else f'`{text}`'}" for each, text in texts.items()
            )
        case Required.REQUIRED:
            return "must be given"
        case Follows() | Computed():
            return default.words
        case _:
            assert_never(default)


def _limits_in_words(setting: Setting) -> str:
    limits = setting.kind.limits
    taken = [f"`{each}`" for each in setting.kind.choices]
    if limits is not None:
        taken.append(f"{plain(limits.low)}–{plain(limits.high)}")
    return " or ".join(taken) or "–"


def settings_rows() -> list[Row]:
    """All settings with what a machine may want to know of them."""
    return [_row(each) for each in SETTINGS]


def _row(setting: Setting) -> Row:
    kind, default = setting.kind, setting.default
    by_environment = (
        {each.value: default.of(each) for each in Environment} if isinstance(default, PerEnvironment) else {}
    )
    return {
        "name": setting.name,
        "type": kind.type,
        "required": default is Required.REQUIRED,
        "default": default if isinstance(default, str) else None,
        "defaultByEnvironment": {name: text for name, text in by_environment.items() if text is not None},
        "defaultInWords": default.words if isinstance(default, Follows | Computed) else None,
        "unit": setting.unit or None,
        "minimum": None if kind.limits is None else kind.limits.low,
        "maximum": None if kind.limits is None else kind.limits.high,
        "choices": list(kind.choices),
        "secret": setting.secret,
        "meaning": setting.meaning,
    }
