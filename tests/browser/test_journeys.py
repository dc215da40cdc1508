"""What people come to do, done by clicking and typing."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Studio, choose

RUN_MS = 300_000
BROKEN: dict[str, Any] = {
    "name": "broken",
    "steps": [
        {"id": "rows", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"a": "1"}, {"a": "two"}]}}},
        {"id": "numbers", "type": "transform", "config": {"ops": [{"op": "cast", "columns": {"a": "int"}}]}},
        {
            "id": "save",
            "type": "load",
            "config": {"sink": {"kind": "file", "path": "numbers.csv"}, "mode": "overwrite"},
        },
    ],
}


def node(page: Page, step: str) -> Any:
    return page.locator(f'.react-flow__node[data-id="{step}"]')


def state(page: Page) -> Any:
    return page.locator(".head .pill").first


def add_step(page: Page, words: str) -> None:
    """Add a step by keyboard: A, a few letters, Enter."""
    page.locator(".canvas").focus()
    page.keyboard.press("a")
    search = page.get_by_label("Search steps to add")
    expect(search).to_be_focused()
    search.fill(words)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")


def test_the_example_runs_at_one_click_and_its_model_is_in_the_registry(studio: Studio, page: Page) -> None:
    page.goto(studio.url)
    page.get_by_role("button", name="Run flights").click()
    expect(state(page)).to_have_text("Success", timeout=RUN_MS)
    expect(node(page, "model")).to_contain_text("327.3k rows")
    page.get_by_role("link", name="Models").click()
    expect(page.locator(".rows")).to_contain_text("late-flight")
    page.get_by_role("link", name="Dashboard").click()
    expect(page.get_by_test_id("stMetric").first).to_contain_text("Pipelines")


def test_a_pipeline_is_built_on_the_canvas_and_runs(studio: Studio, page: Page, settled: Callable[[], None]) -> None:
    page.goto(f"{studio.url}/pipelines")
    page.get_by_role("button", name="New pipeline").click()
    page.get_by_role("radio", name="Empty canvas").click()
    expect(page.locator(".st-key-new_template")).to_have_count(0)
    page.get_by_role("textbox", name="Name").fill("built by hand")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Create", exact=True).click()
    panel = page.locator(".st-key-step_panel")
    expect(page.locator(".canvas")).to_contain_text("An empty canvas")

    add_step(page, "file")
    choose(page, panel.get_by_role("combobox", name="Path"), "examples/penguins.csv")
    expect(node(page, "file")).to_contain_text("penguins.csv")
    for words, step in (("drop missing", "drop_null"), ("unique", "check"), ("parquet", "save_parquet")):
        before = page.locator(".react-flow__node").count()
        add_step(page, words)
        expect(node(page, step)).to_be_visible()
        expect(page.locator(".react-flow__edge")).to_have_count(before)
    node(page, "check").click()
    expect(panel).to_contain_text("check")
    choose(page, panel.get_by_role("combobox", name="Column"), "rowid")
    expect(panel.locator(".error-card")).to_contain_text("rowid")
    panel.get_by_role("button", name="Move, duplicate or remove 1").click()
    page.get_by_role("menuitem", name="Remove").click()
    column = panel.get_by_role("combobox", name="Column")
    expect(column).to_have_count(0)
    settled()
    panel.get_by_role("combobox", name="Add a rule").click()
    page.get_by_role("option", name="Not null").click()
    expect(column).to_have_count(1)
    settled()
    choose(page, column, "species")
    expect(panel.locator(".error-card")).to_have_count(0)

    page.locator(".st-key-save button").click()
    expect(page.locator(".head .sub").first).to_have_text("version 2")
    settled()
    page.locator(".st-key-run button").click()
    page.wait_for_url("**/run?id=*")
    expect(state(page)).to_have_text("Success", timeout=RUN_MS)
    assert (studio.services.runs.list(pipeline="built by hand").items[0].steps[-1].rows_out or 0) > 300


def test_a_failed_run_says_the_mend_and_goes_on_from_the_failed_step(
    studio: Studio, page: Page, settled: Callable[[], None]
) -> None:
    pipeline = studio.services.pipelines.create(BROKEN)
    page.goto(f"{studio.url}/pipeline?id={pipeline.id}")
    page.locator(".st-key-run button").click()
    expect(state(page)).to_have_text("Failed", timeout=RUN_MS)
    expect(page.locator(".error-card").first).to_contain_text("two")
    expect(page.locator(".error-card .mend").first).to_be_visible()

    page.get_by_text("Open this step").click()
    panel = page.locator(".st-key-step_panel")
    panel.get_by_text("null", exact=True).click()
    page.locator(".st-key-save button").click()
    expect(page.locator(".head .sub").first).to_have_text("version 2")
    settled()
    page.get_by_role("tab", name="Runs").click()
    page.locator(".rows tbody tr").first.click()
    page.get_by_role("button", name="Run again from").click()
    page.wait_for_url("**/run?id=*")
    expect(state(page)).to_have_text("Success", timeout=RUN_MS)


def test_an_error_is_found_in_the_logs(studio: Studio, page: Page) -> None:
    pipeline = studio.services.pipelines.create({**BROKEN, "name": "broken in the logs"})
    page.goto(f"{studio.url}/pipeline?id={pipeline.id}")
    page.locator(".st-key-run button").click()
    expect(state(page)).to_have_text("Failed", timeout=RUN_MS)

    page.goto(f"{studio.url}/logs?level=ERROR")
    search = page.get_by_role("searchbox", name="Search").or_(page.get_by_label("Search", exact=True)).first
    search.fill("two")
    page.keyboard.press("Enter")
    expect(page.locator(".log mark").first).to_have_text("two")
    expect(page.locator(".log .lv").first).to_have_text("ERROR")
    page.reload()
    expect(page.locator(".log mark").first).to_have_text("two")


def test_a_pipeline_is_put_on_a_schedule(studio: Studio, page: Page, settled: Callable[[], None]) -> None:
    page.goto(f"{studio.url}/pipeline?id=penguins&tab=Schedule")
    page.get_by_role("textbox", name="Cron").fill("0 6 * * 1-5")
    page.keyboard.press("Enter")
    expect(page.locator(".rows tbody tr")).to_have_count(5)
    page.locator(".st-key-save button").click()
    expect(page.locator(".head .sub").first).to_have_text("version 2")
    settled()
    assert studio.services.pipelines.get("penguins").schedule == "0 6 * * 1-5"


def test_the_way_back_leads_to_the_tab_and_the_filter_that_were_left(studio: Studio, page: Page) -> None:
    for path, shown in (
        ("/pipeline?id=flights&tab=Versions", page.get_by_role("tab", name="Versions", selected=True)),
        ("/runs?state=Failed", page.get_by_role("heading", name="Runs")),
    ):
        page.goto(studio.url + path)
        expect(shown).to_be_visible()
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_role("heading", name="Settings")).to_be_visible()
        page.go_back()
        page.wait_for_url(f"**{path}")
        expect(shown).to_be_visible()


def test_nothing_is_asked_of_other_servers(studio: Studio, page: Page, settled: Callable[[], None]) -> None:
    elsewhere: list[str] = []
    page.on(
        "request",
        lambda request: (
            elsewhere.append(request.url) if not request.url.startswith((studio.url, "data:", "blob:")) else None
        ),
    )
    for path in ("/", "/pipelines", "/pipeline?id=flights", "/experiments", "/validations", "/logs", "/settings"):
        page.goto(studio.url + path)
        settled()
    assert elsewhere == []
