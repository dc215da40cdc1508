from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from etlml.documents import ErrorInfo, Run
from etlml.errors import Conflict, InvalidInput, NameTaken, NotFound, StateConflict
from etlml.store import Store

MakeRun = Callable[..., Run]


class TestAdd:
    def test_get_returns_an_equal_run(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        added = store.runs.add(a_run(params={"day": "2026-01-01", "n": 3}, scheduled_for=now, trigger="schedule"))
        assert store.runs.get(added.id) == added

    def test_refuses_an_id_that_is_taken(self, store: Store, a_run: MakeRun) -> None:
        store.runs.add(a_run(id="r1"))
        with pytest.raises(NameTaken, match="already a run 'r1'"):
            store.runs.add(a_run(id="r1"))

    def test_refuses_a_second_run_for_the_same_fire(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        store.runs.add(a_run(trigger="schedule", scheduled_for=now))
        with pytest.raises(Conflict, match="already a run of flights at 2026-03-01 12:00:00 UTC"):
            store.runs.add(a_run(trigger="schedule", scheduled_for=now))

    def test_a_missed_fire_takes_its_place_too(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        store.runs.add(a_run(trigger="schedule", scheduled_for=now, status="missed", finished_at=now))
        with pytest.raises(Conflict):
            store.runs.add(a_run(trigger="schedule", scheduled_for=now))

    def test_a_retry_may_have_the_moment_of_the_run_it_repeats(
        self, store: Store, a_run: MakeRun, now: datetime
    ) -> None:
        first = store.runs.add(a_run(trigger="schedule", scheduled_for=now))
        for _ in range(2):
            store.runs.add(a_run(trigger="retry", retry_of=first.id, scheduled_for=now))

    def test_refuses_a_second_run_for_an_interval_of_a_backfill(
        self, store: Store, a_run: MakeRun, now: datetime
    ) -> None:
        store.runs.add(a_run(trigger="backfill", backfill_id="b1", scheduled_for=now))
        store.runs.add(a_run(trigger="backfill", backfill_id="b2", scheduled_for=now))
        with pytest.raises(Conflict):
            store.runs.add(a_run(trigger="backfill", backfill_id="b1", scheduled_for=now))

    def test_refuses_a_run_that_claims_to_be_running(self, store: Store, a_run: MakeRun) -> None:
        with pytest.raises(InvalidInput, match="only a claim makes it running"):
            store.runs.add(a_run(status="running"))


class TestClaim:
    def test_returns_none_when_nothing_waits(self, store: Store, now: datetime) -> None:
        assert store.runs.claim("w1", now, 30) is None

    def test_makes_the_run_running_under_a_lease(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        added = store.runs.add(a_run())
        claimed = store.runs.claim("w1", now, 30)
        assert claimed is not None
        assert (claimed.id, claimed.status, claimed.worker, claimed.attempt) == (added.id, "running", "w1", 1)
        assert (claimed.started_at, claimed.lease_until) == (now, now + timedelta(seconds=30))
        assert store.runs.get(added.id) == claimed

    def test_takes_the_most_urgent_first_and_then_the_oldest(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        for name, priority in (("old", 0), ("new", 0), ("urgent", 5)):
            store.runs.add(a_run(id=name, priority=priority, max_running=9))
        claimed = [store.runs.claim("w1", now, 30) for _ in range(4)]
        assert [run and run.id for run in claimed] == ["urgent", "old", "new", None]

    def test_waits_for_not_before(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        store.runs.add(a_run(not_before=now + timedelta(seconds=10)))
        assert store.runs.claim("w1", now, 30) is None
        assert store.runs.claim("w1", now + timedelta(seconds=10), 30) is not None

    @pytest.mark.parametrize("max_running", [1, 3])
    def test_starts_no_more_runs_of_a_pipeline_than_it_allows(
        self, store: Store, a_run: MakeRun, now: datetime, max_running: int
    ) -> None:
        for _ in range(5):
            store.runs.add(a_run(max_running=max_running))
        claimed = [store.runs.claim("w1", now, 30) for _ in range(5)]
        assert [run is not None for run in claimed] == [True] * max_running + [False] * (5 - max_running)

    def test_passes_over_a_busy_pipeline_to_the_next(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        for _ in range(3):
            store.runs.add(a_run(pipeline_id="busy"))
        store.runs.add(a_run(pipeline_id="also busy", id="x"))
        store.runs.add(a_run(pipeline_id="also busy"))
        store.runs.add(a_run(pipeline_id="free", id="y"))
        claimed = [store.runs.claim("w1", now, 30) for _ in range(4)]
        assert [run and run.pipeline_id for run in claimed] == ["busy", "also busy", "free", None]

    @pytest.mark.parametrize("end", ["finish", "release", "take_back"])
    def test_whatever_ends_a_run_frees_its_place(self, store: Store, a_run: MakeRun, now: datetime, end: str) -> None:
        store.runs.add(a_run(id="first"))
        store.runs.add(a_run(id="second"))
        store.runs.claim("w1", now, 30)
        assert store.runs.claim("w2", now, 30) is None
        if end == "finish":
            store.runs.finish("first", 1, "w1", "success", now)
        elif end == "release":
            store.runs.release("first", 1, "w1", not_before=now + timedelta(hours=1))
        else:
            assert store.runs.take_back("first", now + timedelta(seconds=31), max_attempts=1) is not None
        claimed = store.runs.claim("w2", now, 30)
        assert claimed is not None
        assert claimed.id == "second"


class TestHolding:
    def test_a_heartbeat_prolongs_what_is_still_ours(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        for name in ("mine", "stopping", "theirs"):
            store.runs.add(a_run(id=name, max_running=9))
        for worker in ("w1", "w1", "w2"):
            store.runs.claim(worker, now, 30)
        store.runs.request_cancel("stopping", now)
        until = now + timedelta(minutes=5)
        held = store.runs.heartbeat("w1", ["mine", "stopping", "theirs", "unknown"], until)
        assert (held.runs, held.cancelled) == ({"mine", "stopping"}, {"stopping"})
        assert store.runs.get("mine").lease_until == until
        assert store.runs.get("theirs").lease_until == now + timedelta(seconds=30)

    def test_a_heartbeat_for_nothing_holds_nothing(self, store: Store, now: datetime) -> None:
        assert store.runs.heartbeat("w1", [], now).runs == frozenset()

    def test_steps_change_in_one_update(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        store.runs.claim("w1", now, 30)
        error = ErrorInfo(type="LoadFailed", message="disk full", step="write")
        changes = {0: {"status": "success", "rows_out": 5, "finished_at": now}, 1: {"status": "failed", "error": error}}
        store.runs.set_steps(run.id, 1, "w1", changes)
        stored = store.runs.get(run.id)
        assert (stored.steps[0].status, stored.steps[0].rows_out, stored.steps[0].finished_at) == ("success", 5, now)
        assert (stored.steps[1].status, stored.steps[1].error) == ("failed", error)
        assert stored.steps[1].id == "write"

    @pytest.mark.parametrize(("attempt", "worker"), [(1, "w1"), (2, "w1"), (1, "w2")])
    def test_a_worker_that_lost_its_lease_cannot_write(
        self, store: Store, a_run: MakeRun, now: datetime, attempt: int, worker: str
    ) -> None:
        """Fenced by worker and attempt: the second attempt is w2's."""
        run = store.runs.add(a_run())
        store.runs.claim("w1", now, 30)
        later = now + timedelta(seconds=31)
        store.runs.take_back(run.id, later)
        current = store.runs.claim("w2", later, 30)
        with pytest.raises(StateConflict, match="no longer held"):
            store.runs.set_step(run.id, attempt, worker, 0, {"status": "success"})
        with pytest.raises(StateConflict):
            store.runs.finish(run.id, attempt, worker, "success", later)
        with pytest.raises(StateConflict):
            store.runs.release(run.id, attempt, worker)
        assert store.runs.get(run.id) == current

    def test_a_worker_that_claims_its_lost_run_again_is_fenced_from_its_former_self(
        self, store: Store, a_run: MakeRun, now: datetime
    ) -> None:
        run = store.runs.add(a_run())
        store.runs.claim("w1", now, 30)
        store.runs.release(run.id, 1, "w1")
        store.runs.claim("w1", now, 30)
        with pytest.raises(StateConflict):
            store.runs.finish(run.id, 1, "w1", "success", now)
        assert store.runs.finish(run.id, 2, "w1", "success", now).status == "success"


class TestFinish:
    def test_records_how_it_ended(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        store.runs.claim("w1", now, 30)
        error = ErrorInfo(step="write", type="LoadFailed", message="$HOME is full: $price", details={"$x": "$y"})
        later = now + timedelta(seconds=2, milliseconds=500)
        ended = store.runs.finish(run.id, 1, "w1", "failed", later, error, 3, reason="$why")
        assert (ended.status, ended.finished_at, ended.duration_s, ended.warnings) == ("failed", later, 2.5, 3)
        assert (ended.error, ended.reason, ended.lease_until) == (error, "$why", None)
        assert store.runs.get(run.id) == ended

    def test_happens_once(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        store.runs.claim("w1", now, 30)
        store.runs.finish(run.id, 1, "w1", "success", now)
        with pytest.raises(StateConflict):
            store.runs.finish(run.id, 1, "w1", "failed", now)
        assert store.runs.get(run.id).status == "success"


class TestCancel:
    def test_a_run_that_waits_is_cancelled_at_once(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        cancelled = store.runs.request_cancel(run.id, now, reason="by ann")
        assert (cancelled.status, cancelled.finished_at, cancelled.reason) == ("cancelled", now, "by ann")
        assert store.runs.claim("w1", now, 30) is None

    def test_a_running_run_is_asked_to_stop(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        store.runs.claim("w1", now, 30)
        asked = store.runs.request_cancel(run.id, now)
        assert (asked.status, asked.cancel_requested) == ("running", True)

    def test_an_ended_run_cannot_be_cancelled(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        store.runs.request_cancel(run.id, now)
        with pytest.raises(StateConflict, match="has ended already: cancelled"):
            store.runs.request_cancel(run.id, now)

    def test_an_unknown_run_is_not_found(self, store: Store, now: datetime) -> None:
        with pytest.raises(NotFound, match="no run 'nope'"):
            store.runs.request_cancel("nope", now)


class TestTakeBack:
    def test_leaves_a_lease_that_still_holds(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        store.runs.claim("w1", now, 30)
        assert store.runs.expired(now) == []
        assert store.runs.take_back(run.id, now + timedelta(seconds=30)) is None

    def test_queues_the_run_again_with_its_finished_steps(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        store.runs.claim("w1", now, 30)
        store.runs.set_steps(run.id, 1, "w1", {0: {"status": "success"}, 1: {"status": "running"}})
        later = now + timedelta(seconds=31)
        assert [lost.id for lost in store.runs.expired(later)] == [run.id]
        back = store.runs.take_back(run.id, later)
        assert back is not None
        assert (back.status, back.worker, back.lease_until, back.attempt) == ("pending", None, None, 1)
        assert [step.status for step in back.steps] == ["success", "pending"]
        again = store.runs.claim("w2", later, 30)
        assert again is not None
        assert (again.attempt, again.started_at) == (2, now)

    def test_gives_up_after_so_many_attempts(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        for attempt in (1, 2, 3):
            store.runs.claim(f"w{attempt}", now, 0)
            store.runs.set_step(run.id, attempt, f"w{attempt}", 0, {"status": "running"})
            now += timedelta(seconds=1)
            back = store.runs.take_back(run.id, now, max_attempts=3)
        assert back is not None
        assert back.status == "failed"
        assert back.error is not None
        assert (back.error.type, back.error.step) == ("WorkerLost", "read")
        assert "lost 3 times" in back.error.message

    def test_does_not_count_attempts_that_were_given_back(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        for attempt in (1, 2, 3):
            store.runs.claim("w1", now, 30)
            store.runs.release(run.id, attempt, "w1")
        store.runs.claim("w1", now, 0)
        back = store.runs.take_back(run.id, now + timedelta(seconds=1), max_attempts=2)
        assert back is not None
        assert back.status == "pending"

    def test_ends_a_run_that_was_to_be_cancelled(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        run = store.runs.add(a_run())
        store.runs.claim("w1", now, 30)
        store.runs.request_cancel(run.id, now, reason="by ann")
        back = store.runs.take_back(run.id, now + timedelta(seconds=31))
        assert back is not None
        assert (back.status, back.reason) == ("cancelled", "by ann")

    def test_a_dead_workers_leases_can_be_ended_at_once(self, store: Store, a_run: MakeRun, now: datetime) -> None:
        for name in ("a", "b"):
            store.runs.add(a_run(id=name, max_running=2))
        store.runs.claim("dead", now, 30)
        store.runs.claim("alive", now, 30)
        assert store.runs.expire_leases("dead", now) == 1
        assert [run.id for run in store.runs.expired(now)] == ["a"]


def test_release_puts_a_run_back(store: Store, a_run: MakeRun, now: datetime) -> None:
    run = store.runs.add(a_run())
    store.runs.claim("w1", now, 30)
    store.runs.set_step(run.id, 1, "w1", 0, {"status": "running"})
    back = store.runs.release(run.id, 1, "w1", reason="The worker stops.")
    assert (back.status, back.worker, back.reason, back.steps[0].status) == (
        "pending",
        None,
        "The worker stops.",
        "pending",
    )


def test_release_ends_a_run_that_was_to_be_cancelled(store: Store, a_run: MakeRun, now: datetime) -> None:
    run = store.runs.add(a_run())
    store.runs.claim("w1", now, 30)
    store.runs.request_cancel(run.id, now, reason="by ann")
    ended = store.runs.release(run.id, 1, "w1", reason="The worker stops.")
    assert (ended.status, ended.reason) == ("cancelled", "by ann")
