"""The embedded MongoDB as a part that the supervisor watches."""

import contextlib
from collections.abc import Callable

import psutil

from etlml.settings import Settings
from etlml.store.mongod import EmbeddedMongod


class MongodPart:
    """Starts the embedded server and keeps it on one port; a server that another command started is shared with it.

    Args:
        on_move: Called when the server came back on another port, since the old one was taken in between.
    """

    name = "mongod"
    grace_s = 10.0

    def __init__(self, settings: Settings, on_move: Callable[[], None]) -> None:
        self._server = EmbeddedMongod(settings.mongod_dir, ends_with_me=True)
        self._on_move = on_move
        self.uri: str | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._server.pid

    def start(self) -> None:
        """Start it and wait until it accepts writes."""
        before, self.uri = self.uri, self._server.start()
        if before not in (None, self.uri):
            self._on_move()

    def ended(self) -> str | None:
        """That it ended, or None while it runs."""
        return None if self._server.is_running() else "its process is gone"

    def is_healthy(self) -> bool:
        """Always: ``start`` waits for it."""
        return True

    def ask_to_stop(self) -> None:
        """Have it write everything down and stop, unless another command still uses it."""
        self._server.stop()

    def kill(self) -> None:
        """SIGKILL; its journal brings everything back at the next start."""
        if self.pid is not None:
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself in between
                psutil.Process(self.pid).kill()
