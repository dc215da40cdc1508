"""The studio in a real browser: a server of its own on a real MongoDB, and Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pymongo import MongoClient

from etlml.services import Services
from etlml.settings import Settings
from etlml.store import open_store
from etlml.store.encoding import Document

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_S = 90
expect.set_options(timeout=30_000)


class Studio(NamedTuple):
    """A running studio: where it is, and the use cases on its database."""

    url: str
    services: Services


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(str(item.fspath)).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser; without one the test is skipped, but in CI it fails."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("No Chromium was found. Install Debian's package chromium.")
        pytest.skip("needs Chromium or Chrome, which was not found")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page, as of a new visitor; an error in its scripts fails the test."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 1000}, timezone_id="Europe/Berlin", locale="en-GB"
    )
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    broken: list[str] = []
    opened.on("pageerror", lambda error: broken.append(str(error)))
    yield opened
    context.close()
    assert not broken


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _studio(server: str, database: str, home: Path, **environment: str) -> Iterator[Studio]:
    port = free_port()
    settings = {
        "ETLML_HOME": str(home),
        "ETLML_MONGODB_URI": server,
        "ETLML_DATABASE": database,
        "ETLML_PORT": str(port),
        **environment,
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdin=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    store = open_store(server, database)
    try:
        _wait_for(f"{url}/healthz", process)
        yield Studio(url, Services(store, Settings(home=home)))
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        store.close()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert process.poll() is None, f"the studio ended with {process.returncode}"
        try:
            with urllib.request.urlopen(url, timeout=1) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the studio did not start within {START_S} s")


@pytest.fixture(scope="module")
def studio(
    mongo_server: str, mongo_client: MongoClient[Document], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    """A studio with the example workspace, whose runs are executed in its own process."""
    yield from _studio(mongo_server, "browser", tmp_path_factory.mktemp("home"))
    mongo_client.drop_database("browser")


@pytest.fixture(scope="module")
def guarded_studio(
    mongo_server: str, mongo_client: MongoClient[Document], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    """A studio that asks for sign-in."""
    yield from _studio(mongo_server, "guarded", tmp_path_factory.mktemp("home"), ETLML_AUTH="required")
    mongo_client.drop_database("guarded")


@pytest.fixture
def settled(page: Page) -> Callable[[], None]:
    """Waits until the page's script has run, and holds that it broke nowhere."""

    def wait() -> None:
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        expect(page.get_by_test_id("stException")).to_have_count(0)

    return wait
