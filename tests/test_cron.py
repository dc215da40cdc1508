"""Debian cron with time zones."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from etlml.cron import fires, fires_between, next_fires
from etlml.errors import ConfigInvalid


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_weekdays_are_sunday_0_and_7() -> None:
    sunday = at("2026-01-04T00:00")
    for expression in ("0 6 * * 0", "0 6 * * 7", "0 6 * * sun"):
        assert next_fires(expression, "UTC", sunday, 1) == [at("2026-01-04T06:00")]


def test_day_of_month_and_weekday_are_joined_by_or() -> None:
    found = next_fires("0 0 13 * 5", "UTC", at("2026-01-01T00:00"), 3)
    assert found == [at("2026-01-02T00:00"), at("2026-01-09T00:00"), at("2026-01-13T00:00")]


def test_nicknames_are_understood() -> None:
    assert next_fires("@daily", "UTC", at("2026-01-01T12:00"), 1) == [at("2026-01-02T00:00")]


def test_a_daily_job_runs_once_on_the_day_with_25_hours() -> None:
    day = fires_between("30 2 * * *", "Europe/Berlin", at("2026-10-24T22:00"), at("2026-10-25T23:00"))
    assert len(day) == 1


def test_an_hourly_job_runs_25_times_on_the_day_with_25_hours() -> None:
    assert len(fires_between("0 * * * *", "Europe/Berlin", at("2026-10-24T21:59"), at("2026-10-25T22:59"))) == 25


def test_a_daily_job_in_the_spring_gap_still_runs_once() -> None:
    day = fires_between("30 2 * * *", "Europe/Berlin", at("2026-03-28T23:00"), at("2026-03-29T22:00"))
    assert len(day) == 1


def test_fires_between_excludes_its_start_and_includes_its_end() -> None:
    found = fires_between("*/5 * * * *", "UTC", at("2026-01-01T00:00"), at("2026-01-01T00:10"))
    assert found == [at("2026-01-01T00:05"), at("2026-01-01T00:10")]


def test_fires_are_endless_ascending_and_utc() -> None:
    found = list(islice(fires("7 3 29 2 *", "Asia/Tokyo", at("2026-01-01T00:00")), 3))
    assert found == sorted(found)
    assert all(moment.utcoffset() == timedelta(0) for moment in found)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("* * * *", "needs five fields"),
        ("61 * * * *", "cannot be read"),
        ("", "needs five fields"),
        ("a b c d e", "cannot be read"),
    ],
)
def test_an_expression_that_cannot_be_read_says_what_is_expected(expression: str, message: str) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        next_fires(expression, "UTC", at("2026-01-01T00:00"))


def test_an_unknown_time_zone_names_the_nearest() -> None:
    with pytest.raises(ConfigInvalid, match="Did you mean 'Europe/Berlin'"):
        next_fires("@daily", "Europe/Berln", at("2026-01-01T00:00"))
