"""Rows written in the pipeline itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.connectors.base import Reading, Source
from etlml.connectors.sniffing import sniffer
from etlml.connectors.tables import kept_table
from etlml.errors import ConfigInvalid


class InlineSource(Source):
    """A few rows, each a mapping of column to value; a column that a row leaves out is missing there."""

    kind: Literal["inline"] = "inline"
    rows: list[dict[str, Any]] = Field(min_length=1, max_length=100_000)

    def check(self, data_dir: Path) -> Schema | None:
        """The columns, with the types of their values."""
        with sniffer() as cursor:
            cursor.register("inline_rows", self._table())
            try:
                described = cursor.execute("DESCRIBE SELECT * FROM inline_rows").fetchall()
            finally:
                cursor.unregister("inline_rows")
        return Schema.of([(str(row[0]), str(row[1])) for row in described])

    def paths(self, data_dir: Path) -> Sequence[Path]:
        return ()

    def fingerprint(self, data_dir: Path) -> str | None:
        return ""  # the rows are in the configuration, which counts anyway

    def read(self, reading: Reading) -> Relation:
        return kept_table(self._table(), reading)

    def _table(self) -> pa.Table:
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        if not names:
            raise ConfigInvalid("The rows have no columns. Write each as {column: value}.", field="source.rows")
        return pa.table({name: self._column(name) for name in names})

    def _column(self, name: str) -> pa.Array:
        values = [row.get(name) for row in self.rows]
        try:
            array = pa.array(values)
        except (pa.ArrowException, OverflowError) as error:
            raise ConfigInvalid(
                f"The column {name!r} of the inline rows mixes types: {error}. Give all its values one type.",
                field="source.rows",
            ) from None
        return array.cast(pa.string()) if pa.types.is_null(array.type) else array
