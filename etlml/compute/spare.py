"""A database opened in advance: opening one takes DuckDB 20 ms, which a run that starts should not wait for."""

import threading
from contextlib import suppress

import duckdb

from etlml.compute.duck import open_database


class SpareDatabase:
    """Keeps one empty in-memory database ready. Thread-safe.

    Args:
        memory_bytes: Memory limit of each database.
        threads: DuckDB's threads in each; None is one a core.
    """

    def __init__(self, *, memory_bytes: int, threads: int | None = None) -> None:
        self._memory_bytes, self._threads = memory_bytes, threads
        self._lock = threading.Lock()
        self._spare: duckdb.DuckDBPyConnection | None = None

    def take(self) -> duckdb.DuckDBPyConnection:
        """A database for the caller alone: the spare one, else a new one."""
        with self._lock:
            spare, self._spare = self._spare, None
        return spare if spare is not None else self._opened()

    def refill(self) -> None:
        """Open the next one, if none is ready; call it when nobody waits."""
        with self._lock:
            if self._spare is None:
                self._spare = self._opened()

    def resize(self, memory_bytes: int) -> None:
        """Give databases another memory limit from now on; those that were taken keep theirs."""
        with self._lock:
            if memory_bytes != self._memory_bytes:
                self._memory_bytes = memory_bytes
                self._drop()

    def close(self) -> None:
        """Free the spare one."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        with suppress(duckdb.Error):
            if self._spare is not None:
                self._spare.close()
        self._spare = None

    def _opened(self) -> duckdb.DuckDBPyConnection:
        return open_database(memory_bytes=self._memory_bytes, threads=self._threads)
