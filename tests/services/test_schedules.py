"""What schedules promise: what comes next, what was missed, pause and resume."""

from datetime import timedelta
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.engine.firing import Firing
from etlml.engine.schedules import OVERLAP_REASON, due_fires
from etlml.services import Services
from etlml.services.fires import Outcome
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


def a_fire(pipeline_id: str, hours_ago: float, **changes: Any) -> Run:
    at = utc_now() - timedelta(hours=hours_ago)
    fields = {"pipeline_id": pipeline_id, "trigger": "schedule", "scheduled_for": at, "created_at": at}
    return Run.model_validate({**fields, "status": "success", **changes})


@pytest.fixture
def fired(services: Services) -> Services:
    """With a pipeline whose schedule fired four times: it ran, was missed, was skipped, and ran by hand once."""
    pipeline = services.pipelines.create(a_document(schedule="0 6 * * 1-5", timezone="Europe/Berlin"))
    for run in (
        a_fire(pipeline.id, 4),
        a_fire(pipeline.id, 3, status="missed", reason="2.0 h late; the schedule gives up after 1.0 h."),
        a_fire(pipeline.id, 2, status="missed", reason=f"Run abc {OVERLAP_REASON}"),
        a_fire(pipeline.id, 1, status="failed", duration_s=2.5),
        a_fire(pipeline.id, 0.5, trigger="manual", scheduled_for=None),
    ):
        services.store.runs.add(run)
    return services


class TestHistory:
    def test_each_fire_has_its_outcome(self, fired: Services) -> None:
        found = fired.schedules.history("small")
        assert [(fire.outcome, fire.status) for fire in found] == [
            ("ran", "failed"),
            ("skipped", "missed"),
            ("missed", "missed"),
            ("ran", "success"),
        ]
        assert found[2].reason.startswith("2.0 h late")

    @pytest.mark.parametrize(("outcome", "number"), [("ran", 2), ("missed", 1), ("skipped", 1)])
    def test_it_is_filtered_by_outcome(self, fired: Services, outcome: Outcome, number: int) -> None:
        found = fired.schedules.history("small", outcome=outcome)
        assert {fire.outcome for fire in found} == {outcome}
        assert len(found) == number

    def test_it_goes_on_before_the_last_that_was_shown(self, fired: Services) -> None:
        first = fired.schedules.history("small", limit=3)
        assert [fire.status for fire in fired.schedules.history("small", before=first[-1].at)] == ["success"]


class TestList:
    def test_a_schedule_is_told_in_words_with_its_last_fire_and_what_was_missed(self, fired: Services) -> None:
        (row,) = fired.schedules.list()
        assert row.words == "at 06:00 on weekdays, Europe/Berlin"
        assert row.last is not None
        assert (row.last.status, row.missed, len(row.next_fires)) == ("failed", 2, 5)
        assert row.last_missed is not None
        assert row.last_missed.outcome == "skipped"

    def test_the_soonest_is_first_and_paused_ones_last(self, services: Services) -> None:
        for name, schedule in (("yearly", "@yearly"), ("often", "* * * * *"), ("stopped", "* * * * *")):
            services.pipelines.create(a_document(name=name, schedule=schedule))
        services.pipelines.create(a_document(name="none"))
        services.schedules.pause("stopped")
        assert [row.pipeline for row in services.schedules.list()] == ["often", "yearly", "stopped"]

    def test_a_schedule_that_cannot_be_read_says_so(self, services: Services) -> None:
        pipeline = services.pipelines.create(a_document(schedule="@daily"))
        services.store.pipelines.update(pipeline.id, {"schedule": "61 * * * *"})
        (row,) = services.schedules.list()
        assert "cannot be read" in row.problem
        assert services.schedules.upcoming() == []


def test_upcoming_holds_all_fires_of_the_next_day_but_no_paused_ones(services: Services) -> None:
    services.pipelines.create(a_document(name="hourly", schedule="@hourly"))
    services.pipelines.create(a_document(name="stopped", schedule="@hourly"))
    services.schedules.pause("stopped")
    (found,) = services.schedules.upcoming()
    assert (found.pipeline, found.words, len(found.at)) == ("hourly", "every hour", 24)
