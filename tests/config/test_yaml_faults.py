"""A fault in YAML says what to write."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.bundled import mappings_folder
from bridge.config.yaml_source import Document, line_and_column, read_yaml


def told(folder: Path, text: str) -> list[str]:
    """Read *text* as a file, and give each fault as ``line:column: message``."""
    document = Document(path=folder / "m.yaml")
    document.path.write_bytes(text.encode() if isinstance(text, str) else text)
    assert read_yaml(document, begins="it begins with keys") is None
    return [str(each).removeprefix(f"{document.path}:") for each in document.faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n\tb: 1\n", "2:1: a tab stands here: indent with blanks, two for each step"),
        ("a:\n  b: 1\n\tc: 2\n", "3:1: a tab stands here: indent with blanks, two for each step"),
        ("a: 1\n  b: 2\n", "2:4: this line is indented below one that has its value already: begin it in column 1"),
        ("a:\n    b: 1\n  c: 2\n", "3:3: the line above begins in column 5, this one in 3: keys of one group begin"),
        ("a:\n  - x\n - y\n", "3:2: the line above begins in column 3, this one in 2"),
        ("a:\n  - x\n  b: 1\n", "3:3: a list begins on line 2: here must stand a dash, or less indentation"),
        ("a:\n  -x\n  b: 1\n", "3:4: after a dash comes a blank: write '- x' above"),
        ("nb: Gebyr: 5 kr\n", "1:10: a second key on one line: put a text with a colon in quotes"),
        ("a:\n  send: requires: write\n", "2:17: a second key on one line"),
        ("a: 1\nb:2\nc: 3\n", "2:1: after a colon comes a blank: write b: 2"),
        ("a: 1\nb\nc: 3\n", "2:1: a key is written with a colon and a blank after it: b: …"),
        ("a: {b: 1, c: 2\nd: 3\n", "1:4: this { is not closed: write } before line 2"),
        ("a: [b, c\nd: 3\n", "1:4: this [ is not closed: write ] before line 2"),
        ("s:\n  a: {b: 1, c: {d: 2}\n  e: {f: 3}\n", "2:6: this { is not closed: write } before line 3"),
        ("s:\n  a: {b: 1, c: {d: 2}\n  e:\n    f: 3\n", "2:6: this { is not closed: write } before line 3"),
        ("s:\n  a: {b: 1, c: [d]\n  # A comment.\n\n  e: {f: 3}\n", "2:6: this { is not closed: write } before line 5"),
        ("s:\n  a: {b: 1, c: {d: 2}\nt:\n  - e\n", "2:6: this { is not closed: write } before line 3"),
        ("s:\n  a:\n    {b: 1, c: {d: 2}\n  e: f\n", "3:5: this { is not closed: write } before line 4"),
        ("s:\n  - {b: 1, c: {d: 2}\n  - {e: f}\n", "2:5: this { is not closed: write } before line 3"),
        ("s: {b: 1,\n  c: {d: 2}\n  e: f}\n", "3:3: between { and } a comma stands before the next one"),
        ("s: {b: 1,\n  c: d\n  e: f}\n", "3:3: between { and } a comma stands before the next one"),
        ("s: {b: 1, c: [d, e}\n", "1:19: the [ before this is not closed: write ] before this }"),
        ("a: {b: 1,\n", "2:1: a brace or bracket is opened and not closed before this"),
        ("a: {b: 1}}\nd: 3\n", "1:10: one } too many: nothing is open any more"),
        ("nb: {reason} Kommunen\n", "1:14: a text that begins with { is written in quotes, all of it"),
        ("test: [x] = 1\n", "1:11: a text that begins with [ is written in quotes, all of it"),
        ("a: {b: 1 c: 2}\n", "1:11: between { and } a comma stands before the next key"),
        ("set: {/*[local-name()='m']/b: x}\n", "1:7: a text with [ is written in quotes: \"/*[local-name()='m']/b\""),
        ("s: {sum: /m/rad[2]/sum, b: c}\n", '1:10: a text with [ is written in quotes: "/m/rad[2]/sum"'),
        ("s: [/m/rad[1]/b, c]\n", '1:5: a text with [ is written in quotes: "/m/rad[1]/b"'),
        ("s: {nb: Hei {navn}, nn: x}\n", '1:9: a text with { is written in quotes: "Hei {navn}"'),
        ("s: {at: [x]/c}\n", "1:12: a text with brackets or braces is written in quotes, all of it"),
        ("s: {b: [x] c: 1}\n", "1:12: between { and } a comma stands before the next one"),
        ("f:\n  -{type: Main, id: 1}\n", "2:3: after a dash comes a blank: write '- {type: Main, id: 1}'"),
        ("f:\n  - {a: 1}\n  -{type: a}\n", "3:3: after a dash comes a blank: write '- {type: a}'"),
        ("a: {nb: Gebyr: 5}\n", "1:14: between { and } a comma stands before the next key, and a text with a colon is"),
        ('a: "b\nc: d\n', "1:4: this quote is not closed: end the text with the same quote"),
        ('a: "b" c\n', "1:8: the text goes on after its closing quote"),
        ('a: "\\d"\n', "1:5: in double quotes a backslash has a meaning of its own: use single quotes"),
        ("s: {a: @write, b: 3, c: false}\n", '1:8: a text that begins with @ is written in quotes: "@write"'),
        ("s: {a: 1, b: @write}\n", '1:14: a text that begins with @ is written in quotes: "@write"'),
        ("s: {a: [@write, b]}\n", '1:9: a text that begins with @ is written in quotes: "@write"'),
        ("s: {a: *[b(c, d)], b: 3}\n", '1:8: a text that begins with * is written in quotes: "*[b(c, d)]"'),
        ("s: @a, b  # And so on.\n", '1:4: a text that begins with @ is written in quotes: "@a, b"'),
        ("at: @dato\n", '1:5: a text that begins with @ is written in quotes: "@dato"'),
        ("at: *[local-name()='a']\n", "1:5: a text that begins with * is written in quotes: \"*[local-name()='a']\""),
        ("a: |x\n", "1:5: after | or > the text begins on the next line, indented"),
        ("a: 1\nb: æ\x07\n", "2:5: a control character stands here, which YAML does not allow"),
        ("- x\n", "1:1: it begins with keys"),
        ("s:\n  send:\n    requires:write\n    level: 3\n", "3:5: after a colon comes a blank: write requires: write"),
        (
            "s:\n  requires = write\n  level: 3\n",
            "2:3: a key is written with a colon and a blank after it: requires: w",
        ),
        ("s:\n  send\n    level: 3\n", "2:3: a key is written with a colon and a blank after it: send: …"),
        ("s:\n  send\n  level: 3\n", "2:3: a key is written with a colon and a blank after it: send: …"),
        ("s:urn:a\nb: 1\n", "1:1: after a colon comes a blank: write s: urn:a"),
        ("s:urn:a\n# A comment.\nb: 1\n", "1:1: after a colon comes a blank: write s: urn:a"),
        ("s:\n  b:1\n  # A comment.\n  c: 1\n", "2:3: after a colon comes a blank: write b: 1"),
        ("f:\n  - type:Main\n    id: 1\n", "2:3: after a colon comes a blank: write type: Main"),
        ("s:\n  send: # What it is.\n    b:1\n    c: 1\n", "3:5: after a colon comes a blank: write b: 1"),
        ("s:\n  send # What it is.\n    b: 1\n", "2:3: a key is written with a colon and a blank after it"),
        ("s:\n  - b = 1\n    c: 1\n", "2:3: a key is written with a colon and a blank after it: b: 1"),
        ("s:\n  - b:\xa01\n    c: 1\n", "2:3: after a colon comes an ordinary blank"),
        (
            "s:\n  - b: 1\n      c: 1\n",
            "3:8: this line is indented below one that has its value already: begin it in column 5",
        ),
        ("s:\n  nb: one\n    two\n    c: 1\n", "4:6: this line is indented below one that has its value already"),
        ("s:\n  b:\xa01\n  c: 1\n", "2:3: after a colon comes an ordinary blank, not such a one: write b: 1"),
        ("s:\n\xa0\xa0b: 1\n", "2:1: a blank that is no ordinary one stands here: indent with ordinary blanks"),
        ("s:\n  a: 1\n  \xa0b: 1\n", "3:3: a blank that is no ordinary one stands here"),
        ("s:\n  \xa0b: 1\n  c: 1\n", "2:3: a blank that is no ordinary one stands here"),
        ('f:\n  - {a: "4101, b: "42001", c: 1}\n', "2:9: this quote is not closed: end the text with the same quote"),
        ("f:\n  - {a: '4101, b: '42001', c: 1}\n", "2:9: this quote is not closed: end the text with the same quote"),
        ('f:\n  a: "4101\n  b: "42001"\n', "2:6: this quote is not closed: end the text with the same quote"),
        ('f: {a: ["x], b: ["y"]}\n', "1:9: this quote is not closed: end the text with the same quote"),
        ('f:\n  - "x\n  - "y"\n', "2:5: this quote is not closed: end the text with the same quote"),
        ('f: {a: "x, y" b: 1}\n', "1:15: between { and } a comma stands before the next one"),
    ],
)
def test_it_says_what_to_write(tmp_path: Path, text: str, expected: str):
    """Indentation, tabs, colons, braces and quotes, with line and column."""
    (fault,) = told(tmp_path, text)

    assert fault.startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f:\n  -{type: Main}\n", "2:3: after a dash comes a blank: write '- {type: …'"),
        ("f:\n  -type: Main\n", "2:3: after a dash comes a blank: write '- type: …'"),
    ],
)
def test_a_key_that_begins_with_a_dash_is_an_item_without_its_blank(tmp_path: Path, text: str, expected: str):
    """YAML takes the dash as the key's first letter."""
    document = Document(path=tmp_path / "m.yaml")
    document.path.write_text(text)

    read_yaml(document, begins="it begins with keys")

    assert [str(each).removeprefix(f"{document.path}:") for each in document.faults] == [expected]


def test_other_encodings_are_told_with_their_place(tmp_path: Path):
    """The line of the first letter that is not UTF-8."""
    (fault,) = told(tmp_path, "a: 1\nnb: Søknad\n".encode("latin-1"))  # type: ignore[arg-type]

    assert fault == "2:6: these bytes are not UTF-8: save the file as UTF-8"


@pytest.mark.parametrize(
    "text",
    ["a: {b: 1 c: 2}\n", "a: &b 1\n", "?\n", "a: !x y\n", "a:\n  - b\n c\n", "'a\n", "{a: b", "a: b: c: d", "\t"],
)
def test_no_fault_is_a_traceback(tmp_path: Path, text: str):
    """Whatever is wrong, somebody reads a line with a place."""
    document = Document(path=tmp_path / "m.yaml")
    document.path.write_text(text)

    read_yaml(document, begins="it begins with keys")

    assert all(":" in each.where for each in document.faults)


def test_the_line_that_is_wrong_is_the_one_that_is_told(tmp_path: Path):
    """Each key of a shipped mapping in turn: without its blank or colon, with another sign, oddly indented."""
    path = mappings_folder() / "serveringsbevilling.yaml"
    lines = path.read_text("utf-8").splitlines()
    wrong = []
    for number, line in enumerate(lines):
        for spoiled in spoil(line):
            document = Document(path=tmp_path / "m.yaml")
            document.path.write_text("\n".join((*lines[:number], spoiled, *lines[number + 1 :])), "utf-8")
            read_yaml(document, begins="it begins with keys")
            if {line_and_column(each)[0] for each in document.faults} != {number + 1}:
                wrong.append((spoiled, [str(each) for each in document.faults]))

    assert wrong == []


def spoil(line: str) -> Iterator[str]:
    found = re.match(r"(\s*(?:- )?)([\w-]+):(?: (.*))?$", line)
    if found is None:
        return
    start, key, value = found.groups()
    yield from (f"{start}{key}{sign}{value}" for sign in (":", " = ", ":\xa0") if value)
    if not value:
        yield f"{start}{key}"
    if start:
        yield "\xa0" * len(start) + line[len(start) :]
