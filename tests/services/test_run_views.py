"""Runs looked at together, and why one waits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import Run, StepRun, Worker
from etlml.errors import NotFound
from etlml.services import Services
from tests.services.factories import a_document

START = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


@pytest.fixture
def runs(services: Services) -> list[Run]:
    """Four runs of a pipeline, half an hour apart, the third one failed."""
    found = []
    for number, status in enumerate(("success", "success", "failed", "success")):
        at = START + timedelta(minutes=30 * number)
        steps = [
            StepRun(
                id="rows", type="extract", status="success", started_at=at, finished_at=at + timedelta(seconds=number)
            ),
            StepRun(id="saved", type="load", status="skipped" if status == "failed" else "success"),
        ]
        run = Run(id=f"r{number}", pipeline_id="p", status=status, created_at=at, duration_s=9.0 - number, steps=steps)  # type: ignore[arg-type]
        found.append(services.store.runs.put(run))
    services.store.runs.put(Run(id="other", pipeline_id="q", status="success", created_at=START, duration_s=99))
    return found


def test_a_run_knows_its_neighbours_and_the_success_before(services: Services, runs: list[Run]) -> None:
    assert services.run_views.beside(runs[0]) == (None, "r1")
    assert services.run_views.beside(runs[2]) == ("r1", "r3")
    assert services.run_views.last_success(runs[3]) == "r1"
    assert services.run_views.last_success(runs[0]) is None


def test_neighbours_of_one_moment_are_told_apart(services: Services) -> None:
    twins = [services.store.runs.put(Run(id=f"t{n}", pipeline_id="p", created_at=START)) for n in range(3)]
    assert [services.run_views.beside(one) for one in twins] == [(None, "t1"), ("t0", "t2"), ("t1", None)]


def test_days_are_those_of_the_time_zone(services: Services, runs: list[Run]) -> None:
    utc = {(each.day, each.status): each.runs for each in services.run_views.by_day(pipeline="p")}
    assert utc == {("2026-03-01", "success"): 1, ("2026-03-02", "success"): 2, ("2026-03-02", "failed"): 1}
    berlin = services.run_views.by_day(timezone="Europe/Berlin")
    assert {each.day for each in berlin} == {"2026-03-02"}


def test_the_longest_come_first(services: Services, runs: list[Run]) -> None:
    assert [run.id for run in services.run_views.longest(limit=3)] == ["other", "r0", "r1"]
    assert [run.id for run in services.run_views.longest(pipeline="p", skip=2)] == ["r2", "r3"]
    assert [run.id for run in services.run_views.longest(status="failed")] == ["r2"]
    assert [run.id for run in services.run_views.longest(pipeline="p", shortest=True, limit=2)] == ["r3", "r2"]


def test_runs_can_be_listed_the_oldest_first(services: Services, runs: list[Run]) -> None:
    first = services.runs.list(pipeline="p", newest_first=False, limit=3)
    assert [run.id for run in first.items] == ["r0", "r1", "r2"]
    rest = services.runs.list(pipeline="p", newest_first=False, limit=3, cursor=first.next_cursor)
    assert [run.id for run in rest.items] == ["r3"]


def test_the_runs_of_a_backfill_are_told_apart(services: Services, runs: list[Run]) -> None:
    services.store.runs.put(Run(id="made", pipeline_id="p", trigger="backfill", backfill_id="b", duration_s=1))
    assert [run.id for run in services.runs.list(backfill="b").items] == ["made"]
    assert [run.id for run in services.run_views.longest(backfill="b")] == ["made"]
    assert [day.runs for day in services.run_views.by_day(backfill="b")] == [1]


def test_a_grid_has_a_cell_for_each_step_of_each_run(services: Services, runs: list[Run]) -> None:
    grid = services.run_views.grid("p", limit=3)
    assert [run.id for run in grid.runs] == ["r1", "r2", "r3"]
    assert [step.id for step in grid.steps] == ["rows", "saved"]
    assert [cell.status if cell else None for cell in grid.steps[1].cells] == ["success", "skipped", "success"]
    assert grid.steps[0].cells[2].duration_s == 3  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        services.run_views.grid("nothing")


def a_worker(**changes: Any) -> Worker:
    return Worker(**{"id": "w", "host": "h", "pid": 1, "slots": 2, "heartbeat_at": utc_now(), **changes})


def test_a_waiting_run_says_for_what(services: Services) -> None:
    pipeline = services.pipelines.create(a_document())
    run = services.runs.start(pipeline.id)
    waits = services.run_views.waits_for
    assert "none is alive" in str(waits(run))
    services.store.workers.beat(a_worker(running=["a", "b"]))
    assert "every worker is busy" in str(waits(run))
    services.store.workers.beat(a_worker())
    assert waits(run) == "for a worker to take it"
    services.store.runs.put(Run(id="busy", pipeline_id=pipeline.id, status="running"))
    assert "one run at a time" in str(waits(run))
    for minutes, told in ((0.2, "again shortly"), (1, "in 1 minute"), (20, "in 20 minutes")):
        later = run.model_copy(update={"not_before": utc_now() + timedelta(minutes=minutes, seconds=1)})
        assert str(waits(later)).endswith(told)
    assert waits(run.model_copy(update={"status": "success"})) is None
