"""Where a mapping and the schemas that it names cannot both be right: told before any form comes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from bridge.core.mapping import FORMAT_ATTRIBUTES, ActionMapping, FormKind, FormSpec, ServiceMapping
from bridge.core.templates import fill, names_in, template_values
from bridge.forms.xml.schema_facts import is_same_value
from bridge.forms.xml.schema_tree import Found, SchemaTree, Sort, Spot
from bridge.forms.xml.xpaths import Walk

PlacedFault = tuple[tuple[str | int, ...], str]
"""The keys that lead to the place in the mapping, and what is wrong there."""


_NOW = datetime(2026, 1, 2, tzinfo=UTC)
_PARTIES = ("urn:altinn:organization:identifier-no:310000019", "urn:altinn:person:identifier-no:01810012345")


def mapping_faults(
    mapping: ServiceMapping, tree_of: Callable[[str, str | None], SchemaTree | None]
) -> Iterator[PlacedFault]:
    """
    Hold the paths, values and data formats of *mapping* against its schemas.

    *tree_of* gives a schema's tree by its name and its forms' root, or None where nothing is known of it.
    """
    for index, spec in enumerate(mapping.forms):
        tree = None if spec.schema is None else tree_of(spec.schema, spec.root)
        if tree is None:
            continue
        for place, message in (*_formats(mapping.forms, index, tree), *_rules(spec, tree)):
            yield ("forms", index, *place), message
        if spec.kind is FormKind.MAIN:
            yield from _main_form(mapping, tree)


def _rules(spec: FormSpec, tree: SchemaTree) -> Iterator[PlacedFault]:
    for index, rule in enumerate(spec.rules):
        walk = Walk(tree)
        found = walk.find(rule.at)
        yield from _said(walk, "rules", index, "at")
        walk = Walk(tree)
        walk.find(rule.test, seen_from=_owners(tree, found))
        yield from _said(walk, "rules", index, "test")


def _main_form(mapping: ServiceMapping, tree: SchemaTree) -> Iterator[PlacedFault]:
    for name, action in mapping.actions.items():
        yield from ((("actions", name, *place), message) for place, message in _action(action, tree))
    for index, shown in enumerate(() if mapping.embeds is None else mapping.embeds.fields):
        walk = Walk(tree)
        walk.find(shown.at)
        yield from _said(walk, "embeds", "fields", index, "at")


def _action(action: ActionMapping, tree: SchemaTree) -> Iterator[PlacedFault]:
    for path, template in action.set_values:
        walk = Walk(tree)
        found = walk.find(path)
        yield from _said(walk, "set", path)
        if not found.more and (message := _unfit(found, template)) is not None:
            yield ("set", path), message
    for name, path in action.results:
        walk = Walk(tree)
        walk.find(path)
        yield from _said(walk, "results", name)


def _said(walk: Walk, *place: str | int) -> Iterator[PlacedFault]:
    return ((place, each) for each in walk.faults)


def _owners(tree: SchemaTree, found: Found) -> Found:
    """What a rule's condition is seen from: of an attribute or a text its element."""
    inner = frozenset(each for each in found.spots if each.sort in (Sort.ATTRIBUTE, Sort.TEXT))
    owners = tree.above(Found(inner))
    return Found((found.spots - inner) | owners.spots, found.more)


def _unfit(found: Found, template: str) -> str | None:
    """Why the values of *template* can be put nowhere that *found* names."""
    takers = [each for each in found.spots if each.holds_text and each.sort is not Sort.TEXT]
    if not takers:
        if any(each.sort is Sort.TEXT for each in found.spots):
            return "a value is put into an element or attribute: leave out text()"
        return "it holds other elements: name one that holds a text, or an attribute"
    values = _samples(template)
    if values and not any(_takes(each, value) for each in takers for value in values):
        fixed = {each.fixed for each in takers}
        if None not in fixed:
            return (
                f"the schema fixes what stands there to {' or '.join(sorted(map(repr, fixed)))}: this would be refused"
            )
        said = repr(values[0]) + (f", such as {template} becomes," if names_in(template) else "")
        return f"the schema takes no {said} there: every form would be refused"
    return None


def _samples(template: str) -> Sequence[str]:
    """Fill *template* as a press would, for an organisation and for a person; nothing where it cannot be filled."""
    try:
        names_in(template)
        return tuple(
            dict.fromkeys(
                fill(template, template_values(party=party, dialog_id=UUID(int=0), action="send", now=_NOW))
                for party in _PARTIES
            )
        )
    except (KeyError, ValueError):
        return ()


def _takes(spot: Spot, value: str) -> bool:
    fixed, simple = spot.fixed, None if spot.kind is None else spot.kind.simple_type
    if simple is None or fixed == value:
        return fixed in (None, value)
    try:
        return bool(simple.text_is_valid(value)) and (fixed is None or is_same_value(simple, value, fixed))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return True  # What it cannot count is not judged.


def _formats(forms: Sequence[FormSpec], index: int, tree: SchemaTree) -> Iterator[PlacedFault]:
    """Where the schema takes another data format in each of its roots that says one."""
    spec = forms[index]
    for attribute, said, key in _said_formats(spec):
        spots = [each for each in tree.attributes(Found(tree.roots)).spots if (each.uri, each.name) == ("", attribute)]
        if not spots or any(_says(each, said) for each in spots):
            continue
        other = next((at for at, each in enumerate(forms) if at != index and _has(each, attribute, spots)), None)
        hint = "" if other is None else f"; that is the form forms[{other}]: are the two schemas interchanged?"
        yield (key,), f"{spec.schema} {_format_taken(spots, attribute, said)}{hint}"


def _says(spot: Spot, said: str) -> bool:
    """Whether a form may have the data format *said* there, letter by letter where the schema fixes it."""
    return _takes(spot, said) if spot.fixed is None else spot.fixed == said


def _format_taken(spots: Sequence[Spot], attribute: str, said: str) -> str:
    known: set[str] = set()
    for each in spots:
        simple = None if each.kind is None else each.kind.simple_type
        values = [each.fixed] if each.fixed is not None else None if simple is None else simple.enumeration
        if not values:
            return f"takes no {said!r} as {attribute}"
        known |= set(map(str, values))
    several = ", ".join(map(repr, sorted(known)))
    if len(known) == 1:
        return f"fixes {attribute} to {several}"
    return f"takes no {said!r} as {attribute}, but one of {several}"


def _said_formats(spec: FormSpec) -> Iterable[tuple[str, str, str]]:
    for identity, version in FORMAT_ATTRIBUTES:
        yield identity, spec.data_format_id, "data_format_id"
        yield version, spec.data_format_version, "data_format_version"


def _has(spec: FormSpec, attribute: str, spots: Sequence[Spot]) -> bool:
    formats = [said for name, said, _ in _said_formats(spec) if name == attribute]
    return any(_says(spot, said) for spot in spots for said in formats)
