"""Puts right what a crash left behind: expired leases, pipelines that say "running" although nothing runs."""

import logging
import platform
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil

from etlml.clock import Clock
from etlml.documents import Worker

if TYPE_CHECKING:
    from etlml.store.client import Store

MAX_ATTEMPTS = 10
"""A run that took so many workers with it ends as failed, rather than crash them for ever."""
SILENT_S = 60.0
LOG = logging.getLogger(__name__)


class Reconciler:
    """Safe to run in every worker at once: each change is one conditional update, so the first one does it."""

    def __init__(self, store: "Store", now: Clock, *, max_attempts: int = MAX_ATTEMPTS) -> None:
        self._store, self._now, self._max_attempts = store, now, max_attempts

    def tick(self) -> int:
        """Take back what nobody works on any more; the number of runs that were."""
        self._expire_dead_neighbours()
        now = self._now()
        taken = 0
        for run in self._store.runs.expired(now):
            back = self._store.runs.take_back(run.id, now, self._max_attempts)
            if back is None:
                continue
            taken += 1
            about = {"run_id": run.id, "pipeline_id": run.pipeline_id}
            LOG.warning(
                "Worker %s was lost; run %s is %s (attempt %d).",
                run.worker,
                run.id,
                back.status,
                run.attempt,
                extra=about,
            )
            if back.is_final:
                self._store.pipelines.mark_run(back.pipeline_id, back)
        self._heal_pipelines()
        self._store.workers.delete_before(now - timedelta(seconds=SILENT_S))
        return taken

    def _expire_dead_neighbours(self) -> None:
        """A worker of this machine whose process is gone won't come back: no need to wait for its leases."""
        for worker in self._store.workers.list_on(platform.node()):
            if not _lives(worker):
                self._store.runs.expire_leases(worker.id, self._now())
                self._store.workers.remove(worker.id)

    def _heal_pipelines(self) -> None:
        """A pipeline shows what its last run came to, even if nobody lived to say so."""
        for status in ("running", "pending"):
            for pipeline in self._store.pipelines.with_status(status):
                if self._store.runs.active(pipeline.id):
                    continue
                last = self._store.runs.get_many([pipeline.last_run_id or ""]).get(pipeline.last_run_id or "")
                if last is None:
                    self._store.pipelines.update(pipeline.id, {"status": "idle"})
                elif last.is_final:
                    self._store.pipelines.mark_run(pipeline.id, last)


def _lives(worker: Worker) -> bool:
    try:
        process = psutil.Process(worker.pid)
        # A process that began after the worker did only inherited its number.
        return (
            process.is_running()
            and process.status() != psutil.STATUS_ZOMBIE
            and (process.create_time() <= worker.started_at.timestamp() + 1)
        )
    except psutil.Error:
        return False
