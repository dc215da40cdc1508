"""DuckDB: a table or view by name, or a query over the database's tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import duckdb
from pydantic import Field, model_validator

from etlml.compute.names import literal, quoted
from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.compute.translate import translated
from etlml.connectors import duckdb_files
from etlml.connectors.base import Reading, Source
from etlml.connectors.guards import alone_in_process
from etlml.connectors.places import located
from etlml.connectors.tables import written_out


class DuckdbSource(Source):
    """Rows of a DuckDB database."""

    kind: Literal["duckdb"] = "duckdb"
    path: str = Field(
        min_length=1,
        description="The database file. Relative paths start at ETLML_HOME/data.",
        json_schema_extra={"picks": "duckdb"},
    )
    table: str | None = Field(
        None,
        min_length=1,
        description="A table or view, or schema.table; either this or query.",
        json_schema_extra={"picks": "table"},
    )
    query: str | None = Field(
        None, min_length=1, description="One SELECT over the database's tables; either this or table."
    )

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        return self

    def check(self, data_dir: Path) -> Schema | None:
        """A DuckDB file is opened only in a run: looking into it would keep its writers out."""
        return None

    def paths(self, data_dir: Path) -> Sequence[Path]:
        path = located(self.path, data_dir)
        return [each for each in (path, path.with_name(path.name + ".wal")) if each.is_file()]

    def read(self, reading: Reading) -> Relation:
        path = located(self.path, reading.data_dir)
        duckdb_files.refuse_other_file(path)
        with (
            alone_in_process(path, reading.cancelled),
            reading.database() as connection,
        ):
            duckdb_files.attach(connection, path, "source", reading.cancelled, read_only=True)
            try:
                return written_out(connection, self._select(connection, path, reading), reading)
            except duckdb.InterruptException:
                raise
            except duckdb.Error as error:
                raise translated(error) from error

    def _select(self, connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> str:
        present = duckdb_files.table_names(connection, "source")
        if self.table is not None:
            name = duckdb_files.found_table(self.table, present, path)
            return f"SELECT * FROM source.{quoted(name[0])}.{quoted(name[1])}"
        query = str(self.query).strip().rstrip(";")
        duckdb_files.check_query(query, present)
        connection.execute("USE source")
        # From here on the user's SQL runs: it may reach the database and the run's folder, and nothing else.
        connection.execute(f"SET allowed_directories = [{literal(str(reading.folder) + '/')}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return query
