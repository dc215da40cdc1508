"""What schedules promise: what comes next, what was missed, pause and resume."""

from datetime import timedelta

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.engine.firing import Firing
from etlml.engine.schedules import due_fires
from etlml.services import Services
from tests.services.factories import a_document


def test_the_next_five_fires_are_shown_in_the_schedules_zone(services: Services) -> None:
    services.pipelines.create(a_document(schedule="30 6 * * *", timezone="Asia/Tokyo"))
    state = services.schedules.get("small")
    assert len(state.next_fires) == 5
    assert {(moment.hour, moment.minute) for moment in state.next_fires} == {(21, 30)}
    assert state.next_fires[0] > utc_now()


def test_a_pipeline_without_a_schedule_has_no_fires(services: Services) -> None:
    services.pipelines.create(a_document())
    state = services.schedules.get("small")
    assert (state.schedule, state.next_fires, state.missed) == (None, [], [])


def test_missed_fires_are_shown_with_their_reason(services: Services) -> None:
    pipeline = services.pipelines.create(a_document(schedule="@hourly"))
    at = utc_now() - timedelta(hours=2)
    missed = Run(pipeline_id=pipeline.id, status="missed", trigger="schedule", scheduled_for=at, reason="Too late.")
    services.store.runs.add(missed)
    assert [(each.scheduled_for, each.reason) for each in services.schedules.get("small").missed] == [(at, "Too late.")]


def test_a_paused_schedule_starts_nothing_and_resumes_from_now(services: Services) -> None:
    services.pipelines.create(a_document(schedule="* * * * *"))
    paused = services.schedules.pause("small", author="ann")
    later = utc_now() + timedelta(hours=1)
    assert Firing(services.store, lambda: later).tick() == []
    assert services.schedules.get("small").paused
    resumed = services.schedules.resume("small", author="ann")
    assert resumed.schedule_since is not None
    assert resumed.schedule_since >= paused.updated_at
    assert due_fires(resumed, None, utc_now()) == []
    actions = [entry.action for entry in services.audit.list(kind="pipeline", actor="ann").items]
    assert actions == ["resumed", "paused"]


def test_pausing_twice_changes_nothing(services: Services) -> None:
    services.pipelines.create(a_document(schedule="@daily"))
    assert services.schedules.pause("small").version == services.schedules.pause("small").version == 2


def test_a_pipeline_that_can_no_longer_run_can_be_paused(services: Services) -> None:
    pipeline = services.pipelines.create(a_document(schedule="@daily"))
    services.store.pipelines.update(pipeline.id, {"steps": [{"id": "x", "type": "extract", "config": {"odd": 1}}]})
    assert services.schedules.pause("small").options.paused
