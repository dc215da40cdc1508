"""Due moments of schedules become runs, or records of why there is none."""

from datetime import UTC, datetime, timedelta
from typing import Any

from etlml.documents import Pipeline
from etlml.engine.firing import Firing
from etlml.store import Store

NOON = datetime(2026, 1, 5, 12, 0, 5, tzinfo=UTC)


def a_pipeline(store: Store, **options: Any) -> Pipeline:
    document = {"name": "p", "schedule": "0 * * * *", "created_at": NOON - timedelta(hours=3), "options": options}
    return store.pipelines.add(Pipeline.model_validate(document))


def firing(store: Store) -> Firing:
    return Firing(store, lambda: NOON)


def statuses(store: Store) -> list[str]:
    return sorted(run.status for run in store.runs.list(trigger="schedule").items)


def test_a_due_fire_queues_one_run_and_each_missed_one_leaves_a_record_with_its_reason(real_store: Store) -> None:
    a_pipeline(real_store)
    (run,) = firing(real_store).tick()
    assert (run.trigger, run.scheduled_for) == ("schedule", NOON.replace(second=0))
    missed = [each for each in real_store.runs.list(trigger="schedule").items if each.status == "missed"]
    assert len(missed) == 2
    assert all(each.reason for each in missed)


def test_two_workers_and_a_second_look_start_nothing_twice(real_store: Store) -> None:
    a_pipeline(real_store)
    assert [len(firing(real_store).tick()) for _ in range(3)] == [1, 0, 0]


def test_skip_leaves_a_record_while_a_run_goes_on(real_store: Store) -> None:
    pipeline = a_pipeline(real_store, overlap="skip", missed="none")
    Firing(real_store, lambda: NOON - timedelta(hours=1)).tick()
    assert len(real_store.runs.active(pipeline.id)) == 1
    assert firing(real_store).tick() == []
    newest = max(real_store.runs.list(trigger="schedule").items, key=lambda run: run.scheduled_for or NOON)
    assert (newest.status, "policy for overlaps is 'skip'" in (newest.reason or "")) == ("missed", True)


def test_cancel_ends_the_old_run_for_the_new_one(real_store: Store) -> None:
    pipeline = a_pipeline(real_store, overlap="cancel", missed="none")
    (old,) = Firing(real_store, lambda: NOON - timedelta(hours=1)).tick()
    (new,) = firing(real_store).tick()
    assert real_store.runs.get(old.id).status == "cancelled"
    assert [run.id for run in real_store.runs.active(pipeline.id)] == [new.id]


def test_a_paused_schedule_starts_nothing(real_store: Store) -> None:
    a_pipeline(real_store, paused=True)
    assert firing(real_store).tick() == []


def test_a_schedule_that_says_nothing_follows_what_the_installation_says_at_the_fire(real_store: Store) -> None:
    pipeline = a_pipeline(real_store)
    Firing(real_store, lambda: NOON - timedelta(hours=1)).tick()
    assert len(real_store.runs.active(pipeline.id)) == 1
    real_store.settings.set("preferences", {"schedule_overlap": "skip", "schedule_missed": "another version's"})
    assert firing(real_store).tick() == []
    assert len(real_store.runs.active(pipeline.id)) == 1


def test_a_schedule_that_says_so_itself_does_not_follow_the_installation(real_store: Store) -> None:
    a_pipeline(real_store, missed="latest", overlap="queue")
    real_store.settings.set("preferences", {"schedule_overlap": "skip", "schedule_missed": "none"})
    late = Firing(real_store, lambda: NOON + timedelta(minutes=30))
    assert [run.scheduled_for for run in late.tick()] == [NOON.replace(second=0)]
