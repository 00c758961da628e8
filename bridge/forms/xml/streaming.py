"""
Hold a form of any size against its schema in constant memory.

libxml2 tells no line while it streams. So a second reading looks for the places, only where the first found faults:
there libxml2 gets one tag at a time, and a fault belongs to the tag that brought it.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from lxml import etree

from bridge.core.errors import Finding, errors_of
from bridge.core.mapping import Receiver
from bridge.forms.paths import name_of
from bridge.forms.xml.beside import MOST_IDS, findings_beside
from bridge.forms.xml.error_log import LogEntry, entries
from bridge.forms.xml.input import (
    DOCTYPE,
    ONE_BYTE,
    UTF8_NAMES,
    Limits,
    Unreadable,
    declared_encoding,
    has_doctype,
    place_of_fault,
    refuse_other_versions,
    unreadable,
)
from bridge.forms.xml.libxml2_findings import StreamFindings
from bridge.forms.xml.named_types import pieces_with_bare_types
from bridge.forms.xml.namespaces import pieces_in_plain_namespaces
from bridge.forms.xml.receiver import Watch
from bridge.forms.xml.roots import other_root
from bridge.forms.xml.schema_facts import SchemaModel

_PIECE = 1 << 14  # Larger ones are slower: what has been read waits longer to be forgotten.
_TAG_END = re.compile(rb"[^>]*>|[^>]+\Z")
_MOST_FAULTS = 10_000
_MOST_RUNS = 10_000
_LONGEST_RUN = 10_000


def check_stream(
    schema: etree.XMLSchema,
    model: SchemaModel,
    path: Path,
    *,
    limits: Limits,
    watch: Watch,
    receiver: Receiver,
    root: str | None = None,
    most_ids: int = MOST_IDS,
) -> tuple[Finding, ...]:
    """
    Hold the file at *path* against *schema*; nothing found means valid. Of *limits* only the number of findings counts.

    A place has a number where others of its name came before it, and the line on which the start tag ends; what is
    missing at the end of its parent has that of the parent's end. What hides behind a misplaced field in the same group
    stays hidden. What *watch* sees signs of is looked at value by value: what libxml2 takes too easily, and what
    *receiver* may refuse. Of *most_ids* IDs it is known whether they repeat.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        suspects, whole, other = _first_reading(schema, path, root, watch=watch)
        if other:
            return other
        found = _second_reading(schema, model, path, suspects=suspects, limits=limits) if suspects else ()
        if whole:
            if watch.may_find or watch.may_be_lax:
                pieces = _as_judged(_pieces(path))
                beside = findings_beside(
                    pieces, model, watch=watch, receiver=receiver, limits=limits, most_ids=most_ids
                )
                found = _together(found, beside, limits)
            return found
        found = (*watch.findings(), *found)
        if found and found[-1].rule == "more_findings":
            return found
        # Nobody has read what comes behind very many faults, and all of those may be none.
        return (*found, Finding(path="/", rule="more_findings" if errors_of(found) else "not_checkable"))
    except Unreadable as broken:
        if broken.finding.rule != "not_well_formed":
            return (broken.finding,)
        # Namespaces were rewritten on the way: what stands behind them on their lines came elsewhere.
        line, column = place_of_fault(_pieces(path)) or (broken.finding.line, broken.finding.column)
        return (replace(broken.finding, line=line, column=column),)


def _together(found: Sequence[Finding], beside: Sequence[Finding], limits: Limits) -> tuple[Finding, ...]:
    """Both in the form's order, and of each place what was *found* first."""
    places = {each.path for each in found if each.path != "/"}
    every = [*(each for each in beside if each.path not in places), *found]
    told = sorted((each for each in every if each.rule != "more_findings"), key=lambda each: each.line)
    more = len(told) > limits.max_findings or len(told) < len(every)
    return (*told[: limits.max_findings], *([Finding(path="/", rule="more_findings")] if more else []))


def _first_reading(
    schema: etree.XMLSchema, path: Path, root: str | None, *, watch: Watch
) -> tuple[Sequence[int], bool, tuple[Finding, ...]]:
    """
    The numbers of the pieces in which something is wrong; with very many faults, of the first ones.

    Beside them, whether all was read, and what is wrong with its root, where that must be *root*.
    """
    stream = _Stream(schema, events=("end",))
    other: tuple[Finding, ...] = ()
    suspects: list[int] = []
    known = 0
    for number, piece in enumerate(_as_judged(watch.over(_pieces(path)))):
        stream.feed(piece)
        for _, last in stream.events():
            if last.getparent() is None:
                other = other_root(last, root)
        if stream.faults != known:
            known = stream.faults
            suspects.append(number)
        if known > _MOST_FAULTS:
            return suspects, False, ()
    stream.close()
    return suspects if known == stream.faults else [*suspects, -1], True, other


def _second_reading(
    schema: etree.XMLSchema,
    model: SchemaModel,
    path: Path,
    *,
    suspects: Sequence[int],
    limits: Limits,
    also: frozenset[int] = frozenset(),
) -> tuple[Finding, ...]:
    """The findings of the pieces *suspects*; *also* are those in which elements of findings began."""
    stream = _Stream(schema, events=("start", "end"))
    findings, here = StreamFindings(model, limits), _Here()
    wanted, unclear = frozenset(suspects) | also, set[int]()
    line, known = 1, 0
    for number, piece in enumerate(_as_judged(_pieces(path))):
        suspect = number in wanted or number - 1 in wanted
        for part in _TAG_END.findall(piece) if suspect else (piece,):
            stream.feed(part)
            line += part.count(b"\n")
            for event, node in stream.events():
                here.follow(event, node, line, piece=None if suspect else number)
                for error in stream.errors(known):
                    findings.tell(error, node, path=here.path, line=here.line, now=line, children=here.children)
                    unclear |= here.unclear
                known = stream.faults
            told = findings.found()
            if len(told) > limits.max_findings:
                return (*told[: limits.max_findings], Finding(path="/", rule="more_findings"))
        if suspects[-1] >= 0 and number > suspects[-1]:
            break
    if findings.excused == stream.faults:
        return ()
    if unclear and not also:
        return _second_reading(schema, model, path, suspects=suspects, limits=limits, also=frozenset(unclear))
    return findings.found() or (Finding(path="/", rule="not_allowed"),)


class _Here:
    """Where in the form the reading is."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, int, int | None]] = []
        self._seen: list[Counter[str]] = [Counter()]
        self._runs: list[list[tuple[str, int]]] = [[]]
        self._left = False

    def follow(self, event: str, node: etree._Element, line: int, *, piece: int | None) -> None:
        """Go on with *node*, whose tag ends on *line*, or where a whole *piece* was read at once, before that."""
        if self._left:
            self._steps.pop()
            self._seen.pop()
            self._runs.pop()
            self._left = False
        if event == "end":
            self._left = True
            return
        name = name_of(node)
        self._seen[-1][name] += 1
        number = self._seen[-1][name]
        self._steps.append((f"{name}[{number}]" if number > 1 else name, line, piece))
        self._seen.append(Counter())
        self._add_to_run(str(node.tag))
        self._runs.append([])

    def _add_to_run(self, tag: str) -> None:
        runs = self._runs[-1]
        if runs and runs[-1][0] == tag:
            runs[-1] = tag, runs[-1][1] + 1
        elif len(runs) <= _MOST_RUNS:
            runs.append((tag, 1))

    def children(self, *, above: bool) -> Sequence[str] | None:
        """
        Name the children that have come here, or *above*, of which this is the last.

        A list is cut to the length up to which it may matter; None where there is too much else.
        """
        runs = self._runs[-2 if above else -1]
        if len(runs) > _MOST_RUNS:
            return None
        return [tag for tag, count in runs for _ in range(min(count, _LONGEST_RUN))]

    @property
    def path(self) -> str:
        return "/" + "/".join(step for step, _, _ in self._steps)

    @property
    def unclear(self) -> set[int]:
        """The piece in which this element began, where its line is not known."""
        piece = self._steps[-1][2]
        return set() if piece is None else {piece}

    @property
    def line(self) -> int:
        return self._steps[-1][1]


class _Stream:
    """libxml2 reading and validating piece by piece."""

    def __init__(self, schema: etree.XMLSchema, *, events: Sequence[Literal["start", "end"]]) -> None:
        # Entities keep their default: with resolve_entities=False beside a schema, lxml 6.1 takes a document that ends
        # too early for whole. There are none, since a DOCTYPE is refused as soon as it is seen.
        self._parser: Any = etree.XMLPullParser(
            events, schema=schema, encoding="utf-8", no_network=True, load_dtd=False, huge_tree=False
        )
        self._begun = self._ended = False

    @property
    def faults(self) -> int:
        return len(self._parser.feed_error_log)

    def errors(self, known: int) -> list[LogEntry]:
        """The errors after the first *known*."""
        return list(entries(self._parser.feed_error_log))[known:] if self.faults > known else []

    def feed(self, piece: bytes) -> None:
        """
        Hand libxml2 the next *piece*.

        Raises:
            Unreadable: It is not well-formed.
        """
        try:
            self._parser.feed(piece)
        except etree.XMLSyntaxError as error:
            raise unreadable(error) from error

    def close(self) -> None:
        """
        End the document: nothing comes any more.

        Raises:
            Unreadable: It ended too early.
        """
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            # Of a form that is well-formed it says here that there were faults, which are known.
            if not self._ended:
                raise unreadable(error) from error
        if not self._ended:
            raise Unreadable("not_well_formed")

    def events(self) -> Iterator[tuple[str, etree._Element]]:
        """What has been read since, and forget what has ended."""
        for event, node in self._parser.read_events():
            if not self._begun:
                self._begun = True
                if has_doctype(node):
                    raise Unreadable("doctype_refused")
            yield event, node
            if event == "end":
                node.clear(keep_tail=False)
                before, parent = node.getprevious(), node.getparent()
                if parent is None:
                    self._ended = True
                elif before is not None:
                    parent.remove(before)


def _as_judged(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The form written so that libxml2 reads it as XSD does."""
    return pieces_with_bare_types(pieces_in_plain_namespaces(pieces))


def _pieces(path: Path) -> Iterator[bytes]:
    """
    The file as UTF-8, in pieces, without a byte order mark.

    Raises:
        Unreadable: Empty, with a DOCTYPE, or in another encoding than it says.
    """
    with path.open("rb") as file:
        first = file.read(_PIECE)
        decode, is_utf16, one_byte = _decoder(first)
        also_utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")() if one_byte else None
        ascii_only, begun = True, False
        piece = first.removeprefix(codecs.BOM_UTF8)
        while piece:
            ascii_only = ascii_only and piece.isascii()
            also_utf8 = _still(also_utf8, piece)
            try:
                text = decode.decode(piece)
            except UnicodeDecodeError as error:
                raise Unreadable("encoding") from error
            data = text.encode()
            if not begun:
                if DOCTYPE.match(data):
                    raise Unreadable("doctype_refused")
                refuse_other_versions(data)
                declared = declared_encoding(data)
                if is_utf16 and declared is not None and not declared.startswith("utf-16"):
                    raise Unreadable("encoding")
                begun = bool(data.strip())
            yield data
            piece = file.read(_PIECE)
        # Norwegian text in Latin-1 is next to never valid UTF-8 by chance, but often the other way round by mistake.
        if one_byte and not ascii_only and also_utf8 is not None:
            raise Unreadable("encoding")
        if not begun:
            raise Unreadable("empty_document")
        yield b"\n"  # libxml2 waits for what follows an empty root before it tells of it.


def _still(decoder: codecs.IncrementalDecoder | None, piece: bytes) -> codecs.IncrementalDecoder | None:
    """*decoder* as long as what it gets is UTF-8."""
    try:
        if decoder is not None:
            decoder.decode(piece)
    except UnicodeDecodeError:
        return None
    return decoder


def _decoder(first: bytes) -> tuple[codecs.IncrementalDecoder, bool, bool]:
    """Choose by byte order mark and declaration; also say whether it is UTF-16, and whether a letter is one byte."""
    if first.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Unreadable("encoding")
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")(), True, False
    declared = declared_encoding(first.removeprefix(codecs.BOM_UTF8))
    if declared is None or declared in UTF8_NAMES:
        name = "ascii" if declared in {"us-ascii", "ascii"} else "utf-8"
        return codecs.getincrementaldecoder(name)(), False, False
    if declared not in ONE_BYTE or first.startswith(codecs.BOM_UTF8):
        raise Unreadable("encoding")
    return codecs.getincrementaldecoder(ONE_BYTE[declared])(), False, True
