"""Runs as pages and programs look at them: what is beside a run, runs by day, a pipeline's runs step by step, why one waits."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Unpack

from pydantic import BaseModel, Field

from etlml.clock import utc_now
from etlml.documents import Pipeline, Run, RunStatus, StepRun, StepStatus, StepType, Time, TriggerKind
from etlml.services.run_filter import RunFilter, pipeline_id_of, stored_filter
from etlml.store import Store

GRID_RUNS = 40
RECENT_RUNS = 12
_NEWEST_OF_ALL = 200


class DayCount(BaseModel):
    """How many runs of a day are in one state."""

    day: str = Field(description="Like 2026-01-31, in the time zone that was asked for.")
    status: RunStatus
    runs: int


class GridRun(BaseModel):
    """One column of a grid: a run."""

    id: str
    status: RunStatus
    trigger: TriggerKind
    created_at: Time
    started_at: Time | None
    duration_s: float | None
    warnings: int


class GridCell(BaseModel):
    """What one step did in one run."""

    status: StepStatus
    duration_s: float | None
    rows_out: int | None
    fused_into: str | None = None


class GridStep(BaseModel):
    """One row of a grid: a step, with a cell for each run; null where the run had no such step."""

    id: str
    name: str
    type: StepType
    cells: list[GridCell | None]


class RunGrid(BaseModel):
    """A pipeline's newest runs, oldest first, and its steps as they are in the newest run; those that are gone come last."""

    runs: list[GridRun]
    steps: list[GridStep]


class RunViews:
    """Views of runs; nothing is changed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def beside(self, run: Run) -> tuple[str | None, str | None]:
        """The ids of the pipeline's runs just before and just after this one."""
        return self._store.runs.neighbour(run, later=False), self._store.runs.neighbour(run, later=True)

    def last_success(self, run: Run) -> str | None:
        """The id of the pipeline's last successful run before this one."""
        return self._store.runs.success_before(run)

    def usual_seconds(self, run: Run) -> dict[str, float]:
        """How long each step of the run's pipeline takes in its other runs."""
        return self._store.runs.usual_step_seconds(run.pipeline_id, besides=run.id)

    def usual_step_seconds(self, pipeline_id: str) -> dict[str, float]:
        """How long each step of a pipeline takes, by its newest successful runs."""
        return self._store.runs.usual_step_seconds(pipeline_id)

    def usual_durations(self, pipeline_id: str) -> Sequence[float]:
        """Seconds of the pipeline's newest successful runs, newest first."""
        return self._store.runs.durations(pipeline_id)

    def ended_of(self, person: str, since: datetime) -> list[Run]:
        """The runs that a person started by hand or again and that ended after then, the first to end first, without steps."""
        ended = self._store.runs.ended_after(since)
        return [run for run in ended if run.triggered_by == person and run.trigger in ("manual", "retry")]

    def recent(self, pipelines: Sequence[Pipeline]) -> dict[str, list[Run]]:
        """The newest runs by pipeline, newest first, without steps: one query for most, one more for each that runs rarely."""
        found: dict[str, list[Run]] = {pipeline.id: [] for pipeline in pipelines}
        for run in self._store.runs.list(limit=_NEWEST_OF_ALL, with_steps=False).items:
            runs = found.get(run.pipeline_id)
            if runs is not None and len(runs) < RECENT_RUNS:
                runs.append(run)
        for pipeline in pipelines:
            if pipeline.run_count > len(found[pipeline.id]) < RECENT_RUNS:
                rare = self._store.runs.list(pipeline_id=pipeline.id, limit=RECENT_RUNS, with_steps=False)
                found[pipeline.id] = rare.items
        return found

    def longest(
        self, *, limit: int = 50, skip: int = 0, shortest: bool = False, **wanted: Unpack[RunFilter]
    ) -> Sequence[Run]:
        """Ended runs, the longest (or the shortest) first, without their steps."""
        return self._store.runs.longest(limit=limit, skip=skip, shortest=shortest, **stored_filter(self._store, wanted))

    def by_day(self, *, timezone: str = "UTC", **wanted: Unpack[RunFilter]) -> list[DayCount]:
        """How many runs were created on each day, by state."""
        found = self._store.runs.by_day(timezone=timezone, **stored_filter(self._store, wanted))
        return [DayCount.model_validate(each) for each in found]

    def grid(self, pipeline: str, *, limit: int = GRID_RUNS) -> RunGrid:
        """A pipeline's newest runs against its steps; NotFound if there is neither a pipeline nor a run of it."""
        runs = list(reversed(self._store.runs.grid(pipeline_id_of(self._store, pipeline), limit=limit)))
        if not runs:
            self._store.pipelines.find(pipeline)
        names = {step.id: step for run in runs for step in run.steps}  # as the newest run has them
        newest = [step.id for step in runs[-1].steps] if runs else []
        by_run = [{step.id: step for step in run.steps} for run in runs]
        return RunGrid(
            runs=[GridRun.model_validate({name: getattr(run, name) for name in GridRun.model_fields}) for run in runs],
            steps=[
                GridStep(
                    id=step_id,
                    name=names[step_id].name or step_id,
                    type=names[step_id].type,
                    cells=[_cell(steps.get(step_id)) for steps in by_run],
                )
                for step_id in dict.fromkeys([*newest, *names])
            ],
        )

    def waits_for(self, run: Run) -> str | None:
        """What a waiting run waits for, in words; None if it does not wait."""
        if run.status != "pending":
            return None
        now = utc_now()
        if run.not_before is not None and run.not_before > now:
            return f"for its time: it was put back and starts again {_in_words(run.not_before - now)}"
        workers = self._store.workers.list_alive(now)
        if not workers:
            return "for a worker: none is alive. Start one with: etlml worker"
        others = [one for one in self._store.runs.active(run.pipeline_id) if one.status == "running"]
        if len(others) >= run.max_running:
            most = "one run" if run.max_running == 1 else f"{run.max_running} runs"
            return f"for its turn: the pipeline goes on with {most} at a time, and that many are at work"
        if sum(len(worker.running) for worker in workers) >= sum(worker.slots for worker in workers):
            return "for a free slot: every worker is busy"
        return "for a worker to take it"


def _in_words(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return "shortly" if minutes < 1 else f"in {minutes} minute{'' if minutes == 1 else 's'}"


def _cell(step: StepRun | None) -> GridCell | None:
    if step is None:
        return None
    took = None if step.fused_into else step.duration_s
    return GridCell(status=step.status, duration_s=took, rows_out=step.rows_out, fused_into=step.fused_into)
