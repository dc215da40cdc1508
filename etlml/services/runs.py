"""Runs: started, watched, cancelled, tried again, looked into."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Unpack

from etlml.clock import utc_now
from etlml.documents import LogEntry, LogLevel, Pipeline, Run, Step, StepRun, TriggerKind
from etlml.engine.new_runs import ended_with, new_run
from etlml.engine.rederiving import kept_file
from etlml.errors import NotFound, StateConflict, StepTimeout
from etlml.services.audit import AuditService
from etlml.services.params import merged_params
from etlml.services.principals import LOCAL_NAME
from etlml.services.retries import FAILED, START, retried_steps
from etlml.services.rows import MOST_ROWS, parquet_page
from etlml.services.rows_again import RowsAgain, Window
from etlml.services.run_filter import RunFilter, stored_filter
from etlml.services.runnable import refuse_unrunnable
from etlml.settings import Settings
from etlml.steps.graph import execution_order
from etlml.store import Page, Store

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 0.5


class RunService:
    """Everything about runs; the work itself is a worker's."""

    def __init__(self, store: Store, audit: AuditService, environment: Settings) -> None:
        self._store = store
        self._audit = audit
        self._environment = environment
        self._again = RowsAgain(store, environment)

    def start(
        self,
        name_or_id: str,
        params: Mapping[str, Any] | None = None,
        *,
        trigger: TriggerKind = "manual",
        author: str = LOCAL_NAME,
        scheduled_for: datetime | None = None,
        priority: int | None = None,
        reason: str | None = None,
        backfill_id: str | None = None,
        document_id: str | None = None,
        cache: bool = True,
        until: str | None = None,
    ) -> Run:
        """Queue a run of the pipeline as it is now; a worker takes it within milliseconds.

        Args:
            cache: Whether steps may use results of earlier runs again; without it each does its work.
            until: The step to end with: only it and what it needs run, the others are skipped.

        Raises:
            NotFound: There is no such pipeline.
            ConfigInvalid: A parameter is not declared, or of the wrong kind; or ``until`` names no step.
            PipelineInvalid: With these parameters it cannot run.
            StateConflict: There is already a run for ``scheduled_for``.
        """
        pipeline = self._store.pipelines.find(name_or_id)
        values = merged_params(pipeline.params, params)
        run = new_run(
            pipeline,
            trigger=trigger,
            now=utc_now(),
            params=values,
            scheduled_for=scheduled_for,
            reason=reason,
            triggered_by=author,
            until=until,
        )
        run.backfill_id = backfill_id
        run.id = document_id or run.id
        run.priority = run.priority if priority is None else priority
        for step in run.steps:
            step.forced = not cache
        self._queue(pipeline, run)
        self._audit.record(
            author, "started", "run", run.id, pipeline=pipeline.name, trigger=trigger, params=dict(params or {})
        )
        return run

    def list(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        with_steps: bool = True,
        newest_first: bool = True,
        **wanted: Unpack[RunFilter],
    ) -> Page[Run]:
        """Runs by their creation; long lists stay light ``with_steps=False``: steps and parameters are empty then."""
        filters = stored_filter(self._store, wanted)
        return self._store.runs.list(
            limit=limit, cursor=cursor, with_steps=with_steps, newest_first=newest_first, **filters
        )

    def get(self, run_id: str) -> Run:
        """The run of that id; NotFound if there is none."""
        return self._store.runs.get(run_id)

    def steps_of(self, run: Run) -> Sequence[Step]:
        """The steps of the pipeline as they were when the run was made; none if that version is gone."""
        try:
            return self._store.pipelines.version(run.pipeline_id, run.pipeline_version).document.steps
        except NotFound:
            return []

    def cancel(self, run_id: str, *, author: str = LOCAL_NAME) -> Run:
        """Take a waiting run from the queue, or have a running one stopped within seconds.

        Raises:
            StateConflict: It is finished already.
        """
        run = self.get(run_id)
        if run.is_final:
            raise StateConflict(f"Run {run_id} is {run.status} already; there is nothing to cancel.", status=run.status)
        cancelled = self._store.runs.request_cancel(run_id, reason=f"Cancelled by {author}.")
        self._audit.record(author, "cancelled", "run", run_id, pipeline=run.pipeline_name)
        if cancelled.is_final:
            self._store.pipelines.mark_run(cancelled.pipeline_id, cancelled)
        return cancelled

    def retry(
        self, run_id: str, from_: str = FAILED, *, author: str = LOCAL_NAME, document_id: str | None = None
    ) -> Run:
        """Queue a new run with the same parameters that takes over what is done.

        The pipeline is taken as it is now, so that a step that was mended runs as mended.

        Args:
            run_id: A finished run.
            from_: ``failed`` (what did not succeed), ``start`` (everything), or a step's id (it and all that depends on it,
                to the end, wherever ``run`` was asked to end).
            author: Who asks.

        Raises:
            StateConflict: It is not finished yet.
            ConfigInvalid: ``from_`` names no step.
        """
        run = self.get(run_id)
        if not run.is_final:
            raise StateConflict(
                f"Run {run_id} is {run.status}. Wait for its end, or cancel it, before a retry.", status=run.status
            )
        pipeline = self._store.pipelines.find(run.pipeline_id)
        params = {name: run.params.get(name, value) for name, value in pipeline.params.items()}
        until = run.until if from_ in (FAILED, START) and run.until in {step.id for step in pipeline.steps} else None
        fresh = new_run(pipeline, trigger="retry", now=utc_now(), params=params, triggered_by=author, until=until)
        steps = retried_steps(run, execution_order(pipeline.steps), self.steps_of(run), from_)
        if until is not None:
            steps = ended_with(until, pipeline.steps, steps)
        fresh.id = document_id or fresh.id
        fresh.retry_from = None if from_ == FAILED else from_
        fresh.retry_of, fresh.steps, fresh.reason = run.id, steps, f"Retry from {from_} of run {run.id[-6:]}."
        self._queue(pipeline, fresh)
        self._audit.record(author, "retried", "run", run_id, pipeline=run.pipeline_name, new_run=fresh.id, start=from_)
        return fresh

    def delete(self, run_id: str, *, author: str = LOCAL_NAME) -> None:
        """Forget a finished run; its checkpoints are freed by retention.

        Raises:
            StateConflict: It is not finished yet.
        """
        run = self.get(run_id)
        if not run.is_final:
            raise StateConflict(f"Run {run_id} is {run.status}. Cancel it before you delete it.", status=run.status)
        self._store.runs.delete_ended([run_id])
        self._audit.record(author, "deleted", "run", run_id, pipeline=run.pipeline_name)

    def logs(
        self,
        run_id: str,
        *,
        level: LogLevel | None = None,
        step_id: str | None = None,
        q: str | None = None,
        limit: int = 200,
        cursor: str | None = None,
    ) -> Page[LogEntry]:
        """What the run logged, newest first."""
        run = self.get(run_id)
        if step_id is not None:
            _step(run, step_id)
        return self._store.logs.query(level=level, run_id=run_id, step_id=step_id, q=q, limit=limit, cursor=cursor)

    def preview(self, run_id: str, step_id: str, *, limit: int = 100, offset: int = 0) -> dict[str, Any]:
        """Rows that a step gave: ``{"columns": [{name, type}], "rows": [{...}], "total", "basis"}``.

        ``basis`` says in a sentence from what they were computed again, where the step kept none; else it is empty.

        Raises:
            NotFound: The run has no such step.
            StateConflict: The step has no rows, or kept none and would give others by now; the message says why.
            StepTimeout: Computing them again takes too long.
        """
        run, step, kept = self._with_rows(run_id, step_id)
        if kept is None:
            return self._again.page(run, step.id, Window(min(limit, MOST_ROWS), offset))
        return parquet_page(kept, limit=limit, offset=offset) | {"basis": ""}

    def all_rows(self, run_id: str, step_id: str, folder: Path) -> Path:
        """A Parquet file with all rows that a step gave: the kept one, else one in ``folder``; raises what ``preview`` raises."""
        run, step, kept = self._with_rows(run_id, step_id)
        return kept or self._again.all(run, step.id, folder)

    def _with_rows(self, run_id: str, step_id: str) -> tuple[Run, StepRun, Path | None]:
        """A step that gave rows, its run, and its file if it kept one."""
        run = self.get(run_id)
        step = _step(run, step_id)
        if step.status not in ("success", "cached") and step.checkpoint is None:
            raise StateConflict(_why_no_rows(step), step=step_id, status=step.status)
        return run, step, kept_file(step, self._environment.runs_dir)

    def rows_file(self, run_id: str, step_id: str) -> Path:
        """The Parquet file in which a step kept all its rows.

        Raises:
            NotFound: The run has no such step, or its checkpoint has been removed.
            StateConflict: The step kept no rows of its own; the message says why.
        """
        step = _step(self.get(run_id), step_id)
        if step.checkpoint is None:
            raise StateConflict(_why_no_rows(step), step=step_id, status=step.status, fused_into=step.fused_into)
        path = self._environment.runs_dir / step.checkpoint
        if not path.is_file():
            raise NotFound("checkpoint", path.name)
        return path

    def wait(self, run_id: str, timeout_s: float | None = None) -> Run:
        """The run once it is finished.

        Raises:
            StepTimeout: It is not finished after ``timeout_s``; it goes on.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        pause = _FIRST_WAIT_S
        while not (run := self.get(run_id)).is_final:
            if deadline is not None and time.monotonic() >= deadline:
                raise StepTimeout(
                    f"Run {run_id} is still {run.status} after {timeout_s:g} s. It goes on; ask again later."
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_WAIT_S)
        return run

    def _queue(self, pipeline: Pipeline, run: Run) -> None:
        refuse_unrunnable(pipeline, run.params, until=run.until)
        self._store.runs.add(run)
        self._store.pipelines.mark_run(pipeline.id, run)


def _step(run: Run, step_id: str) -> StepRun:
    try:
        return run.step(step_id)
    except KeyError:
        raise NotFound("step", step_id, [step.id for step in run.steps]) from None


def _why_no_rows(step: StepRun) -> str:
    if step.status == "skipped" and step.reason:
        return f"Step {step.id!r} has no rows. {step.reason}"
    if step.fused_into:
        return (
            f"Step {step.id!r} was computed together with {step.fused_into!r} and kept no rows of its own. "
            f"Look at the rows of {step.fused_into!r}."
        )
    reasons = {
        "pending": "has not started yet. Wait for it.",
        "running": "is still running. Wait for it.",
        "skipped": "was skipped, so it has no rows. Mend the step that failed before it.",
        "failed": "failed, so it has no rows. See its error.",
    }
    return f"Step {step.id!r} {reasons.get(step.status, 'kept no rows of its own.')}"
