"""What becomes of each moment of a schedule."""

from datetime import UTC, datetime, timedelta

from etlml.documents import Pipeline, ScheduleOptions
from etlml.engine.schedules import decide, due_fires

NOON = datetime(2026, 1, 5, 12, 0, 5, tzinfo=UTC)


def hours_ago(*hours: int) -> list[datetime]:
    return [NOON.replace(second=0) - timedelta(hours=n) for n in hours]


def a_pipeline(**changes: object) -> Pipeline:
    return Pipeline.model_validate(
        {"name": "p", "schedule": "0 * * * *", "created_at": NOON - timedelta(days=1)} | changes
    )


def actions(due: list[datetime], options: ScheduleOptions) -> list[str]:
    return [fire.action for fire in decide(due, options, NOON)]


class TestDueFires:
    def test_only_moments_after_the_last_one_are_due(self) -> None:
        assert due_fires(a_pipeline(), hours_ago(2)[0], NOON) == hours_ago(1, 0)

    def test_nothing_before_the_schedule_was_set_is_due(self) -> None:
        pipeline = a_pipeline(schedule_since=NOON - timedelta(minutes=30))
        assert due_fires(pipeline, None, NOON) == hours_ago(0)

    def test_a_paused_schedule_is_never_due(self) -> None:
        assert due_fires(a_pipeline(options=ScheduleOptions(paused=True)), None, NOON) == []

    def test_a_pipeline_without_schedule_is_never_due(self) -> None:
        assert due_fires(a_pipeline(schedule=None), None, NOON) == []

    def test_years_of_missed_minutes_are_bounded_to_the_newest(self) -> None:
        pipeline = a_pipeline(schedule="* * * * *", created_at=NOON - timedelta(days=30))
        due = due_fires(pipeline, None, NOON)
        assert (len(due), due[-1]) == (1000, hours_ago(0)[0])


class TestDecide:
    def test_a_fire_on_time_runs(self) -> None:
        assert actions(hours_ago(0), ScheduleOptions()) == ["run"]

    def test_latest_makes_up_the_newest_missed_fire_only(self) -> None:
        assert actions(hours_ago(3, 2, 1), ScheduleOptions()) == ["missed", "missed", "run"]

    def test_latest_makes_up_nothing_when_the_present_fire_is_due_as_well(self) -> None:
        assert actions(hours_ago(2, 1, 0), ScheduleOptions()) == ["missed", "missed", "run"]

    def test_all_makes_up_as_many_as_the_limit_says(self) -> None:
        options = ScheduleOptions(missed="all", missed_limit=2)
        assert actions(hours_ago(4, 3, 2, 1), options) == ["missed", "missed", "run", "run"]

    def test_none_makes_up_nothing_but_runs_what_is_on_time(self) -> None:
        assert actions(hours_ago(2, 1, 0), ScheduleOptions(missed="none")) == ["missed", "missed", "run"]

    def test_too_late_is_too_late_under_every_policy(self) -> None:
        options = ScheduleOptions(missed="all", too_late_after_s=5400)
        assert actions(hours_ago(2, 1), options) == ["missed", "run"]

    def test_every_missed_fire_says_why(self) -> None:
        fires = decide(hours_ago(2, 1), ScheduleOptions(missed="none"), NOON)
        assert all(fire.reason and "policy for missed fires is 'none'" in fire.reason for fire in fires)

    def test_a_made_up_fire_says_how_late_it_is(self) -> None:
        (fire,) = decide(hours_ago(2), ScheduleOptions(), NOON)
        assert fire.reason == "Made up 2.0 h late."
