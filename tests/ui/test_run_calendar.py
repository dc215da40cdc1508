"""Runs by day, and step by step."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from etlml.services.run_views import DayCount, GridCell, GridRun, GridStep, RunGrid
from etlml.ui import run_calendar, run_grid

TODAY = date(2026, 11, 22)


def test_months_end_with_the_one_asked_for() -> None:
    assert run_calendar.months_until(date(2026, 1, 31)) == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]
    assert run_calendar.month_after(date(2026, 12, 1)) == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2026-03", date(2026, 3, 1)),
        ("", date(2026, 11, 1)),
        ("2026-13", date(2026, 11, 1)),
        ("2030-01", date(2026, 11, 1)),
        ("0001-01", date(2026, 11, 1)),
    ],
)
def test_a_month_of_the_url_is_never_ahead(text: str, month: date) -> None:
    assert run_calendar.month_of(text, TODAY) == month


@pytest.mark.parametrize("text", ["", "zzz", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_a_day_of_the_url_that_no_run_can_be_of_is_none(text: str) -> None:
    assert run_calendar.day_of(text) is None


def test_a_day_begins_in_the_viewers_zone() -> None:
    begin, end = run_calendar.bounds(date(2026, 3, 29), ZoneInfo("Europe/Berlin"))
    assert (end.astimezone(UTC) - begin.astimezone(UTC)).total_seconds() == 23 * 3600


def test_days_show_their_counts_and_open() -> None:
    counts = [DayCount(day="2026-11-22", status="success", runs=2), DayCount(day="2026-11-22", status="failed", runs=1)]
    text = run_calendar.calendar_html([date(2026, 11, 1)], counts, TODAY)
    assert 'data-open="2026-11-22"' in text
    assert "2 success, 1 failed" in text
    assert "<em>3</em>" in text
    assert text.count("data-open") == 1
    assert 'class="day ahead"><b>23</b>' in text


def test_a_grid_shows_each_step_of_each_run() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    runs = [
        GridRun(id=f"r{n}", status="success", trigger="manual", created_at=at, started_at=at, duration_s=n, warnings=n)
        for n in (1, 2)
    ]
    cell = GridCell(status="failed", duration_s=1.5, rows_out=7, fused_into=None)
    grid = RunGrid(runs=runs, steps=[GridStep(id="a", name="<a>", type="extract", cells=[None, cell])])
    text = run_grid.grid_html(grid, UTC)
    assert text.count('data-open="r2"') == 3
    assert "7 rows" in text
    assert "<td></td>" in text
    assert "<a>" not in text
