"""Tables of connections, as Parquet files."""

from pathlib import Path

from etlml.compute.session import Session
from etlml.connectors.base import Reading, Source
from etlml.connectors.duckdb_source import DuckdbSource
from etlml.connectors.sqlite_source import SqliteSource
from etlml.documents import Connection
from etlml.errors import ConfigInvalid, DataUnreadable

MEMORY_BYTES = 2**30


def table_source(connection: Connection, table: str) -> Source:
    """The source that reads one table of a connection.

    Raises:
        ConfigInvalid: The connection is of a kind that has no tables, or names no path.
    """
    path = str(connection.config.get("path") or "")
    if connection.kind not in ("sqlite", "duckdb"):
        raise ConfigInvalid(
            f"Connection {connection.name!r} is of kind {connection.kind}, which has no tables. Use one of sqlite or duckdb.",
            field="connection",
        )
    if not path:
        raise ConfigInvalid(f"Connection {connection.name!r} names no path. Give it one.", field="config.path")
    return SqliteSource(path=path, table=table) if connection.kind == "sqlite" else DuckdbSource(path=path, table=table)


def read_table(source: Source, folder: Path, data_dir: Path) -> Path:
    """A table's rows in a Parquet file in ``folder``."""
    with Session(folder, memory_bytes=MEMORY_BYTES, width=1) as session:
        reading = Reading(
            name="data",
            folder=folder,
            data_dir=data_dir,
            session=session,
            memory_bytes=MEMORY_BYTES,
            cancelled=lambda: False,
            log=lambda _level, _message: None,
        )
        relation = source.read(reading)
        if relation.is_lazy:
            relation = session.materialise(relation, folder / "data.parquet")
    if relation.path is None:
        raise DataUnreadable("The table gave no rows that can be read.")
    return relation.path
