"""What readers paste from documents: nothing of it surprises the folder that they stand in."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("", "sh", "bash", "shell")
STARTS = re.compile(r"(altinn-bridge|curl|python3|\.ci/\w+|\(|\w+=\$\(mktemp -d\)|cat) ?")
WRITES = re.compile(r"(?<![0-9&<>-])>>? *(?![/&])|\bmkdir\b|--(?:into|html|results)\b")
FILE = re.compile(r"(?<![\w./$\"'{<>-])(?!https?:)([\w-][\w./-]*(?:\.(?:xml|json|ya?ml|xsd|pdf|sqlite)|/))(?=[\s;)]|$)")


def snippets() -> Iterator[tuple[str, str, str]]:
    """Page, block and the words before it, for each shell block; the marked scripts are run as a whole elsewhere."""
    for page in PAGES:
        text = re.sub(r"<!-- example -->.*?<!-- /example -->", "", page.read_text("utf-8"), flags=re.DOTALL)
        end = 0
        for found in BLOCK.finditer(text):
            if found[1] in SHELL:
                yield page.name, found[2], text[end : found.start()]
            end = found.end()


def test_shell_blocks_are_commands() -> None:
    """What a program prints has a language of its own, so that nobody pastes it, and no check passes it over."""
    odd = [(page, block.split("\n")[0]) for page, block, _ in snippets() if not STARTS.match(block)]

    assert odd == []


def test_snippets_name_what_they_need_and_write_nothing_where_the_reader_stands() -> None:
    """
    A block that writes does so in a folder that it makes, or into a file that was named.

    A file that it reads and does not make stands in backticks in the words before it.
    """
    faults = []
    for page, block, before in snippets():
        alone = "mktemp -d" in block
        commands = re.sub(r"'[^']*'", "''", block)
        named = set(re.findall(r"`([^`\n]+)`", before))
        if not alone and WRITES.search(commands) and not named & set(FILE.findall(commands)):
            faults.append(f"{page}: writes where the reader stands: {block.splitlines()[0]}")
        faults += [
            f"{page}: does not name {file}" for file in FILE.findall(commands) if not alone and file not in named
        ]

    assert faults == []
