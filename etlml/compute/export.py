"""Parquet files in other formats, streamed by DuckDB."""

from pathlib import Path

import duckdb

from etlml.compute.duck import open_database
from etlml.compute.names import literal
from etlml.compute.scratch import scratch
from etlml.compute.translate import translated

_MEMORY = 512 * 2**20


def write_csv(source: Path, target: Path) -> None:
    """Write all rows of a Parquet file as CSV with a header, in their order.

    Raises:
        DataUnreadable: The file cannot be read.
    """
    with scratch("export") as spill:
        connection = open_database(memory_bytes=_MEMORY, temp_dir=spill)
        try:
            connection.execute(
                f"COPY (FROM read_parquet({literal(str(source))})) TO {literal(str(target))} (FORMAT csv, HEADER)"
            )
        except duckdb.Error as error:
            raise translated(error) from error
        finally:
            connection.close()
