"""What the processes say: to the terminal with the process's name before each line, and to one rotating file each."""

import json
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Literal

from etlml.clock import utc_now
from etlml.redaction import redacted

FILE_BYTES = 10 * 2**20
OLD_FILES = 3
TAIL_LINES = 20
WIDTH = 6
_COLOURS = {"up": "1", "mongod": "33", "worker": "32", "api": "36", "ui": "35"}

Format = Literal["text", "json"]


class Terminal:
    """Writes whole lines, one process's at a time; safe to use from many threads."""

    def __init__(self, folder: Path, *, format: Format = "text", stream: IO[str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._format = format
        self._stream = stream or sys.stdout
        self._colours = self._stream.isatty()
        self._files: dict[str, RotatingFileHandler] = {}
        self._tails: dict[str, deque[str]] = {}
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """A line of the supervisor's own."""
        self.write("up", line, stamp=True)

    def write(self, name: str, line: str, *, stamp: bool = False) -> None:
        """One line of the process ``name``, without secrets; ``stamp`` puts the time before it in the file."""
        line = redacted(line)
        with self._lock:
            self._tails.setdefault(name, deque(maxlen=TAIL_LINES)).append(line)
            text = f"{utc_now():%Y-%m-%d %H:%M:%S} {line}" if stamp else line
            self._file(name).emit(logging.LogRecord(name, logging.INFO, "", 0, text, None, None))
            self._show(name, line)

    def show(self, name: str, line: str) -> None:
        """A line for the terminal alone, as it is: it is in no file afterwards."""
        with self._lock:
            self._show(name, line)

    def tail(self, name: str) -> list[str]:
        """The last lines of that process, oldest first."""
        with self._lock:
            return list(self._tails.get(name, ()))

    def path(self, name: str) -> Path:
        """The file that the process's lines go to."""
        return self.folder / f"{name}.log"

    def pump(self, name: str, stream: IO[bytes]) -> threading.Thread:
        """Write what comes out of ``stream`` from now to its end, in a thread of its own."""
        thread = threading.Thread(target=_pump, args=(stream, lambda line: self.write(name, line)), daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for handler in self._files.values():
                handler.close()
            self._files.clear()

    def _file(self, name: str) -> RotatingFileHandler:
        if name not in self._files:
            self._files[name] = RotatingFileHandler(
                self.path(name), maxBytes=FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8", errors="replace"
            )
        return self._files[name]

    def _show(self, name: str, line: str) -> None:
        try:
            self._stream.write(self._shown(name, line) + "\n")
            self._stream.flush()
        except (OSError, ValueError, UnicodeError):
            pass  # the terminal was closed, or cannot show the character; the file has the line

    def _shown(self, name: str, line: str) -> str:
        if self._format == "json":
            if line.startswith("{"):
                return line
            return json.dumps({"ts": utc_now().isoformat(), "level": "INFO", "source": name, "message": line})
        label = f"{name:<{WIDTH}}"
        if self._colours:
            label = f"\x1b[{_COLOURS.get(name, '0')}m{label}\x1b[0m"
        return f"{label} | {line}"


def _pump(stream: IO[bytes], write: Callable[[str], None]) -> None:
    with stream:
        for raw in stream:
            if line := raw.decode(errors="replace").rstrip():
                write(line)
