"""Judges a fitted model by the rows that it did not learn from: metrics, and small things to look at."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etlml.ml import metrics
from etlml.ml.algorithms import Algorithm, Task
from etlml.ml.fitting import FORESTS
from etlml.ml.target import Class
from etlml.ml.values import Floats, Indices

MOST_JUDGED = 20_000  # rows: the accuracy of so many is right to a third of a percent
MOST_JUDGED_SLOWLY = 3_000  # where a prediction costs as much as a look at all training rows
MOST_TRAIN_JUDGED = 2_000
FEW = 1_000  # rows that the points while it trains are of
MOST_CLASSES_SHOWN = 50
CURVE_POINTS = 100
RESIDUALS = 200
BINS = 20

_SLOW = frozenset(
    {"sklearn.neighbors", "sklearn.svm", "sklearn.gaussian_process", "sklearn.semi_supervised", "sklearn.kernel_ridge"}
)
_OWN_DECISION = frozenset({"SVC", "NuSVC"})  # whose classes are not those of the highest probability


@dataclass(frozen=True)
class Answer:
    """What an estimator says of some rows."""

    predicted: Any
    probabilities: Floats | None = None


def answer(estimator: Any, matrix: Any, task: Task) -> Answer:
    """Predictions, and for classes the probabilities where the estimator gives them, in one pass where that is right.

    A forest is asked on all cores by parts of the rows: asked by trees, which scikit-learn would do, the last digit
    depends on which tree is ready first.
    """
    if type(estimator).__name__ not in FORESTS or len(matrix) < 2 * FEW:
        return _answer(estimator, matrix, task)
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        parts = list(pool.map(lambda rows: _answer(estimator, rows, task), np.array_split(matrix, cores)))
    predicted = np.concatenate([part.predicted for part in parts])
    chances = [part.probabilities for part in parts if part.probabilities is not None]
    return Answer(predicted, np.concatenate(chances) if chances else None)


def _answer(estimator: Any, matrix: Any, task: Task) -> Answer:
    if task != "classification" or not hasattr(estimator, "predict_proba"):
        return Answer(np.asarray(estimator.predict(matrix)).reshape(len(matrix)))
    probabilities = np.asarray(estimator.predict_proba(matrix), dtype=np.float64)
    if type(estimator).__name__ in _OWN_DECISION:
        return Answer(np.asarray(estimator.predict(matrix)), probabilities)
    return Answer(np.asarray(estimator.classes_)[probabilities.argmax(axis=1)], probabilities)


def judged(rows: Indices, algorithm: Algorithm, seed: int) -> Indices:
    """The test rows that are judged: all, or a fixed sample of many."""
    return sampled(rows, judged_at_most(algorithm), seed)


def judged_at_most(algorithm: Algorithm) -> int:
    """How many rows an algorithm is judged by."""
    slow = ".".join(algorithm.module.split(".")[:2]) in _SLOW
    return MOST_JUDGED_SLOWLY if slow else MOST_JUDGED


def sampled(rows: Indices, most: int, seed: int) -> Indices:
    """At most ``most`` of the positions, ascending; the same for the same seed."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def scores(task: Task, actual: Any, given: Answer, classes: int) -> dict[str, float]:
    """All metrics of a classification or a regression."""
    if task == "regression":
        return metrics.finite(metrics.regression_metrics(actual, np.asarray(given.predicted, dtype=np.float64)))
    predicted = np.asarray(given.predicted, dtype=np.int64)
    found = metrics.classification_metrics(metrics.confusion_matrix(actual, predicted, classes))
    if given.probabilities is not None and given.probabilities.shape[1] == classes:
        found |= metrics.probability_metrics(actual, given.probabilities)
    return metrics.finite(found)


def short_scores(task: Task, actual: Any, predicted: Any, prefix: str = "validation_") -> dict[str, float]:
    """The one metric that is followed while a model trains: accuracy or r2."""
    if task == "regression":
        found = metrics.finite(metrics.regression_metrics(actual, np.asarray(predicted, dtype=np.float64)))
        return {f"{prefix}r2": found["r2"]} if "r2" in found else {f"{prefix}mae": found["mae"]}
    return {f"{prefix}accuracy": float((np.asarray(predicted) == actual).mean())}


def class_artifacts(actual: Any, given: Answer, classes: Sequence[Class]) -> dict[str, Any]:
    """Confusion matrix, scores by class, and with two classes the ROC and precision-recall curves."""
    confusion = metrics.confusion_matrix(actual, np.asarray(given.predicted, dtype=np.int64), len(classes))
    by_class = metrics.class_scores(confusion)
    shown = np.sort(np.argsort(-by_class["support"], kind="stable")[:MOST_CLASSES_SHOWN])
    report = [
        {"class": classes[index], **{name: _rounded(values[index]) for name, values in by_class.items()}}
        for index in shown
    ]
    artifacts: dict[str, Any] = {
        "confusion_matrix": {
            "classes": [classes[index] for index in shown],
            "counts": confusion[np.ix_(shown, shown)].tolist(),
        },
        "class_report": report,
        "averages": f"of class {classes[1]!r}" if len(classes) == 2 else "mean over the classes",
    }
    if len(classes) == 2 and given.probabilities is not None:
        artifacts |= _curves(actual == 1, given.probabilities[:, 1], classes[1])
    return artifacts


def quantity_artifacts(actual: Floats, predicted: Floats, seed: int) -> dict[str, Any]:
    """A sample of actual and predicted values, and how the residuals are spread."""
    some = sampled(np.arange(len(actual)), RESIDUALS, seed)
    pairs = [[_rounded(actual[index]), _rounded(predicted[index])] for index in some]
    return {
        "predictions": {"columns": ["actual", "predicted"], "rows": pairs},
        "residuals": histogram(actual - predicted),
    }


def histogram(values: Floats) -> dict[str, Any]:
    """Counts in equal bins of the values that are finite."""
    counts, edges = np.histogram(values[np.isfinite(values)], bins=BINS)
    return {"edges": [_rounded(edge) for edge in edges], "counts": counts.tolist()}


def class_counts(codes: NDArray[np.int64], classes: Sequence[Class]) -> list[dict[str, Any]]:
    """How many rows each class has, most first."""
    counts = np.bincount(codes, minlength=len(classes))
    order = np.argsort(-counts, kind="stable")[:MOST_CLASSES_SHOWN]
    return [{"class": classes[index], "rows": int(counts[index])} for index in order]


def _curves(positive: NDArray[np.bool_], chances: Floats, label: Class) -> dict[str, Any]:
    false, true, thresholds = metrics.roc_curve(positive, chances)
    rows, hits = len(positive), int(positive.sum())
    called = true * hits + false * (rows - hits)
    precision = np.divide(true * hits, called, out=np.ones(len(called)), where=called > 0)
    picked = np.unique(np.linspace(0, len(false) - 1, CURVE_POINTS).astype(np.int64))
    limits = [_rounded(thresholds[index]) for index in picked]
    return {
        "roc_curve": {
            "class": label,
            "false_positive_rate": [_rounded(false[index]) for index in picked],
            "true_positive_rate": [_rounded(true[index]) for index in picked],
            "threshold": limits,
        },
        "precision_recall_curve": {
            "class": label,
            "recall": [_rounded(true[index]) for index in picked],
            "precision": [_rounded(precision[index]) for index in picked],
            "threshold": limits,
        },
    }


def _rounded(value: Any) -> float | None:
    """Six digits are enough to look at; what is not finite is no number in JSON."""
    return float(f"{float(value):.6g}") if np.isfinite(value) else None
