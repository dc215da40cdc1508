"""Ops that set values: derive, fill_null, replace, split."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from etlml.compute.names import literal, quoted
from etlml.compute.schema import Column, Schema
from etlml.compute.sql import checked_expression, expression_columns
from etlml.compute.types import family, fits
from etlml.errors import ConfigInvalid
from etlml.steps.ops.base import (
    CURRENT,
    ColumnName,
    Expressions,
    Inputs,
    NewName,
    Op,
    Origins,
    Scalar,
    TextKeys,
    applied,
    assigned,
)


class Derive(Op):
    """Set columns to expressions; an expression may use the columns that stand before it in the list."""

    op: Literal["derive"] = "derive"
    columns: Expressions = Field(description="Column to expression. A column that is there is replaced in its place.")

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is None:
            for name, text in self.columns.items():
                checked_expression(text, None, where=f"column {name!r}")
            return
        for layer in self._layers(schema):
            for name, text in layer.items():
                checked_expression(text, schema, where=f"column {name!r}")
            schema = applied(_Layer(columns=layer), quoted("~source"), schema, inputs)[1]
            if schema is None:
                return

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        layers = self._layers(schema)
        for layer in layers[:-1]:
            sql, after = applied(_Layer(columns=layer), source, schema, inputs)
            source, schema = f"({sql})", after if after is not None else schema
        return _Layer(columns=layers[-1]).select(source, schema, inputs)

    def sets(self) -> Sequence[str]:
        return list(self.columns)

    def expressions(self) -> Sequence[str]:
        return list(self.columns.values())

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        found = {name.lower(): frozenset({(CURRENT, name)}) for name in schema.names}
        for name, text in self.columns.items():
            used = expression_columns(text, None)
            found[name.lower()] = frozenset(source for column in used for source in found.get(column.lower(), ()))
        return {name: found.get(name.lower(), frozenset()) for name in after.names}

    def _layers(self, schema: Schema) -> list[dict[str, str]]:
        """The columns in groups: within one, no expression uses a column that the group sets."""
        layers: list[dict[str, str]] = [{}]
        for name, text in self.columns.items():
            set_here = {column.lower() for column in layers[-1]}
            used = {column.lower() for column in expression_columns(text, None)}
            if set_here & (used | {name.lower()}):
                layers.append({})
            layers[-1][name] = text
        return layers


class _Layer(Op):
    """One group of derived columns."""

    columns: dict[str, str]

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        checked = {
            name: checked_expression(text, schema, where=f"column {name!r}") for name, text in self.columns.items()
        }
        return assigned(source, schema, checked)


class FillNull(Op):
    """Put a value where there is none."""

    op: Literal["fill_null"] = "fill_null"
    columns: dict[ColumnName, Scalar] = Field(min_length=1, description="Column to the value that it gets.")

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is None:
            return
        for name, value in self.columns.items():
            column = schema.column(name)
            if value is not None and column.type and not fits(value, column.type):
                raise ConfigInvalid(
                    f"Column {column.name!r} is {column.type}, and {_shown(value)} is no value of that type. "
                    "Give one that is, or cast the column first.",
                    field="columns",
                )

    def sets(self) -> Sequence[str]:
        return list(self.columns)

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        filled = {}
        for name, value in self.columns.items():
            column = schema.column(name)
            filled[column.name] = f"coalesce({quoted(column.name)}, CAST({literal(value)} AS {column.type}))"
        return assigned(source, schema, filled)


class Replace(Op):
    """Put other values in place of certain values of a column."""

    op: Literal["replace"] = "replace"
    column: ColumnName
    values: Annotated[dict[str, Scalar], TextKeys] = Field(min_length=1, description="Old value to new value.")

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        column = schema.column(self.column) if schema is not None else None
        if column is None or not column.type:
            return
        for old in self.values:
            if not fits(old, column.type):
                raise ConfigInvalid(
                    f"Column {column.name!r} is {column.type}, so {_shown(old)} is never in it. Cast the column first.",
                    field="values",
                )

    def sets(self) -> Sequence[str]:
        return [self.column]

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        column = schema.column(self.column)
        type_ = self._type(column)
        value = quoted(column.name)
        cases = " ".join(
            f"WHEN CAST({literal(old)} AS {column.type}) THEN {literal(new) if type_ is None else _cast(new, type_)}"
            for old, new in self.values.items()
        )
        other = value if type_ in (None, column.type) else f"CAST({value} AS {type_})"
        return assigned(source, schema, {column.name: f"CASE {value} {cases} ELSE {other} END"})

    def _type(self, column: Column) -> str | None:
        """The type that holds old and new values; None leaves it to DuckDB (numbers among numbers)."""
        new = [value for value in self.values.values() if value is not None]
        if all(fits(value, column.type) for value in new):
            return column.type
        if family(column.type) == "number" and all(isinstance(value, int | float) for value in new):
            return None
        return "VARCHAR"


class Split(Op):
    """Cut a text column at a separator; the last new column takes all that is left."""

    op: Literal["split"] = "split"
    column: ColumnName
    by: str = Field(min_length=1, description="The separator, taken literally.")
    into: list[NewName] = Field(min_length=1, description="The new columns; missing parts are empty (NULL).")

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is not None:
            schema.column(self.column)
        if len({name.lower() for name in self.into}) < len(self.into):
            raise ConfigInvalid("The new columns of split need different names.", field="into")

    def sets(self) -> Sequence[str]:
        return self.into

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        text = quoted(schema.column(self.column).name)
        parts = f"string_split(CAST({text} AS VARCHAR), {literal(self.by)})"
        last = len(self.into)
        values = {name: f"{parts}[{position}]" for position, name in enumerate(self.into[:-1], start=1)}
        rest = f"array_to_string({parts}[{last}:], {literal(self.by)})"
        values[self.into[-1]] = f"CASE WHEN len({parts}) >= {last} THEN {rest} END"
        return assigned(source, schema, values)

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        source = frozenset({(CURRENT, schema.column(self.column).name)})
        new = {name.lower() for name in self.into}
        return {name: source if name.lower() in new else frozenset({(CURRENT, name)}) for name in after.names}


def _cast(value: object, type_: str) -> str:
    return f"CAST({literal(value)} AS {type_})"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
