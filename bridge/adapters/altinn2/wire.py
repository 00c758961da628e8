"""How Altinn 2's answers are read: JSON in its spellings, ids at the ends of links, pages in the place of answers."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bridge.adapters.http.call import Answer
from bridge.core.errors import Rejected, Unreachable

SYSTEM = "Altinn 2"

HAL = "application/hal+json"

# Texts, and with them what the states are known by, follow the language (facts/altinn2.md 1.4).
LANGUAGE = {"language": "1044"}

WHO = re.compile(r"my|\d{9}|r\d{1,18}", re.ASCII)
MESSAGE_ID = re.compile(r"[abc]\d{1,18}", re.ASCII)
NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_ENCODING = re.compile(rb"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")


def own_id(entry: Mapping[str, object], *names: str) -> int:
    """The id in a member of its own or at the end of a link; the link itself is never followed."""
    links = entry.get("_links")
    own = links.get("self") if isinstance(links, Mapping) else None
    places = [*(text(entry, name, default="") for name in names), text(own, "href", default="") if own else ""]
    for candidate in places:
        last = last_segment(candidate)
        if NUMBER.fullmatch(last):
            return int(last)
    raise unreadable(f"no {names[0]}")


def links(body: Mapping[str, object], relation: str) -> list[Mapping[str, object]]:
    """The links of *relation*, of which there may be none, one or a list; links name hosts at will."""
    found = body.get("_links")
    found = field(found, relation) if isinstance(found, Mapping) else None
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, Mapping)]


def moved_to(answer: Answer) -> str | None:
    """The element's id that ``Location`` ends in."""
    last = last_segment(answer.headers.get("Location", ""))
    return last if MESSAGE_ID.fullmatch(last) else None


def new_id(answer: Answer) -> int | None:
    """The form's or attachment's id that ``Location`` ends in."""
    last = last_segment(answer.headers.get("Location", ""))
    return int(last) if NUMBER.fullmatch(last) else None


def last_segment(link: str) -> str:
    """What a link's path ends in, in lower case; nothing of its host is believed."""
    try:
        return urlsplit(link).path.rstrip("/").rpartition("/")[2].lower()
    except ValueError:  # Not a link at all.
        return ""


def is_html(answer: Answer) -> bool:
    """Whether a page came, by its type or its first bytes."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/text-html":
        # What some services' prints are (facts/altinn2.md 2.4), and no login page ever is.
        return False
    return kind in ("text/html", "application/xhtml+xml") or answer.body[:200].lstrip().lower().startswith(
        (b"<!doctype html", b"<html")
    )


def json_body(answer: Answer) -> object:
    """Parse an answer. Raises Unreachable: one that was cut short is asked for again."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        # Too deep, cut short or not what was asked for; the parser's own error holds the document.
        raise Unreachable(SYSTEM, f"the answer is not JSON ({type(error).__name__})", status=answer.status) from None


def json_or_none(answer: Answer) -> object:
    """Parse an answer that need not be JSON."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def embedded(body: Any, name: str) -> list[Mapping[str, object]]:
    """List what lies under ``_embedded``; plain JSON has a bare list, and an empty one may be left out."""
    if isinstance(body, Mapping):
        inside = body.get("_embedded")
        body = field(inside, name) if isinstance(inside, Mapping) else None
    entries = [] if body is None else body if isinstance(body, list) else [body]
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise unreadable(name)
    return entries


def field(body: Mapping[str, object], name: str) -> object:
    """The member, whatever its case: ``DataFormatId`` is ``DataFormatID`` elsewhere (facts/altinn2.md 4)."""
    if name in body:
        return body[name]
    return next((value for each, value in body.items() if each.casefold() == name.casefold()), None)


def text(body: Mapping[str, object], name: str, *, default: str | None = None) -> str:
    """A text, or a whole number as text."""
    value = field(body, name)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if default is None:
        raise unreadable(name)
    return default


def xml_text(answer: Answer) -> str:
    """Decode a form by its byte order mark, charset or declaration; the declaration is true no more, and goes."""
    charset = re.search(r"charset=[\"']?([\w.-]{1,40})", answer.headers.get("Content-Type", ""))
    declared = _ENCODING.match(answer.body[:400])
    if answer.body.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif answer.body.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    elif charset is not None:
        encoding = charset[1]
    else:
        encoding = declared[1].decode("ascii") if declared is not None else "utf-8"
    try:
        decoded = answer.body.decode(encoding)
    except (LookupError, UnicodeError):
        raise unreadable(f"a form that is not {encoding}") from None
    return _DECLARATION.sub("", decoded, count=1) if _DECLARATION.match(decoded) else decoded


def unreadable(what: str) -> Rejected:
    """The error of an answer that cannot be what was asked for; *what* names the part, never its value."""
    return Rejected(SYSTEM, f"the answer cannot be read: {what}", reason="unreadable")
