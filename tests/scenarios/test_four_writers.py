"""
Four write to one dialog, in any order: the bridge, a case system, its user, another integration.

The same machine with a merge that drops what was last written fails: the last test here proves it.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bridge.core.cases import ArchivedCopy, CaseStatus
from bridge.core.dialog_merge import OURS, merge
from bridge.core.dialogs import REFUSAL, Dialog, DialogChange, Ends, action_of
from bridge.core.errors import Conflict
from bridge.core.operations import Outcome
from bridge.core.states import change_for, change_for_state
from bridge.parts import Bridge
from bridge.sandbox.core import identities
from bridge.sandbox.dialogporten.views import Reader
from bridge.steps.dialog.update import apply, plan, template_context
from tests.scenarios.dialog_mapping import saying
from tests.scenarios.stage import RESOURCE, Case, Stage

# The engine's own threads draw random numbers while a strategy is at work, which Hypothesis takes for the strategy's.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

RUNS = int(os.environ.get("FOUR_WRITERS_RUNS", "2000"))
STATES = (CaseStatus.FORM_FILLING, CaseStatus.SIGNING, CaseStatus.ARCHIVED, CaseStatus.UNKNOWN)
WORDS = ("/content/title", "/content/summary", "/content/additionalInfo")
FIELDS = ("/status", "/extendedStatus", "/content/extendedStatus", *WORDS)
TEXTS = st.sampled_from(["Skrevet av saksbehandler", "Endret igjen", "Hos kommunen."])
STATUSES = st.sampled_from(["InProgress", "RequiresAttention", "Completed", "Awaiting"])


def forgetful(bridge: Bridge, dialog: Dialog, change: DialogChange) -> bool:
    """A merge that knows nothing of what was written before."""
    operations = merge(dialog, change).operations
    if operations:
        bridge.dialogporten.patch(dialog.id, operations, revision=dialog.revision, silent=change.silent)
    return bool(operations)


def update(bridge: Bridge, dialog: Dialog, change: DialogChange) -> bool:
    return apply(bridge, plan(bridge, dialog, change)).changed


class Writers(RuleBasedStateMachine):
    """What must hold is held around each write of the bridge's, against what was read just before it."""

    stage: ClassVar[Stage]
    update = staticmethod(update)

    @initialize()
    def begin(self) -> None:
        self.case: Case = self.stage.dialog_for("a5900001", self.stage.world.new_organisation().number)
        self.bridge = self.stage.bridge
        self.presses = 0
        self.left: dict[str, Any] = {}
        """What the bridge left in a field: wrote there, or found as it wanted it."""
        self.wanted: dict[str, Any] = {}
        self.said: dict[str, str] = {}
        """In which state the bridge said what it left in a field."""
        self.stale: Mapping[str, Any] = self._read()
        self.user = f"{identities.PERSON}{self.stage.world.new_person()}"
        reader = Reader(actor=self.user, parties=frozenset({self.case.party}), grants=frozenset({"*"}), level=4)
        self.stage.world.admit(reader)

    # The bridge

    @rule(state=st.sampled_from(STATES), action=st.sampled_from(["submit", "send-to-signing", "sign"]))
    def bridge_after_a_press(self, state: CaseStatus, action: str) -> None:
        self._sync(self._pressed(state, action, Outcome.DONE, None))

    @rule(
        outcome=st.sampled_from([Outcome.REPEATED, Outcome.REFUSED, Outcome.GIVEN_UP]),
        state=st.sampled_from(STATES),
        code=st.sampled_from(["form_invalid", "element_changed"]),
    )
    def bridge_after_a_failure(self, outcome: Outcome, state: CaseStatus, code: str) -> None:
        self._sync(self._pressed(state, "submit", outcome, code if outcome is Outcome.REFUSED else None))

    @rule(state=st.sampled_from(STATES))
    def bridge_with_news(self, state: CaseStatus) -> None:
        self._sync(change_for_state(self._subject(state), state, activity=None))

    @rule(state=st.sampled_from(STATES), text=TEXTS)
    def bridge_that_loses_a_race(self, state: CaseStatus, text: str) -> None:
        """Somebody writes between our read and our write: refused, read again, merged again."""
        change = self._pressed(state, "submit", Outcome.DONE, None)
        read = self.bridge.dialogporten.get(self.case.dialog_id)
        self.case_system_patches(text)
        if self._read()["revision"] != read.revision and merge(read, change).operations:
            with pytest.raises(Conflict):
                self.update(self.bridge, read, change)
        self._sync(change)

    # The others

    @rule(text=TEXTS)
    def case_system_patches(self, text: str) -> None:
        place = "/content/summary" if text.startswith("E") else "/content/title"
        value = {"value": [{"languageCode": "nb", "value": text}], "mediaType": "text/plain"}
        self._patch([{"op": "replace", "path": place, "value": value}])

    @rule(status=STATUSES)
    def case_system_sets_the_status(self, status: str) -> None:
        self._patch([{"op": "replace", "path": "/status", "value": status}])

    @rule()
    def case_system_looks(self) -> None:
        self.stale = self._read()

    @rule(text=TEXTS, keep=st.booleans())
    def case_system_puts_an_old_read(self, text: str, keep: bool) -> None:
        """Without If-Match, so that it takes back what came since: buttons that had gone stand there again."""
        old = self.stale
        body = {
            name: old[name]
            for name in ("status", "extendedStatus", "content", "searchTags", "guiActions", "apiActions", "dueAt")
            if name in old
        }
        body["content"] = {
            **body["content"],
            "title": {"value": [{"languageCode": "nb", "value": text}], "mediaType": "text/plain"},
        }
        if not keep:
            body["guiActions"] = body["guiActions"][1:]
        assert self._as_owner("PUT", "", body).status_code == 204

    @rule(label=st.sampled_from(["Archive", "Bin", "Default"]))
    def user_sorts(self, label: str) -> None:
        path = f"/endusercontext/systemlabels?enduserId={self.user}"
        answer = self._as_owner("PUT", path, {"addLabels": [label]})
        assert answer.status_code == 204, answer.text

    @rule(kind=st.sampled_from(["activity", "transmission", "button", "tag"]))
    def integration_adds(self, kind: str) -> None:
        new = str(self.bridge.new_id())
        title = [{"languageCode": "nb", "value": "Fra en annen"}]
        sender = {"actorType": "ServiceOwner"}
        if kind == "activity":
            self._patch([_added("/activities", {"id": new, "type": "DialogOpened", "performedBy": sender})])
        elif kind == "transmission":
            content = {"title": {"value": title, "mediaType": "text/plain"}}
            body = {"id": new, "type": "Information", "sender": sender, "content": content}
            self._patch([_added("/transmissions", body)])
        elif kind == "tag":
            self._patch([_added("/searchTags", {"value": f"tag-{new[-6:]}"})])
        elif sum(each["priority"] == "Tertiary" for each in self._read()["guiActions"]) < 5:
            about = {"action": "read", "url": f"https://other.example.no/{new}", "priority": "Tertiary", "title": title}
            self._patch([_added("/guiActions", {"id": new, **about})])

    # What must hold

    def _sync(self, change: DialogChange) -> None:
        before = self._read()
        self._updated(change)
        after = self._read()
        for pointer in FIELDS:
            self._nothing_lost(pointer, change, _at(before, pointer), _at(after, pointer))
        for name in ("guiActions", "apiActions", "activities", "transmissions", "searchTags"):
            foreign = [each for each in before.get(name, []) if not self._ours(name, each)]
            assert [each for each in after.get(name, []) if each in foreign] == foreign
        urls = [each["url"] for each in after["guiActions"]]
        assert not {action_of(url, self.case.dialog_id) for url in urls} & change.remove_actions
        assert {str(each.id) for each in change.activities} <= {each["id"] for each in after["activities"]}
        if change.silent:
            times = ("updatedAt", "contentUpdatedAt")
            assert [after[each] for each in times] == [before[each] for each in times]
            assert set(after["endUserContext"]["systemLabels"]) - {"Sent"} == (
                set(before["endUserContext"]["systemLabels"]) - {"Sent"}
            )
        # The same again is no change, even without the line of history that says so: no call that writes, no moment.
        once_more = replace(change, activities=())
        assert not self.update(self.bridge, self.bridge.dialogporten.get(self.case.dialog_id), once_more)
        assert self._read() == after

    def _updated(self, change: DialogChange) -> None:
        for _ in range(5):
            try:
                self.update(self.bridge, self.bridge.dialogporten.get(self.case.dialog_id), change)
            except Conflict:
                continue
            return
        raise AssertionError("nobody writes any more, and the race is still lost")

    def _nothing_lost(self, pointer: str, change: DialogChange, before: Any, after: Any) -> None:
        if pointer == "/status":
            wanted = change.status
        else:
            field = change.fields.get(pointer)
            wanted = None if field is None else _meant(field.value)
        ended = self._ended(pointer, change)
        mine = pointer not in self.left or before == self.left[pointer]
        if before != after:
            news = pointer in OURS and wanted is not None and wanted != self.wanted.get(pointer)
            assert mine or news, f"{pointer}: what others wrote was lost"
            assert after == wanted
            assert wanted is not None or ended, f"{pointer}: what goes on was taken away"
            # Also what it took away: the gap is its own to fill.
            self.left[pointer] = after
        if wanted is not None:
            self.wanted[pointer] = wanted
            if after == wanted:
                self.left[pointer] = after
                self.said[pointer] = change.state
        elif ended:
            assert after is None or not mine, f"{pointer}: what was said in a state that is over stands there still"
            if after is None:
                # Whoever took it away, it is gone as the bridge wanted it.
                self.left[pointer] = self.wanted[pointer] = None
                del self.said[pointer]

    def _ended(self, pointer: str, change: DialogChange) -> bool:
        """Say whether what the bridge said in a field ends with *change*; a status has no end, but a next one."""
        said = self.said.get(pointer)
        if said is None or pointer == "/status" or pointer in change.fields:
            return False
        return (change.ends is Ends.STATES and said != change.state) or (
            change.ends is Ends.REFUSAL and said == REFUSAL
        )

    def _ours(self, name: str, item: Mapping[str, Any]) -> bool:
        if name == "searchTags":
            return str(item["value"]) == "servering"
        urls = [item.get("url", ""), *(each["url"] for each in item.get("endpoints", []))]
        return any(action_of(url, self.case.dialog_id) is not None for url in urls)

    # Ways

    def _subject(self, state: CaseStatus) -> Any:
        archived = ArchivedCopy(key="b5900002", reference="AR5900002") if state is CaseStatus.ARCHIVED else None
        mapping = self.bridge.mappings[RESOURCE]
        return template_context(self.bridge, mapping, self.case.dialog_id, message_id="a5900001", archived=archived)

    def _pressed(self, state: CaseStatus, action: str, outcome: Outcome, code: str | None) -> DialogChange:
        self.presses += 1
        return change_for(
            subject=self._subject(state),
            action=self.bridge.mappings[RESOURCE].actions[action],
            outcome=outcome,
            code=code,
            state=state,
            operation_id=f"operation-{self.presses}",
            accepted_at=self.bridge.clock(),
            actor=self.case.party,
        )

    def _read(self) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self._as_owner("GET", "").json()
        return body

    def _patch(self, operations: list[Mapping[str, Any]]) -> None:
        answer = self._as_owner("PATCH", "", operations)
        assert answer.status_code == 204, answer.text

    def _as_owner(self, method: str, path: str, body: Any = None) -> Any:
        return self.stage.as_owner(method, f"/{self.case.dialog_id}{path}", body)


class Forgetful(Writers):
    """The same with a merge that drops the base."""

    update = staticmethod(forgetful)


def _added(path: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"op": "add", "path": f"{path}/-", "value": value}


def _at(body: Mapping[str, Any], pointer: str) -> Any:
    place: Any = body
    for step in pointer.split("/")[1:]:
        place = place.get(step) if isinstance(place, dict) else None
    return _meant(place)


def _meant(value: Any) -> Any:
    """A text by language: in which order they come says nothing."""
    if not isinstance(value, dict):
        return value
    return {each["languageCode"]: each["value"] for each in value["value"]}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as name:
        made = saying(Path(name))
        yield made
        made.stop()


def _run(machine: type[Writers], stage: Stage, *, runs: int) -> None:
    machine.stage = stage
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=checks,
            database=None,
            report_multiple_bugs=False,  # Several come as a group, which is no AssertionError.
        ),
    )


def _refused(writers: Writers) -> None:
    writers.bridge_after_a_failure(outcome=Outcome.REFUSED, state=CaseStatus.FORM_FILLING, code="form_invalid")


def _begun(machine: type[Writers], stage: Stage) -> Writers:
    """Of a dialog that tells of a refusal."""
    machine.stage = stage
    writers = machine()
    writers.begin()
    _refused(writers)
    assert _at(writers._read(), "/content/additionalInfo") is not None
    return writers


def test_the_gap_of_words_that_others_took_away_and_that_then_ended_is_filled(stage: Stage) -> None:
    """An old read takes a refusal's words away, the refusal ends, and the next words stand there."""
    writers = _begun(Writers, stage)
    writers.case_system_puts_an_old_read(text="Skrevet av saksbehandler", keep=False)
    writers.bridge_after_a_failure(outcome=Outcome.REPEATED, state=CaseStatus.FORM_FILLING, code="form_invalid")
    writers.bridge_that_loses_a_race(state=CaseStatus.ARCHIVED, text="Skrevet av saksbehandler")
    assert _at(writers._read(), "/content/additionalInfo")["nb"].startswith("Ref ")


def test_a_refusal_is_told_anew_after_one_that_ended_unseen(stage: Stage) -> None:
    """The same words again, after news that ended what others had taken away already."""
    writers = _begun(Writers, stage)
    told = _at(writers._read(), "/content/additionalInfo")
    writers.case_system_puts_an_old_read(text="Skrevet av saksbehandler", keep=False)
    writers.bridge_with_news(state=CaseStatus.FORM_FILLING)
    _refused(writers)
    assert _at(writers._read(), "/content/additionalInfo") == told


def test_the_gap_of_words_that_others_took_away_and_that_go_on_stays(stage: Stage) -> None:
    """Nothing ended: a second refusal does not say again what others took away."""
    writers = _begun(Writers, stage)
    writers.case_system_puts_an_old_read(text="Skrevet av saksbehandler", keep=False)
    _refused(writers)
    assert _at(writers._read(), "/content/additionalInfo") is None


def test_the_model_sees_a_gap_filled_too_early(stage: Stage) -> None:
    """A merge that forgets says a refusal again where others took it away, and nothing ended."""
    writers = _begun(Forgetful, stage)
    writers.case_system_puts_an_old_read(text="Skrevet av saksbehandler", keep=False)
    with pytest.raises(AssertionError, match="what others wrote was lost"):
        _refused(writers)


def test_the_model_sees_words_that_outlive_their_state(stage: Stage) -> None:
    """A merge that forgets leaves a refusal standing once the state is another."""
    writers = _begun(Forgetful, stage)
    with pytest.raises(AssertionError, match="additionalInfo: what was said in a state that is over stands"):
        writers.bridge_after_a_failure(outcome=Outcome.REPEATED, state=CaseStatus.FORM_FILLING, code="form_invalid")


def test_no_update_is_lost_among_four_writers(stage: Stage) -> None:
    """A few runs, for everybody."""
    _run(Writers, stage, runs=25)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_no_update_is_lost_in_many_runs(stage: Stage) -> None:
    """Many, for .ci/run; FOUR_WRITERS_RUNS says how many."""
    _run(Writers, stage, runs=RUNS)


@pytest.mark.slow
def test_without_its_base_a_merge_loses_updates(stage: Stage) -> None:
    """The machine can fail: a merge that forgets what it wrote takes back what others changed."""
    with pytest.raises(AssertionError, match=r"was lost|assert"):
        _run(Forgetful, stage, runs=400)
