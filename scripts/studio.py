"""A studio as a process of its own, for pictures, measurements and tests in a browser; and what browsers there are."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
START_S = 90.0
STOP_S = 20.0


class Studio(NamedTuple):
    """A running studio: where it is, and its process."""

    url: str
    process: "subprocess.Popen[bytes]"


def find_browser() -> str | None:
    """The program of the first browser there is that Playwright can drive."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*arguments: str, settings: Mapping[str, str], quiet: bool = True) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python process of the project, ended on leaving."""
    started = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL if quiet else None,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(STOP_S)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def studio(settings: Mapping[str, str], *, quiet: bool = True) -> Iterator[Studio]:
    """The studio on the home and the database that the settings name, once it answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = ("streamlit", "run", "app.py", f"--server.port={port}")
    with process(*arguments, settings={"ETLML_PORT": str(port), **settings}, quiet=quiet) as started:
        await_answer(f"{url}/healthz", started)
        yield Studio(url, started)


def await_answer(url: str, by: "subprocess.Popen[bytes]") -> None:
    """Wait until a server answers.

    Raises:
        RuntimeError: Its process ended, or it took too long.
    """
    end = time.monotonic() + START_S
    while by.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer; exit code of its process: {by.poll()}")
