"""One training, from a Parquet file to a model file; it runs in a child process."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from etlml.ml import judging, metrics
from etlml.ml.algorithms import Algorithm, Task, check_parameters, check_task
from etlml.ml.algorithms import algorithm as algorithm_named
from etlml.ml.complaints import Complaints
from etlml.ml.estimators import unfitted
from etlml.ml.features import Chosen, choose, read_columns
from etlml.ml.fitting import FORESTS, fit, staged_points
from etlml.ml.importances import importances
from etlml.ml.learning import Style, style_of, target_matrix
from etlml.ml.model_file import Written, save
from etlml.ml.preparation import Preparation, prepared, taken
from etlml.ml.progress import Progress, Report
from etlml.ml.record import as_json, environment, fingerprint_of, signature
from etlml.ml.splitting import folds, split
from etlml.ml.target import target_of
from etlml.ml.values import Frame
from etlml.sizes import plural

TRAIN_METRICS = ("accuracy", "f1_score", "log_loss", "r2", "mae", "rmse")


@dataclass(frozen=True)
class Job:
    """What a training is to do; see etlml.steps.train for the fields."""

    path: Path
    algorithm: Algorithm
    parameters: dict[str, Any]
    target: str | None
    features: Sequence[str] | None
    test_size: float
    seed: int
    cv: int | None
    model_file: Path


def train(
    *,
    path: str,
    algorithm: str,
    model_file: str,
    report: Report,
    target: str | None = None,
    task: Task | None = None,
    features: Sequence[str] | None = None,
    parameters: dict[str, Any] | None = None,
    test_size: float = 0.2,
    seed: int = 0,
    cv: int | None = None,
) -> dict[str, Any]:
    """Train a model on a Parquet file and write it to ``model_file``.

    Args:
        report: Gets ``{"point": {"key", "value", "step"}}`` while it trains, and ``{"log": level, "message": text}``.

    Returns:
        metrics, artifacts, environment, signature, algorithm, task, parameters, data, model_file, model_sha256,
        model_bytes: all JSON-safe.

    Raises:
        TrainingFailed, ConfigInvalid, ColumnMissing, DataUnreadable: What is wrong, and the mend.
    """
    chosen = algorithm_named(algorithm)
    check_task(chosen, task)
    check_parameters(chosen, parameters or {})
    job = Job(Path(path), chosen, parameters or {}, target, features, test_size, seed, cv, Path(model_file))
    progress = Progress(report)
    with ThreadPoolExecutor(1, thread_name_prefix="training") as aside:
        fingerprint = aside.submit(fingerprint_of, job.path)
        columns = None if features is None else [*features, *([target] if target else [])]
        table = read_columns(job.path, columns if columns or target is None else None)
        trained = _Training(job, table, progress).run(aside)
    trained["data"]["fingerprint"] = fingerprint.result()
    return trained


class _Training:
    """The steps of one training, in order."""

    def __init__(self, job: Job, table: Any, progress: Progress) -> None:
        self.job, self.progress = job, progress
        self.task: Task = job.algorithm.task
        self.style: Style = style_of(job.algorithm)
        self.target = None if job.target is None else target_of(table, job.target, job.algorithm)
        self.chosen: Chosen = choose(table, job.features, job.target)
        self.rows = table.num_rows
        self.schema = {field.name: str(field.type) for field in table.schema}
        self.complaints = Complaints(job.algorithm.name, progress)
        self._tell_choices()

    def run(self, aside: ThreadPoolExecutor) -> dict[str, Any]:
        """Split, fit, judge, save."""
        if self.target is None:
            return self._cluster(aside)
        frame = taken(self.chosen.frame, self.target.rows) if len(self.target.rows) < self.rows else self.chosen.frame
        codes = self.target.values if self.target.classes is not None else None
        learn_rows, test_rows = split(len(self.target.values), self.job.test_size, self.job.seed, codes)  # type: ignore[arg-type]
        judged = judging.judged(test_rows, self.job.algorithm, self.job.seed)
        train_frame, actual = taken(frame, learn_rows), self.target.values[learn_rows]
        found = self._cross_validate(train_frame, actual)
        preparation, matrix = prepared(train_frame, self._learnable(actual), self.style, self.job.seed)
        estimator = self._estimator(preparation)
        test_matrix, test_actual = preparation.matrix(taken(frame, judged)), self.target.values[judged]
        fit_s = self._fit(estimator, matrix, actual, test_matrix, test_actual)
        parameters = estimator.get_params(deep=False)
        if self.job.algorithm.name in FORESTS:
            estimator.set_params(n_jobs=1)  # from here on: to answer for a few rows, threads cost more than they give
        written = aside.submit(self._save, preparation, estimator)
        classes = len(self.target.classes or ())
        with self.complaints.explained():
            given = judging.answer(estimator, test_matrix, self.task)
            found |= self._train_scores(estimator, matrix, actual, classes)
        found |= judging.scores(self.task, test_actual, given, classes)
        artifacts = self._artifacts(test_actual, given) | {
            "rows": self._row_counts(len(learn_rows), len(test_rows), len(judged)),
            "importances": importances(estimator, preparation.outputs, matrix[:2_000]),
            "timings": {"fit_s": round(fit_s, 3)},
        }
        return self._outcome(preparation, parameters, metrics.finite(found), artifacts, written.result())

    def _fit(self, estimator: Any, matrix: Any, actual: Any, test_matrix: Any, test_actual: Any) -> float:
        few = slice(0, judging.FEW)

        def score(predicted: Any) -> dict[str, float]:
            return judging.short_scores(self.task, test_actual[few], predicted)

        started = time.monotonic()
        with self.complaints.explained():
            fit(
                estimator,
                matrix,
                actual,
                lambda fitted: score(fitted.predict(test_matrix[few])),
                self.progress,
                self.job.seed,
            )
            fit_s = time.monotonic() - started
            staged_points(estimator, test_matrix[few], score, self.progress)
        return fit_s

    def _cluster(self, aside: ThreadPoolExecutor) -> dict[str, Any]:
        preparation, matrix = prepared(self.chosen.frame, None, self.style, self.job.seed)
        estimator = self._estimator(preparation)
        started = time.monotonic()
        with self.complaints.explained():
            fit(estimator, matrix, None, lambda _: {}, self.progress, self.job.seed)
            labels = np.asarray(
                estimator.labels_ if hasattr(estimator, "labels_") else estimator.predict(matrix), dtype=np.int64
            )
        fit_s = time.monotonic() - started
        written = aside.submit(self._save, preparation, estimator)
        found = metrics.clustering_metrics(matrix, labels, self.job.seed)
        if np.isscalar(getattr(estimator, "inertia_", None)):
            found["inertia"] = float(estimator.inertia_)
        sizes = np.unique(labels, return_counts=True)
        artifacts = {
            "clusters": [{"cluster": int(label), "rows": int(count)} for label, count in zip(*sizes, strict=True)][
                :100
            ],
            "rows": self._row_counts(len(matrix), 0, min(len(matrix), metrics.LARGEST_SILHOUETTE)),
            "importances": [],
            "timings": {"fit_s": round(fit_s, 3)},
        }
        return self._outcome(
            preparation, estimator.get_params(deep=False), metrics.finite(found), artifacts, written.result()
        )

    def _cross_validate(self, frame: Frame, actual: Any) -> dict[str, float]:
        """Points of each fold, and the mean and spread of each metric over the folds."""
        if self.job.cv is None:
            return {}
        codes = actual if self.task == "classification" else None
        classes = len(self.target.classes or ()) if self.target else 0
        found: list[dict[str, float]] = []
        for number, (inner, outer) in enumerate(folds(len(actual), self.job.cv, self.job.seed, codes), start=1):
            preparation, matrix = prepared(
                taken(frame, inner), self._learnable(actual[inner]), self.style, self.job.seed
            )
            estimator = clone(self._estimator(preparation))
            with self.complaints.explained():
                estimator.fit(matrix, actual[inner])
                judged = judging.judged(outer, self.job.algorithm, self.job.seed)
                given = judging.answer(estimator, preparation.matrix(taken(frame, judged)), self.task)
            found.append(judging.scores(self.task, actual[judged], given, classes))
            self.progress.points({f"cv_{name}": value for name, value in found[-1].items()}, number)
        names = [name for name in found[0] if all(name in fold for fold in found)]
        means = {f"cv_{name}_mean": float(np.mean([fold[name] for fold in found])) for name in names}
        return means | {f"cv_{name}_std": float(np.std([fold[name] for fold in found])) for name in names}

    def _estimator(self, preparation: Preparation) -> Any:
        job = self.job
        with self.complaints.explained():
            return unfitted(job.algorithm, job.parameters, preparation, self.style, job.seed, self.target)

    def _learnable(self, actual: Any) -> Any:
        """The target as the preparation learns from it."""
        if self.task == "regression":
            return actual[:, None]
        return target_matrix(actual, len(self.target.classes or ())) if self.target else None

    def _train_scores(self, estimator: Any, matrix: Any, actual: Any, classes: int) -> dict[str, float]:
        some = judging.sampled(np.arange(len(matrix)), judging.MOST_TRAIN_JUDGED, self.job.seed)
        found = judging.scores(self.task, actual[some], judging.answer(estimator, matrix[some], self.task), classes)
        return {f"train_{name}": found[name] for name in TRAIN_METRICS if name in found}

    def _artifacts(self, actual: Any, given: judging.Answer) -> dict[str, Any]:
        if self.target is None:
            return {}
        if self.target.classes is None:
            found = judging.quantity_artifacts(actual, np.asarray(given.predicted, dtype=np.float64), self.job.seed)
            return found | {"target_distribution": judging.histogram(np.asarray(self.target.values, dtype=np.float64))}
        found = judging.class_artifacts(actual, given, self.target.classes)
        return found | {"target_distribution": judging.class_counts(self.target.values, self.target.classes)}  # type: ignore[arg-type]

    def _row_counts(self, learned: int, tested: int, judged: int) -> dict[str, int]:
        without = 0 if self.target is None else self.rows - len(self.target.rows)
        return {"total": self.rows, "without_target": without, "train": learned, "test": tested, "judged": judged}

    def _save(self, preparation: Preparation, estimator: Any) -> Written:
        metadata = {
            "algorithm": self.job.algorithm.name,
            "task": self.task,
            "signature": signature(preparation, self.chosen, self.target),
            "environment": environment(),
        }
        return save(Pipeline([("prepare", preparation), ("model", estimator)]), metadata, self.job.model_file)

    def _outcome(
        self,
        preparation: Preparation,
        parameters: dict[str, Any],
        found: dict[str, float],
        artifacts: dict[str, Any],
        written: Written,
    ) -> dict[str, Any]:
        artifacts |= {
            "features": [{"name": name, "type": self.chosen.types[name]} for name in self.chosen.frame],
            "left_out": [{"column": one.column, "reason": one.reason} for one in self.chosen.left_out],
            "parameters": {name: as_json(value) for name, value in parameters.items()},
            "warnings": self.complaints.warned,
        }
        return {
            "metrics": found,
            "artifacts": artifacts,
            "environment": environment(),
            "signature": signature(preparation, self.chosen, self.target),
            "algorithm": self.job.algorithm.name,
            "task": self.task,
            "parameters": {name: as_json(value) for name, value in self.job.parameters.items()},
            "data": {"path": str(self.job.path), "rows": self.rows, "schema": self.schema},
            "model_file": str(written.path),
            "model_sha256": written.sha256,
            "model_bytes": written.bytes,
        }

    def _tell_choices(self) -> None:
        for one in self.chosen.left_out:
            self.progress.log("INFO", f"Column {one.column!r} is left out: {one.reason}.")
        if self.target is None:
            return
        without = self.rows - len(self.target.rows)
        if without:
            self.progress.log(
                "INFO", f"Left out {without:,} of {plural(self.rows, 'row')}, without a value of {self.target.name!r}."
            )
        if self.target.classes is not None:
            counts = np.bincount(self.target.values.astype(np.int64))
            alone = [str(label) for label, count in zip(self.target.classes, counts, strict=True) if count == 1]
            if alone:
                self.progress.log(
                    "WARNING", f"Classes with a single row are only learned from, never judged: {', '.join(alone[:5])}."
                )
