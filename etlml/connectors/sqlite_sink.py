"""SQLite tables as sinks: one transaction a load, with its marker in it."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
from pydantic import Field

from etlml.clock import utc_now
from etlml.compute.names import literal, quoted
from etlml.compute.schema import Schema
from etlml.connectors.base import Mode, Sink, Writing, Written
from etlml.connectors.columns import Pair, matched, refuse_lossy
from etlml.connectors.guards import alone_in_process
from etlml.connectors.locks import alone, failures
from etlml.connectors.places import located, refuse_own_folders
from etlml.connectors.sqlite_tables import Change, Locked, TableFacts, changing, facts_of
from etlml.connectors.sqlite_types import as_kept, bound, held_type, kept_types
from etlml.connectors.stopping import TICK_S, refuse_cancelled
from etlml.connectors.table_load import INCOMING, MARKER_COLUMNS, MARKERS, take_rows
from etlml.errors import LoadFailed

BUSY_S = 30.0
BATCH_ROWS = 50_000
CHUNK_ROWS = 200_000  # of a statement that cannot be stopped once it runs: some 100 ms
KEYS = "_etlml_keys"


class SqliteSink(Sink):
    """A table of an SQLite database; both are made if they are not there.

    Dates and times are kept as ISO text, booleans as 0 and 1, decimals as numbers if that keeps every digit and else as
    text, nested values as JSON. Overwriting changes only the rows of a table that has keys, triggers or other constraints,
    while its columns stay the same; else it makes the table anew, and its indexes again.
    """

    kind: Literal["sqlite"] = "sqlite"
    path: str = Field(min_length=1, description="The database file. Relative paths start at ETLML_HOME/data.")
    table: str = Field(min_length=1, description="The table.")

    def check(self, data_dir: Path, schema: Schema | None, mode: Mode) -> None:
        if "${" not in self.path:
            refuse_own_folders(located(self.path, data_dir), data_dir)

    def write(self, writing: Writing) -> Written:
        path = located(self.path, writing.data_dir)
        refuse_own_folders(path, writing.data_dir)
        place = f"the table {self.table!r} of {path}"
        with failures(place), alone(path, writing.cancelled), alone_in_process(path, writing.cancelled):
            is_new = not path.exists()
            try:
                written = self._load(path, place, writing)
            except BaseException:
                if is_new:
                    for suffix in ("", "-journal", "-wal", "-shm"):
                        path.with_name(path.name + suffix).unlink(missing_ok=True)
                raise
            return Written(written.rows, place, path.stat().st_size, written.already_there, written.warnings)

    def _load(self, path: Path, place: str, writing: Writing) -> Written:
        keys = writing.keys if writing.mode == "merge" else ()
        give_up = time.monotonic() + BUSY_S
        with writing.database() as connection:
            rows = take_rows(connection, f"SELECT * FROM read_parquet({literal(str(writing.checkpoint))})", keys)
            while True:
                try:
                    with changing(path) as change:
                        return self._changed(change, connection, rows, place, writing)
                except Locked:
                    refuse_cancelled(writing.cancelled)
                    if time.monotonic() >= give_up:
                        raise _busy(path) from None
                time.sleep(TICK_S)

    def _changed(
        self, change: Change, connection: duckdb.DuckDBPyConnection, rows: int, place: str, writing: Writing
    ) -> Written:
        facts = facts_of(change, self.table)
        if facts.kind == "view":
            raise LoadFailed(f"The rows cannot be written to {place}: it is a view. Choose the name of a table.")
        if facts.kind and (done := _rows_of(change, writing.load_id)) is not None:
            return Written(done, place, already_there=True)
        _mark(change, writing.load_id, self.table, rows)
        load = _TableLoad(change, connection, self.table, facts, place, writing)
        warnings = load.overwritten() if writing.mode == "overwrite" or not facts.kind else load.added()
        refuse_cancelled(writing.cancelled)
        change.commit()
        return Written(rows, place, warnings=tuple(warnings))


class _TableLoad:
    """What one load does to one table within its transaction."""

    def __init__(
        self,
        change: Change,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        facts: TableFacts,
        place: str,
        writing: Writing,
    ) -> None:
        self._change, self._connection, self._table = change, connection, table
        self._facts, self._place, self._writing = facts, place, writing
        self._incoming = writing.relation.schema

    def overwritten(self) -> list[str]:
        same = {name.lower() for name in self._facts.columns} == {name.lower() for name in self._incoming.names}
        if self._facts.is_dressed and same:
            self._change.run(f"DELETE FROM {quoted(self._table)}")
            self._ingest(self._table, self._pairs(self._facts.columns))
            return []
        if self._facts.kind:
            self._change.run(f"DROP TABLE {quoted(self._table)}")
        columns = kept_types(self._connection, INCOMING, self._incoming)
        self._change.make_table(self._table, columns)
        self._ingest(self._table, self._pairs(columns))
        names = {name.lower() for name in self._incoming.names}
        for sql in (sql for sql in self._facts.indexes if self._facts.indexed(sql) <= names):
            self._change.run(sql)
        return [
            f"An index was lost, since the columns changed: {sql}"
            for sql in self._facts.indexes
            if not self._facts.indexed(sql) <= names
        ]

    def added(self) -> list[str]:
        pairs = self._pairs(self._facts.columns)
        if self._writing.mode == "merge":
            keys = [pair for pair in pairs if pair.incoming.name.lower() in {key.lower() for key in self._writing.keys}]
            self._remove(keys)
        self._ingest(self._table, pairs)
        return []

    def _pairs(self, declared: dict[str, str]) -> list[Pair]:
        held = Schema.of(
            [
                (name, held_type(type_, self._incoming.column(name).type if name in self._incoming else "VARCHAR"))
                for name, type_ in declared.items()
            ]
        )
        pairs = matched(self._incoming, held, self._place)
        refuse_lossy(self._connection, INCOMING, pairs, self._place)
        return pairs

    def _remove(self, keys: Sequence[Pair]) -> None:
        """Delete the rows whose keys come in again, piece by piece, so that a cancelled run need not wait."""
        names = [pair.held.name for pair in keys]
        self._change.run(f"DROP TABLE IF EXISTS temp.{KEYS}")
        self._change.make_table(KEYS, {name: self._facts.columns[name] for name in names}, temporary=True)
        self._ingest(KEYS, keys, temporary=True)
        columns = ", ".join(quoted(name) for name in names)
        if self._facts.leading & {name.lower() for name in names} or not self._facts.has_rowid:
            for piece in self._pieces(f"temp.{KEYS}"):
                self._delete(f"({columns}) IN (SELECT {columns} FROM temp.{KEYS} WHERE {piece})")
        else:
            self._change.run(f"CREATE INDEX temp.{KEYS}_index ON {KEYS} ({columns})")
            for piece in self._pieces(f"main.{quoted(self._table)}"):
                self._delete(f"{piece} AND ({columns}) IN (SELECT {columns} FROM temp.{KEYS})")
        self._change.run(f"DROP TABLE temp.{KEYS}")

    def _pieces(self, table: str) -> Iterator[str]:
        first, last = self._change.run(f"SELECT coalesce(min(rowid), 0), coalesce(max(rowid), -1) FROM {table}")[0]
        step = max(CHUNK_ROWS, (last - first) // 10_000)
        return (f"rowid BETWEEN {start} AND {start + step - 1}" for start in range(first, last + 1, step))

    def _delete(self, where: str) -> None:
        refuse_cancelled(self._writing.cancelled)
        self._change.run(f"DELETE FROM main.{quoted(self._table)} WHERE {where}")

    def _ingest(self, table: str, pairs: Sequence[Pair], *, temporary: bool = False) -> None:
        columns = ", ".join(
            f"{bound(as_kept(pair.incoming), pair.held.type)} AS {quoted(pair.held.name)}" for pair in pairs
        )
        reader = self._connection.execute(f"SELECT {columns} FROM {INCOMING}").to_arrow_reader(BATCH_ROWS)
        self._change.ingest(table, _ahead(reader, self._writing.cancelled), reader.schema, temporary=temporary)


def _ahead(reader: pa.RecordBatchReader, cancelled: Callable[[], bool]) -> Generator[pa.RecordBatch, None, None]:
    """The batches; while SQLite takes one in, DuckDB already computes the next."""
    batches = iter(reader)
    with ThreadPoolExecutor(1, thread_name_prefix="load-batches") as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            refuse_cancelled(cancelled)
            coming = pool.submit(next, batches, None)
            yield batch


def _rows_of(change: Change, load_id: str) -> int | None:
    if not change.run(f"SELECT 1 FROM sqlite_master WHERE name = '{MARKERS}'"):
        return None
    found = change.run(f'SELECT "rows" FROM {MARKERS} WHERE load_id = {literal(load_id)}')
    return int(found[0][0]) if found else None


def _mark(change: Change, load_id: str, table: str, rows: int) -> None:
    """Note the load; also the first write, which takes the database's lock."""
    change.run(f"CREATE TABLE IF NOT EXISTS {MARKERS} ({MARKER_COLUMNS})")
    change.run(f"DELETE FROM {MARKERS} WHERE load_id = {literal(load_id)}")
    values = ", ".join(literal(value) for value in (load_id, table, rows, utc_now().isoformat()))
    change.run(f"INSERT INTO {MARKERS} VALUES ({values})")


def _busy(path: Path) -> LoadFailed:
    return LoadFailed(
        f"The database {path} is being written by another program, for more than {BUSY_S:g} s. "
        "Wait until it has finished, then run again.",
        path=str(path),
    )
