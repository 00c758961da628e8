"""Lengths as Dialogporten counts them: in UTF-16 code units, of which an emoji has two (facts/dialogporten.md 14.2)."""


def units(text: str) -> int:
    """Count the UTF-16 code units of *text*."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def cut(text: str, limit: int) -> str:
    """The beginning of *text* that has at most *limit* code units, and no half letter."""
    if units(text) <= limit:
        return text
    taken = 0
    for at, letter in enumerate(text):
        taken += units(letter)
        if taken > limit:
            return text[:at]
    return text
