"""What a retry takes over: decided without the world."""

import pytest

from etlml.clock import utc_now
from etlml.documents import Pipeline, PipelineDraft, Run
from etlml.errors import ConfigInvalid
from etlml.services.retries import retried_steps, retry_of
from etlml.steps.graph import execution_order
from tests.services.factories import a_document, a_finished_run

DRAFT = PipelineDraft.model_validate(a_document())
FAILED_AT_KEPT = {"rows": "success", "kept": "failed", "saved": "skipped"}
ALL_DONE = {"rows": "success", "kept": "cached", "saved": "success"}


def statuses(done: dict[str, str], start: str, changed: PipelineDraft = DRAFT) -> dict[str, str]:
    steps = retried_steps(a_finished_run(DRAFT, done), execution_order(changed.steps), DRAFT.steps, start)
    return {step.id: step.status for step in steps}


def test_failed_takes_over_what_succeeded() -> None:
    assert statuses(FAILED_AT_KEPT, "failed") == {"rows": "cached", "kept": "pending", "saved": "pending"}


def test_start_takes_over_nothing() -> None:
    assert set(statuses(ALL_DONE, "start").values()) == {"pending"}


def test_a_step_runs_again_with_all_that_depends_on_it() -> None:
    assert statuses(ALL_DONE, "kept") == {"rows": "cached", "kept": "pending", "saved": "pending"}


def test_failed_of_a_run_without_failure_takes_over_everything() -> None:
    assert set(statuses(ALL_DONE, "failed").values()) == {"cached"}


def test_a_step_that_was_mended_runs_again_with_all_below_it() -> None:
    mended = DRAFT.model_copy(deep=True)
    mended.steps[0].config = {"source": {"kind": "inline", "rows": [{"x": 9}]}}
    assert set(statuses(ALL_DONE, "failed", mended).values()) == {"pending"}


def test_a_step_that_was_added_runs() -> None:
    longer = DRAFT.model_copy(deep=True)
    longer.steps.append(longer.steps[1].model_copy(update={"id": "more", "needs": ["kept"]}))
    assert statuses(ALL_DONE, "failed", longer) == {
        "rows": "cached",
        "kept": "cached",
        "saved": "cached",
        "more": "pending",
    }


def test_the_checkpoint_comes_along() -> None:
    run = a_finished_run(DRAFT, FAILED_AT_KEPT)
    first, second, _ = retried_steps(run, execution_order(DRAFT.steps), DRAFT.steps, "failed")
    assert (first.checkpoint, second.checkpoint) == ("old/rows.parquet", None)


def test_unknown_step_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigInvalid, match=r"no step 'keep' to start from. Did you mean 'kept'"):
        statuses(ALL_DONE, "keep")


def test_a_load_that_had_begun_keeps_its_id_so_that_the_sink_takes_its_rows_once() -> None:
    run = a_finished_run(DRAFT, {"rows": "success", "kept": "success", "saved": "failed"})
    run.step("saved").attempts = 1
    saved = retried_steps(run, execution_order(DRAFT.steps), DRAFT.steps, "failed")[-1]
    assert saved.load_id == f"{run.id}/saved"


def test_a_load_that_was_done_and_is_asked_for_again_is_a_new_load() -> None:
    saved = retried_steps(a_finished_run(DRAFT, ALL_DONE), execution_order(DRAFT.steps), DRAFT.steps, "start")[-1]
    assert (saved.load_id, saved.forced) == (None, True)


class TestRetryOf:
    """The run as a whole."""

    def retried(self, run: Run, start: str) -> Run:
        pipeline = Pipeline.model_validate(DRAFT.model_dump() | {"params": {"least": 1, "new": 5}})
        return retry_of(run, pipeline, DRAFT.steps, start, now=utc_now(), author="ann")

    def test_it_says_what_it_repeats_and_from_where(self) -> None:
        run = a_finished_run(DRAFT, FAILED_AT_KEPT)
        again = self.retried(run, "kept")
        assert (again.retry_of, again.retry_from, again.triggered_by) == (run.id, "kept", "ann")
        assert again.reason == f"Retry from kept of run {run.id[-6:]}."

    def test_parameters_are_those_of_then_as_far_as_the_pipeline_still_has_them(self) -> None:
        again = self.retried(a_finished_run(DRAFT, FAILED_AT_KEPT, params={"least": 2, "gone": 1}), "failed")
        assert again.params == {"least": 2, "new": 5}

    @pytest.mark.parametrize(("start", "until", "saved"), [("failed", "kept", "skipped"), ("kept", None, "pending")])
    def test_it_ends_where_the_run_was_asked_to_end_unless_it_starts_from_a_step(
        self, start: str, until: str | None, saved: str
    ) -> None:
        again = self.retried(a_finished_run(DRAFT, FAILED_AT_KEPT, until="kept"), start)
        assert (again.until, again.step("saved").status) == (until, saved)
