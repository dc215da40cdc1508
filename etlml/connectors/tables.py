"""Rows that a connector read itself, handed to the run's session as a Parquet file."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet

from etlml.compute.names import literal
from etlml.compute.relation import Relation
from etlml.compute.session import sync_file, sync_folder
from etlml.connectors.base import Reading
from etlml.connectors.stopping import refuse_cancelled


def written_out(connection: duckdb.DuckDBPyConnection, query: str, reading: Reading) -> Relation:
    """Write a query's rows to the source's own file in the run's folder, whole or not at all, and attach it."""

    def write(path: Path) -> None:
        connection.execute(f"COPY ({reading.shortened(query)}) TO {literal(str(path))} (FORMAT parquet)")
        refuse_cancelled(reading.cancelled)

    return _kept(write, reading)


def kept_table(table: pa.Table, reading: Reading) -> Relation:
    """The same for rows that are in memory."""
    return _kept(lambda path: parquet.write_table(table, path), reading)


def _kept(write: Callable[[Path], None], reading: Reading) -> Relation:
    target = reading.own_file(".parquet")
    partial = target.with_name(f".{target.name}.partial")
    try:
        write(partial)
        sync_file(partial)
        partial.replace(target)
        sync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return reading.session.attach(reading.name, target)
