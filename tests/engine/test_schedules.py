"""What becomes of each moment of a schedule."""

from datetime import UTC, datetime, timedelta

from etlml.documents import Pipeline, ScheduleOptions
from etlml.engine.fire_policy import FirePolicy, Policy
from etlml.engine.schedules import decide, due_fires

NOON = datetime(2026, 1, 5, 12, 0, 5, tzinfo=UTC)


def hours_ago(*hours: int) -> list[datetime]:
    return [NOON.replace(second=0) - timedelta(hours=n) for n in hours]


def a_pipeline(**changes: object) -> Pipeline:
    return Pipeline.model_validate(
        {"name": "p", "schedule": "0 * * * *", "created_at": NOON - timedelta(days=1)} | changes
    )


def actions(due: list[datetime], policy: Policy) -> list[str]:
    return [fire.action for fire in decide(due, policy, NOON)]


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
        assert actions(hours_ago(0), Policy()) == ["run"]

    def test_latest_makes_up_the_newest_missed_fire_only(self) -> None:
        assert actions(hours_ago(3, 2, 1), Policy()) == ["missed", "missed", "run"]

    def test_latest_makes_up_nothing_when_the_present_fire_is_due_as_well(self) -> None:
        assert actions(hours_ago(2, 1, 0), Policy()) == ["missed", "missed", "run"]

    def test_all_makes_up_as_many_as_the_limit_says(self) -> None:
        policy = Policy(missed="all", missed_limit=2)
        assert actions(hours_ago(4, 3, 2, 1), policy) == ["missed", "missed", "run", "run"]

    def test_none_makes_up_nothing_but_runs_what_is_on_time(self) -> None:
        assert actions(hours_ago(2, 1, 0), Policy(missed="none")) == ["missed", "missed", "run"]

    def test_too_late_is_too_late_under_every_policy(self) -> None:
        policy = Policy(missed="all", too_late_after_s=5400)
        assert actions(hours_ago(2, 1), policy) == ["missed", "run"]

    def test_every_missed_fire_says_why(self) -> None:
        fires = decide(hours_ago(2, 1), Policy(missed="none"), NOON)
        assert all(fire.reason and "policy for missed fires is 'none'" in fire.reason for fire in fires)

    def test_a_made_up_fire_says_how_late_it_is(self) -> None:
        (fire,) = decide(hours_ago(2), Policy(), NOON)
        assert fire.reason == "Made up 2.0 h late."


class TestFirePolicy:
    def test_a_schedule_that_says_nothing_follows_the_installation(self) -> None:
        default = FirePolicy(schedule_missed="all", schedule_missed_limit=3, schedule_overlap="skip")
        assert default.policy(ScheduleOptions()) == Policy("all", 3, "skip")

    def test_what_a_schedule_says_itself_is_never_overruled(self) -> None:
        default = FirePolicy(schedule_missed="none", schedule_missed_limit=3, schedule_overlap="skip")
        own = ScheduleOptions(missed="all", missed_limit=5, overlap="cancel", too_late_after_s=60)
        assert default.policy(own) == Policy("all", 5, "cancel", 60)

    def test_unless_told_the_newest_is_made_up_and_an_overlap_waits(self) -> None:
        assert FirePolicy().policy(ScheduleOptions()) == Policy("latest", 10, "queue")
