from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from etlml.documents import ErrorInfo, Run
from etlml.errors import InvalidInput, NotFound
from etlml.store import Store

MakeRun = Callable[..., Run]


@pytest.fixture
def ended(store: Store, a_run: MakeRun, now: datetime) -> Store:
    """Four ended runs of two pipelines, and one that waits."""
    for number, status in enumerate(["success", "failed", "success", "missed"]):
        at = now - timedelta(days=number)
        error = ErrorInfo(type="X", message="disk full") if status == "failed" else None
        run = a_run(
            id=f"r{number}",
            pipeline_id=f"p{number % 2}",
            pipeline_name=f"name {number % 2}",
            status=status,
            created_at=at,
            duration_s=number + 1.0,
            error=error,
            trigger="api" if number == 2 else "manual",
        )
        store.runs.add(run)
    store.runs.add(a_run(id="waiting", created_at=now - timedelta(days=9)))
    return store


def ids(runs: list[Run]) -> list[str]:
    return [run.id for run in runs]


class TestList:
    def test_is_newest_first(self, ended: Store) -> None:
        assert ids(ended.runs.list().items) == ["r0", "r1", "r2", "r3", "waiting"]
        assert ids(ended.runs.list(newest_first=False, limit=2).items) == ["waiting", "r3"]

    def test_filters(self, ended: Store, now: datetime) -> None:
        assert ids(ended.runs.list(pipeline_id="p1").items) == ["r1", "r3", "waiting"]
        assert ids(ended.runs.list(status="success").items) == ["r0", "r2"]
        assert ids(ended.runs.list(status={"failed", "missed"}).items) == ["r1", "r3"]
        assert ids(ended.runs.list(trigger="api").items) == ["r2"]
        assert ids(ended.runs.list(since=now - timedelta(days=2), until=now).items) == ["r1", "r2"]

    def test_looks_for_text_and_ids(self, ended: Store) -> None:
        assert ids(ended.runs.list(q="DISK").items) == ["r1"]
        assert ids(ended.runs.list(q="name 0").items) == ["r0", "r2"]
        assert ids(ended.runs.list(q="r3").items) == ["r3"]

    def test_pages_both_ways(self, ended: Store) -> None:
        for newest_first in (True, False):
            seen: list[str] = []
            cursor = None
            while True:
                page = ended.runs.list(limit=2, cursor=cursor, newest_first=newest_first)
                seen += ids(page.items)
                if (cursor := page.next_cursor) is None:
                    break
            assert sorted(seen) == ["r0", "r1", "r2", "r3", "waiting"]

    @pytest.mark.parametrize("cursor", ["nonsense", "", "bnVsbA", "WzFd"])
    def test_refuses_a_cursor_that_is_none(self, ended: Store, cursor: str) -> None:
        with pytest.raises(InvalidInput, match="is not a cursor"):
            ended.runs.list(cursor=cursor)

    def test_can_leave_out_the_steps(self, ended: Store) -> None:
        assert ended.runs.list(limit=1, with_steps=False).items[0].steps == []
        assert ended.runs.list(limit=1).items[0].steps != []


class TestFigures:
    def test_counts_by_status(self, ended: Store, now: datetime) -> None:
        assert ended.runs.counts_by_status() == {"success": 2, "failed": 1, "missed": 1, "pending": 1}
        assert ended.runs.counts_by_status(since=now, pipeline_id="p0") == {"success": 1}

    def test_stats_of_a_time(self, ended: Store, now: datetime) -> None:
        stats = ended.runs.stats(now - timedelta(days=3))
        assert stats["counts"] == {"success": 2, "failed": 1, "missed": 1}
        assert stats["success_rate"] == pytest.approx(2 / 3)
        assert [(each["day"], each["status"], each["runs"]) for each in stats["by_day"]] == [
            ("2026-02-26", "missed", 1),
            ("2026-02-27", "success", 1),
            ("2026-02-28", "failed", 1),
            ("2026-03-01", "success", 1),
        ]
        assert [
            (each["pipeline_id"], each["runs"], each["failed"], each["mean_s"]) for each in stats["by_pipeline"]
        ] == [
            ("p0", 2, 0, 2.0),
            ("p1", 2, 1, 3.0),
        ]

    def test_stats_without_runs(self, store: Store, now: datetime) -> None:
        assert store.runs.stats(now) == {"counts": {}, "success_rate": None, "by_day": [], "by_pipeline": []}

    def test_days_are_those_of_the_time_zone(self, real_store: Store, a_run: MakeRun, now: datetime) -> None:
        real_store.runs.add(a_run(created_at=now.replace(hour=23)))
        (day,) = real_store.runs.stats(now - timedelta(days=1), timezone="Europe/Berlin")["by_day"]
        assert day["day"] == "2026-03-02"

    def test_durations_of_the_newest_successes(self, ended: Store) -> None:
        assert ended.runs.durations("p0") == [1.0, 3.0]

    def test_active_and_latest(self, ended: Store) -> None:
        assert ids(list(ended.runs.active("p1"))) == ["waiting"]
        assert {key: run.id for key, run in ended.runs.latest_of(["p0", "p1", "none"]).items()} == {
            "p0": "r0",
            "p1": "r1",
        }


class TestRetention:
    def test_names_what_has_ended_before_a_time(self, ended: Store, now: datetime) -> None:
        assert ids(list(ended.runs.ended_before(now))) == ["r3", "r2", "r1"]
        assert ids(list(ended.runs.ended_before(now, limit=1))) == ["r3"]

    def test_removes_only_ended_runs(self, ended: Store) -> None:
        assert ended.runs.delete_ended(["r0", "r1", "waiting", "unknown"]) == 2
        with pytest.raises(NotFound):
            ended.runs.get("r0")
        assert ended.runs.get("waiting").status == "pending"


class TestFires:
    @pytest.fixture
    def fired(self, store: Store, a_run: MakeRun, now: datetime) -> Store:
        """Three fires of a schedule, the newest first: it ran, was skipped, was missed; and a run by hand."""
        for number, (status, reason) in enumerate((("success", None), ("missed", "Overlap!"), ("missed", "Late."))):
            at = now - timedelta(hours=number)
            store.runs.add(a_run(id=f"f{number}", status=status, trigger="schedule", scheduled_for=at, reason=reason))
        store.runs.add(a_run(id="by hand"))
        return store

    def test_they_are_those_of_the_schedule_newest_first(self, fired: Store, now: datetime) -> None:
        assert ids(list(fired.runs.fires("p1"))) == ["f0", "f1", "f2"]
        assert ids(list(fired.runs.fires("p1", before=now))) == ["f1", "f2"]
        assert ids(list(fired.runs.fires("p1", limit=1))) == ["f0"]
        assert list(fired.runs.fires("p2")) == []

    def test_they_are_filtered_by_status_and_reason(self, fired: Store) -> None:
        assert ids(list(fired.runs.fires("p1", status="missed", reason="overlap!"))) == ["f1"]
        assert ids(list(fired.runs.fires("p1", status="missed", unlike="overlap!"))) == ["f2"]

    def test_the_newest_run_decides_what_a_moment_came_to(self, fired: Store, a_run: MakeRun, now: datetime) -> None:
        again = now - timedelta(hours=1)
        fired.runs.add(a_run(id="again", status="failed", trigger="backfill", backfill_id="b", scheduled_for=again))
        found = fired.runs.outcomes("p1", now - timedelta(hours=1), now)
        assert found == {now: "success", again: "failed"}
