"""Two runs side by side: what was changed, what came of it, and which rows differ."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from etlml.compute.row_diff import MEMORY, RowDiff, diff_files, suggested_keys, write_diff
from etlml.documents import PipelineDraft, Run, StepRun
from etlml.errors import InvalidInput, NotFound
from etlml.services.comparison import (
    ColumnDifference,
    Difference,
    FigurePair,
    RowDifference,
    RunComparison,
    RunFacts,
    StepDifference,
    StepFigures,
    StepPair,
    StepRows,
)
from etlml.services.rows import json_value, parquet_page
from etlml.services.run_rows import RunRows
from etlml.services.version_diff import FieldChange, changed_settings, changed_steps, differences, yaml_diff
from etlml.services.yaml_text import to_yaml
from etlml.settings import Settings
from etlml.store import Store

MOST_ROWS = 1000
LAST_SUCCESS = "last-success"


class ComparisonService:
    """Compares runs; nothing is changed."""

    def __init__(self, store: Store, rows: RunRows, environment: Settings) -> None:
        self._store = store
        self._rows = rows
        self._environment = environment

    def runs(self, before: str, after: str) -> RunComparison:
        """Two runs, of one pipeline or of two.

        Args:
            before: A run, or ``last-success``: the last success of the other's pipeline before it.
            after: A run.

        Raises:
            NotFound: There is no such run.
        """
        second = self._store.runs.get(after)
        first = self._store.runs.get(self._id(before, after))
        drafts = self._draft(first), self._draft(second)
        left, right = drafts
        changes = changed_steps(left.steps, right.steps) if left and right else []
        figures = [self._training_figures(run) for run in (first, second)]
        scores, rules = zip(*(self._check_figures(run) for run in (first, second)), strict=True)
        return RunComparison(
            before=_facts(first),
            after=_facts(second),
            params=_plain(differences("", first.params, second.params)),
            settings=_plain(changed_settings(left, right)) if left and right else [],
            changes=[
                StepDifference(step=each.step, kind=each.kind, was=each.was, fields=_plain(each.fields))
                for each in changes
            ],
            environment=_plain(differences("", figures[0][1], figures[1][1])),
            steps=list(_step_pairs(first, second, {each.step for each in changes})),
            metrics=list(_pairs(figures[0][0], figures[1][0])),
            scores=list(_pairs(*scores)),
            rules=[pair for pair in _pairs(*rules) if pair.before != pair.after],
            yaml=yaml_diff(to_yaml(left), to_yaml(right)) if left and right else [],
            versions_known=left is not None and right is not None,
        )

    def keys(self, before: str, after: str, step: str) -> tuple[list[str], list[str]]:
        """The columns that both results of a step have, and those of them that tell its rows apart (if a few tries found any)."""
        files = self._files(before, after, step)
        columns = [[column["name"] for column in parquet_page(path, limit=1)["columns"]] for path in files]
        return [column for column in columns[0] if column in columns[1]], suggested_keys(
            *files, memory_bytes=self._memory
        )

    def step(
        self, before: str, after: str, step: str, *, keys: Sequence[str] | None = None, limit: int = 100
    ) -> StepRows:
        """How the rows that a step gave differ; by its first unique columns unless ``keys`` are given.

        Raises:
            NotFound: A run has no such step, or its rows have been removed.
            StateConflict: A run kept no rows of that step; the message says why.
            InvalidInput: The keys do not tell rows apart, or no columns were found that do.
            ColumnMissing: A key is missing in one of the results.
        """
        if not 0 <= limit <= MOST_ROWS:
            raise InvalidInput(f"limit is {limit}. Give 0 to {MOST_ROWS}.", field="limit")
        files = self._files(before, after, step)
        return _rows(step, diff_files(*files, keys=keys or None, limit=limit, memory_bytes=self._memory))

    def write(self, before: str, after: str, step: str, target: Path, *, keys: Sequence[str] | None = None) -> Path:
        """Write every row that differs to a CSV or Parquet file; raises what ``step`` raises."""
        write_diff(*self._files(before, after, step), target, keys=keys or None, memory_bytes=self._memory)
        return target

    @property
    def _memory(self) -> int:
        return min(self._environment.run_memory, MEMORY)

    def _files(self, before: str, after: str, step: str) -> tuple[Path, Path]:
        return self._rows.kept(self._id(before, after), step), self._rows.kept(after, step)

    def _id(self, before: str, after: str) -> str:
        if before != LAST_SUCCESS:
            return before
        found = self._store.runs.success_before(self._store.runs.get(after))
        if found is None:
            raise NotFound("successful run before", after)
        return found

    def _draft(self, run: Run) -> PipelineDraft | None:
        try:
            return self._store.pipelines.version(run.pipeline_id, run.pipeline_version).document
        except NotFound:
            return None

    def _training_figures(self, run: Run) -> tuple[dict[tuple[str, str], float | None], dict[str, str]]:
        """The metrics of the run's trainings, and where the last of them took place."""
        metrics: dict[tuple[str, str], float | None] = {}
        environment: dict[str, str] = {}
        for experiment in self._store.experiments.list(run_id=run.id, limit=200).items:
            environment |= experiment.environment
            for name, value in experiment.metrics.items():
                metrics[experiment.step_id or experiment.name, name] = value
        for step in run.steps:  # a training taken from the cache has no experiment of its own
            for name, value in _numbers(step.metrics.get("metrics") if step.type == "train" else None):
                metrics.setdefault((step.id, name), value)
        return metrics, environment

    def _check_figures(
        self, run: Run
    ) -> tuple[dict[tuple[str, str], float | None], dict[tuple[str, str], float | None]]:
        """The scores of the run's validations, and the failing rows of their rules."""
        scores: dict[tuple[str, str], float | None] = {}
        rules: dict[tuple[str, str], float | None] = {}
        for validation in self._store.validations.list(run_id=run.id, limit=200).items:
            where = validation.step_id or validation.name
            scores.setdefault((where, validation.name), validation.score)
            for rule in validation.rules:
                rules.setdefault(
                    (where, f"{rule.rule} {rule.column}" if rule.column else rule.rule), float(rule.failed)
                )
        return scores, rules


def _facts(run: Run) -> RunFacts:
    shared = {name: getattr(run, name) for name in RunFacts.model_fields if name != "error"}
    message = run.error.message.partition("\n")[0] if run.error else None
    return RunFacts(**shared, error=message)


def _plain(changes: Iterable[FieldChange]) -> list[Difference]:
    return [
        Difference(
            path=each.path,
            kind=each.kind,
            before=json_value(each.before),
            after=json_value(each.after),
            items=list(each.items),
        )
        for each in changes
    ]


def _step_pairs(before: Run, after: Run, changed: set[str]) -> Iterator[StepPair]:
    """All steps of both runs, in the order of the later one; those that are gone last."""
    old, new = ({step.id: step for step in run.steps} for run in (before, after))
    for step_id, one in {**new, **{step_id: step for step_id, step in old.items() if step_id not in new}}.items():
        left, right = old.get(step_id), new.get(step_id)
        yield StepPair(
            step=step_id,
            name=one.name or step_id,
            type=one.type,
            before=_figures(left),
            after=_figures(right),
            comparable=bool(left and right and left.checkpoint and right.checkpoint),
            data_changed=_data_changed(left, right, step_id in changed),
        )


def _figures(step: StepRun | None) -> StepFigures | None:
    if step is None:
        return None
    return StepFigures(
        status=step.status,
        rows_in=step.rows_in,
        rows_out=step.rows_out,
        bytes=step.bytes,
        duration_s=None if step.fused_into else step.duration_s,
        error=step.error.message.partition("\n")[0] if step.error else None,
    )


def _data_changed(before: StepRun | None, after: StepRun | None, redefined: bool) -> bool | None:
    """An extract step's key stands for its config and for its source's data: unlike keys of an unchanged config tell."""
    if before is None or after is None or after.type != "extract" or redefined:
        return None
    if before.cache_key is None or after.cache_key is None:
        return None
    return before.cache_key != after.cache_key


def _numbers(found: Any) -> Iterator[tuple[str, float]]:
    if isinstance(found, Mapping):
        for name, value in found.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield str(name), float(value)


def _pairs(
    before: Mapping[tuple[str, str], float | None], after: Mapping[tuple[str, str], float | None]
) -> Iterator[FigurePair]:
    for step, name in dict.fromkeys([*after, *before]):
        yield FigurePair(step=step, name=name, before=before.get((step, name)), after=after.get((step, name)))


def _rows(step: str, found: RowDiff) -> StepRows:
    return StepRows(
        step=step,
        keys=list(found.keys),
        rows_before=found.rows_before,
        rows_after=found.rows_after,
        added=found.added,
        removed=found.removed,
        changed=found.changed,
        same=found.same,
        columns=[ColumnDifference(column=each.column, before=each.before, after=each.after) for each in found.columns],
        changes=found.changes,
        rows=[
            RowDifference(
                kind=each.kind,
                key=json_value(each.key),
                before=json_value(each.before),
                after=json_value(each.after),
                columns=list(each.columns),
            )
            for each in found.rows
        ],
    )
