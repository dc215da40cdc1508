"""Experiments as rows, side by side, and in their parts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from etlml.documents import Experiment
from etlml.ml.directions import lower_is_better
from etlml.ui import format as words
from etlml.ui.lists import Column, row, when
from etlml.ui.looks import FAMILIAR, look

PROGRESS = "progress"
"""The metric that says how far a training is, 0 to 1."""
__all__ = [
    "PROGRESS",
    "Experiment",
    "columns",
    "common_metrics",
    "comparison",
    "curve_keys",
    "experiment_row",
    "flat",
    "short_name",
    "varied_parameters",
    "within_home",
]


def common_metrics(experiments: Sequence[Experiment], most: int = 3) -> list[str]:
    """The metrics that most of them have, the familiar ones first."""
    counts = Counter(key for one in experiments for key, value in one.metrics.items() if value is not None)
    return sorted(counts, key=lambda key: (-counts[key], *importance(key)))[:most]


def importance(key: str) -> tuple[bool, int, str]:
    """Where a metric stands in a list: the familiar ones first, those on the rows learned from last."""
    return key.startswith("train"), FAMILIAR.index(key) if key in FAMILIAR else len(FAMILIAR), key


def columns(metrics: Sequence[str]) -> list[Column]:
    """The columns of the list, with one for each metric."""
    return [
        Column("name", "Experiment", "name"),
        Column("status", "State", "status"),
        Column("algorithm", "Algorithm", "dim"),
        *(Column(f"m_{key}", key.replace("_", " "), "number") for key in metrics),
        Column("model", "Model", "text"),
        Column("took", "Took", "number"),
        Column("at", "When", "time"),
    ]


def experiment_row(one: Experiment, metrics: Sequence[str], pipeline: str = "") -> dict[str, Any]:
    """An experiment as a row of the list; with the name of its pipeline, if it has one."""
    took = (one.finished_at - one.created_at).total_seconds() if one.finished_at else None
    return row(
        one.id,
        name={"text": one.name, "sub": " · ".join(filter(None, (pipeline, parameters_line(one)))) or one.project},
        status={"text": one.status, "label": look(one.status).label},
        algorithm=algorithm(one),
        model=f"{one.model_name} {one.model_version}" if one.model_name else "",
        took=words.duration(took) if took is not None else "",
        at=when(one.created_at),
        **{f"m_{key}": words.metric(one.metrics[key]) if one.metrics.get(key) is not None else "" for key in metrics},
    )


def algorithm(one: Experiment) -> str:
    """The algorithm's name."""
    return str(one.parameters.get("algorithm") or one.artifacts.get("algorithm") or "")


def parameters_line(one: Experiment, most: int = 4) -> str:
    """The parameters in one line."""
    hidden = {"algorithm", "features", "target", "task"}
    pairs = [(key, value) for key, value in flat_parameters(one).items() if key not in hidden and value is not None]
    return ", ".join(f"{key}={words.value(value, 20)}" for key, value in pairs[:most])


def flat_parameters(one: Experiment) -> dict[str, Any]:
    """The parameters, nested ones under ``a.b``."""
    flat_: dict[str, Any] = {}
    for key, value in one.parameters.items():
        if isinstance(value, Mapping):
            flat_.update({f"{key}.{inner}" if key != "parameters" else inner: item for inner, item in value.items()})
        else:
            flat_[key] = value
    return flat_


def short_name(one: Experiment) -> str:
    """A name that tells experiments of one name apart."""
    return f"{one.name} {one.model_version or one.id[-4:]}"


def varied_parameters(experiments: Sequence[Experiment], most: int = 6) -> list[str]:
    """The parameters in which they differ."""
    every = [flat_parameters(one) for one in experiments]
    keys = dict.fromkeys(key for each in every for key in each)
    return [key for key in keys if len({str(each.get(key)) for each in every}) > 1][:most]


def flat(one: Experiment) -> dict[str, Any]:
    """Parameters and metrics in one mapping."""
    return {**flat_parameters(one), **one.metrics}


def best(metric: str, values: Sequence[float | None]) -> float | None:
    """The best of the values: the least for losses and errors, else the greatest."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    return min(there) if lower_is_better(metric) else max(there)


def comparison(
    experiments: Sequence[Experiment], varied: Sequence[str], metrics: Sequence[str]
) -> tuple[list[Column], list[dict[str, Any]]]:
    """A column for each experiment, a row for each parameter that differs and each metric."""
    table_columns = [
        Column("what", "", "text"),
        *(Column(one.id, short_name(one), "text", align="right") for one in experiments),
    ]
    rows = [
        row(f"p_{key}", what=key, **{one.id: words.value(flat_parameters(one).get(key), 30) for one in experiments})
        for key in varied
    ]
    for key in metrics:
        top = best(key, [one.metrics.get(key) for one in experiments])
        cells = {
            one.id: words.metric(one.metrics.get(key))
            + (" ★" if top is not None and one.metrics.get(key) == top else "")
            for one in experiments
        }
        rows.append(row(f"m_{key}", what=key.replace("_", " "), **cells))
    rows.append(row("took", what="took", **{one.id: _took(one) for one in experiments}))
    return table_columns, rows


def _took(one: Experiment) -> str:
    return words.duration((one.finished_at - one.created_at).total_seconds()) if one.finished_at else words.MISSING


def confusion_of(artifacts: Mapping[str, Any]) -> tuple[list[Any], list[list[float]]] | None:
    """Labels and counts of a confusion matrix among the artifacts."""
    found = artifacts.get("confusion_matrix")
    if isinstance(found, Mapping):
        labels, matrix = found.get("labels") or found.get("classes"), found.get("counts") or found.get("matrix")
        if labels and matrix:
            return list(labels), [list(line) for line in matrix]
    if isinstance(found, list) and found:
        return list(artifacts.get("classes") or range(len(found))), [list(line) for line in found]
    return None


def importances_of(artifacts: Mapping[str, Any]) -> dict[str, float]:
    """Importance by feature among the artifacts."""
    found = artifacts.get("feature_importances") or artifacts.get("importances") or {}
    if isinstance(found, Mapping):
        if "features" in found and isinstance(found["features"], list):
            return dict(
                zip(
                    map(str, found["features"]),
                    map(float, found.get("values") or found.get("importances") or []),
                    strict=False,
                )
            )
        return {str(name): float(weight) for name, weight in found.items() if isinstance(weight, int | float)}
    if isinstance(found, list):
        return {
            str(each.get("feature") or each.get("name")): float(each.get("importance", each.get("value", 0)))
            for each in found
            if isinstance(each, Mapping)
        }
    return {}


def roc_of(artifacts: Mapping[str, Any]) -> tuple[list[float], list[float]] | None:
    """The ROC curve among the artifacts: false and true positive rates."""
    found = artifacts.get("roc_curve")
    if isinstance(found, Mapping) and found.get("false_positive_rate"):
        return list(found["false_positive_rate"]), list(found.get("true_positive_rate") or ())
    return None


def class_report(artifacts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Precision, recall and so on for each class, as rows of a table."""
    found = artifacts.get("class_report")
    return [_class_row(each) for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _class_row(each: Mapping[str, Any]) -> dict[str, Any]:
    """``support`` is what scikit-learn calls a class's rows."""
    row_ = {("rows" if key == "support" else key.replace("_", " ")): value for key, value in each.items()}
    return row_ | ({"rows": words.count(row_["rows"])} if isinstance(row_.get("rows"), int) else {})


def curve_keys(keys: Sequence[str]) -> list[str]:
    """The metrics that are drawn over steps: how far the training is, is none of them."""
    return [key for key in keys if key != PROGRESS]


def within_home(path: str | None, home: Path) -> str:
    """A file's path, short where it lies in the platform's own folder."""
    if not path:
        return words.MISSING
    return str(Path(path).relative_to(home)) if Path(path).is_relative_to(home) else path
