"""Altinn 2: validation, texts, prints, correspondences, the trash bin, filters, and other shapes."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from bridge.sandbox.altinn2.odata import BadQuery, read_query
from bridge.sandbox.altinn2.pdf import pdf as made
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    HAL,
    MAIN_TYPE,
    as_altinn2_user,
    attachment,
    main_form,
    make_world,
    message,
    moved,
    seeded,
    session_into,
)

API = f"{BASE_URL}/altinn2/api/my/messages"
LETTER = {
    "body": "<p>Hei & hå</p>",
    "summary": "Kort",
    "sender": "Sandvika kommune",
    "archive_reference": "b3513210",
    "due": "2026-04-01T12:00:00+00:00",
    "reply_options": [{"Type": "URL", "URL": "https://example.no", "Text": "Svar"}],
    "custom_data": "<x/>",
}


def letter(world: World, **about: Any) -> str:
    more = {name: about.pop(name) for name in ("state", "attachments", "subject") if name in about}
    return seeded(world, forms=[], letter={**LETTER, **about}, service={"code": "2479"}, **more)


def ids(answer: Any) -> list[str]:
    return [each["MessageId"] for each in answer.json()["_embedded"]["messages"]]


@pytest.mark.parametrize("standing", ["signing", "archived"])
def test_only_form_filling_is_validated(standing: str) -> None:
    """A refusal in the reason phrase elsewhere."""
    world = make_world()
    element = seeded(world, state=standing)

    assert as_altinn2_user(world).get(f"{API}/{element}/validate").status_code == 400


@pytest.mark.parametrize(
    ("shape", "kind"), [("json", "application/hal+json"), ("text", "text/plain"), ("html", "text/html")]
)
def test_the_signing_text_is_there_in_signing_only(shape: str, kind: str) -> None:
    """404 before; then the service's text, in the shape of the switch."""
    world = make_world(signingtext_shape=shape)
    service = {"signing_steps": 1, "signing_text": "Jeg går god for alt."}
    filling, signing = seeded(world, service=service), seeded(world, service=service, state="signing")
    session = as_altinn2_user(world)

    before, there = (session.get(f"{API}/{each}/signingtext") for each in (filling, signing))

    assert before.status_code == 404
    assert there.headers["Content-Type"].startswith(kind)
    assert "Jeg går god for alt." in there.content.decode()


def test_print_gives_a_pdf_that_opens() -> None:
    """Of the element, of one form of the set, and of a form; another form is 404."""
    world = make_world()
    element = seeded(world)
    session = as_altinn2_user(world)
    form = session.get(f"{API}/{element}/forms").json()["_embedded"]["forms"][0]["_links"]["self"]["href"]
    one = {"dataFormatId": "9001", "dataFormatVersion": "1"}

    prints = [
        session.get(f"{API}/{element}/print"),
        session.get(f"{API}/{element}/Print", params=one),
        session.get(f"{form}/print"),
    ]

    assert {each.headers["Content-Type"] for each in prints} == {"application/pdf"}
    assert all(each.content.startswith(b"%PDF-1.4") and each.content.endswith(b"%%EOF\n") for each in prints)
    assert session.get(f"{API}/{element}/print", params={"dataFormatId": "1"}).status_code == 404


def test_every_object_of_the_pdf_is_where_the_table_says() -> None:
    """The cross-reference table points at the objects, whatever the text."""
    pdf = b"".join(made(["(a\\b)", "Søknad – 1"])[1])

    table = int(re.findall(rb"startxref\n(\d+)", pdf)[0])
    places = [int(each) for each in re.findall(rb"(\d{10}) 00000 n ", pdf)]

    assert pdf[table:].startswith(b"xref\n")
    assert [pdf[place:].split(b" ")[0] for place in places] == [b"%d" % n for n in range(1, len(places) + 1)]
    assert "(Søknad ? 1)".encode("latin-1") in pdf


@pytest.mark.parametrize(
    ("confirms", "query", "status"),
    [(False, {}, "Lest"), (True, {}, "Åpnet"), (False, {"markAsRead": "false"}, "Ulest")],
)
def test_reading_marks_as_read_unless_told_not_to(confirms: bool, query: dict[str, str], status: str) -> None:
    """The default is true; what must be confirmed is only opened by it."""
    world = make_world()
    element = letter(world, needs_confirmation=confirms)
    session = as_altinn2_user(world)

    session.get(f"{API}/{element}", params=query)

    after = session.get(f"{API}/{element}", params={"markAsRead": "false"}).json()
    assert (after["Status"], after["MarkedUnread"]) == (status, status == "Ulest")
    assert len(world.ledger.effects("altinn2.read")) == (status != "Ulest")


def test_a_correspondence_shows_its_body_when_read_alone() -> None:
    """HTML as it is, the sender, the earlier element, attachments; lists have less."""
    world = make_world()
    element = letter(world, attachments=[attachment()])
    session = as_altinn2_user(world)

    alone = session.get(f"{API}/{element}", params={"markAsRead": "false"}).json()
    listed = session.get(API).json()["_embedded"]["messages"][0]

    assert (alone["Type"], alone["Body"], alone["ArchiveReference"]) == (
        "Correspondence",
        "<p>Hei & hå</p>",
        "AR3513210",
    )
    assert alone["DueDate"] == "2026-04-01T14:00:00"
    assert alone["_links"]["archivereference"]["href"].endswith("/b3513210")
    assert len(alone["_links"]["attachment"]) == 1
    assert "print" not in alone["_links"]
    assert "Body" not in listed
    assert session.get(f"{API}/{element}/custommessagedata").json() == {"CustomMessageData": "<x/>"}


@pytest.mark.parametrize("way", ["confirm", "?confirm=true"])
def test_a_correspondence_is_confirmed_once(way: str) -> None:
    """204 with its own words, then 400; both addresses do the same."""
    world = make_world()
    element = letter(world, needs_confirmation=True)
    session = as_altinn2_user(world)
    address = f"{API}/{element}{way}" if way.startswith("?") else f"{API}/{element}/{way}"

    first, second = session.put(address), session.put(address)

    assert (first.status_code, first.reason, second.status_code) == (204, "Message has been confirmed", 400)
    assert session.get(f"{API}/{element}").json()["Status"] == "Bekreftet"
    assert len(world.ledger.effects("altinn2.confirm")) == 1


def test_a_correspondence_is_archived_under_a_new_id() -> None:
    """204 with its own words and the b-id."""
    world = make_world()
    element = letter(world)
    session = as_altinn2_user(world)

    answer = session.put(f"{API}/{element}/archive")

    found = session.get(answer.headers["Location"]).json()
    assert (answer.status_code, answer.reason) == (204, "Message has been archived")
    assert (found["Status"], found["OriginalId"], found["MessageId"][0]) == ("Arkivert", element, "b")
    assert session.get(f"{API}/{element}").status_code == 404


@pytest.mark.parametrize(("method", "part"), [("put", "archive"), ("put", "confirm"), ("get", "custommessagedata")])
def test_form_tasks_are_no_correspondence(method: str, part: str) -> None:
    """Archive and confirm are refused, and there is nothing beside a form."""
    world = make_world()
    element = seeded(world)

    answer = getattr(as_altinn2_user(world), method)(f"{API}/{element}/{part}")

    assert answer.status_code in (400, 404)
    assert world.ledger.effects() == ()


def test_what_needs_confirmation_is_not_archived() -> None:
    """Refused, whether or not it was confirmed."""
    world = make_world()
    element = letter(world, needs_confirmation=True)

    assert as_altinn2_user(world).put(f"{API}/{element}/archive").status_code == 400


def test_a_correspondence_takes_no_forms() -> None:
    """PUT, POST of forms and of attachments are for form tasks."""
    world = make_world()
    element = letter(world)
    session = as_altinn2_user(world)
    body = {"FileName": "a.pdf", "AttachmentType": "A", "Data": ""}

    answers = [
        session.put(f"{API}/{element}", json=message(main_form()), headers=HAL),
        session.post(f"{API}/{element}/attachments", json=body, headers=HAL),
    ]

    assert [each.status_code for each in answers] == [400, 400]


def test_deleted_elements_are_in_the_trash_bin() -> None:
    """There and nowhere else, with their own status."""
    world = make_world()
    gone, there = letter(world), seeded(world)
    session = as_altinn2_user(world)

    session.delete(f"{API}/{gone}")

    bin_ = session.get(f"{API}/trashbin")
    assert (ids(bin_), ids(session.get(API))) == ([gone], [there])
    assert bin_.json()["_embedded"]["messages"][0]["Status"] == "Slettet"


def test_deletion_may_be_for_good() -> None:
    """By switch nothing is left in the trash bin."""
    world = make_world(delete_for_good=True)
    session = as_altinn2_user(world)

    session.delete(f"{API}/{seeded(world)}")

    assert ids(session.get(f"{API}/trashbin")) == []


FILTERS = [
    ("Status eq 'Utfylling'", ["form"]),
    ("Status ne 'Utfylling'", ["letter"]),
    ("ServiceCode eq '2479' and ServiceEdition eq 1", ["letter"]),
    ("ServiceOwner eq 'Testdepartementet' and (Type eq 'FormTask' or Status eq 'Ulest')", ["letter", "form"]),
    ("substringof('OKN', Subject)", []),
    ("substringof('økn', tolower(Subject))", ["form"]),
    ("startswith(Subject,'Brev') eq true", ["letter"]),
    ("endswith(Subject, '''n''')", ["form"]),
    ("not (Type eq 'FormTask')", ["letter"]),
    ("CreatedDate gt datetime'2026-03-10T12:30:00'", ["letter"]),
    ("CreatedDate lt DateTime'2026-03-10T12:00:01'", ["form"]),
    ("LastChangedDateTime ge datetime'2026-03-10'", ["letter", "form"]),
    ("Summary eq null", ["form"]),
    ("DueDate ne null", ["letter"]),
    ("length(Subject) gt 4", ["form"]),
    ("", ["letter", "form"]),
]


@pytest.mark.parametrize(("text", "wanted"), FILTERS)
def test_lists_are_filtered(text: str, wanted: list[str]) -> None:
    """By localised text, code, edition, dates of Oslo's clock, and their combinations."""
    world = make_world()
    form = seeded(world, subject="SØKNAD 'n'")
    moved(world, seconds=3600)
    names = {form: "form", letter(world, subject="Brev"): "letter"}

    answer = as_altinn2_user(world).get(API, params={"$filter": text})

    assert answer.status_code == 200, answer.reason
    assert [names[each] for each in ids(answer)] == wanted


def test_the_filter_sees_the_language_that_was_asked_for() -> None:
    """English texts for English, Norwegian ones for Norwegian."""
    world = make_world()
    seeded(world)
    session = as_altinn2_user(world)
    english = {"language": "1033", "$filter": "Status eq 'Completion'"}

    found = [session.get(API, params={**english, "language": each}) for each in ("1033", "1044")]

    assert [len(ids(each)) for each in found] == [1, 0]


def test_the_owners_name_is_localised() -> None:
    """ServiceOwner is a text, too, and a filter on it needs the language."""
    world = make_world()
    seeded(world, service={"owner": "Etaten", "owners": {"1033": "The agency"}})
    session = as_altinn2_user(world)
    query = {"$filter": "ServiceOwner eq 'The agency'", "language": "1033"}

    found = [session.get(API, params={**query, "language": each}) for each in ("1033", "1044")]

    assert [len(ids(each)) for each in found] == [1, 0]


TYPE = "Altinn.SBL.AltinnWebAPI.Models.Message"
FAULTS = [
    ({"$filter": "ServiceCode neq 'A'"}, "Syntax error at position 15 in 'ServiceCode neq 'A''"),
    ({"$filter": "Dato eq 1"}, f"Could not find property named 'Dato' on type '{TYPE}'"),
    ({"$orderby": "ValidTil"}, f"Could not find property named 'ValidTil' on type '{TYPE}'"),
    ({"$filter": "ServiceCode eq 5"}, "incompatible types"),
    (
        {"$filter": "ServiceEdition eq '5'"},
        "Found operand types 'Edm.Int32' and 'Edm.String' for operator kind 'Equal'.",
    ),
    ({"$filter": "(Status eq 'A'"}, "Syntax error"),
    ({"$filter": "Status eq"}, "Syntax error"),
    ({"$filter": "Status"}, "single boolean"),
    ({"$filter": "Status eq 'A' § 1"}, "character"),
    ({"$filter": "about(Status)"}, "unknown function"),
    ({"$filter": "tolower(ServiceEdition) eq 'a'"}, "No function signature"),
    ({"$filter": "CreatedDate gt datetime'i går'"}, "Unrecognized"),
    ({"$filter": "Status and Status"}, "operator kind 'And'"),
    ({"$orderby": "Status upwards"}, "Syntax error"),
    ({"$top": "-1"}, "non-negative integer"),
    ({"$skip": "x"}, "Invalid value 'x' for $skip"),
]


@pytest.mark.parametrize(("query", "words"), FAULTS)
def test_wrong_options_are_explained_as_odata_does(query: dict[str, str], words: str) -> None:
    """400, and OData's words are the reason phrase."""
    answer = as_altinn2_user(make_world()).get(API, params=query)

    assert answer.status_code == 400
    assert words in answer.reason


def test_lists_are_ordered_and_paged() -> None:
    """$orderby with a direction, then $skip and $top; 50 at most."""
    world = make_world()
    made = [seeded(world, subject=each) for each in ("b", "c", "a")]
    session = as_altinn2_user(world)

    up = session.get(API, params={"$orderby": "Subject", "$skip": "1", "$top": "1"})
    down = session.get(API, params={"$orderby": "Type asc, Subject desc", "$top": "500"})

    assert ids(up) == [made[0]]
    assert ids(down) == [made[1], made[0], made[2]]


def test_the_databases_limit_comes_before_the_filter() -> None:
    """What changed last is looked at, the rest is not, and a header says so."""
    world = make_world(limit_reached_after=1)
    older = seeded(world)
    moved(world, seconds=60)
    letter(world)
    session = as_altinn2_user(world)

    cut = session.get(API, params={"$filter": "Status eq 'Utfylling'"})
    narrowed = session.get(API, params={"dateTo": "2026-03-10T12:00:30"})

    assert (ids(cut), cut.headers["X-Warning-LimitReached"]) == ([], "true")
    assert (ids(narrowed), "X-Warning-LimitReached" in narrowed.headers) == ([older], False)


def test_a_query_without_options_gives_the_page() -> None:
    """Nothing is filtered, nothing is ordered anew."""
    query = read_query({}, properties={"a": int}, type_name="T", page=2)

    assert query.page([3, 1, 2], lambda each: {"a": each}) == [3, 1]
    with pytest.raises(BadQuery):
        read_query({"$top": "3"}, properties={}, type_name="T", page=2, most=2)


def test_hal_xml_says_the_same_as_hal_json() -> None:
    """Fields are elements, links have their XML names, embedded resources nest."""
    world = make_world()
    element = seeded(world, attachments=[attachment()])
    session = as_altinn2_user(world)
    accept = {"Accept": "application/hal+xml"}

    one = etree.fromstring(session.get(f"{API}/{element}", headers=accept).content)
    many = etree.fromstring(session.get(API, headers=accept).content)
    forms = etree.fromstring(session.get(f"{API}/{element}/forms", headers=accept).content)

    link = one.find("link[@rel='attachment']")
    assert link is not None
    assert (one.get("rel"), one.findtext("MessageId"), one.findtext("ServiceEdition")) == ("message", element, "1")
    assert (link.get("fileNameWithExtension"), link.get("signingLocked")) == ("vedlegg.pdf", "false")
    assert many.findtext("resource[@rel='messages']/resource[@rel='message']/MessageId") == element
    assert forms.findtext("resource/resource/DataFormatId") == "9001"


def test_lists_in_xml_have_items() -> None:
    """Reply options and findings are elements within an element."""
    world = make_world()
    element = letter(world)
    task = seeded(
        world, service={"forms": [{**MAIN_TYPE, "rules": [{"path": "/a", "test": "false()", "message": "Nei"}]}]}
    )
    session = as_altinn2_user(world)
    accept = {"Accept": "application/hal+xml"}

    one = etree.fromstring(session.get(f"{API}/{element}", headers=accept).content)
    found = etree.fromstring(session.get(f"{API}/{task}/validate", headers=accept).content)

    assert one.findtext("ReplyOptions/ReplyOption/Text") == "Svar"
    assert one.findtext("MarkedUnread") == "false"
    assert found.findtext("ValidationErrors/ValidationError/ErrorMessage") == "Nei"


def test_print_may_be_html() -> None:
    """The link says so, with the type that Altinn 2 gave it."""
    world = make_world(print_type="html")
    element = seeded(world)
    session = as_altinn2_user(world)

    link = session.get(f"{API}/{element}").json()["_links"]["print"]

    assert link["mime-type"] == "application/text-html"
    assert session.get(link["href"]).headers["Content-Type"] == "application/text-html"
    assert session.get(f"{API}/{letter(world)}/print").status_code == 404


@pytest.mark.parametrize("query", [{"markAsRead": "maybe"}, {"dateFrom": "i går"}])
def test_values_that_are_none_are_refused(query: dict[str, str]) -> None:
    """A flag that is no boolean, a date that is no date."""
    world = make_world()
    path = f"/{seeded(world)}" if "markAsRead" in query else ""

    assert as_altinn2_user(world).get(f"{API}{path}", params=query).status_code == 400


def test_plain_json_leaves_out_links_and_nulls() -> None:
    """One element as a flat object; forms and attachments as bare lists."""
    world = make_world()
    element = seeded(world, attachments=[attachment()])
    session = as_altinn2_user(world)
    accept = {"Accept": "application/json"}

    one = session.get(f"{API}/{element}", headers=accept).json()
    attachments = session.get(f"{API}/{element}/attachments", headers=accept).json()

    assert one["MessageId"] == element
    assert "_links" not in one
    assert [each["FileName"] for each in attachments] == ["vedlegg.pdf"]


def test_html_is_answered_as_hal_json() -> None:
    """A browser's Accept gives hal+json since release 20.9."""
    world = make_world()

    answer = as_altinn2_user(world).get(API, headers={"Accept": "text/html,application/xhtml+xml"})

    assert answer.headers["Content-Type"].startswith("application/hal+json")


def test_dates_may_have_an_offset() -> None:
    """As the help pages write them: seven digits and Oslo's offset."""
    world = make_world(date_format="offset")
    element = seeded(world)

    found = as_altinn2_user(world).get(f"{API}/{element}").json()["CreatedDate"]

    assert found == "2026-03-10T12:00:00.8600000+01:00"
    assert datetime.fromisoformat(found[:26] + found[27:]) == datetime(2026, 3, 10, 11, 0, 0, 860_000, tzinfo=UTC)


def test_unknown_sizes_and_actions_by_switch() -> None:
    """filesize -1, and no AvailableAction."""
    world = make_world(file_size_unknown=True, available_action="absent")
    element = seeded(world, attachments=[attachment()])

    found = as_altinn2_user(world).get(f"{API}/{element}").json()

    assert found["_links"]["attachment"][0]["filesize"] == -1
    assert "AvailableAction" not in found


def test_an_element_that_waits_for_payment_has_a_link() -> None:
    """Its status is a text that no table has; the link leads to a browser's page."""
    world = make_world()
    element = seeded(world, service={"payment": True})
    session = as_altinn2_user(world)

    session.put(f"{API}/{element}", json=message(main_form()), params={"sign": "false"}, headers=HAL)

    found = session.get(f"{API}/{element}").json()
    assert (found["Status"], "payment" in found["_links"]) == ("Betaling", True)


def test_forms_completed_are_valid() -> None:
    """ValidationStatus tells whether Altinn 2 has judged a form."""
    world = make_world()
    element = seeded(world, service={"signing_steps": 1, "forms": [MAIN_TYPE]})
    session = as_altinn2_user(world)
    before = session.get(f"{API}/{element}/forms").json()["_embedded"]["forms"][0]["ValidationStatus"]

    session.put(f"{API}/{element}", json=message(main_form()), params={"sign": "false"}, headers=HAL)

    after = session.get(f"{API}/{element}/forms").json()["_embedded"]["forms"][0]["ValidationStatus"]
    assert (before, after) == ("NotValidated", "Valid")
    assert session_into(world).get(f"{BASE_URL}/_sandbox/switches").status_code == 200
