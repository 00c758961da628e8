"""The rest of Altinn 2's end-user API against the sandbox: made, listed, validated, printed, logged in, and who."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from bridge.adapters.altinn2 import Altinn2Client, UnsafeUpdate
from bridge.adapters.altinn2.login import CookieLogin
from bridge.adapters.altinn2.metadata import (
    MetadataClient,
    MetadataFiles,
    action_faults,
    faults_against,
    online_faults,
    read_metadata,
)
from bridge.adapters.altinn2.orders import ElementKey, PutMessage
from bridge.adapters.altinn2.reportees import who_of
from bridge.adapters.http.session import new_session
from bridge.core.cases import CaseStatus
from bridge.core.elements import Form, InMemory
from bridge.core.errors import CredentialsRefused, Missing, Rejected, Unreachable
from bridge.core.mapping import (
    ActionMapping,
    AfterUpdate,
    Altinn2Service,
    AttachmentRule,
    FormKind,
    FormSource,
    FormSpec,
    Requirement,
    ServiceMapping,
    Then,
    Validation,
    Verb,
)
from bridge.core.targets import Target
from bridge.forms.registry import SchemaRegistry
from bridge.sandbox.altinn2 import model as there
from bridge.sandbox.in_process import SandboxAdapter
from tests.adapters.test_altinn2 import ATTACHMENT, FORM, HOST, SERVICE, SIGNED_SERVICE, START, ApiKey, Bench
from tests.contract.recordings import needs_shared
from tests.core.test_decision import SEND_TO_SIGNING, SIGN

SUB_TYPE = there.FormType(
    kind="SubForm", data_format_id="5704", data_format_version="1", max_one=False, prefill="<under/>"
)
WITH_SUB = replace(SERVICE, edition=3, forms=(*SERVICE.forms, SUB_TYPE))
SUB = Form(kind=FormKind.SUB, data_format_id="5704", data_format_version="1", data="<under><a>1</a></under>")


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.world.altinn2.people.know("310000019")
    return made


def at(bench: Bench, service: there.Service = SERVICE) -> ElementKey:
    return replace(bench.element(service), who="310000019")


# Elements


def test_elements_are_listed_page_by_page(bench: Bench) -> None:
    """All of them, once each."""
    keys = {at(bench).message_id for _ in range(120)}

    found = list(bench.client.elements("310000019", since=START - timedelta(days=1)))

    assert len(found) == 120
    assert {each.case.key for each in found} == keys


def test_a_filter_is_passed_on(bench: Bench) -> None:
    """OData is Altinn 2's to understand."""
    at(bench)
    other = at(bench, WITH_SUB)

    found = list(bench.client.elements("310000019", since=START - timedelta(days=1), filtered="ServiceEdition eq 3"))

    assert [each.case.key for each in found] == [other.message_id]


def test_deleting_twice_is_no_fault(bench: Bench) -> None:
    """What is gone is gone."""
    key = at(bench)

    bench.client.delete(key)
    bench.client.delete(key)

    assert len(bench.world.ledger.effects("altinn2.delete")) == 1


def test_a_verdict_names_places(bench: Bench) -> None:
    """Errors by path, without the messages that may hold values."""
    key = at(bench)
    good = bench.client.validate(key)
    bench.world.change_switches(validate_drafts=False)
    bad = replace(FORM, data="<melding><antall>mange</antall></melding>")
    order = PutMessage(
        key=key,
        service_code="4711",
        service_edition=1,
        forms=(bad,),
        attachments=(),
        after=AfterUpdate.KEEP_AS_DRAFT,
    )
    bench.client.put(order)

    verdict = bench.client.validate(key)

    assert good.sound
    assert not verdict.sound
    assert any("antall" in each for each in verdict.errors)


def test_what_is_signed_can_be_read_before(bench: Bench) -> None:
    """A text where something is to be signed, and nothing elsewhere."""
    key = at(bench, SIGNED_SERVICE)
    with pytest.raises(Missing):
        bench.client.signing_text(key)
    held = bench.element(SIGNED_SERVICE, there.State.SIGNING)

    text = bench.client.signing_text(replace(held, who="310000019"))

    assert text


def test_a_print_is_handed_on(bench: Bench) -> None:
    """As it comes, with its type."""
    coming = bench.client.print(at(bench))

    assert coming.answer.headers["Content-Type"].startswith("application/pdf")
    assert b"".join(coming).startswith(b"%PDF")


# Forms and attachments


def test_subforms_come_change_and_go(bench: Bench) -> None:
    """Added empty or filled, changed alone, taken away; the main form stays."""
    key = at(bench, WITH_SUB)

    added = bench.client.add_subform(key, SUB)
    prefilled = bench.client.add_subform(key, replace(SUB, data=""))
    bench.client.update_form(key, replace(SUB, form_id=added, data="<under><a>2</a></under>"))
    bench.client.delete_subform(key, replace(SUB, form_id=prefilled))

    forms = bench.client.read(key, content=True).forms
    assert [(each.kind, each.data) for each in forms] == [
        (FormKind.MAIN, FORM.data),
        (FormKind.SUB, "<under><a>2</a></under>"),
    ]
    with pytest.raises(ValueError, match="main form"):
        bench.client.delete_subform(key, forms[0])


def test_an_attachment_comes_and_goes(bench: Bench) -> None:
    """As base64; its id is told, and by it it goes."""
    key = at(bench)
    more = replace(ATTACHMENT, file_name="mer.pdf", content=InMemory(b"mer"))

    number = bench.client.post_attachment(key, more)
    there_now = [each.file_name for each in bench.client.list_attachments(key)]
    bench.client.delete_attachment(key, number or 0)

    assert there_now == [ATTACHMENT.file_name, "mer.pdf"]
    assert [each.file_name for each in bench.client.list_attachments(key)] == [ATTACHMENT.file_name]


def test_a_bare_put_needs_to_be_wanted(bench: Bench) -> None:
    """Without forms nothing is sent to an element that is not in signing, unless the mapping says so."""
    order = PutMessage(
        key=at(bench),
        service_code="4711",
        service_edition=1,
        forms=(),
        attachments=(),
        after=AfterUpdate.SEND_TO_SIGNING,
    )

    with pytest.raises(UnsafeUpdate):
        bench.client.put(order)

    assert not bench.world.ledger.effects("altinn2.put")


# Who


def test_reportees_lead_from_party_to_who(bench: Bench) -> None:
    """Persons are found by number and addressed by their r-id; strangers are nobody."""
    person = bench.world.new_person()
    party = bench.world.altinn2.people.know(person)
    assert party is not None

    reportees = bench.client.reportees()

    assert who_of(f"urn:altinn:person:identifier-no:{person}", reportees) == party.reportee
    assert who_of("urn:altinn:organization:identifier-no:310000035", reportees) is None


# Logging in


def cookie_client(bench: Bench, password: str = "Passord1") -> Altinn2Client:
    bench.world.altinn2.people.register(there_user("bruker", "Passord1", "310000019"))
    session = new_session(pool=1, mounts={HOST: SandboxAdapter(bench.world)})
    login = CookieLogin(
        session,
        f"{HOST}/altinn2/api",
        user="bruker",
        password=ApiKey(password),
        enterprise=False,
        clock=lambda: bench.now,
    )
    return Altinn2Client(
        session,
        f"{HOST}/altinn2/api",
        api_key=ApiKey(bench.world.altinn2_api_key),
        auth=login,
        clock=lambda: bench.now,
    )


def there_user(name: str, password: str, party: str) -> "object":
    from bridge.sandbox.altinn2.people import User

    return User(name=name, password=password, party=party)


@pytest.mark.parametrize("cookie", ["AspxAuthTT02", "ASPXAUTH", "AspxAuthProd"])
def test_a_cookie_opens_and_is_renewed(bench: Bench, cookie: str) -> None:
    """Under whatever name the environment gives it; one login serves many calls."""
    bench.switch(cookie_name=cookie)
    key = at(bench)
    client = cookie_client(bench)

    for _ in range(3):
        client.read(key, content=False)

    logins = [each for each in bench.world.calls.all() if "authenticatewithpassword" in each.path]
    assert len(logins) == 1


def test_two_failed_logins_lock_the_login(bench: Bench) -> None:
    """Altinn 2 locks after ten; we stop at two, and say so."""
    key = at(bench)
    client = cookie_client(bench, "feil")

    reasons = []
    for _ in range(4):
        with pytest.raises(CredentialsRefused) as caught:
            client.read(key, content=False)
        reasons.append(caught.value.reason)

    assert reasons == ["login_refused", "login_refused", "login_locked", "login_locked"]
    logins = [each for each in bench.world.calls.all() if "authenticatewithpassword" in each.path]
    assert len(logins) == 2


def test_a_cookie_goes_to_its_own_host_only(bench: Bench) -> None:
    """Nothing is logged in, or sent, elsewhere."""
    login = CookieLogin(
        new_session(pool=1),
        "https://a.example/api",
        user="u",
        password=ApiKey("p"),
        enterprise=False,
        clock=lambda: bench.now,
    )

    with pytest.raises(Rejected, match="another host"):
        login(requests.Request("GET", "https://b.example/api").prepare())


# Metadata


def mapping_for(**about: object) -> ServiceMapping:
    values: dict[str, object] = {
        "service_resource": "urn:altinn:resource:proeve",
        "altinn2": Altinn2Service(service_code="4711", service_edition=1),
        "altinn3": None,
        "forms": (FormSpec(kind=FormKind.MAIN, data_format_id="5703", data_format_version="34553", schema=None),),
        "actions": {},
        "states": {},
        "source": "proeve.yaml",
    }
    return ServiceMapping(**(values | about))  # type: ignore[arg-type]


def test_mappings_are_held_against_metadata(bench: Bench, tmp_path: Path) -> None:
    """Sound ones have no fault, and what was fetched is kept for when nobody answers any more."""
    bench.world.altinn2.register(SERVICE)
    client = MetadataClient(
        new_session(pool=1, mounts={HOST: SandboxAdapter(bench.world)}), f"{HOST}/altinn2/api", clock=lambda: bench.now
    )
    files = MetadataFiles(tmp_path)
    mappings = [mapping_for()]
    notes: list[str] = []

    sound = list(online_faults(mappings, client, files, now=bench.now, notes=notes))
    bench.switch(shutdown="410")
    kept = list(online_faults(mappings, client, files, now=bench.now, notes=notes))
    nothing = list(online_faults(mappings, client, MetadataFiles(None), now=bench.now, notes=notes))

    assert sound == kept == []
    assert notes == ["Altinn 2 says of 4711/1 that REST is not enabled, as it does of most services"] * 2
    assert [each.message for each in nothing] == [
        "Altinn 2 has no metadata of service 4711/1 to give: Altinn 2 is closed"
    ]
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".xsd", ".json"]


def test_a_schema_of_another_form_is_told(bench: Bench, tmp_path: Path) -> None:
    """The subform's on the main form: forms begin otherwise in Altinn 2 than by the schema that the mapping names."""
    bench.world.altinn2.register(SERVICE)
    client = MetadataClient(
        new_session(pool=1, mounts={HOST: SandboxAdapter(bench.world)}), f"{HOST}/altinn2/api", clock=lambda: bench.now
    )
    spec = FormSpec(kind=FormKind.MAIN, data_format_id="5703", data_format_version="34553", schema=None)
    (tmp_path / "under.xsd").write_text(f"<x:schema {XSD}><x:element name='under'/></x:schema>")
    (tmp_path / "melding.xsd").write_text(f"<x:schema {XSD}><x:element name='melding'/></x:schema>")
    registry = SchemaRegistry(tmp_path)

    def told(name: str) -> list[str]:
        mappings = [mapping_for(forms=(replace(spec, schema=name),))]
        notes: list[str] = []
        found = online_faults(
            mappings, client, MetadataFiles(None), now=bench.now, notes=notes, other=registry.begins_otherwise
        )
        return [each.message for each in found]

    assert told("melding.xsd") == []
    begins = "MainForm 5703/34553 begins with melding in Altinn 2, and with under by under.xsd"
    assert told("under.xsd") == [f"{begins}: is that the schema of another form?"]


XSD = 'xmlns:x="http://www.w3.org/2001/XMLSchema"'
IN_FORCE = datetime(2026, 3, 2, tzinfo=UTC)
METADATA: Mapping[str, object] = {
    "FormsMetaData": [{"FormType": "MainForm", "DataFormatID": "5703", "DataFormatVersion": 2}],
    "AttachmentRules": [
        {"AttachmentTypeName": "Plan", "AllowedFileTypes": "*.pdf", "MaxAttachmentCount": 2, "MaxFileSize": 10}
    ],
    "ProcessSteps": [{"SequenceNumber": 2, "Name": "Betaling"}, {"SequenceNumber": 1, "Name": "FormFilling"}],
}


def test_what_differs_from_metadata_is_told() -> None:
    """The form's version, a type that is not there, and each looser rule, with what to write."""
    rules = (
        AttachmentRule(type="Plan", extensions=(), min_count=0, max_count=None, max_bytes=20_000_000),
        AttachmentRule(type="Kart", extensions=(), min_count=0, max_count=None, max_bytes=1),
    )

    found = read_metadata(json.loads(json.dumps(METADATA)))
    messages = [each.message for each in faults_against(mapping_for(attachment_rules=rules), found, now=IN_FORCE)]

    assert found.has_payment
    assert found.steps == ("FormFilling", "Betaling")
    assert [message.partition(":")[0] for message in messages] == [
        "the service has no MainForm 5703/34553",
        "attachments of type Plan are looser than Altinn 2 takes them",
        "attachments of type Plan are looser than Altinn 2 takes them",
        "attachments of type Plan are looser than Altinn 2 takes them",
        "the service has no attachment type Kart",
    ]


def test_more_signing_steps_than_the_mapping_says_are_told() -> None:
    """Where an action signs, with what to write; a mapping that leaves signing to Altinn has no fault."""
    steps = [{"SequenceNumber": n, "Name": name} for n, name in enumerate(("FormFilling", "Signing", "Signering"), 1)]
    form = {"FormType": "MainForm", "DataFormatID": "5703", "DataFormatVersion": 34553}
    found = read_metadata({"FormsMetaData": [form], "ProcessSteps": steps})
    both = Altinn2Service(service_code="4711", service_edition=1, signing_steps=2)

    one = list(faults_against(mapping_for(actions={"sign": SIGN}), found, now=IN_FORCE))
    two = list(faults_against(mapping_for(actions={"sign": SIGN}, altinn2=both), found, now=IN_FORCE))
    left = list(faults_against(mapping_for(actions={"send": SEND_TO_SIGNING}), found, now=IN_FORCE))

    assert [each.message.partition(";")[0] for each in one] == ["sign: the service has 2 signing steps"]
    assert "write signing_steps: 2" in one[0].message
    assert two == left == []


@needs_shared
@pytest.mark.contract
@pytest.mark.parametrize(
    "name",
    [
        "metadata_formtask_3225_2_two_attachmentrules.hal.json",
        "metadata_formtask_3357_130815_attachmentrule.hal.json",
        "metadata_formtask_3734_150114.hal.json",
        "metadata_formtask_4711_1.recorded.json",
        "metadata_formtask_4942_2017.recorded.json",
    ],
)
def test_sampled_metadata_is_read(name: str) -> None:
    """Recorded and documented ones, in both spellings."""
    folder = Path(__file__).parents[2] / ".." / "shared" / "contracts" / "altinn2"

    found = read_metadata(json.loads((folder / name).read_text("utf-8")))

    assert any(kind is FormKind.MAIN for kind, _, _ in found.forms)
    assert not found.has_payment


@pytest.mark.parametrize(("shutdown", "reason"), [("410", "gone"), ("html_landing", "gone")])
def test_the_closed_system_is_called_closed(bench: Bench, shutdown: str, reason: str) -> None:
    """On every kind of call: what is over is not tried again."""
    key = at(bench)
    bench.switch(shutdown=shutdown)

    for call in (bench.client.reportees, lambda: bench.client.validate(key), lambda: bench.client.confirm(key)):
        with pytest.raises((Rejected, Unreachable)) as caught:
            call()
        assert getattr(caught.value, "reason", "") == reason


def test_a_state_of_letters_is_known(bench: Bench) -> None:
    """Unread, read and confirmed are states of their own."""
    letter = there.Letter(needs_confirmation=True)
    service = replace(SERVICE, edition=9, kind="Correspondence", forms=())
    held = bench.world.altinn2.add(
        who=["310000019"], service=service, forms=[], letter=letter, state=there.State.UNREAD, now=bench.now
    )
    key = ElementKey(who="310000019", message_id=held.id)

    before = bench.client.read(key, content=False)
    bench.client.confirm(key)

    assert (before.state, before.type) == (CaseStatus.UNREAD, "Correspondence")
    assert bench.client.read(key, content=False).state is CaseStatus.CONFIRMED


PROCESS: Mapping[str, object] = {
    "ValidFrom": "2014-01-15T00:00:00",
    "ValidTo": "2027-01-15T00:00:00",
    "RestEnabled": False,
    "FormsMetaData": METADATA["FormsMetaData"],
    "ProcessSteps": [
        {"SequenceNumber": 1, "Name": "FormFilling", "SecurityLevel": 2},
        {"SequenceNumber": 2, "Name": "Signering", "SecurityLevel": "4"},
    ],
}
UNSIGNED = {**PROCESS, "ProcessSteps": [{"SequenceNumber": 1, "Name": "FormFilling", "SecurityLevel": 2}]}


def put_action(after: AfterUpdate, *, form: FormSource = FormSource.MESSAGE) -> ActionMapping:
    return ActionMapping(
        name="act",
        requires=Requirement(action="write"),
        minimum_level=3,
        target=Target.ALTINN2,
        form=form,
        set_values=(),
        calculate=False,
        validate=Validation.OFF,
        after=after,
        then=Then(),
    )


@pytest.mark.parametrize(
    ("metadata", "action", "level", "codes"),
    [
        pytest.param(PROCESS, put_action(AfterUpdate.SIGN_AND_ARCHIVE), 4, [], id="signed at its level"),
        pytest.param(
            PROCESS, put_action(AfterUpdate.SIGN_AND_ARCHIVE), 3, ["service_level_too_low"], id="signed below it"
        ),
        pytest.param(PROCESS, put_action(AfterUpdate.SEND_TO_SIGNING), 2, [], id="filled in at that level"),
        pytest.param(
            PROCESS, put_action(AfterUpdate.KEEP_AS_DRAFT), 1, ["service_level_too_low"], id="filled in below it"
        ),
        pytest.param(
            UNSIGNED, put_action(AfterUpdate.SEND_TO_SIGNING), 4, ["no_signing_step"], id="to signing without a step"
        ),
        pytest.param(
            UNSIGNED,
            put_action(AfterUpdate.SIGN_AND_ARCHIVE, form=FormSource.NONE),
            4,
            ["no_signing_step"],
            id="a signature without a step",
        ),
        pytest.param(UNSIGNED, put_action(AfterUpdate.SIGN_AND_ARCHIVE), 4, [], id="sent in without a step"),
        pytest.param(
            {**PROCESS, "ValidTo": "2026-03-02T00:00:00"},
            put_action(AfterUpdate.KEEP_AS_DRAFT),
            4,
            ["service_not_in_force"],
            id="after its time",
        ),
        pytest.param(
            {**PROCESS, "ValidFrom": "2026-03-03T00:00:00"},
            put_action(AfterUpdate.KEEP_AS_DRAFT),
            4,
            ["service_not_in_force"],
            id="before its time",
        ),
        pytest.param({}, put_action(AfterUpdate.SEND_TO_SIGNING), 0, [], id="nothing is known"),
        pytest.param(
            {**PROCESS, "ValidTo": "2026-03-02T00:00:00"},
            replace(put_action(AfterUpdate.KEEP_AS_DRAFT), verb=Verb.DELETE),
            0,
            [],
            id="what is thrown away goes through no step",
        ),
    ],
)
def test_an_action_is_held_against_the_service(
    metadata: Mapping[str, object], action: ActionMapping, level: int, codes: list[str]
) -> None:
    """Its process, its steps' levels and its time; what metadata does not tell stops nothing."""
    found = read_metadata(metadata)

    told = [each.problem.code for each in action_faults(action, found, level=level, now=IN_FORCE)]
    actions = {"act": replace(action, minimum_level=level)}
    faults = list(faults_against(mapping_for(actions=actions, forms=()), found, now=IN_FORCE))

    assert told == codes
    assert len(faults) == len(codes)
