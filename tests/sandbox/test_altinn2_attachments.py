"""Altinn 2's attachments: both ways in, the way out, what is refused, and what it costs."""

import base64
import hashlib
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bridge.sandbox.altinn2.blobs import Base64Sink, BlobWriter, NotBase64
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.server import Sandbox
from bridge.sandbox.world import World
from tests.sandbox.support import (
    HAL,
    Clock,
    as_altinn2_user,
    main_form,
    make_world,
    message,
    owner_token,
    seeded,
    session_into,
)

API = f"{BASE_URL}/altinn2/api"
OCTETS = {"Content-Type": "application/octet-stream"}
RULES = {
    "attachment_rules": [{"name": "Plan", "file_types": "*.pdf, txt", "min_count": 1, "max_count": 2, "max_size": 1}]
}
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="xs:integer"/></xs:schema>"""


def attachments_url(element: str) -> str:
    return f"{API}/my/messages/{element}/attachments"


def streamed(world: World, element: str, content: Any = b"Hei", **query: str) -> requests.Response:
    params = {"fileName": "plan.pdf", "attachmentType": "Plan", **query}
    address = f"{attachments_url(element)}/streamedattachment"
    return as_altinn2_user(world).post(address, data=content, params=params, headers=OCTETS)


def posted(world: World, element: str, data: str = "SGVp", **members: str) -> requests.Response:
    body = {"FileName": "plan.pdf", "AttachmentType": "Plan", "Data": data, **members}
    return as_altinn2_user(world).post(attachments_url(element), data=json.dumps(body), headers=HAL)


def listed(world: World, element: str) -> list[Any]:
    found: list[Any] = as_altinn2_user(world).get(attachments_url(element)).json()["_embedded"]["attachments"]
    return found


@pytest.mark.parametrize("way", ["base64", "streamed", "chunked"])
def test_an_attachment_comes_back_as_it_was(way: str) -> None:
    """201, an address with the id, and under it the same bytes; the ledger has digest and size, not the name."""
    world = make_world()
    element = seeded(world)
    content = bytes(range(256))

    match way:
        case "base64":
            answer = posted(world, element, base64.b64encode(content).decode())
        case "streamed":
            answer = streamed(world, element, content)
        case _:
            answer = streamed(world, element, iter([content[:100], content[100:]]))

    effect = world.ledger.effects("altinn2.attachment")[0].facts
    assert answer.status_code == 201
    assert as_altinn2_user(world).get(answer.headers["Location"]).content == content
    assert answer.headers["Location"].endswith(f"/{effect['id']}")
    assert (effect["sha256"], effect["size"]) == (hashlib.sha256(content).hexdigest(), 256)
    assert "plan" not in str(effect).lower().replace("'attachment_type': 'plan'", "")


@pytest.mark.parametrize("name", ["Søknad øst.pdf", 'a"b.pdf', "a+b.pdf", "😀.pdf", "a&b=c.pdf", f"{'x' * 251}.pdf"])
def test_file_names_survive_the_query(name: str) -> None:
    """Letters, quotes, plus, emoji and 255 characters come back as they were sent."""
    world = make_world()
    element = seeded(world)

    answer = streamed(world, element, fileName=name)

    assert answer.status_code == 201
    assert [each["FileName"] for each in listed(world, element)] == [name]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "missing"),
        ("plan", "extension"),
        (".pdf", "extension"),
        ("plan.", "extension"),
        ("c:plan.pdf", "not allowed"),
        ("a\\b.pdf", "not allowed"),
        ("a\nb.pdf", "not allowed"),
        (f"{'x' * 4092}.pdf", "too long"),
    ],
    ids=["empty", "no extension", "no stem", "dot at the end", "colon", "backslash", "newline", "4096 characters"],
)
def test_file_names_outside_the_rules_are_refused(name: str, words: str) -> None:
    """400 with the rule in the reason phrase, on both ways, and nothing is kept."""
    world = make_world()
    element = seeded(world)

    answers = [streamed(world, element, fileName=name)]
    if name:
        answers.append(posted(world, element, FileName=name))

    assert {answer.status_code for answer in answers} == {400}
    assert all(words in answer.reason for answer in answers)
    assert listed(world, element) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"attachmentType": "Annet"}, "attachment types"),
        ({"attachmentType": "xmlting"}, "valid name"),
        ({"attachmentType": "Æ"}, "valid name"),
        ({"fileName": "plan.pd"}, "file type"),
        ({"fileName": "plan.docx"}, "file type"),
    ],
)
def test_types_outside_the_rules_are_refused(query: dict[str, str], words: str) -> None:
    """A functional type that the service has not, or an extension that the type has not."""
    world = make_world()
    element = seeded(world, service=RULES)

    answer = streamed(world, element, **query)

    assert answer.status_code == 400
    assert words in answer.reason


@pytest.mark.parametrize("allowed", ["*.pdf, *.txt", ".PDF", "doc, pdf", "*.*", "", "*"])
def test_allowed_file_types_are_free_text(allowed: str) -> None:
    """Every way to write them that was seen means the same; a type's case does not count."""
    world = make_world()
    element = seeded(world, service={"attachment_rules": [{"name": "PLAN", "file_types": allowed}]})

    answer = streamed(world, element)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("service", "switches", "size", "status"),
    [
        (RULES, {}, 1_000_000, 201),
        (RULES, {}, 1_000_001, 400),
        (RULES, {"megabyte": "binary"}, 1_048_576, 201),
        ({}, {"streamed_limit_mb": 1}, 1_000_001, 400),
        ({}, {"streamed_limit_mb": 2, "attachment_cap_mb": 1}, 1_000_001, 413),
    ],
)
def test_sizes_have_bounds(service: Any, switches: Any, size: int, status: int) -> None:
    """The rule's, the one without a rule, and the one of the transport."""
    world = make_world(**switches)
    element = seeded(world, service=service)

    answer = streamed(world, element, bytes(size))

    assert answer.status_code == status
    assert len(listed(world, element)) == (status == 201)


def test_a_json_body_has_a_bound() -> None:
    """One megabyte by switch: what is larger is 413, and nothing is kept."""
    world = make_world(message_limit_mb=1)
    element = seeded(world)

    answer = posted(world, element, "A" * 1_000_000)

    assert (answer.status_code, answer.reason) == (413, "Maximum request length exceeded")


def test_counts_are_held_at_completion() -> None:
    """Too few and too many come up when the element is completed, in validate as well, not before."""
    world = make_world()
    element = seeded(world, service=RULES)
    session = as_altinn2_user(world)
    address = f"{API}/my/messages/{element}"

    few = session.get(f"{address}/validate").json()["ValidationErrors"]
    refused = session.put(address, json=message(main_form()), headers=HAL)
    uploads = [streamed(world, element).status_code for _ in range(3)]
    many = session.get(f"{address}/validate").json()["ValidationErrors"]

    assert [each["ErrorMessage"] for each in few] == ["There must be at least 1 attachments of type Plan"]
    assert refused.status_code == 400
    assert uploads == [201, 201, 201]
    assert [each["ErrorMessage"] for each in many] == ["There must be at most 2 attachments of type Plan"]


def test_counts_may_be_held_at_upload() -> None:
    """By switch the third of two is refused as it comes."""
    world = make_world(attachment_count_check="upload")
    element = seeded(world, service=RULES)

    assert [streamed(world, element).status_code for _ in range(3)] == [201, 201, 400]


def test_xml_attachments_keep_to_their_schema() -> None:
    """Only files that end in .xml are looked into."""
    world = make_world()
    element = seeded(world, service={"attachment_rules": [{"name": "Plan", "schema": XSD}]})

    statuses = [
        streamed(world, element, content, fileName=name).status_code
        for content, name in [(b"<a>1</a>", "a.xml"), (b"<a>x</a>", "a.xml"), (b"<a>", "a.xml"), (b"<a>", "a.txt")]
    ]

    assert statuses == [201, 400, 400, 201]


def test_a_deleted_attachment_is_gone() -> None:
    """204 once, then 404; the ledger names the id."""
    world = make_world()
    element = seeded(world)
    address = streamed(world, element).headers["Location"]
    session = as_altinn2_user(world)

    statuses = [session.delete(address).status_code, session.delete(address).status_code]

    assert statuses == [204, 404]
    assert listed(world, element) == []
    assert len(world.ledger.effects("altinn2.attachment_delete")) == 1


def test_attachments_are_not_replaced() -> None:
    """There is no PUT on an attachment."""
    world = make_world()
    element = seeded(world)
    address = streamed(world, element).headers["Location"]

    assert as_altinn2_user(world).put(address, data=b"x", headers=OCTETS).status_code == 405


@pytest.mark.parametrize(("service", "status"), [({}, 400), ({"attachments_in_signing": True}, 201)])
def test_signing_takes_attachments_only_if_the_service_does(service: Any, status: int) -> None:
    """A setting of the service, off by default."""
    world = make_world()
    element = seeded(world, service={"signing_steps": 1, **service}, state="signing")

    assert streamed(world, element).status_code == status


def test_a_repeated_upload_is_a_second_attachment() -> None:
    """Altinn 2 knows no idempotency: who repeats without looking has two."""
    world = make_world()
    element = seeded(world)

    streamed(world, element)
    streamed(world, element)

    assert len(listed(world, element)) == 2


def test_nothing_is_kept_of_a_body_that_breaks_off() -> None:
    """A client that leaves in the middle leaves no attachment behind, whether its length was known or not."""
    world = World(Clock(), 7)
    with Sandbox(world) as sandbox:
        element = seeded(world)
        headers = {
            **OCTETS,
            "ApiKey": world.altinn2_api_key,
            "Authorization": f"Bearer {owner_token(world, base=sandbox.base_url)}",
        }
        address = f"{sandbox.base_url}/altinn2/api/my/messages/{element}/attachments"

        def broken() -> Iterator[bytes]:
            yield b"x" * 1000
            raise KeyboardInterrupt

        with requests.Session() as session:
            session.trust_env = False
            for more in ({}, {"Content-Length": "2000"}):
                with pytest.raises(KeyboardInterrupt):
                    session.post(
                        f"{address}/streamedattachment?fileName=a.pdf&attachmentType=A",
                        data=broken(),
                        headers={**headers, **more},
                    )
        left = requests.get(address, headers=headers).json()["_embedded"]["attachments"]

    assert left == []
    assert world.ledger.effects("altinn2.attachment") == ()


@pytest.mark.parametrize("way", ["streamed", "base64", "message"])
def test_size_costs_no_memory(way: str) -> None:
    """Forty megabytes go in and out while less than twelve are held, on every way."""
    world = make_world(message_limit_mb=60)
    element = seeded(world, service={"attachment_rules": [{"name": "Plan", "max_size": 50}]})
    session = as_altinn2_user(world)
    piece, count = bytes(range(256)) * 1170, 134

    def body() -> Iterator[bytes]:
        if way == "streamed":
            yield from (piece for _ in range(count))
            return
        head = json.dumps({"FileName": "a.pdf", "AttachmentType": "Plan", "Data": ""}).removesuffix('"}')
        form = json.dumps(main_form())
        start = '{"Type":"FormTask","ServiceCode":"4711","ServiceEdition":1,"_embedded":{"forms":[%s],"attachments":['
        yield (start % form + head if way == "message" else head).encode()
        yield from (base64.b64encode(piece) for _ in range(count))
        yield b'"}]}}' if way == "message" else b'"}'

    tracemalloc.start()
    if way == "streamed":
        params = {"fileName": "a.pdf", "attachmentType": "Plan"}
        address = f"{attachments_url(element)}/streamedattachment"
        status = session.post(address, data=body(), params=params, headers=OCTETS).status_code
    elif way == "base64":
        status = session.post(attachments_url(element), data=body(), headers=HAL).status_code
    else:
        params = {"complete": "false", "sign": "false"}
        status = session.put(f"{API}/my/messages/{element}", data=body(), params=params, headers=HAL).status_code
    digest = hashlib.sha256()
    for part in session.get(listed(world, element)[0]["AttachmentLink"], stream=True).iter_content(100_000):
        digest.update(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert status in (201, 204)
    assert digest.hexdigest() == hashlib.sha256(piece * count).hexdigest()
    assert peak < 12_000_000


def test_base64_is_read_however_it_is_cut() -> None:
    """Pieces of every length give the same bytes, JSON's escapes included."""
    content = bytes(range(256)) * 3
    plain = base64.b64encode(content)
    escaped = plain.replace(b"/", b"\\/").replace(b"+", b"\\u002B")

    found = set()
    for text in (plain, escaped):
        for length in range(1, 12):
            sink = Base64Sink()
            for place in range(0, len(text), length):
                sink.feed(text[place : place + length])
            found.add(bytes(sink.blob()))

    assert found == {content}


@pytest.mark.parametrize("text", ["A", "AA=", "AAAA=AAA", "AA==AAAA", "A*AA", "æøåæ"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    """Wrong letters, padding in the middle, and a length that cannot be: 400 and nothing kept."""
    world = make_world()
    element = seeded(world)

    answer = posted(world, element, text)
    sink = Base64Sink()
    for each in text.encode():
        sink.feed(bytes([each]))

    assert answer.status_code == 400
    with pytest.raises(NotBase64):
        sink.blob()


def test_a_blob_is_whole_at_every_size() -> None:
    """In memory and in a file, at the border as well."""
    for size in (0, 1, 999_999, 1_000_000, 1_000_001, 2_500_000):
        writer = BlobWriter()
        for _ in range(0, size, 300_000):
            writer.write(b"")
        writer.write(b"x" * (size // 2))
        writer.write(b"y" * (size - size // 2))

        blob = writer.blob()

        assert (len(blob), bytes(blob)) == (size, b"x" * (size // 2) + b"y" * (size - size // 2))
        assert blob.sha256 == hashlib.sha256(bytes(blob)).hexdigest()


def test_a_key_with_escapes_is_still_data() -> None:
    """JSON lets a key be written with escapes; so spelled it is read all the same."""
    world = make_world()
    element = seeded(world)
    body = b'{"FileName":"a \\"Data\\" b.pdf","AttachmentType":"Data","D\\u0061ta" : "SGVp"}'

    answer = as_altinn2_user(world).post(attachments_url(element), data=body, headers=HAL)

    assert answer.status_code == 201
    assert as_altinn2_user(world).get(answer.headers["Location"]).content == b"Hei"


def test_a_broken_connection_after_the_commit_leaves_the_effect() -> None:
    """The server commits, the client sees a broken connection: on every write, never on a read."""
    world = make_world(drop_connection_after_commit=True)
    element = seeded(world)

    with pytest.raises(requests.ConnectionError):
        streamed(world, element)

    assert len(listed(world, element)) == 1


def test_two_writes_at_once_collide_by_switch() -> None:
    """With lock=409 a write that begins while another one is under way is refused; reading goes on."""
    world = make_world(lock="409")
    element = seeded(world)
    inner: list[int] = []

    def body() -> Iterator[bytes]:
        yield b"x"
        inner.append(streamed(world, element).status_code)
        inner.append(session_into(world).get(f"{BASE_URL}/_sandbox/ledger").status_code)

    outer = streamed(world, element, body())

    assert (inner, outer.status_code) == ([409, 200], 201)


def test_a_scan_may_remove_what_was_taken() -> None:
    """By switch the answer is 201 and the attachment is gone: only looking tells."""
    world = make_world(attachment_scan="removes")
    element = seeded(world)

    answer = streamed(world, element)

    assert (answer.status_code, listed(world, element)) == (201, [])
    kinds = [each.kind for each in world.ledger.effects()]
    assert kinds == ["altinn2.attachment", "altinn2.attachment_delete"]


@pytest.mark.parametrize("status", ["400", "403", "415"])
def test_the_status_of_a_refused_attachment_is_a_switch(status: str) -> None:
    """No source prints it."""
    world = make_world(attachment_refused_status=status)
    element = seeded(world)

    answers = [streamed(world, element, fileName="plan"), posted(world, element, FileName="plan")]

    assert [each.status_code for each in answers] == [int(status)] * 2


def test_half_a_letter_is_no_file_name() -> None:
    """JSON can spell what UTF-8 cannot: refused rather than broken later."""
    world = make_world()
    element = seeded(world)
    body = b'{"FileName":"\\ud83d.pdf","AttachmentType":"Plan","Data":"SGVp"}'

    answer = as_altinn2_user(world).post(attachments_url(element), data=body, headers=HAL)

    assert answer.status_code == 400
    assert listed(world, element) == []
