"""Legal schemas of every kind that XML Schema knows, made here: each construct alone, and with what it may meet."""

from collections.abc import Iterator, Mapping
from itertools import product

Files = Mapping[str, str]
Made = Iterator[tuple[str, str | Files]]

MAIN = "a.xsd"
QUALIFIED = ' elementFormDefault="qualified"'
NAMESPACE = ' targetNamespace="urn:p" xmlns="urn:p"' + QUALIFIED
XSD_1_1 = ' xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
XML = "http://www.w3.org/XML/1998/namespace"

_NUMBERS = (
    *("decimal", "float", "double", "integer", "nonNegativeInteger", "positiveInteger", "long", "int", "short", "byte"),
    *("unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
)
ORDERED = {
    **dict.fromkeys(_NUMBERS, ("1", "9")),
    **dict.fromkeys(("nonPositiveInteger", "negativeInteger"), ("-9", "-1")),
    "date": ("2020-01-01", "2030-01-01"),
    "dateTime": ("2020-01-01T00:00:00", "2030-01-01T00:00:00"),
    "time": ("08:00:00", "16:00:00"),
    "gYear": ("2020", "2030"),
    "gYearMonth": ("2020-01", "2030-01"),
    "gMonth": ("--01", "--12"),
    "gDay": ("---01", "---28"),
    "gMonthDay": ("--01-01", "--12-31"),
    "duration": ("P1D", "P9D"),
}
TEXTS = {
    **dict.fromkeys(("string", "normalizedString", "token", "Name", "NCName", "NMTOKEN", "anyURI", "QName"), "ab"),
    **dict.fromkeys(("ID", "IDREF", "ENTITY"), "ab"),
    "language": "nb",
    "hexBinary": "0a0b",
    "base64Binary": "QUJD",
    "boolean": "true",
}
LISTS = ("NMTOKENS", "IDREFS", "ENTITIES")
PATTERNS = (
    *(r"\d{4}", r"[0-9]{4}", r"\i\c*", r"[\i-[:]][\c-[:]]*", r"\p{L}+", r"\p{Lu}\p{Ll}*", r"\P{Nd}", r"[a-z-[aeiou]]+"),
    *(r"\p{IsBasicLatin}*", r"[^a-z]", r"a|b|", r"(a|b){2,3}", r"a{0}", r"a{2,}", r"[\-a]", r"[a\-z]", r"\s\S\w\W\D"),
    *(
        r".",
        r"(((a)))",
        r"[æøåÆØÅ]+",
        r"\.\*\+\?\(\)\[\]\{\}\\\|\^",
        r"[^\d\s]{1,5}",
        r"[+]?[0-9 ]*",
        r"()",
        r"",
        r"\n\t",
    ),
)
OCCURS = (
    *("", ' minOccurs="0"', ' maxOccurs="2"', ' minOccurs="2" maxOccurs="3"', ' maxOccurs="unbounded"'),
    *(' minOccurs="0" maxOccurs="99"', ' minOccurs="0" maxOccurs="0"'),
)


def schemas() -> Iterator[tuple[str, Files]]:
    """Give each schema with a name; ``a.xsd`` is the one to read."""
    for kind, made in KINDS.items():
        for name, found in made():
            yield f"{kind}: {name}", {MAIN: found} if isinstance(found, str) else found


def schema(body: str, about: str = "") -> str:
    return f'<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema"{about}>{body}</x:schema>'


def root(content: str = "", about: str = "") -> str:
    return f'<x:element name="m"{about}>{content}</x:element>'


def field(name: str, kind: str = "", more: str = "") -> str:
    return f'<x:element name="{name}"{kind and f""" type="{kind}" """}{more}/>'


def attribute(name: str, more: str = "") -> str:
    return f'<x:attribute name="{name}"{more}/>'


def group(order: str, *parts: str, occurs: str = "") -> str:
    return f"<x:{order}{occurs}>{''.join(parts)}</x:{order}>"


def sequence(*parts: str) -> str:
    return group("sequence", *parts)


def complex_type(content: str = "", name: str = "", more: str = "") -> str:
    return f"<x:complexType{name and f' name={_quoted(name)}'}{more}>{content}</x:complexType>"


def simple_type(content: str, name: str = "") -> str:
    return f"<x:simpleType{name and f' name={_quoted(name)}'}>{content}</x:simpleType>"


def restriction(base: str, *facets: tuple[str, str], more: str = "") -> str:
    inside = "".join(f"<x:{key} value={_quoted(value)}/>" for key, value in facets)
    return f'<x:restriction base="{base}">{more}{inside}</x:restriction>'


def content(kind: str, way: str, base: str, inside: str = "") -> str:
    return f'<x:{kind}Content><x:{way} base="{base}">{inside}</x:{way}></x:{kind}Content>'


def holding(inside: str, beside: str = "", about: str = "") -> str:
    """Give a schema whose root holds *inside*, and what else it declares."""
    return schema(root(complex_type(inside)) + beside, about)


def of_type(declared: str, about: str = "") -> str:
    """Give a schema whose root is of the type that is *declared* last, T."""
    return schema(root(about=' type="T"') + declared, about)


def _quoted(value: str) -> str:
    return '"' + value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;") + '"'


def _simple_types() -> Made:
    for name in (*ORDERED, *TEXTS, *LISTS, "anySimpleType"):
        kind = f"x:{name}"
        yield f"{name} in an element", schema(root(about=f' type="{kind}"'))
        yield f"{name} in an attribute", holding(attribute("g", f' type="{kind}"'))
        yield f"{name} with attributes", holding(content("simple", "extension", kind, attribute("g")))
        if name not in (*LISTS, "anySimpleType"):
            yield f"a list of {name}", schema(root(simple_type(f'<x:list itemType="{kind}"/>')))
            yield f"a union with {name}", schema(root(simple_type(f'<x:union memberTypes="{kind} x:int"/>')))


def _facets() -> Made:
    def facet(base: str, *facets: tuple[str, str]) -> str:
        return schema(root(simple_type(restriction(f"x:{base}", *facets))))

    for name, (low, high) in ORDERED.items():
        bounds = [("minInclusive", low), ("maxInclusive", high), ("minExclusive", low), ("maxExclusive", high)]
        for each in (*bounds, ("enumeration", low), ("pattern", ".*"), ("whiteSpace", "collapse")):
            yield f"{each[0]} of {name}", facet(name, each)
        yield f"a range of {name}", facet(name, *bounds[:2])
    for name in ("decimal", "integer", "long", "unsignedByte"):
        yield f"totalDigits of {name}", facet(name, ("totalDigits", "2"))
    yield "fractionDigits", facet("decimal", ("totalDigits", "3"), ("fractionDigits", "1"))
    lengths = (("minLength", "1"), ("maxLength", "3"), ("length", "2"))
    for name, text in TEXTS.items():
        without = name in ("boolean", "QName")
        for each in (*(() if without else (*lengths, ("enumeration", text))), ("pattern", ".+")):
            yield f"{each[0]} of {name}", facet(name, each)
    for name, each in product(LISTS, lengths):
        yield f"{each[0]} of {name}", facet(name, each)
    for space in ("preserve", "replace", "collapse"):
        yield f"whiteSpace {space}", facet("string", ("whiteSpace", space))
    for pattern in PATTERNS:
        yield f"the pattern {pattern}", facet("string", ("pattern", pattern))
    two = restriction("x:string", ("pattern", "a+"), ("pattern", "b+"))
    yield "two patterns", schema(root(simple_type(two)))
    levels = simple_type(two, "R") + simple_type(restriction("R", ("maxLength", "3")), "S")
    yield "patterns of three levels", of_type(levels + simple_type(restriction("S", ("pattern", "aa?")), "T"))


def _lists_and_unions() -> Made:
    types = simple_type('<x:union memberTypes="x:date x:gYear"/>', "U") + simple_type('<x:list itemType="x:int"/>', "L")
    for name in "UL":
        yield f"{name} of an element", holding(sequence(field("a", name)), types)
        yield f"{name} of an attribute", holding(attribute("a", f' type="{name}"'), types)
    narrowed = {
        "a union by enumeration": restriction("U", ("enumeration", "2025"), ("enumeration", "2026-01-01")),
        "a union by pattern": restriction("U", ("pattern", "20.*")),
        "a union by nothing": restriction("U"),
        "a list by enumeration": restriction("L", ("enumeration", "1 2"), ("enumeration", "3")),
        "a list by length": restriction("L", ("length", "2")),
        "a list by bounds": restriction("L", ("minLength", "1"), ("maxLength", "2")),
        "a list by pattern": restriction("L", ("pattern", "[0-9 ]*")),
    }
    for name, once in narrowed.items():
        beside = types + simple_type(once, "R") + simple_type(restriction("R"), "S")
        for kind in "RS":
            inside = sequence(field("a", kind)) + attribute("g", f' type="{kind}"')
            yield f"restricting {name}, {kind}", holding(inside, beside)
        yield (
            f"restricting {name}, with attributes",
            holding(content("simple", "extension", "R", attribute("g")), beside),
        )
    dates = simple_type('<x:list itemType="x:date"/>')
    small, word = restriction("x:int", ("maxInclusive", "9")), restriction("x:string", ("enumeration", "mange"))
    nested = {
        "a union of lists": f'<x:union memberTypes="L">{dates}</x:union>',
        "a list of unions": '<x:list itemType="U"/>',
        "a union of unions": '<x:union memberTypes="U x:boolean"/>',
        "a union of one": '<x:union memberTypes="U"/>',
        "a union of types inside": f"<x:union>{simple_type(small)}{simple_type(word)}</x:union>",
        "a list of types inside": f"<x:list>{simple_type(word)}</x:list>",
        "a union of what restricts a union": f"<x:union>{simple_type(narrowed['a union by pattern'])}</x:union>",
    }
    for name, inside in nested.items():
        yield name, schema(root(simple_type(inside)) + types)


def _groups() -> Made:
    for order, outer, inner in product(("sequence", "choice"), OCCURS, OCCURS):
        parts = group(order, field("a", "x:int", inner), field("b", "x:string"), occurs=outer)
        yield f"{order}{outer} of{inner}", holding(parts)
    for outer, middle, occurs in product(("sequence", "choice"), ("sequence", "choice"), OCCURS):
        inside = group(middle, field("a"), field("b"), occurs=occurs)
        yield f"{middle}{occurs} in {outer}", holding(group(outer, inside, field("c")))
    for occurs, inner in product(OCCURS[:2], repeat=2):
        yield (
            f"all{occurs} of{inner}",
            holding(group("all", field("a", more=inner), field("b", "x:date"), occurs=occurs)),
        )
    for order in ("sequence", "choice", "all"):
        yield f"an empty {order}", holding(group(order))
        named = f'<x:group name="G">{group(order, field("a"), field("b"))}</x:group>'
        for occurs in OCCURS[:2] if order == "all" else OCCURS:
            yield f"a group of {order}{occurs}", holding(f'<x:group ref="G"{occurs}/>', named)
    yield "one name in two places", holding(sequence(field("a"), field("b"), field("a", more=' minOccurs="0"')))
    deep = field("a")
    for _ in range(20):
        deep = sequence(deep)
    yield "twenty sequences inside each other", holding(deep)
    many = (field(f"e{number}", "x:int", ' minOccurs="0"') for number in range(300))
    yield "three hundred fields", holding(sequence(*many))


def _wildcards() -> Made:
    spaces = ("##any", "##other", "##local", "##targetNamespace", "urn:x urn:y", "##local urn:x")
    for space, process in product(spaces, ("strict", "lax", "skip")):
        about = f' namespace="{space}" processContents="{process}"'
        for occurs in ("", ' minOccurs="0" maxOccurs="unbounded"'):
            inside = sequence(field("a"), f"<x:any{about}{occurs}/>")
            yield f"any {space} {process}{occurs}", holding(inside, about=NAMESPACE)
        yield f"anyAttribute {space} {process}", holding(f"<x:anyAttribute{about}/>", about=NAMESPACE)
    yield "any alone", holding(sequence("<x:any/>"))
    other = '<x:any namespace="urn:x" processContents="skip"/>'
    yield "any or one", holding(group("choice", field("a"), other), about=NAMESPACE)
    yield "any type", schema(root())
    yield "any type inside", holding(sequence(field("a", "x:anyType")))


def _complex_types() -> Made:
    base = complex_type(sequence(field("a"), field("b", more=' minOccurs="0" maxOccurs="3"')) + attribute("g"), "B")
    ways = {
        "extension": content("complex", "extension", "B", sequence(field("c")) + attribute("h")),
        "restriction": content(
            "complex", "restriction", "B", sequence(field("a"), field("b")) + attribute("g", ' use="prohibited"')
        ),
    }
    other = {"extension": "restriction", "restriction": "extension"}
    for way, inside in ways.items():
        yield way, holding(inside, base)
        yield f"{way}, named", of_type(base + complex_type(inside, "T"))
        abstract = base.replace('name="B"', 'name="B" abstract="true"')
        yield f"{way} of an abstract type", of_type(abstract + complex_type(inside, "T"))
        yield f"{way}, abstract type", schema(root(about=' type="B"') + abstract + complex_type(inside, "T"))
        final = base.replace('name="B"', f'name="B" final="{other[way]}"')
        yield f"{way}, final {other[way]}", holding(inside, final)
        for block in (*other, "#all"):
            about = f' type="B" block="{block}"'
            yield f"{way}, block {block}", schema(root(about=about) + base + complex_type(inside, "T"))
    yield "empty by restriction", holding('<x:complexContent><x:restriction base="x:anyType"/></x:complexContent>')
    yield "empty", holding("")
    yield "only attributes", holding(attribute("g", ' type="x:int" use="required"'))
    optional = sequence(field("a", more=' minOccurs="0"'))
    either = group("choice", field("a"), field("b"), occurs=' maxOccurs="unbounded"')
    for inside in ("", optional, either):
        yield f"mixed {inside}", schema(root(complex_type(inside, more=' mixed="true"')))
    code = complex_type(content("simple", "extension", "x:string", attribute("g", ' use="required"')), "K")
    shorter = content("simple", "restriction", "K", '<x:maxLength value="3"/>')
    yield "simple content, restricted", holding(shorter, code)
    word = simple_type(restriction("x:string", ("enumeration", "a")))
    yield "simple content, restricted to a type inside", holding(content("simple", "restriction", "K", word), code)
    yield "simple content, extended twice", holding(content("simple", "extension", "K", attribute("h")), code)
    mixed = complex_type(optional, "M", ' mixed="true"')
    yield "simple content of mixed content", holding(content("simple", "restriction", "M", word), mixed)
    tree = complex_type(sequence(field("t", "T", ' minOccurs="0" maxOccurs="unbounded"')), "T")
    yield "a type in itself", of_type(tree)
    pair = complex_type(sequence(field("q", "Q", ' minOccurs="0"')), "T")
    yield "two types in each other", of_type(pair + complex_type(group("choice", field("p", "T"), field("z")), "Q"))
    yield "an element in itself", holding(sequence('<x:element ref="m" minOccurs="0"/>'))


def _attributes() -> Made:
    uses = ("", ' use="required"', ' fixed="{}"', ' default="{}"', ' use="required" fixed="{}"', ' form="qualified"')
    for use, (kind, value) in product(uses, (("", "x"), (' type="x:int"', "7"))):
        yield f"with{kind}{use}", holding(attribute("g", kind + use.format(value)), about=NAMESPACE)
    yield "by reference", holding('<x:attribute ref="g" use="required"/>', attribute("g", ' type="x:int"'), NAMESPACE)
    yield "by reference, fixed", holding('<x:attribute ref="g" fixed="x"/>', attribute("g"), NAMESPACE)
    inner = (
        f'<x:attributeGroup name="G">{attribute("g")}{attribute("h", " type=" + _quoted("x:date"))}</x:attributeGroup>'
    )
    yield "a group", holding('<x:attributeGroup ref="G"/>', inner)
    outer = '<x:attributeGroup ref="G"/><x:anyAttribute processContents="lax"/>'
    both = f'{inner}<x:attributeGroup name="H">{outer}</x:attributeGroup>'
    yield "a group in a group", holding('<x:attributeGroup ref="H"/>', both)
    yield "one with an element's name", holding(sequence(field("g")) + attribute("g"))
    yield "one named value", holding(content("simple", "extension", "x:int", attribute("value")))
    imported = f'<x:import namespace="{XML}" schemaLocation="xml.xsd"/>'
    yield (
        "xml:lang",
        {
            MAIN: schema(imported + root(complex_type('<x:attribute ref="xml:lang"/>'))),
            "xml.xsd": schema(attribute("lang", ' type="x:language"'), f' targetNamespace="{XML}"'),
        },
    )


def _elements() -> Made:
    for about, kind in product((' nillable="true"', ' default="x"', ' fixed="x"'), ("", ' type="x:string"')):
        yield f"an element{kind}{about}", schema(root(about=kind + about))
    for value, kind in (
        ("1", "int"),
        ("true", "boolean"),
        ("1.0", "decimal"),
        ("2020-01-01", "date"),
        ("a", "NMTOKENS"),
    ):
        yield f"fixed {kind}", holding(sequence(field("a", f"x:{kind}", f' fixed="{value}"')))
    rows = complex_type(sequence(field("b")) + attribute("g"))
    yield (
        "a group that may be nil",
        holding(sequence(f'<x:element name="a" nillable="true" maxOccurs="3">{rows}</x:element>')),
    )
    yield "by reference", holding(sequence('<x:element ref="r" maxOccurs="9"/>'), field("r", "x:int"))
    members = field("s", more=' substitutionGroup="h"') + field("t", more=' substitutionGroup="s"')
    for about in (' type="x:string"', ' type="x:string" abstract="true"', ' type="x:string" block="substitution"', ""):
        inside = sequence('<x:element ref="h" maxOccurs="3"/>')
        yield f"a substitution group{about}", holding(inside, field("h", more=about) + members)
    yield "an abstract root", schema(root(about=' type="x:string" abstract="true"') + members.replace('"h"', '"m"'))
    yield "two roots", schema(root(about=' type="x:int"') + field("n", "x:int"))
    ring = complex_type(sequence('<x:element ref="m" minOccurs="0"/>'))
    inside = sequence('<x:element ref="n" minOccurs="0"/>')
    yield "two roots that refer to each other", holding(inside, f'<x:element name="n">{ring}</x:element>')
    for form, default in product(("qualified", "unqualified"), repeat=2):
        about = f' targetNamespace="urn:p" xmlns="urn:p" elementFormDefault="{default}"'
        yield f"{form} in {default}", holding(sequence(field("a", more=f' form="{form}"'), field("b")), about=about)
    for uri in ("urn:prøve", "a b", "x", "http://example.test/{x}", "http://example.test/?a=1&amp;b=2"):
        about = f' targetNamespace="{uri}" xmlns="{uri}"{QUALIFIED}'
        yield f"the namespace {uri}", holding(sequence(field("a")), about=about)
    yield (
        "sequences within sequences",
        holding("<x:sequence>" * 220 + field("a", more=' minOccurs="0"') + "</x:sequence>" * 220),
    )
    for name in ("æøå", "_", "a-b.c", "A1", "xmlish", "Ω", "value", "true"):
        yield f"the name {name}", holding(sequence(field(name, "x:int")) + attribute(name))
    inner = complex_type(sequence(field("a", "x:int")))
    yield "one name, two types", holding(sequence(f'<x:element name="a">{inner}</x:element>'))
    notation = simple_type(restriction("x:NOTATION", ("enumeration", "n")), "T")
    yield "a notation", of_type('<x:notation name="n" public="p"/>' + notation)
    note = (
        '<x:annotation><x:documentation xml:lang="nb">Navn</x:documentation><x:appinfo><q/></x:appinfo></x:annotation>'
    )
    inside = note + sequence(f'{note}<x:element name="a">{note}</x:element>')
    yield "annotations", schema(note + root(note + complex_type(inside)))


def _identities() -> Made:
    number, day = field("n", "x:int", ' minOccurs="0"'), field("d", "x:date", ' minOccurs="0"')
    row = complex_type(sequence(number, day) + attribute("id", ' type="x:int"'))
    refer = field("r", "x:int", ' minOccurs="0" maxOccurs="9"')
    rows = complex_type(sequence(f'<x:element name="a" maxOccurs="9">{row}</x:element>', refer))

    def identity(kind: str, selector: str, *fields: str, about: str = ' name="k"') -> str:
        inside = "".join(f'<x:field xpath="{each}"/>' for each in fields)
        return f'<x:{kind}{about}><x:selector xpath="{selector}"/>{inside}</x:{kind}>'

    selectors, keys = ("a", ".//a", "a|r", "*"), (("n",), ("@id",), ("n", "d"), (".//n",))
    for kind, selector, fields in product(("key", "unique"), selectors, keys):
        yield f"{kind} {selector} {fields}", schema(root(rows + identity(kind, selector, *fields)))
    for each in ("n", "@id"):
        reference = identity("keyref", "r", ".", about=' name="f" refer="k"')
        yield f"a reference to {each}", schema(root(rows + identity("key", "a", each) + reference))
    reference = identity("keyref", "p:r", ".", about=' name="f" refer="p:k"')
    named = rows + identity("key", "p:a", "p:n") + reference
    yield "a reference in a namespace", schema(root(named), NAMESPACE + ' xmlns:p="urn:p"')
    ids = attribute("id", ' type="x:ID"') + attribute("til", ' type="x:IDREF"') + attribute("alle", ' type="x:IDREFS"')
    yield "ids", holding(sequence(f'<x:element name="a" maxOccurs="3">{complex_type(ids)}</x:element>'))


def _files() -> Made:
    include = '<x:include schemaLocation="b.xsd"/>'
    types = complex_type(sequence(field("a", "x:int")), "T")
    for name, about, included in (("", "", ""), (" alike", NAMESPACE, NAMESPACE), (" of none", NAMESPACE, "")):
        main = schema(include + root(about=' type="T"'), about)
        yield f"include{name}", {MAIN: main, "b.xsd": schema(types, included)}
    wider = complex_type(content("complex", "extension", "T", sequence(field("b"))), "T")
    redefined = f'<x:redefine schemaLocation="b.xsd">{wider}</x:redefine>'
    yield "redefine", {MAIN: schema(redefined + root(about=' type="T"')), "b.xsd": schema(types)}
    named = '<x:group name="G">{}</x:group>'
    wider = named.format(sequence('<x:group ref="G"/>', field("b")))
    redefined = f'<x:redefine schemaLocation="b.xsd">{wider}</x:redefine>'
    main = schema(redefined + root(complex_type('<x:group ref="G"/>')))
    yield "redefine a group", {MAIN: main, "b.xsd": schema(named.format(sequence(field("a"))))}
    imported = '<x:import namespace="urn:q" schemaLocation="sub/b.xsd"/>'
    inside = sequence('<x:element ref="q:r"/>', field("a", "q:T")) + '<x:attribute ref="q:g"/>'
    main = schema(imported + root(complex_type(inside)), NAMESPACE + ' xmlns:q="urn:q"')
    other = schema(types + field("r", "x:int") + attribute("g"), ' targetNamespace="urn:q" xmlns="urn:q"')
    yield "import", {MAIN: main, "sub/b.xsd": other}
    inside = root(complex_type(sequence('<x:element ref="r"/>')))
    main = schema('<x:import schemaLocation="b.xsd"/>' + inside, ' targetNamespace="urn:p"')
    yield "import of no namespace", {MAIN: main, "b.xsd": schema(field("r", "x:int"))}
    main = schema(include + root(about=' type="T"'))
    yield "includes in a ring", {MAIN: main, "b.xsd": schema(include.replace("b.xsd", MAIN) + types)}


def _newer() -> Made:
    pair = sequence(field("a", "x:int"), field("b", "x:int", ' minOccurs="0"'))
    base = complex_type(attribute("g"), "B")
    derived = complex_type(content("complex", "extension", "B", sequence(field("b"))), "T")
    alternative = '<x:alternative test="@g = \'b\'" type="{}"/>'
    even = restriction("x:int", more='<x:assertion test="$value mod 2 = 0"/>')
    made = {
        "assert": root(complex_type(pair + '<x:assert test="a &lt; 9"/>')),
        "assertion": root(simple_type(even)),
        **{
            f"open content, {mode}": root(complex_type(f'<x:openContent mode="{mode}">{inside}</x:openContent>{pair}'))
            for mode, inside in (
                ("interleave", '<x:any processContents="lax"/>'),
                ("suffix", '<x:any processContents="lax"/>'),
                ("none", ""),
            )
        },
        "default open content": '<x:defaultOpenContent><x:any processContents="skip"/></x:defaultOpenContent>'
        + root(complex_type(pair)),
        "all with lists": root(
            complex_type(
                group("all", field("a", more=' maxOccurs="3"'), field("b", more=' minOccurs="2" maxOccurs="4"'))
            )
        ),
        "all with any": root(
            complex_type(group("all", field("a"), '<x:any namespace="urn:x" processContents="lax"/>'))
        ),
        "alternative": root(alternative.format("T"), ' type="B"') + base + derived,
        "alternative error": root(alternative.format("x:error"), ' type="B"') + base,
        **{
            name: root(about=f' type="x:{name}"')
            for name in ("dateTimeStamp", "yearMonthDuration", "dayTimeDuration", "anyAtomicType")
        },
        "explicitTimezone": root(simple_type(restriction("x:date", ("explicitTimezone", "required")))),
        "any but one": root(complex_type(sequence(field("a"), '<x:any notQName="a" notNamespace="urn:x"/>'))),
        "any and one": root(complex_type(sequence('<x:any minOccurs="0" processContents="skip"/>', field("a")))),
        "an inheritable attribute": root(complex_type(pair + attribute("g", ' inheritable="true"'))),
        "two heads": root(about=' type="x:int"')
        + field("n", "x:int")
        + field("s", "x:int", ' substitutionGroup="m n"'),
    }
    for name, body in made.items():
        yield name, schema(body, XSD_1_1)


KINDS = {
    "simple types": _simple_types,
    "facets": _facets,
    "lists and unions": _lists_and_unions,
    "groups": _groups,
    "wildcards": _wildcards,
    "complex types": _complex_types,
    "attributes": _attributes,
    "elements": _elements,
    "identities": _identities,
    "files": _files,
    "XSD 1.1": _newer,
}
