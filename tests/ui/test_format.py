"""Numbers, sizes, durations and times in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from etlml.ui import format as words

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.0846, "85 ms"),
        (2.44, "2.4 s"),
        (59.6, "60 s"),
        (185, "3 min 5 s"),
        (120, "2 min"),
        (7800, "2 h 10 min"),
        (90_000, "25 h"),
        (200_000, "2 d 7 h"),
    ],
)
def test_duration_has_two_units_at_most(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "–"),
        (0, "0"),
        (4096, "4,096"),
        (12_345, "12.3k"),
        (336_776, "336.8k"),
        (5_000_000, "5M"),
        (2_500_000_000, "2.5B"),
    ],
)
def test_short_count_keeps_small_counts_whole(count: int | None, text: str) -> None:
    assert words.short_count(count) == text


@pytest.mark.parametrize(
    ("size", "text"), [(None, "–"), (512, "512 B"), (5_036_756, "5.0 MB"), (123_456, "123 kB"), (3e12, "3.0 TB")]
)
def test_size_has_a_unit(size: float | None, text: str) -> None:
    assert words.size(size) == text


@pytest.mark.parametrize(
    ("share", "text"), [(None, "–"), (1, "100 %"), (0.973, "97.3 %"), (0, "0 %"), (4 / 327_346, "< 0.1 %")]
)
def test_percent_never_shows_something_as_nothing(share: float | None, text: str) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.87654321, "0.8765"), (12, "12"), (1e-7, "1e-07"), (None, "–"), (123456.789, "1.235e+05")]
)
def test_metric_has_four_digits(value: float | None, text: str) -> None:
    assert words.metric(value) == text


def test_value_shows_mappings_and_lists_without_brackets() -> None:
    assert words.value({"min": 1, "nulls": None, "values": ["a", "b"]}) == "min: 1, values: a, b"
    assert words.value(["a", True, None]) == "a, yes, –"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1000.5, "1000.5"), (1234567.25, "1234567.25"), (988.5, "988.5"), (12.0, "12"), (2013, "2013"), (True, "yes")],
)
def test_a_cell_keeps_each_digit(value: object, text: str) -> None:
    assert words.cell(value) == text


def test_value_is_one_line_and_cut() -> None:
    assert words.value("a\nb") == "a b"
    assert words.value("x" * 100, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5), "5 minutes ago"),
        (timedelta(hours=-2), "in 2 hours"),
        (timedelta(days=1), "1 day ago"),
    ],
)
def test_ago_counts_in_the_largest_unit(delta: timedelta, text: str) -> None:
    assert words.ago(NOW - delta, NOW) == text


def test_exact_is_in_the_viewers_zone() -> None:
    assert words.exact(NOW, ZoneInfo("Europe/Berlin")) == "22 Nov 2026, 13:00:00"
    assert words.exact(None, None) == "–"


def test_what_is_told_has_no_formulas() -> None:
    assert words.told("${params.a} is not ${params.b}") == r"\${params.a} is not \${params.b}"


def test_first_line_leaves_the_rest_out() -> None:
    assert words.first_line("one\ntwo") == "one"
    assert words.first_line(None) == ""


def test_plural_says_one_thing_and_many() -> None:
    assert (words.plural(1, "step"), words.plural(2, "step"), words.plural(0, "query", "queries")) == (
        "1 step",
        "2 steps",
        "0 queries",
    )


def test_days_have_no_zero_in_front_on_any_system() -> None:
    early = datetime(2026, 3, 5, 7, 4, 9, tzinfo=UTC)
    assert words.day(early) == "5 Mar 2026"
    assert words.day(early, weekday=True, year=False) == "Thu 5 Mar"
    assert words.day_and_time(early, seconds=True) == "5 Mar 2026, 07:04:09"
