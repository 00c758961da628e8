"""Values that XSD takes and libxml2 misreads, written so that it reads them: blanks around dates, fixed values."""

import itertools
import re

from lxml import etree

from bridge.forms.paths import locate
from bridge.forms.xml.error_log import entries
from bridge.forms.xml.input import Effort, text_of, with_whole_values
from bridge.forms.xml.libxml2_findings import spell_fixed_values
from bridge.forms.xml.new_letters import in_old_letters
from bridge.forms.xml.schema_facts import SchemaModel
from bridge.forms.xml.values import BLANKS, XSI, Value, values_of

_OF_BLANKS = frozenset(
    (
        *("SCHEMAV_CVC_DATATYPE_VALID_1_2_1", "SCHEMAV_CVC_DATATYPE_VALID_1_2_2", "SCHEMAV_CVC_DATATYPE_VALID_1_2_3"),
        "SCHEMAV_CVC_ELT_4_2",
    )
)
_OF_PATTERNS = frozenset(
    # Of a union it is not said what its members have against a value.
    ("SCHEMAV_CVC_PATTERN_VALID", "SCHEMAV_CVC_DATATYPE_VALID_1_2_2", "SCHEMAV_CVC_DATATYPE_VALID_1_2_3")
)
_UNDECLARED = "SCHEMAV_CVC_ELT_1"
_MOST_ERRORS = 500
_PADDED = re.compile(rb">[ \t\r\n]+[^<\s]|[^>\s][ \t\r\n]+<|=\s*[\"'][ \t\r\n]|[ \t\r\n][\"']|&#")


def accepts_as_meant(
    schema: etree.XMLSchema, root: etree._Element, data: bytes, *, model: SchemaModel, effort: Effort
) -> bool:
    """
    Whether *schema*, which has just refused *root*, accepts it once what it misreads is respelled as it reads it.

    *data* is the form as it came. What is wrong besides is for ``explain`` to tell.
    """
    kinds = [error.type_name for error in itertools.islice(entries(schema.error_log), _MOST_ERRORS)]
    if not _OF_BLANKS.isdisjoint(kinds) and collapse_blanks(root, data, model) and schema.validate(root):
        return True
    if not _OF_PATTERNS.isdisjoint(kinds) and _write_old_letters(schema, root) and schema.validate(root):
        return True
    return spell_fixed_values(schema, root, model) or _is_typed_by_itself(schema, root, model, effort=effort)


def may_be_padded(data: bytes) -> bool:
    """Whether the form *data* has a value with blanks around it."""
    return _PADDED.search(with_whole_values(data)) is not None


def collapse_blanks(root: etree._Element, data: bytes, model: SchemaModel) -> bool:
    """Take away the blanks around dates, times, durations and names of types, and say whether there were any."""
    if not may_be_padded(data):
        return False
    changed = False
    for node in root.iter(etree.Element):
        said = node.get(f"{XSI}type")
        if said is not None and said != said.strip(BLANKS):
            node.set(f"{XSI}type", said.strip(BLANKS))
            changed = True
    for value in [each for each in values_of(root, model) if isinstance(each, Value)]:
        bare = value.text.strip(BLANKS)
        if bare == value.text or not model.collapses(value.simple, bare):
            continue
        changed = True
        if value.attribute is not None:
            value.node.set(value.attribute, bare)
        else:
            del value.node[:]  # Comments, between which the value may stand.
            value.node.text = bare
    return changed


def _write_old_letters(schema: etree.XMLSchema, root: etree._Element) -> bool:
    """
    Whether there were letters that libxml2's tables are too old for; each is an old one of its kind now.

    Only in values that a pattern has just refused: to it ``\\p{L}`` has no capital ß, which came in 2008.
    """
    changed = False
    for error in list(itertools.islice(entries(schema.error_log), _MOST_ERRORS)):
        node = locate(root, error.path) if error.type_name in _OF_PATTERNS else None
        if node is None:
            continue
        old = in_old_letters(text_of(node))
        if old != text_of(node):
            del node[:]
            node.text, changed = old, True
        for name, text in list(node.attrib.items()):
            node.set(name, in_old_letters(str(text)))
            changed = changed or node.get(name) != text
    return changed


def _is_typed_by_itself(schema: etree.XMLSchema, root: etree._Element, model: SchemaModel, *, effort: Effort) -> bool:
    """
    Whether only elements are refused that name a type where any declared element may stand, and rightly.

    To XSD the type is enough there; libxml2 wants a declaration.
    """
    errors = list(itertools.islice(entries(schema.error_log), _MOST_ERRORS))
    if not errors or any(error.type_name != _UNDECLARED for error in errors) or f"{XSI}type" in root.attrib:
        return False
    if root.find(f".//*[@{XSI}type]") is None:
        return False
    return model.accepts(root, effort) is True
