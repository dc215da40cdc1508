"""Starts runs when schedules say so: one insert a fire, safe to attempt from any number of workers."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from etlml.clock import Clock
from etlml.documents import Pipeline, Run
from etlml.engine.fire_policy import FirePolicy, Policy
from etlml.engine.new_runs import new_run
from etlml.engine.preferences import preferences
from etlml.engine.schedules import OVERLAP_REASON, Fire, decide, due_fires
from etlml.errors import Conflict, EtlmlError, StateConflict

if TYPE_CHECKING:
    from etlml.store.client import Store

LOG = logging.getLogger(__name__)


class Firing:
    """Turns due moments of schedules into runs, or into records of why there is none."""

    def __init__(self, store: "Store", now: Clock) -> None:
        self._store, self._now = store, now
        self._last: dict[str, datetime] = {}

    def tick(self) -> list[Run]:
        """Handle every due moment of every schedule; the runs that were queued."""
        queued: list[Run] = []
        self._last = self._store.schedules.last_fires()
        for pipeline in self._store.pipelines.scheduled():
            try:
                queued += self._handle(pipeline)
            except EtlmlError as error:
                LOG.error("Schedule of %s: %s", pipeline.name, error, extra={"pipeline_id": pipeline.id})
        return queued

    def _handle(self, pipeline: Pipeline) -> list[Run]:
        now = self._now()
        due = due_fires(pipeline, self._last.get(pipeline.id), now)
        if not due:
            return []
        policy = preferences(self._store, FirePolicy).policy(pipeline.options)
        queued = [self._fire(pipeline, fire, policy, now) for fire in decide(due, policy, now)]
        self._last[pipeline.id] = self._store.schedules.advance(pipeline.id, due[-1])
        return [run for run in queued if run is not None]

    def _fire(self, pipeline: Pipeline, fire: Fire, policy: Policy, now: datetime) -> Run | None:
        reason = fire.reason
        action = fire.action
        if action == "run" and policy.overlap != "queue":
            active = self._store.runs.active(pipeline.id)
            if active and policy.overlap == "skip":
                action, reason = "missed", f"Run {active[0].id} {OVERLAP_REASON}"
            for run in active if policy.overlap == "cancel" else ():
                self._cancel(run)
        run = new_run(pipeline, trigger="schedule", now=now, scheduled_for=fire.at, reason=reason)
        if action == "missed":
            run = run.model_copy(update={"status": "missed", "finished_at": now})
        try:
            self._store.runs.add(run)
        except Conflict:
            return None  # another worker was faster
        about = {"pipeline_id": pipeline.id, "run_id": run.id}
        if action == "missed":
            LOG.warning("%s missed its run of %s: %s", pipeline.name, fire.at.isoformat(), reason, extra=about)
            return None
        return run

    def _cancel(self, run: Run) -> None:
        try:
            self._store.runs.request_cancel(run.id, reason="A newer fire of the schedule replaces it.")
        except StateConflict:
            LOG.debug("run %s ended before it could be cancelled", run.id)
