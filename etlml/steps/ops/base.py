"""What every transform op is: one table-to-table change, written as one SELECT over its input."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from etlml.compute.binding import bound_schema
from etlml.compute.names import quoted
from etlml.compute.relation import RowEffect
from etlml.compute.schema import Schema
from etlml.compute.types import TOO_WIDE_FOR_PARQUET

CURRENT = "input"
"""How lineage and user SQL call the table that an op changes."""

Inputs = Mapping[str, Schema | None]
Source = tuple[str, str]
"""A table (``input``, or another input of the step) and one of its columns."""
Origins = dict[str, frozenset[Source]]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    """YAML reads ``1`` and ``true`` as a number and a truth value; as SQL they are the same text."""
    return str(value) if isinstance(value, int | float) else value


def _text_keys(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {str(key).lower() if isinstance(key, bool) else str(key): item for key, item in value.items()}


def _plain(value: Any) -> Any:
    """A date that YAML recognised goes back to text, which is what JSON keeps."""
    return value.isoformat() if isinstance(value, date) else value


ColumnName = Annotated[str, Field(min_length=1, json_schema_extra={"picks": "column"})]
NewName = Annotated[str, Field(min_length=1, max_length=200)]
Columns = Annotated[list[ColumnName], BeforeValidator(_as_list)]
SortKey = Annotated[str, Field(min_length=1, json_schema_extra={"picks": "sort"})]
SortKeys = Annotated[list[SortKey], BeforeValidator(_as_list)]
Expression = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, json_schema_extra={"edits": "expression"})]
Expressions = Annotated[dict[NewName, Expression], Field(min_length=1)]
Scalar = Annotated[bool | int | float | str | None, BeforeValidator(_plain)]
TextKeys = BeforeValidator(_text_keys)


class Op(BaseModel, ABC):
    """One table-to-table change; its fields are its stored, typed configuration."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", serialize_by_alias=True, validate_by_alias=True, validate_by_name=True
    )
    effect: ClassVar[RowEffect] = "same"

    enabled: bool = Field(True, description="Whether the op is applied; an op that is off is passed over.")
    label: str = Field("", max_length=200, description="What the op is for, in your words.")

    @model_validator(mode="before")
    @classmethod
    def _mend_yaml(cls, value: Any) -> Any:
        # YAML 1.1 reads an unquoted key ``on`` as the truth value.
        if isinstance(value, dict) and True in value:
            return {"on" if key is True else key: item for key, item in value.items()}
        return value

    @property
    def reads_rows(self) -> bool:
        """Whether the op needs its input's rows to say what it does, so that what is before it is computed first."""
        return False

    def effects(self) -> tuple[RowEffect, ...]:
        """What the op does to the number of rows, in the words of the operators of DuckDB's plan."""
        return (self.effect,)

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        """Find what is wrong, as far as the columns are known.

        Args:
            schema: The columns of the table that it changes; None while they are not known.
            inputs: The step's inputs by id.

        Raises:
            EtlmlError: What is wrong, and the mend.
        """

    @abstractmethod
    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        """The SELECT that applies this op.

        Args:
            source: The table that it changes, as quoted SQL.
            schema: Its columns.
            inputs: The step's inputs by id; each is a table by that name.
        """

    def reads(self, inputs: Inputs) -> tuple[str, ...]:
        """The ids of the step's inputs that it takes beside the table so far."""
        return ()

    def sets(self) -> Sequence[str]:
        """The columns that it sets row by row, new ones and ones that are there; rows stay as many and in their order."""
        return ()

    def expressions(self) -> Sequence[str]:
        """The expressions that a user wrote into it."""
        return ()

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        """From which columns each column of its result takes its values."""
        return {
            name: frozenset({(CURRENT, schema.column(name).name)} if name in schema else ()) for name in after.names
        }


def applied(op: Op, source: str, schema: Schema, inputs: Inputs) -> tuple[str, Schema | None]:
    """The op's SELECT over ``source``, and the columns that come out; DuckDB finds them without any data.

    Sums of whole numbers come out as BIGINT: DuckDB's 128-bit numbers would turn into fractions in Parquet.
    """
    tables = {"~source": schema} | {
        name: columns for name in op.reads(inputs) if (columns := inputs.get(name)) is not None
    }
    after = bound_schema(op.select(quoted("~source"), schema, inputs), tables)
    sql = op.select(source, schema, inputs)
    wide = [
        column.name
        for column in after or ()
        if column.type in TOO_WIDE_FOR_PARQUET
        and not (column.name in schema and schema.column(column.name).type == column.type)
    ]
    if after is None or not wide:
        return sql, after
    casts = ", ".join(f"CAST({quoted(name)} AS BIGINT) AS {quoted(name)}" for name in wide)
    kept = Schema.of([(column.name, "BIGINT" if column.name in wide else column.type) for column in after])
    return f"SELECT * REPLACE ({casts}) FROM ({sql})", kept


def output_schema(op: Op, schema: Schema | None, inputs: Inputs) -> Schema | None:
    """Check an op and tell the columns of its result; None where the data have to tell them.

    Raises:
        EtlmlError: The op cannot be applied to these columns.
    """
    op.check(schema, inputs)
    if schema is None or op.reads_rows or any(inputs.get(name) is None for name in op.reads(inputs)):
        return None
    return applied(op, quoted("~source"), schema, inputs)[1]


def assigned(source: str, schema: Schema, values: Mapping[str, str]) -> str:
    """The SELECT that sets columns to expressions: those that are there keep their place, new ones go to the end."""
    replaced = {name: sql for name, sql in values.items() if name in schema}
    added = {name: sql for name, sql in values.items() if name not in schema}
    star = "*"
    if replaced:
        inner = ", ".join(f"({sql}) AS {quoted(schema.column(name).name)}" for name, sql in replaced.items())
        star = f"* REPLACE ({inner})"
    return f"SELECT {', '.join([star, *(f'({sql}) AS {quoted(name)}' for name, sql in added.items())])} FROM {source}"


def order_by(keys: Sequence[str], schema: Schema) -> str:
    """ORDER BY's list from ``["day", "-amount"]``; missing values go last either way."""
    return ", ".join(
        f"{quoted(schema.column(name).name)} {'DESC' if descends else 'ASC'} NULLS LAST"
        for name, descends in (sort_key(key, schema) for key in keys)
    )


def sort_key(key: str, schema: Schema) -> tuple[str, bool]:
    """Column and whether it descends; a column that is really called ``-x`` is that column."""
    if key in schema or not key.startswith("-"):
        return key, False
    return key[1:], True


def require_sort_keys(keys: Sequence[str], schema: Schema | None) -> None:
    """ColumnMissing for the first sort key whose column is not there."""
    if schema is not None:
        schema.require([sort_key(key, schema)[0] for key in keys])
