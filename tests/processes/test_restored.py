"""A database that was restored does nothing again that was done since the backup."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.harness import VALID, Case, Site, site, until
from tests.scenarios.altinn2_mapping import write_mapping

FIRST = VALID.replace("<sitteplasserInne>40<", "<sitteplasserInne>41<")
SECOND = VALID.replace("<sitteplasserInne>40<", "<sitteplasserInne>42<")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = write_mapping(tmp_path_factory.mktemp("mappings"))
    with site(
        tmp_path_factory.mktemp("restored"),
        BRIDGE_MAPPINGS=str(folder),
        BRIDGE_ANSWER_WITHIN="1",
        BRIDGE_CLOCK_SKEW="1",
    ) as made:
        yield made


def saved(made: Site, case: Case, form: str) -> int:
    minted = made.control("POST", "/dialog-token", {"dialog_id": str(case.dialog_id)})["token"]
    return made.http.post(
        f"{made.url}/actions/{case.dialog_id}/send",
        data=form.encode(),
        headers={"Authorization": f"Bearer {minted}", "Content-Type": "application/xml"},
        timeout=30,
    ).status_code


def form_of(made: Site, case: Case) -> str:
    return str(made.control("GET", f"/altinn2/elements/{case.message_id}")["forms"][0]["xml"])


def operator(made: Site, *arguments: str) -> tuple[int, Any]:
    done = subprocess.run(
        [sys.executable, "-c", "from bridge.cli import main; main()", "operations", *arguments, "--json"],
        env={**{name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}, **made.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_a_restored_store_overwrites_no_newer_draft(place: Site) -> None:
    """What waited in the backup is held; what is pressed now goes on; what is released sends nothing over the newer."""
    process = place.serve()
    saving, other = place.case(), place.case()
    store = Path(place.database_url.removeprefix("sqlite:///"))
    place.control(
        "POST",
        "/faults",
        {"system": "altinn2", "match": {"method": "GET", "path": "/messages/"}, "times": None, "how": {"status": 500}},
    )
    assert saved(place, saving, FIRST) == 202
    with sqlite3.connect(store) as source, sqlite3.connect(store.with_name("backup")) as backup:
        source.backup(backup)
    place.control("DELETE", "/faults")
    until(lambda: place.finished(saving), what="the first draft")
    assert saved(place, saving, SECOND) == 204
    assert process.stop() == 0

    for file in store.parent.glob(f"{store.name}*"):
        if file.suffix not in (".mark", ".lock"):
            file.unlink()
    store.with_name("backup").rename(store)
    place.serve()
    listed, found = operator(place, "list")
    held = [each["operation"] for each in found["operations"]]
    answered = saved(place, other, FIRST)
    puts = len(place.effects(saving, "altinn2.put"))
    released, _ = operator(place, "release", *held)

    def row() -> Any:
        _, shown = operator(place, "show", held[0])
        return shown if shown["state"] == "finished" else None

    ended = until(row, what="the end of what was released")

    assert (listed, [each["why"] for each in found["operations"]], answered) == (1, ["store_restored"], 204)
    assert (puts, released) == (2, 0)
    assert (ended["outcome"], ended["problem"]) == ("refused", "element_changed")
    assert "<sitteplasserInne>42<" in form_of(place, saving)
    assert len(place.effects(saving, "altinn2.put")) == 2
    assert '"the store was restored' in place.logs()
