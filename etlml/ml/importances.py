"""How much each feature counts for a fitted estimator, from what the estimator has anyway."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from etlml.ml.values import Floats


def importances(estimator: Any, outputs: Sequence[tuple[str, str]], matrix: Any) -> list[dict[str, Any]]:
    """Shares that sum to 1, of the original features, most first; empty where the estimator tells nothing.

    Args:
        outputs: For each matrix column its name and the feature that it comes from.
        matrix: Some rows, for the spread of the columns: a coefficient counts by what it moves.
    """
    raw = _of_columns(estimator, len(outputs), matrix)
    if raw is None or not np.isfinite(raw).all() or raw.sum() <= 0:
        return []
    totals: dict[str, float] = {}
    for (_, feature), value in zip(outputs, raw / raw.sum(), strict=True):
        totals[feature] = totals.get(feature, 0.0) + float(value)
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    return [{"feature": feature, "importance": round(share, 6)} for feature, share in ranked]


def _of_columns(estimator: Any, columns: int, matrix: Any) -> Floats | None:
    given = getattr(estimator, "feature_importances_", None)
    if given is None and hasattr(estimator, "coef_") and not callable(estimator.coef_):
        coefficients = (
            np.asarray(estimator.coef_, dtype=np.float64) if not hasattr(estimator.coef_, "toarray") else None
        )
        if coefficients is not None:
            given = np.abs(np.atleast_2d(coefficients)).mean(axis=0) * np.asarray(matrix, dtype=np.float64).std(axis=0)
    if given is None and hasattr(estimator, "_predictors"):
        given = _gains(estimator, columns)
    found = None if given is None else np.asarray(given, dtype=np.float64).ravel()
    return found if found is not None and len(found) == columns else None


def _gains(estimator: Any, columns: int) -> Floats:
    """For histogram boosting, which tells none: what all splits on a column gained together."""
    gains = np.zeros(columns)
    for predictor in (tree for trees in estimator._predictors for tree in trees):
        splits = predictor.nodes[predictor.nodes["is_leaf"] == 0]
        np.add.at(gains, splits["feature_idx"], np.maximum(splits["gain"], 0.0))
    return gains
