"""Large contents on their way: whole, equal, and cut when they are not."""

import base64
import io
import json
import resource
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.adapters.altinn2.messages import put_body
from bridge.adapters.altinn2.orders import ElementKey, PutMessage
from bridge.adapters.altinn2.streams import IN_MEMORY, PIECE, Body, Interrupted, Spool, Watched, pieces_of
from bridge.core.elements import Attachment, Content, Form, InMemory
from bridge.core.errors import NoRoom
from bridge.core.mapping import AfterUpdate, FormKind
from bridge.core.problems import Refusal
from bridge.web.base64_json import Scanner
from tests.effort import growth

FORM = Form(kind=FormKind.MAIN, data_format_id="1", data_format_version="2", data='<a b="å">"\\</a>')


def spooled(*pieces: bytes) -> Content:
    spool = Spool()
    for piece in pieces:
        spool.write(piece)
    return spool.content()


def reader(data: bytes, step: int) -> Callable[[int], bytes]:
    source = io.BytesIO(data)
    return lambda size: source.read(min(size, step))


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY + 7])
def test_what_is_spooled_comes_back(size: int) -> None:
    """In memory or on disk, it is the same content, and readers do not disturb each other."""
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]

    content = spooled(data[: size // 2], data[size // 2 :])

    first, second = content.open(), content.open()
    assert (content, content.size) == (InMemory(data), size)
    assert first.read(10) == second.read(10)
    assert b"".join(pieces_of(content)) == data


@pytest.mark.parametrize(
    ("limit", "code", "next_step"),
    [(resource.RLIMIT_NOFILE, "EMFILE", "raise its hard limit"), (resource.RLIMIT_FSIZE, "EFBIG", "raise the process")],
    ids=["files", "bytes"],
)
def test_whoever_has_no_room_is_told_what_to_raise(limit: int, code: str, next_step: str) -> None:
    """Where it is a limit that is reached, room on the disk would help nobody."""
    spooled(bytes(IN_MEMORY + 1))
    before = resource.getrlimit(limit)

    resource.setrlimit(limit, (0, before[1]))
    try:
        with pytest.raises(NoRoom) as told:
            spooled(bytes(IN_MEMORY + 1))
    finally:
        resource.setrlimit(limit, before)

    assert f"({code})" in told.value.detail
    assert next_step in told.value.detail
    assert "folder" not in told.value.detail


@given(contents=st.lists(st.binary(max_size=40), max_size=4), piece=st.integers(min_value=1, max_value=64))
def test_a_body_is_as_long_as_it_says(contents: list[bytes], piece: int) -> None:
    """However it is read, a PUT's body has the length that was announced, and is the JSON that was meant."""
    attachments = tuple(
        Attachment(attachment_type="Plan", file_name=f"{at} æ\"'.pdf", size=len(data), content=InMemory(data))
        for at, data in enumerate(contents)
    )
    order = PutMessage(
        key=ElementKey(who="my", message_id="a1"),
        service_code="1",
        service_edition=1,
        forms=(FORM,),
        attachments=attachments,
        after=AfterUpdate.KEEP_AS_DRAFT,
    )

    body = put_body(order)
    sent = b"".join(iter(lambda: body.read(piece), b""))

    assert len(body) == len(sent) == body.tell()
    message = json.loads(sent)["_embedded"]
    assert [each["FormData"] for each in message["forms"]] == [FORM.data]
    assert [base64.b64decode(each["Data"]) for each in message["attachments"]] == contents


def test_large_base64_is_that_of_the_whole() -> None:
    """Pieces meet without a seam."""
    data = bytes(range(256)) * (2 * PIECE // 256 + 1)
    attachment = Attachment(attachment_type="P", file_name="a", size=len(data), content=spooled(data))
    order = PutMessage(
        key=ElementKey(who="my", message_id="a1"),
        service_code="1",
        service_edition=1,
        forms=(FORM,),
        attachments=(attachment,),
        after=AfterUpdate.KEEP_AS_DRAFT,
    )

    sent = put_body(order).read()

    assert base64.b64decode(json.loads(sent)["_embedded"]["attachments"][0]["Data"]) == data


@pytest.mark.parametrize("pieces", [[b"ab"], [b"ab", b"cde"]], ids=["short", "long"])
def test_a_body_of_another_length_is_cut(pieces: list[bytes]) -> None:
    """The call ends before anything can be taken for whole."""
    with pytest.raises(Interrupted):
        Body(pieces, 4).read()


def test_a_sender_that_stops_is_noticed() -> None:
    """Half of what was announced is nothing; its digest is not told."""
    watched = Watched(reader(b"half", 3), 8)

    with pytest.raises(Interrupted):
        list(watched.pieces())

    assert watched.sha256 is None


def body_of(data: bytes, *, slash: bool) -> bytes:
    coded = base64.b64encode(data).decode()
    coded = coded.replace("/", "\\/") if slash else coded
    return f'{{"FileName": "a \\"Data\\": æ.pdf", "AttachmentType": "Plan" , "Data" : "{coded}" }}'.encode()


@given(data=st.binary(min_size=1, max_size=200), step=st.integers(min_value=1, max_value=50), slash=st.booleans())
def test_base64_in_json_is_read_as_json_reads_it(data: bytes, step: int, slash: bool) -> None:
    """Wherever the pieces end, in an escape or in a group of four."""
    scanner = Scanner(reader(body_of(data, slash=slash), step))

    head = scanner.until_data()
    found = b"".join(iter(lambda: scanner.data(7), b""))

    assert (head.file_name, head.attachment_type) == ('a "Data": æ.pdf', "Plan")
    assert found == data


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"FileName": "a"}', id="no data"),
        pytest.param(b'{"Data": "QUJD", "FileName": "a"}', id="data first"),
        pytest.param(b'{"Data": "QUJD"', id="no end"),
        pytest.param(b'{"Data": "QUJD', id="data without end"),
        pytest.param(b'{"Data": ""}', id="empty data"),
        pytest.param(b'{"data": "QUJD"}', id="data in small letters"),
        pytest.param(b'{"FileName": "a", "FileName": "b", "Data": "QUJD"}', id="two names"),
        pytest.param(b'{"Data": "QUJ"}', id="a character too few"),
        pytest.param(b'{"Data": "QQ==QQ=="}', id="padding inside"),
        pytest.param(b'{"Data": "QU\\u004aD"}', id="another escape"),
        pytest.param('{"Data": "QUÆD"}'.encode(), id="no base64"),
        pytest.param(b'{"a": {"Data": "QUJD"}}', id="deeper inside"),
        pytest.param(b'{"a": "' + b"a" * 100_000 + b'", "Data": ""}', id="too much before it"),
    ],
)
def test_what_is_no_attachment_is_refused(body: bytes) -> None:
    """Refused, never taken in part."""
    scanner = Scanner(io.BytesIO(body).read)

    with pytest.raises(Refusal):
        scanner.until_data()
        while scanner.data(100):
            continue


HEADS = {
    "an endless string of escapes": lambda size: b'{"' + b'\\"' * size + b'"',
    "many quotes": lambda size: b'{"a": ["' + b'","' * size,
    "many that look like data": lambda size: b'{"a": [' + b'"data",' * size,
    "blanks before the data": lambda size: b'{"Data"' + b" " * size,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("step", [1, 8192], ids=["dribbled", "at once"])
def test_each_byte_before_the_data_is_looked_at_once(head: Callable[[int], bytes], step: int) -> None:
    """Sixteen times as much to read is sixteen times the work, also where it comes byte by byte."""

    def read(size: int) -> None:
        with pytest.raises(Refusal):
            Scanner(reader(head(size), step)).until_data()

    assert growth(read, 250) < 80


@pytest.mark.parametrize("step", [1, 2, 3, 8192])
def test_slashes_may_come_apart_anywhere(step: int) -> None:
    """An escape whose two characters come in two pieces is one slash, however many there are."""
    data = b"\xff" * 300

    scanner = Scanner(reader(body_of(data, slash=True), step))

    scanner.until_data()
    assert b"".join(iter(lambda: scanner.data(1), b"")) == data


@pytest.mark.parametrize("blanks", [10, 100_000])
def test_what_follows_the_data_is_bounded(blanks: int) -> None:
    """Blanks may follow the end of the object, and not without end."""
    scanner = Scanner(io.BytesIO(b'{"Data": "QUJD" }' + b" " * blanks).read)
    scanner.until_data()

    if blanks < 1000:
        assert b"".join(iter(lambda: scanner.data(9), b"")) == b"ABC"
    else:
        with pytest.raises(Refusal):
            scanner.data(9)
