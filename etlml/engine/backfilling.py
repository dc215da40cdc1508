"""Works off backfills: a few runs at a time, until each interval has its run."""

import logging
from typing import TYPE_CHECKING

from etlml.clock import Clock
from etlml.documents import Backfill, Run
from etlml.engine.new_runs import new_run, run_id_for
from etlml.errors import Conflict, NotFound, StateConflict

if TYPE_CHECKING:
    from etlml.store.client import Store

BEHIND = 10
LOG = logging.getLogger(__name__)


class Backfilling:
    """Keeps up to ``parallel`` runs of each running backfill in the queue; safe to run in every worker at once."""

    def __init__(self, store: "Store", now: Clock) -> None:
        self._store, self._now = store, now

    def tick(self) -> list[Run]:
        """Queue what may start now, and end the backfills whose runs have ended; the runs that were queued."""
        queued: list[Run] = []
        for backfill in self._store.backfills.list(status="running", limit=100).items:
            queued += self._advance(backfill)
        return queued

    def _advance(self, backfill: Backfill) -> list[Run]:
        ids = {run_id_for(backfill.id, moment.isoformat()): moment for moment in backfill.intervals}
        there = self._store.runs.get_many(list(ids))
        active = [run for run in there.values() if not run.is_final]
        missing = [(run_id, moment) for run_id, moment in ids.items() if run_id not in there]
        if not missing and not active:
            self._end(backfill, list(there.values()))
            return []
        try:
            pipeline = self._store.pipelines.get(backfill.pipeline_id)
        except NotFound:
            self._move(backfill, "failed")
            return []
        queued: list[Run] = []
        for run_id, moment in missing[: max(0, backfill.parallel - len(active))]:
            run = new_run(
                pipeline,
                trigger="backfill",
                now=self._now(),
                params=backfill.params,
                scheduled_for=moment,
                reason=f"Backfill {backfill.id}.",
                triggered_by=backfill.author,
                run_id=run_id,
            )
            run.backfill_id = backfill.id
            run.max_running = max(run.max_running, backfill.parallel)
            run.priority = pipeline.priority - BEHIND  # what is due today goes first
            try:
                queued.append(self._store.runs.add(run))
            except Conflict:
                LOG.debug("run %s of backfill %s is there already", run_id, backfill.id)
        if queued and self._store.backfills.get(backfill.id).status == "cancelled":
            self._take_back(queued)  # whoever cancelled it may have looked for runs before these were there
            return []
        return queued

    def _take_back(self, runs: list[Run]) -> None:
        for run in runs:
            try:
                self._store.runs.request_cancel(run.id, reason="Its backfill was cancelled.")
            except StateConflict:
                LOG.debug("run %s ended before it could be cancelled", run.id)

    def _end(self, backfill: Backfill, runs: list[Run]) -> None:
        self._move(backfill, "completed" if all(run.status == "success" for run in runs) else "failed")

    def _move(self, backfill: Backfill, status: str) -> None:
        try:
            self._store.backfills.move(backfill.id, {"running"}, status, finished_at=self._now())
        except StateConflict:
            LOG.debug("backfill %s was moved by somebody else", backfill.id)
