"""The closed set of step types: from a step's document to its typed configuration."""

from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from etlml.documents import Step
from etlml.invalid import config_invalid
from etlml.steps.base import StepConfig


@lru_cache(maxsize=1)
def config_classes() -> dict[str, type[StepConfig]]:
    """Step type to configuration class; imported on first use, since crafts are heavy."""
    from etlml.steps.extract import ExtractConfig
    from etlml.steps.load import LoadConfig
    from etlml.steps.train import TrainConfig
    from etlml.steps.transform import TransformConfig
    from etlml.steps.validate import ValidateConfig

    return {
        "extract": ExtractConfig,
        "transform": TransformConfig,
        "load": LoadConfig,
        "validate": ValidateConfig,
        "train": TrainConfig,
    }


def typed_config(step: Step, config: dict[str, Any] | None = None) -> StepConfig:
    """The step's configuration, typed; ``config`` replaces the step's own (with its references filled in).

    Raises:
        ConfigInvalid: A field is unknown, missing or of the wrong kind.
    """
    model = config_classes()[step.type]
    try:
        return model.model_validate(step.config if config is None else config)
    except ValidationError as error:
        found = config_invalid(error, model, where=f"Step {step.id!r}")
        found.details["step"] = step.id
        raise found from None
