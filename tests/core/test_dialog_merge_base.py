"""What the bridge last wrote decides who is heard: rule by rule."""

from dataclasses import replace
from typing import Any

import pytest

from bridge.core.dialog_merge import Merged, merge, with_label
from bridge.core.dialog_presentation import content_value, filled, offer
from bridge.core.dialogs import REFUSAL, DialogChange, Ends, Field, Offer, Only, dialog_from_json
from bridge.core.mapping import ActionMapping, Button, Priority
from bridge.core.written import GONE, NOTHING_WRITTEN, Written, digest
from tests.core.test_dialog_merge import ACTIVITY, DIALOG_ID, NOTHING, OURS, THEIRS, _body
from tests.core.test_states import SUBMIT

PUBLIC = "https://bridge.example"
TITLE = {"nb": "Send inn", "nn": "Send inn", "en": "Submit"}


def said(text: str, **about: Any) -> dict[str, Any]:
    return {**content_value({"nb": text}), **about}


def words(text: str, *, asked: bool = True) -> DialogChange:
    return replace(NOTHING, fields={"/content/summary": Field(value=said(text), asked=asked)})


def merged(change: DialogChange, base: Written = NOTHING_WRITTEN, **members: object) -> Merged:
    return merge(dialog_from_json(_body(**members)), change, base)


def written(change: DialogChange, **members: object) -> Written:
    return merged(change, **members).written


def summary(text: str) -> dict[str, object]:
    return {"content": {"summary": said(text)}}


def offered(action: ActionMapping = SUBMIT, priority: Priority = Priority.PRIMARY, title: str = "Send inn") -> Offer:
    button = Button(title={**TITLE, "nb": title}, priority=priority, api=True)
    found = offer(DIALOG_ID, replace(action, button=button), public_url=PUBLIC)
    assert found is not None
    return found


def offering(*offers: Offer, gone: frozenset[str] = frozenset()) -> DialogChange:
    return replace(NOTHING, offers=offers, remove_actions=gone)


@pytest.mark.parametrize(
    ("base", "theirs", "wanted", "writes"),
    [
        pytest.param(None, "Deres", "Vårt", True, id="our first word"),
        pytest.param("Vårt", "Vårt", "Nytt", True, id="nobody changed it"),
        pytest.param("Vårt", "Deres", "Vårt", False, id="they changed it, we say the same"),
        pytest.param("Vårt", "Deres", "Nytt", False, id="both changed it"),
        pytest.param("Vårt", "Nytt", "Nytt", False, id="both changed it alike"),
    ],
)
def test_words_belong_to_who_wrote_last(base: str | None, theirs: str, wanted: str, writes: bool) -> None:
    """A text of the bridge's is written where nobody spoke since."""
    before = NOTHING_WRITTEN if base is None else written(words(base))

    assert bool(merged(words(wanted), before, **summary(theirs)).operations) is writes


@pytest.mark.parametrize(
    ("base", "theirs", "wanted", "writes"),
    [
        pytest.param("InProgress", "Awaiting", "Completed", True, id="news"),
        pytest.param("Completed", "Awaiting", "Completed", False, id="no news"),
        pytest.param(None, "Awaiting", "Completed", True, id="our first word"),
    ],
)
def test_the_status_follows_the_element(base: str | None, theirs: str, wanted: str, writes: bool) -> None:
    """How far the case has come is said by the element; what was said before is not said again over others."""
    before = NOTHING_WRITTEN if base is None else written(replace(NOTHING, status=base))

    patch = merged(replace(NOTHING, status=wanted), before, status=theirs).operations

    assert bool(patch) is writes


def test_a_default_fills_a_gap_only() -> None:
    """What no mapping asks for is written where there is nothing, or what the bridge wrote itself."""
    default = words("Vårt", asked=False)

    assert merged(default).operations != ()
    assert merged(default, **summary("Deres")).operations == ()
    assert merged(words("Nytt", asked=False), written(default), **summary("Vårt")).operations != ()


def test_spelling_is_no_difference() -> None:
    """Order of languages, a media type left out, an offset: the same is the same."""
    due = replace(NOTHING, fields={"/dueAt": Field(value="2026-05-01T12:00:00Z", asked=True)})
    change = replace(NOTHING, fields={"/content/title": Field(value=content_value(TITLE), asked=True)})
    theirs = {"title": {"value": list(reversed(content_value(TITLE)["value"]))}}  # type: ignore[call-overload]

    assert merged(due, dueAt="2026-05-01T14:00:00.0000000+02:00").operations == ()
    assert merged(change, content=theirs).operations == ()


def test_what_is_not_ours_is_not_taken_away() -> None:
    """A date that the bridge never wrote stays; its own goes, unless others changed it."""
    ours = Field(value="2026-05-01T12:00:00Z", asked=True)
    none = replace(NOTHING, fields={"/dueAt": Field(value=None, asked=False)})
    base = written(replace(NOTHING, fields={"/dueAt": ours}))

    assert merged(none, dueAt="2026-05-01T12:00:00Z").operations == ()
    assert merged(none, base, dueAt="2026-05-01T12:00:00Z").operations == ({"op": "remove", "path": "/dueAt"},)
    assert merged(none, base, dueAt="2026-06-01T12:00:00Z").operations == ()


def test_a_button_is_known_by_its_id() -> None:
    """Put there once, changed in its place, and left as it is when others changed it."""
    first, other = offered(), offered(title="Lever")
    assert first.button is not None
    put = merged(offering(first))
    there = {"guiActions": [{"url": THEIRS + "x", "priority": "Tertiary"}, dict(first.button)]}
    theirs = {"guiActions": [{**first.button, "title": [{"languageCode": "nb", "value": "Deres"}]}]}

    assert [each["path"] for each in put.operations] == ["/guiActions/-", "/apiActions/-"]
    changed = merged(offering(replace(other, api_action=None)), put.written, **there).operations
    assert [(each["op"], each["path"]) for each in changed] == [("replace", "/guiActions/1/title")]
    assert merged(offering(replace(other, api_action=None)), put.written, **theirs).operations == ()


def test_what_others_took_away_stays_away() -> None:
    """A button of ours that is gone is not put back; one that the bridge took away itself comes back with its state."""
    put = merged(offering(offered())).written
    taken = merged(offering(gone=frozenset({"submit"})), put).written

    assert merged(offering(offered()), put).operations == ()
    assert {value for place, value in taken.digests.items() if "Actions" in place} == {GONE}
    assert len(merged(offering(offered()), taken).operations) == 2


def test_what_a_stale_writer_brings_back_goes_again() -> None:
    """Our own removal stays removed."""
    one = offered()
    assert one.button is not None
    put = merged(offering(one)).written
    away = offering(gone=frozenset({"submit"}))
    taken = merged(away, put, guiActions=[dict(one.button)]).written

    again = merged(away, taken, guiActions=[dict(one.button)]).operations

    assert again == ({"op": "remove", "path": "/guiActions/0"},)


def test_the_agencys_own_button_is_enough() -> None:
    """Where one leads to the action already, no second one is put beside it."""
    theirs = {"guiActions": [{"url": OURS + "submit", "priority": "Primary"}]}

    assert [each["path"] for each in merged(offering(offered()), **theirs).operations] == ["/apiActions/-"]


def test_a_button_takes_the_place_that_is_free() -> None:
    """Primary gives way to secondary, then tertiary; without room it is told, and API clients still find it."""
    taken = [
        {"url": f"{THEIRS}{number}", "priority": name}
        for number, name in enumerate(["Primary", "Secondary", *["Tertiary"] * 5])
    ]

    places = [merged(offering(offered()), guiActions=taken[:count]) for count in (0, 1, 2, 7)]

    added = [
        next((each["value"]["priority"] for each in place.operations if each["path"] == "/guiActions/-"), None)  # type: ignore[index]
        for place in places
    ]
    assert added == ["Primary", "Secondary", "Tertiary", None]
    assert places[3].no_room == ("submit",)
    assert [each["path"] for each in places[3].operations] == ["/apiActions/-"]


def test_tags_are_added_once() -> None:
    """A tag that others took away stays away; one that stands there in other letters is there."""
    change = replace(NOTHING, search_tags=("servering",))
    base = written(change)

    assert len(merged(change).operations) == 1
    assert merged(change, searchTags=[{"value": "Servering"}]).operations == ()
    assert merged(change, base).operations == ()


def test_labels_are_added_once() -> None:
    """A label that others took off stays off; one that waits is asked for again, also of a dialog that was told."""
    change = replace(NOTHING, labels=("servering", "uteservering"), activities=(ACTIVITY,))
    there = {"serviceOwnerContext": {"serviceOwnerLabels": [{"value": "servering"}]}}
    told = {"activities": [{"id": str(ACTIVITY.id)}]}

    first = merged(change, **there)

    assert first.labels == ("uteservering",)
    assert merged(change, first.written, **there, **told).labels == ("uteservering",)
    assert merged(change, with_label(first.written, "uteservering"), **told).labels == ()


def test_labels_beyond_the_limit_wait() -> None:
    """A dialog takes twenty, and others' stay."""
    change = replace(NOTHING, labels=("en", "to"))
    there = {"serviceOwnerContext": {"serviceOwnerLabels": [{"value": f"andres {each}"} for each in range(19)]}}

    assert merged(change, **there).labels == ("en",)


def test_a_told_dialog_is_told_nothing_more() -> None:
    """The line of history is there, so the whole patch was: what others wrote after it stays."""
    change = replace(words("Vårt"), status="Completed", activities=(ACTIVITY,))

    told = merged(change, status="Awaiting", activities=[{"id": str(ACTIVITY.id)}], **summary("Vårt"))

    assert told.operations == ()
    assert told.written.digests == {"/content/summary": written(words("Vårt")).digests["/content/summary"]}


def test_a_correspondence_is_left_to_its_owner() -> None:
    """Only our button goes, and the history grows."""
    change = replace(
        words("Vårt"),
        status="Completed",
        remove_actions=frozenset({"submit"}),
        activities=(ACTIVITY,),
        search_tags=("tag",),
    )

    patch = merged(
        change,
        serviceResourceType="CorrespondenceService",
        guiActions=[{"url": OURS + "submit", "priority": "Primary"}],
    ).operations

    assert [each["path"] for each in patch] == ["/guiActions/0", "/activities/-"]


def test_digests_tell_nothing_and_everything() -> None:
    """Of equal length whatever they are of, equal for equal values only; what is not there has none."""
    assert len({digest("a"), digest("b"), digest(["a"]), digest({"a": 1})}) == 4
    assert {len(digest(each)) for each in ("a", "b" * 1000)} == {32}
    assert digest(None) == GONE


@pytest.mark.parametrize(("value", "fits"), [("1234", True), ("1" * 19, False)])
def test_a_text_that_grows_too_long_is_not_said(value: str, fits: bool) -> None:
    """Half an amount is another amount, so that nothing is cut."""
    done = filled({"nb": "Sum: {result.sum}", "en": "{result.sum}"}, {"result.sum": value}, limit=23)

    assert (done is not None) is fits


# Words that end


def in_state(state: str, *, ends: Ends = Ends.STATES, **texts: str) -> DialogChange:
    fields = {f"/content/{name}": Field(value=said(text), asked=True) for name, text in texts.items()}
    return replace(NOTHING, state=state, ends=ends, fields=fields)


def refusal(**texts: str) -> DialogChange:
    change = in_state(REFUSAL, ends=Ends.NONE, **texts)
    return replace(
        change, fields={name: replace(each, asked=False, only=Only.UNSAID) for name, each in change.fields.items()}
    )


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        pytest.param(in_state("signing"), True, id="the next state"),
        pytest.param(in_state("signing", additionalInfo="Annet"), True, id="the next state, with other words"),
        pytest.param(in_state("form_filling"), False, id="the same state once more"),
        pytest.param(in_state("calculated", ends=Ends.REFUSAL), False, id="no state at all"),
        pytest.param(refusal(), False, id="a refusal"),
    ],
)
def test_words_of_a_state_end_with_it(change: DialogChange, gone: bool) -> None:
    """What was said there and is not said in the next one is taken away, if nobody changed it."""
    before = written(in_state("form_filling", summary="Vårt"))

    ours = [(each["op"], each["path"]) for each in merged(change, before, **summary("Vårt")).operations]
    theirs = [each["path"] for each in merged(change, before, **summary("Deres")).operations]

    assert (("remove", "/content/summary") in ours) is gone
    assert "/content/summary" not in theirs


def test_a_code_ends_with_its_state() -> None:
    """The status for systems, too; what others wrote in its place stays, though a status is otherwise the bridge's."""
    code = replace(in_state("form_filling"), fields={"/extendedStatus": Field(value="a2:filling", asked=True)})
    base = written(code)

    ours = merged(in_state("signing"), base, extendedStatus="a2:filling").operations
    theirs = merged(in_state("signing"), base, extendedStatus="case:17").operations

    assert (ours, theirs) == (({"op": "remove", "path": "/extendedStatus"},), ())


def test_what_ended_is_said_again_when_it_comes_back() -> None:
    """A gap that the bridge left is its own to fill."""
    first = in_state("form_filling", summary="Vårt")
    ended = merged(in_state("signing"), written(first), **summary("Vårt")).written

    assert [each["op"] for each in merged(first, ended, content={}).operations] == ["add"]


def test_what_ended_is_said_again_whoever_took_it_away() -> None:
    """Both wanted it gone: the gap is nobody's words. Until it ends, what others took away stays away."""
    said_once = written(refusal(additionalInfo="Prøv igjen."))
    again = refusal(additionalInfo="Prøv igjen.")

    assert merged(again, said_once, content={}).operations == ()

    ended = merged(in_state("form_filling"), said_once, content={})
    assert ended.operations == ()
    assert [each["op"] for each in merged(again, ended.written, content={}).operations] == ["add"]


@pytest.mark.parametrize("ends", [Ends.STATES, Ends.REFUSAL])
def test_a_refusal_ends_with_the_next_success(ends: Ends) -> None:
    """Badge and words go, whatever the success says of the element; what others wrote meanwhile stays."""
    base = written(refusal(extendedStatus="Ikke utført", additionalInfo="Prøv igjen."))
    shown = {"extendedStatus": said("Ikke utført"), "additionalInfo": said("Prøv igjen.")}

    ours = merged(in_state("calculated", ends=ends), base, content=shown).operations
    theirs = merged(in_state("calculated", ends=ends), base, content={each: said("Deres") for each in shown}).operations

    assert {each["path"] for each in ours} == {"/content/extendedStatus", "/content/additionalInfo"}
    assert theirs == ()


def test_a_refusal_is_not_said_over_others() -> None:
    """It is taken away again, and theirs could not be put back: also where they changed what the bridge had said."""
    change, there = refusal(extendedStatus="Ikke utført"), {"extendedStatus": said("Deres")}
    before = written(in_state("form_filling", extendedStatus="Kladd"))

    assert merged(change, content=there).operations == ()
    assert merged(change, before, content=there).operations == ()
    assert len(merged(change, before, content={"extendedStatus": said("Kladd")}).operations) == 1


def test_a_status_of_a_refusal_ends_with_it() -> None:
    """What had to be put right was put right; a status that others gave, also before, is theirs."""
    needs = replace(refusal(), status="RequiresAttention")
    well = replace(in_state("form_filling"), usual_status="Draft")
    base = merged(needs, status="InProgress").written
    theirs = merged(needs, status="RequiresAttention").written

    assert merged(well, base, status="RequiresAttention").operations == (
        {"op": "replace", "path": "/status", "value": "Draft"},
    )
    assert merged(well, base, status="Awaiting").operations == ()
    assert merged(well, theirs, status="RequiresAttention").operations == ()


def test_a_default_in_the_place_of_ours_fills_no_gap() -> None:
    """A dialog of the agency's gets no word that nobody asked for."""
    field = Field(value=said("Sendt."), asked=False, only=Only.OWN)
    change = replace(NOTHING, fields={"/content/summary": field})

    assert merged(change).operations == ()
    assert merged(change, **summary("Deres")).operations == ()
    assert len(merged(change, written(words("Vårt")), **summary("Vårt")).operations) == 1


def test_the_last_state_that_was_told_is_known() -> None:
    """By it a press that comes too late is recognised; refusals and calculations tell of none."""
    told = written(in_state("archived"))
    later = merged(refusal(), merged(in_state("calculated", ends=Ends.REFUSAL), told).written).written

    assert later.last_state_is("archived")
    assert not later.last_state_is("form_filling")
