"""How many lines fit, for any filter: counted in steps, exactly, and gone on with."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import LogEntry
from etlml.errors import InvalidInput
from etlml.store import Store
from etlml.store.log_figures import LogFigures

NOW = utc_now().replace(microsecond=0)
SINCE = NOW - timedelta(hours=4)
LEVELS: Any = ("DEBUG", "INFO", "WARNING", "ERROR")


def a_line(at: datetime, number: int, **more: Any) -> LogEntry:
    return LogEntry(
        ts=at, level=LEVELS[number % 4], message=f"line {number} of {'api' if number % 2 else 'ui'}", **more
    )


@pytest.fixture
def logged(store: Store) -> Store:
    """A line a minute for four hours, of all levels in turn."""
    store.logs.add_many(a_line(SINCE + timedelta(minutes=n), n, pipeline_id=f"p{n % 3}") for n in range(240))
    return store


def told(figures: LogFigures) -> list[int]:
    return [figures.levels[level] for level in LEVELS]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [60, 60, 60, 60]),
        ({"level": "ERROR"}, [60, 60, 60, 60]),
        ({"q": "of API"}, [0, 60, 0, 60]),
        ({"q": "line 1?7 ", "regex": True}, [0, 1, 0, 1]),
        ({"pipeline_id": "p0"}, [20, 20, 20, 20]),
        ({"q": "nowhere"}, [0, 0, 0, 0]),
    ],
)
def test_levels_are_counted_whatever_the_filters_whatever_level(
    logged: Store, filters: dict[str, Any], expected: list[int]
) -> None:
    found = logged.logs.figures(SINCE, NOW, buckets=4, **filters)
    assert found.is_complete
    assert told(found) == expected
    assert sum(found.buckets.values()) == sum(expected)


def test_a_search_is_told_by_time_and_of_a_level_and_above(logged: Store) -> None:
    found = logged.logs.figures(SINCE, NOW, buckets=4, q="of api")
    assert [found.table("ERROR").get(SINCE + timedelta(hours=hour)) for hour in range(4)] == [{"ERROR": 15}] * 4
    assert found.at_least("WARNING") == {"WARNING": 0, "ERROR": 60, "CRITICAL": 0}


def test_without_patience_the_newest_are_counted_and_the_rest_step_by_step(logged: Store) -> None:
    found = logged.logs.figures(SINCE, NOW, buckets=4, patience_s=0, q="line")
    assert not found.is_complete
    assert sum(found.levels.values()) < 240
    assert sum(found.levels.values()) == len(logged.logs.query(since=found.reached, until=NOW, limit=1000).items)
    for _ in range(240):
        if found.is_complete:
            break
        found = logged.logs.figures(SINCE, NOW, buckets=4, patience_s=0, so_far=found, q="line")
    assert told(found) == [60, 60, 60, 60]


def test_lines_that_come_later_are_added_even_late_ones(logged: Store) -> None:
    found = logged.logs.figures(SINCE, NOW, buckets=4, q="line")
    logged.logs.add_many([a_line(NOW - timedelta(seconds=1), 3), a_line(NOW + timedelta(seconds=30), 3)])
    found = logged.logs.figures(SINCE, NOW + timedelta(minutes=1), buckets=4, so_far=found, q="line")
    assert told(found) == [60, 60, 60, 62]
    again = logged.logs.figures(SINCE, NOW + timedelta(minutes=1), buckets=4, so_far=found, q="line")
    assert again.levels == found.levels


def test_a_short_time_is_counted_to_its_very_bounds(logged: Store) -> None:
    begin = SINCE + timedelta(minutes=10, seconds=1)
    assert sum(logged.logs.figures(begin, begin + timedelta(minutes=3), buckets=90).levels.values()) == 3


def test_a_search_looks_only_where_lines_were_counted(logged: Store) -> None:
    logged.logs.add_many([a_line(SINCE + timedelta(minutes=30), 0).model_copy(update={"message": "a needle"})])
    found = logged.logs.figures(SINCE, NOW, buckets=4, q="needle")
    stretches = found.stretches("DEBUG", NOW)
    assert stretches == [(NOW - timedelta(seconds=5), NOW), (SINCE, SINCE + timedelta(hours=1))]
    assert found.stretches("ERROR", NOW) == stretches[:1]
    page = logged.logs.search(since=SINCE, until=NOW, patience_s=5, within=stretches, q="needle")
    assert [each.message for each in page.items] == ["a needle"]
    assert logged.logs.search(since=SINCE, until=NOW, within=[], q="needle").items == []


def test_a_pattern_that_cannot_be_used_is_refused(logged: Store) -> None:
    with pytest.raises(InvalidInput, match="pattern"):
        logged.logs.figures(SINCE, NOW, q="(a", regex=True)


def test_groups_of_a_search_come_in_steps_too(logged: Store) -> None:
    found = logged.logs.groups_so_far(SINCE, NOW, patience_s=0, q="line")
    assert not found.is_complete
    while not found.is_complete:
        found = logged.logs.groups_so_far(SINCE, NOW, patience_s=0.05, so_far=found, q="line")
    assert sorted((each.level, each.lines) for each in found.groups) == [("ERROR", 60), ("WARNING", 60)]
    assert min(each.first for each in found.groups) == SINCE + timedelta(minutes=2)
    assert logged.logs.groups_so_far(SINCE, NOW).is_complete
