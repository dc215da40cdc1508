"""What is going on in a seeded database: a worker, a run, a backfill, schedules with missed fires."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from etlml.cron import fires_between
from etlml.documents import Backfill, ErrorInfo, LogEntry, Pipeline, Run, StepRun, Worker
from etlml.store import Store

_STATES = {
    "flights": "success",
    "planes": "success",
    "airlines": "cached",
    "clean": "success",
    "check": "success",
    "save": "success",
}
_ROWS = {"flights": 336_776, "planes": 3_322, "airlines": 16, "clean": 328_063, "check": 328_063, "save": 328_063}
_UNREADABLE = "File 'examples/flights.parquet' could not be read: it ends in the middle of a row group."
_GONE = "No worker was alive at that time."


def seed_present(store: Store, pipelines: Mapping[str, Pipeline], now: datetime) -> None:
    """Add what a worker would take up or bring to an end."""
    store.workers.beat(worker(now, now + timedelta(hours=1)))  # counts as alive for an hour
    _missed(store, pipelines["weather"], now)
    _waiting(store, pipelines["weather"], now)
    _backfills(store, pipelines["daily-summary"], now)
    _trouble(store, pipelines["weather"], now)
    store.pipelines.update(pipelines["fleet-report"].id, {"options.paused": True})
    _running(store, pipelines["flights"], now)


def worker(since: datetime, beat: datetime) -> Worker:
    """The worker that does it all."""
    limits = {"slots": 4, "run_memory": 4 * 10**9}
    return Worker(id="demo", host="workbench", pid=4711, **limits, running=["1"], started_at=since, heartbeat_at=beat)


def _missed(store: Store, pipeline: Pipeline, now: datetime) -> None:
    for at in fires_between(
        pipeline.schedule or "", pipeline.timezone, now - timedelta(hours=30), now - timedelta(hours=21)
    ):
        run = _ended(pipeline, "missed", at, 0)
        store.runs.add(
            run.model_copy(update={"reason": _GONE, "steps": [], "trigger": "schedule", "scheduled_for": at})
        )


def _waiting(store: Store, pipeline: Pipeline, now: datetime) -> None:
    steps = [StepRun(id=step.id, name=step.name, type=step.type) for step in pipeline.steps]
    later = now + timedelta(minutes=20)
    waiting = Run(
        pipeline_id=pipeline.id, pipeline_name=pipeline.name, triggered_by="grace", steps=steps, created_at=now
    )
    store.runs.add(waiting.model_copy(update={"not_before": later, "trigger": "api"}))


def _backfills(store: Store, pipeline: Pipeline, now: datetime) -> None:
    kinds = (("running", 2, 9, 5), ("completed", 30, 5, 5), ("paused", 45, 6, 2), ("cancelled", 60, 4, 1))
    for status, ago, number, done in kinds:
        moments = [now - timedelta(days=ago + number - at) for at in range(number)]
        backfill = Backfill(
            pipeline_id=pipeline.id,
            pipeline_name=pipeline.name,
            status=status,
            since=moments[0],
            until=moments[-1],
            intervals=moments,
            author="grace",
            created_at=now - timedelta(hours=ago * 3),
            finished_at=now - timedelta(hours=ago * 3 - 1) if status in ("completed", "cancelled") else None,
        )
        store.backfills.add(backfill)
        for at, moment in enumerate(moments[:done]):
            run = _ended(pipeline, "failed" if (status, at) == ("running", 3) else "success", backfill.created_at, 0.8)
            about = {"backfill_id": backfill.id, "trigger": "backfill", "scheduled_for": moment}
            store.runs.add(run.model_copy(update={**about, "triggered_by": "grace"}))


def _ended(pipeline: Pipeline, status: str, at: datetime, seconds: float) -> Run:
    state = "success" if status == "success" else "failed"
    steps = [
        StepRun(
            id=step.id,
            name=step.name,
            type=step.type,
            status=state if number == 0 or status == "success" else "skipped",
            started_at=at if number == 0 or status == "success" else None,
            finished_at=at + timedelta(seconds=seconds / 2) if number == 0 or status == "success" else None,
        )
        for number, step in enumerate(pipeline.steps)
    ]
    return Run(
        pipeline_id=pipeline.id,
        pipeline_name=pipeline.name,
        status=status,
        created_at=at,
        started_at=at if seconds else None,
        finished_at=at + timedelta(seconds=seconds),
        duration_s=seconds or None,
        error=ErrorInfo(step=pipeline.steps[0].id, type="DataUnreadable", message=_UNREADABLE)
        if status == "failed"
        else None,
        steps=steps,
        attempt=1,
    )


def _trouble(store: Store, pipeline: Pipeline, now: datetime) -> None:
    """Lines that differ only in numbers: they become groups of equal problems."""
    said = (
        ("WARNING", "worker", "Heartbeat of worker 'demo' came {} ms late.", 9),
        ("WARNING", "engine", "Checkpoint of step 'clean' takes {} MB; the cache is nearly full.", 4),
        (
            "ERROR",
            "engine",
            "Attempt {} to read https://api.example.org/v2/arrivals failed: the server answers 503.",
            6,
        ),
        ("ERROR", "app", "Message to channel 'on-call' could not be sent after {} s.", 2),
    )
    store.logs.add_many(
        LogEntry(
            ts=now - timedelta(hours=3 * number + at, minutes=7 * at),
            level=level,
            source=source,
            pipeline_id=pipeline.id if source == "engine" else None,
            logger=f"etlml.{source}",
            message=text.format(210 + 37 * number),
        )
        for at, (level, source, text, times) in enumerate(said)
        for number in range(times)
    )


def _running(store: Store, pipeline: Pipeline, now: datetime) -> None:
    steps = [
        StepRun(
            id=step.id,
            name=step.name,
            type=step.type,
            status=_STATES.get(step.id, "running"),
            started_at=now - timedelta(seconds=3 - 0.3 * i),
            rows_out=_ROWS.get(step.id) if _STATES.get(step.id, "running") != "running" else None,
            finished_at=now - timedelta(seconds=2.7 - 0.3 * i)
            if _STATES.get(step.id, "running") != "running"
            else None,
        )
        for i, step in enumerate(pipeline.steps)
    ]
    run = Run(
        pipeline_id=pipeline.id,
        pipeline_name=pipeline.name,
        triggered_by="ada",
        created_at=now - timedelta(seconds=3),
        started_at=now - timedelta(seconds=3),
        steps=steps,
        params=pipeline.params,
    )
    store.runs.add(run)
    claimed = store.runs.claim("demo", now - timedelta(seconds=3), timedelta(days=2).total_seconds())
    store.pipelines.mark_run(pipeline.id, claimed or run)
