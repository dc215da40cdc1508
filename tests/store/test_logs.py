from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import LogEntry
from etlml.errors import InvalidInput
from etlml.store import Store
from etlml.store.logs import log_id

AT = utc_now().replace(microsecond=0) - timedelta(hours=1)  # recent: old lines expire, even from mongomock


def messages(entries: Any) -> list[str]:
    return [entry.message for entry in entries]


@pytest.fixture
def logged(store: Store) -> Store:
    """Six lines of two runs, a second apart; the last two in one millisecond."""
    lines = [("INFO", "r1", "start"), ("DEBUG", "r1", "detail"), ("ERROR", "r2", "Disk full (100%)")]
    lines += [("WARNING", None, "late"), ("INFO", "r1", "end"), ("INFO", "r1", "bye")]
    store.logs.add_many(
        LogEntry(
            ts=AT + timedelta(seconds=min(number, 4)),
            level=level,  # type: ignore[arg-type]
            run_id=run_id,
            source="worker" if run_id else "api",
            message=message,
            fields={"n": number},
        )
        for number, (level, run_id, message) in enumerate(lines)
    )
    return store


class TestQuery:
    def test_gives_whole_lines_newest_first(self, logged: Store) -> None:
        found = logged.logs.query().items
        assert messages(found) == ["bye", "end", "late", "Disk full (100%)", "detail", "start"]
        assert (found[-1].ts, found[-1].level, found[-1].run_id, found[-1].fields) == (AT, "INFO", "r1", {"n": 0})

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"level": "WARNING"}, ["late", "Disk full (100%)"]),
            ({"level": "INFO", "exact_level": True, "run_id": "r1"}, ["bye", "end", "start"]),
            ({"level": "DEBUG", "run_id": "r1"}, ["bye", "end", "detail", "start"]),
            ({"source": "api"}, ["late"]),
            ({"q": "disk FULL (1"}, ["Disk full (100%)"]),
            ({"q": "^(start|bye)$", "regex": True}, ["bye", "start"]),
            ({"since": AT + timedelta(seconds=1), "until": AT + timedelta(seconds=3)}, ["Disk full (100%)", "detail"]),
            ({"run_id": "none"}, []),
        ],
    )
    def test_filters(self, logged: Store, filters: dict[str, Any], expected: list[str]) -> None:
        assert messages(logged.logs.query(**filters).items) == expected

    @pytest.mark.parametrize("newest_first", [True, False])
    def test_pages_by_cursor(self, logged: Store, newest_first: bool) -> None:
        seen, cursor = [], None
        while True:
            page = logged.logs.query(limit=4, cursor=cursor, newest_first=newest_first, since=AT)
            seen += messages(page.items)
            if (cursor := page.next_cursor) is None:
                break
        expected = ["start", "detail", "Disk full (100%)", "late", "end", "bye"]
        assert seen == (expected[::-1] if newest_first else expected)

    @pytest.mark.parametrize(
        ("filters", "message"),
        [
            ({"level": "LOUD"}, "'LOUD' is not a level"),
            ({"q": "(", "regex": True}, "pattern"),
            ({"cursor": "x"}, "is not a cursor"),
        ],
    )
    def test_refuses_what_cannot_be_used(self, logged: Store, filters: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidInput, match=message):
            logged.logs.query(**filters)


class TestTail:
    def test_gives_the_newest_oldest_first(self, logged: Store) -> None:
        assert messages(logged.logs.tail(limit=2)) == ["end", "bye"]

    def test_follows_from_a_line_on(self, logged: Store) -> None:
        last = logged.logs.tail(limit=1, run_id="r2")[-1]
        assert messages(logged.logs.tail(after=last.id)) == ["late", "end", "bye"]


class TestFigures:
    def test_counts_by_level(self, logged: Store) -> None:
        counts = {"DEBUG": 1, "INFO": 3, "WARNING": 1, "ERROR": 1, "CRITICAL": 0}
        assert logged.logs.counts_by_level() == counts
        assert logged.logs.counts_by_level(run_id="r2", until=AT + timedelta(minutes=1))["ERROR"] == 1

    def test_histogram(self, logged: Store) -> None:
        found = logged.logs.histogram(AT, AT + timedelta(seconds=6), buckets=3)
        assert [((each["at"] - AT).total_seconds(), each["level"], each["lines"]) for each in found] == [
            (0, "DEBUG", 1),
            (0, "INFO", 1),
            (2, "ERROR", 1),
            (2, "WARNING", 1),
            (4, "INFO", 2),
        ]

    def test_long_times_are_counted_by_whole_minutes_without_reading_lines(self, store: Store) -> None:
        start = AT.replace(second=0)
        lines = [(0, "INFO"), (30, "ERROR"), (59, "INFO"), (60, "INFO"), (125, "INFO"), (600, "INFO")]
        store.logs.add_many(
            LogEntry(ts=start + timedelta(seconds=second), level=level, message="m", run_id=f"r{second}")  # type: ignore[arg-type]
            for second, level in lines
        )
        found = store.logs.histogram(start + timedelta(seconds=20), start + timedelta(minutes=5), buckets=3)
        assert [((each["at"] - start).total_seconds(), each["level"], each["lines"]) for each in found] == [
            (0, "ERROR", 1),
            (0, "INFO", 3),
            (120, "INFO", 1),
        ]
        store.logs.delete_of_runs(["r30", "r59"])
        assert store.logs.counts_by_level(until=start + timedelta(minutes=2)) == {
            "DEBUG": 0, "INFO": 2, "WARNING": 0, "ERROR": 0, "CRITICAL": 0,
        }  # fmt: skip
        store.logs.delete_before(start + timedelta(minutes=2))
        assert store.logs.counts_by_level(source="app")["INFO"] == 2
        assert store.logs.counts_by_level(source="other")["INFO"] == 0

    def test_counts_stay_right_when_many_write_at_once(self, real_store: Store) -> None:
        def write(number: int) -> None:
            real_store.logs.add_many(LogEntry(ts=AT, message=f"{number}") for _ in range(5))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(40)))
        assert real_store.logs.counts_by_level()["INFO"] == 200

    def test_sources(self, logged: Store) -> None:
        assert logged.logs.sources() == ["api", "worker"]


class TestRetention:
    @pytest.mark.parametrize(
        ("remove", "left"),
        [
            (lambda logs: logs.delete_before(AT + timedelta(seconds=3)), ["bye", "end", "late"]),
            (lambda logs: logs.delete_beyond(2), ["bye", "end"]),
            (lambda logs: logs.delete_beyond(100), ["bye", "end", "late", "Disk full (100%)", "detail", "start"]),
            (lambda logs: logs.delete_of_runs(["r1"]), ["late", "Disk full (100%)"]),
        ],
    )
    def test_removes_by_age_number_and_run(self, logged: Store, remove: Callable[[Any], int], left: list[str]) -> None:
        assert remove(logged.logs) == 6 - len(left)
        assert messages(logged.logs.query().items) == left

    def test_tells_how_many_lines_there_are(self, logged: Store) -> None:
        assert logged.logs.total() == 6
        logged.logs.delete_of_runs(["r1"])
        assert logged.logs.total() == 2


def test_ids_sort_by_time_and_then_in_the_order_they_were_asked_for() -> None:
    ids = [log_id(AT), log_id(AT), log_id(AT + timedelta(milliseconds=1)), log_id(AT + timedelta(days=9000))]
    assert ids == sorted(set(ids))
    assert {len(each) for each in ids} == {22}
