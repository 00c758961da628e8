"""A PDF of any size that every reader opens."""

from collections.abc import Iterator, Sequence

_PIECE = b" " * 65_536


def pdf(lines: Sequence[str], padding: int = 0) -> tuple[int, Iterator[bytes]]:
    """
    Make one page with *lines* on it, and give its length and its bytes.

    What is outside Latin-1 becomes a question mark, as in Altinn 2. With *padding* there is one stream more, of so many
    bytes that no page shows, made while they are read.
    """
    shown = b" T* ".join(b"(" + _escaped(line) + b") Tj" for line in lines)
    text = b"BT /F1 12 Tf 14 TL 50 780 Td " + shown + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    document, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(document))
        document += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    end = b""
    if padding:
        places.append(len(document))
        document += b"%d 0 obj\n<< /Length %d >>\nstream\n" % (len(places), padding)
        end = b"\nendstream\nendobj\n"
    table = len(document) + padding + len(end)
    end += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    end += b"".join(b"%010d 00000 n \n" % place for place in places)
    end += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, table)
    return len(document) + padding + len(end), _written(bytes(document), padding, end)


def _written(document: bytes, padding: int, end: bytes) -> Iterator[bytes]:
    yield document
    while padding:
        piece = _PIECE[:padding]
        padding -= len(piece)
        yield piece
    yield end


def _escaped(line: str) -> bytes:
    data = line.encode("latin-1", "replace")
    return data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
