"""The system's Chromium, and a bridge with its sandbox for it to look at."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.processes.harness import Site, site

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """
    One browser with a profile of its own; without Chromium the tests are skipped, but never where CI is set.

    It ends with its module: until then an event loop runs in this thread, beside which no bridge can start.
    """
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium; install Debian's package chromium")
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            headless=True,
            args=list(_QUIET),
            locale="nb-NO",
        )
        yield started
        started.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab of its own; a script error in it fails the test."""
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    tab.close()
    assert errors == []


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory, context: BrowserContext) -> Iterator[Site]:
    """A bridge that answers 202 after two seconds, and repeats soon."""
    del context  # Without a browser nothing need be started.
    folder: Path = tmp_path_factory.mktemp("bridge")
    with site(folder, BRIDGE_ANSWER_WITHIN="2") as running:
        running.serve()
        yield running


@pytest.fixture(autouse=True)
def calm(bridge: Site) -> Iterator[None]:
    """Nothing that one test planned is left for the next."""
    yield
    bridge.world.faults.clear()
    bridge.trap = lambda: None
