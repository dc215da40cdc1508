"""DuckDB connections of a connector's own, which stop when the run is cancelled."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from etlml.compute.duck import open_database
from etlml.errors import StepCancelled

TICK_S = 0.1


@contextmanager
def stoppable_database(
    *, folder: Path, memory_bytes: int, cancelled: Callable[[], bool], extensions: Sequence[str] = ()
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database for one read or load; within a moment of ``cancelled()`` its statement ends in StepCancelled."""
    connection = open_database(memory_bytes=memory_bytes, temp_dir=folder / "spill", extensions=extensions)
    finished = threading.Event()
    watcher = threading.Thread(target=_watch, args=(connection, cancelled, finished), name="load-watcher", daemon=True)
    watcher.start()
    try:
        yield connection
    except duckdb.InterruptException:
        raise StepCancelled from None
    finally:
        finished.set()
        watcher.join()
        connection.close()


def refuse_cancelled(cancelled: Callable[[], bool]) -> None:
    """Raise StepCancelled if the run was cancelled: the last moment before a change takes effect."""
    if cancelled():
        raise StepCancelled


def _watch(connection: duckdb.DuckDBPyConnection, cancelled: Callable[[], bool], finished: threading.Event) -> None:
    while not finished.wait(TICK_S):
        if cancelled():
            connection.interrupt()  # again and again: between two statements there is nothing to interrupt
