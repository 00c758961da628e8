"""
Patterns as .NET writes them, read as XSD's: many schemas were only ever tried there.

What means the same is written in XSD's words. What XSD has no words for and takes no room (look-arounds, word borders)
goes out, so that the rest is still held against values: fewer are refused, and never one that the pattern takes. Of
what is left (back references, flags) nothing can be said, and the pattern is dropped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bridge.forms.xml.anchors import (
    OPEN_END,
    QUANTIFIER,
    Way,
    after_quantifier,
    either,
    from_none,
    in_turn,
    outside_classes,
    repeated,
    spelled_out,
    whole,
)
from bridge.forms.xml.automata import knows_block

_CODE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
_CATEGORY = re.compile(r"\\[pP]\{[^}]*\}")
_GROUP = re.compile(r"\?(?::|P?<(?![=!])[^>]*>|'[^']*')")
_LOOK_AROUND = re.compile(r"\?(?:[=!]|<[=!])")
_OWN = frozenset("nrt\\|.?*+(){}-[]^")
"""What a backslash may stand before in XSD, beside its classes."""
_CLASSES = frozenset("sSiIcCdDwW")
_DEEPEST = 50
_AT_MOST_ONCE = ("?", "{1}", "{0,1}")
_NOT_AT_ALL = re.compile(r"\{0+(?:,0+)?\}")
_ENDS_IN_GROUP = re.compile(r"(?<!\\)\)[*+](?:\)|\|)")
_NEGATED = re.compile(r"\[\^(?:[^\]\\]|\\.)*\]")
_SPECIAL = frozenset("\\|.?*+(){}[]")


class _Untold(Exception):
    """XSD cannot say this; the reason is for the note."""


@dataclass(frozen=True, slots=True)
class _Class:
    """A character class: what stands in its brackets, with ``^`` before it if negated, and what is taken away."""

    members: str
    without: "_Class | None" = None
    outside: tuple[str, ...] = ()
    """The kinds and blocks whose letters it has not, by ``\\P``."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern in XSD's words, and whether it fits a text of no letters."""

    text: str
    empty: bool
    starts: bool = False
    """Whether it was anchored to the value's beginning, however it is read."""
    ends: bool = False
    never: bool = False
    """Whether nothing fits it in .NET, since an anchor stands where it cannot hold."""
    anchored: tuple[Way, ...] = ()
    """The ways through it, if an anchor stands in it."""
    exact: bool = True
    """Whether *text* fits no more than these ways do."""

    @property
    def ways(self) -> tuple[Way, ...]:
        return self.anchored or (Way(self.text, empty=self.empty),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern in XSD's words, or None where it has none; *notes* say what was changed."""

    text: str | None
    notes: tuple[str, ...] = ()
    strays: bool = False
    """Whether it has anchors inside: to XSD characters, while in .NET they never hold."""
    never: bool = False
    """Whether because of them nothing fits it in .NET."""


def xsd_pattern(pattern: str) -> Pattern:
    """The *pattern*, read as .NET does and respelled in XSD's words."""
    reader = _Reader(pattern)
    try:
        read = reader.whole()
    except _Untold as reason:
        return Pattern(text=None, notes=(str(reason),))
    notes = tuple(reader.notes())
    said = read.text if read.exact else whole(read.ways)
    text = said if notes or reader.apart else pattern
    return Pattern(text=text, notes=notes, strays=reader.strays, never=read.never)


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str, *, ahead: bool = False) -> None:
        self._pattern, self._at, self._deep = pattern, 0, 0
        self._ahead = ahead
        """Whether it only looks whether what follows an anchor may be nothing."""
        self._again = 0
        """How many of the groups around may come more than once."""
        self._may_end: dict[int, bool] = {}
        self.strays = False
        self.left_out: list[str] = []
        # libxml2 does not see that \w and \d, or \P{…} and what is in it, share characters, unless one is in brackets.
        self._branching = "|" in pattern or re.search(r"\)[*+?{]", pattern) is not None
        self._negated = len(set(_NEGATED.findall(pattern))) > 1
        self.apart = (
            self._negated or "\\P{" in pattern or ("\\w" in pattern and ("\\d" in pattern or "\\p{" in pattern))
        )
        self._anchored = self._unnamed = self._lazy = self._hyphen = self._spelled = self._twice = False

    def notes(self) -> Iterator[str]:
        """What was changed, in words."""
        if self._anchored:
            yield "XSD anchors itself"
        if self._unnamed:
            yield "groups need no kind"
        if self._lazy:
            yield "a lazy quantifier fits the same values"
        if self._hyphen:
            yield "a hyphen after a range is itself"
        if self._spelled:
            yield "characters are written out"
        if self._twice:
            yield "what is taken away from what is taken away stands beside it"
        if self.left_out:
            yield f"without {' and '.join(dict.fromkeys(self.left_out))}, which XSD does not have"

    def whole(self) -> _Part:
        read = self._branches(first=True, last=True)
        if self._at < len(self._pattern):
            raise _Untold("it closes a group that is not open")
        return read

    def _more(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _branches(self, *, first: bool, last: bool) -> _Part:
        branches = [self._branch(first=first, last=last)]
        while self._more() == "|":
            self._at += 1
            branches.append(self._branch(first=first, last=last))
        open_ended = [OPEN_END.search(branch.text) is not None for branch in branches]
        if any(open_ended[:-1]):
            # Behind a branch that ends so, libxml2 takes the others for a way into its end.
            self.apart = True
            branches.sort(key=lambda branch: OPEN_END.search(branch.text) is not None)
        return _Part(
            "|".join(branch.text for branch in branches),
            any(branch.empty for branch in branches),
            starts=all(branch.starts for branch in branches),
            ends=all(branch.ends for branch in branches),
            never=all(branch.never for branch in branches),
            anchored=either(branch.ways for branch in branches) if any(branch.anchored for branch in branches) else (),
            exact=all(branch.exact for branch in branches),
        )

    def _branch(self, *, first: bool, last: bool) -> _Part:
        """
        The branch up to a bar or the group's end; *first* and *last*: what stands around it may be nothing.

        What stands before an anchor of the beginning, or behind one of the end, is nothing where it holds.
        """
        pieces: list[_Part] = []
        parts: list[tuple[Way, ...]] = []
        starts = ends = False
        nothing = True
        while self._more() not in ("", "|", ")"):
            begins = first and nothing
            if begins and (anchor := self._anchor("^", "\\A")):
                pieces, starts = [], True
                parts.append((Way("", empty=True, starts=True),))
                self._drop(anchor)
            elif (anchor := self._anchor("$", "\\z", "\\Z")) and (
                self._ahead or (last and self._ends(self._at + anchor))
            ):
                ends = True
                parts.append((Way("", empty=True, ends=True),))
                self._drop(anchor)
            else:
                piece = self._piece(begins=begins, last=last)
                parts.append(piece.ways)
                if piece.starts and begins:
                    pieces, starts = [], True
                if not ends:
                    pieces.append(piece)
                    nothing = nothing and piece.empty
                ends = ends or piece.ends
        ways = in_turn(parts)
        alone = len(pieces) < 2 or all(len(piece.ways) == 1 for piece in pieces)
        return _Part(
            "".join(piece.text for piece in pieces),
            all(piece.empty for piece in pieces),
            starts=starts,
            ends=ends,
            never=any(piece.never for piece in pieces),
            anchored=ways,
            exact=not ways or (alone and all(piece.exact for piece in pieces)),
        )

    def _anchor(self, *anchors: str) -> int:
        """How long the one of *anchors* is that stands here; 0 for none."""
        found = next((anchor for anchor in anchors if self._pattern.startswith(anchor, self._at)), "")
        return len(found)

    def _drop(self, length: int) -> None:
        self._anchored = True
        self._at += length

    def _ends(self, at: int) -> bool:
        """Whether what stands in the branch from *at* on may be nothing."""
        if self._pattern[at : at + 1] in ("", "|", ")"):
            return True
        if at not in self._may_end:
            ahead = _Reader(self._pattern, ahead=True)
            ahead._at, ahead._deep = at, self._deep
            pieces: list[tuple[int, bool]] = []
            try:
                while ahead._more() not in ("", "|", ")"):
                    start, anchor = ahead._at, ahead._anchor("$", "\\z", "\\Z")
                    ahead._at += anchor
                    pieces.append((start, anchor > 0 or ahead._piece(begins=False, last=False).empty))
            except _Untold:
                pieces.append((at, False))
            may_end = self._may_end[ahead._at] = True
            for start, empty in reversed(pieces):
                may_end = self._may_end[start] = may_end and empty
        return self._may_end[at]

    def _piece(self, *, begins: bool, last: bool) -> _Part:
        atom = self._atom(begins=begins, last=last)
        quantifier = QUANTIFIER.match(self._pattern, self._at)
        if quantifier is None:
            return atom
        self._at = quantifier.end()
        if self._more() == "?":
            self._at += 1
            self._lazy = True
        if not atom.text:
            return atom  # What was left out comes no more often.
        often = quantifier[0]
        if atom.empty and not atom.anchored and often not in _AT_MOST_ONCE and "){0," not in atom.text:
            often = from_none(often)
            self.apart = True  # Of what may be nothing libxml2 counts what is something; three deep it gives up.
        if (atom.starts or atom.ends) and not self._ahead:
            often = _at_most_once(often)
        text, optional = self._often(atom.text, often), often in ("*", "?") or re.match(r"\{0+[,}]", often) is not None
        ways = self._ways_of(atom, text, often, optional=optional) if atom.anchored else ()
        exact = atom.exact and (len(atom.ways) < 2 or often in _AT_MOST_ONCE)
        if optional:
            return _Part(text, empty=True, anchored=ways, exact=exact)
        return replace(atom, text=text, anchored=ways, exact=exact)

    def _ways_of(self, atom: _Part, text: str, often: str, *, optional: bool) -> tuple[Way, ...]:
        """The ways through *atom*, which comes as *often* as that and is *text* then."""
        free = next((way for way in atom.ways if not way.starts and not way.ends), None)
        tied = [way for way in atom.ways if way is not free]
        if not tied or often not in (*_AT_MOST_ONCE, "*", "+"):
            return (Way(text, empty=optional or atom.empty),)
        if free is not None and free.text:
            once = "?" if optional else ""
            some = Way(self._often(free.text, once if often in _AT_MOST_ONCE else often), empty=optional or free.empty)
            any_number = self._often(free.text, "*")
        else:
            some, any_number = Way("", empty=True), ""
        others = () if free is None and not optional else (some,)
        return (*tied, *others) if often in _AT_MOST_ONCE else repeated(tied, others, any_number)

    def _often(self, atom: str, often: str) -> str:
        """The *atom* with its quantifier *often*, spelled so that libxml2 reads it rightly."""
        if often == "*" and _ENDS_IN_GROUP.search(atom):
            self.apart = True  # libxml2 would come in at the inner group as well.
            return f"({atom}+)?"
        if self._branching and not atom.startswith("("):
            spelled = spelled_out(atom, often, again=self._again > 0)
            self.apart = self.apart or spelled is not None  # Where ways part, libxml2 mixes up those that count.
            return atom + often if spelled is None else spelled
        return atom + often

    def _atom(self, *, begins: bool, last: bool) -> _Part:
        if self._more() == "(":
            return self._group(begins=begins, last=last)
        never = self._more() in ("^", "$")
        self.strays = self.strays or never
        text = self._character()
        return _Part(text, empty=not text, never=never)

    def _character(self) -> str:
        character = self._more()
        if character == "[":
            return self._written(self._class())
        if character == "\\":
            return self._escape(in_class=False)
        self._at += 1
        if character not in "{}]":
            return character
        second = QUANTIFIER.match(self._pattern, self._at - 1)
        if second is not None:  # Of a quantifier, which nobody allows.
            self._at = second.end()
            return second[0]
        self._spelled = True
        return f"\\{character}"

    def _group(self, *, begins: bool, last: bool) -> _Part:
        self._deep += 1
        if self._deep > _DEEPEST:
            raise _Untold(f"it has more than {_DEEPEST} groups inside each other")
        try:
            return self._inside_group(begins=begins, last=last)
        finally:
            self._deep -= 1

    def _inside_group(self, *, begins: bool, last: bool) -> _Part:
        start = self._at
        self._at += 1
        if self._pattern.startswith("?#", self._at):
            self._at = self._close(start)
            self._unnamed = True
            return _Part("", empty=True)
        if _LOOK_AROUND.match(self._pattern, self._at):
            self._at = self._close(start)
            self.left_out.append("look-arounds")
            return _Part("", empty=True)
        named = _GROUP.match(self._pattern, self._at)
        if named is not None:
            self._at = named.end()
            self._unnamed = True
        elif self._more() == "?":
            raise _Untold(f"XSD has no '({self._pattern[self._at : self._at + 2]}'")
        end = self._close(start)
        quantifier = QUANTIFIER.match(self._pattern, end)
        again = quantifier is not None and quantifier[0] not in _AT_MOST_ONCE
        self._again += again
        inner = self._branches(first=begins, last=last and self._ends(after_quantifier(self._pattern, end)))
        self._again -= again
        if self._more() != ")":
            raise _Untold("a group is not closed")
        self._at += 1
        ways = inner.anchored
        if len(ways) > 1:
            ways = tuple(replace(way, text=way.text and f"({way.text})") for way in ways)
        elif ways:
            ways = (replace(ways[0], text=f"({ways[0].text})"),)
        return replace(inner, text=f"({inner.text})", anchored=ways)

    def _close(self, start: int) -> int:
        """The place behind the group that opens at *start*."""
        depth = 0
        for at, character in outside_classes(self._pattern, start):
            if character in "()":
                depth += 1 if character == "(" else -1
                if depth == 0:
                    return at + 1
        raise _Untold("a group is not closed")

    def _class(self) -> _Class:
        """The class ``[…]``: what stands in it, and what is taken away from it."""
        self._at += 1
        negated = self._more() == "^"
        self._at += negated
        parts: list[str] = []
        outside: list[str] = []
        while True:
            character = self._more()
            if not character:
                raise _Untold("a character class is not closed")
            if character == "]" and (parts or outside):
                self._at += 1
                return _Class("^" * negated + "".join(parts), outside=tuple(outside))
            if self._pattern.startswith("-[", self._at):
                self._at += 1
                taken = self._class()
                if self._more() != "]":
                    raise _Untold("something follows what a class takes away")
                self._at += 1
                return _Class("^" * negated + "".join(parts), taken, tuple(outside))
            read = self._range(begins=not parts and not outside)
            if read.startswith("\\P"):
                outside.append(read[2:])
            else:
                parts.append(read)

    def _written(self, read: _Class) -> str:
        """The class spelled for libxml2, which takes away once and no more."""
        taken = read.without
        if read.outside or (taken is not None and taken.outside):
            return _without_outside(read)
        if taken is None and self._negated and read.members.startswith("^"):
            return f"[\\s\\S-[{read.members[1:]}]]"  # To libxml2 two classes of all but some have nothing in common.
        if taken is None:
            return f"[{read.members}]"
        once = f"[{read.members}-[{taken.members}]]"
        if taken.without is None:
            return once
        if taken.without.without is not None:
            raise _Untold("it takes characters away more than twice")
        self._twice = True
        given_back = taken.without.members
        if given_back.startswith("^"):
            return f"({once}|[{read.members}-[{given_back[1:]}]])"
        return f"({once}|[{given_back}])"  # As if it were all of the class's own, as it always is.

    def _range(self, *, begins: bool) -> str:
        low = self._member(begins=begins)
        rest = self._pattern[self._at : self._at + 2]
        if len(low) > 2 or low in {f"\\{letter}" for letter in _CLASSES} or rest[:1] != "-" or rest in {"-]", "-["}:
            return low
        self._at += 1
        high = self._member(begins=False)
        self.apart = self.apart or high == r"\-"  # As an end of a range xmlschema does not read it bare.
        return f"{low}-{high}"

    def _member(self, *, begins: bool) -> str:
        """One character of a class, or an escape in it, in XSD's words."""
        character = self._more()
        if character == "\\":
            return self._escape(in_class=True)
        self._at += 1
        if character == "-":
            self._hyphen = self._hyphen or not (begins or self._more() == "]")
            return "\\-"
        if character not in "[]":
            return character
        self._spelled = True
        return f"\\{character}"

    def _escape(self, *, in_class: bool) -> str:
        start = self._at
        letter = self._pattern[start + 1 : start + 2]
        code = _CODE.match(self._pattern, start)
        category = _CATEGORY.match(self._pattern, start)
        if code is not None:
            self._at = code.end()
            self._spelled = True
            return _plain(chr(int(code[1] or code[2], 16)), in_class=in_class)
        if category is not None:
            name = category[0][3:-1]
            if name.startswith("Is") and not knows_block(name):
                raise _Untold(f"there is no block {name!r}")
            self._at = category.end()
            return category[0].replace("\\P", "[^\\p") + "]" if category[0][1] == "P" and not in_class else category[0]
        self._at += 2
        if letter == "w" and self.apart and not in_class:
            return r"[\w]"
        if letter in _OWN or letter in _CLASSES:
            return f"\\{letter}"
        if letter in "bB" and not in_class:
            self.left_out.append("word borders")
            return ""
        if not letter or letter == "_" or letter.isalnum():
            raise _Untold(f"XSD has no '\\{letter}'")
        self._spelled = True
        return _plain(letter, in_class=in_class)


def _without_outside(read: _Class) -> str:
    """The class spelled without ``\\P``, which libxml2 takes for ``\\p`` in a class."""
    taken = "" if read.without is None else read.without.members
    if read.without is not None and (read.without.outside or read.without.without or taken.startswith("^")):
        raise _Untold("it takes all letters but those of a kind away")
    own = read.members.removeprefix("^")
    if own == read.members:
        parts = [f"[^\\p{kind}{taken}]" for kind in read.outside]
        parts += [f"[{own}-[{taken}]]" if taken else f"[{own}]"] if own else []
        return parts[0] if len(parts) == 1 else f"({'|'.join(parts)})"
    if len(read.outside) > 1:
        raise _Untold("it has letters that are of several kinds at once")
    return f"[\\p{read.outside[0]}-[{own}{taken}]]" if own or taken else f"[\\p{read.outside[0]}]"


def _at_most_once(often: str) -> str:
    """A quantifier for what is anchored, and so comes once. Raises _Untold where it has to come more often."""
    if often in ("?", "*") or re.match(r"\{0+[,}]", often):
        return "{0}" if _NOT_AT_ALL.fullmatch(often) else "?"
    if often != "+" and int(re.split("[{,}]", often)[1]) > 1:
        raise _Untold("an anchor stands in what has to come several times")
    return "{1}"


def _plain(character: str, *, in_class: bool) -> str:
    """The *character*, spelled so that it means itself, in .NET as well."""
    if "\ud800" <= character <= "\udfff" or (character < " " and character not in "\t\n\r"):
        raise _Untold("it names half a character, or one that XML cannot hold")
    if in_class:
        return f"\\{character}" if character in "\\[]^-" else character
    if character in "^$":
        return f"[\\{character}]" if character == "^" else "[$]"
    return f"\\{character}" if character in _SPECIAL else character
