"""Findings about what the receiver of a form may refuse, though it is valid: ``receiver_may_refuse``."""

import re
from collections.abc import Iterator

from lxml import etree

from bridge.core.errors import Finding, Severity
from bridge.core.mapping import Receiver
from bridge.forms.content import readable
from bridge.forms.dotnet import Judge
from bridge.forms.model import SchemaModel
from bridge.forms.paths import path_of
from bridge.forms.reading import declared_encoding, line_of
from bridge.forms.schema_files import SchemaFiles
from bridge.forms.values import Unknown, values_of

RULE = "receiver_may_refuse"
# Where a schema has one of these, only the values themselves tell; else the form's bytes tell whether there may be any.
_ALWAYS = re.compile(
    rb"\b(?:anyURI|duration|gYear|gYearMonth|token|unsigned(?:Long|Int|Short|Byte))\b|\"lax\"|'lax'|<(?:[\w.-]+:)?(?:list|union)\b"
    rb"|<(?:[\w.-]+:)?pattern\s[^<>]*(?:\\[wWsS]|[\^$])"
)
_SUSPICIOUS = re.compile(
    rb"[\xf0-\xf4]|&#|NaN|24:|[0-9][0-9.]{27}|[>\"'\s](?:-[0-9]{4}|[0-9]{5,}|0000)-",
)
_CODE_PAGES = frozenset({"windows-1252", "iso-8859-15", "utf8"})


class ReceiverCheck:
    """What may be refused of the forms of one schema."""

    def __init__(self, files: SchemaFiles) -> None:
        self._always = any(_ALWAYS.search(text) for text in files.texts.values())
        self._judge = Judge()

    def may_find(self, data: bytes) -> bool:
        """Say whether there may be something in the form *data*; next to all forms need no look."""
        return self._always or _SUSPICIOUS.search(data) is not None

    def findings(self, root: etree._Element, model: SchemaModel, receiver: Receiver) -> Iterator[Finding]:
        """Find what *receiver* may refuse of the valid form *root*."""
        for value in values_of(root, model):
            why = "unknown" if isinstance(value, Unknown) else self._judge.why(value.simple, value.text)
            if why is None:
                continue
            attribute = None if isinstance(value, Unknown) else value.attribute
            path = path_of(value.node) + ("" if attribute is None else f"/@{readable(attribute)}")
            yield _finding(path, why, receiver, line_of(value.node))


def encoding_finding(xml: bytes | str, receiver: Receiver) -> tuple[Finding, ...]:
    """Say where a form is declared to be in an encoding that .NET does not always have."""
    declared = None if isinstance(xml, str) else declared_encoding(xml)
    return (_finding("/", "encoding", receiver, 1),) if declared in _CODE_PAGES else ()


def _finding(path: str, why: str, receiver: Receiver, line: int) -> Finding:
    severity = Severity.ERROR if receiver is Receiver.DOTNET else Severity.WARNING
    return Finding(path=path, rule=RULE, facts={"why": why}, line=line, severity=severity)
