"""Ops that take a second table: join, union."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from etlml.compute.names import quoted
from etlml.compute.relation import RowEffect
from etlml.compute.schema import Column, Schema
from etlml.compute.types import family
from etlml.errors import ConfigInvalid, did_you_mean
from etlml.steps.ops.base import CURRENT, Columns, Inputs, Op, Origins

InputId = Annotated[str, Field(min_length=1, json_schema_extra={"picks": "input"})]


class Join(Op):
    """Add the columns of another input where the keys agree; a column whose name is taken gets ``_<input>`` behind it."""

    op: Literal["join"] = "join"
    with_: InputId = Field(alias="with", description="The other input's step id.")
    on: Columns | None = Field(None, description="Key columns that both have.")
    left_on: Columns | None = Field(None, description="Key columns here, if they are called otherwise there.")
    right_on: Columns | None = Field(None, description="The key columns there, in the same order.")
    how: Literal["inner", "left", "right", "full", "semi", "anti"] = "inner"
    columns: Columns | None = Field(None, description="What to take from there; all but the keys if left out.")
    effect: ClassVar[RowEffect] = "join"

    @model_validator(mode="after")
    def _keys_given_once(self) -> Self:
        if (self.on is None) == (self.left_on is None and self.right_on is None):
            raise ValueError("join needs either on, or left_on and right_on")
        if len(self._left_keys) != len(self._right_keys) or not self._left_keys:
            raise ValueError("left_on and right_on need the same number of columns, one at least")
        return self

    @property
    def _left_keys(self) -> list[str]:
        return self.on if self.on is not None else self.left_on or []

    @property
    def _right_keys(self) -> list[str]:
        return self.on if self.on is not None else self.right_on or []

    def reads(self, inputs: Inputs) -> tuple[str, ...]:
        return (self.with_,)

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        _require_input(self.with_, inputs)
        right = inputs[self.with_]
        if schema is not None:
            schema.require(self._left_keys, where="the input")
        if right is not None:
            right.require([*self._right_keys, *(self.columns or ())], where=f"the input {self.with_!r}")
        if schema is None or right is None:
            return
        for mine, theirs in zip(schema.require(self._left_keys), right.require(self._right_keys), strict=True):
            _require_comparable(mine, theirs, self.with_)

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        right = _known(inputs, self.with_)
        mine, theirs = schema.require(self._left_keys), right.require(self._right_keys)
        condition = " AND ".join(
            f"l.{quoted(one.name)} = r.{quoted(other.name)}" for one, other in zip(mine, theirs, strict=True)
        )
        joined = f"FROM {source} AS l {self.how.upper()} JOIN {quoted(self.with_)} AS r ON {condition}"
        if self.how in ("semi", "anti"):
            return f"SELECT l.* {joined}"
        partner = {one.name: other.name for one, other in zip(mine, theirs, strict=True)}
        left = [self._left_column(name, partner.get(name)) for name in schema.names]
        added = [f"r.{quoted(name)} AS {quoted(new)}" for name, new in self._added(schema, right).items()]
        return f"SELECT {', '.join([*left, *added])} {joined}"

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        right = _known(inputs, self.with_)
        found = {name: frozenset({(CURRENT, name)}) for name in schema.names}
        if self.how in ("right", "full"):
            for mine, theirs in zip(schema.require(self._left_keys), right.require(self._right_keys), strict=True):
                found[mine.name] |= {(self.with_, theirs.name)}
        for name, new in self._added(schema, right).items():
            found[new] = frozenset({(self.with_, name)})
        return {name: found.get(name, frozenset()) for name in after.names}

    def _left_column(self, name: str, partner: str | None) -> str:
        if partner is None or self.how in ("inner", "left"):
            return f"l.{quoted(name)}"
        return f"coalesce(l.{quoted(name)}, r.{quoted(partner)}) AS {quoted(name)}"

    def _added(self, schema: Schema, right: Schema) -> dict[str, str]:
        """The other input's columns that are taken, each with the name that it gets."""
        keys = {column.name for column in right.require(self._right_keys)}
        if self.columns is None:
            chosen = [name for name in right.names if name not in keys]
        else:
            shared = keys if self.on is not None else set()
            picked = dict.fromkeys(column.name for column in right.require(self.columns))
            chosen = [name for name in picked if name not in shared]
        taken = {name.lower() for name in schema.names}
        named: dict[str, str] = {}
        for name in chosen:
            new = name
            while new.lower() in taken:
                new = f"{new}_{self.with_}"
            taken.add(new.lower())
            named[name] = new
        return named


class Union(Op):
    """Put the rows of other inputs below; columns are matched by name, and those that one side lacks are empty."""

    op: Literal["union"] = "union"
    with_: Annotated[list[InputId], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)] = (
        Field(alias="with", min_length=1, description="The other input's step id, or a list of them.")
    )
    by_name: bool = Field(True, description="False matches columns by position.")

    def effects(self) -> tuple[RowEffect, ...]:
        one: RowEffect = "union"
        return (one,) * len(self.with_)

    def reads(self, inputs: Inputs) -> tuple[str, ...]:
        return tuple(self.with_)

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        for name in self.with_:
            _require_input(name, inputs)
            other = inputs[name]
            if schema is None or other is None:
                continue
            if not self.by_name and len(schema) != len(other):
                raise ConfigInvalid(
                    f"The input has {len(schema)} columns and {name!r} has {len(other)}. "
                    "Select the same ones, or match them with by_name: true.",
                    field="with",
                )
            for mine, theirs in self._matched(schema, other):
                _require_comparable(mine, theirs, name)

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        word = "UNION ALL BY NAME" if self.by_name else "UNION ALL"
        return f" {word} ".join(f"SELECT * FROM {table}" for table in (source, *(quoted(name) for name in self.with_)))

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        found: dict[str, set[tuple[str, str]]] = {name: set() for name in after.names}
        for table, columns in ((CURRENT, schema), *((name, _known(inputs, name)) for name in self.with_)):
            for position, name in enumerate(after.names):
                if self.by_name and name in columns:
                    found[name].add((table, columns.column(name).name))
                elif not self.by_name and position < len(columns):
                    found[name].add((table, columns.names[position]))
        return {name: frozenset(sources) for name, sources in found.items()}

    def _matched(self, schema: Schema, other: Schema) -> Sequence[tuple[Column, Column]]:
        if not self.by_name:
            return list(zip(schema, other, strict=True))
        return [(schema.column(column.name), column) for column in other if column.name in schema]


def _require_input(name: str, inputs: Inputs) -> None:
    if name not in inputs:
        raise ConfigInvalid(
            f"The step has no input {name!r}. {did_you_mean(name, list(inputs))} Inputs are listed in the step's needs.",
            field="with",
        )


def _require_comparable(mine: Column, theirs: Column, other: str) -> None:
    if mine.type and theirs.type and family(mine.type) != family(theirs.type):
        raise ConfigInvalid(
            f"Column {mine.name!r} is {mine.type} in the input, and {theirs.name!r} is {theirs.type} in {other!r}. "
            "Cast one of them so that both have the same type.",
            field="with",
        )


def _known(inputs: Inputs, name: str) -> Schema:
    schema = inputs[name]
    if schema is None:
        raise ConfigInvalid(f"The columns of the input {name!r} are not known yet.", field="with")
    return schema
