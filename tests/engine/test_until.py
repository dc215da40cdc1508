"""Runs that end with a step in the middle of the graph."""

from pathlib import Path
from typing import Any

import pytest

from etlml.clock import utc_now
from etlml.documents import Pipeline
from etlml.engine.new_runs import new_run
from etlml.errors import ConfigInvalid
from tests.engine.conftest import Workbench, statuses

STEPS: list[dict[str, Any]] = [
    {"id": "read", "type": "extract", "config": {"source": {"kind": "inline", "rows": [{"n": 1}, {"n": 2}]}}},
    {"id": "keep", "type": "transform", "config": {"ops": [{"op": "filter", "where": "n > 1"}]}},
    {"id": "double", "type": "transform", "config": {"ops": [{"op": "derive", "columns": {"m": "n * 2"}}]}},
    {"id": "save", "type": "load", "config": {"sink": {"kind": "file", "path": "until/out.parquet"}}},
    {"id": "aside", "type": "transform", "needs": ["read"], "config": {"ops": [{"op": "limit", "rows": 1}]}},
]


def ended_with(bench: Workbench, pipeline: Pipeline, step: str, **params: Any) -> Any:
    return bench.wait(
        bench.store.runs.add(new_run(pipeline, trigger="manual", now=utc_now(), until=step, params=params))
    )


def test_the_step_and_what_it_needs_run_and_the_rest_is_skipped_with_the_reason(bench: Workbench) -> None:
    run = ended_with(bench, bench.pipeline(STEPS), "keep")
    assert (run.status, run.until) == ("success", "keep")
    assert statuses(run) == {
        "read": "success",
        "keep": "success",
        "double": "skipped",
        "save": "skipped",
        "aside": "skipped",
    }
    assert run.step("keep").rows_out == 1
    assert run.step("keep").checkpoint, "its rows are kept, although a step that is skipped would have taken them"
    assert run.step("save").reason == "Not needed: the run was asked to end with 'keep'."
    assert not (bench.data / Path("until/out.parquet")).exists()


def test_what_is_wrong_beyond_the_step_does_not_matter(bench: Workbench) -> None:
    broken = [*STEPS[:3], {**STEPS[3], "config": {"sink": {"kind": "nonsense"}}}]
    run = ended_with(bench, bench.pipeline(broken), "double")
    assert run.status == "success"
    assert run.step("double").rows_out == 1


def test_a_step_that_is_not_there_is_refused() -> None:
    pipeline = Pipeline.model_validate({"name": "p", "steps": STEPS})
    with pytest.raises(ConfigInvalid, match="no step 'kepe' to run to"):
        new_run(pipeline, trigger="manual", now=utc_now(), until="kepe")
