"""Which ``etlml up`` runs on a home folder: a lock that the system drops when the process dies, and a file that says where."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from etlml.clock import utc_now
from etlml.errors import StateConflict

LOCK_NAME, FILE_NAME = "up.lock", "up.json"
ENDING_S = 5.0


@dataclass(frozen=True)
class Process:
    """A process, told from a later one with the same id by its time of birth."""

    pid: int
    born: float

    @classmethod
    def of(cls, pid: int) -> "Process":
        """The process that has this id now."""
        return cls(pid, psutil.Process(pid).create_time())

    def found(self) -> psutil.Process | None:
        """The process, if it still lives."""
        try:
            process = psutil.Process(self.pid)
            return process if abs(process.create_time() - self.born) < 1 and process.is_running() else None
        except psutil.Error:
            return None


@dataclass(frozen=True)
class UpState:
    """What the file says."""

    dashboard: str = ""
    api: str = ""
    pid: int = field(default_factory=os.getpid)
    started_at: str = field(default_factory=lambda: utc_now().isoformat())
    processes: dict[str, Process] = field(default_factory=dict)


class Running:
    """Holds the home folder for one supervisor.

    Raises:
        StateConflict: Another one holds it; the message says where it runs.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._path = home / FILE_NAME
        self._lock = FileLock(home / LOCK_NAME)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise already_running(home) from None
        if stale := read_state(home):
            end_processes(stale.processes.values())
            self._path.unlink(missing_ok=True)

    def write(self, state: UpState) -> None:
        """Say where everything runs."""
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(state), indent=2))
        partial.replace(self._path)

    def release(self) -> None:
        """Let the home folder go."""
        self._path.unlink(missing_ok=True)
        self._lock.release()


def already_running(home: Path) -> StateConflict:
    """The error for a second supervisor."""
    state = read_state(home)
    if state is None or not state.dashboard:
        return StateConflict(f"etlml is just starting on {home}. Its addresses will be printed there.")
    return StateConflict(
        f"etlml is already running on {home}: {state.dashboard} (REST API at {state.api}, process {state.pid}). "
        "Stop it with Ctrl-C there, or set ETLML_HOME to another folder.",
        dashboard=state.dashboard,
        api=state.api,
        pid=state.pid,
    )


def read_state(home: Path) -> UpState | None:
    """What the file says, whether or not it still holds; None without a file."""
    try:
        document: dict[str, Any] = json.loads((home / FILE_NAME).read_text())
        processes = {name: Process(**process) for name, process in document.pop("processes").items()}
        return UpState(processes=processes, **document)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def end_processes(processes: Any) -> None:
    """End what a killed supervisor may have left behind."""
    left = [found for process in processes if (found := process.found())]
    for process in left:
        _signal(process.terminate)
    for process in psutil.wait_procs(left, timeout=ENDING_S)[1]:
        _signal(process.kill)


def _signal(send: Any) -> None:
    with contextlib.suppress(psutil.Error):  # it ended by itself in between
        send()
