"""One user at a time for a file that is a database."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from etlml.connectors.stopping import TICK_S, refuse_cancelled

_locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)


@contextmanager
def alone_in_process(path: Path, cancelled: Callable[[], bool]) -> Iterator[None]:
    """Keep the other threads of this process off a database file.

    DuckDB attaches a file only once in a process. SQLite's own locks are void between two copies of its library in one
    process, and both Python and DuckDB bring one.
    """
    lock = _locks[path.resolve()]
    while not lock.acquire(timeout=TICK_S):
        refuse_cancelled(cancelled)
    try:
        yield
    finally:
        lock.release()
