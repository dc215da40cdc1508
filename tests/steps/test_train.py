"""The train step: checked before it runs, trained in a child process, recorded as an experiment."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from etlml.compute.children import Children
from etlml.compute.relation import Query, Relation
from etlml.compute.schema import Schema
from etlml.compute.session import Session
from etlml.errors import ColumnMissing, ConfigInvalid, MemoryExceeded, StepCancelled, TrainingFailed
from etlml.ml.prediction import load
from etlml.steps.base import StepContext
from etlml.steps.train import TrainConfig

pytestmark = pytest.mark.slow

ROWS = "SELECT i AS id, i % 7 AS a, random() AS b, CASE WHEN i % 7 > 3 THEN 'yes' ELSE 'no' END AS label FROM range({rows}) t(i)"
SCHEMA = Schema.of([("id", "BIGINT"), ("a", "BIGINT"), ("b", "DOUBLE"), ("label", "VARCHAR")])


class Notebook:
    """A tracker that keeps what it is told."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.points: list[tuple[str, str, float, int]] = []
        self.completed: list[tuple[str, dict[str, Any], str | None]] = []
        self.failed: list[tuple[str, Exception]] = []

    def start(self, *, name: str, parameters: dict[str, Any], data: dict[str, Any], project: str = "default") -> str:
        self.started.append({"name": name, "parameters": parameters, "data": data, "project": project})
        return "e1"

    def point(self, experiment_id: str, key: str, value: float, step: int) -> None:
        self.points.append((experiment_id, key, value, step))

    def complete(self, experiment_id: str, outcome: dict[str, Any], *, register_as: str | None) -> dict[str, Any]:
        self.completed.append((experiment_id, outcome, register_as))
        return {"experiment_id": experiment_id, "model": register_as, "version": "v1.0"}

    def fail(self, experiment_id: str, error: Exception) -> None:
        self.failed.append((experiment_id, error))


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    with Children(1, warm=("etlml.ml.training",)) as pool:
        yield pool


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def context(tmp_path: Path, children: Children, notebook: Notebook) -> Iterator[StepContext]:
    with Session(tmp_path, memory_bytes=2**28) as session:
        yield StepContext(
            step_id="model",
            load_id="l1",
            folder=tmp_path,
            data_dir=tmp_path,
            session=session,
            children=children,
            tracker=notebook,
            log=lambda level, message: notebook.points.append((level, message, 0, 0)),
            cancelled=lambda: False,
            memory_bytes=2**31,
            checkpoint=lambda relation: session.materialise(relation, tmp_path / f"{relation.name}.parquet"),
        )


def rows(context: StepContext, count: int = 500) -> dict[str, Relation]:
    return {"rows": context.session.define("rows", Query(ROWS.format(rows=count)))}


def changed(context: StepContext, **changes: Any) -> StepContext:
    return StepContext(**{**vars(context), **changes})


class TestCheck:
    def test_the_columns_pass_through(self) -> None:
        assert TrainConfig(algorithm="svc", target="label").check({"rows": SCHEMA}) == SCHEMA
        assert TrainConfig(algorithm="svc", target="label").check({"rows": None}) is None

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"algorithm": "random_forest", "target": "label"}, "Did you mean 'random_forest_"),
            ({"algorithm": "svc", "target": "label", "parameters": {"kernle": 1}}, "Did you mean 'kernel'"),
            ({"algorithm": "svc"}, "needs a target"),
            ({"algorithm": "k_means", "target": "label"}, "has no target"),
            ({"algorithm": "k_means", "cv": 3}, "cannot be cross-validated"),
            ({"algorithm": "svc", "target": "label", "task": "regression"}, "Use 'svr'|Choose one for regression"),
            ({"algorithm": "svc", "target": "label", "features": ["label"]}, "cannot be a feature too"),
        ],
    )
    def test_what_cannot_work_is_refused_before_it_runs(self, fields: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigInvalid, match=message):
            TrainConfig(**fields).check({"rows": SCHEMA})

    @pytest.mark.parametrize("fields", [{"target": "lable"}, {"target": "label", "features": ["a", "lable"]}])
    def test_a_missing_column_gets_the_nearest(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ColumnMissing, match=r"Step 'rows' has no column 'lable'\. Did you mean 'label'"):
            TrainConfig(algorithm="svc", **fields).check({"rows": SCHEMA})

    @pytest.mark.parametrize("fields", [{"test_size": 0}, {"test_size": 1}, {"cv": 1}, {"seed": -1}, {"algo": "svc"}])
    def test_wrong_fields_are_refused(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            TrainConfig(**{"algorithm": "svc", "target": "label", **fields})


class TestExecute:
    def test_a_model_is_trained_recorded_and_registered_and_the_rows_go_on(
        self, context: StepContext, notebook: Notebook
    ) -> None:
        config = TrainConfig(
            algorithm="random_forest_classifier",
            target="LABEL",
            features=["A", "b"],
            parameters={"n_estimators": 12},
            register_as="late",
        )
        result = config.execute(rows(context), context)
        assert result.relation.rows == 500
        assert result.metrics["experiment_id"] == "e1"
        assert result.metrics["model"] == "late"
        assert result.metrics["metrics"]["accuracy"] == 1.0
        assert notebook.started[0]["name"] == "model"
        assert notebook.started[0]["data"]["rows"] == 500
        assert notebook.started[0]["parameters"]["n_estimators"] == 12
        assert any(key == "validation_accuracy" for _, key, _, _ in notebook.points)
        ((_, outcome, register_as),) = notebook.completed
        assert register_as == "late"
        assert outcome["data"]["path"] == str(result.relation.path)
        assert Path(outcome["model_file"]) == context.folder / "model.model.skops"
        answers = load(Path(outcome["model_file"]), sha256=outcome["model_sha256"]).predict([{"a": 6, "b": 0.5}])
        assert answers.predictions == ["yes"]
        assert notebook.failed == []

    def test_columns_that_are_left_out_are_in_the_log(self, context: StepContext, notebook: Notebook) -> None:
        TrainConfig(algorithm="gaussian_nb", target="label").execute(rows(context), context)
        assert (
            "INFO",
            "Column 'id' is left out: it looks like an identifier: nearly every row has a number of its own.",
            0,
            0,
        ) in (notebook.points)

    @pytest.mark.parametrize(
        ("count", "message"), [(0, "The input has no rows"), (5, "5 rows with a target are too few")]
    )
    def test_a_failure_is_recorded_in_the_experiment(
        self, context: StepContext, notebook: Notebook, count: int, message: str
    ) -> None:
        with pytest.raises(TrainingFailed, match=message):
            TrainConfig(algorithm="gaussian_nb", target="label").execute(rows(context, count), context)
        assert notebook.completed == []
        assert notebook.failed[0][0] == "e1"
        assert message in str(notebook.failed[0][1])

    def test_cancel_stops_a_training_within_a_second(self, context: StepContext, notebook: Notebook) -> None:
        started = time.monotonic()
        asked: list[float] = []

        def cancelled() -> bool:
            asked.append(time.monotonic())
            return time.monotonic() - started > 1.5

        long = TrainConfig(algorithm="random_forest_classifier", target="label", parameters={"n_estimators": 100_000})
        with pytest.raises(StepCancelled):
            long.execute(rows(context, 2_000), changed(context, cancelled=cancelled))
        assert time.monotonic() - started < 3
        assert isinstance(notebook.failed[0][1], StepCancelled)
        assert not (context.folder / "model.model.skops").exists()

    def test_a_training_over_its_memory_cap_is_stopped(self, context: StepContext, notebook: Notebook) -> None:
        config = TrainConfig(algorithm="random_forest_classifier", target="label", parameters={"n_estimators": 100_000})
        with pytest.raises(MemoryExceeded, match=r"more than its cap of 67\.1 MB"):
            config.execute(rows(context, 2_000), changed(context, memory_bytes=64 * 2**20))
        assert isinstance(notebook.failed[0][1], MemoryExceeded)
        assert len([child for child in psutil.Process().children() if "child_main" in " ".join(child.cmdline())]) <= 1
