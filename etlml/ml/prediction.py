"""Answers of a trained model: for a few rows at once, quickly, or for a whole Parquet file."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etlml.compute.session import sync_file, sync_folder
from etlml.errors import ColumnMissing, DataUnreadable, InvalidInput
from etlml.ml import model_file
from etlml.ml.algorithms import Task
from etlml.ml.judging import Answer, answer
from etlml.ml.progress import Progress, Report
from etlml.ml.rows import frame_of_rows
from etlml.ml.values import Frame, kind_of, values_of

KEPT = 8  # models that stay loaded
BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Prediction:
    """What a model says of some rows.

    Attributes:
        predictions: One value a row: a class, a quantity, or a cluster's number.
        probabilities: For a classification, one dict a row: the class as text, and its probability.
        warnings: What deserves a look, such as columns that the model does not know.
    """

    predictions: list[Any]
    probabilities: list[dict[str, float]] | None = None
    warnings: list[str] = field(default_factory=list)


class Predictor:
    """A loaded model. Safe to use from several threads."""

    def __init__(self, stored: model_file.Stored) -> None:
        self.metadata = stored.metadata
        self.task: Task = stored.metadata["task"]
        self.signature: dict[str, Any] = stored.metadata["signature"]
        self._preparation, self._estimator = stored.pipeline[0], stored.pipeline[-1]
        if "n_jobs" in self._estimator.get_params(deep=False):
            self._estimator.set_params(n_jobs=1)  # starting threads takes longer than a few rows do
        if not hasattr(self._estimator, "predict"):
            name = type(self._estimator).__name__
            raise InvalidInput(
                f"{name} only groups the rows that it was trained on and cannot answer for new ones. "
                "Train with 'k_means', 'mean_shift' or 'gaussian_mixture' to have a model that can."
            )

    @property
    def features(self) -> list[str]:
        """The columns that it needs."""
        return [item["name"] for item in self.signature["inputs"]]

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> Prediction:
        """Predictions for rows as dicts: every feature must be there, and may be null.

        Raises:
            ColumnMissing: A feature is missing.
            InvalidInput: A value is of a type that the feature does not take; the message names the row.
        """
        if not rows:
            return Prediction([], [] if self._classes else None)
        frame = frame_of_rows(rows, self.signature["inputs"])
        unknown = sorted({str(name) for row in rows for name in row if name not in frame} - {self._output})
        warnings = [f"Column {name!r} is not a feature of the model and was left aside." for name in unknown[:10]]
        given = self._answer(frame)
        return Prediction(self._labels(given).tolist(), self._probabilities(given), warnings)

    def predict_table(self, table: pa.Table) -> tuple[pa.Array, Answer]:
        """Predictions for an Arrow table, as an Arrow array."""
        frame: dict[str, Any] = {}
        for item in self.signature["inputs"]:
            name, kind = item["name"], item["type"]
            if name not in table.column_names:
                raise ColumnMissing(name, table.column_names, where="the model's input")
            if not _fits(kind_of(table.schema.field(name).type), kind):
                type_ = table.schema.field(name).type
                raise InvalidInput(
                    f"Column {name!r} is {type_}, but the model takes {kind} values there. Cast it first.", field=name
                )
            frame[name] = values_of(table.column(name))
        given = self._answer(frame)
        return pa.array(self._labels(given).tolist(), type=self.output_type), given

    @property
    def output_type(self) -> Any:
        """The Arrow type of the predictions."""
        if self._classes is None:
            return pa.float64() if self.task == "regression" else pa.int64()
        return pa.array(self._classes).type

    @property
    def _classes(self) -> list[Any] | None:
        classes: list[Any] | None = self.signature["output"].get("classes")
        return classes

    @property
    def _output(self) -> str:
        return str(self.signature["output"]["name"])

    def _answer(self, frame: Frame) -> Answer:
        return answer(self._estimator, self._preparation.matrix(frame), self.task)

    def _labels(self, given: Answer) -> Any:
        if self._classes is None:
            return np.asarray(given.predicted, dtype=np.float64 if self.task == "regression" else np.int64)
        return np.array(self._classes, dtype=object)[np.asarray(given.predicted, dtype=np.int64)]

    def _probabilities(self, given: Answer) -> list[dict[str, float]] | None:
        if self._classes is None or given.probabilities is None:
            return None
        names = [str(label) for label in np.array(self._classes, dtype=object)[self._estimator.classes_]]
        return [dict(zip(names, row, strict=True)) for row in given.probabilities.tolist()]


_loaded: OrderedDict[tuple[str, int, int], Predictor] = OrderedDict()
_lock = threading.Lock()


def load(path: Path, *, sha256: str | None = None) -> Predictor:
    """The model of a file; the last few stay loaded until their files change.

    Args:
        sha256: What the file's hash must be, checked when it is read.

    Raises:
        NotFound, DataUnreadable: As etlml.ml.model_file.load.
    """
    try:
        stat = path.stat()
        key = str(path.resolve()), stat.st_mtime_ns, stat.st_size
    except OSError:
        return Predictor(model_file.load(path, sha256=sha256))  # says what is wrong
    with _lock:
        if key in _loaded:
            _loaded.move_to_end(key)
            return _loaded[key]
        predictor = Predictor(model_file.load(path, sha256=sha256))
        _loaded[key] = predictor
        while len(_loaded) > KEPT:
            _loaded.popitem(last=False)
    return predictor


def predict_parquet(
    *,
    model_path: str,
    source: str,
    path: str,
    into: str,
    report: Report,
    sha256: str | None = None,
    chances: bool = False,
) -> dict[str, Any]:
    """Write a Parquet file with the rows of ``source`` and the model's predictions in the column ``into``.

    Reads and writes batch by batch; the file is there whole or not at all. Runs in a child process.

    Args:
        chances: Also write ``<into>_probability``, the probability of the predicted class.

    Returns:
        {"rows": how many, "path": the file}.
    """
    predictor = load(Path(model_path), sha256=sha256)
    progress, target = Progress(report), Path(path)
    partial = target.with_name(f".{target.name}.partial")
    try:
        file = pq.ParquetFile(source)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataUnreadable(f"{Path(source).name} cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    rows, total = 0, file.metadata.num_rows
    schema = _with_predictions(file.schema_arrow, predictor, into, chances)
    try:
        with file, pq.ParquetWriter(partial, schema) as writer:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                writer.write_table(_predicted(pa.Table.from_batches([batch]), predictor, schema, into, chances))
                rows += batch.num_rows
                progress.point("progress", rows / max(1, total), rows)
        sync_file(partial)
        partial.replace(target)
        sync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return {"rows": rows, "path": str(target)}


def _with_predictions(schema: Any, predictor: Predictor, into: str, chances: bool) -> Any:
    added = [pa.field(into, predictor.output_type)]
    if chances and predictor.task == "classification":
        added.append(pa.field(f"{into}_probability", pa.float64()))
    names = {one.name for one in added}
    return pa.schema([*(kept for kept in schema if kept.name not in names), *added])


def _predicted(table: pa.Table, predictor: Predictor, schema: Any, into: str, chances: bool) -> Any:
    labels, given = predictor.predict_table(table)
    columns: dict[str, Any] = {into: labels}
    if chances:
        best = None if given.probabilities is None else given.probabilities.max(axis=1)
        columns[f"{into}_probability"] = pa.nulls(len(labels), pa.float64()) if best is None else pa.array(best)
    return pa.table(
        [columns[one.name] if one.name in columns else table.column(one.name) for one in schema], schema=schema
    )


def _fits(found: str | None, wanted: str) -> bool:
    return found == wanted or {found, wanted} == {"number", "boolean"}
