"""A column's values in the three forms that preparation works on: numbers, texts as codes, and times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Kind = Literal["number", "boolean", "text", "datetime"]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Numbers:
    """Numbers, booleans as 0 and 1, durations in seconds; missing and infinite ones are NaN."""

    data: Floats

    def take(self, indices: Indices) -> "Numbers":
        return Numbers(self.data[indices])


@dataclass(frozen=True)
class Texts:
    """Texts as codes into ``values``; -1 is missing. ``values`` may hold ones that no row has."""

    codes: NDArray[np.int32]
    values: list[str]

    def take(self, indices: Indices) -> "Texts":
        return Texts(self.codes[indices], self.values)


@dataclass(frozen=True)
class Times:
    """Points in time, UTC, in microseconds; missing ones are NaT."""

    data: NDArray[np.datetime64]

    def take(self, indices: Indices) -> "Times":
        return Times(self.data[indices])


Values = Numbers | Texts | Times
Frame = Mapping[str, Values]


def kind_of(type_: Any) -> Kind | None:
    """What an Arrow type is for a model; None if a model can't use it (lists, structs, blobs)."""
    types = pa.types
    if types.is_dictionary(type_):
        return kind_of(type_.value_type)
    if types.is_boolean(type_):
        return "boolean"
    if types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_):
        return "number"
    if types.is_duration(type_) or types.is_time(type_):
        return "number"
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "text"
    return "datetime" if types.is_timestamp(type_) or types.is_date(type_) else None


def values_of(column: Any) -> Values:
    """The values of an Arrow array or chunked array of a kind that a model can use."""
    kind = kind_of(column.type)
    if kind == "text":
        return _texts(column)
    if kind == "datetime":
        return Times(_numpy(column.cast(pa.timestamp("us"), safe=False)))
    return Numbers(_floats(column))


def has_missing(values: Values) -> bool:
    """Whether any row has no value."""
    return bool(missing(values).any())


def missing(values: Values) -> NDArray[np.bool_]:
    """Which rows have no value."""
    if isinstance(values, Texts):
        return values.codes < 0
    return np.isnat(values.data) if isinstance(values, Times) else np.isnan(values.data)


def is_constant(values: Values) -> bool:
    """Whether all rows that have a value have the same one."""
    present = values.take(np.flatnonzero(~missing(values)))
    data = present.codes if isinstance(present, Texts) else present.data
    return data.size == 0 or bool((data == data[0]).all())


def _texts(column: Any) -> Texts:
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = _numpy(pc.fill_null(encoded.indices.cast(pa.int32()), -1)).astype(np.int32, copy=False)
    return Texts(codes, encoded.dictionary.cast(pa.string()).to_pylist())


def _floats(column: Any) -> Floats:
    if pa.types.is_duration(column.type) or pa.types.is_time(column.type):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
        whole = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64()).cast(pa.float64(), safe=False)
        return np.asarray(_numpy(whole), dtype=np.float64) / per_second
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    data = np.array(_numpy(column.cast(pa.float64(), safe=False)), dtype=np.float64)
    data[np.isinf(data)] = np.nan
    return data


def _numpy(column: Any) -> Any:
    return column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False)
