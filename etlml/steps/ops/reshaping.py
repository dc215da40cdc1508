"""Ops that turn columns into rows: unpivot, unnest."""

from typing import ClassVar, Literal

from pydantic import Field

from etlml.compute.names import literal, quoted, quoted_list
from etlml.compute.relation import RowEffect
from etlml.compute.schema import Column, Schema
from etlml.compute.types import family, is_list, is_struct
from etlml.errors import ConfigInvalid
from etlml.steps.ops.base import CURRENT, ColumnName, Columns, Inputs, NewName, Op, Origins


class Unpivot(Op):
    """One row for each of ``columns``: its name in ``name``, its value in ``value``; ``ids`` are repeated."""

    op: Literal["unpivot"] = "unpivot"
    ids: Columns = Field(default_factory=list)
    columns: Columns | None = Field(None, description="The columns that become rows; all but ids if left out.")
    name: NewName = "name"
    value: NewName = "value"
    effect: ClassVar[RowEffect] = "unnest"

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        taken = [name.lower() for name in (*self.ids, self.name, self.value)]
        if len(set(taken)) < len(taken):
            raise ConfigInvalid("The columns of ids, name and value need different names.", field="name")
        if schema is None:
            return
        schema.require(self.ids)
        melted = self._melted(schema)
        if not melted:
            raise ConfigInvalid("No column is left to become rows. Take one out of ids.", field="ids")
        first = melted[0]
        for column in melted[1:]:
            if family(column.type) != family(first.type):
                raise ConfigInvalid(
                    f"Columns {first.name!r} ({first.type}) and {column.name!r} ({column.type}) can't share the column "
                    f"{self.value!r}. Cast them to one type first, or list the wanted ones in columns.",
                    field="columns",
                )

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        names = [column.name for column in self._melted(schema)]
        ids = [quoted(column.name) for column in schema.require(self.ids)]
        spread = [
            f"unnest({literal(names)}) AS {quoted(self.name)}",
            f"unnest([{quoted_list(names)}]) AS {quoted(self.value)}",
        ]
        return f"SELECT {', '.join([*ids, *spread])} FROM {source}"

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        found = {column.name: frozenset({(CURRENT, column.name)}) for column in schema.require(self.ids)}
        found[self.name] = frozenset()
        found[self.value] = frozenset((CURRENT, column.name) for column in self._melted(schema))
        return found

    def _melted(self, schema: Schema) -> list[Column]:
        if self.columns is not None:
            return list(schema.require(self.columns))
        ids = {name.lower() for name in self.ids}
        return [column for column in schema if column.name.lower() not in ids]


class Unnest(Op):
    """One row for each item of a list (an empty or missing list gives none); a struct gives a column for each field."""

    op: Literal["unnest"] = "unnest"
    column: ColumnName
    effect: ClassVar[RowEffect] = "unnest"

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        column = schema.column(self.column) if schema is not None else None
        if column is not None and column.type and not (is_list(column.type) or is_struct(column.type)):
            raise ConfigInvalid(
                f"Column {column.name!r} is {column.type}, and unnest needs a list or a struct. "
                "Make a list of it first, for example with string_split() in a derive op.",
                field="column",
            )

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        column = schema.column(self.column)
        name = quoted(column.name)
        if is_struct(column.type):
            rest = f"* EXCLUDE ({name}), " if len(schema) > 1 else ""
            return f"SELECT {rest}unnest({name}) FROM {source}"
        return f"SELECT * REPLACE (unnest({name}) AS {name}) FROM {source}"

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        column = schema.column(self.column)
        kept = {name for name in schema.names if not (is_struct(column.type) and name == column.name)}
        return {name: frozenset({(CURRENT, name if name in kept else column.name)}) for name in after.names}
