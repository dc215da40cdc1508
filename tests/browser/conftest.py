"""The studio in a real browser: a server of its own on a real MongoDB, and Chromium."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from pymongo import MongoClient

from etlml.services import Services
from etlml.settings import Settings
from etlml.store import open_store
from etlml.store.encoding import Document
from scripts.studio import ARGUMENTS, find_browser
from scripts.studio import studio as running

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
    path = find_browser()
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


@contextmanager
def _studio(server: str, client: MongoClient[Document], database: str, home: Path, **more: str) -> Iterator[Studio]:
    settings = {"ETLML_HOME": str(home), "ETLML_MONGODB_URI": server, "ETLML_DATABASE": database, **more}
    with open_store(server, database) as store, running(settings, quiet=False) as found:
        yield Studio(found.url, Services(store, Settings(home=home)))
    client.drop_database(database)


@pytest.fixture(scope="module")
def studio(
    mongo_server: str, mongo_client: MongoClient[Document], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    """A studio with the example workspace, whose runs are executed in its own process."""
    with _studio(mongo_server, mongo_client, "browser", tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def guarded_studio(
    mongo_server: str, mongo_client: MongoClient[Document], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    """A studio that asks for sign-in."""
    home = tmp_path_factory.mktemp("home")
    with _studio(mongo_server, mongo_client, "guarded", home, ETLML_AUTH="required") as found:
        yield found


@pytest.fixture
def settled(page: Page) -> Callable[[], None]:
    """Waits until the page's script has run, and holds that it broke nowhere."""

    def wait() -> None:
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        expect(page.get_by_test_id("stException")).to_have_count(0)

    return wait


def choose(page: Page, field: Locator, words: str) -> None:
    """Type into a field that offers what there is, once the page stands still, and take what it then offers."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    field.fill(words)
    expect(page.get_by_role("option").first).to_contain_text(words)
    page.keyboard.press("Enter")
