"""The canvas: adding, connecting, undoing, copying, by mouse and by keyboard."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Studio

CHAIN: dict[str, Any] = {
    "steps": [
        {
            "id": "rows",
            "type": "extract",
            "config": {"source": {"kind": "inline", "rows": [{"a": 1}]}},
            "position": {"x": 0, "y": 0},
        },
        {
            "id": "first",
            "type": "transform",
            "config": {"ops": [{"op": "limit", "rows": 1}]},
            "position": {"x": 300, "y": 0},
        },
        {
            "id": "second",
            "type": "transform",
            "config": {"ops": [{"op": "limit", "rows": 1}]},
            "position": {"x": 600, "y": 0},
        },
    ]
}

PRESS = """(on, key) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }))"""
PALETTE_AND_BACK = f"""async step => {{  // both keys before anything that was put off can happen
    const press = {PRESS}
    press(step, "a")
    press(step.getRootNode().querySelector(".palette input"), "Escape")
    await new Promise(done => setTimeout(done, 150))
    return step.getRootNode().activeElement === step
}}"""
DOWN_TWICE = f"""async step => {{  // in a moment, however busy the machine is: it is one move
    const press = {PRESS}
    press(step, "ArrowDown")
    await new Promise(done => queueMicrotask(done))
    press(step, "ArrowDown")
}}"""
HIDE_NEW = """(canvas, tries) => {  // as a step is until it has been measured: shown when it has been tried so often
    const style = document.createElement("style")
    style.textContent = '.react-flow__node[data-id^="limit"] { visibility: hidden !important }'
    canvas.getRootNode().append(style)
    canvas.show = () => style.remove()
    const focus = HTMLElement.prototype.focus
    HTMLElement.prototype.focus = function (...given) {
        if (this.matches('[data-id^="limit"]') && tries-- === 0) canvas.show()
        focus.apply(this, given)
    }
}"""


@pytest.fixture
def chain(studio: Studio, page: Page, request: pytest.FixtureRequest) -> str:
    """The id of a chain of three steps, open on its canvas."""
    pipeline = studio.services.pipelines.create(
        {**CHAIN, "name": request.node.name.replace("[", " ").replace("]", "")[-60:]}
    )
    page.goto(f"{studio.url}/pipeline?id={pipeline.id}")
    expect(page.locator(".react-flow__node")).to_have_count(3)
    return pipeline.id


def node(page: Page, step: str) -> Any:
    return page.locator(f'.react-flow__node[data-id="{step}"]')


def drag(page: Page, start: Any, end: tuple[float, float]) -> None:
    box = start.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(*end, steps=12)
    page.mouse.up()


def centre(thing: Any) -> tuple[float, float]:
    box = thing.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def place_of(page: Page, step: str) -> re.Pattern[str]:
    """Of a style that puts the step where it is now, whatever else it says: a step that is selected lies above others."""
    found = re.search(r"translate\(.*?\)", node(page, step).get_attribute("style"))
    assert found is not None
    return re.compile(re.escape(found[0]))


def add_limit(page: Page) -> None:
    """A step from the palette, added and gone back to by keys."""
    page.keyboard.press("a")
    page.get_by_label("Search steps to add").fill("limit")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")


def test_a_dragged_step_keeps_its_place(studio: Studio, page: Page, chain: str) -> None:
    x, y = centre(node(page, "first"))
    drag(page, node(page, "first"), (x, y + 120))
    expect(page.locator(".head .sub").first).to_have_text("unsaved changes")
    page.locator(".st-key-save button").click()
    expect(page.locator(".head .sub").first).to_have_text("version 2")
    position = studio.services.pipelines.get(chain).steps[1].position
    assert position is not None
    assert position.y > 60


def test_the_save_key_saves_what_is_being_typed(studio: Studio, page: Page, chain: str) -> None:
    node(page, "first").click()
    page.get_by_role("textbox", name="Label", exact=True).fill("typed last")
    page.keyboard.press("Control+s")
    expect(page.locator(".head .sub").first).to_have_text("version 2")
    assert studio.services.pipelines.get(chain).steps[1].config["ops"][0]["label"] == "typed last"


def test_a_button_pressed_right_out_of_a_field_comes_after_what_is_typed(
    studio: Studio, page: Page, chain: str
) -> None:
    node(page, "first").click()
    label = page.get_by_role("textbox", name="Label", exact=True)
    label.fill("first")
    label.press("Tab")
    save = page.locator(".st-key-save button")
    expect(save).to_be_enabled()
    label.fill("typed last")
    save.click()
    expect(page.locator(".head .sub").first).to_have_text("version 2")
    assert studio.services.pipelines.get(chain).steps[1].config["ops"][0]["label"] == "typed last"


def test_a_circle_is_refused(page: Page, chain: str) -> None:
    drag(page, node(page, "second").locator(".source"), centre(node(page, "first").locator(".target")))
    expect(page.locator(".notice")).to_have_text("That would make a circle.")
    expect(page.locator(".react-flow__edge")).to_have_count(2)


def test_steps_are_connected_by_mouse_and_by_keyboard(page: Page, chain: str) -> None:
    drag(page, node(page, "rows").locator(".source"), centre(node(page, "second").locator(".target")))
    expect(page.locator(".react-flow__edge")).to_have_count(3)
    page.keyboard.press("Control+z")
    expect(page.locator(".react-flow__edge")).to_have_count(2)
    node(page, "rows").click()
    page.keyboard.press("c")
    node(page, "second").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".react-flow__edge")).to_have_count(3)


def test_delete_is_undone_and_done_again(page: Page, chain: str) -> None:
    node(page, "first").click()
    page.keyboard.press("Delete")
    expect(page.locator(".react-flow__node")).to_have_count(2)
    expect(page.locator(".react-flow__edge")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(page.locator(".react-flow__node")).to_have_count(3)
    expect(page.locator(".react-flow__edge")).to_have_count(2)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(".react-flow__node")).to_have_count(2)


def test_several_steps_are_copied_with_what_connects_them(studio: Studio, page: Page, chain: str) -> None:
    node(page, "first").click()
    node(page, "second").click(modifiers=["Control"])
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    expect(page.locator(".react-flow__node")).to_have_count(5)
    expect(page.locator(".react-flow__edge")).to_have_count(3)


def test_a_step_is_dragged_from_the_palette(page: Page, chain: str) -> None:
    page.locator(".add").click()
    page.get_by_label("Search steps to add").fill("sort")
    canvas = page.locator(".canvas")
    page.locator(".palette-item", has_text="Sort").drag_to(canvas, target_position={"x": 420, "y": 480})
    expect(node(page, "sort")).to_be_visible()
    expect(page.locator(".step-problems").first).to_be_visible()


def test_sixty_steps_stay_fluid(studio: Studio, page: Page) -> None:
    steps = [{"id": "s0", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"a": 1}]}}}]
    steps += [
        {
            "id": f"s{i}",
            "type": "transform",
            "needs": [f"s{max(0, i - 1 - i % 3)}"],
            "config": {"ops": [{"op": "limit", "rows": 1}]},
        }
        for i in range(1, 60)
    ]
    pipeline = studio.services.pipelines.create({"name": "sixty", "steps": steps})
    page.goto(f"{studio.url}/pipeline?id={pipeline.id}")
    expect(page.locator(".react-flow__node")).to_have_count(60)
    expect(page.locator(".react-flow__minimap")).to_be_visible()
    page.locator(".canvas").focus()
    page.keyboard.press("f")
    expect(node(page, "s30")).to_be_in_viewport()
    page.wait_for_timeout(400)  # the view glides there
    x, y = centre(node(page, "s30"))
    page.mouse.move(x, y)
    page.mouse.down()
    frames = page.evaluate_handle(
        """() => new Promise(done => {
            let count = 0
            const end = performance.now() + 1500
            const tick = now => { count += 1; now < end ? requestAnimationFrame(tick) : done(count) }
            requestAnimationFrame(tick)
        })"""
    )
    for shift in range(30):
        page.mouse.move(x + 2 * shift, y + shift)
    page.mouse.up()
    assert frames.json_value() > 15
    expect(page.locator(".head .sub").first).to_have_text("unsaved changes")


def test_keys_typed_into_the_search_do_nothing_else(page: Page, chain: str) -> None:
    page.locator(".add").click()
    page.get_by_label("Search steps to add").press_sequentially("clear")
    page.keyboard.press("Delete")
    expect(page.locator(".react-flow__node")).to_have_count(3)
    expect(page.get_by_label("Search steps to add")).to_have_value("clear")


def test_a_steps_menu_renames_it_and_runs_up_to_it(studio: Studio, page: Page, chain: str) -> None:
    expect(node(page, "first")).to_have_attribute("aria-label", "first, transform")
    node(page, "first").click(button="right")
    menu = page.get_by_role("menu", name="Actions for first")
    expect(menu.get_by_role("menuitem", name="Run to here")).to_be_focused()
    expect(menu.get_by_role("menuitem", name="Run from here")).to_be_disabled()
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitem", name="Rename")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(node(page, "first")).to_be_focused()
    page.keyboard.press("Shift+F10")
    menu.get_by_role("menuitem", name="Rename").click()
    page.keyboard.type("One row")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-step_panel h1")).to_have_text("One row")
    node(page, "first").get_by_role("button", name="Actions for One row").click()
    page.get_by_role("menuitem", name="Run to here").click()
    page.wait_for_url("**/run?id=*")
    run = studio.services.runs.list(pipeline=chain).items[0]
    assert [step.id for step in run.steps if step.status != "skipped"] == ["rows", "first"]


def test_the_next_key_goes_where_it_was_wished_last(page: Page, chain: str) -> None:
    search = page.get_by_label("Search steps to add")
    node(page, "first").click()
    page.keyboard.press("a")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(node(page, "first")).to_be_focused()
    assert node(page, "first").evaluate(PALETTE_AND_BACK)


def test_a_step_that_is_drawn_late_gets_the_focus_unless_it_went_elsewhere(page: Page, chain: str) -> None:
    canvas = page.locator(".canvas")
    canvas.focus()
    canvas.evaluate(HIDE_NEW, 20)
    add_limit(page)
    expect(node(page, "limit")).to_be_focused()
    canvas.evaluate(HIDE_NEW, 1000)
    add_limit(page)
    outside = page.get_by_role("link", name="Dashboard")
    outside.focus()
    canvas.evaluate("canvas => canvas.show()")
    expect(node(page, "limit_2")).to_be_visible()
    page.wait_for_timeout(100)  # longer than from one try to the next
    expect(outside).to_be_focused()


def test_a_pipeline_is_built_by_keyboard_alone(page: Page, chain: str) -> None:
    page.locator(".canvas").focus()
    page.keyboard.press("n")
    expect(node(page, "rows")).to_be_focused()
    for key in ("n", "n", "p"):
        page.keyboard.press(key)
    expect(node(page, "first")).to_have_class(re.compile("selected"))
    add_limit(page)
    expect(node(page, "limit")).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("c")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    expect(page.locator(".react-flow__edge")).to_have_count(4)
    place = place_of(page, "limit")
    page.keyboard.press("Enter")
    expect(node(page, "limit")).to_have_class(re.compile("selected"))
    node(page, "limit").evaluate(DOWN_TWICE)
    expect(node(page, "limit")).not_to_have_attribute("style", place)
    page.keyboard.press("Control+z")
    expect(node(page, "limit")).to_have_attribute("style", place)
    page.keyboard.press("Escape")
    expect(page.locator(".canvas")).to_be_focused()
    page.keyboard.press("n")
    expect(node(page, "rows")).to_be_focused()


def test_two_versions_are_read_on_one_canvas_as_high_as_the_window_allows(
    studio: Studio, page: Page, chain: str
) -> None:
    heights = []
    for height in (800, 1440):
        page.set_viewport_size({"width": 1440, "height": height})
        boxes = [page.locator(each).bounding_box() for each in (".canvas-host", ".st-key-step_panel")]
        heights.append([round(box["height"]) for box in boxes if box])
    assert heights == [[496, 496], [893, 893]]
    document = studio.services.pipelines.get(chain).draft().model_dump(mode="json")
    document["steps"][1]["config"]["ops"][0]["rows"] = 7
    document["steps"][2]["id"] = "third"
    document["steps"][2]["config"]["ops"] = []
    studio.services.pipelines.update(chain, document)
    page.goto(f"{studio.url}/pipeline?id={chain}&tab=Versions")
    expect(node(page, "third").locator(".change-word")).to_have_text("+ added")
    expect(page.locator(".edge-removed")).to_have_count(1)
    node(page, "first").hover()
    expect(page.locator(".changes li")).to_have_text("Op 1 (limit) › rows: changed from 1 to 7")
    node(page, "third").focus()
    expect(page.locator(".changes")).to_contain_text("added")
