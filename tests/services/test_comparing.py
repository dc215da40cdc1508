"""Two runs side by side."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from etlml.documents import Experiment, RuleResult, Run, StepRun, Validation
from etlml.errors import InvalidInput, NotFound, StateConflict
from etlml.services import Services
from tests.services.factories import a_document

OLD = "SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) t(id, x)"
NEW = "SELECT * FROM (VALUES (1, 'a'), (2, 'B'), (4, 'd')) t(id, x)"


@pytest.fixture
def pair(services: Services) -> tuple[Run, Run]:
    """Two runs of one pipeline, whose second version filters otherwise; step ``kept`` has its rows in both."""
    pipeline = services.pipelines.create(a_document())
    changed = a_document()
    changed["steps"][1]["config"]["ops"][0]["where"] = "x > ${params.least}"
    services.pipelines.update(pipeline.id, changed, expected_version=1)
    return a_run(services, pipeline.id, 1, OLD, 2), a_run(services, pipeline.id, 2, NEW, 9)


def a_run(services: Services, pipeline_id: str, version: int, rows: str, least: int, **changes: Any) -> Run:
    run = Run(pipeline_id=pipeline_id, pipeline_name="small", pipeline_version=version, params={"least": least})
    path = services.environment.runs_dir / run.id / "kept.parquet"
    path.parent.mkdir(parents=True)
    duckdb.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    kept = {"checkpoint": f"{run.id}/kept.parquet", "rows_out": 3}
    run = run.model_copy(
        update={
            "status": "success",
            "steps": [
                StepRun(id="rows", type="extract", status="success", fused_into="kept", cache_key=f"key of {least}"),
                StepRun.model_validate({"id": "kept", "type": "transform", "status": "success"} | kept),
                StepRun(id="saved", type="load", status="success"),
            ],
            **changes,
        }
    )
    services.store.runs.put(run)
    return run


def test_definitions_parameters_and_figures_are_held_against_each_other(
    services: Services, pair: tuple[Run, Run]
) -> None:
    found = services.comparing.runs(pair[0].id, pair[1].id)
    assert [(each.path, each.before, each.after) for each in found.params] == [("least", 2, 9)]
    (change,) = found.changes
    assert (change.step, change.kind, change.fields[0].path) == ("kept", "changed", "config.ops[0].where")
    assert [step.step for step in found.steps] == ["rows", "kept", "saved"]
    assert [step.comparable for step in found.steps] == [False, True, False]
    assert found.steps[0].data_changed is True
    assert found.versions_known


def test_metrics_scores_and_rules_stand_side_by_side(services: Services, pair: tuple[Run, Run]) -> None:
    for run, score, failed in zip(pair, (1.0, 0.5), (0, 4), strict=True):
        rule = RuleResult(rule="not_null", column="x", success=not failed, failed=failed)
        services.store.validations.add(
            Validation(
                name="check", step_id="kept", run_id=run.id, status="passed", score=score, row_count=3, rules=[rule]
            )
        )
        services.store.experiments.add(
            Experiment(
                name="m", run_id=run.id, step_id="model", metrics={"f1": score}, environment={"python": str(failed)}
            )
        )
    found = services.comparing.runs(pair[0].id, pair[1].id)
    assert [(each.name, each.before, each.after) for each in found.metrics] == [("f1", 1.0, 0.5)]
    assert [(each.name, each.before, each.after) for each in found.scores] == [("check", 1.0, 0.5)]
    assert [(each.name, each.before, each.after) for each in found.rules] == [("not_null x", 0.0, 4.0)]
    assert [each.path for each in found.environment] == ["python"]


def test_the_last_success_stands_in_for_the_first_run(services: Services, pair: tuple[Run, Run]) -> None:
    a_run(services, pair[0].pipeline_id, 2, OLD, 2, status="failed")
    assert services.comparing.runs("last-success", pair[1].id).before.id == pair[0].id
    with pytest.raises(NotFound, match="successful run before"):
        services.comparing.runs("last-success", pair[0].id)


def test_rows_of_a_step_are_compared_by_a_guessed_key(services: Services, pair: tuple[Run, Run]) -> None:
    found = services.comparing.step(pair[0].id, pair[1].id, "kept")
    assert (found.keys, found.added, found.removed, found.changed, found.same) == (["id"], 1, 1, 1, 1)
    assert found.changes == {"x": 1}
    assert services.comparing.keys(pair[0].id, pair[1].id, "kept") == (["id", "x"], ["id"])


def test_a_step_without_rows_says_why(services: Services, pair: tuple[Run, Run]) -> None:
    with pytest.raises(StateConflict, match="computed together with 'kept'"):
        services.comparing.step(pair[0].id, pair[1].id, "rows")
    with pytest.raises(NotFound, match="nothing"):
        services.comparing.step(pair[0].id, pair[1].id, "nothing")
    with pytest.raises(InvalidInput, match="limit"):
        services.comparing.step(pair[0].id, pair[1].id, "kept", limit=-1)


def test_rows_that_were_removed_are_said_to_be(services: Services, pair: tuple[Run, Run]) -> None:
    (services.environment.runs_dir / pair[0].id / "kept.parquet").unlink()
    with pytest.raises(NotFound, match="checkpoint"):
        services.comparing.step(pair[0].id, pair[1].id, "kept")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_files_are_made_for_a_download_and_removed_after_it(
    services: Services, pair: tuple[Run, Run], form: Any
) -> None:
    found = services.step_files.differences(pair[0].id, pair[1].id, "kept", form)
    rows = duckdb.execute(f"SELECT difference, id FROM '{found.path}' ORDER BY id").fetchall()
    assert rows == [("changed", 2), ("removed", 3), ("added", 4)]
    found.done()
    assert not found.path.exists()
    whole = services.step_files.rows(pair[0].id, "kept", form)
    assert duckdb.execute(f"SELECT * FROM '{whole.path}'").fetchall() == [(1, "a"), (2, "b"), (3, "c")]
    whole.done()
    assert Path(services.environment.runs_dir / pair[0].id / "kept.parquet").is_file()
