"""What the use cases of runs promise, up to the worker."""

import pytest

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.errors import ConfigInvalid, NotFound, StateConflict, StepTimeout
from etlml.services import Services
from tests.services.factories import a_document


@pytest.fixture
def run(services: Services) -> Run:
    services.pipelines.create(a_document())
    return services.runs.start("small", author="ann")


def finish(services: Services, run: Run, status: str, steps: dict[int, dict[str, object]]) -> None:
    """What a worker would do."""
    claimed = services.store.runs.claim("w", utc_now(), 60)
    assert claimed is not None
    assert claimed.id == run.id
    services.store.runs.finish(run.id, claimed.attempt, "w", status, utc_now(), steps=steps)  # type: ignore[arg-type]


class TestStart:
    """Queueing."""

    def test_run_has_the_pipelines_steps_in_order_and_its_parameters(self, services: Services, run: Run) -> None:
        stored = services.runs.get(run.id)
        assert [step.id for step in stored.steps] == ["rows", "kept", "saved"]
        assert (stored.status, stored.trigger, stored.triggered_by) == ("pending", "manual", "ann")
        assert stored.params == {"least": 1, "label": "a", "on": True}
        assert services.pipelines.get("small").status == "pending"

    def test_given_parameters_replace_the_pipelines(self, services: Services, run: Run) -> None:
        assert services.runs.start("small", {"least": "2"}).params["least"] == 2

    def test_unknown_parameter_is_refused(self, services: Services, run: Run) -> None:
        with pytest.raises(ConfigInvalid, match="Did you mean 'least'"):
            services.runs.start("small", {"lest": 2})

    def test_pipeline_without_steps_is_refused(self, services: Services) -> None:
        services.pipelines.create({"name": "empty"})
        with pytest.raises(StateConflict, match="has no steps"):
            services.runs.start("empty")

    def test_unknown_pipeline_gets_the_nearest(self, services: Services, run: Run) -> None:
        with pytest.raises(NotFound, match="Did you mean 'small'"):
            services.runs.start("smal")


class TestList:
    """Lists."""

    def test_filters_by_pipeline_name_even_after_its_deletion(self, services: Services, run: Run) -> None:
        services.runs.cancel(run.id)
        assert [each.id for each in services.runs.list(pipeline="small").items] == [run.id]
        services.pipelines.delete("small")
        assert [each.id for each in services.runs.list(pipeline=run.pipeline_id).items] == [run.id]

    def test_pages_by_cursor(self, services: Services, run: Run) -> None:
        more = [services.runs.start("small").id for _ in range(3)]
        first = services.runs.list(limit=3)
        rest = services.runs.list(limit=3, cursor=first.next_cursor)
        assert [each.id for each in [*first.items, *rest.items]] == [*reversed(more), run.id]
        assert rest.next_cursor is None


class TestCancel:
    """Cancelling."""

    def test_waiting_run_is_cancelled_at_once(self, services: Services, run: Run) -> None:
        cancelled = services.runs.cancel(run.id, author="ann")
        assert (cancelled.status, cancelled.reason) == ("cancelled", "Cancelled by ann.")

    def test_running_run_is_asked_to_stop(self, services: Services, run: Run) -> None:
        services.store.runs.claim("w", utc_now(), 60)
        cancelled = services.runs.cancel(run.id)
        assert (cancelled.status, cancelled.cancel_requested) == ("running", True)

    def test_finished_run_is_refused(self, services: Services, run: Run) -> None:
        services.runs.cancel(run.id)
        with pytest.raises(StateConflict, match="cancelled already"):
            services.runs.cancel(run.id)


class TestRetry:
    """Trying again."""

    def test_new_run_takes_over_what_is_done(self, services: Services, run: Run) -> None:
        finish(
            services,
            run,
            "failed",
            {0: {"status": "success", "rows_out": 3}, 1: {"status": "failed"}, 2: {"status": "skipped"}},
        )
        again = services.runs.retry(run.id, author="ann")
        assert (again.retry_of, again.trigger, again.status) == (run.id, "retry", "pending")
        assert [step.status for step in again.steps] == ["cached", "pending", "pending"]
        assert again.steps[0].rows_out == 3

    def test_runs_the_pipeline_as_it_is_now_with_the_parameters_of_then(self, services: Services) -> None:
        services.pipelines.create(a_document())
        run = services.runs.start("small", {"least": 2})
        finish(services, run, "failed", {0: {"status": "success"}, 1: {"status": "failed"}, 2: {"status": "skipped"}})
        services.pipelines.update("small", a_document(params={"least": 1, "new": 5}))
        again = services.runs.retry(run.id)
        assert (again.pipeline_version, again.params) == (2, {"least": 2, "new": 5})

    def test_run_that_goes_on_is_refused(self, services: Services, run: Run) -> None:
        with pytest.raises(StateConflict, match="Wait for its end"):
            services.runs.retry(run.id)


class TestWait:
    """Waiting."""

    def test_gives_the_finished_run(self, services: Services, run: Run) -> None:
        services.runs.cancel(run.id)
        assert services.runs.wait(run.id, 1).status == "cancelled"

    def test_gives_up_after_the_timeout(self, services: Services, run: Run) -> None:
        with pytest.raises(StepTimeout, match=r"still pending after 0.05 s"):
            services.runs.wait(run.id, 0.05)


class TestDelete:
    """Forgetting."""

    def test_only_finished_runs_go(self, services: Services, run: Run) -> None:
        with pytest.raises(StateConflict, match="Cancel it before"):
            services.runs.delete(run.id)
        services.runs.cancel(run.id)
        services.runs.delete(run.id)
        with pytest.raises(NotFound):
            services.runs.get(run.id)
