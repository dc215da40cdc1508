"""What a step gives: a relation, lazy (a query) or materialised (a Parquet checkpoint)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from etlml.compute.schema import Schema

RowEffect = Literal[
    "source", "same", "filter", "join", "group", "distinct", "limit", "sample", "unnest", "union", "other"
]
"""What one op does to the number of rows; it tells the runner which operator of the plan counts them."""


@dataclass(frozen=True)
class Relation:
    """A named view in the run's DuckDB session.

    Attributes:
        name: The view's name, unquoted.
        schema: Its columns.
        path: The Parquet file behind it, or None while it is lazy.
        rows: Its number of rows, or None while nobody has counted them.
        effects: For a lazy one: what its ops do to the number of rows of its first input, in order.
        source_files: For a lazy one that reads a file itself: the files that it scans.
    """

    name: str
    schema: Schema
    path: Path | None = None
    rows: int | None = None
    effects: tuple[RowEffect, ...] = ()
    source_files: tuple[Path, ...] = ()

    @property
    def is_lazy(self) -> bool:
        return self.path is None


@dataclass(frozen=True)
class Query:
    """A SELECT that is not yet a view, with its columns where they are known before DuckDB binds it."""

    sql: str
    effects: tuple[RowEffect, ...] = ("other",)
    source_files: tuple[Path, ...] = ()
