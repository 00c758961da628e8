"""Form models as Altinn 3's serialisers see them: the known is kept, in order; the rest vanishes (facts 1.4, 1.5)."""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

from bridge.sandbox.apps.values import ZERO, NotOfType, as_xml_text, from_prefill, from_xml_text

Model = dict[str, Any]
ROW_ID = "altinnRowId"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XSD = "http://www.w3.org/2001/XMLSchema"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n?")
_IN_ATTRIBUTES = {'"': "&quot;", "\r": "&#xD;", "\n": "&#xA;", "\t": "&#x9;"}
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class NotReadable(ValueError):
    """The body is no instance of the model; the message is as the app words it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    One member of a model's class, with the *members* of a ``group``.

    *kind* is ``text``, ``number`` (a decimal, as integers of schemas are), ``integer``, ``double``, ``boolean``,
    ``datetime`` or ``group``.

    *fixed* presets an attribute, as generated classes do; *content* is the text of an element that has attributes, and
    a *nillable* null is written as ``xsi:nil``. So is that of every number and truth value, whether its schema allows
    it or not (facts 1.11), unless its class has a ``ShouldSerialize`` for it: *left_out*.
    A *plain* value is of a type that cannot be null; nor can attributes and content but texts.
    """

    name: str
    kind: str = "text"
    many: bool = False
    attribute: bool = False
    fixed: str | None = None
    content: bool = False
    nillable: bool = False
    left_out: bool = False
    plain: bool = False
    members: tuple["Member", ...] = ()

    @property
    def nil_if_null(self) -> bool:
        """Whether .NET writes its null as ``xsi:nil``: a text or group that is null is nothing at all."""
        return self.nillable or (self.kind in ZERO and not self.left_out)

    @property
    def never_null(self) -> bool:
        """Whether its type has no null."""
        return self.kind in ZERO and (self.plain or self.attribute or self.content)


def has_row_id(member: Member) -> bool:
    """Whether the class of a member has an ``altinnRowId``, as those of rows have."""
    return member.many and member.kind == "group"


def empty(members: Sequence[Member], *, lists: bool = False) -> Model:
    """Make a new object: what is not preset is null or zero. With *lists* those are there, as when XML is read."""
    return {each.name: [] if each.many and lists else _initial(each) for each in members}


def _initial(member: Member) -> Any:
    if member.fixed is not None:
        return from_xml_text(member.kind, member.fixed)
    return ZERO[member.kind] if member.never_null and not member.many else None


def to_xml(model: Model, root: str, members: Sequence[Member], *, namespace: str = "") -> bytes:
    """A model as XML, as XmlSerializer has it: without a declaration; null members are left out or nil."""
    first, last = f' xmlns:xsi="{XSI}" xmlns:xsd="{_XSD}"', f" xmlns={_quoted(namespace)}" if namespace else ""
    return "".join(_element(root, model, members, around=(first, last))).encode()


def with_row_ids(model: Model, members: Sequence[Member], new_id: Callable[[], UUID]) -> Model:
    """*model* with an ``altinnRowId`` in each row of a list that has none; the others keep theirs."""
    for member in members:
        if member.kind != "group" or model.get(member.name) is None:
            continue
        rows: list[Any] = model[member.name] if member.many else [model[member.name]]
        for index, row in enumerate(rows):
            if row is None:
                continue
            if member.many and ROW_ID not in row:
                row = rows[index] = {ROW_ID: str(new_id()), **row}
            with_row_ids(row, member.members, new_id)
    return model


def fill_empty(
    model: Model, members: Sequence[Member], values: Mapping[str, str], *, overwrite: bool = False
) -> list[str]:
    """
    Put *values* (by path with dots, in any case, hyphens left out) into members that are null; gives unknown paths.

    Raises:
        NotReadable: A value does not fit its member, or the path leads into a list.
    """
    return [
        path
        for path, value in values.items()
        if not _put(model, members, path.split("."), value=value, overwrite=overwrite)
    ]


def decoded(body: bytes) -> str:
    """Decode as UTF-8 unless a byte order mark says otherwise; what the type or the declaration say does not count."""
    encoding = next((name for mark, name in _MARKS if body.startswith(mark)), "utf-8-sig")
    return body.decode(encoding, errors="replace")


def _put(model: Model, members: Sequence[Member], path: Sequence[str], *, value: str, overwrite: bool) -> bool:
    wanted = path[0].lower()
    member = next((each for each in members if each.name.replace("-", "").lower() == wanted.replace("-", "")), None)
    if member is None:
        return False
    if member.many:
        raise NotReadable(f"{member.name} is a list")
    if (member.kind == "group") != (len(path) > 1):
        return False
    if member.kind == "group":
        inner = model.get(member.name)
        inner = empty(member.members) if inner is None else inner
        known = _put(inner, member.members, path[1:], value=value, overwrite=overwrite)
        if known:
            model[member.name] = inner
        return known
    if model.get(member.name) is None or overwrite:
        try:
            model[member.name] = from_prefill(member.kind, value)
        except NotOfType as error:
            raise NotReadable(member.name) from error
    return True


def _element(
    name: str, model: Mapping[str, Any], members: Sequence[Member], *, around: tuple[str, str] = ("", "")
) -> Iterator[str]:
    """The pieces of an element with its members; *around* stands before and behind its attributes."""
    yield f"<{name}{around[0]}"
    if ROW_ID in model:
        yield f" {ROW_ID}={_quoted(model[ROW_ID])}"
    for member in members:
        if member.attribute and model.get(member.name) is not None:
            yield f" {member.name}={_quoted(as_xml_text(model[member.name]))}"
    inner = "".join(_content(model, members))
    yield f"{around[1]}>{inner}</{name}>" if inner else f"{around[1]} />"


def _content(model: Mapping[str, Any], members: Sequence[Member]) -> Iterator[str]:
    for member in members:
        value = model.get(member.name)
        if member.content and value is not None:
            yield _escaped(as_xml_text(value))
        if member.content or member.attribute:
            continue
        for each in value or [] if member.many else [value]:
            if each is None:
                yield f'<{member.name} xsi:nil="true" />' if member.nil_if_null else ""
            elif member.kind == "group":
                yield from _element(member.name, each, member.members)
            else:
                text = _escaped(as_xml_text(each))
                yield f"<{member.name}>{text}</{member.name}>" if text else f"<{member.name} />"


def _escaped(text: str) -> str:
    return _FORBIDDEN.sub(_numbered, _LINE_ENDS.sub("\n", escape(text)))


def _quoted(text: str) -> str:
    return f'"{_FORBIDDEN.sub(_numbered, escape(text, _IN_ATTRIBUTES))}"'


def _numbered(found: re.Match[str]) -> str:
    # The writer does not check letters: what XML does not have is written by its number.
    return f"&#x{ord(found[0]):X};"
