"""Keeps what a training reports: the experiment, its metric points, the registered model."""

import hashlib
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from etlml.clock import Clock
from etlml.compute.session import sync_file, sync_folder
from etlml.documents import DataInfo, ErrorInfo, Experiment, MetricPoint, Model, Run
from etlml.engine.patience import patiently
from etlml.errors import EtlmlError, NameTaken, StateConflict, StepCancelled
from etlml.redaction import redacted

if TYPE_CHECKING:
    from etlml.store.client import Store

Ending = Literal["completed", "failed", "cancelled"]
LOG = logging.getLogger(__name__)


class StoreTracker:
    """The tracker of one step of one run. A step that is tried again goes on with the same experiment.

    Args:
        store: Where experiments, points and models are kept.
        run: The run.
        step_id: The training step.
        models_dir: Where model files are kept.
        now: The clock.
    """

    def __init__(self, store: "Store", run: Run, step_id: str, models_dir: Path, now: Clock) -> None:
        self._store, self._run, self._step_id, self._models_dir, self._now = store, run, step_id, models_dir, now

    def start(self, *, name: str, parameters: dict[str, Any], data: dict[str, Any], project: str = "default") -> str:
        """Record the experiment as running; what an interrupted attempt left in it is dropped."""
        experiment = Experiment(
            id=experiment_id(self._run.id, self._step_id),
            name=name or f"{self._run.pipeline_name} / {self._step_id}",
            project=project,
            pipeline_id=self._run.pipeline_id,
            run_id=self._run.id,
            step_id=self._step_id,
            parameters=parameters,
            data=DataInfo.model_validate(data),
            created_at=self._now(),
        )
        patiently(lambda: self._begin(experiment))
        return experiment.id

    def _begin(self, experiment: Experiment) -> None:
        try:
            self._store.experiments.add(experiment)
        except NameTaken:
            fields = experiment.model_dump(exclude={"id", "created_at"})
            self._store.experiments.update(experiment.id, fields)
            self._store.metric_points.delete_of([experiment.id])

    def point(self, experiment_id: str, key: str, value: float, step: int) -> None:
        """Record one value while training goes on."""
        point = MetricPoint(experiment_id=experiment_id, key=key, step=step, value=value, ts=self._now())
        patiently(lambda: self._store.metric_points.add_many([point]))

    def complete(self, experiment_id: str, outcome: dict[str, Any], *, register_as: str | None) -> dict[str, Any]:
        """Record the outcome, and register the model if asked; a model of this experiment is registered once."""
        facts: dict[str, Any] = {"experiment_id": experiment_id, "metrics": outcome["metrics"]}
        changes: dict[str, Any] = {
            "parameters": {"algorithm": outcome["algorithm"], **outcome["parameters"]},
            "artifacts": outcome.get("artifacts", {}),
            "environment": outcome.get("environment", {}),
            "data": DataInfo.model_validate(outcome.get("data", {})),
        }
        if outcome.get("model_file"):
            path = self._kept_file(experiment_id, Path(outcome["model_file"]))
            changes["artifacts"] = {**changes["artifacts"], "model_file": str(path)}
            if register_as:
                model = self._registered(experiment_id, outcome, path, register_as)
                changes |= {"model_name": model.name, "model_version": model.version}
                facts |= {"model": model.name, "version": model.version}
        self._end(experiment_id, "completed", metrics=outcome["metrics"], **changes)
        return facts

    def fail(self, experiment_id: str, error: Exception) -> None:
        """Record that the training failed or was stopped."""
        info = ErrorInfo(step=self._step_id, type=type(error).__name__, message=redacted(str(error)))
        if isinstance(error, EtlmlError) and isinstance(error.details.get("traceback"), str):
            info.traceback = redacted(error.details["traceback"])
        status: Ending = "cancelled" if isinstance(error, StepCancelled) else "failed"
        self._end(experiment_id, status, error=info)

    def _end(self, experiment_id: str, status: Ending, **changes: Any) -> None:
        try:
            patiently(lambda: self._store.experiments.finish(experiment_id, status, self._now(), **changes))
        except StateConflict:
            LOG.info("Experiment %s had ended already.", experiment_id)  # somebody cancelled it from outside

    def _kept_file(self, experiment_id: str, source: Path) -> Path:
        folder = self._models_dir / "experiments"
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{experiment_id}.skops"
        partial = target.with_suffix(".partial")
        shutil.copyfile(source, partial)
        sync_file(partial)
        partial.replace(target)
        sync_folder(folder)
        return target

    def _registered(self, experiment_id: str, outcome: dict[str, Any], path: Path, name: str) -> Model:
        """The model of this experiment, registered now unless an attempt that was cut off had got that far."""
        there = patiently(lambda: self._store.models.list(name=name, experiment_id=experiment_id, limit=1)).items
        if there:
            return there[0]
        return patiently(
            lambda: self._store.models.register(
                name,
                algorithm=outcome["algorithm"],
                file_path=str(path),
                file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                experiment_id=experiment_id,
                task=outcome.get("task", ""),
                metrics=outcome["metrics"],
                parameters=outcome["parameters"],
                signature=outcome.get("signature", {}),
                created_at=self._now(),
            )
        )


def experiment_id(run_id: str, step_id: str) -> str:
    """The id of the experiment of one run's training step: the same on every attempt."""
    return f"{run_id}-{step_id}"
