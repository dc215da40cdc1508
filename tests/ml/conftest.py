"""Small tables to train on, and a training that runs in this process."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the children: spinning threads are slow on shared cores

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etlml.ml.training import train

Trainer = Callable[..., dict[str, Any]]


def a_frame(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Numbers, gaps, texts of few and of many kinds, times and flags; ``label`` and ``amount`` depend on ``a``."""
    random = np.random.default_rng(seed)
    a = random.normal(size=rows)
    frame = pd.DataFrame(
        {
            "a": a,
            "b": random.normal(size=rows),
            "kind": random.choice(["red", "green", "blue", None], rows),
            "place": [f"place {number}" for number in random.integers(0, 40, rows)],
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 10**7, rows), unit="s"),
            "flag": random.random(rows) > 0.5,
            "label": np.where(a + 0.3 * random.normal(size=rows) > 0, "yes", "no"),
            "three": np.where(a > 0.5, "high", np.where(a < -0.5, "low", "middle")),
            "amount": 3 * a + 10 + 0.1 * random.normal(size=rows),
        }
    )
    frame.loc[3:20, "b"] = np.nan
    return frame


FEATURES = ["a", "b", "kind", "place", "at", "flag"]


@pytest.fixture
def frame() -> pd.DataFrame:
    return a_frame()


@pytest.fixture
def messages() -> list[dict[str, Any]]:
    """What the trainings of the test reported."""
    return []


@pytest.fixture
def trained(tmp_path: Path, frame: pd.DataFrame, messages: list[dict[str, Any]]) -> Trainer:
    """``trained(algorithm, target, frame=..., **options)``: the outcome of a training in this process."""

    def run(
        algorithm: str, target: str | None = None, data: pd.DataFrame | None = None, **options: Any
    ) -> dict[str, Any]:
        path = tmp_path / "rows.parquet"
        (frame if data is None else data).to_parquet(path)
        options.setdefault("features", FEATURES)
        options.setdefault("model_file", str(tmp_path / "model.skops"))
        return train(path=str(path), algorithm=algorithm, target=target, report=messages.append, **options)

    return run
