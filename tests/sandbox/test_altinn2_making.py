"""Altinn 2: new elements, subforms, signatures, rights, and the rules that completion follows."""

from typing import Any

import pytest

from bridge.sandbox.altinn2.rules import Verdict, compared
from bridge.sandbox.in_process import BASE_URL
from bridge.sandbox.world import World
from tests.sandbox.support import (
    HAL,
    MAIN,
    MAIN_TYPE,
    SCHEMA,
    as_altinn2_user,
    attachment,
    main_form,
    make_world,
    message,
    seeded,
    session_into,
)

API = f"{BASE_URL}/altinn2/api"
SUB = {"type": "SubForm", "data_format_id": "9002", "data_format_version": "3", "name": "Del"}
SUB_XSD = SCHEMA.replace("melding", "del")
SERVICE = {"code": "4711", "edition": 1, "forms": [MAIN_TYPE, SUB]}


def service(world: World, **about: Any) -> None:
    answer = session_into(world).post(f"{BASE_URL}/_sandbox/altinn2/services", json={**SERVICE, **about})
    assert answer.status_code == 201, answer.text


def post(world: World, body: Any, who: str = "my", **flags: str) -> Any:
    return as_altinn2_user(world).post(f"{API}/{who}/messages", json=body, params=flags, headers=HAL)


def state(world: World, address: str) -> Any:
    element = address.rpartition("/")[2]
    return session_into(world).get(f"{BASE_URL}/_sandbox/altinn2/elements/{element}").json()


def sub_form(**members: Any) -> dict[str, Any]:
    return {
        "Type": "SubForm",
        "DataFormatId": "9002",
        "DataFormatVersion": 3,
        "FormData": "<del><a>1</a></del>",
        **members,
    }


# Columns: signing steps, complete, sign -> state, first letter of the new id
CREATED = [
    (0, None, None, "archived", "b"),
    (1, None, None, "archived", "b"),
    (2, None, None, "signing", "a"),
    (0, "false", None, "formfilling", "a"),
    (1, "false", "true", "formfilling", "a"),
    (1, "true", "false", "signing", "a"),
    (0, "true", "false", "formfilling", "a"),
]


@pytest.mark.parametrize(("steps", "complete", "sign", "after", "letter"), CREATED)
def test_a_post_makes_what_its_flags_say(
    steps: int, complete: str | None, sign: str | None, after: str, letter: str
) -> None:
    """Each row of the table: 201, the address of what it became, one effect of its own kind."""
    world = make_world()
    service(world, signing_steps=steps)
    flags = {name: value for name, value in (("complete", complete), ("sign", sign)) if value}

    answer = post(world, message(main_form()), **flags)

    assert answer.status_code == 201
    assert answer.headers["Location"].rpartition("/")[2][0] == letter
    assert state(world, answer.headers["Location"])["state"] == after
    assert [each.facts["state_after"] for each in world.ledger.effects("altinn2.post")] == [after]


def test_an_empty_draft_is_prefilled() -> None:
    """complete=false and no forms: the main form with the agency's prefill."""
    world = make_world()
    service(world, forms=[{**MAIN_TYPE, "prefill": "<melding><a>7</a></melding>"}])

    answer = post(world, {**message(), "_embedded": {}}, complete="false")

    assert [form["xml"] for form in state(world, answer.headers["Location"])["forms"]] == [
        "<melding><a>7</a></melding>"
    ]


def test_an_empty_post_was_once_a_fault() -> None:
    """Before 20.4 it was 500, and nothing was made."""
    world = make_world(empty_post="500")
    service(world)

    answer = post(world, {**message(), "_embedded": {}}, complete="false")

    assert answer.status_code == 500
    assert world.ledger.effects() == ()


REFUSED = [
    ("nothing to complete", {}, message(), {}, 400),
    ("no such service", {}, {**message(main_form()), "ServiceCode": "1"}, {}, 404),
    ("payment", {"payment": True}, message(main_form()), {}, 400),
    ("others sign", {"user_controlled_signing": True, "signing_steps": 1}, message(main_form()), {}, 400),
    ("broken schema", {"forms": [{**MAIN_TYPE, "schema": SCHEMA}]}, message(main_form("<melding/>")), {}, 400),
    (
        "broken schema",
        {"forms": [{**MAIN_TYPE, "schema": SCHEMA}]},
        message(main_form("<melding/>")),
        {"complete": "false"},
        400,
    ),
    ("encrypted", {"encrypted": True}, message(main_form()), {}, 400),
    ("no flag", {}, message(main_form()), {"sign": "maybe"}, 400),
    ("no form task", {}, {**message(main_form()), "Type": "Correspondence"}, {}, 400),
]


@pytest.mark.parametrize(
    ("about", "body", "flags", "status"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_refused_post_makes_nothing(about: Any, body: Any, flags: Any, status: int) -> None:
    """The ledger stays empty."""
    world = make_world()
    service(world, **about)

    answer = post(world, body, **flags)

    assert answer.status_code == status
    assert world.ledger.effects() == ()


def test_a_service_without_copies_makes_no_address() -> None:
    """Success without Location, also for a POST."""
    world = make_world()
    service(world, keeps_copy=False)

    answer = post(world, message(main_form()))

    assert answer.status_code == 201
    assert "Location" not in answer.headers


def test_an_xml_body_is_read() -> None:
    """hal+xml with a form in CDATA and an attachment makes the same element."""
    world = make_world()
    service(world)
    body = """<resource rel="message"><Type>FormTask</Type><ServiceCode>4711</ServiceCode>
      <ServiceEdition>1</ServiceEdition><resource rel="forms"><resource rel="form"><Type>MainForm</Type>
      <DataFormatId>9001</DataFormatId><DataFormatVersion>1</DataFormatVersion>
      <FormData><![CDATA[<melding><a>2</a></melding>]]></FormData></resource></resource>
      <resource rel="attachments"><resource rel="attachment"><FileName>a.pdf</FileName>
      <AttachmentType>Vedlegg</AttachmentType><Data>SGVp</Data></resource></resource></resource>"""

    answer = as_altinn2_user(world).post(
        f"{API}/my/messages", data=body, headers={"Content-Type": "application/hal+xml"}
    )

    made = state(world, answer.headers["Location"])
    assert ([each["xml"] for each in made["forms"]], [each["size"] for each in made["attachments"]]) == (
        ["<melding><a>2</a></melding>"],
        [3],
    )


def test_who_may_be_said_in_three_ways() -> None:
    """An element made for an organisation is found by its number and by its reportee id."""
    world = make_world()
    service(world)
    number = world.new_organisation().number
    element = post(world, message(main_form()), who=number, complete="false").headers["Location"].rpartition("/")[2]
    session = as_altinn2_user(world)
    reportees = session.get(f"{API}/reportees").json()["_embedded"]["reportees"]
    reportee = next(each["ReporteeId"] for each in reportees if each.get("OrganizationNumber") == number)

    answers = [session.get(f"{API}/{who}/messages/{element}") for who in (number, reportee, reportee.upper())]

    assert [each.status_code for each in answers] == [200, 200, 200]
    assert f"/{reportee}/messages/" in answers[1].json()["_links"]["self"]["href"]
    assert session.get(f"{API}/310000027/messages/{element}").status_code == 404


def test_a_subform_is_added_changed_and_removed() -> None:
    """201 with its address, 204, 204; one effect each."""
    world = make_world()
    service(world)
    element = post(world, message(main_form()), complete="false").headers["Location"]
    session = as_altinn2_user(world)

    made = session.post(f"{element}/forms", json=sub_form(), headers=HAL)
    changed = session.put(made.headers["Location"], json=sub_form(FormData="<del><a>2</a></del>"), headers=HAL)
    data = session.get(f"{made.headers['Location']}/formdata").text
    removed = session.delete(made.headers["Location"])

    assert (made.status_code, changed.status_code, removed.status_code) == (201, 204, 204)
    assert data == "<del><a>2</a></del>"
    assert [each["type"] for each in state(world, element)["forms"]] == ["MainForm"]
    kinds = [each.kind for each in world.ledger.effects()]
    assert kinds == ["altinn2.post", "altinn2.form", "altinn2.form", "altinn2.form_delete"]


def test_a_subform_without_data_is_prefilled() -> None:
    """As the service declares it, or with its numbers on the root."""
    world = make_world()
    service(world, forms=[MAIN_TYPE, SUB])
    element = post(world, message(main_form()), complete="false").headers["Location"]
    body = {"Type": "SubForm", "DataFormatId": 9002, "DataFormatVersion": 3}

    answer = as_altinn2_user(world).post(f"{element}/forms", json=body, headers=HAL)

    data = as_altinn2_user(world).get(f"{answer.headers['Location']}/formdata").text
    assert data == '<Skjema skjemanummer="9002" spesifikasjonsnummer="3"/>'


@pytest.mark.parametrize(
    ("about", "body", "words"),
    [
        ({}, main_form(), "SubForm"),
        ({}, sub_form(DataFormatId="1"), "subforms"),
        ({"user_may_add": False}, sub_form(), "cannot be added"),
        ({"max_one": True}, sub_form(), "once only"),
        ({"schema": SUB_XSD}, sub_form(FormData="<del><a>x</a></del>"), "Form validation failed"),
    ],
    ids=["main form", "another subform", "not by the user", "a second one", "broken schema"],
)
def test_a_subform_keeps_to_the_service(about: Any, body: Any, words: str) -> None:
    """400 with the rule in the reason phrase."""
    world = make_world()
    service(world, forms=[MAIN_TYPE, {**SUB, **about}])
    forms = (main_form(), sub_form()) if about.get("max_one") else (main_form(),)
    element = post(world, message(*forms), complete="false").headers["Location"]

    answer = as_altinn2_user(world).post(f"{element}/forms", json=body, headers=HAL)

    assert answer.status_code == 400
    assert words in answer.reason


def test_the_main_form_is_not_deleted() -> None:
    """400, and it is still there."""
    world = make_world()
    element = seeded(world)
    form = state(world, element)["forms"][0]["id"]

    answer = as_altinn2_user(world).delete(f"{API}/my/messages/{element}/forms/{form}")

    assert answer.status_code == 400
    assert len(state(world, element)["forms"]) == 1


@pytest.mark.parametrize("standing", ["signing", "archived"])
def test_forms_stand_still_outside_form_filling(standing: str) -> None:
    """No subform is added to what waits for a signature or is archived."""
    world = make_world()
    element = seeded(world, service={"forms": [MAIN_TYPE, SUB], "signing_steps": 1}, state=standing)

    answer = as_altinn2_user(world).post(f"{API}/my/messages/{element}/forms", json=sub_form(), headers=HAL)

    assert answer.status_code == 400


def test_a_user_signs_once_where_signers_are_unique() -> None:
    """The second signature of the same user is refused; the element still waits."""
    world = make_world()
    element = seeded(world, service={"signing_steps": 2, "unique_signers": True}, state="signing")
    session = as_altinn2_user(world)

    answers = [session.put(f"{API}/my/messages/{element}", json=message(), headers=HAL) for _ in range(2)]

    assert [each.status_code for each in answers] == [204, 400]
    assert answers[1].reason == "The user has already signed the element"
    assert state(world, element)["signatures"] == 1


def test_a_user_signs_every_step_where_signers_may_be_the_same() -> None:
    """The last one archives the element."""
    world = make_world()
    element = seeded(world, service={"signing_steps": 2}, state="signing")
    session = as_altinn2_user(world)

    answers = [session.put(f"{API}/my/messages/{element}", json=message(), headers=HAL) for _ in range(2)]

    assert [each.status_code for each in answers] == [204, 204]
    assert world.altinn2.archived_as(element) is not None


def test_who_may_not_sign_is_refused() -> None:
    """Without the right to sign a completing PUT is 403; a draft is still kept."""
    world = make_world()
    element = seeded(world)
    body = {"number": "310000019", "rights": ["Read", "Write"]}
    session_into(world).post(f"{BASE_URL}/_sandbox/altinn2/reportees", json=body)
    address = f"{API}/310000019/messages/{element}"
    session = as_altinn2_user(world)

    signing = session.put(address, json=message(main_form()), headers=HAL)
    keeping = session.put(
        address, json=message(main_form()), params={"complete": "false", "sign": "false"}, headers=HAL
    )

    assert (signing.status_code, keeping.status_code) == (403, 204)


def test_a_session_below_the_level_is_refused() -> None:
    """401 without a word, for reading and for writing."""
    world = make_world()
    element = seeded(world, service={"security_level": 4})
    session = as_altinn2_user(world)

    read = session.get(f"{API}/my/messages/{element}")
    written = session.put(f"{API}/my/messages/{element}", json=message(main_form()), headers=HAL)

    assert (read.status_code, written.status_code, read.content) == (401, 401, b"")
    assert world.ledger.effects() == ()


# The table of facts/altinn2.md 2.10: None is absent or nil, "" an empty element.
COMPARED = [
    (None, None, Verdict.EQUAL),
    (None, "", Verdict.DIFFERENT),
    (None, "4", Verdict.ADDED),
    ("", None, Verdict.EQUAL),
    ("", "", Verdict.EQUAL),
    ("", "4", Verdict.DIFFERENT),
    ("4", None, Verdict.DIFFERENT),
    ("4", "", Verdict.DIFFERENT),
    ("4.0", "4", Verdict.EQUAL),
    ("4", "0004.00", Verdict.EQUAL),
    ("4", "5", Verdict.DIFFERENT),
    ("4", "fire", Verdict.DIFFERENT),
    ("fire", "fire", Verdict.EQUAL),
    ("Fire", "fire", Verdict.DIFFERENT),
]


@pytest.mark.parametrize(("submitted", "expected", "verdict"), COMPARED)
def test_fields_are_compared_as_the_engine_does(submitted: str | None, expected: str | None, verdict: Verdict) -> None:
    """Each cell of the comparison table."""
    assert compared(submitted, expected, prefilled=False) is verdict


@pytest.mark.parametrize(("submitted", "equal"), [("OSLO", True), ("oslo", True), ("Bergen", False), ("4.0", False)])
def test_prefilled_fields_ignore_case_only(submitted: str, equal: bool) -> None:
    """A prefilled field is compared as text, whatever its case; numbers are no exception."""
    expected = "4" if submitted == "4.0" else "Oslo"

    assert (compared(submitted, expected, prefilled=True) is Verdict.EQUAL) == equal


FIELDS = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="melding"><xs:complexType>
  <xs:sequence><xs:element name="by" type="xs:string" minOccurs="0" nillable="true"/>
  <xs:element name="a" type="xs:integer"/><xs:element name="sum" type="xs:decimal" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element></xs:schema>"""
EXPECTED = [{"path": "/melding/by", "text": "Oslo"}, {"path": "/melding/sum", "calculation": "2 * number(//a)"}]
RULE = {"path": "/melding/a", "test": "number(//a) < 100", "message": "Må være under hundre"}


def judged(xml: str, **about: Any) -> tuple[World, str, Any]:
    world = make_world()
    kind = {**MAIN_TYPE, "schema": FIELDS, "expected": EXPECTED, "rules": [RULE], **about}
    element = seeded(world, service={"forms": [kind]}, forms=[{**MAIN, "xml": xml}])
    return world, element, as_altinn2_user(world).get(f"{API}/my/messages/{element}/validate").json()


JUDGED = [
    ("<melding><by>OSLO</by><a>2</a><sum>4.0</sum></melding>", {}, [], []),
    ("<melding><a>2</a></melding>", {}, [], ["/melding/by", "/melding/sum"]),
    ("<melding><by>Bergen</by><a>2</a><sum>5</sum></melding>", {}, ["/melding/by", "/melding/sum"], []),
    ("<melding><by>Oslo</by><a>200</a><sum>400</sum></melding>", {}, ["/melding/a"], []),
    (
        "<melding><by>Oslo</by><a>200</a><sum>400</sum></melding>",
        {"rules": [{**RULE, "soft": True}]},
        [],
        ["/melding/a"],
    ),
    ("<melding><by>Bergen</by><a>200</a></melding>", {"only_xsd": True}, [], []),
    ("<melding><a>x</a><sum>4</sum></melding>", {}, ["/melding/a"], []),
    (
        "<melding><by>Bergen</by><a>2</a><sum>4</sum></melding>",
        {"expected": [{**EXPECTED[0], "overridable": True}]},
        [],
        ["/melding/by"],
    ),
]


@pytest.mark.parametrize(("xml", "about", "errors", "warnings"), JUDGED)
def test_forms_are_judged_by_schema_then_rules(xml: str, about: Any, errors: list[str], warnings: list[str]) -> None:
    """Schema first; then prefill, calculations and rules, unless metadata says schema only."""
    _, _, found = judged(xml, **about)

    assert found["Success"] == (not errors)
    assert list(dict.fromkeys(each["FieldXPath"] for each in found["ValidationErrors"])) == errors
    assert [each["FieldXPath"] for each in found["ValidationWarnings"]] == warnings


@pytest.mark.parametrize(
    "xml",
    [
        "<melding><a>2</a></melding>",
        '<melding><by xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/><a>2</a></melding>',
    ],
    ids=["absent", "nil"],
)
def test_missing_values_are_added_at_completion(xml: str) -> None:
    """What was absent or nil is in the archived form, at the place that the schema has for it."""
    world, element, _ = judged(xml)

    answer = as_altinn2_user(world).put(f"{API}/my/messages/{element}", json=message(main_form(xml)), headers=HAL)

    held = state(world, answer.headers["Location"])["forms"][0]["xml"]
    assert answer.status_code == 204
    assert held.replace(' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', "") == (
        "<melding><by>Oslo</by><a>2</a><sum>4</sum></melding>"
    )


def test_drafts_and_form_puts_see_the_schema_only() -> None:
    """A wrong sum is no matter until completion, when it is 400 with its path."""
    world, element, _ = judged("<melding><a>2</a></melding>")
    wrong = "<melding><by>Oslo</by><a>2</a><sum>5</sum></melding>"
    session = as_altinn2_user(world)
    address = f"{API}/my/messages/{element}"
    flags = {"complete": "false", "sign": "false"}

    draft = session.put(address, json=message(main_form(wrong)), params=flags, headers=HAL)
    form = session.get(f"{address}/forms").json()["_embedded"]["forms"][0]["_links"]["self"]["href"]
    alone = session.put(form, json=main_form(wrong), headers=HAL)
    final = session.put(address, json=message(main_form(wrong)), headers=HAL)

    assert (draft.status_code, alone.status_code, final.status_code) == (204, 204, 400)
    assert [each["FieldXPath"] for each in final.json()["ValidationErrors"]] == ["/melding/sum"]


def test_a_bare_completion_is_judged_as_well() -> None:
    """Completing what is there judges what is there."""
    world, element, _ = judged("<melding><by>Bergen</by><a>2</a></melding>")

    answer = as_altinn2_user(world).put(f"{API}/my/messages/{element}", json=message(), headers=HAL)

    assert (answer.status_code, state(world, element)["state"]) == (400, "formfilling")


@pytest.mark.parametrize(("language", "latin"), [("en", False), ("nb", True)])
def test_reasons_come_in_norwegian_by_switch(language: str, latin: bool) -> None:
    """The letters of the reason phrase are outside ASCII, and arrive."""
    world = make_world(reason_language=language)
    element = seeded(world, attachments=[attachment()])

    answer = as_altinn2_user(world).put(f"{API}/my/messages/{element}", json=message(attachments=({},)), headers=HAL)
    main = as_altinn2_user(world).put(
        f"{API}/my/messages/{element}", json=message(main_form(Type="SubForm")), headers=HAL
    )

    assert answer.status_code == 400
    assert main.reason.isascii() != latin


def test_broken_forms_were_once_unauthorised() -> None:
    """401 before 20.5, with the same words: not every 401 is a login that ran out."""
    world = make_world(validation_status="401")
    service(world, forms=[{**MAIN_TYPE, "schema": SCHEMA}])

    answer = post(world, message(main_form("<melding/>")))

    assert (answer.status_code, answer.reason) == (401, "Form validation failed, see the attached validation details")
    assert len(answer.json()["ValidationErrors"]) == 1


@pytest.mark.parametrize("status", ["201", "200", "204"])
def test_the_status_of_a_post_is_a_switch(status: str) -> None:
    """201 is a guess: each position has its Location."""
    world = make_world(post_created_status=status)
    service(world)

    answer = post(world, message(main_form()))

    assert (answer.status_code, answer.headers["Location"] != "") == (int(status), True)


XML_HEAD = "<Type>FormTask</Type><ServiceCode>4711</ServiceCode><ServiceEdition>1</ServiceEdition>"
XML_BODIES = [
    ("not XML", "<resource>", "not XML"),
    ("a document type", f"<!DOCTYPE resource><resource>{XML_HEAD}</resource>", "document type"),
    (
        "ids that are none",
        f"<resource>{XML_HEAD}<SignatureSpec><FormIds><int>x</int></FormIds></SignatureSpec></resource>",
        "integers",
    ),
    (
        "others' ids",
        f"<resource>{XML_HEAD}<SignatureSpec><FormIds><int>1</int></FormIds></SignatureSpec></resource>",
        "names",
    ),
]


@pytest.mark.parametrize(("body", "words"), [row[1:] for row in XML_BODIES], ids=[row[0] for row in XML_BODIES])
def test_an_xml_body_is_held_to_the_same(body: str, words: str) -> None:
    """400 with the reason, as for JSON."""
    world = make_world()
    element = seeded(world, service={"signing_steps": 1}, state="signing")

    answer = as_altinn2_user(world).put(
        f"{API}/my/messages/{element}", data=body, headers={"Content-Type": "application/hal+xml"}
    )

    assert answer.status_code == 400
    assert words in answer.reason


BODIES = [
    ("not JSON", b"{", "not JSON"),
    ("a list", b"[]", "object"),
    ("open data", b'{"Data":"QQ==', "not JSON"),
    ("no code", b'{"Type":"FormTask"}', "ServiceCode is missing"),
    ("forms that are none", b'{"Type":"FormTask","ServiceCode":1,"ServiceEdition":1,"_embedded":{"forms":{}}}', "list"),
    (
        "an empty form",
        b'{"Type":"FormTask","ServiceCode":1,"ServiceEdition":1,"_embedded":{"forms":[{"Type":"SubForm"}]}}',
        "FormData",
    ),
    (
        "a signature of text",
        b'{"Type":"FormTask","ServiceCode":1,"ServiceEdition":1,"_embedded":{"SignatureSpec":{"FormIds":["1"]}}}',
        "integers",
    ),
]


@pytest.mark.parametrize(("body", "words"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_a_json_body_that_is_no_message_is_refused(body: bytes, words: str) -> None:
    """400, and the reason says what is missing without its value."""
    world = make_world()

    answer = as_altinn2_user(world).post(f"{API}/my/messages", data=body, headers=HAL)

    assert answer.status_code == 400
    assert words in answer.reason


@pytest.mark.parametrize("there", [True, False])
def test_a_put_of_a_form_may_tell_its_address(there: bool) -> None:
    """The documentation promises what nobody saw; the body must be of the form's own type."""
    world = make_world(location_on_form_put=there)
    element = seeded(world)
    address = f"{API}/my/messages/{element}/forms/{state(world, element)['forms'][0]['id']}"
    session = as_altinn2_user(world)

    right = session.put(address, json=main_form(), headers=HAL)
    wrong = [
        session.put(address, json=main_form(DataFormatVersion="2"), headers=HAL).status_code,
        session.put(address, json=main_form(FormData=""), headers=HAL).status_code,
        session.put(f"{address}0", json=main_form(), headers=HAL).status_code,
    ]

    assert (right.status_code, right.headers.get("Location")) == (204, address if there else None)
    assert wrong == [400, 400, 404]


def test_a_login_below_the_level_makes_nothing() -> None:
    """A login below the service's level makes nothing; neither does a service that is not there, as switched."""
    world = make_world(unknown_service_status="400", level_too_low_status="403")
    service(world, security_level=4)

    low = post(world, message(main_form()))
    unknown = post(world, {**message(main_form()), "ServiceEdition": "x"})

    assert (low.status_code, unknown.status_code, unknown.reason) == (403, 400, "The service was not found")
    assert world.ledger.effects() == ()


def test_a_service_is_described_in_the_words_of_mappings() -> None:
    """Who has written a mapping needs no second set of words; one thing in two words is refused by name."""
    world = make_world()
    rule = {"type": "Plan", "file_types": "*.pdf", "max_size_mb": 7}
    given = {"service_code": "4711", "service_edition": 2, "others_sign": True, "attachment_rules": [rule]}

    made = session_into(world).post(f"{BASE_URL}/_sandbox/altinn2/services", json=given)
    twice = session_into(world).post(f"{BASE_URL}/_sandbox/altinn2/services", json={**given, "code": "4711"})

    service = world.altinn2.service("4711", 2)
    assert service is not None
    (learnt,) = service.attachment_rules
    assert made.json() == {"service_code": "4711", "service_edition": 2}
    assert (service.user_controlled_signing, learnt.name, learnt.max_size) == (True, "Plan", 7)
    assert (twice.status_code, "service_code and code are the same: say one" in twice.text) == (400, True)
