"""The figures of the dashboard."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict, get_args

from etlml.clock import utc_now
from etlml.cron import next_fires, zone
from etlml.documents import Model, Run, RunStatus, Worker
from etlml.errors import ConfigInvalid
from etlml.store import Store

DEFAULT_RANGE = timedelta(days=7)
_SHOWN = 10
_MOST_TRAININGS = 500


class Overview(TypedDict):
    """What the dashboard shows of the time since a moment.

    Attributes:
        runs: counts {status: n}, success_rate, by_day, by_pipeline.
        before: counts and success_rate of as long a time before that.
        total_runs: All that there are, as for the other counts.
        queue: pending and running.
        running, failures, missed, recent: The newest of each, without their steps.
        in_production: Models.
        next_fires: As ``StatsService.next_fires`` has them, of the next 24 h.
        quality: counts {status: n}, score, by_day.
        models: How many are in each status.
        health: workers, slots, busy.
    """

    since: datetime
    pipelines: int
    experiments: int
    validations: int
    runs: dict[str, Any]
    before: dict[str, Any]
    total_runs: int
    queue: dict[str, int]
    running: Sequence[Run]
    failures: Sequence[Run]
    missed: Sequence[Run]
    recent: Sequence[Run]
    in_production: Sequence[Model]
    next_fires: Sequence[dict[str, Any]]
    quality: dict[str, Any]
    models: dict[str, int]
    health: dict[str, int]


class StatsService:
    """Overviews, computed by the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def overview(
        self,
        since: datetime | None = None,
        *,
        timezone: str = "UTC",
        now: datetime | None = None,
        hourly: bool = False,
    ) -> Overview:
        """What the dashboard shows of the time since then (7 days by default); ``hourly`` counts runs by hour, not by day.

        Raises:
            ConfigInvalid: The time zone is not known.
        """
        zone(timezone)  # refuses an unknown one with the nearest name
        now = now or utc_now()
        since = since or now - DEFAULT_RANGE
        totals = self._store.runs.counts_by_status()
        workers = self._store.workers.list_alive(now)
        return {
            "since": since,
            "pipelines": self._store.pipelines.count(),
            "experiments": self._store.experiments.count(),
            "validations": self._store.validations.count(),
            "runs": self._store.runs.stats(since, timezone=timezone, hourly=hourly),
            "before": self._before(since, now),
            "total_runs": sum(totals.values()),
            "queue": {status: totals.get(status, 0) for status in ("pending", "running")},
            "running": self._runs(status="running"),
            "failures": self._runs(status="failed", since=since),
            "missed": self._runs(status="missed", since=since),
            "recent": self._runs(),
            "in_production": self._store.models.list(status="deployed", limit=_SHOWN).items,
            "next_fires": self.next_fires(now),
            "quality": self._store.validations.stats(since, timezone=timezone),
            "models": self._store.models.counts_by_status(),
            "health": {"workers": len(workers), **_slots(workers)},
        }

    def _before(self, since: datetime, now: datetime) -> dict[str, Any]:
        counts = self._store.runs.counts_by_status(since=since - (now - since), until=since)
        ended = counts.get("success", 0) + counts.get("failed", 0)
        return {"counts": counts, "success_rate": counts.get("success", 0) / ended if ended else None}

    def figures(self, *, within: timedelta, now: datetime | None = None) -> dict[str, Any]:
        """Figures for monitoring: of all runs and of the time ``within``.

        Returns:
            runs {status: n}; runs_last_day {status: n}; success_rate; mean_s and max_s {pipeline: seconds}; training_s
            {mean, max}; connections {current, available}; workers {alive, slots, busy}.
        """
        now = now or utc_now()
        recent = self._store.runs.stats(now - within)
        workers = self._store.workers.list_alive(now)
        return {
            "runs": dict.fromkeys(get_args(RunStatus), 0) | self._store.runs.counts_by_status(),
            "runs_last_day": recent["counts"],
            "success_rate": recent["success_rate"],
            "mean_s": _by_pipeline(recent, "mean_s"),
            "max_s": _by_pipeline(recent, "max_s"),
            "training_s": self._training_durations(now - within),
            "connections": self._store.connection_counts(),
            "workers": {"alive": len(workers), **_slots(workers)},
        }

    def _training_durations(self, since: datetime) -> dict[str, float]:
        found = self._store.experiments.list(status="completed", since=since, limit=_MOST_TRAININGS).items
        seconds = [(each.finished_at - each.created_at).total_seconds() for each in found if each.finished_at]
        return {"mean": sum(seconds) / len(seconds), "max": max(seconds)} if seconds else {}

    def next_fires(
        self, now: datetime | None = None, *, within: timedelta = timedelta(hours=24)
    ) -> Sequence[dict[str, Any]]:
        """Each schedule's next fire: ``[{"pipeline_id", "pipeline", "at", "paused"}]``, the soonest first."""
        now = now or utc_now()
        found: list[dict[str, Any]] = []
        for pipeline in self._store.pipelines.scheduled():
            try:
                fires = next_fires(str(pipeline.schedule), pipeline.timezone, now, 1)
            except ConfigInvalid:  # saved by a version that could read it; the pipeline's page says what is wrong
                continue
            if fires and fires[0] <= now + within:
                found.append(
                    {
                        "pipeline_id": pipeline.id,
                        "pipeline": pipeline.name,
                        "at": fires[0],
                        "paused": pipeline.options.paused,
                    }
                )
        return sorted(found, key=lambda fire: fire["at"])

    def _runs(self, **filters: Any) -> Sequence[Run]:
        return self._store.runs.list(limit=_SHOWN, with_steps=False, **filters).items


def _slots(workers: Sequence[Worker]) -> dict[str, int]:
    return {
        "slots": sum(worker.slots for worker in workers),
        "busy": sum(len(worker.running) for worker in workers),
    }


def _by_pipeline(stats: dict[str, Any], figure: str) -> dict[str, float]:
    return {each["pipeline_name"]: each[figure] for each in stats["by_pipeline"] if each[figure] is not None}
