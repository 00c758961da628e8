"""A third target is one class and one entry: from the press to the changed dialog, by nothing else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import pytest
from click.testing import CliRunner
from pydantic import Field
from werkzeug.test import TestResponse

from bridge.bundled import mappings_folder, schemas_folder
from bridge.cli.check.command import check
from bridge.config.mapping_keys import ActionKeys, Lacked
from bridge.config.mapping_parts import Parts
from bridge.config.mappings import read_mappings, recalled
from bridge.config.yaml_source import Place
from bridge.core.attachments import Attached, AttachmentId, ListedAttachment, Offer
from bridge.core.cases import ArchivedCopy, CaseRef, CaseState, CaseStatus
from bridge.core.delivery import Event
from bridge.core.dialogs import Dialog
from bridge.core.elements import Attachment, Element, Form
from bridge.core.errors import Fault
from bridge.core.mapping import ActionMapping, Embeds, FormKind, FormSource, ServiceMapping, Validation
from bridge.core.operations import Link, Outcome, Upload
from bridge.core.prints import PDF, Print
from bridge.core.problems import Problem, Refusal
from bridge.core.targets import Target
from bridge.parts import Bridge
from bridge.sandbox import Sandbox, World
from bridge.sandbox.control import settings
from bridge.steps.delivery import Delivery, PlannedWrite
from bridge.steps.drivers.protocol import Cases, Online, OnlineReport
from bridge.steps.drivers.registry import CASES, DRIVERS, UPLOADS, VIEWS, cases_of
from tests.scenarios.stage import ORGANISATION, RESOURCE, VALID, Case, Stage, until

ECHO = Target("echo")
HEARD_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


NOTE = CaseRef(system=ECHO.value, owner="me", key="a1001")
"""A case of the third system, which by its key could be Altinn 2's."""
LABEL = "urn:echo:note:a1001"
"""By which a dialog points at it."""
LOUD = 3
"""The level of whoever is heard."""
TOO_LOW = Problem(code="level_too_low", status=403, facts={"level": str(LOUD)})


class EchoKeys(ActionKeys):
    """The keys of an action that calls into the mountains."""

    target: Annotated[Literal["echo"], Field()]
    times: Annotated[int, Field(ge=1)] = 1
    sign: Lacked = None


class Echo:
    """Hears a form at its first look, and has it at the second. It holds cases of its own."""

    keys = EchoKeys

    def __init__(self) -> None:
        self.heard: list[bytes | None] = []

    def check_mapping(self, said: Parts) -> Iterator[tuple[Place, str]]:
        for name, action in said.actions_of(ECHO):
            if isinstance(action, EchoKeys) and action.times > 3:
                yield ("actions", name, "times"), "no echo comes back so often: write at most 3"

    def check_online(self, mappings: Sequence[ServiceMapping], online: Online) -> OnlineReport:
        calling = [each for each in mappings if any(action.target is ECHO for action in each.actions.values())]
        assert online.settings.environment
        silent = [Fault(where=each.source, message="nothing comes back from the mountains") for each in calling]
        return OnlineReport(faults=silent, told=[f"echo: {len(calling)} call"])

    def deliver(self, delivery: Delivery) -> datetime | None:
        operation, now = delivery.operation, delivery.bridge.clock()
        if operation.sending_at is None:
            planned = PlannedWrite(event=Event.SENT_WHOLE, manifest=None, send=lambda: self._hear(operation.body))
            out = delivery.set_out(planned, built_on=None, until=now, since=now)
            assert isinstance(out, Delivery)
            return out.answered(planned.send()).operation.answered_at
        delivery.ended(Outcome.DONE, state=CaseStatus.ARCHIVED.value, archived_id=operation.archived_id)
        return None

    def level_missing(
        self, _bridge: Bridge, _mapping: ServiceMapping, _action: ActionMapping, *, level: int
    ) -> Problem | None:
        return TOO_LOW if level < LOUD else None

    def archived_copy(self, key: str) -> ArchivedCopy:
        return ArchivedCopy(key=key, reference=None)

    def first_use(self, _bridge: Bridge, dialog: Dialog) -> CaseRef | None:
        return NOTE if LABEL in dialog.labels else None

    def observe(self, _bridge: Bridge, link: Link) -> CaseState | None:
        if link.case != NOTE or not self.heard:
            return None
        count = str(len(self.heard))
        return CaseState(status=CaseStatus.ARCHIVED, version=count, last_changed=HEARD_AT, archived_as=f"echo-{count}")

    def _hear(self, body: bytes | None) -> str:
        self.heard.append(body)
        return f"echo-{len(self.heard)}"


class EchoViews:
    """Shows what was heard, and prints it once something was."""

    def __init__(self, echo: Echo) -> None:
        self._echo = echo

    def level_missing(self, _bridge: Bridge, _mapping: ServiceMapping, *, level: int) -> Problem | None:
        return TOO_LOW if level < LOUD else None

    def element(self, _bridge: Bridge, link: Link) -> Element:
        return Element(
            case=link.required_case,
            state=CaseStatus.FORM_FILLING,
            status_text="",
            service_code="",
            service_edition=0,
            last_changed=HEARD_AT,
            original_id=None,
            forms=(),
            attachments=(),
        )

    def reference(self, _element: Element) -> str | None:
        return None

    def forms(self, bridge: Bridge, link: Link, _element: Element) -> tuple[Form, ...]:
        return self.listed_forms(bridge, link)

    def listed_forms(self, _bridge: Bridge, link: Link) -> tuple[Form, ...]:
        assert link.case == NOTE
        heard = [(each or b"").decode() for each in self._echo.heard]
        return tuple(
            Form(kind=FormKind.MAIN, data_format_id="note", data_format_version="1", data=each, form_id=at)
            for at, each in enumerate(heard)
        )

    def listed_attachments(self, _bridge: Bridge, _link: Link) -> tuple[ListedAttachment, ...]:
        return ()

    def signing_text(self, _bridge: Bridge, _link: Link, *, language: str) -> str:
        return f"Hei, {language}!"

    def print(self, _bridge: Bridge, _link: Link, *, language: str, chunks: bool) -> Print:
        assert chunks
        if not self._echo.heard:
            raise Refusal("nothing_to_print", 404)
        return Print((each for each in (b"%PDF ", language.encode())), PDF, None)


class EchoUploads:
    """Keeps each file under its name, and finds none by a number."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def find(self, _bridge: Bridge, _link: Link, _target: AttachmentId) -> Upload | Attachment:
        raise Refusal("unknown_attachment", 404)

    def attach(
        self,
        bridge: Bridge,
        *,
        mapping: ServiceMapping,
        action: ActionMapping,
        link: Link,
        offer: Offer,
        target: AttachmentId | None,
    ) -> Attached:
        assert (mapping.service_resource, action.target, target) == (RESOURCE, ECHO, None)
        self.kept[offer.file_name] = offer.read(offer.length or 0)
        upload = Upload(
            id=bridge.new_id(),
            dialog_id=link.dialog_id,
            case=link.required_case,
            file_name=offer.file_name,
            attachment_type=offer.attachment_type,
            length=offer.length,
        )
        return Attached(upload, repeated=False)

    def detach(
        self, bridge: Bridge, *, mapping: ServiceMapping, action: ActionMapping, link: Link, target: AttachmentId
    ) -> None:
        assert (mapping.service_resource, action.target) == (RESOURCE, ECHO)
        self.find(bridge, link, target)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("bridge"), BRIDGE_ANSWER_WITHIN="0")
    mapping = made.bridge.mappings[RESOURCE]
    echo = replace(
        mapping.actions["submit"],
        target=ECHO,
        minimum_level=LOUD - 1,
        form=FormSource.BODY,
        set_values=(),
        validate=Validation.OFF,
    )
    cast("dict[str, ServiceMapping]", made.bridge.mappings)[RESOURCE] = replace(
        mapping, actions={**mapping.actions, "submit": echo}, embeds=Embeds(minimum_level=3)
    )
    yield made
    made.stop()


@pytest.fixture
def echo() -> Iterator[Echo]:
    DRIVERS[ECHO] = made = Echo()
    CASES[ECHO.value] = cast("Cases", made)
    yield made
    del DRIVERS[ECHO], CASES[ECHO.value]


@pytest.fixture
def views(echo: Echo) -> Iterator["EchoViews"]:
    VIEWS[ECHO.value] = made = EchoViews(echo)
    yield made
    del VIEWS[ECHO.value]


@pytest.fixture
def uploads(views: "EchoViews") -> Iterator["EchoUploads"]:
    assert views
    UPLOADS[ECHO.value] = made = EchoUploads()
    yield made
    del UPLOADS[ECHO.value]


def test_a_press_goes_to_the_driver_of_its_target(stage: Stage, echo: Echo) -> None:
    """202, then the dialog says that it was done, of a case that is its system's; nothing was asked of Altinn 2."""
    case = noted(stage)
    asked = len(stage.world.calls.all("altinn2"))

    answer = stage.press(case, data=VALID, content_type="application/xml")
    until(lambda: bool(stage.operations(case)) and stage.operations(case)[0].finished_at is not None)

    (operation,) = stage.operations(case)
    assert answer.status_code == 202
    assert (operation.case, operation.outcome, operation.archived_id) == (NOTE, Outcome.DONE, "echo-1")
    found = cases_of(operation.required_case).observe(stage.bridge, link_to(case))
    assert found is not None
    assert (found.status, found.version) == (CaseStatus.ARCHIVED, "1")
    assert echo.heard == [VALID.encode()]
    assert said(stage.dialog(case)) == ("Completed", ["FormSubmitted"])
    assert len(stage.world.calls.all("altinn2")) == asked
    assert stage.element(case)["state"] == "formfilling"


@pytest.mark.usefixtures("views")
def test_a_case_is_shown_by_its_system(stage: Stage, echo: Echo) -> None:
    """Forms, the text that is signed, the dialog's embed, and a print once there is one. Altinn 2 is not asked."""
    case, asked = noted(stage), len(stage.world.calls.all("altinn2"))
    silent = stage.press(case, "submit/print", method="GET")
    echo.heard.append(b"<note><text>Ohoi</text></note>")

    forms = stage.press(case, "submit/forms", method="GET")
    signed = stage.press(case, "submit/signingtext", method="GET", headers={"Accept-Language": "nn"})
    printed = stage.press(case, "submit/print", method="GET")
    attached = stage.press(case, "submit/attachments", method="GET")
    embed = embedded(stage, case)

    expected = {"FormId": 0, "Type": "MainForm", "DataFormatId": "note", "DataFormatVersion": "1"}
    assert forms.get_json() == {"forms": [expected]}
    assert signed.text == "Hei, nn!"
    assert problem(silent) == (404, "nothing_to_print")
    assert (printed.data, printed.mimetype) == (b"%PDF nb", PDF)
    assert attached.get_json() == {"attachments": []}
    assert (embed.status_code, embed.text) == (200, "- **Text:** Ohoi\n")
    assert len(stage.world.calls.all("altinn2")) == asked


def test_a_link_to_a_print_survives_that_nobody_shows_the_case(stage: Stage, echo: Echo, views: "EchoViews") -> None:
    """It gave nothing, and opens the print once its system has views again."""
    case = noted(stage)
    echo.heard.append(b"<note/>")
    address = stage.press(case, "submit/print").headers["Location"]

    del VIEWS[ECHO.value]
    away = stage.client.get(address)
    VIEWS[ECHO.value] = views
    back = stage.client.get(address)

    assert problem(away) == (404, "case_not_shown")
    assert (back.status_code, back.data) == (200, b"%PDF nb")


@pytest.mark.usefixtures("echo", "views")
def test_its_levels_are_its_own(stage: Stage) -> None:
    """Its views refuse who looks, and its driver who presses; at the door, whatever Altinn 2's service asks for."""
    case = noted(stage)
    low = stage.token(case, level=LOUD - 1)

    answers = [
        stage.press(case, "submit/forms", method="GET", token=low),
        stage.press(case, token=low, data=VALID, content_type="application/xml"),
    ]

    assert [problem(each) for each in answers] == [(403, "level_too_low")] * 2
    assert stage.operations(case) == []


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("submit/forms", "GET"),
        ("submit/print", "GET"),
        ("submit/print", "POST"),
        ("submit/signingtext", "GET"),
        ("submit/attachments", "GET"),
    ],
)
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_a_case_that_nobody_shows_is_refused_by_name(stage: Stage, path: str, method: str, language: str) -> None:
    """404, in the words of who looks; not what Altinn 2 has under that key."""
    case, asked = noted(stage), len(stage.world.calls.all("altinn2"))

    answer = stage.press(case, path, method=method, headers={"Accept-Language": language})

    assert problem(answer) == (404, "case_not_shown")
    assert "echo" in answer.get_json()["detail"]
    assert problem(embedded(stage, case)) == (404, "case_not_shown")
    assert len(stage.world.calls.all("altinn2")) == asked


FILE: Mapping[str, Any] = {"data": b"%PDF-1.7", "content_type": "application/octet-stream"}


def test_a_case_gets_files_by_its_system(stage: Stage, uploads: EchoUploads) -> None:
    """They come to who attaches files to its cases, and not to Altinn 2."""
    case, asked = noted(stage), len(stage.world.calls.all("altinn2"))

    answer = stage.press(case, "submit/attachments?fileName=plan.pdf&attachmentType=Plan", **FILE)

    assert (answer.status_code, answer.get_json()["fileName"]) == (201, "plan.pdf")
    assert uploads.kept == {"plan.pdf": FILE["data"]}
    assert len(stage.world.calls.all("altinn2")) == asked


@pytest.mark.usefixtures("views")
@pytest.mark.parametrize(
    ("path", "method", "how"),
    [
        ("attachments?fileName=plan.pdf&attachmentType=Plan", "POST", FILE),
        ("attachments/7?fileName=plan.pdf", "PUT", FILE),
        ("attachments/7", "DELETE", {}),
    ],
)
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_a_case_that_takes_no_files_is_refused_by_name(
    stage: Stage, path: str, method: str, how: Mapping[str, Any], language: str
) -> None:
    """409 to adding, replacing and removing."""
    case, asked = noted(stage), len(stage.world.calls.all("altinn2"))

    answer = stage.press(case, f"submit/{path}", method=method, headers={"Accept-Language": language}, **how)

    assert problem(answer) == (409, "case_without_uploads")
    assert "echo" in answer.get_json()["detail"]
    assert len(stage.world.calls.all("altinn2")) == asked


@pytest.mark.usefixtures("views")
def test_a_dialog_is_found_to_stand_for_its_case(stage: Stage) -> None:
    """At its first use, where Altinn 2 knows no element of it."""
    case = stage.case()
    labels = {"serviceOwnerLabels": [{"value": LABEL}]}
    mine = stage.dialog_for("a1", case.who, serviceOwnerContext=labels)

    answer = stage.press(mine, "submit/forms", method="GET")

    assert answer.get_json() == {"forms": []}
    with stage.bridge.store.reading() as tx:
        link = tx.link(mine.dialog_id)
    assert link is not None
    assert link.case == NOTE


SHIPPED = (mappings_folder() / "serveringsbevilling.yaml").read_text("utf-8")


def calling(folder: Path, keys: str) -> Path:
    """The shipped mapping with an action that calls; it stands on the line after ``actions:``."""
    action = f"requires: write, minimum_level: 3, form: body, {keys}"
    path = folder / "m.yaml"
    path.write_text(SHIPPED.replace("\nactions:\n", f"\nactions:\n  call: {{{action}}}\n"), "utf-8")
    return path


def faults_of(path: Path) -> list[str]:
    """What is wrong with the only action, from its first key on."""
    line = path.read_text("utf-8").splitlines().index("actions:") + 2
    _, faults = read_mappings(path, schemas_folder(), targets=DRIVERS)
    return [str(each).removeprefix(f"{path}:{line}:") for each in faults]


@pytest.mark.usefixtures("echo")
def test_its_mapping_has_its_own_keys(tmp_path: Path) -> None:
    """They become an action of that target, which what was accepted can be made again of."""
    services, faults = read_mappings(calling(tmp_path, "target: echo, times: 2"), schemas_folder(), targets=DRIVERS)

    (mapping,) = services.values()
    assert faults == []
    assert mapping.actions["call"].target is ECHO
    assert recalled(mapping.said, DRIVERS) == replace(mapping, source="a mapping that was accepted")


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("target: echo, times: 4", "78: no echo comes back so often: write at most 3"),
        ("target: echo, times: 0", "78: write at least 1"),
        ("target: echo, time: 4", "71: there is no key 'time' here: did you mean 'times'?"),
        ("target: echo, sign: true", "77: 'target: echo' has no 'sign': leave it out"),
        ("target: altinn3, times: 2", "74: there is no key 'times' here; known are"),
        ("target: ehco", "65: write one of altinn2, altinn3, echo instead of 'ehco': did you mean echo?"),
    ],
)
def test_its_driver_alone_checks_its_mapping(tmp_path: Path, keys: str, expected: str) -> None:
    """What its keys and its class say is told with file, line and column, as of any other target."""
    assert [each for each in faults_of(calling(tmp_path, keys)) if expected in each]


def test_a_target_without_a_driver_is_refused_by_name(tmp_path: Path) -> None:
    """With the targets that there are."""
    path = calling(tmp_path, "target: echo")

    assert faults_of(path) == ["65: write one of altinn2, altinn3 instead of 'echo'"]
    assert recalled('{"actions":{"call":{"target":"echo"}}}', DRIVERS) is None


@pytest.mark.usefixtures("echo")
def test_the_check_asks_it_too(tmp_path: Path) -> None:
    """``altinn-bridge check`` has no word for any target: whoever is in the registry is asked, online as well."""
    (tmp_path / "mappings").mkdir()
    path = calling(tmp_path / "mappings", "target: echo")
    with Sandbox(world := World(lambda: datetime.now(UTC), 7)) as sandbox:
        environ = {
            **settings(world, sandbox.base_url),
            "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/unused.sqlite",
            "BRIDGE_MAPPINGS": str(path.parent),
        }
        report = json.loads(CliRunner().invoke(check, ["--online", "--json"], env=environ).stdout)

    assert report["faults"][-1] == {"where": str(path), "message": "nothing comes back from the mountains"}
    assert report["apps"] == ["echo: 1 call"]


def said(dialog: Any) -> tuple[str, list[str]]:
    return dialog["status"], [each["type"] for each in dialog["activities"]]


def noted(stage: Stage) -> Case:
    """A dialog that stands for the note."""
    case = stage.case()
    with stage.bridge.store.transaction() as tx:
        tx.add_link(link_to(case), now=stage.bridge.clock())
    return case


def link_to(case: Case) -> Link:
    return Link(dialog_id=case.dialog_id, service_resource=RESOURCE, party=f"{ORGANISATION}{case.who}", case=NOTE)


def embedded(stage: Stage, case: Case) -> TestResponse:
    headers = {"Authorization": f"Bearer {stage.token(case, actions=['read'])}"}
    return stage.client.get(f"/embeds/{case.dialog_id}/summary", headers=headers)


def problem(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["type"].rpartition(":")[2]
