"""What was learned in a seeded database: experiments over a grid of parameters, and the models that came of the best."""

import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product

from etlml.documents import DataInfo, Experiment, MetricPoint, Model, Pipeline
from etlml.store import Store

_MODEL = "late-flight"
_ALGORITHM = "RandomForestClassifier"
_GRID = tuple(product((50, 100, 200), (6, 12, None)))  # trees, depth
_REGISTERED_EACH = 3
_ARTIFACTS = {
    "confusion_matrix": {"labels": ["0", "1"], "matrix": [[47_912, 2_204], [6_633, 8_864]]},
    "feature_importances": {
        "dep_delay": 0.61,
        "hour": 0.09,
        "distance": 0.08,
        "carrier": 0.08,
        "month": 0.07,
        "dest": 0.04,
        "origin": 0.03,
    },
    "task": "classification",
}
_SIGNATURE = {
    "inputs": [
        {"name": "month", "type": "BIGINT"},
        {"name": "hour", "type": "BIGINT"},
        {"name": "distance", "type": "BIGINT"},
        {"name": "carrier", "type": "VARCHAR", "categories": ["AA", "B6", "DL", "EV", "UA"]},
        {"name": "origin", "type": "VARCHAR", "categories": ["EWR", "JFK", "LGA"]},
        {"name": "dep_delay", "type": "DOUBLE"},
    ],
    "output": {"name": "late", "type": "INTEGER", "classes": [0, 1]},
}


def seed_learning(store: Store, pipeline: Pipeline, now: datetime, chance: random.Random) -> None:
    """Add an experiment every other day; each third is registered, and the last of these is in production."""
    for number, (trees, depth) in enumerate(_GRID):
        began = now - timedelta(days=18 - 2 * number, hours=chance.uniform(0, 9))
        experiment = _experiment(pipeline, trees, depth, began, chance)
        experiment.tags = ["baseline"] if number == 0 else []
        store.experiments.add(experiment)
        store.metric_points.add_many(_points(experiment, chance))
        if (number + 1) % _REGISTERED_EACH == 0:
            model = _registered(store, experiment)
    store.models.set_status(_MODEL, model.version, "deployed")
    store.models.set_aliases(_MODEL, model.version, ["production"])


def _experiment(
    pipeline: Pipeline, trees: int, depth: int | None, began: datetime, chance: random.Random
) -> Experiment:
    """A training: the more trees, and the deeper, the better, give or take a little."""
    gain = 0.02 if depth is None else depth * 0.0012
    best = 0.78 + 0.035 * math.log10(trees) + gain + chance.uniform(-0.008, 0.008)
    return Experiment(
        name=_MODEL,
        project="flights",
        pipeline_id=pipeline.id,
        step_id="model",
        status="completed",
        parameters={"algorithm": _ALGORITHM, "n_estimators": trees, "max_depth": depth, "test_size": 0.2, "seed": 0},
        metrics={"accuracy": best, "f1": best - 0.05, "roc_auc": min(best + 0.06, 0.99), "log_loss": 1 - best},
        created_at=began,
        finished_at=began + timedelta(seconds=trees / 6),
        data=DataInfo(path="runs/clean.parquet", rows=328_063, fingerprint="9f2c"),
        environment={"python": "3.11", "scikit-learn": "1.9.0"},
        artifacts=_ARTIFACTS,
    )


def _points(experiment: Experiment, chance: random.Random) -> Iterator[MetricPoint]:
    """How two of its metrics rose while it learned."""
    for key in ("accuracy", "f1"):
        for step in range(1, 51):
            value = (experiment.metrics[key] or 0) - 0.3 * math.exp(-step / 12) + chance.uniform(-0.004, 0.004)
            yield MetricPoint(experiment_id=experiment.id, key=key, step=step, value=value)


def _registered(store: Store, experiment: Experiment) -> Model:
    model = store.models.register(
        _MODEL,
        experiment_id=experiment.id,
        algorithm=_ALGORITHM,
        task="classification",
        metrics=experiment.metrics,
        parameters=experiment.parameters,
        file_path=f"models/{_MODEL}/model.skops",
        description="",
        signature=_SIGNATURE,
    )
    store.experiments.update(experiment.id, {"model_name": model.name, "model_version": model.version})
    return model
