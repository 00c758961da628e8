"""Whatever is done to a form, our verdict is libxml2's, and a refusal is explained."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from bridge.bundled import examples_folder, schemas_folder
from bridge.core.texts.findings import sentence
from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.schemas import read_schema_files

SCHEMA = "serveringsbevilling.xsd"
VALID = (examples_folder() / "serveringsbevilling.xml").read_bytes()
REGISTRY = SchemaRegistry(schemas_folder())
REGISTRY.load([SCHEMA])
BARE = read_schema_files(schemas_folder(), SCHEMA).compile()
PLACES = sum(1 for _ in etree.fromstring(VALID).iter())

CHANGES = st.tuples(
    st.sampled_from(["remove", "double", "swap", "empty", "fill", "name", "nest", "attribute"]),
    st.integers(1, PLACES - 1),
)


def change(root: etree._Element, kind: str, place: int) -> None:
    """Change one element of the form."""
    node = list(root.iter(etree.Element))[1:][place % max(1, sum(1 for _ in root.iter(etree.Element)) - 1)]
    parent = node.getparent()
    if parent is None:
        return
    match kind:
        case "remove":
            parent.remove(node)
        case "double":
            node.addnext(etree.fromstring(etree.tostring(node, with_tail=False)))
        case "swap" if node.getnext() is not None:
            node.getnext().addnext(node)
        case "empty":
            node.text = None
        case "fill":
            node.text = "fyll]'\"}"
        case "name":
            node.tag = "annet"
        case "nest":
            node.append(etree.Element("navn"))
        case "attribute":
            node.set("lagt-til", "x")


@settings(deadline=None)  # The first refusal builds the model.
@given(st.lists(CHANGES, min_size=1, max_size=8))
def test_a_changed_form_is_judged_and_explained(changes: list[tuple[str, int]]):
    """Findings where libxml2 refuses, none where it accepts, each with a place in the form and a sentence."""
    root = etree.fromstring(VALID)
    for kind, place in changes:
        if len(root):
            change(root, kind, place)
    xml = etree.tostring(root)

    findings = REGISTRY.check(SCHEMA, xml)

    assert (not findings) == BARE.validate(etree.fromstring(xml))
    assert all(finding.path.startswith("/melding") for finding in findings)
    assert not [said for finding in findings if "fyll" in (said := sentence(finding, "nn")) and "fyllast" not in said]
    assert len({(finding.path, finding.rule) for finding in findings}) == len(findings)
