"""What an attachment may be: its name, and the rules of its type (facts/altinn2.md 3)."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from bridge.core.mapping import ActionMapping, AttachmentRule, Supply
from bridge.core.problems import Refusal

LONGEST_NAME = 255
"""Characters; Altinn 2's own limit is not known, and longer names cannot be stored as files."""

MEGABYTE = 1_000_000

_NEVER = re.compile(r'[:\\/*?"<>|\ufffd]')
"""
Altinn 2 refuses ``:`` and a backslash, the others cannot stand in a file's name everywhere, and U+FFFD is what became
of a name that was not encoded as UTF-8.
"""

_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Zl", "Zp"})
"""
Categories of Unicode that nobody sees: controls, what turns the direction of writing (``gpj.exe`` looks like
``exe.jpg``), what has no width (two names that look alike), and what is not assigned.
"""

_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
"""Letters and marks by category, and yet nothing to see (Unicode's Default_Ignorable_Code_Point); beside these, the
variation selectors."""

_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in "123456789¹²³")}
)
"""On Windows a file of such a name cannot be opened, whatever its extension."""


def extensions_in(allowed: str) -> tuple[str, ...]:
    """The extensions in ``AllowedFileTypes``, a free text: ``*.pdf, zip`` is pdf and zip, ``*.*`` or nothing is any."""
    parts = [part.strip().lstrip("*").lstrip(".").casefold() for part in allowed.split(",")]
    return () if any(part == "*" for part in parts) else tuple(dict.fromkeys(part for part in parts if part))


def check_name(file_name: str) -> None:
    """
    Refuse a name that Altinn 2 or whoever opens it cannot use.

    Letters of any language, blanks, plus, commas and single quotes pass. Beyond U+FFFF (most emoji) and lone surrogates
    do not: the service engine's database and print know none.

    Raises:
        Refusal: ``attachment_name``, with the rule.
    """
    rule = None
    if not file_name.strip(" ."):
        rule = "empty"
    elif len(file_name) > LONGEST_NAME:
        rule = "longest"
    elif _NEVER.search(file_name) or any(map(_is_unseen, file_name)):
        rule = "characters"
    elif any(ord(each) > 0xFFFF or 0xD800 <= ord(each) <= 0xDFFF for each in file_name):
        rule = "beyond_bmp"
    elif file_name != file_name.strip() or file_name.endswith("."):
        rule = "edges"
    elif file_name.partition(".")[0].rstrip().casefold() in _DEVICES:
        rule = "device"
    elif not extension_of(file_name):
        rule = "extension_missing"
    if rule is not None:
        raise Refusal("attachment_name", 422, facts={"rule": rule})


def _is_unseen(each: str) -> bool:
    # U+FE00 to U+FE0F choose how the sign before them looks. Surrogates have a rule of their own.
    return unicodedata.category(each) in _UNSEEN or each in _FILLERS or "\ufe00" <= each <= "\ufe0f"


def extension_of(file_name: str) -> str:
    """What follows the last dot, in lower case; empty without one."""
    stem, dot, end = file_name.rpartition(".")
    return end.casefold() if dot and stem else ""


def rule_for(rules: Sequence[AttachmentRule], attachment_type: str) -> AttachmentRule | None:
    """The rule of a type, whose name has no case; None where there is none."""
    return next((rule for rule in rules if rule.type.casefold() == attachment_type.casefold()), None)


def check_type(action: ActionMapping, attachment_type: str) -> None:
    """Refuse what the action does not take by way of uploads."""
    policy = action.attachment_policy
    if policy is None or Supply.UPLOAD not in policy.supplies:
        raise Refusal("attachments_not_taken", 422)
    if attachment_type.casefold() not in {each.casefold() for each in policy.types}:
        raise Refusal("attachment_type", 422, facts={"rule": f"types: {', '.join(policy.types)}"})


def check_attachment(
    rules: Sequence[AttachmentRule],
    *,
    attachment_type: str,
    file_name: str,
    size: int | None,
    present: int,
    largest: int,
) -> None:
    """
    Hold an attachment against the service's rules; *present* of its type are there already.

    Without any rule only the name and *size* count, which is None until it is known: above nothing, up to *largest*
    bytes.

    Raises:
        Refusal: With the rule that it breaks.
    """
    check_name(file_name)
    rule = rule_for(rules, attachment_type)
    if rule is None and rules:
        known = ", ".join(rule.type for rule in rules)
        raise Refusal("attachment_type", 422, facts={"rule": f"AttachmentTypeName: {known}"})
    if size is not None:
        check_empty(size)
        check_size(rule, size=size, largest=largest)
    if rule is None:
        return
    if rule.extensions and extension_of(file_name) not in rule.extensions:
        raise Refusal("attachment_extension", 422, facts={"rule": f"AllowedFileTypes: {', '.join(rule.extensions)}"})
    if rule.max_count is not None and present >= rule.max_count:
        raise Refusal("attachment_count", 422, facts={"rule": f"MaxAttachmentCount: {rule.max_count}"})


def check_empty(size: int) -> None:
    """Refuse a whole file of no bytes: nobody means it, and it would take the place of a good one."""
    if not size:
        raise Refusal("attachment_empty", 422)


def check_size(rule: AttachmentRule | None, *, size: int, largest: int) -> None:
    """Refuse what is larger than the rule, or than *largest* (bytes) where that is less."""
    limit = largest if rule is None else min(rule.max_bytes, largest)
    if size > limit:
        raise Refusal("attachment_size", 413, facts={"rule": f"MaxFileSize: {limit / MEGABYTE:g} MB"})


def missing_types(rules: Iterable[AttachmentRule], present: Mapping[str, int]) -> list[str]:
    """Name the types of which there are too few; *present* counts by type in lower case."""
    return [rule.type for rule in rules if present.get(rule.type.casefold(), 0) < rule.min_count]
