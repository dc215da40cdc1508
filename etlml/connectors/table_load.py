"""What a load does to a table of an attached DuckDB database.

The marker of the load is written in the transaction of its rows, so that both are there or neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from etlml.clock import utc_now
from etlml.compute.names import literal, quoted
from etlml.compute.schema import Schema
from etlml.connectors.columns import matched, refuse_bad_keys, refuse_lossy, selection

MARKERS = "_etlml_loads"
MARKER_COLUMNS = 'load_id VARCHAR PRIMARY KEY, "target" VARCHAR, "rows" BIGINT, loaded_at VARCHAR'
DATABASE = "sink"
INCOMING = "incoming"


@dataclass(frozen=True)
class Table:
    """A table of the attached database.

    Attributes:
        name: As SQL, qualified and quoted.
        place: For messages.
        schema: Its columns; None if it does not exist.
    """

    name: str
    place: str
    schema: Schema | None


def make_markers(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table of loads."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS {DATABASE}.{MARKERS} ({MARKER_COLUMNS})")


def rows_of(connection: duckdb.DuckDBPyConnection, load_id: str, table: Table) -> int | None:
    """How many rows a load brought; None if it is not in the database, or its table was removed since."""
    if table.schema is None:
        return None
    found = connection.execute(f"SELECT rows FROM {DATABASE}.{MARKERS} WHERE load_id = {literal(load_id)}").fetchall()
    return int(found[0][0]) if found else None


def mark(connection: duckdb.DuckDBPyConnection, load_id: str, table: str, rows: int) -> None:
    """Note the load, in the transaction that brings its rows."""
    connection.execute(f"DELETE FROM {DATABASE}.{MARKERS} WHERE load_id = {literal(load_id)}")
    values = ", ".join(literal(value) for value in (load_id, table, rows, utc_now().isoformat()))
    connection.execute(f"INSERT INTO {DATABASE}.{MARKERS} VALUES ({values})")


def take_rows(connection: duckdb.DuckDBPyConnection, source: str, keys: Sequence[str]) -> int:
    """Bind the incoming rows as a view and count them; with keys, refuse rows that a merge cannot place."""
    connection.execute(f"CREATE TEMP VIEW {INCOMING} AS {source}")
    if keys:
        refuse_bad_keys(connection, INCOMING, keys)
    return int(connection.execute(f"SELECT count(*) FROM {INCOMING}").fetchall()[0][0])


def insert(connection: duckdb.DuckDBPyConnection, incoming: Schema, table: Table, *, keys: Sequence[str] = ()) -> None:
    """Insert the incoming rows into a table that exists; with keys, rows that have the same ones go first.

    Raises:
        LoadFailed: The columns do not match, or a value would lose something.
    """
    pairs = matched(incoming, table.schema or Schema(()), table.place)
    refuse_lossy(connection, INCOMING, pairs, table.place)
    new = f"SELECT {selection(pairs)} FROM {INCOMING}"
    if keys:
        same = " AND ".join(f"held.{quoted(key)} = fresh.{quoted(key)}" for key in keys)
        connection.execute(f"DELETE FROM {table.name} AS held USING ({new}) AS fresh WHERE {same}")
    names = ", ".join(quoted(pair.held.name) for pair in pairs)
    connection.execute(f"INSERT INTO {table.name} ({names}) {new}")
