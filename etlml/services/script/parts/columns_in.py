"""Columns of an Arrow table as numbers, texts and times, and which of them a model learns from."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etlml.services.script.parts.tables import Failed

IDENTIFYING = re.compile(r"(?i)^(row_?)?(id|uuid|guid|key|index|nr)$|[_ -](id|uuid|guid|key)$|^unnamed: ?\d+$")


class Values(NamedTuple):
    """A column's values: numbers (gaps NaN), times (gaps NaT), or texts as codes into ``texts`` (gaps -1)."""

    kind: str
    data: Any
    texts: list[str]

    def take(self, rows: Any) -> "Values":
        return Values(self.kind, self.data[rows], self.texts)

    @property
    def missing(self) -> Any:
        if self.kind == "text":
            return self.data < 0
        return np.isnat(self.data) if self.kind == "time" else np.isnan(self.data)


def kind_of(type_: Any) -> str | None:
    """What an Arrow type is for a model; None if a model can't use it."""
    types = pa.types
    if types.is_dictionary(type_):
        return kind_of(type_.value_type)
    if types.is_boolean(type_):
        return "boolean"
    numbers = (types.is_integer, types.is_floating, types.is_decimal, types.is_duration, types.is_time)
    if any(test(type_) for test in numbers):
        return "number"
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "text"
    return "time" if types.is_timestamp(type_) or types.is_date(type_) else None


def values_of(column: Any) -> Values:
    """The values of an Arrow column."""
    kind = str(kind_of(column.type))
    if kind == "text":
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        encoded = encoded.unify_dictionaries().combine_chunks()
        codes = pc.fill_null(encoded.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
        return Values(kind, codes.astype(np.int32, copy=False), encoded.dictionary.cast(pa.string()).to_pylist())
    if kind == "time":
        return Values(kind, column.cast(pa.timestamp("us"), safe=False).to_numpy(), [])
    if pa.types.is_duration(column.type) or pa.types.is_time(column.type):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
        whole = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())
        return Values(
            "number", np.asarray(whole.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64) / per_second, []
        )
    if kind == "boolean":
        column = column.cast(pa.int8())
    data = np.array(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    data[np.isinf(data)] = np.nan
    return Values("number", data, [])


def features_of(table: Any, named: Sequence[str] | None, target: str | None) -> dict[str, Values]:
    """The columns to learn from: those that were named, or all that can tell something."""
    chosen: dict[str, Values] = {}
    for name in dict.fromkeys(named or table.column_names):
        if name == target:
            continue
        type_ = table.schema.field(name).type
        if kind_of(type_) is None:
            print(f"  {name} is left out: a model cannot use values of type {type_}")
            continue
        values = values_of(table.column(name))
        reason = useless(values) or (None if named else identifying(name, values, type_))
        if reason:
            print(f"  {name} is left out: {reason}")
        else:
            chosen[name] = values
    if not chosen:
        raise Failed("No column is left to learn from.")
    return chosen


def useless(values: Values) -> str | None:
    """Why a column can tell nothing, or None."""
    missing = values.missing
    if missing.all():
        return "it has no values"
    return "it has the same value in every row" if not missing.any() and (values.data == values.data[0]).all() else None


def identifying(name: str, values: Values, type_: Any) -> str | None:
    """Why a column looks like the rows' name, or None."""
    present = values.data[~values.missing]
    distinct = np.unique(present).size
    if values.kind == "text":
        return (
            "nearly every row has a text of its own" if len(present) >= 50 and distinct > 0.9 * len(present) else None
        )
    if pa.types.is_integer(type_) and IDENTIFYING.search(name) and distinct > 0.9 * len(present):
        return "nearly every row has a number of its own"
    return None


def target_of(table: Any, name: str, task: str) -> tuple[Any, Any, list[Any]]:
    """The rows that have a target, its values (quantities, or class numbers) and the classes."""
    column = table.column(name)
    values = values_of(column)
    rows = np.flatnonzero(~values.missing)
    if len(rows) < 10:
        raise Failed(f"{len(rows)} rows with a target are too few to train on.")
    present = values.take(rows)
    if (present.data == present.data[0]).all():
        raise Failed(f"The target {name!r} has the same value in every row.")
    if task == "regression":
        if present.kind != "number":
            raise Failed(f"The target {name!r} holds no numbers.")
        return rows, present.data, []
    distinct, codes = np.unique(present.data, return_inverse=True)
    if present.kind == "text":
        labels: list[Any] = [present.texts[code] for code in distinct]
    elif present.kind == "time":
        labels = [str(moment) for moment in distinct]
    elif pa.types.is_boolean(column.type):
        labels = [bool(value) for value in distinct]
    else:
        is_exact = not np.issubdtype(np.asarray(column.type.to_pandas_dtype()).dtype, np.inexact)
        is_whole = is_exact and not (present.data % 1 != 0).any()
        labels = [int(value) if is_whole or value % 1 == 0 else float(value) for value in distinct]
    order = np.argsort(np.array(labels)) if present.kind == "text" else np.arange(len(labels))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return rows, place[codes.reshape(-1)], [labels[index] for index in order]
