"""Ops on columns as a whole: select, drop, rename, cast."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from etlml.compute.names import literal, quoted, quoted_list
from etlml.compute.schema import Column, Schema
from etlml.compute.translate import CANNOT_CONVERT
from etlml.compute.types import canonical_type, family
from etlml.errors import ConfigInvalid
from etlml.steps.ops.base import CURRENT, ColumnName, Columns, Inputs, NewName, Op, Origins


class Select(Op):
    """Keep these columns, in this order."""

    op: Literal["select"] = "select"
    columns: Columns = Field(min_length=1)

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is not None:
            schema.require(self.columns)

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        return f"SELECT {quoted_list(_once(schema, self.columns))} FROM {source}"


class Drop(Op):
    """Leave these columns out."""

    op: Literal["drop"] = "drop"
    columns: Columns = Field(min_length=1)

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is not None:
            schema.require(self.columns)
            if len(_once(schema, self.columns)) == len(schema):
                raise ConfigInvalid("Every column would be dropped. Keep at least one.", field="columns")

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        return f"SELECT * EXCLUDE ({quoted_list(_once(schema, self.columns))}) FROM {source}"


class Rename(Op):
    """Give columns new names; the order stays."""

    op: Literal["rename"] = "rename"
    columns: dict[ColumnName, NewName] = Field(min_length=1, description="Old name to new name.")

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is None:
            return
        schema.require(list(self.columns))
        seen: set[str] = set()
        for name in self._new_names(schema).values():
            if name.lower() in seen:
                raise ConfigInvalid(f"Two columns would be called {name!r}. Choose another name.", field="columns")
            seen.add(name.lower())

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        names = self._new_names(schema).items()
        columns = ", ".join(quoted(old) if old == new else f"{quoted(old)} AS {quoted(new)}" for old, new in names)
        return f"SELECT {columns} FROM {source}"

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        return {new: frozenset({(CURRENT, old)}) for old, new in self._new_names(schema).items()}

    def _new_names(self, schema: Schema) -> dict[str, str]:
        wanted = {old.lower(): new for old, new in self.columns.items()}
        return {name: wanted.get(name.lower(), name) for name in schema.names}


def _known_type(name: str) -> str:
    try:
        canonical_type(name)
    except ConfigInvalid as error:
        raise ValueError(error.message) from None
    return name


TypeName = Annotated[str, AfterValidator(_known_type), Field(json_schema_extra={"picks": "type"})]


class Cast(Op):
    """Change the types of columns."""

    op: Literal["cast"] = "cast"
    columns: dict[ColumnName, TypeName] = Field(
        min_length=1, description="Column to type: int, float, string, bool, date, datetime, or any type of DuckDB."
    )
    on_error: Literal["fail", "null"] = Field("fail", description="What a value becomes that cannot be converted.")

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        if schema is not None:
            schema.require(list(self.columns))

    def sets(self) -> Sequence[str]:
        return list(self.columns)

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        casts = ", ".join(
            f"{self._cast(column, canonical_type(type_))} AS {quoted(column.name)}"
            for name, type_ in self.columns.items()
            for column in schema.require([name])
        )
        return f"SELECT * REPLACE ({casts}) FROM {source}"

    def _cast(self, column: Column, type_: str) -> str:
        value = quoted(column.name)
        if self.on_error == "null":
            return f"TRY_CAST({value} AS {type_})"
        if type_ == "VARCHAR" or (type_ == "DOUBLE" and family(column.type) == "number"):
            return f"CAST({value} AS {type_})"
        # DuckDB's own message does not always name the column; this costs next to nothing more than its CAST.
        before = literal(f"{CANNOT_CONVERT} {column.name!r} to {type_}: '")
        after = literal(f"' is no such value. {_mend(column.name, type_)}, or set on_error: null.")
        message = f"{before} || left(CAST({value} AS VARCHAR), 60) || {after}"
        return f"coalesce(TRY_CAST({value} AS {type_}), CASE WHEN {value} IS NOT NULL THEN error({message}) END)"


def _mend(column: str, type_: str) -> str:
    """How values that are of another type in another spelling become readable."""
    if type_ not in ("DATE", "TIMESTAMP"):
        return "Correct or replace it before the cast"
    formats = "['%Y-%m-%d', '%d.%m.%Y', '%m/%d/%Y']"
    return f"Write how dates are spelled in a derive before it, such as try_strptime({quoted(column)}, {formats})"


def _once(schema: Schema, names: list[str]) -> list[str]:
    """The names as the schema spells them, each once."""
    return list(dict.fromkeys(column.name for column in schema.require(names)))
