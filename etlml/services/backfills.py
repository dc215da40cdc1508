"""Backfills: one run for each moment at which a schedule would have fired."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from etlml.clock import new_id
from etlml.cron import fires_between
from etlml.errors import ConfigInvalid, Conflict
from etlml.services.audit import AuditService
from etlml.services.principals import LOCAL_NAME
from etlml.services.runs import RunService

if TYPE_CHECKING:
    from etlml.store import Store

MOST_RUNS = 1000


class BackfillService:
    """Makes up for the past; ``max_running`` of the pipeline bounds how many runs go on side by side."""

    def __init__(self, store: Store, audit: AuditService, runs: RunService) -> None:
        self._store = store
        self._audit = audit
        self._runs = runs

    def moments(self, name_or_id: str, since: datetime, until: datetime) -> list[datetime]:
        """When the pipeline's schedule fires, since <= moment <= until: the dry run of ``start``.

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
    ) -> dict[str, Any]:
        """Queue the runs: ``{"backfill_id", "moments", "run_ids", "already_there"}``; moments that have a run are passed over."""
        moments = self.moments(name_or_id, since, until)
        backfill_id, run_ids, already_there = new_id(), list[str](), list[datetime]()
        for moment in moments:
            try:
                run = self._runs.start(
                    name_or_id, params, trigger="backfill", author=author, scheduled_for=moment, backfill_id=backfill_id
                )
                run_ids.append(run.id)
            except Conflict:
                already_there.append(moment)
        self._audit.record(author, "backfilled", "pipeline", name_or_id, backfill_id=backfill_id, runs=len(run_ids))
        return {"backfill_id": backfill_id, "moments": moments, "run_ids": run_ids, "already_there": already_there}
