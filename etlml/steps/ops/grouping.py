"""Ops over many rows at once: aggregate, window, pivot."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from etlml.compute.names import literal, quoted, quoted_list
from etlml.compute.relation import RowEffect
from etlml.compute.schema import Schema
from etlml.compute.sql import checked_expression, expression_columns, windowed_expression
from etlml.errors import ConfigInvalid, StepError
from etlml.steps.ops.base import (
    CURRENT,
    ColumnName,
    Columns,
    Expression,
    Expressions,
    Inputs,
    NewName,
    Op,
    Origins,
    Scalar,
    SortKeys,
    assigned,
    order_by,
    require_sort_keys,
)

MOST_PIVOT_COLUMNS = 1000


class Aggregate(Op):
    """One row for each group of rows that agree in ``by`` (one row in all without it), sorted by these columns."""

    op: Literal["aggregate"] = "aggregate"
    by: Columns = Field(default_factory=list)
    columns: dict[NewName, Expression] = Field(
        default_factory=dict, description="Column to expression, such as sum(amount) or count(*)."
    )
    effect: ClassVar[RowEffect] = "group"

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if not self.by and not self.columns:
            raise ConfigInvalid("Aggregate needs columns to compute, or by.", field="columns")
        keys = {name.lower() for name in self.by}
        if schema is not None:
            schema.require(self.by)
        for name, text in self.columns.items():
            if name.lower() in keys:
                raise ConfigInvalid(
                    f"Column {name!r} is already there through by. Choose another name.", field="columns"
                )
            checked_expression(text, schema, where=f"column {name!r}", aggregates=True)

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        keys = quoted_list([column.name for column in schema.require(self.by)])
        values = [
            f"({checked_expression(text, schema, where=f'column {name!r}', aggregates=True)}) AS {quoted(name)}"
            for name, text in self.columns.items()
        ]
        grouped = f" GROUP BY {keys} ORDER BY {keys}" if keys else ""
        return f"SELECT {', '.join([*([keys] if keys else []), *values])} FROM {source}{grouped}"

    def expressions(self) -> Sequence[str]:
        return list(self.columns.values())

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        found = {name: frozenset({(CURRENT, schema.column(name).name)}) for name in self.by}
        for name, text in self.columns.items():
            found[name] = frozenset((CURRENT, column) for column in expression_columns(text, schema))
        lowered = {name.lower(): origin for name, origin in found.items()}
        return {name: lowered.get(name.lower(), frozenset()) for name in after.names}


class Window(Op):
    """Set columns to functions over related rows: those that agree in ``by``, in the order of ``order_by``."""

    op: Literal["window"] = "window"
    columns: Expressions = Field(
        description="Column to expression, such as row_number(), lag(price) or amount / sum(amount); "
        "a function with its own OVER (...) keeps it."
    )
    by: Columns = Field(default_factory=list)
    order_by: SortKeys = Field(default_factory=list)

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is not None:
            schema.require(self.by)
        require_sort_keys(self.order_by, schema)
        for name, text in self.columns.items():
            windowed_expression(text, schema, "OVER ()", where=f"column {name!r}")

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        keys = quoted_list([column.name for column in schema.require(self.by)])
        parts = [f"PARTITION BY {keys}"] if keys else []
        if self.order_by:
            parts.append(f"ORDER BY {order_by(self.order_by, schema)}")
        over = f"OVER ({' '.join(parts)})"
        values = {
            name: windowed_expression(text, schema, over, where=f"column {name!r}")
            for name, text in self.columns.items()
        }
        return assigned(source, schema, values)

    def sets(self) -> Sequence[str]:
        return list(self.columns)

    def expressions(self) -> Sequence[str]:
        return list(self.columns.values())

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        found = {name.lower(): frozenset({(CURRENT, name)}) for name in schema.names}
        for name, text in self.columns.items():
            found[name.lower()] = frozenset((CURRENT, column) for column in expression_columns(text, schema))
        return {name: found.get(name.lower(), frozenset()) for name in after.names}


class Pivot(Op):
    """One row for each ``index``, one column for each value of ``on``, filled with ``agg`` of ``values``."""

    op: Literal["pivot"] = "pivot"
    index: Columns = Field(default_factory=list, description="The columns that stay as rows.")
    on: ColumnName = Field(description="The column whose values become columns.")
    values: ColumnName = Field(description="The column that fills them.")
    agg: Literal["sum", "mean", "min", "max", "count", "first", "last", "median"] = "sum"
    columns: list[Scalar] | None = Field(
        None, description="The values of on that get a column; if left out, all that are found, in their order."
    )

    @property
    def reads_rows(self) -> bool:
        return self.columns is None

    def effects(self) -> tuple[RowEffect, ...]:
        return ("group", "group")  # by index and on, then by index

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is not None:
            schema.require([*self.index, self.on, self.values])
        self._check_names([_name(value) for value in self.columns or ()])

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        keys = quoted_list([column.name for column in schema.require(self.index)])
        first = f"{keys}, " if keys else ""
        on, values = quoted(schema.column(self.on).name), quoted(schema.column(self.values).name)
        cells = f'SELECT {first}CAST({on} AS VARCHAR) AS "~on", {self.agg}({values}) AS "~cell" FROM {source}'
        cells += f" GROUP BY {first}CAST({on} AS VARCHAR)"
        filled = [self._cell(_name(value)) for value in self.columns or ()]
        grouped = f" GROUP BY {keys} ORDER BY {keys}" if keys else ""
        return f"SELECT {', '.join([*([keys] if keys else []), *filled])} FROM ({cells}){grouped}"

    def settled(self, rows: Callable[[str], list[tuple[Any, ...]]], source: str, schema: Schema) -> "Pivot":
        """The same op with ``columns`` read from the data.

        Raises:
            StepError: There are too many values, or two that make the same column.
        """
        on = quoted(schema.column(self.on).name)
        sql = f"SELECT CAST({on} AS VARCHAR) FROM {source} WHERE {on} IS NOT NULL GROUP BY {on} ORDER BY {on}"
        names = list(dict.fromkeys(str(name) for (name,) in rows(f"{sql} LIMIT {MOST_PIVOT_COLUMNS + 1}")))
        if len(names) > MOST_PIVOT_COLUMNS:
            raise StepError(
                f"Column {self.on!r} has more than {MOST_PIVOT_COLUMNS} different values, and each would become a "
                "column. Group the values before the pivot, or list the wanted ones in columns."
            )
        if not names and not self.index:
            raise StepError(
                f"Column {self.on!r} has no values, so the pivot has no columns. Look at what comes before."
            )
        self._check_names(names)
        return self.model_copy(update={"columns": names})

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        cell = frozenset((CURRENT, schema.column(name).name) for name in (self.on, self.values))
        keys = {name.lower() for name in self.index}
        return {name: frozenset({(CURRENT, name)}) if name.lower() in keys else cell for name in after.names}

    def _cell(self, name: str) -> str:
        value = f'any_value("~cell") FILTER (WHERE "~on" = {literal(name)})'
        return f"{f'coalesce({value}, 0)' if self.agg == 'count' else value} AS {quoted(name)}"

    def _check_names(self, names: Sequence[str]) -> None:
        seen = {name.lower(): name for name in self.index}
        for name in names:
            if name.lower() in seen:
                raise StepError(
                    f"The pivot would make two columns {name!r} and {seen[name.lower()]!r}, which DuckDB takes for the "
                    "same. Replace one of the values, or rename the column, before the pivot.",
                    field="columns",
                )
            seen[name.lower()] = name


def _name(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
