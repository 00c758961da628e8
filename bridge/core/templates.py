"""The small templates of a mapping's ``set``: text with names in braces."""

from collections.abc import Mapping
from datetime import datetime
from string import Formatter
from uuid import UUID

NAMES = ("party", "dialog_id", "action", "now:date")
"""What may stand between braces in a form's values; a brace meant as itself is doubled."""

DIALOG_NAMES = ("message_id", "archived_id", "archive_reference")
"""What may stand between braces in a dialog's texts. A text of which one is not known yet is left out."""


def template_values(*, party: str, dialog_id: UUID, action: str, now: datetime) -> Mapping[str, str]:
    """
    What the names stand for.

    ``party`` is what follows the last colon of the party's urn (the number that a form asks for); ``now:date`` is the
    date of *now* in the zone that *now* carries, so give it in Norwegian time.
    """
    return {
        "party": party.rpartition(":")[2],
        "dialog_id": str(dialog_id),
        "action": action,
        "now:date": now.date().isoformat(),
    }


def names_in(template: str) -> tuple[str, ...]:
    """
    List the names that *template* asks for, known or not.

    Raises:
        ValueError: A brace has no partner.
    """
    return tuple(name for _, name in _parts(template) if name is not None)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put *values* in place of the names of *template*. Raises KeyError for a name without a value."""
    return "".join(text + ("" if name is None else values[name]) for text, name in _parts(template))


def _parts(template: str) -> list[tuple[str, str | None]]:
    """Split into text and the name that follows it, None at the end."""
    return [
        (text, None if name is None else name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else ""))
        for text, name, spec, conversion in Formatter().parse(template)
    ]
