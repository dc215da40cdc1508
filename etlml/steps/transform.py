"""The transform step: a list of ops, each one change of the table; between Python code they run as one SQL statement."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from etlml.compute.names import quoted
from etlml.compute.relation import Query, Relation, RowEffect
from etlml.compute.schema import Schema
from etlml.compute.sql import is_volatile
from etlml.errors import EtlmlError
from etlml.steps.base import StepConfig, StepContext, StepResult
from etlml.steps.ops import AnyOp, Op
from etlml.steps.ops.base import CURRENT, Inputs, Origins, Source, applied, output_schema
from etlml.steps.ops.code import Python, Sql
from etlml.steps.ops.grouping import Pivot
from etlml.steps.python_code import run_python


@dataclass(frozen=True)
class Chain:
    """Ops that run as one statement: each a CTE over the one before.

    Attributes:
        base: The view that it starts from, unquoted.
        schema: The columns after the last op.
        parts: The SELECT of each op.
        effects: What they do to the number of rows.
    """

    base: str
    schema: Schema
    parts: tuple[str, ...] = ()
    effects: tuple[RowEffect, ...] = ()

    @property
    def source(self) -> str:
        """What the next op selects from, as quoted SQL. No step's id has a ~."""
        return quoted(f"~{len(self.parts)}") if self.parts else quoted(self.base)

    @property
    def sql(self) -> str:
        """The statement so far."""
        if len(self.parts) <= 1:
            return self.parts[0] if self.parts else f"SELECT * FROM {quoted(self.base)}"
        named = [f"{quoted(f'~{number}')} AS (\n  {part}\n)" for number, part in enumerate(self.parts[:-1], start=1)]
        return f"WITH {', '.join(named)}\n{self.parts[-1]}"


@dataclass
class _Progress:
    """Where an execution stands: the chain that is being built, and how many helper views there are."""

    chain: Chain
    relation: Relation | None
    helpers: int = 0
    before: tuple[RowEffect, ...] = field(default=())


class TransformConfig(StepConfig):
    """Changes the table: the first input goes through the ops, one after the other."""

    takes_inputs: ClassVar[tuple[int, int | None]] = (1, None)
    scans_inputs: ClassVar[bool] = False

    ops: list[AnyOp] = Field(default_factory=list, description="The changes, in order.")

    def check(self, inputs: Mapping[str, Schema | None], data_dir: Path | None = None) -> Schema | None:
        schema = next(iter(inputs.values()))
        for index, op in self._active():
            with _in_op(index, op):
                schema = output_schema(op, schema, inputs)
        return schema

    def execute(self, inputs: Mapping[str, Relation], context: StepContext) -> StepResult:
        schemas = {name: relation.schema for name, relation in inputs.items()}
        first = next(iter(inputs.values()))
        at = _Progress(Chain(first.name, first.schema), None if first.is_lazy else first)
        active = self._active()
        for index, op in active:
            with _in_op(index, op):
                if isinstance(op, Python):
                    self._run_python(op, at, context, is_last=index == active[-1][0])
                    continue
                if op.reads_rows and isinstance(op, Pivot):
                    rows = self._computed(at, context)
                    op = op.settled(context.session.rows, quoted(rows.name), rows.schema)
                at.chain, at.relation = extended(at.chain, op, schemas, context), None
        return StepResult(_settled(at, context))

    def fingerprint(self, data_dir: Path) -> str | None:
        """None where an expression gives something else each time, such as now() or random()."""
        for _, op in self._active():
            if any(is_volatile(text) for text in op.expressions()):
                return None
            if isinstance(op, Sql) and is_volatile(op.query, query=True):
                return None
        return ""

    def statements(self, inputs: Mapping[str, Schema | None]) -> list[str]:
        """The SQL that the ops come to, one statement for each stretch between Python code, as far as columns are known."""
        name, schema = next(iter(inputs.items()))
        if schema is None:
            return []
        chain, found = Chain(name, schema), list[str]()
        for index, op in self._active():
            with _in_op(index, op):
                if op.reads_rows:
                    return [*found, chain.sql]
                sql, after = applied(op, chain.source, chain.schema, inputs)
            if after is None:
                return [*found, chain.sql]
            chain = _longer(chain, op, sql, after)
        return [*found, chain.sql]

    def lineage(self, inputs: Mapping[str, Schema | None]) -> Origins | None:
        """From which columns of which inputs each column of the result takes its values; None where columns are unknown."""
        first, schema = next(iter(inputs.items()))
        if schema is None:
            return None
        sources: Origins = {name: frozenset({(first, name)}) for name in schema.names}
        for index, op in self._active():
            with _in_op(index, op):
                after = output_schema(op, schema, inputs)
                if after is None:
                    return None
                sources = _through(op.origins(schema, after, inputs), sources)
            schema = after
        return sources

    def _active(self) -> list[tuple[int, Op]]:
        return [(index, op) for index, op in enumerate(self.ops) if op.enabled]

    def _computed(self, at: _Progress, context: StepContext) -> Relation:
        """The table so far as a checkpoint, from which the chain goes on."""
        if at.relation is None or at.chain.parts:
            at.helpers += 1
            name = f"{context.step_id}.part{at.helpers}"
            lazy = context.session.define(name, Query(at.chain.sql, at.before + at.chain.effects or ("same",)))
            at.relation = context.checkpoint(lazy)
        at.chain, at.before = Chain(at.relation.name, at.relation.schema), ()
        return at.relation

    def _run_python(self, op: Python, at: _Progress, context: StepContext, *, is_last: bool) -> None:
        given = self._computed(at, context)
        at.helpers += 1
        name = context.step_id if is_last else f"{context.step_id}.part{at.helpers}"
        at.relation = run_python(op.code, given, context.folder / f"{name}.parquet", context, name=name)
        at.chain, at.before = Chain(name, at.relation.schema), ("other",)


def extended(chain: Chain, op: Op, inputs: Inputs, context: StepContext) -> Chain:
    """The chain with one more op; its columns are asked of the session where they can't be told without it."""
    op.check(chain.schema, inputs)
    sql, after = applied(op, chain.source, chain.schema, inputs)
    if after is None:
        after = context.session.schema_of(_longer(chain, op, sql, chain.schema).sql)
    return _longer(chain, op, sql, after)


def _longer(chain: Chain, op: Op, sql: str, after: Schema) -> Chain:
    effects = op.effects()
    if effects == ("filter",) and _last_change(chain.effects) == "filter":
        effects = ("same",)  # DuckDB makes one operator of neighbouring filters
    return Chain(chain.base, after, (*chain.parts, sql), (*chain.effects, *effects))


def _last_change(effects: Sequence[RowEffect]) -> RowEffect | None:
    return next((effect for effect in reversed(effects) if effect != "same"), None)


def _settled(at: _Progress, context: StepContext) -> Relation:
    if at.relation is not None and at.relation.name == context.step_id:
        return at.relation
    effects = at.before + at.chain.effects
    return context.session.define(context.step_id, Query(at.chain.sql, effects or ("same",)))


def _through(origins: Origins, sources: Origins) -> Origins:
    """An op's origins in terms of the step's inputs, given those of its own input."""
    lowered = {name.lower(): found for name, found in sources.items()}

    def resolved(source: Source) -> frozenset[Source]:
        return lowered.get(source[1].lower(), frozenset()) if source[0] == CURRENT else frozenset({source})

    return {name: frozenset(one for source in found for one in resolved(source)) for name, found in origins.items()}


@contextmanager
def _in_op(index: int, op: Op) -> Iterator[None]:
    """Have errors say at which op they happened."""
    try:
        yield
    except EtlmlError as error:
        if "op" in error.details:
            raise
        kind = str(getattr(op, "op", ""))
        name = f"{kind}, {op.label}" if op.label else kind
        inner = error.details.get("field")
        error.message = f"Op {index + 1} ({name}): {error.message}"
        error.args = (error.message,)
        error.details |= {"op": index, "field": f"ops[{index}].{inner}" if inner else f"ops[{index}]"}
        raise
