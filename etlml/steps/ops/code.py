"""Ops in the user's own words: sql, python."""

import ast
from typing import ClassVar, Literal

from pydantic import Field

from etlml.compute.names import quoted
from etlml.compute.relation import RowEffect
from etlml.compute.schema import Schema
from etlml.compute.sql import checked_query, lineage, used_tables
from etlml.errors import ConfigInvalid
from etlml.steps.ops.base import CURRENT, Inputs, Op, Origins


class Sql(Op):
    """One SELECT. The table so far is ``input``; every input of the step is a table by its id, as it came in."""

    op: Literal["sql"] = "sql"
    query: str = Field(min_length=1, json_schema_extra={"edits": "sql"})
    effect: ClassVar[RowEffect] = "other"

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        checked_query(self.query, {**inputs, CURRENT: schema})

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        query = checked_query(self.query, {**inputs, CURRENT: schema})
        return f"WITH {quoted(CURRENT)} AS (SELECT * FROM {source}) SELECT * FROM (\n{query}\n)"

    def reads(self, inputs: Inputs) -> tuple[str, ...]:
        used = used_tables(self.query, {**inputs, CURRENT: None})
        return tuple(name for name in used if name.lower() != CURRENT)

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        tables = {name: columns for name, columns in {**inputs, CURRENT: schema}.items() if columns is not None}
        return {name: frozenset(sources) for name, sources in lineage(self.query, tables).items()}


class Python(Op):
    """Python code with ``def transform(df)``: it gets the table as a pandas DataFrame and returns one.

    ``pd`` and ``np`` are there. It runs in a process of its own with a memory cap; what it prints goes to the log.
    """

    op: Literal["python"] = "python"
    code: str = Field(
        "def transform(df):\n    return df\n", min_length=1, max_length=200_000, json_schema_extra={"edits": "python"}
    )
    effect: ClassVar[RowEffect] = "other"

    @property
    def reads_rows(self) -> bool:
        return True

    def check(self, schema: Schema | None, inputs: Inputs) -> None:
        try:
            tree = ast.parse(self.code, filename="<transform>")
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            text = (getattr(error, "text", None) or "").rstrip("\n")
            place = f" At line {line}:\n    {text}\n    {' ' * max(0, (getattr(error, 'offset', 1) or 1) - 1)}^"
            raise ConfigInvalid(
                f"The Python code cannot be read: {getattr(error, 'msg', error)}.{place if line else ''}",
                field="code",
                line=line,
            ) from None
        defined = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "transform"]
        if not defined:
            raise ConfigInvalid("The Python code needs a function: def transform(df): ...", field="code")
        if not _takes_one(defined[-1].args):
            raise ConfigInvalid("The function transform takes one argument, the DataFrame.", field="code")

    def select(self, source: str, schema: Schema, inputs: Inputs) -> str:
        raise NotImplementedError("Python code runs in a child process: see etlml.steps.python_code")

    def origins(self, schema: Schema, after: Schema, inputs: Inputs) -> Origins:
        everything = frozenset((CURRENT, name) for name in schema.names)
        return dict.fromkeys(after.names, everything)


def _takes_one(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    needed = positional - len(arguments.defaults)
    keyword_only = sum(default is None for default in arguments.kw_defaults)
    return needed <= 1 and keyword_only == 0 and (positional >= 1 or arguments.vararg is not None)
