"""SQLite tables as sinks: one transaction a load, with its marker in it."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import Field

from etlml.compute.duck import load_extensions
from etlml.compute.names import literal, quoted
from etlml.compute.schema import Schema
from etlml.connectors.base import Mode, Sink, Writing, Written
from etlml.connectors.guards import alone_in_process
from etlml.connectors.locks import alone, failures
from etlml.connectors.places import located, refuse_own_folders
from etlml.connectors.sqlite_tables import BUSY_S, TableFacts, changing, facts_of, make_fresh_table, remove_fresh_tables
from etlml.connectors.sqlite_types import as_kept, kept_types
from etlml.connectors.stopping import TICK_S, refuse_cancelled, stoppable_database
from etlml.connectors.table_load import DATABASE, INCOMING, Table, insert, make_markers, mark, rows_of, take_rows
from etlml.errors import LoadFailed


class SqliteSink(Sink):
    """A table of an SQLite database; both are made if they are not there.

    Dates and times are kept as ISO text, booleans as 0 and 1, decimals as numbers if that keeps every digit and else as
    text, nested values as JSON. Overwriting keeps a table that has indexes, triggers or constraints as it is and changes
    its rows only, while the columns stay the same; else it makes the table anew.
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
                _clean_up(path, is_new=is_new)
                raise
            return Written(written.rows, place, path.stat().st_size, written.already_there, written.warnings)

    def _load(self, path: Path, place: str, writing: Writing) -> Written:
        with changing(path) as database:
            remove_fresh_tables(database)
            facts = facts_of(database, self.table)
        if facts.kind == "view":
            raise LoadFailed(f"The rows cannot be written to {place}: it is a view. Choose the name of a table.")
        keys = writing.keys if writing.mode == "merge" else ()
        with stoppable_database(
            folder=writing.folder, memory_bytes=writing.memory_bytes, cancelled=writing.cancelled
        ) as connection:
            load_extensions(connection, ["sqlite_scanner"])
            rows = take_rows(connection, f"SELECT * FROM read_parquet({literal(str(writing.checkpoint))})", keys)
            fresh = self._fresh(connection, path, facts, writing)
            connection.execute(f"ATTACH {literal(str(path))} AS {DATABASE} (TYPE sqlite)")
            table = self._table(connection, facts, place)
            if (done := _begun(connection, path, table, self.table, rows, writing)) is not None:
                connection.execute(f"ROLLBACK; DETACH {DATABASE}")
                _clean_up(path, is_new=False)
                return Written(done, place, already_there=True)
            self._fill(connection, table, fresh, writing)
            refuse_cancelled(writing.cancelled)
            connection.execute("COMMIT")
        lost = facts.indexes if fresh else ()
        return Written(
            rows, place, warnings=tuple(f"An index was lost, since the columns changed: {sql}" for sql in lost)
        )

    def _fresh(
        self, connection: duckdb.DuckDBPyConnection, path: Path, facts: TableFacts, writing: Writing
    ) -> str | None:
        """The empty table that is to become the target; None if the rows go into the table that is there."""
        incoming = writing.relation.schema
        if facts.kind == "table":
            same = facts.columns == {name.lower() for name in incoming.names}
            if writing.mode != "overwrite" or (facts.is_dressed and same):
                return None
        columns = kept_types(connection, INCOMING, incoming)
        with changing(path) as database:
            return make_fresh_table(database, writing.load_id, columns)

    def _table(self, connection: duckdb.DuckDBPyConnection, facts: TableFacts, place: str) -> Table:
        return _described(connection, self.table, place) if facts.kind else Table(_full(self.table), place, None)

    def _fill(self, connection: duckdb.DuckDBPyConnection, table: Table, fresh: str | None, writing: Writing) -> None:
        incoming = writing.relation.schema
        if fresh is not None:
            insert(connection, incoming, _described(connection, fresh, table.place))
            if table.schema is not None:
                connection.execute(f"DROP TABLE {table.name}")
            connection.execute(f"ALTER TABLE {_full(fresh)} RENAME TO {quoted(self.table)}")
            return
        if writing.mode == "overwrite":
            connection.execute(f"DELETE FROM {table.name}")
        insert(connection, incoming, table, keys=writing.keys if writing.mode == "merge" else ())


def _described(connection: duckdb.DuckDBPyConnection, name: str, place: str) -> Table:
    rows = connection.execute(f"DESCRIBE {_full(name)}").fetchall()
    return Table(_full(name), place, Schema.of([(str(row[0]), str(row[1])) for row in rows]), as_held=as_kept)


def _full(name: str) -> str:
    return f"{DATABASE}.{quoted(name)}"


def _begun(
    connection: duckdb.DuckDBPyConnection, path: Path, table: Table, name: str, rows: int, writing: Writing
) -> int | None:
    """Begin the transaction with its marker, which takes the write lock; while another program has it, wait.

    Returns:
        The number of rows of an earlier attempt that finished; None if there was none.
    """
    give_up = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("BEGIN")
            make_markers(connection)
            if (done := rows_of(connection, writing.load_id, table)) is None:
                mark(connection, writing.load_id, name, rows)
            return done
        except duckdb.Error as error:
            with suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            if "locked" not in str(error):
                raise
            if time.monotonic() >= give_up:
                raise LoadFailed(
                    f"The database {path} is being written by another program, for more than {BUSY_S:g} s. "
                    "Wait until it has finished, then run again.",
                    path=str(path),
                ) from None
        refuse_cancelled(writing.cancelled)
        time.sleep(TICK_S)


def _clean_up(path: Path, *, is_new: bool) -> None:
    if is_new:
        for suffix in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    elif path.exists():
        with suppress(LoadFailed), changing(path) as database:
            remove_fresh_tables(database)
