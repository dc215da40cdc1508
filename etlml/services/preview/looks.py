"""What a preview shows of each type of step, once its inputs are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot.errors import SqlglotError

from etlml.compute.names import quoted, quoted_list
from etlml.compute.relation import Query, Relation
from etlml.connectors import sqlite_files
from etlml.connectors.places import located
from etlml.errors import EtlmlError, StepCancelled
from etlml.services.preview.bench import Bench, is_heavy
from etlml.services.preview.cells import Compared, Stage, cells_changed, rows_changed
from etlml.services.preview.result import Learning, LoadTarget, OpChange, Retyped
from etlml.steps.extract import ExtractConfig
from etlml.steps.load import LoadConfig
from etlml.steps.ops.columns import Rename
from etlml.steps.train import TrainConfig
from etlml.steps.transform import TransformConfig
from etlml.steps.validate import ValidateConfig
from etlml.validation.evaluate import measure
from etlml.validation.rule import RowRule
from etlml.validation.step_rules import rules_on


@dataclass(frozen=True)
class Look:
    """A step's result as a table, and what is told of it besides."""

    table: Relation
    rows: int
    facts: Mapping[str, Any]


def look(bench: Bench) -> Look:
    """Compute the step that the plan is about.

    Raises:
        EtlmlError: It fails on these rows; ``details`` say in which op.
    """
    checked = bench.plan.target
    step_id, config = checked.step.id, checked.config
    inputs = bench.build_inputs()
    if isinstance(config, TransformConfig):
        return _transformed(bench, step_id, config, inputs)
    if isinstance(config, ValidateConfig):
        return _validated(bench, step_id, config, inputs)
    if isinstance(config, ExtractConfig):
        table = _table(bench, bench.extracted(step_id, config))
        return Look(table, bench.count(table), {"sql": _source_sql(bench, step_id)})
    (given,) = inputs.values()
    if isinstance(config, TrainConfig):
        return _learned(bench, config, given)
    table = _table(bench, given)
    return Look(table, bench.count(table), {})


def _table(bench: Bench, relation: Relation) -> Relation:
    """A relation as the table that rows and profile are read from."""
    kept = bench.as_table(relation)
    return Relation(bench.tables[kept.name], kept.schema, rows=kept.rows)


def _transformed(bench: Bench, step_id: str, config: TransformConfig, inputs: Mapping[str, Relation]) -> Look:
    first = next(iter(inputs.values()))
    if config.ops and any(map(is_heavy, config.ops)) and first.path is None:
        first = bench.as_table(first)
    at, stages = first, list[Stage]()
    try:
        for index, op in enumerate(config.ops):
            if not op.enabled:
                continue
            before = at
            at = _after(bench, f"{step_id}~{index + 1}", config, index, {at.name: at, **inputs})
            if is_heavy(op) and at.path is None:
                at = bench.as_table(at)
            stages.append(Stage(index, op, before, at))
        table = _table(bench, at)
        changes = _changes(bench, first, stages, bench.count(table))
        wanted = [stage for stage in stages if stage.at == bench.plan.changes_of]
        rows = tuple(row for stage in wanted for row in rows_changed(bench, stage))
    except StepCancelled:
        raise
    except EtlmlError as error:
        raise _blamed(bench, error, stages) from None
    sql = [readable(text) for text in config.statements({name: one.schema for name, one in inputs.items()})]
    return Look(table, bench.count(table), {"ops": changes, "changed_rows": rows, "sql": "\n\n".join(sql)})


def _after(bench: Bench, name: str, config: TransformConfig, index: int, inputs: Mapping[str, Relation]) -> Relation:
    """The table after one op alone; the ops before it are off, so that its place in the list stays what it is."""
    earlier = [op.model_copy(update={"enabled": False}) for op in config.ops[:index]]
    alone = config.model_copy(update={"ops": [*earlier, config.ops[index]]})
    relation = alone.execute(inputs, bench.context(name)).relation
    return bench.named(name, relation)


def _changes(bench: Bench, first: Relation, stages: Sequence[Stage], rows: int) -> tuple[OpChange, ...]:
    """What each op did; rows are counted where an op may change their number, and known at both ends."""
    counting = [place for place, stage in enumerate(stages) if any(effect != "same" for effect in stage.op.effects())]
    found, at = list[OpChange](), bench.count(first) if counting else rows
    cells = cells_changed(bench, stages)
    for place, stage in enumerate(stages):
        before = at
        if place in counting:
            at = rows if place == counting[-1] else bench.count(stage.after)
        found.append(_change(stage, before, at, cells.get(stage.at, Compared())))
    return tuple(found)


def _change(stage: Stage, rows_before: int, rows_after: int, compared: Compared) -> OpChange:
    before, after = stage.before.schema, stage.after.schema
    pairs = list(zip(before.names, after.names, strict=True)) if isinstance(stage.op, Rename) else []
    renamed = tuple((old, new) for old, new in pairs if old != new)
    olds, news = {old for old, _ in renamed}, {new for _, new in renamed}
    return OpChange(
        at=stage.at,
        op=str(getattr(stage.op, "op", "")),
        rows_before=rows_before,
        rows_after=rows_after,
        added=tuple(name for name in after.names if name not in before and name not in news),
        removed=tuple(name for name in before.names if name not in after and name not in olds),
        renamed=renamed,
        retyped=tuple(
            Retyped(column=one.name, before=before.column(one.name).type, after=one.type)
            for one in after
            if not renamed and one.name in before and before.column(one.name).type != one.type
        ),
        compared=compared.rows,
        cells=compared.cells,
    )


def _blamed(bench: Bench, error: EtlmlError, stages: Sequence[Stage]) -> EtlmlError:
    """The error with the op in whose own part it happens; DuckDB computes them as one and cannot say."""
    if "op" in error.details:
        return error
    for stage in stages:
        try:
            _table(bench, stage.after)
        except StepCancelled:
            raise
        except EtlmlError as own:
            own.message = f"Op {stage.at + 1} ({getattr(stage.op, 'op', '')}): {own.message}"
            own.args = (own.message,)
            own.details["op"] = stage.at
            return own
    return error


def _validated(bench: Bench, step_id: str, config: ValidateConfig, inputs: Mapping[str, Relation]) -> Look:
    (given,) = inputs.values()
    table = bench.as_table(given)
    results, rest, aside = bench.judged(f"{step_id}~rest", config, table)
    if aside:
        bench.notes.append(f"{aside:,} rows would be set aside in quarantine.")
    grave = any(not result.success and result.severity in ("error", "critical") for result in results)
    pairs = zip(rules_on(config.rules), results, strict=True)
    by_row = all(rule.by_row for rule, result in pairs if rule.is_grave and not result.success)
    breaks = grave and (config.on_failure == "fail" or (config.on_failure == "quarantine" and not by_row))
    shown = _table(bench, rest)
    measured = measure([], table, bench.session)
    failing = [
        f"-- rows that break rule {number}: {rule.label}\nSELECT * FROM {quoted(given.name)} WHERE {rule.failing_rows(measured)}"
        for number, rule in enumerate(config.rules, start=1)
        if isinstance(rule, RowRule) and rule.enabled
    ]
    facts = {"rules": tuple(results), "rules_break": breaks, "sql": ";\n\n".join(map(readable, failing))}
    return Look(shown, bench.count(shown), facts)


def _learned(bench: Bench, config: TrainConfig, given: Relation) -> Look:
    target = None if config.target is None else given.schema.column(config.target).name
    features = (
        tuple(column.name for column in given.schema.require(config.features))
        if config.features is not None
        else tuple(name for name in given.schema.names if name != target)
    )
    wanted = [*([target] if target else []), *features]
    frame = bench.session.define("~frame", Query(f"SELECT {quoted_list(wanted)} FROM {quoted(given.name)}"))
    table = _table(bench, frame)
    usable = table.rows or 0
    if target is not None:
        ((usable,),) = bench.session.rows(f"SELECT count({quoted(target)}) FROM {quoted(table.name)}")
    if config.features is None:
        bench.notes.append("No features are chosen: the training takes all columns that can help.")
    learning = Learning(algorithm=config.algorithm, target=target, features=features, usable_rows=usable)
    sql = readable(f"SELECT {quoted_list(wanted)} FROM {quoted(given.name)}")
    return Look(table, bench.count(table), {"learning": learning, "sql": sql})


def _source_sql(bench: Bench, step_id: str) -> str:
    """The view that reads the source, if DuckDB reads it itself."""
    for name in (f"{step_id}~all", step_id):
        found = bench.session.rows(f"SELECT sql FROM duckdb_views() WHERE view_name = '{name}' AND NOT internal")
        if found:
            text = str(found[0][0]).partition(" AS ")[2].rstrip(";")
            return "" if ".copy.parquet" in text or ".source.parquet" in text else readable(text)
    return ""


def readable(sql: str) -> str:
    """SQL laid out for reading, its helper tables named by their number; as it is where it cannot be laid out."""
    try:
        text = sqlglot.transpile(sql, read="duckdb", write="duckdb", pretty=True)[0]
    except (SqlglotError, IndexError, RecursionError):  # brackets in brackets are DuckDB's to count
        text = sql
    number = 1
    while f'"~{number}"' in text:
        text = text.replace(f'"~{number}"', f'"op {number}"')
        number += 1
    return text


def load_target(config: LoadConfig, data_dir: Path) -> LoadTarget:
    """Where a load would write, and what it would do there; nothing is opened for writing."""
    sink = config.sink
    path, table = getattr(sink, "path", None), getattr(sink, "table", None)
    place = " · ".join(str(part) for part in (path, table and f"table {table}") if part) or sink.kind
    exists = _exists(sink.kind, path, table, data_dir)
    return LoadTarget(kind=sink.kind, place=place, mode=config.mode, exists=exists, effect=_effect(config, exists))


def _exists(kind: str, path: Any, table: Any, data_dir: Path) -> bool | None:
    if not isinstance(path, str) or "://" in path:
        return None
    where = located(path, data_dir)
    if not where.exists() or table is None:
        return where.exists()
    if kind != "sqlite":
        return None  # only a run opens a DuckDB file: looking into it would keep its writers out
    try:
        with sqlite_files.reading(where) as database:
            return str(table).lower() in {name.lower() for name in sqlite_files.tables(database)}
    except EtlmlError:
        return None


def _effect(config: LoadConfig, exists: bool | None) -> str:
    if exists is False:
        return "It is not there yet; the load makes it."
    if config.mode == "append":
        return "The rows are added to those that are there."
    if config.mode == "merge":
        return f"Each row replaces the one with the same {', '.join(config.keys)}, or is added."
    return "The rows replace all that is there."
