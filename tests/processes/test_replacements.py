"""``kill -9`` while an attachment takes another's place: one of the two is there, and in the end the new one alone."""

import threading
from collections.abc import Iterator
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


def killed_within(made: Site, case: Case, method: str, side: str) -> None:
    """The process dies beside a call of the replacement; then the time passes after which an upload is dead."""
    process = made.serve()
    assert upload(made, case, OLD).status_code == 201
    made.trap = process.kill
    delay = {"delay_seconds": 1} if side == "before" else {"delay_after": 1}
    made.control("POST", "/faults", {"match": {"method": method, "path": "attachments"}, "how": delay, "times": 1})

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
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_replacement_survives_a_kill(made: Site, method: str, side: str, then: str) -> None:
    """Never none in between, never two in the end: whoever comes next ends what was begun."""
    case = made.case()
    killed_within(made, case, method, side)
    between = sizes(made, case)

    revived = made.serve()
    answer = upload(made, case, NEW) if then == "sent again" else made.press(case)

    assert between
    # Killed before the effect, what was sent may have arrived all the same, or may still: then who comes next waits.
    open_ = (method, side) == ("POST", "before")
    if open_ and answer.status_code == 202:
        told = made.http.get(
            urljoin(made.url, answer.headers["Location"]), headers={"Authorization": f"Bearer {case.token}"}, timeout=30
        )
        assert told.json()["waitsFor"] == "attachment"
    elif open_ and answer.status_code == 409:
        assert answer.json()["type"].endswith(":attachment_unsettled")
        assert answer.headers["Retry-After"]
    else:
        assert answer.status_code == (201 if then == "sent again" else 204)
    unsettled = open_ and (then == "pressed" or answer.status_code == 409)
    assert sizes(made, case) in ([[len(OLD)], [len(NEW)]] if unsettled else [[len(NEW)]])
    revived.kill()
