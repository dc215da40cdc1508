"""Rows that a connector read itself, handed to the run's session as a Parquet file."""

import duckdb

from etlml.compute.names import literal
from etlml.compute.relation import Relation
from etlml.compute.session import sync_file, sync_folder
from etlml.connectors.base import Reading
from etlml.connectors.stopping import refuse_cancelled


def written_out(connection: duckdb.DuckDBPyConnection, query: str, reading: Reading) -> Relation:
    """Write a query's rows to the source's own file in the run's folder, whole or not at all, and attach it."""
    target = reading.own_file(".parquet")
    partial = target.with_name(f".{target.name}.partial")
    try:
        connection.execute(f"COPY ({query}) TO {literal(str(partial))} (FORMAT parquet)")
        refuse_cancelled(reading.cancelled)
        sync_file(partial)
        partial.replace(target)
        sync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return reading.session.attach(reading.name, target)
