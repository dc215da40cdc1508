"""How fluid the canvas is in a real browser: frame times while panning and dragging, and the time until a new step is shown."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.measure import Row, percentile
from etlml.services import Services

SIZES = (60, 200)
FRAME_MS, ADDED_MS = 33.4, 500.0  # two frames of a screen with 60 a second
MOVES, ADDS = 120, 5
_WATCH = """() => { window.frames_ms = []; let last = performance.now()
    const next = now => { frames_ms.push(now - last); last = now; window.watching = requestAnimationFrame(next) }
    window.watching = requestAnimationFrame(next) }"""
_SEEN = "() => { cancelAnimationFrame(window.watching); return window.frames_ms.slice(2) }"


def run(page: Any, url: str, services: Services) -> Iterator[Row]:
    """The figures for a pipeline of each size."""
    for size in SIZES:
        name = f"canvas-{size}"
        if name not in services.pipelines.names():
            services.pipelines.create({"name": name, "steps": steps(size)})
        page.goto(f"{url}/pipeline?id={name}")
        page.locator(".react-flow__node").first.wait_for()
        page.wait_for_timeout(2000)
        page.locator(".canvas").focus()
        page.keyboard.press("f")
        page.wait_for_timeout(600)
        box = page.locator(".canvas").bounding_box()
        low = box["x"] + 0.6 * box["width"], box["y"] + box["height"] - 30
        yield _frames(page, f"canvas of {size} steps: panned (p95 frame)", low)
        yield _frames(page, f"canvas of {size} steps: a step dragged (p95 frame)", _centre_of_a_step(page, box))
        page.wait_for_timeout(1500)
        yield _added(page, size)


def steps(count: int) -> list[dict[str, Any]]:
    """A pipeline of so many steps, each fed by one of the three before it."""
    first = {"id": "s0", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"a": 1}]}}}
    config = {"ops": [{"op": "limit", "rows": 1}]}
    more = (
        {"id": f"s{at}", "type": "transform", "needs": [f"s{max(0, at - 1 - at % 3)}"], "config": config}
        for at in range(1, count)
    )
    return [first, *more]


def _centre_of_a_step(page: Any, canvas: Mapping[str, float]) -> tuple[float, float]:
    """Of one that no panel covers."""
    boxes: Sequence[Mapping[str, float]] = [one.bounding_box() for one in page.locator(".react-flow__node").all()]
    for box in boxes:
        if canvas["x"] + 240 < box["x"] < canvas["x"] + 0.8 * canvas["width"] and box["y"] > canvas["y"] + 60:
            return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    raise RuntimeError("no step of the canvas is in sight")


def _frames(page: Any, what: str, start: tuple[float, float]) -> Row:
    x, y = start
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(_WATCH)
    for at in range(MOVES):
        page.mouse.move(x + 6 * (at % 12), y - 4 * (at % 12))
        page.wait_for_timeout(8)
    frames = page.evaluate(_SEEN)
    page.mouse.up()
    note = f"p50 {percentile(frames, 0.5):.0f} ms, {len(frames)} frames"
    return Row(what, percentile(frames, 0.95), None, FRAME_MS, "ms", note)


def _added(page: Any, size: int) -> Row:
    """From Enter in the palette to the new card; the panel beside it follows once the server has answered."""
    shown, panel = list[float](), list[float]()
    for _ in range(ADDS):
        before = page.locator(".react-flow__node.selected").get_attribute("data-id") if shown else None
        page.locator(".canvas").focus()
        page.keyboard.press("a")
        page.get_by_label("Search steps to add").fill("limit")
        began = time.perf_counter()
        page.keyboard.press("Enter")
        page.locator(f".react-flow__node.selected:not([data-id='{before}'])").wait_for()
        shown.append(1000 * (time.perf_counter() - began))
        added = page.locator(".react-flow__node.selected").get_attribute("data-id")
        page.locator(".st-key-step_panel h1", has_text=added).wait_for()
        panel.append(1000 * (time.perf_counter() - began))
        page.wait_for_timeout(1200)
    note = f"in the panel after {percentile(panel, 0.5):.0f} ms"
    return Row(f"canvas of {size} steps: a step added (median)", percentile(shown, 0.5), None, ADDED_MS, "ms", note)
