"""The DuckDB session of one run: shut in, capped, stoppable, shared by the run's branches."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import duckdb

from etlml.compute.duck import open_database
from etlml.compute.names import literal, quoted
from etlml.compute.relation import Query, Relation
from etlml.compute.schema import Schema
from etlml.compute.translate import translated
from etlml.errors import StepCancelled

PROFILED = '{"OPERATOR_CARDINALITY": "true", "OPERATOR_NAME": "true", "OPERATOR_TYPE": "true", "EXTRA_INFO": "true"}'
_NEARLY = 0.99  # all is read before all is sorted and written


class Session:
    """One in-memory DuckDB database for one run.

    Outside files are out of reach but for ``readable`` files and the run's ``folder``; the configuration is locked.
    Safe to use from ``width`` threads at once: each statement runs on a cursor of its own, all see the same views.

    Args:
        folder: The run's folder: checkpoints and spilled data.
        memory_bytes: DuckDB's memory limit; beyond it DuckDB spills to ``folder``.
        readable: Files that sources of this run read.
        folders: Folders whose files they read.
        width: How many statements may run side by side.
        database: An empty database with that memory limit that was opened in advance; the session closes it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        memory_bytes: int,
        readable: Sequence[Path] = (),
        folders: Sequence[Path] = (),
        threads: int | None = None,
        width: int = 2,
        database: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._database = database or open_database(memory_bytes=memory_bytes, threads=threads)
        self._database.execute(f"SET temp_directory = {literal(str(folder / 'spill'))}")
        self._idle: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._interrupted = threading.Event()
        self._in_use: dict[int, duckdb.DuckDBPyConnection] = {}
        self._copying: dict[
            int, tuple[str, duckdb.DuckDBPyConnection]
        ] = {}  # by thread: one relation may go to several files
        for _ in range(max(1, width)):
            cursor = self._database.cursor()
            # Per-connection settings, so before the lock: afterwards not even we can change them.
            cursor.execute("PRAGMA enable_profiling = 'no_output'")
            cursor.execute(f"SET custom_profiling_settings = '{PROFILED}'")
            cursor.execute("SET enable_progress_bar = true")
            cursor.execute("SET enable_progress_bar_print = false")
            self._cursors.append(cursor)
            self._idle.put(cursor)
        inside = ", ".join(literal(str(path) + os.sep) for path in (folder, *folders))
        self._database.execute(f"SET allowed_directories = [{inside}]")
        self._database.execute(f"SET allowed_paths = [{', '.join(literal(str(path)) for path in readable)}]")
        # A step that is tried again writes its file anew, and must not be read as it was before.
        self._database.execute("SET enable_external_file_cache = false")
        self._database.execute("SET enable_external_access = false")
        self._database.execute("SET lock_configuration = true")

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free everything; statements that still run are stopped."""
        self.interrupt()
        for cursor in self._cursors:
            cursor.close()
        self._database.close()

    def interrupt(self) -> None:
        """Stop what runs now, in milliseconds; from here on every statement raises StepCancelled."""
        self._interrupted.set()
        for cursor in self._cursors:
            with suppress(duckdb.ConnectionException):  # closed: there is nothing to stop any more
                cursor.interrupt()

    def interrupt_thread(self, ident: int) -> None:
        """Stop the statement that one thread runs now, if it runs one."""
        if (cursor := self._in_use.get(ident)) is not None:
            cursor.interrupt()

    def shares(self) -> dict[str, float]:
        """How far DuckDB is with each relation that it writes to a file now, 0 to 1, by a guess of its own.

        It never falls, but may stand still: DuckDB goes by how much of its inputs has been read.
        """
        found: dict[str, float] = {}
        for name, cursor in self._copying.copy().values():
            with suppress(duckdb.Error):  # it has just ended
                if (percent := cursor.query_progress()) >= 0:
                    found[name] = max(found.get(name, 0.0), min(percent / 100, _NEARLY))
        return found

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one statement or a few; DuckDB's errors leave it as ours, with the mend."""
        if self._interrupted.is_set():
            raise StepCancelled
        cursor = self._idle.get()
        self._in_use[threading.get_ident()] = cursor
        try:
            yield cursor
        except duckdb.InterruptException:
            raise StepCancelled from None
        except duckdb.Error as error:
            raise translated(error) from error
        finally:
            self._in_use.pop(threading.get_ident(), None)
            self._idle.put(cursor)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a small result."""
        with self.cursor() as cursor:
            return cursor.execute(sql).fetchall()

    def schema_of(self, sql: str) -> Schema:
        """The columns of a SELECT, bound but not run."""
        return Schema.of([(str(row[0]), str(row[1])) for row in self.rows(f"DESCRIBE {sql}")])

    def define(self, name: str, query: Query) -> Relation:
        """Bind a query and keep it as a view: nothing is computed."""
        with self.cursor() as cursor:
            cursor.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS {query.sql}")
            described = cursor.execute(f"DESCRIBE {quoted(name)}").fetchall()
        schema = Schema.of([(str(row[0]), str(row[1])) for row in described])
        return Relation(name, schema, effects=query.effects, source_files=query.source_files)

    def attach(self, name: str, path: Path) -> Relation:
        """The relation of a checkpoint that is already there."""
        relation = self.define(name, Query(f"SELECT * FROM read_parquet({literal(str(path))})"))
        (count,) = self.rows(f"SELECT count(*) FROM {quoted(name)}")[0]  # from the footer: no data is read
        return Relation(name, relation.schema, path=path, rows=count)

    def renamed(self, relation: Relation, name: str) -> Relation:
        """A second name for a relation whose rows are in a file; its columns and rows are known."""
        with self.cursor() as cursor:
            rows = f"read_parquet({literal(str(relation.path))})"  # not the first name: a chain of views binds slowly
            cursor.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT * FROM {rows}")
        return replace(relation, name=name)

    def materialise(
        self, relation: Relation, path: Path, *, on_plan: Callable[[dict[str, Any]], None] | None = None
    ) -> Relation:
        """Compute a relation into a Parquet checkpoint, which is there whole or not at all, even after a power cut.

        Args:
            relation: What to compute; its view then reads the file.
            path: Where the checkpoint goes, within the run's folder.
            on_plan: Called with DuckDB's profile of the query (operators with their cardinality).
        """
        self.copy(relation, path, on_plan=on_plan)
        return self.attach(relation.name, path)

    def copy(
        self,
        relation: Relation,
        path: Path,
        *,
        options: str = "FORMAT parquet",
        on_plan: Callable[[dict[str, Any]], None] | None = None,
    ) -> int:
        """Write a relation to a file in the run's folder, whole or not at all; returns the number of rows."""
        partial = path.with_name(f".{path.name}.partial")
        partial.unlink(missing_ok=True)
        try:
            with self.cursor() as cursor:
                rows = f"SELECT {_storable(relation.schema)} FROM {quoted(relation.name)}"
                self._copying[threading.get_ident()] = relation.name, cursor
                try:
                    cursor.execute(f"COPY ({rows}) TO {literal(str(partial))} ({options})")
                finally:
                    del self._copying[threading.get_ident()]
                found = cursor.fetchone()
                if on_plan is not None:
                    on_plan(json.loads(cursor.get_profiling_information(format="json")))
            sync_file(partial)
            partial.replace(path)
            sync_folder(path.parent)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return int(found[0]) if found else 0


def _storable(schema: Schema) -> str:
    """The select list that keeps every digit: Parquet has no integers of 128 bits, and DuckDB would make them DOUBLE."""
    wide = [column.name for column in schema if column.type in ("HUGEINT", "UHUGEINT")]
    casts = ", ".join(f"CAST({quoted(name)} AS DECIMAL(38, 0)) AS {quoted(name)}" for name in wide)
    return f"* REPLACE ({casts})" if wide else "*"


def sync_file(path: Path) -> None:
    """Have the operating system put a file's bytes on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Have the names in a folder put on the disk (POSIX; elsewhere the rename itself does)."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
