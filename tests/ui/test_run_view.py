"""What a run's page says of a run."""

from datetime import UTC, datetime, timedelta

import pytest

from etlml.documents import Run, RunStatus, Step, StepRun
from etlml.ui import run_view

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_progress_says_so_when_the_worker_is_lost() -> None:
    run = Run(pipeline_id="p", status="running", lease_until=NOW + timedelta(seconds=9))
    assert run_view.progress_words(run, None, 0.5, NOW) == "0 of 0 steps done, 50 %"
    lost = run_view.progress_words(run, None, 0.5, NOW + timedelta(seconds=10))
    assert lost.startswith("Its worker does not answer.")


@pytest.mark.parametrize(
    ("status", "seconds", "every"),
    [("running", 5, "1s"), ("running", 90, "2s"), ("running", 300, "3s"), ("pending", 5, "1s"), ("success", 5, None)],
)
def test_a_page_looks_again_less_often_once_its_run_takes_a_while(
    status: RunStatus, seconds: int, every: str | None
) -> None:
    started = None if status == "pending" else NOW - timedelta(seconds=seconds)
    run = Run(pipeline_id="p", status=status, created_at=NOW - timedelta(seconds=seconds), started_at=started)
    assert run_view.pace(run, NOW) == every


@pytest.mark.parametrize(
    ("seconds", "told"), [(3, "usually takes 10 s"), (10.5, "usually takes 10 s"), (30, "longer than the usual 10 s")]
)
def test_progress_says_how_the_time_compares_with_earlier_runs(seconds: float, told: str) -> None:
    run = Run(pipeline_id="p", status="running", started_at=NOW - timedelta(seconds=seconds))
    assert told in run_view.progress_words(run, None, 0.5, NOW, 10.0)


def test_nothing_is_usual_before_a_first_success() -> None:
    assert run_view.against_usual(Run(pipeline_id="p", status="running", started_at=NOW), None, NOW) == ""


class TestLiveNodes:
    STEPS = (Step(id="a", type="extract", config={"source": {"kind": "file", "path": "a.csv"}}),)

    def node(self, **fields: object) -> dict[str, object]:
        step = StepRun.model_validate({"id": "a", "type": "extract", "started_at": NOW, **fields})
        run = Run(pipeline_id="p", status="running", steps=[step])
        return run_view.live_nodes(self.STEPS, run, {"a": 8.0}, NOW + timedelta(seconds=4))[0]

    def test_a_step_at_work_says_its_time_against_the_usual(self) -> None:
        node = self.node(status="running")
        assert (node["time"], node["progress"]) == ("4.0 s of 8.0 s", 0.5)

    def test_a_step_that_knows_how_far_it_is_says_so(self) -> None:
        node = self.node(status="running", progress=0.25)
        assert (node["rows"], node["progress"]) == ("25 %", 0.25)

    def test_a_step_that_is_done_says_its_rows_a_second(self) -> None:
        node = self.node(status="success", finished_at=NOW + timedelta(seconds=2), rows_out=9_000)
        assert (node["rows"], node["time"], node["summary"]) == ("9,000 rows", "2.0 s", "4,500 rows/s")
        assert node["hint"] == "a.csv"

    def test_a_step_computed_with_another_has_no_speed_of_its_own(self) -> None:
        node = self.node(status="success", finished_at=NOW + timedelta(seconds=2), rows_out=9_000, fused_into="b")
        assert node["summary"] == "a.csv"
