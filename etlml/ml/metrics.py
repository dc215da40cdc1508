"""How good a model is, in numbers: pure functions of arrays, as fast as one pass and one sort.

They agree with scikit-learn's metrics of the same names (tests hold them to it) at a fraction of their time.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from etlml.ml.values import Floats

Codes = NDArray[np.int64]
LARGEST_SILHOUETTE = 2_000  # rows; its cost grows with their square
_SMALLEST_SHARE = 1e-15


def confusion_matrix(actual: Codes, predicted: Codes, classes: int) -> Codes:
    """Counts, shape (classes, classes): rows are the actual classes, columns the predicted ones."""
    return np.bincount(actual * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def class_scores(confusion: Codes) -> dict[str, Floats]:
    """Precision, recall, f1_score and support of each class; 0 where there is nothing to divide by."""
    hits = np.diag(confusion).astype(np.float64)
    support, called = confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = _ratio(hits, called), _ratio(hits, support)
    f1 = _ratio(2 * hits, (support + called).astype(np.float64))
    return {"precision": precision, "recall": recall, "f1_score": f1, "support": support.astype(np.float64)}


def classification_metrics(confusion: Codes) -> dict[str, float]:
    """accuracy, balanced_accuracy, precision, recall, f1_score.

    With two classes the last three are those of the second class (true, 1, "yes"), else the mean over the classes.
    """
    scores = class_scores(confusion)
    present = scores["support"] > 0
    seen = present | (confusion.sum(axis=0) > 0)
    metrics = {
        "accuracy": float(np.trace(confusion) / confusion.sum()),
        "balanced_accuracy": float(scores["recall"][present].mean()),
    }
    for name in ("precision", "recall", "f1_score"):
        metrics[name] = float(scores[name][1]) if len(confusion) == 2 else float(scores[name][seen].mean())
    return metrics


def probability_metrics(actual: Codes, probabilities: Floats) -> dict[str, float]:
    """roc_auc (the mean of one-against-the-rest with more than two classes) and log_loss."""
    chosen = np.clip(probabilities[np.arange(len(actual)), actual], _SMALLEST_SHARE, 1.0)
    metrics = {"log_loss": float(-np.log(chosen).mean())}
    areas = [roc_auc(actual == label, probabilities[:, label]) for label in _positive_classes(probabilities.shape[1])]
    if areas and all(area is not None for area in areas):
        metrics["roc_auc"] = float(np.mean([area for area in areas if area is not None]))
    return metrics


def roc_curve(positive: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats, Floats]:
    """False-positive rates, true-positive rates and thresholds, from (0, 0) to (1, 1), one point a distinct score."""
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], positive[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(hits)[ends]
    false = ends + 1 - true
    start = np.zeros(1)
    thresholds = np.concatenate([[np.inf], ranked[ends]])
    return (
        np.concatenate([start, false / max(1, int((~positive).sum()))]),
        np.concatenate([start, true / max(1, int(positive.sum()))]),
        thresholds,
    )


def roc_auc(positive: NDArray[np.bool_], scores: Floats) -> float | None:
    """The area under the ROC curve; None where there is only one class."""
    if positive.all() or not positive.any():
        return None
    false, true, _ = roc_curve(positive, scores)
    return float(np.trapezoid(true, false))


def regression_metrics(actual: Floats, predicted: Floats) -> dict[str, float]:
    """r2, mae, rmse, median_absolute_error, and mape where no actual value is 0."""
    residuals = actual - predicted
    spread = float(((actual - actual.mean()) ** 2).sum())
    squared = float((residuals**2).sum())
    metrics = {
        "mae": float(np.abs(residuals).mean()),
        "rmse": float(np.sqrt(squared / len(actual))),
        "median_absolute_error": float(np.median(np.abs(residuals))),
    }
    if spread > 0:
        metrics["r2"] = 1.0 - squared / spread
    if (actual != 0).all():
        metrics["mape"] = float(np.abs(residuals / actual).mean())
    return metrics


def clustering_metrics(matrix: Floats, labels: Codes, seed: int) -> dict[str, float]:
    """clusters, noise_fraction, and of a sample silhouette, davies_bouldin and calinski_harabasz where they exist."""
    from sklearn import metrics as scores

    grouped = np.flatnonzero(labels >= 0)
    found: dict[str, float] = {
        "clusters": float(np.unique(labels[grouped]).size),
        "noise_fraction": 1.0 - len(grouped) / len(labels),
    }
    sample = grouped
    if len(sample) > LARGEST_SILHOUETTE:
        sample = np.random.default_rng(seed).choice(sample, LARGEST_SILHOUETTE, replace=False)
    if 2 <= np.unique(labels[sample]).size < len(sample):
        rows, groups = matrix[sample], labels[sample]
        found["silhouette"] = float(scores.silhouette_score(rows, groups))
        found["davies_bouldin"] = float(scores.davies_bouldin_score(rows, groups))
        found["calinski_harabasz"] = float(scores.calinski_harabasz_score(rows, groups))
    return found


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Only the metrics that are numbers."""
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def _positive_classes(classes: int) -> list[int]:
    return [1] if classes == 2 else list(range(classes))


def _ratio(part: Floats, whole: NDArray[np.int64] | Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
