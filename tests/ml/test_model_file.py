"""Model files: safe to read, whole or not there."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from etlml.errors import DataUnreadable
from etlml.ml.model_file import FORMAT, TRUSTED, load
from etlml.ml.preparation import Preparation
from tests.ml.conftest import Trainer


class Unknown:
    """A type that no model of ours holds."""

    def __init__(self) -> None:
        self.value = 1


def a_file(path: Path, estimator: Any) -> Path:
    content = {
        "format": FORMAT,
        "metadata": json.dumps({}),
        "pipeline": Pipeline([("prepare", Preparation()), ("model", estimator)]),
    }
    skops.io.dump(content, path)
    return path


def test_a_file_with_unknown_types_is_refused(tmp_path: Path) -> None:
    estimator = LinearRegression()
    estimator.extra_ = Unknown()
    with pytest.raises(DataUnreadable, match=r"was not loaded: Untrusted types .*Unknown"):
        load(a_file(tmp_path / "model.skops", estimator))


def test_a_file_that_names_a_function_of_the_system_is_refused(tmp_path: Path) -> None:
    estimator = LinearRegression()
    estimator.extra_ = os.system
    with pytest.raises(DataUnreadable, match="Untrusted types"):
        load(a_file(tmp_path / "model.skops", estimator))


@pytest.mark.parametrize("index", [10**6, -3, 0])
def test_a_tree_that_points_outside_of_itself_or_in_a_circle_is_refused(tmp_path: Path, index: int) -> None:
    estimator = DecisionTreeClassifier().fit(np.arange(20).reshape(-1, 1), np.arange(20) % 2)
    state = estimator.tree_.__getstate__()
    state["nodes"]["left_child"][1] = index
    estimator.tree_.__setstate__(state)
    with pytest.raises(DataUnreadable, match="points outside of itself"):
        load(a_file(tmp_path / "model.skops", estimator))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_what_is_no_model_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(DataUnreadable, match="no model file, or it is damaged"):
        load(tmp_path / "model.skops")


def test_a_skops_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    skops.io.dump(LinearRegression(), tmp_path / "model.skops")
    with pytest.raises(DataUnreadable, match="no model of this platform"):
        load(tmp_path / "model.skops")


def test_the_file_is_a_pipeline_that_takes_a_data_frame_without_this_platform_around_it(
    trained: Trainer, frame: pd.DataFrame
) -> None:
    file = trained("random_forest_classifier", "label", parameters={"n_estimators": 5})["model_file"]
    content = skops.io.load(file, trusted=list(TRUSTED))
    answers = content["pipeline"].predict(frame)
    assert ((answers == 1) == (frame["label"] == "yes")).mean() > 0.85
    assert json.loads(content["metadata"])["signature"]["output"]["classes"] == ["no", "yes"]
