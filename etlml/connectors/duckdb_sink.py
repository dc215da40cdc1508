"""DuckDB tables as sinks: one transaction a load, with its marker in it."""

from pathlib import Path
from typing import Literal

import duckdb
from pydantic import Field

from etlml.compute.names import literal, quoted
from etlml.compute.schema import Schema
from etlml.connectors import duckdb_files
from etlml.connectors.base import Mode, Sink, Writing, Written
from etlml.connectors.guards import alone_in_process
from etlml.connectors.locks import alone, failures
from etlml.connectors.places import located, refuse_own_folders
from etlml.connectors.stopping import refuse_cancelled
from etlml.connectors.table_load import DATABASE, INCOMING, Table, insert, make_markers, mark, rows_of, take_rows
from etlml.errors import DataUnreadable, LoadFailed


class DuckdbSink(Sink):
    """A table of a DuckDB database; both are made if they are not there.

    Overwriting keeps a table's indexes and constraints while its columns stay the same; else it makes the table anew
    and the indexes again whose columns are still there.
    """

    kind: Literal["duckdb"] = "duckdb"
    path: str = Field(min_length=1, description="The database file. Relative paths start at ETLML_HOME/data.")
    table: str = Field(min_length=1, description="The table, or schema.table.")

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
                    path.unlink(missing_ok=True)
                    path.with_name(path.name + ".wal").unlink(missing_ok=True)
                raise
            return Written(written.rows, place, path.stat().st_size, written.already_there, written.warnings)

    def _load(self, path: Path, place: str, writing: Writing) -> Written:
        if path.exists():
            _refuse_other_file(path)
        with writing.database() as connection:
            duckdb_files.attach(connection, path, DATABASE, writing.cancelled, read_only=False)
            connection.execute("BEGIN")
            make_markers(connection)
            schema, name = self._names()
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {DATABASE}.{quoted(schema)}")
            table = _table(connection, schema, name, place)
            if (rows := rows_of(connection, writing.load_id, table)) is not None:
                return Written(rows, place, already_there=True)
            source = f"SELECT * FROM read_parquet({literal(str(writing.checkpoint))})"
            rows = take_rows(connection, source, writing.keys if writing.mode == "merge" else ())
            warnings = _fill(connection, table, schema, name, writing)
            mark(connection, writing.load_id, self.table, rows)
            refuse_cancelled(writing.cancelled)
            connection.execute("COMMIT")
            connection.execute(f"DETACH {DATABASE}")
            return Written(rows, place, warnings=warnings)

    def _names(self) -> tuple[str, str]:
        schema, dot, name = self.table.partition(".")
        return (schema, name) if dot else ("main", self.table)


def _fill(
    connection: duckdb.DuckDBPyConnection, table: Table, schema: str, name: str, writing: Writing
) -> tuple[str, ...]:
    incoming = writing.relation.schema
    if table.schema is None:
        connection.execute(f"CREATE TABLE {table.name} AS SELECT * FROM {INCOMING}")
        return ()
    if writing.mode != "overwrite":
        insert(connection, incoming, table, keys=writing.keys if writing.mode == "merge" else ())
        return ()
    where = f"database_name = {literal(DATABASE)} AND schema_name = {literal(schema)} AND table_name = {literal(name)}"
    indexes = [str(row[0]) for row in connection.execute(f"SELECT sql FROM duckdb_indexes() WHERE {where}").fetchall()]
    constraints = connection.execute(f"SELECT count(*) FROM duckdb_constraints() WHERE {where}").fetchall()[0][0]
    if (indexes or constraints) and _same_columns(incoming, table.schema):
        connection.execute(f"TRUNCATE {table.name}")
        insert(connection, incoming, table)
        return ()
    connection.execute(f"CREATE OR REPLACE TABLE {table.name} AS SELECT * FROM {INCOMING}")
    lost = [sql for sql in indexes if not _made_again(connection, sql, schema)]
    warnings = [f"An index was lost, since its columns are gone: {sql}" for sql in lost]
    return (*warnings, *(["The table's constraints were lost, since its columns changed."] if constraints else []))


def _made_again(connection: duckdb.DuckDBPyConnection, sql: str, schema: str) -> bool:
    columns = sql[sql.rindex("(") + 1 : sql.rindex(")")]
    try:
        connection.execute(
            f"EXPLAIN SELECT {columns} FROM {INCOMING}"
        )  # in a transaction a failed statement would be the end
    except duckdb.BinderException:
        return False
    connection.execute(f"USE {DATABASE}.{quoted(schema)}")
    connection.execute(sql)
    connection.execute("USE memory.main")
    return True


def _same_columns(incoming: Schema, held: Schema) -> bool:
    return {(column.name.lower(), column.type) for column in incoming} == {
        (column.name.lower(), column.type) for column in held
    }


def _table(connection: duckdb.DuckDBPyConnection, schema: str, name: str, place: str) -> Table:
    full = f"{DATABASE}.{quoted(schema)}.{quoted(name)}"
    where = f"database_name = {literal(DATABASE)} AND schema_name = {literal(schema)}"
    if connection.execute(
        f"SELECT 1 FROM duckdb_views() WHERE {where} AND lower(view_name) = lower({literal(name)})"
    ).fetchall():
        raise LoadFailed(f"The rows cannot be written to {place}: it is a view. Choose the name of a table.")
    found = connection.execute(
        f"SELECT column_name, data_type FROM duckdb_columns() WHERE {where} "
        f"AND lower(table_name) = lower({literal(name)}) ORDER BY column_index"
    ).fetchall()
    return Table(full, place, Schema.of([(str(row[0]), str(row[1])) for row in found]) if found else None)


def _refuse_other_file(path: Path) -> None:
    try:
        duckdb_files.refuse_other_file(path)
    except DataUnreadable as error:
        raise LoadFailed(error.message, path=str(path)) from None
