"""Nothing personal leaves the process by a side door."""

import re
from collections.abc import Iterator

import pytest

from tests.processes.harness import FAULTY, VALID, Site, site, until

LANGUAGES = ("nb", "nn", "en")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("privacy"), BRIDGE_LOG_LEVEL="DEBUG") as one:
        one.serve()
        yield one


def values_of(xml: str) -> set[str]:
    """The texts of a form that could be told from ordinary words: what a case worker would recognise."""
    texts = {each.strip() for each in re.findall(r">([^<>]+)<", xml)}
    return {text for text in texts if len(text) >= 6}


def test_full_run_leaves_no_trace_of_persons(made: Site) -> None:
    """Logs, problem documents and metrics of good and bad runs hold no number, name, form value or token."""
    person = made.world.new_person()
    actor = f"urn:altinn:person:identifier-no:{person}"
    good, faulty, other = made.case(actor=actor), made.case(FAULTY, actor=actor), made.case(actor=actor)
    refused, broken = made.case(actor=actor), made.case(actor=actor)
    body = '{"message": "' + person + '"}'
    for case, how in (
        (refused, {"status": 400, "reason": f"Feil for {person}", "body": body}),
        (broken, {"status": 500, "reason": f"Feil for {person}", "body": body}),
    ):
        fault = {"system": "altinn2", "match": {"method": "PUT", "path": case.message_id}, "how": how}
        made.control("POST", "/faults", fault)

    answers = [made.press(case, **{"Accept-Language": each}) for case in (good, faulty) for each in LANGUAGES]
    answers.append(made.press(refused))
    answers.append(made.press(broken))
    stolen = made.http.post(
        f"{made.url}/actions/{good.dialog_id}/submit", headers={"Authorization": f"Bearer {other.token}"}, timeout=30
    )
    forged = made.http.post(
        f"{made.url}/actions/{good.dialog_id}/submit",
        headers={"Authorization": f"Bearer {good.token[:-4]}AAAA"},
        data=VALID.encode(),
        timeout=30,
    )
    for case in (good, faulty, refused, broken):
        until(lambda case=case: made.finished(case), what="the end")
    metrics = made.http.get(f"{made.url}/metrics", timeout=10).text
    told = made.logs() + metrics + "".join(each.text for each in (*answers, stolen, forged))

    assert {204, 422, 403, 401} <= {each.status_code for each in (*answers, stolen, forged)}
    assert len(made.logs()) > 1000
    tokens = {part for case in (good, other) for part in case.token.split(".")[1:]}
    schema_words = {"servering", "servering og skjenking", "enkeltanledning"}
    secrets = {
        person,
        good.who,
        faulty.who,
        *tokens,
        *(values_of(VALID) | values_of(FAULTY)) - schema_words,
        made.environ["BRIDGE_ALTINN2_API_KEY"],
    }
    leaked = {secret for secret in secrets if secret in told}
    assert not leaked
