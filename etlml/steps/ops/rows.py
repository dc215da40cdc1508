"""Ops that choose rows or their order: filter, drop_null, dedupe, sort, limit, sample."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from etlml.compute.names import quoted, quoted_list
from etlml.compute.relation import RowEffect
from etlml.compute.schema import Schema
from etlml.compute.sql import checked_expression, expression_type
from etlml.compute.types import family
from etlml.errors import ExpressionInvalid
from etlml.steps.ops.base import Columns, Expression, Inputs, Op, SortKeys, order_by, require_sort_keys

_NUMBER, _RANK = '"~row"', '"~rank"'
_HASH_RANGE = 2**64


class Filter(Op):
    """Keep the rows for which ``where``, a true-or-false expression over the input's columns, is true."""

    op: Literal["filter"] = "filter"
    where: Expression
    effect: ClassVar[RowEffect] = "filter"

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        checked_expression(self.where, schema, where="where")
        type_ = expression_type(self.where, schema, where="where") if schema is not None else None
        if type_ is not None and type_ not in ("BOOLEAN", "NULL", '"NULL"') and family(type_) != "number":
            raise ExpressionInvalid(
                f"Where gives a {type_}, which is neither true nor false. Compare it with something.", field="where"
            )

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        return f"SELECT * FROM {source} WHERE ({checked_expression(self.where, schema, where='where')})"

    def expressions(self) -> Sequence[str]:
        return (self.where,)


class DropNull(Op):
    """Leave out the rows that have no value in any of these columns."""

    op: Literal["drop_null"] = "drop_null"
    columns: Columns | None = Field(None, description="The columns that need a value; all if left out.")
    effect: ClassVar[RowEffect] = "filter"

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is not None and self.columns is not None:
            schema.require(self.columns)

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        names = schema.names if self.columns is None else [column.name for column in schema.require(self.columns)]
        present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in names)
        return f"SELECT * FROM {source} WHERE {present or 'TRUE'}"


class Dedupe(Op):
    """Keep one row of those that agree in ``keys``: the first by ``order_by``, else the one that came first."""

    op: Literal["dedupe"] = "dedupe"
    keys: Columns | None = Field(None, description="Rows that agree in these are the same; all columns if left out.")
    order_by: SortKeys = Field(default_factory=list, description='Which of them is kept: the first; "-day" descends.')

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is not None and self.keys is not None:
            schema.require(self.keys)
        require_sort_keys(self.order_by, schema)

    def effects(self) -> tuple[RowEffect, ...]:
        return ("filter",) if self.order_by else ("group",)  # DuckDB turns the plain ranking into a GROUP BY

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        keys = list(schema.names) if self.keys is None else [column.name for column in schema.require(self.keys)]
        order = f"{order_by(self.order_by, schema)}, {_NUMBER}" if self.order_by else _NUMBER
        rank = f"row_number() OVER ({f'PARTITION BY {quoted_list(keys)} ' if keys else ''}ORDER BY {order})"
        ranked = f"SELECT *, {rank} AS {_RANK} FROM ({_numbered(source)})"
        return f"SELECT * EXCLUDE ({_NUMBER}, {_RANK}) FROM ({ranked}) WHERE {_RANK} = 1 ORDER BY {_NUMBER}"


class Sort(Op):
    """Order the rows; missing values go last."""

    op: Literal["sort"] = "sort"
    by: SortKeys = Field(min_length=1, description='Columns; "-amount" puts the largest first.')

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        require_sort_keys(self.by, schema)

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        return f"SELECT * FROM {source} ORDER BY {order_by(self.by, schema)}"


class Limit(Op):
    """Keep the first ``rows`` rows."""

    op: Literal["limit"] = "limit"
    rows: int = Field(ge=0)
    effect: ClassVar[RowEffect] = "limit"

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        return f"SELECT * FROM {source} LIMIT {self.rows}"


class Sample(Op):
    """Keep rows at random: so many, or each with the probability ``fraction``; the same ones for the same seed."""

    op: Literal["sample"] = "sample"
    rows: int | None = Field(None, ge=0)
    fraction: float | None = Field(None, ge=0, le=1)
    seed: int = 0

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.rows is None) == (self.fraction is None):
            raise ValueError("sample needs either rows or fraction, and not both")
        return self

    def effects(self) -> tuple[RowEffect, ...]:
        return ("limit",) if self.rows is not None else ("filter",)

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        # A hash of the row's number, not DuckDB's own sample: that one differs with the number of threads.
        lot = f"hash({_NUMBER}, {self.seed})"
        if self.fraction is not None:
            bound = int(self.fraction * _HASH_RANGE)
            chosen = "" if bound >= _HASH_RANGE else f" WHERE {lot} < {bound}::UBIGINT"
            return f"SELECT * EXCLUDE ({_NUMBER}) FROM ({_numbered(source)}){chosen}"
        chosen = f"SELECT * FROM ({_numbered(source)}) ORDER BY {lot}, {_NUMBER} LIMIT {self.rows}"
        return f"SELECT * EXCLUDE ({_NUMBER}) FROM ({chosen}) ORDER BY {_NUMBER}"


def _numbered(source: str) -> str:
    return f"SELECT *, row_number() OVER () AS {_NUMBER} FROM {source}"
