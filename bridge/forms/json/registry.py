"""Hold JSON forms against their JSON Schema, at the place in it where the app frontend begins."""

from collections.abc import Iterable
from pathlib import Path

from jsonschema_rs import ValidationError

from bridge.core.errors import ConfigurationError, Fault, Finding
from bridge.forms.json.findings import findings_of, in_form_order
from bridge.forms.json.input import Json, read_quickly, read_values, text_of
from bridge.forms.json.long_forms import Search
from bridge.forms.json.schema_files import Compiled, compiled
from bridge.forms.xml.input import Effort, Limits, Unreadable


class JsonSchemaRegistry:
    """
    The JSON Schemas of one folder, read and compiled once at start; compiled schemas are shared by all threads.

    A name is a path inside the folder. After ``#`` it may say where forms begin: a class name (``skjema.json#Skjema``,
    looked for in ``$defs`` and ``definitions`` where the schema itself names no root), a JSON pointer
    (``skjema.json#/$defs/Skjema``) or nothing (``skjema.json#``: the whole document).
    """

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder, self.limits = folder, limits or Limits()
        self._schemas: dict[str, Compiled] = {}

    def load(self, names: Iterable[str]) -> None:
        """
        Compile the schemas *names* that are not compiled yet.

        Raises:
            ConfigurationError: Schemas that cannot be used; every fault at once.
        """
        faults = [fault for name in dict.fromkeys(names) for fault in self.faults(name)]
        if faults:
            raise ConfigurationError(faults)

    def faults(self, name: str) -> tuple[Fault, ...]:
        """Compile the schema *name*, and say what is wrong with it."""
        if name not in self._schemas:
            try:
                self._schemas[name] = compiled(self.folder, name)
            except ConfigurationError as error:
                return error.faults
        return ()

    def notes(self, name: str) -> tuple[str, ...]:
        """Where the loaded schema *name* begins, and what was repaired or loosened in it."""
        return self._schemas[name].notes

    def digest(self, name: str) -> str | None:
        """The SHA-256 of the loaded schema's files, as ``SchemaRegistry.digest`` does; None if not loaded."""
        return self._schemas[name].sha256 if name in self._schemas else None

    def check(self, name: str, form: bytes | str) -> tuple[Finding, ...]:
        """
        Hold *form* against the loaded schema *name*; nothing found means valid.

        Members that are null or an empty string count as missing, as in the app frontend.
        """
        schema = self._schemas[name]
        value = read_quickly(form, self.limits)
        if type(value) is dict:
            if _has_blanks(form):
                value = _stripped(value)
            if schema.fast.is_valid(value):
                return ()
        return self._explain(schema, form)

    def _explain(self, schema: Compiled, form: bytes | str) -> tuple[Finding, ...]:
        try:
            text = text_of(form, self.limits)
            value = read_values(text, self.limits)
        except Unreadable as unreadable:
            return (unreadable.finding,)
        if type(value) is not dict:
            return (Finding(path="/", rule="type", facts={"type": "object"}, line=1, column=1),)
        value = _stripped(value)
        if schema.fast.is_valid(value):
            return ()  # The quick reading was not sure.
        search = Search(schema, value, Effort(self.limits.max_seconds))
        findings = in_form_order(search.findings(), text, self.limits.max_findings, whole=lambda: search.whole)
        if findings and findings[0].rule != "more_findings":
            return findings
        try:
            schema.full.validate(value)
        except ValidationError as error:
            return in_form_order(findings_of(error), text, self.limits.max_findings, whole=lambda: False)
        return ()


def _has_blanks(form: bytes | str) -> bool:
    return ("null" in form or '""' in form) if isinstance(form, str) else (b"null" in form or b'""' in form)


def _stripped(value: Json) -> Json:
    if type(value) is dict:
        return {
            name: _stripped(child) if type(child) is dict or type(child) is list else child
            for name, child in value.items()
            if child is not None and child != ""
        }
    return [_stripped(child) for child in value] if type(value) is list else value
