"""How much memory a process and its children use, cheaply enough to ask ten times a second."""

import contextlib
import time
from pathlib import Path

import psutil

EVERY_S = 0.1
FAMILY_EVERY_S = 0.5  # finding the children reads the whole process table
NEAR = 0.9  # of the cap: a process that died there was most likely killed for it


class MemoryWatch:
    """Measures a process tree against a cap and remembers the peak.

    The cap is held against the sum of resident memory. Forks share pages, so where there are several processes the
    proportional sizes (PSS) decide, if the system has them.
    """

    def __init__(self, pid: int, cap: int | None) -> None:
        self.cap = cap
        self.peak = 0
        self.family = [psutil.Process(pid)] if psutil.pid_exists(pid) else []
        self._next = self._next_family = 0.0

    def excess(self) -> int | None:
        """The bytes in use if they are over the cap; None if not, or if it is not yet time to look again."""
        now = time.monotonic()
        if now < self._next:
            return None
        self._next = now + EVERY_S
        if now >= self._next_family:
            self._next_family = now + FAMILY_EVERY_S
            self._find_family()
        used = sum(_resident(process) for process in self.family)
        if self.cap is not None and used > self.cap and len(self.family) > 1:
            used = sum(_proportional(process) for process in self.family)
        self.peak = max(self.peak, used)
        return used if self.cap is not None and used > self.cap else None

    def was_near_cap(self) -> bool:
        """Whether the last measures came close to the cap."""
        return self.cap is not None and self.peak > NEAR * self.cap

    def _find_family(self) -> None:
        with contextlib.suppress(psutil.Error):
            if self.family:
                self.family = [self.family[0], *self.family[0].children(recursive=True)]


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", 0) or full.rss)


def oom_kills() -> int:
    """How often this system has killed a process for lack of memory, where it counts (Linux); else 0."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        text = Path("/proc/vmstat").read_text(encoding="ascii")
        return int(text.split("oom_kill ", 1)[1].split("\n", 1)[0])
    return 0
