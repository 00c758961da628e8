"""Try a schema with forms of our own before any comes: what would end with an error says so when it is checked."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from bridge.core.errors import ConfigurationError, Finding, place_of
from bridge.core.mapping import is_json_schema
from bridge.core.texts.findings import sentence
from bridge.forms.conversion.converter import Converter, Unconvertible
from bridge.forms.conversion.model import Content, ElementDecl, FormModel, Kind
from bridge.forms.diff import differences
from bridge.forms.registry import SchemaRegistry
from bridge.forms.showing import shown_form
from bridge.forms.xml.input import Unreadable

_MOST_ELEMENTS = 2_000
_BROKEN_JSON = ("{}", "[]", '{"ukjent": {"felt": [1, "x", null, true]}}', '"x"', "{")
_VALUES = {Kind.NUMBER: "1", Kind.REAL: "1", Kind.BOOLEAN: "true"}


@dataclass(slots=True)
class Trial:
    """What does not work with a schema: *faults* are ours or the schema's to mend, *notes* are to be known."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def attempt(self, what: str, work: Callable[..., object], *given: object) -> None:
        """Do *work* with what is *given*; how it ends, where it should not, is a fault."""
        try:
            work(*given)
        except (Unreadable, Unconvertible):
            return  # The forms are broken on purpose.
        except Exception as error:  # noqa: BLE001 - whatever it is, a form would meet it
            self.faults.append(f"{what} ends with {type(error).__name__} in {place_of(error)}: please report it")


def tried(schemas: SchemaRegistry, name: str, root: str | None = None) -> Trial:
    """Judge, explain, convert and show broken and plain forms of the loaded schema *name*."""
    trial = Trial()
    if is_json_schema(name):
        for form in _BROKEN_JSON:
            trial.attempt("explaining a broken form", _explain, schemas.json.check, name, form)
        return trial
    roots = schemas.roots(name)
    if not roots:
        trial.faults.append("the schema has no root element: it takes no form")
        return trial
    converters = _converters(trial, schemas, name, root=root)
    for tag in roots:
        for form in _bare(tag):
            trial.attempt("explaining a broken form", _explain, schemas.check, name, form)
    for converter in converters:
        for form in _samples(converter.model):
            _try_form(trial, schemas, name, converter=converter, form=form)
    return trial


def _converters(trial: Trial, schemas: SchemaRegistry, name: str, *, root: str | None) -> list[Converter]:
    """Build the converters, one for each root that a form can have."""
    try:
        converter = schemas.converter(name, root)
        if converter.only_root is not None:
            return [converter]
        return [schemas.converter(name, tag) for tag in converter.model.roots]
    except ConfigurationError as error:
        why = "; ".join(fault.message for fault in error.faults)
        trial.notes.append(
            f"forms are checked, and neither converted to JSON and back nor shown by their labels, and what is wrong"
            f" in them is told more plainly: {why}"
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, a form would meet it
        trial.faults.append(f"building its converter ends with {type(error).__name__} in {place_of(error)}")
    return []


def _try_form(trial: Trial, schemas: SchemaRegistry, name: str, *, converter: Converter, form: str) -> None:
    trial.attempt("explaining a form", _explain, schemas.check, name, form)
    trial.attempt("showing a form", _show, form, converter)
    written: list[str] = []
    trial.attempt("converting a form to JSON", lambda: written.append(converter.to_json(form)))
    for text in written:
        trial.attempt("comparing two forms", _compare, form, text, converter)
        trial.attempt("converting a broken form", converter.to_xml, json.dumps(_turned(json.loads(text))))
    for text in (*written, *_BROKEN_JSON):
        trial.attempt("converting a form to XML", converter.to_xml, text)


def _explain(check: Callable[[str, str], tuple[Finding, ...]], name: str, form: str) -> None:
    for finding in check(name, form):
        for language in ("nb", "nn", "en"):
            sentence(finding, language)


def _show(form: str, converter: Converter) -> None:
    list(shown_form(form, converter.only_root, limits=converter.limits))


def _compare(form: str, other: str, converter: Converter) -> None:
    differences(form, other, converter=converter, limits=converter.limits)


def _bare(tag: str) -> Iterator[str]:
    """Forms with next to nothing in them."""
    uri, _, local = tag.removeprefix("{").rpartition("}")
    begin = f"{local} xmlns={quoteattr(uri)}" if uri else local
    yield f"<{begin}/>"
    yield f"<{begin}>x</{local}>"
    yield f'<{begin} ukjent="x"><ukjent xmlns="">x</ukjent></{local}>'
    yield f"<{local}/>"


def _samples(model: FormModel) -> Iterator[str]:
    """A form with each element and attribute once, and others that are broken in many places."""
    for place in model.roots.values():
        for value in (None, "", "x y"):
            for backwards in (False, True):
                written = _Written(value, backwards=backwards)
                inside = written.element(place, ())
                yield inside.replace(f"<{place.written}", f"<{place.written}{model.declarations}", 1)


class _Written:
    """Writes one form: with *value* in all its places, or one that fits its kind."""

    def __init__(self, value: str | None, *, backwards: bool) -> None:
        self._value, self._backwards, self._left = value, backwards, _MOST_ELEMENTS

    def element(self, place: ElementDecl, above: tuple[Content, ...]) -> str:
        content = place.content
        self._left -= 1
        attributes = "".join(f' {each.written}="{self._text(each.kind)}"' for each in content.attributes.values())
        inside = self._text(content.kind) if content.kind is not None else ""
        if content.kind is None and not any(each is content for each in above):
            children = list(content.children.values())
            for child in reversed(children) if self._backwards else children:
                if self._left > 0:
                    inside += self.element(child, (*above, content))
        return f"<{place.written}{attributes}>{inside}</{place.written}>"

    def _text(self, kind: Kind) -> str:
        return _VALUES.get(kind, "x") if self._value is None else self._value


def _turned(value: object) -> object:
    """Make values of other kinds of those of a JSON form."""
    match value:
        case dict():
            return {name: _turned(child) for name, child in value.items()}
        case list():
            return _turned(value[0]) if value else {}
        case str():
            return [value]
        case None:
            return {}
    return str(value)
