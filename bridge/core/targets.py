"""The kinds of systems that actions are carried out in, by name."""

from enum import Enum


class Target(Enum):
    """The kind of system that an action is carried out in; each has its driver in ``steps/drivers/registry.py``."""

    ALTINN2 = "altinn2"
    ALTINN3 = "altinn3"

    @classmethod
    def _missing_(cls, value: object) -> "Target | None":
        """
        The target of that name, for a driver that is not the bridge's own; the same each time.

        A mapping file may name the bridge's own only: what it says is checked before.
        """
        if not isinstance(value, str):
            return None
        member = object.__new__(cls)
        member._name_, member._value_ = value.upper(), value
        # Two threads that meet a name at once get one member.
        return cls._value2member_map_.setdefault(value, member)  # type: ignore[return-value]
