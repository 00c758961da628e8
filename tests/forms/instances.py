"""Forms made from a schema: whole ones, chance ones, and broken ones."""

import re
from collections.abc import Iterator
from random import Random
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as pattern_parser  # type: ignore[attr-defined]
from typing import Any

from lxml import etree

XSD = "{http://www.w3.org/2001/XMLSchema}"
XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
DEEPEST = 12
# What is tried to break a facet, or thrown in by chance.
ODD_VALUES = (
    *("x", "", " ", "æ", "-1", "0", "1", "00", "1.25", "12345678901234567890", "-99999999999", "99999999999999999"),
    *("1e3", "NaN", "INF", "+1", ".5", "5.", "true", "TRUE", "2020-02-30", "2020-02-29", "2020-01-01Z", "24:00:00"),
    *("12:00", "2020-01-01T00:00:00", "0000", "abc def", "a\tb", "\n1\n", "é" * 20, "x" * 300, "0.123456789", "%%%"),
    *("1" * 40, "ab@c.no", "12 34", "0.1", "-0.01", "http://a b", "QQ==", "#"),
)
# Values of types that no real form beside the project has.
RARE_VALUES = (
    *(
        "2020-01",
        "--01",
        "---01",
        "--01-01",
        "P1D",
        "P1M",
        "2020-01-01T00:00:00Z",
        "2020-01-01Z",
        "nb",
        "0a0b",
        "ab",
        "5",
    ),
    *("a ab", "1 2", "2026", "-5", "aab", "20", "a1", "bb", "ÆØ", "b", "+1 2", "1.5", "--", "Ab", "A", "."),
)


def every_facet(schema: Any) -> Iterator[tuple[tuple[Any, ...], str | None, Any, str]]:
    """Give (way down, attribute, simple type, facet name) for each facet of each place of the schema."""
    for root in schema.elements.values():
        yield from _facets_below((root,), ())


def _facets_below(way: tuple[Any, ...], types: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    here = way[-1].type
    if here in types or len(way) > DEEPEST:
        return
    simple = simple_type(here)
    if simple is not None:
        yield from ((way, None, simple, name) for name in facet_names(simple))
    if way[-1].fixed is not None:
        yield way, None, simple, "fixed"
    for name, attribute in (getattr(here, "attributes", None) or {}).items():
        if name is None or attribute.type is None or attribute.use == "prohibited":
            continue
        yield from ((way, name, attribute.type, facet) for facet in facet_names(attribute.type))
        if attribute.fixed is not None:
            yield way, name, attribute.type, "fixed"
    for child in children(here):
        yield from _facets_below((*way, child), (*types, here))


def children(kind: Any) -> list[Any]:
    content = getattr(kind, "content", None)
    return [each for each in content.iter_elements() if each.name] if hasattr(content, "iter_elements") else []


def simple_type(kind: Any) -> Any | None:
    if kind.is_simple():
        return kind
    return kind.content if kind.has_simple_content() else None


def levels(simple: Any) -> Iterator[Any]:
    while simple is not None and hasattr(simple, "facets"):
        yield simple
        simple = simple.base_type


def facets(simple: Any) -> dict[str, Any]:
    """The facets that the schema itself sets, the narrowest of each kind."""
    found: dict[str, Any] = {}
    for level in levels(simple):
        if (level.name or "").startswith(XSD):
            break
        for name, facet in level.facets.items():
            local = (name or "").removeprefix(XSD)
            if local and local not in {"whiteSpace", "assertion"}:
                found.setdefault(local, facet)
    return found


def facet_names(simple: Any) -> list[str]:
    return sorted(facets(simple))


def base_name(simple: Any) -> str:
    return next((level.name.removeprefix(XSD) for level in levels(simple) if (level.name or "").startswith(XSD)), "")


def meets(simple: Any, value: str) -> bool:
    return bool(simple.is_valid(value))


def breaking(simple: Any, name: str) -> str | None:
    """A value that breaks this facet, and if possible no other."""
    known = facets(simple)
    facet = known[name]

    def broken(one: Any, value: str) -> bool:
        return not _holds(one, simple, value)

    right_type = [value for value in (*ODD_VALUES, *_made_for(known)) if _parses(simple, value)]
    candidates = [value for value in right_type if broken(facet, value)]
    others = [each for key, each in known.items() if key != name]
    alone = [value for value in candidates if not any(broken(other, value) for other in others)]
    best = [value for value in (alone or candidates) if value.strip()] or alone or candidates
    return best[0] if best else None


def _made_for(known: dict[str, Any]) -> Iterator[str]:
    lengths = [int(facet.value) for key, facet in known.items() if key.endswith(("ength",))]
    for length in lengths:
        yield from ("x" * (length + 1), "1" * (length + 1), "x" * max(0, length - 1), "1" * max(0, length - 1))
    bounds = [facet.value for key, facet in known.items() if key.endswith(("clusive",))]
    for bound in bounds:
        if isinstance(bound, int) or hasattr(bound, "as_tuple"):
            yield from (str(bound + 1), str(bound - 1), str(bound))
    digits = [int(facet.value) for key, facet in known.items() if key == "totalDigits"]
    for count in digits:
        yield from ("1" * (count + 1), "1" * (count - 1) + ".25", "0." + "1" * (count + 1))
    decimals = [int(facet.value) for key, facet in known.items() if key == "fractionDigits"]
    for count in decimals:
        yield "1." + "1" * (count + 1)


def _parses(simple: Any, value: str) -> bool:
    builtin = next((level for level in levels(simple) if (level.name or "").startswith(XSD)), None)
    return builtin is not None and bool(builtin.is_valid(value))


def _holds(facet: Any, simple: Any, value: str) -> bool:
    text = simple.normalize(value)
    decoded = text
    if type(facet).__name__ not in {"XsdPatternFacets"}:
        decoded = simple.primitive_type.to_python(text) if hasattr(simple.primitive_type, "to_python") else text
    try:
        facet(decoded)
    except ValueError:
        return False
    return True


class Maker:
    """Makes valid forms; with chance, others each time."""

    def __init__(self, random: Random, *, whole: bool) -> None:
        self._random, self._whole = random, whole

    def make(self, root: Any, towards: tuple[Any, ...] = ()) -> etree._Element:
        """A form that begins with *root*, and has the elements *towards* in it."""
        return self._element(root, None, towards, 0)

    def _element(self, declared: Any, parent: etree._Element | None, towards: tuple[Any, ...], deep: int) -> Any:
        made = etree.Element(declared.name) if parent is None else etree.SubElement(parent, declared.name)
        kind = declared.type
        if declared.nillable and not self._whole and self._random.random() < 0.3:
            made.set(XSI_NIL, "true")
            self._attributes(made, kind)
            return made
        self._attributes(made, kind)
        simple = simple_type(kind)
        if declared.fixed is not None:
            made.text = declared.fixed
        elif simple is not None:
            made.text = self.value(simple)
        elif hasattr(kind.content, "iter_elements"):
            self._group(kind.content, made, towards[1:] if towards and towards[0] is declared else (), deep + 1)
        return made

    def _attributes(self, made: etree._Element, kind: Any) -> None:
        for name, attribute in (getattr(kind, "attributes", None) or {}).items():
            if name is None or attribute.use == "prohibited":
                continue
            if attribute.use == "required" or self._whole or self._random.random() < 0.5:
                made.set(name, attribute.fixed if attribute.fixed is not None else self.value(attribute.type))

    def _group(self, group: Any, made: etree._Element, towards: tuple[Any, ...], deep: int) -> None:
        wanted = towards[0] if towards else None
        for _ in range(self._times(group, deep, wanted=False) or (1 if wanted is not None else 0)):
            parts = list(group.content)
            if group.model == "choice":
                fit = [part for part in parts if self._leads(part, wanted)]
                parts = fit[:1] or ([self._random.choice(parts)] if parts else [])
            elif group.model == "all" and not self._whole:
                self._random.shuffle(parts)
            for part in parts:
                leads = self._leads(part, wanted)
                if hasattr(part, "iter_elements") and not getattr(part, "name", None):
                    self._group(part, made, towards if leads else (), deep)
                elif getattr(part, "name", None) and hasattr(part, "type"):
                    for _ in range(self._times(part, deep, wanted=leads)):
                        self._element(part, made, towards if leads else (), deep)

    def _leads(self, part: Any, wanted: Any) -> bool:
        if wanted is None:
            return False
        return part is wanted or (
            hasattr(part, "iter_elements") and any(each is wanted for each in part.iter_elements())
        )

    def _times(self, part: Any, deep: int, *, wanted: bool) -> int:
        low, high = part.min_occurs, part.max_occurs
        if wanted:
            return max(1, low)
        if self._whole:
            return max(1 if deep < DEEPEST - 2 and high != 0 else 0, low)
        most = low + 2 if high is None else min(high, low + 2)
        return self._random.randint(low, most) if deep < 6 else int(low)

    def value(self, simple: Any) -> str:
        """A value that the type takes."""
        known = facets(simple)
        for _ in range(200):
            value = self._guess(simple, known)
            if meets(simple, value):
                return value
        return next((value for value in (*ODD_VALUES, *_made_for(known), *RARE_VALUES) if meets(simple, value)), "")

    def _guess(self, simple: Any, known: dict[str, Any]) -> str:
        random = self._random
        if "enumeration" in known:
            return str(random.choice(known["enumeration"].enumeration))
        if "pattern" in known and "-[" not in (pattern := random.choice(known["pattern"].regexps)):
            return by_pattern(pattern, random)
        match base_name(simple):
            case "boolean":
                return random.choice(["true", "false", "0", "1"])
            case "date":
                return f"20{random.randint(10, 30)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
            case "dateTime":
                return f"2020-0{random.randint(1, 9)}-11T10:1{random.randint(0, 9)}:00"
            case "time":
                return f"{random.randint(10, 23)}:00:0{random.randint(0, 9)}"
            case "gYear":
                return str(random.randint(1950, 2030))
            case "base64Binary":
                return "QUJD"
            case "decimal" | "double" | "float":
                return random.choice([f"{random.randint(0, 999)}.{random.randint(0, 99)}", str(random.randint(0, 9))])
            case name if "int" in name.lower() or name in {"long", "short", "byte"} or name.startswith("unsigned"):
                return str(random.randint(0, 10 ** random.randint(1, 4)))
            case _:
                shortest = next((int(known[key].value) for key in ("length", "minLength") if key in known), 1)
                longest = next((int(known[key].value) for key in ("length", "maxLength") if key in known), shortest + 8)
                return "".join(random.choices("abcÆøå 123", k=random.randint(shortest, min(longest, shortest + 8))))


def by_pattern(pattern: str, random: Random) -> str:
    """Some text that an (easy) XSD pattern matches."""
    return "".join(_from_parts(pattern_parser.parse(pattern.replace(r"\c", r"\w").replace(r"\i", r"\w")), random))


def _from_parts(parts: Any, random: Random) -> Iterator[str]:
    for code, argument in parts:
        if code is codes.LITERAL:
            yield chr(argument)
        elif code is codes.ANY:
            yield "a"
        elif code is codes.NOT_LITERAL:
            yield "a" if argument != ord("a") else "b"
        elif code is codes.IN:
            yield _one_of(argument, random)
        elif code is codes.SUBPATTERN:
            yield from _from_parts(argument[3], random)
        elif code is codes.BRANCH:
            yield from _from_parts(random.choice(argument[1]), random)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            low, high, inner = argument
            for _ in range(random.randint(low, min(int(high), low + 12))):
                yield from _from_parts(inner, random)


def _one_of(choices: Any, random: Random) -> str:
    fits = re.compile("[" + "".join(_class_part(choice) for choice in choices) + "]")
    letters = [chr(code) for code in (*range(33, 127), *range(0xC0, 0x100), 32) if fits.match(chr(code))]
    return random.choice(letters) if letters else "a"


def _class_part(choice: Any) -> str:
    code, argument = choice
    if code is codes.LITERAL:
        return re.escape(chr(argument))
    if code is codes.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    if code is codes.NEGATE:
        return "^"
    names = {codes.CATEGORY_DIGIT: r"\d", codes.CATEGORY_SPACE: r"\s", codes.CATEGORY_WORD: r"\w"}
    names |= {codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_NOT_WORD: r"\W"}
    return names[argument]


def mutate(root: etree._Element, random: Random) -> None:
    """Change one thing in a form, to something that may well be wrong."""
    nodes = list(root.iter(etree.Element))
    node = random.choice(nodes)
    parent = node.getparent()
    match random.randrange(9):
        case 0 if parent is not None:
            parent.remove(node)
        case 1 if parent is not None:
            node.addnext(etree.fromstring(etree.tostring(node, with_tail=False)))
        case 2 if node.getnext() is not None:
            node.getnext().addnext(node)
        case 3:
            leaves = [each for each in nodes if not len(each)]
            random.choice(leaves).text = random.choice(ODD_VALUES)
        case 4 if node.attrib:
            node.set(random.choice(list(node.attrib)), random.choice(ODD_VALUES))
        case 5 if node.attrib:
            del node.attrib[random.choice(list(node.attrib))]
        case 6:
            node.set(XSI_NIL, random.choice(["true", "false", "1"]))
        case 7:
            node.append(etree.Element(random.choice(nodes).tag))
        case _:
            node.set("lagt-til", "x")
