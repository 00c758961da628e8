"""``kill -9`` at every call of ``altinn-bridge drafts``: one dialog for one element, whatever happened before."""

from collections.abc import Iterator

import pytest

from tests.processes.harness import RESOURCE, VALID, Site, site

pytestmark = pytest.mark.slow

CALLS = 12
"""The calls of a run that makes one dialog, tokens included; a test holds the number against a real run."""
MOMENTS = [(call, side) for call in range(CALLS) for side in ("before", "after")]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("drafts"), BRIDGE_PUBLIC_URL="https://bridge.example.no") as made:
        yield made


def element(made: Site) -> tuple[str, str]:
    who = made.world.new_organisation().number
    form = {"data_format_id": "5801", "data_format_version": "42001", "xml": VALID}
    body = {"who": who, "service": {"code": "5701", "edition": 1}, "forms": [form]}
    return who, made.control("POST", "/altinn2/elements", body)["message_id"]


def made_for(site_: Site, message_id: str) -> list[str]:
    """The dialogs that were made for an element, by the ledger."""
    label = f"urn:altinn:integration:a2:message:{message_id}"
    created = [str(each.facts["dialog_id"]) for each in site_.world.ledger.effects("dialogporten.create")]
    found = [(each, site_.as_owner("GET", f"/{each}").json()) for each in created]
    return [each for each, body in found if {"value": label} in body["serviceOwnerContext"]["serviceOwnerLabels"]]


def test_calls_of_a_run_are_all_counted(embedded: Site) -> None:
    """The moments below cover a whole run, from its first call to its last."""
    who, message_id = element(embedded)
    embedded.control("DELETE", "/calls")

    code = embedded.run("drafts", "--for", who).popen.wait(60)

    calls = [each for each in embedded.world.calls.all() if each.caller.startswith("altinn-dialog-bridge")]
    assert code == 0
    assert len(made_for(embedded, message_id)) == 1
    assert len(calls) == CALLS, [f"{each.method} {each.template}" for each in calls]


@pytest.mark.parametrize(("call", "side"), MOMENTS, ids=[f"{side} call {call}" for call, side in MOMENTS])
def test_a_killed_run_makes_one_dialog_when_run_again(embedded: Site, call: int, side: str) -> None:
    """The process dies just before, or just after, a call takes effect; the next run goes on from there."""
    who, message_id = element(embedded)
    delay = {"delay_seconds": 1} if side == "before" else {"delay_after": 1}
    embedded.control("POST", "/faults", {"skip": call, "how": delay})
    process = embedded.run("drafts", "--for", who)
    embedded.trap = process.kill

    process.popen.wait(60)
    embedded.control("DELETE", "/faults")
    embedded.trap = lambda: None
    code = embedded.run("drafts", "--for", who).popen.wait(60)
    again = embedded.run("drafts", "--for", who).popen.wait(60)

    assert (code, again) == (0, 0), embedded.logs()
    assert len(made_for(embedded, message_id)) == 1


def test_a_made_dialog_takes_a_press(embedded: Site) -> None:
    """What another process made is found by the service."""
    who, message_id = element(embedded)
    assert embedded.run("drafts", "--for", who).popen.wait(60) == 0
    dialog_id = made_for(embedded, message_id)[0]
    process = embedded.serve()
    token = embedded.control("POST", "/dialog-token", {"dialog_id": dialog_id})["token"]

    answer = embedded.http.post(
        f"{embedded.url}/actions/{dialog_id}/submit", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )

    process.kill()
    assert answer.status_code == 204
    assert embedded.as_owner("GET", f"/{dialog_id}").json()["serviceResource"] == RESOURCE


def test_runs_at_once_on_postgresql_make_one_dialog_each(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Three processes begin at the same moment: the last one takes the run over, and each element has one dialog."""
    folder = tmp_path_factory.mktemp("many")
    with site(folder, database_url=database_url, BRIDGE_PUBLIC_URL="https://bridge.example.no") as made:
        elements = [element(made) for _ in range(5)]
        whom = ",".join(who for who, _ in elements)
        processes = [made.run("drafts", "--for", whom) for _ in range(3)]
        codes = [each.popen.wait(60) for each in processes]
        last = made.run("drafts", "--for", whom).popen.wait(60)
        found = [len(made_for(made, message_id)) for _, message_id in elements]

        assert set(codes) <= {0, 1}, made.logs()
        assert last == 0, made.logs()
        assert found == [1] * 5
