"""Schemas come from one folder and nothing else."""

from pathlib import Path

import pytest
from lxml import etree

from bridge.core.errors import ConfigurationError
from bridge.forms.json.registry import JsonSchemaRegistry
from bridge.forms.xml.anchors import without_anchors
from bridge.forms.xml.schemas import read_schema_files
from bridge.forms.xml.xmlschema_engine import build_xmlschema

HEAD = '<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema">\n'


def write(folder: Path, **schemas: str) -> Path:
    """Write schemas by name (without ``.xsd``), each between the tags of a schema."""
    for name, body in schemas.items():
        path = folder / f"{name.replace('__', '/')}.xsd"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{HEAD}{body}\n</x:schema>")
    return folder


def faults(folder: Path) -> list[str]:
    """Read the schema ``a.xsd``, which has faults."""
    with pytest.raises(ConfigurationError) as caught:
        read_schema_files(folder, "a.xsd")
    return [str(fault).removeprefix(f"{folder}/") for fault in caught.value.faults]


def test_includes_come_from_the_folder(tmp_path: Path):
    """Files below and beside each other are found, each read once, also when they include in a circle."""
    folder = write(
        tmp_path,
        a='<x:include schemaLocation="deep/b.xsd"/><x:element name="m" type="T"/>',
        deep__b='<x:include schemaLocation="../c.xsd"/>',
        c='<x:include schemaLocation="deep/b.xsd"/><x:simpleType name="T"><x:restriction base="x:int"/></x:simpleType>',
    )

    files = read_schema_files(folder, "a.xsd")

    assert set(files.texts) == {"a.xsd", "deep/b.xsd", "c.xsd"}
    assert files.compile().validate(etree.fromstring("<m>1</m>"))


@pytest.mark.parametrize(
    ("location", "file"),
    [
        ("felles_%C3%A6%C3%B8%C3%A5.xsd", "felles_æøå.xsd"),
        ("felles_æøå.xsd", "felles_æøå.xsd"),
        ("felles_%C3%A6.xsd", "felles_%C3%A6.xsd"),
        (" ./fel les.xsd\n", "fel les.xsd"),
        ("fel%20les.xsd", "fel les.xsd"),
        ("mæppe/a%20b.xsd", "mæppe/a b.xsd"),
    ],
)
@pytest.mark.parametrize("name", ["a.xsd", "skjæma %41.xsd"])
def test_a_location_is_a_uri_or_the_name_of_a_file(tmp_path: Path, name: str, location: str, file: str) -> None:
    """To both engines, and whatever the schema itself is called."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    kind = '<x:simpleType name="T"><x:restriction base="x:int"/></x:simpleType></x:schema>'
    (tmp_path / file).write_text(HEAD + kind, "utf-8")
    (tmp_path / name).write_text(
        f'{HEAD}<x:include schemaLocation="{location}"/><x:element name="m" type="T"/></x:schema>', "utf-8"
    )

    files = read_schema_files(tmp_path, name)

    assert set(files.texts) == {name, file}
    assert files.compile().validate(etree.fromstring("<m>1</m>"))
    assert not files.compile().validate(etree.fromstring("<m>x</m>"))
    assert build_xmlschema(files).refused is None


@pytest.mark.parametrize("location", ["%2e%2e/b.xsd", "%2Fetc/hostname", "..%5Cb.xsd", "file%3A///etc/hostname"])
def test_a_location_leads_no_further_for_being_encoded(tmp_path: Path, location: str) -> None:
    """What it means stays in the folder as well."""
    (tmp_path.parent / "b.xsd").write_text(HEAD + "</x:schema>")
    write(tmp_path, a=f'<x:include schemaLocation="{location}"/>')

    assert faults(tmp_path)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path):
    """Many real schemas begin with one."""
    (tmp_path / "a.xsd").write_text(HEAD + '<x:element name="m"/></x:schema>', "utf-8-sig")

    files = read_schema_files(tmp_path, "a.xsd")

    assert files.compile().validate(etree.fromstring("<m/>"))


@pytest.mark.parametrize(
    "location",
    ["http://example.org/b.xsd", "file:///etc/hostname", "/etc/hostname", "../b.xsd", "x/../../b.xsd", "..\\b.xsd"],
)
def test_nothing_outside_the_folder_is_read(tmp_path: Path, location: str):
    """Addresses and paths that leave the folder are faults with the line that asks for them."""
    folder = (
        write(tmp_path / "schemas", a=f'\n<x:include schemaLocation="{location}"/>')
        if ((tmp_path / "schemas").mkdir() is None)
        else tmp_path
    )
    write(tmp_path, b="")

    found = faults(folder)

    assert len(found) == 1
    assert found[0].startswith("a.xsd:3:1: the schema refers to")


@pytest.mark.parametrize("name", ["a.xsd", "a.json"])
@pytest.mark.parametrize("way", ["out of the folder", "round in a circle"])
def test_links_do_not_lead_out_of_the_folder(tmp_path: Path, name: str, way: str):
    """A link in the schema folder that leads elsewhere is a fault, however the file is reached."""
    folder = tmp_path / "schemas"
    folder.mkdir()
    (tmp_path / name).write_text(HEAD + '<x:element name="m"/></x:schema>' if name == "a.xsd" else '{"type": "object"}')
    (folder / name).symlink_to(tmp_path / name if way == "out of the folder" else folder / name)

    with pytest.raises(ConfigurationError, match=r"leads out of the schema folder|no readable schema file") as caught:
        read_schema_files(folder, name) if name == "a.xsd" else JsonSchemaRegistry(folder).load([name])

    assert len(caught.value.faults) == 1


def test_links_inside_the_folder_are_followed(tmp_path: Path):
    """As a mounted ConfigMap makes them: by way of a folder that is replaced as a whole, itself behind a link."""
    (tmp_path / "mounted" / "..2026").mkdir(parents=True)
    (tmp_path / "mounted" / "..2026" / "a.xsd").write_text(HEAD + '<x:element name="m"/></x:schema>')
    (tmp_path / "mounted" / "..data").symlink_to("..2026")
    (tmp_path / "mounted" / "a.xsd").symlink_to(Path("..data") / "a.xsd")
    (tmp_path / "schemas").symlink_to("mounted")

    files = read_schema_files(tmp_path / "schemas", "a.xsd")

    assert files.compile().validate(etree.fromstring("<m/>"))


def test_every_fault_of_a_schema_is_told(tmp_path: Path):
    """Missing and foreign files are one list."""
    folder = write(
        tmp_path,
        a='<x:include schemaLocation="b.xsd"/>\n<x:import namespace="u" schemaLocation="https://example.org/c.xsd"/>',
    )

    found = faults(folder)

    assert sorted(line.split(":")[1] for line in found) == ["2", "3"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a>", "not well-formed XML"),
        ("<a/>", "the root element is 'a'"),
        (f'<!DOCTYPE a SYSTEM "b.dtd">{HEAD}</x:schema>', "DOCTYPE"),
        (HEAD + '<x:element name="m" type="Missing"/></x:schema>', "a.xsd:2:1: "),
        (HEAD + '<x:element name="m"><x:simpleType/></x:element></x:schema>', "a.xsd:2:1: "),
    ],
    ids=["broken", "no-schema", "doctype", "missing-type", "no-derivation"],
)
def test_a_schema_that_cannot_be_used_is_told(tmp_path: Path, text: str, expected: str):
    """File and line of what is wrong."""
    (tmp_path / "a.xsd").write_text(text)

    found = faults(tmp_path)

    assert expected in found[0]


def test_a_missing_schema_is_a_fault(tmp_path: Path):
    """The file's name is told."""
    assert "'a.xsd'" in faults(tmp_path)[0]


def test_anchored_patterns_are_loosened_and_told(tmp_path: Path):
    """libxml2 takes anchors for characters, so they go, and the note says where."""
    pattern = '<x:restriction base="x:string">\n<x:pattern value="^[0-9]{4}$"/></x:restriction>'
    folder = write(tmp_path, a=f'<x:element name="m"><x:simpleType>{pattern}</x:simpleType></x:element>')

    files = read_schema_files(folder, "a.xsd")

    assert files.compile().validate(etree.fromstring("<m>0001</m>"))
    assert [note.removeprefix(f"{folder}/") for note in files.notes] == [
        "a.xsd:3: read the pattern '^[0-9]{4}$' as '[0-9]{4}': XSD anchors itself"
    ]


@pytest.mark.parametrize(
    ("pattern", "bare"),
    [
        ("^a$", "a"),
        ("a", "a"),
        ("^a$|^b$", "a|b"),
        ("^(a|b)$", "(a|b)"),
        (r"a\$", r"a\$"),
        (r"a\\$", r"a\\"),
        ("[|]$", "[|]"),
        ("^[[(]$|^a$", "[[(]|a"),
        (r"\^a", r"\^a"),
        ("", ""),
    ],
)
def test_only_anchors_are_dropped(pattern: str, bare: str):
    """An escaped sign is a character, and each branch has its own anchors."""
    assert without_anchors(pattern) == bare
