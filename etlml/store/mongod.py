"""The embedded MongoDB: a private mongod on this machine's loopback, with its data under ETLML_HOME."""

import json
import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from etlml.errors import Unavailable
from etlml.store.mongod_binary import find_mongod, mongod_version
from etlml.store.mongod_process import free_port, guard, is_alive, is_free, launch, reason_of_end, server_on
from etlml.store.replica_set import NAME, become_primary

__all__ = ["EmbeddedMongod", "find_mongod", "mongod_version"]

_PORT_TAKEN, _FOLDER_TAKEN = 48, 100  # mongod's exit codes
_LOG_BYTES = 10 * 2**20
_TRIES = 5
_JOIN_S = 8.0
_PORT_PATIENCE_S = 2.0


class EmbeddedMongod:
    """One mongod a folder, shared by all processes that start it: the first start runs it, the last stop ends it.

    Every process has its own EmbeddedMongod. A process that dies without ``stop`` is not waited for.

    Args:
        folder: Data, log and state; made if it is missing, readable by this user only.
        ends_with_me: End the server as soon as this process dies, however it dies (POSIX): for tests.
    """

    def __init__(self, folder: Path, *, ends_with_me: bool = False) -> None:
        self.folder = folder
        self.uri: str | None = None
        self._ends_with_me = ends_with_me and os.name == "posix"
        self._server: psutil.Process | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._lock = FileLock(folder / "start.lock")

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._server.pid if self._server is not None and self.is_running() else None

    @property
    def log_file(self) -> Path:
        """The server's own log."""
        return self.folder / "mongod.log"

    def is_running(self) -> bool:
        """Whether the server that ``start`` gave is alive."""
        if self._child is not None and self._child.poll() is not None:
            return False
        return self._server is not None and is_alive(self._server)

    def start(self, *, timeout_s: float = 60.0) -> str:
        """Run the server, or join the one that runs on this folder, and wait until it takes writes.

        It keeps its port from one start to the next where that is free, so that clients find it again.

        Returns:
            Its URI.

        Raises:
            Unavailable: There is no program, it cannot start (the message has its reason), or a server that is not ours
                uses the folder.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with self._lock.acquire(timeout=timeout_s):
                joined = self._joined()
                port = joined or self._launched()
                if joined and not is_free(joined):  # it has started long ago: it answers soon, or stands still
                    timeout_s = min(timeout_s, _JOIN_S)
                become_primary(port, timeout_s=timeout_s, check=self._check)
                self._write_state(port, [*self._users(), _identity(psutil.Process())])
        except Timeout:
            raise Unavailable(
                f"Another process has been starting or stopping the database in {self.folder} for {timeout_s:g} s. "
                "If that process hangs, end it and try again."
            ) from None
        self.uri = f"mongodb://127.0.0.1:{port}/?replicaSet={NAME}"
        return self.uri

    def stop(self, *, timeout_s: float = 20.0) -> None:
        """Give the server up; it ends, all its data on disk, unless another process uses it."""
        if self._server is None:
            return
        with self._lock:
            others = self._users()
            self._write_state(self._state().get("port"), others)
            if not others:
                self._end(timeout_s)
        if not others:
            self._drop_guard()
        self._server = self._child = self.uri = None

    def _end(self, timeout_s: float) -> None:
        assert self._server is not None  # noqa: S101
        with suppress(psutil.NoSuchProcess):
            self._server.terminate()
            try:
                self._server.wait(timeout_s)
            except psutil.TimeoutExpired:
                self._server.kill()  # its journal brings everything back
                self._server.wait(timeout_s)
        if self._child is not None:
            self._child.wait(timeout_s)

    def _drop_guard(self) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.kill()  # before its pipe ends, else it would kill what has the process id by then
            self._guard.wait()
            self._guard.stdin.close()
        self._guard = None

    def _joined(self) -> int | None:
        """The port of the server that runs on the folder already; None if none does."""
        server = server_on(self.folder)
        if server is None:
            return None
        arguments = server.cmdline()
        if NAME not in arguments or "--port" not in arguments:
            raise Unavailable(
                f"A mongod that etlml did not start (process {server.pid}) uses {self.folder}. "
                "Stop it, or set ETLML_MONGODB_URI to it."
            )
        if self._child is not None and self._child.pid != server.pid:
            self._child = None
        self._server = server
        return int(arguments[arguments.index("--port") + 1])

    def _launched(self) -> int:
        program, port = find_mongod(), self._former_port()
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(10)  # its first thread is gone; the others may hold files and port a moment longer
        self._rotate_log()
        code: int | None = None
        for _ in range(_TRIES):
            port = port or free_port()
            self._child = launch(program, self.folder, port, self.log_file)
            self._server = psutil.Process(self._child.pid)
            self._write_state(port, self._users())
            if self._ends_with_me:
                self._drop_guard()
                self._guard = guard(self._child.pid)
            code = self._early_exit(port)
            if code is None:
                return port
            if code == _FOLDER_TAKEN:  # by one that was faster, or by one that is still dying
                if (joined := self._joined()) is not None:
                    return joined
                time.sleep(0.5)
            elif code == _PORT_TAKEN:
                port = None
            else:
                break
        raise Unavailable(f"The embedded MongoDB cannot start: {reason_of_end(self.log_file, code)}")

    def _former_port(self) -> int | None:
        """The port of the last start, if it is free or becomes so in a moment: clients look for the server there."""
        port = self._state().get("port")
        deadline = time.monotonic() + _PORT_PATIENCE_S
        while isinstance(port, int):
            if is_free(port):
                return port
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        return None

    def _early_exit(self, port: int) -> int | None:
        """The exit code of a server that ends before it listens; None once it does."""
        assert self._child is not None  # noqa: S101
        deadline = time.monotonic() + 60
        while (code := self._child.poll()) is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return None
            time.sleep(0.02)
        return code

    def _check(self) -> None:
        if not self.is_running():
            code = self._child.poll() if self._child is not None else None
            raise Unavailable(f"The embedded MongoDB ended while it started: {reason_of_end(self.log_file, code)}")

    def _rotate_log(self) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))

    def _state(self) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write_state(self, port: Any, users: list[list[float]]) -> None:
        partial = self.folder / "state.json.partial"
        partial.write_text(json.dumps({"port": port, "users": users}), encoding="utf-8")
        partial.replace(self.folder / "state.json")

    def _users(self) -> list[list[float]]:
        """The other processes that use the server and live."""
        mine = _identity(psutil.Process())
        users = self._state().get("users", [])
        return [user for user in users if user != mine and _identity_lives(user)]


def _identity(process: psutil.Process) -> list[float]:
    return [process.pid, process.create_time()]


def _identity_lives(identity: list[float]) -> bool:
    try:
        return _identity(psutil.Process(int(identity[0]))) == identity
    except psutil.Error:
        return False
