"""What a person waits for, in a real browser: first visit, other page, reload, a dragged step; and what open pages cost."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from bench import pages_canvas
from bench.measure import Row, percentile
from etlml.services import Services
from scripts.studio import ARGUMENTS, IDLE, find_browser, studio

FIRST_S, SWITCH_S, SAVED_MS = 5.0, 1.5, 400.0
WATCHED_S, ONE_SHARE, TEN_SHARE = 20.0, 2.0, 15.0
DRAGS = 8
REPEATS = 3
WARM_S = 3.0
PAGES = ("dashboard", "pipelines", "runs", "experiments", "models", "validations", "logs", "settings")
_TITLES = {name: name.capitalize() for name in PAGES}


def run(uri: str, home: Path, database: str, services: Services) -> Iterator[Row]:
    """All of it, on a studio that has just been started."""
    from playwright.sync_api import sync_playwright

    settings = {
        "ETLML_HOME": str(home),
        "ETLML_MONGODB_URI": uri,
        "ETLML_DATABASE": database,
        "ETLML_SUPERVISED": "true",
    }
    with sync_playwright() as playwright, studio(settings) as (url, started):
        time.sleep(WARM_S)  # the process loads what pages need once it is up
        process = psutil.Process(started.pid)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(60_000)
        yield Row("first visit (browser)", _taken(lambda: _opened(page, url, "dashboard")), None, FIRST_S)
        yield from _switches(page)
        yield from _reloads(page, url)
        yield _drag(page, url, services)
        yield from pages_canvas.run(page, url, services)
        page.close()
        yield from _open_pages(browser, url, process, services)
        browser.close()


def _opened(page: Any, url: str, name: str) -> None:
    page.goto(f"{url}/{name}" if name != "dashboard" else url)
    _stands(page, name)


def _stands(page: Any, name: str) -> None:
    page.locator(".head h1", has_text=_TITLES[name]).first.wait_for()
    page.wait_for_selector(IDLE)


def _taken(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _switches(page: Any) -> Iterator[Row]:
    for name in (*PAGES[1:], PAGES[0]):
        link = page.locator("[data-testid=stSidebar] a", has_text=_TITLES[name]).first

        def switch(link: Any = link, name: str = name) -> None:
            link.click()
            _stands(page, name)

        switch()
        taken = []
        for _ in range(REPEATS):
            page.go_back()
            page.wait_for_timeout(1200)
            taken.append(_taken(switch))
            page.wait_for_timeout(600)
        yield Row(f"switch to {name} (browser)", percentile(taken, 0.5), None, SWITCH_S, note=_note(taken))


def _reloads(page: Any, url: str) -> Iterator[Row]:
    for name in PAGES:
        _opened(page, url, name)
        page.wait_for_timeout(600)

        def again(name: str = name) -> None:
            page.reload()
            _stands(page, name)

        taken = [_taken(again) for _ in range(REPEATS)]
        yield Row(f"reload of {name} (browser)", percentile(taken, 0.5), None, SWITCH_S, note=_note(taken))


def _note(taken: list[float]) -> str:
    return f"median of {len(taken)}; longest {max(taken):.2f} s"


def _drag(page: Any, url: str, services: Services) -> Row:
    page.goto(f"{url}/pipeline?id=p2")
    node = page.locator('.react-flow__node[data-id="s2"]')
    node.wait_for()
    page.wait_for_timeout(1500)
    taken = []
    for number in range(DRAGS):
        before = _draft(services)
        box = node.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + (40, -40)[number % 2], steps=6)
        page.mouse.up()
        began = time.perf_counter()
        while _draft(services) == before and time.perf_counter() - began < 10:
            time.sleep(0.005)
        taken.append(1000 * (time.perf_counter() - began))
        page.wait_for_timeout(800)
    note = f"p50 {percentile(taken, 0.5):.0f} ms"
    return Row("dragged step to saved draft (p95)", percentile(taken, 0.95), None, SAVED_MS, "ms", note)


def _draft(services: Services) -> Any:
    found = services.store.database["settings"].find_one({"_id": {"$regex": r"^draft\..*\.p2$"}})
    return found and found.get("value")


def _open_pages(browser: Any, url: str, process: psutil.Process, services: Services) -> Iterator[Row]:
    """The server's share of a core with one live page open, then with ten."""
    running = services.store.runs.list(status="running", limit=1).items[0].id
    contexts = list[Any]()
    for wanted, limit, what in ((1, ONE_SHARE, "one live page"), (10, TEN_SHARE, "ten live pages")):
        while len(contexts) < wanted:
            context = browser.new_context(viewport={"width": 1280, "height": 860})
            contexts.append(context)
            page = context.new_page()
            page.goto(f"{url}/run?id={running}" if len(contexts) % 2 else f"{url}/runs", timeout=60_000)
            page.wait_for_selector(IDLE, timeout=60_000)
        time.sleep(5)
        before = sum(process.cpu_times()[:2])
        time.sleep(WATCHED_S)
        share = 100 * (sum(process.cpu_times()[:2]) - before) / WATCHED_S
        yield Row(f"{what} (server's share of a core)", share, None, limit, "%")
    for context in contexts:
        context.close()
