"""Altinn 2's dates (facts/altinn2.md 1.3): mostly without zone, with none to seven digits of a second."""

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")
"""The zone that a date without one is read in."""

_DATE = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})T(?P<time>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d{1,7}))?"
    r"(?P<zone>[Zz]|[+-]\d{2}:\d{2})?",
    re.ASCII,
)


def parse_altinn_date(text: str) -> datetime:
    """
    The moment that *text* names, to the microsecond, as Norwegian local time with its offset.

    In the hour that autumn repeats, a date without zone is taken for the first one.

    Raises:
        ValueError: It is not a date in any form that Altinn 2 was seen to use.
    """
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a date as Altinn 2 writes them")
    moment = datetime.fromisoformat(f"{match['day']}T{match['time']}")
    moment = moment.replace(microsecond=int((match["fraction"] or "").ljust(6, "0")[:6]))
    local = moment.replace(tzinfo=OSLO) if match["zone"] is None else _with_offset(moment, match["zone"])
    # A fixed offset: in the hour that autumn repeats, Python calls two zones' moments unequal whatever they are.
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()))


def altinn_date(moment: datetime) -> str:
    """The *moment*, which has a zone, as Altinn 2 reads dates in queries: Norwegian local time, whole seconds."""
    return moment.astimezone(OSLO).replace(microsecond=0, tzinfo=None).isoformat()


def _with_offset(moment: datetime, offset: str) -> datetime:
    return datetime.fromisoformat(f"{moment.isoformat()}{offset.upper()}").astimezone(OSLO)
