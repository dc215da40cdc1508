"""SQLite: a table or view by name, or a query in SQLite's own SQL."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

import duckdb
import pyarrow as pa
from pydantic import Field, model_validator

from etlml.compute.names import literal, quoted
from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.connectors import sqlite_files
from etlml.connectors.base import Reading, Source
from etlml.connectors.guards import alone_in_process
from etlml.connectors.places import located
from etlml.connectors.stopping import TICK_S
from etlml.connectors.tables import written_out
from etlml.errors import DataUnreadable, StepCancelled

BATCH_ROWS = 50_000


class SqliteSource(Source):
    """Rows of an SQLite database. Declared types are kept; a query's columns get the types that its values have."""

    kind: Literal["sqlite"] = "sqlite"
    path: str = Field(
        min_length=1,
        description="The database file. Relative paths start at ETLML_HOME/data.",
        json_schema_extra={"picks": "sqlite"},
    )
    table: str | None = Field(
        None, min_length=1, description="A table or view; either this or query.", json_schema_extra={"picks": "table"}
    )
    query: str | None = Field(None, min_length=1, description="One SELECT in SQLite's SQL; either this or table.")

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        return self

    def check(self, data_dir: Path) -> Schema | None:
        """Look whether the table is there, or the query compiles, if the file exists."""
        path = located(self.path, data_dir)
        if "${" in self.path or not path.exists():
            return None
        with alone_in_process(path, lambda: False):
            try:
                self._refuse_wrong(path)
            except DataUnreadable:
                return None
        return None

    def paths(self, data_dir: Path) -> Sequence[Path]:
        path = located(self.path, data_dir)
        return [each for each in (path, path.with_name(path.name + "-wal")) if each.is_file()]

    def read(self, reading: Reading) -> Relation:
        path = located(self.path, reading.data_dir)
        with alone_in_process(path, reading.cancelled):
            self._refuse_wrong(path)
            with reading.database("sqlite_scanner") as connection:
                if self.query is None:
                    return _read_table(connection, path, str(self.table), reading)
                with sqlite_files.reading(path) as database, _interrupted_when(database, reading.cancelled):
                    rows = _arrow_rows(database, reading.shortened(self.query.strip().rstrip(";")))
                    connection.register("rows", rows)
                    return written_out(connection, "SELECT * FROM rows", reading)

    def _refuse_wrong(self, path: Path) -> None:
        sqlite_files.refuse_other_file(path)
        with sqlite_files.reading(path) as database:
            if self.table is not None:
                sqlite_files.refuse_missing_table(self.table, sqlite_files.tables(database), path)
            if self.query is not None:
                sqlite_files.refuse_bad_query(database, self.query)


def _read_table(connection: duckdb.DuckDBPyConnection, path: Path, table: str, reading: Reading) -> Relation:
    connection.execute(f"ATTACH {literal(str(path))} AS source (TYPE sqlite, READ_ONLY)")
    try:
        return written_out(connection, f"SELECT * FROM source.{quoted(table)}", reading)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        text = str(error).split(" Error: ", 1)[-1].split("\n")[0]
        raise DataUnreadable(
            f"The table {table!r} of {path} cannot be read. {text} Correct the value, or give a query that casts the column, "
            f"such as SELECT CAST(x AS TEXT) AS x FROM {table}.",
            table=table,
        ) from None


def _arrow_rows(database: sqlite3.Connection, query: str) -> pa.RecordBatchReader:
    """The query's rows, each column of the one type that all its values have."""
    cursor = database.execute(f"SELECT * FROM ({query}\n) LIMIT 0")
    names = [str(each[0]) for each in cursor.description]
    kinds = ", ".join(f"group_concat(DISTINCT typeof({_sqlite_quoted(name)}))" for name in names)
    found = database.execute(f"SELECT {kinds} FROM ({query}\n)").fetchone()
    schema = pa.schema(
        [
            (name, _arrow_type(set((kind or "").split(",")) - {"null", ""}))
            for name, kind in zip(names, found, strict=True)
        ]
    )
    return pa.RecordBatchReader.from_batches(schema, _batches(database.execute(query), schema))


def _batches(cursor: sqlite3.Cursor, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while rows := cursor.fetchmany(BATCH_ROWS):
        columns = zip(*rows, strict=True)
        arrays = [pa.array(_as(values, field.type), field.type) for values, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def _as(values: tuple[object, ...], type_: pa.DataType) -> Sequence[object]:
    if type_ == pa.string():
        return [
            None if value is None else value.decode(errors="replace") if isinstance(value, bytes) else str(value)
            for value in values
        ]
    if type_ == pa.float64():
        return [None if value is None else float(str(value)) for value in values]
    return values


def _arrow_type(kinds: set[str]) -> pa.DataType:
    if kinds == {"integer"}:
        return pa.int64()
    if kinds and kinds <= {"integer", "real"}:
        return pa.float64()
    return pa.binary() if kinds == {"blob"} else pa.string()


def _sqlite_quoted(name: str) -> str:
    return quoted(name)


@contextmanager
def _interrupted_when(database: sqlite3.Connection, cancelled: Callable[[], bool]) -> Iterator[None]:
    finished = threading.Event()

    def watch() -> None:
        while not finished.wait(TICK_S):
            if cancelled():
                database.interrupt()

    watcher = threading.Thread(target=watch, name="sqlite-watcher", daemon=True)
    watcher.start()
    try:
        yield
    except (sqlite3.OperationalError, duckdb.Error):
        if cancelled():
            raise StepCancelled from None
        raise
    finally:
        finished.set()
        watcher.join()
