"""The small templates of a mapping's ``set``: text with names in braces."""

from datetime import datetime
from string import Formatter
from uuid import UUID

NAMES = ("party", "dialog_id", "action", "now:date")
"""What may stand between braces; a brace meant as itself is doubled."""


def names_in(template: str) -> tuple[str, ...]:
    """
    List the names that *template* asks for, known or not.

    Raises:
        ValueError: A brace has no partner.
    """
    parts = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(template) if name is not None]
    return tuple(
        name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for name, spec, conversion in parts
    )


def fill(template: str, *, party: str, dialog_id: UUID, action: str, now: datetime) -> str:
    """
    Put values in place of the names of a template that was checked when its mapping was loaded.

    ``{party}`` is what follows the last colon of the party's urn (the number that a form asks for); ``{now:date}`` is
    the date of *now* in the zone that *now* carries, so give it in Norwegian time.
    """
    values = {
        "party": party.rpartition(":")[2],
        "dialog_id": str(dialog_id),
        "action": action,
        "now:date": now.date().isoformat(),
    }
    pieces = []
    for text, name, spec, _ in Formatter().parse(template):
        pieces.append(text)
        if name is not None:
            pieces.append(values[f"{name}:{spec}" if spec else name])
    return "".join(pieces)
