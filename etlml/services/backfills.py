"""Backfills: one run for each moment at which a schedule would have fired."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from etlml.clock import new_id, utc_now
from etlml.cron import fires_between
from etlml.documents import Backfill
from etlml.errors import ConfigInvalid, Conflict
from etlml.services.audit import AuditService
from etlml.services.params import merged_params
from etlml.services.principals import LOCAL_NAME
from etlml.services.runs import RunService
from etlml.store import Page, Store

MOST_RUNS = 1000
LATER = -10  # what is made up for lets today's runs go first


class BackfillService:
    """Makes up for the past; the pipeline's ``max_running`` bounds how many of the runs go on side by side."""

    def __init__(self, store: Store, audit: AuditService, runs: RunService) -> None:
        self._store = store
        self._audit = audit
        self._runs = runs

    def list(self, *, pipeline_id: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[Backfill]:
        """Backfills, newest first."""
        return self._store.backfills.list(pipeline_id=pipeline_id, limit=limit, cursor=cursor)

    def get(self, backfill_id: str) -> Backfill:
        """The backfill of that id; NotFound if there is none."""
        return self._store.backfills.get(backfill_id)

    def moments(self, name_or_id: str, since: datetime, until: datetime) -> Sequence[datetime]:
        """When the pipeline's schedule fires, since <= moment <= until: what ``start`` would make runs for.

        Raises:
            ConfigInvalid: The pipeline has no schedule, or the range is empty or holds too many.
        """
        pipeline = self._store.pipelines.find(name_or_id)
        if pipeline.schedule is None:
            raise ConfigInvalid(
                f"Pipeline {pipeline.name!r} has no schedule to take the moments from. Give it one.", field="schedule"
            )
        if since > until:
            raise ConfigInvalid("The range ends before it starts. Swap since and until.", field="until")
        found = fires_between(
            pipeline.schedule, pipeline.timezone, since - timedelta(seconds=1), until, limit=MOST_RUNS + 1
        )
        if len(found) > MOST_RUNS:
            raise ConfigInvalid(f"The range holds more than {MOST_RUNS:,} fires. Split it.", field="until")
        return found

    def start(
        self,
        name_or_id: str,
        since: datetime,
        until: datetime,
        *,
        params: Mapping[str, Any] | None = None,
        author: str = LOCAL_NAME,
        document_id: str | None = None,
    ) -> Backfill:
        """Queue a run for each moment, the oldest first.

        Raises:
            ConfigInvalid: There is no moment in the range, or a parameter cannot be used.
        """
        moments = self.moments(name_or_id, since, until)
        if not moments:
            raise ConfigInvalid("The schedule does not fire within this range. Choose another one.", field="since")
        pipeline = self._store.pipelines.find(name_or_id)
        merged_params(pipeline.params, params)
        backfill = Backfill(
            id=document_id or new_id(),
            pipeline_id=pipeline.id,
            pipeline_name=pipeline.name,
            since=since,
            until=until,
            intervals=list(moments),
            parallel=pipeline.max_running,
            params=dict(params or {}),
            author=author,
        )
        self._store.backfills.add(backfill)
        self._queue(backfill)
        self._audit.record(author, "backfilled", "pipeline", pipeline.id, backfill_id=backfill.id, runs=len(moments))
        return backfill

    def counts(self, backfill_id: str) -> dict[str, int]:
        """How many of its runs are in each status."""
        return self._store.runs.counts_by_backfill(backfill_id)

    def cancel(self, backfill_id: str, *, author: str = LOCAL_NAME) -> Backfill:
        """Cancel those of its runs that wait or go on.

        Raises:
            StateConflict: It is over already.
        """
        cancelled = self._store.backfills.move(backfill_id, {"running", "paused"}, "cancelled", finished_at=utc_now())
        for run in self._store.runs.active(cancelled.pipeline_id):
            if run.backfill_id == backfill_id:
                self._runs.cancel(run.id, author=author)
        self._audit.record(author, "cancelled", "backfill", backfill_id, pipeline=cancelled.pipeline_name)
        return cancelled

    def _queue(self, backfill: Backfill) -> None:
        for moment in backfill.intervals:
            try:
                self._runs.start(
                    backfill.pipeline_id,
                    backfill.params,
                    trigger="backfill",
                    author=backfill.author,
                    scheduled_for=moment,
                    backfill_id=backfill.id,
                    priority=LATER,
                )
            except Conflict:  # a request that was repeated: this moment has its run already
                continue
