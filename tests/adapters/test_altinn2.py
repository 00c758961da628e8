"""The Altinn 2 client against the sandbox, and against answers as Altinn 2 was seen to give them."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.auth import AuthBase

from bridge.adapters.altinn2 import PAGE, Altinn2Client, ListTruncated, UnsafeUpdate
from bridge.adapters.altinn2.orders import ElementKey, PutMessage
from bridge.adapters.http.session import new_session
from bridge.core.cases import CaseStatus
from bridge.core.elements import Attachment, Element, Form, InMemory
from bridge.core.errors import CredentialsRefused, Missing, OutcomeUnknown, Rejected, Unreachable, UpstreamError
from bridge.core.mapping import AfterUpdate, FormKind
from bridge.sandbox.altinn2 import model as there
from bridge.sandbox.core.ledger import How
from bridge.sandbox.core.switches import Value
from bridge.sandbox.core.tokens import issue
from bridge.sandbox.in_process import SandboxAdapter
from bridge.sandbox.world import World

HOST = "http://sandbox.test"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="melding"><xs:complexType><xs:sequence>
    <xs:element name="antall" type="xs:int"/>
    <xs:element name="navn" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
SERVICE = there.Service(
    code="4711",
    edition=1,
    forms=(there.FormType(kind="MainForm", data_format_id="5703", data_format_version="34553", schema=SCHEMA),),
)
SIGNED_SERVICE = replace(SERVICE, edition=2, signing_steps=1)
KART = b"\x00\xffkart"
FORM = Form(
    kind=FormKind.MAIN,
    data_format_id="5703",
    data_format_version="34553",
    data="<melding><antall>1</antall><navn>Blåbærsyltetøy</navn></melding>",
)
ATTACHMENT = Attachment(attachment_type="Kart", file_name="kart æøå.pdf", size=6, content=InMemory(KART))


@dataclass(frozen=True)
class ApiKey:
    value: str

    def reveal(self) -> str:
        return self.value


@dataclass(frozen=True)
class Bearer(AuthBase):
    token: str

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


@dataclass
class Bench:
    """A sandbox whose clock is turned by hand, and a client that may use it."""

    now: datetime = START
    world: World = field(init=False)
    client: Altinn2Client = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(lambda: self.now, sleep=lambda _: None)
        token = issue(self.world, HOST, "platform", {"scope": "altinn:enduser"}, lifetime=360_000)
        self.client = Altinn2Client(
            new_session(pool=1, mounts={HOST: SandboxAdapter(self.world)}),
            f"{HOST}/altinn2/api",
            api_key=ApiKey(self.world.altinn2_api_key),
            auth=Bearer(token),
            clock=lambda: self.now,
        )

    def element(self, service: there.Service = SERVICE, state: there.State = there.State.FORM_FILLING) -> ElementKey:
        held = self.world.altinn2.add(
            who=["my", "310000019"],
            service=service,
            forms=[
                there.Form(
                    kind="MainForm",
                    data_format_id=FORM.data_format_id,
                    data_format_version=FORM.data_format_version,
                    data=FORM.data,
                )
            ],
            attachments=[
                there.Attachment(
                    file_name=ATTACHMENT.file_name,
                    attachment_type=ATTACHMENT.attachment_type,
                    content=KART,
                )
            ],
            state=state,
            now=self.now,
        )
        return ElementKey(who="my", message_id=held.id)

    def switch(self, **changes: Value) -> None:
        self.world.change_switches(**changes)

    def answers(
        self,
        status: int,
        body: str = "",
        *,
        path: str = "",
        reason: str | None = None,
        content_type: str = "application/hal+json",
        headers: Mapping[str, str] | None = None,
        times: int | None = 1,
    ) -> None:
        """Have the next calls answered with these bytes, whatever was asked."""
        how = How(status=status, reason=reason, body=body, headers={"Content-Type": content_type, **(headers or {})})
        self.world.faults.plan(how, path=path, times=times)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def _order(key: ElementKey, after: AfterUpdate = AfterUpdate.KEEP_AS_DRAFT, **changes: Any) -> PutMessage:
    order = PutMessage(
        key=key, service_code="4711", service_edition=1, forms=(FORM,), attachments=(ATTACHMENT,), after=after
    )
    return replace(order, **changes)


# Reading


def test_reading_leaves_no_trace(bench: Bench) -> None:
    """Altinn 2 marks what is read as read unless told not to, and names states by language."""
    key = bench.element()

    element = bench.client.read(key, content=False)

    assert element == Element(
        case=key.case,
        state=CaseStatus.FORM_FILLING,
        status_text="Utfylling",
        service_code="4711",
        service_edition=1,
        last_changed=START,
        original_id=None,
        forms=(),
        attachments=(),
        listed_forms=element.listed_forms,
        listed_attachments=element.listed_attachments,
        page=element.page,
        subject="Sandkassetjeneste",
        created=START,
    )
    assert (len(element.listed_forms or ()), len(element.listed_attachments or ())) == (1, 1)
    assert [call.query for call in bench.world.calls.all()] == [{"language": "1044", "markAsRead": "false"}]


def test_content_comes_whole(bench: Bench) -> None:
    """Forms come as text and attachments as bytes, with the ids that Altinn 2 gave them."""
    key = bench.element()

    element = bench.client.read(key, content=True)

    assert [replace(form, form_id=None) for form in element.forms] == [FORM]
    assert [replace(each, attachment_id=None) for each in element.attachments] == [ATTACHMENT]
    assert element.forms[0].form_id is not None
    assert element.attachments[0].attachment_id is not None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (there.State.SIGNING, CaseStatus.SIGNING),
        (there.State.ARCHIVED, CaseStatus.ARCHIVED),
        (there.State.DELETED, CaseStatus.DELETED),
    ],
)
@pytest.mark.parametrize("language", ["1044", "1033", "2068"])
def test_states_have_one_name_each(bench: Bench, state: there.State, expected: CaseStatus, language: str) -> None:
    """Whatever language the user set, the state is the same."""
    bench.switch(default_language=language, deleted_element="200")

    assert bench.client.read(bench.element(state=state), content=False).state is expected


def test_unknown_states_stay_unknown(bench: Bench) -> None:
    """A status text that no table has is kept for the operator and never taken for done."""
    bench.answers(200, _message(Status="Betaling"))

    element = bench.client.read(KEY, content=False)

    assert (element.state, element.status_text) == (CaseStatus.UNKNOWN, "Betaling")


KEY = ElementKey(who="my", message_id="a17")


def _message(**members: object) -> str:
    return json.dumps(
        {
            "MessageId": "a17",
            "Status": "Utfylling",
            "ServiceCode": "4711",
            "ServiceEdition": 1,
            "LastChangedDateTime": "2026-03-02T10:00:00.5",
            **members,
        }
    )


def test_other_spellings_and_hosts_are_read(bench: Bench) -> None:
    """Ids come from links to any host, and no such link is followed; members are known whatever their case."""
    form = {
        "Type": "MainForm",
        "DataFormatID": 213,
        "DataFormatVersion": 10422,
        "_links": {"self": {"href": "https://elsewhere.example/api/my/messages/a9/forms/5"}},
    }
    bench.answers(200, _message(ServiceEdition="1"), path="a17$")
    bench.answers(200, json.dumps({"_embedded": {"forms": [form]}}), path="forms$")
    bench.answers(200, "<Skjema/>", path="forms/5/formdata$", content_type="application/xml")
    bench.answers(200, "{}", path="attachments$")

    element = bench.client.read(KEY, content=True)

    assert element.forms == (
        Form(kind=FormKind.MAIN, data_format_id="213", data_format_version="10422", data="<Skjema/>", form_id=5),
    )
    assert element.attachments == ()


@pytest.mark.parametrize("relation", ["form", "attachment"])
def test_a_list_that_lacks_something_is_noticed(bench: Bench, relation: str) -> None:
    """What the message links to and the list leaves out would be deleted by the next PUT."""
    links = {relation: [{"href": f"https://elsewhere.example/api/my/messages/a17/{relation}s/5", "name": "x"}]}
    bench.answers(200, _message(_links=links), path="a17$")
    bench.answers(200, "{}", path="s$", times=None)

    with pytest.raises(Unreachable, match="changed"):
        bench.client.read(KEY, content=True)


@pytest.mark.parametrize(
    ("size", "expected"), [(-1, None), (0, 0), (967038, 967038)], ids=["unknown", "empty", "known"]
)
def test_sizes_may_be_unknown(bench: Bench, size: int, expected: int | None) -> None:
    """Altinn 2 writes -1 where it does not know, and an empty file is no broken answer."""
    entry = {"FileName": "a.html", "AttachmentType": "Kart", "FileSize": size, "AttachmentLink": "/attachments/3"}
    bench.answers(200, _message(), path="a17$")
    bench.answers(200, "{}", path="forms$")
    bench.answers(200, json.dumps({"_embedded": {"attachments": [entry]}}), path="attachments$")
    bench.answers(200, "" if size == 0 else "<html>", path="attachments/3$", content_type="text/html")

    (attachment,) = bench.client.read(KEY, content=True).attachments

    assert (attachment.size, attachment.content) == (expected, InMemory(b"" if size == 0 else b"<html>"))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param("\ufeff<a>æ</a>", "application/xml", id="byte order mark"),
        pytest.param('<?xml version="1.0" encoding="utf-8"?><a>æ</a>', "application/xml", id="declared"),
        pytest.param("<a>æ</a>", "application/xml; charset=utf-8", id="charset"),
        pytest.param("<a>æ</a>", "application/xml", id="nothing said"),
    ],
)
def test_forms_are_decoded_to_text(bench: Bench, body: str, content_type: str) -> None:
    """A form is text, without mark or declaration, which were about the bytes."""
    bench.answers(200, body, path="formdata$", content_type=content_type)

    assert bench.client.read(bench.element(), content=True).forms[0].data == "<a>æ</a>"


def test_an_unreadable_encoding_is_named(bench: Bench) -> None:
    """A form in an encoding that nobody knows is refused, not guessed at."""
    bench.answers(200, '<?xml version="1.0" encoding="x-nobody"?><a/>', path="formdata$", content_type="text/xml")

    with pytest.raises(Rejected, match="x-nobody") as caught:
        bench.client.read(bench.element(), content=True)

    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("[]", id="not an object"),
        pytest.param("{}", id="nothing in it"),
        pytest.param(_message(MessageId="a18"), id="another element"),
        pytest.param(_message(LastChangedDateTime="i går"), id="no date"),
        pytest.param(_message(ServiceEdition="første"), id="no edition"),
    ],
)
def test_half_an_element_is_refused(bench: Bench, body: str) -> None:
    """What cannot be the element that was asked for is not taken for it."""
    bench.answers(200, body)

    with pytest.raises(Rejected) as caught:
        bench.client.read(KEY, content=False)

    assert caught.value.reason == "unreadable"


def test_an_empty_answer_is_asked_again(bench: Bench) -> None:
    """A renewed session once answered 200 with nothing: that is asked once more."""
    key = bench.element()
    bench.answers(200)

    assert bench.client.read(key, content=False).case == key.case


@pytest.mark.parametrize("status", [200, 204])
def test_empty_answers_end_the_asking(bench: Bench, status: int) -> None:
    """Twice nothing is an error, and no third call."""
    key = bench.element()
    bench.answers(status, times=None)

    with pytest.raises(Unreachable, match="empty"):
        bench.client.read(key, content=False)

    assert len(bench.world.calls.all()) == 2


def test_broken_json_is_asked_later(bench: Bench) -> None:
    """A document that was cut short says nothing about the element."""
    bench.answers(200, '{"MessageId": "a1')

    with pytest.raises(Unreachable, match="not JSON"):
        bench.client.read(KEY, content=False)


@pytest.mark.parametrize(
    "key",
    [
        ElementKey(who="my", message_id="a1/../b2"),
        ElementKey(who="my", message_id="17"),
        ElementKey(who="310000019/messages/a1?", message_id="a1"),
        ElementKey(who="", message_id="a1"),
    ],
)
def test_only_keys_get_into_urls(bench: Bench, key: ElementKey) -> None:
    """What is not an id never becomes part of an address."""
    with pytest.raises(ValueError, match="key"):
        bench.client.read(key, content=False)

    assert bench.world.calls.all() == ()


# Putting


@pytest.mark.parametrize(
    ("after", "flags", "state"),
    [
        (AfterUpdate.KEEP_AS_DRAFT, {"complete": "false", "sign": "false"}, there.State.FORM_FILLING),
        (AfterUpdate.SEND_TO_SIGNING, {"complete": "true", "sign": "false"}, there.State.SIGNING),
        (AfterUpdate.SIGN_AND_ARCHIVE, {"complete": "true", "sign": "true"}, there.State.ARCHIVED),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_both_flags_are_always_sent(
    bench: Bench, after: AfterUpdate, flags: Mapping[str, str], state: there.State
) -> None:
    """Altinn 2 signs and archives when a flag is left out, so none ever is."""
    key = bench.element(SIGNED_SERVICE)

    bench.client.put(_order(key, after, service_edition=2))

    assert bench.world.calls.all()[-1].query.items() >= flags.items()
    assert [effect.facts["state_after"] for effect in bench.world.ledger.effects("altinn2.put")] == [state.value]


def test_what_is_put_comes_back(bench: Bench) -> None:
    """Forms and attachments arrive as they were, byte for byte where Altinn 2 does not wash them."""
    key = bench.element()
    form = replace(FORM, data='<melding><antall>2</antall><navn>"\\ \u2013 & 𝔸</navn></melding>'.replace("&", "&amp;"))
    attachment = replace(ATTACHMENT, content=InMemory(bytes(range(256))), size=256)

    bench.client.put(_order(key, forms=(form,), attachments=(attachment,)))

    element = bench.client.read(key, content=True)
    assert [replace(each, form_id=None) for each in element.forms] == [form]
    assert [replace(each, attachment_id=None) for each in element.attachments] == [attachment]


def test_archiving_tells_the_new_id(bench: Bench) -> None:
    """The address of the archived copy names the b-id."""
    key = bench.element()

    receipt = bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE))

    assert receipt.location_id == bench.world.altinn2.archived_as(key.message_id)


def test_no_copy_is_a_success(bench: Bench) -> None:
    """A service without copy in the user's archive answers without Location."""
    bench.switch(noarchive_service=True)
    key = bench.element()

    receipt = bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE))

    assert receipt.location_id is None
    assert len(bench.world.ledger.effects("altinn2.archived")) == 1


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://www.altinn.no/api/my/Messages/B5/", "b5"),
        ("https://elsewhere.example/b5?x=c6", "b5"),
        ("https://www.altinn.no/api/my/messages/b5/../../x", None),
        ("", None),
    ],
)
def test_locations_are_read_with_care(bench: Bench, location: str, expected: str | None) -> None:
    """Only an element's id is taken from the address, and only from its end."""
    bench.answers(204, headers={"Location": location})

    assert bench.client.put(_order(KEY)).location_id == expected


def test_signing_sends_no_content(bench: Bench) -> None:
    """Without forms nothing is overwritten: what waits for signature is signed as it stands."""
    key = bench.element(SIGNED_SERVICE, there.State.SIGNING)

    bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE, service_edition=2, forms=(), attachments=()))

    (effect,) = bench.world.ledger.effects("altinn2.put")
    assert (effect.facts["overwritten"], effect.facts["attachment_count"]) == (False, 1)
    assert effect.facts["state_after"] == "archived"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"attachments": (replace(ATTACHMENT, content=None),)}, id="attachment without content"),
        pytest.param({"forms": ()}, id="attachments without forms"),
        pytest.param({"forms": (), "attachments": ()}, id="nothing, as a draft"),
        pytest.param({"forms": (), "attachments": (), "after": AfterUpdate.SEND_TO_SIGNING}, id="nothing, to signing"),
    ],
)
def test_nothing_is_deleted_by_omission(bench: Bench, changes: Mapping[str, Any]) -> None:
    """A PUT overwrites everything, so one that lacks what must survive is never sent."""
    with pytest.raises(UnsafeUpdate):
        bench.client.put(replace(_order(bench.element()), **changes))

    assert bench.world.calls.all() == ()


def test_a_lost_answer_is_an_unknown_outcome(bench: Bench) -> None:
    """The PUT took effect and the connection broke: only reading back tells."""
    key = bench.element()
    bench.world.faults.plan(How(cut="after"), method="PUT")

    with pytest.raises(OutcomeUnknown):
        bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE))

    assert len(bench.world.ledger.effects("altinn2.archived")) == 1
    with pytest.raises(Missing):
        bench.client.read(key, content=False)


# Finding what was archived


def test_an_archived_copy_is_found(bench: Bench) -> None:
    """The copy points back to the element that it was made from."""
    key = bench.element()
    receipt = bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE))

    found = bench.client.find_archived(key, since=START)

    assert found is not None
    assert (found.case.key, found.original_id) == (receipt.location_id, key.message_id)
    assert found.state is CaseStatus.ARCHIVED


def test_a_copy_is_found_on_later_pages(bench: Bench) -> None:
    """A full page is followed by the next one, until a short one."""
    key = bench.element()
    bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE))
    for _ in range(2 * PAGE):
        bench.now += timedelta(seconds=1)
        bench.element()

    found = bench.client.find_archived(key, since=START)

    assert found is not None
    assert [call.query.get("$skip") for call in bench.world.calls.all()[1:]] == [None, "50", "100"]


def test_no_copy_is_found_as_none(bench: Bench) -> None:
    """An element that was not archived has no copy, and two full pages are read to know."""
    for _ in range(2 * PAGE - 1):
        bench.element()

    assert bench.client.find_archived(bench.element(), since=START) is None
    assert len(bench.world.calls.all()) == 3


def test_what_changed_before_is_not_listed(bench: Bench) -> None:
    """A search goes back as far as asked, and a little for clocks that differ."""
    key = bench.element()
    bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE))

    assert bench.client.find_archived(key, since=START + timedelta(hours=1)) is not None
    assert bench.client.find_archived(key, since=START + timedelta(hours=2)) is None


def test_a_cut_list_is_asked_in_halves(bench: Bench) -> None:
    """Where Altinn 2 leaves elements out, narrower windows bring them to light."""
    bench.switch(limit_reached_after=3)
    key = bench.element()
    bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE))
    for _ in range(10):
        bench.now += timedelta(minutes=10)
        bench.element()

    found = bench.client.find_archived(key, since=START)

    assert found is not None
    assert found.original_id == key.message_id


def test_a_list_that_stays_cut_is_named(bench: Bench) -> None:
    """More changes at one moment than Altinn 2 lists: nobody can say that there is no copy."""
    bench.switch(limit_reached_after=3)
    for _ in range(10):
        bench.element()

    with pytest.raises(ListTruncated):
        bench.client.find_archived(bench.element(), since=START)


def test_a_list_without_end_is_left(bench: Bench) -> None:
    """A server that answers every page with a full one is not asked for ever."""
    page = {"_embedded": {"messages": [{"MessageId": f"b{number}"} for number in range(PAGE)]}}
    bench.answers(200, json.dumps(page), times=None)

    with pytest.raises(ListTruncated):
        bench.client.find_archived(KEY, since=START)


@pytest.mark.parametrize(("archived_aid", "reason"), [("404", "not_found"), ("410", "gone")])
def test_an_archived_element_is_missing(bench: Bench, archived_aid: str, reason: str) -> None:
    """The a-id answers no more once its element is archived."""
    bench.switch(archived_aid=archived_aid)
    key = bench.element()
    bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE))

    with pytest.raises(Missing) as caught:
        bench.client.read(key, content=False)

    assert caught.value.reason == reason


def test_a_redirect_to_the_copy_is_read(bench: Bench) -> None:
    """Where the a-id leads on to the b-id, that one is read, at our own address of it."""
    bench.switch(archived_aid="redirect")
    key = bench.element()
    bench.client.put(_order(key, AfterUpdate.SIGN_AND_ARCHIVE))

    element = bench.client.read(key, content=True)

    assert (element.state, element.original_id) == (CaseStatus.ARCHIVED, key.message_id)
    assert len(element.forms) == 1


def test_a_redirect_to_another_copy_is_not_followed(bench: Bench) -> None:
    """What the a-id leads on to must name it as its OriginalId."""
    key, other = bench.element(), bench.element()
    copy = bench.client.put(_order(other, AfterUpdate.SIGN_AND_ARCHIVE)).location_id
    leads_on = {"Location": f"{HOST}/altinn2/api/my/messages/{copy}"}
    bench.world.faults.plan(How(status=302, headers=leads_on), path=key.message_id)

    with pytest.raises(Missing):
        bench.client.read(key, content=False)


def test_a_redirect_of_a_put_is_unknown(bench: Bench) -> None:
    """A PUT that is led on to an element is no login page, and may have done something."""
    bench.answers(302, headers={"Location": f"{HOST}/altinn2/api/my/messages/b5"})

    with pytest.raises(OutcomeUnknown):
        bench.client.put(_order(KEY))


# Answers that are none


@pytest.mark.parametrize(
    ("status", "reason", "reading", "writing", "code"),
    [
        pytest.param(302, "Found", Unreachable, Unreachable, None, id="redirect"),
        pytest.param(
            400,
            "Required header 'ApiKey' is missing.",
            CredentialsRefused,
            CredentialsRefused,
            "not_configured",
            id="no api key",
        ),
        pytest.param(
            400,
            "Form validation failed, see the attached validation details",
            Rejected,
            Rejected,
            "form_invalid",
            id="form",
        ),
        pytest.param(
            401, "Form validation failed, see the details", Rejected, Rejected, "form_invalid", id="form, long ago"
        ),
        pytest.param(400, "User profile could not be found for X.", Rejected, Rejected, "no_profile", id="no profile"),
        pytest.param(400, "Noe annet", Rejected, Rejected, "rejected", id="other 400"),
        pytest.param(
            401, "Unauthorized", CredentialsRefused, CredentialsRefused, "not_authenticated", id="not logged in"
        ),
        pytest.param(401, "Sikkerhetsnivået er for lavt", Rejected, Rejected, "level_too_low", id="level"),
        pytest.param(
            403,
            "The API key is not authorized for this operation",
            CredentialsRefused,
            CredentialsRefused,
            "not_configured",
            id="api key without right",
        ),
        pytest.param(
            403,
            "There is no authenticated user",
            CredentialsRefused,
            CredentialsRefused,
            "not_authenticated",
            id="not logged in, 403",
        ),
        pytest.param(403, "Forbidden", Rejected, Rejected, "forbidden", id="no right"),
        pytest.param(404, "Not Found", Missing, Missing, "not_found", id="no such element"),
        pytest.param(408, "Request Timeout", Unreachable, OutcomeUnknown, None, id="timeout"),
        pytest.param(409, "Conflict", Rejected, Rejected, "rejected", id="undocumented"),
        pytest.param(410, "Gone", Missing, Rejected, "gone", id="gone"),
        pytest.param(429, "Too Many Requests", Unreachable, Unreachable, None, id="too many"),
        pytest.param(500, "Internal Server Error", Unreachable, OutcomeUnknown, None, id="broken"),
        pytest.param(502, "Bad Gateway", Unreachable, OutcomeUnknown, None, id="bad gateway"),
        pytest.param(503, "Service Unavailable", Unreachable, Unreachable, None, id="unavailable"),
        pytest.param(504, "Gateway Timeout", Unreachable, OutcomeUnknown, None, id="gateway timeout"),
    ],
)
def test_each_answer_says_what_next(
    bench: Bench,
    status: int,
    reason: str,
    reading: type[UpstreamError],
    writing: type[UpstreamError],
    code: str | None,
) -> None:
    """Status and phrase decide whether to repeat, to read back, or to give up."""
    bench.answers(status, reason=reason, times=None)

    with pytest.raises(UpstreamError) as read:
        bench.client.read(KEY, content=False)
    with pytest.raises(UpstreamError) as written:
        bench.client.put(_order(KEY))

    assert (type(read.value), type(written.value)) == (reading, writing)
    assert read.value.status == written.value.status == status
    assert [getattr(error, "reason", None) for error in (read.value, written.value)] == [code, code]


def test_waiting_time_is_passed_on(bench: Bench) -> None:
    """Nothing is tried before the moment that Altinn 2 named."""
    bench.answers(503, headers={"Retry-After": "Mon, 02 Mar 2026 09:02:00 GMT"})

    with pytest.raises(Unreachable) as caught:
        bench.client.put(_order(KEY))

    assert caught.value.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize("failure", ["302_html", "200_html"])
def test_login_pages_are_no_answers(bench: Bench, failure: str) -> None:
    """A page where an element was expected means that nothing was done, on reading and on writing."""
    key = bench.element()
    bench.switch(auth_failure=failure)
    bench.now += timedelta(days=10)

    with pytest.raises(Unreachable, match="login page"):
        bench.client.read(key, content=False)
    with pytest.raises(Unreachable, match="login page"):
        bench.client.put(_order(key))

    assert bench.world.ledger.effects() == ()


@pytest.mark.parametrize("shutdown", ["410", "html_landing"])
def test_a_closed_system_is_gone(bench: Bench, shutdown: str) -> None:
    """After the closure nothing is tried again, and the operator learns why."""
    key = bench.element()
    bench.switch(shutdown=shutdown)

    with pytest.raises(Rejected) as read:
        bench.client.read(key, content=False)
    with pytest.raises(Rejected) as written:
        bench.client.put(_order(key))

    assert (read.value.reason, written.value.reason) == ("gone", "gone")


def test_closed_for_maintenance_is_not_gone(bench: Bench) -> None:
    """A page that says closed for now is asked again later."""
    page = "<!DOCTYPE html><html><h1>Altinn 2 er stengt for vedlikehold</h1></html>"
    bench.answers(200, page, content_type="text/html")

    with pytest.raises(Unreachable):
        bench.client.put(_order(KEY))


@pytest.mark.parametrize("body", ["validate_shape", "array", "empty"])
def test_form_faults_come_without_values(bench: Bench, body: str) -> None:
    """Of Altinn 2's explanation the paths are kept, never the messages: they may quote the form."""
    bench.switch(validation_body=body)
    form = replace(FORM, data="<melding><antall>hemmelig</antall></melding>")

    with pytest.raises(Rejected) as caught:
        bench.client.put(_order(bench.element(), forms=(form,)))

    assert caught.value.reason == "form_invalid"
    assert caught.value.keys == (() if body == "empty" else ("/melding/antall",))
    assert "hemmelig" not in f"{caught.value!r} {caught.value} {caught.value.keys}"


def test_paths_with_values_are_left_out(bench: Bench) -> None:
    """A path that selects by value is no path to show; without any, the field's name is. Prefixes go."""
    entries = [
        {"FieldName": "a", "FieldXPath": "/melding/a[b='hemmelig']"},
        {"FieldName": "navn", "ErrorMessage": "hemmelig"},
        {"FieldName": "hemmelig verdi"},
        {"FieldName": "c", "FieldXPath": "/ns0:melding/x:b[2]/@y:c"},
        "hemmelig",
    ]
    bench.answers(400, json.dumps({"ValidationErrors": entries}), reason="Form validation failed, see")

    with pytest.raises(Rejected) as caught:
        bench.client.put(_order(KEY))

    assert caught.value.keys == ("navn", "/melding/b[2]/@c")


def test_what_a_reason_phrase_quotes_is_not_told(bench: Bench) -> None:
    """Altinn 2 names people and values in its reason phrases; the operator reads the words around them."""
    number = bench.world.new_person()
    quoted = f"Kanarinavn-Olsen {number[:6]} {number[6:]}"
    bench.answers(400, reason=f"User profile could not be found for {quoted}. Vedlegget er større enn tjenesten tåler")

    with pytest.raises(Rejected, match=r"not be found for … Vedlegget er større … tjenesten tåler") as caught:
        bench.client.read(KEY, content=False)

    assert not {part for part in (*quoted.split(), "Kanarinavn") if part in str(caught.value)}


def test_newer_error_bodies_explain_too(bench: Bench) -> None:
    """Where a proxy drops the reason phrase, the error model in the body says the same."""
    model = {"ErrorCode": 1, "ErrorMessage": "The API key is not authorized for this operation"}
    bench.answers(403, json.dumps(model), reason="Forbidden")

    with pytest.raises(CredentialsRefused) as caught:
        bench.client.read(KEY, content=False)

    assert caught.value.reason == "not_configured"


# Contract: what Altinn 2 was seen or documented to answer

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "contracts" / "altinn2"
contract = pytest.mark.contract


def _sample(name: str) -> str:
    if not SAMPLES.is_dir() and not os.environ.get("CI"):
        pytest.skip("the folder shared is not beside the checkout")
    return (SAMPLES / name).read_text("utf-8-sig")


@contract
@pytest.mark.parametrize(
    ("name", "message_id", "state"),
    [
        ("get_message_formtask.hal.json", "a1507495", CaseStatus.FORM_FILLING),
        ("get_message_formtask_draft_tt02_2021.hal.json", "a10200001", CaseStatus.FORM_FILLING),
        ("get_message_formtask_signing.INFERRED.hal.json", "a10200001", CaseStatus.SIGNING),
        ("get_message_formtask_archived.INFERRED.hal.json", "b10300777", CaseStatus.ARCHIVED),
        ("get_message_correspondence.hal.json", "a385571", CaseStatus.UNREAD),
    ],
)
def test_sampled_messages_are_read(bench: Bench, name: str, message_id: str, state: CaseStatus) -> None:
    """Each published or recorded message is an element."""
    body = _sample(name)
    bench.answers(200, body)

    element = bench.client.read(ElementKey(who="my", message_id=message_id), content=False)

    assert (element.case.key, element.state) == (message_id, state)
    assert element.original_id == json.loads(body).get("OriginalId")


@contract
@pytest.mark.parametrize("whole", [True, False], ids=["list", "single form"])
def test_sampled_forms_are_read(bench: Bench, whole: bool) -> None:
    """The published list has ids of its own, the single form only a link."""
    single = json.loads(_sample("get_form.hal.json"))
    body = _sample("get_forms_list.hal.json") if whole else json.dumps({"_embedded": {"forms": single}})
    bench.answers(200, _message(), path="a17$")
    bench.answers(200, body, path="forms$")
    bench.answers(200, _sample("formdata_seres_root.INFERRED.xml"), path="formdata$", times=None)
    bench.answers(200, "{}", path="attachments$")

    forms = bench.client.read(KEY, content=True).forms

    read = [(form.kind, form.data_format_id, form.data_format_version, form.form_id) for form in forms]
    assert read == (
        [(FormKind.MAIN, "1232", "10123", 6600001), (FormKind.SUB, "1243", "10656", 6600002)]
        if whole
        else [(FormKind.MAIN, "213", "10422", 1049574)]
    )
    assert all("<melding " in form.data and "<?xml" not in form.data for form in forms)


@contract
def test_sampled_attachments_are_read(bench: Bench) -> None:
    """The recorded list of attachments, and the bytes behind it."""
    bench.answers(200, _message(), path="a17$")
    bench.answers(200, "{}", path="forms$")
    bench.answers(200, _sample("get_attachments_list.hal.json"), path="attachments$")
    bench.answers(200, "pdf", path="attachments/2200001$", content_type="application/pdf")

    (attachment,) = bench.client.read(KEY, content=True).attachments

    assert attachment == Attachment(
        attachment_type="Situasjonsplan",
        file_name="Situasjonsplan.pdf",
        size=967038,
        attachment_id=2200001,
        content=InMemory(b"pdf"),
    )


@contract
@pytest.mark.parametrize(
    "name",
    ["get_messages_list.hal.json", "get_messages_list.plain.INFERRED.json", "get_messages_trashbin.hal.json"],
)
def test_sampled_lists_are_searched(bench: Bench, name: str) -> None:
    """In the published lists nothing points back to the element, and each entry can be passed over."""
    bench.answers(200, _sample(name))

    assert bench.client.find_archived(KEY, since=START) is None


@contract
@pytest.mark.parametrize("name", ["error_form_validation_400_body.INFERRED.json", "get_validate_failed.json"])
def test_sampled_validation_errors_are_read(bench: Bench, name: str) -> None:
    """Every error's path is kept, warnings are none, and no message gets out."""
    body = _sample(name)
    bench.answers(400, body, reason="Form validation failed, see the attached validation details")

    with pytest.raises(Rejected) as caught:
        bench.client.put(_order(KEY))

    entries = json.loads(body)["ValidationErrors"]
    assert list(caught.value.keys) == [entry["FieldXPath"] for entry in entries]
    assert not any(entry["ErrorMessage"] in str(caught.value) for entry in entries)


@contract
def test_put_bodies_look_like_the_samples(bench: Bench) -> None:
    """What is sent has the members of the published bodies, and no others."""
    sent: list[Any] = []

    class Tap(SandboxAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            # It is made while it is read, so it can be read once.
            request.body = request.body.read()  # type: ignore[union-attr]
            sent.append(json.loads(request.body))
            return super().send(request, *args, **options)

    client = Altinn2Client(
        new_session(pool=1, mounts={HOST: Tap(bench.world)}),
        f"{HOST}/altinn2/api",
        api_key=ApiKey("x"),
        auth=None,
        clock=lambda: bench.now,
    )
    bench.answers(204, times=None)

    client.put(_order(KEY, AfterUpdate.SIGN_AND_ARCHIVE))
    client.put(_order(KEY, AfterUpdate.SIGN_AND_ARCHIVE, forms=(), attachments=()))

    assert _shape(sent[0]) == _shape(json.loads(_sample("put_message_full_set.INFERRED.request.json")))
    assert _shape(sent[1]) == _shape(json.loads(_sample("put_message_sign_all.request.json")))


def _shape(value: Any) -> Any:
    match value:
        case dict():
            return {key: _shape(each) for key, each in value.items()}
        case list():
            return _shape(value[0])
        case _:
            return type(value)
