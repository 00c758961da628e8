"""Forms on their way through the proxy: held against their schema, and turned from XML to JSON and back."""

import codecs
import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from bridge.core.calculations import DataTypeRoute
from bridge.core.errors import ConfigurationError, Finding
from bridge.core.mapping import FormFormat, FormKind, FormSpec, NamespaceReading
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.conversion.json_positions import all_of_json, said_of_json
from bridge.forms.conversion.media import JSON, XML, charset_of, kind_for_apps, kind_of, turned
from bridge.forms.conversion.nils import without_forbidden_nils
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits, Unreadable, in_charset, is_utf8, to_utf8
from bridge.forms.xml.positions import with_places
from bridge.steps.forms.request_body import in_its_charset

_ROW_ID = "altinnRowId"
_INVENTED = re.compile(rb"<(?P<prefix>ns\d+:)")


def wanted_kind(accept: str) -> FormFormat:
    """What an app answers to an Accept header: JSON wherever that is not ruled out (facts 1.5)."""
    accept = accept.lower()
    if "*/*" in accept or JSON in accept:
        return FormFormat.JSON
    return FormFormat.XML if XML in accept or "text/xml" in accept else FormFormat.JSON


def kind_sent(content_type: str) -> FormFormat | None:
    """The kind of what a client sent; what an app alone would take for a form must not pass it by unseen."""
    return kind_of(content_type) or kind_for_apps(content_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What an app is sent and asked for in place of what its client sent, and what the client wants back."""

    content_type: str
    body: bytes
    accept: str
    back: FormFormat


class Converters:
    """The schemas of the routes, as converters; each is made when it is first needed."""

    def __init__(self, schemas: SchemaRegistry) -> None:
        self._schemas = schemas

    @property
    def limits(self) -> Limits:
        """How much of a form is read."""
        return self._schemas.limits

    def converter(self, name: str, root: str | None) -> Converter:
        """The converter of the schema *name* for forms that begin with *root*. Raises ConfigurationError."""
        return self._schemas.converter(name, root)

    def written_out(self, content_type: str, body: bytes) -> bytes:
        """
        *body* as UTF-8 where its Content-Type says a charset, which counts more than what it declares (RFC 7303).

        Raises:
            Refusal: 415 for a charset that is not known, or is not the body's.
        """
        said = in_its_charset(content_type, body)
        if charset_of(content_type) is None or kind_of(content_type) is not FormFormat.XML:
            return body
        try:
            return in_charset(to_utf8(said, self.limits), "utf-8")
        except Unreadable:
            return said  # What is wrong with it is found in it.

    def findings(self, route: DataTypeRoute, content_type: str, body: bytes) -> tuple[Finding, ...] | None:
        """
        Hold a form against the route's schemas, XML without a namespace as if it had it; an app reads it so, too.

        What the JSON Schema refuses is not told again in the words of the XSD. None where no schema is for the form.

        XML that goes on as it is must be what apps take it for, whatever it declares: UTF-8 (facts 1.4).
        """
        kind, schema = kind_sent(content_type), route.schema
        if kind is FormFormat.JSON and route.json_schema is not None:
            told = self._schemas.json.check(route.json_schema, _without_row_ids(body))
            if told or schema is None:
                return told
        if kind is None or schema is None:
            return None
        if kind is FormFormat.XML and route.speaks is not FormFormat.JSON and not _read_rightly(body):
            return (Finding(path="/", rule="not_utf8"), *self._held(schema, route.root, body))
        if kind is FormFormat.JSON:
            try:
                converter = self.converter(schema, route.root)
                found = self._held(schema, route.root, converter.to_xml(_without_row_ids(body)))
                return said_of_json(found, converter, body, limits=self.limits)
            except Unconvertible as error:
                return all_of_json(error, converter, body, check=functools.partial(self._held, schema, route.root))
            except Unreadable as error:
                return (error.finding,)
        return self._held(schema, route.root, body)

    def _held(self, schema: str, root: str | None, body: bytes) -> tuple[Finding, ...]:
        """Hold XML against its schema, but for the nils of an app's answer that a client sends on (facts 1.11)."""
        spec, limits = _spec(schema, root), self.limits
        if b"nil" not in body:
            return self._schemas.check_form(spec, body)
        try:
            whole = self._schemas.in_namespace(spec, body)
            form = without_forbidden_nils(self.converter(schema, root), whole, limits)
            # The names and places are those of what came.
            found = _named_as_sent(self._schemas.check_form(spec, form.data), to_utf8(body, limits), whole.data)
            return with_places(found, to_utf8(body, limits))
        except (Unreadable, ConfigurationError):
            return self._schemas.check_form(spec, body)

    def there(
        self, route: DataTypeRoute, content_type: str, body: bytes, *, written_out: bytes, accept: str, checked: bool
    ) -> Passage:
        """
        Turn a client's form into what the app reads, and its wish into what the app writes.

        *written_out* is *body* in UTF-8 by the charset of its type. A *checked* form goes on as what it was checked
        as, where the app knows neither its type nor its charset; what is neither checked nor converted goes on byte
        for byte.

        Raises:
            Unconvertible, Unreadable: The form is none of the schema's.
        """
        back, kind = wanted_kind(accept), kind_sent(content_type)
        form = body if _read_rightly(body) else written_out
        if checked and kind is not None and (form is not body or kind_for_apps(content_type) is not kind):
            body, content_type = form, XML if kind is FormFormat.XML else JSON
        if route.schema is None or route.speaks is FormFormat.BOTH:
            return Passage(content_type=content_type, body=body, accept=accept, back=back)
        if body and kind is not None and kind is not route.speaks:
            body = turned(self.converter(route.schema, route.root), written_out, into=route.speaks)
            content_type = JSON if kind is FormFormat.XML else XML
        accept = JSON if route.speaks is FormFormat.JSON else XML
        return Passage(content_type=content_type, body=body, accept=accept, back=back)

    def back(
        self, route: DataTypeRoute, content_type: str, body: bytes, *, wanted: FormFormat, answers: bytes
    ) -> tuple[str, bytes] | None:
        """
        Turn an answer to *answers* into what the client wants; None where it is that already, or no form.

        An app that reads and writes both answers as it was asked to, and that is passed on.

        Raises:
            Unconvertible, Unreadable: The answer is none of the schema's.
        """
        kind = kind_of(content_type)
        if route.schema is None or route.speaks is FormFormat.BOTH or kind is None or kind is wanted:
            return None
        form = turned(self.converter(route.schema, route.root), body, into=wanted, answers=answers)
        return f"{JSON if wanted is FormFormat.JSON else XML}; charset=utf-8", form


def _named_as_sent(findings: Sequence[Finding], sent: bytes, whole: bytes) -> Sequence[Finding]:
    """Take away the prefix that the root got on its way into its namespace, if it had none."""
    invented = _INVENTED.match(whole)
    if invented is None or _INVENTED.search(sent):
        return findings
    prefix = f"/{invented['prefix'].decode()}"
    return [replace(each, path="/" + each.path.removeprefix(prefix).removeprefix("/")) for each in findings]


def _read_rightly(body: bytes) -> bool:
    return is_utf8(body) or body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _spec(schema: str, root: str | None) -> FormSpec:
    return FormSpec(
        kind=FormKind.MAIN,
        data_format_id="",
        data_format_version="",
        schema=schema,
        root=root,
        namespace=NamespaceReading.LENIENT,
    )


def _without_row_ids(body: bytes) -> bytes:
    """Take out what Altinn adds to rows and no schema knows."""
    if _ROW_ID.encode() not in body:
        return body
    try:
        # Numbers stay as they are written.
        value = json.loads(
            body, parse_float=_as_written, parse_int=_as_written, parse_constant=_refuse, object_pairs_hook=_kept
        )
        return orjson.dumps(value)
    except (ValueError, TypeError, RecursionError):
        return body  # Whatever is wrong with it is found in it as it came.


def _kept(pairs: Sequence[tuple[str, object]]) -> Mapping[str, object]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name twice")
    return {name: value for name, value in pairs if name != _ROW_ID}


def _as_written(number: str) -> orjson.Fragment:
    return orjson.Fragment(number)


def _refuse(constant: str) -> None:
    raise ValueError(constant)
