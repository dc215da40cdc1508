"""Backfills: a range of moments, a few runs at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from etlml.clock import utc_now
from etlml.documents import Backfill, Pipeline, Run
from etlml.engine.backfilling import Backfilling
from etlml.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def backfill(real_store: Store) -> Backfill:
    pipeline = real_store.pipelines.add(Pipeline.model_validate({"name": "p", "steps": []}))
    moments = [START + timedelta(days=n) for n in range(3)]
    return real_store.backfills.add(
        Backfill(pipeline_id=pipeline.id, since=START, until=moments[-1], intervals=moments, parallel=2)
    )


def end_one(store: Store, status: str = "success") -> Run:
    run = store.runs.claim("w", utc_now(), 10)
    assert run is not None
    return store.runs.finish(run.id, run.attempt, "w", status, utc_now())  # type: ignore[arg-type]


def test_no_more_runs_than_allowed_wait_or_go_on_at_once(real_store: Store, backfill: Backfill) -> None:
    work = Backfilling(real_store, utc_now)
    assert [run.scheduled_for for run in work.tick()] == backfill.intervals[:2]
    assert work.tick() == []
    end_one(real_store)
    assert [run.scheduled_for for run in work.tick()] == backfill.intervals[2:]


def test_it_is_completed_when_every_interval_succeeded(real_store: Store, backfill: Backfill) -> None:
    work = Backfilling(real_store, utc_now)
    for _ in backfill.intervals:
        work.tick()
        end_one(real_store)
    work.tick()
    assert real_store.backfills.get(backfill.id).status == "completed"


def test_it_failed_when_an_interval_did(real_store: Store, backfill: Backfill) -> None:
    work = Backfilling(real_store, utc_now)
    for status in ("success", "failed", "success"):
        work.tick()
        end_one(real_store, status)
    work.tick()
    assert real_store.backfills.get(backfill.id).status == "failed"


def test_a_paused_one_starts_nothing_and_goes_on_when_resumed(real_store: Store, backfill: Backfill) -> None:
    work = Backfilling(real_store, utc_now)
    real_store.backfills.move(backfill.id, {"running"}, "paused")
    assert work.tick() == []
    real_store.backfills.move(backfill.id, {"paused"}, "running")
    assert len(work.tick()) == 2


def test_two_workers_queue_each_interval_once(real_store: Store, backfill: Backfill) -> None:
    first, second = Backfilling(real_store, utc_now), Backfilling(real_store, utc_now)
    assert (len(first.tick()), len(second.tick())) == (2, 0)
