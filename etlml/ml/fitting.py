"""Fits an estimator and tells how it gets on, at next to no cost and with exactly the result of a plain ``fit``.

How depends on the algorithm: forests grow in a few chunks (warm start gives the very same trees), boosting and neural
networks are looked at while they work, the others are first tried on a few rows, which gives a learning curve.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from etlml.ml.progress import Progress
from etlml.ml.values import Indices

FIRST_CHUNK = 0.1  # of a forest's trees
CHUNK_S = 2.0  # a shorter chunk would not be worth its cost of about 40 ms
MOST_CHUNKS = 10
LOOK_EVERY_S = 0.5
CURVE_ROWS = (250, 1_000, 4_000)
CURVE_BUDGET_S = 0.05
MOST_STAGES = 20

FORESTS = frozenset({"RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"})
Judge = Callable[[Any], dict[str, float]]
"""Scores a fitted estimator on a few rows that it did not see."""


def fit(estimator: Any, matrix: Any, target: Any, judge: Judge, progress: Progress, seed: int) -> None:
    """Fit ``estimator`` in place.

    Args:
        target: None for a clustering.
        judge: Gives the values of the points; may be called several times.
        seed: Picks the rows of the learning curve.
    """
    name = type(estimator).__name__
    if name in FORESTS and _may_grow(estimator):
        _grow(estimator, matrix, target, judge, progress)
    elif name.startswith("GradientBoosting"):
        _boost(estimator, matrix, target, progress)
    elif name.startswith(("HistGradientBoosting", "MLP")):
        with _watched(estimator, progress):
            estimator.fit(matrix, target)
        _loss_points(estimator, progress, 0)
    else:
        if target is not None:
            _learning_curve(estimator, matrix, target, judge, progress, seed)
        estimator.fit(matrix, target)
    progress.point("progress", 1.0, _steps_of(estimator))


def staged_points(estimator: Any, rows: Any, score: Callable[[Any], dict[str, float]], progress: Progress) -> None:
    """For boosting: the scores on a few unseen rows after so many rounds, up to 20 of them.

    Args:
        score: Takes the predictions of one stage.
    """
    if not hasattr(estimator, "staged_predict") or len(rows) == 0:
        return
    rounds = _steps_of(estimator)
    every = max(1, rounds // MOST_STAGES)
    for number, predictions in enumerate(estimator.staged_predict(rows), start=1):
        if number % every == 0 or number == rounds:
            progress.points(score(predictions), number)


def _may_grow(estimator: Any) -> bool:
    """Whether growing in chunks gives the same forest as one fit."""
    parameters = estimator.get_params()
    return (
        isinstance(parameters["random_state"], int)
        and isinstance(parameters["n_estimators"], int)
        and not parameters["warm_start"]
        and not parameters["oob_score"]
        and not isinstance(parameters.get("class_weight"), str)
    )


def _grow(estimator: Any, matrix: Any, target: Any, judge: Judge, progress: Progress) -> None:
    wanted, trees = estimator.n_estimators, 0
    cores = max(1, threading_width(estimator))
    chunk = max(cores, round(wanted * FIRST_CHUNK))
    estimator.set_params(warm_start=True)
    try:
        while trees < wanted:
            started = time.monotonic()
            size = min(chunk, wanted - trees)
            if wanted - trees - size < cores:
                size = wanted - trees
            estimator.set_params(n_estimators=trees + size).fit(matrix, target)
            trees += size
            per_tree = (time.monotonic() - started) / size
            progress.points(judge(estimator) | {"progress": trees / wanted}, trees)
            chunk = max(int(CHUNK_S / max(per_tree, 1e-6)), wanted // MOST_CHUNKS)
            chunk = max(cores, chunk // cores * cores)
    finally:
        estimator.set_params(warm_start=False, n_estimators=wanted)


def threading_width(estimator: Any) -> int:
    """How many trees of a forest grow side by side."""
    from joblib import effective_n_jobs  # type: ignore[import-untyped]

    return int(effective_n_jobs(estimator.n_jobs))


def _boost(estimator: Any, matrix: Any, target: Any, progress: Progress) -> None:
    next_at = 0.0

    def look(number: int, booster: Any, _: Any) -> bool:
        nonlocal next_at
        if time.monotonic() >= next_at:
            next_at = time.monotonic() + LOOK_EVERY_S
            step = number + 1
            progress.points({"train_loss": booster.train_score_[number], "progress": step / booster.n_estimators}, step)
        return False

    estimator.fit(matrix, target, monitor=look)
    last = len(estimator.train_score_)
    progress.point("train_loss", estimator.train_score_[last - 1], last)


@contextlib.contextmanager
def _watched(estimator: Any, progress: Progress) -> Iterator[None]:
    """While the code within runs, look from another thread at how far the estimator is."""
    done = threading.Event()

    def look() -> None:
        told = 0
        while not done.wait(LOOK_EVERY_S):
            steps = _steps_of(estimator)
            if steps > told:
                told = steps
                progress.point("progress", min(1.0, steps / max(1, getattr(estimator, "max_iter", steps))), steps)

    thread = threading.Thread(target=look, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _loss_points(estimator: Any, progress: Progress, start: int) -> None:
    """The losses that an estimator kept of its rounds, thinned."""
    for attribute, key in (("loss_curve_", "train_loss"), ("validation_scores_", "validation_score")):
        curve = list(getattr(estimator, attribute, None) or [])[start:]
        every = max(1, len(curve) // (5 * MOST_STAGES))
        for number, value in enumerate(curve, start=1):
            if number % every == 0 or number == len(curve):
                progress.point(key, value, number)


def _steps_of(estimator: Any) -> int:
    """How many rounds an estimator has made: trees, boosting rounds, epochs or iterations."""
    for attribute in ("loss_curve_", "_predictors", "estimators_"):
        made = getattr(estimator, attribute, None)
        if made is not None:
            return len(made)
    made = getattr(estimator, "n_iter_", None)
    steps = np.asarray([] if made is None else made, dtype=object).ravel()
    counts = [int(step) for step in steps if isinstance(step, int | np.integer)]
    return max(counts, default=1)


def _learning_curve(estimator: Any, matrix: Any, target: Any, judge: Judge, progress: Progress, seed: int) -> None:
    """Points of copies that learned from a few rows only, for as long as that takes next to no time."""
    from sklearn.base import clone

    started = time.monotonic()
    shuffled: Indices = np.random.default_rng(seed).permutation(len(matrix))
    for rows in CURVE_ROWS:
        if rows * 4 > len(matrix) or time.monotonic() - started > CURVE_BUDGET_S / 4:
            return
        few = shuffled[:rows]
        if np.issubdtype(target.dtype, np.integer) and np.unique(target[few]).size < np.unique(target).size:
            continue
        with contextlib.suppress(ValueError):  # too few rows for this algorithm: the real fit will tell if it is
            progress.points(judge(clone(estimator).fit(matrix[few], target[few])), rows)
