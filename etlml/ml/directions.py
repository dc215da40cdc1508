"""Which way a metric is good."""

LOWER_IS_BETTER = ("loss", "error", "mae", "mse", "rmse", "mape", "deviance", "inertia", "davies", "brier")


def lower_is_better(metric: str) -> bool:
    """Whether the least value is the best: so for losses and errors, by their names."""
    return any(word in metric.lower() for word in LOWER_IS_BETTER)
