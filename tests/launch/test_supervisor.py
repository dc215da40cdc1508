"""Starting, watching and stopping, tried on real processes."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from etlml.errors import Unavailable
from etlml.launch.part import Part, ServerProcess, exit_reason
from etlml.launch.supervisor import Supervisor
from etlml.launch.terminal import Terminal

pytestmark = pytest.mark.slow

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "logs", stream=io.StringIO())
    yield made
    made.close()


def shown(terminal: Terminal) -> str:
    return terminal._stream.getvalue()  # type: ignore[attr-defined, no-any-return]


def a_part(terminal: Terminal, name: str = "worker", code: str = SLEEP) -> ServerProcess:
    return ServerProcess(name, terminal, lambda: dict(os.environ), command=[sys.executable, "-c", code])


def wait_until(claim: Callable[[], object], timeout_s: float = 20) -> None:
    until = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.01)


class Going:
    """A supervisor that runs in a thread; what it raised is in ``error``."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor, self.error = supervisor, None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.supervisor.run()
        except Unavailable as error:
            self.error = error  # type: ignore[assignment]

    def stop(self) -> None:
        self.supervisor.stop()
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()


@pytest.fixture
def go() -> Iterator[Callable[[Supervisor], Going]]:
    made: list[Going] = []

    def start(supervisor: Supervisor) -> Going:
        made.append(Going(supervisor))
        return made[-1]

    yield start
    for going in made:
        if going.thread.is_alive():
            going.stop()


def test_parts_stop_in_reverse_order(terminal: Terminal, go: Callable[[Supervisor], Going]) -> None:
    parts = [a_part(terminal, name) for name in ("mongod", "worker", "api", "ui")]
    going = go(Supervisor(parts, terminal))
    wait_until(lambda: all(part.pid for part in parts))
    going.stop()
    stopped = [line.split("| ")[1] for line in shown(terminal).splitlines() if line.endswith(" stopped")]
    assert stopped == ["ui stopped", "api stopped", "worker stopped", "mongod stopped"]
    assert not any(psutil.pid_exists(part.pid or 0) for part in parts)


def test_a_part_that_dies_is_started_again_and_the_log_says_so(
    terminal: Terminal, go: Callable[[Supervisor], Going]
) -> None:
    part = a_part(terminal)
    going = go(Supervisor([part], terminal))
    wait_until(lambda: part.pid)
    first = part.pid
    os.kill(first or 0, signal.SIGKILL)
    wait_until(lambda: part.pid != first and part.ended() is None)
    going.stop()
    assert "worker ended (signal 9, SIGKILL); starting it again in 0.5 s" in shown(terminal)
    assert "starting it again" in terminal.path("up").read_text()


def test_a_part_that_keeps_dying_is_given_up_with_its_last_lines(
    terminal: Terminal, go: Callable[[Supervisor], Going], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etlml.launch.backoff.FIRST_DELAY_S", 0.01)
    healthy = a_part(terminal, "mongod")
    broken = a_part(terminal, "api", "import sys; print('no such setting'); sys.exit(3)")
    going = go(Supervisor([healthy, broken], terminal))
    going.thread.join(timeout=30)
    message = str(going.error)
    assert "api ended 5 times within 2 minutes, the last time with exit code 3" in message
    assert "no such setting" in message
    assert "api.log" in message
    assert healthy.ended() is not None


def test_a_part_that_cannot_be_started_is_given_up_too(
    terminal: Terminal, go: Callable[[Supervisor], Going], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etlml.launch.backoff.FIRST_DELAY_S", 0.01)
    part = ServerProcess("ui", terminal, lambda: dict(os.environ), command=["/does/not/exist"])
    going = go(Supervisor([part], terminal))
    going.thread.join(timeout=30)
    assert "it could not be started" in str(going.error)


def test_healthy_is_said_once_all_parts_answer(terminal: Terminal, go: Callable[[Supervisor], Going]) -> None:
    told: list[float] = []
    ready = threading.Event()
    slow = a_part(terminal, "api")
    slow.is_healthy = ready.is_set  # type: ignore[method-assign]
    part = a_part(terminal)
    going = go(Supervisor([part, slow], terminal, on_healthy=lambda: told.append(1)))
    wait_until(lambda: slow.pid and part.pid)
    time.sleep(0.2)
    assert not told
    ready.set()
    wait_until(lambda: told)
    going.stop()
    assert len(told) == 1


def test_a_second_stop_kills_what_will_not_stop(terminal: Terminal, go: Callable[[Supervisor], Going]) -> None:
    stubborn = a_part(
        terminal,
        code="import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
    )
    going = go(Supervisor([stubborn], terminal))
    wait_until(lambda: "deaf" in terminal.tail("worker"))
    began = time.monotonic()
    going.supervisor.stop()
    time.sleep(0.2)
    assert going.thread.is_alive()
    going.stop()
    assert time.monotonic() - began < stubborn.grace_s / 2
    assert stubborn.ended() == "signal 9, SIGKILL"


def test_a_part_that_will_not_stop_in_time_is_killed(terminal: Terminal, go: Callable[[Supervisor], Going]) -> None:
    stubborn = a_part(
        terminal,
        code="import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
    )
    stubborn.grace_s = 0.2
    going = go(Supervisor([stubborn], terminal))
    wait_until(lambda: "deaf" in terminal.tail("worker"))
    going.stop()
    assert "worker is slow to stop; killing it" in shown(terminal)


@pytest.mark.parametrize(
    ("code", "reason"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "signal 9, SIGKILL"), (-99, "signal 99")]
)
def test_exit_reason_is_in_words(code: int, reason: str) -> None:
    assert exit_reason(code) == reason


PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], stdin=subprocess.PIPE)
print(child.pid, flush=True)
time.sleep(60)
"""
CHILD = """
import sys, time
if sys.argv[1:] and "{kernel}" == "no":
    sys.platform = "none"  # as where only the pipe tells
from etlml.launch.lifeline import hold
hold(int(sys.argv[1]))
time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="there are no signals to send on Windows")
@pytest.mark.parametrize("kernel", ["yes", "no"])
def test_a_child_ends_when_its_supervisor_is_killed(kernel: str) -> None:
    command = [sys.executable, "-c", PARENT, CHILD.replace("{kernel}", kernel)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.5)
        assert child.is_running()
        parent.kill()
        child.wait(timeout=10)


def test_parts_keep_the_promises_of_a_part(terminal: Terminal) -> None:
    part: Part = a_part(terminal)
    assert part.pid is None
    assert part.ended() is None
    part.ask_to_stop()
    part.kill()
