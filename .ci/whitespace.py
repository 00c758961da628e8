"""Takes blanks off line ends and gives each file one line end at its end; 1 where anything was mended."""

import re
import sys
from pathlib import Path


def mended(content: bytes) -> bytes:
    """The same text without blanks at line ends, and with one line end at its end."""
    content = re.sub(rb"[ \t]+(?=\r?\n|\Z)", b"", content)
    return content.rstrip(b"\r\n") + b"\n" if content.strip() else b""


def main(names: list[str]) -> int:
    changed = [path for path in map(Path, names) if (content := path.read_bytes()) != mended(content)]
    for path in changed:
        path.write_bytes(mended(path.read_bytes()))
        sys.stdout.write(f"{path}: mended\n")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
