"""What a run's page says of a run."""

from datetime import UTC, datetime, timedelta

from etlml.documents import Run
from etlml.ui import run_view

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_progress_says_so_when_the_worker_is_lost() -> None:
    run = Run(pipeline_id="p", status="running", lease_until=NOW + timedelta(seconds=9))
    assert run_view.progress_words(run, None, 0.5, NOW) == "0 of 0 steps done, 50 %"
    lost = run_view.progress_words(run, None, 0.5, NOW + timedelta(seconds=10))
    assert lost.startswith("Its worker does not answer.")
