"""The dashboard's figures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from etlml.documents import ErrorInfo, Run
from etlml.services.schedules import Upcoming
from etlml.ui import charts, overview

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def an_overview(by_day: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "runs": {"by_day": by_day, "by_pipeline": []},
        "before": {"counts": {"failed": 2, "success": 2}, "success_rate": 0.5},
        "quality": {"by_day": []},
        "models": {"registered": 2, "deployed": 1},
        "pipelines": 3,
        "failures": [],
        **more,
    }


def a_summary(by_day: list[dict[str, Any]], **more: Any) -> overview.Summary:
    return overview.summary(an_overview(by_day, **more), now=NOW, span=timedelta(days=2), zone=UTC)


DAYS = [
    {"day": "2026-11-21", "status": "success", "runs": 3},
    {"day": "2026-11-22", "status": "failed", "runs": 1},
]


def test_the_range_and_the_one_before_are_told_apart() -> None:
    shown = a_summary(DAYS)
    assert shown.days == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert (shown.runs, shown.runs_before) == (4, 4)
    assert (shown.success_rate, shown.success_before) == (0.75, 0.5)


def test_every_day_has_its_place_in_the_series() -> None:
    assert a_summary(DAYS).series == {"success": [0, 3, 0], "failed": [0, 0, 1]}


def test_the_success_rate_says_its_change_in_points() -> None:
    rate = overview.metrics(a_summary(DAYS))[2]
    assert (rate.value, rate.delta) == ("75 %", "+25.0 points")


def test_nothing_at_all_is_no_rate_and_no_change() -> None:
    rate = overview.metrics(a_summary([], before={"counts": {}, "success_rate": None}))[2]
    assert (rate.value, rate.delta, rate.trend) == ("–", None, [])


def test_the_score_weighs_days_by_their_checks() -> None:
    quality = {"by_day": [{"day": "2026-11-21", "score": 1.0, "n": 3}, {"day": "2026-11-22", "score": 0.6, "n": 1}]}
    assert a_summary([], quality=quality).score == pytest.approx(0.9)


def test_failures_of_the_range_before_are_left_out() -> None:
    runs = [Run(pipeline_id="p", created_at=NOW - timedelta(days=days)) for days in (1, 3)]
    assert len(a_summary([], failures=runs).failures) == 1


def test_a_failure_shows_its_first_line() -> None:
    run = Run(pipeline_id="p", pipeline_name="flights", error=ErrorInfo(type="X", message="No file.\nMore."))
    assert overview.failure_row(run)["cells"]["name"]["sub"] == "No file."


def test_charts_of_runs_are_stacked_in_the_same_order_always() -> None:
    series = charts.runs_by_day(DAYS, charts.days_between(NOW.date() - timedelta(days=4), NOW.date()))
    assert list(series) == ["success", "failed"]
    assert [bar["stack"] for bar in charts.runs_spec(series, ["2026-11-22"])["series"]] == ["runs", "runs"]


def test_thinned_curves_keep_their_extremes() -> None:
    ys = [0.0] * 5000
    ys[1234], ys[4321] = 9.0, -9.0
    xs, kept = charts.thinned(range(5000), ys, most=100)
    assert len(kept) <= 102
    assert (max(kept), min(kept), xs[0], xs[-1]) == (9.0, -9.0, 0, 4999)


@pytest.mark.parametrize(("hours", "told"), [((1,), ""), ((1, 4, 13), "and 2 more until Mon 01:00")])
def test_a_schedule_says_when_it_fires_next_and_how_often_after_that(hours: tuple[int, ...], told: str) -> None:
    coming = Upcoming("p", "weather", "every 3 hours", [NOW + timedelta(hours=each) for each in hours])
    cells = overview.upcoming_row(coming, UTC)["cells"]
    assert (cells["name"]["sub"], cells["at"]) == (told, (NOW + timedelta(hours=1)).isoformat())


@pytest.mark.parametrize(("usual", "told"), [(None, "for 4.0 s"), (10.0, "4.0 s of 10 s")])
def test_what_runs_says_how_long_it_usually_takes(usual: float | None, told: str) -> None:
    run = Run(pipeline_id="p", status="running", started_at=NOW - timedelta(seconds=4))
    assert overview.running_row(run, {}, usual, NOW)["cells"]["name"]["sub"] == told


def test_a_day_is_counted_by_the_hour() -> None:
    hours = [{"day": "2026-11-21 12:00", "status": "success", "runs": 2}]
    now, span = NOW + timedelta(minutes=30), timedelta(hours=24)
    shown = overview.summary(an_overview(hours), now=now, span=span, zone=UTC)
    assert (len(shown.days), shown.days[0], shown.days[-1]) == (25, "2026-11-21 12:00", "2026-11-22 12:00")
    assert shown.series["success"][0] == 2
    assert charts.runs_spec(shown.series, shown.days)["xAxis"]["data"][0] == "12:00"
