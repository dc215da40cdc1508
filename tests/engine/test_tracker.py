"""What a training leaves behind: one experiment and one model, however often it was tried."""

from pathlib import Path

import pytest

from etlml.clock import utc_now
from etlml.documents import Run
from etlml.engine.tracker import StoreTracker
from etlml.errors import StepCancelled, TrainingFailed
from etlml.store import Store

RUN = Run(pipeline_id="p", pipeline_name="flights")


@pytest.fixture
def tracker(store: Store, tmp_path: Path) -> StoreTracker:
    return StoreTracker(store, RUN, "model", tmp_path / "models", utc_now)


def begun(tracker: StoreTracker) -> str:
    return tracker.start(name="", parameters={"algorithm": "Ridge"}, data={"rows": 10, "schema": {"x": "BIGINT"}})


def an_outcome(folder: Path) -> dict[str, object]:
    (folder / "model.skops").write_bytes(b"model")
    return {
        "algorithm": "Ridge",
        "metrics": {"r2": 0.5},
        "parameters": {"alpha": 1.0},
        "model_file": str(folder / "model.skops"),
        "data": {"rows": 10, "schema": {"x": "BIGINT"}},
    }


def test_a_completed_training_has_its_experiment_and_its_model(
    tracker: StoreTracker, store: Store, tmp_path: Path
) -> None:
    experiment = begun(tracker)
    tracker.point(experiment, "r2", 0.4, 1)
    facts = tracker.complete(experiment, an_outcome(tmp_path), register_as="plan")
    assert (facts["model"], facts["version"]) == ("plan", "v1.0")
    stored = store.experiments.get(experiment)
    assert (stored.status, stored.metrics, stored.model_version) == ("completed", {"r2": 0.5}, "v1.0")
    assert stored.parameters == {"algorithm": "Ridge", "alpha": 1.0}
    assert Path(store.models.find("plan").file_path).read_bytes() == b"model"


def test_a_training_that_is_tried_again_goes_on_with_its_experiment_and_registers_once(
    tracker: StoreTracker, store: Store, tmp_path: Path
) -> None:
    experiment = begun(tracker)
    tracker.point(experiment, "r2", 0.1, 1)
    tracker.complete(experiment, an_outcome(tmp_path), register_as="plan")
    assert begun(tracker) == experiment
    assert store.metric_points.series(experiment, "r2") == []
    tracker.complete(experiment, an_outcome(tmp_path), register_as="plan")
    assert [model.version for model in store.models.versions("plan")] == ["v1.0"]


def test_another_run_registers_the_next_version(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        tracker = StoreTracker(store, Run(pipeline_id="p"), "model", tmp_path / "models", utc_now)
        tracker.complete(begun(tracker), an_outcome(tmp_path), register_as="plan")
    assert [model.version for model in store.models.versions("plan")] == ["v1.1", "v1.0"]


@pytest.mark.parametrize(
    ("error", "status"), [(TrainingFailed("The target is constant."), "failed"), (StepCancelled(), "cancelled")]
)
def test_a_training_that_ends_badly_says_how(
    tracker: StoreTracker, store: Store, error: Exception, status: str
) -> None:
    experiment = begun(tracker)
    tracker.fail(experiment, error)
    stored = store.experiments.get(experiment)
    assert stored.status == status
    assert stored.error is not None
    assert stored.error.message == str(error)
