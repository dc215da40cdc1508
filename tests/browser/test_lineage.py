"""The lineage tab: one click shows a column's whole way."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Studio

STEPS = [
    {"id": "rows", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"n": 1, "other": 2}]}}},
    {"id": "more", "type": "transform", "config": {"ops": [{"op": "derive", "columns": {"twice": "n * 2"}}]}},
    {"id": "save", "type": "load", "config": {"sink": {"kind": "file", "path": "out.csv"}}},
]


def test_a_click_shows_where_a_column_comes_from_and_goes(
    studio: Studio, page: Page, settled: Callable[[], None]
) -> None:
    pipeline = studio.services.pipelines.create({"name": "lineage", "steps": STEPS})
    page.goto(f"{studio.url}/pipeline?id={pipeline.id}&tab=Lineage")
    page.locator(".card[data-step=more] .col", has_text="twice").click()
    expect(page.locator(".side")).to_contain_text("n * 2")
    expect(page.locator(".side")).to_contain_text("saved to out.csv (overwrite)")
    expect(page).to_have_url(re.compile("step=more&column=twice"))
    expect(page.locator(".col.on")).to_have_text(["n", re.compile("twice"), "twice"])
    page.get_by_label("Find a column").fill("other")
    page.get_by_label("Find a column").press("Enter")
    expect(page.locator(".card[data-step=more] .more")).to_have_text("+ 2 more")
    page.keyboard.press("Escape")
    expect(page.locator(".col.on")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("column="))
    settled()
