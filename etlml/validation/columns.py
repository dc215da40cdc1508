"""Columns of plain Python values as a relation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etlml.compute.names import literal, quoted
from etlml.compute.relation import Query, Relation
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.errors import ConfigInvalid

_SHOWN = 60


def written_columns(
    data: Mapping[str, Sequence[Any]], folder: Path, session: Session, *, name: str = "data"
) -> Relation:
    """Columns ``{"column": [values]}`` as a relation; a column without any value has no type, so it fits every rule.

    Raises:
        ConfigInvalid: There are no columns, two have one name, their lengths differ, or one holds values of several kinds.
    """
    _check_shape(data)
    arrays = {column: _array(column, values) for column, values in data.items()}
    empty = [column for column, array in arrays.items() if pa.types.is_null(array.type)]
    path = folder / f"{name}.parquet"
    pq.write_table(
        pa.table({column: array.cast(pa.int32()) if column in empty else array for column, array in arrays.items()}),
        path,
    )
    if not empty:
        return session.attach(name, path)
    nothing = ", ".join(f"NULL AS {quoted(column)}" for column in empty)
    relation = session.define(name, Query(f"SELECT * REPLACE ({nothing}) FROM read_parquet({literal(str(path))})"))
    columns = [(column.name, '"NULL"' if column.name in empty else column.type) for column in relation.schema]
    return replace(relation, schema=Schema.of(columns))


def _check_shape(data: Mapping[str, Sequence[Any]]) -> None:
    if not data:
        raise ConfigInvalid('The data have no columns. Give them as {"column": [values]}.', field="data")
    seen: dict[str, str] = {}
    for column, values in data.items():
        if not isinstance(column, str) or not column:
            raise ConfigInvalid(f"The data have a column called {column!r}. Give it a name.", field="data")
        if not isinstance(values, list | tuple):
            raise ConfigInvalid(
                f"Column {column!r} is no list. Give the data as {{'column': [values]}}.", field=f"data.{column}"
            )
        if column.lower() in seen:
            raise ConfigInvalid(
                f"Columns {seen[column.lower()]!r} and {column!r} differ in case only. Rename one.",
                field=f"data.{column}",
            )
        seen[column.lower()] = column
    lengths = {column: len(values) for column, values in data.items()}
    first, expected = next(iter(lengths.items()))
    for column, length in lengths.items():
        if length != expected:
            raise ConfigInvalid(
                f"Column {column!r} has {length:,} values, but {first!r} has {expected:,}. "
                "All columns need one value a row; write null where one is missing.",
                field=f"data.{column}",
            )


def _array(column: str, values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        raise ConfigInvalid(f"Column {column!r} {_mixed(values)}", field=f"data.{column}") from None


def _mixed(values: Sequence[Any]) -> str:
    given = [(row, value) for row, value in enumerate(values, start=1) if value is not None]
    row, first = given[0]
    for other_row, other in given:
        if type(other) is not type(first):
            kinds = (
                f"{_shown(first)} in row {row} is {_kind(first)}, {_shown(other)} in row {other_row} is {_kind(other)}"
            )
            return f"holds values of several kinds: {kinds}. Make them all one kind."
    return f"holds values that cannot be stored, such as {_shown(first)}. Send them as text."


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
