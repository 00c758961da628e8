"""``kill -9`` while an attachment takes another's place: one of the two is there, and in the end the new one alone."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
import sqlalchemy as sa

from tests.processes.harness import Case, Site, site
from tests.processes.test_uploads import mappings

pytestmark = pytest.mark.slow
OLD, NEW = b"%PDF-1.7 old", b"%PDF-1.7 new and longer"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(
        tmp_path_factory.mktemp("replacements"), BRIDGE_MAPPINGS=str(mappings(tmp_path_factory.mktemp("m")))
    ) as running:
        yield running


def upload(made: Site, case: Case, data: bytes) -> requests.Response:
    return made.http.post(
        f"{made.url}/actions/{case.dialog_id}/submit/attachments",
        params={"fileName": "tegning.pdf", "attachmentType": "Plan"},
        data=data,
        headers={"Authorization": f"Bearer {case.token}", "Content-Type": "application/octet-stream"},
        timeout=30,
    )


def sizes(made: Site, case: Case) -> list[int]:
    element = made.control("GET", f"/altinn2/elements/{case.message_id}")
    return [each["size"] for each in element["attachments"] if each["file_name"] == "tegning.pdf"]


SIDES: dict[str, dict[str, Any]] = {
    "before": {"delay_seconds": 1},
    "without": {"delay_seconds": 1, "cut": "before"},
    "after": {"delay_after": 1},
}
"""When the process dies: before or after the effect of its call, or on the way to one that never comes."""


def killed_within(made: Site, case: Case, method: str, side: str) -> None:
    """The process dies beside a call of the replacement; then the time passes after which an upload is dead."""
    process = made.serve()
    assert upload(made, case, OLD).status_code == 201
    made.trap = process.kill
    fault = {"match": {"method": method, "path": "attachments"}, "how": SIDES[side], "times": 1}
    made.control("POST", "/faults", fault)

    def send() -> None:
        try:
            upload(made, case, NEW)
        except requests.RequestException:
            return

    thread = threading.Thread(target=send)
    thread.start()
    process.popen.wait(30)
    thread.join()
    made.trap = lambda: None
    made.control("DELETE", "/faults")
    engine = sa.create_engine(made.database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE attachments SET seen_at = '2020-01-01 00:00:00.000000'"))
    engine.dispose()


@pytest.mark.parametrize("then", ["sent again", "pressed"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("side", SIDES)
def test_a_replacement_survives_a_kill(made: Site, method: str, side: str, then: str) -> None:
    """Never none in between, never two in the end: whoever comes next ends what was begun, or waits for it."""
    case = made.case()
    killed_within(made, case, method, side)
    between = sizes(made, case)

    revived = made.serve()
    # A kill before the effect may come before the body has left, too: then there never is one.
    arrived = len(NEW) in sizes(made, case)
    answer = upload(made, case, NEW) if then == "sent again" else made.press(case)

    assert between
    assert arrived or (method == "POST" and side != "after")
    if arrived:
        assert answer.status_code == (201 if then == "sent again" else 204)
        assert sizes(made, case) == [len(NEW)]
    else:
        assert told_to_wait(made, case, answer, pressed=then == "pressed")
        assert sizes(made, case) == [len(OLD)]
    revived.kill()


def told_to_wait(made: Site, case: Case, answer: requests.Response, *, pressed: bool) -> bool:
    """Whether who came next hears that an attachment may still arrive: sent again, it could be there twice."""
    if not pressed:
        unsettled = answer.status_code == 409 and answer.json()["type"].endswith(":attachment_unsettled")
        return unsettled and int(answer.headers["Retry-After"]) > 0
    address = urljoin(made.url, answer.headers["Location"])
    told = made.http.get(address, headers={"Authorization": f"Bearer {case.token}"}, timeout=30)
    return answer.status_code == 202 and told.json()["waitsFor"] == "attachment"
