"""Findings about what the receiver of a form may refuse, though it is valid: ``receiver_may_refuse``."""

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from bridge.core.errors import Finding, Severity
from bridge.core.mapping import Receiver
from bridge.forms.paths import attribute_step, path_of
from bridge.forms.xml.dotnet import Judge
from bridge.forms.xml.dotnet_patterns import dotnet_pattern
from bridge.forms.xml.input import declared_encoding, line_of, with_whole_values
from bridge.forms.xml.lexical import may_be_lax, takes
from bridge.forms.xml.named_types import named_in
from bridge.forms.xml.schema_facts import SchemaModel
from bridge.forms.xml.schema_files import SchemaFiles
from bridge.forms.xml.values import Stray, Unknown, Value, values_of
from bridge.forms.xml.zones import Spot, clashing, zoned_spot

_ANYTHING = re.compile(rb"")
_SPACES = re.compile(rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80")
_DECIMALS = re.compile(rb"\b(?:decimal|integer|(?:non)?(?:[Pp]ositive|[Nn]egative)Integer)\b")
# Seven digits of which each stands four after the last: a number of 28.
_LONG_NUMBER = re.compile(rb"[0-9.]{7}")
RULE = "receiver_may_refuse"
# What a schema has, and what the bytes of a form then have if anything in it is doubtful.
_SIGNS = tuple(
    (re.compile(feature), re.compile(sign))
    for feature, sign in (
        (rb"", rb"[\xf0-\xf4]"),
        (rb"", rb"&#"),
        (rb"\b(?:time|dateTime)\b", rb"24:"),
        (rb"\b(?:date|dateTime)\b", rb"-[0-9]{4,}-"),
        (rb"\b(?:date|dateTime)\b", rb"0000-"),
        (rb"\b(?:date|dateTime)\b", rb"-(?<=[0-9]{5}-)[0-9]{2}-"),
        (rb"\bgYear(?:Month)?\b", rb"[>\"'\s](?:-[0-9]|[0-9]{5}|0000)"),
        (rb"\bduration\b", rb"[>\"'\s]-?P"),
        (rb"\bunsigned(?:Long|Int|Short|Byte)\b", rb"[>\"'\s][+-]"),
        (rb"\b(?:float|double)\b", rb"NaN"),
        (rb"\btoken\b", rb"<([^\s<>/]++)[^<>]*+>[ \t\r\n]++</\1|=\s*[\"'][ \t\r\n]+[\"']"),
        (
            rb"<(?:[\w.-]+:)?(?:list|union)\b|\b(?:NMTOKENS|IDREFS|ENTITIES)\b",
            rb">[ \t\r\n]+[^<\s]|[^>\s][ \t\r\n]+<|[^<>\s](?:[\t\r\n]|[ ]{2})|=\s*[\"']\s|\s[\"']",
        ),
        (rb"\banyURI\b|\"lax\"|'lax'", rb""),
    )
)
_UNIQUE = re.compile(rb"<(?:[\w.-]+:)?unique\b")
_DATES = re.compile(rb"\b(?:date|time|dateTime|g(?:Year|Month|Day|YearMonth|MonthDay))\b")
_ZONED = re.compile(rb"[0-9](?:Z|[+-][0-9]{2}:[0-9]{2})[\s<\"']")
_WINDOW = 1 << 20
_DECLARATION = re.compile(rb"\A<\?xml\s[^>]*>")
_CUT = re.compile(rb"<[!?]|(?:--|\]\]|\?)>")
_CODE_PAGES = frozenset({"windows-1252", "iso-8859-15", "utf8"})


class ReceiverCheck:
    """What may be refused of the forms of one schema."""

    def __init__(self, files: SchemaFiles) -> None:
        texts = files.texts.values()
        self._counts = any(map(_DECIMALS.search, texts))
        self._signs = [sign for feature, sign in _SIGNS if any(map(feature.search, texts))]
        self._signs += {sign for pattern in files.patterns() if (sign := _sign_of(pattern)) is not None}
        if files.takes_anything():
            self._signs.append(_ANYTHING)
        self._compares = any(map(_UNIQUE.search, texts)) and any(map(_DATES.search, texts))
        if self._compares:
            self._signs.append(_ZONED)
        self._judge = Judge()

    def may_find(self, data: bytes) -> bool:
        """Whether there may be something in the form *data*; next to all forms need no look."""
        data = with_whole_values(data)
        named, signs = named_in(data), self._signs
        if named:
            signs = signs + [sign for feature, sign in _SIGNS if feature.search(named)]
        counts = self._counts or _DECIMALS.search(named) is not None
        if counts and _LONG_NUMBER.search(data[::4]) is not None:
            return True
        return any(sign.search(data) for sign in signs)

    def findings(self, root: etree._Element, model: SchemaModel, receiver: Receiver) -> Iterator[Finding]:
        """Findings of what *receiver* may refuse in the valid form *root*."""
        zoned: set[Spot] = set()
        for value in values_of(root, model):
            if self._compares and (spot := zoned_spot(value)) is not None:
                zoned.add(spot)
            why = self.why(value, model)
            if why is None:
                continue
            attribute = value.attribute if isinstance(value, Value) else None
            path = path_of(value.node) + ("" if attribute is None else f"/{attribute_step(value.node, attribute)}")
            yield doubt(path, why, receiver, line=line_of(value.node))
        for node in clashing(root, model, zoned):
            yield doubt(path_of(node), "zone", receiver, line=line_of(node))

    def why(self, judged: Value | Unknown | Stray, model: SchemaModel) -> str | None:
        """The code of why .NET may refuse *judged*; None where it takes it."""
        match judged:
            case Stray():
                return None
            case Unknown():
                return "unknown"
            case Value(simple=simple, text=text):
                return self._judge.why(simple, text, lambda member, text: takes(member, text, model))


class Watch:
    """
    Says of a form that streams by whether it has to be looked at value by value, in memory that does not grow.

    That is where *check* might find something in it, or a value of *lax* types, which the engine takes too easily.
    """

    def __init__(self, check: ReceiverCheck, lax: frozenset[bytes] = frozenset()) -> None:
        self.check, self._lax = check, lax
        self.may_find = self.may_be_lax = False

    def over(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Hand *pieces* (UTF-8) on, and look at each value together with the tags around it."""
        held: list[bytes] = []
        fresh = 0
        for piece in pieces:
            yield piece
            if self.may_find and self.may_be_lax:
                continue
            held.append(piece)
            fresh += len(piece)
            if fresh >= _WINDOW:
                window = b"".join(held)
                self._look(window)
                last = window.rfind(b"<")
                held, fresh = [window[max(0, window.rfind(b"<", 0, max(0, last))) :]], 0
        self._look(b"".join(held))

    def _look(self, window: bytes) -> None:
        whole = with_whole_values(_DECLARATION.sub(b"", window))
        # What a window cuts in two may stand in the middle of a value.
        cut = _CUT.search(whole) is not None
        self.may_find = self.may_find or cut or self.check.may_find(whole)
        self.may_be_lax = self.may_be_lax or (cut and bool(self._lax)) or may_be_lax(self._lax, whole)

    def findings(self) -> tuple[Finding, ...]:
        """The finding that nobody looked closer, where that might have found something."""
        return (not_looked_at(),) if self.may_find else ()


def not_looked_at() -> Finding:
    """The finding that nobody could look at the values of a form for its receiver's sake."""
    return Finding(path="/", rule="receiver_not_checked", severity=Severity.WARNING)


def _sign_of(pattern: str) -> re.Pattern[bytes] | None:
    """What a form's bytes have where .NET may read *pattern* in another way; None where it never does."""
    if dotnet_pattern(pattern) in (None, pattern):
        return None
    return _ANYTHING if dotnet_pattern(pattern, spaces=False) != pattern else _SPACES


def encoding_finding(xml: bytes | str, receiver: Receiver) -> tuple[Finding, ...]:
    """Where a form is declared to be in an encoding that .NET does not always have."""
    declared = None if isinstance(xml, str) else declared_encoding(xml)
    return (doubt("/", "encoding", receiver, line=1),) if declared in _CODE_PAGES else ()


def doubt(path: str, why: str, receiver: Receiver, *, line: int) -> Finding:
    """The finding that *receiver* may refuse what stands at *path*, and why."""
    severity = Severity.ERROR if receiver is Receiver.DOTNET else Severity.WARNING
    return Finding(path=path, rule=RULE, facts={"why": why}, line=line, severity=severity)
