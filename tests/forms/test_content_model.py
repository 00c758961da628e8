"""What is wrong with the fields of a group is told by the schema's own order."""

from pathlib import Path

import pytest

from bridge.core.errors import Finding
from bridge.core.mapping import FormKind, FormSpec, NamespaceReading
from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Limits

HEAD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns="urn:p" {about}>{more}'
NAMESPACE = 'targetNamespace="urn:p" elementFormDefault="qualified"'
SIMPLE = '<x:element name="{}" type="x:string" {}/>'


def element(name: str, about: str = "") -> str:
    return SIMPLE.format(name, about)


def sequence(*parts: str, about: str = "") -> str:
    return f"<x:sequence {about}>{''.join(parts)}</x:sequence>"


def choice(*parts: str, about: str = "") -> str:
    return f"<x:choice {about}>{''.join(parts)}</x:choice>"


ABC = sequence(*map(element, "abc"))
ANY = '<x:any namespace="{}" processContents="{}"/>'
MANY, SOME, MAYBE = 'maxOccurs="unbounded"', 'maxOccurs="9"', 'minOccurs="0"'


def registry_of(folder: Path, model: str, *, about: str = "", more: str = "", slow: bool = False) -> SchemaRegistry:
    head = HEAD.format(about=about, more=more)
    # What libxml2 cannot take, so that xmlschema judges.
    version = ' xmlns:vc="http://www.w3.org/2007/XMLSchema-versioning" vc:minVersion="1.1"'
    head = head.replace("urn:p", "urn:prøve").replace("<x:schema", "<x:schema" + version) if slow else head
    (folder / "a.xsd").write_text(
        f'{head}<x:element name="m"><x:complexType>{model}</x:complexType></x:element></x:schema>'
    )
    registry = SchemaRegistry(folder)
    registry.load(["a.xsd"])
    return registry


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, dict[str, str]]]:
    return [(each.path, each.rule, dict(each.facts)) for each in findings]


CASES: dict[str, tuple[str, str, list[tuple[str, str, dict[str, str]]]]] = {
    "behind a list with an end": (
        sequence(element("v", SOME), element("p")),
        "<v/>",
        [("/m/p", "missing_element", {})],
    ),
    "behind a list without": (sequence(element("v", MANY), element("p")), "<v/>", [("/m/p", "missing_element", {})]),
    "behind a list, before another": (
        sequence(element("v", MANY), element("p"), element("q")),
        "<v/><v/><q/>",
        [("/m/p", "missing_element", {})],
    ),
    "behind what may be left out": (
        sequence(element("v", MAYBE), element("p"), element("q", MAYBE)),
        "",
        [("/m/p", "missing_element", {})],
    ),
    "all that is missing": (ABC, "<b/>", [("/m/a", "missing_element", {}), ("/m/c", "missing_element", {})]),
    "too few": (sequence(element("a", 'minOccurs="3" maxOccurs="5"')), "<a/>", [("/m/a", "too_few", {"min": "3"})]),
    "none of several": (choice(*map(element, "ab")), "", [("/m", "incomplete", {"expected": "a, b"})]),
    "two choices": (
        sequence(choice(*map(element, "ab")), choice(*map(element, "cd"))),
        "",
        [("/m", "incomplete", {"expected": "a, b"}), ("/m", "incomplete", {"expected": "c, d"})],
    ),
    "half of a choice": (
        choice(sequence(*map(element, "ab")), element("c")),
        "<a/>",
        [("/m/b", "missing_element", {})],
    ),
    "half of a repeated group": (
        sequence(*map(element, "ab"), about=MANY),
        "<a/><b/><a/>",
        [("/m/b", "missing_element", {})],
    ),
    "what may come in any order": (
        "<x:all>" + element("a") + element("b") + "</x:all>",
        "<b/>",
        [("/m/a", "missing_element", {})],
    ),
    "too late": (
        sequence(element("a"), element("l", f"{MAYBE} {MANY}"), element("r", MAYBE), element("k", MAYBE)),
        "<a/><r/><l/>",
        [("/m/l", "misplaced_element", {"before": "r"})],
    ),
    "after the last place": (
        sequence(element("a", MAYBE), element("b", MAYBE)),
        "<b/><a/>",
        [("/m/a", "misplaced_element", {"before": "b"})],
    ),
    "too early": (ABC, "<b/><a/><c/>", [("/m/b", "misplaced_element", {"expected": "a"})]),
    "much too early": (ABC, "<c/><a/><b/>", [("/m/c", "misplaced_element", {"expected": "a"})]),
    "much too late": (ABC, "<b/><c/><a/>", [("/m/a", "misplaced_element", {"before": "b"})]),
    "the other branch": (
        sequence(choice(*map(element, "ab")), element("c", MAYBE)),
        "<a/><b/>",
        [("/m/b", "too_many_of_choice", {"choices": "a, b", "beside": "a"})],
    ),
    "both of a choice": (
        choice(*map(element, "ab")),
        "<a/><b/>",
        [("/m/b", "too_many_of_choice", {"choices": "a, b", "beside": "a"})],
    ),
    "both of a choice, the other way round": (
        choice(*map(element, "ab")),
        "<b/><a/>",
        [("/m/a", "too_many_of_choice", {"choices": "a, b", "beside": "b"})],
    ),
    "one more than twice of a choice": (
        choice(*map(element, "ab"), about='maxOccurs="2"'),
        "<a/><b/><a/>",
        [("/m/a[2]", "too_many_of_choice", {"choices": "a, b", "max": "2"})],
    ),
    "a choice that comes back with its group": (
        sequence(choice(*map(element, "ab")), element("c"), about='maxOccurs="2"'),
        "<a/><c/><b/><c/><a/>",
        [("/m/a[2]", "too_many_of_choice", {"choices": "a, b", "max": "2"})],
    ),
    "two branches of several": (
        choice(sequence(element("a"), element("b", MAYBE)), sequence(*map(element, "cd"))),
        "<a/><c/>",
        [("/m/c", "too_many_of_choice", {"choices": "a + b, c + d", "beside": "a"})],
    ),
    "a choice in a choice": (
        choice(choice(*map(element, "ab")), element("c")),
        "<a/><b/><c/>",
        [
            ("/m/b", "too_many_of_choice", {"choices": "a, b", "beside": "a"}),
            ("/m/c", "too_many_of_choice", {"choices": "a / b, c", "beside": "a"}),
        ],
    ),
    "more than a choice of lists takes": (
        choice(element("a", SOME), element("b"), about='maxOccurs="2"'),
        "<a/><b/><b/><a/>",
        [
            ("/m/b[2]", "too_many_of_choice", {"choices": "a, b"}),
            ("/m/a[2]", "too_many_of_choice", {"choices": "a, b"}),
        ],
    ),
    "too late inside a branch": (
        choice(element("x"), sequence(choice(*map(element, "ab")), element("c"))),
        "<c/><a/>",
        [("/m/c", "misplaced_element", {"expected": "a, b"})],
    ),
    "one too many": (ABC, "<a/><a/><b/><c/>", [("/m/a[2]", "too_many", {"max": "1"})]),
    "one too many of a list": (
        sequence(element("a", 'maxOccurs="2"'), element("b")),
        "<a/><a/><a/><b/>",
        [("/m/a[3]", "too_many", {"max": "2"})],
    ),
    "twice in two places": (
        sequence(element("a"), element("b"), element("a", MAYBE)),
        "<a/><b/><a/><a/>",
        [("/m/a[3]", "too_many", {"max": "2"})],
    ),
    "thirty that are unknown": (
        ABC,
        "<z/>" * 30 + "<a/><b/><c/>",
        [(f"/m/z[{n}]", "unexpected_element", {}) for n in range(1, 31)],
    ),
    "any, lax": (sequence(element("a"), ANY.format("##any", "lax")), "<a/>", [("/m", "missing_any", {})]),
    "any, strict": (sequence(element("a"), ANY.format("##any", "strict")), "<a/>", [("/m", "missing_any", {})]),
    "any of another namespace": (
        sequence(element("a"), ANY.format("##other", "skip"), element("b")),
        "<a/><b/>",
        [("/m", "missing_any", {})],
    ),
    "any without one": (sequence(element("a"), ANY.format("##local", "skip")), "<a/>", [("/m", "missing_any", {})]),
    "any of two": (sequence(element("a"), ANY.format("urn:x urn:y", "skip")), "<a/>", [("/m", "missing_any", {})]),
    "any or one": (sequence(choice(element("a"), ANY.format("urn:x", "skip"))), "", [("/m/a", "missing_element", {})]),
    "faults behind each other": (
        sequence(element("a"), element("b"), element("c", SOME), element("d")),
        "<z/><b/><c/><b/><y/>",
        [
            ("/m/z", "unexpected_element", {}),
            ("/m/a", "missing_element", {}),
            ("/m/b[2]", "too_many", {"max": "1"}),
            ("/m/y", "unexpected_element", {}),
            ("/m/d", "missing_element", {}),
        ],
    ),
}


@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize(("model", "inside", "expected"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_told_where_it_is(
    tmp_path: Path, model: str, inside: str, expected: list[tuple[str, str, dict[str, str]]], *, slow: bool
) -> None:
    """All of it in one answer, nothing twice, and by the same rules whichever engine judges."""
    registry = registry_of(tmp_path, model, about=NAMESPACE, slow=slow)
    namespace = "urn:prøve" if slow else "urn:p"

    findings = registry.check("a.xsd", f'<m xmlns="{namespace}">{inside}</m>')

    assert sorted(told(findings), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    "name", ["behind a list with an end", "too late", "one too many of a list", "any, lax", "both of a choice"]
)
def test_a_streaming_form_is_told_alike(tmp_path: Path, name: str) -> None:
    """Where siblings are gone, their names are not."""
    model, inside, expected = CASES[name]
    registry = registry_of(tmp_path, model)
    form = tmp_path / "a.xml"
    form.write_text(f"<m>{inside}</m>")

    small = SchemaRegistry(tmp_path, Limits(max_bytes=1))
    small.load(["a.xsd"])
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="", data_format_version="", schema="a.xsd")

    assert registry.check_file(spec, form)
    assert [(each.rule, dict(each.facts)) for each in small.check_file(spec, form)] == [expected[0][1:]]


@pytest.mark.parametrize(
    ("facts", "nb", "nn", "en"),
    [
        ({}, "A står på feil plass.", "A står på feil plass.", "A is in the wrong place."),
        (
            {"before": "b"},
            "A står på feil plass: det skal stå før b.",
            "A står på feil plass: det skal stå før b.",
            "A is in the wrong place: it must come before b.",
        ),
        (
            {"expected": "b"},
            "A står på feil plass: her skal b stå.",
            "A står på feil plass: her skal b stå.",
            "A is in the wrong place: b must come here.",
        ),
        (
            {"allowed": "b, c"},
            "A står på feil plass: her kan bare dette stå: b, c.",
            "A står på feil plass: her kan berre dette stå: b, c.",
            "A is in the wrong place: only these may come here: b, c.",
        ),
    ],
)
def test_must_and_may_are_told_apart(facts: dict[str, str], nb: str, nn: str, en: str) -> None:
    """What may be left out is never said to be needed."""
    finding = Finding(path="/m/a", rule="misplaced_element", facts=facts)

    assert tuple(sentence(finding, language) for language in ("nb", "nn", "en")) == (nb, nn, en)


@pytest.mark.parametrize(
    ("facts", "nb", "nn", "en"),
    [
        (
            {"choices": "a, b"},
            "B er én mer enn det kan være av disse: a, b.",
            "B er éin meir enn det kan vere av desse: a, b.",
            "B is one more than there may be of these: a, b.",
        ),
        (
            {"choices": "a, b", "beside": "a"},
            "B kan ikke stå sammen med a: bare én av disse kan være med: a, b.",
            "B kan ikkje stå saman med a: berre éin av desse kan vere med: a, b.",
            "B may not stand beside a: only one of these may be there: a, b.",
        ),
        (
            {"choices": "a, b", "max": "2"},
            "B er én for mye: det kan være høyst to av disse i alt: a, b.",
            "B er éin for mykje: det kan vere høgst to av desse i alt: a, b.",
            "B is one too many: at most two of these may be there in all: a, b.",
        ),
    ],
)
def test_what_a_choice_excludes_is_not_told_as_out_of_order(facts: dict[str, str], nb: str, nn: str, en: str) -> None:
    """No other place would be right for it."""
    finding = Finding(path="/m/b", rule="too_many_of_choice", facts=facts)

    assert tuple(sentence(finding, language) for language in ("nb", "nn", "en")) == (nb, nn, en)


@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize(
    ("about", "form", "expected"),
    [
        (NAMESPACE, '<m xmlns="urn:v3"><a/><b/><c/></m>', [("/m", "wrong_namespace", {"namespace": "urn:p"})]),
        (NAMESPACE, "<m><a/><b/><c/></m>", [("/m", "wrong_namespace", {"namespace": "urn:p"})]),
        (NAMESPACE, '<p:m xmlns:p="urn:p"><a/><b/><p:c/></p:m>', [
            ("/p:m/a", "wrong_namespace", {"namespace": "urn:p"}),
            ("/p:m/b", "wrong_namespace", {"namespace": "urn:p"}),
        ]),
        ("", '<m xmlns="urn:v3"><a/><b/><c/></m>', [("/m", "unwanted_namespace", {})]),
        ('targetNamespace="urn:p"', '<m xmlns="urn:p"><a/><b/><c/></m>', [
            (f"/m/{name}", "unwanted_namespace", {}) for name in "abc"
        ]),
        (NAMESPACE, '<n xmlns="urn:p"/>', [("/n", "wrong_root", {"expected": "m"})]),
    ],
    ids=["another version", "none", "inside", "one too much", "unqualified", "another name"],
)  # fmt: skip
def test_a_wrong_namespace_is_told_as_that(
    tmp_path: Path, about: str, form: str, expected: list[tuple[str, str, dict[str, str]]], *, slow: bool
) -> None:
    """Not as an element that does not belong there, nor as one that must be what it is."""
    registry = registry_of(tmp_path, ABC, about=about, slow=slow)
    if slow:
        form = form.replace("urn:p", "urn:prøve")
        expected = [(path, rule, {key: "urn:prøve" if fact == "urn:p" else fact for key, fact in facts.items()})
                    for path, rule, facts in expected]  # fmt: skip

    assert told(registry.check("a.xsd", form)) == expected


def test_a_whole_part_in_a_wrong_namespace_is_told_once(tmp_path: Path) -> None:
    """What stands in it is looked at as if it were in the right one."""
    model = sequence(f'<x:element name="d"><x:complexType>{ABC}</x:complexType></x:element>')
    registry = registry_of(tmp_path, model, about=NAMESPACE)

    findings = registry.check("a.xsd", '<p:m xmlns:p="urn:p"><d xmlns="urn:v3"><a/><c/></d></p:m>')

    assert told(findings) == [
        ("/p:m/d", "wrong_namespace", {"namespace": "urn:p"}),
        ("/p:m/d/p:b", "missing_element", {}),
    ]


@pytest.mark.parametrize("about", [NAMESPACE, 'targetNamespace="urn:p"'], ids=["qualified", "unqualified"])
@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
def test_a_lenient_form_gets_no_prefix_that_nobody_wrote(tmp_path: Path, about: str, *, slow: bool) -> None:
    """Its paths are those of the form, so that they have a line and a column too."""
    registry = registry_of(tmp_path, ABC, about=about, slow=slow)
    lenient = FormSpec(
        kind=FormKind.MAIN,
        data_format_id="",
        data_format_version="",
        schema="a.xsd",
        namespace=NamespaceReading.LENIENT,
    )

    findings = registry.check_form(lenient, '<m g="1">\n<a/><z/><c/></m>')

    assert {(each.path, each.rule, each.line, each.column) for each in findings} == {
        ("/m/@g", "unexpected_attribute", 1, 1),
        ("/m/z", "unexpected_element", 2, 5),
        ("/m/b", "missing_element", 2, 0),
    }


@pytest.mark.parametrize("slow", [False, True], ids=["libxml2", "xmlschema"])
@pytest.mark.parametrize(
    ("model", "xml", "rule"),
    [
        (ABC, "<m>\n<a/><b/>\n</m>", "missing_element"),
        (sequence(element("a"), ANY.format("##any", "skip")), "<m>\n<a/>\n</m>", "missing_any"),
    ],
    ids=["an element", "any element"],
)
def test_what_is_missing_last_has_the_line_on_which_its_parent_ends(
    tmp_path: Path, model: str, xml: str, rule: str, *, slow: bool
) -> None:
    """By both engines, and in its turn among the other findings."""
    findings = registry_of(tmp_path, model, slow=slow).check("a.xsd", xml.replace("<m>", '<m g="1">'))

    assert [(each.rule, each.line, each.column) for each in findings] == [("unexpected_attribute", 1, 1), (rule, 3, 0)]


def test_a_reference_into_a_substitution_group_is_named_by_its_members(tmp_path: Path) -> None:
    """An abstract head stands for those that may come."""
    more = (
        '<x:element name="head" abstract="true" type="x:string"/>'
        '<x:element name="b" substitutionGroup="head"/><x:element name="c" substitutionGroup="head"/>'
    )
    registry = registry_of(tmp_path, sequence(element("a"), '<x:element ref="head"/>'), about=NAMESPACE, more=more)

    assert told(registry.check("a.xsd", '<m xmlns="urn:p"><a/></m>')) == [("/m", "incomplete", {"expected": "b, c"})]
    assert registry.check("a.xsd", '<m xmlns="urn:p"><a/><c/></m>') == ()


@pytest.mark.parametrize("block", ["", ' block="substitution"'])
def test_what_substitutes_has_the_type_of_its_head(tmp_path: Path, block: str) -> None:
    """To both engines, so that neither is said to disagree."""
    more = (
        f'<x:element name="t" substitutionGroup="s"/><x:element name="s" substitutionGroup="head"/>'
        f'<x:element name="head" type="x:int"{block}/>'
    )
    registry = registry_of(tmp_path, sequence(element("a")), about=NAMESPACE, more=more)

    for name in "st":
        assert registry.check("a.xsd", f'<{name} xmlns="urn:p">1</{name}>') == ()
        assert [each.rule for each in registry.check("a.xsd", f'<{name} xmlns="urn:p" g="1">1</{name}>')] == [
            "unexpected_attribute"
        ]
        assert [each.rule for each in registry.check("a.xsd", f'<{name} xmlns="urn:p">x</{name}>')] == ["type"]
