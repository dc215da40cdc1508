"""What people do with settings that a server-side test cannot see: double clicks, and the Tab key."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Studio, choose


def test_a_double_click_creates_one_thing_and_a_password_left_with_tab_is_kept(studio: Studio, page: Page) -> None:
    services = studio.services
    page.goto(f"{studio.url}/settings?tab=Connections")
    page.locator(".st-key-connection__name input").fill("shop")
    page.keyboard.press("Tab")
    expect(page.locator(".st-key-connection__save button")).to_be_enabled()
    choose(page, page.locator(".st-key-connection__kind input"), "Web API")
    page.get_by_role("textbox", name=re.compile("^Url", re.I)).fill("http://127.0.0.1:9/")
    page.locator(".st-key-connection__token_set input").fill("swordfish-1234")
    page.keyboard.press("Tab")
    page.locator(".st-key-connection__save button:not([disabled])").dblclick()
    expect(page.locator("[data-testid=stToast]")).to_contain_text("Connection shop saved.")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("")
    assert services.connections.get("shop").secrets == {"token": "${secret.SHOP_TOKEN}"}
    page.goto(f"{studio.url}/schedules")
    page.locator(".st-key-backfill button").click()
    page.get_by_text("All, whatever they came to").click()
    page.locator(".st-key-backfill_start button:not([disabled])").dblclick()
    expect(page.get_by_role("tab", name="Backfills")).to_have_attribute("aria-selected", "true")
    assert len(services.backfills.list().items) == 1
    expect(page.locator("[data-testid=stException], [data-testid=stAlert]")).to_have_count(0)


def test_what_a_row_does_is_copied_by_key_alone_and_the_row_stays_closed(studio: Studio, page: Page) -> None:
    studio.services.connections.create({"name": "lake", "kind": "http", "config": {"url": "http://127.0.0.1:9/"}})
    page.goto(f"{studio.url}/settings?tab=Connections")
    button = page.get_by_role("button", name=re.compile("^Copy as.*lake"))
    expect(button).to_have_css("opacity", "0")
    page.locator("tr", has_text="lake").focus()
    expect(button).to_have_css("opacity", "1")
    for _ in ("Test", "Delete", "Copy as"):
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("etlml connections lake --test")
    dialog.get_by_role("tab", name="Delete").click()
    expect(dialog).to_contain_text("etlml delete connection lake")
    assert "connection=" not in page.url
