"""What backfills promise."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import Backfill, Pipeline, Run
from etlml.engine.backfilling import Backfilling
from etlml.errors import ConfigInvalid, PipelineInvalid, StateConflict
from etlml.services import Services
from etlml.services.backfills import Progress, Redo, whole_days
from tests.services.factories import a_document

SINCE, UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 3, 6, tzinfo=UTC)


@pytest.fixture
def scheduled(services: Services) -> Services:
    """With a pipeline that runs daily."""
    services.pipelines.create(a_document(schedule="0 6 * * *"))
    return services


def started(services: Services, **options: Any) -> Backfill:
    return services.backfills.start("small", SINCE, UNTIL, **options)


def test_it_has_an_interval_for_each_fire_and_the_engine_queues_a_few_at_a_time(scheduled: Services) -> None:
    backfill = started(scheduled, parallel=2, params={"least": "3"})
    assert [moment.day for moment in backfill.intervals] == [1, 2, 3]
    assert scheduled.backfills.progress(backfill) == Progress(3, 3, {})
    queued = Backfilling(scheduled.store, utc_now).tick()
    assert [(run.scheduled_for, run.params["least"]) for run in queued] == [
        (moment, 3) for moment in backfill.intervals[:2]
    ]
    assert scheduled.backfills.progress(backfill) == Progress(3, 1, {"pending": 2})
    assert scheduled.backfills.list(pipeline="small", status="running").items == [scheduled.backfills.get(backfill.id)]


def test_a_dry_run_makes_nothing(scheduled: Services) -> None:
    assert len(scheduled.backfills.moments("small", SINCE, UNTIL)) == 3
    assert scheduled.backfills.list().items == []


def test_a_pause_starts_nothing_and_a_resume_goes_on(scheduled: Services) -> None:
    backfill = started(scheduled)
    engine = Backfilling(scheduled.store, utc_now)
    assert scheduled.backfills.pause(backfill.id).status == "paused"
    assert engine.tick() == []
    with pytest.raises(StateConflict, match="is paused"):
        scheduled.backfills.pause(backfill.id)
    scheduled.backfills.resume(backfill.id)
    assert len(engine.tick()) == 1


def test_cancel_ends_its_waiting_runs_and_no_others(scheduled: Services) -> None:
    backfill, other = started(scheduled, parallel=3), scheduled.runs.start("small")
    Backfilling(scheduled.store, utc_now).tick()
    assert scheduled.backfills.cancel(backfill.id).finished_at is not None
    assert scheduled.backfills.progress(backfill).counts == {"cancelled": 3}
    assert scheduled.runs.get(other.id).status == "pending"
    with pytest.raises(StateConflict, match="is cancelled"):
        scheduled.backfills.resume(backfill.id)


def test_runs_that_were_queued_while_it_was_cancelled_are_cancelled_too(
    scheduled: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    backfill = started(scheduled)
    stale = scheduled.store.backfills.list(status="running")
    scheduled.backfills.cancel(backfill.id)
    monkeypatch.setattr(scheduled.store.backfills, "list", lambda **_: stale)
    assert Backfilling(scheduled.store, utc_now).tick() == []
    assert scheduled.backfills.progress(backfill).counts == {"cancelled": 1}


def test_who_did_what_is_in_the_audit_log(scheduled: Services) -> None:
    backfill = started(scheduled, author="ann")
    scheduled.backfills.pause(backfill.id, author="bob")
    entries = scheduled.audit.list(kind="backfill", key=backfill.id).items
    assert [(entry.actor, entry.action) for entry in entries] == [("bob", "paused"), ("ann", "started")]


def test_what_could_not_run_is_refused_at_once(scheduled: Services) -> None:
    with pytest.raises(ConfigInvalid, match="no parameter 'leest'"):
        started(scheduled, params={"leest": 1})
    with pytest.raises(ConfigInvalid, match="parallel is 0"):
        started(scheduled, parallel=0)
    with pytest.raises(ConfigInvalid, match="ends before it starts"):
        scheduled.backfills.start("small", UNTIL, SINCE)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [(None, "no schedule"), ("* * * * *", "more than 1,000"), ("0 0 5 5 *", "does not fire")],
)
def test_a_range_without_a_usable_number_of_moments_is_refused(
    services: Services, schedule: str | None, message: str
) -> None:
    services.pipelines.create(a_document(schedule=schedule))
    with pytest.raises((ConfigInvalid, PipelineInvalid), match=message):
        started(services)


class TestRedo:
    """Which moments of a range are run again."""

    @pytest.fixture
    def some_ran(self, scheduled: Services) -> Services:
        """Of the three moments the first succeeded at the second try, the second failed."""
        pipeline = scheduled.pipelines.get("small")
        for day, status, minute in ((1, "failed", 0), (1, "success", 1), (2, "failed", 0)):
            run = Run(
                pipeline_id=pipeline.id,
                status=status,
                scheduled_for=datetime(2024, 1, day, 6, tzinfo=UTC),
                created_at=datetime(2024, 1, day, 6, minute, tzinfo=UTC),
            )
            scheduled.store.runs.add(run)
        return scheduled

    @pytest.mark.parametrize(("redo", "days"), [("all", [1, 2, 3]), ("failed", [2, 3]), ("missing", [3])])
    def test_moments_are_chosen_by_what_their_newest_run_came_to(
        self, some_ran: Services, redo: Redo, days: list[int]
    ) -> None:
        plan = some_ran.backfills.plan("small", SINCE, UNTIL, redo=redo)
        assert [(each.at.day, each.status) for each in plan] == [(1, "success"), (2, "failed"), (3, None)]
        assert [each.at.day for each in plan if each.chosen] == days
        backfill = some_ran.backfills.start("small", SINCE, UNTIL, redo=redo)
        assert [moment.day for moment in backfill.intervals] == days

    def test_a_range_in_which_nothing_is_left_to_do_is_refused(self, some_ran: Services) -> None:
        first = datetime(2024, 1, 2, tzinfo=UTC)
        assert some_ran.backfills.moments("small", SINCE, first, redo="failed") == []
        with pytest.raises(ConfigInvalid, match="moments has a success"):
            some_ran.backfills.start("small", SINCE, first, redo="failed")

    def test_whole_days_are_days_of_the_schedules_zone(self) -> None:
        pipeline = Pipeline(name="p", timezone="Asia/Tokyo")
        first, last = whole_days(pipeline, date(2024, 1, 1), date(2024, 1, 2))
        assert (first.astimezone(UTC).day, first.astimezone(UTC).hour) == (31, 15)
        assert (last - first).total_seconds() == 2 * 86400 - 1
