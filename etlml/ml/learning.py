"""Learns the recipes of a training's columns: what to fill, which categories there are, how to scale."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from etlml.ml.algorithms import Algorithm
from etlml.ml.recipes import (
    AnyRecipe,
    LookupRecipe,
    NumberRecipe,
    OneHotRecipe,
    OrdinalRecipe,
    TimePart,
    TimeRecipe,
    time_part,
)
from etlml.ml.values import Floats, Numbers, Texts, Times, Values, missing

MOST_ONE_HOT = 20  # a text column with more categories is encoded by what is known of each
MOST_NATIVE = 255  # as many categories scikit-learn's histogram boosting can bin
RARE_SHARE = 0.001  # one-hot categories below this share of the rows go to "(other)", if there are several
MOST_CLASSES = 10  # with more classes a category is encoded by its frequency
SMOOTHING = 10.0  # rows of weight that the overall mean has in a category's mean
FOLDS = 5

_TREES = frozenset({"sklearn.tree", "sklearn.ensemble", "sklearn.dummy"})
_COUNTS = frozenset({"MultinomialNB", "ComplementNB", "CategoricalNB"})


@dataclass(frozen=True)
class Style:
    """What an algorithm wants of its matrix."""

    scaling: Literal["none", "standard", "unit"]
    takes_missing: bool = False
    takes_categories: bool = False
    dtype: type[np.float32] | type[np.float64] = np.float64


@dataclass(frozen=True)
class Learned:
    """A column's recipe, and its block of the training matrix."""

    recipe: AnyRecipe
    block: Floats


def style_of(algorithm: Algorithm) -> Style:
    """Trees need no scaling, histogram boosting takes gaps and categories as they are, counts must not be negative."""
    if algorithm.name.startswith("HistGradientBoosting"):
        return Style("none", takes_missing=True, takes_categories=True)
    if ".".join(algorithm.module.split(".")[:2]) in _TREES:
        return Style("none", dtype=np.float32)  # scikit-learn's trees work in float32: this saves them the copy
    return Style("unit" if algorithm.name in _COUNTS else "standard")


def learn(column: str, values: Values, target: Floats | None, style: Style, seed: int) -> Learned:
    """The recipe of a column from its training values.

    Args:
        target: Shape (rows, k): the target, or one column of 0 and 1 a class; None where there is none to learn from.
    """
    if isinstance(values, Texts):
        return _learn_text(column, values, target, style, seed)
    if isinstance(values, Times):
        recipe: AnyRecipe = _time_recipe(column, values, style)
    else:
        recipe = _number_recipe(column, values, style)
    return Learned(recipe, recipe.encode(values))


def target_matrix(codes: NDArray[np.int64], classes: int) -> Floats | None:
    """A class target as columns for ``learn``: one for two classes, one a class for a few, None for many."""
    if classes == 2:
        return codes.astype(np.float64)[:, None]
    return np.eye(classes)[codes] if classes <= MOST_CLASSES else None


def _number_recipe(column: str, values: Numbers, style: Style) -> NumberRecipe:
    present = values.data[~np.isnan(values.data)]
    has_gaps = len(present) < len(values.data)
    if style.takes_missing:
        return NumberRecipe(column=column)
    center, scale = _scaling(present, style)
    fill = float(np.median(present)) if present.size else 0.0
    return NumberRecipe(column=column, fill=fill, marks_missing=has_gaps, center=center, scale=scale)


def _time_recipe(column: str, values: Times, style: Style) -> TimeRecipe:
    present = values.data[~missing(values)]
    names: tuple[TimePart, ...] = ("days", "year", "month", "day", "weekday", "hour")
    found = {name: time_part(present, name) for name in names}
    parts = [name for name in names if name == "days" or np.unique(found[name]).size > 1]
    scalings = [_scaling(found[name], style) for name in parts]
    fills = None if style.takes_missing else [float(np.median(found[name])) for name in parts]
    centers, scales = [center for center, _ in scalings], [scale for _, scale in scalings]
    return TimeRecipe(column=column, parts=parts, fills=fills, centers=centers, scales=scales)


def _scaling(present: Floats, style: Style) -> tuple[float, float]:
    if style.scaling == "none" or present.size == 0:
        return 0.0, 1.0
    if style.scaling == "unit":
        low, high = float(present.min()), float(present.max())
        return low, (high - low) or 1.0
    return float(present.mean()), float(present.std()) or 1.0


def _learn_text(column: str, values: Texts, target: Floats | None, style: Style, seed: int) -> Learned:
    counts = np.bincount(values.codes[values.codes >= 0], minlength=len(values.values))
    categories = sorted((value for value, count in zip(values.values, counts, strict=True) if count), key=str)
    recipe: AnyRecipe
    if style.takes_categories and len(categories) <= MOST_NATIVE:
        recipe = OrdinalRecipe(column=column, categories=categories)
    elif len(categories) <= MOST_ONE_HOT:
        by_value = dict(zip(values.values, counts.tolist(), strict=True))
        recipe = _one_hot_recipe(column, categories, by_value, bool((values.codes < 0).any()))
    elif target is None:
        recipe = _frequency_recipe(column, values, categories, counts, style)
    else:
        return _learn_target(column, values, categories, target, style, seed)
    return Learned(recipe, recipe.encode(values))


def _one_hot_recipe(column: str, categories: list[str], counts: Mapping[str, int], has_missing: bool) -> OneHotRecipe:
    least = max(2.0, RARE_SHARE * sum(counts.values()))
    rare = {category for category in categories if counts[category] < least}
    if len(rare) < 2 or len(rare) == len(categories):
        rare = set()
    kept = [category for category in categories if category not in rare]
    return OneHotRecipe(column=column, categories=kept, has_other=bool(rare), has_missing=has_missing)


def _frequency_recipe(
    column: str, values: Texts, categories: list[str], counts: NDArray[np.int64], style: Style
) -> LookupRecipe:
    shares = dict(zip(values.values, (counts / max(1, counts.sum())).tolist(), strict=True))
    center, scale = _scaling(np.array([shares[values.values[code]] for code in values.codes if code >= 0]), style)
    table = [[(shares[category] - center) / scale] for category in categories]
    return LookupRecipe(
        column=column, learned="frequency", categories=categories, values=table, default=[(0.0 - center) / scale]
    )


def _learn_target(
    column: str, values: Texts, categories: list[str], target: Floats, style: Style, seed: int
) -> Learned:
    """Means of the target by category, smoothed to the overall mean. Training rows get the means of the other folds'
    rows, so that the estimator does not trust a column that has seen its own answer.
    """
    positions = _category_positions(values, categories)
    width = len(categories) + 1  # the last stands for missing
    overall = target.mean(axis=0)
    folds = np.random.default_rng(seed).integers(0, FOLDS, len(positions))
    block = np.empty((len(positions), target.shape[1]))
    for fold in range(FOLDS):
        inside = folds == fold
        block[inside] = _means(positions[~inside], target[~inside], width, overall)[positions[inside]]
    table = _means(positions, target, width, overall)
    scalings = [_scaling(block[:, index], style) for index in range(block.shape[1])]
    centers, scales = np.array([center for center, _ in scalings]), np.array([scale for _, scale in scalings])
    recipe = LookupRecipe(
        column=column,
        learned="target",
        categories=categories,
        values=((table[:-1] - centers) / scales).tolist(),
        default=((table[-1] - centers) / scales).tolist(),
    )
    return Learned(recipe, (block - centers) / scales)


def _category_positions(values: Texts, categories: list[str]) -> NDArray[np.int64]:
    place = {category: index for index, category in enumerate(categories)}
    table = np.array([*(place.get(value, len(categories)) for value in values.values), len(categories)], dtype=np.int64)
    return table[values.codes]


def _means(positions: NDArray[np.int64], target: Floats, width: int, overall: Floats) -> Floats:
    counts = np.bincount(positions, minlength=width)[:, None]
    sums = np.column_stack(
        [np.bincount(positions, weights=target[:, index], minlength=width) for index in range(target.shape[1])]
    )
    means: Floats = (sums + SMOOTHING * overall) / (counts + SMOOTHING)
    return means
