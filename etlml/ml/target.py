"""What a model learns to tell: the target's values in the form that its task needs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etlml.errors import TrainingFailed
from etlml.ml.algorithms import Algorithm, known_algorithms, snake_case
from etlml.ml.values import Floats, Indices, Numbers, Texts, Times, kind_of, missing, values_of

FEWEST_ROWS = 10
MOST_CLASSES = 1_000
MOST_FRACTIONS = 20  # more distinct numbers with a fractional part are a quantity, not classes

Class = str | int | float | bool


@dataclass(frozen=True)
class Target:
    """The target of the rows that have one.

    Attributes:
        name: Its column.
        type: Its kind.
        rows: The positions of the rows that have a value.
        values: Shape (len(rows),): class numbers, or quantities.
        classes: For a classification the classes by their numbers, sorted; else None.
    """

    name: str
    type: str
    rows: Indices
    values: NDArray[np.int64] | Floats
    classes: list[Class] | None = None


def target_of(table: Any, name: str, algorithm: Algorithm) -> Target:
    """The target column's values as the algorithm's task needs them.

    Raises:
        TrainingFailed: It has too few values, only one, or such as do not fit the task.
    """
    column = table.column(name)
    kind = kind_of(column.type)
    if kind is None:
        raise TrainingFailed(
            f"The target {name!r} is of type {column.type}, which no model can learn to tell.", column=name
        )
    values = values_of(column)
    rows = np.flatnonzero(~missing(values))
    if len(rows) == 0:
        raise TrainingFailed(f"The target {name!r} has no values: all {table.num_rows} rows are null.", column=name)
    if len(rows) < FEWEST_ROWS:
        raise TrainingFailed(
            f"{len(rows)} rows with a target are too few to train on; at least {FEWEST_ROWS} are needed.",
            rows=len(rows),
        )
    present = values.take(rows)
    if algorithm.task == "regression":
        if isinstance(present, Numbers):
            return Target(name, kind, rows, _varied(present.data, name))
        raise TrainingFailed(_no_quantity(name, kind, algorithm), column=name)
    whole = not np.issubdtype(np.asarray(column.type.to_pandas_dtype()).dtype, np.inexact) if kind == "number" else True
    return _class_target(name, kind, rows, present, algorithm, whole=whole)


def _class_target(
    name: str, kind: str, rows: Indices, values: Numbers | Texts | Times, algorithm: Algorithm, *, whole: bool
) -> Target:
    raw = values.codes if isinstance(values, Texts) else values.data
    distinct, codes = np.unique(raw, return_inverse=True)
    fractional = isinstance(values, Numbers) and bool((values.data % 1 != 0).any())
    if (fractional and len(distinct) > MOST_FRACTIONS) or len(distinct) > MOST_CLASSES:
        raise TrainingFailed(_no_classes(name, len(distinct), algorithm), column=name)
    if len(distinct) == 1:
        raise TrainingFailed(_constant(name), column=name)
    labels = _labels(values, distinct, kind, whole=whole and not fractional)
    order = np.argsort(np.array(labels)) if isinstance(values, Texts) else np.arange(len(labels))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Target(name, kind, rows, place[codes.reshape(-1)], [labels[index] for index in order])


def _labels(values: Numbers | Texts | Times, distinct: Any, kind: str, *, whole: bool) -> list[Class]:
    if isinstance(values, Texts):
        return [values.values[code] for code in distinct]
    if isinstance(values, Times):
        return [str(time) for time in distinct]
    if kind == "boolean":
        return [bool(value) for value in distinct]
    return [int(value) if whole or value % 1 == 0 else float(value) for value in distinct]


def _varied(values: Floats, name: str) -> Floats:
    if (values == values[0]).all():
        raise TrainingFailed(_constant(name), column=name)
    return values


def _constant(name: str) -> str:
    return f"The target {name!r} has the same value in every row, so there is nothing to learn. Check the filter before it."


def _no_quantity(name: str, kind: str, algorithm: Algorithm) -> str:
    return (
        f"The target {name!r} holds {kind} values, but {algorithm.name} tells quantities. "
        f"{_like(algorithm, 'Classifier')}, or cast the target to a number."
    )


def _no_classes(name: str, distinct: int, algorithm: Algorithm) -> str:
    return (
        f"The target {name!r} has {distinct} distinct values: it looks like a quantity, but {algorithm.name} tells classes. "
        f"{_like(algorithm, 'Regressor')}, or derive a target with a few values."
    )


def _like(algorithm: Algorithm, suffix: str) -> str:
    stem = algorithm.name.removesuffix("Classifier").removesuffix("Regressor")
    like = stem + suffix if stem + suffix in known_algorithms() else f"RandomForest{suffix}"
    return f"Use {snake_case(like)!r}"
