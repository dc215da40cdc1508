"""The scikit-learn estimator of a training, before it has learned."""

from collections.abc import Mapping
from typing import Any

from etlml.errors import TrainingFailed
from etlml.ml.algorithms import Algorithm
from etlml.ml.fitting import FORESTS
from etlml.ml.learning import Style
from etlml.ml.preparation import Preparation
from etlml.ml.recipes import OrdinalRecipe
from etlml.ml.target import Target


def unfitted(
    algorithm: Algorithm,
    parameters: Mapping[str, Any],
    preparation: Preparation,
    style: Style,
    seed: int,
    target: Target | None,
) -> Any:
    """The estimator with these parameters; what they leave open follows from the seed, the machine and the columns.

    Raises:
        TrainingFailed: ``class_weight`` names a class that the target does not have.
        Exception: scikit-learn's own, for a parameter that it does not take.
    """
    given = dict(parameters)
    defaults: dict[str, Any] = {"random_state": seed} if "random_state" in algorithm.defaults else {}
    if algorithm.name in FORESTS:
        defaults["n_jobs"] = -1
    if style.takes_categories and "categorical_features" in algorithm.defaults:
        defaults["categorical_features"] = _categorical_columns(preparation)
    if isinstance(given.get("class_weight"), dict) and target and target.classes:
        given["class_weight"] = _weights_by_number(given["class_weight"], target)
    made = algorithm.estimator_class(**(defaults | given))
    made._validate_params()
    return made


def _categorical_columns(preparation: Preparation) -> list[int] | None:
    marked = [isinstance(recipe, OrdinalRecipe) for recipe in preparation.parsed for _ in recipe.outputs]
    return [index for index, is_category in enumerate(marked) if is_category] or None


def _weights_by_number(weights: dict[Any, Any], target: Target) -> dict[int, Any]:
    """Class weights by class number; JSON and YAML give the classes as text."""
    numbers = {str(label): number for number, label in enumerate(target.classes or ())}
    unknown = [label for label in weights if str(label) not in numbers]
    if unknown:
        raise TrainingFailed(
            f"class_weight names {unknown[0]!r}, which is no class of {target.name!r}: {', '.join(numbers)}."
        )
    return {numbers[str(label)]: weight for label, weight in weights.items()}
