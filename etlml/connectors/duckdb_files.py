"""DuckDB files: attached with patience, looked into, and refused with a reason."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from etlml.compute.names import literal
from etlml.compute.schema import Schema
from etlml.compute.sql import checked_query
from etlml.connectors.places import refuse_unusable
from etlml.connectors.stopping import TICK_S, refuse_cancelled
from etlml.errors import DataUnreadable, Unavailable, did_you_mean

BUSY_S = 30.0
_HOLDER = re.compile(r"PID (\d+)")


def refuse_other_file(path: Path) -> None:
    """Refuse a file that is missing, empty or no DuckDB database."""
    if not path.is_file():
        near = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataUnreadable(
            f"There is no file {path}. {did_you_mean(path.name, near) if near else 'Correct the path.'}", path=str(path)
        )
    refuse_unusable(path)
    with path.open("rb") as file:
        if file.read(12)[8:] != b"DUCK":
            raise DataUnreadable(
                f"The file {path} is not a DuckDB database. Correct the path or the kind.", path=str(path)
            )


def attach(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    cancelled: Callable[[], bool],
    *,
    read_only: bool,
    busy_s: float | None = None,
) -> None:
    """Attach a database; while another program has it open for writing, wait.

    Raises:
        Unavailable: It is still open elsewhere after ``busy_s`` (BUSY_S unless given).
    """
    busy_s = BUSY_S if busy_s is None else busy_s
    give_up = time.monotonic() + busy_s
    while True:
        try:
            connection.execute(
                f"ATTACH {literal(str(path))} AS {name} (TYPE duckdb{', READ_ONLY' if read_only else ''})"
            )
            return
        except (duckdb.IOException, duckdb.BinderException) as error:
            if "lock" not in str(error) and "Unique file handle" not in str(error):
                raise
            if time.monotonic() >= give_up:
                raise _busy(path, str(error), busy_s) from None
        refuse_cancelled(cancelled)
        time.sleep(TICK_S)


def table_names(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    """(schema, name) of every table and view in an attached database."""
    tables = f"SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = {literal(database)}"
    views = (
        f"SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = {literal(database)} AND NOT internal"
    )
    return [
        (str(row[0]), str(row[1])) for row in connection.execute(f"{tables} UNION ALL {views} ORDER BY ALL").fetchall()
    ]


def found_table(name: str, present: list[tuple[str, str]], path: Path) -> tuple[str, str]:
    """(schema, name) of the table that ``name`` or ``schema.name`` means.

    Raises:
        DataUnreadable: There is none; the message names the nearest.
    """
    for schema, table in present:
        if name.lower() == f"{schema}.{table}".lower() or (schema == "main" and name.lower() == table.lower()):
            return schema, table
    known = [
        table if schema == "main" else f"{schema}.{table}"
        for schema, table in present
        if not table.startswith("_etlml")
    ]
    raise DataUnreadable(
        f"The database {path} has no table {name!r}. {did_you_mean(name, known)}", path=str(path), table=name
    )


def check_query(query: str, present: list[tuple[str, str]]) -> None:
    """Refuse a query that is not one SELECT over the database's tables."""
    schemas: dict[str, Schema | None] = {table: None for schema, table in present if schema == "main"}
    checked_query(query, schemas)


def _busy(path: Path, text: str, busy_s: float) -> Unavailable:
    holder = f" (process {found[1]})" if (found := _HOLDER.search(text)) else ""
    return Unavailable(
        f"The database {path} is open for writing in another program{holder}, for more than {busy_s:g} s. "
        "Close it there, then run again."
    )
