"""What a run's page says of a run."""

from datetime import UTC, datetime, timedelta

import pytest

from etlml.documents import Run, RunStatus
from etlml.ui import run_view

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_progress_says_so_when_the_worker_is_lost() -> None:
    run = Run(pipeline_id="p", status="running", lease_until=NOW + timedelta(seconds=9))
    assert run_view.progress_words(run, None, 0.5, NOW) == "0 of 0 steps done, 50 %"
    lost = run_view.progress_words(run, None, 0.5, NOW + timedelta(seconds=10))
    assert lost.startswith("Its worker does not answer.")


@pytest.mark.parametrize(
    ("status", "seconds", "every"),
    [("running", 5, "1s"), ("running", 300, "2s"), ("pending", 5, "1s"), ("success", 5, None)],
)
def test_a_page_looks_again_less_often_once_its_run_takes_a_while(
    status: RunStatus, seconds: int, every: str | None
) -> None:
    started = None if status == "pending" else NOW - timedelta(seconds=seconds)
    run = Run(pipeline_id="p", status=status, created_at=NOW - timedelta(seconds=seconds), started_at=started)
    assert run_view.pace(run, NOW) == every
