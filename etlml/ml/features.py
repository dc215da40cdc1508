"""Which columns a model learns from: those that were named, or all that can tell it something."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etlml.compute.names import quoted
from etlml.errors import ColumnMissing, DataUnreadable, TrainingFailed
from etlml.ml.values import Frame, Indices, Texts, Values, is_constant, kind_of, missing, values_of

IDENTIFYING_SHARE = 0.9  # of the rows with a value of their own: such a text names rows, it doesn't describe them
FEWEST_TO_JUDGE = 50
_IDENTIFYING_NAME = re.compile(r"(?i)^(row_?)?(id|uuid|guid|key|index|nr)$|[_ -](id|uuid|guid|key)$|^unnamed: ?\d+$")


@dataclass(frozen=True)
class LeftOut:
    """A column that the model does not learn from, and why."""

    column: str
    reason: str


@dataclass(frozen=True)
class Chosen:
    """The features with their values and their Arrow types, and what was left out."""

    frame: Frame
    types: dict[str, str]
    left_out: list[LeftOut]


def read_columns(path: Path, columns: Sequence[str] | None) -> Any:
    """The named columns of a Parquet file (all if None) as an Arrow table, its rows in ``fixed_order``.

    Raises:
        DataUnreadable: There is no such file, or it is no Parquet file.
        ColumnMissing: It lacks a column.
    """
    try:
        present = pq.read_schema(path).names
        for name in columns or ():
            if name not in present:
                raise ColumnMissing(name, present, where="the training data")
        names = list(dict.fromkeys(present if columns is None else columns))
        table = pq.read_table(path, columns=names)
        return table.take(fixed_order(path, names)) if table.num_rows else table
    except FileNotFoundError:
        raise DataUnreadable(f"There is no file {path.name} to train on.") from None
    except pa.ArrowInvalid as error:
        raise DataUnreadable(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}") from None


def fixed_order(path: Path, columns: Sequence[str]) -> Indices:
    """Positions of a Parquet file's rows in an order that only depends on what is in them.

    Threads bring the rows of a join in any order. Learned from in this one, the same rows, parameters and seed give the
    same model.
    """
    import duckdb  # warm in the children that train

    with duckdb.connect() as connection:
        hashed = f"SELECT hash({', '.join(map(quoted, columns))}) AS h FROM read_parquet(?)"
        found: Indices = np.argsort(connection.execute(hashed, [str(path)]).fetchnumpy()["h"], kind="stable")
    return found


def choose(table: Any, named: Sequence[str] | None, target: str | None) -> Chosen:
    """The columns to learn from, with their values.

    Raises:
        TrainingFailed: None is left; the message says why.
    """
    names = [name for name in dict.fromkeys(named or table.column_names) if name != target]
    frame: dict[str, Values] = {}
    types: dict[str, str] = {}
    left_out: list[LeftOut] = []
    for name in names:
        type_ = table.schema.field(name).type
        if kind_of(type_) is None:
            left_out.append(LeftOut(name, f"a model cannot use values of type {type_}"))
            continue
        values = values_of(table.column(name))
        reason = _useless(values) or (None if named else _identifying(name, values, type_))
        if reason:
            left_out.append(LeftOut(name, reason))
        else:
            frame[name], types[name] = values, str(kind_of(type_))
    if not frame:
        raise TrainingFailed(_nothing_left(left_out, target), left_out=[one.column for one in left_out])
    return Chosen(frame, types, left_out)


def _useless(values: Values) -> str | None:
    if bool(missing(values).all()):
        return "it has no values"
    return "it has the same value in every row" if is_constant(values) and not missing(values).any() else None


def _identifying(name: str, values: Values, type_: Any) -> str | None:
    """Why a column looks like the rows' name, or None."""
    if isinstance(values, Texts):
        rows = int((values.codes >= 0).sum())
        distinct = np.unique(values.codes[values.codes >= 0]).size
        if rows >= FEWEST_TO_JUDGE and distinct > IDENTIFYING_SHARE * rows:
            return "it looks like an identifier: nearly every row has a text of its own"
        return None
    if pa.types.is_integer(type_) and _IDENTIFYING_NAME.search(name):
        present = values.data[~missing(values)]
        if np.unique(present).size > IDENTIFYING_SHARE * present.size:
            return "it looks like an identifier: nearly every row has a number of its own"
    return None


def _nothing_left(left_out: Sequence[LeftOut], target: str | None) -> str:
    if not left_out:
        return (
            f"There is no column to learn from beside the target {target!r}. Give the step an input with more columns."
        )
    reasons = "; ".join(f"{one.column}: {one.reason}" for one in left_out[:5])
    more = f"; and {len(left_out) - 5} more" if len(left_out) > 5 else ""
    return f"No column is left to learn from ({reasons}{more}). Name other columns in features."
