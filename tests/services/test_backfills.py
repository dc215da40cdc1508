"""What backfills promise."""

from datetime import UTC, datetime
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import Backfill
from etlml.engine.backfilling import Backfilling
from etlml.errors import ConfigInvalid, PipelineInvalid, StateConflict
from etlml.services import Services
from etlml.services.backfills import Progress
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
