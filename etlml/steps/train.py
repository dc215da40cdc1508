"""The train step: a scikit-learn model from the input's rows, recorded as an experiment; the rows go on unchanged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from etlml.compute.relation import Relation
from etlml.compute.schema import Schema
from etlml.documents import NAME_PATTERN
from etlml.errors import ConfigInvalid, TrainingFailed
from etlml.ml.algorithms import Algorithm, Task, algorithm, check_parameters, check_task
from etlml.steps.base import StepConfig, StepContext, StepResult


class TrainConfig(StepConfig):
    """Train a scikit-learn classifier, regressor or clusterer; text, times, gaps and scales are taken care of."""

    target: str | None = Field(None, description="The column to predict; left out for a clustering.")
    algorithm: str = Field(description="scikit-learn's class name, or the same in snake_case.")
    task: Task | None = Field(None, description="classification, regression or clustering; the algorithm tells it.")
    features: list[str] | None = Field(
        None, min_length=1, description="Columns to learn from; left out: all that can help."
    )
    parameters: dict[str, Any] = Field(default_factory=dict, description="The algorithm's parameters.")
    test_size: float = Field(0.2, gt=0, lt=1, description="Share of the rows that the model is judged by.")
    seed: int = Field(0, ge=0, lt=2**32, description="The same seed and rows give the same model.")
    cv: int | None = Field(None, ge=2, le=50, description="Folds of a cross-validation on the training rows.")
    register_as: str | None = Field(None, pattern=NAME_PATTERN, description="Name under which the model is registered.")
    name: str | None = Field(None, description="The experiment's name; the step's id if left out.")
    project: str = Field("default", description="The project that the experiment belongs to.")

    def check(self, inputs: Mapping[str, Schema | None], data_dir: Path | None = None) -> Schema | None:
        self._chosen()
        ((step, schema),) = inputs.items()
        if schema is not None:
            where = f"step {step!r}"
            if self.target is not None:
                schema.column(self.target, where=where)
            schema.require(self.features or [], where=where)
        return schema

    def execute(self, inputs: Mapping[str, Relation], context: StepContext) -> StepResult:
        chosen = self._chosen()
        (given,) = inputs.values()
        relation = context.checkpoint(given) if given.is_lazy else given
        data = {"path": str(relation.path), "rows": relation.rows, "schema": relation.schema.as_dict()}
        parameters = {**self.parameters, "algorithm": chosen.name, "seed": self.seed, "test_size": self.test_size}
        experiment = context.tracker.start(
            name=self.name or context.step_id, parameters=parameters, data=data, project=self.project
        )
        try:
            if relation.rows == 0:
                raise TrainingFailed(
                    "The input has no rows, so there is nothing to learn from. Check the filters before it."
                )
            outcome = self._train(relation, experiment, context)
            recorded = context.tracker.complete(experiment, outcome, register_as=self.register_as)
        except Exception as error:
            context.tracker.fail(experiment, error)
            raise
        warnings = len(outcome["artifacts"]["warnings"])
        return StepResult(relation, metrics={**recorded, "metrics": outcome["metrics"]}, warnings=warnings)

    def fingerprint(self, data_dir: Path) -> str | None:
        return ""  # the same data, parameters and seed give the same model

    def _chosen(self) -> Algorithm:
        chosen = algorithm(self.algorithm)
        check_task(chosen, self.task)
        check_parameters(chosen, self.parameters)
        if self.target is None and chosen.task != "clustering":
            raise ConfigInvalid(f"{chosen.name} needs a target: name the column that it is to predict.", field="target")
        if self.target is not None and chosen.task == "clustering":
            raise ConfigInvalid(
                f"{chosen.name} groups rows and has no target. Leave target out, or choose a classifier or a regressor.",
                field="target",
            )
        if self.target is not None and self.target in (self.features or ()):
            raise ConfigInvalid(
                f"The target {self.target!r} cannot be a feature too. Take it out of features.", field="features"
            )
        if self.cv is not None and chosen.task == "clustering":
            raise ConfigInvalid(f"{chosen.name} cannot be cross-validated: it has no target. Leave cv out.", field="cv")
        return chosen

    def _train(self, relation: Relation, experiment: str, context: StepContext) -> dict[str, Any]:
        def on_message(message: dict[str, Any]) -> None:
            if "point" in message:
                point = message["point"]
                context.tracker.point(experiment, point["key"], point["value"], point["step"])
            elif "log" in message:
                context.log(message["log"], message["message"])

        named = relation.schema.require(self.features or [])
        outcome: dict[str, Any] = context.children.run(
            "etlml.ml.training:train",
            {
                "path": str(relation.path),
                "algorithm": self.algorithm,
                "model_file": str(context.folder / f"{context.step_id}.model.skops"),
                "target": None if self.target is None else relation.schema.column(self.target).name,
                "task": self.task,
                "features": None if self.features is None else [column.name for column in named],
                "parameters": self.parameters,
                "test_size": self.test_size,
                "seed": self.seed,
                "cv": self.cv,
            },
            on_message=on_message,
            cancelled=context.cancelled,
            memory_bytes=context.memory_bytes,
        )
        return outcome
