"""What all pages look like, as only a browser can tell."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Studio


def test_dialogs_are_as_dark_as_the_page_behind_them(studio: Studio, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(studio.url)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(page.locator("kbd").first).to_have_css("background-color", "rgb(24, 28, 35)")
