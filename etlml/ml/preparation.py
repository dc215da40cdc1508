"""The first part of every model's pipeline: a table's columns to the matrix that the estimator takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, TransformerMixin

from etlml.ml.learning import Style, learn
from etlml.ml.recipes import AnyRecipe, Recipes
from etlml.ml.values import Floats, Frame, Indices, Texts, Values, values_of


class Preparation(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted scikit-learn transformer. Its only state is text, so that a model file with it is safe to load.

    Args:
        recipes: The recipes of the columns as JSON; see etlml.ml.recipes.
        dtype: Of the matrix: "float32" or "float64".
    """

    def __init__(self, recipes: str = "[]", dtype: str = "float64") -> None:
        self.recipes = recipes
        self.dtype = dtype

    def fit(self, X: Any, y: Any = None) -> "Preparation":  # noqa: N803 - scikit-learn's names
        """Nothing: what there is to learn was learned when it was made."""
        return self

    def transform(self, X: Any) -> Any:  # noqa: N803
        """The matrix of a pandas data frame, an Arrow table, or a mapping of column to values."""
        return self.matrix(X if isinstance(X, Mapping) else frame_of(X, self.columns))

    def matrix(self, frame: Frame) -> Any:
        """The matrix of values that are already in their forms."""
        recipes = self.parsed
        rows = len(_data(frame[recipes[0].column]))
        return assembled([recipe.encode(frame[recipe.column]) for recipe in recipes], rows, self.dtype)

    @property
    def parsed(self) -> list[AnyRecipe]:
        """The recipes."""
        cached: tuple[str, list[AnyRecipe]] | None = self.__dict__.get("_parsed")
        if cached is None or cached[0] != self.recipes:
            cached = self.recipes, Recipes.validate_json(self.recipes)
            self._parsed = cached
        return cached[1]

    @property
    def columns(self) -> list[str]:
        """The columns that it needs, in order."""
        return [recipe.column for recipe in self.parsed]

    @property
    def outputs(self) -> list[tuple[str, str]]:
        """For each matrix column its name and the column that it comes from."""
        return [(name, recipe.column) for recipe in self.parsed for name in recipe.outputs]

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The names of the matrix columns."""
        return np.array([name for name, _ in self.outputs], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in super().__getstate__().items() if key != "_parsed"}


def prepared(frame: Frame, target: Floats | None, style: Style, seed: int) -> tuple[Preparation, Any]:
    """Learn from training values; the fitted preparation and the training matrix."""
    learned = [learn(column, values, target, style, seed) for column, values in frame.items()]
    rows = len(_data(next(iter(frame.values()))))
    preparation = Preparation(Recipes.dump_json([one.recipe for one in learned]).decode(), np.dtype(style.dtype).name)
    return preparation, assembled([one.block for one in learned], rows, preparation.dtype)


def frame_of(table: Any, columns: Sequence[str]) -> Frame:
    """The named columns of a pandas data frame or an Arrow table as values."""
    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table[list(columns)], preserve_index=False)
    return {name: values_of(table.column(name)) for name in columns}


def taken(frame: Frame, indices: Indices) -> Frame:
    """Some rows of every column."""
    return {name: values.take(indices) for name, values in frame.items()}


def assembled(blocks: Sequence[Floats], rows: int, dtype: str) -> Any:
    """Blocks side by side in one matrix."""
    matrix = np.empty((rows, sum(block.shape[1] for block in blocks)), dtype=dtype)
    start = 0
    for block in blocks:
        matrix[:, start : start + block.shape[1]] = block
        start += block.shape[1]
    return matrix


def _data(values: Values) -> Any:
    return values.codes if isinstance(values, Texts) else values.data
