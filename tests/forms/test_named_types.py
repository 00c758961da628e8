"""Types that a form names by ``xsi:type``: one that may not stand there is one finding, whichever engine judges."""

from pathlib import Path

import pytest

from bridge.forms.registry import SchemaRegistry
from bridge.forms.xml.input import Effort, Limits, parse
from bridge.forms.xml.namespaces import in_plain_namespaces
from bridge.forms.xml.xmlschema_findings import explain_by_xmlschema
from tests.forms.test_convert_meaning import ARCHIVE, MESSAGE

FOLDER, RECORD = "/a:arkivmelding/mappe[1]", "/a:arkivmelding/mappe[1]/registrering[1]"
ABSTRACT = ARCHIVE.replace('name="mappe">', 'name="mappe" abstract="true">', 1)
STRAY = MESSAGE.replace("<tittel>Bare", "<tull/><tittel>Bare")
STRAY_FINDING = ("/a:arkivmelding/mappe[2]/tull", "unexpected_element")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> SchemaRegistry:
    folder: Path = tmp_path_factory.mktemp("types")
    (folder / "concrete.xsd").write_text(ARCHIVE, "utf-8")
    (folder / "abstract.xsd").write_text(ABSTRACT, "utf-8")
    made = SchemaRegistry(folder)
    made.load(["concrete.xsd", "abstract.xsd"])
    return made


@pytest.mark.parametrize(
    ("form", "findings"),
    [
        pytest.param(STRAY.replace("a:saksmappe", "a:finnes-ikke"), [(FOLDER, "wrong_type")], id="unknown"),
        pytest.param(STRAY.replace("a:saksmappe", "b:saksmappe"), [(FOLDER, "wrong_type")], id="no such prefix"),
        pytest.param(STRAY.replace("a:saksmappe", ""), [(FOLDER, "wrong_type")], id="empty"),
        pytest.param(STRAY.replace("a:saksmappe", "a:registrering"), [(FOLDER, "wrong_type")], id="not derived"),
        pytest.param(STRAY.replace("journalpost", "arkivnotat", 1), [(RECORD, "wrong_type")], id="abstract"),
    ],
)
def test_a_type_that_may_not_stand_there_hides_what_it_holds(
    registry: SchemaRegistry, form: str, findings: list[tuple[str, str]]
) -> None:
    """Nothing in it is what the schema expects; what is wrong elsewhere is told beside it."""
    told = [(each.path, each.rule) for each in registry.check("concrete.xsd", form)]
    model = registry._schemas["concrete.xsd"].model
    slowly = explain_by_xmlschema(parse(in_plain_namespaces(form.encode())), model, Limits(), effort=Effort(5))

    assert told == [*findings, STRAY_FINDING]
    # xmlschema gives up at a type that there is not.
    assert [(each.path, each.rule) for each in slowly] in (findings, [*findings, STRAY_FINDING])


def test_an_element_of_an_abstract_type_must_name_another(registry: SchemaRegistry) -> None:
    """And may not name that one."""
    told = [(each.path, each.rule) for each in registry.check("abstract.xsd", MESSAGE)]

    assert told == [(f"{RECORD}/saksmappe", "wrong_type"), ("/a:arkivmelding/mappe[2]", "missing_type")]


def test_a_stream_tells_it_as_well(registry: SchemaRegistry, tmp_path: Path) -> None:
    """Where a form is too large to be held."""
    from bridge.core.mapping import FormKind, FormSpec

    path = tmp_path / "form.xml"
    path.write_text(STRAY.replace("a:saksmappe", "a:finnes-ikke"), "utf-8")
    small = SchemaRegistry(registry.folder, Limits(max_bytes=10))
    small.load(["concrete.xsd"])
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="1", data_format_version="1", schema="concrete.xsd")

    told = [(each.path, each.rule) for each in small.check_file(spec, path)]

    # Of what is still to come it knows nothing: the first of several has no number.
    assert told == [(FOLDER.removesuffix("[1]"), "wrong_type"), STRAY_FINDING]
