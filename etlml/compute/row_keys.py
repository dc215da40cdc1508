"""Which columns tell the rows of two relations apart: asked of DuckDB, with few scans."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import duckdb

from etlml.compute.names import quoted, quoted_list
from etlml.errors import InvalidInput

_NO_KEYS = ("FLOAT", "DOUBLE", "BOOLEAN", "BLOB", "STRUCT", "MAP", "UNION")
_WHOLE = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
)
_NUMBERS = (*_WHOLE, "FLOAT", "DOUBLE", "DECIMAL")
_ROWS = "__etlml_rows"
_LIKELY_NAMES = ("id", "key", "uuid", "guid")
_NEAR = 0.85  # the count of distinct values is estimated first; it may be this far below the truth
_MOST_PAIRS = 6


@dataclass(frozen=True)
class Sides:
    """The columns of the relations ``a`` (before) and ``b`` (after), as name to DuckDB type, in their order."""

    before: dict[str, str]
    after: dict[str, str]

    @property
    def common(self) -> list[str]:
        """The columns that both have."""
        return [column for column in self.before if column in self.after]

    def values(self, keys: Sequence[str]) -> list[str]:
        """The common columns that are compared."""
        return [column for column in self.common if column not in keys]

    def shown(self, keys: Sequence[str]) -> list[str]:
        """Every column of either side but the keys; the compared ones first."""
        rest = [column for column in [*self.before, *self.after] if column not in self.common]
        return [*self.values(keys), *dict.fromkeys(rest)]

    def comparable(self, column: str) -> tuple[str, str]:
        """A common column of both sides as SQL that can be compared: as text where the types have nothing in common."""
        left, right = f"a.{quoted(column)}", f"b.{quoted(column)}"
        before, after = self.before[column], self.after[column]
        if before == after or (_is_number(before) and _is_number(after)):
            return left, right
        if _is_time(before) and _is_time(after):
            return left, right
        return f"{left}::VARCHAR", f"{right}::VARCHAR"


def check_keys(connection: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> None:
    """See that the keys tell the rows of both sides apart.

    Raises:
        InvalidInput: They do not; with how many keys stand more than once, and an example.
    """
    for name, which in (("a", "earlier"), ("b", "later")):
        columns = quoted_list(list(keys))
        example = f"[{', '.join(f'{quoted(key)}::VARCHAR' for key in keys)}]"
        groups = f"SELECT {columns}, count(*) AS {_ROWS} FROM {name} GROUP BY {columns} HAVING count(*) > 1"
        found = connection.execute(
            f"SELECT count(*), sum({_ROWS}), arg_max({example}, {_ROWS}), max({_ROWS}) FROM ({groups})"
        ).fetchone()
        if found and found[0]:
            raise _not_unique(keys, which, found)


def _not_unique(keys: Sequence[str], which: str, found: tuple[Any, ...]) -> InvalidInput:
    repeated, rows, example, times = found
    shown = ", ".join(
        f"{key} = {'missing' if value is None else value}" for key, value in zip(keys, example, strict=True)
    )
    columns = "Column" if len(keys) == 1 else "Columns"
    names = ", ".join(repr(key) for key in keys)
    return InvalidInput(
        f"{columns} {names} cannot tell the rows of the {which} result apart: {repeated:,} "
        f"{'value stands' if repeated == 1 else 'values stand'} in {int(rows):,} rows, e.g. {shown} in {times:,}. "
        "Choose other keys, or add one more column.",
        keys=list(keys),
        repeated=int(repeated),
        rows=int(rows),
    )


def guessed_keys(connection: duckdb.DuckDBPyConnection, sides: Sides) -> list[str]:
    """One column, else a pair, that is unique and never missing on both sides; empty if a few tries found none."""
    likely = [
        column for column in sides.common if _may_be_key(sides.before[column]) and _may_be_key(sides.after[column])
    ]
    if not likely:
        return []
    figures = [_figures(connection, name, likely) for name in ("a", "b")]
    if any(not total for total, _ in figures):
        return likely[:1]  # a side without rows: any column tells them apart
    shares = {
        column: min(distinct[column] / total for total, distinct in figures)
        for column in likely
        if all(column in distinct for _, distinct in figures)
    }
    for keys in _tries(shares, [total for total, _ in figures]):
        if all(_are_unique(connection, name, keys) for name in ("a", "b")):
            return keys
    return []


def _tries(shares: dict[str, float], totals: Sequence[int]) -> Iterator[list[str]]:
    """Columns that are nearly all distinct by the estimate, ids first; then pairs whose product is large enough."""
    single = sorted((column for column in shares if shares[column] >= _NEAR), key=lambda column: not _named_key(column))
    yield from ([column] for column in single)
    best = sorted(shares, key=lambda column: -shares[column])[:5]
    most = max(totals)
    pairs = [pair for pair in combinations(best, 2) if shares[pair[0]] * shares[pair[1]] * most >= _NEAR]
    yield from (sorted(pair, key=list(shares).index) for pair in pairs[:_MOST_PAIRS])


def _figures(connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str]) -> tuple[int, dict[str, int]]:
    """How many rows there are, and about how many distinct values in each column that is never missing."""
    asked = ", ".join(f"approx_count_distinct({quoted(column)}), count({quoted(column)})" for column in columns)
    found = connection.execute(f"SELECT count(*), {asked} FROM {name}").fetchone() or (0,)
    total = int(found[0])
    pairs = zip(columns, found[1::2], found[2::2], strict=True)
    return total, {column: int(distinct) for column, distinct, present in pairs if present == total}


def _are_unique(connection: duckdb.DuckDBPyConnection, name: str, keys: Sequence[str]) -> bool:
    columns = quoted_list(list(keys))
    return not connection.execute(f"SELECT 1 FROM {name} GROUP BY {columns} HAVING count(*) > 1 LIMIT 1").fetchall()


def _named_key(column: str) -> bool:
    words = column.lower().replace("-", "_").split("_")
    return words[-1] in _LIKELY_NAMES or column.lower().endswith("id")


def _may_be_key(type_: str) -> bool:
    return not type_.startswith(_NO_KEYS) and not type_.endswith("]")


def _is_number(type_: str) -> bool:
    return type_.startswith(_NUMBERS)


def _is_time(type_: str) -> bool:
    return type_.startswith(("TIMESTAMP", "DATE"))
