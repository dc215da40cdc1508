"""``etlml up`` as a whole: real processes, a real MongoDB, real signals."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from etlml.launch.part import answers

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="there are no signals to send on Windows")]
PATIENCE_S = 120.0
NAMES = ("mongod", "worker", "api", "ui")


def wait_for(claim: Callable[[], Any], what: str) -> Any:
    until = time.monotonic() + PATIENCE_S
    while not (found := claim()):
        assert time.monotonic() < until, f"{what} did not happen"
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Up:
    """One ``etlml up`` on a home folder, and what it says."""

    def __init__(self, home: Path, *options: str, **environment: str) -> None:
        self.home = home
        self.output = home.parent / f"output-{time.monotonic_ns()}.txt"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ETLML_")}
        self.port, self.api_port = free_port(), free_port()
        ports = {"ETLML_PORT": str(self.port), "ETLML_API_PORT": str(self.api_port)}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "etlml.cli", "up", "--no-browser", *options],
                env={**clean, **ports, "ETLML_HOME": str(home), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "up.json").read_text()))

    def pid(self, name: str) -> int:
        """The process's id; waits while it starts."""
        return int(wait_for(lambda: self.state["processes"].get(name), f"a process {name}")["pid"])

    def wait_until_up(self) -> None:
        wait_for(lambda: "Ctrl-C stops everything" in self.said or self.process.poll() is not None, "the start")
        assert self.process.poll() is None, self.said

    def stop(self) -> float:
        """Seconds that SIGTERM took."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(PATIENCE_S) == 0, self.said
        return time.monotonic() - began


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Starts ``etlml up`` on one home folder; what is left of it is killed afterwards."""
    made: list[Up] = []

    def begin(*options: str, **environment: str) -> Up:
        made.append(Up(tmp_path / "home", *options, **environment))
        return made[-1]

    yield begin
    for each in made:
        if each.process.poll() is None:
            each.process.terminate()
            each.process.wait(60)
    for process in of_home(tmp_path):
        process.kill()


def of_home(folder: Path) -> list[psutil.Process]:
    """Living processes that have the folder in their command line or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                texts = [*process.cmdline(), process.environ().get("ETLML_HOME", "")]
                found += [process] if any(str(folder) in text for text in texts) else []
        except psutil.Error:
            continue
    return found


def health(up: Up) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{up.api_port}/api/health", timeout=10) as reply:
        return dict(json.load(reply))


def test_everything_starts_answers_survives_and_stops(start: Callable[..., Up], tmp_path: Path) -> None:
    up = start()
    up.wait_until_up()
    assert f"Dashboard  http://127.0.0.1:{up.port}" in up.said
    assert f"REST API   http://127.0.0.1:{up.api_port}/api/docs" in up.said
    assert answers(f"http://127.0.0.1:{up.port}/")
    wait_for(lambda: health(up)["status"] == "ok", "good health")
    assert set(up.state["processes"]) == set(NAMES)
    for name in NAMES[1:]:
        command_line = " ".join(psutil.Process(up.pid(name)).cmdline())
        assert "mongodb://" not in command_line

    second = start()
    assert second.process.wait(PATIENCE_S) == 1
    assert f"already running on {up.home}: http://127.0.0.1:{up.port}" in second.said

    for name in ("worker", "api", "ui"):
        before = up.pid(name)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda name=name, before=before: up.pid(name) != before, f"a new {name}")
        assert f"{name} ended (signal 9, SIGKILL); starting it again" in up.said
    wait_for(lambda: answers(f"http://127.0.0.1:{up.port}/_stcore/health"), "the dashboard's return")

    uri = (up.home / "mongod" / "last-uri").read_text()
    before = up.pid("mongod")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: up.pid("mongod") != before, "a new mongod")
    wait_for(
        lambda: answers(f"http://127.0.0.1:{up.api_port}/api/health") and health(up)["mongodb"]["ok"],
        "MongoDB's return",
    )
    assert (up.home / "mongod" / "last-uri").read_text() == uri

    assert up.stop() < 30
    stopped = re.findall(r"\| (\w+) stopped", up.said)
    assert stopped == ["ui", "api", "worker", "mongod"]
    assert of_home(tmp_path) == []
    assert not (up.home / "up.json").exists()
    assert {"up.log", "worker.log"} <= {path.name for path in (up.home / "logs").iterdir()}


def test_children_die_with_a_supervisor_that_is_killed_and_the_next_one_starts(
    start: Callable[..., Up], tmp_path: Path
) -> None:
    up = start()
    up.wait_until_up()
    up.process.kill()
    wait_for(lambda: of_home(tmp_path) == [], "the end of all children")
    again = start()
    again.wait_until_up()
    assert "already running" not in again.said
    again.stop()


def test_a_taken_port_moves_on_and_what_is_printed_is_right(start: Callable[..., Up]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        up = start("--port", str(taken))
        up.wait_until_up()
        printed = int(re.findall(r"Dashboard  http://127\.0\.0\.1:(\d+)", up.said)[-1])
        assert printed > taken
        assert f"Port {taken} is taken; ui listens on {printed}" in up.said
        assert answers(f"http://127.0.0.1:{printed}/_stcore/health")
        up.stop()


def test_other_machines_are_served_only_with_sign_in(start: Callable[..., Up]) -> None:
    refused = start("--host", "0.0.0.0", ETLML_AUTH="off")
    assert refused.process.wait(PATIENCE_S) == 2
    assert "visitors must sign in" in refused.said

    up = start("--host", "0.0.0.0")
    up.wait_until_up()
    password = re.findall(r"name admin, password (\S+)", up.said)
    assert len(password) == 1
    assert not any(password[0] in path.read_text() for path in (up.home / "logs").iterdir())
    up.stop()
