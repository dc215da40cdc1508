"""Where a preview is computed: a shut-in session in a temporary folder, with a deadline and a part of the sources."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etlml.compute.children import Children
from etlml.compute.names import quoted
from etlml.compute.relation import Query, Relation
from etlml.compute.session import Session
from etlml.documents import RuleResult
from etlml.errors import EtlmlError, StepCancelled
from etlml.services.preview.effort import Effort, WatchedChildren
from etlml.services.preview.plan import Plan
from etlml.services.preview.sources import SourceCopies
from etlml.steps.base import StepContext
from etlml.steps.check import CheckedStep
from etlml.steps.extract import ExtractConfig
from etlml.steps.ops import Op
from etlml.steps.transform import TransformConfig
from etlml.steps.validate import ValidateConfig
from etlml.validation.evaluate import evaluate, measure
from etlml.validation.rule import RowRule
from etlml.validation.step_rules import check_rules, rules_on

MOST_COPIED = 200_000
"""Rows that are copied at most from a database or workbook."""
_HEAVY = frozenset({"aggregate", "pivot", "unpivot", "dedupe", "window", "sql", "python", "sample", "sort", "unnest"})


@dataclass(frozen=True)
class Reach:
    """How much of the sources is read: so many rows of the main one, so many of each other; None is all."""

    main: int | None = None
    others: int | None = None


class NoTracker:
    """A preview trains nothing: that one of these is called would be a fault of the platform, which must not pass unseen."""

    def start(self, **_: Any) -> str:
        raise NotImplementedError

    def point(self, *_: Any) -> None:
        raise NotImplementedError

    def complete(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    def fail(self, *_: Any) -> None:
        raise NotImplementedError


@dataclass
class Bench:
    """One attempt at a preview.

    Attributes:
        deadline: When it is over, however little was done by then.
        effort: Makes what says for how long Python code may work.
        tables: Which relations are kept as tables of the session, by name.
        cut: Extract steps of which not all rows were read, with the number that was.
        notes: What the reader should know.
    """

    plan: Plan
    reach: Reach
    session: Session
    data_dir: Path
    copies: SourceCopies
    children: Callable[[], Children]
    memory_bytes: int
    deadline: float
    effort: Callable[[], Effort]
    relations: dict[str, Relation] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def build_inputs(self) -> Mapping[str, Relation]:
        """Compute, or rather bind, what the step needs; its inputs by id.

        Raises:
            EtlmlError: A step before it fails; ``details['step']`` says which.
        """
        takers = [need for one in self.plan.steps for need in one.needs]
        for checked in self.plan.steps[:-1]:
            with _of_step(checked.step.id):
                relation = self.built(checked)
                if takers.count(checked.step.id) > 1 and checked.step.type != "extract":
                    relation = self.as_table(relation)
            self.relations[checked.step.id] = relation
        return {need: self.relations[need] for need in self.plan.target.needs}

    def built(self, checked: CheckedStep) -> Relation:
        """One step's result."""
        inputs = {need: self.relations[need] for need in checked.needs}
        config = checked.config
        if isinstance(config, ExtractConfig):
            return self.extracted(checked.step.id, config)
        if isinstance(config, TransformConfig):
            relation = config.execute(inputs, self.context(checked.step.id)).relation
            return self.as_table(relation) if any(map(is_heavy, config.ops)) else self.named(checked.step.id, relation)
        (given,) = inputs.values()
        if isinstance(config, ValidateConfig) and config.on_failure == "quarantine":
            return self.judged(checked.step.id, config, self.as_table(given))[1]
        return self.named(checked.step.id, given)

    def extracted(self, step_id: str, config: ExtractConfig) -> Relation:
        """The source's rows, or the first of them."""
        limit = self.reach.main if step_id == self.plan.main else self.reach.others
        fingerprint = self.plan.sources[step_id]
        key = f"{config.model_dump_json()}|{fingerprint}|{limit}"
        path = self.session.folder / f"{step_id}.copy.parquet"
        if fingerprint is not None and (copy := self.copies.take(key, path)) is not None:
            relation = self.session.attach(step_id, path)
            if copy.is_cut:
                self.cut[step_id] = relation.rows or 0
            return relation
        context = self.context(f"{step_id}~all", most_rows=limit or MOST_COPIED)
        found = config.execute({}, context).relation
        if found.is_lazy and all(file.suffix in (".parquet", ".pq") for file in found.source_files):
            return self._first_rows(step_id, found, limit)
        relation = self._copied(step_id, found, limit, path)
        is_cut = relation.rows == (limit if found.is_lazy else limit or MOST_COPIED)
        if is_cut:
            self.cut[step_id] = relation.rows or 0
        if fingerprint is not None and relation.path is not None:
            self.copies.keep(key, relation.path, is_cut=is_cut)
        return relation

    def _first_rows(self, step_id: str, found: Relation, limit: int | None) -> Relation:
        """A view of Parquet files: cheap to read as often as needed."""
        if limit is None:
            return self.named(step_id, found)
        if self.count(found) > limit:
            self.cut[step_id] = limit
        return self.session.define(step_id, Query(f"SELECT * FROM {quoted(found.name)} LIMIT {limit}"))

    def _copied(self, step_id: str, found: Relation, limit: int | None, path: Path) -> Relation:
        """The rows of what is slow to read, in a Parquet file."""
        if found.path is not None:
            return self.session.renamed(found, step_id)
        rows = f"SELECT * FROM {quoted(found.name)}" + (f" LIMIT {limit}" if limit is not None else "")
        return self.session.materialise(self.session.define(step_id, Query(rows)), path)

    def judged(
        self, name: str, config: ValidateConfig, relation: Relation
    ) -> tuple[Sequence[RuleResult], Relation, int]:
        """What each rule finds in a table, what would go on, and how many rows would be set aside."""
        check_rules(config.rules, relation.schema)
        rules = rules_on(config.rules)
        results = evaluate(rules, relation, self.session)
        broken = [rule for rule, result in zip(rules, results, strict=True) if rule.is_grave and not result.success]
        aside = [rule for rule in broken if isinstance(rule, RowRule)]
        if config.on_failure != "quarantine" or not aside:
            return results, self.named(name, relation), 0
        fails = " OR ".join(
            f"coalesce({rule.failing_rows(measure([], relation, self.session))}, FALSE)" for rule in aside
        )
        rest = self.session.define(name, Query(f"SELECT * FROM {quoted(relation.name)} WHERE NOT ({fails})"))
        return results, rest, self.count(relation) - self.count(rest)

    def context(self, step_id: str, *, most_rows: int | None = None) -> StepContext:
        """The world as a previewed step sees it: nothing that it does there lasts."""
        return StepContext(
            step_id=step_id,
            load_id="preview",
            folder=self.session.folder,
            data_dir=self.data_dir,
            session=self.session,
            children=WatchedChildren(self.children, self.effort),  # type: ignore[arg-type]
            tracker=NoTracker(),
            log=lambda level, message: self.notes.append(message) if level in ("WARNING", "ERROR") else None,
            cancelled=lambda: time.monotonic() > self.deadline,
            memory_bytes=self.memory_bytes,
            checkpoint=self.checkpoint,
            most_rows=most_rows,
        )

    def checkpoint(self, relation: Relation) -> Relation:
        """A relation in a Parquet file of the temporary folder."""
        if not relation.is_lazy:
            return relation
        return self.session.materialise(relation, self.session.folder / f"{relation.name}.parquet")

    def named(self, name: str, relation: Relation) -> Relation:
        """The relation under another name."""
        if relation.name == name:
            return relation
        with self.session.cursor() as cursor:
            cursor.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT * FROM {quoted(relation.name)}")
        if relation.name in self.tables:
            self.tables[name] = self.tables[relation.name]
        return Relation(name, relation.schema, path=relation.path, rows=relation.rows)

    def as_table(self, relation: Relation) -> Relation:
        """The relation computed once, in memory (DuckDB spills it if it must)."""
        if relation.name in self.tables:
            return relation
        table = f"{relation.name}~table"
        rows = f"SELECT * FROM {quoted(relation.name)}"
        ((count,),) = self.session.rows(f"CREATE OR REPLACE TABLE {quoted(table)} AS {rows}")
        with self.session.cursor() as cursor:
            cursor.execute(f"CREATE OR REPLACE VIEW {quoted(relation.name)} AS SELECT * FROM {quoted(table)}")
        self.tables[relation.name] = table
        return Relation(relation.name, relation.schema, path=relation.path, rows=int(count))

    def count(self, relation: Relation) -> int:
        """The number of rows."""
        if relation.rows is not None:
            return relation.rows
        ((rows,),) = self.session.rows(f"SELECT count(*) FROM {quoted(relation.name)}")
        return int(rows)


def is_heavy(op: Op) -> bool:
    """Whether computing the op twice costs more than keeping its result."""
    return op.enabled and getattr(op, "op", "") in _HEAVY


class Later:
    """Child processes that start when the first one is needed."""

    def __init__(self, children: Callable[[], Children]) -> None:
        self._children = children

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self._children().run(*args, **kwargs)


class _of_step:  # noqa: N801  reads as a with statement
    """Have errors say in which step they happened."""

    def __init__(self, step_id: str) -> None:
        self._step_id = step_id

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, EtlmlError) and not isinstance(error, StepCancelled):
            error.details.setdefault("step", self._step_id)
