"""How Altinn 2 judges forms and attachments (facts/altinn2.md 2.10 and 3)."""

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, cast
from urllib.parse import quote

from lxml import etree

from bridge.sandbox.altinn2.blobs import Content, pieces_of
from bridge.sandbox.altinn2.model import (
    Attachment,
    AttachmentRule,
    BadUpdate,
    Element,
    Expected,
    Finding,
    Form,
    FormType,
    Service,
    Validation,
)
from bridge.sandbox.altinn2.schemas import Schemas, finding
from bridge.sandbox.apps.xml_nodes import NotWellFormed
from bridge.sandbox.apps.xml_reader import Reader
from bridge.sandbox.core.switches import Switches

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE_NAME = re.compile(r"(?!xml)[A-Za-z0-9_]+", re.IGNORECASE)


class Verdict(Enum):
    """What a field's comparison says."""

    EQUAL = "equal"
    ADDED = "added"
    DIFFERENT = "different"


def compared(submitted: str | None, expected: str | None, *, prefilled: bool) -> Verdict:
    """Hold a submitted field against the expected one: None is absent or nil, ``""`` an empty element."""
    if not submitted or not expected:
        if submitted is None and expected:
            return Verdict.ADDED
        equal = not expected if submitted == "" else submitted is None and expected is None
        return Verdict.EQUAL if equal else Verdict.DIFFERENT
    if prefilled:
        return Verdict.EQUAL if submitted.casefold() == expected.casefold() else Verdict.DIFFERENT
    left, right = _decimal(submitted), _decimal(expected)
    equal = submitted == expected if left is None and right is None else left == right
    return Verdict.EQUAL if equal else Verdict.DIFFERENT


def judged(service: Service, forms: Iterable[Form], schemas: Schemas) -> Validation:
    """Hold forms against their schemas; those that keep to them against prefill, calculations and rules."""
    errors: list[Finding] = []
    warnings: list[Finding] = []
    kept: list[Form] = []
    for form in forms:
        kind = service.form_type(form.kind, form.data_format_id, form.data_format_version)
        tree = parsed_form(form.data)
        found = schemas.faults(kind.schema, tree) if kind is not None and kind.schema is not None else ()
        errors.extend(found)
        added = False
        if kind is not None and not found and not kind.only_xsd:
            hard, soft, added = _by_rules(kind, tree, schemas)
            errors.extend(hard)
            warnings.extend(soft)
        data = etree.tostring(tree, encoding="unicode") if added else form.data
        kept.append(replace(form, data=data, validated=True))
    return Validation(errors=tuple(errors), warnings=tuple(warnings), forms=tuple(kept))


def _by_rules(kind: FormType, tree: etree._ElementTree, schemas: Schemas) -> tuple[list[Finding], list[Finding], bool]:
    hard: list[Finding] = []
    soft: list[Finding] = []
    # Calculations see the form as it was submitted, whatever prefill adds on the way.
    wanted = [(each, _expected(each, tree)) for each in kind.expected]
    added = False
    for each, value in wanted:
        verdict = compared(_value(tree, each.path), value, prefilled=each.text is not None)
        if verdict is Verdict.ADDED:
            added = _add(tree, each.path, value or "", schema=kind.schema, schemas=schemas) or added
            soft.append(finding(each.path, "The value was missing and has been added"))
        elif verdict is Verdict.DIFFERENT:
            (soft if each.overridable else hard).append(
                finding(each.path, "The submitted value differs from the expected value")
            )
    for rule in kind.rules:
        if not tree.xpath(f"boolean({rule.test})"):
            (soft if rule.soft else hard).append(finding(rule.path, rule.message))
    return hard, soft, added


def _expected(each: Expected, tree: etree._ElementTree) -> str | None:
    if each.calculation is None:
        return each.text
    found = tree.xpath(each.calculation)
    if isinstance(found, list):
        return _text(found[0]) if found and etree.iselement(found[0]) else None
    if isinstance(found, float):
        return None if math.isnan(found) else f"{Decimal(str(found)).normalize():f}"
    return str(found)


def _nodes(tree: etree._ElementTree, path: str) -> list[etree._Element]:
    steps = "".join(f"/*[local-name()='{step}']" for step in path.strip("/").split("/"))
    found = tree.xpath(steps)
    return [each for each in found if etree.iselement(each)] if isinstance(found, list) else []


def _value(tree: etree._ElementTree, path: str) -> str | None:
    found = _nodes(tree, path)
    return _text(found[0]) if found else None


def _text(node: etree._Element) -> str | None:
    return None if node.get(_NIL) in ("true", "1") else (node.text or "")


def _add(tree: etree._ElementTree, path: str, value: str, *, schema: str | None, schemas: Schemas) -> bool:
    """Put a value where it was missing, at the first place among its siblings that the schema takes."""
    there = _nodes(tree, path)
    if there:
        there[0].attrib.pop(_NIL, "")
        there[0].text = value
        return True
    above, _, name = path.rstrip("/").rpartition("/")
    parents = _nodes(tree, above) if above.strip("/") else []
    if not parents:
        return False
    parent = parents[0]
    new = etree.Element(etree.QName(etree.QName(parent).namespace, name))
    new.text = value
    for place in range(len(parent), -1, -1):
        parent.insert(place, new)
        if schemas.valid(schema, tree):
            return True
        parent.remove(new)
    return False


def attachment_fault(
    service: Service, *, file_name: str, attachment_type: str, size: int, streamed: bool, switches: Switches
) -> str | None:
    """Why an attachment is refused when it arrives, None where it is taken."""
    found = name_fault(file_name, switches) or _type_fault(attachment_type)
    if found is not None:
        return found
    if size > size_limit(service, attachment_type, streamed=streamed, switches=switches):
        return "The attachment is larger than the service allows"
    if not service.attachment_rules:
        return None
    rule = service.attachment_rule(attachment_type)
    if rule is None:
        return "The attachment type is not among the service's attachment types"
    if not _extension_taken(file_name, rule):
        return "The file type of the attachment is not among those allowed"
    return None


def size_limit(service: Service, attachment_type: str, *, streamed: bool, switches: Switches) -> int:
    """How many bytes an attachment may have."""
    rule, megabyte = service.attachment_rule(attachment_type), megabytes(switches)
    if rule is not None:
        return min(rule.max_size, switches.attachment_cap_mb) * megabyte
    return min(switches.streamed_limit_mb if streamed else switches.message_limit_mb, switches.attachment_cap_mb) * (
        megabyte
    )


def megabytes(switches: Switches) -> int:
    """How many bytes a megabyte has."""
    return 1_000_000 if switches.megabyte == "decimal" else 1_048_576


def name_fault(file_name: str, switches: Switches) -> str | None:
    """Why a file name is refused, None where it is taken."""
    stem, dot, extension = file_name.rpartition(".")
    if not file_name.strip():
        return "The file name is missing"
    if not dot or not stem or not extension:
        return "The file name must have an extension"
    if (
        ":" in file_name
        or "\\" in file_name
        or any(ord(each) < 32 or 0xD800 <= ord(each) < 0xE000 for each in file_name)
    ):
        return "The file name holds a character that is not allowed"
    if len(file_name) > switches.file_name_limit:
        return "The file name is too long"
    return None


def _type_fault(name: str) -> str | None:
    return None if _TYPE_NAME.fullmatch(name) else "The attachment type is not a valid name"


def _extension_taken(file_name: str, rule: AttachmentRule) -> bool:
    taken = {each.strip().lstrip("*").lstrip(".").lower() for each in rule.file_types.split(",")}
    return taken <= {""} or "*" in taken or file_name.rpartition(".")[2].lower() in taken


def content_fault(service: Service, attachment: Attachment, schemas: Schemas) -> str | None:
    """Hold an XML attachment against its type's schema; other files are not looked into."""
    rule = service.attachment_rule(attachment.attachment_type)
    if rule is None or rule.schema is None or not attachment.file_name.lower().endswith(".xml"):
        return None
    tree = _parsed(attachment.content)
    return None if tree is not None and schemas.valid(rule.schema, tree) else "The attachment breaks its schema"


def count_findings(element: Element) -> tuple[Finding, ...]:
    """Which types of attachment there are too few or too many of."""
    findings = []
    for rule in element.service.attachment_rules:
        count = sum(each.attachment_type.lower() == rule.name.lower() for each in element.attachments)
        if count < rule.min_count:
            findings.append(_count_finding(rule, f"There must be at least {rule.min_count}"))
        if rule.max_count is not None and count > rule.max_count:
            findings.append(_count_finding(rule, f"There must be at most {rule.max_count}"))
    return tuple(findings)


def _count_finding(rule: AttachmentRule, how_many: str) -> Finding:
    return Finding(field=rule.name, message=f"{how_many} attachments of type {rule.name}", xpath="")


_NAMESPACES = {"WAR_NS_URI", "WAR_NS_URI_RELATIVE"}
_ODD = re.compile(r": '(.*)' is not a valid URI|: URI (.*) is not absolute", re.DOTALL)


def parsed_form(data: str) -> etree._ElementTree:
    """
    Parse a form with everything closed that XML can open.

    .NET takes a namespace for what it is, a name; to libxml2 one with an å is no URI, and an error.

    Raises:
        BadUpdate: Not well-formed XML 1.0, or with a document type.
    """
    tree, odd = _read(data)
    if odd:
        # Behind such a namespace libxml2 says no more of what follows; once it is a URI, it does.
        for uri in odd - {""}:
            named = f"urn:sandbox:{quote(uri, safe='')}"
            data = data.replace(f'"{uri}"', f'"{named}"').replace(f"'{uri}'", f"'{named}'")
        if _read(data)[1]:
            _hold_to_its_end(data)
    about: Any = tree.docinfo
    if about.xml_version != "1.0":
        raise BadUpdate("FormData is not XML 1.0")
    if about.internalDTD is not None:
        raise BadUpdate("FormData must not have a document type")
    return tree


def _read(data: str) -> tuple[etree._ElementTree, set[str]]:
    """Parse, and give the namespaces that libxml2 takes for no URIs. Raises BadUpdate."""
    parser = _parser(recover=True)
    try:
        root = etree.fromstring(data.encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
        raise BadUpdate("FormData is not well-formed XML") from error
    log = list(cast("Any", parser.error_log))
    if root is None or any(each.type_name not in _NAMESPACES for each in log):
        raise BadUpdate("FormData is not well-formed XML")
    found = (_ODD.search(each.message) for each in log)
    return root.getroottree(), {each[1] or each[2] or "" if each else "" for each in found}


def _hold_to_its_end(data: str) -> None:
    """Have the slow reader judge what libxml2 cannot be asked about. Raises BadUpdate."""
    reader = Reader(data)
    try:
        while reader.read().kind != "None":
            continue
    except NotWellFormed as error:
        raise BadUpdate("FormData is not well-formed XML") from error


def empty_form(kind: FormType) -> str:
    """A form as Altinn 2 makes it when it is added without data."""
    if kind.prefill is not None:
        return kind.prefill
    return f'<Skjema skjemanummer="{kind.data_format_id}" spesifikasjonsnummer="{kind.data_format_version}"/>'


def washed(data: str) -> bytes:
    """A form as ``formdata`` has it: the same content without declaration and processing instructions."""
    try:
        root = parsed_form(data).getroot()
    except BadUpdate:
        return data.encode()  # The switch ``put_forms`` broke it off.
    etree.strip_tags(root, etree.ProcessingInstruction)
    return etree.tostring(root, encoding="utf-8", xml_declaration=False, with_tail=False)


def as_kept(data: str, switch: str) -> str:
    """A form as a PUT leaves it, by the switch ``put_forms``."""
    if switch == "kept":
        return data
    if switch == "broken_off":
        return data[: len(data) * 2 // 3]
    root = parsed_form(data).getroot()
    last = next((e for e in reversed(list(root.iter(etree.Element))) if not len(e) and (e.text or "").strip()), None)
    above = None if last is None else last.getparent()
    if last is None or above is None:
        return data
    if switch == "last_value_dropped":
        above.remove(last)
    else:
        last.text = "overwritten"
    return etree.tostring(root, encoding="unicode", with_tail=False)


def _parsed(content: Content) -> etree._ElementTree | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        for piece in pieces_of(content):
            parser.feed(piece)
        return parser.close().getroottree()
    except etree.XMLSyntaxError:
        return None


def _parser(*, recover: bool = False) -> etree.XMLParser:
    # A form arrives as text inside JSON: what its declaration says about bytes does not count.
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, recover=recover
    )


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
