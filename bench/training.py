"""Training as a step of a run, against the bare scikit-learn fit on the same frame."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from bench import flights_script
from bench.measure import Row, in_turn, seconds
from bench.platform import Platform, platform
from etlml.services.workspace import examples_dir

FEATURES = ["month", "weekday", "hour", "carrier", "origin", "distance", "dep_delay"]
CATEGORIES = ["carrier", "origin"]
TARGET = "late"
SHARE, EXTRA_S = 1.05, 0.3
REPEATS = 3
Learner = tuple[str, type, type, dict[str, Any]]
LEARNERS: list[Learner] = [
    (
        "hist_gradient_boosting_classifier",
        HistGradientBoostingClassifier,
        OrdinalEncoder,
        {"max_iter": 60, "learning_rate": 0.2},
    ),
    (
        "random_forest_classifier",
        RandomForestClassifier,
        OneHotEncoder,
        {"n_estimators": 40, "max_depth": 12, "max_samples": 0.25},
    ),
]


def run() -> Iterator[Row]:
    """The time of the train step: reading the checkpoint, splitting, fitting, scoring, saving, recording."""
    with platform() as running, tempfile.TemporaryDirectory(prefix="etlml-bench-") as folder:
        flights_script.run(examples_dir() / "data", Path(folder))
        frame = Path(folder) / "flights.parquet"
        for name, learner, encoder, parameters in LEARNERS:
            pipeline = running.create(name, _steps(frame, name, parameters))
            running.run(pipeline)
            bare_fit = partial(_bare_seconds, frame, learner(**parameters, random_state=0), encoder())
            ours, bare = in_turn(REPEATS, partial(_step_seconds, running, pipeline), bare_fit)
            limit = SHARE * min(bare) + EXTRA_S
            yield Row(
                f"training, {name}",
                min(ours),
                min(bare),
                limit,
                note="baseline: bare scikit-learn fit; limit: +5 % + 300 ms",
            )


def _steps(frame: Path, algorithm: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    config = {"target": TARGET, "algorithm": algorithm, "features": FEATURES, "parameters": parameters}
    return [
        {"id": "frame", "type": "extract", "config": {"source": {"kind": "file", "path": str(frame)}}},
        {"id": "model", "type": "train", "config": config},
    ]


def _step_seconds(running: Platform, pipeline: str) -> float:
    duration = running.run(pipeline).step("model").duration_s
    assert duration is not None
    return duration


def _bare_seconds(frame: Path, learner: Any, encoder: Any) -> float:
    """What a person would write for this learner: its categories encoded as suits it, the rest as it is, and fit."""
    data = pd.read_parquet(frame, columns=[*FEATURES, TARGET])
    train, _ = train_test_split(data, test_size=0.2, random_state=0, stratify=data[TARGET])
    encode = make_column_transformer((encoder, CATEGORIES), remainder="passthrough", sparse_threshold=0)
    model = make_pipeline(encode, learner)
    return seconds(lambda: model.fit(train[FEATURES], train[TARGET]))
