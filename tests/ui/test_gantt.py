"""When each step of a run worked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from etlml.documents import Run, StepRun
from etlml.ui import gantt

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_step(id: str, start: float | None = None, end: float | None = None, **fields: Any) -> StepRun:
    times = {"started_at": None if start is None else at(start), "finished_at": None if end is None else at(end)}
    return StepRun.model_validate({"id": id, "type": "transform", **times, **fields})


def a_run(*steps: StepRun, **fields: Any) -> Run:
    return Run.model_validate({"pipeline_id": "p", "started_at": START, "steps": list(steps), **fields})


def test_lanes_are_shares_of_the_runs_time() -> None:
    run = a_run(a_step("a", 0, 1), a_step("b", 1, 4), status="success", finished_at=at(4))
    found, span = gantt.lanes(run, at(100))
    assert span == 4
    assert [(lane.start, lane.length) for lane in found] == [(0, 0.25), (0.25, 0.75)]


def test_what_is_taken_over_from_an_earlier_run_does_not_stretch_the_time() -> None:
    old = a_step("a", -300, -200, status="cached")
    run = a_run(old, a_step("b", 1, 4, status="success"), status="success", finished_at=at(4))
    found, span = gantt.lanes(run, at(100))
    assert (span, found[0].took_s, found[1].start) == (4, None, 0.25)
    assert "reused" in gantt.gantt_html(run, at(100))
    assert gantt.hover(found[0], old, None, None).splitlines()[1] == "taken over from an earlier run"


def test_a_running_step_reaches_to_now() -> None:
    found, _ = gantt.lanes(a_run(a_step("a", 0, 1), a_step("b", 1), status="running"), at(5))
    assert found[1].took_s == 4
    assert found[1].start + found[1].length == 1


def test_a_step_that_waits_has_no_bar() -> None:
    assert "<i style" not in gantt.gantt_html(a_run(a_step("a")), at(1))


def test_names_cannot_break_out_of_the_page() -> None:
    assert "<script>" not in gantt.gantt_html(a_run(a_step("a", 0, 1, name="<script>alert(1)</script>")), at(2))


def test_a_fused_step_says_with_which_it_was_computed() -> None:
    assert "in b" in gantt.gantt_html(
        a_run(a_step("a", 0, 1, fused_into="b"), status="success", finished_at=at(1)), at(1)
    )


def test_steps_count_alike_where_nobody_knows_how_long_they_take() -> None:
    run = a_run(a_step("a", 0, 1, status="success"), a_step("b", 1), status="running")
    assert gantt.progress(run, {}, at(2)) == 0.5 * gantt.NEARLY


def test_progress_goes_by_the_time_that_steps_usually_take() -> None:
    run = a_run(a_step("a", 0, 1, status="success"), a_step("b", 1, status="running"), status="running")
    assert 0.5 < gantt.progress(run, {"a": 1, "b": 3}, at(2.5)) / gantt.NEARLY < 0.65


def test_progress_goes_by_what_a_step_says_itself() -> None:
    run = a_run(a_step("a", 0, status="running", progress=0.2), status="running")
    assert gantt.progress(run, {"a": 1}, at(0.9)) == pytest.approx(0.2 * gantt.NEARLY)


def test_a_step_that_takes_longer_than_usual_does_not_use_up_the_time_of_the_others() -> None:
    run = a_run(a_step("a", 0, status="running"), a_step("b"), status="running")
    assert gantt.progress(run, {"a": 1, "b": 1}, at(500)) < 0.5


def test_progress_of_a_final_run_is_whole() -> None:
    assert gantt.progress(a_run(status="failed"), {}, at(1)) == 1


def test_expected_duration_is_the_median() -> None:
    assert gantt.expected_duration([1, 100, 3]) == 3
    assert gantt.expected_duration([]) is None


def test_pointing_at_a_step_tells_its_exact_times_and_what_is_usual() -> None:
    run = a_run(a_step("a", 0, 2, rows_out=7, status="success"), status="success", finished_at=at(4))
    text = gantt.gantt_html(run, at(9), zone=UTC, usual_s={"a": 1.0})
    assert "12:00:00.000 to 12:00:02.000" in text
    assert "took 2.0 s, usually 1.0 s" in text
    assert "7 rows" in text
    assert '<u style="left:25.00%">' in text
