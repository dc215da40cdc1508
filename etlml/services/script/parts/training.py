"""Training: split, prepare, fit, judge, save."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import joblib  # type: ignore[import-untyped]
import numpy as np
import pyarrow.parquet as pq
from sklearn.base import clone

from etlml.services.script.parts.columns_in import Values, features_of, target_of, values_of
from etlml.services.script.parts.judging import answer, cluster_scores, scores
from etlml.services.script.parts.preparing import matrix_of, prepare
from etlml.services.script.parts.tables import here, paths, same


def train(
    name: str,
    rows: str,
    algorithm: Any,
    parameters: dict[str, Any],
    style: dict[str, Any],
    *,
    task: str,
    target: str | None = None,
    features: Sequence[str] | None = None,
    test_size: float = 0.2,
    seed: int = 0,
    cv: int | None = None,
    judged: int = 20_000,
    save_as: str = "model",
) -> None:
    """Train a model on the rows of a table, print its metrics and save it; the rows go on unchanged."""
    wanted = None if features is None else list(dict.fromkeys([*features, *([target] if target else [])]))
    data = in_fixed_order(pq.read_table(paths[rows], columns=wanted), paths[rows])
    if target is None:
        model, metrics = clustered(features_of(data, features, None), algorithm, parameters, style, seed)
    else:
        with_target, values, classes = target_of(data, target, task)
        frame = taken(features_of(data, features, target), with_target)
        codes = values if classes else None
        learn_rows, test_rows = split(len(values), test_size, seed, codes)
        learning = taken(frame, learn_rows)
        metrics = cross_validated(
            learning, values[learn_rows], classes, algorithm, parameters, style, task, seed, cv, judged
        )
        model, matrix = fitted(learning, values[learn_rows], classes, algorithm, parameters, style, task, seed)
        some = sampled(np.arange(len(matrix)), 2_000, seed)
        on_known = scores(task, values[learn_rows][some], *answer(model["estimator"], matrix[some], task), len(classes))
        kept = ("accuracy", "f1_score", "log_loss", "r2", "mae", "rmse")
        metrics |= {f"train_{key}": on_known[key] for key in kept if key in on_known}
        test = sampled(test_rows, judged, seed)
        metrics |= scores(task, values[test], *predicted(model, taken(frame, test)), len(classes))
    same(name, rows)
    target_file = here.data / "models" / f"{save_as}.joblib"
    target_file.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(model | {"metrics": metrics}, target_file)
    for key, value in metrics.items():
        print(f"  {key:<24} {value:.6g}")
    print(f"  saved as {target_file}")


def in_fixed_order(table: Any, path: Path) -> Any:
    """The rows in an order that only depends on what is in them: joins bring them in any order."""
    if not table.num_rows:
        return table
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in table.column_names)
    with duckdb.connect() as connection:
        hashes = connection.execute(f"SELECT hash({names}) AS h FROM read_parquet(?)", [str(path)]).fetchnumpy()["h"]
    return table.take(np.argsort(hashes, kind="stable"))


def predict(model_file: str | Path, parquet_file: str | Path) -> list[Any]:
    """What a saved model says of the rows of a Parquet file."""
    model = joblib.load(model_file)
    data = pq.read_table(parquet_file)
    found, _ = predicted(model, {column: values_of(data.column(column)) for column in model["features"]})
    return [model["classes"][int(code)] for code in found] if model["classes"] else found.tolist()


def predicted(model: dict[str, Any], frame: dict[str, Values]) -> tuple[Any, Any]:
    """Predictions and probabilities for rows."""
    return answer(model["estimator"], matrix_of(model["recipes"], frame, model["dtype"]), model["task"])


def fitted(
    frame: dict[str, Values],
    values: Any,
    classes: list[Any],
    algorithm: Any,
    parameters: dict[str, Any],
    style: dict[str, Any],
    task: str,
    seed: int,
) -> tuple[dict[str, Any], Any]:
    """A model that has learned, and the matrix that it learned from."""
    recipes, matrix = prepare(frame, learnable(values, classes, task), style, seed)
    estimator = algorithm(**arguments(parameters, recipes, style, classes)).fit(
        matrix, values if task != "clustering" else None
    )
    if type(estimator).__name__.startswith(("RandomForest", "ExtraTrees")):
        estimator.set_params(n_jobs=1)  # in parallel the last digit of an answer depends on which tree is ready first
    model = {"estimator": estimator, "recipes": recipes, "features": list(frame), "classes": classes}
    return model | {"task": task, "dtype": style["dtype"]}, matrix


def learnable(values: Any, classes: list[Any], task: str) -> Any:
    """The target as the preparation learns from it: quantities, or a column of 0 and 1 for each of a few classes."""
    if task == "clustering":
        return None
    if task == "regression":
        return values[:, None]
    if len(classes) == 2:
        return values.astype(np.float64)[:, None]
    return np.eye(len(classes))[values] if len(classes) <= 10 else None


def arguments(
    parameters: dict[str, Any], recipes: list[dict[str, Any]], style: dict[str, Any], classes: list[Any]
) -> dict[str, Any]:
    """The algorithm's parameters, those that depend on the data included."""
    given = dict(parameters)
    if style["takes_categories"] and "categorical_features" not in given:
        are = [recipe["recipe"] == "ordinal" for recipe in recipes for _ in range(width(recipe))]
        given["categorical_features"] = [place for place, is_category in enumerate(are) if is_category] or None
    if isinstance(given.get("class_weight"), dict) and classes:
        numbers = {str(label): number for number, label in enumerate(classes)}
        given["class_weight"] = {numbers[str(label)]: weight for label, weight in given["class_weight"].items()}
    return given


def width(recipe: dict[str, Any]) -> int:
    """How many columns of the matrix a recipe makes."""
    kind = recipe["recipe"]
    if kind == "one_hot":
        return len(recipe["categories"]) + int(recipe["other"]) + int(recipe["missing"])
    if kind == "lookup":
        return len(recipe["default"])
    return len(recipe["parts"]) if kind == "time" else 1 + int(recipe.get("marks", False))


def cross_validated(
    frame: dict[str, Values],
    values: Any,
    classes: list[Any],
    algorithm: Any,
    parameters: dict[str, Any],
    style: dict[str, Any],
    task: str,
    seed: int,
    cv: int | None,
    judged: int,
) -> dict[str, float]:
    """Mean and spread of each metric over the folds of a cross-validation on the training rows."""
    if cv is None:
        return {}
    shuffled = np.random.default_rng(seed).permutation(len(values))
    if classes:
        shuffled = shuffled[np.argsort(values[shuffled], kind="stable")]
    fold = np.empty(len(values), dtype=np.int64)
    fold[shuffled] = np.arange(len(values)) % cv
    found = []
    for number in range(cv):
        inner, outer = np.flatnonzero(fold != number), sampled(np.flatnonzero(fold == number), judged, seed)
        recipes, matrix = prepare(taken(frame, inner), learnable(values[inner], classes, task), style, seed)
        estimator = clone(algorithm(**arguments(parameters, recipes, style, classes))).fit(matrix, values[inner])
        given = answer(estimator, matrix_of(recipes, taken(frame, outer), style["dtype"]), task)
        found.append(scores(task, values[outer], *given, len(classes)))
    names = [name for name in found[0] if all(name in each for each in found)]
    means = {f"cv_{name}_mean": float(np.mean([each[name] for each in found])) for name in names}
    return means | {f"cv_{name}_std": float(np.std([each[name] for each in found])) for name in names}


def clustered(
    frame: dict[str, Values], algorithm: Any, parameters: dict[str, Any], style: dict[str, Any], seed: int
) -> tuple[dict[str, Any], dict[str, float]]:
    """A model that groups the rows, and how well the groups are apart."""
    model, matrix = fitted(frame, None, [], algorithm, parameters, style, "clustering", seed)
    estimator = model["estimator"]
    labels = np.asarray(
        estimator.labels_ if hasattr(estimator, "labels_") else estimator.predict(matrix), dtype=np.int64
    )
    metrics = cluster_scores(matrix, labels, seed)
    if np.isscalar(getattr(estimator, "inertia_", None)):
        metrics["inertia"] = float(estimator.inertia_)
    return model, metrics


def taken(frame: dict[str, Values], rows: Any) -> dict[str, Values]:
    """Some rows of every column."""
    return {name: values.take(rows) for name, values in frame.items()}


def sampled(rows: Any, most: int, seed: int) -> Any:
    """At most so many of the rows."""
    return rows if len(rows) <= most else np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def split(rows: int, test_size: float, seed: int, classes: Any) -> tuple[Any, Any]:
    """Rows to learn from and rows to judge by; each class is parted alike."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    wanted = min(max(1, round(rows * test_size)), rows - 1)
    if classes is None:
        return np.sort(shuffled[wanted:]), np.sort(shuffled[:wanted])
    groups = shuffled[np.argsort(classes[shuffled], kind="stable")]
    sizes = np.bincount(classes)
    shares = np.minimum(np.round(sizes * test_size).astype(np.int64), np.maximum(sizes - 1, 0))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    is_test = np.arange(rows) - np.repeat(starts, sizes) < np.repeat(shares, sizes)
    if not is_test.any():  # every class is too small for its share: take the test rows where there are most
        is_test[starts[np.argmax(sizes)]] = True
    return np.sort(groups[~is_test]), np.sort(groups[is_test])
