"""What is looked at beside the engine in a form that streams: value by value, in memory that has a bound."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bridge.core.errors import Finding, Severity
from bridge.core.mapping import Receiver
from bridge.forms.xml.input import Limits
from bridge.forms.xml.lexical import fault_of, id_of, references_of
from bridge.forms.xml.receiver import Watch, doubt
from bridge.forms.xml.schema_facts import SchemaModel
from bridge.forms.xml.schema_files import Engine
from bridge.forms.xml.stream_values import Streamed, values_in_stream
from bridge.forms.xml.values import Value

MOST_IDS = 200_000
"""So many IDs, and references to IDs that did not come yet, are kept: each takes about a hundred bytes."""


@dataclass(slots=True)
class _Ids:
    """The IDs that came and the references that wait for theirs, by digests: Python's own, whose key is secret."""

    most: int
    came: set[int] = field(default_factory=set)
    waiting: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    places: int = 0
    full: bool = False

    def repeats(self, name: str) -> bool:
        """Keep *name*, and say whether it came before."""
        digest = hash(name)
        if digest in self.came:
            return True
        self.places -= len(self.waiting.pop(digest, ()))
        if len(self.came) < self.most:
            self.came.add(digest)
        else:
            self.full = True
        return False

    def refer(self, name: str, path: str, line: int) -> None:
        """Keep that something at *path* refers to *name*."""
        digest = hash(name)
        if digest in self.came:
            return
        if self.places < self.most:
            self.waiting.setdefault(digest, []).append((path, line))
            self.places += 1
        else:
            self.full = True

    def findings(self) -> Iterator[Finding]:
        """Tell the references to nowhere, or that this is not known."""
        if self.full:
            yield Finding(path="/", rule="ids_not_checked", facts={"most": str(self.most)}, severity=Severity.WARNING)
            return
        for path, line in (place for places in self.waiting.values() for place in places):
            yield Finding(path=path, rule="no_such_key", line=line)


def findings_beside(
    pieces: Iterable[bytes], model: SchemaModel, *, watch: Watch, receiver: Receiver, limits: Limits, most_ids: int
) -> tuple[Finding, ...]:
    """
    What is wrong with the values of the form *pieces* though libxml2 takes it, and what *receiver* may refuse.

    At most ``limits.max_findings``; the last one says where there may be more. *watch* has seen the form already.

    Raises:
        Unreadable: It is no XML to expat.
    """
    if not model.knows_types:
        return watch.findings()
    found: list[Finding] = []
    ids = _Ids(most_ids)
    for streamed in values_in_stream(pieces, model):
        found += _faults(streamed, model, ids) if watch.may_be_lax else ()
        if watch.may_find and (not found or found[-1].path != streamed.path):
            why = watch.check.why(streamed.judged, model)
            found += () if why is None else (doubt(streamed.path, why, receiver, line=streamed.line),)
        if len(found) > limits.max_findings:
            break
    else:
        found += ids.findings()
    more = [Finding(path="/", rule="more_findings")] if len(found) > limits.max_findings else []
    return (*found[: limits.max_findings], *more)


def _faults(streamed: Streamed, model: SchemaModel, ids: _Ids) -> Iterator[Finding]:
    value, path, line = streamed.judged, streamed.path, streamed.line
    if not isinstance(value, Value):
        return
    fault = fault_of(value, model, Engine.LIBXML2)
    name = id_of(value)
    if fault is not None:
        rule, facts = fault
        yield Finding(path=path, rule=rule, facts=facts, line=line)
    elif name is not None and ids.repeats(name):
        yield Finding(path=path, rule="not_unique", line=line)
    for each in references_of(value) if fault is None else ():
        ids.refer(each, path, line)
