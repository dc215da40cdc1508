"""The embedded MongoDB as a part that the supervisor watches."""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from etlml.errors import EtlmlError
from etlml.settings import Settings

if TYPE_CHECKING:
    from etlml.store.mongod import EmbeddedMongod


class MongodPart:
    """Starts the embedded server and keeps it on one port; a server that another command started is shared with it.

    The start takes a second or two, most of it waiting. Where the address is known from the last time it goes on in
    the background, so that the others can load their code meanwhile; they wait for the server when they need it.

    Args:
        on_move: Called (from ``ended``) when the server came up elsewhere than was expected, since the port was taken.
    """

    name = "mongod"
    grace_s = 10.0

    def __init__(self, settings: Settings, on_move: Callable[[], None]) -> None:
        self._folder = settings.mongod_dir
        self._on_move = on_move
        self._server: EmbeddedMongod | None = None
        self._starting: threading.Thread | None = None
        self._failure: Exception | None = None
        self._moved = False
        self.uri: str | None = self._last_uri()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._server.pid if self._server and not self._is_starting() else None

    def start(self) -> None:
        """Start it, and if nobody knows where it will be, wait for it."""
        self._failure = None
        self._starting = threading.Thread(target=self._start, name="mongod", daemon=True)
        self._starting.start()
        if self.uri is None:
            self._starting.join()
            if self._failure is not None:
                raise self._failure

    def ended(self) -> str | None:
        """Why it does not run, or None while it runs or starts."""
        if self._is_starting():
            return None
        if self._failure is not None:
            return str(self._failure)
        if self._moved:
            self._moved = False
            self._on_move()
        return None if self._server and self._server.is_running() else "its process is gone"

    def is_healthy(self) -> bool:
        """Whether it accepts writes."""
        return not self._is_starting() and self._failure is None

    def ask_to_stop(self) -> None:
        """Have it write everything down and stop, unless another command still uses it."""
        if self._starting is not None:
            self._starting.join(self.grace_s)
        if self._server is not None:
            self._server.stop()

    def kill(self) -> None:
        """SIGKILL; its journal brings everything back at the next start."""
        if self.pid is not None:
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself in between
                psutil.Process(self.pid).kill()

    def _start(self) -> None:
        from etlml.store.mongod import EmbeddedMongod  # here, since loading the driver takes a while too

        self._server = self._server or EmbeddedMongod(self._folder, ends_with_me=True)
        try:
            uri = self._server.start()
            self._moved = self.uri not in (None, uri)
            self.uri = uri
            self._uri_file.write_text(uri, encoding="utf-8")
        except (EtlmlError, OSError) as error:
            self._failure = error

    def _is_starting(self) -> bool:
        return self._starting is not None and self._starting.is_alive()

    @property
    def _uri_file(self) -> Path:
        return self._folder / "last-uri"

    def _last_uri(self) -> str | None:
        try:
            return self._uri_file.read_text(encoding="utf-8") or None
        except (OSError, ValueError):
            return None
