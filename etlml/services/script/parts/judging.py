"""How good a model is."""

from typing import Any

import numpy as np


def answer(estimator: Any, matrix: Any, task: str) -> tuple[Any, Any]:
    """Predictions, and for classes the probabilities where the algorithm gives them."""
    if task != "classification" or not hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict(matrix)).reshape(len(matrix)), None
    chances = np.asarray(estimator.predict_proba(matrix), dtype=np.float64)
    if type(estimator).__name__ in ("SVC", "NuSVC"):  # whose classes are not those of the highest probability
        return np.asarray(estimator.predict(matrix)), chances
    return np.asarray(estimator.classes_)[chances.argmax(axis=1)], chances


def scores(task: str, actual: Any, predicted: Any, chances: Any, classes: int) -> dict[str, float]:
    """All metrics of a classification or a regression."""
    if task == "regression":
        found = quantity_scores(actual, np.asarray(predicted, dtype=np.float64))
    else:
        found = class_scores(actual, np.asarray(predicted, dtype=np.int64), classes)
        if chances is not None and chances.shape[1] == classes:
            found["log_loss"] = float(-np.log(np.clip(chances[np.arange(len(actual)), actual], 1e-15, 1.0)).mean())
            areas = [roc_auc(actual == label, chances[:, label]) for label in ([1] if classes == 2 else range(classes))]
            if all(area is not None for area in areas):
                found["roc_auc"] = float(np.mean([area or 0.0 for area in areas]))
    return {name: value for name, value in found.items() if np.isfinite(value)}


def quantity_scores(actual: Any, predicted: Any) -> dict[str, float]:
    """r2, mae, rmse, median_absolute_error, and mape where no actual value is 0."""
    residuals = actual - predicted
    spread, squared = float(((actual - actual.mean()) ** 2).sum()), float((residuals**2).sum())
    found = {"mae": float(np.abs(residuals).mean()), "rmse": float(np.sqrt(squared / len(actual)))}
    found["median_absolute_error"] = float(np.median(np.abs(residuals)))
    if spread > 0:
        found["r2"] = 1.0 - squared / spread
    if (actual != 0).all():
        found["mape"] = float(np.abs(residuals / actual).mean())
    return found


def class_scores(actual: Any, predicted: Any, classes: int) -> dict[str, float]:
    """Accuracy and, of the second class or averaged over the classes, precision, recall and f1_score."""
    confusion = np.bincount(actual * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    hits = np.diag(confusion).astype(np.float64)
    support, called = confusion.sum(axis=1), confusion.sum(axis=0)
    by_class = {
        "precision": ratio(hits, called),
        "recall": ratio(hits, support),
        "f1_score": ratio(2 * hits, (support + called).astype(np.float64)),
    }
    seen = (support > 0) | (called > 0)
    found = {"accuracy": float(np.trace(confusion) / confusion.sum())}
    found["balanced_accuracy"] = float(by_class["recall"][support > 0].mean())
    return found | {n: float(v[1]) if classes == 2 else float(v[seen].mean()) for n, v in by_class.items()}


def ratio(part: Any, whole: Any) -> Any:
    """A share; 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def roc_auc(positive: Any, chances: Any) -> float | None:
    """The area under the ROC curve; None where there is only one class."""
    if positive.all() or not positive.any():
        return None
    order = np.argsort(-chances, kind="stable")
    ranked, hits = chances[order], positive[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(hits)[ends]
    false = ends + 1 - true
    rates = [
        np.concatenate([np.zeros(1), side / max(1, int(total))])
        for side, total in ((false, (~positive).sum()), (true, positive.sum()))
    ]
    return float(np.trapezoid(rates[1], rates[0]))


def cluster_scores(matrix: Any, labels: Any, seed: int) -> dict[str, float]:
    """How many clusters there are, and of a sample how well they are apart."""
    from sklearn import metrics

    grouped = np.flatnonzero(labels >= 0)
    found = {"clusters": float(np.unique(labels[grouped]).size), "noise_fraction": 1.0 - len(grouped) / len(labels)}
    some = grouped if len(grouped) <= 2_000 else np.random.default_rng(seed).choice(grouped, 2_000, replace=False)
    if 2 <= np.unique(labels[some]).size < len(some):
        for name in ("silhouette", "davies_bouldin", "calinski_harabasz"):
            found[name] = float(getattr(metrics, f"{name}_score")(matrix[some], labels[some]))
    return found
