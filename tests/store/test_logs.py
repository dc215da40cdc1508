from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import LogEntry
from etlml.errors import InvalidInput
from etlml.store import Store
from etlml.store.log_filter import log_id

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
            ({"cursor": "f" * 12}, "is not a cursor"),
            ({"q": "a\0"}, "holds a character that no text has"),
            ({"q": "a\0", "regex": True}, "holds a character that no text has"),
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


class TestGroups:
    def test_lines_that_differ_in_numbers_ids_paths_and_quotes_are_one_group(self, store: Store) -> None:
        store.logs.add_many(
            [
                a_problem(0, "Read 'in/a.csv' in 0.3 s: 12 rows, run 0a1b2c3d4e, /data/out/1.parquet"),
                a_problem(5, "Read 'in/b.csv' in 12 s: 9,000 rows, run ffab2c3d41, /srv/x.parquet"),
                a_problem(9, "Something else"),
            ]
        )
        first, second = store.logs.groups()
        assert (first.lines, first.text) == (2, "Read '…' in # s: # rows, run ‹id›, ‹path›")
        assert (first.first, first.last) == (AT, AT + timedelta(minutes=5))
        assert "in/b.csv" in first.example
        assert (second.lines, second.text) == (1, "Something else")

    def test_level_and_source_tell_groups_apart_and_lines_below_warning_have_none(self, store: Store) -> None:
        store.logs.add_many(
            [
                a_problem(0, "m"),
                a_problem(1, "m", level="ERROR"),
                a_problem(2, "m", source="api"),
                a_problem(3, "m", level="INFO"),
            ]
        )
        assert {(each.level, each.source) for each in store.logs.groups()} == {
            ("WARNING", "app"), ("ERROR", "app"), ("WARNING", "api"),
        }  # fmt: skip
        assert [each.level for each in store.logs.groups(level="ERROR")] == ["ERROR"]
        assert [each.source for each in store.logs.groups(source="api")] == ["api"]

    def test_lines_of_a_group_are_found_by_its_key(self, store: Store) -> None:
        store.logs.add_many([a_problem(number, f"Took {number} s") for number in range(3)] + [a_problem(4, "Other")])
        key = store.logs.groups()[0].key
        assert [each.message for each in store.logs.query(group=key).items] == ["Took 2 s", "Took 1 s", "Took 0 s"]
        found = store.logs.group(key)
        assert found is not None
        assert found.text == "Took # s"
        assert store.logs.group("nothing") is None

    @pytest.mark.parametrize(("since", "until"), [(0, 400), (30, 250), (65, 90), (119, 241), (60, 120), (None, 130)])
    def test_a_time_range_counts_exactly_its_lines(self, store: Store, since: int | None, until: int) -> None:
        store.logs.add_many([a_problem(number, f"Took {number} s") for number in range(0, 300, 7)])
        start = AT + timedelta(minutes=since) if since is not None else None
        found = store.logs.groups(since=start, until=AT + timedelta(minutes=until))
        expected = [number for number in range(0, 300, 7) if (since or 0) <= number < until]
        assert found[0].lines == len(expected)
        assert found[0].first == AT + timedelta(minutes=expected[0])
        assert found[0].last == AT + timedelta(minutes=expected[-1])

    def test_filters_read_the_lines(self, store: Store) -> None:
        store.logs.add_many([a_problem(1, "Took 1 s", run_id="r1"), a_problem(2, "Took 2 s", pipeline_id="p1")])
        assert store.logs.groups(run_id="r1")[0].lines == 1
        assert store.logs.groups(pipeline_id="p1")[0].last == AT + timedelta(minutes=2)
        assert store.logs.groups(q="took 2")[0].lines == 1

    def test_lines_without_a_fingerprint_are_grouped_and_found_by_a_pattern(self, store: Store) -> None:
        store.logs.add_many([a_problem(number, f"Took {number} s (again)") for number in range(3)])
        store.database["logs"].update_many({}, {"$unset": {"group": ""}})
        store.database["log_groups"].delete_many({})
        store.logs.add_many([a_problem(300, "Took 9 s (again)")])
        (found,) = store.logs.groups()
        assert found.lines == 4
        assert len(store.logs.query(q=found.pattern, regex=True).items) == 4

    def test_what_is_removed_is_not_counted(self, store: Store) -> None:
        store.logs.add_many([a_problem(number, f"Took {number} s", run_id=f"r{number}") for number in range(4)])
        store.logs.delete_of_runs(["r0"])
        assert store.logs.groups()[0].lines == 3
        store.logs.delete_before(AT + timedelta(minutes=2))
        assert store.logs.groups()[0].lines == 2


def a_problem(minute: int, message: str, **fields: Any) -> LogEntry:
    return LogEntry(ts=AT + timedelta(minutes=minute), message=message, **{"level": "WARNING", **fields})


def test_hours_and_minutes_agree(store: Store) -> None:
    start = AT.replace(minute=0, second=0)
    store.logs.add_many([a_problem(number, "m", level="INFO") for number in range(0, 600, 11)])
    for since, until in ((0, 600), (25, 500), (61, 119), (0, 59)):
        bounds = {"since": start + timedelta(minutes=since), "until": start + timedelta(minutes=until)}
        shift = (AT - start) // timedelta(minutes=1)
        expected = sum(since <= number + shift < until for number in range(0, 600, 11))
        assert store.logs.counts_by_level(**bounds)["INFO"] == expected
        found = store.logs.histogram(bounds["since"], bounds["until"], buckets=2)
        assert sum(each["lines"] for each in found) >= expected


def test_hours_that_were_not_counted_from_the_beginning_are_taken_from_the_minutes(store: Store) -> None:
    store.logs.add_many([a_problem(number, "m", level="INFO") for number in range(200)])
    store.database["log_hours"].delete_many({})
    store.logs.add_many([a_problem(number, "m", level="INFO") for number in range(200, 400)])
    assert store.logs.counts_by_level()["INFO"] == 400
    found = store.logs.histogram(AT - timedelta(hours=2), AT + timedelta(hours=8), buckets=5)
    assert sum(each["lines"] for each in found) == 400
