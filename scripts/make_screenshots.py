"""Takes the pictures of docs/screenshots: ``python -m scripts.make_screenshots [FOLDER] [--width 1920] [--only NAME,NAME]``.

A database of its own is filled as after some weeks of use, the example pipelines run once for real, the studio is
started on it, and every page, tab and main dialog is photographed in light and in dark. Needs Chromium.
"""

import argparse
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from etlml.clock import utc_now
from etlml.services import Services
from etlml.services.principals import LOCAL_NAME
from etlml.settings import get_settings
from etlml.store import Store, open_store
from etlml.store.mongod import EmbeddedMongod
from scripts.seeding import seed_past
from scripts.seeding_present import seed_present, worker
from scripts.studio import ARGUMENTS, IDLE, ROOT, await_answer, find_browser, free_port, process, studio

FOLDER = ROOT / "docs" / "screenshots"
HEIGHTS = {1280: 860, 1920: 1080}
MODES = ("light", "dark")
DATABASE = "pictures"
KEYS = "carrier,flight,time_hour"
LISTS_DRAWN = """() => [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
    .filter(each => !each.getBoundingClientRect().height).length < 2"""  # one is the listener for keys, without a height
DRAWN_MS = 1000  # charts and the canvas draw after the page's script has ended
COLOURS = 256
RUN_S = 300.0


class Shot(NamedTuple):
    """A path, and what is done there before the picture is taken."""

    path: str
    act: Callable[[Page], None] = lambda _page: None


def press(key: str) -> Callable[[Page], None]:
    """Press the button of that key."""
    return lambda page: page.locator(f".st-key-{key} button").first.click()


def tab(name: str) -> Callable[[Page], None]:
    """Choose a tab that the URL does not hold."""
    return lambda page: page.get_by_role("tab", name=name, exact=True).click()


def option(name: str) -> Callable[[Page], None]:
    """Open the dialog for a new pipeline at one of its ways."""

    def act(page: Page) -> None:
        press("new_pipeline")(page)
        page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name)).last.click()

    return act


def in_menu(key: str) -> Callable[[Page], None]:
    """Press a button of a pipeline's menu."""

    def act(page: Page) -> None:
        page.locator("[data-testid=stPopover] button").first.click()
        press(key)(page)

    return act


def copied(page: Page) -> None:
    """Open what the first group of buttons does as commands."""
    page.locator("[data-testid=stMain] [data-testid=stPopover] button", has_text="terminal").first.click()


def changes(page: Page) -> None:
    """Open an op, and the rows that it changed."""
    page.locator("[class*=st-key-card-] [class*=-head] button").first.click()
    page.get_by_role("radio", name="Changes").or_(page.get_by_role("button", name="Changes", exact=True)).first.click()
    page.wait_for_timeout(3 * DRAWN_MS)


def scrolled(page: Page) -> None:
    """Look at the lower part of the page."""
    for _ in range(2):  # what comes into sight may still grow
        page.locator("[data-testid=stMain]").evaluate("each => each.scrollTo(0, each.scrollHeight)")
        page.wait_for_timeout(DRAWN_MS)


def shots(store: Store, real: Mapping[str, str]) -> dict[str, Shot]:
    """What is photographed, by name; ``real`` holds the runs that were really executed."""
    failed = store.runs.list(status="failed", trigger="schedule", limit=1).items[0].id
    going = store.runs.list(status="running", limit=1).items[0].id
    missed = store.runs.list(status="missed", limit=1).items[0].id
    experiments = [one.id for one in store.experiments.list(limit=6).items if one.name == "late-flight"]
    checked = store.validations.list(status="failed", limit=1).items[0].id
    summary = store.pipelines.find("daily-summary").id
    flights, run = "/pipeline?id=flights", f"/run?id={real['flights']}"
    settings = ("Connections", "People", "Notifications", "Retention", "Engine", "Appearance", "System")
    return {
        "dashboard": Shot("/?range=30+d"),
        "dashboard-below": Shot("/?range=30+d", scrolled),
        "pipelines": Shot("/pipelines"),
        "new-pipeline": Shot("/pipelines", press("new_pipeline")),
        "new-data-file": Shot("/pipelines", option("Data file")),
        "import": Shot("/pipelines", press("import_pipeline")),
        "canvas": Shot(f"{flights}&step=clean"),
        "changes": Shot(f"{flights}&step=clean", changes),
        "canvas-train": Shot(f"{flights}&step=model"),
        "pipeline-runs": Shot(f"{flights}&tab=Runs"),
        "schedule": Shot(f"{flights}&tab=Schedule"),
        "yaml": Shot(f"{flights}&tab=YAML"),
        "versions": Shot(f"{flights}&tab=Versions"),
        "lineage": Shot(f"{flights}&tab=Lineage&step=clean&column=late"),
        "run-form": Shot(flights, press("run")),
        "copy-as": Shot(f"{run}&tab=Details", copied),
        "script": Shot(flights, in_menu("as_script")),
        "delete": Shot(flights, in_menu("delete")),
        "runs": Shot("/runs"),
        "runs-calendar": Shot("/runs?view=calendar"),
        "runs-grid": Shot("/runs?view=grid&pipeline=flights"),
        "run": Shot(run),
        "run-below": Shot(f"{run}&step=clean&tab=Rows", scrolled),
        "run-logs": Shot(f"{run}&tab=Logs", scrolled),
        "failed-run": Shot(f"/run?id={failed}"),
        "running-run": Shot(f"/run?id={going}"),
        "missed-run": Shot(f"/run?id={missed}"),
        "compare-runs": Shot(f"/compare?a={real['before']}&b={real['flights']}"),
        "compare-runs-below": Shot(f"/compare?a={real['before']}&b={real['flights']}&step=clean&keys={KEYS}", scrolled),
        "schedules": Shot("/schedules"),
        "schedule-fires": Shot(f"/schedules?schedule={summary}"),
        "backfills": Shot("/schedules?tab=Backfills"),
        "backfill": Shot("/schedules", press("backfill")),
        "experiments": Shot("/experiments"),
        "experiment": Shot(f"/experiment?id={experiments[0]}"),
        "experiment-below": Shot(f"/experiment?id={experiments[0]}", scrolled),
        "compare": Shot(f"/experiments?compare={','.join(experiments)}"),
        "models": Shot("/models"),
        "model": Shot("/models?name=late-flight"),
        "model-try": Shot("/models?name=penguins", tab("Try it")),
        "model-call": Shot("/models?name=penguins", tab("Call it")),
        "validations": Shot("/validations"),
        "validation": Shot(f"/validations?id={checked}"),
        "check": Shot("/validations?view=check&check_path=examples/penguins.csv"),
        "logs": Shot("/logs?time=7+d"),
        "log-groups": Shot("/logs?tab=Groups&time=7+d"),
        "audit": Shot("/logs?tab=Audit"),
        **{f"settings-{name.lower()}": Shot(f"/settings?tab={name}") for name in settings},
        "go-to": Shot("/", press("open_search")),
        "shortcuts": Shot("/", press("open_shortcuts")),
    }


def fill(store: Store, settings: Mapping[str, str]) -> dict[str, str]:
    """Weeks of use, and real runs on top: they have rows to look at, to compare, to follow."""
    now = utc_now()
    pipelines = seed_past(store, days=21, now=now)
    os.environ.update(settings)
    get_settings.cache_clear()
    services = Services(store, get_settings())
    services.guide.note(LOCAL_NAME, dismissed=True)
    services.workspace.install_examples()  # the data; the pipelines are there already
    with process("etlml.cli", "worker", settings=settings):
        runs = {}
        for name, pipeline, params in (
            ("penguins", "penguins", {}),
            ("daily-summary", "daily-summary", {}),
            ("before", "flights", {"min_distance": 500}),
            ("flights", "flights", {}),
        ):
            runs[name] = services.runs.start(pipeline, params=params, author="ada").id
            services.runs.wait(runs[name], RUN_S)
    document = services.pipelines.get("flights").draft().model_dump()
    document["steps"][3]["config"]["ops"][1]["columns"]["late"] = "(arr_delay > 20)::INT"
    services.pipelines.update("flights", document, author="grace")
    seed_present(store, pipelines, utc_now())
    return runs


@contextmanager
def beating(store: Store) -> Iterator[None]:
    """A worker that is alive."""
    began, ended = utc_now(), threading.Event()

    def beat() -> None:
        while not ended.wait(2):
            store.workers.beat(worker(began, utc_now()))

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def filled(folder: Path) -> Iterator[tuple[str, dict[str, Shot]]]:
    """The studio on a filled database: its URL, and what is photographed there."""
    server = EmbeddedMongod(folder / "mongod", ends_with_me=True)
    try:
        settings = {
            "ETLML_HOME": str(folder / "home"),
            "ETLML_MONGODB_URI": server.start(),
            "ETLML_DATABASE": DATABASE,
            "ETLML_API_PORT": str(free_port()),
            "ETLML_SUPERVISED": "true",
        }
        store = open_store(settings["ETLML_MONGODB_URI"], DATABASE)
        runs = fill(store, settings)
        with beating(store), process("etlml.cli", "api", settings=settings) as api, studio(settings) as shown:
            await_answer(f"http://127.0.0.1:{settings['ETLML_API_PORT']}/api/health", api)
            yield shown.url, shots(store, runs)
        store.close()
    finally:
        server.stop()


def photograph(browser: Browser, url: str, wanted: Mapping[str, Shot], folder: Path, *, width: int, mode: str) -> None:
    """All pictures of one mode; a file a name."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        color_scheme=mode,  # type: ignore[arg-type]
        timezone_id="Europe/Berlin",
    )
    for name, shot in wanted.items():
        page = context.new_page()
        page.goto(url + shot.path)
        page.wait_for_selector(IDLE, timeout=60_000)
        page.wait_for_function(LISTS_DRAWN, timeout=60_000)
        shot.act(page)
        page.wait_for_timeout(DRAWN_MS / 3)
        page.wait_for_selector(IDLE, timeout=60_000)
        page.wait_for_function(LISTS_DRAWN, timeout=60_000)
        page.wait_for_timeout(DRAWN_MS)
        page.screenshot(path=folder / f"{name}-{mode}.png")
        shrink(folder / f"{name}-{mode}.png")
        page.close()
    context.close()


def shrink(file: Path) -> None:
    """Write the picture again with fewer colours: a third of the size, and nobody sees it."""
    with Image.open(file) as picture:
        fewer = picture.convert("RGB").quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
    fewer.save(file, optimize=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description="Take pictures of every page in light and in dark.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--width", type=int, choices=sorted(HEIGHTS), default=1280, help="of the window, in pixels")
    parser.add_argument("--only", default="", help="names of pictures, with commas")
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="etlml-") as temporary,
        filled(Path(temporary)) as (url, every),
        sync_playwright() as tools,
    ):
        only = set(filter(None, given.only.split(",")))
        wanted = {name: shot for name, shot in every.items() if not only or name in only}
        browser = tools.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        for mode in MODES:
            photograph(browser, url, wanted, given.folder, width=given.width, mode=mode)
        browser.close()


if __name__ == "__main__":
    main()
