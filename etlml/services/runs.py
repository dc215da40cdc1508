"""Runs: started, watched, cancelled, tried again, forgotten."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from etlml.clock import utc_now
from etlml.documents import LogEntry, LogLevel, Pipeline, Run, Step, TriggerKind
from etlml.engine.new_runs import new_run
from etlml.errors import NotFound, StateConflict, StepTimeout
from etlml.services.audit import AuditService
from etlml.services.params import merged_params
from etlml.services.principals import LOCAL_NAME
from etlml.services.retries import FAILED, retry_of
from etlml.services.run_filter import RunFilter, stored_filter
from etlml.services.run_rows import step_of
from etlml.services.runnable import refuse_unrunnable
from etlml.store import Page, Store

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 0.5


class RunService:
    """Everything about runs; the work itself is a worker's."""

    def __init__(self, store: Store, audit: AuditService) -> None:
        self._store = store
        self._audit = audit

    def start(
        self,
        name_or_id: str,
        params: Mapping[str, Any] | None = None,
        *,
        trigger: TriggerKind = "manual",
        author: str = LOCAL_NAME,
        priority: int | None = None,
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
        """
        pipeline = self._store.pipelines.find(name_or_id)
        run = new_run(
            pipeline,
            trigger=trigger,
            now=utc_now(),
            params=merged_params(pipeline.params, params),
            triggered_by=author,
            until=until,
            run_id=document_id,
        )
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
        fresh = retry_of(run, pipeline, self.steps_of(run), from_, now=utc_now(), author=author, run_id=document_id)
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
            step_of(run, step_id)
        return self._store.logs.query(level=level, run_id=run_id, step_id=step_id, q=q, limit=limit, cursor=cursor)

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
