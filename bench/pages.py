"""The studio on a database after a long time of use: what each page costs on the server, and what a person waits for."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from pydantic import SecretStr
from pymongo.database import Database

from bench import pages_browser
from bench.measure import Row, percentile, seconds, stopwatch
from bench.pages_data import seed
from bench.pages_profile import Profile
from etlml.services import Services
from etlml.settings import Settings
from etlml.store import Store
from etlml.store.client import connect
from etlml.store.collection import MAJORITY
from etlml.store.encoding import Document
from etlml.store.mongod import EmbeddedMongod

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(tempfile.gettempdir()) / f"etlml-bench-pages-{os.getuid() if hasattr(os, 'getuid') else 0}"
DATABASE = "pages"
SERVER_MS = 300.0
RERUNS = 21
FRESH_S = 12 * 3600  # log lines lose their last days to retention while a database lies around

Visit = tuple[str, Mapping[str, str]]


class Place(NamedTuple):
    """The filled platform."""

    uri: str
    home: Path
    services: Services


def visits(store: Store) -> dict[str, Sequence[Visit]]:
    """Each page with the filters that it is asked for in turn."""
    runs = [one.id for one in store.runs.list(limit=400, since=None).items[1::80]]
    failed = [one.id for one in store.runs.list(status="failed", limit=3).items]
    checks = [one.id for one in store.validations.list(limit=3).items]
    return {
        "dashboard": [("dashboard.py", {"range": each}) for each in ("7 d", "24 h", "30 d", "90 d")],
        "pipelines": [("pipelines.py", each) for each in ({}, {"q": "line-1"}, {"state": "Failed"})],
        "pipeline": [("pipeline.py", {"id": f"p{n}", **more}) for n in range(3) for more in ({}, {"step": "s2"})],
        "pipeline, other tabs": [
            ("pipeline.py", {"id": "p1", "tab": each}) for each in ("Runs", "Schedule", "YAML", "Versions")
        ],
        "runs": [
            ("runs.py", each)
            for each in ({}, {"pipeline": "pipeline-3"}, {"state": "Failed"}, {"q": "disk"}, {"time": "7 d"})
        ],
        "run": [
            ("run.py", {"id": each, "tab": tab})
            for each in [*runs, *failed]
            for tab in ("Timeline", "Steps", "Logs", "Details")
        ],
        "experiments": [
            ("experiments.py", each)
            for each in ({}, {"q": "late-3"}, {"state": "Failed"}, {"compare": "e4990,e4991,e4992,e4993"})
        ],
        "experiment": [("experiment.py", {"id": f"e{n}"}) for n in (4999, 2500, 17)],
        "models": [("models.py", each) for each in ({}, {"name": "model-7"}, {"name": "model-9", "version": "v1.3"})],
        "validations": [("validations.py", each) for each in ({}, {"q": "orders"}, {"state": "Failed"})],
        "validation": [("validations.py", {"id": each}) for each in checks],
        "logs": [
            ("logs.py", each)
            for each in (
                {},
                {"time": "15 min"},
                {"time": "7 d", "level": "ERROR"},
                {"time": "30 d"},
                {"pipeline": "pipeline-3", "time": "7 d"},
                {"source": "api", "time": "7 d"},
                {"q": "disk full"},
                {"q": "no such text", "time": "24 h"},
                {"q": "no such text", "time": "30 d"},
                {"q": r"timed out after \d+57 s", "regex": "true", "time": "30 d"},
                {"run": runs[0]},
            )
        ],
        "logs, groups": [
            ("logs.py", {"tab": "Groups", **each})
            for each in ({}, {"time": "7 d"}, {"time": "30 d"}, {"source": "api"}, {"q": "disk full", "time": "30 d"})
        ],
        "logs, audit": [("logs.py", {"tab": "Audit", **each}) for each in ({}, {"who": "ada"}, {"what": "started"})],
        "settings": [("settings.py", {"tab": each}) for each in ("Connections", "People", "Retention", "System")],
    }


def run(*, profile: bool = False, only: Sequence[str] = ()) -> Iterator[Row]:
    """Server time of every page, then waiting times in a browser."""
    watch = Profile()
    os.environ.setdefault("STREAMLIT_LOGGER_LEVEL", "error")  # it warns of each page that no browser asked for
    with place(watch) as there:
        for name, asked in visits(there.services.store).items():
            if not only or name in only:
                yield from server_rows(name, asked, watch if profile else None)
        if shutil.which("chromium") is None:
            return
        if not only or "browser" in only:
            yield from pages_browser.run(there.uri, there.home, DATABASE, there.services)


def server_rows(name: str, asked: Sequence[Visit], watch: Profile | None) -> Iterator[Row]:
    """What a page costs on the server: the time that the page within its frame takes to run, for a new visitor each time."""
    for page, params in asked[:2]:
        seconds_of(page, params)  # imports and caches
    taken: list[float] = []
    if watch is not None:
        watch.clear()
    slowest: tuple[float, Mapping[str, str]] = (0.0, {})
    for number in range(max(RERUNS, len(asked))):
        page, params = asked[number % len(asked)]
        if watch is not None:
            watch.visit = f"{page} {dict(params)}"
        taken.append(1000 * seconds_of(page, params))
        slowest = max(slowest, (taken[-1], params), key=lambda pair: pair[0])
    note = f"p50 {percentile(taken, 0.5):.0f} ms; slowest with {dict(slowest[1])}"
    yield Row(f"{name} (server, p95)", percentile(taken, 0.95), None, SERVER_MS, "ms", note)
    if watch is not None:
        watch.report()


def seconds_of(page: str, params: Mapping[str, str]) -> float:
    """One visit of one page.

    Raises:
        RuntimeError: The page shows an exception.
    """
    from streamlit.runtime.scriptrunner import script_runner
    from streamlit.testing.v1 import AppTest

    taken: list[float] = []
    run_script = (
        script_runner.ScriptRunner._run_script
    )  # what a visit costs without the test runner's own reading of the result

    def timed(*arguments: Any) -> None:
        taken.append(seconds(lambda: run_script(*arguments)))

    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    if page != "dashboard.py":
        app.switch_page(page)
    for name, value in params.items():
        app.query_params[name] = value
    with mock.patch.object(script_runner.ScriptRunner, "_run_script", timed):
        app.run()
    if app.exception:
        raise RuntimeError(f"{page} {dict(params)}: {app.exception[0].value}")
    return sum(taken)


@contextmanager
def place(watch: Profile) -> Iterator[Place]:
    """A platform whose database is filled; kept from one time to the next."""
    from etlml.ui import backend

    server = EmbeddedMongod(FOLDER / "mongod", ends_with_me=True)
    uri = server.start()
    client = connect(uri, event_listeners=[watch])
    home = FOLDER / "home"
    settings = Settings(home=home, mongodb_uri=SecretStr(uri), database=DATABASE)
    settings.make_folders()
    try:
        store = _filled(client.get_database(DATABASE, write_concern=MAJORITY))
        services = Services(store, settings)
        backend.use(services)
        yield Place(uri, home, services)
    finally:
        backend.forget()
        client.close()
        server.stop()


def _filled(database: Database[Document]) -> Store:
    """The store, seeded unless it was by the same code, not long ago; indexes are built once all is there."""
    source = Path(__file__).with_name("pages_data.py").read_text(encoding="utf-8")
    wanted = f"{len(source)}-{sum(source.encode())}"
    store = Store(database, indexes=False)
    marker = store.settings.get("bench", {}) or {}
    if marker.get("code") == wanted and time.time() - marker.get("at", 0) < FRESH_S:
        return Store(database)
    database.client.drop_database(DATABASE)
    with stopwatch() as elapsed:
        seed(store)
        indexed = Store(database)
    store.settings.set("bench", {"code": wanted, "at": time.time(), "seconds": elapsed[0]})
    print(f"The database was filled in {elapsed[0]:.0f} s.", file=sys.stderr, flush=True)
    return indexed
