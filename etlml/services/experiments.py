"""Experiments: trainings with parameters, metrics and artifacts, of pipelines or recorded from outside."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from etlml.clock import new_id, utc_now
from etlml.documents import Experiment, ExperimentStatus, MetricPoint, Model
from etlml.errors import ConfigInvalid, DataUnreadable, NotFound, StateConflict
from etlml.invalid import config_invalid
from etlml.ml.directions import lower_is_better
from etlml.services.audit import AuditService
from etlml.services.plain import checked_plain
from etlml.services.principals import LOCAL_NAME
from etlml.settings import Settings
from etlml.store import Page, Store


class ExperimentService:
    """Record, read, finish and delete experiments, and make models of them."""

    def __init__(self, store: Store, audit: AuditService, environment: Settings) -> None:
        self._store = store
        self._audit = audit
        self._environment = environment

    def list(
        self,
        *,
        q: str | None = None,
        project: str | None = None,
        status: ExperimentStatus | None = None,
        pipeline_id: str | None = None,
        run_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        with_artifacts: bool = True,
    ) -> Page[Experiment]:
        """Experiments, newest first; artifacts (curves, matrices) can be left out."""
        return self._store.experiments.list(
            q=q,
            project=project,
            status=status,
            pipeline_id=pipeline_id,
            run_id=run_id,
            limit=limit,
            cursor=cursor,
            with_artifacts=with_artifacts,
        )

    def best(
        self,
        metric: str,
        *,
        q: str | None = None,
        project: str | None = None,
        status: ExperimentStatus | None = None,
        limit: int = 50,
    ) -> Sequence[Experiment]:
        """The experiments with the best value of a metric: the lowest of losses and errors, else the highest."""
        return self._store.experiments.best(
            metric, lowest=lower_is_better(metric), q=q, project=project, status=status, limit=limit
        )

    def projects(self) -> Sequence[str]:
        """The names of the projects."""
        return self._store.experiments.projects()

    def get(self, experiment_id: str) -> Experiment:
        """The experiment of that id; NotFound if there is none."""
        return self._store.experiments.get(experiment_id)

    def create(
        self,
        name: str,
        *,
        description: str = "",
        project: str = "default",
        parameters: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        pipeline_id: str | None = None,
        author: str = LOCAL_NAME,
        document_id: str | None = None,
    ) -> Experiment:
        """Record a training that goes on outside the platform, as running."""
        if not name.strip():
            raise ConfigInvalid("An experiment needs a name.", field="name")
        checked_plain(dict(parameters or {}), where="parameters")
        try:
            experiment = Experiment(
                id=document_id or new_id(),
                name=name,
                description=description,
                project=project,
                parameters=dict(parameters or {}),
                tags=list(tags),
                pipeline_id=pipeline_id,
            )
        except ValidationError as error:
            raise config_invalid(error, Experiment, where="The experiment") from None
        self._store.experiments.add(experiment)
        self._audit.record(author, "created", "experiment", experiment.id, name=name)
        return experiment

    def delete(self, experiment_id: str, *, author: str = LOCAL_NAME) -> None:
        """Delete an experiment with its metric points; models made of it stay.

        Raises:
            StateConflict: It is still running.
        """
        experiment = self.get(experiment_id)
        if experiment.status == "running":
            raise StateConflict(
                f"Experiment {experiment.name!r} is running. Cancel it before you delete it.", status="running"
            )
        self._store.experiments.delete(experiment_id)
        self._audit.record(author, "deleted", "experiment", experiment_id, name=experiment.name)

    def add_metrics(self, experiment_id: str, points: Sequence[Mapping[str, Any]]) -> int:
        """Record points ``{"key", "value", "step"?, "ts"?}`` of a running experiment; how many there were.

        Raises:
            StateConflict: It is finished.
        """
        self._running(experiment_id)
        try:
            found = [
                MetricPoint(experiment_id=experiment_id, **checked_plain(dict(point), where="a point"))
                for point in points
            ]
        except (ValidationError, TypeError) as error:
            if isinstance(error, ValidationError):
                raise config_invalid(error, MetricPoint, where="A metric point") from None
            raise ConfigInvalid(
                "A metric point has the fields key, value, step and ts, and no experiment_id.", field="points"
            ) from None
        if found:
            self._store.metric_points.add_many(found)
        return len(found)

    def metrics(self, experiment_id: str, key: str) -> Sequence[MetricPoint]:
        """The points of one metric, by step; NotFound (did you mean) if it has none of that name."""
        self.get(experiment_id)
        points = list(self._store.metric_points.series(experiment_id, key))
        if not points:
            raise NotFound("metric", key, self.metric_keys(experiment_id))
        return points

    def metric_keys(self, experiment_id: str) -> Sequence[str]:
        """The names of the metrics that have points."""
        return sorted(self._store.metric_points.keys(experiment_id))

    def complete(
        self,
        experiment_id: str,
        *,
        metrics: Mapping[str, float | None] | None = None,
        artifacts: Mapping[str, Any] | None = None,
        author: str = LOCAL_NAME,
    ) -> Experiment:
        """Finish a running experiment with its final metrics and artifacts.

        Raises:
            StateConflict: It is finished already.
        """
        kept = self._running(experiment_id).artifacts
        finished = self._store.experiments.finish(
            experiment_id,
            "completed",
            utc_now(),
            metrics=_checked_metrics(metrics or {}),
            artifacts={**kept, **checked_plain(dict(artifacts or {}), where="artifacts")},
        )
        self._audit.record(author, "completed", "experiment", experiment_id, name=finished.name)
        return finished

    def cancel(self, experiment_id: str, *, author: str = LOCAL_NAME) -> Experiment:
        """Mark a running experiment as cancelled, and have the run that trains it stopped.

        Raises:
            StateConflict: It is finished already.
        """
        experiment = self._running(experiment_id)
        if experiment.run_id is not None:
            with suppress(StateConflict, NotFound):  # the run has ended, or was removed: nothing trains any more
                self._store.runs.request_cancel(experiment.run_id)
        finished = self._store.experiments.finish(experiment_id, "cancelled", utc_now())
        self._audit.record(author, "cancelled", "experiment", experiment_id, name=finished.name)
        return finished

    def register(
        self,
        experiment_id: str,
        name: str,
        *,
        model_file: str | None = None,
        description: str = "",
        author: str = LOCAL_NAME,
    ) -> Model:
        """Make the experiment's model the next version of the model ``name``.

        Args:
            experiment_id: A completed experiment.
            name: The model's name; a new name starts at v1.0.
            model_file: Its skops file under ETLML_HOME; left out: the one that the training wrote.
            description: What is worth knowing about this version.
            author: Who asks.

        Raises:
            StateConflict: The experiment is not completed, or has no model file.
            DataUnreadable: The file is not there, or outside ETLML_HOME.
        """
        experiment = self.get(experiment_id)
        if experiment.status != "completed":
            raise StateConflict(
                f"Experiment {experiment.name!r} is {experiment.status}. Only a completed one can be registered."
            )
        path = self._model_file(experiment, model_file)
        try:
            model = self._store.models.register(
                name,
                **_learned(experiment),
                file_path=str(path),
                file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                description=description,
            )
        except ValidationError as error:
            raise config_invalid(error, Model, where="The model") from None
        self._store.experiments.update(experiment.id, {"model_name": model.name, "model_version": model.version})
        self._audit.record(author, "registered", "model", f"{model.name} {model.version}", experiment_id=experiment.id)
        return model

    def _model_file(self, experiment: Experiment, given: str | None) -> Path:
        path = given or experiment.artifacts.get("model_file")
        if not path:
            raise StateConflict(f"Experiment {experiment.name!r} has no model file. Name one with model_file.")
        home = self._environment.home
        if "\0" in str(path):
            raise DataUnreadable("The path of the model file holds a NUL character. Remove it.")
        resolved = (home / str(path)).resolve()
        if not resolved.is_relative_to(home):
            raise DataUnreadable("The model file lies outside ETLML_HOME. Copy it into ETLML_HOME/models.")
        if not resolved.is_file():
            raise DataUnreadable(f"There is no model file {resolved.relative_to(home)} in ETLML_HOME.")
        return resolved

    def _running(self, experiment_id: str) -> Experiment:
        experiment = self.get(experiment_id)
        if experiment.status != "running":
            raise StateConflict(
                f"Experiment {experiment.name!r} is {experiment.status} already.", status=experiment.status
            )
        return experiment


def _learned(experiment: Experiment) -> dict[str, Any]:
    """What an experiment tells of its model."""
    artifacts = experiment.artifacts
    return {
        "experiment_id": experiment.id,
        "algorithm": str(experiment.parameters.get("algorithm") or artifacts.get("algorithm") or "unknown"),
        "task": str(artifacts.get("task", "")),
        "metrics": experiment.metrics,
        "parameters": experiment.parameters,
        "signature": artifacts.get("signature") or {},
    }


def _checked_metrics(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    try:
        return TypeAdapter(dict[str, FiniteFloat | None]).validate_python(dict(metrics), strict=True)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])[:60]
        raise ConfigInvalid(
            f"Metric {field!r} is no finite number. Give a number or null.", field=f"metrics.{field}"
        ) from None
