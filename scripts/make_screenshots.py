"""Takes the pictures of docs/screenshots: ``python -m scripts.make_screenshots [FOLDER]``.

A database of its own is filled as after some weeks of use, the studio is started on it, and every page is photographed
in light and in dark. Needs Chromium.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from etlml.store import Store, open_store
from etlml.store.mongod import EmbeddedMongod
from scripts.seeding import seed

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "screenshots"
SIZE = {"width": 1280, "height": 860}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DRAWN_S = 3.0  # charts and the canvas draw after the page's script has ended


def pages(store: Store) -> dict[str, str]:
    """What is photographed: a name, and the path that shows it."""
    failed = store.runs.list(status="failed", limit=1).items[0].id
    done = store.runs.list(status="success", limit=1).items[0].id
    experiments = [one.id for one in store.experiments.list(limit=5).items]
    checked = store.validations.list(limit=1).items[0].id
    return {
        "dashboard": "/?range=30+d",
        "pipelines": "/pipelines",
        "canvas": "/pipeline?id=flights&step=clean",
        "schedule": "/pipeline?id=flights&tab=Schedule",
        "runs": "/runs",
        "run": f"/run?id={done}",
        "failed-run": f"/run?id={failed}",
        "experiments": "/experiments",
        "experiment": f"/experiment?id={experiments[0]}",
        "compare": f"/experiments?compare={','.join(experiments)}",
        "model": "/models?name=late-flight",
        "validations": "/validations",
        "validation": f"/validations?id={checked}",
        "logs": "/logs?time=7+d&follow=false",
        "settings": "/settings?tab=Retention",
    }


@contextmanager
def studio(uri: str, home: Path) -> Iterator[str]:
    """The studio on a database; its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "ETLML_HOME": str(home),
        "ETLML_MONGODB_URI": uri,
        "ETLML_DATABASE": "pictures",
        "ETLML_SUPERVISED": "true",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def photograph(browser: Browser, url: str, path: str, target: Path, *, dark: bool) -> None:
    """One page in one mode."""
    context = browser.new_context(viewport=SIZE, color_scheme="dark" if dark else "light", timezone_id="Europe/Berlin")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url + path)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)
    page.wait_for_timeout(DRAWN_S * 1000)
    page.screenshot(path=target)
    context.close()


def main(folder: Path = FOLDER) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        server = EmbeddedMongod(Path(temporary) / "mongod", ends_with_me=True)
        uri = server.start()
        try:
            store = open_store(uri, "pictures")
            seed(store)
            wanted = pages(store)
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=ARGUMENTS
            )
            with studio(uri, Path(temporary) / "home") as url:
                for name, path in wanted.items():
                    for mode in ("light", "dark"):
                        photograph(browser, url, path, folder / f"{name}-{mode}.png", dark=mode == "dark")
            browser.close()
            store.close()
        finally:
            server.stop()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
