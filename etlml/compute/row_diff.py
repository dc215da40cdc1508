"""How two Parquet files of the same kind of rows differ: rows matched by key, values compared column by column."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb

from etlml.compute.duck import open_database
from etlml.compute.names import literal, quoted
from etlml.compute.row_keys import Sides, check_keys, guessed_keys
from etlml.compute.scratch import scratch
from etlml.compute.translate import translated
from etlml.errors import ColumnMissing, InvalidInput

MEMORY = 2**30
FORMATS = ("csv", "parquet")
_HERE = "__etlml_here"  # tells the rows that a side has from those that it lacks

RowKind = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class ColumnDifference:
    """A column that only one side has, or whose type differs; a missing side is None."""

    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class RowDifference:
    """One row that differs: its key, and the values of both sides; a side without the row is None."""

    kind: RowKind
    key: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    columns: tuple[str, ...]
    """For a changed row, the columns that differ."""


@dataclass(frozen=True)
class RowDiff:
    """What differs between the rows of two files.

    Attributes:
        keys: The columns by which rows are matched; a missing value matches a missing value.
        columns: Those that only one side has, or with another type.
        changes: How many matched rows differ in each column that both sides have; columns without any are left out.
        rows: The first rows that differ, in the order of their keys.
    """

    keys: tuple[str, ...]
    rows_before: int
    rows_after: int
    added: int
    removed: int
    changed: int
    same: int
    columns: tuple[ColumnDifference, ...]
    changes: dict[str, int]
    rows: tuple[RowDifference, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs, neither rows nor columns."""
        return not (self.added or self.removed or self.changed or self.columns)


def diff_files(
    before: Path, after: Path, *, keys: Sequence[str] | None = None, limit: int = 100, memory_bytes: int = MEMORY
) -> RowDiff:
    """Compare two Parquet files.

    Args:
        before: The earlier file.
        after: The later one.
        keys: The columns that tell rows apart; left out, the first columns that do are taken.
        limit: At most so many differing rows are listed; the counts are of all.
        memory_bytes: What DuckDB may use; beyond it, it spills to disk.

    Raises:
        InvalidInput: The keys do not tell rows apart, or no columns were found that do.
        ColumnMissing: A key is missing in a file.
    """
    with _compared(before, after, keys, memory_bytes) as (connection, sides, chosen):
        return _summary(connection, sides, chosen, limit)


def write_diff(
    before: Path, after: Path, target: Path, *, keys: Sequence[str] | None = None, memory_bytes: int = MEMORY
) -> None:
    """Write every differing row to a CSV or Parquet file (by its ending): the kind, the key, each column before and after.

    Raises:
        InvalidInput: As ``diff_files``; or the ending is another.
    """
    form = target.suffix.lower().lstrip(".")
    if form not in FORMATS:
        raise InvalidInput(f"{target.name} must end in .csv or .parquet.")
    with _compared(before, after, keys, memory_bytes) as (connection, sides, chosen):
        wanted = [f"kind AS {quoted(_free('difference', sides))}", *_named(sides, chosen)]
        options = "FORMAT csv, HEADER" if form == "csv" else "FORMAT parquet, COMPRESSION zstd"
        order = ", ".join(f"k{at}" for at in range(len(chosen)))
        connection.execute(
            f"COPY (SELECT {', '.join(wanted)} FROM differing ORDER BY {order}) TO {literal(str(target))} ({options})"
        )


def suggested_keys(before: Path, after: Path, *, memory_bytes: int = MEMORY) -> list[str]:
    """The columns that both files have and that tell the rows of each apart; empty if a few tries found none."""
    with _opened(before, after, memory_bytes) as (connection, sides):
        return guessed_keys(connection, sides)


@contextmanager
def _opened(before: Path, after: Path, memory_bytes: int) -> Iterator[tuple[duckdb.DuckDBPyConnection, Sides]]:
    with scratch("diff") as spill:
        connection = open_database(memory_bytes=memory_bytes, temp_dir=spill)
        try:
            for name, path in (("a", before), ("b", after)):
                connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({literal(str(path))})")
            connection.execute("SET preserve_insertion_order = false")
            yield connection, Sides(_columns(connection, "a"), _columns(connection, "b"))
        except duckdb.Error as error:
            raise translated(error) from error
        finally:
            connection.close()


@contextmanager
def _compared(
    before: Path, after: Path, keys: Sequence[str] | None, memory_bytes: int
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Sides, list[str]]]:
    """A connection with the table ``differing``: kind, the keys k0.., and each common column before (b0..) and after (a0..)."""
    with _opened(before, after, memory_bytes) as (connection, sides):
        for key in keys or ():
            for columns, where in ((sides.before, "the earlier result"), (sides.after, "the later result")):
                if key not in columns:
                    raise ColumnMissing(key, columns, where=where)
        if keys:
            check_keys(connection, list(keys))
        chosen = list(keys) if keys else guessed_keys(connection, sides)
        if not chosen:
            raise InvalidInput(
                "No column, and no pair of columns, tells the rows of both results apart. "
                "Choose the key columns yourself, or add a step that makes the rows unique."
            )
        connection.execute(_differing(sides, chosen))
        yield connection, sides, chosen


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in connection.execute(f"DESCRIBE {name}").fetchall()}


def _differing(sides: Sides, keys: Sequence[str]) -> str:
    """One pass over both files: a full join on the keys that keeps the rows which differ, with the values of both."""
    same_key = " AND ".join(f"{left} IS NOT DISTINCT FROM {right}" for left, right in map(sides.comparable, keys))
    values = sides.values(keys)
    unlike = [f"{left} IS DISTINCT FROM {right}" for left, right in map(sides.comparable, values)]
    kept = [f"coalesce({left}, {right}) AS k{at}" for at, (left, right) in enumerate(map(sides.comparable, keys))]
    kept += [f"a.{quoted(column)} AS b{at}" for at, column in enumerate(sides.shown(keys)) if column in sides.before]
    kept += [f"b.{quoted(column)} AS a{at}" for at, column in enumerate(sides.shown(keys)) if column in sides.after]
    kept += [f"({test}) AS d{at}" for at, test in enumerate(unlike)]
    differs = " OR ".join([f"a.{_HERE} IS NULL", f"b.{_HERE} IS NULL", *unlike])
    kind = f"CASE WHEN a.{_HERE} IS NULL THEN 'added' WHEN b.{_HERE} IS NULL THEN 'removed' ELSE 'changed' END AS kind"
    left, right = (f"(SELECT *, TRUE AS {_HERE} FROM {name}) {name}" for name in ("a", "b"))
    return (
        f"CREATE TEMP TABLE differing AS SELECT {kind}, {', '.join(kept)} "
        f"FROM {left} FULL JOIN {right} ON {same_key} WHERE {differs}"
    )


def _summary(connection: duckdb.DuckDBPyConnection, sides: Sides, keys: Sequence[str], limit: int) -> RowDiff:
    values = sides.values(keys)
    counted = ["count(*)"] + [f"count(*) FILTER (d{at})" for at in range(len(values))]
    counts: dict[str, tuple[int, ...]] = {
        str(row[0]): row[1:]
        for row in connection.execute(f"SELECT kind, {', '.join(counted)} FROM differing GROUP BY kind").fetchall()
    }
    totals = [connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in ("a", "b")]
    before, after = (int(total[0]) if total else 0 for total in totals)
    added, removed, changed = (
        int(counts[kind][0]) if kind in counts else 0 for kind in ("added", "removed", "changed")
    )
    by_column = dict(zip(values, counts.get("changed", (0,))[1:], strict=False))
    return RowDiff(
        keys=tuple(keys),
        rows_before=before,
        rows_after=after,
        added=added,
        removed=removed,
        changed=changed,
        same=before - removed - changed,
        columns=tuple(_column_differences(sides)),
        changes={column: int(rows) for column, rows in by_column.items() if rows},
        rows=tuple(_first_rows(connection, sides, keys, limit)),
    )


def _first_rows(
    connection: duckdb.DuckDBPyConnection, sides: Sides, keys: Sequence[str], limit: int
) -> Iterator[RowDifference]:
    order = ", ".join(f"k{at}" for at in range(len(keys)))
    cursor = connection.execute(f"SELECT * FROM differing ORDER BY {order} LIMIT {limit}")
    names = [column[0] for column in cursor.description or ()]
    shown, values = sides.shown(keys), sides.values(keys)
    for found in cursor.fetchall():
        row = dict(zip(names, found, strict=True))
        kind: RowKind = row["kind"]
        yield RowDifference(
            kind=kind,
            key={key: row[f"k{at}"] for at, key in enumerate(keys)},
            before=None
            if kind == "added"
            else {column: row[f"b{at}"] for at, column in enumerate(shown) if column in sides.before},
            after=None
            if kind == "removed"
            else {column: row[f"a{at}"] for at, column in enumerate(shown) if column in sides.after},
            columns=tuple(column for at, column in enumerate(values) if row[f"d{at}"]) if kind == "changed" else (),
        )


def _column_differences(sides: Sides) -> Iterator[ColumnDifference]:
    for column in dict.fromkeys([*sides.before, *sides.after]):
        before, after = sides.before.get(column), sides.after.get(column)
        if before != after:
            yield ColumnDifference(column, before, after)


def _named(sides: Sides, keys: Sequence[str]) -> Iterator[str]:
    """The columns of an export: the keys, then each other column as ``x before`` and ``x after``."""
    for at, key in enumerate(keys):
        yield f"k{at} AS {quoted(key)}"
    for at, column in enumerate(sides.shown(keys)):
        if column in sides.before:
            yield f"b{at} AS {quoted(_free(f'{column} before', sides))}"
        if column in sides.after:
            yield f"a{at} AS {quoted(_free(f'{column} after', sides))}"


def _free(name: str, sides: Sides) -> str:
    """A name that no column has."""
    while name in sides.before or name in sides.after:
        name += "_"
    return name
