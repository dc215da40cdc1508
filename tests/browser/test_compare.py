"""Two runs compared, by clicking."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Studio
from tests.services.factories import a_document


def test_two_runs_are_compared_down_to_the_rows(studio: Studio, page: Page) -> None:
    pipeline = studio.services.pipelines.create(a_document(name="compared"))
    for least in (1, 2):
        run = studio.services.runs.start(pipeline.id, {"least": least})
        assert studio.services.runs.wait(run.id, 60).status == "success"

    page.goto(f"{studio.url}/runs?view=grid&pipeline=compared")
    page.locator(".run-grid .whole").last.click()
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page.locator(".changes")).to_contain_text("least: changed from 1 to 2")
    rows = page.locator(".rows-diff tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("removed")
    expect(page.locator(".split .legend")).to_contain_text("1 same")
    with page.expect_download() as download:
        page.locator(".downloads").get_by_text("CSV").click()
    assert "removed,1,1.5" in download.value.path().read_text()

    page.get_by_role("button", name="swap_horiz icon").click()
    expect(rows.first).to_contain_text("added")
