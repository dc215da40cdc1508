"""What the supervisor starts, watches and stops: server processes of our own, and the embedded MongoDB."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from etlml.launch.lifeline import GRACE_S
from etlml.launch.terminal import Terminal

HEALTH_TIMEOUT_S = 2.0
NEW_GROUP = 0x200  # CREATE_NEW_PROCESS_GROUP of Windows
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Part(Protocol):
    """One watched process."""

    name: str
    grace_s: float

    @property
    def pid(self) -> int | None:
        """Its process id, while it is known."""

    def start(self) -> None:
        """Start it; EtlmlError or OSError if that cannot be."""

    def ended(self) -> str | None:
        """How it ended ("exit code 1"), or None while it lives."""

    def is_healthy(self) -> bool:
        """Whether it does its work by now."""

    def ask_to_stop(self) -> None:
        """Have it stop by itself; comes back at once."""

    def kill(self) -> None:
        """End it now."""


class ServerProcess:
    """An ``etlml <name>`` of our own in a process group of its own, so that Ctrl-C reaches the supervisor alone.

    Args:
        name: The command.
        environment: Called at each start, so that a new port or URI takes effect.
        health_url: Called to learn where it answers; None when living is all that can be told.
    """

    grace_s = GRACE_S

    def __init__(
        self,
        name: str,
        terminal: Terminal,
        environment: Callable[[], Mapping[str, str]],
        health_url: Callable[[], str] | None = None,
        *,
        command: list[str] | None = None,
    ) -> None:
        self.name = name
        self._terminal = terminal
        self._environment = environment
        self._health_url = health_url
        self._command = command or [sys.executable, "-m", "etlml.cli", name, "--parent", str(os.getpid())]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, once started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it; what it prints goes to the terminal from now on."""
        process = subprocess.Popen(
            self._command,
            env=dict(self._environment()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=os.name != "nt",
            creationflags=NEW_GROUP if os.name == "nt" else 0,
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        self._process, self._pump = process, self._terminal.pump(self.name, process.stdout)

    def ended(self) -> str | None:
        """How it ended, with all that it printed written; None while it lives."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self._pump.join(timeout=1)
        if self._process.stdin is not None:
            self._process.stdin.close()
        return exit_reason(code)

    def is_healthy(self) -> bool:
        """Whether its health address answers with 200."""
        return self._health_url is None or answers(self._health_url())

    def ask_to_stop(self) -> None:
        """SIGTERM, or where there is none, the end of its standard input."""
        if self._process is None or self._process.poll() is not None:
            return
        if os.name != "nt":
            self._process.terminate()
        elif self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()


def answers(url: str) -> bool:
    """Whether a GET of ``url`` gives 200 in time."""
    try:
        with _direct.open(url, timeout=HEALTH_TIMEOUT_S) as reply:
            return bool(reply.status == 200)
    except (OSError, ValueError):
        return False


def exit_reason(code: int) -> str:
    """A return code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def main_script() -> Path:
    """The script that Streamlit runs."""
    return Path(__file__).resolve().parents[2] / "app.py"
