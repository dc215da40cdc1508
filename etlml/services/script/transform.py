"""Transform steps in a script: each op one part of a statement, Python code a function."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from etlml.compute.names import quoted, quoted_list
from etlml.compute.schema import Schema
from etlml.errors import EtlmlError, StateConflict
from etlml.services.script.known import LastRun
from etlml.services.script.pieces import Body, Own, Sql, Value, lines_within_texts
from etlml.steps.ops.base import Op, applied
from etlml.steps.ops.code import Python
from etlml.steps.ops.grouping import Pivot
from etlml.steps.transform import TransformConfig


@dataclass
class _Chain:
    """Ops that become one statement."""

    base: str
    schema: Schema | None
    parts: list[tuple[str, str, str]] = field(default_factory=list)  # name, label, SELECT

    @property
    def source(self) -> str:
        return quoted(self.parts[-1][0]) if self.parts else quoted(self.base)

    @property
    def sql(self) -> str:
        if not self.parts:
            return f"SELECT * FROM {quoted(self.base)}"
        *before, (_, _, last) = self.parts
        named = ", ".join(f"{quoted(name)} AS ({sql})" for name, _, sql in before)
        return f"WITH {named} {last}" if named else last


class TransformScript:
    """Writes one transform step.

    Args:
        how: ``view`` or ``table``, for the step's result.
        is_kept: Whether the first input is computed before.
        last: What the last run left, for columns that only a run can tell.
    """

    def __init__(
        self, step: str, config: TransformConfig, inputs: Mapping[str, Schema | None], how: str, last: LastRun
    ) -> None:
        self._step, self._config, self._inputs, self._how, self._last = step, config, inputs, how, last
        first, schema = next(iter(inputs.items()))
        self._chain, self._relation, self._helpers = _Chain(first, schema), "", 0
        self._taken = {name.lower() for name in inputs}
        self.body = Body()

    def written(self, *, is_kept: bool) -> Body:
        """The statements of all ops."""
        self._relation = self._chain.base if is_kept else ""
        active = [op for op in self._config.ops if op.enabled]
        for number, op in enumerate(active, start=1):
            if isinstance(op, Python):
                self._python(op, is_last=number == len(active))
            elif isinstance(op, Pivot) and op.reads_rows:
                self._pivot(op, number)
            elif op.reads_rows:
                raise StateConflict(
                    f"Step {self._step!r} has the op {_kind(op)!r}, which a script cannot do.", step=self._step
                )
            else:
                self._sql(op, number)
        if self._relation != self._step:
            self.body.add(f"{self._how}(", Value(self._step), ", ", Sql(self._chain.sql), ")")
        return self.body

    def _sql(self, op: Op, number: int) -> None:
        schema = self._chain.schema
        unknown = [name for name in op.reads(self._inputs) if self._inputs.get(name) is None]
        if schema is None or unknown:
            raise self._not_known(f"the columns of {unknown[0]!r}" if unknown else "the columns that it works on", op)
        op.check(schema, self._inputs)
        sql, after = applied(op, self._chain.source, schema, self._inputs)
        self._chain.parts.append((self._name(op, number), op.label, sql))
        self._chain.schema, self._relation = after, ""

    def _name(self, op: Op, number: int) -> str:
        """What the rest of the statement calls the table after this op."""
        name = f"{_kind(op)}_{number}"
        texts = " ".join(str(value) for each in self._config.ops for value in each.model_dump().values()).lower()
        while name.lower() in self._taken or name in texts:
            name += "_"
        return name

    def _computed(self) -> str:
        """The name of the table so far, once it is computed."""
        if not self._relation or self._chain.parts:
            self._helpers += 1
            name = f"{self._step}.part{self._helpers}"
            self.body.add("table(", Value(name), ", ", Sql(self._chain.sql), ")")
            self._relation = name
        self._chain = _Chain(self._relation, self._chain.schema)
        return self._relation

    def _python(self, op: Python, *, is_last: bool) -> None:
        given = self._computed()
        self._helpers += 1
        name = self._step if is_last else f"{self._step}.part{self._helpers}"
        wrapped = wrapped_code(op.code)
        self.body.imports |= {"pandas", "numpy"}
        self.body.add(Own(wrapped))
        self.body.add("run_python(", Value(name), ", ", Value(given), ", ", _factory(wrapped), ")")
        schema = self._last.schema(self._step, None if is_last else self._helpers)
        self._chain, self._relation = _Chain(name, schema), name

    def _pivot(self, op: Pivot, number: int) -> None:
        given, schema = self._computed(), self._chain.schema
        if schema is None:
            raise self._not_known("the columns that it works on", op)
        op.check(schema, self._inputs)
        keys = quoted_list([column.name for column in schema.require(op.index)])
        on, values = quoted(schema.column(op.on).name), quoted(schema.column(op.values).name)
        first = f"{keys}, " if keys else ""
        cell = f"{op.agg}({values})"
        one = applied(op.model_copy(update={"columns": ["x"]}), quoted(given), schema, self._inputs)[0]
        if one.startswith("SELECT * REPLACE (CAST("):  # sums of whole numbers stay whole
            cell = f"CAST({cell} AS BIGINT)"
        cells = f'SELECT {first}CAST({on} AS VARCHAR) AS "~on", {cell} AS "~cell" FROM {quoted(given)}'
        grouped = f" GROUP BY {keys} ORDER BY {keys}" if keys else ""
        self.body.add(
            "cells = pivot_cells(",
            Value(given),
            ", ",
            Value(schema.column(op.on).name),
            f", is_count={op.agg == 'count'})",
        )
        sql = f"SELECT {first}⟦cells⟧ FROM ({cells} GROUP BY {first}CAST({on} AS VARCHAR)){grouped}"
        self._chain.parts.append((self._name(op, number), op.label, sql))
        self._chain.schema, self._relation = self._after_pivot(op, given, schema), ""

    def _after_pivot(self, op: Pivot, given: str, schema: Schema) -> Schema | None:
        """The columns that the pivot made in the last run."""
        part = re.fullmatch(r".*\.part(\d+)", given)
        path = self._last.path(self._step, int(part[1])) if part else self._last.path(given)
        if path is None:
            return None
        try:
            settled = op.settled(lambda sql: self._last.rows(path, sql), "kept", schema)
            return applied(settled, quoted(given), schema, self._inputs)[1]
        except EtlmlError:
            return None

    def _not_known(self, what: str, op: Op) -> StateConflict:
        return StateConflict(
            f"Step {self._step!r} cannot be written down yet: its op {_kind(op)!r} needs to know {what}, which only a run can "
            "tell. Run the pipeline once, then export it again.",
            step=self._step,
        )


def _kind(op: Op) -> str:
    return str(getattr(op, "op", type(op).__name__.lower()))


def wrapped_code(code: str) -> str:
    """The code as the body of a function that gives back its ``transform``; a lone ``transform`` stays as it is.

    Lines within texts keep their place; code that cannot stand in a function is kept as a text that is executed.
    """
    tree = ast.parse(code)
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.FunctionDef):
        return code.strip("\n") + "\n"
    lines = code.strip("\n").split("\n")
    inside = lines_within_texts(code.strip("\n"))
    body = "\n".join(
        f"    {line}" if line and number not in inside else line for number, line in enumerate(lines, start=1)
    )
    wrapped = f"def own_code():\n{body}\n    return transform\n"
    try:
        if any(isinstance(node, ast.Global) for node in ast.walk(tree)):
            raise SyntaxError("global")
        compile(wrapped, "<own>", "exec")
    except SyntaxError:
        return f"def own_code():\n    names = {{'pd': pd, 'np': np}}\n    exec({code!r}, names)\n    return names['transform']\n"
    return wrapped


def _factory(wrapped: str) -> str:
    return "own_code()" if "def own_code():" in wrapped.split("\n")[0] else "transform"
