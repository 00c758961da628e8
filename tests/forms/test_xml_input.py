"""What is no XML that we take stops before the schema."""

import pytest

from bridge.forms.xml.input import Limits, Unreadable, parse, to_utf8

LIMITS = Limits(max_bytes=100_000, max_markup=20_000)
TEXT = "<a>æøå</a>"


def declared(encoding: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{TEXT}'


@pytest.mark.parametrize(
    "xml",
    [
        TEXT,
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        "\ufeff" + TEXT,
        declared("utf-16"),
        declared("UTF-8").encode(),
        declared("utf-16").encode("utf-16"),
        TEXT.encode("utf-16"),
        declared("ISO-8859-1").encode("latin-1"),
        declared("windows-1252").encode("cp1252"),
    ],
    ids=[
        *("text", "utf-8", "utf-8-mark", "text-mark", "text-that-says-utf-16"),
        *("says-utf-8", "says-utf-16", "utf-16-mark", "latin-1", "windows-1252"),
    ],
)
def test_honest_encodings_are_read(xml: bytes | str):
    """Every letter arrives."""
    root = parse(to_utf8(xml, LIMITS))

    assert root.text == "æøå"


@pytest.mark.parametrize(
    "xml",
    [
        TEXT.encode("latin-1"),
        declared("utf-8").encode("latin-1"),
        declared("ISO-8859-1").encode(),
        declared("ISO-8859-1").encode("utf-8-sig"),
        declared("utf-8").encode("utf-16"),
        declared("utf-16").encode(),
        declared("us-ascii").encode(),
        declared("utf-7").encode(),
        TEXT.encode("utf-32"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16") + b"\x00",
        "<a>\ud800</a>",
    ],
    ids=[
        *("latin-1-untold", "latin-1-as-utf-8", "utf-8-as-latin-1", "mark-against-latin-1", "utf-16-as-utf-8"),
        *("utf-8-as-utf-16", "letters-as-ascii", "utf-7", "utf-32", "utf-16-without-mark", "odd-utf-16", "surrogate"),
    ],
)
def test_lying_encodings_are_refused(xml: bytes | str):
    """A mark, a declaration and the bytes that contradict each other are not guessed at."""
    with pytest.raises(Unreadable) as caught:
        parse(to_utf8(xml, LIMITS))

    assert caught.value.finding.rule in {"encoding", "not_well_formed"}


@pytest.mark.parametrize(
    ("xml", "rule"),
    [
        ("", "empty_document"),
        (b"", "empty_document"),
        (" \n", "empty_document"),
        ("<a>", "not_well_formed"),
        ("<a/><b/>", "not_well_formed"),
        ("<a>&x;</a>", "not_well_formed"),
        ("<p:a/>", "not_well_formed"),
        ("<a>\x00</a>", "not_well_formed"),
        ("<a>" + "x" * 100_000 + "</a>", "too_large"),
        ("æ" * 60_000, "too_large"),
        ("<a>" * 300 + "</a>" * 300, "too_complex"),
        ("<a>" + "<b/>" * 20_000 + "</a>", "too_complex"),
        ("<!DOCTYPE a><a/>", "doctype_refused"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "doctype_refused"),
        ('<?xml version="1.0"?>\n<!-- x --><?p q?>\n<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>', "doctype_refused"),
    ],
)
def test_what_is_no_form_is_refused(xml: bytes | str, rule: str):
    """Each kind has its rule."""
    with pytest.raises(Unreadable) as caught:
        parse(to_utf8(xml, LIMITS))

    assert caught.value.finding.rule == rule


def test_the_place_of_broken_xml_is_told():
    """Line and column, without a word of the form."""
    with pytest.raises(Unreadable) as caught:
        parse(to_utf8("<a>\n <secret>\n</a>", LIMITS))

    assert (caught.value.finding.line, caught.value.finding.column) == (3, 5)
    assert "secret" not in str(caught.value)


def test_a_word_in_a_comment_is_no_doctype():
    """Only a real one is refused."""
    root = parse(to_utf8("<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE a>]]></a>", LIMITS))

    assert root.text == "<!DOCTYPE a>"
